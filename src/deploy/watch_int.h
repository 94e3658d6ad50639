/* watch_int.h -- what the files of watching share.
 *
 *     watch.c            a round: every deployment's log, roll-outs, policies, alerts told
 *     watch_log.c        the log of predictions cut into whole chunks, one model at a time
 *     watch_rows.c       logged rows as a chunk of raw values, and as numbers for several columns
 *     monitor.c          one chunk judged: all its points and alerts, in one transaction
 *     monitor_model.c    what a model is judged against: reference rows, weights, fitted estimates
 *     monitor_drift.c    monitor_estimate.c    monitor_quality.c    monitor_truth.c    monitor_traffic.c
 *     alert_tell.c       alerts told to a command and a webhook
 *     policy.c           when to train anew; policy_rows.c the table for it; policy_run.c run and roll-out
 */
#ifndef LATHE_WATCH_INT_H
#define LATHE_WATCH_INT_H

#include <lathe/deploy.h>

/* ---- telling alerts ---------------------------------------------------------------------------------- */

/* What someone is told of an alert, and where. Empty: not there. */
typedef struct AlertSinks {
    const char *command, *webhook;
    double seconds;      /* that each of them has */
    Log *log;            /* NULL: none */
    Progress *progress;  /* its stop is asked while waiting; NULL: nobody's */
} AlertSinks;
json_t *alert_json(const AlertRow *row);
/* Tells all that are set. False: one of them failed, and why (the first). */
bool alert_tell(const AlertSinks *to, const AlertRow *row, Error *err);

/* ---- rows of the log ------------------------------------------------------------------------------------ */

#define WATCH_MASKED "***" /* stands in the log for a private value */

/* Logged inputs as raw columns: those of the schema but the target. What is masked, or is no value of its
 * column, is missing. sent[schema->count] (may be NULL): did any row bring the column? truths: with the
 * target as well, from the feedback. */
bool watch_rows_chunk(const Schema *schema, const char *target, const PredictionRow *rows, size_t n, bool truths,
                      Arena *a, Chunk *out, bool *sent, Error *err);

/* Words of a column with their codes: those of the reference, in order; anything else is one more. */
typedef struct WatchWords { size_t count; char **word; } WatchWords;

/* ---- what a model is judged against ------------------------------------------------------------------------ */

typedef struct WatchInput {
    const char *name;
    ColumnType type;
    double weight;          /* importance; all together 1 */
    double missing;         /* share of the reference rows without a value */
    WatchWords words;       /* of text */
} WatchInput;

typedef struct WatchMetric {
    const char *name;       /* mae rmse; accuracy f1 auc */
    bool larger;            /* is better */
    double reference;       /* on rows the model did not learn from; NaN: not known */
    Band band;              /* of chunks of such rows */
} WatchMetric;
#define WATCH_METRICS 3     /* the first is what policies look at */

typedef struct WatchModel {
    int64_t id;
    char label[96];         /* "taxi/3" */
    Arena arena;
    Bundle *bundle;
    const ModelShape *shape;
    const char *target;
    size_t first_plan;      /* of rows of the dataset it was trained on */
    Dataset *reference;     /* raw inputs and `prediction`; NULL: nothing is known of it */
    const char *prediction; /* name of that column there */
    bool has_predictions;   /* the reference's are known */
    double dropped;         /* share of the reference rows that a rule drops */
    size_t inputs;
    WatchInput *input;
    Cbpe *cbpe;
    Dle *dle;               /* one of both, or none */
    size_t dle_inputs;      /* the first so many of `seen` */
    size_t *seen;           /* which inputs the estimate looks at */
    size_t metrics;
    WatchMetric metric[WATCH_METRICS];
    Band *bands;            /* [inputs + 1], the last of the prediction: what the reference's own chunks reach */
    PcaDrift *pca;
    Band pca_band;
    char why[200];          /* why something of this is not there; "" */
} WatchModel;
WatchModel *watch_model_open(Store *s, int64_t model, const DeploySettings *set, Pool *pool, Progress *progress,
                             Error *err);
void watch_model_close(WatchModel *m);
const WatchInput *watch_input(const WatchModel *m, const char *name); /* NULL: none */
/* Rows as numbers: of the inputs `which` (NULL: all). Columns that the chunk lacks are missing. */
void watch_matrix(const WatchModel *m, const Chunk *c, const size_t *which, size_t n, Arena *a, DriftMatrix *out);
/* A chunk as a dataset of its own, whose file has no name any more. NULL on failure. more: a column that goes with
 * it, or NULL. keep: which columns; NULL: all. */
Dataset *watch_dataset(Store *s, const Chunk *c, const Column *more, Pool *pool, Error *err);

/* ---- judging ---------------------------------------------------------------------------------------------- */

/* One point on its way to the store, and what is said if it alarms. */
typedef struct Judged {
    MonitorPointRow point;
    const char *subject;    /* of its alert; NULL: it raises none */
    const char *text;
} Judged;
typedef struct JudgedList { VEC(Judged) at; } JudgedList;

/* The last state of each curve: two points in a row that are fine resolve its alert. */
typedef struct Curve { int64_t model; const char *kind, *column, *test; bool alarm; } Curve;

/* Rows of one model, as far as they are no whole chunk yet. */
typedef struct Gather {
    int64_t model, last;    /* last: id of the newest that was judged */
    Arena arena;
    VEC(PredictionRow) row;
    WatchModel *of;         /* opened when there is something to judge */
    int64_t failed;         /* when that failed: not tried again at once */
    char why[200];
} Gather;

/* A judged chunk whose feedback is awaited. */
typedef struct Awaited {
    int64_t model, first, last, rows, labelled, time_from, time_to;
} Awaited;

/* A deployment while it is watched. */
typedef struct Watched {
    char name[128];
    int64_t cursor;         /* of the log */
    VEC(Gather) gather;
    VEC(Curve) curve;
    Arena arena;            /* of the curves */
    VEC(Awaited) awaited;   /* by first */
    int64_t answers;        /* feedback was seen up to here */
    int64_t labelled, labelled_since; /* how much came since then: since the last training */
    int64_t traffic;        /* up to here */
    struct WatchWants { char reason[200]; const char *kind; int64_t model; } wants; /* what speaks for training anew */
    int64_t looked_at;      /* model of which it was said whether it can be watched at all: */
    bool series;            /* it forecasts, and only its traffic is watched */
    int64_t judged_model;   /* whose newest chunks these are: relative loss, NaN not known */
    double worst_estimate, worst_performance;
} Watched;

struct Watcher {
    char *dir, *program;
    int lock;
    Store *store;
    PredictionLog *log;     /* NULL: nothing was logged yet */
    int64_t log_seen, store_seen;
    Pool *pool;
    Log *lines;
    OnWatchNews on_news;
    void *context;
    VEC(Watched *) watched;
};

void watch_say(Watcher *w, const char *deployment, const char *kind, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The cells of the table above; each adds points to the list, whose text is the arena's. */
bool monitor_drift(Watcher *w, const WatchModel *m, const DeploySettings *set, const PredictionRow *rows, size_t n,
                   const Chunk *raw, const bool *sent, Arena *a, JudgedList *out, Error *err);
/* Which test judges a column, as DriftOptions has it. */
const char *monitor_drift_test(const WatchModel *m, const DeploySettings *set);
bool monitor_quality(const WatchModel *m, const PredictionRow *rows, size_t n, const Chunk *raw, const bool *sent,
                     Arena *a, JudgedList *out, Error *err);
bool monitor_estimate(const WatchModel *m, const PredictionRow *rows, size_t n, const Chunk *raw, Arena *a,
                      JudgedList *out, Error *err);
/* What the fitted estimate says of rows, in the order of m->metric; NaN where it cannot. */
bool estimate_of(const WatchModel *m, const double *value, const DriftMatrix *x, const double *share, size_t n,
                 double out[WATCH_METRICS]);
void truth_of(const WatchModel *m, const double *value, const double *share, const double *truth, size_t n,
              double out[WATCH_METRICS]);
bool estimate_fit(WatchModel *m, Store *s, const DeploySettings *set, size_t rows, Pool *pool, Progress *progress,
                  Error *err);
/* One chunk: judged, written, told. */
bool monitor_chunk(Watcher *w, Watched *d, Gather *g, const DeploySettings *set, size_t n, Error *err);
/* Points and their alerts, in one transaction; *more (may be NULL) is called inside it. */
bool monitor_keep(Watcher *w, Watched *d, const DeploySettings *set, JudgedList *list,
                  bool (*more)(void *context, Error *err), void *context, Error *err);
bool monitor_truth(Watcher *w, Watched *d, const DeploymentRow *row, const DeploySettings *set, int64_t now, bool *busy,
                   Progress *progress, Error *err);
bool monitor_traffic(Watcher *w, Watched *d, const DeploymentRow *row, const DeploySettings *set, int64_t now,
                     bool *busy, Error *err);
double watch_relative_loss(const WatchMetric *metric, double value); /* 0.2: a fifth worse than the reference */

/* watch_log.c */
void watched_open(Watched *d, const char *name);
void watched_close(Watched *d);
bool watched_recall(Watcher *w, Watched *d, Error *err); /* where it stood, from the points */
Gather *watched_gather(Watched *d, int64_t model);
/* With its model opened; NULL: it cannot be, which was said. */
Gather *watch_opened(Watcher *w, Watched *d, int64_t model, const DeploySettings *set, int64_t now, Progress *progress);
bool watched_read(Watcher *w, Watched *d, const DeploymentRow *row, const DeploySettings *set, int64_t now, bool *busy,
                  Progress *progress, Error *err);

/* ---- policies ------------------------------------------------------------------------------------------------ */

#define AUTOMATION_MANUAL 0 /* of deploy_params */
#define AUTOMATION_FULL   2
void policy_wants(Watched *d, int64_t model, const char *kind, const char *fmt, ...) PRINTF_LIKE(4, 5);
bool policy_round(Watcher *w, Watched *d, const DeploymentRow *row, const DeploySettings *set, int64_t now, bool *busy,
                  Progress *progress, Error *err);
int64_t policy_last(Watcher *w, const char *deployment); /* when it was last trained anew, or asked for; 0 */
/* Which rows the table to train on has: the newest of the old one's and of those of the log that have feedback. */
typedef struct PolicyWindow {
    int64_t since;  /* the prediction with which the world changed: nothing before it, if enough is there; 0: it did not */
    int64_t least;  /* rows; what is missing to them is filled up with older ones */
    int64_t rows;   /* 0: as many as the old table has; -1: all */
} PolicyWindow;
bool policy_rows(Watcher *w, const DeploymentRow *row, const WatchModel *m, const PolicyWindow *window, Arena *a,
                 const char **hash, int64_t *added, Progress *progress, Error *err);

#endif
