/* endpoint.c -- path and method to the function that answers: one row an endpoint.
 *
 * Errors are {"error": "..."}: 400 what the request says is wrong (the field is named), 404 no such
 * path, 405 wrong method, 408 too slow, 413 too large, 415 not a type that is read, 500 ours. */
#include "serve_int.h"

#include <stdlib.h>
#include <string.h>

typedef struct Endpoint {
    const char *path; /* M and V stand for the model's name and version */
    bool post;
    bool csv; /* takes text/csv beside JSON */
    void (*answer)(Service *s, const Request *r, Reply *out);
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

static void answer_ping(Service *s, const Request *r, Reply *out)
{
    (void)s, (void)r;
    reply_text(out, "application/json", "\n");
}

static void answer_version(Service *s, const Request *r, Reply *out)
{
    (void)s, (void)r;
    reply_text(out, "text/plain", LATHE_VERSION);
}

static void answer_counts(Service *s, const Request *r, Reply *out)
{
    (void)r;
    out->code = 200;
    out->type = "text/plain; version=0.0.4; charset=utf-8";
    counter_print(&s->counter, &s->model, &out->body);
}

static void answer_server(Service *s, const Request *r, Reply *out)
{
    (void)s, (void)r;
    reply_json(
        out, 200,
        json_pack("{s:s, s:s, s:[]}", "name", "lathe", "version", LATHE_VERSION, "extensions"));
}

static void answer_live(Service *s, const Request *r, Reply *out)
{
    (void)s, (void)r;
    reply_json(out, 200, json_pack("{s:b}", "live", 1));
}

static void answer_ready(Service *s, const Request *r, Reply *out)
{
    (void)r;
    bool ready = !s->ending;
    reply_json(out, ready ? 200 : 503, json_pack("{s:b}", "ready", ready));
}

static void answer_model(Service *s, const Request *r, Reply *out)
{
    (void)r;
    Scorer *scorer = s->take(s);
    reply_json(out, 200, answer_metadata(scorer->bundle, &s->intake, &s->model));
    s->give(s, scorer);
}

/* What went wrong reading the request is the client's, what went wrong scoring is ours. */
static void scored(Service *s, Scorer *scorer, bool ok, bool fault, json_t *(*make)(const Scorer *),
                   const Error *err, Reply *out)
{
    if (!ok) {
        reply_error(out, err->kind == ERROR_SPACE ? 413 : fault ? 400 : 500, err->text);
        return;
    }
    for (size_t i = 0; i < scorer->said.count; i++)
        s->counter.dropped += !scorer->said.at[i].kept;
    s->counter.rows += scorer->said.count + scorer->rows;
    if (make)
        reply_json(out, 200, make(scorer));
}

static bool is_csv(const Request *r)
{
    return r->type && !strncasecmp(r->type, "text/csv", 8);
}

static void answer_invocations(Service *s, const Request *r, Reply *out)
{
    Error err = {0};
    Scorer *scorer = s->take(s);
    Chunk rows;
    bool fault = true, ok;
    out->timed = true;
    if (is_csv(r)) {
        ok = csv_score(&s->intake, scorer, r->body, r->size, &fault, &err);
    } else {
        ok = mlflow_rows(&s->intake, r->body, r->size, &scorer->arena, &rows, &err);
        fault = !ok;
        ok = ok && scorer_add(scorer, &rows, &err);
    }
    ok = ok && scorer_end(scorer, &err);
    fault =
        fault || scorer_forecasts(scorer); /* what can go wrong then is the past that was sent */
    scored(s, scorer, ok, fault, answer_mlflow, &err, out);
    s->give(s, scorer);
}

static void answer_inference(Service *s, const Request *r, Reply *out)
{
    Error err = {0};
    Scorer *scorer = s->take(s);
    Chunk rows;
    json_t *id = NULL;
    out->timed = true;
    bool ok = infer_rows(&s->intake, r->body, r->size, &scorer->arena, &rows, &id, &err);
    bool fault = !ok;
    ok = ok && scorer_add(scorer, &rows, &err) && scorer_end(scorer, &err);
    fault = fault || scorer_forecasts(scorer);
    scored(s, scorer, ok, fault, NULL, &err, out);
    if (ok)
        reply_json(out, 200, answer_infer(scorer, &s->model, id));
    json_decref(id);
    s->give(s, scorer);
}

/* ---- the list ----------------------------------------------------------------------------------------------- */

static const Endpoint endpoints[] = {
    {"/invocations", true, true, answer_invocations},
    {"/ping", false, false, answer_ping},
    {"/health", false, false, answer_ping},
    {"/version", false, false, answer_version},
    {"/metrics", false, false, answer_counts},
    {"/v2", false, false, answer_server},
    {"/v2/health/live", false, false, answer_live},
    {"/v2/health/ready", false, false, answer_ready},
    {"/v2/models/M", false, false, answer_model},
    {"/v2/models/M/ready", false, false, answer_ready},
    {"/v2/models/M/infer", true, false, answer_inference},
    {"/v2/models/M/versions/V", false, false, answer_model},
    {"/v2/models/M/versions/V/ready", false, false, answer_ready},
    {"/v2/models/M/versions/V/infer", true, false, answer_inference},
};

/* Is path what the pattern says, with the names of this model? */
static bool path_is(const char *pattern, const char *path, const ServeModel *m)
{
    while (*pattern) {
        const char *name = *pattern == 'M' ? m->name : *pattern == 'V' ? m->version : NULL;
        size_t n = name ? strlen(name) : 1;
        if (strncmp(path, name ? name : pattern, n) != 0)
            return false;
        path += n;
        pattern++;
    }
    return !*path || (path[0] == '/' && !path[1]);
}

static const Endpoint *find(const Service *s, const char *path)
{
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++)
        if (path_is(endpoints[i].path, path, &s->model))
            return &endpoints[i];
    return NULL;
}

static void not_found(const Service *s, const char *path, Reply *out)
{
    Text text = {0};
    bool model = text_starts(path, "/v2/models/");
    text_printf(&text, "nothing at %.120s", path);
    if (model)
        text_printf(&text, "; the model here is %s, version %s", s->model.name, s->model.version);
    reply_error(out, 404, text_str(&text));
    text_release(&text);
}

/* application/json, with or without charset=utf-8; v2 clients may leave it out. */
static bool type_is_read(const Endpoint *e, const Request *r)
{
    if (!r->type)
        return !e->csv;
    const char *set = strcasestr(r->type, "charset=");
    size_t n = strcspn(r->type, "; ");
    bool utf8 = !set || !strncasecmp(set + 8, "utf-8", 5) || !strncasecmp(set + 8, "\"utf-8", 6);
    bool json = n == 16 && !strncasecmp(r->type, "application/json", n);
    return utf8 && (json || (e->csv && n == 8 && is_csv(r)));
}

bool endpoint_accepts(Service *s, const Request *r, Reply *out)
{
    const Endpoint *e = find(s, r->path);
    bool get = !strcmp(r->method, "GET") || !strcmp(r->method, "HEAD");
    if (!e) {
        not_found(s, r->path, out);
        return false;
    }
    if (e->post ? strcmp(r->method, "POST") != 0 : !get) {
        reply_error(out, 405, e->post ? "expected POST" : "expected GET");
        out->allow = e->post ? "POST" : "GET, HEAD";
        return false;
    }
    if (e->post && !type_is_read(e, r)) {
        reply_error(out, 415,
                    e->csv ? "Content-Type: expected application/json or text/csv in UTF-8"
                           : "Content-Type: expected application/json in UTF-8");
        return false;
    }
    return true;
}

void endpoint_answer(Service *s, const Request *r, Reply *out)
{
    find(s, r->path)->answer(s, r, out);
}
