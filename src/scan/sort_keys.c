/* sort_keys.c -- what a row is ordered by, as 64 bits at a time.
 *
 * A number is one key. A text is keys of 7 bytes each, depth 0 first: 56 bits of content, zeros
 * behind its end, and in the low byte how many bytes were left, at most 8. So the shorter of two
 * texts of which one begins the other goes first, and two that agree in a key whose low byte is
 * below 8 are equal. Words are ordered once, then their ranks are numbers. */
#include "sort_int.h"

#include <math.h>

static uint64_t text_key(const char *s, size_t n, size_t depth)
{
    size_t skip = 7 * depth, left = n > skip ? n - skip : 0, bytes = left < 7 ? left : 7;
    uint64_t key = 0;
    for (size_t i = 0; i < bytes; i++)
        key |= (uint64_t)(uint8_t)s[skip + i] << (56 - 8 * i);
    return key | (left < 8 ? left : 8);
}

static void load_words(const SortBy *by, const SortPair *pair, size_t n, uint64_t *key)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t w = pair[i].row;
        const Words *words = by->words;
        key[i] = text_key(words->bytes + words->start[w],
                          (size_t)(words->start[w + 1] - words->start[w]), by->depth);
    }
}

static void load_numbers(const SortBy *by, const Piece *p, size_t at, size_t n, uint64_t *key,
                         uint8_t *has)
{
    double real[BLOCK];
    Span text[BLOCK];
    int64_t *whole = (int64_t *)key;
    if (by->type == COLUMN_REAL) {
        load_reals(p, by->k, at, n, real);
        for (size_t i = 0; i < n; i++) {
            key[i] = order_real(real[i]);
            bool none = isnan(real[i]);
            has[i] = !none;
        }
    } else if (by->plain) {
        load_texts(p, by->k, at, n, text, has);
        for (size_t i = 0; i < n; i++)
            key[i] = text_key(text[i].at, text[i].n, by->depth);
    } else {
        load_ints(p, by->k, at, n, whole, has);
        if (by->rank)
            for (size_t i = 0; i < n; i++)
                key[i] = has[i] ? by->rank[whole[i]] : 0;
        else
            for (size_t i = 0; i < n; i++)
                key[i] = order_int(whole[i]);
    }
}

void sort_keys(const SortBy *by, const Piece *p, size_t at, size_t n, uint64_t *key, uint8_t *has)
{
    load_numbers(by, p, at, n, key, has);
    if (by->down)
        for (size_t i = 0; i < n; i++)
            key[i] = ~key[i];
}

void sort_pair_keys(const SortBy *by, const SortPair *pair, size_t n, uint64_t *key)
{
    uint8_t has[BLOCK];
    Piece p = {.view = by->view, .row = &pair->row, .stride = 2, .rows = n};
    if (by->words)
        load_words(by, pair, n, key);
    else
        sort_keys(by, &p, 0, n, key, has);
}

bool sort_goes_on(const SortBy *by, uint64_t key)
{
    return (by->words || by->plain) && ((by->down ? ~key : key) & 255) == 8;
}

/* ---- words ---------------------------------------------------------------------------------------- */

uint32_t *words_ranks(const Words *words, const Progress *progress, Error *err)
{
    size_t n = words->count;
    uint32_t *rank = mem_try((n + 1) * sizeof *rank, err);
    SortPair *pair = rank ? mem_try(2 * (n + 1) * sizeof *pair, err) : NULL;
    if (!pair) {
        mem_free(rank);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        pair[i].row = (uint32_t)i;
    SortBy by = {.words = words, .progress = progress};
    sort_run(&by, pair, pair + n + 1, n);
    uint32_t now = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            size_t a = pair[i - 1].row, b = pair[i].row;
            size_t na = (size_t)(words->start[a + 1] - words->start[a]);
            size_t nb = (size_t)(words->start[b + 1] - words->start[b]);
            now += na != nb ||
                   memcmp(words->bytes + words->start[a], words->bytes + words->start[b], na) != 0;
        }
        rank[pair[i].row] = now;
    }
    mem_free(pair);
    return rank;
}

bool sort_by_open(SortBy *by, const View *v, size_t k, bool down, const Progress *progress, Error *err)
{
    *by = (SortBy){.view = v, .k = k, .down = down, .progress = progress};
    if (v->chunks == 0)
        return true;
    const Column *c = view_column(v, k, 0);
    by->type = c->type;
    by->plain = c->type == COLUMN_TEXT && !c->words;
    if (c->type == COLUMN_TEXT && c->words)
        by->rank = words_ranks(c->words, progress, err);
    return by->rank || c->type != COLUMN_TEXT || by->plain;
}

void sort_by_close(SortBy *by)
{
    mem_free(by->rank);
    *by = (SortBy){0};
}
