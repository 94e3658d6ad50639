/* data_ingest.c -- from a source to a dataset file: what is in it, types that turn out wider than
 * the sample said, bad rows told once, and nothing left behind when it fails. */
#include "data/reader_test.h"

#include <dirent.h>
#include <unistd.h>

/* ---- what is in a dataset, as cells ---- */

static void dataset_table(Table *t, const char *dir, const char *hash)
{
    Text path = {0};
    text_printf(&path, "%s/%s.arrow", dir, hash);
    Error err = {0};
    Dataset *d = dataset_open(path.at, &err);
    if (!d)
        fail_msg("%s", err.text);
    assert_true(dataset_verify(d, NULL, &err));
    schema_copy(&t->schema, dataset_schema(d));
    t->missing = mem_alloc((t->schema.count + 1) * sizeof *t->missing);
    for (size_t i = 0; i < dataset_chunks(d); i++) {
        Arena a = {0};
        Chunk c;
        dataset_chunk(d, i, &a, &c);
        take_chunk(t, &c);
        arena_release(&a);
    }
    dataset_close(d);
    text_release(&path);
}

static void ingest_table(Table *t, IngestReport *report, const char *path, const char *dir,
                         const IngestOptions *o, Pool *pool)
{
    *t = (Table){0};
    Error err = {0};
    if (!ingest(path, o, dir, pool, keep_reject, t, NULL, report, &err))
        fail_msg("%s", err.text);
    dataset_table(t, dir, report->hash);
}

static size_t files_in(const char *dir, const char *ending)
{
    size_t count = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e; (e = readdir(d));)
        count += e->d_name[0] != '.' && text_ends(e->d_name, ending);
    closedir(d);
    return count;
}

static char *subfolder(const char *dir, const char *name)
{
    Text path = {0};
    text_printf(&path, "%s/%s", dir, name);
    dir_create(path.at, NULL);
    return text_take(&path);
}

/* ---- widening ---- */

/* Row numbers that go far beyond the sample, with one odd value near the end. */
static char *long_table(const char *dir, const char *name, const char *usual, const char *odd,
                        size_t at, size_t rows)
{
    Text t = {0};
    text_puts(&t, "id,v,s\n");
    for (size_t i = 0; i < rows; i++)
        text_printf(&t, "%zu,%s,some text that makes the row longer\n", i, i == at ? odd : usual);
    char *path = put(dir, name, t.at, t.count);
    text_release(&t);
    return path;
}

static void types_widen_when_rows_demand_it(void **state)
{
    static const struct {
        const char *usual, *odd, *type, *from, *shown;
    } cases[] = {
        {"12", "12.5", "float64", "int64", "12"},
        {"12", "twelve", "text", "int64", "12"},
        {"1.5", "x", "text", "float64", "1.5"},
        {"true", "maybe", "text", "bool", "true"},
        {"2015-01-02", "2015-01-02 10:00", "timestamp", "date", "2015-01-02 00:00:00"},
        {"01/02/2015", "31/12/2015", "date (day first)", "date (month first)", "2015-02-01"},
        {"2015-01-02", "soon", "text", "date", "2015-01-02"},
        {"12", "007", "text", "int64", "12"},
        {"12.5", "$4.00", "float64 (amounts)", "float64", "12.5"},
        {"12", "1.5%", "float64 (amounts)", "int64", "12"},
        {"", "5", "int64", NULL, ""},
    };
    char *dir = subfolder(*state, "wide");
    Pool *pool = pool_create(2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = long_table(*state, "wide.csv", cases[i].usual, cases[i].odd, 59000, 60000);
        Table t;
        IngestReport report;
        ingest_table(&t, &report, path, dir, NULL, i % 2 ? pool : NULL);
        assert_int_equal(report.rows, 60000);
        assert_string_equal(cell(&t, 0, 1), cases[i].shown);
        json_t *wide = json_object_get(report.sniffed, "widened");
        assert_int_equal(json_array_size(wide), cases[i].from ? 1 : 0);
        if (cases[i].from) {
            json_t *w = json_array_get(wide, 0);
            assert_string_equal(json_string_value(json_object_get(w, "column")), "v");
            assert_string_equal(json_string_value(json_object_get(w, "from")), cases[i].from);
            assert_string_equal(json_string_value(json_object_get(w, "to")), cases[i].type);
            assert_int_equal(json_integer_value(json_object_get(w, "line")), 59002);
        }
        if (!strcmp(cases[i].type, "text"))
            assert_string_equal(cell(&t, 59000, 1), cases[i].odd);
        ingest_report_release(&report);
        table_release(&t);
        mem_free(path);
    }
    pool_destroy(pool);
    mem_free(dir);
}

static void null_words_beyond_the_sample_do_not_widen(void **state)
{
    char *dir = subfolder(*state, "null");
    char *path = long_table(*state, "null.csv", "12", "NULL", 59000, 60000);
    Table t;
    IngestReport report;
    ingest_table(&t, &report, path, dir, NULL, NULL);
    assert_string_equal(types_of(&t), "int64 int64 text");
    assert_int_equal(t.missing[1], 1);
    ingest_report_release(&report);
    table_release(&t);
    mem_free(path);
    mem_free(dir);
}

/* A pipe cannot be read twice, so what came is kept. */
static void streams_widen_too(void **state)
{
    char *dir = subfolder(*state, "stream");
    char *path = long_table(*state, "stream.csv", "12", "12.5", 59000, 60000);
    Text command = {0};
    text_printf(&command, "cat %s", path);
    FILE *pipe = popen(command.at, "r");
    assert_non_null(pipe);
    char name[40];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fileno(pipe));
    Table t;
    IngestReport report;
    ingest_table(&t, &report, name, dir, NULL, NULL);
    assert_string_equal(types_of(&t), "int64 float64 text");
    assert_int_equal(t.rows, 60000);
    assert_int_equal(files_in(dir, ""), 1); /* the dataset and nothing else */
    pclose(pipe);
    ingest_report_release(&report);
    table_release(&t);
    text_release(&command);
    mem_free(path);
    mem_free(dir);
}

/* ---- bad rows ---- */

static void bad_rows_are_told_once(void **state)
{
    char *dir = subfolder(*state, "bad");
    Text csv = {0};
    text_puts(&csv, "id,v,t\n");
    for (int i = 0; i < 60000; i++)
        text_printf(&csv, "%d,%s,a longer text to pass the sample%s\n", i, i == 50000 ? "1.5" : "1",
                    i % 10000 == 5000 ? ",more" : "");
    char *path = put(*state, "bad.csv", csv.at, csv.count);
    Table t;
    IngestReport report;
    ingest_table(&t, &report, path, dir, NULL, NULL);
    assert_int_equal(report.rejects, 6);
    assert_int_equal(report.rows, 60000 - 6);
    size_t told = 0;
    for (const char *p = t.rejects.at; (p = strchr(p, '\n')); p++)
        told++;
    assert_int_equal(told, 6); /* two passes */
    assert_int_equal(strncmp(t.rejects.at, "5002: 4 fields instead of 3 [5000,1,", 36), 0);
    ingest_report_release(&report);
    table_release(&t);
    text_release(&csv);
    mem_free(path);
    mem_free(dir);
}

static void what_fails_leaves_nothing(void **state)
{
    static const char *const bad[] = {"a,b\n1\n2\n3,4\n", " \n\n \n", "\n\n", ""};
    char *dir = subfolder(*state, "fail");
    for (size_t i = 0; i < 4; i++) {
        char *path = put(*state, "fail.csv", bad[i], bad[i][0] ? 0 : SIZE_MAX);
        IngestReport report;
        Error err = {0};
        assert_false(ingest(path, NULL, dir, NULL, NULL, NULL, NULL, &report, &err));
        assert_non_null(strstr(err.text, "fail.csv"));
        ingest_report_release(&report);
        assert_int_equal(files_in(dir, ""), 0);
        mem_free(path);
    }
    Progress progress = {0};
    stop_ask(&progress.stop);
    char *path = put(*state, "stop.csv", "a,b\n1,2\n", 0);
    IngestReport report;
    Error err = {0};
    assert_false(ingest(path, NULL, dir, NULL, NULL, NULL, &progress, &report, &err));
    assert_int_equal(err.kind, ERROR_STOP);
    assert_int_equal(files_in(dir, ""), 0);
    mem_free(path);
    mem_free(dir);
}

/* ---- the same table, however it comes ---- */

static void the_hash_is_of_the_content(void **state)
{
    char *dir = subfolder(*state, "hash");
    char *path = long_table(*state, "hash.csv", "12", "13", 5, 70000);
    Text quoted = {0};
    text_puts(&quoted, "id;v;s\r\n");
    for (int i = 0; i < 70000; i++)
        text_printf(&quoted, "\"%d\";\"%d\";\"some text that makes the row longer\"\r\n", i,
                    i == 5 ? 13 : 12);
    char *other = put(*state, "hash2.csv", quoted.at, quoted.count);
    Pool *pool = pool_create(3);
    Table a, b;
    IngestReport x, y;
    ingest_table(&a, &x, path, dir, NULL, pool);
    ingest_table(&b, &y, other, dir, NULL, NULL);
    assert_string_equal(a.cells.at, b.cells.at);
    assert_string_equal(x.hash, y.hash);
    assert_int_equal(files_in(dir, ".arrow"), 1);
    assert_true(x.source_tag[0] != 0);
    Text whole = {0};
    assert_true(file_read(path, &whole, 1 << 24, NULL));
    assert_int_equal(x.bytes, whole.count - strlen("id,v,s\n"));
    text_release(&whole);
    pool_destroy(pool);
    ingest_report_release(&x);
    ingest_report_release(&y);
    table_release(&a);
    table_release(&b);
    text_release(&quoted);
    mem_free(path);
    mem_free(other);
    mem_free(dir);
}

static void a_dataset_prints_as_it_was_read(void **state)
{
    char *dir = subfolder(*state, "print");
    static const char csv[] = "i,r,b,d,t,s\n1,0.1,true,2015-01-02,2015-01-02 03:04:05,\"a, b\"\n"
                              ",,,,,\n-3,1e-07,false,1969-12-31,1969-12-31 23:59:59,plain\n";
    char *path = put(*state, "print.csv", csv, 0);
    Table t;
    IngestReport report;
    ingest_table(&t, &report, path, dir, NULL, NULL);
    Text file = {0}, out = {0};
    text_printf(&file, "%s/%s.arrow", dir, report.hash);
    Dataset *d = dataset_open(file.at, NULL);
    Arena a = {0};
    Chunk c;
    dataset_chunk(d, 0, &a, &c);
    csv_print_header(&c, ',', &out);
    csv_print(&c, ',', &out);
    assert_string_equal(out.at, csv);
    dataset_close(d);
    arena_release(&a);
    text_release(&file);
    text_release(&out);
    ingest_report_release(&report);
    table_release(&t);
    mem_free(path);
    mem_free(dir);
}

/* ---- chunks that are put along with the parsing of the next ---- */

static char *profile_of(const char *dir, const char *hash)
{
    Text path = {0};
    text_printf(&path, "%s/%s.arrow", dir, hash);
    Dataset *d = dataset_open(path.at, NULL);
    assert_non_null(d);
    json_t *json = profile_to_json(dataset_profile(d));
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(json);
    dataset_close(d);
    text_release(&path);
    return text;
}

/* The same rows, each chunk put before the next is begun. */
static void chunk_by_chunk(const char *path, const char *dir, char hash[65])
{
    Error err = {0};
    Reader *r = reader_open(path, NULL, NULL, NULL, NULL, NULL, &err);
    assert_non_null(r);
    DatasetWriter *w = dataset_writer_create(dir, reader_schema(r), NULL, &err);
    assert_non_null(w);
    for (Chunk c = {.rows = 1}; c.rows;) {
        assert_true(reader_next(r, &c, &err));
        assert_true(!c.rows || dataset_writer_add(w, &c, &err));
    }
    assert_true(dataset_writer_finish(w, hash, &err));
    dataset_writer_destroy(w);
    reader_close(r);
}

/* Every kind of column, over several chunks; a text that is plain, one of words, one that has missing
 * values only at the end. */
static void chunks_may_wait(void **state)
{
    static const char *const words[] = {"north", "south", "east", "west", "", "\"over, there\""};
    enum { ROWS = 5 * CHUNK_ROWS / 2 };
    Text csv = {0};
    text_puts(&csv, "id,fare,late,day,at,word,name,rest\n");
    for (int i = 0; i < ROWS; i++)
        text_printf(&csv, "%d,%s%d.%02d,%s,2020-%02d-%02d,2021-01-%02d 12:%02d:%02d,%s,n%x%x,%s\n",
                    i, i % 3 ? "" : "-", i % 977, i % 100, i % 5 ? "true" : "false", 1 + i % 12,
                    1 + i % 28, 1 + i % 31, i % 60, i / 60 % 60, words[i % 6], i ^ 40503, i,
                    i > 2 * CHUNK_ROWS && i % 4 == 0 ? "" : "7");
    char *path = put(*state, "wait.csv", csv.at, csv.count);
    char *dirs[3] = {subfolder(*state, "w0"), subfolder(*state, "w1"), subfolder(*state, "w2")};
    char hash[65], *profile[3];
    Pool *pool = pool_create(3);
    IngestReport report[2];
    Error err = {0};
    for (int i = 0; i < 2; i++) {
        if (!ingest(path, NULL, dirs[i], i ? pool : NULL, NULL, NULL, NULL, &report[i], &err))
            fail_msg("%s", err.text);
        assert_int_equal(report[i].rows, ROWS);
        assert_int_equal(report[i].rejects, 0);
        profile[i] = profile_of(dirs[i], report[i].hash);
    }
    chunk_by_chunk(path, dirs[2], hash);
    profile[2] = profile_of(dirs[2], hash);
    Table t = {0};
    dataset_table(&t, dirs[1], report[1].hash); /* verified there */
    assert_int_equal(t.rows, ROWS);
    assert_int_equal(t.schema.field[2].type, COLUMN_BOOL);
    assert_int_equal(t.schema.field[6].type, COLUMN_TEXT);
    table_release(&t);
    assert_string_equal(report[0].hash, hash);
    assert_string_equal(report[1].hash, hash);
    assert_string_equal(profile[0], profile[2]);
    assert_string_equal(profile[1], profile[2]);
    for (int i = 0; i < 3; i++) {
        free(profile[i]);
        mem_free(dirs[i]);
        if (i < 2)
            ingest_report_release(&report[i]);
    }
    pool_destroy(pool);
    mem_free(path);
    text_release(&csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_widen_when_rows_demand_it),
        cmocka_unit_test(null_words_beyond_the_sample_do_not_widen),
        cmocka_unit_test(streams_widen_too),
        cmocka_unit_test(bad_rows_are_told_once),
        cmocka_unit_test(what_fails_leaves_nothing),
        cmocka_unit_test(the_hash_is_of_the_content),
        cmocka_unit_test(a_dataset_prints_as_it_was_read),
        cmocka_unit_test(chunks_may_wait),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
