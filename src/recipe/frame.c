/* frame.c -- one chunk on its way through the rules of a plan. */
#include "recipe_int.h"

#include <math.h>
#include <string.h>

void frame_chunk(const Frame *f, Chunk *out)
{
    *out = (Chunk){.rows = f->rows,
                   .columns = f->columns,
                   .column = f->column,
                   .first = f->in->first,
                   .origin = f->in->origin};
}

static size_t keep_alive(uint8_t *restrict alive, const uint8_t *restrict keep, size_t n)
{
    size_t living = 0;
    for (size_t i = 0; i < n; i++) {
        alive[i] &= keep[i];
        living += alive[i];
    }
    return living;
}

void frame_drop(Frame *f, const uint8_t *keep)
{
    for (size_t i = 0; f->reason && i < f->rows; i++)
        if (f->alive[i] && !keep[i])
            f->reason[i] = (uint16_t)(f->rule + 1);
    f->living = keep_alive(f->alive, keep, f->rows);
}

const double *column_reals(const Column *c, Arena *a)
{
    if (c->type == COLUMN_REAL && !c->valid)
        return c->real;
    double *out = arena_raw(a, (c->rows + 1) * sizeof *out);
    switch (c->type) {
    case COLUMN_REAL:
        memcpy(out, c->real, c->rows * sizeof *out);
        break;
    case COLUMN_DATE:
        for (size_t i = 0; i < c->rows; i++)
            out[i] = c->day[i];
        break;
    case COLUMN_BOOL:
        for (size_t i = 0; i < c->rows; i++)
            out[i] = bit_get(c->bit, i);
        break;
    case COLUMN_TEXT:
        for (size_t i = 0; i < c->rows; i++)
            out[i] = (double)NAN;
        break;
    default:
        for (size_t i = 0; i < c->rows; i++)
            out[i] = (double)c->integer[i];
    }
    if (c->valid) {
        uint8_t *has = arena_alloc(a, c->rows + 8);
        bits_unpack(c->valid, 0, c->rows, has);
        for (size_t i = 0; i < c->rows; i++)
            out[i] = has[i] ? out[i] : (double)NAN;
    }
    return out;
}

/* The chunk's column for a field of the plan's schema, as the plan wants it. */
static bool take_column(const Field *field, size_t at, const Chunk *in, Arena *a, Column *out,
                        bool *no_target, Error *err)
{
    const Column *c = at < in->columns && strcmp(in->column[at].name, field->name) == 0
                          ? &in->column[at]
                          : chunk_find(in, field->name);
    *out = (Column){.name = field->name};
    if (!c) {
        if (field->role != ROLE_TARGET)
            return error_set(err, ERROR_SHAPE, "no column %.80s, which the recipe was made for",
                             field->name);
        *no_target = true;
        column_missing(field->type, in->rows, a, out);
        return true;
    }
    *out = *c;
    if (c->type == field->type)
        return true;
    if (field->type != COLUMN_REAL || c->type != COLUMN_INT)
        return error_set(err, ERROR_SHAPE, "column %.80s is %s here, the recipe was made for %s",
                         field->name, column_type_name(c->type), column_type_name(field->type));
    out->type = COLUMN_REAL;
    out->real = column_reals(c, a);
    return true;
}

bool frame_begin(Frame *f, const Plan *p, const Chunk *in, Arena *a, bool *no_target, Error *err)
{
    *f = (Frame){.rows = in->rows,
                 .columns = p->in.count,
                 .living = in->rows,
                 .arena = a,
                 .in = in,
                 .column = ARENA_NEW(a, Column, p->width),
                 .alive = arena_raw(a, in->rows + 8)};
    *no_target = false;
    memset(f->alive, 1, in->rows);
    for (size_t i = 0; i < p->in.count; i++)
        if (!take_column(&p->in.field[i], i, in, a, &f->column[i], no_target, err))
            return false;
    return true;
}

bool frame_step(Frame *f, const Plan *p, size_t at, PlanState *state, bool no_target, Error *err)
{
    const Step *step = &p->step[at];
    if (no_target && step->on_target && step->rule->drops)
        return true; /* nobody knows the target when a row is scored */
    f->rule = step->index;
    f->memory = state ? &state->memory[at] : NULL;
    f->failed = f->judged = 0;
    f->fails = NULL;
    return step->rule->apply(step->self, f, err) || error_in(err, "line %zu", step->line);
}
