/* runs_importance.c -- which hyperparameters matter for a metric: our own booster learns the metric from
 * them, and each in turn is dealt out anew among runs it has not seen; what that costs is its importance. */
#include "runs_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_RUNS = 8, FOLDS = 4, DEALS = 8, ROUNDS = 120 };

typedef struct Trial {
    size_t rows, inputs;
    char metric[64];
    char name[RUN_INPUTS][64];
    bool number[RUN_INPUTS];
    float *x;  /* [rows][inputs] */
    double *y; /* [rows] */
} Trial;

static void trial_free(void *trial)
{
    Trial *t = trial;
    mem_free(t->x);
    mem_free(t->y);
    mem_free(t);
}

/* ---- the table of runs, on the screen thread -------------------------------------------------------- */

static float word_number(const RunsState *s, const RunRow *run, const RunField *f)
{
    Text text = {0};
    runs_text(s, run, f, &text);
    uint32_t h = (uint32_t)hash_bytes(text_str(&text), text.count, 5); /* an order of words, whichever */
    text_release(&text);
    return (float)(h >> 10);
}

/* Does it take two values among these runs? That a family has no such thing is not one. */
static bool varies(const Trial *t, size_t input)
{
    float first = NAN;
    for (size_t i = 0; i < t->rows; i++) {
        float x = t->x[i * t->inputs + input];
        if (!isnan(x) && !isnan(first) && x != first)
            return true;
        first = isnan(first) ? x : first;
    }
    return false;
}

static void drop_constant(Trial *t)
{
    size_t kept[RUN_INPUTS], n = 0;
    for (size_t k = 0; k < t->inputs; k++)
        if (varies(t, k))
            kept[n++] = k;
    for (size_t i = 0; i < t->rows; i++)
        for (size_t k = 0; k < n; k++)
            t->x[i * n + k] = t->x[i * t->inputs + kept[k]];
    for (size_t k = 0; k < n; k++) {
        memmove(t->name[k], t->name[kept[k]], sizeof t->name[0]);
        t->number[k] = t->number[kept[k]];
    }
    t->inputs = n;
}

static Trial *trial_of(const RunsState *s, const RunField *metric)
{
    Trial *t = mem_alloc(sizeof *t);
    const RunField *input[RUN_INPUTS];
    snprintf(t->metric, sizeof t->metric, "%s", metric->name);
    for (size_t i = 0; i < s->field.count && t->inputs < RUN_INPUTS; i++) {
        const RunField *f = &s->field.at[i];
        bool fact = f->kind == FIELD_FACT && (f->fact == RUN_FACT_FAMILY || f->fact == RUN_FACT_DATASET ||
                                              f->fact == RUN_FACT_RECIPE || f->fact == RUN_FACT_FEATURES ||
                                              f->fact == RUN_FACT_SEED);
        if (!f->differs || !(fact || f->kind == FIELD_PARAM))
            continue;
        t->number[t->inputs] = f->number;
        snprintf(t->name[t->inputs], sizeof t->name[0], "%s", f->name);
        input[t->inputs++] = f;
    }
    t->x = mem_alloc((s->shown.count + 1) * (t->inputs + 1) * sizeof *t->x);
    t->y = mem_alloc((s->shown.count + 1) * sizeof *t->y);
    const Snapshot *snap = ui_snapshot(s->ui);
    for (size_t i = 0; i < s->shown.count; i++) {
        const RunRow *run = s->shown.at[i] < snap->runs ? &snap->run[s->shown.at[i]] : NULL;
        double y = run ? runs_number(s, run, metric) : (double)NAN;
        if (!isfinite(y))
            continue;
        for (size_t k = 0; k < t->inputs; k++)
            t->x[t->rows * t->inputs + k] =
                input[k]->number ? (float)runs_number(s, run, input[k]) : word_number(s, run, input[k]);
        t->y[t->rows++] = y;
    }
    drop_constant(t);
    return t;
}

/* ---- the booster, on a job's thread --------------------------------------------------------------------- */

static double spearman(const Trial *t, size_t input)
{
    double a = 0, b = 0, ab = 0, mean = (double)(t->rows - 1) / 2;
    for (size_t i = 0; i < t->rows; i++) {
        double rx = 0, ry = 0; /* ranks, ties halved */
        for (size_t k = 0; k < t->rows; k++) {
            double xi = (double)t->x[i * t->inputs + input], xk = (double)t->x[k * t->inputs + input];
            rx += xk < xi ? 1 : xk == xi && k != i ? 0.5 : 0;
            ry += t->y[k] < t->y[i] ? 1 : t->y[k] == t->y[i] && k != i ? 0.5 : 0;
        }
        a += (rx - mean) * (rx - mean);
        b += (ry - mean) * (ry - mean);
        ab += (rx - mean) * (ry - mean);
    }
    return a > 0 && b > 0 ? ab / sqrt(a * b) : (double)NAN;
}

/* A small booster of the rows outside the fold; NULL and why. */
static Model *fit(const Trial *t, size_t fold, double mean, double deviation, Pool *pool, Error *err)
{
    const ModelFamily *f = model_family("gbdt");
    void *params = mem_alloc(f->params_size);
    float *x = mem_alloc((t->rows + 1) * (t->inputs + 1) * sizeof *x), *y = mem_alloc((t->rows + 1) * sizeof *y);
    size_t n = 0;
    for (size_t i = 0; i < t->rows; i++)
        if (i % FOLDS != fold) {
            memcpy(x + n * t->inputs, t->x + i * t->inputs, t->inputs * sizeof *x);
            y[n++] = (float)((t->y[i] - mean) / deviation);
        }
    params_init(f->params, params);
    ModelShape shape = {.dense = t->inputs, .task = TASK_REGRESSION, .outputs = 1, .missing = true};
    ModelSetup setup = {.seed = 1, .batch_most = n, .pool = pool, .steps_total = ROUNDS};
    char least[24];
    snprintf(least, sizeof least, "%zu", n < 40 ? (size_t)2 : n / 20);
    Model *m = params_set(f->params, params, "min_rows", least, err) &&
                       params_set(f->params, params, "depth", "4", err)
                   ? model_create(f, params, &shape, &setup, err)
                   : NULL;
    Batch batch = {.rows = n, .dense = x, .target = y};
    Knobs knobs = {.lr = 0.1};
    StepStats stats;
    bool ok = m != NULL;
    for (int i = 0; ok && i < ROUNDS; i++)
        ok = model_step(m, &batch, &knobs, &stats, err);
    if (!ok) {
        model_destroy(m);
        m = NULL;
    }
    params_release(f->params, params);
    mem_free(params);
    mem_free(x);
    mem_free(y);
    return m;
}

/* Mean absolute error on the fold, with `dealt` (SIZE_MAX: none) taken from other rows of it. */
static double error_on(const Trial *t, Model *m, size_t fold, size_t dealt, Rng *rng, double mean, double deviation)
{
    size_t n = 0;
    uint32_t *order = mem_alloc((t->rows + 1) * sizeof *order);
    float *x = mem_alloc((t->rows + 1) * (t->inputs + 1) * sizeof *x), *out = mem_alloc((t->rows + 1) * sizeof *out);
    for (size_t i = fold; i < t->rows; i += FOLDS)
        order[n++] = (uint32_t)i;
    double sum = 0;
    uint32_t *from = mem_copy(order, (n + 1) * sizeof *order);
    if (dealt != SIZE_MAX)
        rng_shuffle(rng, from, n);
    for (size_t i = 0; i < n; i++) {
        memcpy(x + i * t->inputs, t->x + order[i] * t->inputs, t->inputs * sizeof *x);
        if (dealt != SIZE_MAX)
            x[i * t->inputs + dealt] = t->x[from[i] * t->inputs + dealt];
    }
    model_predict(m, &(Batch){.rows = n, .dense = x}, out);
    for (size_t i = 0; i < n; i++)
        sum += fabs((double)out[i] * deviation + mean - t->y[order[i]]);
    mem_free(order);
    mem_free(from);
    mem_free(x);
    mem_free(out);
    return sum;
}

static bool weigh(const Trial *t, JobContext *c, RunImportance *out, Error *err)
{
    double mean = 0, square = 0;
    Rng rng;
    rng_seed(&rng, 11, 0);
    for (size_t i = 0; i < t->rows; i++)
        mean += t->y[i] / (double)t->rows;
    for (size_t i = 0; i < t->rows; i++)
        square += (t->y[i] - mean) * (t->y[i] - mean);
    out->spread = sqrt(square / (double)(t->rows - 1));
    if (!(out->spread > 0))
        return error_set(err, ERROR_USAGE, "%s is the same in all runs", t->metric);
    progress_begin(job_progress(c), "learning the metric", "steps", FOLDS * (1 + t->inputs));
    for (size_t fold = 0; fold < FOLDS; fold++) {
        Model *m = fit(t, fold, mean, out->spread, job_pool(c), err);
        if (!m)
            return false;
        progress_add(job_progress(c), 1);
        double plain = error_on(t, m, fold, SIZE_MAX, &rng, mean, out->spread);
        out->error += plain / (double)t->rows;
        for (size_t k = 0; k < t->inputs && !job_stopped(c); k++, progress_add(job_progress(c), 1))
            for (int deal = 0; deal < DEALS; deal++)
                out->worse[k] += (error_on(t, m, fold, k, &rng, mean, out->spread) - plain) / DEALS / (double)t->rows;
        model_destroy(m);
        if (job_stopped(c))
            return error_set(err, ERROR_STOP, "stopped");
    }
    return true;
}

static void *importance(JobContext *c, void *input, Error *err)
{
    const Trial *t = input;
    RunImportance *out = mem_alloc(sizeof *out);
    out->runs = t->rows;
    out->inputs = t->inputs;
    snprintf(out->metric, sizeof out->metric, "%s", t->metric);
    for (size_t k = 0; k < t->inputs; k++) {
        snprintf(out->name[k], sizeof out->name[k], "%s", t->name[k]);
        out->rank[k] = t->number[k] && t->rows > 2 ? spearman(t, k) : (double)NAN;
    }
    if (t->rows < LEAST_RUNS)
        snprintf(out->trouble, sizeof out->trouble,
                 "%zu run%s with %s: at least %d are needed to tell what matters; 3 Params sets up more.", t->rows, t->rows == 1 ? "" : "s",
                 t->metric, LEAST_RUNS);
    else if (!t->inputs)
        snprintf(out->trouble, sizeof out->trouble, "All runs here have the same hyperparameters.");
    else if (!weigh(t, c, out, err)) {
        if (err->kind == ERROR_STOP)
            snprintf(out->trouble, sizeof out->trouble, "Stopped. I weighs them again.");
        else
            snprintf(out->trouble, sizeof out->trouble, "%.150s", err->text);
        *err = (Error){0};
    }
    return out;
}

static void weighed(void *owner, void *result, const Error *err, Ui *ui)
{
    RunsState *s = owner;
    (void)err;
    mem_free(s->importance);
    s->importance = result;
    ui_draw(ui);
}

void runs_importance_ask(RunsState *s)
{
    const RunField *metric = runs_metric(s);
    const Snapshot *snap = ui_snapshot(s->ui);
    char asked[80];
    uint64_t which = 0; /* another choice of runs is another question, and so is one that came to its end */
    if (!metric || ui_job_running(s->ui, s, RUNS_SLOT_IMPORTANCE))
        return;
    for (size_t i = 0; i < s->shown.count; i++) {
        const RunRow *run = s->shown.at[i] < snap->runs ? &snap->run[s->shown.at[i]] : NULL;
        int64_t of[3] = {run ? run->id : 0, run ? (int64_t)run->status : 0, run && book_find(&s->book, run->id)};
        which += hash_bytes(of, sizeof of, 11); /* in any order */
    }
    snprintf(asked, sizeof asked, "%.60s %llx", metric->name, (unsigned long long)which);
    if (strcmp(asked, s->importance_asked) == 0)
        return;
    snprintf(s->importance_asked, sizeof s->importance_asked, "%s", asked);
    ui_job(s->ui, (Job){.owner = s, .slot = RUNS_SLOT_IMPORTANCE, .what = "weighing hyperparameters",
                        .run = importance, .input = trial_of(s, metric), .release_input = trial_free,
                        .done = weighed, .quiet = true});
}

/* ---- drawing ------------------------------------------------------------------------------------------------ */

static size_t by_worse(const RunImportance *r, size_t *order)
{
    for (size_t i = 0; i < r->inputs; i++) {
        size_t k = i;
        for (; k > 0 && r->worse[order[k - 1]] < r->worse[i]; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
    return r->inputs;
}

static void draw_bars(const RunsState *s, const RunImportance *r, const Canvas *c)
{
    size_t order[RUN_INPUTS], n = by_worse(r, order);
    int name = c->cols / 4 > 16 ? c->cols / 4 : 16, bar = c->cols - name - 34;
    for (size_t i = s->detail_top; i < n && (int)(i - s->detail_top) < c->rows; i++) {
        size_t k = order[i];
        int row = (int)(i - s->detail_top);
        double share = r->worse[order[0]] > 0 ? fmax(0, r->worse[k]) / r->worse[order[0]] : 0;
        canvas_field(c, row, 1, name - 2, ALIGN_LEFT, STYLE_PLAIN, r->name[k]);
        if (bar > 4)
            chart_bar(c, row, name, bar, share, STYLE_BAR, STYLE_PLAIN);
        int col = name + (bar > 4 ? bar : 0) + 1;
        canvas_printf(c, row, col, r->worse[k] > 0 ? STYLE_NUMBER : STYLE_DIM, "%10.3g", r->worse[k]);
        if (isfinite(r->rank[k]))
            canvas_printf(c, row, col + 12, STYLE_DIM, "%s %+.2f", fabs(r->rank[k]) < 0.2 ? "no trend" :
                          r->rank[k] > 0 ? "rises with it" : "falls with it", r->rank[k]);
    }
}

void runs_importance_draw(const RunsState *s, const Canvas *c)
{
    const RunImportance *r = s->importance;
    if (!runs_metric(s))
        canvas_wrap(c, 1, 2, c->cols - 4, STYLE_DIM, "No run has a metric yet.");
    else if (!r)
        canvas_put(c, 1, 2, STYLE_DIM, "Weighing ...");
    else if (*r->trouble)
        canvas_wrap(c, 1, 2, c->cols - 4, STYLE_DIM, r->trouble);
    else {
        bool told = r->error < 0.7 * r->spread;
        int col = 1 + canvas_printf(c, 0, 1, STYLE_HEADER, "error added when it is shuffled") + 2;
        canvas_printf(c, 0, col, told ? STYLE_DIM : STYLE_WARN, "%zu runs%s: others are predicted to %.3g, and vary by %.3g",
                      r->runs, told ? "" : " say little", r->error, r->spread);
        Canvas body = canvas_part(c, 1, 0, c->rows - 1, c->cols);
        draw_bars(s, r, &body);
    }
}
