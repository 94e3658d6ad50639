/* watch.c -- a thread that looks at the store and hands over what is known of it.
 *
 * Four times a second while a run is active, else once: PRAGMA data_version says whether anyone wrote,
 * and only then is anything read. The newest snapshot lies in one atomic place. */
#include "tui_int.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

struct Watch {
    char *workspace;
    int wake;
    pthread_t thread;
    bool running;
    sem_t look;
    atomic_bool stop;
    _Atomic(Snapshot *) fresh;
};

void snapshot_destroy(Snapshot *s)
{
    if (!s)
        return;
    arena_release(&s->arena);
    mem_free(s);
}

bool run_is_active(const RunRow *r)
{
    return r->status == RUN_SCHEDULED || r->status == RUN_RUNNING || r->status == RUN_PAUSED;
}

const DatasetRow *snapshot_dataset(const Snapshot *s, const char *hash_or_name)
{
    if (!hash_or_name || !*hash_or_name)
        return NULL;
    for (size_t i = 0; i < s->datasets; i++)
        if (text_equal(s->dataset[i].hash, hash_or_name) ||
            text_equal(s->dataset[i].name, hash_or_name))
            return &s->dataset[i];
    return NULL;
}

const RunRow *snapshot_run(const Snapshot *s, int64_t id)
{
    for (size_t i = 0; i < s->runs; i++)
        if (s->run[i].id == id)
            return &s->run[i];
    return NULL;
}

double snapshot_seconds_left(const Snapshot *s, int64_t run)
{
    for (size_t i = 0; i < s->runs; i++) {
        const RunRow *r = &s->run[i];
        if (r->id == run)
            return r->status == RUN_RUNNING && r->steps_total > r->step
                       ? (double)(r->steps_total - r->step) / s->pace[i]
                       : (double)NAN;
    }
    return (double)NAN;
}

static void read_pace(Store *store, Snapshot *s)
{
    s->pace = ARENA_NEW(&s->arena, double, s->runs + 1);
    for (size_t i = 0; i < s->runs; i++)
        s->pace[i] = s->run[i].status == RUN_RUNNING ? store_run_pace(store, s->run[i].id) : (double)NAN;
}

static Snapshot *snapshot_read(Store *store, uint64_t number)
{
    Snapshot *s = mem_alloc(sizeof *s);
    Error err = {0};
    s->number = number;
    bool ok = store_datasets(store, &s->arena, &s->dataset, &s->datasets, &err) &&
              store_runs(store, &s->arena, &s->run, &s->runs, &err) &&
              store_drifts(store, &s->arena, &s->drift, &s->drifts, &err) &&
              store_models(store, &s->arena, &s->model, &s->models, &err) &&
              store_alerts(store, true, 100, &s->arena, &s->alert, &s->alerts, &err);
    read_pace(store, s);
    struct statvfs disk;
    if (statvfs(store_dir(store), &disk) == 0) {
        s->disk_free = (double)disk.f_bavail * (double)disk.f_frsize;
        s->disk_total = (double)disk.f_blocks * (double)disk.f_frsize;
    }
    if (!ok)
        s->error = arena_text(&s->arena, err.text);
    return s;
}

static void hand_over(Watch *w, Snapshot *s)
{
    snapshot_destroy(atomic_exchange(&w->fresh, s));
    uint64_t one = 1;
    ssize_t n = write(w->wake, &one, sizeof one);
    (void)n;
}

static bool any_active(const Snapshot *s)
{
    for (size_t i = 0; i < s->runs; i++)
        if (run_is_active(&s->run[i]))
            return true;
    return false;
}

static bool sleep_until_asked(Watch *w, int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    int r;
    while ((r = sem_timedwait(&w->look, &until)) && errno == EINTR)
        ;
    while (!sem_trywait(&w->look))
        r = 0;
    return r == 0;
}

static Store *open_store(const char *dir, Error *err)
{
    Store *s = store_open(dir, STORE_WRITE, err);
    if (!s) {
        Error again = {0};
        s = store_open(dir, STORE_READ, &again); /* read-only: may be looked at */
    }
    return s;
}

static void *watch_main(void *context)
{
    Watch *w = context;
    Store *store = NULL;
    int64_t seen = -1;
    uint64_t number = 0;
    bool active = false;
    int beats = 0;
    while (!atomic_load(&w->stop)) {
        Error err = {0};
        if (!store && !(store = open_store(w->workspace, &err))) {
            Snapshot *s = mem_alloc(sizeof *s);
            s->number = ++number;
            s->error = arena_text(&s->arena, err.text);
            hand_over(w, s);
            sleep_until_asked(w, 2000);
            continue;
        }
        if (active && ++beats % 8 == 0)
            run_reap(store, &err);
        int64_t version = store_version_seen(store);
        if (version != seen || number == 0) {
            seen = version;
            Snapshot *s = snapshot_read(store, ++number);
            active = any_active(s);
            hand_over(w, s);
        }
        if (sleep_until_asked(w, active ? 250 : 1000))
            seen = -1; /* asked: our own threads may have written */
    }
    store_close(store);
    return NULL;
}

Watch *watch_start(const char *workspace, int wake)
{
    Watch *w = mem_alloc(sizeof *w);
    w->workspace = text_copy(workspace);
    w->wake = wake;
    sem_init(&w->look, 0, 0);
    w->running = pthread_create(&w->thread, NULL, watch_main, w) == 0;
    return w;
}

void watch_stop(Watch *w)
{
    if (!w)
        return;
    atomic_store(&w->stop, true);
    sem_post(&w->look);
    if (w->running)
        pthread_join(w->thread, NULL);
    snapshot_destroy(atomic_load(&w->fresh));
    sem_destroy(&w->look);
    mem_free(w->workspace);
    mem_free(w);
}

void watch_look(Watch *w)
{
    sem_post(&w->look);
}

Snapshot *watch_take(Watch *w)
{
    return atomic_exchange(&w->fresh, NULL);
}
