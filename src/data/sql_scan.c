/* sql_scan.c -- going over the rows of a table: chunk by chunk, or along the chain of one value.
 *
 * Chunks whose least and most value exclude a condition are passed over; in the others all rows are
 * held against the conditions at once, and SQLite sees only those that pass. */
#include "sql_int.h"

#include <math.h>
#include <stdlib.h>

#define AHEAD_ROWS 12
#define SCANS_BEFORE_LOOKUP 3 /* a column asked for single values so often gets a Lookup */

static bool is_used(const SqlCursor *c, size_t column)
{
    return c->used >> (column < 63 ? column : 63) & 1;
}

static void finish(SqlCursor *c)
{
    c->chunk = dataset_chunks(c->dataset);
}

/* ---- a chunk ------------------------------------------------------------------------------------------ */

static void open_columns(SqlCursor *c, size_t chunk, Column *to)
{
    for (size_t i = 0; i < dataset_schema(c->dataset)->count; i++)
        if (c->open[i])
            dataset_column(c->dataset, chunk, i, &c->arena, &to[i]);
}

/* The rows of the chunk from `row` on that pass, into c->pick; false: none. */
static bool pick_rows(SqlCursor *c, size_t row)
{
    size_t end = c->last - c->first < c->rows ? (size_t)(c->last - c->first) + 1 : c->rows;
    size_t n = end > row ? end - row : 0;
    c->pick = NULL;
    c->picks = n;
    c->pick_at = 0;
    c->row = row;
    if (!c->limits)
        return n > 0;
    c->pick = ARENA_NEW(&c->arena, uint32_t, n + 1);
    for (size_t i = 0; i < n; i++)
        c->pick[i] = (uint32_t)(row + i);
    for (size_t i = 0; i < c->limits && n > 0; i++)
        n = limit_filter(&c->limit[i], &c->column[c->limit[i].column], c->pick, n);
    c->picks = n;
    c->row = n ? c->pick[0] : 0;
    return n > 0;
}

/* Passes over rows that an OFFSET asks to; true when the chunk has none left. */
static bool skip_rows(SqlCursor *c)
{
    uint64_t skip = c->skip < c->picks ? c->skip : c->picks;
    c->skip -= skip;
    c->pick_at = (size_t)skip;
    if (skip == c->picks)
        return true;
    c->row = c->pick ? c->pick[skip] : c->row + (size_t)skip;
    return false;
}

/* From chunk c->chunk on to the first row that is wanted. */
static void load_chunk(SqlCursor *c, size_t row)
{
    size_t chunks = dataset_chunks(c->dataset);
    for (; c->chunk < chunks && !c->stopped; c->chunk++, c->first += c->rows, row = 0) {
        c->stopped = sql_stopped(c->table->source->all);
        bool may = c->first <= c->last;
        c->rows = dataset_chunk_rows(c->dataset, c->chunk);
        if (!may)
            break;
        for (size_t i = 0; i < c->limits && may; i++)
            may = limit_may_hold(&c->limit[i], c->dataset, c->chunk);
        if (!may || (!c->limits && c->skip >= c->rows - row && c->first + c->rows - 1 <= c->last)) {
            c->skip -= may ? c->rows - row : 0;
            continue;
        }
        arena_reset(&c->arena);
        open_columns(c, c->chunk, c->column);
        if (pick_rows(c, row) && !skip_rows(c))
            return;
    }
    finish(c);
}

/* ---- a chain -------------------------------------------------------------------------------------------- */

static Column *columns_of(SqlCursor *c, size_t chunk)
{
    size_t count = dataset_schema(c->dataset)->count;
    if (!c->chunk_columns)
        c->chunk_columns = mem_alloc((dataset_chunks(c->dataset) + 1) * sizeof(Column *));
    if (!c->chunk_columns[chunk]) {
        c->chunk_columns[chunk] = ARENA_NEW(&c->arena, Column, count + 1);
        open_columns(c, chunk, c->chunk_columns[chunk]);
    }
    return c->chunk_columns[chunk];
}

/* limit[0] is the value that is looked up. */
static void follow_chain(SqlCursor *c)
{
    for (size_t steps = 1; c->next_row && !c->stopped; steps++) {
        if (steps % 4096 == 0)
            c->stopped = sql_stopped(c->table->source->all);
        uint64_t row = c->next_row - 1;
        c->next_row = c->lookup->next[row];
        if (row < c->from || row > c->last)
            continue;
        c->chunk = dataset_locate(c->dataset, row, &c->row);
        c->first = row - c->row;
        c->column = columns_of(c, c->chunk);
        bool holds = true;
        for (size_t i = 0; i < c->limits && holds; i++)
            holds = limit_holds(&c->limit[i], &c->column[c->limit[i].column], c->row);
        if (!holds)
            continue;
        if (!c->skip)
            return;
        c->skip--;
    }
    finish(c);
}

/* ---- groups --------------------------------------------------------------------------------------------- */

void sql_next_chunk(SqlCursor *c)
{
    c->first += c->rows;
    c->chunk++;
    load_chunk(c, 0);
}

static bool is_group(const SqlCursor *c, size_t column)
{
    for (size_t k = 0; k < c->groups; k++)
        if ((size_t)c->group[k] == column)
            return true;
    return false;
}

/* Values of a group lie far apart: the processor has to be told which come next. */
static void find_ahead(SqlCursor *c)
{
    c->aheads = 0;
    for (size_t i = 0; i < dataset_schema(c->dataset)->count && c->aheads < AHEAD_COLUMNS; i++) {
        const Column *col = &c->column[i];
        if (!c->open[i] || col->type == COLUMN_BOOL || is_group(c, i))
            continue;
        bool narrow = col->type == COLUMN_DATE || col->type == COLUMN_TEXT;
        c->ahead_size[c->aheads] = narrow ? sizeof(int32_t) : sizeof(int64_t);
        c->ahead[c->aheads++] = narrow ? (const char *)col->code : (const char *)col->integer;
    }
}

static void fetch_ahead(const SqlCursor *c)
{
    if (c->order_at + AHEAD_ROWS >= c->orders)
        return;
    uint64_t row = c->order[c->order_at + AHEAD_ROWS] - c->first;
    for (size_t i = 0; i < c->aheads && row < c->rows; i++)
        __builtin_prefetch(c->ahead[i] + row * c->ahead_size[i]);
}

static void show_ordered(SqlCursor *c)
{
    if (c->order_at >= c->orders) {
        finish(c);
        return;
    }
    uint64_t row = c->order[c->order_at++];
    if (row - c->first >= c->rows || !c->rows) {
        c->chunk = dataset_locate(c->dataset, row, &c->row);
        c->first = row - c->row;
        c->rows = dataset_chunk_rows(c->dataset, c->chunk);
        c->column = columns_of(c, c->chunk);
        find_ahead(c);
    }
    fetch_ahead(c);
    c->row = (size_t)(row - c->first);
    if (c->order_at > 1 && c->order_at <= c->group_end[c->group_at])
        return;
    while (c->order_at > c->group_end[c->group_at])
        c->group_at++;
    c->group_column = c->column;
    c->group_row = c->row;
    memset(c->group_made, 0, sizeof c->group_made);
}

/* ---- beginning -------------------------------------------------------------------------------------------- */

/* The limit of a column, which conditions on it share. */
static Limit *limit_of(SqlCursor *c, int column)
{
    for (size_t i = 0; i < c->limits; i++)
        if (c->limit[i].column == column)
            return &c->limit[i];
    limit_begin(&c->limit[c->limits], c->dataset, column);
    return &c->limit[c->limits++];
}

static void take_rows(SqlCursor *c, const Limit *l)
{
    if (l->none || l->high < 0 || l->low > l->high) {
        c->last = 0;
        c->from = 1;
        return;
    }
    if (l->low > 0 && (uint64_t)l->low > c->from)
        c->from = (uint64_t)l->low;
    if ((uint64_t)l->high < c->last)
        c->last = (uint64_t)l->high;
}

static void begin(SqlCursor *c)
{
    for (size_t i = 0; i < c->limits; i++)
        limit_release(&c->limit[i]);
    if (c->chunk_columns) /* what lookup scans opened goes with the arena */
        memset(c->chunk_columns, 0, dataset_chunks(c->dataset) * sizeof(Column *));
    arena_reset(&c->arena);
    c->column = c->own;
    c->limits = 0;
    c->skip = 0;
    c->stopped = false;
    c->from = 0;
    c->last = UINT64_MAX;
    c->by_lookup = false;
    mem_free(c->order);
    mem_free(c->group_end);
    c->order = c->group_end = NULL;
    c->groups = 0;
}

static void add_offset(SqlCursor *c, sqlite3_value *v)
{
    int64_t n = sqlite3_value_int64(v);
    c->skip = n > 0 ? (uint64_t)n : 0;
}

/* A word that a lookup is asked for, by hash once there is one; false: as any other condition. */
static bool take_word(SqlCursor *c, int column, int op, sqlite3_value *v)
{
    SqlTable *t = c->table;
    const Words *words = t->words[column];
    if (!words || op != SQLITE_INDEX_CONSTRAINT_EQ || !t->lookup[column].head ||
        sqlite3_value_type(v) != SQLITE_TEXT)
        return false;
    WordTable *index = &t->index[column];
    if (index->count == 0)
        for (size_t w = 0; w < words->count && !c->stopped; w++) {
            size_t n;
            const char *s = words_get(words, w, &n);
            wordtable_code(index, s, n);
            c->stopped = w % 4096 == 4095 && sql_stopped(t->source->all);
        }
    if (c->stopped)
        wordtable_release(index);
    const char *s = (const char *)sqlite3_value_text(v);
    if (index->count != words->count || !s) /* words that stand twice */
        return false;
    limit_one_code(limit_of(c, column), wordtable_find(index, s, (size_t)sqlite3_value_bytes(v)));
    return true;
}

/* One argument of the plan; moves `plan` behind it. first: the one that may be looked up. */
static void take_argument(SqlCursor *c, const char **plan, sqlite3_value *v, bool first)
{
    char *end;
    int column = (int)strtol(*plan, &end, 10), op = (int)strtol(end + 1, &end, 10);
    bool list = strtol(end + 1, &end, 10);
    *plan = end + 1;
    if (op == SQLITE_INDEX_CONSTRAINT_OFFSET) {
        add_offset(c, v);
    } else if (column < 0) {
        Limit rows;
        limit_begin(&rows, c->dataset, -1);
        if (list ? limit_add_list(&rows, c->dataset, v) : limit_add(&rows, c->dataset, op, v)) {
            if (list && rows.set) { /* from the first to the last of them; SQLite looks at each */
                rows.low = rows.whole[0];
                rows.high = rows.whole[rows.set - 1];
            } else if (list) {
                rows.none = true;
            }
            take_rows(c, &rows);
        }
        limit_release(&rows);
    } else if (list) {
        limit_add_list(limit_of(c, column), c->dataset, v);
    } else if (!first || !take_word(c, column, op, v)) {
        limit_add(limit_of(c, column), c->dataset, op, v);
    }
}

/* Whether the first condition can go by a chain; makes the chains when they are asked for often. */
static bool use_lookup(SqlCursor *c)
{
    SqlTable *t = c->table;
    uint64_t key;
    if (!c->limits || !limit_is_one(&c->limit[0], &key) || t->refused)
        return false;
    size_t column = (size_t)c->limit[0].column;
    if (!t->lookup[column].head) {
        if (++t->asked[column] <= SCANS_BEFORE_LOOKUP)
            return false;
        bool built = lookup_build(&t->lookup[column], t->source->all, c->dataset, column);
        c->stopped = !built && sql_stopped(t->source->all);
        t->refused = !built && !c->stopped;
        if (!built)
            return false;
    }
    c->lookup = &t->lookup[column];
    c->next_row = lookup_first(c->lookup, key);
    return true;
}

static void open_used(SqlCursor *c, const int *group, size_t groups)
{
    size_t count = dataset_schema(c->dataset)->count;
    const SqlComputed *computed = c->table->source->computed;
    for (size_t i = 0; i < count; i++)
        c->open[i] = is_used(c, i);
    for (size_t i = 0; i < c->limits; i++)
        c->open[c->limit[i].column] = true;
    for (size_t i = 0; i < c->table->source->places; i++)
        if (is_used(c, count + i) && computed[i].text)
            c->open[computed[i].column] = true;
    for (size_t i = 0; i < groups; i++) {
        size_t column = (size_t)group[i];
        c->open[column < count ? column : computed[column - count].column] = true;
    }
}

/* Which columns rows are to be grouped by; moves `plan` behind them. */
static size_t take_groups(const char **plan, int group[GROUPED_MOST])
{
    char *end;
    size_t n = strtoul(*plan, &end, 10);
    for (size_t i = 0; i < n; i++) {
        int column = (int)strtol(end + 1, &end, 10);
        if (i < GROUPED_MOST)
            group[i] = column;
    }
    *plan = end + 1;
    return n < GROUPED_MOST ? n : GROUPED_MOST;
}

int sql_filter(sqlite3_vtab_cursor *base, int number, const char *plan, int argc,
               sqlite3_value **argv)
{
    SqlCursor *c = (SqlCursor *)base;
    char *end;
    begin(c);
    finish(c);
    c->used = strtoull(plan, &end, 16);
    plan = end + 1;
    int group[GROUPED_MOST];
    size_t groups = take_groups(&plan, group);
    for (int i = 0; i < argc; i++)
        take_argument(c, &plan, argv[i], number & LOOKUP && i == 0);
    open_used(c, group, groups);
    for (size_t i = 0; i < c->limits; i++)
        if (c->limit[i].none)
            return SQLITE_OK;
    if (c->from >= dataset_rows(c->dataset) || c->from > c->last)
        return SQLITE_OK;
    if (number & LOOKUP && use_lookup(c)) {
        c->by_lookup = true;
        follow_chain(c);
        return c->stopped ? SQLITE_INTERRUPT : SQLITE_OK;
    }
    if (c->stopped)
        return SQLITE_INTERRUPT;
    size_t row;
    c->chunk = dataset_locate(c->dataset, c->from, &row);
    c->first = c->from - row;
    load_chunk(c, row);
    if (!groups || c->stopped)
        return c->stopped ? SQLITE_INTERRUPT : SQLITE_OK;
    if (!grouped_order(c, group, groups))
        return c->stopped ? SQLITE_INTERRUPT : SQLITE_NOMEM;
    arena_reset(&c->arena);
    c->order_at = 0;
    c->rows = 0;
    show_ordered(c);
    return SQLITE_OK;
}

int sql_next(sqlite3_vtab_cursor *base)
{
    SqlCursor *c = (SqlCursor *)base;
    if (c->order) {
        show_ordered(c);
    } else if (c->by_lookup) {
        follow_chain(c);
    } else if (++c->pick_at < c->picks) {
        c->row = c->pick ? c->pick[c->pick_at] : c->row + 1;
    } else {
        c->first += c->rows;
        c->chunk++;
        load_chunk(c, 0);
    }
    return c->stopped ? SQLITE_INTERRUPT : SQLITE_OK;
}
