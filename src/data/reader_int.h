/* reader_int.h -- what the reading half of this room shares: bytes -> fields -> values -> chunks.
 *
 *     Source   bytes of one file, pipe or address, unpacked          source*.c
 *     Grid     where the fields of the rows of one block lie         csv.c, csv_index.c
 *     Sniff    what a sample says about the whole                    sniff.c, sniff_types.c
 *     Plan     how each column is read, fixed before a pass          plan.c
 *     Block    one piece of the source as typed columns              block.c
 *     Feed     a source cut into blocks that are parsed in parallel  feed.c
 *     Reader   Feeds one after another as chunks                     reader.c
 *
 * A Plan is only read while blocks are parsed, so any number of threads share it. */
#ifndef LATHE_READER_INT_H
#define LATHE_READER_INT_H

#include <lathe/data.h>

#include <csv.h>

/* ---- bytes ---------------------------------------------------------------------------------- */

/* Bytes one after another. read gives at least one byte, or 0 at the end. */
typedef struct Stream Stream;
struct Stream {
    bool (*read)(Stream *s, uint8_t *into, size_t room, size_t *got, Error *err);
    void (*close)(Stream *s);
    uint64_t total; /* bytes in all; 0: not known */
    char tag[128];  /* what tells this version from another (ETag); "" if nothing does */
};
void stream_close(Stream *s); /* NULL is fine */

typedef struct SourceSetup {
    const char *spool_dir;  /* where what cannot be read twice is kept; NULL: never rewound */
    double connect_seconds; /* 0: the usual */
    double stall_seconds;   /* no byte for so long is a break */
    int tries;              /* attempts in a row without a byte */
    Progress *progress;     /* its stop is asked while waiting for bytes */
    struct FetchQueue *ahead; /* of many objects: asks for the next ones in advance; NULL: none */
} SourceSetup;

Stream *file_stream(const char *name, int fd, Progress *progress); /* takes fd */
Stream *http_stream(const char *url, const SourceSetup *setup, Error *err);
Stream *spool_stream(Stream *from, const char *dir, Error *err); /* takes from */
bool spool_rewind(Stream *spool, Error *err);
Stream *gzip_stream(const char *name, Stream *from); /* borrows from */
Stream *zstd_stream(const char *name, Stream *from); /* borrows from */
Stream *utf16_stream(Stream *from, bool big_endian); /* borrows from */

typedef struct Names {
    size_t count;
    char **at;
    char **tag;     /* [count], as listed; NULL: to be asked for one by one */
    uint64_t *size; /* [count], as listed; NULL: of files */
} Names;
/* The files of a pattern, the objects of an s3:// prefix or pattern, in order; else the source itself. */
bool source_list(const char *source, Names *out, Error *err);
void names_release(Names *n);
/* For the SourceSetup of objects that are read in this order; NULL for files. Borrows the names. */
struct FetchQueue *source_ahead(const Names *parts, const SourceSetup *setup);
void source_ahead_close(struct FetchQueue *ahead);

typedef struct Source Source;
Source *source_open(const char *name, const SourceSetup *setup, Error *err);
void source_close(Source *s);
const char *source_name(const Source *s);
bool source_in_place(const Source *s); /* a plain local file: source_read_at, on any thread */
int source_file(const Source *s);      /* its descriptor, if in place; borrowed */
uint64_t source_size(const Source *s); /* bytes as they lie there, packed or not; 0: unknown */
bool source_read_at(const Source *s, uint64_t from, void *into, size_t room, size_t *got,
                    Error *err);
bool source_read(Source *s, void *into, size_t room, size_t *got, Error *err); /* the others */
bool source_rewind(Source *s, Error *err);
bool source_unchanged(const Source *s, Error *err); /* still the file that was opened? */
void source_tag(const Source *s, char tag[128]);
bool source_tag_now(const Names *parts, char tag[128]); /* of all of them, without reading */
const char *source_encoding(const Source *s);           /* "utf-16" if it was, else NULL */
const char *source_packing(const Source *s);            /* "gzip", "zstd" or NULL */

/* ---- fields --------------------------------------------------------------------------------- */

#define ROW_MOST     ((size_t)4 << 20) /* a longer row is rejected */
#define COLUMNS_MOST 100000
#define PADDING      64 /* readable bytes before and behind whatever is parsed */

/* Where a field lies: in the block, or (quotes undone) in the grid's side text. */
typedef struct Span {
    uint32_t at, size;
} Span;
#define SPAN_SIDE 0x80000000u

#define ROW_FAULTS(X)                                                                              \
    X(COUNT, "wrong number of fields")                                                             \
    X(QUOTE, "a quote that never ends")                                                            \
    X(LONG, "a row longer than 4 MB")                                                              \
    X(ENCODING, "bytes that are not UTF-8")                                                        \
    X(NUL, "a NUL byte")                                                                           \
    X(VALUE, "a value that does not fit its column")
#define AS_ENUM(name, text) FAULT_##name,
typedef enum RowFault { ROW_FAULTS(AS_ENUM) } RowFault;
#undef AS_ENUM

typedef struct BadRow {
    Span row;
    RowFault fault;
    uint32_t detail; /* COUNT: fields found; VALUE: the column */
} BadRow;

typedef struct CsvRules {
    char delimiter, quote;
    size_t columns;
} CsvRules;

/* Where the bytes that matter lie in a block: delimiters, quotes, CR and LF. */
typedef struct CsvIndex {
    uint32_t *place; /* [places] */
    uint32_t *stop;  /* [stops] which of the places are no delimiters */
    size_t places, stops, room;
    bool ascii;
} CsvIndex;

/* The fields of whole rows. Those of a row without quotes lie between the places of the index, and
 * nothing is kept but where its first ends; those of an odd row have a span each. */
typedef struct Grid {
    const char *base;
    char delimiter;
    size_t rows, columns, room;
    Span *row;       /* [rows] */
    uint32_t *first; /* [rows] the place that ends the first field, or ROW_ODD and its number */
    Span *odd;       /* [odds][columns] */
    size_t odds, odd_room, row_room;
    Text side;
    VEC(BadRow) bad;
    size_t end; /* behind the last row taken */
    bool open;  /* a row begins at end, before the stop, and is not complete in these bytes */
    CsvIndex index;
    struct csv_parser *csv;
    size_t endless_from, endless_to; /* a row from here is still inside quotes there */
} Grid;
#define ROW_ODD 0x80000000u

/* Takes the rows that begin in [from, stop) of bytes[0..size). final: the source ends at size.
 * Readable PADDING on both sides; where final, bytes[size] must be '\n'. */
void grid_fill(Grid *g, const CsvRules *rules, const char *bytes, size_t from, size_t stop,
               size_t size, bool final);
/* The row at place *k, if its quotes stand around whole fields; csv_quoted.c. */
bool grid_neat_row(Grid *g, const CsvRules *rules, size_t at, size_t *k);
/* One row, from csv_quoted.c; *behind: where the next one begins. */
typedef enum RowEnd { ROW_TAKEN, ROW_BAD, ROW_OPEN } RowEnd;
RowEnd grid_quoted_row(Grid *g, const CsvRules *rules, size_t at, size_t size, bool final,
                       size_t *behind);
void grid_bad(Grid *g, size_t at, size_t end, RowFault fault, size_t detail);
static inline bool csv_ends_row(char c)
{
    return c == '\n' || c == '\r';
}
void grid_drop(Grid *g, const uint32_t *bad, RowFault fault); /* rows whose bad[] is not 0 */
void grid_spread(Grid *g);                                    /* makes every row odd */
Span *grid_odd_row(Grid *g); /* room for the spans of one more; g->odds stays */
void grid_pad(Grid *g);      /* after adding to the side text: readable PADDING behind it */
uint64_t grid_lines(const Grid *g, size_t stop); /* as csv_lines up to g->end, by the index */
void grid_release(Grid *g);
static inline const char *grid_text(const Grid *g, Span s)
{
    return (s.at & SPAN_SIDE ? g->side.at : g->base) + (s.at & ~SPAN_SIDE);
}

/* The fields of one column of a grid, for loops over its rows. */
typedef struct Cells {
    const Grid *grid;
    const char *base;
    const uint32_t *first, *place; /* place: of the index, moved on by the column */
    const Span *row;
    size_t column;
} Cells;

static inline Cells grid_cells(const Grid *g, size_t column)
{
    return (Cells){.grid = g,
                   .base = g->base,
                   .first = g->first,
                   .place = g->index.place + column,
                   .row = g->row,
                   .column = column};
}

static inline Span *grid_odd(const Grid *g, size_t column, size_t row)
{
    return &g->odd[(g->first[row] & ~ROW_ODD) * g->columns + column];
}

/* The text of a field; it may still have blanks around it that do not belong to it. */
static inline const char *cells_raw(const Cells *c, size_t row, size_t *n)
{
    uint32_t first = c->first[row];
    if (__builtin_expect(first & ROW_ODD, 0)) {
        Span s = *grid_odd(c->grid, c->column, row);
        *n = s.size;
        return grid_text(c->grid, s);
    }
    const uint32_t *end = c->place + first;
    size_t at = c->column ? end[-1] + 1 : c->row[row].at;
    *n = *end - at;
    return c->base + at;
}

Span grid_trimmed(const Grid *g, Span s);

static inline Span cells_span(const Cells *c, size_t row)
{
    uint32_t first = c->first[row];
    if (first & ROW_ODD)
        return *grid_odd(c->grid, c->column, row);
    const uint32_t *end = c->place + first;
    uint32_t at = c->column ? end[-1] + 1 : c->row[row].at;
    Span s = {at, *end - at};
    bool edge = s.size && (c->base[at] <= ' ' || c->base[*end - 1] <= ' ');
    return edge ? grid_trimmed(c->grid, s) : s;
}

static inline Span grid_span(const Grid *g, size_t column, size_t row)
{
    Cells c = grid_cells(g, column);
    return cells_span(&c, row);
}

/* The index of bytes[from..to). */
void csv_index(CsvIndex *x, const char *bytes, size_t from, size_t to, char delimiter, char quote);
void csv_index_plain(CsvIndex *x, const char *bytes, size_t from, size_t to, char delimiter,
                     char quote); /* the oracle of the other */
void csv_index_release(CsvIndex *x);
uint64_t csv_lines(const char *bytes, size_t n); /* line ends: LF, CR LF or a lone CR */

/* ---- values --------------------------------------------------------------------------------- */

#define READ_KINDS(X) /* name, type, as shown; in order of preference */                           \
    X(BOOL, BOOL, "bool")                                                                          \
    X(INT, INT, "int64")                                                                           \
    X(REAL, REAL, "float64")                                                                       \
    X(AMOUNT, REAL, "float64 (amounts)")                                                           \
    X(DATE_YMD, DATE, "date")                                                                      \
    X(DATE_MDY, DATE, "date (month first)")                                                        \
    X(DATE_DMY, DATE, "date (day first)")                                                          \
    X(TIME_YMD, TIME, "timestamp")                                                                 \
    X(TIME_MDY, TIME, "timestamp (month first)")                                                   \
    X(TIME_DMY, TIME, "timestamp (day first)")                                                     \
    X(TEXT, TEXT, "text")                                                                          \
    X(NONE, TEXT, "text") /* no value seen yet: anything widens it */
#define AS_ENUM(name, type, text) READ_##name,
typedef enum ReadAs { READ_KINDS(AS_ENUM) READ_COUNT } ReadAs;
#undef AS_ENUM
#define READ_BIT(r) (1u << (r))
#define READ_ALL    ((1u << READ_TEXT) - 1)
ColumnType read_type(ReadAs r);
const char *read_name(ReadAs r);

typedef enum DateOrder { ORDER_YMD, ORDER_MDY, ORDER_DMY } DateOrder;

/* Each reads the whole of [s, s+n), trimmed already. lenient: the type was asked for, so 007, +5,
 * 5.0 as an int, N and 1 as a bool are fine. 16 bytes around the text must be readable. */
bool value_bool(const char *s, size_t n, bool lenient, bool *out);
/* Truth values come in pairs: false true, no yes, f t, n y, 0 1; the word's number, or -1. */
int value_truth(const char *s, size_t n);
#define TRUTH_ASKED 6 /* the first that is only one where it was asked for */
bool value_int(const char *s, size_t n, bool lenient, int64_t *out);
bool value_real(const char *s, size_t n, char decimal, bool lenient, double *out);
/* $1,234.50   1.234,50 €   1'234   45% */
bool value_amount(const char *s, size_t n, char decimal, double *out);
bool value_stamp(const char *s, size_t n, DateOrder order, int64_t *micros, bool *has_time);
/* digits / 10^behind, correctly rounded; false: too many behind the point. decimal.c */
bool decimal_real(uint64_t digits, int behind, double *out);
unsigned value_kinds(const char *s, size_t n, char decimal); /* READ_BITs of what it can be */
unsigned
read_implies(ReadAs r); /* kinds that every (or, of dates, perhaps every) value of r fits */
ReadAs read_best(unsigned kinds); /* READ_TEXT for none */

typedef struct NullWords {
    VEC(const char *) word; /* borrowed */
    uint8_t first[256];     /* may a word begin so? */
    size_t longest;
} NullWords;
void nullwords_add(NullWords *n, const char *word);
bool nullwords_has_(const NullWords *n, const char *s, size_t size);
static inline bool nullwords_has(const NullWords *n, const char *s, size_t size)
{
    return !size || (size <= n->longest && n->first[(uint8_t)s[0]] && nullwords_has_(n, s, size));
}
void nullwords_release(NullWords *n);
extern const char *const null_always[];   /* missing unless the user says otherwise; NULL-ended */
extern const char *const null_evidence[]; /* missing in typed columns; in text if seen there too */

/* ---- what a sample says --------------------------------------------------------------------- */

typedef struct Sample {
    const char *at;
    size_t size;
} Sample; /* PADDING around, '\n' behind */

typedef struct Sniff {
    CsvRules rules;
    bool header, latin1;
    char decimal, cut;   /* cut: the byte that ends a line */
    size_t skip;         /* lines */
    const char **name;   /* [columns] */
    ReadAs *as;          /* [columns] */
    DateOrder *order;    /* [columns] that most dates there have, if it had to be dates */
    bool *percent;       /* [columns] all values end in a percent sign */
    bool hollow;         /* lines end in a delimiter: the last column has neither a name nor a value */
    NullWords text_null; /* missing in text */
    NullWords null;      /* missing in all other columns */
    uint64_t body, line; /* where the first row lies, and on which line (from 1) */
    Arena arena;
} Sniff;
/* piece[0] is the beginning of the source (whole if there is no more), the others are samples
 * from further on; all but a whole one end behind a line. */
bool sniff(Sniff *out, const IngestOptions *options, const Sample *piece, size_t pieces, bool whole,
           Error *err);
/* Beginning of another file of the same form: its names and where its rows begin. */
bool sniff_head(const Sniff *like, const Sample *head, Arena *a, const char ***name,
                size_t *columns, bool *named_last, uint64_t *body, uint64_t *line, Error *err);
/* Kinds, null words, header, decimal: sniff_types.c. Needs rules and the rest of the format. */
void sniff_types(Sniff *s, const IngestOptions *options, const Sample *piece, size_t pieces,
                 bool whole, size_t first_row);
void sniff_release(Sniff *s);
size_t sniff_skip_lines(const char *bytes, size_t at, size_t n, size_t lines, char cut);
/* Fields of the row at bytes[from..], quotes undone, in the arena; the place behind it. */
size_t sniff_row(const CsvRules *rules, const char *bytes, size_t from, size_t size, Arena *a,
                 const char ***field, size_t *fields);

/* ---- how a pass reads ----------------------------------------------------------------------- */

typedef struct ColumnPlan {
    const char *name;
    ReadAs as;
    bool fixed;  /* asked for: what does not fit rejects its row */
    bool needed; /* a file without it is an error */
    bool percent; /* its numbers are per hundred: 12 stands for 12% */
    size_t from; /* field in the source's rows; SIZE_MAX: not there, all missing */
} ColumnPlan;

typedef struct Plan {
    CsvRules rules;
    char decimal, cut;
    bool latin1;
    bool widen; /* what does not fit is noted for the next pass instead of rejected */
    bool hollow; /* the last column was empty in the sample and has no name: left out while it stays so */
    const NullWords *null, *text_null;
    size_t columns;
    ColumnPlan *column;
} Plan;
/* How many columns the table has. */
static inline size_t plan_shown(const Plan *p)
{
    return p->columns - (p->hollow && p->column[p->columns - 1].as == READ_NONE);
}
bool plan_make(Plan *p, const Sniff *s, const IngestOptions *options, const Schema *wanted,
               const char *source, Arena *a, Error *err);
/* The same columns in another file, whose header reads otherwise. */
bool plan_rebind(Plan *p, const char *const *name, size_t columns, bool header, const char *source,
                 const char *first_source, Error *err);

typedef struct Misfit { /* of one column in one block or pass */
    uint64_t count;
    uint32_t at;    /* where the row of the first lies in the block's bytes */
    unsigned kinds; /* what all of them could be */
} Misfit;

/* ---- blocks --------------------------------------------------------------------------------- */

typedef struct Block {
    uint64_t from, stop,
        to;         /* in the source; rows that begin in [from, stop); to: behind the last */
    bool stuck;     /* the row at `to` is longer than ROW_MOST */
    uint64_t lines; /* line ends in [from, to) */
    Grid grid;
    Arena arena; /* the columns */
    Chunk chunk;
    Misfit *misfit;    /* [columns]; NULL: none */
    uint8_t *buffer;   /* PADDING, bytes, PADDING */
    size_t room, base; /* base: place of from in the bytes that the grid looks at */
    Error err;
} Block;
void block_parse(Block *b, const Plan *p, const char *bytes, size_t from, size_t stop, size_t size,
                 bool final);
void block_release(Block *b);
/* Why the row, whose bytes lie at `row`, was rejected: which column, what stood there. */
void block_reason(const BadRow *bad, const Plan *p, const char *row, Text *into);
void latin1_add(Text *into, const char *s, size_t n); /* as UTF-8 */
/* The columns of the grid; misfits are noted in m, their rows in *bad ([rows], column + 1). */
void columns_read(const Plan *p, const Grid *g, Arena *a, Misfit *m, uint32_t **bad, Column *out);
void column_miss(uint8_t **valid, Arena *a, size_t rows, size_t row); /* *valid NULL: makes it */
void column_read_text(const Plan *p, size_t column, const Grid *g, Arena *a, Column *out);

/* A source in rounds of blocks. */
typedef struct Feed Feed;
/* head: what was taken from a stream already; blocks in a round, 0: as suits the pool. */
Feed *feed_open(Source *source, Pool *pool, uint64_t body, size_t block_size, size_t blocks,
                const Sample *head);
void feed_close(Feed *f);
/* Parses the next blocks; *count 0: the end. Blocks live until the next call. */
bool feed_round(Feed *f, const Plan *p, Block **blocks, size_t *count, Error *err);
struct Along;
void feed_take_along(Feed *f, struct Along *along); /* beside the blocks; borrowed; NULL: nothing */
/* The row that is too long for a block: skipped. Its first bytes are in *text. */
bool feed_skip_row(Feed *f, const Plan *p, Text *text, uint64_t *lines, Error *err);
bool feed_stuck(const Feed *f);
bool feed_restart(Feed *f, Error *err);
uint64_t feed_at(const Feed *f);

/* ---- samples, options ------------------------------------------------------------------------ */

#define PIECES 12

typedef struct Samples {
    Sample piece[PIECES + 1]; /* the first is the beginning */
    size_t count;
    bool whole; /* there is no more than the beginning */
    VEC(char *) memory;
} Samples;
bool samples_take(Samples *s, Source *source, bool spread, Error *err);
Sample sample_lines(const Sample *s, bool whole); /* up to its last line end, unless it is whole */
void samples_release(Samples *s);
void ingest_options_copy(IngestOptions *into, const IngestOptions *from); /* from NULL: defaults */

/* ---- reader --------------------------------------------------------------------------------- */

typedef struct Widening {
    size_t column;
    ReadAs from, to;
    uint64_t line;
} Widening;

json_t *sniffed_json(const Sniff *s, const Plan *p, const Source *source, size_t files,
                     const Widening *widened, size_t widenings);

typedef struct ReaderSetup {
    Pool *pool;
    bool widen;
    SourceSetup source;
    size_t block_size; /* 0: the usual */
    size_t blocks;     /* parsed side by side; 0: as suits the pool */
} ReaderSetup;
#define BLOCKS_ON_POOL 16 /* where the rows must come in the same chunks whatever the pool */
struct Reader {
    Names parts;
    size_t part;
    SourceSetup setup;
    Source *source;
    Feed *feed;
    struct Along *along;        /* what the feed takes along; borrowed */
    struct ColumnFile *columns; /* in the place of feed, where the part is no text */
    const char *format;         /* of such parts; NULL: text */
    Pool *pool;
    size_t block_size, blocks_a_round;
    IngestOptions options;
    Sniff sniff;
    Plan plan;
    Schema schema;
    Arena arena;
    OnReject on_reject;
    void *context;
    Progress *progress;
    /* the round being handed out */
    Block *block;
    size_t blocks, at, row; /* next block, next row in it */
    Column *slice;
    bool entered; /* block[at] was reported */
    VEC(Chunk) round;
    Arena slices;
    /* the pass */
    bool ended;
    uint64_t rows, rejects, bytes, line; /* line: of the next block */
    uint64_t part_body;
    Misfit *misfit; /* [columns] */
    uint64_t *misfit_line;
    bool misfits;
    VEC(Widening) widened;
    /* several files */
    bool wanted;            /* the columns are what a model wants */
    VEC(ColumnPlan) fresh;  /* columns that only later files have */
    size_t *absent;         /* [columns] how many files lack it; */
    const char **absent_in; /* [columns] the first of them */
    /* bad rows behind this one are news */
    size_t told_part;
    uint64_t told_line;
    char first_reject[160];
    char tag[128];
};
/* reader_parts.c */
bool reader_next_part(Reader *r, const Samples *s, Error *err); /* a further file, or the first again */
/* The same of a file whose names and types are known. */
bool reader_next_columns(Reader *r, const char *const *name, const ReadAs *as, size_t columns,
                         Error *err);
void reader_take_fresh(Reader *r);
json_t *reader_differences(const Reader *r);
/* reader_columns.c */
struct ColumnFormat;
bool reader_open_columns(Reader *r, const struct ColumnFormat *format, const Sample *head,
                         const Schema *wanted, bool first, Error *err);
json_t *reader_columns_json(const Reader *r);
/* reader_rejects.c */
void reader_tell(Reader *r, uint64_t line, const char *reason, const char *text, size_t n);
void reader_tell_all(Reader *r, const Block *b);
void reader_note_misfits(Reader *r, const Block *b);
bool reader_within_limit(const Reader *r, Error *err);

Reader *reader_open_with(const char *source, const IngestOptions *options, const Schema *wanted,
                         const ReaderSetup *setup, OnReject on_reject, void *context,
                         Progress *progress, Error *err);
/* As reader_next, but a whole round of blocks: *chunks 0 at the end. They live until the next call;
 * not to be mixed with reader_next. */
bool reader_next_all(Reader *r, const Chunk **chunk, size_t *chunks, Error *err);
/* Runs that work beside the parsing of blocks; borrowed until another call. NULL: nothing. */
void reader_take_along(Reader *r, struct Along *along);
/* After a pass to the end: did a column need a wider type? Then the plan is widened, the source
 * rewound, and the next pass begins. */
bool reader_misfits(const Reader *r);
bool reader_restart(Reader *r, Error *err);
uint64_t reader_rows(const Reader *r);
uint64_t reader_rejects(const Reader *r);
uint64_t reader_bytes(const Reader *r);
void reader_tag(const Reader *r, char tag[128]);
const char *reader_where(const Reader *r); /* "taxi.csv" for messages */

#endif
