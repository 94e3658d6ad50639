/* rejects.c -- rows of a source that did not become rows of its dataset: line, reason, text. */
#include "store_int.h"

bool store_rejects_add(Store *s, const char *hash, const RejectRow *rows, size_t n, Error *err)
{
    if (!store_begin(s, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++)
        ok = store_exec(s, err,
                        "INSERT INTO rejects(dataset, line, reason, text) VALUES(?1, ?2, ?3, ?4)",
                        "titt", hash, rows[i].line, rows[i].reason, rows[i].text);
    if (ok)
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

bool store_rejects(Store *s, const char *hash, size_t most, Arena *a, RejectRow **out, size_t *n,
                   Error *err)
{
    VEC(RejectRow) rows = {0};
    bool ok;
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT line, reason, text FROM rejects WHERE dataset = ?1"
                                  " ORDER BY line LIMIT ?2",
                                  "ti", hash, most > INT64_MAX ? INT64_MAX : (int64_t)most);
    while (store_next(s, q, &ok, err))
        vec_add(&rows,
                (RejectRow){sqlite3_column_int64(q, 0), store_text(q, 1, a), store_text(q, 2, a)});
    store_give(&rows, a, out, n);
    return ok;
}
