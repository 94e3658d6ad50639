/* route.c -- the models that are open, and which of them answers a request.
 *
 * A Routing is made whole, put in the place of the one before, and never changed; requests hold the one
 * they began with, so a swap is seen by the next request and by none that is under way. Models that both
 * the old and the new routing have stay open. */
#include "serve_int.h"

#include <assert.h>
#include <string.h>

#define AS_NAME(name, text) [ROUTE_##name] = text,
static const char *const states[] = {ROUTE_STATES(AS_NAME)};
#undef AS_NAME

bool route_state(const char *name, RouteState *out)
{
    for (int i = 0; i < ROUTE_STATE_COUNT; i++)
        if (!strcmp(states[i], name)) {
            *out = (RouteState)i;
            return true;
        }
    return false;
}

/* ---- one model ---------------------------------------------------------------------------------------- */

static bool open_scorers(Served *v, size_t count, Error *err)
{
    v->scorer = mem_alloc(count * sizeof *v->scorer);
    for (; v->scorers < count; v->scorers++) {
        Scorer *s = &v->scorer[v->scorers];
        s->bundle = bundle_open(v->about.dir, NULL, err);
        if (!s->bundle)
            return false;
        rng_seed(&s->rng, (uint64_t)time_now(), v->scorers);
        s->intake = &v->intake;
        s->next = v->free;
        v->free = s;
    }
    return true;
}

/* What detectors can look at. */
static void list_numbers(Served *v)
{
    const Schema *schema = v->intake.schema;
    for (size_t i = 0; i < schema->count && v->numbers < DETECT_COLUMNS; i++)
        if (v->intake.needed[i] &&
            (schema->field[i].type == COLUMN_REAL || schema->field[i].type == COLUMN_INT))
            v->number[v->numbers++] = i;
    for (size_t i = 0; i < v->scorers; i++) {
        v->scorer[i].number = v->number;
        v->scorer[i].numbers = v->numbers;
    }
}

Served *served_open(const ServeModel *about, int64_t id, size_t threads, Error *err)
{
    Served *v = mem_alloc(sizeof *v);
    Text label = {0};
    text_printf(&label, "%s/%s", about->name, about->version);
    v->id = id;
    v->label = text_take(&label);
    v->about =
        (ServeModel){text_copy(about->dir), text_copy(about->name), text_copy(about->version)};
    pthread_mutex_init(&v->lock, NULL);
    bool ok = open_scorers(v, threads, err);
    if (ok && !features_target(bundle_features(v->scorer[0].bundle)))
        ok = error_set(err, ERROR_USAGE, "%s: the model has no target to predict", about->dir);
    if (ok) {
        intake_init(&v->intake, bundle_schema(v->scorer[0].bundle));
        intake_narrow(&v->intake, v->scorer[0].bundle);
        list_numbers(v);
        return v;
    }
    served_close(v);
    return NULL;
}

void served_close(Served *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < v->scorers; i++)
        scorer_release(&v->scorer[i]);
    mem_free(v->scorer);
    intake_release(&v->intake);
    mem_free((char *)(uintptr_t)v->about.dir);
    mem_free((char *)(uintptr_t)v->about.name);
    mem_free((char *)(uintptr_t)v->about.version);
    mem_free(v->label);
    pthread_mutex_destroy(&v->lock);
    mem_free(v);
}

Scorer *served_take(Served *v)
{
    pthread_mutex_lock(&v->lock);
    Scorer *s = v->free;
    assert(s && "as many scorers as threads, and one for the shadow's");
    v->free = s->next;
    pthread_mutex_unlock(&v->lock);
    return s;
}

void served_give(Served *v, Scorer *s)
{
    scorer_reset(s);
    pthread_mutex_lock(&v->lock);
    s->next = v->free;
    v->free = s;
    pthread_mutex_unlock(&v->lock);
}

/* ---- a routing ------------------------------------------------------------------------------------------- */

/* The columns that are marked private, and those of mask: names between commas and spaces; what a model does not have
 * may be the other's. */
static bool *mask_of(const Intake *in, const char *mask, size_t *found)
{
    bool *masked = mem_alloc((in->schema->count + 1) * sizeof *masked);
    *found = 0;
    for (size_t i = 0; i < in->schema->count; i++)
        masked[i] = in->schema->field[i].private;
    for (const char *at = mask; *at;) {
        at += strspn(at, ", ");
        size_t n = strcspn(at, ",");
        while (n && at[n - 1] == ' ')
            n--;
        for (size_t i = 0; n && i < in->schema->count; i++)
            if (strlen(in->name[i]) == n && !strncmp(in->name[i], at, n)) {
                masked[i] = true;
                ++*found;
            }
        at += strcspn(at, ",");
    }
    return masked;
}

static size_t names_in(const char *mask)
{
    size_t n = 0;
    for (const char *at = mask; *at; at += strcspn(at, ",")) {
        at += strspn(at, ", ");
        n += *at != 0;
    }
    return n;
}

Routing *routing_create(const char *name, RouteState state, Served *model, Served *candidate,
                        const RouteSettings *set, Error *err)
{
    Routing *g = mem_alloc(sizeof *g);
    size_t found[2] = {0, 0};
    g->holds = 1;
    g->state = state;
    g->name = text_copy(name);
    g->key = text_copy(set->key);
    g->sample = set->sample;
    g->log_bytes = (int64_t)(set->log_mb * 1e6);
    g->model = model;
    g->candidate = candidate;
    if (model) {
        model->holds++;
        g->masked[0] = mask_of(&model->intake, set->mask, &found[0]);
    }
    if (candidate) {
        candidate->holds++;
        g->masked[1] = mask_of(&candidate->intake, set->mask, &found[1]);
    }
    if (model && found[0] + found[1] < names_in(set->mask)) { /* better said than logged in clear */
        error_set(err, ERROR_USAGE, "mask=%.120s: the model does not know all of these columns",
                  set->mask);
        g->model = g->candidate = NULL; /* they stay the caller's */
        model->holds--;
        if (candidate)
            candidate->holds--;
        routing_destroy(g);
        return NULL;
    }
    return g;
}

static void let_model_go(Served *v)
{
    if (v && --v->holds == 0)
        served_close(v);
}

void routing_destroy(Routing *g)
{
    if (!g)
        return;
    let_model_go(g->model);
    let_model_go(g->candidate);
    mem_free(g->masked[0]);
    mem_free(g->masked[1]);
    mem_free(g->name);
    mem_free(g->key);
    mem_free(g);
}

/* ---- choosing ------------------------------------------------------------------------------------------- */

/* Of the key's value in the request's first row, so that the same customer meets the same model whichever
 * server, thread or day it is. A missing value is one of the values. */
static uint64_t hash_of_key(const Chunk *rows, const char *key)
{
    const Column *c = chunk_find(rows, key);
    if (!c || !rows->rows || !column_has(c, 0))
        return hash_bytes("", 0, 1);
    if (c->type == COLUMN_TEXT) {
        size_t n;
        const char *s = column_text(c, 0, &n);
        return hash_bytes(s, n, 1);
    }
    double v =
        c->type == COLUMN_INT || c->type == COLUMN_TIME ? (double)c->integer[0] : column_real(c, 0);
    v = v == 0 ? 0 : v; /* -0 */
    return hash_bytes(&v, sizeof v, 1);
}

Served *routing_choose(const Routing *g, const Chunk *rows, Rng *rng)
{
    if (!g->candidate || g->state == ROUTE_LIVE || g->state == ROUTE_SHADOW)
        return g->model;
    if (g->state == ROUTE_GREEN)
        return g->candidate;
    double at = rows ? (double)(hash_of_key(rows, g->key) >> 11) * 0x1p-53 : rng_unit(rng);
    return at * 100 < g->percent ? g->candidate : g->model;
}

/* ---- the one that is in force ------------------------------------------------------------------------------ */

Routing *service_routing(Service *s)
{
    pthread_mutex_lock(&s->lock);
    Routing *g = s->routing;
    g->holds++;
    pthread_mutex_unlock(&s->lock);
    return g;
}

void service_let_go(Routing *g)
{
    g->holds--; /* the last is the follower's: closing a model is not a request's work */
}

Routing *service_swap(Service *s, Routing *g)
{
    pthread_mutex_lock(&s->lock);
    Routing *before = s->routing;
    s->routing = g;
    pthread_mutex_unlock(&s->lock);
    return before;
}

Traffic *service_traffic(Service *s, const Served *v)
{
    size_t n = s->traffics;
    for (size_t i = 0; i < n; i++)
        if (s->traffic[i].model == v->id)
            return &s->traffic[i];
    if (n == TRAFFIC_MOST)
        return NULL;
    Traffic *t = &s->traffic[n];
    t->model = v->id;
    t->label = text_copy(v->label);
    for (size_t i = 0; i < v->numbers; i++)
        t->column[t->columns++] = text_copy(v->intake.name[v->number[i]]);
    t->classes = features_shape(bundle_features(v->scorer[0].bundle))->task != TASK_REGRESSION;
    s->traffics = n + 1; /* from now on others see it */
    return t;
}
