/* base_priority.c -- threads that are waited for and threads that are not. */
#include <lathe/base.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct Seen {
    int policy, nice;
} Seen;

static Seen look(void)
{
    return (Seen){sched_getscheduler(0), getpriority(PRIO_PROCESS, 0)};
}

static void *patient(void *out)
{
    thread_patient(3);
    *(Seen *)out = look();
    return NULL;
}

static void patience_is_of_one_thread(void **state)
{
    (void)state;
    Seen before = look(), there = {-1, -1};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, patient, &there), 0);
    pthread_join(thread, NULL);
    assert_int_equal(there.policy, SCHED_BATCH);
    assert_int_equal(there.nice, before.nice > 3 ? before.nice : 3);
    assert_int_equal(look().policy, before.policy);
    assert_int_equal(look().nice, before.nice);
}

/* Standing back further than asked (a shell's `nice`) is not taken back: it would need a right. */
static void patience_never_goes_forward(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        setpriority(PRIO_PROCESS, 0, 15);
        thread_patient(4);
        _exit(look().nice == 15 && look().policy == SCHED_BATCH ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static void promptness_is_not_inherited(void **state)
{
    (void)state;
    int before = getpriority(PRIO_PROCESS, 0);
    pid_t child = fork();
    if (child == 0) {
        thread_prompt();
        if (look().nice != before || (sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) != SCHED_OTHER)
            _exit(1);
        pid_t grandchild = fork();
        if (grandchild == 0)
            _exit(sched_getscheduler(0) == SCHED_OTHER && look().nice == before ? 0 : 2);
        int status = -1;
        waitpid(grandchild, &status, 0);
        _exit(status == 0 ? 0 : 3);
    }
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patience_is_of_one_thread),
        cmocka_unit_test(patience_never_goes_forward),
        cmocka_unit_test(promptness_is_not_inherited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
