/* halves_step.c -- a step by halves: c is a half and what it owns, 1 - c the other.
 *
 *     forward    the first layer, whole, in each half: that is cheaper than sending it
 *                layer k    y[c] = tail(norm(x w[c] + b[c])), sent to the other unless it is the last
 *                head       guess = y[c] w[c], a part, sent to the other
 *     backward   head       guess = guess[c] + guess[1 - c] + b, and the loss, in each half
 *                layer k    dx = dy[c] w[c]', a part, whose other half of columns is sent; dw[c] = x' dy[c]
 *     update     of a half's own weights
 *
 * Each line but the first and the last ends a stage, since the next needs what was sent: three stages for two
 * hidden layers. A sum of two parts has the same bits in either order, so those of a step do not depend on how
 * many threads there are; nor on the time, since the shapes and the batch alone decide that a step is made so. */
#include "halves.h"
#include "vector.h"

typedef struct Sweep {
    Halves *h;
    const GraphFeed *feed;
    size_t rows, layer; /* the stage's */
    Pass pass;          /* of all rows: what the masks depend on */
    LossJob loss;
    UpdateJob job;
    float scale;         /* of the gradient, when clipping */
    bool learns, apply;  /* a step: running statistics move; its weights too, at the end */
} Sweep;

static const Way own = {.products = PRODUCTS_OWN};

/* Past the caches: the other core reads it next. On one core what is given lies where it is made. */
static void give(float *to, const float *from, size_t count)
{
    size_t i = 0;
    for (; to != from && i + LANES <= count; i += LANES)
        vec_stream(to + i, vec_load(from + i));
    for (; i < count; i++)
        to[i] = from[i];
}

static bool drops(const Sweep *s, size_t k)
{
    return s->h->layer[k].end->tail.dropout && s->pass.dropout > 0.0f;
}

static const float *weights(const Halves *h, size_t c, size_t k)
{
    return h->half[c].block[HALF_WEIGHTS] + h->layer[k].weight;
}

/* ---- forward ---------------------------------------------------------------------------------------- */

/* y = gamma (z - mean) / deviation + beta (then relu) of half q's columns; keeps: the half that goes backward
 * through them, NULL where another does. scratch: 4 out */
static void normalise(const Sweep *s, size_t k, size_t q, const Half *keeps, float *y, const float *z,
                      float *scratch)
{
    const HalfLayer *l = &s->h->layer[k];
    const float *block = s->h->half[q].block[HALF_WEIGHTS];
    float *restrict scale = scratch, *restrict shift = scale + l->out;
    float *restrict mean = keeps ? keeps->moment[k] : shift + l->out, *restrict deviate = mean + l->out;
    float *running_mean = node_weights(l->norm, RUNNING_MEAN) + q * l->out;
    float *running_var = node_weights(l->norm, RUNNING_VAR) + q * l->out;
    const double rows = (double)s->rows;
    norm_moments(mean, deviate, z, s->rows, l->out);
    for (size_t i = 0; i < l->out; i++) {
        double square = (double)deviate[i];
        if (keeps && s->learns) {
            norm_move(&running_mean[i], (double)mean[i]);
            norm_move(&running_var[i], square / (rows > 1 ? rows - 1 : 1));
        }
        deviate[i] = (float)(1.0 / sqrt(square / rows + (double)NORM_EPSILON));
        scale[i] = block[l->gamma + i] * deviate[i];
        shift[i] = block[l->beta + i] - mean[i] * scale[i];
    }
    norm_scale(y, z, scale, shift, l->act == ACT_RELU, s->rows, l->out);
}

/* Half q's columns of layer k, made in half c. */
static void forward_layer(const Sweep *s, size_t c, size_t k, size_t q)
{
    const Halves *h = s->h;
    const HalfLayer *l = &h->layer[k];
    const Half *me = &h->half[c];
    const float *w = weights(h, q, k), *b = h->half[q].block[HALF_WEIGHTS] + l->bias;
    const Half *keeps = q == c || !h->away ? &h->half[q] : NULL; /* what is before the norm */
    float *y = me->value[k][q], *z = !l->norm ? y : keeps ? keeps->before[k] : me->grad[k];
    const bool relu = l->act == ACT_RELU, at_once = relu && !l->norm;
    gemm_forward(own, z, k ? me->value[k - 1][0] : s->feed->dense, w, b, at_once && k == 0, s->rows, l->in,
                 l->out, me->scratch);
    if (k)
        gemm_forward_more(z, me->value[k - 1][1], w + l->in * l->out, at_once, s->rows, l->in, l->out,
                          me->scratch);
    if (l->norm)
        normalise(s, k, q, keeps, y, z, me->scratch);
    if (!relu)
        tail_bend(l->act, y, keeps ? keeps->save[k] : NULL, s->rows * l->out);
    if (drops(s, k))
        dropout_columns(l->end, &s->pass, y, q * l->out, l->out);
}

static void forward(void *job, size_t c, size_t worker)
{
    const Sweep *s = job;
    const Halves *h = s->h;
    const Half *me = &h->half[c], *other = &h->half[1 - c];
    const HalfLayer *l = &h->layer[s->layer], *head = &h->layer[h->hidden];
    (void)worker;
    unsigned before = tiny_off();
    for (size_t q = 0; s->layer == 1 && (h->away || c == 0) && q < HALVES; q++)
        forward_layer(s, c, 0, q);
    forward_layer(s, c, s->layer, c);
    if (s->layer + 1 < h->hidden) {
        give(other->value[s->layer][c], me->value[s->layer][c], s->rows * l->out);
    } else {
        gemm_forward(own, me->guess, me->value[s->layer][c], weights(h, c, h->hidden), NULL, false, s->rows,
                     head->in, head->out, me->scratch);
        memcpy(other->rest, me->guess, s->rows * head->out * sizeof *me->guess);
    }
    vec_settle();
    tiny_restore(before);
}

/* ---- backward --------------------------------------------------------------------------------------- */

/* The gradient of y becomes that of z, in place; and those of gamma and beta. */
static void backward_norm(const Sweep *s, size_t c, size_t k)
{
    const Half *me = &s->h->half[c];
    const HalfLayer *l = &s->h->layer[k];
    float *mean = me->moment[k], *sum = me->scratch, *product = sum + l->out;
    const NormBack back = {
        .mean = mean, .sum = sum, .gamma = me->block[HALF_WEIGHTS] + l->gamma, .batch = s->rows};
    norm_products(sum, product, me->grad[k], me->before[k], mean, mean + l->out, s->rows, l->out);
    memcpy(me->block[HALF_GRADIENT] + l->beta, sum, l->out * sizeof *sum);
    memcpy(me->block[HALF_GRADIENT] + l->gamma, product, l->out * sizeof *sum);
    norm_input(&back, me->grad[k], me->grad[k], me->before[k], false, s->rows, l->out, product + l->out);
}

/* The gradient behind the tail becomes the one before it. */
static void backward_tail(const Sweep *s, size_t c, size_t k)
{
    const Half *me = &s->h->half[c];
    const HalfLayer *l = &s->h->layer[k];
    const size_t count = s->rows * l->out;
    const float *at = me->save[k] ? me->save[k] : me->value[k][c];
    if (drops(s, k) && l->act == ACT_RELU) {
        dropout_relu_backward(s->pass.dropout, me->grad[k], at, count);
        return;
    }
    if (drops(s, k))
        dropout_columns(l->end, &s->pass, me->grad[k], c * l->out, l->out);
    activation_backward(l->act, me->grad[k], at, at, count);
}

/* guess = both parts + b; its loss, and the gradient of the layer below */
static void backward_head(const Sweep *s, size_t c)
{
    const Half *me = &s->h->half[c];
    const size_t top = s->h->hidden - 1;
    const HalfLayer *head = &s->h->layer[s->h->hidden];
    const float *b = me->block[HALF_WEIGHTS] + head->bias;
    for (size_t i = 0; i < s->rows; i++)
        for (size_t k = 0; k < head->out; k++)
            me->guess[i * head->out + k] = me->guess[i * head->out + k] + me->rest[i * head->out + k] + b[k];
    LossJob job = s->loss;
    job.out = me->guess;
    job.grad = me->slope;
    *me->loss = losses[s->h->graph->plan.loss].sum(&job);
    bool gated = s->h->layer[top].act == ACT_RELU && !drops(s, top);
    gemm_input(own, me->grad[top], me->slope, weights(s->h, c, s->h->hidden), gated ? me->value[top][c] : NULL,
               false, s->rows, head->in, head->out, me->scratch);
    if (!gated)
        backward_tail(s, c, top);
}

/* The gradient of layer k, whose two parts are there. */
static void join(const Sweep *s, size_t c, size_t k)
{
    const Half *me = &s->h->half[c];
    size_t count = s->rows * s->h->layer[k].out;
    float *restrict grad = me->grad[k];
    const float *restrict part = me->part[k];
    for (size_t i = 0; i < count; i++)
        grad[i] += part[i];
    backward_tail(s, c, k);
}

/* dx = dy w': the other's columns first, which waits for them */
static void backward_input(const Sweep *s, size_t c, size_t k)
{
    const Half *me = &s->h->half[c];
    const HalfLayer *l = &s->h->layer[k];
    for (size_t i = 0; i < HALVES; i++) {
        size_t q = i ? c : 1 - c;
        float *dx = i ? me->grad[k - 1] : me->sent[k - 1];
        gemm_turn(me->turned, weights(s->h, c, k) + q * l->in * l->out, l->in, l->out);
        gemm_input_turned(dx, me->grad[k], me->turned, NULL, false, s->rows, l->in, l->out, me->scratch);
        if (!i)
            give(s->h->half[1 - c].part[k - 1], dx, s->rows * l->in);
    }
}

/* dw = x' dy, db = the sum of dy's rows */
static void backward_weights(const Sweep *s, size_t c, size_t k)
{
    const Half *me = &s->h->half[c];
    const HalfLayer *l = &s->h->layer[k];
    const bool head = k == s->h->hidden;
    const float *dy = head ? me->slope : me->grad[k];
    float *dw = me->block[HALF_GRADIENT] + l->weight;
    for (size_t q = 0; q < l->inputs; q++) {
        const float *x = k == 0 ? s->feed->dense : me->value[k - 1][head ? c : q];
        gemm_weight(own, dw + q * l->in * l->out, x, dy, false, s->rows, l->in, l->out, me->scratch);
    }
    column_sums(me->block[HALF_GRADIENT] + l->bias, dy, s->rows, l->out, false);
}

/* ---- the update --------------------------------------------------------------------------------------- */

/* Returns the sum of the gradient's squares. */
static double update_piece(const Sweep *s, const Half *me, size_t at, size_t count, bool decay)
{
    double norm = 0;
    float scaled[ADD_BLOCK];
    const Graph *g = s->h->graph;
    for (size_t end = at + count, n; at < end; at += n) {
        n = end - at < ADD_BLOCK ? end - at : ADD_BLOCK;
        UpdateJob job = s->job;
        job.g = me->block[HALF_GRADIENT] + at;
        norm += gradient_squares(job.g, n);
        if (!s->apply)
            continue;
        for (size_t i = 0; s->scale != 1.0f && i < n; i++)
            scaled[i] = s->scale * job.g[i];
        job.g = s->scale != 1.0f ? scaled : job.g;
        job.w = me->block[HALF_WEIGHTS] + at;
        job.m = me->block[HALF_MOMENTS] + at;
        job.v = s->h->moments > 1 ? me->block[HALF_MOMENTS + 1] + at : NULL;
        job.decay = decay ? s->job.decay : 0.0f;
        job.count = n;
        optimizer_update[g->plan.optimizer](&job);
    }
    return norm;
}

/* The norm of a half's gradient and the update of its weights, or one of the two. */
static void update(void *arg, size_t c, size_t worker)
{
    const Sweep *s = arg;
    const Half *me = &s->h->half[c];
    (void)worker;
    unsigned before = tiny_off();
    double norm = 0;
    for (size_t k = 0; k < s->h->layers; k++) {
        const HalfLayer *l = &s->h->layer[k];
        const GraphTensor *t = s->h->graph->tensor.at;
        bool twice = k == s->h->hidden && c > 0; /* the head's bias */
        norm += update_piece(s, me, l->weight, l->inputs * l->in * l->out, t[l->node->param[0]].decay);
        double bias = update_piece(s, me, l->bias, l->out, t[l->node->param[1]].decay);
        norm += twice ? 0.0 : bias;
        if (l->norm) {
            norm += update_piece(s, me, l->gamma, l->out, t[l->norm->param[GAMMA]].decay);
            norm += update_piece(s, me, l->beta, l->out, t[l->norm->param[BETA]].decay);
        }
    }
    *me->norm = norm;
    tiny_restore(before);
}

static void backward(void *job, size_t c, size_t worker)
{
    const Sweep *s = job;
    const size_t k = s->layer, top = s->h->hidden - 1;
    unsigned before = tiny_off();
    if (k == top)
        backward_head(s, c);
    else
        join(s, c, k);
    if (s->h->layer[k].norm)
        backward_norm(s, c, k);
    if (k > 0)
        backward_input(s, c, k);
    if (k == top)
        backward_weights(s, c, s->h->hidden);
    backward_weights(s, c, k);
    vec_settle();
    tiny_restore(before);
    if (k == 0 && s->learns && isfinite(*s->h->half[c].loss))
        update(job, c, worker);
}

/* ---- exported ------------------------------------------------------------------------------------------ */

static void sweep(Sweep *s)
{
    Halves *h = s->h;
    Pool *pool = h->graph->plan.pool;
    h->rows = s->rows;
    for (s->layer = h->hidden > 1; s->layer < h->hidden; s->layer++)
        pool_run_near(pool, HALVES, forward, s);
    for (s->layer = h->hidden; s->layer-- > 0;)
        pool_run_near(pool, HALVES, backward, s);
}

static Sweep sweep_of(Halves *h, const GraphFeed *feed, double dropout)
{
    Sweep s = {.h = h, .feed = feed, .rows = feed->rows, .scale = 1.0f};
    s.loss = graph_loss_job(h->graph, feed);
    s.pass = (Pass){.rows = feed->rows, .dropout = (float)dropout, .key = graph_mask_key(h->graph)};
    return s;
}

double halves_gradient(Halves *h, const GraphFeed *feed, double dropout)
{
    Sweep s = sweep_of(h, feed, dropout);
    double weight = loss_weight_sum(&s.loss);
    s.loss.scale = (float)(1.0 / weight);
    sweep(&s);
    return *h->half[0].loss / weight;
}

double halves_step(Halves *h, const GraphFeed *feed, const GraphKnobs *knobs, double *norm)
{
    Sweep s = sweep_of(h, feed, knobs->dropout);
    double weight = loss_weight_sum(&s.loss);
    s.loss.scale = (float)(1.0 / weight);
    s.job = graph_update_job(h->graph, knobs);
    s.learns = true;
    s.apply = knobs->clip <= 0;
    sweep(&s);
    *norm = sqrt(*h->half[0].norm + *h->half[1].norm);
    double loss = *h->half[0].loss / weight;
    if (s.apply || !isfinite(loss) || !isfinite(*norm))
        return loss;
    s.apply = true;
    s.scale = *norm > knobs->clip ? (float)(knobs->clip / *norm) : 1.0f;
    pool_run_near(h->graph->plan.pool, HALVES, update, &s);
    return loss;
}
