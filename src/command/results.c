/* results.c -- small helpers that verbs build their JSON results with. */
#include "command_int.h"

#include <math.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *call_word(const CommandCall *call, size_t i)
{
    return i < call->words ? call->word[i] : NULL;
}

void call_say(const CommandCall *call, const char *fmt, ...)
{
    if (!call->say)
        return;
    char line[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    call->say(call->say_context, line);
}

Store *call_store(const CommandCall *call, StoreMode mode, Error *err)
{
    return store_open(call->workspace, mode, err);
}

const char *call_actor(void)
{
    const char *name = getenv("LATHE_ACTOR");
    if (!name || !*name)
        name = getenv("USER");
    struct passwd *me = name && *name ? NULL : getpwuid(getuid());
    return me ? me->pw_name : name && *name ? name : "someone";
}

void result_real(json_t *into, const char *key, double value)
{
    json_object_set_new(into, key, isfinite(value) ? json_real(value) : json_null());
}

void result_text(json_t *into, const char *key, const char *value)
{
    json_t *text = value ? json_string(value) : json_null();
    json_object_set_new(into, key, text ? text : json_string("(not UTF-8)"));
}

void result_undo(json_t *into, const char *verb, ...)
{
    Text line = {0};
    va_list words;
    va_start(words, verb);
    text_puts(&line, verb);
    for (const char *word; (word = va_arg(words, const char *));)
        command_add_word(&line, word);
    va_end(words);
    result_text(into, "undo", text_str(&line));
    text_release(&line);
}

void result_int(json_t *into, const char *key, int64_t value)
{
    json_object_set_new(into, key, json_integer(value));
}

void result_time(json_t *into, const char *key, int64_t micros)
{
    if (!micros) {
        json_object_set_new(into, key, json_null());
        return;
    }
    Text text = {0};
    time_format(micros - micros % 1000000, &text);
    result_text(into, key, text_str(&text));
    text_release(&text);
}

json_t *result_run(const RunRow *r)
{
    json_t *o = json_object();
    result_int(o, "run", r->id);
    result_text(o, "name", r->name);
    result_text(o, "family", r->family);
    result_text(o, "status", run_status_name(r->status));
    result_text(o, "dataset", r->dataset_name);
    result_text(o, "target", r->target);
    result_int(o, "epoch", r->epoch);
    result_int(o, "step", r->step);
    result_text(o, "monitor", r->monitor);
    result_real(o, "best", r->best_step ? r->best : (double)NAN);
    result_text(o, "tags", r->tags);
    result_time(o, "created", r->created);
    if (r->started && r->ended)
        result_real(o, "seconds", (double)(r->ended - r->started) / 1e6);
    if (r->message && *r->message)
        result_text(o, "message", r->message);
    return o;
}

bool result_run_metrics(Store *s, int64_t run, json_t *into, Error *err)
{
    Arena arena = {0};
    MetricPoint *last;
    size_t n;
    bool ok = store_metrics_last(s, run, &arena, &last, &n, err);
    for (size_t i = 0; ok && i < n; i++)
        result_real(into, last[i].key, last[i].value);
    arena_release(&arena);
    return ok;
}
