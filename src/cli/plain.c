/* plain.c -- the workbench without a screen: what the workspace has, then what happens to its runs, line by line,
 * until none goes on. For pipes, logs and TERM=dumb. */
#include "plain.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool active(const RunRow *r)
{
    return r->status == RUN_SCHEDULED || r->status == RUN_RUNNING || r->status == RUN_PAUSED;
}

static void print_datasets(const DatasetRow *row, size_t n)
{
    for (size_t i = n; i-- > 0;)
        printf("dataset %s: %lld rows, %lld columns, %.12s\n", row[i].name, (long long)row[i].rows,
               (long long)row[i].columns, row[i].hash);
}

static void print_run(const RunRow *r)
{
    printf("run %lld %s: %s on %s, %s, step %lld", (long long)r->id, r->name, r->family, r->dataset_name,
           run_status_name(r->status), (long long)r->step);
    if (r->steps_total)
        printf(" of %lld", (long long)r->steps_total);
    if (isfinite(r->best))
        printf(", best %s %.6g at step %lld", r->monitor, r->best, (long long)r->best_step);
    printf("\n");
}

/* Events from the cursor on; the first time only those of runs that go on are news. */
static bool print_events(Store *s, int64_t *cursor, bool say, Error *err)
{
    Arena a = {0};
    EventRow *e;
    size_t n = 0;
    bool ok = store_events_since(s, 0, cursor, &a, &e, &n, err);
    for (size_t i = 0; ok && say && i < n; i++) {
        Text when = {0};
        time_format(e[i].time / 1000000 * 1000000, &when);
        printf("%s run %lld step %lld %s: %.*s\n", text_str(&when), (long long)e[i].run, (long long)e[i].step, e[i].kind,
               (int)strcspn(e[i].text, "\n"), e[i].text);
        text_release(&when);
    }
    fflush(stdout);
    arena_release(&a);
    return ok;
}

static bool any_active(Store *s, bool print, bool *any, Error *err)
{
    Arena a = {0};
    RunRow *row;
    size_t n = 0;
    run_reap(s, NULL);
    bool ok = store_runs(s, &a, &row, &n, err);
    *any = false;
    for (size_t i = n; ok && i-- > 0;) {
        *any |= active(&row[i]);
        if (print)
            print_run(&row[i]);
    }
    arena_release(&a);
    return ok;
}

bool plain_main(const char *workspace, Error *err)
{
    Arena a = {0};
    DatasetRow *row;
    size_t n = 0;
    int64_t cursor = 0;
    bool any = false;
    Store *s = store_open(workspace, STORE_WRITE, err);
    bool ok = s && store_datasets(s, &a, &row, &n, err);
    if (ok)
        print_datasets(row, n);
    ok = ok && any_active(s, true, &any, err) && print_events(s, &cursor, false, err);
    if (ok && !n && !any)
        printf("nothing here yet: lathe ingest FILE as=NAME, lathe train FAMILY data=NAME target=COLUMN\n");
    while (ok && any) {
        usleep(250000);
        ok = print_events(s, &cursor, true, err) && any_active(s, false, &any, err);
    }
    ok = ok && print_events(s, &cursor, true, err);
    store_close(s);
    arena_release(&a);
    return ok;
}
