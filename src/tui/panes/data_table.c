/* data_table.c -- the table: cells straight from the mapped chunks, so ten million rows are as quick as ten. */
#include "data_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DECIMALS 6 /* after the point, on screen */

Style data_style(ColumnType type)
{
    switch (type) {
    case COLUMN_TEXT:
        return STYLE_TEXT;
    case COLUMN_TIME:
    case COLUMN_DATE:
        return STYLE_TIME;
    case COLUMN_BOOL:
        return STYLE_BOOL;
    default:
        return STYLE_NUMBER;
    }
}

Style role_style(Role role)
{
    switch (role) {
    case ROLE_TARGET:
        return STYLE_ROLE_TARGET;
    case ROLE_FEATURE:
        return STYLE_HEADER;
    case ROLE_TIMELINE:
        return STYLE_TIME;
    default:
        return STYLE_ROLE_IGNORE;
    }
}

int role_mark(Role role)
{
    static const Glyph glyphs[ROLE_COUNT] = {[ROLE_FEATURE] = GLYPH_DOT,
                                             [ROLE_TARGET] = GLYPH_TARGET,
                                             [ROLE_TIMELINE] = GLYPH_CLOCK,
                                             [ROLE_ID] = GLYPH_KEY,
                                             [ROLE_IGNORE] = GLYPH_IGNORE};
    return (int)glyphs[role] + 1;
}

const char *role_glyph(const Canvas *c, Role role)
{
    return glyph(c, (Glyph)(role_mark(role) - 1));
}

/* ---- cells ---------------------------------------------------------------------------------------------------- */

const Chunk *data_chunk_of(const DataState *s, uint64_t row, size_t *in_chunk)
{
    ChunkCache *cache = s->cache;
    const Dataset *d = s->data->data;
    size_t index = dataset_locate(d, row, in_chunk);
    if (!cache->filled || cache->of != d || cache->index != index) {
        arena_reset(&cache->arena);
        dataset_chunk(d, index, &cache->arena, &cache->chunk);
        cache->of = d;
        cache->index = index;
        cache->filled = true;
    }
    return &cache->chunk;
}

void data_cell_text(const DataState *s, uint64_t row, size_t column, Text *into)
{
    size_t in_chunk;
    const Chunk *chunk = data_chunk_of(s, row, &in_chunk);
    column_print(&chunk->column[column], in_chunk, into);
}

bool data_cell_missing(const DataState *s, uint64_t row, size_t column)
{
    size_t in_chunk;
    const Chunk *chunk = data_chunk_of(s, row, &in_chunk);
    return !column_has(&chunk->column[column], in_chunk);
}

static int decimals_of(const char *text)
{
    const char *point = strchr(text, '.');
    if (!point || strpbrk(text, "eE"))
        return 0;
    return (int)strlen(point + 1);
}

static void line_up_decimals(Text *text, int decimals)
{
    if (strpbrk(text_str(text), "eEni")) /* 1e-30, nan, inf */
        return;
    int have = decimals_of(text_str(text));
    for (int i = have ? have : -1; i < decimals; i++)
        text_putc(text, ' ');
}

/* Text of any length is not copied for thirty columns of screen. */
static void add_text(const Column *c, size_t row, Cell *out)
{
    size_t n;
    const char *t = column_text(c, row, &n);
    text_add(out->text, t, n < 400 ? n : 400);
    if (n)
        return;
    text_puts(out->text, "\"\"");
    out->style = STYLE_MISSING;
}

/* Six decimals on screen; y copies all of them. */
static void add_real(const Column *c, size_t row, Cell *out)
{
    column_print(c, row, out->text);
    if (decimals_of(text_str(out->text)) <= DECIMALS)
        return;
    double v = column_real(c, row);
    text_reset(out->text);
    text_printf(out->text, fabs(v) < 1e-3 ? "%.4g" : "%.6f", v);
}

static void cell(const void *context, uint64_t at, size_t place, Cell *out)
{
    const DataState *s = context;
    size_t row, column = s->order[place];
    const Chunk *chunk = data_chunk_of(s, data_row(s, at), &row);
    const Column *c = &chunk->column[column];
    Role role = s->data->schema.field[column].role;
    out->style = role == ROLE_IGNORE   ? STYLE_DIM
                 : role == ROLE_TARGET ? STYLE_ROLE_TARGET
                                       : data_style(c->type);
    if (!column_has(c, row)) {
        text_puts(out->text, "-");
        out->style = STYLE_MISSING;
    } else if (c->type == COLUMN_TEXT) {
        add_text(c, row, out);
    } else if (c->type == COLUMN_REAL) {
        add_real(c, row, out);
    } else {
        column_print(c, row, out->text);
    }
    if (c->type == COLUMN_REAL && s->column[column].decimals)
        line_up_decimals(out->text, s->column[column].decimals);
}

static bool marked(const void *context, uint64_t at)
{
    const DataState *s = context;
    return marks_has(&s->marks, data_row(s, at));
}

TableSource data_table_source(const DataState *s)
{
    return (TableSource){
        .context = s,
        .rows = data_rows(s),
        .columns = s->shown,
        .column = s->head,
        .cell = cell,
        .marked = s->marks.count ? marked : NULL,
        .empty = s->have.filter[0] ? "No row passes the filter.\n\nEsc takes it away, & changes it."
                                   : "This dataset has no rows."};
}

/* ---- going to a row ------------------------------------------------------------------------------------------------ */

bool data_go(DataState *s, const char *text, Ui *ui)
{
    TableSource table = data_table_source(s);
    size_t n = strlen(text);
    double share;
    int64_t row = 0;
    bool percent = n > 1 && text[n - 1] == '%';
    if (percent && text_to_real(text, n - 1, &share) && share >= 0 && share <= 100)
        row = 1 + (int64_t)((double)(table.rows ? table.rows - 1 : 0) * share / 100);
    else if (percent || !text_to_int(text, n, &row))
        row = 0;
    if (row >= 1) {
        table_go(&s->table, &table, (uint64_t)row - 1);
        return true;
    }
    ui_say(ui, STYLE_WARN, "expected a row number from 1 to %llu or a share like 50%%, found '%s'",
           (unsigned long long)table.rows, text);
    return false;
}

static void row_asked(void *owner, const char *text, Ui *ui)
{
    data_go(owner, text, ui);
}

void data_go_to_row(DataState *s, Ui *ui)
{
    ui_ask(ui, &(Ask){.title = "Go to row",
                      .label = "row",
                      .owner = s,
                      .done = row_asked,
                      .about = "A number as they stand now, or a share: 50%"});
}

void data_copy(DataState *s, Ui *ui)
{
    if (!data_rows(s))
        return;
    Text text = {0};
    data_cell_text(s, data_row(s, s->table.at), s->focus, &text);
    ui_copy(ui, text_str(&text));
    text_release(&text);
}

/* ---- the view ------------------------------------------------------------------------------------------------------- */

static void title(const DataState *s, const Canvas *c, Text *title_text, Text *note)
{
    data_add_filter(s, c, title_text);
    data_add_sorting(s, c, title_text);
    if (s->marks.count) {
        data_add_grouped(s->marks.count, note);
        text_printf(note, " marked %s ", glyph(c, GLYPH_DOT));
    }
    if (s->shown < s->columns)
        text_printf(note, "%zu hidden %s ", s->columns - s->shown, glyph(c, GLYPH_DOT));
    if (s->searching)
        text_printf(note, "/%.30s %s %s ", s->find, glyph(c, GLYPH_ELLIPSIS), glyph(c, GLYPH_DOT));
    text_puts(note, "row ");
    data_add_grouped(data_rows(s) ? s->table.at + 1 : 0, note);
    text_puts(note, " of ");
    if (s->glimpse) {
        if (s->partial) {
            data_add_grouped(data_rows(s), note);
            text_puts(note, " of ");
        }
        text_putc(note, '~');
        text_add_count(note, s->estimate);
    } else {
        data_add_grouped(data_rows(s), note);
    }
    if (data_filtered(s)) {
        text_puts(note, " / ");
        data_add_grouped((uint64_t)s->data->row.rows, note);
    }
}

static void layout(DataState *s, int rows, int cols)
{
    TableSource table = data_table_source(s);
    table_layout(&s->table, &table, rows, cols);
}

static void draw(const DataState *s, const Canvas *in, bool active, const Ui *ui)
{
    (void)ui;
    TableSource table = data_table_source(s);
    table_draw(&s->table, &table, in, active, DATA_ZONE_MAIN);
}

/* The column under the cursor is the one in focus. */
static void follow(DataState *s)
{
    if (s->table.col < s->shown)
        s->focus = s->order[s->table.col];
}

static Reply command(DataState *s, int what, Ui *ui)
{
    TableSource table = data_table_source(s);
    switch (what) {
    case UI_SEARCH:
        data_type_search(s, ui);
        return REPLY_DRAW;
    case UI_NEXT:
    case UI_PREVIOUS:
        data_search(s, what == UI_NEXT ? 1 : -1, false, ui);
        return REPLY_DRAW;
    case UI_COPY:
        data_copy(s, ui);
        return REPLY_DRAW;
    case UI_MARK:
        data_mark(s, ui);
        return REPLY_DRAW;
    }
    Reply reply = table_command(&s->table, &table, what);
    follow(s);
    return reply;
}

static Reply mouse(DataState *s, const Mouse *m, Ui *ui)
{
    TableSource table = data_table_source(s);
    Reply reply = table_mouse(&s->table, &table, m);
    follow(s);
    if (m->kind == MOUSE_DOUBLE && m->index >= 1000000)
        data_show(s, VIEW_FORM, ui);
    return reply;
}

const ViewKind data_table_view = {
    .title = title, .layout = layout, .draw = draw, .command = command, .mouse = mouse, .source = data_table_source};
