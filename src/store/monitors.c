/* monitors.c -- points of the curves that watch a deployment, one a chunk, column and test.
 *
 * A chunk's points are written together or not at all, so that the `last` of the newest point says how
 * far the log of predictions was judged. */
#include "store_int.h"

static bool add(Store *s, const MonitorPointRow *r, Error *err)
{
    return store_exec(
        s, err,
        "INSERT INTO monitor_points(deployment, model, kind, \"column\", test, time_from,"
        " time_to, first, last, rows, value, low, high, truth, alarm, weight, detail)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        "titttiiiiiddddidt", r->deployment, r->model, r->kind, r->column, r->test, r->time_from,
        r->time_to, r->first, r->last, r->rows, r->value, r->low, r->high, r->truth,
        (int64_t)r->alarm, r->weight, r->detail);
}

bool store_monitor_points_add(Store *s, const MonitorPointRow *rows, size_t n, Error *err)
{
    bool ok = store_begin(s, err);
    if (!ok)
        return false;
    for (size_t i = 0; ok && i < n; i++)
        ok = add(s, &rows[i], err);
    if (ok)
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

bool store_monitor_points_since(Store *s, const char *deployment, int64_t *cursor, Arena *a,
                                MonitorPointRow **out, size_t *n, Error *err)
{
    VEC(MonitorPointRow) rows = {0};
    bool ok;
    sqlite3_stmt *q =
        store_query(s, err,
                    "SELECT id, deployment, model, kind, \"column\", test, time_from, time_to,"
                    " first, last, rows, value, low, high, truth, weight, alarm, detail"
                    " FROM monitor_points WHERE id > ?1 AND (?2 = '' OR deployment = ?2)"
                    " ORDER BY id",
                    "it", *cursor, deployment);
    while (store_next(s, q, &ok, err)) {
        vec_add(&rows, (MonitorPointRow){
                           .id = sqlite3_column_int64(q, 0),
                           .deployment = store_text(q, 1, a),
                           .model = sqlite3_column_int64(q, 2),
                           .kind = store_text(q, 3, a),
                           .column = store_text(q, 4, a),
                           .test = store_text(q, 5, a),
                           .time_from = sqlite3_column_int64(q, 6),
                           .time_to = sqlite3_column_int64(q, 7),
                           .first = sqlite3_column_int64(q, 8),
                           .last = sqlite3_column_int64(q, 9),
                           .rows = sqlite3_column_int64(q, 10),
                           .value = store_real(q, 11),
                           .low = store_real(q, 12),
                           .high = store_real(q, 13),
                           .truth = store_real(q, 14),
                           .weight = store_real(q, 15),
                           .alarm = sqlite3_column_int(q, 16) != 0,
                           .detail = store_text(q, 17, a),
                       });
        *cursor = vec_last(&rows)->id;
    }
    store_give(&rows, a, out, n);
    return ok;
}

bool store_monitor_truth(Store *s, const char *deployment, int64_t model, int64_t first,
                         const char *test, double truth, Error *err)
{
    return store_exec(s, err,
                      "UPDATE monitor_points SET truth = ?5 WHERE deployment = ?1 AND kind ="
                      " 'estimate' AND \"column\" = '' AND model = ?2 AND first = ?3 AND test = ?4",
                      "tiitd", deployment, model, first, test, truth);
}
