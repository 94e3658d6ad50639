/* scorer.c -- rows of a request through the bundle; what it says is kept until the answer is made. Rows of a
 * model of series are the past of its groups and, without the target, what is known of the time to come. */
#include "serve_int.h"

bool scorer_forecasts(const Scorer *s)
{
    return features_time(bundle_features(s->bundle)) != NULL;
}

static bool add_past(Scorer *s, const Chunk *rows, Error *err)
{
    if (!s->ahead)
        s->ahead = forecaster_create(s->bundle, err);
    return s->ahead && forecaster_add(s->ahead, rows, 0, err);
}

bool scorer_add(Scorer *s, const Chunk *rows, Error *err)
{
    Prediction *p;
    if (scorer_forecasts(s))
        return add_past(s, rows, err);
    if (!rows->rows)
        return true;
    if (!bundle_score(s->bundle, rows, 0, &s->arena, &p, err))
        return false;
    for (size_t i = 0; i < rows->rows; i++)
        vec_add(&s->said, p[i]);
    return true;
}

bool scorer_end(Scorer *s, Error *err)
{
    return !s->ahead || forecaster_next(s->ahead, &s->arena, &s->row, &s->rows, err);
}

void scorer_reset(Scorer *s)
{
    forecaster_destroy(s->ahead);
    s->ahead = NULL;
    s->rows = 0;
    s->said.count = 0;
    arena_reset(&s->arena);
}
