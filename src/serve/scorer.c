/* scorer.c -- rows of a request through bundle_score; what it says is kept until the answer is made. */
#include "serve_int.h"

bool scorer_add(Scorer *s, const Chunk *rows, Error *err)
{
    Prediction *p;
    if (!rows->rows)
        return true;
    if (!bundle_score(s->bundle, rows, 0, &s->arena, &p, err))
        return false;
    for (size_t i = 0; i < rows->rows; i++)
        vec_add(&s->said, p[i]);
    return true;
}

void scorer_reset(Scorer *s)
{
    s->said.count = 0;
    arena_reset(&s->arena);
}
