/* sample.c -- made-up taxi trips in the layout of the District of Columbia's open data.
 *
 * Two months, 27 columns, `|` between them, NULL or nothing for missing, times rounded to the
 * hour, some lines broken. Nothing here is a record of a real trip.
 *
 * What there is to learn, and how well it can be learned:
 *
 *     FAREAMOUNT = tariff(MILEAGE, DURATION) + noise,  noise normal with SAMPLE_NOISE dollars
 *     tariff     = 3.50 for the first eighth of a mile, .27 for each further eighth,
 *                  25.00 an hour for what the trip took longer than at 20 miles an hour
 *
 * computed from the columns as they are printed, so no model can have a lower RMSE than the noise
 * on new rows, and a good one comes close. Outliers (void, refunded, mistyped or forgotten
 * meters) all have a fare below 3 or above 200 dollars: one rule removes them.
 *
 * The second month drifts by options->drift: road works make trips longer (MILEAGE, DURATION and
 * the fares that follow), the tariff rises, and cash gives way to e-hail. Places, providers, hours
 * of the day and the kind of trip stay as they were. */
#include <lathe/data.h>

#include "sample_int.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIRST_EIGHTH   3.50
#define FURTHER_EIGHTH 0.27
#define WAITING_HOUR   25.00
#define FREE_SPEED     20.0 /* miles an hour; slower is waiting */

#define DRIFT_LENGTH 0.18 /* trips this much longer at drift 1 */
#define DRIFT_TARIFF 0.06 /* fares this much higher */
#define FLUSH_BYTES  (1u << 20)
#define MONTH_HOURS  (31 * 24)

const Param sample_params[] = {
    PARAM_INT(SampleOptions, rows, "rows", 20000, 1, 100000000, "rows",
              "trips in each of the two months", .log = true),
    PARAM_INT(SampleOptions, seed, "seed", 1, 0, 2147483647, "",
              "the same seed writes the same files", .log = false),
    PARAM_REAL(SampleOptions, drift, "drift", 1, 0, 3, "",
               "how far the second month is from the first; 0: not at all", .log = false),
    PARAM_END};

/* One trip, before it is printed. */
typedef struct Trip {
    Place from, to;
    int kind, payment; /* TRIPTYPE 1 street hail, 2 dispatched, 3 app; PAYMENTTYPE 1..5 */
    const char *provider;
    double miles; /* as printed: two decimals */
    int seconds;
    double fare, gratuity, surcharge, extra, toll;
    int64_t hour; /* since 1970 */
} Trip;

/* What happens to a line on its way into the files of an office. */
typedef enum Fault { FAULT_NONE, FAULT_FARE, FAULT_METER, FAULT_NUMBER, FAULT_LINE } Fault;

// clang-format off
static const double weekday_hours[24] = {14, 9, 6, 4, 5, 11, 25, 47, 62, 58, 50, 48, 51, 50, 51, 54, 60, 68, 70, 63, 55, 47, 38, 24};
static const double weekend_hours[24] = {45, 40, 33, 22, 12, 9, 11, 16, 25, 34, 41, 45, 47, 46, 46, 46, 48, 52, 56, 56, 52, 51, 53, 52};
static const double weekday_shares[7] = {0.95, 1.02, 1.06, 1.10, 1.16, 0.97, 0.78}; /* Monday first */
static const double hour_speed[24] = {19, 20, 21, 22, 22, 20, 17, 13, 10.5, 11, 12, 12, 11.5, 11.5, 11.5, 11, 10, 9, 9.5, 11, 13, 14.5, 16, 18};

static const char *const providers[] = {"Anacostia Cab", "Potomac Taxi", "Federal City Cab", "Rock Creek Taxi",
    "Cherry Blossom Cab", "Meridian Hill Taxi", "Tidal Basin Cab", "Embassy Row Taxi", "Southwest Cab Co-op", "District Hail"};
static const double provider_shares[] = {0.18, 0.15, 0.13, 0.12, 0.10, 0.09, 0.08, 0.06, 0.05, 0.04};

static const double payment_shares[5] = {0.50, 0.33, 0.07, 0.02, 0.08}; /* credit, cash, e-hail, other, Uber */
static const double payment_drift[5]  = {-0.02, -0.18, 0.17, 0.00, 0.03};
static const double kind_shares[3] = {0.62, 0.22, 0.16};

static const char header[] = "OBJECTID|TRIPTYPE|PROVIDERNAME|FAREAMOUNT|GRATUITYAMOUNT|SURCHARGEAMOUNT|EXTRAFAREAMOUNT|"
    "TOLLAMOUNT|TOTALAMOUNT|PAYMENTTYPE|ORIGINCITY|ORIGINSTATE|ORIGINZIP|DESTINATIONCITY|DESTINATIONSTATE|DESTINATIONZIP|"
    "MILEAGE|DURATION|ORIGIN_BLOCK_LATITUDE|ORIGIN_BLOCK_LONGITUDE|ORIGIN_BLOCKNAME|DESTINATION_BLOCK_LATITUDE|"
    "DESTINATION_BLOCK_LONGITUDE|DESTINATION_BLOCKNAME|AIRPORT|ORIGINDATETIME_TR|DESTINATIONDATETIME_TR\n";
// clang-format on

/* ---- a trip ----------------------------------------------------------------------------------- */

static size_t draw(Rng *rng, const double *shares, size_t n)
{
    double whole = 0.0;
    for (size_t i = 0; i < n; i++)
        whole += fmax(shares[i], 0.0);
    double at = rng_unit(rng) * whole;
    for (size_t i = 0; i + 1 < n; i++) {
        at -= fmax(shares[i], 0.0);
        if (at < 0.0)
            return i;
    }
    return n - 1;
}

static double exponential(Rng *rng)
{
    return -log(1.0 - rng_unit(rng));
}

static double cents(double dollars)
{
    return nearbyint(dollars * 100.0) / 100.0;
}

double sample_tariff(double miles, double seconds)
{
    double eighths = fmax(0.0, ceil(miles * 8.0 - 1.0 - 1e-9));
    double waiting = fmax(0.0, seconds - miles / FREE_SPEED * 3600.0);
    return FIRST_EIGHTH + FURTHER_EIGHTH * eighths + WAITING_HOUR * waiting / 3600.0;
}

static int weekday_of(int64_t hour) /* 0 Monday; 1970 began on a Thursday */
{
    return (int)((hour / 24 + 3) % 7);
}

static void draw_route(Rng *rng, Trip *t, double drift)
{
    do {
        place_draw(rng, true, &t->from);
        place_draw(rng, false, &t->to);
    } while (place_miles(&t->from, &t->to) < 0.25);
    double detour = 1.28 * exp(0.10 * rng_normal(rng)) * (1.0 + DRIFT_LENGTH * drift);
    t->miles = cents(place_miles(&t->from, &t->to) * detour + 0.10);
    bool weekend = weekday_of(t->hour) >= 5;
    double speed =
        hour_speed[t->hour % 24] * (weekend ? 1.20 : 1.0) * (1.0 + 0.06 * fmin(t->miles, 12.0));
    speed *= exp(0.20 * rng_normal(rng)); /* traffic of the day */
    t->seconds = (int)nearbyint(t->miles / speed * 3600.0 + 40.0 + 45.0 * exponential(rng));
}

static void draw_money(Rng *rng, Trip *t, double drift)
{
    double shares[5];
    for (size_t i = 0; i < 5; i++)
        shares[i] = payment_shares[i] + drift * payment_drift[i];
    t->payment = 1 + (int)draw(rng, shares, 5);
    static const double tips[5] = {0.93, 0.06, 0.55, 0.15,
                                   0.30}; /* share of trips with a tip on record */
    double tip = rng_unit(rng) < tips[t->payment - 1] ? 0.10 + 0.05 * exponential(rng) : 0.0;
    t->gratuity = cents(tip * t->fare);
    t->surcharge = 0.25;
    t->extra = t->kind == 2 ? 2.00 : rng_unit(rng) < 0.12 ? 1.00 : 0.00;
    t->toll = !t->to.inside && rng_unit(rng) < 0.04 ? 4.00 : 0.00;
}

static void draw_trip(Rng *rng, int64_t hour, double drift, Trip *t, double *noise)
{
    *t = (Trip){.hour = hour};
    t->kind = 1 + (int)draw(rng, kind_shares, 3);
    t->provider =
        providers[draw(rng, provider_shares, sizeof provider_shares / sizeof *provider_shares)];
    draw_route(rng, t, drift);
    double right = sample_tariff(t->miles, t->seconds) * (1.0 + DRIFT_TARIFF * drift);
    t->fare = cents(right + SAMPLE_NOISE * rng_normal(rng));
    *noise = t->fare - right;
    draw_money(rng, t, drift);
}

/* ---- what goes wrong ---------------------------------------------------------------------------- */

static Fault draw_fault(Rng *rng)
{
    double u = rng_unit(rng);
    return u < 0.004    ? FAULT_FARE
           : u < 0.006  ? FAULT_METER
           : u < 0.0075 ? FAULT_NUMBER
           : u < 0.009  ? FAULT_LINE
                        : FAULT_NONE;
}

/* An amount that no tariff explains: void, refund, cents for dollars, a driver's test. */
static void spoil_fare(Rng *rng, Trip *t)
{
    switch (rng_below(rng, 4)) {
    case 0:
        t->fare = 0.0;
        break;
    case 1:
        t->fare = -fmax(t->fare, 3.5);
        break;
    case 2:
        t->fare = cents(fmax(t->fare, 3.5) * 100.0);
        break;
    case 3:
        t->fare = 999.99;
        break;
    }
}

/* A meter that ran on: far too many miles or hours, and the fare that goes with them. */
static void spoil_meter(Rng *rng, Trip *t)
{
    if (rng_below(rng, 2) == 0)
        t->miles = cents(120.0 + 800.0 * rng_unit(rng));
    else
        t->seconds = 36000 + (int)rng_below(rng, 50000);
    t->fare = cents(sample_tariff(t->miles, t->seconds));
}

/* ---- printing ------------------------------------------------------------------------------------ */

static void add_missing(Rng *rng, Text *line)
{
    if (rng_below(rng, 2))
        text_puts(line, "NULL");
    text_putc(line, '|');
}

/* Every share of cells is missing: NULL, or nothing at all. */
static bool gone(Rng *rng, double share, Text *line)
{
    if (rng_unit(rng) >= share)
        return false;
    add_missing(rng, line);
    return true;
}

static void add_amount(Rng *rng, Text *line, double dollars, double missing)
{
    if (gone(rng, missing, line))
        return;
    int64_t n = (int64_t)nearbyint(dollars * 100.0);
    text_printf(line, "%s%lld.%02d|", n < 0 ? "-" : "", (long long)(n < 0 ? -n : n) / 100,
                (int)((n < 0 ? -n : n) % 100));
}

/* A number that a tired hand typed; only in columns that no fare is learned from. */
static void add_broken_number(Rng *rng, Text *line)
{
    static const char *const typed[] = {"2..50|", "1O.00|", "3,5O|", "$4.00|", "-.-|"};
    text_puts(line, typed[rng_below(rng, sizeof typed / sizeof *typed)]);
}

static void add_degrees(Text *line, double degrees)
{
    int64_t n = (int64_t)nearbyint(degrees * 1e6);
    text_printf(line, "%s%lld.%06lld|", n < 0 ? "-" : "", (long long)(n < 0 ? -n : n) / 1000000,
                (long long)(n < 0 ? -n : n) % 1000000);
}

static void add_city(Rng *rng, Text *line, const Place *p)
{
    text_printf(line, "%s|%s|", p->city, p->state);
    if (!gone(rng, 0.01, line))
        text_printf(line, "%s|", p->zip);
}

static void add_block(Rng *rng, Text *line, const Place *p)
{
    if (!p->inside) {
        for (int i = 0; i < 3; i++)
            add_missing(rng, line);
        return;
    }
    add_degrees(line, p->lat);
    add_degrees(line, p->lon);
    text_printf(line, "%s|", p->block);
}

static void add_trip(Rng *rng, Text *line, uint64_t id, const Trip *t, Fault fault)
{
    text_printf(line, "%llu|%d|%s|", (unsigned long long)id, t->kind, t->provider);
    add_amount(rng, line, t->fare, 0.003);
    bool broken = fault == FAULT_NUMBER, in_tip = broken && rng_below(rng, 2);
    if (in_tip)
        add_broken_number(rng, line);
    else
        add_amount(rng, line, t->gratuity, t->payment == 2 ? 0.30 : 0.01);
    add_amount(rng, line, t->surcharge, 0.002);
    if (broken && !in_tip)
        add_broken_number(rng, line);
    else
        add_amount(rng, line, t->extra, 0.02);
    add_amount(rng, line, t->toll, 0.05);
    add_amount(rng, line, t->fare + t->gratuity + t->surcharge + t->extra + t->toll, 0.002);
    if (!gone(rng, 0.004, line))
        text_printf(line, "%d|", t->payment);
    add_city(rng, line, &t->from);
    add_city(rng, line, &t->to);
    add_amount(rng, line, t->miles, 0.004);
    if (!gone(rng, 0.003, line))
        text_printf(line, "%d|", t->seconds);
    add_block(rng, line, &t->from);
    add_block(rng, line, &t->to);
    text_printf(line, "%c|", t->from.airport || t->to.airport ? 'Y' : 'N');
    time_format(t->hour * 3600 * 1000000, line);
    text_putc(line, '|');
    int64_t end = t->hour + (t->seconds + (int64_t)rng_below(rng, 3600)) / 3600;
    time_format(end * 3600 * 1000000, line);
    text_putc(line, '\n');
}

/* The wrong number of fields: cut off in the middle, or a delimiter too many. */
static void break_line(Rng *rng, Text *all, size_t begin)
{
    size_t length = all->count - begin - 1;
    if (rng_below(rng, 2)) {
        all->count = begin + length / 4 + (size_t)rng_below(rng, length / 2);
        text_putc(all, '\n');
    } else {
        all->count--;
        text_puts(all, "|NULL\n");
    }
}

/* ---- a month --------------------------------------------------------------------------------------- */

/* How many of rows fall into each hour: by weekday and hour, drawn, in the order of time. */
static void draw_hours(Rng *rng, int64_t first, int hours, int rows, uint32_t *count)
{
    double cumulative[MONTH_HOURS], whole = 0.0;
    for (int h = 0; h < hours; h++) {
        int weekday = weekday_of(first + h);
        const double *day = weekday >= 5 ? weekend_hours : weekday_hours;
        whole += weekday_shares[weekday] * day[(first + h) % 24];
        cumulative[h] = whole;
    }
    memset(count, 0, sizeof *count * MONTH_HOURS);
    for (int i = 0; i < rows; i++) {
        double at = rng_unit(rng) * whole;
        int low = 0, high = hours - 1;
        while (low < high) {
            int mid = (low + high) / 2;
            if (cumulative[mid] <= at)
                low = mid + 1;
            else
                high = mid;
        }
        count[low]++;
    }
}

static void write_trips(Rng *rng, int month, const SampleOptions *o, FILE *out, SampleMonth *report)
{
    uint32_t count[MONTH_HOURS];
    int64_t first = date_days(2019, month, 1) * 24;
    int hours = (int)(date_days(2019, month + 1, 1) * 24 - first);
    double drift = month == 1 ? 0.0 : o->drift, noise, squares = 0.0;
    uint64_t id = (uint64_t)month * 1000000000, plain = 0;
    Text lines = {0};
    text_puts(&lines, header);
    draw_hours(rng, first, hours, o->rows, count);
    for (int h = 0; h < hours; h++) {
        for (uint32_t i = 0; i < count[h]; i++) {
            Trip trip;
            size_t begin = lines.count;
            draw_trip(rng, first + h, drift, &trip, &noise);
            Fault fault = draw_fault(rng);
            if (fault == FAULT_FARE)
                spoil_fare(rng, &trip);
            if (fault == FAULT_METER)
                spoil_meter(rng, &trip);
            add_trip(rng, &lines, ++id, &trip, fault);
            if (fault == FAULT_LINE)
                break_line(rng, &lines, begin);
            report->outliers += fault == FAULT_FARE || fault == FAULT_METER;
            report->broken_lines += fault == FAULT_LINE;
            report->broken_numbers += fault == FAULT_NUMBER;
            if (fault == FAULT_NONE) {
                squares += noise * noise;
                plain++;
            }
            if (lines.count >= FLUSH_BYTES) {
                report->bytes += fwrite(lines.at, 1, lines.count, out);
                text_reset(&lines);
            }
        }
    }
    report->bytes += fwrite(text_str(&lines), 1, lines.count, out);
    report->rows = (uint64_t)o->rows;
    report->noise = plain ? sqrt(squares / (double)plain) : 0.0;
    text_release(&lines);
}

static bool write_month(const char *dir, int month, const SampleOptions *o, SampleMonth *report,
                        Error *err)
{
    Text path = {0}, beside = {0};
    text_printf(&path, "%s/taxi_2019_%02d.csv", dir, month);
    text_printf(&beside, "%s/.taxi_2019_%02d.%ld.tmp", dir, month, (long)getpid());
    Rng rng;
    rng_seed(&rng, (uint64_t)o->seed, (uint64_t)month);
    errno = 0;
    FILE *out = fopen(text_str(&beside), "wx");
    bool ok = out != NULL;
    if (ok) {
        write_trips(&rng, month, o, out, report);
        ok = fflush(out) == 0 && !ferror(out) && fsync(fileno(out)) == 0;
        ok = (fclose(out) == 0) && ok;
        ok = ok && rename(text_str(&beside), text_str(&path)) == 0;
    }
    if (!ok) {
        error_set(err, ERROR_IO, "%s: cannot write: %s", text_str(&path),
                  strerror(errno ? errno : EIO));
        if (out)
            unlink(text_str(&beside));
    }
    snprintf(report->path, sizeof report->path, "%s", text_str(&path));
    text_release(&path);
    text_release(&beside);
    return ok;
}

bool sample_write(const char *dir, const SampleOptions *options, SampleReport *out, Error *err)
{
    SampleReport report = {0};
    if (!dir_create(dir, err))
        return false;
    for (int m = 0; m < 2; m++)
        if (!write_month(dir, m + 1, options, &report.month[m], err))
            return false;
    if (!dir_flush(dir, err))
        return false;
    if (out)
        *out = report;
    return true;
}
