/* watch_world.h -- for tests: a workspace with a model of made-up trips behind a deployment, and rows for its log. */
#ifndef WATCH_WORLD_H
#define WATCH_WORLD_H

#include <lathe/command.h>
#include <lathe/deploy.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct World {
    char root[64], base[96], dir[96]; /* base: made once, dir: the copy of a test */
    Store *s;
    PredictionLog *log;
    Watcher *w;
    Pool *pool;
    Error err;
    Arena a;
    int64_t id, time;         /* of the next row */
    Rng rng;
    int news;                 /* heard from the watcher */
} World;

#define OK(call)                                                                                   \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("line %d: %s", __LINE__, world.err.text);                                     \
    } while (0)

extern World world;
int world_make(void **state);  /* of a group. base: table `trips`, run 1, deployment `fares` with chunks of 200 rows */
int world_destroy(void **state);
int world_begin(void **state); /* a fresh copy, opened */
int world_end(void **state);
/* So many rows answered: miles are times `longer`, payments are `pay` if not NULL, `missing` share without minutes.
 * The model's answers are the tariff. feedback: the truth is known as well, times `dearer`. */
typedef struct Rows { size_t n; double longer, missing, dearer; const char *pay; bool feedback; int64_t model /* 0: 1 */; } Rows;
void world_rows(Rows r);
void world_watch(const char *program); /* opens a watcher */
void world_round(void);       /* rounds until there is nothing to do */
void world_round_at(int64_t now);
int64_t world_count(const char *sql);
void world_set(const char *key, const char *value);

/* ---- whole here: the test that includes it is one program -------------------------------------------------------- */

World world;

static double tariff(double miles, double minutes)
{
    return 3.25 + 2.16 * miles + 0.35 * minutes;
}

static void write_trips(const char *path)
{
    Text t = {0};
    Rng r;
    rng_seed(&r, 3, 0);
    text_puts(&t, "MILES,MINUTES,PAYMENT,FARE\n");
    for (int i = 0; i < 3000; i++) {
        double miles = exp(0.8 + 0.5 * rng_normal(&r)), minutes = miles * 3 + 2 + 4 * rng_unit(&r);
        text_printf(&t, "%.3f,%.2f,%s,%.2f\n", miles, minutes, rng_unit(&r) < 0.7 ? "Credit" : "Cash",
                    tariff(miles, minutes) + rng_normal(&r));
    }
    OK(file_write(path, t.at, t.count, &world.err));
    text_release(&t);
}

static void world_line(const char *dir, const char *line)
{
    CommandCall call = {.workspace = dir, .pool = world.pool};
    json_t *result = NULL;
    const Command *c;
    OK(command_line(&call, line, &c, &result, &world.err));
    json_decref(result);
}

int world_make(void **state)
{
    (void)state;
    char path[200], line[400];
    strcpy(world.root, "/tmp/lathe-watch-world-XXXXXX");
    assert_non_null(mkdtemp(world.root));
    snprintf(world.base, sizeof world.base, "%s/base", world.root);
    snprintf(path, sizeof path, "%s/trips.csv", world.root);
    world.pool = pool_create(2);
    write_trips(path);
    snprintf(line, sizeof line, "ingest %s as=trips", path);
    world_line(world.base, line);
    world_line(world.base, "train gbdt data=trips target=FARE epochs=30 leaves=15 name=fares");
    Store *s = store_open(world.base, STORE_WRITE, &world.err);
    OK(s && deployment_create(s, "fares", "fares", "test", &world.err));
    OK(deployment_set(s, "fares", "chunk", "200", "test", &world.err));
    OK(deployment_set(s, "fares", "cool", "0", "test", &world.err));
    store_close(s);
    return 0;
}

int world_destroy(void **state)
{
    (void)state;
    pool_destroy(world.pool);
    dir_remove(world.root, NULL);
    return 0;
}

int world_begin(void **state)
{
    char line[400];
    (void)state;
    snprintf(world.dir, sizeof world.dir, "%s/work", world.root);
    dir_remove(world.dir, NULL);
    snprintf(line, sizeof line, "cp -r %s %s", world.base, world.dir);
    if (system(line) != 0)
        return -1;
    world.err = (Error){0};
    world.s = store_open(world.dir, STORE_WRITE, &world.err);
    world.log = prediction_log_open(world.dir, STORE_WRITE, &world.err);
    world.time = time_now() - INT64_C(3600000000); /* rows of the last hour */
    world.id = 0;
    world.news = 0;
    rng_seed(&world.rng, 5, 0);
    sqlite3_exec(store_handle(world.s), "UPDATE deployments SET created = created - 7200000000; UPDATE models SET created = created - 7200000000",
                 NULL, NULL, NULL);
    return world.s && world.log ? 0 : -1;
}

int world_end(void **state)
{
    (void)state;
    watcher_close(world.w);
    world.w = NULL;
    prediction_log_close(world.log);
    store_close(world.s);
    arena_release(&world.a);
    dir_remove(world.dir, NULL);
    return 0;
}

void world_rows(Rows r)
{
    PredictionRow *row = mem_alloc((r.n + 1) * sizeof *row);
    for (size_t i = 0; i < r.n; i++) {
        double miles = exp(0.8 + 0.5 * rng_normal(&world.rng)) * (r.longer > 0 ? r.longer : 1);
        double minutes = miles * 3 + 2 + 4 * rng_unit(&world.rng), noise = rng_normal(&world.rng);
        bool missing = rng_unit(&world.rng) < r.missing;
        const char *pay = rng_unit(&world.rng) < 0.7 ? "Credit" : "Cash";
        world.time += 1000;
        row[i] = (PredictionRow){.id = world.time << 12, .time = world.time, .deployment = "fares", .model = r.model ? r.model : 1, .role = "live",
                                 .said = "", .output = tariff(miles, minutes), .latency = 0.001,
                                 .truth = (tariff(miles, minutes) + noise) * (r.dearer > 0 ? r.dearer : 1), .truth_said = ""};
        row[i].inputs = missing ? arena_printf(&world.a, "{\"MILES\":%.3f,\"MINUTES\":null,\"PAYMENT\":\"%s\"}", miles, r.pay ? r.pay : pay)
                                : arena_printf(&world.a, "{\"MILES\":%.3f,\"MINUTES\":%.2f,\"PAYMENT\":\"%s\"}", miles, minutes,
                                               r.pay ? r.pay : pay);
    }
    size_t known = 0;
    OK(prediction_log_add(world.log, row, r.n, &world.err));
    if (r.feedback)
        OK(prediction_log_feedback(world.log, row, r.n, &known, &world.err) && known == r.n);
    mem_free(row);
}

static void world_heard(void *context, const WatchNews *news)
{
    (void)context;
    (void)news;
    world.news++;
    if (getenv("WATCH_SAY"))
        fprintf(stderr, "   %s: %s: %s\n", news->deployment, news->kind, news->text);
}

void world_watch(const char *program)
{
    watcher_close(world.w);
    OK(world.w = watcher_open(world.dir, program, world.pool, world_heard, NULL, &world.err));
}

void world_round_at(int64_t now)
{
    bool busy = true;
    for (int i = 0; busy && i < 50; i++)
        OK(watcher_round(world.w, now, &busy, NULL, &world.err));
}

void world_round(void)
{
    world_round_at(time_now());
}

int64_t world_count(const char *sql)
{
    sqlite3_stmt *q;
    int64_t n = -1;
    if (sqlite3_prepare_v2(store_handle(world.s), sql, -1, &q, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(store_handle(world.s)));
    if (sqlite3_step(q) == SQLITE_ROW)
        n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return n;
}

void world_set(const char *key, const char *value)
{
    OK(deployment_set(world.s, "fares", key, value, "test", &world.err));
}

#endif
