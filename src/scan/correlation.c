/* correlation.c -- how columns go together, two by two, over the rows that have both values.
 *
 * Pearson: six sums a pair over values with the column's own middle and spread taken out first, so
 * that nothing is lost to large means. Where a block of both columns has every value, five of the
 * sums are those of the columns alone. Spearman: the same of ranks, equal values sharing the mean of
 * theirs (Kendall, "Rank Correlation Methods", 1948), from a sample. Values that are not finite
 * count as missing. */
#include "scan_int.h"

#include <math.h>
#include <stdlib.h>

#define COLUMNS_MOST 1000
#define SAMPLE       100000
#define STRIPS       16
#define LANES        8
#define SOME         512 /* values of a block; all columns of one stay in the cache */

typedef double Lanes __attribute__((vector_size(64), aligned(8), may_alias));

typedef struct Sums {
    double n, x, y, xx, yy, xy;
} Sums;

typedef struct Pairs {
    View view;
    const RowSet *rows;
    size_t k, pairs;         /* columns; k * (k - 1) / 2 */
    double *middle, *spread; /* [k] */
    size_t pieces, strips;
    Sums *sums;       /* [strips][pairs] */
    size_t sample;    /* rows of `value` */
    double *value;    /* [k][sample], NaN: missing */
    uint32_t *order;  /* [k][sample] rows by value, missing ones last */
    size_t *present;  /* [k] */
    double *spearman; /* [k * k] */
    Progress *progress;
} Pairs;

static size_t pair_of(size_t i, size_t j) /* i > j */
{
    return i * (i - 1) / 2 + j;
}

static double lanes_sum(Lanes v)
{
    return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}

static double dot(const double *x, const double *y) /* [SOME] */
{
    Lanes sum = {0};
    for (size_t i = 0; i < SOME; i += LANES)
        sum += *(const Lanes *)(x + i) * *(const Lanes *)(y + i);
    return lanes_sum(sum);
}

/* ---- one block ---------------------------------------------------------------------------------------- */

typedef struct Block { /* values around 0, 0 where missing; what is there as 1, 0 */
    double x[SOME], has[SOME], square[SOME];
    double sum, squares;
    bool full;
} Block;

static void load_block(const Pairs *p, const Piece *piece, size_t k, size_t at, size_t n, Block *b)
{
    load_reals(piece, k, at, n, b->x);
    b->full = true;
    for (size_t i = 0; i < n; i++) {
        bool has = isfinite(b->x[i]) != 0;
        b->x[i] = has ? (b->x[i] - p->middle[k]) * p->spread[k] : 0.0;
        b->has[i] = has;
        b->full &= has;
    }
    for (size_t i = n; i < SOME; i++)
        b->x[i] = b->has[i] = 0.0;
    for (size_t i = 0; i < SOME; i++)
        b->square[i] = b->x[i] * b->x[i];
    b->sum = dot(b->x, b->has);
    b->squares = dot(b->square, b->has);
}

static void add_pair(Sums *s, const Block *a, const Block *b, size_t n)
{
    s->xy += dot(a->x, b->x);
    s->n += a->full && b->full ? (double)n : dot(a->has, b->has);
    s->x += b->full ? a->sum : dot(a->x, b->has);
    s->y += a->full ? b->sum : dot(b->x, a->has);
    s->xx += b->full ? a->squares : dot(a->square, b->has);
    s->yy += a->full ? b->squares : dot(b->square, a->has);
}

static void sum_strip(void *job, size_t strip, size_t worker)
{
    Pairs *p = job;
    Sums *sums = p->sums + strip * p->pairs;
    Block *block = mem_alloc((p->k + 1) * sizeof *block);
    size_t end = strip_begin(strip + 1, p->strips, p->pieces);
    for (size_t k = strip_begin(strip, p->strips, p->pieces); k < end; k++) {
        Piece piece;
        if (progress_stopped(p->progress))
            break;
        piece_get(&p->view, p->rows, k, &piece);
        for (size_t at = 0; at < piece.rows; at += SOME) {
            size_t n = piece.rows - at < SOME ? piece.rows - at : SOME;
            for (size_t i = 0; i < p->k; i++) {
                load_block(p, &piece, i, at, n, &block[i]);
                for (size_t j = 0; j < i; j++)
                    add_pair(&sums[pair_of(i, j)], &block[i], &block[j], n);
            }
        }
        progress_add(p->progress, piece.rows);
    }
    mem_free(block);
    (void)worker;
}

static double correlate(const Sums *s)
{
    double xx = s->xx - s->x * s->x / s->n, yy = s->yy - s->y * s->y / s->n;
    double xy = s->xy - s->x * s->y / s->n;
    if (!(s->n > 1) || !(xx > 1e-14 * s->xx) || !(yy > 1e-14 * s->yy))
        return (double)NAN; /* constant, but for rounding */
    return fmin(fmax(xy / sqrt(xx * yy), -1.0), 1.0);
}

static void finish_pearson(const Pairs *p, double *out)
{
    for (size_t i = 0; i < p->k; i++)
        for (size_t j = 0; j < i; j++) {
            Sums all = {0};
            for (size_t s = 0; s < p->strips; s++) {
                const Sums *part = &p->sums[s * p->pairs + pair_of(i, j)];
                all.n += part->n;
                all.x += part->x;
                all.y += part->y;
                all.xx += part->xx;
                all.yy += part->yy;
                all.xy += part->xy;
            }
            out[i * p->k + j] = out[j * p->k + i] = correlate(&all);
        }
}

/* ---- ranks ---------------------------------------------------------------------------------------------- */

static void load_sample(void *job, size_t k, size_t worker)
{
    Pairs *p = job;
    uint64_t total = rows_of(&p->view, p->rows);
    for (size_t i = 0; i < p->sample && !progress_stopped(p->progress); i++) {
        uint64_t at = (uint64_t)((__uint128_t)i * total / p->sample);
        uint64_t row = p->rows ? p->rows->row[at] : at;
        size_t chunk = view_chunk(&p->view, row);
        p->value[k * p->sample + i] =
            column_real(view_column(&p->view, k, chunk), (size_t)(row - p->view.first[chunk]));
    }
    (void)worker;
}

typedef struct Ranked {
    double value;
    uint32_t row;
} Ranked;

static int by_value(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    int order = (x->value > y->value) - (x->value < y->value);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

static void order_sample(void *job, size_t k, size_t worker)
{
    Pairs *p = job;
    const double *value = p->value + k * p->sample;
    Ranked *all = mem_alloc((p->sample + 1) * sizeof *all);
    size_t n = 0;
    for (size_t i = 0; i < p->sample && !progress_stopped(p->progress); i++)
        if (isfinite(value[i]))
            all[n++] = (Ranked){value[i], (uint32_t)i};
    if (!progress_stopped(p->progress))
        qsort(all, n, sizeof *all, by_value);
    for (size_t i = 0; i < n; i++)
        p->order[k * p->sample + i] = all[i].row;
    p->present[k] = n;
    mem_free(all);
    (void)worker;
}

/* rank[row] of column i among the rows that have column j too, around their mean; returns how many. */
static size_t rank_rows(const Pairs *p, size_t i, size_t j, uint32_t *both, double *rank)
{
    const double *value = p->value + i * p->sample, *other = p->value + j * p->sample;
    size_t n = 0;
    for (size_t at = 0; at < p->present[i]; at++) {
        uint32_t row = p->order[i * p->sample + at];
        if (isfinite(other[row]))
            both[n++] = row;
    }
    for (size_t at = 0; at < n;) {
        size_t end = at + 1;
        while (end < n && value[both[end]] == value[both[at]])
            end++;
        double mean = 0.5 * (double)(at + end - 1) - 0.5 * (double)(n - 1);
        for (; at < end; at++)
            rank[both[at]] = mean;
    }
    return n;
}

static void rank_column(void *job, size_t i, size_t worker)
{
    Pairs *p = job;
    uint32_t *both = mem_alloc((p->sample + 1) * sizeof *both);
    double *rank = mem_alloc(2 * (p->sample + 1) * sizeof *rank), *other = rank + p->sample + 1;
    for (size_t j = 0; j < i; j++) {
        if (progress_stopped(p->progress))
            break;
        Sums s = {0};
        rank_rows(p, i, j, both, rank);
        size_t n = rank_rows(p, j, i, both, other);
        for (size_t at = 0; at < n; at++) { /* ranks are halves: these sums are exact */
            double x = rank[both[at]], y = other[both[at]];
            s.xx += x * x;
            s.yy += y * y;
            s.xy += x * y;
        }
        s.n = (double)n;
        p->spearman[i * p->k + j] = p->spearman[j * p->k + i] = correlate(&s);
    }
    mem_free(both);
    mem_free(rank);
    (void)worker;
}

/* ---- all ------------------------------------------------------------------------------------------------- */

static bool choose_columns(const Dataset *d, Arena *a, Correlation *out, Error *err)
{
    const Schema *s = dataset_schema(d);
    size_t *column = ARENA_NEW(a, size_t, s->count + 1), k = 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->field[i].type != COLUMN_TEXT)
            column[k++] = i;
    *out = (Correlation){.columns = k, .column = column};
    return k <= COLUMNS_MOST ||
           error_set(err, ERROR_SPACE, "%zu columns with numbers: correlations go up to %d", k,
                     COLUMNS_MOST);
}

static void take_middle(Pairs *p, const Dataset *d, const size_t *column)
{
    const Profile *profile = dataset_profile(d);
    for (size_t i = 0; i < p->k; i++) {
        const ColumnProfile *c = &profile->column[column[i]];
        p->middle[i] = isfinite(c->mean) ? c->mean : 0.0;
        p->spread[i] = isfinite(c->deviation) && c->deviation > 0 ? 1 / c->deviation : 1.0;
        if (!isfinite(p->spread[i]))
            p->spread[i] = 1.0;
    }
}

static void add_diagonal(const Pairs *p, double *matrix)
{
    for (size_t i = 0; i < p->k; i++) {
        double first = (double)NAN;
        bool varies = false;
        for (size_t r = 0; r < p->present[i]; r++) {
            double v = p->value[i * p->sample + p->order[i * p->sample + r]];
            varies |= v > first || v < first;
            first = v;
        }
        matrix[i * p->k + i] = varies ? 1.0 : (double)NAN;
    }
}

static bool get_memory(Pairs *p, const Dataset *d, Error *err)
{
    uint64_t total = p->rows ? p->rows->count : dataset_rows(d);
    p->pairs = p->k * (p->k - (p->k > 0)) / 2;
    p->sample = total < SAMPLE ? (size_t)total : SAMPLE;
    p->middle = mem_alloc((p->k + 1) * sizeof *p->middle);
    p->spread = mem_alloc((p->k + 1) * sizeof *p->spread);
    p->present = mem_alloc((p->k + 1) * sizeof *p->present);
    p->value = mem_try((p->k * p->sample + 1) * sizeof *p->value, err);
    p->order = p->value ? mem_try((p->k * p->sample + 1) * sizeof *p->order, err) : NULL;
    p->sums = p->order ? mem_try((p->strips * p->pairs + 1) * sizeof *p->sums, err) : NULL;
    if (p->sums)
        memset(p->sums, 0, p->strips * p->pairs * sizeof *p->sums);
    return p->sums != NULL;
}

static void give_memory(Pairs *p)
{
    mem_free(p->middle);
    mem_free(p->spread);
    mem_free(p->present);
    mem_free(p->value);
    mem_free(p->order);
    mem_free(p->sums);
    view_release(&p->view);
}

bool scan_correlation(const Dataset *d, const RowSet *rows, Pool *pool, Progress *progress,
                      Arena *a, Correlation *out, Error *err)
{
    Pairs p = {.rows = rows, .progress = progress};
    if (!choose_columns(d, a, out, err))
        return false;
    p.k = out->columns;
    view_open(&p.view, d, out->column, p.k, pool);
    p.pieces = pieces_of(&p.view, rows);
    p.strips = strips_of(p.pieces, STRIPS);
    bool ok = get_memory(&p, d, err);
    if (ok) {
        double *pearson = ARENA_NEW(a, double, p.k *p.k + 1);
        p.spearman = ARENA_NEW(a, double, p.k *p.k + 1);
        out->pearson = pearson;
        out->spearman = p.spearman;
        take_middle(&p, d, out->column);
        progress_begin(progress, "comparing", "rows", rows_of(&p.view, rows));
        pool_run(pool, p.strips, sum_strip, &p);
        finish_pearson(&p, pearson);
        pool_run(pool, p.k, load_sample, &p);
        pool_run(pool, p.k, order_sample, &p);
        pool_run(pool, p.k, rank_column, &p);
        add_diagonal(&p, pearson);
        add_diagonal(&p, p.spearman);
        ok = !scan_stopped(progress, err);
    }
    give_memory(&p);
    return ok;
}
