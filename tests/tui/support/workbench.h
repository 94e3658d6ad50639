/* workbench.h -- the workbench on a workspace of its own, in a terminal in memory. For tests. */
#ifndef LATHE_TEST_WORKBENCH_H
#define LATHE_TEST_WORKBENCH_H

#include "screen.h"

#include <lathe/store.h>

typedef struct Bench {
    char dir[64];       /* a folder made by mkdtemp; removed by bench_close */
    char workspace[80]; /* dir/work */
    Term *term;
    const char *program; /* what runs are started with; NULL: the real one */
} Bench;

void bench_make(Bench *b); /* the folders; no terminal yet */
/* A dataset of `rows` rows: id, fare, miles (some missing), city, day, paid; returns its hash. */
const char *bench_dataset(Bench *b, const char *name, size_t rows);
/* tui_main in a child; env as in term_open. pane NULL: the first. */
Term *bench_open(Bench *b, int rows, int cols, const char *pane, const char *const *env);
int bench_close(Bench *b); /* the status of the child; removes the folder */

/* ---- a file of tests with one workbench a test ----------------------------------------------------
 *
 *     cmocka_unit_test_setup_teardown(sorts_by_key, bench_begin, bench_end)
 *
 * `bench` is that of the test that runs; what follows is about its terminal. */
extern Bench bench;
int bench_begin(void **state); /* bench_make */
int bench_end(void **state);   /* bench_close; the child must have ended well */
/* bench_begin with a dataset `trips`, and its pane opened until it shows `text`. */
int bench_start(size_t rows, int high, int wide, const char *pane, const char *text);
/* Wait for a text on the screen (or that it goes), 20 s at most; else the screen is printed and the
 * test fails. */
void see(const char *text);
void gone(const char *text);
void term_see(Term *t, const char *text);
void command(const char *line); /* `:` and a line */
void bench_ingest(const char *name, Text *csv); /* a table of that text, ingested by `:`; releases it */
Store *bench_store(void); /* to write; none may be open when a workbench is forked off */

#endif
