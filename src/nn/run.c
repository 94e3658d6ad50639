/* run.c -- running a planned graph: a step, a prediction, a gradient on its own. */
#include "nn_int.h"
#include "vector.h"

#include <stdio.h>

/* ---- shards ------------------------------------------------------------------------------------ */

/* 64 rows make two shards, 256 four, 512 and more eight. Of the rows alone: see nn.h. */
size_t shard_count(size_t rows)
{
    size_t n = rows / SHARD_USUAL;
    if (n < 2)
        n = rows / SHARD_LEAST >= 2 ? 2 : 1;
    return n < SHARDS_MOST ? n : SHARDS_MOST;
}

/* Shards begin at multiples of 8 rows, the rest goes to the last. */
size_t shard_begin(size_t rows, size_t shards, size_t i)
{
    return i == shards ? rows : rows * i / shards / 8 * 8;
}

Pass pass_shard(const Pass *whole, size_t i)
{
    Pass p = *whole;
    p.shard = i;
    p.begin = shard_begin(p.batch, p.shards, i);
    p.rows = shard_begin(p.batch, p.shards, i + 1) - p.begin;
    return p;
}

typedef struct Run {
    Graph *g;
    const Program *program;
    const Stage *stage;
    Pass pass;           /* begin, rows, shard, gradient, scratch are the shard's */
    size_t first, count; /* the shards that are run here: all, but for a team's steps */
    Team *team;          /* that has the others; NULL: nobody */
} Run;

static void run_shard(void *job, size_t i, size_t worker)
{
    const Run *run = job;
    const Graph *g = run->g;
    Pass p = pass_shard(&run->pass, run->first + i);
    p.gradient = g->gradient + p.shard * g->gradient_size;
    p.scratch = g->scratch + worker * g->scratch_size;
    p.worker = worker;
    const Work *work = run->program->work.at + run->stage->first;
    unsigned before = tiny_off();
    for (size_t k = 0; k < run->stage->count; k++)
        work[k].run(work[k].node, &p);
    if (g->homes)
        vec_settle();
    tiny_restore(before);
}

/* What the shards left, from those who ran them: each one's numbers beside zeros are exact. */
static void share_parts(const Run *run, const Node *n)
{
    if (!run->team)
        return;
    for (size_t s = 0; s < run->pass.shards; s++)
        if (s < run->first || s >= run->first + run->count)
            memset(n->part + s * n->part_width, 0, n->part_width * sizeof *n->part);
    team_sum_f32(run->team, n->part, run->pass.shards * n->part_width);
}

static void run_program(Run *run, const Program *program)
{
    run->program = program;
    for (size_t i = 0; i < program->stage.count; i++) {
        run->stage = &program->stage.at[i];
        pool_run_near(run->g->plan.pool, run->count, run_shard, run);
        if (!run->stage->join)
            continue;
        share_parts(run, run->stage->node);
        run->stage->join(run->stage->node, &run->pass);
    }
}

static Run run_on(Graph *g, const GraphFeed *feed)
{
    assert(g->params && feed->rows > 0 && feed->rows <= g->plan.rows_most);
    if (g->input)
        g->input->value = (float *)(uintptr_t)feed->dense; /* only read */
    return (Run){.g = g,
                 .count = shard_count(feed->rows),
                 .pass = {.rows = feed->rows,
                          .batch = feed->rows,
                          .shards = shard_count(feed->rows),
                          .gradient = g->gradient,
                          .scratch = g->scratch,
                          .feed = feed}};
}

/* A member's part of a step. Loss, statistics and gradients are summed over the members. */
static void deal_shards(Run *run)
{
    Team *team = run->team = run->g->plan.team;
    size_t shards = run->pass.shards, rank = team_rank(team), size = team_size(team);
    run->first = shards * rank / size;
    run->count = shards * (rank + 1) / size - run->first;
}

/* Before the floats stands the number of the gradient they were made in. */
float *node_kept(const Node *n, const Pass *p, bool *made)
{
    float *kept = n->kept + p->worker * (BLOCK_ALIGN + n->kept_size + APART);
    uint64_t of;
    memcpy(&of, kept, sizeof of);
    *made = of == n->graph->gradients;
    memcpy(kept, &n->graph->gradients, sizeof of);
    return kept + BLOCK_ALIGN;
}

/* ---- loss and gradients ------------------------------------------------------------------------- */

LossJob graph_loss_job(const Graph *g, const GraphFeed *feed)
{
    return (LossJob){.out = g->output->value,
                     .target = feed->target,
                     .weight = feed->weight,
                     .class_weight = g->plan.class_weight,
                     .rows = feed->rows,
                     .width = node_row(g->output),
                     .delta = g->plan.huber_delta,
                     .quantile = g->plan.quantile,
                     .power = g->plan.tweedie_power,
                     .level = g->plan.level,
                     .levels = g->plan.levels,
                     .scale = 1.0f};
}

void graph_loss_work(const Node *n, const Pass *p)
{
    Graph *g = n->graph;
    LossJob job = graph_loss_job(g, p->feed);
    job.scale = (float)(1.0 / loss_weight_sum(&job));
    job.out += p->begin * job.width;
    job.target += p->begin * (job.levels ? job.width / job.levels : 1);
    job.weight = job.weight ? job.weight + p->begin : NULL;
    job.rows = p->rows;
    job.grad = node_grad(n, p);
    g->shard_loss[p->shard] = losses[g->plan.loss].sum(&job);
}

static void run_whole(void *job, size_t i, size_t worker)
{
    const Run *run = job;
    (void)worker;
    for (size_t k = 0; k < run->g->whole.count; k++) {
        const Node *n = run->g->whole.at[k].node;
        if (i < n->tables) {
            n->op->whole(n, &run->pass, i);
            return;
        }
        i -= n->tables;
    }
}

/* Tables are summed over all rows: those of the others' shards have no gradient here. */
static void clear_others(const Run *run)
{
    for (size_t k = 0; run->team && k < run->g->whole.count; k++)
        for (size_t s = 0; s < run->pass.shards; s++) {
            const Node *n = run->g->whole.at[k].node;
            Pass p = pass_shard(&run->pass, s);
            if (s < run->first || s >= run->first + run->count)
                memset(node_grad(n, &p), 0, p.rows * node_row(n) * sizeof *n->grad);
        }
}

/* The tables' gradients, in the order of the rows: each member goes on where the one before it stopped. */
static void run_tables(Run *run)
{
    const Graph *g = run->g;
    size_t tables = 0;
    for (size_t k = 0; k < g->whole.count; k++)
        tables += g->whole.at[k].node->tables;
    clear_others(run);
    for (size_t i = 0; tables && i < team_size(run->team); i++) {
        run->pass.fresh = i == 0;
        if (i == team_rank(run->team))
            pool_run(g->plan.pool, tables, run_whole, run);
        for (size_t k = 0; run->team && k < g->tensor.count; k++)
            if (g->tensor_plan.at[k].whole)
                team_tell(run->team, i, g->gradient + g->tensor.at[k].offset,
                          g->tensor.at[k].count * sizeof *g->gradient);
    }
}

static void share_loss(const Run *run)
{
    double *loss = run->g->shard_loss;
    for (size_t i = 0; run->team && i < run->pass.shards; i++)
        if (i < run->first || i >= run->first + run->count)
            loss[i] = 0;
    team_sum_f64(run->team, loss, run->pass.shards);
}

uint64_t graph_mask_key(const Graph *g)
{
    uint64_t key[2] = {g->seed, g->steps};
    return hash_bytes(key, sizeof key, 0x6c61746865u);
}

/* Forward, loss and backward. The gradient lies in the shards' blocks afterwards. */
static double run_gradient(Run *run, double dropout)
{
    const Graph *g = run->g;
    assert(!g->plan.predicts);
    const GraphFeed *feed = run->pass.feed;
    run->g->gradients++;
    run->pass.dropout = (float)dropout;
    run->pass.key = graph_mask_key(g);
    run_program(run, &g->train);
    share_loss(run);
    run_tables(run);
    LossJob job = graph_loss_job(g, feed);
    double sum = 0;
    for (size_t i = 0; i < run->pass.shards; i++)
        sum += g->shard_loss[i];
    return sum / loss_weight_sum(&job);
}

/* out[count] = the blocks of so many shards, added by halves: (s0 + s1) + (s2 + s3). So two processes that
 * have half of them each make the same bits as one. */
static void add_shards(const float *restrict s, size_t next, size_t shards, float *restrict out,
                       size_t count)
{
    if (shards == 1)
        memcpy(out, s, count * sizeof *out);
    else if (shards == 2)
        for (size_t i = 0; i < count; i++)
            out[i] = s[i] + s[next + i];
    else if (shards == 4)
        for (size_t i = 0; i < count; i++)
            out[i] = (s[i] + s[next + i]) + (s[2 * next + i] + s[3 * next + i]);
    else {
        float half[ADD_BLOCK];
        add_shards(s, next, shards / 2, out, count);
        add_shards(s + shards / 2 * next, next, shards - shards / 2, half, count);
        for (size_t i = 0; i < count; i++)
            out[i] += half[i];
    }
}

/* out[count] = the gradients of a piece from these shards; at most ADD_BLOCK */
static void sum_shards(const Graph *g, size_t begin, size_t shards, const Piece *piece, size_t from,
                       float *restrict out, size_t count)
{
    const float *first = g->gradient + piece->offset + from;
    if (piece->whole)
        memcpy(out, first, count * sizeof *out);
    else if (shards == 0) /* a team with more members than shards */
        memset(out, 0, count * sizeof *out);
    else
        add_shards(first + begin * g->gradient_size, g->gradient_size, shards, out, count);
}

double graph_gradient(Graph *g, const GraphFeed *feed, double dropout, float *gradient)
{
    Run run = run_on(g, feed);
    bool halves = halves_take(g->halves, feed->rows);
    double loss = halves ? halves_gradient(g->halves, feed, dropout) : run_gradient(&run, dropout);
    halves_show(g->halves);
    halves_settle(g->halves); /* the caller may change the weights */
    for (size_t i = 0; i < g->piece.count; i++) {
        const Piece *piece = &g->piece.at[i];
        for (size_t from = 0; from < piece->count; from += ADD_BLOCK) {
            size_t rest = piece->count - from, count = rest < ADD_BLOCK ? rest : ADD_BLOCK;
            sum_shards(g, 0, run.pass.shards, piece, from, gradient + piece->offset + from, count);
        }
    }
    return loss;
}

/* ---- the update ---------------------------------------------------------------------------------- */

typedef struct Update {
    Graph *g;
    size_t begin, shards;
    UpdateJob job; /* lr, decay and so on */
    float scale;   /* of the gradient, when clipping */
    bool sum, apply;
} Update;

double gradient_squares(const float *g, size_t count)
{
    enum { WAYS = 4 };
    Vec part[WAYS] = {0};
    size_t i = 0;
    for (; i + WAYS * LANES <= count; i += WAYS * LANES) {
        UNROLL
        for (size_t k = 0; k < WAYS; k++) {
            Vec x = vec_load(g + i + k * LANES);
            part[k] += x * x;
        }
    }
    double sum = 0;
    for (; i < count; i++)
        sum += (double)g[i] * (double)g[i];
    return sum + (double)vec_sum((part[0] + part[1]) + (part[2] + part[3]));
}

static void apply_update(const Update *u, const Piece *piece, size_t from, float *grad,
                         size_t count)
{
    size_t at = piece->offset + from;
    UpdateJob job = u->job;
    job.g = grad;
    job.count = count;
    job.w = u->g->params + at;
    job.m = u->g->moments + at;
    job.v = graph_moments(u->g) > 1 ? job.m + u->g->learnt : NULL;
    job.decay = piece->decay ? u->job.decay : 0.0f;
    optimizer_update[u->g->plan.optimizer](&job);
}

/* One task of the update. Unclipped it does all at once: sum, norm, update. To clip, the norm has to
 * be known first: one round sums into the first shard's block, the next scales and updates. */
static void run_update(void *arg, size_t task, size_t worker)
{
    const Update *u = arg;
    Graph *g = u->g;
    (void)worker;
    unsigned before = tiny_off();
    double norm = 0;
    float grad[ADD_BLOCK];
    for (size_t k = 0; k < g->task.at[task].count; k++) {
        const Piece *piece = &g->piece.at[g->task.at[task].first + k];
        for (size_t from = 0; from < piece->count; from += ADD_BLOCK) {
            size_t rest = piece->count - from, count = rest < ADD_BLOCK ? rest : ADD_BLOCK;
            float *first = g->gradient + piece->offset + from;
            sum_shards(g, u->sum ? u->begin : 0, u->sum ? u->shards : 1, piece, from, grad, count);
            if (u->sum)
                norm += gradient_squares(grad, count);
            if (u->sum && !u->apply)
                memcpy(first, grad, count * sizeof *grad);
            if (!u->sum)
                for (size_t i = 0; i < count; i++)
                    grad[i] *= u->scale;
            if (u->apply)
                apply_update(u, piece, from, grad, count);
        }
    }
    if (u->sum)
        g->task_norm[task * NORM_APART] = norm;
    if (u->job.away)
        vec_settle();
    tiny_restore(before);
}

static double update_round(Update *u, bool sum, bool apply)
{
    u->sum = sum;
    u->apply = apply;
    pool_run_near(u->g->plan.pool, u->g->task.count, run_update, u);
    double norm = 0;
    for (size_t i = 0; i < u->g->task.count; i++)
        norm += u->g->task_norm[i * NORM_APART];
    return sqrt(norm);
}

/* Each member's sum into the first shard's block, then all of them there: what is left is one shard. */
static bool share_gradient(const Run *run)
{
    Update u = {.g = run->g, .begin = run->first, .shards = run->count};
    update_round(&u, true, false);
    for (size_t k = 0; team_rank(run->team) > 0 && k < u.g->tensor.count; k++)
        if (u.g->tensor_plan.at[k].whole) /* is the sum already, with all */
            memset(u.g->gradient + u.g->tensor.at[k].offset, 0,
                   u.g->tensor.at[k].count * sizeof *u.g->gradient);
    return team_sum_f32(run->team, run->g->gradient, run->g->learnt) && !team_lost(run->team);
}

UpdateJob graph_update_job(const Graph *g, const GraphKnobs *k)
{
    double t = (double)(g->steps + 1);
    return (UpdateJob){.lr = (float)k->lr,
                       .decay = (float)k->weight_decay,
                       .momentum = (float)k->momentum,
                       .beta1 = (float)g->plan.beta1,
                       .beta2 = (float)g->plan.beta2,
                       .epsilon = (float)g->plan.epsilon,
                       .fix1 = (float)(1.0 / (1.0 - pow(g->plan.beta1, t))),
                       .fix2 = (float)(1.0 / (1.0 - pow(g->plan.beta2, t)))};
}

static double update(Graph *g, size_t shards, const GraphKnobs *k)
{
    Update u = {.g = g, .shards = shards, .scale = 1.0f, .job = graph_update_job(g, k)};
    u.job.away = g->homes > 0;
    g->summed = k->clip > 0 || g->plan.team;
    if (k->clip <= 0)
        return update_round(&u, true, true);
    double norm = update_round(&u, true, false);
    if (!isfinite(norm))
        return norm;
    u.scale = norm > k->clip ? (float)(k->clip / norm) : 1.0f;
    update_round(&u, false, true);
    return norm;
}

/* ---- where a NaN came from ------------------------------------------------------------------------- */

static bool all_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* Which rows of a layer's output hold what is not finite. */
static void name_rows(const Node *n, const Pass *p, GraphStats *out)
{
    for (size_t i = 0; i < p->rows; i++)
        if (!all_finite(node_value(n, p) + i * node_row(n), node_row(n))) {
            if (out->bad < sizeof out->bad_row / sizeof *out->bad_row)
                out->bad_row[out->bad] = (uint32_t)(p->begin + i);
            out->bad++;
        }
}

/* The first layer, in the order of the step, that holds what is not finite. */
static void name_layer(Graph *g, const Run *run, GraphStats *stats)
{
    char *out = stats->layer;
    halves_show(g->halves);
    halves_settle(g->halves);
    for (size_t i = 0; i < g->tensor.count; i++) {
        const GraphTensor *t = &g->tensor.at[i];
        if (run->pass.dropout >= 0 && !all_finite(g->params + t->offset, t->count)) {
            snprintf(out, 64, "%s", t->name);
            return;
        }
    }
    for (size_t i = 0; i < g->node.count; i++) {
        const Node *n = g->node.at[i];
        for (size_t s = 0; n->reached && n->value && s < run->pass.shards; s++) {
            Pass p = pass_shard(&run->pass, s);
            name_rows(n, &p, stats);
        }
        if (stats->bad) {
            snprintf(out, 64, "%s", n->name);
            return;
        }
    }
    for (size_t i = 0; g->plan.levels == 0 && i < run->pass.batch; i++) /* a series may lack some */
        if (!isfinite(run->pass.feed->target[i])) {
            snprintf(out, 64, "target");
            return;
        }
    for (size_t i = g->tensor.count; i-- > 0;) {
        const GraphTensor *t = &g->tensor.at[i];
        size_t shards = g->tensor_plan.at[i].whole ? 1 : run->pass.shards;
        for (size_t s = 0; t->learnt && s < shards; s++)
            if (!all_finite(g->gradient + s * g->gradient_size + t->offset, t->count)) {
                snprintf(out, 64, "gradient of %.50s", t->name);
                return;
            }
    }
    snprintf(out, 64, "loss");
}

/* ---- exported -------------------------------------------------------------------------------------- */

static void keep_statistics(Graph *g, bool restore)
{
    size_t bytes = (g->block - g->learnt) * sizeof *g->params;
    float *now = g->params + g->learnt;
    if (!g->before)
        g->before = mem_alloc(bytes + sizeof *g->before);
    memcpy(restore ? now : g->before, restore ? g->before : now, bytes);
}

void graph_step(Graph *g, const GraphFeed *feed, const GraphKnobs *knobs, GraphStats *out)
{
    Run run = run_on(g, feed);
    run.pass.learns = true;
    if (g->plan.team) {
        deal_shards(&run);
        keep_statistics(g, false);
    }
    bool halves = halves_take(g->halves, feed->rows);
    double norm = 0;
    *out = (GraphStats){.finite = true};
    out->loss = halves ? halves_step(g->halves, feed, knobs, &norm) : run_gradient(&run, knobs->dropout);
    if (team_lost(run.team)) {
        keep_statistics(g, true);
        return;
    }
    if (!isfinite(out->loss)) {
        out->finite = false;
        out->grad_norm = (double)NAN;
        name_layer(g, &run, out);
        return;
    }
    if (run.team && !share_gradient(&run)) {
        keep_statistics(g, true);
        return;
    }
    out->grad_norm = halves ? norm : update(g, run.team ? 1 : run.pass.shards, knobs);
    g->steps++;
    if (!isfinite(out->grad_norm)) {
        out->finite = false;
        run.pass.dropout = -1; /* the weights are spoilt by now: look at values and gradients */
        name_layer(g, &run, out);
    }
}

void graph_predict(Graph *g, const GraphFeed *feed, float *out)
{
    size_t width = node_row(g->output);
    halves_settle(g->halves);
    for (size_t from = 0; from < feed->rows; from += g->plan.rows_most) {
        size_t rest = feed->rows - from, rows = rest < g->plan.rows_most ? rest : g->plan.rows_most;
        GraphFeed part = {.rows = rows};
        if (g->input)
            part.dense = feed->dense + from * g->input->width;
        if (feed->code)
            part.code = feed->code + from * g->codes;
        Run run = run_on(g, &part);
        run_program(&run, &g->infer);
        memcpy(out + from * width, g->output->value, rows * width * sizeof *out);
    }
}
