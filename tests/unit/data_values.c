/* data_values.c -- one field as a number, date or time: known values, and the quick ways against
 * the plain ones of base. */
#include "data/reader_test.h"

/* A copy with PADDING around, as fields have it. */
static const char *padded(const char *s, size_t n)
{
    static char room[4 * PADDING];
    assert_true(n < 2 * PADDING);
    memset(room, '7', sizeof room); /* what stands behind must not matter */
    return memcpy(room + PADDING, s, n);
}

static void dates_of_every_day(void **state)
{
    (void)state;
    for (int64_t day = date_days(1, 1, 1); day < date_days(4000, 1, 1); day++) {
        int y, m, d;
        char text[40];
        date_civil(day, &y, &m, &d);
        snprintf(text, sizeof text, "%04d-%02d-%02d", y, m, d);
        int64_t micros;
        bool clock;
        assert_true(value_stamp(padded(text, 10), 10, ORDER_YMD, &micros, &clock));
        assert_false(clock);
        assert_int_equal(micros, day * 86400000000);
    }
}

static void stamps_in_many_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        DateOrder order;
        const char *shown;
    } good[] = {{"2015-06-02 11:19:29", ORDER_YMD, "2015-06-02 11:19:29"},
                {"2015-06-02T11:19:29", ORDER_YMD, "2015-06-02 11:19:29"},
                {"2015-06-02T11:19:29Z", ORDER_YMD, "2015-06-02 11:19:29"},
                {"2015-06-02 11:19:29.5", ORDER_YMD, "2015-06-02 11:19:29.500000"},
                {"2015-06-02 11:19:29.123456789", ORDER_YMD, "2015-06-02 11:19:29.123456"},
                {"2015-06-02 11:19:29+02:00", ORDER_YMD, "2015-06-02 09:19:29"},
                {"2015-06-02 00:19:29+0200", ORDER_YMD, "2015-06-01 22:19:29"},
                {"2015-06-02 11:19:29 UTC", ORDER_YMD, "2015-06-02 11:19:29"},
                {"2015-06-02 11:19", ORDER_YMD, "2015-06-02 11:19:00"},
                {"2015/6/2 1:19", ORDER_YMD, "2015-06-02 01:19:00"},
                {"6/2/2015 1:19 PM", ORDER_MDY, "2015-06-02 13:19:00"},
                {"6/2/2015 12:00:01 AM", ORDER_MDY, "2015-06-02 00:00:01"},
                {"02.06.2015 11:19", ORDER_DMY, "2015-06-02 11:19:00"},
                {"31/12/1969", ORDER_DMY, "1969-12-31 00:00:00"},
                {"2000-02-29", ORDER_YMD, "2000-02-29 00:00:00"}};
    static const struct {
        const char *text;
        DateOrder order;
    } bad[] = {{"2015-13-02", ORDER_YMD},           {"2015-02-29", ORDER_YMD},
               {"1900-02-29 10:00:00", ORDER_YMD},  {"2015-06-31", ORDER_YMD},
               {"2015-06-02 24:00:00", ORDER_YMD},  {"2015-06-02 11:60:00", ORDER_YMD},
               {"2015-06-02x11:19:29", ORDER_YMD},  {"2015-06-02 11:19:2x", ORDER_YMD},
               {"2015-06/02", ORDER_YMD},           {"20150602", ORDER_YMD},
               {"13/13/2015", ORDER_DMY},           {"0000-01-01", ORDER_YMD},
               {"2015-06-02 11:19:29 ", ORDER_YMD}, {"6/2/2015 13:00 PM", ORDER_MDY},
               {"2015-00-10", ORDER_YMD},           {"1.2.2015.", ORDER_DMY}};
    int64_t micros;
    bool clock;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        size_t n = strlen(good[i].text);
        if (!value_stamp(padded(good[i].text, n), n, good[i].order, &micros, &clock))
            fail_msg("%s", good[i].text);
        Text t = {0};
        time_format(micros, &t);
        assert_string_equal(t.at, good[i].shown);
        text_release(&t);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t n = strlen(bad[i].text);
        if (value_stamp(padded(bad[i].text, n), n, bad[i].order, &micros, &clock))
            fail_msg("%s was read as a time", bad[i].text);
    }
}

static void integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool strict, lenient;
        int64_t value;
    } cases[] = {{"0", true, true, 0},
                 {"-1", true, true, -1},
                 {"123456789012", true, true, 123456789012},
                 {"9223372036854775807", true, true, INT64_MAX},
                 {"-9223372036854775808", true, true, INT64_MIN},
                 {"9223372036854775808", false, false, 0},
                 {"007", false, true, 7},
                 {"-07", false, true, -7},
                 {"+5", false, true, 5},
                 {"5.0", false, true, 5},
                 {"5.5", false, false, 0},
                 {"", false, false, 0},
                 {"-", false, false, 0},
                 {"1 2", false, false, 0},
                 {"12345678x", false, false, 0},
                 {"1e3", false, true, 1000},
                 {"0x10", false, false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].text);
        const char *s = padded(cases[i].text, n);
        int64_t value = 0;
        if (value_int(s, n, false, &value) != cases[i].strict)
            fail_msg("%s strictly", cases[i].text);
        if (cases[i].strict)
            assert_true(value == cases[i].value);
        if (value_int(s, n, true, &value) != cases[i].lenient)
            fail_msg("%s leniently", cases[i].text);
        if (cases[i].lenient)
            assert_true(value == cases[i].value);
    }
}

/* Any number as it may be written: the same double as base's, which rounds correctly. */
static void reals_are_correctly_rounded(void **state)
{
    (void)state;
    Rng rng;
    rng_seed(&rng, 3, 0);
    for (int i = 0; i < 600000; i++) {
        char text[64];
        int n;
        if (i % 4 == 0) {
            n = snprintf(text, sizeof text, "%.*f", (int)rng_below(&rng, 19),
                         rng_normal(&rng) * 100);
        } else if (i % 4 == 1) {
            uint64_t bits = rng_next(&rng);
            double value;
            memcpy(&value, &bits, 8);
            if (value != value || value - value != 0)
                continue;
            n = snprintf(text, sizeof text, "%.*g", 1 + (int)rng_below(&rng, 20), value);
        } else if (i % 4 == 2) { /* half way between two doubles, or next to it */
            uint64_t odd = ((uint64_t)1 << 53) + 2 * (rng_next(&rng) >> 12) + 1;
            n = snprintf(text, sizeof text, "%" PRIu64 ".%d%s", odd, (int)rng_below(&rng, 2),
                         rng_below(&rng, 2) ? "0" : "");
        } else {
            n = snprintf(text, sizeof text, "%" PRIu64 ".%" PRIu64,
                         rng_next(&rng) >> rng_below(&rng, 64),
                         rng_next(&rng) >> rng_below(&rng, 64));
        }
        double expected, found;
        assert_true(text_to_real(text, (size_t)n, &expected));
        if (!value_real(padded(text, (size_t)n), (size_t)n, '.', true, &found) ||
            memcmp(&found, &expected, sizeof found))
            fail_msg("%s: %a instead of %a", text, found, expected);
    }
}

static void reals_in_many_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        char decimal;
        bool good;
        double value;
    } cases[] = {{".46", '.', true, 0.46},
                 {"5.", '.', true, 5},
                 {"-0.5", '.', true, -0.5},
                 {"1e3", '.', true, 1e3},
                 {"+1.5", '.', true, 1.5},
                 {"1,5", ',', true, 1.5},
                 {"1.5", ',', false, 0},
                 {"1,5", '.', false, 0},
                 {"007", '.', false, 0},
                 {"00.5", '.', true, 0.5},
                 {"-", '.', false, 0},
                 {".", '.', false, 0},
                 {"e5", '.', false, 0},
                 {"1e", '.', false, 0},
                 {"1.2.3", '.', false, 0},
                 {"1e-3", '.', true, 1e-3},
                 {"12345678901234567890123", '.', false, 0},
                 {"0.1", '.', true, 0.1},
                 {"", '.', false, 0},
                 {"-73.954429626464844", '.', true, -73.954429626464844},
                 {"0", '.', true, 0},
                 {"1,5e3", ',', true, 1500},
                 {"12%", '.', false, 0},
                 {"$5", '.', false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].text);
        double value;
        if (value_real(padded(cases[i].text, n), n, cases[i].decimal, false, &value) !=
            cases[i].good)
            fail_msg("'%s'", cases[i].text);
        if (cases[i].good)
            assert_true(value == cases[i].value);
    }
}

static void amounts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        char decimal;
        bool good;
        double value;
    } cases[] = {{"$1,234.50", '.', true, 1234.5},
                 {"-$5", '.', true, -5},
                 {"$-5", '.', true, -5},
                 {"$ 5", '.', true, 5},
                 {"1,234,567", '.', true, 1234567},
                 {"-1,234", '.', true, -1234},
                 {"1.234,50", ',', true, 1234.5},
                 {"1.234.567", ',', true, 1234567},
                 {"1234,5 \xe2\x82\xac", ',', true, 1234.5},
                 {"\xc2\xa3"
                  "9.99",
                  '.', true, 9.99},
                 {"1'234'567.25", '.', true, 1234567.25},
                 {"1 234.5", '.', true, 1234.5},
                 {"45%", '.', true, 45},
                 {"12.5 %", '.', true, 12.5},
                 {"12,34", '.', false, 0},
                 {"1,2345", '.', false, 0},
                 {",123", '.', false, 0},
                 {"1234,567", '.', false, 0},
                 {"1,,234", '.', false, 0},
                 {"1,234,", '.', false, 0},
                 {"$", '.', false, 0},
                 {"%", '.', false, 0},
                 {"$1,2", '.', false, 0},
                 {"1,234.5.6", '.', false, 0},
                 {"5", '.', false, 0},
                 {"$abc", '.', false, 0},
                 {"", '.', false, 0},
                 {"$-", '.', false, 0},
                 {"1,234 567", '.', false, 0},
                 {"$$5", '.', false, 0},
                 {"255 255 255", '.', false, 0},
                 {"$007", '.', false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].text);
        double value = 0;
        if (value_amount(padded(cases[i].text, n), n, cases[i].decimal, &value) != cases[i].good)
            fail_msg("'%s'", cases[i].text);
        if (cases[i].good && value != cases[i].value)
            fail_msg("'%s' as %g", cases[i].text, value);
    }
}

static void truth_values(void **state)
{
    (void)state;
    bool value = false;
    assert_true(value_bool("TRUE", 4, false, &value) && value);
    assert_true(value_bool("false", 5, false, &value) && !value);
    assert_true(value_bool("Yes", 3, false, &value) && value);
    assert_false(value_bool("1", 1, false, &value));
    assert_true(value_bool("yes", 3, true, &value) && value);
    assert_true(value_bool("N", 1, true, &value) && !value);
    assert_false(value_bool("2", 1, true, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_of_every_day),
        cmocka_unit_test(stamps_in_many_forms),
        cmocka_unit_test(integers),
        cmocka_unit_test(reals_are_correctly_rounded),
        cmocka_unit_test(reals_in_many_forms),
        cmocka_unit_test(truth_values),
        cmocka_unit_test(amounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
