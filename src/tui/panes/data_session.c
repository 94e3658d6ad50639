/* data_session.c -- what the workspace remembers of how a dataset was looked at: place, filter, sorting, columns.
 * One setting a dataset, a JSON object; columns by name, so nothing breaks when another program wrote it. */
#include "data_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void key_of(const DataState *s, char key[40])
{
    snprintf(key, 40, "data.view.%.12s", s->data->row.hash);
}

static const char *name_of(const DataState *s, size_t column)
{
    return s->data->schema.field[column].name;
}

static json_t *order_of(const DataState *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->shown; i++)
        json_array_append_new(list, json_string(name_of(s, s->order[i])));
    return list;
}

static json_t *sort_of(const DataState *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->want.keys; i++)
        json_array_append_new(
            list, json_pack("[s, b]", name_of(s, s->want.key[i].column), (int)s->want.key[i].down));
    return list;
}

static bool is_plain_order(const DataState *s)
{
    bool plain = s->shown == s->columns && !s->pinned;
    for (size_t i = 0; i < s->shown && plain; i++)
        plain = s->order[i] == i;
    return plain;
}

/* Rows and columns that are shown, without the place in them. */
static void add_choice(const DataState *s, json_t *o)
{
    if (*s->want.filter)
        json_object_set_new(o, "filter", json_string(s->want.filter));
    if (s->want.keys)
        json_object_set_new(o, "sort", sort_of(s));
    if (!is_plain_order(s)) {
        json_object_set_new(o, "order", order_of(s));
        json_object_set_new(o, "pinned", json_integer((json_int_t)s->pinned));
    }
}

void data_session_keep(const DataState *s, Ui *ui)
{
    char key[40];
    key_of(s, key);
    json_t *o = json_pack("{s:I, s:s}", "row", (json_int_t)s->table.at, "column",
                          s->columns ? name_of(s, s->focus) : "");
    add_choice(s, o);
    char *text = json_dumps(o, JSON_COMPACT);
    if (text)
        ui_set_setting(ui, key, text);
    free(text);
    json_decref(o);
}

/* ---- and back ------------------------------------------------------------------------------------------------- */

static void restore_order(DataState *s, const json_t *o)
{
    const json_t *list = json_object_get(o, "order"), *name;
    size_t i, n = 0;
    if (!json_is_array(list))
        return;
    bool *placed = mem_alloc(s->columns + 1);
    json_array_foreach(list, i, name)
    {
        const char *text = json_string_value(name);
        size_t column = text ? schema_find(&s->data->schema, text) : SIZE_MAX;
        if (column != SIZE_MAX && !placed[column]) {
            s->order[n++] = column;
            placed[column] = true;
        }
    }
    mem_free(placed);
    for (size_t k = 0; !n && k < s->columns; k++)
        s->order[k] = k;
    s->shown = n ? n : s->columns;
    json_int_t pinned = json_integer_value(json_object_get(o, "pinned"));
    s->pinned = pinned > 0 && (size_t)pinned <= s->shown ? (size_t)pinned : 0;
    data_head_make(s);
}

static void restore_sort(DataState *s, const json_t *o)
{
    const json_t *pair;
    size_t i;
    json_array_foreach(json_object_get(o, "sort"), i, pair)
    {
        const char *text = json_string_value(json_array_get(pair, 0));
        size_t column = text ? schema_find(&s->data->schema, text) : SIZE_MAX;
        if (column != SIZE_MAX && s->want.keys < SORT_MOST)
            s->want.key[s->want.keys++] =
                (SortKey){.column = column, .down = json_is_true(json_array_get(pair, 1))};
    }
}

static void restore_filter(DataState *s, const json_t *o)
{
    const char *filter = json_string_value(json_object_get(o, "filter"));
    Expr *e = NULL;
    Error err = {0};
    if (filter && data_expression(filter, &s->data->schema, &e, &err))
        snprintf(s->want.filter, sizeof s->want.filter, "%s", filter);
    expr_destroy(e);
}

void data_session_restore(DataState *s, Ui *ui)
{
    char key[40];
    key_of(s, key);
    const char *text = ui_setting(ui, key);
    json_t *o = text ? json_loads(text, 0, NULL) : NULL;
    if (!o)
        return;
    restore_order(s, o);
    restore_filter(s, o);
    restore_sort(s, o);
    const char *name = json_string_value(json_object_get(o, "column"));
    size_t column = name ? schema_find(&s->data->schema, name) : SIZE_MAX;
    data_focus(s, column == SIZE_MAX ? 0 : column);
    json_int_t row = json_integer_value(json_object_get(o, "row"));
    TableSource table = data_table_source(s);
    if (row > 0 && (uint64_t)row < table.rows)
        table_go(&s->table, &table, (uint64_t)row);
    s->go_to = row > 0 && (*s->want.filter || s->want.keys) ? (uint64_t)row : 0;
    json_decref(o);
    if (*s->want.filter || s->want.keys)
        data_rows_make(s, ui);
}

/* ---- for `u` -------------------------------------------------------------------------------------------------- */

#define MARKS_MOST 5000 /* of more only the expression that marked them is kept */

static void add_marks(const DataState *s, json_t *o)
{
    uint64_t bytes = s->marks.count ? (dataset_rows(s->data->data) + 7) / 8 : 0;
    json_t *list = json_array();
    if (s->marks.count > MARKS_MOST)
        json_object_set_new(o, "marked_by", json_string(s->marked_by));
    for (uint64_t i = 0; i < bytes && s->marks.count <= MARKS_MOST; i++)
        for (unsigned bit = 0; s->marks.bit[i] && bit < 8; bit++)
            if (s->marks.bit[i] & 1u << bit)
                json_array_append_new(list, json_integer((json_int_t)(i * 8 + bit)));
    json_object_set_new(o, "marks", list);
}

static void put_marks(DataState *s, const json_t *o, Ui *ui)
{
    const json_t *list = json_object_get(o, "marks"), *row;
    const char *by = json_string_value(json_object_get(o, "marked_by"));
    size_t i;
    marks_release(&s->marks);
    s->marked_by[0] = 0;
    json_array_foreach(list, i, row)
        marks_add(s, (uint64_t)json_integer_value(row), ui);
    if (by && *by)
        data_mark_rows(s, by, ui);
}

bool data_keep(const void *state, Text *into)
{
    const DataState *s = state;
    if (!s->data)
        return false;
    json_t *o = json_pack("{s:s}", "of", s->data->row.hash);
    add_choice(s, o);
    if (s->want.marked)
        json_object_set_new(o, "only", json_true());
    add_marks(s, o);
    char *text = json_dumps(o, JSON_COMPACT);
    text_puts(into, text ? text : "");
    free(text);
    json_decref(o);
    return true;
}

bool data_put(void *state, const char *kept, Ui *ui)
{
    DataState *s = state;
    json_t *o = json_loads(kept, 0, NULL);
    bool ours = s->data && text_equal(json_string_value(json_object_get(o, "of")), s->data->row.hash);
    if (ours) {
        size_t focus = s->focus;
        for (size_t k = 0; k < s->columns; k++)
            s->order[k] = k;
        s->shown = s->columns;
        s->pinned = 0;
        s->want = (Choice){.marked = json_is_true(json_object_get(o, "only"))};
        restore_order(s, o);
        data_head_make(s);
        data_focus(s, focus);
        restore_filter(s, o);
        restore_sort(s, o);
        put_marks(s, o, ui);
        data_rows_make(s, ui);
        data_session_keep(s, ui);
    }
    json_decref(o);
    return ours;
}
