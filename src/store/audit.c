/* audit.c -- who did what: lines that are only ever added. */
#include "store_int.h"

bool store_audit_add(Store *s, const char *actor, const char *what, const char *subject,
                     const char *text, Error *err)
{
    return store_exec(s, err,
                      "INSERT INTO audit(time, actor, what, subject, text)"
                      " VALUES(?1, ?2, ?3, ?4, ?5)",
                      "itttt", time_now(), actor, what, subject, text);
}

bool store_audit(Store *s, const char *subject, size_t most, Arena *a, AuditRow **out, size_t *n,
                 Error *err)
{
    VEC(AuditRow) rows = {0};
    bool ok;
    sqlite3_stmt *q = subject ? store_query(s, err,
                                            "SELECT id, time, actor, what, subject, text FROM audit"
                                            " WHERE subject = ?1 ORDER BY id DESC LIMIT ?2",
                                            "ti", subject, (int64_t)most)
                              : store_query(s, err,
                                            "SELECT id, time, actor, what, subject, text FROM audit"
                                            " ORDER BY id DESC LIMIT ?1",
                                            "i", (int64_t)most);
    while (store_next(s, q, &ok, err))
        vec_add(&rows, (AuditRow){sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1),
                                  store_text(q, 2, a), store_text(q, 3, a), store_text(q, 4, a),
                                  store_text(q, 5, a)});
    store_give(&rows, a, out, n);
    return ok;
}
