/* chunks.c -- drift over time: every chunk of a table against one reference.
 *
 * The reference's column is gathered and sorted once and the table's values are dealt to their chunks in
 * one pass, so that two hundred chunks cost little more than one. Columns run in parallel. By NannyML's
 * rules the reference's own chunks say first what is usual. */
#include "drift_int.h"

#include <stdio.h>
#include <stdlib.h>

#define OWN_CHUNKS 10 /* of the reference, where nothing says how long one is */

typedef struct Chunked {
    Compare c;
    const Places *own, *places; /* own: the reference's; NULL: Evidently's rules */
    DriftColumn **out;          /* [columns] of [chunks] */
} Chunked;

/* ---- how long one is --------------------------------------------------------------------------------- */

bool drift_chunks_read(DriftChunks *into, const char *text, Error *err)
{
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    static const struct {
        const char *word;
        double seconds;
        int months;
    } periods[] = {{"hour", 3600, 0}, {"day", 86400, 0},  {"week", 7 * 86400, 0},
                   {"month", 0, 1},   {"quarter", 0, 3}, {"year", 0, 12}};
    size_t n = strlen(text);
    int64_t rows;
    double count;
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++)
        if (text_equal(text, periods[i].word)) {
            into->seconds = periods[i].seconds;
            into->months = periods[i].months;
            return true;
        }
    if (text_to_int(text, n, &rows) && rows > 0) {
        into->rows = (uint64_t)rows;
        return true;
    }
    for (size_t i = 0; n > 1 && i < sizeof units / sizeof *units; i++)
        if (text[n - 1] == units[i].unit && text_to_real(text, n - 1, &count) && count > 0 &&
            count <= 1e6) {
            into->seconds = count * units[i].seconds;
            return true;
        }
    return error_set(err, ERROR_USAGE,
                     "chunk: expected rows, or a time like 6h, 1d, week, month, quarter; found '%s'", text);
}

/* ---- columns ---------------------------------------------------------------------------------------- */

static bool all_say_nothing(const Compared *one, const Gathered *r, const Gathered *now,
                            size_t chunks)
{
    for (size_t i = 0; i < chunks; i++)
        if (!column_says_nothing(one, r, &now[i]))
            return false;
    return true;
}

static void judge_column(Chunked *job, size_t i, const Gathered *r, const Gathered *own,
                         const Gathered *now)
{
    Compared *one = &job->c.at[i];
    const Places *p = job->places;
    Band usual = {0};
    one->left_out = all_say_nothing(one, r, now, p->chunks);
    if (one->left_out)
        return;
    if (own && r->n)
        usual = column_usual(r, own, job->own->chunks, &job->c.wanted);
    bool there = schema_find(dataset_schema(job->c.current), one->field->name) != SIZE_MAX;
    job->out[i] = mem_alloc(p->chunks * sizeof *job->out[i]);
    for (size_t k = 0; k < p->chunks; k++) {
        DriftColumn *c = &job->out[i][k];
        *c = one->column;
        column_judge(c, r, &now[k], &job->c.wanted, own ? &usual : NULL);
        if (!there)
            snprintf(c->note, sizeof c->note, "no such column in current");
    }
}

static void release_all(Gathered *g, size_t n)
{
    for (size_t i = 0; g && i < n; i++)
        gathered_release(&g[i]);
    mem_free(g);
}

static void one_column(void *arg, size_t i, size_t worker)
{
    (void)worker;
    Chunked *job = arg;
    Compared *one = &job->c.at[i];
    Gathered r = {.in = job->c.scratch}, *own = NULL,
             *now = mem_alloc(job->places->chunks * sizeof *now);
    Arena a = {0};
    if (job->own)
        own = mem_alloc(job->own->chunks * sizeof *own);
    one->failed = progress_stopped(job->c.progress)
                      ? !error_set(&one->error, ERROR_STOP, "stopped on request")
                      : !gather_column(&r, job->c.reference, one->field->name, &a, &one->error) ||
                            !gather_placed(now, job->c.current, one->field->name, job->places, &a,
                                           &one->error) ||
                            (own && !gather_placed(own, job->c.reference, one->field->name,
                                                   job->own, &a, &one->error));
    if (!one->failed)
        judge_column(job, i, &r, own, now);
    gathered_release(&r);
    release_all(own, own ? job->own->chunks : 0);
    release_all(now, job->places->chunks);
    arena_release(&a);
    progress_add(job->c.progress, 1);
}

/* ---- reports ---------------------------------------------------------------------------------------- */

static DriftReport *empty_report(const Chunked *job, const DriftOptions *o, uint64_t rows)
{
    DriftReport *r = mem_alloc(sizeof *r);
    snprintf(r->reference, sizeof r->reference, "%s", dataset_hash(job->c.reference));
    snprintf(r->current, sizeof r->current, "%s", dataset_hash(job->c.current));
    r->reference_rows = dataset_rows(job->c.reference);
    r->current_rows = rows;
    r->threshold = o->share > 0.0 ? o->share : DRIFT_SHARE;
    r->weighted_share = NAN;
    return r;
}

static bool collect(Chunked *job, DriftReport *const *r, Error *err)
{
    for (size_t i = 0; i < job->c.count; i++) {
        if (job->c.at[i].failed) {
            if (err)
                *err = job->c.at[i].error;
            return false;
        }
        for (size_t k = 0; job->out[i] && k < job->places->chunks; k++)
            r[k]->column[r[k]->columns++] = job->out[i][k];
    }
    return r[0]->columns ||
           error_set(err, ERROR_SHAPE,
                     "no columns to compare: all are ids, times, ignored, constant or empty");
}

static bool judge_whole(Chunked *job, DriftReport *const *r, Pool *pool, Error *err)
{
    DriftColumn **column = mem_alloc(job->places->chunks * sizeof *column);
    for (size_t k = 0; k < job->places->chunks; k++) {
        column[k] = &r[k]->column[r[k]->columns++];
        copy_cut(column[k]->name, sizeof column[k]->name, "(all features)");
        column[k]->role = "table";
        column[k]->type = column_type_name(COLUMN_REAL);
    }
    bool ok = whole_judge(column, &job->c, job->own, job->places, pool, err);
    mem_free(column);
    return ok;
}

static bool judge_all(Chunked *job, const DriftOptions *o, DriftReport *const *r, Pool *pool,
                      Error *err)
{
    const Schema *s = dataset_schema(job->c.reference);
    if (!compare_choose(&job->c, s, o, drift_target(o, s), err))
        return false;
    for (size_t k = 0; k < job->places->chunks; k++)
        r[k]->column = mem_alloc((job->c.count + 2) * sizeof *r[k]->column);
    if (wants_whole(&job->c.wanted))
        return judge_whole(job, r, pool, err);
    job->out = mem_alloc((job->c.count + 1) * sizeof *job->out);
    progress_begin(job->c.progress, "comparing", "columns", job->c.count);
    pool_run(pool, job->c.count, one_column, job);
    return collect(job, r, err) &&
           (!o->bundle ||
            predictions_placed(r, job->c.reference, job->own, job->c.current, job->places,
                               &job->c.wanted, o->bundle, job->c.progress, err));
}

/* Moves the reports into the chunks of `places`, and those to the caller. */
static bool compare(const Dataset *reference, const Dataset *current, const DriftOptions *o,
                    const Places *own, Places *places, Pool *pool, Progress *progress,
                    DriftChunk **out, size_t *n, Error *err)
{
    Wanted wanted = {0};
    if (!drift_check(reference, current, o, &wanted, err))
        return false;
    Chunked job = {.c = {reference, current, wanted, progress, 0, NULL, o->scratch},
                   .own = own,
                   .places = places};
    DriftReport **r = mem_alloc(places->chunks * sizeof *r);
    for (size_t k = 0; k < places->chunks; k++)
        r[k] = empty_report(&job, o, places->chunk[k].rows);
    bool ok = judge_all(&job, o, r, pool, err);
    for (size_t k = 0; k < places->chunks; k++) {
        if (ok) {
            report_weigh(r[k], o->bundle);
            report_conclude(r[k]);
            places->chunk[k].report = r[k];
        } else {
            drift_report_destroy(r[k]);
        }
    }
    for (size_t i = 0; job.out && i < job.c.count; i++)
        mem_free(job.out[i]);
    mem_free(job.out);
    mem_free(job.c.at);
    mem_free(r);
    if (!ok)
        return false;
    *out = places->chunk;
    *n = places->chunks;
    places->chunk = NULL;
    return true;
}

/* Chunks of the reference, of the table's length: by the same column of time where it has it. */
static bool own_places(Places *own, const Dataset *reference, const DriftChunks *how, uint64_t rows,
                       Error *err)
{
    if (how && how->time && schema_find(dataset_schema(reference), how->time) != SIZE_MAX)
        return places_by_time(own, reference, how->time, (Period){how->seconds, how->months}, 0,
                              err);
    uint64_t all = dataset_rows(reference), part = rows < all / 2 ? rows : all / OWN_CHUNKS;
    return places_by_rows(own, reference, NULL, part ? part : 1, 0, err);
}

static bool place_rows(Places *p, const Dataset *d, const DriftChunks *how, Error *err)
{
    return how->time ? places_by_time(p, d, how->time, (Period){how->seconds, how->months}, how->most, err)
                     : places_by_rows(p, d, how->order, how->rows, how->most, err);
}

bool drift_first_chunk(const Dataset *d, const DriftChunks *how, uint32_t **row, size_t *n, Error *err)
{
    Places p = {0};
    *n = 0;
    *row = NULL;
    if (!place_rows(&p, d, how, err))
        return false;
    *row = mem_alloc((size_t)(p.chunk[0].rows + 1) * sizeof **row);
    for (uint64_t i = 0; i < dataset_rows(d); i++)
        if (p.of[i] == 0)
            (*row)[(*n)++] = (uint32_t)i;
    places_release(&p);
    return true;
}

bool drift_chunks(const Dataset *reference, const Dataset *current, const DriftOptions *o,
                  const DriftChunks *how, Pool *pool, Progress *progress, DriftChunk **out,
                  size_t *n, Error *err)
{
    Places places = {0}, own = {0};
    DriftOptions options = *o;
    options.nannyml = o->nannyml || how->nannyml;
    bool ok = place_rows(&places, current, how, err);
    ok = ok &&
         (!options.nannyml ||
          own_places(&own, reference, how, how->rows ? how->rows : dataset_rows(current), err)) &&
         compare(reference, current, &options, options.nannyml ? &own : NULL, &places, pool,
                 progress, out, n, err);
    places_release(&places);
    places_release(&own);
    return ok;
}

void drift_chunks_free(DriftChunk *chunks, size_t n)
{
    for (size_t i = 0; chunks && i < n; i++)
        drift_report_destroy(chunks[i].report);
    mem_free(chunks);
}

/* All of the current table as one chunk: what a report by NannyML's rules, or by a test of tables, is. */
DriftReport *report_of_whole(const Dataset *reference, const Dataset *current,
                             const DriftOptions *o, Pool *pool, Progress *progress, Error *err)
{
    Places places = {0}, own = {0};
    DriftChunk *chunk = NULL;
    DriftReport *r = NULL;
    size_t n = 0;
    if (places_by_rows(&places, current, NULL, dataset_rows(current), 1, err) &&
        (!o->nannyml || own_places(&own, reference, NULL, dataset_rows(reference), err)) &&
        compare(reference, current, o, o->nannyml ? &own : NULL, &places, pool, progress, &chunk,
                &n, err)) {
        r = chunk[0].report;
        chunk[0].report = NULL;
        drift_chunks_free(chunk, n);
    }
    places_release(&places);
    places_release(&own);
    return r;
}

/* ---- importance -------------------------------------------------------------------------------------- */

/* "PAYMENTTYPE" is told by inputs of that name, and by "PAYMENTTYPE = Cash" or "PAYMENTTYPE missing". */
static bool stems_from(const char *input, const char *column)
{
    size_t n = strlen(column);
    return strncmp(input, column, n) == 0 && (input[n] == '\0' || strchr(" =:([.", input[n]));
}

void report_weigh(DriftReport *r, const Bundle *b)
{
    const json_t *list = b ? json_object_get(bundle_about(b), "importance") : NULL, *row;
    double all = 0.0, drifted = 0.0;
    size_t k;
    r->weighted_share = NAN;
    for (size_t i = 0; i < r->columns; i++)
        r->column[i].importance = NAN;
    for (size_t i = 0; json_is_array(list) && i < r->columns; i++) {
        DriftColumn *c = &r->column[i];
        double gain = 0.0;
        if (!text_equal(c->role, "feature"))
            continue;
        json_array_foreach(list, k, row)
        {
            const char *name = json_string_value(json_object_get(row, "column"));
            if (name && stems_from(name, c->name))
                gain += json_number_value(json_object_get(row, "gain"));
        }
        c->importance = gain;
        all += gain;
        drifted += c->drifted ? gain : 0.0;
    }
    if (all > 0.0)
        r->weighted_share = drifted / all;
}
