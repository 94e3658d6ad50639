/* upper.c -- text in capital letters, in some columns. */
#include "rewrite.h"

static bool bind(void *self, Shape *s)
{
    return rewrite_list_bind(self, "upper", COLUMN_TEXT, s);
}

const Rule upper_rule = {
    .kind = {"upper", "upper COLUMN, ...", "text in capital letters", "upper CITY"},
    .size = sizeof(RewriteList),
    .parse = rewrite_list_parse,
    .bind = bind,
    .apply = rewrite_list_apply,
};
