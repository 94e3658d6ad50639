/* arrow_parse.h -- an Arrow file while it is taken apart; shared by arrow_read.c (file, blocks),
 * arrow_stream.c, arrow_schema.c and arrow_words.c. */
#ifndef LATHE_ARROW_PARSE_H
#define LATHE_ARROW_PARSE_H

#include "arrow_int.h"

/* Words of other tools may repeat, be missing, come in parts, be replaced: they are told apart and
 * numbered anew, each column's in one table. */
typedef struct ArrowForeign {
    WordTable table;
    int32_t *map; /* of the dictionary as it stands now */
    size_t count, room;
    bool seen;
} ArrowForeign;

typedef struct ArrowParse {
    ArrowFile *file;
    ArrowForeign *foreign; /* [fields] */
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
    bool delta;
    ArrowPacking packing;
    size_t views; /* the next of the counts of buffers that views have */
} ArrowHead;

bool arrow_parse_schema(ArrowParse *p, const FlatTable *schema);
bool arrow_parse_dictionary(ArrowParse *p, const ArrowBlock *block, size_t i);
bool arrow_map_part(ArrowParse *p, size_t column, ArrowPart *part); /* by the words so far */
bool arrow_finish_words(ArrowParse *p);                             /* after all blocks */
void arrow_begin_words(ArrowParse *p);
void arrow_release_words(ArrowParse *p);
bool arrow_parse_batch(ArrowParse *p, const ArrowBlock *block, size_t i);
bool arrow_parse_stream(ArrowParse *p);

/* Always false: "broken file: record batch 3: why". */
bool arrow_broken(const ArrowParse *p, const char *what, size_t i, const char *why);
/* Opens the block the footer names; `b` must stay where it is while it is used. */
bool arrow_open_block(ArrowParse *p, const ArrowBlock *block, int kind, const char *what, size_t i,
                      ArrowHead *b);
/* Finds the buffers of one column from `*next` on. */
bool arrow_take_part(ArrowHead *b, const ArrowField *f, size_t node, uint64_t rows, size_t *next,
                     Arena *a, ArrowPart *part);

#endif
