/* gbdt.c -- gradient boosted trees: each round adds a tree (multiclass: one a class) that descends the
 * loss from where the trees before it led. A step is a round over all training rows. */
#include "gbdt_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SAMPLE_BLOCK  8192
#define SAMPLE_STREAM 0x67626474
#define QUICK_ROWS    256
#define TOGETHER_ROWS 65536 /* fewer are in the cache anyway */

typedef struct Gbdt {
    GbdtParams params; /* its texts are read in create and forgotten */
    Limits limits;
    const ModelShape *shape;
    const ModelSetup *setup;
    Forest forest;
    /* Made at the first round, from its rows: */
    Batch batch;
    Stretch stretch; /* which of all rows these are */
    float *bias;     /* [outputs] the first scores, in the order of the batch */
    Bins bins;
    Grower grower;
    Target target;
    Slopes *slopes; /* [outputs] */
    float *score;   /* [outputs][rows] after `scored` trees */
    uint32_t *row;  /* [rows] the batch's row at each place; NULL: the same */
    float *y;       /* [rows] targets by place, if row */
    float *weight;  /* [rows] or NULL */
    float *factor;  /* [rows] goss: what a row stands for */
    size_t scored;
    bool bound, score_is_whole;
    bool carry; /* gradients are kept as whole numbers: no score, no slopes but pairs */
} Gbdt;

static const char *const growth_names[] = {"leaf", "depth", NULL};

#define S GbdtParams
static const Param params[] = {
    /*         field         name            default, range          unit      help */
    // clang-format off
    PARAM_INT (S, leaves,       "leaves",       31, 0, 131072,       "leaves", "most leaves of a tree; 0: as depth and min_rows allow"),
    PARAM_PICK(S, growth,       "growth",       GROW_LEAF, growth_names,       "what is split next: the leaf that gains most, or the one nearest the root"),
    PARAM_INT (S, depth,        "depth",        0, 0, 60,            "levels", "deepest a leaf may lie; 0: any"),
    PARAM_INT (S, bins,         "bins",         255, 2, 256,         "bins",   "most bins of a column"),
    PARAM_INT (S, min_rows,     "min_rows",     20, 1, 1000000000,   "rows",   "fewest training rows in a leaf", .log = true),
    PARAM_REAL(S, min_hessian,  "min_hessian",  1e-3, 0, 1e9,        "",       "least sum of curvature in a leaf", .log = true),
    PARAM_REAL(S, lambda,       "lambda",       0, 0, 1e9,           "",       "pull of a leaf's value to 0, in rows it is worth"),
    PARAM_REAL(S, alpha,        "alpha",        0, 0, 1e9,           "",       "what a leaf's sum of gradients is drawn to 0 by"),
    PARAM_REAL(S, min_gain,     "min_gain",     0, 0, 1e12,          "",       "least gain of a split"),
    PARAM_REAL(S, row_share,    "row_share",    1, .001, 1,          "",       "share of the rows a round is grown on"),
    PARAM_REAL(S, column_share, "column_share", 1, .001, 1,          "",       "share of the columns a tree may use"),
    PARAM_BOOL(S, goss,         "goss",         false,                         "grow on the rows with the largest gradients and a sample of the others"),
    PARAM_REAL(S, goss_top,     "goss_top",     .2, .001, 1,         "",       "goss: share of rows with the largest gradients, all kept"),
    PARAM_REAL(S, goss_other,   "goss_other",   .1, .001, 1,         "",       "goss: share of rows drawn from the others"),
    PARAM_REAL(S, cat_l2,       "cat_l2",       10, 0, 1e9,          "",       "lambda that a split by a set of categories adds"),
    PARAM_REAL(S, cat_smooth,   "cat_smooth",   10, 0, 1e9,          "rows",   "rows that steady a category's rank; rarer ones are not split off"),
    PARAM_INT (S, cat_most,     "cat_most",     32, 1, 256,          "categories", "most categories on one side of a split"),
    PARAM_INT (S, cat_onehot,   "cat_onehot",   4, 0, 256,           "categories", "columns of at most so many are split one from the rest"),
    PARAM_INT (S, cat_rows,     "cat_rows",     100, 1, 1000000000,  "rows",   "fewest rows a further category set is tried by"),
    PARAM_TEXT(S, monotone,     "monotone",     "",                            "columns the score may not fall (+) or not rise (-) with: A:+,B:-"),
    PARAM_TEXT(S, interact,     "interact",     "",                            "groups of columns that may meet in a tree: A+B,C+D; others meet none"),
    // clang-format on
    PARAM_END,
};
#undef S

/* ---- life ------------------------------------------------------------------------------------------- */

static void unbind(Gbdt *m)
{
    Scratch *in = m->setup->scratch;
    for (size_t i = 0; m->slopes && i < m->shape->outputs; i++) {
        scratch_give(in, m->slopes[i].g);
        scratch_give(in, m->slopes[i].h);
        scratch_give(in, m->slopes[i].pair);
    }
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

static void destroy(void *model)
{
    Gbdt *m = model;
    if (!m)
        return;
    unbind(m);
    forest_release(&m->forest);
    limits_release(&m->limits);
    mem_free(m);
}

static void *create(const void *settings, const ModelShape *shape, const ModelSetup *setup,
                    Error *err)
{
    LossKind loss;
    if (!loss_choose(shape, setup->loss, &loss, err))
        return NULL;
    Gbdt *m = mem_alloc(sizeof *m);
    m->params = *(const GbdtParams *)settings;
    if (!limits_make(&m->limits, &m->params, shape, err)) {
        mem_free(m);
        return NULL;
    }
    m->params.monotone = m->params.interact = NULL;
    m->shape = shape;
    m->setup = setup;
    m->target = (Target){.loss = loss,
                         .classes = shape->outputs,
                         .delta = setup->huber_delta > 0 ? setup->huber_delta : 1.0,
                         .quantile = setup->quantile > 0 ? setup->quantile : 0.5};
    if (loss == LOSS_TWEEDIE)
        m->target.quantile = setup->tweedie_power > 0 ? setup->tweedie_power : 1.5;
    forest_init(&m->forest, shape);
    return m;
}

/* ---- the training rows -------------------------------------------------------------------------------- */

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

static bool leave_carry(Gbdt *m, Error *err)
{
    m->carry = m->grower.carry = m->grower.root_ready = m->score_is_whole = false;
    return make_slopes(m, err);
}

/* Rows that a first tree puts in one leaf, the later ones will mostly keep together. Standing side by
 * side they share cache lines. The tree is thrown away; sums of pairs are exact, so the order of rows
 * decides nothing else. */
static void stand_together(Gbdt *m)
{
    size_t n = m->batch.rows;
    SlopeSums sums;
    Forest tree;
    if (m->stretch.all < TOGETHER_ROWS)
        return;
    bool ok = m->carry && carry_begin(&m->target, (double)m->bias[0], &m->slopes[0], m->setup->pool);
    for (size_t i = 0; !m->carry && i < n * m->shape->outputs; i++)
        m->score[i] = m->bias[i / n];
    if (!m->carry) {
        target_slopes(&m->target, m->score, m->slopes, m->setup->pool, &sums);
        ok = isfinite(sums.loss);
    }
    if (!ok)
        return;
    if (!m->carry)
        slopes_pack(&m->slopes[0], &m->stretch, n, NULL, 0, m->setup->pool);
    forest_init(&tree, m->shape);
    Grower *g = &m->grower;
    for (size_t i = 0; i < n; i++)
        g->order[i] = (uint32_t)i;
    memset(g->use, 1, m->bins.features);
    g->rows = n;
    g->all = true;
    grower_tree(g, &tree, &m->slopes[0]);
    forest_release(&tree);
    if (progress_stopped(g->progress))
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

static bool bind(Gbdt *m, const Batch *b, Error *err)
{
    if (m->bound && m->batch.rows == b->rows && m->batch.dense == b->dense &&
        m->batch.code == b->code && m->batch.target == b->target && m->batch.weight == b->weight)
        return true;
    if (b->rows == 0 || b->rows > UINT32_MAX / 4)
        return error_set(err, ERROR_SHAPE, "%zu rows; boosting takes 1 to %u", b->rows,
                         UINT32_MAX / 4);
    unbind(m);
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
    if (m->bound)
        stand_together(m);
    if (m->bound && !progress_stopped(m->grower.progress))
        return true;
    if (m->bound)
        error_set(err, ERROR_STOP, "stopped on request");
    unbind(m);
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

/* Gradients after the trees there are; false: they are too many or too large for that. */
static bool carry_trees(Gbdt *m)
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

/* Scores of the trees there are: nothing to do after a round, all of them after a load. */
static void score_rows(Gbdt *m)
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

/* ---- samples ----------------------------------------------------------------------------------------------- */

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

/* The rows of this round, in order; factors if it is goss. Returns whether there are factors. */
static bool draw_rows(Gbdt *m, size_t round, double lr)
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

static void draw_columns(Gbdt *m, size_t tree)
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

/* ---- a round -------------------------------------------------------------------------------------------------- */

typedef struct Finish {
    Gbdt *m;
    size_t class, root; /* root: of the tree in the forest's fields */
} Finish;

static void renew_leaf(void *job, size_t i, size_t worker)
{
    (void)worker;
    Finish *f = job;
    const Leaf *l = &f->m->grower.leaf[i];
    double v = target_renewed(&f->m->target, f->m->score, f->m->grower.order + l->begin, l->count, l->rows);
    *forest_node(&f->m->forest, NODE_VALUE, l->node) = (float)fmin(fmax(v, l->lower), l->upper);
}

static void renew_leaves(Finish *f)
{
    Gbdt *m = f->m;
    const Grower *g = &m->grower;
    for (size_t i = 0; m->stretch.team && i < g->leaves; i++)
        renew_leaf(f, i, 0); /* the members ask each other: one leaf after the other */
    if (!m->stretch.team)
        pool_run(m->setup->pool, g->leaves, renew_leaf, f);
}

/* A leaf's value into the scores of its rows. */
static void score_leaf(void *job, size_t i, size_t worker)
{
    (void)worker;
    Finish *f = job;
    const Leaf *l = &f->m->grower.leaf[i];
    float v = *forest_node(&f->m->forest, NODE_VALUE, l->node);
    float *score = f->m->score + f->class * f->m->batch.rows;
    const uint32_t *rows = f->m->grower.order + l->begin;
    for (size_t k = 0; k < l->count; k++)
        score[rows[k]] += v;
}

static void add_tree(Gbdt *m, size_t class, double lr)
{
    Forest *f = &m->forest;
    Grower *g = &m->grower;
    size_t tree = f->nodes.count;
    Finish finish = {.m = m, .class = class, .root = f->field[0].count};
    draw_columns(m, tree);
    grower_tree(g, f, &m->slopes[class]);
    if (target_renews(&m->target))
        renew_leaves(&finish);
    for (size_t node = finish.root; node < f->field[0].count; node++)
        *forest_node(f, NODE_VALUE, node) *= (float)lr;
    forest_ready(f, tree);
    if (m->carry)
        grower_carry(g, f, &m->slopes[0]);
    else if (g->all)
        pool_run(m->setup->pool, g->leaves, score_leaf, &finish);
    else
        forest_add_tree(f, &m->batch, m->row, tree, m->score + class * m->batch.rows,
                        m->setup->pool);
    m->scored++;
}

/* The team was lost in the middle of a round, or it was stopped: the trees are those of the rounds before. */
static bool take_back(Gbdt *m, size_t rounds, Error *err)
{
    forest_cut(&m->forest, rounds * m->shape->outputs);
    m->score_is_whole = false;
    return team_lost(m->setup->team) ? team_sound(m->setup->team, err)
                                     : error_set(err, ERROR_STOP, "stopped on request");
}

static bool step(void *model, const Batch *b, const Knobs *k, StepStats *out, Error *err)
{
    Gbdt *m = model;
    SlopeSums sums;
    if (!bind(m, b, err))
        return false;
    size_t round = forest_rounds(&m->forest);
    if (round == 0)
        memcpy(m->forest.bias, m->bias, sizeof *m->bias * m->shape->outputs);
    if (m->carry && !(carry_trees(m) && carry_sums(&m->slopes[0], m->stretch.all, &sums)) &&
        !leave_carry(m, err))
        return false;
    if (!m->carry) {
        score_rows(m);
        target_slopes(&m->target, m->score, m->slopes, m->setup->pool, &sums);
    }
    double weight = sums.weight > 0 ? sums.weight : 1.0;
    *out = (StepStats){.loss = sums.loss / weight, .grad_norm = sqrt(sums.square / weight)};
    out->finite = isfinite(out->loss) && isfinite(out->grad_norm);
    if (!out->finite) {
        snprintf(out->layer, sizeof out->layer, "tree %zu", m->forest.nodes.count);
        return true;
    }
    bool goss = draw_rows(m, round, k->lr);
    for (size_t c = 0; !m->carry && c < m->shape->outputs; c++)
        slopes_pack(&m->slopes[c], &m->stretch, b->rows, goss ? m->factor : NULL, round,
                    m->setup->pool);
    for (size_t c = 0; c < m->shape->outputs && !progress_stopped(m->grower.progress); c++) {
        if (c > 0)
            draw_rows(m, round, k->lr);
        add_tree(m, c, k->lr);
    }
    bool whole = !team_lost(m->setup->team) && !progress_stopped(m->grower.progress);
    return whole || take_back(m, round, err);
}

/* ---- scoring and keeping --------------------------------------------------------------------------------------- */

static size_t predict_more(void *model, const Batch *b, size_t from, float *out)
{
    Gbdt *m = model;
    size_t outputs = m->shape->outputs, rounds = forest_rounds(&m->forest);
    if (from == 0 || from > rounds) {
        for (size_t i = 0; i < b->rows * outputs; i++)
            out[i] = m->forest.bias[i % outputs];
        from = 0;
    }
    bool laid = m->forest.quick.trees == m->forest.nodes.count; /* a growing one: for many rows */
    if (from == 0 && rounds && (laid || b->rows >= QUICK_ROWS) && forest_quick(&m->forest)) {
        quick_add(&m->forest, b, out, m->setup->pool);
        return rounds;
    }
    forest_add(&m->forest, b, from * outputs, rounds * outputs, out, m->setup->pool);
    return rounds;
}

static void predict(void *model, const Batch *b, float *out)
{
    predict_more(model, b, 0, out);
}

static size_t tensors(void *model, const TensorRow **rows, size_t *weights)
{
    Gbdt *m = model;
    return *weights = forest_tensors(&m->forest, rows);
}

static json_t *state(const void *model)
{
    const Gbdt *m = model;
    return json_pack("{s:I}", "rounds", (json_int_t)forest_rounds(&m->forest));
}

static bool restore(void *model, const json_t *from, Error *err)
{
    const Gbdt *m = model;
    if (json_integer_value(json_object_get(from, "rounds")) !=
        (json_int_t)forest_rounds(&m->forest))
        return error_set(err, ERROR_PARSE, "the state does not say as many rounds as there are");
    return true;
}

static bool reserve(void *model, const TensorRow *file, size_t n, Error *err)
{
    Gbdt *m = model;
    return forest_reserve(&m->forest, file, n, err);
}

static bool settle(void *model, Error *err)
{
    Gbdt *m = model;
    m->score_is_whole = false;
    return forest_settle(&m->forest, err);
}

static void importance(const void *model, Importance *out)
{
    const Gbdt *m = model;
    forest_importance(&m->forest, out);
}

static const char *say(void *model, Onnx *o, const char *dense, const char *codes, Error *err)
{
    const Gbdt *m = model;
    return forest_onnx(&m->forest, o, dense, codes, err);
}

static void contributions(const void *model, const Batch *b, double *out)
{
    const Gbdt *m = model;
    forest_shap(&m->forest, b, out, m->setup->pool);
}

static bool xgboost(const void *model, double scale, double shift, const char *about, Text *into,
                    Error *err)
{
    const Gbdt *m = model;
    return forest_xgboost(&m->forest, m->shape, scale, shift, about, into, err);
}

static bool take_json(void *model, const void *bytes, size_t n, Error *err)
{
    Gbdt *m = model;
    m->score_is_whole = false;
    return forest_from_xgboost(&m->forest, m->shape, bytes, n, err);
}

const ModelFamily gbdt_family = {
    .name = "gbdt",
    .title = "Gradient boosted trees",
    .about = "Trees by histograms, each improving on those before; usually the best on tables.",
    .source = "Friedman 2001; Chen and Guestrin 2016, arXiv:1603.02754; Ke et al. 2017 (LightGBM)",
    .params = params,
    .params_size = sizeof(GbdtParams),
    .normals = "lr=0.1 epochs=500 patience=30 schedule=constant numbers=raw onehot_most=0",
    .whole_batch = true,
    .takes_missing = true,
    .create = create,
    .destroy = destroy,
    .step = step,
    .predict = predict,
    .tensors = tensors,
    .state = state,
    .restore = restore,
    .reserve = reserve,
    .settle = settle,
    .predict_more = predict_more,
    .importance = importance,
    .contributions = contributions,
    .xgboost = xgboost,
    .take_json = take_json,
    .onnx = say,
};
