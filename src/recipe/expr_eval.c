/* expr_eval.c -- runs a checked expression over a chunk, BLOCK_ROWS rows at a time.
 *
 * The nodes stand in an order in which arguments come first, so a block is one walk over the list;
 * each node writes its own buffer, and the loops inside are the kernels. Text with words is computed
 * once per word and then looked up: length(NAME) = 3 over a million rows and fifty names measures
 * fifty names. */
#include "recipe_int.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

typedef struct Slot {
    Vector v;
    const Column *column; /* COLUMN */
    Vector *arg;          /* [args] copies of the arguments' vectors */
    Span *spans;          /* a coded argument written out, made when first needed */
    Vector by_word;       /* results per word; valid for the whole chunk */
    bool by_word_done;
} Slot;

typedef struct Run {
    const Expr *expr;
    Slot *slot;         /* [nodes] */
    size_t rows, block; /* of the chunk; at most in one block */
    Arena *arena;
} Run;

/* ---- getting ready ------------------------------------------------------------------------------ */

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

static bool prepare(Run *r, const Chunk *in, Error *err)
{
    const Expr *e = r->expr;
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

/* ---- one block --------------------------------------------------------------------------------- */

/* Bytes may alias anything in C; these loops say that theirs do not. */
static void and_into(uint8_t *restrict out, const uint8_t *restrict with, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] &= with[i];
}

static const uint8_t all_have[BLOCK_ROWS] = {[0 ... BLOCK_ROWS - 1] = 1};

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
            there ? (Span){bytes + start[w], (size_t)(start[w + 1] - start[w])} : (Span){"", 0};
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
            and_into(s->v.buffer, s->v.has, n);
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
            and_into(out->has_buffer, arg[k].has, n);
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
        and_into(out->buffer, out->has, n);
    } else if (out->type == COLUMN_REAL && !all_finite(out->real, n)) {
        uint8_t *has = vector_has(out, n);
        for (size_t i = 0; i < n; i++)
            has[i] &= fabs(out->real[i]) <= DBL_MAX;
    }
}

/* The vector with its text as spans. */
static void write_out(Slot *s, Vector *v, size_t n, size_t block, Arena *a)
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
            write_out(&r->slot[n->arg[i]->slot], &s->arg[i], rows, r->block, r->arena);
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

/* Three-valued: false and missing = false, true or missing = true. */
static void and_rows(const Vector *a, const Vector *b, uint8_t *restrict out, uint8_t *restrict has,
                     size_t n)
{
    const uint8_t *restrict x = a->truth, *restrict y = b->truth;
    const uint8_t *restrict hx = a->has ? a->has : all_have, *restrict hy =
                                                                 b->has ? b->has : all_have;
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] & y[i];
    for (size_t i = 0; has && i < n; i++)
        has[i] = (hx[i] & hy[i]) | (hx[i] & (x[i] ^ 1)) | (hy[i] & (y[i] ^ 1));
}

static void or_rows(const Vector *a, const Vector *b, uint8_t *restrict out, uint8_t *restrict has,
                    size_t n)
{
    const uint8_t *restrict x = a->truth, *restrict y = b->truth;
    const uint8_t *restrict hx = a->has ? a->has : all_have, *restrict hy =
                                                                 b->has ? b->has : all_have;
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] | y[i];
    for (size_t i = 0; has && i < n; i++)
        has[i] = (hx[i] & hy[i]) | x[i] | y[i];
}

static void compute_logic(const Node *n, Slot *s, size_t rows)
{
    const Vector *a = &s->arg[0], *b = &s->arg[n->args - 1];
    uint8_t *out = s->v.buffer;
    s->v.truth = out;
    s->v.has = NULL;
    if (n->kind == NODE_NOT) {
        s->v.has = a->has;
        for (size_t i = 0; i < rows; i++)
            out[i] = a->truth[i] ^ 1;
        if (a->has)
            and_into(out, a->has, rows);
        return;
    }
    bool can_miss = a->has || b->has;
    if (can_miss)
        s->v.has = s->v.has_buffer;
    (n->kind == NODE_AND ? and_rows : or_rows)(a, b, out, can_miss ? s->v.has_buffer : NULL, rows);
}

static void compute_is_null(Slot *s, size_t rows)
{
    const uint8_t *has = s->arg[0].has;
    uint8_t *out = s->v.buffer;
    if (has)
        for (size_t i = 0; i < rows; i++)
            out[i] = !has[i];
    else
        memset(out, 0, rows);
    s->v.truth = out;
    s->v.has = NULL;
}

/* out[i] = from[i] where pick[i]. */
static void select_rows(Vector *out, const Vector *from, const uint8_t *pick, size_t rows)
{
    uint8_t *has = out->has_buffer;
    for (size_t i = 0; i < rows; i++)
        has[i] = pick[i] ? (from->has ? from->has[i] : 1) : has[i];
    switch (out->type) {
    case COLUMN_BOOL:
        for (size_t i = 0; i < rows; i++)
            VECTOR_OUT(uint8_t, out)[i] = pick[i] ? from->truth[i] : out->truth[i];
        break;
    case COLUMN_TEXT:
        for (size_t i = 0; i < rows; i++)
            if (pick[i])
                VECTOR_OUT(Span, out)[i] = from->span[i];
        break;
    default: /* eight bytes, whatever they mean */
        for (size_t i = 0; i < rows; i++)
            VECTOR_OUT(int64_t, out)[i] = pick[i] ? from->integer[i] : out->integer[i];
    }
}

static void select_begin(Vector *out, const Vector *from, size_t rows)
{
    out->real = out->buffer;
    memcpy(out->buffer, from->real, rows * type_size(out->type));
    if (from->has)
        memcpy(out->has_buffer, from->has, rows);
    else
        memset(out->has_buffer, 1, rows);
    out->has = out->has_buffer;
}

static void compute_case(Run *r, const Node *n, Slot *s, size_t rows)
{
    for (size_t i = 0; i < n->args; i++)
        write_out(&r->slot[n->arg[i]->slot], &s->arg[i], rows, r->block, r->arena);
    select_begin(&s->v, &s->arg[n->args - 1], rows);
    for (size_t i = n->args - 1; i >= 2; i -= 2) /* the first that holds wins, so it comes last */
        select_rows(&s->v, &s->arg[i - 1], s->arg[i - 2].truth, rows);
}

static void compute_coalesce(Run *r, const Node *n, Slot *s, size_t rows)
{
    for (size_t i = 0; i < n->args; i++)
        write_out(&r->slot[n->arg[i]->slot], &s->arg[i], rows, r->block, r->arena);
    select_begin(&s->v, &s->arg[0], rows);
    uint8_t *lacks = arena_alloc(r->arena, rows);
    for (size_t k = 1; k < n->args && memchr(s->v.has, 0, rows); k++) {
        for (size_t i = 0; i < rows; i++)
            lacks[i] = !s->v.has[i];
        select_rows(&s->v, &s->arg[k], lacks, rows);
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
        compute_logic(n, s, rows);
        break;
    case NODE_IS_NULL:
        compute_is_null(s, rows);
        break;
    case NODE_CASE:
        compute_case(r, n, s, rows);
        break;
    case NODE_COALESCE:
        compute_coalesce(r, n, s, rows);
        break;
    default:
        assert(!"a node that the check leaves behind");
    }
}

static void compute_block(Run *r, size_t from, size_t rows)
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
    Run r = {.expr = &e, .rows = 1, .block = 1, .arena = a};
    if (!prepare(&r, &(Chunk){.rows = 1}, NULL))
        return false;
    compute_block(&r, 0, 1);
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

/* ---- a whole chunk ------------------------------------------------------------------------------ */

/* Copies the root's results of a block to where the column's values go. */
static void store_block(const Vector *v, void *to, size_t from, size_t rows)
{
    size_t size = type_size(v->type);
    if (v->word)
        for (size_t i = 0; i < rows; i++)
            ((int32_t *)to)[from + i] = v->code[i];
    else if (v->type == COLUMN_DATE)
        for (size_t i = 0; i < rows; i++)
            ((int32_t *)to)[from + i] = (int32_t)v->integer[i];
    else if (v->real != (const void *)((char *)to + from * size))
        memcpy((char *)to + from * size, v->real, rows * size);
}

static bool finish_column(Run *r, void *values, const uint8_t *has, const Vector *root, Column *out,
                          Error *err)
{
    *out = (Column){.name = out->name, .type = root->type, .rows = r->rows};
    if (root->type == COLUMN_TEXT && root->word)
        return column_of_codes(values, root->word, root->words, has, r->rows, r->arena, out, err);
    if (root->type == COLUMN_TEXT)
        return column_of_spans(values, has, r->rows, r->arena, out, err);
    out->real = values;
    if (root->type == COLUMN_BOOL) {
        uint8_t *bits = arena_alloc(r->arena, r->rows / 8 + 8);
        bits_pack(values, r->rows, bits);
        out->bit = bits;
    }
    column_valid(has, r->rows, r->arena, out);
    return true;
}

static bool eval_rows(const Expr *e, const Chunk *in, Arena *a, Column *out, Error *err)
{
    Run r = {.expr = e,
             .rows = in->rows,
             .arena = a,
             .block = in->rows < BLOCK_ROWS ? in->rows + (in->rows == 0) : BLOCK_ROWS};
    if (!prepare(&r, in, err))
        return false;
    const char *name = out->name;
    Slot *root = &r.slot[e->root->slot];
    if (e->root->kind == NODE_COLUMN) {
        *out = *root->column;
        out->name = name;
        return true;
    }
    char *values = arena_alloc(a, (in->rows + 64) * type_size(e->root->type));
    uint8_t *has = NULL;
    bool direct = e->root->kind != NODE_CONSTANT && e->root->type != COLUMN_DATE;
    for (size_t from = 0; from < in->rows; from += r.block) {
        size_t rows = in->rows - from < r.block ? in->rows - from : r.block;
        if (direct)
            root->v.buffer = values + from * type_size(e->root->type);
        compute_block(&r, from, rows);
        store_block(&root->v, values, from, rows);
        if (root->v.has && !has) {
            has = arena_alloc(a, in->rows + 64);
            memset(has, 1, from);
        }
        if (has && root->v.has)
            memcpy(has + from, root->v.has, rows);
        else if (has)
            memset(has + from, 1, rows);
    }
    return finish_column(&r, values, has, &root->v, out, err);
}

/* ---- once per word ------------------------------------------------------------------------------ */

/* The column an expression is about, if it is one text column with few enough words that computing
 * every word once (and once without a value) is less work; else NULL. */
static const Column *word_column(const Expr *e, const Chunk *in)
{
    const Node *only = NULL;
    for (size_t i = 0; i < e->nodes; i++) {
        if (e->node[i]->kind != NODE_COLUMN)
            continue;
        if (only)
            return NULL;
        only = e->node[i];
    }
    if (!only || only == e->root || only->type != COLUMN_TEXT || only->field >= in->columns)
        return NULL;
    const Column *c = &in->column[only->field];
    bool few = c->type == COLUMN_TEXT && c->words && c->words->count * 2 + 2 <= in->rows;
    return few && strcmp(c->name, only->name) == 0 ? c : NULL;
}

/* A chunk of the column's words, each once, and a last row without a value. */
static void chunk_of_words(const Column *c, const Chunk *in, Arena *a, Chunk *out)
{
    size_t rows = c->words->count + 1;
    int32_t *code = ARENA_NEW(a, int32_t, rows);
    uint8_t *valid = arena_alloc(a, rows / 8 + 8);
    for (size_t w = 0; w + 1 < rows; w++) {
        code[w] = (int32_t)w;
        valid[w >> 3] |= (uint8_t)(1u << (w & 7));
    }
    Column *column = ARENA_NEW(a, Column, in->columns);
    memcpy(column, in->column, in->columns * sizeof *column);
    Column *words = &column[c - in->column];
    words->rows = rows;
    words->code = code;
    words->valid = valid;
    *out = (Chunk){.rows = rows, .columns = in->columns, .column = column};
}

/* For each row the row of chunk_of_words that has its result. */
static const int32_t *rows_of_words(const Column *c, Arena *a)
{
    if (!c->valid)
        return c->code;
    int32_t *row = ARENA_NEW(a, int32_t, c->rows + 1), missing = (int32_t)c->words->count;
    for (size_t i = 0; i < c->rows; i++)
        row[i] = bit_get(c->valid, i) ? c->code[i] : missing;
    return row;
}

static bool map_text(const Column *from, const int32_t *row, size_t rows, const uint8_t *has,
                     Arena *a, Column *out, Error *err)
{
    Span *span = ARENA_NEW(a, Span, from->rows + 1);
    for (size_t w = 0; w < from->rows; w++) {
        span[w] = (Span){"", 0};
        if (column_has(from, w))
            span[w].at = column_text(from, w, &span[w].size);
    }
    return column_of_codes(row, span, from->rows, has, rows, a, out, err);
}

/* out[i] = from[row[i]] */
static bool map_column(const Column *from, const int32_t *row, size_t rows, Arena *a, Column *out,
                       Error *err)
{
    uint8_t *has = NULL;
    if (from->valid) {
        uint8_t *by_word = arena_alloc(a, from->rows + 8);
        bits_unpack(from->valid, 0, from->rows, by_word);
        has = arena_alloc(a, rows + 8);
        for (size_t i = 0; i < rows; i++)
            has[i] = by_word[row[i]];
    }
    *out = (Column){.name = out->name, .type = from->type, .rows = rows};
    if (from->type == COLUMN_TEXT)
        return map_text(from, row, rows, has, a, out, err);
    void *values = arena_alloc(a, (rows + 8) * 8);
    if (from->type == COLUMN_BOOL) {
        uint8_t *truth = arena_alloc(a, rows + 8);
        for (size_t i = 0; i < rows; i++)
            truth[i] = bit_get(from->bit, (size_t)row[i]);
        bits_pack(truth, rows, values);
    } else if (from->type == COLUMN_DATE) {
        for (size_t i = 0; i < rows; i++)
            ((int32_t *)values)[i] = from->day[row[i]];
    } else {
        for (size_t i = 0; i < rows; i++)
            ((int64_t *)values)[i] = from->integer[row[i]];
    }
    out->real = values;
    column_valid(has, rows, a, out);
    return true;
}

bool expr_eval(const Expr *e, const Chunk *in, Arena *a, Column *out, Error *err)
{
    const Column *about = word_column(e, in);
    if (!about)
        return eval_rows(e, in, a, out, err);
    Chunk words;
    Column by_word = {.name = out->name};
    chunk_of_words(about, in, a, &words);
    return eval_rows(e, &words, a, &by_word, err) &&
           map_column(&by_word, rows_of_words(about, a), in->rows, a, out, err);
}

static bool filter_rows(const Expr *e, const Chunk *in, Arena *a, uint8_t *keep, Error *err)
{
    Run r = {.expr = e,
             .rows = in->rows,
             .arena = a,
             .block = in->rows < BLOCK_ROWS ? in->rows + (in->rows == 0) : BLOCK_ROWS};
    if (!prepare(&r, in, err))
        return false;
    Slot *root = &r.slot[e->root->slot];
    bool direct = e->root->kind != NODE_CONSTANT && e->root->kind != NODE_COLUMN;
    for (size_t from = 0; from < in->rows; from += r.block) {
        size_t rows = in->rows - from < r.block ? in->rows - from : r.block;
        if (direct)
            root->v.buffer = keep + from;
        compute_block(&r, from, rows);
        store_block(&root->v, keep, from, rows);
    }
    return true;
}

size_t expr_filter(const Expr *e, const Chunk *in, Arena *a, uint8_t *keep, Error *err)
{
    if (e->root->type != COLUMN_BOOL) {
        error_set(err, ERROR_USAGE, "a filter wants a condition (true or false)");
        return SIZE_MAX;
    }
    const Column *about = word_column(e, in);
    if (about) {
        Chunk words;
        chunk_of_words(about, in, a, &words);
        uint8_t *by_word = arena_alloc(a, words.rows + 8);
        if (!filter_rows(e, &words, a, by_word, err))
            return SIZE_MAX;
        const int32_t *row = rows_of_words(about, a);
        for (size_t i = 0; i < in->rows; i++)
            keep[i] = by_word[row[i]];
    } else if (!filter_rows(e, in, a, keep, err)) {
        return SIZE_MAX;
    }
    size_t count = 0;
    for (size_t i = 0; i < in->rows; i++)
        count += keep[i];
    return count;
}
