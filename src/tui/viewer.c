/* viewer.c -- text to scroll and search. */
#include "widgets.h"

#include <string.h>
#include <strings.h>

void viewer_release(Viewer *v)
{
    mem_free(v->text);
    vec_release(&v->line);
    *v = (Viewer){0};
}

void viewer_set(Viewer *v, const char *text)
{
    viewer_release(v);
    v->text = text_copy(text);
    size_t n = strlen(v->text);
    while (n && v->text[n - 1] == '\n')
        v->text[--n] = 0;
    vec_add(&v->line, (size_t)0);
    for (size_t i = 0; i < n; i++)
        if (v->text[i] == '\n')
            vec_add(&v->line, i + 1);
}

static size_t most_top(const Viewer *v)
{
    size_t rows = v->rows > 0 ? (size_t)v->rows : 1;
    return v->line.count > rows ? v->line.count - rows : 0;
}

void viewer_layout(Viewer *v, int rows, int cols)
{
    (void)cols;
    v->rows = rows;
    if (v->top > most_top(v))
        v->top = most_top(v);
}

static size_t line_length(const Viewer *v, size_t i)
{
    return strcspn(v->text + v->line.at[i], "\n");
}

static void draw_matches(const Viewer *v, const Canvas *c, int row, const char *s, size_t n)
{
    size_t k = strlen(v->find);
    for (size_t i = 0; k && i + k <= n; i++)
        if (!strncasecmp(s + i, v->find, k))
            canvas_restyle(c, row, (int)utf8_width(s, i) - v->left, (int)utf8_width(s + i, k),
                           STYLE_MATCH);
}

void viewer_draw(const Viewer *v, const Canvas *c)
{
    for (int y = 0; y < c->rows && v->top + (size_t)y < v->line.count; y++) {
        size_t i = v->top + (size_t)y, n = line_length(v, i);
        const char *s = v->text + v->line.at[i];
        size_t skip = utf8_fit(s, n, (size_t)v->left);
        canvas_put_n(c, y, 0, STYLE_POPUP, s + skip, n - skip);
        draw_matches(v, c, y, s, n);
    }
}

Reply viewer_command(Viewer *v, int command)
{
    size_t page = v->rows > 1 ? (size_t)v->rows - 1 : 1, most = most_top(v);
    switch (command) {
    case UI_UP:
        v->top -= v->top > 0;
        return REPLY_DRAW;
    case UI_DOWN:
        v->top += v->top < most;
        return REPLY_DRAW;
    case UI_PAGE_UP:
        v->top = v->top > page ? v->top - page : 0;
        return REPLY_DRAW;
    case UI_PAGE_DOWN:
        v->top = v->top + page < most ? v->top + page : most;
        return REPLY_DRAW;
    case UI_TOP:
        v->top = 0;
        return REPLY_DRAW;
    case UI_BOTTOM:
        v->top = most;
        return REPLY_DRAW;
    case UI_LEFT:
        v->left = v->left > 8 ? v->left - 8 : 0;
        return REPLY_DRAW;
    case UI_RIGHT:
        v->left += 8;
        return REPLY_DRAW;
    case UI_FIRST:
        v->left = 0;
        return REPLY_DRAW;
    }
    return REPLY_IGNORED;
}

static bool line_has(const Viewer *v, size_t i, const char *what)
{
    size_t n = line_length(v, i), k = strlen(what);
    const char *s = v->text + v->line.at[i];
    for (size_t at = 0; at + k <= n; at++)
        if (!strncasecmp(s + at, what, k))
            return true;
    return false;
}

bool viewer_find(Viewer *v, const char *what, int direction)
{
    size_t n = v->line.count;
    for (size_t step = direction ? 1 : 0; step <= n; step++) {
        size_t i = direction < 0 ? (v->top + n * 2 - step) % n : (v->top + step) % n;
        if (line_has(v, i, what)) {
            v->top = i < most_top(v) ? i : most_top(v);
            return true;
        }
    }
    return false;
}
