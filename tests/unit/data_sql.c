/* data_sql.c -- queries over a dataset against looking at every row. */
#include "data_table.h"

#include "data/data_int.h"

#include <sqlite3.h>

#define ROWS (2 * CHUNK_ROWS + 9000)

typedef struct Fixture {
    char dir[64];
    char *path;
    Dataset *d;
    sqlite3 *db;
} Fixture;

static int make(void **state)
{
    Fixture *f = mem_alloc(sizeof *f);
    char hash[65];
    Error err = {0};
    temp_dir(f->dir);
    f->path = table_write(f->dir, ROWS, 0, true, 2, hash);
    f->d = dataset_open(f->path, &err);
    assert_int_equal(sqlite3_open(":memory:", &f->db), SQLITE_OK);
    if (!sql_add_dataset(f->db, "t", f->d, &err))
        fail_msg("%s", err.text);
    *state = f;
    return 0;
}

static int drop(void **state)
{
    Fixture *f = *state;
    sqlite3_close(f->db);
    dataset_close(f->d);
    dir_remove(f->dir, NULL);
    mem_free(f->path);
    mem_free(f);
    return 0;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    return s;
}

static int64_t ask_int(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s = prepare(db, sql);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t v = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return v;
}

/* Every value of every row, as SQL has it. */
static void check_value(sqlite3_stmt *s, int i, const Column *c, size_t row)
{
    Text text = {0};
    double v = column_real(c, row);
    if (!column_has(c, row) || (c->type == COLUMN_REAL && isnan(v))) {
        assert_int_equal(sqlite3_column_type(s, i), SQLITE_NULL);
    } else if (c->type == COLUMN_REAL) {
        assert_int_equal(sqlite3_column_type(s, i), SQLITE_FLOAT);
        assert_true(sqlite3_column_double(s, i) == v);
    } else if (c->type == COLUMN_INT || c->type == COLUMN_BOOL) {
        assert_int_equal(sqlite3_column_type(s, i), SQLITE_INTEGER);
        assert_true((double)sqlite3_column_int64(s, i) == v);
    } else {
        assert_int_equal(sqlite3_column_type(s, i), SQLITE_TEXT);
        column_print(c, row, &text);
        assert_string_equal((const char *)sqlite3_column_text(s, i), text_str(&text));
    }
    text_release(&text);
}

static void test_all_rows(void **state)
{
    const Fixture *f = *state;
    sqlite3_stmt *s = prepare(f->db, "SELECT rowid, * FROM t");
    Arena a = {0};
    assert_int_equal(sqlite3_column_count(s), TABLE_COLUMNS + 1);
    assert_string_equal(sqlite3_column_name(s, 7), "note \"x\"");
    for (size_t i = 0; i < dataset_chunks(f->d); i++) {
        Chunk c;
        arena_reset(&a);
        dataset_chunk(f->d, i, &a, &c);
        for (size_t r = 0; r < c.rows; r++) {
            assert_int_equal(sqlite3_step(s), SQLITE_ROW);
            assert_int_equal(sqlite3_column_int64(s, 0), c.first + r);
            for (size_t k = 0; k < c.columns; k++)
                check_value(s, (int)k + 1, &c.column[k], r);
        }
    }
    assert_int_equal(sqlite3_step(s), SQLITE_DONE);
    sqlite3_finalize(s);
    arena_release(&a);
}

/* ---- comparisons ------------------------------------------------------------------------------------------- */

static const char *const operators[] = {"=", "<", "<=", ">", ">="};

static bool holds(double v, int op, double w)
{
    return !isnan(v) && (op == 0   ? v == w
                         : op == 1 ? v < w
                         : op == 2 ? v <= w
                         : op == 3 ? v > w
                                   : v >= w);
}

/* A constant for column k, as SQL and as number: of a row, or near it. */
static double constant(const Fixture *f, size_t k, Rng *rng, char sql[64])
{
    Arena a = {0};
    Chunk c;
    Text text = {0};
    size_t row, chunk = dataset_locate(f->d, rng_below(rng, ROWS), &row);
    dataset_chunk(f->d, chunk, &a, &c);
    const Column *col = &c.column[k];
    double v = column_real(col, row);
    if (isnan(v) || isinf(v)) {
        v = 0;
        snprintf(sql, 64,
                 col->type == COLUMN_TIME || col->type == COLUMN_DATE ? "'1970-01-01'" : "0");
    } else if (col->type == COLUMN_TIME || col->type == COLUMN_DATE) {
        column_print(col, row, &text);
        snprintf(sql, 64, "'%s'", text_str(&text));
        if (col->type == COLUMN_TIME && rng_below(rng, 2)) { /* the day alone: a beginning */
            snprintf(sql, 64, "'%.10s'", text_str(&text));
            v = floor(v / 86400e6) * 86400e6;
        }
    } else if (col->type == COLUMN_REAL || rng_below(rng, 4) == 0) {
        v += col->type == COLUMN_REAL ? 0 : 0.5;
        snprintf(sql, 64, "%.17g", v);
    } else {
        snprintf(sql, 64, "%.0f", v);
    }
    text_release(&text);
    arena_release(&a);
    return v;
}

static bool row_holds(const Chunk *c, size_t r, const size_t k[2], const int op[2],
                      const double v[2])
{
    bool all = true;
    for (int i = 0; i < 2; i++)
        all = all &&
              holds(k[i] == SIZE_MAX ? (double)(c->first + r) : column_real(&c->column[k[i]], r),
                    op[i], v[i]);
    return all;
}

static void test_where(void **state)
{
    static const size_t numbers[] = {0, 1, 2, 3, 4, 7, 7, SIZE_MAX};
    const Fixture *f = *state;
    Arena a = {0};
    Rng rng;
    rng_seed(&rng, 5, 5);
    for (int round = 0; round < 120; round++) {
        char sql[512], value[2][64];
        size_t k[2];
        int op[2];
        double v[2];
        int64_t count = 0, sum = 0;
        for (int i = 0; i < 2; i++) {
            k[i] = numbers[rng_below(&rng, COUNT_OF(numbers))];
            op[i] = (int)rng_below(&rng, 5);
            v[i] = constant(f, k[i] == SIZE_MAX ? 7 : k[i], &rng, value[i]);
            /* a day alone never equals a time, and times of that day are greater */
            if (k[i] == 3 && strlen(value[i]) == 12)
                op[i] = op[i] == 1 || op[i] == 2 ? 1 : 4;
        }
        const Schema *s = dataset_schema(f->d);
        snprintf(sql, sizeof sql,
                 "SELECT count(*), ifnull(sum(id), 0) FROM t WHERE \"%s\" %s %s AND \"%s\" %s %s",
                 k[0] == SIZE_MAX ? "rowid" : s->field[k[0]].name, operators[op[0]], value[0],
                 k[1] == SIZE_MAX ? "rowid" : s->field[k[1]].name, operators[op[1]], value[1]);
        for (size_t i = 0; i < dataset_chunks(f->d); i++) {
            Chunk c;
            arena_reset(&a);
            dataset_chunk(f->d, i, &a, &c);
            for (size_t r = 0; r < c.rows; r++)
                if (row_holds(&c, r, k, op, v)) {
                    count++;
                    sum += c.column[7].integer[r];
                }
        }
        sqlite3_stmt *q = prepare(f->db, sql);
        assert_int_equal(sqlite3_step(q), SQLITE_ROW);
        if (sqlite3_column_int64(q, 0) != count || sqlite3_column_int64(q, 1) != sum)
            fail_msg("%s: %lld rows, expected %lld", sql, (long long)sqlite3_column_int64(q, 0),
                     (long long)count);
        sqlite3_finalize(q);
    }
    arena_release(&a);
}

static void test_queries(void **state)
{
    const Fixture *f = *state;
    const Profile *p = dataset_profile(f->d);
    assert_int_equal(ask_int(f->db, "SELECT count(*) FROM t"), ROWS);
    assert_int_equal(ask_int(f->db, "SELECT count(*) FROM t WHERE city IS NULL"),
                     profile_find(p, "city")->missing);
    assert_int_equal(ask_int(f->db, "SELECT count(DISTINCT city) FROM t"), 6);
    assert_int_equal(ask_int(f->db, "SELECT count(*) FROM t WHERE flag = 1"),
                     profile_find(p, "flag")->top[0].value[0] == 't'
                         ? profile_find(p, "flag")->top[0].count
                         : profile_find(p, "flag")->top[1].count);
    sqlite3_stmt *s = prepare(f->db, "SELECT city, count(*) AS n FROM t WHERE city IS NOT NULL "
                                     "GROUP BY city ORDER BY n DESC");
    const ColumnProfile *city = profile_find(p, "city");
    for (size_t i = 0; i < city->tops; i++) {
        assert_int_equal(sqlite3_step(s), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int64(s, 1), city->top[i].count);
    }
    sqlite3_finalize(s);
    assert_int_equal(ask_int(f->db, "SELECT id FROM t WHERE rowid = 70000"), 70000);
    assert_int_equal(ask_int(f->db, "SELECT count(*) FROM t WHERE rowid = -1"), 0);
    assert_int_equal(ask_int(f->db, "SELECT count(*) FROM t WHERE rowid > 9e18"), 0);
    assert_int_equal(ask_int(f->db, "SELECT count(*) FROM t WHERE rowid < 1e300"), ROWS);
    assert_int_equal(ask_int(f->db, "SELECT count(*) FROM t WHERE id > NULL"), 0);
    assert_int_equal(ask_int(f->db, "SELECT id FROM t ORDER BY rowid LIMIT 1 OFFSET 66000"), 66000);
    assert_int_equal(ask_int(f->db, "SELECT id FROM t ORDER BY rowid DESC LIMIT 1"), ROWS - 1);
    assert_int_equal(ask_int(f->db, "SELECT count(*) FROM t a JOIN t b ON a.id = b.rowid "
                                    "WHERE a.id BETWEEN 65000 AND 66000"),
                     1001);
    assert_int_equal(
        ask_int(f->db, "SELECT count(*) FROM t WHERE \"note \"\"x\"\"\" LIKE '%row 12345'"), 1);
    assert_int_equal(ask_int(f->db, "SELECT count(*) FROM t WHERE id IN (1, 70000, 500000, 'x')"),
                     2);
    assert_int_equal(ask_int(f->db, "SELECT max(length(city)) FROM t"), 13);
}

/* Aggregates keep a value of an earlier chunk: its memory must still be there. */
static void test_kept_values(void **state)
{
    const Fixture *f = *state;
    sqlite3_stmt *s =
        prepare(f->db, "SELECT min(\"when\"), min(\"note \"\"x\"\"\"), id FROM t WHERE id < 5");
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_int_equal(strlen((const char *)sqlite3_column_text(s, 0)) >= 19, 1);
    sqlite3_finalize(s);
    s = prepare(f->db, "SELECT city, id FROM t ORDER BY city, id DESC LIMIT 3");
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    sqlite3_finalize(s);
}

static void test_read_only(void **state)
{
    const Fixture *f = *state;
    assert_int_not_equal(sqlite3_exec(f->db, "DELETE FROM t", NULL, NULL, NULL), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(f->db, "INSERT INTO t(id) VALUES(1)", NULL, NULL, NULL),
                         SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(f->db, "UPDATE t SET id = 1", NULL, NULL, NULL), SQLITE_OK);
}

static void test_odd_names(void **state)
{
    const Fixture *f = *state;
    Error err = {0};
    static const char *const names[] = {"odd name; drop table t", "it's \"quoted\"", "SELECT",
                                        "Zürich 1"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        Text sql = {0};
        if (!sql_add_dataset(f->db, names[i], f->d, &err))
            fail_msg("%s", err.text);
        text_puts(&sql, "SELECT count(*) FROM \"");
        for (const char *s = names[i]; *s; s++)
            text_printf(&sql, "%s%c", *s == '"' ? "\"" : "", *s);
        text_puts(&sql, "\" WHERE id < 10");
        assert_int_equal(ask_int(f->db, text_str(&sql)), 10);
        text_release(&sql);
    }
    assert_false(sql_add_dataset(f->db, "SELECT", f->d, &err));
    assert_true(text_starts(err.text, "table SELECT: "));
}

/* Columns whose names SQL cannot tell apart, and one without a name. */
static void test_odd_columns(void **state)
{
    const Fixture *f = *state;
    Schema s = {0};
    Arena a = {0};
    Error err = {0};
    char hash[65];
    static const char *const names[] = {"a", "A", "", "a b,c) --", "hidden"};
    Column column[5];
    for (size_t i = 0; i < 5; i++) {
        schema_add(&s, names[i], COLUMN_INT, ROLE_FEATURE);
        ColumnBuild *b = column_build(&a, names[i], COLUMN_INT, 2);
        column_build_int(b, (int64_t)i);
        column_build_missing(b);
        column_build_finish(b, &column[i]);
    }
    Chunk c = {.rows = 2, .columns = 5, .column = column};
    DatasetWriter *w = dataset_writer_create(f->dir, &s, NULL, &err);
    assert_true(dataset_writer_add(w, &c, &err) && dataset_writer_finish(w, hash, &err));
    dataset_writer_destroy(w);
    Text path = {0};
    text_printf(&path, "%s/%s.arrow", f->dir, hash);
    Dataset *d = dataset_open(text_str(&path), &err);
    assert_non_null(d);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    if (!sql_add_dataset(db, "x", d, &err))
        fail_msg("%s", err.text);
    assert_int_equal(ask_int(db, "SELECT A_2 + \"a b,c) --\" + hidden FROM x WHERE a = 0"),
                     1 + 3 + 4);
    assert_int_equal(ask_int(db, "SELECT count(*) FROM x WHERE a IS NULL"), 1);
    sqlite3_close(db);
    dataset_close(d);
    text_release(&path);
    schema_release(&s);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_rows),    cmocka_unit_test(test_where),
        cmocka_unit_test(test_queries),     cmocka_unit_test(test_kept_values),
        cmocka_unit_test(test_read_only),   cmocka_unit_test(test_odd_names),
        cmocka_unit_test(test_odd_columns),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
