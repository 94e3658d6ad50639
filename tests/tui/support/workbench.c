/* workbench.c -- see workbench.h. */
#include "workbench.h"

#include "tui/tui.h"

#include <lathe/data.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define PATIENCE 20.0 /* seconds; other work may share the machine */

Bench bench;

typedef struct Start {
    Bench *bench;
    const char *pane;
} Start;

static int run_workbench(void *context)
{
    const Start *s = context;
    Error err = {0};
    TuiOptions o = {.workspace = s->bench->workspace,
                    .program = s->bench->program ? s->bench->program : LATHE_PROGRAM,
                    .pane = s->pane};
    if (tui_main(&o, &err))
        return 0;
    fprintf(stderr, "%s\n", err.text);
    return 1;
}

void bench_make(Bench *b)
{
    *b = (Bench){0};
    snprintf(b->dir, sizeof b->dir, "/tmp/lathe-tui-XXXXXX");
    if (!mkdtemp(b->dir))
        abort();
    snprintf(b->workspace, sizeof b->workspace, "%s/work", b->dir);
}

static void must(bool ok, const Error *err)
{
    if (!ok) {
        fprintf(stderr, "%s\n", err->text);
        abort();
    }
}

static void build_rows(Arena *a, size_t from, size_t rows, Column *out)
{
    static const char *const cities[] = {"Anacostia", "Brookland", "Capitol Hill", "Dupont",
                                         "Eckington"};
    ColumnBuild *id = column_build(a, "id", COLUMN_INT, rows),
                *fare = column_build(a, "fare", COLUMN_REAL, rows);
    ColumnBuild *miles = column_build(a, "miles", COLUMN_REAL, rows);
    ColumnBuild *city = column_build(a, "city", COLUMN_TEXT, rows),
                *day = column_build(a, "day", COLUMN_DATE, rows);
    ColumnBuild *paid = column_build(a, "paid", COLUMN_BOOL, rows);
    Rng rng;
    rng_seed(&rng, 7, from);
    for (size_t i = from; i < from + rows; i++) {
        double m = round((0.5 + 8 * rng_unit(&rng) * rng_unit(&rng)) * 10) / 10;
        column_build_int(id, (int64_t)i + 1);
        column_build_real(fare, round((3.25 + 2.16 * m + rng_normal(&rng)) * 100) / 100);
        if (i % 10 == 3)
            column_build_missing(miles);
        else
            column_build_real(miles, m);
        const char *name = cities[rng_below(&rng, 5)];
        column_build_text(city, name, strlen(name));
        column_build_int(day, date_days(2016, 9, 1) + (int64_t)(i % 30));
        column_build_int(paid, i % 3 != 0);
    }
    ColumnBuild *all[] = {id, fare, miles, city, day, paid};
    for (size_t i = 0; i < 6; i++)
        column_build_finish(all[i], &out[i]);
}

const char *bench_dataset(Bench *b, const char *name, size_t rows)
{
    static char hash[65];
    Error err = {0};
    Arena a = {0};
    Schema s = {0};
    schema_add(&s, "id", COLUMN_INT, ROLE_ID);
    schema_add(&s, "fare", COLUMN_REAL, ROLE_TARGET);
    schema_add(&s, "miles", COLUMN_REAL, ROLE_FEATURE);
    schema_add(&s, "city", COLUMN_TEXT, ROLE_FEATURE);
    schema_add(&s, "day", COLUMN_DATE, ROLE_TIMELINE);
    schema_add(&s, "paid", COLUMN_BOOL, ROLE_FEATURE);
    Store *store = store_open(b->workspace, STORE_WRITE, &err);
    must(store != NULL, &err);
    char *dir = store_path(store, &a, "datasets");
    must(dir_create(dir, &err), &err);
    DatasetWriter *w = dataset_writer_create(dir, &s, NULL, &err);
    must(w != NULL, &err);
    for (size_t from = 0; from < rows; from += 50000) {
        Arena piece = {0};
        Column column[6];
        Chunk chunk = {.rows = rows - from < 50000 ? rows - from : 50000,
                       .columns = 6,
                       .column = column,
                       .first = from};
        build_rows(&piece, from, chunk.rows, column);
        must(dataset_writer_add(w, &chunk, &err), &err);
        arena_release(&piece);
    }
    must(dataset_writer_finish(w, hash, &err), &err);
    dataset_writer_destroy(w);
    ColumnRow columns[6];
    for (size_t i = 0; i < 6; i++)
        columns[i] = (ColumnRow){.name = s.field[i].name,
                                 .type = column_type_name(s.field[i].type),
                                 .role = role_name(s.field[i].role),
                                 .least = "",
                                 .most = ""};
    RejectRow reject = {.line = 17, .reason = "expected 6 fields, found 5", .text = "17,3.5,x"};
    DatasetRow row = {.hash = hash,
                      .name = name,
                      .source = "made by a test",
                      .source_tag = "",
                      .parent = "",
                      .recipe = "",
                      .plan = "",
                      .sniffed = "{}",
                      .rows = (int64_t)rows,
                      .columns = 6,
                      .bytes = 1000,
                      .rejects = 1,
                      .created = time_now()};
    must(store_dataset_add(store, &row, columns, 6, &err) != 0, &err);
    must(store_rejects_add(store, hash, &reject, 1, &err), &err);
    store_close(store);
    schema_release(&s);
    arena_release(&a);
    return hash;
}

Term *bench_open(Bench *b, int rows, int cols, const char *pane, const char *const *env)
{
    Start s = {b, pane};
    b->term = term_open(rows, cols, run_workbench, &s, env);
    return b->term;
}

int bench_close(Bench *b)
{
    Error err = {0};
    int status = b->term ? term_close(b->term) : 0;
    b->term = NULL;
    if (!dir_remove(b->dir, &err))
        fprintf(stderr, "%s\n", err.text);
    return status;
}

/* ---- of the test that runs ---------------------------------------------------------------------- */

int bench_begin(void **state)
{
    (void)state;
    bench_make(&bench);
    return 0;
}

int bench_end(void **state)
{
    (void)state;
    int status = bench_close(&bench);
    bench = (Bench){0};
    return status == 0 ? 0 : -1;
}

int bench_start(size_t rows, int high, int wide, const char *pane, const char *text)
{
    bench_make(&bench);
    bench_dataset(&bench, "trips", rows);
    Term *t = bench_open(&bench, high, wide, pane, NULL);
    bool shown = term_wait(t, text, PATIENCE);
    if (!shown)
        term_print(t);
    term_settle(t);
    return shown ? 0 : -1;
}

void term_see(Term *t, const char *text)
{
    if (term_wait(t, text, PATIENCE))
        return;
    term_print(t);
    fail_msg("'%s' is not on the screen", text);
}

void see(const char *text)
{
    term_see(bench.term, text);
}

void gone(const char *text)
{
    if (term_wait_gone(bench.term, text, PATIENCE))
        return;
    term_print(bench.term);
    fail_msg("'%s' is still on the screen", text);
}

Store *bench_store(void)
{
    Error err = {0};
    Store *s = store_open(bench.workspace, STORE_WRITE, &err);
    if (!s)
        fail_msg("%s", err.text);
    return s;
}

void bench_ingest(const char *name, Text *csv)
{
    Error err = {0};
    char path[160], line[200];
    snprintf(path, sizeof path, "%s/%s.csv", bench.dir, name);
    if (!file_write(path, text_str(csv), csv->count, &err))
        fail_msg("%s", err.text);
    text_release(csv);
    snprintf(line, sizeof line, "ingest %s as=%s", path, name);
    command(line);
}

void command(const char *line)
{
    term_press(bench.term, ":");
    term_settle(bench.term);
    term_type(bench.term, line);
    term_press(bench.term, "Enter");
}
