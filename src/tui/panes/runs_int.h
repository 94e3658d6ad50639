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

/* What a run's model makes of its columns, as `explain` says it (runs_explain.c). */
typedef struct RunExplain {
    Ui *ui;
    bool on;                        /* shown instead of the facts */
    int64_t run;                    /* asked about */
    json_t *columns, *points;       /* results of what=permutation, what=dependence; owned, or NULL */
    char trouble[200];
    size_t at, top;                 /* the column looked at */
} RunExplain;
void run_explain_release(RunExplain *e);
void run_explain_ask(RunExplain *e, int64_t run);       /* by a job, with progress; Ctrl-C ends it */
void run_explain_column(RunExplain *e);                 /* the dependence on the column looked at */
Reply run_explain_move(RunExplain *e, int64_t step);
void run_explain_draw(const RunExplain *e, const Canvas *c);

#endif
