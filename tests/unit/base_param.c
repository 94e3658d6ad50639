/* base_param.c -- settings: defaults, text to field and back, and what is refused and how. */
#include <lathe/base.h>

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef struct Settings {
    bool norm;
    int epochs;
    double lr;
    int activation;
    char *note;
    ParamSizes hidden;
} Settings;

static const char *const activations[] = {"relu", "gelu", "tanh", NULL};

// clang-format off
static const Param rows[] = {
    PARAM_BOOL (Settings, norm,       "norm",       true,                    "normalise", .live = false),
    PARAM_INT  (Settings, epochs,     "epochs",     30, 1, 100000, "epochs", "how long", .live = true),
    PARAM_REAL (Settings, lr,         "lr",         1e-3, 1e-6, 1, "",       "step size", .log = true),
    PARAM_PICK (Settings, activation, "activation", 0, activations,          "between layers", .live = false),
    PARAM_TEXT (Settings, note,       "note",       "none",                  "for people", .live = false),
    PARAM_SIZES(Settings, hidden,     "hidden",     "128,64", 1, 4096, "units", "layer widths", .live = false),
    PARAM_END
};
// clang-format on

static void expect_get(const Settings *s, const char *name, const char *want)
{
    Text text = {0};
    param_get(param_find(rows, name), s, &text);
    assert_string_equal(text_str(&text), want);
    text_release(&text);
}

static void defaults(void **state)
{
    (void)state;
    Settings s;
    params_init(rows, &s);
    assert_true(s.norm);
    assert_int_equal(s.epochs, 30);
    assert_true(s.lr == 1e-3);
    assert_string_equal(s.note, "none");
    assert_int_equal(s.hidden.count, 2);
    assert_int_equal(s.hidden.at[1], 64);
    for (const Param *row = rows; row->kind != PARAM_KIND_END; row++) {
        Text is = {0}, says = {0};
        param_get(row, &s, &is);
        param_default(row, &says);
        assert_string_equal(text_str(&is), text_str(&says));
        assert_true(param_set(row, &s, text_str(&says), NULL)); /* a default is in its range */
        text_release(&is);
        text_release(&says);
    }
    params_release(rows, &s);
    params_release(rows, &s);
    assert_null(param_find(rows, "nothing"));
}

static void round_trips(void **state)
{
    (void)state;
    Settings s, t;
    params_init(rows, &s);
    params_init(rows, &t);
    Rng rng;
    rng_seed(&rng, 9, 0);
    for (int i = 0; i < 2000; i++) {
        s.norm = rng_below(&rng, 2);
        s.epochs = 1 + (int)rng_below(&rng, 100000);
        s.lr = 1e-6 + rng_unit(&rng) * (1 - 1e-6);
        s.activation = (int)rng_below(&rng, 3);
        s.hidden.count = (int)rng_below(&rng, 9);
        for (int k = 0; k < s.hidden.count; k++)
            s.hidden.at[k] = 1 + (int)rng_below(&rng, 4096);
        for (const Param *row = rows; row->kind != PARAM_KIND_END; row++) {
            Text text = {0};
            param_get(row, &s, &text);
            assert_true(param_set(row, &t, text_str(&text), NULL));
            text_release(&text);
        }
        assert_int_equal(s.norm, t.norm);
        assert_int_equal(s.epochs, t.epochs);
        assert_true(s.lr == t.lr);
        assert_int_equal(s.activation, t.activation);
        assert_int_equal(s.hidden.count, t.hidden.count);
        assert_memory_equal(s.hidden.at, t.hidden.at, sizeof(int) * (size_t)s.hidden.count);
    }
    assert_true(param_set(param_find(rows, "note"), &s, "with = and \xc3\xa9", NULL));
    expect_get(&s, "note", "with = and \xc3\xa9");
    assert_true(param_set(param_find(rows, "note"), &s, s.note, NULL)); /* itself */
    expect_get(&s, "note", "with = and \xc3\xa9");
    params_release(rows, &s);
    params_release(rows, &t);
}

static void accepts(void **state)
{
    (void)state;
    Settings s;
    params_init(rows, &s);
    static const char *const good[][3] = {{"norm", "off", "no"},
                                          {"norm", "TRUE", "yes"},
                                          {"norm", "0", "no"},
                                          {"epochs", "1e3", "1000"},
                                          {"epochs", "+5", "5"},
                                          {"lr", "1e-6", "1e-06"},
                                          {"lr", "1", "1"},
                                          {"activation", "GELU", "gelu"},
                                          {"hidden", "", ""},
                                          {"hidden", "7", "7"},
                                          {"hidden", " 8 , 9", "8,9"},
                                          {"hidden", "1,2,3,4,5,6,7,8", "1,2,3,4,5,6,7,8"}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        Error err = {0};
        if (!params_set(rows, &s, good[i][0], good[i][1], &err))
            fail_msg("%s", err.text);
        expect_get(&s, good[i][0], good[i][2]);
    }
    params_release(rows, &s);
}

static void refuses(void **state)
{
    (void)state;
    Settings s;
    params_init(rows, &s);
    static const char *const bad[][3] = {
        {"lr", "fast", "lr: expected a number from 1e-06 to 1, found 'fast'"},
        {"lr", "2", "lr: expected a number from 1e-06 to 1, found '2'"},
        {"lr", "nan", "lr: expected a number from 1e-06 to 1, found 'nan'"},
        {"lr", "", "lr: expected a number from 1e-06 to 1, found ''"},
        {"epochs", "2.5", "epochs: expected a whole number from 1 to 100000, found '2.5'"},
        {"epochs", "0", "epochs: expected a whole number from 1 to 100000, found '0'"},
        {"epochs", "1e300", "epochs: expected a whole number from 1 to 100000, found '1e300'"},
        {"norm", "maybe", "norm: expected yes or no, found 'maybe'"},
        {"activation", "relo",
         "activation: expected one of relu, gelu, tanh, found 'relo'; did you mean relu?"},
        {"activation", "", "activation: expected one of relu, gelu, tanh, found ''"},
        {"hidden", "8,,8", "hidden: expected sizes like 128,128 (1 to 4096), found '8,,8'"},
        {"hidden", "8,", "hidden: expected sizes like 128,128 (1 to 4096), found '8,'"},
        {"hidden", "0", "hidden: expected each size in its range (1 to 4096), found '0'"},
        {"hidden", "1,2,3,4,5,6,7,8,9",
         "hidden: expected at most 8 sizes (1 to 4096), found '1,2,3,4,5,6,7,8,9'"},
        {"epoch", "3", "no setting 'epoch', did you mean epochs?"},
        {"zzz", "3", "no setting 'zzz'; there are: norm, epochs, lr, activation, note, hidden"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Error err = {0};
        assert_false(params_set(rows, &s, bad[i][0], bad[i][1], &err));
        assert_int_equal(err.kind, ERROR_USAGE);
        assert_string_equal(err.text, bad[i][2]);
        assert_false(params_set(rows, &s, bad[i][0], bad[i][1], NULL));
    }
    expect_get(&s, "lr", "0.001"); /* a refused value changes nothing */
    expect_get(&s, "epochs", "30");
    expect_get(&s, "hidden", "128,64");
    params_release(rows, &s);
}

static void ranges(void **state)
{
    (void)state;
    static const char *const known[][2] = {
        {"norm", "yes | no"}, {"epochs", "1 .. 100000"},
        {"lr", "1e-06 .. 1"}, {"activation", "relu | gelu | tanh"},
        {"note", "text"},     {"hidden", "sizes 1 .. 4096"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        Text text = {0};
        param_range(param_find(rows, known[i][0]), &text);
        assert_string_equal(text_str(&text), known[i][1]);
        text_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults), cmocka_unit_test(round_trips), cmocka_unit_test(accepts),
        cmocka_unit_test(refuses),  cmocka_unit_test(ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
