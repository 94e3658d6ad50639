/* pca.c -- do rows still lie where the reference's rows lay? Reconstruction by principal components.
 *
 *     fill what is missing (mean, most frequent label), labels as their shares, standardise
 *     keep the components that explain 65 % of the reference
 *     score = mean over rows |z - what the components bring back of z|
 *
 * It sees columns that no longer go together as they did, which no test of single columns can. Source:
 * NannyML (REFERENCE.md 1.2). Eigenvectors by Jacobi's rotations (Golub and Van Loan 8.5). */
#include "drift_int.h"

#define VARIANCE 0.65
#define SWEEPS   60
#define PRODUCTS                                                                                   \
    2e9 /* rows times columns squared that a fit looks at; beyond, rows are thinned out */

struct PcaDrift {
    size_t columns, kept;
    bool *label;
    double *fill;   /* for what is missing: mean, or the code of the most frequent label */
    double **share; /* labels: [codes] of the reference's rows */
    size_t *codes;
    double *mean, *scale; /* of encoded values */
    double *axis;         /* [kept][columns], of length 1 */
};

static double encoded(const PcaDrift *p, size_t k, double x)
{
    if (!isfinite(x))
        x = p->fill[k];
    if (!p->label[k])
        return x;
    return x >= 0.0 && x < (double)p->codes[k] ? p->share[k][(size_t)x]
                                               : 0.0; /* never seen: share 0 */
}

static void row_at(const PcaDrift *p, const DriftMatrix *m, size_t row, double *z)
{
    for (size_t k = 0; k < p->columns; k++)
        z[k] = (encoded(p, k, m->column[k][row]) - p->mean[k]) / p->scale[k];
}

/* ---- fitting -------------------------------------------------------------------------------------- */

static void learn_label(PcaDrift *p, size_t k, const double *x, size_t n)
{
    double most = -1.0, missing = 0.0;
    for (size_t i = 0; i < n; i++)
        most = isfinite(x[i]) && x[i] > most ? x[i] : most;
    p->codes[k] = (size_t)(fmin(most, 1e8) + 1.0);
    p->share[k] = mem_alloc((p->codes[k] + 1) * sizeof(double));
    for (size_t i = 0; i < n; i++)
        if (x[i] >= 0.0 && x[i] < (double)p->codes[k])
            p->share[k][(size_t)x[i]] += 1.0;
        else
            missing += 1.0;
    size_t mode = 0;
    for (size_t c = 1; c < p->codes[k]; c++)
        mode = p->share[k][c] > p->share[k][mode] ? c : mode;
    p->fill[k] = (double)mode;
    p->share[k][mode] += missing;
    for (size_t c = 0; c < p->codes[k]; c++)
        p->share[k][c] /= (double)n;
}

static void learn_number(PcaDrift *p, size_t k, const double *x, size_t n)
{
    double sum = 0.0, count = 0.0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i])) {
            sum += x[i];
            count += 1.0;
        }
    p->fill[k] = count > 0.0 ? sum / count : 0.0;
}

static void learn_scale(PcaDrift *p, size_t k, const double *x, size_t n)
{
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += encoded(p, k, x[i]);
    p->mean[k] = sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        double gap = encoded(p, k, x[i]) - p->mean[k];
        squares += gap * gap;
    }
    double deviation = sqrt(squares / (double)n);
    p->scale[k] = isfinite(deviation) && deviation > 1e-9 * fabs(p->mean[k]) ? deviation : 1.0;
}

/* a [n][n]: the covariance of the encoded rows. */
static void covariance(const PcaDrift *p, const DriftMatrix *m, double *a)
{
    size_t n = p->columns, stride = 1;
    while ((double)(m->rows / stride) * (double)(n * n) > PRODUCTS)
        stride++;
    double *z = mem_alloc(n * sizeof *z);
    for (size_t row = 0; row < m->rows; row += stride) {
        row_at(p, m, row, z);
        for (size_t i = 0; i < n; i++)
            for (size_t k = i; k < n; k++)
                a[i * n + k] += z[i] * z[k];
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            a[i * n + k] = a[k * n + i];
    mem_free(z);
}

/* Rows and columns i and k of a, and rows i and k of v, turned so that a[i][k] is 0. */
static void rotate(double *a, double *v, size_t n, size_t i, size_t k)
{
    double across = a[i * n + k];
    if (across == 0.0)
        return;
    double theta = (a[k * n + k] - a[i * n + i]) / (2.0 * across);
    double t = copysign(1.0, theta) / (fabs(theta) + sqrt(theta * theta + 1.0));
    double c = 1.0 / sqrt(t * t + 1.0), s = t * c;
    for (size_t j = 0; j < n; j++) {
        double x = a[j * n + i], y = a[j * n + k];
        a[j * n + i] = c * x - s * y;
        a[j * n + k] = s * x + c * y;
    }
    for (size_t j = 0; j < n; j++) {
        double x = a[i * n + j], y = a[k * n + j];
        a[i * n + j] = c * x - s * y;
        a[k * n + j] = s * x + c * y;
        x = v[i * n + j], y = v[k * n + j];
        v[i * n + j] = c * x - s * y;
        v[k * n + j] = s * x + c * y;
    }
}

/* a [n][n] symmetric: its diagonal becomes the eigenvalues, the rows of v the eigenvectors. */
void eigen_symmetric(double *a, double *v, size_t n)
{
    double whole = 0.0;
    memset(v, 0, n * n * sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i * n + i] = 1.0;
    for (size_t i = 0; i < n * n; i++)
        whole += a[i] * a[i];
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        double off = 0.0;
        for (size_t i = 0; i < n; i++)
            for (size_t k = i + 1; k < n; k++)
                off += a[i * n + k] * a[i * n + k];
        if (off <= 1e-26 * whole)
            break;
        for (size_t i = 0; i < n; i++)
            for (size_t k = i + 1; k < n; k++)
                rotate(a, v, n, i, k);
    }
}

/* The axes of the largest eigenvalues, until they explain more than their share. */
static void keep_axes(PcaDrift *p, const double *a, const double *v, double variance)
{
    size_t n = p->columns;
    double all = 0.0, sum = 0.0;
    bool *used = mem_alloc(n);
    for (size_t i = 0; i < n; i++)
        all += fmax(0.0, a[i * n + i]);
    while (p->kept < n && (p->kept == 0 || sum <= variance * all)) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < n; i++)
            if (!used[i] && (best == SIZE_MAX || a[i * n + i] > a[best * n + best]))
                best = i;
        used[best] = true;
        sum += fmax(0.0, a[best * n + best]);
        memcpy(p->axis + p->kept++ * n, v + best * n, n * sizeof *v);
    }
    mem_free(used);
}

PcaDrift *pca_drift_fit(const DriftMatrix *reference, double variance, Error *err)
{
    size_t n = reference->columns;
    if (n < 2 || reference->rows < 2) {
        error_set(err, ERROR_SHAPE, "reconstruction needs 2 columns and 2 rows, found %zu and %zu",
                  n, reference->rows);
        return NULL;
    }
    double *a = mem_try(2 * n * n * sizeof *a, err), *v = a + n * n;
    if (!a)
        return NULL;
    PcaDrift *p = mem_alloc(sizeof *p);
    p->columns = n;
    p->label = mem_copy(reference->label, n * sizeof *p->label);
    p->fill = mem_alloc(n * sizeof *p->fill);
    p->share = mem_alloc(n * sizeof *p->share);
    p->codes = mem_alloc(n * sizeof *p->codes);
    p->mean = mem_alloc(n * sizeof *p->mean);
    p->scale = mem_alloc(n * sizeof *p->scale);
    p->axis = mem_alloc(n * n * sizeof *p->axis);
    for (size_t k = 0; k < n; k++) {
        if (p->label[k])
            learn_label(p, k, reference->column[k], reference->rows);
        else
            learn_number(p, k, reference->column[k], reference->rows);
        learn_scale(p, k, reference->column[k], reference->rows);
    }
    covariance(p, reference, a);
    eigen_symmetric(a, v, n);
    keep_axes(p, a, v, variance > 0.0 ? variance : VARIANCE);
    mem_free(a);
    return p;
}

void pca_drift_destroy(PcaDrift *p)
{
    if (!p)
        return;
    for (size_t k = 0; k < p->columns; k++)
        mem_free(p->share[k]);
    mem_free(p->label);
    mem_free(p->fill);
    mem_free(p->share);
    mem_free(p->codes);
    mem_free(p->mean);
    mem_free(p->scale);
    mem_free(p->axis);
    mem_free(p);
}

/* The axes are of length 1 and square to each other: what is not brought back has the length that is left. */
double pca_drift_score(const PcaDrift *p, const DriftMatrix *chunk)
{
    size_t n = p->columns;
    double *z = mem_alloc(n * sizeof *z), sum = 0.0;
    for (size_t row = 0; row < chunk->rows; row++) {
        double left = 0.0;
        row_at(p, chunk, row, z);
        for (size_t k = 0; k < n; k++)
            left += z[k] * z[k];
        for (size_t i = 0; i < p->kept; i++) {
            double along = 0.0;
            for (size_t k = 0; k < n; k++)
                along += p->axis[i * n + k] * z[k];
            left -= along * along;
        }
        sum += sqrt(fmax(0.0, left));
    }
    mem_free(z);
    return chunk->rows ? sum / (double)chunk->rows : (double)NAN;
}

const DriftTest pca_reconstruction_test = {
    .name = "pca_reconstruction",
    .title = "PCA reconstruction error",
    .about = "how far rows lie from where the reference's rows lay, all features together",
    .kinds = DRIFT_KIND_TABLE,
    .threshold = 1.0, /* told by the reference's own chunks */
};
