/* store_damage -- a workspace file with flipped, lost or foreign bytes: every call answers, with one
 * line if it must, and none crashes. */
#include <lathe/store.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 150

typedef struct Place {
    char dir[64], db[96];
    Text sound;
} Place;

static void fill(Store *s)
{
    Error err = {0};
    MetricPoint p[200];
    ColumnRow c[] = {{.name = "A", .type = "int64", .role = "feature"},
                     {.name = "B", .type = "text", .role = "target"}};
    ParamRow params[] = {{"lr", "0.1"}, {"epochs", "3"}};
    DatasetRow d = {.hash = "0123456789abcdef", .name = "trips", .source = "a.csv"};
    RunRow r = {.family = "mlp", .dataset = "0123456789abcdef", .status = RUN_FINISHED};
    for (int i = 0; i < 200; i++)
        p[i] = (MetricPoint){i % 2 ? "loss" : "lr", i, i, i};
    assert_true(store_dataset_add(s, &d, c, 2, &err) > 0);
    for (int i = 0; i < 5; i++) {
        int64_t run = store_run_add(s, &r, params, 2, &err);
        CheckpointRow k = {.run = run, .step = 7, .path = "x"};
        assert_true(run > 0 && store_metrics_add(s, run, p, 200, &err));
        assert_true(store_event_add(s, run, 1, "start", "text", &err) > 0);
        assert_true(store_checkpoint_add(s, &k, &err));
    }
}

static int setup(void **state)
{
    Place *p = calloc(1, sizeof *p);
    Error err = {0};
    strcpy(p->dir, "/tmp/lathe-damage-XXXXXX");
    if (!mkdtemp(p->dir))
        return -1;
    snprintf(p->db, sizeof p->db, "%s/lathe.db", p->dir);
    Store *s = store_open(p->dir, STORE_WRITE, &err);
    fill(s);
    store_close(s);
    *state = p;
    return file_read(p->db, &p->sound, 1 << 26, &err) ? 0 : -1;
}

static int teardown(void **state)
{
    Place *p = *state;
    text_release(&p->sound);
    dir_remove(p->dir, NULL);
    free(p);
    return 0;
}

static void one_line(bool ok, const Error *err)
{
    if (!ok && (!err->text[0] || strchr(err->text, '\n')))
        fail_msg("expected one line, found '%s'", err->text);
}

/* Asks for everything; what comes back may be wrong or refused. Returns false if all was refused. */
static bool ask_all(const char *dir, StoreMode mode)
{
    Error err = {0};
    Arena a = {0};
    size_t n;
    Store *s = store_open(dir, mode, &err);
    one_line(s != NULL, &err);
    if (!s)
        return false;
    DatasetRow *d, one;
    RunRow *r;
    ParamRow *params;
    MetricPoint *p;
    EventRow *e;
    CheckpointRow *c;
    int64_t cursor = 0;
#define ASK(call) (err = (Error){0}, one_line(call, &err))
    ASK(store_datasets(s, &a, &d, &n, &err));
    ASK(store_dataset_find(s, "trips", &a, &one, &err));
    ASK(store_runs(s, &a, &r, &n, &err));
    ASK(store_run_params(s, 2, &a, &params, &n, &err));
    ASK(store_metrics_since(s, 2, NULL, &cursor, &a, &p, &n, &err));
    ASK(store_metrics_last(s, 3, &a, &p, &n, &err));
    cursor = 0;
    ASK(store_events_since(s, 0, &cursor, &a, &e, &n, &err));
    ASK(store_checkpoints(s, 1, &a, &c, &n, &err));
    if (mode == STORE_WRITE) {
        ASK(store_event_add(s, 1, 1, "x", "y", &err) > 0);
        ASK(store_run_delete(s, 4, &err));
    }
    json_t *findings = json_array();
    ASK(store_check(s, findings, &err));
    json_decref(findings);
    store_close(s);
    arena_release(&a);
    return true;
}

static void put(const Place *p, const char *bytes, size_t n)
{
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", p->db);
    unlink(wal);
    snprintf(wal, sizeof wal, "%s-shm", p->db);
    unlink(wal);
    FILE *f = fopen(p->db, "wb");
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void flipped_bytes(void **state)
{
    Place *p = *state;
    Rng r;
    int opened = 0;
    rng_seed(&r, 1, 0);
    for (int round = 0; round < ROUNDS; round++) {
        char *bytes = mem_copy(p->sound.at, p->sound.count);
        /* a few bytes, more of them in the first page, where the header and the schema are */
        for (uint64_t k = 1 + rng_below(&r, 8); k > 0; k--)
            bytes[rng_below(&r, rng_below(&r, 2) ? 4096 : p->sound.count)] = (char)rng_next(&r);
        put(p, bytes, p->sound.count);
        opened += ask_all(p->dir, round % 2 ? STORE_READ : STORE_WRITE);
        mem_free(bytes);
    }
    assert_true(opened > ROUNDS / 10); /* else nothing was asked of anything */
}

static void cut_off(void **state)
{
    Place *p = *state;
    Rng r;
    rng_seed(&r, 2, 0);
    for (int round = 0; round < ROUNDS / 3; round++) {
        put(p, p->sound.at, (size_t)rng_below(&r, p->sound.count));
        ask_all(p->dir, round % 2 ? STORE_READ : STORE_WRITE);
    }
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {EACH(flipped_bytes), EACH(cut_off)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
