/* command_serve.c -- lathe serve as a process: it says its port, answers, and ends well on SIGTERM. */
#include "train_world.h"

#include <curl/curl.h>
#include <signal.h>
#include <sys/wait.h>

typedef struct Child {
    pid_t pid;
    FILE *out;
} Child;

static Child start(const World *w, const char *run)
{
    int ends[2];
    Child c;
    assert_int_equal(pipe(ends), 0);
    c.pid = fork();
    if (c.pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(LATHE_PROGRAM, "lathe", "-w", w->dir, "serve", run, "listen=127.0.0.1:0", "threads=1",
              (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    c.out = fdopen(ends[0], "r");
    return c;
}

static size_t keep(char *bytes, size_t size, size_t n, void *into)
{
    text_add(into, bytes, size * n);
    return size * n;
}

static long post(const char *url, const char *body, Text *reply)
{
    long code = 0;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return code;
}

static void serves_until_told(void **state)
{
    World *w = *state;
    char line[256] = "", url[300], setting[32], rest[4096] = "";
    int64_t run = submit(w, "linear", "FARE", "MILES,MINUTES", "epochs=1");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    snprintf(setting, sizeof setting, "run=%lld", (long long)run);
    Child c = start(w, setting);
    alarm(60);
    assert_non_null(fgets(line, sizeof line, c.out));
    char *address = strstr(line, "http://");
    assert_non_null(address);
    address[strcspn(address, " \n")] = 0;
    Text reply = {0};
    snprintf(url, sizeof url, "%s/invocations", address);
    assert_int_equal(post(url, "{\"instances\": [{\"MILES\": 3, \"MINUTES\": 4}]}", &reply), 200);
    assert_true(text_starts(text_str(&reply), "{\"predictions\":["));
    text_reset(&reply);
    assert_int_equal(post(url, "{\"instances\": [{\"MILES\": 3}]}", &reply), 400);
    assert_non_null(strstr(text_str(&reply), "MINUTES"));
    kill(c.pid, SIGTERM);
    int status = -1;
    assert_true(fread(rest, 1, sizeof rest - 1, c.out) > 0);
    assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_non_null(strstr(rest, "requests"));
    fclose(c.out);
    text_release(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(serves_until_told, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
