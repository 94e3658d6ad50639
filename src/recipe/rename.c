/* rename.c -- gives columns other names; their roles stay. */
#include "recipe_int.h"

#include <string.h>

typedef struct Rename {
    size_t count;
    NameAt *from, *to;
} Rename;

static bool parse(Parser *p, void *self)
{
    Rename *r = self;
    VEC(NameAt) list = {0};
    bool ok;
    do {
        NameAt from = {0}, to = {0};
        ok = parser_name(p, &from);
        if (ok && !parser_take(p, "as"))
            ok = parser_need(p, "to");
        ok = ok && parser_name(p, &to);
        vec_add(&list, from);
        vec_add(&list, to);
    } while (ok && parser_take(p, ","));
    ok = ok && !p->failed;
    r->count = list.count / 2;
    r->from = ARENA_NEW(p->arena, NameAt, r->count);
    r->to = ARENA_NEW(p->arena, NameAt, r->count);
    for (size_t i = 0; i < r->count; i++) {
        r->from[i] = list.at[2 * i];
        r->to[i] = list.at[2 * i + 1];
    }
    vec_release(&list);
    return ok;
}

static bool bind(void *self, Shape *s)
{
    Rename *r = self;
    NameList from = {r->count, r->from};
    if (!shape_need_all(s, &from))
        return false;
    s->reads.count = 0; /* no value is looked at */
    for (size_t i = 0; i < r->count; i++)
        s->field[r->from[i].field].name = r->to[i].name;
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < s->count; j++)
            if (j != r->from[i].field && strcmp(s->field[j].name, r->to[i].name) == 0)
                return place_error(s->err, s->line, r->to[i].column,
                                   "there is a column %.80s already", r->to[i].name);
    return true;
}

static bool apply(const void *self, Frame *f, Error *err)
{
    const Rename *r = self;
    for (size_t i = 0; i < r->count; i++)
        f->column[r->from[i].field].name = r->to[i].name;
    (void)err;
    return true;
}

static const char *before(const void *self, const char *name)
{
    const Rename *r = self;
    for (size_t i = 0; i < r->count; i++)
        if (text_equal(r->to[i].name, name))
            return r->from[i].name;
    return name;
}

const Rule rename_rule = {
    .kind = {"rename", "rename COLUMN to NAME [, COLUMN to NAME ...]", "gives columns other names",
             "rename FARE to fare"},
    .size = sizeof(Rename),
    .parse = parse,
    .bind = bind,
    .apply = apply,
    .before = before,
};
