/* data_formats.c -- tables written for other programs and read back: random schemas and values through every
 * format and packing; what a broken, cut or foreign file is told; nothing half-written is named. */
#include "data/columns_int.h"
#include "unit/data_table.h"

#include <sys/resource.h>
#include <signal.h>

typedef struct Table {
    Schema schema;
    Arena arena;
    VEC(Chunk) chunks;
    uint64_t rows;
} Table;

static void table_release(Table *t)
{
    schema_release(&t->schema);
    arena_release(&t->arena);
    vec_release(&t->chunks);
}

static void random_value(ColumnBuild *b, ColumnType type, Rng *r, bool many)
{
    static const char *const word[] = {"",    "a",         "Zürich", "東京", "quote \"x\"",
                                       "a,b", "line\nend", "🚕",      "0",    "NULL"};
    static const double real[] = {0.0, -0.0, 1.5, -2.25, 1e300, 5e-324, 0.1};
    char text[64];
    uint64_t d = rng_next(r);
    switch (type) {
    case COLUMN_BOOL:
        column_build_int(b, d & 1);
        break;
    case COLUMN_INT:
        column_build_int(b, d % 7 == 0    ? INT64_MIN
                            : d % 11 == 0 ? INT64_MAX
                                          : (int64_t)(d >> 40) - 1000);
        break;
    case COLUMN_TIME:
        column_build_int(b, (int64_t)(d >> 14) - 300000000000000);
        break;
    case COLUMN_DATE:
        column_build_int(b, (int64_t)(d >> 32) % 60000 - 30000);
        break;
    case COLUMN_REAL:
        column_build_real(b, d % 13 == 0   ? (double)NAN
                             : d % 17 == 0 ? (double)INFINITY
                             : d % 19 == 0 ? (double)-INFINITY
                             : d % 3 == 0  ? real[(d >> 8) % 7]
                                           : rng_normal(r));
        break;
    default:
        if (many)
            column_build_text(
                b, text, (size_t)snprintf(text, sizeof text, "%016llx ü", (unsigned long long)d));
        else
            column_build_text(b, word[(d >> 8) % 10], strlen(word[(d >> 8) % 10]));
    }
}

/* Of each column: how often a value is missing (0 never, 1 some, 2 all), and whether its words repeat. */
static void random_table(Table *t, uint64_t seed, size_t columns, uint64_t rows)
{
    Rng r;
    int missing[16];
    bool many[16];
    *t = (Table){.rows = rows};
    rng_seed(&r, seed, 3);
    for (size_t c = 0; c < columns; c++) {
        char name[32];
        snprintf(name, sizeof name, "c %zu ä", c);
        schema_add(&t->schema, name, (ColumnType)rng_below(&r, COLUMN_TYPE_COUNT), ROLE_FEATURE);
        missing[c] = (int)rng_below(&r, 8) == 0 ? 2 : (int)rng_below(&r, 2);
        many[c] = rng_below(&r, 2);
    }
    for (uint64_t at = 0; at < rows;) {
        size_t n = (size_t)rng_below(&r, CHUNK_ROWS) + 1;
        n = rows - at < n ? (size_t)(rows - at) : n;
        Column *column = ARENA_NEW(&t->arena, Column, columns);
        for (size_t c = 0; c < columns; c++) {
            ColumnBuild *b =
                column_build(&t->arena, t->schema.field[c].name, t->schema.field[c].type, n);
            for (size_t i = 0; i < n; i++)
                if (missing[c] == 2 || (missing[c] && rng_below(&r, 5) == 0))
                    column_build_missing(b);
                else
                    random_value(b, t->schema.field[c].type, &r, many[c]);
            column_build_finish(b, &column[c]);
        }
        vec_add(&t->chunks, (Chunk){.rows = n, .columns = columns, .column = column, .first = at});
        at += n;
    }
}

static bool write_table(const Table *t, const char *path, const char *compress, Pool *pool,
                        Error *err)
{
    TableWriter *w =
        table_writer_create(path, &t->schema, &(TableOptions){.compress = compress}, pool, err);
    bool ok = w != NULL;
    for (size_t i = 0; i < t->chunks.count && ok; i++)
        ok = table_writer_add(w, &t->chunks.at[i], err);
    ok = ok && table_writer_finish(w, err);
    table_writer_destroy(w);
    return ok;
}

/* The very same bits: -0.0 is not 0.0. */
static void assert_same(const Column *a, size_t i, const Column *b, size_t k)
{
    assert_int_equal(column_has(a, i), column_has(b, k));
    if (!column_has(a, i))
        return;
    if (a->type == COLUMN_REAL && !isnan(a->real[i]))
        assert_memory_equal(&a->real[i], &b->real[k], 8);
    assert_same_value(a, i, b, k);
}

static void assert_reads_back(const Table *t, const char *path, Pool *pool)
{
    Error err = {0};
    ReaderSetup setup = {.pool = pool};
    Reader *r = reader_open_with(path, NULL, NULL, &setup, NULL, NULL, NULL, &err);
    if (!r)
        fail_msg("%s", err.text);
    const Schema *s = reader_schema(r);
    assert_int_equal(s->count, t->schema.count);
    for (size_t c = 0; c < s->count; c++) {
        assert_string_equal(s->field[c].name, t->schema.field[c].name);
        assert_int_equal(s->field[c].type, t->schema.field[c].type);
    }
    uint64_t rows = 0;
    size_t at = 0, in = 0; /* chunk and row of the table */
    for (Chunk got;;) {
        if (!reader_next(r, &got, &err))
            fail_msg("%s", err.text);
        if (!got.rows)
            break;
        for (size_t i = 0; i < got.rows; i++, in++) {
            if (in == t->chunks.at[at].rows)
                at++, in = 0;
            for (size_t c = 0; c < got.columns; c++)
                assert_same(&t->chunks.at[at].column[c], in, &got.column[c], i);
        }
        rows += got.rows;
    }
    assert_int_equal(rows, t->rows);
    reader_close(r);
}

static const struct {
    const char *ending, *compress;
} ways[] = {{"arrow", "none"},   {"arrow", "zstd"},   {"arrow", "lz4"},    {"arrows", "none"},
            {"arrows", "zstd"},  {"arrows", "lz4"},   {"parquet", "none"}, {"parquet", "snappy"},
            {"parquet", "zstd"}, {"parquet", "gzip"}, {"parquet", "lz4"}};

static void test_round_trips(void **state)
{
    static const uint64_t rows[] = {0, 1, 7, 100, 3000, 70000};
    char dir[64], path[128];
    (void)state;
    temp_dir(dir);
    Pool *pool = pool_create(2);
    for (uint64_t seed = 0; seed < 18; seed++) {
        Table t;
        Error err = {0};
        random_table(&t, seed, 1 + seed % 9, rows[seed % 6]);
        for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
            if (t.rows > 3000 && w % 3 != seed % 3)
                continue; /* the large ones in turns */
            snprintf(path, sizeof path, "%s/t.%s", dir, ways[w].ending);
            if (!write_table(&t, path, ways[w].compress, seed % 2 ? pool : NULL, &err))
                fail_msg("%s", err.text);
            assert_reads_back(&t, path, seed % 3 ? pool : NULL);
        }
        table_release(&t);
    }
    pool_destroy(pool);
    dir_remove(dir, NULL);
}

/* Beyond one row group, and beyond one stretch of the reader. */
static void test_many_rows(void **state)
{
    char dir[64], path[128];
    Table t;
    Error err = {0};
    (void)state;
    temp_dir(dir);
    Pool *pool = pool_create(2);
    random_table(&t, 4, 3, 5 * (uint64_t)CHUNK_ROWS + 123);
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w += 4) {
        snprintf(path, sizeof path, "%s/t.%s", dir, ways[w].ending);
        if (!write_table(&t, path, ways[w].compress, pool, &err))
            fail_msg("%s", err.text);
        assert_reads_back(&t, path, pool);
    }
    table_release(&t);
    pool_destroy(pool);
    dir_remove(dir, NULL);
}

/* One dataset through every format is the same dataset again; its dictionaries stay dictionaries. */
static void test_dataset(void **state)
{
    char dir[64], hash[65], path[128];
    Error err = {0};
    (void)state;
    temp_dir(dir);
    Pool *pool = pool_create(2);
    char *file = table_write(dir, 100000, 0, true, 2, hash);
    Dataset *d = dataset_open(file, &err);
    assert_non_null(d);
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        Arena a = {0};
        Chunk c;
        const Words *words[TABLE_COLUMNS] = {0};
        dataset_chunk(d, 0, &a, &c);
        for (size_t i = 0; i < c.columns; i++)
            words[i] = c.column[i].type == COLUMN_TEXT ? c.column[i].words : NULL;
        snprintf(path, sizeof path, "%s/t.%s", dir, ways[w].ending);
        TableWriter *out = table_writer_create(
            path, dataset_schema(d), &(TableOptions){.compress = ways[w].compress, .words = words},
            pool, &err);
        assert_non_null(out);
        for (size_t i = 0; i < dataset_chunks(d); i++) {
            dataset_chunk(d, i, &a, &c);
            assert_true(table_writer_add(out, &c, &err));
        }
        assert_true(table_writer_finish(out, &err));
        table_writer_destroy(out);
        arena_release(&a);
        /* read again, with the roles it had, it has the name it had */
        Reader *r = reader_open(path, NULL, dataset_schema(d), NULL, NULL, NULL, &err);
        assert_non_null(r);
        DatasetWriter *again = dataset_writer_create(dir, reader_schema(r), pool, &err);
        for (;;) {
            if (!reader_next(r, &c, &err))
                fail_msg("%s", err.text);
            if (!c.rows)
                break;
            assert_true(dataset_writer_add(again, &c, &err));
        }
        char same[65];
        assert_true(dataset_writer_finish(again, same, &err));
        assert_string_equal(same, hash);
        dataset_writer_destroy(again);
        reader_close(r);
    }
    dataset_close(d);
    mem_free(file);
    pool_destroy(pool);
    dir_remove(dir, NULL);
}

static void test_csv(void **state)
{
    char dir[64], hash[65], path[128], first[65] = "";
    static const char *const names[] = {"t.csv", "t.csv.gz", "t.csv.zst"};
    Error err = {0};
    (void)state;
    temp_dir(dir);
    Pool *pool = pool_create(2);
    char *file = table_write(dir, 30000, 0, false, 2, hash);
    Dataset *d = dataset_open(file, &err);
    for (size_t i = 0; i < 3; i++) {
        Arena a = {0};
        IngestReport report;
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        TableWriter *w = table_writer_create(path, dataset_schema(d), NULL, pool, &err);
        assert_non_null(w);
        for (size_t k = 0; k < dataset_chunks(d); k++) {
            Chunk c;
            dataset_chunk(d, k, &a, &c);
            assert_true(table_writer_add(w, &c, &err));
        }
        assert_true(table_writer_finish(w, &err));
        table_writer_destroy(w);
        arena_release(&a);
        if (!ingest(path, NULL, dir, pool, NULL, NULL, NULL, &report, &err))
            fail_msg("%s", err.text);
        assert_int_equal(report.rows, 30000);
        assert_int_equal(report.rejects, 0);
        if (*first)
            assert_string_equal(first, report.hash); /* packed or not, the same table */
        memcpy(first, report.hash, 65);
        ingest_report_release(&report);
    }
    dataset_close(d);
    mem_free(file);
    pool_destroy(pool);
    dir_remove(dir, NULL);
}

/* Cut at any of many places, or with any byte of many changed: one line, or other values; no crash. */
static void test_damaged(void **state)
{
    char dir[64], path[128], bad[128];
    Error err = {0};
    Table t;
    (void)state;
    temp_dir(dir);
    random_table(&t, 11, 6, 500);
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        Text bytes = {0};
        snprintf(path, sizeof path, "%s/t.%s", dir, ways[w].ending);
        assert_true(write_table(&t, path, ways[w].compress, NULL, &err));
        assert_true(file_read(path, &bytes, 1 << 24, &err));
        snprintf(bad, sizeof bad, "%s/bad", dir);
        for (size_t i = 1; i < 60; i++) {
            size_t n = bytes.count * i / 60;
            bool cut = i % 2;
            if (!cut)
                bytes.at[n] ^= (char)0x5a;
            assert_true(file_write(bad, bytes.at, cut ? n : bytes.count, &err));
            if (!cut)
                bytes.at[n] ^= (char)0x5a;
            err = (Error){0};
            Reader *r = reader_open(bad, NULL, NULL, NULL, NULL, NULL, &err);
            bool ok = r != NULL;
            for (Chunk c = {.rows = 1}; ok && c.rows;)
                ok = reader_next(r, &c, &err);
            if (cut && n > 8)
                assert_false(ok && strcmp(ways[w].ending, "arrows") != 0);
            if (!ok) {
                assert_true(err.kind != ERROR_NONE);
                assert_null(strchr(err.text, '\n'));
                assert_non_null(strstr(err.text, "bad"));
            }
            reader_close(r);
            err = (Error){0};
        }
        text_release(&bytes);
    }
    table_release(&t);
    dir_remove(dir, NULL);
}

/* A quota that ends the file early: an error, and neither the name nor a part is there. */
static void test_disk_full(void **state)
{
    char dir[64], path[128];
    Error err = {0};
    Table t;
    struct rlimit was, small = {20000, 20000};
    (void)state;
    temp_dir(dir);
    random_table(&t, 5, 4, 20000);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    small.rlim_max = was.rlim_max;
    for (size_t w = 0; w < 4; w++) {
        static const char *const ending[] = {"csv", "arrow", "arrows", "parquet"};
        snprintf(path, sizeof path, "%s/t.%s", dir, ending[w]);
        setrlimit(RLIMIT_FSIZE, &small);
        bool ok = write_table(&t, path, "", NULL, &err);
        setrlimit(RLIMIT_FSIZE, &was);
        assert_false(ok);
        assert_int_equal(err.kind, ERROR_IO);
        assert_false(file_exists(path));
        err = (Error){0};
    }
    table_release(&t);
    assert_int_equal(rmdir(dir), 0); /* nothing was left */
}

static void expect_usage(const char *path, const char *format, const char *compress,
                         const char *said)
{
    Error err = {0};
    Schema s = {0};
    schema_add(&s, "a", COLUMN_INT, ROLE_FEATURE);
    assert_null(table_writer_create(
        path, &s, &(TableOptions){.format = format, .compress = compress}, NULL, &err));
    assert_int_equal(err.kind, ERROR_USAGE);
    if (!strstr(err.text, said))
        fail_msg("'%s' lacks '%s'", err.text, said);
    schema_release(&s);
}

static void test_usage(void **state)
{
    (void)state;
    expect_usage("/tmp/x.txt", "", "", ".parquet");
    expect_usage("/tmp/x.csv", "excel", "", "format=csv");
    expect_usage("/tmp/x.csv", "", "snappy", "compress: expected none, gzip, zstd for csv");
    expect_usage("/tmp/x.parquet.gz", "", "brotli",
                 "compress: expected snappy, zstd, gzip, lz4, none");
    assert_true(table_named("a/b.csv.gz"));
    assert_true(table_named("x.feather"));
    assert_false(table_named("x.onnx"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_dataset),     cmocka_unit_test(test_csv),
        cmocka_unit_test(test_damaged),     cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
