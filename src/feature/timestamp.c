/* timestamp.c -- a time or date as parts: where it stands in the day, week and year, and how late.
 *
 *     hour, weekday, month   sine and cosine of the place in the cycle, so that 23 is next to 0
 *     days                   days since 1970, standardised, held to the range of the training rows
 *
 * A cycle of which the training rows saw only one part (one month, say) is left out: it would be a
 * constant while training and something unheard of afterwards. The days are held for the same
 * reason: a trend fitted over weeks must not be drawn on for years. The hour is taken with its
 * minutes; times are UTC, as they are stored.
 *
 * With numbers=raw (trees, which cut a cycle where they like) the parts are numbers themselves: hour 0
 * to 24, weekday 0 to 6 from Monday, month 1 to 12, days since 1970, NaN where the time is missing. */
#include "feature_int.h"

#define CIRCLE 6.283185307179586

enum { PART_HOUR, PART_WEEKDAY, PART_MONTH, PARTS };
static const char *const part_names[PARTS] = {"hour", "weekday", "month"};

typedef struct Timestamp {
    bool part[PARTS], raw;
    double mean, scale, least, most; /* days */
} Timestamp;

static size_t width(const Timestamp *t)
{
    size_t floats = t->least < t->most;
    for (int p = 0; p < PARTS; p++)
        floats += !t->part[p] ? 0 : t->raw ? 1 : 2;
    return floats;
}

static bool several(uint32_t bits)
{
    return (bits & (bits - 1)) != 0;
}

static void fit(Input *in, const ColumnStats *s, const FeatureOptions *o)
{
    Timestamp *t = mem_alloc(sizeof *t);
    double deviation = stats_deviation(s);
    *t = (Timestamp){.part = {several(s->hours), several(s->weekdays), several(s->months)},
                     .mean = s->mean,
                     .scale = deviation > 0.0 ? deviation : 1.0,
                     .least = s->least,
                     .most = s->most,
                     .raw = o->numbers == NUMBERS_RAW};
    in->nan = t->raw;
    in->missing &= !t->raw;
    in->state = t;
    in->dense = width(t);
}

/* Where a day stands in its cycle, from 0 to 1. */
static double turn(int part, double days)
{
    double day = floor(days);
    int year, month, of_month;
    switch (part) {
    case PART_HOUR:
        return days - day;
    case PART_WEEKDAY:
        return fmod(fmod(day + 3.0, 7.0) + 7.0, 7.0) / 7.0; /* 1970-01-01 was a Thursday */
    default:
        date_civil((int64_t)day, &year, &month, &of_month);
        return (month - 1) / 12.0;
    }
}

static const double turns[PARTS] = {24.0, 7.0, 12.0}; /* a whole cycle */

/* What a day decides is the same for all its rows: weekday and month, of the days seen last. */
#define DAYS 1024
typedef struct Day {
    double day; /* NaN: none yet */
    float raw[PARTS], sine[PARTS], cosine[PARTS];
} Day;

static const Day *day_of(Day *days, double day)
{
    Day *d = &days[(uint64_t)(int64_t)day % DAYS];
    if (d->day == day)
        return d;
    d->day = day;
    for (int p = PART_WEEKDAY; p < PARTS; p++) {
        double part = turn(p, day), angle = CIRCLE * part;
        d->raw[p] = (float)(part * turns[p] + (p == PART_MONTH ? 1.0 : 0.0));
        d->sine[p] = (float)sin(angle);
        d->cosine[p] = (float)cos(angle);
    }
    return d;
}

static void encode_raw(const Timestamp *t, double days, const Day *day, float *out)
{
    if (t->part[PART_HOUR])
        *out++ = (float)(turn(PART_HOUR, days) * turns[PART_HOUR]);
    for (int p = PART_WEEKDAY; p < PARTS; p++)
        if (t->part[p])
            *out++ = day->raw[p];
    if (t->least < t->most)
        *out = (float)days;
}

static void encode_row(const Timestamp *t, double days, const Day *day, float *out)
{
    if (t->part[PART_HOUR]) {
        double angle = CIRCLE * turn(PART_HOUR, days);
        *out++ = (float)sin(angle);
        *out++ = (float)cos(angle);
    }
    for (int p = PART_WEEKDAY; p < PARTS; p++) {
        if (!t->part[p])
            continue;
        *out++ = day->sine[p];
        *out++ = day->cosine[p];
    }
    if (t->least < t->most)
        *out = (float)((fmin(fmax(days, t->least), t->most) - t->mean) / t->scale);
}

static void encode(const Input *in, const Column *c, Dense dense, Codes codes, Arena *a)
{
    (void)codes;
    const Timestamp *t = in->state;
    Day *days = ARENA_NEW(a, Day, DAYS);
    for (size_t i = 0; i < DAYS; i++)
        days[i].day = (double)NAN;
    for (size_t row = 0; row < c->rows; row++) {
        float *out = dense.at + row * dense.stride;
        double at = column_has(c, row) ? column_days(c, row) : 0.0;
        if (column_has(c, row))
            (t->raw ? encode_raw : encode_row)(t, at, day_of(days, floor(at)), out);
        else
            for (size_t i = 0; t->raw && i < in->dense; i++)
                out[i] = NAN;
    }
}

static void describe(const Input *in, size_t i, Text *name)
{
    const Timestamp *t = in->state;
    for (int p = 0; p < PARTS; p++) {
        if (!t->part[p])
            continue;
        size_t floats = t->raw ? 1 : 2;
        if (i < floats) {
            text_puts(name, part_names[p]);
            if (!t->raw)
                text_puts(name, i ? " cos" : " sin");
            return;
        }
        i -= floats;
    }
    text_puts(name, "days");
}

static json_t *save(const Input *in)
{
    const Timestamp *t = in->state;
    return json_pack("{s:b, s:b, s:b, s:b, s:f, s:f, s:f, s:f}", "raw", (int)t->raw, "hour",
                     (int)t->part[PART_HOUR], "weekday", (int)t->part[PART_WEEKDAY], "month",
                     (int)t->part[PART_MONTH], "mean", t->mean, "scale", t->scale, "least",
                     t->least, "most", t->most);
}

static bool load(Input *in, const json_t *from, Error *err)
{
    int part[PARTS], raw = 0; /* older files do not say */
    Timestamp t = {0};
    if (json_unpack((json_t *)from, "{s?b, s:b, s:b, s:b, s:F, s:F, s:F, s:F}", "raw", &raw, "hour",
                    &part[PART_HOUR], "weekday", &part[PART_WEEKDAY], "month", &part[PART_MONTH],
                    "mean", &t.mean, "scale", &t.scale, "least", &t.least, "most", &t.most) ||
        !(t.scale > 0.0) || !(t.least <= t.most))
        return error_set(err, ERROR_PARSE, "expected parts, mean, scale above 0, least and most");
    for (int p = 0; p < PARTS; p++)
        t.part[p] = part[p] != 0;
    t.raw = in->nan = raw != 0;
    in->state = mem_copy(&t, sizeof t);
    in->dense = width(&t);
    return true;
}

static void release(Input *in)
{
    mem_free(in->state);
}

/* ---- the same as ONNX nodes -------------------------------------------------------------------- */

static const char *by(Onnx *o, const char *op, const char *x, double value)
{
    return onnx_node(o, op, x, onnx_real(o, value), NULL);
}

static const char *floor_by(Onnx *o, const char *x, double value)
{
    return onnx_node(o, "Floor", by(o, "Div", x, value), NULL);
}

/* x modulo `value`, from 0 up */
static const char *rest_by(Onnx *o, const char *x, double value)
{
    return onnx_node(o, "Sub", x, by(o, "Mul", floor_by(o, x, value), value), NULL);
}

/* Months since January from days since 1970, by eras of 400 years that begin in March (Hinnant,
 * "chrono-compatible low-level date algorithms"). */
static const char *say_month(Onnx *o, const char *day)
{
    const char *of_era = rest_by(o, by(o, "Add", day, 719468.0), 146097.0);
    const char *y = onnx_node(o, "Sub", of_era, floor_by(o, of_era, 1460.0), NULL);
    y = onnx_node(o, "Add", y, floor_by(o, of_era, 36524.0), NULL);
    y = floor_by(o, onnx_node(o, "Sub", y, floor_by(o, of_era, 146096.0), NULL), 365.0);
    const char *begin = onnx_node(o, "Add", by(o, "Mul", y, 365.0), floor_by(o, y, 4.0), NULL);
    begin = onnx_node(o, "Sub", begin, floor_by(o, y, 100.0), NULL);
    const char *of_year = onnx_node(o, "Sub", of_era, begin, NULL);
    const char *march = floor_by(o, by(o, "Add", by(o, "Mul", of_year, 5.0), 2.0), 153.0);
    return rest_by(o, by(o, "Add", march, 2.0), 12.0);
}

/* turn, times a whole cycle */
static const char *say_part(Onnx *o, int part, const char *days)
{
    const char *day = onnx_node(o, "Floor", days, NULL);
    if (part == PART_HOUR)
        return by(o, "Mul", onnx_node(o, "Sub", days, day, NULL), 24.0);
    return part == PART_WEEKDAY ? rest_by(o, by(o, "Add", day, 3.0), 7.0) : say_month(o, day);
}

static void say(const Input *in, Onnx *o, const char *x, const char **dense, const char **codes)
{
    (void)codes;
    const Timestamp *t = in->state;
    const char *part[2 * PARTS + 1];
    size_t n = 0;
    for (int p = 0; p < PARTS; p++) {
        if (!t->part[p])
            continue;
        const char *at = say_part(o, p, x);
        if (t->raw) {
            part[n++] = onnx_cast(o, p == PART_MONTH ? by(o, "Add", at, 1.0) : at, ONNX_FLOAT);
            continue;
        }
        at = onnx_cast(o, by(o, "Mul", at, 6.283185307179586 / turns[p]), ONNX_FLOAT);
        part[n++] = onnx_node(o, "Sin", at, NULL);
        part[n++] = onnx_node(o, "Cos", at, NULL);
    }
    if (t->least < t->most) {
        const char *held = by(o, "Min", by(o, "Max", x, t->least), t->most);
        const char *days = t->raw ? x : onnx_less_by(o, held, t->mean, t->scale);
        part[n++] = onnx_cast(o, days, ONNX_FLOAT);
    }
    if (!n)
        return;
    *dense = onnx_join(o, part, n);
    if (!t->raw) /* there a NaN says what it is */
        *dense = onnx_node(o, "Where", onnx_lacks(o, x), onnx_float(o, 0.0f), *dense, NULL);
}

const Encoder timestamp_encoder = {
    .name = "timestamp",
    .about = "a time as its place in day, week and year, and days since",
    .types = TYPES_TIME,
    .accepts = TYPES_TIME,
    .fit = fit,
    .encode = encode,
    .describe = describe,
    .save = save,
    .load = load,
    .release = release,
    .onnx = say,
};
