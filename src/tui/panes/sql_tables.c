/* sql_tables.c -- which tables and columns a statement may name: the list, completion, corrections. */
#include "sql_int.h"

#include <ctype.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void sql_tables_free(void *tables)
{
    SqlTables *t = tables;
    if (!t)
        return;
    vec_release(&t->table);
    arena_release(&t->arena);
    mem_free(t);
}

static bool known(const SqlTables *t, const char *name)
{
    for (size_t i = 0; i < t->table.count; i++)
        if (!strcmp(t->table.at[i].name, name))
            return true;
    return false;
}

static bool load_datasets(Store *s, SqlTables *t, Error *err)
{
    DatasetRow *row;
    size_t n;
    bool ok = store_datasets(s, &t->arena, &row, &n, err);
    for (size_t i = 0; ok && i < n; i++) {
        ColumnRow *column;
        SqlTable table = {.name = row[i].name, .dataset = true, .rows = row[i].rows};
        if (known(t, row[i].name)) /* an older version */
            continue;
        ok = store_dataset_columns(s, row[i].hash, &t->arena, &column, &table.columns, err);
        if (!ok)
            break;
        table.column = ARENA_NEW(&t->arena, const char *, table.columns + 1);
        table.type = ARENA_NEW(&t->arena, const char *, table.columns + 1);
        for (size_t k = 0; k < table.columns; k++) {
            table.column[k] = column[k].name;
            table.type[k] = column[k].type;
        }
        vec_add(&t->table, table);
    }
    return ok;
}

/* The tables of the store itself: runs, metrics and so on. */
static bool load_own(Store *s, SqlTables *t, Error *err)
{
    static const char text[] =
        "select m.name, c.name, c.type from sqlite_master m, pragma_table_info(m.name) c"
        " where m.type in ('table', 'view') and m.name not like 'sqlite!_%' escape '!'"
        " order by m.name in ('settings', 'drafts', 'commands'), m.rootpage, c.cid";
    sqlite3 *db = store_handle(s);
    sqlite3_stmt *row = NULL;
    if (sqlite3_prepare_v2(db, text, -1, &row, NULL) != SQLITE_OK)
        return error_set(err, ERROR_IO, "%s", sqlite3_errmsg(db));
    SqlTable *table = NULL;
    while (sqlite3_step(row) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(row, 0);
        if (!table || strcmp(table->name, name) != 0) {
            table = vec_slot(&t->table);
            *table = (SqlTable){.name = arena_text(&t->arena, name)};
            table->column = ARENA_NEW(&t->arena, const char *, 64);
            table->type = ARENA_NEW(&t->arena, const char *, 64);
        }
        if (table->columns == 64)
            continue;
        table->column[table->columns] =
            arena_text(&t->arena, (const char *)sqlite3_column_text(row, 1));
        table->type[table->columns++] =
            arena_text(&t->arena, (const char *)sqlite3_column_text(row, 2));
    }
    sqlite3_finalize(row);
    return true;
}

void *sql_tables_load(JobContext *c, void *input, Error *err)
{
    (void)input;
    Store *s = job_store(c, err);
    SqlTables *t = mem_alloc(sizeof *t);
    if (s && load_datasets(s, t, err) && load_own(s, t, err))
        return t;
    sql_tables_free(t);
    return NULL;
}

void tables_rows(const SqlTables *t, TablesRows *out)
{
    out->count = 0;
    for (size_t i = 0; t && i < t->table.count; i++) {
        vec_add(out, (TablesRow){i, SIZE_MAX});
        for (size_t k = 0; t->table.at[i].open && k < t->table.at[i].columns; k++)
            vec_add(out, (TablesRow){i, k});
    }
}

/* ---- the list ------------------------------------------------------------------------------------------- */

static void list_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const SqlState *s = context;
    TablesRow at = s->rows.at[row];
    const SqlTable *t = &s->tables->table.at[at.table];
    if (at.column == SIZE_MAX) {
        if (column == 0)
            text_printf(out->text, "%s %s", t->open ? "-" : "+", t->name);
        else if (t->dataset)
            text_add_count(out->text, (double)t->rows);
        out->style = column ? STYLE_DIM : t->dataset ? STYLE_STRONG : STYLE_PLAIN;
        return;
    }
    text_printf(out->text, "%s%s", column ? "" : "    ",
                column ? t->type[at.column] : t->column[at.column]);
    out->style = column ? STYLE_DIM : STYLE_PLAIN;
}

TableSource sql_list(const SqlState *s)
{
    static const TableColumn columns[] = {{.title = "Name", .width = 17, .stretch = true},
                                          {.title = "", .width = 9, .align = ALIGN_RIGHT}};
    return (TableSource){.context = s,
                         .rows = s->rows.count,
                         .columns = 2,
                         .column = columns,
                         .cell = list_cell,
                         .empty = "reading the tables"};
}

/* ---- words ------------------------------------------------------------------------------------------------ */

// clang-format off
static const char *const keywords[] = {
    "select", "from", "where", "group", "by", "order", "having", "limit", "offset", "join", "left",
    "inner", "cross", "outer", "on", "using", "as", "and", "or", "not", "in", "is", "null", "like",
    "between", "case", "when", "then", "else", "end", "distinct", "union", "all", "except",
    "intersect", "with", "recursive", "desc", "asc", "exists", "cast", "over", "partition", "values",
    "filter", "collate", "nulls", "first", "last", "true", "false", "glob", "escape", "window", "rows"};
static const char *const functions[] = {
    "count", "avg", "sum", "min", "max", "total", "abs", "round", "length", "lower", "upper", "substr",
    "coalesce", "ifnull", "nullif", "iif", "instr", "replace", "trim", "date", "time", "datetime",
    "strftime", "julianday", "group_concat", "row_number", "rank", "lag", "lead", "typeof", "printf"};
// clang-format on
#define COUNT(array) (sizeof(array) / sizeof *(array))

bool sql_keyword(const char *s, size_t n)
{
    for (size_t i = 0; i < COUNT(keywords); i++)
        if (strlen(keywords[i]) == n && !strncasecmp(keywords[i], s, n))
            return true;
    return false;
}

static bool plain(const char *name)
{
    bool ok = isalpha((unsigned char)*name) || *name == '_';
    for (const char *s = name; ok && *s; s++)
        ok = isalnum((unsigned char)*s) || *s == '_';
    return ok && !sql_keyword(name, strlen(name));
}

void sql_name(const char *name, Text *into)
{
    if (plain(name)) {
        text_puts(into, name);
        return;
    }
    text_putc(into, '"');
    for (const char *s = name; *s; s++) {
        if (*s == '"')
            text_putc(into, '"');
        text_putc(into, *s);
    }
    text_putc(into, '"');
}

/* ---- completion ----------------------------------------------------------------------------------------------- */

typedef struct Offer {
    const char *word; /* what is typed of it */
    size_t size;
    void (*add)(void *, const char *);
    void *context;
} Offer;

static void offer(const Offer *o, const char *name, bool is_name)
{
    Text t = {0};
    if (is_name)
        sql_name(name, &t);
    else
        text_puts(&t, name);
    if (!is_name && o->size && isupper((unsigned char)*o->word))
        for (size_t i = 0; i < t.count; i++)
            t.at[i] = (char)toupper((unsigned char)t.at[i]);
    if (t.count >= o->size && !strncasecmp(text_str(&t), o->word, o->size))
        o->add(o->context, text_str(&t));
    text_release(&t);
}

static void offer_columns(const Offer *o, const SqlTable *t)
{
    for (size_t i = 0; i < t->columns; i++)
        offer(o, t->column[i], true);
}

static bool part_of_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (c & 0x80);
}

/* The next word at or after *s, names in quotes included; false at the end. */
static bool next_word(const char **s, const char **word, size_t *n)
{
    while (**s && !part_of_name(**s) && **s != '"')
        ++*s;
    if (!**s)
        return false;
    bool quoted = **s == '"';
    *word = *s + quoted;
    *s = *word;
    while (**s && (quoted ? **s != '"' : part_of_name(**s)))
        ++*s;
    *n = (size_t)(*s - *word);
    *s += quoted && **s;
    return true;
}

static bool same(const char *name, const char *word, size_t n)
{
    return strlen(name) == n && !strncasecmp(name, word, n);
}

static const SqlTable *find_table(const SqlTables *t, const char *word, size_t n)
{
    for (size_t i = 0; i < t->table.count; i++)
        if (same(t->table.at[i].name, word, n))
            return &t->table.at[i];
    return NULL;
}

/* "from runs r" and "from runs as r": the table an alias stands for, or the table of that name. */
static const SqlTable *find_alias(const SqlTables *t, const char *text, const char *alias,
                                  size_t size)
{
    const SqlTable *before = NULL, *found = find_table(t, alias, size);
    const char *word;
    size_t n;
    for (const char *s = text; !found && next_word(&s, &word, &n);) {
        if (before && n == size && !strncasecmp(word, alias, n) && word != alias)
            found = before;
        if (!same("as", word, n))
            before = find_table(t, word, n);
    }
    return found;
}

static bool mentioned(const SqlTable *t, const char *text)
{
    const char *word;
    size_t n;
    for (const char *s = text; next_word(&s, &word, &n);)
        if (same(t->name, word, n))
            return true;
    return false;
}

static bool after_from(const char *text, const char *end)
{
    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    size_t n = 0;
    while (end - n > text && part_of_name(end[-(ptrdiff_t)n - 1]))
        n++;
    return (n == 4 && (!strncasecmp(end - n, "from", 4) || !strncasecmp(end - n, "join", 4)));
}

void sql_complete(const SqlTables *t, const char *text, void (*add)(void *, const char *),
                  void *context)
{
    const char *end = text + strlen(text), *word = end;
    while (word > text && part_of_name(word[-1]))
        word--;
    if (word > text && word[-1] == '"')
        word--;
    Offer o = {.word = word, .size = (size_t)(end - word), .add = add, .context = context};
    if (word > text && word[-1] == '.') {
        const char *from = word - 1, *to = word - 1;
        while (from > text && part_of_name(from[-1]))
            from--;
        const SqlTable *table = find_alias(t, text, from, (size_t)(to - from));
        if (table)
            offer_columns(&o, table);
        return;
    }
    bool tables_only = after_from(text, word), any = false;
    for (size_t i = 0; !tables_only && i < t->table.count; i++)
        if (mentioned(&t->table.at[i], text)) {
            offer_columns(&o, &t->table.at[i]);
            any = true;
        }
    for (size_t i = 0; i < t->table.count; i++)
        offer(&o, t->table.at[i].name, true);
    for (size_t i = 0; !tables_only && o.size && i < COUNT(keywords); i++)
        offer(&o, keywords[i], false);
    for (size_t i = 0; !tables_only && o.size && i < COUNT(functions); i++)
        offer(&o, functions[i], false);
    for (size_t i = 0; !tables_only && !any && o.size && i < t->table.count; i++)
        offer_columns(&o, &t->table.at[i]);
}

/* "no such column: r.MILAGE": the nearest name there is. */
const char *sql_did_you_mean(const SqlTables *t, const char *error)
{
    bool table = strstr(error, "no such table: ") != NULL;
    const char *colon = table || strstr(error, "no such column: ") ? strrchr(error, ':') : NULL;
    if (!t || !colon)
        return NULL;
    const char *word = strrchr(colon, '.') ? strrchr(colon, '.') + 1 : colon + 2;
    VEC(const char *) names = {0};
    for (size_t i = 0; i < t->table.count; i++) {
        if (table)
            vec_add(&names, t->table.at[i].name);
        for (size_t k = 0; !table && k < t->table.at[i].columns; k++)
            vec_add(&names, t->table.at[i].column[k]);
    }
    const char *near = text_nearest(word, names.at, names.count);
    vec_release(&names);
    return near;
}
