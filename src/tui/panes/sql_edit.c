/* sql_edit.c -- the editor of the SQL pane: a LineEdit whose text has line feeds, folded to the width. */
#include "sql_int.h"

#include <ctype.h>
#include <string.h>

/* Walks the text as it is folded; stops at `byte`, or at the cell (row, col) when byte is SIZE_MAX. */
static size_t walk(const QueryEdit *e, size_t byte, int *row, int *col)
{
    const char *text = line_text(&e->line);
    size_t n = e->line.text.count, at = 0;
    int y = 0, x = 0, width = e->width > 1 ? e->width : 1, to_row = *row, to_col = *col;
    while (at < n) {
        const char *s = text + at;
        uint32_t c = utf8_next(&s, text + n);
        size_t size = (size_t)(s - (text + at));
        int w = c == '\n' ? 0 : (int)utf8_width(text + at, size);
        if (x + w > width - 1 && c != '\n') { /* the last column is the cursor's */
            y++;
            x = 0;
        }
        if (byte == SIZE_MAX ? y > to_row || (y == to_row && (x + w > to_col || c == '\n'))
                             : at >= byte)
            break;
        at += size;
        x += w;
        if (c == '\n') {
            y++;
            x = 0;
        }
    }
    *row = y;
    *col = x;
    return at;
}

void edit_place(const QueryEdit *e, size_t byte, int *row, int *col)
{
    *row = *col = 0;
    walk(e, byte, row, col);
}

int edit_rows(const QueryEdit *e, int width)
{
    QueryEdit as = *e;
    int row, col;
    as.width = width;
    edit_place(&as, as.line.text.count, &row, &col);
    return row + 1;
}

void edit_layout(QueryEdit *e, int rows, int width)
{
    int row, col;
    e->width = width;
    e->rows = rows > 0 ? rows : 1;
    edit_place(e, e->line.at, &row, &col);
    if (row < e->top)
        e->top = row;
    if (row >= e->top + e->rows)
        e->top = row - e->rows + 1;
    int last = edit_rows(e, width) - e->rows;
    if (e->top > last)
        e->top = last > 0 ? last : 0;
}

/* ---- keys ---------------------------------------------------------------------------------------------------- */

void edit_insert(QueryEdit *e, const char *text)
{
    Text t = {0};
    size_t at = e->line.at;
    text_add(&t, line_text(&e->line), at);
    text_puts(&t, text);
    size_t after = t.count;
    text_puts(&t, line_text(&e->line) + at);
    line_set(&e->line, text_str(&t));
    e->line.at = after;
    text_release(&t);
}

bool edit_last_line(const QueryEdit *e)
{
    return !strchr(line_text(&e->line) + e->line.at, '\n');
}

static size_t line_begins(const QueryEdit *e)
{
    size_t at = e->line.at;
    while (at && e->line.text.at[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_ends(const QueryEdit *e)
{
    return e->line.at + strcspn(line_text(&e->line) + e->line.at, "\n");
}

static bool edit_move(QueryEdit *e, int by)
{
    int row, col;
    edit_place(e, e->line.at, &row, &col);
    if (row + by < 0 || row + by >= edit_rows(e, e->width))
        return false;
    row += by;
    e->line.at = walk(e, SIZE_MAX, &row, &col);
    return true;
}

bool edit_up(QueryEdit *e)
{
    return edit_move(e, -1);
}

bool edit_down(QueryEdit *e)
{
    return edit_move(e, 1);
}

bool edit_key(QueryEdit *e, Key key)
{
    if (key == NKEY_PASTE_BEGIN || key == NKEY_PASTE_END) {
        e->pasting = key == NKEY_PASTE_BEGIN;
        return true;
    }
    if (e->pasting && (key == NKEY_ENTER || key == NKEY_TAB)) {
        edit_insert(e, key == NKEY_ENTER ? "\n" : "    ");
        return true;
    }
    if (!e->line.open)
        switch (key) { /* of the line, not of the whole text */
        case NKEY_HOME:
        case KEY_CTRL | 'a':
            e->line.at = line_begins(e);
            return true;
        case NKEY_END:
        case KEY_CTRL | 'e':
            e->line.at = line_ends(e);
            return true;
        }
    return line_key(&e->line, key, NULL);
}

/* ---- drawing -------------------------------------------------------------------------------------------------- */

/* One token from `at` on: its bytes, and how it looks. */
static size_t token(const char *s, Style *style)
{
    size_t n = 1;
    *style = STYLE_PLAIN;
    if (*s == '\'') {
        while (s[n] && s[n] != '\'')
            n++;
        *style = STYLE_STRING;
        return n + (s[n] == '\'');
    }
    if (s[0] == '-' && s[1] == '-') {
        *style = STYLE_DIM;
        return strcspn(s, "\n");
    }
    if (!isalpha((unsigned char)*s) && *s != '_')
        return n;
    while (isalnum((unsigned char)s[n]) || s[n] == '_')
        n++;
    if (sql_keyword(s, n))
        *style = STYLE_KEYWORD;
    return n;
}

static void draw_text(const QueryEdit *e, const Canvas *c, size_t bad)
{
    const char *text = line_text(&e->line);
    size_t n = e->line.text.count, token_end = 0;
    int y = -e->top, x = 0, width = e->width > 1 ? e->width : 1;
    Style style = STYLE_PLAIN;
    for (size_t at = 0; at < n;) {
        const char *s = text + at;
        bool begins = at >= token_end;
        if (begins)
            token_end = at + token(s, &style);
        if (at == bad || (begins && bad > at && bad < token_end))
            style = STYLE_BAD;
        uint32_t code = utf8_next(&s, text + n);
        size_t size = (size_t)(s - (text + at));
        int w = code == '\n' ? 0 : (int)utf8_width(text + at, size);
        if (x + w > width - 1 && code != '\n') {
            y++;
            x = 0;
        }
        if (y >= 0 && y < c->rows && code != '\n')
            canvas_put_n(c, y, x, style, text + at, size);
        x += w;
        at += size;
        if (code == '\n') {
            y++;
            x = 0;
        }
    }
}

void edit_draw(const QueryEdit *e, const Canvas *c, bool active, size_t bad)
{
    draw_text(e, c, bad);
    if (!active)
        return;
    int row, col;
    edit_place(e, e->line.at, &row, &col);
    canvas_cursor(c, row - e->top, col);
}
