/* predict.c -- lathe predict: scores a file, an address or a dataset with a run's model.
 *
 * Rows stream through in chunks, read on a thread beside the one that scores (predict_queue.c), so the
 * source may be larger than memory. With out= the predictions
 * go to a file (whole or not at all) or, as they are made, to standard output (out=-); without, they
 * are the result. */
#include "predict_int.h"

#include <lathe/remote.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct PredictSettings { char *in, *out, *with; int form; IngestOptions options; } PredictSettings;

/* ---- sources ------------------------------------------------------------------------------------------ */

bool predict_chunk(const Work *w, const Chunk *c, Arena *a, Error *err)
{
    Prediction *p;
    bool ok = w->ahead ? forecaster_add(w->ahead, c, w->first_plan, err)
                       : bundle_score(w->bundle, c, w->first_plan, a, &p, err) && sink_add(w->sink, c, p, err);
    w->sink->count += w->ahead ? c->rows : 0;
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
        ok = dataset_read(d, i, &views, &c, err) && predict_chunk(w, &c, &arena, err);
        arena_reset(&views);
    }
    arena_release(&views);
    arena_release(&arena);
    return ok;
}

typedef struct Reading {
    const Work *work;
    const char *source;
    const IngestOptions *options;
    Parcel *parcel; /* being filled */
} Reading;

static void refuse(void *context, const Reject *r)
{
    parcel_reject(((Reading *)context)->parcel, r);
}

static bool read_source(void *context, PredictQueue *q, Error *err)
{
    Reading *in = context;
    const Work *w = in->work;
    Chunk c = {.rows = 1};
    Pool *pool = pool_create(pool_threads(w->call->pool)); /* the call's scores meanwhile */
    in->parcel = queue_parcel(q);
    Reader *r = reader_open_on(in->source, in->options, bundle_schema(w->bundle), pool, refuse, in,
                               w->reading, err);
    bool ok = r != NULL;
    while (ok && c.rows && in->parcel && (ok = reader_next(r, &c, err))) {
        if (c.rows)
            chunk_copy(&c, &in->parcel->arena, &in->parcel->chunk);
        queue_send(q);
        in->parcel = c.rows ? queue_parcel(q) : NULL;
    }
    reader_close(r);
    pool_destroy(pool);
    return ok;
}

static bool score_source(const Work *w, const char *source, const IngestOptions *options, Error *err)
{
    Reading in = {.work = w, .source = source, .options = options};
    return predict_through(w, read_source, &in, err);
}

static bool is_lines(const char *path)
{
    return text_ends(path, ".jsonl") || text_ends(path, ".ndjson");
}

static bool read_any(Work *w, Store *s, const char *source, const PredictSettings *set,
                      const IngestOptions *options, Arena *a, Error *err)
{
    DatasetRow row;
    Error ignored = {0};
    if (set->form == PREDICT_JSONL || (set->form == PREDICT_AUTO && is_lines(source)))
        return predict_lines(w, source, err);
    bool outside = !strcmp(source, "-") || strstr(source, "://") || file_exists(source);
    if (outside || !store_dataset_find(s, source, a, &row, &ignored))
        return score_source(w, source, options, err);
    Dataset *d = workspace_dataset(s, source, a, &row, err);
    w->first_plan = d ? run_plans_behind(s, &row, bundle_plans(w->bundle)) : 0;
    bool ok = d && score_dataset(w, d, err);
    dataset_close(d);
    return ok;
}

static bool score_any(Work *w, Store *s, const char *source, const PredictSettings *set,
                      const IngestOptions *options, Arena *a, Error *err)
{
    if (!w->sink->shape->series)
        return read_any(w, s, source, set, options, a, err);
    w->ahead = forecaster_create(w->bundle, err);
    bool ok = w->ahead && read_any(w, s, source, set, options, a, err) && forecast_write(w, err);
    forecaster_destroy(w->ahead);
    return ok;
}

/* A small file to score may not show which words mean missing: what the table that the model learnt
 * from said holds here too, unless the user says otherwise. */
static void options_of_training(Store *s, const char *dataset, const CommandCall *call, Arena *a,
                                IngestOptions *options)
{
    DatasetRow row, root;
    Error ignored = {0};
    if (!store_dataset_find(s, dataset, a, &row, &ignored) || !store_dataset_root(s, &row, a, &root, &ignored))
        return;
    json_t *sniffed = json_loads(root.sniffed, 0, NULL), *word;
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

static PredictForm form_of(const PredictSettings *set, const char *source)
{
    if (is_lines(set->out) || text_ends(set->out, ".csv"))
        return is_lines(set->out) ? PREDICT_JSONL : PREDICT_CSV;
    if (set->form != PREDICT_AUTO)
        return (PredictForm)set->form;
    return is_lines(source) ? PREDICT_JSONL : PREDICT_CSV;
}

/* Rows leave as soon as those read so far are scored: who waits at the other end of the pipe gets them. */
static bool to_output(Work *w, Store *s, const char *source, const PredictSettings *set,
                      const IngestOptions *options, Arena *a, Error *err)
{
    if (w->call->screen)
        return error_set(err, ERROR_USAGE, "out=-: the screen has no standard output; name a file");
    w->sink->file = stdout;
    bool ok = sink_begin(w->sink, err) && score_any(w, s, source, set, options, a, err);
    if (ok && fflush(stdout) != 0)
        ok = error_set(err, ERROR_IO, "could not write to standard output: %s", strerror(errno));
    return ok;
}

static bool to_sink(Work *w, Store *s, const char *source, const PredictSettings *set,
                    const IngestOptions *options, Arena *a, Error *err)
{
    Sink *k = w->sink;
    k->form = form_of(set, source);
    if (!*set->out) {
        k->rows = json_array();
        return score_any(w, s, source, set, options, a, err);
    }
    if (!strcmp(set->out, "-"))
        return to_output(w, s, source, set, options, a, err);
    bool far = fetch_knows(set->out);
    if (far && !text_starts(set->out, "s3://"))
        return error_set(err, ERROR_USAGE, "out: expected a file or s3://BUCKET/KEY, found %s", set->out);
    char *temp = far ? store_path(s, a, ".predict-%d.csv", (int)getpid())
                     : arena_printf(a, "%s.part%d", set->out, (int)getpid());
    k->file = fopen(temp, "we");
    if (!k->file)
        return error_set(err, ERROR_IO, "%s: cannot write there: %s", set->out, strerror(errno));
    bool ok = sink_begin(k, err) && score_any(w, s, source, set, options, a, err);
    return finish_file(k, temp, set->out, w->call->progress, ok, err);
}

static const char *source_of(const CommandCall *call, Error *err)
{
    const PredictSettings *set = call->settings;
    const char *word = call_word(call, 1);
    if (word && *set->in)
        error_set(err, ERROR_USAGE, "the rows are %s or in=%s, not both", word, set->in);
    else if (!word && !*set->in)
        error_set(err, ERROR_USAGE, "which rows? a path, an http(s) address, - or a dataset");
    else
        return word ? word : set->in;
    return NULL;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const PredictSettings *set = call->settings;
    Arena arena = {0};
    RunRow row;
    const char *path;
    Sink sink = {0};
    const char *source = source_of(call, err);
    Store *s = source ? call_store(call, STORE_READ, err) : NULL;
    Bundle *b = s && store_run_find(s, call->word[0], &arena, &row, err) &&
                        run_bundle_path(s, row.id, &arena, &path, err)
                    ? bundle_open(path, call->pool, err)
                    : NULL;
    bool ok = b != NULL;
    if (ok) {
        sink.pool = call->pool;
        sink.features = bundle_features(b);
        sink.shape = features_shape(sink.features);
        sink_columns(&sink, set->with, &arena);
        sink.first_rejects = json_array();
        sink.value.dir = sink.truth.dir = store_dir(s);
        IngestOptions options = set->options; /* its texts stay the settings' */
        options_of_training(s, row.dataset, call, &arena, &options);
        Progress own = {0};
        Work w = {.bundle = b, .sink = &sink, .call = call, .reading = call->progress ? call->progress : &own};
        ok = to_sink(&w, s, source, set, &options, &arena, err);
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
        ok = sink_metrics(&sink, *result, err);
        if (*set->out)
            result_text(*result, "out", set->out);
        else
            json_object_set(*result, "predictions", sink.rows);
    }
    json_decref(sink.rows);
    json_decref(sink.first_rejects);
    tape_release(&sink.value);
    tape_release(&sink.truth);
    bundle_close(b);
    store_close(s);
    arena_release(&arena);
    return ok;
}

static const Arg args[] = {
    {.name = "RUN", .kind = ARG_RUN, .about = "the run whose model scores"},
    {.name = "SRC", .kind = ARG_FILE, .optional = true, .about = "raw rows: a path, an http(s) or s3:// address, - or a dataset"},
    ARG_END};
static const char *const forms[] = {"auto", "csv", "jsonl", NULL};
static const Param params[] = {
    PARAM_TEXT(PredictSettings, in, "in", "", "the same as SRC, said as a setting"),
    PARAM_TEXT(PredictSettings, out, "out", "", "a file or s3://BUCKET/KEY for the predictions, - for standard output; without it they are printed"),
    PARAM_PICK(PredictSettings, form, "format", 0, forms, "of the rows and of out: csv, or jsonl: a JSON object a line; auto: by the name's ending"),
    PARAM_TEXT(PredictSettings, with, "with", "", "columns of the source to copy beside, A,B,..."),
    PARAM_END};

const Command predict_command = {
    .name = "predict",
    .about = "scores raw rows with a run's model",
    .details = "The model carries its recipe and features, so raw rows are all it needs. A row that a rule\n"
               "drops gets no prediction and the number of the rule. Where the source has the target,\n"
               "the metrics are given as well. With out=- predictions are written to standard output while rows\n"
               "are still read, and what they add up to goes to standard error; format=jsonl takes and gives a JSON\n"
               "object a line, and one that cannot be read is answered with its line and the reason.\n"
               "A model of series (tft) forecasts: the rows are the past of each group, those without the target\n"
               "behind it say what is known ahead, and the answer is the next horizon of each group with its\n"
               "quantiles.",
    .example = "lathe predict last sample-data/taxi_2019_02.csv out=predictions.csv",
    .args = args,
    .params = params,
    .params_size = sizeof(PredictSettings),
    .shared = ingest_params,
    .shared_at = offsetof(PredictSettings, options),
    .run = run,
};
