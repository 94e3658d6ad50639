/* theme.c -- tests the theme files: all load, the compiled-in one is themes/dark.ini, mistakes are named,
 * and letters can be read on their ground. */
#include "tui/theme.h"
#include "tui/theme_dark.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void compiled_in_is_the_file(void **state)
{
    (void)state;
    Error err = {0};
    Text text = {0};
    assert_true(file_read(LATHE_SOURCE_DIR "/themes/dark.ini", &text, 1 << 16, &err));
    assert_string_equal(text_str(&text), theme_dark);
    text_release(&text);
}

/* Relative luminance and contrast as WCAG 2.1 defines them. */
static double luminance(Colour c)
{
    double sum = 0, weight[3] = {0.2126, 0.7152, 0.0722};
    for (int i = 0; i < 3; i++) {
        double v = (double)(c >> (16 - 8 * i) & 255) / 255;
        sum += weight[i] * (v <= 0.03928 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
    }
    return sum;
}

static double contrast(Colour a, Colour b)
{
    double x = luminance(a), y = luminance(b);
    return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

static int seen;

static void check_theme(void *context, const char *name, const char *about)
{
    (void)context;
    Theme t = {0};
    Error err = {0};
    seen++;
    assert_true(*about != 0);
    if (!theme_load(&t, name, &err))
        fail_msg("%s", err.text);
    assert_string_equal(t.name, name);
    static const Style read_often[] = {
        STYLE_PLAIN, STYLE_STRONG, STYLE_HEADER,     STYLE_CURSOR,  STYLE_CURSOR_IDLE,  STYLE_CELL,
        STYLE_TAB,   STYLE_STATUS, STYLE_TAB_ACTIVE, STYLE_POPUP,   STYLE_POPUP_CURSOR, STYLE_INPUT,
        STYLE_BAD,   STYLE_WARN,   STYLE_GOOD,       STYLE_HINT_KEY};
    for (size_t i = 0; i < sizeof read_often / sizeof *read_often; i++) {
        const Look *look = &t.look[read_often[i]];
        double c = contrast(look->fore, look->back);
        if (c < 4.0)
            fail_msg("theme %s: style %s has a contrast of %.1f only", name,
                     style_name(read_often[i]), c);
    }
    /* letters of a table keep their colours on the row under the cursor */
    static const Style letters[] = {
        STYLE_PLAIN,       STYLE_STRONG,      STYLE_NUMBER, STYLE_TEXT,   STYLE_TIME,
        STYLE_BOOL,        STYLE_MARK,        STYLE_GOOD,   STYLE_WARN,   STYLE_BAD,
        STYLE_INFO,        STYLE_KEYWORD,     STYLE_STRING, STYLE_HEADER, STYLE_DIM,
        STYLE_ROLE_TARGET, STYLE_ROLE_FEATURE};
    static const Style grounds[] = {STYLE_CURSOR, STYLE_CURSOR_IDLE, STYLE_POPUP};
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        for (size_t k = 0; k < 3; k++) {
            double c = contrast(t.look[letters[i]].fore, t.look[grounds[k]].back);
            if (c < (letters[i] == STYLE_DIM ? 2.0 : 3.0))
                fail_msg("theme %s: %s on %s has a contrast of %.1f only", name,
                         style_name(letters[i]), style_name(grounds[k]), c);
        }
    for (size_t i = 0; i < SERIES_COLOURS; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(t.look[STYLE_SERIES + i].fore, t.look[STYLE_SERIES + k].fore);
}

static void all_load_and_can_be_read(void **state)
{
    (void)state;
    seen = 0;
    theme_list(check_theme, NULL);
    assert_true(seen >= 4);
}

static void refuse(const char *text, const char *say)
{
    char path[] = "/tmp/lathe-theme-XXXXXX";
    int fd = mkstemp(path);
    assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    Theme t = {0};
    Error err = {0};
    strcpy(t.name, "as it was");
    bool ok = theme_load(&t, path, &err);
    unlink(path);
    assert_false(ok);
    assert_non_null(strstr(err.text, say));
    assert_non_null(strstr(err.text, path));
    assert_string_equal(t.name, "as it was");
}

static void mistakes_are_named(void **state)
{
    (void)state;
    refuse("[styles]\nplain = #ffffff #000000\ncursr = #ffffff\n",
           "line 3: no style 'cursr', did you mean cursor?");
    refuse("[styles]\nplain = #ffffff #00000g\n", "line 2: expected #rrggbb");
    refuse("[style]\nplain = #ffffff\n", "line 2: expected [theme], [styles] or [series]");
    refuse("[series]\n11 = #ffffff\n", "line 2: [series] has 1 to 10, not '11'");
    refuse("plain #fff\n", "line 1:");
    Theme t = {0};
    Error err = {0};
    assert_false(theme_load(&t, "no-such-theme", &err));
    assert_non_null(strstr(err.text, "no theme 'no-such-theme'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compiled_in_is_the_file),
        cmocka_unit_test(all_load_and_can_be_read),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
