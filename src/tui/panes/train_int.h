/* train_int.h -- what the files of the Train pane share: curves of runs in memory, and how they are
 * looked at.
 *
 *   store --job--> TrainDelta --curves_take--> Curves --curves_derive--> x, smooth --> Chart
 *   (train_load.c)             (train_curves.c)  (train_derive.c)        (train_chart.c)
 *
 * Only the first arrow touches the disk, on a job's thread; a delta holds what is new since the
 * cursors it was asked with, so following a long run costs what the run adds. A delta has TRAIN_PART
 * points at most, of the watched run first: long runs come in parts, each drawn when it is there. */
#ifndef LATHE_TUI_TRAIN_INT_H
#define LATHE_TUI_TRAIN_INT_H

#include "../chart.h"
#include "steer.h"
#include "../ui.h"
#include "../widgets.h"

#define TRAIN_RUNS   8  /* the run that is watched, its relatives and the marked ones */
#define TRAIN_CHARTS 12
#define TRAIN_PART   40000

/* ---- read by a job ------------------------------------------------------------------------------ */

typedef struct TrainAsk {
    size_t n;
    struct { int64_t run, points, events; } at[TRAIN_RUNS]; /* cursors: what is known already */
} TrainAsk;

typedef struct RunDelta {
    int64_t run, from;                    /* `from`: the cursor of points it was asked with */
    int64_t points, events;               /* cursors afterwards */
    MetricPoint *point;  size_t count;    /* a key's points share one pointer to its name */
    EventRow *event;     size_t happened;
    ParamRow *param;     size_t params;   /* as submitted, */
    CommandRow *command; size_t commands; /* and what was changed since, in order */
    CheckpointRow *checkpoint; size_t checkpoints;
    bool alive;                           /* its process is there */
    bool more;                            /* points were left for the next part */
} RunDelta;
typedef struct TrainDelta { Arena arena; size_t n; RunDelta at[TRAIN_RUNS]; } TrainDelta;

void *train_load(JobContext *c, void *input, Error *err); /* TrainAsk -> TrainDelta */
void  train_delta_free(void *delta);

/* ---- kept ------------------------------------------------------------------------------------------ */

typedef VEC(double) Reals;

/* A long curve as the least and the most of each block of points, and of each block of such blocks: what is
 * drawn while more points are in sight than any screen has columns. */
#define THIN_BLOCK  4
#define THIN_LEVELS 6
#define THIN_ENOUGH 800          /* blocks in sight: two a column of dots on the widest screens */
typedef struct Thin {
    Reals x, y;
    size_t blocks;               /* whole ones; two points each, then the points after them */
} Thin;

typedef struct Series {          /* one key of one run; NaN is a gap */
    char key[56];
    Reals step, wall, value;     /* ascending steps */
    Reals x, smooth;             /* derived: place on the axis in use, smoothed values */
    Thin thin[2][THIN_LEVELS];   /* of value, of smooth */
    double ema, weight, back;    /* of the smoothing so far; points it looks back over */
} Series;

typedef struct Happening { int64_t step, time; char kind[20]; char *text; } Happening; /* text owned */
typedef struct Setting { char key[40]; char value[72]; int64_t step; } Setting; /* from the step after that one on */

typedef enum Axis { AXIS_STEP, AXIS_EPOCH, AXIS_WALL, AXIS_CLOCK, AXIS_COUNT } Axis;
extern const char *const axis_names[];   /* "step", "epoch", "seconds" since its start, "clock" */
extern const char *const smooth_names[]; /* "none", "light", "strong" */
#define SMOOTH_COUNT 3

typedef struct Curves {
    int64_t run;                 /* 0: this place is free */
    int64_t points, events;      /* cursors */
    VEC(Series) series;
    VEC(Happening) event;
    VEC(Setting) setting;        /* hyperparameters as submitted, then each change, in order */
    VEC(int64_t) checkpoint;     /* steps, ascending */
    double first_epoch;          /* epochs done before its first point: of a fork, its parent's */
    double began;                /* seconds since 1970 when it started; 0 not yet */
    double epoch_steps;          /* steps planned for an epoch; 0 not known */
    bool loaded, alive, more;    /* more: points are still on their way */
    RunStatus seen_status;       /* of the snapshot when it was last asked for */
    int64_t seen_step, seen_heartbeat;
    Axis axis; int smooth;       /* what is derived, */
    size_t epochs;               /* and how many validations it knew */
} Curves;

void curves_take(Curves *c, const RunDelta *d);
void curves_derive(Curves *c, Axis axis, int smooth);
void curves_release(Curves *c);
void series_forget_x(Series *s, size_t i); /* from the i-th point on */
void series_forget_smooth(Series *s);
bool series_noisy(const char *key);       /* one that is smoothed */
const Thin *series_thin(const Series *s, bool smooth, size_t in_sight);
double curves_epoch_in(const Curves *c, const Series *validations, size_t i, double step);
bool curves_tells(const Curves *c, size_t event); /* worth a line: of the best results only the last */
const Series *curves_find(const Curves *c, const char *key);    /* NULL if absent */
double curves_last(const Curves *c, const char *key);           /* NaN if absent */
double curves_at(const Curves *c, const char *key, double step);/* at the point nearest to step */
const char *curves_setting(const Curves *c, const char *key, int64_t step); /* after that step; NULL if absent */
int64_t curves_checkpoint(const Curves *c, int64_t step);       /* the last at or before; -1 none */
double curves_x(const Curves *c, double step);                  /* place of a step on the axis */
double curves_epoch(const Curves *c, double step);
void   main_metric(const RunRow *run, char into[64]);           /* "val_rmse" */
size_t series_near(const Reals *ascending, double v);           /* index of the nearest; 0 if empty */

/* ---- looked at --------------------------------------------------------------------------------------- */

typedef struct Place { int chart, row, col, rows, cols; } Place; /* chart: index into TrainState.chart */
/* The range of values a live chart keeps, in the space of its axis, and what it was chosen for. */
typedef struct Held { double low, high, width; int64_t run; size_t shows; int look; } Held;
typedef struct ChartKind { char key[56]; char title[56]; bool log; Held held; } ChartKind;

typedef struct MachineNow { /* ticks count up; bytes */
    double time, ticks, busy, run_ticks, memory, memory_free, run_memory, gpu, gpu_memory, gpu_total;
} MachineNow;

typedef struct TrainState {
    Ui *ui;
    Curves curves[TRAIN_RUNS];
    int64_t shown[TRAIN_RUNS]; size_t shows;  /* runs drawn; the first is the one watched */
    uint64_t seen;                            /* snapshot number */
    double asked;                             /* ui_now of the last job */
    bool others;                              /* draw marked runs and forks too */
    Axis axis;
    int smooth;
    ChartKind chart[TRAIN_CHARTS]; size_t charts;
    int active;
    bool has_cross; double cross;             /* a step */
    double low, high;                         /* zoom on the axis; both 0: everything */
    bool zoom_known;                          /* taken from what the workspace remembers, or changed since */
    int64_t event_at;                         /* the event the crosshair was taken to; -1 none */
    int rows, cols, events_row, events_rows, values_row, notice_row, notice_rows;
    Place place[TRAIN_CHARTS]; size_t places;
    Steer steer;
    bool x_log;
    MachineNow machine, machine_before;       /* read a second apart; time 0: not yet */
    double machine_asked;
    int machine_row;                          /* -1: no room */
    Error trouble;                            /* of the last read */
} TrainState;

enum {
    TRAIN_ROWS = PANE_COMMANDS, TRAIN_LOG, TRAIN_SMOOTH, TRAIN_AXIS, TRAIN_X_LOG, TRAIN_ZOOM_IN, TRAIN_ZOOM_OUT,
    TRAIN_EARLIER, TRAIN_LATER, TRAIN_ALL, TRAIN_BEST, TRAIN_OTHERS, TRAIN_MARK, TRAIN_PLOT,
    TRAIN_LAYERS, TRAIN_CHOOSE
};

const RunRow *train_run(const TrainState *s);        /* of the snapshot; NULL: none */
const Curves *train_curves(const TrainState *s, int64_t run); /* NULL: not read yet */
int64_t train_cross_step(const TrainState *s);

/* One chart, ready to draw; points into the curves. */
typedef struct ChartBuild {
    Chart chart;
    ChartSeries series[TRAIN_RUNS * 2 + 2];
    ChartTick ticks[160];
    Arena arena;
    char name[TRAIN_RUNS * 2 + 2][64];
    char label[160][24];
} ChartBuild;
void train_charts(TrainState *s);                    /* which charts there are, from the keys seen */
void train_chart(const TrainState *s, int chart, ChartBuild *out);
void train_chart_release(ChartBuild *b);
void train_hold(TrainState *s);                      /* before drawing: the ranges of the charts in place */
bool train_chart_shown(const void *state, Arena *a, Chart *out, char title[160]); /* the active one, for a file */
void train_span(const TrainState *s, double *low, double *high); /* of all points on the axis */
void train_chart_draw(const TrainState *s, const Place *p, const Canvas *c, bool active);

bool train_keep(const void *state, Text *into);      /* for undo: see Pane */
bool train_put(void *state, const char *kept, Ui *ui);

/* train_head.c: all that is not a chart. */
void train_draw_head(const TrainState *s, const Canvas *c);
void train_draw_values(const TrainState *s, const Canvas *c);
int  train_notice_rows(const TrainState *s, int rows);
void train_draw_notice(const TrainState *s, const Canvas *c);
void train_draw_events(const TrainState *s, const Canvas *c);
Style run_status_style(RunStatus status);

/* train_runs.c */
void train_gather(TrainState *s);                    /* which runs are shown */
void train_read(TrainState *s);                      /* a job for what is new of them */
Reply train_next(TrainState *s, int direction);      /* watch the run beside this one */
void train_choose(TrainState *s);                    /* watch one of a list */

/* train_place.c */
void train_place(TrainState *s, int top, int rows, bool one);
void train_follow(TrainState *s); /* a zoom that touched the end stays at the end while the run goes on */

/* train_machine.c */
void train_machine_read(TrainState *s);              /* by a job, at most once a second */
void train_draw_machine(const TrainState *s, const Canvas *c);

/* train_look.c */
Reply train_look(TrainState *s, int command);        /* REPLY_IGNORED: not about looking */
Reply train_cross_to(TrainState *s, double step);
Reply train_zoom(TrainState *s, double by);          /* the window's width times so much */
Reply train_drag(TrainState *s, const Place *p, int col, int cols); /* what is under a column goes along */
Reply train_event(TrainState *s, int direction);     /* the crosshair to the next event */
const Series *train_walked(const TrainState *s);     /* the curve the crosshair walks on; NULL none */

/* train_rows.c: from the step under the crosshair to its rows in the Data pane */
void train_rows(TrainState *s);

#endif
