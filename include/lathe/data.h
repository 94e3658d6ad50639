/* data.h -- tables: where they come from, how they are typed, kept, described and asked.
 *
 * A Dataset is one version of a table: an Arrow IPC file (Feather V2), mapped, uncompressed, in
 * chunks of 65,536 rows, named by a tree of SHA-256 over its content. It never changes, so any
 * number of threads may read it; what it hands out is borrowed until dataset_close().
 *
 * Chunk is the coin of the house: the reader makes them, recipes turn them into other chunks,
 * features turn them into floats, scoring takes a chunk of one row or of many.
 *
 *     Dataset *d = dataset_open("3f2a....arrow", &err);
 *     for (size_t c = 0; c < dataset_chunks(d); c++) {
 *         Chunk chunk;
 *         if (!dataset_read(d, c, &arena, &chunk, &err))          // zero copy
 *             break;                                              // damaged meanwhile
 *         const Column *fare = chunk_find(&chunk, "FAREAMOUNT");  // NULL if absent
 *         for (size_t row = 0; row < chunk.rows; row++)
 *             if (column_has(fare, row))
 *                 sum += column_real(fare, row);                  // of a number, time, date, bool
 *     }
 *     dataset_close(d);
 */
#ifndef LATHE_DATA_H
#define LATHE_DATA_H

#include <lathe/base.h>

#include <jansson.h>

/* ---- columns, chunks ----------------------------------------------------------------------- */

#define COLUMN_TYPES(X) /* enum, name in files and on screen, meaning */ \
    X(BOOL, "bool",      "true or false")                                \
    X(INT,  "int64",     "whole number")                                 \
    X(REAL, "float64",   "number")                                       \
    X(TIME, "timestamp", "microseconds since 1970 UTC")                  \
    X(DATE, "date",      "days since 1970")                              \
    X(TEXT, "text",      "UTF-8, with a dictionary where words repeat")

#define AS_ENUM(name, text, about) COLUMN_##name,
typedef enum ColumnType { COLUMN_TYPES(AS_ENUM) COLUMN_TYPE_COUNT } ColumnType;
#undef AS_ENUM
const char *column_type_name(ColumnType t);
bool column_type_parse(const char *name, ColumnType *out); /* also int, float, real, string, time */

#define ROLES(X) /* enum, name, meaning */           \
    X(FEATURE, "feature", "an input of the model")   \
    X(TARGET,  "target",  "what the model predicts") \
    X(TIMELINE, "time",   "when the row happened")   \
    X(ID,      "id",      "names the row")           \
    X(IGNORE,  "ignore",  "not used")
#define AS_ENUM(name, text, about) ROLE_##name,
typedef enum Role { ROLES(AS_ENUM) ROLE_COUNT } Role;
#undef AS_ENUM
const char *role_name(Role r);
bool role_parse(const char *name, Role *out);

/* A dictionary: word w is bytes[start[w] .. start[w+1]). Words are distinct; order of appearance. */
typedef struct Words {
    size_t count;
    const int32_t *start;  /* [count+1] */
    const char *bytes;
} Words;

/* One column of one chunk, in Arrow's layout. Open: kernels walk over it. */
typedef struct Column {
    const char *name;
    ColumnType type;
    size_t rows;
    const uint8_t *valid;         /* bit i: row i has a value, LSB first; NULL: every row has */
    union {
        const uint8_t *bit;       /* BOOL, packed LSB first */
        const int64_t *integer;   /* INT; TIME in microseconds UTC */
        const double  *real;      /* REAL; NaN is a value here, missing is in `valid` */
        const int32_t *day;       /* DATE */
        const int32_t *code;      /* TEXT with words: [rows] into *words; 0 where missing */
        const int32_t *start;     /* TEXT without: [rows+1] into bytes */
    };
    const Words *words;           /* TEXT: NULL means plain */
    const char *bytes;            /* TEXT plain */
} Column;

typedef struct Chunk {
    size_t rows, columns;
    const Column *column;         /* [columns] */
    uint64_t first;               /* number of its first row in the table, from 0 */
    const uint64_t *origin;       /* [rows] row numbers in the source table; NULL: first + i */
} Chunk;

#ifndef CHUNK_ROWS
#define CHUNK_ROWS 65536      /* rows in a full chunk; the test build makes it tiny */
#endif

static inline bool bit_get(const uint8_t *bits, size_t i) { return bits[i >> 3] >> (i & 7) & 1; }
static inline bool column_has(const Column *c, size_t row) { return !c->valid || bit_get(c->valid, row); }
const Column *chunk_find(const Chunk *c, const char *name);             /* NULL if absent */
/* The same for names asked for in the columns' order, most often: *next begins at 0 and goes along. */
const Column *chunk_find_next(const Chunk *c, const char *name, size_t *next);
double      column_real(const Column *c, size_t row);  /* missing or TEXT: NaN; bool 0/1 */
const char *column_text(const Column *c, size_t row, size_t *n); /* TEXT only; not terminated */
/* Bytes between two offsets of plain text. They only grow, but those of a file that is cut while it is
 * mapped fall to 0 once; the end of the pass says so (dataset_sound). */
static inline size_t column_span(int32_t from, int32_t to) { return to > from ? (size_t)(to - from) : 0; }
void        column_print(const Column *c, size_t row, Text *into); /* as a CSV field shows it; missing: "" */
uint64_t    chunk_origin(const Chunk *c, size_t row);
void        chunk_slice(const Chunk *c, size_t from, size_t rows, Arena *a, Chunk *out); /* copies bitmaps only */
/* All of it, texts and words too, in the arena: for those who keep a chunk longer than its maker does. */
void        chunk_copy(const Chunk *c, Arena *a, Chunk *out);
/* The rows listed (ascending or not), copied; sets origin. */
void        chunk_gather(const Chunk *c, const uint32_t *row, size_t rows, Arena *a, Chunk *out);

/* Builds one column row by row (recipes, readers, tests); column_build_finish gives arena memory. */
typedef struct ColumnBuild ColumnBuild;
ColumnBuild *column_build(Arena *a, const char *name, ColumnType type, size_t rows_at_most);
void column_build_missing(ColumnBuild *b);
void column_build_real(ColumnBuild *b, double v);      /* REAL */
void column_build_int(ColumnBuild *b, int64_t v);      /* INT, TIME, DATE, BOOL */
void column_build_text(ColumnBuild *b, const char *s, size_t n);
void column_build_finish(ColumnBuild *b, Column *out); /* text becomes words if that is smaller */

/* ---- schema -------------------------------------------------------------------------------- */

/* private: its values stand as *** in every log and on every screen of production. */
typedef struct Field { const char *name; ColumnType type; Role role; bool nullable, private; } Field;
typedef struct Schema { size_t count; Field *field; Arena arena; } Schema; /* names in the arena */
void   schema_add(Schema *s, const char *name, ColumnType type, Role role);
size_t schema_find(const Schema *s, const char *name);  /* SIZE_MAX if absent */
/* Sets "no column MILAGE, did you mean MILEAGE?" and returns SIZE_MAX when absent. */
size_t schema_need(const Schema *s, const char *name, Error *err);
void   schema_copy(Schema *into, const Schema *from);
void   schema_release(Schema *s);
json_t *schema_to_json(const Schema *s);
bool   schema_from_json(Schema *into, const json_t *from, Error *err);

/* ---- profile ------------------------------------------------------------------------------- */

#define PROFILE_QUANTILES 101 /* 0 %, 1 % ... 100 % */
#define PROFILE_BINS 40
#define PROFILE_TOP 20
typedef struct ProfileTop { const char *value; uint64_t count; } ProfileTop;
typedef struct ColumnProfile {
    const char *name; ColumnType type;
    uint64_t count, missing;           /* rows; rows without a value */
    double distinct;                   /* HyperLogLog estimate; exact while small */
    bool numeric;                      /* the numbers below mean something (not TEXT) */
    double least, most, mean, deviation; /* of the finite values; deviation with n-1 */
    uint64_t zeros, negatives, nans;
    double quantile[PROFILE_QUANTILES];
    uint64_t bin[PROFILE_BINS];        /* equal width from least to most */
    size_t tops; ProfileTop top[PROFILE_TOP]; /* most frequent first; text as printed */
    uint64_t shortest, longest;        /* TEXT, in bytes */
} ColumnProfile;
typedef struct Profile { uint64_t rows; size_t columns; ColumnProfile *column; Arena arena; } Profile;
const ColumnProfile *profile_find(const Profile *p, const char *name);
json_t *profile_to_json(const Profile *p);
bool    profile_from_json(Profile *into, const json_t *from, Error *err);
void    profile_release(Profile *p);

/* One pass over chunks; profilers of parts can be merged, in the order of the parts. */
typedef struct Profiler Profiler;
Profiler *profiler_create(const Schema *s);
void profiler_add(Profiler *p, const Chunk *c);
void profiler_merge(Profiler *into, Profiler *from); /* destroys from */
void profiler_finish(Profiler *p, Profile *out);     /* destroys p */
/* Before the first row: so many different values of a column are counted one by one, a power of two
 * (4096 otherwise); 32 bytes each. */
void profiler_count_most(Profiler *p, size_t values);
/* Parts of one table that have seen a few rows each, of so many in all: what these already show to have
 * many values is sampled from now on as so many rows want it. False: not all columns have many. */
bool profiler_expect(Profiler *const *part, size_t parts, uint64_t rows);
/* A second look. Counts of the most frequent among many numbers are estimates; who can go over the rows
 * again gets them exactly:
 *
 *     Recount *r = recount_create(p);       // NULL: there is nothing to count again
 *     recount_add(r, chunk);                // all of them; parts can be merged
 *     recount_finish(r, p);                 // before profiler_finish */
typedef struct Recount Recount;
Recount *recount_create(const Profiler *p);
void recount_add(Recount *r, const Chunk *c);
void recount_merge(Recount *into, Recount *from); /* destroys from */
void recount_finish(Recount *r, Profiler *into);  /* destroys r */

/* ---- datasets ------------------------------------------------------------------------------ */

typedef struct Dataset Dataset;
Dataset *dataset_open(const char *path, Error *err);  /* any broken or foreign file: one clear line */
void     dataset_close(Dataset *d);
const char   *dataset_hash(const Dataset *d);         /* 64 hex digits */
const Schema *dataset_schema(const Dataset *d);
const Profile *dataset_profile(const Dataset *d);     /* kept in the file */
uint64_t dataset_rows(const Dataset *d);
uint64_t dataset_bytes(const Dataset *d);
size_t   dataset_chunks(const Dataset *d);
/* Chunk i as views, no copies. False: the file became shorter since it was opened, or what it holds
 * is damaged; the error says which and what to do. */
bool     dataset_read(const Dataset *d, size_t i, Arena *a, Chunk *out, Error *err);
/* After a pass over chunks or columns: was all that was handed out what was written? */
bool     dataset_sound(const Dataset *d, Error *err);
/* As dataset_read, for those who ask dataset_sound in the end or have nobody to tell: what cannot be
 * read is missing. Of a file larger than a good share of the memory, pages that were looked at are let
 * go of on the way. */
void     dataset_chunk(const Dataset *d, size_t i, Arena *a, Chunk *out);
size_t   dataset_chunk_rows(const Dataset *d, size_t i);
/* One column alone of a chunk, for scans that need no more. */
void     dataset_column(const Dataset *d, size_t i, size_t column, Arena *a, Column *out);
/* The chunk that holds row, and the row's place in it. */
size_t   dataset_locate(const Dataset *d, uint64_t row, size_t *in_chunk);
bool     dataset_verify(const Dataset *d, Pool *pool, Error *err); /* recomputes the hash */

/* Writes chunks (of any size; regrouped to CHUNK_ROWS) to a temporary file in dir; finish flushes,
 * computes hash and profile, renames to dir/HASH.arrow. Destroying before leaves nothing.      */
typedef struct DatasetWriter DatasetWriter;
DatasetWriter *dataset_writer_create(const char *dir, const Schema *s, Pool *pool, Error *err);
bool dataset_writer_add(DatasetWriter *w, const Chunk *c, Error *err);
bool dataset_writer_finish(DatasetWriter *w, char hash[65], Error *err); /* does not destroy */
void dataset_writer_destroy(DatasetWriter *w);

/* ---- sources and ingest --------------------------------------------------------------------- */

/* What sniffing guessed, or the user said: options are Param rows (ingest_params). Empty or 0
 * means "guess". After opening, the reader's copy holds what is used.                          */
typedef struct IngestOptions {
    char *delimiter;   /* one character, or \t; "" guess */
    char *quote;       /* "" guess */
    int header;        /* 0 guess, 1 yes, 2 no */
    char *encoding;    /* "" guess; utf-8, latin-1 */
    char *null_words;  /* comma-separated; "" guess */
    char *types;       /* COL:TYPE,... */
    char *decimal;     /* "" guess; "." or "," */
    int skip;          /* lines to skip before the table; -1 guess */
    double reject_limit; /* share of rejected rows that is an error, 0..1 */
} IngestOptions;
extern const Param ingest_params[];

typedef struct Reject { uint64_t line; const char *reason, *text; size_t text_size; } Reject;
typedef void (*OnReject)(void *context, const Reject *r); /* on the reading thread */

/* Streams any source (path, glob, "-", http(s)://, s3://; gzip and zstd by content) as typed chunks.
 * With `wanted` (scoring) the columns and types are those; more in the source are left out, one
 * that is missing there is an error that names it (unless it is the target).                    */
typedef struct Reader Reader;
Reader *reader_open(const char *source, const IngestOptions *options, const Schema *wanted,
                    OnReject on_reject, void *context, Progress *progress, Error *err);
/* The same, parsed on a pool that nobody else uses meanwhile. What comes, rejects in between, and where
 * chunks end does not depend on its threads. */
Reader *reader_open_on(const char *source, const IngestOptions *options, const Schema *wanted, Pool *pool,
                       OnReject on_reject, void *context, Progress *progress, Error *err);
const Schema *reader_schema(const Reader *r);
json_t *reader_sniffed(const Reader *r);         /* delimiter, quote, header, ...; a new reference */
/* true with out->rows > 0, or true with rows == 0 at the end; chunk memory lives until the next call */
bool reader_next(Reader *r, Chunk *out, Error *err);
void reader_close(Reader *r);

typedef struct IngestReport {
    char hash[65];
    uint64_t rows, columns, rejects, bytes;      /* bytes read from the source, unpacked */
    double seconds;
    json_t *sniffed;                             /* owned; also "widened": [{column, from, to, line}] */
    char source_tag[128];                        /* ETag, or size and time: has it changed? */
} IngestReport;
/* Source -> dataset file in dir. Widening a type later in the file is handled and reported. */
bool ingest(const char *source, const IngestOptions *options, const char *dir, Pool *pool,
            OnReject on_reject, void *context, Progress *progress, IngestReport *out, Error *err);
void ingest_report_release(IngestReport *r);
/* Is the source other than when source_tag was taken? Only asks (size and time, HEAD); when that
 * cannot be told, it is. */
bool source_changed(const char *source, const char *source_tag);

/* Chunks as CSV (RFC 4180 quoting), appended to text; the header line from the first chunk. */
void csv_print_field(const char *s, size_t n, char delimiter, Text *into); /* one field of text */
void csv_print_header(const Chunk *c, char delimiter, Text *into);
void csv_print(const Chunk *c, char delimiter, Text *into);

/* Chunks as a file for other programs: CSV, Arrow (file or stream) or Parquet. Written beside the path and
 * renamed: whole or not at all; memory does not grow with the rows. Destroying before finish leaves nothing. */
typedef struct TableOptions {
    const char *format;   /* csv, arrow, arrows (a stream), parquet; NULL or "": by the name's ending */
    const char *compress; /* none, gzip, zstd, lz4, snappy as the format has them; NULL or "": its own way */
    const Words *const *words; /* [columns] dictionaries that all chunks share, NULL where none is known;
                            * NULL: none is */
} TableOptions;
typedef struct TableWriter TableWriter;
bool table_named(const char *path);       /* does its ending say one of the formats? */
TableWriter *table_writer_create(const char *path, const Schema *s, const TableOptions *options, Pool *pool,
                                 Error *err);
bool table_writer_add(TableWriter *w, const Chunk *c, Error *err);
bool table_writer_finish(TableWriter *w, Error *err); /* does not destroy */
uint64_t table_writer_bytes(const TableWriter *w);
const char *table_writer_format(const TableWriter *w);
void table_writer_destroy(TableWriter *w);

/* ---- split ----------------------------------------------------------------------------------- */

/* Which part a row falls in: a seeded hash of its row number in the dataset, so it needs no memory,
 * does not depend on threads, and stays when a recipe drops other rows. Shares sum to 1.         */
typedef enum Part { PART_TRAIN, PART_VALID, PART_TEST, PART_COUNT } Part;
typedef struct Split {
    double share[PART_COUNT];
    uint64_t seed;
    const char *by;          /* "70/15/15@WHEN": by the order of this column; NULL: by the hash */
    uint8_t *part;           /* [rows] then, made by split_bind */
    uint64_t rows;
} Split;
/* "70/15/15", "64/16/20@WHEN"; by borrows from the text, part is emptied. */
bool split_parse(const char *text, Split *out, Error *err);
/* By a column: the rows with the earliest values train, those after them validate, the latest test; rows of
 * one value are never parted, rows without one train. Without a column there is nothing to do. */
bool split_bind(Split *s, const Dataset *d, Error *err);
void split_release(Split *s);
Part split_part(const Split *s, uint64_t row);
const char *part_name(Part p);                              /* train, valid, test */

/* ---- SQL -------------------------------------------------------------------------------------- */

/* Makes a dataset readable as an eponymous virtual table of an SQLite connection, zero copy.
 * The dataset must outlive the connection. */
struct sqlite3;
bool sql_add_dataset(struct sqlite3 *db, const char *table, const Dataset *d, Error *err);
/* As sqlite3_prepare_v2, and what the statement makes of one column by pure functions, like
 * substr(PICKUP, 12, 2) or strftime('%H', PICKUP), is computed once a value and not once a row; rows come
 * grouped by it. A code of SQLite. */
struct sqlite3_stmt;
int sql_prepare(struct sqlite3 *db, const char *text, struct sqlite3_stmt **out, const char **rest);
/* Lets the stop of `progress` (NULL: nobody's) end statements with SQLITE_INTERRUPT, in the middle of a step
 * too. So does sqlite3_interrupt by itself. */
void sql_watch(struct sqlite3 *db, Progress *progress);

/* ---- made-up trips ---------------------------------------------------------------------------- */
/* Two months of taxi trips in the layout of the District of Columbia's open data, made up: the
 * fares follow the tariff plus normal noise of SAMPLE_NOISE dollars, which is the lowest RMSE that
 * a model of FAREAMOUNT can reach on rows with a fare between 3 and 200. See sample.c.         */
#define SAMPLE_NOISE 1.0
typedef struct SampleOptions {
    int rows;      /* in each month */
    int seed;
    double drift;  /* of the second month: 0 none, 1 what sample-data/ has */
} SampleOptions;
extern const Param sample_params[];
typedef struct SampleMonth {
    char path[1024];
    uint64_t rows, bytes;
    uint64_t outliers;                      /* fare outside 3 .. 200 */
    uint64_t broken_lines, broken_numbers;  /* wrong field count; an amount that is no number */
    double noise;                           /* deviation that the plain rows really got, dollars */
} SampleMonth;
typedef struct SampleReport { SampleMonth month[2]; } SampleReport;
/* Writes dir/taxi_2019_01.csv and dir/taxi_2019_02.csv, each whole or not at all. */
bool sample_write(const char *dir, const SampleOptions *options, SampleReport *out, Error *err);
double sample_tariff(double miles, double seconds); /* the fare without noise, in the first month */

#endif
