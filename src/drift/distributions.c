/* distributions.c -- tails of the chi-square and the Kolmogorov-Smirnov distributions.
 *
 * Chi-square through the incomplete gamma function: its series below the mean, Lentz's continued
 * fraction above (Press et al., Numerical Recipes 6.2).
 *
 * Kolmogorov-Smirnov after Simard and L'Ecuyer (2011), J. Stat. Software 39(11), which is also
 * scipy's way: the exact one-sided sum doubled in the tail, the matrix of Durbin, Marsaglia, Tsang
 * and Wang (2003) for few rows, the series of Pelz and Good (1976) for many. Two samples of up to
 * 10,000 rows are exact: the share of lattice paths that leave the band (Hodges 1958). */
#include "drift_int.h"

#define EXACT_MOST 10000 /* rows, as scipy's method="auto" */
#define PI         3.14159265358979323846

static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* ---- chi-square ---- */

static double gamma_series(double a, double x)
{
    double sum = 1.0 / a, term = sum;
    for (double n = a + 1.0; term > sum * 1e-17; n += 1.0) {
        term *= x / n;
        sum += term;
    }
    return sum * exp(a * log(x) - x - log_gamma(a));
}

static double gamma_fraction(double a, double x)
{
    const double tiny = 1e-300;
    double b = x + 1.0 - a, c = 1.0 / tiny, d = 1.0 / b, h = d;
    for (int i = 1; i < 100000; i++) {
        double an = -i * (i - a);
        b += 2.0;
        d = an * d + b;
        d = fabs(d) < tiny ? tiny : d;
        c = b + an / c;
        c = fabs(c) < tiny ? tiny : c;
        d = 1.0 / d;
        double step = d * c;
        h *= step;
        if (fabs(step - 1.0) < 1e-16)
            break;
    }
    return h * exp(a * log(x) - x - log_gamma(a));
}

double chi_square_tail(double x, double freedom)
{
    double a = freedom / 2.0, half = x / 2.0;
    if (!(half > 0.0))
        return 1.0;
    if (isinf(half))
        return 0.0;
    return half < a + 1.0 ? 1.0 - gamma_series(a, half) : gamma_fraction(a, half);
}

/* ---- one sample ---- */

/* Logarithm of a term of one_sided_tail, but for n!. */
static double log_term(double n, double d, double j)
{
    double left = d + j / n, right = 1.0 - left;
    double power = right > 0.0 ? (n - j) * log(right) : n > j ? (double)-INFINITY : 0.0;
    return (j - 1.0) * log(left) + power - log_gamma(j + 1.0) - log_gamma(n - j + 1.0);
}

/* P(D+ >= d), exact: d sum C(n,j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j). The terms rise to one peak
 * and fall; from the best of some sqrt(n) of them the sum goes both ways until they are nothing. */
static double one_sided_tail(double n, double d)
{
    const double nothing = 50.0; /* e^-50 of the peak */
    double last = floor(n * (1.0 - d)), stride = ceil(sqrt(n)), peak = 0.0;
    double top = log_gamma(n + 1.0), most = log_term(n, d, 0.0), sum = 0.0, term;
    for (double j = 0.0; j <= last; j += stride) {
        term = log_term(n, d, j);
        peak = term > most ? j : peak;
        most = fmax(most, term);
    }
    for (double j = peak; j <= last && (term = log_term(n, d, j)) > most - nothing; j += 1.0)
        sum += exp(top + term);
    for (double j = peak - 1.0; j >= 0.0 && (term = log_term(n, d, j)) > most - nothing; j -= 1.0)
        sum += exp(top + term);
    return d * sum;
}

static void multiply(const double *a, const double *b, double *out, size_t m)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < m; k++)
                sum += a[i * m + k] * b[k * m + j];
            out[i * m + j] = sum;
        }
}

static void rescale(double *a, size_t m, int *exponent)
{
    if (a[(m / 2) * m + m / 2] < 1e140)
        return;
    for (size_t i = 0; i < m * m; i++)
        a[i] *= 1e-140;
    *exponent += 140;
}

/* out = h^n times 10^exponent; spare has room for two matrices. */
static void power(double *h, size_t m, size_t n, double *out, int *exponent, double *spare)
{
    int base = 0;
    memset(out, 0, m * m * sizeof *out);
    for (size_t i = 0; i < m; i++)
        out[i * m + i] = 1.0;
    for (*exponent = 0; n; n >>= 1) {
        if (n & 1) {
            multiply(out, h, spare, m);
            memcpy(out, spare, m * m * sizeof *out);
            *exponent += base;
            rescale(out, m, exponent);
        }
        multiply(h, h, spare, m);
        memcpy(h, spare, m * m * sizeof *h);
        base *= 2;
        rescale(h, m, &base);
    }
}

/* P(D < d) by Durbin's matrix. */
static double durbin(size_t n, double d)
{
    size_t k = (size_t)((double)n * d) + 1, m = 2 * k - 1;
    double h = (double)k - (double)n * d;
    double *a = mem_alloc(3 * m * m * sizeof *a), *q = a + m * m;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++)
            a[i * m + j] = i + 1 < j ? 0.0 : 1.0;
    for (size_t i = 0; i < m; i++) {
        a[i * m] -= pow(h, (double)(i + 1));
        a[(m - 1) * m + i] -= pow(h, (double)(m - i));
    }
    a[(m - 1) * m] += 2.0 * h - 1.0 > 0.0 ? pow(2.0 * h - 1.0, (double)m) : 0.0;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < i + 1; j++)
            for (size_t g = 1; g <= i - j + 1; g++)
                a[i * m + j] /= (double)g;
    int exponent;
    power(a, m, n, q, &exponent, q + m * m);
    double p = q[(k - 1) * m + k - 1];
    for (size_t i = 1; i <= n; i++) {
        p = p * (double)i / (double)n;
        if (p < 1e-140) {
            p *= 1e140;
            exponent -= 140;
        }
    }
    mem_free(a);
    return p * pow(10.0, exponent);
}

/* P(D < d) by Pelz and Good's series in 1/sqrt(n). */
static double pelz_good(double n, double d)
{
    double z = sqrt(n) * d, z2 = z * z, z4 = z2 * z2, z6 = z4 * z2, z8 = z4 * z4;
    double pi2 = PI * PI, pi4 = pi2 * pi2, pi6 = pi4 * pi2, k[4] = {0};
    double q = exp(-pi2 / 8.0 / z2);
    if (q == 0.0)
        return 0.0;
    int terms = (int)ceil(16.0 * z / PI);
    for (int i = terms; i > 0; i--) {
        double m = 2.0 * i - 1.0, m2 = m * m, m4 = m2 * m2, m6 = m4 * m2, fall = pow(q, 8.0 * i);
        k[0] = k[0] * fall + 1.0;
        k[1] = k[1] * fall - z2 + pi2 / 4.0 * m2;
        k[2] = k[2] * fall + 6.0 * z6 + 2.0 * z4 + (2.0 * z4 - 5.0 * z2) * pi2 / 4.0 * m2 +
               pi4 * (1.0 - 2.0 * z2) / 16.0 * m4;
        k[3] = k[3] * fall - 30.0 * z6 - 90.0 * z8 + pi2 * (135.0 * z4 - 96.0 * z6) / 4.0 * m2 +
               pi4 * (-60.0 * z2 + 212.0 * z4) / 16.0 * m4 + pi6 * (5.0 - 30.0 * z2) / 64.0 * m6;
    }
    double lead = q * sqrt(2.0 * PI);
    k[0] *= lead / z;
    k[1] *= lead / (6.0 * z4);
    k[2] *= lead / (72.0 * z6 * z);
    k[3] *= lead / (6480.0 * z8 * z2);
    double q2 = exp(-pi2 / 2.0 / z2), second = 0.0, third = 0.0;
    for (int i = terms; i > 0; i--) {
        double square = (double)i * i, weight = square * pow(q2, square);
        second += weight;
        third += (3.0 * z2 - pi2 * square) * weight;
    }
    k[2] -= second * pi2 * sqrt(2.0 * PI) / (36.0 * z2 * z);
    k[3] += third * pi2 * sqrt(2.0 * PI) / (216.0 * z6);
    return k[0] + k[1] / sqrt(n) + k[2] / n + k[3] / (n * sqrt(n));
}

static double clip(double p)
{
    return fmin(fmax(p, 0.0), 1.0);
}

double kolmogorov_tail(double n, double d)
{
    double t = n * d, spread = t * d;
    if (d >= 1.0 || spread >= 370.0)
        return 0.0;
    if (t <= 0.5)
        return 1.0;
    if (t <= 1.0) /* Ruben and Gambino: n! (2d - 1/n)^n */
        return clip(1.0 - exp(log_gamma(n + 1.0) - n * log(n) + n * log(2.0 * t - 1.0)));
    if (t >= n - 1.0)
        return clip(2.0 * pow(1.0 - d, n));
    if (d >= 0.5 || spread > (n <= 140.0 ? 4.0 : 2.2))
        return clip(2.0 * one_sided_tail(n, d));
    if (n <= 140.0 || (n <= 100000.0 && n * d * sqrt(d) <= 1.4))
        return clip(1.0 - durbin((size_t)n, d));
    return clip(1.0 - pelz_good(n, d));
}

/* ---- two samples ---- */

static size_t common_divisor(size_t a, size_t b)
{
    while (b) {
        size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Share of the lattice paths from (0,0) to (n,n) that touch a line h beside the diagonal. */
static double outside_square(size_t n, size_t h)
{
    double p = 0.0;
    for (size_t k = n / h + 1; k-- > 0;) {
        double product = 1.0;
        for (size_t j = 0; j < h; j++)
            product *= ((double)n - (double)(k * h) - (double)j) / (double)(n + k * h + j + 1);
        p = product * (1.0 - p);
    }
    return 2.0 * p;
}

/* The same in a rectangle n x m: paths that touch |x/n - y/m| >= h/lcm. out(x, y), the share of the
 * paths to (x, y) that did, is 1 outside and (x out(x-1, y) + y out(x, y-1)) / (x + y) inside. */
static double outside_rectangle(size_t n, size_t m, size_t divisor, size_t h)
{
    int64_t nx = (int64_t)(m / divisor), my = (int64_t)(n / divisor), band = (int64_t)h;
    double *out = mem_alloc((m + 1) * sizeof *out);
    for (size_t y = 0; y <= m; y++)
        out[y] = (int64_t)y * my >= band ? 1.0 : 0.0;
    int64_t first = 0; /* below it every y of the row is outside */
    for (int64_t x = 1; x <= (int64_t)n; x++) {
        while (first <= (int64_t)m && nx * x - my * first >= band)
            out[first++] = 1.0;
        double left = 1.0;
        for (int64_t y = first; y <= (int64_t)m; y++) {
            if (my * y - nx * x >= band)
                break; /* it and all above are still 1 */
            double below = y ? left : 0.0;
            left = out[y] = (out[y] * (double)x + below * (double)y) / (double)(x + y);
        }
    }
    double p = out[m];
    mem_free(out);
    return p;
}

double smirnov_tail(size_t n, size_t m, double d)
{
    if (n > EXACT_MOST || m > EXACT_MOST)
        return kolmogorov_tail(rint((double)n * (double)m / (double)(n + m)), d);
    if (n < m) { /* the shorter side is the one kept in memory */
        size_t other = n;
        n = m;
        m = other;
    }
    size_t divisor = common_divisor(n, m);
    double common = (double)(n / divisor) * (double)m;
    size_t h = (size_t)rint(d * common);
    if (h == 0)
        return 1.0;
    return clip(n == m ? outside_square(n, h) : outside_rectangle(n, m, divisor, h));
}
