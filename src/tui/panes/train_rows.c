/* train_rows.c -- from a step to the rows it was made of, largest loss first, for the Data pane. */
#include "train_int.h"

#include <stdio.h>

enum { SLOT_ROWS = 2 };

typedef struct RowsAsk {
    int64_t run, step;
} RowsAsk;

/* A loss is that of kept weights, which are seldom those of the step itself. */
static void name_rows(const RowsAsk *ask, const char *rows, int64_t weights, char *out, size_t size)
{
    char order[80] = "unsorted, as no weights were kept";
    if (weights == ask->step)
        snprintf(order, sizeof order, "largest loss first");
    else if (weights >= 0)
        snprintf(order, sizeof order, "largest loss (weights of step %lld) first", (long long)weights);
    snprintf(out, size, "the %s rows of step %lld of run %lld, %s,", rows, (long long)ask->step, (long long)ask->run,
             order);
}

static void *find_rows(JobContext *c, void *input, Error *err)
{
    const RowsAsk *ask = input;
    Arena a = {0};
    RunRow run;
    StepRow *row;
    size_t n;
    int64_t weights;
    FoundRows *out = NULL;
    Store *s = job_store(c, err);
    if (s && store_run_get(s, ask->run, &a, &run, err) &&
        run_losses_of_step(s, ask->run, ask->step, job_progress(c), &a, &row, &n, &weights, err)) {
        out = mem_alloc(sizeof *out);
        out->row = mem_alloc((n + 1) * sizeof *out->row);
        out->count = n;
        snprintf(out->hash, sizeof out->hash, "%s", run.dataset);
        Text rows = {0};
        text_add_count(&rows, (double)n);
        name_rows(ask, text_str(&rows), weights, out->what, sizeof out->what);
        text_release(&rows);
        for (size_t i = 0; i < n; i++)
            out->row[i] = (uint32_t)row[i].row;
    }
    arena_release(&a);
    return out;
}

static void rows_read(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)owner;
    (void)err; /* the frame has said it */
    if (result)
        ui_show_rows(ui, result);
}

void train_rows(TrainState *s)
{
    const RunRow *run = train_run(s);
    if (!run)
        return;
    if (!s->has_cross) {
        ui_say(s->ui, STYLE_INFO,
               "h and l move a crosshair; Enter then shows the rows of that step.");
        return;
    }
    RowsAsk ask = {.run = run->id, .step = train_cross_step(s)};
    ui_job(s->ui, (Job){.owner = s,
                        .slot = SLOT_ROWS,
                        .what = "finding the rows of a step",
                        .run = find_rows,
                        .input = mem_copy(&ask, sizeof ask),
                        .done = rows_read,
                        .release = found_rows_destroy,
                        .urgent = true});
}
