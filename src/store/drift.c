/* drift.c -- drift reports: the JSON whole, and its columns as rows for SQL. */
#include "store_int.h"

#include <math.h>

static const char *word(const json_t *from, const char *key)
{
    const char *t = json_string_value(json_object_get(from, key));
    return t ? t : "";
}

static double number(const json_t *from, const char *key)
{
    const json_t *v = json_object_get(from, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static bool insert_columns(Store *s, int64_t report, const json_t *columns, Error *err)
{
    size_t i;
    json_t *c;
    bool ok = true;
    json_array_foreach(columns, i, c)
    {
        if (!ok)
            break;
        ok = store_exec(
            s, err,
            "INSERT INTO drift_columns(report, position, \"column\", role, type, test,"
            " statistic, threshold, drifted) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            "iittttddi", report, (int64_t)i, word(c, "column"), word(c, "role"), word(c, "type"),
            word(c, "test"), number(c, "statistic"), number(c, "threshold"),
            (int64_t)json_is_true(json_object_get(c, "drifted")));
    }
    return ok;
}

int64_t store_drift_add(Store *s, const DriftRow *r, Error *err)
{
    json_error_t where;
    json_t *report = json_loads(r->report, 0, &where);
    if (!report) {
        error_set(err, ERROR_PARSE, "drift report: line %d: %s", where.line, where.text);
        return 0;
    }
    int64_t id = 0;
    if (store_begin(s, err)) {
        if (store_exec(s, err,
                       "INSERT INTO drift_reports(created, reference, current, drifted, report)"
                       " VALUES(?1, ?2, ?3, ?4, ?5)",
                       "ittit", r->created ? r->created : time_now(), r->reference, r->current,
                       (int64_t)r->drifted, r->report)) {
            id = sqlite3_last_insert_rowid(s->db);
            if (!insert_columns(s, id, json_object_get(report, "columns"), err))
                id = 0;
        }
        if (!id)
            store_rollback(s);
        else if (!store_commit(s, err))
            id = 0;
    }
    json_decref(report);
    return id;
}

bool store_drifts(Store *s, Arena *a, DriftRow **out, size_t *n, Error *err)
{
    VEC(DriftRow) rows = {0};
    bool ok;
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT id, created, reference, current, report, drifted"
                                  " FROM drift_reports ORDER BY id DESC",
                                  "");
    while (store_next(s, q, &ok, err))
        vec_add(&rows, (DriftRow){
                           .id = sqlite3_column_int64(q, 0),
                           .created = sqlite3_column_int64(q, 1),
                           .reference = store_text(q, 2, a),
                           .current = store_text(q, 3, a),
                           .report = store_text(q, 4, a),
                           .drifted = sqlite3_column_int(q, 5) != 0,
                       });
    store_give(&rows, a, out, n);
    return ok;
}
