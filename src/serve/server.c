/* server.c -- connections and threads: libmicrohttpd's events to requests, replies and limits.
 *
 * Each of libmicrohttpd's threads serves the connections that it took; while one of them is answered
 * it holds a Scorer, of which there are as many as threads. A Visitor is one connection: the request
 * that is coming in and since when. server_watch looks at all of them ten times a second and shows
 * out who takes longer than `patience`, whether in the headers or in the body.
 *
 * The end: no new connections, requests under way are answered (with Connection: close), then the
 * rest is cut. A connection that is idle between two requests does not hold up the end. */
#include "serve_int.h"

#include <assert.h>
#include <math.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BODY_KEPT (1 << 20) /* bytes of memory that a connection keeps between requests */

typedef enum Stage { STAGE_IDLE, STAGE_COMING, STAGE_ANSWERED } Stage;

typedef struct Visitor {
    struct Visitor *next, *before; /* guarded by the server's lock */
    int fd;
    _Atomic double since; /* when the connection came, or its last request was done */
    _Atomic int stage;    /* Stage */
    atomic_bool shown_out;
    Text body; /* this and the rest: only the thread of the connection */
    bool here; /* a request is under way */
} Visitor;

struct Server {
    Service service; /* first: endpoint.c knows no more of a server */
    struct MHD_Daemon *daemon;
    char address[80];
    size_t body_most;
    double patience, drain;
    size_t scorers;
    Scorer *scorer; /* [scorers] */
    pthread_mutex_t lock;
    Scorer *free;      /* guarded by lock */
    Visitor *visitors; /* guarded by lock */
};

const Param serve_params[] = {
    PARAM_TEXT(ServeOptions, listen, "listen", "127.0.0.1:8808",
               "loopback address and port; port 0: a free one"),
    PARAM_INT(ServeOptions, threads, "threads", 0, 0, 256, "threads",
              "requests scored at once; 0: as many as there are cores"),
    PARAM_INT(ServeOptions, connections, "connections", 256, 1, 10000, "connections",
              "open at once; more wait"),
    PARAM_REAL(ServeOptions, body, "body", 4, 0.001, 1024, "MB", "largest request; 413 beyond"),
    PARAM_REAL(ServeOptions, patience, "patience", 10, 0.1, 3600, "s",
               "until a request must be here whole; 408 beyond"),
    PARAM_REAL(ServeOptions, drain, "drain", 5, 0, 600, "s",
               "that requests under way have when the server ends"),
    PARAM_END,
};

/* ---- scorers ----------------------------------------------------------------------------------------- */

static Scorer *scorer_take(Service *service)
{
    Server *s = (Server *)service;
    pthread_mutex_lock(&s->lock);
    Scorer *scorer = s->free;
    assert(scorer && "as many scorers as threads");
    s->free = scorer->next;
    pthread_mutex_unlock(&s->lock);
    return scorer;
}

static void scorer_give(Service *service, Scorer *scorer)
{
    Server *s = (Server *)service;
    scorer_reset(scorer);
    pthread_mutex_lock(&s->lock);
    scorer->next = s->free;
    s->free = scorer;
    pthread_mutex_unlock(&s->lock);
}

static bool open_scorers(Server *s, const char *dir, size_t count, Error *err)
{
    s->scorer = mem_alloc(count * sizeof *s->scorer);
    for (; s->scorers < count; s->scorers++) {
        Scorer *scorer = &s->scorer[s->scorers];
        scorer->bundle = bundle_open(dir, NULL, err);
        if (!scorer->bundle)
            return false;
        scorer->next = s->free;
        s->free = scorer;
    }
    return true;
}

/* ---- visitors ----------------------------------------------------------------------------------------- */

static void visitor_come(Server *s, struct MHD_Connection *c, void **context)
{
    Visitor *v = mem_alloc(sizeof *v);
    v->fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    v->since = clock_now();
    *context = v;
    pthread_mutex_lock(&s->lock);
    v->next = s->visitors;
    if (v->next)
        v->next->before = v;
    s->visitors = v;
    pthread_mutex_unlock(&s->lock);
    s->service.counter.open++;
}

static void visitor_go(Server *s, Visitor *v)
{
    pthread_mutex_lock(&s->lock);
    *(v->before ? &v->before->next : &s->visitors) = v->next;
    if (v->next)
        v->next->before = v->before;
    pthread_mutex_unlock(&s->lock);
    text_release(&v->body);
    mem_free(v);
    s->service.counter.open--;
}

static void on_connection(void *context, struct MHD_Connection *c, void **visitor,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        visitor_come(context, c, visitor);
    else
        visitor_go(context, *visitor);
}

/* libmicrohttpd cannot answer in the middle of a request; this does, and the connection ends. */
static void show_out(Server *s, Visitor *v, unsigned code, const char *status, const char *text)
{
    Reply reply = {0};
    char whole[512];
    if (atomic_exchange(&v->shown_out, true))
        return;
    reply_error(&reply, code, text);
    int n = snprintf(whole, sizeof whole,
                     "HTTP/1.1 %u %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n%s",
                     code, status, reply.body.count, text_str(&reply.body));
    send(v->fd, whole, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(v->fd, SHUT_RDWR);
    text_release(&reply.body);
    s->service.counter.code[code]++;
}

static void show_out_the_slow(Server *s)
{
    double now = clock_now();
    pthread_mutex_lock(&s->lock); /* visitors leave under it: a descriptor here is theirs */
    for (Visitor *v = s->visitors; v; v = v->next)
        if (v->stage != STAGE_ANSWERED && now - v->since > s->patience) {
            if (v->stage == STAGE_COMING)
                show_out(s, v, 408, "Request Timeout", "the request took too long to arrive");
            else
                shutdown(v->fd, SHUT_RDWR);
        }
    pthread_mutex_unlock(&s->lock);
}

/* ---- requests --------------------------------------------------------------------------------------------- */

static enum MHD_Result send_reply(Server *s, Visitor *v, struct MHD_Connection *c, Reply *r)
{
    size_t n = r->body.count;
    v->stage = STAGE_ANSWERED;
    s->service.counter.code[r->code]++;
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(n, text_take(&r->body), mem_free);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r->type);
    if (r->allow)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, r->allow);
    if (s->service.ending)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result result = MHD_queue_response(c, r->code, response);
    MHD_destroy_response(response);
    return result;
}

static Request request_of(const Visitor *v, struct MHD_Connection *c, const char *path,
                          const char *method)
{
    return (Request){
        .method = method,
        .path = path,
        .type = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE),
        .body = text_str(&v->body),
        .size = v->body.count};
}

static bool too_large(const Server *s, struct MHD_Connection *c)
{
    int64_t n;
    const char *length =
        MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return length &&
           (!text_to_int(length, strlen(length), &n) || n < 0 || (uint64_t)n > s->body_most);
}

static void say_too_large(const Server *s, Text *into)
{
    text_puts(into, "the request is larger than ");
    text_add_bytes(into, (double)s->body_most);
}

/* The headers are here. */
static enum MHD_Result begin(Server *s, Visitor *v, struct MHD_Connection *c, const Request *r)
{
    Reply reply = {0};
    v->here = true;
    v->stage = STAGE_COMING;
    s->service.counter.busy++;
    if (!endpoint_accepts(&s->service, r, &reply))
        return send_reply(s, v, c, &reply);
    if (!too_large(s, c))
        return MHD_YES;
    Text text = {0};
    say_too_large(s, &text);
    reply_error(&reply, 413, text_str(&text));
    text_release(&text);
    return send_reply(s, v, c, &reply);
}

static enum MHD_Result more_body(Server *s, Visitor *v, const char *bytes, size_t *n)
{
    if (v->body.count + *n > s->body_most) { /* came without a length */
        Text text = {0};
        say_too_large(s, &text);
        show_out(s, v, 413, "Content Too Large", text_str(&text));
        text_release(&text);
        return MHD_NO;
    }
    text_add(&v->body, bytes, *n);
    *n = 0;
    return MHD_YES;
}

static enum MHD_Result answer(Server *s, Visitor *v, struct MHD_Connection *c, const Request *r)
{
    Reply reply = {0};
    double from = clock_now();
    v->stage = STAGE_ANSWERED; /* it is here: the rest of the time is ours */
    endpoint_answer(&s->service, r, &reply);
    if (reply.timed)
        counter_time(&s->service.counter, clock_now() - from);
    return send_reply(s, v, c, &reply);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *c, const char *path,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *n, void **under_way)
{
    Server *s = context;
    Visitor *v = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    Request r = request_of(v, c, path, method);
    (void)version;
    *under_way = v;
    if (!v->here)
        return begin(s, v, c, &r);
    return *n ? more_body(s, v, bytes, n) : answer(s, v, c, &r);
}

static void on_completed(void *context, struct MHD_Connection *c, void **under_way,
                         enum MHD_RequestTerminationCode why)
{
    Server *s = context;
    Visitor *v = *under_way;
    (void)c, (void)why;
    if (!v || !v->here)
        return;
    v->here = false;
    v->since = clock_now();
    v->stage = STAGE_IDLE;
    if (v->body.room > BODY_KEPT)
        text_release(&v->body);
    text_reset(&v->body);
    s->service.counter.busy--;
}

/* ---- from beginning to end --------------------------------------------------------------------------------- */

static bool open_model(Server *s, const ServeModel *model, size_t threads, Error *err)
{
    if (!open_scorers(s, model->dir, threads, err))
        return false;
    const Bundle *b = s->scorer[0].bundle;
    if (!features_target(bundle_features(b)))
        return error_set(err, ERROR_USAGE, "%s: the model has no target to predict", model->dir);
    intake_init(&s->service.intake, bundle_schema(b));
    intake_narrow(&s->service.intake, b);
    return true;
}

static bool start(Server *s, int fd, size_t threads, const ServeOptions *o, Error *err)
{
    unsigned connections = (unsigned)o->connections;
    if (connections < threads)
        connections = (unsigned)threads; /* each thread takes its share of them */
    s->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_request, s,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)threads,
        MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(ceil(o->patience) + 1), MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
    if (s->daemon)
        return true;
    close(fd);
    return error_set(err, ERROR_IO, "could not start the server's threads on %s", s->address);
}

Server *server_open(const ServeModel *model, const ServeOptions *options, Error *err)
{
    Server *s = mem_alloc(sizeof *s);
    Service *service = &s->service;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t threads = options->threads ? (size_t)options->threads : cores > 0 ? (size_t)cores : 1;
    s->body_most = (size_t)(options->body * 1e6);
    s->patience = options->patience;
    s->drain = options->drain;
    service->model = (ServeModel){.dir = text_copy(model->dir),
                                  .name = text_copy(model->name),
                                  .version = text_copy(model->version)};
    service->take = scorer_take;
    service->give = scorer_give;
    pthread_mutex_init(&s->lock, NULL);
    int fd = -1;
    bool ok = (fd = listen_open(options->listen, s->address, err)) >= 0;
    if (ok && !open_model(s, model, threads, err)) {
        close(fd);
        ok = false;
    }
    if (ok && start(s, fd, threads, options, err))
        return s;
    server_close(s, NULL);
    return NULL;
}

static void nap(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds,
                         .tv_nsec = (long)((seconds - floor(seconds)) * 1e9)};
    nanosleep(&t, NULL);
}

void server_watch(Server *s, Progress *p)
{
    uint64_t told = 0;
    progress_begin(p, "serving", "requests", 0);
    while (!progress_stopped(p)) {
        ServeCounts now;
        show_out_the_slow(s);
        server_counts(s, &now);
        progress_add(p, now.requests - told);
        told = now.requests;
        nap(0.1);
    }
}

void server_counts(const Server *s, ServeCounts *out)
{
    const Counter *c = &s->service.counter;
    *out = (ServeCounts){.rows = c->rows, .dropped = c->dropped};
    for (size_t code = 0; code < COUNT_CODES; code++) {
        out->requests += c->code[code];
        out->errors += code >= 400 ? c->code[code] : 0;
    }
}

const char *server_address(const Server *s)
{
    return s->address;
}

/* Until nothing was under way for a moment: what the system has just handed over is seen as well. */
static void drain(Server *s)
{
    double until = clock_now() + s->drain;
    for (int quiet = 0; quiet < 3 && clock_now() < until;) {
        nap(0.02);
        quiet = s->service.counter.busy ? 0 : quiet + 1;
    }
}

void server_close(Server *s, ServeCounts *out)
{
    if (!s)
        return;
    s->service.ending = true;
    if (s->daemon) {
        MHD_socket fd = MHD_quiesce_daemon(s->daemon);
        drain(s);
        MHD_stop_daemon(s->daemon);
        if (fd != MHD_INVALID_SOCKET)
            close(fd);
    }
    if (out)
        server_counts(s, out);
    for (size_t i = 0; i < s->scorers; i++) {
        bundle_close(s->scorer[i].bundle);
        arena_release(&s->scorer[i].arena);
        vec_release(&s->scorer[i].said);
    }
    mem_free(s->scorer);
    intake_release(&s->service.intake);
    mem_free((char *)(uintptr_t)s->service.model.dir);
    mem_free((char *)(uintptr_t)s->service.model.name);
    mem_free((char *)(uintptr_t)s->service.model.version);
    pthread_mutex_destroy(&s->lock);
    mem_free(s);
}
