/* dataset_int.h -- what the writer and the reader of a dataset file agree on beyond Arrow.
 *
 * The footer's schema carries, as Arrow metadata (key -> text):
 *
 *     lathe.version       "1"
 *     lathe.hash          the name: 64 hex digits
 *     lathe.schema        JSON: names, types, roles, which columns have missing values
 *     lathe.profile       JSON, see profile_json.c
 *     lathe.chunks        64 hex digits a chunk
 *     lathe.dictionaries  64 hex digits a dictionary
 *     lathe.ranges        least and most, 16 hex digits each, column by column, chunk by chunk
 *
 * The hashes are a tree, so that chunks can be hashed in parallel and checked one by one:
 *
 *     leaf  = SHA-256(for each buffer of a column: length as 8 bytes, bytes)
 *     chunk = SHA-256(head of the block, leaves in the order of the columns); dictionaries alike
 *     name  = SHA-256("lathe dataset 1\n", lathe.schema, "\n", rows as 8 bytes, dictionaries,
 *                     chunks)
 *
 * Missing values are zeros, chunks have CHUNK_ROWS rows, words are numbered as they appear: the name
 * depends on nothing but schema and values. */
#ifndef LATHE_DATASET_INT_H
#define LATHE_DATASET_INT_H

#include "arrow_int.h"

#define DATASET_VERSION "1"
typedef struct Digest { uint8_t at[32]; } Digest;

/* One column's buffers: validity, values or codes or offsets, bytes of plain text. */
typedef struct BufferSet {
    const void *at[3];
    size_t size[3];
    size_t count;       /* 2, or 3 for plain text */
    uint64_t missing;
} BufferSet;

void dataset_leaf(const BufferSet *b, Digest *out);
/* The leaves of two columns at once, which takes little longer than one. */
void dataset_leaves(const BufferSet *a, Digest *leaf_a, const BufferSet *b, Digest *leaf_b);
void dataset_chunk_hash(const void *head, size_t head_size, const Digest *leaf, size_t leaves,
                        Digest *out);
void dataset_name(const char *schema_json, size_t json_size, uint64_t rows,
                  const Digest *dictionary, size_t dictionaries, const Digest *chunk, size_t chunks,
                  char hash[65]);

/* Least and most of a column of one chunk, without missing values (which are zeros) and NaN;
 * TEXT: none. */
typedef struct Range {
    bool some;
    union { int64_t least_int; double least; };
    union { int64_t most_int; double most; };
} Range;
void range_of(const Column *c, Range *out);
void range_print(const Range *r, Text *into);
bool range_parse(const char *hex, Range *out); /* 32 digits */
const Range *dataset_ranges(const Dataset *d, size_t chunk); /* [columns], NULL: not known */

#endif
