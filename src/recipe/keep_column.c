/* keep_column.c -- leaves out all columns but some, in the order in which they are named. */
#include "recipe_int.h"

#include <string.h>

typedef struct KeepColumn {
    NameList names;
} KeepColumn;

static bool parse(Parser *p, void *self)
{
    KeepColumn *k = self;
    return parser_names(p, &k->names);
}

static bool bind(void *self, Shape *s)
{
    KeepColumn *k = self;
    if (!shape_need_all(s, &k->names))
        return false;
    s->reads.count = 0;
    ShapeField *kept = ARENA_NEW(s->arena, ShapeField, k->names.count);
    for (size_t i = 0; i < k->names.count; i++)
        kept[i] = s->field[k->names.at[i].field];
    memcpy(s->field, kept, k->names.count * sizeof *kept);
    s->count = k->names.count;
    return true;
}

static bool apply(const void *self, Frame *f, Error *err)
{
    const KeepColumn *k = self;
    Column *kept = ARENA_NEW(f->arena, Column, k->names.count);
    for (size_t i = 0; i < k->names.count; i++)
        kept[i] = f->column[k->names.at[i].field];
    memcpy(f->column, kept, k->names.count * sizeof *kept);
    f->columns = k->names.count;
    (void)err;
    return true;
}

const Rule keep_column_rule = {
    .kind = {"keep column", "keep column COLUMN, ...",
             "leaves out all other columns; they come in the order named",
             "keep column FARE, MILES"},
    .size = sizeof(KeepColumn),
    .parse = parse,
    .bind = bind,
    .apply = apply,
};
