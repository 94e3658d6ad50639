/* serve_faults -- the server when things go wrong: killed under load, a full disk, a log that someone locks, a client
 * that sends a gigabyte. Nothing that was acknowledged is missing, the answers are clear, and service goes on. */
#include "unit/serve_world.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void nap(double seconds)
{
    nanosleep(
        &(struct timespec){(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)},
        NULL);
}

static int setup(void **state)
{
    void *world;
    if (world_setup(&world) != 0)
        return -1;
    World *w = world;
    int64_t run = submit(w, "linear", "FARE", "MILES,MINUTES", "epochs=1");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    *state = w;
    return 0;
}

typedef struct Child {
    pid_t pid;
    FILE *out;
    Served v; /* only its port */
} Child;

/* file_most: bytes a file may have, as a disk that is full; 0: any. */
static Child spawn(const World *w, rlim_t file_most)
{
    int ends[2];
    char line[300] = "";
    Child c = {0};
    assert_int_equal(pipe(ends), 0);
    c.pid = fork();
    if (c.pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        if (file_most)
            setrlimit(RLIMIT_FSIZE, &(struct rlimit){file_most, RLIM_INFINITY});
        execl(LATHE_PROGRAM, "lathe", "-w", w->dir, "serve", "listen=127.0.0.1:0", "threads=2",
              (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    c.out = fdopen(ends[0], "r");
    if (!fgets(line, sizeof line, c.out) || !strstr(line, "http://"))
        fail_msg("the server does not start: '%s'", line);
    c.v.port = atoi(strrchr(strstr(line, "http://"), ':') + 1);
    return c;
}

static int finish(Child *c, int signal)
{
    int status;
    kill(c->pid, signal);
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
    fclose(c->out);
    return status;
}

/* ---- a client that may be left alone in the middle --------------------------------------------------------- */

static int try_dial(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

/* One request on a connection that stays; the status, 0 if the other side is gone. */
static int exchange(int fd, const char *path, const char *body, char *reply, size_t size)
{
    Text request = {0};
    size_t n = 0;
    text_printf(&request,
                "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                "Content-Length: %zu\r\n\r\n%s",
                path, strlen(body), body);
    bool ok = put(fd, request.at, request.count);
    text_release(&request);
    reply[0] = 0;
    while (ok) {
        ssize_t got = recv(fd, reply + n, size - 1 - n, 0);
        if (got <= 0)
            return 0;
        n += (size_t)got;
        reply[n] = 0;
        const char *gap = strstr(reply, "\r\n\r\n"), *length = strstr(reply, "Content-Length: ");
        if (gap && length && strlen(gap + 4) >= strtoull(length + 16, NULL, 10))
            return atoi(reply + 9);
    }
    return 0;
}

typedef struct Teller {
    int port;
    VEC(int64_t) told; /* acknowledged */
    pthread_t thread;
} Teller;

/* Asks, tells the truth of the answer, and remembers what was acknowledged, until the server is gone. */
static void *tell(void *arg)
{
    Teller *t = arg;
    char reply[4096], body[120];
    int fd = try_dial(t->port);
    while (fd >= 0) {
        if (exchange(fd, "/invocations", "{\"instances\": [[1, 2]]}", reply, sizeof reply) != 200)
            break;
        const char *at = strstr(reply, "X-Lathe-Prediction: ");
        int64_t id = at ? atoll(at + 20) : 0;
        snprintf(body, sizeof body, "{\"id\": %lld, \"truth\": 5}", (long long)id);
        if (exchange(fd, "/feedback", body, reply, sizeof reply) != 200)
            break;
        vec_add(&t->told, id);
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static bool has_feedback(sqlite3 *db, int64_t id)
{
    sqlite3_stmt *q;
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT count(*) FROM feedback WHERE prediction = ?1", -1, &q, NULL),
        SQLITE_OK);
    sqlite3_bind_int64(q, 1, id);
    bool there = sqlite3_step(q) == SQLITE_ROW && sqlite3_column_int64(q, 0) == 1;
    sqlite3_finalize(q);
    return there;
}

static void killed_under_load(void **state)
{
    World *w = *state;
    Rng rng;
    size_t told = 0;
    rng_seed(&rng, 5, 0);
    for (int round = 0; round < 6; round++) {
        Teller t[3];
        sqlite3 *db;
        char path[120];
        Child c = spawn(w, 0);
        for (int i = 0; i < 3; i++) {
            t[i] = (Teller){.port = c.v.port};
            assert_int_equal(pthread_create(&t[i].thread, NULL, tell, &t[i]), 0);
        }
        nap(0.3 + 0.7 * rng_unit(&rng));
        finish(&c, SIGKILL);
        for (int i = 0; i < 3; i++)
            pthread_join(t[i].thread, NULL);
        snprintf(path, sizeof path, "%s/predictions.db", w->dir);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        for (int i = 0; i < 3; i++) {
            for (size_t k = 0; k < t[i].told.count; k++)
                assert_true(has_feedback(db, t[i].told.at[k]));
            told += t[i].told.count;
            vec_release(&t[i].told);
        }
        sqlite3_close(db);
    }
    assert_true(told > 20);
}

/* A limit on the size of files is a disk that is full: answers go on, truth is refused in one clear line. */
static void full_disk(void **state)
{
    World *w = *state;
    char reply[4096], body[200];
    Child c = spawn(w, 200 * 1024);
    int fd = try_dial(c.v.port), refused = 0;
    assert_true(fd >= 0);
    for (int i = 0; i < 3000 && !refused; i++) {
        assert_int_equal(exchange(fd, "/invocations",
                                  "{\"instances\": [[1, 2], [3, 4], [5, 6], [7, 8]]}", reply,
                                  sizeof reply),
                         200);
        if (i % 20 == 0) {
            snprintf(body, sizeof body, "{\"id\": %d, \"truth\": 5}", i + 1);
            int code = exchange(fd, "/feedback", body, reply, sizeof reply);
            refused += code == 503;
            assert_true(code == 200 || code == 503);
        }
    }
    assert_int_equal(refused, 1);
    assert_non_null(strstr(reply, "predictions.db: no space left"));
    assert_non_null(strstr(reply, "Retry-After: 5"));
    assert_int_equal(exchange(fd, "/invocations", "{\"instances\": [[1, 2]]}", reply, sizeof reply),
                     200);
    expect(&c.v, "GET", "/metrics", NULL, NULL, 200, "lathe_log_failures_total");
    close(fd);
    int status = finish(&c, SIGTERM);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void *tell_once(void *arg)
{
    Teller *t = arg;
    char reply[4096];
    int fd = try_dial(t->port);
    int code = exchange(fd, "/feedback", "{\"id\": 9, \"truth\": 5}", reply, sizeof reply);
    vec_add(&t->told, (int64_t)code);
    close(fd);
    return NULL;
}

/* While another program holds the log, answers come as ever; truth waits, and is told when it could not be kept. */
static void locked_log(void **state)
{
    World *w = *state;
    char path[120], reply[4096];
    sqlite3 *db;
    Child c = spawn(w, 0);
    snprintf(path, sizeof path, "%s/predictions.db", w->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    Teller t = {.port = c.v.port};
    assert_int_equal(pthread_create(&t.thread, NULL, tell_once, &t), 0);
    nap(0.3);
    int fd = try_dial(c.v.port);
    double from = clock_now();
    for (int i = 0; i < 50; i++)
        assert_int_equal(
            exchange(fd, "/invocations", "{\"instances\": [[1, 2]]}", reply, sizeof reply), 200);
    assert_true(clock_now() - from < 4);
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(db);
    pthread_join(t.thread, NULL);
    assert_int_equal(t.told.at[0], 200); /* it waited, and then it was there */
    vec_release(&t.told);
    close(fd);
    finish(&c, SIGTERM);
}

/* A gigabyte, said beforehand and not: refused at once, and no memory is taken for it. */
static void a_gigabyte(void **state)
{
    World *w = *state;
    Text reply = {0};
    Child c = spawn(w, 0);
    static const char said[] =
        "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Content-Length: 1073741824\r\n\r\n";
    static const char unsaid[] =
        "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n";
    char *block = calloc(1, 65536);
    memset(block, ' ', 65536);
    int fd = dial(&c.v);
    put(fd, said, strlen(said));
    get(fd, &reply);
    assert_int_equal(status_of(&reply), 413);
    fd = dial(&c.v);
    put(fd, unsaid, strlen(unsaid));
    size_t sent = 0;
    while (sent < (size_t)1 << 30 && put(fd, "10000\r\n", 7) && put(fd, block, 65536) &&
           put(fd, "\r\n", 2))
        sent += 65536;
    assert_true(sent < (size_t)100 << 20); /* cut off, not swallowed */
    close(fd);
    expect(&c.v, "POST", "/invocations", "application/json", "{\"instances\": [[1, 2]]}", 200,
           "predictions");
    expect(&c.v, "GET", "/metrics", NULL, NULL, 200, "lathe_requests_total{code=\"413\"} 2");
    char line[200];
    double kb = 0;
    snprintf(line, sizeof line, "/proc/%d/status", (int)c.pid);
    FILE *in = fopen(line, "r");
    while (in && fgets(line, sizeof line, in))
        sscanf(line, "VmHWM: %lf", &kb);
    fclose(in);
#ifndef LATHE_SANITIZED
    assert_true(kb < 300 * 1024);
#endif
    free(block);
    text_release(&reply);
    finish(&c, SIGTERM);
}

/* SIGHUP looks up the run anew: "last" is another one by now. */
static void hangup_reloads(void **state)
{
    World *w = *state;
    Text reply = {0};
    char before[80], after[80] = "";
    Child c = spawn(w, 0);
    ask(&c.v, "POST", "/invocations", "application/json", "{\"instances\": [[1, 2]]}", &reply);
    header_of(&reply, "X-Lathe-Model", before, sizeof before);
    int64_t run = submit(w, "linear", "FARE", "MILES,MINUTES", "epochs=2");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    nap(0.5);
    ask(&c.v, "POST", "/invocations", "application/json", "{\"instances\": [[1, 2]]}", &reply);
    header_of(&reply, "X-Lathe-Model", after, sizeof after);
    assert_string_equal(before, after);
    kill(c.pid, SIGHUP);
    for (int i = 0; i < 100 && !strcmp(before, after); i++, nap(0.05)) {
        assert_int_equal(ask(&c.v, "POST", "/invocations", "application/json",
                             "{\"instances\": [[1, 2]]}", &reply),
                         200);
        header_of(&reply, "X-Lathe-Model", after, sizeof after);
    }
    assert_string_not_equal(before, after);
    text_release(&reply);
    int status = finish(&c, SIGTERM);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed_under_load, setup, world_teardown),
        cmocka_unit_test_setup_teardown(full_disk, setup, world_teardown),
        cmocka_unit_test_setup_teardown(locked_log, setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_gigabyte, setup, world_teardown),
        cmocka_unit_test_setup_teardown(hangup_reloads, setup, world_teardown),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
