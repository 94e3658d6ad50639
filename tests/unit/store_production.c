/* store_production.c -- audit, tokens and the log of predictions: what goes in comes out, secrets do not,
 * and the log stays below its size by forgetting the oldest. */
#include "store_place.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void audit(void **state)
{
    Place *p = *state;
    AuditRow *row;
    size_t n;
    OK(store_audit_add(p->s, "anna", "start", "server 127.0.0.1:8808", "taxi", &p->err));
    OK(store_audit_add(p->s, "otto", "shadow", "deployment taxi", "model 4", &p->err));
    OK(store_audit(p->s, NULL, 10, &p->a, &row, &n, &p->err));
    assert_int_equal(n, 2);
    assert_string_equal(row[0].actor, "otto");
    assert_string_equal(row[1].what, "start");
    assert_true(row[0].time >= row[1].time && row[1].time > 0);
    OK(store_audit(p->s, "deployment taxi", 10, &p->a, &row, &n, &p->err));
    assert_int_equal(n, 1);
    assert_string_equal(row[0].text, "model 4");
    OK(store_audit(p->s, NULL, 1, &p->a, &row, &n, &p->err));
    assert_int_equal(n, 1);
}

static int with_log(void **state)
{
    int failed = setup(state);
    Place *p = *state;
    p->log = failed ? NULL : prediction_log_open(p->dir, STORE_WRITE, &p->err);
    return p->log ? 0 : -1;
}

static bool check(Place *p, const char *secret, const char **name)
{
    return store_token_check(p->s, secret, strlen(secret), &p->a, name);
}

static void tokens(void **state)
{
    Place *p = *state;
    static const char secret[] = "a-long-enough-secret", other[] = "another-long-secret!";
    const char *name;
    TokenRow *row;
    size_t n;
    assert_false(check(p, secret, &name));
    OK(store_token_add(p->s, "ci", secret, "anna", &p->err));
    OK(store_token_add(p->s, "app", other, "anna", &p->err));
    assert_true(check(p, secret, &name));
    assert_string_equal(name, "ci");
    assert_true(check(p, other, &name));
    assert_string_equal(name, "app");
    assert_false(check(p, "a-long-enough-secreT", NULL));
    assert_false(check(p, "a-long-enough-secre", NULL));
    assert_false(check(p, "", NULL));
    says(p, store_token_add(p->s, "ci", other, "anna", &p->err), "is there already");
    says(p, store_token_add(p->s, "short", "0123", "anna", &p->err), "16 characters");
    says(p, store_token_add(p->s, "a b", secret, "anna", &p->err), "without spaces");
    OK(store_token_revoke(p->s, "ci", "otto", &p->err));
    assert_false(check(p, secret, NULL));
    assert_true(check(p, other, NULL));
    says(p, store_token_revoke(p->s, "ci", "otto", &p->err), "no token ci");
    OK(store_token_add(p->s, "ci", "a-completely-new-secret", "otto", &p->err));
    assert_true(check(p, "a-completely-new-secret", NULL));
    assert_false(check(p, secret, NULL));
    OK(store_tokens(p->s, &p->a, &row, &n, &p->err));
    assert_int_equal(n, 2);
    assert_string_equal(row[0].name, "app");
    AuditRow *line;
    OK(store_audit(p->s, "token ci", 10, &p->a, &line, &n, &p->err));
    assert_int_equal(n, 3);
    assert_string_equal(line[1].what, "revoke");
}

/* The bytes of a secret stand nowhere in the workspace. */
static void secrets_are_not_kept(void **state)
{
    Place *p = *state;
    static const char secret[] = "QQ-nobody-keeps-this-QQ";
    static const char *const files[] = {"lathe.db", "lathe.db-wal"};
    OK(store_token_add(p->s, "kept", secret, "anna", &p->err));
    for (size_t i = 0; i < 2; i++) {
        Text bytes = {0};
        char path[128];
        snprintf(path, sizeof path, "%s/%s", p->dir, files[i]);
        OK(file_read(path, &bytes, 1 << 26, &p->err));
        assert_null(memmem(bytes.at, bytes.count, secret, strlen(secret)));
        text_release(&bytes);
    }
}

static PredictionRow prediction(int64_t id, const char *deployment, const char *inputs)
{
    return (PredictionRow){.id = id,
                           .time = id >> 12,
                           .deployment = deployment,
                           .model = 3,
                           .role = "live",
                           .inputs = inputs,
                           .output = (double)id / 2,
                           .said = "",
                           .latency = 0.0001};
}

static void rows_come_back(void **state)
{
    Place *p = *state;
    PredictionRow in[4] = {prediction(5, "fares", "{\"A\":1}"), prediction(6, "tips", "{}"),
                           prediction(9, "fares", "{\"A\":\"***\"}"), prediction(11, "tips", "{}")};
    PredictionRow *out, one;
    size_t n, known;
    int64_t cursor = 0;
    in[2].output = (double)NAN;
    in[2].said = "yes";
    OK(prediction_log_add(p->log, in, 4, &p->err));
    OK(prediction_log_add(p->log, in, 1, &p->err)); /* again: kept once */
    OK(prediction_log_since(p->log, NULL, &cursor, 3, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 3);
    assert_int_equal(cursor, 9);
    assert_string_equal(out[0].inputs, "{\"A\":1}");
    assert_float_equal(out[0].output, 2.5, 0);
    assert_true(isnan(out[2].output) && isnan(out[2].truth));
    assert_string_equal(out[2].said, "yes");
    assert_int_equal(out[2].truth_time, 0);
    OK(prediction_log_since(p->log, NULL, &cursor, 3, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 1);
    cursor = 5;
    OK(prediction_log_since(p->log, "fares", &cursor, 10, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 1);
    assert_int_equal(cursor, 11); /* those of others are not looked through again */

    PredictionRow truth[3] = {{.id = 5, .truth = 2.0, .truth_said = ""},
                              {.id = 9, .truth = 1, .truth_said = "no"},
                              {.id = 777, .truth = 4, .truth_said = ""}};
    OK(prediction_log_feedback(p->log, truth, 3, &known, &p->err));
    assert_int_equal(known, 2);
    OK(prediction_log_answers(p->log, "fares", 0, 10, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 2);
    assert_int_equal(out[1].id, 9);
    assert_string_equal(out[1].truth_said, "no");
    assert_true(out[1].truth_time > out[0].truth_time);
    /* reading on from the first of a batch meets the second */
    OK(prediction_log_answers(p->log, NULL, out[0].truth_time, 10, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 1);
    /* feedback that came before its prediction was written */
    PredictionRow late = prediction(777, "fares", "{}");
    OK(prediction_log_add(p->log, &late, 1, &p->err));
    OK(prediction_log_get(p->log, 777, &p->a, &one, &p->err));
    assert_float_equal(one.truth, 4, 0);
    says(p, prediction_log_get(p->log, 778, &p->a, &one, &p->err), "no prediction 778");
}

/* The truth of an answer is its shadow's too, in whichever order they come. */
static void shadows(void **state)
{
    Place *p = *state;
    PredictionRow rows[3] = {prediction(100, "fares", "{}"),
                             prediction(100 + PREDICTION_SHADOW, "fares", "{}"),
                             prediction(101 + PREDICTION_SHADOW, "fares", "{}")};
    PredictionRow truth[2] = {{.id = 100, .truth = 7, .truth_said = ""},
                              {.id = 101, .truth = 8, .truth_said = ""}};
    PredictionRow out;
    size_t known;
    rows[1].role = rows[2].role = "shadow";
    OK(prediction_log_add(p->log, rows, 2, &p->err));
    OK(prediction_log_feedback(p->log, truth, 2, &known, &p->err));
    assert_int_equal(known, 1);
    OK(prediction_log_add(p->log, &rows[2], 1, &p->err));
    OK(prediction_log_get(p->log, 100 + PREDICTION_SHADOW, &p->a, &out, &p->err));
    assert_float_equal(out.truth, 7, 0);
    OK(prediction_log_get(p->log, 101 + PREDICTION_SHADOW, &p->a, &out, &p->err));
    assert_float_equal(out.truth, 8, 0);
}

static void traffic(void **state)
{
    Place *p = *state;
    TrafficRow in[2] = {{1000000, "fares", 3, 10, 1, 12, 0, 0.001, 0.002, false},
                        {2000000, "fares", 3, 20, 0, 20, 5, 0.001, 0.004, false}};
    TrafficRow *out;
    size_t n;
    OK(prediction_log_traffic(p->log, in, 2, &p->err));
    OK(prediction_log_traffic(p->log, in, 1, &p->err)); /* another server, the same second */
    OK(prediction_log_traffic_since(p->log, "fares", 0, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 2);
    assert_int_equal(out[0].requests, 20);
    assert_int_equal(out[1].dropped, 5);
    assert_float_equal(out[1].p99, 0.004, 0);
    OK(prediction_log_traffic_since(p->log, NULL, 1000000, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 1);
    in[0].shadow = true; /* the same second and model, beside others' answers */
    OK(prediction_log_traffic(p->log, in, 1, &p->err));
    OK(prediction_log_traffic_since(p->log, "fares", 0, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 3);
    assert_true(!out[0].shadow && out[1].shadow && !out[2].shadow);
    assert_int_equal(out[1].requests, 10);
}

/* A log from before shadows were counted apart: it is read as it is, and brought up to date by who writes. */
static void an_old_log(void **state)
{
    Place *p = *state;
    sqlite3 *db;
    TrafficRow *out, row = {3000000, "fares", 3, 1, 0, 1, 0, 0.001, 0.002, true};
    size_t n;
    const char *path = arena_printf(&p->a, "%s/predictions.db", p->dir);
    prediction_log_close(p->log);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "DROP TABLE traffic; CREATE TABLE traffic(time INTEGER NOT NULL,"
                     " deployment TEXT NOT NULL, model INTEGER NOT NULL, requests INTEGER NOT NULL,"
                     " errors INTEGER NOT NULL, rows INTEGER NOT NULL, dropped INTEGER NOT NULL,"
                     " p50 REAL, p99 REAL, PRIMARY KEY(time, deployment, model)) WITHOUT ROWID;"
                     "INSERT INTO traffic VALUES(2000000, 'fares', 3, 7, 1, 8, 2, 0.001, 0.002)",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    for (int write = 0; write < 2; write++) {
        p->log = prediction_log_open(p->dir, write ? STORE_WRITE : STORE_READ, &p->err);
        OK(p->log);
        OK(prediction_log_traffic_since(p->log, "fares", 0, &p->a, &out, &n, &p->err));
        assert_int_equal(n, 1);
        assert_true(out[0].requests == 7 && out[0].dropped == 2 && !out[0].shadow);
        if (!write)
            prediction_log_close(p->log);
    }
    OK(prediction_log_traffic(p->log, &row, 1, &p->err));
    OK(prediction_log_traffic_since(p->log, "fares", 2000000, &p->a, &out, &n, &p->err));
    assert_true(n == 1 && out[0].shadow);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(q, 0), "ok");
    sqlite3_finalize(q);
    sqlite3_close(db);
}

static int64_t size_of(const Place *p, const char *name)
{
    struct stat st;
    char path[128];
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

static void oldest_go_first(void **state)
{
    Place *p = *state;
    enum { BATCH = 2000, MOST = 1 << 20 };
    PredictionRow *rows = calloc(BATCH, sizeof *rows), *out;
    static const char inputs[] = "{\"MILES\":1.5,\"MINUTES\":12,\"TIME\":\"day\",\"AND\":\"more\"}";
    size_t n, known;
    int64_t cursor = 0;
    PredictionRow early = {.id = 3 << 12, .truth = 1, .truth_said = ""};
    OK(prediction_log_feedback(p->log, &early, 1, &known, &p->err));
    for (int64_t batch = 0; batch < 20; batch++) {
        for (int64_t i = 0; i < BATCH; i++)
            rows[i] = prediction((batch * BATCH + i + 1) << 12, "fares", inputs);
        OK(prediction_log_add(p->log, rows, BATCH, &p->err));
        OK(prediction_log_keep(p->log, MOST, &p->err));
    }
    OK(prediction_log_since(p->log, NULL, &cursor, 100000, &p->a, &out, &n, &p->err));
    assert_int_equal(out[n - 1].id, (int64_t)20 * BATCH << 12);
    assert_int_equal(out[0].id, (20 * BATCH - (int64_t)n + 1) << 12); /* none missing between */
    assert_true(n > 2000 && n < 20000);
    OK(prediction_log_answers(p->log, NULL, 0, 10, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 0);
    OK(prediction_log_keep(p->log, MOST / 4, &p->err)); /* a lower limit: the file shrinks */
    OK(prediction_log_keep(p->log, MOST / 4, &p->err));
    prediction_log_close(p->log);
    p->log = NULL;
    assert_true(size_of(p, "predictions.db") <= MOST / 4 + 4096);
    free(rows);
}

static void readers(void **state)
{
    Place *p = *state;
    PredictionRow row = prediction(5, "fares", "{}"), *out;
    size_t n;
    int64_t cursor = 0;
    PredictionLog *other = prediction_log_open(p->dir, STORE_READ, &p->err);
    OK(other);
    int64_t seen = prediction_log_version_seen(other);
    assert_int_equal(prediction_log_version_seen(other), seen);
    OK(prediction_log_add(p->log, &row, 1, &p->err));
    assert_true(prediction_log_version_seen(other) != seen);
    OK(prediction_log_since(other, NULL, &cursor, 9, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 1);
    says(p, prediction_log_add(other, &row, 1, &p->err), "read-only");
    prediction_log_close(other);
    says(p, prediction_log_open("/tmp/there-is-no-such-folder", STORE_READ, &p->err) != NULL,
         "no predictions are logged");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, with_log, teardown)
    const struct CMUnitTest tests[] = {
        TEST(audit),           TEST(tokens),     TEST(secrets_are_not_kept),
        TEST(rows_come_back),  TEST(traffic),    TEST(shadows),
        TEST(oldest_go_first), TEST(an_old_log), TEST(readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
