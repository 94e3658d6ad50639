/* shares.c -- two samples as shares over the same bins. */
#include "drift_int.h"

size_t distinct_sorted(const double *sorted, size_t n, size_t enough)
{
    size_t distinct = n > 0;
    for (size_t i = 1; i < n && distinct < enough; i++)
        distinct += sorted[i] != sorted[i - 1];
    return distinct;
}

void moments(const double *at, size_t n, double *mean, double *deviation)
{
    double sum[4] = {0}, squares[4] = {0};
    for (size_t i = 0; i < n; i++)
        sum[i & 3] += at[i];
    *mean = n ? (sum[0] + sum[1] + sum[2] + sum[3]) / (double)n : 0.0;
    for (size_t i = 0; i < n; i++)
        squares[i & 3] += (at[i] - *mean) * (at[i] - *mean);
    *deviation = n ? sqrt((squares[0] + squares[1] + squares[2] + squares[3]) / (double)n) : 0.0;
}

/* How many are below x. */
static size_t count_below(const double *sorted, size_t n, double x)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t count_upto(const double *sorted, size_t n, double x)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] <= x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void histogram_sorted(const double *sorted, size_t n, const double *edge, size_t bins, double *out)
{
    size_t from = count_below(sorted, n, edge[0]);
    for (size_t i = 0; i < bins; i++) {
        size_t to =
            i + 1 < bins ? count_below(sorted, n, edge[i + 1]) : count_upto(sorted, n, edge[i + 1]);
        out[i] = (double)(to - from);
        from = to;
    }
}

static void allocate(Shares *s, size_t bins)
{
    s->bins = bins;
    s->reference = mem_alloc((bins + 1) * sizeof(double));
    s->current = mem_alloc((bins + 1) * sizeof(double));
    s->edge = mem_alloc((bins + 2) * sizeof(double));
}

/* numpy.histogram_bin_edges(both, bins="sturges"), to the bit. */
static void sturges(Shares *s, const DriftSample *p)
{
    double least = fmin(p->reference[0], p->current[0]);
    double most = fmax(p->reference[p->reference_n - 1], p->current[p->current_n - 1]);
    double n = (double)(p->reference_n + p->current_n);
    double width = (most - least) / (log2(n) + 1.0);
    allocate(s, (size_t)ceil((most - least) / width));
    s->equal = true;
    double step = (most - least) / (double)s->bins;
    for (size_t i = 0; i < s->bins; i++)
        s->edge[i] = (double)i * step + least;
    s->edge[s->bins] = most;
    histogram_sorted(p->reference, p->reference_n, s->edge, s->bins, s->reference);
    histogram_sorted(p->current, p->current_n, s->edge, s->bins, s->current);
}

/* numpy.histogram_bin_edges(reference, bins="doane"), and one bin more for what of the current lies beyond
 * them (NannyML; REFERENCE.md 1.2). */
static void doane(Shares *s, const DriftSample *p)
{
    double n = (double)p->reference_n, least = p->reference[0],
           most = p->reference[p->reference_n - 1];
    double mean, deviation, cubes = 0.0;
    moments(p->reference, p->reference_n, &mean, &deviation);
    for (size_t i = 0; i < p->reference_n; i++) {
        double z = (p->reference[i] - mean) / deviation;
        cubes += z * z * z;
    }
    double spread = sqrt(6.0 * (n - 2.0) / ((n + 1.0) * (n + 3.0)));
    double width = (most - least) / (1.0 + log2(n) + log2(1.0 + fabs(cubes / n) / spread));
    size_t bins =
        n > 2.0 && deviation > 0.0 && width > 0.0 ? (size_t)ceil((most - least) / width) : 1;
    allocate(s, bins + 1);
    double step = (most - least) / (double)bins, inside = 0.0;
    for (size_t i = 0; i < bins; i++)
        s->edge[i] = (double)i * step + least;
    s->edge[bins] = most;
    histogram_sorted(p->reference, p->reference_n, s->edge, bins, s->reference);
    histogram_sorted(p->current, p->current_n, s->edge, bins, s->current);
    for (size_t i = 0; i < bins; i++)
        inside += s->current[i];
    s->current[bins] = (double)p->current_n - inside;
    s->edge[bins + 1] = INFINITY;
    s->equal = true;
}

/* Both samples walked together: a bin for each distinct value, ascending. */
static void count_values(Shares *s, const DriftSample *p)
{
    size_t room = 64, i = 0, k = 0;
    allocate(s, room);
    s->bins = 0;
    while (i < p->reference_n || k < p->current_n) {
        bool from_reference =
            k == p->current_n || (i < p->reference_n && p->reference[i] < p->current[k]);
        double x = from_reference ? p->reference[i] : p->current[k];
        size_t i_end = i, k_end = k;
        while (i_end < p->reference_n && p->reference[i_end] == x)
            i_end++;
        while (k_end < p->current_n && p->current[k_end] == x)
            k_end++;
        if (s->bins == room) {
            room *= 2;
            s->reference = mem_resize(s->reference, (room + 1) * sizeof(double));
            s->current = mem_resize(s->current, (room + 1) * sizeof(double));
            s->edge = mem_resize(s->edge, (room + 1) * sizeof(double));
        }
        s->reference[s->bins] = (double)(i_end - i);
        s->current[s->bins] = (double)(k_end - k);
        s->edge[s->bins++] = x;
        i = i_end;
        k = k_end;
    }
}

void shares_count(Shares *s, const DriftSample *p)
{
    *s = (Shares){0};
    if (p->numeric) {
        count_values(s, p);
        return;
    }
    allocate(s, p->labels);
    memcpy(s->reference, p->reference_count, p->labels * sizeof(double));
    memcpy(s->current, p->current_count, p->labels * sizeof(double));
}

void shares_init(Shares *s, const DriftSample *p)
{
    double width = 0.0;
    if (p->numeric)
        width = fmax(p->reference[p->reference_n - 1], p->current[p->current_n - 1]) -
                fmin(p->reference[0], p->current[0]);
    if (p->numeric && p->nannyml && isfinite(width)) {
        *s = (Shares){0};
        doane(s, p);
    } else if (p->numeric && isfinite(width) &&
               distinct_sorted(p->reference, p->reference_n, STURGES_ABOVE + 1) > STURGES_ABOVE) {
        *s = (Shares){0};
        sturges(s, p);
    } else {
        shares_count(s, p);
    }
    for (size_t i = 0; i < s->bins; i++) {
        s->reference[i] /= (double)p->reference_n;
        s->current[i] /= (double)p->current_n;
    }
}

/* 1e-4, or a millionth of the smallest share where that is not above 1e-4 (Evidently). */
static void fill(double *share, size_t bins)
{
    double least = INFINITY;
    for (size_t i = 0; i < bins; i++)
        if (share[i] > 0.0)
            least = fmin(least, share[i]);
    double small = least <= 1e-4 ? least / 1e6 : 1e-4;
    for (size_t i = 0; i < bins; i++)
        if (share[i] == 0.0)
            share[i] = small;
}

void shares_fill_empty(Shares *s)
{
    fill(s->reference, s->bins);
    fill(s->current, s->bins);
}

void shares_release(Shares *s)
{
    mem_free(s->reference);
    mem_free(s->current);
    mem_free(s->edge);
    *s = (Shares){0};
}
