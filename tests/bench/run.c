/* run.c -- what a run costs beyond its steps: gathering, recording, looking for commands, being watched.
 *
 *     bench_run [seconds a run]
 *
 * The same rows, net and batches three times: as a bare loop of gather and model_step; as a run with its
 * store, curves, validation and checkpoints; and as a run whose curves a screen shows meanwhile (the
 * program on a terminal, pane Train). In turns, the best of each counts. The run's time is that of its
 * training loop (wall of the last point), so reading, fitting and the test at the end are not in it;
 * validation is, of one row in a hundred. screen: the processor time that the screen takes while the run
 * trains, as a share of the run's, whether or not a core is free for it. */
#include "train/train_int.h"

#include <math.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROWS = 60000, COLUMNS = 16, TURNS = 3 };

static bool add_table(Store *s, Pool *pool, Error *err)
{
    Schema schema = {0};
    Arena a = {0};
    Rng r;
    ColumnBuild *b[COLUMNS + 1];
    Column column[COLUMNS + 1];
    ColumnRow rows[COLUMNS + 1];
    char name[COLUMNS + 1][16], hash[65];
    rng_seed(&r, 1, 0);
    for (int i = 0; i <= COLUMNS; i++) {
        snprintf(name[i], sizeof name[i], i < COLUMNS ? "x%d" : "y", i);
        schema_add(&schema, name[i], COLUMN_REAL, ROLE_FEATURE);
        b[i] = column_build(&a, name[i], COLUMN_REAL, ROWS);
        rows[i] = (ColumnRow){.name = name[i], .type = "float64", .role = "feature"};
    }
    for (int row = 0; row < ROWS; row++) {
        double sum = 0;
        for (int i = 0; i < COLUMNS; i++) {
            double x = rng_normal(&r);
            sum += i % 3 ? x * (i + 1) : x * x;
            column_build_real(b[i], x);
        }
        column_build_real(b[COLUMNS], sum + rng_normal(&r));
    }
    for (int i = 0; i <= COLUMNS; i++)
        column_build_finish(b[i], &column[i]);
    Chunk c = {.rows = ROWS, .columns = COLUMNS + 1, .column = column};
    DatasetWriter *w = dataset_writer_create(store_path(s, &a, "datasets"), &schema, pool, err);
    bool ok = w && dataset_writer_add(w, &c, err) && dataset_writer_finish(w, hash, err);
    dataset_writer_destroy(w);
    DatasetRow row = {.hash = hash, .name = "made", .rows = ROWS, .columns = COLUMNS + 1};
    ok = ok && store_dataset_add(s, &row, rows, COLUMNS + 1, err);
    schema_release(&schema);
    arena_release(&a);
    return ok;
}

static int64_t submit(Store *s, int batch, int epochs, Error *err)
{
    RunSpec spec;
    char text[32];
    run_spec_init(&spec, model_family("mlp"));
    spec.dataset = "made", spec.target = "y", spec.split = "99/1/0";
    snprintf(text, sizeof text, "%d", batch);
    run_spec_set(&spec, "batch", text, err);
    snprintf(text, sizeof text, "%d", epochs);
    run_spec_set(&spec, "epochs", text, err);
    run_spec_set(&spec, "hidden", "128,128", err);
    run_spec_set(&spec, "patience", "0", err);
    int64_t run = run_submit(s, &spec, err);
    run_spec_release(&spec);
    return run;
}

/* Rows a second of gather and step alone, on a job that is opened like the run's. */
static double bare(Store *s, int64_t run, Pool *pool, int epochs, Error *err)
{
    Job *j = mem_alloc(sizeof *j);
    if (!job_open(j, s, run, pool, err) || !job_model(j, (size_t)j->spec.params.batch, err))
        return 0;
    const Batch *from = &j->table.part[PART_TRAIN];
    const ModelShape *shape = features_shape(j->features);
    size_t rows = 0;
    double start = clock_now();
    while (j->sampler.epoch < epochs) {
        const uint32_t *order;
        size_t n = sampler_next(&j->sampler, (size_t)j->spec.params.batch, &order);
        for (size_t i = 0; i < n; i++) {
            memcpy(j->dense + i * shape->dense, from->dense + order[i] * shape->dense,
                   shape->dense * sizeof(float));
            j->target[i] = from->target[order[i]];
        }
        Batch b = {.rows = n, .dense = j->dense, .code = j->code, .target = j->target};
        Knobs k = {.lr = 1e-3,
                   .dropout = j->spec.params.dropout,
                   .weight_decay = j->spec.params.weight_decay};
        StepStats stats;
        if (!model_step(j->model, &b, &k, &stats, err))
            return 0;
        rows += n;
    }
    double rate = (double)rows / (clock_now() - start);
    job_close(j);
    mem_free(j);
    return rate;
}

static double whole(Store *s, int64_t run, Pool *pool, Error *err)
{
    Arena a = {0};
    RunRow r;
    MetricPoint *p;
    size_t n;
    double wall = 0, rate = 0;
    if (run_execute(s, run, pool, NULL, NULL, NULL, err) && store_run_get(s, run, &a, &r, err) &&
        store_metrics_last(s, run, &a, &p, &n, err)) {
        for (size_t i = 0; i < n; i++)
            if (p[i].wall > wall && !text_starts(p[i].key, "test_"))
                wall = p[i].wall;
        rate = .99 * ROWS * (double)r.epoch / wall;
    }
    arena_release(&a);
    return rate;
}

/* ---- a screen that watches ------------------------------------------------------------------------ */

typedef struct Screen {
    pid_t pid;
    int fd;
    pthread_t reader;
    size_t bytes;
    double spent; /* processor seconds when the run begins */
} Screen;

static void *read_all(void *arg)
{
    Screen *s = arg;
    char bytes[65536];
    for (ssize_t n; (n = read(s->fd, bytes, sizeof bytes)) > 0;)
        s->bytes += (size_t)n;
    return NULL;
}

static double spent_by(pid_t pid)
{
    clockid_t clock;
    struct timespec t = {0};
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool screen_begin(Screen *s, const char *workspace)
{
    struct winsize size = {.ws_row = 40, .ws_col = 140};
    *s = (Screen){0};
    s->pid = forkpty(&s->fd, NULL, NULL, &size);
    if (s->pid == 0) {
        setenv("TERM", "xterm-256color", 1);
        execl(LATHE_PROGRAM, LATHE_PROGRAM, "-w", workspace, (char *)NULL);
        _exit(127);
    }
    if (s->pid < 0 || pthread_create(&s->reader, NULL, read_all, s) != 0)
        return false;
    usleep(800000); /* it is up */
    bool ok = write(s->fd, "4", 1) == 1;
    usleep(300000);
    s->spent = spent_by(s->pid);
    return ok;
}

/* Processor seconds since the run began. */
static double screen_end(Screen *s)
{
    double spent = spent_by(s->pid) - s->spent;
    kill(s->pid, SIGTERM);
    waitpid(s->pid, NULL, 0);
    pthread_join(s->reader, NULL);
    close(s->fd);
    return spent;
}

typedef struct Rates {
    double bare, run, watched, screen; /* rows/s; the screen's share of processor time */
    size_t bytes;
} Rates;

static bool watched_run(Store *s, const char *dir, int64_t run, Pool *pool, Rates *r, Error *err)
{
    Screen screen;
    if (!screen_begin(&screen, dir))
        return error_set(err, ERROR_IO, "no screen");
    double before = spent_by(getpid());
    double rate = whole(s, run, pool, err), ours = spent_by(getpid()) - before;
    double theirs = screen_end(&screen);
    if (rate > r->watched) {
        r->watched = rate;
        r->screen = theirs / ours;
        r->bytes = screen.bytes;
    }
    return rate > 0;
}

static bool turn(Store *s, const char *dir, int batch, double seconds, Pool *pool, Rates *r,
                 Error *err)
{
    int64_t run = submit(s, batch, 2, err);
    double first = run ? bare(s, run, pool, 2, err) : 0; /* how many epochs take so long */
    int epochs = 1 + (int)(seconds * first / ROWS);
    run = first > 0 ? submit(s, batch, epochs, err) : 0;
    double steps = run ? bare(s, run, pool, epochs, err) : 0;
    double all = steps > 0 ? whole(s, run, pool, err) : 0;
    run = all > 0 ? submit(s, batch, epochs, err) : 0;
    r->bare = fmax(r->bare, steps);
    r->run = fmax(r->run, all);
    return run && watched_run(s, dir, run, pool, r, err);
}

int main(int argc, char **argv)
{
    Error err = {0};
    double seconds = argc > 1 ? atof(argv[1]) : 3;
    char dir[] = "/tmp/lathe-bench-XXXXXX";
    Pool *pool = pool_create(0);
    Store *s = mkdtemp(dir) ? store_open(dir, STORE_WRITE, &err) : NULL;
    bool ok = s && add_table(s, pool, &err);
    static const int batches[] = {64, 256, 1024};
    printf("%6s %12s %12s %7s %12s %7s %8s %9s\n", "batch", "bare rows/s", "run", "cost", "watched",
           "cost", "screen", "painted");
    for (size_t i = 0; ok && i < 3; i++) {
        Rates r = {0};
        for (int t = 0; ok && t < TURNS; t++)
            ok = turn(s, dir, batches[i], seconds, pool, &r, &err);
        printf("%6d %12.0f %12.0f %6.1f%% %12.0f %6.1f%% %7.2f%% %6zu KB\n", batches[i], r.bare,
               r.run, 100 * (1 - r.run / r.bare), r.watched, 100 * (1 - r.watched / r.run),
               100 * r.screen, r.bytes / 1024);
        fflush(stdout);
    }
    if (!ok)
        fprintf(stderr, "%s\n", err.text);
    store_close(s);
    pool_destroy(pool);
    dir_remove(dir, NULL);
    return ok ? 0 : 1;
}
