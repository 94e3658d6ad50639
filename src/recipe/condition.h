/* condition.h -- a rule that judges rows by a condition: what keep and drop share. */
#ifndef LATHE_RECIPE_CONDITION_H
#define LATHE_RECIPE_CONDITION_H

#include "recipe_int.h"

typedef struct Condition {
    Node *tree;
    Expr *expr;
} Condition;

bool condition_parse(Parser *p, void *self);
bool condition_bind(Condition *c, const char *rule, Shape *s);
/* Keeps the rows for which the condition is true (keep), or those for which it is not (!keep). */
bool condition_apply(const Condition *c, bool keep, Frame *f, Error *err);

#endif
