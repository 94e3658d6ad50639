/* columns.c -- the schema of every dataset, with the roles the user gave. */
#include "store_int.h"

bool store_dataset_columns(Store *s, const char *hash, Arena *a, ColumnRow **out, size_t *n,
                           Error *err)
{
    VEC(ColumnRow) rows = {0};
    bool ok;
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT name, type, role, nullable, distinct_values, missing,"
                                  " least, most, private FROM columns WHERE dataset = ?1 ORDER BY position",
                                  "t", hash);
    while (store_next(s, q, &ok, err))
        vec_add(&rows, (ColumnRow){
                           .name = store_text(q, 0, a),
                           .type = store_text(q, 1, a),
                           .role = store_text(q, 2, a),
                           .nullable = sqlite3_column_int(q, 3) != 0,
                           .distinct = store_real(q, 4),
                           .missing = sqlite3_column_int64(q, 5),
                           .least = store_text(q, 6, a),
                           .most = store_text(q, 7, a),
                           .private = sqlite3_column_int(q, 8) != 0,
                       });
    store_give(&rows, a, out, n);
    return ok;
}

static bool no_column(Store *s, const char *hash, const char *column, Error *err)
{
    Arena scratch = {0};
    ColumnRow *rows;
    size_t n;
    if (store_dataset_columns(s, hash, &scratch, &rows, &n, err)) {
        const char **names = ARENA_NEW(&scratch, const char *, n + 1);
        for (size_t i = 0; i < n; i++)
            names[i] = rows[i].name;
        const char *near = text_nearest(column, names, n);
        error_set(err, ERROR_USAGE, near ? "no column %s, did you mean %s?" : "no column %s",
                  column, near);
    }
    arena_release(&scratch);
    return false;
}

bool store_column_role(Store *s, const char *hash, const char *column, const char *role, Error *err)
{
    if (!store_exec(s, err, "UPDATE columns SET role = ?3 WHERE dataset = ?1 AND name = ?2", "ttt",
                    hash, column, role))
        return false;
    return sqlite3_changes(s->db) > 0 || no_column(s, hash, column, err);
}

/* The log has the columns of the table that a model's rows come from, at the root; what is cleaned from it is marked,
 * too, when it is made. */
bool store_column_private(Store *s, const char *hash, const char *column, bool private, Error *err)
{
    if (!store_exec(s, err,
                    "WITH RECURSIVE line(hash) AS (SELECT ?1 UNION SELECT d.parent FROM datasets d"
                    " JOIN line ON d.hash = line.hash WHERE d.parent <> '')"
                    " UPDATE columns SET private = ?3 WHERE name = ?2 AND dataset IN line",
                    "tti", hash, column, (int64_t)private))
        return false;
    return sqlite3_changes(s->db) > 0 || no_column(s, hash, column, err);
}
