/* server.c -- connections and threads: libmicrohttpd's events to requests, replies and limits.
 *
 * One thread takes connections in and deals them out to libmicrohttpd's threads in turn: left to themselves, the
 * one that wakes first takes most of them, and the other cores stand idle (measured: 178 to 39).
 * Each of libmicrohttpd's threads serves the connections that it took; while one of them is answered
 * it holds a Scorer, of which there are as many as threads. Feedback is answered when it is on disk: until
 * then its connection is suspended and its thread free. A Visitor is one connection: the request
 * that is coming in and since when. server_watch looks at all of them ten times a second and shows
 * out who takes longer than `patience`, whether in the headers or in the body.
 *
 * The end: no new connections, requests under way are answered (with Connection: close), then the
 * rest is cut. A connection that is idle between two requests does not hold up the end. */
#include "serve_int.h"

#include <errno.h>
#include <math.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BODY_KEPT (1 << 20) /* bytes of memory that a connection keeps between requests */
#define HEAD_MOST                                                                                  \
    (8 << 10) /* bytes of a request's line and headers; libmicrohttpd clears as many after each */

typedef enum Stage { STAGE_IDLE, STAGE_COMING, STAGE_ANSWERED } Stage;

typedef struct Visitor {
    struct Visitor *next, *before; /* guarded by the server's lock */
    int fd;
    _Atomic double since; /* when the connection came, a request began, or the last one was done */
    _Atomic int stage;    /* Stage */
    atomic_bool shown_out;
    Text body;        /* this and the rest: only the thread of the connection */
    bool here;        /* a request is under way, */
    const char *type; /* its Content-Type, or NULL */
    Ticket *ticket;   /* waits for the disk, or is back */
} Visitor;

struct Server {
    Service service; /* first: endpoint.c knows no more of a server */
    struct MHD_Daemon *daemon;
    int fd; /* that listens; -1: no more */
    pthread_t door;
    bool open; /* the thread at the door is there */
    atomic_bool closing;
    int64_t connections_most;
    char address[80];
    size_t body_most;
    double patience, drain;
    bool tls;
    Text cert, key;
    Follower *follower; /* NULL: one bundle, no workspace */
    pthread_mutex_t lock;
    Visitor *visitors; /* guarded by lock */
};

static const char *const token_names[] = {"auto", "yes", "no", NULL};

const Param serve_params[] = {
    PARAM_TEXT(
        ServeOptions, listen, "listen", "127.0.0.1:8808",
        "address and port; port 0: a free one. Beyond loopback only with cert, key and a token"),
    PARAM_TEXT(ServeOptions, cert, "cert", "",
               "PEM file with the certificate (and its chain): TLS"),
    PARAM_TEXT(ServeOptions, key, "key", "", "PEM file with the certificate's key"),
    PARAM_PICK(
        ServeOptions, tokens, "tokens", 0, token_names,
        "who must show one: auto, all beyond loopback; yes, all; no, nobody (loopback only)"),
    PARAM_REAL(ServeOptions, rate, "rate", 0, 0, 1e6, "requests/s",
               "of one token or address; 429 beyond; 0: any number"),
    PARAM_INT(ServeOptions, threads, "threads", 0, 0, 256, "threads",
              "requests scored at once; 0: as many as there are cores"),
    PARAM_INT(ServeOptions, connections, "connections", 256, 1, 10000, "connections",
              "open at once; more wait"),
    PARAM_REAL(ServeOptions, body, "body", 4, 0.001, 1024, "MB", "largest request; 413 beyond"),
    PARAM_REAL(ServeOptions, patience, "patience", 10, 0.1, 3600, "s",
               "until a request must be here whole; 408 beyond"),
    PARAM_REAL(ServeOptions, drain, "drain", 5, 0, 600, "s",
               "that requests under way have when the server ends"),
    PARAM_BOOL(ServeOptions, ids, "ids", 0, "ids of the predictions in the answers' JSON, too"),
    PARAM_REAL(ServeOptions, sample, "sample", 1, 0, 1, "",
               "share of the predictions that are logged; a deployment's own goes first"),
    PARAM_REAL(ServeOptions, log_mb, "log_mb", 1024, 1, 1e9, "MB",
               "size of the log, the oldest go first; a deployment's own goes first"),
    PARAM_BOOL(ServeOptions, detect, "detect", 1,
               "detectors on inputs, predictions and errors: alerts, and counts in /metrics"),
    PARAM_TEXT(ServeOptions, mask, "mask", "",
               "private columns A,B, which are *** in the log; a deployment's own goes first"),
    PARAM_END,
};

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
    ticket_destroy(v->ticket);
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
    if (!s->tls) /* nothing can be put between the records of another's session */
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

/* Which model, which prediction, when to come again. */
static void add_facts(struct MHD_Response *response, const Reply *r)
{
    Text number = {0};
    if (*r->model)
        MHD_add_response_header(response, "X-Lathe-Model", r->model);
    if (r->id) {
        text_add_int(&number, r->id);
        MHD_add_response_header(response, "X-Lathe-Prediction", text_str(&number));
    }
    if (r->wait) {
        text_reset(&number);
        text_add_int(&number, r->wait);
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, text_str(&number));
    }
    text_release(&number);
    if (r->code == 401)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
}

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
    add_facts(response, r);
    if (s->service.ending)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result result = MHD_queue_response(c, r->code, response);
    MHD_destroy_response(response);
    return result;
}

static const char *header(struct MHD_Connection *c, const char *name)
{
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static Request request_of(const Server *s, const Visitor *v, struct MHD_Connection *c,
                          const char *path, const char *method)
{
    Request r = {.method = method,
                 .path = path,
                 .type = v->here ? v->type : header(c, MHD_HTTP_HEADER_CONTENT_TYPE),
                 .body = text_str(&v->body),
                 .size = v->body.count};
    if (!v->here && s->service.guard) {
        r.authorization = header(c, MHD_HTTP_HEADER_AUTHORIZATION);
        r.from = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    }
    if (v->here && !s->service.ids) {
        const char *ids = header(c, "X-Lathe-Ids");
        r.ids = ids && strcmp(ids, "no") != 0;
    }
    return r;
}

static bool too_large(const Server *s, struct MHD_Connection *c)
{
    int64_t n;
    const char *length = header(c, MHD_HTTP_HEADER_CONTENT_LENGTH);
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
    v->type = r->type;
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

static void wake(void *context)
{
    MHD_resume_connection(context);
}

/* The journal's thread wakes the connection, whose thread then comes by answer() again. */
static bool wait_for_disk(Server *s, Visitor *v, struct MHD_Connection *c, Ticket *t)
{
    v->ticket = t;
    t->wake = wake;
    t->context = c;
    MHD_suspend_connection(c);
    if (journal_feedback(s->service.journal, t))
        return true;
    error_set(&t->err, ERROR_STOP, "the server ends");
    MHD_resume_connection(c);
    return true;
}

static enum MHD_Result answer(Server *s, Visitor *v, struct MHD_Connection *c, const Request *r)
{
    Reply reply = {0};
    v->stage = STAGE_ANSWERED; /* it is here: the rest of the time is ours */
    if (v->ticket) {
        endpoint_feedback(v->ticket, &reply);
        ticket_destroy(v->ticket);
        v->ticket = NULL;
        return send_reply(s, v, c, &reply);
    }
    endpoint_answer(&s->service, r, &reply);
    if (reply.ticket && wait_for_disk(s, v, c, reply.ticket))
        return MHD_YES;
    return send_reply(s, v, c, &reply);
}

/* The request's line is here: from now on it is late, not idle. */
static void *on_line(void *context, const char *line, struct MHD_Connection *c)
{
    Visitor *v = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    (void)context, (void)line;
    v->since = clock_now();
    v->stage = STAGE_COMING;
    return v;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *c, const char *path,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *n, void **under_way)
{
    Server *s = context;
    Visitor *v = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    (void)version;
    *under_way = v;
    if (v->here && *n)
        return more_body(s, v, bytes, n);
    Request r = request_of(s, v, c, path, method);
    return v->here ? answer(s, v, c, &r) : begin(s, v, c, &r);
}

static void on_completed(void *context, struct MHD_Connection *c, void **under_way,
                         enum MHD_RequestTerminationCode why)
{
    Server *s = context;
    Visitor *v = *under_way;
    (void)c, (void)why;
    if (!v)
        return;
    v->since = clock_now();
    v->stage = STAGE_IDLE;
    if (!v->here) /* libmicrohttpd has refused it */
        return;
    v->here = false;
    if (v->body.room > BODY_KEPT)
        text_release(&v->body);
    text_reset(&v->body);
    s->service.counter.busy--;
}

/* ---- from beginning to end --------------------------------------------------------------------------------- */

/* TLS, and whether tokens are asked for. */
static bool secure(Server *s, const ServeOptions *o, bool *tokens, bool *loopback, Error *err)
{
    static const size_t most = 1 << 20;
    if (!listen_is_loopback(o->listen, loopback, err))
        return false;
    if (!*o->cert != !*o->key)
        return error_set(err, ERROR_USAGE, "TLS needs both cert=FILE and key=FILE");
    s->tls = *o->cert != 0;
    *tokens = o->tokens == 1 || (o->tokens == 0 && !*loopback);
    if (s->tls && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return error_set(err, ERROR_USAGE, "this build of libmicrohttpd has no TLS");
    if (s->tls &&
        (!file_read(o->cert, &s->cert, most, err) || !file_read(o->key, &s->key, most, err)))
        return false;
    return true;
}

static void nap(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds,
                         .tv_nsec = (long)((seconds - floor(seconds)) * 1e9)};
    nanosleep(&t, NULL);
}

/* ---- the door --------------------------------------------------------------------------------------------- */

static void take_in(Server *s)
{
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    int fd = accept4(s->fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        MHD_add_connection(s->daemon, fd, (struct sockaddr *)&from,
                           size); /* closes it if it fails */
    else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        nap(0.01); /* who waits is taken in when others have left */
}

static void *stand_at_door(void *arg)
{
    Server *s = arg;
    while (!s->closing) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        if (s->service.counter.open >= s->connections_most)
            nap(0.002); /* they wait in the system's queue */
        else if (poll(&p, 1, 50) > 0)
            take_in(s);
    }
    return NULL;
}

/* Those whom the system has already greeted are taken in as well. */
static void close_door(Server *s)
{
    s->closing = true;
    if (s->open) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        pthread_join(s->door, NULL);
        while (poll(&p, 1, 0) > 0 && s->service.counter.open < s->connections_most)
            take_in(s);
    }
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

static bool start(Server *s, const ServeOptions *o, Error *err)
{
    size_t threads = s->service.threads;
    unsigned connections = (unsigned)o->connections;
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET;
    s->connections_most = o->connections;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)text_str(&s->cert)},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)text_str(&s->key)},
        {MHD_OPTION_HTTPS_PRIORITIES, 0,
         (void *)(uintptr_t) "SECURE128:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3"},
        {MHD_OPTION_END, 0, NULL}};
    /* each thread has its share of the limit; the door keeps the whole */
    s->daemon = MHD_start_daemon(
        flags | (s->tls ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, s,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)threads, MHD_OPTION_CONNECTION_LIMIT,
        (connections + 16) * (unsigned)threads, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEAD_MOST, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(ceil(o->patience) + 1),
        MHD_OPTION_URI_LOG_CALLBACK, on_line, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_ARRAY, s->tls ? tls : tls + 3,
        MHD_OPTION_END);
    if (!s->daemon)
        return error_set(err, ERROR_IO,
                         s->tls
                             ? "could not start TLS on %s: are %s and %s a certificate and its key?"
                             : "could not start the server's threads on %s",
                         s->address, o->cert, o->key);
    s->open = pthread_create(&s->door, NULL, stand_at_door, s) == 0;
    return s->open ||
           error_set(err, ERROR_SPACE, "could not start the thread that takes connections");
}

static Server *create(const ServeOptions *o)
{
    Server *s = mem_alloc(sizeof *s);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    s->service.threads = o->threads ? (size_t)o->threads : cores > 0 ? (size_t)cores : 1;
    s->service.ids = o->ids;
    s->fd = -1;
    s->body_most = (size_t)(o->body * 1e6);
    s->patience = o->patience;
    s->drain = o->drain;
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->service.lock, NULL);
    return s;
}

static bool open_bundle(Server *s, const ServeModel *model, const ServeOptions *o, Error *err)
{
    Served *v = served_open(model, 0, s->service.threads, err);
    RouteSettings set = {0, o->log_mb, "", ""};
    s->service.routing = v ? routing_create(model->name, ROUTE_LIVE, v, NULL, &set, err) : NULL;
    return s->service.routing != NULL;
}

static bool open_workspace(Server *s, const ServeSource *source, const ServeOptions *o, Error *err)
{
    Service *service = &s->service;
    Text path = {0};
    text_printf(&path, "%s/lathe.log", source->workspace);
    s->follower = follower_open(service, source, o, err);
    if (s->follower)
        service->log = log_open(text_str(&path), LOG_INFO, NULL);
    text_release(&path);
    if (!s->follower)
        return false;
    bool deployed = source->deployment && *source->deployment;
    if (follower_log_name(s->follower))
        service->journal = journal_open(source->workspace, follower_log_name(s->follower),
                                        o->detect, service, err);
    if (deployed && service->journal)
        service->shadow = shadow_open(service);
    return service->journal || !follower_log_name(s->follower);
}

static Server *open_any(const ServeModel *model, const ServeSource *source, const ServeOptions *o,
                        Error *err)
{
    Server *s = create(o);
    bool tokens = false, loopback = true;
    bool ok = secure(s, o, &tokens, &loopback, err);
    ok = ok && (s->fd = listen_open(o->listen, s->tls && tokens && source, s->address, err)) >= 0;
    if (ok && (tokens || o->rate > 0))
        ok = (s->service.guard =
                  guard_open(source ? source->workspace : NULL, tokens, o->rate, err)) != NULL;
    ok = ok && (source ? open_workspace(s, source, o, err) : open_bundle(s, model, o, err));
    if (ok && start(s, o, err) && (!s->follower || follower_start(s->follower, s->address, err)))
        return s;
    server_close(s, NULL);
    return NULL;
}

Server *server_open(const ServeModel *model, const ServeOptions *options, Error *err)
{
    return open_any(model, NULL, options, err);
}

Server *server_start(const ServeSource *source, const ServeOptions *options, Error *err)
{
    return open_any(NULL, source, options, err);
}

const char *server_about(const Server *s)
{
    return s->follower ? follower_about(s->follower) : s->service.routing->name;
}

bool server_secure(const Server *s)
{
    return s->tls;
}

void server_reload(Server *s)
{
    follower_reload(s->follower);
}

/* A tenth of a second, less if a SIGHUP comes that this thread holds back for us. */
static bool nap_or_hangup(void)
{
    sigset_t blocked, hangup;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    if (sigismember(&blocked, SIGHUP) != 1) {
        nap(0.1);
        return false;
    }
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    return sigtimedwait(&hangup, NULL, &(struct timespec){.tv_nsec = 100000000}) == SIGHUP;
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
        if (nap_or_hangup())
            server_reload(s);
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
static void drain(Server *s, double seconds)
{
    double until = clock_now() + seconds;
    for (int quiet = 0; quiet < 3 && clock_now() < until;) {
        nap(0.02);
        quiet = s->service.counter.busy ? 0 : quiet + 1;
    }
}

static void release_traffic(Service *s)
{
    for (size_t i = 0; i < s->traffics; i++) {
        Traffic *t = &s->traffic[i];
        for (size_t k = 0; k < t->columns; k++)
            mem_free(t->column[k]);
        mem_free(t->label);
        detect_destroy(t->detect);
    }
}

void server_close(Server *s, ServeCounts *out)
{
    if (!s)
        return;
    Service *service = &s->service;
    ServeCounts counts;
    service->ending = true;
    close_door(s);
    if (s->daemon) {
        drain(s, s->drain);
        journal_end(service->journal); /* who waits for the disk is woken ... */
        drain(s, 0.5);                 /* ... and answered */
        MHD_stop_daemon(s->daemon);
    }
    server_counts(s, &counts);
    if (out)
        *out = counts;
    shadow_close(service->shadow);
    journal_close(service->journal);
    follower_close(s->follower, &counts);
    routing_destroy(service->routing);
    guard_close(service->guard);
    release_traffic(service);
    log_close(service->log);
    text_release(&s->cert);
    text_release(&s->key);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&service->lock);
    mem_free(s);
}
