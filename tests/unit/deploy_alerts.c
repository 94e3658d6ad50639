/* deploy_alerts -- an alert told to a command and to a webhook: what they get, what words cannot do, and how long
 * it may take. */
#include "deploy/watch_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lathe/remote.h>

/* What someone might send as a value, hoping that a shell sees it. */
#define EVIL "$(touch PWNED) `touch PWNED`; touch PWNED '\" \\ \n%s"

static const AlertRow evil = {.id = 7, .deployment = "fares", .subject = EVIL, .kind = "drift", .text = EVIL,
                              .detail = "{\"rows\":500}", .state = "raised", .raised = 1000000, .last = 1000000,
                              .count = 1, .actor = ""};

static int setup(void **state)
{
    char *dir = text_copy("/tmp/lathe-alerts-XXXXXX");
    *state = dir;
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    dir_remove(*state, NULL);
    mem_free(*state);
    return 0;
}

static void read_in(const char *dir, const char *name, Text *into)
{
    char path[200];
    Error err = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (!file_read(path, into, 1 << 20, &err))
        fail_msg("%s", err.text);
}

static void a_command_gets_it_and_runs_no_word_of_it(void **state)
{
    char command[400], path[200];
    Error err = {0};
    Text got = {0};
    snprintf(command, sizeof command,
             "cd %s && cat /dev/stdin > in && printf '%%s\\n' \"$LATHE_ALERT\" \"$LATHE_KIND\" \"$LATHE_TEXT\" > env",
             (char *)*state);
    AlertSinks to = {.command = command, .seconds = 10};
    if (!alert_tell(&to, &evil, &err))
        fail_msg("%s", err.text);
    read_in(*state, "in", &got);
    json_t *o = json_loads(text_str(&got), 0, NULL);
    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(o, "text")), EVIL);
    assert_int_equal(json_integer_value(json_object_get(o, "id")), 7);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(o, "detail"), "rows")), 500);
    json_decref(o);
    text_reset(&got);
    read_in(*state, "env", &got);
    assert_string_equal(text_str(&got), "7\ndrift\n" EVIL "\n");
    snprintf(path, sizeof path, "%s/PWNED", (char *)*state);
    assert_false(file_exists(path));
    assert_false(file_exists("PWNED"));
    text_release(&got);
}

static void what_fails_is_said(void **state)
{
    (void)state;
    Error err = {0};
    AlertSinks to = {.command = "exit 3", .seconds = 10};
    assert_false(alert_tell(&to, &evil, &err));
    assert_non_null(strstr(err.text, "ended with 3"));
}

static void a_command_that_hangs_is_killed_with_its_children(void **state)
{
    char command[300], path[200];
    Error err = {0};
    snprintf(command, sizeof command, "(sleep 2; touch %s/late) & sleep 60", (char *)*state);
    AlertSinks to = {.command = command, .seconds = 0.3};
    double began = clock_now();
    assert_false(alert_tell(&to, &evil, &err));
    assert_true(clock_now() - began < 2);
    assert_non_null(strstr(err.text, "did not end within"));
    sleep(3);
    snprintf(path, sizeof path, "%s/late", (char *)*state);
    assert_false(file_exists(path));
}

/* ---- a webhook ---------------------------------------------------------------------------------------------- */

typedef struct Hook {
    int listen, port;
    int busy;        /* so many answers of 503 first; -1: it never answers */
    int requests;
    char body[8192]; /* of the last */
    pthread_t thread;
} Hook;

static size_t read_request(int fd, char *into, size_t room)
{
    size_t n = 0;
    for (;;) {
        ssize_t got = read(fd, into + n, room - n - 1);
        if (got <= 0)
            return n;
        n += (size_t)got;
        into[n] = 0;
        char *end = strstr(into, "\r\n\r\n"), *length = strcasestr(into, "content-length:");
        if (end && length && n >= (size_t)(end + 4 - into) + strtoul(length + 15, NULL, 10))
            return n;
    }
}

static void *serve(void *context)
{
    Hook *h = context;
    for (;;) {
        char request[16384];
        int fd = accept(h->listen, NULL, NULL);
        if (fd < 0)
            return NULL;
        read_request(fd, request, sizeof request);
        h->requests++;
        if (h->busy < 0) {
            sleep(3);
        } else {
            const char *answer = h->busy-- > 0 ? "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                                               : "HTTP/1.1 204 OK\r\nConnection: close\r\n\r\n";
            char *body = strstr(request, "\r\n\r\n");
            snprintf(h->body, sizeof h->body, "%.*s", (int)sizeof h->body - 1, body ? body + 4 : "");
            if (write(fd, answer, strlen(answer)) < 0)
                h->requests = -1000;
            if (h->busy < 0)
                h->busy = 0;
        }
        close(fd);
    }
}

static void hook_open(Hook *h, int busy)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    *h = (Hook){.busy = busy};
    h->listen = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(h->listen, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(h->listen, 8), 0);
    getsockname(h->listen, (struct sockaddr *)&at, &n);
    h->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&h->thread, NULL, serve, h), 0);
}

static void hook_close(Hook *h)
{
    shutdown(h->listen, SHUT_RDWR);
    pthread_join(h->thread, NULL);
    close(h->listen);
}

static void a_busy_hook_is_asked_again(void **state)
{
    (void)state;
    Hook h;
    Error err = {0};
    char address[80];
    hook_open(&h, 2);
    snprintf(address, sizeof address, "http://127.0.0.1:%d/hook", h.port);
    AlertSinks to = {.webhook = address, .seconds = 10};
    bool ok = alert_tell(&to, &evil, &err);
    hook_close(&h);
    if (!ok)
        fail_msg("%s", err.text);
    assert_int_equal(h.requests, 3);
    json_t *o = json_loads(h.body, 0, NULL);
    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(o, "text")), EVIL);
    assert_string_equal(json_string_value(json_object_get(o, "deployment")), "fares");
    json_decref(o);
}

static void a_silent_hook_has_its_time_and_no_more(void **state)
{
    (void)state;
    Hook h;
    Error err = {0};
    char address[80];
    hook_open(&h, -1);
    snprintf(address, sizeof address, "http://127.0.0.1:%d/hook", h.port);
    AlertSinks to = {.webhook = address, .seconds = 0.5};
    double began = clock_now();
    bool ok = alert_tell(&to, &evil, &err);
    double took = clock_now() - began;
    hook_close(&h);
    assert_false(ok);
    assert_true(took < 2.5);
    assert_non_null(strstr(err.text, "does not answer"));
}

static void nobody_there_is_said_and_secrets_are_not(void **state)
{
    (void)state;
    Error err = {0};
    AlertSinks to = {.webhook = "http://anna:secret@127.0.0.1:1/hook", .seconds = 3};
    assert_false(alert_tell(&to, &evil, &err));
    assert_non_null(strstr(err.text, "refuses the connection"));
    assert_null(strstr(err.text, "secret"));
    to.webhook = "file:///etc/passwd";
    assert_false(alert_tell(&to, &evil, &err));
    assert_non_null(strstr(err.text, "no address of http"));
}

/* The command fails: the hook is told all the same. */
static void one_that_fails_does_not_keep_the_other(void **state)
{
    (void)state;
    Hook h;
    Error err = {0};
    char address[80];
    hook_open(&h, 0);
    snprintf(address, sizeof address, "http://127.0.0.1:%d/", h.port);
    AlertSinks to = {.command = "exit 1", .webhook = address, .seconds = 5};
    bool ok = alert_tell(&to, &evil, &err);
    hook_close(&h);
    assert_false(ok);
    assert_int_equal(h.requests, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_command_gets_it_and_runs_no_word_of_it, setup, teardown),
        cmocka_unit_test(what_fails_is_said),
        cmocka_unit_test_setup_teardown(a_command_that_hangs_is_killed_with_its_children, setup, teardown),
        cmocka_unit_test(a_busy_hook_is_asked_again),
        cmocka_unit_test(a_silent_hook_has_its_time_and_no_more),
        cmocka_unit_test(nobody_there_is_said_and_secrets_are_not),
        cmocka_unit_test(one_that_fails_does_not_keep_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
