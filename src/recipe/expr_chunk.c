/* expr_chunk.c -- an expression over a whole chunk: as a column, or as the rows it holds for.
 *
 * When it is about one text column whose words repeat, it is computed once for each word, and the
 * rows look up their word's result. */
#include "eval_int.h"

#include <string.h>

/* Copies the root's results of a block to where the column's values go. */
static void store_block(const Vector *v, void *to, size_t from, size_t rows)
{
    size_t size = type_size(v->type);
    if (v->word)
        for (size_t i = 0; i < rows; i++)
            ((int32_t *)to)[from + i] = v->code[i];
    else if (v->type == COLUMN_DATE)
        for (size_t i = 0; i < rows; i++)
            ((int32_t *)to)[from + i] = (int32_t)v->integer[i];
    else if (v->real != (const void *)((char *)to + from * size))
        memcpy((char *)to + from * size, v->real, rows * size);
}

static bool finish_column(Run *r, void *values, const uint8_t *has, const Vector *root, Column *out,
                          Error *err)
{
    *out = (Column){.name = out->name, .type = root->type, .rows = r->rows};
    if (root->type == COLUMN_TEXT && root->word)
        return column_of_codes(values, root->word, root->words, has, r->rows, r->arena, out, err);
    if (root->type == COLUMN_TEXT)
        return column_of_spans(values, has, r->rows, r->arena, out, err);
    out->real = values;
    if (root->type == COLUMN_BOOL) {
        uint8_t *bits = arena_alloc(r->arena, r->rows / 8 + 8);
        bits_pack(values, r->rows, bits);
        out->bit = bits;
    }
    column_valid(has, r->rows, r->arena, out);
    return true;
}

static bool eval_rows(const Expr *e, const Chunk *in, Arena *a, Column *out, Error *err)
{
    Run r;
    if (!run_begin(&r, e, in, a, err))
        return false;
    const char *name = out->name;
    Slot *root = &r.slot[e->root->slot];
    if (e->root->kind == NODE_COLUMN) {
        *out = *root->column;
        out->name = name;
        return true;
    }
    char *values = arena_raw(a, (in->rows + 64) * type_size(e->root->type));
    uint8_t *has = NULL;
    bool direct = e->root->kind != NODE_CONSTANT && e->root->type != COLUMN_DATE;
    for (size_t from = 0; from < in->rows; from += r.block) {
        size_t rows = in->rows - from < r.block ? in->rows - from : r.block;
        if (direct)
            root->v.buffer = values + from * type_size(e->root->type);
        run_block(&r, from, rows);
        store_block(&root->v, values, from, rows);
        if (root->v.has && !has) {
            has = arena_raw(a, in->rows + 64);
            memset(has, 1, from);
        }
        if (has && root->v.has)
            memcpy(has + from, root->v.has, rows);
        else if (has)
            memset(has + from, 1, rows);
    }
    return finish_column(&r, values, has, &root->v, out, err);
}

/* ---- once per word ------------------------------------------------------------------------- */

/* The column an expression is about, if it is one text column with few enough words that computing
 * every word once (and once without a value) is less work; else NULL. */
static const Column *word_column(const Expr *e, const Chunk *in)
{
    const Node *only = NULL;
    for (size_t i = 0; i < e->nodes; i++) {
        if (e->node[i]->kind != NODE_COLUMN)
            continue;
        if (only)
            return NULL;
        only = e->node[i];
    }
    if (!only || only == e->root || only->type != COLUMN_TEXT || only->field >= in->columns)
        return NULL;
    const Column *c = &in->column[only->field];
    bool few = c->type == COLUMN_TEXT && c->words && c->words->count * 2 + 2 <= in->rows;
    return few && strcmp(c->name, only->name) == 0 ? c : NULL;
}

/* A chunk of the column's words, each once, and a last row without a value. */
static void chunk_of_words(const Column *c, const Chunk *in, Arena *a, Chunk *out)
{
    size_t rows = c->words->count + 1;
    int32_t *code = ARENA_NEW(a, int32_t, rows);
    uint8_t *valid = arena_alloc(a, rows / 8 + 8);
    for (size_t w = 0; w + 1 < rows; w++) {
        code[w] = (int32_t)w;
        valid[w >> 3] |= (uint8_t)(1u << (w & 7));
    }
    Column *column = ARENA_NEW(a, Column, in->columns);
    memcpy(column, in->column, in->columns * sizeof *column);
    Column *words = &column[c - in->column];
    words->rows = rows;
    words->code = code;
    words->valid = valid;
    *out = (Chunk){.rows = rows, .columns = in->columns, .column = column};
}

/* For each row the row of chunk_of_words that has its result. */
static const int32_t *rows_of_words(const Column *c, Arena *a)
{
    if (!c->valid)
        return c->code;
    int32_t *row = ARENA_NEW(a, int32_t, c->rows + 1), missing = (int32_t)c->words->count;
    for (size_t i = 0; i < c->rows; i++)
        row[i] = bit_get(c->valid, i) ? c->code[i] : missing;
    return row;
}

static bool map_text(const Column *from, const int32_t *row, size_t rows, const uint8_t *has,
                     Arena *a, Column *out, Error *err)
{
    Span *span = ARENA_NEW(a, Span, from->rows + 1);
    for (size_t w = 0; w < from->rows; w++) {
        span[w] = (Span){"", 0};
        if (column_has(from, w))
            span[w].at = column_text(from, w, &span[w].size);
    }
    return column_of_codes(row, span, from->rows, has, rows, a, out, err);
}

/* out[i] = from[row[i]] */
static bool map_column(const Column *from, const int32_t *row, size_t rows, Arena *a, Column *out,
                       Error *err)
{
    uint8_t *has = NULL;
    if (from->valid) {
        uint8_t *by_word = arena_alloc(a, from->rows + 8);
        bits_unpack(from->valid, 0, from->rows, by_word);
        has = arena_alloc(a, rows + 8);
        for (size_t i = 0; i < rows; i++)
            has[i] = by_word[row[i]];
    }
    *out = (Column){.name = out->name, .type = from->type, .rows = rows};
    if (from->type == COLUMN_TEXT)
        return map_text(from, row, rows, has, a, out, err);
    void *values = arena_raw(a, (rows + 8) * 8);
    if (from->type == COLUMN_BOOL) {
        uint8_t *truth = arena_alloc(a, rows + 8);
        for (size_t i = 0; i < rows; i++)
            truth[i] = bit_get(from->bit, (size_t)row[i]);
        bits_pack(truth, rows, values);
    } else if (from->type == COLUMN_DATE) {
        for (size_t i = 0; i < rows; i++)
            ((int32_t *)values)[i] = from->day[row[i]];
    } else {
        for (size_t i = 0; i < rows; i++)
            ((int64_t *)values)[i] = from->integer[row[i]];
    }
    out->real = values;
    column_valid(has, rows, a, out);
    return true;
}

bool expr_eval(const Expr *e, const Chunk *in, Arena *a, Column *out, Error *err)
{
    const Column *about = word_column(e, in);
    if (!about)
        return eval_rows(e, in, a, out, err);
    Chunk words;
    Column by_word = {.name = out->name};
    chunk_of_words(about, in, a, &words);
    return eval_rows(e, &words, a, &by_word, err) &&
           map_column(&by_word, rows_of_words(about, a), in->rows, a, out, err);
}

static bool filter_rows(const Expr *e, const Chunk *in, Arena *a, uint8_t *keep, Error *err)
{
    Run r;
    if (!run_begin(&r, e, in, a, err))
        return false;
    Slot *root = &r.slot[e->root->slot];
    bool direct = e->root->kind != NODE_CONSTANT && e->root->kind != NODE_COLUMN;
    for (size_t from = 0; from < in->rows; from += r.block) {
        size_t rows = in->rows - from < r.block ? in->rows - from : r.block;
        if (direct)
            root->v.buffer = keep + from;
        run_block(&r, from, rows);
        store_block(&root->v, keep, from, rows);
    }
    return true;
}

size_t expr_filter(const Expr *e, const Chunk *in, Arena *a, uint8_t *keep, Error *err)
{
    if (e->root->type != COLUMN_BOOL) {
        error_set(err, ERROR_USAGE, "a filter wants a condition (true or false)");
        return SIZE_MAX;
    }
    const Column *about = word_column(e, in);
    if (about) {
        Chunk words;
        chunk_of_words(about, in, a, &words);
        uint8_t *by_word = arena_alloc(a, words.rows + 8);
        if (!filter_rows(e, &words, a, by_word, err))
            return SIZE_MAX;
        const int32_t *row = rows_of_words(about, a);
        for (size_t i = 0; i < in->rows; i++)
            keep[i] = by_word[row[i]];
    } else if (!filter_rows(e, in, a, keep, err)) {
        return SIZE_MAX;
    }
    size_t count = 0;
    for (size_t i = 0; i < in->rows; i++)
        count += keep[i];
    return count;
}
