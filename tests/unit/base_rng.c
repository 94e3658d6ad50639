/* base_rng.c -- random numbers: fixed sequences, right moments, unbiased; hashes well mixed. */
#include <lathe/base.h>

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* xoshiro256++ from state 1 2 3 4: the first outputs of the authors' C code. */
static void known_sequence(void **state)
{
    (void)state;
    Rng r = {{1, 2, 3, 4}};
    static const uint64_t known[] = {
        41943041u,           58720359u, 3588806011781223u, 3591011842654386u, 9228616714210784205u,
        9973669472204895162u};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_true(rng_next(&r) == known[i]);
}

static void seeds_and_streams(void **state)
{
    (void)state;
    Rng a, b, c, d;
    rng_seed(&a, 7, 1);
    rng_seed(&b, 7, 1);
    rng_seed(&c, 7, 2);
    rng_seed(&d, 8, 1);
    size_t same_c = 0, same_d = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t x = rng_next(&a);
        assert_true(x == rng_next(&b));
        same_c += x == rng_next(&c);
        same_d += x == rng_next(&d);
    }
    assert_int_equal(same_c + same_d, 0);
}

/* Bits, not closeness: a saved run must continue the same on another machine. */
static void normals_are_fixed(void **state)
{
    (void)state;
    Rng r;
    rng_seed(&r, 42, 0);
    uint64_t mixed = 0;
    for (int i = 0; i < 100000; i++) {
        double x = rng_normal(&r);
        uint64_t bits;
        memcpy(&bits, &x, sizeof bits);
        mixed = (mixed ^ bits) * 0x9E3779B97F4A7C15u;
    }
    assert_true(mixed == 0xd2e8d2b29fc550e4u);
}

static void moments(void **state)
{
    (void)state;
    enum { N = 400000 };
    Rng r;
    rng_seed(&r, 11, 3);
    double sum = 0, square = 0, fourth = 0, unit = 0, beyond = 0;
    for (int i = 0; i < N; i++) {
        double x = rng_normal(&r), u = rng_unit(&r);
        assert_true(u >= 0 && u < 1);
        sum += x;
        square += x * x;
        fourth += x * x * x * x;
        unit += u;
        beyond += fabs(x) > 1.959963985;
    }
    assert_true(fabs(sum / N) < 0.008);
    assert_true(fabs(square / N - 1) < 0.012);
    assert_true(fabs(fourth / N - 3) < 0.08);
    assert_true(fabs(beyond / N - 0.05) < 0.002);
    assert_true(fabs(unit / N - 0.5) < 0.003);
}

static void below_and_shuffle(void **state)
{
    (void)state;
    Rng r;
    rng_seed(&r, 5, 5);
    size_t seen[6] = {0}, first[4] = {0};
    for (int i = 0; i < 60000; i++)
        seen[rng_below(&r, 6)]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], 9600, 10400);
    assert_int_equal(rng_below(&r, 1), 0);
    for (int i = 0; i < 1000; i++)
        assert_true(rng_below(&r, UINT64_MAX) < UINT64_MAX);
    for (int i = 0; i < 24000; i++) {
        uint32_t order[4] = {0, 1, 2, 3};
        rng_shuffle(&r, order, 4);
        assert_int_equal(1u << order[0] | 1u << order[1] | 1u << order[2] | 1u << order[3], 15);
        first[order[0]]++;
    }
    for (int i = 0; i < 4; i++)
        assert_in_range(first[i], 5700, 6300);
    rng_shuffle(&r, NULL, 0);
}

/* One flipped bit of input flips each bit of output about half the time, at every length. */
static void hash_avalanche(void **state)
{
    (void)state;
    Rng r;
    rng_seed(&r, 6, 0);
    for (size_t n = 1; n <= 100; n += n < 40 ? 1 : 13) {
        size_t flips[64] = {0}, trials = 0;
        for (int round = 0; round < 300; round++) {
            unsigned char bytes[128];
            for (size_t i = 0; i < n; i++)
                bytes[i] = (unsigned char)rng_next(&r);
            uint64_t before = hash_bytes(bytes, n, 0);
            for (size_t k = 0; k < 8; k++, trials++) {
                size_t bit = rng_below(&r, n * 8);
                bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
                uint64_t after = hash_bytes(bytes, n, 0);
                for (size_t b = 0; b < 64; b++)
                    flips[b] += (before ^ after) >> b & 1;
                bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            }
        }
        for (size_t b = 0; b < 64; b++)
            if (flips[b] < trials * 42 / 100 || flips[b] > trials * 58 / 100)
                fail_msg("length %zu: bit %zu flips %zu of %zu times", n, b, flips[b], trials);
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Counting keys, zero bytes, and length: no collision among 64-bit hashes, low bits spread. */
static void hash_collisions(void **state)
{
    (void)state;
    enum { N = 200000 };
    uint64_t *all = mem_alloc(sizeof *all * (N + 100));
    size_t buckets[256] = {0};
    for (uint64_t i = 0; i < N; i++) {
        uint64_t key = i + 1; /* eight zero bytes come below */
        all[i] = hash_bytes(&key, sizeof key, 0);
        buckets[all[i] & 255]++;
    }
    static const unsigned char zeros[100];
    for (size_t n = 0; n < 100; n++)
        all[N + n] = hash_bytes(zeros, n, 0);
    qsort(all, N + 100, sizeof *all, by_value);
    for (size_t i = 1; i < N + 100; i++)
        assert_true(all[i] != all[i - 1]);
    for (int i = 0; i < 256; i++)
        assert_in_range(buckets[i], N / 256 - 150, N / 256 + 150);
    assert_true(hash_bytes("abc", 3, 1) != hash_bytes("abc", 3, 2));
    mem_free(all);
}

/* Two seeds are two hashes, at every length: 128 bits of hash are made of two of 64. */
static void hash_seeds(void **state)
{
    (void)state;
    Rng r;
    unsigned char bytes[160];
    rng_seed(&r, 8, 0);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)rng_next(&r);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        size_t flips = 0;
        for (uint64_t seed = 0; seed < 64; seed++)
            flips += (size_t)__builtin_popcountll(hash_bytes(bytes, n, seed) ^
                                                  hash_bytes(bytes, n, seed + 1));
        if (flips < 64 * 26 || flips > 64 * 38) /* half of 64 bits, by about ten deviations */
            fail_msg("length %zu: the next seed flips %zu bits of %d", n, flips, 64 * 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_sequence),    cmocka_unit_test(seeds_and_streams),
        cmocka_unit_test(normals_are_fixed), cmocka_unit_test(moments),
        cmocka_unit_test(below_and_shuffle), cmocka_unit_test(hash_avalanche),
        cmocka_unit_test(hash_collisions),   cmocka_unit_test(hash_seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
