/* slices.c -- the validation error of parts of the rows, by the values of one column (slice=COLUMN), after each
 * epoch: points "val_slice VALUE" of the metric the task is judged by.
 *
 * Which slices there are is decided once, from the validation rows of the dataset as it is before the run's
 * recipe: the SLICES_MOST most frequent values of a column of words, of bools or of few numbers; else four ranges
 * with as many rows each. Rows that are missing there, or in no slice, count in none. */
#include "train_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLICES_MOST = 8, QUARTERS = 4, NAME_BYTES = 36, NO_SLICE = 255, DISTINCT_MOST = 4096 };

struct Slices {
    size_t count;
    char key[SLICES_MOST][64];
    uint8_t *of;           /* [validation rows] */
    double *value, *truth; /* of the rows of one slice */
};

/* ---- the column's values in the validation rows -------------------------------------------------------------- */

typedef void (*OnValue)(void *context, size_t i, const Column *c, size_t row);

static void each_value(Job *j, size_t column, OnValue on_value, void *context)
{
    Arena a = {0};
    const FeatureTable *t = &j->table;
    size_t rows = t->part[PART_VALID].rows, at = 0;
    for (size_t i = 0; i < dataset_chunks(j->dataset) && at < rows; i++) {
        Chunk c;
        dataset_chunk(j->dataset, i, &a, &c);
        for (; at < rows && t->row[PART_VALID][at] < c.first + c.rows; at++) {
            size_t row = (size_t)(t->row[PART_VALID][at] - c.first);
            if (column_has(&c.column[column], row))
                on_value(context, at, &c.column[column], row);
        }
        arena_reset(&a);
    }
    arena_release(&a);
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

typedef struct Word {
    char *text;
    size_t rows;
} Word;

typedef struct SliceWords {
    VEC(Word) word;
    Text scratch;
    bool many; /* too many different ones to count */
    uint8_t *of;
    char *kept[SLICES_MOST];
    size_t kepts;
} SliceWords;

static void print_value(SliceWords *w, const Column *c, size_t row)
{
    text_reset(&w->scratch);
    column_print(c, row, &w->scratch);
}

static void count_word(void *context, size_t i, const Column *c, size_t row)
{
    SliceWords *w = context;
    (void)i;
    if (w->many)
        return;
    print_value(w, c, row);
    for (size_t k = 0; k < w->word.count; k++)
        if (text_equal(w->word.at[k].text, text_str(&w->scratch))) {
            w->word.at[k].rows++;
            for (; k > 0 && w->word.at[k - 1].rows < w->word.at[k].rows;
                 k--) { /* frequent ones come first */
                Word less = w->word.at[k - 1];
                w->word.at[k - 1] = w->word.at[k];
                w->word.at[k] = less;
            }
            return;
        }
    w->many = w->word.count == DISTINCT_MOST;
    if (!w->many)
        vec_add(&w->word, (Word){text_copy(text_str(&w->scratch)), 1});
}

static void place_word(void *context, size_t i, const Column *c, size_t row)
{
    SliceWords *w = context;
    print_value(w, c, row);
    for (size_t k = 0; k < w->kepts; k++)
        if (text_equal(w->kept[k], text_str(&w->scratch)))
            w->of[i] = (uint8_t)k;
}

static int by_rows(const void *left, const void *right)
{
    const Word *a = left, *b = right;
    return a->rows != b->rows ? (a->rows < b->rows) - (a->rows > b->rows)
                              : strcmp(a->text, b->text);
}

static void name_slice(Slices *s, const char *name)
{
    char *key = s->key[s->count++];
    snprintf(key, sizeof s->key[0], "val_slice %.*s", (int)utf8_fit(name, strlen(name), NAME_BYTES),
             name);
    key[10 + NAME_BYTES] = 0; /* wide letters have more bytes */
    while (*key && !utf8_valid(key, strlen(key)))
        key[strlen(key) - 1] = 0;
}

static void slice_words(Job *j, Slices *s, size_t column, SliceWords *w)
{
    qsort(w->word.at, w->word.count, sizeof *w->word.at, by_rows);
    for (; w->kepts < w->word.count && w->kepts < SLICES_MOST; w->kepts++) {
        w->kept[w->kepts] = w->word.at[w->kepts].text;
        name_slice(s, *w->kept[w->kepts] ? w->kept[w->kepts] : "\"\"");
    }
    w->of = s->of;
    each_value(j, column, place_word, w);
}

/* ---- ranges ------------------------------------------------------------------------------------------------------ */

typedef struct Ranges {
    double *value;
    size_t n;
    double edge[QUARTERS - 1];
    uint8_t *of;
} Ranges;

static void take_number(void *context, size_t i, const Column *c, size_t row)
{
    Ranges *r = context;
    (void)i;
    double v = column_real(c, row);
    if (isfinite(v))
        r->value[r->n++] = v;
}

static void place_number(void *context, size_t i, const Column *c, size_t row)
{
    const Ranges *r = context;
    double v = column_real(c, row);
    size_t k = 0;
    while (k < QUARTERS - 1 && v >= r->edge[k])
        k++;
    if (isfinite(v))
        r->of[i] = (uint8_t)k;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void add_edge(ColumnType type, double v, Text *into)
{
    if (type == COLUMN_TIME || type == COLUMN_DATE)
        ((type == COLUMN_DATE) ? date_format((int32_t)v, into) : time_format((int64_t)v, into));
    else
        text_printf(into, "%.4g", v);
}

static void slice_numbers(Job *j, Slices *s, size_t column)
{
    ColumnType type = j->schema.field[column].type;
    Ranges r = {.of = s->of,
                .value = mem_alloc((j->table.part[PART_VALID].rows + 1) * sizeof(double))};
    each_value(j, column, take_number, &r);
    qsort(r.value, r.n, sizeof *r.value, ascending);
    for (size_t k = 0; k < QUARTERS - 1 && r.n; k++)
        r.edge[k] = r.value[r.n * (k + 1) / QUARTERS];
    for (size_t k = 0; k < QUARTERS && r.n; k++) {
        Text name = {0};
        text_puts(&name, k ? "" : "below ");
        text_puts(&name, k == QUARTERS - 1 ? "from " : "");
        if (k)
            add_edge(type, r.edge[k - 1], &name);
        text_puts(&name, k && k < QUARTERS - 1 ? " to " : "");
        if (k < QUARTERS - 1)
            add_edge(type, r.edge[k], &name);
        name_slice(s, text_str(&name));
        text_release(&name);
    }
    each_value(j, column, place_number, &r);
    mem_free(r.value);
}

/* ---- for the run ---------------------------------------------------------------------------------------------- */

bool slices_open(Job *j, Error *err)
{
    const char *name = j->spec.params.slice;
    size_t rows = j->table.part[PART_VALID].rows;
    if (!name || !*name || !rows)
        return true;
    if (j->series.time)
        return error_set(err, ERROR_USAGE, "slice=%s: forecasts of series are not judged by slices",
                         name);
    size_t column = schema_need(&j->schema, name, err);
    if (column == SIZE_MAX)
        return error_in(err, "slice");
    size_t each = features_shape(j->features)->outputs;
    Slices *s = j->slices = mem_alloc(sizeof *s);
    s->of = mem_try(rows + 1, err);
    s->value = s->of ? mem_try((rows * (each > 1 ? each : 1) + 1) * sizeof(double), err) : NULL;
    s->truth = s->value ? mem_try((rows + 1) * sizeof(double), err) : NULL;
    if (!s->truth)
        return false;
    memset(s->of, NO_SLICE, rows);
    SliceWords w = {0};
    ColumnType type = j->schema.field[column].type;
    each_value(j, column, count_word, &w);
    if (type == COLUMN_TEXT || type == COLUMN_BOOL || (!w.many && w.word.count <= SLICES_MOST))
        slice_words(j, s, column, &w);
    else
        slice_numbers(j, s, column);
    for (size_t i = 0; i < w.word.count; i++)
        mem_free(w.word.at[i].text);
    vec_release(&w.word);
    text_release(&w.scratch);
    return true;
}

void slices_close(Job *j)
{
    if (j->slices) {
        mem_free(j->slices->of);
        mem_free(j->slices->value);
        mem_free(j->slices->truth);
    }
    mem_free(j->slices);
    j->slices = NULL;
}

void slices_record(Job *j)
{
    Slices *s = j->slices;
    const ModelShape *shape = features_shape(j->features);
    const Metric *m = metric_main(shape->task);
    size_t rows = j->table.part[PART_VALID].rows, each = shape->outputs;
    for (size_t k = 0; s && k < s->count; k++) {
        size_t n = 0;
        for (size_t i = 0; i < rows; i++)
            if (s->of[i] == k) {
                memcpy(s->value + n * each, j->value + i * each, each * sizeof *s->value);
                s->truth[n++] = j->truth[i];
            }
        double v = n ? m->score(s->value, s->truth, n, shape->classes) : (double)NAN;
        if (isfinite(v))
            record_add(j, s->key[k], v);
    }
}
