/* deploy_load.c -- what the Deploy pane shows, read by a job: deployments, their last minute, checks, audit. */
#include "deploy_int.h"

#include <stdio.h>
#include <string.h>

enum { SLOT_VIEW = 1 };
#define CHECKS_MOST 300
#define AUDIT_MOST  300
#define SECOND      1000000LL

void deploy_view_free(void *view)
{
    DeployView *v = view;
    if (!v)
        return;
    arena_release(&v->arena);
    mem_free(v);
}

static void read_traffic(DeployView *v, PredictionLog *log, size_t i)
{
    TrafficRow *row = NULL;
    size_t n = 0;
    int64_t now = time_now();
    Error ignored = {0};
    DeployMinute *t = &v->traffic[i];
    bool ok =
        log && prediction_log_traffic_since(log, v->row[i].name, now - DEPLOY_SECONDS * SECOND,
                                            &v->arena, &row, &n, &ignored);
    deployment_minute(&v->row[i], row, ok ? n : 0, now, t);
    for (size_t k = DEPLOY_SECONDS - 10; k < DEPLOY_SECONDS; k++)
        v->busy = v->busy || t->each[k] > 0.0;
}

static void *read_view(JobContext *c, void *input, Error *err)
{
    (void)input;
    Store *s = job_store(c, err);
    DeployView *v = mem_alloc(sizeof *v);
    Error none = {0};
    bool ok = s && store_deployments(s, &v->arena, &v->row, &v->rows, err) &&
              store_gate_checks(s, NULL, CHECKS_MOST, &v->arena, &v->check, &v->checks, err) &&
              store_audit(s, NULL, AUDIT_MOST, &v->arena, &v->audit, &v->audits, err);
    if (!ok) {
        deploy_view_free(v);
        return NULL;
    }
    PredictionLog *log = v->rows ? prediction_log_open(job_workspace(c), STORE_READ, &none) : NULL;
    v->traffic = ARENA_NEW(&v->arena, DeployMinute, v->rows + 1);
    progress_begin(job_progress(c), NULL, "deployments", v->rows);
    for (size_t i = 0; i < v->rows && !job_stopped(c); i++) {
        read_traffic(v, log, i);
        progress_add(job_progress(c), 1);
    }
    prediction_log_close(log);
    if (job_stopped(c)) {
        error_set(err, ERROR_STOP, "stopped");
        deploy_view_free(v);
        return NULL;
    }
    return v;
}

static void view_read(void *owner, void *result, const Error *err, Ui *ui)
{
    DeployState *s = owner;
    (void)err;
    if (!result)
        return;
    deploy_view_free(s->view);
    s->view = result;
    deploy_follow(s);
    if (s->view->busy && ui_visible(ui, s))
        ui_animate(ui, 3);
    ui_draw(ui);
}

void deploy_load(DeployState *s)
{
    s->read_at = ui_now(s->ui);
    ui_job(s->ui, (Job){.owner = s,
                        .slot = SLOT_VIEW,
                        .what = "reading the deployments",
                        .run = read_view,
                        .done = view_read,
                        .release = deploy_view_free,
                        .quiet = true,
                        .urgent = true});
}

/* ---- the deployment under the cursor ------------------------------------------------------------------------ */

const DeploymentRow *deploy_at(const DeployState *s)
{
    uint64_t at = s->table[DEPLOY_LIST].at;
    return s->view && at < s->view->rows ? &s->view->row[at] : NULL;
}

const DeployMinute *deploy_traffic(const DeployState *s)
{
    return deploy_at(s) ? &s->view->traffic[s->table[DEPLOY_LIST].at] : NULL;
}

const char *deploy_model_name(const DeployState *s, int64_t id, Text *into)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    text_reset(into);
    for (size_t i = 0; i < snap->models; i++)
        if (snap->model[i].id == id)
            text_printf(into, "%s/%lld", snap->model[i].name, (long long)snap->model[i].version);
    if (id && !into->count)
        text_printf(into, "%lld (deleted)", (long long)id);
    return text_str(into);
}

static void read_settings(DeployState *s, const DeploymentRow *row)
{
    Error ignored = {0};
    DeploySettings now;
    if (text_equal(s->set_of, row->name) && (s->form.editing || s->set_revision == row->revision))
        return;
    if (!deploy_settings(row, &now, &ignored))
        return;
    params_release(deploy_params, &s->set);
    s->set = now;
    snprintf(s->set_of, sizeof s->set_of, "%s", row->name);
    s->set_revision = row->revision;
}

/* By name: a row before it may have come or gone. */
void deploy_follow(DeployState *s)
{
    Table *t = &s->table[DEPLOY_LIST];
    for (size_t i = 0; s->view && i < s->view->rows; i++)
        if (text_equal(s->view->row[i].name, s->name))
            t->at = i;
    if (s->view && t->at >= s->view->rows)
        t->at = s->view->rows ? s->view->rows - 1 : 0;
    const DeploymentRow *row = deploy_at(s);
    if (!row)
        return;
    snprintf(s->name, sizeof s->name, "%s", row->name);
    read_settings(s, row);
}
