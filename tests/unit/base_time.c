/* base_time.c -- civil time against the C library, and parsing of what files hold. */
#include <lathe/base.h>

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static void like_timegm(void **state)
{
    (void)state;
    for (int64_t day = -800000; day <= 800000; day += 1 + (day % 3 == 0)) {
        time_t t = (time_t)day * 86400;
        struct tm tm;
        int year, month, d;
        gmtime_r(&t, &tm);
        date_civil(day, &year, &month, &d);
        assert_int_equal(year, tm.tm_year + 1900);
        assert_int_equal(month, tm.tm_mon + 1);
        assert_int_equal(d, tm.tm_mday);
        assert_int_equal(date_days(year, month, d), day);
    }
    assert_int_equal(date_days(1970, 1, 1), 0);
    assert_int_equal(date_days(2000, 2, 29), 11016);
}

static int64_t at(const char *s)
{
    int64_t micros = 0;
    if (!time_parse(s, strlen(s), &micros))
        fail_msg("'%s' was not read", s);
    return micros;
}

static void parses(void **state)
{
    (void)state;
    const int64_t second = 1000000;
    const int64_t noon = (date_days(2019, 1, 5) * 86400 + 12 * 3600 + 34 * 60) * second;
    assert_int_equal(at("1970-01-01"), 0);
    assert_int_equal(at("2019-01-05 12:34"), noon);
    assert_int_equal(at("2019-01-05T12:34:56"), noon + 56 * second);
    assert_int_equal(at("2019/01/05 12:34:56"), noon + 56 * second);
    assert_int_equal(at("2019-01-05T12:34:56Z"), noon + 56 * second);
    assert_int_equal(at("2019-01-05T12:34:56.5"), noon + 56 * second + 500000);
    assert_int_equal(at("2019-01-05T12:34:56.123456789Z"), noon + 56 * second + 123456);
    assert_int_equal(at("2019-01-05T12:34:00+02:00"), noon - 7200 * second);
    assert_int_equal(at("2019-01-05 12:34:00-0530"), noon + 19800 * second);
    assert_int_equal(at("2019-01-05 12:34:00+00"), noon);
    assert_int_equal(at("1969-12-31 23:59:59.999999"), -1);
    assert_int_equal(at("0001-01-01"), date_days(1, 1, 1) * 86400 * second);
    static const char *const bad[] = {"",
                                      "2019",
                                      "2019-13-01",
                                      "2019-00-01",
                                      "2019-02-29",
                                      "2019-01-32",
                                      "1900-02-29",
                                      "2019-1-5",
                                      "2019-01/05",
                                      "2019-01-05 ",
                                      "2019-01-05 24:00",
                                      "2019-01-05 12:60",
                                      "2019-01-05 12:34:60",
                                      "2019-01-05 12:34:56.",
                                      "2019-01-05 12:34:56.1234567890",
                                      "2019-01-05X12:34",
                                      "2019-01-05 12",
                                      "2019-01-05 12:34+",
                                      "2019-01-05 12:34+1",
                                      "2019-01-05 12:34Z1",
                                      "12:34",
                                      "20190105",
                                      "2019-01-05 12:34:56 PM",
                                      "-019-01-01"};
    int64_t micros = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (time_parse(bad[i], strlen(bad[i]), &micros))
            fail_msg("'%s' was read", bad[i]);
    assert_int_equal(micros, 7);
    assert_true(time_parse("2000-02-29", 10, &micros));
}

static void round_trips(void **state)
{
    (void)state;
    Rng rng;
    rng_seed(&rng, 4, 0);
    const int64_t from = date_days(0, 1, 1), to = date_days(10000, 1, 1);
    for (int i = 0; i < 100000; i++) {
        int64_t micros = (from + (int64_t)rng_below(&rng, (uint64_t)(to - from))) * 86400000000;
        micros += (int64_t)rng_below(&rng, 86400) * 1000000;
        micros += i % 2 ? (int64_t)rng_below(&rng, 1000000) : 0;
        Text text = {0};
        time_format(micros, &text);
        assert_int_equal(at(text.at), micros);
        text_release(&text);
    }
    Text text = {0};
    time_format(-1, &text);
    assert_string_equal(text.at, "1969-12-31 23:59:59.999999");
    text_reset(&text);
    date_format(-1, &text);
    assert_string_equal(text.at, "1969-12-31");
    text_reset(&text);
    date_format(20778, &text);
    assert_string_equal(text.at, "2026-11-21");
    text_release(&text);
}

static void clocks(void **state)
{
    (void)state;
    double before = clock_now();
    assert_true(clock_now() >= before);
    int64_t off = time_now() / 1000000 - (int64_t)time(NULL);
    assert_true(off >= -1 && off <= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_timegm),
        cmocka_unit_test(parses),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
