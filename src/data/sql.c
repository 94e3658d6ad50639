/* sql.c -- a dataset as a read-only table of SQLite, over its mapped columns.
 *
 * sql_add_dataset registers a module and creates one temporary virtual table with the name that is
 * asked for. A scan goes chunk by chunk; only columns the query uses are looked at. Comparisons
 * with constants on numbers, times and dates are used to pass over chunks whose least and most
 * value exclude them, and the row number is looked up directly; SQLite checks every row itself.
 *
 * bool is 0 or 1, time and date are ISO text, missing is NULL. Not a number is NULL in SQL. */
#include "dataset_int.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>

#define BOUNDS_MOST 16 /* comparisons of one scan that are used; further ones only by SQLite */

typedef struct Table {
    sqlite3_vtab base; /* SQLite's part comes first */
    const Dataset *dataset;
} Table;

/* One comparison of a column (or of the row number) with a constant. */
typedef struct Bound {
    int column; /* -1: the row number */
    int op;     /* SQLITE_INDEX_CONSTRAINT_EQ, GT, GE, LT, LE */
    bool is_int;
    int64_t whole;
    double real;
} Bound;

typedef struct Cursor {
    sqlite3_vtab_cursor base;
    const Dataset *dataset;
    Arena arena;  /* the chunk's */
    size_t chunk; /* the chunk in `now`; dataset_chunks() at the end */
    Chunk now;
    size_t row;    /* in the chunk */
    uint64_t last; /* the scan ends with this row of the table */
    Bound bound[BOUNDS_MOST];
    size_t bounds;
    Text text;   /* of a time or a date */
    int64_t day; /* what day_text is of */
    char day_text[10];
} Cursor;

/* ---- the table -------------------------------------------------------------------------------------- */

static void add_name(Text *sql, const char *name) /* "it ""quotes""" */
{
    text_putc(sql, '"');
    for (; *name; name++) {
        if (*name == '"')
            text_putc(sql, '"');
        text_putc(sql, *name);
    }
    text_putc(sql, '"');
}

static bool is_taken(char *const *name, size_t n, const char *by)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(name[i], by) == 0)
            return true;
    return false;
}

/* SQL does not tell names apart by case: `a` and `A` become a and A_2. */
static char **sql_names(const Schema *s)
{
    char **name = mem_alloc((s->count + 1) * sizeof *name);
    for (size_t i = 0; i < s->count; i++) {
        name[i] = text_copy(s->field[i].name[0] ? s->field[i].name : "column");
        for (int k = 2; is_taken(name, i, name[i]); k++) {
            Text other = {0};
            text_printf(&other, "%s_%d", s->field[i].name, k);
            mem_free(name[i]);
            name[i] = text_take(&other);
        }
    }
    return name;
}

static const char *sql_type(ColumnType t)
{
    return t == COLUMN_REAL ? "REAL" : t == COLUMN_INT || t == COLUMN_BOOL ? "INTEGER" : "TEXT";
}

static int connect(sqlite3 *db, void *context, int argc, const char *const *argv,
                   sqlite3_vtab **out, char **message)
{
    const Dataset *d = context;
    const Schema *s = dataset_schema(d);
    Text sql = {0};
    char **name = sql_names(s);
    text_puts(&sql, "CREATE TABLE x(");
    for (size_t i = 0; i < s->count; i++) {
        text_puts(&sql, i ? ", " : "");
        add_name(&sql, name[i]);
        text_printf(&sql, " %s", sql_type(s->field[i].type));
        mem_free(name[i]);
    }
    mem_free(name);
    text_putc(&sql, ')');
    int code = sqlite3_declare_vtab(db, text_str(&sql));
    text_release(&sql);
    (void)argc, (void)argv;
    if (code != SQLITE_OK) {
        *message = sqlite3_mprintf("%s", sqlite3_errmsg(db));
        return code;
    }
    sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    Table *t = mem_alloc(sizeof *t);
    t->dataset = d;
    *out = &t->base;
    return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *t)
{
    mem_free(t);
    return SQLITE_OK;
}

/* ---- planning ---------------------------------------------------------------------------------------- */

static bool is_range(int op)
{
    return op == SQLITE_INDEX_CONSTRAINT_EQ || op == SQLITE_INDEX_CONSTRAINT_GT ||
           op == SQLITE_INDEX_CONSTRAINT_GE || op == SQLITE_INDEX_CONSTRAINT_LT ||
           op == SQLITE_INDEX_CONSTRAINT_LE;
}

static bool is_usable(const Dataset *d, const struct sqlite3_index_constraint *c)
{
    if (!c->usable || !is_range(c->op))
        return false;
    return c->iColumn < 0 || dataset_schema(d)->field[c->iColumn].type != COLUMN_TEXT;
}

/* The plan is a text: for each argument of the scan its column and operator, "3,4;-1,2;". */
static int best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    const Dataset *d = ((const Table *)base)->dataset;
    double rows = (double)dataset_rows(d) + 1;
    int used = 0;
    Text plan = {0};
    for (int i = 0; i < info->nConstraint && used < BOUNDS_MOST; i++) {
        const struct sqlite3_index_constraint *c = &info->aConstraint[i];
        if (!is_usable(d, c))
            continue;
        text_printf(&plan, "%d,%d;", c->iColumn, c->op);
        info->aConstraintUsage[i].argvIndex = ++used;
        if (c->iColumn < 0 && c->op == SQLITE_INDEX_CONSTRAINT_EQ) {
            rows = 1;
            info->idxFlags |= SQLITE_INDEX_SCAN_UNIQUE;
        } else {
            rows *= c->op == SQLITE_INDEX_CONSTRAINT_EQ ? 0.1 : 0.5;
        }
    }
    info->idxStr = sqlite3_mprintf("%s", text_str(&plan));
    info->needToFreeIdxStr = 1;
    info->estimatedRows = (sqlite3_int64)rows + 1;
    info->estimatedCost = rows * (1 + __builtin_popcountll(info->colUsed) * 0.1);
    if (info->nOrderBy == 1 && info->aOrderBy[0].iColumn < 0 && !info->aOrderBy[0].desc)
        info->orderByConsumed = 1; /* rows come in the order of their number */
    text_release(&plan);
    return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

/* ---- passing over chunks ------------------------------------------------------------------------------ */

/* -1, 0, 1: how the range's least (or most) value compares with the bound's constant. */
static int compare(const Bound *b, ColumnType type, int64_t whole, double real)
{
    if (type != COLUMN_REAL && b->is_int)
        return (whole > b->whole) - (whole < b->whole);
    double v = type == COLUMN_REAL ? real : (double)whole,
           w = b->is_int ? (double)b->whole : b->real;
    return (v > w) - (v < w);
}

static bool may_hold(const Cursor *c, const Bound *b, size_t chunk)
{
    const Range *range = dataset_ranges(c->dataset, chunk);
    ColumnType type = dataset_schema(c->dataset)->field[b->column].type;
    if (!range)
        return true;
    range += b->column;
    if (!range->some)
        return false; /* all missing: no comparison holds */
    int low = compare(b, type, range->least_int, range->least);
    int high = compare(b, type, range->most_int, range->most);
    switch (b->op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
        return low <= 0 && high >= 0;
    case SQLITE_INDEX_CONSTRAINT_GT:
    case SQLITE_INDEX_CONSTRAINT_GE:
        return high >= 0; /* rounding of big numbers: not > 0 */
    default:
        return low <= 0;
    }
}

static void load_chunk(Cursor *c, size_t row)
{
    size_t chunks = dataset_chunks(c->dataset);
    for (; c->chunk < chunks; c->chunk++) {
        bool may = true;
        for (size_t i = 0; i < c->bounds && may; i++)
            may = may_hold(c, &c->bound[i], c->chunk);
        if (!may)
            continue;
        arena_reset(&c->arena);
        dataset_chunk(c->dataset, c->chunk, &c->arena, &c->now);
        if (c->now.first > c->last)
            c->chunk = chunks;
        c->row = row;
        return;
    }
}

/* ---- scanning ------------------------------------------------------------------------------------------ */

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
    Cursor *c = mem_alloc(sizeof *c);
    c->dataset = ((const Table *)base)->dataset;
    *out = &c->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    Cursor *c = (Cursor *)base;
    arena_release(&c->arena);
    text_release(&c->text);
    mem_free(c);
    return SQLITE_OK;
}

/* A text constant compared with a time or a date: what number it stands for, if it is written as
 * ours are, or is the beginning of one ('2015-01-03' for a time: all of that day and later are
 * greater); else the comparison is left to SQLite. */
static bool text_bound(ColumnType type, sqlite3_value *v, Bound *b)
{
    const char *s = (const char *)sqlite3_value_text(v);
    size_t n = s ? strlen(s) : 0;
    Text again = {0};
    int64_t micros;
    if (!s || !time_parse(s, n, &micros))
        return false;
    b->is_int = true;
    b->whole = type == COLUMN_DATE ? micros / 86400000000 - (micros % 86400000000 < 0) : micros;
    if (type == COLUMN_DATE)
        date_format((int32_t)b->whole, &again);
    else
        time_format(micros, &again);
    size_t common = again.count < n ? again.count : n;
    bool alike = n >= 10 && memcmp(text_str(&again), s, common) == 0;
    text_release(&again);
    return alike;
}

static bool sortable(const Dataset *d, int column) /* years of four digits in the whole column */
{
    const ColumnProfile *p = &dataset_profile(d)->column[column];
    double day = p->type == COLUMN_DATE ? 1 : 86400e6;
    return p->least > -719000 * day && p->most < 2932000 * day;
}

static bool take_bound(const Dataset *d, sqlite3_value *v, Bound *b)
{
    ColumnType type = b->column < 0 ? COLUMN_INT : dataset_schema(d)->field[b->column].type;
    int kind = sqlite3_value_type(v);
    if (type == COLUMN_TIME || type == COLUMN_DATE)
        return kind == SQLITE_TEXT && sortable(d, b->column) && text_bound(type, v, b);
    if (kind == SQLITE_INTEGER) {
        b->is_int = true;
        b->whole = sqlite3_value_int64(v);
    } else if (kind == SQLITE_FLOAT) {
        b->is_int = false;
        b->real = sqlite3_value_double(v);
    }
    return kind == SQLITE_INTEGER || kind == SQLITE_FLOAT;
}

/* The rows [*from, c->last] that the bounds on the row number leave. */
static void bound_rows(Cursor *c, const Bound *b, uint64_t *from)
{
    int64_t low = 0, high = INT64_MAX;
    double real = b->is_int ? (double)b->whole : b->real;
    int64_t at = b->is_int ? b->whole : (int64_t)fmin(fmax(floor(real), -9e18), 9e18);
    if (b->op != SQLITE_INDEX_CONSTRAINT_LT && b->op != SQLITE_INDEX_CONSTRAINT_LE)
        low = at;
    if (b->op != SQLITE_INDEX_CONSTRAINT_GT && b->op != SQLITE_INDEX_CONSTRAINT_GE)
        high = b->is_int || at == INT64_MAX ? at : at + 1;
    if (low > 0 && (uint64_t)low > *from)
        *from = (uint64_t)low;
    if (high < 0)
        *from = UINT64_MAX;
    else if ((uint64_t)high < c->last)
        c->last = (uint64_t)high;
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *plan, int argc,
                  sqlite3_value **argv)
{
    Cursor *c = (Cursor *)base;
    uint64_t from = 0;
    size_t row = 0;
    c->bounds = 0;
    c->last = UINT64_MAX;
    c->chunk = dataset_chunks(c->dataset);
    for (int i = 0; i < argc; i++) {
        char *end;
        Bound b = {.column = (int)strtol(plan, &end, 10)};
        b.op = (int)strtol(end + 1, &end, 10);
        plan = end + 1;
        if (sqlite3_value_type(argv[i]) == SQLITE_NULL)
            return SQLITE_OK; /* nothing compares with NULL */
        if (!take_bound(c->dataset, argv[i], &b))
            continue;
        if (b.column < 0)
            bound_rows(c, &b, &from);
        else
            c->bound[c->bounds++] = b;
    }
    if (from < dataset_rows(c->dataset) && from <= c->last) {
        c->chunk = dataset_locate(c->dataset, from, &row);
        size_t first = c->chunk;
        load_chunk(c, row);
        if (c->chunk != first)
            c->row = 0;
    }
    (void)number;
    return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base)
{
    Cursor *c = (Cursor *)base;
    if (++c->row >= c->now.rows) {
        c->chunk++;
        load_chunk(c, 0);
    } else if (c->now.first + c->row > c->last) {
        c->chunk = dataset_chunks(c->dataset);
    }
    return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *base)
{
    const Cursor *c = (const Cursor *)base;
    return c->chunk >= dataset_chunks(c->dataset);
}

static void put_digits(char *to, unsigned v, int digits)
{
    while (digits-- > 0) {
        to[digits] = (char)('0' + v % 10);
        v /= 10;
    }
}

/* 2026-11-21 into c->day_text, which rows of one day share; false: a year of other than 4 digits. */
static bool day_text(Cursor *c, int64_t days)
{
    int year, month, day;
    if (days == c->day && c->day_text[0])
        return true;
    date_civil(days, &year, &month, &day);
    if (year < 1000 || year > 9999)
        return false;
    put_digits(c->day_text, (unsigned)year, 4);
    put_digits(c->day_text + 5, (unsigned)month, 2);
    put_digits(c->day_text + 8, (unsigned)day, 2);
    c->day_text[4] = c->day_text[7] = '-';
    c->day = days;
    return true;
}

/* As date_format and time_format have it, but for the usual years and whole seconds without them. */
static void give_text(Cursor *c, const Column *col, sqlite3_context *to)
{
    int64_t v = col->type == COLUMN_DATE ? col->day[c->row] : col->integer[c->row], rest = 0;
    int64_t days = v;
    if (col->type == COLUMN_TIME) {
        days = v / 86400000000 - (v % 86400000000 < 0);
        rest = v - days * 86400000000;
    }
    if (rest % 1000000 == 0 && day_text(c, days)) {
        char text[20];
        unsigned second = (unsigned)(rest / 1000000);
        memcpy(text, c->day_text, 10);
        memcpy(text + 10, " 00:00:00", 10);
        put_digits(text + 11, second / 3600, 2);
        put_digits(text + 14, second / 60 % 60, 2);
        put_digits(text + 17, second % 60, 2);
        sqlite3_result_text(to, text, col->type == COLUMN_DATE ? 10 : 19, SQLITE_TRANSIENT);
        return;
    }
    text_reset(&c->text);
    if (col->type == COLUMN_TIME)
        time_format(v, &c->text);
    else
        date_format((int32_t)v, &c->text);
    sqlite3_result_text64(to, text_str(&c->text), c->text.count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* Texts lie in the mapping or with the dataset, which outlive the connection: nothing is copied. */
static int column(sqlite3_vtab_cursor *base, sqlite3_context *to, int i)
{
    Cursor *c = (Cursor *)base;
    const Column *col = &c->now.column[i];
    size_t n;
    const char *s;
    if (!column_has(col, c->row))
        return SQLITE_OK; /* NULL */
    switch (col->type) {
    case COLUMN_BOOL:
        sqlite3_result_int(to, bit_get(col->bit, c->row));
        break;
    case COLUMN_INT:
        sqlite3_result_int64(to, col->integer[c->row]);
        break;
    case COLUMN_REAL:
        sqlite3_result_double(to, col->real[c->row]);
        break;
    case COLUMN_TIME:
    case COLUMN_DATE:
        give_text(c, col, to);
        break;
    default:
        s = column_text(col, c->row, &n);
        sqlite3_result_text64(to, s, n, SQLITE_STATIC, SQLITE_UTF8);
    }
    return SQLITE_OK;
}

static int row_number(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    const Cursor *c = (const Cursor *)base;
    *out = (sqlite3_int64)(c->now.first + c->row);
    return SQLITE_OK;
}

static const sqlite3_module dataset_module = {
    .iVersion = 1,
    .xCreate = connect,
    .xConnect = connect,
    .xDisconnect = disconnect,
    .xDestroy = disconnect,
    .xBestIndex = best_index,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = at_end,
    .xColumn = column,
    .xRowid = row_number,
};

bool sql_add_dataset(struct sqlite3 *db, const char *table, const Dataset *d, Error *err)
{
    Text module = {0}, sql = {0};
    if (dataset_schema(d)->count > 2000) /* SQLite's own limit */
        return error_set(err, ERROR_SHAPE, "table %s: %zu columns, SQL has at most 2000", table,
                         dataset_schema(d)->count);
    text_printf(&module, "lathe dataset %s", table);
    text_puts(&sql, "CREATE VIRTUAL TABLE temp.");
    add_name(&sql, table);
    text_puts(&sql, " USING ");
    add_name(&sql, text_str(&module));
    char *message = NULL;
    bool ok = sqlite3_create_module_v2(db, text_str(&module), &dataset_module, (void *)(uintptr_t)d,
                                       NULL) == SQLITE_OK &&
              sqlite3_exec(db, text_str(&sql), NULL, NULL, &message) == SQLITE_OK;
    if (!ok)
        error_set(err, ERROR_IO, "table %s: %s", table, message ? message : sqlite3_errmsg(db));
    sqlite3_free(message);
    text_release(&module);
    text_release(&sql);
    return ok;
}
