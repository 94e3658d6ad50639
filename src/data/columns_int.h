/* columns_int.h -- files that hold columns already: Arrow and Parquet, as blocks for the reader.
 *
 * A ColumnFile is a mapped file that a ColumnFormat has taken apart into parts (record batches, row
 * groups). A round reads stretches of rows, one task a stretch and column, so that threads share the
 * work whether a file has many small parts or one large one. What a format keeps of a column between
 * two stretches of one part is its state. */
#ifndef LATHE_COLUMNS_INT_H
#define LATHE_COLUMNS_INT_H

#include "data_int.h"
#include "reader_int.h"

typedef struct ColumnFile ColumnFile;

/* Rows [from, from + rows) of a column of a part, in ascending order of from for one state. */
typedef struct ColumnTask {
    ColumnFile *file;
    size_t part, column;
    uint64_t from;
    size_t rows;
    ColumnType as; /* what the reader wants; the format may give it, or its own type */
    void **state;  /* NULL before the first stretch of the part */
    Arena *arena;
    Column *out;
    Error *err;    /* "column fare: why" */
} ColumnTask;

typedef struct ColumnFormat {
    const char *name; /* as it is said to people */
    bool (*is)(const uint8_t *head, size_t n);
    bool (*open)(ColumnFile *f, Error *err); /* fills schema, parts, part_rows, inside */
    bool (*read)(const ColumnTask *t);       /* on any thread */
    void (*drop)(void *state);
    void (*close)(ColumnFile *f);
} ColumnFormat;

extern const ColumnFormat arrow_format, parquet_format;

struct ColumnFile {
    const ColumnFormat *format;
    FileMap map;       /* empty of columns_open_map */
    const uint8_t *at; /* its bytes */
    size_t size;
    Schema schema;
    size_t parts;
    uint64_t *part_rows; /* [parts], in the arena */
    uint64_t rows;
    Arena arena;
    void *inside;        /* the format's own */
    struct ColumnRound *round;
};

/* The format of a source that begins with these bytes; NULL: text. */
const ColumnFormat *column_format_of(const char *head, size_t n);
/* head: what was taken from a stream already; spool_dir: where a stream is kept, NULL: /tmp. */
ColumnFile *columns_open(const ColumnFormat *format, Source *source, const Sample *head,
                         const char *spool_dir, Error *err);
ColumnFile *columns_open_map(const ColumnFormat *format, const uint8_t *at, size_t size, Error *err);
void columns_close(ColumnFile *f);
/* The next rows as blocks with the columns of the plan; *count 0: the end. Live until the next call. */
bool columns_round(ColumnFile *f, const Plan *p, Pool *pool, Block **blocks, size_t *count,
                   Error *err);
/* The names and types as a sniff of text would have found them. */
void columns_sniff(const ColumnFile *f, Sniff *out);

/* The column as another type, in the arena; false: "column fare: row 17: ...". columns_cast.c */
bool column_cast(const Column *c, ColumnType to, uint64_t first, Arena *a, Column *out, Error *err);
/* Is all its text UTF-8? */
bool column_check_text(const Column *c, uint64_t first, Error *err);

#endif
