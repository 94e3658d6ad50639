/* store_open -- what may lie where a workspace is expected, and what the store says to it. */
#include <lathe/store.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Place {
    char dir[64], db[96];
} Place;

static int setup(void **state)
{
    Place *p = calloc(1, sizeof *p);
    strcpy(p->dir, "/tmp/lathe-store-XXXXXX");
    if (!mkdtemp(p->dir))
        return -1;
    chmod(p->dir, 0777);
    snprintf(p->db, sizeof p->db, "%s/lathe.db", p->dir);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    Place *p = *state;
    chmod(p->dir, 0777);
    dir_remove(p->dir, NULL);
    free(p);
    return 0;
}

static void put(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void sql(const char *path, const char *text)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void refused(const char *dir, StoreMode mode, const char *words)
{
    Error err = {0};
    Store *s = store_open(dir, mode, &err);
    assert_null(s);
    assert_null(strchr(err.text, '\n'));
    if (!strstr(err.text, words))
        fail_msg("expected '%s' in '%s'", words, err.text);
}

static void makes_and_reopens(void **state)
{
    Place *p = *state;
    Error err = {0};
    char sub[128];
    snprintf(sub, sizeof sub, "%s/deep/down", p->dir);
    Store *s = store_open(sub, STORE_WRITE, &err);
    assert_non_null(s);
    assert_string_equal(store_dir(s), sub);
    assert_true(store_setting_set(s, "theme", "dark", &err));
    store_close(s);
    s = store_open(sub, STORE_READ, &err);
    assert_non_null(s);
    Arena a = {0};
    const char *value;
    assert_true(store_setting_get(s, "theme", &a, &value, &err));
    assert_string_equal(value, "dark");
    assert_true(store_setting_get(s, "none", &a, &value, &err));
    assert_null(value);
    assert_false(store_setting_set(s, "theme", "light", &err)); /* opened for reading */
    assert_non_null(strstr(err.text, "read-only"));
    store_close(s);
    arena_release(&a);
}

static void missing(void **state)
{
    Place *p = *state;
    char sub[128];
    snprintf(sub, sizeof sub, "%s/none", p->dir);
    refused(sub, STORE_READ, "there is no workspace here");
    refused(p->dir, STORE_READ, "no lathe.db");
    refused("", STORE_WRITE, "empty name");
}

static void not_a_folder(void **state)
{
    Place *p = *state;
    put(p->db, "x", 1);
    refused(p->db, STORE_WRITE, "not a folder");
    unlink(p->db);
    assert_int_equal(mkdir(p->db, 0777), 0);
    refused(p->dir, STORE_WRITE, "not a file");
}

static void foreign_and_damaged(void **state)
{
    Place *p = *state;
    char junk[8192];
    memset(junk, 'x', sizeof junk);
    put(p->db, junk, sizeof junk);
    refused(p->dir, STORE_WRITE, "not a workspace file");
    unlink(p->db);
    sql(p->db, "CREATE TABLE notes(text)");
    refused(p->dir, STORE_WRITE, "of another program");
    refused(p->dir, STORE_READ, "of another program");
}

static void torn(void **state)
{
    Place *p = *state;
    Error err = {0};
    store_close(store_open(p->dir, STORE_WRITE, &err));
    assert_int_equal(truncate(p->db, 9000), 0); /* cut in the third page */
    refused(p->dir, STORE_WRITE, "damaged");
}

static void empty_file_is_a_new_workspace(void **state)
{
    Place *p = *state;
    Error err = {0};
    put(p->db, "", 0);
    refused(p->dir, STORE_READ, "empty");
    Store *s = store_open(p->dir, STORE_WRITE, &err);
    assert_non_null(s);
    store_close(s);
}

static void newer_version(void **state)
{
    Place *p = *state;
    Error err = {0};
    store_close(store_open(p->dir, STORE_WRITE, &err));
    sql(p->db, "PRAGMA user_version=999");
    refused(p->dir, STORE_WRITE, "newer lathe (workspace version 999");
    refused(p->dir, STORE_READ, "newer lathe");
}

/* Root may write anywhere: the questions are asked as nobody. */
static void as_nobody(void (*ask)(const char *dir), const char *dir)
{
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(3);
        ask(dir);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void ask_read_only(const char *dir)
{
    Error err = {0};
    Arena a = {0};
    const char *value;
    if (store_open(dir, STORE_WRITE, &err) || !strstr(err.text, "read-only"))
        _exit(10);
    Store *s = store_open(dir, STORE_READ, &err);
    if (!s || !store_warning(s) || !strstr(store_warning(s), "read-only"))
        _exit(11);
    if (!store_setting_get(s, "theme", &a, &value, &err) || !text_equal(value, "dark"))
        _exit(12);
    store_close(s);
    arena_release(&a);
}

static void ask_empty_read_only(const char *dir)
{
    Error err = {0};
    if (store_open(dir, STORE_WRITE, &err) || !strstr(err.text, "read-only"))
        _exit(10);
}

static void read_only_folder(void **state)
{
    Place *p = *state;
    Error err = {0};
    chmod(p->dir, 0555);
    as_nobody(ask_empty_read_only, p->dir);
    chmod(p->dir, 0755);
    Store *s = store_open(p->dir, STORE_WRITE, &err);
    assert_true(store_setting_set(s, "theme", "dark", &err));
    store_close(s);
    chmod(p->dir, 0555);
    chmod(p->db, 0444);
    as_nobody(ask_read_only, p->dir);
}

static void names_with_uri_signs(void **state)
{
    Place *p = *state;
    Error err = {0};
    char sub[128];
    snprintf(sub, sizeof sub, "%s/a?b#c%%20 d", p->dir);
    Store *s = store_open(sub, STORE_WRITE, &err);
    assert_non_null(s);
    store_close(s);
    snprintf(sub, sizeof sub, "%s/a?b#c%%20 d/lathe.db", p->dir);
    assert_true(file_exists(sub));
}

static void locked_by_another(void **state)
{
    Place *p = *state;
    Error err = {0};
    Store *s = store_open(p->dir, STORE_WRITE, &err);
    Store *other = store_open(p->dir, STORE_WRITE, &err);
    assert_non_null(other);
    assert_true(store_begin(other, &err));
    sqlite3_busy_timeout(store_handle(s), 50);
    assert_false(store_setting_set(s, "a", "b", &err));
    char who[64];
    snprintf(who, sizeof who, "process %d", (int)getpid());
    if (!strstr(err.text, who))
        fail_msg("expected '%s' in '%s'", who, err.text);
    assert_true(store_commit(other, &err));
    assert_true(store_setting_set(s, "a", "b", &err));
    store_close(other);
    store_close(s);
}

static void transactions_nest(void **state)
{
    Place *p = *state;
    Error err = {0};
    Arena a = {0};
    const char *value;
    Store *s = store_open(p->dir, STORE_WRITE, &err);
    assert_true(store_begin(s, &err));
    assert_true(store_setting_set(s, "outer", "1", &err));
    assert_true(store_begin(s, &err));
    assert_true(store_setting_set(s, "inner", "1", &err));
    store_rollback(s);
    assert_true(store_begin(s, &err));
    assert_true(store_setting_set(s, "second", "1", &err));
    assert_true(store_commit(s, &err));
    assert_true(store_commit(s, &err));
    assert_true(store_setting_get(s, "outer", &a, &value, &err) && value);
    assert_true(store_setting_get(s, "second", &a, &value, &err) && value);
    assert_true(store_setting_get(s, "inner", &a, &value, &err));
    assert_null(value);
    assert_true(store_begin(s, &err));
    assert_true(store_setting_set(s, "gone", "1", &err));
    store_rollback(s);
    assert_true(store_setting_get(s, "gone", &a, &value, &err));
    assert_null(value);
    store_close(s);
    arena_release(&a);
}

static void doctor_finds(void **state)
{
    Place *p = *state;
    Error err = {0};
    Store *s = store_open(p->dir, STORE_WRITE, &err);
    json_t *findings = json_array();
    assert_true(store_check(s, findings, &err));
    assert_int_equal(json_array_size(findings), 0);
    DatasetRow d = {.hash = "abcdef0123", .name = "lost"};
    assert_true(store_dataset_add(s, &d, NULL, 0, &err) > 0);
    RunRow r = {.family = "mlp", .status = RUN_RUNNING, .pid = 1 << 30, .born = 7};
    assert_true(store_run_add(s, &r, NULL, 0, &err) > 0);
    assert_true(store_check(s, findings, &err));
    assert_int_equal(json_array_size(findings), 2);
    json_decref(findings);
    store_close(s);
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        EACH(makes_and_reopens),
        EACH(missing),
        EACH(not_a_folder),
        EACH(foreign_and_damaged),
        EACH(torn),
        EACH(empty_file_is_a_new_workspace),
        EACH(newer_version),
        EACH(read_only_folder),
        EACH(names_with_uri_signs),
        EACH(locked_by_another),
        EACH(transactions_nest),
        EACH(doctor_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
