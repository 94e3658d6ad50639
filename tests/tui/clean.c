/* clean.c -- tests the Clean pane: rules are written, completed, previewed, switched, moved, undone, kept,
 * applied; mistakes are said where they are. */
#include "support/workbench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static int setup(void **state)
{
    (void)state;
    return bench_start(30000, 36, 120, "clean", "No rules yet");
}

static void write_rule(const char *rule)
{
    term_press(bench.term, "a");
    term_type(bench.term, rule);
    term_press(bench.term, "Enter");
}

static void preview_comes_while_typing(void **state)
{
    (void)state;
    term_press(bench.term, "a");
    term_type(bench.term, "drop missing miles");
    see("10% of the rows dropped");
    see("every row"); /* the exact answer follows the sample */
    see("3,000 of 30,000");
    see("valid");
    term_press(bench.term, "Enter");
    see("1 rule");
    see("-3,000 rows");
    see("27,000 of 30,000 rows left");
}

static void mistakes_are_shown_where_they_are(void **state)
{
    (void)state;
    term_press(bench.term, "a");
    term_type(bench.term, "clip milse 0 5");
    see("no column milse, did you mean miles?");
    term_press(bench.term, "Enter");
    term_press(bench.term, "Ctrl-U");
    term_type(bench.term, "frobnicate everything");
    see("✗");
    term_press(bench.term, "Enter"); /* refused: it stays */
    see("frobnicate everything");
    term_press(bench.term, "Esc");
    see("No rules yet");
}

static void completes_rules_and_columns(void **state)
{
    (void)state;
    term_press(bench.term, "a");
    term_type(bench.term, "imp\t");
    see("impute");
    term_type(bench.term, "mil\t");
    see("impute miles");
    term_type(bench.term, "med\t");
    see("impute miles median");
    see("10% of the rows changed");
    term_press(bench.term, "Enter");
    see("~3,000");
}

static void rules_are_switched_moved_undone(void **state)
{
    (void)state;
    write_rule("drop missing miles");
    write_rule("keep fare between 5 and 20");
    write_rule("clip miles 0 3");
    see("3 rules");
    term_press(bench.term, "Space");
    see("○");
    term_press(bench.term, "Space");
    assert_true(term_wait_gone(bench.term, "○", 5));
    term_press(bench.term, "K K");
    int clip, drop;
    see("1 ● clip");
    assert_true(term_find(bench.term, "clip miles", &clip, NULL) &&
                term_find(bench.term, "drop missing", &drop, NULL));
    assert_true(clip < drop);
    term_press(bench.term, "J d");
    see("2 rules");
    assert_false(term_has(bench.term, "clip miles"));
    term_press(bench.term, "u");
    see("clip miles");
    term_press(bench.term, "Ctrl-R");
    assert_true(term_wait_gone(bench.term, "clip miles", 5));
    for (int i = 0; i < 10; i++)
        term_press(bench.term, "u");
    see("No rules yet");
    term_press(bench.term, "u");
    see("nothing to take back");
}

static void edits_in_place(void **state)
{
    (void)state;
    write_rule("clip miles 0 3");
    term_press(bench.term, "Enter");
    see("accept");
    term_press(bench.term, "Backspace");
    term_type(bench.term, "4");
    term_press(bench.term, "Enter");
    see("clip miles 0 4");
    term_press(bench.term, "Enter Ctrl-A Ctrl-K");
    term_press(bench.term, "Esc");
    see("clip miles 0 4");
}

static void the_draft_is_kept(void **state)
{
    (void)state;
    write_rule("drop missing miles");
    see("27,000 of 30,000 rows left");
    term_close(bench.term);
    bench_open(&bench, 36, 120, "clean", NULL);
    see("drop missing miles");
    see("27,000 of 30,000 rows left");
}

static void applies_to_a_new_dataset(void **state)
{
    (void)state;
    write_rule("drop missing miles");
    term_press(bench.term, "A");
    see("Apply the recipe");
    see("trips_clean");
    term_press(bench.term, "Enter");
    see("cleaned: 27,000 of 30,000 rows are left");
    see("● trips_clean");
    see("by a recipe");
}

static void picks_and_suggests(void **state)
{
    (void)state;
    see("The data asks for");
    see("impute miles median");
    term_press(bench.term, "s");
    see("of its values are missing");
    term_press(bench.term, "Enter");
    see("1 rule");
    term_press(bench.term, "p");
    see("Add a rule");
    term_type(bench.term, "dedupe");
    term_press(bench.term, "Enter");
    see("accept");
    term_press(bench.term, "Esc");
    see("1 rule");
}

static void recipe_files_round_trip(void **state)
{
    (void)state;
    char path[200];
    write_rule("drop missing miles");
    term_press(bench.term, "w");
    see("Write the recipe");
    term_press(bench.term, "Ctrl-U");
    snprintf(path, sizeof path, "%s/a.recipe", bench.dir);
    term_type(bench.term, path);
    term_press(bench.term, "Enter");
    see("recipe written to");
    term_press(bench.term, "d");
    see("No rules yet");
    term_press(bench.term, "e Enter");
    see("1 rules read");
    see("drop missing miles");
    term_press(bench.term, "e Ctrl-U");
    term_type(bench.term, "/nowhere/at-all");
    term_press(bench.term, "Enter");
    see("/nowhere/at-all");
}

static void small_and_large_are_whole(void **state)
{
    (void)state;
    write_rule("clip miles 0 3");
    static const int sizes[][2] = {{24, 80}, {16, 60}, {60, 200}};
    for (size_t i = 0; i < 3; i++) {
        term_resize(bench.term, sizes[i][0], sizes[i][1]);
        see("clip miles 0 3");
        see("Blast radius");
        see("of the rows changed");
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_end)
    const struct CMUnitTest tests[] = {
        T(preview_comes_while_typing),
        T(mistakes_are_shown_where_they_are),
        T(completes_rules_and_columns),
        T(rules_are_switched_moved_undone),
        T(edits_in_place),
        T(the_draft_is_kept),
        T(applies_to_a_new_dataset),
        T(picks_and_suggests),
        T(recipe_files_round_trip),
        T(small_and_large_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
