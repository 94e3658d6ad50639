/* theme.h -- from roles to colours, once per theme and terminal.
 *
 * A theme is an INI file NAME.ini in themes/ (see man lathe-themes): a [theme] section with name and
 * about, [styles] with one line a role and [series] with the colours of curves. The dark theme is
 * also compiled in, so a program without its files still has one. */
#ifndef LATHE_TUI_THEME_H
#define LATHE_TUI_THEME_H

#include "style.h"

#include <lathe/base.h>

#define COLOUR_NONE 0xff000000u /* the terminal's own */
typedef uint32_t Colour;        /* 0xRRGGBB or COLOUR_NONE */

typedef enum Attr {
    ATTR_BOLD = 1,
    ATTR_DIM = 2,
    ATTR_ITALIC = 4,
    ATTR_UNDERLINE = 8,
    ATTR_REVERSE = 16
} Attr;

typedef struct Look { /* how a role looks with as many colours as there are */
    Colour fore, back;
    unsigned attrs;
    int fore16, back16; /* 0..15, -1 the terminal's own */
    unsigned attrs_mono;
} Look;

typedef struct Theme {
    char name[32], about[100];
    char path[400]; /* the file it was read from; "" compiled in */
    bool light;
    Look look[STYLE_COUNT];
} Theme;

void theme_builtin(Theme *t);
/* By name from the folders of themes, or by path. "themes/x.ini: line 4: no style 'curser', did you
 * mean cursor?" leaves t as it was. */
bool theme_load(Theme *t, const char *name, Error *err);
/* Names of all themes found, in order; each is passed to add with its one line. */
void theme_list(void (*add)(void *context, const char *name, const char *about), void *context);
const char *style_name(Style role); /* as in theme files */

#endif
