/* halves.c -- which nets step small batches by halves of their columns, and where a half's numbers lie.
 *
 * Cut by rows, each core makes a gradient of all weights, and the other's half of it crosses over, as do the
 * weights after the update. In a small batch that takes as long as the products. Cut by columns, the weights,
 * their gradient and their moments never leave a core, nor do the sums of a batch norm; what crosses is
 * activations (halves_step.c).
 *
 * Each half has blocks of its own, two pages from the other's: columns of one matrix side by side would be
 * fetched by both. They are copied from the graph's blocks when such a step follows another kind of step, and
 * back when someone asks for them. */
#include "halves.h"

/* ---- which ---------------------------------------------------------------------------------------- */

static bool has_no_tail(const Node *n)
{
    return n->tail.act == ACT_NONE && !n->tail.dropout;
}

static bool is_hidden(const Node *end)
{
    bool normed = end->op == &batchnorm_op;
    return end->width % (normed ? HALVES_NORMED : HALVES_MULTIPLE) == 0 && end->width <= HALVES_WIDTH &&
           !tail_saves((Tail){.act = end->tail.act}) && (!normed || has_no_tail(end->input[0]));
}

static bool is_head(const Node *end)
{
    return end->op == &dense_op && end->width <= HALVES_OUTPUTS && has_no_tail(end);
}

static bool has_own_weights(const Graph *g, const Node *n)
{
    for (size_t i = 0; i < g->node.count; i++)
        if (g->node.at[i] != n && g->node.at[i]->params && g->node.at[i]->param[0] == n->param[0])
            return false;
    for (size_t i = 0; i < n->params; i++)
        if (g->tensor.at[n->param[i]].frozen)
            return false;
    return true;
}

static const Node *dense_of(const Node *end)
{
    const Node *n = end->op == &batchnorm_op ? end->input[0] : end;
    return n->op == &dense_op && n->tokens == 1 ? n : NULL;
}

/* Dense layers, normalised or not, one after the other from the feed to the output, last first; 0: it is
 * something else. */
static size_t find_chain(const Graph *g, const Node *ends[HALF_LAYERS])
{
    size_t count = 0;
    const Node *end = g->output, *dense;
    for (; (dense = dense_of(end)); end = dense->input[0]) {
        bool fits = count == 0 ? is_head(end) : is_hidden(end);
        if (count == HALF_LAYERS || !fits || !has_own_weights(g, dense) || !has_own_weights(g, end))
            return 0;
        ends[count++] = end;
    }
    return end == g->input && end->width <= HALVES_INPUT && count > 1 ? count : 0;
}

static bool may_halve(const GraphPlan *plan)
{
    return !plan->predicts && !plan->team && plan->products == PRODUCTS_OWN;
}

/* ---- memory ----------------------------------------------------------------------------------------- */

static size_t aligned(size_t floats)
{
    return (floats + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
}

static void set_layers(Halves *h, const Node *ends[HALF_LAYERS])
{
    for (size_t k = 0; k < h->layers; k++) {
        const Node *end = ends[h->layers - 1 - k], *n = dense_of(end);
        bool head = k == h->hidden;
        HalfLayer *l = &h->layer[k];
        *l = (HalfLayer){.node = n, .end = end, .norm = end == n ? NULL : end, .act = end->tail.act};
        l->inputs = k == 0 || head ? 1 : HALVES;
        l->in = k == 0 ? n->input[0]->width : n->input[0]->width / HALVES;
        l->out = head ? n->width : n->width / HALVES;
        l->weight = h->block;
        l->bias = l->weight + aligned(l->inputs * l->in * l->out);
        l->gamma = l->bias + aligned(l->out);
        l->beta = l->gamma + (l->norm ? aligned(l->out) : 0);
        h->block = l->beta + (l->norm ? aligned(l->out) : 0);
    }
}

/* The next floats of the halves' memory; without a base they are only counted. */
typedef struct Place {
    float *base;
    size_t at;
} Place;

static float *take(Place *p, size_t floats)
{
    float *here = p->base ? p->base + p->at : NULL;
    p->at += aligned(floats);
    return here;
}

static size_t scratch_size(const Halves *h)
{
    size_t most = 0;
    for (size_t k = 0; k < h->layers; k++) {
        size_t size = gemm_scratch((Way){0}, h->layer[k].in, h->layer[k].out);
        most = size > most ? size : most;
    }
    return most;
}

static void lay_out_own(const Halves *h, size_t c, Half *half, Place *p)
{
    const HalfLayer *head = &h->layer[h->hidden];
    size_t rows = h->rows_most, widest = 0;
    for (size_t i = 0; i < HALF_MOMENTS + h->moments; i++)
        half->block[i] = take(p, h->block);
    for (size_t k = 0; k < h->hidden; k++) {
        size_t out = h->layer[k].out;
        half->value[k][c] = take(p, rows * out);
        half->grad[k] = take(p, rows * out);
        half->sent[k] = take(p, rows * out);
        half->before[k] = take(p, h->layer[k].norm ? rows * out : 0);
        half->save[k] = tail_saves(h->layer[k].end->tail) ? take(p, rows * out) : NULL;
        half->moment[k] = take(p, 2 * out);
        widest = out > widest ? out : widest;
    }
    half->value[0][1 - c] = take(p, rows * h->layer[0].out); /* the first layer it makes whole itself */
    half->guess = take(p, rows * head->out);
    half->slope = take(p, rows * head->out);
    half->turned = take(p, widest * widest);
    half->scratch = take(p, scratch_size(h));
    half->loss = (double *)take(p, BLOCK_ALIGN);
    half->norm = half->loss ? half->loss + 1 : NULL;
}

/* What the other writes lies apart. */
static void lay_out_given(const Halves *h, size_t c, Half *half, Place *p)
{
    take(p, APART);
    for (size_t k = 0; k < h->hidden; k++) {
        half->part[k] = take(p, h->rows_most * h->layer[k].out);
        if (k > 0)
            half->value[k][1 - c] = take(p, h->rows_most * h->layer[k].out);
    }
    half->rest = take(p, h->rows_most * h->layer[h->hidden].out);
    take(p, APART);
}

/* On one core: where the other made it. */
static void share(Halves *h, Half *half, const Half *other, size_t c)
{
    memcpy(half->value[0], h->half[0].value[0], sizeof half->value[0]);
    for (size_t k = 0; k < h->hidden; k++) {
        half->part[k] = other->sent[k];
        if (k > 0)
            half->value[k][1 - c] = other->value[k][1 - c];
    }
}

static size_t lay_out(Halves *h, float *base)
{
    Place p = {.base = base};
    for (size_t c = 0; c < HALVES; c++) {
        lay_out_own(h, c, &h->half[c], &p);
        lay_out_given(h, c, &h->half[c], &p);
    }
    for (size_t c = 0; c < HALVES && !h->away; c++)
        share(h, &h->half[c], &h->half[1 - c], c);
    return p.at;
}

/* As many rows as there are weights between hidden layers for each number of a row that crosses over: of more,
 * cutting the rows lets less cross. At just as many the two ways are even, but for a net too large for a core's
 * cache: half of it is not. */
static size_t rows_worth(const Halves *h)
{
    const size_t even = h->graph->learnt <= HOME_LEARNT;
    size_t weights = 0, cross = 0;
    for (size_t k = 1; k < h->hidden; k++) {
        weights += h->layer[k].node->width * h->layer[k - 1].node->width;
        cross += h->layer[k - 1].node->width;
    }
    return (cross ? weights / cross : h->layer[0].node->width) - even;
}

bool halves_plan(Graph *g, Error *err)
{
    const Node *ends[HALF_LAYERS];
    size_t layers = may_halve(&g->plan) ? find_chain(g, ends) : 0;
    if (layers == 0)
        return true;
    Halves *h = g->halves = mem_alloc(sizeof *h);
    *h = (Halves){.graph = g, .layers = layers, .hidden = layers - 1, .moments = graph_moments(g)};
    h->away = pool_threads(g->plan.pool) > 1;
    set_layers(h, ends);
    size_t worth = rows_worth(h);
    h->rows_most = worth < g->plan.rows_most ? worth : g->plan.rows_most;
    h->memory = mem_try(lay_out(h, NULL) * sizeof(float), err);
    if (h->memory)
        lay_out(h, h->memory);
    return h->memory;
}

void halves_destroy(Halves *h)
{
    if (!h)
        return;
    mem_free(h->memory);
    mem_free(h);
}

/* ---- to and fro ------------------------------------------------------------------------------------- */

static void move_floats(float *whole, float *half, size_t count, bool out)
{
    memcpy(out ? whole : half, out ? half : whole, count * sizeof *whole);
}

/* The layer's part of a block laid out as the parameters, and the same of a half. */
static void move_layer(const Halves *h, size_t k, size_t c, float *whole, float *half, bool out)
{
    const HalfLayer *l = &h->layer[k];
    const GraphTensor *tensor = h->graph->tensor.at;
    bool head = k == h->hidden;
    size_t rows = l->inputs * l->in, wide = l->node->width, at = c * l->out;
    float *w = whole + tensor[l->node->param[0]].offset + (head ? c * rows * wide : at);
    for (size_t i = 0; i < rows; i++)
        move_floats(w + i * wide, half + l->weight + i * l->out, l->out, out);
    move_floats(whole + tensor[l->node->param[1]].offset + (head ? 0 : at), half + l->bias, l->out, out);
    if (!l->norm)
        return;
    move_floats(whole + tensor[l->norm->param[GAMMA]].offset + at, half + l->gamma, l->out, out);
    move_floats(whole + tensor[l->norm->param[BETA]].offset + at, half + l->beta, l->out, out);
}

static void move_block(const Halves *h, int block, float *whole, bool out)
{
    for (size_t c = 0; c < HALVES; c++)
        for (size_t k = 0; k < h->layers; k++)
            move_layer(h, k, c, whole, h->half[c].block[block], out);
}

static void move_state(const Halves *h, bool out)
{
    Graph *g = h->graph;
    move_block(h, HALF_WEIGHTS, g->params, out);
    for (size_t m = 0; m < h->moments; m++)
        move_block(h, HALF_MOMENTS + (int)m, g->moments + m * g->learnt, out);
}

bool halves_take(Halves *h, size_t rows)
{
    if (!h)
        return false;
    bool takes = rows <= h->rows_most;
    if (!takes)
        halves_settle(h);
    else if (!h->holds)
        move_state(h, false);
    h->made = h->holds = takes;
    return takes;
}

void halves_settle(Halves *h)
{
    if (h && h->holds)
        move_state(h, true);
    if (h)
        h->holds = false;
}

/* The halves' columns as the rows of a node. */
static void show_values(const Halves *h, const Node *n, const float *const from[HALVES])
{
    const size_t out = n->width / HALVES;
    const Pass batch = {.batch = h->rows, .shards = shard_count(h->rows)};
    for (size_t s = 0; s < batch.shards; s++) {
        Pass p = pass_shard(&batch, s);
        float *to = node_value(n, &p);
        for (size_t i = 0; i < p.rows; i++)
            for (size_t c = 0; c < HALVES; c++)
                memcpy(to + i * n->width + c * out, from[c] + (p.begin + i) * out, out * sizeof *to);
    }
}

void halves_show(const Halves *h)
{
    if (!h || !h->made)
        return;
    Graph *g = h->graph;
    const HalfLayer *head = &h->layer[h->hidden];
    const Half *half = h->half;
    for (size_t k = 0; k < h->hidden; k++) {
        show_values(h, h->layer[k].end, (const float *[]){half[0].value[k][0], half[1].value[k][1]});
        if (h->layer[k].norm)
            show_values(h, h->layer[k].node, (const float *[]){half[0].before[k], half[1].before[k]});
    }
    memcpy(g->output->value, h->half[0].guess, h->rows * head->out * sizeof *g->output->value);
    memset(g->gradient, 0, SHARDS_MOST * g->gradient_size * sizeof *g->gradient);
    move_block(h, HALF_GRADIENT, g->gradient, true);
}
