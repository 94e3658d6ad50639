/* chart_int.h -- a plot while it is drawn, shared by chart.c (curves) and chart_axes.c (what is round them). */
#ifndef LATHE_TUI_CHART_INT_H
#define LATHE_TUI_CHART_INT_H

#include "chart.h"

typedef struct Plot {
    const Chart *chart;
    double x0, x1, y0, y1;     /* in the space of the axes: logs if they are logarithmic */
    int top, left, rows, cols; /* cells of the plot in the canvas */
    int dx, dy;                /* dots in a cell */
    bool any;
} Plot;
#define PLOT_LABELS 7 /* columns of the numbers beside the y axis */

double plot_x(const Plot *p, double x); /* in dots, fractional */
double plot_y(const Plot *p, double y);

/* chart_axes.c */
void plot_axes(const Plot *p, const Canvas *c);
void plot_ticks(const Plot *p, const Canvas *c);      /* their lines, under the curves */
void plot_tick_words(const Plot *p, const Canvas *c); /* over them */
typedef enum PlotLine { LINE_NONE, LINE_TICK, LINE_CROSS } PlotLine;
void plot_lines(const Plot *p, PlotLine *line);       /* [cols], zeroed: where ticks and crosshair stand */
void plot_cross(const Plot *p, const Canvas *c);
void plot_legend(const Plot *p, const Canvas *c);

#endif
