/* theme_manual.c -- man/lathe-themes.5 names every role there is, in order and in the words of STYLES, and
 * the themes that come with the program. */
#include "tui/theme.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static Text manual;

/* As the manual's source writes it: hyphens that are minus signs. */
static void add_troff(Text *into, const char *s)
{
    for (; *s; s++)
        text_puts(into, *s == '-' ? "\\-" : (char[]){*s, 0});
}

static int read_manual(void **state)
{
    (void)state;
    Error err = {0};
    return file_read(LATHE_SOURCE_DIR "/man/lathe-themes.5", &manual, 1 << 20, &err) ? 0 : -1;
}

static int drop_manual(void **state)
{
    (void)state;
    text_release(&manual);
    return 0;
}

static void every_role_is_explained_in_order(void **state)
{
    static const char *const about[] = {
#define AS_ABOUT(id, name, mono, sixteen, meaning) meaning,
        STYLES(AS_ABOUT)
#undef AS_ABOUT
    };
    (void)state;
    const char *from = strstr(text_str(&manual), ".SH ROLES\n");
    assert_non_null(from);
    const char *end = strstr(from, ".SH FEWER");
    assert_non_null(end);
    size_t entries = 0;
    for (const char *at = from; (at = strstr(at, ".TP\n")) && at < end; at++)
        entries++;
    assert_int_equal(entries, STYLE_SERIES);
    for (Style role = 0; role < STYLE_SERIES; role++) {
        Text want = {0};
        text_puts(&want, ".TP\n.B ");
        add_troff(&want, style_name(role));
        text_puts(&want, "\n");
        add_troff(&want, about[role]);
        text_puts(&want, "\n");
        const char *found = strstr(from, text_str(&want));
        if (!found || found > end)
            fail_msg("not in the manual, or not in order: %s", style_name(role));
        from = found + 1;
        text_release(&want);
    }
}

static void is_named(void *context, const char *name, const char *about)
{
    Text want = {0};
    (void)context;
    (void)about;
    add_troff(&want, name);
    const char *files = strstr(text_str(&manual), ".SH FILES");
    assert_non_null(files);
    if (!strstr(files, text_str(&want)))
        fail_msg("the manual's FILES do not name the theme %s", name);
    text_release(&want);
}

static void every_theme_is_named(void **state)
{
    (void)state;
    theme_list(is_named, NULL);
}

/* The example is a theme that loads, and means what it says. */
static void the_example_loads(void **state)
{
    (void)state;
    Error err = {0};
    Theme t = {0};
    Text file = {0};
    char dir[] = "/tmp/lathe-theme-XXXXXX", path[64];
    const char *from = strstr(text_str(&manual), ".EX\n"), *end = strstr(text_str(&manual), ".EE\n");
    assert_true(from && end && from < end);
    text_add(&file, from + 4, (size_t)(end - from) - 4);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/night.ini", dir);
    assert_true(file_write(path, file.at, file.count, &err));
    bool ok = theme_load(&t, path, &err);
    assert_true(dir_remove(dir, NULL));
    text_release(&file);
    if (!ok)
        fail_msg("%s", err.text);
    assert_string_equal(t.name, "night");
    assert_int_equal(t.look[STYLE_HEADER].fore, 0xffd070);
    assert_int_equal(t.look[STYLE_HEADER].back, 0x000000); /* as plain */
    assert_int_equal(t.look[STYLE_HEADER].attrs, ATTR_BOLD);
    assert_int_equal(t.look[STYLE_SERIES + 1].fore, 0x60c0ff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_role_is_explained_in_order),
        cmocka_unit_test(every_theme_is_named),
        cmocka_unit_test(the_example_loads),
    };
    return cmocka_run_group_tests(tests, read_manual, drop_manual);
}
