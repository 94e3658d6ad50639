/* drop_missing.c -- drops rows that lack a value in one of some columns, or in any. */
#include "recipe_int.h"

#include <string.h>

typedef struct DropMissing {
    NameList names; /* empty: every column */
} DropMissing;

static bool parse(Parser *p, void *self)
{
    DropMissing *d = self;
    return p->now.kind == TOKEN_END || parser_names(p, &d->names);
}

static bool bind(void *self, Shape *s)
{
    DropMissing *d = self;
    for (size_t i = 0; d->names.count == 0 && i < s->count; i++)
        shape_read(s, i);
    return shape_need_all(s, &d->names);
}

static bool apply(const void *self, Frame *f, Error *err)
{
    const DropMissing *d = self;
    size_t count = d->names.count > 0 ? d->names.count : f->columns;
    uint8_t *keep = arena_alloc(f->arena, 2 * (f->rows + 8)), *has = keep + f->rows + 8;
    memset(keep, 1, f->rows);
    for (size_t k = 0; k < count; k++) {
        const Column *c = &f->column[d->names.count > 0 ? d->names.at[k].field : k];
        if (!c->valid)
            continue;
        bits_unpack(c->valid, 0, f->rows, has);
        uint8_t *restrict to = keep;
        for (size_t i = 0; i < f->rows; i++)
            to[i] &= has[i];
    }
    frame_drop(f, keep);
    (void)err;
    return true;
}

const Rule drop_missing_rule = {
    .kind = {"drop missing", "drop missing [COLUMN, ...]",
             "drops rows without a value in one of the columns (no column named: in any)",
             "drop missing FARE, MILES"},
    .size = sizeof(DropMissing),
    .drops = true,
    .parse = parse,
    .bind = bind,
    .apply = apply,
};
