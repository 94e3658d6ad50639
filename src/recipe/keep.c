/* keep.c -- keeps rows for which a condition is true. */
#include "condition.h"

static bool bind(void *self, Shape *s)
{
    return condition_bind(self, "keep", s);
}

static bool apply(const void *self, Frame *f, Error *err)
{
    return condition_apply(self, true, f, err);
}

const Rule keep_rule = {
    .kind = {"keep", "keep [where] EXPRESSION",
             "keeps the rows for which the condition is true; false and missing go",
             "keep FARE between 3 and 200"},
    .size = sizeof(Condition),
    .drops = true,
    .parse = condition_parse,
    .bind = bind,
    .apply = apply,
};
