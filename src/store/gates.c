/* gates.c -- what was asked of a model before it was let on: one row a rule, the rules that were checked
 * together under one number. */
#include "store_int.h"

static bool insert(Store *s, int64_t gate, const GateCheckRow *r, Error *err)
{
    return store_exec(s, err,
                      "INSERT INTO gate_checks(gate, time, deployment, model, against, rule, value,"
                      " other, bound, p, passed, note)"
                      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                      "iitiitddddit", gate, r->time ? r->time : time_now(), r->deployment, r->model,
                      r->against, r->rule, r->value, r->other, r->bound, r->p, (int64_t)r->passed,
                      r->note);
}

int64_t store_gate_add(Store *s, const GateCheckRow *rows, size_t n, Error *err)
{
    int64_t gate = 0;
    if (!store_begin(s, err))
        return 0;
    bool ok =
        store_number(s, err, &gate, 1, "SELECT coalesce(max(gate), 0) + 1 FROM gate_checks", "");
    for (size_t i = 0; ok && i < n; i++)
        ok = insert(s, gate, &rows[i], err);
    if (ok && store_commit(s, err))
        return gate;
    if (!ok)
        store_rollback(s);
    return 0;
}

#define CHECK_COLUMNS                                                                              \
    "id, gate, time, deployment, model, against, rule, value, other, bound, p, passed, note"

static GateCheckRow check_row(sqlite3_stmt *q, Arena *a)
{
    return (GateCheckRow){
        .id = sqlite3_column_int64(q, 0),
        .gate = sqlite3_column_int64(q, 1),
        .time = sqlite3_column_int64(q, 2),
        .deployment = store_text(q, 3, a),
        .model = sqlite3_column_int64(q, 4),
        .against = sqlite3_column_int64(q, 5),
        .rule = store_text(q, 6, a),
        .value = store_real(q, 7),
        .other = store_real(q, 8),
        .bound = store_real(q, 9),
        .p = store_real(q, 10),
        .passed = sqlite3_column_int(q, 11) != 0,
        .note = store_text(q, 12, a),
    };
}

bool store_gate_checks(Store *s, const char *deployment, size_t most, Arena *a, GateCheckRow **out,
                       size_t *n, Error *err)
{
    VEC(GateCheckRow) rows = {0};
    bool ok;
    sqlite3_stmt *q =
        deployment ? store_query(s, err,
                                 "SELECT " CHECK_COLUMNS " FROM gate_checks WHERE deployment = ?1"
                                 " ORDER BY gate DESC, id LIMIT ?2",
                                 "ti", deployment, (int64_t)most)
                   : store_query(s, err,
                                 "SELECT " CHECK_COLUMNS
                                 " FROM gate_checks ORDER BY gate DESC, id LIMIT ?1",
                                 "i", (int64_t)most);
    while (store_next(s, q, &ok, err))
        vec_add(&rows, check_row(q, a));
    store_give(&rows, a, out, n);
    return ok;
}
