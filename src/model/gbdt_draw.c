/* gbdt_draw.c -- which rows and columns a boosted model's round is grown on */
#include "gbdt_model.h"

#include <math.h>

#define SAMPLE_BLOCK  8192
#define SAMPLE_STREAM 0x67626474

static float steepness(const Gbdt *m, size_t row)
{
    float sum = 0;
    for (size_t c = 0; c < m->shape->outputs; c++)
        sum += fabsf(m->slopes[c].g[row]) * (m->slopes[c].h ? m->slopes[c].h[row] : 1.0f);
    return sum;
}

static float steepness_of(const void *of, size_t row)
{
    return steepness(of, row);
}

/* The steepness that goss_top of the rows reach. */
static float steep_from(const Gbdt *m)
{
    size_t n = m->stretch.all, top = (size_t)(m->params.goss_top * (double)n);
    return rank_find(&m->stretch, steepness_of, m, m->batch.rows, n - (top ? top : 1));
}

static void number_rows(void *job, size_t block, size_t worker)
{
    (void)worker;
    Grower *g = job;
    size_t end = (block + 1) * SAMPLE_BLOCK;
    for (size_t i = block * SAMPLE_BLOCK; i < end && i < g->bins->rows; i++)
        g->order[i] = (uint32_t)i;
}

bool gbdt_draw_rows(Gbdt *m, size_t round, double lr)
{
    const GbdtParams *p = &m->params;
    Grower *g = &m->grower;
    size_t n = m->batch.rows;
    bool goss = p->goss && p->goss_top + p->goss_other < 1.0 && (double)round >= 1.0 / lr;
    double share = goss ? p->goss_other / (1.0 - p->goss_top) : p->row_share;
    float from = goss ? steep_from(m) : INFINITY;
    g->rows = 0;
    g->all = !goss && share >= 1.0;
    if (g->all)
        pool_run(m->setup->pool, (n + SAMPLE_BLOCK - 1) / SAMPLE_BLOCK, number_rows, g);
    Rng rng;
    const uint32_t *place = m->stretch.place;
    for (size_t at = 0, i = 0; !g->all && i < n; at++) {
        if (at % SAMPLE_BLOCK == 0)
            rng_seed(&rng, m->setup->seed ^ (uint64_t)SAMPLE_STREAM << 32,
                     (uint64_t)round << 32 | at / SAMPLE_BLOCK);
        bool drawn = rng_unit(&rng) < share;
        if (place && place[i] != at)
            continue; /* another member's */
        bool steep = goss && steepness(m, i) >= from;
        if (goss)
            m->factor[i] = steep ? 1.0f : drawn ? (float)(1.0 / share) : 0.0f;
        if (drawn || steep)
            g->order[g->rows++] = (uint32_t)i;
        i++;
    }
    if (g->all)
        g->rows = n;
    else if (stretch_sum_count(&m->stretch, g->rows) == 0 && (!place || place[0] == 0)) {
        g->order[g->rows++] = 0; /* too small a share of too few */
        if (goss)
            m->factor[0] = 1.0f;
    }
    return goss;
}

void gbdt_draw_columns(Gbdt *m, size_t tree)
{
    Rng rng;
    Grower *g = &m->grower;
    size_t n = m->bins.features, used = 0;
    rng_seed(&rng, m->setup->seed ^ (uint64_t)SAMPLE_STREAM, tree);
    for (size_t i = 0; i < n; i++) {
        g->use[i] = m->params.column_share >= 1.0;
        used += m->bins.feature[i].bins > 1;
    }
    if (m->params.column_share >= 1.0)
        return;
    size_t wanted = (size_t)fmax(1.0, round(m->params.column_share * (double)used));
    for (size_t i = 0; i < n && used; i++) {
        if (m->bins.feature[i].bins < 2)
            continue;
        g->use[i] = rng_below(&rng, used) < wanted; /* each set of so many is as likely */
        wanted -= g->use[i];
        used--;
    }
}
