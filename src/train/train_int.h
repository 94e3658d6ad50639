/* train_int.h -- what the files of the run share: the job, its loop state, sampler, pace, recorder.
 *
 * A Job is one run in one process. Its loop state is all that a checkpoint must keep beside the
 * model: everything that decides a later step is in here, in the sampler or in the live settings,
 * so a run that goes on from a checkpoint takes the same steps, bit for bit. */
#ifndef LATHE_TRAIN_INT_H
#define LATHE_TRAIN_INT_H

#include <lathe/train.h>

/* ---- learning rate ------------------------------------------------------------------------------ */

#define RUN_SCHEDULES(X) /* function, name */ \
    X(constant, "constant") X(step, "step") X(cosine, "cosine") X(one_cycle, "one-cycle") \
    X(plateau, "plateau")
#define SCHEDULE_ENUM(name, text) SCHEDULE_##name,
#define SCHEDULE_NAME(name, text) text,
enum { RUN_SCHEDULES(SCHEDULE_ENUM) SCHEDULE_COUNT };

typedef struct Pace {
    int64_t step;     /* done so far */
    double epoch;     /* epochs done, with the part of the current one */
    int cuts;         /* plateau: how often the rate was cut */
} Pace;
double run_lr(const Pace *p, const RunParams *o);
const char *run_schedule_name(int schedule);
const char *run_monitor_name(int monitor);

/* ---- metrics of the order of scores: ranking.c ----------------------------------------------------- */

#define RANKED_MOST ((size_t)4 << 20) /* rows that are sorted at a time */
/* NaN where one class is missing; the same whatever `most` is. */
double ranking_auc(const double *value, const double *truth, size_t n, size_t most);
double ranking_aucpr(const double *value, const double *truth, size_t n, size_t most);

/* ---- sampler ------------------------------------------------------------------------------------- */

typedef struct Sampler {
    uint64_t seed;
    size_t rows;          /* training rows */
    bool whole;           /* a step takes all of them */
    int64_t epoch;
    size_t position;      /* rows of the epoch that are used up */
    int64_t first;        /* epochs of pre-training */
    size_t bare;          /* rows without a target that take part in them */
    uint32_t *order;      /* [rows + bare] of the epoch `shuffled`; -1 none yet */
    int64_t shuffled;
    size_t ahead;         /* by blocks: rows of that order that were told to be needed soon */
    Scratch *scratch;     /* where order stands */
} Sampler;
bool   sampler_init(Sampler *s, uint64_t seed, size_t rows, bool whole, Scratch *in, Error *err);
bool   sampler_begin_with(Sampler *s, int64_t first, size_t bare, Error *err); /* before the first step */
void   sampler_release(Sampler *s);
#define LARGE_ROWS ((size_t)1 << 24)
bool   sampler_by_blocks(size_t rows);                      /* so many that rows of a block come together */
/* By blocks: calls need for each stretch of rows that the next steps take, once an epoch, early. */
void   sampler_ahead(Sampler *s, void (*need)(void *context, size_t row, size_t rows), void *context);
void   sampler_shuffle(uint64_t seed, int64_t epoch, uint32_t *order, size_t rows);
size_t sampler_steps(const Sampler *s, size_t batch);       /* steps in a full epoch */
/* The rows of the next step, and moves on; into the next epoch if this one is over. order may be
 * NULL (only the walk is wanted) and is not set for whole batches. */
size_t sampler_next(Sampler *s, size_t batch, const uint32_t **order);
bool   sampler_epoch_over(const Sampler *s, size_t batch);
void   sampler_epoch_next(Sampler *s);

/* ---- what a run is made of ----------------------------------------------------------------------- */

typedef struct LoopState {
    int64_t step;                 /* steps done */
    double epoch_loss;            /* sum of loss x rows over the epoch so far */
    double epoch_rows;
    double first_loss;            /* of step 1: what divergence is measured by; NaN before */
    double best;                  /* of the monitored value; NaN none */
    int64_t best_step;            /* -1 none */
    int bad;                      /* epochs since */
    int plateau_bad, cuts;        /* schedule=plateau */
    int64_t command;              /* id of the last command that took effect */
    double wall;                  /* seconds trained, pauses and kills left out */
    bool over;                    /* training has ended, `why` says how */
    char why[160];
} LoopState;

#define RECORD_ROOM 4096
typedef struct Record {
    MetricPoint point[RECORD_ROOM];
    size_t count;
    double flushed;               /* clock_now of the last flush */
    int64_t every;                /* steps between two points of a step curve */
    double speed_since, speed_rows; /* samples_per_second: since when, rows since then */
} Record;

typedef struct Slices Slices;

typedef struct Look {             /* look.c */
    const char *what;             /* of the progress, as last seen */
    uint64_t done;
    double since, polled, wrote, said; /* clock_now */
    bool shown;                   /* the store has a line of it */
} Look;

typedef struct Job {
    Store *store;                 /* NULL: a member of a team that does not lead, see team.c */
    Team *team;                   /* NULL: one process */
    Pool *pool;
    bool own_pool;
    OnRunNews on_news;
    void *context;
    const Stop *stop;
    Progress own;                 /* of what takes long before and within a step; its stop: look.c */
    Progress *progress;           /* that one, or of someone who waits for an answer about the run */
    Look look;
    Arena arena;
    RunRow row;
    RunSpec spec;
    char *dir;                    /* DIR/runs/ID */

    DatasetRow from;              /* the dataset's row */
    Dataset *dataset;
    Schema schema;                /* of the dataset, with the roles of the store */
    SeriesOptions series;         /* of a family of series; time NULL: rows stand alone */
    Split split;
    Plan *plan;                   /* the run's own recipe; NULL none */
    Features *features;
    Scratch *scratch;             /* what is as long as the table stands in it */
    FeatureTable table;           /* team: of the training rows only its own */
    size_t rows, first;           /* training rows of all members; how many come before its own */
    float *class_weight;

    Batch bare;                   /* training rows without a target, for pre-training; on the heap */
    uint64_t *bare_row;           /* [bare.rows] their numbers in the dataset */
    Model *model;
    size_t batch_most;            /* rows the model's memory is planned for */
    float *dense, *target, *weight; int32_t *code; uint32_t *at; /* one gathered batch */
    uint32_t *shared;             /* team: the batch as one block: dense, code, target */
    float *out;                   /* predictions of a part */
    float *running;               /* raw scores of the validation rows, for families that grow */
    size_t running_steps;         /* after so many steps */
    double *value, *truth;

    LoopState loop;
    Sampler sampler;
    Record record;
    Text best;                    /* model state at best_step, whole */
    json_t *best_state;           /* and the loop state; NULL: is on disk, or there is none */
    double checkpointed;          /* clock_now of the last checkpoint */
    double started;               /* clock_now when this process began to count wall time */
    double polled;                /* clock_now of the last look for commands */
    CommandRow *replay;           /* taken before a kill, after the checkpoint: again at their steps */
    size_t replays, replayed;
    bool pause_asked, checkpoint_asked, layers_asked, aborted;
    int64_t pretrain;             /* epochs of pre-training, before the others */
    size_t planned;               /* steps as submitted: decides how often points are recorded */
    const char *key[32];          /* val_NAME of metrics[i], made when first used */
    Slices *slices;               /* NULL: none wanted */
} Job;

/* job.c: everything up to the first step. Errors name what is wrong with what. */
bool job_open(Job *j, Store *s, int64_t run, Pool *pool, Error *err);
bool job_class_weights(Job *j, Error *err);           /* class_weights.c; j->class_weight, NULL: all alike */
bool job_model(Job *j, size_t batch_most, Error *err);  /* (re)plans the model, keeping its state */
bool job_rows(Job *j, bool ok, Error *err);             /* of features: the table, the sampler */
void job_close(Job *j);
bool job_news(Job *j, const char *kind, const char *text, bool store, Error *err);
/* look.c: from now on loops over rows say where they are, and end when a stop is asked for. */
void job_look_begin(Job *j);
bool job_look_end(Job *j, Error *err);          /* they are done: nothing is shown of them any more */
double job_wall(const Job *j);
uint64_t job_row(const Job *j, size_t at);      /* number in the dataset of what the sampler calls at */

/* chain.c: the recipes from the raw source to the run's dataset. */
typedef struct Chain { Schema raw; Plan **plan; size_t plans; char *root; /* hash */ } Chain;
bool chain_open(Chain *c, Store *s, const DatasetRow *from, Error *err);
void chain_close(Chain *c);

/* record.c */
void record_add(Job *j, const char *key, double value);
bool record_flush(Job *j, Error *err);          /* points and progress to the store */
void record_speed(Job *j, double now);          /* samples_per_second since the last */
bool record_due(Job *j, double now, Error *err);/* the same, if the last is 200 ms ago */

/* checkpoint.c */
bool checkpoint_write(Job *j, Error *err);      /* the pending best, then the present */
bool checkpoint_write_best(Job *j, Error *err); /* only the pending best */
void checkpoint_remember_best(Job *j);          /* in memory; the next write brings it to disk */
bool checkpoint_restore(Job *j, bool *found, Error *err); /* the newest that can be read */
bool checkpoint_load_best(Job *j, Error *err);  /* the best weights into the model */
/* The weights of the kept step nearest to this one, those before it first; *found -1: there are none. */
bool checkpoint_load_near(Job *j, int64_t step, int64_t *found, Error *err);
json_t *checkpoint_state(Store *s, int64_t run, int64_t step, Error *err); /* state.json; for forks */

/* commands.c: live commands between two steps. */
bool commands_poll(Job *j, Error *err);
bool commands_replay(Job *j, Error *err);       /* those of this step that a resumed run does again */
bool commands_load(Job *j, Error *err);         /* after a restore: which there are */

/* from.c: weights from elsewhere. They are kept as DIR/runs/ID/from.safetensors when the run is
 * submitted, so the run can begin again whatever becomes of their source. */
typedef struct Origin { Text bytes; char *name; /* "3" or the file's path, in the arena */ } Origin;
enum { ENCODERS_KEEP, ENCODERS_FIT };
bool origin_read(Origin *o, Store *s, const char *from, Arena *a, Error *err);
bool origin_freezes(const Origin *o, const RunSpec *spec, size_t columns, Error *err); /* freeze= names its layers */
bool origin_check(const Origin *o, const RunSpec *spec, const Schema *cleaned, const char *target, Error *err);
bool origin_keep(const Origin *o, Store *s, int64_t run, Error *err);
bool origin_features(Job *j, Error *err);       /* as the origin has them; none: j->features stays NULL */
bool origin_weights(Job *j, Error *err);        /* into the model, before its first step */

/* task.c: what the profile of the target (NULL: not known) already says does not fit it */
bool task_fits(const RunSpec *spec, const ColumnProfile *target, Error *err);
bool task_has_rates(const RunSpec *spec);       /* the loss is of a number from 0 up, by its logarithm */
bool task_has_classes(const RunSpec *spec, TaskKind task, const char *target, Error *err); /* for class_weight */

/* validate.c: loss and metrics of the validation rows, recorded; *watched is what is monitored. */
bool validate(Job *j, double *loss, double *watched, Error *err);
const char *validate_watches(const Job *j);     /* val_loss, val_rmse ..., or epoch_train_loss */

/* slices.c: the same by the values of a column */
bool slices_open(Job *j, Error *err);           /* the table is there */
void slices_record(Job *j);                     /* j->value and j->truth are there */
void slices_close(Job *j);

/* test_series.c: as finish.c tests rows; n forecasts of the bundle, their metrics into numbers */
bool test_series(Job *j, Bundle *b, size_t first_plan, json_t *numbers, Error *err);

/* team.c: several processes. Alone these do nothing. */
bool team_leads(const Job *j);
bool team_begin(Job *j, Error *err);            /* recipe and features are there, no rows yet */
bool team_rows(Job *j, bool ok, Error *err);    /* its rows are there (ok): which of all they are */
bool team_model(Job *j, size_t rows, Error *err);
bool team_state(Job *j, Error *err);            /* before the first step */
void team_step(Job *j, const Knobs *k, size_t rows);
bool team_room(Job *j, Error *err);
void team_gather(Job *j, const uint32_t *order, size_t n, Batch *out);

/* pretrain.c: epochs without labels, before the others. */
bool pretrain_open(Job *j, Error *err);         /* how many, and the rows without a target */
bool pretrain_now(const Job *j);
bool pretrain_step(Job *j, const Batch *b, const Knobs *k, StepStats *out, Error *err);
bool pretrain_epoch(Job *j, Error *err);        /* its end: points; after the last, what was learnt goes over */

json_t *run_spec_json(const RunSpec *spec); /* spec.c: {"lr": "0.001", ...} */
/* loop.c, finish.c */
bool loop_run(Job *j, Error *err);
bool loop_step(Job *j, Error *err);             /* one, and its points; quiet, see loop.c */
/* The rows of the next step; order NULL: all. A team's members are told of it, with these knobs. */
size_t loop_batch(Job *j, const Knobs *k, const uint32_t **order, Batch *out);
Knobs loop_knobs(const Job *j);
void loop_calmer(const Job *j, char out[80]);   /* what to change where a loss is not finite */
/* The points recorded since `from`, to whoever listens. */
void loop_say_epoch(const Job *j, const char *text, size_t from);
bool find_lr(Job *j, Error *err);               /* find_lr.c: instead of loop and finish */
bool finish_run(Job *j, Error *err);
/* Every metric of the task that these have, as test_NAME: a point and in numbers. */
void finish_metrics(Job *j, const double *value, const double *truth, size_t n, json_t *numbers);

#endif
