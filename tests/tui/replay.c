/* replay.c -- macros: recorded, played, played without a terminal; keys and themes from files. */
#include "support/workbench.h"

#include <lathe/command.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void put(const char *name, const char *text, char path[160])
{
    Error err = {0};
    snprintf(path, 160, "%s/%s", bench.dir, name);
    if (!file_write(path, text, strlen(text), &err))
        fail_msg("%s", err.text);
}

/* `lathe replay FILE` in the folder of the test, without a terminal; what it said is in said. */
static int play(const char *file, Text *said)
{
    char line[600];
    Error err = {0};
    snprintf(line, sizeof line, "cd %s && %s -w work replay %s </dev/null >said 2>&1", bench.dir, LATHE_PROGRAM, file);
    int status = system(line);
    snprintf(line, sizeof line, "%s/said", bench.dir);
    text_reset(said);
    assert_true(file_read(line, said, 1 << 20, &err));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_whole_way_by_a_file(void **state)
{
    (void)state;
    Text said = {0};
    Error err = {0};
    SampleReport made;
    assert_true(sample_write(bench.dir, &(SampleOptions){.rows = 3000, .seed = 7, .drift = 1}, &made, &err));
    int status = play(LATHE_SOURCE_DIR "/tests/tui/journeys/first.macro", &said);
    if (status != 0)
        fail_msg("status %d: %s", status, text_str(&said));
    text_release(&said);
}

static void a_step_that_fails_says_where(void **state)
{
    (void)state;
    char path[160];
    Text said = {0};
    put("bad.macro", "patience 0.3\npress 2\n# a comment\nsee nothing of the kind\n", path);
    assert_int_equal(play("bad.macro", &said), 1);
    assert_non_null(strstr(text_str(&said), "bad.macro: line 4: see nothing of the kind: it did not come"));
    assert_non_null(strstr(text_str(&said), "2 Clean")); /* the screen as it was */
    put("bad.macro", "press 2\npush it\n", path);
    assert_int_equal(play("bad.macro", &said), 1);
    assert_non_null(strstr(text_str(&said), "bad.macro: line 2: expected press, type,"));
    assert_int_equal(text_str(&said)[0], 'l'); /* "lathe: ...": no screen before the first frame */
    put("bad.macro", "press Enterr\n", path);
    assert_int_equal(play("bad.macro", &said), 1);
    assert_non_null(strstr(text_str(&said), "bad.macro: line 1: press: no key 'Enterr'"));
    text_release(&said);
}

static void keys_are_recorded_and_played(void **state)
{
    (void)state;
    char path[160];
    Text macro = {0};
    Error err = {0};
    assert_int_equal(bench_start(1000, 30, 110, "clean", "No rules yet"), 0);
    Term *t = bench.term;
    term_press(t, "F3");
    see("recording keys");
    term_press(t, "a");
    term_settle(t);
    term_type(t, "clip miles 0 3");
    term_press(t, "Enter");
    see("1 rule");
    term_press(t, "F3");
    see("recorded in");
    snprintf(path, sizeof path, "%s/last.macro", bench.workspace);
    assert_true(file_read(path, &macro, 1 << 16, &err));
    assert_non_null(strstr(text_str(&macro), "type clip miles 0 3\npress Enter\n"));
    term_press(t, "F4");
    see("2 rules");
    command("replay no-such-file");
    see("no-such-file");
    command("record"); /* what ends a recording is no part of it */
    see("recording keys");
    term_press(t, "j");
    command("record");
    see("recorded in");
    text_reset(&macro);
    assert_true(file_read(path, &macro, 1 << 16, &err));
    assert_null(strstr(text_str(&macro), "record"));
    assert_non_null(strstr(text_str(&macro), "press j\n"));
    text_release(&macro);
}

static void keys_come_from_a_file(void **state)
{
    (void)state;
    char keys[160], theme[160], set[200], text[400];
    bench_make(&bench);
    bench_dataset(&bench, "trips", 500);
    put("keys", "# mine\n[clean]\nadd-rule = X\n[everywhere]\nquit = Ctrl-X\n", keys);
    put("mine.ini", "[theme]\nname = mine\nabout = of a test\n[styles]\nplain = #000000 #afd7ff\n", theme);
    snprintf(set, sizeof set, "LATHE_KEYS=%s", keys);
    snprintf(text, sizeof text, "LATHE_THEME=%s", theme);
    const char *const env[] = {set, text, NULL};
    Term *t = bench_open(&bench, 30, 110, "clean", env);
    see("No rules yet");
    see("X add"); /* the hint is true */
    assert_int_equal(term_back(t, 12, 30), 0x99ccff);
    term_press(t, "a");
    see("does nothing here");
    term_press(t, "X");
    see("accept");
    term_press(t, "Esc");
    /* both are read again when they are saved */
    put("mine.ini", "[theme]\nname = mine\nabout = of a test\n[styles]\nplain = #000000 #5f87af\n", theme);
    see("theme mine read again");
    assert_int_equal(term_back(t, 12, 30), 0x336699);
    put("keys", "[clean]\nadd-rull = X\n", keys);
    see("line 2: no command add-rull in [clean], did you mean add-rule?");
    put("keys", "[clean]\nadd-rule = d\n", keys);
    see("line 2: d is the key of delete-rule already");
    put("keys", "[clean]\nadd-rule = Ctrl-Foo\n", keys);
    see("line 2: no key 'Ctrl-Foo'");
    put("keys", "[cleen]\n", keys);
    see("did you mean [clean]?");
    term_press(t, "Ctrl-X"); /* the last good ones hold */
    assert_true(term_wait_end(t, 10));
}

static void a_recipe_goes_through_the_editor(void **state)
{
    (void)state;
    char script[160], set[220];
    bench_make(&bench);
    bench_dataset(&bench, "trips", 500);
    put("editor.sh", "#!/bin/sh\n[ -f \"$0.bad\" ] && { rm \"$0.bad\"; echo 'clip milse 0 3' >\"$1\"; exit; }\n"
        "echo 'drop missing miles' >\"$1\"\necho 'clip miles 0 3' >>\"$1\"\n", script);
    snprintf(set, sizeof set, "VISUAL=sh %s", script);
    const char *const env[] = {set, NULL};
    Term *t = bench_open(&bench, 30, 110, "clean", env);
    see("No rules yet");
    term_press(t, "a");
    term_settle(t);
    term_type(t, "clip fare 0 90");
    term_press(t, "Enter");
    see("1 rule");
    term_press(t, "E");
    see("2 rules from the editor");
    see("drop missing miles");
    assert_false(term_has(t, "clip fare"));
    term_press(t, "u");
    see("clip fare 0 90");
    char bad[170];
    put("editor.sh.bad", "", bad);
    term_press(t, "E");
    see("Edit it again?");
    see("no column milse");
    term_press(t, "y");
    see("2 rules from the editor");
    put("editor.sh.bad", "", bad); /* refused and left, it is what the next E goes on with */
    term_press(t, "E");
    see("Later E goes on with it");
    term_press(t, "n");
    put("editor.sh", "sed -i s/milse/miles/ \"$1\"\n", script);
    term_press(t, "E");
    see("1 rule from the editor");
    see("clip miles 0 3");
    term_press(t, "u");
    see("drop missing miles");
    put("editor.sh", "exit 3\n", script); /* one that fails takes nothing over */
    term_press(t, "E");
    see("ended with status 3; nothing was taken over");
    see("drop missing miles");
    put("editor.sh", "kill -9 $$\n", script);
    term_press(t, "E");
    see("ended with signal 9");
    see("clip miles 0 3");
    put("editor.sh", "exec /nowhere/ed\n", script);
    term_press(t, "E");
    see("could be started");
    see("2 rules");
    put("editor.sh", ": >\"$1\"\n", script); /* all rules taken out */
    term_press(t, "E");
    see("No rules yet");
    term_press(t, "u");
    see("clip miles 0 3");
}

static void themes_are_tried_before_they_are_kept(void **state)
{
    (void)state;
    assert_int_equal(bench_start(500, 30, 110, "clean", "No rules yet"), 0);
    Term *t = bench.term;
    unsigned before = term_back(t, 12, 3);
    term_press(t, "T");
    see("Themes");
    see("the row under the cursor");
    term_press(t, "j j"); /* colour-blind dark high-contrast light */
    term_settle(t);
    assert_true(term_back(t, 28, 3) != before || term_has(t, "light"));
    term_press(t, "Esc");
    gone("the row under the cursor");
    assert_int_equal(term_back(t, 12, 3), before);
}

/* Through a pipe, and with TERM=dumb: lines instead of a screen. */
static void without_a_screen_it_speaks_in_lines(void **state)
{
    (void)state;
    char line[600];
    Text said = {0};
    Error err = {0};
    bench_dataset(&bench, "trips", 300);
    snprintf(line, sizeof line, "cd %s && %s -w work --plain </dev/null >said 2>&1", bench.dir, LATHE_PROGRAM);
    assert_int_equal(system(line), 0);
    snprintf(line, sizeof line, "%s/said", bench.dir);
    assert_true(file_read(line, &said, 1 << 20, &err));
    assert_non_null(strstr(text_str(&said), "dataset trips: 300 rows, 6 columns, "));
    text_release(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_whole_way_by_a_file, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_step_that_fails_says_where, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(without_a_screen_it_speaks_in_lines, bench_begin, bench_end),
        cmocka_unit_test_teardown(keys_are_recorded_and_played, bench_end),
        cmocka_unit_test_teardown(keys_come_from_a_file, bench_end),
        cmocka_unit_test_teardown(a_recipe_goes_through_the_editor, bench_end),
        cmocka_unit_test_teardown(themes_are_tried_before_they_are_kept, bench_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
