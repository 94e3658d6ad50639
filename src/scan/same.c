/* same.c -- columns that say in every row what an earlier one says.
 *
 * The profiles leave few pairs that can be: those are compared chunk by chunk, until the first row in which
 * they differ. Text is compared as text, since every chunk and column has its own words. */
#include "scan_int.h"

typedef struct Pair {
    size_t column, as;
    atomic_bool differs;
} Pair;

typedef struct Same {
    const Dataset *d;
    size_t pairs;
    Pair *pair;
    Progress *progress;
} Same;

static bool may_be_same(const ColumnProfile *a, const ColumnProfile *b)
{
    return a && b && a->type == b->type && a->count == b->count && a->missing == b->missing &&
           a->distinct == b->distinct && a->tops == b->tops && a->shortest == b->shortest && a->longest == b->longest &&
           (!a->numeric || (a->least == b->least && a->most == b->most && a->nans == b->nans));
}

static bool same_value(const Column *a, const Column *b, size_t row)
{
    size_t n = 0, m = 0;
    if (a->type == COLUMN_BOOL)
        return bit_get(a->bit, row) == bit_get(b->bit, row);
    if (a->type == COLUMN_DATE)
        return a->day[row] == b->day[row];
    if (a->type != COLUMN_TEXT) /* the bits of a number, so that NaN is NaN */
        return a->integer[row] == b->integer[row];
    const char *s = column_text(a, row, &n), *t = column_text(b, row, &m);
    return n == m && memcmp(s, t, n) == 0;
}

static bool same_chunk(const Column *a, const Column *b)
{
    for (size_t i = 0; i < a->rows; i++)
        if (column_has(a, i) != column_has(b, i) || (column_has(a, i) && !same_value(a, b, i)))
            return false;
    return true;
}

static void look(void *job, size_t i, size_t worker)
{
    Same *s = job;
    Arena a = {0};
    Chunk c;
    (void)worker;
    if (progress_stopped(s->progress))
        return;
    dataset_chunk(s->d, i, &a, &c);
    for (size_t p = 0; p < s->pairs; p++)
        if (!atomic_load(&s->pair[p].differs) && !same_chunk(&c.column[s->pair[p].column], &c.column[s->pair[p].as]))
            atomic_store(&s->pair[p].differs, true);
    progress_add(s->progress, c.rows);
    arena_release(&a);
}

/* Every pair, so that C is found to be as A where B is not. */
static void choose_pairs(Same *s)
{
    const Schema *schema = dataset_schema(s->d);
    const Profile *profile = dataset_profile(s->d);
    VEC(Pair) pairs = {0};
    for (size_t k = 1; profile && k < schema->count; k++)
        for (size_t i = 0; i < k; i++)
            if (may_be_same(profile_find(profile, schema->field[k].name), profile_find(profile, schema->field[i].name)))
                vec_add(&pairs, ((Pair){.column = k, .as = i}));
    s->pair = pairs.at;
    s->pairs = pairs.count;
}

bool scan_same(const Dataset *d, Pool *pool, Progress *progress, SameColumn **out, size_t *n, Error *err)
{
    Same s = {.d = d, .progress = progress};
    *n = 0;
    *out = NULL;
    choose_pairs(&s);
    if (s.pairs) {
        progress_begin(progress, "comparing columns", "rows", dataset_rows(d));
        pool_run(pool, dataset_chunks(d), look, &s);
    }
    *out = mem_alloc((s.pairs + 1) * sizeof **out);
    for (size_t p = 0; p < s.pairs; p++) { /* pairs of a column stand together, the first column before others */
        const Pair *pair = &s.pair[p];
        if (!pair->differs && (!*n || (*out)[*n - 1].column != pair->column))
            (*out)[(*n)++] = (SameColumn){pair->column, pair->as};
    }
    mem_free(s.pair);
    bool ok = progress_stopped(progress) ? error_set(err, ERROR_STOP, "stopped on request") : dataset_sound(d, err);
    if (!ok) {
        mem_free(*out);
        *out = NULL;
        *n = 0;
    }
    return ok;
}
