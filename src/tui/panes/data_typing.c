/* data_typing.c -- the line under the table: a search, a filter, or an expression that marks rows. While an
 * expression is typed it is checked, and a sample says how many rows pass. */
#include "data_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SAMPLE_CHUNKS 24   /* of the file, spread evenly */
#define SAMPLE_ROWS   8192 /* of each, from its beginning */

static void start(DataState *s, int what)
{
    s->typing = what;
    s->line_error = (Error){0};
    s->share = NAN;
    line_set(&s->line, what == TYPING_FILTER ? s->want.filter : "");
}

void data_type_search(DataState *s, Ui *ui)
{
    (void)ui;
    start(s, TYPING_SEARCH);
}

void data_type_marks(DataState *s, Ui *ui)
{
    (void)ui;
    start(s, TYPING_MARK);
}

bool data_expression(const char *text, const Schema *schema, Expr **out, Error *err)
{
    *out = expr_parse(text, schema, err);
    if (!*out)
        return false;
    if (expr_type(*out) == COLUMN_BOOL)
        return true;
    expr_destroy(*out);
    *out = NULL;
    return error_set(err, ERROR_PARSE, "expected something that is true or false, like fare > 10");
}

/* ---- how many rows, about ------------------------------------------------------------------------------------ */

typedef struct CheckAsk {
    OpenDataset *data; /* held */
    char text[FILTER_MOST];
} CheckAsk;

static void release_check(void *ask)
{
    CheckAsk *a = ask;
    open_dataset_drop(a->data);
    mem_free(a);
}

static void *check(JobContext *c, void *input, Error *err)
{
    const CheckAsk *a = input;
    const Dataset *d = a->data->data;
    Expr *e;
    if (!data_expression(a->text, &a->data->schema, &e, err))
        return NULL;
    Arena arena = {0};
    size_t chunks = dataset_chunks(d), n = chunks < SAMPLE_CHUNKS ? chunks : SAMPLE_CHUNKS;
    double seen = 0, pass = 0;
    for (size_t i = 0; i < n && !job_stopped(c); i++) {
        Chunk whole, part;
        arena_reset(&arena);
        dataset_chunk(d, i * chunks / n, &arena, &whole);
        chunk_slice(&whole, 0, whole.rows < SAMPLE_ROWS ? whole.rows : SAMPLE_ROWS, &arena, &part);
        uint8_t *keep = arena_alloc(&arena, part.rows + 1);
        Error trouble = {0};
        size_t k = expr_filter(e, &part, &arena, keep, &trouble);
        pass += trouble.kind ? 0 : (double)k;
        seen += (double)part.rows;
    }
    arena_release(&arena);
    expr_destroy(e);
    double share = seen > 0 ? pass / seen : 0;
    return mem_copy(&share, sizeof share);
}

static void checked(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)err;
    DataState *s = owner;
    s->share = result ? *(double *)result : (double)NAN;
    mem_free(result);
    ui_draw(ui);
}

static void check_line(DataState *s, Ui *ui)
{
    const char *text = line_text(&s->line);
    Expr *e = NULL;
    s->line_error = (Error){0};
    s->share = NAN;
    ui_job_cancel(ui, s, DATA_CHECK_SLOT);
    if (!*text || !s->data || !data_expression(text, &s->data->schema, &e, &s->line_error))
        return;
    expr_destroy(e);
    CheckAsk a = {.data = open_dataset_hold(s->data)};
    snprintf(a.text, sizeof a.text, "%s", text);
    ui_job(ui, (Job){.owner = s,
                     .slot = DATA_CHECK_SLOT,
                     .run = check,
                     .input = mem_copy(&a, sizeof a),
                     .release_input = release_check,
                     .done = checked,
                     .quiet = true,
                     .urgent = true});
}

void data_type_filter(DataState *s, Ui *ui)
{
    data_show(s, s->view == VIEW_FORM ? VIEW_TABLE : s->view, ui);
    start(s, TYPING_FILTER);
    check_line(s, ui);
}

/* ---- keys ------------------------------------------------------------------------------------------------------- */

static void complete(void *owner, const char *text, void (*add)(void *, const char *),
                     void *context)
{
    const DataState *s = owner;
    size_t n = strlen(text), from = n;
    while (from && (text[from - 1] == '_' || (text[from - 1] & 0x80) ||
                    strchr("0123456789", text[from - 1]) ||
                    ((text[from - 1] | 32) >= 'a' && (text[from - 1] | 32) <= 'z')))
        from--;
    const char *word = text + from;
    for (size_t i = 0; i < s->columns; i++)
        if (!strncasecmp(s->data->schema.field[i].name, word, n - from))
            add(context, s->data->schema.field[i].name);
    for (size_t i = 0; i < function_kinds() && *word; i++)
        if (!strncasecmp(function_kind(i)->name, word, n - from))
            add(context, function_kind(i)->name);
}

Reply data_typed(void *state, Key key, Ui *ui)
{
    DataState *s = state;
    bool changed;
    line_key(&s->line, key, &changed);
    if (changed && s->typing != TYPING_SEARCH)
        check_line(s, ui);
    return REPLY_DRAW;
}

/* While candidates are shown these keys are theirs. */
static bool popup_takes(DataState *s, Key key, Ui *ui)
{
    if (!s->line.open)
        return false;
    data_typed(s, key, ui);
    return true;
}

void data_accept(DataState *s, Ui *ui)
{
    if (popup_takes(s, NKEY_ENTER, ui))
        return;
    const char *text = line_text(&s->line);
    int typing = s->typing;
    Expr *e = NULL;
    Error err = {0};
    if (typing != TYPING_SEARCH && *text && !data_expression(text, &s->data->schema, &e, &err)) {
        s->line_error = err;
        ui_say(ui, STYLE_WARN, "%s", err.text);
        return;
    }
    expr_destroy(e);
    ui_job_cancel(ui, s, DATA_CHECK_SLOT);
    s->typing = TYPING_NONE;
    if (typing == TYPING_FILTER) {
        data_set_filter(s, text, ui);
    } else if (typing == TYPING_MARK && *text) {
        data_mark_rows(s, text, ui);
    } else if (typing == TYPING_SEARCH && *text) {
        snprintf(s->find, sizeof s->find, "%s", text);
        data_search(s, 1, true, ui);
    }
}

void data_leave(DataState *s, Ui *ui)
{
    if (popup_takes(s, NKEY_ESC, ui))
        return;
    ui_job_cancel(ui, s, DATA_CHECK_SLOT);
    s->typing = TYPING_NONE;
}

void data_complete(DataState *s, Ui *ui)
{
    if (!popup_takes(s, NKEY_TAB, ui) && s->typing != TYPING_SEARCH)
        line_complete(&s->line, complete, s);
}

/* ---- drawing ------------------------------------------------------------------------------------------------------ */

static void make_note(const DataState *s, Text *into, Style *style)
{
    *style = STYLE_WARN;
    if (s->line_error.kind != ERROR_NONE) {
        text_puts(into, s->line_error.text);
    } else if (isfinite(s->share)) {
        *style = STYLE_GOOD;
        text_puts(into, "~");
        text_add_count(into, s->share * (double)dataset_rows(s->data->data));
        text_puts(into, " rows, ");
        data_add_share(s->share, into);
    }
}

void data_draw_typing(const DataState *s, const Canvas *c, int row)
{
    static const char *const signs[] = {
        [TYPING_SEARCH] = " / ", [TYPING_FILTER] = " & ", [TYPING_MARK] = " | "};
    canvas_fill_part(c, row, 0, 1, c->cols, STYLE_INPUT);
    int x = canvas_put(c, row, 0, style_on(STYLE_ACCENT, STYLE_INPUT), signs[s->typing]);
    Text note = {0};
    Style style;
    make_note(s, &note, &style);
    int most = c->cols / 2, width = (int)utf8_width(text_str(&note), note.count);
    width = width < most ? width : most;
    line_draw(&s->line, c, row, x, c->cols - x - width - 2, STYLE_INPUT, SIZE_MAX);
    if (width)
        canvas_field(c, row, c->cols - width - 1, width, ALIGN_LEFT, style_on(style, STYLE_INPUT),
                     text_str(&note));
    text_release(&note);
    line_popup(&s->line, c, row, x);
}
