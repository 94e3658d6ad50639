/* predict_sink.c -- predictions on their way out: a row of CSV, a line of JSON, or the verb's result;
 * and, where the source knows the truth, how good they are. */
#include "predict_int.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STRETCHES     16  /* of a chunk, printed side by side */
#define STRETCH_LEAST 512 /* rows */

/* ---- one row ------------------------------------------------------------------------------------ */

/* A model computes in float: more digits than these would pretend. */
static void add_number(double v, Text *into)
{
    text_printf(into, "%.7g", v);
}

static void csv_header(const Sink *k, Text *into)
{
    text_puts(into, "row,prediction");
    if (k->shape->task == TASK_BINARY)
        text_puts(into, ",probability");
    for (size_t i = 0; k->shape->task == TASK_MULTICLASS && i < k->shape->classes; i++) {
        Text name = {0};
        text_printf(&name, "p_%s", features_class(k->features, i));
        text_putc(into, ',');
        csv_print_field(text_str(&name), name.count, ',', into);
        text_release(&name);
    }
    for (size_t i = 0; i < k->withs; i++) {
        text_putc(into, ',');
        csv_print_field(k->with[i], strlen(k->with[i]), ',', into);
    }
    text_putc(into, '\n');
}

/* The class said for a row; a binary one at even odds. */
static const char *said(const Sink *k, const Prediction *p)
{
    return features_class(k->features, (size_t)p->class);
}

static void csv_row(const Sink *k, uint64_t row, const Prediction *p, const Chunk *c, size_t at,
                    Text *into)
{
    text_printf(into, "%llu,", (unsigned long long)row);
    if (p->kept && k->shape->task == TASK_REGRESSION)
        add_number(p->value, into);
    else if (p->kept)
        csv_print_field(said(k, p), strlen(said(k, p)), ',', into);
    if (k->shape->task == TASK_BINARY) {
        text_putc(into, ',');
        if (p->kept)
            add_number(p->value, into);
    }
    for (size_t i = 0; k->shape->task == TASK_MULTICLASS && i < k->shape->classes; i++) {
        text_putc(into, ',');
        if (p->kept)
            add_number((double)p->share[i], into);
    }
    for (size_t i = 0; i < k->withs; i++) {
        Text cell = {0};
        const Column *column = chunk_find(c, k->with[i]);
        if (column)
            column_print(column, at, &cell);
        text_putc(into, ',');
        csv_print_field(text_str(&cell), cell.count, ',', into);
        text_release(&cell);
    }
    text_putc(into, '\n');
}

static json_t *json_row(const Sink *k, uint64_t row, const Prediction *p, const Chunk *c, size_t at)
{
    json_t *o = json_object();
    result_int(o, "row", (int64_t)row);
    if (!p->kept)
        json_object_set_new(o, "prediction", json_null());
    else if (k->shape->task == TASK_REGRESSION)
        result_real(o, "prediction", p->value);
    else
        result_text(o, "prediction", said(k, p));
    if (!p->kept)
        result_int(o, "dropped_by", p->dropped_by);
    else if (k->shape->task != TASK_REGRESSION)
        result_real(o, "probability", p->value);
    for (size_t i = 0; i < k->withs; i++) {
        Text cell = {0};
        const Column *column = chunk_find(c, k->with[i]);
        if (column)
            column_print(column, at, &cell);
        result_text(o, k->with[i], text_str(&cell));
        text_release(&cell);
    }
    return o;
}

/* ---- the truth, where the source has it ----------------------------------------------------------- */

static double truth_of(const Sink *k, const Column *target, size_t row)
{
    if (!target || !column_has(target, row))
        return (double)NAN;
    if (k->shape->task == TASK_REGRESSION)
        return column_real(target, row);
    Text cell = {0};
    double found = (double)NAN;
    column_print(target, row, &cell);
    for (size_t i = 0; i < k->shape->classes; i++)
        if (strcmp(features_class(k->features, i), text_str(&cell)) == 0)
            found = (double)i;
    text_release(&cell);
    return found;
}

static bool keep_truth(Sink *k, const Prediction *p, double truth, Error *err)
{
    bool ok = true;
    if (!p->kept || isnan(truth))
        return true;
    if (k->shape->task == TASK_MULTICLASS)
        for (size_t i = 0; ok && i < k->shape->classes; i++)
            ok = tape_add(&k->value, (double)p->share[i], err);
    else
        ok = tape_add(&k->value, p->value, err);
    return ok && tape_add(&k->truth, truth, err);
}

/* ---- into the file ------------------------------------------------------------------------------------ */

bool sink_put(Sink *k, const Text *text, Error *err)
{
    return fwrite(text_str(text), 1, text->count, k->file) == text->count ||
           error_set(err, ERROR_IO, "could not write the predictions: %s", strerror(errno));
}

void sink_json_line(const json_t *row, Text *into)
{
    char *line = json_dumps(row, JSON_COMPACT | JSON_REAL_PRECISION(7));
    text_puts(into, line ? line : "{}");
    text_putc(into, '\n');
    free(line);
}

static void add_json(json_t *takes, Text *into)
{
    sink_json_line(takes, into);
    json_decref(takes);
}

bool sink_begin(Sink *k, Error *err)
{
    Text head = {0};
    if (k->form == PREDICT_CSV && k->shape->series)
        forecast_header(k, &head);
    else if (k->form == PREDICT_CSV)
        csv_header(k, &head);
    bool ok = sink_put(k, &head, err);
    text_release(&head);
    return ok;
}

/* A stretch of a chunk's rows, as text. */
typedef struct Printing {
    const Sink *sink;
    const Chunk *chunk;
    const Prediction *said;
    Text text[STRETCHES];
    size_t rows; /* of a stretch */
} Printing;

static void print_stretch(void *job, size_t i, size_t worker)
{
    Printing *p = job;
    size_t from = i * p->rows, end = from + p->rows < p->chunk->rows ? from + p->rows : p->chunk->rows;
    for (size_t at = from; at < end; at++) {
        uint64_t row = p->sink->count + at;
        if (p->sink->form == PREDICT_JSONL)
            add_json(json_row(p->sink, row, &p->said[at], p->chunk, at), &p->text[i]);
        else
            csv_row(p->sink, row, &p->said[at], p->chunk, at, &p->text[i]);
    }
    (void)worker;
}

/* Stretches are printed side by side and written in their order. */
static bool print_all(Sink *k, const Chunk *c, const Prediction *said, Error *err)
{
    Printing p = {.sink = k, .chunk = c, .said = said, .rows = (c->rows + STRETCHES - 1) / STRETCHES};
    p.rows = p.rows < STRETCH_LEAST ? STRETCH_LEAST : p.rows;
    size_t count = (c->rows + p.rows - 1) / p.rows;
    bool ok = true;
    pool_run(count > 1 ? k->pool : NULL, count, print_stretch, &p);
    for (size_t i = 0; i < count; i++) {
        ok = ok && sink_put(k, &p.text[i], err);
        text_release(&p.text[i]);
    }
    return ok;
}

bool sink_add(Sink *k, const Chunk *c, const Prediction *p, Error *err)
{
    bool ok = true;
    const Column *target = chunk_find(c, features_target(k->features));
    for (size_t i = 0; ok && i < c->rows; i++) {
        k->dropped += !p[i].kept;
        ok = keep_truth(k, &p[i], truth_of(k, target, i), err);
        if (!k->file)
            json_array_append_new(k->rows, json_row(k, k->count + i, &p[i], c, i));
    }
    ok = ok && (!k->file || print_all(k, c, p, err));
    k->count += c->rows;
    return ok;
}

/* A line that cannot be read gets no prediction; that is counted and said, with its line. Among lines
 * of JSON it is said in its place. */
void sink_reject(void *context, const Reject *r)
{
    Sink *k = context;
    Text text = {0};
    json_t *row = json_object();
    result_int(row, "line", (int64_t)r->line);
    result_text(row, "reason", r->reason);
    if (k->rejects++ < 5)
        json_array_append(k->first_rejects, row);
    if (k->file && k->form == PREDICT_JSONL) {
        add_json(json_incref(row), &text);
        sink_put(k, &text, NULL); /* a full disk is noticed at the next row, or at the end */
    }
    json_decref(row);
    text_release(&text);
}

bool sink_metrics(Sink *k, json_t *into, Error *err)
{
    size_t n = (size_t)tape_count(&k->truth);
    if (n == 0)
        return true;
    const double *value = tape_read(&k->value, err), *truth = value ? tape_read(&k->truth, err) : NULL;
    for (const Metric *const *m = metrics; truth && *m; m++)
        if ((*m)->tasks >> k->shape->task & 1)
            result_real(into, (*m)->name, (*m)->score(value, truth, n, k->shape->classes));
    return truth != NULL;
}

void sink_columns(Sink *k, const char *with, Arena *a)
{
    char *rest = arena_text(a, with), *name;
    while ((name = strsep(&rest, ",")) && k->withs < 64)
        if (*name)
            k->with[k->withs++] = name;
}
