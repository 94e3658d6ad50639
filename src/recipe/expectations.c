/* expectations.c -- what the `expect` rules of a recipe say of rows that come one batch after the other. */
#include "recipe_int.h"

bool plan_expect(const Plan *p, const Chunk *in, Arena *a, Expectation **out, size_t *n, Chunk *left,
                 Error *err)
{
    Frame f;
    bool no_target;
    *n = 0;
    *out = ARENA_NEW(a, Expectation, p->steps + 1);
    if (!p->fitted)
        return error_set(err, ERROR_USAGE,
                         "the recipe's statistics have not been computed: fit it first");
    if (!frame_begin(&f, p, in, a, &no_target, err))
        return false;
    for (size_t i = 0; i < p->steps; i++) {
        const Step *step = &p->step[i];
        if (!frame_step(&f, p, i, NULL, no_target, err))
            return false;
        if (step->rule->gate)
            (*out)[(*n)++] = (Expectation){.rule = step->index,
                                           .text = arena_text(a, step->text),
                                           .wanted = step->rule->gate(step->self),
                                           .judged = f.judged,
                                           .failed = f.failed};
    }
    frame_finish(&f, true, left);
    return true;
}
