/* sample.c -- a column of each table, gathered over the chunks and prepared for the tests. */
#include "drift_int.h"

#include <stdlib.h>

#define DISTINCT_MOST 1000
#define LABELS_LEAST  20   /* so many labels always stand for themselves */
#define LABELS_NOISE  0.02 /* of n m / (n + m) rows: the most labels that do */

static bool is_label(ColumnType t)
{
    return t == COLUMN_TEXT || t == COLUMN_BOOL;
}

static double number_at(const Column *c, size_t row)
{
    if (!column_has(c, row))
        return NAN;
    return c->type == COLUMN_DATE ? (double)c->day[row] : column_real(c, row);
}

static void take_numbers(Gathered *g, const Column *c)
{
    if (c->type == COLUMN_REAL && !c->valid) {
        for (size_t row = 0; row < c->rows; row++) {
            g->value[g->n] = c->real[row];
            g->n += isfinite(c->real[row]) != 0;
        }
    } else {
        for (size_t row = 0; row < c->rows; row++) {
            double x = number_at(c, row);
            if (isfinite(x))
                g->value[g->n++] = x;
        }
    }
}

bool gathered_sort(Gathered *g, Error *err)
{
    if (!sort_decimals(g->value, g->n)) {
        double *spare = scratch_take(g->in, (g->n + 1) * sizeof *spare, err);
        if (!spare)
            return false;
        sort_reals(g->value, g->n, spare);
        scratch_give(g->in, spare);
        scratch_touched(g->in, g->n * 4 * sizeof *spare);
    }
    moments(g->value, g->n, &g->mean, &g->deviation);
    if (g->n > 1)
        g->deviation *= sqrt((double)g->n / (double)(g->n - 1));
    return true;
}

/* Labels are counted by code while chunks share a dictionary, and named once at its end. */
typedef struct Tally {
    const Words *words;
    uint64_t *seen;
} Tally;

static void tally_flush(Tally *t, Labels *into)
{
    for (size_t w = 0; t->words && w < t->words->count; w++)
        if (t->seen[w])
            labels_add(into, t->words->bytes + t->words->start[w],
                       (size_t)(t->words->start[w + 1] - t->words->start[w]), (double)t->seen[w]);
    mem_free(t->seen);
    *t = (Tally){0};
}

static void take_coded(Gathered *g, const Column *c, Tally *t)
{
    if (t->words != c->words) {
        tally_flush(t, g->labels);
        t->words = c->words;
        t->seen = mem_alloc((c->words->count + 1) * sizeof *t->seen);
    }
    for (size_t row = 0; row < c->rows; row++) {
        if (!column_has(c, row))
            continue;
        t->seen[c->code[row]]++;
        g->n++;
    }
}

static void take_printed(Gathered *g, const Column *c)
{
    for (size_t row = 0; row < c->rows; row++) {
        if (!column_has(c, row))
            continue;
        size_t n;
        const char *text;
        if (c->type == COLUMN_TEXT) {
            text = column_text(c, row, &n);
        } else {
            text = column_real(c, row) != 0.0 ? "true" : "false";
            n = strlen(text);
        }
        labels_add(g->labels, text, n, 1.0);
        g->n++;
    }
}

bool gather_column(Gathered *g, const Dataset *d, const char *name, Arena *a, Error *err)
{
    const Schema *s = dataset_schema(d);
    size_t at = schema_find(s, name), rows = (size_t)dataset_rows(d);
    *g = (Gathered){.missing = rows, .mean = NAN, .deviation = NAN, .in = g->in};
    if (at == SIZE_MAX)
        return true;
    Tally tally = {0};
    g->numeric = !is_label(s->field[at].type);
    if (g->numeric && !(g->value = scratch_take(g->in, (rows + 1) * sizeof(double), err)))
        return error_in(err, "%s", name);
    if (!g->numeric)
        g->labels = labels_create();
    for (size_t i = 0; i < dataset_chunks(d); i++) {
        Chunk chunk;
        dataset_chunk(d, i, a, &chunk);
        const Column *c = &chunk.column[at];
        if (g->numeric)
            take_numbers(g, c);
        else if (c->words)
            take_coded(g, c, &tally);
        else
            take_printed(g, c);
    }
    tally_flush(&tally, g->labels);
    arena_reset(a);
    g->missing -= g->n;
    return dataset_sound(d, err) &&
           (!g->numeric || gathered_sort(g, err) || error_in(err, "%s", name));
}

bool gather_numbers(Gathered *g, const double *value, size_t n, uint64_t missing, Error *err)
{
    *g = (Gathered){.numeric = true, .missing = missing, .in = g->in};
    g->value = scratch_take(g->in, (n + 1) * sizeof(double), err);
    if (!g->value)
        return false;
    for (size_t i = 0; i < n; i++)
        if (isfinite(value[i]))
            g->value[g->n++] = value[i];
    g->missing += n - g->n;
    return gathered_sort(g, err);
}

void gather_labels(Gathered *g, const char *const *name, const double *count, size_t n,
                   uint64_t missing)
{
    *g = (Gathered){.missing = missing, .labels = labels_create(), .mean = NAN, .deviation = NAN};
    for (size_t i = 0; i < n; i++) {
        if (!(count[i] > 0.0))
            continue;
        labels_add(g->labels, name[i], strlen(name[i]), count[i]);
        g->n += (size_t)count[i];
    }
}

void gathered_release(Gathered *g)
{
    scratch_give(g->in, g->value);
    labels_destroy(g->labels);
    *g = (Gathered){0};
}

/* ---- both side by side ---- */

typedef struct Ranked {
    const char *text;
    double count[2];
} Ranked;

static int by_reference(const void *left, const void *right)
{
    const Ranked *a = left, *b = right;
    for (int side = 0; side < 2; side++)
        if (a->count[side] != b->count[side])
            return a->count[side] > b->count[side] ? -1 : 1;
    return strcmp(a->text, b->text);
}

static size_t rank(const Labels *r, const Labels *c, Ranked **out)
{
    size_t n = 0, length;
    Ranked *all = mem_alloc((labels_count(r) + labels_count(c) + 1) * sizeof *all);
    for (size_t i = 0; i < labels_count(r); i++) {
        const char *text = labels_text(r, i, &length);
        size_t there = labels_find(c, text, length);
        all[n++] =
            (Ranked){text, {labels_seen(r, i), there == SIZE_MAX ? 0.0 : labels_seen(c, there)}};
    }
    for (size_t i = 0; i < labels_count(c); i++) {
        const char *text = labels_text(c, i, &length);
        if (labels_find(r, text, length) == SIZE_MAX)
            all[n++] = (Ranked){text, {0.0, labels_seen(c, i)}};
    }
    qsort(all, n, sizeof *all, by_reference);
    *out = all;
    return n;
}

/* Counted as far as anybody asks: enough to know that values are many. */
static size_t distinct_of_both(const DriftSample *s)
{
    size_t i = 0, k = 0, distinct = 0;
    for (; (i < s->reference_n || k < s->current_n) && distinct <= DISTINCT_MOST; distinct++) {
        bool left = k == s->current_n || (i < s->reference_n && s->reference[i] < s->current[k]);
        double x = left ? s->reference[i] : s->current[k];
        while (i < s->reference_n && s->reference[i] == x)
            i++;
        while (k < s->current_n && s->current[k] == x)
            k++;
    }
    return distinct;
}

/* Chance alone makes the Jensen-Shannon divergence of k labels about k/8 (1/n + 1/m). So that it
 * stays below 0.0025 (a distance of 0.05, half the alarm), the rarest labels are taken together. */
static size_t labels_most(const Gathered *r, const Gathered *c)
{
    double n = (double)r->n, m = (double)c->n;
    double most = LABELS_NOISE * n * m / (n + m);
    return most > LABELS_LEAST ? (size_t)most : LABELS_LEAST;
}

static int by_both(const void *left, const void *right)
{
    const Ranked *a = left, *b = right;
    double x = a->count[0] + a->count[1], y = b->count[0] + b->count[1];
    if (x != y)
        return x > y ? -1 : 1;
    return strcmp(a->text, b->text);
}

static size_t pool_rare(Ranked *all, size_t n, size_t most)
{
    if (n <= most)
        return n;
    qsort(all, n, sizeof *all, by_both);
    for (size_t i = most; i < n; i++)
        for (int side = 0; side < 2; side++)
            all[most - 1].count[side] += all[i].count[side];
    all[most - 1].text = RARE_LABELS;
    qsort(all, most, sizeof *all, by_reference);
    return most;
}

void pair_init(Pair *p, const Gathered *reference, const Gathered *current)
{
    DriftSample *s = &p->sample;
    *p = (Pair){.sample = {.numeric = reference->numeric,
                           .reference_n = reference->n,
                           .current_n = current->n,
                           .reference = reference->value,
                           .current = current->value}};
    if (reference->numeric) {
        s->distinct = distinct_of_both(s);
        p->walk.deviation =
            reference->deviation * sqrt((double)(reference->n - 1) / (double)reference->n);
        s->walk = &p->walk;
        return;
    }
    Ranked *all;
    size_t n = rank(reference->labels, current->labels, &all);
    p->all_labels = n;
    n = pool_rare(all, n, labels_most(reference, current));
    p->label = mem_alloc((n + 1) * sizeof *p->label);
    for (int side = 0; side < 2; side++)
        p->count[side] = mem_alloc((n + 1) * sizeof(double));
    for (size_t i = 0; i < n; i++) {
        p->label[i] = all[i].text;
        p->count[0][i] = all[i].count[0];
        p->count[1][i] = all[i].count[1];
    }
    mem_free(all);
    s->labels = s->distinct = n;
    s->reference_count = p->count[0];
    s->current_count = p->count[1];
}

void pair_release(Pair *p)
{
    mem_free(p->label);
    mem_free(p->count[0]);
    mem_free(p->count[1]);
    *p = (Pair){0};
}
