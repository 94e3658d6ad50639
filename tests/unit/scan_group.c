/* scan_group.c -- groups against a plain count over every row, by place and by hash, on any threads. */
#include "scan_table.h"

#define ROWS SCAN_ROWS

typedef ScanTable Fixture;

static int make(void **state)
{
    *state = mem_alloc(sizeof(Fixture));
    scan_table_make(*state);
    return 0;
}

static int drop(void **state)
{
    scan_table_drop(*state);
    mem_free(*state);
    return 0;
}

/* ---- the plain count ------------------------------------------------------------------------------ */

typedef struct Group {
    char *key; /* as printed, "|" between */
    uint64_t rows, n[2];
    double sum[2], squares[2], least[2], most[2];
} Group;
typedef VEC(Group) Groups;

static void print_key(const Dataset *d, const GroupKey *key, const Column *c, size_t r, Text *into)
{
    double v = column_real(c, r);
    const ColumnProfile *p = &dataset_profile(d)->column[key->column];
    if (!column_has(c, r) || (c->type == COLUMN_REAL && isnan(v))) {
        text_puts(into, "<missing>");
    } else if (key->part == GROUP_BIN) {
        double width = (p->most - p->least) / key->bins;
        if (isinf(v)) {
            text_puts(into, "<missing>");
            return;
        }
        double bin = fmin(fmax(floor((v - p->least) / width), 0), key->bins - 1);
        double edge = fma(width, bin, p->least);
        if (c->type == COLUMN_REAL || c->type == COLUMN_INT)
            text_add_real(into, edge);
        else if (c->type == COLUMN_TIME)
            time_format((int64_t)ceil(edge), into);
        else
            date_format((int32_t)ceil(edge), into);
    } else if (key->part == GROUP_VALUE) {
        column_print(c, r, into);
    } else {
        double days = c->type == COLUMN_TIME ? floor(v / 86400e6) : v;
        int year, month, day, hour = (int)((v - days * 86400e6) / 3600e6);
        date_civil((int64_t)days, &year, &month, &day);
        int weekday = (int)((((int64_t)days + 3) % 7 + 7) % 7);
        if (key->part == GROUP_DATE)
            date_format((int32_t)days, into);
        else
            text_printf(into, "%d",
                        key->part == GROUP_HOUR      ? (c->type == COLUMN_TIME ? hour : 0)
                        : key->part == GROUP_WEEKDAY ? weekday
                        : key->part == GROUP_DAY     ? day
                        : key->part == GROUP_MONTH   ? month
                                                     : year);
    }
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const Group *)a)->key, ((const Group *)b)->key);
}

static int by_key_and_place(const void *a, const void *b)
{
    const Group *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : (x->rows > y->rows) - (x->rows < y->rows);
}

/* Rows one by one, sorted by printed key and put together: slow and plain. */
static void plain_groups(const Dataset *d, const GroupSpec *spec, const size_t column[2],
                         const RowSet *rows, Groups *out)
{
    Arena a = {0};
    Groups each = {0};
    Chunk *chunk = ARENA_NEW(&a, Chunk, dataset_chunks(d));
    for (size_t i = 0; i < dataset_chunks(d); i++)
        dataset_chunk(d, i, &a, &chunk[i]);
    uint64_t n = rows ? rows->count : dataset_rows(d);
    double(*value)[2] = mem_alloc((n + 1) * sizeof *value);
    for (uint64_t i = 0; i < n; i++) {
        size_t r, at = dataset_locate(d, rows ? rows->row[i] : i, &r);
        Text key = {0};
        for (size_t k = 0; k < spec->keys; k++) {
            text_putc(&key, '|');
            print_key(d, &spec->key[k], &chunk[at].column[spec->key[k].column], r, &key);
        }
        Group g = {.key = spec->keys ? text_take(&key) : text_copy(""), .rows = i};
        vec_add(&each, g);
        for (int m = 0; m < 2; m++)
            value[i][m] = column_real(&chunk[at].column[column[m]], r);
    }
    qsort(each.at, each.count, sizeof *each.at, by_key_and_place);
    for (size_t i = 0; i < each.count; i++) {
        Group *g = out->count ? vec_last(out) : NULL;
        if (!g || strcmp(g->key, each.at[i].key) != 0) {
            vec_add(out, (Group){.key = text_copy(each.at[i].key)});
            g = vec_last(out);
        }
        g->rows++;
        for (int m = 0; m < 2; m++) {
            double v = value[each.at[i].rows][m];
            if (isnan(v))
                continue;
            g->least[m] = g->n[m] ? fmin(g->least[m], v) : v;
            g->most[m] = g->n[m] ? fmax(g->most[m], v) : v;
            g->n[m]++;
            double gap = v - g->sum[m] / (double)(g->n[m] > 1 ? g->n[m] - 1 : 1);
            if (g->n[m] > 1)
                g->squares[m] += gap * gap * (double)(g->n[m] - 1) / (double)g->n[m];
            g->sum[m] += v;
        }
        mem_free(each.at[i].key);
    }
    vec_release(&each);
    mem_free(value);
    arena_release(&a);
}

static void groups_release(Groups *g)
{
    for (size_t i = 0; i < g->count; i++)
        mem_free(g->at[i].key);
    vec_release(g);
}

/* ---- holding them together ------------------------------------------------------------------------- */

static void assert_near(double a, double b)
{
    if (!(a == b || fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b)) || (isnan(a) && isnan(b))))
        fail_msg("%.17g, expected %.17g", a, b);
}

static void check(const GroupSpec *spec, const Chunk *out, const Groups *plain)
{
    assert_int_equal(out->rows, plain->count);
    assert_int_equal(out->columns, spec->keys + 7);
    int64_t before = INT64_MAX;
    for (size_t r = 0; r < out->rows; r++) {
        Text key = {0};
        for (size_t k = 0; k < spec->keys; k++) {
            text_putc(&key, '|');
            if (!column_has(&out->column[k], r))
                text_puts(&key, "<missing>");
            column_print(&out->column[k], r, &key);
        }
        Group want = {.key = (char *)(uintptr_t)text_str(&key)};
        const Group *g = bsearch(&want, plain->at, plain->count, sizeof *plain->at, by_key);
        if (!g)
            fail_msg("group %s", text_str(&key));
        const Column *m = out->column + spec->keys;
        assert_int_equal(m[0].integer[r], g->rows);
        assert_true(m[0].integer[r] <= before);
        before = m[0].integer[r];
        assert_int_equal(m[1].integer[r], g->n[0]);
        if (isfinite(g->sum[0])) {
            assert_near(column_real(&m[2], r), g->n[0] ? g->sum[0] : (double)NAN);
            assert_near(column_real(&m[3], r), g->sum[0] / (double)g->n[0]);
            assert_near(column_real(&m[6], r),
                        g->n[0] > 1 ? sqrt(g->squares[0] / (double)(g->n[0] - 1)) : (double)NAN);
        }
        assert_near(column_real(&m[4], r), g->n[1] ? g->least[1] : (double)NAN);
        assert_near(column_real(&m[5], r), g->n[1] ? g->most[1] : (double)NAN);
        text_release(&key);
    }
}

static void same_bits(const Chunk *a, const Chunk *b)
{
    assert_int_equal(a->rows, b->rows);
    for (size_t c = 0; c < a->columns; c++)
        for (size_t r = 0; r < a->rows; r++) {
            double v = column_real(&a->column[c], r), w = column_real(&b->column[c], r);
            assert_memory_equal(&v, &w, sizeof v);
        }
}

static void run(const Fixture *f, const GroupSpec *keys, const RowSet *rows, size_t value)
{
    GroupSpec spec = *keys;
    size_t column[2] = {value, 3};
    Groups plain = {0};
    Chunk first = {0};
    Arena arena[3] = {0};
    const GroupMeasure measure[] = {{AGGREGATE_COUNT, SIZE_MAX}, {AGGREGATE_COUNT, value},
                                    {AGGREGATE_SUM, value},      {AGGREGATE_MEAN, value},
                                    {AGGREGATE_LEAST, 3},        {AGGREGATE_MOST, 3},
                                    {AGGREGATE_DEVIATION, value}};
    spec.measures = 7;
    memcpy(spec.measure, measure, sizeof measure);
    plain_groups(f->d, &spec, column, rows, &plain);
    for (int t = 0; t < 3; t++) {
        Chunk out;
        Error err = {0};
        if (!scan_group(f->d, &spec, rows, 0, f->pool[t], NULL, &arena[t], &out, &err))
            fail_msg("%s", err.text);
        if (t == 0)
            check(&spec, &out, &plain), first = out;
        else
            same_bits(&first, &out);
    }
    for (int t = 0; t < 3; t++)
        arena_release(&arena[t]);
    groups_release(&plain);
}

static void test_keys(void **state)
{
    const Fixture *f = *state;
    RowSet some;
    Error err = {0};
    Rng rng;
    rng_seed(&rng, 1, 1);
    assert_true(rowset_all(f->d, &some, &err));
    rng_shuffle(&rng, some.row, some.count);
    some.count /= 3;
    const GroupSpec spec[] = {
        {.keys = 0},
        {1, {{0, GROUP_VALUE, 0}}, 0, {{0}}},
        {1, {{1, GROUP_VALUE, 0}}, 0, {{0}}},
        {1, {{2, GROUP_BIN, 17}}, 0, {{0}}},
        {1, {{3, GROUP_BIN, 9}}, 0, {{0}}},
        {1, {{4, GROUP_VALUE, 0}}, 0, {{0}}},
        {1, {{5, GROUP_VALUE, 0}}, 0, {{0}}},
        {2, {{5, GROUP_VALUE, 0}, {3, GROUP_HOUR, 0}}, 0, {{0}}},
        {3, {{0, GROUP_VALUE, 0}, {4, GROUP_MONTH, 0}, {3, GROUP_WEEKDAY, 0}}, 0, {{0}}},
        {2, {{4, GROUP_YEAR, 0}, {4, GROUP_DAY, 0}}, 0, {{0}}},
        {1, {{3, GROUP_DATE, 0}}, 0, {{0}}},
        {1, {{2, GROUP_VALUE, 0}}, 0, {{0}}},                      /* hashed */
        {2, {{5, GROUP_VALUE, 0}, {6, GROUP_VALUE, 0}}, 0, {{0}}}, /* plain text */
        {2, {{7, GROUP_VALUE, 0}, {3, GROUP_VALUE, 0}}, 0, {{0}}},
    };
    for (size_t i = 0; i < sizeof spec / sizeof *spec; i++) {
        run(f, &spec[i], NULL, i % 2 ? 1 : 2);
        run(f, &spec[i], &some, i % 2 ? 2 : 1);
    }
    rowset_release(&some);
}

static void test_order_and_words(void **state)
{
    const Fixture *f = *state;
    Arena a = {0};
    Chunk out;
    Error err = {0};
    GroupSpec spec = {1,
                      {{5, GROUP_VALUE, 0}},
                      3,
                      {{AGGREGATE_MOST, 6}, {AGGREGATE_LEAST, 5}, {AGGREGATE_MEAN, 3}}};
    assert_true(scan_group(f->d, &spec, NULL, 0, f->pool[1], NULL, &a, &out, &err));
    assert_string_equal(out.column[0].name, "city");
    assert_string_equal(out.column[1].name, "max_note \"x\"");
    assert_string_equal(out.column[3].name, "mean_when");
    assert_int_equal(out.column[3].type, COLUMN_TIME);
    for (size_t r = 0; r < out.rows; r++) {
        size_t n, m;
        const char *s = column_text(&out.column[1], r, &n);
        if (r > 0) { /* falling */
            const char *t = column_text(&out.column[1], r - 1, &m);
            int order = memcmp(t, s, n < m ? n : m);
            assert_true(order > 0 || (order == 0 && m >= n));
        }
        if (!column_has(&out.column[0], r)) {
            assert_false(column_has(&out.column[2], r));
            continue;
        }
        s = column_text(&out.column[0], r, &n);
        const char *t = column_text(&out.column[2], r, &m);
        assert_true(n == m && memcmp(s, t, n) == 0);
    }
    arena_release(&a);
}

static void test_refused(void **state)
{
    const Fixture *f = *state;
    Arena a = {0};
    Chunk out;
    Error err = {0};
    GroupSpec spec = {1, {{7, GROUP_VALUE, 0}}, 0, {{0}}};
    assert_false(scan_group(f->d, &spec, NULL, 100, f->pool[1], NULL, &a, &out, &err));
    assert_int_equal(err.kind, ERROR_SPACE);
    assert_non_null(strstr(err.text, "more than 100 groups"));
    err = (Error){0};
    spec.key[0] = (GroupKey){5, GROUP_HOUR, 0};
    assert_false(scan_group(f->d, &spec, NULL, 0, NULL, NULL, &a, &out, &err));
    assert_int_equal(err.kind, ERROR_SHAPE);
    err = (Error){0};
    spec = (GroupSpec){0, {{0}}, 1, {{AGGREGATE_MEAN, 5}}};
    assert_false(scan_group(f->d, &spec, NULL, 0, NULL, NULL, &a, &out, &err));
    assert_int_equal(err.kind, ERROR_SHAPE);
    Progress p = {0};
    stop_ask(&p.stop);
    err = (Error){0};
    spec.measure[0].column = 2;
    assert_false(scan_group(f->d, &spec, NULL, 0, f->pool[1], &p, &a, &out, &err));
    assert_int_equal(err.kind, ERROR_STOP);
    for (Aggregate i = 0; i < AGGREGATE_COUNT_OF; i++) {
        Aggregate back;
        assert_true(aggregate_parse(aggregate_name(i), &back) && back == i);
    }
    for (GroupPart i = 0; i < GROUP_PART_COUNT; i++) {
        GroupPart back;
        assert_true(group_part_parse(group_part_name(i), &back) && back == i);
    }
    arena_release(&a);
}

static void test_empty(void **state)
{
    char dir[64], hash[65];
    Arena a = {0};
    Chunk out;
    Error err = {0};
    temp_dir(dir);
    char *path = table_write(dir, 0, 10, true, 0, hash);
    Dataset *d = dataset_open(path, &err);
    GroupSpec spec = {2, {{5, GROUP_VALUE, 0}, {3, GROUP_YEAR, 0}}, 1, {{AGGREGATE_MEAN, 2}}};
    assert_true(scan_group(d, &spec, NULL, 0, NULL, NULL, &a, &out, &err));
    assert_int_equal(out.rows, 0);
    assert_string_equal(out.column[1].name, "year_when");
    assert_string_equal(out.column[2].name, "mean_amount");
    dataset_close(d);
    dir_remove(dir, NULL);
    mem_free(path);
    arena_release(&a);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_order_and_words),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
