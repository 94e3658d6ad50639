/* fit.c -- the statistics that rules ask for, from the training rows.
 *
 * A statistic belongs to the data as the rules before it leave them, so the rules are fitted in
 * their order. One pass over the chunks fits the first rule that needs it and, with it, later ones
 * whose columns cannot be changed by what is not fitted yet.
 *
 * Everything is merged in the order of chunks: the result does not depend on the number of threads.
 * Quartiles are exact up to SAMPLE_MOST training values; of more, some four million rows are taken,
 * which a hash of the row's number decides (so the same rows every time). */
#include "recipe_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_MOST (UINT64_C(1) << 22)

size_t step_needs(const Step *step, Need **first)
{
    *first = NULL;
    return step->rule->needs ? step->rule->needs(step->self, first) : 0;
}

static bool step_fitted(const Step *step)
{
    Need *need;
    size_t n = step_needs(step, &need);
    for (size_t i = 0; i < n; i++)
        if (!need[i].fitted)
            return false;
    return true;
}

void plan_note_fitted(Plan *p)
{
    p->fitted = true;
    for (size_t i = 0; i < p->steps; i++)
        p->fitted = p->fitted && step_fitted(&p->step[i]);
}

bool plan_needs_fit(const Plan *p)
{
    return !p->fitted;
}

/* ---- one pass ------------------------------------------------------------------------------ */

/* What one chunk says about one need; the memory is the chunk's. */
typedef struct ChunkPart {
    uint64_t count;
    double mean, squares; /* MOMENTS: sum of squared differences from the mean */
    double *value;        /* QUARTILES and MODE of numbers */
    size_t values;
    Span *word; /* MODE of text, with how often */
    uint64_t *times;
    size_t words;
} ChunkPart;

typedef struct Wanted {
    Need *need;
    size_t step;
    ChunkPart *part; /* [chunks] */
    double mean, squares;
    VEC(double) values;
    Counter counter;
} Wanted;

typedef struct Fit {
    const Split *split;
    uint64_t share; /* rows whose hash is below are sampled; UINT64_MAX: all */
    VEC(Wanted) wanted;
} Fit;

static uint64_t row_hash(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* The living training rows with a value, as indices. */
static uint32_t *training_rows(const Fit *fit, const Frame *f, const Column *c, size_t *count)
{
    uint32_t *row = ARENA_NEW(f->arena, uint32_t, f->rows + 1);
    size_t n = 0;
    for (size_t i = 0; i < f->rows; i++) {
        if (!f->alive[i] || !column_has(c, i))
            continue;
        if (fit->split && split_part(fit->split, chunk_origin(f->in, i)) != PART_TRAIN)
            continue;
        row[n++] = (uint32_t)i;
    }
    *count = n;
    return row;
}

static void collect_words(ChunkPart *p, const Column *c, const uint32_t *row, size_t rows, Arena *a)
{
    size_t most = c->words ? c->words->count : rows;
    p->word = ARENA_NEW(a, Span, most + 1);
    p->times = ARENA_NEW(a, uint64_t, most + 1);
    p->words = most;
    for (size_t i = 0; i < rows; i++) {
        size_t w = c->words ? (size_t)c->code[row[i]] : i;
        if (p->times[w]++ == 0)
            p->word[w].at = column_text(c, row[i], &p->word[w].size);
    }
}

static void collect(const Fit *fit, const Wanted *w, ChunkPart *p, const Frame *f)
{
    const Column *c = &f->column[w->need->field];
    size_t rows;
    uint32_t *row = training_rows(fit, f, c, &rows);
    *p = (ChunkPart){.count = rows};
    if (c->type == COLUMN_TEXT) {
        collect_words(p, c, row, rows, f->arena);
        return;
    }
    const double *x = column_reals(c, f->arena);
    double *value = ARENA_NEW(f->arena, double, rows + 1);
    size_t n = 0;
    for (size_t i = 0; i < rows; i++) {
        value[n] = x[row[i]];
        bool taken =
            w->need->kind != NEED_QUARTILES || row_hash(chunk_origin(f->in, row[i])) <= fit->share;
        n += taken && isfinite(value[n]);
    }
    p->value = value;
    p->values = n;
    if (w->need->kind != NEED_MOMENTS)
        return;
    p->count = n;
    for (size_t i = 0; i < n; i++)
        p->mean += value[i];
    p->mean = n > 0 ? p->mean / (double)n : 0.0;
    for (size_t i = 0; i < n; i++)
        p->squares += (value[i] - p->mean) * (value[i] - p->mean);
}

static bool fit_each(void *context, size_t i, size_t step, Frame *f, Error *err)
{
    const Fit *fit = context;
    for (size_t k = 0; k < fit->wanted.count; k++)
        if (fit->wanted.at[k].step == step)
            collect(fit, &fit->wanted.at[k], &fit->wanted.at[k].part[i], f);
    (void)err;
    return true;
}

/* Chan, Golub and LeVeque (1979): two means and sums of squares into one. */
static void merge_moments(Wanted *w, const ChunkPart *p)
{
    double a = (double)w->need->count, b = (double)p->count;
    if (p->count == 0)
        return;
    double apart = p->mean - w->mean;
    w->mean += apart * b / (a + b);
    w->squares += p->squares + apart * apart * a * b / (a + b);
}

static bool fit_merge(void *context, size_t i, Frame *f, Error *err)
{
    Fit *fit = context;
    for (size_t k = 0; k < fit->wanted.count; k++) {
        Wanted *w = &fit->wanted.at[k];
        const ChunkPart *p = &w->part[i];
        switch (w->need->kind) {
        case NEED_MOMENTS:
            merge_moments(w, p);
            break;
        case NEED_QUARTILES:
            for (size_t v = 0; v < p->values; v++)
                vec_add(&w->values, p->value[v]);
            break;
        case NEED_MODE:
            for (size_t v = 0; v < p->words; v++)
                if (p->times[v] > 0)
                    counter_add(&w->counter, p->word[v], 0, p->times[v]);
            for (size_t v = 0; v < p->values; v++)
                counter_add(&w->counter, (Span){(const char *)&p->value[v], sizeof(double)}, 0, 1);
            break;
        }
        w->need->count += p->count;
    }
    (void)f;
    (void)err;
    return true;
}

/* ---- from what was collected to the statistic ---------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Brings the k-th smallest to place k, smaller ones before it, greater ones behind it. Hoare's
 * selection with the median of three; data made to slow it down is sorted instead. */
static double select_kth(double *x, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    for (int round = 0; low < high; round++) {
        if (round == 200) {
            qsort(x + low, high - low + 1, sizeof *x, by_value);
            break;
        }
        double a = x[low], b = x[low + (high - low) / 2], c = x[high];
        double pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
        size_t i = low, j = high;
        for (;;) {
            while (x[i] < pivot)
                i++;
            while (x[j] > pivot)
                j--;
            if (i >= j)
                break;
            double t = x[i];
            x[i++] = x[j];
            x[j--] = t;
        }
        if (k <= j) /* [low, j] are the smaller ones */
            high = j;
        else
            low = j + 1;
    }
    return x[k];
}

/* Type 7 of Hyndman and Fan (1996), the default of R and NumPy. Reorders x. */
static double quantile(double *x, size_t n, double share)
{
    double at = share * (double)(n - 1), below = floor(at);
    size_t i = (size_t)below;
    double low = select_kth(x, n, i);
    if (i + 1 >= n)
        return low;
    double next = x[i + 1]; /* the least of those behind */
    for (size_t k = i + 2; k < n; k++)
        next = x[k] < next ? x[k] : next;
    return low + (at - below) * (next - low);
}

static double as_number(Span word)
{
    double x;
    memcpy(&x, word.at, sizeof x);
    return x;
}

static bool comes_first(const Need *n, Span a, Span b)
{
    if (n->type != COLUMN_TEXT)
        return as_number(a) < as_number(b);
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size > 0 ? memcmp(a.at, b.at, size) : 0;
    return order != 0 ? order < 0 : a.size < b.size;
}

static void take_mode(Wanted *w, Arena *a)
{
    Need *n = w->need;
    const Tally *best = NULL;
    for (size_t i = 0; i < w->counter.list.count; i++) {
        const Tally *t = &w->counter.list.at[i];
        if (!best || t->count[0] > best->count[0] ||
            (t->count[0] == best->count[0] && comes_first(n, t->word, best->word)))
            best = t;
    }
    if (!best) {
        n->count = 0; /* only values that are not finite */
    } else if (n->type == COLUMN_TEXT) {
        char *copy = arena_alloc(a, best->word.size + 1);
        memcpy(copy, best->word.at, best->word.size);
        n->word = (Span){copy, best->word.size};
    } else {
        n->number = as_number(best->word);
    }
}

static void finish(Wanted *w, Arena *a)
{
    Need *n = w->need;
    n->fitted = true;
    switch (n->kind) {
    case NEED_MOMENTS:
        n->mean = w->mean;
        n->deviation = n->count > 1 ? sqrt(w->squares / (double)(n->count - 1)) : 0.0;
        break;
    case NEED_QUARTILES:
        if (w->values.count == 0) {
            n->count = 0;
            break;
        }
        n->low = quantile(w->values.at, w->values.count, 0.25);
        n->middle = quantile(w->values.at, w->values.count, 0.50);
        n->high = quantile(w->values.at, w->values.count, 0.75);
        break;
    case NEED_MODE:
        take_mode(w, a);
        break;
    }
}

/* ---- which needs one pass can serve -------------------------------------------------------- */

typedef VEC(const char *) Names;

static bool names_have(const Names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->at[i], name) == 0)
            return true;
    return false;
}

static bool reads_any(const Step *step, const Names *open)
{
    for (size_t i = 0; i < step->reads; i++)
        if (names_have(open, step->field[step->read[i]].name))
            return true;
    return false;
}

/* Gathers what can be fitted now; returns the steps that have to run for it. */
static size_t choose(Fit *fit, const Plan *p, size_t chunks)
{
    Names open = {0}; /* columns whose values are not known before something is fitted */
    size_t until = 0;
    for (size_t i = 0; i < p->steps; i++) {
        const Step *step = &p->step[i];
        bool touched = reads_any(step, &open), fitted = step_fitted(step);
        Need *need;
        size_t needs = step_needs(step, &need);
        for (size_t k = 0; !fitted && !touched && k < needs; k++) {
            need[k].count = 0;
            vec_add(&fit->wanted, (Wanted){.need = &need[k],
                                           .step = i,
                                           .part = mem_alloc((chunks + 1) * sizeof(ChunkPart))});
            until = i;
        }
        bool unknown = touched || !fitted;
        bool renames = step->reads == 0 && step->writes == 0 && open.count > 0;
        if ((unknown && step->rule->drops) || renames)
            break; /* rows, or names, that cannot be followed */
        for (size_t k = 0; unknown && k < step->writes; k++)
            vec_add(&open, step->write[k]);
    }
    vec_release(&open);
    return until;
}

static bool fit_pass(Plan *p, const ChunkSource *from, const Split *split, Pool *pool,
                     Progress *progress, const Stop *stop, Error *err)
{
    Fit fit = {.split = split, .share = UINT64_MAX};
    if (from->rows > SAMPLE_MOST)
        fit.share = (uint64_t)((double)SAMPLE_MOST / (double)from->rows * 0x1p64);
    Pass pass = {.plan = p,
                 .pool = pool,
                 .progress = progress,
                 .stop = stop,
                 .each = fit_each,
                 .merge = fit_merge,
                 .context = &fit};
    pass.until = choose(&fit, p, from->count);
    bool ok = pass_run(&pass, from, err);
    for (size_t k = 0; k < fit.wanted.count; k++) {
        Wanted *w = &fit.wanted.at[k];
        if (ok)
            finish(w, &p->arena);
        mem_free(w->part);
        vec_release(&w->values);
        counter_release(&w->counter);
    }
    vec_release(&fit.wanted);
    return ok;
}

bool plan_fit_source(Plan *p, const ChunkSource *from, const Split *split, Pool *pool,
                     Progress *progress, const Stop *stop, Error *err)
{
    while (!p->fitted) {
        progress_begin(progress, "fitting", "rows", from->rows);
        if (!fit_pass(p, from, split, pool, progress, stop, err))
            return false;
        plan_note_fitted(p);
    }
    return true;
}

static void dataset_get(void *context, size_t i, Arena *a, Chunk *out)
{
    dataset_chunk(context, i, a, out);
}

ChunkSource source_of_dataset(const Dataset *d)
{
    return (ChunkSource){dataset_chunks(d), dataset_rows(d), dataset_get, (void *)(uintptr_t)d};
}

bool plan_fit(Plan *p, const Dataset *d, const Split *split, Pool *pool, Progress *progress,
              Error *err)
{
    ChunkSource from = source_of_dataset(d);
    return plan_fit_source(p, &from, split, pool, progress, NULL, err) && dataset_sound(d, err);
}
