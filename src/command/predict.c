/* predict.c -- lathe predict: scores a file, an address or a dataset with a run's model.
 *
 * Rows stream through in chunks, so the source may be larger than memory. With out= the predictions
 * go to a file (CSV, whole or not at all); without, they are the result.                          */
#include "command_int.h"

#include <lathe/remote.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct PredictSettings { char *out, *with; IngestOptions options; } PredictSettings;

/* Where predictions go, and what they add up to. */
typedef struct Sink {
    const Features *features;
    const ModelShape *shape;
    FILE *file;                      /* NULL: into `rows` */
    json_t *rows;
    char *with[64];                  /* columns of the source to copy beside */
    size_t withs;
    uint64_t count, dropped, rejects;
    json_t *first_rejects;           /* the first few, with line and reason */
    VEC(double) value, truth;        /* where the truth is known, for the metrics */
} Sink;

/* ---- one row ------------------------------------------------------------------------------------ */

/* A model computes in float: more digits than these would pretend. */
static void add_number(double v, Text *into)
{
    text_printf(into, "%.7g", v);
}

static void add_csv_text(const char *s, size_t n, Text *into)
{
    bool plain = !memchr(s, ',', n) && !memchr(s, '"', n) && !memchr(s, '\n', n);
    if (plain) {
        text_add(into, s, n);
        return;
    }
    text_putc(into, '"');
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"')
            text_putc(into, '"');
        text_putc(into, s[i]);
    }
    text_putc(into, '"');
}

static void csv_header(const Sink *k, Text *into)
{
    text_puts(into, "row,prediction");
    if (k->shape->task == TASK_BINARY)
        text_puts(into, ",probability");
    for (size_t i = 0; k->shape->task == TASK_MULTICLASS && i < k->shape->classes; i++) {
        Text name = {0};
        text_printf(&name, "p_%s", features_class(k->features, i));
        text_putc(into, ',');
        add_csv_text(text_str(&name), name.count, into);
        text_release(&name);
    }
    for (size_t i = 0; i < k->withs; i++) {
        text_putc(into, ',');
        add_csv_text(k->with[i], strlen(k->with[i]), into);
    }
    text_putc(into, '\n');
}

/* The class said for a row; a binary one at even odds. */
static const char *said(const Sink *k, const Prediction *p)
{
    return features_class(k->features, (size_t)p->class);
}

static void csv_row(const Sink *k, uint64_t row, const Prediction *p, const Chunk *c, size_t at,
                    Text *into)
{
    text_printf(into, "%llu,", (unsigned long long)row);
    if (p->kept && k->shape->task == TASK_REGRESSION)
        add_number(p->value, into);
    else if (p->kept)
        add_csv_text(said(k, p), strlen(said(k, p)), into);
    if (k->shape->task == TASK_BINARY) {
        text_putc(into, ',');
        if (p->kept)
            add_number(p->value, into);
    }
    for (size_t i = 0; k->shape->task == TASK_MULTICLASS && i < k->shape->classes; i++) {
        text_putc(into, ',');
        if (p->kept)
            add_number((double)p->share[i], into);
    }
    for (size_t i = 0; i < k->withs; i++) {
        Text cell = {0};
        const Column *column = chunk_find(c, k->with[i]);
        if (column)
            column_print(column, at, &cell);
        text_putc(into, ',');
        add_csv_text(text_str(&cell), cell.count, into);
        text_release(&cell);
    }
    text_putc(into, '\n');
}

static json_t *json_row(const Sink *k, uint64_t row, const Prediction *p, const Chunk *c, size_t at)
{
    json_t *o = json_object();
    result_int(o, "row", (int64_t)row);
    if (!p->kept)
        json_object_set_new(o, "prediction", json_null());
    else if (k->shape->task == TASK_REGRESSION)
        result_real(o, "prediction", p->value);
    else
        result_text(o, "prediction", said(k, p));
    if (!p->kept)
        result_int(o, "dropped_by", p->dropped_by);
    else if (k->shape->task != TASK_REGRESSION)
        result_real(o, "probability", p->value);
    for (size_t i = 0; i < k->withs; i++) {
        Text cell = {0};
        const Column *column = chunk_find(c, k->with[i]);
        if (column)
            column_print(column, at, &cell);
        result_text(o, k->with[i], text_str(&cell));
        text_release(&cell);
    }
    return o;
}

/* ---- the truth, where the source has it ----------------------------------------------------------- */

static double truth_of(const Sink *k, const Column *target, size_t row)
{
    if (!target || !column_has(target, row))
        return (double)NAN;
    if (k->shape->task == TASK_REGRESSION)
        return column_real(target, row);
    Text cell = {0};
    double found = (double)NAN;
    column_print(target, row, &cell);
    for (size_t i = 0; i < k->shape->classes; i++)
        if (strcmp(features_class(k->features, i), text_str(&cell)) == 0)
            found = (double)i;
    text_release(&cell);
    return found;
}

static void keep_truth(Sink *k, const Prediction *p, double truth)
{
    if (!p->kept || isnan(truth))
        return;
    vec_add(&k->truth, truth);
    if (k->shape->task == TASK_MULTICLASS)
        for (size_t i = 0; i < k->shape->classes; i++)
            vec_add(&k->value, (double)p->share[i]);
    else
        vec_add(&k->value, p->value);
}

static bool write_chunk(Sink *k, const Chunk *c, const Prediction *p, Error *err)
{
    Text text = {0};
    const Column *target = chunk_find(c, features_target(k->features));
    for (size_t i = 0; i < c->rows; i++) {
        k->dropped += !p[i].kept;
        keep_truth(k, &p[i], truth_of(k, target, i));
        if (k->file)
            csv_row(k, k->count + i, &p[i], c, i, &text);
        else
            json_array_append_new(k->rows, json_row(k, k->count + i, &p[i], c, i));
    }
    k->count += c->rows;
    bool ok = !k->file || fwrite(text_str(&text), 1, text.count, k->file) == text.count ||
              error_set(err, ERROR_IO, "could not write the predictions: %s", strerror(errno));
    text_release(&text);
    return ok;
}

/* ---- sources ------------------------------------------------------------------------------------------ */

typedef struct Work { Bundle *bundle; Sink *sink; CommandCall *call; size_t first_plan; } Work;

static bool score(const Work *w, const Chunk *c, Arena *a, Error *err)
{
    Prediction *p;
    bool ok = bundle_score(w->bundle, c, w->first_plan, a, &p, err) && write_chunk(w->sink, c, p, err);
    progress_add(w->call->progress, c->rows);
    arena_reset(a);
    return ok && (!progress_stopped(w->call->progress) ||
                  error_set(err, ERROR_STOP, "predict: stopped on request"));
}

static bool score_dataset(const Work *w, const Dataset *d, Error *err)
{
    Arena views = {0}, arena = {0};
    bool ok = true;
    progress_begin(w->call->progress, "scoring", "rows", dataset_rows(d));
    for (size_t i = 0; ok && i < dataset_chunks(d); i++) {
        Chunk c;
        ok = dataset_read(d, i, &views, &c, err) && score(w, &c, &arena, err);
        arena_reset(&views);
    }
    arena_release(&views);
    arena_release(&arena);
    return ok;
}

/* A line that cannot be read gets no prediction; that is counted and said, with its line. */
static void reject(void *context, const Reject *r)
{
    Sink *k = context;
    if (k->rejects++ >= 5)
        return;
    json_t *row = json_object();
    result_int(row, "line", (int64_t)r->line);
    result_text(row, "reason", r->reason);
    json_array_append_new(k->first_rejects, row);
}

static bool score_source(const Work *w, const char *source, const IngestOptions *options, Error *err)
{
    Arena arena = {0};
    Chunk c = {.rows = 1};
    Reader *r = reader_open(source, options, bundle_schema(w->bundle), reject, w->sink,
                            w->call->progress, err);
    bool ok = r != NULL;
    while (ok && c.rows && (ok = reader_next(r, &c, err)))
        if (c.rows)
            ok = score(w, &c, &arena, err);
    reader_close(r);
    arena_release(&arena);
    return ok;
}

/* A dataset cleaned by the recipes the model carries has been through them: they are skipped. */
static size_t plans_behind(Store *s, const DatasetRow *row, const Bundle *b, Arena *a)
{
    size_t depth = 0;
    DatasetRow at = *row;
    Error ignored = {0};
    while (*at.parent && depth < bundle_plans(b)) {
        depth++;
        if (!store_dataset_find(s, at.parent, a, &at, &ignored))
            break;
    }
    return depth;
}

static bool score_any(Work *w, Store *s, const char *source, const IngestOptions *options, Arena *a,
                      Error *err)
{
    DatasetRow row;
    Error ignored = {0};
    bool outside = !strcmp(source, "-") || strstr(source, "://") || file_exists(source);
    if (outside || !store_dataset_find(s, source, a, &row, &ignored))
        return score_source(w, source, options, err);
    Dataset *d = workspace_dataset(s, source, a, &row, err);
    w->first_plan = d ? plans_behind(s, &row, w->bundle, a) : 0;
    bool ok = d && score_dataset(w, d, err);
    dataset_close(d);
    return ok;
}

/* A small file to score may not show which words mean missing: what the table that the model learnt
 * from said holds here too, unless the user says otherwise. */
static void options_of_training(Store *s, const char *dataset, const CommandCall *call, Arena *a,
                                IngestOptions *options)
{
    DatasetRow row = {.parent = dataset};
    Error ignored = {0};
    while (*row.parent)
        if (!store_dataset_find(s, row.parent, a, &row, &ignored))
            return;
    json_t *sniffed = json_loads(row.sniffed, 0, NULL), *word;
    const char *decimal = json_string_value(json_object_get(sniffed, "decimal"));
    Text words = {0};
    size_t i;
    json_array_foreach(json_object_get(sniffed, "null"), i, word)
        text_printf(&words, "%s%s", i ? "," : "", json_string_value(word));
    if (!command_given(call, "null") && words.count)
        options->null_words = arena_text(a, text_str(&words));
    if (!command_given(call, "decimal") && decimal)
        options->decimal = arena_text(a, decimal);
    text_release(&words);
    json_decref(sniffed);
}

/* ---- the verb ---------------------------------------------------------------------------------------- */

static void sink_columns(Sink *k, const char *with, Arena *a)
{
    char *rest = arena_text(a, with), *name;
    while ((name = strsep(&rest, ",")) && k->withs < 64)
        if (*name)
            k->with[k->withs++] = name;
}

static void add_metrics(const Sink *k, json_t *into)
{
    if (!k->truth.count)
        return;
    for (const Metric *const *m = metrics; *m; m++)
        if ((*m)->tasks >> k->shape->task & 1)
            result_real(into, (*m)->name,
                        (*m)->score(k->value.at, k->truth.at, k->truth.count, k->shape->classes));
}

/* To its place: renamed, or sent to S3; either way whole or not at all. */
static bool put_in_place(const char *temp, const char *out, Progress *progress, Error *err)
{
    if (fetch_knows(out))
        return fetch_put(out, temp, &(RemoteSetup){.progress = progress}, err);
    return rename(temp, out) == 0 ||
           error_set(err, ERROR_IO, "%s: could not rename: %s", out, strerror(errno));
}

static bool finish_file(Sink *k, const char *temp, const char *out, Progress *progress, bool ok,
                        Error *err)
{
    if (ok && (fflush(k->file) != 0 || fsync(fileno(k->file)) != 0))
        ok = error_set(err, ERROR_IO, "%s: could not write: %s", out, strerror(errno));
    fclose(k->file);
    bool there = ok && put_in_place(temp, out, progress, err);
    if (!there || fetch_knows(out))
        unlink(temp);
    return there;
}

static bool to_sink(Work *w, Store *s, const char *source, const PredictSettings *set,
                    const IngestOptions *options, Arena *a, Error *err)
{
    Sink *k = w->sink;
    if (!*set->out) {
        k->rows = json_array();
        return score_any(w, s, source, options, a, err);
    }
    bool far = fetch_knows(set->out);
    if (far && !text_starts(set->out, "s3://"))
        return error_set(err, ERROR_USAGE, "out: expected a file or s3://BUCKET/KEY, found %s", set->out);
    char *temp = far ? store_path(s, a, ".predict-%d.csv", (int)getpid())
                     : arena_printf(a, "%s.part%d", set->out, (int)getpid());
    k->file = fopen(temp, "we");
    if (!k->file)
        return error_set(err, ERROR_IO, "%s: cannot write there: %s", set->out, strerror(errno));
    Text head = {0};
    csv_header(k, &head);
    fputs(text_str(&head), k->file);
    text_release(&head);
    bool ok = score_any(w, s, source, options, a, err);
    return finish_file(k, temp, set->out, w->call->progress, ok, err);
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const PredictSettings *set = call->settings;
    Arena arena = {0};
    RunRow row;
    const char *path;
    Sink sink = {0};
    Store *s = call_store(call, STORE_READ, err);
    Bundle *b = s && store_run_find(s, call->word[0], &arena, &row, err) &&
                        run_bundle_path(s, row.id, &arena, &path, err)
                    ? bundle_open(path, call->pool, err)
                    : NULL;
    bool ok = b != NULL;
    if (ok) {
        sink.features = bundle_features(b);
        sink.shape = features_shape(sink.features);
        sink_columns(&sink, set->with, &arena);
        sink.first_rejects = json_array();
        IngestOptions options = set->options; /* its texts stay the settings' */
        options_of_training(s, row.dataset, call, &arena, &options);
        Work w = {.bundle = b, .sink = &sink, .call = call};
        ok = to_sink(&w, s, call->word[1], set, &options, &arena, err);
    }
    if (ok) {
        *result = json_object();
        result_int(*result, "run", row.id);
        result_text(*result, "target", row.target);
        result_int(*result, "rows", (int64_t)sink.count);
        result_int(*result, "dropped", (int64_t)sink.dropped);
        result_int(*result, "rejects", (int64_t)sink.rejects);
        if (sink.rejects)
            json_object_set(*result, "first_rejects", sink.first_rejects);
        add_metrics(&sink, *result);
        if (*set->out)
            result_text(*result, "out", set->out);
        else
            json_object_set(*result, "predictions", sink.rows);
    }
    json_decref(sink.rows);
    json_decref(sink.first_rejects);
    vec_release(&sink.value);
    vec_release(&sink.truth);
    bundle_close(b);
    store_close(s);
    arena_release(&arena);
    return ok;
}

static const Arg args[] = {
    {.name = "RUN", .kind = ARG_RUN, .about = "the run whose model scores"},
    {.name = "SRC", .kind = ARG_FILE, .about = "raw rows: a path, an http(s) or s3:// address, - or a dataset"},
    ARG_END};
static const Param params[] = {
    PARAM_TEXT(PredictSettings, out, "out", "", "a CSV file, or s3://BUCKET/KEY, for the predictions; without it they are printed"),
    PARAM_TEXT(PredictSettings, with, "with", "", "columns of the source to copy beside, A,B,..."),
    PARAM_END};

const Command predict_command = {
    .name = "predict",
    .about = "scores raw rows with a run's model",
    .details = "The model carries its recipe and features, so raw rows are all it needs. A row that a rule\n"
               "drops gets no prediction and the number of the rule. Where the source has the target,\n"
               "the metrics are given as well.",
    .example = "lathe predict last sample-data/taxi_2019_02.csv out=predictions.csv",
    .args = args,
    .params = params,
    .params_size = sizeof(PredictSettings),
    .shared = ingest_params,
    .shared_at = offsetof(PredictSettings, options),
    .run = run,
};
