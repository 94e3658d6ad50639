/* places.c -- which chunk each row of a table is of: so many rows in turn, or periods of a time column. */
#include "drift_int.h"

#include <inttypes.h>

#define MOST_CHUNKS 200
#define MONDAY      (4.0 * 86400.0) /* 1970-01-05: weeks begin there */

void places_release(Places *p)
{
    mem_free(p->of);
    mem_free(p->chunk);
    *p = (Places){0};
}

static bool places_init(Places *p, const Dataset *d, Error *err)
{
    *p = (Places){0};
    p->of = mem_try((dataset_rows(d) + 1) * sizeof *p->of, err);
    return p->of != NULL;
}

/* The last chunk has what is left; where that is less than half a chunk, it goes to the one before. */
bool places_by_rows(Places *p, const Dataset *d, const uint32_t *order, uint64_t rows, size_t most,
                    Error *err)
{
    uint64_t all = dataset_rows(d);
    if (!rows || !places_init(p, d, err))
        return rows ? false : error_set(err, ERROR_USAGE, "chunk: expected some rows");
    uint64_t count = (all + rows / 2) / rows;
    count = count ? count : 1;
    most = most ? most : MOST_CHUNKS;
    uint64_t skipped = count > most ? count - most : 0;
    p->chunks = (size_t)(count - skipped);
    p->chunk = mem_alloc(p->chunks * sizeof *p->chunk);
    for (uint64_t row = 0; row < all; row++) {
        uint64_t at = row / rows < count ? row / rows : count - 1;
        p->of[order ? order[row] : row] = at < skipped ? NOWHERE : (uint32_t)(at - skipped);
    }
    for (size_t i = 0; i < p->chunks; i++) {
        DriftChunk *c = &p->chunk[i];
        c->first = (i + skipped) * rows;
        c->rows = i + 1 == p->chunks ? all - c->first : rows;
        c->from = (double)c->first;
        c->to = (double)(c->first + c->rows);
    }
    return true;
}

/* Seconds since 1970 of every row; NaN: missing. */
static bool read_times(double *at, const Dataset *d, size_t column, Error *err)
{
    Arena a = {0};
    size_t row = 0;
    for (size_t i = 0; i < dataset_chunks(d); i++) {
        Chunk chunk;
        dataset_chunk(d, i, &a, &chunk);
        const Column *c = &chunk.column[column];
        double unit = c->type == COLUMN_TIME ? 1e-6 : c->type == COLUMN_DATE ? 86400.0 : 1.0;
        for (size_t k = 0; k < c->rows; k++)
            at[row++] = column_real(c, k) * unit;
        arena_reset(&a);
    }
    arena_release(&a);
    return dataset_sound(d, err);
}

static bool time_column(const Dataset *d, const char *name, size_t *at, Error *err)
{
    const Schema *s = dataset_schema(d);
    *at = schema_need(s, name, err);
    if (*at == SIZE_MAX)
        return false;
    ColumnType t = s->field[*at].type;
    return t == COLUMN_TIME || t == COLUMN_DATE || t == COLUMN_INT || t == COLUMN_REAL ||
           error_set(err, ERROR_USAGE, "%s is %s; chunks of time need a time, a date or seconds",
                     name, column_type_name(t));
}

static uint32_t find(const double *period, size_t n, double x)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (period[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && period[low] == x ? (uint32_t)low : NOWHERE;
}

/* ---- periods: of seconds, or of the calendar ---- */

static double period_of(Period p, double time)
{
    int year, month, day;
    if (!p.months)
        return floor((time - MONDAY) / p.seconds);
    if (!(fabs(time) < 1e13))
        return NAN;
    date_civil((int64_t)floor(time / 86400.0), &year, &month, &day);
    return floor(((double)year * 12.0 + month - 1) / p.months);
}

static double period_begins(Period p, double period)
{
    if (!p.months)
        return period * p.seconds + MONDAY;
    double month = period * p.months, year = floor(month / 12.0);
    return (double)date_days((int)year, (int)(month - 12.0 * year) + 1, 1) * 86400.0;
}

/* The distinct periods that have rows, ascending; the newest `most` of them. */
static size_t periods(double *period, const double *at, size_t rows, Period length, size_t most,
                      double *spare)
{
    size_t n = 0, distinct = 0;
    for (size_t i = 0; i < rows; i++)
        if (isfinite(at[i]) && isfinite(period[n] = period_of(length, at[i])))
            n++;
    sort_reals(period, n, spare);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || period[i] != period[distinct - 1])
            period[distinct++] = period[i];
    if (distinct > most)
        memmove(period, period + distinct - most, most * sizeof *period);
    return distinct < most ? distinct : most;
}

static void place_by_periods(Places *p, const double *at, size_t rows, const double *period,
                             Period length)
{
    p->chunk = mem_alloc((p->chunks + 1) * sizeof *p->chunk);
    for (size_t i = 0; i < p->chunks; i++) {
        p->chunk[i].from = period_begins(length, period[i]);
        p->chunk[i].to = period_begins(length, period[i] + 1.0);
    }
    for (size_t row = 0; row < rows; row++) {
        double x = isfinite(at[row]) ? period_of(length, at[row]) : (double)NAN;
        p->of[row] = isfinite(x) ? find(period, p->chunks, x) : NOWHERE;
        if (p->of[row] == NOWHERE)
            continue;
        DriftChunk *c = &p->chunk[p->of[row]];
        if (!c->rows++)
            c->first = row;
    }
}

bool places_by_time(Places *p, const Dataset *d, const char *column, Period length, size_t most,
                    Error *err)
{
    size_t at, rows = (size_t)dataset_rows(d);
    if (length.months < 0 || (!length.months && !(length.seconds >= 1.0)))
        return error_set(err, ERROR_USAGE, "chunk: expected a second or more, found %g",
                         length.seconds);
    if (!time_column(d, column, &at, err) || !places_init(p, d, err))
        return false;
    double *time = mem_try(3 * (rows + 1) * sizeof *time, err), *period = time + rows + 1;
    bool ok = time && read_times(time, d, at, err);
    if (ok) {
        p->chunks =
            periods(period, time, rows, length, most ? most : MOST_CHUNKS, period + rows + 1);
        ok = p->chunks || error_set(err, ERROR_SHAPE, "%s has no values", column);
    }
    if (ok)
        place_by_periods(p, time, rows, period, length);
    mem_free(time);
    if (!ok)
        places_release(p);
    return ok;
}

/* ---- columns by chunk ------------------------------------------------------------------------------ */

static void take_number(Gathered *g, const Column *c, size_t row)
{
    double x =
        c->type == COLUMN_DATE && column_has(c, row) ? (double)c->day[row] : column_real(c, row);
    if (isfinite(x))
        g->value[g->n++] = x;
}

static void take_label(Gathered *g, const Column *c, size_t row)
{
    size_t n = 0;
    if (!column_has(c, row))
        return;
    const char *text = c->type == COLUMN_TEXT       ? column_text(c, row, &n)
                       : column_real(c, row) != 0.0 ? "true"
                                                    : "false";
    labels_add(g->labels, text, c->type == COLUMN_TEXT ? n : strlen(text), 1.0);
    g->n++;
}

bool gather_placed(Gathered *out, const Dataset *d, const char *name, const Places *p, Arena *a,
                   Error *err)
{
    const Schema *s = dataset_schema(d);
    size_t at = schema_find(s, name), row = 0;
    bool numeric =
        at != SIZE_MAX && s->field[at].type != COLUMN_TEXT && s->field[at].type != COLUMN_BOOL;
    for (size_t i = 0; i < p->chunks; i++) {
        out[i] = (Gathered){
            .numeric = numeric, .missing = p->chunk[i].rows, .mean = NAN, .deviation = NAN};
        if (at != SIZE_MAX && numeric &&
            !(out[i].value = mem_try((p->chunk[i].rows + 1) * sizeof(double), err)))
            return error_in(err, "%s", name);
        if (at != SIZE_MAX && !numeric)
            out[i].labels = labels_create();
    }
    for (size_t i = 0; at != SIZE_MAX && i < dataset_chunks(d); i++) {
        Chunk chunk;
        dataset_chunk(d, i, a, &chunk);
        const Column *c = &chunk.column[at];
        for (size_t k = 0; k < c->rows; k++, row++) {
            if (p->of[row] == NOWHERE)
                continue;
            if (numeric)
                take_number(&out[p->of[row]], c, k);
            else
                take_label(&out[p->of[row]], c, k);
        }
        arena_reset(a);
    }
    bool ok = dataset_sound(d, err);
    for (size_t i = 0; ok && i < p->chunks; i++) {
        out[i].missing -= out[i].n;
        ok = !out[i].value || gathered_sort(&out[i], err) || error_in(err, "%s", name);
    }
    return ok;
}
