/* watch_lineage.c -- from one prediction to the bytes it came from: what was sent, what each line of the recipes made of
 * it, model, run, dataset, source; and the line of the source that is most like it (watch_like.c). */
#include "watch_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_LINEAGE = 2 };

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

/* A line of a recipe that is a rule, be it switched off: those are what is counted. */
static bool is_rule(const char *line)
{
    line += strspn(line, " \t");
    return *line && (*line != '#' || text_starts(line, "# off:"));
}

static void print_rules(const char *recipe, uint16_t dropped_by, Text *into)
{
    size_t number = 0, rule = 0;
    while (*recipe) {
        size_t n = strcspn(recipe, "\n");
        bool drops = is_rule(recipe) && n && ++rule == dropped_by;
        number++;
        if (n)
            text_printf(into, "   line %-3zu %.*s%s\n", number, (int)n, recipe, drops ? "      <- drops this row" : "");
        recipe += n + (recipe[n] == '\n');
    }
}

/* Every recipe of the bundle, its lines numbered, and what became of this row. */
static void print_recipes(const Bundle *b, const Chunk *row, Arena *a, Text *into)
{
    Chunk now = *row;
    for (size_t i = 0; i < bundle_plans(b); i++) {
        Error err = {0};
        Chunk next;
        uint16_t reason = 0;
        json_t *saved = plan_to_json(bundle_plan(b, i));
        const char *text = json_string_value(json_object_get(saved, "recipe"));
        bool ok = plan_apply_traced(bundle_plan(b, i), NULL, &now, a, &next, &reason, &err);
        text_printf(into, "recipe %zu\n", i + 1);
        print_rules(text ? text : "", reason, into);
        if (!ok)
            text_printf(into, "            %s\n", err.text);
        else
            print_changes(&now, &next, into);
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
        text_printf(into, "        %-28s %s\n", key, word ? word : "");
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
    for (const char *from; *(from = watch_grown_from(&older, a));) {
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
        watch_print_like(c, s, b, &root, &row, a, into);
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
