/* drop.c -- drops rows for which a condition is true. */
#include "condition.h"

static bool bind(void *self, Shape *s)
{
    return condition_bind(self, "drop", s);
}

static bool apply(const void *self, Frame *f, Error *err)
{
    return condition_apply(self, false, f, err);
}

const Rule drop_rule = {
    .kind = {"drop", "drop [where] EXPRESSION",
             "drops the rows for which the condition is true; false and missing stay",
             "drop FARE <= 0 or MILES is null"},
    .size = sizeof(Condition),
    .drops = true,
    .parse = condition_parse,
    .bind = bind,
    .apply = apply,
};
