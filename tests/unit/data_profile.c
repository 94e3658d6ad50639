/* data_profile.c -- the profile against sorting and counting everything. */
#include "data_table.h"

#include "data/profile_int.h"

/* ---- the plain way --------------------------------------------------------------------------------- */

static int by_real(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct Exact { /* finite values, sorted */
    double *v;
    size_t n, distinct, zeros, negatives;
    double mean, deviation;
} Exact;

static Exact exact_of(const double *v, size_t n)
{
    Exact e = {.v = mem_alloc((n + 1) * sizeof(double))};
    long double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(v[i]))
            e.v[e.n++] = v[i] + 0.0;
    qsort(e.v, e.n, sizeof *e.v, by_real);
    for (size_t i = 0; i < e.n; i++) {
        sum += (long double)e.v[i];
        e.distinct += i == 0 || e.v[i] != e.v[i - 1];
        e.zeros += e.v[i] == 0;
        e.negatives += e.v[i] < 0;
    }
    long double mean = e.n ? sum / (long double)e.n : 0;
    for (size_t i = 0; i < e.n; i++)
        squares += ((long double)e.v[i] - mean) * ((long double)e.v[i] - mean);
    e.mean = (double)mean;
    e.deviation = e.n > 1 ? sqrt((double)(squares / (long double)(e.n - 1))) : (double)NAN;
    return e;
}

static double exact_quantile(const Exact *e, int q)
{
    double rank = (double)(e->n - 1) * q / 100, below = floor(rank);
    size_t i = (size_t)below, k = i + 1 < e->n ? i + 1 : i;
    return e->v[i] * (1 - (rank - below)) + e->v[k] * (rank - below);
}

/* How far, as a share of all, the value is from the rank it should have. */
static double rank_error(const Exact *e, double value, double share)
{
    size_t below = 0, upto = 0;
    for (size_t low = 0, high = e->n; low < high;) {
        size_t m = (low + high) / 2;
        if (e->v[m] < value)
            low = m + 1;
        else
            high = m;
        below = low;
    }
    for (size_t low = below, high = e->n; low < high;) {
        size_t m = (low + high) / 2;
        if (e->v[m] <= value)
            low = m + 1;
        else
            high = m;
        upto = low;
    }
    if (upto < below)
        upto = below;
    double a = (double)below / (double)e->n, b = (double)upto / (double)e->n;
    return share < a ? a - share : share > b ? share - b : 0;
}

static bool near(double a, double b, double relative)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) <= relative * fmax(fabs(a), fabs(b)) + 1e-300;
}

/* ---- a stream of numbers through the profiler --------------------------------------------------------- */

static void profile_reals(const double *v, size_t n, size_t step, size_t parts, Profile *out)
{
    Schema s = {0};
    Profiler *sum = NULL;
    schema_add(&s, "v", COLUMN_REAL, ROLE_FEATURE);
    for (size_t part = 0; part < parts; part++) {
        size_t from = n * part / parts, to = n * (part + 1) / parts;
        Profiler *p = profiler_create(&s);
        for (; from < to; from += step) {
            size_t rows = to - from < step ? to - from : step;
            Column c = {.name = "v", .type = COLUMN_REAL, .rows = rows, .real = v + from};
            Chunk chunk = {.rows = rows, .columns = 1, .column = &c};
            profiler_add(p, &chunk);
        }
        if (sum)
            profiler_merge(sum, p);
        else
            sum = p;
    }
    profiler_finish(sum, out);
    schema_release(&s);
}

static void compare(const double *v, size_t n, const ColumnProfile *p)
{
    Exact e = exact_of(v, n);
    bool exact = e.distinct <= FREQUENT_MOST;
    uint64_t binned = 0;
    assert_int_equal(p->count, n);
    assert_int_equal(p->missing, 0);
    assert_int_equal(p->zeros, e.zeros);
    assert_true(p->least == e.v[0] && p->most == e.v[e.n - 1]);
    assert_true(near(p->mean, e.mean, 1e-10) || fabs(p->mean - e.mean) < 1e-10 * p->deviation);
    assert_true(near(p->deviation, e.deviation, 1e-9));
    for (int q = 0; q < PROFILE_QUANTILES; q++) {
        if (exact)
            assert_true(near(p->quantile[q], exact_quantile(&e, q), 1e-12));
        else if (rank_error(&e, p->quantile[q], q / 100.0) > 0.006)
            fail_msg("quantile %d of %zu is off by %g of the ranks", q, e.n,
                     rank_error(&e, p->quantile[q], q / 100.0));
    }
    uint64_t bin[PROFILE_BINS] = {0};
    double width = (p->most - p->least) / PROFILE_BINS;
    for (size_t i = 0; i < e.n; i++) {
        int b = width > 0 ? (int)((e.v[i] - p->least) / width) : 0;
        bin[b < PROFILE_BINS ? b : PROFILE_BINS - 1]++;
    }
    for (int b = 0; b < PROFILE_BINS; b++) {
        binned += p->bin[b];
        double off = fabs((double)p->bin[b] - (double)bin[b]);
        assert_true(exact ? off == 0 : off < 0.006 * (double)e.n);
    }
    assert_int_equal(binned, e.n);
    mem_free(e.v);
}

typedef double (*Draw)(Rng *rng);

static double draw_normal(Rng *rng)
{
    return 1e6 + rng_normal(rng);
}

static double draw_few(Rng *rng)
{
    return (double)rng_below(rng, 300) / 4 - 10;
}

static double draw_skewed(Rng *rng)
{
    return exp(3 * rng_normal(rng));
}

static double draw_fare(Rng *rng) /* many values, some of them often */
{
    return rng_below(rng, 4) == 0 ? 52 : (double)rng_below(rng, 50000) / 100 - 20;
}

static void test_numbers(void **state)
{
    static const Draw draws[] = {draw_normal, draw_few, draw_skewed, draw_fare};
    static const size_t sizes[] = {1, 2, 5, 100, 4096, 5000, 100000, 1500000};
    for (size_t d = 0; d < COUNT_OF(draws); d++)
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            size_t n = sizes[i];
            double *v = mem_alloc(n * sizeof *v);
            Profile p;
            Rng rng;
            rng_seed(&rng, d, i);
            for (size_t k = 0; k < n; k++)
                v[k] = draws[d](&rng);
            profile_reals(v, n, 65536, 1, &p);
            compare(v, n, &p.column[0]);
            profile_release(&p);
            profile_reals(v, n, 1000, 3, &p); /* odd steps, merged from three parts */
            compare(v, n, &p.column[0]);
            profile_release(&p);
            mem_free(v);
        }
    (void)state;
}

/* Sorted input is where sampling by position would go wrong. */
static void test_sorted(void **state)
{
    const size_t n = 2000000;
    double *v = mem_alloc(n * sizeof *v);
    Profile p;
    for (size_t i = 0; i < n; i++)
        v[i] = (double)i;
    profile_reals(v, n, 65536, 1, &p);
    compare(v, n, &p.column[0]);
    assert_int_equal(p.column[0].tops, 0); /* no value is frequent */
    profile_release(&p);
    mem_free(v);
    (void)state;
}

static void test_special(void **state)
{
    const double v[] = {-0.0, 0.0, NAN, INFINITY, -INFINITY, 1, -1, NAN, 5e-324};
    Profile p;
    profile_reals(v, COUNT_OF(v), 3, 1, &p);
    const ColumnProfile *c = &p.column[0];
    assert_int_equal(c->count, 9);
    assert_int_equal(c->nans, 2);
    assert_int_equal(c->zeros, 2);
    assert_int_equal(c->negatives, 2);
    assert_true(c->least == -1 && c->most == 1);
    assert_true(c->distinct == 6);
    assert_true(near(c->mean, 0, 0) || fabs(c->mean) < 1e-15);
    profile_release(&p);
    const double none[] = {NAN, INFINITY};
    profile_reals(none, 2, 2, 1, &p);
    assert_true(isnan(p.column[0].least) && isnan(p.column[0].mean));
    profile_release(&p);
    profile_reals(none, 0, 2, 1, &p);
    assert_int_equal(p.column[0].count, 0);
    assert_true(isnan(p.column[0].quantile[50]) && p.column[0].distinct == 0);
    profile_release(&p);
    (void)state;
}

static void test_tops(void **state)
{
    const size_t n = 3000000;
    double *v = mem_alloc(n * sizeof *v);
    uint64_t fifties = 0, sixes = 0;
    Profile p;
    Rng rng;
    rng_seed(&rng, 9, 9);
    for (size_t i = 0; i < n; i++) {
        uint64_t d = rng_below(&rng, 100);
        v[i] = d < 10 ? 50 : d < 13 ? 6.5 : rng_unit(&rng);
        fifties += d < 10;
        sixes += d >= 10 && d < 13;
    }
    profile_reals(v, n, 65536, 1, &p);
    const ColumnProfile *c = &p.column[0];
    assert_true(c->tops >= 2);
    assert_string_equal(c->top[0].value, "50");
    assert_string_equal(c->top[1].value, "6.5");
    assert_true(near((double)c->top[0].count, (double)fifties, 0.02));
    assert_true(near((double)c->top[1].count, (double)sixes, 0.03));
    profile_release(&p);
    mem_free(v);
    (void)state;
}

/* ---- parts of one table, as a scan makes them ------------------------------------------------------------- */

static Profiler *profile_parts(const double *v, size_t n, size_t most, Profiler **part, size_t parts)
{
    Schema s = {0};
    schema_add(&s, "v", COLUMN_REAL, ROLE_FEATURE);
    for (size_t k = 0; k < parts; k++) {
        part[k] = profiler_create(&s);
        profiler_count_most(part[k], most);
    }
    for (int rest = 0; rest < 2; rest++) { /* a few rows of each, then the others */
        for (size_t k = 0; k < parts; k++) {
            size_t from = n * k / parts, to = n * (k + 1) / parts, middle = from + 5000;
            from = rest ? middle : from;
            to = rest ? to : middle;
            Column c = {.name = "v", .type = COLUMN_REAL, .rows = to - from, .real = v + from};
            profiler_add(part[k], &(Chunk){.rows = to - from, .columns = 1, .column = &c});
        }
        if (!rest)
            profiler_expect(part, parts, n);
    }
    for (size_t k = 1; k < parts; k++)
        profiler_merge(part[0], part[k]);
    schema_release(&s);
    return part[0];
}

static size_t count_of(const Exact *e, double value)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++)
        n += e->v[i] == value;
    return n;
}

/* Few enough: all is exact. More: what is counted again is exact. */
static void test_parts(void **state)
{
    const size_t n = 400000;
    double *v = mem_alloc(n * sizeof *v);
    Profiler *part[4];
    Profile p;
    Rng rng;
    rng_seed(&rng, 3, 5);
    for (size_t i = 0; i < n; i++) /* a third of them zero or one of 30, the others of 10,000 */
        v[i] = rng_below(&rng, 3) ? (double)rng_below(&rng, 10000) / 8 : -(double)rng_below(&rng, 30);
    Exact e = exact_of(v, n);
    for (size_t most = 16384; most >= 1024; most /= 4) {
        Profiler *all = profile_parts(v, n, most, part, COUNT_OF(part));
        Recount *r = recount_create(all), *other = recount_create(all);
        assert_int_equal(r == NULL, e.distinct <= most);
        for (size_t at = 0; r && at < n; at += 50000) {
            Column c = {.name = "v", .type = COLUMN_REAL, .rows = 50000, .real = v + at};
            recount_add(at % 100000 ? r : other, &(Chunk){.rows = 50000, .columns = 1, .column = &c});
        }
        if (r) {
            recount_merge(r, other);
            recount_finish(r, all);
        }
        profiler_finish(all, &p);
        const ColumnProfile *c = &p.column[0];
        assert_int_equal(c->tops, PROFILE_TOP);
        for (size_t i = 0; i < c->tops; i++)
            assert_int_equal(c->top[i].count, count_of(&e, strtod(c->top[i].value, NULL)));
        assert_true(r ? near(c->distinct, (double)e.distinct, 0.03) : c->distinct == (double)e.distinct);
        for (int q = 0; q < PROFILE_QUANTILES; q++)
            assert_true(r ? rank_error(&e, c->quantile[q], q / 100.0) < 0.006
                          : near(c->quantile[q], exact_quantile(&e, q), 1e-12));
        profile_release(&p);
    }
    mem_free(e.v);
    mem_free(v);
    (void)state;
}

/* ---- distinct ------------------------------------------------------------------------------------------ */

static void test_hll(void **state)
{
    static const size_t sizes[] = {0, 1, 10, 1000, 5000, 20000, 60000, 300000, 2000000};
    double worst = 0, squares = 0;
    size_t runs = 0;
    Hll *h = mem_alloc(sizeof *h);
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (uint64_t seed = 1; seed < 4; seed++) {
            memset(h, 0, sizeof *h);
            for (size_t k = 0; k < sizes[i]; k++) {
                hll_add(h, mix64(k + seed * 1000000007));
                hll_add(h, mix64(k + seed * 1000000007));
            }
            double off = sizes[i] ? hll_estimate(h) / (double)sizes[i] - 1 : hll_estimate(h);
            worst = fmax(worst, fabs(off));
            squares += off * off;
            runs++;
        }
    assert_true(worst < 4 * 1.04 / sqrt(1 << HLL_BITS)); /* four standard errors */
    assert_true(sqrt(squares / (double)runs) < 1.5 * 1.04 / sqrt(1 << HLL_BITS));
    for (uint64_t k = 0; k < 1000; k++)
        assert_int_equal(unmix64(mix64(k * 0x9e3779b97f4a7c15u)), k * 0x9e3779b97f4a7c15u);
    mem_free(h);
    (void)state;
}

static void test_sort(void **state)
{
    Rng rng;
    rng_seed(&rng, 4, 4);
    for (int round = 0; round < 50; round++) {
        double v[500], w[500];
        size_t n = rng_below(&rng, 500);
        for (size_t i = 0; i < n; i++)
            w[i] = v[i] = round % 2 ? (double)rng_below(&rng, 20) - 10 : rng_normal(&rng) * 1e100;
        if (n > 3)
            w[1] = v[1] = -INFINITY, w[3] = v[3] = INFINITY;
        sort_real(v, n);
        qsort(w, n, sizeof *w, by_real);
        assert_memory_equal(v, w, n * sizeof *v);
    }
    (void)state;
}

/* ---- all types, words and plain text, merged and not ---------------------------------------------------- */

static uint64_t count_equal(const Chunk *c, size_t column, const char *value)
{
    uint64_t count = 0;
    Text text = {0};
    for (size_t i = 0; i < c->rows; i++) {
        text_reset(&text);
        column_print(&c->column[column], i, &text);
        count += column_has(&c->column[column], i) && strcmp(text_str(&text), value) == 0;
    }
    text_release(&text);
    return count;
}

static void check_column(const Chunk *c, size_t k, const ColumnProfile *p)
{
    const Column *col = &c->column[k];
    uint64_t missing = 0;
    double sum = 0, least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < c->rows; i++) {
        double v = column_real(col, i);
        missing += !column_has(col, i);
        if (isfinite(v))
            sum += v, least = fmin(least, v), most = fmax(most, v);
    }
    assert_string_equal(p->name, col->name);
    assert_int_equal(p->count, c->rows);
    assert_int_equal(p->missing, missing);
    assert_int_equal(p->numeric, col->type != COLUMN_TEXT);
    if (p->numeric) {
        assert_true(p->least == least && p->most == most);
        uint64_t infinite = col->type == COLUMN_REAL ? count_equal(c, k, "inf") : 0;
        assert_true(near(p->mean, sum / (double)(c->rows - missing - p->nans - infinite), 1e-9));
    }
    for (size_t i = 0; i < p->tops && p->distinct <= FREQUENT_MOST; i++)
        assert_int_equal(p->top[i].count, count_equal(c, k, p->top[i].value));
    for (size_t i = 1; i < p->tops; i++)
        assert_true(p->top[i].count <= p->top[i - 1].count);
}

static void test_types(void **state)
{
    Schema s = {0};
    Arena a = {0};
    Chunk all;
    table_schema(&s);
    table_chunk(&s, 0, 9000, true, &a, &all);
    for (int merged = 0; merged < 2; merged++) {
        Profiler *p = profiler_create(&s), *other = profiler_create(&s);
        for (size_t at = 0; at < all.rows; at += 1111) {
            Chunk part;
            chunk_slice(&all, at, all.rows - at < 1111 ? all.rows - at : 1111, &a, &part);
            profiler_add(merged && at > 3000 ? other : p, &part);
        }
        profiler_merge(p, other);
        Profile out, back;
        Error err = {0};
        profiler_finish(p, &out);
        assert_int_equal(out.rows, 9000);
        for (size_t k = 0; k < all.columns; k++)
            check_column(&all, k, &out.column[k]);
        assert_true(out.column[0].distinct == 2 && out.column[5].distinct == 6);
        assert_true(fabs(out.column[1].distinct - 1000) <= 2);
        assert_true(near(out.column[7].distinct, 9000, 0.03));
        assert_int_equal(out.column[5].shortest, 0);
        assert_int_equal(out.column[5].longest, strlen("Washington DC"));
        json_t *json = profile_to_json(&out);
        assert_true(profile_from_json(&back, json, &err));
        json_t *again = profile_to_json(&back);
        assert_true(json_equal(json, again));
        assert_non_null(profile_find(&back, "city"));
        assert_null(profile_find(&back, "town"));
        json_decref(json);
        json_decref(again);
        profile_release(&out);
        profile_release(&back);
    }
    schema_release(&s);
    arena_release(&a);
    (void)state;
}

/* The dataset's own profile is the same as one computed from its chunks, words counted exactly. */
static void test_of_dataset(void **state)
{
    char dir[64], hash[65];
    Error err = {0};
    temp_dir(dir);
    char *path = table_write(dir, 150000, 0, true, 2, hash);
    Dataset *d = dataset_open(path, &err);
    Profiler *p = profiler_create(dataset_schema(d));
    Arena a = {0};
    Chunk c;
    for (size_t i = 0; i < dataset_chunks(d); i++) {
        dataset_chunk(d, i, &a, &c);
        profiler_add(p, &c);
    }
    Profile mine;
    profiler_finish(p, &mine);
    const Profile *kept = dataset_profile(d);
    for (size_t k = 0; k < mine.columns; k++) {
        const ColumnProfile *x = &mine.column[k], *y = &kept->column[k];
        assert_int_equal(x->count, y->count);
        assert_int_equal(x->missing, y->missing);
        assert_true(near(x->distinct, y->distinct, 0.04));
        if (!x->numeric)
            continue;
        assert_true(x->least == y->least && x->most == y->most);
        assert_true(near(x->mean, y->mean, 1e-12));
        assert_true(near(x->deviation, y->deviation, 1e-12));
    }
    assert_true(kept->column[5].distinct == 6);
    profile_release(&mine);
    arena_release(&a);
    dataset_close(d);
    mem_free(path);
    assert_true(dir_remove(dir, &err));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_sorted),
        cmocka_unit_test(test_special), cmocka_unit_test(test_tops),
        cmocka_unit_test(test_parts), cmocka_unit_test(test_hll),     cmocka_unit_test(test_sort),
        cmocka_unit_test(test_types),   cmocka_unit_test(test_of_dataset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
