/* trips.h -- what the benchmarks of scans and of SQL share: made-up trips with the columns that gen_taxi.py has,
 * and the clock of the processor. */
#ifndef BENCH_TRIPS_H
#define BENCH_TRIPS_H

#include <lathe/data.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TRIP_COLUMNS 6

static inline double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double middle_of(const double *v, size_t n)
{
    double copy[64];
    memcpy(copy, v, n * sizeof *v);
    qsort(copy, n, sizeof *copy, by_value);
    return copy[n / 2];
}

static inline void make_trip(Rng *rng, ColumnBuild **b, uint64_t row)
{
    static const char *const pay[] = {"Cash", "Credit Card", "Uber", "Voucher"};
    const char *word = pay[rng_below(rng, 4)];
    double miles = round(exp(1 + 0.8 * rng_normal(rng)) * 100) / 100;
    column_build_int(b[0], (int64_t)(row + 1));
    column_build_int(b[1], (1483228800 + (int64_t)rng_below(rng, 365 * 86400)) * 1000000);
    column_build_real(b[2], miles);
    column_build_text(b[3], word, strlen(word));
    if (rng_below(rng, 100) == 0)
        column_build_missing(b[4]);
    else
        column_build_real(b[4], round((3.5 + 2.7 * miles + rng_normal(rng)) * 100) / 100);
    column_build_int(b[5], 1 + (int64_t)rng_below(rng, 5));
}

static inline Dataset *make_trips(const char *dir, size_t rows, Pool *pool, Error *err)
{
    static const char *const names[] = {"trip_id",      "pickup_datetime", "mileage",
                                        "payment_type", "fare_amount",     "passenger_count"};
    static const ColumnType types[] = {COLUMN_INT, COLUMN_TIME, COLUMN_REAL, COLUMN_TEXT, COLUMN_REAL,
                                       COLUMN_INT};
    Schema s = {0};
    Arena a = {0};
    Rng rng;
    char hash[65] = "", path[512];
    rng_seed(&rng, 1, 0);
    for (size_t c = 0; c < TRIP_COLUMNS; c++)
        schema_add(&s, names[c], types[c], ROLE_FEATURE);
    DatasetWriter *w = dataset_writer_create(dir, &s, pool, err);
    bool ok = w != NULL;
    for (size_t at = 0; ok && at < rows; at += CHUNK_ROWS) {
        size_t n = rows - at < CHUNK_ROWS ? rows - at : CHUNK_ROWS;
        ColumnBuild *b[TRIP_COLUMNS];
        Column column[TRIP_COLUMNS];
        arena_reset(&a);
        for (size_t c = 0; c < TRIP_COLUMNS; c++)
            b[c] = column_build(&a, names[c], types[c], n);
        for (size_t i = 0; i < n; i++)
            make_trip(&rng, b, at + i);
        for (size_t c = 0; c < TRIP_COLUMNS; c++)
            column_build_finish(b[c], &column[c]);
        Chunk chunk = {.rows = n, .columns = TRIP_COLUMNS, .column = column};
        ok = dataset_writer_add(w, &chunk, err);
    }
    ok = ok && dataset_writer_finish(w, hash, err);
    dataset_writer_destroy(w);
    schema_release(&s);
    arena_release(&a);
    snprintf(path, sizeof path, "%s/%s.arrow", dir, hash);
    return ok ? dataset_open(path, err) : NULL;
}

#endif
