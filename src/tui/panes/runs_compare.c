/* runs_compare.c -- draws one run's facts, or several runs side by side with what differs. */
#include "runs_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void print_metric(double v, Text *into)
{
    chart_figure(v, v != 0 && fabs(v) < 1e-3 ? 4 : 5, into);
}

static int widest_of(const RunCompare *c, bool results, int widest, int most)
{
    for (size_t i = 0; i < c->row.count; i++) {
        int n = (int)utf8_width(c->row.at[i].what, strlen(c->row.at[i].what));
        widest = c->row.at[i].metric == results && n > widest ? n : widest;
    }
    return widest < most ? widest : most;
}

static int what_width(const RunCompare *c, int most)
{
    int widest = widest_of(c, false, 12, most); /* "what differs" */
    return widest_of(c, true, widest, most);
}

/* A recipe or another text of several lines is shown in one, without its comments. */
static void flatten(const char *s, Text *into)
{
    while (*s) {
        size_t n = strcspn(s, "\n");
        if (n && *s != '#') {
            text_puts(into, into->count ? "; " : "");
            text_add(into, s, n);
        }
        s += n + (s[n] == '\n');
    }
}

static void draw_cell(const CompareRow *row, size_t side, const Canvas *c, int at, int col, int width)
{
    Text text = {0};
    Style style = STYLE_PLAIN;
    if (row->metric) {
        print_metric(row->number[side], &text);
        style = row->best >= 0 && row->number[side] == row->number[row->best] ? STYLE_GOOD : STYLE_NUMBER;
    } else {
        flatten(row->value[side], &text);
        if (!text.count) { /* nothing, or of another family that has no such thing */
            text_putc(&text, '-');
            style = STYLE_DIM;
        }
    }
    canvas_field(c, at, col, width, ALIGN_LEFT, style, text_str(&text));
    text_release(&text);
}

static void draw_heads(const RunCompare *c, const Canvas *canvas, int from, int width)
{
    for (size_t i = 0; i < c->sides; i++) {
        char head[160];
        snprintf(head, sizeof head, "%lld %s", (long long)c->run[i].id, c->run[i].name);
        canvas_field(canvas, 0, from + (int)i * width, width - 1, ALIGN_LEFT, run_style(c->run[i].id),
                     head);
    }
}

typedef struct Lead { /* of one run over another, by what both were judged by */
    size_t ahead, behind; /* sides */
    const Metric *metric;
    bool tested;
    double gap;
} Lead;

static double result_of(const RunsState *s, const RunCompare *c, size_t side, bool tested)
{
    const RunFacts *f = book_find(&s->book, c->run[side].id);
    return !f ? (double)NAN : tested ? f->test : f->valid;
}

/* Of the best over the one next to it. False: they were not judged by the same. */
static bool find_lead(const RunsState *s, const RunCompare *c, Lead *out)
{
    const RunFacts *first = book_find(&s->book, c->run[0].id);
    *out = (Lead){.metric = first ? first->main : NULL, .tested = true, .ahead = SIZE_MAX, .behind = SIZE_MAX};
    for (size_t i = 0; i < c->sides; i++) {
        const RunFacts *f = book_find(&s->book, c->run[i].id);
        if (!f || f->main != out->metric)
            return false;
        out->tested = out->tested && isfinite(f->test);
    }
    double best[2] = {INFINITY, INFINITY}; /* the smaller the better */
    for (size_t i = 0; i < c->sides; i++) {
        double v = result_of(s, c, i, out->tested) * (out->metric->larger_is_better ? -1 : 1);
        if (v < best[0]) {
            best[1] = best[0];
            out->behind = out->ahead;
            best[0] = v;
            out->ahead = i;
        } else if (v < best[1]) {
            best[1] = v;
            out->behind = i;
        }
    }
    out->gap = best[1] - best[0];
    return out->behind != SIZE_MAX;
}

/* Is what the best run is ahead by more than another seed would make? */
static void draw_verdict(const RunsState *s, const RunCompare *c, const Canvas *canvas, int row)
{
    Lead lead;
    Text text = {0};
    Style style = STYLE_DIM;
    if (!find_lead(s, c, &lead))
        return;
    const RunField *f = runs_field(s, lead.tested ? "test" : "validation");
    double noise = f ? runs_seed_noise(s, &c->run[lead.ahead], f) : (double)NAN, apart = 1.96 * sqrt(2.0) * noise;
    if (lead.gap > 0)
        text_printf(&text, "%lld is ahead of %lld by %.3g in %s %s: ", (long long)c->run[lead.ahead].id,
                    (long long)c->run[lead.behind].id, lead.gap, lead.tested ? "test" : "validation", lead.metric->name);
    if (lead.gap == 0) {
        text_printf(&text, "%lld and %lld have the same %s %s", (long long)c->run[lead.ahead].id,
                    (long long)c->run[lead.behind].id, lead.tested ? "test" : "validation", lead.metric->name);
    } else if (strcmp(c->run[lead.ahead].dataset, c->run[lead.behind].dataset) != 0) {
        text_puts(&text, "not the same rows, which may be easier");
    } else if (isnan(noise)) {
        text_puts(&text, "by chance? Not known, no set-up on this table was run with two seeds");
    } else {
        text_printf(&text, "%s seed noise (up to %.2g)", lead.gap < apart ? "within" : "more than", apart);
        style = lead.gap < apart ? STYLE_WARN : STYLE_GOOD;
    }
    canvas_field(canvas, row, 0, canvas->cols, ALIGN_LEFT, style, text_str(&text));
    text_release(&text);
}

static void draw_side_by_side(const RunsState *s, const RunCompare *c, const Canvas *whole, size_t top)
{
    bool verdict = whole->rows > 4;
    if (verdict)
        draw_verdict(s, c, whole, whole->rows - 1);
    Canvas rest = canvas_part(whole, 0, 0, whole->rows - (verdict ? 1 : 0), whole->cols), *canvas = &rest;
    int what = what_width(c, canvas->cols / 3) + 2;
    int width = (canvas->cols - what) / (int)c->sides;
    canvas_field(canvas, 0, 0, what - 1, ALIGN_LEFT, STYLE_HEADER, "what differs");
    draw_heads(c, canvas, what, width);
    Canvas body = canvas_part(canvas, 1, 0, canvas->rows - 1, canvas->cols);
    for (size_t i = top; i < c->row.count && (int)(i - top) < body.rows; i++) {
        const CompareRow *row = &c->row.at[i];
        int at = (int)(i - top);
        canvas_field(&body, at, 0, what - 1, ALIGN_LEFT, row->metric ? STYLE_INFO : STYLE_DIM,
                     row->what);
        for (size_t side = 0; side < c->sides; side++)
            draw_cell(row, side, &body, at, what + (int)side * width, width - 1);
    }
    if (c->same && (int)(c->row.count - top) < body.rows)
        canvas_printf(&body, (int)(c->row.count - top), 0, STYLE_DIM, "%zu settings and results are the same", c->same);
}

/* Why a run failed is the first of its results. Returns the row after it. */
static int draw_reason(const RunRow *run, const Canvas *canvas, int at)
{
    if (run->status != RUN_FAILED || !run->message || !*run->message)
        return at;
    return at + canvas_wrap(canvas, at, 0, canvas->cols, STYLE_BAD, run->message) + 1;
}

/* One run: facts and hyperparameters at the left, metrics in the middle, what happened at the right. */
static void draw_part(const RunCompare *c, const Canvas *canvas, bool results, size_t top,
                      const char *title)
{
    int what = widest_of(c, results, 12, canvas->cols - 14) + 1, at = 1;
    size_t skipped = 0;
    canvas_put(canvas, 0, 0, STYLE_HEADER, title);
    if (results)
        at = draw_reason(&c->run[0], canvas, at);
    for (size_t i = 0; i < c->row.count; i++) {
        const CompareRow *row = &c->row.at[i];
        if (row->metric != results || skipped++ < top)
            continue;
        canvas_field(canvas, at, 0, what - 1, ALIGN_LEFT, STYLE_DIM, row->what);
        draw_cell(row, 0, canvas, at, what, canvas->cols - what);
        if (++at >= canvas->rows)
            return;
    }
    if (results && at == 1)
        canvas_put(canvas, at, 0, STYLE_DIM, "none yet");
}

static void draw_events(const RunCompare *c, const Canvas *canvas)
{
    canvas_put(canvas, 0, 0, STYLE_HEADER, "What happened");
    size_t room = canvas->rows > 1 ? (size_t)canvas->rows - 1 : 0;
    size_t from = c->events > room ? c->events - room : 0;
    for (size_t i = from; i < c->events; i++) {
        const EventRow *e = &c->event[i];
        int at = (int)(i - from) + 1;
        canvas_printf(canvas, at, 0, STYLE_DIM, "%7lld", (long long)e->step);
        canvas_field(canvas, at, 8, 10, ALIGN_LEFT, STYLE_EVENT, e->kind);
        canvas_field_n(canvas, at, 19, canvas->cols - 19, ALIGN_LEFT, STYLE_PLAIN, e->text,
                       strcspn(e->text, "\n"));
    }
}

size_t run_compare_lines(const RunCompare *c)
{
    return c ? c->row.count + 2 : 0;
}

void run_compare_draw(const RunsState *s, const Canvas *canvas)
{
    const RunCompare *c = s->compare;
    size_t top = s->detail_top;
    if (!c || !c->sides)
        return;
    if (c->sides > 1) {
        draw_side_by_side(s, c, canvas, top);
        return;
    }
    bool wide = canvas->cols >= 100;
    int parts = wide ? 3 : 2, width = canvas->cols / parts;
    Canvas left = canvas_part(canvas, 0, 0, canvas->rows, width - 1);
    Canvas middle = canvas_part(canvas, 0, width, canvas->rows, width - 1);
    Canvas right = canvas_part(canvas, 0, 2 * width, canvas->rows, canvas->cols - 2 * width);
    draw_part(c, &left, false, top, "Set up");
    draw_part(c, &middle, true, 0, "Results");
    if (wide)
        draw_events(c, &right);
}
