/* policy_rows.c -- the table a model is trained on anew: the newest of the rows it was trained on and of those of the
 * log whose truth is known by now.
 *
 * Where the world changed, what was before would be learnt again, and the new model would be held against a reference
 * that is mostly past: then the table is the rows since the change, once they are enough. Without a change it is as
 * long as before, and for every new row the oldest goes. A table's newest rows are its last.
 *
 * Raw rows are joined; where the old table was cleaned before its training, the same recipes are fitted and applied
 * again. What the log does not have of a row (columns that were not sent, private ones) is missing. The new table says
 * in `source` and `sniffed` what it was made of, and how far feedback was taken in: the next one goes on from there. */
#include "watch_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 4096

/* ---- raw rows ------------------------------------------------------------------------------------------------------------ */

/* How far feedback is in this table already: micros. */
static int64_t taken_until(const DatasetRow *row)
{
    json_t *j = *row->sniffed ? json_loads(row->sniffed, 0, NULL) : NULL;
    int64_t until = json_integer_value(json_object_get(j, "feedback_until"));
    json_decref(j);
    return until;
}

typedef struct Grown {
    int64_t first, last, until, rows; /* of the log */
    int64_t kept;                     /* of the old table */
    char hash[65];
} Grown;

/* What is taken, once it was counted what there is. */
typedef struct Taken {
    int64_t since, skip; /* of the log: from this prediction on, without the first so many */
    int64_t kept;        /* the last so many of the old table */
} Taken;

/* A shadow's answer was never given: the same request stands there with the answer that was. */
static bool counts(const PredictionRow *r)
{
    return strcmp(r->role, "shadow") != 0;
}

/* New rows of the log: how many, and how many since the change. */
static bool count_new(Watcher *w, const char *deployment, int64_t until, int64_t since, int64_t *all, int64_t *changed, Error *err)
{
    Arena a = {0};
    bool ok = true;
    *all = *changed = 0;
    for (size_t n = BLOCK; ok && n == BLOCK;) {
        PredictionRow *rows;
        ok = prediction_log_answers(w->log, deployment, until, BLOCK, &a, &rows, &n, err);
        for (size_t i = 0; ok && i < n; i++) {
            until = rows[i].truth_time;
            *all += counts(&rows[i]);
            *changed += counts(&rows[i]) && rows[i].id >= since;
        }
        n = ok ? n : 0;
        arena_reset(&a);
    }
    arena_release(&a);
    return ok;
}

static Taken take(const PolicyWindow *w, int64_t old, int64_t all, int64_t changed)
{
    if (w->rows < 0)
        return (Taken){.kept = old};
    if (!w->rows && w->since && changed >= w->least)
        return (Taken){.since = w->since};
    int64_t most = w->rows ? w->rows : w->since ? w->least : old;
    most = most > w->least ? most : w->least;
    return (Taken){.skip = all > most ? all - most : 0, .kept = most <= all ? 0 : most - all < old ? most - all : old};
}

static bool add_answers(Watcher *w, const char *deployment, const Schema *schema, const char *target, Taken taken, DatasetWriter *to,
                        Grown *g, Error *err)
{
    Arena a = {0};
    bool ok = true;
    for (size_t n = BLOCK; ok && n == BLOCK;) {
        PredictionRow *rows;
        Chunk c;
        size_t kept = 0;
        ok = prediction_log_answers(w->log, deployment, g->until, BLOCK, &a, &rows, &n, err);
        for (size_t i = 0; ok && i < n; i++) {
            g->until = rows[i].truth_time;
            if (!counts(&rows[i]) || rows[i].id < taken.since || taken.skip-- > 0)
                continue;
            g->first = !g->first || rows[i].id < g->first ? rows[i].id : g->first;
            g->last = rows[i].id > g->last ? rows[i].id : g->last;
            rows[kept++] = rows[i];
        }
        ok = ok && (!kept || (watch_rows_chunk(schema, target, rows, kept, true, &a, &c, NULL, err) &&
                              dataset_writer_add(to, &c, err)));
        g->rows += (int64_t)kept;
        n = ok ? n : 0;
        arena_reset(&a);
    }
    arena_release(&a);
    return ok;
}

static bool add_table(const Dataset *d, int64_t kept, DatasetWriter *to, Progress *progress, Error *err)
{
    uint64_t from = dataset_rows(d) - (uint64_t)kept;
    Arena a = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < dataset_chunks(d); i++) {
        Chunk c, part;
        ok = dataset_read(d, i, &a, &c, err);
        if (ok && c.first + c.rows > from && c.first < from) {
            uint32_t n = (uint32_t)(c.first + c.rows - from), *row = ARENA_NEW(&a, uint32_t, n);
            for (uint32_t k = 0; k < n; k++)
                row[k] = (uint32_t)(from - c.first) + k;
            chunk_gather(&c, row, n, &a, &part);
            ok = dataset_writer_add(to, &part, err);
        } else if (ok && c.first >= from) {
            ok = dataset_writer_add(to, &c, err);
        }
        if (ok && progress_stopped(progress))
            ok = error_set(err, ERROR_STOP, "stopped on request");
        arena_reset(&a);
    }
    arena_release(&a);
    return ok;
}

static bool grow(Watcher *w, const DeploymentRow *row, const DatasetRow *root, const char *target, const PolicyWindow *window,
                 Grown *g, Progress *progress, Error *err)
{
    Arena a = {0};
    Taken taken = {0};
    int64_t all, changed;
    Schema schema = {0};
    Dataset *d = dataset_open(store_path(w->store, &a, "datasets/%s.arrow", root->hash), err);
    DatasetWriter *to = d && run_schema(w->store, dataset_hash(d), &schema, err)
                            ? dataset_writer_create(store_path(w->store, &a, "datasets"), &schema, w->pool, err)
                            : NULL;
    g->until = taken_until(root);
    bool ok = to && count_new(w, row->name, g->until, window->since, &all, &changed, err);
    if (ok) {
        taken = take(window, (int64_t)dataset_rows(d), all, changed);
        g->kept = taken.kept;
        ok = add_table(d, taken.kept, to, progress, err) && add_answers(w, row->name, &schema, target, taken, to, g, err) &&
             dataset_writer_finish(to, g->hash, err);
    }
    dataset_writer_destroy(to);
    schema_release(&schema);
    dataset_close(d);
    arena_release(&a);
    return ok;
}

/* The table's source, in words. */
static const char *source_of(const DatasetRow *root, const char *deployment, const Grown *g, Arena *a)
{
    const char *old = g->kept ? arena_printf(a, "the newest %lld rows of %s (%.8s) and ", (long long)g->kept, root->name, root->hash) : "";
    return arena_printf(a, "%s%lld predictions of deployment %s with their feedback, numbers %lld to %lld", old, (long long)g->rows,
                        deployment, (long long)g->first, (long long)g->last);
}

static bool enter_grown(Watcher *w, const DeploymentRow *row, const DatasetRow *root, const char *name, const Grown *g, Error *err)
{
    Arena a = {0};
    json_t *j = json_pack("{s:s, s:I, s:s, s:I, s:I, s:I, s:I}", "grown_from", root->hash, "kept", (json_int_t)g->kept, "deployment", row->name, "answers",
                          (json_int_t)g->rows, "first_prediction", (json_int_t)g->first, "last_prediction",
                          (json_int_t)g->last, "feedback_until", (json_int_t)g->until);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    DatasetRow out = {.hash = g->hash, .name = name, .source_tag = "", .parent = "", .recipe = "", .plan = "",
                      .source = source_of(root, row->name, g, &a),
                      .sniffed = text ? text : "{}"};
    bool ok = run_dataset_enter(w->store, &out, NULL, 0, err);
    free(text);
    json_decref(j);
    arena_release(&a);
    return ok;
}

/* ---- the same recipes again ----------------------------------------------------------------------------------------------- */

static bool clean_again(Watcher *w, const DatasetRow *was, const char *hash, const char *name, Arena *a, const char **out,
                        Progress *progress, Error *err)
{
    Recipe *r = recipe_create();
    Schema schema = {0};
    Plan *plan = NULL;
    ApplyReport report;
    Dataset *d = dataset_open(store_path(w->store, a, "datasets/%s.arrow", hash), err);
    bool ok = d && run_schema(w->store, dataset_hash(d), &schema, err) && recipe_parse(r, was->recipe, err) &&
              (plan = plan_create(r, &schema, err)) != NULL && plan_fit(plan, d, NULL, w->pool, progress, err) &&
              plan_apply_dataset(plan, d, store_path(w->store, a, "datasets"), w->pool, progress, &report, err);
    if (ok) {
        json_t *fitted = plan_to_json(plan);
        char *text = json_dumps(fitted, JSON_COMPACT);
        DatasetRow row = {.hash = arena_text(a, report.hash), .name = name, .source = was->source, .source_tag = "",
                          .parent = hash, .recipe = was->recipe, .plan = text ? text : "", .sniffed = "{}"};
        ok = run_dataset_enter(w->store, &row, NULL, 0, err);
        *out = row.hash;
        free(text);
        json_decref(fitted);
    }
    plan_destroy(plan);
    schema_release(&schema);
    dataset_close(d);
    recipe_destroy(r);
    return ok || error_in(err, "dataset %s", name);
}

/* "trips" of deployment fares -> "trips_fares"; that one again keeps its name, and is a newer version of it. */
static const char *name_of(const char *was, const char *deployment, Arena *a)
{
    const char *tail = arena_printf(a, "_%s", deployment);
    return text_ends(was, tail) ? was : arena_printf(a, "%.40s%.20s", was, tail);
}

bool policy_rows(Watcher *w, const DeploymentRow *row, const WatchModel *m, const PolicyWindow *window, Arena *a,
                 const char **hash, int64_t *added, Progress *progress, Error *err)
{
    const char *from = json_string_value(json_object_get(bundle_about(m->bundle), "dataset"));
    DatasetRow learnt, *was;
    size_t n;
    Grown g = {0};
    if (!from || !store_dataset_find(w->store, from, a, &learnt, err))
        return from ? error_in(err, "the table %s was trained on", m->label)
                    : error_set(err, ERROR_SHAPE, "%s does not say what it was trained on", m->label);
    if (!store_dataset_line(w->store, &learnt, a, &was, &n, err) || !grow(w, row, &was[n - 1], m->target, window, &g, progress, err))
        return false;
    *added = g.rows;
    if (!g.rows)
        return error_set(err, ERROR_SHAPE, "no feedback since %s was trained", m->label);
    if (!enter_grown(w, row, &was[n - 1], name_of(was[n - 1].name, row->name, a), &g, err))
        return false;
    *hash = arena_text(a, g.hash);
    for (size_t i = n - 1; i-- > 0;)
        if (!clean_again(w, &was[i], *hash, name_of(was[i].name, row->name, a), a, hash, progress, err))
            return false;
    return true;
}
