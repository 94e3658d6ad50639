/* sql_copy.h -- tables of ours beside SQLite's own copies of the same rows: any statement has to give the
 * same on both. */
#ifndef SQL_COPY_H
#define SQL_COPY_H

#include "data_table.h"

#include "data/data_int.h"

#include <sqlite3.h>

#define SMALL 900
#define LARGE (CHUNK_ROWS + 2000)

typedef struct Fixture {
    char dir[64];
    Dataset *d[3];
    sqlite3 *db;
} Fixture;

static inline void run(sqlite3 *db, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

static inline const char *affinity(ColumnType t)
{
    return t == COLUMN_REAL ? "REAL" : t == COLUMN_INT || t == COLUMN_BOOL ? "INTEGER" : "TEXT";
}

/* a: 900 rows, b: 500 rows that begin like a's, c: more than a chunk. Copies are copy_a ... */
static inline int make(void **state)
{
    static const uint64_t rows[] = {SMALL, 500, LARGE};
    Fixture *f = mem_alloc(sizeof *f);
    temp_dir(f->dir);
    assert_int_equal(sqlite3_open(":memory:", &f->db), SQLITE_OK);
    for (int i = 0; i < 3; i++) {
        char hash[65], name[2] = {(char)('a' + i), 0};
        Error err = {0};
        Text sql = {0};
        char *path = table_write(f->dir, rows[i], 0, true, 0, hash);
        f->d[i] = dataset_open(path, &err);
        mem_free(path);
        if (!f->d[i] || !sql_add_dataset(f->db, name, f->d[i], &err))
            fail_msg("%s", err.text);
        const Schema *s = dataset_schema(f->d[i]);
        text_printf(&sql, "CREATE TABLE copy_%s(", name);
        for (size_t c = 0; c < s->count; c++) {
            text_puts(&sql, c ? ", " : "");
            text_puts(&sql, c == 6 ? "\"note \"\"x\"\"\"" : "");
            text_printf(&sql, c == 6 ? " %s%s" : "\"%s\" %s", c == 6 ? "" : s->field[c].name,
                        affinity(s->field[c].type));
        }
        text_puts(&sql, ")");
        run(f->db, text_str(&sql));
        text_reset(&sql);
        text_printf(&sql,
                    "INSERT INTO copy_%s(rowid, flag, count, amount, \"when\", day, city, "
                    "\"note \"\"x\"\"\", id) SELECT rowid, * FROM %s",
                    name, name);
        run(f->db, text_str(&sql));
        text_release(&sql);
    }
    *state = f;
    return 0;
}

static inline int drop(void **state)
{
    Fixture *f = *state;
    sqlite3_close(f->db);
    for (int i = 0; i < 3; i++)
        dataset_close(f->d[i]);
    dir_remove(f->dir, NULL);
    mem_free(f);
    return 0;
}

/* ---- answers ----------------------------------------------------------------------------------------- */

typedef VEC(char *) Answer;

static inline void answer(sqlite3 *db, const char *sql, Answer *out)
{
    sqlite3_stmt *s;
    if (sql_prepare(db, sql, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        Text row = {0};
        for (int i = 0; i < sqlite3_column_count(s); i++) {
            const char *v = (const char *)sqlite3_column_text(s, i);
            text_printf(&row, "|%d:%s", sqlite3_column_type(s, i), v ? v : "NULL");
        }
        vec_add(out, text_take(&row));
    }
    if (rc != SQLITE_DONE)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_finalize(s);
}

static inline int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void compare(sqlite3 *db, const char *ours, const char *plain, bool ordered)
{
    Answer a = {0}, b = {0};
    answer(db, ours, &a);
    answer(db, plain, &b);
    if (!ordered && a.count)
        qsort(a.at, a.count, sizeof *a.at, by_text);
    if (!ordered && b.count)
        qsort(b.at, b.count, sizeof *b.at, by_text);
    if (a.count != b.count)
        fail_msg("%s: %zu rows, expected %zu", ours, a.count, b.count);
    for (size_t i = 0; i < a.count; i++)
        if (strcmp(a.at[i], b.at[i]) != 0)
            fail_msg("%s: row %zu is %s, expected %s", ours, i, a.at[i], b.at[i]);
    for (size_t i = 0; i < a.count; i++) {
        mem_free(a.at[i]);
        mem_free(b.at[i]);
    }
    vec_release(&a);
    vec_release(&b);
}

#endif
