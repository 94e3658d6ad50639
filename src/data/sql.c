/* sql.c -- a dataset as a read-only table of SQLite, over its mapped columns.
 *
 * sql_add_dataset registers a module and creates one temporary virtual table with the name that is
 * asked for. What a statement asks of it is planned in sql_plan.c; conditions (sql_limit.c) are held
 * against whole chunks (sql_scan.c), and a join by equality follows chains of rows (sql_lookup.c).
 *
 * bool is 0 or 1, time and date are ISO text, missing is NULL. Not a number is NULL in SQL. */
#include "sql_int.h"

/* ---- the table -------------------------------------------------------------------------------------- */

static const char *sql_type(ColumnType t)
{
    return t == COLUMN_REAL                       ? "REAL"
           : t == COLUMN_INT || t == COLUMN_BOOL ? "INTEGER"
           : t == COLUMN_DATE                    ? "DATE TEXT" /* of TEXT's affinity both */
           : t == COLUMN_TIME                    ? "TIME TEXT"
                                                 : "TEXT";
}

/* Behind the columns, not shown by *: places for what statements compute. */
static void add_places(const SqlSource *source, Text *sql)
{
    for (size_t i = 0; i < source->places; i++) {
        Text name = {0};
        sql_place_name(source, i, &name);
        text_puts(sql, ", ");
        sql_add_name(sql, text_str(&name));
        text_puts(sql, i < COMPUTED_PLAIN                                      ? " BLOB HIDDEN"
                       : i < COMPUTED_PLAIN + COMPUTED_WHOLE                   ? " INTEGER HIDDEN"
                       : i < COMPUTED_PLAIN + COMPUTED_WHOLE + COMPUTED_REAL ? " REAL HIDDEN"
                                                                               : " TEXT HIDDEN");
        text_release(&name);
    }
}

static void find_words(SqlTable *t)
{
    const Schema *s = dataset_schema(t->dataset);
    Arena a = {0};
    t->index = mem_alloc((s->count + 1) * sizeof *t->index);
    t->words = mem_alloc((s->count + 1) * sizeof *t->words);
    for (size_t i = 0; dataset_chunks(t->dataset) && i < s->count; i++) {
        Column c;
        if (s->field[i].type != COLUMN_TEXT)
            continue;
        dataset_column(t->dataset, 0, i, &a, &c);
        t->words[i] = c.words;
        arena_reset(&a);
    }
    arena_release(&a);
}

static int disconnect(sqlite3_vtab *base)
{
    SqlTable *t = (SqlTable *)base;
    for (size_t i = 0; i < dataset_schema(t->dataset)->count; i++)
        lookup_release(&t->lookup[i]);
    for (size_t i = 0; i < dataset_schema(t->dataset)->count; i++)
        wordtable_release(&t->index[i]);
    mem_free(t->index);
    mem_free(t->lookup);
    mem_free(t->asked);
    mem_free(t->words);
    mem_free(t);
    return SQLITE_OK;
}

static int connect(sqlite3 *db, void *context, int argc, const char *const *argv,
                   sqlite3_vtab **out, char **message)
{
    SqlSource *source = context;
    const Schema *s = dataset_schema(source->dataset);
    Text sql = {0};
    text_puts(&sql, "CREATE TABLE x(");
    for (size_t i = 0; i < s->count; i++) {
        text_puts(&sql, i ? ", " : "");
        sql_add_name(&sql, source->column[i]);
        text_printf(&sql, " %s", sql_type(s->field[i].type));
    }
    SqlTable *t = mem_alloc(sizeof *t);
    t->source = source;
    t->dataset = source->dataset;
    t->lookup = mem_alloc((s->count + 1) * sizeof *t->lookup);
    t->asked = mem_alloc((s->count + 1) * sizeof *t->asked);
    find_words(t);
    add_places(source, &sql);
    text_putc(&sql, ')');
    int code = sqlite3_declare_vtab(db, text_str(&sql));
    text_release(&sql);
    (void)argc, (void)argv;
    if (code != SQLITE_OK) {
        *message = sqlite3_mprintf("%s", sqlite3_errmsg(db));
        disconnect(&t->base);
        return code;
    }
    sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    *out = &t->base;
    return SQLITE_OK;
}

/* ---- scans ------------------------------------------------------------------------------------------- */

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
    SqlCursor *c = mem_alloc(sizeof *c);
    c->table = (SqlTable *)base;
    c->dataset = c->table->dataset;
    c->open = mem_alloc(dataset_schema(c->dataset)->count + 1);
    c->own = mem_alloc((dataset_schema(c->dataset)->count + 1) * sizeof *c->own);
    *out = &c->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    SqlCursor *c = (SqlCursor *)base;
    for (size_t i = 0; i < c->limits; i++)
        limit_release(&c->limit[i]);
    mem_free(c->chunk_columns);
    mem_free(c->order);
    mem_free(c->group_end);
    mem_free(c->open);
    mem_free(c->own);
    arena_release(&c->arena);
    text_release(&c->text);
    mem_free(c);
    return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *base)
{
    const SqlCursor *c = (const SqlCursor *)base;
    return c->chunk >= dataset_chunks(c->dataset);
}

static int row_number(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    const SqlCursor *c = (const SqlCursor *)base;
    *out = (sqlite3_int64)(c->first + c->row);
    return SQLITE_OK;
}

static const sqlite3_module dataset_module = {
    .iVersion = 1,
    .xCreate = connect,
    .xConnect = connect,
    .xDisconnect = disconnect,
    .xDestroy = disconnect,
    .xBestIndex = sql_best_index,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = sql_filter,
    .xNext = sql_next,
    .xEof = at_end,
    .xColumn = sql_column,
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
    sql_add_name(&sql, table);
    text_puts(&sql, " USING ");
    sql_add_name(&sql, text_str(&module));
    char *message = NULL;
    SqlTables *all = sql_tables_begin(db);
    bool ok = all && sql_add_functions(db) &&
              sqlite3_create_module_v2(db, text_str(&module), &dataset_module,
                                       sql_source_add(all, table, d), NULL) == SQLITE_OK &&
              sqlite3_exec(db, text_str(&sql), NULL, NULL, &message) == SQLITE_OK;
    if (!ok)
        error_set(err, ERROR_IO, "table %s: %s", table, message ? message : sqlite3_errmsg(db));
    sqlite3_free(message);
    text_release(&module);
    text_release(&sql);
    return ok;
}
