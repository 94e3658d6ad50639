/* feature_int.h -- what the files of this room share: statistics, inputs, encoders, the target.
 *
 *     stats.c     one pass over the training rows: what every encoder is fitted from
 *     lexicon.c     a table of distinct words, for categories and class names
 *     standard.c  the encoder to copy; quantile.c, spike.c, raw.c, embed.c, onehot.c, flag.c,
 *                 timestamp.c beside it
 *     target.c    the target: standardised number or class
 *     walk.c      chunks of a table through a plan, in parallel, joined in order
 *     choose.c    which columns are used, and by which encoder
 *     features.c  fit and the object; encode.c, table.c what it is for; save.c JSON
 *     series.c    rows as series, series_fit.c what is fitted of them, series_table.c the parts of a table
 *     scratch.c   where a table stands that is too large for the heap */
#ifndef LATHE_FEATURE_INT_H
#define LATHE_FEATURE_INT_H

#include <lathe/feature.h>

#include <math.h>
#include <string.h>

/* ---- words ---------------------------------------------------------------------------------- */

typedef struct Word { const char *text; size_t size; uint64_t seen; } Word;

/* Distinct words in order of their first appearance; word texts live in the arena. */
typedef struct Lexicon {
    VEC(Word) word;
    uint32_t *slot;   /* [slots], power of two; 0 empty, else 1 + index; owned */
    size_t slots;
    Arena arena;
} Lexicon;
size_t lexicon_find(const Lexicon *t, const char *s, size_t n); /* SIZE_MAX if absent */
size_t lexicon_add(Lexicon *t, const char *s, size_t n, uint64_t seen);
void   lexicon_sort(Lexicon *t, bool by_count);  /* most frequent first, or by bytes */
void   lexicon_release(Lexicon *t);
/* Code of each row's word, 1 + its index; 0 where it is missing or not in the table. */
void   lexicon_encode(const Lexicon *t, const Column *c, Arena *a, int32_t *out, size_t stride);
/* From the words seen in at least so many rows, the most frequent first. */
void   lexicon_keep(Lexicon *into, const Lexicon *from, uint64_t least);
json_t *lexicon_to_json(const Lexicon *t);       /* ["Credit", ...] without counts */
bool   lexicon_from_json(Lexicon *t, const json_t *from, Error *err);

/* ---- statistics ------------------------------------------------------------------------------ */

typedef struct ValueCount { double value; uint64_t seen; } ValueCount;

/* One column over the training rows. Times count in days, bools are 0 and 1. */
typedef struct ColumnStats {
    uint64_t count, missing;           /* rows with a finite value or a word; rows without */
    double mean, m2, least, most;      /* m2: sum of squared distances from the mean */
    bool counts_up; double last;       /* INT: each value above the one before */
    VEC(double) sample;                /* of the values, by row number, for quantiles */
    VEC(ValueCount) value;             /* distinct numbers, ascending, while not many */
    bool many;                         /* more distinct values or words than were asked for */
    Lexicon words;
    uint32_t hours, weekdays, months;  /* seen, a bit each */
} ColumnStats;

#define CLASSES_MOST 1000

/* What to note of a column; values and words in full only where somebody needs them. */
typedef struct StatsWish { size_t values_most, words_most; bool sample; } StatsWish;

/* Rows of one chunk that count, and those among them that are sampled. */
typedef struct StatsRows {
    const uint32_t *row; size_t rows;
    const uint32_t *sampled; size_t samples;
} StatsRows;
void stats_add(ColumnStats *s, const Column *c, const StatsRows *rows, const StatsWish *wish);
void stats_merge(ColumnStats *into, ColumnStats *from, const StatsWish *wish); /* in row order */
void stats_release(ColumnStats *s);
double stats_deviation(const ColumnStats *s);   /* with n; 0 for one value */
double column_days(const Column *c, size_t row); /* TIME or DATE: days since 1970 */

/* ---- encoders --------------------------------------------------------------------------------- */

typedef struct Encoder Encoder;

/* A source column as the model sees it. `dense` floats then, if training rows had missing values,
 * one more that is 1 where the value is missing; `codes` category codes. */
typedef struct Input {
    const char *name;
    ColumnType type;
    const Encoder *encoder;
    bool missing;
    bool nan;                     /* a float is NaN where there is no value (raw ones) */
    size_t dense, codes;          /* widths; dense without the indicator */
    size_t dense_at, code_at;     /* its place in a row */
    size_t hint;                  /* where the column stood in the schema it was fitted on */
    void *state;                  /* the encoder's; owned through its release */
} Input;

typedef struct Dense { float *at; size_t stride; } Dense;   /* [rows][stride], zeroed */
typedef struct Codes { int32_t *at; size_t stride; } Codes; /* [rows][stride], zeroed */

struct Encoder {
    const char *name, *about;     /* name is kept in files */
    unsigned types;               /* bit per ColumnType it can be fitted on */
    unsigned accepts;             /* bit per ColumnType it can encode */
    /* Sets state, dense, codes from statistics. */
    void (*fit)(Input *in, const ColumnStats *s, const FeatureOptions *o);
    /* Rows without a value stay zero. */
    void (*encode)(const Input *in, const Column *c, Dense dense, Codes codes, Arena *a);
    /* The names of its floats ("hour sin"; "" for the column's own) and how many codes there are. */
    void (*describe)(const Input *in, size_t i, Text *name);
    size_t (*cardinality)(const Input *in);           /* NULL: no codes */
    json_t *(*save)(const Input *in);
    bool (*load)(Input *in, const json_t *from, Error *err); /* also sets dense and codes */
    void (*release)(Input *in);
    /* What encode does, as ONNX nodes. x: the column, [rows][1], reals with NaN where there is none or
     * text with "" there; times as days. Sets *dense (float [rows][dense]) and *codes (int64
     * [rows][codes]) where it has them. */
    void (*onnx)(const Input *in, Onnx *o, const char *x, const char **dense, const char **codes);
};
extern const Encoder *const encoders[];               /* NULL-ended */
const Encoder *encoder_find(const char *name);
#define TYPE_BIT(t) (1u << (t))
#define TYPES_NUMBER (TYPE_BIT(COLUMN_INT) | TYPE_BIT(COLUMN_REAL))
#define TYPES_TIME (TYPE_BIT(COLUMN_TIME) | TYPE_BIT(COLUMN_DATE))

double sorted_quantile(const double *sorted, size_t n, double share); /* linear between ranks */
double normal_inverse(double p);

/* onnx.c: what several encoders say */
const char *onnx_lacks(Onnx *o, const char *x);      /* bool: NaN or infinite */
const char *onnx_or_zero(Onnx *o, const char *x, const char *y); /* float: y, 0 where x lacks */
const char *onnx_less_by(Onnx *o, const char *x, double mean, double scale); /* (x - mean) / scale */
const char *onnx_lexicon(Onnx *o, const Lexicon *t, const char *x); /* int64: lexicon_encode */

/* ---- target ------------------------------------------------------------------------------------ */

#define TARGET_FORMS(X) X(NONE, "none") X(STANDARD, "standard") X(LOG, "log") X(MEAN, "mean")
#define AS_ENUM(name, text) TARGET_##name,
typedef enum TargetForm { TARGET_FORMS(AS_ENUM) TARGET_FORM_COUNT } TargetForm;
#undef AS_ENUM

typedef struct Target {
    const char *name;             /* NULL: there is none */
    ColumnType type;
    TaskKind task;
    TargetForm form;
    double mean, scale;           /* of the (logged) training values; none: 0, 1 */
    double deviation;             /* of the training values in raw units */
    Lexicon classes;            /* names as printed */
    double *number;               /* [classes] of INT, REAL, BOOL targets; NULL for text */
    double *weight;               /* [classes] balanced */
    size_t hint;
} Target;
/* Statistics -> task and form, or why this column cannot be a target. */
bool target_fit(Target *t, const ColumnStats *s, const FeatureOptions *o, Error *err);
StatsWish target_wish(ColumnType type);
bool target_value(const Target *t, const Column *c, size_t row, float *out); /* false: missing */
double target_back(const Target *t, double standardised);
json_t *target_save(const Target *t);
bool target_load(Target *t, const json_t *from, Error *err);
void target_release(Target *t);

/* ---- the object ---------------------------------------------------------------------------------- */

/* series_fit.c: what is fitted of series, kept with the features. */
typedef struct SeriesPlan {
    char *group, *time;           /* in the arena */
    double step;                  /* usual distance of two rows of a group */
    SeriesShape shape;
} SeriesPlan;
json_t *series_save(const SeriesPlan *p);
bool series_load(Features *f, const json_t *from, Error *err);
void series_lay_out(Features *f); /* at, width and the sums, from the inputs' kinds */

struct Features {
    SeriesPlan *series;           /* NULL: rows stand alone */
    size_t inputs;
    Input *input;
    Target target;
    json_t *notes;
    ModelShape shape;
    Arena arena;                  /* names, shape */
};
void features_lay_out(Features *f); /* places, names and shape from the inputs and the target */
/* NULL with a clear line when it is not there. */
const Column *features_column(const Chunk *c, const char *name, size_t hint, Error *err);
bool target_present(const Target *t, const Column *c, size_t row);

/* The encoder for a column, or NULL and a note why it is left out. */
StatsWish choose_wish(ColumnType type, const FeatureOptions *o);
const Encoder *choose_encoder(const char *name, ColumnType type, bool named, const ColumnStats *s,
                              const FeatureOptions *o, json_t *notes);
enum { NUMBERS_AUTO, NUMBERS_STANDARD, NUMBERS_QUANTILE, NUMBERS_RAW, NUMBERS_NORMAL };
enum { CATEGORIES_EMBED, CATEGORIES_ONEHOT };

/* ---- walking a table ------------------------------------------------------------------------------ */

/* work runs in parallel on chunks that went through the plan; join on the calling thread, in the
 * order of the chunks. slot is in [0, walk_slots): what work leaves there, join takes. */
typedef struct Walk {
    const Dataset *dataset; const Plan *plan; Pool *pool; Progress *progress;
    bool (*work)(void *job, size_t slot, const Chunk *c, Arena *a, Error *err);
    bool (*join)(void *job, size_t slot, Error *err);
    void *job;
} Walk;
size_t walk_slots(Pool *pool);
bool walk_run(const Walk *w, Error *err);

#endif
