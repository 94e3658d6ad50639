/* runs_int.h -- what the files of the Runs pane share: what is known of every run, which runs are shown
 * in which order and columns, and the views under the table.
 *
 *   store --job--> RunFacts --runs_fields.c--> fields --runs_filter.c, runs_order.c--> lines --> table
 *   (runs_book.c)
 *
 * A field is anything a run has a value of: a fact of its row, a hyperparameter, a metric. Columns, the
 * filter, sorting, the views and the export all speak of fields by name. */
#ifndef LATHE_TUI_RUNS_INT_H
#define LATHE_TUI_RUNS_INT_H

#include "../chart.h"
#include "../ui.h"
#include "../widgets.h"
#include "steer.h"

#include <lathe/recipe.h>

/* ---- what is known of a run beyond the snapshot (runs_book.c) -------------------------------------- */

typedef struct RunFacts {
    int64_t run, stamp;                  /* stamp: of the row it was read with, see run_stamp */
    Arena arena;
    ParamRow *param; size_t params;      /* as they are now: live changes taken in */
    MetricPoint *metric; size_t metrics; /* the last of every key */
    double valid, test;                  /* the main metric; NaN: none yet */
    const Metric *main;
    uint64_t setup;                      /* hash of all that it was made of but the seed */
} RunFacts;
typedef struct RunBook { VEC(RunFacts *) of; } RunBook; /* by run, ascending */
const RunFacts *book_find(const RunBook *b, int64_t run); /* NULL: not read yet */
void book_read(RunBook *b, const Snapshot *snap, void *owner, int slot,
               void (*done)(void *owner, void *facts, const Error *err, Ui *ui), Ui *ui);
void book_take(RunBook *b, void *facts); /* what the job gave */
void book_release(RunBook *b);
void book_facts_free(void *facts);

/* ---- fields (runs_fields.c) -------------------------------------------------------------------------- */

// clang-format off
#define RUN_FACTS(X) /* enum, name, title, width, a number, help */ \
    X(RUN,       "run",        "Run",         4, true,  "its number")                                 \
    X(NAME,      "name",       "Name",       18, false, "its name")                                   \
    X(FAMILY,    "family",     "Family",      8, false, "model family")                               \
    X(STATUS,    "status",     "Status",      9, false, "running, finished, failed ...")              \
    X(EPOCH,     "epoch",      "Epoch",       7, true,  "epochs done")                                \
    X(VALID,     "validation", "Validation", 10, true,  "main metric on the validation rows")         \
    X(TEST,      "test",       "Test",       10, true,  "main metric on the test rows")               \
    X(DELTA,     "delta",      "vs base",     9, true,  "difference to the baseline in percent")      \
    X(TOOK,      "took",       "Took",        8, true,  "seconds it trained")                         \
    X(DATASET,   "dataset",    "Dataset",    16, false, "name of the dataset")                        \
    X(TAGS,      "tags",       "Tags",       10, false, "tags")                                       \
    X(NOTE,      "note",       "Note",       24, false, "the note kept with it")                      \
    X(TARGET,    "target",     "Target",     12, false, "the column it predicts")                     \
    X(TASK,      "task",       "Task",       10, false, "regression, binary, multiclass")             \
    X(METRIC,    "metric",     "Metric",      8, false, "the main metric")                            \
    X(SEED,      "seed",       "Seed",        6, true,  "seed of its random numbers")                 \
    X(STEP,      "step",       "Step",        8, true,  "steps done")                                 \
    X(BEST,      "best",       "Best",       10, true,  "best value of what early stopping watches")  \
    X(BEST_STEP, "best_step",  "Best at",     8, true,  "and its step")                               \
    X(FEATURES,  "features",   "Features",   20, false, "columns it learns from; empty: all")         \
    X(RECIPE,    "recipe",     "Recipe",     20, false, "rules applied first")                        \
    X(SPLIT,     "split",      "Split",      10, false, "shares of training, validation, test")       \
    X(DATA,      "data",       "Data",       12, false, "hash of the dataset")                        \
    X(MACHINE,   "machine",    "Machine",    12, false, "where it ran")                               \
    X(VERSION,   "version",    "Version",     8, false, "of the program")                             \
    X(PARENT,    "parent",     "Fork of",     7, true,  "the run it was forked from")                 \
    X(EXPERIMENT,"experiment", "Experiment", 12, false, "the experiment it belongs to")
// clang-format on
#define AS_ENUM(id, name, title, width, number, help) RUN_FACT_##id,
typedef enum RunFact { RUN_FACTS(AS_ENUM) RUN_FACT_COUNT } RunFact;
#undef AS_ENUM

typedef enum FieldKind { FIELD_FACT, FIELD_PARAM, FIELD_METRIC } FieldKind;
typedef struct RunField {
    char name[64], key[56]; /* as it is written here; as the store calls it */
    FieldKind kind;
    RunFact fact;
    bool number;  /* every value there is reads as one */
    bool log;     /* a hyperparameter that is searched on a logarithmic scale */
    bool differs; /* not the same in all runs that are shown */
    int better;   /* 1 larger, -1 smaller, 0 neither */
} RunField;

/* ---- state --------------------------------------------------------------------------------------------- */

#define RUN_VIEWS(X) /* enum, name, title, help */ \
    X(FACTS,      "facts",      "what it was made of, or what differs between marked runs")     \
    X(SCATTER,    "scatter",    "a hyperparameter against a metric, a dot a run")                \
    X(PARALLEL,   "parallel",   "hyperparameters as parallel axes, a line a run")               \
    X(IMPORTANCE, "importance", "which hyperparameters matter for the metric")                  \
    X(FORKS,      "forks",      "which run was forked from which")                              \
    X(EXPLAIN,    "explain",    "what the run's model makes of its columns")
#define AS_ENUM(id, name, help) RUN_VIEW_##id,
typedef enum RunView { RUN_VIEWS(AS_ENUM) RUN_VIEW_COUNT } RunView;
#undef AS_ENUM

typedef struct RunLine { /* one line of the table */
    size_t run;          /* index in the snapshot; of a group its first */
    size_t group;        /* index of the group, SIZE_MAX: not grouped */
    bool head;           /* stands for all runs of its group */
} RunLine;
typedef struct RunGroup {
    uint64_t setup;
    VEC(size_t) member; /* indices in the snapshot */
    bool open;
} RunGroup;

/* One run or several side by side: facts, hyperparameters, metrics; of several only what differs. */
#define RUN_SIDES 6
typedef struct CompareRow {
    const char *what;
    const char *value[RUN_SIDES]; /* as text; "" none */
    double number[RUN_SIDES];     /* metrics; NaN none */
    bool metric;
    int best;                     /* side with the best number; -1 */
} CompareRow;
typedef struct RunCompare {
    Arena arena;
    size_t sides;
    RunRow run[RUN_SIDES];
    VEC(CompareRow) row;
    size_t same;                    /* rows that are equal and not shown */
    EventRow *event; size_t events; /* of a single run */
} RunCompare;
typedef struct CompareAsk { size_t sides; int64_t run[RUN_SIDES]; } CompareAsk;

/* What a run's model makes of its columns, as `explain` says it (runs_explain.c). */
typedef struct RunExplain {
    Ui *ui;
    int64_t run;                    /* asked about; 0: nothing */
    bool shap;                      /* by what each column adds, not by what is lost without it */
    json_t *columns, *points;       /* results of what=permutation or shap, what=dependence; owned, or NULL */
    char trouble[200];
    size_t at, top;                 /* the column looked at */
} RunExplain;

/* How much each hyperparameter matters for a metric, by permutation in a booster (runs_importance.c). */
#define RUN_INPUTS 48
typedef struct RunImportance {
    char metric[64];
    size_t runs, inputs;
    char name[RUN_INPUTS][64];
    double worse[RUN_INPUTS];       /* error gained when its values are dealt out anew, in the metric's units */
    double rank[RUN_INPUTS];        /* Spearman's correlation with the metric; NaN: words */
    double spread, error;           /* deviation of the metric; what the booster leaves of it */
    char trouble[160];
} RunImportance;

typedef struct ColumnName { char name[64]; } ColumnName;

typedef struct RunsState {
    Ui *ui;
    Steer steer;
    RunBook book;
    VEC(RunField) field;
    VEC(ColumnName) column;         /* shown, in order; the first `pinned` stay at the left */
    size_t pinned;
    VEC(TableColumn) heads;         /* the same for the table */
    bool columns_known;             /* taken from what the workspace remembers */
    bool filter_known, look_known;  /* likewise, or set since */
    Table table;
    VEC(size_t) shown;              /* runs that pass filter and search, in order */
    VEC(RunLine) line;              /* the same as lines: a run, or a group of them */
    VEC(RunGroup) group;
    bool grouped;
    uint64_t seen, read;            /* snapshot numbers: arranged, asked for */
    char sort[64];                  /* field; "" newest first */
    bool down;
    char find[64];                  /* text anywhere in the row */
    char filter[240];               /* expression */
    int64_t baseline;
    RunCompare *compare;
    CompareAsk asked;
    RunExplain explain;
    RunImportance *importance;
    char importance_asked[80];
    RunView view;
    char x_field[64], y_field[64];  /* of scatter, parallel, importance: hyperparameter and metric */
    bool detail;                    /* the keys go to the lower part */
    size_t detail_top;
    int table_rows, body_rows, body_cols;
} RunsState;

enum { RUNS_SLOT_BOOK = 1, RUNS_SLOT_COMPARE, RUNS_SLOT_IMPORTANCE };

const RunRow *runs_at(const RunsState *s, uint64_t row); /* NULL: no such line */
const RunRow *runs_here(const RunsState *s);

/* runs_fields.c */
extern const char *const run_fact_help[];
void runs_fields(RunsState *s);                              /* which there are, from what is known */
const RunField *runs_field(const RunsState *s, const char *name); /* NULL if absent */
double runs_number(const RunsState *s, const RunRow *run, const RunField *f); /* NaN: none, or words */
void runs_text(const RunsState *s, const RunRow *run, const RunField *f, Text *into); /* "": none */
const RunField *runs_metric(const RunsState *s);             /* that the views look at */
const RunField *runs_input(const RunsState *s);
Reply runs_turn_field(RunsState *s, bool metric, int by);    /* the next of them */
int metric_better(const char *key);                          /* "val_rmse": -1 */
Style runs_status_style(RunStatus status);

/* runs_filter.c: `val_rmse < 3 and family = gbdt and has:note` over the fields */
bool runs_filter_check(const RunsState *s, const char *text, Error *err);
bool runs_filter(const RunsState *s, const char *text, uint8_t *keep, Error *err); /* [snapshot runs] */
void runs_filter_complete(const RunsState *s, const char *text, void (*add)(void *, const char *word),
                          void *context);

/* runs_order.c: filter, text, sorting and groups make the lines */
void runs_arrange(RunsState *s);
void runs_group(RunsState *s);                               /* by seed, or not */
double runs_seed_noise(const RunsState *s, const RunRow *like, const RunField *f); /* NaN: not known */
/* Mean of a field over a group and half its 95 % interval (NaN of a single run); how many had it. */
size_t runs_mean(const RunsState *s, const RunGroup *g, const RunField *f, double *mean, double *half);

/* runs_remember.c */
void runs_remember(RunsState *s);                            /* baseline, order and groups are others now */
void runs_restore(RunsState *s);                             /* once the workspace has said it */

/* runs_draw.c */
enum { RUNS_ZONE_TABLE = 1, RUNS_ZONE_DETAIL };
void runs_draw(const void *state, const Canvas *c, const Ui *ui);

/* runs_ask.c */
void runs_confirm_delete(RunsState *s, const RunRow *run);
void runs_ask_filter(RunsState *s);
void runs_filter_set(void *owner, const char *text, Ui *ui);
void runs_find_set(void *owner, const char *text, Ui *ui);
void runs_ask_plot(RunsState *s);                            /* of the marked runs, or the one here */

/* runs_words.c: each in a dialog with what it is now */
void runs_rename(RunsState *s, const RunRow *run);
void runs_tag(RunsState *s, const RunRow *run);
void runs_note(RunsState *s, const RunRow *run);

/* runs_columns.c */
void runs_columns(RunsState *s);                             /* the heads, and what is remembered */
bool runs_column_add(RunsState *s, const char *name);        /* false: there is no such field */
void runs_column_hide(RunsState *s);
void runs_column_pin(RunsState *s);
void runs_column_move(RunsState *s, int by);
void runs_column_choose(RunsState *s);
void runs_columns_text(const RunsState *s, Text *into);      /* "run! name! family": as it is remembered */
void runs_columns_set(RunsState *s, const char *text);
const RunField *runs_column_field(const RunsState *s, size_t column); /* NULL: unknown now */

/* runs_table.c */
TableSource runs_source(const RunsState *s);
void runs_cell(const RunsState *s, uint64_t row, size_t column, Cell *out);

/* runs_load.c, runs_compare.c */
void *run_compare_load(JobContext *c, void *input, Error *err); /* input: CompareAsk */
void run_compare_free(void *compare);
void run_compare_draw(const RunsState *s, const Canvas *canvas);
size_t run_compare_lines(const RunCompare *c);

/* the views */
void runs_scatter_draw(const RunsState *s, const Canvas *c);
bool runs_scatter_chart(const RunsState *s, Arena *a, Chart *out, char title[160]); /* false: no dots */
bool runs_parallel_chart(const RunsState *s, Arena *a, Chart *out, char title[160]); /* places from 0 to 1 */
void runs_parallel_draw(const RunsState *s, const Canvas *c);
void runs_forks_draw(const RunsState *s, const Canvas *c);
size_t runs_forks_lines(const RunsState *s);
void runs_importance_ask(RunsState *s);                      /* unless it is known */
void runs_importance_draw(const RunsState *s, const Canvas *c);

/* runs_undo.c: see Pane */
bool runs_keep(const void *state, Text *into);
bool runs_put(void *state, const char *kept, Ui *ui);

/* runs_write.c */
bool runs_table_shown(const void *state, TableSource *out);
bool runs_chart_shown(const void *state, Arena *a, Chart *out, char title[160]);

void run_explain_release(RunExplain *e);
void run_explain_ask(RunExplain *e, int64_t run, bool shap); /* by a job, with progress; Ctrl-C ends it */
void run_explain_column(RunExplain *e);                 /* the dependence on the column looked at */
bool runs_can_shap(const RunsState *s); /* the model that is explained can say what each column adds */
Reply run_explain_move(RunExplain *e, int64_t step);
void run_explain_draw(const RunExplain *e, const Canvas *c);

#endif
