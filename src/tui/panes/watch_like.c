/* watch_like.c -- the row most like a prediction's, to the model, among those it could learn from, and the line of the
 * source it was read from. Both rows go through the model's recipes; what the model looks at is compared. */
#include "watch_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- how far apart two rows are ---------------------------------------------------------------------------------------- */

/* Two values: in deviations; other words 1. */
static double apart(const Column *x, const Column *y, size_t row, double deviation)
{
    size_t n, m;
    if (!column_has(x, 0) || !column_has(y, row))
        return column_has(x, 0) == column_has(y, row) ? 0 : 1;
    if (x->type != y->type)
        return 1;
    if (x->type == COLUMN_TEXT) {
        const char *s = column_text(x, 0, &n), *t = column_text(y, row, &m);
        return n == m && memcmp(s, t, n) == 0 ? 0 : 1;
    }
    double d = (column_real(x, 0) - column_real(y, row)) / (deviation > 0 ? deviation : 1);
    return isfinite(d) ? d * d : 1;
}

static double deviation_of(const Column *c, size_t rows)
{
    double mean = 0, square = 0, n = 0;
    for (size_t i = 0; c->type != COLUMN_TEXT && i < rows; i++) { /* Welford (1962) */
        double v = column_has(c, i) ? column_real(c, i) : (double)NAN;
        if (!isfinite(v))
            continue;
        double d = v - mean;
        mean += d / ++n;
        square += d * (v - mean);
    }
    return n > 1 ? sqrt(square / (n - 1)) : 0;
}

typedef struct Search {
    const Features *features;
    const Chunk *row;   /* as the model takes it */
    double *deviation;  /* [inputs], of the first chunk; NULL: not known yet */
    uint64_t at;        /* the nearest so far: a row of the root */
    double distance;
} Search;

static void compare(Search *s, const Chunk *c, Arena *kept, Arena *a)
{
    size_t inputs = features_inputs(s->features);
    double *sum = ARENA_NEW(a, double, c->rows + 1);
    bool first = !s->deviation && c->rows;
    if (first)
        s->deviation = ARENA_NEW(kept, double, inputs + 1);
    for (size_t i = 0; i < inputs; i++) {
        const Column *mine = chunk_find(s->row, features_input(s->features, i)), *theirs = chunk_find(c, features_input(s->features, i));
        if (!mine || !theirs)
            continue;
        if (first)
            s->deviation[i] = deviation_of(theirs, c->rows);
        for (size_t n = 0; n < c->rows; n++)
            sum[n] += apart(mine, theirs, n, s->deviation[i]);
    }
    for (size_t n = 0; n < c->rows; n++)
        if (sum[n] < s->distance) {
            s->distance = sum[n];
            s->at = chunk_origin(c, n);
        }
}

/* Rows that a rule drops were not learnt from. */
static bool nearest(JobContext *j, const Bundle *b, const Dataset *d, const Chunk *row, Arena *kept, Search *out)
{
    Arena a = {0};
    Error err = {0};
    bool ok = true;
    *out = (Search){.features = bundle_features(b), .row = row, .distance = INFINITY};
    progress_begin(job_progress(j), "comparing", "rows", dataset_rows(d));
    for (size_t i = 0; ok && i < dataset_chunks(d) && !job_stopped(j); i++) {
        Chunk now, next;
        dataset_chunk(d, i, &a, &now);
        size_t rows = now.rows;
        for (size_t plan = 0; ok && plan < bundle_plans(b); plan++, now = next)
            ok = plan_apply(bundle_plan(b, plan), NULL, &now, &a, &next, &err);
        if (ok)
            compare(out, &now, kept, &a);
        progress_add(job_progress(j), rows);
        arena_reset(&a);
    }
    arena_release(&a);
    return ok && !job_stopped(j) && isfinite(out->distance);
}

/* ---- where a row was read ------------------------------------------------------------------------------------------------ */

const char *watch_grown_from(const DatasetRow *row, Arena *a)
{
    json_t *j = *row->sniffed ? json_loads(row->sniffed, 0, NULL) : NULL;
    const char *from = json_string_value(json_object_get(j, "grown_from"));
    from = from ? arena_text(a, from) : "";
    json_decref(j);
    return from;
}

/* How many rows of that one it has, its newest; then come those of the log. */
static uint64_t kept_of(const DatasetRow *row, uint64_t older)
{
    json_t *j = *row->sniffed ? json_loads(row->sniffed, 0, NULL) : NULL, *kept = json_object_get(j, "kept");
    uint64_t n = json_is_integer(kept) && json_integer_value(kept) >= 0 ? (uint64_t)json_integer_value(kept) : older;
    json_decref(j);
    return n < older ? n : older;
}

/* Lines of text as they are read, not gzip, zstd, or a file of columns. */
static FILE *open_text(const char *path)
{
    unsigned char head[4] = {0};
    FILE *in = strstr(path, "://") ? NULL : fopen(path, "re");
    if (!in)
        return NULL;
    size_t n = fread(head, 1, sizeof head, in);
    rewind(in);
    bool packed = (head[0] == 0x1f && head[1] == 0x8b) || (head[0] == 0x28 && head[1] == 0xb5) || memchr(head, 0, n) ||
                  memcmp(head, "PAR1", 4) == 0 || memcmp(head, "ARRO", 4) == 0;
    if (n && !packed)
        return in;
    fclose(in);
    return NULL;
}

typedef struct Lines {
    FILE *in;
    char *text; /* the line read last */
    size_t room;
    uint64_t number; /* and its number, from 1 */
} Lines;

static bool next_line(Lines *l)
{
    bool more = getline(&l->text, &l->room, l->in) >= 0;
    l->number += more;
    return more;
}

static bool open_quote(const char *text, char quote)
{
    bool open = false;
    for (; quote && *text; text++)
        open ^= *text == quote;
    return open;
}

/* Goes to the row-th row of a table of text: behind what stands before it, without rejected and empty lines; a row ends
 * where its quotes are closed. Its first line's number and text; 0: it is not there. */
static uint64_t find_row(Lines *l, const DatasetRow *of, uint64_t row, const RejectRow *rejects, size_t n, Text *into)
{
    json_t *sniffed = json_loads(of->sniffed, 0, NULL), *header = json_object_get(sniffed, "header");
    const char *quoted = json_string_value(json_object_get(sniffed, "quote"));
    char quote = quoted && strlen(quoted) == 1 ? *quoted : 0;
    bool named = !json_is_false(header) && !text_equal(json_string_value(header) ? json_string_value(header) : "yes", "no");
    uint64_t before = (uint64_t)json_integer_value(json_object_get(sniffed, "skip")) + named, at = 0;
    size_t reject = 0;
    json_decref(sniffed);
    while (l->number < before)
        if (!next_line(l))
            return 0;
    while (next_line(l)) {
        uint64_t first = l->number;
        while (reject < n && rejects[reject].line < (int64_t)first)
            reject++;
        if (reject < n && rejects[reject].line == (int64_t)first)
            continue;
        if (!l->text[strcspn(l->text, "\r\n")] && strspn(l->text, "\r\n"))
            continue;
        if (at == row)
            text_add(into, l->text, strcspn(l->text, "\r\n"));
        for (bool open = open_quote(l->text, quote); open && next_line(l);)
            open ^= open_quote(l->text, quote);
        if (at++ == row)
            return first;
    }
    return 0;
}

static void print_place(Store *s, const DatasetRow *of, uint64_t row, bool private, Arena *a, Text *into)
{
    Lines lines = {.in = open_text(of->source)};
    RejectRow *rejects;
    size_t n = 0;
    Text text = {0};
    if (!store_rejects(s, of->hash, 1000000, a, &rejects, &n, NULL))
        n = 0;
    uint64_t line = lines.in ? find_row(&lines, of, row, rejects, n, &text) : 0;
    if (line)
        text_printf(into, "     source line %llu of %s%s\n", (unsigned long long)line, of->source,
                    private ? ", not shown: it has private columns" : "");
    else
        text_printf(into, "     source row %llu of %s\n", (unsigned long long)row + 1, of->source);
    if (line && !private && utf8_valid(text_str(&text), text.count))
        text_printf(into, "     %s\n", text_str(&text));
    if (lines.in)
        fclose(lines.in);
    free(lines.text);
    text_release(&text);
}

/* Through the tables it grew from: the first rows of one are the last of the older. */
static void print_source(Store *s, const DatasetRow *of, uint64_t row, bool private, Arena *a, Text *into)
{
    DatasetRow now = *of;
    for (const char *from; *(from = watch_grown_from(&now, a));) {
        DatasetRow older;
        Error gone = {0};
        if (!store_dataset_find(s, from, a, &older, &gone))
            return;
        uint64_t kept = kept_of(&now, (uint64_t)older.rows);
        if (row >= kept) {
            text_printf(into, "     an earlier prediction and its feedback, row %llu of those that joined %s\n",
                        (unsigned long long)(row - kept) + 1, now.name);
            return;
        }
        row += (uint64_t)older.rows - kept;
        now = older;
    }
    print_place(s, &now, row, private, a, into);
}

/* ---- both -------------------------------------------------------------------------------------------------------------- */

static void print_row(const Dataset *d, uint64_t at, const Schema *schema, Arena *a, Text *into)
{
    Chunk chunk;
    Error none = {0};
    size_t in_chunk, chunk_at = dataset_locate(d, at, &in_chunk);
    Text value = {0};
    if (!dataset_read(d, chunk_at, a, &chunk, &none))
        return;
    for (size_t k = 0; k < chunk.columns; k++) {
        text_reset(&value);
        size_t of = schema_find(schema, chunk.column[k].name);
        if (of == SIZE_MAX || schema->field[of].private)
            text_puts(&value, "***");
        else
            column_print(&chunk.column[k], in_chunk, &value);
        text_printf(into, "     %-28s %s\n", chunk.column[k].name, text_str(&value));
    }
    text_release(&value);
}

void watch_print_like(JobContext *c, Store *s, const Bundle *b, const DatasetRow *root, const Chunk *row, Arena *a, Text *into)
{
    Error none = {0};
    Chunk clean;
    Search like;
    Dataset *d = dataset_open(store_path(s, a, "datasets/%s.arrow", root->hash), &none);
    if (d && bundle_clean(b, row, 0, a, &clean, &none) && clean.rows && nearest(c, b, d, &clean, a, &like)) {
        Schema schema = {0};
        bool private = !run_schema(s, root->hash, &schema, &none);
        for (size_t k = 0; k < schema.count; k++)
            private |= schema.field[k].private;
        text_printf(into, "\nmost like it  row %llu of %s, to the model (distance %.3g deviations)\n", (unsigned long long)like.at + 1,
                    root->name, sqrt(like.distance));
        print_source(s, root, like.at, private, a, into);
        print_row(d, like.at, &schema, a, into);
        schema_release(&schema);
    }
    dataset_close(d);
}
