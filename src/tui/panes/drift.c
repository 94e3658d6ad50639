/* drift.c -- 6 Drift: which columns moved away from the reference, and how; the newest report first. */
#include "drift_int.h"

#include <stdio.h>

enum { SLOT_REPORT = 1 };
enum { ZONE_TABLE = 1 };

enum { DRIFT_RUN = PANE_COMMANDS, DRIFT_REFERENCE, DRIFT_CURRENT, DRIFT_OLDER, DRIFT_NEWER, DRIFT_SORT, DRIFT_SEEN, DRIFT_CHUNKS };

// clang-format off
static const KeyRow keys[] = {
    {DRIFT_RUN,       "drift-report",    "x",  "compare",   "compare the two datasets and keep the report", 0},
    {DRIFT_CHUNKS,    "drift-chunks",    "X",  "by chunk",  "when it drifted: chunk by chunk of rows, or of a time", 0},
    {DRIFT_REFERENCE, "drift-reference", "r",  "reference", "choose the dataset a model learnt from", 0},
    {DRIFT_CURRENT,   "drift-current",   "c",  "current",   "choose the dataset to judge", 0},
    {DRIFT_SORT,      "drift-sort",      "s",  "sort",      "by importance and drift, most drifted first, by name", 0},
    {DRIFT_SEEN,      "acknowledge",     "a",  "acknowledge", "the alerts so far were seen: the mark on the tab goes", 0},
    {DRIFT_OLDER,     "older-report",    "<",  "older",     "the report before", 0},
    {DRIFT_NEWER,     "newer-report",    ">",  NULL,        "the report after", 0},
    {0}};
// clang-format on

/* ---- reading a report -------------------------------------------------------------------------------------- */

static void *read_report(JobContext *c, void *input, Error *err)
{
    (void)c;
    json_error_t where;
    json_t *doc = json_loads(input, 0, &where);
    DriftReport *r = doc ? drift_report_from_json(doc, err) : NULL;
    DriftLoaded *l = r ? drift_when_read(doc) : NULL;
    if (!doc)
        error_set(err, ERROR_PARSE, "the stored report is damaged: %s", where.text);
    if (l)
        l->report = r;
    json_decref(doc);
    return l;
}

static void report_read(void *owner, void *result, const Error *err, Ui *ui)
{
    DriftState *s = owner;
    (void)err;
    drift_loaded_free(s->loaded_from);
    s->loaded_from = result;
    s->report = result ? s->loaded_from->report : NULL;
    drift_arrange(s);
    ui_draw(ui);
}

static void load(DriftState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    if (s->report_at >= snap->drifts)
        s->report_at = snap->drifts ? snap->drifts - 1 : 0;
    if (!snap->drifts || snap->drift[s->report_at].id == s->loaded)
        return;
    s->loaded = snap->drift[s->report_at].id;
    ui_job(s->ui, (Job){.owner = s, .slot = SLOT_REPORT, .what = "reading the report",
                        .run = read_report, .input = text_copy(snap->drift[s->report_at].report),
                        .done = report_read, .release = drift_loaded_free, .urgent = true});
    drift_times_ask(s);
}

static void create(void *state, Ui *ui)
{
    DriftState *s = state;
    s->ui = ui;
}

static void destroy(void *state)
{
    DriftState *s = state;
    drift_loaded_free(s->loaded_from);
    drift_times_free(s->times);
    vec_release(&s->order);
    mem_free(s->offered);
}

static bool tick(void *state, Ui *ui)
{
    DriftState *s = state;
    const Snapshot *snap = ui_snapshot(ui);
    if (snap->number == s->seen)
        return false;
    s->seen = snap->number;
    load(s);
    return ui_visible(ui, state);
}

/* ---- drawing ------------------------------------------------------------------------------------------------- */

#define HEAD_ROWS 3

static int table_rows(int rows, int cols)
{
    return cols >= 130 ? rows - HEAD_ROWS : (rows - HEAD_ROWS + 1) / 2;
}

static void layout(void *state, int rows, int cols, Ui *ui)
{
    DriftState *s = state;
    TableSource src = drift_source(s);
    (void)ui;
    s->rows = rows;
    s->cols = cols;
    table_layout(&s->table, &src, table_rows(rows, cols) - 2, (cols >= 130 ? cols * 3 / 5 : cols) - 2);
}

static void draw(const void *state, const Canvas *c, const Ui *ui)
{
    const DriftState *s = state;
    TableSource src = drift_source(s);
    (void)ui;
    drift_draw_verdict(s, c);
    Canvas body = canvas_part(c, HEAD_ROWS - 1, 0, c->rows - HEAD_ROWS + 1, c->cols);
    if (!s->report) {
        drift_draw_empty(s, &body);
        return;
    }
    bool wide = c->cols >= 130;
    int rows = wide ? body.rows : table_rows(c->rows, c->cols), cols = wide ? c->cols * 3 / 5 : c->cols;
    Canvas top = canvas_part(&body, 0, 0, rows, cols);
    Canvas in = canvas_box(&top, STYLE_BORDER_ACTIVE, "Columns", drift_order(s));
    table_draw(&s->table, &src, &in, true, ZONE_TABLE);
    Canvas detail = wide ? canvas_part(&body, 0, cols, body.rows, c->cols - cols)
                         : canvas_part(&body, rows, 0, body.rows - rows, c->cols);
    drift_draw_column(s, &detail);
}

/* ---- commands -------------------------------------------------------------------------------------------------- */

static Reply on_command(void *state, int command, Ui *ui)
{
    DriftState *s = state;
    TableSource src = drift_source(s);
    const Snapshot *snap = ui_snapshot(ui);
    switch (command) {
    case DRIFT_RUN:
        drift_compare(s, "");
        return REPLY_DRAW;
    case DRIFT_CHUNKS:
        drift_when_ask(s);
        return REPLY_DRAW;
    case DRIFT_REFERENCE:
        drift_choose_reference(s);
        return REPLY_DRAW;
    case DRIFT_CURRENT:
        drift_choose_current(s);
        return REPLY_DRAW;
    case DRIFT_SORT:
        s->sort = (s->sort + 1) % DRIFT_ORDERS;
        if (s->sort == DRIFT_BY_WEIGHT && !drift_weighed(s))
            s->sort = DRIFT_BY_SCORE;
        s->sort_chosen = true;
        drift_arrange(s);
        return REPLY_DRAW;
    case DRIFT_SEEN:
        drift_acknowledge(ui);
        return REPLY_DRAW;
    case DRIFT_OLDER:
    case DRIFT_NEWER:
        if (command == DRIFT_OLDER && s->report_at + 1 < snap->drifts)
            s->report_at++;
        else if (command == DRIFT_NEWER && s->report_at)
            s->report_at--;
        load(s);
        return REPLY_DRAW;
    case UI_COPY:
        if (drift_column_at(s, s->table.at))
            ui_copy(ui, drift_column_at(s, s->table.at)->name);
        return REPLY_DRAW;
    }
    return table_command(&s->table, &src, command);
}

static const char *why_not(const void *state, int command, const Ui *ui)
{
    const DriftState *s = state;
    const Snapshot *snap = ui_snapshot(ui);
    if (command == DRIFT_RUN)
        return drift_cannot(s);
    if (command == DRIFT_CHUNKS && !drift_reference(s))
        return "there is no dataset yet; : ingest PATH as=NAME adds one";
    if ((command == DRIFT_REFERENCE || command == DRIFT_CURRENT) && !snap->datasets)
        return "there is no dataset yet; : ingest PATH as=NAME adds one";
    if ((command == DRIFT_REFERENCE || command == DRIFT_CURRENT) && snap->datasets < 2)
        return "there is no other dataset to choose; X compares the chunks of this one";
    if (command == DRIFT_OLDER && s->report_at + 1 >= snap->drifts)
        return "there is no older report";
    if (command == DRIFT_NEWER && !s->report_at)
        return "this is the newest report";
    if (command == DRIFT_SEEN && !drift_alerts(ui))
        return "no alert is open";
    if (command == DRIFT_SORT && !s->report)
        return "there is no report yet";
    return NULL;
}

static Reply on_mouse(void *state, const Mouse *m, Ui *ui)
{
    DriftState *s = state;
    TableSource src = drift_source(s);
    (void)ui;
    return m->id == ZONE_TABLE ? table_mouse(&s->table, &src, m) : REPLY_IGNORED;
}

static bool table_shown(const void *state, TableSource *out)
{
    const DriftState *s = state;
    *out = drift_source(s);
    return s->report != NULL;
}

/* The shares of the column under the cursor, over the middles of its bins. */
static bool chart_shown(const void *state, Arena *a, Chart *out, char title[160])
{
    const DriftState *s = state;
    const DriftColumn *d = drift_column_at(s, s->table.at);
    if (!d || !d->bins)
        return false;
    double *x = ARENA_NEW(a, double, d->bins), *was = ARENA_NEW(a, double, d->bins), *is = ARENA_NEW(a, double, d->bins);
    for (size_t i = 0; i < d->bins; i++) {
        x[i] = *d->label[0] ? (double)i : (d->edge[i] + d->edge[i + 1]) / 2;
        was[i] = d->reference_share[i];
        is[i] = d->current_share[i];
    }
    ChartSeries *series = ARENA_NEW(a, ChartSeries, 2);
    series[0] = (ChartSeries){.name = "reference", .x = x, .y = was, .n = d->bins};
    series[1] = (ChartSeries){.name = "current", .x = x, .y = is, .n = d->bins};
    *out = (Chart){.series = series, .count = 2, .x_name = arena_text(a, d->name)};
    snprintf(title, 160, "%.100s: share of the rows", d->name);
    return true;
}

static void badge(const void *state, const Ui *ui, Text *into, Style *style)
{
    const Snapshot *snap = ui_snapshot(ui);
    (void)state;
    (void)snap;
    size_t open = drift_alerts(ui);
    if (open)
        text_printf(into, "!%zu", open);
    *style = STYLE_BAD;
}

const Pane drift_pane = {
    .name = "drift",
    .title = "Drift",
    .about = "which columns moved away from the reference data, and how",
    .keys = keys,
    .state_size = sizeof(DriftState),
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
    .keep = drift_keep,
    .put = drift_put,
};
