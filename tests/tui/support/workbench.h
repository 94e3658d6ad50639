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

#endif
