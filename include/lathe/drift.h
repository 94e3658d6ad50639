/* drift.h -- has the world moved away from the data a model learnt from?
 *
 * A test is one file and one row (src/drift/hellinger.c is the one to copy): it scores one column,
 * reference against current. drift_report picks the default test per column as Evidently does
 * (REFERENCE.md section 1.1; source evidently/calculations/stattests/registry.py) unless told.
 * NaN and missing values are dropped first and counted; an empty column is an error, not a zero.
 *
 *     DriftOptions o = {0};
 *     DriftReport *r = drift_report(january, february, &o, pool, NULL, &err);
 *     for (size_t i = 0; i < r->columns; i++)
 *         printf("%s %s %g\n", r->column[i].name, r->column[i].test->name, r->column[i].statistic);
 *     drift_report_destroy(r);
 */
#ifndef LATHE_DRIFT_H
#define LATHE_DRIFT_H

#include <lathe/model.h>

#define DRIFT_BINS 40
#define DRIFT_KIND_NUMBER 1u
#define DRIFT_KIND_LABEL  2u
#define DRIFT_KIND_TABLE  4u /* judges all features together; its report has one row, of role "table" */

/* Both samples of a column, prepared: sorted values of a number, or counts of the same labels. */
typedef struct DriftSample {
    bool numeric;
    size_t reference_n, current_n;
    const double *reference, *current;            /* numeric: sorted ascending, finite */
    size_t labels;
    const double *reference_count, *current_count;/* label (or distinct value) counts, same order */
    size_t distinct;                              /* in both together; numbers: up to 1,001 */
    bool nannyml;                                 /* bins by NannyML's rule: Doane's, of the reference alone */
    struct DriftWalk *walk;                       /* numeric: what several tests find in one walk over both
                                                     sides, kept for the next of them; NULL: found anew */
} DriftSample;

typedef struct DriftTest {
    const char *name, *title, *about;
    unsigned kinds;                               /* which columns it can judge */
    double threshold;                             /* default */
    bool p_value;                                 /* drift when statistic <= threshold; else >= */
    bool binned;                                  /* numbers are binned first (shares, not values) */
    double (*score)(const DriftSample *s);        /* p value or distance; NULL of DRIFT_KIND_TABLE */
} DriftTest;
extern const DriftTest *const drift_tests[];      /* NULL-ended */
const DriftTest *drift_test(const char *name);
const DriftTest *drift_test_default(const DriftSample *s, bool numeric_column);

/* What one more test says of a column. */
typedef struct DriftScore { const DriftTest *test; double statistic, threshold; bool drifted; } DriftScore;
#define DRIFT_MORE 12

typedef struct DriftColumn {
    char name[128];
    const char *role;                             /* feature, target, prediction, table */
    const char *type;
    const DriftTest *test;
    double statistic, threshold;
    bool drifted;
    uint64_t reference_n, current_n, reference_missing, current_missing;
    char binning[32];                             /* how the shares below were binned; "values" */
    size_t bins; double edge[DRIFT_BINS + 1];     /* numeric */
    char label[DRIFT_BINS][32];                   /* labels */
    double reference_share[DRIFT_BINS], current_share[DRIFT_BINS];
    double reference_mean, current_mean, reference_deviation, current_deviation; /* numeric */
    char note[96];                                /* "no values in current", "new labels: Uber"; "" */
    double importance;                            /* share of the model's gain; NaN: no model said so */
    size_t more; DriftScore also[DRIFT_MORE];     /* the other tests that were asked for */
} DriftColumn;

typedef struct DriftOptions {
    const char *target;         /* "" none; its drift is reported by role */
    const char *test;           /* "" default per column; or a test's name for all that it fits; or several,
                                   "ks,wasserstein,psi": the first that fits decides, the others are said too */
    double share;               /* dataset drifts when this share of columns does; 0: 0.5 */
    const char *const *columns; size_t n; /* NULL: all but ignored, ids and constant ones */
    Scratch *scratch;           /* where the values of a column stand; NULL: on the heap */
    Bundle *bundle;             /* NULL none; adds prediction drift, and model error where target is */
    bool nannyml;               /* NannyML's rules: its bins, Jensen-Shannon unless told, and alarming is
                                   what lies beyond 3 deviations of the reference's own chunks */
} DriftOptions;

typedef struct DriftReport {
    char reference[65], current[65];              /* hashes */
    uint64_t reference_rows, current_rows;
    size_t columns, drifted; DriftColumn *column; /* most drifted first: by distance over threshold */
    double share, threshold; bool dataset_drifted;
    double weighted_share;                        /* of drifted features, by importance; NaN: none known */
    bool has_error; char metric[16]; double reference_error, current_error; /* model error on both */
} DriftReport;
DriftReport *drift_report(const Dataset *reference, const Dataset *current, const DriftOptions *o,
                          Pool *pool, Progress *progress, Error *err);
void    drift_report_destroy(DriftReport *r);
json_t *drift_report_to_json(const DriftReport *r); /* column, drifted, statistic, threshold, test ... */
DriftReport *drift_report_from_json(const json_t *from, Error *err); /* for the screen */

/* ---- tests over several columns ---------------------------------------------------------------------- */

/* A matrix of rows as these tests take it: numbers as they are (NaN missing), labels as codes. */
typedef struct DriftMatrix {
    size_t rows, columns;
    const double *const *column;        /* [columns][rows]; labels: the code, NaN missing */
    const bool *label;                  /* [columns] */
} DriftMatrix;
/* PCA reconstruction (NannyML): impute, frequency-encode, standardise on the reference; the components that
 * explain `variance` (0: 0.65) of it; mean distance of a chunk's rows from what they bring back. */
typedef struct PcaDrift PcaDrift;
PcaDrift *pca_drift_fit(const DriftMatrix *reference, double variance, Error *err);
void   pca_drift_destroy(PcaDrift *p);
double pca_drift_score(const PcaDrift *p, const DriftMatrix *chunk);   /* NaN: no rows */
/* Domain classifier: a booster told apart reference and chunk, 5 stratified folds, the pooled AUC. Alert
 * outside [0.45, 0.65]. */
bool domain_classifier(const DriftMatrix *reference, const DriftMatrix *chunk, uint64_t seed, Pool *pool, double *auc,
                       Error *err);

/* Which values are alarming, from those of the reference's chunks: mean +- 3 deviations (ddof 0), clipped. */
typedef struct Band { double low, high; } Band;
Band band_of(const double *value, size_t n, double least, double most);

/* ---- streaming detectors: one value at a time, constant memory ------------------------------------------- */

/* One file and one row each (src/drift/adwin.c is the one to copy); River's defaults, REFERENCE.md 1.3. State is
 * `size` bytes of the caller's, zeroed by init; no allocation. */
typedef enum DetectorState { DETECTOR_QUIET, DETECTOR_WARNING, DETECTOR_DRIFT } DetectorState;
typedef struct Detector {
    const char *name, *title, *about;
    bool errors;                        /* wants 0 (right) or 1 (wrong); else any number */
    double deviation;                   /* numbers: what one deviation of the reference is to be, so that the
                                           bounds mean something (x times this over theirs); 0: any scale */
    size_t size;
    void (*init)(void *state, uint64_t seed);
    DetectorState (*add)(void *state, double x);
} Detector;
extern const Detector *const detectors[];   /* adwin page_hinkley ddm eddm kswin hddm_a hddm_w; NULL-ended */
const Detector *detector(const char *name);

/* ---- performance without labels ------------------------------------------------------------------------------ */

/* CBPE (NannyML; REFERENCE.md 1.2) for classification: calibrated on reference rows with their truth. Binary:
 * share[n] = p(class 1); more classes: [n][classes]. */
typedef struct Cbpe Cbpe;
typedef struct CbpeOut { double accuracy, f1, auc, precision, recall; } CbpeOut; /* NaN: cannot be said */
Cbpe   *cbpe_fit(const double *share, const double *truth, size_t n, size_t classes, Error *err);
void    cbpe_destroy(Cbpe *c);
CbpeOut cbpe_estimate(const Cbpe *c, const double *share, const double *said /* class; NULL: the likeliest */, size_t n);
CbpeOut cbpe_true(const double *share, const double *said, const double *truth, size_t n, size_t classes);
/* DLE for regression: a booster on features and prediction says how large each row's error will be. */
typedef struct Dle Dle;
typedef struct DleOut { double mae, rmse, mape; } DleOut;
Dle   *dle_fit(const DriftMatrix *features, const double *value, const double *truth, uint64_t seed, Pool *pool, Error *err);
void   dle_destroy(Dle *d);
DleOut dle_estimate(const Dle *d, const DriftMatrix *features, const double *value); /* one thread at a time */
DleOut dle_true(const double *value, const double *truth, size_t n);
/* What chunk-to-chunk chance makes of the true performance: deviations for a chunk of n rows. An estimate
 * is good when it lies within 3 of them (NannyML's confidence band). */
CbpeOut cbpe_deviations(const Cbpe *c, size_t n);
DleOut dle_deviations(const Dle *d, size_t n);
double cbpe_deviation(const Cbpe *c, size_t n);     /* of accuracy */
double dle_deviation(const Dle *d, size_t n);       /* of mae */
/* Both as JSON, so that a fitted one may be kept beside a bundle. */
json_t *cbpe_to_json(const Cbpe *c);
Cbpe   *cbpe_from_json(const json_t *from, Error *err);

/* ---- chunks of one table ---------------------------------------------------------------------------------------- */

/* The drift of every chunk of a dataset against a reference: by rows, or by periods of its time column. */
typedef struct DriftChunks {
    const char *time;                   /* column; NULL: by rows */
    uint64_t rows; double seconds;      /* of a chunk; weeks begin on Monday, the others at 1970 */
    int months;                         /* or so many of the calendar: 1, 3 a quarter, 12 a year */
    const uint32_t *order;              /* by rows: all rows in the order they are cut in; NULL: as they stand */
    bool nannyml;                       /* thresholds from the reference's own chunks; else the tests' */
    size_t most;                        /* chunks; 0: 200, the newest */
} DriftChunks;
/* "5000" rows; "6h", with s, m, h, d, w; "hour", "day", "week", "month", "quarter", "year". The rest stays. */
bool drift_chunks_read(DriftChunks *into, const char *text, Error *err);
typedef struct DriftChunk { double from, to; uint64_t first, rows; DriftReport *report; } DriftChunk;
/* The rows of the first chunk, ascending; the caller's. */
bool drift_first_chunk(const Dataset *d, const DriftChunks *how, uint32_t **row, size_t *n, Error *err);
bool drift_chunks(const Dataset *reference, const Dataset *current, const DriftOptions *o, const DriftChunks *how,
                  Pool *pool, Progress *progress, DriftChunk **out, size_t *n, Error *err);
void drift_chunks_free(DriftChunk *chunks, size_t n);

#endif
