/* sort_int.h -- rows while they are being ordered. */
#ifndef LATHE_SORT_INT_H
#define LATHE_SORT_INT_H

#include "scan_int.h"

typedef struct SortPair { uint32_t prefix, row; } SortPair; /* upper bits of what differs; the row */

/* What is ordered by: a column of the view, or (words not NULL) the words themselves. */
typedef struct SortBy {
    const View *view;
    size_t k;
    ColumnType type;
    bool down, plain;   /* plain: TEXT without words */
    uint32_t *rank;     /* of words, owned */
    const Words *words;
    size_t depth;       /* of texts: how many keys were equal so far */
    const Progress *progress; /* stops it: what is sorted then is in no order */
} SortBy;
bool sort_by_open(SortBy *by, const View *v, size_t k, bool down, const Progress *progress, Error *err);
void sort_by_close(SortBy *by);

/* The keys of rows [at, at + n) of a piece, n <= BLOCK. has[i] 0: missing or NaN, key undefined. */
void sort_keys(const SortBy *by, const Piece *p, size_t at, size_t n, uint64_t *key, uint8_t *has);
void sort_pair_keys(const SortBy *by, const SortPair *pair, size_t n, uint64_t *key);
bool sort_goes_on(const SortBy *by, uint64_t key); /* rows with this key may differ further on */

/* Sorts pairs (rows with a value) stably, on this thread. spare: [n]. */
void sort_run(const SortBy *by, SortPair *at, SortPair *spare, size_t n);
/* The same over a pool: from the rows to the rows, missing ones last. pairs: [2 * n]. */
bool sort_rows(const SortBy *by, uint32_t *row, size_t n, SortPair *pairs, Pool *pool,
               Progress *progress, Error *err);

/* Out of core: stretches of rows that were sorted on their own, merged. */
bool sort_merge(const SortBy *by, size_t keys, RowSet *rows, uint64_t stretch, uint64_t memory,
                const char *scratch, Progress *progress, Error *err);

#endif
