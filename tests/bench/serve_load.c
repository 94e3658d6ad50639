/* serve_load -- the server under load: one-row requests to an mlp 16-128-128-1 with every prediction logged.
 *
 *     bench_serve_load [seconds [soak-seconds]]
 *
 * `lathe serve deployment=load` runs as a process of its own, wrk (Debian's) asks it over loopback with keep-alive.
 * Printed: requests a second at full load; p99 at about half of that; the same while the deployment goes through
 * shadow, canary steps, green and back twice a second, with the number of requests that failed, which has to be 0;
 * how the server's memory grew; processor microseconds a request, which other work on the machine changes least, the
 * server's and wrk's; then the same of Python servers (serve_peer.py) and how many times ours is as fast.
 *
 * wrk shares the cores with the server. What it takes for a request is the same before every server, a good part of
 * what ours takes and next to nothing of what a Python server takes: so the ratio of requests is lower than that of
 * the servers' own processor time, which is printed beside it. */
#include <lathe/serve.h>
#include <lathe/train.h>

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROWS = 20000, INPUTS = 16, BODIES = 500 };

typedef struct World {
    char dir[64];
    Store *s;
    Arena a;
    int64_t model[2];
    char lua[96];
} World;

typedef struct Load {
    double rate, p50, p99; /* ms */
    uint64_t requests, failed;
    double asking; /* processor seconds of wrk */
    double took;   /* seconds */
} Load;

typedef struct Process {
    pid_t pid;
    FILE *out;
    char address[80];
} Process;

static void must(bool ok, const Error *err)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

/* ---- something to serve -------------------------------------------------------------------------------- */

static void add_table(World *w)
{
    Error err = {0};
    Schema schema = {0};
    ColumnBuild *b[INPUTS + 1];
    Column column[INPUTS + 1];
    ColumnRow rows[INPUTS + 1];
    char hash[65], path[96];
    Rng rng;
    rng_seed(&rng, 1, 0);
    for (int i = 0; i <= INPUTS; i++) {
        const char *name = i < INPUTS ? arena_printf(&w->a, "c%d", i) : "y";
        schema_add(&schema, name, COLUMN_REAL, ROLE_FEATURE);
        b[i] = column_build(&w->a, name, COLUMN_REAL, ROWS);
        rows[i] = (ColumnRow){.name = name, .type = "float64", .role = "feature"};
    }
    for (int row = 0; row < ROWS; row++) {
        double sum = 0;
        for (int i = 0; i < INPUTS; i++) {
            double v = rng_normal(&rng);
            sum += i % 3 ? v : sin(2 * v);
            column_build_real(b[i], v);
        }
        column_build_real(b[INPUTS], sum);
    }
    for (int i = 0; i <= INPUTS; i++)
        column_build_finish(b[i], &column[i]);
    snprintf(path, sizeof path, "%s/datasets", w->dir);
    DatasetWriter *out = dataset_writer_create(path, &schema, NULL, &err);
    Chunk c = {.rows = ROWS, .columns = INPUTS + 1, .column = column};
    must(out && dataset_writer_add(out, &c, &err) && dataset_writer_finish(out, hash, &err), &err);
    dataset_writer_destroy(out);
    DatasetRow row = {
        .hash = hash, .name = "made", .source = "made", .rows = ROWS, .columns = INPUTS + 1};
    must(store_dataset_add(w->s, &row, rows, INPUTS + 1, &err), &err);
    schema_release(&schema);
}

static int64_t train(World *w, uint64_t seed)
{
    Error err = {0};
    RunSpec spec;
    ModelRow row;
    char name[24];
    run_spec_init(&spec, model_family("mlp"));
    spec.dataset = "made";
    spec.target = "y";
    spec.seed = (int64_t)seed;
    must(run_spec_set(&spec, "hidden", "128,128", &err) && run_spec_set(&spec, "epochs", "1", &err),
         &err);
    int64_t run = run_submit(w->s, &spec, &err);
    must(run && run_execute(w->s, run, NULL, NULL, NULL, NULL, &err), &err);
    run_spec_release(&spec);
    snprintf(name, sizeof name, "%lld", (long long)run);
    must(store_model_find(w->s, name, &w->a, &row, &err), &err);
    return row.id;
}

static void make_world(World *w)
{
    Error err = {0};
    strcpy(w->dir, "/tmp/lathe-load-XXXXXX");
    if (!mkdtemp(w->dir) || !(w->s = store_open(w->dir, STORE_WRITE, &err)))
        must(false, &err);
    add_table(w);
    w->model[0] = train(w, 1);
    w->model[1] = train(w, 2);
    DeploymentRow row = {
        .name = "load", .state = "live", .model = w->model[0], .settings = "{\"log_mb\": 256}"};
    must(store_deployment_add(w->s, &row, "bench", &err), &err);
}

/* What wrk sends: BODIES different rows in dataframe_split. delay: ms between two of a connection; 0: none. */
static void write_script(World *w, int delay)
{
    snprintf(w->lua, sizeof w->lua, "%s/ask.lua", w->dir);
    FILE *out = fopen(w->lua, "w");
    Rng rng;
    rng_seed(&rng, 9, 0);
    fprintf(out, "local bodies = {\n");
    for (int k = 0; k < BODIES; k++) {
        fprintf(out, "'{\"dataframe_split\":{\"columns\":[");
        for (int i = 0; i < INPUTS; i++)
            fprintf(out, "%s\"c%d\"", i ? "," : "", i);
        fprintf(out, "],\"data\":[[");
        for (int i = 0; i < INPUTS; i++)
            fprintf(out, "%s%.6g", i ? "," : "", rng_normal(&rng));
        fprintf(out, "]]}}',\n");
    }
    fprintf(out, "}\nlocal made, at = {}, 0\n"
                 "init = function()\n  for i, b in ipairs(bodies) do\n"
                 "    made[i] = wrk.format('POST', '/invocations', {['Content-Type'] = "
                 "'application/json'}, b)\n"
                 "  end\nend\n"
                 "request = function()\n  at = at %% #made + 1\n  return made[at]\nend\n");
    if (delay)
        fprintf(out, "delay = function()\n  return math.random(1, %d)\nend\n", 2 * delay - 1);
    fprintf(
        out,
        "done = function(summary, latency)\n  local e = summary.errors\n"
        "  print(string.format('RESULT %%d %%d %%d %%.3f %%.3f', summary.requests, "
        "summary.duration,\n"
        "    e.connect + e.read + e.write + e.timeout + e.status, latency:percentile(50) / 1000,\n"
        "    latency:percentile(99) / 1000))\nend\n");
    fclose(out);
}

/* ---- servers and load --------------------------------------------------------------------------------------- */

static bool spawn(Process *p, const char *const *words)
{
    int ends[2];
    char line[512];
    if (pipe(ends) != 0)
        return false;
    p->pid = fork();
    if (p->pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execvp(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
    close(ends[1]);
    p->out = fdopen(ends[0], "r");
    while (fgets(line, sizeof line, p->out)) {
        char *at = strstr(line, "http://");
        if (!at)
            continue;
        snprintf(p->address, sizeof p->address, "%.*s", (int)strcspn(at, " \n"), at);
        return true;
    }
    return false;
}

static void finish(Process *p)
{
    int status;
    kill(p->pid, SIGTERM);
    waitpid(p->pid, &status, 0);
    fclose(p->out);
}

static double cpu_of_one(long pid)
{
    char path[64];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *in = fopen(path, "r");
    if (in && fscanf(in, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                     &system) != 2)
        user = system = 0;
    if (in)
        fclose(in);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* With its children: the peers are two processes, one a core. */
static double cpu_of(pid_t pid)
{
    char path[64];
    long child;
    double sum = cpu_of_one(pid);
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *in = fopen(path, "r");
    while (in && fscanf(in, "%ld", &child) == 1)
        sum += cpu_of_one(child);
    if (in)
        fclose(in);
    return sum;
}

static double memory_of(pid_t pid)
{
    char path[64], line[200];
    double kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *in = fopen(path, "r");
    while (in && fgets(line, sizeof line, in))
        sscanf(line, "VmRSS: %lf", &kb);
    if (in)
        fclose(in);
    return kb / 1024;
}

static double cpu_of_askers(void)
{
    struct rusage u;
    getrusage(RUSAGE_CHILDREN, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static Load ask(const World *w, const Process *p, int connections, double seconds)
{
    char command[400], line[400];
    Load out = {0};
    double micros = 1, before = cpu_of_askers();
    snprintf(command, sizeof command,
             "wrk -t1 -c%d -d%.0fs --timeout 10s -s %s %s/invocations 2>&1", connections, seconds,
             w->lua, p->address);
    FILE *in = popen(command, "r"); // NOLINT: our own words
    while (in && fgets(line, sizeof line, in)) {
        unsigned long long requests, failed;
        if (sscanf(line, "RESULT %llu %lf %llu %lf %lf", &requests, &micros, &failed, &out.p50,
                   &out.p99) == 5) {
            out.requests = requests;
            out.failed = failed;
        }
    }
    if (in)
        pclose(in);
    out.asking = cpu_of_askers() - before;
    out.took = micros * 1e-6;
    out.rate = (double)out.requests / out.took;
    return out;
}

static void show(const char *what, const Load *l, double cpu)
{
    printf("  %-28s %9.0f requests/s   p50 %6.2f ms   p99 %6.2f ms   failed %llu   %6.1f us "
           "processor each, wrk %.1f\n",
           what, l->rate, l->p50, l->p99, (unsigned long long)l->failed,
           l->requests ? 1e6 * cpu / (double)l->requests : 0.0,
           l->requests ? 1e6 * l->asking / (double)l->requests : 0.0);
    fflush(stdout);
}

typedef struct Mover {
    World *w;
    Store *s;
    atomic_bool stop;
    int moves;
} Mover;

static void *move(void *arg)
{
    static const struct {
        const char *state;
        double percent;
    } step[] = {{"shadow", 0},  {"canary", 5}, {"canary", 25},
                {"canary", 50}, {"green", 0},  {"live", 0}};
    Mover *m = arg;
    for (; !m->stop; m->moves++) {
        Error err = {0};
        Arena a = {0};
        DeploymentRow row;
        must(store_deployment_find(m->s, "load", &a, &row, &err), &err);
        row.state = step[m->moves % 6].state;
        row.percent = step[m->moves % 6].percent;
        row.candidate = m->moves % 6 == 5 ? 0 : m->w->model[1];
        must(store_deployment_change(m->s, &row, "bench", row.state, "", &err), &err);
        arena_release(&a);
        nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
    }
    return NULL;
}

/* What the log itself says of all the requests. */
static void show_log(World *w)
{
    Error err = {0};
    TrafficRow *row;
    size_t n;
    int64_t requests = 0, dropped = 0, shadows = 0;
    PredictionLog *log = prediction_log_open(w->dir, STORE_READ, &err);
    must(log && prediction_log_traffic_since(log, NULL, 0, &w->a, &row, &n, &err), &err);
    for (size_t i = 0; i < n; i++) {
        requests += row[i].shadow ? 0 : row[i].requests;
        *(row[i].shadow ? &shadows : &dropped) += row[i].dropped;
    }
    printf(
        "  %lld requests in the table traffic, %lld predictions not logged, %lld not asked of the "
        "shadow\n",
        (long long)requests, (long long)dropped, (long long)shadows);
    prediction_log_close(log);
}

static Load ours(World *w, double seconds, double soak)
{
    Process p;
    Error err = {0};
    pthread_t mover;
    char dir[80];
    snprintf(dir, sizeof dir, "%s", w->dir);
    const char *words[] = {LATHE_PROGRAM,        "-w", dir, "serve", "deployment=load",
                           "listen=127.0.0.1:0", NULL};
    if (!spawn(&p, words))
        must(false, &(Error){.text = "lathe serve does not start"});
    write_script(w, 0);
    ask(w, &p, 32, 2);
    double memory = memory_of(p.pid), cpu = cpu_of(p.pid);
    Load full = ask(w, &p, 32, seconds);
    show("lathe serve, logged", &full, cpu_of(p.pid) - cpu);
    int delay = 4; /* each of the connections asks every 4 ms or so */
    write_script(w, delay);
    int connections = (int)(full.rate / 2 * (delay + 0.5) / 1000) + 1;
    cpu = cpu_of(p.pid);
    Load half = ask(w, &p, connections, seconds);
    show("at about half of it", &half, cpu_of(p.pid) - cpu);
    Mover m = {.w = w, .s = store_open(w->dir, STORE_WRITE, &err)};
    must(m.s && pthread_create(&mover, NULL, move, &m) == 0, &err);
    write_script(w, 0);
    cpu = cpu_of(p.pid);
    Load moved = ask(w, &p, 32, seconds);
    m.stop = true;
    pthread_join(mover, NULL);
    store_close(m.s);
    show("while the routing changes", &moved, cpu_of(p.pid) - cpu);
    write_script(w, 4);
    for (int part = 1; soak > 0 && part <= 10;
         part++) { /* ten connections: for long, not for fast */
        Load l = ask(w, &p, 10, soak / 10);
        printf("  soak, part %2d of 10: %9.0f requests/s   failed %llu   memory %.1f MB\n", part,
               l.rate, (unsigned long long)l.failed, memory_of(p.pid));
        fflush(stdout);
        moved.failed += l.failed;
    }
    printf("  %d changes of the routing; memory %.1f MB before, %.1f MB after\n", m.moves, memory,
           memory_of(p.pid));
    finish(&p);
    show_log(w);
    full.failed += half.failed + moved.failed;
    return full;
}

static void peer(World *w, const char *kind, const Load *own, double own_cpu)
{
    Process p;
    char words_script[400];
    snprintf(words_script, sizeof words_script, "%s/tests/bench/serve_peer.py", LATHE_SOURCE_DIR);
    char kind_copy[32];
    snprintf(kind_copy, sizeof kind_copy, "%s", kind);
    const char *words[] = {access("/usr/bin/python3", X_OK) ? "python3" : "/usr/bin/python3",
                           words_script, kind_copy, NULL};
    if (!spawn(&p, words)) {
        int status;
        waitpid(p.pid, &status, 0);
        fclose(p.out);
        printf("  %-28s is not installed\n", kind);
        return;
    }
    write_script(w, 0);
    ask(w, &p, 32, 1);
    double cpu = cpu_of(p.pid);
    Load l = ask(w, &p, 32, 5);
    cpu = cpu_of(p.pid) - cpu;
    show(kind, &l, cpu);
    double each = l.requests ? cpu / (double)l.requests : (double)NAN;
    printf("    %.2f processors busy with it; ours: %.1f times the requests, %.1f times less "
           "processor each\n",
           cpu / l.took, own->rate / l.rate, each / own_cpu);
    finish(&p);
}

int main(int argc, char **argv)
{
    World w = {0};
    double seconds = argc > 1 ? atof(argv[1]) : 8, soak = argc > 2 ? atof(argv[2]) : 0;
    if (system("command -v wrk >/dev/null") != 0) { // NOLINT
        printf("serve_load: wrk is not installed; left out\n");
        return 0;
    }
    make_world(&w);
    printf("serve_load: mlp 16-128-128-1, one row a request, wrk with 32 connections\n");
    Process probe;
    char dir[80];
    snprintf(dir, sizeof dir, "%s", w.dir);
    Load own = ours(&w, seconds, soak);
    /* processor time of a request, once more and alone, for the ratio */
    const char *words[] = {LATHE_PROGRAM,        "-w", dir, "serve", "deployment=load",
                           "listen=127.0.0.1:0", NULL};
    if (!spawn(&probe, words))
        return 1;
    write_script(&w, 0);
    ask(&w, &probe, 32, 1);
    double cpu = cpu_of(probe.pid);
    Load again = ask(&w, &probe, 32, 4);
    cpu = (cpu_of(probe.pid) - cpu) / (double)(again.requests ? again.requests : 1);
    finish(&probe);
    static const char *const peers[] = {"uvicorn-torch",        "uvicorn-sklearn",
                                        "http.server-torch",    "http.server-sklearn",
                                        "gunicorn-flask-torch", "gunicorn-flask-sklearn"};
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
        peer(&w, peers[i], &own, cpu);
    store_close(w.s);
    arena_release(&w.a);
    dir_remove(w.dir, NULL);
    return own.failed ? 1 : 0;
}
