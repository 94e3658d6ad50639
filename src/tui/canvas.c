/* canvas.c -- text, lines and boxes on the grid of the screen. */
#include "canvas.h"
#include "screen_int.h"

#include <stdio.h>
#include <string.h>

static const char *const glyphs[][2] = {
#define AS_PAIR(name, text, ascii) {text, ascii},
    GLYPHS(AS_PAIR)
#undef AS_PAIR
};

/* For text that is not ours: what it becomes where only ASCII can be shown. */
static uint32_t plain_code(uint32_t c)
{
    static const struct {
        uint32_t from, to;
        char as;
    } ranges[] = {{0x2500, 0x2501, '-'},  {0x2502, 0x2503, '|'}, {0x2504, 0x257f, '+'},
                  {0x2580, 0x2587, '#'},  {0x2588, 0x2590, '#'}, {0x2594, 0x2595, '|'},
                  {0x2591, 0x2593, ':'},  {0x2800, 0x2800, ' '}, {0x2801, 0x28ff, '*'},
                  {0x2018, 0x2019, '\''}, {0x201c, 0x201d, '"'}, {0x2010, 0x2015, '-'},
                  {0x2190, 0x2190, '<'},  {0x2192, 0x2192, '>'}, {0x00b7, 0x00b7, '.'},
                  {0x2026, 0x2026, '~'},  {0x00d7, 0x00d7, 'x'}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return (uint32_t)ranges[i].as;
    for (size_t i = 0; i < GLYPH_COUNT;
         i++) { /* one of our own in a text: the first of its letters */
        const char *text = glyphs[i][0];
        if (utf8_next(&text, text + strlen(text)) == c)
            return (uint32_t)(unsigned char)glyphs[i][1][0];
    }
    return '?';
}

bool canvas_unicode(const Canvas *c)
{
    return screen_grid(c->screen)->unicode;
}

int canvas_dots(const Canvas *c)
{
    return screen_grid(c->screen)->dots;
}

const char *glyph(const Canvas *c, Glyph g)
{
    return glyphs[g][canvas_unicode(c) ? 0 : 1];
}

const char *glyph_spinner(const Canvas *c, double now)
{
    static const char *const dots[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
    static const char *const sticks[] = {"|", "/", "-", "\\"};
    unsigned long beat = (unsigned long)(now * 5); /* each turn goes over the wire */
    return canvas_dots(c) == DOTS_BRAILLE ? dots[beat % 10] : sticks[beat % 4];
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

Canvas canvas_part(const Canvas *c, int row, int col, int rows, int cols)
{
    Canvas p = *c;
    p.row = c->row + row;
    p.col = c->col + col;
    p.rows = most(0, rows);
    p.cols = most(0, cols);
    p.top = most(c->top, p.row);
    p.left = most(c->left, p.col);
    p.bottom = least(c->bottom, p.row + p.rows);
    p.right = least(c->right, p.col + p.cols);
    return p;
}

/* One cell, clipped; tears the wide characters it covers half of. */
static void put_cell(const Canvas *c, int row, int col, const GridCell *cell, int width)
{
    Grid *g = screen_grid(c->screen);
    int y = c->row + row, x = c->col + col;
    if (y < c->top || y >= c->bottom || x < c->left || x + width > c->right)
        return;
    GridCell *at = g->cell + (size_t)y * (size_t)g->cols + (size_t)x;
    if (at->code == 0 && x > 0)
        at[-1].code = ' ', at[-1].mark[0] = 0;
    if (x + width < g->cols && at[width].code == 0)
        at[width].code = ' ', at[width].style = at->style;
    *at = *cell;
    if (width == 2)
        at[1] = (GridCell){.code = 0, .style = cell->style};
}

void canvas_char(const Canvas *c, int row, int col, Style style, uint32_t code)
{
    if (code > 126 && !canvas_unicode(c))
        code = plain_code(code);
    put_cell(c, row, col, &(GridCell){.code = code, .style = style}, 1);
}

void canvas_fill_part(const Canvas *c, int row, int col, int rows, int cols, Style style)
{
    Grid *g = screen_grid(c->screen);
    Canvas p = canvas_part(c, row, col, rows, cols);
    int width = p.right - p.left;
    if (width <= 0)
        return;
    for (int y = p.top; y < p.bottom; y++) {
        GridCell *at = g->cell + (size_t)y * (size_t)g->cols + (size_t)p.left;
        if (at->code == 0 && p.left > 0) /* halves of wide characters at the edges */
            at[-1].code = ' ', at[-1].mark[0] = 0;
        if (p.right < g->cols && at[width].code == 0)
            at[width].code = ' ';
        for (int x = 0; x < width; x++)
            at[x] = (GridCell){.code = ' ', .style = style};
    }
}

void canvas_fill(const Canvas *c, Style style)
{
    canvas_fill_part(c, 0, 0, c->rows, c->cols, style);
}

/* Width of one code point as the grid keeps it. */
static int code_width(uint32_t code)
{
    if (code < 0x300)
        return 1;
    char bytes[5] = {0};
    int n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    bytes[0] = (char)(n == 2 ? 0xc0 | code >> 6 : n == 3 ? 0xe0 | code >> 12 : 0xf0 | code >> 18);
    for (int i = 1; i < n; i++)
        bytes[i] = (char)(0x80 | (code >> 6 * (n - 1 - i) & 0x3f));
    return (int)utf8_width(bytes, (size_t)n);
}

/* Terminals do not agree how wide letters are that join to one: some draw a family of three in two columns, some in
 * six. What joins them is left out, so that each stands for itself, and of a colour of the skin its two columns. */
static bool joins(uint32_t code)
{
    return code == 0x200b || code == 0xfeff || code == 0x200d || code == 0xfe0f;
}

static bool colours(uint32_t code, const GridCell *last)
{
    return code >= 0x1f3fb && code <= 0x1f3ff && last->code >= 0x2600;
}

/* Draws text up to `width` columns; returns columns taken. */
static int put_text(const Canvas *c, int row, int col, int width, Style style, const char *text,
                    size_t n)
{
    Grid *g = screen_grid(c->screen);
    const char *s = text, *end = text + n;
    int x = 0;
    GridCell last = {0};
    int last_x = -1, last_width = 0;
    while (s < end) {
        uint32_t code = utf8_next(&s, end);
        if (code < 32 || (code >= 0x7f && code < 0xa0))
            code = code == '\t' ? ' ' : g->unicode ? 0xb7 : '.';
        int w = code_width(code);
        if (w > 0 && code > 126 && !g->unicode)
            code = plain_code(code);
        if (w == 0) {
            if (last_x >= 0 && g->unicode && !joins(code)) {
                last.mark[last.mark[0] ? 1 : 0] = code;
                put_cell(c, row, col + last_x, &last, last_width);
            }
            continue;
        }
        if (x + w > width)
            break;
        if (colours(code, &last)) {
            GridCell blank = {.code = ' ', .style = style};
            put_cell(c, row, col + x++, &blank, 1);
            put_cell(c, row, col + x++, &blank, 1);
            continue;
        }
        last = (GridCell){.code = code, .style = style};
        last_x = x;
        last_width = w;
        put_cell(c, row, col + x, &last, w);
        if (w == 2 && !g->unicode)
            put_cell(c, row, col + x + 1, &last, 1);
        x += w;
    }
    return x;
}

int canvas_put_n(const Canvas *c, int row, int col, Style style, const char *text, size_t n)
{
    return put_text(c, row, col, most(0, c->cols - col), style, text, n);
}

int canvas_put(const Canvas *c, int row, int col, Style style, const char *text)
{
    return canvas_put_n(c, row, col, style, text, strlen(text));
}

int canvas_printf(const Canvas *c, int row, int col, Style style, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return canvas_put(c, row, col, style, text);
}

int canvas_field_n(const Canvas *c, int row, int col, int width, Align align, Style style,
                   const char *text, size_t n)
{
    if (width <= 0)
        return 0;
    canvas_fill_part(c, row, col, 1, width, style);
    /* no need to measure a megabyte that is cut after ten columns */
    size_t look = n < (size_t)width * 16 + 64 ? n : (size_t)width * 16 + 64;
    int w = (int)utf8_width(text, look);
    if (w > width || look < n) {
        size_t fit = utf8_fit(text, look, (size_t)(width - 1));
        int x = put_text(c, row, col, width - 1, style, text, fit);
        put_text(c, row, col + x, 1, style, glyph(c, GLYPH_ELLIPSIS),
                 strlen(glyph(c, GLYPH_ELLIPSIS)));
        return width;
    }
    int indent = align == ALIGN_LEFT ? 0 : align == ALIGN_RIGHT ? width - w : (width - w) / 2;
    put_text(c, row, col + indent, width - indent, style, text, n);
    return width;
}

int canvas_field(const Canvas *c, int row, int col, int width, Align align, Style style,
                 const char *text)
{
    return canvas_field_n(c, row, col, width, align, style, text, strlen(text));
}

int canvas_wrap(const Canvas *c, int row, int col, int width, Style style, const char *text)
{
    int rows = 0;
    if (width <= 0)
        return 0;
    for (const char *s = text; *s;) {
        size_t line = strcspn(s, "\n"), fit = utf8_fit(s, line, (size_t)width);
        if (fit < line) {
            size_t cut = fit;
            while (cut > 0 && s[cut] != ' ')
                cut--;
            fit = cut ? cut : fit ? fit : 1;
        }
        put_text(c, row + rows++, col, width, style, s, fit);
        s += fit;
        if (*s == '\n')
            s++;
        else
            while (*s == ' ')
                s++;
    }
    return rows;
}

void canvas_hline(const Canvas *c, int row, int col, int cols, Style style)
{
    for (int i = 0; i < cols; i++)
        canvas_char(c, row, col + i, style, 0x2500);
}

void canvas_vline(const Canvas *c, int row, int col, int rows, Style style)
{
    for (int i = 0; i < rows; i++)
        canvas_char(c, row + i, col, style, 0x2502);
}

Canvas canvas_box(const Canvas *c, Style border, const char *title, const char *note)
{
    int bottom = c->rows - 1, right = c->cols - 1;
    if (bottom < 1 || right < 1)
        return canvas_part(c, 0, 0, 0, 0);
    canvas_hline(c, 0, 1, right - 1, border);
    canvas_hline(c, bottom, 1, right - 1, border);
    canvas_vline(c, 1, 0, bottom - 1, border);
    canvas_vline(c, 1, right, bottom - 1, border);
    canvas_char(c, 0, 0, border, 0x256d);
    canvas_char(c, 0, right, border, 0x256e);
    canvas_char(c, bottom, 0, border, 0x2570);
    canvas_char(c, bottom, right, border, 0x256f);
    int used = 2;
    if (title && *title && right > 6) {
        Style ink = (border & ~0xffu) | STYLE_TITLE;
        int w = (int)utf8_width(title, strlen(title));
        int beside = right - 8 - (note ? (int)utf8_width(note, strlen(note)) : 0);
        w = least(w, beside >= 16 ? beside : right - 5); /* a long title leaves the note its room */
        canvas_put(c, 0, 2, border, " ");
        canvas_field(c, 0, 3, w, ALIGN_LEFT, ink, title);
        canvas_put(c, 0, 3 + w, border, " ");
        used = 4 + w;
    }
    if (note && *note) {
        int w = (int)utf8_width(note, strlen(note));
        if (right - w - 3 > used) {
            Style ink = (border & ~0xffu) | STYLE_DIM;
            canvas_put(c, 0, right - w - 3, border, " ");
            canvas_put(c, 0, right - w - 2, ink, note);
            canvas_put(c, 0, right - 2, border, " ");
        }
    }
    return canvas_part(c, 1, 1, c->rows - 2, c->cols - 2);
}

void canvas_restyle(const Canvas *c, int row, int col, int cols, Style style)
{
    Grid *g = screen_grid(c->screen);
    int y = c->row + row;
    for (int i = 0; i < cols; i++) {
        int x = c->col + col + i;
        if (y >= c->top && y < c->bottom && x >= c->left && x < c->right)
            g->cell[(size_t)y * (size_t)g->cols + (size_t)x].style = style;
    }
}

void canvas_cursor(const Canvas *c, int row, int col)
{
    Grid *g = screen_grid(c->screen);
    int y = c->row + row, x = c->col + col;
    if (y >= c->top && y < c->bottom && x >= c->left && x < c->right)
        g->cursor_row = y, g->cursor_col = x;
}

void canvas_zone(const Canvas *c, int row, int col, int rows, int cols, int id, int64_t index)
{
    Canvas p = canvas_part(c, row, col, rows, cols);
    if (p.bottom > p.top && p.right > p.left)
        vec_add(&screen_grid(c->screen)->zones,
                (Zone){p.top, p.left, p.bottom - p.top, p.right - p.left, id, index});
}
