/* watch_lineage.c -- from one prediction to the bytes it came from: what was sent, what each line of the recipes made of
 * it, model, run, dataset, source; and the line of the source that is most like it among those the model learnt from. */
#include "watch_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_LINEAGE = 2 };
#define LINE_MOST 4096

/* ---- what the recipe did ---------------------------------------------------------------------------------------------- */

static void add_value(ColumnBuild *b, const Field *f, const json_t *v)
{
    const char *s = json_string_value(v);
    int64_t t;
    if (f->type == COLUMN_TEXT && s)
        column_build_text(b, s, strlen(s));
    else if (f->type == COLUMN_REAL && json_is_number(v))
        column_build_real(b, json_number_value(v));
    else if (f->type == COLUMN_INT && json_is_integer(v))
        column_build_int(b, json_integer_value(v));
    else if (f->type == COLUMN_BOOL && json_is_boolean(v))
        column_build_int(b, json_is_true(v));
    else if ((f->type == COLUMN_TIME || f->type == COLUMN_DATE) && s) {
        char plain[40];
        snprintf(plain, sizeof plain, "%.30s", s);
        if (strlen(plain) > 10 && plain[10] == 'T')
            plain[10] = ' ';
        plain[strcspn(plain, "Z")] = 0;
        if (!time_parse(plain, strlen(plain), &t))
            column_build_missing(b);
        else
            column_build_int(b, f->type == COLUMN_TIME ? t : t / INT64_C(86400000000));
    } else
        column_build_missing(b);
}

static void row_chunk(const Schema *s, const json_t *inputs, Arena *a, Chunk *out)
{
    Column *column = ARENA_NEW(a, Column, s->count + 1);
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->field[i].role == ROLE_TARGET)
            continue;
        ColumnBuild *b = column_build(a, s->field[i].name, s->field[i].type, 1);
        add_value(b, &s->field[i], json_object_get(inputs, s->field[i].name));
        column_build_finish(b, &column[n++]);
    }
    *out = (Chunk){.rows = 1, .columns = n, .column = column};
}

static void print_changes(const Chunk *before, const Chunk *after, Text *into)
{
    Text was = {0}, is = {0};
    for (size_t i = 0; after->rows && i < after->columns; i++) {
        const Column *old = chunk_find(before, after->column[i].name);
        text_reset(&was);
        text_reset(&is);
        column_print(&after->column[i], 0, &is);
        if (old)
            column_print(old, 0, &was);
        if (!old && is.count)
            text_printf(into, "            %s = %s\n", after->column[i].name, text_str(&is));
        else if (old && strcmp(text_str(&was), text_str(&is)) != 0)
            text_printf(into, "            %s: %s -> %s\n", after->column[i].name, text_str(&was), text_str(&is));
    }
    text_release(&was);
    text_release(&is);
}

/* Every recipe of the bundle, its lines numbered, and what became of this row. */
static void print_recipes(const Bundle *b, const Chunk *row, Arena *a, Text *into)
{
    Chunk now = *row;
    for (size_t i = 0; i < bundle_plans(b); i++) {
        Error err = {0};
        Chunk next;
        uint16_t reason = 0;
        size_t number = 0;
        json_t *saved = plan_to_json(bundle_plan(b, i));
        char *text = text_copy(json_string_value(json_object_get(saved, "recipe"))), *rest = text, *line;
        bool ok = plan_apply_traced(bundle_plan(b, i), NULL, &now, a, &next, &reason, &err);
        text_printf(into, "recipe %zu\n", i + 1);
        while (rest && (line = strsep(&rest, "\n")))
            if (*line) {
                number++;
                text_printf(into, "   line %-3zu %s%s\n", number, line, number == reason ? "      <- drops this row" : "");
            }
        if (!ok)
            text_printf(into, "            %s\n", err.text);
        else
            print_changes(&now, &next, into);
        mem_free(text);
        json_decref(saved);
        if (!ok || !next.rows)
            return;
        Column *kept = ARENA_NEW(a, Column, next.columns + 1);
        size_t n = 0; /* the next recipe must not take a target that is not known for one that is missing */
        for (size_t k = 0; k < next.columns; k++)
            if (!text_equal(next.column[k].name, features_target(bundle_features(b))))
                kept[n++] = next.column[k];
        now = next;
        now.column = kept;
        now.columns = n;
    }
}

/* ---- the row most like it ------------------------------------------------------------------------------------------------ */

/* How far apart two values are: in deviations; other words 1. */
static double apart(const Column *x, const Column *y, size_t row, double deviation)
{
    size_t n, m;
    if (!column_has(x, 0) || !column_has(y, row))
        return column_has(x, 0) == column_has(y, row) ? 0 : 1;
    if (x->type != y->type)
        return 1;
    if (x->type == COLUMN_TEXT) {
        const char *s = column_text(x, 0, &n), *t = column_text(y, row, &m);
        return n == m && memcmp(s, t, n) == 0 ? 0 : 1;
    }
    double d = (column_real(x, 0) - column_real(y, row)) / (deviation > 0 ? deviation : 1);
    return isfinite(d) ? d * d : 1;
}

static bool nearest(JobContext *c, const Bundle *b, const Dataset *d, const Chunk *row, uint64_t *at, double *distance)
{
    const Features *f = bundle_features(b);
    const Profile *p = dataset_profile(d);
    Arena a = {0};
    *distance = INFINITY;
    for (size_t i = 0; i < dataset_chunks(d) && !job_stopped(c); i++) {
        Chunk chunk;
        dataset_chunk(d, i, &a, &chunk);
        double *sum = ARENA_NEW(&a, double, chunk.rows + 1);
        for (size_t k = 0; k < row->columns; k++) {
            const Column *have = chunk_find(&chunk, row->column[k].name);
            const ColumnProfile *of = profile_find(p, row->column[k].name);
            bool input = bundle_plans(b) > 0;
            for (size_t n = 0; n < features_inputs(f); n++)
                input = input || strcmp(features_input(f, n), row->column[k].name) == 0;
            if (have && input && column_has(&row->column[k], 0))
                for (size_t n = 0; n < chunk.rows; n++)
                    sum[n] += apart(&row->column[k], have, n, of ? of->deviation : 1);
        }
        for (size_t n = 0; n < chunk.rows; n++)
            if (sum[n] < *distance) {
                *distance = sum[n];
                *at = chunk.first + n;
            }
        arena_reset(&a);
    }
    arena_release(&a);
    return isfinite(*distance);
}

/* A table that grew by feedback: the hash of what it grew from; "" else. */
static const char *grown_from(const DatasetRow *row, Arena *a)
{
    json_t *j = *row->sniffed ? json_loads(row->sniffed, 0, NULL) : NULL;
    const char *from = json_string_value(json_object_get(j, "grown_from"));
    from = from ? arena_text(a, from) : "";
    json_decref(j);
    return from;
}

/* How many rows of that one it has, its newest; then come those of the log. */
static uint64_t kept_of(const DatasetRow *row, uint64_t older)
{
    json_t *j = *row->sniffed ? json_loads(row->sniffed, 0, NULL) : NULL, *kept = json_object_get(j, "kept");
    uint64_t n = json_is_integer(kept) && json_integer_value(kept) >= 0 ? (uint64_t)json_integer_value(kept) : older;
    json_decref(j);
    return n < older ? n : older;
}

/* The line of a plain local file in which a row stands: the heading, and what was rejected before it. */
static void print_line(Store *s, const DatasetRow *of, uint64_t row, bool private, Arena *a, Text *into)
{
    DatasetRow now = *of;
    const DatasetRow *root = &now;
    RejectRow *rejects;
    size_t n = 0;
    uint64_t line = row + 1;
    char text[LINE_MOST];
    for (const char *from; *(from = grown_from(&now, a));) { /* its first rows are the last of the older table */
        DatasetRow older;
        if (!store_dataset_find(s, from, a, &older, NULL))
            return;
        uint64_t kept = kept_of(&now, (uint64_t)older.rows);
        if (row >= kept) {
            text_printf(into, "     an earlier prediction and its feedback, row %llu of those that joined %s\n",
                        (unsigned long long)(row - kept) + 1, now.name);
            return;
        }
        row += (uint64_t)older.rows - kept;
        line = row + 1;
        now = older;
    }
    json_t *sniffed = json_loads(root->sniffed, 0, NULL);
    line += !json_is_false(json_object_get(sniffed, "header"));
    line += (uint64_t)json_integer_value(json_object_get(sniffed, "skip"));
    json_decref(sniffed);
    if (store_rejects(s, root->hash, 1000000, a, &rejects, &n, NULL))
        for (size_t i = 0; i < n && rejects[i].line <= (int64_t)line; i++)
            line++;
    FILE *in = private || strstr(root->source, "://") ? NULL : fopen(root->source, "re");
    text_printf(into, "     source line %llu of %s%s\n", (unsigned long long)line, root->source,
                private ? ", not shown: it has private columns" : "");
    for (uint64_t at = 0; in && at < line; at++)
        if (!fgets(text, sizeof text, in)) {
            fclose(in);
            return;
        }
    if (in && utf8_valid(text, strcspn(text, "\r\n")))
        text_printf(into, "     %.*s\n", (int)strcspn(text, "\r\n"), text);
    if (in)
        fclose(in);
}

static void print_like(JobContext *c, Store *s, const Bundle *b, const DatasetRow *root, const Chunk *row, Arena *a, Text *into)
{
    Error none = {0};
    uint64_t at = 0;
    double distance;
    Dataset *d = dataset_open(store_path(s, a, "datasets/%s.arrow", root->hash), &none);
    if (d && nearest(c, b, d, row, &at, &distance)) {
        Chunk chunk;
        size_t in_chunk, chunk_at = dataset_locate(d, at, &in_chunk);
        Text value = {0};
        Schema schema = {0};
        bool private = !run_schema(s, root->hash, &schema, &none);
        for (size_t k = 0; k < schema.count; k++)
            private |= schema.field[k].private;
        text_printf(into, "\nmost like it  row %llu of %s (distance %.3g)\n", (unsigned long long)at + 1, root->name, sqrt(distance));
        print_line(s, root, at, private, a, into);
        if (dataset_read(d, chunk_at, a, &chunk, &none))
            for (size_t k = 0; k < chunk.columns; k++) {
                text_reset(&value);
                size_t of = schema_find(&schema, chunk.column[k].name);
                if (of == SIZE_MAX || schema.field[of].private)
                    text_puts(&value, "***");
                else
                    column_print(&chunk.column[k], in_chunk, &value);
                text_printf(into, "     %-24s %s\n", chunk.column[k].name, text_str(&value));
            }
        text_release(&value);
        schema_release(&schema);
    }
    dataset_close(d);
}

/* ---- the whole way -------------------------------------------------------------------------------------------------------- */

static void print_prediction(const PredictionRow *p, Text *into)
{
    json_t *inputs = json_loads(p->inputs, 0, NULL), *v;
    const char *key;
    text_printf(into, "prediction    %lld, row of table predictions in predictions.db\n", (long long)p->id);
    text_puts(into, "     time     ");
    time_format(p->time, into);
    text_printf(into, "\n     role     %s of deployment %s, %.3g ms\n", p->role, p->deployment, p->latency * 1000);
    if (isnan(p->output))
        text_puts(into, "     said     nothing: a rule drops the row\n");
    else
        text_printf(into, "     said     %.9g  %s\n", p->output, p->said);
    if (p->truth_time)
        text_printf(into, "     truth    %.9g  %s\n", p->truth, p->truth_said);
    text_puts(into, "     inputs\n");
    json_object_foreach(inputs, key, v)
    {
        char *word = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        text_printf(into, "        %-20s %s\n", key, word ? word : "");
        free(word);
    }
    json_decref(inputs);
}

static bool print_datasets(Store *s, const char *hash, Arena *a, DatasetRow *root, Text *into, Error *err)
{
    DatasetRow last, *row;
    size_t n;
    if (!store_dataset_find(s, hash, a, &last, err) || !store_dataset_line(s, &last, a, &row, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        text_printf(into, "dataset       %s, datasets/%s.arrow\n", row[i].name, row[i].hash);
        text_printf(into, "     rows     %lld, %lld columns, %lld lines rejected\n", (long long)row[i].rows,
                    (long long)row[i].columns, (long long)row[i].rejects);
        if (i < n - 1)
            text_puts(into, "     made by  the recipe above from\n");
        else
            text_printf(into, "     source   %s  %s\n", row[i].source, row[i].source_tag);
    }
    *root = row[n - 1];
    DatasetRow older = *root; /* root stays what the model's rows are of */
    for (const char *from; *(from = grown_from(&older, a));) {
        if (!store_dataset_find(s, from, a, &older, err))
            return false;
        text_printf(into, "grown from    %s, datasets/%s.arrow\n     source   %s  %s\n", older.name, older.hash, older.source,
                    older.source_tag);
    }
    return true;
}

static bool print_way(JobContext *c, Store *s, const PredictionRow *p, Arena *a, Text *into, Error *err)
{
    ModelRow model;
    RunRow run;
    DatasetRow root = {0};
    const char *path;
    Chunk row;
    print_prediction(p, into);
    if (!store_model_get(s, p->model, a, &model, err) || !store_run_get(s, model.run, a, &run, err))
        return false;
    text_printf(into, "\nmodel         %s/%lld%s%s, %s\n     weights  sha256 %s\n", model.name, (long long)model.version,
                *model.alias ? " " : "", model.alias, model.path, model.hash);
    text_printf(into, "run           %lld %s, %s of %s, split %s, seed %lld, lathe %s\n", (long long)run.id, run.name, run.family,
                run.target, run.split, (long long)run.seed, run.version);
    path = store_path(s, a, "%s", model.path);
    Bundle *b = bundle_open(path, job_pool(c), err);
    if (!b)
        return false;
    json_t *inputs = json_loads(p->inputs, 0, NULL);
    row_chunk(bundle_schema(b), inputs, a, &row);
    json_decref(inputs);
    print_recipes(b, &row, a, into);
    bool ok = print_datasets(s, run.dataset, a, &root, into, err);
    if (ok)
        print_like(c, s, b, &root, &row, a, into);
    bundle_close(b);
    return ok;
}

static void *find_way(JobContext *c, void *input, Error *err)
{
    const int64_t *id = input;
    Arena a = {0};
    Text out = {0};
    PredictionRow p;
    Store *s = job_store(c, err);
    PredictionLog *log = s ? prediction_log_open(job_workspace(c), STORE_READ, err) : NULL;
    bool ok = log && prediction_log_get(log, *id, &a, &p, err) && print_way(c, s, &p, &a, &out, err);
    prediction_log_close(log);
    arena_release(&a);
    char *text = ok ? text_take(&out) : NULL;
    text_release(&out);
    return text;
}

static void way_found(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)owner;
    (void)err; /* the frame has said it */
    if (result)
        ui_view(ui, "From the prediction to the bytes", result);
    mem_free(result);
}

void watch_lineage(WatchState *s, int64_t prediction)
{
    ui_job(s->ui, (Job){.owner = s, .slot = SLOT_LINEAGE, .what = "following a prediction", .run = find_way,
                        .input = mem_copy(&prediction, sizeof prediction), .done = way_found, .urgent = true});
}
