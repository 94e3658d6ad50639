/* store_int.h -- what the files of the store share: the connection, cached statements, rows.
 *
 * One file a noun; each is a list of SQL texts with the functions that run them. A statement is
 * prepared once per connection and found again by the address of its SQL literal:
 *
 *     store_exec(s, err, "UPDATE runs SET note = ?2 WHERE id = ?1", "it", run, note);
 *
 *     sqlite3_stmt *q = store_query(s, err, "SELECT name FROM runs WHERE id = ?1", "i", run);
 *     while (store_next(s, q, &ok, err))
 *         vec_add(&rows, store_text(q, 0, a));
 */
#ifndef LATHE_STORE_INT_H
#define LATHE_STORE_INT_H

#include <lathe/store.h>
#include <sqlite3.h>

#define STORE_VERSION 3               /* PRAGMA user_version of the newest schema */
#define STORE_APPLICATION 0x6c617468  /* 'lath', PRAGMA application_id */
#define STORE_STATEMENTS 256          /* slots; more than there are SQL texts in the room */

typedef struct Cached {
    const char *sql;                  /* the literal: compared by address */
    sqlite3_stmt *stmt;
} Cached;

struct Store {
    sqlite3 *db;
    char *dir, *warning;
    const char *file;                 /* lathe.db or predictions.db; for words */
    StoreMode mode;
    int depth;                        /* of store_begin */
    bool relaxed;                     /* synchronous=NORMAL now; else FULL */
    Cached cached[STORE_STATEMENTS];
};

extern const char *const store_migrations[STORE_VERSION];
extern const char log_schema[];       /* of predictions.db */
extern const char log_shadow_schema[]; /* ... on one that is older than traffic.shadow */

bool store_use_wal(Store *s, Error *err);
bool store_create(const Store *s, Error *err); /* lathe.db where there is none, whole or not at all */

/* Whose commits may wait for a later flush: only metrics and progress. Outside a transaction. */
bool store_begin_relaxed(Store *s, Error *err);
/* Sets what SQLite last complained of, in words that say what to do; false. */
bool store_fail(Store *s, Error *err);

/* kinds: i int64_t, d double (NaN is NULL), t text (NULL is ""). */
sqlite3_stmt *store_query(Store *s, Error *err, const char *sql, const char *kinds, ...);
/* true: a row is there. At the end, or when it fails, the statement is reset and false comes back;
 * *ok says which of the two. */
bool store_next(Store *s, sqlite3_stmt *q, bool *ok, Error *err);
bool store_exec(Store *s, Error *err, const char *sql, const char *kinds, ...);
/* One number of the first row; `none` if there is no row. */
bool store_number(Store *s, Error *err, int64_t *out, int64_t none, const char *sql, const char *kinds, ...);

/* "no dataset trip, did you mean trips?", else "...: the workspace DIR has none yet" with `none` behind it
 * (NULL: not said), else with `else_say` behind it; false. names: SQL that lists those there are. */
bool store_unknown(Store *s, const char *what, const char *name, const char *names, const char *none,
                   const char *else_say, Error *err);

const char *store_text(sqlite3_stmt *q, int column, Arena *a); /* never NULL */
double      store_real(sqlite3_stmt *q, int column);           /* NULL: NaN */
/* A Vec's content moved to the arena, and the Vec released. */
#define store_give(vec, a, out, n) \
    (*(n) = (vec)->count, *(out) = store_keep((vec)->at, (vec)->count * sizeof *(vec)->at, (a)), \
     vec_release(vec))
void *store_keep(const void *at, size_t size, Arena *a);

int64_t store_process_born(int64_t pid); /* its start time in ticks since boot; 0: there is none */

#endif
