/* parquet_int.h -- Apache Parquet, as far as flat tables need it; shared by the files of this folder.
 *
 *     offset 0    "PAR1"
 *     4           row groups; in each, column by column, pages: header (Thrift), bytes (packed)
 *     ...         footer: FileMetaData (Thrift, compact protocol)
 *     size - 8    uint32 length of the footer, "PAR1"
 *
 *     thrift.c    the compact protocol          hybrid.c   runs and packed bits, deltas
 *     meta.c      footer -> columns, chunks     page.c     headers, checksums, unpacking
 *     kind.c      what a column's type becomes  cursor.c   values of pages -> rows of a Column
 *     format.c    the ColumnFormat              write*.c   writing
 *
 * Specification: apache/parquet-format 2.10, parquet.thrift and Encodings.md. */
#ifndef LATHE_PARQUET_INT_H
#define LATHE_PARQUET_INT_H

#include "../columns_int.h"

#define PARQUET_MAGIC "PAR1"

enum { PARQUET_BOOLEAN, PARQUET_INT32, PARQUET_INT64, PARQUET_INT96, PARQUET_FLOAT, PARQUET_DOUBLE,
       PARQUET_BYTES, PARQUET_FIXED, PARQUET_PHYSICALS }; /* Type */
enum { PLAIN, PLAIN_DICTIONARY = 2, RLE, BIT_PACKED, DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY,
       DELTA_BYTE_ARRAY, RLE_DICTIONARY, BYTE_STREAM_SPLIT }; /* Encoding */
enum { CODEC_NONE, CODEC_SNAPPY, CODEC_GZIP, CODEC_LZO, CODEC_BROTLI, CODEC_LZ4, CODEC_ZSTD,
       CODEC_LZ4_RAW }; /* CompressionCodec */
enum { PAGE_DATA, PAGE_INDEX, PAGE_DICTIONARY, PAGE_DATA_V2 }; /* PageType */

/* ---- Thrift, compact protocol -------------------------------------------------------------------- */

enum { THRIFT_STOP, THRIFT_TRUE, THRIFT_FALSE, THRIFT_BYTE, THRIFT_I16, THRIFT_I32, THRIFT_I64,
       THRIFT_DOUBLE, THRIFT_BINARY, THRIFT_LIST, THRIFT_SET, THRIFT_MAP, THRIFT_STRUCT };

/* Every access is checked against the bytes there are; a wrong one gives zeros and sets `broken`. */
typedef struct Thrift { const uint8_t *at, *end; bool broken; } Thrift;
uint64_t thrift_varint(Thrift *t);
/* Next field of a struct: *id is the one before (0 at first) and becomes its id; false: the end. */
bool thrift_field(Thrift *t, int *id, int *type);
int64_t thrift_int(Thrift *t, int type);
bool thrift_bool(Thrift *t, int type); /* of a field */
const uint8_t *thrift_binary(Thrift *t, int type, size_t *n);
size_t thrift_list(Thrift *t, int type, int *item); /* how many items */
void thrift_skip(Thrift *t, int type);

void thrift_put_varint(Text *into, uint64_t v);
void thrift_put_field(Text *into, int *last, int id, int type);
void thrift_put_int(Text *into, int *last, int id, int type, int64_t v); /* I32, I64 */
void thrift_put_binary(Text *into, int *last, int id, const void *at, size_t n);
void thrift_put_bool(Text *into, int *last, int id, bool v);
void thrift_put_list(Text *into, int *last, int id, int item, size_t count);

/* ---- what a file has ------------------------------------------------------------------------------ */

#define KINDS(X) /* name, type here: how single values of a column are read */                     \
    X(BOOL, BOOL) X(I32, INT) X(U32, INT) X(I64, INT) X(U64, INT) X(U64_REAL, REAL)                 \
    X(F16, REAL) X(F32, REAL) X(F64, REAL) X(DAY, DATE) X(TIME, TIME) X(TIME96, TIME)               \
    X(DEC32, REAL) X(DEC64, REAL) X(DECIMAL, REAL) X(TEXT, TEXT) X(FIXED_TEXT, TEXT) X(UUID, TEXT)
#define AS_ENUM(name, type) KIND_##name,
typedef enum ParquetKind { KINDS(AS_ENUM) KIND_COUNT } ParquetKind;
#undef AS_ENUM
ColumnType parquet_type(ParquetKind k);

typedef struct ParquetColumn {
    const char *name;
    int physical;
    size_t width;          /* bytes a value takes; 0: BOOLEAN and BYTES */
    bool optional;
    ParquetKind kind;
    int64_t times, over;   /* TIME: value * times / over gives microseconds */
    int scale;             /* decimals */
} ParquetColumn;

typedef struct ParquetChunk { /* a column of a row group */
    const uint8_t *at, *end;  /* its pages */
    int codec;
    uint64_t values;          /* nulls among them */
} ParquetChunk;

typedef struct ParquetFile {
    size_t columns, groups;
    ParquetColumn *column;
    uint64_t *rows;        /* [groups] */
    ParquetChunk *chunk;   /* [groups][columns] */
} ParquetFile;

typedef struct SchemaElement { /* as in the footer; -1: not said */
    const char *name;
    int64_t type, width, repetition, children, converted, scale;
    int logical;           /* number of the union's field; 0: none */
    int64_t unit, bits;    /* TIMESTAMP and TIME: 1 ms, 2 us, 3 ns; INTEGER */
    bool is_signed;
} SchemaElement;

bool parquet_parse(ParquetFile *f, const uint8_t *at, size_t size, Arena *a, Error *err);
bool parquet_kind(const SchemaElement *e, ParquetColumn *out, Error *err); /* kind.c */
/* m values as they lie in a page, as our type; false: one does not fit (U64). */
bool parquet_convert(const ParquetColumn *c, const uint8_t *from, size_t m, void *to);
void parquet_text(const ParquetColumn *c, const uint8_t *from, char uuid[37]);

/* ---- pages ---------------------------------------------------------------------------------------- */

typedef struct PageHead {
    int64_t type, unpacked, packed, values, encoding, level_encoding;
    int64_t def_bytes, rep_bytes; /* V2 */
    bool has_crc, is_packed;
    uint32_t crc;
} PageHead;

typedef struct PageBytes { const uint8_t *at, *end; } PageBytes;
/* The next page: moves *at. The bytes are in the mapping or in *buffer (of *room bytes, owned by the
 * caller); of a V2 page the levels, which are never packed, come apart. */
bool page_next(const ParquetChunk *c, const uint8_t **at, uint8_t **buffer, size_t *room,
               PageHead *head, PageBytes *levels, PageBytes *values, Error *err);
bool parquet_unpack(int codec, const uint8_t *from, size_t size, uint8_t *to, size_t made, Error *err);
const char *parquet_codec_name(int64_t codec);

/* ---- runs, bits, deltas --------------------------------------------------------------------------- */

/* RLE / bit-packed hybrid. */
typedef struct Hybrid {
    const uint8_t *at, *end;
    unsigned width;
    uint64_t run, packed;      /* values left of a run, or of packed bits */
    uint32_t value;            /* of the run */
    const uint8_t *bits;       /* the packed ones */
    uint64_t bit;              /* next */
} Hybrid;
void hybrid_begin(Hybrid *h, const uint8_t *at, const uint8_t *end, unsigned width);
bool hybrid_take(Hybrid *h, uint32_t *out, size_t n); /* false: there are not so many */
bool hybrid_bits(Hybrid *h, uint8_t *bits, size_t at, size_t n); /* width 1, as a bitmap */

typedef struct Delta {
    const uint8_t *at, *end;
    uint64_t left;             /* values, with the first */
    size_t block, minis, mini; /* values in a block; miniblocks in it; values in one */
    const uint8_t *widths;
    size_t in_block, in_mini;  /* values left */
    unsigned width;
    uint64_t bit;
    uint64_t least, value;
    bool first;
} Delta;
bool delta_begin(Delta *d, const uint8_t *at, const uint8_t *end);
bool delta_take(Delta *d, int64_t *out, size_t n);
const uint8_t *delta_end(const Delta *begun); /* behind all of it; NULL: broken */

/* ---- columns --------------------------------------------------------------------------------------- */

typedef struct Cursor Cursor;
Cursor *cursor_create(const ParquetColumn *c, const ParquetChunk *chunk);
void cursor_destroy(Cursor *c);
/* The next rows as a column; what it points to lives in the arena and the cursor. */
bool cursor_read(Cursor *c, size_t rows, Arena *a, Column *out, Error *err);

#endif
