/* gbdt.c -- gradient boosted trees: each round adds a tree (multiclass: one a class) that descends the
 * loss from where the trees before it led. A step is a round over all training rows. */
#include "gbdt_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define QUICK_ROWS 256

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

static void destroy(void *model)
{
    Gbdt *m = model;
    if (!m)
        return;
    gbdt_unbind(m);
    forest_release(&m->forest);
    limits_release(&m->limits);
    mem_free(m);
}

/* Both say which rows a round is grown on. */
static bool draws_agree(const GbdtParams *p, Error *err)
{
    if (p->goss && p->goss_top + p->goss_other > 1.0 + 1e-9)
        return error_set(err, ERROR_USAGE, "goss_top and goss_other are shares of the rows: together at most 1, not %g",
                         p->goss_top + p->goss_other);
    if (p->goss && p->row_share < 1.0)
        return error_set(err, ERROR_USAGE, "goss chooses the rows of a round itself: leave row_share=%g out",
                         p->row_share);
    return true;
}

static void *create(const void *settings, const ModelShape *shape, const ModelSetup *setup,
                    Error *err)
{
    LossKind loss;
    if (!loss_choose(shape, setup->loss, &loss, err) || !draws_agree(settings, err))
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
    gbdt_draw_columns(m, tree);
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
    if (!gbdt_bind(m, b, err))
        return false;
    size_t round = forest_rounds(&m->forest);
    if (round == 0)
        memcpy(m->forest.bias, m->bias, sizeof *m->bias * m->shape->outputs);
    if (m->carry && !(gbdt_carry_trees(m) && carry_sums(&m->slopes[0], m->stretch.all, &sums)) &&
        !gbdt_leave_carry(m, err))
        return false;
    if (!m->carry) {
        gbdt_score_rows(m);
        target_slopes(&m->target, m->score, m->slopes, m->setup->pool, &sums);
    }
    double weight = sums.weight > 0 ? sums.weight : 1.0;
    *out = (StepStats){.loss = sums.loss / weight, .grad_norm = sqrt(sums.square / weight)};
    out->finite = isfinite(out->loss) && isfinite(out->grad_norm);
    if (!out->finite) {
        snprintf(out->layer, sizeof out->layer, "tree %zu", m->forest.nodes.count);
        return true;
    }
    bool goss = gbdt_draw_rows(m, round, k->lr);
    for (size_t c = 0; !m->carry && c < m->shape->outputs; c++)
        slopes_pack(&m->slopes[c], &m->stretch, b->rows, goss ? m->factor : NULL, round,
                    m->setup->pool);
    for (size_t c = 0; c < m->shape->outputs && !progress_stopped(m->grower.progress); c++) {
        if (c > 0)
            gbdt_draw_rows(m, round, k->lr);
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

static bool xgboost(const void *model, const BoosterUnits *u, Text *into, Error *err)
{
    const Gbdt *m = model;
    return forest_xgboost(&m->forest, m->shape, u, into, err);
}

static bool take_json(void *model, const void *bytes, size_t n, double scale, Text *said, Error *err)
{
    Gbdt *m = model;
    m->score_is_whole = false;
    bool took = forest_from_xgboost(&m->forest, m->shape, scale, bytes, n, err);
    text_printf(said, "%zu trees of XGBoost's taken", m->forest.nodes.count);
    return took;
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
