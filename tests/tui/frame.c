/* frame.c -- tests the workbench's frame: it starts, answers every one of its keys, resizes, leaves. */
#include "support/workbench.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static Term *open_at(int rows, int cols, const char *const *env)
{
    Term *t = bench_open(&bench, rows, cols, NULL, env);
    if (!term_wait(t, "1 Data", 10))
        term_print(t);
    assert_true(term_has(t, "1 Data"));
    term_settle(t);
    return t;
}

static void shows_and_leaves_the_terminal_as_it_was(void **state)
{
    (void)state;
    Term *t = open_at(24, 80, NULL);
    assert_true(term_altscreen(t));
    assert_false(term_cursor_shown(t));
    assert_true(term_mouse(t));
    assert_true(term_has(t, "help"));
    term_press(t, "Q");
    assert_true(term_wait_end(t, 5));
    assert_false(term_altscreen(t));
    assert_true(term_cursor_shown(t));
    assert_false(term_mouse(t));
    assert_int_equal(term_close(t), 0);
    bench.term = NULL;
}

static void signals_end_it_in_order(void **state)
{
    (void)state;
    static const int numbers[] = {SIGTERM, SIGHUP};
    for (size_t i = 0; i < 2; i++) {
        Term *t = open_at(24, 80, NULL);
        term_signal(t, numbers[i]);
        assert_true(term_wait_end(t, 5));
        assert_false(term_altscreen(t));
        assert_true(term_cursor_shown(t));
        assert_int_equal(term_close(t), 0);
        bench.term = NULL;
    }
}

static void a_crash_restores_the_terminal(void **state)
{
    (void)state;
    Term *t = open_at(24, 80, NULL);
    term_signal(t, SIGABRT);
    assert_true(term_wait_end(t, 5));
    assert_false(term_altscreen(t));
    assert_true(term_cursor_shown(t));
    assert_false(term_mouse(t));
    assert_int_equal(term_close(t), -SIGABRT);
    bench.term = NULL;
}

static void resize_storm_ends_whole(void **state)
{
    (void)state;
    Term *t = open_at(24, 80, NULL);
    static const int sizes[][2] = {{10, 30}, {60, 200}, {16, 60}, {15, 59},
                                   {1, 1},   {90, 300}, {40, 61}, {24, 80}};
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            term_resize(t, sizes[i][0], sizes[i][1]);
    assert_true(term_wait(t, "1 Data", 5));
    term_resize(t, 12, 50);
    assert_true(term_wait(t, "needs 60 columns and 16 rows", 5));
    term_resize(t, 24, 80);
    assert_true(term_wait(t, "1 Data", 5));
    assert_non_null(strstr(term_row(t, 0), "9 SQL"));
    assert_non_null(strstr(term_row(t, 23), "help"));
}

static void help_lists_and_searches_every_key(void **state)
{
    (void)state;
    Term *t = open_at(40, 100, NULL);
    term_press(t, "?");
    assert_true(term_wait(t, "Everywhere", 3));
    term_type(t, "shell");
    assert_true(term_wait(t, "a command line, the same as in the shell", 3));
    assert_false(term_has(t, "one page up"));
    term_press(t, "Esc");
    assert_true(term_wait_gone(t, "Everywhere", 3));
}

static void palette_finds_and_runs(void **state)
{
    (void)state;
    Term *t = open_at(30, 100, NULL);
    term_press(t, "Ctrl-P");
    assert_true(term_wait(t, "Find anything", 3));
    term_type(t, "light");
    assert_true(term_wait(t, "light", 3));
    term_press(t, "Enter");
    assert_true(term_wait_gone(t, "Find anything", 3));
    unsigned back = term_back(t, 10, 50);
    assert_true((back >> 16) > 0xc0); /* a light ground now */
}

static void prompt_edits_completes_and_says_what_is_wrong(void **state)
{
    (void)state;
    Term *t = open_at(24, 80, NULL);
    term_press(t, ":");
    term_type(t, "no-such-verb");
    assert_true(term_wait(t, ":no-such-verb", 3));
    term_press(t, "Ctrl-A Ctrl-K");
    assert_true(term_wait_gone(t, "no-such", 3));
    term_press(t, "Ctrl-Y");
    assert_true(term_wait(t, ":no-such-verb", 3));
    term_press(t, "Ctrl-U");
    term_type(t, "theme li\t");
    assert_true(term_wait(t, ":theme light", 3));
    term_press(t, "Enter");
    term_settle(t);
    assert_true((term_back(t, 10, 40) >> 16) > 0xc0);
    term_press(t, ": Up"); /* history */
    assert_true(term_wait(t, ":theme light", 3));
    term_press(t, "Esc");
    assert_true(term_wait_gone(t, ":theme", 3));
}

static void colours_degrade(void **state)
{
    (void)state;
    static const char *const none[] = {"NO_COLOR=1", NULL};
    Term *t = open_at(24, 80, none);
    unsigned ground = term_back(t, 12, 40);
    for (int col = 0; col < 80; col++)
        assert_int_equal(term_fore(t, 12, col), term_fore(t, 12, 0));
    assert_int_equal(term_back(t, 12, 0), ground);
    term_close(t);
    bench.term = NULL;
    static const char *const terms[][3] = {{"TERM=xterm", NULL},
                                           {"TERM=linux", NULL},
                                           {"TERM=vt100", NULL},
                                           {"TERM=screen", NULL},
                                           {"TERM=tmux-256color", NULL}};
    for (size_t i = 0; i < 5; i++) {
        t = open_at(24, 80, terms[i]);
        assert_int_equal(term_close(t), 0);
        bench.term = NULL;
    }
}

static void ascii_shows_no_other_bytes(void **state)
{
    (void)state;
    static const char *const env[] = {"LATHE_ASCII=1", NULL};
    Term *t = open_at(24, 80, env);
    term_press(t, "?");
    for (int row = 0; row < 24; row++)
        for (const char *s = term_row(t, row); *s; s++)
            assert_true((unsigned char)*s < 128);
}

static void pasted_text_is_never_a_command(void **state)
{
    (void)state;
    Term *t = open_at(24, 80, NULL);
    term_paste(t, "?:QQ3\n");
    assert_false(term_has(t, "Keys"));
    assert_true(term_has(t, "Datasets"));
    term_press(t, ":");
    term_paste(t, "one\ntwo");
    assert_true(term_wait(t, ":one two", 3)); /* not run at the line end */
    term_press(t, "Esc");
    term_press(t, "?"); /* keys are keys again */
    assert_true(term_wait(t, "Keys", 3));
}

static void idle_writes_nothing(void **state)
{
    (void)state;
    Term *t = open_at(24, 80, NULL);
    term_wait(t, "nothing will ever say this", 7); /* messages of the start have gone */
    size_t before = term_bytes(t);
    term_wait(t, "nothing will ever say this", 1.5);
    assert_int_equal(term_bytes(t), before);
}

static void every_frame_key_is_answered(void **state)
{
    (void)state;
    Term *t = open_at(24, 80, NULL);
    static const char *const keys[] = {
        "k",     "j",    "Up",     "Down", "h",    "l",     "Left",      "Right",     "g", "G",
        "PgUp",  "PgDn", "0",      "$",    "Home", "End",   "Tab",       "Shift-Tab", "n", "N",
        "Space", "u",    "Ctrl-R", "y",    "O",    "O",     "Ctrl-C",    "1",         "2", "3",
        "4",     "5",    "6",      "1",    "]",    "[",     "T",         "M",         "q", "Ctrl-L",
        "/",     "Esc",  "Enter",  "Esc",  "? ?",  ": Esc", "Ctrl-P Esc"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        term_press(t, keys[i]);
    for (int i = 0; i < 4; i++)
        term_press(t, "Esc");
    assert_true(term_wait(t, "1 Data", 3));
    term_press(t, "?");
    assert_true(term_wait(t, "Keys", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shows_and_leaves_the_terminal_as_it_was, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(signals_end_it_in_order, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_crash_restores_the_terminal, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(resize_storm_ends_whole, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(help_lists_and_searches_every_key, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(palette_finds_and_runs, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(prompt_edits_completes_and_says_what_is_wrong, bench_begin,
                                        bench_end),
        cmocka_unit_test_setup_teardown(colours_degrade, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(ascii_shows_no_other_bytes, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(pasted_text_is_never_a_command, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(idle_writes_nothing, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(every_frame_key_is_answered, bench_begin, bench_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
