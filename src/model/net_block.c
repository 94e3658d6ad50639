/* net_block.c -- the block that transformers are made of: attention, then a gated layer, each added
 * to what it was given after a normalisation. */
#include "model_int.h"

#include <stdio.h>

bool net_block_check(const NetBlock *b, size_t width, Error *err)
{
    if (width % b->heads == 0)
        return true;
    return error_set(err, ERROR_USAGE, "width=%zu is not a multiple of heads=%zu", width, b->heads);
}

typedef struct Name {
    char text[40];
} Name;

static Name name_of(int number, const char *part)
{
    Name n;
    snprintf(n.text, sizeof n.text, "block.%d.%s", number, part);
    return n;
}

static Node *attention(Graph *g, int i, Node *x, Node *asks, const NetBlock *b)
{
    size_t width = node_width(x);
    Node *q = graph_dense(g, name_of(i, "query").text, asks, width, (Tail){0});
    Node *k = graph_dense(g, name_of(i, "key").text, x, width, (Tail){0});
    Node *v = graph_dense(g, name_of(i, "value").text, x, width, (Tail){0});
    Node *y =
        graph_attention(g, name_of(i, "attention").text, q, k, v, b->heads, b->attention_dropout);
    return graph_dense(g, name_of(i, "out").text, y, width, (Tail){0});
}

Node *net_block(Graph *g, int i, Node *x, const NetBlock *b)
{
    size_t width = node_width(x), inside = (size_t)((double)width * b->factor + 1e-6);
    Node *y = x;
    if (b->norm_first)
        y = graph_layernorm(g, name_of(i, "norm.attention").text, x, (Tail){0});
    Node *asks = y;
    if (b->queries > 0) {
        asks = graph_slice(g, y, 0, b->queries, false);
        x = y == x ? asks : graph_slice(g, x, 0, b->queries, false);
    }
    x = graph_add(g, x, attention(g, i, y, asks, b));
    y = graph_layernorm(g, name_of(i, "norm.gated").text, x, (Tail){0});
    y = graph_dense(g, name_of(i, "wide").text, y, 2 * (inside ? inside : 1), (Tail){0});
    y = graph_gate(g, y, b->gate, true);
    return graph_add(g, x, graph_dense(g, name_of(i, "narrow").text, y, width, (Tail){0}));
}
