/* deployments.c -- names under which models answer: each row the whole state of its roll-out, changed by
 * compare and swap on its revision, with a line of the audit in the same transaction. */
#include "store_int.h"

#define DEPLOYMENT_COLUMNS                                                                         \
    "id, revision, name, state, model, candidate, previous, percent, step, step_since, failed,"    \
    " passed, settings, created, changed"

static DeploymentRow deployment_row(sqlite3_stmt *q, Arena *a)
{
    return (DeploymentRow){
        .id = sqlite3_column_int64(q, 0),
        .revision = sqlite3_column_int64(q, 1),
        .name = store_text(q, 2, a),
        .state = store_text(q, 3, a),
        .model = sqlite3_column_int64(q, 4),
        .candidate = sqlite3_column_int64(q, 5),
        .previous = sqlite3_column_int64(q, 6),
        .percent = store_real(q, 7),
        .step = sqlite3_column_int64(q, 8),
        .step_since = sqlite3_column_int64(q, 9),
        .failed = sqlite3_column_int64(q, 10),
        .passed = sqlite3_column_int64(q, 11),
        .settings = store_text(q, 12, a),
        .created = sqlite3_column_int64(q, 13),
        .changed = sqlite3_column_int64(q, 14),
    };
}

static bool audit(Store *s, const char *name, const char *actor, const char *what, const char *text,
                  Error *err)
{
    Text subject = {0};
    text_printf(&subject, "deployment %s", name);
    bool ok = store_audit_add(s, actor, what, text_str(&subject), text, err);
    text_release(&subject);
    return ok;
}

static bool name_free(Store *s, const char *name, Error *err)
{
    int64_t n;
    return store_number(s, err, &n, 0, "SELECT count(*) FROM deployments WHERE name = ?1", "t",
                        name) &&
           (n == 0 || error_set(err, ERROR_USAGE, "there is a deployment %s already", name));
}

int64_t store_deployment_add(Store *s, const DeploymentRow *r, const char *actor, Error *err)
{
    int64_t id = 0, now = r->created ? r->created : time_now();
    if (!store_begin(s, err))
        return 0;
    if (name_free(s, r->name, err) &&
        store_exec(s, err,
                   "INSERT INTO deployments(revision, name, state, model, candidate, previous,"
                   " percent, step, step_since, failed, passed, settings, created, changed)"
                   " VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)",
                   "ttiiidiiiiti", r->name, r->state, r->model, r->candidate, r->previous,
                   r->percent, r->step, r->step_since, r->failed, r->passed, r->settings, now)) {
        id = sqlite3_last_insert_rowid(s->db);
        if (!store_exec(s, err,
                        "INSERT INTO audit(time, actor, what, subject, text)"
                        " VALUES(?1, ?2, 'create', 'deployment ' || ?3, coalesce((SELECT name || '/' ||"
                        " version || ' answers' FROM models WHERE id = ?4), ''))",
                        "itti", time_now(), actor, r->name, r->model))
            id = 0;
    }
    if (id && store_commit(s, err))
        return id;
    store_rollback(s);
    return 0;
}

bool store_deployments(Store *s, Arena *a, DeploymentRow **out, size_t *n, Error *err)
{
    VEC(DeploymentRow) rows = {0};
    bool ok;
    sqlite3_stmt *q =
        store_query(s, err, "SELECT " DEPLOYMENT_COLUMNS " FROM deployments ORDER BY name", "");
    while (store_next(s, q, &ok, err))
        vec_add(&rows, deployment_row(q, a));
    store_give(&rows, a, out, n);
    return ok;
}

static bool not_found(Store *s, const char *name, Error *err)
{
    Text makes = {0};
    text_printf(&makes, "`lathe deploy %s model=NAME` makes one", name);
    store_unknown(s, "deployment", name, "SELECT name FROM deployments ORDER BY name", NULL,
                  text_str(&makes), err);
    text_release(&makes);
    return false;
}

bool store_deployment_find(Store *s, const char *name, Arena *a, DeploymentRow *out, Error *err)
{
    bool ok, found = false;
    sqlite3_stmt *q = store_query(
        s, err, "SELECT " DEPLOYMENT_COLUMNS " FROM deployments WHERE name = ?1", "t", name);
    while (store_next(s, q, &ok, err)) {
        *out = deployment_row(q, a);
        found = true;
    }
    return ok && (found || not_found(s, name, err));
}

static bool swapped(Store *s, const DeploymentRow *r, Error *err)
{
    return sqlite3_changes(s->db) == 1 ||
           error_set(err, ERROR_STOP,
                     "deployment %s was changed by someone else meanwhile; look again", r->name);
}

bool store_deployment_change(Store *s, const DeploymentRow *r, const char *actor, const char *what,
                             const char *text, Error *err)
{
    if (!store_begin(s, err))
        return false;
    if (store_exec(s, err,
                   "UPDATE deployments SET revision = revision + 1, state = ?3, model = ?4,"
                   " candidate = ?5, previous = ?6, percent = ?7, step = ?8, step_since = ?9,"
                   " failed = ?10, passed = ?11, settings = ?12, changed = ?13"
                   " WHERE id = ?1 AND revision = ?2",
                   "iitiiidiiiiti", r->id, r->revision, r->state, r->model, r->candidate,
                   r->previous, r->percent, r->step, r->step_since, r->failed, r->passed,
                   r->settings, time_now()) &&
        swapped(s, r, err) && audit(s, r->name, actor, what, text, err))
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

bool store_deployment_remove(Store *s, const DeploymentRow *r, const char *actor, Error *err)
{
    if (!store_begin(s, err))
        return false;
    if (store_exec(s, err, "DELETE FROM deployments WHERE id = ?1 AND revision = ?2", "ii", r->id,
                   r->revision) &&
        swapped(s, r, err) && audit(s, r->name, actor, "remove", "", err))
        return store_commit(s, err);
    store_rollback(s);
    return false;
}
