/* group_int.h -- groups while they are counted.
 *
 * A row's keys become codes. When the keys have few possible codes, a row's cell is found by
 * multiplying and adding (direct); else by hashing the codes. Each strip of the rows has cells of
 * its own; they are put together in the order of the strips. */
#ifndef LATHE_GROUP_INT_H
#define LATHE_GROUP_INT_H

#include "scan_int.h"

#define KEYS_MOST     COUNT_OF(((GroupSpec *)0)->key)
#define MEASURES_MOST COUNT_OF(((GroupSpec *)0)->measure)

/* How a key's values become codes, and back. */
typedef struct KeyCode {
    const char *name;
    GroupPart part;
    ColumnType type;   /* of the column */
    size_t k;         /* column of the view */
    bool plain;       /* text without words: codes are numbers of a strip's own words */
    const Words *words;
    int64_t least;    /* direct: code = value - least */
    uint64_t size;    /* direct: codes are below it, the last is "missing"; 0: any 64 bits */
    double low, width; /* BIN */
    int bins;
} KeyCode;

typedef enum MeasureKind { MEASURE_ROWS, MEASURE_COUNT, MEASURE_INT, MEASURE_REAL, MEASURE_SPREAD,
                           MEASURE_LEAST, MEASURE_MOST } MeasureKind;
typedef struct Measure {
    const char *name;
    Aggregate what;
    MeasureKind kind;
    ColumnType type, out; /* of the column; of the result */
    size_t k;
    const uint32_t *rank; /* LEAST, MOST of words */
    const uint32_t *word; /* the word of each rank */
    const Words *words;
    bool plain;
} Measure;

/* What is known of one measure of one group. */
typedef struct Cell {
    uint64_t n;
    union {
        double sum;    /* REAL, and the mean of SPREAD */
        int64_t whole; /* INT */
        uint64_t best; /* LEAST, MOST: by order_int, order_real, rank; plain text: the row + 1 */
    };
    double squares; /* SPREAD */
} Cell;

typedef struct Grouping {
    const Dataset *d;
    const RowSet *rows;
    View view;
    size_t keys, measures;
    KeyCode key[KEYS_MOST];
    Measure measure[MEASURES_MOST + 1]; /* [cells] what is kept; the last counts rows */
    size_t cells;
    Measure asked[MEASURES_MOST];       /* [measures] */
    size_t cell_of[MEASURES_MOST];      /* where what is asked for is kept */
    uint64_t direct; /* product of the sizes; 0: hashed */
    uint64_t most;   /* groups */
    size_t pieces, strips;
    Progress *progress;
    atomic_bool wrong; /* a value outside of what the profile says */
    atomic_bool many;  /* too many groups */
    uint32_t *ranks[2 * MEASURES_MOST]; /* owned */
    size_t ranked;
} Grouping;

bool group_keys_prepare(Grouping *g, const GroupSpec *spec, Error *err);
bool group_measures_prepare(Grouping *g, const GroupSpec *spec, Error *err);

/* Words of a strip, for keys of plain text. {0} is empty. Texts are borrowed from the table. */
typedef struct Intern {
    Span *text;
    size_t count, room;
    uint32_t *slot; /* number + 1 */
    size_t slots;
} Intern;
uint64_t intern(Intern *t, Span text);
void intern_release(Intern *t);

/* Codes of rows [at, at + n); missing[i] is set for rows without a value when the key is not direct. */
void group_codes(Grouping *g, const KeyCode *key, const Piece *p, size_t at, size_t n,
                 Intern *words, uint64_t *code, uint8_t *missing);
/* Adds the rows to cell[at[i] + measure]. */
void group_add(const Grouping *g, const Piece *p, size_t at, size_t n, const size_t *place,
               Cell *cell);
void group_cells_merge(const Grouping *g, Cell *into, const Cell *from);

/* Groups by hash: a tuple of codes each, and last which are missing. */
typedef struct Tuples {
    size_t width, count, room, cells;
    uint64_t *tuple; /* [room][width] */
    Cell *cell;      /* [room][cells] */
    uint32_t *slot;  /* number + 1 */
    size_t slots;
    Intern words[KEYS_MOST];
} Tuples;
size_t tuples_find(Tuples *t, const uint64_t *tuple); /* adds a new one */
void tuples_release(Tuples *t);

/* All groups, found. */
bool group_direct(Grouping *g, Pool *pool, Tuples *out, Error *err);
bool group_hashed(Grouping *g, Pool *pool, Tuples *out, Error *err);
bool group_output(const Grouping *g, const Tuples *all, Arena *a, Chunk *out, Error *err);

#endif
