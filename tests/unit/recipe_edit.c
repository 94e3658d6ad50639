/* recipe_edit.c -- the recipe as a list: text and back, edits, undo and redo. */
#include "recipe_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char *text_of(const Recipe *r)
{
    Text t = {0};
    recipe_print(r, &t);
    char *copy = text_copy(text_str(&t));
    text_release(&t);
    return copy;
}

static void assert_text(const Recipe *r, const char *wanted)
{
    char *got = text_of(r);
    assert_string_equal(got, wanted);
    mem_free(got);
}

static const char design[] =
    "drop missing FAREAMOUNT, MILEAGE\n"
    "keep FAREAMOUNT between 3 and 200\n"
    "derive distance_km = haversine(ORIGIN_BLOCK_LATITUDE, ORIGIN_BLOCK_LONGITUDE, "
    "DESTINATION_BLOCK_LATITUDE, DESTINATION_BLOCK_LONGITUDE)\n"
    "derive hour = hour(ORIGINDATETIME_TR)\n"
    "clip MILEAGE 0 60\n"
    "impute DURATION median\n"
    "replace PAYMENTTYPE \"1\" \"Credit\"\n"
    "drop outliers FAREAMOUNT iqr 3\n"
    "expect PAYMENTTYPE in (\"Credit\", \"Cash\") mostly 0.99\n";

static void test_text(void **state)
{
    (void)state;
    Error err = {0};
    Recipe *r = recipe_create();
    assert_true(recipe_parse(r, design, &err));
    assert_int_equal(recipe_count(r), 9);
    assert_string_equal(recipe_rule(r, 4), "clip MILEAGE 0 60");
    assert_text(r, design);
    const char *noted =
        "# taxi\n\nclip A 0 1\n# off: drop missing B\n# off: not a rule, a comment\n"
        "keep A > 0 # why not\n# the end\n";
    assert_true(recipe_parse(r, noted, &err));
    assert_int_equal(recipe_count(r), 3);
    assert_false(recipe_is_on(r, 1));
    assert_string_equal(recipe_rule(r, 1), "drop missing B");
    assert_text(r, noted);
    /* carriage returns, blanks and a last line without an end are fine */
    assert_true(recipe_parse(r, "  clip A 0 1 \r\n\tkeep A > 0", &err));
    assert_text(r, "clip A 0 1\nkeep A > 0\n");
    assert_true(recipe_parse(r, "", &err));
    assert_int_equal(recipe_count(r), 0);
    assert_text(r, "");
    recipe_destroy(r);
    recipe_destroy(NULL);
}

static void test_failed_parse_changes_nothing(void **state)
{
    (void)state;
    Error err = {0};
    Recipe *r = recipe_create();
    assert_true(recipe_parse(r, "clip A 0 1\n", &err));
    assert_false(recipe_parse(r, "keep A > 1\nkeep A >\n", &err));
    assert_string_equal(err.text, "line 2, column 9: expected a value, found the end of the line");
    assert_false(recipe_insert(r, 0, "clip", &err));
    assert_string_equal(err.text, "column 5: expected a column, found the end of the line");
    assert_false(recipe_insert(r, 0, "clip A 0 1\nclip B 0 1", &err));
    assert_string_equal(err.text, "a rule is one line");
    assert_false(recipe_insert(r, 0, "", &err));
    assert_false(recipe_replace(r, 0, "clip A 0", &err));
    assert_false(recipe_replace(r, 7, "clip A 0 1", &err));
    recipe_remove(r, 3);
    recipe_toggle(r, 1);
    recipe_move(r, 0, 5);
    assert_text(r, "clip A 0 1\n");
    assert_true(recipe_undo(r));
    assert_false(recipe_undo(r)); /* what failed or did nothing is no step */
    recipe_destroy(r);
}

static void test_edits(void **state)
{
    (void)state;
    Error err = {0};
    Recipe *r = recipe_create();
    assert_true(recipe_insert(r, 0, "  clip B 0 1  ", &err));
    assert_true(recipe_insert(r, 0, "clip A 0 1", &err));
    assert_true(recipe_insert(r, 99, "clip C 0 1", &err));
    assert_text(r, "clip A 0 1\nclip B 0 1\nclip C 0 1\n");
    recipe_move(r, 0, 2);
    assert_text(r, "clip B 0 1\nclip C 0 1\nclip A 0 1\n");
    recipe_toggle(r, 1);
    assert_text(r, "clip B 0 1\n# off: clip C 0 1\nclip A 0 1\n");
    assert_true(recipe_replace(r, 1, "drop missing C", &err));
    assert_text(r, "clip B 0 1\n# off: drop missing C\nclip A 0 1\n");
    recipe_remove(r, 0);
    assert_text(r, "# off: drop missing C\nclip A 0 1\n");
    Recipe *copy = recipe_copy(r);
    for (int i = 0; i < 7; i++)
        assert_true(recipe_undo(r));
    assert_text(r, "");
    assert_false(recipe_undo(r));
    for (int i = 0; i < 6; i++)
        assert_true(recipe_redo(r));
    assert_text(r, "clip B 0 1\n# off: drop missing C\nclip A 0 1\n");
    recipe_toggle(r, 0); /* a new edit forgets what was undone */
    assert_false(recipe_redo(r));
    assert_text(copy, "# off: drop missing C\nclip A 0 1\n"); /* a copy has a history of its own */
    assert_true(recipe_undo(copy));
    assert_text(copy, "clip B 0 1\n# off: drop missing C\nclip A 0 1\n");
    recipe_destroy(copy);
    recipe_destroy(r);
}

static void test_most_rules(void **state)
{
    (void)state;
    Error err = {0};
    Recipe *r = recipe_create();
    Text t = {0};
    for (int i = 0; i < RULES_MOST; i++)
        text_printf(&t, "clip C%d 0 1\n", i);
    assert_true(recipe_parse(r, text_str(&t), &err));
    assert_false(recipe_insert(r, 0, "clip A 0 1", &err));
    text_puts(&t, "clip A 0 1\n");
    assert_false(recipe_parse(r, text_str(&t), &err));
    assert_string_equal(err.text, "line 257: a recipe has at most 256 rules");
    assert_int_equal(recipe_count(r), RULES_MOST);
    text_release(&t);
    recipe_destroy(r);
}

/* Random edits: undo goes back through every text that was, redo forward again. */
static void test_undo_property(void **state)
{
    (void)state;
    static const char *const rules[] = {"clip A 0 1",     "drop missing",
                                        "keep A > 1 # c", "replace A \"#\" \"x\"",
                                        "rename A to B",  "expect B = 2"};
    for (uint64_t seed = 1; seed <= 60; seed++) {
        Rng rng;
        Error err = {0};
        VEC(char *) seen = {0};
        rng_seed(&rng, seed, 0);
        Recipe *r = recipe_create();
        vec_add(&seen, text_of(r));
        for (int step = 0; step < 60; step++) {
            size_t n = recipe_count(r), at = (size_t)rng_below(&rng, n + 1);
            const char *rule = rules[rng_below(&rng, 6)];
            switch (rng_below(&rng, 7)) {
            case 0:
            case 1:
                assert_true(recipe_insert(r, at, rule, &err));
                break;
            case 2:
                recipe_remove(r, at);
                break;
            case 3:
                recipe_move(r, at, (size_t)rng_below(&rng, n + 1));
                break;
            case 4:
                recipe_toggle(r, at);
                break;
            case 5:
                recipe_replace(r, at, rule, &err);
                break;
            default:
                assert_true(recipe_parse(r, "# n\nclip A 0 1\n\n# off: clip B 1 2\n# t\n", &err));
            }
            char *now = text_of(r);
            Recipe *again = recipe_create();
            assert_true(recipe_parse(again, now, &err));
            assert_text(again, now);
            recipe_destroy(again);
            vec_add(&seen, now);
        }
        /* steps that changed nothing are not in the history: walk by different texts */
        for (size_t i = seen.count; recipe_undo(r);) {
            char *now = text_of(r);
            while (i > 0 && strcmp(seen.at[i - 1], now) != 0)
                i--;
            assert_true(i > 0);
            mem_free(now);
        }
        assert_text(r, "");
        while (recipe_redo(r))
            ;
        assert_text(r, *vec_last(&seen));
        for (size_t i = 0; i < seen.count; i++)
            mem_free(seen.at[i]);
        vec_release(&seen);
        recipe_destroy(r);
    }
}

static void test_read(void **state)
{
    (void)state;
    char dir[] = "/tmp/lathe-recipe-XXXXXX", path[64];
    Error err = {0};
    Recipe *r = recipe_create();
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/taxi.recipe", dir);
    assert_false(recipe_read(r, path, &err));
    assert_non_null(strstr(err.text, "taxi.recipe"));
    assert_true(file_write(path, design, strlen(design), &err));
    assert_true(recipe_read(r, path, &err));
    assert_text(r, design);
    assert_true(file_write(path, "\n\nclip A\n", 9, &err));
    assert_false(recipe_read(r, path, &err));
    assert_non_null(strstr(err.text, "taxi.recipe: line 3, column 7: expected a value"));
    assert_true(file_write(path, "clip\0A", 6, &err));
    assert_false(recipe_read(r, path, &err));
    assert_non_null(strstr(err.text, "not a text file"));
    assert_true(file_write(path, "clip \xFF 1 2", 10, &err));
    assert_false(recipe_read(r, path, &err));
    assert_non_null(strstr(err.text, "not UTF-8"));
    assert_false(recipe_read(r, dir, &err));
    assert_text(r, design);
    assert_true(dir_remove(dir, &err));
    recipe_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),          cmocka_unit_test(test_failed_parse_changes_nothing),
        cmocka_unit_test(test_edits),         cmocka_unit_test(test_most_rules),
        cmocka_unit_test(test_undo_property), cmocka_unit_test(test_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
