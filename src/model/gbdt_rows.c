/* gbdt_rows.c -- the rows a boosted model is trained on, and where its trees have led them */
#include "gbdt_model.h"

#include <math.h>
#include <string.h>

#define TOGETHER_ROWS 65536 /* fewer are in the cache anyway */

void gbdt_unbind(Gbdt *m)
{
    Scratch *in = m->setup->scratch;
    for (size_t i = 0; m->slopes && i < m->shape->outputs; i++) {
        scratch_give(in, m->slopes[i].g);
        scratch_give(in, m->slopes[i].h);
        scratch_give(in, m->slopes[i].pair);
    }
    if (m->slopes)
        mem_free(m->slopes[0].block);
    mem_free(m->slopes);
    scratch_give(in, m->score);
    scratch_give(in, m->weight);
    scratch_give(in, m->factor);
    scratch_give(in, m->row);
    scratch_give(in, m->y);
    mem_free(m->bias);
    stretch_release(&m->stretch);
    grower_release(&m->grower);
    bins_release(&m->bins);
    m->bias = NULL;
    m->slopes = NULL;
    m->row = NULL;
    m->score = m->weight = m->factor = m->y = NULL;
    m->bound = m->score_is_whole = false;
}

static bool weigh_rows(Gbdt *m, Error *err)
{
    const Batch *b = &m->batch;
    const float *by_class = shape_classes(m->shape) ? m->setup->class_weight : NULL;
    if (!b->weight && !by_class)
        return true;
    m->weight = scratch_take(m->setup->scratch, sizeof(float) * b->rows, err);
    for (size_t i = 0; m->weight && i < b->rows; i++)
        m->weight[i] =
            (b->weight ? b->weight[i] : 1.0f) * (by_class ? by_class[(size_t)b->target[i]] : 1.0f);
    return m->weight != NULL;
}

/* What is there already stays. */
static bool make_slopes(Gbdt *m, Error *err)
{
    size_t n = m->batch.rows, outputs = m->shape->outputs;
    Scratch *in = m->setup->scratch;
    bool bent = !target_constant_h(&m->target), ok = true;
    if (!m->slopes)
        m->slopes = mem_alloc(sizeof *m->slopes * outputs);
    for (size_t i = 0; ok && i < outputs; i++) {
        Slopes *s = &m->slopes[i];
        s->pair = s->pair ? s->pair : scratch_take(in, n * sizeof *s->pair, err);
        if (m->carry)
            return s->pair != NULL;
        s->block = i ? m->slopes[0].block : mem_alloc(sizeof *s->block * slope_blocks(n));
        s->g = s->pair ? scratch_take(in, n * sizeof *s->g, err) : NULL;
        s->h = bent && s->g ? scratch_take(in, n * sizeof *s->h, err) : NULL;
        ok = s->g && (s->h || !bent);
    }
    if (ok)
        m->score = scratch_take(in, n * outputs * sizeof *m->score, err);
    if (ok && m->score && m->params.goss)
        m->factor = scratch_take(in, n * sizeof *m->factor, err);
    return ok && m->score && (m->factor || !m->params.goss);
}

bool gbdt_leave_carry(Gbdt *m, Error *err)
{
    m->carry = m->grower.carry = m->grower.root_ready = m->score_is_whole = false;
    return make_slopes(m, err);
}

/* Pairs of the first class before any tree; false: they are not finite. */
static bool first_pairs(Gbdt *m)
{
    size_t n = m->batch.rows;
    SlopeSums sums;
    if (m->carry)
        return carry_begin(&m->target, (double)m->bias[0], &m->slopes[0], m->setup->pool);
    for (size_t i = 0; i < n * m->shape->outputs; i++)
        m->score[i] = m->bias[i / n];
    target_slopes(&m->target, m->score, m->slopes, m->setup->pool, &sums);
    if (!isfinite(sums.loss))
        return false;
    slopes_pack(&m->slopes[0], &m->stretch, n, NULL, 0, m->setup->pool);
    return true;
}

/* A tree of all rows and columns, thrown away: the grower's order of rows stays. False: it was stopped. */
static bool order_by_tree(Gbdt *m)
{
    Grower *g = &m->grower;
    Forest tree;
    forest_init(&tree, m->shape);
    for (size_t i = 0; i < m->batch.rows; i++)
        g->order[i] = (uint32_t)i;
    memset(g->use, 1, m->bins.features);
    g->rows = m->batch.rows;
    g->all = true;
    grower_tree(g, &tree, &m->slopes[0]);
    forest_release(&tree);
    return !progress_stopped(g->progress);
}

/* Rows that a first tree puts in one leaf, the later ones will mostly keep together. Standing side by
 * side they share cache lines. Sums of pairs are exact, so the order of rows decides nothing else. */
static void stand_together(Gbdt *m)
{
    size_t n = m->batch.rows;
    Grower *g = &m->grower;
    if (m->stretch.all < TOGETHER_ROWS || !first_pairs(m) || !order_by_tree(m))
        return;
    Scratch *in = m->setup->scratch;
    uint32_t *row = scratch_take(in, n * sizeof *row, NULL);
    float *y = row ? scratch_take(in, n * sizeof *y, NULL) : NULL;
    float *weight = y && m->weight ? scratch_take(in, n * sizeof *weight, NULL) : NULL;
    bool room = y && (weight || !m->weight);
    room = stretch_sum_count(&m->stretch, !room) == 0;
    if (g->leaves < 2 || !room || !bins_reorder(&m->bins, g->order, m->setup->pool)) {
        scratch_give(in, row);
        scratch_give(in, y);
        scratch_give(in, weight);
        return;
    }
    memcpy(row, g->order, n * sizeof *row);
    stretch_stand(&m->stretch, g);
    m->row = row;
    m->y = y;
    for (size_t i = 0; i < n; i++) {
        m->y[i] = m->batch.target[m->row[i]];
        if (weight)
            weight[i] = m->weight[m->row[i]];
    }
    scratch_give(in, m->weight);
    m->weight = weight;
    m->target.y = m->y;
    m->target.weight = weight;
}

/* Of long rounds. The members of a team cannot stop one by one. */
static Progress *progress_of(const Gbdt *m)
{
    return m->setup->team ? NULL : m->setup->progress;
}

/* For the rounds that are planned. */
static void make_room(Gbdt *m)
{
    double trees = (double)m->setup->steps_total * (double)m->shape->outputs;
    double nodes = trees * 2.0 * (double)m->grower.leaves_most;
    forest_room(&m->forest, (size_t)fmin(trees, 1e9), (size_t)fmin(nodes, 1e9));
}

bool gbdt_bind(Gbdt *m, const Batch *b, Error *err)
{
    if (m->bound && m->batch.rows == b->rows && m->batch.dense == b->dense &&
        m->batch.code == b->code && m->batch.target == b->target && m->batch.weight == b->weight)
        return true;
    if (b->rows == 0 || b->rows > UINT32_MAX / 4)
        return error_set(err, ERROR_SHAPE, "%zu rows; boosting takes 1 to %u", b->rows,
                         UINT32_MAX / 4);
    gbdt_unbind(m);
    Scratch *in = m->setup->scratch;
    m->batch = *b;
    if (!weigh_rows(m, err))
        return false;
    if (!stretch_begin(&m->stretch, m->setup->team, b->rows, err))
        return false;
    m->target.stretch = &m->stretch;
    m->target.y = b->target;
    m->target.weight = m->weight;
    m->target.rows = b->rows;
    m->bias = mem_alloc(sizeof *m->bias * m->shape->outputs);
    target_bias(&m->target, m->bias);
    m->carry = m->target.loss == LOSS_SQUARED && !m->weight && !m->params.goss &&
               m->params.row_share >= 1.0;
    m->bound = make_slopes(m, err) &&
               bins_make(&m->bins, b, &m->stretch, m->shape, (size_t)m->params.bins, m->setup->seed,
                         m->setup->pool, in, progress_of(m), err) &&
               grower_init(&m->grower, &m->params, &m->limits, &m->bins, &m->stretch,
                           m->setup->pool, in, err);
    m->grower.progress = progress_of(m);
    if (m->bound) {
        make_room(m);
        stand_together(m);
    }
    if (m->bound && !progress_stopped(m->grower.progress))
        return true;
    if (m->bound)
        error_set(err, ERROR_STOP, "stopped on request");
    gbdt_unbind(m);
    return false;
}

/* One more tree's values to the own rows' gradients; the sums are those of all rows. */
static void carry_own(Gbdt *m, const float *value)
{
    Slopes *s = &m->slopes[0], before = *s;
    s->sum = 0;
    s->square = 0;
    carry_tree(s, value, m->batch.rows);
    stretch_sum_slopes(&m->stretch, s);
    s->sum += before.sum;
    s->square += before.square;
}

bool gbdt_carry_trees(Gbdt *m)
{
    size_t n = m->batch.rows;
    Slopes *s = &m->slopes[0];
    SlopeSums sums;
    if (m->score_is_whole && m->scored == m->forest.nodes.count)
        return true;
    bool ok = carry_begin(&m->target, (double)m->forest.bias[0], s, m->setup->pool);
    float *value = ok ? scratch_take(m->setup->scratch, n * sizeof *value, NULL) : NULL;
    const size_t all = m->stretch.all;
    ok = stretch_sum_count(&m->stretch, !value) == 0;
    for (size_t t = 0; ok && t < m->forest.nodes.count; t++) {
        memset(value, 0, n * sizeof *value);
        forest_add_tree(&m->forest, &m->batch, m->row, t, value, m->setup->pool);
        carry_own(m, value);
        ok = carry_sums(s, all, &sums); /* as after each round */
    }
    scratch_give(m->setup->scratch, value);
    m->scored = m->forest.nodes.count;
    m->score_is_whole = ok;
    m->grower.carry = true;
    m->grower.root_ready = false;
    return ok;
}

void gbdt_score_rows(Gbdt *m)
{
    size_t n = m->batch.rows, outputs = m->shape->outputs;
    if (m->score_is_whole && m->scored == m->forest.nodes.count)
        return;
    for (size_t c = 0; c < outputs; c++)
        for (size_t i = 0; i < n; i++)
            m->score[c * n + i] = m->forest.bias[c];
    for (size_t t = 0; t < m->forest.nodes.count; t++)
        forest_add_tree(&m->forest, &m->batch, m->row, t, m->score + t % outputs * n,
                        m->setup->pool);
    m->scored = m->forest.nodes.count;
    m->score_is_whole = true;
}
