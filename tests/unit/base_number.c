/* base_number.c -- numbers read and printed: against strtod, and through a round trip. */
#include <lathe/base.h>

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t to_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void same_as_strtod(const char *text)
{
    double ours = 0, theirs = strtod(text, NULL);
    if (!text_to_real(text, strlen(text), &ours) || to_bits(ours) != to_bits(theirs))
        fail_msg("%s: read %.17g, strtod says %.17g", text, ours, theirs);
}

static void reads_like_strtod(void **state)
{
    (void)state;
    static const char *const known[] = {
        "0",
        "-0",
        "+1",
        "1.",
        ".5",
        "1e0",
        "1e23",
        "8.5e22",
        "9007199254740993",
        "9007199254740992.9999999999",
        "9007199254740993.000000000000000000000001",
        "1e22",
        "1e-22",
        "1e308",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "1e309",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "4.9e-324",
        "2.4e-324",
        "1e-400",
        "123456789012345678901234567890",
        "0.000000000000000000000000000000012345",
        "7.2057594037927933e16",
        "0.1",
        "0.30000000000000004",
        "179769313486231570000000000000000000000",
        "18446744073709551615",
        "18446744073709551616",
        "1844674407370955161.5e-3",
        "00000000000000000000000001.5",
        "0.00000000000000000000000000000000000000000000000000001e40",
        "1e-99999999999",
        "0e99999999999",
        "6929495644600919.5",
        "3.5844466002796428e+298",
        "9214843084008499",
        "-38.895110000000002"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        same_as_strtod(known[i]);
    Rng rng;
    rng_seed(&rng, 1, 0);
    for (int i = 0; i < 60000; i++) {
        char text[80];
        double value = from_bits(rng_next(&rng));
        if (!isfinite(value))
            continue;
        snprintf(text, sizeof text, "%.*g", 1 + (int)rng_below(&rng, 25), value);
        same_as_strtod(text);
        snprintf(text, sizeof text, "%.*f", (int)rng_below(&rng, 18), rng_unit(&rng) * 1e4);
        same_as_strtod(text);
        snprintf(text, sizeof text, "%" PRIu64 "e%d", rng_next(&rng) >> rng_below(&rng, 64),
                 (int)rng_below(&rng, 70) - 35);
        same_as_strtod(text);
        snprintf(text, sizeof text, "%" PRIu64 ".%06" PRIu64, rng_next(&rng) >> rng_below(&rng, 64),
                 rng_below(&rng, 1000000));
        same_as_strtod(text);
    }
    /* halfway between two doubles, and one digit off it on both sides */
    for (int i = 0; i < 20000; i++) {
        uint64_t odd = ((uint64_t)1 << 53 | rng_next(&rng) >> 11) * 2 + 1;
        for (int d = -1; d <= 1; d++) {
            char text[80];
            snprintf(text, sizeof text, "%" PRIu64, odd + (uint64_t)d);
            same_as_strtod(text);
        }
    }
}

static void refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   " ",    "1 ",    " 1",    "-",   "+",     ".",    "e5",
                                      "1e", "1e+",  "1.2.3", "0x10",  "1,5", "1_000", "nanx", "na",
                                      "in", "infi", "--1",   "1e5.0", "1d5", "NULL",  "\xff"};
    double real = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (text_to_real(bad[i], strlen(bad[i]), &real))
            fail_msg("'%s' was read as %g", bad[i], real);
    assert_true(real == 7);
    assert_false(text_to_real("1\0002", 3, &real));
    assert_true(text_to_real("12", 1, &real) && real == 1); /* never beyond n */
    assert_true(text_to_real("NaN", 3, &real) && isnan(real));
    assert_true(text_to_real("-inf", 4, &real) && isinf(real) && real < 0);
    assert_true(text_to_real("Infinity", 8, &real) && isinf(real) && real > 0);
}

static void whole_numbers(void **state)
{
    (void)state;
    int64_t value = 7;
    assert_true(text_to_int("9223372036854775807", 19, &value) && value == INT64_MAX);
    assert_true(text_to_int("-9223372036854775808", 20, &value) && value == INT64_MIN);
    assert_true(text_to_int("+0012", 5, &value) && value == 12);
    assert_true(text_to_int("-0", 2, &value) && value == 0);
    static const char *const bad[] = {
        "",   "-",  "9223372036854775808",    "-9223372036854775809", "1.0", "1e3",
        " 1", "1 ", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(text_to_int(bad[i], strlen(bad[i]), &value));
}

static void prints_whole_numbers(void **state)
{
    static const int64_t some[] = {0, 7, -7, 10, INT64_MAX, INT64_MIN, 7290213846528000};
    Text text = {0};
    char expected[32];
    (void)state;
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        text_reset(&text);
        text_add_int(&text, some[i]);
        snprintf(expected, sizeof expected, "%" PRId64, some[i]);
        assert_string_equal(text_str(&text), expected);
    }
    text_release(&text);
}

static void round_trip(double value)
{
    Text text = {0};
    double back;
    text_add_real(&text, value);
    if (!text_to_real(text.at, text.count, &back) || to_bits(back) != to_bits(value))
        fail_msg("%.17g printed as %s", value, text.at);
    assert_true(strtod(text.at, NULL) == value);
    assert_true(text.count <= 24);
    text_release(&text);
}

/* No shorter form reads back: one digit less than what was printed is another number. */
static void is_shortest(double value)
{
    Text text = {0};
    char shorter[400];
    text_add_real(&text, value);
    int digits = 0;
    bool leading = true;
    for (const char *at = text.at; *at && *at != 'e'; at++)
        if (*at >= '0' && *at <= '9' && !(leading && *at == '0')) {
            leading = false;
            digits++;
        }
    for (size_t i = text.count; i > 0 && text.at[i - 1] == '0'; i--)
        digits -= strpbrk(text.at, ".e") == NULL; /* 1200: its zeros only hold the place */
    snprintf(shorter, sizeof shorter, "%.*g", digits - 1, value);
    if (digits > 1 && strtod(shorter, NULL) == value)
        fail_msg("%s is not the shortest: %s", text.at, shorter);
    text_release(&text);
}

static void prints_shortest(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } known[] = {{0.1, "0.1"},
                 {0.3, "0.3"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {1e22, "1e+22"},
                 {1, "1"},
                 {-2.5, "-2.5"},
                 {123456, "123456"},
                 {1e-6, "1e-06"},
                 {0.0001, "0.0001"},
                 {5e-324, "5e-324"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"},
                 {0.001, "0.001"},
                 {100, "100"},
                 {1e15, "1e+15"},
                 {9007199254740993.0, "9007199254740992"},
                 {38.895, "38.895"},
                 {1.0 / 3.0, "0.3333333333333333"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        Text text = {0};
        text_add_real(&text, known[i].value);
        assert_string_equal(text.at, known[i].text);
        text_release(&text);
    }
    Rng rng;
    rng_seed(&rng, 2, 0);
    for (int i = 0; i < 60000; i++) {
        double value = from_bits(rng_next(&rng));
        if (isfinite(value))
            round_trip(value);
        round_trip((double)(int64_t)(rng_unit(&rng) * 1e8) / 1e4);
        round_trip(rng_normal(&rng));
        round_trip(rng_unit(&rng) * pow(10, (double)rng_below(&rng, 20) - 4));
        is_shortest(rng_normal(&rng) * pow(10, (double)rng_below(&rng, 18) - 3));
        is_shortest(round(rng_unit(&rng) * 1e9) / pow(10, (double)rng_below(&rng, 12)) + 0.5);
        round_trip(from_bits(rng_next(&rng) >> 12)); /* subnormal */
    }
}

/* A locale with a decimal comma, if this machine has one, must change nothing. */
static void locale_is_ignored(void **state)
{
    (void)state;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
        skip();
    Text text = {0};
    text_add_real(&text, 1.2345678901234567e-30);
    double value;
    bool read = text_to_real("123456789012345678901234567890.5e-40", 36, &value);
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(text.at, "1.2345678901234568e-30");
    assert_true(read && value == 123456789012345678901234567890.5e-40);
    text_release(&text);
}

static void for_people(void **state)
{
    (void)state;
    static const struct {
        void (*add)(Text *, double);
        double value;
        const char *text;
    } known[] = {{text_add_count, 0, "0"},
                 {text_add_count, 999, "999"},
                 {text_add_count, 12345, "12,345"},
                 {text_add_count, 999999, "999,999"},
                 {text_add_count, 1.2e6, "1.2M"},
                 {text_add_count, 1e6, "1.0M"},
                 {text_add_count, 999999.7, "1.0M"},
                 {text_add_count, 3.46e9, "3.5G"},
                 {text_add_count, -1234, "-1,234"},
                 {text_add_count, 2.5, "2.5"},
                 {text_add_count, (double)NAN, "nan"},
                 {text_add_count, 999.96e6, "1.0G"},
                 {text_add_bytes, 0, "0 B"},
                 {text_add_bytes, 999, "999 B"},
                 {text_add_bytes, 1.4e9, "1.4 GB"},
                 {text_add_bytes, 2048, "2.0 kB"},
                 {text_add_bytes, 123456, "123 kB"},
                 {text_add_bytes, 999999, "1.0 MB"},
                 {text_add_seconds, 0.85, "850 ms"},
                 {text_add_seconds, 12, "12 s"},
                 {text_add_seconds, 184, "3 m 04 s"},
                 {text_add_seconds, 7800, "2 h 10 m"},
                 {text_add_seconds, 59.7, "1 m 00 s"},
                 {text_add_seconds, 0, "0 s"},
                 {text_add_seconds, 3599.6, "1 h 00 m"},
                 {text_add_seconds, 2.5, "2.5 s"},
                 {text_add_seconds, 9e4, "1 d 01 h"},
                 {text_add_seconds, 3e-5, "30 us"},
                 {text_add_seconds, 0.9999, "1.0 s"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        Text text = {0};
        known[i].add(&text, known[i].value);
        assert_string_equal(text.at, known[i].text);
        text_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_like_strtod), cmocka_unit_test(refuses),
        cmocka_unit_test(whole_numbers),     cmocka_unit_test(prints_whole_numbers),
        cmocka_unit_test(prints_shortest),   cmocka_unit_test(locale_is_ignored),
        cmocka_unit_test(for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
