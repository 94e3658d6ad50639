/* store_deploy -- models by every name they have, deployments that two change at once, gates. */
#include "store_place.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static void says_kind(Place *p, bool result, ErrorKind kind, const char *words)
{
    assert_int_equal(p->err.kind, kind);
    says(p, result, words);
}

static int64_t model(Place *p, const char *name, int64_t run)
{
    ModelRow m = {.run = run, .name = name, .hash = "h", .path = "runs/1/bundle", .alias = ""};
    int64_t id = store_model_add(p->s, &m, &p->err);
    OK(id);
    return id;
}

static int64_t found(Place *p, const char *name)
{
    ModelRow m;
    OK(store_model_find(p->s, name, &p->a, &m, &p->err));
    return m.id;
}

static void models(void **state)
{
    Place *p = *state;
    ModelRow m;
    says_kind(p, store_model_find(p->s, "taxi", &p->a, &m, &p->err), ERROR_USAGE,
         "a finished run makes one");
    RunRow run = {.name = "nightly",
                  .family = "mlp",
                  .dataset = "d",
                  .dataset_name = "d",
                  .target = "y",
                  .task = "regression",
                  .recipe = "",
                  .features = "",
                  .split = "",
                  .message = "",
                  .monitor = "",
                  .note = "",
                  .tags = "",
                  .machine = "",
                  .version = "",
                  .best = (double)NAN};
    int64_t id = store_run_add(p->s, &run, NULL, 0, &p->err);
    OK(id);
    int64_t one = model(p, "taxi", id), two = model(p, "taxi", 99), bike = model(p, "bike", 98);
    assert_int_equal(found(p, "taxi"), two);
    assert_int_equal(found(p, "taxi/1"), one);
    assert_int_equal(found(p, "taxi/2"), two);
    assert_int_equal(found(p, "nightly"), one); /* by its run */
    assert_int_equal(found(p, "1"), one);
    OK(store_model_get(p->s, bike, &p->a, &m, &p->err));
    assert_string_equal(m.name, "bike");
    says_kind(p, store_model_get(p->s, 77, &p->a, &m, &p->err), ERROR_USAGE, "no model 77");

    OK(store_model_alias(p->s, one, "champion", true, &p->err));
    OK(store_model_alias(p->s, one, "stable", true, &p->err));
    assert_int_equal(found(p, "taxi@champion"), one);
    assert_int_equal(found(p, "@champion"), one);
    OK(store_model_alias(p->s, two, "champion", true, &p->err)); /* moves */
    OK(store_model_alias(p->s, two, "champion", true, &p->err)); /* again: the same */
    OK(store_model_get(p->s, one, &p->a, &m, &p->err));
    assert_string_equal(m.alias, "stable");
    OK(store_model_get(p->s, two, &p->a, &m, &p->err));
    assert_string_equal(m.alias, "champion");
    OK(store_model_alias(p->s, bike, "champion", true, &p->err)); /* another name's own */
    says_kind(p, store_model_find(p->s, "@champion", &p->a, &m, &p->err), ERROR_USAGE,
         "several names have it");
    assert_int_equal(found(p, "taxi@champion"), two);
    OK(store_model_alias(p->s, one, "champion", false, &p->err)); /* it has none: nothing happens */
    assert_int_equal(found(p, "taxi@champion"), two);
    OK(store_model_alias(p->s, two, "champion", false, &p->err));
    assert_int_equal(found(p, "@champion"), bike);
    says_kind(p, store_model_find(p->s, "taxi@stabel", &p->a, &m, &p->err), ERROR_USAGE,
         "did you mean taxi@stable?");
    says_kind(p, store_model_find(p->s, "taxi/9", &p->a, &m, &p->err), ERROR_USAGE,
         "did you mean taxi/");
    says_kind(p, store_model_alias(p->s, two, "a b", true, &p->err), ERROR_USAGE, "expected one word");
    says_kind(p, store_model_alias(p->s, two, "", true, &p->err), ERROR_USAGE, "expected one word");
}

/* "who what, who what": the audit of a deployment. */
static void audit_is(Place *p, const char *subject, const char *expected)
{
    sqlite3_stmt *q;
    Text all = {0};
    assert_int_equal(sqlite3_prepare_v2(store_handle(p->s),
                                        "SELECT actor || ' ' || what FROM audit"
                                        " WHERE subject = ?1 ORDER BY id",
                                        -1, &q, NULL),
                     SQLITE_OK);
    sqlite3_bind_text(q, 1, subject, -1, SQLITE_STATIC);
    while (sqlite3_step(q) == SQLITE_ROW)
        text_printf(&all, "%s%s", all.count ? ", " : "", (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    assert_string_equal(text_str(&all), expected);
    text_release(&all);
}

static void deployments(void **state)
{
    Place *p = *state;
    DeploymentRow d = {
        .name = "fares", .state = "live", .model = 3, .settings = "{}", .percent = 0};
    OK(store_deployment_add(p->s, &d, "anna", &p->err));
    says_kind(p, store_deployment_add(p->s, &d, "anna", &p->err) != 0, ERROR_USAGE, "already");
    DeploymentRow mine, theirs;
    says_kind(p, store_deployment_find(p->s, "farez", &p->a, &mine, &p->err), ERROR_USAGE,
         "did you mean fares?");
    OK(store_deployment_find(p->s, "fares", &p->a, &mine, &p->err));
    assert_int_equal(mine.revision, 1);
    OK(store_deployment_find(p->other, "fares", &p->a, &theirs, &p->err));
    mine.state = "canary", mine.candidate = 4, mine.percent = 12.5, mine.step = 1, mine.failed = 2;
    theirs.state = "stopped";
    OK(store_deployment_change(p->s, &mine, "anna", "canary", "taxi/4", &p->err));
    says_kind(p, store_deployment_change(p->other, &theirs, "bob", "stop", "", &p->err), ERROR_STOP,
         "someone else");
    size_t n;
    audit_is(p, "deployment fares", "anna create, anna canary"); /* the loser left no line */
    OK(store_deployment_find(p->other, "fares", &p->a, &theirs, &p->err));
    assert_int_equal(theirs.revision, 2);
    assert_string_equal(theirs.state, "canary");
    assert_int_equal(theirs.candidate, 4);
    assert_true(theirs.percent == 12.5);
    assert_int_equal(theirs.failed, 2);
    d.name = "bikes";
    OK(store_deployment_add(p->s, &d, "anna", &p->err));
    DeploymentRow *all;
    OK(store_deployments(p->s, &p->a, &all, &n, &p->err));
    assert_int_equal(n, 2);
    assert_string_equal(all[0].name, "bikes");
    says_kind(p, store_deployment_remove(p->s, &mine, "anna", &p->err), ERROR_STOP, "someone else");
    OK(store_deployment_remove(p->s, &theirs, "anna", &p->err));
    OK(store_deployments(p->s, &p->a, &all, &n, &p->err));
    assert_int_equal(n, 1);
    /* a state that is none is the store's to refuse */
    all[0].state = "flying";
    assert_false(store_deployment_change(p->s, &all[0], "anna", "x", "", &p->err));
    audit_is(p, "deployment bikes", "anna create");
}

static void gates(void **state)
{
    Place *p = *state;
    GateCheckRow c[] = {{.deployment = "fares",
                         .model = 1,
                         .rule = "rmse <= 3",
                         .value = 2.5,
                         .other = (double)NAN,
                         .bound = 3,
                         .p = (double)NAN,
                         .passed = true,
                         .note = ""},
                        {.deployment = "fares",
                         .model = 1,
                         .against = 2,
                         .rule = "rmse better 2%",
                         .value = 2.5,
                         .other = 2.4,
                         .bound = 2,
                         .p = 0.25,
                         .note = "worse"}};
    int64_t one = store_gate_add(p->s, c, 2, &p->err);
    OK(one);
    c[0].deployment = "";
    int64_t two = store_gate_add(p->s, c, 1, &p->err);
    assert_int_equal(two, one + 1);
    GateCheckRow *row;
    size_t n;
    OK(store_gate_checks(p->s, NULL, 10, &p->a, &row, &n, &p->err));
    assert_int_equal(n, 3);
    assert_int_equal(row[0].gate, two);
    OK(store_gate_checks(p->s, "fares", 10, &p->a, &row, &n, &p->err));
    assert_int_equal(n, 2);
    assert_string_equal(row[0].rule, "rmse <= 3");
    assert_true(row[0].passed && isnan(row[0].other) && row[0].time > 0);
    assert_true(!row[1].passed && row[1].p == 0.25 && row[1].against == 2);
    OK(store_gate_checks(p->s, "fares", 1, &p->a, &row, &n, &p->err));
    assert_int_equal(n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(models, setup, teardown),
        cmocka_unit_test_setup_teardown(deployments, setup, teardown),
        cmocka_unit_test_setup_teardown(gates, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
