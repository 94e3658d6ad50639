/* pipelines.c -- journeys that were made: each step under the key of its line and of all it read, so that the
 * same work is not done twice and a journey that broke off goes on. */
#include "store_int.h"

int64_t store_pipeline_add(Store *s, const char *name, const char *hash, const char *text,
                           Error *err)
{
    return store_exec(s, err,
                      "INSERT INTO pipelines(name, hash, created, ended, status, text)"
                      " VALUES(?1, ?2, ?3, 0, 'run', ?4)",
                      "ttit", name, hash, time_now(), text)
               ? sqlite3_last_insert_rowid(s->db)
               : 0;
}

bool store_pipeline_end(Store *s, int64_t pipeline, const char *status, Error *err)
{
    return store_exec(s, err, "UPDATE pipelines SET ended = ?2, status = ?3 WHERE id = ?1", "iit",
                      pipeline, time_now(), status);
}

bool store_pipeline_step(Store *s, const PipelineStepRow *r, Error *err)
{
    bool over = !text_equal(r->status, "run");
    return store_exec(
        s, err,
        "INSERT INTO pipeline_steps(pipeline, position, step, key, started, ended, status, result)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        " ON CONFLICT(pipeline, position) DO UPDATE SET key = excluded.key, ended = excluded.ended,"
        " status = excluded.status, result = excluded.result",
        "iittiitt", r->pipeline, r->position, r->step, r->key, r->started ? r->started : time_now(),
        over ? time_now() : 0, r->status, r->result);
}

bool store_pipeline_find(Store *s, const char *key, const char *status, Arena *a,
                         PipelineStepRow *out, bool *found, Error *err)
{
    bool ok;
    *found = false;
    sqlite3_stmt *q =
        store_query(s, err,
                    "SELECT pipeline, position, step, key, started, ended, status, result"
                    " FROM pipeline_steps WHERE key = ?1 AND status = ?2"
                    " ORDER BY pipeline DESC, position DESC LIMIT 1",
                    "tt", key, status);
    while (store_next(s, q, &ok, err)) {
        *out = (PipelineStepRow){
            .pipeline = sqlite3_column_int64(q, 0),
            .position = sqlite3_column_int64(q, 1),
            .step = store_text(q, 2, a),
            .key = store_text(q, 3, a),
            .started = sqlite3_column_int64(q, 4),
            .ended = sqlite3_column_int64(q, 5),
            .status = store_text(q, 6, a),
            .result = store_text(q, 7, a),
        };
        *found = true;
    }
    return ok;
}
