/* train_runs.c -- which runs the Train pane draws, choosing another, and reading what is new of them. */
#include "train_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SLOT_POINTS = 1 };

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

/* The zoom of the session before, once the workspace has said it and its run is watched again. */
static void restore_zoom(TrainState *s, int64_t run)
{
    const char *known = s->zoom_known ? NULL : ui_setting(s->ui, "train-zoom");
    long long of;
    int axis;
    double low, high;
    if (!known || sscanf(known, "%lld %d %lf %lf", &of, &axis, &low, &high) != 4 || of != run)
        return;
    s->zoom_known = true;
    if (axis < 0 || axis >= AXIS_COUNT || !(low < high))
        return;
    s->axis = (Axis)axis;
    s->low = low;
    s->high = high;
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
    if (run)
        restore_zoom(s, run->id);
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
    bool more = false;
    for (size_t k = 0; delta && k < TRAIN_RUNS; k++)
        more |= s->curves[k].run && s->curves[k].more;
    train_delta_free(delta);
    train_charts(s);
    if (ui_visible(ui, s)) {
        ui_draw(ui);
        if (more)
            train_read(s); /* the next part, while this one is drawn */
    }
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
        c->began = (double)run->started / 1e6;
        c->epoch_steps =
            run->epochs_total ? (double)run->steps_total / (double)run->epochs_total : 0;
        bool news = c->seen_step != run->step || c->seen_status != run->status ||
                    c->seen_heartbeat != run->heartbeat;
        if (c->loaded && !news && !c->more && run->status != RUN_RUNNING)
            continue;
        c->more = true; /* until an answer says otherwise: the part may be full before its turn */
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

/* ---- choosing  */

Reply train_next(TrainState *s, int direction)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const RunRow *run = train_run(s);
    for (size_t i = 0; run && i < snap->runs; i++)
        if (snap->run[i].id == run->id) {
            size_t to = (i + snap->runs + (direction > 0 ? 1 : snap->runs - 1)) % snap->runs;
            ui_choose_run(s->ui, snap->run[to].id);
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

void train_choose(TrainState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
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
    ui_menu(s->ui, "Watch a run", item, n, at, run_picked, s);
    mem_free(item);
    arena_release(&a);
}

