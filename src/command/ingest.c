/* ingest.c -- lathe ingest: a source becomes a dataset of the workspace. */
#include "command_int.h"

#include <lathe/remote.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct IngestSettings {
    char *as;
    bool again;
    IngestOptions options;
} IngestSettings;

/* Rejected rows wait in memory for the transaction that enters the dataset; each is cut to a length
 * that still shows what is wrong with it. */
#define REJECT_TEXT_MOST 400

typedef struct Rejects {
    VEC(RejectRow) row;
    Arena arena;
} Rejects;

static void keep_reject(void *context, const Reject *r)
{
    Rejects *kept = context;
    int n = r->text_size > REJECT_TEXT_MOST ? REJECT_TEXT_MOST : (int)r->text_size;
    vec_add(&kept->row, (RejectRow){.line = (int64_t)r->line,
                                    .reason = arena_text(&kept->arena, r->reason),
                                    .text = arena_printf(&kept->arena, "%.*s", n, r->text)});
}

static json_t *report_json(const char *name, const char *source, const IngestReport *r,
                           const Rejects *rejects)
{
    json_t *o = json_object();
    result_text(o, "dataset", name);
    result_text(o, "hash", r->hash);
    result_text(o, "source", source);
    result_int(o, "rows", (int64_t)r->rows);
    result_int(o, "columns", (int64_t)r->columns);
    result_int(o, "rejects", (int64_t)r->rejects);
    result_int(o, "bytes", (int64_t)r->bytes);
    result_real(o, "seconds", r->seconds);
    if (r->sniffed)
        json_object_set(o, "sniffed", r->sniffed);
    json_t *first = json_array();
    for (size_t i = 0; i < rejects->row.count && i < 5; i++) {
        json_t *row = json_object();
        result_int(row, "line", rejects->row.at[i].line);
        result_text(row, "reason", rejects->row.at[i].reason);
        json_array_append_new(first, row);
    }
    if (json_array_size(first))
        json_object_set_new(o, "first_rejects", first);
    else
        json_decref(first);
    return o;
}

/* A relative path means nothing from elsewhere, so lineage keeps the whole one. */
static char *source_name(const char *source, Arena *a)
{
    if (fetch_knows(source))
        return fetch_public_name(source, a); /* secrets are never stored */
    if (!strcmp(source, "-"))
        return arena_text(a, source);
    char *whole = realpath(source, NULL), *here = whole || *source == '/' ? NULL : getcwd(NULL, 0);
    char *kept = here ? arena_printf(a, "%s/%s", here, source) : arena_text(a, whole ? whole : source);
    free(whole), free(here);
    return kept;
}

static bool enter(Store *s, const char *name, const char *source, const IngestReport *report,
                  const Rejects *rejects, Error *err)
{
    char *sniffed = report->sniffed ? json_dumps(report->sniffed, JSON_COMPACT) : NULL;
    DatasetRow row = {.hash = report->hash,
                      .name = name,
                      .source = source,
                      .source_tag = report->source_tag,
                      .parent = "",
                      .recipe = "",
                      .plan = "",
                      .sniffed = sniffed ? sniffed : "{}",
                      .rejects = (int64_t)report->rejects};
    bool ok = run_dataset_enter(s, &row, rejects->row.at, rejects->row.count, err);
    free(sniffed);
    return ok;
}

/* ---- what was read already -------------------------------------------------------------------- */

/* The settings of reading that differ from the usual: with the source they say what is read. */
static json_t *options_json(const IngestOptions *options)
{
    json_t *o = json_object();
    Text value = {0}, usual = {0};
    for (const Param *p = ingest_params; p->kind != PARAM_KIND_END; p++) {
        text_reset(&value), text_reset(&usual);
        param_get(p, options, &value);
        param_default(p, &usual);
        if (strcmp(text_str(&value), text_str(&usual)) != 0)
            result_text(o, p->name, text_str(&value));
    }
    text_release(&value), text_release(&usual);
    return o;
}

static bool read_the_same(const DatasetRow *row, const char *source, const json_t *options)
{
    if (*row->parent || !*row->source_tag || strcmp(row->source, source) != 0)
        return false;
    json_t *sniffed = json_loads(row->sniffed, 0, NULL);
    bool same = json_equal(json_object_get(sniffed, "options"), options);
    json_decref(sniffed);
    return same;
}

/* The newest dataset that was read from the source, if the source is still as it was then. */
static bool find_unchanged(Store *s, const char *source, const IngestOptions *options, Arena *a,
                           DatasetRow *out)
{
    DatasetRow *rows;
    size_t n;
    Error ignored = {0};
    const char *name = source_name(source, a);
    json_t *asked = options_json(options);
    bool found = false;
    if (strcmp(source, "-") != 0 && store_datasets(s, a, &rows, &n, &ignored))
        for (size_t i = 0; i < n && !found; i++)
            if ((found = read_the_same(&rows[i], name, asked)))
                *out = rows[i];
    json_decref(asked);
    return found && file_exists(store_path(s, a, "datasets/%s.arrow", out->hash)) &&
           !source_changed(source, out->source_tag);
}

/* The dataset that is there gets the name, unless it has it. */
static bool name_unchanged(Store *s, const char *name, const DatasetRow *row, Arena *a, Error *err)
{
    DatasetRow now;
    ColumnRow *columns;
    size_t n;
    Error ignored = {0};
    if (store_dataset_find(s, name, a, &now, &ignored) && strcmp(now.hash, row->hash) == 0)
        return true;
    DatasetRow named = *row;
    named.name = name;
    named.created = 0;
    return store_dataset_columns(s, row->hash, a, &columns, &n, err) &&
           store_dataset_add(s, &named, columns, n, err);
}

static bool give_unchanged(Store *s, const char *name, const DatasetRow *row, Arena *a,
                           json_t **result, Error *err)
{
    if (!name_unchanged(s, name, row, a, err))
        return false;
    *result = json_object();
    result_text(*result, "dataset", name);
    result_text(*result, "hash", row->hash);
    result_text(*result, "source", row->source);
    result_int(*result, "rows", row->rows);
    result_int(*result, "columns", row->columns);
    result_int(*result, "rejects", row->rejects);
    result_time(*result, "read", row->created);
    json_object_set_new(*result, "unchanged", json_true());
    return true;
}

/* ---- the verb --------------------------------------------------------------------------------- */

static bool read_anew(CommandCall *call, Store *s, const char *name, json_t **result, Error *err)
{
    const IngestSettings *set = call->settings;
    const char *source = call_word(call, 0);
    Arena arena = {0};
    Rejects rejects = {0};
    IngestReport report = {0};
    bool ok = ingest(source, &set->options, store_path(s, &arena, "datasets"), call->pool,
                     keep_reject, &rejects, call->progress, &report, err);
    if (ok && report.sniffed)
        json_object_set_new(report.sniffed, "options", options_json(&set->options));
    ok = ok && enter(s, name, source_name(source, &arena), &report, &rejects, err);
    if (ok)
        *result = report_json(name, source_name(source, &arena), &report, &rejects);
    ingest_report_release(&report);
    vec_release(&rejects.row);
    arena_release(&rejects.arena);
    arena_release(&arena);
    return ok;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const IngestSettings *set = call->settings;
    const char *source = call_word(call, 0);
    Arena arena = {0};
    DatasetRow row;
    const char *name = set->as && *set->as ? set->as : workspace_name_of(source, &arena);
    bool typed = call->screen && strcmp(source, "-") == 0;
    if (typed)
        error_set(err, ERROR_USAGE, "ingest -: the workbench has no standard input to read");
    Store *s = !typed && workspace_name_check(name, err) ? call_store(call, STORE_WRITE, err) : NULL;
    bool ok = s != NULL;
    if (ok && !set->again && find_unchanged(s, source, &set->options, &arena, &row))
        ok = give_unchanged(s, name, &row, &arena, result, err);
    else if (ok)
        ok = read_anew(call, s, name, result, err);
    store_close(s);
    arena_release(&arena);
    return ok;
}

/* "12 float64, 3 text": the types with how many columns have each */
static void count_types(const json_t *columns, Text *into)
{
    for (int t = 0; t < COLUMN_TYPE_COUNT; t++) {
        size_t i, n = 0;
        json_t *column;
        json_array_foreach(columns, i, column) {
            const char *type = json_string_value(json_object_get(column, "type"));
            n += type && strcmp(type, column_type_name((ColumnType)t)) == 0;
        }
        if (n)
            text_printf(into, "%s%zu %s", into->count ? ", " : "", n,
                        column_type_name((ColumnType)t));
    }
}

/* "rate, share: 45 stands for 45%" */
static void list_percent(const json_t *columns, Text *into)
{
    size_t i;
    json_t *column;
    json_array_foreach(columns, i, column)
        if (json_object_get(column, "unit"))
            text_printf(into, "%s%s", into->count ? ", " : "",
                        json_string_value(json_object_get(column, "name")));
    if (into->count)
        text_puts(into, ": 45 stands for 45%");
}

static const char *text_of(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_string(v) ? json_string_value(v) : json_is_true(v) ? "yes" : "no";
}

static void print(const json_t *result, size_t width, Text *into)
{
    const json_t *sniffed = json_object_get(result, "sniffed");
    json_t *brief = json_object(), *v;
    const char *key;
    Text types = {0};
    json_object_foreach((json_t *)(uintptr_t)result, key, v) {
        if (v != sniffed && !json_is_array(v))
            json_object_set(brief, key, v);
        if (strcmp(key, "columns") == 0 && sniffed) {
            count_types(json_object_get(sniffed, "columns"), &types);
            result_text(brief, "types", text_str(&types));
        }
    }
    if (json_object_get(sniffed, "format"))
        result_text(brief, "format", text_of(sniffed, "format"));
    else if (sniffed) {
        text_reset(&types);
        text_printf(&types, "delimiter %s, quote %s, header %s, %s", text_of(sniffed, "delimiter"),
                    text_of(sniffed, "quote"), text_of(sniffed, "header"), text_of(sniffed, "encoding"));
        result_text(brief, "guessed", text_str(&types));
        Text percent = {0};
        list_percent(json_object_get(sniffed, "columns"), &percent);
        if (percent.count)
            result_text(brief, "percent", text_str(&percent));
        if (json_object_get(sniffed, "left_out"))
            result_text(brief, "left_out", text_of(sniffed, "left_out"));
        text_release(&percent);
        if (json_array_size(json_object_get(sniffed, "widened")))
            json_object_set(brief, "widened", json_object_get(sniffed, "widened"));
        if (json_array_size(json_object_get(sniffed, "differences")))
            json_object_set(brief, "differences", json_object_get(sniffed, "differences"));
    }
    json_t *rejects = json_object_get(result, "first_rejects");
    if (rejects)
        json_object_set(brief, "first_rejects", rejects);
    command_print(NULL, brief, width, into);
    if (json_is_true(json_object_get(result, "unchanged")))
        text_puts(into, "The source has not changed since it was read: nothing was fetched (again=yes "
                        "reads it anew).\n");
    text_release(&types);
    json_decref(brief);
}

static const Arg args[] = {
    {.name = "SRC", .kind = ARG_FILE, .about = "a path, a glob, an http(s) address, s3://BUCKET/KEY, s3://BUCKET/PREFIX/ or a glob of keys, or - for standard input; gzip and zstd by content"},
    ARG_END};

static const Param params[] = {
    PARAM_TEXT(IngestSettings, as, "as", "", "the dataset's name; from the file's name when not given"),
    PARAM_BOOL(IngestSettings, again, "again", 0, "reads a source anew although it has not changed"),
    PARAM_END};

const Command ingest_command = {
    .name = "ingest",
    .about = "reads a table into the workspace as a dataset",
    .details = "What is guessed (delimiter, header, types, words for missing) is printed and can be\n"
               "overridden by a setting. Bad rows never stop an ingest: they are kept with line and reason.\n"
               "A header alone is a table without rows. Where all values of a column end in a percent sign it is\n"
               "a number, 45% is 45, and `lathe data` says percent beside its type. A last column without name\n"
               "and values, where each line ends in a delimiter, is left out.\n"
               "The files of a glob, or the objects of an s3:// prefix, become one dataset: columns are matched\n"
               "by name, a file that lacks one has its values missing, and what files differ in is said.\n"
               "A source that was read before with the same settings and has not changed since (ETag; size\n"
               "and time) is not fetched again: the dataset there is gets the name.",
    .example = "lathe ingest sample-data/taxi_2019_01.csv as=trips_jan",
    .args = args,
    .params = params,
    .params_size = sizeof(IngestSettings),
    .shared = ingest_params, /* what sniffing guesses and the user may say */
    .shared_at = offsetof(IngestSettings, options),
    .run = run,
    .print = print,
};
