/* commands.c -- steering: what viewers ask is checked when it is asked, takes effect between two
 * steps, and keeps the step it came before, so that a resumed run does the same again. */
#include "train_int.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define POLL_SECONDS 0.02
#define PAUSE_MS     50

/* ---- asking ---------------------------------------------------------------------------------------- */

static const char *const verbs[] = {"set",    "pause", "resume", "checkpoint",
                                    "layers", "stop",  "abort"};
#define VERBS (sizeof verbs / sizeof *verbs)

static bool check_verb(const char *verb, Error *err)
{
    for (size_t i = 0; i < VERBS; i++)
        if (text_equal(verb, verbs[i]))
            return true;
    const char *near = text_nearest(verb, verbs, VERBS);
    return error_set(err, ERROR_USAGE,
                     near ? "a run knows no '%s', did you mean %s?" : "a run knows no '%s'", verb,
                     near);
}

static bool check_set(const char *family, const char *key, const char *value, Error *err)
{
    RunParams scratch;
    const char *live[64];
    size_t n = 0;
    const ModelFamily *f = model_family(family);
    for (const Param *p = run_params; p->kind != PARAM_KIND_END; p++)
        if (p->live && model_family_takes(f, p))
            live[n++] = p->name;
    const Param *row = param_find(run_params, key);
    if (row && row->live && model_family_takes(f, row)) {
        params_init(run_params, &scratch);
        bool ok = param_set(row, &scratch, value, err);
        params_release(run_params, &scratch);
        return ok;
    }
    Text names = {0};
    for (size_t i = 0; i < n; i++)
        text_printf(&names, "%s%s", i ? ", " : "", live[i]);
    const char *near = text_nearest(key, live, n);
    if (row && !model_family_takes(f, row))
        error_set(err, ERROR_USAGE, "%s says nothing to a %s; these can change: %s", key, family,
                  text_str(&names));
    else if (row)
        error_set(err, ERROR_USAGE,
                  "%s cannot change while a run trains; these can: %s. Fork the"
                  " run to change it",
                  key, text_str(&names));
    else if (near)
        error_set(err, ERROR_USAGE, "no hyperparameter %s, did you mean %s?", key, near);
    else
        error_set(err, ERROR_USAGE,
                  "no hyperparameter %s can change while a run trains; these can:"
                  " %s",
                  key, text_str(&names));
    text_release(&names);
    return false;
}

static bool check_run(const RunRow *r, Error *err)
{
    if (r->status == RUN_SCHEDULED || store_run_alive(r))
        return true;
    if (r->status == RUN_FINISHED)
        return error_set(err, ERROR_USAGE, "run %lld has finished; fork it to go on",
                         (long long)r->id);
    return error_set(err, ERROR_USAGE, "run %lld is not running (%s)", (long long)r->id,
                     r->status == RUN_FAILED ? r->message : "its process is gone");
}

bool run_command(Store *s, int64_t run, const char *verb, const char *key, const char *value,
                 Error *err)
{
    Arena a = {0};
    RunRow r;
    bool ok = check_verb(verb, err) && store_run_get(s, run, &a, &r, err) &&
              (!text_equal(verb, "set") ||
               check_set(r.family, key ? key : "", value ? value : "", err)) &&
              check_run(&r, err) && store_command_add(s, run, verb, key, value, err) != 0;
    arena_release(&a);
    return ok;
}

static bool steer_word(const char **at, size_t *left, const char **word, size_t *size)
{
    while (*left && strchr(" \t\n", **at))
        ++*at, --*left;
    *word = *at;
    while (*left && !strchr(" \t\n", **at))
        ++*at, --*left;
    *size = (size_t)(*at - *word);
    return *size > 0;
}

/* STEP set KEY VALUE, or STEP stop; noted as taken before that step, so that the run does it as one that is resumed. */
static bool steer_one(Store *s, int64_t run, const char *at, size_t n, int64_t *last, Arena *a,
                      Error *err)
{
    const char *word[5];
    char *copy[5];
    size_t size[5], words = 0, left = n;
    int64_t step;
    CommandRow *c;
    const char *from = at;
    while (words < 5 && steer_word(&at, &left, &word[words], &size[words]))
        words++;
    for (size_t i = 0; i < words; i++)
        copy[i] = arena_printf(a, "%.*s", (int)size[i], word[i]);
    bool sets = words == 4 && text_equal(copy[1], "set");
    if (!words)
        return true;
    if ((!sets && !(words == 2 && text_equal(copy[1], "stop"))) ||
        !text_to_int(copy[0], size[0], &step) || step < 0)
        return error_set(err, ERROR_USAGE,
                         "steer: expected STEP set KEY VALUE or STEP stop, found '%.*s'",
                         (int)(n < 60 ? n : 60), from);
    if (step < *last)
        return error_set(err, ERROR_USAGE,
                         "steer: step %lld comes after step %lld; say them in order",
                         (long long)step, (long long)*last);
    *last = step;
    RunRow r;
    return store_run_get(s, run, a, &r, err) &&
           (!sets || check_set(r.family, copy[2], copy[3], err)) &&
           store_command_add(s, run, copy[1], sets ? copy[2] : "", sets ? copy[3] : "", err) &&
           store_commands_take(s, run, a, &c, &n, err) &&
           store_command_step(s, c[0].id, step, err) &&
           store_event_add(s, run, step, "change",
                           sets ? arena_printf(a, "%s -> %s, as said before", copy[2], copy[3])
                                : "stop, as said before",
                           err);
}

bool run_steer_later(Store *s, int64_t run, const char *text, Error *err)
{
    Arena a = {0};
    int64_t last = 0;
    bool ok = true;
    while (ok && *text) {
        size_t n = strcspn(text, ";");
        ok = steer_one(s, run, text, n, &last, &a, err);
        text += n + (text[n] != 0);
    }
    arena_release(&a);
    return ok;
}

/* ---- taking effect --------------------------------------------------------------------------------- */

static bool apply_set(Job *j, const CommandRow *c, char *text, size_t size, Error *err)
{
    const Param *row = param_find(run_params, c->key);
    Text before = {0}, after = {0};
    Error why = {0};
    if (row)
        param_get(row, &j->spec.params, &before);
    bool set = row && row->live && param_set(row, &j->spec.params, c->value, &why);
    if (set) {
        param_get(row, &j->spec.params, &after);
        snprintf(text, size, "%s %s -> %s", c->key, text_str(&before), text_str(&after));
    } else {
        snprintf(text, size, "refused: %s", row ? why.text : c->key);
    }
    text_release(&before);
    text_release(&after);
    size_t batch = (size_t)j->spec.params.batch;
    return batch <= j->batch_most || j->batch_most == j->sampler.rows || job_model(j, batch, err);
}

static void end(Job *j, const char *how)
{
    j->loop.over = true;
    snprintf(j->loop.why, sizeof j->loop.why, "%s at step %lld", how, (long long)j->loop.step);
}

static bool apply(Job *j, const CommandRow *c, bool again, char *text, size_t size, Error *err)
{
    j->loop.command = c->id;
    text[0] = 0;
    if (text_equal(c->verb, "set"))
        return apply_set(j, c, text, size, err);
    if (text_equal(c->verb, "stop"))
        end(j, "stopped by request");
    else if (!again && text_equal(c->verb, "abort")) {
        end(j, "aborted by request");
        j->aborted = true;
    } else if (!again && text_equal(c->verb, "pause"))
        j->pause_asked = true;
    else if (!again && text_equal(c->verb, "resume"))
        j->pause_asked = false;
    else if (!again && text_equal(c->verb, "checkpoint"))
        j->checkpoint_asked = true;
    else if (!again && text_equal(c->verb, "layers"))
        j->layers_asked = true;
    return true;
}

/* Taking a command, its effect and the note of its step are one transaction: a kill leaves either a
 * command that is still to be taken, or one that a resumed run knows the step of. */
static bool take_all(Job *j, Arena *a, Error *err)
{
    CommandRow *c;
    size_t n;
    char text[512];
    if (!store_commands_take(j->store, j->row.id, a, &c, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!apply(j, &c[i], false, text, sizeof text, err))
            return false;
        bool in_vain = j->loop.step == 0 && text_equal(c[i].verb, "stop"); /* resumed, it begins */
        if (!in_vain && !store_command_step(j->store, c[i].id, j->loop.step, err))
            return false;
        if (text[0] && !job_news(j, "change", text, true, err))
            return false;
    }
    return true;
}

static bool take(Job *j, Error *err)
{
    Arena a = {0};
    if (!store_begin(j->store, err))
        return false;
    bool ok = take_all(j, &a, err);
    arena_release(&a);
    if (ok)
        return store_commit(j->store, err);
    store_rollback(j->store);
    return false;
}

/* ---- pause ------------------------------------------------------------------------------------------- */

static bool sleep_until_resumed(Job *j, Error *err)
{
    for (int beat = 0; j->pause_asked && !j->loop.over; beat++) {
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
        if (stop_asked(j->stop))
            return true;
        if (store_commands_pending(j->store, j->row.id) && !take(j, err))
            return false;
        if (beat % (1000 / PAUSE_MS) == 0 && !record_flush(j, err))
            return false;
    }
    return true;
}

static bool pause_run(Job *j, Error *err)
{
    char text[64];
    snprintf(text, sizeof text, "paused at step %lld", (long long)j->loop.step);
    if (!checkpoint_write(j, err) ||
        !store_run_status(j->store, j->row.id, RUN_PAUSED, text, err) ||
        !job_news(j, "pause", text, true, err))
        return false;
    j->loop.wall = job_wall(j);
    bool ok = sleep_until_resumed(j, err);
    j->started = j->record.speed_since = clock_now();
    j->record.speed_rows = 0.0;
    j->pause_asked = false;
    return ok && store_run_status(j->store, j->row.id, RUN_RUNNING, "", err) &&
           job_news(j, "continue", "goes on", true, err);
}

bool commands_poll(Job *j, Error *err)
{
    double now = clock_now();
    if (now - j->polled < POLL_SECONDS)
        return true;
    j->polled = now;
    if (store_commands_pending(j->store, j->row.id) && !take(j, err))
        return false;
    return !j->pause_asked || j->loop.over || pause_run(j, err);
}

/* ---- again ------------------------------------------------------------------------------------------- */

bool commands_load(Job *j, Error *err)
{
    CommandRow *c;
    size_t n;
    if (!store_commands_taken(j->store, j->row.id, -1, &j->arena, &c, &n, err))
        return false;
    j->replay = c;
    j->replays = 0;
    j->replayed = 0;
    for (size_t i = 0; i < n; i++)
        if (c[i].id > j->loop.command)
            j->replay[j->replays++] = c[i];
    return true;
}

bool commands_replay(Job *j, Error *err)
{
    char text[512];
    while (j->replayed < j->replays && j->replay[j->replayed].step <= j->loop.step)
        if (!apply(j, &j->replay[j->replayed++], true, text, sizeof text, err))
            return false;
    return true;
}
