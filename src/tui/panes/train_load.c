/* train_load.c -- reads what is new of runs, and the rows behind a step; on a job's thread. */
#include "train_int.h"

#include <string.h>

/* ---- what is new ----------------------------------------------------------------------------------- */

static bool load_run(Store *s, Arena *a, RunDelta *d, Error *err)
{
    RunRow row;
    if (!store_run_get(s, d->run, a, &row, err))
        return false;
    d->alive = store_run_alive(&row);
    return store_metrics_since(s, d->run, NULL, &d->points, a, &d->point, &d->count, err) &&
           store_events_since(s, d->run, &d->events, a, &d->event, &d->happened, err) &&
           store_run_params(s, d->run, a, &d->param, &d->params, err) &&
           store_commands_taken(s, d->run, -1, a, &d->command, &d->commands, err) &&
           store_checkpoints(s, d->run, a, &d->checkpoint, &d->checkpoints, err);
}

void *train_load(JobContext *c, void *input, Error *err)
{
    const TrainAsk *ask = input;
    TrainDelta *out = mem_alloc(sizeof *out);
    Store *s = job_store(c, err);
    bool ok = s != NULL;
    for (size_t i = 0; ok && i < ask->n && !job_stopped(c); i++) {
        RunDelta *d = &out->at[out->n++];
        *d = (RunDelta){.run = ask->at[i].run,
                        .from = ask->at[i].points,
                        .points = ask->at[i].points,
                        .events = ask->at[i].events};
        ok = load_run(s, &out->arena, d, err);
    }
    if (ok)
        return out;
    train_delta_free(out);
    return NULL;
}

void train_delta_free(void *delta)
{
    TrainDelta *d = delta;
    if (!d)
        return;
    arena_release(&d->arena);
    mem_free(d);
}

/* ---- the rows of a step ----------------------------------------------------------------------------- */

#define SHOWN_COLUMNS 8
#define SHOWN_WIDTH   18

/* The target first, then what the table begins with. */
static size_t pick_columns(const Schema *schema, const char *target, size_t out[SHOWN_COLUMNS])
{
    size_t n = 0, at = schema_find(schema, target);
    if (at != SIZE_MAX)
        out[n++] = at;
    for (size_t i = 0; i < schema->count && n < SHOWN_COLUMNS; i++)
        if (i != at && schema->field[i].role != ROLE_IGNORE)
            out[n++] = i;
    return n;
}

static void add_padded(Text *into, const char *text, size_t n)
{
    size_t fits = utf8_fit(text, n, SHOWN_WIDTH);
    text_add(into, text, fits);
    for (size_t w = utf8_width(text, fits); w < SHOWN_WIDTH + 2; w++)
        text_putc(into, ' ');
}

static void add_row(Text *into, const Dataset *d, uint64_t row, const size_t *column, size_t n)
{
    Arena a = {0};
    Text cell = {0};
    Chunk chunk;
    size_t in_chunk;
    dataset_chunk(d, dataset_locate(d, row, &in_chunk), &a, &chunk);
    text_printf(into, "%10llu  ", (unsigned long long)row);
    for (size_t i = 0; i < n; i++) {
        const Column *c = &chunk.column[column[i]];
        text_reset(&cell);
        if (column_has(c, in_chunk))
            column_print(c, in_chunk, &cell);
        else
            text_puts(&cell, "missing");
        add_padded(into, text_str(&cell), cell.count);
    }
    text_putc(into, '\n');
    text_release(&cell);
    arena_release(&a);
}

static void add_rows(Text *into, const Dataset *d, const RunRow *run, int64_t step,
                     const uint64_t *row, size_t rows)
{
    size_t column[SHOWN_COLUMNS];
    const Schema *schema = dataset_schema(d);
    size_t n = pick_columns(schema, run->target, column);
    text_printf(into, "The %zu rows of %s that made step %lld of run %lld, in their order.\n\n",
                rows, run->dataset_name, (long long)step, (long long)run->id);
    text_puts(into, "       row  ");
    for (size_t i = 0; i < n; i++)
        add_padded(into, schema->field[column[i]].name, strlen(schema->field[column[i]].name));
    text_putc(into, '\n');
    for (size_t i = 0; i < rows; i++)
        if (row[i] < dataset_rows(d))
            add_row(into, d, row[i], column, n);
}

void *train_rows_load(JobContext *c, void *input, Error *err)
{
    const RowsAsk *ask = input;
    Arena a = {0};
    Text text = {0};
    RunRow run;
    uint64_t *row;
    size_t n;
    Dataset *d = NULL;
    Store *s = job_store(c, err);
    bool ok = s && store_run_get(s, ask->run, &a, &run, err) &&
              run_rows_of_step(s, ask->run, ask->step, &a, &row, &n, err) &&
              (d = dataset_open(store_path(s, &a, "datasets/%s.arrow", run.dataset), err));
    if (ok)
        add_rows(&text, d, &run, ask->step, row, n);
    dataset_close(d);
    arena_release(&a);
    return ok ? text_take(&text) : NULL;
}
