/* data_sample.c -- the made-up months: their layout, their noise, their drift, the same again. */
#include <lathe/data.h>

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum {
    FIELDS = 27,
    FARE = 3,
    PAYMENT = 9,
    MILES = 16,
    SECONDS = 17,
    AIRPORT = 24,
    START = 25,
    END = 26
};

typedef struct Month { /* what a pass over a file finds */
    uint64_t rows, broken_lines, bad_amounts, outliers, used;
    double noise; /* root mean square of fare - tariff over usable rows */
    double miles, fare, cash;
} Month;

static char *folder;

static int setup(void **state)
{
    (void)state;
    char name[] = "/tmp/lathe-sample-XXXXXX";
    folder = text_copy(mkdtemp(name));
    return folder == NULL;
}

static int teardown(void **state)
{
    (void)state;
    bool ok = dir_remove(folder, NULL);
    mem_free(folder);
    return !ok;
}

static void make(const char *name, int rows, int seed, double drift, SampleReport *report)
{
    Error err = {0};
    Text dir = {0};
    SampleOptions options = {.rows = rows, .seed = seed, .drift = drift};
    text_printf(&dir, "%s/%s", folder, name);
    if (!sample_write(dir.at, &options, report, &err))
        fail_msg("%s", err.text);
    text_release(&dir);
}

static bool missing(const char *s, size_t n)
{
    return n == 0 || (n == 4 && memcmp(s, "NULL", 4) == 0);
}

/* true: a number; false: missing. Anything else is counted as a bad amount. */
static bool number(Month *m, const char *s, size_t n, double *out)
{
    if (missing(s, n))
        return false;
    if (text_to_real(s, n, out))
        return true;
    m->bad_amounts++;
    return false;
}

static void read_line(Month *m, const char *line, size_t n, double tariff)
{
    const char *field[64];
    size_t size[64], fields = 0;
    for (const char *at = line, *end = line + n; fields < 64; fields++) {
        const char *bar = memchr(at, '|', (size_t)(end - at));
        field[fields] = at;
        size[fields] = (size_t)((bar ? bar : end) - at);
        if (!bar) {
            fields++;
            break;
        }
        at = bar + 1;
    }
    m->rows++;
    if (fields != FIELDS) {
        m->broken_lines++;
        return;
    }
    double fare = 0, miles = 0, seconds = 0, other;
    bool has_fare = number(m, field[FARE], size[FARE], &fare);
    bool has_miles = number(m, field[MILES], size[MILES], &miles);
    bool has_seconds = number(m, field[SECONDS], size[SECONDS], &seconds);
    for (size_t i = 4; i <= 9; i++)
        number(m, field[i], size[i], &other);
    int64_t start = 0, end = 0;
    assert_true(time_parse(field[START], size[START], &start));
    assert_true(time_parse(field[END], size[END], &end));
    assert_true(end >= start && start % 3600000000 == 0 && end % 3600000000 == 0);
    assert_true(size[AIRPORT] == 1 && strchr("YN", *field[AIRPORT]));
    m->outliers += has_fare && (fare < 3 || fare > 200);
    if (!has_fare || !has_miles || !has_seconds || fare < 3 || fare > 200)
        return;
    double off = fare - tariff * sample_tariff(miles, seconds);
    assert_true(fabs(off) < 6.0); /* what the rule leaves holds no outlier */
    m->used++;
    m->noise += off * off;
    m->miles += miles;
    m->fare += fare;
    m->cash += size[PAYMENT] == 1 && *field[PAYMENT] == '2';
}

static Month read_month(const char *path, double tariff)
{
    Text text = {0};
    Error err = {0};
    Month m = {0};
    if (!file_read(path, &text, 100u << 20, &err))
        fail_msg("%s", err.text);
    assert_true(utf8_valid(text.at, text.count));
    const char *at = strchr(text.at, '\n') + 1;
    assert_true(text_starts(text.at, "OBJECTID|TRIPTYPE|PROVIDERNAME|FAREAMOUNT|"));
    for (const char *end; (end = strchr(at, '\n')); at = end + 1)
        read_line(&m, at, (size_t)(end - at), tariff);
    assert_int_equal(*at, 0);
    m.noise = sqrt(m.noise / (double)m.used);
    m.miles /= (double)m.used;
    m.fare /= (double)m.used;
    m.cash /= (double)m.used;
    text_release(&text);
    return m;
}

static void layout_and_noise(void **state)
{
    (void)state;
    SampleReport report;
    make("plain", 20000, 1, 1.0, &report);
    for (int i = 0; i < 2; i++) {
        const SampleMonth *said = &report.month[i];
        Month m = read_month(said->path, i == 0 ? 1.0 : 1.06);
        assert_int_equal(m.rows, 20000);
        assert_int_equal(said->rows, 20000);
        assert_int_equal(m.broken_lines, said->broken_lines);
        assert_int_equal(m.bad_amounts, said->broken_numbers);
        assert_in_range(m.broken_lines, 10, 60);
        assert_in_range(m.bad_amounts, 10, 60);
        assert_in_range(m.outliers, said->outliers, said->outliers + 100); /* and noise below 3 */
        assert_in_range(said->outliers, 60, 200);
        assert_true(fabs(m.noise - SAMPLE_NOISE) < 0.03);
        assert_true(fabs(said->noise - SAMPLE_NOISE) < 0.03);
        assert_in_range(m.used, 19300, 19950);
        assert_true(said->bytes < 6000000);
    }
}

static void drift_is_where_it_is_said(void **state)
{
    (void)state;
    SampleReport report;
    make("drifted", 20000, 5, 1.0, &report);
    Month before = read_month(report.month[0].path, 1.0),
          after = read_month(report.month[1].path, 1.06);
    assert_true(after.miles > before.miles * 1.12);
    assert_true(after.fare > before.fare * 1.10);
    assert_true(before.cash > 0.30 && after.cash < 0.20);
    make("still", 20000, 5, 0.0, &report);
    before = read_month(report.month[0].path, 1.0), after = read_month(report.month[1].path, 1.0);
    assert_true(fabs(after.miles / before.miles - 1) < 0.04);
    assert_true(fabs(after.cash - before.cash) < 0.02);
}

static void same_files(const char *a, const char *b, bool same)
{
    Text x = {0}, y = {0};
    assert_true(file_read(a, &x, 100u << 20, NULL));
    assert_true(file_read(b, &y, 100u << 20, NULL));
    assert_int_equal(x.count == y.count && memcmp(x.at, y.at, x.count) == 0, same);
    text_release(&x);
    text_release(&y);
}

static void same_seed_same_bytes(void **state)
{
    (void)state;
    SampleReport a, b, c;
    make("a", 500, 7, 0.5, &a);
    make("b", 500, 7, 0.5, &b);
    make("c", 500, 8, 0.5, &c);
    same_files(a.month[1].path, b.month[1].path, true);
    same_files(a.month[1].path, c.month[1].path, false);
    make("a", 500, 8, 0.5, &a); /* in place of what was there */
    same_files(a.month[1].path, c.month[1].path, true);
    make("one", 1, 1, 3.0, &a);
    assert_int_equal(read_month(a.month[0].path, 1.0).rows, 1);
}

/* What stands in sample-data/ is what its README says made it. */
static void stored_months_are_in_step(void **state)
{
    (void)state;
    SampleReport report;
    SampleOptions options;
    params_init(sample_params, &options);
    make("stored", options.rows, options.seed, options.drift, &report);
    same_files(report.month[0].path, LATHE_SOURCE_DIR "/sample-data/taxi_2019_01.csv", true);
    same_files(report.month[1].path, LATHE_SOURCE_DIR "/sample-data/taxi_2019_02.csv", true);
}

static void says_what_fails(void **state)
{
    (void)state;
    Error err = {0};
    SampleOptions options = {.rows = 10, .seed = 1};
    assert_false(sample_write("/proc/nowhere", &options, NULL, &err));
    assert_int_equal(err.kind, ERROR_IO);
    assert_non_null(strstr(err.text, "/proc/nowhere: cannot create the folder"));
}

static void tariff(void **state)
{
    (void)state;
    assert_true(fabs(sample_tariff(0.0, 0) - 3.50) < 1e-9);
    assert_true(fabs(sample_tariff(0.125, 0) - 3.50) < 1e-9);
    assert_true(fabs(sample_tariff(0.13, 0) - 3.77) < 1e-9);
    assert_true(fabs(sample_tariff(1.125, 0) - (3.50 + 2.16)) < 1e-9); /* 2.16 a mile */
    assert_true(fabs(sample_tariff(0.0, 3600) - 28.50) < 1e-9);        /* 25.00 an hour */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_and_noise),     cmocka_unit_test(drift_is_where_it_is_said),
        cmocka_unit_test(same_seed_same_bytes), cmocka_unit_test(stored_months_are_in_step),
        cmocka_unit_test(says_what_fails),      cmocka_unit_test(tariff),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
