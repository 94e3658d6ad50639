/* made_table.h -- a small made-up table of trips for the tests of feature, bundle and drift.
 *
 *     id       int   role id        miles   real   some missing        seats  int    1 .. 4
 *     city     text  a few words    driver  text   one word a row      at     time   three months
 *     night    bool                 same    real   constant            fare   real   the target
 *     tip      text  yes, no (by fare)      row    int    counts the rows */
#ifndef MADE_TABLE_H
#define MADE_TABLE_H

#include <lathe/data.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct MadeTable {
    uint64_t rows, seed;
    double shift;        /* added to miles */
    const char *city;    /* a word that only this table has, in place of Ulm; NULL: none */
    bool no_miles;       /* all missing */
    double fare_missing; /* share of rows without the target */
} MadeTable;

static inline void made_schema(Schema *s)
{
    *s = (Schema){0};
    schema_add(s, "id", COLUMN_INT, ROLE_ID);
    schema_add(s, "miles", COLUMN_REAL, ROLE_FEATURE);
    schema_add(s, "seats", COLUMN_INT, ROLE_FEATURE);
    schema_add(s, "city", COLUMN_TEXT, ROLE_FEATURE);
    schema_add(s, "driver", COLUMN_TEXT, ROLE_FEATURE);
    schema_add(s, "at", COLUMN_TIME, ROLE_TIMELINE);
    schema_add(s, "night", COLUMN_BOOL, ROLE_FEATURE);
    schema_add(s, "same", COLUMN_REAL, ROLE_FEATURE);
    schema_add(s, "fare", COLUMN_REAL, ROLE_TARGET);
    schema_add(s, "tip", COLUMN_TEXT, ROLE_FEATURE);
    schema_add(s, "row", COLUMN_INT, ROLE_FEATURE);
    for (size_t i = 0; i < s->count; i++)
        s->field[i].nullable = true;
}

static inline void made_chunk(const MadeTable *t, const Schema *s, uint64_t first, size_t rows,
                              Arena *a, Chunk *out)
{
    static const char *const cities[] = {"Bonn", "Kiel", "Trier", "Ulm"};
    ColumnBuild *b[11];
    Column *c = ARENA_NEW(a, Column, s->count);
    for (size_t i = 0; i < s->count; i++)
        b[i] = column_build(a, s->field[i].name, s->field[i].type, rows);
    for (uint64_t row = first; row < first + rows; row++) {
        Rng rng;
        char driver[32];
        rng_seed(&rng, t->seed, row);
        double miles = exp(rng_normal(&rng)) + t->shift;
        int64_t seats = 1 + (int64_t)rng_below(&rng, 4);
        const char *city = cities[rng_below(&rng, 4)];
        int64_t at = (int64_t)rng_below(&rng, 90ull * 86400) * 1000000;
        bool night = at / 3600000000 % 24 >= 20, lost = rng_below(&rng, 20) == 0 || t->no_miles;
        double fare = 3.5 + 2.0 * miles + (double)seats + (night ? 4.0 : 0.0) + rng_normal(&rng);
        if (t->city && strcmp(city, "Ulm") == 0)
            city = t->city;
        snprintf(driver, sizeof driver, "driver %llu", (unsigned long long)row);
        column_build_int(b[0], (int64_t)(row * 7919 % 1000003));
        if (lost)
            column_build_missing(b[1]);
        else
            column_build_real(b[1], miles);
        column_build_int(b[2], seats);
        column_build_text(b[3], city, strlen(city));
        column_build_text(b[4], driver, strlen(driver));
        column_build_int(b[5], at);
        column_build_int(b[6], night);
        column_build_real(b[7], 1.0);
        if (rng_unit(&rng) < t->fare_missing)
            column_build_missing(b[8]);
        else
            column_build_real(b[8], fare);
        column_build_text(b[9], fare > 9.0 ? "yes" : "no", fare > 9.0 ? 3 : 2);
        column_build_int(b[10], (int64_t)row * 3);
    }
    for (size_t i = 0; i < s->count; i++)
        column_build_finish(b[i], &c[i]);
    *out = (Chunk){.rows = rows, .columns = s->count, .column = c, .first = first};
}

static inline Dataset *made_dataset(const char *dir, const MadeTable *t)
{
    Schema s;
    Error err = {0};
    Arena a = {0};
    char hash[65], path[256];
    made_schema(&s);
    DatasetWriter *w = dataset_writer_create(dir, &s, NULL, &err);
    bool ok = w != NULL;
    for (uint64_t row = 0; ok && row < t->rows; row += 5000) {
        Chunk c;
        uint64_t left = t->rows - row;
        made_chunk(t, &s, row, left < 5000 ? (size_t)left : 5000, &a, &c);
        ok = dataset_writer_add(w, &c, &err);
        arena_reset(&a);
    }
    ok = ok && dataset_writer_finish(w, hash, &err);
    dataset_writer_destroy(w);
    schema_release(&s);
    arena_release(&a);
    snprintf(path, sizeof path, "%s/%s.arrow", dir, ok ? hash : "");
    Dataset *d = ok ? dataset_open(path, &err) : NULL;
    if (!d)
        fail_msg("%s", err.text);
    return d;
}

static inline void made_folder(char *dir, size_t room)
{
    snprintf(dir, room, "/tmp/lathe_test_XXXXXX");
    assert_non_null(mkdtemp(dir));
}

#endif
