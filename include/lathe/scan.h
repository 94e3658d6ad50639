/* scan.h -- questions to a whole table, answered by passes over its chunks and never through SQL:
 * in which order, how often, how groups compare, how two columns go together, how it looks.
 * (Filters by expression are the recipe room's: expr_filter.)
 *
 * Every scan takes the rows it looks at: NULL means all, in file order. Work is spread over `pool`
 * (NULL: this thread) in an order that does not depend on the number of threads, so results are the
 * same bits. `progress` (NULL: none) counts rows and stops a scan: false with ERROR_STOP.
 */
#ifndef LATHE_SCAN_H
#define LATHE_SCAN_H

#include <lathe/data.h>

/* Numbers of rows of one dataset, in the order they are shown. 32 bits carry 4.29 billion. */
typedef struct RowSet {
    uint32_t *row;      /* [count], owned */
    uint64_t count;
} RowSet;
bool rowset_all(const Dataset *d, RowSet *out, Error *err); /* ERROR_SPACE when 32 bits or memory do not do */
void rowset_release(RowSet *rows);

/* ---- order ---------------------------------------------------------------------------------- */

typedef struct SortKey { size_t column; bool down; } SortKey;
/* Reorders rows by keys, first key first; stable; missing and NaN last whichever way; text by bytes.
 * Takes at most `memory` bytes beyond the rows (0: 1 GB); what needs more goes through sorted runs in
 * unnamed files in `scratch` (the ranks of a column's words come on top). After a failure the rows
 * are in no order, and some may be lost: release them. */
bool scan_sort(const Dataset *d, const SortKey *key, size_t keys, RowSet *rows, uint64_t memory,
               const char *scratch, Pool *pool, Progress *progress, Error *err);

/* ---- groups --------------------------------------------------------------------------------- */

#define AGGREGATES(X) /* enum, name, what */                          \
    X(COUNT,    "count",    "rows, or values of a column")            \
    X(SUM,      "sum",      "sum of a column's values")               \
    X(MEAN,     "mean",     "mean of a column's values")              \
    X(LEAST,    "min",      "smallest value")                         \
    X(MOST,     "max",      "largest value")                          \
    X(DEVIATION,"stddev",   "sample deviation, n-1")
#define AS_ENUM(name, text, about) AGGREGATE_##name,
typedef enum Aggregate { AGGREGATES(AS_ENUM) AGGREGATE_COUNT_OF } Aggregate;
#undef AS_ENUM
const char *aggregate_name(Aggregate a);
bool aggregate_parse(const char *name, Aggregate *out);

/* A key is a column, or a part of a time or of a number's range. */
/* HOUR, WEEKDAY, DAY (of the month), MONTH, YEAR, DATE: as the functions of expressions with these
 * names. BIN: equal widths between the profile's extremes; the key is the bin's lower edge. */
#define GROUP_PARTS(X) X(VALUE, "value") X(HOUR, "hour") X(WEEKDAY, "weekday") X(DAY, "day") \
                       X(MONTH, "month") X(YEAR, "year") X(DATE, "date") X(BIN, "bin")
#define AS_ENUM(name, text) GROUP_##name,
typedef enum GroupPart { GROUP_PARTS(AS_ENUM) GROUP_PART_COUNT } GroupPart;
#undef AS_ENUM
const char *group_part_name(GroupPart p);
bool group_part_parse(const char *name, GroupPart *out);
typedef struct GroupKey { size_t column; GroupPart part; int bins; } GroupKey;
typedef struct GroupMeasure { Aggregate what; size_t column; } GroupMeasure; /* COUNT of SIZE_MAX: rows */
typedef struct GroupSpec {
    size_t keys;     GroupKey key[4];
    size_t measures; GroupMeasure measure[8];
} GroupSpec;
/* One row a group: the keys as columns, then the measures (named "mean_fare", "count"); ordered by
 * the first measure falling (count when there is none), ties by the keys. At most `most` groups
 * (0: one million), beyond which it is an error that says so. The chunk's memory is the arena's.  */
bool scan_group(const Dataset *d, const GroupSpec *spec, const RowSet *rows, uint64_t most, Pool *pool,
                Progress *progress, Arena *a, Chunk *out, Error *err);

/* ---- one column, two columns ------------------------------------------------------------------ */

/* The profile of one column over some rows (all rows and the whole file: dataset_profile has it). */
bool scan_profile(const Dataset *d, size_t column, const RowSet *rows, Pool *pool, Progress *progress,
                  Profile *out, Error *err);

typedef struct Correlation {        /* of the numeric columns, over rows that have both values */
    size_t columns; const size_t *column;  /* [columns] numbers of columns in the dataset */
    const double *pearson;          /* [columns * columns], NaN where a column is constant */
    const double *spearman;         /* the same of ranks, from at most 100,000 rows spread evenly */
} Correlation;                      /* all columns but text; infinite values count as missing */
bool scan_correlation(const Dataset *d, const RowSet *rows, Pool *pool, Progress *progress, Arena *a,
                      Correlation *out, Error *err);

typedef struct Range { size_t column; double low, high; uint64_t below, above; } Range;
/* How many values lie below and above each range; of numbers, times, dates (as column_real has them). */
bool scan_beyond(const Dataset *d, Range *range, size_t n, Pool *pool, Progress *progress, Error *err);

/* Columns that say in every row what an earlier one says, the earliest of such: `out` is the caller's. */
typedef struct SameColumn { size_t column, as; } SameColumn;
bool scan_same(const Dataset *d, Pool *pool, Progress *progress, SameColumn **out, size_t *n, Error *err);

typedef struct Density {            /* how many rows fall in each cell of a grid */
    size_t x_column, y_column;      /* numbers, times, dates or bools */
    int width, height;              /* asked */
    double x_least, x_most, y_least, y_most; /* least == most on entry: chosen, 0.5 to 99.5 % */
    uint64_t *cell;                 /* [height * width], row 0 lowest y; in the arena */
    uint64_t inside, outside, missing;
} Density;
bool scan_density(const Dataset *d, Density *io, const RowSet *rows, Pool *pool, Progress *progress,
                  Arena *a, Error *err);

#endif
