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
    see("nothing was changed here");
}

/* The recipe's text has lines that are no rules: what is wrong with a rule is still its own. */
static void comments_do_not_shift_mistakes(void **state)
{
    (void)state;
    char path[160];
    Error err = {0};
    const char *text = "# of the first day\n\ndrop missing miles\n";
    snprintf(path, sizeof path, "%s/b.recipe", bench.dir);
    assert_true(file_write(path, text, strlen(text), &err));
    term_press(bench.term, "e Ctrl-U");
    term_type(bench.term, path);
    term_press(bench.term, "Enter");
    see("1 rules read");
    term_press(bench.term, "a");
    term_type(bench.term, "clip milse 0 5");
    see("✗ column 6: no column milse");
    term_press(bench.term, "Enter"); /* refused: it stays */
    see("accept");
    term_press(bench.term, "Esc");
    see("1 rule ");
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

/* One of each kind: a constant column, one said twice, words and a number that stand for missing, spellings,
 * outliers, a very small and a very large number. */
static void add_dirty(void)
{
    Text csv = {0};
    Rng r;
    rng_seed(&r, 5, 0);
    text_puts(&csv, "id,temp,temp too,city,age,amount,tiny,big,year\n");
    for (int i = 0; i < 3000; i++) {
        static const char *const city[] = {"Oslo", "Oslo", "New York", "Bergen", "oslo", "new-york", "unknown", "Lima"};
        double temp = rng_normal(&r);
        text_printf(&csv, "%d,%.4f,%.4f,%s,%d,%.3f,%.9f,%.0f,2019\n", i, temp, temp, city[i % 40 < 5 ? 4 + i % 3 : i % 3 == 0 ? 7 : i % 4],
                    i % 60 == 7 ? -999 : 18 + i % 50, i == 40 ? 900.0 : 50 + rng_normal(&r), (i == 50 ? 90 : rng_normal(&r)) * 1e-6,
                    (i == 60 ? 90 : 5 + rng_normal(&r)) * 1e9);
    }
    bench_ingest("dirty", &csv);
    see("dirty: 3,000 rows");
}

static void suggests_and_takes_with_one_key(void **state)
{
    (void)state;
    static const char *const said[] = {"drop column `temp too`", "the same as temp in every row", "replace city \"unknown\" null",
                                       "values look like missing", "2 spellings of one category", "replace age -999 null",
                                       "50 values look like missing: -999", "every row has the same value: 2019", "up to 900",
                                       "clip amount "};
    Term *t = bench.term;
    add_dirty();
    term_press(t, "2");
    see("The data ask for");
    term_press(t, "s");
    see("What dirty asks for");
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        see(said[i]);
    see("clip big "); /* bounds as digits, never with powers of ten */
    assert_false(term_has(t, "e+") || term_has(t, "e-0"));
    see("1 of 9 columns dropped"); /* what it would do */
    term_press(t, "Enter");
    see("taken: drop column");
    see("1 rule ");
    term_press(t, "j Enter");
    see("2 rules");
    term_press(t, "Enter"); /* out again */
    see("1 rule ");
    term_press(t, "u");
    see("2 rules");
    term_press(t, "u u u");
    gone("1 rule ");
    term_press(t, "G k Enter Esc");
    see("Recipe for dirty");
    see("1 rule ");
    see("~1 ");
}

static void picks_and_suggests(void **state)
{
    (void)state;
    see("The data ask for");
    see("impute miles median");
    term_press(bench.term, "s");
    see("of its values are missing");
    term_press(bench.term, "Enter");
    see("1 rule");
    term_press(bench.term, "s");
    see("Recipe for trips");
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
        T(comments_do_not_shift_mistakes),
        T(edits_in_place),
        T(the_draft_is_kept),
        T(applies_to_a_new_dataset),
        T(picks_and_suggests),
        T(suggests_and_takes_with_one_key),
        T(recipe_files_round_trip),
        T(small_and_large_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
