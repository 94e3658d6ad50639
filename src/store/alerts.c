/* alerts.c -- what someone should know of a deployment, from raised to resolved.
 *
 * An alert is open until it is resolved, and there is one open alert of a (deployment, subject, kind):
 * raising it again counts on. What was resolved a moment ago cools down: it is not raised anew. All of
 * it is decided in one transaction, so that two watchers, or a watcher and a server, raise it once. */
#include "store_int.h"

#include <stdio.h>

static void subject(int64_t id, char out[32])
{
    snprintf(out, 32, "alert %lld", (long long)id);
}

static bool count_on(Store *s, int64_t id, const AlertRow *r, int64_t now, Error *err)
{
    return store_exec(
        s, err,
        "UPDATE alerts SET count = count + 1, last = max(last, ?2), text = ?3, detail = ?4"
        " WHERE id = ?1",
        "iitt", id, now, r->text, r->detail);
}

static bool add(Store *s, const AlertRow *r, int64_t now, int64_t *id, Error *err)
{
    if (!store_exec(s, err,
                    "INSERT INTO alerts(deployment, subject, kind, text, detail, state, raised, "
                    "last, count,"
                    " acknowledged, resolved, actor) VALUES(?1, ?2, ?3, ?4, ?5, 'raised', ?6, ?6, "
                    "1, 0, 0, '')",
                    "ttttti", r->deployment, r->subject, r->kind, r->text, r->detail, now))
        return false;
    *id = sqlite3_last_insert_rowid(s->db);
    return true;
}

static bool open_or_count(Store *s, const AlertRow *r, double cool, int64_t *id, bool *fresh,
                          Error *err)
{
    int64_t now = r->raised ? r->raised : time_now(), open, cooling;
    if (!store_number(s, err, &open, 0,
                      "SELECT id FROM alerts WHERE deployment = ?1 AND subject = ?2 AND kind = ?3"
                      " AND state <> 'resolved'",
                      "ttt", r->deployment, r->subject, r->kind))
        return false;
    *id = open;
    if (open)
        return count_on(s, open, r, now, err);
    if (!store_number(
            s, err, &cooling, 0,
            "SELECT count(*) FROM alerts WHERE deployment = ?1 AND subject = ?2 AND kind = ?3"
            " AND resolved > ?4",
            "ttti", r->deployment, r->subject, r->kind,
            cool > 0 ? now - (int64_t)(cool * 1e6) : now))
        return false;
    if (cooling && cool > 0)
        return true;
    *fresh = true;
    return add(s, r, now, id, err);
}

bool store_alert_raise(Store *s, const AlertRow *row, double cool, int64_t *id, bool *fresh,
                       Error *err)
{
    *id = 0;
    *fresh = false;
    if (!store_begin(s, err))
        return false;
    if (open_or_count(s, row, cool, id, fresh, err))
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

/* From a state that is not `to` to it; says why not. */
static bool move(Store *s, int64_t id, const char *to, const char *sql, const char *actor,
                 Error *err)
{
    char what[32];
    int64_t known;
    if (!store_begin(s, err))
        return false;
    bool ok = store_number(s, err, &known, 0, "SELECT count(*) FROM alerts WHERE id = ?1", "i", id);
    if (ok && !known)
        ok = error_set(err, ERROR_USAGE, "no alert %lld; `lathe alerts` lists them", (long long)id);
    ok = ok && store_exec(s, err, sql, "iit", id, time_now(), actor);
    if (ok && sqlite3_changes(s->db) > 0) {
        subject(id, what);
        ok = store_exec(
            s, err,
            "INSERT INTO audit(time, actor, what, subject, text) SELECT ?1, ?2, ?3, ?4, text"
            " FROM alerts WHERE id = ?5",
            "ittti", time_now(), actor, to, what, id);
    }
    if (ok)
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

bool store_alert_acknowledge(Store *s, int64_t id, const char *actor, Error *err)
{
    return move(s, id, "acknowledge",
                "UPDATE alerts SET state = 'acknowledged', acknowledged = ?2, actor = ?3"
                " WHERE id = ?1 AND state = 'raised'",
                actor, err);
}

bool store_alert_resolve(Store *s, int64_t id, const char *actor, Error *err)
{
    return move(s, id, "resolve",
                "UPDATE alerts SET state = 'resolved', resolved = ?2, actor = ?3"
                " WHERE id = ?1 AND state <> 'resolved'",
                actor, err);
}

bool store_alert_reopen(Store *s, int64_t id, const char *actor, Error *err)
{
    return move(s, id, "reopen",
                "UPDATE alerts SET"
                " state = CASE WHEN state = 'resolved' AND acknowledged THEN 'acknowledged' ELSE 'raised' END,"
                " acknowledged = CASE state WHEN 'resolved' THEN acknowledged ELSE 0 END, resolved = 0, actor = ?3"
                " WHERE id = ?1 AND state <> 'raised'",
                actor, err);
}

bool store_alerts(Store *s, bool open_only, size_t most, Arena *a, AlertRow **out, size_t *n,
                  Error *err)
{
    VEC(AlertRow) rows = {0};
    bool ok;
    sqlite3_stmt *q =
        store_query(s, err,
                    "SELECT id, deployment, subject, kind, text, detail, state, raised, last,"
                    " count, acknowledged, resolved, actor FROM alerts"
                    " WHERE ?1 = 0 OR state <> 'resolved' ORDER BY id DESC LIMIT ?2",
                    "ii", (int64_t)open_only, most ? (int64_t)most : (int64_t)-1);
    while (store_next(s, q, &ok, err))
        vec_add(&rows, (AlertRow){
                           .id = sqlite3_column_int64(q, 0),
                           .deployment = store_text(q, 1, a),
                           .subject = store_text(q, 2, a),
                           .kind = store_text(q, 3, a),
                           .text = store_text(q, 4, a),
                           .detail = store_text(q, 5, a),
                           .state = store_text(q, 6, a),
                           .raised = sqlite3_column_int64(q, 7),
                           .last = sqlite3_column_int64(q, 8),
                           .count = sqlite3_column_int64(q, 9),
                           .acknowledged = sqlite3_column_int64(q, 10),
                           .resolved = sqlite3_column_int64(q, 11),
                           .actor = store_text(q, 12, a),
                       });
    store_give(&rows, a, out, n);
    return ok;
}
