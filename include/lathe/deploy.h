/* deploy.h -- from a model to production and back: roll-outs, gates, monitors, policies.
 *
 * A deployment is one row of the store (DeploymentRow) and moves only by deployment_move: every way in
 * -- a command, a key, the watcher -- names the move, and the table of moves says whether it may be made
 * in this state. Servers see the new row within a fraction of a second and go on without a pause.
 *
 *     deployment_create(store, "fares", "taxi@champion", "anna", &err);
 *     deployment_move(store, "fares", MOVE_SHADOW, "taxi/4", "anna", &err);   // answers compared
 *     deployment_move(store, "fares", MOVE_CANARY, NULL, "anna", &err);       // first step of the plan
 *     deployment_step(store, "fares", pool, "watch", &report, &err);           // check, then on or back
 *     deployment_move(store, "fares", MOVE_BACK, NULL, "anna", &err);
 *
 * The watcher (`lathe watch`) reads the log of predictions in chunks, writes monitor points and alerts,
 * steps roll-outs and runs the retraining policies; it is a process beside the server and may be killed
 * at any moment: what it did stands in the store, what it had not done it does again.
 */
#ifndef LATHE_DEPLOY_H
#define LATHE_DEPLOY_H

#include <lathe/drift.h>
#include <lathe/serve.h>
#include <lathe/train.h>

/* ---- deployments and their moves ---------------------------------------------------------------------- */

/* Kept as JSON in the deployment's row; `lathe deploy NAME key=value` and the pane's form set them. */
typedef struct DeploySettings {
    int automation;             /* manual: nothing moves by itself; assisted: it says what it would do, as an
                                   alert with the move; full: it does it */
    char *key;                  /* column by which a canary is sticky; "" : by request */
    char *plan;                 /* percent of each canary step: "5 25 50 100" */
    double interval;            /* s of a step before its check */
    int rows_least;             /* and rows the candidate must have answered by then */
    int threshold;              /* failed checks in a row until it rolls back */
    char *rules;                /* of the gate, separated by ; (see gate_parse) */
    double success, latency_ms; /* Flagger's: least share of requests without 5xx; most p99 */
    double sample;              /* share of predictions that are logged */
    double log_mb;              /* size of the log */
    char *mask;                 /* private columns, beside those with role private */
    /* watching */
    int chunk;                  /* rows of a chunk; 0: by time */
    double chunk_seconds;
    int thresholds;             /* evidently: the test's; nannyml: mean +- 3 deviations of the reference */
    double share;               /* of drifted columns, weighted by importance, that is drift */
    double cool;                /* s of an alert's cool-down */
    char *command, *webhook;    /* alerts go there too */
    /* retraining (policies): 0 or "" is never */
    double retrain_every;       /* s */
    int retrain_rows;           /* new labelled rows */
    bool retrain_drift;
    double retrain_estimate, retrain_performance; /* relative loss against the reference */
    double retrain_cool; int retrain_labels_least;
    int retrain_window;         /* rows of the new table, the newest; 0: as the reason asks; -1: all there are */
} DeploySettings;
extern const Param deploy_params[];
/* The percent of each step of a plan: "5 25 50 100", ascending, above 0, at most 100. */
#define PLAN_MOST 32
bool deploy_plan(const char *plan, double step[PLAN_MOST], size_t *n, Error *err);
bool deploy_settings(const DeploymentRow *row, DeploySettings *into, Error *err); /* params_release it */

#define DEPLOY_MOVES(X) /* name, from which states, what it does */ \
    X(SHADOW,  "live",                        "the candidate answers as well; its answers are compared, never given") \
    X(CANARY,  "live shadow",                 "the candidate has the first step's share of the requests") \
    X(STEP,    "canary",                      "the next step of the plan; after the last it is promoted") \
    X(GREEN,   "live shadow canary",          "all requests go to the candidate, the old model stands by") \
    X(PROMOTE, "shadow canary green",         "the candidate is the model, champion moves to it") \
    X(BACK,    "live shadow canary green",    "the model has all requests again; live: the previous one") \
    X(STOP,    "live shadow canary green",    "nothing answers: 503") \
    X(START,   "stopped",                     "the model answers again")
#define AS_ENUM(name, from, about) MOVE_##name,
typedef enum DeployMove { DEPLOY_MOVES(AS_ENUM) MOVE_COUNT } DeployMove;
#undef AS_ENUM
const char *deploy_move_name(DeployMove m);     /* "shadow" ... */
const char *deploy_move_about(DeployMove m);
const char *deploy_move_why_not(const DeploymentRow *row, DeployMove m); /* NULL: it may be made */

bool deployment_create(Store *s, const char *name, const char *model, const char *actor, Error *err);
/* model: as store_model_find takes it; NULL: the candidate there is. Several at a time: one wins, the other is
 * told ERROR_STOP. */
bool deployment_move(Store *s, const char *name, DeployMove m, const char *model, const char *actor, Error *err);
bool deployment_set(Store *s, const char *name, const char *key, const char *value, const char *actor, Error *err);
/* The last minute, from the log's traffic of it: what a shadow answered was given to nobody and is not counted. */
#define DEPLOY_SECONDS 60
typedef struct DeployMinute {
    double each[DEPLOY_SECONDS];    /* requests in each second, the oldest first */
    int64_t requests, errors, rows; /* of all models */
    double p50, p99;                /* s: mean by requests, the worst second */
    double candidate;               /* its share of the requests since the step began; NaN: none came, or a shadow */
} DeployMinute;
void deployment_minute(const DeploymentRow *d, const TrafficRow *row, size_t n, int64_t now, DeployMinute *out);
/* Where the model's bundle is. */
bool deployment_bundle(Store *s, int64_t model, Arena *a, const char **path, Error *err);

/* ---- gates ------------------------------------------------------------------------------------------------ */

/* A rule a line (or ;):   rmse <= 3.2              absolute
 *                         rmse better 0.01         than the incumbent's by at least so much
 *                         rmse better 2%           relative
 *                         rmse significant 0.05    better by paired bootstrap over rows; accuracy: McNemar
 *                         latency <= 5ms           of one row, p99, measured here
 *                         drift <= 0.3             share of drifted columns, candidate's reference to rows
 *                         quantile_loss <= 1.5     of a model of series, which has no latency and no significance
 * `#` begins a comment. Any metric of train.h; errors name the line. */
typedef struct GateRule GateRule;
typedef struct Gate { GateRule *rule; size_t rules; } Gate;
bool gate_parse(const char *text, Gate *out, Error *err);
void gate_release(Gate *g);
void gate_alone(Gate *g);  /* where there is no incumbent: only rules that need none are left */
/* Scores `rows` (raw rows with the target) with both bundles. against: NULL for absolute rules only. What is
 * checked is recorded (store_gate_add). rows NULL: the test rows of the model's run. *passed: all rules. */
typedef struct GateReport { int64_t gate; bool passed; size_t n; GateCheckRow *check; } GateReport;
bool gate_run(Store *s, const Gate *g, const char *deployment, const ModelRow *model, const ModelRow *against,
              const Dataset *rows, Pool *pool, Progress *progress, Arena *a, GateReport *out, Error *err);

/* All metrics of a model on `rows` as gates measure them; rows NULL: the test rows of its run. */
typedef struct EvaluationRow { const char *metric, *about; double value; } EvaluationRow;
typedef struct Evaluation { size_t rows, dropped, n; EvaluationRow *row; } Evaluation;
bool model_evaluate(Store *s, const ModelRow *model, const Dataset *rows, Pool *pool, Progress *progress, Arena *a,
                    Evaluation *out, Error *err);

/* The check of a deployment's step: success rate and latency from the traffic, the gate's rules on the rows
 * that have feedback. Enough seen and passed: on to the next step; failed `threshold` times in a row: back;
 * too little seen: waits. With automation manual nothing moves, assisted raises an alert that names the move. */
typedef struct StepReport { bool checked, passed, moved; DeployMove move; char text[200]; } StepReport;
bool deployment_step(Store *s, const char *name, Pool *pool, const char *actor, StepReport *out, Error *err);

/* ---- pipelines -------------------------------------------------------------------------------------------- */

/* A file of steps, one command line of the shell each (ingest, clean, expect, train, evaluate, gate, deploy),
 * with $1 .. for what changes. A step's key is the hash of its line and of what it reads; a step whose key has
 * succeeded before is skipped and its result is used. */
typedef struct PipelineNews { size_t step, steps; const char *line, *status /* run skip done fail */, *text; } PipelineNews;
typedef void (*OnPipelineNews)(void *context, const PipelineNews *news);
/* The file of the journey that led to a run: its dataset's sources, recipes, the training. */
bool pipeline_print(Store *s, int64_t run, Text *into, Error *err);

/* ---- watching --------------------------------------------------------------------------------------------- */

/* One round: reads what the log has beyond the last points, judges whole chunks, raises and resolves alerts,
 * steps roll-outs, runs policies. Says in *busy whether there was anything to do. */
typedef struct WatchNews { const char *deployment, *kind, *text; } WatchNews;
typedef void (*OnWatchNews)(void *context, const WatchNews *news);
typedef struct Watcher Watcher;
Watcher *watcher_open(const char *workspace, const char *program /* for training processes; NULL: in this one */,
                      Pool *pool, OnWatchNews on_news, void *context, Error *err);
bool watcher_round(Watcher *w, int64_t now /* micros */, bool *busy, Progress *progress, Error *err);
void watcher_close(Watcher *w);

#endif
