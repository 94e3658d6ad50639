/* watch_kill -- a watcher that is killed at any moment, one that finds the workspace locked, one without room on the disk:
 * what is judged in the end is what one watcher would have judged that nobody disturbed. */
#include "../unit/support/watch_world.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

static void close_all(void)
{
    watcher_close(world.w);
    prediction_log_close(world.log);
    store_close(world.s);
    world.w = NULL;
    world.log = NULL;
    world.s = NULL;
}

static void open_all(void)
{
    OK(world.s = store_open(world.dir, STORE_WRITE, &world.err));
}

/* In a process of its own: rounds until there is nothing to do. 0: done, 3: a round failed with these words in `said`. */
static void watch_and_exit(const char *said)
{
    Error err = {0};
    Pool *pool = pool_create(1);
    Watcher *w = watcher_open(world.dir, NULL, pool, NULL, NULL, &err);
    bool busy = true;
    if (!w)
        _exit(4);
    for (int i = 0; busy && i < 200; i++)
        if (!watcher_round(w, time_now(), &busy, NULL, &err)) {
            if (said && !strstr(err.text, said))
                fprintf(stderr, "%s\n", err.text);
            _exit(said && strstr(err.text, said) ? 3 : 5);
        }
    watcher_close(w);
    _exit(0);
}

static void nap(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Kills after up to `most` ms, again and again, until one comes to its end. How often it was killed. */
static int kill_until_done(long most)
{
    int killed = 0;
    for (;;) {
        int status;
        pid_t child = fork();
        if (child == 0)
            watch_and_exit(NULL);
        if (killed < 25) {
            nap((long)rng_below(&world.rng, (uint64_t)most));
            kill(child, SIGKILL);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            return killed;
        }
        killed++;
    }
}

/* All that was judged, as one text. */
static char *judged(void)
{
    sqlite3_stmt *q;
    Text all = {0};
    const char *sql = "SELECT x FROM (SELECT model || ' ' || kind || ' ' || \"column\" || ' ' || test || ' ' || first || ' ' ||"
                      " last || ' ' || rows || ' ' || coalesce(round(value, 9), '') || ' ' || coalesce(round(high, 9), '') || ' ' ||"
                      " coalesce(round(truth, 9), '') || ' ' || alarm AS x FROM monitor_points) ORDER BY x";
    assert_int_equal(sqlite3_prepare_v2(store_handle(world.s), sql, -1, &q, NULL), SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW)
        text_printf(&all, "%s\n", (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    sqlite3_prepare_v2(store_handle(world.s), "SELECT subject || ' ' || kind || ' ' || state || ' ' || count FROM alerts ORDER BY 1", -1, &q, NULL);
    while (sqlite3_step(q) == SQLITE_ROW)
        text_printf(&all, "%s\n", (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    return text_take(&all);
}

static void rows_of_a_day(void)
{
    for (int i = 0; i < 3; i++)
        world_rows((Rows){.n = 400, .feedback = true});
    for (int i = 0; i < 2; i++)
        world_rows((Rows){.n = 400, .longer = 2.5, .feedback = true});
    world_rows((Rows){.n = 500, .feedback = true});
}

static void copy(const char *from, const char *to)
{
    char line[600];
    snprintf(line, sizeof line, "rm -rf %s && cp -r %s %s", to, from, to);
    assert_int_equal(system(line), 0);
}

static void killed_it_judges_each_chunk_once(void **state)
{
    char twin[120];
    (void)state;
    rows_of_a_day();
    close_all();
    snprintf(twin, sizeof twin, "%s/twin", world.root);
    copy(world.dir, twin);
    pid_t child = fork();
    int status;
    if (child == 0)
        watch_and_exit(NULL);
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    open_all();
    char *quiet = judged();
    assert_true(strlen(quiet) > 1000);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'rows'"), 12);
    close_all();
    copy(twin, world.dir);
    int killed = kill_until_done(300);
    open_all();
    char *disturbed = judged();
    assert_string_equal(quiet, disturbed);
    print_message("killed %d times\n", killed);
    mem_free(quiet);
    mem_free(disturbed);
}

/* Trained in the same process: so the trainer is killed as well, at any step. */
static void killed_it_trains_one_model(void **state)
{
    (void)state;
    world_set("automation", "full");
    world_set("retrain_drift", "yes");
    world_set("retrain_labels_least", "100");
    world_rows((Rows){.n = 400, .longer = 2.5, .feedback = true});
    close_all();
    int killed = kill_until_done(700);
    print_message("killed %d times\n", killed);
    open_all();
    assert_int_equal(world_count("SELECT count(*) FROM runs WHERE status = 'FINISHED'"), 2);
    assert_int_equal(world_count("SELECT count(*) FROM runs"), 2);
    assert_int_equal(world_count("SELECT count(*) FROM models"), 2);
    assert_int_equal(world_count("SELECT count(DISTINCT hash) FROM datasets WHERE name = 'trips_fares'"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM deployments WHERE state = 'shadow' AND candidate = 2"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM audit WHERE what = 'shadow'"), 1);
}

static int ends_with(void (*limit)(void), const char *said)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (limit)
            limit();
        watch_and_exit(said);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void locked_it_says_so_and_goes_on_later(void **state)
{
    char path[160];
    sqlite3 *other;
    (void)state;
    world_rows((Rows){.n = 400, .feedback = true});
    close_all();
    snprintf(path, sizeof path, "%s/lathe.db", world.dir);
    pid_t holder = fork();
    if (holder == 0) {
        sqlite3_open(path, &other);
        sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        nap(20000);
        _exit(0);
    }
    nap(500);
    assert_int_equal(ends_with(NULL, "has been writing for over 5 s"), 3);
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
    assert_int_equal(ends_with(NULL, NULL), 0);
    open_all();
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'rows'"), 2);
}

static void no_room(void)
{
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){20000, 20000});
}

static void without_room_it_says_so_and_goes_on_later(void **state)
{
    (void)state;
    world_rows((Rows){.n = 400, .feedback = true});
    close_all();
    int code = ends_with(no_room, "");
    assert_true(code == 3 || code == 4); /* no round, or not even the beginning */
    assert_int_equal(ends_with(NULL, NULL), 0);
    open_all();
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'rows'"), 2);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'estimate' AND test = 'mae' AND truth IS NOT NULL"), 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(killed_it_judges_each_chunk_once),
        T(killed_it_trains_one_model),
        T(locked_it_says_so_and_goes_on_later),
        T(without_room_it_says_so_and_goes_on_later),
    };
    return cmocka_run_group_tests(tests, world_make, world_destroy);
}
