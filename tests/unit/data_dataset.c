/* data_dataset.c -- the dataset file: what goes in comes out, its name depends on content only,
 * damage is told in one line. */
#include "data_table.h"

#include "data/data_int.h"
#include "data/writer_int.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

static char dir[64];

static int make_dir(void **state)
{
    temp_dir(dir);
    (void)state;
    return 0;
}

static int drop_dir(void **state)
{
    (void)state;
    return dir_remove(dir, NULL) ? 0 : -1;
}

static Dataset *must_open(const char *path)
{
    Error err = {0};
    Dataset *d = dataset_open(path, &err);
    if (!d)
        fail_msg("%s", err.text);
    return d;
}

static void check_table(const Dataset *d, uint64_t rows, bool missing)
{
    Arena a = {0};
    uint64_t at = 0;
    assert_int_equal(dataset_rows(d), rows);
    for (size_t i = 0; i < dataset_chunks(d); i++) {
        Chunk is, was;
        arena_reset(&a);
        dataset_chunk(d, i, &a, &is);
        assert_int_equal(is.first, at);
        assert_true(i + 1 == dataset_chunks(d) || is.rows == CHUNK_ROWS);
        table_chunk(dataset_schema(d), at, is.rows, missing, &a, &was);
        assert_same_rows(&is, 0, &was, 0, is.rows);
        if (!missing)
            assert_null(is.column[7].valid);
        at += is.rows;
    }
    assert_int_equal(at, rows);
    arena_release(&a);
}

static void test_round_trip(void **state)
{
    static const uint64_t sizes[] = {0,
                                     1,
                                     2,
                                     7,
                                     8,
                                     63,
                                     64,
                                     65,
                                     1000,
                                     CHUNK_ROWS - 1,
                                     CHUNK_ROWS,
                                     CHUNK_ROWS + 1,
                                     2 * CHUNK_ROWS + 17};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (int missing = 0; missing < 2; missing++) {
            char hash[65];
            Error err = {0};
            char *path = table_write(dir, sizes[i], 0, missing, 2, hash);
            Dataset *d = must_open(path);
            assert_string_equal(dataset_hash(d), hash);
            check_table(d, sizes[i], missing);
            assert_true(dataset_verify(d, NULL, &err));
            assert_int_equal(dataset_schema(d)->field[2].role, ROLE_TARGET);
            assert_int_equal(dataset_schema(d)->field[7].nullable, false);
            if (!missing || sizes[i] > 100)
                assert_int_equal(dataset_schema(d)->field[1].nullable, missing);
            assert_int_equal(dataset_profile(d)->rows, sizes[i]);
            dataset_close(d);
            unlink(path);
            mem_free(path);
        }
    (void)state;
}

static void test_text_forms(void **state)
{
    char hash[65];
    char *path = table_write(dir, 3000, 0, true, 0, hash);
    Dataset *d = must_open(path);
    Arena a = {0};
    Chunk c;
    dataset_chunk(d, 0, &a, &c);
    assert_non_null(c.column[5].words); /* six cities */
    assert_int_equal(c.column[5].words->count, 6);
    assert_null(c.column[6].words);          /* every note another */
    for (size_t i = 0; i < c.columns; i++) { /* mapped, aligned */
        assert_int_equal((uintptr_t)c.column[i].integer % 64, 0);
        assert_int_equal((uintptr_t)c.column[i].valid % 64, 0);
    }
    arena_release(&a);
    dataset_close(d);
    mem_free(path);
    (void)state;
}

/* One content, one name: however the rows arrive and however many threads write. */
static void test_hash(void **state)
{
    static const size_t step[] = {1000, 65536, 0, 70001, 140000}, threads[] = {0, 1, 2, 3, 2};
    char first[65] = "", hash[65];
    for (size_t i = 0; i < COUNT_OF(step); i++) {
        char *path = table_write(dir, 140000, step[i], true, threads[i], hash);
        if (i == 0)
            strcpy(first, hash);
        assert_string_equal(hash, first);
        mem_free(path);
    }
    char *path = table_write(dir, 139999, 0, true, 2, hash);
    assert_string_not_equal(hash, first);
    mem_free(path);
    (void)state;
}

/* The dictionary of the chunk that arrives, with its unused words, leaves no trace in the name. */
static void test_hash_of_slices(void **state)
{
    char hash[65], again[65];
    Error err = {0};
    Arena a = {0};
    char *path = table_write(dir, 5000, 5000, true, 1, hash);
    Dataset *d = must_open(path);
    Chunk whole, part;
    dataset_chunk(d, 0, &a, &whole);
    DatasetWriter *w = dataset_writer_create(dir, dataset_schema(d), NULL, &err);
    for (size_t at = 0; at < 5000; at += 1) {
        chunk_slice(&whole, at, 1, &a, &part);
        assert_true(dataset_writer_add(w, &part, &err));
    }
    assert_true(dataset_writer_finish(w, again, &err));
    assert_string_equal(hash, again);
    dataset_writer_destroy(w);
    dataset_close(d);
    arena_release(&a);
    mem_free(path);
    (void)state;
}

/* Words that repeat in the first chunk and hardly do later: the file is written anew as plain text. */
static void late_words(uint64_t distinct, size_t memory, bool plain)
{
    Error err = {0};
    Schema s = {0};
    Arena a = {0};
    char hash[65], word[32];
    const uint64_t rows = 24 * CHUNK_ROWS, same = 2 * CHUNK_ROWS;
    schema_add(&s, "t", COLUMN_TEXT, ROLE_FEATURE);
    schema_add(&s, "n", COLUMN_INT, ROLE_FEATURE);
    schema_add(&s, "u", COLUMN_TEXT, ROLE_FEATURE);
    DatasetWriter *w = dataset_writer_create(dir, &s, NULL, &err);
    w->words_memory = memory ? memory : w->words_memory;
    for (uint64_t at = 0; at < rows; at += 50000) {
        size_t n = rows - at < 50000 ? (size_t)(rows - at) : 50000;
        arena_reset(&a);
        Column column[3];
        ColumnBuild *t = column_build(&a, "t", COLUMN_TEXT, n), *u, *k;
        u = column_build(&a, "u", COLUMN_TEXT, n);
        k = column_build(&a, "n", COLUMN_INT, n);
        for (uint64_t i = at; i < at + n; i++) {
            column_build_int(k, (int64_t)i);
            column_build_text(u, i % 3 ? "odd" : "even", i % 3 ? 3 : 4);
            if (i % 100 == 99)
                column_build_missing(t);
            else
                column_build_text(
                    t, word,
                    (size_t)snprintf(word, sizeof word, "w%llu",
                                     (unsigned long long)(i < same ? i % 10 : i % distinct)));
        }
        column_build_finish(t, &column[0]);
        column_build_finish(k, &column[1]);
        column_build_finish(u, &column[2]);
        Chunk c = {.rows = n, .columns = 3, .column = column, .first = at};
        assert_true(dataset_writer_add(w, &c, &err));
    }
    assert_true(dataset_writer_finish(w, hash, &err));
    dataset_writer_destroy(w);
    Text path = {0};
    text_printf(&path, "%s/%s.arrow", dir, hash);
    Dataset *d = must_open(text_str(&path));
    assert_true(dataset_verify(d, NULL, &err));
    for (size_t i = 0; i < dataset_chunks(d); i++) {
        Chunk c;
        arena_reset(&a);
        dataset_chunk(d, i, &a, &c);
        assert_true(plain == !c.column[0].words);
        assert_non_null(c.column[2].words);
        for (size_t r = 0; r < c.rows; r++) {
            uint64_t row = c.first + r;
            size_t n,
                m = (size_t)snprintf(word, sizeof word, "w%llu",
                                     (unsigned long long)(row < same ? row % 10 : row % distinct));
            const char *at = column_text(&c.column[0], r, &n);
            assert_int_equal(column_has(&c.column[0], r), row % 100 != 99);
            if (row % 100 != 99 && (n != m || memcmp(at, word, n) != 0))
                fail_msg("row %llu: '%.*s'", (unsigned long long)row, (int)n, at);
            if (c.column[1].integer[r] != (int64_t)row)
                fail_msg("row %llu", (unsigned long long)row);
        }
    }
    const ColumnProfile *p = profile_find(dataset_profile(d), "t");
    assert_int_equal(p->count, rows);
    assert_int_equal(p->missing, rows / 100);
    double many = (double)(distinct < rows ? distinct : rows - same) * 0.99;
    if (fabs(p->distinct - many) >= 0.04 * many)
        fail_msg("%g distinct instead of %g", p->distinct, many);
    dataset_close(d);
    text_release(&path);
    schema_release(&s);
    arena_release(&a);
}

/* Words that turn out hardly to repeat, and words that repeat but are too many for the memory. */
static void test_late_plain(void **state)
{
    (void)state;
    late_words(UINT64_MAX, 0, true);
    late_words(60000, 0, false);
    late_words(60000, (size_t)4 << 20, true);
}

static void test_locate(void **state)
{
    char hash[65];
    char *path = table_write(dir, CHUNK_ROWS + 10, 0, false, 1, hash);
    Dataset *d = must_open(path);
    size_t in;
    assert_int_equal(dataset_locate(d, 0, &in), 0);
    assert_int_equal(in, 0);
    assert_int_equal(dataset_locate(d, CHUNK_ROWS - 1, &in), 0);
    assert_int_equal(in, CHUNK_ROWS - 1);
    assert_int_equal(dataset_locate(d, CHUNK_ROWS, &in), 1);
    assert_int_equal(in, 0);
    assert_int_equal(dataset_locate(d, CHUNK_ROWS + 9, &in), 1);
    assert_int_equal(in, 9);
    dataset_close(d);
    mem_free(path);
    (void)state;
}

static void touch_all(Dataset *d)
{
    Arena a = {0};
    Text text = {0};
    for (size_t i = 0; i < dataset_chunks(d); i++) {
        Chunk c;
        dataset_chunk(d, i, &a, &c);
        for (size_t k = 0; k < c.columns; k++)
            for (size_t r = 0; r < c.rows; r++) {
                text_reset(&text);
                column_print(&c.column[k], r, &text);
            }
    }
    text_release(&text);
    arena_release(&a);
}

static void put_file(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void test_truncated(void **state)
{
    char hash[65], cut[96];
    char *path = table_write(dir, 20, 0, true, 0, hash);
    Text bytes = {0};
    assert_true(file_read(path, &bytes, 1 << 24, NULL));
    snprintf(cut, sizeof cut, "%s/cut.arrow", dir);
    put_file(cut, bytes.at, bytes.count);
    for (size_t n = bytes.count; n-- > 0;) {
        Error err = {0};
        assert_int_equal(truncate(cut, (off_t)n), 0);
        Dataset *d = dataset_open(cut, &err);
        assert_null(d);
        assert_true(text_starts(err.text, cut));
        assert_null(strchr(err.text, '\n'));
    }
    text_release(&bytes);
    mem_free(path);
    (void)state;
}

/* Cut while it is open and mapped: no signal, but a line that says so; who cannot hear sees rows
 * without values. */
static void test_cut_while_open(void **state)
{
    char hash[65];
    char *path = table_write(dir, 2 * CHUNK_ROWS + 5, 0, true, 0, hash);
    Dataset *d = must_open(path);
    Arena a = {0};
    Chunk c;
    Error err = {0};
    for (size_t i = 0; i < dataset_chunks(d); i++)
        assert_true(dataset_read(d, i, &a, &c, &err));
    assert_int_equal(truncate(path, (off_t)dataset_bytes(d) / 2), 0);
    for (size_t i = 0; i < dataset_chunks(d); i++) {
        assert_false(dataset_read(d, i, &a, &c, &err));
        assert_true(text_starts(err.text, path));
        assert_non_null(strstr(err.text, "became shorter"));
        dataset_chunk(d, i, &a, &c);
        for (size_t k = 0; k < c.columns; k++)
            for (size_t row = 0; row < c.rows; row++)
                assert_false(column_has(&c.column[k], row));
        Column one;
        dataset_column(d, i, 0, &a, &one);
        assert_false(column_has(&one, 0));
    }
    assert_false(dataset_sound(d, &err));
    assert_false(dataset_verify(d, NULL, &err));
    dataset_close(d);
    assert_null(dataset_open(path, &err));
    arena_release(&a);
    mem_free(path);
    (void)state;
}

/* Any byte changed: an error, or a file that opens, is read without a crash and, where the change is
 * in what the name covers, found out by dataset_verify. */
static void test_damaged(void **state)
{
    char hash[65], cut[96];
    char *path = table_write(dir, 300, 0, true, 0, hash);
    Text bytes = {0};
    size_t refused = 0, opened = 0, found = 0;
    assert_true(file_read(path, &bytes, 1 << 24, NULL));
    snprintf(cut, sizeof cut, "%s/cut.arrow", dir);
    put_file(cut, bytes.at, bytes.count);
    int file = open(cut, O_WRONLY);
    for (size_t at = 0; at < bytes.count; at += 17) {
        Error err = {0};
        char wrong = (char)(bytes.at[at] ^ (1 << at % 8));
        assert_int_equal(pwrite(file, &wrong, 1, (off_t)at), 1);
        Dataset *d = dataset_open(cut, &err);
        if (d) {
            opened++;
            touch_all(d);
            found += !dataset_verify(d, NULL, &err);
            dataset_close(d);
        } else {
            refused++;
            assert_true(text_starts(err.text, cut));
        }
        assert_int_equal(pwrite(file, &bytes.at[at], 1, (off_t)at), 1);
    }
    close(file);
    assert_true(refused > 50 && opened > 50 && found > 50);
    text_release(&bytes);
    mem_free(path);
    (void)state;
}

static void expect_refused(const char *name, const void *bytes, size_t n, const char *message)
{
    char path[96];
    Error err = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    put_file(path, bytes, n);
    assert_null(dataset_open(path, &err));
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
}

static void test_foreign_files(void **state)
{
    Error err = {0};
    expect_refused("empty", "", 0, "empty: the file is empty");
    expect_refused("text.csv", "a,b,c\n1,2,3\n4,5,6\n", 18, "text.csv: not an Arrow file");
    expect_refused("x.parquet", "PAR1aaaaaaaaaaaaaaaaPAR1", 24, "a Parquet file");
    expect_refused("x.feather", "FEA1aaaaaaaaaaaaaaaaFEA1", 24, "version 1");
    expect_refused("x.arrows", "\xff\xff\xff\xff\x10\0\0\0aaaaaaaaaaaaaaaa", 24, "broken stream");
    expect_refused("short", "ARROW1\0\0", 8, "truncated: 8 bytes");
    assert_null(dataset_open(dir, &err));
    assert_true(text_starts(err.text, dir));
    assert_null(dataset_open("/nowhere/at/all.arrow", &err));
    (void)state;
}

static void test_writer_refuses(void **state)
{
    Error err = {0};
    Schema none = {0}, twice = {0}, good = {0};
    Arena a = {0};
    Chunk c;
    assert_null(dataset_writer_create(dir, &none, NULL, &err));
    schema_add(&twice, "a", COLUMN_INT, ROLE_FEATURE);
    schema_add(&twice, "a", COLUMN_INT, ROLE_FEATURE);
    assert_null(dataset_writer_create(dir, &twice, NULL, &err));
    assert_string_equal(err.text, "two columns are named a");
    table_schema(&good);
    assert_null(dataset_writer_create("/nowhere/at/all", &good, NULL, &err));
    DatasetWriter *w = dataset_writer_create(dir, &good, NULL, &err);
    table_chunk(&good, 0, 10, true, &a, &c);
    c.columns--;
    assert_false(dataset_writer_add(w, &c, &err));
    assert_int_equal(err.kind, ERROR_SHAPE);
    dataset_writer_destroy(w); /* and nothing is left */
    Text ls = {0};
    text_printf(&ls, "ls -A %s/.dataset-* 2>/dev/null | grep -q .", dir);
    assert_int_not_equal(system(text_str(&ls)), 0);
    text_release(&ls);
    schema_release(&twice);
    schema_release(&good);
    arena_release(&a);
    (void)state;
}

/* A disk that is full: one line, nothing left behind, and no half file under a name. */
static void test_disk_full(void **state)
{
    Error err = {0};
    Schema s = {0};
    Arena a = {0};
    Chunk c;
    char hash[65];
    struct rlimit was, low;
    table_schema(&s);
    table_chunk(&s, 0, 20000, true, &a, &c);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t most = 0; most < 4000000; most += 700000) {
        DatasetWriter *w = dataset_writer_create(dir, &s, NULL, &err);
        low = (struct rlimit){most, was.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
        bool ok = true;
        for (int i = 0; i < 5 && ok; i++)
            ok = dataset_writer_add(w, &c, &err);
        ok = ok && dataset_writer_finish(w, hash, &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
        assert_false(ok);
        assert_int_equal(err.kind, ERROR_IO);
        assert_non_null(strstr(err.text, "cannot write: File too large"));
        err = (Error){0};
        assert_false(dataset_writer_finish(w, hash, &err));
        dataset_writer_destroy(w);
    }
    signal(SIGXFSZ, SIG_DFL);
    Text ls = {0};
    text_printf(&ls, "ls -A %s/.dataset-* 2>/dev/null | grep -q .", dir);
    assert_int_not_equal(system(text_str(&ls)), 0);
    text_release(&ls);
    schema_release(&s);
    arena_release(&a);
    (void)state;
}

/* ---- for arrow_js.sh ----------------------------------------------------------------------------------- */

/* Each value on a line of its own, raw: times in microseconds, dates in days, text as it is. */
static int dump(const char *path)
{
    Error err = {0};
    Dataset *d = dataset_open(path, &err);
    if (!d) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    Arena a = {0};
    Text text = {0};
    for (size_t i = 0; i < dataset_chunks(d); i++) {
        Chunk c;
        dataset_chunk(d, i, &a, &c);
        for (size_t k = 0; k < c.columns; k++)
            for (size_t r = 0; r < c.rows; r++) {
                const Column *col = &c.column[k];
                text_reset(&text);
                if (col->type == COLUMN_TIME && column_has(col, r))
                    text_printf(&text, "%lld", (long long)col->integer[r]);
                else if (col->type == COLUMN_DATE && column_has(col, r))
                    text_printf(&text, "%d", col->day[r]);
                else
                    value_print(col, r, &text);
                printf("%s\t%llu\t%s\n", col->name, (unsigned long long)(c.first + r),
                       text_str(&text));
            }
    }
    text_release(&text);
    arena_release(&a);
    dataset_close(d);
    return 0;
}

int main(int argc, char **argv)
{
    char hash[65];
    if (argc == 3 && strcmp(argv[1], "dump") == 0)
        return dump(argv[2]);
    if (argc == 3 && strcmp(argv[1], "write") == 0) {
        char *path = table_write(argv[2], CHUNK_ROWS + 5000, 0, true, 2, hash);
        puts(path);
        mem_free(path);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_text_forms),
        cmocka_unit_test(test_hash),          cmocka_unit_test(test_hash_of_slices),
        cmocka_unit_test(test_late_plain),    cmocka_unit_test(test_locate),
        cmocka_unit_test(test_truncated),     cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_foreign_files), cmocka_unit_test(test_writer_refuses),
        cmocka_unit_test(test_disk_full),     cmocka_unit_test(test_cut_while_open),
    };
    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
