/* checkpoints.c -- which steps of a run can be gone back to, and where their files are. */
#include "store_int.h"

static bool insert(Store *s, const CheckpointRow *r, Error *err)
{
    return store_exec(s, err,
                      "INSERT INTO checkpoints(run, step, epoch, created, path, value, best)"
                      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(run, step) DO UPDATE SET"
                      " epoch = excluded.epoch, created = excluded.created, path = excluded.path,"
                      " value = excluded.value, best = excluded.best",
                      "iiiitdi", r->run, r->step, r->epoch, r->created ? r->created : time_now(),
                      r->path, r->value, (int64_t)r->best);
}

/* A run has one best: a new one takes the word from the last. */
bool store_checkpoint_add(Store *s, const CheckpointRow *r, Error *err)
{
    if (!store_begin(s, err))
        return false;
    if ((!r->best ||
         store_exec(s, err, "UPDATE checkpoints SET best = 0 WHERE run = ?1", "i", r->run)) &&
        insert(s, r, err))
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

bool store_checkpoints(Store *s, int64_t run, Arena *a, CheckpointRow **out, size_t *n, Error *err)
{
    VEC(CheckpointRow) rows = {0};
    bool ok;
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT id, run, step, epoch, created, path, value, best"
                                  " FROM checkpoints WHERE run = ?1 ORDER BY step",
                                  "i", run);
    while (store_next(s, q, &ok, err))
        vec_add(&rows, (CheckpointRow){
                           .id = sqlite3_column_int64(q, 0),
                           .run = sqlite3_column_int64(q, 1),
                           .step = sqlite3_column_int64(q, 2),
                           .epoch = sqlite3_column_int64(q, 3),
                           .created = sqlite3_column_int64(q, 4),
                           .path = store_text(q, 5, a),
                           .value = store_real(q, 6),
                           .best = sqlite3_column_int(q, 7) != 0,
                       });
    store_give(&rows, a, out, n);
    return ok;
}

bool store_checkpoint_remove(Store *s, int64_t id, Error *err)
{
    return store_exec(s, err, "DELETE FROM checkpoints WHERE id = ?1", "i", id);
}
