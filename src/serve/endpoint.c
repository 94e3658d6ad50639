/* endpoint.c -- path and method to the function that answers: one row an endpoint.
 *
 * Errors are {"error": "..."}: 400 what the request says is wrong (the field is named), 401 no token that
 * is known, 404 no such path, 405 wrong method, 408 too slow, 413 too large, 415 not a type that is read, 429
 * too many, 500 ours, 503 the deployment is stopped or the log cannot be written. */
#include "serve_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A request on its way to its answer: the routing it began with, and the model its path names. */
typedef struct Call {
    Service *s;
    const Request *r;
    Reply *out;
    Routing *g;
    Served *pinned; /* by the version in the path; NULL: the routing chooses */
} Call;

typedef struct Endpoint {
    const char *path; /* M and V stand for the model's name and version */
    bool post;
    const char *also; /* a type it takes beside JSON, or NULL */
    bool open;        /* to those without a token */
    void (*answer)(const Call *c);
} Endpoint;

/* ---- replies ------------------------------------------------------------------------------------------ */

static void reply_json(Reply *r, unsigned code, json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT);
    r->code = code;
    r->type = "application/json";
    text_puts(&r->body, text ? text : "{}");
    free(text);
    json_decref(o);
}

void reply_error(Reply *r, unsigned code, const char *text)
{
    json_t *o = json_object();
    json_t *said = json_string(text);
    json_object_set_new(o, "error", said ? said : json_string("(not UTF-8)"));
    text_reset(&r->body);
    reply_json(r, code, o);
}

static void reply_text(Reply *r, const char *type, const char *text)
{
    r->code = 200;
    r->type = type;
    text_puts(&r->body, text);
}

/* ---- what they answer ------------------------------------------------------------------------------------ */

static void answer_ping(const Call *c)
{
    reply_text(c->out, "application/json", "\n");
}

static void answer_version(const Call *c)
{
    reply_text(c->out, "text/plain", LATHE_VERSION);
}

static void answer_counts(const Call *c)
{
    c->out->code = 200;
    c->out->type = "text/plain; version=0.0.4; charset=utf-8";
    service_print(c->s, &c->out->body);
}

static void answer_server(const Call *c)
{
    reply_json(
        c->out, 200,
        json_pack("{s:s, s:s, s:[]}", "name", "lathe", "version", LATHE_VERSION, "extensions"));
}

static void answer_live(const Call *c)
{
    reply_json(c->out, 200, json_pack("{s:b}", "live", 1));
}

static void answer_ready(const Call *c)
{
    bool ready = !c->s->ending && c->g->state != ROUTE_STOPPED;
    reply_json(c->out, ready ? 200 : 503, json_pack("{s:b}", "ready", ready));
}

static void answer_model(const Call *c)
{
    Served *v = c->pinned ? c->pinned : c->g->state == ROUTE_GREEN ? c->g->candidate : c->g->model;
    Scorer *scorer = served_take(v);
    ServeModel about = v->about;
    about.name = c->g->name;
    reply_json(c->out, 200, answer_metadata(scorer->bundle, &v->intake, &about));
    served_give(v, scorer);
}

/* ---- scoring ----------------------------------------------------------------------------------------------- */

static bool is_csv(const Request *r)
{
    return r->type && !strncasecmp(r->type, "text/csv", 8);
}

static bool is_infer(const Request *r)
{
    return text_starts(r->path, "/v2/");
}

static bool read_rows(const Served *v, Scorer *s, const Request *r, Chunk *rows, json_t **id,
                      Error *err)
{
    return is_infer(r) ? infer_rows(&v->intake, r->body, r->size, &s->arena, rows, id, err)
                       : mlflow_rows(&v->intake, r->body, r->size, &s->arena, rows, err);
}

bool request_score(const Served *v, Scorer *s, const Request *r, json_t **id, bool *fault,
                   Error *err)
{
    Chunk rows;
    bool ok;
    if (is_csv(r)) {
        ok = csv_score(&v->intake, s, r->body, r->size, fault, err);
    } else {
        ok = read_rows(v, s, r, &rows, id, err);
        *fault = !ok;
        ok = ok && scorer_add(s, &rows, err);
    }
    ok = ok && scorer_end(s, err);
    *fault = *fault || scorer_forecasts(s); /* what can go wrong then is the past that was sent */
    return ok;
}

/* The scorer in hand is one of the model; it is exchanged if the candidate is to answer. */
static void choose(const Call *c, Served **v, Scorer **s)
{
    const Routing *g = c->g;
    Chunk rows;
    json_t *id = NULL;
    Served *chosen = c->pinned;
    if (!chosen && routing_by_rows(g) &&
        !is_csv(c->r)) /* rows that cannot be read are told later */
        chosen = read_rows(*v, *s, c->r, &rows, &id, NULL) ? routing_choose(g, &rows, NULL) : *v;
    else if (!chosen)
        chosen = routing_choose(g, NULL, &(*s)->rng);
    json_decref(id);
    if (chosen == *v) {
        arena_reset(&(*s)->arena);
        return;
    }
    served_give(*v, *s);
    *v = chosen;
    *s = served_take(chosen);
}

static const char *role_of(const Routing *g, const Served *v)
{
    return v == g->candidate && g->state != ROUTE_GREEN ? "canary" : "live";
}

/* Into the log, and to the shadow. */
static void note(const Call *c, Served *v, const Scorer *s, double latency)
{
    Service *service = c->s;
    bool shadowed =
        service->shadow && c->g->state == ROUTE_SHADOW && c->g->candidate && v == c->g->model;
    if (!service->journal)
        return;
    c->out->id = journal_add(service->journal, v, s, role_of(c->g, v), 0, shadowed, latency);
    if (shadowed)
        shadow_add(service->shadow, c->g, c->r, c->out->id, s->said.count);
}

static void reply_scored(const Call *c, const Served *v, const Scorer *s, json_t *id)
{
    int64_t told = c->s->ids || c->r->ids ? c->out->id : 0;
    uint64_t dropped = 0;
    for (size_t i = 0; i < s->said.count; i++)
        dropped += !s->said.at[i].kept;
    if (dropped) /* what all threads count costs all of them */
        c->s->counter.dropped += dropped;
    c->s->counter.rows += s->said.count;
    if (is_infer(c->r)) {
        ServeModel about = v->about;
        about.name = c->g->name;
        reply_json(c->out, 200, answer_infer(s, &about, told, id));
        return;
    }
    c->out->code = 200;
    c->out->type = "application/json";
    answer_mlflow(s, told, &c->out->body);
}

/* What went wrong reading the request is the client's, what went wrong scoring is ours. */
static void answer_scored(const Call *c)
{
    Error err = {0};
    json_t *id = NULL;
    bool fault = false;
    double from = clock_now();
    Served *v = c->g->model;
    if (c->g->state == ROUTE_STOPPED) {
        reply_error(c->out, 503, "the deployment is stopped");
        return;
    }
    Scorer *s = served_take(v);
    if (c->pinned || c->g->candidate)
        choose(c, &v, &s);
    s->sample = c->s->journal ? c->g->sample : 0;
    s->masked = c->g->masked[v == c->g->candidate];
    bool ok = request_score(v, s, c->r, &id, &fault, &err);
    double took = clock_now() - from;
    if (ok) {
        note(c, v, s, took);
        reply_scored(c, v, s, id);
    } else {
        reply_error(c->out, err.kind == ERROR_SPACE ? 413 : fault ? 400 : 500, err.text);
    }
    memcpy(c->out->model, v->label, strnlen(v->label, sizeof c->out->model - 1));
    counter_time(&c->s->counter, took);
    if (v->traffic)
        traffic_count(&v->traffic->given, took, s->said.count, !ok && !fault);
    json_decref(id);
    served_give(v, s);
}

/* ---- feedback ------------------------------------------------------------------------------------------------- */

/* The truth of a private target is a value of it: it is not taken where it would be kept. */
static bool truth_is_private(const Call *c, const Served *v, const Bundle *b)
{
    const char *target = features_target(bundle_features(b));
    size_t at = schema_find(v->intake.schema, target);
    return at != SIZE_MAX && c->g->masked[v == c->g->candidate][at];
}

static void answer_feedback(const Call *c)
{
    Error err = {0};
    bool lines = c->r->type && strncasecmp(c->r->type, "application/json", 16) != 0;
    if (!c->s->journal) {
        reply_error(c->out, 503,
                    "nothing is logged here, so there is nothing to tell the truth of");
        return;
    }
    Ticket *t = mem_alloc(sizeof *t);
    Served *v = c->g->state == ROUTE_GREEN && c->g->candidate ? c->g->candidate : c->g->model;
    Scorer *s = served_take(v);
    TruthKind kind = truth_kind(bundle_features(s->bundle), &t->arena);
    bool private = truth_is_private(c, v, s->bundle);
    if (private)
        error_set(&err, ERROR_USAGE, "%s is private: its true values are not kept", kind.target);
    bool ok = !private && feedback_rows(&kind, c->r->body, c->r->size, lines, &t->arena, &t->row,
                                        &t->rows, &err);
    served_give(v, s);
    if (ok) {
        t->known = ARENA_NEW(&t->arena, bool, t->rows + 1);
        c->out->ticket = t;
        return;
    }
    reply_error(c->out, private ? 403 : 400, err.text);
    ticket_destroy(t); /* whose memory the text may name */
}

void endpoint_feedback(const Ticket *t, Reply *out)
{
    json_t *unknown = json_array();
    size_t known = 0;
    if (!t->ok) {
        json_decref(unknown);
        reply_error(out, 503, t->err.text);
        out->wait = 5;
        return;
    }
    for (size_t i = 0; i < t->rows; i++)
        if (t->known[i])
            known++;
        else if (json_array_size(unknown) < 100)
            json_array_append_new(unknown, json_sprintf("%lld", (long long)t->row[i].id));
    json_t *o = json_pack("{s:I, s:I}", "stored", (json_int_t)t->rows, "known", (json_int_t)known);
    if (json_array_size(unknown))
        json_object_set(o, "unknown", unknown);
    json_decref(unknown);
    reply_json(out, 200, o);
}

/* ---- the list ----------------------------------------------------------------------------------------------- */

static const Endpoint endpoints[] = {
    {"/invocations", true, "text/csv", false, answer_scored},
    {"/feedback", true, "application/x-ndjson", false, answer_feedback},
    {"/ping", false, NULL, true, answer_ping},
    {"/health", false, NULL, true, answer_ping},
    {"/version", false, NULL, true, answer_version},
    {"/metrics", false, NULL, false, answer_counts},
    {"/v2", false, NULL, false, answer_server},
    {"/v2/health/live", false, NULL, true, answer_live},
    {"/v2/health/ready", false, NULL, true, answer_ready},
    {"/v2/models/M", false, NULL, false, answer_model},
    {"/v2/models/M/ready", false, NULL, false, answer_ready},
    {"/v2/models/M/infer", true, NULL, false, answer_scored},
    {"/v2/models/M/versions/V", false, NULL, false, answer_model},
    {"/v2/models/M/versions/V/ready", false, NULL, false, answer_ready},
    {"/v2/models/M/versions/V/infer", true, NULL, false, answer_scored},
};

/* How much of path the name is; 0: it is another. */
static size_t name_at(const char *path, const char *name)
{
    size_t n = strlen(name);
    return !strncmp(path, name, n) && (path[n] == '/' || !path[n]) ? n : 0;
}

static size_t model_at(const char *path, const Routing *g)
{
    size_t n = name_at(path, g->name);
    return n ? n : name_at(path, g->model->about.name);
}

static size_t version_at(const char *path, const Routing *g, Served **pinned)
{
    Served *both[] = {g->model, g->candidate};
    for (size_t i = 0; i < 2; i++) {
        size_t n = both[i] ? name_at(path, both[i]->about.version) : 0;
        if (n) {
            *pinned = both[i];
            return n;
        }
    }
    return 0;
}

/* Is path what the pattern says, with the names of these models? */
static bool path_is(const char *pattern, const char *path, const Routing *g, Served **pinned)
{
    *pinned = NULL;
    for (; *pattern; pattern++) {
        bool name = *pattern == 'M' || *pattern == 'V';
        size_t n = *pattern == 'M'   ? model_at(path, g)
                   : *pattern == 'V' ? version_at(path, g, pinned)
                                     : 1;
        if (!n || (!name && *path != *pattern))
            return false;
        path += n;
    }
    return !*path || (path[0] == '/' && !path[1]);
}

static const Endpoint *find(const Routing *g, const char *path, Served **pinned)
{
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++)
        if (path_is(endpoints[i].path, path, g, pinned))
            return &endpoints[i];
    return NULL;
}

static void not_found(const Routing *g, const char *path, Reply *out)
{
    Text text = {0};
    text_printf(&text, "nothing at %.120s", path);
    if (text_starts(path, "/v2/models/")) {
        text_printf(&text, "; the model here is %s, version %s", g->name, g->model->about.version);
        if (g->candidate)
            text_printf(&text, " or %s", g->candidate->about.version);
    }
    reply_error(out, 404, text_str(&text));
    text_release(&text);
}

/* application/json, with or without charset=utf-8; v2 clients may leave it out. */
static bool type_is_read(const Endpoint *e, const Request *r)
{
    if (!r->type)
        return !e->also;
    size_t n = strcspn(r->type, "; ");
    const char *set = r->type[n] ? strcasestr(r->type, "charset=") : NULL;
    bool utf8 = !set || !strncasecmp(set + 8, "utf-8", 5) || !strncasecmp(set + 8, "\"utf-8", 6);
    bool json = n == 16 && !strncasecmp(r->type, "application/json", n);
    return utf8 && (json || (e->also && n == strlen(e->also) && !strncasecmp(r->type, e->also, n)));
}

static void refuse_type(const Endpoint *e, Reply *out)
{
    char text[120];
    snprintf(text, sizeof text, "Content-Type: expected application/json%s%s in UTF-8",
             e->also ? " or " : "", e->also ? e->also : "");
    reply_error(out, 415, text);
}

static bool accepts(Service *s, const Endpoint *e, const Routing *g, const Request *r, Reply *out)
{
    bool get = !strcmp(r->method, "GET") || !strcmp(r->method, "HEAD");
    if (!guard_admits(s->guard, r, e && e->open, out))
        return false;
    if (!e) {
        not_found(g, r->path, out);
        return false;
    }
    if (e->post ? strcmp(r->method, "POST") != 0 : !get) {
        reply_error(out, 405, e->post ? "expected POST" : "expected GET");
        out->allow = e->post ? "POST" : "GET, HEAD";
        return false;
    }
    if (e->post && !type_is_read(e, r)) {
        refuse_type(e, out);
        return false;
    }
    return true;
}

bool endpoint_accepts(Service *s, const Request *r, Reply *out)
{
    Served *pinned;
    Routing *g = service_routing(s);
    bool ok = accepts(s, find(g, r->path, &pinned), g, r, out);
    service_let_go(g);
    return ok;
}

void endpoint_answer(Service *s, const Request *r, Reply *out)
{
    Call c = {.s = s, .r = r, .out = out, .g = service_routing(s)};
    const Endpoint *e = find(c.g, r->path, &c.pinned);
    if (e)
        e->answer(&c);
    else
        not_found(c.g, r->path, out); /* a version that went while the body came */
    service_let_go(c.g);
}
