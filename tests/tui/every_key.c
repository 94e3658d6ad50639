/* every_key.c -- every key of every pane, in a workspace with data and a run; and the tables of keys are sound. */
#include "support/every_key.h"
#include "tui/pane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void every_key_acts_or_says_why(void **state)
{
    (void)state;
    press_every_key(false);
}

/* Two commands of a pane that hold at once have no key in common; each has help. */
static void tables_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; panes[i]; i++)
        for (const KeyRow *a = panes[i]->keys; a && a->command; a++) {
            assert_true(a->help && strlen(a->help) > 3 && a->name && !strchr(a->name, ' '));
            for (const KeyRow *b = a + 1; b->command; b++) {
                if (a->modes && b->modes && !(a->modes & b->modes))
                    continue;
                if (!a->modes != !b->modes)
                    continue; /* one of a mode, one of all but text modes: the first row wins */
                for (const char *s = a->keys; *s; s += strcspn(s, " "), s += strspn(s, " ")) {
                    Key key;
                    KeyRow one[] = {*b, {0}};
                    one[0].modes = 0;
                    if (key_parse(s, strcspn(s, " "), &key) && key_find(one, key, 1, false))
                        fail_msg("%s: %.*s is %s and %s", panes[i]->name, (int)strcspn(s, " "), s,
                                 a->name, b->name);
                }
                if (strcmp(a->name, b->name) == 0)
                    fail_msg("%s: two commands %s", panes[i]->name, a->name);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_sound),
        cmocka_unit_test(every_key_acts_or_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
