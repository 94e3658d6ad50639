/* demo.c -- lathe demo production: a year of drifting trips in two minutes, from the first model to the one that replaced it.
 *
 * All of it is the real thing: a server process on a free port of loopback, requests over HTTP, the watcher's rounds,
 * training, roll-outs through their gate. Only the trips are made up, and the year is short. What is said to have happened is read
 * from the store when the year is over; if something did not, that is an error. */
#include "demo_int.h"

#include <lathe/deploy.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct DemoSettings {
    double seconds;
    char *in;
    int rows, seed;
    bool keep;
} DemoSettings;

typedef struct Demo {
    const CommandCall *call;
    const DemoSettings *set;
    char dir[1024];
    Store *store;
    Watcher *watcher;
    DemoServer server;
    DemoClient *client;
    int month;              /* said last; -1 none */
    bool bad_sent;          /* the bad model answers a part of the requests */
    int64_t bad;
    double began;
} Demo;

/* ---- what happened, from the store --------------------------------------------------------------------------------------- */

typedef struct Seen { int64_t drift, estimated, truths, retrained, shadowed, promoted, rolled_back; } Seen;

static int64_t count(Store *s, const char *sql)
{
    sqlite3_stmt *q;
    int64_t n = 0;
    if (sqlite3_prepare_v2(store_handle(s), sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return n;
}

static void look(Store *s, Seen *out)
{
    *out = (Seen){
        .drift = count(s, "SELECT count(*) FROM alerts WHERE kind = 'drift'"),
        .estimated = count(s, "SELECT count(*) FROM monitor_points WHERE kind = 'estimate' AND alarm"),
        .truths = count(s, "SELECT count(*) FROM monitor_points WHERE kind = 'estimate' AND truth IS NOT NULL"),
        .retrained = count(s, "SELECT count(*) FROM runs WHERE status = 'FINISHED' AND id > 2"),
        .shadowed = count(s, "SELECT count(*) FROM audit WHERE what = 'shadow' AND actor = 'watch'"),
        .promoted = count(s, "SELECT count(*) FROM deployments JOIN models ON models.id = deployments.model WHERE run > 2"),
        .rolled_back = count(s, "SELECT count(*) FROM audit WHERE what = 'back' AND actor = 'watch' AND id >"
                                " (SELECT max(id) FROM audit WHERE what = 'canary' AND actor = 'demo')"),
    };
}

static bool all_seen(const Seen *s)
{
    return s->drift && s->estimated && s->truths && s->retrained && s->shadowed && s->promoted && s->rolled_back;
}

/* ---- before the year --------------------------------------------------------------------------------------------------------- */

static bool line(Demo *d, const char *words, Error *err)
{
    CommandCall call = {.workspace = d->dir, .program = d->call->program, .pool = d->call->pool, .progress = d->call->progress,
                        .screen = false};
    json_t *result = NULL;
    const Command *c = NULL;
    bool ok = command_line(&call, words, &c, &result, err);
    json_decref(result);
    return ok;
}

/* A table, and a model of it: runs 1 (January) and 2 (fares at random, for the one that is rolled back). */
static bool learn(Demo *d, const char *name, bool wrong, Error *err)
{
    char path[1200], words[1600];
    snprintf(path, sizeof path, "%s/%s.csv", d->dir, name);
    if (!demo_trips_write(path, DEMO_LEARNT, wrong, err))
        return false;
    snprintf(words, sizeof words, "ingest \"%s\" as=%s", path, name);
    if (!line(d, words, err))
        return false;
    snprintf(words, sizeof words, "train gbdt data=%s target=FARE epochs=40 leaves=15 name=%s", name, wrong ? "wrong" : "fares");
    return line(d, words, err);
}

static bool deploy(Demo *d, Error *err)
{
    double month = d->set->seconds / DEMO_MONTHS;
    char interval[32], cool[32], chunk[32], again[32];
    snprintf(interval, sizeof interval, "%.3f", month / 4 > 0.8 ? month / 4 : 0.8);
    snprintf(cool, sizeof cool, "%.3f", month * 2);
    snprintf(again, sizeof again, "%.3f", month * 3);
    snprintf(chunk, sizeof chunk, "%d", d->set->rows / 4 > 100 ? d->set->rows / 4 : 100);
    const char *const settings[][2] = {
        {"automation", "full"},  {"plan", "25 100"},     {"interval", interval},        {"rows_least", "30"},
        {"threshold", "2"},      {"rules", "mae better 2%"}, {"chunk", chunk},          {"cool", cool},
        {"retrain_drift", "yes"}, {"retrain_performance", "0.5"}, {"retrain_labels_least", "300"}, {"retrain_cool", again},
        {"latency_ms", "10000"},
    };
    bool ok = deployment_create(d->store, "fares", "fares", "demo", err);
    for (size_t i = 0; ok && i < sizeof settings / sizeof *settings; i++)
        ok = deployment_set(d->store, "fares", settings[i][0], settings[i][1], "demo", err);
    return ok;
}

static bool open_server(Demo *d, Error *err)
{
    if (!demo_server_open(&d->server, d->call->program, d->dir, err))
        return false;
    d->client = demo_client_open(d->server.address, (uint64_t)d->set->seed);
    return true;
}

static void on_news(void *context, const WatchNews *news)
{
    Demo *d = context;
    if (strcmp(news->kind, "check") != 0)
        call_say(d->call, "           %s: %s", news->kind, news->text);
}

static bool begin(Demo *d, Error *err)
{
    d->store = store_open(d->dir, STORE_WRITE, err);
    if (!d->store)
        return false;
    call_say(d->call, "January    %d trips are learnt; and a second model learns fares that are nonsense", DEMO_LEARNT);
    if (!learn(d, "january", false, err) || !learn(d, "nonsense", true, err) || !deploy(d, err) || !open_server(d, err))
        return false;
    call_say(d->call, "           deployment fares answers on http://%s", d->server.address);
    d->watcher = watcher_open(d->dir, NULL, d->call->pool, on_news, d, err);
    return d->watcher;
}

/* ---- the year ----------------------------------------------------------------------------------------------------------------- */

static void say_month(Demo *d, double day)
{
    static const char *const names[DEMO_MONTHS] = {"January", "February", "March", "April", "May", "June", "July", "August",
                                                   "September", "October", "November", "December"};
    int month = (int)(day / 365 * DEMO_MONTHS);
    month = month < DEMO_MONTHS ? month : DEMO_MONTHS - 1;
    if (month == d->month)
        return;
    d->month = month;
    call_say(d->call, "%-10s %zu trips asked for, the fares of %zu known%s", names[month], demo_client_asked(d->client),
             demo_client_told(d->client), month == 6 ? "; the tariff goes up by a fourth" : "");
}

/* The bad model gets a part of the requests when the good one has been promoted: someone was in a hurry. */
static bool send_bad(Demo *d, const Seen *seen, Error *err)
{
    Arena a = {0};
    DeploymentRow row;
    Error why = {0};
    bool ok = store_deployment_find(d->store, "fares", &a, &row, err);
    if (ok && !d->bad_sent && seen->promoted && d->month >= 7 && strcmp(row.state, "live") == 0) {
        ok = deployment_move(d->store, "fares", MOVE_CANARY, "wrong", "demo", &why) || why.kind == ERROR_STOP ||
             error_set(err, why.kind, "%s", why.text);
        d->bad_sent = ok && !*why.text;
        if (d->bad_sent)
            call_say(d->call, "           someone gives the model of nonsense a part of the requests");
    }
    arena_release(&a);
    return ok;
}

/* Where in the year it is: after its last day December goes on until all was seen, for as long again twice. */
static bool is_over(const Demo *d, double elapsed, const Seen *seen)
{
    return progress_stopped(d->call->progress) || (elapsed >= d->set->seconds && all_seen(seen)) ||
           elapsed >= d->set->seconds * 3 + 60;
}

static bool play(Demo *d, Error *err)
{
    double owed = 0, before = 0;
    Seen seen = {0};
    d->began = clock_now();
    for (double elapsed; elapsed = clock_now() - d->began, !is_over(d, elapsed, &seen);) {
        double day = 365 * (elapsed < d->set->seconds ? elapsed / d->set->seconds : 0.9999), pause = elapsed - before;
        bool busy = false;
        Error why = {0};
        before = elapsed;
        owed += (pause < 0.5 ? pause : 0.5) * (double)d->set->rows * DEMO_MONTHS / d->set->seconds;
        say_month(d, day);
        for (; owed >= 10; owed -= 10)
            if (!demo_client_ask(d->client, day, 10, err))
                return false;
        double late = elapsed < d->set->seconds ? 7 : -1; /* the truth is known a week later */
        if (!demo_client_tell(d->client, day - late, err))
            return false;
        if (!watcher_round(d->watcher, time_now(), &busy, d->call->progress, &why) && why.kind != ERROR_STOP)
            return error_set(err, why.kind, "%s", why.text);
        look(d->store, &seen);
        if (!send_bad(d, &seen, err))
            return false;
        nanosleep(&(struct timespec){0, 20000000}, NULL);
    }
    return !progress_stopped(d->call->progress) || error_set(err, ERROR_STOP, "stopped on request");
}

/* ---- after it ------------------------------------------------------------------------------------------------------------------- */

static bool report(Demo *d, json_t **result, Error *err)
{
    Seen s;
    look(d->store, &s);
    const struct { const char *key; int64_t n; const char *what; } rows[] = {
        {"drift_alerts", s.drift, "no drift was seen"},
        {"estimates_alarmed", s.estimated, "no loss was estimated"},
        {"estimates_with_truth", s.truths, "no estimate met its truth"},
        {"retrained", s.retrained, "nothing was trained anew"},
        {"shadowed", s.shadowed, "no model was tried as a shadow"},
        {"promoted", s.promoted, "no model was promoted"},
        {"rolled_back", s.rolled_back, "the bad model was not rolled back"},
    };
    *result = json_object();
    result_text(*result, "workspace", d->set->keep || *d->set->in ? d->dir : "removed; keep=yes keeps it");
    result_int(*result, "predictions", (int64_t)demo_client_asked(d->client));
    result_int(*result, "feedback", (int64_t)demo_client_told(d->client));
    result_real(*result, "seconds", clock_now() - d->began);
    const char *missing = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        result_int(*result, rows[i].key, rows[i].n);
        missing = missing || rows[i].n ? missing : rows[i].what;
    }
    if (!missing)
        return true;
    json_decref(*result);
    *result = NULL;
    return error_set(err, ERROR_SHAPE, "the year is over and %s; this machine may be too slow for %g seconds", missing,
                     d->set->seconds);
}

static bool choose_folder(Demo *d, Error *err)
{
    const char *tmp = getenv("TMPDIR");
    if (*d->set->in) {
        snprintf(d->dir, sizeof d->dir, "%s", d->set->in);
        char db[1100];
        snprintf(db, sizeof db, "%s/lathe.db", d->dir);
        return !file_exists(db) || error_set(err, ERROR_USAGE, "%s is a workspace already; the demo wants an empty one", d->dir);
    }
    snprintf(d->dir, sizeof d->dir, "%.900s/lathe-demo-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    return mkdtemp(d->dir) || error_set(err, ERROR_IO, "%s: cannot be made", d->dir);
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    Demo *d = mem_alloc(sizeof *d);
    *d = (Demo){.call = call, .set = call->settings, .month = -1, .server.out = -1};
    bool made = choose_folder(d, err);
    bool ok = made && begin(d, err) && play(d, err) && report(d, result, err);
    watcher_close(d->watcher);
    demo_client_close(d->client);
    demo_server_close(&d->server);
    store_close(d->store);
    if (made && !*d->set->in && !d->set->keep)
        dir_remove(d->dir, NULL);
    mem_free(d);
    return ok;
}

static const Param params[] = {
    PARAM_REAL(DemoSettings, seconds, "seconds", 120, 5, 86400, "s", "how long the year takes"),
    PARAM_TEXT(DemoSettings, in, "in", "", "a folder for the workspace, to look at it meanwhile; else a temporary one"),
    PARAM_INT(DemoSettings, rows, "rows", 1000, 100, 1000000, "rows", "trips a month"),
    PARAM_INT(DemoSettings, seed, "seed", 1, 0, 2000000000, "", "of the trips"),
    PARAM_BOOL(DemoSettings, keep, "keep", 0, "the temporary workspace stays"),
    PARAM_END};

static const Command production_verb = {.name = "production",
                                        .about = "a year of drifting trips in two minutes",
                                        .details = "A model is deployed and asked over HTTP while its world drifts: drift is seen, the loss estimated\n"
                                                   "before the truth is known, a new model trained, tried as a shadow, promoted through the gate, and a\n"
                                                   "bad one rolled back. Look at it meanwhile: lathe demo production in=year, and in another terminal\n"
                                                   "lathe -w year, panes 7 and 8.",
                                        .example = "lathe demo production seconds=60",
                                        .params = params,
                                        .params_size = sizeof(DemoSettings),
                                        .run = run};
static const Command *const verbs[] = {&production_verb, NULL};

const Command demo_command = {
    .name = "demo",
    .about = "plays what production is like, on made-up data",
    .example = "lathe demo production seconds=60",
    .verbs = verbs,
};
