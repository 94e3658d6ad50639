/* write_int.h -- a Parquet file while it is written; shared by write.c (groups, file), write_page.c (pages of
 * one column) and write_meta.c (heads and footer). */
#ifndef LATHE_PARQUET_WRITE_INT_H
#define LATHE_PARQUET_WRITE_INT_H

#include "parquet_int.h"
#include "../table_writer_int.h"

typedef struct WrittenStats {
    uint64_t missing;
    bool some;               /* least and most are known */
    bool lost;               /* too long to be kept: they are left out */
    int64_t least_int, most_int;
    double least, most;
    Text least_text, most_text;
} WrittenStats;

typedef struct WrittenColumn { /* of a row group, for the footer */
    int64_t dictionary_at, data_at; /* in the file; 0: no dictionary */
    int64_t packed, unpacked, values;
    bool coded, plain;              /* encodings there are */
    Text least, most;               /* PLAIN bytes; "" with has_range: empty text */
    bool has_range;
    uint64_t missing;
} WrittenColumn;

typedef struct WrittenGroup { WrittenColumn *column; uint64_t rows; int64_t bytes, at; } WrittenGroup;

typedef struct OutColumn { /* a column of the group being made */
    ColumnType type;
    int codec;
    Text pages, raw, dictionary; /* packed pages with heads; scratch; the dictionary's page */
    size_t dictionary_raw;       /* its bytes before packing, and head */
    uint64_t unpacked, rows;
    WordTable table;
    bool coded, plain, full;     /* encodings used; full: no more words are taken */
    const Words *words;          /* of the remap */
    int32_t *remap;              /* [words->count] -> table, -1: none yet */
    uint32_t *codes; size_t codes_room;
    WrittenStats stats;
    const char *why;             /* what failed */
} OutColumn;

/* write_page.c */
void out_add(OutColumn *o, const Column *c);      /* one page */
void out_dictionary(OutColumn *o);                /* its page, when the group is full */
void out_reset(OutColumn *o);
void out_release(OutColumn *o);
void out_range(OutColumn *o, WrittenColumn *w);   /* least and most as bytes */

/* write_meta.c */
void put_page_head(Text *into, int type, size_t unpacked, const Text *packed, uint64_t values, int encoding);
void put_footer(Text *into, const Schema *s, const WrittenGroup *group, size_t groups, int codec,
                uint64_t rows);

#endif
