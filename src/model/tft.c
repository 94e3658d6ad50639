/* tft.c -- Temporal Fusion Transformer (Lim, Arik, Loeff, Pfister 2019, arXiv:1912.09363): how series go on.
 *
 *     variables    each input of a step a vector; select: which of them count at this step
 *     lstm         over the window, and on over the horizon with what is known ahead
 *     enrich       grn with what is static of the group
 *     attention    of the steps of the horizon to all before them, heads averaged
 *     output       grn; the quantiles of each step of the horizon, a dense layer
 *
 *     grn(x, c) = addnorm(x, gate(dense(elu(dense x + dense c))))
 *
 * Behind each part a gate and a norm add it to what it was given, so that it can be left out. What is static
 * gives four contexts: to the selections, the lstm's beginning (two) and the enriching; a table of a single
 * series has none. The two products behind the elu of the paper's grn, with nothing between them, are one. */
#include "model_int.h"

#include <stdio.h>
#include <string.h>

typedef struct TftParams {
    char *group, *time, *known, *quantiles;
    int horizon, window, stride, width, heads;
    double attention_dropout;
} TftParams;

static const Param params[] = {
    /*          field                         name                 default, range             unit     help */
    // clang-format off
    PARAM_TEXT(TftParams, group,             "group",             "",                                  "columns that name a series, A,B; none: the table is one series"),
    PARAM_TEXT(TftParams, time,              "time",              "",                                  "the column that orders its rows: a time, a date or a number", .required = true),
    PARAM_TEXT(TftParams, known,             "known",             "",                                  "inputs known ahead, beside those of the time: A,B"),
    PARAM_INT (TftParams, horizon,           "horizon",           24, 1, 10000,              "steps",  "how far ahead it says"),
    PARAM_INT (TftParams, window,            "window",            96, 1, 10000,              "steps",  "how much of the past it looks at"),
    PARAM_INT (TftParams, stride,            "stride",            1, 1, 10000,               "steps",  "training windows begin so many steps apart"),
    PARAM_TEXT(TftParams, quantiles,         "quantiles",         "0.02,0.1,0.25,0.5,0.75,0.9,0.98",   "what is said of each step, ascending; the middle one is the prediction"),
    PARAM_INT (TftParams, width,             "width",             16, 1, 4096,               "units",  "numbers a step is carried in; a multiple of heads"),
    PARAM_INT (TftParams, heads,             "heads",             4, 1, 256,                 "heads",  "ways in which a step looks back"),
    PARAM_REAL(TftParams, attention_dropout, "attention_dropout", 1, 0, 10,                  "",       "dropout of the attention, as a multiple of dropout"),
    // clang-format on
    PARAM_END,
};

#define VARIABLES_MOST 512

typedef struct Builder {
    Graph *g;
    const SeriesShape *shape;
    size_t width, heads;
    double attention_dropout;
    Node *context[4];
} Builder;
enum { FOR_SELECTION, FOR_STATE, FOR_MEMORY, FOR_STEPS };

typedef struct Name {
    char text[40];
} Name;

static Name name_of(const char *what, const char *part)
{
    Name n;
    snprintf(n.text, sizeof n.text, "%.24s.%.14s", what, part);
    return n;
}

/* ---- gated residual networks --------------------------------------------------------------------------- */

/* addnorm(skip, gate(dense x)): x is let through as far as its gate says. */
static Node *gated(Builder *b, const char *name, Node *skip, Node *x, size_t groups)
{
    Node *y =
        graph_each(b->g, name_of(name, "gate").text, x, groups, 2 * node_width(skip), (Tail){0});
    return graph_addnorm(b->g, name_of(name, "norm").text, skip,
                         graph_gate(b->g, y, ACT_SIGMOID, false), groups);
}

/* x [groups][steps][any] -> [groups][steps][out]; context [1][width] or NULL */
static Node *grn(Builder *b, const char *name, Node *x, size_t groups, size_t out, Node *context)
{
    Node *y = graph_each(b->g, name_of(name, "in").text, x, groups, b->width, (Tail){0});
    Node *skip = node_width(x) == out
                     ? x
                     : graph_each(b->g, name_of(name, "skip").text, x, groups, out, (Tail){0});
    if (context) {
        Node *c = graph_dense(b->g, name_of(name, "context").text, context, b->width, (Tail){0});
        y = graph_add(b->g, y, graph_spread(b->g, c, node_tokens(y)));
    }
    y = graph_activate(b->g, y, (Tail){.act = ACT_ELU, .dropout = true});
    return gated(b, name, skip, y, groups);
}

/* ---- variables ------------------------------------------------------------------------------------------- */

/* Vectors of all variables at each step, and of them what counts there: [steps][width] */
static Node *selection(Builder *b, const char *name, Node *input, const GraphVariable *v,
                       size_t count, size_t steps)
{
    Node *x =
        graph_variables(b->g, name_of(name, "variable").text, input, v, count, steps, b->width);
    Node *each = grn(b, name_of(name, "each").text, x, count, b->width, NULL);
    if (count == 1)
        return each;
    Node *all = graph_turn(b->g, x, count);
    Node *scores = grn(b, name_of(name, "select").text, all, 1, count, b->context[FOR_SELECTION]);
    return graph_select(b->g, name, scores, each);
}

static size_t add_inputs(const SeriesShape *s, bool past, bool fixed, size_t at, size_t stride,
                         GraphVariable *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s->inputs; i++) {
        const SeriesInput *in = &s->input[i];
        bool wanted = fixed ? in->kind == SERIES_STATIC
                            : in->kind == SERIES_KNOWN || (past && in->kind == SERIES_PAST);
        if (!wanted)
            continue;
        out[n++] = (GraphVariable){at, stride, in->width};
        at += in->width;
    }
    return n;
}

static void static_contexts(Builder *b, Node *input)
{
    static const char *const names[] = {"context.select", "context.state", "context.memory",
                                        "context.steps"};
    GraphVariable v[VARIABLES_MOST + 2];
    size_t n = add_inputs(b->shape, false, true, 0, 0, v);
    if (n == 0)
        return;
    Node *x = selection(b, "static", input, v, n, 1);
    for (int i = 0; i < 4; i++)
        b->context[i] = grn(b, names[i], x, 1, b->width, NULL);
}

/* The steps of the window, or of the horizon. */
static Node *steps(Builder *b, Node *input, bool past)
{
    const SeriesShape *s = b->shape;
    GraphVariable v[VARIABLES_MOST + 2];
    size_t at = s->fixed + (past ? 0 : s->window * s->past), stride = past ? s->past : s->known,
           n = 0;
    v[n++] = (GraphVariable){at, stride, 1}; /* the place */
    if (past)
        v[n++] = (GraphVariable){at + 1, stride, 1}; /* the target */
    n += add_inputs(s, past, false, at + n, stride, v + n);
    return selection(b, past ? "past" : "ahead", input, v, n, past ? s->window : s->horizon);
}

/* ---- the whole ------------------------------------------------------------------------------------------- */

static Node *recurrent(Builder *b, Node *past, Node *ahead)
{
    Graph *g = b->g;
    Node *begin = NULL;
    if (b->context[FOR_STATE])
        begin = graph_concat(g, (Node *[]){b->context[FOR_STATE], b->context[FOR_MEMORY]}, 2);
    Node *before = graph_lstm(g, "encoder", past, begin, b->width);
    Node *last = graph_slice(g, before, b->shape->window - 1, 1, false);
    Node *after = graph_lstm(g, "decoder", ahead, last, b->width);
    Node *both = graph_chain(g, (Node *[]){before, after}, 2);
    return graph_part(g, both, 0, b->width); /* h alone */
}

static Node *look_back(Builder *b, Node *x)
{
    Graph *g = b->g;
    Node *asks = graph_slice(g, x, b->shape->window, b->shape->horizon, false);
    Node *q = graph_dense(g, "attention.query", asks, b->width, (Tail){0});
    Node *k = graph_dense(g, "attention.key", x, b->width, (Tail){0});
    Node *v = graph_dense(g, "attention.value", x, b->width / b->heads, (Tail){0});
    Node *y = graph_watch(g, "attention", q, k, v, b->heads, b->attention_dropout);
    y = graph_dense(g, "attention.out", y, b->width, (Tail){.dropout = true});
    return gated(b, "attention", asks, y, 1);
}

static Node *build(Builder *b)
{
    Graph *g = b->g;
    const SeriesShape *s = b->shape;
    Node *input = graph_input(g, series_floats(s));
    static_contexts(b, input);
    Node *past = steps(b, input, true), *ahead = steps(b, input, false);
    Node *both = graph_chain(g, (Node *[]){past, ahead}, 2);
    Node *x = gated(b, "recurrent", both, recurrent(b, past, ahead), 1);
    Node *y = look_back(b, grn(b, "enrich", x, 1, b->width, b->context[FOR_STEPS]));
    y = grn(b, "forward", y, 1, b->width, NULL);
    y = gated(b, "output", graph_slice(g, x, s->window, s->horizon, false), y, 1);
    return graph_dense(g, "head", y, s->levels, (Tail){0});
}

static void *create(const void *settings, const ModelShape *shape, const ModelSetup *setup,
                    Error *err)
{
    const TftParams *p = settings;
    const NetBlock heads = {.heads = (size_t)p->heads};
    if (!net_block_check(&heads, (size_t)p->width, err))
        return NULL;
    if (shape->series->inputs > VARIABLES_MOST) {
        error_set(err, ERROR_SPACE,
                  "%zu inputs; a tft takes %d, name them with features=", shape->series->inputs,
                  VARIABLES_MOST);
        return NULL;
    }
    Builder b = {.g = graph_create(setup->seed),
                 .shape = shape->series,
                 .width = (size_t)p->width,
                 .heads = (size_t)p->heads,
                 .attention_dropout = p->attention_dropout};
    return net_create(b.g, build(&b), shape, setup, err);
}

/* ---- what it looks at -------------------------------------------------------------------------------------- */

static void shares(void *model, const Batch *b, const SeriesShape *s, SeriesShares *out)
{
    size_t fixed = 0, past = 2, ahead = 1;
    for (size_t i = 0; i < s->inputs; i++) {
        fixed += s->input[i].kind == SERIES_STATIC;
        past += s->input[i].kind != SERIES_STATIC;
        ahead += s->input[i].kind == SERIES_KNOWN;
    }
    net_shares(model, b,
               (NetShare[]){{"static", out->fixed, fixed},
                            {"past", out->past, past},
                            {"ahead", out->ahead, ahead},
                            {"attention", out->step, s->window + s->horizon}},
               4);
}

/* ---- what the features must know -------------------------------------------------------------------------- */

static bool read_levels(const char *text, SeriesOptions *out, Error *err)
{
    double before = 0;
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, ",");
        double level;
        if (!text_to_real(at, n, &level) || !(level > before && level < 1) ||
            out->levels == sizeof out->level / sizeof *out->level)
            return error_set(
                err, ERROR_USAGE,
                "quantiles: expected at most 32 ascending numbers between 0 and 1, found '%s'",
                text);
        out->level[out->levels++] = (float)level;
        before = level;
        at += n + (at[n] == ',');
    }
    return out->levels > 0 || error_set(err, ERROR_USAGE, "quantiles: at least one");
}

static bool series(const void *settings, SeriesOptions *out, Error *err)
{
    const TftParams *p = settings;
    *out = (SeriesOptions){.group = p->group,
                           .time = p->time,
                           .known = p->known,
                           .window = (size_t)p->window,
                           .horizon = (size_t)p->horizon,
                           .stride = (size_t)p->stride};
    if (!*p->time)
        return error_set(err, ERROR_USAGE, "which column orders the rows? time=COLUMN");
    return read_levels(p->quantiles, out, err);
}

const ModelFamily tft_family = {
    .name = "tft",
    .title = "Temporal Fusion Transformer",
    .about = "How series go on: the next steps of each group, as quantiles, from its past and what "
             "is known.",
    .source = "Lim, Arik, Loeff and Pfister 2019, arXiv:1912.09363",
    .params = params,
    .params_size = sizeof(TftParams),
    .normals = "lr=0.001 batch=64 epochs=30 patience=5 optimizer=adam weight_decay=0 dropout=0.1 "
               "schedule=cosine clip=1 numbers=standard categories=onehot",
    .series = series,
    .create = create,
    .destroy = net_destroy,
    .step = net_step,
    .predict = net_predict,
    .tensors = net_tensors,
    .state = net_state,
    .restore = net_restore,
    .layers = net_layers,
    .shares = shares,
};
