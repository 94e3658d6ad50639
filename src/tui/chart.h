/* chart.h -- numbers as pictures: curves, histograms, bars, sparks. Functions of a canvas and arrays;
 * they know nothing else.
 *
 * Curves are drawn in braille (2 x 4 dots a cell), in halves of a cell on the Linux console, or in ASCII where
 * the terminal has no Unicode; :set charts chooses. NaN is a
 * gap. Many points on one column of dots are drawn as the span from their least to their most, so a
 * spike is never lost. x must ascend. */
#ifndef LATHE_TUI_CHART_H
#define LATHE_TUI_CHART_H

#include "canvas.h"

typedef struct ChartSeries {
    const char *name; /* for the legend; NULL: not there */
    Style style;
    const double *x, *y; /* [n], borrowed */
    size_t n;
    bool dots;  /* points only, not joined */
    bool faint; /* drawn first, under the others (raw points behind a smooth curve) */
    uint32_t mark; /* with dots: each point as this character; 0: as a dot of braille */
} ChartSeries;

typedef struct ChartTick { /* something that happened at x */
    double x;
    const char *label; /* short; shown at the top where there is room */
    Style style;       /* 0: STYLE_EVENT */
} ChartTick;

typedef struct Chart {
    const char *title;  /* upper left; NULL none */
    const char *x_name; /* "step", "epoch": at the right end of the axis */
    const ChartSeries *series;
    size_t count;
    const ChartTick *ticks;
    size_t tick_count;
    double x_low, x_high; /* both 0: from the data */
    double y_low, y_high; /* both 0: from the data; outliers of a curve stay in */
    bool y_log, x_log;    /* values <= 0 are gaps */
    bool y_zero;          /* the axis includes 0 */
    bool has_cross;
    double cross; /* a crosshair at x, with every curve's value in the legend */
    bool no_legend, no_grid;
    bool bare; /* no axes: the plot has the whole canvas */
    bool x_clock; /* x is seconds since 1970: the axis says the time of day */
    const char *empty; /* what to say when there are no points */
    /* Of charts in files: what x = 0, 1, ... are called, and upright bars instead of curves. */
    const char *const *words;
    size_t word_count;
    bool bars;
} Chart;

void chart_draw(const Canvas *c, const Chart *chart);
/* x of a column of the plot in a canvas of this size (its screen may be NULL), for mouse and crosshair. */
double chart_x_at(const Canvas *c, const Chart *chart, int col);
/* The x of the data next to x in a direction (-1, +1), 0: the nearest; for stepping a crosshair. */
double chart_x_step(const Chart *chart, double x, int direction);
/* The series' value at the point nearest to x; NaN if none. */
double chart_value_at(const ChartSeries *s, double x);

/* Upright bars over the whole canvas, eighths of a cell, with low and high under them (numeric) if rows
 * >= 3. `value` need not sum to anything; the highest fills the canvas. */
typedef struct Histogram {
    const double *value;
    size_t bins;
    const double *value2; /* a second distribution over the same bins (after, current), or NULL */
    double low, high;     /* of the axis; both 0: no numbers */
    Style style, style2;  /* 0: STYLE_BAR; with value2 STYLE_BEFORE and STYLE_AFTER */
} Histogram;
void chart_histogram(const Canvas *c, const Histogram *h);
/* Words with bars: before and after beside each other. name[i] borrowed. */
typedef struct WordBars {
    size_t count;
    const char *const *name;
    const double *value, *value2; /* value2 NULL: one bar each */
    Style style, style2;
    bool figures;                 /* the values are numbers of any kind; else shares, told in percent */
} WordBars;
void chart_words(const Canvas *c, const WordBars *w);

/* One row high, `width` columns: ▁▂▃▅▇. NaN is a blank. */
void chart_spark(const Canvas *c, int row, int col, int width, Style style, const double *value,
                 size_t n);
/* A bar of `width` columns, `share` (0..1) of it full, in eighths. */
void chart_bar(const Canvas *c, int row, int col, int width, double share, Style full, Style rest);

/* A number as an axis shows it: 3 to 4 digits, 12.3k, 1e-05. */
void chart_number(double v, Text *into);

/* A number as prose and tables show it: so many digits that count, all of them before the point (41647, not
 * 4.165e+04) up to ten million, where chart_number takes over. Nothing for NaN. */
void chart_figure(double v, int digits, Text *into);
/* An estimate of what is left: up to the next 5 s, from 10 minutes on to the next minute. Seconds that come and go
 * say nothing, and each goes over the wire. */
void chart_seconds_left(double v, Text *into);

#endif
