/* sql_draw.c -- the SQL pane on the screen: tables at the left, the editor above, the result below. */
#include "sql_int.h"

#include <stdio.h>
#include <string.h>

#define LIST_COLS 32
#define LIST_WIDE 38 /* where there is room: names of columns are rarely longer */
#define WIDE_FROM LIST_FROM
#define LIST_FROM 110 /* columns of a screen that has room for the list all the time */

static bool list_shown(const SqlState *s, int cols)
{
    return (cols >= LIST_FROM && !ui_maximised(s->ui)) || s->part == SQL_TABLES;
}

/* Rows of the line under the editor: an error may need two. */
static int error_rows(const SqlState *s)
{
    return s->error.kind ? 2 : 0;
}

void sql_layout(SqlState *s, int rows, int cols)
{
    TableSource result = result_source(&s->result), list = sql_list(s);
    int wide = cols >= WIDE_FROM ? LIST_WIDE : LIST_COLS;
    s->at.left = list_shown(s, cols) ? wide : 0;
    s->at.cols = cols - s->at.left;
    s->at.height = rows;
    int most = rows / 3 > 3 ? rows / 3 : 3, want = edit_rows(&s->edit, s->at.cols - 4);
    want = want < 3 ? 3 : want > most ? most : want;
    s->at.editor = want + 2 + error_rows(s);
    edit_layout(&s->edit, want, s->at.cols - 4);
    table_layout(&s->table, &result, rows - s->at.editor - 2, s->at.cols - 2);
    table_layout(&s->list, &list, rows - 2, wide - 2);
}

static Style border(const SqlState *s, SqlPart part)
{
    return s->part == part ? STYLE_BORDER_ACTIVE : STYLE_BORDER;
}

static void draw_error(const SqlState *s, const Canvas *c, int row)
{
    if (!s->error.kind)
        return;
    Text t = {0};
    const char *near = sql_did_you_mean(s->tables, s->error.text);
    if (s->where != SIZE_MAX && s->where <= s->edit.line.text.count) {
        int line = 1, column = 1;
        for (size_t i = 0; i < s->where; i++) {
            column = s->edit.line.text.at[i] == '\n' ? 1 : column + 1;
            line += s->edit.line.text.at[i] == '\n';
        }
        text_printf(&t, "line %d, column %d: ", line, column);
    }
    text_puts(&t, text_starts(s->error.text, "sql: ") ? s->error.text + 5 : s->error.text);
    if (near)
        text_printf(&t, "; did you mean %s?", near);
    Canvas part = canvas_part(c, row, 0, error_rows(s), c->cols);
    canvas_put(&part, 0, 0, STYLE_BAD, glyph(c, GLYPH_CROSS));
    canvas_wrap(&part, 0, 2, c->cols - 2, STYLE_WARN, text_str(&t));
    text_release(&t);
}

static void draw_query(const SqlState *s, const Canvas *c)
{
    char note[64] = "";
    if (s->history.count && s->history_at < s->history.count)
        snprintf(note, sizeof note, "earlier %zu of %zu", s->history_at + 1, s->history.count);
    Canvas in = canvas_box(c, border(s, SQL_QUERY), "Query", *note ? note : NULL);
    Canvas text = canvas_part(&in, 0, 1, s->edit.rows, in.cols - 2);
    size_t bad = s->error.kind ? s->where : SIZE_MAX;
    if (!s->edit.line.text.count && !s->editing)
        canvas_put(&text, 0, 0, STYLE_DIM, "press i and type: select ... from ...");
    edit_draw(&s->edit, &text, s->editing, bad);
    Canvas below = canvas_part(&in, s->edit.rows, 1, in.rows - s->edit.rows, in.cols - 2);
    draw_error(s, &below, 0);
    canvas_zone(&text, 0, 0, text.rows, text.cols, SQL_ZONE_QUERY, 0);
}

static void draw_examples(const SqlState *s, const Canvas *c)
{
    Canvas in = canvas_box(c, border(s, SQL_RESULT), "Result", NULL);
    int y = in.rows > 12 ? 1 : 0;
    y += canvas_wrap(&in, y, 2, in.cols - 4, STYLE_DIM,
                     "Datasets, runs and metrics are tables of one database. Try one:");
    for (size_t i = 0; i < SQL_EXAMPLES; i++) {
        int from = y += in.rows > 10;
        canvas_printf(&in, y, 2, STYLE_HINT_KEY, "%c", (char)('a' + (int)i));
        canvas_put(&in, y++, 5, STYLE_PLAIN, s->example_about[i] ? s->example_about[i] : "");
        Text flat = {0};
        for (const char *t = text_str(&s->example[i]); *t; t++)
            text_putc(&flat, *t == '\n' ? ' ' : *t);
        if (in.rows > 14)
            y += canvas_wrap(&in, y, 5, in.cols - 7, STYLE_DIM, text_str(&flat));
        else
            canvas_field(&in, y++, 5, in.cols - 7, ALIGN_LEFT, STYLE_DIM, text_str(&flat));
        canvas_zone(&in, from, 0, y - from, in.cols, SQL_ZONE_EXAMPLE, (int64_t)i);
        text_release(&flat);
    }
}

static void draw_result(const SqlState *s, const Canvas *c)
{
    if (!s->result.text && !sql_running(s)) {
        draw_examples(s, c);
        return;
    }
    Text note = {0};
    if (s->result.column)
        result_note(&s->result, sql_running(s), &note);
    else if (sql_running(s))
        text_puts(&note, "asking");
    Canvas in = canvas_box(c, border(s, SQL_RESULT), "Result", note.count ? text_str(&note) : NULL);
    TableSource src = result_source(&s->result);
    if (s->result.column)
        table_draw(&s->table, &src, &in, s->part == SQL_RESULT && !s->editing, SQL_ZONE_RESULT);
    else if (!sql_running(s))
        canvas_put(&in, 1, 2, STYLE_DIM, "stopped before the first row");
    else
        canvas_printf(&in, 1, 2, STYLE_DIM, s->editing ? "%s asking; Ctrl-C stops it" : "%s asking; Esc stops it",
                      glyph_spinner(c, ui_now(s->ui)));
    text_release(&note);
}

static void draw_list(const SqlState *s, const Canvas *c)
{
    Canvas in = canvas_box(c, border(s, SQL_TABLES), "Tables", NULL);
    TableSource src = sql_list(s);
    table_draw(&s->list, &src, &in, s->part == SQL_TABLES, SQL_ZONE_TABLES);
}

void sql_draw(const SqlState *s, const Canvas *c)
{
    int left = s->at.left, editor = s->at.editor;
    if (left) {
        Canvas list = canvas_part(c, 0, 0, c->rows, left);
        draw_list(s, &list);
    }
    Canvas query = canvas_part(c, 0, left, editor, c->cols - left);
    Canvas result = canvas_part(c, editor, left, c->rows - editor, c->cols - left);
    draw_query(s, &query);
    draw_result(s, &result);
    if (s->editing && s->edit.line.open) { /* line_popup counts columns from the text's begin */
        int row, col;
        edit_place(&s->edit, s->edit.line.word_from, &row, &col);
        int before = (int)utf8_width(line_text(&s->edit.line), s->edit.line.word_from);
        line_popup(&s->edit.line, c, 1 + row - s->edit.top, left + 2 + col - before);
    }
}
