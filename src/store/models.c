/* models.c -- bundles by name and version, and the aliases that go from one version to another. */
#include "store_int.h"

#include <string.h>

#define MODEL_COLUMNS "id, run, version, created, name, hash, path, alias"

static ModelRow model_row(sqlite3_stmt *q, Arena *a)
{
    return (ModelRow){
        .id = sqlite3_column_int64(q, 0),
        .run = sqlite3_column_int64(q, 1),
        .version = sqlite3_column_int64(q, 2),
        .created = sqlite3_column_int64(q, 3),
        .name = store_text(q, 4, a),
        .hash = store_text(q, 5, a),
        .path = store_text(q, 6, a),
        .alias = store_text(q, 7, a),
    };
}

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
    sqlite3_stmt *q =
        store_query(s, err, "SELECT " MODEL_COLUMNS " FROM models ORDER BY id DESC", "");
    while (store_next(s, q, &ok, err))
        vec_add(&rows, model_row(q, a));
    store_give(&rows, a, out, n);
    return ok;
}

/* ---- finding -------------------------------------------------------------------------------------- */

static bool one_model(Store *s, sqlite3_stmt *q, Arena *a, ModelRow *out, bool *found, Error *err)
{
    bool ok;
    *found = false;
    while (store_next(s, q, &ok, err)) {
        if (!*found)
            *out = model_row(q, a);
        *found = true;
    }
    return ok;
}

bool store_model_get(Store *s, int64_t id, Arena *a, ModelRow *out, Error *err)
{
    bool found;
    sqlite3_stmt *q =
        store_query(s, err, "SELECT " MODEL_COLUMNS " FROM models WHERE id = ?1", "i", id);
    return one_model(s, q, a, out, &found, err) &&
           (found ||
            error_set(err, ERROR_USAGE, "no model %lld; `lathe models` lists them", (long long)id));
}

static bool by_alias(Store *s, const char *name, size_t n, const char *alias, Arena *a,
                     ModelRow *out, bool *found, Error *err)
{
    int64_t names = 1;
    const char *of = arena_printf(a, "%.*s", (int)n, name);
    if (!*of && !store_number(s, err, &names, 0,
                              "SELECT count(DISTINCT name) FROM models"
                              " WHERE instr(' ' || alias || ' ', ' ' || ?1 || ' ')",
                              "t", alias))
        return false;
    if (names > 1)
        return error_set(err, ERROR_USAGE, "model @%s: several names have it; say NAME@%s", alias,
                         alias);
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT " MODEL_COLUMNS " FROM models WHERE ?1 IN ('', name) AND"
                                  " instr(' ' || alias || ' ', ' ' || ?2 || ' ')"
                                  " ORDER BY id DESC LIMIT 1",
                                  "tt", of, alias);
    return one_model(s, q, a, out, found, err);
}

static bool by_name(Store *s, const char *name, Arena *a, ModelRow *out, bool *found, Error *err)
{
    const char *slash = strrchr(name, '/');
    int64_t version = 0;
    if (slash && text_to_int(slash + 1, strlen(slash + 1), &version) && version > 0) {
        const char *of = arena_printf(a, "%.*s", (int)(slash - name), name);
        sqlite3_stmt *q = store_query(s, err,
                                      "SELECT " MODEL_COLUMNS " FROM models WHERE name = ?1 AND"
                                      " version = ?2",
                                      "ti", of, version);
        return one_model(s, q, a, out, found, err);
    }
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT " MODEL_COLUMNS " FROM models WHERE name = ?1"
                                  " ORDER BY version DESC LIMIT 1",
                                  "t", name);
    return one_model(s, q, a, out, found, err);
}

static bool by_run(Store *s, const char *name, Arena *a, ModelRow *out, bool *found, Error *err)
{
    RunRow run;
    Error none = {0};
    if (!store_run_find(s, name, a, &run, &none))
        return true; /* said of models */
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT " MODEL_COLUMNS " FROM models WHERE run = ?1"
                                  " ORDER BY id DESC LIMIT 1",
                                  "i", run.id);
    if (!one_model(s, q, a, out, found, err))
        return false;
    return *found || error_set(err, ERROR_USAGE, "run %s has no model: it is %s%s%s", run.name,
                               run_status_name(run.status), *run.message ? ": " : "", run.message);
}

/* The names as they may be typed: NAME, NAME/VERSION, NAME@ALIAS. */
static bool not_found(Store *s, const char *name, Error *err)
{
    Arena scratch = {0};
    VEC(const char *) names = {0};
    ModelRow *m;
    size_t n;
    bool ok = store_models(s, &scratch, &m, &n, err);
    for (size_t i = 0; ok && i < n; i++) {
        vec_add(&names, m[i].name);
        vec_add(&names, arena_printf(&scratch, "%s/%lld", m[i].name, (long long)m[i].version));
        for (const char *p = m[i].alias; *p;) {
            size_t word = strcspn(p, " ");
            vec_add(&names, arena_printf(&scratch, "%s@%.*s", m[i].name, (int)word, p));
            vec_add(&names, arena_printf(&scratch, "@%.*s", (int)word, p));
            p += word + (p[word] == ' ');
        }
    }
    const char *near = ok ? text_nearest(name, names.at, names.count) : NULL;
    if (near)
        error_set(err, ERROR_USAGE, "no model %s, did you mean %s?", name, near);
    else if (ok && n == 0)
        error_set(err, ERROR_USAGE, "no model %s: a finished run makes one (`lathe train`)", name);
    else if (ok)
        error_set(err, ERROR_USAGE, "no model %s; `lathe models` lists them", name);
    vec_release(&names);
    arena_release(&scratch);
    return false;
}

bool store_model_find(Store *s, const char *name, Arena *a, ModelRow *out, Error *err)
{
    bool found = false;
    const char *at = strrchr(name, '@');
    bool ok = at ? by_alias(s, name, (size_t)(at - name), at + 1, a, out, &found, err)
                 : by_name(s, name, a, out, &found, err);
    if (ok && !found && !at)
        ok = by_run(s, name, a, out, &found, err);
    return ok && (found || not_found(s, name, err));
}

/* ---- aliases: words between single spaces --------------------------------------------------------- */

bool store_model_alias(Store *s, int64_t model, const char *alias, bool on, Error *err)
{
    Arena scratch = {0};
    ModelRow row;
    if (!*alias || strpbrk(alias, " \t\n@/"))
        return error_set(err, ERROR_USAGE, "alias '%s': expected one word without @ and /", alias);
    if (!store_begin(s, err))
        return false;
    bool ok = store_model_get(s, model, &scratch, &row, err) &&
              store_exec(s, err,
                         "UPDATE models SET alias ="
                         " trim(replace(' ' || alias || ' ', ' ' || ?2 || ' ', ' '))"
                         " WHERE name = ?1 AND instr(' ' || alias || ' ', ' ' || ?2 || ' ')"
                         " AND (?4 OR id = ?3)",
                         "ttii", row.name, alias, model, (int64_t)on) &&
              (!on || store_exec(s, err,
                                 "UPDATE models SET alias = trim(alias || ' ' || ?2) WHERE id = ?1",
                                 "it", model, alias));
    arena_release(&scratch);
    if (ok)
        return store_commit(s, err);
    store_rollback(s);
    return false;
}
