/* expr_eval.c -- computes a checked expression, a block of at most BLOCK_ROWS rows at a time.
 *
 * The nodes stand in an order in which arguments come first, so a block is one walk over the list;
 * each node writes its own buffer, and the loops inside are the kernels. Where a kernel depends on
 * one text with words, it runs once per word, and the rows look their results up. */
#include "eval_int.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

/* ---- getting ready ------------------------------------------------------------------------- */

static void fill_constant(const Node *n, Vector *v, size_t block)
{
    v->constant = true;
    v->has = NULL;
    if (n->missing) {
        memset(v->has_buffer, 0, block);
        v->has = v->has_buffer;
    }
    v->real = v->buffer;
    for (size_t i = 0; i < block; i++)
        switch (n->type) {
        case COLUMN_BOOL:
            VECTOR_OUT(uint8_t, v)[i] = !n->missing && n->integer != 0;
            break;
        case COLUMN_REAL:
            VECTOR_OUT(double, v)[i] = n->missing ? 0.0 : n->real;
            break;
        case COLUMN_TEXT:
            VECTOR_OUT(Span, v)[i] = n->missing ? (Span){"", 0} : n->text;
            break;
        default:
            VECTOR_OUT(int64_t, v)[i] = n->missing ? 0 : n->integer;
            break;
        }
}

/* Words as spans, so that kernels see text in one form. */
static void take_words(Slot *s, Arena *a)
{
    const Words *w = s->column->words;
    Span *span = ARENA_NEW(a, Span, w->count + 1);
    for (size_t i = 0; i < w->count; i++)
        span[i] = (Span){w->bytes + w->start[i], (size_t)(w->start[i + 1] - w->start[i])};
    span[w->count] = (Span){"", 0};
    s->v.word = span;
    s->v.words = w->count;
}

static bool prepare_column(Run *r, const Node *n, const Chunk *in, Error *err)
{
    Slot *s = &r->slot[n->slot];
    if (n->field < in->columns && strcmp(in->column[n->field].name, n->name) == 0)
        s->column = &in->column[n->field];
    else
        s->column = chunk_find(in, n->name);
    if (!s->column)
        return error_set(err, ERROR_SHAPE, "no column %.80s in these rows", n->name);
    if (s->column->type != n->type)
        return error_set(err, ERROR_SHAPE,
                         "column %.80s is %s here, the expression was made for %s", n->name,
                         column_type_name(s->column->type), column_type_name(n->type));
    if (n->type == COLUMN_TEXT && s->column->words && s->column->words->count > 0 &&
        s->column->words->count <= 2 * r->rows + 64)
        take_words(s, r->arena);
    return true;
}

bool run_begin(Run *r, const Expr *e, const Chunk *in, Arena *a, Error *err)
{
    size_t one = in->rows + (in->rows == 0);
    *r = (Run){
        .expr = e, .rows = in->rows, .block = one < BLOCK_ROWS ? one : BLOCK_ROWS, .arena = a};
    size_t total = 0, each = (r->block + 63) / 64 * 64;
    for (size_t i = 0; i < e->nodes; i++)
        total += each * (type_size(e->node[i]->type) + 1);
    r->slot = ARENA_NEW(r->arena, Slot, e->nodes);
    char *room = arena_alloc(r->arena, total);
    for (size_t i = 0; i < e->nodes; i++) {
        const Node *n = e->node[i];
        Slot *s = &r->slot[i];
        s->v.type = n->type;
        s->v.buffer = room;
        room += each * type_size(n->type);
        s->v.has_buffer = (uint8_t *)room;
        room += each;
        if (n->kind == NODE_COLUMN && !prepare_column(r, n, in, err))
            return false;
        if (n->kind == NODE_CONSTANT)
            fill_constant(n, &s->v, r->block);
        if (n->args > 0)
            s->arg = ARENA_NEW(r->arena, Vector, n->args);
    }
    return true;
}

/* ---- one block ----------------------------------------------------------------------------- */

static void load_text(Slot *s, size_t from, size_t n)
{
    const Column *c = s->column;
    if (s->v.word) {
        s->v.code = c->code + from;
        return;
    }
    Span *out = s->v.buffer;
    const char *bytes = c->words ? c->words->bytes : c->bytes;
    const int32_t *start = c->words ? c->words->start : c->start;
    for (size_t i = 0; i < n; i++) {
        size_t w = c->words ? (size_t)c->code[from + i] : from + i;
        bool there = !s->v.has || s->v.has[i];
        out[i] =
            there ? (Span){bytes + start[w], column_span(start[w], start[w + 1])} : (Span){"", 0};
    }
    s->v.span = out;
}

static void load_column(Slot *s, size_t from, size_t n)
{
    const Column *c = s->column;
    s->v.has = NULL;
    if (c->valid) {
        bits_unpack(c->valid, from, n, s->v.has_buffer);
        s->v.has = s->v.has_buffer;
    }
    switch (c->type) {
    case COLUMN_BOOL:
        bits_unpack(c->bit, from, n, s->v.buffer);
        s->v.truth = s->v.buffer;
        if (s->v.has)
            bytes_and(s->v.buffer, s->v.has, n);
        break;
    case COLUMN_REAL:
        s->v.real = c->real + from;
        break;
    case COLUMN_DATE:
        for (size_t i = 0; i < n; i++)
            VECTOR_OUT(int64_t, &s->v)[i] = c->day[from + i];
        s->v.integer = s->v.buffer;
        break;
    case COLUMN_TEXT:
        load_text(s, from, n);
        break;
    default:
        s->v.integer = c->integer + from;
        break;
    }
}

/* out has a value where all arguments have one. */
static void merge_has(const Vector *arg, size_t args, size_t n, Vector *out)
{
    const uint8_t *only = NULL;
    size_t with = 0;
    for (size_t k = 0; k < args; k++)
        if (arg[k].has) {
            only = arg[k].has;
            with++;
        }
    out->has = only;
    if (with < 2)
        return;
    memset(out->has_buffer, 1, n);
    for (size_t k = 0; k < args; k++)
        if (arg[k].has)
            bytes_and(out->has_buffer, arg[k].has, n);
    out->has = out->has_buffer;
}

static bool all_finite(const double *restrict x, size_t n)
{
    int broken = 0;
    for (size_t i = 0; i < n; i++)
        broken |= !(fabs(x[i]) <= DBL_MAX);
    return !broken;
}

/* What is not finite is missing; what is missing is not true. */
static void settle(Vector *out, size_t n)
{
    if (out->type == COLUMN_BOOL && out->has) {
        bytes_and(out->buffer, out->has, n);
    } else if (out->type == COLUMN_REAL && !all_finite(out->real, n)) {
        uint8_t *has = vector_has(out, n);
        for (size_t i = 0; i < n; i++)
            has[i] &= fabs(out->real[i]) <= DBL_MAX;
    }
}

void run_spans(Slot *s, Vector *v, size_t n, size_t block, Arena *a)
{
    if (v->type != COLUMN_TEXT || !v->word)
        return;
    if (!s->spans)
        s->spans = ARENA_NEW(a, Span, block);
    for (size_t i = 0; i < n; i++)
        s->spans[i] = v->word[v->code[i]];
    v->span = s->spans;
    v->code = NULL;
    v->word = NULL;
    v->words = 0;
}

/* The one argument whose words decide everything, or SIZE_MAX. */
static size_t deciding_argument(const Vector *arg, size_t args, size_t rows)
{
    size_t found = SIZE_MAX;
    for (size_t k = 0; k < args; k++) {
        if (arg[k].constant)
            continue;
        if (found != SIZE_MAX || !arg[k].word || arg[k].words > rows)
            return SIZE_MAX;
        found = k;
    }
    return found;
}

/* The kernel over the words themselves, a block of words at a time. */
static void compute_words(Run *r, const Node *n, Slot *s, size_t k)
{
    size_t words = s->arg[k].words, size = type_size(n->type);
    Vector saved = s->arg[k];
    Vector all = {.type = n->type,
                  .buffer = arena_alloc(r->arena, words * size + 64),
                  .has_buffer = arena_alloc(r->arena, words + 64)};
    for (size_t from = 0; from < words; from += r->block) {
        size_t count = words - from < r->block ? words - from : r->block;
        Vector part = {.type = n->type,
                       .buffer = (char *)all.buffer + from * size,
                       .has_buffer = all.has_buffer + from};
        s->arg[k] = (Vector){.type = COLUMN_TEXT, .span = saved.word + from};
        merge_has(s->arg, n->args, count, &part);
        n->kernel(s->arg, n->args, count, &part, r->arena);
        settle(&part, count);
        vector_has(&part, count);
    }
    all.has = all.has_buffer;
    all.real = all.buffer;
    s->arg[k] = saved;
    s->by_word = all;
    s->by_word_done = true;
}

static void look_up(Run *r, const Node *n, Slot *s, size_t k, size_t rows)
{
    if (!s->by_word_done)
        compute_words(r, n, s, k);
    const Vector *all = &s->by_word;
    const int32_t *code = s->arg[k].code;
    Vector *out = &s->v;
    out->has = s->arg[k].has;
    uint8_t *has = vector_has(out, rows);
    for (size_t i = 0; i < rows; i++)
        has[i] &= all->has[code[i]];
    switch (n->type) {
    case COLUMN_BOOL:
        for (size_t i = 0; i < rows; i++)
            VECTOR_OUT(uint8_t, out)[i] = all->truth[code[i]] & has[i];
        break;
    case COLUMN_REAL:
        for (size_t i = 0; i < rows; i++)
            VECTOR_OUT(double, out)[i] = all->real[code[i]];
        break;
    case COLUMN_TEXT:
        out->code = code;
        out->word = all->span;
        out->words = s->arg[k].words;
        return;
    default:
        for (size_t i = 0; i < rows; i++)
            VECTOR_OUT(int64_t, out)[i] = all->integer[code[i]];
    }
    out->real = out->buffer;
}

static void compute_apply(Run *r, const Node *n, Slot *s, size_t rows)
{
    size_t k = n->kernel ? deciding_argument(s->arg, n->args, r->rows) : SIZE_MAX;
    if (k != SIZE_MAX) {
        look_up(r, n, s, k, rows);
    } else {
        for (size_t i = 0; i < n->args; i++)
            run_spans(&r->slot[n->arg[i]->slot], &s->arg[i], rows, r->block, r->arena);
        merge_has(s->arg, n->args, rows, &s->v);
        n->kernel(s->arg, n->args, rows, &s->v, r->arena);
        settle(&s->v, rows);
    }
    if (n->null_item) { /* x in (1, null) is true or missing */
        uint8_t *has = vector_has(&s->v, rows);
        for (size_t i = 0; i < rows; i++)
            has[i] &= s->v.truth[i];
    }
}

static void compute_node(Run *r, const Node *n, size_t from, size_t rows)
{
    Slot *s = &r->slot[n->slot];
    for (size_t i = 0; i < n->args; i++)
        s->arg[i] = r->slot[n->arg[i]->slot].v;
    switch (n->kind) {
    case NODE_CONSTANT:
        break;
    case NODE_COLUMN:
        load_column(s, from, rows);
        break;
    case NODE_APPLY:
    case NODE_IN:
        compute_apply(r, n, s, rows);
        break;
    case NODE_AND:
    case NODE_OR:
    case NODE_NOT:
        run_logic(n, s, rows);
        break;
    case NODE_IS_NULL:
        run_is_null(s, rows);
        break;
    case NODE_CASE:
        run_case(r, n, s, rows);
        break;
    case NODE_COALESCE:
        run_coalesce(r, n, s, rows);
        break;
    default:
        assert(!"a node that the check leaves behind");
    }
}

void run_block(Run *r, size_t from, size_t rows)
{
    for (size_t i = 0; i < r->expr->nodes; i++)
        compute_node(r, r->expr->node[i], from, rows);
}

bool node_fold(Node *n, Arena *a)
{
    Node **list = ARENA_NEW(a, Node *, n->args + 1);
    size_t kept[2] = {n->slot, 0};
    Expr e = {.root = n, .node = list};
    for (size_t i = 0; i < n->args; i++) { /* the same constant may stand twice */
        size_t j = 0;
        while (j < e.nodes && list[j] != n->arg[i])
            j++;
        if (j == e.nodes) {
            n->arg[i]->slot = j;
            list[e.nodes++] = n->arg[i];
        }
    }
    n->slot = e.nodes;
    list[e.nodes++] = n;
    Run r;
    if (!run_begin(&r, &e, &(Chunk){.rows = 1}, a, NULL))
        return false;
    run_block(&r, 0, 1);
    const Vector *v = &r.slot[n->slot].v;
    n->slot = kept[0];
    n->kind = NODE_CONSTANT;
    n->args = 0;
    n->missing = v->has && !v->has[0];
    switch (n->type) {
    case COLUMN_BOOL:
        n->integer = v->truth[0];
        break;
    case COLUMN_REAL:
        n->real = v->real[0];
        break;
    case COLUMN_TEXT: {
        char *text = arena_alloc(a, v->span[0].size + 1); /* terminated */
        if (v->span[0].size > 0)
            memcpy(text, v->span[0].at, v->span[0].size);
        n->text = (Span){text, n->missing ? 0 : v->span[0].size};
        break;
    }
    default:
        n->integer = v->integer[0];
        break;
    }
    return true;
}
