/* train_head.c -- the Train pane around its charts: who trains and how far it is, the values under the
 * crosshair, how it ended, what happened. */
#include "train_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a line made of pieces; a piece that does not fit whole is left out ---------------------------------- */

typedef struct Line {
    const Canvas *c;
    int row, col, end;
    bool steady; /* numbers change all the time: three digits, and what stands after them stays where it is */
} Line;

#define STEADY_WIDTH 8 /* 0.000123, -1.2e-05 */

static bool piece(Line *l, Style style, const char *text)
{
    int width = (int)utf8_width(text, strlen(text));
    if (l->col + width > l->end)
        return false;
    l->col += canvas_put(l->c, l->row, l->col, style, text);
    return true;
}

static void pair(Line *l, const char *label, Style style, const char *value)
{
    int width = (int)(utf8_width(label, strlen(label)) + utf8_width(value, strlen(value))) + 1;
    if (l->col + width > l->end)
        return;
    l->col += canvas_put(l->c, l->row, l->col, STYLE_DIM, label) + 1;
    l->col += canvas_put(l->c, l->row, l->col, style, value) + 3;
}

/* Three digits, all of them always written: 0.500, 62.4k. */
static void steady_real(double v, Text *into)
{
    char text[32];
    snprintf(text, sizeof text, "%#.3g", v);
    if (fabs(v) < 999.5)
        text_puts(into, text);
    else
        chart_number(strtod(text, NULL), into);
}

static void pair_real(Line *l, const char *label, Style style, double v)
{
    Text text = {0};
    if (isnan(v))
        return;
    if (l->steady)
        steady_real(v, &text);
    else
        chart_figure(v, v != 0 && fabs(v) < 1e-3 ? 3 : 4, &text);
    int end = l->col + (int)utf8_width(label, strlen(label)) + STEADY_WIDTH + 4;
    pair(l, label, style, text_str(&text));
    text_release(&text);
    if (l->steady)
        l->col = end;
}

static void print_count(double v, char *into, size_t size)
{
    Text t = {0};
    text_add_count(&t, v);
    snprintf(into, size, "%s", text_str(&t));
    text_release(&t);
}

static void print_seconds(double v, char *into, size_t size)
{
    Text t = {0};
    text_add_seconds(&t, v);
    snprintf(into, size, "%s", text_str(&t));
    text_release(&t);
}

/* ---- the head ---------------------------------------------------------------------------------------------- */

Style run_status_style(RunStatus status)
{
    switch (status) {
    case RUN_RUNNING:
        return STYLE_ACCENT;
    case RUN_PAUSED:
        return STYLE_WARN;
    case RUN_FINISHED:
        return STYLE_GOOD;
    case RUN_FAILED:
        return STYLE_BAD;
    case RUN_KILLED:
        return STYLE_WARN;
    default:
        return STYLE_DIM;
    }
}

static const char *status_word(RunStatus status)
{
    static const char *const words[RUN_STATUS_COUNT] = {
        [RUN_SCHEDULED] = "scheduled", [RUN_RUNNING] = "running", [RUN_PAUSED] = "paused",
        [RUN_FINISHED] = "finished",   [RUN_FAILED] = "failed",   [RUN_KILLED] = "killed"};
    return words[status];
}

static const char *status_glyph(const TrainState *s, const Canvas *c, RunStatus status)
{
    switch (status) {
    case RUN_RUNNING:
        return glyph_spinner(c, ui_now(s->ui));
    case RUN_PAUSED:
        return glyph(c, GLYPH_PAUSE);
    case RUN_FINISHED:
        return glyph(c, GLYPH_CHECK);
    case RUN_FAILED:
    case RUN_KILLED:
        return glyph(c, GLYPH_CROSS);
    default:
        return glyph(c, GLYPH_CLOCK);
    }
}

static void draw_who(const TrainState *s, const RunRow *run, const Canvas *c)
{
    char text[200];
    snprintf(text, sizeof text, "%s %s", status_glyph(s, c, run->status), status_word(run->status));
    int width = (int)utf8_width(text, strlen(text));
    canvas_put(c, 0, c->cols - width - 1, run_status_style(run->status), text);
    Line l = {c, 0, 0, c->cols - width - 2, false};
    piece(&l, run_style(run->id), glyph(c, GLYPH_MARK));
    snprintf(text, sizeof text, "Run %lld ", (long long)run->id);
    piece(&l, STYLE_TITLE, text);
    snprintf(text, sizeof text, "%s ", run->name);
    piece(&l, STYLE_STRONG, text);
    snprintf(text, sizeof text, "  %s", run->family);
    piece(&l, STYLE_ACCENT, text);
    piece(&l, STYLE_DIM, " on ");
    piece(&l, STYLE_PLAIN, run->dataset_name);
    snprintf(text, sizeof text, " %s ", glyph(c, GLYPH_ARROW));
    piece(&l, STYLE_DIM, text);
    piece(&l, STYLE_ROLE_TARGET, run->target);
    if (run->parent) {
        snprintf(text, sizeof text, "   fork of %lld at step %lld", (long long)run->parent,
                 (long long)run->parent_step);
        piece(&l, run_style(run->parent), text);
    }
    if (*run->tags) {
        snprintf(text, sizeof text, "   %s", run->tags);
        piece(&l, STYLE_DIM, text);
    }
}

static double share_done(const RunRow *run)
{
    if (run->steps_total <= 0)
        return run->status == RUN_FINISHED ? 1.0 : 0.0;
    return fmin(1.0, (double)run->step / (double)run->steps_total); /* one that ended early did not do all */
}

static void of_total(int64_t done, int64_t total, char *into, size_t size)
{
    char a[32], b[32];
    print_count((double)done, a, sizeof a);
    print_count((double)total, b, sizeof b);
    snprintf(into, size, total ? "%s/%s" : "%s", a, b);
}

static void print_left(double v, char *into, size_t size)
{
    Text t = {0};
    chart_seconds_left(v, &t);
    snprintf(into, size, "%s", text_str(&t));
    text_release(&t);
}

/* Of a speed two digits are more than chance. */
static double two_digits(double v)
{
    double unit = v > 0 ? pow(10, floor(log10(v)) - 1) : 1;
    return unit * round(v / unit);
}

static void draw_time(const TrainState *s, const RunRow *run, Line *l)
{
    char text[48];
    double left = snapshot_seconds_left(ui_snapshot(s->ui), run->id);
    if (left > 0) {
        print_left(left, text, sizeof text);
        pair(l, "left", STYLE_STRONG, text);
    } else if (run->started && run->ended > run->started) {
        print_seconds((double)(run->ended - run->started) / 1e6, text, sizeof text);
        pair(l, "took", STYLE_STRONG, text);
    }
}

static void draw_progress(const TrainState *s, const RunRow *run, const Curves *c,
                          const Canvas *canvas)
{
    char text[64];
    int width = canvas->cols >= 150 ? 40 : canvas->cols >= 110 ? 28 : 14;
    Style full = run_is_active(run) ? STYLE_BAR : run_status_style(run->status);
    chart_bar(canvas, 1, 1, width, share_done(run), full, STYLE_BAR_BACK);
    Line l = {canvas, 1, width + 2, canvas->cols - 1, false};
    if (run->status == RUN_RUNNING && *run->message) { /* before its first step, or within a long one */
        piece(&l, STYLE_INFO, run->message);
        return;
    }
    snprintf(text, sizeof text, "%3.0f%%  ", 100 * share_done(run));
    piece(&l, STYLE_STRONG, text);
    of_total(run->epoch, run->epochs_total, text, sizeof text);
    pair(&l, "epoch", STYLE_PLAIN, text);
    of_total(run->step, run->steps_total, text, sizeof text);
    pair(&l, "step", STYLE_PLAIN, text);
    draw_time(s, run, &l);
    double speed = c ? curves_last(c, "samples_per_second") : (double)NAN;
    if (isfinite(speed)) {
        print_count(two_digits(speed), text, sizeof text - 8);
        strcat(text, " rows/s");
        pair(&l, "at", STYLE_PLAIN, text);
    }
    if (c)
        pair_real(&l, "lr", STYLE_PLAIN, curves_last(c, "lr"));
}

void train_draw_head(const TrainState *s, const Canvas *c)
{
    const RunRow *run = train_run(s);
    if (!run)
        return;
    draw_who(s, run, c);
    draw_progress(s, run, train_curves(s, run->id), c);
}

/* ---- the line of values ----------------------------------------------------------------------------------- */

void train_draw_values(const TrainState *s, const Canvas *canvas)
{
    const RunRow *run = train_run(s);
    const Curves *c = run ? train_curves(s, run->id) : NULL;
    char key[64], text[64];
    if (!c)
        return;
    main_metric(run, key);
    Line l = {canvas, 0, 1, canvas->cols - 1, run->status == RUN_RUNNING && !s->has_cross};
    double at = s->has_cross ? s->cross : (double)INFINITY;
    if (s->has_cross) {
        of_total(train_cross_step(s), 0, text, sizeof text);
        pair(&l, "step", STYLE_CROSS, text);
        pair_real(&l, "epoch", STYLE_CROSS, curves_epoch(c, at));
    }
    pair_real(&l, "train", STYLE_TRAIN, curves_at(c, "train_loss", at));
    pair_real(&l, "validation", STYLE_VALID, curves_at(c, "val_loss", at));
    if (!s->has_cross && run->best_step > 0) {
        pair_real(&l, "best", STYLE_GOOD, run->best);
        of_total(run->best_step, 0, text, sizeof text);
        pair(&l, "at step", STYLE_GOOD, text);
    }
    pair_real(&l, key + 4, STYLE_VALID, curves_at(c, key, at));
    pair_real(&l, "gradient", STYLE_PLAIN, curves_at(c, "grad_norm", at));
    if (s->has_cross)
        pair_real(&l, "lr", STYLE_PLAIN, curves_at(c, "lr", at));
    static const char *const hint = "h l crosshair";
    if (!s->has_cross && l.col + (int)strlen(hint) < canvas->cols)
        canvas_put(canvas, 0, canvas->cols - (int)strlen(hint) - 1, STYLE_DIM, hint);
}

/* ---- how it ended ------------------------------------------------------------------------------------------- */

static bool is_lost(const TrainState *s, const RunRow *run)
{
    const Curves *c = train_curves(s, run->id);
    return (run->status == RUN_RUNNING || run->status == RUN_PAUSED) && c && c->loaded && !c->alive;
}

int train_notice_rows(const TrainState *s, int rows)
{
    const RunRow *run = train_run(s);
    if (!run)
        return 0;
    bool broken = run->status == RUN_FAILED || run->status == RUN_KILLED || is_lost(s, run);
    if (broken)
        return rows >= 18 ? 5 : 3;
    return run->status == RUN_FINISHED ? (rows >= 28 ? 4 : 1) : 0;
}

static void draw_broken(const TrainState *s, const RunRow *run, const Canvas *c)
{
    char title[96], next[200];
    const Curves *curves = train_curves(s, run->id);
    int64_t from = curves_checkpoint(curves, INT64_MAX);
    bool lost = is_lost(s, run);
    snprintf(title, sizeof title, "%s %s at step %lld", glyph(c, GLYPH_CROSS),
             lost                        ? "Its process is gone"
             : run->status == RUN_FAILED ? "Failed"
                                         : "Killed",
             (long long)run->step);
    Canvas in = canvas_box(c, STYLE_BAD, title, NULL);
    int at =
        canvas_wrap(&in, 0, 1, in.cols - 2, STYLE_STRONG,
                    *run->message ? run->message
                    : lost ? "The machine or the process ended in the middle of training; nothing"
                             " that was shown is lost."
                           : "It was ended from outside.");
    if (from >= 0)
        snprintf(next, sizeof next, "R goes on from its checkpoint at step %lld%s", (long long)from,
                 run->status == RUN_FAILED
                     ? "; f forks it there with a change, such as a smaller lr"
                     : ", as if nothing had happened");
    else
        snprintf(next, sizeof next, "It has no checkpoint: R begins anew; 3 sets up another.");
    canvas_put(&in, at < in.rows ? at : in.rows - 1, 1, STYLE_INFO, next);
}

/* A sweep over learning rates has one result, and neither model nor checkpoint. */
static void draw_finder(const RunRow *run, const Canvas *c)
{
    Canvas in = *c;
    char title[60];
    if (c->rows >= 3) {
        snprintf(title, sizeof title, "%s Learning rate finder", glyph(c, GLYPH_CHECK));
        in = canvas_box(c, STYLE_GOOD, title, NULL);
    }
    canvas_field(&in, 0, 1, in.cols - 2, ALIGN_LEFT, STYLE_STRONG, run->message);
    if (in.rows >= 2)
        canvas_field(&in, 1, 1, in.cols - 2, ALIGN_LEFT, STYLE_INFO,
                     "It trained nothing: 3 sets up a run, and lr= there takes what was found.");
}

/* test_ metrics in the order the run wrote them. */
static void draw_results(const TrainState *s, const RunRow *run, const Canvas *c)
{
    const Curves *curves = train_curves(s, run->id);
    Canvas in = *c;
    char text[96];
    if (c->rows >= 3) {
        snprintf(text, sizeof text, "%s Test results%s%.60s", glyph(c, GLYPH_CHECK),
                 *run->message ? ": " : "", run->message);
        in = canvas_box(c, STYLE_GOOD, text, "P scores rows with it  f forks it");
    }
    Line l = {&in, 0, 1, in.cols, false};
    if (c->rows < 3)
        piece(&l, STYLE_GOOD, "Test  ");
    bool any = false;
    for (size_t i = 0; curves && i < curves->series.count; i++) {
        const Series *one = &curves->series.at[i];
        if (text_starts(one->key, "test_") && one->value.count) {
            pair_real(&l, one->key + 5, STYLE_STRONG, *vec_last(&one->value));
            any = true;
        }
    }
    if (!any)
        piece(&l, STYLE_DIM, curves && curves->loaded ? "no test rows" : "reading ...");
    if (in.rows >= 2 && run->best_step > 0) {
        l = (Line){&in, 1, 1, in.cols, false};
        pair_real(&l, "best validation", STYLE_PLAIN, run->best);
        of_total(run->best_step, 0, text, sizeof text);
        pair(&l, "at step", STYLE_PLAIN, text);
        of_total((int64_t)run->epoch, run->epochs_total, text, sizeof text);
        pair(&l, "ended after epoch", STYLE_PLAIN, text);
    }
}

void train_draw_notice(const TrainState *s, const Canvas *c)
{
    const RunRow *run = train_run(s);
    if (!run || c->rows == 0)
        return;
    const Curves *curves = train_curves(s, run->id);
    if (run->status == RUN_FINISHED && curves && curves_find(curves, "lr_found"))
        draw_finder(run, c);
    else if (run->status == RUN_FINISHED)
        draw_results(s, run, c);
    else
        draw_broken(s, run, c);
}

/* ---- what happened -------------------------------------------------------------------------------------------- */

static Style event_style(const char *kind)
{
    if (strcmp(kind, "fail") == 0)
        return STYLE_BAD;
    if (strcmp(kind, "change") == 0 || strcmp(kind, "resume") == 0)
        return STYLE_EVENT;
    if (strcmp(kind, "end") == 0 || strcmp(kind, "stop") == 0 || strcmp(kind, "best") == 0)
        return STYLE_GOOD;
    return STYLE_DIM;
}

static void draw_event(const Canvas *in, int row, const Happening *h, Style ground)
{
    Text when = {0};
    canvas_fill_part(in, row, 0, 1, in->cols, ground);
    time_format(h->time / 1000000 * 1000000, &when);
    const char *clock = text_str(&when) + (when.count > 8 ? when.count - 8 : 0);
    canvas_put(in, row, 1, style_on(STYLE_DIM, ground), clock);
    canvas_printf(in, row, 11, style_on(STYLE_DIM, ground), "step %7lld", (long long)h->step);
    canvas_field(in, row, 25, 11, ALIGN_LEFT, style_on(event_style(h->kind), ground), h->kind);
    canvas_field(in, row, 37, in->cols - 38, ALIGN_LEFT, style_on(STYLE_PLAIN, ground), h->text);
    text_release(&when);
}

/* The newest at the bottom; around the chosen one while one is chosen. */
void train_draw_events(const TrainState *s, const Canvas *c)
{
    const RunRow *run = train_run(s);
    const Curves *curves = run ? train_curves(s, run->id) : NULL;
    Canvas in = canvas_box(c, STYLE_BORDER, "What happened", "j k go through it");
    size_t n = curves ? curves->event.count : 0, at = n;
    VEC(size_t) line = {0};
    for (size_t i = 0; i < n; i++) {
        if (!curves_tells(curves, i))
            continue;
        if ((int64_t)i == s->event_at)
            at = line.count;
        vec_add(&line, i);
    }
    size_t room = in.rows > 0 ? (size_t)in.rows : 0, last = at < n ? at + room / 2 + 1 : line.count;
    last = last < room ? room : last;
    last = last > line.count ? line.count : last;
    for (size_t i = last > room ? last - room : 0, row = 0; i < last; i++, row++)
        draw_event(&in, (int)row, &curves->event.at[line.at[i]],
                   (int64_t)line.at[i] == s->event_at ? STYLE_CURSOR_IDLE : STYLE_PLAIN);
    if (n == 0)
        canvas_put(&in, 0, 1, STYLE_DIM, "nothing yet");
    vec_release(&line);
}
