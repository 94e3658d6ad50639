/* drift_int.h -- what the files of the Drift pane share. */
#ifndef LATHE_TUI_DRIFT_INT_H
#define LATHE_TUI_DRIFT_INT_H

#include "../chart.h"
#include "../ui.h"
#include "../widgets.h"

/* Every report against one reference, oldest first. */
typedef struct DriftTimes {
    size_t n;
    double created[200];
    DriftReport *report[200];
} DriftTimes;

/* The report's chunks: one table cut by rows or by time. */
typedef struct DriftSpan {
    char from[40], to[40];
    int64_t rows, drifted_columns;
    bool drifted;
} DriftSpan;
typedef struct DriftLoaded { /* what a job makes of a stored report */
    DriftReport *report;
    char by[80];
    size_t spans, columns;
    DriftSpan *span;           /* [spans], owned */
    char (*name)[80];          /* [columns], owned */
    double *score, *limit;     /* [spans * columns], NaN: not judged; owned */
} DriftLoaded;
void drift_loaded_free(void *loaded);

typedef enum DriftOrder { DRIFT_BY_WEIGHT, DRIFT_BY_SCORE, DRIFT_BY_NAME, DRIFT_ORDERS } DriftOrder;

typedef struct DriftState {
    Ui *ui;
    DriftLoaded *loaded_from;   /* of the report that is shown; NULL or no chunks: none */
    Table table;
    uint64_t seen;
    size_t report_at;            /* of the snapshot's drifts, 0 the newest */
    int64_t loaded;              /* id of the report that is shown or being read */
    DriftReport *report;
    char reference[65], current[65]; /* hashes chosen for the next comparison; "" as proposed */
    DriftOrder sort;
    bool sort_chosen;            /* else by weight where a model says how much a column matters */
    char (*offered)[65];         /* hashes of the menu that is open; owned */
    VEC(size_t) order;
    int rows, cols;
    DriftTimes *times;           /* NULL: not read */
    int comparing;               /* how many reports are being made */
} DriftState;

/* drift_choose.c: the two datasets that are compared next, and comparing them */
const DatasetRow *drift_reference(const DriftState *s); /* NULL: none */
const DatasetRow *drift_current(const DriftState *s);
/* Why there is no comparison of the two; NULL: there is. */
const char *drift_cannot(const DriftState *s);
const char *drift_name(const DriftState *s, const char *hash);
void drift_choose_reference(DriftState *s);
void drift_choose_current(DriftState *s);
bool drift_keep(const void *state, Text *into); /* for undo: see Pane */
bool drift_put(void *state, const char *kept, Ui *ui);
/* more: settings of the command; alone a dataset is compared with its own chunks. */
void drift_compare(DriftState *s, const char *more);

/* drift_table.c: the columns of the report */
TableSource drift_source(const DriftState *s);
const DriftColumn *drift_column_at(const DriftState *s, uint64_t row); /* NULL: no such row */
void drift_score(const DriftColumn *d, Text *into);
bool drift_weighed(const DriftState *s);     /* the report knows how much columns matter to a model */
const char *drift_order(const DriftState *s); /* what the columns are ordered by */
void drift_arrange(DriftState *s);

/* drift_draw.c: what was compared, and one column in full */
void drift_draw_verdict(const DriftState *s, const Canvas *c);
void drift_draw_column(const DriftState *s, const Canvas *c);
void drift_draw_empty(const DriftState *s, const Canvas *c);

/* drift_when.c */
DriftLoaded *drift_when_read(const json_t *report); /* without the report itself */
bool drift_when_some(const DriftState *s);
void drift_when_draw(const DriftState *s, const DriftColumn *d, const Canvas *c);
void drift_when_ask(DriftState *s);    /* chunks of what, and compares */
size_t drift_when_alarms(const DriftState *s);

/* drift_time.c */
void drift_times_ask(DriftState *s);
void drift_times_free(void *times);
bool drift_times_some(const DriftState *s);
void drift_times_draw(const DriftState *s, const DriftColumn *d, const Canvas *c);
size_t drift_alerts(const Ui *ui);      /* reports that drifted and were not acknowledged */
void drift_acknowledge(Ui *ui);
int64_t drift_acknowledged(const Ui *ui); /* the newest report that was */

#endif
