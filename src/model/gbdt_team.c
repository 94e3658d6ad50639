/* gbdt_team.c -- boosting by several processes, each with a stretch of the training rows.
 *
 * All members grow the same trees, identical to those of one process with all rows. What decides a tree is
 * brought together exactly: sums of pairs are whole numbers, so histograms, leaf sums and counts are added
 * up by the team without loss; where bins end, the rows that the sample draws are shared as they are; and
 * what goes by the place of a row among all (rounding by chance, samples) goes by `place`, which is where
 * the row would stand in one process. Gradients, bins and the parting of rows stay with their member.
 *
 * Only the sums that scale gradients and the loss that is shown are of rounded numbers; scales are powers
 * of two, for which the last bit of a sum means nothing. */
#include "gbdt_int.h"

#include <string.h>

/* ---- whose rows are whose ------------------------------------------------------------------------------ */

bool stretch_begin(Stretch *s, Team *team, size_t rows, Error *err)
{
    *s = (Stretch){.team = team, .all = rows};
    if (!team)
        return true;
    size_t members = team_size(team);
    uint64_t *count = mem_alloc(sizeof *count * members);
    count[team_rank(team)] = rows;
    team_sum_u64(team, count, members);
    for (size_t i = 0, at = 0; i < members; at += count[i++]) {
        s->first = i == team_rank(team) ? at : s->first;
        s->all = at + count[i];
    }
    mem_free(count);
    if (!team_sound(team, err))
        return false;
    s->place = mem_try(sizeof *s->place * (rows + 1), err);
    for (size_t i = 0; s->place && i < rows; i++)
        s->place[i] = (uint32_t)(s->first + i);
    return s->place != NULL;
}

void stretch_release(Stretch *s)
{
    mem_free(s->place);
    *s = (Stretch){0};
}

/* [members][n] of all, from the own n */
static uint64_t *counts_of_all(const Stretch *s, const uint64_t *own, size_t n)
{
    size_t members = team_size(s->team);
    uint64_t *all = mem_alloc(sizeof *all * (members * n + 1));
    memcpy(all + team_rank(s->team) * n, own, n * sizeof *all);
    team_sum_u64(s->team, all, members * n);
    return all;
}

/* [leaves]: how many of a leaf's rows the members before this one have */
static size_t *rows_before(const Stretch *s, const Grower *g)
{
    size_t *before = mem_alloc(sizeof *before * (g->leaves + 1));
    uint64_t *own = mem_alloc(sizeof *own * (g->leaves + 1));
    for (size_t i = 0; i < g->leaves; i++)
        own[i] = g->leaf[i].count;
    uint64_t *all = counts_of_all(s, own, g->leaves);
    for (size_t k = 0; k < team_rank(s->team); k++)
        for (size_t i = 0; i < g->leaves; i++)
            before[i] += (size_t)all[k * g->leaves + i];
    mem_free(all);
    mem_free(own);
    return before;
}

void stretch_stand(Stretch *s, const Grower *g)
{
    if (!s->team)
        return;
    size_t *before = rows_before(s, g);
    for (size_t i = 0; i < g->leaves; i++)
        for (size_t k = 0; k < g->leaf[i].count; k++)
            s->place[g->leaf[i].begin + k] = (uint32_t)(g->leaf[i].from + before[i] + k);
    mem_free(before);
}

/* ---- sums ------------------------------------------------------------------------------------------------ */

void stretch_sum_pairs(const Stretch *s, Pair *at, size_t n)
{
    team_sum_u64(s->team, at, n);
}

size_t stretch_sum_count(const Stretch *s, size_t n)
{
    uint64_t sum = n;
    team_sum_u64(s->team, &sum, 1);
    return (size_t)sum;
}

/* In pieces of 32 bits, whose sums have room; the uppermost wraps around as it should. */
static __int128 sum_wide(const Stretch *s, __int128 v)
{
    uint64_t piece[4];
    unsigned __int128 bits = (unsigned __int128)v, sum = 0;
    for (size_t i = 0; i < 4; i++)
        piece[i] = (uint64_t)(bits >> 32 * i) & 0xffffffffu;
    team_sum_u64(s->team, piece, 4);
    for (size_t i = 0; i < 4; i++)
        sum += (unsigned __int128)piece[i] << 32 * i;
    return (__int128)sum;
}

void stretch_sum_slopes(const Stretch *s, Slopes *slopes)
{
    if (!s->team)
        return;
    team_sum_u64(s->team, &slopes->sum, 1);
    slopes->square = sum_wide(s, slopes->square);
}

void stretch_sum_reals(const Stretch *s, double *at, size_t n)
{
    team_sum_f64(s->team, at, n);
}

void stretch_continue(const Stretch *s, void (*add)(void *job), void *job, double *sums, size_t n)
{
    for (size_t i = 0; i < team_size(s->team); i++) {
        if (i == team_rank(s->team))
            add(job);
        team_tell(s->team, i, sums, n * sizeof *sums);
    }
}

/* ---- rows of all ------------------------------------------------------------------------------------------ */

static void sum_floats_as_bits(const Stretch *s, float *at, size_t n)
{
    team_sum_u32(s->team, (uint32_t *)(void *)at, n); /* the others have zeros there */
}

float *stretch_sample(const Stretch *s, const Batch *b, size_t width, const uint32_t *sample,
                      size_t n)
{
    float *all = mem_alloc(sizeof *all * (n * width + 1));
    for (size_t k = 0; k < n; k++)
        if (sample[k] >= s->first && sample[k] - s->first < b->rows)
            memcpy(all + k * width, b->dense + (sample[k] - s->first) * width, width * sizeof *all);
    sum_floats_as_bits(s, all, n * width);
    return all;
}
