/* store_watch -- alerts from raised to resolved, and the points of monitors: whole, in order, once. */
#include "store_place.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static AlertRow drifted(int64_t when, const char *text)
{
    return (AlertRow){.deployment = "fares",
                      .subject = "column MILEAGE",
                      .kind = "drift",
                      .text = text,
                      .detail = "{}",
                      .raised = when};
}

static int64_t raised(Place *p, const AlertRow *row, double cool, bool *fresh)
{
    int64_t id = -1;
    OK(store_alert_raise(p->s, row, cool, &id, fresh, &p->err));
    return id;
}

static void once_while_open(void **state)
{
    Place *p = *state;
    bool fresh;
    AlertRow *rows;
    size_t n;
    AlertRow first = drifted(1000, "one"), again = drifted(2000, "two");
    int64_t id = raised(p, &first, 60, &fresh);
    assert_true(id > 0 && fresh);
    assert_int_equal(raised(p, &again, 60, &fresh), id);
    assert_false(fresh);
    OK(store_alert_acknowledge(p->s, id, "anna", &p->err));
    assert_int_equal(raised(p, &again, 0, &fresh), id); /* an acknowledged one is open still */
    assert_false(fresh);
    OK(store_alerts(p->s, true, 0, &p->a, &rows, &n, &p->err));
    assert_int_equal(n, 1);
    assert_int_equal(rows[0].count, 3);
    assert_int_equal(rows[0].raised, 1000);
    assert_int_equal(rows[0].last, 2000);
    assert_string_equal(rows[0].text, "two");
    assert_string_equal(rows[0].state, "acknowledged");
    assert_string_equal(rows[0].actor, "anna");
    again.kind = "quality"; /* another kind is another alert */
    assert_true(raised(p, &again, 60, &fresh) > id && fresh);
    again.kind = "drift";
    again.deployment = "tips";
    assert_true(raised(p, &again, 60, &fresh) > id && fresh);
}

static void cools_down(void **state)
{
    Place *p = *state;
    bool fresh;
    AlertRow row = drifted(time_now(), "one");
    int64_t id = raised(p, &row, 60, &fresh);
    OK(store_alert_resolve(p->s, id, "watch", &p->err));
    row.raised = time_now() + 59000000;
    assert_int_equal(raised(p, &row, 60, &fresh), 0);
    assert_false(fresh);
    row.raised = time_now() + 61000000;
    assert_true(raised(p, &row, 60, &fresh) > id && fresh);
}

static void without_cooling_it_comes_back_at_once(void **state)
{
    Place *p = *state;
    bool fresh;
    AlertRow row = drifted(0, "one");
    int64_t id = raised(p, &row, 0, &fresh);
    OK(store_alert_resolve(p->s, id, "watch", &p->err));
    assert_true(raised(p, &row, 0, &fresh) > id && fresh);
}

static void moves_are_known_and_audited(void **state)
{
    Place *p = *state;
    bool fresh;
    AlertRow row = drifted(0, "one"), *rows;
    size_t n;
    assert_false(store_alert_acknowledge(p->s, 7, "anna", &p->err));
    assert_non_null(strstr(p->err.text, "no alert 7"));
    int64_t id = raised(p, &row, 0, &fresh);
    OK(store_alert_resolve(p->s, id, "anna", &p->err));
    OK(store_alert_acknowledge(p->s, id, "bert", &p->err)); /* too late: nothing changes */
    OK(store_alert_resolve(p->s, id, "bert", &p->err));
    OK(store_alerts(p->s, false, 0, &p->a, &rows, &n, &p->err));
    assert_int_equal(n, 1);
    assert_string_equal(rows[0].state, "resolved");
    assert_string_equal(rows[0].actor, "anna");
    assert_true(rows[0].resolved > 0);
    sqlite3_stmt *q;
    sqlite3_prepare_v2(store_handle(p->s),
                       "SELECT group_concat(actor || ' ' || what || ' ' || subject) FROM audit", -1,
                       &q, NULL);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(q, 0), "anna resolve alert 1");
    sqlite3_finalize(q);
}

/* Eight processes raise the same alert at the same time: one of them is told that it is new. */
static void one_of_many_is_first(void **state)
{
    Place *p = *state;
    pid_t child[8];
    int told = 0;
    for (int i = 0; i < 8; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            Error err = {0};
            Store *s = store_open(p->dir, STORE_WRITE, &err);
            AlertRow row = drifted(0, "one");
            bool fresh = false, ok = s;
            int64_t id;
            for (int j = 0; ok && j < 20; j++) {
                bool now = false;
                ok = store_alert_raise(s, &row, 60, &id, &now, &err);
                fresh = fresh || now;
            }
            store_close(s);
            _exit(ok ? fresh : 9);
        }
    }
    for (int i = 0; i < 8; i++) {
        int status;
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        told += WEXITSTATUS(status);
    }
    assert_int_equal(told, 1);
    AlertRow *rows;
    size_t n;
    OK(store_alerts(p->s, false, 0, &p->a, &rows, &n, &p->err));
    assert_int_equal(n, 1);
    assert_int_equal(rows[0].count, 160);
}

static void points_come_back_in_order(void **state)
{
    Place *p = *state;
    double none = (double)NAN;
    MonitorPointRow in[] = {
        {.deployment = "fares",
         .model = 3,
         .kind = "drift",
         .column = "MILEAGE",
         .test = "wasserstein",
         .time_from = 10,
         .time_to = 20,
         .first = 1,
         .last = 500,
         .rows = 500,
         .value = 0.25,
         .low = none,
         .high = 0.1,
         .truth = none,
         .weight = 0.5,
         .alarm = true,
         .detail = "{\"bins\":3}"},
        {.deployment = "fares",
         .model = 3,
         .kind = "estimate",
         .column = "",
         .test = "mae",
         .value = 2.5,
         .low = 1,
         .high = 3,
         .truth = 2.75,
         .weight = 1,
         .detail = ""},
        {.deployment = "tips",
         .model = 4,
         .kind = "drift",
         .column = "",
         .test = "share",
         .value = none,
         .low = none,
         .high = none,
         .truth = none,
         .detail = ""},
    };
    OK(store_monitor_points_add(p->s, in, 3, &p->err));
    MonitorPointRow *out;
    size_t n;
    int64_t cursor = 0;
    OK(store_monitor_points_since(p->s, "fares", &cursor, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 2);
    assert_int_equal(cursor, out[1].id);
    assert_string_equal(out[0].column, "MILEAGE");
    assert_string_equal(out[0].test, "wasserstein");
    assert_string_equal(out[0].detail, "{\"bins\":3}");
    assert_int_equal(out[0].last, 500);
    assert_true(out[0].alarm && isnan(out[0].low) && isnan(out[0].truth));
    assert_true(out[0].value == 0.25 && out[0].high == 0.1 && out[0].weight == 0.5);
    assert_true(out[1].truth == 2.75 && !out[1].alarm);
    OK(store_monitor_points_since(p->s, "fares", &cursor, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 0);
    cursor = 0;
    OK(store_monitor_points_since(p->s, NULL, &cursor, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 3);
    assert_true(isnan(out[2].value));
}

/* A chunk that is taken back leaves nothing: the next round finds the cursor where it was. */
static void a_chunk_is_whole_or_not_there(void **state)
{
    Place *p = *state;
    MonitorPointRow row = {.deployment = "fares",
                           .kind = "drift",
                           .column = "",
                           .test = "",
                           .detail = ""},
                    *out;
    int64_t cursor = 0;
    size_t n;
    OK(store_begin(p->s, &p->err));
    OK(store_monitor_points_add(p->s, &row, 1, &p->err));
    store_rollback(p->s);
    OK(store_monitor_points_since(p->s, NULL, &cursor, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 0);
    assert_int_equal(cursor, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(once_while_open, setup, teardown),
        cmocka_unit_test_setup_teardown(cools_down, setup, teardown),
        cmocka_unit_test_setup_teardown(without_cooling_it_comes_back_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(moves_are_known_and_audited, setup, teardown),
        cmocka_unit_test_setup_teardown(one_of_many_is_first, setup, teardown),
        cmocka_unit_test_setup_teardown(points_come_back_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_chunk_is_whole_or_not_there, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
