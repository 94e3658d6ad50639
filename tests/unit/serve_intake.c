/* serve_intake.c -- bodies of requests to rows: every form, every type, every way to be wrong. */
#include "serve/serve_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

typedef struct World {
    Schema schema;
    Intake in;
    Arena a;
    Error err;
} World;

static int setup(void **state)
{
    World *w = calloc(1, sizeof *w);
    schema_add(&w->schema, "FLAG", COLUMN_BOOL, ROLE_FEATURE);
    schema_add(&w->schema, "SEATS", COLUMN_INT, ROLE_FEATURE);
    schema_add(&w->schema, "MILES", COLUMN_REAL, ROLE_FEATURE);
    schema_add(&w->schema, "WHEN", COLUMN_TIME, ROLE_FEATURE);
    schema_add(&w->schema, "DAY", COLUMN_DATE, ROLE_FEATURE);
    schema_add(&w->schema, "CITY", COLUMN_TEXT, ROLE_FEATURE);
    schema_add(&w->schema, "FARE", COLUMN_REAL, ROLE_TARGET);
    intake_init(&w->in, &w->schema);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    World *w = *state;
    intake_release(&w->in);
    schema_release(&w->schema);
    arena_release(&w->a);
    free(w);
    return 0;
}

static Chunk taken(World *w, const char *body)
{
    Chunk c;
    w->err = (Error){0};
    if (!mlflow_rows(&w->in, body, strlen(body), &w->a, &c, &w->err))
        fail_msg("%s: %s", body, w->err.text);
    return c;
}

/* Two rows as they came, the second all missing. */
static void check_two(const Chunk *c)
{
    static const char *const printed[] = {"true",       "3",   "1.5", "2019-01-31 09:19:29",
                                          "2019-01-31", "Cash"};
    static const char *const names[] = {"FLAG", "SEATS", "MILES", "WHEN", "DAY", "CITY"};
    assert_int_equal(c->rows, 2);
    assert_int_equal(c->columns, 6); /* not the target */
    for (size_t i = 0; i < 6; i++) {
        Text cell = {0};
        const Column *column = chunk_find(c, names[i]);
        assert_non_null(column);
        column_print(column, 0, &cell);
        assert_string_equal(text_str(&cell), printed[i]);
        assert_false(column_has(column, 1));
        text_release(&cell);
    }
}

#define ROW   "true, 3, 1.5, \"2019-01-31T11:19:29+02:00\", \"2019-01-31\", \"Cash\""
#define NONE  "null, null, null, null, null, null"
#define NAMES "\"FLAG\", \"SEATS\", \"MILES\", \"WHEN\", \"DAY\", \"CITY\""
#define RECORD                                                                                     \
    "{\"FLAG\": true, \"SEATS\": 3.0, \"MILES\": 1.5, \"WHEN\": \"2019-01-31 09:19:29Z\", "        \
    "\"DAY\": \"2019-01-31\", \"CITY\": \"Cash\"}"
#define EMPTY                                                                                      \
    "{\"CITY\": null, \"FLAG\": null, \"SEATS\": null, \"MILES\": null, \"WHEN\": null, \"DAY\": " \
    "null}"

static void every_form(void **state)
{
    World *w = *state;
    Chunk c;
    c = taken(w, "{\"dataframe_split\": {\"columns\": [" NAMES
                 "], \"index\": [0, 1], \"data\": [[" ROW "], [" NONE "]]}}");
    check_two(&c);
    c = taken(w, "{\"dataframe_records\": [" RECORD ", " EMPTY "]}");
    check_two(&c);
    c = taken(w, "{\"instances\": [" RECORD ", " EMPTY "]}");
    check_two(&c);
    c = taken(w, "{\"instances\": [[" ROW "], [" NONE "]]}");
    check_two(&c);
    c = taken(w, "{\"inputs\": [[" ROW "], [" NONE "]]}");
    check_two(&c);
    c = taken(w,
              "{\"inputs\": {\"FLAG\": [true, null], \"SEATS\": [3, null], \"MILES\": [1.5, null], "
              "\"WHEN\": [\"2019-01-31T09:19:29\", null], \"DAY\": [\"2019-01-31\", null], "
              "\"CITY\": [\"Cash\", null]}}");
    check_two(&c);
    c = taken(w, "{\"dataframe_records\": []}");
    assert_int_equal(c.rows, 0);
}

static void v2_tensors(void **state)
{
    World *w = *state;
    Chunk c;
    json_t *id = NULL;
    const char *body =
        "{\"id\": \"x7\", \"inputs\": ["
        "{\"name\": \"FLAG\", \"shape\": [2], \"datatype\": \"BOOL\", \"data\": [true, null]},"
        "{\"name\": \"SEATS\", \"shape\": [2], \"datatype\": \"INT32\", \"data\": [3, null]},"
        "{\"name\": \"MILES\", \"shape\": [2, 1], \"datatype\": \"FP32\", \"data\": [[1.5], "
        "[null]]},"
        "{\"name\": \"WHEN\", \"shape\": [2], \"datatype\": \"BYTES\", \"data\": [\"2019-01-31 "
        "09:19:29\", null]},"
        "{\"name\": \"DAY\", \"shape\": [2], \"datatype\": \"BYTES\", \"data\": [\"2019-01-31\", "
        "null]},"
        "{\"name\": \"CITY\", \"shape\": [2], \"datatype\": \"BYTES\", \"data\": [\"Cash\", "
        "null]}]}";
    if (!infer_rows(&w->in, body, strlen(body), &w->a, &c, &id, &w->err))
        fail_msg("%s", w->err.text);
    check_two(&c);
    assert_string_equal(json_string_value(id), "x7");
    json_decref(id);
}

/* What is left out but not needed comes as missing; what is needed must be there. */
static void needed_and_not(void **state)
{
    World *w = *state;
    for (size_t i = 0; i < w->schema.count; i++)
        w->in.needed[i] = i == 2;
    Chunk c = taken(
        w,
        "{\"dataframe_records\": [{\"MILES\": 2}, {\"MILES\": 3, \"CITY\": \"x\", \"FARE\": 9}]}");
    assert_int_equal(c.columns, 7);
    assert_true(column_real(chunk_find(&c, "MILES"), 1) == 3);
    assert_false(column_has(chunk_find(&c, "CITY"), 0));
    assert_true(column_has(chunk_find(&c, "CITY"), 1));
    assert_true(column_real(chunk_find(&c, "FARE"), 1) == 9);
    assert_false(column_has(chunk_find(&c, "WHEN"), 0));
    assert_int_equal(chunk_find(&c, "WHEN")->type, COLUMN_TIME);
}

typedef struct Wrong {
    const char *body, *said;
} Wrong;

static void refused(World *w, const Wrong *wrong, size_t n, bool v2)
{
    for (size_t i = 0; i < n; i++) {
        Chunk c;
        json_t *id;
        const char *body = wrong[i].body;
        w->err = (Error){0};
        bool ok = v2 ? infer_rows(&w->in, body, strlen(body), &w->a, &c, &id, &w->err)
                     : mlflow_rows(&w->in, body, strlen(body), &w->a, &c, &w->err);
        if (ok || !strstr(w->err.text, wrong[i].said) || strchr(w->err.text, '\n'))
            fail_msg("%s: expected '%s', %s '%s'", body, wrong[i].said, ok ? "taken" : "found",
                     w->err.text);
    }
}

#define ONE(value)           "{\"dataframe_records\": [{\"MILES\": " value "}]}"
#define SPLIT(columns, data) "{\"dataframe_split\": {\"columns\": " columns ", \"data\": " data "}}"

static void wrong_bodies(void **state)
{
    World *w = *state;
    static const Wrong wrong[] = {
        {"", "not JSON"},
        {"{", "not JSON: line 1"},
        {ONE("NaN"), "row 1, MILES): invalid token near 'NaN'; a missing value is null"},
        {"{\"dataframe_split\": {\"columns\": [\"MILES\"], \"data\": [[1], [NaN]]}}",
         "(data: row 2, value 1): invalid token near 'NaN'"},
        {"{\"inputs\": {\"MILES\": [1, 2, -Infinity]}}", "(MILES: value 3)"},
        {"{\"inputs\": {\"a\nb\": [1, 2, x]}}", "not JSON"},
        {"{\"inputs\": {\"a\xff\": [1, 2, x]}}", "not JSON"},
        {ONE("1e999"), "not JSON"},
        {"{\"inputs\": [], \"inputs\": []}", "not JSON"},
        {"[1]", "the body: expected an object, found a list"},
        {"{}", "exactly one of"},
        {"{\"params\": {}}", "exactly one of"},
        {"{\"params\": [1], \"instances\": []}", "params: expected an object"},
        {"{\"inputs\": [], \"instances\": []}", "found 2 keys"},
        {"{\"rows\": []}", "rows: expected dataframe_split"},
        {"{\"dataframe_split\": []}", "dataframe_split: expected an object"},
        {"{\"dataframe_split\": {\"data\": []}}", "dataframe_split.columns: expected a list"},
        {"{\"dataframe_split\": {\"columns\": []}}", "dataframe_split.data: expected a list"},
        {SPLIT("[\"MILES\", \"MILES\"]", "[]"), "column MILES is there twice"},
        {SPLIT("[\"MILS\"]", "[]"), "no column MILS, did you mean MILES?"},
        {SPLIT("[3]", "[]"), "names as text"},
        {SPLIT("[\"CITY\"]", "[[\"x\"]]"), "column MILES is missing"},
        {SPLIT("[\"MILES\"]", "[[1], [1, 2]]"), "row 2 has 2 values for 1 columns"},
        {SPLIT("[\"MILES\"]", "[1]"), "row 1 is not a list"},
        {"{\"dataframe_records\": {}}", "dataframe_records: expected a list"},
        {"{\"dataframe_records\": [1]}", "row 1 is not an object"},
        {"{\"dataframe_records\": [{\"MILES\": 1}, {}]}", "row 2: column MILES is missing"},
        {"{\"dataframe_records\": [{}]}", "column MILES is missing"},
        {"{\"dataframe_records\": [{\"MILES\": 1, \"TOWN\": 2}]}", "row 1: no column TOWN"},
        {"{\"instances\": [[1, 2]]}", "row 1 has 2 values for 1 columns"},
        {"{\"inputs\": 3}", "inputs: expected a list"},
        {"{\"inputs\": {\"MILES\": 3}}", "a list for each column"},
        {"{\"inputs\": {\"MILES\": [3], \"CITY\": []}}", "column CITY has 0 values, others 1"},
        {ONE("\"1\""), "row 1, column MILES: expected a number, found \"1\""},
        {ONE("\"NaN\""), "row 1, column MILES: expected a number"},
        {ONE("true"), "row 1, column MILES: expected a number, found true"},
        {ONE("1, \"FLAG\": 1"), "row 1, column FLAG: expected true or false, found 1"},
        {ONE("1, \"SEATS\": 1.5"), "row 1, column SEATS: expected a whole number, found 1.5"},
        {ONE("1, \"SEATS\": 1e300"), "row 1, column SEATS: expected a whole number"},
        {ONE("1, \"WHEN\": 5"), "row 1, column WHEN: expected a time"},
        {ONE("1, \"WHEN\": \"soon\""), "row 1, column WHEN: expected a time"},
        {ONE("1, \"DAY\": \"2019-02-30\""), "row 1, column DAY: expected a date"},
        {ONE("1, \"DAY\": \"2019-01-31 11:00\""), "row 1, column DAY: expected a date"},
        {ONE("1, \"CITY\": 20001"), "row 1, column CITY: expected text, found 20001"},
        {ONE("1, \"CITY\": \"\\u0000\""), "not JSON"},
        {ONE("1, \"CITY\": \"\xff\""), "not JSON"},
    };
    for (size_t i = 0; i < w->schema.count; i++)
        w->in.needed[i] = i == 2;
    w->in.input[0] = 2;
    w->in.inputs = 1;
    refused(w, wrong, sizeof wrong / sizeof *wrong, false);
}

#define TENSOR(more) "{\"inputs\": [{\"name\": \"MILES\", " more "}]}"

static void wrong_tensors(void **state)
{
    World *w = *state;
    static const Wrong wrong[] = {
        {"{}", "inputs: expected a list of tensors"},
        {"{\"inputs\": []}", "column MILES is missing"},
        {"{\"inputs\": [{}]}", "inputs: each needs a name"},
        {"{\"inputs\": [{\"name\": \"MILS\"}]}", "no column MILS"},
        {"{\"id\": 7, \"inputs\": []}", "id: expected text"},
        {TENSOR("\"shape\": 1"), "input MILES: shape"},
        {TENSOR("\"shape\": [-1]"), "input MILES: shape"},
        {TENSOR("\"shape\": [1, 2]"), "input MILES: shape"},
        {TENSOR("\"shape\": [1]"), "datatype: expected FP64, found none"},
        {TENSOR("\"shape\": [1], \"datatype\": \"BYTES\""), "datatype: expected FP64, found BYTES"},
        {TENSOR("\"shape\": [1], \"datatype\": \"FP64\""), "data: expected a list of 1 values"},
        {TENSOR("\"shape\": [9000000000000], \"datatype\": \"FP64\", \"data\": [1]"),
         "data: expected"},
        {TENSOR("\"shape\": [1], \"datatype\": \"FP64\", \"data\": [\"x\"]"),
         "row 1, column MILES"},
        {TENSOR("\"shape\": [1], \"datatype\": \"FP64\", \"data\": [1]}, {\"name\": \"CITY\", "
                "\"shape\": [2], \"datatype\": \"BYTES\", \"data\": []"),
         "has 2 rows, others 1"},
        {TENSOR("\"shape\": [1], \"datatype\": \"FP64\", \"data\": [1]}, {\"name\": \"MILES\""),
         "twice"},
    };
    for (size_t i = 0; i < w->schema.count; i++)
        w->in.needed[i] = i == 2;
    refused(w, wrong, sizeof wrong / sizeof *wrong, true);
}

/* ---- usual bodies in one pass ------------------------------------------------------------------------------- */

static void same_chunk(const Chunk *x, const Chunk *y)
{
    assert_int_equal(x->rows, y->rows);
    assert_int_equal(x->columns, y->columns);
    for (size_t i = 0; i < x->columns; i++) {
        const Column *a = &x->column[i], *b = &y->column[i];
        assert_string_equal(a->name, b->name);
        for (size_t row = 0; row < x->rows; row++) {
            size_t n = 0, m = 0;
            assert_int_equal(column_has(a, row), column_has(b, row));
            if (!column_has(a, row))
                continue;
            if (a->type == COLUMN_TEXT) {
                const char *s = column_text(a, row, &n), *t = column_text(b, row, &m);
                assert_int_equal(n, m);
                assert_memory_equal(s, t, n);
            } else {
                double v = column_real(a, row), u = column_real(b, row);
                assert_memory_equal(&v, &u, sizeof v);
            }
        }
    }
}

/* usual: whether the reader of usual bodies should take it; either way both agree. */
static void both_ways(World *w, const char *body, bool usual)
{
    Chunk fast, tree;
    Error err = {0};
    bool took = mlflow_fast(&w->in, body, strlen(body), &w->a, &fast);
    if (took != usual)
        fail_msg("%s: %s", took ? "taken" : "not taken", body);
    bool could = mlflow_tree(&w->in, body, strlen(body), &w->a, &tree, &err);
    if (took && !could)
        fail_msg("%s: only one of the readers takes it: %s", body, err.text);
    if (took)
        same_chunk(&fast, &tree);
}

#define WHOLE(columns, data) "{\"dataframe_split\":{\"columns\":[" columns "],\"data\":[" data "]}}"
#define FIVE                 "\"FLAG\",\"SEATS\",\"MILES\",\"WHEN\",\"DAY\""
#define MOST                 FIVE ",\"CITY\""
#define LINE(miles)          "[true,3," miles ",\"2019-01-31T11:19:29+02:00\",\"2019-01-31\",\"Cash\"]"

static void usual_bodies(void **state)
{
    World *w = *state;
    static const char *const numbers[] = {"1.5",
                                          "-0.0",
                                          "0",
                                          "1e3",
                                          "1E-3",
                                          "-12.25e+2",
                                          "12345678901234567",
                                          "9007199254740993",
                                          "0.1",
                                          "1e-320",
                                          "2.2250738585072011e-308",
                                          "123456789.123456789",
                                          "null",
                                          "4.9e-324",
                                          "1e-400"};
    static const char *const odd[] = {"-0",
                                      "01",
                                      "1.",
                                      ".5",
                                      "+1",
                                      "1e",
                                      "1e999",
                                      "NaN",
                                      "Infinity",
                                      "\"1\"",
                                      "true",
                                      "[1]",
                                      "99999999999999999999",
                                      "0x1",
                                      "1 2",
                                      "",
                                      "-"};
    char body[400];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        snprintf(body, sizeof body, WHOLE(MOST, LINE("%s") ", " LINE("2")), numbers[i]);
        both_ways(w, body, true);
        snprintf(body, sizeof body, " { \"instances\" : [ " LINE("%s") " ] } \n", numbers[i]);
        both_ways(w, body, true);
    }
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        snprintf(body, sizeof body, WHOLE(MOST, LINE("%s")), odd[i]);
        both_ways(w, body, false);
    }
}

static void usual_records(void **state)
{
    World *w = *state;
    char body[400];
    static const char record[] =
        "\"FLAG\":false,\"SEATS\":-3,\"MILES\":2,\"WHEN\":\"2019-01-31 11:19:29\","
        "\"DAY\":null,\"CITY\":\"Ca[s{h\"";
    snprintf(body, sizeof body, "{\"dataframe_records\":[{%s},{%s}]}", record, record);
    both_ways(w, body, true);
    snprintf(body, sizeof body, "{\"instances\":[{%s, \"FARE\": 1.5}]}", record);
    both_ways(w, body, true);
    snprintf(body, sizeof body, "{\"instances\":[{%s, \"FLAG\": true}]}", record);
    both_ways(w, body, false); /* twice */
    snprintf(body, sizeof body, "{\"instances\":[{%s}, {\"MILES\": 1}]}", record);
    both_ways(w, body, false);
    snprintf(body, sizeof body, "{\"instances\":[{%s}], \"instances\":[]}", record);
    both_ways(w, body, false);
    snprintf(body, sizeof body, "{\"instances\":[{%s}]}}", record);
    both_ways(w, body, false);
}

static void unusual_bodies(void **state)
{
    World *w = *state;
    static const char *const others[] = {
        WHOLE(FIVE, "[true,3,1,null,null]"),                      /* a column is missing */
        WHOLE(MOST ",\"MILES\"", "[true,3,1,null,null,\"x\",1]"), /* one is there twice */
        WHOLE(MOST ",\"MILS\"", "[true,3,1,null,null,\"x\",1]"),
        WHOLE(MOST, "[true,3,1,null,null]"),
        WHOLE(MOST, "[true,3.5,1,null,null,\"x\"]"),
        WHOLE(MOST, "[true,3,1,null,\"2019-01-31T01:00:00\",\"x\"]"),
        WHOLE(MOST, "[true,3,1,null,null,\"\\u0041\"]"),
        WHOLE(MOST, "[true,3,1,null,null,\"\xc3\xa4\"]"),
        WHOLE(MOST, ""),
        "{\"inputs\":{\"MILES\":[1]}}",
        "{\"instances\":[]}",
        "{}",
        "[]",
        "",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        both_ways(w, others[i], false);
}

/* Bodies cut and changed at random: never more than the other reader takes. */
static void changed_bodies(void **state)
{
    World *w = *state;
    Rng rng;
    char body[400];
    static const char alphabet[] = "{}[]\",:0123456789.-+eEtrufalsn \\MILESCTY";
    size_t took = 0;
    rng_seed(&rng, 3, 0);
    for (int i = 0; i < 20000; i++) {
        Chunk fast, tree;
        Error err = {0};
        int n = snprintf(body, sizeof body, WHOLE(MOST, LINE("%.6g")), rng_normal(&rng));
        for (uint64_t k = rng_below(&rng, 3); k > 0; k--)
            body[rng_below(&rng, (uint64_t)n)] = alphabet[rng_below(&rng, sizeof alphabet - 1)];
        if (mlflow_fast(&w->in, body, (size_t)n, &w->a, &fast)) {
            took++;
            if (!mlflow_tree(&w->in, body, (size_t)n, &w->a, &tree, &err))
                fail_msg("only one of the readers takes it: %s: %s", body, err.text);
            same_chunk(&fast, &tree);
        }
        arena_reset(&w->a);
    }
    assert_true(took > 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_form, setup, teardown),
        cmocka_unit_test_setup_teardown(v2_tensors, setup, teardown),
        cmocka_unit_test_setup_teardown(needed_and_not, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_bodies, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_tensors, setup, teardown),
        cmocka_unit_test_setup_teardown(usual_bodies, setup, teardown),
        cmocka_unit_test_setup_teardown(usual_records, setup, teardown),
        cmocka_unit_test_setup_teardown(unusual_bodies, setup, teardown),
        cmocka_unit_test_setup_teardown(changed_bodies, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
