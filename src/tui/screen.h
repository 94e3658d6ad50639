/* screen.h -- the terminal: a grid of cells drawn into, compared, and handed to curses. For the core.
 *
 * The only file that includes curses is screen.c. One Screen at a time: the terminal is one. */
#ifndef LATHE_TUI_SCREEN_H
#define LATHE_TUI_SCREEN_H

#include "canvas.h"
#include "keys.h"
#include "theme.h"

typedef struct Zone {
    int row, col, rows, cols, id;
    int64_t index;
} Zone;

typedef struct ScreenMouse {
    int row, col;
    int kind; /* MouseKind */
} ScreenMouse;

enum { SCREEN_ESCAPE_MS = 5 };  /* unless the user wants another */
#define SCREEN_ESCAPE_TEXT "5"

typedef enum InputKind { INPUT_NONE, INPUT_KEY, INPUT_MOUSE } InputKind;
typedef struct Input {
    InputKind kind;
    Key key;
    ScreenMouse mouse;
} Input;

Screen *screen_open(Error *err); /* takes the terminal over */
Screen *screen_open_nowhere(int rows, int cols, Error *err); /* drawn and never shown; no keys come */
bool screen_is_terminal(const Screen *s);
void screen_row_text(const Screen *s, int row, Text *into); /* as last shown */
void screen_lend(Screen *s); /* the terminal to another program, */
void screen_back(Screen *s); /* and back */
void screen_close(Screen *s);    /* and gives it back */
void screen_theme(Screen *s, const Theme *t);
int screen_rows(const Screen *s);
int screen_cols(const Screen *s);
const char *screen_colours(const Screen *s); /* "truecolor", "256", "16", "mono" */
void screen_resized(Screen *s);              /* after SIGWINCH: take the new size */
void screen_redraw(Screen *s);               /* all cells anew at the next screen_show */
void screen_suspend(Screen *s);              /* to the shell and back */
/* INPUT_NONE: no more. Waits only after an Esc, for what may follow if it begins a key's sequence. */
Input screen_input(Screen *s);
/* What curves are made of: 2 x 4 dots a cell, halves of a cell, or letters. AUTO: halves on the Linux console, whose
 * fonts have no braille; letters where there is no Unicode. */
typedef enum ScreenDots { DOTS_AUTO, DOTS_BRAILLE, DOTS_BLOCK, DOTS_ASCII } ScreenDots;
void screen_dots(Screen *s, ScreenDots dots);
void screen_escape_wait(Screen *s, int ms);  /* for so long; bytes that came with it are taken at once */

Canvas screen_begin(Screen *s); /* a blank grid; zones and cursor forgotten */
/* What changed goes to the terminal, as far as `most` bytes reach (SIZE_MAX: all). False: something is left for
 * the next time. A screen that is painted anew (the first time, another size, Ctrl-L) goes whole. */
bool screen_show(Screen *s, size_t most);
size_t screen_sent(const Screen *s); /* bytes, ever */
/* The topmost zone at a place, or NULL; zones before `from` do not count (they lie under a dialog). */
const Zone *screen_zone(const Screen *s, int row, int col);
size_t screen_zones(const Screen *s);
void screen_zones_cut(Screen *s); /* forget all so far: what is drawn next lies over them */
void screen_raw(Screen *s, const char *bytes,
                size_t n); /* an escape sequence that moves nothing (OSC) */

/* The read end of the pipe on which signals arrive as bytes (the signal's number), for the loop. */
int screen_signals(const Screen *s);

#endif
