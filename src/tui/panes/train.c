/* train.c -- 4 Train: a run while it trains, and after: its curves, live, and the hands on it. */
#include "train_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_POINTS = 1 };
enum { ZONE_CHART = 1, ZONE_EVENTS };
#define POLL_SECONDS 0.12

// clang-format off
static const KeyRow keys[] = {
    {TRAIN_EDIT,      "edit-live",      "e",     "change",   "change a hyperparameter while it trains", 0},
    {TRAIN_LR_DOWN,   "halve-lr",       ",",     "lr/2",     "half the learning rate", 0},
    {TRAIN_LR_UP,     "double-lr",      ".",     "lr*2",     "twice the learning rate", 0},
    {TRAIN_PAUSE,     "pause-training", "p",     "pause",    "pause it at the next step, or let it go on", 0},
    {TRAIN_STOP,      "stop-training",  "x",     "stop",     "end it properly: best weights, test metrics, model", 0},
    {TRAIN_RESUME,    "resume-training","R",     "resume",   "go on from the last checkpoint", 0},
    {TRAIN_FORK,      "fork-training",  "f",     "fork",     "a new run from the checkpoint at or before the crosshair, with changes", 0},
    {TRAIN_CHECKPOINT,"checkpoint",     "c",     NULL,       "write a checkpoint now", 0},
    {TRAIN_ROWS,      "rows-of-step",   "Enter", "rows",     "the rows of the step under the crosshair, largest loss first", 0},
    {TRAIN_SMOOTH,    "smooth",         "s",     "smooth",   "smooth the noisy curves: none, light, strong", 0},
    {TRAIN_LOG,       "log-axis",       "L",     "log",      "logarithmic values in the active chart, or not", 0},
    {TRAIN_AXIS,      "axis",           "a",     "axis",     "the axis: step, epoch, seconds", 0},
    {TRAIN_ZOOM_IN,   "zoom-in",        "+ =",   NULL,       "zoom in on the crosshair, or on the end", 0},
    {TRAIN_ZOOM_OUT,  "zoom-out",       "-",     NULL,       "zoom out", 0},
    {TRAIN_EARLIER,   "pan-left",       "<",     NULL,       "earlier part of the curve", 0},
    {TRAIN_LATER,     "pan-right",      ">",     NULL,       "later part of the curve", 0},
    {TRAIN_ALL,       "zoom-all",       "0",     NULL,       "the whole curve again", 0},
    {TRAIN_BEST,      "to-best",        "b",     NULL,       "crosshair to the best step", 0},
    {TRAIN_OTHERS,    "other-runs",     "o",     NULL,       "draw marked runs and forks with it, or not", 0},
    {TRAIN_MARK,      "mark-this-run",  "m",     NULL,       "mark this run: it stays on the chart when another is watched", 0},
    {TRAIN_PLOT,      "plot-run",       "w",     NULL,       "write the curves to a file (PNG, SVG, PDF)", 0},
    {TRAIN_LAYERS,    "layers",         "v",     "layers",   "the outputs and gradients of its layers in the next step", 0},
    {TRAIN_PREDICT,   "predict-with",   "P",     NULL,       "score rows with this run's model", 0},
    {TRAIN_CHOOSE,    "choose-run",     "r",     "runs",     "watch another run", 0},
    {0}};
// clang-format on

/* ---- which runs ------------------------------------------------------------------------------------------ */

const RunRow *train_run(const TrainState *s)
{
    return s->shows ? snapshot_run(ui_snapshot(s->ui), s->shown[0]) : NULL;
}

const Curves *train_curves(const TrainState *s, int64_t run)
{
    for (size_t i = 0; i < TRAIN_RUNS; i++)
        if (run && s->curves[i].run == run)
            return &s->curves[i];
    return NULL;
}

int64_t train_cross_step(const TrainState *s)
{
    return (int64_t)llround(s->cross);
}

static void show(TrainState *s, int64_t run)
{
    for (size_t i = 0; i < s->shows; i++)
        if (s->shown[i] == run)
            return;
    if (run && s->shows < TRAIN_RUNS && snapshot_run(ui_snapshot(s->ui), run))
        s->shown[s->shows++] = run;
}

/* The run chosen; before any was: the newest that is active, else the newest. */
static int64_t watched(const TrainState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    int64_t run = ui_run(s->ui);
    if (run && snapshot_run(snap, run))
        return run;
    for (size_t i = 0; i < snap->runs; i++)
        if (run_is_active(&snap->run[i]))
            return snap->run[i].id;
    return snap->runs ? snap->run[0].id : 0;
}

/* The watched run, the marked ones, where it was forked from and what was forked from it. */
void train_gather(TrainState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    int64_t marked[TRAIN_RUNS], before = s->shows ? s->shown[0] : 0;
    s->shows = 0;
    show(s, watched(s));
    const RunRow *run = train_run(s);
    if (run && run->id != before) {
        s->has_cross = false;
        s->low = s->high = 0;
        s->event_at = -1;
    }
    if (!run || !s->others)
        return;
    size_t n = ui_marked_runs(s->ui, marked, TRAIN_RUNS);
    for (size_t i = 0; i < n; i++)
        show(s, marked[i]);
    show(s, run->parent);
    for (size_t i = 0; i < snap->runs; i++)
        if (snap->run[i].parent == run->id)
            show(s, snap->run[i].id);
}

static bool is_shown(const TrainState *s, int64_t run)
{
    for (size_t i = 0; i < s->shows; i++)
        if (s->shown[i] == run)
            return true;
    return false;
}

static Curves *place_for(TrainState *s, int64_t run)
{
    for (size_t i = 0; i < TRAIN_RUNS; i++)
        if (s->curves[i].run == run)
            return &s->curves[i];
    for (size_t i = 0; i < TRAIN_RUNS; i++)
        if (!is_shown(s, s->curves[i].run)) {
            curves_release(&s->curves[i]);
            s->curves[i] = (Curves){.run = run, .seen_step = -1};
            return &s->curves[i];
        }
    return NULL; /* not reached: no more runs are shown than there are places */
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

static void points_read(void *owner, void *result, const Error *err, Ui *ui)
{
    TrainState *s = owner;
    TrainDelta *delta = result;
    s->trouble = delta ? (Error){0} : *err;
    for (size_t i = 0; delta && i < delta->n; i++) {
        const RunDelta *d = &delta->at[i];
        for (size_t k = 0; k < TRAIN_RUNS; k++) {
            Curves *c = &s->curves[k];
            if (c->run == d->run && c->points == d->from) {
                curves_take(c, d);
                curves_derive(c, s->axis, s->smooth);
            }
        }
    }
    train_delta_free(delta);
    train_charts(s);
    if (ui_visible(ui, s))
        ui_draw(ui);
}

/* Asks for runs that are active, not read yet, or of which the snapshot knows something new. */
void train_read(TrainState *s)
{
    TrainAsk ask = {0};
    if (ui_job_running(s->ui, s, SLOT_POINTS))
        return;
    for (size_t i = 0; i < s->shows; i++) {
        const RunRow *run = snapshot_run(ui_snapshot(s->ui), s->shown[i]);
        Curves *c = place_for(s, s->shown[i]);
        if (!run || !c)
            continue;
        c->epoch_steps =
            run->epochs_total ? (double)run->steps_total / (double)run->epochs_total : 0;
        bool news = c->seen_step != run->step || c->seen_status != run->status ||
                    c->seen_heartbeat != run->heartbeat;
        if (c->loaded && !news && run->status != RUN_RUNNING)
            continue;
        c->seen_step = run->step;
        c->seen_status = run->status;
        c->seen_heartbeat = run->heartbeat;
        ask.at[ask.n].run = c->run;
        ask.at[ask.n].points = c->points;
        ask.at[ask.n++].events = c->events;
    }
    if (!ask.n)
        return;
    s->asked = ui_now(s->ui);
    ui_job(s->ui, (Job){.owner = s,
                        .slot = SLOT_POINTS,
                        .run = train_load,
                        .input = mem_copy(&ask, sizeof ask),
                        .done = points_read,
                        .release = train_delta_free,
                        .quiet = true,
                        .urgent = true});
}

/* ---- state ------------------------------------------------------------------------------------------------------ */

static void create(void *state, Ui *ui)
{
    TrainState *s = state;
    s->ui = ui;
    s->others = true;
    s->smooth = 1;
    s->event_at = -1;
    train_charts(s);
}

static void destroy(void *state)
{
    TrainState *s = state;
    for (size_t i = 0; i < TRAIN_RUNS; i++)
        curves_release(&s->curves[i]);
}

static bool tick(void *state, Ui *ui)
{
    TrainState *s = state;
    const Snapshot *snap = ui_snapshot(ui);
    bool news = snap->number != s->seen;
    if (!ui_visible(ui, state))
        return false;
    int64_t before = s->shows ? s->shown[0] : 0;
    s->seen = snap->number;
    train_gather(s);
    const RunRow *run = train_run(s);
    if (news || before != (run ? run->id : 0))
        train_charts(s);
    if (run && run->status == RUN_RUNNING)
        ui_animate(ui, 0.5);
    if (news || ui_now(ui) - s->asked >= POLL_SECONDS)
        train_read(s);
    return news || before != (run ? run->id : 0) || (run && run->status == RUN_RUNNING);
}

/* ---- layout ------------------------------------------------------------------------------------------------------- */

static void place(TrainState *s, int chart, int row, int col, int rows, int cols)
{
    if (rows >= 4 && cols >= 12 && s->places < TRAIN_CHARTS)
        s->place[s->places++] = (Place){chart, row, col, rows, cols};
}

/* The small charts beside or under the loss: those after it, and the active one in any case. */
static int nth_small(const TrainState *s, int i, int count)
{
    return i == count - 1 && s->active > count ? s->active : i + 1;
}

static void place_charts(TrainState *s, int top, int rows, bool one)
{
    int small = (int)s->charts - 1;
    if (one || rows < 20 || s->cols < 70) {
        place(s, s->active, top, 0, rows, s->cols);
    } else if (s->cols >= 150 && rows >= 28) {
        int count = small < 4 ? small : 4, width = s->cols * 36 / 100, at = top;
        place(s, 0, top, 0, rows, s->cols - width);
        for (int i = 0; i < count; i++) {
            int high = (rows - (at - top)) / (count - i);
            place(s, nth_small(s, i, count), at, s->cols - width, high, width);
            at += high;
        }
    } else {
        int count = s->cols >= 150 ? 3 : 2, low = rows * 2 / 5, at = 0;
        count = count < small ? count : small;
        place(s, 0, top, 0, rows - low, s->cols);
        for (int i = 0; i < count; i++) {
            int wide = (s->cols - at) / (count - i);
            place(s, nth_small(s, i, count), top + rows - low, at, low, wide);
            at += wide;
        }
    }
}

/* A zoom that touched the end stays at the end while the run goes on. */
static void follow(TrainState *s)
{
    double low, high;
    train_span(s, &low, &high);
    if (!(s->low < s->high))
        return;
    double width = s->high - s->low;
    const RunRow *run = train_run(s);
    if (run && run->status == RUN_RUNNING && !s->has_cross && s->high < high) {
        s->high = high;
        s->low = high - width;
    }
}

static void layout(void *state, int rows, int cols, Ui *ui)
{
    TrainState *s = state;
    for (size_t i = 0; i < s->shows; i++)
        for (size_t k = 0; k < TRAIN_RUNS; k++)
            if (s->curves[k].run == s->shown[i])
                curves_derive(&s->curves[k], s->axis, s->smooth);
    s->rows = rows;
    s->cols = cols;
    s->places = 0;
    follow(s);
    int top = rows >= 28 ? 3 : 2;
    s->notice_row = top;
    s->notice_rows = train_notice_rows(s, rows);
    top += s->notice_rows;
    bool one = ui_maximised(ui);
    s->events_rows = !one && rows >= 44 ? 9 : !one && rows >= 36 ? 6 : 0;
    s->values_row = rows - s->events_rows - 1;
    s->events_row = rows - s->events_rows;
    place_charts(s, top, s->values_row - top, one);
}

/* ---- drawing -------------------------------------------------------------------------------------------------------- */

static void draw_empty(const Canvas *c)
{
    int row = c->rows / 3;
    const char *lines[] = {"No training run yet", "",
                           "3 sets one up with a form; x there launches it and comes back here.",
                           "Or type  :train mlp data=NAME target=COLUMN  in any pane."};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        canvas_field(c, row + (int)i, 0, c->cols, ALIGN_CENTRE, i ? STYLE_DIM : STYLE_TITLE,
                     lines[i]);
}

static void draw(const void *state, const Canvas *c, const Ui *ui)
{
    const TrainState *s = state;
    (void)ui;
    if (!train_run(s)) {
        draw_empty(c);
        return;
    }
    train_draw_head(s, c);
    Canvas notice = canvas_part(c, s->notice_row, 0, s->notice_rows, c->cols);
    train_draw_notice(s, &notice);
    for (size_t i = 0; i < s->places; i++) {
        const Place *p = &s->place[i];
        train_chart_draw(s, p, c, p->chart == s->active);
        canvas_zone(c, p->row, p->col, p->rows, p->cols, ZONE_CHART, (int64_t)i);
    }
    Canvas values = canvas_part(c, s->values_row, 0, 1, c->cols);
    if (s->trouble.kind != ERROR_NONE)
        canvas_field(&values, 0, 1, c->cols - 2, ALIGN_LEFT, STYLE_BAD, s->trouble.text);
    else
        train_draw_values(s, &values);
    if (s->events_rows > 0) {
        Canvas events = canvas_part(c, s->events_row, 0, s->events_rows, c->cols);
        train_draw_events(s, &events);
        canvas_zone(&events, 0, 0, events.rows, events.cols, ZONE_EVENTS, 0);
    }
}

/* ---- commands ----------------------------------------------------------------------------------------------------------- */

static Reply next_run(TrainState *s, int direction, Ui *ui)
{
    const Snapshot *snap = ui_snapshot(ui);
    const RunRow *run = train_run(s);
    for (size_t i = 0; run && i < snap->runs; i++)
        if (snap->run[i].id == run->id) {
            size_t to = (i + snap->runs + (direction > 0 ? 1 : snap->runs - 1)) % snap->runs;
            ui_choose_run(ui, snap->run[to].id);
            train_gather(s);
            train_read(s);
            return REPLY_DRAW;
        }
    return REPLY_STAY;
}

static void run_picked(void *owner, size_t item, Ui *ui)
{
    const Snapshot *snap = ui_snapshot(ui);
    (void)owner;
    if (item < snap->runs)
        ui_choose_run(ui, snap->run[item].id);
}

static void choose_run(TrainState *s, Ui *ui)
{
    const Snapshot *snap = ui_snapshot(ui);
    const RunRow *run = train_run(s);
    size_t n = snap->runs, at = 0;
    MenuItem *item = mem_alloc((n + 1) * sizeof *item);
    Arena a = {0};
    for (size_t i = 0; i < n; i++) {
        const RunRow *r = &snap->run[i];
        at = run && r->id == run->id ? i : at;
        item[i] = (MenuItem){.label = arena_printf(&a, "%lld  %s", (long long)r->id, r->name),
                             .note = arena_printf(&a, "%s on %s, %s", r->family, r->dataset_name,
                                                  run_status_name(r->status)),
                             .style = run_style(r->id)};
    }
    ui_menu(ui, "Watch a run", item, n, at, run_picked, s);
    mem_free(item);
    arena_release(&a);
}

static void prompt(TrainState *s, const char *fmt)
{
    char line[160];
    const RunRow *run = train_run(s);
    if (!run)
        return;
    snprintf(line, sizeof line, "%s %lld ", fmt, (long long)run->id);
    ui_prompt(s->ui, line);
}

static void plot(TrainState *s)
{
    char line[256] = "plot";
    for (size_t i = 0; i < s->shows; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), " %lld", (long long)s->shown[i]);
    snprintf(line + strlen(line), sizeof line - strlen(line), " out=loss.png");
    ui_prompt(s->ui, line);
}

/* Its table comes in the viewer. */
static void layers(TrainState *s, const RunRow *run)
{
    char line[64];
    snprintf(line, sizeof line, "runs layers %lld", (long long)run->id);
    ui_command(s->ui, line, s, NULL);
}

static Reply steer(TrainState *s, int command, Ui *ui)
{
    const RunRow *run = train_run(s);
    switch (command) {
    case TRAIN_EDIT:
        train_edit(s);
        return REPLY_DRAW;
    case TRAIN_LR_DOWN:
        train_scale_lr(s, 0.5);
        return REPLY_DRAW;
    case TRAIN_LR_UP:
        train_scale_lr(s, 2.0);
        return REPLY_DRAW;
    case TRAIN_PAUSE:
        train_pause(s);
        return REPLY_DRAW;
    case TRAIN_STOP:
        train_stop(s);
        return REPLY_DRAW;
    case TRAIN_RESUME:
        train_verb(s, "resume", "", "goes on from its last checkpoint");
        return REPLY_DRAW;
    case TRAIN_CHECKPOINT:
        train_verb(s, "checkpoint", "", "writes a checkpoint after this step");
        return REPLY_DRAW;
    case TRAIN_FORK:
        train_fork(s);
        return REPLY_DRAW;
    case TRAIN_ROWS:
        train_rows(s);
        return REPLY_DRAW;
    case TRAIN_LAYERS:
        layers(s, run);
        return REPLY_DRAW;
    case TRAIN_PREDICT:
        prompt(s, "predict");
        return REPLY_DRAW;
    case TRAIN_PLOT:
        plot(s);
        return REPLY_DRAW;
    case TRAIN_CHOOSE:
        choose_run(s, ui);
        return REPLY_DRAW;
    case TRAIN_MARK:
    case UI_MARK:
        ui_mark_run(ui, run->id, !ui_run_marked(ui, run->id));
        ui_say(ui, STYLE_INFO, "Run %lld is %s", (long long)run->id,
               ui_run_marked(ui, run->id) ? "marked: it is drawn beside the others" : "not marked");
        return REPLY_DRAW;
    }
    return REPLY_IGNORED;
}

static void copy_values(const TrainState *s, Ui *ui)
{
    const RunRow *run = train_run(s);
    const Curves *c = train_curves(s, run->id);
    double at = s->has_cross ? s->cross : (double)INFINITY;
    Text text = {0};
    text_printf(&text, "run %lld %s", (long long)run->id, run->name);
    if (s->has_cross)
        text_printf(&text, " step %lld", (long long)train_cross_step(s));
    for (size_t i = 0; c && i < c->series.count; i++)
        text_printf(&text, " %s=%.6g", c->series.at[i].key, curves_at(c, c->series.at[i].key, at));
    ui_copy(ui, text_str(&text));
    text_release(&text);
}

static Reply on_command(void *state, int command, Ui *ui)
{
    TrainState *s = state;
    if (!train_run(s))
        return REPLY_IGNORED;
    if (command == UI_NEXT || command == UI_PREVIOUS)
        return next_run(s, command == UI_NEXT ? 1 : -1, ui);
    if (command == UI_COPY) {
        copy_values(s, ui);
        return REPLY_DRAW;
    }
    Reply reply = train_look(s, command);
    return reply != REPLY_IGNORED ? reply : steer(s, command, ui);
}

static const char *why_not(const void *state, int command, const Ui *ui)
{
    const TrainState *s = state;
    const RunRow *run = train_run(s);
    (void)ui;
    if (!run)
        return command >= PANE_COMMANDS ? "there is no run yet; 3 sets one up" : NULL;
    bool going = run->status == RUN_RUNNING || run->status == RUN_PAUSED;
    bool live = command == TRAIN_EDIT || command == TRAIN_LR_DOWN || command == TRAIN_LR_UP ||
                command == TRAIN_PAUSE || command == TRAIN_STOP || command == TRAIN_CHECKPOINT;
    if (live && run->status == RUN_FINISHED)
        return "this run has finished; f forks it with changes";
    if (live && !going)
        return "this run is not training; R goes on from its last checkpoint";
    const Curves *c = train_curves(s, run->id);
    if (command == TRAIN_RESUME && run->status == RUN_FINISHED)
        return "this run has finished; f forks it";
    if (command == TRAIN_RESUME && run->status == RUN_RUNNING && (!c || !c->loaded || c->alive))
        return "this run is training";
    if (command == TRAIN_ROWS && !s->has_cross)
        return "h and l move a crosshair first";
    if (command == TRAIN_PREDICT && run->status != RUN_FINISHED)
        return "this run has no model yet";
    return NULL;
}

static Reply on_mouse(void *state, const Mouse *m, Ui *ui)
{
    TrainState *s = state;
    const RunRow *run = train_run(s);
    (void)ui;
    if (!run || m->id == ZONE_EVENTS)
        return !run                          ? REPLY_IGNORED
               : m->kind == MOUSE_WHEEL_UP   ? train_event(s, -1)
               : m->kind == MOUSE_WHEEL_DOWN ? train_event(s, 1)
                                             : REPLY_STAY;
    if (m->id != ZONE_CHART || m->index < 0 || (size_t)m->index >= s->places)
        return REPLY_IGNORED;
    const Place *p = &s->place[m->index];
    s->active = p->chart;
    const Series *on = train_walked(s);
    if (!on)
        return REPLY_DRAW;
    ChartBuild b;
    Canvas in = {.rows = p->rows - 2, .cols = p->cols - 2};
    train_chart(s, p->chart, &b);
    double x = chart_x_at(&in, &b.chart, m->col - 1);
    train_chart_release(&b);
    train_cross_to(s, on->step.at[series_near(&on->x, x)]);
    if (m->kind == MOUSE_WHEEL_UP || m->kind == MOUSE_WHEEL_DOWN)
        return train_zoom(s, m->kind == MOUSE_WHEEL_UP ? 0.7 : 1.4);
    if (m->kind == MOUSE_DOUBLE)
        train_rows(s);
    return REPLY_DRAW;
}

/* Of the newest run that trains, also while another pane is shown. */
static void badge(const void *state, const Ui *ui, Text *into, Style *style)
{
    const Snapshot *snap = ui_snapshot(ui);
    (void)state;
    for (size_t i = 0; i < snap->runs; i++) {
        const RunRow *run = &snap->run[i];
        if (!run_is_active(run))
            continue;
        double share = run->steps_total ? (double)run->step / (double)run->steps_total : 0;
        text_printf(into, "%s%.0f%%", run->status == RUN_PAUSED ? "‖ " : "▸ ", 100 * share);
        *style = run->status == RUN_PAUSED ? STYLE_WARN : STYLE_ACCENT;
        return;
    }
}

const Pane train_pane = {
    .name = "train",
    .title = "Train",
    .about = "a run while it trains: curves, live changes, pause, fork, the rows behind a spike",
    .keys = keys,
    .state_size = sizeof(TrainState),
    .create = create,
    .destroy = destroy,
    .tick = tick,
    .layout = layout,
    .draw = draw,
    .on_command = on_command,
    .on_mouse = on_mouse,
    .why_not = why_not,
    .badge = badge,
};
