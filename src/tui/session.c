/* session.c -- what the workspace remembers of the screen: one JSON object of texts, kept in the store as one
 * setting, read by the first job and written by another when it changed. */
#include "tui_int.h"

#include <stdlib.h>

const char *ui_setting(const Ui *ui, const char *key)
{
    return json_string_value(json_object_get(ui->settings, key));
}

void ui_set_setting(Ui *ui, const char *key, const char *value)
{
    if (text_equal(ui_setting(ui, key), value))
        return;
    json_object_set_new(ui->settings, key, json_string(value));
    ui->settings_changed = true;
}

static void *load_settings(JobContext *c, void *input, Error *err)
{
    (void)input;
    Arena a = {0};
    const char *value = NULL;
    Store *store = job_store(c, err);
    bool ok = store && store_setting_get(store, "screen", &a, &value, err);
    char *copy = ok ? text_copy(value ? value : "{}") : NULL;
    arena_release(&a);
    return copy;
}

static void settings_loaded(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)owner;
    (void)err;
    json_t *known = result ? json_loads(result, 0, NULL) : NULL;
    if (json_is_object(known))
        json_object_update_missing(ui->settings, known); /* what was set meanwhile is newer */
    json_decref(known);
    mem_free(result);
    ui->settings_known = true;
}

void session_load(Ui *ui)
{
    ui_job(ui, (Job){.owner = ui,
                     .slot = SLOT_SESSION,
                     .run = load_settings,
                     .done = settings_loaded,
                     .quiet = true,
                     .urgent = true});
}

static void *save_settings(JobContext *c, void *input, Error *err)
{
    Store *store = job_store(c, err);
    return store && store_setting_set(store, "screen", input, err) ? text_copy("") : NULL;
}

void session_save(Ui *ui, bool now)
{
    if (!ui->settings_changed || !ui->settings_known)
        return;
    ui->settings_changed = false;
    char *text = json_dumps(ui->settings, JSON_COMPACT | JSON_SORT_KEYS);
    if (now) {
        Error err = {0};
        Store *s = store_open(ui->workspace, STORE_WRITE, &err);
        if (s)
            store_setting_set(s, "screen", text, &err);
        store_close(s);
    } else {
        ui_job(ui, (Job){.owner = ui,
                         .slot = SLOT_SAVE,
                         .run = save_settings,
                         .input = text_copy(text),
                         .quiet = true});
    }
    free(text);
}
