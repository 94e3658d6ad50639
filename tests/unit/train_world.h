/* train_world.h -- for tests of runs: a workspace in a temporary folder with made-up trips in it. */
#ifndef LATHE_TESTS_TRAIN_WORLD_H
#define LATHE_TESTS_TRAIN_WORLD_H

#include <lathe/train.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct World {
    char dir[64];
    Store *s;
    Pool *pool;
    Arena a;
    Error err;
} World;

#define OK(call)                                                                                   \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, w->err.text);                                \
    } while (0)

#ifndef TRIPS
#define TRIPS 3000
#endif

static inline void says(World *w, bool result, const char *words)
{
    assert_false(result);
    if (!strstr(w->err.text, words))
        fail_msg("expected '%s' in '%s'", words, w->err.text);
    if (strchr(w->err.text, '\n'))
        fail_msg("more than one line: '%s'", w->err.text);
    w->err = (Error){0};
}

/* FARE = 3 + 2 MILES + .5 MINUTES + 4 at night + noise of deviation .5; LONG = FARE > 20;
 * ZONE is one of three by FARE; SAME is always 1. */
static inline void add_trips(World *w, const char *name)
{
    static const char *const times[] = {"day", "night"}, *const zones[] = {"near", "mid", "far"};
    const char *names[] = {"MILES", "MINUTES", "TIME", "FARE", "LONG", "ZONE", "SAME"};
    ColumnType types[] = {COLUMN_REAL, COLUMN_REAL, COLUMN_TEXT, COLUMN_REAL,
                          COLUMN_TEXT, COLUMN_TEXT, COLUMN_REAL};
    Schema schema = {0};
    Arena a = {0};
    Rng r;
    Column column[7];
    ColumnBuild *b[7];
    char hash[65], path[96];
    rng_seed(&r, 11, 0);
    for (int i = 0; i < 7; i++) {
        schema_add(&schema, names[i], types[i], ROLE_FEATURE);
        b[i] = column_build(&a, names[i], types[i], TRIPS);
    }
    for (int i = 0; i < TRIPS; i++) {
        double miles = 10 * rng_unit(&r), minutes = 30 * rng_unit(&r);
        size_t night = rng_below(&r, 2);
        double fare = 3 + 2 * miles + .5 * minutes + 4 * (double)night + .5 * rng_normal(&r);
        size_t zone = fare < 15 ? 0 : fare < 25 ? 1 : 2;
        column_build_real(b[0], miles);
        column_build_real(b[1], minutes);
        column_build_text(b[2], times[night], strlen(times[night]));
        column_build_real(b[3], fare);
        column_build_text(b[4], fare > 20 ? "yes" : "no", fare > 20 ? 3 : 2);
        column_build_text(b[5], zones[zone], strlen(zones[zone]));
        column_build_real(b[6], 1);
    }
    for (int i = 0; i < 7; i++)
        column_build_finish(b[i], &column[i]);
    Chunk c = {.rows = TRIPS, .columns = 7, .column = column};
    snprintf(path, sizeof path, "%s/datasets", w->dir);
    DatasetWriter *out = dataset_writer_create(path, &schema, NULL, &w->err);
    OK(out);
    OK(dataset_writer_add(out, &c, &w->err));
    OK(dataset_writer_finish(out, hash, &w->err));
    dataset_writer_destroy(out);
    ColumnRow rows[7];
    for (int i = 0; i < 7; i++)
        rows[i] =
            (ColumnRow){.name = names[i], .type = column_type_name(types[i]), .role = "feature"};
    DatasetRow row = {.hash = hash, .name = name, .source = "made", .rows = TRIPS, .columns = 7};
    OK(store_dataset_add(w->s, &row, rows, 7, &w->err));
    schema_release(&schema);
    arena_release(&a);
}

static inline int world_setup(void **state)
{
    World *w = calloc(1, sizeof *w);
    strcpy(w->dir, "/tmp/lathe-run-XXXXXX");
    if (!mkdtemp(w->dir))
        return -1;
    w->s = store_open(w->dir, STORE_WRITE, &w->err);
    w->pool = pool_create(2);
    *state = w;
    if (!w->s)
        return -1;
    add_trips(w, "trips");
    return 0;
}

static inline int world_teardown(void **state)
{
    World *w = *state;
    store_close(w->s);
    pool_destroy(w->pool);
    arena_release(&w->a);
    dir_remove(w->dir, NULL);
    free(w);
    return 0;
}

/* settings: "epochs=5 lr=0.01" */
static inline int64_t submit(World *w, const char *family, const char *target, const char *features,
                             const char *settings)
{
    RunSpec spec;
    char copy[512], *save = NULL;
    run_spec_init(&spec, model_family(family));
    spec.dataset = "trips";
    spec.target = target;
    spec.features = features;
    spec.seed = 7;
    snprintf(copy, sizeof copy, "%s", settings);
    for (char *pair = strtok_r(copy, " ", &save); pair; pair = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(pair, '=');
        *eq = 0;
        OK(run_spec_set(&spec, pair, eq + 1, &w->err));
    }
    int64_t run = run_submit(w->s, &spec, &w->err);
    OK(run);
    run_spec_release(&spec);
    return run;
}

static inline double last_metric(World *w, int64_t run, const char *key)
{
    MetricPoint *p;
    size_t n;
    OK(store_metrics_last(w->s, run, &w->a, &p, &n, &w->err));
    for (size_t i = 0; i < n; i++)
        if (text_equal(p[i].key, key))
            return p[i].value;
    return (double)NAN;
}

static inline RunRow run_of(World *w, int64_t run)
{
    RunRow r;
    OK(store_run_get(w->s, run, &w->a, &r, &w->err));
    return r;
}

static inline size_t events_of(World *w, int64_t run, const char *kind, EventRow *last)
{
    EventRow *e;
    size_t n, found = 0;
    int64_t cursor = 0;
    OK(store_events_since(w->s, run, &cursor, &w->a, &e, &n, &w->err));
    for (size_t i = 0; i < n; i++)
        if (text_equal(e[i].kind, kind)) {
            found++;
            if (last)
                *last = e[i];
        }
    return found;
}

/* Points of both runs are the same bits, but for the clock. */
static inline void same_curves(World *w, int64_t one, int64_t two)
{
    MetricPoint *a, *b;
    size_t n, m, i = 0, k = 0, compared = 0;
    int64_t from = 0, to = 0;
    OK(store_metrics_since(w->s, one, NULL, &from, &w->a, &a, &n, &w->err));
    OK(store_metrics_since(w->s, two, NULL, &to, &w->a, &b, &m, &w->err));
    for (;; i++, k++) {
        while (i < n && text_equal(a[i].key, "samples_per_second"))
            i++;
        while (k < m && text_equal(b[k].key, "samples_per_second"))
            k++;
        if (i == n || k == m)
            break;
        if (!text_equal(a[i].key, b[k].key) || a[i].step != b[k].step ||
            memcmp(&a[i].value, &b[k].value, sizeof(double)) != 0)
            fail_msg("point %zu: %s step %lld %.17g, expected %s step %lld %.17g", k, b[k].key,
                     (long long)b[k].step, b[k].value, a[i].key, (long long)a[i].step, a[i].value);
        compared++;
    }
    if (i != n || k != m)
        fail_msg("run %lld has %zu points more (%s at %lld), run %lld %zu (%s at %lld)",
                 (long long)one, n - i, i < n ? a[i].key : "", i < n ? (long long)a[i].step : 0,
                 (long long)two, m - k, k < m ? b[k].key : "", k < m ? (long long)b[k].step : 0);
    assert_true(compared > 0);
}

static inline void same_file(World *w, int64_t one, int64_t two, const char *name)
{
    Text a = {0}, b = {0};
    OK(file_read(store_path(w->s, &w->a, "runs/%lld/%s", (long long)one, name), &a, 1 << 28,
                 &w->err));
    OK(file_read(store_path(w->s, &w->a, "runs/%lld/%s", (long long)two, name), &b, 1 << 28,
                 &w->err));
    assert_int_equal(a.count, b.count);
    assert_memory_equal(a.at, b.at, a.count);
    text_release(&a);
    text_release(&b);
}

/* ---- a run on a second thread with its own store, as a viewer has ------------------------------------- */

typedef struct Ride {
    World *w;
    int64_t run;
    bool ok;
    Error err;
} Ride;

static inline void *ride(void *at)
{
    Ride *r = at;
    Store *s = store_open(r->w->dir, STORE_WRITE, &r->err);
    r->ok = s && run_execute(s, r->run, r->w->pool, NULL, NULL, NULL, &r->err);
    store_close(s);
    return NULL;
}

static inline void wait_step(World *w, int64_t run, int64_t step)
{
    double end = clock_now() + 60;
    while (run_of(w, run).step < step) {
        if (clock_now() > end)
            fail_msg("step %lld was not reached", (long long)step);
        usleep(5000);
    }
}

#endif
