/* soak.c -- is the workbench's memory flat over very many frames? Keys that each cause one, in all panes in turn,
 * through a pseudo-terminal; resident memory on the way.
 *
 *     bench_soak [FRAMES]          (100,000 otherwise: seven minutes)
 *
 * Caches and the threads' heaps have filled after some 30,000; of the second half nothing should stay. Exit status 1
 * when more than 4 MB were added in it. */
#include "tube.h" /* LATHE_PROGRAM, unless LATHE_BENCH_PROGRAM says another */

enum { ROWS = 36, COLUMNS = 120, ANSWER_MS = 6, PARTS = 10, ALLOWED_KB = 4096, PANES = 8 };

/* None of them is a letter to a pane, as in SQL, which is left out: its text would grow. */
static const char *const keys[] = {"O", "O", "j", "k", "O", "O", "j", "k", "O", "O", "j", "k", "\x10", "d", "\x1b"};

/* What has come; false: nothing within that time. */
static bool answered(int fd, int ms)
{
    char bytes[65536];
    bool any = false;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (poll(&p, 1, any ? 0 : ms) > 0) {
        if (read(fd, bytes, sizeof bytes) <= 0)
            return false;
        any = true;
    }
    return any;
}

/* Its own: libraries that are loaded late, and tables, are pages of files. */
static long resident_kb(pid_t pid)
{
    char path[64], line[200];
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        sscanf(line, "RssAnon: %ld", &kb);
    if (f)
        fclose(f);
    return kb;
}

static bool prepare(const char *dir, char *workspace, size_t size)
{
    char csv[300];
    snprintf(csv, sizeof csv, "%s/table.csv", dir);
    snprintf(workspace, size, "%s/ws", dir);
    FILE *f = fopen(csv, "w");
    Rng r;
    rng_seed(&r, 1, 0);
    if (!f)
        return false;
    fputs("x,y,word,target\n", f);
    for (int i = 0; i < 20000; i++)
        fprintf(f, "%.4f,%.4f,w%d,%.4f\n", rng_normal(&r), rng_unit(&r), i % 7, rng_normal(&r));
    fclose(f);
    const char *lathe = bench_program();
    bool ok = bench_run((const char *const[]){lathe, "-w", workspace, "ingest", csv, "as=table", NULL}) == 0;
    for (int i = 0; ok && i < 3; i++) /* for the panes that show runs */
        ok = bench_run((const char *const[]){lathe, "-w", workspace, "train", "linear", "data=table", "target=target", NULL}) == 0;
    return ok;
}

/* One key after the other, each when the one before is answered, until so many were; 0: nothing answers any more. */
static long frames(Tube *t, long wanted, size_t *at)
{
    size_t round = sizeof keys / sizeof *keys * 5;
    long count = 0;
    for (long silent = 0; count < wanted && silent < 1000; (*at)++) {
        char pane[2] = {(char)('1' + *at / round % PANES), 0};
        if (!tube_type(t, *at % round == 0 ? pane : keys[*at % (sizeof keys / sizeof *keys)]))
            return 0;
        bool painted = answered(t->fd, ANSWER_MS);
        count += painted;
        silent = painted ? 0 : silent + 1;
    }
    return count;
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/lathe-bench-XXXXXX", workspace[300];
    long wanted = argc > 1 ? atol(argv[1]) : 100000, warm = 0, now = 0;
    if (wanted < PARTS || !mkdtemp(dir) || !prepare(dir, workspace, sizeof workspace)) {
        fprintf(stderr, "bench_soak: could not set up\n");
        return 1;
    }
    Tube t;
    size_t at = 0;
    double began = clock_now();
    tube_open(&t, workspace, ROWS, COLUMNS);
    answered(t.fd, 2000);
    printf("at the start: %ld kB resident\n", resident_kb(t.child));
    for (int i = 1; i <= PARTS && frames(&t, wanted / PARTS, &at) > 0; i++) {
        now = resident_kb(t.child);
        warm = i == PARTS / 2 ? now : warm;
        printf("after %9ld frames: %ld kB resident, %.0f s\n", wanted / PARTS * i, now, clock_now() - began);
        fflush(stdout);
    }
    tube_close(&t);
    dir_remove(dir, NULL);
    printf("since the half: %+ld kB (allowed: %d)\n", now - warm, ALLOWED_KB);
    return now == 0 || now - warm > ALLOWED_KB;
}
