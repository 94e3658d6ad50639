/* condition.c -- rows judged by a condition; shared by keep and drop. */
#include "condition.h"

bool condition_parse(Parser *p, void *self)
{
    Condition *c = self;
    parser_take(p, "where");
    c->tree = expr_parse_tree(p);
    return c->tree != NULL;
}

bool condition_bind(Condition *c, const char *rule, Shape *s)
{
    return expr_bind_bool(c->tree, s, rule, &c->expr);
}

bool condition_apply(const Condition *c, bool keep, Frame *f, Error *err)
{
    Chunk chunk;
    uint8_t *kept = arena_alloc(f->arena, f->rows + 8);
    frame_chunk(f, &chunk);
    if (expr_filter(c->expr, &chunk, f->arena, kept, err) == SIZE_MAX)
        return false;
    for (size_t i = 0; i < f->rows && !keep; i++)
        kept[i] = !kept[i];
    frame_drop(f, kept);
    return true;
}
