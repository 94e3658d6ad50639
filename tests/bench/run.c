/* run.c -- what a run costs beyond its steps: gathering, recording, looking for commands, being watched.
 *
 *     bench_run [seconds a run]
 *
 * The same rows, net and batches three times: as a bare loop of gather and model_step; as a run with its
 * store, curves, validation and checkpoints; and as a run whose curves a screen shows meanwhile (the
 * program on a terminal, pane Train). In turns, the best of each counts. The run's time is that of its
 * training loop, so reading, fitting and the test at the end are not in it; validation is, of one row in a
 * hundred. Rows a second are by the clock; the costs are of processor time, which other work on the machine
 * does not change much: of the run against the bare loop, and of the screen as a
 * share of what the run's threads have. */
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

typedef struct Rate {
    double clock, processor; /* rows a second */
} Rate;

static double spent_by(pid_t pid)
{
    clockid_t clock;
    struct timespec t = {0};
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Gather and step alone, on a job that is opened like the run's. */
static Rate bare(Store *s, int64_t run, Pool *pool, int epochs, Error *err)
{
    Job *j = mem_alloc(sizeof *j);
    if (!job_open(j, s, run, pool, err) || !job_model(j, (size_t)j->spec.params.batch, err))
        return (Rate){0};
    const Batch *from = &j->table.part[PART_TRAIN];
    const ModelShape *shape = features_shape(j->features);
    size_t rows = 0;
    double start = clock_now(), spent = spent_by(getpid());
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
            return (Rate){0};
        rows += n;
    }
    Rate rate = {(double)rows / (clock_now() - start), (double)rows / (spent_by(getpid()) - spent)};
    job_close(j);
    mem_free(j);
    return rate;
}

/* When and at which processor time the loop began, and its last epoch ended. */
typedef struct Loop {
    double clock[2], processor[2];
    int64_t epochs;
} Loop;

static void take_times(void *context, const RunNews *news)
{
    Loop *l = context;
    bool begin = text_equal(news->kind, "start");
    if (!begin && !text_equal(news->kind, "epoch"))
        return;
    l->clock[!begin] = clock_now();
    l->processor[!begin] = spent_by(getpid());
    l->epochs = news->epoch;
}

static Rate whole(Store *s, int64_t run, Pool *pool, Error *err)
{
    Loop l = {0};
    if (!run_execute(s, run, pool, take_times, &l, NULL, err))
        return (Rate){0};
    double rows = .99 * ROWS * (double)l.epochs;
    return (Rate){rows / (l.clock[1] - l.clock[0]), rows / (l.processor[1] - l.processor[0])};
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
    Rate bare, run, watched;
    double screen; /* its processor time, as a share of what the machine has meanwhile */
    size_t bytes;
} Rates;

static void keep(Rate *best, Rate now)
{
    best->clock = fmax(best->clock, now.clock);
    best->processor = fmax(best->processor, now.processor);
}

static bool watched_run(Store *s, const char *dir, int64_t run, Pool *pool, Rates *r, Error *err)
{
    Screen screen;
    if (!screen_begin(&screen, dir))
        return error_set(err, ERROR_IO, "no screen");
    double before = clock_now();
    Rate rate = whole(s, run, pool, err);
    double machine = (clock_now() - before) * (double)pool_threads(pool);
    double share = screen_end(&screen) / machine;
    if (r->screen == 0 || share < r->screen) {
        r->screen = share;
        r->bytes = screen.bytes;
    }
    keep(&r->watched, rate);
    return rate.clock > 0;
}

static bool turn(Store *s, const char *dir, int batch, double seconds, Pool *pool, Rates *r,
                 Error *err)
{
    int64_t run = submit(s, batch, 2, err);
    Rate rate = run ? bare(s, run, pool, 2, err) : (Rate){0};
    int epochs = 1 + (int)(seconds * rate.clock / ROWS); /* that take so long */
    run = rate.clock > 0 ? submit(s, batch, epochs, err) : 0;
    if (!run)
        return false;
    keep(&r->bare, bare(s, run, pool, epochs, err));
    keep(&r->run, rate = whole(s, run, pool, err));
    run = rate.clock > 0 ? submit(s, batch, epochs, err) : 0;
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
    printf("%6s %12s %12s %12s %14s %14s %9s\n", "batch", "bare rows/s", "run", "watched",
           "cost of run", "of screen", "painted");
    for (size_t i = 0; ok && i < 3; i++) {
        Rates r = {0};
        for (int t = 0; ok && t < TURNS; t++)
            ok = turn(s, dir, batches[i], seconds, pool, &r, &err);
        printf("%6d %12.0f %12.0f %12.0f %13.1f%% %13.2f%% %6zu KB\n", batches[i], r.bare.clock,
               r.run.clock, r.watched.clock, 100 * (1 - r.run.processor / r.bare.processor),
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
