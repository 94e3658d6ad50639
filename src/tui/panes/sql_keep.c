/* sql_keep.c -- all rows of a statement kept: as a dataset, or as a file. */
#include "sql_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void kept(void *owner, void *result, const Error *err, Ui *ui)
{
    SqlKept *k = result;
    (void)owner;
    (void)err; /* shown as a toast already */
    if (!k)
        return;
    Text rows = {0};
    text_add_count(&rows, (double)k->rows);
    ui_say(ui, STYLE_GOOD, k->file ? "%s rows written to %s" : "%s rows kept as dataset %s",
           text_str(&rows), k->to);
    ui_refresh(ui);
    text_release(&rows);
    sql_kept_free(k);
}

static void keep(SqlState *s, const char *to, bool file)
{
    if (!*to || !s->result.text)
        return;
    SqlKeep *k = mem_alloc(sizeof *k);
    *k = (SqlKeep){.text = text_copy(s->result.text), .to = text_copy(to), .file = file};
    ui_job(s->ui, (Job){.owner = s,
                        .slot = SQL_SLOT_SAVE,
                        .what = file ? "writing the rows" : "keeping the rows",
                        .run = sql_keep_run,
                        .input = k,
                        .release_input = sql_keep_free,
                        .done = kept,
                        .release = sql_kept_free});
}

static void keep_file(void *owner, const char *text, Ui *ui)
{
    (void)ui;
    keep(owner, text, true);
}

static void keep_dataset(void *owner, const char *text, Ui *ui)
{
    (void)ui;
    keep(owner, text, false);
}

static bool check_name(void *owner, const char *text, Error *err)
{
    const SqlState *s = owner;
    if (!*text || strlen(text) > 64 || strpbrk(text, "/\""))
        return error_set(err, ERROR_USAGE, "1 to 64 characters without / or \"");
    for (size_t i = 0; s->tables && i < s->tables->table.count; i++)
        if (!s->tables->table.at[i].dataset && !strcmp(s->tables->table.at[i].name, text))
            return error_set(err, ERROR_USAGE, "%s is a table of the workspace already", text);
    return true;
}

void sql_ask_keep(SqlState *s, bool file)
{
    if (file)
        ui_ask(s->ui,
               &(Ask){.title = "Write to a file",
                      .label = "file",
                      .initial = "result.csv",
                      .owner = s,
                      .about = "All rows of the statement; by the ending .csv, .arrow or .parquet.",
                      .done = keep_file});
    else
        ui_ask(s->ui,
               &(Ask){.title = "Save as dataset",
                      .label = "name",
                      .initial = "result",
                      .owner = s,
                      .about = "All rows of the statement become a dataset; types from the values.",
                      .done = keep_dataset,
                      .check = check_name});
}

bool sql_write(void *state, const char *path, Ui *ui)
{
    SqlState *s = state;
    (void)ui;
    if (!s->result.text || text_ends(path, ".md") ||
        !(text_ends(path, ".csv") || text_ends(path, ".arrow") || text_ends(path, ".parquet")))
        return false;
    keep(s, path, true);
    return true;
}

bool sql_table_shown(const void *state, TableSource *out)
{
    const SqlState *s = state;
    *out = result_source(&s->result);
    return s->result.text && out->columns > 0;
}
