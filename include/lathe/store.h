/* store.h -- the workspace: one folder, one SQLite file, the bus of the house.
 *
 *     DIR/lathe.db              everything small: datasets, columns, runs, params, metrics, commands ...
 *     DIR/datasets/HASH.arrow   immutable tables        DIR/runs/ID/   checkpoints and the bundle
 *     DIR/lathe.log
 *
 * WAL, one Store (one connection) a thread. Runs write metrics and events and read commands here;
 * viewers read. Every call may meet another writer: it waits up to 5 s, then says who to blame.
 * Rows come back as plain structs whose text lives in the caller's arena and is never NULL.
 *
 * What is acknowledged stays: a call that returned true survives kill -9, and all but metrics and
 * progress also a power cut (they are flushed to disk before the call returns). Metrics and
 * progress are flushed with the next event, checkpoint or status; what a power cut takes of them
 * lies after the last checkpoint, and a resumed run writes the same points again.
 *
 *     Store *s = store_open("work", STORE_WRITE, &err);  // creates and migrates
 *     int64_t run = store_run_add(s, &row, &err);
 *     store_metrics_add(s, run, points, n, &err);         // one transaction
 */
#ifndef LATHE_STORE_H
#define LATHE_STORE_H

#include <lathe/base.h>
#include <jansson.h>

typedef struct Store Store;
typedef enum StoreMode { STORE_READ, STORE_WRITE } StoreMode;
/* Errors: not a folder, read-only, of a newer version, not ours, network file system (said in
 * store_warning), damaged. STORE_READ of a missing workspace is an error; WRITE creates it.    */
Store *store_open(const char *dir, StoreMode mode, Error *err);
void   store_close(Store *s);
const char *store_dir(const Store *s);
const char *store_warning(const Store *s);              /* NULL: none */
struct sqlite3 *store_handle(Store *s);                 /* for SQL over everything; read only, please */
char  *store_path(const Store *s, Arena *a, const char *fmt, ...) PRINTF_LIKE(3, 4); /* DIR/... */
bool   store_check(Store *s, json_t *findings, Error *err); /* doctor: integrity, files behind rows */
int64_t store_version_seen(Store *s);                   /* another number: other connections wrote */

/* Several calls as one: nothing is half there. Nestable. */
bool store_begin(Store *s, Error *err);
bool store_commit(Store *s, Error *err);
void store_rollback(Store *s);

/* ---- datasets --------------------------------------------------------------------------------- */

typedef struct DatasetRow {
    int64_t id;
    const char *hash, *name, *source, *source_tag;
    const char *parent;             /* hash, or "" */
    const char *recipe;             /* text that made it from parent, or "" */
    const char *plan;               /* the fitted recipe as JSON, or "" */
    const char *sniffed;            /* JSON */
    int64_t rows, columns, bytes, rejects;
    int64_t created;                /* micros */
} DatasetRow;
typedef struct ColumnRow { const char *name, *type, *role; bool nullable; double distinct; int64_t missing;
                           const char *least, *most; bool private; } ColumnRow;
typedef struct RejectRow { int64_t line; const char *reason, *text; } RejectRow;
/* A name may be given again: it then means the newest; older versions keep their hash. */
int64_t store_dataset_add(Store *s, const DatasetRow *row, const ColumnRow *columns, size_t n, Error *err); /* 0: failed */
/* By name, hash or hash prefix (6 or more digits). "no dataset taxi_jan, did you mean trips_jan?" */
bool store_dataset_find(Store *s, const char *name, Arena *a, DatasetRow *out, Error *err);
/* The one that `row` was made of. A recipe that changes nothing gives its parent's hash another name: never
 * `row` itself, and of several that hold the same table the one that stands for itself. */
bool store_dataset_parent(Store *s, const DatasetRow *row, Arena *a, DatasetRow *out, Error *err);
/* `from`, what it was made of, and so on up to the table that was read from a source, the root: *n of them, the
 * root last. False: one of them is not here, or there are more than 64; the *n before it are given. */
bool store_dataset_line(Store *s, const DatasetRow *from, Arena *a, DatasetRow **out, size_t *n, Error *err);
/* The last of that line. */
bool store_dataset_root(Store *s, const DatasetRow *from, Arena *a, DatasetRow *out, Error *err);
bool store_datasets(Store *s, Arena *a, DatasetRow **out, size_t *n, Error *err);   /* newest first */
bool store_dataset_columns(Store *s, const char *hash, Arena *a, ColumnRow **out, size_t *n, Error *err);
bool store_column_role(Store *s, const char *hash, const char *column, const char *role, Error *err);
/* A private column's values stand as *** in every log. A new version of a dataset takes the marks of the one before
 * it over by name. With the column goes that of its parents, as far as it has that name there. */
bool store_column_private(Store *s, const char *hash, const char *column, bool private, Error *err);
bool store_dataset_rename(Store *s, const char *name, const char *to, Error *err);
/* One version out of the lists; with the last of its hash go its columns, rejects and draft. The caller
 * asks first who refers to it; the file is for `lathe gc`. */
bool store_dataset_remove(Store *s, int64_t id, const char *hash, Error *err);
/* Rows of columns, rejects and drafts whose dataset is gone: how many, and away with them. */
bool store_orphans(Store *s, bool forget, int64_t *rows, Error *err);
bool store_rejects_add(Store *s, const char *hash, const RejectRow *rows, size_t n, Error *err);
bool store_rejects(Store *s, const char *hash, size_t most, Arena *a, RejectRow **out, size_t *n, Error *err);
/* The recipe being edited on screen for a dataset (not yet applied), kept across sessions. */
bool store_draft_set(Store *s, const char *hash, const char *recipe, Error *err);
bool store_draft_get(Store *s, const char *hash, Arena *a, const char **recipe, Error *err); /* "" if none */

/* ---- runs --------------------------------------------------------------------------------------- */

#define RUN_STATUSES(X) X(SCHEDULED) X(RUNNING) X(PAUSED) X(FINISHED) X(FAILED) X(KILLED)
#define AS_ENUM(name) RUN_##name,
typedef enum RunStatus { RUN_STATUSES(AS_ENUM) RUN_STATUS_COUNT } RunStatus;
#undef AS_ENUM
const char *run_status_name(RunStatus s);

typedef struct RunRow {
    int64_t id;
    const char *name, *experiment, *family, *dataset /* hash */, *dataset_name, *target, *task;
    const char *recipe;             /* text */
    const char *features;           /* A,B,C or "" for all */
    const char *split;              /* 70/15/15 */
    int64_t seed;
    RunStatus status;
    const char *message;            /* why it failed or stopped; "" */
    int64_t parent, parent_step;    /* forked from; 0 */
    int64_t pid;                    /* of the process that runs it; 0 */
    int64_t born;                   /* when that process started, so that a reused pid is no mistake */
    int64_t created, started, ended, heartbeat; /* micros; 0 not yet */
    int64_t step, steps_total, epoch, epochs_total; /* progress, written by the run */
    const char *monitor;            /* key that early stopping watches: val_loss */
    double best; int64_t best_step; /* of monitor; NaN none */
    const char *note;               /* "" */
    const char *tags;               /* space-separated; "" */
    const char *machine, *version;  /* where and with what program it ran */
} RunRow;
typedef struct ParamRow { const char *key, *value; } ParamRow;
typedef struct MetricPoint { const char *key; int64_t step; double wall /* s since start */, value; } MetricPoint;
typedef struct EventRow { int64_t id, run, step, time; const char *kind, *text; } EventRow;
typedef struct CommandRow { int64_t id, run, time; const char *verb, *key, *value;
                            int64_t taken, step; /* when and before which step; 0, -1 not yet */ } CommandRow;

int64_t store_run_add(Store *s, const RunRow *row, const ParamRow *params, size_t n, Error *err);
bool store_run_find(Store *s, const char *id_or_name, Arena *a, RunRow *out, Error *err); /* also "last" */
bool store_run_get(Store *s, int64_t id, Arena *a, RunRow *out, Error *err);
bool store_runs(Store *s, Arena *a, RunRow **out, size_t *n, Error *err);  /* newest first */
bool store_run_params(Store *s, int64_t run, Arena *a, ParamRow **out, size_t *n, Error *err);
bool store_run_param_set(Store *s, int64_t run, const char *key, const char *value, Error *err);
bool store_run_status(Store *s, int64_t run, RunStatus status, const char *message, Error *err);
/* Of a RUNNING one: what it does before its first step, or within a long one. Cheap, like progress. */
bool store_run_says(Store *s, int64_t run, const char *message, Error *err);
/* A run that ended elsewhere, at that time: FINISHED. */
bool store_run_ended(Store *s, int64_t run, const char *message, int64_t ended, Error *err);
bool store_run_progress(Store *s, const RunRow *row, Error *err);  /* step.. best_step, heartbeat, pid, started, ended */
/* Takes the run for this process: RUNNING; false with ERROR_STOP if another living process has it,
 * or if it has FINISHED. */
bool store_run_claim(Store *s, int64_t run, int64_t pid, Error *err);
bool store_run_alive(const RunRow *row); /* RUNNING or PAUSED, and its process is there */
bool store_run_rename(Store *s, int64_t run, const char *name, Error *err);
bool store_run_note(Store *s, int64_t run, const char *note, Error *err);
bool store_run_tag(Store *s, int64_t run, const char *tag, bool on, Error *err);
bool store_run_delete(Store *s, int64_t run, Error *err);  /* with metrics; the caller removes files */

bool store_metrics_add(Store *s, int64_t run, const MetricPoint *points, size_t n, Error *err);
/* Points with rowid > *cursor in order; moves *cursor: viewers read only what is new. key NULL: all. */
bool store_metrics_since(Store *s, int64_t run, const char *key, int64_t *cursor, Arena *a,
                         MetricPoint **out, size_t *n, Error *err);
/* The same of all keys, at most so many: a long run in parts. */
bool store_metrics_part(Store *s, int64_t run, int64_t *cursor, size_t most, Arena *a, MetricPoint **out,
                        size_t *n, Error *err);
/* Last value of every key (final table of a run). */
bool store_metrics_last(Store *s, int64_t run, Arena *a, MetricPoint **out, size_t *n, Error *err);
/* Steps a second over the last third of its loss, validations included, pauses and kills left out: what the
 * rest of the run will feel like. NaN: not known yet. */
double store_run_pace(Store *s, int64_t run);
/* After a resume from step: points beyond it are taken back (they will be written again). */
bool store_metrics_cut(Store *s, int64_t run, int64_t after_step, Error *err);

int64_t store_event_add(Store *s, int64_t run, int64_t step, const char *kind, const char *text, Error *err);
/* The same, unless it stands there already: a resumed run comes by a step again. */
bool store_event_once(Store *s, int64_t run, int64_t step, const char *kind, const char *text, Error *err);
/* As it was told elsewhere: with its own time; id is not asked. */
bool store_event_put(Store *s, const EventRow *e, Error *err);
bool store_events_since(Store *s, int64_t run /* 0: all */, int64_t *cursor, Arena *a, EventRow **out, size_t *n, Error *err);
/* verb: set (key, value), pause, resume, checkpoint, stop. Taken once, in order. */
int64_t store_command_add(Store *s, int64_t run, const char *verb, const char *key, const char *value, Error *err);
bool store_commands_take(Store *s, int64_t run, Arena *a, CommandRow **out, size_t *n, Error *err);
bool store_commands_pending(Store *s, int64_t run); /* cheap: for the training loop, no allocation */
bool store_command_waits(Store *s, int64_t run, const char *verb); /* the same of one verb */
/* Which step a taken command came before; a resumed run does the same again at the same step. */
bool store_command_step(Store *s, int64_t id, int64_t step, Error *err);
/* Taken ones with a step after `step`, in order. */
bool store_commands_taken(Store *s, int64_t run, int64_t step, Arena *a, CommandRow **out, size_t *n, Error *err);

/* Paths of checkpoints and models are relative to the workspace, so that it may be moved. */
typedef struct CheckpointRow { int64_t id, run, step, epoch, created; const char *path; double value; bool best; } CheckpointRow;
bool store_checkpoint_add(Store *s, const CheckpointRow *row, Error *err);
bool store_checkpoints(Store *s, int64_t run, Arena *a, CheckpointRow **out, size_t *n, Error *err); /* by step */
bool store_checkpoint_remove(Store *s, int64_t id, Error *err); /* the caller removes the files */

/* ---- models, drift ---------------------------------------------------------------------------------- */

/* alias: space-separated; an alias stands with one version of a name at a time. */
typedef struct ModelRow { int64_t id, run, version, created; const char *name, *hash, *path, *alias; } ModelRow;
int64_t store_model_add(Store *s, const ModelRow *row, Error *err);
bool store_models(Store *s, Arena *a, ModelRow **out, size_t *n, Error *err);      /* newest first */
bool store_model_get(Store *s, int64_t id, Arena *a, ModelRow *out, Error *err);
/* NAME (its newest), NAME/VERSION, NAME@ALIAS, @ALIAS (of the only name that has it), or a run: number,
 * run name, "last". "no model taxi@champoin, did you mean taxi@champion?" */
bool store_model_find(Store *s, const char *name, Arena *a, ModelRow *out, Error *err);
/* Gives the alias to this version and takes it from the others of its name; on false: takes it away. */
bool store_model_alias(Store *s, int64_t model, const char *alias, bool on, Error *err);

typedef struct DriftRow { int64_t id, created; const char *reference, *current, *report /* JSON */; bool drifted; } DriftRow;
int64_t store_drift_add(Store *s, const DriftRow *row, Error *err); /* also fills drift_columns from the report */
bool store_drifts(Store *s, Arena *a, DriftRow **out, size_t *n, Error *err);       /* newest first */

/* ---- production: deployments, gates, monitors, alerts -------------------------------------------------- */

/* A name under which models answer. The row is the whole state of its rollout; servers, the watcher and
 * viewers read it, whoever changes it says which revision it changes.
 *   live     model answers                    shadow   candidate answers as well; only compared, logged
 *   canary   candidate has `percent` of the requests      green    candidate answers, model stands by
 *   stopped  nothing answers (503)                                                                      */
typedef struct DeploymentRow {
    int64_t id, revision;
    const char *name, *state;
    int64_t model, candidate, previous; /* of models; 0 none. previous: what `back` goes to */
    double percent;
    int64_t step, step_since;           /* of the plan; micros */
    int64_t failed, passed;             /* checks in a row since the step began */
    const char *settings;               /* JSON: deploy.h's DeploySettings by name */
    int64_t created, changed;
} DeploymentRow;
int64_t store_deployment_add(Store *s, const DeploymentRow *row, const char *actor, Error *err); /* 0: failed */
bool store_deployment_find(Store *s, const char *name, Arena *a, DeploymentRow *out, Error *err);
bool store_deployments(Store *s, Arena *a, DeploymentRow **out, size_t *n, Error *err); /* by name */
/* Writes the row if its revision is still row->revision, one higher, with a line of the audit; both or
 * none. ERROR_STOP: someone else changed it meanwhile, read it again. */
bool store_deployment_change(Store *s, const DeploymentRow *row, const char *actor, const char *what,
                             const char *text, Error *err);
bool store_deployment_remove(Store *s, const DeploymentRow *row, const char *actor, Error *err);

/* Who did what: append only. subject: "deployment taxi", "token ci", "alert 7", "model taxi/3" ... */
typedef struct AuditRow { int64_t id, time; const char *actor, *what, *subject, *text; } AuditRow;
bool store_audit_add(Store *s, const char *actor, const char *what, const char *subject, const char *text, Error *err);
bool store_audit(Store *s, const char *subject /* NULL all */, size_t most, Arena *a, AuditRow **out, size_t *n,
                 Error *err);                                                              /* newest first */

/* One rule of one gate (a gate: the checks made at one time, by its number). NaN: has none. */
typedef struct GateCheckRow {
    int64_t id, gate, time; const char *deployment; int64_t model, against;
    const char *rule; double value, other, bound, p; bool passed; const char *note;
} GateCheckRow;
int64_t store_gate_add(Store *s, const GateCheckRow *rows, size_t n, Error *err);          /* its number; 0: failed */
bool store_gate_checks(Store *s, const char *deployment /* NULL all */, size_t most, Arena *a, GateCheckRow **out,
                       size_t *n, Error *err);                                             /* newest gate first */

/* Journeys (lathe pipeline). A step's key is a hash of its line and of what it reads; status: run, done, skip, fail;
 * result: JSON. A step is written when it begins and when it ends. */
typedef struct PipelineStepRow { int64_t pipeline, position; const char *step, *key; int64_t started, ended;
                                 const char *status, *result; } PipelineStepRow;
int64_t store_pipeline_add(Store *s, const char *name, const char *hash, const char *text, Error *err); /* 0: failed */
bool store_pipeline_end(Store *s, int64_t pipeline, const char *status, Error *err);
bool store_pipeline_step(Store *s, const PipelineStepRow *row, Error *err);
/* The newest step with this key and status. */
bool store_pipeline_find(Store *s, const char *key, const char *status, Arena *a, PipelineStepRow *out, bool *found,
                         Error *err);

/* One chunk's value of one curve. kind: drift, estimate (performance without labels), performance (by
 * feedback), quality (expect rules), detector. column: "" for the whole; "prediction" for the output. */
typedef struct MonitorPointRow {
    int64_t id; const char *deployment; int64_t model; const char *kind, *column, *test;
    int64_t time_from, time_to, first, last /* prediction ids */, rows;
    double value, low, high /* band or threshold; NaN */, truth, weight;
    bool alarm; const char *detail;                                                        /* JSON or "" */
} MonitorPointRow;
bool store_monitor_points_add(Store *s, const MonitorPointRow *rows, size_t n, Error *err);
/* What came true of a chunk that was estimated, for how far the estimate was off. */
bool store_monitor_truth(Store *s, const char *deployment, int64_t model, int64_t first, const char *test, double truth,
                         Error *err);
bool store_monitor_points_since(Store *s, const char *deployment, int64_t *cursor, Arena *a, MonitorPointRow **out,
                                size_t *n, Error *err);

/* An alert is open until it is resolved; the same (deployment, subject, kind) is raised once, and counted
 * on while open. Its cool-down: what was resolved less than `cool` seconds ago is not raised anew. */
typedef struct AlertRow {
    int64_t id; const char *deployment, *subject, *kind, *text, *detail, *state;
    int64_t raised, last, count, acknowledged, resolved; const char *actor;
} AlertRow;
/* *id: of the alert; *fresh: it was raised now, and is to be told. *id 0: cooling down. */
bool store_alert_raise(Store *s, const AlertRow *row, double cool, int64_t *id, bool *fresh, Error *err);
bool store_alert_acknowledge(Store *s, int64_t id, const char *actor, Error *err);
bool store_alert_resolve(Store *s, int64_t id, const char *actor, Error *err);
bool store_alert_reopen(Store *s, int64_t id, const char *actor, Error *err); /* one step back: what was resolved, then what was acknowledged */
bool store_alerts(Store *s, bool open_only, size_t most, Arena *a, AlertRow **out, size_t *n, Error *err); /* newest first */

/* Bearer tokens: only salt and SHA-256 are kept. */
bool store_token_add(Store *s, const char *name, const char *secret, const char *actor, Error *err);
bool store_token_revoke(Store *s, const char *name, const char *actor, Error *err);
typedef struct TokenRow { const char *name; int64_t created, revoked /* 0: it counts */; } TokenRow;
bool store_tokens(Store *s, Arena *a, TokenRow **out, size_t *n, Error *err);              /* by name */
/* In time that does not depend on the secret; *name (may be NULL): whose it is. */
bool store_token_check(Store *s, const char *secret, size_t n, Arena *a, const char **name);

/* ---- the log of predictions: DIR/predictions.db ----------------------------------------------------------- */

/* A file of its own, kept below a size by throwing the oldest away. Ids grow with time:
 * micros since 1970 << 12, plus a counter; a request's rows have ids in a row. `lathe sql` has its tables
 * predictions, feedback and traffic beside the others. Used by one thread at a time.
 *
 * A shadow's row has the id of the answer it stands beside plus PREDICTION_SHADOW, and its truth comes with
 * that answer's feedback: rows of a model with their truth are all it takes to judge it, in any role. */
#define PREDICTION_SHADOW 2048
typedef struct PredictionLog PredictionLog;
typedef struct PredictionRow {
    int64_t id, time; const char *deployment; int64_t model; const char *role; /* live shadow canary */
    const char *inputs;         /* JSON object of raw values; private columns are "***" */
    double output;              /* as Prediction.value; NaN: dropped by a rule */
    const char *said;           /* the class's name, or "" */
    double latency;             /* s of its request */
    double truth; const char *truth_said; int64_t truth_time; /* of its feedback; NaN, "", 0: none yet */
} PredictionRow;
/* One second. errors: answered with 5xx; dropped: rows not logged because the queue was full; shadow: what was answered
 * beside others' answers, and given to nobody. */
typedef struct TrafficRow { int64_t time; const char *deployment; int64_t model, requests, errors, rows, dropped;
                            double p50, p99; bool shadow; } TrafficRow;
PredictionLog *prediction_log_open(const char *dir, StoreMode mode, Error *err); /* READ of none: ERROR_USAGE */
void prediction_log_close(PredictionLog *l);
/* One transaction each; feedback is on disk when it returns, the others with the next flush. */
bool prediction_log_add(PredictionLog *l, const PredictionRow *rows, size_t n, Error *err);
bool prediction_log_traffic(PredictionLog *l, const TrafficRow *rows, size_t n, Error *err);
/* `known`: how many of the ids the log (still) has; feedback for others is kept as well. */
bool prediction_log_feedback(PredictionLog *l, const PredictionRow *rows /* id, truth, truth_said */, size_t n,
                             size_t *known, Error *err);
bool prediction_log_keep(PredictionLog *l, int64_t bytes, Error *err);          /* oldest first away */
/* Rows with id > *cursor (and of this deployment, if not NULL), at most `most`, in order. */
bool prediction_log_since(PredictionLog *l, const char *deployment, int64_t *cursor, size_t most, Arena *a,
                          PredictionRow **out, size_t *n, Error *err);
bool prediction_log_get(PredictionLog *l, int64_t id, Arena *a, PredictionRow *out, Error *err);
/* Feedback that came after micros `since`, joined with its prediction, by time of coming. */
bool prediction_log_answers(PredictionLog *l, const char *deployment, int64_t since, size_t most, Arena *a,
                            PredictionRow **out, size_t *n, Error *err);
bool prediction_log_traffic_since(PredictionLog *l, const char *deployment, int64_t since, Arena *a,
                                  TrafficRow **out, size_t *n, Error *err);
int64_t prediction_log_version_seen(PredictionLog *l);   /* another number: someone else wrote */

/* Small settings of the workspace and the session (theme, last pane ...). */
bool store_setting_set(Store *s, const char *key, const char *value, Error *err);
bool store_setting_get(Store *s, const char *key, Arena *a, const char **value, Error *err); /* NULL if none */

#endif
