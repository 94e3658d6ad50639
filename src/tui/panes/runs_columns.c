/* runs_columns.c -- which fields the table of runs shows as columns, in which order, which stay at the left;
 * kept with the workspace. */
#include "runs_int.h"

#include <stdio.h>
#include <string.h>

static const char normal[] = "run! name! family status epoch validation test delta took dataset tags note";

static const struct {
    const char *title;
    int width;
} heads[] = {
#define AS_ROW(id, name, title, width, number, help) {title, width},
    RUN_FACTS(AS_ROW)
#undef AS_ROW
};

const RunField *runs_column_field(const RunsState *s, size_t column)
{
    return column < s->column.count ? runs_field(s, s->column.at[column].name) : NULL;
}

/* ---- what is remembered ----------------------------------------------------------------------------- */

static void parse(RunsState *s, const char *text)
{
    s->column.count = s->pinned = 0;
    while (*text) {
        size_t n = strcspn(text, " ");
        bool pin = n && text[n - 1] == '!';
        ColumnName c = {0};
        snprintf(c.name, sizeof c.name, "%.*s", (int)(pin ? n - 1 : n), text);
        if (*c.name)
            vec_add(&s->column, c);
        s->pinned += pin && *c.name;
        text += n + strspn(text + n, " ");
    }
}

void runs_columns_text(const RunsState *s, Text *into)
{
    for (size_t i = 0; i < s->column.count; i++)
        text_printf(into, "%s%s%s", i ? " " : "", s->column.at[i].name, i < s->pinned ? "!" : "");
}

static void remember(RunsState *s)
{
    Text text = {0};
    runs_columns_text(s, &text);
    ui_set_setting(s->ui, "runs-columns", text_str(&text));
    text_release(&text);
}

void runs_columns_set(RunsState *s, const char *text)
{
    parse(s, text);
    remember(s);
}

/* ---- heads -------------------------------------------------------------------------------------------- */

static int width_of(const RunField *f, const char *name)
{
    int n = (int)strlen(name);
    return f && !f->number ? (n > 10 ? n : 10) : n > 8 ? (n < 18 ? n : 18) : 8;
}

static bool is_fact(const RunField *f, RunFact fact)
{
    return f && f->kind == FIELD_FACT && f->fact == fact;
}

static TableColumn head_of(const RunsState *s, size_t i)
{
    const char *name = s->column.at[i].name;
    const RunField *f = runs_field(s, name);
    TableColumn c = {.title = name, .name = name, .width = width_of(f, name)};
    if (f && f->kind == FIELD_FACT) {
        c.title = heads[f->fact].title;
        c.width = heads[f->fact].width;
    }
    if (f && f->number)
        c.align = ALIGN_RIGHT;
    if (s->grouped && f && f->number && !is_fact(f, RUN_FACT_RUN))
        c.width = c.width > 16 ? c.width : 16; /* mean and interval */
    if (f && strcmp(s->sort, f->name) == 0) {
        int title = (int)strlen(c.title) + 2;
        c.glyph = 1 + (s->down ? GLYPH_DOWN : GLYPH_UP);
        c.width = c.width > title ? c.width : title;
    }
    c.stretch = is_fact(f, RUN_FACT_NOTE);
    return c;
}

void runs_columns(RunsState *s)
{
    const char *known = ui_setting(s->ui, "runs-columns");
    if (!s->column.count || (known && !s->columns_known))
        parse(s, known && *known ? known : normal);
    s->columns_known = known != NULL;
    s->heads.count = 0;
    for (size_t i = 0; i < s->column.count; i++)
        vec_add(&s->heads, head_of(s, i));
    s->table.cells = true;
    s->table.frozen = s->pinned;
}

/* ---- changing them -------------------------------------------------------------------------------------- */

bool runs_column_add(RunsState *s, const char *name)
{
    const RunField *f = runs_field(s, name);
    if (!f)
        return false;
    for (size_t i = 0; i < s->column.count; i++)
        if (strcmp(s->column.at[i].name, f->name) == 0) {
            s->table.col = i;
            return true;
        }
    ColumnName c = {0};
    size_t at = s->table.col + 1 < s->column.count ? s->table.col + 1 : s->column.count;
    at = at < s->pinned ? s->pinned : at;
    snprintf(c.name, sizeof c.name, "%s", f->name);
    vec_add(&s->column, c);
    memmove(&s->column.at[at + 1], &s->column.at[at], (s->column.count - 1 - at) * sizeof c);
    s->column.at[at] = c;
    s->table.col = at;
    remember(s);
    return true;
}

void runs_column_hide(RunsState *s)
{
    size_t at = s->table.col;
    if (at >= s->column.count || s->column.count == 1)
        return;
    ui_say(s->ui, STYLE_INFO, "%s is hidden; C shows any column", s->column.at[at].name);
    memmove(&s->column.at[at], &s->column.at[at + 1], (s->column.count - at - 1) * sizeof *s->column.at);
    s->column.count--;
    s->pinned -= at < s->pinned;
    remember(s);
}

static void swap(RunsState *s, size_t a, size_t b)
{
    ColumnName c = s->column.at[a];
    s->column.at[a] = s->column.at[b];
    s->column.at[b] = c;
}

void runs_column_pin(RunsState *s)
{
    size_t at = s->table.col;
    if (at >= s->column.count)
        return;
    bool pin = at >= s->pinned;
    size_t to = pin ? s->pinned : s->pinned - 1;
    for (; at > to; at--)
        swap(s, at, at - 1);
    for (; at < to; at++)
        swap(s, at, at + 1);
    s->pinned = pin ? s->pinned + 1 : s->pinned - 1;
    s->table.col = to;
    ui_say(s->ui, STYLE_INFO, pin ? "%s stays at the left" : "%s moves with the others again",
           s->column.at[to].name);
    remember(s);
}

void runs_column_move(RunsState *s, int by)
{
    size_t at = s->table.col, to = at + (size_t)(int64_t)by;
    if ((by < 0 && at == 0) || to >= s->column.count || (at < s->pinned) != (to < s->pinned)) {
        ui_say(s->ui, STYLE_WARN, "it cannot go further that way; ! pins it or lets it go");
        return;
    }
    swap(s, at, to);
    s->table.col = to;
    remember(s);
}

static void picked(void *owner, size_t item, Ui *ui)
{
    RunsState *s = owner;
    if (item >= s->field.count)
        return;
    runs_column_add(s, s->field.at[item].name);
    ui_draw(ui);
}

/* Any fact, hyperparameter or metric; those that differ are the ones worth a column. */
void runs_column_choose(RunsState *s)
{
    static const char *const kinds[] = {"", "hyperparameter", "metric"};
    MenuItem *item = mem_alloc((s->field.count + 1) * sizeof *item);
    Arena a = {0};
    for (size_t i = 0; i < s->field.count; i++) {
        const RunField *f = &s->field.at[i];
        const char *about = f->kind == FIELD_FACT ? run_fact_help[f->fact] : kinds[f->kind];
        item[i] = (MenuItem){.label = f->name,
                             .note = arena_printf(&a, "%s%s", about, f->differs ? "" : ", the same in all"),
                             .style = f->differs ? STYLE_PLAIN : STYLE_DIM};
    }
    ui_menu(s->ui, "Show a column", item, s->field.count, 0, picked, s);
    arena_release(&a);
    mem_free(item);
}
