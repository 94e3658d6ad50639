/* train_look.c -- how the curves are looked at: crosshair, window, axis, smoothing, the active chart. */
#include "train_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the crosshair and the window ------------------------------------------------------------------------------------ */

/* The curve the crosshair walks on: that of the active chart, or, before it has points, one that has. */
const Series *train_walked(const TrainState *s)
{
    const RunRow *run = train_run(s);
    const Curves *c = run ? train_curves(s, run->id) : NULL;
    const char *key = s->chart[s->active].key;
    const Series *found = curves_find(c, strcmp(key, "loss") == 0 ? "train_loss" : key);
    found = found ? found : curves_find(c, "val_loss");
    found = found ? found : curves_find(c, "train_loss");
    return found && found->step.count ? found : NULL;
}

static void window(const TrainState *s, double *low, double *high)
{
    *low = s->low;
    *high = s->high;
    if (!(s->low < s->high))
        train_span(s, low, high);
}

static void set_window(TrainState *s, double low, double high)
{
    double least, most;
    train_span(s, &least, &most);
    double width = fmin(high - low, most - least);
    low = fmax(least, fmin(low, most - width));
    s->low = low;
    s->high = low + width;
    if (width >= (most - least) * 0.999)
        s->low = s->high = 0;
}

static double cross_x(const TrainState *s)
{
    const RunRow *run = train_run(s);
    const Curves *c = run ? train_curves(s, run->id) : NULL;
    return c ? curves_x(c, s->cross) : 0.0;
}

static void keep_in_sight(TrainState *s)
{
    double x = cross_x(s), width = s->high - s->low;
    if (s->low < s->high && (x < s->low || x > s->high))
        set_window(s, x - width / 2, x + width / 2);
}

/* One column of dots, and at least to the next point. */
static Reply move_cross(TrainState *s, int direction)
{
    const Series *on = train_walked(s);
    double low, high;
    if (!on)
        return REPLY_STAY;
    window(s, &low, &high);
    double column = (high - low) / (s->cols > 20 ? 1.0 * (s->cols - 10) : 10.0);
    size_t i = s->has_cross ? series_near(&on->step, s->cross) : on->step.count - 1;
    double from = on->x.at[i];
    bool moved = !s->has_cross;
    while (!moved && (direction < 0 ? i > 0 : i + 1 < on->step.count)) {
        i = direction < 0 ? i - 1 : i + 1;
        moved = fabs(on->x.at[i] - from) >= column;
    }
    s->has_cross = true;
    s->cross = on->step.at[i];
    keep_in_sight(s);
    return REPLY_DRAW;
}

Reply train_cross_to(TrainState *s, double step)
{
    s->has_cross = true;
    s->cross = step;
    keep_in_sight(s);
    return REPLY_DRAW;
}

static Reply cross_to_end(TrainState *s, bool last)
{
    const Series *on = train_walked(s);
    return on ? train_cross_to(s, on->step.at[last ? on->step.count - 1 : 0]) : REPLY_STAY;
}

Reply train_zoom(TrainState *s, double by)
{
    double low, high;
    window(s, &low, &high);
    double at = s->has_cross ? cross_x(s) : high, width = (high - low) * by;
    double share = (at - low) / (high - low);
    set_window(s, at - share * width, at + (1 - share) * width);
    return REPLY_DRAW;
}

static Reply pan(TrainState *s, double by)
{
    double low, high;
    window(s, &low, &high);
    set_window(s, low + by * (high - low), high + by * (high - low));
    return REPLY_DRAW;
}

Reply train_drag(TrainState *s, const Place *p, int col, int cols)
{
    double low, high;
    ChartBuild b;
    Canvas in = {.rows = p->rows - 2, .cols = p->cols - 2};
    train_chart(s, p->chart, &b);
    double from = chart_x_at(&in, &b.chart, col), to = chart_x_at(&in, &b.chart, col + cols);
    train_chart_release(&b);
    window(s, &low, &high);
    if (s->low >= s->high) /* all is in sight: what was dragged away would leave a gap, so look nearer first */
        high = low + 0.8 * (high - low);
    set_window(s, low + from - to, high + from - to);
    return REPLY_DRAW;
}

static Reply change_axis(TrainState *s)
{
    s->axis = (Axis)((s->axis + 1) % AXIS_COUNT);
    ui_say(s->ui, STYLE_INFO, "by %s", axis_names[s->axis]);
    s->low = s->high = 0;
    return REPLY_DRAW;
}

/* From event to event, the crosshair with it. */
Reply train_event(TrainState *s, int direction)
{
    const RunRow *run = train_run(s);
    const Curves *c = run ? train_curves(s, run->id) : NULL;
    int64_t n = c ? (int64_t)c->event.count : 0;
    if (n == 0)
        return REPLY_STAY;
    int64_t at = s->event_at < 0 ? (direction < 0 ? n : -1) : s->event_at;
    do
        at += direction;
    while (at >= 0 && at < n && !curves_tells(c, (size_t)at));
    if (at >= 0 && at < n)
        s->event_at = at;
    if (s->event_at < 0)
        return REPLY_STAY;
    return train_cross_to(s, (double)c->event.at[s->event_at].step);
}

/* ---- commands ------------------------------------------------------------------------------------- */

Reply train_look(TrainState *s, int command)
{
    const RunRow *run = train_run(s);
    switch (command) {
    case TRAIN_SMOOTH:
        s->smooth = (s->smooth + 1) % SMOOTH_COUNT;
        return REPLY_DRAW;
    case TRAIN_LOG:
        s->chart[s->active].log = !s->chart[s->active].log;
        return REPLY_DRAW;
    case TRAIN_AXIS:
        return change_axis(s);
    case TRAIN_X_LOG:
        s->x_log = !s->x_log;
        ui_say(s->ui, STYLE_INFO, s->x_log ? "logarithmic %s" : "linear %s", axis_names[s->axis]);
        return REPLY_DRAW;
    case TRAIN_ZOOM_IN:
        return train_zoom(s, 0.5);
    case TRAIN_ZOOM_OUT:
        return train_zoom(s, 2.0);
    case TRAIN_EARLIER:
        return pan(s, -0.25);
    case TRAIN_LATER:
        return pan(s, 0.25);
    case TRAIN_ALL:
        s->low = s->high = 0;
        return REPLY_DRAW;
    case TRAIN_BEST:
        return run->best_step > 0 ? train_cross_to(s, (double)run->best_step) : REPLY_STAY;
    case TRAIN_OTHERS:
        s->others = !s->others;
        ui_say(s->ui, STYLE_INFO, s->others ? "marked runs and forks are drawn with it" : "this run alone");
        train_gather(s);
        train_read(s);
        return REPLY_DRAW;
    case UI_LEFT:
        return move_cross(s, -1);
    case UI_RIGHT:
        return move_cross(s, 1);
    case UI_TOP:
        return cross_to_end(s, false);
    case UI_BOTTOM:
    case UI_LAST:
        return cross_to_end(s, true);
    case UI_UP:
        return train_event(s, -1);
    case UI_DOWN:
        return train_event(s, 1);
    case UI_NEXT_PART:
        s->active = (s->active + 1) % (int)s->charts;
        return REPLY_DRAW;
    case UI_PREV_PART:
        s->active = (s->active + (int)s->charts - 1) % (int)s->charts;
        return REPLY_DRAW;
    case UI_BACK:
        if (!s->has_cross)
            return REPLY_IGNORED;
        s->has_cross = false;
        s->event_at = -1;
        return REPLY_DRAW;
    }
    return REPLY_IGNORED;
}

/* ---- for `u` ------------------------------------------------------------------------------------------------------ */

/* axis smoothing logarithmic-axis others, the charts with logarithmic values, the marked runs */
bool train_keep(const void *state, Text *into)
{
    const TrainState *s = state;
    text_printf(into, "%d %d %d %d ", (int)s->axis, s->smooth, s->x_log, s->others);
    for (size_t i = 0; i < s->charts; i++)
        text_printf(into, s->chart[i].log ? "%s," : "", s->chart[i].key);
    ui_marks_keep(s->ui, into);
    return true;
}

bool train_put(void *state, const char *kept, Ui *ui)
{
    TrainState *s = state;
    int axis, smooth, x_log, others, n = 0;
    if (sscanf(kept, "%d %d %d %d %n", &axis, &smooth, &x_log, &others, &n) < 4)
        return false;
    const char *logs = kept + n, *marks = logs + strcspn(logs, " ");
    s->axis = (Axis)axis;
    s->smooth = smooth;
    s->x_log = x_log;
    s->others = others;
    for (size_t i = 0; i < s->charts; i++) {
        const char *at = strstr(logs, s->chart[i].key);
        s->chart[i].log = at && at < marks && (at == logs || at[-1] == ',') && at[strlen(s->chart[i].key)] == ',';
    }
    s->low = s->high = 0; /* of another axis, perhaps */
    ui_marks_put(ui, marks);
    train_gather(s);
    train_read(s);
    return true;
}
