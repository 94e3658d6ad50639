/* data_sql_computed.c -- what is computed of one column by pure functions: once a value and grouped with us,
 * once a row in SQLite's own copy; and where that would not be the same, it is not done. */
#include "sql_copy.h"

/* Expressions with what they must become: places, or SQLite's row by row. */
static const struct {
    const char *sql;
    bool computed;
} expressions[] = {
    {"strftime('%H', \"when\")", true},
    {"CAST(strftime('%H', \"when\") AS INTEGER)", true},
    {"strftime('%Y-%m', \"when\")", true},
    {"strftime('%H:%M', \"when\")", true},
    {"strftime('%w%%', \"when\")", true},
    {"strftime('%Y/%m/%d', day)", true},
    {"strftime('%H', day)", true},
    {"substr(\"when\", 12, 2)", true},
    {"CAST(substr(\"when\", 12, 2) AS REAL)", true},
    {"substr(\"when\", 1, 4) || '-' || substr(\"when\", 12, 1)", true},
    {"substring(\"when\", 15, 4)", true},
    {"substr(\"when\", 10, 3)", true},
    {"substr(day, 6, 2)", true},
    {"date(\"when\")", true},
    {"time(\"when\")", true},
    {"hour(\"when\") / 6", true},
    {"abs(weekday(day) - 3)", true},
    {"coalesce(hour(\"when\"), -1)", true},
    {"upper(city)", true},
    {"length(city)", true},
    {"ifnull(substr(city, 1, 1), 'none')", true},
    {"CAST(count / 100 AS TEXT)", true},
    {"round(count / 250.0)", true},
    {"nullif(flag, 0)", true},
    {"CAST(city AS INTEGER)", true},
    {"replace(trim(city), ' ', '-' || '-')", true},
    {"substr(\"when\", 12)", false},           /* with fractions of a second */
    {"substr(\"when\", -8, 2)", false},
    {"strftime('%f', \"when\")", false},
    {"strftime('%s', \"when\")", false},
    {"strftime('%H', \"when\", '+1 hour')", false},
    {"upper(\"when\")", false},
    {"round(amount)", false},                  /* fractions have no codes */
    {"coalesce(city, day)", false},            /* two columns */
    {"hex(\"note \"\"x\"\"\")", false},        /* text without words */
    {"CAST(city AS BLOB)", false},
    {"city || 'x'", false},
};

static bool is_computed(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s;
    if (sql_prepare(db, sql, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    bool found = strstr(sqlite3_sql(s), "\"computed ") != NULL;
    sqlite3_finalize(s);
    return found;
}

/* A connection of its own for each: places are few. */
static sqlite3 *connect(const Fixture *f)
{
    sqlite3 *db;
    Error err = {0};
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    for (int i = 0; i < 3; i++) {
        char name[2] = {(char)('a' + i), 0};
        Text sql = {0};
        if (!sql_add_dataset(db, name, f->d[i], &err))
            fail_msg("%s", err.text);
        text_printf(&sql, "CREATE TEMP TABLE copy_%s AS SELECT * FROM %s", name, name);
        run(db, text_str(&sql));
        text_release(&sql);
    }
    return db;
}

static void test_expressions(void **state)
{
    static const char *const forms[] = {
        "SELECT %s, count(*), avg(amount), sum(count) FROM %s GROUP BY 1",
        "SELECT city, %s k, sum(amount) FROM %s WHERE count > 0 GROUP BY city, k",
        "SELECT DISTINCT %s FROM %s",
        "SELECT id, %s FROM %s",
        "SELECT %s FROM %s ORDER BY 1, id LIMIT 40",
    };
    for (size_t i = 0; i < COUNT_OF(expressions); i++) {
        sqlite3 *db = connect(*state);
        for (size_t k = 0; k < COUNT_OF(forms); k++)
            for (int table = 0; table < (k < 1 ? 3 : 1); table += 2) { /* the large one once */
                char ours[600], plain[600], name[2] = {(char)('a' + table), 0}, copy[8];
                snprintf(copy, sizeof copy, "copy_%s", name);
                snprintf(ours, sizeof ours, forms[k], expressions[i].sql, name);
                snprintf(plain, sizeof plain, forms[k], expressions[i].sql, copy);
                compare(db, ours, plain, k == 3 || k == 4); /* the order of groups is nobody's */
                if (is_computed(db, ours) != expressions[i].computed)
                    fail_msg("%s: %s", ours, expressions[i].computed ? "is not computed once a value"
                                                                     : "is computed once a value");
                assert_false(is_computed(db, plain));
            }
        sqlite3_close(db);
    }
}

/* Comparisons turn text into numbers or not by what stands on either side. */
static void test_comparisons(void **state)
{
    static const char *const conditions[] = {
        "strftime('%%H', \"when\") = '08'",
        "strftime('%%H', \"when\") < 8",
        "CAST(strftime('%%H', \"when\") AS INTEGER) = '8'",
        "CAST(strftime('%%H', \"when\") AS INTEGER) IN ('8', 9.0, 'x')",
        "'08' < strftime('%%H', \"when\") AND substr(\"when\", 1, 1) <> 1",
        "length(city) = city",
        "city < length(city)",
        "length(city) BETWEEN city AND '9'",
        "count = strftime('%%d', day)",
        "strftime('%%d', day) = count",
        "city = CAST(length(city) AS TEXT)",
        "CASE length(city) WHEN city THEN 0 ELSE 1 END",
        "(length(city)) = city OR (length(city)) = count",
        "hour(\"when\") IS flag",
        "upper(city) LIKE 'os%%' OR lower(city) COLLATE NOCASE = 'OSLO'",
        "(hour(\"when\"), 1) = (8, flag)",
        "\"when\" > 'a' OR substr(\"when\", 12, 2) || '' = '08'",
    };
    sqlite3 *db = connect(*state);
    for (size_t i = 0; i < COUNT_OF(conditions); i++) {
        char ours[500], plain[500], form[400];
        snprintf(form, sizeof form, "SELECT count(*), sum(id), min(hour(\"when\")) FROM %%s WHERE %s",
                 conditions[i]);
        snprintf(ours, sizeof ours, form, "a");
        snprintf(plain, sizeof plain, form, "copy_a");
        compare(db, ours, plain, true);
        if (i % 4 == 3) { /* places again */
            sqlite3_close(db);
            db = connect(*state);
        }
    }
    sqlite3_close(db);
}

static void test_names(void **state)
{
    static const struct {
        const char *sql, *name[3];
    } same[] = {
        {"SELECT strftime('%H',\"when\") , count(*), upper( city ) FROM a",
         {"strftime('%H',\"when\")", "count(*)", "upper( city )"}},
        {"SELECT DISTINCT length(city)+1, length(city) n, id FROM a", {"length(city)+1", "n", "id"}},
        {"SELECT max(x.id), lower(y.city), hour(x.\"when\") as \"h h\" FROM a x JOIN b AS y ON x.id = y.id",
         {"max(x.id)", "lower(y.city)", "h h"}},
        {"SELECT /* upper(city) */ b.id, -- ', \n upper(a.city), 'upper(city)' FROM a, b WHERE a.id = b.id",
         {"id", "upper(a.city)", "'upper(city)'"}},
    };
    sqlite3 *db = connect(*state);
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        sqlite3_stmt *s;
        assert_true(is_computed(db, same[i].sql));
        assert_int_equal(sql_prepare(db, same[i].sql, &s, NULL), SQLITE_OK);
        for (int k = 0; k < 3; k++)
            assert_string_equal(sqlite3_column_name(s, k), same[i].name[k]);
        sqlite3_finalize(s);
    }
    /* a name that could be two, one that is none, a second SELECT: as they stand */
    sqlite3_stmt *s;
    assert_int_equal(sql_prepare(db, "SELECT upper(city) FROM a, b", &s, NULL), SQLITE_ERROR);
    assert_false(is_computed(db, "SELECT upper(x) FROM (SELECT city x FROM a)"));
    assert_false(is_computed(db, "SELECT id FROM a UNION SELECT length(city) FROM a"));
    assert_true(is_computed(db, "SELECT x.id, upper(y.city) FROM a x JOIN b y ON x.id = y.id"));
    compare(db, "SELECT x.id, upper(y.city), hour(x.\"when\") FROM a x JOIN b y ON x.id = y.id",
            "SELECT x.id, upper(y.city), hour(x.\"when\") FROM copy_a x JOIN copy_b y ON x.id = y.id", false);
    sqlite3_close(db);
}

/* More expressions than there are places: the further ones go row by row. */
static void test_places(void **state)
{
    sqlite3 *db = connect(*state);
    for (int i = 1; i < 40; i++) {
        char ours[200], plain[200];
        snprintf(ours, sizeof ours, "SELECT substr(city, %d, 2), CAST(count + %d AS INTEGER) FROM a", i, i);
        snprintf(plain, sizeof plain, "SELECT substr(city, %d, 2), CAST(count + %d AS INTEGER) FROM copy_a", i,
                 i);
        compare(db, ours, plain, true);
    }
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expressions),
        cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
