/* serve_private.c -- a private column: marked once, at the table as it came, it stands as *** in whatever is kept of
 * production; the plain value of a request is found in no file of the workspace. */
#include "serve_world.h"

#include <lathe/deploy.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>

static int lathe(World *w, const char *const *argv)
{
    const char *all[24] = {"lathe", "-w", w->dir};
    int status = 0;
    for (size_t n = 3; *argv; argv++)
        all[n++] = *argv;
    pid_t child = fork();
    if (child == 0) {
        dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
        execv(LATHE_PROGRAM, (char *const *)(uintptr_t)all);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define LATHE(...) lathe(w, (const char *const[]){__VA_ARGS__, NULL})

static char *file_of(World *w, const char *name, const char *text)
{
    char *path = arena_printf(&w->a, "%s/%s", w->dir, name);
    OK(file_write(path, text, strlen(text), &w->err));
    return path;
}

static char *table(World *w)
{
    static const char *const people[] = {"Ada", "Bela", "Cleo", "Dora"};
    char *path = arena_printf(&w->a, "%s/jan.csv", w->dir);
    FILE *f = fopen(path, "w");
    Rng r;
    rng_seed(&r, 3, 0);
    assert_non_null(f);
    fputs("PERSON,MILES,FARE\n", f);
    for (int i = 0; i < 800; i++) {
        double miles = 10 * rng_unit(&r);
        fprintf(f, "%s,%.3f,%.2f\n", people[i % 4], miles, 3 + 2 * miles + i % 4);
    }
    fclose(f);
    return path;
}

static bool is_private(World *w, const char *dataset, const char *column)
{
    DatasetRow row;
    ColumnRow *c;
    size_t n;
    OK(store_dataset_find(w->s, dataset, &w->a, &row, &w->err));
    OK(store_dataset_columns(w->s, row.hash, &w->a, &c, &n, &w->err));
    for (size_t i = 0; i < n; i++)
        if (text_equal(c[i].name, column))
            return c[i].private;
    fail_msg("%s has no column %s", dataset, column);
    return false;
}

/* ---- what the workspace holds ------------------------------------------------------------------------------ */

/* The file that has these words, or "". Another process looks: whoever closes a database that this one has open
 * would lose its locks. */
static const char *who_has(World *w, const char *words)
{
    char line[300] = "";
    FILE *in = popen(arena_printf(&w->a, "grep -rlF '%s' '%s'", words, w->dir), "r"); // NOLINT
    assert_non_null(in);
    if (fgets(line, sizeof line, in))
        line[strcspn(line, "\n")] = 0;
    while (fgetc(in) != EOF)
        continue;
    int status = pclose(in);
    assert_int_equal(WEXITSTATUS(status), *line ? 0 : 1); /* it was looked at */
    return arena_text(&w->a, line);
}

/* ---- production -------------------------------------------------------------------------------------------- */

static int64_t model_of(World *w)
{
    ModelRow *m;
    size_t n;
    OK(store_models(w->s, &w->a, &m, &n, &w->err));
    assert_true(n > 0);
    return m[0].id;
}

/* One prediction for the person with its truth; what the log has of it. */
static PredictionRow ask_for(Served *v, const char *person, int feedback)
{
    World *w = v->w;
    PredictionRow r = {0};
    Text reply = {0};
    char id[32], body[200];
    snprintf(body, sizeof body, "{\"dataframe_records\": [{\"PERSON\": \"%s\", \"MILES\": 3.5}]}",
             person);
    assert_int_equal(ask(v, "POST", "/invocations", "application/json", body, &reply), 200);
    header_of(&reply, "X-Lathe-Prediction", id, sizeof id);
    snprintf(body, sizeof body, "{\"id\": %s, \"truth\": 12}", id);
    assert_int_equal(ask(v, "POST", "/feedback", "application/json", body, &reply), feedback);
    PredictionLog *log = prediction_log_open(w->dir, STORE_READ, &w->err);
    OK(log);
    for (int i = 0; i < 600 && !prediction_log_get(log, atoll(id), &w->a, &r, NULL); i++)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    assert_true(r.id > 0);
    prediction_log_close(log);
    text_release(&reply);
    return r;
}

static void masked_everywhere(void **state)
{
    World *w = *state;
    Served v = {.w = w};
    Text reply = {0};
    char *csv = table(w);
    char *recipe = file_of(w, "r.recipe", "rename PERSON to WHO\nderive LETTERS = length(WHO)\n");
    assert_int_equal(LATHE("ingest", csv, "as=jan"), 0);
    assert_int_equal(LATHE("data", "role", "jan", "PERSON", "secret"), 2);
    assert_int_equal(LATHE("data", "role", "jan", "PERSOM", "private"), 2);
    assert_int_equal(LATHE("data", "role", "jan", "PERSON", "private"), 0);
    assert_int_equal(LATHE("clean", "jan", arena_printf(&w->a, "recipe=%s", recipe), "as=clean"),
                     0);
    assert_true(is_private(w, "jan", "PERSON"));
    assert_false(is_private(w, "jan", "MILES"));
    assert_true(is_private(w, "clean", "WHO"));
    assert_true(is_private(w, "clean", "LETTERS")); /* what is computed from it */
    assert_false(is_private(w, "clean", "MILES"));
    assert_int_equal(LATHE("train", "linear", "data=clean", "target=FARE", "epochs=2"), 0);
    DeploymentRow row = {.name = "fares", .state = "live", .model = model_of(w), .settings = "{}"};
    OK(store_deployment_add(w->s, &row, "anna", &w->err));

    OK(start(&v, NULL, "fares", ""));
    PredictionRow r = ask_for(&v, "Secretia Plainvalue", 200);
    assert_string_equal(r.inputs, "{\"PERSON\":\"***\",\"MILES\":3.5}");
    for (int i = 0; i < 300; i++) { /* a chunk for the watcher */
        char body[120];
        snprintf(body, sizeof body, "{\"instances\": [[\"Secretia Plainvalue\", %d]]}", i % 9);
        assert_int_equal(ask(&v, "POST", "/invocations", "application/json", body, &reply), 200);
    }
    static const char wrong[] = "{\"instances\": [[\"Secretia Plainvalue\", \"Secretia\"]]}";
    assert_int_equal(ask(&v, "POST", "/invocations", "application/json", wrong, &reply), 400);
    end(&v);
    OK(deployment_set(w->s, "fares", "chunk", "100", "anna", &w->err));
    Watcher *watcher = watcher_open(w->dir, NULL, w->pool, NULL, NULL, &w->err);
    OK(watcher);
    bool busy = true;
    for (int i = 0; i < 20 && busy; i++)
        OK(watcher_round(watcher, time_now(), &busy, NULL, &w->err));
    watcher_close(watcher);
    assert_string_equal(who_has(w, "Secretia"), "");

    /* taken back, and trained anew: the log has it */
    assert_int_equal(LATHE("data", "role", "jan", "PERSON", "public"), 0);
    assert_false(is_private(w, "jan", "PERSON"));
    assert_int_equal(LATHE("train", "linear", "data=clean", "target=FARE", "epochs=1"), 0);
    row.name = "open";
    row.model = model_of(w);
    OK(store_deployment_add(w->s, &row, "anna", &w->err));
    OK(start(&v, NULL, "open", ""));
    r = ask_for(&v, "Secretia Plainvalue", 200);
    assert_string_equal(r.inputs, "{\"PERSON\":\"Secretia Plainvalue\",\"MILES\":3.5}");
    end(&v);
    assert_non_null(strstr(who_has(w, "Secretia"), "predictions.db"));
    text_release(&reply);
}

/* A target that is private has predictions, but no truth is kept of it. */
static void private_target(void **state)
{
    World *w = *state;
    Served v = {.w = w};
    char *csv = table(w);
    assert_int_equal(LATHE("ingest", csv, "as=jan"), 0);
    assert_int_equal(LATHE("data", "role", "jan", "FARE", "private"), 0);
    assert_int_equal(LATHE("train", "linear", "data=jan", "target=FARE", "epochs=1"), 0);
    DeploymentRow row = {.name = "fares", .state = "live", .model = model_of(w), .settings = "{}"};
    OK(store_deployment_add(w->s, &row, "anna", &w->err));
    OK(start(&v, NULL, "fares", ""));
    ask_for(&v, "Ada", 403);
    expect(&v, "POST", "/feedback", "application/json", "{\"id\": 1, \"truth\": 1}", 403,
           "FARE is private");
    end(&v);
}

/* A newer table of the same name has the mark, too, and so has what SQL makes of it. */
static void stays_with_the_name(void **state)
{
    World *w = *state;
    char *csv = table(w);
    assert_int_equal(LATHE("ingest", csv, "as=jan"), 0);
    assert_int_equal(LATHE("data", "role", "jan", "PERSON", "private"), 0);
    assert_int_equal(LATHE("data", "role", "jan", "PERSON", "id"), 0); /* beside the role */
    assert_true(is_private(w, "jan", "PERSON"));
    char *next = file_of(w, "feb.csv", "PERSON,MILES,FARE\nEmil,1,5\nFay,2,7\n");
    assert_int_equal(LATHE("ingest", next, "as=jan"), 0);
    assert_true(is_private(w, "jan", "PERSON"));
    assert_false(is_private(w, "jan", "MILES"));
    assert_int_equal(LATHE("ingest", next, "as=other"), 0);
    assert_int_equal(LATHE("sql", "SELECT PERSON, FARE FROM jan", "as=few"), 0);
    assert_true(is_private(w, "few", "PERSON"));
    assert_false(is_private(w, "few", "FARE"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(masked_everywhere, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(private_target, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(stays_with_the_name, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
