/* data_sql_cancel.c -- a statement ends within 50 ms of being interrupted or stopped, also in the middle of
 * one step over a whole table. */
#include "scan_table.h"
#include "stop_soon.h"

#include <sqlite3.h>

#define ROWS 1000000

enum { NUMBER, WORD, TEXT, TIME, ID, COUNT };

typedef struct Fixture {
    char dir[64];
    Dataset *d;
    sqlite3 *db;
    Progress progress;
    bool watched; /* by the progress's stop, else interrupted */
    const char *sql;
} Fixture;

static void fill(ColumnBuild **b, uint64_t row)
{
    char text[40];
    uint64_t d = scan_dice(row);
    column_build_real(b[NUMBER], (double)(int64_t)(d >> 11) / 1e12);
    snprintf(text, sizeof text, "word %u", (unsigned)(d % 50000));
    column_build_text(b[WORD], text, strlen(text));
    snprintf(text, sizeof text, "common beginning %llu", (unsigned long long)(d >> 20));
    column_build_text(b[TEXT], text, strlen(text));
    column_build_int(b[TIME], (int64_t)(d >> 14));
    column_build_int(b[ID], (int64_t)(row * 7919 % ROWS));
}

static int make(void **state)
{
    static const char *const names[] = {"number", "word", "text", "at", "id"};
    static const ColumnType types[] = {COLUMN_REAL, COLUMN_TEXT, COLUMN_TEXT, COLUMN_TIME, COLUMN_INT};
    Fixture *f = mem_alloc(sizeof *f);
    f->d = scan_table_large(f->dir, names, types, COUNT, ROWS, fill);
    *state = f;
    return 0;
}

static int drop(void **state)
{
    Fixture *f = *state;
    dataset_close(f->d);
    dir_remove(f->dir, NULL);
    mem_free(f);
    return 0;
}

/* A connection of its own each time, so that what was made for joins is made again. */
static bool work(void *context)
{
    Fixture *f = context;
    sqlite3_stmt *s = NULL;
    int code = sql_prepare(f->db, f->sql, &s, NULL);
    if (f->watched)
        sql_watch(f->db, &f->progress);
    while (code == SQLITE_OK || code == SQLITE_ROW)
        code = sqlite3_step(s);
    if (code != SQLITE_DONE && code != SQLITE_INTERRUPT)
        fail_msg("%s: %s", f->sql, sqlite3_errmsg(f->db));
    sqlite3_finalize(s);
    return code == SQLITE_DONE;
}

static void ask(void *context)
{
    Fixture *f = context;
    if (f->watched)
        stop_ask(&f->progress.stop);
    else
        sqlite3_interrupt(f->db);
}

static void again(void *context)
{
    Fixture *f = context;
    Error err = {0};
    sqlite3_close(f->db);
    atomic_store(&f->progress.stop.asked, false);
    assert_int_equal(sqlite3_open(":memory:", &f->db), SQLITE_OK);
    if (!sql_add_dataset(f->db, "t", f->d, &err))
        fail_msg("%s", err.text);
}

static void test_stops(void **state)
{
    static const char *const statements[] = {
        "SELECT count(*) FROM t WHERE word LIKE '%9%9%9' AND id > 5",
        "SELECT word, count(*), sum(number) FROM t GROUP BY word",
        "SELECT count(*), sum(id) FROM t WHERE number BETWEEN 4.00001 AND 4.0001",
        "SELECT count(*) FROM t WHERE text = 'none of them'",
        "SELECT id FROM t WHERE number > 1 LIMIT 1 OFFSET 999998",
        "SELECT strftime('%H', at) h, upper(word) w, count(*) FROM t GROUP BY h",
        "SELECT upper(word) w, count(*) FROM t GROUP BY w",
        "SELECT number FROM t ORDER BY number, text",
        "SELECT count(*), sum(b.number) FROM t a JOIN t b ON b.id = a.id + 1 WHERE a.id % 3 = 0",
        "SELECT count(*) FROM t a JOIN t b ON b.text = a.text WHERE a.id < 300000",
    };
    Fixture *f = *state;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        f->watched = i % 2;
        f->sql = statements[i];
        assert_stops_soon(f->sql, work, ask, again, f, 1);
        if (i > 1) /* few are stopped by either alone */
            continue;
        f->watched = !f->watched;
        assert_stops_soon(f->sql, work, ask, again, f, 1);
    }
    sqlite3_close(f->db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stops)};
    return cmocka_run_group_tests(tests, make, drop);
}
