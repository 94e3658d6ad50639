/* apply_dataset.c -- a plan over a whole dataset: measured, and written as a dataset of its own.
 *
 * Chunks are computed in parallel and written in their order. What a rule did is the difference
 * between the frame before and after it. */
#include "recipe_int.h"

#include <string.h>

typedef struct Effects {
    Watch watch;
    RuleEffect *of;           /* [steps] */
    uint64_t *judged, *first; /* [steps] expect: rows with an answer; origin of the first failure */
    Chunk out;
} Effects;

typedef struct Apply {
    const Plan *plan;
    Effects *chunk;           /* [chunks] */
    uint64_t *judged, *first; /* [steps] of all chunks so far */
    DatasetWriter *writer;    /* NULL: only measure */
    ApplyReport *report;
} Apply;

/* Step s - 1 has run: what did it do? */
static void note_effect(Effects *e, const Plan *p, size_t done, const Frame *f)
{
    const Step *step = &p->step[done];
    RuleEffect *effect = &e->of[done];
    effect->rows_in = e->watch.living;
    effect->rows_out = f->living;
    effect->failed = f->failed;
    e->judged[done] = f->judged;
    e->first[done] = f->first_failed;
    if (step->writes == 0)
        return;
    const uint8_t *changed = watch_changed(&e->watch, f, step);
    for (size_t i = 0; i < f->rows; i++)
        effect->touched += changed[i];
}

static bool apply_each(void *context, size_t i, size_t step, Frame *f, Error *err)
{
    Apply *a = context;
    Effects *e = &a->chunk[i];
    size_t steps = a->plan->steps;
    if (step == 0) {
        *e = (Effects){.of = ARENA_NEW(f->arena, RuleEffect, steps + 1),
                       .judged = ARENA_NEW(f->arena, uint64_t, steps + 1),
                       .first = ARENA_NEW(f->arena, uint64_t, steps + 1)};
    } else {
        note_effect(e, a->plan, step - 1, f);
    }
    if (step < steps)
        watch_begin(&e->watch, f);
    else if (a->writer)
        frame_finish(f, false, &e->out);
    (void)err;
    return true;
}

static bool apply_merge(void *context, size_t i, Frame *f, Error *err)
{
    Apply *a = context;
    const Effects *e = &a->chunk[i];
    for (size_t s = 0; s < a->plan->steps; s++) {
        RuleEffect *sum = &a->report->effect[a->plan->step[s].index];
        if (e->of[s].failed > 0 && sum->failed == 0)
            a->first[s] = e->first[s];
        sum->rows_in += e->of[s].rows_in;
        sum->rows_out += e->of[s].rows_out;
        sum->touched += e->of[s].touched;
        sum->failed += e->of[s].failed;
        a->judged[s] += e->judged[s];
    }
    a->report->rows_in += f->rows;
    a->report->rows_out += f->living;
    if (!a->writer || f->living == 0)
        return true;
    return dataset_writer_add(a->writer, &e->out, err);
}

static bool check_gates(const Apply *a, Error *err)
{
    for (size_t s = 0; s < a->plan->steps; s++) {
        const Step *step = &a->plan->step[s];
        uint64_t failed = a->report->effect[step->index].failed;
        if (!step->rule->gate || failed == 0)
            continue;
        double share = 1.0 - (double)failed / (double)a->judged[s];
        double wanted = step->rule->gate(step->self);
        if (share < wanted)
            return error_set(err, ERROR_PARSE,
                             "line %zu: '%.160s' holds for %.6g of %llu rows, expected %.6g; the "
                             "first of %llu that fail is row %llu",
                             step->line, step->text, share, (unsigned long long)a->judged[s],
                             wanted, (unsigned long long)failed,
                             (unsigned long long)a->first[s] + 1);
    }
    return true;
}

static bool run(const Plan *p, const Dataset *d, const char *dir, DatasetWriter *writer, Pool *pool,
                Progress *progress, ApplyReport *out, Error *err)
{
    if (!p->fitted)
        return error_set(err, ERROR_USAGE,
                         "the recipe's statistics have not been computed: fit it first");
    ChunkSource from = source_of_dataset(d);
    Apply a = {.plan = p,
               .writer = writer,
               .report = out,
               .chunk = mem_alloc((from.count + 1) * sizeof *a.chunk),
               .judged = mem_alloc((p->steps + 1) * sizeof *a.judged),
               .first = mem_alloc((p->steps + 1) * sizeof *a.first)};
    Pass pass = {.plan = p,
                 .until = p->steps,
                 .pool = pool,
                 .progress = progress,
                 .dir = dir,
                 .each = apply_each,
                 .merge = apply_merge,
                 .context = &a};
    *out = (ApplyReport){.rules = p->rules};
    progress_begin(progress, "cleaning", "rows", from.rows);
    bool ok = pass_run(&pass, &from, err) && dataset_sound(d, err) && check_gates(&a, err);
    mem_free(a.chunk);
    mem_free(a.judged);
    mem_free(a.first);
    return ok;
}

bool plan_measure(const Plan *p, const Dataset *d, Pool *pool, Progress *progress, ApplyReport *out,
                  Error *err)
{
    return run(p, d, NULL, NULL, pool, progress, out, err);
}

bool plan_apply_dataset(const Plan *p, const Dataset *d, const char *dir, Pool *pool,
                        Progress *progress, ApplyReport *out, Error *err)
{
    DatasetWriter *writer = dataset_writer_create(dir, &p->out, pool, err);
    bool ok = writer && run(p, d, dir, writer, pool, progress, out, err) &&
              dataset_writer_finish(writer, out->hash, err);
    dataset_writer_destroy(writer);
    return ok;
}
