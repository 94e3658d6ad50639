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
typedef struct Batch {
    size_t rows;
    const float *dense;      /* [rows][dense] */
    const int32_t *code;     /* [rows][codes], each in [0, cardinality) */
    const float *target;     /* [rows]: regression standardised; class number else; NULL to score */
    const float *weight;     /* [rows] or NULL */
} Batch;

/* What a model must know of its inputs and outputs. */
typedef struct ModelShape {
    size_t dense, codes;
    const int32_t *cardinality;  /* [codes], the unseen slot 0 included */
    TaskKind task;
    size_t classes;              /* 2 for binary; 0 for regression */
    size_t outputs;              /* numbers a row: 1 for regression and binary, classes else */
    bool missing;                /* a number may be NaN: missing (numbers=raw) */
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
                              Scratch *scratch; } FeatureTable;
bool feature_table_create_in(FeatureTable *out, Scratch *scratch, const Features *f, const Dataset *d,
                             const Plan *plan, const Split *split, Pool *pool, Progress *progress,
                             Error *err);
bool feature_table_create(FeatureTable *out, const Features *f, const Dataset *d, const Plan *plan,
                          const Split *split, Pool *pool, Progress *progress, Error *err);
void feature_table_release(FeatureTable *t);

double      features_target_value(const Features *f, double standardised); /* regression: raw units */
double      features_target_scale(const Features *f);     /* raw units per standardised unit */
const char *features_class(const Features *f, size_t i);  /* class names, as printed */
/* Class weights "balanced": n / (classes * n_class), from the training rows. */
double      features_class_weight(const Features *f, size_t i);

#endif
