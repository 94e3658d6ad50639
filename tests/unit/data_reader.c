/* data_reader.c -- whole sources as typed chunks: small ugly ones, and the real tables. */
#include "data/reader_test.h"

/* ---- types ---- */

static void types_are_guessed(void **state)
{
    Table t;
    read_text(*state, &t,
              "a,b,c,d,e,f,g\n"
              "1,1.5,true,2015-01-02,2015-01-02 03:04:05,x,02139\n"
              "2,,FALSE,2015-02-28,2015-01-02T03:04:06.5Z,\"y,z\",10001\n",
              NULL);
    assert_int_equal(t.rows, 2);
    assert_string_equal(types_of(&t), "int64 float64 bool date timestamp text text");
    assert_string_equal(cell(&t, 0, 6), "02139");
    assert_string_equal(cell(&t, 1, 1), "");
    assert_string_equal(cell(&t, 1, 2), "false");
    assert_string_equal(cell(&t, 1, 3), "2015-02-28");
    assert_string_equal(cell(&t, 1, 4), "2015-01-02 03:04:06.500000");
    assert_string_equal(cell(&t, 1, 5), "y,z");
    table_release(&t);
}

static void null_words_are_missing(void **state)
{
    Table t;
    read_text(*state, &t, "n,t,u\n1,a,NA\nNULL,\\N,b\nNA,NA,c\n3,?,d\n", NULL);
    assert_string_equal(types_of(&t), "int64 text text");
    assert_string_equal(cell(&t, 1, 0), "");
    assert_string_equal(cell(&t, 1, 1), "");
    assert_string_equal(cell(&t, 2, 0), "");
    assert_string_equal(cell(&t, 2, 1), ""); /* NA stands for a missing number, so here too */
    assert_string_equal(cell(&t, 3, 1), "");
    table_release(&t);
    read_text(*state, &t, "country\nNA\nDE\nNA\n", NULL); /* no evidence: Namibia */
    assert_string_equal(cell(&t, 0, 0), "NA");
    table_release(&t);
}

static void the_user_overrides_guesses(void **state)
{
    Table t;
    IngestOptions o = {.null_words = text_copy("-9,none"),
                       .types = text_copy("zip:int64,n:text"),
                       .delimiter = text_copy(";"),
                       .header = 1,
                       .skip = -1,
                       .reject_limit = 1};
    read_text(*state, &t, "zip;n;v\n007;1;2\n010;-9;-9\n011;NULL;none\n", &o);
    assert_string_equal(types_of(&t), "int64 text int64");
    assert_string_equal(cell(&t, 0, 0), "7");
    assert_string_equal(cell(&t, 1, 1), "");
    assert_string_equal(cell(&t, 2, 1), "NULL");
    assert_string_equal(cell(&t, 2, 2), "");
    table_release(&t);
    options_release(&o);
}

static void decimal_commas_are_numbers(void **state)
{
    Table t;
    read_text(*state, &t, "d;x;y\n31.01.2011;1,5;2\n01.02.2011;-0,25;3\n", NULL);
    assert_string_equal(types_of(&t), "date float64 int64");
    assert_string_equal(cell(&t, 0, 0), "2011-01-31");
    assert_string_equal(cell(&t, 1, 0), "2011-02-01");
    assert_string_equal(cell(&t, 1, 1), "-0.25");
    table_release(&t);
}

static void day_first_by_evidence(void **state)
{
    Table t;
    read_text(*state, &t, "d,e\n01/02/2011,02/03/2011\n31/01/2011,04/05/2011\n", NULL);
    assert_string_equal(cell(&t, 0, 0), "2011-02-01");
    assert_string_equal(cell(&t, 0, 1), "2011-03-02"); /* the other column decides */
    table_release(&t);
    read_text(*state, &t, "d\n01/31/2011\n02/01/2011\n", NULL);
    assert_string_equal(cell(&t, 1, 0), "2011-02-01");
    table_release(&t);
}

static void headers_are_found_or_made(void **state)
{
    Table t;
    read_text(*state, &t, "39, State-gov, 77516\n50, Private, 83311\n38, Private, 215646\n", NULL);
    assert_int_equal(t.rows, 3);
    assert_string_equal(t.schema.field[0].name, "c1");
    assert_string_equal(cell(&t, 0, 1), "State-gov"); /* the blank belongs to the delimiter */
    table_release(&t);
    read_text(*state, &t, "x,x,,y\n1,2,3,4\n", NULL);
    assert_string_equal(t.schema.field[1].name, "x_2");
    assert_string_equal(t.schema.field[2].name, "c3");
    table_release(&t);
    read_text(*state, &t, "name,city\nAda,London\nAlan,London\n", NULL);
    assert_int_equal(t.rows, 2);
    table_release(&t);
    read_text(*state, &t, "\"a\" \"b\"\n\"1\" 5 7\n\"2\" 6 8\n", /* as R writes row names */
              &(IngestOptions){.delimiter = (char *)(uintptr_t) " ", .skip = -1});
    assert_string_equal(t.schema.field[1].name, "a");
    table_release(&t);
}

static void encodings_become_utf8(void **state)
{
    Table t;
    read_text(*state, &t, "\xef\xbb\xbfname,n\nM\xc3\xbcller,1\n", NULL);
    assert_string_equal(t.schema.field[0].name, "name");
    assert_string_equal(cell(&t, 0, 0), "M\xc3\xbcller");
    table_release(&t);
    read_text(*state, &t,
              "n\xe4me,n\nM\xfcller,1\nStra\xdf"
              "e,2\n\x80,3\n",
              NULL);
    assert_string_equal(t.schema.field[0].name, "n\xc3\xa4me");
    assert_string_equal(cell(&t, 0, 0), "M\xc3\xbcller");
    assert_string_equal(cell(&t, 2, 0), "\xe2\x82\xac"); /* the euro sign of Windows */
    table_release(&t);
}

static void utf16_becomes_utf8(void **state)
{
    static const char wide[] = "n\0,\0t\0\n\0"
                               "1\0,\0\xfc\0\n\0"
                               "2\0,\0\x3d\xd8\x00\xde\n\0";
    for (int big = 0; big < 2; big++) {
        Text bytes = {0};
        text_add(&bytes, big ? "\xfe\xff" : "\xff\xfe", 2);
        for (size_t i = 0; i + 1 < sizeof wide; i += 2) {
            text_putc(&bytes, wide[big ? i + 1 : i]);
            text_putc(&bytes, wide[big ? i : i + 1]);
        }
        char *path = put(*state, "wide.txt", bytes.at, bytes.count);
        Table t;
        read_path(&t, path, NULL, NULL);
        assert_int_equal(t.rows, 2);
        assert_string_equal(t.schema.field[0].name, "n");
        assert_string_equal(cell(&t, 0, 1), "\xc3\xbc");
        assert_string_equal(cell(&t, 1, 1), "\xf0\x9f\x98\x80");
        assert_string_equal(json_string_value(json_object_get(t.sniffed, "encoding")), "utf-16");
        table_release(&t);
        mem_free(path);
        text_release(&bytes);
    }
}

static void titles_and_comments_are_skipped(void **state)
{
    Table t;
    read_text(*state, &t, "Trips of 2015\n\n# made by hand\na,b\n1,2\n3,4\n", NULL);
    assert_int_equal(t.rows, 2);
    assert_string_equal(t.schema.field[1].name, "b");
    table_release(&t);
}

/* ---- bad rows ---- */

static void bad_rows_are_reported_by_line(void **state)
{
    Table t;
    IngestOptions o = {.reject_limit = 1, .skip = -1};
    read_text(*state, &t,
              "a,b\n1,2\n3\n\n4,5,6\n7,\"8\nx\"\n9,10\n11,caf\xe9\n\xc3\xa9,\xc3\xa9\n"
              "\xc3\xa9,\xc3\xa9\n12,\"open\n13,14\n",
              &o);
    assert_string_equal(t.rejects.at, "3: 1 field instead of 2 [3]\n"
                                      "5: 3 fields instead of 2 [4,5,6]\n"
                                      "9: bytes that are not UTF-8 [11,caf\xe9]\n"
                                      "12: a quote that never ends [12,\"open]\n");
    assert_int_equal(t.rows, 6);
    assert_string_equal(cell(&t, 1, 1), "8\nx");
    assert_string_equal(cell(&t, 5, 0), "13"); /* the open quote cost one line only */
    table_release(&t);
}

static void values_that_do_not_fit_a_forced_type(void **state)
{
    Table t;
    IngestOptions o = {.types = text_copy("n:int64"), .reject_limit = 1, .skip = -1};
    read_text(*state, &t, "n,t\n1,a\nfast,b\n3.0,c\n3.5,d\n,e\n", &o);
    assert_string_equal(t.rejects.at, "3: n: 'fast' is no int64 [fast,b]\n"
                                      "5: n: '3.5' is no int64 [3.5,d]\n");
    assert_int_equal(t.rows, 3);
    assert_string_equal(cell(&t, 1, 0), "3");
    assert_string_equal(cell(&t, 1, 1), "c");
    assert_string_equal(cell(&t, 2, 1), "e");
    table_release(&t);
    options_release(&o);
}

static void too_many_bad_rows_are_an_error(void **state)
{
    char *path = put(*state, "bad.csv", "a,b\n1,2\n1\n2\n", 0);
    Error err = {0};
    Reader *r = reader_open(path, NULL, NULL, NULL, NULL, NULL, &err);
    Chunk c;
    bool ok = true;
    do
        ok = reader_next(r, &c, &err);
    while (ok && c.rows);
    assert_false(ok);
    assert_non_null(strstr(err.text, "2 of 3 rows are bad"));
    assert_non_null(strstr(err.text, "line 3: 1 field instead of 2"));
    reader_close(r);
    mem_free(path);
}

static void a_row_without_end_is_skipped(void **state)
{
    Text t = {0};
    text_puts(&t, "a,b\n1,2\n");
    for (int i = 0; i < 5 << 20; i++)
        text_putc(&t, 'x');
    text_puts(&t, "\n3,4\n");
    IngestOptions o = {.reject_limit = 1, .skip = -1};
    Table table;
    char *path = put(*state, "long.csv", t.at, t.count);
    read_path(&table, path, &o, NULL);
    assert_int_equal(table.rows, 2);
    assert_int_equal(strncmp(table.rejects.at, "3: ", 3), 0);
    assert_string_equal(cell(&table, 1, 0), "3");
    table_release(&table);
    mem_free(path);
    text_release(&t);
}

static void a_column_empty_in_the_sample_is_text(void **state)
{
    Text t = {0};
    text_puts(&t, "a,b\n");
    for (int i = 0; i < 300000; i++)
        text_puts(&t, "1,NULL\n");
    text_puts(&t, "2,x\n");
    char *path = put(*state, "late.csv", t.at, t.count);
    Table table;
    read_path(&table, path, NULL, NULL);
    assert_int_equal(table.rows, 300001);
    assert_int_equal(table.missing[1], 300000);
    assert_string_equal(cell(&table, 300000, 1), "x");
    table_release(&table);
    mem_free(path);
    text_release(&t);
}

/* ---- errors ---- */

static void one_clear_line_for_what_is_no_table(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t n;
        const char *says;
    } bad[] = {
        {"empty.csv", "", 0, "is empty"},
        {"blank.csv", "\n \n\n", 4, "holds no table"},
        {"zip.csv", "PK\3\4rest of it", 15, "zip archive"},
        {"nul.csv", "a\0\1\2\3,\0\0\n\0\0\0\0", 13, "NUL bytes"},
        {"wide.csv",
         "a\0,\0b\0\n\0"
         "1\0,\0"
         "2\0\n\0",
         16, "UTF-16"},
        {"cut.gz", "\x1f\x8b\x08\0\0\0\0\0\0\3", 10, "cut short"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *path = put(*state, bad[i].name, bad[i].bytes, bad[i].n ? bad[i].n : SIZE_MAX);
        Error err = {0};
        assert_null(reader_open(path, NULL, NULL, NULL, NULL, NULL, &err));
        assert_non_null(strstr(err.text, bad[i].says));
        assert_non_null(strstr(err.text, bad[i].name));
        assert_null(strchr(err.text, '\n'));
        mem_free(path);
    }
    Error err = {0};
    assert_null(reader_open(*state, NULL, NULL, NULL, NULL, NULL, &err));
    assert_non_null(strstr(err.text, "is a folder"));
    err = (Error){0};
    assert_null(reader_open("/no/such.csv", NULL, NULL, NULL, NULL, NULL, &err));
    assert_non_null(strstr(err.text, "No such file"));
    err = (Error){0};
    assert_null(reader_open("/no/such*.csv", NULL, NULL, NULL, NULL, NULL, &err));
    assert_non_null(strstr(err.text, "no file matches"));
}

static void wrong_options_are_named(void **state)
{
    static const struct {
        IngestOptions o;
        const char *says;
    } bad[] = {
        {{.types = (char *)(uintptr_t) "faer:int"}, "did you mean fare?"},
        {{.types = (char *)(uintptr_t) "fare:money"}, "found 'money'"},
        {{.types = (char *)(uintptr_t) "fare"}, "expected COLUMN:TYPE"},
        {{.delimiter = (char *)(uintptr_t) "ab"}, "delimiter: expected one character"},
        {{.encoding = (char *)(uintptr_t) "ebcdic"}, "encoding: expected"},
        {{.decimal = (char *)(uintptr_t) ";"}, "decimal: expected"},
    };
    char *path = put(*state, "ok.csv", "fare,tip\n1,2\n", 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Error err = {0};
        assert_null(reader_open(path, &bad[i].o, NULL, NULL, NULL, NULL, &err));
        if (!strstr(err.text, bad[i].says))
            fail_msg("%s", err.text);
        assert_int_equal(err.kind, ERROR_USAGE);
    }
    mem_free(path);
}

/* ---- wanted columns ---- */

static void a_model_gets_its_columns(void **state)
{
    Schema s = {0};
    schema_add(&s, "b", COLUMN_REAL, ROLE_FEATURE);
    schema_add(&s, "d", COLUMN_DATE, ROLE_FEATURE);
    schema_add(&s, "y", COLUMN_INT, ROLE_TARGET);
    Table t;
    char *path = put(*state, "score.csv", "a,d,b\nx,31/12/2015,1\ny,30/12/2015,2e0\n", 0);
    read_path(&t, path, NULL, &s);
    assert_string_equal(types_of(&t), "float64 date int64");
    assert_string_equal(cell(&t, 1, 0), "2");
    assert_string_equal(cell(&t, 0, 1), "2015-12-31");
    assert_string_equal(cell(&t, 0, 2), ""); /* the target need not be there */
    table_release(&t);
    Error err = {0};
    schema_add(&s, "missing_one", COLUMN_INT, ROLE_FEATURE);
    assert_null(reader_open(path, NULL, &s, NULL, NULL, NULL, &err));
    assert_non_null(strstr(err.text, "no column missing_one"));
    schema_release(&s);
    mem_free(path);
}

static void globs_are_one_table(void **state)
{
    char *a = put(*state, "g1.csv", "x,y\n1,a\n2,b\n", 0);
    char *b = put(*state, "g2.csv", "y,x\nc,3\n", 0); /* another order of columns */
    Text pattern = {0};
    text_printf(&pattern, "%s/g?.csv", (char *)*state);
    Table t;
    read_path(&t, pattern.at, NULL, NULL);
    assert_int_equal(t.rows, 3);
    assert_string_equal(cell(&t, 2, 0), "3");
    assert_string_equal(cell(&t, 2, 1), "c");
    table_release(&t);
    text_release(&pattern);
    mem_free(a);
    mem_free(b);
}

/* ---- blocks ---- */

/* The same table cut into blocks of any size, on any number of threads. */
static void blocks_do_not_show(void **state)
{
    Text csv = {0};
    Rng rng;
    rng_seed(&rng, 7, 0);
    text_puts(&csv, "id,text,x\n");
    for (int i = 0; i < 3000; i++) {
        text_printf(&csv, "%d,", i);
        if (rng_below(&rng, 3) == 0) {
            text_putc(&csv, '"');
            for (uint64_t k = rng_below(&rng, 30); k > 0; k--)
                text_puts(&csv, k % 5 == 0 ? "\"\"" : k % 3 == 0 ? "\n" : k % 7 == 0 ? "," : "w");
            text_putc(&csv, '"');
        }
        text_printf(&csv, ",%d.5%s", i % 100, i % 2 ? "\r\n" : "\n");
        if (i % 97 == 0)
            text_puts(&csv, "broken\n");
    }
    char *path = put(*state, "blocks.csv", csv.at, csv.count);
    uint64_t expected = 0;
    Pool *pool = pool_create(3);
    static const size_t sizes[] = {1 << 20, 64, 333, 1000, 4096};
    IngestOptions o = {.skip = -1, .reject_limit = 1};
    for (size_t i = 0; i < 10; i++) {
        ReaderSetup setup = {.pool = i % 2 ? pool : NULL, .block_size = sizes[i / 2]};
        Table t;
        read_with(&t, path, &o, NULL, &setup);
        assert_int_equal(t.rows, 3000);
        uint64_t hash =
            hash_bytes(t.cells.at, t.cells.count, hash_bytes(t.rejects.at, t.rejects.count, 0));
        expected = i ? expected : hash;
        assert_true(hash == expected);
        table_release(&t);
    }
    pool_destroy(pool);
    mem_free(path);
    text_release(&csv);
}

static void all_kinds_of_line_ends(void **state)
{
    static const char *const texts[] = {"a,b\n1,2\n3,4\n",   "a,b\r\n1,2\r\n3,4\r\n",
                                        "a,b\r1,2\r3,4\r",   "a,b\n1,2\n3,4",
                                        "a,b\r\n1,2\r\n3,4", "\n\na,b\n\n1,2\n\n3,4\n\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Table t;
        read_text(*state, &t, texts[i], NULL);
        assert_string_equal(t.cells.at, "1\x1f"
                                        "2\x1e"
                                        "3\x1f"
                                        "4\x1e");
        table_release(&t);
    }
}

/* ---- real tables ---- */

static bool real(Table *t, const char *name)
{
    Text path = {0};
    text_printf(&path, "%s/%s", LATHE_REAL_DATA, name);
    bool there = file_exists(path.at);
    if (there)
        read_path(t, path.at, NULL, NULL);
    text_release(&path);
    return there;
}

static void real_tables(void **state)
{
    (void)state;
    Table t;
    if (!real(&t, "california_housing.csv"))
        skip();
    assert_int_equal(t.rows, 20640);
    assert_string_equal(types_of(&t),
                        "float64 float64 float64 float64 float64 float64 float64 float64 "
                        "float64 text");
    assert_int_equal(t.missing[4], 207);
    table_release(&t);
    assert_true(real(&t, "adult_train.csv"));
    assert_int_equal(t.rows, 32561);
    assert_string_equal(types_of(&t), "int64 text int64 text int64 text text text text text int64 "
                                      "int64 int64 text text");
    assert_int_equal(t.missing[1], 1836);
    assert_int_equal(t.missing[6], 1843);
    assert_int_equal(t.missing[13], 583);
    table_release(&t);
    assert_true(real(&t, "adult_test.csv"));
    assert_int_equal(t.rows, 16281);
    table_release(&t);
    assert_true(real(&t, "bike_sharing_hour.csv"));
    assert_int_equal(t.rows, 17379);
    assert_string_equal(cell(&t, 17378, 1), "2012-12-31");
    assert_int_equal(t.schema.field[1].type, COLUMN_DATE);
    table_release(&t);
    assert_true(real(&t, "nyc_yellow_2015_10k.csv"));
    assert_int_equal(t.rows, 9999);
    assert_int_equal(t.schema.field[1].type, COLUMN_TIME);
    assert_string_equal(cell(&t, 0, 1), "2015-06-02 11:19:29");
    assert_string_equal(cell(&t, 0, 5), "-73.95442962646484"); /* all digits are the same double */
    table_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_guessed),
        cmocka_unit_test(null_words_are_missing),
        cmocka_unit_test(the_user_overrides_guesses),
        cmocka_unit_test(decimal_commas_are_numbers),
        cmocka_unit_test(day_first_by_evidence),
        cmocka_unit_test(headers_are_found_or_made),
        cmocka_unit_test(encodings_become_utf8),
        cmocka_unit_test(utf16_becomes_utf8),
        cmocka_unit_test(titles_and_comments_are_skipped),
        cmocka_unit_test(bad_rows_are_reported_by_line),
        cmocka_unit_test(values_that_do_not_fit_a_forced_type),
        cmocka_unit_test(too_many_bad_rows_are_an_error),
        cmocka_unit_test(a_row_without_end_is_skipped),
        cmocka_unit_test(a_column_empty_in_the_sample_is_text),
        cmocka_unit_test(one_clear_line_for_what_is_no_table),
        cmocka_unit_test(wrong_options_are_named),
        cmocka_unit_test(a_model_gets_its_columns),
        cmocka_unit_test(globs_are_one_table),
        cmocka_unit_test(blocks_do_not_show),
        cmocka_unit_test(all_kinds_of_line_ends),
        cmocka_unit_test(real_tables),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
