/* drift_parts.c -- drift within one table: the score of the column under the cursor in each part of the rows, in the
 * order of a time or as they stand, with the limit; and asking for it. */
#include "drift_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PARTS_MOST = 64 };

void drift_loaded_free(void *loaded)
{
    DriftLoaded *l = loaded;
    if (!l)
        return;
    drift_report_destroy(l->report);
    mem_free(l->part);
    mem_free(l->name);
    mem_free(l->score);
    mem_free(l->limit);
    mem_free(l);
}

static void copy(const json_t *from, const char *key, char *into, size_t size)
{
    const char *text = json_string_value(json_object_get(from, key));
    snprintf(into, size, "%s", text ? text : "");
}

static double number(const json_t *from, const char *key)
{
    const json_t *v = json_object_get(from, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static size_t place_of(const DriftLoaded *l, const char *name)
{
    size_t i = 0;
    while (i < l->columns && strcmp(l->name[i], name) != 0)
        i++;
    return i;
}

static void take_part(DriftLoaded *l, size_t i, const json_t *part)
{
    DriftPart *p = &l->part[i];
    const json_t *columns = json_object_get(part, "columns");
    copy(part, "from", p->from, sizeof p->from);
    copy(part, "to", p->to, sizeof p->to);
    p->rows = json_integer_value(json_object_get(part, "rows"));
    p->drifted_columns = json_integer_value(json_object_get(part, "drifted_columns"));
    p->drifted = json_is_true(json_object_get(part, "drifted"));
    for (size_t k = 0; k < json_array_size(columns); k++) {
        char name[80];
        copy(json_array_get(columns, k), "column", name, sizeof name);
        size_t at = place_of(l, name);
        if (at < l->columns) {
            l->score[at * l->parts + i] = number(json_array_get(columns, k), "statistic");
            l->limit[at * l->parts + i] = number(json_array_get(columns, k), "threshold");
        }
    }
}

DriftLoaded *drift_parts_read(const json_t *report)
{
    DriftLoaded *l = mem_alloc(sizeof *l);
    const json_t *parts = json_object_get(report, "parts"), *list = json_object_get(parts, "part"),
                 *columns = json_object_get(report, "columns");
    size_t n = json_array_size(list);
    copy(parts, "by", l->by, sizeof l->by);
    l->parts = n < PARTS_MOST ? n : PARTS_MOST;
    l->columns = json_array_size(columns);
    l->part = mem_alloc((l->parts + 1) * sizeof *l->part);
    l->name = mem_alloc((l->columns + 1) * sizeof *l->name);
    l->score = mem_alloc((l->columns * l->parts + 1) * sizeof *l->score);
    l->limit = mem_alloc((l->columns * l->parts + 1) * sizeof *l->limit);
    for (size_t i = 0; i < l->columns; i++)
        copy(json_array_get(columns, i), "column", l->name[i], sizeof l->name[0]);
    for (size_t i = 0; i < l->columns * l->parts; i++)
        l->score[i] = l->limit[i] = (double)NAN;
    for (size_t i = 0; i < l->parts; i++)
        take_part(l, i, json_array_get(list, i));
    return l;
}

bool drift_parts_some(const DriftState *s)
{
    return s->loaded_parts && s->loaded_parts->parts > 1;
}

size_t drift_parts_alarms(const DriftState *s)
{
    size_t n = 0;
    for (size_t i = 0; s->loaded_parts && i < s->loaded_parts->parts; i++)
        n += s->loaded_parts->part[i].drifted;
    return n;
}

/* Above the limit a distance, below it a p value has drifted. */
static bool over(const DriftColumn *d, double score, double limit)
{
    return isfinite(score) && (d->test && d->test->p_value ? score < limit : score >= limit);
}

void drift_parts_draw(const DriftState *s, const DriftColumn *d, const Canvas *c)
{
    const DriftLoaded *l = s->loaded_parts;
    size_t at = place_of(l, d->name), drifted = 0, last = 0;
    double x[PARTS_MOST], *score = l->score + at * l->parts, *limit = l->limit + at * l->parts;
    if (at == l->columns)
        return;
    for (size_t i = 0; i < l->parts; i++) {
        x[i] = (double)i + 1;
        if (over(d, score[i], limit[i])) {
            drifted++;
            last = i;
        }
    }
    const DriftPart *p = &l->part[drifted ? last : l->parts - 1];
    Text said = {0};
    text_printf(&said, "%zu of %zu parts%s%s drifted; %s %s %s %s", drifted, l->parts, *l->by ? " by " : "", l->by,
                drifted ? "last" : "the last is", p->from, glyph(c, GLYPH_ARROW), p->to);
    canvas_field(c, 0, 0, c->cols, ALIGN_LEFT, drifted ? STYLE_BAD : STYLE_GOOD, text_str(&said));
    text_release(&said);
    Canvas below = canvas_part(c, 1, 0, c->rows - 1, c->cols);
    ChartSeries series[] = {
        {.name = d->test && d->test->p_value ? "p value" : "score",
         .style = STYLE_AFTER,
         .x = x,
         .y = score,
         .n = l->parts},
        {.name = "limit", .style = STYLE_BAD, .x = x, .y = limit, .n = l->parts}};
    chart_draw(&below, &(Chart){.series = series,
                                .count = 2,
                                .x_name = "part",
                                .y_zero = true,
                                .empty = "this column was not judged in parts"});
}

/* ---- asking --------------------------------------------------------------------------------------------------- */

static bool answer_fits(void *owner, const char *text, Error *err)
{
    (void)owner;
    return *text || error_set(err, ERROR_USAGE,
                              "a column of the table to judge, or how many rows a part has");
}

static void answered(void *owner, const char *text, Ui *ui)
{
    int64_t rows;
    char more[200];
    (void)ui;
    if (text_to_int(text, strlen(text), &rows))
        snprintf(more, sizeof more, "rows=%lld", (long long)rows);
    else
        snprintf(more, sizeof more, "\"by=%.150s\"", text);
    drift_compare(owner, more);
}

void drift_parts_ask(DriftState *s)
{
    const OpenDataset *d = ui_dataset(s->ui);
    const char *by = "";
    for (size_t i = 0; d && i < d->schema.count; i++)
        if (!*by &&
            (d->schema.field[i].role == ROLE_TIMELINE || d->schema.field[i].type == COLUMN_TIME ||
             d->schema.field[i].type == COLUMN_DATE))
            by = d->schema.field[i].name;
    ui_ask(
        s->ui,
        &(Ask){.title = "Drift part by part",
               .label = "by",
               .initial = by,
               .owner = s,
               .done = answered,
               .check = answer_fits,
               .about = "A column that orders the rows (ten parts), or how many rows a part has"});
}
