/* data_parts.c -- several files as one table: columns matched by name, whatever their order and number. */
#include "data/reader_test.h"

static void write_files(const char *dir, const char *const *text)
{
    for (int i = 0; text[i]; i++) {
        char name[20];
        snprintf(name, sizeof name, "part%d.csv", i);
        mem_free(put(dir, name, text[i], 0));
    }
}

/* The ingested table of dir/part*.csv, read back as CSV; "error: ..." when it is refused. */
static char *ingested(const char *dir, const char *const *text, json_t **differences)
{
    Text glob = {0}, out = {0};
    IngestReport report;
    Error err = {0};
    Arena a = {0};
    for (int i = 0; i < 5; i++) {
        Text path = {0};
        text_printf(&path, "%s/part%d.csv", dir, i);
        remove(path.at);
        text_release(&path);
    }
    write_files(dir, text);
    text_printf(&glob, "%s/part*.csv", dir);
    bool ok = ingest(glob.at, NULL, dir, NULL, NULL, NULL, NULL, &report, &err);
    Dataset *d = ok ? dataset_open(arena_printf(&a, "%s/%s.arrow", dir, report.hash), &err) : NULL;
    for (size_t i = 0; d && i < dataset_chunks(d); i++) {
        Chunk c;
        dataset_chunk(d, i, &a, &c);
        if (!i)
            csv_print_header(&c, ',', &out);
        csv_print(&c, ',', &out);
    }
    if (!d)
        text_printf(&out, "error: %s", err.text);
    if (differences)
        *differences = ok ? json_incref(json_object_get(report.sniffed, "differences")) : NULL;
    if (ok)
        ingest_report_release(&report);
    dataset_close(d);
    arena_release(&a);
    text_release(&glob);
    return text_take(&out);
}

static void columns_are_matched_by_name(void **state)
{
    const char *const files[] = {"a,b,c\n1,x,2\n", "c,a,b\n5,3,z\n", NULL};
    json_t *differences;
    char *table = ingested(*state, files, &differences);
    assert_string_equal(table, "a,b,c\n1,x,2\n3,z,5\n");
    assert_int_equal(json_array_size(differences), 0);
    json_decref(differences);
    mem_free(table);
}

static void files_may_lack_columns_and_bring_more(void **state)
{
    const char *const files[] = {"a,b\n1,x\n2,y\n", "b,day\nz,2020-01-02\n",
                                 "a,b,more\n7,u,0.5\n8,v,word\n", NULL};
    json_t *differences;
    char *table = ingested(*state, files, &differences);
    assert_string_equal(table, "a,b,day,more\n1,x,,\n2,y,,\n,z,2020-01-02,\n7,u,,0.5\n8,v,,word\n");
    assert_int_equal(json_array_size(differences), 3);
    const json_t *a = json_array_get(differences, 0), *day = json_array_get(differences, 1);
    assert_string_equal(json_string_value(json_object_get(a, "column")), "a");
    assert_int_equal(json_integer_value(json_object_get(a, "files")), 2);
    assert_int_equal(json_integer_value(json_object_get(a, "of")), 3);
    assert_true(text_ends(json_string_value(json_object_get(a, "not_in")), "part1.csv"));
    assert_string_equal(json_string_value(json_object_get(day, "column")), "day");
    assert_int_equal(json_integer_value(json_object_get(day, "files")), 1);
    json_decref(differences);
    mem_free(table);
}

/* A number in one file, words in the next; in a column that the first file does not have. */
static void types_hold_for_all_files(void **state)
{
    const char *const files[] = {"a\n1\n", "a,n\n2.5,1\n", "n,a\nword,3\n", NULL};
    char *table = ingested(*state, files, NULL);
    assert_string_equal(table, "a,n\n1,\n2.5,1\n3,word\n");
    mem_free(table);
}

static void strangers_are_refused(void **state)
{
    const char *const files[] = {"a,b\n1,2\n", "x;y\n3;4\n", NULL};
    char *said = ingested(*state, files, NULL);
    assert_non_null(strstr(said, "part1.csv: has no column that "));
    mem_free(said);
}

static void count_reject(void *context, const Reject *r)
{
    assert_non_null(strstr(r->reason, "part"));
    ++*(int *)context;
}

static void rejected_rows_are_told_once_over_all_passes(void **state)
{
    const char *const files[] = {"a,b\n1,2\n3\n", "a,b,c\n4,5,6\n7,8\n", NULL};
    mem_free(ingested(*state, files, NULL));
    Text glob = {0};
    Error err = {0};
    IngestReport report;
    IngestOptions all = {.skip = -1, .reject_limit = 1};
    int told = 0;
    text_printf(&glob, "%s/part*.csv", (char *)*state);
    assert_true(ingest(glob.at, &all, *state, NULL, count_reject, &told, NULL, &report, &err));
    assert_int_equal(report.rows, 2);
    assert_int_equal(report.rejects, 2);
    assert_int_equal(told, 2);
    ingest_report_release(&report);
    text_release(&glob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_matched_by_name),
        cmocka_unit_test(files_may_lack_columns_and_bring_more),
        cmocka_unit_test(types_hold_for_all_files),
        cmocka_unit_test(strangers_are_refused),
        cmocka_unit_test(rejected_rows_are_told_once_over_all_passes),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
