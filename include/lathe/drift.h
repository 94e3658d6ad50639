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

/* Both samples of a column, prepared: sorted values of a number, or counts of the same labels. */
typedef struct DriftSample {
    bool numeric;
    size_t reference_n, current_n;
    const double *reference, *current;            /* numeric: sorted ascending, finite */
    size_t labels;
    const double *reference_count, *current_count;/* label (or distinct value) counts, same order */
    size_t distinct;                              /* in both together; numbers: up to 1,001 */
} DriftSample;

typedef struct DriftTest {
    const char *name, *title, *about;
    unsigned kinds;                               /* which columns it can judge */
    double threshold;                             /* default */
    bool p_value;                                 /* drift when statistic <= threshold; else >= */
    bool binned;                                  /* numbers are binned first (shares, not values) */
    double (*score)(const DriftSample *s);        /* p value or distance */
} DriftTest;
extern const DriftTest *const drift_tests[];      /* NULL-ended */
const DriftTest *drift_test(const char *name);
const DriftTest *drift_test_default(const DriftSample *s, bool numeric_column);

typedef struct DriftColumn {
    char name[128];
    const char *role;                             /* feature, target, prediction */
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
} DriftColumn;

typedef struct DriftOptions {
    const char *target;         /* "" none; its drift is reported by role */
    const char *test;           /* "" default per column; or a test's name for all that it fits */
    double share;               /* dataset drifts when this share of columns does; 0: 0.5 */
    const char *const *columns; size_t n; /* NULL: all but ignored, ids and constant ones */
    Scratch *scratch;           /* where the values of a column stand; NULL: on the heap */
    Bundle *bundle;             /* NULL none; adds prediction drift, and model error where target is */
} DriftOptions;

typedef struct DriftReport {
    char reference[65], current[65];              /* hashes */
    uint64_t reference_rows, current_rows;
    size_t columns, drifted; DriftColumn *column; /* most drifted first: by distance over threshold */
    double share, threshold; bool dataset_drifted;
    bool has_error; char metric[16]; double reference_error, current_error; /* model error on both */
} DriftReport;
DriftReport *drift_report(const Dataset *reference, const Dataset *current, const DriftOptions *o,
                          Pool *pool, Progress *progress, Error *err);
void    drift_report_destroy(DriftReport *r);
json_t *drift_report_to_json(const DriftReport *r); /* column, drifted, statistic, threshold, test ... */
DriftReport *drift_report_from_json(const json_t *from, Error *err); /* for the screen */

#endif
