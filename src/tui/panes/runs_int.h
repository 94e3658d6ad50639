/* runs_int.h -- what the Runs pane knows of runs beyond the snapshot, read by jobs. */
#ifndef LATHE_TUI_RUNS_INT_H
#define LATHE_TUI_RUNS_INT_H

#include "../ui.h"

/* The results of runs, for the table: one row a run of the snapshot, by id. */
typedef struct RunResult {
    int64_t run;
    double valid, test;        /* main metric on the validation and test rows; NaN: none yet */
    char metric[24];           /* "rmse" */
    bool larger_is_better;
} RunResult;
typedef struct RunResults { size_t count; RunResult *at; } RunResults;
const RunResult *run_results_find(const RunResults *r, int64_t run); /* NULL if absent */

void *run_results_load(JobContext *c, void *input, Error *err); /* input unused; a RunResults */
void run_results_free(void *results);

/* One run or several side by side: facts, hyperparameters, metrics; of several only what differs. */
#define RUN_SIDES 6
typedef struct CompareRow {
    const char *what;
    const char *value[RUN_SIDES];   /* as text; "" none */
    double number[RUN_SIDES];       /* metrics; NaN none */
    bool metric;
    int best;                       /* side with the best number; -1 */
} CompareRow;
typedef struct RunCompare {
    Arena arena;
    size_t sides;
    RunRow run[RUN_SIDES];
    VEC(CompareRow) row;
    size_t same;                    /* facts that are equal and not shown */
    EventRow *event; size_t events; /* of a single run */
} RunCompare;
typedef struct CompareAsk { size_t sides; int64_t run[RUN_SIDES]; } CompareAsk;
void *run_compare_load(JobContext *c, void *input, Error *err); /* input: CompareAsk */
void run_compare_free(void *compare);
void run_compare_draw(const RunCompare *c, const Canvas *canvas, size_t top);
size_t run_compare_lines(const RunCompare *c);

#endif
