/* watch_rows.c -- logged rows as columns: raw values for drift and recipes, numbers for tests over several. */
#include "watch_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool as_time(const json_t *v, int64_t *out)
{
    const char *s = json_string_value(v);
    char plain[64];
    if (!s || strlen(s) >= sizeof plain)
        return false;
    strcpy(plain, s);
    if (strlen(plain) > 10 && plain[10] == 'T')
        plain[10] = ' ';
    size_t n = strlen(plain);
    if (n && plain[n - 1] == 'Z')
        n--;
    return time_parse(plain, n, out);
}

/* A value that is none of its column is missing: what is logged was checked when it came. */
static void add_value(ColumnBuild *b, ColumnType type, const json_t *v)
{
    int64_t when;
    const char *s = json_string_value(v);
    if (!v || json_is_null(v) || (s && strcmp(s, WATCH_MASKED) == 0))
        column_build_missing(b);
    else if (type == COLUMN_TEXT && s)
        column_build_text(b, s, strlen(s));
    else if (type == COLUMN_BOOL && json_is_boolean(v))
        column_build_int(b, json_is_true(v));
    else if (type == COLUMN_INT && json_is_integer(v))
        column_build_int(b, json_integer_value(v));
    else if (type == COLUMN_INT && json_is_real(v) && fabs(json_real_value(v)) < 9e15)
        column_build_int(b, (int64_t)json_real_value(v));
    else if (type == COLUMN_REAL && json_is_number(v))
        column_build_real(b, json_number_value(v));
    else if (type == COLUMN_TIME && as_time(v, &when))
        column_build_int(b, when);
    else if (type == COLUMN_DATE && as_time(v, &when))
        column_build_int(b, when / INT64_C(86400000000) - (when % INT64_C(86400000000) < 0));
    else
        column_build_missing(b);
}

/* Feedback as a value of the target. */
static void add_truth(ColumnBuild *b, ColumnType type, const PredictionRow *r)
{
    const char *s = r->truth_said;
    int64_t when;
    if (!r->truth_time || (isnan(r->truth) && !*s))
        column_build_missing(b);
    else if (type == COLUMN_TEXT && *s)
        column_build_text(b, s, strlen(s));
    else if (type == COLUMN_BOOL && *s)
        column_build_int(b, strcmp(s, "true") == 0);
    else if (type == COLUMN_REAL)
        column_build_real(b, *s && isnan(r->truth) ? strtod(s, NULL) : r->truth);
    else if (type == COLUMN_INT && *s && text_to_int(s, strlen(s), &when))
        column_build_int(b, when);
    else if ((type == COLUMN_INT || type == COLUMN_BOOL) && isfinite(r->truth))
        column_build_int(b, (int64_t)llround(r->truth));
    else
        column_build_missing(b);
}

bool watch_rows_chunk(const Schema *schema, const char *target, const PredictionRow *rows, size_t n,
                      bool truths, Arena *a, Chunk *out, bool *sent, Error *err)
{
    json_t **row = mem_try((n + 1) * sizeof *row, err);
    Column *column = ARENA_NEW(a, Column, schema->count + 1);
    size_t columns = 0;
    if (!row)
        return false;
    for (size_t i = 0; i < n; i++)
        row[i] = json_loads(rows[i].inputs, 0, NULL); /* NULL: all is missing */
    for (size_t k = 0; k < schema->count; k++) {
        const Field *f = &schema->field[k];
        bool is_target = target && strcmp(f->name, target) == 0;
        if (sent)
            sent[k] = false;
        if (is_target && !truths)
            continue;
        ColumnBuild *b = column_build(a, f->name, f->type, n);
        for (size_t i = 0; i < n; i++) {
            const json_t *v = json_object_get(row[i], f->name);
            if (sent && v && !is_target && !text_equal(json_string_value(v), WATCH_MASKED))
                sent[k] = true;
            if (is_target)
                add_truth(b, f->type, &rows[i]);
            else
                add_value(b, f->type, v);
        }
        column_build_finish(b, &column[columns++]);
    }
    for (size_t i = 0; i < n; i++)
        json_decref(row[i]);
    mem_free(row);
    *out = (Chunk){.rows = n, .columns = columns, .column = column};
    return true;
}

/* ---- as numbers ------------------------------------------------------------------------------------------ */

static double code_of(const WatchWords *w, const char *s, size_t n)
{
    size_t low = 0, high = w->count;
    while (low < high) {
        size_t middle = (low + high) / 2, length = strlen(w->word[middle]);
        int order = memcmp(s, w->word[middle], n < length ? n : length);
        if (order == 0 && n == length)
            return (double)middle;
        if (order < 0 || (order == 0 && n < length))
            high = middle;
        else
            low = middle + 1;
    }
    return (double)w->count;
}

void watch_matrix(const WatchModel *m, const Chunk *c, const size_t *which, size_t n, Arena *a,
                  DriftMatrix *out)
{
    size_t columns = which ? n : m->inputs;
    const double **column = ARENA_NEW(a, const double *, columns + 1);
    bool *label = ARENA_NEW(a, bool, columns + 1);
    for (size_t k = 0; k < columns; k++) {
        const WatchInput *in = &m->input[which ? which[k] : k];
        const Column *from = chunk_find(c, in->name);
        double *to = arena_raw(a, (c->rows + 1) * sizeof *to);
        label[k] = in->type == COLUMN_TEXT || in->type == COLUMN_BOOL;
        for (size_t i = 0; i < c->rows; i++) {
            size_t size;
            if (!from || !column_has(from, i))
                to[i] = (double)NAN;
            else if (from->type == COLUMN_TEXT) {
                const char *s = column_text(from, i, &size);
                to[i] = code_of(&in->words, s, size);
            } else
                to[i] = column_real(from, i);
        }
        column[k] = to;
    }
    *out = (DriftMatrix){.rows = c->rows, .columns = columns, .column = column, .label = label};
}
