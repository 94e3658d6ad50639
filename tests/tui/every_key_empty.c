/* every_key_empty.c -- every key of every pane, in a workspace without data and runs. */
#include "support/every_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void every_key_acts_or_says_why(void **state)
{
    (void)state;
    press_every_key(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_key_acts_or_says_why)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
