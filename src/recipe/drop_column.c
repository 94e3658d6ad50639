/* drop_column.c -- leaves columns out. */
#include "recipe_int.h"

#include <string.h>

typedef struct DropColumn {
    NameList names;
} DropColumn;

static bool parse(Parser *p, void *self)
{
    DropColumn *d = self;
    return parser_names(p, &d->names);
}

static bool bind(void *self, Shape *s)
{
    DropColumn *d = self;
    if (!shape_need_all(s, &d->names))
        return false;
    if (d->names.count == s->count)
        return place_error(s->err, s->line, d->names.at[0].column, "no column would be left");
    s->reads.count = 0;                         /* what is left does not depend on what goes */
    for (size_t i = 0; i < d->names.count; i++) /* each place is as it stands when its turn comes */
        d->names.at[i].field = shape_find(s, d->names.at[i].name),
        shape_remove(s, d->names.at[i].field);
    return true;
}

static bool apply(const void *self, Frame *f, Error *err)
{
    const DropColumn *d = self;
    for (size_t i = 0; i < d->names.count; i++) {
        size_t at = d->names.at[i].field;
        f->columns--;
        memmove(f->column + at, f->column + at + 1, (f->columns - at) * sizeof *f->column);
    }
    (void)err;
    return true;
}

const Rule drop_column_rule = {
    .kind = {"drop column", "drop column COLUMN, ...", "leaves columns out",
             "drop column ID, NAME"},
    .size = sizeof(DropColumn),
    .parse = parse,
    .bind = bind,
    .apply = apply,
};
