/* data_groups_ask.c -- groups by a job, and groups as conditions: the rows of a group are those for which an
 * expression is true. */
#include "data_groups_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct GroupsAsk {
    OpenDataset *data; /* held */
    Rows *rows;        /* held; NULL: all */
    GroupSpec spec;
} GroupsAsk;

typedef struct GroupsAnswer {
    Arena arena;
    Chunk chunk;
} GroupsAnswer;

static void release_ask(void *p)
{
    GroupsAsk *a = p;
    open_dataset_drop(a->data);
    rows_drop(a->rows);
    mem_free(a);
}

static void release_answer(void *p)
{
    GroupsAnswer *a = p;
    if (a)
        arena_release(&a->arena);
    mem_free(a);
}

static void *group(JobContext *c, void *input, Error *err)
{
    const GroupsAsk *a = input;
    GroupsAnswer *answer = mem_alloc(sizeof *answer);
    if (scan_group(a->data->data, &a->spec, a->rows ? &a->rows->set : NULL, GROUPS_MOST,
                   job_pool(c), job_progress(c), &answer->arena, &answer->chunk, err))
        return answer;
    release_answer(answer);
    return NULL;
}

static void grouped(void *owner, void *result, const Error *err, Ui *ui)
{
    DataState *s = owner;
    GroupsAnswer *a = result;
    if (a && s->groups) {
        bool across = s->groups->across;
        groups_take(s, &a->arena, &a->chunk);
        if (across && !s->groups->across)
            ui_say(ui, STYLE_WARN,
                   "too many values to stand side by side: they stay below each other");
    } else if (err->kind != ERROR_STOP) {
        ui_error(ui, err);
    }
    release_answer(a);
    ui_draw(ui);
}

void groups_ask(DataState *s, Ui *ui)
{
    if (data_rows_awaited(s))
        return; /* once all rows are known */
    s->groups->stale = false;
    GroupsAsk a = {.data = open_dataset_hold(s->data),
                   .rows = rows_hold(data_filtered(s) ? s->rows : NULL),
                   .spec = s->groups->spec};
    ui_job(ui, (Job){.owner = s,
                     .slot = DATA_GROUPS_SLOT,
                     .what = "grouping",
                     .run = group,
                     .input = mem_copy(&a, sizeof a),
                     .release_input = release_ask,
                     .release = release_answer,
                     .done = grouped,
                     .quiet = true});
}

/* ---- conditions --------------------------------------------------------------------------------------------------- */

static void add_number(ColumnType type, double v, Text *into)
{
    Text t = {0};
    if (type == COLUMN_TIME)
        time_format((int64_t)v, &t);
    else if (type == COLUMN_DATE)
        date_format((int32_t)v, &t);
    else
        text_add_real(&t, v);
    data_add_literal(type, text_str(&t), into);
    text_release(&t);
}

void data_add_range(const DataState *s, size_t column, double low, double high, Text *into)
{
    const Field *f = &s->data->schema.field[column];
    const ColumnProfile *p = data_profile_of(s, column);
    bool last = p && high >= p->most; /* the last one holds its upper edge */
    recipe_add_name(f->name, into);
    text_puts(into, " >= ");
    add_number(f->type, low, into);
    text_puts(into, " and ");
    recipe_add_name(f->name, into);
    text_puts(into, last ? " <= " : " < ");
    add_number(f->type, last ? p->most : high, into);
}

static void add_condition(const DataState *s, uint32_t at, size_t k, Text *into)
{
    const Groups *g = s->groups;
    const GroupKey *key = &g->spec.key[k];
    const Column *c = &g->chunk.column[k];
    const char *name = s->data->schema.field[key->column].name;
    if (!column_has(c, at)) {
        recipe_add_name(name, into);
        text_puts(into, " is null");
        return;
    }
    if (key->part == GROUP_BIN) {
        const ColumnProfile *p = data_profile_of(s, key->column);
        double low = column_real(c, at), width = p ? (p->most - p->least) / key->bins : 0;
        data_add_range(s, key->column, low, low + width, into);
        return;
    }
    if (key->part != GROUP_VALUE)
        text_printf(into, "%s(", group_part_name(key->part));
    recipe_add_name(name, into);
    if (key->part != GROUP_VALUE)
        text_puts(into, ")");
    Text value = {0};
    column_print(c, at, &value);
    text_puts(into, " = ");
    data_add_literal(c->type, text_str(&value), into);
    text_release(&value);
}

void groups_condition(const DataState *s, uint32_t at, size_t keys, Text *into)
{
    for (size_t k = 0; k < keys; k++) {
        text_puts(into, k ? " and " : "");
        add_condition(s, at, k, into);
    }
}

static void choose_one(const DataState *s, Text *into)
{
    const Groups *g = s->groups;
    size_t row = (size_t)g->table.at;
    uint32_t cell = groups_cell(g, row, g->table.col);
    bool one_cell = g->cross && g->column[g->table.col].kind == SHOW_ACROSS && cell != UINT32_MAX;
    groups_condition(s, one_cell ? cell : groups_first(g, row),
                     g->cross && !one_cell ? g->spec.keys - 1 : g->spec.keys, into);
}

/* Several values of one key: city in ("a", "b"). */
static bool choose_list(const DataState *s, Text *into)
{
    const Groups *g = s->groups;
    const Column *c = &g->chunk.column[0];
    if (g->spec.keys != 1 || g->spec.key[0].part != GROUP_VALUE)
        return false;
    for (size_t i = 0; i < g->rows; i++)
        if (g->mark[i] && !column_has(c, groups_first(g, i)))
            return false;
    recipe_add_name(s->data->schema.field[g->spec.key[0].column].name, into);
    for (size_t i = 0, n = 0; i < g->rows; i++)
        if (g->mark[i]) {
            Text value = {0};
            column_print(c, groups_first(g, i), &value);
            text_puts(into, n++ ? ", " : " in (");
            data_add_literal(c->type, text_str(&value), into);
            text_release(&value);
        }
    text_putc(into, ')');
    return true;
}

void groups_chosen(const DataState *s, Text *into)
{
    const Groups *g = s->groups;
    if (!g->marks) {
        choose_one(s, into);
        return;
    }
    if (choose_list(s, into))
        return;
    size_t keys = g->cross ? g->spec.keys - 1 : g->spec.keys, n = 0;
    for (size_t i = 0; i < g->rows; i++)
        if (g->mark[i]) {
            text_puts(into, n++ ? " or (" : "(");
            groups_condition(s, groups_first(g, i), keys, into);
            text_putc(into, ')');
        }
}
