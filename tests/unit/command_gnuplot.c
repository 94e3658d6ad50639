/* command_gnuplot.c -- pictures by gnuplot: how far one is, and stopping it. */
#include <lathe/command.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char *where(char path[80], const char *ending)
{
    snprintf(path, 80, "/tmp/lathe-picture-%d%s", (int)getpid(), ending);
    return path;
}

static Text curve(size_t points)
{
    Text t = {0};
    text_puts(&t, "plot '-' with lines\n");
    for (size_t i = 0; i < points; i++)
        text_printf(&t, "%zu %zu\n", i, i * i % 97);
    text_puts(&t, "e\n");
    return t;
}

static void it_tells_how_far_it_is(void **state)
{
    (void)state;
    static const char *const endings[] = {".png", ".svg", ".pdf"}, *const begins[] = {"\x89PNG", "<?xml", "%PDF"};
    for (size_t i = 0; i < 3; i++) {
        char path[80];
        Error err = {0};
        Progress progress = {0};
        Text commands_text = curve(100000), made = {0};
        if (!gnuplot_picture(where(path, endings[i]), 600, 400, &commands_text, &progress, &err))
            fail_msg("%s", err.text);
        assert_true(atomic_load(&progress.total) > 600000);
        assert_int_equal(atomic_load(&progress.done), atomic_load(&progress.total));
        assert_true(file_read(path, &made, 1 << 24, &err));
        assert_memory_equal(made.at, begins[i], strlen(begins[i]));
        unlink(path);
        text_release(&commands_text);
        text_release(&made);
    }
}

/* gnuplot would wait for an hour. */
static void it_can_be_stopped(void **state)
{
    (void)state;
    char path[80];
    Error err = {0};
    Progress progress = {0};
    Text commands_text = {0};
    text_puts(&commands_text, "pause 3600\n");
    stop_ask(&progress.stop);
    double began = clock_now();
    assert_false(gnuplot_picture(where(path, ".png"), 600, 400, &commands_text, &progress, &err));
    assert_int_equal(err.kind, ERROR_STOP);
    assert_true(clock_now() - began < 60);
    assert_false(file_exists(path));
    text_release(&commands_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_tells_how_far_it_is),
        cmocka_unit_test(it_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
