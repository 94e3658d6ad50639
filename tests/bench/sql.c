/* sql.c -- benchmark: statements on a dataset through SQLite, beside the same statements on SQLite's
 * own row store with the same rows in memory, in turns in one run, one thread each.
 *
 *     bench_sql [FILE.arrow]             (LATHE_BENCH_ONLY=WORD: statements with this word)
 *
 * Without a file a million trips are made up. A file's columns must be called as gen_taxi.py calls
 * them (payment_type, pickup_datetime, fare_amount, mileage, trip_id). */
#include "bench/trips.h"

#include <sqlite3.h>
#include <unistd.h>

#define MADE_ROWS 1000000
#define ROUNDS    3

static bool run(sqlite3 *db, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) == SQLITE_OK)
        return true;
    printf("%s: %s\n", sql, message);
    sqlite3_free(message);
    return false;
}

/* All columns with the types that SQL sees, so that both sides hold the same values. */
static bool copy_table(sqlite3 *db, const Schema *s)
{
    Text sql = {0};
    text_puts(&sql, "CREATE TABLE store(");
    for (size_t i = 0; i < s->count; i++) {
        ColumnType t = s->field[i].type;
        text_printf(&sql, "%s\"%s\" %s", i ? ", " : "", s->field[i].name,
                    t == COLUMN_REAL                      ? "REAL"
                    : t == COLUMN_INT || t == COLUMN_BOOL ? "INTEGER"
                                                          : "TEXT");
    }
    text_puts(&sql, "); INSERT INTO store SELECT * FROM trips");
    bool ok = run(db, text_str(&sql));
    text_release(&sql);
    return ok;
}

/* Steps through all rows; the number of them, and a sum of their bytes so that both can be held
 * together. */
static bool ask(sqlite3 *db, const char *sql, double *cpu, double *wall, uint64_t *sum)
{
    sqlite3_stmt *s;
    double began = cpu_now(), at = clock_now();
    if (sql_prepare(db, sql, &s, NULL) != SQLITE_OK) {
        printf("%s: %s\n", sql, sqlite3_errmsg(db));
        return false;
    }
    *sum = 0;
    int rc, columns = sqlite3_column_count(s);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW)
        for (int i = 0; i < columns; i++) {
            const char *v = (const char *)sqlite3_column_text(s, i);
            *sum += v ? hash_bytes(v, strlen(v), (uint64_t)i) : 1;
        }
    sqlite3_finalize(s);
    *cpu = cpu_now() - began;
    *wall = clock_now() - at;
    return rc == SQLITE_DONE;
}

/* %s is the table: trips (ours) or store. ours: another way to say it, NULL: the same. */
static void compare(sqlite3 *db, const char *name, const char *sql, const char *ours)
{
    const char *only = getenv("LATHE_BENCH_ONLY");
    if (only && !strstr(name, only))
        return;
    double cpu[2][ROUNDS], wall[2][ROUNDS];
    uint64_t sum[2];
    char text[2][600];
    snprintf(text[0], sizeof text[0], ours ? ours : sql, "trips", "trips");
    snprintf(text[1], sizeof text[1], sql, "store", "store");
    for (int i = 0; i < ROUNDS; i++)
        for (int k = 0; k < 2; k++)
            if (!ask(db, text[k], &cpu[k][i], &wall[k][i], &sum[k]))
                return;
    double a = middle_of(cpu[0], ROUNDS), b = middle_of(cpu[1], ROUNDS);
    printf("%-44s %9.1f ms  row store %9.1f ms  %6.2f x by processor  (wall %.1f, %.1f ms)%s\n",
           name, 1e3 * a, 1e3 * b, b / a, 1e3 * middle_of(wall[0], ROUNDS), 1e3 * middle_of(wall[1], ROUNDS),
           sum[0] == sum[1] ? "" : "  ANSWERS DIFFER");
    fflush(stdout);
}

#define WHERE "WHERE fare_amount BETWEEN 3 AND 200 GROUP BY 1, 2"

int main(int argc, char **argv)
{
    char dir[] = "/tmp/lathe-bench-sql-XXXXXX";
    Error err = {0};
    sqlite3 *db = NULL;
    if (!mkdtemp(dir))
        return 1;
    Dataset *d = argc > 1 ? dataset_open(argv[1], &err) : make_trips(dir, MADE_ROWS, NULL, &err);
    if (d && sqlite3_open(":memory:", &db) == SQLITE_OK && sql_add_dataset(db, "trips", d, &err) &&
        copy_table(db, dataset_schema(d))) {
        printf("%.2f million rows, SQLite %s\n", (double)dataset_rows(d) / 1e6,
               sqlite3_libversion());
        compare(db, "payment by hour, CAST(substr)",
                "SELECT payment_type, CAST(substr(pickup_datetime, 12, 2) AS INTEGER) h, count(*), "
                "avg(fare_amount) FROM %s " WHERE,
                NULL);
        compare(
            db, "payment by hour, CAST(strftime)",
            "SELECT payment_type, CAST(strftime('%%H', pickup_datetime) AS INTEGER) h, count(*), "
            "avg(fare_amount) FROM %s " WHERE,
            NULL);
        compare(db, "payment by hour as text, strftime",
                "SELECT payment_type, strftime('%%H', pickup_datetime) h, count(*), "
                "avg(fare_amount) FROM %s " WHERE,
                NULL);
        compare(db, "by month, substr",
                "SELECT substr(pickup_datetime, 1, 7) m, count(*), sum(fare_amount) FROM %s GROUP BY m", NULL);
        compare(
            db, "payment by hour, ours: hour()",
            "SELECT payment_type, CAST(strftime('%%H', pickup_datetime) AS INTEGER) h, count(*), "
            "avg(fare_amount) FROM %s " WHERE,
            "SELECT payment_type, hour(pickup_datetime) h, count(*), avg(fare_amount) FROM "
            "%s " WHERE);
        compare(db, "count(*), avg(fare)", "SELECT count(*), avg(fare_amount) FROM %s", NULL);
        compare(db, "by payment: count, avg(fare)",
                "SELECT payment_type, count(*), avg(fare_amount) FROM %s GROUP BY 1", NULL);
        compare(db, "fare > 100, all columns", "SELECT * FROM %s WHERE fare_amount > 100", NULL);
        compare(db, "one word: count", "SELECT count(*) FROM %s WHERE payment_type = 'Uber'", NULL);
        compare(
            db, "one day: count, sum",
            "SELECT count(*), sum(fare_amount) FROM %s WHERE pickup_datetime >= '2017-06-01' AND "
            "pickup_datetime < '2017-06-02'",
            NULL);
        compare(db, "limit 100 offset 900000", "SELECT * FROM %s LIMIT 100 OFFSET 900000", NULL);
        compare(db, "join by id of those with fare > 100",
                "SELECT count(*), sum(b.mileage) FROM %s a JOIN %s b ON b.trip_id = a.trip_id + 1 "
                "WHERE a.fare_amount > 100",
                NULL);
    } else {
        printf("%s\n", err.text);
    }
    sqlite3_close(db);
    dataset_close(d);
    dir_remove(dir, NULL);
    return err.kind != ERROR_NONE;
}
