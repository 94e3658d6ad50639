/* plan.c -- a recipe bound to the columns of a table, and applied to chunks of it. */
#include "recipe_int.h"

#include <string.h>

/* ---- binding ------------------------------------------------------------------------------- */

static void step_keep_shape(Step *step, const Shape *s)
{
    step->fields = s->count;
    step->field = ARENA_NEW(s->arena, ShapeField, s->count + 1);
    memcpy(step->field, s->field, s->count * sizeof *s->field);
}

static void step_keep_reach(Step *step, const Shape *s)
{
    size_t *read = ARENA_NEW(s->arena, size_t, s->reads.count + 1);
    const char **write = ARENA_NEW(s->arena, const char *, s->writes.count + 1);
    bool private = false;
    for (size_t i = 0; i < s->reads.count; i++) {
        read[i] = s->reads.at[i];
        step->on_target |= step->field[read[i]].on_target;
        private |= step->field[read[i]].private;
    }
    for (size_t i = 0; i < s->writes.count; i++) {
        write[i] = s->writes.at[i];
        size_t field = shape_find(s, write[i]);
        if (field == SIZE_MAX)
            continue;
        s->field[field].on_target = step->on_target || s->field[field].role == ROLE_TARGET;
        s->field[field].private |= private; /* what is computed from it may tell it */
    }
    step->read = read;
    step->reads = s->reads.count;
    step->write = write;
    step->writes = s->writes.count;
}

static bool bind_step(Plan *p, Step *step, const Recipe *r, size_t at, Shape *s, Error *err)
{
    Parser parser;
    *step = (Step){
        .line = recipe_line(r, at), .index = at, .text = arena_text(&p->arena, recipe_rule(r, at))};
    s->line = step->line;
    s->reads.count = s->writes.count = 0;
    step_keep_shape(step, s);
    parser_begin(&parser, step->text, step->line, &p->arena, err);
    step->rule = rule_parse(&parser, &step->self);
    if (!step->rule || !step->rule->bind(step->self, s))
        return false;
    step_keep_reach(step, s);
    if (s->count > p->width)
        p->width = s->count;
    return true;
}

static bool bind_steps(Plan *p, const Recipe *r, size_t rules, Shape *s, Error *err)
{
    p->step = ARENA_NEW(&p->arena, Step, rules + 1);
    p->width = s->count;
    for (size_t i = 0; i < rules; i++)
        if (recipe_is_on(r, i) && !bind_step(p, &p->step[p->steps++], r, i, s, err))
            return false;
    return true;
}

Plan *plan_create_until(const Recipe *r, size_t rules, const Schema *in, Error *err)
{
    Plan *p = mem_alloc(sizeof *p);
    Text text = {0};
    Error local = {0};
    recipe_print(r, &text);
    p->text = arena_text(&p->arena, text_str(&text));
    p->rules = recipe_count(r);
    text_release(&text);
    schema_copy(&p->in, in);
    Shape s = {.arena = &p->arena, .err = &local};
    for (size_t i = 0; i < in->count; i++) {
        shape_add(&s, p->in.field[i].name, in->field[i].type, in->field[i].role);
        s.field[i].private = in->field[i].private;
    }
    bool ok = bind_steps(p, r, rules, &s, &local);
    for (size_t i = 0; ok && i < s.count; i++) {
        schema_add(&p->out, s.field[i].name, s.field[i].type, s.field[i].role);
        p->out.field[i].private = s.field[i].private;
    }
    vec_release(&s.reads);
    vec_release(&s.writes);
    plan_note_fitted(p);
    if (ok)
        return p;
    error_set(err, local.kind, "%s", local.text);
    plan_destroy(p);
    return NULL;
}

Plan *plan_create(const Recipe *r, const Schema *in, Error *err)
{
    return plan_create_until(r, recipe_count(r), in, err);
}

void plan_destroy(Plan *p)
{
    if (!p)
        return;
    schema_release(&p->in);
    schema_release(&p->out);
    arena_release(&p->arena);
    mem_free(p);
}

const Schema *plan_schema(const Plan *p)
{
    return &p->out;
}

bool plan_writes(const Plan *p, const char *column)
{
    for (size_t i = 0; i < p->steps; i++)
        for (size_t k = 0; k < p->step[i].writes; k++)
            if (text_equal(p->step[i].write[k], column))
                return true;
    return false;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

json_t *plan_to_json(const Plan *p)
{
    return json_pack("{s:s, s:o}", "recipe", p->text, "fitted", fit_to_json(p));
}

Plan *plan_from_json(const json_t *from, const Schema *in, Error *err)
{
    const char *text = json_string_value(json_object_get(from, "recipe"));
    if (!text) {
        error_set(err, ERROR_PARSE, "recipe: expected a text");
        return NULL;
    }
    Recipe *r = recipe_create();
    Plan *p = recipe_parse(r, text, err) ? plan_create(r, in, err) : NULL;
    if (p && !fit_from_json(p, json_object_get(from, "fitted"), err)) {
        plan_destroy(p);
        p = NULL;
    }
    if (!p)
        error_in(err, "recipe");
    recipe_destroy(r);
    return p;
}

/* ---- applying ------------------------------------------------------------------------------ */

bool plan_is_ordered(const Plan *p)
{
    for (size_t i = 0; i < p->steps; i++)
        if (p->step[i].rule->ordered)
            return true;
    return false;
}

PlanState *plan_state_create(const Plan *p)
{
    PlanState *s = mem_alloc(sizeof *s);
    s->count = p->steps;
    s->memory = mem_alloc((p->steps + 1) * sizeof *s->memory);
    return s;
}

void plan_state_destroy(PlanState *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        memory_release(&s->memory[i]);
    mem_free(s->memory);
    mem_free(s);
}

bool plan_apply_traced(const Plan *p, PlanState *state, const Chunk *in, Arena *a, Chunk *out,
                       uint16_t *reason, Error *err)
{
    Frame f;
    bool no_target;
    if (!p->fitted)
        return error_set(err, ERROR_USAGE,
                         "the recipe's statistics have not been computed: fit it first");
    if (!frame_begin(&f, p, in, a, &no_target, err))
        return false;
    f.reason = reason;
    if (reason)
        memset(reason, 0, in->rows * sizeof *reason);
    for (size_t i = 0; i < p->steps; i++)
        if (!frame_step(&f, p, i, state, no_target, err))
            return false;
    frame_finish(&f, true, out);
    return true;
}

bool plan_apply(const Plan *p, PlanState *state, const Chunk *in, Arena *a, Chunk *out, Error *err)
{
    return plan_apply_traced(p, state, in, a, out, NULL, err);
}
