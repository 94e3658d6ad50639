/* recipe_manual.c -- man/lathe-recipe.7 lists the rules and functions there are, in their words.
 *
 * The two lists are written from the tables; when they differ, the test says what the page should
 * have. Its examples of whole recipes and expressions are parsed as well. */
#include "recipe_table.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE LATHE_SOURCE_DIR "/man/lathe-recipe.7"

static char *page;

static int make(void **state)
{
    (void)state;
    Text text = {0};
    Error err = {0};
    if (!file_read(PAGE, &text, 1 << 20, &err)) {
        print_error("%s\n", err.text);
        return 1;
    }
    page = text_take(&text);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    mem_free(page);
    return 0;
}

/* As roff wants it: a minus that is one, backslashes doubled. */
static void add_roff(Text *t, const char *s)
{
    for (; *s; s++) {
        if (*s == '\\' || *s == '-')
            text_putc(t, '\\');
        text_putc(t, *s);
    }
}

static void add_entry(Text *t, const char *usage, const char *about, const char *example)
{
    text_puts(t, ".TP\n\\fB");
    add_roff(t, usage);
    text_puts(t, "\\fR\n");
    add_roff(t, about);
    text_puts(t, ".\n.br\nExample: \\fB");
    add_roff(t, example);
    text_puts(t, "\\fR\n");
}

/* Puts the wanted lines into the page: LATHE_REWRITE=1. */
static void rewrite(const char *from, const char *to, const Text *wanted)
{
    Text t = {0};
    Error err = {0};
    text_add(&t, page, (size_t)(from - page));
    text_add(&t, text_str(wanted), wanted->count);
    text_puts(&t, to);
    if (!file_write(PAGE, text_str(&t), t.count, &err))
        fail_msg("%s", err.text);
    mem_free(page);
    page = text_take(&t);
}

/* The lines between .\" NAME: begin and .\" NAME: end. */
static void check_section(const char *name, const Text *wanted)
{
    char begin[40], end[40];
    snprintf(begin, sizeof begin, ".\\\" %s: begin\n", name);
    snprintf(end, sizeof end, ".\\\" %s: end\n", name);
    const char *from = strstr(page, begin), *to = strstr(page, end);
    if (!from || !to || to < from)
        fail_msg("man/lathe-recipe.7 has no section between %s and %s", begin, end);
    from += strlen(begin);
    size_t n = (size_t)(to - from), same = 0;
    if (n == wanted->count && memcmp(from, text_str(wanted), n) == 0)
        return;
    while (same < n && from[same] == text_str(wanted)[same])
        same++;
    while (same > 0 && from[same - 1] != '\n')
        same--;
    if (getenv("LATHE_REWRITE"))
        rewrite(from, to, wanted);
    else
        fail_msg("man/lathe-recipe.7: the %s differ from the table (LATHE_REWRITE=1 writes them); "
                 "it should have\n%.300s",
                 name, text_str(wanted) + same);
}

static void test_rules(void **state)
{
    (void)state;
    Text t = {0};
    for (size_t i = 0; i < rule_kinds(); i++) {
        const RuleKind *k = rule_kind(i);
        add_entry(&t, k->usage, k->about, k->example);
    }
    check_section("rules", &t);
    text_release(&t);
}

static void test_functions(void **state)
{
    (void)state;
    Text t = {0};
    for (size_t i = 0; i < function_kinds(); i++) {
        const FunctionKind *k = function_kind(i);
        add_entry(&t, k->usage, k->about, function_at(i)->example);
    }
    check_section("functions", &t);
    text_release(&t);
}

/* Every .EX block is a recipe that parses. */
static void test_examples(void **state)
{
    (void)state;
    size_t blocks = 0;
    for (const char *at = page; (at = strstr(at, "\n.EX\n")); blocks++) {
        const char *end = strstr(at, "\n.EE\n");
        Error err = {0};
        Text t = {0};
        assert_non_null(end);
        for (const char *s = at + 5; s <= end; s++)
            if (*s != '\\' || s[1] != '-')
                text_putc(&t, *s);
        Recipe *r = recipe_create();
        if (!recipe_parse(r, text_str(&t), &err))
            fail_msg("%s\n%s", err.text, text_str(&t));
        assert_true(recipe_count(r) > 0);
        recipe_destroy(r);
        text_release(&t);
        at = end;
    }
    assert_true(blocks >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_examples),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
