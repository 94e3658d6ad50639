/* eval_int.h -- an expression at work on one chunk: between expr_eval.c, which computes blocks, and
 * expr_chunk.c, which makes columns of them. */
#ifndef LATHE_RECIPE_EVAL_INT_H
#define LATHE_RECIPE_EVAL_INT_H

#include "recipe_int.h"

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

/* Bytes may alias anything in C; these loops say that theirs do not. */
static inline void bytes_and(uint8_t *restrict out, const uint8_t *restrict with, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] &= with[i];
}

bool run_begin(Run *r, const Expr *e, const Chunk *in, Arena *a, Error *err);
/* Results are in the slots until the next block. */
void run_block(Run *r, size_t from, size_t rows);
/* v is the vector of the node in slot s, or a copy of it: its text is written out as spans */
void run_spans(Slot *s, Vector *v, size_t n, size_t block, Arena *a);
void run_logic(const Node *n, Slot *s, size_t rows); /* AND, OR, NOT */
void run_is_null(Slot *s, size_t rows);
void run_case(Run *r, const Node *n, Slot *s, size_t rows);
void run_coalesce(Run *r, const Node *n, Slot *s, size_t rows);

#endif
