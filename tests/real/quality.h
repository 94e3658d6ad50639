/* quality.h -- what the tests of quality share: a table into the workspace, and a run of defaults with its number. */
#ifndef TEST_QUALITY_H
#define TEST_QUALITY_H

#include "unit/train_world.h"

static void ingest_as(World *w, const char *file, const char *name)
{
    IngestOptions o = {0};
    IngestReport report = {0};
    char dir[96], path[512];
    params_init(ingest_params, &o);
    snprintf(dir, sizeof dir, "%s/datasets", w->dir);
    bool sample = text_starts(file, "sample-data/");
    snprintf(path, sizeof path, "%s/%s", sample ? LATHE_SOURCE_DIR : LATHE_REAL_DATA, file);
    if (!sample && !file_exists(path))
        skip();
    OK(ingest(path, &o, dir, w->pool, NULL, NULL, NULL, &report, &w->err));
    Dataset *d = dataset_open(store_path(w->s, &w->a, "datasets/%s.arrow", report.hash), &w->err);
    OK(d);
    const Schema *s = dataset_schema(d);
    ColumnRow *rows = ARENA_NEW(&w->a, ColumnRow, s->count);
    for (size_t i = 0; i < s->count; i++)
        rows[i] = (ColumnRow){.name = s->field[i].name,
                              .type = column_type_name(s->field[i].type),
                              .role = role_name(s->field[i].role),
                              .nullable = s->field[i].nullable};
    DatasetRow row = {.hash = report.hash,
                      .name = name,
                      .source = path,
                      .rows = (int64_t)report.rows,
                      .columns = (int64_t)report.columns};
    OK(store_dataset_add(w->s, &row, rows, s->count, &w->err));
    dataset_close(d);
    ingest_report_release(&report);
    params_release(ingest_params, &o);
}

static double seeded(World *w, const char *family, const char *data, const char *target,
                     const char *features, const char *recipe, const char *split, const char *key,
                     int64_t seed)
{
    RunSpec spec;
    run_spec_init(&spec, model_family(family));
    spec.dataset = data, spec.target = target, spec.features = features, spec.split = split;
    spec.seed = seed;
    spec.recipe = recipe;
    int64_t run = run_submit(w->s, &spec, &w->err);
    OK(run);
    double start = clock_now();
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    double v = last_metric(w, run, key);
    printf("%-10s %-8s %s %.5g  (%s, %lld steps, %.1f s)\n", data, family, key, v,
           run_of(w, run).message, (long long)run_of(w, run).step, clock_now() - start);
    fflush(stdout);
    run_spec_release(&spec);
    return v;
}

#endif
