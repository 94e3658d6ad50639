/* sql_tables.c -- the datasets that were added to a connection, and stopping what it does. */
#include "sql_int.h"

#define ASK_SECONDS 0.005 /* between two looks whether to stop */
#define ASK_STEPS   1000  /* SQLite's own operations between two looks */
#define COLUMNS_MOST 2000 /* of a table of SQLite */

/* ---- names ------------------------------------------------------------------------------------------ */

void sql_add_name(Text *sql, const char *name)
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

/* With the table's name in it, so that a join of two does not know the name twice. */
void sql_place_name(const SqlSource *s, size_t place, Text *into)
{
    text_printf(into, "computed %zu of %s", place + 1, s->name);
}

/* ---- the tables of a connection ------------------------------------------------------------------------ */

#define POINTER "lathe tables" /* what sqlite3_value_pointer holds the argument to */

static void source_destroy(SqlSource *s)
{
    for (size_t i = 0; i < dataset_schema(s->dataset)->count; i++)
        mem_free(s->column[i]);
    for (size_t i = 0; i < COMPUTED_MOST; i++)
        computed_release(&s->computed[i]);
    mem_free(s->column);
    mem_free(s->name);
    mem_free(s);
}

static void destroy(void *tables)
{
    SqlTables *t = tables;
    for (size_t i = 0; i < t->source.count; i++)
        source_destroy(t->source.at[i]);
    vec_release(&t->source);
    sqlite3_close(t->own);
    mem_free(t);
}

static void give(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    SqlTables **to = sqlite3_value_pointer(argv[0], POINTER);
    (void)argc;
    if (to)
        *to = sqlite3_user_data(context);
}

/* SQLite 3.40 keeps nothing for its users beside a connection but what their functions know. */
SqlTables *sql_tables(struct sqlite3 *db)
{
    sqlite3_stmt *ask = NULL;
    SqlTables *t = NULL;
    if (sqlite3_prepare_v2(db, "SELECT lathe_tables(?)", -1, &ask, NULL) == SQLITE_OK) {
        sqlite3_bind_pointer(ask, 1, &t, POINTER, NULL);
        sqlite3_step(ask);
    }
    sqlite3_finalize(ask);
    return t;
}

SqlTables *sql_tables_begin(struct sqlite3 *db)
{
    SqlTables *t = sql_tables(db);
    if (t)
        return t;
    t = mem_alloc(sizeof *t);
    t->db = db;
    if (sqlite3_open(":memory:", &t->own) != SQLITE_OK || !sql_add_functions(t->own)) {
        destroy(t);
        return NULL;
    }
    /* it sorts in pieces of that size, during which it cannot be stopped; in memory that is all rows */
    sqlite3_exec(db, "PRAGMA temp_store=FILE; PRAGMA cache_size=-1000", NULL, NULL, NULL);
    int code = sqlite3_create_function_v2(db, "lathe_tables", 1, SQLITE_UTF8, t, give, NULL, NULL,
                                          destroy); /* which is called if this fails */
    return code == SQLITE_OK ? t : NULL;
}

SqlSource *sql_source_add(SqlTables *t, const char *name, const Dataset *d)
{
    SqlSource *s = mem_alloc(sizeof *s);
    s->all = t;
    s->name = text_copy(name);
    s->dataset = d;
    s->column = sql_names(dataset_schema(d));
    s->places = dataset_schema(d)->count + COMPUTED_MOST <= COLUMNS_MOST ? COMPUTED_MOST : 0;
    vec_add(&t->source, s);
    return s;
}

/* ---- stopping --------------------------------------------------------------------------------------------- */

/* Another statement on the connection ends at once when it was interrupted: before 3.41 the only way to
 * see that from inside of a step. */
static bool is_interrupted(struct sqlite3 *db)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(db, "SELECT 1", -1, &s, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(s);
    sqlite3_finalize(s);
    return code == SQLITE_INTERRUPT;
}

bool sql_stopped(SqlTables *t)
{
    double now = clock_now();
    if (now - t->asked < ASK_SECONDS)
        return false;
    if (progress_stopped(t->watched) || is_interrupted(t->db))
        return true; /* and so for who asks next */
    t->asked = now;
    return false;
}

static int asked_to_stop(void *progress)
{
    return progress_stopped(progress);
}

void sql_watch(struct sqlite3 *db, Progress *progress)
{
    SqlTables *t = sql_tables(db);
    if (t)
        t->watched = progress;
    sqlite3_progress_handler(db, progress ? ASK_STEPS : 0, progress ? asked_to_stop : NULL, progress);
}
