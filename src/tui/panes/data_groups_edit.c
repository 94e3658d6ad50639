/* data_groups_edit.c -- what rows are grouped by and what is measured in each group; and from a group to its rows, to a
 * cleaning rule. */
#include "data_groups_int.h"

#include <stdio.h>
#include <string.h>

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
    s->groups->stale = true;
    data_show(s, VIEW_GROUPS, ui); /* asks if it was not shown */
    if (s->groups->stale)
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
    snprintf(title, sizeof title, "%.80s down; across:",
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

static const struct {
    const char *label, *note;
    GroupPart part;
    int bins;
} parts[] = {{"values", "each value for itself", GROUP_VALUE, 0},
             {"10 bins", "of equal width", GROUP_BIN, 10},
             {"20 bins", "of equal width", GROUP_BIN, 20},
             {"50 bins", "of equal width", GROUP_BIN, 50},
             {"hour", "of the day", GROUP_HOUR, 0},
             {"weekday", "0 Monday to 6 Sunday", GROUP_WEEKDAY, 0},
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
    s->part_of = groups_key_at_cursor(s);
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
    recipe_add_name(s->data->schema.field[g->spec.key[0].column].name, &rule);
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
        ui_menu(ui, "Rule for Clean from here", items, s->rules, 0, rule_picked, s);
    else
        ui_say(ui, STYLE_WARN, "these are too many for one rule");
}
