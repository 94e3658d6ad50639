/* check_int.h -- what the two files of the type check share: expr_check.c knows the forms of the
 * language, expr_types.c the types. */
#ifndef LATHE_RECIPE_CHECK_INT_H
#define LATHE_RECIPE_CHECK_INT_H

#include "recipe_int.h"

#define fail_at(s, n, ...) (place_error((s)->err, (s)->line, (n)->column, __VA_ARGS__), NULL)

bool type_is_moment(ColumnType t);
const char *type_phrase(ColumnType t);               /* "a number" */
const char *node_phrase(const Node *n, Arena *a);    /* "FARE is a number", "this is text" */
Node *node_made(const Node *like, NodeKind kind, ColumnType type, size_t args, Shape *s);
Node *node_folded(Node *n, Shape *s);                /* computed, if its arguments are constant */
/* n as a value of type `to`, where that needs no guessing; else the error. */
Node *node_coerce(Node *n, ColumnType to, Shape *s);
/* The type in which two values meet; false with the error when there is none. */
bool node_meet(const Node *a, const Node *b, ColumnType *out, Shape *s);
/* All of them to one type. */
bool node_unify(Node **arg, size_t args, ColumnType *type, Shape *s);

#endif
