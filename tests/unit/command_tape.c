/* command_tape.c -- numbers noted one by one come back as they were, beyond what stays in memory too. */
#include "command/predict_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

static void check(size_t n)
{
    Error err = {0};
    char dir[] = "/tmp/lathe-tape-XXXXXX";
    assert_non_null(mkdtemp(dir));
    Tape t = {.dir = dir};
    for (size_t i = 0; i < n; i++)
        assert_true(tape_add(&t, (double)i * .5, &err));
    assert_int_equal(tape_count(&t), n);
    for (int again = 0; again < 2; again++) {
        const double *at = tape_read(&t, &err);
        assert_true(at || n == 0);
        for (size_t i = 0; i < n; i++)
            assert_true(at[i] == (double)i * .5);
    }
    tape_release(&t);
    assert_int_equal(tape_count(&t), 0);
    assert_true(dir_remove(dir, &err));
}

static void few(void **state)
{
    (void)state;
    check(0);
    check(1000);
}

static void many(void **state)
{
    (void)state;
    check(((size_t)1 << 21) + 1);
    check(((size_t)1 << 22) + 12345);
}

static void nowhere(void **state)
{
    (void)state;
    Error err = {0};
    Tape t = {.dir = "/nonexistent/lathe"};
    bool ok = true;
    for (size_t i = 0; ok && i < ((size_t)1 << 21) + 1; i++)
        ok = tape_add(&t, 1.0, &err);
    assert_false(ok);
    assert_int_equal(err.kind, ERROR_IO);
    tape_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(few), cmocka_unit_test(many),
                                       cmocka_unit_test(nowhere)};
    return cmocka_run_group_tests_name("command tape", tests, NULL, NULL);
}
