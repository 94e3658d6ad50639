/* sql_list.c -- the list of tables at the left: loaded, opened to columns, put into the statement. */
#include "sql_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tables_loaded(void *owner, void *result, const Error *err, Ui *ui)
{
    SqlState *s = owner;
    SqlTables *now = result;
    (void)err;
    if (!now)
        return;
    for (size_t i = 0; i < now->table.count; i++) {
        SqlTable *t = &now->table.at[i];
        for (size_t k = 0; s->tables && k < s->tables->table.count; k++)
            if (!strcmp(s->tables->table.at[k].name, t->name))
                t->open = s->tables->table.at[k].open;
    }
    sql_tables_free(s->tables);
    s->tables = now;
    tables_rows(s->tables, &s->rows);
    ui_draw(ui);
}

void sql_load_tables(SqlState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const char *newest = snap->datasets ? snap->dataset[0].hash : "";
    if (s->tables && s->datasets == snap->datasets && !strcmp(s->newest, newest))
        return;
    s->datasets = snap->datasets;
    snprintf(s->newest, sizeof s->newest, "%s", newest);
    ui_job(s->ui, (Job){.owner = s,
                        .slot = SQL_SLOT_TABLES,
                        .what = "reading the tables",
                        .run = sql_tables_load,
                        .done = tables_loaded,
                        .release = sql_tables_free,
                        .quiet = true,
                        .urgent = true});
}

void sql_open_table(SqlState *s, bool open)
{
    if (s->list.at >= s->rows.count)
        return;
    size_t table = s->rows.at[s->list.at].table;
    s->tables->table.at[table].open = open;
    tables_rows(s->tables, &s->rows);
    for (size_t i = 0; i < s->rows.count; i++)
        if (s->rows.at[i].table == table && s->rows.at[i].column == SIZE_MAX && !open)
            s->list.at = i;
}

/* At first the columns of the dataset that is open are listed, as soon as both are known. */
void sql_open_chosen(SqlState *s)
{
    const OpenDataset *d = ui_dataset(s->ui);
    for (size_t i = 0; d && s->tables && !s->chosen_open && i < s->tables->table.count; i++)
        if (!strcmp(s->tables->table.at[i].name, d->row.name)) {
            s->chosen_open = s->tables->table.at[i].open = true;
            tables_rows(s->tables, &s->rows);
        }
}

void sql_insert_name(SqlState *s)
{
    if (s->list.at >= s->rows.count)
        return;
    TablesRow at = s->rows.at[s->list.at];
    const SqlTable *t = &s->tables->table.at[at.table];
    const char *text = line_text(&s->edit.line);
    size_t place = s->edit.line.at;
    Text name = {0};
    if (place && !strchr(" \n(.,", text[place - 1]))
        text_putc(&name, ' ');
    sql_name(at.column == SIZE_MAX ? t->name : t->column[at.column], &name);
    edit_insert(&s->edit, text_str(&name));
    ui_say(s->ui, STYLE_INFO, "%s is in the query (i edits it)", text_str(&name));
    text_release(&name);
    s->error = (Error){0};
}
