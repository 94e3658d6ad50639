/* arrow_parse.h -- an Arrow file while it is taken apart; shared by arrow_read.c (file, blocks),
 * arrow_schema.c and arrow_words.c. */
#ifndef LATHE_ARROW_PARSE_H
#define LATHE_ARROW_PARSE_H

#include "arrow_int.h"

typedef struct ArrowParse {
    ArrowFile *file;
    const uint8_t *at;
    size_t size; /* of the file */
    size_t free; /* no block may begin before */
    Error *err;
} ArrowParse;

typedef struct ArrowHead { /* one record batch, or the one inside a dictionary */
    const uint8_t *block, *body;
    size_t body_size;
    Flat flat;
    FlatTable record;
    FlatList nodes, buffers;
    int64_t id;
} ArrowHead;

bool arrow_parse_schema(ArrowParse *p, const FlatTable *schema);
bool arrow_parse_dictionaries(ArrowParse *p, const ArrowBlock *block, size_t count);

/* Always false: "broken file: record batch 3: why". */
bool arrow_broken(const ArrowParse *p, const char *what, size_t i, const char *why);
/* Opens the block the footer names; `b` must stay where it is while it is used. */
bool arrow_open_block(ArrowParse *p, const ArrowBlock *block, int kind, const char *what, size_t i,
                      ArrowHead *b);
/* Finds the buffers of one column from `*next` on. */
bool arrow_take_part(const ArrowHead *b, const ArrowField *f, size_t node, uint64_t rows, size_t *next,
                     ArrowPart *part);

#endif
