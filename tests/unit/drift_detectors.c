/* drift_detectors.c -- the streaming detectors: known values, real changes of the bike sharing table
 * (winter to summer, first to second year), and how often they cry wolf on 200 shuffles of it. */
#include "drift/drift_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { SHUFFLES = 200, MOST = 20000 };

/* The row of the first drift, SIZE_MAX when there is none; *alarms: how many. */
static size_t run(const Detector *d, const double *x, size_t n, uint64_t seed, size_t *alarms)
{
    void *state = mem_alloc(d->size);
    size_t first = SIZE_MAX, found = 0;
    d->init(state, seed);
    for (size_t i = 0; i < n; i++)
        if (d->add(state, x[i]) == DETECTOR_DRIFT) {
            first = first == SIZE_MAX ? i : first;
            found++;
        }
    if (alarms)
        *alarms = found;
    mem_free(state);
    return first;
}

/* REFERENCE 1.4: zeros, then tens. */
static void known_values(void **test)
{
    (void)test;
    double x[2000];
    for (size_t i = 0; i < 2000; i++)
        x[i] = i < 1000 ? 0.0 : 10.0;
    assert_int_equal(run(detector("adwin"), x, 2000, 1, NULL), 1023);
    assert_int_equal(run(detector("page_hinkley"), x, 2000, 1, NULL), 1005);
    assert_int_equal(run(detector("kswin"), x, 2000, 1, NULL) / 10, 101); /* within a window */
}

/* 300 answers of which two in ten are wrong, then seven in ten. */
static void errors_rise(void **test)
{
    (void)test;
    static const char *const names[] = {"ddm", "eddm", "hddm_a", "hddm_w"};
    for (size_t k = 0; k < 4; k++) {
        size_t seen = 0, late = 0;
        for (uint64_t seed = 0; seed < 50; seed++) {
            double x[1300];
            Rng rng;
            rng_seed(&rng, seed, 7);
            for (size_t i = 0; i < 1300; i++)
                x[i] = rng_unit(&rng) < (i < 300 ? 0.2 : 0.7);
            size_t alarms, first = run(detector(names[k]), x, 1300, seed, &alarms);
            seen += alarms > 0;
            late += first != SIZE_MAX && first > 300 ? first - 300 : 0;
        }
        print_message("%s: %zu of 50 seen, %.0f answers late\n", names[k], seen,
                      (double)late / (double)seen);
        assert_true(seen >= 49);
        assert_true(late / seen < 150);
    }
}

/* The algorithm as published (Baena-Garcia et al. 2006, 3.2), from all the distances anew at every error. */
static size_t eddm_plainly(const double *x, size_t n, size_t *alarm)
{
    size_t alarms = 0, begin = 0, errors = 0, last = 0;
    double distance[2000], most = -1.0;
    for (size_t i = 0; i < n; i++) {
        double mean = 0.0, squares = 0.0;
        if (x[i] < 0.5)
            continue;
        distance[errors++] = (double)(i + 1 - begin - last);
        last = i + 1 - begin;
        for (size_t k = 0; k < errors; k++)
            mean += distance[k] / (double)errors;
        for (size_t k = 0; k < errors; k++)
            squares += (distance[k] - mean) * (distance[k] - mean);
        double level = mean + 2.0 * sqrt(errors > 1 ? squares / (double)(errors - 1) : 0.0);
        if (i + 1 - begin <= 30)
            continue;
        most = fmax(most, level);
        if (errors > 30 && level / most < 0.9) {
            alarm[alarms++] = i;
            begin = i + 1;
            errors = last = 0;
            most = -1.0;
        }
    }
    return alarms;
}

static void eddm_is_as_published(void **test)
{
    (void)test;
    const Detector *d = detector("eddm");
    size_t alarm[100], all = 0;
    double x[2000];
    for (uint64_t seed = 0; seed < 40; seed++) {
        Rng rng;
        rng_seed(&rng, seed, 19);
        for (size_t i = 0; i < 2000; i++)
            x[i] = rng_unit(&rng) < (i < 1000 ? 0.2 : 0.25);
        size_t n = eddm_plainly(x, 2000, alarm), found = 0;
        void *state = mem_alloc(d->size);
        d->init(state, 0);
        for (size_t i = 0; i < 2000; i++)
            if (d->add(state, x[i]) == DETECTOR_DRIFT) {
                assert_true(found < n);
                assert_int_equal(i, alarm[found]);
                found++;
            }
        assert_int_equal(found, n);
        all += n;
        mem_free(state);
    }
    print_message("eddm: %zu alarms, the same ones\n", all);
    assert_true(all > 40);
}

static void registry(void **test)
{
    (void)test;
    size_t n = 0;
    for (; detectors[n]; n++) {
        const Detector *d = detectors[n];
        assert_ptr_equal(detector(d->name), d);
        assert_true(*d->title && *d->about && d->size && d->size <= 8192);
        /* Not a number is not a value: the same answers without them. */
        double x[600], with[1200];
        Rng rng;
        rng_seed(&rng, 5, n);
        for (size_t i = 0; i < 600; i++) {
            x[i] = rng_unit(&rng) < (i < 300 ? 0.1 : 0.8);
            with[2 * i] = i % 3 ? NAN : INFINITY;
            with[2 * i + 1] = x[i];
        }
        size_t a, b, first = run(d, x, 600, 3, &a), other = run(d, with, 1200, 3, &b);
        assert_int_equal(a, b);
        assert_true(first == SIZE_MAX ? other == SIZE_MAX : other == 2 * first + 1);
        /* The same seed, the same answers. */
        assert_int_equal(run(d, x, 600, 3, NULL), first);
    }
    assert_true(n >= 6);
    assert_null(detector("nonsense"));
}

/* The window's sums are those of what it holds: a long walk with changes, its alarms at each. */
static void adwin_follows(void **test)
{
    (void)test;
    const Detector *d = detector("adwin");
    size_t changes = 0, n = 60000;
    double *x = mem_alloc(n * sizeof *x);
    Rng rng;
    rng_seed(&rng, 9, 0);
    for (size_t i = 0; i < n; i++)
        x[i] = 0.25 * rng_normal(&rng) + (double)(i / 10000 % 3);
    void *state = mem_alloc(d->size);
    d->init(state, 0);
    for (size_t i = 0, last = 0; i < n; i++)
        if (d->add(state, x[i]) == DETECTOR_DRIFT) {
            if (i / 10000 > last) {
                assert_true(i % 10000 < 64); /* after at most two looks */
                last = i / 10000;
                changes++;
            }
        }
    assert_int_equal(changes, 5);
    mem_free(state);
    mem_free(x);
}

static void bands(void **test)
{
    (void)test;
    double x[12];
    for (int i = 0; i < 10; i++)
        x[i] = i;
    x[10] = NAN;
    x[11] = INFINITY;
    Band b = band_of(x, 12, -INFINITY, INFINITY); /* REFERENCE 1.4 */
    assert_true(fabs(b.low + 4.116844) < 5e-7 && fabs(b.high - 13.116844) < 5e-7);
    b = band_of(x, 10, 0.0, 10.0);
    assert_true(b.low == 0.0 && b.high == 10.0);
    b = band_of(x + 10, 2, 0.0, 1.0);
    assert_true(b.low == 0.0 && b.high == 1.0);
    b = band_of(x + 4, 1, 0.0, 9.0);
    assert_true(b.low == 4.0 && b.high == 4.0);
}

/* ---- the bike sharing table ----------------------------------------------------------------------- */

typedef struct Bikes {
    size_t n;
    int month[MOST], year[MOST], hour[MOST];
    double count[MOST], warm[MOST];
} Bikes;

static Bikes *read_bikes(void)
{
    Text text = {0};
    Error err = {0};
    if (!file_read(LATHE_REAL_DATA "/bike_sharing_hour.csv", &text, 1 << 24, &err))
        return NULL;
    Bikes *b = mem_alloc(sizeof *b);
    for (char *line = strchr(text.at, '\n'); line && line[1] && b->n < MOST;
         line = strchr(line + 1, '\n')) {
        int day, skip;
        double felt, wet, wind, casual, registered;
        if (sscanf(line + 1, "%d;%d/%d/%d;%d;%d;%d;%d;%d;%d;%d;%d;%lf;%lf;%lf;%lf;%lf;%lf;%lf",
                   &skip, &day, &b->month[b->n], &b->year[b->n], &skip, &skip, &skip,
                   &b->hour[b->n], &skip, &skip, &skip, &skip, &b->warm[b->n], &felt, &wet, &wind,
                   &casual, &registered, &b->count[b->n]) == 19)
            b->n++;
    }
    text_release(&text);
    return b;
}

typedef struct Stream {
    size_t n, change;
    double x[MOST];
} Stream;

/* Rows before and after a change (a side of -1: neither), each side in an order of its own, so that the hours of the day and the
 * weather of a week are no changes. */
typedef enum Change { WINTER_SUMMER, YEARS, CHANGES } Change;
static int side(const Bikes *b, Change c, size_t i)
{
    bool summer = b->month[i] >= 6 && b->month[i] <= 8, first = b->year[i] == 2011;
    if (c == YEARS) /* the summers of both, so that nothing else differs */
        return summer ? !first : -1;
    return !first ? -1 : b->month[i] <= 3 ? 0 : summer ? 1 : -1;
}

static void shuffle(double *x, size_t n, Rng *rng)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)rng_below(rng, i);
        double other = x[i - 1];
        x[i - 1] = x[k];
        x[k] = other;
    }
}

/* Numbers: hires an hour, in the detector's units. Errors: is the mean of the hour, as it was before the
 * change, off by more than four in five hours were then? */
static void make(Stream *s, const Bikes *b, Change c, const Detector *d, Rng *rng)
{
    double sum[24] = {0}, seen[24] = {0}, mean, deviation, *off = mem_alloc(MOST * sizeof *off);
    size_t offs = 0;
    s->n = 0;
    for (size_t i = 0; i < b->n; i++)
        if (side(b, c, i) == 0) {
            sum[b->hour[i]] += b->count[i];
            seen[b->hour[i]]++;
        }
    for (int part = 0; part < 2; part++) {
        s->change = part ? s->n : 0;
        for (size_t i = 0; i < b->n; i++) {
            double miss = fabs(b->count[i] - sum[b->hour[i]] / seen[b->hour[i]]);
            if (side(b, c, i) == 0 && !part)
                off[offs++] = miss;
            if (side(b, c, i) == part)
                s->x[s->n++] = d->errors ? miss : b->count[i];
        }
    }
    if (d->errors) {
        double *spare = mem_alloc(offs * sizeof *spare);
        sort_reals(off, offs, spare);
        for (size_t i = 0; i < s->n; i++)
            s->x[i] = s->x[i] > off[offs * 4 / 5];
        mem_free(spare);
    } else if (d->deviation > 0.0) {
        moments(s->x, s->change, &mean, &deviation);
        for (size_t i = 0; i < s->n; i++)
            s->x[i] *= d->deviation / deviation;
    }
    shuffle(s->x, s->change, rng);
    shuffle(s->x + s->change, s->n - s->change, rng);
    mem_free(off);
}

static void real_changes(void **test)
{
    Bikes *b = *test;
    static const char *const what[] = {"winter to summer", "first to second year"};
    if (!b)
        skip();
    Stream *s = mem_alloc(sizeof *s);
    for (Change c = 0; c < CHANGES; c++)
        for (size_t k = 0; detectors[k]; k++) {
            const Detector *d = detectors[k];
            size_t seen = 0, before = 0;
            double late = 0.0;
            for (uint64_t seed = 0; seed < 20; seed++) {
                Rng rng;
                rng_seed(&rng, seed, c);
                make(s, b, c, d, &rng);
                size_t wolf, alarms;
                /* Only what comes within 2,000 hours of the change counts as having seen it. */
                run(d, s->x, s->change, seed, &wolf);
                void *state = mem_alloc(d->size);
                d->init(state, seed);
                for (size_t i = 0; i < s->change; i++)
                    d->add(state, s->x[i]);
                alarms = 0;
                for (size_t i = s->change; i < s->n && i < s->change + 2000 && !alarms; i++)
                    if (d->add(state, s->x[i]) == DETECTOR_DRIFT) {
                        alarms++;
                        late += (double)(i - s->change);
                    }
                mem_free(state);
                seen += alarms;
                before += wolf;
            }
            print_message("%-20s %-13s seen %zu of 20, %5.0f hours late; %zu alarms before\n",
                          what[c], d->name, seen, seen ? late / (double)seen : 0.0, before);
            assert_true(seen >= 19);
        }
    mem_free(s);
}

/* Alarms that the test's own level lets expect, at most, on n values without a change. */
static double promised(const Detector *d, size_t n)
{
    double values = (double)n;
    if (text_equal(d->name, "adwin"))
        return values / 32.0 * 0.002;
    if (text_equal(d->name, "kswin"))
        return values * 0.005;
    if (text_equal(d->name, "ddm"))
        return values * 0.01; /* "99 % confidence": Gama et al. */
    if (text_equal(d->name, "hddm_a") || text_equal(d->name, "hddm_w"))
        return values * 0.001;
    if (text_equal(d->name, "page_hinkley")) { /* Siegmund 1985, 2.36: values between two alarms */
        double slope = 0.005 / d->deviation, b = 50.0 / d->deviation + 1.166;
        return values * 2.0 * slope * slope / (exp(2.0 * slope * b) - 2.0 * slope * b - 1.0);
    }
    return values * 0.004; /* eddm promises nothing; this is about what it does here */
}

static void quiet_on_shuffles(void **test)
{
    Bikes *b = *test;
    if (!b)
        skip();
    Stream *s = mem_alloc(sizeof *s);
    for (size_t k = 0; detectors[k]; k++) {
        const Detector *d = detectors[k];
        size_t sum = 0, with = 0;
        double mean, deviation;
        Rng rng;
        rng_seed(&rng, 77, k);
        make(s, b, YEARS, d, &rng);
        moments(s->x, s->n, &mean, &deviation);
        for (size_t i = 0; d->deviation > 0.0 && i < s->n; i++)
            s->x[i] *= d->deviation / deviation;
        for (uint64_t seed = 0; seed < SHUFFLES; seed++) {
            size_t alarms;
            shuffle(s->x, s->n, &rng); /* both years mixed: no change is left */
            run(d, s->x, s->n, seed, &alarms);
            sum += alarms;
            with += alarms > 0;
        }
        double most = promised(d, s->n * SHUFFLES);
        print_message(
            "%-13s %zu alarms in %d shuffles of %zu hours (%zu of them with any); promised %.1f\n",
            d->name, sum, SHUFFLES, s->n, with, most);
        assert_true((double)sum <= most + 3.0 * sqrt(most) + 1.0);
    }
    mem_free(s);
}

static int setup(void **state)
{
    *state = read_bikes();
    return 0;
}

static int teardown(void **state)
{
    mem_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),         cmocka_unit_test(errors_rise),
        cmocka_unit_test(eddm_is_as_published), cmocka_unit_test(registry),
        cmocka_unit_test(adwin_follows),        cmocka_unit_test(bands),
        cmocka_unit_test(real_changes),         cmocka_unit_test(quiet_on_shuffles),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
