/* arrow_int.h -- Arrow IPC files (Feather V2) and streams, as far as the data room writes and reads them.
 *
 *     offset 0     "ARROW1" 0 0
 *     64 k         schema message
 *     64 k         one record batch after another: head (a FlatBuffer) and body (the buffers)
 *     64 k         the dictionaries, one for each column of words
 *     ...          end of stream: ff ff ff ff 00 00 00 00
 *     ...          footer (a FlatBuffer): the schema again with our metadata, where the blocks are
 *     size - 10    int32 length of the footer
 *     size - 6     "ARROW1"
 *
 * A block is: ff ff ff ff, int32 length of the head (padded), the head, the body. Our blocks and
 * all their buffers begin at multiples of 64. Dictionaries stand behind the batches because they
 * are complete only then; readers of files find them through the footer. A stream has the blocks
 * without magic and footer; its dictionaries stand before the batches that use them, may grow and
 * may be replaced. Buffers may be packed, each: int64 its unpacked length (-1: as it lies), bytes.
 * Specification: Apache Arrow columnar format 1.x, format/{Schema,Message,File}.fbs, version V5. */
#ifndef LATHE_ARROW_INT_H
#define LATHE_ARROW_INT_H

#include "data_int.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Arrow files are mapped as they are");

#define ARROW_ALIGN 64
#define ARROW_MAGIC "ARROW1"
#define ARROW_V5    4 /* MetadataVersion */

enum { ARROW_HEAD_SCHEMA = 1, ARROW_HEAD_DICTIONARY, ARROW_HEAD_BATCH }; /* MessageHeader */
enum { ARROW_NULL = 1, ARROW_INT, ARROW_FLOAT, ARROW_BINARY, ARROW_UTF8, ARROW_BOOL, ARROW_DECIMAL, ARROW_DATE,
       ARROW_TIME, ARROW_TIMESTAMP, ARROW_LARGE_UTF8 = 20, ARROW_UTF8_VIEW = 24 }; /* Type */

static inline uint64_t arrow_pad(uint64_t n)
{
    return (n + ARROW_ALIGN - 1) / ARROW_ALIGN * ARROW_ALIGN;
}

/* ---- FlatBuffers, built back to front ---------------------------------------------------------- */

typedef uint32_t FlatRef; /* distance of a thing from the end of the buffer; 0: none */
#define FLAT_FIELDS 16
typedef struct FlatBuild {
    uint8_t *at;
    size_t room, used;          /* the finished part is the last `used` bytes of at[room] */
    FlatRef field[FLAT_FIELDS]; /* of the table that is open */
    size_t fields, table;
} FlatBuild;

FlatRef flat_text(FlatBuild *b, const char *s, size_t n);
FlatRef flat_refs(FlatBuild *b, const FlatRef *refs, size_t n);               /* vector of offsets */
FlatRef flat_structs(FlatBuild *b, const void *structs, size_t size, size_t n); /* 8-byte aligned */
void    flat_begin(FlatBuild *b);                          /* parts of a table are built before it */
void    flat_int(FlatBuild *b, size_t field, size_t size, int64_t v); /* size 1, 2, 4, 8; always kept */
void    flat_ref(FlatBuild *b, size_t field, FlatRef to);  /* 0: the field stays absent */
FlatRef flat_end(FlatBuild *b);
const uint8_t *flat_finish(FlatBuild *b, FlatRef root, size_t *n); /* borrowed */
void    flat_release(FlatBuild *b);

/* ---- FlatBuffers, read with distrust ------------------------------------------------------------ */

/* Every access is checked against the bytes there are; a wrong one gives zeros and sets `broken`. */
typedef struct Flat { const uint8_t *at; size_t size; bool broken; } Flat;
typedef struct FlatTable { Flat *flat; size_t at, fields, fields_size; } FlatTable; /* flat NULL: absent */
typedef struct FlatList { Flat *flat; size_t at, count; } FlatList;

FlatTable   flat_root(Flat *f);
int64_t     flat_get(const FlatTable *t, size_t field, size_t size, int64_t otherwise);
FlatTable   flat_table(const FlatTable *t, size_t field);
FlatList    flat_list(const FlatTable *t, size_t field, size_t item_size);
FlatTable   flat_list_table(const FlatList *l, size_t i);
int64_t     flat_list_int(const FlatList *l, size_t i, size_t item_size, size_t offset, size_t size);
const char *flat_string(const FlatTable *t, size_t field, size_t *n); /* NULL if absent */

/* How buffers are packed: CompressionType. */
typedef enum ArrowPacking { ARROW_LZ4, ARROW_ZSTD, ARROW_UNPACKED } ArrowPacking;

/* ---- writing ------------------------------------------------------------------------------------ */

typedef struct ArrowNode { int64_t length, null_count; } ArrowNode;   /* as in the file */
typedef struct ArrowSpan { int64_t offset, length; } ArrowSpan;       /* as in the file; in the body */
typedef struct ArrowBlock { int64_t offset, head, body; } ArrowBlock; /* head with its 8 bytes before */
typedef struct ArrowMeta { const char *key, *value; size_t size; } ArrowMeta;

/* plain[i]: column i is TEXT without a dictionary; else its dictionary has the id i. */
void arrow_put_start(Text *into, const Schema *s, const bool *plain); /* magic and schema */
void arrow_put_schema(Text *into, const Schema *s, const bool *plain); /* of a stream */
/* The head of a batch, or of the dictionary with this id if id >= 0. */
void arrow_put_head(Text *into, int64_t id, int64_t rows, const ArrowNode *node, size_t nodes,
                    const ArrowSpan *span, size_t spans, int64_t body);
void arrow_put_packed_head(Text *into, int64_t id, int64_t rows, const ArrowNode *node, size_t nodes,
                           const ArrowSpan *span, size_t spans, int64_t body, ArrowPacking packing);
void arrow_put_end(Text *into, const Schema *s, const bool *plain, const ArrowMeta *meta,
                   size_t metas, const ArrowBlock *dictionary, size_t dictionaries,
                   const ArrowBlock *batch, size_t batches); /* from end of stream to the magic */

/* ---- reading ------------------------------------------------------------------------------------ */

typedef enum ArrowLayout { /* how single values lie in the file */
    LAYOUT_BIT, LAYOUT_I8, LAYOUT_I16, LAYOUT_I32, LAYOUT_I64, LAYOUT_U8, LAYOUT_U16, LAYOUT_U32,
    LAYOUT_U64, LAYOUT_F16, LAYOUT_F32, LAYOUT_F64, LAYOUT_VIEW, LAYOUT_NONE, LAYOUT_COUNT
} ArrowLayout;

typedef struct ArrowField {
    const char *name;
    ColumnType type;       /* what it becomes */
    ArrowLayout layout;    /* values; codes if `dictionary`; offsets of plain text */
    ArrowLayout word_layout; /* offsets of the dictionary's words */
    int64_t times, over;   /* TIME and DATE: value * times / over gives our unit */
    bool native;           /* the bytes are used as they lie */
    bool dictionary;
    int64_t id;            /* of the dictionary */
    const Words *words;    /* NULL: plain */
} ArrowField;

typedef struct ArrowSlice { const uint8_t *at; size_t size; } ArrowSlice;

/* One column of one batch; sizes are checked. Packed, each buffer lies here as it does in the file
 * and arrow_unpack makes the part that arrow_column takes. */
typedef struct ArrowPart {
    const uint8_t *valid;  /* NULL: all */
    const uint8_t *values;
    const uint8_t *bytes;  /* plain text */
    size_t bytes_size;
    const int32_t *map;    /* [map_count] index in the file -> our code, -1 missing; NULL: the same */
    size_t map_count;
    const ArrowSlice *more; /* buffers that views lead into */
    size_t more_count;
    size_t rows, valid_size, values_size;
    ArrowPacking packing;
} ArrowPart;

typedef struct ArrowBatch {
    size_t rows;
    bool packed;
    const ArrowPart *part;     /* [fields] */
    const uint8_t *head, *body, *end; /* the whole block */
} ArrowBatch;

/* A parsed file; everything points into the mapping or the arena. */
typedef struct ArrowFile {
    Arena arena;
    size_t fields, batches, metas, dictionaries;
    ArrowField *field;
    ArrowBatch *batch;
    ArrowMeta *meta;           /* of the footer's schema */
    ArrowBlock *dictionary;    /* in the order of the file */
    bool ours;                 /* written by this room */
    bool packed;               /* some batch is */
} ArrowFile;

bool arrow_parse(ArrowFile *f, const uint8_t *at, size_t size, Error *err);
void arrow_release(ArrowFile *f);
const char *arrow_meta(const ArrowFile *f, const char *key, size_t *n); /* NULL if absent */
/* The whole part with its buffers unpacked into the arena. */
bool arrow_unpack(const ArrowField *f, const ArrowPart *packed, Arena *a, ArrowPart *out, Error *err);
/* Rows of which none has a value: in the place of what cannot be read. */
void arrow_missing(const ArrowField *f, size_t rows, Arena *a, Column *out);
uint64_t arrow_layout_bytes(ArrowLayout layout, uint64_t rows);
/* Rows [from, from + rows) of an unpacked part as a column. What the file lies about (a code without a word,
 * offsets that go back) reads as missing and sets *bad; NULL skips the look. */
void arrow_column(const ArrowField *f, const ArrowPart *p, size_t from, size_t rows, Arena *a,
                  Column *out, bool *bad);

#endif
