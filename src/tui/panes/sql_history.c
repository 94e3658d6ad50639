/* sql_history.c -- earlier statements, kept in the settings of the workspace. */
#include "sql_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY_MOST 100

static void know_history(SqlState *s)
{
    if (s->history_known)
        return;
    const char *kept = ui_setting(s->ui, "sql.history");
    json_t *list = kept ? json_loads(kept, 0, NULL) : NULL, *text;
    size_t i;
    s->history_known = true;
    json_array_foreach(list, i, text) if (json_is_string(text))
        vec_add(&s->history, text_copy(json_string_value(text)));
    json_decref(list);
    s->history_at = s->history.count;
}

void sql_remember(SqlState *s, const char *text)
{
    know_history(s);
    for (size_t i = 0; i < s->history.count; i++)
        if (!strcmp(s->history.at[i], text) || s->history.count >= HISTORY_MOST) {
            mem_free(s->history.at[i]);
            memmove(&s->history.at[i], &s->history.at[i + 1],
                    (s->history.count - i - 1) * sizeof *s->history.at);
            s->history.count--;
            break;
        }
    vec_add(&s->history, text_copy(text));
    s->history_at = s->history.count;
    json_t *list = json_array();
    for (size_t i = 0; i < s->history.count; i++)
        json_array_append_new(list, json_string(s->history.at[i]));
    char *kept = json_dumps(list, JSON_COMPACT);
    if (kept)
        ui_set_setting(s->ui, "sql.history", kept);
    free(kept);
    json_decref(list);
}

bool sql_walk_history(SqlState *s, int by)
{
    know_history(s);
    if ((by < 0 && !s->history_at) || (by > 0 && s->history_at >= s->history.count))
        return false;
    if (s->history_at == s->history.count) {
        mem_free(s->typed);
        s->typed = text_copy(line_text(&s->edit.line));
    }
    s->history_at = by < 0 ? s->history_at - 1 : s->history_at + 1;
    bool typed = s->history_at == s->history.count;
    line_set(&s->edit.line, !typed ? s->history.at[s->history_at] : s->typed ? s->typed : "");
    s->error = (Error){0};
    return true;
}

/* ---- for `u`: the statement; its answer is asked for again by whoever wants it ------------------------------------- */

bool sql_keep(const void *state, Text *into)
{
    const SqlState *s = state;
    text_puts(into, line_text(&s->edit.line));
    return true;
}

bool sql_put(void *state, const char *kept, Ui *ui)
{
    SqlState *s = state;
    line_set(&s->edit.line, kept);
    ui_draw(ui);
    return true;
}
