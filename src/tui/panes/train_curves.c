/* train_curves.c -- the curves of one run in memory: appended to, and asked. */
#include "train_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const axis_names[] = {"step", "epoch", "seconds", "clock"};
const char *const smooth_names[] = {"none", "light", "strong"};

/* ---- points ------------------------------------------------------------------------------------------ */

static Series *series_of(Curves *c, const char *key)
{
    for (size_t i = 0; i < c->series.count; i++)
        if (strcmp(c->series.at[i].key, key) == 0)
            return &c->series.at[i];
    Series *s = vec_slot(&c->series);
    *s = (Series){0};
    snprintf(s->key, sizeof s->key, "%s", key);
    return s;
}

/* A resumed run writes again what lay after its checkpoint: the older points go. */
static void series_cut(Series *s, double from)
{
    size_t n = s->step.count;
    while (n > 0 && s->step.at[n - 1] >= from)
        n--;
    if (n == s->step.count)
        return;
    s->step.count = s->wall.count = s->value.count = n;
    series_forget_x(s, n);
    series_forget_smooth(s);
}

enum { KEYS_KNOWN = 16 };
typedef struct KnownKey { const char *key; size_t series; } KnownKey; /* keys of one delta share their text */

static Series *known_series(Curves *c, KnownKey known[KEYS_KNOWN], const char *key)
{
    KnownKey *slot = &known[((uintptr_t)key >> 3) % KEYS_KNOWN];
    if (slot->key != key)
        *slot = (KnownKey){key, (size_t)(series_of(c, key) - c->series.at)};
    return &c->series.at[slot->series];
}

static void take_points(Curves *c, const RunDelta *d)
{
    KnownKey known[KEYS_KNOWN] = {0};
    for (size_t i = 0; i < d->count; i++) {
        const MetricPoint *p = &d->point[i];
        Series *s = known_series(c, known, p->key);
        double step = (double)p->step;
        if (s->step.count && *vec_last(&s->step) >= step)
            series_cut(s, step);
        vec_add(&s->step, step);
        vec_add(&s->wall, p->wall);
        vec_add(&s->value, p->value);
    }
}

static void take_events(Curves *c, const RunDelta *d)
{
    for (size_t i = 0; i < d->happened; i++) {
        const EventRow *e = &d->event[i];
        Happening *h = vec_slot(&c->event);
        *h = (Happening){.step = e->step, .time = e->time, .text = text_copy(e->text)};
        h->text[strcspn(h->text, "\n")] = 0; /* a line is shown; what follows is for commands */
        snprintf(h->kind, sizeof h->kind, "%s", e->kind);
        if (strcmp(e->kind, "resume") == 0)
            for (size_t k = 0; k < c->series.count; k++)
                series_cut(&c->series.at[k], (double)e->step + 1);
    }
}

static void set(Curves *c, const char *key, const char *value, int64_t step)
{
    Setting *now = vec_slot(&c->setting);
    *now = (Setting){.step = step};
    snprintf(now->key, sizeof now->key, "%s", key);
    snprintf(now->value, sizeof now->value, "%s", value);
}

/* Events come before points: a resume cuts what the points then write again. */
void curves_take(Curves *c, const RunDelta *d)
{
    take_events(c, d);
    take_points(c, d);
    c->setting.count = 0;
    for (size_t i = 0; i < d->params; i++)
        set(c, d->param[i].key, d->param[i].value, 0);
    for (size_t i = 0; i < d->commands; i++)
        if (strcmp(d->command[i].verb, "set") == 0)
            set(c, d->command[i].key, d->command[i].value, d->command[i].step);
    c->checkpoint.count = 0;
    for (size_t i = 0; i < d->checkpoints; i++)
        vec_add(&c->checkpoint, d->checkpoint[i].step);
    const CheckpointRow *first = d->checkpoints ? &d->checkpoint[0] : NULL;
    if (first && c->event.count && first->step <= c->event.at[0].step)
        c->first_epoch = (double)first->epoch; /* a fork begins at its parent's checkpoint */
    c->points = d->points;
    c->more = d->more;
    c->events = d->events;
    c->alive = d->alive;
    c->loaded = true;
}

void curves_release(Curves *c)
{
    for (size_t i = 0; i < c->series.count; i++) {
        Series *s = &c->series.at[i];
        vec_release(&s->step);
        vec_release(&s->wall);
        vec_release(&s->value);
        vec_release(&s->x);
        vec_release(&s->smooth);
        for (int k = 0; k < 2 * THIN_LEVELS; k++) {
            vec_release(&s->thin[k / THIN_LEVELS][k % THIN_LEVELS].x);
            vec_release(&s->thin[k / THIN_LEVELS][k % THIN_LEVELS].y);
        }
    }
    for (size_t i = 0; i < c->event.count; i++)
        mem_free(c->event.at[i].text);
    vec_release(&c->series);
    vec_release(&c->event);
    vec_release(&c->setting);
    vec_release(&c->checkpoint);
    *c = (Curves){0};
}

/* ---- the axis ------------------------------------------------------------------------------------------ */

size_t series_near(const Reals *v, double want)
{
    size_t low = 0, high = v->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (v->at[middle] < want)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == v->count)
        return low ? low - 1 : 0;
    return low > 0 && want - v->at[low - 1] <= v->at[low] - want ? low - 1 : low;
}

/* Between two known places in a straight line; before the first and after the last it goes on. */
static double between(const Reals *from, const Reals *to, double v)
{
    if (from->count < 2)
        return from->count ? to->at[0] : 0.0;
    size_t i = series_near(from, v);
    if (i > 0 && from->at[i] > v)
        i--;
    if (i + 1 >= from->count)
        i = from->count - 2;
    double run = from->at[i + 1] - from->at[i];
    return to->at[i] + (run > 0 ? (v - from->at[i]) / run * (to->at[i + 1] - to->at[i]) : 0.0);
}

/* The k-th validation closes the k-th epoch; that holds when the batch size changes on the way. v: the
 * validations; i: the first of them at or after the step. */
double curves_epoch_in(const Curves *c, const Series *v, size_t i, double step)
{
    size_t n = v ? v->step.count : 0;
    double begin = c->event.count ? (double)c->event.at[0].step : 0.0;
    double from = i ? v->step.at[i - 1] : begin;
    double length = i < n    ? v->step.at[i] - from
                    : n >= 2 ? v->step.at[n - 1] - v->step.at[n - 2]
                             : c->epoch_steps;
    return c->first_epoch + (double)i + (length > 0 ? (step - from) / length : 0.0);
}

double curves_epoch(const Curves *c, double step)
{
    const Series *v = curves_find(c, "val_loss");
    size_t n = v ? v->step.count : 0, i = n ? series_near(&v->step, step) : 0;
    if (n && v->step.at[i] < step)
        i++; /* the epoch that step lies in */
    return curves_epoch_in(c, v, i, step);
}

double curves_x(const Curves *c, double step)
{
    const Series *s = c->axis >= AXIS_WALL ? curves_find(c, "train_loss") : NULL;
    if (c->axis == AXIS_EPOCH)
        return curves_epoch(c, step);
    return s ? between(&s->step, &s->wall, step) : step;
}

/* ---- asked ---------------------------------------------------------------------------------------------- */

const Series *curves_find(const Curves *c, const char *key)
{
    for (size_t i = 0; c && i < c->series.count; i++)
        if (strcmp(c->series.at[i].key, key) == 0)
            return &c->series.at[i];
    return NULL;
}

double curves_last(const Curves *c, const char *key)
{
    const Series *s = curves_find(c, key);
    return s && s->value.count ? *vec_last(&s->value) : (double)NAN;
}

double curves_at(const Curves *c, const char *key, double step)
{
    const Series *s = curves_find(c, key);
    return s && s->value.count ? s->value.at[series_near(&s->step, step)] : (double)NAN;
}

bool curves_tells(const Curves *c, size_t event)
{
    if (strcmp(c->event.at[event].kind, "best") != 0)
        return true;
    for (size_t i = event + 1; i < c->event.count; i++)
        if (strcmp(c->event.at[i].kind, "best") == 0)
            return false;
    return true;
}

const char *curves_setting(const Curves *c, const char *key, int64_t step)
{
    for (size_t i = c ? c->setting.count : 0; i-- > 0;)
        if (c->setting.at[i].step <= step && strcmp(c->setting.at[i].key, key) == 0)
            return c->setting.at[i].value;
    return NULL;
}

int64_t curves_checkpoint(const Curves *c, int64_t step)
{
    int64_t found = -1;
    for (size_t i = 0; c && i < c->checkpoint.count; i++)
        if (c->checkpoint.at[i] <= step)
            found = c->checkpoint.at[i];
    return found;
}

void main_metric(const RunRow *run, char into[64])
{
    TaskKind task = TASK_REGRESSION;
    for (int t = 0; t < TASK_COUNT; t++)
        if (strcmp(task_name((TaskKind)t), run->task) == 0)
            task = (TaskKind)t;
    snprintf(into, 64, "val_%s", metric_main(task)->name);
}
