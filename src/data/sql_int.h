/* sql_int.h -- a dataset as a table of SQLite: what the files of it share.
 *
 * A scan's plan is a text that xBestIndex writes and xFilter reads: the columns that are used as hex,
 * how many columns rows are to be grouped by and which, then for each argument its column (-1: the
 * row number), operator and whether it is a whole list:
 *
 *     3f;2,10,17;4,2,0;-1,32,0;7,2,1;
 */
#ifndef LATHE_SQL_INT_H
#define LATHE_SQL_INT_H

#include "dataset_int.h"

#include <sqlite3.h>

typedef struct SqlTables SqlTables;

#define LIMITS_MOST 32 /* conditions of one scan that are used; further ones only by SQLite */
#define LOOKUP      1  /* idxNum: the first argument may be looked up by hash */
#define GROUPED     2  /* idxNum: rows of a group come one after the other */
#define GROUPED_MOST 8 /* columns of a group */
#define AHEAD_COLUMNS 8

/* ---- conditions --------------------------------------------------------------------------------- */

typedef struct TextBound { int op; char *at; size_t n; } TextBound;

/* What the conditions on one column leave. Kinds by the column's type; intervals are closed. */
typedef struct Limit {
    int column;           /* -1: the row number */
    ColumnType type;
    bool any;             /* no condition on values but `null` */
    bool none;            /* nothing passes */
    int null;             /* 0: no word about it; 1: only missing; 2: only values */
    int64_t low, high;    /* INT, BOOL, TIME, DATE, the row number */
    double least, most;   /* REAL */
    uint8_t *allowed;     /* TEXT with words: [words], a byte each */
    bool is_code;         /* or this one alone */
    int32_t code;
    size_t words;
    VEC(TextBound) text;  /* plain TEXT */
    int64_t *whole;       /* one of these: ascending */
    double *real;
    size_t set;           /* how many; used when is_set */
    bool is_set;
} Limit;

void limit_begin(Limit *l, const Dataset *d, int column);
void limit_release(Limit *l);
/* Adds a condition; false: it says nothing that can be used (SQLite must check it). */
bool limit_add(Limit *l, const Dataset *d, int op, sqlite3_value *v);
bool limit_add_list(Limit *l, const Dataset *d, sqlite3_value *list);
bool limit_may_hold(const Limit *l, const Dataset *d, size_t chunk);
bool limit_holds(const Limit *l, const Column *c, size_t row);
/* Of rows[0 .. n) those that pass, in place; how many. */
size_t limit_filter(const Limit *l, const Column *c, uint32_t *rows, size_t n);
bool limit_is_one(const Limit *l, uint64_t *key); /* passes one value: its key (see lookup_key) */
/* Whether a constant is of a kind for which conditions on the column are used in full. */
bool limit_is_exact(const Dataset *d, int column, int op, sqlite3_value *v);

/* ---- looking up ----------------------------------------------------------------------------------- */

/* A join asks for one word after the other: its code by hash. -1: no such word. */
void limit_one_code(Limit *l, int32_t code);

/* The rows of each value of a column, chained in their order. */
typedef struct Lookup {
    uint32_t *head, *next; /* row + 1; 0 ends */
    size_t slots;
} Lookup;
bool lookup_build(Lookup *l, SqlTables *t, const Dataset *d, size_t column); /* false: no memory, or stopped */
void lookup_release(Lookup *l);
uint32_t lookup_first(const Lookup *l, uint64_t key);
uint64_t lookup_key(const Column *c, size_t row);
static inline uint64_t real_key(double v)
{
    uint64_t bits;
    v += 0.0; /* -0 is 0 */
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

/* ---- table and scan -------------------------------------------------------------------------------- */

/* What statements make of one column by pure functions, "substr(PICKUP, 12, 2)", as a hidden column: it
 * is computed by SQLite itself, but once for each code of the column instead of once a row. A code is a
 * word, a whole number less the least, or a time as the unit of it that the functions look at: the hours
 * of the day for the one above. Code 0 is missing. */
typedef struct SqlMade { int kind; char *text; size_t n; int64_t integer; double real; } SqlMade;
typedef struct SqlComputed {
    char *text;           /* over the name x; NULL: the place is free */
    size_t column;
    ColumnType type;
    int64_t unit;         /* of a time: microseconds with one value */
    bool cyclic;          /* of the time of day alone */
    int64_t day;          /* a day of the column, cyclic: for the time that stands for a code */
    int64_t least;
    uint32_t size;        /* codes */
    const Words *words;
    SqlMade *made;        /* [size] kind 0: not asked for yet */
    uint32_t *rank;       /* [size] of the values in SQLite's order, equal ones alike; NULL: not asked for */
    uint32_t ranks;
    bool mixed;           /* 1 and 1.0: values that are equal and not the same */
    struct sqlite3_stmt *ask;
} SqlComputed;

#define COMPUTED_PLAIN 8 /* places of each table: values of any kind, */
#define COMPUTED_WHOLE 4 /* CAST(.. AS INTEGER), */
#define COMPUTED_REAL  2
#define COMPUTED_TEXT  2
#define COMPUTED_MOST  (COMPUTED_PLAIN + COMPUTED_WHOLE + COMPUTED_REAL + COMPUTED_TEXT)
#define COMPUTED_RANKS 65536 /* of more codes rows are not grouped */

/* A dataset that was added to a connection; SQLite may make its table more than once. */
typedef struct SqlSource {
    struct SqlTables *all;
    char *name;
    const Dataset *dataset;
    char **column;        /* [columns] as SQL calls them */
    size_t places;        /* for computed columns: COMPUTED_MOST, or 0 where SQL has no room */
    SqlComputed computed[COMPUTED_MOST];
} SqlSource;

/* All of a connection; it goes with it. */
struct SqlTables {
    struct sqlite3 *db;
    struct sqlite3 *own;  /* computes */
    VEC(SqlSource *) source;
    Progress *watched;    /* see sql_watch */
    double asked;         /* when stopping was asked for last */
};
SqlTables *sql_tables(struct sqlite3 *db);         /* NULL: none was added yet */
SqlTables *sql_tables_begin(struct sqlite3 *db);   /* made at the first call */
SqlSource *sql_source_add(SqlTables *t, const char *name, const Dataset *d);
bool sql_stopped(SqlTables *t);                    /* for loops over rows: cheap, asks now and then */
void sql_add_name(Text *sql, const char *name);    /* "it ""quotes""" */
void sql_place_name(const SqlSource *s, size_t place, Text *into);

/* The place of an expression over x, of one of [from, to); SIZE_MAX: it cannot be computed that way. */
size_t computed_place(SqlSource *s, size_t from, size_t to, size_t column, const char *text, int64_t unit,
                      bool cyclic);
void computed_release(SqlComputed *m);
bool computed_rank(SqlComputed *m, SqlTables *t);  /* false: too many, or stopped */
const SqlMade *computed_value(SqlComputed *m, uint32_t code);
uint32_t computed_code(const SqlComputed *m, const Column *c, size_t row);

typedef struct SqlTable {
    sqlite3_vtab base; /* SQLite's part comes first */
    const Dataset *dataset;
    Lookup *lookup;    /* [columns] made when a column was asked for its values one by one */
    unsigned *asked;   /* [columns] how often it was */
    bool refused;      /* no memory for lookups */
    const Words **words; /* [columns] of TEXT with words */
    WordTable *index;  /* [columns] from a word to its code, made with the column's lookup */
    SqlSource *source;
} SqlTable;

typedef struct SqlCursor {
    sqlite3_vtab_cursor base;
    SqlTable *table;
    const Dataset *dataset;
    Arena arena;        /* the chunk's, or of all chunks in a lookup */
    size_t chunk;       /* the chunk of the row; dataset_chunks() at the end */
    Column *column;     /* [columns] of it; those that are used: `own`, or of chunk_columns */
    Column *own;
    uint64_t first;     /* number of its first row */
    size_t rows;        /* in it */
    size_t row;         /* in the chunk */
    uint32_t *pick;     /* rows of the chunk that pass; NULL: all */
    size_t picks, pick_at;
    uint64_t from, last; /* rows of the table that are wanted */
    uint64_t used;      /* columns by bit, the last bit for all from 63 on */
    bool *open;         /* [columns] used, or with a condition */
    Limit limit[LIMITS_MOST];
    size_t limits;
    uint64_t skip;      /* OFFSET */
    bool stopped;       /* SQLITE_INTERRUPT */
    bool by_lookup;
    uint32_t next_row;  /* lookup: + 1 */
    const Lookup *lookup;
    Column **chunk_columns; /* lookup, groups: [chunks] */
    uint32_t *order;    /* groups: rows as they come; NULL: in the order of their number */
    size_t orders, order_at;
    int group[GROUPED_MOST]; /* the columns that are alike in a group: read from its first row */
    size_t groups, group_at;
    uint32_t *group_end;     /* in `order`, by group, some of them empty */
    Column *group_column;
    size_t group_row;
    const SqlMade *group_made[GROUPED_MOST]; /* computed ones, once they were asked for */
    const char *ahead[AHEAD_COLUMNS]; /* groups: used columns of the chunk, whose values are fetched */
    unsigned ahead_size[AHEAD_COLUMNS]; /* some rows before they are shown; bytes a value */
    size_t aheads;
    Text text;          /* of a time or a date */
    int64_t day;        /* what day_text is of */
    char day_text[10];
} SqlCursor;

int sql_best_index(sqlite3_vtab *base, sqlite3_index_info *info);
int sql_filter(sqlite3_vtab_cursor *base, int number, const char *plan, int argc,
               sqlite3_value **argv);
int sql_next(sqlite3_vtab_cursor *base);
int sql_column(sqlite3_vtab_cursor *base, sqlite3_context *to, int i);
void sql_next_chunk(SqlCursor *c); /* to the next one with rows that pass */
bool sql_add_functions(sqlite3 *db);
bool grouped_can(SqlTable *t, const int *column, size_t columns);
bool grouped_order(SqlCursor *c, const int *column, size_t columns); /* fills c->order */

#endif
