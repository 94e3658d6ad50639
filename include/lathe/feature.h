/* feature.h -- a table's columns as floats and category codes, and back.
 *
 * Features are fitted on the training rows only and kept in the bundle; the same object encodes
 * training batches and a single row to score. Every encoder is one file and one row: standardise
 * or quantile-to-normal for numbers (with a missing indicator where training rows had missing
 * values), or raw with NaN for missing (trees), one-hot or embedding codes for categories (code 0: never seen or missing), timestamps
 * to parts (cyclic hour and weekday, month, days since), the target standardised.
 *
 *     Features *f = features_fit(d, plan, &split, &options, pool, &progress, &err);
 *     Batch b = { .rows = n };
 *     features_encode(f, &cleaned_chunk, &arena, &b);          // b.dense, b.code, b.target
 *     ...
 *     double dollars = features_target_value(f, output[0]);    // back from standardised
 */
#ifndef LATHE_FEATURE_H
#define LATHE_FEATURE_H

#include <lathe/recipe.h>

/* Memory as long as a table: from the heap while it has given fewer than `memory` bytes (0: a quarter
 * of what there is, at most), else from files in `dir` that have no name there and are mapped. Any thread. */
typedef struct Scratch Scratch;
#define SCRATCH_NAME ".scratch-"                  /* how the name begins that such a file has for a moment */
Scratch *scratch_create(const char *dir, uint64_t memory);
void     scratch_destroy(Scratch *s);             /* and gives back what was not */
void    *scratch_take(Scratch *s, size_t size, Error *err); /* zeroed, aligned; s NULL: mem_try */
void     scratch_give(Scratch *s, void *at);      /* NULL is fine */
/* So many bytes of files were looked at, page by page: when that is more than `memory`, pages are let go
 * of, so that what the process has in memory stays bounded. */
void     scratch_touched(Scratch *s, uint64_t bytes);
void     scratch_random(Scratch *s, void *at);    /* will be read here and there: no reading ahead */
void     scratch_soon(const Scratch *s, const void *at, size_t size); /* these bytes will be: now is the time */
uint64_t scratch_in_files(const Scratch *s);      /* bytes */

#define TASKS(X) /* enum, name, meaning */                            \
    X(REGRESSION, "regression", "a number")                          \
    X(BINARY,     "binary",     "one of two classes")                \
    X(MULTICLASS, "multiclass", "one of several classes")
#define AS_ENUM(name, text, about) TASK_##name,
typedef enum TaskKind { TASKS(AS_ENUM) TASK_COUNT } TaskKind;
#undef AS_ENUM
const char *task_name(TaskKind t);

/* Rows ready for a model. Row-major, no padding. */
typedef struct Series Series;
typedef struct Batch {
    size_t rows;
    const float *dense;      /* [rows][dense] */
    const int32_t *code;     /* [rows][codes], each in [0, cardinality) */
    const float *target;     /* [rows]: regression standardised; class number else; NULL to score */
    const float *weight;     /* [rows] or NULL */
    const Series *series;    /* rows are windows of it: dense and code are NULL, target [rows][horizon] */
    const uint32_t *at;      /* [rows] then: the place of each window's last known step */
} Batch;

/* A family of series looks at `window` steps of a group's past and says the `horizon` steps after them, as
 * quantiles. What it is fed of a window, series_gather lays out as floats:
 *
 *     [statics] [window][place, target, inputs not static] [horizon][place, inputs known ahead] */
typedef enum SeriesKind { SERIES_PAST, SERIES_KNOWN, SERIES_STATIC } SeriesKind;
typedef struct SeriesInput { const char *name; SeriesKind kind; size_t at, width; } SeriesInput; /* in a row */
typedef struct SeriesShape {
    size_t window, horizon;
    size_t inputs; const SeriesInput *input;
    size_t fixed, past, known;   /* floats: of the statics, of a step of the past, of one to come */
    size_t levels; const float *level; /* quantiles that are said, ascending */
} SeriesShape;
static inline size_t series_floats(const SeriesShape *s) { return s->fixed + s->window * s->past + s->horizon * s->known; }

/* What a model must know of its inputs and outputs. */
typedef struct ModelShape {
    size_t dense, codes;
    const int32_t *cardinality;  /* [codes], the unseen slot 0 included */
    TaskKind task;
    size_t classes;              /* 2 for binary; 0 for regression */
    size_t outputs;              /* numbers a row: 1 for regression and binary, classes else */
    bool missing;                /* a number may be NaN: missing (numbers=raw) */
    const SeriesShape *series;   /* NULL: rows stand alone; else outputs is horizon times levels */
    bool log_link;               /* regression: outputs are logarithms of the target (>= 0) */
    const char *const *dense_name, *const *code_name; /* for importance and messages */
} ModelShape;

typedef struct FeatureOptions {  /* Param rows: feature_params */
    int numbers;                 /* auto | standard | quantile | raw */
    int categories;              /* embed | onehot */
    int onehot_most;             /* categories with at most so many words are one-hot even so */
    int words_most;              /* a text column with more distinct words is left out, and said */
    int words_least;             /* a word seen in fewer training rows counts as unseen */
    int transform_target;        /* auto | none | standard | log | mean */
    int task;                    /* auto | regression | classification */
} FeatureOptions;
extern const Param feature_params[];
enum { TRANSFORM_AUTO, TRANSFORM_NONE, TRANSFORM_STANDARD, TRANSFORM_LOG, TRANSFORM_MEAN };
enum { WANT_AUTO, WANT_REGRESSION, WANT_CLASSIFICATION }; /* task */

typedef struct Features Features;
/* d's rows through plan (NULL: as they are). Which columns: `columns` (n names, NULL = all fitting
 * ones by role and kind); target NULL = unsupervised. Columns left out are told by features_notes.
 * A target that is constant, missing everywhere, or text with too many classes is an error.      */
Features *features_fit(const Dataset *d, const Plan *plan, const Split *split, const char *target,
                       const char *const *columns, size_t n, const FeatureOptions *options,
                       Pool *pool, Progress *progress, Error *err);
void features_destroy(Features *f);
const ModelShape *features_shape(const Features *f);
const char *features_target(const Features *f);
size_t      features_inputs(const Features *f);           /* source columns used */
const char *features_input(const Features *f, size_t i);
json_t     *features_notes(const Features *f);            /* ["ZIP left out: constant", ...] new reference */
json_t     *features_to_json(const Features *f);
Features   *features_from_json(const json_t *from, Error *err);

/* The chunk must have the input columns (by name; an INT where a REAL was is fine), the target only
 * if want_target. Rows whose target is missing get target NaN. Arena memory.                     */
bool features_encode(const Features *f, const Chunk *c, bool want_target, Arena *a, Batch *out, Error *err);
/* The same as ONNX nodes. column [features_inputs]: the inputs' values, [rows][1]; text, "" for missing;
 * else reals with NaN for missing: true 1, false 0, dates in days, times in seconds since 1970.
 * dense and codes: what Batch calls so, NULL where there is none. */
bool features_onnx(const Features *f, Onnx *o, const char *const *column, const char **dense,
                   const char **codes, Error *err);
const char *features_target_onnx(const Features *f, Onnx *o, const char *z); /* features_target_value */
ColumnType features_input_type(const Features *f, size_t i);
/* Where an input stands in an encoded row: dense_at .. + dense (its missing indicator with it). */
typedef struct InputSpan { size_t dense_at, dense, code_at, codes; } InputSpan;
InputSpan features_span(const Features *f, size_t input);
/* One input's column alone: dense [rows][span.dense], code [rows][span.codes], both zeroed before. */
bool features_encode_input(const Features *f, size_t input, const Column *c, Arena *a, float *dense,
                           int32_t *code, Error *err);

/* The whole table, part by part: [PART_COUNT] batches, rows with a missing target left out;
 * row[part][i] is the row's number in d, and ascends. Owned by the table; it stands in `scratch`, which
 * must outlive it (NULL: on the heap). The values are the same wherever it stands.               */
typedef struct FeatureTable { Batch part[PART_COUNT]; uint64_t *row[PART_COUNT]; uint64_t dropped;
                              Scratch *scratch; Series *series; } FeatureTable;
bool feature_table_create_in(FeatureTable *out, Scratch *scratch, const Features *f, const Dataset *d,
                             const Plan *plan, const Split *split, Pool *pool, Progress *progress,
                             Error *err);
/* The same for one of several processes: training rows of a stretch of the table only, and the other parts
 * for the first of them alone. */
typedef struct TableShare { size_t number, count; } TableShare; /* stretch `number` of `count` */
bool feature_table_create_share(FeatureTable *out, TableShare share, Scratch *scratch, const Features *f,
                                const Dataset *d, const Plan *plan, const Split *split, Pool *pool,
                                Progress *progress, Error *err);
bool feature_table_create(FeatureTable *out, const Features *f, const Dataset *d, const Plan *plan,
                          const Split *split, Pool *pool, Progress *progress, Error *err);
/* The same of a table of series: rows are windows, row[part] the number of their last known row. A window is
 * of the part in which its whole horizon lies, so those that train end before the first row that validates. */
bool feature_table_series(FeatureTable *out, Scratch *scratch, const Features *f, size_t stride, const Dataset *d,
                          const Plan *plan, const Split *split, Pool *pool, Progress *progress, Error *err);
void feature_table_release(FeatureTable *t);

/* ---- series ------------------------------------------------------------------------------------ */

static inline size_t shape_targets(const ModelShape *s) { return s->series ? s->series->horizon : 1; } /* a row */
Batch batch_slice(const Batch *b, const ModelShape *s, size_t from, size_t rows);

typedef struct SeriesOptions {
    const char *group;           /* columns that name a series, A,B; "": the table is one */
    const char *time;            /* the column that orders its rows */
    const char *known;           /* inputs known ahead, beside those of the time: A,B or "" */
    size_t window, horizon, stride; /* stride: of training windows; each begins so many steps after the last */
    size_t levels; float level[32];
} SeriesOptions;
/* Fits to a table what the features must know of its series: the usual step of the time, and which inputs are
 * the same in all rows of a group (static), known ahead, or past alone. Once, before the shape is used. */
bool features_series(Features *f, const SeriesOptions *o, const Dataset *d, const Plan *plan, Pool *pool,
                     Progress *progress, Error *err);
const char *features_time(const Features *f);             /* NULL: no series */
const char *features_group(const Features *f);
double      features_time_step(const Features *f);        /* in the column's own units */

/* Rows of a table as series: group after group, in the order of time. A step without a row repeats the row
 * before it and has no target; a gap longer than the window parts a series in two. Rows without a time are
 * left out, those without a target too unless nothing of their group is known after them: they are what is
 * to come. */
Series *series_create(const Features *f);
bool    series_add(Series *s, const Chunk *c, Error *err); /* through the recipes; any order of rows */
/* Sorts; with `ahead` each group gets the steps of the next horizon it lacks, of which only the time and
 * what is static is known. */
bool    series_finish(Series *s, bool ahead, Error *err);
void    series_destroy(Series *s);
size_t  series_places(const Series *s);
typedef struct SeriesPlace {
    uint64_t row;                /* chunk_origin; of a step without a row: that of the row before it */
    bool has_row;                /* it was given */
    double time;
    float target;                /* NaN: not known */
    const char *group;           /* its name, "a" or "a, b"; "" without */
    uint32_t begin, end;         /* places of its series: [begin, end) */
} SeriesPlace;
SeriesPlace series_place(const Series *s, uint32_t place);
/* dense [n][series_floats]; target [n][horizon] or NULL. Before its beginning a series repeats its first row. */
void    series_gather(const Series *s, const uint32_t *at, size_t n, float *dense, float *target);

double      features_target_value(const Features *f, double standardised); /* regression: raw units */
double      features_target_scale(const Features *f);     /* raw units per standardised unit */
const char *features_class(const Features *f, size_t i);  /* class names, as printed */
/* Class weights "balanced": n / (classes * n_class), from the training rows. */
double      features_class_weight(const Features *f, size_t i);

#endif
