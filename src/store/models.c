/* models.c -- bundles by name and version. */
#include "store_int.h"

static bool next_version(Store *s, const ModelRow *r, int64_t *version, Error *err)
{
    *version = r->version;
    return *version > 0 || store_number(s, err, version, 1,
                                        "SELECT coalesce(max(version), 0) + 1 FROM models"
                                        " WHERE name = ?1",
                                        "t", r->name);
}

int64_t store_model_add(Store *s, const ModelRow *r, Error *err)
{
    int64_t version, id = 0;
    if (!store_begin(s, err))
        return 0;
    if (next_version(s, r, &version, err) &&
        store_exec(s, err,
                   "INSERT INTO models(name, version, run, created, hash, path, alias)"
                   " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                   "tiiittt", r->name, version, r->run, r->created ? r->created : time_now(),
                   r->hash, r->path, r->alias))
        id = sqlite3_last_insert_rowid(s->db);
    if (id && store_commit(s, err))
        return id;
    store_rollback(s);
    return 0;
}

bool store_models(Store *s, Arena *a, ModelRow **out, size_t *n, Error *err)
{
    VEC(ModelRow) rows = {0};
    bool ok;
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT id, run, version, created, name, hash, path, alias"
                                  " FROM models ORDER BY id DESC",
                                  "");
    while (store_next(s, q, &ok, err))
        vec_add(&rows, (ModelRow){
                           .id = sqlite3_column_int64(q, 0),
                           .run = sqlite3_column_int64(q, 1),
                           .version = sqlite3_column_int64(q, 2),
                           .created = sqlite3_column_int64(q, 3),
                           .name = store_text(q, 4, a),
                           .hash = store_text(q, 5, a),
                           .path = store_text(q, 6, a),
                           .alias = store_text(q, 7, a),
                       });
    store_give(&rows, a, out, n);
    return ok;
}
