/* Words -> command, arguments and settings; every row of the registry has its texts. */
#include <lathe/command.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/lathe-command-XXXXXX");
    return mkdtemp(folder) ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    return dir_remove(folder, NULL) ? 0 : 1;
}

/* Runs a line that must fail; the error's text must hold `part`. */
static void fails(const char *line, ErrorKind kind, const char *part)
{
    Error err = {0};
    json_t *result = NULL;
    CommandCall call = {.workspace = folder, .program = "/nonexistent"};
    bool ok = command_line(&call, line, NULL, &result, &err);
    if (ok || err.kind != kind || !strstr(err.text, part))
        fail_msg("'%s': ok %d, kind %d, '%s'; expected kind %d with '%s'", line, ok, (int)err.kind,
                 err.text, (int)kind, part);
    assert_null(result);
    assert_null(strchr(err.text, '\n'));
}

static void wrong_usage_names_what_and_how(void **state)
{
    (void)state;
    fails("", ERROR_USAGE, "no verb given");
    fails("ingset x.csv", ERROR_USAGE, "did you mean ingest");
    fails("ingest", ERROR_USAGE, "SRC is missing");
    fails("ingest a.csv b.csv", ERROR_USAGE, "one word too many");
    fails("ingest a.csv delimter=;", ERROR_USAGE, "did you mean delimiter");
    fails("ingest a.csv header=perhaps", ERROR_USAGE, "header");
    fails("ingest a.csv --frob", ERROR_USAGE, "key=value");
    fails("runs resum 3", ERROR_USAGE, "did you mean resume");
    fails("clean trips", ERROR_USAGE, "recipe= is missing");
    fails("train nosuch data=trips target=FARE", ERROR_USAGE, "no model family");
    fails("train mlp target=FARE", ERROR_USAGE, "data= is missing");
    fails("plot last out=x.gif", ERROR_USAGE, ".png");
    fails("sql 'select 1", ERROR_USAGE, "quote");
}

static void missing_things_are_named(void **state)
{
    (void)state;
    Error err = {0};
    store_close(store_open(folder, STORE_WRITE, &err)); /* an empty workspace */
    fails("data nothing_here", err.kind ? err.kind : ERROR_USAGE, "nothing_here");
    fails("ingest /nonexistent/file.csv", ERROR_IO, "/nonexistent/file.csv");
    fails("train mlp data=nothing_here target=FARE", ERROR_USAGE, "nothing_here");
    fails("train mlp data=nothing_here target=FARE lr=fast", ERROR_USAGE, "fast");
    fails("runs show 99", ERROR_USAGE, "99");
    fails("drift one two", ERROR_USAGE, "one");
}

static json_t *does(const char *line)
{
    Error err = {0};
    json_t *result = NULL;
    CommandCall call = {.workspace = folder, .program = "/nonexistent"};
    if (!command_line(&call, line, NULL, &result, &err))
        fail_msg("'%s': %s", line, err.text);
    return result;
}

static void sql_reads_and_only_reads(void **state)
{
    (void)state;
    store_close(store_open(folder, STORE_WRITE, NULL));
    json_t *r = does("sql \"select 1 as one, 'a=b' as text\"");
    json_t *row = json_array_get(json_object_get(r, "rows"), 0);
    assert_int_equal(json_integer_value(json_object_get(row, "one")), 1);
    assert_string_equal(json_string_value(json_object_get(row, "text")), "a=b");
    json_decref(r);
    fails("sql \"delete from runs\"", ERROR_USAGE, "only reading");
    fails("sql \"select 1; select 2\"", ERROR_USAGE, "one statement");
    fails("sql \"selct 1\"", ERROR_PARSE, "syntax error");
    r = does("sql limit=3 \"with recursive n(i) as (select 1 union all select i+1 from n where i<9) select i from n\"");
    assert_int_equal(json_array_size(json_object_get(r, "rows")), 3);
    assert_true(json_is_true(json_object_get(r, "truncated")));
    json_decref(r);
}

/* ---- the registry -------------------------------------------------------------------------------- */

static void check_row(const Command *parent, const Command *c)
{
    Text text = {0};
    assert_true(c->about && *c->about);
    assert_true(c->run || c->verbs);
    command_usage(parent, c, &text);
    assert_true(text_starts(text_str(&text), "lathe "));
    text_reset(&text);
    command_help(parent, c, &text);
    assert_non_null(strstr(text_str(&text), c->about));
    for (const Param *row = c->params; row && row->kind; row++) {
        assert_non_null(strstr(text_str(&text), row->name));
        assert_true(row->help && *row->help);
    }
    for (const Param *row = c->shared; row && row->kind; row++)
        assert_non_null(strstr(text_str(&text), row->name));
    if (c->example)
        assert_true(text_starts(c->example, "lathe "));
    text_release(&text);
    for (const Command *const *v = c->verbs; v && *v; v++)
        check_row(c, *v);
}

static void every_row_has_its_texts(void **state)
{
    (void)state;
    Text manual = {0};
    command_manual(&manual);
    for (const Command *const *c = commands; *c; c++) {
        check_row(NULL, *c);
        if (!(*c)->hidden)
            assert_non_null(strstr(text_str(&manual), (*c)->name));
    }
    text_release(&manual);
}

static void the_page_in_man_is_this_one(void **state)
{
    (void)state;
    Error err = {0};
    Text manual = {0}, page = {0};
    command_manual(&manual);
    if (!file_read(LATHE_SOURCE_DIR "/man/lathe.1", &page, 1 << 22, &err))
        fail_msg("%s", err.text);
    if (strcmp(text_str(&manual), text_str(&page)) != 0)
        fail_msg("man/lathe.1 is not what the tables say: build/lathe manual > man/lathe.1");
    text_release(&manual);
    text_release(&page);
}

/* ---- completion ---------------------------------------------------------------------------------- */

typedef struct Offers { char all[65536]; } Offers;

static void take(void *context, const char *word, const char *about)
{
    (void)about;
    Offers *o = context;
    size_t used = strlen(o->all);
    snprintf(o->all + used, sizeof o->all - used, "<%s>", word);
}

static void offered(const char *line, const char *part)
{
    Offers o = {{0}};
    command_complete(line, NULL, take, &o);
    if (!strstr(o.all, part))
        fail_msg("'%s' offers %s, not %s", line, o.all, part);
}

static void completion_knows_the_rows(void **state)
{
    (void)state;
    offered("", "<train>");
    offered("in", "<ingest>");
    offered("runs ", "<pause>");
    offered("runs p", "<pause>");
    offered("train ", "<mlp>");
    offered("train mlp l", "<lr=>");
    offered("train mlp hid", "<hidden=>");
    offered("train mlp schedule=c", "<schedule=cosine>");
    offered("ingest x.csv head", "<header=>");
    offered("ingest x.csv header=", "<header=yes>");
    offered("runs fork 3 l", "<lr=>");
    offered("clean x dry=", "<dry=yes>");
}

/* ---- printing ------------------------------------------------------------------------------------ */

static void tables_fit_the_width(void **state)
{
    (void)state;
    json_t *rows = json_pack("[{s:s,s:i,s:f}, {s:s,s:i,s:n}]", "name",
                             "a rather long name that will not fit beside the others", "n", 12,
                             "value", 0.25, "name", "\u00fcber", "n", 7, "value");
    Text text = {0};
    command_print(NULL, rows, 40, &text);
    const char *line = text_str(&text);
    int lines = 0;
    while (*line) {
        const char *end = strchr(line, '\n');
        assert_true(utf8_width(line, (size_t)(end - line)) <= 40);
        line = end + 1;
        lines++;
    }
    assert_int_equal(lines, 3);
    assert_non_null(strstr(text_str(&text), "\u2026"));
    assert_non_null(strstr(text_str(&text), "0.25"));
    text_release(&text);
    json_decref(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wrong_usage_names_what_and_how, set_up, tear_down),
        cmocka_unit_test_setup_teardown(missing_things_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sql_reads_and_only_reads, set_up, tear_down),
        cmocka_unit_test(every_row_has_its_texts),
        cmocka_unit_test(the_page_in_man_is_this_one),
        cmocka_unit_test(completion_knows_the_rows),
        cmocka_unit_test(tables_fit_the_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
