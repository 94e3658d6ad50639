/* data_groups.c -- rows in groups: how often each value of a column occurs, of several columns together, with
 * measures of others (a pivot), of the rows that pass the filter. */
#include "data_groups_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void data_groups_drop(DataState *s)
{
    if (s->groups)
        groups_release(s->groups);
    mem_free(s->groups);
    s->groups = NULL;
}

static Groups *begin(DataState *s)
{
    data_groups_drop(s);
    s->groups = mem_alloc(sizeof *s->groups);
    s->groups->sort = SIZE_MAX;
    s->groups->spec.measures = 1;
    s->groups->spec.measure[0] = (GroupMeasure){AGGREGATE_COUNT, SIZE_MAX};
    return s->groups;
}

/* A number of many values is seen in bins first. */
static GroupKey key_for(const DataState *s, size_t column)
{
    const ColumnProfile *p = data_profile_of(s, column);
    ColumnType type = s->data->schema.field[column].type;
    bool many = p && p->numeric && p->distinct > 50000;
    if (many && type == COLUMN_TIME)
        return (GroupKey){.column = column, .part = GROUP_DATE};
    return many ? (GroupKey){.column = column, .part = GROUP_BIN, .bins = 20}
                : (GroupKey){.column = column, .part = GROUP_VALUE};
}

static void ask_anew(DataState *s, Ui *ui)
{
    data_show(s, VIEW_GROUPS, ui);
    groups_ask(s, ui);
    ui_draw(ui);
}

void data_frequency(DataState *s, Ui *ui)
{
    Groups *g = begin(s);
    g->spec.key[g->spec.keys++] = key_for(s, s->focus);
    ask_anew(s, ui);
}

/* ---- more keys, measures, parts ---------------------------------------------------------------------------------- */

static void add_key(DataState *s, size_t column, Ui *ui)
{
    Groups *g = s->groups;
    if (g->spec.keys == sizeof g->spec.key / sizeof *g->spec.key) {
        ui_say(ui, STYLE_WARN, "rows can be grouped by %zu columns; d takes one away",
               g->spec.keys);
        return;
    }
    g->spec.key[g->spec.keys++] = key_for(s, column);
    ask_anew(s, ui);
}

static void key_picked(void *owner, size_t item, Ui *ui)
{
    DataState *s = owner;
    add_key(s, s->pick[item], ui);
}

static bool is_no_key(const DataState *s, size_t column)
{
    for (size_t k = 0; k < s->groups->spec.keys; k++)
        if (s->groups->spec.key[k].column == column)
            return false;
    return true;
}

void data_group_add(DataState *s, Ui *ui)
{
    data_pick_column(s, "Group by another column too", is_no_key, key_picked, ui);
}

static void pivot_picked(void *owner, size_t item, Ui *ui)
{
    DataState *s = owner;
    s->groups->across = true;
    add_key(s, s->pick[item], ui);
}

void data_pivot(DataState *s, Ui *ui)
{
    if (s->view == VIEW_GROUPS && s->groups && s->groups->spec.keys > 1) {
        s->groups->across = !s->groups->across;
        ask_anew(s, ui);
        return;
    }
    if (s->view != VIEW_GROUPS || !s->groups) {
        Groups *g = begin(s);
        g->spec.key[g->spec.keys++] = key_for(s, s->focus);
    }
    char title[200];
    snprintf(title, sizeof title, "%.80s down; its groups by which column across?",
             s->data->schema.field[s->groups->spec.key[0].column].name);
    data_pick_column(s, title, is_no_key, pivot_picked, ui);
}

static void aggregate_picked(void *owner, size_t item, Ui *ui)
{
    DataState *s = owner;
    Groups *g = s->groups;
    if (g->spec.measures == sizeof g->spec.measure / sizeof *g->spec.measure) {
        ui_say(ui, STYLE_WARN, "there is room for %zu measures; d takes one away",
               g->spec.measures);
        return;
    }
    g->spec.measure[g->spec.measures++] = (GroupMeasure){(Aggregate)item, s->measured};
    ask_anew(s, ui);
}

static void measured_picked(void *owner, size_t item, Ui *ui)
{
#define AS_ITEM(name, text, about) {text, about, STYLE_PLAIN},
    static const MenuItem items[] = {AGGREGATES(AS_ITEM)};
#undef AS_ITEM
    DataState *s = owner;
    s->measured = s->pick[item];
    char title[200];
    snprintf(title, sizeof title, "What of %.120s?", s->data->schema.field[s->measured].name);
    ui_menu(ui, title, items, AGGREGATE_COUNT_OF, AGGREGATE_MEAN, aggregate_picked, s);
}

static bool is_measurable(const DataState *s, size_t column)
{
    return s->data->schema.field[column].type != COLUMN_TEXT;
}

void data_group_measure(DataState *s, Ui *ui)
{
    data_pick_column(s, "Measure which column in each group?", is_measurable, measured_picked, ui);
}

static size_t key_under_cursor(const DataState *s)
{
    const Groups *g = s->groups;
    const GroupColumn *c = g->table.col < g->columns ? &g->column[g->table.col] : NULL;
    return c && c->kind == SHOW_KEY ? c->at : g->spec.keys - 1;
}

static const struct {
    const char *label, *note;
    GroupPart part;
    int bins;
} parts[] = {{"values", "each value for itself", GROUP_VALUE, 0},
             {"10 bins", "of equal width", GROUP_BIN, 10},
             {"20 bins", "of equal width", GROUP_BIN, 20},
             {"50 bins", "of equal width", GROUP_BIN, 50},
             {"hour", "of the day", GROUP_HOUR, 0},
             {"weekday", "1 is Monday", GROUP_WEEKDAY, 0},
             {"date", "the day without the time", GROUP_DATE, 0},
             {"day", "of the month", GROUP_DAY, 0},
             {"month", "of the year", GROUP_MONTH, 0},
             {"year", NULL, GROUP_YEAR, 0}};
#define PARTS (sizeof parts / sizeof *parts)

static void part_picked(void *owner, size_t item, Ui *ui)
{
    DataState *s = owner;
    GroupKey *key = &s->groups->spec.key[s->part_of];
    key->part = parts[item].part;
    key->bins = parts[item].bins;
    ask_anew(s, ui);
}

void data_group_part(DataState *s, Ui *ui)
{
    MenuItem items[PARTS];
    s->part_of = key_under_cursor(s);
    ColumnType type = s->data->schema.field[s->groups->spec.key[s->part_of].column].type;
    if (type == COLUMN_TEXT || type == COLUMN_BOOL) {
        ui_say(ui, STYLE_WARN, "only numbers, times and dates have parts");
        return;
    }
    size_t n = type == COLUMN_TIME || type == COLUMN_DATE ? PARTS : 4;
    for (size_t i = 0; i < n; i++)
        items[i] = (MenuItem){parts[i].label, parts[i].note, STYLE_PLAIN};
    ui_menu(ui, "Group by which part of it?", items, n, 0, part_picked, s);
}

void data_group_drop(DataState *s, Ui *ui)
{
    Groups *g = s->groups;
    const GroupColumn *c = g->table.col < g->columns ? &g->column[g->table.col] : NULL;
    if (c && c->kind == SHOW_KEY && g->spec.keys > 1) {
        memmove(&g->spec.key[c->at], &g->spec.key[c->at + 1],
                (g->spec.keys - c->at - 1) * sizeof *g->spec.key);
        g->spec.keys--;
    } else if (g->spec.measures > 1) {
        size_t m = c && c->kind == SHOW_MEASURE ? c->at - g->spec.keys : g->spec.measures - 1;
        memmove(&g->spec.measure[m], &g->spec.measure[m + 1],
                (g->spec.measures - m - 1) * sizeof *g->spec.measure);
        g->spec.measures--;
    } else if (g->spec.keys > 1) {
        g->spec.keys--;
    } else {
        ui_say(ui, STYLE_WARN, "one column is the least there can be");
        return;
    }
    ask_anew(s, ui);
}

/* ---- from a group to its rows, and to a rule ---------------------------------------------------------------------- */

void data_group_rows(DataState *s, Ui *ui)
{
    if (!s->groups->rows)
        return;
    Text t = {0};
    groups_chosen(s, &t);
    data_narrow(s, text_str(&t), ui);
    text_release(&t);
}

static void rule_picked(void *owner, size_t item, Ui *ui)
{
    DataState *s = owner;
    if (item < s->rules)
        data_offer_rule(s, s->rule[item], ui);
}

/* replace city "dupont " "Dupont", with the frequent value as a proposal for the rare one. */
static void add_replace(DataState *s)
{
    const Groups *g = s->groups;
    const Column *c = &g->chunk.column[0];
    uint32_t at = groups_first(g, (size_t)g->table.at);
    if (g->spec.keys != 1 || g->spec.key[0].part != GROUP_VALUE || !column_has(c, at))
        return;
    Text rule = {0}, value = {0};
    text_puts(&rule, "replace ");
    data_add_name(s->data->schema.field[g->spec.key[0].column].name, &rule);
    column_print(c, at, &value);
    text_putc(&rule, ' ');
    data_add_literal(c->type, text_str(&value), &rule);
    text_puts(&rule, c->type == COLUMN_TEXT ? " \"\"" : " ");
    if (rule.count < sizeof s->rule[0])
        snprintf(s->rule[s->rules++], sizeof s->rule[0], "%s", text_str(&rule));
    text_release(&rule);
    text_release(&value);
}

void data_group_rule(DataState *s, Ui *ui)
{
    if (!s->groups->rows)
        return;
    Text t = {0};
    MenuItem items[4];
    s->rules = 0;
    groups_chosen(s, &t);
    if (!s->groups->marks)
        add_replace(s);
    static const char *const verbs[] = {"drop where", "keep"};
    for (size_t i = 0; i < 2 && t.count + 16 < sizeof s->rule[0]; i++)
        snprintf(s->rule[s->rules++], sizeof s->rule[0], "%s %s", verbs[i], text_str(&t));
    text_release(&t);
    for (size_t i = 0; i < s->rules; i++)
        items[i] = (MenuItem){s->rule[i], NULL, STYLE_PLAIN};
    if (s->rules)
        ui_menu(ui, "A rule from here, to go on with in Clean", items, s->rules, 0, rule_picked, s);
    else
        ui_say(ui, STYLE_WARN, "these are too many for one rule");
}

/* ---- sorting ------------------------------------------------------------------------------------------------------- */

static void sort_by(DataState *s, bool down)
{
    s->groups->sort = s->groups->table.col;
    s->groups->down = down;
    groups_sort(s);
}

void data_group_up(DataState *s, Ui *ui)
{
    (void)ui;
    sort_by(s, false);
}

void data_group_down(DataState *s, Ui *ui)
{
    (void)ui;
    sort_by(s, true);
}

/* ---- drawing ------------------------------------------------------------------------------------------------------- */

static void add_real(double v, double scale, Text *into)
{
    int decimals = scale >= 1e6 ? 0 : scale >= 1000 ? 1 : scale >= 10 ? 2 : scale >= 0.1 ? 4 : 6;
    text_printf(into, "%.*f", decimals, v);
}

static void cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const DataState *s = context;
    const Groups *g = s->groups;
    const GroupColumn *c = &g->column[column];
    size_t at;
    const Column *values = groups_value(g, (size_t)row, column, &at);
    if (!values || !column_has(values, at)) {
        text_puts(out->text, c->kind == SHOW_KEY ? "missing" : "-");
        out->style = STYLE_MISSING;
        return;
    }
    out->style = c->kind == SHOW_KEY ? data_style(values->type) : STYLE_NUMBER;
    if (c->kind == SHOW_SHARE) {
        data_add_share(g->total > 0 ? column_real(values, at) / g->total : 0, out->text);
        out->style = STYLE_DIM;
    } else if (c->kind == SHOW_COUNT || (c->kind == SHOW_ACROSS && values->type == COLUMN_INT)) {
        data_add_grouped((uint64_t)column_real(values, at), out->text);
    } else if (c->kind == SHOW_KEY && values->type == COLUMN_REAL &&
               g->spec.key[c->at].part == GROUP_BIN) {
        text_printf(out->text, "%.6g", column_real(values, at));
    } else if (values->type == COLUMN_REAL && c->kind != SHOW_KEY) {
        add_real(column_real(values, at), c->scale, out->text);
    } else {
        column_print(values, at, out->text);
    }
}

static bool paint(const void *context, uint64_t row, size_t column, const Canvas *part,
                  Style ground)
{
    const DataState *s = context;
    const Groups *g = s->groups;
    if (g->column[column].kind != SHOW_BAR)
        return false;
    const Column *count = &g->chunk.column[g->spec.keys];
    double most = 0, v = column_real(count, groups_first(g, (size_t)row));
    if (g->rows) /* as they came the first is the largest */
        most = column_real(count, 0);
    canvas_fill(part, ground);
    chart_bar(part, 0, 0, part->cols, most > 0 ? v / most : 0, STYLE_BAR, ground);
    return true;
}

static bool is_marked(const void *context, uint64_t row)
{
    const DataState *s = context;
    return s->groups->mark[row] != 0;
}

static TableSource source(const DataState *s)
{
    const Groups *g = s->groups;
    return (TableSource){.context = s,
                         .rows = g->rows,
                         .columns = g->columns,
                         .column = g->head,
                         .cell = cell,
                         .paint = paint,
                         .marked = g->marks ? is_marked : NULL,
                         .empty = g->made ? "There are no rows to group." : "Grouping ..."};
}

static void title(const DataState *s, const Canvas *c, Text *title_text, Text *note)
{
    const Groups *g = s->groups;
    text_printf(title_text, " %s", glyph(c, GLYPH_DOT));
    for (size_t k = 0; k < g->spec.keys; k++) {
        bool across = g->across && k == g->spec.keys - 1;
        text_printf(title_text, "%s%s",
                    k == 0   ? " "
                    : across ? " across "
                             : ", ",
                    s->data->schema.field[g->spec.key[k].column].name);
    }
    data_add_filter(s, c, title_text);
    if (g->sort < g->columns)
        text_printf(note, "%s %s %s ", glyph(c, g->down ? GLYPH_DOWN : GLYPH_UP),
                    g->column[g->sort].title, glyph(c, GLYPH_DOT));
    if (g->marks)
        text_printf(note, "%zu marked %s ", g->marks, glyph(c, GLYPH_DOT));
    if (!g->made)
        return;
    data_add_grouped(g->rows, note);
    text_puts(note, g->rows == 1 ? " group of " : " groups of ");
    data_add_grouped((uint64_t)g->total, note);
    text_puts(note, " rows");
}

static void layout(DataState *s, int rows, int cols)
{
    TableSource all = source(s);
    table_layout(&s->groups->table, &all, rows, cols);
}

static void draw(const DataState *s, const Canvas *in, bool active, const Ui *ui)
{
    (void)ui;
    TableSource all = source(s);
    table_draw(&s->groups->table, &all, in, active, DATA_ZONE_MAIN);
}

static void copy(const DataState *s, Ui *ui)
{
    Text t = {0};
    Cell one = {&t, STYLE_PLAIN};
    if (s->groups->rows)
        cell(s, s->groups->table.at, s->groups->table.col, &one);
    ui_copy(ui, text_str(&t));
    text_release(&t);
}

static void mark(DataState *s)
{
    Groups *g = s->groups;
    TableSource all = source(s);
    if (!g->rows)
        return;
    uint8_t *m = &g->mark[g->table.at];
    g->marks += *m ? (size_t)-1 : 1;
    *m = !*m;
    table_command(&g->table, &all, UI_DOWN);
}

static void follow(DataState *s)
{
    if (s->groups->columns)
        data_focus(s, s->groups->spec.key[key_under_cursor(s)].column);
}

static Reply command(DataState *s, int what, Ui *ui)
{
    TableSource all = source(s);
    if (what == UI_COPY)
        copy(s, ui);
    else if (what == UI_MARK)
        mark(s);
    if (what == UI_COPY || what == UI_MARK)
        return REPLY_DRAW;
    Reply reply = table_command(&s->groups->table, &all, what);
    follow(s);
    return reply;
}

static Reply mouse(DataState *s, const Mouse *m, Ui *ui)
{
    TableSource all = source(s);
    Reply reply = table_mouse(&s->groups->table, &all, m);
    follow(s);
    if (m->kind == MOUSE_DOUBLE)
        data_group_rows(s, ui);
    return reply;
}

const ViewKind data_groups_view = {.title = title,
                                   .wide = true,
                                   .layout = layout,
                                   .draw = draw,
                                   .command = command,
                                   .mouse = mouse,
                                   .enter = NULL};
