/* data_table.c -- the table of the Data pane: cells straight from the mapped chunks, so ten million rows
 * are as quick as ten. */
#include "data_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define WIDEST   30
#define DECIMALS 6   /* after the point, on screen */
#define SAMPLE   200 /* rows looked at for the widths */

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

static Glyph glyph_of(Role role)
{
    static const Glyph glyphs[ROLE_COUNT] = {[ROLE_FEATURE] = GLYPH_DOT,
                                             [ROLE_TARGET] = GLYPH_TARGET,
                                             [ROLE_TIMELINE] = GLYPH_CLOCK,
                                             [ROLE_ID] = GLYPH_KEY,
                                             [ROLE_IGNORE] = GLYPH_IGNORE};
    return glyphs[role];
}

const char *role_glyph(const Canvas *c, Role role)
{
    return glyph(c, glyph_of(role));
}

/* ---- widths, once a dataset ------------------------------------------------------------------------------ */

static int decimals_of(const char *text)
{
    const char *point = strchr(text, '.');
    if (!point || strpbrk(text, "eE"))
        return 0;
    return (int)strlen(point + 1);
}

static void measure(DataColumn *c, const Column *column, size_t rows)
{
    int whole = 0, widest = 0;
    for (size_t row = 0; row < rows; row++) {
        if (!column_has(column, row))
            continue;
        Text text = {0};
        column_print(column, row, &text);
        int w = (int)utf8_width(text_str(&text), text.count < 400 ? text.count : 400);
        if (column->type == COLUMN_REAL) {
            int d = decimals_of(text_str(&text));
            w -= d ? d + 1 : 0;
            d = d > DECIMALS ? DECIMALS : d;
            c->decimals = d > c->decimals ? d : c->decimals;
            whole = w > whole ? w : whole;
        } else {
            widest = w > widest ? w : widest;
        }
        text_release(&text);
    }
    if (column->type == COLUMN_REAL)
        widest = whole + (c->decimals ? c->decimals + 1 : 0);
    c->width = widest;
}

/* Rows beyond the sample may be wider: the profile knows the extremes. */
static void widen_by_profile(DataColumn *c, const ColumnProfile *p)
{
    if (!p || !p->numeric || (p->type != COLUMN_INT && p->type != COLUMN_REAL))
        return;
    char text[64];
    int least = snprintf(text, sizeof text, "%.0f", p->least),
        most = snprintf(text, sizeof text, "%.0f", p->most);
    int whole = least > most ? least : most, tail = c->decimals ? c->decimals + 1 : 0;
    if (whole < 16 && whole + tail > c->width)
        c->width = whole + tail;
}

void data_columns_release(DataState *s)
{
    mem_free(s->column);
    mem_free(s->head);
    s->column = NULL;
    s->head = NULL;
    s->columns = 0;
    if (s->cache) {
        arena_release(&s->cache->arena);
        *s->cache = (ChunkCache){0};
    }
}

void data_columns_make(DataState *s)
{
    data_columns_release(s);
    if (!s->data)
        return;
    const Schema *schema = &s->data->schema;
    const Profile *profile = dataset_profile(s->data->data);
    s->columns = schema->count;
    s->column = mem_alloc((schema->count + 1) * sizeof *s->column);
    s->head = mem_alloc((schema->count + 1) * sizeof *s->head);
    size_t in_chunk;
    const Chunk *chunk = dataset_rows(s->data->data) ? data_chunk_of(s, 0, &in_chunk) : NULL;
    for (size_t i = 0; i < schema->count; i++) {
        DataColumn *c = &s->column[i];
        const Field *f = &schema->field[i];
        if (chunk)
            measure(c, &chunk->column[i], chunk->rows < SAMPLE ? chunk->rows : SAMPLE);
        widen_by_profile(c, profile ? profile_find(profile, f->name) : NULL);
        snprintf(c->title, sizeof c->title, "%s", f->name);
        bool marked = f->role != ROLE_FEATURE; /* the title bears its role */
        int title = (int)utf8_width(c->title, strlen(c->title)) + (marked ? 2 : 0);
        int limit = title > WIDEST ? title : WIDEST;
        title = title > 24 ? 24 : title;
        c->width = c->width > limit ? limit : c->width < title ? title : c->width;
        bool right = f->type == COLUMN_INT || f->type == COLUMN_REAL;
        s->head[i] = (TableColumn){.title = c->title,
                                   .width = c->width,
                                   .glyph = marked ? (int)glyph_of(f->role) + 1 : 0,
                                   .align = right ? ALIGN_RIGHT : ALIGN_LEFT,
                                   .header = role_style(f->role)};
    }
}

/* ---- cells ---------------------------------------------------------------------------------------------------- */

uint64_t data_rows(const DataState *s)
{
    return !s->data ? 0 : s->rows ? s->rows->count : dataset_rows(s->data->data);
}

uint64_t data_row(const DataState *s, uint64_t shown)
{
    return s->rows ? s->rows->row[shown] : shown;
}

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

static void line_up_decimals(Text *text, int decimals)
{
    if (strpbrk(text_str(text), "eEni")) /* 1e-30, nan, inf */
        return;
    int have = decimals_of(text_str(text));
    for (int i = have ? have : -1; i < decimals; i++)
        text_putc(text, ' ');
}

static void cell(const void *context, uint64_t shown, size_t column, Cell *out)
{
    const DataState *s = context;
    size_t row;
    const Chunk *chunk = data_chunk_of(s, data_row(s, shown), &row);
    const Column *c = &chunk->column[column];
    Role role = s->data->schema.field[column].role;
    if (!column_has(c, row)) {
        text_puts(out->text, "-");
        if (c->type == COLUMN_REAL && s->column[column].decimals)
            line_up_decimals(out->text, s->column[column].decimals);
        out->style = STYLE_MISSING;
        return;
    }
    if (c->type == COLUMN_TEXT) { /* a megabyte of text is not copied for thirty columns */
        size_t n;
        const char *t = column_text(c, row, &n);
        text_add(out->text, t, n < 400 ? n : 400);
        if (!n) {
            text_puts(out->text, "\"\"");
            out->style = STYLE_MISSING;
            return;
        }
    } else {
        column_print(c, row, out->text);
    }
    if (c->type == COLUMN_REAL &&
        decimals_of(text_str(out->text)) > DECIMALS) { /* y copies all of them */
        double v = column_real(c, row);
        text_reset(out->text);
        if (fabs(v) < 1e-3)
            text_printf(out->text, "%.4g", v);
        else
            text_printf(out->text, "%.*f", DECIMALS, v);
    }
    if (c->type == COLUMN_REAL && s->column[column].decimals)
        line_up_decimals(out->text, s->column[column].decimals);
    out->style = role == ROLE_IGNORE   ? STYLE_DIM
                 : role == ROLE_TARGET ? STYLE_ROLE_TARGET
                                       : data_style(c->type);
}

TableSource data_table_source(const DataState *s)
{
    return (TableSource){
        .context = s,
        .rows = data_rows(s),
        .columns = s->columns,
        .column = s->head,
        .cell = cell,
        .empty = s->filter[0] ? "No row passes the filter.\n\nEsc takes it away, & changes it."
                              : "This dataset has no rows."};
}
