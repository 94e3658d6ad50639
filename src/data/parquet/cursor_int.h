/* cursor_int.h -- what the files of a column chunk's cursor share.
 *
 *     cursor.c          the rows: pages walked, values spread over the rows that have one
 *     cursor_page.c     the pages: dictionaries, levels, how a page's values lie
 *     cursor_text.c     values of text
 *     cursor_fixed.c    values of a fixed width, and booleans
 */
#ifndef LATHE_PARQUET_CURSOR_INT_H
#define LATHE_PARQUET_CURSOR_INT_H

#include "parquet_int.h"

struct Cursor {
    ParquetColumn column;
    const ParquetChunk *chunk;
    const uint8_t *at; /* the next page */
    /* the page */
    uint8_t *buffer;
    size_t room, left; /* values left, nulls included */
    int64_t encoding;
    Hybrid levels, codes;
    const uint8_t *values, *end;
    bool begun;
    uint64_t bit; /* PLAIN booleans */
    Delta delta, suffixes;
    size_t split, splits; /* BYTE_STREAM_SPLIT: next value, values in all */
    Text last;            /* DELTA_BYTE_ARRAY: the value before */
    /* the dictionary */
    bool has_dictionary;
    size_t entries;
    void *fixed; /* [entries] converted */
    WordTable table;
    Words words;
    int32_t *map; /* [entries] -> word; NULL: the same */
    /* scratch */
    void *scratch;
    size_t scratch_room;
};

typedef struct Rows { /* the column being made */
    Arena *arena;
    size_t rows, done;
    uint8_t *valid;
    uint8_t *values; /* BOOL: bits */
    int32_t *code, *start;
    char *bytes;
    size_t used, room;
    bool plain;
} Rows;

bool cursor_broken(Error *err, const char *why);
bool cursor_unknown(const Cursor *c, Error *err); /* the page's encoding, for this type */
void *cursor_scratch(Cursor *c, size_t size);     /* until it is asked for again */
size_t cursor_unit(const Cursor *c);              /* bytes of one value of ours */
bool cursor_is_text(const Cursor *c);

/* ---- pages ---------------------------------------------------------------------------------------- */

bool cursor_next_page(Cursor *c, Error *err);
bool cursor_begin_values(Cursor *c, Error *err); /* how the page's lie, when the first is wanted */

/* ---- values --------------------------------------------------------------------------------------- */

/* The next m codes; none leads beyond the dictionary. */
bool cursor_codes(Cursor *c, uint32_t *code, size_t m, Error *err);
/* The next DELTA_BYTE_ARRAY value is in c->last. */
bool cursor_prefixed(Cursor *c, Error *err);
bool cursor_text_dictionary(Cursor *c, PageBytes p, Error *err);
bool cursor_text_values(Cursor *c, Rows *r, size_t m, Error *err);
bool cursor_text_codes(Cursor *c, Rows *r, size_t m, Error *err);
bool cursor_fixed_values(Cursor *c, Rows *r, size_t m, Error *err);
/* m values for `take` rows, spread over them */
bool cursor_bool_values(Cursor *c, Rows *r, size_t m, size_t take, Error *err);

#endif
