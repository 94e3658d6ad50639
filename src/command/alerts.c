/* alerts.c -- lathe alerts: what was raised, and saying that it was seen or is over. */
#include "command_int.h"

#include <stdlib.h>
#include <string.h>

typedef struct AlertsSettings {
    bool all;
    int most;
} AlertsSettings;

static json_t *result_alert(const AlertRow *r)
{
    json_t *o = json_object();
    result_int(o, "id", r->id);
    result_text(o, "state", r->state);
    result_text(o, "deployment", r->deployment);
    result_text(o, "kind", r->kind);
    result_text(o, "subject", r->subject);
    result_text(o, "text", r->text);
    result_time(o, "raised", r->raised);
    result_time(o, "last", r->last);
    result_int(o, "count", r->count);
    result_time(o, "acknowledged", r->acknowledged);
    result_time(o, "resolved", r->resolved);
    result_text(o, "actor", r->actor);
    json_t *detail = *r->detail ? json_loads(r->detail, 0, NULL) : NULL;
    json_object_set_new(o, "detail", detail ? detail : json_object());
    return o;
}

static bool run_list(CommandCall *call, json_t **result, Error *err)
{
    const AlertsSettings *set = call->settings;
    Arena a = {0};
    AlertRow *rows;
    size_t n;
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s && store_alerts(s, !set->all, (size_t)set->most, &a, &rows, &n, err);
    if (ok)
        *result = json_array();
    for (size_t i = 0; ok && i < n; i++)
        json_array_append_new(*result, result_alert(&rows[i]));
    store_close(s);
    arena_release(&a);
    return ok;
}

/* The verb that made the alert what it is; NULL: it is as it was raised. */
static const char *verb_of(Store *s, int64_t id)
{
    Arena a = {0};
    AlertRow *rows;
    size_t n = 0;
    Error ignored = {0};
    const char *verb = NULL;
    if (store_alerts(s, false, 0, &a, &rows, &n, &ignored))
        for (size_t i = 0; i < n; i++)
            if (rows[i].id == id && !text_equal(rows[i].state, "raised"))
                verb = text_equal(rows[i].state, "resolved") ? "alerts resolve" : "alerts ack";
    arena_release(&a);
    return verb;
}

/* undo: the verb that takes it back; NULL: the one that brought the alert where it was. */
static bool each_id(CommandCall *call, json_t **result,
                    bool (*move)(Store *, int64_t, const char *, Error *), const char *undo, Error *err)
{
    Store *s = call_store(call, STORE_WRITE, err);
    bool ok = s && store_begin(s, err);
    int64_t first = 0;
    if (ok && !undo && call->words == 1 && text_to_int(call->word[0], strlen(call->word[0]), &first))
        undo = verb_of(s, first);
    for (size_t i = 0; ok && i < call->words; i++) {
        int64_t id;
        const char *word = call->word[i];
        ok = (text_to_int(word, strlen(word), &id) ||
              error_set(err, ERROR_USAGE, "'%.40s' is no number of an alert", word)) &&
             move(s, id, call_actor(), err);
    }
    if (s && ok)
        ok = store_commit(s, err);
    else if (s)
        store_rollback(s);
    store_close(s);
    if (ok)
        *result = json_pack("{s:i}", "alerts", (int)call->words);
    Text line = {0};
    text_puts(&line, undo ? undo : "");
    for (size_t i = 0; undo && i < call->words; i++)
        command_add_word(&line, call->word[i]);
    if (ok && undo)
        result_text(*result, "undo", text_str(&line));
    text_release(&line);
    return ok;
}

static bool run_ack(CommandCall *call, json_t **result, Error *err)
{
    return each_id(call, result, store_alert_acknowledge, "alerts reopen", err);
}

static bool run_resolve(CommandCall *call, json_t **result, Error *err)
{
    return each_id(call, result, store_alert_resolve, "alerts reopen", err);
}

static bool run_reopen(CommandCall *call, json_t **result, Error *err)
{
    return each_id(call, result, store_alert_reopen, NULL, err);
}

static void print_list(const json_t *result, size_t width, Text *into)
{
    static const char *const shown[] = {"id",      "state",  "deployment", "kind",
                                        "subject", "raised", "count",      "text"};
    json_t *table = json_array(), *row;
    size_t i;
    json_array_foreach(result, i, row)
    {
        json_t *brief = json_object();
        for (size_t k = 0; k < sizeof shown / sizeof *shown; k++)
            json_object_set(brief, shown[k], json_object_get(row, shown[k]));
        json_array_append_new(table, brief);
    }
    if (json_array_size(table))
        command_print(NULL, table, width, into);
    else
        text_puts(into, "no open alerts\n");
    json_decref(table);
}

static const Param params[] = {
    PARAM_BOOL(AlertsSettings, all, "all", 0, "those that are resolved, too"),
    PARAM_INT(AlertsSettings, most, "most", 100, 1, 100000, "alerts", "how many, the newest first"),
    PARAM_END};
static const Arg ids[] = {
    {.name = "ID", .kind = ARG_WORD, .many = true, .about = "numbers of alerts"}, ARG_END};

static const Command list_verb = {.name = "list",
                                  .about = "open alerts, the newest first",
                                  .params = params,
                                  .params_size = sizeof(AlertsSettings),
                                  .run = run_list,
                                  .print = print_list};
static const Command ack_verb = {.name = "ack",
                                 .about = "says that they were seen: they stay open, and quiet",
                                 .args = ids,
                                 .run = run_ack};
static const Command resolve_verb = {.name = "resolve",
                                     .about = "says that they are over; the cool-down begins",
                                     .args = ids,
                                     .run = run_resolve};
static const Command reopen_verb = {.name = "reopen",
                                    .about = "one step back: resolved is open again, acknowledged is raised",
                                    .args = ids,
                                    .run = run_reopen};
static const Command *const verbs[] = {&list_verb, &ack_verb, &resolve_verb, &reopen_verb, NULL};

const Command alerts_command = {
    .name = "alerts",
    .about = "lists what was raised about deployments; acknowledges and resolves it",
    .details = "An alert is raised once and counted on while it is open; it is resolved by hand or "
               "by two chunks\n"
               "in a row that are fine, and does not come back within its cool-down.",
    .example = "lathe alerts",
    .verbs = verbs,
};
