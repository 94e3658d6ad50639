/* jobs.c -- which of several tasks Ctrl-C stops. */
#include "tui/tui_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/eventfd.h>
#include <unistd.h>

static void *until_stopped(JobContext *c, void *input, Error *err)
{
    (void)input;
    while (!job_stopped(c))
        usleep(1000);
    error_set(err, ERROR_STOP, "stopped");
    return NULL;
}

static void add(Jobs *j, int slot, const char *what, double seconds_ago)
{
    jobs_add(j, (Job){.owner = j, .slot = slot, .what = what, .run = until_stopped}, clock_now() - seconds_ago);
}

/* The newest of those that are shown; one that has just begun is stopped only when there is no other. */
static void what_is_seen_is_stopped_first(void **state)
{
    int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    Jobs *j = jobs_create("nowhere", "lathe", wake);
    const char *what;
    (void)state;
    assert_false(jobs_stop_newest(j, &what));
    add(j, 1, "old", 9);
    add(j, 2, "shown", 3);
    add(j, 3, "fresh", 0);
    add(j, 4, NULL, 5);
    static const char *const order[] = {"shown", "old", "fresh"};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        assert_true(jobs_stop_newest(j, &what));
        assert_string_equal(what, order[i]);
    }
    assert_false(jobs_stop_newest(j, &what));
    assert_true(jobs_destroy(j));
    close(wake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_seen_is_stopped_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
