/* step.c -- the check of a roll-out's step, and what follows from it.
 *
 * Flagger's order (REFERENCE.md section 4): after `interval` seconds and `rows_least` rows the candidate's
 * requests are looked at: share without a failure of ours, p99; then the gate's rules on the rows whose truth
 * came in meanwhile. Passed: on; failed `threshold` times in a row: back. The check, the counters, the move
 * and their lines of the audit are one transaction. */
#include "deploy_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FEEDBACK_LEAST 30 /* rows with their truth, or the rules wait */
#define FEEDBACK_MOST  20000

typedef struct Step {
    Store *store;
    Arena arena;
    DeploymentRow row;
    DeploySettings set;
    ModelRow model, candidate;
    Pool *pool;
    int64_t requests, errors, rows;
    double p99;
    VEC(GateCheckRow) check;
    bool waits; /* too little seen */
    StepReport *out;
} Step;

static void wait_for(Step *t, const char *what, double seen, double needed)
{
    t->waits = true;
    snprintf(t->out->text, sizeof t->out->text, "waits: %.10g of %.10g %s", seen, needed, what);
}

/* ---- the candidate's requests ---------------------------------------------------------------------------------- */

/* As what it is rolled out now. p99: the mean of each second's, by its requests. */
static bool read_traffic(Step *t, Error *err)
{
    TrafficRow *row;
    size_t n = 0;
    Error none = {0};
    PredictionLog *log = prediction_log_open(store_dir(t->store), STORE_READ, &none);
    bool ok = !log || prediction_log_traffic_since(log, t->row.name, t->row.step_since, &t->arena,
                                                   &row, &n, err);
    bool shadow = text_equal(t->row.state, "shadow");
    for (size_t i = 0; ok && i < n; i++) {
        if (row[i].model != t->row.candidate || row[i].shadow != shadow)
            continue;
        t->requests += row[i].requests;
        t->errors += row[i].errors;
        t->rows += row[i].rows;
        if (isfinite(row[i].p99))
            t->p99 += row[i].p99 * (double)row[i].requests;
    }
    t->p99 = t->requests ? t->p99 / (double)t->requests : (double)NAN;
    prediction_log_close(log);
    return ok;
}

static void add_check(Step *t, const char *rule, double value, double bound, bool passed)
{
    vec_add(&t->check, (GateCheckRow){.time = time_now(),
                                      .deployment = t->row.name,
                                      .model = t->row.candidate,
                                      .against = t->row.model,
                                      .rule = rule,
                                      .value = value,
                                      .other = (double)NAN,
                                      .bound = bound,
                                      .p = (double)NAN,
                                      .passed = passed,
                                      .note = "traffic"});
}

static void judge_traffic(Step *t)
{
    double success = t->requests ? 1.0 - (double)t->errors / (double)t->requests : (double)NAN;
    add_check(t, arena_printf(&t->arena, "success >= %g", t->set.success), success, t->set.success,
              t->requests == 0 || success >= t->set.success);
    add_check(t, arena_printf(&t->arena, "p99 <= %gms", t->set.latency_ms), t->p99,
              t->set.latency_ms / 1e3, isnan(t->p99) || t->p99 * 1e3 <= t->set.latency_ms);
}

/* ---- the gate's rules on rows with feedback -------------------------------------------------------------------- */

static bool run_rules(Step *t, const Gate *g, const Dataset *d, Error *err)
{
    GateReport report;
    bool ok = gate_judge(t->store, g, t->row.name, &t->candidate, &t->model, d, t->pool, NULL,
                         &t->arena, &report, err);
    for (size_t i = 0; ok && i < report.n; i++)
        vec_add(&t->check, report.check[i]);
    return ok;
}

static bool judge_rules(Step *t, Error *err)
{
    Gate gate;
    const char *path;
    size_t n, unusable;
    char *dir = store_path(t->store, &t->arena, ".step-%s-%d", t->row.name, (int)getpid());
    if (!gate_parse(t->set.rules, &gate, err) || gate.rules == 0)
        return gate.rules == 0;
    Bundle *b = deployment_bundle(t->store, t->row.candidate, &t->arena, &path, err)
                    ? bundle_open(path, t->pool, err)
                    : NULL;
    bool ok = b && dir_create(dir, err);
    Dataset *d = ok ? answered_rows(t->store, t->row.name, b, t->row.step_since, FEEDBACK_MOST, dir,
                                    t->pool, &n, &unusable, err)
                    : NULL;
    if (ok && !d && n)
        ok = false;
    else if (ok && n < FEEDBACK_LEAST)
        wait_for(t, "rows with feedback", (double)n, FEEDBACK_LEAST);
    else if (ok)
        ok = run_rules(t, &gate, d, err);
    dataset_close(d);
    bundle_close(b);
    dir_remove(dir, NULL);
    gate_release(&gate);
    return ok;
}

/* ---- what follows ------------------------------------------------------------------------------------------------ */

static DeployMove next_move(const Step *t)
{
    return text_equal(t->row.state, "shadow")   ? MOVE_CANARY
           : text_equal(t->row.state, "canary") ? MOVE_STEP
                                                : MOVE_PROMOTE;
}

/* Says in its text what came of the check; *move: what would follow, *due: it is time for it. */
static void decide(Step *t, DeployMove *move, bool *due)
{
    StepReport *r = t->out;
    const char *failed = "";
    r->checked = r->passed = true;
    for (size_t i = 0; i < t->check.count; i++)
        if (!t->check.at[i].passed) {
            failed = r->passed ? t->check.at[i].rule : failed;
            r->passed = false;
        }
    t->row.passed = r->passed ? t->row.passed + 1 : 0;
    t->row.failed = r->passed ? 0 : t->row.failed + 1;
    *move = r->passed ? next_move(t) : MOVE_BACK;
    *due = r->passed || t->row.failed >= t->set.threshold;
    t->row.step_since = time_now(); /* the next check looks at what comes from here on */
    if (r->passed)
        snprintf(r->text, sizeof r->text, "passed %zu checks", t->check.count);
    else
        snprintf(r->text, sizeof r->text, "failed %s (%lld of %d in a row)", failed,
                 (long long)t->row.failed, t->set.threshold);
}

/* Assisted: the move is named, for someone to make it. */
static bool suggest(Step *t, DeployMove move, Error *err)
{
    int64_t id;
    bool fresh;
    const char *name = deploy_move_name(move);
    AlertRow alert = {
        .deployment = t->row.name,
        .subject = name,
        .kind = "rollout",
        .text = arena_printf(&t->arena, "%s: lathe deploy %s %s", t->out->text, t->row.name, name),
        .detail = "",
        .actor = ""};
    return store_alert_raise(t->store, &alert, 0.0, &id, &fresh, err);
}

static bool finish(Step *t, const char *actor, Error *err)
{
    DeployMove move;
    bool due;
    decide(t, &move, &due);
    bool moves = due && t->set.automation == 2, says = due && t->set.automation == 1;
    if (!store_begin(t->store, err))
        return false;
    if (store_gate_add(t->store, t->check.at, t->check.count, err) &&
        store_deployment_change(t->store, &t->row, actor, "check", t->out->text, err) &&
        (!says || suggest(t, move, err)) &&
        (!moves || deployment_move(t->store, t->row.name, move, NULL, actor, err))) {
        t->out->moved = moves;
        t->out->move = move;
        return store_commit(t->store, err);
    }
    store_rollback(t->store);
    return false;
}

static bool check(Step *t, const char *actor, Error *err)
{
    double lasted = (double)(time_now() - t->row.step_since) / 1e6;
    if (text_equal(t->row.state, "live") || text_equal(t->row.state, "stopped")) {
        snprintf(t->out->text, sizeof t->out->text, "%s: nothing is rolled out", t->row.state);
        return true;
    }
    if (lasted < t->set.interval) {
        wait_for(t, "s", floor(lasted), t->set.interval);
        return true;
    }
    if (!store_model_get(t->store, t->row.model, &t->arena, &t->model, err) ||
        !store_model_get(t->store, t->row.candidate, &t->arena, &t->candidate, err) ||
        !read_traffic(t, err))
        return false;
    if (t->rows < t->set.rows_least) {
        wait_for(t, "rows answered by the candidate", (double)t->rows, t->set.rows_least);
        return true;
    }
    judge_traffic(t);
    return judge_rules(t, err) && (t->waits || finish(t, actor, err));
}

bool deployment_step(Store *s, const char *name, Pool *pool, const char *actor, StepReport *out,
                     Error *err)
{
    Step t = {.store = s, .pool = pool, .out = out};
    *out = (StepReport){0};
    bool read = store_deployment_find(s, name, &t.arena, &t.row, err) &&
                deploy_settings(&t.row, &t.set, err);
    bool ok = read && check(&t, actor, err);
    if (read)
        params_release(deploy_params, &t.set);
    vec_release(&t.check);
    arena_release(&t.arena);
    return ok;
}
