/* recipe_expr.c -- expressions: known results, missing values, types, errors with their places. */
#include "recipe_table.h"

#include <math.h>

static Table table;

/* Five rows; row 3 has no value anywhere but in N. */
static int make(void **state)
{
    (void)state;
    table_begin(&table, 5);
    table_int(&table, "N", (int64_t[]){1, 2, 3, 4, 5}, NULL);
    table_int(&table, "K", (int64_t[]){10, -7, 0, 0, 3}, "11101");
    table_real(&table, "X", (double[]){1.5, -2.5, 0, 0, 100}, "11101");
    table_text(&table, "S", (const char *[]){"Cash", "credit", " Cash ", "", "Über"}, "11101");
    table_bool(&table, "B", "10-01");
    table_time(&table, "T",
               (const char *[]){"2015-01-01 00:00:00", "2016-02-29 23:59:59", "1969-12-31 12:30:00",
                                "", "2026-11-21 20:33:45"},
               "11101");
    table_date(&table, "D",
               (const char *[]){"2015-01-01", "2016-12-31", "1970-01-01", "", "2000-03-01"},
               "11101");
    table_text(&table, "odd name", (const char *[]){"a", "b", "a", "", "c"}, "11101");
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    table_end(&table);
    return 0;
}

/* The results of an expression, printed with commas between; missing is "". */
static char *results(const char *expression)
{
    Error err = {0};
    Arena a = {0};
    Text text = {0};
    Expr *e = expr_parse(expression, &table.schema, &err);
    if (!e)
        fail_msg("%s: %s", expression, err.text);
    Column out = {.name = "r"};
    if (!expr_eval(e, &table.chunk, &a, &out, &err))
        fail_msg("%s: %s", expression, err.text);
    assert_int_equal(out.rows, table.chunk.rows);
    assert_int_equal(out.type, expr_type(e));
    for (size_t i = 0; i < out.rows; i++) {
        if (i > 0)
            text_putc(&text, ',');
        column_print(&out, i, &text);
    }
    char *copy = text_copy(text_str(&text));
    text_release(&text);
    expr_destroy(e);
    arena_release(&a);
    return copy;
}

static void expect_results(const char *expression, const char *wanted)
{
    char *got = results(expression);
    if (strcmp(got, wanted) != 0)
        fail_msg("%s\n   gives %s\n  wanted %s", expression, got, wanted);
    mem_free(got);
}

static const struct {
    const char *expression, *wanted;
} known[] = {
    /* arithmetic: int64 stays whole, / is always float64 */
    {"1 + 2 * 3", "7,7,7,7,7"},
    {"(1 + 2) * 3", "9,9,9,9,9"},
    {"-2 * -3", "6,6,6,6,6"},
    {"N + K", "11,-5,3,,8"},
    {"N - K * 2", "-19,16,3,,-1"},
    {"N / 2", "0.5,1,1.5,2,2.5"},
    {"7 / 2", "3.5,3.5,3.5,3.5,3.5"},
    {"N % 2", "1,0,1,0,1"},
    {"K % 0", ",,,,"},
    {"-7 % 4", "-3,-3,-3,-3,-3"},
    {"N / K", "0.1,-0.2857142857142857,,,1.6666666666666667"},
    {"X * 2 + N", "4,-3,3,,205"},
    {"9223372036854775807 + N", ",,,,"},
    {"-9223372036854775807 - N < 0", "true,,,,"},
    {"- K", "-10,7,0,,-3"},
    {"1e308 * 10", ",,,,"},
    {"0.1 + 0.2", "0.30000000000000004,0.30000000000000004,0.30000000000000004,"
                  "0.30000000000000004,0.30000000000000004"},
    /* comparison */
    {"N > 2", "false,false,true,true,true"},
    {"K >= N", "true,false,false,,false"},
    {"X < 2", "true,true,true,,false"},
    {"N == 3 or N <> 3", "true,true,true,true,true"},
    {"N != 3", "true,true,false,true,true"},
    {"S = \"Cash\"", "true,false,false,,false"},
    {"'Cash' = S", "true,false,false,,false"},
    {"S < 'b'", "true,false,true,,false"},
    {"B = true", "true,false,,false,true"},
    {"B = \"no\"", "false,true,,true,false"},
    {"N = \"3\"", "false,false,true,false,false"},
    {"N < '2.5'", "true,true,false,false,false"},
    {"N between 2 and 4", "false,true,true,true,false"},
    {"N not between 2 and 4", "true,false,false,false,true"},
    {"X between -3 and N", "false,true,true,,false"},
    {"K in (10, 0)", "true,false,true,,false"},
    {"K not in (10, 0)", "false,true,false,,true"},
    {"K in (10, null)", "true,,,,"},
    {"K not in (10, null)", "false,,,,"},
    {"N in (K, 2)", "false,true,false,,false"},
    {"N in (K, N)", "true,true,true,true,true"},
    {"X in (1.5, 100)", "true,false,false,,true"},
    {"S in (\"Cash\", 'credit')", "true,true,false,,false"},
    {"S like 'C%'", "true,false,false,,false"},
    {"S like '%ash%'", "true,false,true,,false"},
    {"S not like '_ash'", "false,true,true,,true"},
    {"S like 'Cash'", "true,false,false,,false"},
    {"S like '%dit'", "false,true,false,,false"},
    {"S like '%'", "true,true,true,,true"},
    {"S like '%%'", "true,true,true,,true"},
    {"S like ''", "false,false,false,,false"},
    {"S like 'c%d%t'", "false,true,false,,false"},
    {"S like '_ber'", "false,false,false,,true"},
    {"'ab' like 'ab%' and 'b' like '%b' and not 'a' like '%ab%'", "true,true,true,true,true"},
    {"S like S", "true,true,true,,true"},
    {"`odd name` = 'a'", "true,false,true,,false"},
    {"[odd name] || '!'", "a!,b!,a!,,c!"},
    /* missing: SQL's three values */
    {"null", ",,,,"},
    {"null = null", ",,,,"},
    {"K is null", "false,false,false,true,false"},
    {"K is not null", "true,true,true,false,true"},
    {"K is missing and N = 4", "false,false,false,true,false"},
    {"K > 0 and N > 100", "false,false,false,false,false"},
    {"K > 0 and N > 0", "true,false,false,,true"},
    {"K > 0 or N > 0", "true,true,true,true,true"},
    {"K > 0 or N > 100", "true,false,false,,true"},
    {"not K > 0", "false,true,true,,false"},
    {"not not B", "true,false,,false,true"},
    {"null and false", "false,false,false,false,false"},
    {"null and true", ",,,,"},
    {"null or true", "true,true,true,true,true"},
    {"not null", ",,,,"},
    {"coalesce(K, 99)", "10,-7,0,99,3"},
    {"coalesce(K, X, N)", "10,-7,0,4,3"},
    {"ifnull(S, 'none')", "Cash,credit, Cash ,none,Über"},
    {"nullif(N, 3)", "1,2,,4,5"},
    {"if(B, 'yes', 'no')", "yes,no,no,no,yes"},
    {"if(N > 2, N, 0.5)", "0.5,0.5,3,4,5"},
    {"case when N = 1 then 'one' when N < 4 then 'few' end", "one,few,few,,"},
    {"case when K > 0 then 1 when K is null then 2 else 3 end", "1,3,3,2,1"},
    {"case N when 1 then 'a' when 5 then 'e' else S end", "a,credit, Cash ,,e"},
    {"case S when 'Cash' then 1 else 0 end", "1,0,0,0,0"},
    {"case when true then null else N end", ",,,,"},
    /* numbers */
    {"abs(K)", "10,7,0,,3"},
    {"abs(X)", "1.5,2.5,0,,100"},
    {"round(X)", "2,-3,0,,100"},
    {"round(2.675, 2)", "2.68,2.68,2.68,2.68,2.68"},
    {"round(1234.5, -2)", "1200,1200,1200,1200,1200"},
    {"floor(X)", "1,-3,0,,100"},
    {"ceil(X)", "2,-2,0,,100"},
    {"sqrt(X)", "1.224744871391589,,0,,10"},
    {"log(K)", "2.302585092994046,,,,1.0986122886681098"},
    {"log10(100 * N) = 2", "true,false,false,false,false"},
    {"log2(8)", "3,3,3,3,3"},
    {"exp(0)", "1,1,1,1,1"},
    {"exp(1000)", ",,,,"},
    {"pow(2, N)", "2,4,8,16,32"},
    {"pow(-8, 1 / 3)", ",,,,"},
    {"min(N, 3)", "1,2,3,3,3"},
    {"max(N, X, 2.5)", "2.5,2.5,3,,100"},
    {"clamp(N, 2, 4)", "2,2,3,4,4"},
    {"sign(K)", "1,-1,0,,1"},
    {"mod(N, 2)", "1,0,1,0,1"},
    {"mod(5.5, 2)", "1.5,1.5,1.5,1.5,1.5"},
    {"round(haversine(51.5074, -0.1278, 48.8566, 2.3522))", "344,344,344,344,344"},
    {"haversine(91, 0, 0, 0)", ",,,,"},
    /* text */
    {"lower(S)", "cash,credit, cash ,,über"},
    {"upper(S)", "CASH,CREDIT, CASH ,,ÜBER"},
    {"trim(S)", "Cash,credit,Cash,,Über"},
    {"length(S)", "4,6,6,,4"},
    {"substr(S, 1, 2)", "Ca,cr, C,,Üb"},
    {"substr(S, -2)", "sh,it,h ,,er"},
    {"substr(S, 2)", "ash,redit,Cash ,,ber"},
    {"substr('hello', 0, 3)", "he,he,he,he,he"},
    {"substr('hello', -3, 2)", "ll,ll,ll,ll,ll"},
    {"substr('hello', 9)", ",,,,"},
    {"replace(S, 'a', 'oo')", "Coosh,credit, Coosh ,,Über"},
    {"concat(S, '-', N)", "Cash-1,credit-2, Cash -3,,Über-5"},
    {"S || N", "Cash1,credit2, Cash 3,,Über5"},
    {"contains(S, 'as')", "true,false,true,,false"},
    {"starts(S, 'C')", "true,false,false,,false"},
    {"ends(S, 't')", "false,true,false,,false"},
    {"lower(trim(S)) = 'cash'", "true,false,true,,false"},
    /* times */
    {"year(T)", "2015,2016,1969,,2026"},
    {"month(T)", "1,2,12,,11"},
    {"day(T)", "1,29,31,,21"},
    {"hour(T)", "0,23,12,,20"},
    {"minute(T)", "0,59,30,,33"},
    {"second(T)", "0,59,0,,45"},
    {"weekday(T)", "3,0,2,,5"},
    {"yearday(D)", "1,366,1,,61"},
    {"date(T)", "2015-01-01,2016-02-29,1969-12-31,,2026-11-21"},
    {"date(T) = D", "true,false,false,,false"},
    {"T >= '2016-01-01'", "false,true,false,,true"},
    {"T > \"2016-02-29 12:00\"", "false,true,false,,true"},
    {"D between '2000-01-01' and '2015-12-31'", "true,false,false,,true"},
    {"date_diff(D, '2015-01-02')", "1,-729,16437,,5420"},
    {"seconds_between(T, T)", "0,0,0,,0"},
    /* casts */
    {"cast(X as int64)", "1,-2,0,,100"},
    {"cast(N as float64) / 4", "0.25,0.5,0.75,1,1.25"},
    {"cast('12' as int64) + 1", "13,13,13,13,13"},
    {"cast(S as float64)", ",,,,"},
    {"cast(N as text)", "1,2,3,4,5"},
    {"cast(B as int64)", "1,0,,0,1"},
    {"cast(T as date)", "2015-01-01,2016-02-29,1969-12-31,,2026-11-21"},
    {"cast(D as text)", "2015-01-01,2016-12-31,1970-01-01,,2000-03-01"},
    {"cast('2015-06-07' as date) = '2015-06-07'", "true,true,true,true,true"},
    {"cast(K as bool)", "true,true,false,,true"},
};

static void test_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        expect_results(known[i].expression, known[i].wanted);
}

static const struct {
    const char *expression, *error;
} wrong[] = {
    {"", "column 1: expected a value, found the end of the line"},
    {"N +", "column 4: expected a value, found the end of the line"},
    {"MILAGE > 3", "column 1: no column MILAGE"},
    {"odd = 1", "column 1: no column odd, did you mean `odd name`?"},
    {"n > 3", "column 1: no column n, did you mean N?"},
    {"N > 1 and quux = 3", "column 11: no column quux"},
    {"(N > 1", "column 7: expected ')', found the end of the line"},
    {"N > 1)", "column 6: expected nothing more, found ')'"},
    {"S > 'abc", "column 5: the text that opens here is never closed: expected '"},
    {"N ! 3", "column 3: unexpected '!'"},
    {"1.2.3", "column 1: '1.2.3' is not a number (a column of that name goes in `...`)"},
    {"3N", "column 1: '3N' is not a number (a column of that name goes in `...`)"},
    {"S + 1", "column 1: S is text, expected a number: cast it first, cast(... as float64)"},
    {"S > 3", "column 5: S is text: write the value in quotes, or cast(... as int64)"},
    {"N = 'abc'", "column 5: expected a number, found \"abc\""},
    {"T > 'yesterday'", "column 5: expected a timestamp, found \"yesterday\""},
    {"N and B", "column 1: N is a number, expected true or false"},
    {"not N", "column 5: N is a number, expected true or false"},
    {"N = B", "column 5: a number cannot be compared or combined with true or false"},
    {"T - T", "column 3: times are not added or subtracted: use seconds_between(from, to) or "
              "date_diff(from, to)"},
    {"sqr(N)", "column 1: no function sqr, did you mean sqrt?"},
    {"sqrt()", "column 1: sqrt has 0 arguments here: write sqrt(X)"},
    {"sqrt(N, N)", "column 1: sqrt has 2 arguments here: write sqrt(X)"},
    {"log(S)", "column 5: log takes a number here, S is text: cast(... as float64)"},
    {"hour(N)", "column 6: hour takes a timestamp here, N is a number"},
    {"lower(N)", "column 7: lower takes text here, N is a number"},
    {"case when N then 1 end", "column 11: N is a number, expected true or false"},
    {"case when B then 1 else 'x' end", "column 25: expected a number, found \"x\""},
    {"case N end", "column 8: expected 'when', found 'end'"},
    {"case when B then 1", "column 19: expected 'end', found the end of the line"},
    {"cast(N as wood)", "column 11: expected a type (bool, int64, float64, timestamp, date or "
                        "text), found 'wood'"},
    {"cast(B as date)", "column 1: B is true or false and cannot become a date"},
    {"N between 1", "column 12: expected 'and', found the end of the line"},
    {"N not 3", "column 7: expected 'between', 'in' or 'like' after 'not', found '3'"},
    {"N in 3", "column 6: expected '(', found '3'"},
    {"and", "column 1: expected a value, found 'and'"},
    {"``", "column 1: a column without a name"},
    {"N = 1 \x01", "column 7: unexpected byte 0x01"},
    {"Über = 1", "column 1: no column Über"},
    {"'ÄÖ' = nix", "column 8: no column nix"},
};

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Error err = {0};
        Expr *e = expr_parse(wrong[i].expression, &table.schema, &err);
        if (e)
            fail_msg("%s: no error", wrong[i].expression);
        if (strcmp(err.text, wrong[i].error) != 0)
            fail_msg("%s\n   gives %s\n  wanted %s", wrong[i].expression, err.text, wrong[i].error);
        assert_int_equal(err.kind, ERROR_PARSE);
    }
}

static void test_too_deep(void **state)
{
    (void)state;
    Text text = {0};
    Error err = {0};
    for (int i = 0; i < 3000; i++)
        text_putc(&text, '(');
    assert_null(expr_parse(text_str(&text), &table.schema, &err));
    assert_non_null(strstr(err.text, "nested too deeply"));
    text_reset(&text);
    for (int i = 0; i < 100; i++)
        text_puts(&text, "case case N when 1 then 2 end when 1 then ");
    text_puts(&text, "1");
    assert_null(expr_parse(text_str(&text), &table.schema, &err));
    text_reset(&text);
    text_puts(&text, "1");
    for (int i = 0; i < 4000; i++) /* long is fine */
        text_puts(&text, "+N");
    Expr *e = expr_parse(text_str(&text), &table.schema, &err);
    assert_non_null(e);
    expr_destroy(e);
    for (int i = 0; i < 5000; i++)
        text_puts(&text, "+N");
    assert_null(expr_parse(text_str(&text), &table.schema, &err));
    assert_non_null(strstr(err.text, "longer than"));
    text_release(&text);
}

static void test_filter(void **state)
{
    (void)state;
    Error err = {0};
    Arena a = {0};
    uint8_t keep[5];
    Expr *e = expr_parse("K > 0 or S = ' Cash '", &table.schema, &err);
    assert_int_equal(expr_filter(e, &table.chunk, &a, keep, &err), 3);
    assert_memory_equal(keep, ((uint8_t[]){1, 0, 1, 0, 1}), 5);
    expr_destroy(e);
    e = expr_parse("N + 1", &table.schema, &err);
    assert_int_equal(expr_filter(e, &table.chunk, &a, keep, &err), SIZE_MAX);
    assert_int_equal(err.kind, ERROR_USAGE);
    expr_destroy(e);
    e = expr_parse("B", &table.schema, &err);
    assert_int_equal(expr_filter(e, &table.chunk, &a, keep, &err), 2);
    expr_destroy(e);
    arena_release(&a);
}

/* A chunk whose column has another type, or not the column, is an error and not a crash. */
static void test_foreign_chunk(void **state)
{
    (void)state;
    Error err = {0};
    Arena a = {0};
    Column out = {.name = "r"};
    Expr *e = expr_parse("N + 1", &table.schema, &err);
    Table other;
    table_begin(&other, 2);
    table_text(&other, "N", (const char *[]){"x", "y"}, NULL);
    assert_false(expr_eval(e, &other.chunk, &a, &out, &err));
    assert_string_equal(err.text, "column N is text here, the expression was made for int64");
    table_end(&other);
    table_begin(&other, 2);
    table_text(&other, "M", (const char *[]){"x", "y"}, NULL);
    assert_false(expr_eval(e, &other.chunk, &a, &out, &err));
    assert_string_equal(err.text, "no column N in these rows");
    table_end(&other);
    expr_destroy(e);
    arena_release(&a);
}

/* Whole == in slices == row by row, on a table of several blocks, coded text and plain. */
static void test_slices_agree(void **state)
{
    (void)state;
    static const char *const expressions[] = {
        "X * 2 + N",
        "N > 50 and X < 3 or B",
        "lower(S)",
        "S = 'w3' or S is null",
        "coalesce(S, 'none')",
        "case when X > 0 then S else P end",
        "length(P) + N",
        "P like '%7%'",
        "S || P",
        "hour(T) + weekday(T)",
        "if(B, X, N)",
        "X is null",
        "S in ('w1', 'w2', null)",
        "cast(N as text)",
        "cast(P as text) = P",
        "date(T)",
    };
    Table big;
    Arena a = {0};
    Error err = {0};
    table_random(&big, 5000, 42);
    for (size_t k = 0; k < sizeof expressions / sizeof *expressions; k++) {
        Expr *e = expr_parse(expressions[k], &big.schema, &err);
        if (!e)
            fail_msg("%s: %s", expressions[k], err.text);
        Column whole = {.name = "r"};
        assert_true(expr_eval(e, &big.chunk, &a, &whole, &err));
        for (size_t from = 0, size = 1; from < big.chunk.rows;
             from += size, size = size * 3 % 977 + 1) {
            size_t rows = big.chunk.rows - from < size ? big.chunk.rows - from : size;
            Chunk part;
            Column some = {.name = "r"};
            chunk_slice(&big.chunk, from, rows, &a, &part);
            assert_true(expr_eval(e, &part, &a, &some, &err));
            for (size_t i = 0; i < rows; i++)
                if (!same_value(&whole, from + i, &some, i))
                    fail_msg("%s: row %zu", expressions[k], from + i);
        }
        expr_destroy(e);
    }
    arena_release(&a);
    table_end(&big);
}

static void test_functions(void **state)
{
    (void)state;
    Table t;
    table_begin(&t, 3);
    table_real(&t, "MILES", (double[]){1, 2, 3}, NULL);
    table_int(&t, "RIDERS", (int64_t[]){1, 2, 3}, NULL);
    table_real(&t, "TIP", (double[]){1, 2, 3}, "101");
    table_text(&t, "CITY", (const char *[]){"Washington", "Bowie", "Laurel"}, NULL);
    table_time(&t, "PICKUP", (const char *[]){"2015-01-01", "2015-01-02", "2015-01-03"}, NULL);
    table_time(&t, "DROPOFF", (const char *[]){"2015-01-02", "2015-01-03", "2015-01-04"}, NULL);
    assert_true(function_kinds() > 40);
    for (size_t i = 0; i < function_kinds(); i++) {
        const Function *f = function_at(i);
        Error err = {0};
        Arena a = {0};
        Column out = {.name = "r"};
        assert_true(strlen(f->kind.about) > 5 && text_starts(f->kind.usage, f->kind.name));
        assert_true(f->kernel || f->expand);
        assert_true(strchr("RNTIBDA", f->gives) != NULL);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(f->kind.name, function_at(j)->kind.name);
        Expr *e = expr_parse(f->example, &t.schema, &err);
        if (!e || !expr_eval(e, &t.chunk, &a, &out, &err))
            fail_msg("%s: %s", f->example, err.text);
        assert_true(column_has(&out, 0));
        expr_destroy(e);
        arena_release(&a);
    }
    table_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),         cmocka_unit_test(test_errors),
        cmocka_unit_test(test_too_deep),      cmocka_unit_test(test_filter),
        cmocka_unit_test(test_foreign_chunk), cmocka_unit_test(test_slices_agree),
        cmocka_unit_test(test_functions),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
