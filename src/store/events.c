/* events.c -- what happened to a run: start, epoch, checkpoint, change, stop, end. */
#include "store_int.h"

int64_t store_event_add(Store *s, int64_t run, int64_t step, const char *kind, const char *text,
                        Error *err)
{
    if (!store_exec(s, err,
                    "INSERT INTO events(run, step, time, kind, text) VALUES(?1, ?2, ?3, ?4, ?5)",
                    "iiitt", run, step, time_now(), kind, text))
        return 0;
    return sqlite3_last_insert_rowid(s->db);
}

bool store_event_put(Store *s, const EventRow *e, Error *err)
{
    return store_exec(s, err,
                      "INSERT INTO events(run, step, time, kind, text) VALUES(?1, ?2, ?3, ?4, ?5)",
                      "iiitt", e->run, e->step, e->time, e->kind, e->text);
}

bool store_event_once(Store *s, int64_t run, int64_t step, const char *kind, const char *text,
                      Error *err)
{
    return store_exec(s, err,
                      "INSERT INTO events(run, step, time, kind, text) SELECT ?1, ?2, ?3, ?4, ?5"
                      " WHERE NOT EXISTS (SELECT 1 FROM events WHERE run = ?1 AND step = ?2 AND"
                      " kind = ?4 AND text = ?5)",
                      "iiitt", run, step, time_now(), kind, text);
}

bool store_events_since(Store *s, int64_t run, int64_t *cursor, Arena *a, EventRow **out, size_t *n,
                        Error *err)
{
    VEC(EventRow) rows = {0};
    bool ok;
    sqlite3_stmt *q = run ? store_query(s, err,
                                        "SELECT id, run, step, time, kind, text FROM events"
                                        " WHERE run = ?1 AND id > ?2 ORDER BY id",
                                        "ii", run, *cursor)
                          : store_query(s, err,
                                        "SELECT id, run, step, time, kind, text FROM events"
                                        " WHERE id > ?1 ORDER BY id",
                                        "i", *cursor);
    while (store_next(s, q, &ok, err)) {
        vec_add(&rows, (EventRow){sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1),
                                  sqlite3_column_int64(q, 2), sqlite3_column_int64(q, 3),
                                  store_text(q, 4, a), store_text(q, 5, a)});
        *cursor = sqlite3_column_int64(q, 0);
    }
    store_give(&rows, a, out, n);
    return ok;
}
