/* writer_int.h -- a dataset while it is written; shared by the writer's three files:
 *
 *     writer_column.c   rows into the buffers of a column; a full buffer profiled and hashed
 *     writer_file.c     blocks, dictionaries and footer into the temporary file, and its name
 *     dataset_writer.c  chunks of any size in; when a column of words turns to plain text */
#ifndef LATHE_WRITER_INT_H
#define LATHE_WRITER_INT_H

#include "dataset_int.h"

#include <pthread.h>

#define BLOCK_BUFFERS 3

typedef struct WriterColumn {
    ColumnType type;
    const char *name;
    /* the chunk being filled; bits behind the last row are 0 */
    uint8_t *valid;
    void *values; /* bits, numbers, codes; offsets when plain */
    char *bytes;  /* plain text */
    size_t bytes_room;
    size_t missing;
    struct {      /* the same memory a second time, while the chunk before is put */
        uint8_t *valid;
        void *values;
        char *bytes;
        size_t bytes_room;
    } other;
    /* text as words */
    bool plain;
    WordTable table;
    uint64_t *count; /* [count_room] rows of each word so far, chunk included */
    size_t count_room;
    int32_t *remap; /* of the words of the chunk being added */
    size_t remap_room;
    uint64_t words_missing; /* rows without a word while not plain */
    bool overflow;          /* 2 GB of text in one chunk */
    /* the profile */
    ColumnProfiler *profiler; /* NULL while all is in `count` */
    bool counted;             /* the chunk being filled went to the profiler with `count` */
    Arena arena;
    ColumnProfile profile;
    /* the chunk being written */
    BufferSet set;
    Digest leaf;
    Range range;
    ArrowSpan span[BLOCK_BUFFERS];
    int problem; /* errno */
} WriterColumn;

typedef struct Written { /* a chunk in the file */
    size_t rows;
    ArrowBlock block;
    Digest hash;
    ArrowSpan *span;   /* [columns][BLOCK_BUFFERS], lengths 0 where there is none */
    uint64_t *missing; /* [columns] */
} Written;

/* A chunk on its way into the file. */
typedef struct Putting {
    size_t rows;   /* 0: none is */
    Text head;
    int64_t from;  /* where the head begins */
    int64_t size;  /* of the body behind it */
    bool fresh;    /* it is profiled too */
} Putting;

/* Columns that are ready for the file, and whether a thread is writing. */
typedef struct WriterQueue {
    pthread_mutex_t lock;
    bool busy;
    VEC(size_t) ready;
} WriterQueue;

struct DatasetWriter {
    char *dir, *path; /* the temporary file, "" when there is none to remove */
    int file;
    Schema schema;
    Pool *pool;
    WriterColumn *column; /* [schema.count] */
    size_t words_memory;  /* the most that all dictionaries may take */
    size_t filled;        /* rows in the chunk being filled */
    uint64_t rows;
    int64_t at; /* end of what was written, a multiple of ARROW_ALIGN; 0: nothing */
    int64_t started; /* up to there the disk has begun */
    WriterQueue queue;
    Putting putting;
    Along along;
    bool waits; /* someone takes it along */
    VEC(Written) chunks;
    VEC(ArrowBlock) dictionaries;
    VEC(Digest) dictionary_hashes;
    Text ranges;
    bool failed; /* nothing more can be added */
};

/* writer_column.c */
typedef struct AddPiece { /* rows that fit into the buffers */
    const Chunk *chunk;
    size_t from, rows; /* of the chunk */
    size_t at;         /* in the buffers */
} AddPiece;
typedef struct Adding {
    DatasetWriter *w;
    VEC(AddPiece) pieces;
} Adding;
void writer_add_column(void *adding, size_t i, size_t worker); /* a task for pool_run */
void writer_describe(WriterColumn *c, size_t rows);            /* a full buffer as its `set` */
void writer_finish_column(WriterColumn *c, size_t rows);       /* profile, range */
/* Codes of `rows` rows as offsets into c->bytes; start may be the memory of the codes. */
void writer_expand(WriterColumn *c, const int32_t *code, const uint8_t *valid, size_t rows,
                   int32_t *start);

/* writer_file.c */
bool writer_open_file(DatasetWriter *w, Error *err);
bool writer_put_start(DatasetWriter *w, Error *err);
/* Begins to hash and write the chunk whose columns have a `set`; fresh: and to profile it. The work
 * itself is w->along. */
bool writer_put_chunk(DatasetWriter *w, size_t rows, bool fresh, Error *err);
/* Does what of that is left; then the next one can begin. */
bool writer_end_chunk(DatasetWriter *w, Error *err);
bool writer_rewrite(DatasetWriter *w, size_t turned, Error *err); /* again, that column as text */
bool writer_put_dictionary(DatasetWriter *w, size_t i, Error *err);
bool writer_put_footer(DatasetWriter *w, char hash[65], Error *err);
bool writer_settle(DatasetWriter *w, const char *hash, Error *err); /* to the disk and its name */
void writer_forget_chunk(Written *chunk);

#endif
