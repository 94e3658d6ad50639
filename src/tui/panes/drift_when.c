/* drift_when.c -- drift within one table: the score of the column under the cursor in each chunk of the rows, with
 * the limit; and asking for it. */
#include "drift_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CHUNKS_MOST = 200 };

void drift_loaded_free(void *loaded)
{
    DriftLoaded *l = loaded;
    if (!l)
        return;
    drift_report_destroy(l->report);
    mem_free(l->span);
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

/* A moment at midnight is its day. */
static void copy_edge(const json_t *from, const char *key, char *into, size_t size)
{
    static const char midnight[] = " 00:00:00";
    copy(from, key, into, size);
    if (text_ends(into, midnight))
        into[strlen(into) - (sizeof midnight - 1)] = '\0';
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

static void take_chunk(DriftLoaded *l, size_t i, const json_t *chunk)
{
    DriftSpan *p = &l->span[i];
    const json_t *columns = json_object_get(chunk, "columns");
    copy_edge(chunk, "from", p->from, sizeof p->from);
    copy_edge(chunk, "to", p->to, sizeof p->to);
    p->rows = json_integer_value(json_object_get(chunk, "rows"));
    p->drifted_columns = json_integer_value(json_object_get(chunk, "drifted_columns"));
    p->drifted = json_is_true(json_object_get(chunk, "drifted"));
    for (size_t k = 0; k < json_array_size(columns); k++) {
        char name[80];
        copy(json_array_get(columns, k), "column", name, sizeof name);
        size_t at = place_of(l, name);
        if (at < l->columns) {
            l->score[at * l->spans + i] = number(json_array_get(columns, k), "statistic");
            l->limit[at * l->spans + i] = number(json_array_get(columns, k), "threshold");
        }
    }
}

DriftLoaded *drift_when_read(const json_t *report)
{
    DriftLoaded *l = mem_alloc(sizeof *l);
    const json_t *list = json_object_get(report, "chunks"), *parts = json_object_get(report, "parts"),
                 *columns = json_object_get(report, "columns");
    size_t n = json_array_size(list);
    copy(report, "time", l->by, sizeof l->by);
    if (!list) { /* a report of an earlier version */
        list = json_object_get(parts, "part");
        n = json_array_size(list);
        copy(parts, "by", l->by, sizeof l->by);
    }
    l->spans = n < CHUNKS_MOST ? n : CHUNKS_MOST;
    l->columns = json_array_size(columns);
    l->span = mem_alloc((l->spans + 1) * sizeof *l->span);
    l->name = mem_alloc((l->columns + 1) * sizeof *l->name);
    l->score = mem_alloc((l->columns * l->spans + 1) * sizeof *l->score);
    l->limit = mem_alloc((l->columns * l->spans + 1) * sizeof *l->limit);
    for (size_t i = 0; i < l->columns; i++)
        copy(json_array_get(columns, i), "column", l->name[i], sizeof l->name[0]);
    for (size_t i = 0; i < l->columns * l->spans; i++)
        l->score[i] = l->limit[i] = (double)NAN;
    for (size_t i = 0; i < l->spans; i++)
        take_chunk(l, i, json_array_get(list, i));
    return l;
}

bool drift_when_some(const DriftState *s)
{
    return s->loaded_from && s->loaded_from->spans > 1;
}

size_t drift_when_alarms(const DriftState *s)
{
    size_t n = 0;
    for (size_t i = 0; s->loaded_from && i < s->loaded_from->spans; i++)
        n += s->loaded_from->span[i].drifted;
    return n;
}

/* Above the limit a distance, below it a p value has drifted. */
static bool over(const DriftColumn *d, double score, double limit)
{
    return isfinite(score) && (d->test && d->test->p_value ? score < limit : score >= limit);
}

void drift_when_draw(const DriftState *s, const DriftColumn *d, const Canvas *c)
{
    const DriftLoaded *l = s->loaded_from;
    size_t at = place_of(l, d->name), drifted = 0, last = 0;
    double x[CHUNKS_MOST], *score = l->score + at * l->spans, *limit = l->limit + at * l->spans;
    if (at == l->columns)
        return;
    for (size_t i = 0; i < l->spans; i++) {
        x[i] = (double)i + 1;
        if (over(d, score[i], limit[i])) {
            drifted++;
            last = i;
        }
    }
    const DriftSpan *p = &l->span[drifted ? last : l->spans - 1];
    Text said = {0};
    text_printf(&said, "%zu of %zu chunks drifted; last %s %s %s%s%s", drifted, l->spans, p->from, glyph(c, GLYPH_ARROW),
                p->to, *l->by ? " of " : "", l->by);
    canvas_field(c, 0, 0, c->cols, ALIGN_LEFT, drifted ? STYLE_BAD : STYLE_GOOD, text_str(&said));
    text_release(&said);
    Canvas below = canvas_part(c, 1, 0, c->rows - 1, c->cols);
    ChartSeries series[] = {
        {.name = d->test && d->test->p_value ? "p value" : "score",
         .style = STYLE_AFTER,
         .x = x,
         .y = score,
         .n = l->spans},
        {.name = "limit", .style = STYLE_BAD, .x = x, .y = limit, .n = l->spans}};
    chart_draw(&below, &(Chart){.series = series,
                                .count = 2,
                                .x_name = "chunk",
                                .y_zero = true,
                                .empty = "this column was not judged by chunks"});
}

/* ---- asking --------------------------------------------------------------------------------------------------- */

/* What drift takes as chunk=, else a column's name. */
static bool is_chunk(const char *word, size_t n)
{
    char text[40];
    DriftChunks how;
    Error none;
    snprintf(text, sizeof text, "%.*s", (int)(n < 39 ? n : 39), word);
    return drift_chunks_read(&how, text, &none);
}

static bool answer_fits(void *owner, const char *text, Error *err)
{
    (void)owner;
    return text[strspn(text, " ")] || error_set(err, ERROR_USAGE, "how long a chunk is, or a column of the table to judge");
}

static void answered(void *owner, const char *text, Ui *ui)
{
    char more[240] = "";
    (void)ui;
    text += strspn(text, " ");
    size_t n = strcspn(text, " ");
    if (is_chunk(text, n)) {
        snprintf(more, sizeof more, "chunk=%.*s ", (int)(n < 30 ? n : 30), text);
        text += n + strspn(text + n, " ");
    }
    if (*text)
        snprintf(more + strlen(more), sizeof more - strlen(more), "\"time=%.150s\"", text);
    drift_compare(owner, more);
}

void drift_when_ask(DriftState *s)
{
    const OpenDataset *d = ui_dataset(s->ui);
    const char *by = "";
    for (size_t i = 0; d && i < d->schema.count; i++)
        if (!*by &&
            (d->schema.field[i].role == ROLE_TIMELINE || d->schema.field[i].type == COLUMN_TIME ||
             d->schema.field[i].type == COLUMN_DATE))
            by = d->schema.field[i].name;
    ui_ask(s->ui, &(Ask){.title = "Drift chunk by chunk",
                         .label = "chunks",
                         .initial = by,
                         .owner = s,
                         .done = answered,
                         .check = answer_fits,
                         .about = "500 (rows), 6h, 1d, week, month; or a column that orders the rows: ten chunks; or both"});
}
