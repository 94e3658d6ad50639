/* plan.c -- from a list of nodes to memory and programs.
 *
 * Memory: one block each for parameters, moments, gradients (one copy a shard) and for everything
 * that has a row a row of the batch. Programs: the nodes in order, forward, loss, backward, cut into
 * stages where an operator needs all rows.
 *
 * With more than one thread, what two of them write lies APART, and each has a home: the part of the
 * parameter block that it updates. Gradients that a thread makes for another's home, and the weights,
 * which all read, it stores past its caches. No bit of what is computed depends on that. */
#include "nn_int.h"

#define UPDATE_TASK 2048 /* floats: a piece of the optimiser's work */

static size_t aligned(size_t floats)
{
    return (floats + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
}

static void reach(Node *n)
{
    if (n->reached)
        return;
    n->reached = true;
    for (size_t i = 0; i < n->inputs; i++)
        reach(n->input[i]);
}

/* Learnt tensors first, then statistics, each on a cache line. */
static void lay_out_tensors(Graph *g)
{
    size_t at = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < g->tensor.count; i++)
            if (g->tensor.at[i].learnt == (pass == 0)) {
                g->tensor.at[i].offset = at;
                at += aligned(g->tensor.at[i].count);
            }
        if (pass == 0)
            g->learnt = at;
    }
    g->block = at;
    g->gradient_size = g->learnt + APART;
}

static void init_tensors(Graph *g)
{
    for (size_t i = 0; i < g->tensor.count; i++) {
        float *w = g->params + g->tensor.at[i].offset;
        const TensorPlan *plan = &g->tensor_plan.at[i];
        Rng rng;
        rng_seed(&rng, g->seed, i);
        for (size_t k = 0; k < g->tensor.at[i].count; k++)
            w[k] = plan->init == INIT_ONE ? 1.0f
                   : plan->init == INIT_ZERO
                       ? 0.0f
                       : (float)((2.0 * rng_unit(&rng) - 1.0) * (double)plan->bound);
    }
}

/* The optimiser's work: pieces of tensors, gathered into tasks of about the same size. */
static void cut_updates(Graph *g)
{
    size_t in_task = 0;
    for (size_t i = 0; i < g->tensor.count; i++) {
        const GraphTensor *t = &g->tensor.at[i];
        for (size_t done = 0; t->learnt && !t->frozen && done < t->count;) {
            if (g->task.count == 0 || in_task >= UPDATE_TASK) {
                vec_add(&g->task, (UpdateTask){g->piece.count, 0});
                in_task = 0;
            }
            size_t rest = t->count - done, room = UPDATE_TASK - in_task;
            size_t count = rest < room ? rest : room;
            vec_add(&g->piece,
                    (Piece){t->offset + done, count, t->decay, g->tensor_plan.at[i].whole});
            vec_last(&g->task)->count++;
            in_task += count;
            done += count;
        }
    }
}

/* Whose pieces are whose, as pool_run_near deals them out. */
static void find_homes(Graph *g)
{
    size_t threads = pool_threads(g->plan.pool), tasks = g->task.count;
    if (threads < 2 || threads > HOMES_MOST || tasks < threads || g->learnt > HOME_LEARNT)
        return;
    for (size_t i = 0; i < threads; i++) {
        const UpdateTask *first = &g->task.at[tasks / threads * i + tasks % threads * i / threads];
        g->home[i] = g->piece.at[first->first].offset;
    }
    g->home[threads] = g->learnt;
    g->homes = threads;
}

static void end_stage(Program *p, void (*join)(const Node *, const Pass *), const Node *node)
{
    size_t first = p->stage.count ? vec_last(&p->stage)->first + vec_last(&p->stage)->count : 0;
    vec_add(&p->stage, (Stage){first, p->work.count - first, join, node});
}

static void add_work(Program *p, void (*run)(const Node *, const Pass *), const Node *node)
{
    if (run)
        vec_add(&p->work, (Work){run, node});
}

static void write_programs(Graph *g)
{
    for (size_t i = 0; i < g->node.count; i++) {
        Node *n = g->node.at[i];
        if (!n->reached)
            continue;
        add_work(&g->infer, n->op->infer ? n->op->infer : n->op->forward, n);
        if (n->op->gather) {
            add_work(&g->train, n->op->gather, n);
            end_stage(&g->train, n->op->join, n);
        }
        add_work(&g->train, n->op->forward, n);
    }
    end_stage(&g->infer, NULL, NULL);
    add_work(&g->train, graph_loss_work, g->output);
    for (size_t i = g->node.count; i-- > 0;) {
        Node *n = g->node.at[i];
        if (!n->reached || !n->needs_grad)
            continue;
        if (n->op->gather_back) {
            add_work(&g->train, n->op->gather_back, n);
            end_stage(&g->train, n->op->join_back, n);
        }
        add_work(&g->train, n->op->backward, n);
        if (n->op->whole)
            vec_add(&g->whole, (Work){NULL, n});
    }
    end_stage(&g->train, NULL, NULL);
}

/* Who writes a gradient first overwrites, the others add: in the order backward runs. */
static void mark_fresh(Graph *g)
{
    bool *written = ARENA_NEW(&g->arena, bool, g->node.count);
    for (size_t i = g->node.count; i-- > 0;) {
        Node *n = g->node.at[i];
        for (size_t k = 0; n->reached && k < n->inputs; k++) {
            n->fresh[k] = !written[n->input[k]->number];
            written[n->input[k]->number] = true;
        }
        for (size_t k = 0; n->reached && k < n->params && k < NODE_PARAMS; k++)
            if (g->tensor_plan.at[n->param[k]].last < n->number)
                g->tensor_plan.at[n->param[k]].last = n->number;
    }
}

/* Where a node has one user: a relu's slope is taken along by a product, and a gradient may lie where the
 * user's lies. */
static void mark_single(Graph *g)
{
    size_t *users = ARENA_NEW(&g->arena, size_t, g->node.count);
    const Node **user = ARENA_NEW(&g->arena, const Node *, g->node.count);
    for (size_t i = 0; i < g->node.count; i++) {
        const Node *n = g->node.at[i];
        for (size_t k = 0; n->reached && k < n->inputs; k++) {
            users[n->input[k]->number]++;
            user[n->input[k]->number] = n;
        }
    }
    for (size_t i = 0; i < g->node.count; i++) {
        Node *n = g->node.at[i];
        if (users[i] != 1 || n == g->output)
            continue;
        n->gated = user[i]->op == &dense_op && n->tail.act == ACT_RELU;
        n->lent = user[i]->op->in_place && node_row(user[i]) == node_row(n) ? user[i] : NULL;
    }
}

/* The output lies in one piece, for who predicts; a gradient that is lent lies as the user's. */
static void set_apart(Graph *g)
{
    bool alone = g->plan.predicts || pool_threads(g->plan.pool) == 1;
    for (size_t i = g->node.count; i-- > 0;) {
        Node *n = g->node.at[i];
        n->apart = alone || n == g->output || n == g->input ? 0 : n->lent ? n->lent->apart : APART;
    }
}

/* What a node has a number a row for, in floats of the whole batch. */
static void row_sizes(const Graph *g, const Node *n, size_t rows, size_t sizes[4])
{
    bool grad = n->needs_grad && !n->lent && !g->plan.predicts;
    size_t more = (shard_count(rows) - 1) * n->apart;
    sizes[0] = n == g->input ? 0 : rows * node_row(n) + more;
    sizes[1] = grad ? rows * node_row(n) + more : 0;
    sizes[2] = rows * n->save_width;
    sizes[3] = (SHARDS_MOST + 2) * n->part_width;
}

/* Walks all that has a row a row of the batch; sets the pointers when there is a base. */
static size_t lay_out_rows(Graph *g, float *base, size_t rows)
{
    size_t at = 0;
    for (size_t i = 0; i < g->node.count; i++) {
        Node *n = g->node.at[i];
        if (!n->reached)
            continue;
        size_t sizes[4];
        float **slots[] = {&n->value, &n->grad, &n->save, &n->part};
        row_sizes(g, n, rows, sizes);
        for (size_t k = 0; k < 4; k++) {
            *slots[k] = base && sizes[k] ? base + at : NULL;
            at += aligned(sizes[k]);
        }
        g->scratch_size = n->scratch > g->scratch_size ? n->scratch : g->scratch_size;
    }
    for (size_t i = g->node.count; base && i-- > 0;) /* users stand behind what they use */
        if (g->node.at[i]->lent && g->node.at[i]->needs_grad)
            g->node.at[i]->grad = g->node.at[i]->lent->grad;
    g->scratch_size = aligned(g->scratch_size + APART);
    return at;
}

/* What workers keep of a node, one after the other; sets the pointers when there is a base. */
static size_t lay_out_kept(Graph *g, float *base)
{
    size_t at = 0;
    for (size_t i = 0; i < g->node.count && !g->plan.predicts; i++) {
        Node *n = g->node.at[i];
        if (!n->reached || !n->kept_size)
            continue;
        n->kept_size = aligned(n->kept_size);
        n->kept = base ? base + at : NULL;
        at += (BLOCK_ALIGN + n->kept_size + APART) * pool_threads(g->plan.pool);
    }
    return at;
}

static bool take_memory(Graph *g, Error *err)
{
    size_t rows = lay_out_rows(g, NULL, g->plan.rows_most);
    struct {
        float **at;
        size_t floats;
    } blocks[] = {
        {&g->params, g->block},
        {&g->moments, graph_moments(g) * g->learnt},
        {&g->gradient, g->plan.predicts ? 0 : SHARDS_MOST * g->gradient_size},
        {&g->memory, rows},
        {&g->scratch, g->scratch_size * pool_threads(g->plan.pool)},
        {&g->kept, lay_out_kept(g, NULL)},
    };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        size_t floats = blocks[i].floats + BLOCK_ALIGN; /* never nothing */
        if (floats > SIZE_MAX / sizeof(float))
            return error_set(err, ERROR_SPACE, "the model is too large for this machine");
        *blocks[i].at = mem_try(floats * sizeof(float), err);
        if (!*blocks[i].at)
            return error_in(err, "a model of %zu numbers at %zu rows a batch", graph_learnt(g),
                            g->plan.rows_most);
    }
    g->scratch_size = 0;
    lay_out_rows(g, g->memory, g->plan.rows_most);
    lay_out_kept(g, g->kept);
    return true;
}

static void fill_plan(Graph *g, const GraphPlan *plan, size_t outputs)
{
    g->plan = *plan;
    g->plan.huber_delta = plan->huber_delta > 0 ? plan->huber_delta : 1.0f;
    g->plan.quantile = plan->quantile > 0 ? plan->quantile : 0.5f;
    g->plan.tweedie_power = plan->tweedie_power > 0 ? plan->tweedie_power : 1.5f;
    if (plan->beta1 == 0 && plan->beta2 == 0 && plan->epsilon == 0) {
        g->plan.beta1 = 0.9;
        g->plan.beta2 = 0.999;
        g->plan.epsilon = 1e-8;
    }
    if (plan->levels) {
        float *own = ARENA_NEW(&g->arena, float, plan->levels);
        memcpy(own, plan->level, plan->levels * sizeof *own);
        g->plan.level = own;
    }
    if (plan->class_weight) {
        size_t classes = outputs < 2 ? 2 : outputs;
        float *own = ARENA_NEW(&g->arena, float, classes);
        memcpy(own, plan->class_weight, classes * sizeof *own);
        g->plan.class_weight = own;
    }
}

bool graph_plan(Graph *g, Node *output, const GraphPlan *plan, Error *err)
{
    assert(!g->params && output->needs_grad && plan->rows_most > 0);
    assert(products_there(plan->products, plan->precision, NULL));
    products_begin(plan->products);
    g->output = output;
    fill_plan(g, plan, node_row(output));
    reach(output);
    for (size_t i = 0; i < g->node.count; i++)
        if (g->node.at[i]->op->prepare)
            g->node.at[i]->op->prepare(g->node.at[i]);
    mark_fresh(g);
    mark_single(g);
    set_apart(g);
    lay_out_tensors(g);
    if (!take_memory(g, err))
        return false;
    init_tensors(g);
    if (!plan->predicts) {
        cut_updates(g);
        find_homes(g);
    }
    write_programs(g);
    g->task_norm = mem_alloc(sizeof(double) * (g->task.count + 1) * NORM_APART);
    return halves_plan(g, err);
}
