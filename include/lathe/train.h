/* train.h -- the run: one training of one family, as a process that meets the world in the store.
 *
 * run_submit writes what is to be done; run_execute does it (in this process), run_spawn starts a
 * process of its own that does it and survives the terminal. Viewers read metrics and events from
 * the store and write commands to it; the loop looks for commands between steps.
 *
 *     RunSpec spec = {0}; run_spec_init(&spec, model_family("mlp"));
 *     run_spec_set(&spec, "epochs", "20", &err);        // checked against the Param rows
 *     spec.dataset = "trips_jan"; spec.target = "FAREAMOUNT";
 *     int64_t run = run_submit(store, &spec, &err);
 *     run_execute(store, run, pool, on_event, context, NULL, &err);
 */
#ifndef LATHE_TRAIN_H
#define LATHE_TRAIN_H

#include <lathe/model.h>
#include <lathe/store.h>

/* Hyperparameters every family has (the family adds its own rows). */
typedef struct RunParams {
    int epochs; int batch;
    double lr; int schedule;            /* constant step cosine one-cycle plateau */
    int warmup;                         /* steps */
    double lr_least;                    /* cosine, plateau: floor as a share of lr */
    int step_every; double step_factor; /* schedule=step: epochs, factor */
    int optimizer; double momentum, beta1, beta2, epsilon;
    double weight_decay, clip;
    int loss; double huber_delta, quantile, tweedie_power;
    char *class_weight;                 /* none, balanced or CLASS:WEIGHT,... */
    int patience; double min_delta;     /* epochs without better validation loss; 0 never stops */
    int monitor;                        /* val_loss, val_metric */
    double checkpoint_seconds;          /* at most so long between checkpoints */
    int keep;                           /* checkpoints kept besides the best */
    double dropout;
    int threads;                        /* 0: all cores; the result does not depend on it */
    int products, precision;            /* who multiplies matrices, and in what: nn.h */
    int memory;                         /* MB of encoded rows on the heap; 0: a quarter of what there is */
    int record_every;                   /* steps between points of step curves; 0: some 2,500 a run */
    char *from, *freeze, *renew;        /* weights to begin with: a run or a file; layers kept; begun anew */
    int encoders;                       /* from: keep fit */
    bool find_lr;                       /* no training: a sweep over learning rates */
    char *slice;                        /* column by whose values the validation error is recorded; "" none */
} RunParams;
extern const Param run_params[];

typedef struct RunSpec {
    const ModelFamily *family;
    const char *name, *experiment;      /* borrowed from here to `split`; "" or NULL for default */
    const char *dataset;                /* name or hash */
    const char *target;
    const char *recipe;                 /* text, not a path */
    const char *features;               /* "A,B" or "" */
    const char *split;                  /* "70/15/15" */
    int64_t seed;
    int64_t parent, parent_step;        /* fork: start from this checkpoint */
    RunParams params;
    FeatureOptions feature;
    void *model_params;                 /* of the family, owned */
} RunSpec;
void run_spec_init(RunSpec *spec, const ModelFamily *family);  /* the family's defaults */
void run_spec_release(RunSpec *spec);
/* Any hyperparameter: of the run, the features or the family. "no hyperparameter lrr, did you mean lr?" */
bool run_spec_set(RunSpec *spec, const char *key, const char *value, Error *err);
/* Training that begins with the weights of a run's model (by number, name, "last") or of a safetensors
 * file: sets `from` and takes over the family's hyperparameters that the file tells, so that they fit.
 * To be called before single settings are set over them. */
bool run_spec_from(RunSpec *spec, Store *s, const char *from, Error *err);
/* Was something set that says nothing to the family (batch= of a gbdt)? Then false, and which. */
bool run_spec_meant(const RunSpec *spec, Error *err);
/* Walks the rows that say something to the family, in order: run, family, feature. For forms, help and
 * storing. */
typedef struct SpecRow { const Param *row; void *settings; const char *group; } SpecRow;
size_t run_spec_rows(RunSpec *spec, SpecRow *out, size_t most);
bool run_spec_load(RunSpec *spec, Store *s, int64_t run, Arena *a, Error *err); /* as it was submitted */

/* Checks dataset, target, features, recipe and split against the schema; writes the row. */
int64_t run_submit(Store *s, const RunSpec *spec, Error *err);     /* 0: failed */
int64_t run_fork(Store *s, int64_t run, int64_t step /* -1 newest */, const ParamRow *changes, size_t n, Error *err);
bool run_spawn(const char *program, const char *workspace, int64_t run, Error *err); /* setsid, own log file */

/* What a run writes (keys of the metrics table):
 *   by step    train_loss  lr  grad_norm  samples_per_second
 *   by epoch   epoch_train_loss  val_loss  val_NAME      (step: the epoch's last; raw units)
 *   find_lr    train_loss probe_loss lr grad_norm by step; lr_found lr_diverged at the end; no model
 *   at the end test_NAME                                 (scored through the bundle; raw units)
 * and as events: note start resume change pause continue checkpoint best damaged abort end fail.
 *
 * What happened, as it is also stored: for printing lines. */
typedef struct RunNews { int64_t run, step, epoch;
                         const char *kind, *text; /* prepare note start resume epoch best checkpoint
                                                     change pause continue abort end fail */
                         const MetricPoint *metrics; size_t count; } RunNews;
typedef void (*OnRunNews)(void *context, const RunNews *news);
/* Runs or resumes: a run that was killed goes on from its last checkpoint, bit for bit. Returns
 * false when the run failed (the reason is stored as well); a stop on request is success.        */
bool run_execute(Store *s, int64_t run, Pool *pool, OnRunNews on_news, void *context, const Stop *stop, Error *err);

/* The same by several processes (mpirun, base.h): member 0 executes the run, each of the others follows it
 * until it is dismissed, which must come in any case. Each has a share of the training rows; what comes
 * out is what one process makes of all rows, to rounding for nets and to the bit for boosted trees. When
 * one is lost the run ends as KILLED at its last whole step, and can be resumed. */
bool run_execute_team(Team *team, Store *s, int64_t run, Pool *pool, OnRunNews on_news, void *context,
                      const Stop *stop, Error *err);
bool run_follow(Team *team, Pool *pool, Error *err);
void run_dismiss(Team *team);

/* Live commands, checked: only rows marked live; "run 3 has finished".
 *   set KEY VALUE    from the next step on        pause, resume     sleeps, goes on
 *   checkpoint       writes one now               stop              ends early: best weights, test
 *   layers           statistics of the next step's outputs and gradients, as an event
 *   abort            checkpoint, then KILLED: run_execute goes on     metrics, FINISHED
 *                    from there                                                                    */
bool run_command(Store *s, int64_t run, const char *verb, const char *key, const char *value, Error *err);
/* Before it begins: what will be asked of it, and before which step, "120 set lr 0.001; 300 stop": as a live run that
 * was steered so, to the bit. */
bool run_steer_later(Store *s, int64_t run, const char *text, Error *err);
/* RUNNING but its process is gone: marks it KILLED so that it can be resumed. Returns how many. */
int run_reap(Store *s, Error *err);
/* Where its bundle is: DIR/runs/ID/bundle; false with a clear line if there is none yet. */
bool run_bundle_path(Store *s, int64_t run, Arena *a, const char **path, Error *err);
/* DIR/datasets/HASH.arrow of the row into the workspace, with its columns and n rejects; rows, columns, bytes and
 * created are the file's. */
bool run_dataset_enter(Store *s, const DatasetRow *row, const RejectRow *rejects, size_t n, Error *err);
/* The columns of a dataset of the workspace as a run sees them: types, and the roles the user gave. into: empty. */
bool run_schema(Store *s, const char *hash, Schema *into, Error *err);
/* Of a model's `plans` recipes, how many the dataset has been through: its rows are scored behind them. */
size_t run_plans_behind(Store *s, const DatasetRow *dataset, size_t plans);
/* The rows of a step, recomputed from the seed: row numbers in the dataset. */
bool run_rows_of_step(Store *s, int64_t run, int64_t step, Progress *progress, Arena *a, uint64_t **rows, size_t *n,
                      Error *err);
/* The same with each row's loss, the largest first, by the weights nearest to that step that are kept:
 * *weights_of is their step; -1: none are kept, the rows stand in their order and losses are NaN. */
typedef struct StepRow { uint64_t row; double loss; } StepRow;
bool run_losses_of_step(Store *s, int64_t run, int64_t step, Progress *progress, Arena *a, StepRow **rows, size_t *n,
                        int64_t *weights_of, Error *err);

/* ---- explanations: what a finished run's model makes of its columns --------------------------------- */

/* A run's model and a sample of its test rows, encoded (of the validation or training rows where it has
 * none). Used by one thread at a time. */
typedef struct Explainer Explainer;
Explainer *explainer_open(Store *s, int64_t run, uint64_t rows_most, Pool *pool, Progress *progress, Error *err);
void explainer_close(Explainer *e);
const Features *explainer_features(const Explainer *e);
size_t explainer_rows(const Explainer *e);
const char *explainer_part(const Explainer *e); /* "test" */

/* Permutation importance (Breiman 2001; Fisher, Rudin, Dominici 2019): how much worse a metric gets when
 * the values of one column are dealt out anew among the rows, mean over repeats with its 95 % interval
 * (Student's t). In the metric's units, above 0: the column helps. */
typedef struct PermutationRow { const char *column; double worse, low, high; } PermutationRow;
typedef struct Permutation {
    const char *metric;
    double base;                         /* of the rows as they are */
    size_t repeats, columns;
    PermutationRow *column;              /* [columns] the most important first; the arena's */
} Permutation;
bool explainer_permutation(Explainer *e, const char *metric /* NULL: the main one */, int repeats,
                           uint64_t seed, Progress *progress, Arena *a, Permutation *out, Error *err);

/* What a model of series looks at by its own account, mean over the windows: the weights with which it selects
 * its variables, those of each kind adding up to 1, and how its attention lies over the steps. Of series the
 * rows of an Explainer are windows, rows_most the steps they forecast; permutation deals a column's whole course
 * out among them, and has the target's own past as a column. */
typedef struct WeightRow { const char *column, *kind; double share; } WeightRow; /* kind: past ahead static */
typedef struct Weights {
    size_t columns, steps;
    WeightRow *column;                   /* [columns] kind after kind, the heaviest first; "(place)": of the step */
    int64_t first;                       /* step[0] is that of this step; 0: the last known, 1: the next */
    const double *step;                  /* [steps] adding up to 1 */
} Weights;
bool explainer_weights(Explainer *e, Arena *a, Weights *out, Error *err);

/* Partial dependence (Friedman 2001): the mean prediction over the rows when all have the same value in
 * one column; and quantiles of the rows' own curves (ICE, Goldstein et al. 2015). Numbers and times: at
 * quantiles of the column's values, 1 to 99 %; text: its most frequent words. */
#define ICE_QUANTILES 5 /* .1 .25 .5 .75 .9 */
typedef struct DependencePoint {
    double at;                           /* numbers; the place of a word */
    const char *text;                    /* as the value prints */
    double mean, quantile[ICE_QUANTILES];
    double share;                        /* of the rows that have the word; numbers: of those up to it */
} DependencePoint;
typedef struct Dependence {
    const char *column, *predicts;       /* "FAREAMOUNT", "p(yes)" */
    ColumnType type;
    size_t points;
    DependencePoint *point;
} Dependence;
/* class: whose share is shown; NULL: of two the second, of several the first */
bool explainer_dependence(Explainer *e, const char *column, const char *class, int points,
                          Progress *progress, Arena *a, Dependence *out, Error *err);

/* SHAP values (Lundberg et al. 2018): what each column adds to a row's score, exactly, for boosters. The
 * inputs that are made of one column are added up. Units: Contributions in model.h. */
typedef struct ShapColumn { const char *column; double size, mean; } ShapColumn; /* mean |.|, mean */
typedef struct Shap {
    const char *predicts;                /* "FARE", "logit of yes", "score of class A" */
    size_t columns, rows;
    ShapColumn *column;                  /* [columns] the largest size first */
    double base;                         /* what every row begins with */
    const double *at;                    /* [rows][columns] in the order of `column` */
    const uint64_t *row;                 /* [rows] their numbers in the dataset */
} Shap;
/* class: which of several; NULL: the first */
bool explainer_shap(Explainer *e, const char *class, Progress *progress, Arena *a, Shap *out, Error *err);

/* ---- metrics: declared once -------------------------------------------------------------------- */
typedef struct Metric {
    const char *name;                    /* rmse mae r2 mape rmsle; logloss accuracy error auc aucpr f1 brier */
    const char *about;
    unsigned tasks;                      /* bit per TaskKind */
    bool larger_is_better;
    /* value[n]: predictions in raw units, or p(class 1), or [n][classes] shares; truth[n] raw or class */
    double (*score)(const double *value, const double *truth, size_t n, size_t classes);
    bool each_epoch;                     /* cheap and telling: recorded as val_NAME after every epoch */
} Metric;
extern const Metric *const metrics[];    /* NULL-ended */
const Metric *metric_find(const char *name);
const Metric *metric_main(TaskKind task); /* rmse, logloss.. shown first */

#endif
