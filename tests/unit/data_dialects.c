/* data_dialects.c -- one small table for each way in which tables are ugly, through the whole path:
 * source, sniffing, splitting, values, dataset on disk, and back.
 *
 *     unit_data_dialects files DIR     writes each as DIR/NAME.csv, and what became of it as
 *                                      DIR/NAME.ours, for the comparison with another sniffer */
#include "data/reader_test.h"

#define CASE(bytes) bytes, sizeof(bytes) - 1

static const struct Dialect {
    const char *name, *bytes;
    size_t size;
    const char *ours; /* columns with their types, then the rows as CSV */
    int rejects;
} dialects[] = {
    {"quotes", CASE("a,b\n\"x, y\",1\n\"say \"\"so\"\"\",2\n"),
     "a:text b:int64\n\"x, y\",1\n\"say \"\"so\"\"\",2\n", 0},
    {"quoted_lines", CASE("a,b\n\"two\nlines\",1\nz,2\n"),
     "a:text b:int64\n\"two\nlines\",1\nz,2\n", 0},
    {"single_quotes", CASE("a;b\n'x; y';1\n'z';2\n'p; q';3\n"),
     "a:text b:int64\nx; y,1\nz,2\np; q,3\n", 0},
    {"crlf", CASE("a,b\r\n1,x\r\n2,y\r\n"), "a:int64 b:text\n1,x\n2,y\n", 0},
    {"lone_cr", CASE("a,b\r1,x\r2,y\r"), "a:int64 b:text\n1,x\n2,y\n", 0},
    {"bom",
     CASE("\xef\xbb\xbf"
          "a,b\n1,x\n2,y\n"),
     "a:int64 b:text\n1,x\n2,y\n", 0},
    {"utf16",
     CASE("\xff\xfe"
          "a\0,\0b\0\n\0"
          "1\0,\0\xe9\0\n\0"
          "2\0,\0y\0\n\0"),
     "a:int64 b:text\n1,\xc3\xa9\n2,y\n", 0},
    {"latin1", CASE("a,b\n1,caf\xe9\n2,na\xefve\n"),
     "a:int64 b:text\n1,caf\xc3\xa9\n2,na\xc3\xafve\n", 0},
    {"ragged", CASE("a,b,c\n1,2,3\n4,5\n6,7,8\n9,10,11\n12,13,14,15\n16,17,18\n"),
     "a:int64 b:int64 c:int64\n1,2,3\n6,7,8\n9,10,11\n16,17,18\n", 2},
    {"preamble", CASE("Sales of May\nmade by hand\n\na,b\n1,2\n3,4\n5,6\n"),
     "a:int64 b:int64\n1,2\n3,4\n5,6\n", 0},
    {"trailing", CASE("a,b,\n1,2,\n3,4,\n"), "a:int64 b:int64\n1,2\n3,4\n", 0},
    {"trailing and used", CASE("a,b,\n1,2,\n3,4,5\n"), "a:int64 b:int64 c3:int64\n1,2,\n3,4,5\n", 0},
    {"trailing and named", CASE("a,b,c3\n1,2,\n3,4,\n"), "a:int64 b:int64 c3:text\n1,2,\n3,4,\n", 0},
    {"no_header", CASE("1,x,2015-01-01\n2,y,2015-01-02\n"),
     "c1:int64 c2:text c3:date\n1,x,2015-01-01\n2,y,2015-01-02\n", 0},
    {"same_names", CASE("a,a,A\n1,2,3\n4,5,6\n"), "a:int64 a_2:int64 A:int64\n1,2,3\n4,5,6\n", 0},
    {"empty_names", CASE("a,,c\n1,2,3\n4,5,6\n"), "a:int64 c2:int64 c:int64\n1,2,3\n4,5,6\n", 0},
    {"thousands", CASE("a,b\n\"1,234\",1\n\"12,345.5\",2\n"),
     "a:float64 b:int64\n1234,1\n12345.5,2\n", 0},
    {"decimal_comma", CASE("a;b\n1,5;x\n2.000,25;y\n3,0;z\n"),
     "a:float64 b:text\n1.5,x\n2000.25,y\n3,z\n", 0},
    {"currency", CASE("a;b\n$1,234.50;1\n-$5.00;2\n$0.99;3\n"),
     "a:float64 b:int64\n1234.5,1\n-5,2\n0.99,3\n", 0},
    {"percent", CASE("a,b\n45%,1\n5.5%,2\n"), "a:float64 b:int64\n45,1\n5.5,2\n", 0},
    {"day_first", CASE("a,b\n01/02/2011,1\n31/01/2011,2\n"),
     "a:date b:int64\n2011-02-01,1\n2011-01-31,2\n", 0},
    {"month_first", CASE("a,b\n01/02/2011,1\n01/31/2011,2\n"),
     "a:date b:int64\n2011-01-02,1\n2011-01-31,2\n", 0},
    {"other_column_decides", CASE("a,b\n01/02/2011,05/06/2011\n03/04/2011,31/12/2011\n"),
     "a:date b:date\n2011-02-01,2011-06-05\n2011-04-03,2011-12-31\n", 0},
    {"month_names", CASE("a,b\n12 Jan 2020,1\n3 March 2021,2\n"),
     "a:date b:int64\n2020-01-12,1\n2021-03-03,2\n", 0},
    {"short_years", CASE("a,b\n31/01/11,1\n01/02/98,2\n"),
     "a:date b:int64\n2011-01-31,1\n1998-02-01,2\n", 0},
    {"zones", CASE("a,b\n2015-01-02T10:00:00Z,1\n2015-01-02T10:00:00+02:00,2\n"),
     "a:timestamp b:int64\n2015-01-02 10:00:00,1\n2015-01-02 08:00:00,2\n", 0},
    {"booleans", CASE("a,b,c\ntrue,yes,1\nFALSE,no,0\n"),
     "a:bool b:bool c:int64\ntrue,true,1\nfalse,false,0\n", 0},
    {"leading_zeros", CASE("zip,n\n02139,1\n10001,2\n"), "zip:text n:int64\n02139,1\n10001,2\n", 0},
    {"beyond_64_bits", CASE("id,n\n92233720368547758070,1\n18446744073709551617,2\n"),
     "id:text n:int64\n92233720368547758070,1\n18446744073709551617,2\n", 0},
    {"nulls", CASE("a,b\n1,x\nNA,y\n,z\n4,NULL\n"), "a:int64 b:text\n1,x\n,y\n,z\n4,\n", 0},
};

static void print_types(const Schema *s, Text *into)
{
    for (size_t i = 0; i < s->count; i++)
        text_printf(into, "%s%s:%s", i ? " " : "", s->field[i].name,
                    column_type_name(s->field[i].type));
    text_putc(into, '\n');
}

/* The file's dataset, printed; how many rows were rejected. */
static uint64_t whole_path(const char *name, const char *dir, const char *csv, Text *out)
{
    IngestOptions options = {.skip = -1, .reject_limit = 1};
    IngestReport report;
    Error err = {0};
    Text path = {0};
    Arena arena = {0};
    if (!ingest(csv, &options, dir, NULL, NULL, NULL, NULL, &report, &err))
        fail_msg("%s: %s", name, err.text);
    text_printf(&path, "%s/%s.arrow", dir, report.hash);
    Dataset *d = dataset_open(text_str(&path), &err);
    if (!d)
        fail_msg("%s", err.text);
    print_types(dataset_schema(d), out);
    for (size_t i = 0; i < dataset_chunks(d); i++) {
        Chunk c;
        assert_true(dataset_read(d, i, &arena, &c, &err));
        csv_print(&c, ',', out);
    }
    uint64_t rejects = report.rejects;
    dataset_close(d);
    arena_release(&arena);
    text_release(&path);
    ingest_report_release(&report);
    return rejects;
}

/* A value far behind the sample, in the column that each line before it leaves empty: nothing is lost. */
static void a_late_value_keeps_its_column(void **state)
{
    Text text = {0}, is = {0};
    text_puts(&text, "a,b,\n");
    for (int i = 0; i < 400000; i++)
        text_puts(&text, i == 390001 ? "1,2,7\n" : "1,2,\n");
    char *path = put(*state, "late.csv", text_str(&text), text.count);
    assert_int_equal(whole_path("late", *state, path, &is), 0);
    assert_true(text_starts(text_str(&is), "a:int64 b:int64 c3:int64\n1,2,\n"));
    assert_non_null(strstr(text_str(&is), "\n1,2,7\n"));
    text_release(&text);
    text_release(&is);
    mem_free(path);
}

static void every_dialect_is_read(void **state)
{
    int wrong = 0;
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        Text is = {0};
        char *path = put(*state, "one.csv", dialects[i].bytes, dialects[i].size);
        uint64_t rejects = whole_path(dialects[i].name, *state, path, &is);
        if (!text_equal(text_str(&is), dialects[i].ours) ||
            rejects != (uint64_t)dialects[i].rejects) {
            print_error("%s: %d rejects\n%s", dialects[i].name, (int)rejects, text_str(&is));
            wrong++;
        }
        text_release(&is);
        mem_free(path);
    }
    assert_int_equal(wrong, 0);
}

/* A column that is numbers until row 900,000 is text from the first row on, and that is reported. */
static void numbers_turn_to_text_late(void **state)
{
    enum { ROWS = 1000000, AT = 900000 };
    Text csv = {0}, head = {0};
    text_puts(&csv, "n,code\n");
    for (int i = 1; i <= ROWS; i++)
        text_printf(&csv, "%d,%s%d\n", i, i == AT ? "x" : "", i % 5000);
    char *path = put(*state, "late.csv", csv.at, csv.count);
    IngestOptions options = {.skip = -1};
    IngestReport report;
    Error err = {0};
    if (!ingest(path, &options, *state, NULL, NULL, NULL, NULL, &report, &err))
        fail_msg("%s", err.text);
    json_t *widened = json_array_get(json_object_get(report.sniffed, "widened"), 0);
    assert_string_equal(json_string_value(json_object_get(widened, "column")), "code");
    assert_string_equal(json_string_value(json_object_get(widened, "to")), "text");
    assert_int_equal(json_integer_value(json_object_get(widened, "line")), AT + 1);
    assert_int_equal(report.rows, ROWS);
    text_printf(&head, "%s/%s.arrow", (char *)*state, report.hash);
    Dataset *d = dataset_open(text_str(&head), &err);
    Arena arena = {0};
    Chunk c;
    size_t row, n;
    assert_true(dataset_read(d, dataset_locate(d, AT - 1, &row), &arena, &c, &err));
    const char *word = column_text(&c.column[1], row, &n);
    assert_true(n == 2 && !memcmp(word, "x0", 2));
    assert_int_equal(c.column[0].integer[row], AT);
    dataset_close(d);
    arena_release(&arena);
    ingest_report_release(&report);
    text_release(&head);
    text_release(&csv);
    mem_free(path);
}

static int write_files(const char *dir)
{
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        Text name = {0}, is = {0};
        text_printf(&name, "%s.csv", dialects[i].name);
        char *path = put(dir, text_str(&name), dialects[i].bytes, dialects[i].size);
        whole_path(dialects[i].name, dir, path, &is);
        text_reset(&name);
        text_printf(&name, "%s.ours", dialects[i].name);
        mem_free(put(dir, text_str(&name), is.at, is.count));
        mem_free(path);
        text_release(&name);
        text_release(&is);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "files") == 0)
        return write_files(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dialect_is_read),
        cmocka_unit_test(a_late_value_keeps_its_column),
        cmocka_unit_test(numbers_turn_to_text_late),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
