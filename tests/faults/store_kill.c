/* store_kill -- kill -9, two writers at once, a full disk: nothing acknowledged is missing.
 *
 * Children write points and events and report each batch whose calls returned true through a pipe.
 * They are killed at random moments; then the store is opened again and must hold at least what
 * was reported, unbroken. */
#include <lathe/store.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH 50

static int setup(void **state)
{
    char *dir = strdup("/tmp/lathe-kill-XXXXXX");
    *state = dir;
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    dir_remove(*state, NULL);
    free(*state);
    return 0;
}

static int64_t new_run(Store *s)
{
    Error err = {0};
    RunRow r = {.family = "mlp"};
    int64_t id = store_run_add(s, &r, NULL, 0, &err);
    if (!id)
        fail_msg("%s", err.text);
    return id;
}

static void fill(MetricPoint *p, int64_t batch)
{
    for (int i = 0; i < BATCH; i++)
        p[i] = (MetricPoint){"train_loss", batch * BATCH + i, 0, (double)batch};
}

/* Batches of points, each followed by an event; reports how many were acknowledged. */
static void write_forever(const char *dir, int64_t run, int to)
{
    Error err = {0};
    MetricPoint p[BATCH];
    Store *s = store_open(dir, STORE_WRITE, &err);
    if (!s)
        _exit(2);
    for (int64_t batch = 0;; batch++) {
        fill(p, batch);
        if (!store_metrics_add(s, run, p, BATCH, &err) ||
            !store_event_add(s, run, batch, "batch", "", &err))
            _exit(3);
        int64_t count = batch + 1;
        if (write(to, &count, sizeof count) != sizeof count)
            _exit(4);
    }
}

static pid_t start(const char *dir, int64_t run, int *out)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        write_forever(dir, run, ends[1]);
    }
    assert_true(child > 0);
    close(ends[1]);
    *out = ends[0];
    return child;
}

/* Kills, and returns how many batches had been acknowledged. */
static int64_t stop(pid_t child, int from)
{
    int status;
    int64_t count, last = 0;
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status)); /* it did not end by itself */
    while (read(from, &count, sizeof count) == sizeof count)
        last = count;
    close(from);
    return last;
}

/* At least `acknowledged` whole batches, in order, without a hole. */
static void look(const char *dir, int64_t run, int64_t acknowledged)
{
    Error err = {0};
    Arena a = {0};
    MetricPoint *p;
    EventRow *e;
    size_t n, events;
    int64_t cursor = 0, event_cursor = 0;
    Store *s = store_open(dir, STORE_WRITE, &err);
    if (!s)
        fail_msg("%s", err.text);
    assert_true(store_metrics_since(s, run, NULL, &cursor, &a, &p, &n, &err));
    assert_true(store_events_since(s, run, &event_cursor, &a, &e, &events, &err));
    assert_int_equal(n % BATCH, 0);
    assert_true((int64_t)events >= acknowledged);
    assert_in_range(n / BATCH - events, 0, 1);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(p[i].step, i);
        assert_true(p[i].value == (double)(i / BATCH));
    }
    store_close(s);
    arena_release(&a);
}

static void sound(Store *s)
{
    Error err = {0};
    json_t *findings = json_array();
    assert_true(store_check(s, findings, &err));
    assert_int_equal(json_array_size(findings), 0);
    json_decref(findings);
}

static void killed_writers_lose_nothing(void **state)
{
    Error err = {0};
    Store *s = store_open(*state, STORE_WRITE, &err);
    assert_non_null(s);
    srand(7);
    int64_t all = 0;
    for (int round = 0; round < 12; round++) {
        int64_t run[2] = {new_run(s), new_run(s)}, done[2];
        int out[2];
        pid_t child[2];
        for (int i = 0; i < 2; i++)
            child[i] = start(*state, run[i], &out[i]);
        usleep(20000 + (unsigned)rand() % 120000);
        for (int i = 0; i < 2; i++)
            all += done[i] = stop(child[i], out[i]);
        for (int i = 0; i < 2; i++)
            look(*state, run[i], done[i]);
    }
    assert_true(all > 0);
    sound(s);
    store_close(s);
}

static void many_create_at_once(void **state)
{
    pid_t child[8];
    for (int i = 0; i < 8; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            Error err = {0};
            RunRow r = {.family = "mlp"};
            Store *s = store_open(*state, STORE_WRITE, &err);
            if (!s || !store_run_add(s, &r, NULL, 0, &err)) {
                fprintf(stderr, "%s\n", err.text);
                _exit(1);
            }
            store_close(s);
            _exit(0);
        }
    }
    for (int i = 0; i < 8; i++) {
        int status;
        waitpid(child[i], &status, 0);
        assert_int_equal(status, 0);
    }
    Error err = {0};
    Arena a = {0};
    RunRow *rows;
    size_t n;
    Store *s = store_open(*state, STORE_READ, &err);
    assert_non_null(s);
    assert_true(store_runs(s, &a, &rows, &n, &err));
    assert_int_equal(n, 8);
    store_close(s);
    arena_release(&a);
}

/* Whoever only reads finds a workspace or none. Returns whether there was one. */
static bool reader_finds_all_or_nothing(const char *dir)
{
    Error err = {0};
    Store *s = store_open(dir, STORE_READ, &err);
    if (!s && (!strstr(err.text, "there is no workspace here") || strstr(err.text, "empty")))
        fail_msg("%s", err.text);
    if (s)
        sound(s);
    store_close(s);
    return s != NULL;
}

static size_t files_in(const char *dir)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d));)
        n += entry->d_name[0] == '.' && strncmp(entry->d_name, ".lathe", 6) == 0;
    closedir(d);
    return n;
}

static void killed_while_created(void **state)
{
    int rounds = 60;
    srand(3);
    for (int round = 0; round < rounds; round++) {
        char dir[128];
        snprintf(dir, sizeof dir, "%s/%d", (char *)*state, round);
        pid_t child = fork();
        if (child == 0) {
            store_close(store_open(dir, STORE_WRITE, NULL));
            _exit(0);
        }
        usleep((unsigned)rand() % (round % 2 ? 3000 : 30000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        Error err = {0};
        (void)reader_finds_all_or_nothing(dir);
        Store *s = store_open(dir, STORE_WRITE, &err);
        if (!s)
            fail_msg("%s", err.text);
        new_run(s);
        store_close(s);
        assert_true(reader_finds_all_or_nothing(dir));
    }
}

/* What a maker left that was killed is gone when the next one makes the workspace. */
static void leftovers_go(void **state)
{
    Error err = {0};
    char path[256];
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0); /* its number belongs to nobody now */
    snprintf(path, sizeof path, "%s/.lathe.db-new-%d-1", (char *)*state, (int)child);
    assert_true(file_write(path, "half", 4, &err));
    assert_int_equal(files_in(*state), 1);
    Store *s = store_open(*state, STORE_WRITE, &err);
    assert_non_null(s);
    store_close(s);
    assert_int_equal(files_in(*state), 0);
}

/* A full disk, as a limit on the size of files: the call fails with one clear line, what was
 * acknowledged before is there, and with room again the same store goes on. */
static void full_disk(void **state)
{
    Error err = {0};
    MetricPoint p[BATCH];
    struct rlimit old, small;
    Store *s = store_open(*state, STORE_WRITE, &err);
    int64_t run = new_run(s), batches = 0, cursor = 0;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 600000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool ok = true;
    for (; ok && batches < 1000; batches += ok) {
        fill(p, batches);
        ok = store_metrics_add(s, run, p, BATCH, &err);
    }
    setrlimit(RLIMIT_FSIZE, &old);
    assert_false(ok);
    if (!strstr(err.text, "no space left"))
        fail_msg("%s", err.text);
    Arena a = {0};
    MetricPoint *out;
    size_t n;
    assert_true(store_metrics_since(s, run, NULL, &cursor, &a, &out, &n, &err));
    assert_int_equal(n, batches * BATCH);
    assert_true(store_metrics_add(s, run, p, BATCH, &err)); /* there is room again */
    store_close(s);
    arena_release(&a);
    s = store_open(*state, STORE_WRITE, &err);
    assert_non_null(s);
    sound(s);
    store_close(s);
}

/* Eight processes want the same run at the same moment: one gets it. */
static void one_claim_wins(void **state)
{
    Error err = {0};
    Store *s = store_open(*state, STORE_WRITE, &err);
    int64_t run = new_run(s);
    pid_t child[8];
    int tried[2], go[2], won = 0;
    char byte;
    assert_int_equal(pipe(tried), 0);
    assert_int_equal(pipe(go), 0);
    for (int i = 0; i < 8; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            Store *own = store_open(*state, STORE_WRITE, &err);
            bool ok = own && store_run_claim(own, run, getpid(), &err);
            close(go[1]);
            if (write(tried[1], "x", 1) != 1 || read(go[0], &byte, 1) != 0)
                _exit(3); /* it lives until all have tried */
            _exit(ok ? 1 : err.kind == ERROR_STOP ? 0 : 2);
        }
    }
    for (int i = 0; i < 8; i++)
        assert_int_equal(read(tried[0], &byte, 1), 1);
    close(go[1]);
    for (int i = 0; i < 8; i++) {
        int status;
        waitpid(child[i], &status, 0);
        assert_in_range(WEXITSTATUS(status), 0, 1);
        won += WEXITSTATUS(status);
    }
    assert_int_equal(won, 1);
    close(go[0]);
    close(tried[0]);
    close(tried[1]);
    store_close(s);
}

/* A viewer follows with its cursor while a writer writes: every point once, in order. */
static void viewer_follows(void **state)
{
    Error err = {0};
    Store *s = store_open(*state, STORE_WRITE, &err);
    int64_t run = new_run(s), cursor = 0;
    size_t seen = 0;
    int out;
    pid_t child = start(*state, run, &out);
    double end = clock_now() + .5;
    while (clock_now() < end) {
        Arena a = {0};
        MetricPoint *p;
        size_t n;
        assert_true(store_metrics_since(s, run, NULL, &cursor, &a, &p, &n, &err));
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i].step, seen + i);
        seen += n;
        arena_release(&a);
    }
    int64_t done = stop(child, out);
    assert_true(done > 0 && seen > 0);
    look(*state, run, done);
    store_close(s);
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        EACH(killed_writers_lose_nothing),
        EACH(many_create_at_once),
        EACH(killed_while_created),
        EACH(leftovers_go),
        EACH(full_disk),
        EACH(one_claim_wins),
        EACH(viewer_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
