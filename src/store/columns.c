/* columns.c -- the schema of every dataset, with the roles the user gave. */
#include "store_int.h"

bool store_dataset_columns(Store *s, const char *hash, Arena *a, ColumnRow **out, size_t *n,
                           Error *err)
{
    VEC(ColumnRow) rows = {0};
    bool ok;
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT name, type, role, nullable, distinct_values, missing,"
                                  " least, most FROM columns WHERE dataset = ?1 ORDER BY position",
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
