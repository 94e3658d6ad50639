/* cut_short -- files that are truncated while they are read: a clear error, never a signal, and nothing
 * half-made is left. */
#include <lathe/recipe.h>

#include "../unit/data_table.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#define ROWS   (3 * 65536 + 1000)
#define ROUNDS 12

static char dir[] = "/tmp/lathe-cut-XXXXXX";

static const char *in(const char *name)
{
    static char path[4][400];
    static int at;
    at = (at + 1) % 4;
    snprintf(path[at], sizeof path[at], "%s/%s", dir, name);
    return path[at];
}

static void rest_ms(double ms)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)(ms * 1e6)}, NULL);
}

/* ---- tables ---- */

static void write_source(const char *name)
{
    Error err = {0};
    Arena a = {0};
    Schema s = {0};
    Chunk c;
    table_schema(&s);
    TableWriter *w = table_writer_create(in(name), &s, NULL, NULL, &err);
    assert_non_null(w);
    for (uint64_t first = 0; first < ROWS; first += 20000) {
        table_chunk(&s, first, ROWS - first < 20000 ? (size_t)(ROWS - first) : 20000, true, &a, &c);
        assert_true(table_writer_add(w, &c, &err));
        arena_reset(&a);
    }
    if (!table_writer_finish(w, &err))
        fail_msg("%s", err.text);
    table_writer_destroy(w);
    schema_release(&s);
    arena_release(&a);
}

static void copy_file(const char *from, const char *to)
{
    Error err = {0};
    Text bytes = {0};
    assert_true(file_read(from, &bytes, SIZE_MAX, &err));
    FILE *f = fopen(to, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.at, 1, bytes.count, f), bytes.count);
    fclose(f);
    text_release(&bytes);
}

static size_t left_in(const char *folder)
{
    DIR *d = opendir(folder);
    size_t n = 0;
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

/* ---- cutting at some moment ---- */

typedef struct Cut { const char *path; off_t left; double ms; } Cut;

static void *cut_later(void *arg)
{
    const Cut *c = arg;
    rest_ms(c->ms);
    assert_int_equal(truncate(c->path, c->left), 0);
    return NULL;
}

static void must_be_one_line(const Error *err, const char *name)
{
    if (err->kind == ERROR_NONE || strchr(err->text, '\n') || !strstr(err->text, name))
        fail_msg("kind %d: %s", (int)err->kind, err->text);
}

/* ---- sources ---- */

static void ingest_while_cut(const char *name)
{
    Pool *pool = pool_create(2);
    char whole[420], cut[420];
    int failed = 0;
    double usual = 0;
    snprintf(whole, sizeof whole, "%s", in(name));
    snprintf(cut, sizeof cut, "%s/cut-%s", dir, name);
    write_source(name);
    off_t size = 0;
    for (int round = -1; round < ROUNDS; round++) {
        Error err = {0};
        IngestReport report;
        struct stat st;
        pthread_t thread;
        copy_file(whole, cut);
        assert_int_equal(stat(cut, &st), 0);
        size = st.st_size;
        Cut job = {cut, size / 32 * (1 + round * 7 % 31), usual * (round % 10) / 10};
        assert_true(dir_create(in("out"), &err));
        if (round >= 0)
            pthread_create(&thread, NULL, cut_later, &job);
        double begun = clock_now();
        bool ok = ingest(cut, NULL, in("out"), pool, NULL, NULL, NULL, &report, &err);
        usual = round < 0 ? 1000 * (clock_now() - begun) : usual;
        if (round >= 0)
            pthread_join(thread, NULL);
        if (ok)
            assert_int_equal(report.rows, ROWS);
        else
            must_be_one_line(&err, "cut-");
        assert_int_equal(left_in(in("out")), ok);
        failed += !ok;
        ingest_report_release(&report);
        assert_true(dir_remove(in("out"), &err));
    }
    assert_true(failed >= ROUNDS / 3);
    pool_destroy(pool);
}

static void csv(void **state)
{
    (void)state;
    ingest_while_cut("t.csv");
}

static void arrow(void **state)
{
    (void)state;
    ingest_while_cut("t.arrow");
}

static void parquet(void **state)
{
    (void)state;
    ingest_while_cut("t.parquet");
}

/* ---- datasets ---- */

static Dataset *fresh_dataset(char path[500])
{
    Error err = {0};
    IngestReport report;
    char cut[500];
    if (!file_exists(in("t.arrow")))
        write_source("t.arrow");
    if (!ingest(in("t.arrow"), NULL, dir, NULL, NULL, NULL, NULL, &report, &err))
        fail_msg("%s", err.text);
    snprintf(path, 500, "%s/%s.arrow", dir, report.hash);
    snprintf(cut, 500, "%s/cut.arrow", dir);
    copy_file(path, cut);
    snprintf(path, 500, "%s", cut);
    ingest_report_release(&report);
    Dataset *d = dataset_open(path, &err);
    if (!d)
        fail_msg("%s", err.text);
    return d;
}

/* Every value of a chunk that was handed out before the cut. */
static void views_outlive_the_cut(void **state)
{
    (void)state;
    char path[500];
    for (int part = 0; part < 16; part++) {
        Error err = {0};
        Arena a = {0};
        Text text = {0};
        Chunk chunk[4], some;
        Dataset *d = fresh_dataset(path);
        assert_int_equal(dataset_chunks(d), 4);
        for (size_t i = 0; i < 4; i++)
            assert_true(dataset_read(d, i, &a, &chunk[i], &err));
        assert_true(dataset_sound(d, &err));
        assert_int_equal(truncate(path, (off_t)dataset_bytes(d) * part / 16 + part), 0);
        uint32_t row[500];
        for (uint32_t i = 0; i < 500; i++)
            row[i] = i * 2;
        for (size_t i = 0; i < 4; i++) {
            for (size_t c = 0; c < chunk[i].columns; c++)
                for (size_t k = 0; k < chunk[i].rows; k++) {
                    column_print(&chunk[i].column[c], k, &text);
                    text_reset(&text);
                }
            chunk_gather(&chunk[i], row, 500, &a, &some);
            chunk_slice(&chunk[i], 3, 900, &a, &some);
            csv_print(&some, ',', &text);
        }
        assert_false(dataset_sound(d, &err));
        must_be_one_line(&err, "cut.arrow");
        assert_false(dataset_read(d, 0, &a, &some, NULL));
        dataset_close(d);
        text_release(&text);
        arena_release(&a);
    }
}

static const char rules[] = "drop missing amount\n"
                            "keep upper(`note \"x\"`) like '%7%' or count > 3\n"
                            "derive long = length(`note \"x\"`) + length(city)\n"
                            "dedupe on `note \"x\"`, id\n"
                            "impute city mode\n";

static void cleaned_while_cut(void **state)
{
    (void)state;
    Pool *pool = pool_create(2);
    char path[500];
    double usual = 0;
    int failed = 0;
    for (int round = -1; round < ROUNDS; round++) {
        Error err = {0};
        Dataset *d = fresh_dataset(path);
        Recipe *r = recipe_create();
        pthread_t thread;
        ApplyReport *report = mem_alloc(sizeof *report);
        assert_true(recipe_parse(r, rules, &err));
        Plan *p = plan_create(r, dataset_schema(d), &err);
        if (!p)
            fail_msg("%s", err.text);
        assert_true(dir_create(in("out"), &err));
        Cut job = {path, (off_t)dataset_bytes(d) / 32 * (1 + round * 7 % 31),
                   usual * (round % 10) / 10};
        if (round >= 0)
            pthread_create(&thread, NULL, cut_later, &job);
        double begun = clock_now();
        bool ok = plan_fit(p, d, NULL, pool, NULL, &err) &&
                  plan_apply_dataset(p, d, in("out"), pool, NULL, report, &err);
        usual = round < 0 ? 1000 * (clock_now() - begun) : usual;
        if (round >= 0)
            pthread_join(thread, NULL);
        assert_int_equal(left_in(in("out")), ok);
        if (!ok)
            must_be_one_line(&err, "");
        failed += !ok;
        assert_true(dir_remove(in("out"), NULL));
        plan_destroy(p);
        recipe_destroy(r);
        dataset_close(d);
        mem_free(report);
    }
    assert_true(failed >= ROUNDS / 3);
    pool_destroy(pool);
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return dir_remove(dir, NULL) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv),
        cmocka_unit_test(arrow),
        cmocka_unit_test(parquet),
        cmocka_unit_test(views_outlive_the_cut),
        cmocka_unit_test(cleaned_while_cut),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
