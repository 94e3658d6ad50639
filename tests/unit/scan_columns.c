/* scan_columns.c -- profiles of some rows, correlations and densities against plain sums. */
#include "scan_table.h"

#define ROWS SCAN_ROWS

typedef struct Fixture {
    ScanTable table;
    Dataset *d; /* the table's */
    Pool *pool[3];
    RowSet all, some;
} Fixture;

static int make(void **state)
{
    Fixture *f = mem_alloc(sizeof *f);
    Error err = {0};
    Rng rng;
    scan_table_make(&f->table);
    f->d = f->table.d;
    memcpy(f->pool, f->table.pool, sizeof f->pool);
    assert_true(rowset_all(f->d, &f->all, &err) && rowset_all(f->d, &f->some, &err));
    assert_int_equal(f->all.count, ROWS);
    for (size_t i = 0; i < ROWS; i++)
        assert_int_equal(f->all.row[i], i);
    rng_seed(&rng, 4, 4);
    rng_shuffle(&rng, f->some.row, f->some.count);
    f->some.count /= 3;
    *state = f;
    return 0;
}

static int drop(void **state)
{
    Fixture *f = *state;
    rowset_release(&f->all);
    rowset_release(&f->some);
    scan_table_drop(&f->table);
    mem_free(f);
    return 0;
}

static double *values(const Fixture *f, size_t column, const RowSet *rows)
{
    Arena a = {0};
    Chunk *chunk = ARENA_NEW(&a, Chunk, dataset_chunks(f->d));
    double *v = mem_alloc((rows->count + 1) * sizeof *v);
    for (size_t i = 0; i < dataset_chunks(f->d); i++)
        dataset_chunk(f->d, i, &a, &chunk[i]);
    for (size_t i = 0; i < rows->count; i++) {
        size_t r, at = dataset_locate(f->d, rows->row[i], &r);
        v[i] = column_real(&chunk[at].column[column], r);
    }
    arena_release(&a);
    return v;
}

/* ---- profiles ------------------------------------------------------------------------------------- */

static void same_profile(const Profile *a, const Profile *b, bool sketched)
{
    const ColumnProfile *x = a->column, *y = b->column;
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(x->count, y->count);
    assert_int_equal(x->missing, y->missing);
    assert_int_equal(x->nans, y->nans);
    assert_int_equal(x->zeros, y->zeros);
    assert_int_equal(x->negatives, y->negatives);
    assert_int_equal(x->shortest, y->shortest);
    assert_int_equal(x->longest, y->longest);
    if (x->numeric) {
        assert_true((x->least == y->least && x->most == y->most) || isnan(x->least));
        assert_true(fabs(x->mean - y->mean) <= 1e-12 * fabs(x->deviation) + 1e-300);
    }
    if (sketched)
        return;
    assert_true(x->distinct == y->distinct);
    assert_int_equal(x->tops, y->tops);
    for (size_t i = 0; i < x->tops; i++)
        assert_string_equal(x->top[i].value, y->top[i].value);
}

static void test_profile(void **state)
{
    const Fixture *f = *state;
    for (size_t c = 0; c < TABLE_COLUMNS; c++)
        for (int part = 0; part < 3; part++) {
            const RowSet *rows = part == 0 ? NULL : part == 1 ? &f->all : &f->some;
            Profile p[3];
            Error err = {0};
            Arena a = {0};
            for (int t = 0; t < 3; t++)
                assert_true(scan_profile(f->d, c, rows, f->pool[t], NULL, &p[t], &err));
            for (int t = 1; t < 3; t++) { /* the same bits */
                json_t *x = profile_to_json(&p[0]), *y = profile_to_json(&p[t]);
                assert_true(json_equal(x, y));
                json_decref(x);
                json_decref(y);
            }
            /* against one profiler that sees the rows in a chunk of their own */
            Schema s = {0};
            const Field *field = &dataset_schema(f->d)->field[c];
            schema_add(&s, field->name, field->type, field->role);
            Profiler *one = profiler_create(&s);
            Profile plain;
            const RowSet *list = rows ? rows : &f->all;
            Chunk *chunk = ARENA_NEW(&a, Chunk, dataset_chunks(f->d));
            for (size_t i = 0; i < dataset_chunks(f->d); i++)
                dataset_chunk(f->d, i, &a, &chunk[i]);
            for (size_t i = 0; i < list->count; i++) {
                size_t r, at = dataset_locate(f->d, list->row[i], &r);
                Chunk row;
                Arena b = {0};
                chunk_slice(&chunk[at], r, 1, &b, &row);
                Chunk cell = {.rows = 1, .columns = 1, .column = &row.column[c]};
                profiler_add(one, &cell);
                arena_release(&b);
                if (c == 6 && i > 5000)
                    break;
            }
            profiler_finish(one, &plain);
            if (c != 6)
                same_profile(&p[0], &plain, plain.column[0].distinct > 4000);
            else
                assert_int_equal(p[0].rows, list->count);
            profile_release(&plain);
            for (int t = 0; t < 3; t++)
                profile_release(&p[t]);
            schema_release(&s);
            arena_release(&a);
        }
}

/* ---- correlation ----------------------------------------------------------------------------------- */

typedef struct Ranked {
    double v;
    size_t i;
} Ranked;

static int by_value(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    return (x->v > y->v) - (x->v < y->v);
}

static void rank(double *v, size_t n)
{
    Ranked *r = mem_alloc((n + 1) * sizeof *r);
    for (size_t i = 0; i < n; i++)
        r[i] = (Ranked){v[i], i};
    qsort(r, n, sizeof *r, by_value);
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && r[end].v == r[i].v)
            end++;
        for (size_t k = i; k < end; k++)
            v[r[k].i] = 0.5 * (double)(i + end - 1);
        i = end;
    }
    mem_free(r);
}

static double pearson(const double *x, const double *y, size_t n)
{
    double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        mx += x[i] / (double)n;
        my += y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
        xy += (x[i] - mx) * (y[i] - my);
    }
    return xy / sqrt(xx * yy);
}

static void check_pair(const Fixture *f, const Correlation *c, const RowSet *rows, size_t i,
                       size_t j)
{
    double *x = values(f, c->column[i], rows), *y = values(f, c->column[j], rows);
    size_t n = 0;
    for (size_t r = 0; r < rows->count; r++)
        if (isfinite(x[r]) && isfinite(y[r])) {
            x[n] = x[r];
            y[n++] = y[r];
        }
    double want = pearson(x, y, n), is = c->pearson[i * c->columns + j];
    if (!(fabs(want - is) < 1e-9))
        fail_msg("pearson %zu %zu: %.12f, expected %.12f", i, j, is, want);
    assert_true(is == c->pearson[j * c->columns + i]);
    rank(x, n);
    rank(y, n);
    want = pearson(x, y, n);
    is = c->spearman[i * c->columns + j];
    if (!(fabs(want - is) < (rows->count <= 100000 ? 1e-9 : 0.02)))
        fail_msg("spearman %zu %zu: %.12f, expected %.12f", i, j, is, want);
    mem_free(x);
    mem_free(y);
}

static void test_correlation(void **state)
{
    const Fixture *f = *state;
    for (int part = 0; part < 2; part++) {
        const RowSet *rows = part ? &f->some : NULL;
        Correlation c[3];
        Arena a[3] = {0};
        Error err = {0};
        for (int t = 0; t < 3; t++)
            assert_true(scan_correlation(f->d, rows, f->pool[t], NULL, &a[t], &c[t], &err));
        assert_int_equal(c[0].columns, 6);
        size_t bytes = c[0].columns * c[0].columns * sizeof(double);
        for (int t = 1; t < 3; t++) {
            assert_memory_equal(c[0].pearson, c[t].pearson, bytes);
            assert_memory_equal(c[0].spearman, c[t].spearman, bytes);
        }
        for (size_t i = 0; i < c[0].columns; i++) {
            assert_true(c[0].pearson[i * c[0].columns + i] == 1);
            for (size_t j = 0; j < i; j++)
                check_pair(f, &c[0], rows ? rows : &f->all, i, j);
        }
        for (int t = 0; t < 3; t++)
            arena_release(&a[t]);
    }
}

/* Known values: Anscombe (1973), "Graphs in Statistical Analysis": the four sets have r = 0.816. */
static void test_known(void **state)
{
    static const double x[11] = {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5};
    static const double y[11] = {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68};
    char dir[64], hash[65], path[256];
    Schema s = {0};
    Error err = {0};
    Arena a = {0};
    Column column[3];
    temp_dir(dir);
    const char *const names[] = {"x", "y", "same"};
    for (size_t c = 0; c < 3; c++) {
        schema_add(&s, names[c], COLUMN_REAL, ROLE_FEATURE);
        ColumnBuild *b = column_build(&a, names[c], COLUMN_REAL, 11);
        for (size_t i = 0; i < 11; i++)
            column_build_real(b, c == 0 ? x[i] : c == 1 ? y[i] : 0.1);
        column_build_finish(b, &column[c]);
    }
    Chunk chunk = {.rows = 11, .columns = 3, .column = column};
    DatasetWriter *w = dataset_writer_create(dir, &s, NULL, &err);
    assert_true(dataset_writer_add(w, &chunk, &err) && dataset_writer_finish(w, hash, &err));
    dataset_writer_destroy(w);
    snprintf(path, sizeof path, "%s/%s.arrow", dir, hash);
    Dataset *d = dataset_open(path, &err);
    Correlation c;
    assert_true(scan_correlation(d, NULL, NULL, NULL, &a, &c, &err));
    assert_true(fabs(c.pearson[1] - 0.81642) < 1e-5);
    assert_true(fabs(c.spearman[1] - 0.81818) < 1e-5);
    assert_true(isnan(c.pearson[2]) && isnan(c.pearson[8]) && isnan(c.spearman[5]));
    dataset_close(d);
    schema_release(&s);
    arena_release(&a);
    dir_remove(dir, NULL);
    (void)state;
}

/* ---- density ------------------------------------------------------------------------------------------ */

static void test_density(void **state)
{
    const Fixture *f = *state;
    for (int part = 0; part < 4; part++) {
        const RowSet *rows = part & 1 ? &f->some : NULL, *list = rows ? rows : &f->all;
        double *x = values(f, 1, list), *y = values(f, 2, list);
        Density d[3];
        Arena a = {0};
        Error err = {0};
        uint64_t inside = 0, outside = 0, missing = 0;
        for (int t = 0; t < 3; t++) {
            d[t] = (Density){.x_column = 1, .y_column = 2, .width = 31, .height = 17};
            if (part < 2) {
                d[t].x_least = -100;
                d[t].x_most = 400;
                d[t].y_least = -1e4;
                d[t].y_most = 2e4;
            }
            assert_true(scan_density(f->d, &d[t], rows, f->pool[t], NULL, &a, &err));
            assert_memory_equal(d[0].cell, d[t].cell, 31 * 17 * sizeof(uint64_t));
        }
        uint64_t cell[31 * 17] = {0};
        for (size_t i = 0; i < list->count; i++) {
            bool in =
                x[i] >= d->x_least && x[i] <= d->x_most && y[i] >= d->y_least && y[i] <= d->y_most;
            if (!isfinite(x[i]) || !isfinite(y[i])) {
                missing++;
            } else if (!in) {
                outside++;
            } else {
                double u = (x[i] - d->x_least) / (d->x_most - d->x_least) * 31;
                double v = (y[i] - d->y_least) / (d->y_most - d->y_least) * 17;
                inside++;
                cell[(size_t)fmin(v, 16) * 31 + (size_t)fmin(u, 30)]++;
            }
        }
        assert_int_equal(d->inside, inside);
        assert_int_equal(d->outside, outside);
        assert_int_equal(d->missing, missing);
        uint64_t differ = 0; /* a value on an edge may fall on either side by rounding */
        for (size_t i = 0; i < 31 * 17; i++)
            differ += cell[i] > d->cell[i] ? cell[i] - d->cell[i] : d->cell[i] - cell[i];
        assert_true(differ <= inside / 50);
        if (part >= 2) /* chosen: half a percent on each side of both */
            assert_true(outside < list->count * 25 / 1000 && outside > list->count * 10 / 1000);
        mem_free(x);
        mem_free(y);
        arena_release(&a);
    }
}

static void test_refused(void **state)
{
    const Fixture *f = *state;
    Arena a = {0};
    Profile p;
    Error err = {0};
    Density d = {.x_column = 5, .y_column = 2, .width = 10, .height = 10};
    assert_false(scan_density(f->d, &d, NULL, NULL, NULL, &a, &err));
    assert_int_equal(err.kind, ERROR_SHAPE);
    err = (Error){0};
    assert_false(scan_profile(f->d, 99, NULL, NULL, NULL, &p, &err));
    assert_int_equal(err.kind, ERROR_USAGE);
    Progress stop = {0};
    Correlation c;
    stop_ask(&stop.stop);
    err = (Error){0};
    assert_false(scan_correlation(f->d, NULL, f->pool[1], &stop, &a, &c, &err));
    assert_int_equal(err.kind, ERROR_STOP);
    err = (Error){0};
    assert_false(scan_profile(f->d, 2, NULL, f->pool[1], &stop, &p, &err));
    assert_int_equal(err.kind, ERROR_STOP);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_profile), cmocka_unit_test(test_correlation),
        cmocka_unit_test(test_known),   cmocka_unit_test(test_density),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
