/* data_sql_pushdown.c -- a few thousand made-up statements: what our table of SQLite takes over
 * (conditions, lists, missing values, offsets, joins) against the same statement on SQLite's own copy
 * of the rows. */
#include "sql_copy.h"

/* ---- statements ------------------------------------------------------------------------------------------ */

static const char *const names[] = {
    "flag", "count", "amount", "\"when\"", "day", "city", "\"note \"\"x\"\"\"", "id", "rowid"};

static void add_quoted(Text *sql, const char *s)
{
    text_putc(sql, '\'');
    for (; *s; s++) {
        if (*s == '\'')
            text_putc(sql, '\'');
        text_putc(sql, *s);
    }
    text_putc(sql, '\'');
}

/* A constant: mostly like a value of the column, sometimes of any kind. */
static void add_constant(const Fixture *f, int table, size_t column, Rng *rng, Text *sql)
{
    static const char *const odd[] = {"NULL",
                                      "0",
                                      "1",
                                      "-1.5",
                                      "2.5",
                                      "1e300",
                                      "-1e300",
                                      "'12'",
                                      "'12.5'",
                                      "'abc'",
                                      "''",
                                      "x'00'",
                                      "9223372036854775807",
                                      "9223372036854775808.0",
                                      "-9223372036854775808",
                                      "'1970'",
                                      "'1990-02-30'",
                                      "'2001-02-03 04:05:06'",
                                      "'2001-02-03'",
                                      "' 7'",
                                      "9e999",
                                      "-9e999"};
    if (rng_below(rng, 5) == 0) {
        text_puts(sql, odd[rng_below(rng, COUNT_OF(odd))]);
        return;
    }
    uint64_t row = rng_below(rng, dataset_rows(f->d[table]));
    if (column == 8) {
        text_printf(sql, "%llu", (unsigned long long)row);
        return;
    }
    Arena a = {0};
    Chunk c;
    Text text = {0};
    size_t r, chunk = dataset_locate(f->d[table], row, &r);
    dataset_chunk(f->d[table], chunk, &a, &c);
    const Column *col = &c.column[column];
    double v = column_real(col, r);
    column_print(col, r, &text);
    if (!column_has(col, r) || (col->type == COLUMN_REAL && !isfinite(v)))
        text_puts(sql, "3");
    else if (col->type == COLUMN_BOOL)
        text_printf(sql, "%d", v != 0);
    else if (col->type == COLUMN_REAL)
        text_printf(sql, "%.17g", v);
    else if (col->type == COLUMN_INT)
        text_puts(sql, text_str(&text));
    else if (col->type == COLUMN_TIME && rng_below(rng, 3) == 0)
        text_printf(sql, "'%.10s'", text_str(&text));
    else
        add_quoted(sql, text_str(&text));
    text_release(&text);
    arena_release(&a);
}

static void add_condition(const Fixture *f, int table, const char *alias, Rng *rng, Text *sql)
{
    static const char *const ops[] = {"=", "<", "<=", ">", ">=", "<>", "IS", "IS NOT"};
    size_t column = (size_t)rng_below(rng, COUNT_OF(names));
    text_printf(sql, "%s%s", alias, names[column]);
    switch (rng_below(rng, 9)) {
    case 0:
        text_puts(sql, rng_below(rng, 2) ? " IS NULL" : " IS NOT NULL");
        break;
    case 1:
    case 2:
        text_puts(sql, rng_below(rng, 5) ? " IN (" : " NOT IN (");
        for (uint64_t n = rng_below(rng, 6); n > 0; n--) {
            add_constant(f, table, column, rng, sql);
            text_puts(sql, ", ");
        }
        add_constant(f, table, column, rng, sql);
        text_putc(sql, ')');
        break;
    case 3:
        text_puts(sql, " BETWEEN ");
        add_constant(f, table, column, rng, sql);
        text_puts(sql, " AND ");
        add_constant(f, table, column, rng, sql);
        break;
    case 4:
        text_puts(sql, rng_below(rng, 2) ? " LIKE '%o%'" : " LIKE 'OS%'");
        break;
    default:
        text_printf(sql, " %s ", ops[rng_below(rng, COUNT_OF(ops))]);
        add_constant(f, table, column, rng, sql);
        if (rng_below(rng, 12) == 0)
            text_puts(sql, " COLLATE NOCASE");
    }
}

static void add_where(const Fixture *f, int table, const char *alias, Rng *rng, Text *sql)
{
    uint64_t terms = rng_below(rng, 4);
    for (uint64_t i = 0; i < terms; i++) {
        text_puts(sql, i == 0 ? " WHERE " : rng_below(rng, 8) == 0 ? " OR " : " AND ");
        if (rng_below(rng, 10) == 0)
            text_puts(sql, "NOT ");
        add_condition(f, table, alias, rng, sql);
    }
}

/* The same statement twice: of {a} and of {copy_a}. */
static void ask_both(const Fixture *f, const char *head, int table, const char *tail, bool ordered)
{
    Text ours = {0}, plain = {0};
    text_printf(&ours, "%s%c%s", head, 'a' + table, tail);
    text_printf(&plain, "%scopy_%c%s", head, 'a' + table, tail);
    compare(f->db, text_str(&ours), text_str(&plain), ordered);
    text_release(&ours);
    text_release(&plain);
}

static void test_one_table(void **state)
{
    static const char *const heads[] = {"SELECT rowid, * FROM ", "SELECT id FROM ",
                                        "SELECT count(*), sum(id), min(city), max(day) FROM ",
                                        "SELECT city, \"when\" FROM ",
                                        "SELECT flag, count(*), avg(count) FROM "};
    const Fixture *f = *state;
    Rng rng;
    rng_seed(&rng, 21, 0);
    for (int round = 0; round < 3000; round++) {
        Text tail = {0};
        size_t head = (size_t)rng_below(&rng, COUNT_OF(heads));
        int table = round % 20 == 0 ? 2 : 0;
        add_where(f, table, "", &rng, &tail);
        /* OR may be two scans put together, whose order is SQLite's */
        bool group = head == 4, single = head == 2, either = strstr(text_str(&tail), " OR ");
        if (group)
            text_puts(&tail, " GROUP BY flag");
        uint64_t order = single || group ? 0 : either ? 1 : rng_below(&rng, 5);
        text_puts(&tail, order == 1   ? " ORDER BY rowid"
                         : order == 2 ? " ORDER BY rowid DESC"
                         : order == 3 ? " ORDER BY city, rowid"
                                      : "");
        if (rng_below(&rng, 2)) {
            text_printf(&tail, " LIMIT %d", (int)rng_below(&rng, 50) - 1);
            if (rng_below(&rng, 2))
                text_printf(&tail, " OFFSET %d", (int)rng_below(&rng, table ? 70000 : 1000) - 1);
        }
        ask_both(f, heads[head], table, text_str(&tail), !group);
        text_release(&tail);
    }
}

static void test_joins(void **state)
{
    const Fixture *f = *state;
    Rng rng;
    rng_seed(&rng, 22, 0);
    for (int round = 0; round < 400; round++) {
        size_t left = (size_t)rng_below(&rng, 9),
               right = rng_below(&rng, 3) ? left : (size_t)rng_below(&rng, 9);
        if (left == 0 || right == 0 || left == 5) /* few values: too many pairs */
            left = right = 7;
        Text on = {0}, sql[2] = {0};
        text_printf(&on, "x.%s = y.%s", names[left], names[right]);
        if (rng_below(&rng, 2)) {
            text_puts(&on, " AND ");
            add_condition(f, 1, "y.", &rng, &on);
        }
        add_where(f, 0, "x.", &rng, &on);
        const char *kind = rng_below(&rng, 3) ? "JOIN" : "LEFT JOIN";
        for (int i = 0; i < 2; i++)
            text_printf(&sql[i],
                        "SELECT x.rowid, y.rowid, x.city, y.amount FROM %sa x %s %sb y ON %s",
                        i ? "copy_" : "", kind, i ? "copy_" : "", text_str(&on));
        compare(f->db, text_str(&sql[0]), text_str(&sql[1]), false);
        text_release(&on);
        text_release(&sql[0]);
        text_release(&sql[1]);
    }
    /* three tables, a subquery, a join of the large one with itself by its id */
    static const char *const more[] = {
        "SELECT x.id, y.id, z.id FROM %sa x, %sb y, %sa z WHERE x.id = y.id AND y.day = z.day",
        "SELECT id FROM %sa x WHERE EXISTS (SELECT 1 FROM %sb y WHERE y.id = x.id + 100) AND id IN "
        "(SELECT id FROM %sb)",
        "SELECT count(*), sum(y.count) FROM %sc x JOIN %sc y ON y.id = x.id + 7 WHERE x.count > "
        "100 "
        "AND (SELECT max(id) FROM %sb) > 3",
        "SELECT x.id, y.id FROM %sb x JOIN %sa y ON x.city = y.city AND y.count < 20 AND y.city <> "
        "'Oslo' WHERE (SELECT count(*) FROM %sb) > 1 AND x.id < 60",
        "SELECT x.city, count(*) FROM %sc x JOIN %sb y ON x.city = y.city WHERE y.id < 9 AND "
        "(SELECT count(*) FROM %sb) > 1 GROUP BY 1"};
    for (size_t i = 0; i < COUNT_OF(more); i++) {
        char ours[512], plain[512];
        snprintf(ours, sizeof ours, more[i], "", "", "");
        snprintf(plain, sizeof plain, more[i], "copy_", "copy_", "copy_");
        compare(f->db, ours, plain, false);
    }
}

/* Values that come in as parameters are not known when the plan is made. */
static void test_parameters(void **state)
{
    const Fixture *f = *state;
    const char *const sql[] = {
        "SELECT count(*), sum(id) FROM a WHERE city = ?1 AND count < ?2 AND day > ?3",
        "SELECT count(*), sum(id) FROM copy_a WHERE city = ?1 AND count < ?2 AND day > ?3"};
    static const char *const cities[] = {"Oslo", "", "nowhere", "12", NULL};
    for (size_t c = 0; c < COUNT_OF(cities); c++)
        for (int kind = 0; kind < 4; kind++) {
            int64_t got[2][2];
            for (int i = 0; i < 2; i++) {
                sqlite3_stmt *s;
                assert_int_equal(sqlite3_prepare_v2(f->db, sql[i], -1, &s, NULL), SQLITE_OK);
                sqlite3_bind_text(s, 1, cities[c], -1, SQLITE_STATIC);
                if (kind == 0)
                    sqlite3_bind_int(s, 2, 100);
                else if (kind == 1)
                    sqlite3_bind_double(s, 2, 100.5);
                else if (kind == 2)
                    sqlite3_bind_text(s, 2, "100", -1, SQLITE_STATIC);
                else
                    sqlite3_bind_text(s, 2, "many", -1, SQLITE_STATIC);
                sqlite3_bind_text(s, 3, kind & 1 ? "1980-01-01" : "1980", -1, SQLITE_STATIC);
                assert_int_equal(sqlite3_step(s), SQLITE_ROW);
                got[i][0] = sqlite3_column_int64(s, 0);
                got[i][1] = sqlite3_column_int64(s, 1);
                sqlite3_finalize(s);
            }
            assert_int_equal(got[0][0], got[1][0]);
            assert_int_equal(got[0][1], got[1][1]);
        }
}

/* Rows that come group by group: by words, bools, parts of times, and what has too many values. */
static void test_groups(void **state)
{
    static const char *const keys[] = {
        "city",           "flag",           "day", "count", "amount", "hour(\"when\")", "month(day)",
        "year(\"when\")", "id", "weekday(day)"};
    static const char *const plain[] = {"city",
                                        "flag",
                                        "day",
                                        "count",
                                        "amount",
                                        "CAST(strftime('%H', \"when\") AS INTEGER)",
                                        "CAST(strftime('%m', day) AS INTEGER)",
                                        "CAST(strftime('%Y', \"when\") AS INTEGER)",
                                        "id",
                                        "(CAST(strftime('%w', day) AS INTEGER) + 6) % 7"};
    static const char *const forms[] = {
        "SELECT %s, %s, count(*), avg(amount), sum(count), min(city) FROM %s %s GROUP BY 1, 2",
        "SELECT %s, avg(amount), %s IS NULL, count(DISTINCT city) FROM %s %s GROUP BY 1",
        "SELECT DISTINCT %s, %s FROM %s %s",
        "SELECT %s, %s, total(amount) FROM %s %s GROUP BY 1, 2 HAVING count(*) > 3 ORDER BY 3 "
        "DESC, 1, 2 LIMIT 9",
        "SELECT %s, max(%s) FROM %s %s GROUP BY 1 ORDER BY 1 LIMIT 5"};
    const Fixture *f = *state;
    Rng rng;
    rng_seed(&rng, 23, 0);
    for (int round = 0; round < 300; round++) {
        size_t i = (size_t)rng_below(&rng, COUNT_OF(keys)),
               k = (size_t)rng_below(&rng, COUNT_OF(keys));
        size_t form = (size_t)rng_below(&rng, COUNT_OF(forms));
        int table = round % 15 == 0 ? 2 : 0;
        char ours[800], copy[800], name[2] = {(char)('a' + table), 0}, other[8];
        Text where = {0};
        snprintf(other, sizeof other, "copy_%s", name);
        add_where(f, table, "", &rng, &where);
        snprintf(ours, sizeof ours, forms[form], keys[i], keys[k], name, text_str(&where));
        snprintf(copy, sizeof copy, forms[form], plain[i], plain[k], other, text_str(&where));
        compare(f->db, ours, copy, form >= 3);
        text_release(&where);
    }
    compare(
        f->db,
        "SELECT y.city, count(*), sum(x.count) FROM a x JOIN b y ON x.id = y.id GROUP BY y.city",
        "SELECT y.city, count(*), sum(x.count) FROM copy_a x JOIN copy_b y ON x.id = y.id GROUP "
        "BY y.city",
        false);
}

static void test_time_functions(void **state)
{
    const Fixture *f = *state;
    ask_both(f,
             "SELECT id, hour(\"when\"), day(\"when\"), month(\"when\"), year(\"when\"), "
             "hour(day), year(city) FROM ",
             0, "", true);
    compare(
        f->db, "SELECT id, hour(\"when\"), day(\"when\"), month(\"when\"), year(\"when\") FROM a",
        "SELECT id, CAST(strftime('%H', \"when\") AS INTEGER), CAST(strftime('%d', \"when\") AS "
        "INTEGER), CAST(strftime('%m', \"when\") AS INTEGER), CAST(strftime('%Y', \"when\") AS "
        "INTEGER) FROM copy_a",
        true);
    compare(f->db, "SELECT id, weekday(day) FROM a",
            "SELECT id, (CAST(strftime('%w', day) AS INTEGER) + 6) % 7 FROM copy_a", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_table),      cmocka_unit_test(test_joins),
        cmocka_unit_test(test_parameters),     cmocka_unit_test(test_groups),
        cmocka_unit_test(test_time_functions),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
