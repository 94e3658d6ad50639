/* op_embed.c -- category codes through tables of numbers.
 *
 *     concatenated   y = [E0[c0], E1[c1], ...]      embeddings
 *     summed         y = E0[c0] + E1[c1] + ...      a linear model's one-hot weights
 *     pairs          y = E01[c0, c1] + ...          weights of two columns crossed
 *
 * A table may be large and a batch touches few of its rows, so its gradient is not kept once a shard:
 * one task a table walks the batch in order after the shards are done. */
#include "nn_int.h"

#include <stdio.h>

typedef struct Table {
    size_t first, second; /* columns of codes; the same one: a table of one column */
    size_t rows, stride; /* row of the table: code[first] * stride + code[second], or code[first] */
    size_t size;         /* numbers a row */
    size_t at;           /* first column of y; 0 when summed */
} Table;

typedef struct Tables {
    size_t codes;       /* columns of codes in the feed */
    const Table *table; /* [node->tables] */
    bool sum;
} Tables;

/* code [codes] of one row of the batch */
static inline size_t row_of(const Table *t, const int32_t *code)
{
    size_t row = (size_t)code[t->first];
    if (t->second != t->first)
        row = row * t->stride + (size_t)code[t->second];
    assert(code[t->first] >= 0 && code[t->second] >= 0 && row < t->rows);
    return row;
}

static const float *weights_of(const Node *n, size_t i)
{
    return n->graph->params + n->graph->tensor.at[n->param[0] + i].offset;
}

static void forward(const Node *n, const Pass *p)
{
    const Tables *t = n->attr;
    const int32_t *code = p->feed->code + p->begin * t->codes;
    float *y = node_value(n, p);
    for (size_t row = 0; row < p->rows; row++, y += n->width, code += t->codes) {
        if (t->sum)
            memset(y, 0, n->width * sizeof *y);
        for (size_t i = 0; i < n->tables; i++) {
            const Table *table = &t->table[i];
            const float *e = weights_of(n, i) + row_of(table, code) * table->size;
            float *to = y + table->at;
            if (!t->sum)
                memcpy(to, e, table->size * sizeof *to);
            else
                for (size_t k = 0; k < table->size; k++)
                    to[k] += e[k];
        }
    }
}

/* y[at..] = E[c]:  dE[c] += dy[at..], row after row */
static void whole(const Node *n, const Pass *batch, size_t i)
{
    const Tables *t = n->attr;
    const GraphTensor *tensor = &n->graph->tensor.at[n->param[0] + i];
    float *gradient = n->graph->gradient + tensor->offset;
    if (batch->fresh)
        memset(gradient, 0, tensor->count * sizeof *gradient);
    const Table *table = &t->table[i];
    const int32_t *code = batch->feed->code;
    for (size_t s = 0; s < batch->shards; s++) {
        Pass p = pass_shard(batch, s);
        const float *dy = node_grad(n, &p) + table->at;
        for (size_t row = 0; row < p.rows; row++, code += t->codes, dy += n->width) {
            float *e = gradient + row_of(table, code) * table->size;
            for (size_t k = 0; k < table->size; k++)
                e[k] += dy[k];
        }
    }
}

/* tables [count]: copied. A summed node's tables begin at zero. */
static Node *embed(Graph *g, const char *name, const Table *tables, size_t count, size_t codes,
                   size_t width, bool sum)
{
    assert(g->codes == 0 || g->codes == codes);
    Tables *t = ARENA_NEW(&g->arena, Tables, 1);
    Table *own = ARENA_NEW(&g->arena, Table, count);
    memcpy(own, tables, count * sizeof *own);
    *t = (Tables){.codes = codes, .table = own, .sum = sum};
    Node *n = graph_node(g, &embed_op, name, NULL, 0, width);
    n->attr = t;
    n->tables = count;
    g->codes = codes;
    for (size_t i = 0; i < count; i++) {
        char what[48];
        snprintf(what, sizeof what, "%zu.weight", own[i].first);
        if (own[i].second != own[i].first)
            snprintf(what, sizeof what, "%zu.%zu.weight", own[i].first, own[i].second);
        float bound = 1.0f / sqrtf((float)own[i].size);
        node_param(n, what, own[i].rows, own[i].size, true, sum ? INIT_ZERO : INIT_UNIFORM, bound);
    }
    return n;
}

Node *graph_embed(Graph *g, const char *name, const int32_t *cardinality, const size_t *size,
                  size_t codes)
{
    Table *t = mem_alloc(codes * sizeof *t);
    size_t width = 0;
    for (size_t i = 0; i < codes; width += size[i++])
        t[i] = (Table){i, i, (size_t)cardinality[i], 0, size[i], width};
    Node *n = embed(g, name, t, codes, codes, width, false);
    mem_free(t);
    return n;
}

Node *graph_embed_sum(Graph *g, const char *name, const int32_t *cardinality, size_t codes,
                      size_t width)
{
    Table *t = mem_alloc(codes * sizeof *t);
    for (size_t i = 0; i < codes; i++)
        t[i] = (Table){i, i, (size_t)cardinality[i], 0, width, 0};
    Node *n = embed(g, name, t, codes, codes, width, true);
    mem_free(t);
    return n;
}

Node *graph_embed_pairs(Graph *g, const char *name, const int32_t *cardinality, size_t codes,
                        size_t width, size_t pairs_most)
{
    VEC(Table) t = {0};
    for (size_t i = 0; i < codes; i++)
        for (size_t j = i + 1; j < codes; j++) {
            size_t rows = (size_t)cardinality[i] * (size_t)cardinality[j];
            if (rows <= pairs_most)
                vec_add(&t, (Table){i, j, rows, (size_t)cardinality[j], width, 0});
        }
    Node *n = t.count ? embed(g, name, t.at, t.count, codes, width, true) : NULL;
    vec_release(&t);
    return n;
}

static void nothing(const Node *n, const Pass *p)
{
    (void)n;
    (void)p;
}

/* One column of codes, [rows]. */
static const char *column_of(const OnnxPass *p, size_t i)
{
    const char *c = onnx_node(p->onnx, "Gather", p->codes, onnx_whole(p->onnx, (int64_t)i), NULL);
    onnx_set_whole(p->onnx, "axis", 1);
    return c;
}

static const char *say(const Node *n, const OnnxPass *p, const char *const *x)
{
    (void)x;
    Onnx *o = p->onnx;
    const Tables *t = n->attr;
    const char **part = mem_alloc(sizeof *part * n->tables), *y = NULL;
    for (size_t i = 0; i < n->tables; i++) {
        const Table *table = &t->table[i];
        const char *row = column_of(p, table->first);
        if (table->second != table->first) {
            row = onnx_node(o, "Mul", row, onnx_wholes(o, (int64_t[]){(int64_t)table->stride}, 1),
                            NULL);
            row = onnx_node(o, "Add", row, column_of(p, table->second), NULL);
        }
        part[i] = onnx_node(o, "Gather", onnx_param(n, p, i), row, NULL);
        y = y && t->sum ? onnx_node(o, "Add", y, part[i], NULL) : part[i];
    }
    if (!t->sum)
        y = onnx_join(o, part, n->tables);
    mem_free(part);
    return y;
}

static Node *sample(Graph *g, Node *x)
{
    static const int32_t cardinality[] = {3, 5};
    static const size_t size[] = {2, 4};
    Node *apart = graph_embed(g, "apart", cardinality, size, 2);
    Node *sum = graph_embed_sum(g, "sum", cardinality, 2, 3);
    Node *pairs = graph_embed_pairs(g, "pairs", cardinality, 2, 4, 15);
    return graph_concat(g, (Node *[]){apart, x, sum, pairs}, 4);
}

const Op embed_op = {
    .name = "embed",
    .about = "y = [E0[c0], E1[c1], ...] or their sum, of columns or of pairs",
    .forward = forward,
    .backward = nothing,
    .whole = whole,
    .sample = sample,
    .onnx = say,
};
