/* predictions.c -- the log of predictions: DIR/predictions.db, what was answered and what came true.
 *
 * A file of its own, so that thousands of rows a second neither swell nor lock the workspace, and so that
 * it may be thrown away. Rows are appended in the order of their ids, which grow with time; the oldest go
 * first, in pieces of one short transaction each, and the pages they leave are used again. */
#include "store_int.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define BUSY_MS 5000
#define PIECE   4096 /* rows thrown away in one transaction */

struct PredictionLog {
    Store s;     /* the connection, with this file in place of lathe.db */
    bool shadow; /* its traffic tells a shadow's: not so in an old file that is only read */
};

/* ---- opening ----------------------------------------------------------------------------------------- */

static bool traffic_tells(Store *s, bool *shadow, Error *err)
{
    int64_t n;
    bool ok =
        store_number(s, err, &n, 0,
                     "SELECT count(*) FROM pragma_table_info('traffic') WHERE name = 'shadow'", "");
    *shadow = n > 0;
    return ok;
}

/* The tables there are to be, whichever of them there are. */
static bool make_tables(Store *s, bool fresh, Error *err)
{
    char sql[64];
    bool shadow;
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d", STORE_APPLICATION);
    if (sqlite3_exec(s->db, log_schema, NULL, NULL, NULL) != SQLITE_OK ||
        (fresh && sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK))
        return store_fail(s, err);
    return traffic_tells(s, &shadow, err) &&
           (shadow || sqlite3_exec(s->db, log_shadow_schema, NULL, NULL, NULL) == SQLITE_OK ||
            store_fail(s, err));
}

static bool set_up(Store *s, Error *err)
{
    int64_t application = 0;
    if (!store_number(s, err, &application, 0, "PRAGMA application_id", ""))
        return false;
    if (application != 0 && application != STORE_APPLICATION)
        return error_set(err, ERROR_USAGE, "%s/%s: an SQLite file of another program; move it away",
                         s->dir, s->file);
    if (s->mode == STORE_READ)
        return application != 0 ||
               error_set(err, ERROR_USAGE, "%s: no predictions are logged here", s->dir);
    if (application == 0 && /* a new file: before its first table */
        sqlite3_exec(s->db, "PRAGMA page_size=16384; PRAGMA auto_vacuum=INCREMENTAL", NULL, NULL,
                     NULL) != SQLITE_OK)
        return store_fail(s, err);
    if (!store_use_wal(s, err) || !store_begin(s, err))
        return false;
    if (make_tables(s, application == 0, err))
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

PredictionLog *prediction_log_open(const char *dir, StoreMode mode, Error *err)
{
    PredictionLog *l = mem_alloc(sizeof *l);
    Store *s = &l->s;
    struct stat st;
    Text path = {0};
    *s = (Store){.dir = text_copy(dir), .file = "predictions.db", .mode = mode};
    text_printf(&path, "%s/%s", dir, s->file);
    bool ok = true, there = stat(text_str(&path), &st) == 0;
    if (!there && mode == STORE_READ)
        ok = error_set(err, ERROR_USAGE, "%s: no predictions are logged here", dir);
    int flags =
        SQLITE_OPEN_NOMUTEX |
        (mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (ok && sqlite3_open_v2(text_str(&path), &s->db, flags, NULL) != SQLITE_OK)
        ok = s->db ? store_fail(s, err) : error_set(err, ERROR_SPACE, "%s: out of memory", dir);
    if (ok) {
        sqlite3_busy_timeout(s->db, BUSY_MS);
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_exec(
            s->db,
            "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"
            "PRAGMA synchronous=FULL; PRAGMA journal_size_limit=16777216",
            NULL, NULL, NULL);
        ok = set_up(s, err) && traffic_tells(s, &l->shadow, err);
    }
    text_release(&path);
    if (ok)
        return l;
    prediction_log_close(l);
    return NULL;
}

void prediction_log_close(PredictionLog *l)
{
    if (!l)
        return;
    while (l->s.depth > 0)
        store_rollback(&l->s);
    for (size_t i = 0; i < STORE_STATEMENTS; i++)
        sqlite3_finalize(l->s.cached[i].stmt);
    sqlite3_close(l->s.db);
    mem_free(l->s.dir);
    mem_free(l);
}

/* ---- writing ------------------------------------------------------------------------------------------ */

static bool end(Store *s, bool ok, Error *err)
{
    if (ok)
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

/* The truth of a shadow's row is that of the answer it stands beside, whichever comes first. */
static bool share_truth(Store *s, int64_t shadow, Error *err)
{
    return store_exec(s, err,
                      "INSERT OR REPLACE INTO feedback(prediction, time, truth, said)"
                      " SELECT ?1, time, truth, said FROM feedback WHERE prediction = ?2"
                      " AND EXISTS (SELECT 1 FROM predictions WHERE id = ?1 AND role = 'shadow')",
                      "ii", shadow, shadow - PREDICTION_SHADOW);
}

bool prediction_log_add(PredictionLog *l, const PredictionRow *rows, size_t n, Error *err)
{
    Store *s = &l->s;
    if (!store_begin_relaxed(s, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        const PredictionRow *r = &rows[i];
        ok = store_exec(
            s, err,
            "INSERT OR IGNORE INTO predictions(id, time, deployment, model, role, inputs,"
            " output, said, latency) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            "iitittdtd", r->id, r->time, r->deployment, r->model, r->role, r->inputs, r->output,
            r->said, r->latency);
    }
    return end(s, ok, err);
}

bool prediction_log_traffic(PredictionLog *l, const TrafficRow *rows, size_t n, Error *err)
{
    Store *s = &l->s;
    if (!store_begin_relaxed(s, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) { /* two servers may tell of the same second */
        const TrafficRow *r = &rows[i];
        ok = store_exec(
            s, err,
            "INSERT INTO traffic(time, deployment, model, requests, errors, rows,"
            " dropped, p50, p99, shadow) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
            " ON CONFLICT(time, deployment, model, shadow) DO UPDATE SET"
            " requests = requests + excluded.requests, errors = errors + excluded.errors,"
            " rows = rows + excluded.rows, dropped = dropped + excluded.dropped,"
            " p50 = max(coalesce(p50, 0), coalesce(excluded.p50, 0)),"
            " p99 = max(coalesce(p99, 0), coalesce(excluded.p99, 0))",
            "itiiiiiddi", r->time, r->deployment, r->model, r->requests, r->errors, r->rows,
            r->dropped, r->p50, r->p99, (int64_t)r->shadow);
    }
    return end(s, ok, err);
}

static bool add_feedback(Store *s, const PredictionRow *r, int64_t now, size_t *known, Error *err)
{
    int64_t there;
    if (!store_number(s, err, &there, 0, "SELECT count(*) FROM predictions WHERE id = ?1", "i",
                      r->id))
        return false;
    *known += there > 0;
    return store_exec(s, err,
                      "INSERT OR REPLACE INTO feedback(prediction, time, truth, said)"
                      " VALUES(?1, ?2, ?3, ?4)",
                      "iidt", r->id, r->truth_time ? r->truth_time : now, r->truth,
                      r->truth_said) &&
           share_truth(s, r->id + PREDICTION_SHADOW, err);
}

bool prediction_log_feedback(PredictionLog *l, const PredictionRow *rows, size_t n, size_t *known,
                             Error *err)
{
    Store *s = &l->s;
    int64_t now = time_now(), last;
    *known = 0;
    if (!store_begin(s, err))
        return false;
    /* each has a time of its own, so that whoever reads on from a time misses none */
    bool ok = store_number(s, err, &last, 0, "SELECT max(time) FROM feedback", "");
    now = last >= now && last - now < 60000000 ? last + 1 : now;
    for (size_t i = 0; ok && i < n; i++)
        ok = add_feedback(s, &rows[i], now + (int64_t)i, known, err);
    return end(s, ok, err);
}

/* ---- its size ------------------------------------------------------------------------------------------- */

static bool pragma_number(Store *s, const char *sql, int64_t *out, Error *err)
{
    return store_number(s, err, out, 0, sql, "");
}

static bool used_bytes(Store *s, int64_t *used, Error *err)
{
    int64_t pages, free_pages, size;
    if (!pragma_number(s, "PRAGMA page_count", &pages, err) ||
        !pragma_number(s, "PRAGMA freelist_count", &free_pages, err) ||
        !pragma_number(s, "PRAGMA page_size", &size, err))
        return false;
    *used = (pages - free_pages) * size;
    return true;
}

/* What belongs to the oldest predictions goes with them; without predictions the oldest of the rest. */
static bool drop_before(Store *s, int64_t last, Error *err)
{
    return store_exec(s, err, "DELETE FROM predictions WHERE id <= ?1", "i", last) &&
           store_exec(s, err, "DELETE FROM feedback WHERE prediction <= ?1", "i", last) &&
           store_exec(s, err, "DELETE FROM traffic WHERE time <= ?1 >> 12", "i", last);
}

static bool drop_piece(Store *s, bool *any, Error *err)
{
    int64_t last, before = sqlite3_total_changes(s->db);
    if (!store_begin_relaxed(s, err))
        return false;
    bool ok = store_number(s, err, &last, 0,
                           "SELECT max(id) FROM (SELECT id FROM predictions ORDER BY id LIMIT ?1)",
                           "i", (int64_t)PIECE);
    if (ok && last)
        ok = drop_before(s, last, err);
    else if (ok)
        ok = store_exec(s, err,
                        "DELETE FROM feedback WHERE prediction IN (SELECT prediction FROM feedback"
                        " ORDER BY prediction LIMIT ?1)",
                        "i", (int64_t)PIECE) &&
             store_exec(s, err,
                        "DELETE FROM traffic WHERE time IN (SELECT time FROM traffic ORDER BY time"
                        " LIMIT ?1)",
                        "i", (int64_t)PIECE);
    *any = sqlite3_total_changes(s->db) > before;
    return end(s, ok, err);
}

bool prediction_log_keep(PredictionLog *l, int64_t bytes, Error *err)
{
    Store *s = &l->s;
    int64_t used, pages, size;
    bool any = true;
    if (!used_bytes(s, &used, err))
        return false;
    if (used > bytes)
        while (any && used > bytes - bytes / 20) /* some room, not a row at a time */
            if (!drop_piece(s, &any, err) || !used_bytes(s, &used, err))
                return false;
    if (!pragma_number(s, "PRAGMA page_count", &pages, err) ||
        !pragma_number(s, "PRAGMA page_size", &size, err))
        return false;
    if (pages * size <= bytes)
        return true;
    /* the limit is lower than it was: pages go back to the disk, some at a time */
    return sqlite3_exec(s->db, "PRAGMA incremental_vacuum(4096)", NULL, NULL, NULL) == SQLITE_OK ||
           store_fail(s, err);
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

#define PREDICTION                                                                                 \
    "SELECT p.id, p.time, p.deployment, p.model, p.role, p.inputs, p.output, p.said, p.latency,"   \
    " f.truth, f.said, f.time FROM "

static PredictionRow row_of(sqlite3_stmt *q, Arena *a)
{
    return (PredictionRow){
        .id = sqlite3_column_int64(q, 0),
        .time = sqlite3_column_int64(q, 1),
        .deployment = store_text(q, 2, a),
        .model = sqlite3_column_int64(q, 3),
        .role = store_text(q, 4, a),
        .inputs = store_text(q, 5, a),
        .output = store_real(q, 6),
        .said = store_text(q, 7, a),
        .latency = store_real(q, 8),
        .truth = store_real(q, 9),
        .truth_said = store_text(q, 10, a),
        .truth_time = sqlite3_column_int64(q, 11),
    };
}

static bool rows_of(Store *s, sqlite3_stmt *q, Arena *a, PredictionRow **out, size_t *n, Error *err)
{
    VEC(PredictionRow) rows = {0};
    bool ok;
    while (store_next(s, q, &ok, err))
        vec_add(&rows, row_of(q, a));
    store_give(&rows, a, out, n);
    return ok;
}

bool prediction_log_since(PredictionLog *l, const char *deployment, int64_t *cursor, size_t most,
                          Arena *a, PredictionRow **out, size_t *n, Error *err)
{
    Store *s = &l->s;
    int64_t newest;
    /* what it saw before the rows: of those that come meanwhile none is passed over */
    if (!store_number(s, err, &newest, 0, "SELECT max(id) FROM predictions", ""))
        return false;
    sqlite3_stmt *q =
        deployment
            ? store_query(s, err,
                          PREDICTION "predictions p LEFT JOIN feedback f ON f.prediction = p.id"
                                     " WHERE p.id > ?1 AND p.deployment = ?2 ORDER BY p.id"
                                     " LIMIT ?3",
                          "iti", *cursor, deployment, (int64_t)most)
            : store_query(s, err,
                          PREDICTION "predictions p LEFT JOIN feedback f ON f.prediction = p.id"
                                     " WHERE p.id > ?1 ORDER BY p.id LIMIT ?2",
                          "ii", *cursor, (int64_t)most);
    if (!rows_of(s, q, a, out, n, err))
        return false;
    if (*n > 0)
        *cursor = (*out)[*n - 1].id;
    if (*n < most && newest > *cursor)
        *cursor = newest; /* the rest is of other deployments: not looked through again */
    return true;
}

bool prediction_log_get(PredictionLog *l, int64_t id, Arena *a, PredictionRow *out, Error *err)
{
    PredictionRow *rows;
    size_t n;
    sqlite3_stmt *q =
        store_query(&l->s, err,
                    PREDICTION "predictions p LEFT JOIN feedback f ON f.prediction = p.id"
                               " WHERE p.id = ?1",
                    "i", id);
    if (!rows_of(&l->s, q, a, &rows, &n, err))
        return false;
    if (!n)
        return error_set(err, ERROR_USAGE,
                         "no prediction %lld in the log; it was not sampled, or it was thrown away",
                         (long long)id);
    *out = rows[0];
    return true;
}

bool prediction_log_answers(PredictionLog *l, const char *deployment, int64_t since, size_t most,
                            Arena *a, PredictionRow **out, size_t *n, Error *err)
{
    sqlite3_stmt *q = store_query(&l->s, err,
                                  PREDICTION "feedback f JOIN predictions p ON p.id = f.prediction"
                                             " WHERE f.time > ?1 AND (?2 = '' OR p.deployment = ?2)"
                                             " ORDER BY f.time, f.prediction LIMIT ?3",
                                  "iti", since, deployment, (int64_t)most);
    return rows_of(&l->s, q, a, out, n, err);
}

#define TRAFFIC_SINCE(shadow)                                                                      \
    "SELECT time, deployment, model, requests, errors, rows, dropped, p50, p99, " shadow           \
    " FROM traffic WHERE time > ?1 AND (?2 = '' OR deployment = ?2)"                               \
    " ORDER BY time, deployment, model, 10"

static TrafficRow traffic_of(sqlite3_stmt *q, Arena *a)
{
    return (TrafficRow){
        .time = sqlite3_column_int64(q, 0),
        .deployment = store_text(q, 1, a),
        .model = sqlite3_column_int64(q, 2),
        .requests = sqlite3_column_int64(q, 3),
        .errors = sqlite3_column_int64(q, 4),
        .rows = sqlite3_column_int64(q, 5),
        .dropped = sqlite3_column_int64(q, 6),
        .p50 = store_real(q, 7),
        .p99 = store_real(q, 8),
        .shadow = sqlite3_column_int(q, 9) != 0,
    };
}

bool prediction_log_traffic_since(PredictionLog *l, const char *deployment, int64_t since, Arena *a,
                                  TrafficRow **out, size_t *n, Error *err)
{
    VEC(TrafficRow) rows = {0};
    bool ok;
    sqlite3_stmt *q =
        l->shadow ? store_query(&l->s, err, TRAFFIC_SINCE("shadow"), "it", since, deployment)
                  : store_query(&l->s, err, TRAFFIC_SINCE("0"), "it", since, deployment);
    while (store_next(&l->s, q, &ok, err))
        vec_add(&rows, traffic_of(q, a));
    store_give(&rows, a, out, n);
    return ok;
}

int64_t prediction_log_version_seen(PredictionLog *l)
{
    return store_version_seen(&l->s);
}
