/* Ranks among values that stand nowhere are those that sorting finds: ties, signs, zeros, infinities. */
#include "model/gbdt_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static float at(const void *of, size_t i)
{
    return ((const float *)of)[i];
}

static float draw(Rng *rng, int kind)
{
    double v = rng_normal(rng);
    switch (kind) {
    case 0: return (float)v;
    case 1: return (float)(int)(2 * v);
    case 2: return (float)exp(40 * v); /* some are infinite, some are 0 */
    case 3: return rng_below(rng, 2) ? -0.0f : 0.0f;
    default: return (float)(1 + 1e-6 * v); /* the same bits but for the last */
    }
}

static void ranks(void **state)
{
    static float v[3000], sorted[3000], room[3000];
    Rng rng;
    rng_seed(&rng, 11, 2);
    for (int round = 0; round < 60; round++) {
        size_t n = round < 5 ? (size_t)round + 1 : 1 + rng_below(&rng, 3000);
        Stretch alone = {.all = n};
        for (size_t i = 0; i < n; i++)
            sorted[i] = v[i] = draw(&rng, round % 5);
        sort_floats(sorted, room, n);
        for (size_t k = 0; k < 40; k++) {
            size_t rank = k == 0 ? 0 : k == 1 ? n - 1 : rng_below(&rng, n);
            float found = rank_find(&alone, at, v, n, rank);
            assert_memory_equal(&found, &sorted[rank], sizeof found);
        }
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranks)};
    return cmocka_run_group_tests_name("gbdt rank", tests, NULL, NULL);
}
