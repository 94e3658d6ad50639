/* watch.c -- pane 8, Watch: how deployments do: traffic, drift, performance, alerts, and the rows behind them. */
#include "watch_int.h"

#include <stdio.h>
#include <string.h>

enum { ZONE_TABLE = 1 };
enum { WATCH_OPEN_ROWS = PANE_COMMANDS, WATCH_VIEW, WATCH_ACK, WATCH_RESOLVE, WATCH_NEXT, WATCH_PREVIOUS, WATCH_SHARES, WATCH_ALL,
       WATCH_NEWEST, WATCH_LINEAGE };
enum { HEAD_ROWS = 3 };
#define RELOAD_SECONDS 2.0

// clang-format off
static const KeyRow keys[] = {
    {WATCH_VIEW,      "watch-view",     "v",     "view",        "curves, alerts or logged rows", 0},
    {WATCH_ACK,       "acknowledge",    "a",     "acknowledge", "the alert under the cursor, or about the curve, was seen: it stays open, and quiet", 0},
    {WATCH_RESOLVE,   "resolve",        "r",     "resolve",     "the alert under the cursor, or about the curve, is over", 0},
    {WATCH_SHARES,    "distributions",  "d",     "distributions", "of a drifted column: its values in the reference and now", 0},
    {WATCH_OPEN_ROWS, "alert-rows",     "o",     "rows",        "from an alert, or a curve with one, to the rows it is about", 0},
    {WATCH_LINEAGE,   "lineage",        "L",     "lineage",     "from a prediction to model, run, dataset, recipe and source line", 0},
    {WATCH_NEWEST,    "newest-rows",    "n",     "newest",        "the newest rows of the log again", 0},
    {WATCH_ALL,       "resolved-alerts","A",     NULL,          "resolved alerts are shown as well, or not", 0},
    {WATCH_PREVIOUS,  "watch-previous", "<",     NULL,          "the deployment before", 0},
    {WATCH_NEXT,      "watch-next",     ">",     "next",        "the next deployment", 0},
    {0}};
// clang-format on

/* ---- what is under the cursor ------------------------------------------------------------------------------------- */

const WatchCurve *watch_curve_at(const WatchState *s)
{
    uint64_t at = s->table[WATCH_CURVES].at;
    return s->data && at < s->data->curves ? &s->data->curve[at] : NULL;
}

const AlertRow *watch_alert_at(const WatchState *s)
{
    uint64_t at = s->table[WATCH_ALERTS].at;
    return s->data && at < s->data->alerts ? &s->data->alert[at] : NULL;
}

/* "fares/3: mae", of the kind of the curve: by the words that the watcher puts into alerts. */
static bool is_about(const AlertRow *a, const WatchCurve *k)
{
    size_t n = strlen(k->model);
    const char *word = *k->column ? k->column : strcmp(k->kind, "drift") == 0 ? "inputs" : k->test;
    return strcmp(a->kind, k->kind) == 0 && strncmp(a->subject, k->model, n) == 0 && a->subject[n] == ':' &&
           strcmp(a->state, "resolved") != 0 && (strstr(a->subject, word) || strstr(a->text, word));
}

/* What the keys of alerts mean: in the curves, the newest one that is open about the curve under the cursor. */
static const AlertRow *alert_meant(const WatchState *s)
{
    const WatchCurve *k = s->view == WATCH_CURVES ? watch_curve_at(s) : NULL;
    if (s->view == WATCH_ALERTS)
        return watch_alert_at(s);
    for (size_t i = 0; k && i < s->data->alerts; i++)
        if (is_about(&s->data->alert[i], k))
            return &s->data->alert[i];
    return NULL;
}

const PredictionRow *watch_row_at(const WatchState *s)
{
    uint64_t at = s->table[WATCH_ROWS].at;
    return s->data && at < s->data->rows ? &s->data->row[at] : NULL;
}

static bool has_shares(const WatchCurve *k)
{
    return k && strcmp(k->kind, "drift") == 0 && strstr(k->detail, "\"columns\"") != NULL && *k->column;
}

static void read_shares(WatchState *s)
{
    const WatchCurve *k = watch_curve_at(s);
    Error none = {0};
    drift_report_destroy(s->report);
    s->report = NULL;
    json_t *j = has_shares(k) ? json_loads(k->detail, 0, NULL) : NULL;
    if (j)
        s->report = drift_report_from_json(j, &none);
    json_decref(j);
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static void create(void *state, Ui *ui)
{
    WatchState *s = state;
    s->ui = ui;
}

static void destroy(void *state)
{
    WatchState *s = state;
    watch_data_free(s->data);
    drift_report_destroy(s->report);
}

/* The log is a file of its own, which no snapshot tells of: while it is looked at it is read every two seconds. */
static bool tick(void *state, Ui *ui)
{
    WatchState *s = state;
    const Snapshot *snap = ui_snapshot(ui);
    bool visible = ui_visible(ui, state), fresh = snap->number != s->seen;
    if (visible && s->data && s->data->deployments)
        ui_animate(ui, 3);
    if (!fresh && !(visible && ui_now(ui) - s->loaded > RELOAD_SECONDS && s->data && s->data->deployments))
        return false;
    s->seen = snap->number;
    s->loaded = visible ? ui_now(ui) : 0; /* shown, it is read at once */
    watch_load(s);
    return false;
}

/* ---- drawing ---------------------------------------------------------------------------------------------------------- */

static bool wide(int cols)
{
    return cols >= 130;
}

static int table_rows(int rows)
{
    return (rows - HEAD_ROWS + 1) / 2;
}

static void layout(void *state, int rows, int cols, Ui *ui)
{
    WatchState *s = state;
    TableSource src = watch_source(s, s->view);
    (void)ui;
    table_layout(&s->table[s->view], &src, (wide(cols) ? rows - HEAD_ROWS : table_rows(rows)) - 2,
                 (wide(cols) ? cols / 2 : cols) - 2);
}

static void draw(const void *state, const Canvas *c, const Ui *ui)
{
    static const char *const titles[] = {"Curves", "Alerts", "Rows"};
    const WatchState *s = state;
    (void)ui;
    watch_draw_head(s, c);
    Canvas body = canvas_part(c, HEAD_ROWS, 0, c->rows - HEAD_ROWS, c->cols);
    int rows = wide(c->cols) ? body.rows : table_rows(c->rows), cols = wide(c->cols) ? c->cols / 2 : c->cols;
    Canvas top = canvas_part(&body, 0, 0, rows, cols);
    Canvas rest = wide(c->cols) ? canvas_part(&body, 0, cols, body.rows, c->cols - cols)
                                : canvas_part(&body, rows, 0, body.rows - rows, c->cols);
    TableSource src = watch_source(s, s->view);
    const char *note = s->view == WATCH_ROWS && s->data ? s->data->rows_what : s->view == WATCH_ALERTS && s->more ? "all" : NULL;
    Canvas in = canvas_box(&top, STYLE_BORDER_ACTIVE, titles[s->view], note);
    table_draw(&s->table[s->view], &src, &in, true, ZONE_TABLE);
    if (s->view == WATCH_CURVES)
        watch_draw_curve(s, &rest);
    else if (s->view == WATCH_ALERTS)
        watch_draw_alert(s, &rest);
    else
        watch_draw_row(s, &rest);
}

/* ---- commands ------------------------------------------------------------------------------------------------------------ */

static void alert_done(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    WatchState *s = owner;
    if (!result)
        ui_error(ui, err);
    watch_load(s);
    ui_refresh(ui);
}

static void alert_move(WatchState *s, const char *verb)
{
    const AlertRow *a = alert_meant(s);
    char line[64];
    if (!a)
        return;
    snprintf(line, sizeof line, "alerts %s %lld", verb, (long long)a->id);
    ui_command(s->ui, line, s, alert_done);
}

static void show_rows(WatchState *s)
{
    const AlertRow *a = alert_meant(s);
    json_t *j = a ? json_loads(a->detail, 0, NULL) : NULL;
    if (!a)
        return;
    s->alert = a->id;
    s->first = json_integer_value(json_object_get(j, "first"));
    s->last = json_integer_value(json_object_get(j, "last"));
    s->model = json_integer_value(json_object_get(j, "model"));
    json_decref(j);
    s->view = WATCH_ROWS;
    s->table[WATCH_ROWS].at = 0;
    watch_load(s);
}

static void other_deployment(WatchState *s, int by)
{
    const WatchData *d = s->data;
    size_t at = (d->at + (size_t)((int)d->deployments + by)) % d->deployments;
    snprintf(s->deployment, sizeof s->deployment, "%s", d->deployment[at].name);
    s->alert = 0;
    watch_load(s);
}

static Reply on_command(void *state, int command, Ui *ui)
{
    WatchState *s = state;
    TableSource src = watch_source(s, s->view);
    switch (command) {
    case WATCH_VIEW:
        s->view = (s->view + 1) % WATCH_VIEWS;
        return REPLY_DRAW;
    case WATCH_ACK:
        alert_move(s, "ack");
        return REPLY_DRAW;
    case WATCH_RESOLVE:
        alert_move(s, "resolve");
        return REPLY_DRAW;
    case WATCH_SHARES:
        s->shares = !s->shares;
        read_shares(s);
        return REPLY_DRAW;
    case WATCH_OPEN_ROWS:
        show_rows(s);
        return REPLY_DRAW;
    case WATCH_NEWEST:
        s->alert = 0;
        watch_load(s);
        return REPLY_DRAW;
    case WATCH_LINEAGE:
        watch_lineage(s, watch_row_at(s)->id);
        return REPLY_DRAW;
    case WATCH_ALL:
        s->more = !s->more;
        watch_load(s);
        return REPLY_DRAW;
    case WATCH_NEXT:
    case WATCH_PREVIOUS:
        other_deployment(s, command == WATCH_NEXT ? 1 : -1);
        return REPLY_DRAW;
    case UI_OPEN:
        if (s->view == WATCH_CURVES && has_shares(watch_curve_at(s))) {
            s->shares = !s->shares;
            read_shares(s);
        } else if (s->view == WATCH_ALERTS && watch_alert_at(s))
            show_rows(s);
        else if (s->view == WATCH_ROWS && watch_row_at(s))
            watch_lineage(s, watch_row_at(s)->id);
        return REPLY_DRAW;
    case UI_COPY: {
        char id[32] = "";
        if (s->view == WATCH_ROWS && watch_row_at(s))
            snprintf(id, sizeof id, "%lld", (long long)watch_row_at(s)->id);
        else if (s->view == WATCH_ALERTS && watch_alert_at(s))
            snprintf(id, sizeof id, "%lld", (long long)watch_alert_at(s)->id);
        ui_copy(ui, *id ? id : s->deployment);
        return REPLY_DRAW;
    }
    }
    Reply reply = table_command(&s->table[s->view], &src, command);
    if (reply == REPLY_DRAW && s->view == WATCH_CURVES && s->shares)
        read_shares(s);
    return reply;
}

static const char *why_not(const void *state, int command, const Ui *ui)
{
    const WatchState *s = state;
    const AlertRow *a = s->data ? alert_meant(s) : NULL;
    (void)ui;
    if (!s->data || !s->data->deployments)
        return command >= PANE_COMMANDS ? "nothing is deployed yet; : deploy NAME model=MODEL does it" : NULL;
    switch (command) {
    case WATCH_ACK:
    case WATCH_RESOLVE:
        if (!a)
            return "there is no open alert about this; v shows them all";
        if (strcmp(a->state, "resolved") == 0)
            return "this alert is over already";
        return command == WATCH_ACK && strcmp(a->state, "raised") ? "it was acknowledged already" : NULL;
    case WATCH_OPEN_ROWS:
        return !a ? "there is no open alert about this; v shows them all" : !strstr(a->detail, "\"last\"") ? "this alert is about no rows" : NULL;
    case WATCH_SHARES:
        return s->view == WATCH_CURVES && has_shares(watch_curve_at(s)) ? NULL : "choose a curve of drift of a column first";
    case WATCH_NEWEST:
        return s->view != WATCH_ROWS ? "v shows the log of rows first" : s->alert ? NULL : "these are the newest rows";
    case WATCH_LINEAGE:
        return s->view == WATCH_ROWS && watch_row_at(s) ? NULL : "choose a logged row first: v shows them";
    case WATCH_NEXT:
    case WATCH_PREVIOUS:
        return s->data->deployments > 1 ? NULL : "there is one deployment only";
    }
    return NULL;
}

static Reply on_mouse(void *state, const Mouse *m, Ui *ui)
{
    WatchState *s = state;
    TableSource src = watch_source(s, s->view);
    (void)ui;
    Reply reply = m->id == ZONE_TABLE ? table_mouse(&s->table[s->view], &src, m) : REPLY_IGNORED;
    if (s->view == WATCH_CURVES && s->shares)
        read_shares(s);
    return reply;
}

static bool table_shown(const void *state, TableSource *out)
{
    const WatchState *s = state;
    *out = watch_source(s, s->view);
    return out->rows > 0;
}

static bool chart_shown(const void *state, Arena *a, Chart *out, char title[160])
{
    const WatchState *s = state;
    const WatchCurve *k = s->view == WATCH_CURVES ? watch_curve_at(s) : NULL;
    if (!k || !k->n)
        return false;
    ChartSeries *series = ARENA_NEW(a, ChartSeries, 4);
    size_t n = watch_series(k, series);
    for (size_t i = 0; i < n; i++) { /* the curve may be replaced while a file is written */
        double *x = arena_raw(a, k->n * sizeof *x), *y = arena_raw(a, k->n * sizeof *y);
        memcpy(x, series[i].x, k->n * sizeof *x);
        memcpy(y, series[i].y, k->n * sizeof *y);
        series[i].x = x;
        series[i].y = y;
    }
    *out = (Chart){.series = series, .count = n, .x_name = "time"};
    snprintf(title, 160, "%.40s: %.30s %.50s %.30s", k->model, k->kind, k->column, k->test);
    return true;
}

static void badge(const void *state, const Ui *ui, Text *into, Style *style)
{
    const WatchState *s = state;
    size_t open = 0;
    (void)ui;
    for (size_t i = 0; s->data && i < s->data->alerts; i++)
        open += strcmp(s->data->alert[i].state, "raised") == 0;
    if (open)
        text_printf(into, "!%zu", open);
    *style = STYLE_BAD;
}

const Pane watch_pane = {
    .name = "watch",
    .title = "Watch",
    .about = "how deployments do: traffic, drift, performance, alerts, and the rows behind them",
    .keys = keys,
    .state_size = sizeof(WatchState),
    .create = create,
    .destroy = destroy,
    .tick = tick,
    .layout = layout,
    .draw = draw,
    .on_command = on_command,
    .on_mouse = on_mouse,
    .why_not = why_not,
    .badge = badge,
    .table = table_shown,
    .chart = chart_shown,
};
