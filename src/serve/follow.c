/* follow.c -- what the store says is to be served, and a thread that sees when it says something else.
 *
 * Ten times a second the thread asks SQLite whether anyone wrote (PRAGMA data_version: one page of shared
 * memory). If so, tokens are looked up anew, and a deployment's row is read; a higher revision is made a
 * Routing, with models opened here, beside the traffic, and put in the place of the old one. What cannot be
 * opened is told (log, audit, /metrics) and tried again; what was served before goes on being served. A
 * routing that no request holds any more is closed here, too. */
#include "serve_int.h"

#include <lathe/train.h>

#include <math.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 100000000
#define RETRY_S 5.0

struct Follower {
    Service *service;
    char *workspace, *run, *deployment, *mask, *about, *log_name;
    double sample, log_mb;
    Store *store;
    char subject[160], actor[96], address[80];
    pthread_t thread;
    bool running, failed;
    atomic_bool stop, ask;
    int64_t seen;
    double again; /* when to try what failed */
    VEC(Routing *) retired;
};

/* ---- from the store to a routing --------------------------------------------------------------------- */

/* A setting of the deployment's JSON, as text or as a number. */
static double real_of(const json_t *set, const char *key, double normal)
{
    const json_t *v = json_object_get(set, key);
    double out = normal;
    if (json_is_number(v))
        return json_number_value(v);
    if (json_is_string(v) && text_to_real(json_string_value(v), json_string_length(v), &out))
        return out;
    return normal;
}

static const char *text_of(const json_t *set, const char *key, const char *normal)
{
    const char *s = json_string_value(json_object_get(set, key));
    return s && *s ? s : normal;
}

/* One that is open already, or one opened now. */
static Served *model_of(Follower *f, int64_t id, Arena *a, Error *err)
{
    Routing *now = f->service->routing; /* only this thread swaps it */
    ModelRow row;
    char version[24];
    if (now && now->model && now->model->id == id)
        return now->model;
    if (now && now->candidate && now->candidate->id == id)
        return now->candidate;
    if (!store_model_get(f->store, id, a, &row, err))
        return NULL;
    snprintf(version, sizeof version, "%lld", (long long)row.version);
    ServeModel about = {store_path(f->store, a, "%s", row.path), row.name, version};
    Served *v = served_open(&about, id, f->service->threads + 1, err);
    if (v)
        v->traffic = service_traffic(f->service, v);
    return v;
}

static void forget(const Follower *f, Served *v)
{
    const Routing *now = f->service->routing;
    if (v && (!now || (v != now->model && v != now->candidate)))
        served_close(v);
}

static Routing *of_deployment(Follower *f, const DeploymentRow *row, Arena *a, Error *err)
{
    RouteState state;
    if (!route_state(row->state, &state)) {
        error_set(err, ERROR_SHAPE, "deployment %.80s: no state %.40s", row->name, row->state);
        return NULL;
    }
    json_t *set = json_loads(row->settings, 0, NULL);
    RouteSettings settings = {.sample = fmin(1, fmax(0, real_of(set, "sample", f->sample))),
                              .log_mb = fmax(1, real_of(set, "log_mb", f->log_mb)),
                              .mask = text_of(set, "mask", f->mask),
                              .key = text_of(set, "key", "")};
    Served *model = row->model ? model_of(f, row->model, a, err) : NULL, *candidate = NULL;
    bool ok = model != NULL;
    if (!row->model)
        error_set(err, ERROR_USAGE, "deployment %.80s has no model", row->name);
    if (ok && row->candidate && row->candidate != row->model)
        ok = (candidate = model_of(f, row->candidate, a, err)) != NULL;
    Routing *g = ok ? routing_create(row->name, state, model, candidate, &settings, err) : NULL;
    if (g) {
        g->percent = row->percent;
        g->revision = row->revision;
    } else {
        forget(f, model);
        forget(f, candidate);
    }
    json_decref(set);
    return g;
}

/* The model that the run made, if it has a row. */
static int64_t model_id_of(Store *s, int64_t run, Arena *a)
{
    ModelRow *row;
    size_t n;
    if (!store_models(s, a, &row, &n, NULL))
        return 0;
    for (size_t i = 0; i < n; i++)
        if (row[i].run == run)
            return row[i].id;
    return 0;
}

static Routing *of_run(Follower *f, Arena *a, Error *err)
{
    RunRow row;
    ServeModel about;
    char version[24];
    if (!store_run_find(f->store, f->run, a, &row, err) ||
        !run_bundle_path(f->store, row.id, a, &about.dir, err))
        return NULL;
    snprintf(version, sizeof version, "%lld", (long long)row.id);
    about.name = *row.name ? row.name : row.family;
    about.version = version;
    int64_t id = model_id_of(f->store, row.id, a);
    Served *v = served_open(&about, id, f->service->threads + 1, err);
    if (!v)
        return NULL;
    v->traffic = service_traffic(f->service, v);
    RouteSettings set = {f->sample, f->log_mb, f->mask, ""};
    Routing *g = routing_create(about.name, ROUTE_LIVE, v, NULL, &set, err);
    if (!g) {
        served_close(v);
        return NULL;
    }
    if (!f->about) {
        Text about_text = {0};
        text_printf(&about_text, "run %s (%s)", version, about.name);
        f->about = text_take(&about_text);
        snprintf(f->subject, sizeof f->subject, "run %s", version);
    }
    return g;
}

/* Removed: nothing answers under its name any more. */
static Routing *of_nothing(Follower *f, Error *err)
{
    Routing *now = f->service->routing;
    RouteSettings set = {0, f->log_mb, "", ""};
    return now ? routing_create(now->name, ROUTE_STOPPED, now->model, now->candidate, &set, err)
               : NULL;
}

/* NULL without an error: it is what is served already. */
static Routing *look(Follower *f, bool ask, Error *err)
{
    Arena a = {0};
    DeploymentRow row;
    Error why = {0};
    Routing *now = f->service->routing, *g = NULL;
    if (!f->deployment) {
        g = of_run(f, &a, err);
    } else if (!store_deployment_find(f->store, f->deployment, &a, &row, &why)) {
        if (now && why.kind == ERROR_USAGE && now->revision >= 0) {
            g = of_nothing(f, err);
            if (g)
                g->revision = -1;
        } else if (!now || why.kind != ERROR_USAGE) {
            *err = why;
        }
    } else if (!now || ask || f->failed || now->revision != row.revision) {
        g = of_deployment(f, &row, &a, err);
    }
    arena_release(&a);
    return g;
}

/* ---- the thread --------------------------------------------------------------------------------------------- */

static void say_routing(const Routing *g, Text *into)
{
    static const char *const names[] = {"live", "shadow", "canary", "green", "stopped"};
    text_printf(into, "%s", names[g->state]);
    if (g->model)
        text_printf(into, " %s", g->model->label);
    if (g->candidate)
        text_printf(into, ", candidate %s", g->candidate->label);
    if (g->state == ROUTE_CANARY)
        text_printf(into, " %g %%", g->percent);
    if (g->model && scorer_forecasts(&g->model->scorer[0]))
        text_puts(into, "; forecasts");
}

static void audit(Follower *f, const char *actor, const char *what, const char *text)
{
    Error err = {0};
    if (!store_audit_add(f->store, actor, what, f->subject, text, &err))
        log_line(f->service->log, LOG_WARN, "%s of %s is not in the audit: %s", what, f->subject,
                 err.text);
}

static void route(Follower *f, bool ask)
{
    Error err = {0};
    Text text = {0};
    Counter *c = &f->service->counter;
    Routing *g = look(f, ask, &err);
    if (g) {
        say_routing(g, &text);
        vec_add(&f->retired, service_swap(f->service, g));
        c->reloads++;
        audit(f, f->actor, "reload", text_str(&text));
        log_line(f->service->log, LOG_INFO, "%s: %s", f->subject, text_str(&text));
    } else if (err.kind) {
        c->reloads_failed++;
        if (!f->failed) /* told once, tried again */
            audit(f, f->actor, "reload failed", err.text);
        log_line(f->service->log, LOG_ERROR, "%s: not reloaded, what was served goes on: %s",
                 f->subject, err.text);
    }
    f->failed = !g && err.kind;
    f->again = clock_now() + RETRY_S;
    text_release(&text);
}

static void sweep(Follower *f)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->retired.count; i++) {
        Routing *g = f->retired.at[i];
        if (g->holds == 1)
            routing_destroy(g);
        else
            f->retired.at[kept++] = g;
    }
    f->retired.count = kept;
}

static void *work(void *arg)
{
    Follower *f = arg;
    while (!f->stop) {
        nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
        int64_t seen = store_version_seen(f->store);
        bool changed = seen != f->seen, ask = atomic_exchange(&f->ask, false);
        f->seen = seen;
        if (changed)
            guard_forget(f->service->guard);
        if (ask || (changed && f->deployment) || (f->failed && clock_now() > f->again))
            route(f, ask);
        sweep(f);
    }
    return NULL;
}

void follower_reload(Follower *f)
{
    if (f)
        f->ask = true;
}

/* ---- from beginning to end ------------------------------------------------------------------------------------ */

const char *follower_about(const Follower *f)
{
    return f->about;
}

const char *follower_log_name(const Follower *f)
{
    return f->log_name;
}

static void user_name(char *into, size_t size)
{
    struct passwd p, *found = NULL;
    char room[4096];
    if (getpwuid_r(geteuid(), &p, room, sizeof room, &found) == 0 && found)
        snprintf(into, size, "%s", p.pw_name);
    else
        snprintf(into, size, "user %ld", (long)geteuid());
}

/* A run can be served from a folder nobody may write, if nothing is to be logged. */
static bool open_store(Follower *f, Error *err)
{
    f->store = store_open(f->workspace, STORE_WRITE, err);
    if (f->store || f->deployment || f->sample > 0)
        return f->store != NULL;
    Error second = {0};
    f->store = store_open(f->workspace, STORE_READ, &second);
    return f->store != NULL;
}

Follower *follower_open(Service *s, const ServeSource *source, const ServeOptions *o, Error *err)
{
    Follower *f = mem_alloc(sizeof *f);
    bool deployed = source->deployment && *source->deployment;
    f->service = s;
    f->workspace = text_copy(source->workspace);
    f->run = text_copy(source->run);
    f->deployment = deployed ? text_copy(source->deployment) : NULL;
    f->mask = text_copy(o->mask);
    f->sample = o->sample;
    f->log_mb = o->log_mb;
    if (open_store(f, err) && (s->routing = look(f, true, err))) {
        Text about = {0};
        f->seen = store_version_seen(f->store);
        if (deployed) {
            snprintf(f->subject, sizeof f->subject, "deployment %s", f->deployment);
            text_printf(&about, "deployment %s (", f->deployment);
            say_routing(s->routing, &about);
            text_puts(&about, ")");
            f->about = text_take(&about);
        }
        f->log_name = text_copy(deployed ? f->deployment : f->subject);
        return f;
    }
    follower_close(f, NULL);
    return NULL;
}

bool follower_start(Follower *f, const char *address, Error *err)
{
    char user[64];
    Text text = {0};
    snprintf(f->address, sizeof f->address, "%s", address);
    snprintf(f->actor, sizeof f->actor, "server %s", address);
    user_name(user, sizeof user);
    text_printf(&text, "on %s: ", address);
    say_routing(f->service->routing, &text);
    audit(f, user, "start", text_str(&text));
    text_release(&text);
    f->running = pthread_create(&f->thread, NULL, work, f) == 0;
    return f->running ||
           error_set(err, ERROR_SPACE, "could not start the thread that follows the store");
}

void follower_close(Follower *f, const ServeCounts *c)
{
    if (!f)
        return;
    f->stop = true;
    if (f->running) {
        char text[120];
        pthread_join(f->thread, NULL);
        snprintf(text, sizeof text, "on %s, after %llu requests", f->address,
                 c ? (unsigned long long)c->requests : 0);
        audit(f, f->actor, "stop", text);
    }
    for (size_t i = 0; i < f->retired.count; i++)
        routing_destroy(f->retired.at[i]);
    vec_release(&f->retired);
    store_close(f->store);
    mem_free(f->workspace);
    mem_free(f->run);
    mem_free(f->deployment);
    mem_free(f->mask);
    mem_free(f->about);
    mem_free(f->log_name);
    mem_free(f);
}
