/* data_groups_make.c -- groups as they came from the scan become the rows and columns of a table: flat, or with the
 * last key's values across; in the order of any column. */
#include "data_groups_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void groups_release(Groups *g)
{
    arena_release(&g->arena);
    mem_free(g->order);
    mem_free(g->cross);
    mem_free(g->leader);
    mem_free(g->mark);
    g->arena = (Arena){0};
    g->chunk = (Chunk){0};
    g->order = g->cross = g->leader = NULL;
    g->mark = NULL;
    g->made = false;
    g->rows = g->columns = g->across_count = g->marks = 0;
    g->sort = SIZE_MAX;
}

uint32_t groups_first(const Groups *g, size_t row)
{
    return g->cross ? g->leader[g->order[row]] : g->order[row];
}

uint32_t groups_cell(const Groups *g, size_t row, size_t column)
{
    const GroupColumn *c = &g->column[column];
    if (g->cross && c->kind == SHOW_ACROSS)
        return g->cross[(size_t)g->order[row] * g->across_count + c->at];
    return groups_first(g, row);
}

/* What a cell across shows: the last measure, the count when there is no other. */
static size_t shown_measure(const Groups *g)
{
    return g->spec.keys + g->spec.measures - 1;
}

const Column *groups_value(const Groups *g, size_t row, size_t column, size_t *group)
{
    const GroupColumn *c = &g->column[column];
    uint32_t at = groups_cell(g, row, column);
    if (at == UINT32_MAX)
        return NULL;
    *group = at;
    return &g->chunk.column[c->kind == SHOW_ACROSS                           ? shown_measure(g)
                            : c->kind == SHOW_KEY || c->kind == SHOW_MEASURE ? c->at
                                                                             : g->spec.keys];
}

size_t groups_key_at_cursor(const DataState *s)
{
    const Groups *g = s->groups;
    const GroupColumn *c = g->table.col < g->columns ? &g->column[g->table.col] : NULL;
    return c && c->kind == SHOW_KEY ? c->at : g->spec.keys - 1;
}

/* ---- columns ------------------------------------------------------------------------------------------------- */

static int text_width(const Column *c, size_t row)
{
    Text t = {0};
    column_print(c, row, &t);
    int w = (int)utf8_width(text_str(&t), t.count);
    text_release(&t);
    return w;
}

static GroupColumn *add_column(Groups *g, int kind, size_t at, const char *title, int width,
                               Align align)
{
    GroupColumn *c = &g->column[g->columns];
    *c = (GroupColumn){.kind = kind, .at = at};
    snprintf(c->title, sizeof c->title, "%s", title);
    int wide = (int)utf8_width(c->title, strlen(c->title));
    wide = wide < 24 ? wide : 24;
    g->head[g->columns++] =
        (TableColumn){.title = c->title, .width = width > wide ? width : wide, .align = align};
    return c;
}

static void add_key(Groups *g, size_t k)
{
    const Column *c = &g->chunk.column[k];
    int width = 4;
    for (size_t i = 0; i < g->chunk.rows && i < 500; i++) {
        int w = column_has(c, i) ? text_width(c, i) : 7;
        width = w > width ? w : width;
    }
    bool right = c->type == COLUMN_INT || c->type == COLUMN_REAL;
    add_column(g, SHOW_KEY, k, c->name, width < 30 ? width : 30, right ? ALIGN_RIGHT : ALIGN_LEFT);
}

static double largest(const Column *c)
{
    double most = 0;
    for (size_t i = 0; i < c->rows; i++)
        if (column_has(c, i) && c->type == COLUMN_REAL)
            most = fmax(most, fabs(column_real(c, i)));
    return most;
}

static void add_measure(Groups *g, size_t at)
{
    const Column *c = &g->chunk.column[at];
    int width = c->type == COLUMN_TIME ? 19 : 12;
    add_column(g, SHOW_MEASURE, at, c->name, width, ALIGN_RIGHT)->scale = largest(c);
}

static void flat_columns(Groups *g)
{
    for (size_t k = 0; k < g->spec.keys; k++)
        add_key(g, k);
    add_column(g, SHOW_COUNT, 0, "count", 11, ALIGN_RIGHT);
    add_column(g, SHOW_SHARE, 0, "share", 6, ALIGN_RIGHT);
    if (g->spec.measures == 1) {
        add_column(g, SHOW_BAR, 0, "", 24, ALIGN_LEFT);
        g->head[g->columns - 1].stretch = true;
    }
    for (size_t m = 1; m < g->spec.measures; m++)
        add_measure(g, g->spec.keys + m);
}

/* ---- across ------------------------------------------------------------------------------------------------------ */

static bool same_value(const Column *c, size_t a, size_t b)
{
    if (column_has(c, a) != column_has(c, b))
        return false;
    if (!column_has(c, a))
        return true;
    if (c->type != COLUMN_TEXT)
        return c->type == COLUMN_INT || c->type == COLUMN_TIME
                   ? c->integer[a] == c->integer[b]
                   : column_real(c, a) == column_real(c, b);
    size_t n, k;
    const char *x = column_text(c, a, &n), *y = column_text(c, b, &k);
    return n == k && !memcmp(x, y, n);
}

/* Sorted so that equal keys are neighbours: groups number i of the first `keys` keys. */
typedef struct ByKeys {
    const Chunk *chunk;
    size_t from, to;
} ByKeys;

static int compare_values(const Column *c, size_t a, size_t b)
{
    bool none_a = !column_has(c, a), none_b = !column_has(c, b);
    if (none_a || none_b)
        return none_a - none_b;
    if (c->type == COLUMN_TEXT) {
        size_t n, k;
        const char *x = column_text(c, a, &n), *y = column_text(c, b, &k);
        int order = memcmp(x, y, n < k ? n : k);
        return order ? order : (n > k) - (n < k);
    }
    double x = column_real(c, a), y = column_real(c, b);
    return (x > y) - (x < y);
}

static int by_keys(const void *x, const void *y, void *context)
{
    const ByKeys *by = context;
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    for (size_t k = by->from; k < by->to; k++) {
        int order = compare_values(&by->chunk->column[k], a, b);
        if (order)
            return order;
    }
    return (a > b) - (a < b);
}

/* Numbers the distinct values of keys [from, to): out[group] = its number; leader of each. Returns how many. */
static size_t number_keys(const Groups *g, size_t from, size_t to, uint32_t *out, uint32_t *leader)
{
    size_t n = g->chunk.rows, count = 0;
    uint32_t *sorted = mem_alloc((n + 1) * sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sorted[i] = (uint32_t)i;
    ByKeys by = {&g->chunk, from, to};
    qsort_r(sorted, n, sizeof *sorted, by_keys, &by);
    for (size_t i = 0; i < n; i++) {
        bool same = i > 0;
        for (size_t k = from; k < to && same; k++)
            same = same_value(&g->chunk.column[k], sorted[i - 1], sorted[i]);
        if (!same)
            leader[count++] = sorted[i];
        out[sorted[i]] = (uint32_t)(count - 1);
    }
    mem_free(sorted);
    return count;
}

static void across_columns(Groups *g, const uint32_t *leader)
{
    const Column *last = &g->chunk.column[g->spec.keys - 1];
    double scale = largest(&g->chunk.column[shown_measure(g)]);
    for (size_t k = 0; k + 1 < g->spec.keys; k++)
        add_key(g, k);
    for (size_t i = 0; i < g->across_count; i++) {
        Text t = {0};
        if (column_has(last, leader[i]))
            column_print(last, leader[i], &t);
        else
            text_puts(&t, "missing");
        add_column(g, SHOW_ACROSS, i, text_str(&t), 9, ALIGN_RIGHT)->scale = scale;
        text_release(&t);
    }
}

static bool make_cross(Groups *g)
{
    size_t n = g->chunk.rows;
    uint32_t *down = mem_alloc((n + 1) * sizeof *down), *over = mem_alloc((n + 1) * sizeof *over);
    uint32_t *top = mem_alloc((n + 1) * sizeof *top);
    g->leader = mem_alloc((n + 1) * sizeof *g->leader);
    size_t rows = number_keys(g, 0, g->spec.keys - 1, down, g->leader);
    size_t columns = number_keys(g, g->spec.keys - 1, g->spec.keys, over, top);
    bool fits = columns <= ACROSS_MOST;
    if (fits) {
        g->rows = rows;
        g->across_count = columns;
        g->cross = mem_alloc((rows * columns + 1) * sizeof *g->cross);
        memset(g->cross, 0xff, rows * columns * sizeof *g->cross);
        for (size_t i = 0; i < n; i++)
            g->cross[(size_t)down[i] * columns + over[i]] = (uint32_t)i;
        across_columns(g, top);
    }
    mem_free(down);
    mem_free(over);
    mem_free(top);
    return fits;
}

void groups_take(DataState *s, Arena *arena, const Chunk *chunk)
{
    Groups *g = s->groups;
    Table table = g->table;
    groups_release(g);
    g->arena = *arena;
    *arena = (Arena){0};
    g->chunk = *chunk;
    g->made = true;
    g->total = 0;
    for (size_t i = 0; i < g->chunk.rows; i++)
        g->total += column_real(&g->chunk.column[g->spec.keys], i);
    g->across = g->across && g->spec.keys > 1 && make_cross(g);
    if (!g->across) {
        g->rows = g->chunk.rows;
        flat_columns(g);
    }
    g->order = mem_alloc((g->rows + 1) * sizeof *g->order);
    g->mark = mem_alloc(g->rows + 1);
    for (size_t i = 0; i < g->rows; i++)
        g->order[i] = (uint32_t)i;
    g->table = (Table){.cells = true,
                       .col = table.col < g->columns ? table.col : 0,
                       .frozen = g->across ? g->spec.keys - 1 : g->spec.keys};
}

/* ---- order ------------------------------------------------------------------------------------------------------- */

typedef struct ByColumn {
    const Groups *g;
    const GroupColumn *c;
    size_t column; /* of the chunk */
} ByColumn;

static uint32_t group_of(const ByColumn *by, uint32_t row)
{
    if (!by->g->cross)
        return row;
    return by->c->kind == SHOW_ACROSS ? by->g->cross[(size_t)row * by->g->across_count + by->c->at]
                                      : by->g->leader[row];
}

static int by_column(const void *x, const void *y, void *context)
{
    const ByColumn *by = context;
    uint32_t r = *(const uint32_t *)x, q = *(const uint32_t *)y;
    uint32_t a = group_of(by, r), b = group_of(by, q);
    bool none_a = a == UINT32_MAX, none_b = b == UINT32_MAX;
    const Column *c = &by->g->chunk.column[by->column];
    if (!none_a && !none_b) {
        none_a = !column_has(c, a);
        none_b = !column_has(c, b);
    }
    if (none_a || none_b)
        return none_a != none_b ? none_a - none_b : (r > q) - (r < q);
    int order = compare_values(c, a, b);
    return order ? (by->g->down ? -order : order) : (r > q) - (r < q);
}

void groups_sort(DataState *s)
{
    Groups *g = s->groups;
    if (!g->made || g->sort >= g->columns)
        return;
    const GroupColumn *c = &g->column[g->sort];
    ByColumn by = {g, c,
                   c->kind == SHOW_ACROSS                           ? shown_measure(g)
                   : c->kind == SHOW_KEY || c->kind == SHOW_MEASURE ? c->at
                                                                    : g->spec.keys};
    memset(g->mark, 0, g->rows);
    g->marks = 0;
    for (size_t i = 0; i < g->rows; i++)
        g->order[i] = (uint32_t)i;
    qsort_r(g->order, g->rows, sizeof *g->order, by_column, &by);
    g->table.at = g->table.top = 0;
}
