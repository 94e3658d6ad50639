/* scorer.c -- rows of a request through the bundle; what it says is kept until the answer is made, and what is to
 * be logged of the rows as text. Rows of a model of series are the past of its groups and, without the target, what
 * is known of the time to come. */
#include "serve_int.h"

#include <math.h>

static void note_values(Scorer *s, const Chunk *rows, size_t row)
{
    size_t next = 0;
    for (size_t k = 0; k < s->numbers; k++) {
        const Column *c = chunk_find_next(rows, s->intake->name[s->number[k]], &next);
        vec_add(&s->value, c && column_has(c, row) ? column_real(c, row) : (double)NAN);
    }
}

static void note_rows(Scorer *s, const Chunk *rows, size_t before)
{
    for (size_t i = 0; i < rows->rows; i++) {
        if (s->sample < 1 && rng_unit(&s->rng) >= s->sample)
            continue;
        vec_add(&s->note, (Note){.row = before + i, .at = s->inputs.count});
        note_inputs(s->intake, s->masked, rows, i, &s->inputs);
        text_add(&s->inputs, "", 1); /* each ends with its zero */
        note_values(s, rows, i);
    }
}

bool scorer_forecasts(const Scorer *s)
{
    return features_time(bundle_features(s->bundle)) != NULL;
}

bool scorer_add(Scorer *s, const Chunk *rows, Error *err)
{
    Prediction *p;
    if (scorer_forecasts(s))
        return ahead_add(s, rows, err);
    if (!rows->rows)
        return true;
    if (!bundle_score(s->bundle, rows, 0, &s->arena, &p, err))
        return false;
    size_t before = s->said.count;
    for (size_t i = 0; i < rows->rows; i++)
        vec_add(&s->said, p[i]);
    if (s->sample > 0)
        note_rows(s, rows, before);
    return true;
}

bool scorer_end(Scorer *s, Error *err)
{
    return !s->ahead || ahead_end(s, err);
}

void scorer_reset(Scorer *s)
{
    forecaster_destroy(s->ahead);
    s->ahead = NULL;
    s->rows = 0;
    text_reset(&s->past);
    s->past_at.count = 0;
    s->said.count = 0;
    s->note.count = 0;
    s->value.count = 0;
    s->sample = 0;
    text_reset(&s->inputs);
    arena_reset(&s->arena);
}

void scorer_release(Scorer *s)
{
    bundle_close(s->bundle);
    arena_release(&s->arena);
    vec_release(&s->said);
    vec_release(&s->note);
    vec_release(&s->value);
    text_release(&s->inputs);
    text_release(&s->past);
    vec_release(&s->past_at);
}
