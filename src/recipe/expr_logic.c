/* expr_logic.c -- the forms that look at what is missing: and, or, not, is null, case, coalesce. */
#include "eval_int.h"

#include <string.h>

static const uint8_t all_have[BLOCK_ROWS] = {[0 ... BLOCK_ROWS - 1] = 1};

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

void run_logic(const Node *n, Slot *s, size_t rows)
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
            bytes_and(out, a->has, rows);
        return;
    }
    bool can_miss = a->has || b->has;
    if (can_miss)
        s->v.has = s->v.has_buffer;
    (n->kind == NODE_AND ? and_rows : or_rows)(a, b, out, can_miss ? s->v.has_buffer : NULL, rows);
}

void run_is_null(Slot *s, size_t rows)
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

void run_case(Run *r, const Node *n, Slot *s, size_t rows)
{
    for (size_t i = 0; i < n->args; i++)
        run_spans(&r->slot[n->arg[i]->slot], &s->arg[i], rows, r->block, r->arena);
    select_begin(&s->v, &s->arg[n->args - 1], rows);
    for (size_t i = n->args - 1; i >= 2; i -= 2) /* the first that holds wins, so it comes last */
        select_rows(&s->v, &s->arg[i - 1], s->arg[i - 2].truth, rows);
}

void run_coalesce(Run *r, const Node *n, Slot *s, size_t rows)
{
    for (size_t i = 0; i < n->args; i++)
        run_spans(&r->slot[n->arg[i]->slot], &s->arg[i], rows, r->block, r->arena);
    select_begin(&s->v, &s->arg[0], rows);
    uint8_t *lacks = arena_alloc(r->arena, rows);
    for (size_t k = 1; k < n->args && memchr(s->v.has, 0, rows); k++) {
        for (size_t i = 0; i < rows; i++)
            lacks[i] = !s->v.has[i];
        select_rows(&s->v, &s->arg[k], lacks, rows);
    }
}
