/* serve_world.h -- for tests of the server: one on a free port of loopback, and a client that says what it likes. */
#ifndef LATHE_TESTS_SERVE_WORLD_H
#define LATHE_TESTS_SERVE_WORLD_H

#include "train_world.h"

#include <lathe/serve.h>

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

typedef struct Served {
    World *w;
    const char *bundle;
    Server *server;
    int port;
    Progress progress;
    pthread_t watcher;
} Served;

static inline void *watch(void *arg)
{
    Served *v = arg;
    server_watch(v->server, &v->progress);
    return NULL;
}

static inline void options_of(World *w, const char *settings, ServeOptions *into)
{
    ServeOptions o;
    char copy[512], *save = NULL;
    params_init(serve_params, &o);
    OK(params_set(serve_params, &o, "listen", "127.0.0.1:0", &w->err));
    OK(params_set(serve_params, &o, "threads", "2", &w->err));
    snprintf(copy, sizeof copy, "%s", settings);
    for (char *pair = strtok_r(copy, " ", &save); pair; pair = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(pair, '=');
        *eq = 0;
        OK(params_set(serve_params, &o, pair, eq + 1, &w->err));
    }
    *into = o;
}

static inline bool opened(Served *v)
{
    if (!v->server)
        return false;
    v->port = atoi(strrchr(server_address(v->server), ':') + 1);
    v->progress = (Progress){0};
    return pthread_create(&v->watcher, NULL, watch, v) == 0;
}

static inline bool serve(Served *v, const char *bundle, const char *settings)
{
    ServeOptions o;
    options_of(v->w, settings, &o);
    v->server = server_open(&(ServeModel){bundle, "taxi", "3"}, &o, &v->w->err);
    params_release(serve_params, &o);
    return opened(v);
}

/* What a workspace says. */
static inline bool start(Served *v, const char *run, const char *deployment, const char *settings)
{
    ServeOptions o;
    options_of(v->w, settings, &o);
    v->server = server_start(&(ServeSource){v->w->dir, run, deployment}, &o, &v->w->err);
    params_release(serve_params, &o);
    return opened(v);
}

static inline ServeCounts end(Served *v)
{
    ServeCounts c;
    stop_ask(&v->progress.stop);
    pthread_join(v->watcher, NULL);
    server_close(v->server, &c);
    v->server = NULL;
    return c;
}

static inline const char *trained(World *w, const char *family, const char *target,
                                  const char *features, const char *settings)
{
    const char *path;
    int64_t run = submit(w, family, target, features, settings);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    OK(run_bundle_path(w->s, run, &w->a, &path, &w->err));
    return path;
}

/* ---- a client ------------------------------------------------------------------------------------------ */

static inline int dial(const Served *v)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)v->port)};
    struct timeval most = {.tv_sec = 20};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        fail_msg("connect: %s", strerror(errno));
    return fd;
}

static inline bool put(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t k = send(fd, bytes, n, MSG_NOSIGNAL);
        if (k <= 0)
            return false;
        bytes += k;
        n -= (size_t)k;
    }
    return true;
}

/* All that comes until the other side closes. */
static inline void get(int fd, Text *into)
{
    char part[4096];
    ssize_t n;
    text_reset(into);
    while ((n = recv(fd, part, sizeof part, 0)) > 0)
        text_add(into, part, (size_t)n);
    close(fd);
}

/* headers: further ones, each with its line end; or "" */
static inline void compose_with(Text *into, const char *headers, const char *method,
                                const char *path, const char *type, const char *body)
{
    text_reset(into);
    text_printf(into, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s", method, path,
                headers);
    if (type)
        text_printf(into, "Content-Type: %s\r\n", type);
    if (body)
        text_printf(into, "Content-Length: %zu\r\n", strlen(body));
    text_printf(into, "\r\n%s", body ? body : "");
}

static inline void compose(Text *into, const char *method, const char *path, const char *type,
                           const char *body)
{
    compose_with(into, "", method, path, type, body);
}

static inline int status_of(const Text *reply)
{
    int code = 0;
    return sscanf(text_str(reply), "HTTP/1.1 %d", &code) == 1 ? code : 0;
}

static inline const char *body_of(const Text *reply)
{
    const char *gap = strstr(text_str(reply), "\r\n\r\n");
    return gap ? gap + 4 : "";
}

static inline int ask_with(const Served *v, const char *headers, const char *method,
                           const char *path, const char *type, const char *body, Text *reply)
{
    Text request = {0};
    int fd = dial(v);
    compose_with(&request, headers, method, path, type, body);
    put(fd, request.at, request.count);
    get(fd, reply);
    text_release(&request);
    return status_of(reply);
}

static inline int ask(const Served *v, const char *method, const char *path, const char *type,
                      const char *body, Text *reply)
{
    return ask_with(v, "", method, path, type, body, reply);
}

/* What a header of the reply says; "" if it is not there. */
static inline void header_of(const Text *reply, const char *name, char *into, size_t size)
{
    char mark[80];
    snprintf(mark, sizeof mark, "\r\n%s: ", name);
    const char *at = strstr(text_str(reply), mark);
    snprintf(into, size, "%.*s", at ? (int)strcspn(at + strlen(mark), "\r") : 0,
             at ? at + strlen(mark) : "");
}

static inline void expect(const Served *v, const char *method, const char *path, const char *type,
                          const char *body, int code, const char *said)
{
    Text reply = {0};
    int got = ask(v, method, path, type, body, &reply);
    if (got != code || !strstr(text_str(&reply), said))
        fail_msg("%s %s: expected %d '%s', found '%.600s'", method, path, code, said,
                 text_str(&reply));
    text_release(&reply);
}

static inline json_t *expect_json(const Served *v, const char *path, const char *body)
{
    Text reply = {0};
    int got = ask(v, body ? "POST" : "GET", path, body ? "application/json" : NULL, body, &reply);
    json_t *o = json_loads(body_of(&reply), 0, NULL);
    if (got != 200 || !o)
        fail_msg("%s: '%.600s'", path, text_str(&reply));
    text_release(&reply);
    return o;
}

#endif
