/* train_machine.c -- the strip of the Train pane: how busy the machine and the run's process are, memory, disk and,
 * where nvidia-smi exists, the GPU. Read by a job once a second while a run trains. */
#include "train_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLOT_MACHINE = 3 };

typedef struct MachineAsk {
    int64_t pid;
    bool gpu;
} MachineAsk;

/* Ticks of all cores: busy, and all. */
static void read_processor(MachineNow *m)
{
    FILE *f = fopen("/proc/stat", "r");
    double v[8] = {0};
    int n = f ? fscanf(f, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) : 0;
    for (int i = 0; i < n; i++) {
        m->ticks += v[i];
        m->busy += i == 3 || i == 4 ? 0 : v[i]; /* idle, waiting for the disk */
    }
    if (f)
        fclose(f);
}

static void read_memory(MachineNow *m)
{
    FILE *f = fopen("/proc/meminfo", "r");
    char line[200];
    double kb;
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "MemTotal: %lf", &kb) == 1)
            m->memory = kb * 1024;
        else if (sscanf(line, "MemAvailable: %lf", &kb) == 1)
            m->memory_free = kb * 1024;
    }
    if (f)
        fclose(f);
}

/* The run's own: ticks of processor and resident bytes. */
static void read_process(MachineNow *m, int64_t pid)
{
    char path[64], line[1000];
    double user, system, pages;
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    FILE *f = pid > 0 ? fopen(path, "r") : NULL;
    bool got = f && fgets(line, sizeof line, f);
    if (f)
        fclose(f);
    const char *s = got ? strrchr(line, ')') : NULL; /* the name may hold anything */
    if (s && sscanf(s, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lf %lf %*d %*d %*d %*d %*d %*d %*u %*u %lf",
                    &user, &system, &pages) == 3) {
        m->run_ticks = user + system;
        m->run_memory = pages * (double)sysconf(_SC_PAGESIZE);
    }
}

/* A line a GPU: "37, 4521, 24564"; what a card does not tell is [N/A]. Their mean use, and their memory together. */
static void read_gpu(MachineNow *m)
{
    FILE *f = popen("nvidia-smi --query-gpu=utilization.gpu,memory.used,memory.total --format=csv,noheader,nounits "
                    "2>/dev/null", "re");
    char line[200];
    double use, used, total, sum = 0;
    int cards = 0;
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "%lf, %lf, %lf", &use, &used, &total) == 3) {
            sum += use / 100;
            m->gpu_memory += used * 1048576;
            m->gpu_total += total * 1048576;
            cards++;
        }
    if (cards)
        m->gpu = sum / cards;
    if (f)
        pclose(f);
}

static void *read_machine(JobContext *c, void *input, Error *err)
{
    const MachineAsk *ask = input;
    MachineNow *m = mem_alloc(sizeof *m);
    (void)c;
    (void)err;
    m->time = clock_now();
    m->gpu = (double)NAN;
    read_processor(m);
    read_memory(m);
    read_process(m, ask->pid);
    if (ask->gpu)
        read_gpu(m);
    return m;
}

static void machine_read(void *owner, void *result, const Error *err, Ui *ui)
{
    TrainState *s = owner;
    (void)err;
    if (!result)
        return;
    s->machine_before = s->machine;
    s->machine = *(MachineNow *)result;
    mem_free(result);
    ui_draw(ui);
}

/* Somewhere on the PATH, as the shell would find it. */
static bool has_gpu(void)
{
    char path[600];
    const char *at = getenv("PATH");
    for (; at && *at; at += strcspn(at, ":"), at += *at == ':') {
        snprintf(path, sizeof path, "%.*s/nvidia-smi", (int)strcspn(at, ":"), at);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

void train_machine_read(TrainState *s)
{
    const RunRow *run = train_run(s);
    if (!run || run->status != RUN_RUNNING || ui_now(s->ui) - s->machine_asked < 1 ||
        ui_job_running(s->ui, s, SLOT_MACHINE))
        return;
    s->machine_asked = ui_now(s->ui);
    MachineAsk ask = {.pid = run->pid, .gpu = has_gpu()};
    ui_job(s->ui, (Job){.owner = s, .slot = SLOT_MACHINE, .run = read_machine, .input = mem_copy(&ask, sizeof ask),
                        .done = machine_read, .quiet = true, .urgent = true});
}

/* ---- drawing --------------------------------------------------------------------------------------------- */

#define GAUGES 4
#define BAR    8

typedef struct Gauge {
    const char *label;
    double share;
    Text text, own; /* of the machine; of the run alone */
} Gauge;

static void add_share(Text *t, double share)
{
    text_printf(t, "%.0f%%", 100 * share);
}

static void add_processor(const MachineNow *m, const MachineNow *b, Gauge *g)
{
    double all = (m->busy - b->busy) / (m->ticks - b->ticks), own = (m->run_ticks - b->run_ticks) / (m->ticks - b->ticks);
    *g = (Gauge){.label = "processor", .share = all};
    add_share(&g->text, all);
    if (own >= 0 && m->run_ticks > 0) {
        text_puts(&g->own, ", this run ");
        add_share(&g->own, own);
    }
}

static void add_memory(const MachineNow *m, Gauge *g)
{
    *g = (Gauge){.label = "memory", .share = 1 - m->memory_free / m->memory};
    text_add_bytes(&g->text, m->memory - m->memory_free);
    text_puts(&g->text, " of ");
    text_add_bytes(&g->text, m->memory);
    if (m->run_memory > 0) {
        text_puts(&g->own, ", this run ");
        text_add_bytes(&g->own, m->run_memory);
    }
}

static size_t gauges_of(const TrainState *s, Gauge g[GAUGES])
{
    const MachineNow *m = &s->machine, *b = &s->machine_before;
    const Snapshot *snap = ui_snapshot(s->ui);
    size_t n = 0;
    if (b->time > 0 && m->ticks > b->ticks)
        add_processor(m, b, &g[n++]);
    if (m->memory > 0)
        add_memory(m, &g[n++]);
    if (snap->disk_total > 0) {
        g[n] = (Gauge){.label = "disk", .share = 1 - snap->disk_free / snap->disk_total};
        text_add_bytes(&g[n].text, snap->disk_free);
        text_puts(&g[n++].text, " free");
    }
    if (isfinite(m->gpu) && m->gpu_total > 0) {
        g[n] = (Gauge){.label = "GPU", .share = m->gpu};
        add_share(&g[n].text, m->gpu);
        text_putc(&g[n].text, ' ');
        text_add_bytes(&g[n++].text, m->gpu_memory);
    }
    return n;
}

static int gauge_width(const Gauge *g, bool bar, bool own)
{
    return (int)strlen(g->label) + 1 + (bar ? BAR + 1 : 0) + (int)g->text.count + (own ? (int)g->own.count : 0);
}

/* Returns where the next one begins. */
static int draw_gauge(const Canvas *c, int col, const Gauge *g, bool bar, bool own)
{
    Style full = g->share > 0.95 ? STYLE_BAD : g->share > 0.85 ? STYLE_WARN : STYLE_BAR;
    col += canvas_put(c, 0, col, STYLE_DIM, g->label) + 1;
    if (bar)
        chart_bar(c, 0, col, BAR, fmin(1, fmax(0, g->share)), full, STYLE_BAR_BACK);
    col += bar ? BAR + 1 : 0;
    col += canvas_put(c, 0, col, bar || full == STYLE_BAR ? STYLE_PLAIN : full, text_str(&g->text));
    col += own ? canvas_put(c, 0, col, STYLE_PLAIN, text_str(&g->own)) : 0;
    return col + 3;
}

/* Narrow, the bars go first, then what is the run's alone. */
void train_draw_machine(const TrainState *s, const Canvas *c)
{
    Gauge g[GAUGES] = {0};
    size_t n = gauges_of(s, g);
    int col = 1, bars = -2, owns = -2; /* the last has nothing after it, and the edge stays free */
    for (size_t i = 0; i < n; i++) {
        bars += gauge_width(&g[i], true, true) + 3;
        owns += gauge_width(&g[i], false, true) + 3;
    }
    bool bar = bars < c->cols, own = owns < c->cols;
    for (size_t i = 0; i < n; i++) {
        if (col + gauge_width(&g[i], bar, own) < c->cols)
            col = draw_gauge(c, col, &g[i], bar, own);
        text_release(&g[i].text);
        text_release(&g[i].own);
    }
}
