/* screen_int.h -- the grid, shared by screen.c (which shows it) and canvas.c (which draws on it). */
#ifndef LATHE_TUI_SCREEN_INT_H
#define LATHE_TUI_SCREEN_INT_H

#include "screen.h"

typedef struct GridCell {
    uint32_t code;    /* code point; 0: right half of a wide character */
    uint32_t mark[2]; /* combining characters on it; 0 none */
    Style style;
} GridCell;

typedef struct Grid {
    int rows, cols;
    GridCell *cell;  /* [rows][cols] being drawn */
    GridCell *shown; /* what the terminal shows */
    bool unicode;
    int dots;        /* ScreenDots: what curves are made of */
    int cursor_row, cursor_col; /* -1: hidden */
    VEC(Zone) zones;
} Grid;

Grid *screen_grid(Screen *s);

/* Codes for the marks around pasted text, behind those that curses has. */
#define CURSES_PASTE_BEGIN (KEY_MAX + 1)
#define CURSES_PASTE_END   (KEY_MAX + 2)

#endif
