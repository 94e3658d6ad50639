/* model_manual.c -- man/lathe-models.7 lists the families there are, with every setting of theirs, in the words
 * of their rows; what its commands set exists, and its table of quality names every family. */
#include <lathe/train.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE  LATHE_SOURCE_DIR "/man/lathe-models.7"
#define BEGIN ".\\\" families: begin\n"
#define END   ".\\\" families: end\n"

static int make(void **state)
{
    Text *page = mem_alloc(sizeof *page);
    Error err = {0};
    *state = page;
    if (file_read(PAGE, page, 1 << 20, &err))
        return 0;
    print_error("%s\n", err.text);
    return 1;
}

static int unmake(void **state)
{
    text_release(*state);
    mem_free(*state);
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

static void add_line(Text *t, const char *before, const char *s, const char *behind)
{
    text_puts(t, before);
    add_roff(t, s);
    text_puts(t, behind);
}

static void add_setting(Text *t, const Param *row)
{
    Text normal = {0}, range = {0};
    param_default(row, &normal);
    param_range(row, &range);
    add_line(t, ".TP\n.B ", row->name, "=\n");
    add_line(t, "", row->help, ".\n");
    add_line(t, "", text_str(&range), "");
    add_line(t, normal.count ? "; default " : "; no default", text_str(&normal), ".\n");
    text_release(&normal);
    text_release(&range);
}

static void add_family(Text *t, const ModelFamily *f)
{
    add_line(t, ".SS ", f->name, "\n");
    add_line(t, "", f->title, ".\n");
    add_line(t, "", f->about, "\n");
    add_line(t, ".br\nSource: ", f->source, ".\n");
    add_line(t, ".br\nDefaults beside those of every run: ", f->normals, ".\n");
    for (const Param *row = f->params; row->kind != PARAM_KIND_END; row++)
        add_setting(t, row);
}

static void the_families(void **state)
{
    Text *page = *state, wanted = {0};
    Error err = {0};
    for (size_t i = 0; model_families[i]; i++)
        add_family(&wanted, model_families[i]);
    const char *from = strstr(text_str(page), BEGIN), *to = strstr(text_str(page), END);
    assert_true(from && to && from < to);
    from += strlen(BEGIN);
    if (getenv("LATHE_REWRITE")) {
        Text t = {0};
        text_add(&t, page->at, (size_t)(from - page->at));
        text_add(&t, text_str(&wanted), wanted.count);
        text_puts(&t, to);
        assert_true(file_write(PAGE, text_str(&t), t.count, &err));
        text_release(&t);
    } else if ((size_t)(to - from) != wanted.count || memcmp(from, wanted.at, wanted.count) != 0)
        fail_msg("man/lathe-models.7: the families differ from the tables (LATHE_REWRITE=1 writes them)");
    text_release(&wanted);
}

/* Each KEY=VALUE of a command `lathe train FAMILY ...` in the page is one of that run's. */
static void check_command(const char *line)
{
    static const char *const own[] = {"data", "target", "recipe", "features", "split", "seed", "name"};
    char copy[1024], *save = NULL;
    Error err = {0};
    snprintf(copy, sizeof copy, "%.*s", (int)strcspn(line, "\n"), line);
    char *word = strtok_r(copy, " ", &save);
    for (int i = 0; word && i < 2; i++)
        word = strtok_r(NULL, " ", &save);
    const ModelFamily *f = word ? model_family(word) : NULL;
    if (!f && word && strcmp(word, "FAMILY") == 0)
        return;
    if (!f)
        fail_msg("no such family: %s", line);
    RunSpec spec;
    run_spec_init(&spec, f);
    while ((word = strtok_r(NULL, " ", &save)) != NULL) {
        char *value = strchr(word, '=');
        bool known = false;
        if (!value)
            continue;
        *value++ = 0;
        for (size_t i = 0; i < sizeof own / sizeof *own; i++)
            known |= strcmp(word, own[i]) == 0;
        if (!known && !run_spec_set(&spec, word, value, &err))
            fail_msg("%s", err.text);
    }
    run_spec_release(&spec);
}

static void the_commands(void **state)
{
    const Text *page = *state;
    size_t found = 0;
    for (const char *at = text_str(page); (at = strstr(at, "\nlathe train ")) != NULL; found++)
        check_command(++at);
    assert_true(found >= 5);
}

/* A row of the table of quality: .B NAME */
static void the_table(void **state)
{
    const char *table = strstr(text_str(*state), ".SH QUALITY");
    assert_non_null(table);
    for (size_t i = 0; model_families[i]; i++) {
        char row[64];
        snprintf(row, sizeof row, "\n%s\t", model_families[i]->name);
        if (!strstr(table, row) && strcmp(model_families[i]->name, "linear") != 0)
            fail_msg("the table of quality has no row for %s", model_families[i]->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_families, make, unmake),
        cmocka_unit_test_setup_teardown(the_commands, make, unmake),
        cmocka_unit_test_setup_teardown(the_table, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
