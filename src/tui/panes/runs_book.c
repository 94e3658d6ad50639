/* runs_book.c -- what is known of every run beyond its row: hyperparameters as they are now, last metrics.
 * Read by a job, and again only for runs whose row has changed. */
#include "runs_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUND_MOST = 2000 }; /* runs read by one job */

typedef struct BookAsk {
    size_t n;
    struct { int64_t run, stamp; } at[];
} BookAsk;
typedef struct BookAnswer {
    VEC(RunFacts *) of;
} BookAnswer;

/* Another number: something of it may have changed. */
static int64_t run_stamp(const RunRow *r)
{
    return r->heartbeat ^ (r->ended << 1) ^ (r->step << 20) ^ ((int64_t)r->status << 50);
}

static size_t place_of(const RunBook *b, int64_t run)
{
    size_t low = 0, high = b->of.count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (b->of.at[mid]->run < run)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const RunFacts *book_find(const RunBook *b, int64_t run)
{
    size_t i = place_of(b, run);
    return i < b->of.count && b->of.at[i]->run == run ? b->of.at[i] : NULL;
}

static void facts_free(RunFacts *f)
{
    if (f)
        arena_release(&f->arena);
    mem_free(f);
}

void book_facts_free(void *facts)
{
    BookAnswer *a = facts;
    if (!a)
        return;
    for (size_t i = 0; i < a->of.count; i++)
        facts_free(a->of.at[i]);
    vec_release(&a->of);
    mem_free(a);
}

void book_release(RunBook *b)
{
    for (size_t i = 0; i < b->of.count; i++)
        facts_free(b->of.at[i]);
    vec_release(&b->of);
}

/* ---- reading, on a job's thread -------------------------------------------------------------------- */

static const Metric *main_of(const RunRow *run)
{
    for (int t = 0; t < TASK_COUNT; t++)
        if (strcmp(task_name((TaskKind)t), run->task) == 0)
            return metric_main((TaskKind)t);
    return metric_main(TASK_REGRESSION);
}

static double last_of(const RunFacts *f, const char *part)
{
    char key[64];
    snprintf(key, sizeof key, "%s_%s", part, f->main->name);
    for (size_t i = 0; i < f->metrics; i++)
        if (strcmp(f->metric[i].key, key) == 0)
            return f->metric[i].value;
    return (double)NAN;
}

static uint64_t mix(uint64_t hash, const char *text)
{
    return hash * 1099511628211u + hash_bytes(text, strlen(text), 17);
}

/* Runs with the same differ by their seed alone. */
static uint64_t setup_of(const RunRow *run, const RunFacts *f)
{
    static const char *const aside[] = {"seed", "threads", "memory", "name", "record_every"};
    uint64_t h = mix(mix(mix(0, run->family), run->dataset), run->target), params = 0;
    h = mix(mix(mix(h, run->recipe), run->features), run->split);
    for (size_t i = 0; i < f->params; i++) {
        bool counts = true;
        for (size_t k = 0; k < sizeof aside / sizeof *aside; k++)
            counts = counts && strcmp(f->param[i].key, aside[k]) != 0;
        if (counts)
            params += mix(mix(1, f->param[i].key), f->param[i].value); /* in any order */
    }
    return h ^ params;
}

static bool take_changes(RunFacts *f, Store *s, Error *err)
{
    CommandRow *c;
    size_t n = 0;
    if (!store_commands_taken(s, f->run, -1, &f->arena, &c, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < f->params && strcmp(c[i].verb, "set") == 0; k++)
            if (strcmp(f->param[k].key, c[i].key) == 0)
                f->param[k].value = c[i].value;
    return true;
}

static RunFacts *read_one(Store *s, int64_t run, int64_t stamp, Error *err)
{
    RunFacts *f = mem_alloc(sizeof *f);
    RunRow row;
    f->run = run;
    f->stamp = stamp;
    if (!store_run_get(s, run, &f->arena, &row, err) ||
        !store_run_params(s, run, &f->arena, &f->param, &f->params, err) ||
        !store_metrics_last(s, run, &f->arena, &f->metric, &f->metrics, err) || !take_changes(f, s, err)) {
        facts_free(f);
        return NULL;
    }
    f->main = main_of(&row);
    f->valid = last_of(f, "val");
    f->test = last_of(f, "test");
    f->setup = setup_of(&row, f);
    return f;
}

static void *read_book(JobContext *c, void *input, Error *err)
{
    const BookAsk *ask = input;
    Store *s = job_store(c, err);
    if (!s)
        return NULL;
    BookAnswer *out = mem_alloc(sizeof *out);
    progress_begin(job_progress(c), NULL, "runs", ask->n);
    for (size_t i = 0; i < ask->n && !job_stopped(c); i++) {
        Error gone = {0}; /* deleted meanwhile: left out */
        progress_add(job_progress(c), 1);
        RunFacts *f = read_one(s, ask->at[i].run, ask->at[i].stamp, &gone);
        if (f)
            vec_add(&out->of, f);
    }
    return out;
}

void book_read(RunBook *b, const Snapshot *snap, void *owner, int slot,
               void (*done)(void *owner, void *facts, const Error *err, Ui *ui), Ui *ui)
{
    if (ui_job_running(ui, owner, slot))
        return;
    BookAsk *ask = mem_alloc(sizeof *ask + (snap->runs + 1) * sizeof ask->at[0]);
    for (size_t i = 0; i < snap->runs && ask->n < ROUND_MOST; i++) {
        int64_t stamp = run_stamp(&snap->run[i]);
        const RunFacts *known = book_find(b, snap->run[i].id);
        if (known && known->stamp == stamp)
            continue;
        ask->at[ask->n].run = snap->run[i].id;
        ask->at[ask->n++].stamp = stamp;
    }
    if (!ask->n) {
        mem_free(ask);
        return;
    }
    ui_job(ui, (Job){.owner = owner, .slot = slot, .what = "reading the runs", .run = read_book, .input = ask, .done = done,
                     .release = book_facts_free, .quiet = true, .urgent = true});
}

void book_take(RunBook *b, void *facts)
{
    BookAnswer *a = facts;
    for (size_t i = 0; i < a->of.count; i++) {
        RunFacts *f = a->of.at[i];
        size_t at = place_of(b, f->run);
        if (at < b->of.count && b->of.at[at]->run == f->run) {
            facts_free(b->of.at[at]);
        } else {
            vec_add(&b->of, f);
            memmove(b->of.at + at + 1, b->of.at + at, (b->of.count - 1 - at) * sizeof *b->of.at);
        }
        b->of.at[at] = f;
    }
    a->of.count = 0;
    book_facts_free(a);
}
