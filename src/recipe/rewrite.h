/* rewrite.h -- rules that put an expression's result into a column, new or there already. */
#ifndef LATHE_RECIPE_REWRITE_H
#define LATHE_RECIPE_REWRITE_H

#include "recipe_int.h"

typedef struct Rewrite {
    NameAt name;
    size_t field; /* place of the column; the count of columns where it is new */
    Expr *expr;
} Rewrite;
bool rewrite_bind(Rewrite *r, Node *tree, Shape *s); /* role and place of a known column stay */
bool rewrite_apply(const Rewrite *r, Frame *f, Error *err);
const char *rewrite_onnx(const void *self, const OnnxAt *at); /* of rules that begin with a Rewrite; onnx.c */

/* One function over each of some columns: trim A, B. */
typedef struct RewriteList {
    NameList names;
    Rewrite *each; /* [names.count] */
} RewriteList;
bool rewrite_list_parse(Parser *p, void *self);
bool rewrite_list_bind(RewriteList *r, const char *function, ColumnType wanted, Shape *s);
bool rewrite_list_apply(const void *self, Frame *f, Error *err);

#endif
