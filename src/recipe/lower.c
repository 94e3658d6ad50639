/* lower.c -- text in small letters, in some columns. */
#include "rewrite.h"

static bool bind(void *self, Shape *s)
{
    return rewrite_list_bind(self, "lower", COLUMN_TEXT, s);
}

const Rule lower_rule = {
    .kind = {"lower", "lower COLUMN, ...", "text in small letters", "lower CITY"},
    .size = sizeof(RewriteList),
    .parse = rewrite_list_parse,
    .bind = bind,
    .apply = rewrite_list_apply,
};
