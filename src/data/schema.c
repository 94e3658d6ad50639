/* schema.c -- the names, types and roles of a table's columns. */
#include "data_int.h"

void schema_add(Schema *s, const char *name, ColumnType type, Role role)
{
    if ((s->count & (s->count - 1)) == 0) { /* at powers of two the array doubles */
        Field *field = ARENA_NEW(&s->arena, Field, s->count ? 2 * s->count : 1);
        if (s->count)
            memcpy(field, s->field, s->count * sizeof *field);
        s->field = field;
    }
    s->field[s->count++] = (Field){arena_text(&s->arena, name), type, role, true, false};
}

size_t schema_find(const Schema *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->field[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

size_t schema_need(const Schema *s, const char *name, Error *err)
{
    size_t found = schema_find(s, name);
    if (found != SIZE_MAX)
        return found;
    const char **names = mem_alloc((s->count + 1) * sizeof *names);
    for (size_t i = 0; i < s->count; i++)
        names[i] = s->field[i].name;
    const char *near = text_nearest(name, names, s->count);
    if (near)
        error_set(err, ERROR_USAGE, "no column %s, did you mean %s?", name, near);
    else
        error_set(err, ERROR_USAGE, "no column %s", name);
    mem_free(names);
    return SIZE_MAX;
}

void schema_copy(Schema *into, const Schema *from)
{
    Schema copy = {0};
    for (size_t i = 0; i < from->count; i++) {
        schema_add(&copy, from->field[i].name, from->field[i].type, from->field[i].role);
        copy.field[i].nullable = from->field[i].nullable;
        copy.field[i].private = from->field[i].private;
    }
    *into = copy;
}

void schema_release(Schema *s)
{
    arena_release(&s->arena);
    *s = (Schema){0};
}

/* ---- JSON: [{"name": "FARE", "type": "float64", "role": "target", "nullable": true}, ...] ------ */

json_t *schema_to_json(const Schema *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->count; i++) {
        const Field *f = &s->field[i];
        json_t *row = json_object();
        json_object_set_new(row, "name", json_string(f->name));
        json_object_set_new(row, "type", json_string(column_type_name(f->type)));
        json_object_set_new(row, "role", json_string(role_name(f->role)));
        json_object_set_new(row, "nullable", json_boolean(f->nullable));
        if (f->private) /* said only where it is so: names of datasets and models stay */
            json_object_set_new(row, "private", json_true());
        json_array_append_new(list, row);
    }
    return list;
}

static bool field_from_json(Schema *into, size_t i, const json_t *row, Error *err)
{
    const char *name = json_string_value(json_object_get(row, "name"));
    const char *type = json_string_value(json_object_get(row, "type"));
    const char *role = json_string_value(json_object_get(row, "role"));
    const json_t *nullable = json_object_get(row, "nullable");
    ColumnType t;
    Role r = ROLE_FEATURE;
    if (!name || !type)
        return error_set(err, ERROR_PARSE, "schema: column %zu has no name or no type", i + 1);
    if (!column_type_parse(type, &t))
        return error_set(err, ERROR_PARSE, "schema: column %s: unknown type '%s'", name, type);
    if (role && !role_parse(role, &r))
        return error_set(err, ERROR_PARSE, "schema: column %s: unknown role '%s'", name, role);
    schema_add(into, name, t, r);
    into->field[i].nullable = !nullable || json_is_true(nullable);
    into->field[i].private = json_is_true(json_object_get(row, "private"));
    return true;
}

bool schema_from_json(Schema *into, const json_t *from, Error *err)
{
    Schema made = {0};
    if (!json_is_array(from))
        return error_set(err, ERROR_PARSE, "schema: expected a JSON array of columns");
    for (size_t i = 0; i < json_array_size(from); i++)
        if (!field_from_json(&made, i, json_array_get(from, i), err)) {
            schema_release(&made);
            return false;
        }
    *into = made;
    return true;
}
