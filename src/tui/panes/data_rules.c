/* data_rules.c -- from what is seen to a cleaning rule: the value of a cell, the marked rows, the filter and the
 * hidden columns suggest rules; the picked one is opened in the Clean pane's editor. */
#include "data_int.h"

#include "../whatif.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LISTED_MOST 12 /* values of marked cells in one rule */

/* A value as the language reads it: text and times in quotes. */
void data_add_literal(ColumnType type, const char *value, Text *into)
{
    if (type == COLUMN_INT || type == COLUMN_REAL || type == COLUMN_BOOL) {
        text_puts(into, value);
        return;
    }
    recipe_add_text(value, into);
}

void data_add_condition(const DataState *s, uint64_t row, size_t column, Text *into)
{
    const Field *f = &s->data->schema.field[column];
    recipe_add_name(f->name, into);
    if (data_cell_missing(s, row, column)) {
        text_puts(into, " is null");
        return;
    }
    Text value = {0};
    data_cell_text(s, row, column, &value);
    text_puts(into, " = ");
    data_add_literal(f->type, text_str(&value), into);
    text_release(&value);
}

void data_filter_value(DataState *s, Ui *ui)
{
    Text t = {0};
    data_add_condition(s, data_row(s, s->table.at), s->focus, &t);
    if (t.count >= sizeof s->want.filter) {
        ui_say(ui, STYLE_WARN, "this value is too long for a filter");
    } else {
        data_show(s, VIEW_TABLE, ui);
        data_set_filter(s, text_str(&t), ui);
    }
    text_release(&t);
}

/* ---- the rules that are offered ------------------------------------------------------------------------------ */

void data_offer_rule(DataState *s, const char *rule, Ui *ui)
{
    (void)s;
    ui_offer_rule(ui, rule);
    ui_go(ui, "clean");
}

static void add_rule(DataState *s, const char *before, const char *condition, const char *after)
{
    if (s->rules < MENU_MOST && *condition &&
        snprintf(s->rule[s->rules], sizeof s->rule[0], "%s%s%s", before, condition, after) <
            (int)sizeof s->rule[0])
        s->rules++;
}

static void rules_of_missing(DataState *s, const char *name)
{
    ColumnType type = s->data->schema.field[s->focus].type;
    bool number = type == COLUMN_INT || type == COLUMN_REAL;
    add_rule(s, "drop missing ", name, "");
    add_rule(s, "impute ", name, number ? " median" : " mode");
}

static void rules_of_value(DataState *s, const char *name, uint64_t row)
{
    ColumnType type = s->data->schema.field[s->focus].type;
    Text value = {0}, literal = {0}, pair = {0};
    data_cell_text(s, row, s->focus, &value);
    data_add_literal(type, text_str(&value), &literal);
    data_add_condition(s, row, s->focus, &pair);
    add_rule(s, "drop where ", text_str(&pair), "");
    text_reset(&pair);
    text_printf(&pair, "%s %s", name, text_str(&literal));
    add_rule(s, "replace ", text_str(&pair), type == COLUMN_TEXT ? " \"\"" : " ");
    if (type != COLUMN_TEXT && type != COLUMN_BOOL) {
        text_reset(&pair);
        text_printf(&pair, "%s > %s", name, text_str(&literal));
        add_rule(s, "drop where ", text_str(&pair), "");
        text_reset(&pair);
        text_printf(&pair, "%s < %s", name, text_str(&literal));
        add_rule(s, "drop where ", text_str(&pair), "");
    }
    if (type == COLUMN_TEXT) {
        add_rule(s, "trim ", name, "");
        add_rule(s, "lower ", name, "");
    }
    text_release(&value);
    text_release(&literal);
    text_release(&pair);
}

/* "1, " stands in "11, 2, " only as the end of another. */
static bool is_listed(const char *list, const char *literal)
{
    const char *at = strstr(list, literal);
    while (at && at != list && (at[-1] != ' ' || at[-2] != ','))
        at = strstr(at + 1, literal);
    return at != NULL;
}

/* The values of the column in focus in the marked rows, each once; false: too many. */
static bool list_marked(const DataState *s, Text *into)
{
    ColumnType type = s->data->schema.field[s->focus].type;
    size_t listed = 0;
    for (uint64_t row = 0, left = s->marks.count; left; row++) {
        if (!s->marks.bit[row >> 3])
            row |= 7; /* eight rows at a step */
        else if (marks_has(&s->marks, row)) {
            left--;
            if (data_cell_missing(s, row, s->focus))
                continue;
            Text value = {0}, literal = {0};
            data_cell_text(s, row, s->focus, &value);
            data_add_literal(type, text_str(&value), &literal);
            text_puts(&literal, ", ");
            if (!is_listed(text_str(into), text_str(&literal))) {
                listed++;
                text_add(into, text_str(&literal), literal.count);
            }
            text_release(&value);
            text_release(&literal);
        }
        if (listed > LISTED_MOST)
            return false;
    }
    return listed > 0;
}

static void rules_of_marks(DataState *s, const char *name)
{
    Text list = {0}, condition = {0};
    if (*s->marked_by)
        add_rule(s, "drop where ", s->marked_by, "");
    if (s->marks.count <= 5000 && list_marked(s, &list)) {
        text_printf(&condition, "%s in (%.*s)", name, (int)list.count - 2, text_str(&list));
        add_rule(s, "drop where ", text_str(&condition), "");
        add_rule(s, "keep ", text_str(&condition), "");
    }
    text_release(&list);
    text_release(&condition);
}

static void rules_of_hidden(DataState *s)
{
    Text names = {0};
    for (size_t i = 0; i < s->columns; i++)
        if (data_place(s, i) == SIZE_MAX) {
            text_puts(&names, names.count ? ", " : "");
            recipe_add_name(s->data->schema.field[i].name, &names);
        }
    add_rule(s, "drop column ", text_str(&names), "");
    text_release(&names);
}

static void rule_picked(void *owner, size_t item, Ui *ui)
{
    DataState *s = owner;
    if (item < s->rules)
        data_offer_rule(s, s->rule[item], ui);
}

static void collect(DataState *s, const char *name)
{
    bool row = (s->view == VIEW_TABLE || s->view == VIEW_FORM) && data_rows(s);
    const ColumnProfile *p = data_profile_of(s, s->focus);
    if (s->marks.count)
        rules_of_marks(s, name);
    if (row && !data_cell_missing(s, data_row(s, s->table.at), s->focus))
        rules_of_value(s, name, data_row(s, s->table.at));
    if (row ? data_cell_missing(s, data_row(s, s->table.at), s->focus) : p && p->missing)
        rules_of_missing(s, name);
    if (p && p->numeric && (p->type == COLUMN_INT || p->type == COLUMN_REAL)) {
        char bounds[80];
        snprintf(bounds, sizeof bounds, " %g %g", p->quantile[1], p->quantile[99]);
        add_rule(s, "clip ", name, bounds);
    }
    if (*s->have.filter) {
        add_rule(s, "keep ", s->have.filter, "");
        add_rule(s, "drop where ", s->have.filter, "");
    }
    add_rule(s, "drop column ", name, "");
    rules_of_hidden(s);
}

void data_rule(DataState *s, Ui *ui)
{
    MenuItem items[MENU_MOST];
    Text name = {0};
    recipe_add_name(s->data->schema.field[s->focus].name, &name);
    s->rules = 0;
    collect(s, text_str(&name));
    for (size_t i = 0; i < s->rules; i++)
        items[i] = (MenuItem){s->rule[i], NULL, STYLE_PLAIN};
    ui_menu(ui, "Rule for Clean from here", items, s->rules, 0, rule_picked, s);
    text_release(&name);
}

/* ---- from a row to what a model makes of it ----------------------------------------------------------------- */

static bool learnt_here(const DataState *s, const RunRow *r)
{
    return r && r->status == RUN_FINISHED && text_equal(r->dataset, s->data->row.hash);
}

void data_whatif(DataState *s, Ui *ui)
{
    const Snapshot *snap = ui_snapshot(ui);
    const RunRow *run = snapshot_run(snap, ui_run(ui));
    for (size_t i = 0; i < snap->runs && !learnt_here(s, run); i++) /* newest first */
        run = &snap->run[i];
    if (learnt_here(s, run))
        ui_whatif(ui, run->id, data_row(s, s->table.at));
    else
        ui_say(ui, STYLE_WARN, "no finished run learnt from %s: 3 sets one up", s->data->row.name);
}
