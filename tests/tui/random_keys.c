/* random_keys.c -- any keys at any time in any pane, with resizes between them: the workbench lives, draws
 * its frame, and leaves as it should. LATHE_SEED gives other keys. */
#include "support/workbench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define SECONDS 8.0

static const char *const keys[] = {"j",
                                   "k",
                                   "h",
                                   "l",
                                   "g",
                                   "G",
                                   "n",
                                   "N",
                                   "/",
                                   ":",
                                   "?",
                                   "u",
                                   "\022",
                                   "\020",
                                   "\t",
                                   "\033[Z",
                                   " ",
                                   "\r",
                                   "\033",
                                   "q",
                                   "y",
                                   "O",
                                   "1",
                                   "2",
                                   "3",
                                   "4",
                                   "5",
                                   "6",
                                   "]",
                                   "[",
                                   "T",
                                   "M",
                                   "\014",
                                   "\003",
                                   "a",
                                   "b",
                                   "c",
                                   "d",
                                   "e",
                                   "f",
                                   "i",
                                   "m",
                                   "o",
                                   "p",
                                   "r",
                                   "s",
                                   "t",
                                   "v",
                                   "w",
                                   "x",
                                   "z",
                                   "A",
                                   "B",
                                   "C",
                                   "D",
                                   "E",
                                   "F",
                                   "I",
                                   "J",
                                   "K",
                                   "L",
                                   "P",
                                   "R",
                                   "S",
                                   "X",
                                   "+",
                                   "-",
                                   "=",
                                   "<",
                                   ">",
                                   ",",
                                   ".",
                                   "#",
                                   "&",
                                   "*",
                                   "0",
                                   "$",
                                   "^",
                                   "7",
                                   "\033[A",
                                   "\033[B",
                                   "\033OC",
                                   "\033OD",
                                   "\033[5~",
                                   "\033[6~",
                                   "\177",
                                   "\001",
                                   "\005",
                                   "\013",
                                   "\025",
                                   "\027",
                                   "\031",
                                   "fare",
                                   "miles > 3",
                                   "drop ",
                                   "\"",
                                   "\xc3\xa9",
                                   "\xe6\x97\xa5",
                                   "\xff",
                                   "\033[<0;20;9M\033[<0;20;9m",
                                   "\033[<65;40;9M",
                                   "\033[<64;9;9M",
                                   "\033b",
                                   "\033[200~a\nb\033[201~"};

static void lives_through_any_keys(void **state)
{
    (void)state;
    Bench b;
    Rng rng;
    const char *given = getenv("LATHE_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20190101; /* the same keys in every check; a soak gives others */
    printf("seed %llu\n", (unsigned long long)seed);
    rng_seed(&rng, seed, 0);
    bench_make(&b);
    assert_int_equal(chdir(b.dir), 0); /* Ctrl-E writes files under names it is given */
    b.program = "/nonexistent/lathe"; /* no run is really started */
    bench_dataset(&b, "trips", 5000);
    bench_dataset(&b, "more", 3000);
    static const char *const env[] = {"HOME=/nonexistent", "VISUAL=true", NULL};
    Term *t = bench_open(&b, 30, 100, NULL, env);
    assert_true(term_wait(t, "1 Data", 10));
    double until = clock_now() + SECONDS;
    size_t pressed = 0;
    while (clock_now() < until) {
        for (int i = 0; i < 20; i++, pressed++) {
            const char *key = keys[rng_below(&rng, sizeof keys / sizeof *keys)];
            term_send(t, key, strlen(key));
        }
        if (rng_below(&rng, 6) == 0)
            term_resize(t, 10 + (int)rng_below(&rng, 60), 40 + (int)rng_below(&rng, 180));
        if (term_wait_end(t, 0.01)) { /* `:q` is among the random keys */
            if (!term_has(t, "lathe"))
                term_print(t);
            int status = term_close(t);
            b.term = NULL;
            if (status != 0)
                fail_msg("it ended with %d after %zu keys of seed %llu", status, pressed,
                         (unsigned long long)seed);
            t = bench_open(&b, 30, 100, NULL, env);
            assert_true(term_wait(t, "1 Data", 10));
        }
    }
    printf("%zu keys\n", pressed);
    term_resize(t, 30, 100);
    term_settle(t);
    for (int i = 0; i < 8; i++)
        term_press(t, "Esc");
    bool there = term_wait(t, "1 Data", 10);
    if (!there)
        term_print(t);
    assert_true(there);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(bench_close(&b), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lives_through_any_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
