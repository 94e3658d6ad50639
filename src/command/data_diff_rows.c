/* data_diff_rows.c -- which rows of two datasets are the same, whatever their order.
 *
 * Each row becomes an entry: the hash of its key, the hash of its values, its number. Sorted by key (and
 * number), the entries of both sides are walked side by side: a key on one side alone is a row removed
 * or added, one on both sides a row that stayed or changed. Without a key the values are the key. Hashes
 * have 64 bits: of a hundred million rows two different ones are taken for equal with a chance below one
 * in a thousand. Values are compared as the same number, time or text; of two types, as they are printed. */
#include "data_diff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHANGED_MOST 200000 /* changed rows in which columns are looked at; of more, these */

typedef struct Entry { uint64_t key, hash, row; } Entry;

/* How the values of a column on both sides become comparable. */
typedef enum How { HOW_BITS, HOW_REAL, HOW_TEXT, HOW_PRINTED } How;

typedef struct Pair {           /* a column that both have */
    const char *name;
    size_t at[2];
    How how;
    bool key;
} Pair;

typedef struct Compare {
    const DiffRows *asked;
    const DiffSide *side[2];
    Pair *pair;
    size_t pairs, keys;
    Arena arena;
    Arena views;
    Chunk *chunk[2];            /* all chunks, as views */
    Entry *entry[2];
    size_t rows[2];
    Scratch *scratch;
} Compare;

/* ---- columns -------------------------------------------------------------------------------------- */

static How how_of(ColumnType a, ColumnType b)
{
    bool numbers = (a == COLUMN_INT || a == COLUMN_REAL) && (b == COLUMN_INT || b == COLUMN_REAL);
    if (a == COLUMN_TEXT && b == COLUMN_TEXT)
        return HOW_TEXT;
    if (numbers && (a == COLUMN_REAL || b == COLUMN_REAL))
        return HOW_REAL;
    return a == b ? HOW_BITS : HOW_PRINTED;
}

static bool pair_columns(Compare *c, Error *err)
{
    const Schema *a = c->side[0]->schema, *b = c->side[1]->schema;
    c->pair = ARENA_NEW(&c->arena, Pair, a->count + 1);
    for (size_t i = 0; i < a->count; i++) {
        size_t k = schema_find(b, a->field[i].name);
        if (k != SIZE_MAX)
            c->pair[c->pairs++] = (Pair){a->field[i].name, {i, k},
                                         how_of(a->field[i].type, b->field[k].type), false};
    }
    char *rest = arena_text(&c->arena, c->asked->key), *name;
    while (*c->asked->key && (name = strsep(&rest, ",")) != NULL) {
        size_t at = schema_need(a, name, err);
        if (at == SIZE_MAX || schema_need(b, name, err) == SIZE_MAX)
            return error_in(err, "key");
        for (size_t i = 0; i < c->pairs; i++)
            if (c->pair[i].at[0] == at && !c->pair[i].key) {
                c->pair[i].key = true;
                c->keys++;
            }
    }
    return true;
}

/* ---- hashes --------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t x) /* splitmix64 */
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static uint64_t hash_real(double x)
{
    uint64_t bits;
    x = x == 0.0 ? 0.0 : isnan(x) ? (double)NAN : x; /* -0 is 0; one NaN is as good as another */
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static int64_t bits_of(const Column *c, size_t row)
{
    switch (c->type) {
    case COLUMN_BOOL:
        return bit_get(c->bit, row);
    case COLUMN_DATE:
        return c->day[row];
    case COLUMN_REAL:
        return (int64_t)hash_real(c->real[row]);
    default:
        return c->integer[row];
    }
}

static uint64_t value_hash(const Column *c, How how, size_t row, Text *text)
{
    size_t n;
    const char *s;
    switch (how) {
    case HOW_BITS:
        return (uint64_t)bits_of(c, row);
    case HOW_REAL:
        return hash_real(column_real(c, row));
    case HOW_TEXT:
        s = column_text(c, row, &n);
        return hash_bytes(s, n, 1);
    default:
        text_reset(text);
        column_print(c, row, text);
        return hash_bytes(text_str(text), text->count, 2);
    }
}

/* Text with words: one hash a word. NULL: it is none. */
static uint64_t *word_hashes(const Column *c, How how, Arena *a)
{
    if (how != HOW_TEXT || !c->words || c->words->count > 2 * c->rows + 64)
        return NULL;
    uint64_t *of = ARENA_NEW(a, uint64_t, c->words->count + 1);
    for (size_t w = 0; w < c->words->count; w++)
        of[w] = hash_bytes(c->words->bytes + c->words->start[w],
                           (size_t)(c->words->start[w + 1] - c->words->start[w]), 1);
    return of;
}

static void add_column(const Column *c, const Pair *p, Entry *e, Arena *a)
{
    Text text = {0};
    const uint64_t *word = word_hashes(c, p->how, a);
    for (size_t i = 0; i < c->rows; i++) {
        uint64_t v = !column_has(c, i) ? UINT64_C(0x6d697373)
                     : word            ? mix(word[c->code[i]])
                                       : mix(value_hash(c, p->how, i, &text));
        if (p->key)
            e[i].key = mix(e[i].key ^ v);
        else
            e[i].hash = mix(e[i].hash ^ v);
    }
    text_release(&text);
}

typedef struct Hashing { Compare *compare; size_t side; } Hashing;

static void hash_chunk(void *job, size_t i, size_t worker)
{
    const Hashing *h = job;
    Compare *c = h->compare;
    const Chunk *chunk = &c->chunk[h->side][i];
    Entry *e = c->entry[h->side] + chunk->first;
    Arena arena = {0};
    for (size_t k = 0; k < chunk->rows; k++)
        e[k] = (Entry){.row = chunk->first + k};
    for (size_t k = 0; k < c->pairs; k++)
        add_column(&chunk->column[c->pair[k].at[h->side]], &c->pair[k], e, &arena);
    for (size_t k = 0; !c->keys && k < chunk->rows; k++)
        e[k].key = e[k].hash;
    progress_add(c->asked->progress, chunk->rows);
    arena_release(&arena);
    (void)worker;
}

static int by_key(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static void sort_side(void *job, size_t side, size_t worker)
{
    Compare *c = job;
    if (c->rows[side] > 1)
        qsort(c->entry[side], c->rows[side], sizeof(Entry), by_key);
    (void)worker;
}

static bool make_entries(Compare *c, Error *err)
{
    for (size_t side = 0; side < 2; side++) {
        const Dataset *d = c->side[side]->dataset;
        size_t chunks = dataset_chunks(d);
        c->rows[side] = (size_t)dataset_rows(d);
        c->entry[side] = scratch_take(c->scratch, c->rows[side] * sizeof(Entry), err);
        if (!c->entry[side])
            return error_in(err, "comparing rows");
        c->chunk[side] = ARENA_NEW(&c->arena, Chunk, chunks + 1);
        for (size_t i = 0; i < chunks; i++)
            dataset_chunk(d, i, &c->views, &c->chunk[side][i]);
        Hashing h = {c, side};
        pool_run(c->asked->pool, chunks, hash_chunk, &h);
        if (progress_stopped(c->asked->progress))
            return error_set(err, ERROR_STOP, "diff: stopped on request");
    }
    pool_run(c->asked->pool, 2, sort_side, c);
    return true;
}

/* ---- side by side ------------------------------------------------------------------------------------ */

typedef struct Changed { uint64_t row[2]; } Changed;

typedef struct Found {
    uint64_t same, added, removed, changed;
    VEC(uint64_t) example[2];   /* removed, added */
    VEC(Changed) pair;
} Found;

static void note_alone(Found *f, const Compare *c, size_t side, const Entry *e)
{
    *(side ? &f->added : &f->removed) += 1;
    if (f->example[side].count < c->asked->examples)
        vec_add(&f->example[side], e->row);
}

static void note_both(Found *f, const Entry *a, const Entry *b)
{
    if (a->hash == b->hash) {
        f->same++;
        return;
    }
    f->changed++;
    if (f->pair.count < CHANGED_MOST)
        vec_add(&f->pair, (Changed){{a->row, b->row}});
}

static void walk(const Compare *c, Found *f)
{
    const Entry *a = c->entry[0], *b = c->entry[1];
    size_t i = 0, k = 0;
    while (i < c->rows[0] || k < c->rows[1]) {
        if (k == c->rows[1] || (i < c->rows[0] && a[i].key < b[k].key)) {
            note_alone(f, c, 0, &a[i++]);
        } else if (i == c->rows[0] || b[k].key < a[i].key) {
            note_alone(f, c, 1, &b[k++]);
        } else {
            note_both(f, &a[i++], &b[k++]);
        }
    }
}

/* How many rows repeat a key that a row before them has. */
static uint64_t repeats(const Compare *c, size_t side)
{
    uint64_t n = 0;
    for (size_t i = 1; i < c->rows[side]; i++)
        n += c->entry[side][i].key == c->entry[side][i - 1].key;
    return n;
}

/* ---- what is shown ----------------------------------------------------------------------------------- */

static const Column *column_at(const Compare *c, size_t side, size_t column, uint64_t row, size_t *in)
{
    size_t chunk = dataset_locate(c->side[side]->dataset, row, in);
    return &c->chunk[side][chunk].column[column];
}

static bool differs(const Compare *c, const Pair *p, const Changed *rows, Text text[2])
{
    size_t at[2];
    const Column *a = column_at(c, 0, p->at[0], rows->row[0], &at[0]);
    const Column *b = column_at(c, 1, p->at[1], rows->row[1], &at[1]);
    if (!column_has(a, at[0]) || !column_has(b, at[1]))
        return column_has(a, at[0]) != column_has(b, at[1]);
    return value_hash(a, p->how, at[0], &text[0]) != value_hash(b, p->how, at[1], &text[1]);
}

static void print_cell(const Compare *c, size_t side, size_t column, uint64_t row, Text *into)
{
    size_t in;
    const Column *of = column_at(c, side, column, row, &in);
    text_reset(into);
    if (column_has(of, in))
        column_print(of, in, into);
    else
        text_puts(into, "(missing)");
}

static int larger_first(const void *a, const void *b)
{
    json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "rows"));
    json_int_t y = json_integer_value(json_object_get(*(json_t *const *)b, "rows"));
    return (x < y) - (x > y);
}

/* Columns of changed rows by how often they differ, the most often first. */
static json_t *changed_columns(const Compare *c, const Found *f)
{
    Text text[2] = {0};
    json_t **list = mem_alloc((c->pairs + 1) * sizeof *list), *table = json_array();
    size_t n = 0;
    for (size_t k = 0; k < c->pairs; k++) {
        int64_t rows = 0;
        for (size_t i = 0; !c->pair[k].key && i < f->pair.count; i++)
            rows += differs(c, &c->pair[k], &f->pair.at[i], text);
        if (rows == 0)
            continue;
        list[n] = json_object();
        result_text(list[n], "column", c->pair[k].name);
        result_int(list[n++], "rows", rows);
    }
    qsort(list, n, sizeof *list, larger_first);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(table, list[i]);
    text_release(&text[0]);
    text_release(&text[1]);
    mem_free(list);
    return table;
}

/* The row's key, or all that both sides have of it. */
static json_t *example(const Compare *c, const char *change, size_t side, uint64_t row)
{
    json_t *o = json_object();
    Text text = {0};
    result_text(o, "change", change);
    result_int(o, "row", (int64_t)row);
    for (size_t k = 0; k < c->pairs; k++) {
        if (c->keys && !c->pair[k].key)
            continue;
        print_cell(c, side, c->pair[k].at[side], row, &text);
        result_text(o, c->pair[k].name, text_str(&text));
    }
    text_release(&text);
    return o;
}

/* "fare: 3.5 -> 4; tip: (missing) -> 1" */
static void describe(const Compare *c, const Changed *rows, Text *into)
{
    Text text[2] = {0};
    for (size_t k = 0; k < c->pairs; k++) {
        if (c->pair[k].key || !differs(c, &c->pair[k], rows, text))
            continue;
        for (size_t side = 0; side < 2; side++)
            print_cell(c, side, c->pair[k].at[side], rows->row[side], &text[side]);
        text_printf(into, "%s%s: %s -> %s", into->count ? "; " : "", c->pair[k].name,
                    text_str(&text[0]), text_str(&text[1]));
    }
    text_release(&text[0]);
    text_release(&text[1]);
}

static json_t *examples(const Compare *c, const Found *f)
{
    static const char *const change[] = {"removed", "added"};
    json_t *table = json_array();
    Text what = {0};
    for (size_t i = 0; i < f->pair.count && i < c->asked->examples; i++) {
        json_t *o = example(c, "changed", 1, f->pair.at[i].row[1]);
        text_reset(&what);
        describe(c, &f->pair.at[i], &what);
        result_text(o, "what", text_str(&what));
        json_array_append_new(table, o);
    }
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < f->example[side].count; i++)
            json_array_append_new(table, example(c, change[side], side, f->example[side].at[i]));
    text_release(&what);
    return table;
}

static void report(const Compare *c, const Found *f, json_t *into)
{
    json_t *rows = json_object();
    result_int(rows, "same", (int64_t)f->same);
    result_int(rows, "removed", (int64_t)f->removed);
    result_int(rows, "added", (int64_t)f->added);
    if (c->keys) {
        result_int(rows, "changed", (int64_t)f->changed);
        result_text(rows, "key", c->asked->key);
        result_int(rows, "key_repeats_a", (int64_t)repeats(c, 0));
        result_int(rows, "key_repeats_b", (int64_t)repeats(c, 1));
    }
    json_object_set_new(into, "rows", rows);
    if (f->pair.count)
        json_object_set_new(into, "changed_columns", changed_columns(c, f));
    json_t *some = examples(c, f);
    if (json_array_size(some))
        json_object_set(into, "examples", some);
    json_decref(some);
}

bool diff_rows(const DiffRows *d, const DiffSide *a, const DiffSide *b, json_t *into, Error *err)
{
    Compare c = {.asked = d, .side = {a, b}, .scratch = scratch_create(d->dir, 0)};
    Found f = {0};
    progress_begin(d->progress, "comparing", "rows", dataset_rows(a->dataset) + dataset_rows(b->dataset));
    bool ok = pair_columns(&c, err) && make_entries(&c, err);
    if (ok) {
        walk(&c, &f);
        report(&c, &f, into);
    }
    vec_release(&f.example[0]);
    vec_release(&f.example[1]);
    vec_release(&f.pair);
    scratch_destroy(c.scratch);
    arena_release(&c.views);
    arena_release(&c.arena);
    return ok;
}
