/* datasets.c -- versions of tables: by name the newest, by hash any; and the recipe being drafted. */
#include "store_int.h"

#include <ctype.h>
#include <string.h>

#define DATASET_COLUMNS                                                                            \
    "id, hash, name, source, source_tag, parent, recipe, plan, sniffed, rows, columns, bytes,"     \
    " rejects, created"

static DatasetRow dataset_row(sqlite3_stmt *q, Arena *a)
{
    return (DatasetRow){
        .id = sqlite3_column_int64(q, 0),
        .hash = store_text(q, 1, a),
        .name = store_text(q, 2, a),
        .source = store_text(q, 3, a),
        .source_tag = store_text(q, 4, a),
        .parent = store_text(q, 5, a),
        .recipe = store_text(q, 6, a),
        .plan = store_text(q, 7, a),
        .sniffed = store_text(q, 8, a),
        .rows = sqlite3_column_int64(q, 9),
        .columns = sqlite3_column_int64(q, 10),
        .bytes = sqlite3_column_int64(q, 11),
        .rejects = sqlite3_column_int64(q, 12),
        .created = sqlite3_column_int64(q, 13),
    };
}

static bool insert(Store *s, const DatasetRow *r, Error *err)
{
    return store_exec(s, err, "DELETE FROM datasets WHERE hash = ?1 AND name = ?2", "tt", r->hash,
                      r->name) &&
           store_exec(s, err,
                      "INSERT INTO datasets(hash, name, source, source_tag, parent, recipe, plan,"
                      " sniffed, rows, columns, bytes, rejects, created)"
                      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                      "tttttttt"
                      "iiiii",
                      r->hash, r->name, r->source, r->source_tag, r->parent, r->recipe, r->plan,
                      r->sniffed, r->rows, r->columns, r->bytes, r->rejects,
                      r->created ? r->created : time_now());
}

/* The same hash is the same table: columns that are there stay, with the roles the user gave. A column is private,
 * too, if the newest table of that name has it so; one that SQL made, if any table has. */
static bool insert_columns(Store *s, const DatasetRow *d, const ColumnRow *c, size_t n, Error *err)
{
    bool ok = true, sql = d->source && text_starts(d->source, "sql: ");
    for (size_t i = 0; ok && i < n; i++)
        ok = store_exec(
            s, err,
            "INSERT OR IGNORE INTO columns(dataset, position, name, type, role,"
            " nullable, distinct_values, missing, least, most, private)"
            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 OR EXISTS("
            "SELECT 1 FROM columns WHERE name = ?3 AND private AND (?13 OR dataset ="
            " (SELECT hash FROM datasets WHERE name = ?12 AND hash <> ?1 ORDER BY id DESC LIMIT 1))))",
            "tittt"
            "idi"
            "tt"
            "iti",
            d->hash, (int64_t)i, c[i].name, c[i].type, c[i].role, (int64_t)c[i].nullable,
            c[i].distinct, c[i].missing, c[i].least, c[i].most, (int64_t)c[i].private, d->name,
            (int64_t)sql);
    return ok;
}

int64_t store_dataset_add(Store *s, const DatasetRow *row, const ColumnRow *columns, size_t n,
                          Error *err)
{
    if (!store_begin(s, err))
        return 0;
    int64_t id = 0;
    if (insert(s, row, err)) {
        id = sqlite3_last_insert_rowid(s->db);
        if (!insert_columns(s, row, columns, n, err))
            id = 0;
    }
    if (id && store_commit(s, err))
        return id;
    store_rollback(s);
    return 0;
}

/* ---- finding ------------------------------------------------------------------------------------ */

static bool is_hash_prefix(const char *name)
{
    size_t n = strlen(name);
    if (n < 6 || n > 64)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isxdigit((unsigned char)name[i]))
            return false;
    return true;
}

static bool first_row(Store *s, sqlite3_stmt *q, Arena *a, DatasetRow *out, bool *found, Error *err)
{
    bool ok;
    while (store_next(s, q, &ok, err)) {
        if (!*found)
            *out = dataset_row(q, a);
        *found = true;
    }
    return ok;
}

static bool not_found(Store *s, const char *name, Error *err)
{
    return store_unknown(s, "dataset", name, "SELECT name FROM datasets ORDER BY id DESC",
                         "; `lathe ingest FILE` makes one", "`lathe data` lists them", err);
}

static bool ambiguous(Store *s, const char *prefix, bool *more, Error *err)
{
    int64_t n;
    if (!store_number(s, err, &n, 0,
                      "SELECT count(DISTINCT hash) FROM datasets WHERE substr(hash, 1, length(?1))"
                      " = lower(?1)",
                      "t", prefix))
        return false;
    *more = n > 1;
    return true;
}

bool store_dataset_find(Store *s, const char *name, Arena *a, DatasetRow *out, Error *err)
{
    bool found = false, more = false;
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT " DATASET_COLUMNS " FROM datasets WHERE name = ?1"
                                  " ORDER BY id DESC LIMIT 1",
                                  "t", name);
    if (!first_row(s, q, a, out, &found, err))
        return false;
    if (!found && is_hash_prefix(name)) {
        if (!ambiguous(s, name, &more, err))
            return false;
        if (more)
            return error_set(err, ERROR_USAGE,
                             "dataset %s: several hashes begin so; give more"
                             " digits",
                             name);
        q = store_query(s, err,
                        "SELECT " DATASET_COLUMNS " FROM datasets WHERE"
                        " substr(hash, 1, length(?1)) = lower(?1) ORDER BY id DESC LIMIT 1",
                        "t", name);
        if (!first_row(s, q, a, out, &found, err))
            return false;
    }
    return found || not_found(s, name, err);
}

bool store_dataset_parent(Store *s, const DatasetRow *row, Arena *a, DatasetRow *out, Error *err)
{
    bool found = false;
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT " DATASET_COLUMNS " FROM datasets WHERE hash = ?1 AND id <> ?2"
                                  " ORDER BY parent <> '', id DESC LIMIT 1",
                                  "ti", row->parent, row->id);
    if (!first_row(s, q, a, out, &found, err))
        return false;
    return found || error_set(err, ERROR_IO,
                              "dataset %s: its parent %.12s is not in the workspace; pull or ingest it again",
                              row->name, row->parent);
}

bool store_dataset_line(Store *s, const DatasetRow *from, Arena *a, DatasetRow **out, size_t *n, Error *err)
{
    enum { DEEPEST = 64 };
    DatasetRow *row = ARENA_NEW(a, DatasetRow, DEEPEST);
    bool ok = true;
    *out = row;
    row[0] = *from;
    for (*n = 1; ok && *row[*n - 1].parent; *n += ok)
        ok = *n == DEEPEST ? error_set(err, ERROR_SHAPE, "dataset %s: more than %d recipes deep", from->name, DEEPEST)
                           : store_dataset_parent(s, &row[*n - 1], a, &row[*n], err);
    return ok;
}

bool store_dataset_root(Store *s, const DatasetRow *from, Arena *a, DatasetRow *out, Error *err)
{
    DatasetRow *row;
    size_t n;
    if (!store_dataset_line(s, from, a, &row, &n, err))
        return false;
    *out = row[n - 1];
    return true;
}

bool store_datasets(Store *s, Arena *a, DatasetRow **out, size_t *n, Error *err)
{
    VEC(DatasetRow) rows = {0};
    bool ok;
    sqlite3_stmt *q =
        store_query(s, err, "SELECT " DATASET_COLUMNS " FROM datasets ORDER BY id DESC", "");
    while (store_next(s, q, &ok, err))
        vec_add(&rows, dataset_row(q, a));
    store_give(&rows, a, out, n);
    return ok;
}

bool store_dataset_rename(Store *s, const char *name, const char *to, Error *err)
{
    Arena scratch = {0};
    DatasetRow row;
    bool ok = *to || error_set(err, ERROR_USAGE, "dataset %s: the new name is empty", name);
    ok = ok && store_dataset_find(s, name, &scratch, &row, err) &&
         store_exec(s, err, "UPDATE OR REPLACE datasets SET name = ?2 WHERE id = ?1", "it", row.id,
                    to);
    arena_release(&scratch);
    return ok;
}

/* ---- drafts ------------------------------------------------------------------------------------- */

bool store_draft_set(Store *s, const char *hash, const char *recipe, Error *err)
{
    return store_exec(s, err,
                      "INSERT INTO drafts(dataset, recipe, time) VALUES(?1, ?2, ?3)"
                      " ON CONFLICT(dataset) DO UPDATE SET recipe = excluded.recipe,"
                      " time = excluded.time",
                      "tti", hash, recipe, time_now());
}

bool store_draft_get(Store *s, const char *hash, Arena *a, const char **recipe, Error *err)
{
    bool ok;
    sqlite3_stmt *q =
        store_query(s, err, "SELECT recipe FROM drafts WHERE dataset = ?1", "t", hash);
    *recipe = "";
    while (store_next(s, q, &ok, err))
        *recipe = store_text(q, 0, a);
    return ok;
}
