/* series_world.h -- for tests of series: made-up hourly sales of two shops.
 *
 *     when   time, hourly          shop   text, two         size   of the shop, static
 *     promo  0 or 1, known ahead   rain   of the past       sales  10 size + 8 sin(hour) + 6 promo + noise .5
 *
 * Rows stand latest first, the shops by turns; of shop b the hours 30 to 32 are missing. */
#ifndef LATHE_TESTS_SERIES_WORLD_H
#define LATHE_TESTS_SERIES_WORLD_H

#include "train_world.h"

enum { SALES_COLUMNS = 6 };
static const char *const sales_names[SALES_COLUMNS] = {"when",  "shop", "size",
                                                       "promo", "rain", "sales"};
static const ColumnType sales_types[SALES_COLUMNS] = {COLUMN_TIME, COLUMN_TEXT, COLUMN_REAL,
                                                      COLUMN_INT,  COLUMN_REAL, COLUMN_REAL};

static inline bool sales_gap(int shop, int hour)
{
    return shop == 1 && hour >= 30 && hour < 33;
}

static inline double sales_at(int shop, int hour, int *promo, double *rain)
{
    Rng r;
    rng_seed(&r, 21, (uint64_t)(shop * 100000 + hour));
    *promo = rng_below(&r, 4) == 0;
    *rain = rng_unit(&r);
    return 10.0 * (1 + shop) + 8 * sin(6.283185307 * hour / 24) + 6 * *promo + .5 * rng_normal(&r);
}

/* Hours 0 .. hours - 1 with sales, `ahead` more without. */
static inline size_t sales_chunk(int hours, int ahead, Arena *a, Chunk *out)
{
    ColumnBuild *b[SALES_COLUMNS];
    Column *column = ARENA_NEW(a, Column, SALES_COLUMNS);
    size_t rows = 0;
    for (int i = 0; i < SALES_COLUMNS; i++)
        b[i] = column_build(a, sales_names[i], sales_types[i], (size_t)(hours + ahead) * 2);
    for (int hour = hours + ahead; hour-- > 0;)
        for (int shop = 0; shop < 2; shop++) {
            int promo;
            double rain, sales = sales_at(shop, hour, &promo, &rain);
            if (sales_gap(shop, hour))
                continue;
            column_build_int(b[0], (int64_t)hour * 3600000000);
            column_build_text(b[1], shop ? "b" : "a", 1);
            column_build_real(b[2], 1 + shop);
            column_build_int(b[3], promo);
            column_build_real(b[4], rain);
            if (hour < hours)
                column_build_real(b[5], sales);
            else
                column_build_missing(b[5]);
            rows++;
        }
    for (int i = 0; i < SALES_COLUMNS; i++)
        column_build_finish(b[i], &column[i]);
    *out = (Chunk){.rows = rows, .columns = SALES_COLUMNS, .column = column};
    return rows;
}

static inline Dataset *add_sales(World *w, const char *name, int hours)
{
    Schema schema = {0};
    Arena a = {0};
    Chunk c;
    char hash[65];
    size_t rows = sales_chunk(hours, 0, &a, &c);
    ColumnRow row[SALES_COLUMNS];
    for (int i = 0; i < SALES_COLUMNS; i++) {
        schema_add(&schema, sales_names[i], sales_types[i], ROLE_FEATURE);
        row[i] = (ColumnRow){
            .name = sales_names[i], .type = column_type_name(sales_types[i]), .role = "feature"};
    }
    DatasetWriter *out =
        dataset_writer_create(store_path(w->s, &w->a, "datasets"), &schema, NULL, &w->err);
    OK(out);
    OK(dataset_writer_add(out, &c, &w->err));
    OK(dataset_writer_finish(out, hash, &w->err));
    dataset_writer_destroy(out);
    DatasetRow d = {.hash = hash,
                    .name = name,
                    .source = "made",
                    .rows = (int64_t)rows,
                    .columns = SALES_COLUMNS};
    OK(store_dataset_add(w->s, &d, row, SALES_COLUMNS, &w->err));
    schema_release(&schema);
    arena_release(&a);
    Dataset *opened = dataset_open(store_path(w->s, &w->a, "datasets/%s.arrow", hash), &w->err);
    OK(opened);
    return opened;
}

/* Features of it, their series fitted. */
static inline Features *sales_features(World *w, const Dataset *d, const Split *split,
                                       size_t window, size_t horizon, size_t levels)
{
    static const float level[] = {.1f, .5f, .9f};
    FeatureOptions options;
    SeriesOptions o = {.group = "shop",
                       .time = "when",
                       .known = "promo",
                       .window = window,
                       .horizon = horizon,
                       .stride = 1,
                       .levels = levels};
    memcpy(o.level, levels == 1 ? level + 1 : level, levels * sizeof *level);
    params_init(feature_params, &options);
    OK(params_set(feature_params, &options, "numbers", "standard", &w->err));
    OK(params_set(feature_params, &options, "categories", "onehot", &w->err));
    Features *f = features_fit(d, NULL, split, "sales", NULL, 0, &options, w->pool, NULL, &w->err);
    OK(f);
    OK(features_series(f, &o, d, NULL, w->pool, NULL, &w->err));
    return f;
}

/* A tft trained on the sales for an epoch: what it says does not matter. */
static inline int64_t sales_run(World *w)
{
    RunSpec spec;
    static const char *const set[][2] = {{"time", "when"},   {"group", "shop"},
                                         {"known", "promo"}, {"window", "12"},
                                         {"horizon", "3"},   {"quantiles", "0.1,0.5,0.9"},
                                         {"epochs", "1"}};
    run_spec_init(&spec, model_family("tft"));
    spec.dataset = "sales", spec.target = "sales";
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        OK(run_spec_set(&spec, set[i][0], set[i][1], &w->err));
    int64_t run = run_submit(w->s, &spec, &w->err);
    run_spec_release(&spec);
    OK(run);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    return run;
}

#endif
