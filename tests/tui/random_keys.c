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

/* Any keys into vi, which Clean's E lends the terminal to, with resizes meanwhile; then vi is left, with or
 * without what was typed, and the pane is there again and answers. No keys that lead vi to other files or a shell. */
static void lives_through_an_editor(void **state)
{
    static const char *const typed[] = {"i", "o", "a", "x", "dd", "p", "u", "j", "k", "h", "l", "w", "b", "0", "$", "G", "/a\r", "n",
                                        "drop missing fare\r", "impute miles median\r", "\xe6\x97\xa5", "\"", "\033", "\033[A",
                                        "\033[B", "\014", "\025", "\177", "\r", "v", "J", "5", "\033[<0;20;9M"};
    (void)state;
    if (access("/usr/bin/vi", X_OK) != 0)
        skip();
    Bench b;
    Rng rng;
    const char *given = getenv("LATHE_SEED");
    rng_seed(&rng, given ? strtoull(given, NULL, 10) : 20190102, 0);
    bench_make(&b);
    bench_dataset(&b, "trips", 1000);
    static const char *const env[] = {"HOME=/nonexistent", "VISUAL=/usr/bin/vi", "LANG=C.UTF-8", NULL};
    Term *t = bench_open(&b, 30, 100, "clean", env);
    assert_true(term_wait(t, "impute miles median", 60)); /* the table is open, and what it asks for known */
    for (int round = 0; round < 6; round++) {
        term_press(t, "E");
        if (!term_wait_gone(t, "2 Clean", 60) || !term_wait(t, "~", 60)) { /* vi marks the lines there are not */
            term_print(t);
            fail_msg("no vi in round %d", round);
        }
        for (int i = 0; i < 40; i++) {
            const char *key = typed[rng_below(&rng, sizeof typed / sizeof *typed)];
            term_send(t, key, strlen(key));
        }
        term_resize(t, 20 + (int)rng_below(&rng, 20), 80 + (int)rng_below(&rng, 60));
        for (int i = 0; i < 3; i++) { /* a pattern, a count or a selection may be half done */
            term_send(t, "\033", 1);
            usleep(100000);
        }
        const char *leave = round % 2 ? ":wq!\r" : ":q!\r";
        term_send(t, leave, strlen(leave));
        bool back = term_wait(t, "2 Clean", 60);
        if (!back)
            term_print(t);
        assert_true(back);
        term_press(t, "Esc Esc Esc Esc"); /* what the recipe's text has wrong is told in a dialog */
        term_press(t, "?");
        assert_true(term_wait(t, "search", 20));
        term_press(t, "Esc");
        assert_true(term_wait(t, "2 Clean", 20));
    }
    assert_int_equal(bench_close(&b), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lives_through_any_keys),
                                       cmocka_unit_test(lives_through_an_editor)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
