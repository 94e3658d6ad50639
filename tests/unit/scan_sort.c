/* scan_sort.c -- the order of rows against a plain sort, in memory and out of it, on any threads. */
#include "scan_table.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define ROWS SCAN_ROWS

typedef struct Fixture {
    ScanTable table;
    const char *dir; /* the table's */
    Dataset *d;
    Chunk *chunk; /* all of them */
    Arena arena;
} Fixture;

static int make(void **state)
{
    Fixture *f = mem_alloc(sizeof *f);
    scan_table_make(&f->table);
    f->dir = f->table.dir;
    f->d = f->table.d;
    f->chunk = ARENA_NEW(&f->arena, Chunk, dataset_chunks(f->d));
    for (size_t i = 0; i < dataset_chunks(f->d); i++)
        dataset_chunk(f->d, i, &f->arena, &f->chunk[i]);
    *state = f;
    return 0;
}

static int drop(void **state)
{
    Fixture *f = *state;
    scan_table_drop(&f->table);
    arena_release(&f->arena);
    mem_free(f);
    return 0;
}

/* ---- the plain sort ----------------------------------------------------------------------------- */

typedef struct Plain {
    const Fixture *f;
    const SortKey *key;
    size_t keys;
} Plain;

static const Column *cell(const Fixture *f, uint32_t row, size_t column, size_t *r)
{
    size_t chunk = dataset_locate(f->d, row, r);
    return &f->chunk[chunk].column[column];
}

static int compare_rows(const void *x, const void *y, void *context)
{
    const Plain *p = context;
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    for (size_t k = 0; k < p->keys; k++) {
        size_t i, j;
        const Column *c = cell(p->f, a, p->key[k].column, &i);
        const Column *e = cell(p->f, b, p->key[k].column, &j);
        bool text = c->type == COLUMN_TEXT;
        bool none_a = !column_has(c, i) || (!text && isnan(column_real(c, i)));
        bool none_b = !column_has(e, j) || (!text && isnan(column_real(e, j)));
        int order = 0;
        if (none_a || none_b) {
            if (none_a != none_b)
                return none_a - none_b;
            continue;
        }
        if (text) {
            size_t n, m;
            const char *s = column_text(c, i, &n), *t = column_text(e, j, &m);
            order = memcmp(s, t, n < m ? n : m);
            order = order ? order : (n > m) - (n < m);
        } else {
            double v = column_real(c, i), w = column_real(e, j);
            order = (v > w) - (v < w);
        }
        if (order)
            return p->key[k].down ? -order : order;
    }
    return 0;
}

static int compare_stable(const void *x, const void *y, void *context)
{
    int order = compare_rows(x, y, context);
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return order ? order : (a > b) - (a < b);
}

static RowSet some_rows(const Fixture *f, Rng *rng)
{
    RowSet rows;
    Error err = {0};
    assert_true(rowset_all(f->d, &rows, &err));
    if (rng_below(rng, 2)) { /* a part of them, ascending so that stability is by number */
        size_t n = 0;
        for (size_t i = 0; i < rows.count; i++)
            if (rng_below(rng, 3) == 0)
                rows.row[n++] = rows.row[i];
        rows.count = n;
    }
    return rows;
}

static RowSet rows_copy(const RowSet *from)
{
    return (RowSet){mem_copy(from->row, (size_t)from->count * sizeof *from->row), from->count};
}

static void assert_same_order(const RowSet *a, const RowSet *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++)
        if (a->row[i] != b->row[i])
            fail_msg("place %zu: row %u, expected %u", i, a->row[i], b->row[i]);
}

static void test_orders(void **state)
{
    const Fixture *f = *state;
    Pool *pool[] = {NULL, pool_create(2), pool_create(3)};
    Rng rng;
    rng_seed(&rng, 11, 0);
    for (int round = 0; round < 24; round++) {
        SortKey key[3];
        size_t keys = round < 16 ? 1 : 2 + (size_t)rng_below(&rng, 2);
        for (size_t k = 0; k < keys; k++)
            key[k] = (SortKey){round < 16 ? (size_t)round % 8 : (size_t)rng_below(&rng, 8),
                               round < 16 ? round >= 8 : rng_below(&rng, 2)};
        if (keys > 1) /* ties for the others to settle */
            key[0].column = rng_below(&rng, 2) ? 0 : 5;
        RowSet rows = some_rows(f, &rng), plain = rows_copy(&rows);
        Plain p = {f, key, keys};
        qsort_r(plain.row, plain.count, sizeof *plain.row, compare_stable, &p);
        for (size_t way = 0; way < 5; way++) {
            RowSet sorted = rows_copy(&rows);
            Error err = {0};
            uint64_t memory = way < 3 ? 0 : way == 3 ? 1 : 300000;
            if (!scan_sort(f->d, key, keys, &sorted, memory, f->dir, pool[way % 3], NULL, &err))
                fail_msg("%s", err.text);
            assert_same_order(&sorted, &plain);
            rowset_release(&sorted);
        }
        rowset_release(&rows);
        rowset_release(&plain);
    }
    pool_destroy(pool[1]);
    pool_destroy(pool[2]);
}

/* ---- columns that are hard for digits -------------------------------------------------------------- */

static Dataset *hard_table(const char *dir, size_t rows, char path[256])
{
    Schema s = {0};
    Error err = {0};
    Arena a = {0};
    Chunk chunk;
    Column column[4];
    char hash[65];
    Rng rng;
    rng_seed(&rng, 3, 3);
    schema_add(&s, "near", COLUMN_REAL, ROLE_FEATURE);
    schema_add(&s, "wide", COLUMN_INT, ROLE_FEATURE);
    schema_add(&s, "text", COLUMN_TEXT, ROLE_FEATURE);
    schema_add(&s, "zero", COLUMN_REAL, ROLE_FEATURE);
    ColumnBuild *b[4];
    for (size_t c = 0; c < 4; c++)
        b[c] = column_build(&a, s.field[c].name, s.field[c].type, rows);
    for (size_t i = 0; i < rows; i++) {
        char text[80];
        uint64_t d = rng_next(&rng);
        memset(text, 'x', sizeof text);
        /* one value far away, the others differ in their last bits only */
        column_build_real(b[0], i == 7 ? 1e300 : 1 + (double)(d >> 40) * 0x1p-52);
        column_build_int(b[1], i % 3 == 0 ? (i % 2 ? INT64_MIN : INT64_MAX) : (int64_t)d);
        /* begin alike, end anywhere, also with zero bytes */
        size_t n = 20 + d % 40;
        text[n - 1] = (char)(d >> 20 & 3);
        if (d >> 30 & 1)
            text[14] = 'y';
        column_build_text(b[2], text, n);
        column_build_real(b[3], d & 1 ? 0.0 : -0.0);
    }
    for (size_t c = 0; c < 4; c++)
        column_build_finish(b[c], &column[c]);
    chunk = (Chunk){.rows = rows, .columns = 4, .column = column};
    DatasetWriter *w = dataset_writer_create(dir, &s, NULL, &err);
    assert_true(dataset_writer_add(w, &chunk, &err) && dataset_writer_finish(w, hash, &err));
    dataset_writer_destroy(w);
    schema_release(&s);
    arena_release(&a);
    snprintf(path, 256, "%s/%s.arrow", dir, hash);
    Dataset *d = dataset_open(path, &err);
    assert_non_null(d);
    return d;
}

static void test_hard_columns(void **state)
{
    char dir[64], path[256];
    temp_dir(dir);
    Fixture f = {.d = hard_table(dir, CHUNK_ROWS + 500, path)};
    f.chunk = ARENA_NEW(&f.arena, Chunk, dataset_chunks(f.d));
    for (size_t i = 0; i < dataset_chunks(f.d); i++)
        dataset_chunk(f.d, i, &f.arena, &f.chunk[i]);
    Pool *pool = pool_create(2);
    for (size_t c = 0; c < 4; c++)
        for (int way = 0; way < 4; way++) {
            SortKey key = {c, way & 1};
            RowSet rows, plain;
            Error err = {0};
            assert_true(rowset_all(f.d, &rows, &err) && rowset_all(f.d, &plain, &err));
            Plain p = {&f, &key, 1};
            if (c == 1) { /* beyond 2^53 numbers do not compare as doubles */
                assert_true(scan_sort(f.d, &key, 1, &rows, way < 2 ? 0 : 1, dir, pool, NULL, &err));
                for (size_t i = 1; i < rows.count; i++) {
                    size_t r, q;
                    int64_t v = cell(&f, rows.row[i - 1], 1, &r)->integer[r];
                    int64_t w = cell(&f, rows.row[i], 1, &q)->integer[q];
                    v = cell(&f, rows.row[i - 1], 1, &r)->integer[r];
                    assert_true(key.down ? v >= w : v <= w);
                    assert_true(v != w || rows.row[i - 1] < rows.row[i]);
                }
            } else {
                qsort_r(plain.row, plain.count, sizeof *plain.row, compare_stable, &p);
                assert_true(scan_sort(f.d, &key, 1, &rows, way < 2 ? 0 : 1, dir, pool, NULL, &err));
                assert_same_order(&rows, &plain);
            }
            rowset_release(&rows);
            rowset_release(&plain);
        }
    pool_destroy(pool);
    dataset_close(f.d);
    arena_release(&f.arena);
    dir_remove(dir, NULL);
    (void)state;
}

/* ---- memory ---------------------------------------------------------------------------------------- */

#define MANY (5u << 20) /* 80 MB of pairs: more than the 64 MB that malloc keeps for a thread */

/* In a process of its own, so that what it took and freed is not there to be taken again. */
static bool many_rows(const char *dir, const char *name)
{
    Schema s = {0};
    Error err = {0};
    Arena a = {0};
    char hash[65], path[256];
    schema_add(&s, "v", COLUMN_REAL, ROLE_FEATURE);
    DatasetWriter *w = dataset_writer_create(dir, &s, NULL, &err);
    for (size_t at = 0; at < MANY; at += CHUNK_ROWS) {
        Column column;
        arena_reset(&a);
        ColumnBuild *b = column_build(&a, "v", COLUMN_REAL, CHUNK_ROWS);
        for (size_t i = 0; i < CHUNK_ROWS; i++)
            column_build_real(b, (double)(table_dice(at + i, 1) >> 20) / 1e3);
        column_build_finish(b, &column);
        Chunk chunk = {.rows = CHUNK_ROWS, .columns = 1, .column = &column};
        assert_true(dataset_writer_add(w, &chunk, &err));
    }
    assert_true(dataset_writer_finish(w, hash, &err));
    dataset_writer_destroy(w);
    schema_release(&s);
    arena_release(&a);
    snprintf(path, sizeof path, "%s/%s.arrow", dir, hash);
    return rename(path, name) == 0;
}

/* In a process that may take 24 MB more than it has: 0 when the sort in 8 MB succeeds, where
 * one of 1 GB does not. */
static int sort_within(const char *name, const char *dir)
{
    RowSet rows;
    Error err = {0};
    const Dataset *d = dataset_open(name, &err);
    SortKey key = {0, false};
    unsigned long pages = 0;
    malloc_trim(0); /* what was freed before counts as taken */
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || !d || !rowset_all(d, &rows, &err) || fscanf(f, "%lu", &pages) != 1)
        return 1;
    fclose(f);
    rlim_t most = pages * (rlim_t)sysconf(_SC_PAGESIZE) + (24u << 20);
    if (setrlimit(RLIMIT_AS, &(struct rlimit){most, most}) != 0)
        return 2;
    if (scan_sort(d, &key, 1, &rows, 0, dir, NULL, NULL, &err) || err.kind != ERROR_SPACE)
        return 3;
    if (!scan_sort(d, &key, 1, &rows, 8 << 20, dir, NULL, NULL, &err))
        return 4;
    Column c[MANY / CHUNK_ROWS];
    Arena a = {0};
    for (size_t i = 0; i < MANY / CHUNK_ROWS; i++)
        dataset_column(d, i, 0, &a, &c[i]);
    for (size_t i = 1; i < MANY; i++) {
        uint32_t x = rows.row[i - 1], y = rows.row[i];
        double v = c[x / CHUNK_ROWS].real[x % CHUNK_ROWS],
               w = c[y / CHUNK_ROWS].real[y % CHUNK_ROWS];
        if (v > w || (v == w && x > y))
            return 5;
    }
    return 0;
}

static void test_memory(void **state)
{
#ifdef LATHE_SANITIZED
    skip(); /* its own memory is not to be told from ours */
#endif
    char dir[64], name[128];
    temp_dir(dir);
    snprintf(name, sizeof name, "%s/many.arrow", dir);
    for (int i = 0; i < 2; i++) {
        int status = -1;
        pid_t child = fork();
        if (child == 0)
            _exit(i ? sort_within(name, dir) : !many_rows(dir, name));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    dir_remove(dir, NULL);
    (void)state;
}

static void test_refused(void **state)
{
    const Fixture *f = *state;
    Error err = {0};
    RowSet rows;
    SortKey key = {TABLE_COLUMNS, false};
    assert_true(rowset_all(f->d, &rows, &err));
    assert_false(scan_sort(f->d, &key, 1, &rows, 0, f->dir, NULL, NULL, &err));
    assert_int_equal(err.kind, ERROR_USAGE);
    Progress p = {0};
    stop_ask(&p.stop);
    key.column = 2;
    err = (Error){0};
    assert_false(scan_sort(f->d, &key, 1, &rows, 0, f->dir, NULL, &p, &err));
    assert_int_equal(err.kind, ERROR_STOP);
    err = (Error){0};
    assert_false(scan_sort(f->d, &key, 1, &rows, 1, "/nonexistent", NULL, NULL, &err));
    assert_int_equal(err.kind, ERROR_IO);
    rowset_release(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_hard_columns),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
