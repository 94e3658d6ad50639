/* every_key.c -- every key of every pane, taken from the tables. */
#include "every_key.h"

#include "workbench.h"

#include "tui/pane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* The screen as one text: two of them differ where something was done. */
static char *screen_now(Term *t, int rows)
{
    Text all = {0};
    for (int i = 0; i < rows; i++)
        text_printf(&all, "%s\n", term_row(t, i));
    return text_take(&all);
}

static bool pressed_one(const KeyRow *row, char key[40])
{
    size_t n = strcspn(row->keys, " ");
    Key parsed;
    snprintf(key, 40, "%.*s", (int)n, row->keys);
    return n > 0 && key_parse(row->keys, n, &parsed);
}

/* Motions at an edge, and what shows only elsewhere: they may change nothing. */
static bool may_be_still(const KeyRow *row)
{
    static const char *const still[] = {
        "up",         "down",           "left",      "right",        "top",
        "bottom",     "page-up",        "page-down", "first-column", "last-column",
        "next-match", "previous-match", "redraw",    "zoom-all",     "pan-left",
        "pan-right",  "zoom-out",       "to-best",   "checkpoint"};
    for (size_t i = 0; i < sizeof still / sizeof *still; i++)
        if (strcmp(still[i], row->name) == 0)
            return true;
    return false;
}

static void add_a_run(void)
{
    Error err = {0};
    ParamRow params[] = {{"lr", "0.001"}, {"batch", "256"}};
    Store *s = store_open(bench.workspace, STORE_WRITE, &err);
    RunRow row = {.name = "made-up",
                  .experiment = "",
                  .family = "mlp",
                  .dataset = "0123456789abcdef",
                  .dataset_name = "trips",
                  .target = "fare",
                  .task = "regression",
                  .recipe = "",
                  .features = "",
                  .split = "70/15/15",
                  .seed = 1,
                  .message = "",
                  .monitor = "val_loss",
                  .note = "",
                  .tags = "",
                  .machine = "here",
                  .version = "0",
                  .created = time_now()};
    int64_t run = store_run_add(s, &row, params, 2, &err);
    MetricPoint p[] = {
        {"train_loss", 1, 1.0, 2.0}, {"train_loss", 2, 2.0, 1.0}, {"val_rmse", 2, 2.0, 3.0}};
    assert_true(run && store_metrics_add(s, run, p, 3, &err) &&
                store_run_status(s, run, RUN_FINISHED, "", &err));
    store_close(s);
}

/* A fresh workbench a pane; between two keys all that is open is closed. */
static size_t press_all(const Pane *p, bool empty)
{
    size_t silent = 0;
    static const char *const env[] = {"HOME=/nonexistent", "VISUAL=true", NULL};
    bench_make(&bench);
    bench.program = "/nonexistent/lathe"; /* no run is really started */
    if (!empty) {
        bench_dataset(&bench, "trips", 300);
        bench_dataset(&bench, "more", 200);
        add_a_run();
    }
    Term *t = bench_open(&bench, 30, 110, p->name, env);
    see(p->title);
    term_settle(t);
    size_t number = 1;
    while (panes[number - 1] != p)
        number++;
    for (const KeyRow *row = p->keys; row && row->command; row++) {
        char key[40], digit[40];
        if (!pressed_one(row, key) || strcmp(row->name, "suspend") == 0)
            continue;
        snprintf(digit, sizeof digit, "Esc Esc Esc %zu", number);
        term_press(t, digit);
        char *before = screen_now(t, 30);
        term_press(t, key);
        char *after = screen_now(t, 30);
        if (term_wait_end(t, 0.0))
            fail_msg("%s: %s (%s) ended the workbench", p->name, key, row->name);
        if (strcmp(before, after) == 0 && !may_be_still(row) && !row->modes) {
            fprintf(stderr, "%s: %s (%s) does nothing that is seen\n", p->name, key, row->name);
            silent++;
        }
        mem_free(before);
        mem_free(after);
    }
    term_press(t, "Esc Esc Esc");
    assert_true(term_has(t, p->title));
    assert_int_equal(bench_close(&bench), 0);
    bench = (Bench){0};
    return silent;
}

void press_every_key(bool empty)
{
    size_t silent = 0;
    for (size_t i = 0; panes[i]; i++)
        silent += press_all(panes[i], empty);
    assert_int_equal(silent, 0);
}
