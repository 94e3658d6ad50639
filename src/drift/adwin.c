/* adwin.c -- a window that grows while its mean holds and forgets its old part when it does not.
 * The detector to copy.
 *
 *     cut between n0 old and n1 new values when |mean0 - mean1| > sqrt(2 m s2 d) + 2/3 m d
 *     d = ln(2 ln W / delta)    m = 1/(n0 - 4) + 1/(n1 - 4)    s2: the variance of all W
 *
 * The window is kept as buckets of 1, 2, 4 ... values, at most five of a size (six: the two oldest
 * become one of the next), so a million values take some ninety of them. Cuts are tried between all
 * buckets at every 32nd value. Source: Bifet and Gavalda (2007), SDM; the bound and its defaults
 * are River's (REFERENCE.md 1.3). */
#include "drift_int.h"

#define DELTA 0.002
#define CLOCK 32 /* cuts are tried at every so manieth value */
#define GRACE 10 /* values in a window before that */
#define LEAST 5  /* values on each side of a cut */
#define MOST  5  /* buckets of a size */
#define SIZES 48 /* powers of two: 10^15 values */

typedef struct Buckets { /* of 2^i values each, the oldest first */
    size_t count;
    double sum[MOST + 1], spread[MOST + 1]; /* spread: squared distances from the mean, summed */
} Buckets;

typedef struct Adwin {
    uint64_t seen;
    size_t sizes;              /* in use: [sizes - 1] holds the oldest */
    double width, sum, spread; /* of the whole window */
    Buckets of[SIZES];
} Adwin;

/* What two groups have between them, beyond what each has. */
static double apart(double n, double sum, double m, double other)
{
    double gap = sum / n - other / m;
    return n * m * gap * gap / (n + m);
}

static void push(Buckets *b, double sum, double spread)
{
    b->sum[b->count] = sum;
    b->spread[b->count++] = spread;
}

static void shift(Buckets *b, size_t n)
{
    b->count -= n;
    memmove(b->sum, b->sum + n, b->count * sizeof *b->sum);
    memmove(b->spread, b->spread + n, b->count * sizeof *b->spread);
}

static void merge_full(Adwin *a)
{
    for (size_t i = 0; i + 1 < SIZES && a->of[i].count > MOST; i++) {
        Buckets *b = &a->of[i];
        double n = ldexp(1.0, (int)i);
        push(&a->of[i + 1], b->sum[0] + b->sum[1],
             b->spread[0] + b->spread[1] + apart(n, b->sum[0], n, b->sum[1]));
        shift(b, 2);
        a->sizes = i + 2 > a->sizes ? i + 2 : a->sizes;
    }
}

static void insert(Adwin *a, double x)
{
    if (a->width > 0.0)
        a->spread += apart(a->width, a->sum, 1.0, x);
    a->width += 1.0;
    a->sum += x;
    push(&a->of[0], x, 0.0);
    a->sizes = a->sizes ? a->sizes : 1;
    merge_full(a);
}

static void forget_oldest(Adwin *a)
{
    Buckets *b = &a->of[a->sizes - 1];
    double n = ldexp(1.0, (int)a->sizes - 1), sum = b->sum[0];
    a->width -= n;
    a->sum -= sum;
    a->spread = fmax(0.0, a->spread - b->spread[0] - apart(n, sum, a->width, a->sum));
    shift(b, 1);
    while (a->sizes > 1 && !a->of[a->sizes - 1].count)
        a->sizes--;
}

static bool differ(const Adwin *a, double n0, double sum0)
{
    double n1 = a->width - n0;
    if (n0 < LEAST || n1 < LEAST)
        return false;
    double d = log(2.0 * log(a->width) / DELTA);
    double m = 1.0 / (n0 - LEAST + 1.0) + 1.0 / (n1 - LEAST + 1.0);
    double least = sqrt(2.0 * m * a->spread / a->width * d) + 2.0 / 3.0 * m * d;
    return fabs(sum0 / n0 - (a->sum - sum0) / n1) > least;
}

static bool any_cut(const Adwin *a)
{
    double n = 0.0, sum = 0.0;
    for (size_t i = a->sizes; i-- > 0;)
        for (size_t k = 0; k < a->of[i].count; k++) {
            n += ldexp(1.0, (int)i);
            sum += a->of[i].sum[k];
            if (differ(a, n, sum))
                return true;
        }
    return false;
}

static void init(void *state, uint64_t seed)
{
    (void)seed;
    memset(state, 0, sizeof(Adwin));
}

static DetectorState add(void *state, double x)
{
    Adwin *a = state;
    bool changed = false;
    if (!isfinite(x))
        return DETECTOR_QUIET;
    insert(a, x);
    if (++a->seen % CLOCK == 0 && a->width > GRACE)
        for (; any_cut(a); changed = true)
            forget_oldest(a);
    return changed ? DETECTOR_DRIFT : DETECTOR_QUIET;
}

const Detector adwin_detector = {
    .name = "adwin",
    .title = "adaptive window",
    .about = "a window that drops its old part when its mean has moved; false alarms 0.002 a look",
    .deviation = 0.25,
    .size = sizeof(Adwin),
    .init = init,
    .add = add,
};
