/* scan_cancel.c -- scans of a large table end within 50 ms of being asked to stop, wherever they are. */
#include "scan_table.h"
#include "stop_soon.h"

#define ROWS 1000000

enum { NUMBER, WORD, TEXT, TIME, ID, COUNT };

typedef struct Fixture {
    char dir[64];
    Dataset *d;
    Pool *pool;
    RowSet rows;    /* every other row, backwards */
    Progress progress;
    const char *name;
    bool (*scan)(struct Fixture *f, const RowSet *rows, Arena *a, Error *err);
} Fixture;

static void fill(ColumnBuild **b, uint64_t row)
{
    char text[40];
    uint64_t d = scan_dice(row);
    column_build_real(b[NUMBER], (double)(int64_t)(d >> 11) / 1e12);
    snprintf(text, sizeof text, "word %u", (unsigned)(d % 30000));
    column_build_text(b[WORD], text, strlen(text));
    snprintf(text, sizeof text, "common beginning %llu", (unsigned long long)(d >> 30) % 400000);
    column_build_text(b[TEXT], text, strlen(text));
    column_build_int(b[TIME], (int64_t)(d >> 14));
    column_build_int(b[ID], (int64_t)row);
}

static int make(void **state)
{
    static const char *const names[] = {"number", "word", "text", "time", "id"};
    static const ColumnType types[] = {COLUMN_REAL, COLUMN_TEXT, COLUMN_TEXT, COLUMN_TIME, COLUMN_INT};
    Fixture *f = mem_alloc(sizeof *f);
    f->d = scan_table_large(f->dir, names, types, COUNT, ROWS, fill);
    f->pool = pool_create(2);
    f->rows = (RowSet){.row = mem_alloc(ROWS / 2 * sizeof(uint32_t)), .count = ROWS / 2};
    for (uint32_t i = 0; i < ROWS / 2; i++)
        f->rows.row[i] = ROWS - 1 - 2 * i;
    *state = f;
    return 0;
}

static int drop(void **state)
{
    Fixture *f = *state;
    rowset_release(&f->rows);
    pool_destroy(f->pool);
    dataset_close(f->d);
    dir_remove(f->dir, NULL);
    mem_free(f);
    return 0;
}

/* ---- the scans ------------------------------------------------------------------------------------------ */

static bool sort(Fixture *f, const RowSet *rows, const SortKey *key, size_t keys, uint64_t memory, Error *err)
{
    RowSet own = {0};
    bool ok = true;
    if (rows)
        own = (RowSet){.row = mem_copy(rows->row, rows->count * sizeof *rows->row), .count = rows->count};
    else
        ok = rowset_all(f->d, &own, err);
    ok = ok && scan_sort(f->d, key, keys, &own, memory, f->dir, f->pool, &f->progress, err);
    rowset_release(&own);
    return ok;
}

static bool sort_number(Fixture *f, const RowSet *rows, Arena *a, Error *err)
{
    (void)a;
    return sort(f, rows, &(SortKey){NUMBER, true}, 1, 0, err);
}

static bool sort_text(Fixture *f, const RowSet *rows, Arena *a, Error *err)
{
    (void)a;
    return sort(f, rows, &(SortKey){TEXT, false}, 1, 0, err);
}

static bool sort_three(Fixture *f, const RowSet *rows, Arena *a, Error *err)
{
    (void)a;
    return sort(f, rows, (SortKey[]){{WORD, false}, {TIME, true}, {NUMBER, false}}, 3, 0, err);
}

static bool sort_out_of_core(Fixture *f, const RowSet *rows, Arena *a, Error *err)
{
    (void)a;
    return sort(f, rows, &(SortKey){NUMBER, false}, 1, 4 << 20, err);
}

static bool group(Fixture *f, const RowSet *rows, const GroupSpec *spec, Arena *a, Error *err)
{
    Chunk out;
    return scan_group(f->d, spec, rows, 0, f->pool, &f->progress, a, &out, err);
}

static bool group_few(Fixture *f, const RowSet *rows, Arena *a, Error *err)
{
    GroupSpec spec = {.keys = 2, .key = {{WORD, GROUP_VALUE, 0}, {TIME, GROUP_HOUR, 0}}};
    spec.measures = 2;
    spec.measure[0] = (GroupMeasure){AGGREGATE_COUNT, SIZE_MAX};
    spec.measure[1] = (GroupMeasure){AGGREGATE_MEAN, NUMBER};
    return group(f, rows, &spec, a, err);
}

static bool group_many(Fixture *f, const RowSet *rows, Arena *a, Error *err)
{
    GroupSpec spec = {.keys = 1, .key = {{TEXT, GROUP_VALUE, 0}}};
    return group(f, rows, &spec, a, err);
}

static bool profile_of(Fixture *f, const RowSet *rows, size_t column, Error *err)
{
    Profile p = {0};
    bool ok = scan_profile(f->d, column, rows, f->pool, &f->progress, &p, err);
    if (ok)
        profile_release(&p);
    return ok;
}

static bool profile_number(Fixture *f, const RowSet *rows, Arena *a, Error *err)
{
    (void)a;
    return profile_of(f, rows, NUMBER, err);
}

static bool profile_text(Fixture *f, const RowSet *rows, Arena *a, Error *err)
{
    (void)a;
    return profile_of(f, rows, TEXT, err);
}

static bool correlation(Fixture *f, const RowSet *rows, Arena *a, Error *err)
{
    Correlation out;
    return scan_correlation(f->d, rows, f->pool, &f->progress, a, &out, err);
}

static bool density(Fixture *f, const RowSet *rows, Arena *a, Error *err)
{
    Density out = {.x_column = NUMBER, .y_column = TIME, .width = 200, .height = 100};
    return scan_density(f->d, &out, rows, f->pool, &f->progress, a, err);
}

/* ---- stopping --------------------------------------------------------------------------------------------- */

static bool work(void *context)
{
    Fixture *f = context;
    Error err = {0};
    bool ok = true;
    for (int i = 0; i < 2 && ok; i++) {
        Arena a = {0};
        ok = f->scan(f, i ? &f->rows : NULL, &a, &err);
        arena_release(&a);
    }
    if (!ok && err.kind != ERROR_STOP)
        fail_msg("%s: %s", f->name, err.text);
    return ok;
}

static void ask(void *context)
{
    stop_ask(&((Fixture *)context)->progress.stop);
}

static void again(void *context)
{
    atomic_store(&((Fixture *)context)->progress.stop.asked, false);
}

static void test_stops(void **state)
{
    static const struct {
        const char *name;
        bool (*scan)(Fixture *, const RowSet *, Arena *, Error *);
    } scans[] = {
        {"sort by a number", sort_number},       {"sort by text", sort_text},
        {"sort by three columns", sort_three},   {"sort out of core", sort_out_of_core},
        {"frequency of few groups", group_few},  {"frequency of many groups", group_many},
        {"profile of numbers", profile_number},  {"profile of text", profile_text},
        {"correlation", correlation},            {"density", density},
    };
    Fixture *f = *state;
    for (size_t i = 0; i < sizeof scans / sizeof *scans; i++) {
        f->name = scans[i].name;
        f->scan = scans[i].scan;
        assert_stops_soon(f->name, work, ask, again, f, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stops)};
    return cmocka_run_group_tests(tests, make, drop);
}
