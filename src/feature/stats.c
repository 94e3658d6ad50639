/* stats.c -- one pass over the training rows: everything an encoder is fitted from.
 *
 * A chunk is summed on its own (mean first, then distances from it) and the sums of chunks are
 * merged in the order of the chunks (Chan, Golub, LeVeque 1979), so the numbers do not depend on
 * the number of threads. */
#include "feature_int.h"

#define MICROS_A_DAY 86400000000.0

double column_days(const Column *c, size_t row)
{
    return c->type == COLUMN_DATE ? c->day[row] : (double)c->integer[row] / MICROS_A_DAY;
}

static double number_at(const Column *c, size_t row)
{
    if (!column_has(c, row))
        return NAN;
    if (c->type == COLUMN_TIME || c->type == COLUMN_DATE)
        return column_days(c, row);
    return column_real(c, row);
}

/* Keeps the list of distinct values sorted; gives up when there are more than `most`. */
static void value_add(ColumnStats *s, double value, uint64_t seen, size_t most)
{
    if (s->many)
        return;
    size_t low = 0, high = s->value.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->value.at[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < s->value.count && s->value.at[low].value == value) {
        s->value.at[low].seen += seen;
        return;
    }
    if (s->value.count == most) {
        s->many = true;
        return;
    }
    vec_add(&s->value, (ValueCount){0});
    memmove(&s->value.at[low + 1], &s->value.at[low],
            (s->value.count - 1 - low) * sizeof *s->value.at);
    s->value.at[low] = (ValueCount){value, seen};
}

static void note_calendar(ColumnStats *s, const Column *c, size_t row)
{
    double days = floor(column_days(c, row));
    int64_t day = (int64_t)days;
    if (s->months != 0xfff) { /* else all were seen */
        int year, month, of_month;
        date_civil(day, &year, &month, &of_month);
        s->months |= 1u << (month - 1);
    }
    s->weekdays |= 1u << (((day + 3) % 7 + 7) % 7);
    if (c->type == COLUMN_TIME)
        s->hours |= 1u << ((int)((column_days(c, row) - days) * 24.0) % 24);
}

/* The rows' numbers side by side, NaN where there is none. */
static double *numbers_of(const Column *c, const StatsRows *rows)
{
    double *x = mem_alloc((rows->rows + 1) * sizeof *x);
    if (c->type == COLUMN_REAL)
        for (size_t i = 0; i < rows->rows; i++)
            x[i] = column_has(c, rows->row[i]) ? c->real[rows->row[i]] : (double)NAN;
    else if (c->type == COLUMN_INT)
        for (size_t i = 0; i < rows->rows; i++)
            x[i] = column_has(c, rows->row[i]) ? (double)c->integer[rows->row[i]] : (double)NAN;
    else
        for (size_t i = 0; i < rows->rows; i++)
            x[i] = number_at(c, rows->row[i]);
    return x;
}

static void add_numbers(ColumnStats *s, const Column *c, const StatsRows *rows,
                        const StatsWish *wish)
{
    bool calendar = c->type == COLUMN_TIME || c->type == COLUMN_DATE;
    double sum = 0.0, least = INFINITY, most = -INFINITY, last = -INFINITY;
    bool up = c->type == COLUMN_INT;
    double *number = numbers_of(c, rows);
    for (size_t i = 0; i < rows->rows; i++) {
        double x = number[i];
        if (!isfinite(x)) {
            s->missing++;
            continue;
        }
        s->count++;
        sum += x;
        least = x < least ? x : least;
        most = x > most ? x : most;
        up = up && x > last;
        last = x;
        if (wish->values_most)
            value_add(s, x, 1, wish->values_most);
        if (calendar)
            note_calendar(s, c, rows->row[i]);
    }
    s->least = least;
    s->most = most;
    s->last = last;
    s->counts_up = up;
    s->mean = s->count ? sum / (double)s->count : 0.0;
    for (size_t i = 0; i < rows->rows; i++) {
        double x = number[i] - s->mean;
        if (isfinite(x))
            s->m2 += x * x;
    }
    mem_free(number);
    for (size_t i = 0; wish->sample && i < rows->samples; i++) {
        double x = number_at(c, rows->sampled[i]);
        if (isfinite(x))
            vec_add(&s->sample, x);
    }
}

static void word_add(ColumnStats *s, const char *text, size_t n, uint64_t seen, size_t most)
{
    if (s->many)
        return;
    if (lexicon_find(&s->words, text, n) == SIZE_MAX && s->words.word.count == most) {
        s->many = true;
        return;
    }
    lexicon_add(&s->words, text, n, seen);
}

/* Counts by code first: one look-up a word instead of one a row. */
static void add_coded(ColumnStats *s, const Column *c, const StatsRows *rows, size_t most)
{
    uint64_t *seen = mem_alloc((c->words->count + 1) * sizeof *seen);
    for (size_t i = 0; i < rows->rows; i++) {
        if (!column_has(c, rows->row[i])) {
            s->missing++;
            continue;
        }
        s->count++;
        seen[c->code[rows->row[i]]]++;
    }
    for (size_t w = 0; w < c->words->count; w++)
        if (seen[w])
            word_add(s, c->words->bytes + c->words->start[w],
                     (size_t)(c->words->start[w + 1] - c->words->start[w]), seen[w], most);
    mem_free(seen);
}

static void add_words(ColumnStats *s, const Column *c, const StatsRows *rows, size_t most)
{
    if (c->words) {
        add_coded(s, c, rows, most);
        return;
    }
    for (size_t i = 0; i < rows->rows; i++) {
        if (!column_has(c, rows->row[i])) {
            s->missing++;
            continue;
        }
        size_t n;
        const char *text = column_text(c, rows->row[i], &n);
        s->count++;
        word_add(s, text, n, 1, most);
    }
}

void stats_add(ColumnStats *s, const Column *c, const StatsRows *rows, const StatsWish *wish)
{
    if (c->type == COLUMN_TEXT)
        add_words(s, c, rows, wish->words_most);
    else
        add_numbers(s, c, rows, wish);
}

void stats_merge(ColumnStats *into, ColumnStats *from, const StatsWish *wish)
{
    into->many = into->many || from->many;
    into->missing += from->missing;
    for (size_t i = 0; i < from->words.word.count; i++) {
        const Word *w = &from->words.word.at[i];
        word_add(into, w->text, w->size, w->seen, wish->words_most);
    }
    for (size_t i = 0; i < from->value.count; i++)
        value_add(into, from->value.at[i].value, from->value.at[i].seen, wish->values_most);
    for (size_t i = 0; i < from->sample.count; i++)
        vec_add(&into->sample, from->sample.at[i]);
    into->hours |= from->hours;
    into->weekdays |= from->weekdays;
    into->months |= from->months;
    if (from->count && !into->count) {
        into->mean = from->mean;
        into->m2 = from->m2;
        into->least = from->least;
        into->most = from->most;
        into->counts_up = from->counts_up;
        into->last = from->last;
    } else if (from->count) {
        double a = (double)into->count, b = (double)from->count, gap = from->mean - into->mean;
        into->counts_up = into->counts_up && from->counts_up && from->least > into->last;
        into->last = from->last;
        into->mean += gap * (b / (a + b));
        into->m2 += from->m2 + gap * gap * (a * b / (a + b));
        into->least = fmin(into->least, from->least);
        into->most = fmax(into->most, from->most);
    }
    into->count += from->count;
    stats_release(from);
}

double stats_deviation(const ColumnStats *s)
{
    return s->count ? sqrt(s->m2 / (double)s->count) : 0.0;
}

void stats_release(ColumnStats *s)
{
    vec_release(&s->sample);
    vec_release(&s->value);
    lexicon_release(&s->words);
    *s = (ColumnStats){0};
}
