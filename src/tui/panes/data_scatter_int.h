/* data_scatter_int.h -- two columns against each other: what the files of the scatter view share. */
#ifndef LATHE_TUI_DATA_SCATTER_INT_H
#define LATHE_TUI_DATA_SCATTER_INT_H

#include "data_int.h"

#define SCATTER_LEFT 10 /* columns of the axis */

typedef struct Scatter {
    size_t x, y;          /* columns of the dataset */
    Density asked, shown; /* shown: cells in the arena; width 0: not there yet */
    Arena arena;
    uint64_t most;
    bool sampled;   /* the first picture; the exact one is on its way */
    bool failed;    /* it was said why; no other try by itself */
    int at_x, at_y; /* crosshair, cells of the grid */
    int cols, rows; /* of the plot, from the last layout */
} Scatter;

bool scatter_has_cross(const Scatter *p);
double scatter_edge(double least, double most, int i, int n); /* lower edge of cell i of n */

/* data_scatter_draw.c */
void scatter_title(const DataState *s, const Canvas *c, Text *title, Text *note);
void scatter_draw(const DataState *s, const Canvas *in, bool active, const Ui *ui);

#endif
