/* screen_curses.h -- the terminal as curses has it, shared by screen.c, screen_colour.c and screen_signal.c. */
#ifndef LATHE_TUI_SCREEN_CURSES_H
#define LATHE_TUI_SCREEN_CURSES_H

#include "screen_int.h"
#include "screen_wire.h"

#include <curses.h>

#include <signal.h>

typedef enum Depth { DEPTH_MONO, DEPTH_8, DEPTH_16, DEPTH_256, DEPTH_PALETTE, DEPTH_DIRECT } Depth;

enum { SCREEN_CLICKS = 16 };

struct Screen {
    Grid grid;
    SCREEN *curses;
    FILE *out, *in;
    Wire wire;
    bool terminal; /* else both are nothing */
    WINDOW *window;
    Depth depth;
    Theme theme;
    int fore[STYLE_COUNT], back[STYLE_COUNT]; /* curses' colour numbers */
    unsigned char taken[256];                 /* DEPTH_PALETTE: places that hold a theme colour */
    uint32_t taken_rgb[256];
    int pair[STYLE_COUNT][STYLE_COUNT + 1]; /* 0: not made yet */
    int pairs;
    bool all; /* show every cell */
    int cut;  /* the row at which the last frame was cut, as more was not to be sent */
    bool pasting;
    ScreenMouse click[SCREEN_CLICKS]; /* that came together, newest first */
    int clicks;
    struct sigaction old[NSIG];
};

/* screen_colour.c */
Depth screen_depth(void);                                            /* of this terminal, as the user wants it */
void screen_style(Screen *s, Style style, attr_t *attrs, int *pair); /* as curses draws it */

/* screen_signal.c */
void screen_signals_begin(void);      /* the pipe they arrive on; the terminal as it was found is kept */
void screen_signals_take(Screen *s);
void screen_signals_give(Screen *s);
void screen_signals_end(void);
void screen_taken(bool taken);        /* from here a crash must give the terminal back, or need not */
void screen_stop_here(void);          /* SIGTSTP as the terminal would send it; returns when continued */

#endif
