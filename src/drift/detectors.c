/* detectors.c -- the registry made from detectors.h, and the band of what is usual. */
#include "detectors.h"
#include "drift_int.h"

#define AS_EXTERN(name) extern const Detector name##_detector;
#define AS_ENTRY(name)  &name##_detector,
DETECTORS(AS_EXTERN)

#define BAND_DEVIATIONS 3.0

const Detector *detector(const char *name)
{
    for (size_t i = 0; detectors[i]; i++)
        if (text_equal(detectors[i]->name, name))
            return detectors[i];
    return NULL;
}

/* REFERENCE.md 1.2 (NannyML's StandardDeviationThreshold). Values that are not finite say nothing;
 * without any, everything is usual. */
Band band_of(const double *value, size_t n, double least, double most)
{
    double sum = 0.0, squares = 0.0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(value[i])) {
            sum += value[i];
            count++;
        }
    if (!count)
        return (Band){least, most};
    double mean = sum / (double)count;
    for (size_t i = 0; i < n; i++)
        if (isfinite(value[i]))
            squares += (value[i] - mean) * (value[i] - mean);
    double reach = BAND_DEVIATIONS * sqrt(squares / (double)count);
    return (Band){fmax(mean - reach, least), fmin(mean + reach, most)};
}

const Detector *const detectors[] = {DETECTORS(AS_ENTRY) NULL};
