/* clean_radius.c -- the blast radius of a rule: rows, parts, distributions before and after. */
#include "clean_int.h"

#include <math.h>
#include <string.h>

static void add_share(double share, Text *t)
{
    if (share > 0 && share < 0.001)
        text_puts(t, "<0.1%");
    else
        text_printf(t, share >= 0.0995 || share == 0 ? "%.0f%%" : "%.1f%%", share * 100);
}

#define ROOM_FOR_PARTS 14 /* rows from which the parts have bars of their own */

static Style part_style(Part part)
{
    return part == PART_TRAIN ? STYLE_TRAIN : part == PART_VALID ? STYLE_VALID : STYLE_TEST;
}

/* How many rows it took. */
static int draw_leak(const Preview *p, const Canvas *c, int row)
{
    Text t = {0};
    switch (p->leak) {
    case LEAK_COMPUTED:
        text_printf(&t, "Leak: %s is computed from the target %s; a model would see the answer.", p->leaking, p->target);
        break;
    case LEAK_CHOSEN:
        text_printf(&t, "Leak: rows are chosen by the target %s; the error on those that are left flatters.", p->target);
        break;
    case LEAK_ALIKE:
        text_printf(&t, "Leak? %s goes with the target %s (r %.3f); is it known before the answer?", p->leaking, p->target,
                    p->alike);
        break;
    case LEAK_NONE:
        break;
    }
    int rows = t.count ? canvas_wrap(c, row, 0, c->cols, p->leak == LEAK_ALIKE ? STYLE_WARN : STYLE_BAD, text_str(&t)) : 0;
    text_release(&t);
    return rows;
}

/* What becomes of rows and columns, and of how many. */
static void draw_effect(const Preview *p, const Canvas *c)
{
    uint64_t dropped = p->rows_in - p->rows_out;
    double in = p->rows_in ? (double)p->rows_in : 1, gone = (double)dropped / in;
    Text t = {0};
    int x = 0;
    if (dropped) {
        add_share(gone, &t);
        text_puts(&t, " of the rows dropped");
        x += canvas_put(c, 0, x, gone > 0.2 ? STYLE_BAD : STYLE_WARN, text_str(&t));
    }
    text_reset(&t);
    if (p->touched) {
        text_puts(&t, dropped ? ", " : "");
        add_share((double)p->touched / in, &t);
        text_puts(&t, " of the rows changed");
        x += canvas_put(c, 0, x, STYLE_INFO, text_str(&t));
    }
    if (p->columns_out < p->columns_in)
        x += canvas_printf(c, 0, x, STYLE_WARN, "%s%zu of %zu columns dropped", x ? ", " : "",
                           p->columns_in - p->columns_out, p->columns_in);
    else if (!dropped && !p->touched)
        x += canvas_put(c, 0, x, STYLE_DIM, "touches no row");
    text_reset(&t);
    text_add_count(&t, (double)(dropped ? dropped : p->touched));
    text_puts(&t, " of ");
    text_add_count(&t, (double)p->rows_in);
    if (dropped || p->touched)
        canvas_put(c, 0, x + 2, STYLE_DIM, text_str(&t));
    text_release(&t);
}

/* What that was found in: every row or a sample; old: of the rule as it was. */
static int draw_source(const Preview *p, bool old, const Canvas *c)
{
    Text t = {0};
    text_puts(&t, p->exact ? "every row" : "a sample of ");
    if (!p->exact)
        text_add_count(&t, (double)p->rows_seen);
    if (old)
        text_puts(&t, " ...");
    int cols = canvas_put(c, 1, 0, STYLE_DIM, text_str(&t));
    text_release(&t);
    return cols;
}

static int draw_head(const Preview *p, bool old, const Canvas *c)
{
    bool rows = p->rows_out < p->rows_in || p->touched;
    Text t = {0};
    draw_effect(p, c);
    int x = rows || old || p->columns_out >= p->columns_in ? draw_source(p, old, c) + 2 : 0;
    for (size_t i = 0; i < PART_COUNT && c->rows < ROOM_FOR_PARTS && rows; i++) {
        text_reset(&t);
        text_printf(&t, "%s ", part_name((Part)i));
        add_share(p->part_share[i], &t);
        x += canvas_put(c, 1, x, part_style((Part)i), text_str(&t)) + 2;
    }
    text_release(&t);
    return 2 + draw_leak(p, c, 2) + (c->rows >= ROOM_FOR_PARTS);
}

/* Share of each part's rows: a rule that falls on one part more than on another is suspicious. */
static int draw_parts(const Preview *p, const Canvas *c, int row)
{
    double most = 0;
    for (size_t i = 0; i < PART_COUNT; i++)
        most = fmax(most, p->part_share[i]);
    if (most <= 0)
        return row;
    int width = c->cols - 8 - 8;
    width = width > 40 ? 40 : width;
    for (size_t i = 0; i < PART_COUNT; i++) {
        Text t = {0};
        canvas_put(c, row, 0, STYLE_DIM, part_name((Part)i));
        chart_bar(c, row, 7, width, p->part_share[i], part_style((Part)i), STYLE_BAR_BACK);
        add_share(p->part_share[i], &t);
        canvas_field(c, row, 8 + width, 6, ALIGN_RIGHT, STYLE_NUMBER, text_str(&t));
        text_release(&t);
        row++;
    }
    return row + 1;
}

static void draw_change(const Canvas *c, int row, int *x, const char *name, double before,
                        double after, bool share)
{
    if (!isfinite(before) && !isfinite(after))
        return;
    Text t = {0};
    text_printf(&t, "%s ", name);
    if (share)
        add_share(before, &t);
    else
        chart_number(before, &t);
    if (before != after) {
        text_printf(&t, " %s ", glyph(c, GLYPH_ARROW));
        if (share)
            add_share(after, &t);
        else
            chart_number(after, &t);
    }
    if (*x + (int)utf8_width(text_str(&t), t.count) < c->cols)
        *x += canvas_put(c, row, *x, before != after ? STYLE_PLAIN : STYLE_DIM, text_str(&t)) + 2;
    text_release(&t);
}

static void draw_preview_column(const PreviewColumn *p, const Canvas *c)
{
    int x = canvas_put(c, 0, 0, STYLE_HEADER, p->name) + 2;
    double before = 0;
    for (size_t i = 0; i < PREVIEW_BINS; i++)
        before += p->before[i];
    if (before == 0)
        x += canvas_put(c, 0, x, STYLE_INFO, "new") + 2;
    if (p->numeric && before > 0)
        draw_change(c, 0, &x, "mean", p->mean_before, p->mean_after, false);
    if (p->missing_before > 0 || p->missing_after > 0)
        draw_change(c, 0, &x, "missing", p->missing_before, p->missing_after, true);
    Canvas plot = canvas_part(c, 1, 0, c->rows - 1, c->cols);
    if (p->numeric) {
        size_t bins = p->bins && p->bins <= PREVIEW_BINS ? p->bins : PREVIEW_BINS;
        chart_histogram(&plot, &(Histogram){.value = p->before,
                                            .value2 = p->after,
                                            .bins = bins,
                                            .low = p->low,
                                            .high = p->high});
        return;
    }
    const char *names[PREVIEW_BINS];
    size_t n = p->bins < PREVIEW_BINS ? p->bins : PREVIEW_BINS;
    for (size_t i = 0; i < n; i++)
        names[i] = p->word[i];
    chart_words(&plot,
                &(WordBars){.count = n, .name = names, .value = p->before, .value2 = p->after});
}

/* The columns in a grid: beside each other where there is the width, the rest below. */
static void draw_columns(const Preview *p, const Canvas *in, int row)
{
    size_t across = (size_t)(in->cols / 36), down;
    across = across < 1 ? 1 : across > p->columns ? p->columns : across;
    int room = in->rows - row - 1;
    down = (p->columns + across - 1) / across;
    while (down > 1 && room / (int)down < 6)
        down--;
    size_t shown = across * down < p->columns ? across * down : p->columns;
    if ((room - 1) / (int)down < 3)
        return; /* the numbers above say enough */
    canvas_put(in, row, 0, STYLE_BEFORE, canvas_unicode(in) ? "▒ before" : ": before");
    canvas_put(in, row, 10, STYLE_AFTER, canvas_unicode(in) ? "█ after" : "# after");
    bool tails = false;
    for (size_t i = 0; i < shown; i++)
        tails = tails || p->column[i].tails;
    int at = 20;
    if (shown < p->columns)
        at += canvas_printf(in, row, at, STYLE_DIM, "%zu of %zu columns", shown, p->columns) + 2;
    if (tails)
        canvas_put(in, row, at, STYLE_DIM, "outliers at the rims");
    row++;
    int rows = room / (int)down, cols = in->cols / (int)across;
    rows = rows > 14 ? 14 : rows;
    for (size_t i = 0; i < shown && rows >= 3; i++) {
        size_t y = i / across, x = i % across;
        Canvas part =
            canvas_part(in, row + (int)y * rows, (int)x * cols, rows - (y + 1 < down || rows > 5),
                        cols - (x + 1 < across ? 2 : 0));
        draw_preview_column(&p->column[i], &part);
    }
}

void clean_draw_radius(const CleanState *s, const Canvas *c, const Ui *ui)
{
    const Preview *p = s->preview;
    if (!p) {
        const char *say = s->error.kind != ERROR_NONE && !s->editing ? s->error.text
                          : ui_job_running(ui, s, CLEAN_SAMPLE_SLOT) ? "looking ..."
                          : s->editing
                              ? "What the rule would do to the data is shown here while you type."
                              : "What the rule under the cursor does to the data is shown here.";
        canvas_wrap(c, 1, 1, c->cols - 2,
                    s->error.kind != ERROR_NONE && !s->editing ? STYLE_BAD : STYLE_DIM, say);
        return;
    }
    Canvas in = canvas_part(c, 0, 1, c->rows, c->cols - 2);
    int row = draw_head(p, s->preview_old, &in);
    if (in.rows >= ROOM_FOR_PARTS)
        row = draw_parts(p, &in, row);
    if (!*p->target && in.rows >= ROOM_FOR_PARTS) { /* at the foot */
        canvas_field(&in, in.rows - 1, 0, in.cols, ALIGN_LEFT, STYLE_DIM,
                     "no target, so no leaks are seen (1, s, t)");
        in.rows -= 1;
    }
    if (!p->columns)
        return;
    draw_columns(p, &in, row);
}
