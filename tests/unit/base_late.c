/* base_late.c -- libraries that are loaded when one of their functions is first called, and one that is not there. */
#include "base/late.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <curl/curl.h>
#include <link.h>
#include <sys/wait.h>
#include <unistd.h>

static int holds(struct dl_phdr_info *info, size_t size, void *name)
{
    (void)size;
    return strstr(info->dlpi_name, name) != NULL;
}

static bool is_loaded(const char *name)
{
    char text[40];
    snprintf(text, sizeof text, "%s", name);
    return dl_iterate_phdr(holds, text) != 0;
}

static void a_library_comes_when_it_is_called(void **state)
{
    long code = -1;
    (void)state;
    assert_true(is_loaded("libcmocka")); /* it would be seen */
    assert_false(is_loaded("libcurl") || is_loaded("libopenblas") || is_loaded("libdnnl"));
    assert_false(is_loaded("libmicrohttpd") || is_loaded("libsnappy"));
#ifndef LATHE_SANITIZED /* who watches needs it */
    assert_false(is_loaded("libstdc++"));
#endif
    CURL *curl = curl_easy_init();
    assert_true(curl && is_loaded("libcurl") && !is_loaded("libopenblas"));
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 250L), CURLE_OK); /* a long, */
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)1 << 40), CURLE_OK);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_URL, "nowhere://here/"), CURLE_OK); /* and a pointer */
    assert_int_equal(curl_easy_perform(curl), CURLE_UNSUPPORTED_PROTOCOL);
    assert_int_equal(curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code), CURLE_OK);
    assert_int_equal(code, 0);
    curl_easy_cleanup(curl);
}

static void one_that_is_missing_ends_the_program_with_a_line(void **state)
{
    char line[300] = "";
    int fd[2], status;
    (void)state;
    assert_int_equal(pipe(fd), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(fd[1], STDERR_FILENO);
        late_symbol("/nowhere/libnothing.so.7", "nothing");
        _exit(0);
    }
    close(fd[1]);
    assert_true(read(fd[0], line, sizeof line - 1) > 0);
    close(fd[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_non_null(strstr(line, "lathe: /nowhere/libnothing.so.7: cannot open"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_library_comes_when_it_is_called),
        cmocka_unit_test(one_that_is_missing_ends_the_program_with_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
