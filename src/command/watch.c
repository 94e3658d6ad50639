/* watch.c -- lathe watch: the monitors, alerts and policies of all deployments, until it is told to end. */
#include "command_int.h"

#include <lathe/deploy.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct WatchSettings {
    double every;
    int rounds;
} WatchSettings;

typedef struct Telling {
    const CommandCall *call;
    int64_t lines;
    bool broken; /* nobody reads any more */
} Telling;

static void write_news(Telling *t, const WatchNews *news)
{
    Text when = {0};
    time_format(time_now() / 1000000 * 1000000, &when);
    json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "time", text_str(&when), "deployment", news->deployment, "kind",
                          news->kind, "text", news->text);
    char *line = o ? json_dumps(o, JSON_COMPACT) : NULL;
    if (line)
        t->broken = !t->call->write(t->call->write_context, line, strlen(line), NULL) ||
                    !t->call->write(t->call->write_context, "\n", 1, NULL);
    free(line);
    json_decref(o);
    text_release(&when);
}

static void on_news(void *context, const WatchNews *news)
{
    Telling *t = context;
    t->lines++;
    if (t->call->json && t->call->write && !t->call->screen)
        write_news(t, news);
    else
        call_say(t->call, "%s: %s: %s", news->deployment, news->kind, news->text);
}

/* Sleeps in short naps, so that an end is heard. */
static void nap(const CommandCall *call, double seconds)
{
    for (double until = clock_now() + seconds; clock_now() < until && !progress_stopped(call->progress);)
        nanosleep(&(struct timespec){0, 20000000}, NULL);
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const WatchSettings *set = call->settings;
    Telling telling = {.call = call};
    int64_t rounds = 0, failed = 0;
    if (!call->progress && !set->rounds)
        return error_set(err, ERROR_USAGE, "watch: nobody could stop it here; say rounds=1");
    Watcher *w = watcher_open(call->workspace, call->program, call->pool, on_news, &telling, err);
    if (!w)
        return false;
    if (!call->json)
        call_say(call, "watching %s -- Ctrl-C ends it", call->workspace);
    for (char said[400] = ""; !progress_stopped(call->progress) && !telling.broken;) {
        Error why = {0};
        bool busy = false;
        if (watcher_round(w, time_now(), &busy, call->progress, &why)) {
            *said = 0;
        } else if (why.kind != ERROR_STOP) {
            failed++;
            if (strcmp(said, why.text) != 0) /* a locked database, a full disk: once, and it is tried again */
                on_news(&telling, &(WatchNews){"", "error", why.text});
            memcpy(said, why.text, sizeof said);
        }
        if (set->rounds && ++rounds >= set->rounds)
            break;
        if (!busy)
            nap(call, set->every);
    }
    watcher_close(w);
    if (!(call->json && call->write && !call->screen))
        *result = json_pack("{s:I, s:I}", "news", (json_int_t)telling.lines, "failed_rounds", (json_int_t)failed);
    return true;
}

static const Param params[] = {
    PARAM_REAL(WatchSettings, every, "every", 1, 0.05, 3600, "s", "between two looks when there was nothing to do"),
    PARAM_INT(WatchSettings, rounds, "rounds", 0, 0, 1000000, "rounds", "ends after so many; 0: when it is told to"),
    PARAM_END};

const Command watch_command = {
    .name = "watch",
    .about = "watches all deployments: drift, quality, performance, alerts, roll-outs, retraining",
    .details = "A process beside the server. It reads the log of predictions in whole chunks (chunk= of the deployment),\n"
               "compares them with what the model learnt from, estimates how well the model does before anyone knows\n"
               "the truth, and judges by feedback when it comes. What is out of bounds becomes an alert: on the screen,\n"
               "in lathe.log, to command= and webhook=. Roll-outs go on step by step, and a model is trained anew when a\n"
               "policy (retrain_...) says so; automation= says what it may do by itself. One process watches a\n"
               "workspace; it may be killed at any moment. SIGTERM and Ctrl-C end it. With --json a line a piece of news.",
    .example = "lathe watch",
    .params = params,
    .params_size = sizeof(WatchSettings),
    .run = run,
};
