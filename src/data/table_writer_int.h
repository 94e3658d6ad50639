/* table_writer_int.h -- a table while it is written for other programs; shared by table_writer.c and the
 * formats: csv_writer.c, arrow_writer.c, parquet/write.c. */
#ifndef LATHE_TABLE_WRITER_INT_H
#define LATHE_TABLE_WRITER_INT_H

#include "data_int.h"

typedef struct TableFormat {
    const char *name;              /* of format= */
    const char *endings[4];        /* of file names */
    const char *compress[6];       /* how it can be packed, its own way first; NULL-ended */
    void *(*begin)(TableWriter *w, Error *err); /* the format's state; NULL on failure */
    bool (*add)(TableWriter *w, const Chunk *c, Error *err);
    bool (*finish)(TableWriter *w, Error *err);
    void (*release)(void *state);
} TableFormat;
extern const TableFormat csv_table, arrow_table, arrows_table, parquet_table;

struct TableWriter {
    const TableFormat *format;
    const char *compress;          /* one of the format's */
    char *path, *part;             /* part "": nothing to remove */
    int fd;
    uint64_t at;                   /* bytes written */
    uint64_t rows;
    Schema schema;
    const Words **words;           /* [columns]; NULL: not known to be one dictionary */
    Pool *pool;
    void *state;
    bool failed;
};

bool table_put(TableWriter *w, const void *bytes, size_t n, Error *err);

#endif
