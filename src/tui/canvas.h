/* canvas.h -- a rectangle to draw on. It clips, speaks in styles and measures text in columns.
 *
 * A Canvas is a value: cut it (canvas_part) and hand the pieces on; nothing is freed. Rows and
 * columns count from 0 at its upper left corner; what falls outside is not drawn. Text is UTF-8;
 * control characters are shown as a dot; without UTF-8 in the terminal the lines, braille dots and
 * arrows of `glyph` become ASCII.
 *
 *     canvas_fill(c, STYLE_PLAIN);
 *     Canvas left = canvas_part(c, 0, 0, c->rows, 24);
 *     Canvas in = canvas_box(&left, STYLE_BORDER, "Datasets", NULL);
 *     canvas_field(&in, 0, 0, in.cols, ALIGN_LEFT, STYLE_PLAIN, row->name);
 */
#ifndef LATHE_TUI_CANVAS_H
#define LATHE_TUI_CANVAS_H

#include "style.h"

#include <lathe/base.h>

typedef struct Screen Screen; /* the terminal; screen.h, for the core only */

typedef struct Canvas {
    Screen *screen;
    int row, col;                 /* of its corner on the screen */
    int rows, cols;               /* its size, never negative */
    int top, left, bottom, right; /* clip, on the screen; bottom and right are outside */
} Canvas;

typedef enum Align { ALIGN_LEFT, ALIGN_RIGHT, ALIGN_CENTRE } Align;

Canvas canvas_part(const Canvas *c, int row, int col, int rows, int cols); /* cut to c */
void canvas_fill(const Canvas *c, Style style);                            /* blanks everywhere */
void canvas_fill_part(const Canvas *c, int row, int col, int rows, int cols, Style style);

/* All return the number of columns the text took. */
int canvas_put(const Canvas *c, int row, int col, Style style, const char *text);
int canvas_put_n(const Canvas *c, int row, int col, Style style, const char *text, size_t n);
int canvas_printf(const Canvas *c, int row, int col, Style style, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
/* Exactly `width` columns: padded with blanks, or cut with an ellipsis. */
int canvas_field(const Canvas *c, int row, int col, int width, Align align, Style style,
                 const char *text);
int canvas_field_n(const Canvas *c, int row, int col, int width, Align align, Style style,
                   const char *text, size_t n);
/* Text broken at blanks to the width of c from row on; returns the rows it took. */
int canvas_wrap(const Canvas *c, int row, int col, int width, Style style, const char *text);
void canvas_char(const Canvas *c, int row, int col, Style style, uint32_t code);
void canvas_hline(const Canvas *c, int row, int col, int cols, Style style);
void canvas_vline(const Canvas *c, int row, int col, int rows, Style style);
/* A frame with a title in its upper edge (and a note at the right of it; both may be NULL).
 * Returns what is inside. */
Canvas canvas_box(const Canvas *c, Style border, const char *title, const char *note);
/* The style of what is there already, changed under text (a cursor row drawn last). */
void canvas_restyle(const Canvas *c, int row, int col, int cols, Style style);
void canvas_cursor(const Canvas *c, int row, int col); /* show the terminal's cursor here */

/* Where a click means something: on_mouse of the pane (or the overlay) hears of it with this id
 * and index. Later zones lie on top of earlier ones. */
void canvas_zone(const Canvas *c, int row, int col, int rows, int cols, int id, int64_t index);

/* ---- glyphs: one list, with what stands for them in ASCII ---------------------------------------- */
// clang-format off
#define GLYPHS(X) \
    X(ELLIPSIS, "…", "~") X(DOT, "·", ".") X(BULLET, "●", "*") X(RING, "○", "o")                    \
    X(CHECK, "✓", "+") X(CROSS, "✗", "x") X(RIGHT, "▸", ">") X(DOWN, "▾", "v") X(LEFT, "◂", "<")    \
    X(ARROW, "→", "->") X(UP, "▴", "^") X(TARGET, "◎", "@") X(CLOCK, "◷", "t") X(KEY, "#", "#")     \
    X(IGNORE, "⊘", "-") X(FEATURE, "•", "+") X(STAR, "★", "*") X(PAUSE, "‖", "=")  X(STOP, "■", "#")\
    X(BLOCK, "█", "#") X(SHADE, "░", ".") X(HALF, "▌", "#") X(DIAMOND, "◆", "*") X(BAR, "│", "|")   \
    X(DELTA, "Δ", "d") X(TIMES, "×", "x") X(NULL_, "∅", "-") X(MARK, "▎", "|") X(ENTER, "↵", "Enter") \
    X(PLUSMINUS, "±", "+-") X(APPROX, "≈", "~") X(LE, "≤", "<=") X(GE, "≥", ">=")
// clang-format on
#define AS_ENUM(name, text, ascii) GLYPH_##name,
typedef enum Glyph { GLYPHS(AS_ENUM) GLYPH_COUNT } Glyph;
#undef AS_ENUM
const char *glyph(const Canvas *c, Glyph g);
bool canvas_unicode(const Canvas *c); /* false: ASCII only */
int canvas_dots(const Canvas *c);     /* ScreenDots, never DOTS_AUTO: what curves are made of */
const char *glyph_spinner(const Canvas *c, double now);

#endif
