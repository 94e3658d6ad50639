/* watch_int.h -- what the files of the Watch pane share. */
#ifndef LATHE_TUI_WATCH_INT_H
#define LATHE_TUI_WATCH_INT_H

#include "../chart.h"
#include "../ui.h"
#include "../widgets.h"

typedef enum WatchView { WATCH_CURVES, WATCH_ALERTS, WATCH_ROWS, WATCH_VIEWS } WatchView;

/* One curve of one model, oldest first. */
typedef struct WatchCurve {
    const char *kind, *column, *test;
    const char *model;           /* "taxi/3" */
    int place;                   /* 0 of the model that answers, 1 of the candidate, 2 of one that is gone */
    double weight;
    size_t n;
    double *x;                   /* s since 1970 */
    double *value, *low, *high, *truth;
    bool alarm;                  /* of the newest point */
    size_t alarms;
    const char *detail;          /* of the newest point: a drift report of one column as JSON, or less */
} WatchCurve;

#define WATCH_MINUTE INT64_C(60000000) /* micros */

/* What is known of one deployment, read by a job; replaced, never changed. */
typedef struct WatchData {
    Arena arena;
    size_t deployments;
    DeploymentRow *deployment;
    size_t at;                   /* the one that is shown */
    const char *model, *candidate; /* "taxi/3", "" */
    size_t curves;
    WatchCurve *curve;
    size_t alerts;
    AlertRow *alert;             /* open ones first, newest first */
    size_t rows;
    PredictionRow *row;          /* newest first */
    const char *rows_what;       /* "the newest", "of alert 7" */
    double requests, errors, p50, p99; /* of the last minute with traffic: a second, share, mean, worst; NaN */
    int64_t asked;               /* the end of that minute */
    size_t models;
    ModelRow *models_known;
} WatchData;

typedef struct WatchState {
    Ui *ui;
    WatchData *data;             /* NULL: not read yet */
    WatchView view;
    Table table[WATCH_VIEWS];
    char deployment[128];        /* chosen; "" the first */
    int64_t alert;               /* whose rows are shown; 0: the newest rows */
    int64_t first, last, model;  /* of that alert */
    bool shares;                 /* of the curve under the cursor its distributions are shown */
    DriftReport *report;         /* of that curve */
    bool more;                   /* resolved alerts, too */
    uint64_t seen;
    double loaded;               /* ui_now */
} WatchState;

/* watch_load.c */
void watch_load(WatchState *s);
void watch_data_free(void *data);
const char *watch_model_name(const WatchData *d, int64_t model);
/* watch_tables.c */
TableSource watch_source(const WatchState *s, WatchView view);
/* watch_draw.c */
void watch_draw_head(const WatchState *s, const Canvas *c);
void watch_draw_curve(const WatchState *s, const Canvas *c);
void watch_draw_alert(const WatchState *s, const Canvas *c);
void watch_draw_row(const WatchState *s, const Canvas *c);
size_t watch_series(const WatchCurve *k, ChartSeries out[4]);
/* watch_lineage.c: from one prediction to the bytes it came from, in the viewer */
void watch_lineage(WatchState *s, int64_t prediction);
/* watch_like.c: the row of the root that is most like it to the model, and its line in the source */
void watch_print_like(JobContext *c, Store *s, const Bundle *b, const DatasetRow *root, const Chunk *row, Arena *a, Text *into);
const char *watch_grown_from(const DatasetRow *row, Arena *a); /* of a table that grew by feedback: the hash of the older; "" */

const WatchCurve *watch_curve_at(const WatchState *s); /* NULL: none */
const AlertRow *watch_alert_at(const WatchState *s);
const PredictionRow *watch_row_at(const WatchState *s);

#endif
