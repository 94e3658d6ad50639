/* profile_recount.c -- how often a few values are there, exactly, in a second pass.
 *
 * A value meets at most one of those that are counted: a hash leads to the place of the only one that
 * can be equal. The hash is chosen so that no two of them meet. */
#include "profile_int.h"

#define PLACE_BITS 12
#define LANES                                                                                      \
    4 /* counters of their own, so that equal values in a row need not wait for each other */

typedef struct ColumnRecount {
    size_t values; /* 0: nothing to count */
    uint64_t key[PROFILE_RECOUNT], bits[PROFILE_RECOUNT];
    bool rare; /* all of them together */
    uint64_t multiplier;
    uint8_t
        place[1 << PLACE_BITS]; /* of the value; any other leads to one that it is not equal to */
    uint64_t count[LANES][PROFILE_RECOUNT];
} ColumnRecount;

struct Recount {
    size_t columns;
    ColumnRecount **column; /* [columns], NULL: nothing to count */
};

static inline size_t hash_of(uint64_t multiplier, uint64_t bits)
{
    return (size_t)((bits ^ bits >> 32) * multiplier >> (64 - PLACE_BITS));
}

static bool place_values(ColumnRecount *c)
{
    bool taken[1 << PLACE_BITS] = {false};
    memset(c->place, 0, sizeof c->place);
    for (size_t i = 0; i < c->values; i++) {
        size_t at = hash_of(c->multiplier, c->bits[i]);
        if (taken[at])
            return false;
        taken[at] = true;
        c->place[at] = (uint8_t)i;
    }
    return true;
}

static ColumnRecount *begin_column(const ColumnProfiler *p)
{
    ColumnRecount *c = mem_alloc(sizeof *c);
    uint64_t rows;
    c->values = profile_estimates(p, c->key, PROFILE_RECOUNT, &rows);
    c->rare = rows < (p->count - p->missing) / 16;
    for (size_t i = 0; i < c->values; i++)
        c->bits[i] = unmix64(c->key[i]);
    uint64_t dice = 0;
    for (int i = 0; i < 1000 && c->values;
         i++) { /* of 40 values, one in six finds places for all */
        c->multiplier = mix64(dice += 0x9e3779b97f4a7c15u) | 1;
        if (place_values(c))
            return c;
    }
    mem_free(c);
    return NULL;
}

Recount *recount_create(const Profiler *p)
{
    Recount *r = mem_alloc(sizeof *r);
    bool any = false;
    r->columns = p->columns;
    r->column = mem_alloc((p->columns + 1) * sizeof(ColumnRecount *));
    for (size_t i = 0; i < p->columns; i++) {
        r->column[i] = begin_column(p->column[i]);
        any |= r->column[i] != NULL;
    }
    if (any)
        return r;
    recount_finish(r, NULL);
    return NULL;
}

/* Where few rows have one of the values, the branch costs less than adding. */
static void count_rare(ColumnRecount *c, const ProfileBits *bits, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t which = c->place[hash_of(c->multiplier, bits[i])];
        if (__builtin_expect(c->bits[which] == bits[i], 0))
            c->count[0][which]++;
    }
}

static void count_block(ColumnRecount *c, const ProfileBits *bits, size_t n)
{
    if (c->rare) {
        count_rare(c, bits, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        size_t which = c->place[hash_of(c->multiplier, bits[i])];
        c->count[i % LANES][which] += c->bits[which] == bits[i];
    }
}

void recount_add(Recount *r, const Chunk *chunk)
{
    ProfileBlock block;
    for (size_t i = 0; i < r->columns && i < chunk->columns; i++) {
        const Column *c = &chunk->column[i];
        for (size_t from = 0; r->column[i] && from < c->rows; from += PROFILE_BLOCK) {
            profile_load(c, from, c->rows - from < PROFILE_BLOCK ? c->rows - from : PROFILE_BLOCK,
                         &block);
            count_block(r->column[i], block.bits, block.n);
        }
    }
}

void recount_merge(Recount *into, Recount *from)
{
    for (size_t i = 0; i < into->columns; i++)
        for (size_t k = 0; into->column[i] && k < LANES; k++)
            for (size_t v = 0; v < PROFILE_RECOUNT; v++)
                into->column[i]->count[k][v] += from->column[i]->count[k][v];
    recount_finish(from, NULL);
}

void recount_finish(Recount *r, Profiler *into)
{
    for (size_t i = 0; i < r->columns; i++) {
        ColumnRecount *c = r->column[i];
        uint64_t sum[PROFILE_RECOUNT] = {0};
        for (size_t k = 0; c && into && k < LANES; k++)
            for (size_t v = 0; v < c->values; v++)
                sum[v] += c->count[k][v];
        if (c && into)
            profile_set_counts(into->column[i], c->key, sum, c->values);
        mem_free(c);
    }
    mem_free(r->column);
    mem_free(r);
}
