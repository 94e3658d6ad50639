/* data_diff.h -- what the two files of `lathe data diff` share: the verb, and its comparing of rows. */
#ifndef COMMAND_DATA_DIFF_H
#define COMMAND_DATA_DIFF_H

#include "command_int.h"

typedef struct DiffSide {
    const Dataset *dataset;
    const Schema *schema;   /* with the roles the user gave */
} DiffSide;

typedef struct DiffRows {
    const char *key;        /* "A,B" or "" */
    size_t examples;
    Pool *pool;
    Progress *progress;
    const char *dir;        /* for what the memory does not hold */
} DiffRows;

/* Adds "rows" (counts), "changed_columns" (with a key) and "examples" to a result. */
bool diff_rows(const DiffRows *d, const DiffSide *a, const DiffSide *b, json_t *into, Error *err);

#endif
