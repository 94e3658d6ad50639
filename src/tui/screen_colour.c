/* screen_colour.c -- from roles to what curses can show.
 *
 * Truecolor without a terminfo entry that has it (most of the world runs xterm-256color): the theme's
 * colours are put into the palette places whose standard colour is nearest, so a terminal that
 * ignores the request still shows something close. curses puts the palette back at the end. */
#include "screen_curses.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GRAY 8 /* of 16; of 8 there is none: bold black cannot be read everywhere */

static bool wants_truecolor(void)
{
    const char *term = getenv("COLORTERM");
    return term && (strstr(term, "truecolor") || strstr(term, "24bit"));
}

Depth screen_depth(void)
{
    const char *none = getenv("NO_COLOR"), *asked = getenv("LATHE_COLORS");
    if ((none && *none) || !has_colors())
        return DEPTH_MONO;
    int most = COLORS;
    if (asked && *asked) {
        int n = atoi(asked);
        if (n < 8)
            return DEPTH_MONO;
        most = n < most ? n : most;
    }
    if (most > 256)
        return DEPTH_DIRECT;
    if (most == 256 && wants_truecolor() && can_change_color() && !(asked && *asked))
        return DEPTH_PALETTE;
    return most >= 256 ? DEPTH_256 : most >= 16 ? DEPTH_16 : DEPTH_8;
}

/* The standard colour of palette place i (16..255). */
static uint32_t palette_rgb(int i)
{
    static const uint32_t level[6] = {0, 95, 135, 175, 215, 255};
    if (i >= 232) {
        uint32_t v = (uint32_t)(8 + 10 * (i - 232));
        return v << 16 | v << 8 | v;
    }
    i -= 16;
    return level[i / 36] << 16 | level[i / 6 % 6] << 8 | level[i % 6];
}

/* Distance as the eye weighs it (the "redmean" formula, compuphase.com/cmetric.htm). */
static double colour_distance(uint32_t a, uint32_t b)
{
    double ra = a >> 16 & 255, rb = b >> 16 & 255, mean = (ra + rb) / 2;
    double dr = ra - rb, dg = (double)(a >> 8 & 255) - (double)(b >> 8 & 255);
    double db = (double)(a & 255) - (double)(b & 255);
    return (2 + mean / 256) * dr * dr + 4 * dg * dg + (2 + (255 - mean) / 256) * db * db;
}

static int nearest_256(const Screen *s, uint32_t rgb, bool free_only)
{
    int best = 16;
    double least = 1e30;
    for (int i = 16; i < 256; i++) {
        double d = colour_distance(rgb, palette_rgb(i));
        if (d < least && !(free_only && s->taken[i]))
            least = d, best = i;
    }
    return best;
}

static int palette_place(Screen *s, uint32_t rgb)
{
    for (int i = 16; i < 256; i++)
        if (s->taken[i] && s->taken_rgb[i] == rgb)
            return i;
    int i = nearest_256(s, rgb, true);
    s->taken[i] = 1;
    s->taken_rgb[i] = rgb;
    init_extended_color(i, (int)lround((rgb >> 16 & 255) * 1000.0 / 255.0),
                        (int)lround((rgb >> 8 & 255) * 1000.0 / 255.0),
                        (int)lround((rgb & 255) * 1000.0 / 255.0));
    return i;
}

static int colour_number(Screen *s, Colour c, int sixteen)
{
    switch (s->depth) {
    case DEPTH_MONO:
        return -1;
    case DEPTH_8:
        return sixteen < 0 ? -1 : sixteen == GRAY ? 7 : sixteen & 7;
    case DEPTH_16:
        return sixteen;
    case DEPTH_256:
        return c == COLOUR_NONE ? -1 : nearest_256(s, c, false);
    case DEPTH_PALETTE:
        return c == COLOUR_NONE ? -1 : palette_place(s, c);
    case DEPTH_DIRECT:
        return c == COLOUR_NONE ? -1 : (int)(c < 8 ? 0 : c);
    }
    return -1;
}

void screen_theme(Screen *s, const Theme *t)
{
    s->theme = *t;
    memset(s->taken, 0, sizeof s->taken);
    memset(s->pair, 0, sizeof s->pair);
    s->pairs = 0;
    for (size_t i = 0; i < STYLE_COUNT; i++) {
        const Look *look = &t->look[i];
        s->fore[i] = colour_number(s, look->fore, look->fore16);
        s->back[i] = colour_number(s, look->back, look->back16);
    }
    s->all = true;
}

static unsigned look_attrs(const Screen *s, size_t role)
{
    const Look *look = &s->theme.look[role];
    if (s->depth == DEPTH_MONO)
        return look->attrs_mono;
    unsigned a = look->attrs;
    if (s->depth == DEPTH_8 && look->fore16 > GRAY)
        a |= ATTR_BOLD;
    if (s->depth <= DEPTH_16) /* reverse of a pair that has a ground already reads badly */
        a &= ~(unsigned)ATTR_REVERSE;
    return a;
}

static attr_t curses_attrs(unsigned a)
{
    return (a & ATTR_BOLD ? A_BOLD : 0u) | (a & ATTR_DIM ? A_DIM : 0u) |
           (a & ATTR_ITALIC ? A_ITALIC : 0u) | (a & ATTR_UNDERLINE ? A_UNDERLINE : 0u) |
           (a & ATTR_REVERSE ? A_REVERSE : 0u);
}

/* With few colours letters keep the colour that was chosen for the ground they stand on. */
void screen_style(Screen *s, Style style, attr_t *attrs, int *pair)
{
    size_t fore = style & 0xff, back = style >> 8 & 0xff;
    if (fore >= STYLE_COUNT)
        fore = STYLE_PLAIN;
    unsigned a = look_attrs(s, fore);
    if (back) {
        unsigned ground = look_attrs(s, back - 1);
        a = s->depth <= DEPTH_16 ? ground | (a & ATTR_BOLD) : a | (ground & ATTR_REVERSE);
    }
    *attrs = curses_attrs(a);
    int *known = &s->pair[fore][back];
    if (!*known && s->depth != DEPTH_MONO && s->pairs + 1 < COLOR_PAIRS) {
        size_t ink = back && s->depth <= DEPTH_16 && s->back[back - 1] >= 0 ? back - 1 : fore;
        *known = ++s->pairs;
        init_extended_pair(*known, s->fore[ink], s->back[back ? back - 1 : fore]);
    }
    *pair = *known;
}
