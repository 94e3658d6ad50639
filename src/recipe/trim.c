/* trim.c -- blanks at both ends go, in some columns. */
#include "rewrite.h"

static bool bind(void *self, Shape *s)
{
    return rewrite_list_bind(self, "trim", COLUMN_TEXT, s);
}

const Rule trim_rule = {
    .kind = {"trim", "trim COLUMN, ...", "blanks at both ends go", "trim CITY"},
    .size = sizeof(RewriteList),
    .parse = rewrite_list_parse,
    .bind = bind,
    .apply = rewrite_list_apply,
};
