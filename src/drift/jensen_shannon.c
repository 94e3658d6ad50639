/* jensen_shannon.c -- the Jensen-Shannon distance.
 *
 *     JS = sqrt((KL(r|m) + KL(c|m)) / 2)      m = (r + c) / 2, natural logarithm
 *
 * From 0 to sqrt(ln 2) = 0.83; empty bins are no trouble. As scipy.spatial.distance.jensenshannon. By
 * NannyML's rules the logarithm is to base 2, and it goes to 1. */
#include "drift_int.h"

static double term(double p, double m)
{
    return p > 0.0 ? p * log(p / m) : 0.0;
}

static double score(const DriftSample *sample)
{
    Shares s;
    double sum = 0.0;
    shares_init(&s, sample);
    for (size_t i = 0; i < s.bins; i++) {
        double m = (s.reference[i] + s.current[i]) / 2.0;
        sum += term(s.reference[i], m) + term(s.current[i], m);
    }
    shares_release(&s);
    return sqrt(fmax(0.0, sum / 2.0) / (sample->nannyml ? log(2.0) : 1.0));
}

const DriftTest jensen_shannon_test = {
    .name = "jensen_shannon",
    .title = "Jensen-Shannon distance",
    .about = "distance of both sets of shares from their mean, 0 to 0.83",
    .kinds = DRIFT_KIND_NUMBER | DRIFT_KIND_LABEL,
    .threshold = 0.1,
    .binned = true,
    .score = score,
};
