/* metric.c -- how good predictions are: every metric once, for validation, test, monitors and gates.
 *
 * Known values: XGBoost's metric tests (REFERENCE.md section 2), in tests/unit/train_metric.c.
 * Shares are clipped to [1e-16, 1 - 1e-16] before a logarithm, as XGBoost does. */
#include "train_int.h"

#include <math.h>

#define REGRESSION (1u << TASK_REGRESSION)
#define BINARY     (1u << TASK_BINARY)
#define MULTICLASS (1u << TASK_MULTICLASS)

#define SMALL_SHARE      1e-16
#define CALIBRATION_BINS 10

static const double nothing = (double)NAN;

/* ---- regression: value and truth in raw units --------------------------------------------------- */

/* sqrt(mean (v - t)^2) */
static double rmse(const double *value, const double *truth, size_t n, size_t classes)
{
    (void)classes;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (value[i] - truth[i]) * (value[i] - truth[i]);
    return n ? sqrt(sum / (double)n) : nothing;
}

/* mean |v - t| */
static double mae(const double *value, const double *truth, size_t n, size_t classes)
{
    (void)classes;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += fabs(value[i] - truth[i]);
    return n ? sum / (double)n : nothing;
}

/* 1 - sum (v - t)^2 / sum (t - mean t)^2 */
static double r2(const double *value, const double *truth, size_t n, size_t classes)
{
    (void)classes;
    double mean = 0.0, left = 0.0, all = 0.0;
    for (size_t i = 0; i < n; i++)
        mean += truth[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        left += (value[i] - truth[i]) * (value[i] - truth[i]);
        all += (truth[i] - mean) * (truth[i] - mean);
    }
    return all > 0.0 ? 1.0 - left / all : nothing;
}

/* mean |v - t| / |t| over truths that are not 0 */
static double mape(const double *value, const double *truth, size_t n, size_t classes)
{
    (void)classes;
    double sum = 0.0;
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
        if (truth[i] != 0.0) {
            sum += fabs((value[i] - truth[i]) / truth[i]);
            used++;
        }
    return used ? sum / (double)used : nothing;
}

/* sqrt(mean (ln(1 + v) - ln(1 + t))^2); not defined for truths of -1 and below; v is clipped at 0 */
static double rmsle(const double *value, const double *truth, size_t n, size_t classes)
{
    (void)classes;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (truth[i] <= -1.0)
            return nothing;
        double d = log1p(fmax(value[i], 0.0)) - log1p(truth[i]);
        sum += d * d;
    }
    return n ? sqrt(sum / (double)n) : nothing;
}

/* Deviances: twice the log-likelihood that is lost against predicting each truth; predictions of 0 and
 * below, and truths that the distribution does not have, make them undefined. */

/* 2 mean (t ln(t / v) - t + v); t >= 0 */
static double poisson_deviance(const double *value, const double *truth, size_t n, size_t classes)
{
    (void)classes;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (truth[i] < 0.0 || value[i] <= 0.0)
            return nothing;
        sum += (truth[i] > 0.0 ? truth[i] * log(truth[i] / value[i]) : 0.0) - truth[i] + value[i];
    }
    return n ? 2.0 * sum / (double)n : nothing;
}

/* 2 mean (ln(v / t) + t / v - 1); t > 0 */
static double gamma_deviance(const double *value, const double *truth, size_t n, size_t classes)
{
    (void)classes;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (truth[i] <= 0.0 || value[i] <= 0.0)
            return nothing;
        sum += log(value[i] / truth[i]) + truth[i] / value[i] - 1.0;
    }
    return n ? 2.0 * sum / (double)n : nothing;
}

/* of power 1.5: 4 mean (sqrt(t) - sqrt(v))^2 / sqrt(v) */
static double tweedie_deviance(const double *value, const double *truth, size_t n, size_t classes)
{
    (void)classes;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (truth[i] < 0.0 || value[i] <= 0.0)
            return nothing;
        double d = sqrt(truth[i]) - sqrt(value[i]);
        sum += d * d / sqrt(value[i]);
    }
    return n ? 4.0 * sum / (double)n : nothing;
}

/* ---- classification: value is p(class 1), or [n][classes] shares; truth the class number --------- */

static double safe(double share)
{
    return fmin(fmax(share, SMALL_SHARE), 1.0 - SMALL_SHARE);
}

static double logloss(const double *value, const double *truth, size_t n, size_t classes)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double p = classes > 2      ? value[i * classes + (size_t)truth[i]]
                   : truth[i] > 0.5 ? value[i]
                                    : 1.0 - value[i];
        sum -= log(safe(p));
    }
    return n ? sum / (double)n : nothing;
}

static size_t chosen(const double *value, size_t i, size_t classes)
{
    if (classes <= 2)
        return value[i] > 0.5;
    size_t best = 0;
    for (size_t c = 1; c < classes; c++)
        if (value[i * classes + c] > value[i * classes + best])
            best = c;
    return best;
}

static double accuracy(const double *value, const double *truth, size_t n, size_t classes)
{
    size_t right = 0;
    for (size_t i = 0; i < n; i++)
        right += chosen(value, i, classes) == (size_t)truth[i];
    return n ? (double)right / (double)n : nothing;
}

static double error_share(const double *value, const double *truth, size_t n, size_t classes)
{
    return n ? 1.0 - accuracy(value, truth, n, classes) : nothing;
}

/* 2 tp / (2 tp + fp + fn); for several classes the mean over the classes that occur (macro) */
static double f1(const double *value, const double *truth, size_t n, size_t classes)
{
    double sum = 0.0;
    size_t used = 0;
    for (size_t c = classes > 2 ? 0 : 1; c < (classes > 2 ? classes : 2); c++) {
        double tp = 0, wrong = 0;
        for (size_t i = 0; i < n; i++) {
            bool said = chosen(value, i, classes) == c, is = (size_t)truth[i] == c;
            tp += said && is;
            wrong += said != is;
        }
        if (tp + wrong > 0.0) {
            sum += 2.0 * tp / (2.0 * tp + wrong);
            used++;
        }
    }
    return used ? sum / (double)used : nothing;
}

/* mean (p - y)^2 */
static double brier(const double *value, const double *truth, size_t n, size_t classes)
{
    double e = rmse(value, truth, n, classes);
    return e * e;
}

/* Expected calibration error: ten bins of p, sum of share |mean p - share of class 1|. */
static double ece(const double *value, const double *truth, size_t n, size_t classes)
{
    (void)classes;
    double p[CALIBRATION_BINS] = {0}, y[CALIBRATION_BINS] = {0}, sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (!(value[i] >= 0.0 && value[i] <= 1.0))
            return nothing;
        size_t bin = (size_t)fmin(value[i] * CALIBRATION_BINS, CALIBRATION_BINS - 1);
        p[bin] += value[i];
        y[bin] += truth[i];
    }
    for (size_t b = 0; b < CALIBRATION_BINS; b++)
        sum += fabs(p[b] - y[b]) / (double)n;
    return n ? sum : nothing;
}

/* ---- the order of the scores: ranking.c ------------------------------------------------------------ */

static double auc(const double *value, const double *truth, size_t n, size_t classes)
{
    (void)classes;
    return ranking_auc(value, truth, n, RANKED_MOST);
}

static double aucpr(const double *value, const double *truth, size_t n, size_t classes)
{
    (void)classes;
    return ranking_aucpr(value, truth, n, RANKED_MOST);
}

/* ---- the table ------------------------------------------------------------------------------------ */

// clang-format off
static const Metric table[] = {
    /* name       about                                                    tasks  larger is better   score */
    {"rmse",     "root of the mean squared error",                          REGRESSION, false, rmse, true},
    {"mae",      "mean absolute error",                                     REGRESSION, false, mae, true},
    {"r2",       "share of the target's variance that is explained",        REGRESSION, true,  r2, true},
    {"mape",     "mean absolute error as a share of the true value",        REGRESSION, false, mape, false},
    {"rmsle",    "root of the mean squared error of the logarithms",        REGRESSION, false, rmsle, false},
    {"logloss",  "mean negative logarithm of the true class's share",       BINARY | MULTICLASS, false, logloss, true},
    {"accuracy", "share of rows with the right class",                      BINARY | MULTICLASS, true,  accuracy, true},
    {"error",    "share of rows with a wrong class",                        BINARY | MULTICLASS, false, error_share, false},
    {"auc",      "area under the ROC curve",                                BINARY, true,  auc, true},
    {"aucpr",    "area under the precision-recall curve",                   BINARY, true,  aucpr, false},
    {"f1",       "harmonic mean of precision and recall (macro over several classes)", BINARY | MULTICLASS, true, f1, false},
    {"brier",    "mean squared error of the share",                         BINARY, false, brier, false},
    {"ece",      "expected calibration error, ten bins",                    BINARY, false, ece, false},
    {"poisson_deviance", "what is lost of the likelihood of counts",        REGRESSION, false, poisson_deviance, false},
    {"gamma_deviance",   "the same for amounts above 0",                    REGRESSION, false, gamma_deviance, false},
    {"tweedie_deviance", "the same between the two, of power 1.5",          REGRESSION, false, tweedie_deviance, false},
};

const Metric *const metrics[] = {
    &table[0], &table[1], &table[2], &table[3], &table[4], &table[5], &table[6], &table[7],
    &table[8], &table[9], &table[10], &table[11], &table[12], &table[13], &table[14], &table[15],
    NULL,
};
// clang-format on

_Static_assert(sizeof metrics / sizeof *metrics == sizeof table / sizeof *table + 1,
               "every row of the table stands in the list");

const Metric *metric_find(const char *name)
{
    for (const Metric *const *m = metrics; *m; m++)
        if (text_equal((*m)->name, name))
            return *m;
    return NULL;
}

const Metric *metric_main(TaskKind task)
{
    return metric_find(task == TASK_REGRESSION ? "rmse" : "logloss");
}
