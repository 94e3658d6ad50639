/* tests.c -- the registry made from tests.h, and the default test of a column. */
#include "drift_int.h"
#include "tests.h"

#define AS_EXTERN(name) extern const DriftTest name##_test;
#define AS_ENTRY(name)  &name##_test,
DRIFT_TESTS(AS_EXTERN)

#define SMALL_REFERENCE 1000 /* rows up to which tests of significance are used */
#define FEW_VALUES      5    /* a number with so many values is judged like labels */

const DriftTest *drift_test(const char *name)
{
    for (size_t i = 0; drift_tests[i]; i++)
        if (text_equal(drift_tests[i]->name, name))
            return drift_tests[i];
    return NULL;
}

/* REFERENCE.md 1.1 (evidently, calculations/stattests/registry.py). */
const DriftTest *drift_test_default(const DriftSample *s, bool numeric_column)
{
    bool small = s->reference_n <= SMALL_REFERENCE;
    if (numeric_column && s->distinct > FEW_VALUES)
        return small ? &ks_test : &wasserstein_test;
    if (!small)
        return &jensen_shannon_test;
    return s->distinct > 2 ? &chi_square_test : &z_proportion_test;
}

const DriftTest *const drift_tests[] = {DRIFT_TESTS(AS_ENTRY) NULL};
