/* rewrite.c -- puts an expression's result into a column; shared by derive, clip, cast and others. */
#include "rewrite.h"

#include <string.h>

bool rewrite_bind(Rewrite *r, Node *tree, Shape *s)
{
    r->expr = expr_bind(tree, s);
    if (!r->expr)
        return false;
    r->field = shape_find(s, r->name.name);
    if (r->field == SIZE_MAX) {
        r->field = s->count;
        shape_add(s, r->name.name, r->expr->root->type, ROLE_FEATURE);
    } else {
        s->field[r->field].type = r->expr->root->type;
    }
    shape_write(s, r->name.name);
    return true;
}

bool rewrite_apply(const Rewrite *r, Frame *f, Error *err)
{
    Chunk chunk;
    Column made = {.name = r->name.name};
    frame_chunk(f, &chunk);
    if (!expr_eval(r->expr, &chunk, f->arena, &made, err))
        return false;
    f->column[r->field] = made;
    if (r->field == f->columns)
        f->columns++;
    return true;
}

bool rewrite_list_parse(Parser *p, void *self)
{
    RewriteList *r = self;
    if (!parser_names(p, &r->names))
        return false;
    r->each = ARENA_NEW(p->arena, Rewrite, r->names.count);
    return true;
}

bool rewrite_list_bind(RewriteList *r, const char *function, ColumnType wanted, Shape *s)
{
    if (!shape_need_all(s, &r->names))
        return false;
    for (size_t i = 0; i < r->names.count; i++) {
        const NameAt *name = &r->names.at[i];
        if (s->field[name->field].type != wanted)
            return place_error(s->err, s->line, name->column, "%.80s is %s, expected %s",
                               name->name, column_type_name(s->field[name->field].type),
                               column_type_name(wanted));
        r->each[i].name = *name;
        Node *column = node_column(s->arena, name->name, name->column);
        if (!rewrite_bind(&r->each[i], node_call(s->arena, function, column), s))
            return false;
    }
    return true;
}

bool rewrite_list_apply(const void *self, Frame *f, Error *err)
{
    const RewriteList *r = self;
    for (size_t i = 0; i < r->names.count; i++)
        if (!rewrite_apply(&r->each[i], f, err))
            return false;
    return true;
}
