/* train_chart.c -- the charts of the Train pane: which there are, and what each shows of which run. */
#include "train_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_KEY "val_slice " /* and the value of the column: a curve each, */
#define SLICES    "val_slice"  /* in one chart */

/* ---- which ------------------------------------------------------------------------------------------- */

static void add_chart(TrainState *s, const char *key, const char *title, bool log)
{
    if (s->charts == TRAIN_CHARTS)
        return;
    ChartKind *kind = &s->chart[s->charts];
    for (size_t i = 0; i < s->charts; i++)
        if (strcmp(s->chart[i].key, key) == 0)
            return;
    if (strcmp(kind->key, key) != 0) { /* the user's choice of axis stays with the chart */
        kind->log = log;
        kind->held = (Held){0};
    }
    snprintf(kind->key, sizeof kind->key, "%s", key);
    snprintf(kind->title, sizeof kind->title, "%s", title);
    s->charts++;
}

static void title_of(const char *key, char *into, size_t size)
{
    const Metric *m = text_starts(key, "val_") ? metric_find(key + 4) : NULL;
    snprintf(into, size, m ? "Validation %s" : "%s", m ? m->name : key);
}

/* All slices in one, if the run records any. */
static void add_slice_chart(TrainState *s, const Curves *c, const char *metric)
{
    char title[56];
    const char *by = c ? curves_setting(c, "slice", INT64_MAX) : NULL;
    for (size_t i = 0; c && i < c->series.count; i++)
        if (text_starts(c->series.at[i].key, SLICE_KEY)) {
            snprintf(title, sizeof title, "%.20s by %.30s", metric, by ? by : "slice");
            add_chart(s, SLICES, title, false);
            return;
        }
}

/* Loss first, then the metric the task is judged by, then what tells how the training goes. */
void train_charts(TrainState *s)
{
    static const char *const known[] = {"train_loss", "val_loss",  "epoch_train_loss",
                                        "lr",         "grad_norm", "samples_per_second"};
    const RunRow *run = train_run(s);
    const Curves *c = run ? train_curves(s, run->id) : NULL;
    char key[64] = "val_rmse", title[64];
    if (run)
        main_metric(run, key);
    title_of(key, title, sizeof title);
    s->charts = 0;
    add_chart(s, "loss", "Loss", true);
    add_chart(s, key, title, false);
    add_slice_chart(s, c, title);
    add_chart(s, "lr", "Learning rate", false);
    add_chart(s, "grad_norm", "Gradient norm", true);
    add_chart(s, "samples_per_second", "Rows a second", false);
    for (size_t i = 0; c && i < c->series.count; i++) {
        const char *more = c->series.at[i].key;
        bool there = text_starts(more, "test_") || text_starts(more, SLICE_KEY);
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            there |= strcmp(more, known[k]) == 0;
        title_of(more, title, sizeof title);
        if (!there)
            add_chart(s, more, title, false);
    }
    if (s->active >= (int)s->charts)
        s->active = 0;
}

/* ---- curves --------------------------------------------------------------------------------------------- */

/* The thin curve with the point under the crosshair in its place, so that the legend says its value. */
static void with_cross(ChartBuild *b, const Series *from, const Reals *y, ChartSeries *out)
{
    size_t at = series_near(&from->x, b->chart.cross), i = 0, n = out->n;
    double *px = ARENA_NEW(&b->arena, double, n + 1), *py = ARENA_NEW(&b->arena, double, n + 1);
    for (; i < n && out->x[i] < from->x.at[at]; i++)
        px[i] = out->x[i], py[i] = out->y[i];
    px[i] = from->x.at[at];
    py[i] = y->at[at];
    memcpy(px + i + 1, out->x + i, (n - i) * sizeof *px);
    memcpy(py + i + 1, out->y + i, (n - i) * sizeof *py);
    out->x = px;
    out->y = py;
    out->n = n + 1;
}

/* What is in sight and the points just outside; of very many the thin curve. */
static void cut(ChartBuild *b, const Series *from, const Reals *y, ChartSeries *out)
{
    const Reals *x = &from->x;
    size_t first = series_near(x, b->chart.x_low), last = series_near(x, b->chart.x_high);
    const Thin *thin = series_thin(from, y == &from->smooth, last - first);
    if (thin) {
        x = &thin->x;
        first = series_near(x, b->chart.x_low);
        last = series_near(x, b->chart.x_high);
    }
    first -= first > 0;
    last += last + 1 < x->count;
    out->x = x->at + first;
    out->y = (thin ? thin->y.at : y->at) + first;
    out->n = last - first + 1;
    if (thin && b->chart.has_cross)
        with_cross(b, from, y, out);
}

static void add_series(ChartBuild *b, const Series *from, const Reals *y, const char *name,
                       Style style, bool faint, bool dots)
{
    if (!from || !from->x.count || b->chart.count == sizeof b->series / sizeof *b->series)
        return;
    char *kept = b->name[b->chart.count];
    snprintf(kept, sizeof b->name[0], "%s", name ? name : "");
    ChartSeries *to = &b->series[b->chart.count++];
    *to = (ChartSeries){.name = name ? kept : NULL, .style = style, .faint = faint, .dots = dots};
    cut(b, from, y, to);
}

/* A noisy curve: raw points behind its running mean; alone, the mean in the part's colour. name NULL: its only one. */
static void add_noisy(ChartBuild *b, const Curves *c, const char *key, const char *name,
                      Style style, bool raw)
{
    const Series *series = curves_find(c, key);
    if (!series)
        return;
    if (c->smooth == 0) {
        add_series(b, series, &series->value, name ? name : "now", style, true, false);
        return;
    }
    char mean[64];
    snprintf(mean, sizeof mean, "%.50s%smean", name ? name : "", name ? " " : "");
    if (raw)
        add_series(b, series, &series->value, NULL, STYLE_BEFORE, true, false);
    add_series(b, series, &series->smooth, mean, style, !raw, false);
}

/* A curve a slice, of the run that is watched. */
static void add_slices(const TrainState *s, ChartBuild *b, const Curves *c)
{
    uint64_t n = 0;
    for (size_t i = 0; i < c->series.count && c->run == s->shown[0]; i++) {
        const Series *one = &c->series.at[i];
        if (text_starts(one->key, SLICE_KEY))
            add_series(b, one, &one->value, one->key + strlen(SLICE_KEY), style_series(n++), false,
                       one->value.count < 2);
    }
}

static void add_run(const TrainState *s, ChartBuild *b, const Curves *c, const char *key,
                    bool alone)
{
    char name[24];
    Style own = alone ? STYLE_TRAIN : run_style(c->run), valid = alone ? STYLE_VALID : own;
    const char *front = alone ? "" : name;
    snprintf(name, sizeof name, "%lld ", (long long)c->run);
    bool first = c->run == s->shown[0];
    char full[64];
    if (strcmp(key, "loss") == 0) {
        snprintf(full, sizeof full, "%svalidation", front);
        const Series *v = curves_find(c, "val_loss");
        if (v)
            add_series(b, v, &v->value, full, valid, false, v->value.count < 2);
        snprintf(full, sizeof full, "%strain", front);
        if (alone || first)
            add_noisy(b, c, "train_loss", full, alone ? own : STYLE_BEFORE, alone);
        return;
    }
    if (strcmp(key, SLICES) == 0) {
        add_slices(s, b, c);
        return;
    }
    bool noisy = series_noisy(key);
    const Series *series = curves_find(c, key);
    if (text_starts(key, "val_"))
        snprintf(full, sizeof full, "%svalidation", front);
    else
        snprintf(full, sizeof full, "%lld", (long long)c->run);
    const char *label = alone && !text_starts(key, "val_") ? "now" : full;
    Style style = text_starts(key, "val_") ? valid : own;
    if (noisy)
        add_noisy(b, c, key, alone ? NULL : full, style, alone);
    else if (series)
        add_series(b, series, &series->value, label, style, false, series->value.count < 2);
}

/* ---- what happened --------------------------------------------------------------------------------------- */

static void add_tick(ChartBuild *b, double x, Style style, const char *label)
{
    Chart *c = &b->chart;
    if (c->tick_count == sizeof b->ticks / sizeof *b->ticks)
        return;
    char *kept = b->label[c->tick_count];
    snprintf(kept, sizeof b->label[0], "%s", label);
    b->ticks[c->tick_count++] = (ChartTick){.x = x, .label = kept, .style = style};
}

static Style tick_style(const char *kind)
{
    if (strcmp(kind, "fail") == 0)
        return STYLE_BAD;
    return strcmp(kind, "change") == 0 || strcmp(kind, "resume") == 0 || strcmp(kind, "stop") == 0
               ? STYLE_EVENT
               : STYLE_DIM;
}

/* "lr 0.002 -> 0.001" is "lr 0.001" on the chart. */
static void short_change(const char *text, char *into, size_t size)
{
    const char *arrow = strstr(text, " -> "), *blank = strchr(text, ' ');
    if (arrow && blank)
        snprintf(into, size, "%.*s %s", (int)(blank - text), text, arrow + 4);
    else
        snprintf(into, size, "%s", text);
}

/* What the user did, where it broke or went on, and the checkpoints there are to go back to. */
static void add_events(ChartBuild *b, const Curves *c, int64_t forked_at)
{
    static const char *const told[] = {"change", "resume", "stop", "fail", "pause"};
    char label[24];
    for (size_t i = 0; i < c->event.count; i++) {
        const Happening *h = &c->event.at[i];
        if (strcmp(h->kind, "end") == 0 && strstr(h->text, "stopped early"))
            add_tick(b, curves_x(c, (double)h->step), STYLE_WARN, "early stop");
        if (strcmp(h->kind, "suggest") == 0) { /* "lr=0.003: the loss falls ..." */
            snprintf(label, sizeof label, "%.*s", (int)strcspn(h->text, ":"), h->text);
            add_tick(b, curves_x(c, (double)h->step), STYLE_GOOD, label);
        }
        for (size_t k = 0; k < sizeof told / sizeof *told; k++) {
            if (strcmp(h->kind, told[k]) != 0 || (k == 1 && h->step == forked_at))
                continue; /* a fork begins with a resume: "from run" says so */
            short_change(k ? h->kind : h->text, label, sizeof label);
            add_tick(b, curves_x(c, (double)h->step), tick_style(h->kind), label);
        }
    }
    for (size_t i = 0; i < c->checkpoint.count; i++)
        add_tick(b, curves_x(c, (double)c->checkpoint.at[i]), STYLE_GRID, "checkpoint");
}

static int by_place(const void *left, const void *right)
{
    const ChartTick *a = left, *b = right;
    bool said[2] = {a->style != STYLE_GRID, b->style != STYLE_GRID}; /* of two at one place a checkpoint is below */
    return a->x != b->x ? (a->x > b->x) - (a->x < b->x) : said[0] - said[1];
}

static void add_branches(const TrainState *s, ChartBuild *b, const Curves *c, const RunRow *run)
{
    char label[24];
    const Snapshot *snap = ui_snapshot(s->ui);
    if (run->parent) {
        snprintf(label, sizeof label, "from run %lld", (long long)run->parent);
        add_tick(b, curves_x(c, (double)run->parent_step), run_style(run->parent), label);
    }
    for (size_t i = 0; i < snap->runs; i++)
        if (snap->run[i].parent == run->id) {
            snprintf(label, sizeof label, "fork %lld", (long long)snap->run[i].id);
            add_tick(b, curves_x(c, (double)snap->run[i].parent_step), run_style(snap->run[i].id),
                     label);
        }
}

/* ---- the range of values ----------------------------------------------------------------------------------- */

/* The k-th smallest comes to its place, with none greater before it and none smaller after (Hoare). */
static double nth(double *v, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        double pivot = v[(low + high) / 2];
        size_t i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i > j)
                break;
            double t = v[i];
            v[i++] = v[j];
            v[j] = t;
            if (j == 0)
                break;
            j--;
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            break;
    }
    return v[k];
}

#define SAMPLED 1024 /* of a longer curve so many points say where its values lie */

static bool in_sight(const ChartSeries *one, const Chart *c, size_t i)
{
    return one->x[i] >= c->x_low && one->x[i] <= c->x_high && isfinite(one->y[i]) && (!c->y_log || one->y[i] > 0);
}

/* Of a long curve 1 % of the values at each end may leave the picture: the first steps of a training
 * are so far off that nothing else could be read. A short one stays whole, and one over a logarithmic
 * axis, which is there for the first steps. */
static void range_of(const ChartSeries *one, const Chart *c, double *low, double *high)
{
    double v[2 * SAMPLED];
    size_t n = 0, by = one->n > 2 * SAMPLED ? one->n / SAMPLED : 1;
    for (size_t i = 0; c->x_log && i < one->n; i++)
        if (in_sight(one, c, i))
            *low = fmin(*low, one->y[i]), *high = fmax(*high, one->y[i]);
    for (size_t i = one->n % by; !c->x_log && i < one->n && n < 2 * SAMPLED; i += by)
        if (in_sight(one, c, i))
            v[n++] = one->y[i];
    size_t out = n > 300 ? n / 100 : 0;
    if (n) {
        *low = fmin(*low, nth(v, n, out));
        *high = fmax(*high, nth(v, n, n - 1 - out));
    }
}

/* While a run goes on its chart keeps its axes for a while, so that a new point is a new dot and not another
 * picture: what a slow line has to carry. Up to the next of two steps a doubling. */
static double with_room(double span)
{
    double power = exp2(floor(log2(span)));
    return span > 0 ? power * ceil(span / power * 2.0) / 2.0 : span;
}

/* To whole steps, of which some eight are in sight. */
static void to_steps(double *low, double *high)
{
    double span = *high - *low, step = exp2(ceil(log2(span / 8.0)));
    *low = floor(*low / step) * step;
    *high = ceil(*high / step) * step;
}

/* Of the points in sight, in the space of the axis. False: there is no range. */
static bool natural_range(const Chart *c, double *low, double *high)
{
    *low = INFINITY, *high = -INFINITY;
    for (size_t i = 0; i < c->count; i++)
        range_of(&c->series[i], c, low, high);
    if (!(*low < *high))
        return false;
    if (c->y_log)
        *low = log10(*low), *high = log10(*high);
    else if (c->y_zero)
        *low = fmin(*low, 0.0), *high = fmax(*high, 0.0);
    return true;
}

static void set_range(Chart *c, double low, double high)
{
    double room = (high - low) * 0.04;
    c->y_low = c->y_zero && !c->y_log && !(low < 0.0) ? 0.0 : low - room;
    c->y_high = high + room;
    if (c->y_log)
        c->y_low = pow(10, c->y_low), c->y_high = pow(10, c->y_high);
}

/* What the points fill half of and hardly leave may stay: noise at an edge would have the chart leap to and fro. */
static bool may_stay(const Held *h, double low, double high)
{
    double span = h->high - h->low;
    return low >= h->low - 0.04 * span && high <= h->high + 0.04 * span && high - low >= 0.5 * span;
}

/* ---- one chart ---------------------------------------------------------------------------------------------- */

void train_span(const TrainState *s, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < s->shows; i++) {
        const Curves *c = train_curves(s, s->shown[i]);
        for (size_t k = 0; c && k < c->series.count; k++) {
            const Reals *x = &c->series.at[k].x;
            if (!x->count)
                continue;
            *low = fmin(*low, x->at[0]);
            *high = fmax(*high, x->at[x->count - 1]);
        }
    }
    if (!(*low < *high))
        *low = isfinite(*low) ? *low : 0.0, *high = *low + 1.0;
}

static void set_window(const TrainState *s, const Curves *c, Chart *to)
{
    to->x_name = axis_names[s->axis];
    to->x_clock = s->axis == AXIS_CLOCK;
    to->x_log = s->x_log && s->axis != AXIS_CLOCK;
    if (s->low < s->high)
        to->x_low = s->low, to->x_high = s->high;
    else
        train_span(s, &to->x_low, &to->x_high);
    const RunRow *run = train_run(s);
    if (run && run->status == RUN_RUNNING && !(s->low < s->high) && !to->x_log)
        to->x_high = to->x_low + with_room(to->x_high - to->x_low);
    if (to->x_log && to->x_low <= 0)
        to->x_low = fmin(1, to->x_high / 1000); /* zero has no place there */
    to->cross = s->has_cross && c ? curves_x(c, s->cross) : (double)NAN;
    to->has_cross = to->cross >= to->x_low && to->cross <= to->x_high; /* else the legend would tell of a place not shown */
}

static bool is_live(const TrainState *s)
{
    const RunRow *run = train_run(s);
    return run && run->status == RUN_RUNNING;
}

/* All but the range of values. */
static void build(const TrainState *s, int chart, ChartBuild *out)
{
    const ChartKind *kind = &s->chart[chart];
    const RunRow *run = train_run(s);
    const Curves *c = run ? train_curves(s, run->id) : NULL;
    Chart *to = &out->chart;
    *to = (Chart){.y_log = kind->log};
    out->arena = (Arena){0};
    set_window(s, c, to);
    for (size_t i = 0; i < s->shows; i++) { /* the watched run first: on top */
        const Curves *one = train_curves(s, s->shown[i]);
        if (one)
            add_run(s, out, one, kind->key, s->shows == 1);
    }
    if (c && run) {
        add_branches(s, out, c, run);
        add_events(out, c, run->parent ? run->parent_step : -1);
        if (text_starts(kind->key, "val_") || strcmp(kind->key, "loss") == 0)
            if (run->best_step > 0)
                add_tick(out, curves_x(c, (double)run->best_step), STYLE_GOOD, "best");
    }
    qsort(out->ticks, to->tick_count, sizeof *out->ticks, by_place);
    to->series = out->series;
    to->ticks = out->ticks;
    to->y_zero = strcmp(kind->key, "lr") == 0 || strcmp(kind->key, "samples_per_second") == 0;
    to->empty = run && run_is_active(run) ? "waiting for the first points" : "no points";
}

static bool same_look(const Held *a, const Held *b)
{
    return a->run == b->run && a->shows == b->shows && a->look == b->look && a->width == b->width;
}

static Held held_for(const TrainState *s, const ChartKind *kind)
{
    return (Held){.run = s->shown[0], .shows = s->shows, .width = s->high - s->low,
                  .look = s->smooth + SMOOTH_COUNT * (int)s->axis + (kind->log ? 100 : 0) + (s->x_log ? 200 : 0)};
}

void train_hold(TrainState *s)
{
    double low, high;
    for (size_t i = 0; i < s->places && is_live(s); i++) {
        ChartBuild b;
        Held *was = &s->chart[s->place[i].chart].held, now = held_for(s, &s->chart[s->place[i].chart]);
        build(s, s->place[i].chart, &b);
        bool any = natural_range(&b.chart, &low, &high);
        train_chart_release(&b);
        if (any && same_look(was, &now) && may_stay(was, low, high))
            continue;
        if (any)
            to_steps(&low, &high);
        now.low = any ? low : 0;
        now.high = any ? high : 0;
        *was = now;
    }
}

void train_chart(const TrainState *s, int chart, ChartBuild *out)
{
    const ChartKind *kind = &s->chart[chart];
    const Held *held = &kind->held, now = held_for(s, kind);
    double low, high;
    build(s, chart, out);
    if (is_live(s) && held->low < held->high && same_look(held, &now))
        set_range(&out->chart, held->low, held->high);
    else if (natural_range(&out->chart, &low, &high))
        set_range(&out->chart, low, high);
}

void train_chart_release(ChartBuild *b)
{
    arena_release(&b->arena);
}

/* How it is looked at, and, where not all have room, that there are others. */
static void chart_note(const TrainState *s, int chart, Text *into)
{
    const ChartKind *kind = &s->chart[chart];
    bool noisy = series_noisy(kind->key) || strcmp(kind->key, "loss") == 0;
    if (kind->log)
        text_puts(into, "log");
    if (noisy)
        text_printf(into, "%s%s smoothing", into->count ? "  " : "", s->smooth ? smooth_names[s->smooth] : "no");
    if (s->low < s->high)
        text_printf(into, "%szoomed", into->count ? "  " : "");
    if (s->places < s->charts)
        text_printf(into, "%sTab %d of %zu", into->count ? "  " : "", chart + 1, s->charts);
}

void train_chart_draw(const TrainState *s, const Place *p, const Canvas *c, bool active)
{
    const ChartKind *kind = &s->chart[p->chart];
    ChartBuild b;
    Text note = {0};
    Canvas part = canvas_part(c, p->row, p->col, p->rows, p->cols);
    if (active)
        chart_note(s, p->chart, &note);
    Canvas in = canvas_box(&part, active ? STYLE_BORDER_ACTIVE : STYLE_BORDER, kind->title,
                           active ? text_str(&note) : NULL);
    text_release(&note);
    train_chart(s, p->chart, &b);
    for (size_t i = 0; in.rows < 11 && i < b.chart.tick_count; i++)
        b.ticks[i].label = ""; /* no room over the curves for words */
    chart_draw(&in, &b.chart);
    train_chart_release(&b);
}

static double *kept(Arena *a, const double *v, size_t n)
{
    double *out = ARENA_NEW(a, double, n + 1);
    memcpy(out, v, n * sizeof *out);
    return out;
}

bool train_chart_shown(const void *state, Arena *a, Chart *out, char title[160])
{
    const TrainState *s = state;
    const RunRow *run = train_run(s);
    if (!run)
        return false;
    ChartBuild *b = mem_alloc(sizeof *b);
    train_chart(s, s->active, b);
    ChartSeries *series = ARENA_NEW(a, ChartSeries, b->chart.count + 1);
    ChartTick *tick = ARENA_NEW(a, ChartTick, b->chart.tick_count + 1);
    for (size_t i = 0; i < b->chart.count; i++) {
        const ChartSeries *from = &b->chart.series[i];
        series[i] = *from;
        series[i].name = arena_text(a, from->name ? from->name : "");
        series[i].x = kept(a, from->x, from->n);
        series[i].y = kept(a, from->y, from->n);
    }
    for (size_t i = 0; i < b->chart.tick_count; i++) {
        tick[i] = b->chart.ticks[i];
        tick[i].label = arena_text(a, tick[i].label);
    }
    *out = b->chart;
    out->series = series;
    out->ticks = tick;
    snprintf(title, 160, "%.60s of run %lld %.60s", s->chart[s->active].title, (long long)run->id, run->name);
    train_chart_release(b);
    mem_free(b);
    return out->count > 0;
}
