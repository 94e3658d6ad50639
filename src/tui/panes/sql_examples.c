/* sql_examples.c -- statements to begin with, for what the workspace has now. */
#include "sql_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void example(SqlState *s, size_t i, const char *about)
{
    text_reset(&s->example[i]);
    s->example_about[i] = about;
}

/* A column of words that repeat, and a number to average: the target if there is one, else the last with
 * fractions, where amounts mostly stand. */
static void group_example(const OpenDataset *d, Text *out)
{
    const Schema *schema = &d->schema;
    const Profile *profile = dataset_profile(d->data);
    size_t group = SIZE_MAX, value = SIZE_MAX;
    bool target = false;
    for (size_t i = 0; i < schema->count; i++) {
        const Field *f = &schema->field[i];
        double distinct = profile->column[i].distinct;
        if (f->type == COLUMN_TEXT && distinct > 1 && distinct < 60 && group == SIZE_MAX)
            group = i;
        bool number = f->type == COLUMN_REAL || (f->type == COLUMN_INT && f->role == ROLE_TARGET);
        if (number && (!target || f->role == ROLE_TARGET)) {
            value = i;
            target = f->role == ROLE_TARGET;
        }
    }
    text_puts(out, "select ");
    if (group != SIZE_MAX) {
        sql_name(schema->field[group].name, out);
        text_puts(out, ", ");
    }
    text_puts(out, "count(*) as rows");
    if (value != SIZE_MAX) {
        text_puts(out, ", round(avg(");
        sql_name(schema->field[value].name, out);
        text_puts(out, "), 3) as average");
    }
    text_puts(out, "\nfrom ");
    sql_name(d->row.name, out);
    if (group != SIZE_MAX)
        text_puts(out, "\ngroup by 1 order by 2 desc");
}

void sql_examples(SqlState *s)
{
    example(s, 0, "the newest runs with the best value each has reached");
    text_puts(&s->example[0], "select id, name, family, status, monitor, best, best_step\n"
                              "from runs order by id desc limit 50");
    example(s, 1, "how far every metric of every run came");
    text_puts(&s->example[1], "select r.name, m.key, count(*) as points, min(m.value) as least,"
                              " max(m.value) as most\nfrom metrics m join runs r on r.id = m.run\n"
                              "group by r.id, m.key order by r.id desc, m.key");
    const OpenDataset *d = ui_dataset(s->ui);
    example(s, 2, d ? "groups of the dataset that is open" : "the datasets of this workspace");
    if (d)
        group_example(d, &s->example[2]);
    else
        text_puts(&s->example[2], "select name, rows, columns, bytes, source\nfrom datasets");
}

void sql_run_example(SqlState *s, size_t i)
{
    if (i >= SQL_EXAMPLES)
        return;
    sql_examples(s);
    line_set(&s->edit.line, text_str(&s->example[i]));
    sql_run_query(s);
}
