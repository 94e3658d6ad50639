/* answers.c -- rows that were asked in production and whose truth is known by now, as a dataset: what a
 * candidate is judged on while it is rolled out. */
#include "deploy_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is masked is not known: away with it, and where a model needs it the row is of no use. */
static void drop_masked(json_t *inputs)
{
    const char *key;
    json_t *v;
    void *next;
    json_object_foreach_safe(inputs, next, key, v)
    {
        if (json_is_string(v) && text_equal(json_string_value(v), "***"))
            json_object_del(inputs, key);
    }
}

/* The truth as a request would say it, by the type of its column. */
static json_t *truth_json(const PredictionRow *p, ColumnType type)
{
    double v = p->truth;
    if (type == COLUMN_TEXT && *p->truth_said)
        return json_string(p->truth_said);
    if (*p->truth_said && !text_to_real(p->truth_said, strlen(p->truth_said), &v))
        v = text_equal(p->truth_said, "true")    ? 1.0
            : text_equal(p->truth_said, "false") ? 0.0
                                                 : (double)NAN;
    if (isnan(v))
        return NULL;
    return type == COLUMN_BOOL  ? json_boolean(v != 0.0)
           : type == COLUMN_INT ? json_integer((json_int_t)v)
                                : json_real(v);
}

/* False: of no use, for what the model needs is masked, or it is damaged or without a truth that means something. */
static bool add(RowIntake *in, const PredictionRow *p, const char *target, ColumnType type)
{
    json_t *row = json_loads(p->inputs, 0, NULL), *truth = truth_json(p, type);
    if (row)
        drop_masked(row);
    bool ok = row && truth && json_object_set(row, target, truth) == 0;
    char *text = ok ? json_dumps(row, JSON_COMPACT) : NULL;
    Error ignored = {0};
    ok = text && row_intake_add(in, text, strlen(text), &ignored);
    free(text);
    json_decref(truth);
    json_decref(row);
    return ok;
}

static Dataset *write_rows(RowIntake *in, const Schema *schema, const char *dir, Pool *pool,
                           Error *err)
{
    Arena a = {0};
    Chunk c;
    char hash[65];
    row_intake_take(in, &a, &c);
    DatasetWriter *w = dataset_writer_create(dir, schema, pool, err);
    bool ok = w && dataset_writer_add(w, &c, err) && dataset_writer_finish(w, hash, err);
    dataset_writer_destroy(w);
    Dataset *d = ok ? dataset_open(arena_printf(&a, "%s/%s.arrow", dir, hash), err) : NULL;
    arena_release(&a);
    return d;
}

Dataset *answered_rows(Store *s, const char *deployment, const Bundle *b, int64_t since,
                       size_t most, const char *dir, Pool *pool, size_t *n, size_t *masked,
                       Error *err)
{
    Arena a = {0};
    PredictionRow *row;
    size_t rows = 0, at;
    Error ignored = {0};
    Dataset *d = NULL;
    const Schema *schema = bundle_schema(b);
    const char *target = features_target(bundle_features(b));
    *n = *masked = 0;
    PredictionLog *log =
        prediction_log_open(store_dir(s), STORE_READ, &ignored); /* none: nothing was answered */
    bool ok = log && (at = schema_find(schema, target)) != SIZE_MAX &&
              prediction_log_answers(log, deployment, since, most, &a, &row, &rows, err);
    RowIntake *in = ok ? row_intake_create(b) : NULL;
    for (size_t i = 0; ok && i < rows; i++)
        if (add(in, &row[i], target, schema->field[at].type))
            ++*n;
        else
            ++*masked;
    if (ok && *n)
        d = write_rows(in, schema, dir, pool, err);
    row_intake_destroy(in);
    prediction_log_close(log);
    arena_release(&a);
    return d;
}
