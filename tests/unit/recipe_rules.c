/* recipe_rules.c -- every rule: what it does to a small table, and what it says to wrong input. */
#include "recipe_table.h"

#include <math.h>

static Table table;

static int make(void **state)
{
    (void)state;
    table_begin(&table, 6);
    table_real(&table, "FARE", (double[]){10, -1, 250, 0, 20, 20}, "111011");
    table_int(&table, "MILES", (int64_t[]){1, 2, 0, 4, 70, 70}, "110111");
    table_text(&table, "PAYMENT", (const char *[]){"1", "2", "", "1", " Cash", " Cash"}, "110111");
    table_text(&table, "CITY", (const char *[]){"Bowie", "BOWIE", "Laurel", "x", "", ""}, "111100");
    table_int(&table, "ID", (int64_t[]){7, 7, 8, 9, 9, 9}, NULL);
    table_time(&table, "PICKUP",
               (const char *[]){"2015-01-01 05:00", "2015-01-02 06:00", "2015-01-03", "2015-01-04",
                                "", ""},
               "111100");
    table_text(&table, "NAME", (const char *[]){"a", "b", "c", "d", "e", "e"}, NULL);
    table_text(&table, "AMOUNT", (const char *[]){"1.5", "2", " 3 ", "four", "", "1e2"}, "111101");
    table_bool(&table, "FLAG", "10-111");
    table_date(&table, "DAY",
               (const char *[]){"2015-01-01", "2015-01-03", "", "2015-01-05", "", ""}, "110100");
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    table_end(&table);
    return 0;
}

static void one_chunk(void *context, size_t i, Arena *a, Chunk *out)
{
    *out = *(const Chunk *)context;
    (void)i;
    (void)a;
}

static Plan *make_plan(const char *text, Error *err)
{
    Recipe *r = recipe_create();
    Plan *p = recipe_parse(r, text, err) ? plan_create(r, &table.schema, err) : NULL;
    recipe_destroy(r);
    return p;
}

/* The columns named, as CSV without header, rows with ';' between them. */
static char *cleaned(const char *recipe, const char *columns)
{
    Error err = {0};
    Arena a = {0};
    Text text = {0};
    Chunk out;
    ChunkSource from = {1, table.chunk.rows, one_chunk, &table.chunk};
    Plan *p = make_plan(recipe, &err);
    if (!p || !plan_fit_source(p, &from, NULL, NULL, NULL, NULL, &err) ||
        !plan_apply(p, NULL, &table.chunk, &a, &out, &err))
        fail_msg("%s: %s", recipe, err.text);
    assert_int_equal(out.columns, plan_schema(p)->count);
    for (size_t k = 0; k < out.columns; k++) {
        assert_string_equal(out.column[k].name, plan_schema(p)->field[k].name);
        assert_int_equal(out.column[k].type, plan_schema(p)->field[k].type);
        assert_int_equal(out.column[k].rows, out.rows);
    }
    char names[200];
    for (size_t i = 0; i < out.rows; i++) {
        text_puts(&text, i > 0 ? ";" : "");
        snprintf(names, sizeof names, "%s", columns);
        char *rest = names, *name;
        for (size_t k = 0; (name = strsep(&rest, ",")); k++) {
            const Column *c = *name ? chunk_find(&out, name) : &out.column[0];
            if (!c)
                fail_msg("%s: no column %s", recipe, name);
            text_puts(&text, k > 0 ? "," : "");
            column_print(c, i, &text);
        }
    }
    char *copy = text_copy(text_str(&text));
    text_release(&text);
    plan_destroy(p);
    arena_release(&a);
    return copy;
}

static const struct {
    const char *recipe, *columns, *wanted;
} known[] = {
    {"", "FARE,MILES", "10,1;-1,2;250,;,4;20,70;20,70"},
    {"drop missing FARE, MILES", "FARE,MILES", "10,1;-1,2;20,70;20,70"},
    {"drop missing", "ID", "7;7"},
    {"keep FARE between 3 and 200", "FARE", "10;20;20"},
    {"keep where FARE > 3", "ID", "7;8;9;9"},
    {"drop FARE > 15", "FARE", "10;-1;"},
    {"derive total = FARE + MILES", "total", "11;1;;;90;90"},
    {"derive FARE = FARE * 2", "FARE", "20;-2;500;;40;40"},
    {"derive FARE = PAYMENT", "FARE", "1;2;;1; Cash; Cash"},
    {"derive hour = hour(PICKUP)\nderive late = hour > 5", "hour,late",
     "5,false;6,true;0,false;0,false;,;,"},
    {"derive `a b` = 1", "a b", "1;1;1;1;1;1"},
    {"clip MILES 2 60", "MILES", "2;2;;4;60;60"},
    {"clip FARE 0 100.5", "FARE", "10;0;100.5;;20;20"},
    {"clip MILES 1.5 60", "MILES", "1.5;2;;4;60;60"},
    {"clip FARE -0.5 99", "FARE", "10;-0.5;99;;20;20"},
    {"clip DAY \"2015-01-02\" \"2015-01-04\"", "DAY", "2015-01-02;2015-01-03;;2015-01-04;;"},
    {"clip PICKUP '2015-01-02' '2015-01-03'", "PICKUP",
     "2015-01-02 00:00:00;2015-01-02 06:00:00;2015-01-03 00:00:00;2015-01-03 00:00:00;;"},
    {"impute FARE mean", "FARE", "10;-1;250;59.8;20;20"},
    {"impute FARE median", "FARE", "10;-1;250;20;20;20"},
    {"impute MILES mean", "MILES", "1;2;29;4;70;70"},
    {"impute MILES median", "MILES", "1;2;4;4;70;70"},
    {"impute MILES mode", "MILES", "1;2;70;4;70;70"},
    {"impute CITY mode", "CITY", "Bowie;BOWIE;Laurel;x;BOWIE;BOWIE"},
    {"impute PAYMENT mode", "PAYMENT", "1;2; Cash;1; Cash; Cash"},
    {"impute PAYMENT \"none\"", "PAYMENT", "1;2;none;1; Cash; Cash"},
    {"impute PAYMENT value '1'", "PAYMENT", "1;2;1;1; Cash; Cash"},
    {"impute FARE 0", "FARE", "10;-1;250;0;20;20"},
    {"impute FARE with -1.5", "FARE", "10;-1;250;-1.5;20;20"},
    {"impute MILES value 3", "MILES", "1;2;3;4;70;70"},
    {"impute FLAG mode", "FLAG", "true;false;true;true;true;true"},
    {"impute FLAG false", "FLAG", "true;false;false;true;true;true"},
    {"impute PICKUP '2016-01-01'", "PICKUP",
     "2015-01-01 05:00:00;2015-01-02 06:00:00;2015-01-03 00:00:00;2015-01-04 00:00:00;"
     "2016-01-01 00:00:00;2016-01-01 00:00:00"},
    {"impute DAY median", "DAY",
     "2015-01-01;2015-01-03;2015-01-03;2015-01-05;2015-01-03;2015-01-03"},
    {"replace PAYMENT \"1\" \"Credit\"", "PAYMENT", "Credit;2;;Credit; Cash; Cash"},
    {"replace PAYMENT 1 \"Credit\", \"2\" to 'Cash', null 'none'", "PAYMENT",
     "Credit;Cash;none;Credit; Cash; Cash"},
    {"replace PAYMENT \"2\" null", "PAYMENT", "1;;;1; Cash; Cash"},
    {"replace MILES 70 null", "MILES", "1;2;;4;;"},
    {"replace MILES \"70\" 7", "MILES", "1;2;;4;7;7"},
    {"replace MILES 70 7.5", "MILES", "1;2;;4;7.5;7.5"},
    {"replace MILES 1 'one', \"2\" 'two'", "MILES", "one;two;;4;70;70"},
    {"replace FARE -1 0, 250 null", "FARE", "10;0;;;20;20"},
    {"replace FLAG true 'Y'", "FLAG", "Y;false;;Y;Y;Y"},
    {"cast AMOUNT float64", "AMOUNT", "1.5;2;3;;;100"},
    {"cast AMOUNT as int64", "AMOUNT", ";2;3;;;100"},
    {"cast MILES text", "MILES", "1;2;;4;70;70"},
    {"cast PAYMENT to int64\nderive p = PAYMENT + 1", "p", "2;3;;2;;"},
    {"cast PICKUP date", "PICKUP", "2015-01-01;2015-01-02;2015-01-03;2015-01-04;;"},
    {"drop outliers FARE iqr 3", "FARE", "10;-1;;20;20"},
    {"drop outliers FARE zscore 1", "FARE", "10;-1;;20;20"},
    {"drop outliers FARE, MILES iqr 1.5", "FARE,MILES", "10,1;-1,2;,4;20,70;20,70"},
    {"dedupe", "ID", "7;7;8;9;9;9"},
    {"drop column AMOUNT\ndedupe", "ID", "7;7;8;9;9"},
    {"dedupe on ID", "ID,FARE", "7,10;8,250;9,"},
    {"dedupe on ID, PAYMENT", "ID,PAYMENT", "7,1;7,2;8,;9,1;9, Cash"},
    {"rename FARE to fare, MILES as miles\nkeep fare > miles", "fare,miles", "10,1"},
    {"rename FARE to MILES, MILES to FARE", "FARE,MILES", "1,10;2,-1;,250;4,;70,20;70,20"},
    {"drop columns FARE, MILES, PAYMENT, CITY, ID, NAME, PICKUP, AMOUNT, DAY", "FLAG",
     "true;false;;true;true;true"},
    {"keep columns ID, FARE", "ID,FARE", "7,10;7,-1;8,250;9,;9,20;9,20"},
    {"trim PAYMENT, CITY", "PAYMENT", "1;2;;1;Cash;Cash"},
    {"lower CITY", "CITY", "bowie;bowie;laurel;x;;"},
    {"upper CITY\nimpute CITY mode", "CITY", "BOWIE;BOWIE;LAUREL;X;BOWIE;BOWIE"},
    {"expect FARE > 1000", "ID", "7;7;8;9;9;9"}, /* applied to a chunk it only counts */
    {"# a note\n\n# off: drop FARE > 0\nkeep ID = 9", "ID", "9;9;9"},
    {"keep false", "ID", ""},
    {"keep ID = 8\nimpute MILES mean", "MILES", ""}, /* nothing to learn from: stays missing */
};

static void test_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char *got = cleaned(known[i].recipe, known[i].columns);
        if (strcmp(got, known[i].wanted) != 0)
            fail_msg("%s\n   gives %s\n  wanted %s", known[i].recipe, got, known[i].wanted);
        mem_free(got);
    }
}

static const struct {
    const char *recipe, *error;
} wrong[] = {
    {"drop missing FARES", "line 1, column 14: no column FARES, did you mean FARE?"},
    {"drop missing pick", "line 1, column 14: no column pick, did you mean PICKUP?"},
    {"clip DAY 3 5", "line 1, column 10: expected a date, found '3'"},
    {"keep ID = 1\n\n# x\n  clip MILEZ 0 60",
     "line 4, column 6: no column MILEZ, did you mean MILES?"},
    {"  clip MILES 0", "line 1, column 15: expected a value (a number, \"text\", true, false or "
                       "null), found the end of the line"},
    {"frobnicate X", "line 1, column 1: no rule 'frobnicate'"},
    {"dedup on ID", "line 1, column 1: no rule 'dedup', did you mean 'dedupe'?"},
    {"clipp FARE 1 2", "line 1, column 1: no rule 'clipp', did you mean 'clip'?"},
    {"= 3", "line 1, column 1: expected a rule, found '='"},
    {"keep ID", "line 1, column 6: keep wants a condition (true or false), ID is a number"},
    {"drop fare_ok = false", "line 1, column 6: no column fare_ok"},
    {"keep ID = 1 ID", "line 1, column 13: expected nothing more, found 'ID'"},
    {"derive x 3", "line 1, column 10: expected '=', found '3'"},
    {"derive 3 = 3", "line 1, column 8: expected a column, found '3'"},
    {"clip CITY 0 1",
     "line 1, column 6: CITY is text, clip wants a number or a time: cast it first"},
    {"clip FARE 5 1", "line 1, column 11: the low bound is above the high one"},
    {"clip FARE 'a' 1", "line 1, column 11: expected a number, found \"a\""},
    {"impute FARE average", "line 1, column 13: expected mean, median, mode or a value, found "
                            "'average'"},
    {"impute FARE null", "line 1, column 13: expected mean, median, mode or a value, found 'null'"},
    {"impute CITY mean", "line 1, column 8: CITY is text and has no mean: use mode, a value, or "
                         "cast it first"},
    {"impute FARE 'x'", "line 1, column 13: FARE is float64, 'x' is not"},
    {"impute MILES 1.5", "line 1, column 14: MILES holds whole numbers: cast it to float64 first, "
                         "or use a whole number"},
    {"impute PICKUP 3", "line 1, column 15: PICKUP is timestamp, '3' is not"},
    {"replace PAYMENT \"1\"", "line 1, column 20: expected a value (a number, \"text\", true, "
                              "false or null), found the end of the line"},
    {"replace MILES 'x' 3", "line 1, column 15: expected a number, found \"x\""},
    {"cast FARE money", "line 1, column 11: expected a type (bool, int64, float64, timestamp, date "
                        "or text), found 'money'"},
    {"cast FLAG date", "line 1, column 6: FLAG is true or false and cannot become a date"},
    {"drop outliers FARE",
     "line 1, column 19: expected 'iqr' or 'zscore', found the end of the line"},
    {"drop outliers FARE iqr 0", "line 1, column 24: expected a number above 0, found 0"},
    {"drop outliers CITY iqr 3", "line 1, column 15: CITY is text, outliers are among numbers and "
                                 "times: cast it first"},
    {"dedupe ID", "line 1, column 8: expected 'on', found 'ID'"},
    {"dedupe on ID, ID", "line 1, column 15: ID is named twice"},
    {"rename FARE MILES", "line 1, column 13: expected 'to', found 'MILES'"},
    {"rename FARE to MILES", "line 1, column 16: there is a column MILES already"},
    {"drop column FARE\nclip FARE 0 1", "line 2, column 6: no column FARE"},
    {"keep column ID\ndrop column ID", "line 2, column 13: no column would be left"},
    {"trim FARE", "line 1, column 6: FARE is float64, expected text"},
    {"expect FARE > 0 mostly 2", "line 1, column 24: expected a share from 0 to 1, found 2"},
    {"expect FARE > 0 mostly", "line 1, column 23: expected a number, found the end of the line"},
    {"expect FARE", "line 1, column 8: expect wants a condition (true or false), FARE is a number"},
    {"keep CITY = \"x", "line 1, column 13: the text that opens here is never closed: expected \""},
};

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Error err = {0};
        if (make_plan(wrong[i].recipe, &err))
            fail_msg("%s: no error", wrong[i].recipe);
        if (strcmp(err.text, wrong[i].error) != 0)
            fail_msg("%s\n   gives %s\n  wanted %s", wrong[i].recipe, err.text, wrong[i].error);
        assert_int_equal(err.kind, ERROR_PARSE);
    }
}

/* Every rule of the table has its words, and an example that parses, binds and applies. */
static void test_registry(void **state)
{
    (void)state;
    assert_true(rule_kinds() >= 15);
    for (size_t i = 0; i < rule_kinds(); i++) {
        const Rule *rule = rule_at(i);
        assert_true(rule->parse && rule->bind && rule->apply && rule->size > 0);
        assert_true(text_starts(rule->kind.usage, rule->kind.name));
        assert_true(text_starts(rule->kind.example, rule->kind.name));
        assert_true(strlen(rule->kind.about) > 10);
        assert_false(text_ends(rule->kind.about, "."));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(rule->kind.name, rule_at(j)->kind.name);
        mem_free(cleaned(rule->kind.example, ""));
    }
}

static void test_roles(void **state)
{
    (void)state;
    Error err = {0};
    table.schema.field[0].role = ROLE_TARGET;
    Plan *p = make_plan("rename FARE to fare\nderive x = fare * 2\ncast fare text", &err);
    assert_non_null(p);
    const Schema *s = plan_schema(p);
    assert_int_equal(s->field[schema_find(s, "fare")].role, ROLE_TARGET);
    assert_int_equal(s->field[schema_find(s, "fare")].type, COLUMN_TEXT);
    assert_int_equal(s->field[schema_find(s, "x")].role, ROLE_FEATURE);
    plan_destroy(p);
    table.schema.field[0].role = ROLE_FEATURE;
}

typedef struct Words1 {
    char text[4000];
} Words1;

static void note(void *context, const char *word)
{
    Words1 *w = context;
    size_t n = strlen(w->text);
    snprintf(w->text + n, sizeof w->text - n, "%s ", word);
}

static const struct {
    const char *typed, *has, *hasnt;
} completions[] = {
    {"", "drop missing", "FARE"},
    {"dro", "drop outliers", "keep"},
    {"drop ", "missing", "drop"},
    {"drop mi", "missing", "outliers"},
    {"drop MI", "MILES", "FARE"},
    {"drop missing ", "FARE", "hour("},
    {"drop missing FARE, MI", "MILES", "FARE "},
    {"impute FARE m", "median", "MILES"},
    {"impute ", "PAYMENT", "median"},
    {"derive x = ho", "hour(", "haversine("},
    {"keep ID > 3 an", "and", "MILES"},
    {"keep ID > 3 and FA", "FARE", "MILES"},
    {"cast FARE ", "float64", "MILES"},
    {"drop outliers FARE, MILES ", "iqr", "PAYMENT"},
    {"expect FARE > 0 mo", "mostly", "MILES"},
    {"keep wh", "where", "and"},
};

static void test_completion(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof completions / sizeof *completions; i++) {
        Words1 w = {0};
        recipe_complete(completions[i].typed, &table.schema, note, &w);
        if (!strstr(w.text, completions[i].has) || strstr(w.text, completions[i].hasnt))
            fail_msg("'%s' offers %s", completions[i].typed, w.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),      cmocka_unit_test(test_errors),
        cmocka_unit_test(test_registry),   cmocka_unit_test(test_roles),
        cmocka_unit_test(test_completion),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
