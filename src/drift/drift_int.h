/* drift_int.h -- what the files of this room share.
 *
 *     hellinger.c      the test to copy; each test is such a file and a row in tests.h
 *     shares.c         a sample as shares over the same bins, or as counts of distinct values
 *     distributions.c  tails of chi-square and Kolmogorov-Smirnov distributions
 *     sort.c           sorting doubles
 *     sample.c         a column of two tables -> DriftSample
 *     column.c         a DriftSample -> DriftColumn: score, chart, note
 *     predictions.c    what a bundle says about both tables, and how wrong it is
 *     report.c         all columns, in parallel; save.c the report as JSON
 *     adwin.c          the streaming detector to copy; each is such a file and a row in detectors.h
 *     cbpe.c, dle.c    performance without labels: calibrate.c, booster.c what they are made of */
#ifndef LATHE_DRIFT_INT_H
#define LATHE_DRIFT_INT_H

#include <lathe/drift.h>

#include <math.h>
#include <string.h>

/* ---- bins ------------------------------------------------------------------------------------- */

/* Shares (or counts) of both samples over the same bins; heap memory. */
typedef struct Shares {
    size_t bins;
    double *reference, *current; /* [bins] */
    double *edge;                /* [bins+1] of equal bins; [bins] the values else */
    bool equal;                  /* equal-width bins; false: each value or label is one */
} Shares;

/* Evidently's rule (REFERENCE.md 1.2): a number with more than 20 distinct values in the reference
 * falls in Sturges' bins over both samples together, else each value is a bin. */
void shares_init(Shares *s, const DriftSample *sample);
void shares_count(Shares *s, const DriftSample *sample); /* counts of each distinct value */
void shares_fill_empty(Shares *s);                       /* so that logarithms exist */
void shares_release(Shares *s);
#define STURGES_ABOVE 20
size_t distinct_sorted(const double *sorted, size_t n, size_t enough); /* stops at `enough` */
/* Values of a sorted sample per bin [edge i, edge i+1), the last closed. */
void histogram_sorted(const double *sorted, size_t n, const double *edge, size_t bins, double *out);

/* Mean and deviation with n, each in four sums of every fourth value. */
void moments(const double *at, size_t n, double *mean, double *deviation);

/* Into a field of fixed size, cut between characters. Returns the bytes written. */
size_t copy_cut(char *to, size_t room, const char *from);

/* ---- tails ------------------------------------------------------------------------------------ */

double chi_square_tail(double x, double freedom);        /* P(X >= x) */
double kolmogorov_tail(double n, double d);              /* one sample of n, two-sided */
double smirnov_tail(size_t n, size_t m, double d);       /* two samples, as scipy's ks_2samp */

/* Ascending; `spare` has room for n. The values must be finite. */
void sort_reals(double *at, size_t n, double *spare);
/* The same for numbers of few decimals, by counting each: false where they are not, and nothing was moved. */
bool sort_decimals(double *at, size_t n);

/* ---- columns ---------------------------------------------------------------------------------- */

/* A column gathered from one table: numbers sorted, or labels with counts. */
typedef struct Labels Labels;
typedef struct Gathered {
    bool numeric;
    uint64_t missing; /* rows without a value, or with one that is not finite */
    size_t n;
    double *value;    /* [n] sorted */
    Scratch *in;      /* where value stands: set before gathering; NULL: on the heap */
    Labels *labels;
    double mean, deviation;
} Gathered;
/* Missing where there is no such column. False: not enough memory. */
bool gather_column(Gathered *g, const Dataset *d, const char *name, Arena *a, Error *err);
bool gather_numbers(Gathered *g, const double *value, size_t n, uint64_t missing, Error *err);
void gather_labels(Gathered *g, const char *const *name, const double *count, size_t n,
                   uint64_t missing);
bool gathered_sort(Gathered *g, Error *err); /* and its moments */
void gathered_release(Gathered *g);

/* Both sorted sides walked once, for all tests that look at their cumulated shares. */
typedef struct DriftWalk {
    bool walked;
    double gap, area; /* max and integral of |F_reference - F_current| */
    double deviation; /* of the reference, with n; known before the walk */
} DriftWalk;
DriftWalk drift_walk(const DriftSample *s);

/* Both samples side by side; labels in order of the reference's counts, then the new ones. Where
 * labels are many for so few rows, the rarest are one, RARE_LABELS. */
#define RARE_LABELS "(rare)"
typedef struct Pair {
    DriftSample sample;
    size_t all_labels;  /* before the rarest were taken together */
    const char **label; /* [labels], borrowed from the Gathered */
    DriftWalk walk;     /* sample.walk */
    double *count[2];
} Pair;
void pair_init(Pair *p, const Gathered *reference, const Gathered *current);
void pair_release(Pair *p);

Labels *labels_create(void);
void labels_destroy(Labels *l);
size_t labels_add(Labels *l, const char *s, size_t n, double count);
size_t labels_find(const Labels *l, const char *s, size_t n); /* SIZE_MAX if absent */
size_t labels_count(const Labels *l);
const char *labels_text(const Labels *l, size_t i, size_t *n);
double labels_seen(const Labels *l, size_t i);

/* The tests that were asked for; none: the default of each column. */
typedef struct Wanted {
    size_t n;
    const DriftTest *at[DRIFT_MORE];
} Wanted;

/* Fills everything but name, role, type. `wanted` NULL or empty: the default test. `usual` NULL: Evidently's
 * rules; else NannyML's, and distances outside of it are drift. */
void column_judge(DriftColumn *c, const Gathered *reference, const Gathered *current,
                  const Wanted *wanted, const Band *usual);
/* What the distances of the reference's own chunks are, by NannyML's rules. */
Band column_usual(const Gathered *reference, const Gathered *chunk, size_t chunks, const Wanted *wanted);

/* ---- tables ----------------------------------------------------------------------------------- */

typedef struct Compared { /* one column on its way */
    const Field *field;
    bool named, left_out, failed;
    Error error;
    DriftColumn column;
} Compared;

typedef struct Compare {
    const Dataset *reference, *current;
    Wanted wanted;
    Progress *progress;
    size_t count;
    Compared *at;
    Scratch *scratch;
} Compare;

bool wants_whole(const Wanted *w); /* by a test of whole tables */
bool drift_check(const Dataset *reference, const Dataset *current, const DriftOptions *o,
                 Wanted *wanted, Error *err);
const char *drift_target(const DriftOptions *o, const Schema *s); /* NULL: none */
bool compare_choose(Compare *c, const Schema *s, const DriftOptions *o, const char *target, Error *err);
bool column_says_nothing(const Compared *c, const Gathered *r, const Gathered *now);
#define DRIFT_SHARE 0.5 /* of the columns drifted: the table has (Evidently) */
/* The current table as one chunk: by NannyML's rules, or by a test of whole tables. */
DriftReport *report_of_whole(const Dataset *reference, const Dataset *current, const DriftOptions *o, Pool *pool,
                             Progress *progress, Error *err);
void report_conclude(DriftReport *r);               /* order, counts and the verdict */
void report_weigh(DriftReport *r, const Bundle *b); /* importance, where the bundle says it; b may be NULL */

/* Which chunk each row of a table is of. */
#define NOWHERE UINT32_MAX
typedef struct Places {
    size_t chunks;
    uint32_t *of;           /* [rows of the table], NOWHERE: of none */
    DriftChunk *chunk;      /* [chunks]: from, to, first, rows */
} Places;
bool places_by_rows(Places *p, const Dataset *d, const uint32_t *order, uint64_t rows, size_t most, Error *err);
typedef struct Period { double seconds; int months; /* 0: of seconds */ } Period;
bool places_by_time(Places *p, const Dataset *d, const char *column, Period length, size_t most, Error *err);
void places_release(Places *p);
/* A column chunk by chunk: out[chunks], released by the caller. Rows of none are left out. */
bool gather_placed(Gathered *out, const Dataset *d, const char *name, const Places *p, Arena *a, Error *err);

/* Rows of a table as a DriftMatrix; labels of several tables by the same codes. */
typedef struct Matrix {
    DriftMatrix m;
    double **column;
    bool *label;
} Matrix;
bool matrix_init(Matrix *to, const Dataset *d, const Compare *c, Labels **words, Error *err);
void matrix_pick(Matrix *to, const Matrix *from, const uint32_t *place, uint32_t which);
void matrix_release(Matrix *m);
/* A test of DRIFT_KIND_TABLE on every chunk: fills column[chunks] but for the names. */
bool whole_judge(DriftColumn *const *column, Compare *c, const Places *reference, const Places *current,
                 Pool *pool, Error *err);

/* ---- predictions ------------------------------------------------------------------------------ */

/* The same for every chunk of current; `own` are the reference's chunks by NannyML's rules, or NULL. */
bool predictions_placed(DriftReport *const *r, const Dataset *reference, const Places *own,
                        const Dataset *current, const Places *p, const Wanted *wanted, Bundle *b,
                        Progress *progress, Error *err);
bool predictions_add(DriftReport *r, const Dataset *reference, const Dataset *current,
                     const Wanted *wanted, Bundle *b, Progress *progress, Error *err);

/* ---- performance without labels --------------------------------------------------------------- */

/* A rising curve from shares as said to shares as they came true: isotonic regression (PAVA), straight
 * between its corners, level beyond them. points 0: shares are taken as they are. */
typedef struct Curve {
    size_t points;
    double *x, *y; /* [points] ascending */
} Curve;
double curve_at(const Curve *c, double share);
void curve_release(Curve *c);
/* Fits to n shares sorted ascending and whether it was so (0 or 1). */
void curve_fit(Curve *c, const double *share, const double *truth, size_t n);
/* Would the curve's shares be nearer the truth on rows it was not fitted to? (NannyML) */
bool curve_helps(const double *share, const double *truth, size_t n);

/* A gbdt on rows of a DriftMatrix, with one more number a row where `extra` is given. LightGBM's
 * defaults: 100 trees of 31 leaves, rate 0.1. One thread at a time. */
typedef struct Booster Booster;
Booster *booster_fit(const DriftMatrix *rows, const double *extra, const float *target, TaskKind task,
                     uint64_t seed, Pool *pool, Error *err);
void booster_destroy(Booster *b);
/* Raw scores, one a row. */
void booster_score(const Booster *b, const DriftMatrix *rows, const double *extra, float *out);

/* a [n][n] symmetric: its diagonal becomes the eigenvalues, the rows of v the eigenvectors. */
void eigen_symmetric(double *a, double *v, size_t n);

/* How often a positive stands above a negative, where row i is one with share[i]; ties count half. The
 * scores ascend; weight NULL: all 1. NaN where there is only one kind. */
double area_under(const double *score, const double *share, const double *weight, size_t n);

#endif
