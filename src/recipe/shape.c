/* shape.c -- the columns a recipe has at one of its rules, while it is bound. */
#include "recipe_int.h"

#include <string.h>
#include <strings.h>

size_t shape_find(const Shape *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->field[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static const char *nearest_column(const Shape *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcasecmp(s->field[i].name, name) == 0)
            return s->field[i].name;
    size_t n = strlen(name); /* `hours` of hours-per-week, written without backticks */
    for (size_t i = 0; i < s->count; i++)
        if (strncmp(s->field[i].name, name, n) == 0 && !name_is_plain(s->field[i].name))
            return s->field[i].name;
    const char **names = ARENA_NEW(s->arena, const char *, s->count + 1);
    for (size_t i = 0; i < s->count; i++)
        names[i] = s->field[i].name;
    const char *near = text_nearest(name, names, s->count);
    for (size_t i = 0; !near && n >= 3 && i < s->count; i++) /* FARE of FAREAMOUNT */
        if (strncasecmp(s->field[i].name, name, n) == 0)
            near = s->field[i].name;
    return near;
}

size_t shape_need(Shape *s, const NameAt *name)
{
    size_t field = shape_find(s, name->name);
    if (field != SIZE_MAX)
        return field;
    const char *near = nearest_column(s, name->name);
    if (near) {
        Text written = {0};
        recipe_add_name(near, &written);
        place_error(s->err, s->line, name->column, "no column %.80s, did you mean %.80s?",
                    name->name, text_str(&written));
        text_release(&written);
    }
    if (!near)
        place_error(s->err, s->line, name->column, "no column %.80s", name->name);
    return SIZE_MAX;
}

bool shape_need_all(Shape *s, NameList *names)
{
    for (size_t i = 0; i < names->count; i++) {
        names->at[i].field = shape_need(s, &names->at[i]);
        if (names->at[i].field == SIZE_MAX)
            return false;
        for (size_t j = 0; j < i; j++)
            if (names->at[j].field == names->at[i].field)
                return place_error(s->err, s->line, names->at[i].column, "%.80s is named twice",
                                   names->at[i].name);
        shape_read(s, names->at[i].field);
    }
    return true;
}

void shape_read(Shape *s, size_t field)
{
    for (size_t i = 0; i < s->reads.count; i++)
        if (s->reads.at[i] == field)
            return;
    vec_add(&s->reads, field);
}

void shape_write(Shape *s, const char *name)
{
    vec_add(&s->writes, name);
}

void shape_add(Shape *s, const char *name, ColumnType type, Role role)
{
    if (s->count == s->room) {
        size_t room = s->room ? s->room * 2 : 32;
        ShapeField *wider = ARENA_NEW(s->arena, ShapeField, room);
        if (s->count > 0)
            memcpy(wider, s->field, s->count * sizeof *wider);
        s->field = wider;
        s->room = room;
    }
    s->field[s->count++] = (ShapeField){name, type, role, role == ROLE_TARGET, false};
}

void shape_remove(Shape *s, size_t field)
{
    s->count--;
    memmove(s->field + field, s->field + field + 1, (s->count - field) * sizeof *s->field);
}
