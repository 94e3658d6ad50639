/* metrics.c -- the points of every curve: written by thousands, read as what is new.
 *
 * id is run << 40 | sequence (schema.c): viewers keep the id of the last point they saw as cursor
 * and read one range. A NaN value is stored as NULL. */
#include "store_int.h"

#include <math.h>
#include <string.h>

#define SEQUENCE_BITS 40

/* Takes n numbers of the run's sequence; *first is the first. */
static bool take_numbers(Store *s, int64_t run, size_t n, int64_t *first, Error *err)
{
    int64_t points;
    if (!store_number(s, err, &points, -1,
                      "UPDATE runs SET points = points + ?2 WHERE id = ?1 RETURNING points", "ii",
                      run, (int64_t)n))
        return false;
    if (points < 0)
        return error_set(err, ERROR_USAGE, "no run %lld; `lathe runs` lists them", (long long)run);
    *first = (run << SEQUENCE_BITS) + points - (int64_t)n + 1;
    return true;
}

static bool insert(Store *s, int64_t run, const MetricPoint *p, size_t n, Error *err)
{
    int64_t first = 0;
    bool ok = take_numbers(s, run, n, &first, err);
    for (size_t i = 0; ok && i < n; i++)
        ok = store_exec(s, err,
                        "INSERT INTO metrics(run, key, step, wall, value, id)"
                        " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                        "itiddi", run, p[i].key, p[i].step, p[i].wall, p[i].value,
                        first + (int64_t)i);
    return ok;
}

bool store_metrics_add(Store *s, int64_t run, const MetricPoint *points, size_t n, Error *err)
{
    if (n == 0)
        return true;
    if (!store_begin_relaxed(s, err))
        return false;
    if (insert(s, run, points, n, err))
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

/* ---- reading ------------------------------------------------------------------------------------ */

/* A run has some ten keys and many points: each key is kept once. */
typedef struct Keys {
    VEC(const char *) seen;
    size_t next;
} Keys;

static const char *intern(Keys *k, const char *key, Arena *a)
{
    size_t n = k->seen.count;
    for (size_t i = 0; i < n; i++) { /* they come in turns: the one after the last first */
        size_t at = k->next + i < n ? k->next + i : k->next + i - n;
        if (strcmp(k->seen.at[at], key) == 0) {
            k->next = at + 1 < n ? at + 1 : 0;
            return k->seen.at[at];
        }
    }
    return vec_add(&k->seen, arena_text(a, key));
}

static bool collect(Store *s, sqlite3_stmt *q, Arena *a, int64_t *cursor, MetricPoint **out,
                    size_t *n, Error *err)
{
    VEC(MetricPoint) rows = {0};
    Keys keys = {0};
    bool ok;
    while (store_next(s, q, &ok, err)) {
        const char *key = (const char *)sqlite3_column_text(q, 0);
        vec_add(&rows, (MetricPoint){intern(&keys, key ? key : "", a), sqlite3_column_int64(q, 1),
                                     sqlite3_column_double(q, 2), store_real(q, 3)});
        if (cursor)
            *cursor = sqlite3_column_int64(q, 4);
    }
    store_give(&rows, a, out, n);
    vec_release(&keys.seen);
    return ok;
}

bool store_metrics_since(Store *s, int64_t run, const char *key, int64_t *cursor, Arena *a,
                         MetricPoint **out, size_t *n, Error *err)
{
    int64_t from = run << SEQUENCE_BITS, to = (run + 1) << SEQUENCE_BITS;
    if (*cursor > from)
        from = *cursor;
    sqlite3_stmt *q = key ? store_query(s, err,
                                        "SELECT key, step, wall, value, id FROM metrics"
                                        " WHERE id > ?1 AND id < ?2 AND key = ?3 ORDER BY id",
                                        "iit", from, to, key)
                          : store_query(s, err,
                                        "SELECT key, step, wall, value, id FROM metrics"
                                        " WHERE id > ?1 AND id < ?2 ORDER BY id",
                                        "ii", from, to);
    return collect(s, q, a, cursor, out, n, err);
}

bool store_metrics_part(Store *s, int64_t run, int64_t *cursor, size_t most, Arena *a, MetricPoint **out,
                        size_t *n, Error *err)
{
    int64_t from = run << SEQUENCE_BITS;
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT key, step, wall, value, id FROM metrics"
                                  " WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3",
                                  "iii", *cursor > from ? *cursor : from, (run + 1) << SEQUENCE_BITS,
                                  (int64_t)most);
    return collect(s, q, a, cursor, out, n, err);
}

/* Jumps from key to key in the index instead of walking over all points. */
bool store_metrics_last(Store *s, int64_t run, Arena *a, MetricPoint **out, size_t *n, Error *err)
{
    sqlite3_stmt *q = store_query(
        s, err,
        "WITH RECURSIVE keys(key) AS ("
        "  SELECT min(key) FROM metrics WHERE run = ?1 UNION ALL"
        "  SELECT (SELECT min(key) FROM metrics WHERE run = ?1 AND key > keys.key)"
        "    FROM keys WHERE keys.key IS NOT NULL)"
        " SELECT m.key, m.step, m.wall, m.value, m.id FROM keys JOIN metrics m ON m.id ="
        "  (SELECT id FROM metrics WHERE run = ?1 AND key = keys.key"
        "    ORDER BY step DESC, id DESC LIMIT 1)"
        " WHERE keys.key IS NOT NULL ORDER BY m.key",
        "i", run);
    return collect(s, q, a, NULL, out, n, err);
}

/* Three steps down the index of the key, however long the curve is. */
static double pace_of(Store *s, int64_t run, const char *key)
{
    double pace = (double)NAN;
    bool ok;
    sqlite3_stmt *q = store_query(
        s, NULL,
        "WITH ends(first, last) AS (SELECT"
        "  (SELECT min(step) FROM metrics WHERE run = ?1 AND key = ?2),"
        "  (SELECT max(step) FROM metrics WHERE run = ?1 AND key = ?2))"
        " SELECT (b.step - a.step) / (b.wall - a.wall) FROM ends"
        "  JOIN metrics b ON b.run = ?1 AND b.key = ?2 AND b.step = last"
        "  JOIN metrics a ON a.id = (SELECT id FROM metrics WHERE run = ?1 AND key = ?2"
        "    AND step <= last - (last - first + 2) / 3 ORDER BY step DESC LIMIT 1)"
        " ORDER BY b.id DESC LIMIT 1",
        "it", run, key);
    while (store_next(s, q, &ok, NULL))
        pace = store_real(q, 0);
    return pace > 0 && isfinite(pace) ? pace : (double)NAN;
}

double store_run_pace(Store *s, int64_t run)
{
    double pace = pace_of(s, run, "train_loss");
    return isnan(pace) ? pace_of(s, run, "pretrain_loss") : pace;
}

bool store_metrics_cut(Store *s, int64_t run, int64_t after_step, Error *err)
{
    return store_exec(s, err,
                      "DELETE FROM metrics WHERE id BETWEEN ?1 << 40 AND ((?1 + 1) << 40) - 1"
                      " AND step > ?2",
                      "ii", run, after_step);
}
