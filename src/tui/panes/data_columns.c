/* data_columns.c -- which columns the table shows, in which order, how wide: hiding, pinning, moving; roles and
 * types. */
#include "data_int.h"

#include <stdio.h>
#include <string.h>

#define WIDEST   30
#define DECIMALS 6   /* after the point, on screen */
#define SAMPLE   200 /* rows looked at for the widths */

/* ---- widths, once a dataset ------------------------------------------------------------------------------ */

static int decimals_of(const char *text)
{
    const char *point = strchr(text, '.');
    if (!point || strpbrk(text, "eE"))
        return 0;
    return (int)strlen(point + 1);
}

static void measure(DataColumn *c, const Column *column, size_t rows)
{
    int whole = 0, widest = 0;
    for (size_t row = 0; row < rows; row++) {
        if (!column_has(column, row))
            continue;
        Text text = {0};
        column_print(column, row, &text);
        int w = (int)utf8_width(text_str(&text), text.count < 400 ? text.count : 400);
        if (column->type == COLUMN_REAL) {
            int d = decimals_of(text_str(&text));
            w -= d ? d + 1 : 0;
            d = d > DECIMALS ? DECIMALS : d;
            c->decimals = d > c->decimals ? d : c->decimals;
            whole = w > whole ? w : whole;
        } else {
            widest = w > widest ? w : widest;
        }
        text_release(&text);
    }
    if (column->type == COLUMN_REAL)
        widest = whole + (c->decimals ? c->decimals + 1 : 0);
    c->width = widest;
}

/* Rows beyond the sample may be wider: the profile knows the extremes. */
static void widen_by_profile(DataColumn *c, const ColumnProfile *p)
{
    if (!p || !p->numeric || (p->type != COLUMN_INT && p->type != COLUMN_REAL))
        return;
    char text[64];
    int least = snprintf(text, sizeof text, "%.0f", p->least),
        most = snprintf(text, sizeof text, "%.0f", p->most);
    int whole = least > most ? least : most, tail = c->decimals ? c->decimals + 1 : 0;
    if (whole < 16 && whole + tail > c->width)
        c->width = whole + tail;
}

/* Wide enough for its title (up to a point), its role's mark and its values. */
static int fitted(const DataColumn *c, bool marked)
{
    int title = (int)utf8_width(c->title, strlen(c->title)) + (marked ? 2 : 0);
    int limit = title > WIDEST ? title : WIDEST;
    title = title > 24 ? 24 : title;
    return c->width > limit ? limit : c->width < title ? title : c->width;
}

/* ---- order --------------------------------------------------------------------------------------------------- */

void data_head_make(DataState *s)
{
    for (size_t i = 0; i < s->shown; i++) {
        const Field *f = &s->data->schema.field[s->order[i]];
        const DataColumn *c = &s->column[s->order[i]];
        bool marked = f->role != ROLE_FEATURE,
             right = f->type == COLUMN_INT || f->type == COLUMN_REAL;
        s->head[i] = (TableColumn){.title = c->title,
                                   .width = fitted(c, marked),
                                   .glyph = marked ? role_mark(f->role) : 0,
                                   .align = right ? ALIGN_RIGHT : ALIGN_LEFT,
                                   .header = role_style(f->role)};
    }
    s->table.frozen = s->pinned;
}

void data_columns_release(DataState *s)
{
    data_described_drop(s);
    mem_free(s->column);
    mem_free(s->head);
    mem_free(s->order);
    mem_free(s->describe_order);
    s->column = NULL;
    s->head = NULL;
    s->order = s->describe_order = NULL;
    s->columns = s->shown = s->pinned = 0;
    s->describe_key = SIZE_MAX;
    if (s->cache) {
        arena_release(&s->cache->arena);
        *s->cache = (ChunkCache){0};
    }
}

void data_columns_make(DataState *s)
{
    data_columns_release(s);
    if (!s->data)
        return;
    const Schema *schema = &s->data->schema;
    size_t n = s->columns = s->shown = schema->count, in_chunk;
    s->column = mem_alloc((n + 1) * sizeof *s->column);
    s->head = mem_alloc((n + 1) * sizeof *s->head);
    s->order = mem_alloc((n + 1) * sizeof *s->order);
    s->describe_order = mem_alloc((n + 1) * sizeof *s->describe_order);
    const Chunk *chunk = dataset_rows(s->data->data) ? data_chunk_of(s, 0, &in_chunk) : NULL;
    for (size_t i = 0; i < n; i++) {
        DataColumn *c = &s->column[i];
        if (chunk)
            measure(c, &chunk->column[i], chunk->rows < SAMPLE ? chunk->rows : SAMPLE);
        widen_by_profile(c, data_profile_of(s, i));
        snprintf(c->title, sizeof c->title, "%s", schema->field[i].name);
        s->order[i] = s->describe_order[i] = i;
    }
    data_head_make(s);
}

size_t data_place(const DataState *s, size_t column)
{
    for (size_t i = 0; i < s->shown; i++)
        if (s->order[i] == column)
            return i;
    return SIZE_MAX;
}

/* Takes the column at one place out of the order and puts it at another. */
static void carry(DataState *s, size_t from, size_t to)
{
    size_t column = s->order[from];
    memmove(&s->order[from], &s->order[from + 1], (s->shown - from - 1) * sizeof *s->order);
    memmove(&s->order[to + 1], &s->order[to], (s->shown - 1 - to) * sizeof *s->order);
    s->order[to] = column;
}

void data_hide(DataState *s, Ui *ui)
{
    size_t at = data_place(s, s->focus);
    if (at == SIZE_MAX) {
        data_unhide(s, ui);
        return;
    }
    if (s->shown == 1) {
        ui_say(ui, STYLE_WARN, "this is the last column that is shown");
        return;
    }
    ui_say(ui, STYLE_INFO, "%s is hidden; + brings it back", s->column[s->focus].title);
    carry(s, at, s->shown - 1);
    s->shown--;
    s->pinned -= at < s->pinned;
    data_head_make(s);
    if (s->view == VIEW_TABLE)
        data_focus(s, s->order[at < s->shown ? at : s->shown - 1]);
}

/* A column that comes back stands where it stood in the dataset, as far as that can be said. */
static void bring_back(DataState *s, size_t column)
{
    size_t at = s->pinned;
    while (at < s->shown && s->order[at] < column)
        at++;
    s->order[s->shown++] = column;
    carry(s, s->shown - 1, at);
}

static void unhide_picked(void *owner, size_t item, Ui *ui)
{
    (void)ui;
    DataState *s = owner;
    for (size_t i = 0; i < s->picks; i++)
        if (item == 0 || i == item - 1)
            bring_back(s, s->pick[i]);
    size_t focus = item ? s->pick[item - 1] : s->focus;
    data_head_make(s);
    data_focus(s, focus);
}

void data_unhide(DataState *s, Ui *ui)
{
    MenuItem items[MENU_MOST + 1] = {{"all of them", NULL, STYLE_STRONG}};
    s->picks = 0;
    for (size_t i = 0; i < s->columns && s->picks < MENU_MOST; i++)
        if (data_place(s, i) == SIZE_MAX) {
            s->pick[s->picks++] = i;
            items[s->picks] =
                (MenuItem){s->column[i].title, column_type_name(s->data->schema.field[i].type),
                           data_style(s->data->schema.field[i].type)};
        }
    if (s->picks == 1)
        unhide_picked(s, 1, ui);
    else
        ui_menu(ui, "Bring columns back", items, s->picks + 1, 0, unhide_picked, s);
}

void data_pin(DataState *s, Ui *ui)
{
    size_t at = data_place(s, s->focus);
    if (at == SIZE_MAX) {
        ui_say(ui, STYLE_WARN, "this column is hidden: + brings it back");
        return;
    }
    bool pinned = at < s->pinned;
    if (pinned)
        s->pinned--;
    carry(s, at, s->pinned);
    if (!pinned)
        s->pinned++;
    data_head_make(s);
    data_focus(s, s->focus);
    ui_say(ui, STYLE_INFO, pinned ? "%s moves with the others again" : "%s stays at the left",
           s->column[s->focus].title);
}

static void shift(DataState *s, int by, Ui *ui)
{
    size_t at = data_place(s, s->focus), to = at + (size_t)by;
    bool pinned = at < s->pinned;
    if (at == SIZE_MAX || to >= s->shown || (to < s->pinned) != pinned) {
        ui_say(ui, STYLE_WARN,
               pinned ? "pinned columns stay together at the left" : "it cannot go further");
        return;
    }
    carry(s, at, to);
    data_head_make(s);
    data_focus(s, s->focus);
}

void data_move_left(DataState *s, Ui *ui)
{
    shift(s, -1, ui);
}

void data_move_right(DataState *s, Ui *ui)
{
    shift(s, 1, ui);
}

void data_pick_column(DataState *s, const char *title, bool (*fits)(const DataState *, size_t),
                      void (*picked)(void *owner, size_t item, Ui *ui), Ui *ui)
{
    MenuItem items[MENU_MOST];
    s->picks = 0;
    for (size_t i = 0; i < s->columns && s->picks < MENU_MOST; i++)
        if (!fits || fits(s, i)) {
            const Field *f = &s->data->schema.field[i];
            items[s->picks] = (MenuItem){f->name, column_type_name(f->type), data_style(f->type)};
            s->pick[s->picks++] = i;
        }
    ui_menu(ui, title, items, s->picks, 0, picked, s);
}

/* ---- roles and types ------------------------------------------------------------------------------------------ */

static void role_picked(void *owner, size_t item, Ui *ui)
{
    DataState *s = owner;
    if (s->data && s->focus < s->columns)
        ui_set_role(ui, s->data->schema.field[s->focus].name, (Role)item);
}

void data_role(DataState *s, Ui *ui)
{
#define AS_ITEM(name, text, about) {text, about, STYLE_PLAIN},
    static const MenuItem items[] = {ROLES(AS_ITEM)};
#undef AS_ITEM
    const Field *f = &s->data->schema.field[s->focus];
    char title[160];
    snprintf(title, sizeof title, "Role of %s", f->name);
    ui_menu(ui, title, items, ROLE_COUNT, f->role, role_picked, s);
}

/* Only one column is predicted: the one that was is a feature again. */
void data_target(DataState *s, Ui *ui)
{
    for (size_t i = 0; i < s->columns; i++)
        if (s->data->schema.field[i].role == ROLE_TARGET && i != s->focus)
            ui_set_role(ui, s->data->schema.field[i].name, ROLE_FEATURE);
    const Field *f = &s->data->schema.field[s->focus];
    ui_set_role(ui, f->name, ROLE_TARGET);
    ui_say(ui, STYLE_GOOD, "%s is what is predicted", f->name);
}

static void type_picked(void *owner, size_t item, Ui *ui)
{
    DataState *s = owner;
    const Field *f = &s->data->schema.field[s->focus];
    if ((ColumnType)item == f->type) {
        ui_say(ui, STYLE_INFO, "%s is %s already", f->name, column_type_name(f->type));
        return;
    }
    Text rule = {0};
    text_puts(&rule, "cast ");
    recipe_add_name(f->name, &rule);
    text_printf(&rule, " %s", column_type_name((ColumnType)item));
    data_offer_rule(s, text_str(&rule), ui);
    text_release(&rule);
}

/* A dataset never changes: another type is a rule of the recipe, which makes the next dataset. */
void data_type(DataState *s, Ui *ui)
{
#define AS_ITEM(name, text, about) {text, about, STYLE_PLAIN},
    static const MenuItem items[] = {COLUMN_TYPES(AS_ITEM)};
#undef AS_ITEM
    const Field *f = &s->data->schema.field[s->focus];
    char title[200];
    snprintf(title, sizeof title, "Type of %.120s, by a cleaning rule", f->name);
    ui_menu(ui, title, items, COLUMN_TYPE_COUNT, f->type, type_picked, s);
}
