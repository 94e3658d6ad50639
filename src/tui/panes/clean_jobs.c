/* clean_jobs.c -- what the Clean pane has done on other threads: the draft in the store, the blast radius
 * (a sample first, then every row), the effect of all rules, applying, recipe files. */
#include "clean_int.h"

#include <stdio.h>
#include <string.h>

#define SAMPLE_ROWS 20000

/* ---- the draft ------------------------------------------------------------------------------------------- */

static void *load_draft(JobContext *c, void *input, Error *err)
{
    Arena a = {0};
    const char *text = NULL;
    Store *store = job_store(c, err);
    bool ok = store && store_draft_get(store, input, &a, &text, err);
    char *copy = ok ? text_copy(text ? text : "") : NULL;
    arena_release(&a);
    return copy;
}

static void draft_loaded(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)err;
    CleanState *s = owner;
    Error trouble = {0};
    recipe_destroy(s->recipe);
    s->recipe = recipe_create();
    if (result && *(char *)result && !recipe_parse(s->recipe, result, &trouble))
        ui_error(ui, &trouble);
    mem_free(result);
    s->at = s->top = 0;
    clean_suggest(s, ui);
    clean_preview(s, ui);
    clean_measure(s, ui);
    ui_draw(ui);
}

void clean_load(CleanState *s, Ui *ui)
{
    ui_job(ui, (Job){.owner = s,
                     .slot = CLEAN_DRAFT_SLOT,
                     .run = load_draft,
                     .input = text_copy(s->data->row.hash),
                     .done = draft_loaded,
                     .urgent = true});
}

typedef struct DraftAsk {
    char hash[65];
    char *text;
} DraftAsk;

static void draft_release(void *p)
{
    DraftAsk *a = p;
    mem_free(a->text);
    mem_free(a);
}

static void *save_draft(JobContext *c, void *input, Error *err)
{
    const DraftAsk *a = input;
    Store *store = job_store(c, err);
    return store && store_draft_set(store, a->hash, a->text, err) ? text_copy("") : NULL;
}

void clean_save(CleanState *s, Ui *ui)
{
    if (!s->data || !s->recipe)
        return;
    Text text = {0};
    recipe_print(s->recipe, &text);
    DraftAsk a = {.text = text_take(&text)};
    a.text = a.text ? a.text : text_copy("");
    snprintf(a.hash, sizeof a.hash, "%s", s->data->row.hash);
    ui_job(ui, (Job){.owner = s,
                     .slot = CLEAN_SAVE_SLOT,
                     .run = save_draft,
                     .input = mem_copy(&a, sizeof a),
                     .release_input = draft_release});
}

/* ---- the blast radius ---------------------------------------------------------------------------------------- */

typedef struct RadiusAsk {
    OpenDataset *data; /* held */
    Recipe *recipe;    /* a copy */
    size_t at;
    uint64_t sample;  /* 0: every row */
    char target[128]; /* "": none is known */
} RadiusAsk;

static void radius_release(void *p)
{
    RadiusAsk *a = p;
    open_dataset_drop(a->data);
    recipe_destroy(a->recipe);
    mem_free(a);
}

static void *look(JobContext *c, void *input, Error *err)
{
    const RadiusAsk *a = input;
    Split split = {.seed = 1}; /* as a run splits, unless told */
    if (!split_parse("70/15/15", &split, err))
        return NULL;
    Preview *p = mem_alloc(sizeof *p);
    Schema in = {0};
    schema_copy(&in, &a->data->schema);
    size_t target = schema_find(&in, a->target);
    if (target != SIZE_MAX)
        in.field[target].role = ROLE_TARGET;
    bool ok = recipe_preview(a->recipe, a->at, a->data->data, &in, &split, a->sample, job_pool(c),
                             job_progress(c), p, err);
    schema_release(&in);
    if (ok)
        return p;
    mem_free(p);
    return NULL;
}

static void looked(void *owner, void *result, const Error *err, Ui *ui)
{
    CleanState *s = owner;
    Preview *p = result;
    s->preview_old = false;
    if (!p) {
        if (err->kind != ERROR_STOP)
            s->error = *err;
        mem_free(s->preview);
        s->preview = NULL;
        ui_job_cancel(ui, s, CLEAN_EXACT_SLOT);
    } else if (p->exact || !s->preview || !s->preview->exact ||
               ui_job_running(ui, s, CLEAN_EXACT_SLOT)) {
        mem_free(s->preview);
        s->preview = p;
        p = NULL;
    }
    mem_free(p);
    ui_draw(ui);
}

/* As its role says, or else what was predicted when the dataset was trained on last. */
static const char *target_of(const CleanState *s, const Ui *ui)
{
    const Snapshot *snap = ui_snapshot(ui);
    for (size_t i = 0; i < s->data->schema.count; i++)
        if (s->data->schema.field[i].role == ROLE_TARGET)
            return s->data->schema.field[i].name;
    for (size_t i = 0; i < snap->runs; i++)
        if (text_equal(snap->run[i].dataset, s->data->row.hash))
            return snap->run[i].target;
    return "";
}

static void ask_radius(CleanState *s, const Recipe *recipe, size_t at, uint64_t sample, int slot,
                       Ui *ui)
{
    RadiusAsk a = {.data = open_dataset_hold(s->data),
                   .recipe = recipe_copy(recipe),
                   .at = at,
                   .sample = sample};
    snprintf(a.target, sizeof a.target, "%s", target_of(s, ui));
    ui_job(ui, (Job){.owner = s,
                     .slot = slot,
                     .what = sample ? NULL : "looking at every row",
                     .run = look,
                     .input = mem_copy(&a, sizeof a),
                     .release_input = radius_release,
                     .done = looked,
                     .quiet = true,
                     .urgent = sample != 0});
}

static void no_preview(CleanState *s, Ui *ui)
{
    ui_job_cancel(ui, s, CLEAN_SAMPLE_SLOT);
    ui_job_cancel(ui, s, CLEAN_EXACT_SLOT);
    mem_free(s->preview);
    s->preview = NULL;
    s->preview_old = false;
}

void clean_preview(CleanState *s, Ui *ui)
{
    s->error = (Error){0};
    if (!s->data || !s->recipe)
        return;
    Recipe *draft = recipe_copy(s->recipe);
    size_t at = s->at;
    bool ok = at < recipe_count(draft);
    if (s->editing) {
        const char *text = line_text(&s->line);
        ok = text[strspn(text, " ")] != 0;
        if (ok)
            ok = s->inserting ? recipe_insert(draft, at, text, &s->error)
                              : recipe_replace(draft, at, text, &s->error);
    } else if (clean_suggestion(s)) {
        const Suggestion *one = clean_suggestion(s);
        if (!clean_taken(s, one, &at))
            ok = recipe_insert(draft, at, one->rule, &s->error);
        else
            ok = true;
    } else if (ok && !recipe_is_on(draft, at)) {
        recipe_toggle(draft, at); /* what it would do */
    }
    if (ok) {
        s->typed_line = recipe_line(draft, at);
        s->preview_old = s->preview != NULL;
        ask_radius(s, draft, at, SAMPLE_ROWS, CLEAN_SAMPLE_SLOT, ui);
        if (dataset_rows(s->data->data) > SAMPLE_ROWS)
            ask_radius(s, draft, at, 0, CLEAN_EXACT_SLOT, ui);
    } else {
        no_preview(s, ui);
    }
    recipe_destroy(draft);
}

/* ---- the effect of all rules ------------------------------------------------------------------------------------ */

static void *measure(JobContext *c, void *input, Error *err)
{
    const RadiusAsk *a = input;
    Plan *plan = plan_create(a->recipe, &a->data->schema, err);
    ApplyReport *r = mem_alloc(sizeof *r);
    bool ok = plan &&
              (!plan_needs_fit(plan) ||
               plan_fit(plan, a->data->data, NULL, job_pool(c), job_progress(c), err)) &&
              plan_measure(plan, a->data->data, job_pool(c), job_progress(c), r, err);
    plan_destroy(plan);
    if (ok)
        return r;
    mem_free(r);
    return NULL;
}

static void measured(void *owner, void *result, const Error *err, Ui *ui)
{
    CleanState *s = owner;
    mem_free(s->effect);
    s->effect = result;
    s->effect_error = result || err->kind == ERROR_STOP ? (Error){0} : *err;
    ui_draw(ui);
}

void clean_measure(CleanState *s, Ui *ui)
{
    s->effect_error = (Error){0};
    if (!s->data || !s->recipe || !recipe_count(s->recipe)) {
        ui_job_cancel(ui, s, CLEAN_EFFECT_SLOT);
        mem_free(s->effect);
        s->effect = NULL;
        return;
    }
    RadiusAsk a = {.data = open_dataset_hold(s->data), .recipe = recipe_copy(s->recipe)};
    ui_job(ui, (Job){.owner = s,
                     .slot = CLEAN_EFFECT_SLOT,
                     .what = "measuring the recipe",
                     .run = measure,
                     .input = mem_copy(&a, sizeof a),
                     .release_input = radius_release,
                     .done = measured,
                     .quiet = true});
}

void clean_changed(CleanState *s, Ui *ui)
{
    clean_save(s, ui);
    clean_preview(s, ui);
    clean_measure(s, ui);
}

/* ---- apply --------------------------------------------------------------------------------------------------------- */

typedef struct ApplyAsk {
    char hash[65], name[200];
    Recipe *recipe;
} ApplyAsk;

static void apply_release(void *p)
{
    ApplyAsk *a = p;
    recipe_destroy(a->recipe);
    mem_free(a);
}

static void *apply(JobContext *c, void *input, Error *err)
{
    const ApplyAsk *a = input;
    Store *store = job_store(c, err);
    ApplyReport *r = mem_alloc(sizeof *r);
    if (store &&
        workspace_clean(store, a->hash, a->recipe, a->name, job_pool(c), job_progress(c), r, err))
        return r;
    mem_free(r);
    return NULL;
}

static void applied(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)owner;
    (void)err;
    ApplyReport *r = result;
    if (r) {
        Text in = {0}, out = {0};
        text_add_count(&in, (double)r->rows_in);
        text_add_count(&out, (double)r->rows_out);
        ui_say(ui, STYLE_GOOD, "cleaned: %s of %s rows are left", text_str(&out), text_str(&in));
        text_release(&in);
        text_release(&out);
        ui_choose_dataset(ui, r->hash);
        ui_go(ui, "data");
    }
    ui_refresh(ui);
    mem_free(r);
}

void clean_apply(CleanState *s, const char *name, Ui *ui)
{
    ApplyAsk a = {.recipe = recipe_copy(s->recipe)};
    snprintf(a.hash, sizeof a.hash, "%s", s->data->row.hash);
    snprintf(a.name, sizeof a.name, "%s", name);
    ui_job(ui, (Job){.owner = s,
                     .slot = CLEAN_APPLY_SLOT,
                     .what = "cleaning",
                     .run = apply,
                     .input = mem_copy(&a, sizeof a),
                     .release_input = apply_release,
                     .done = applied});
}

/* ---- files ------------------------------------------------------------------------------------------------------------ */

typedef struct FileAsk {
    char path[400];
    char *text; /* to write; NULL: read */
} FileAsk;

static void file_release(void *p)
{
    FileAsk *a = p;
    mem_free(a->text);
    mem_free(a);
}

static void *file_work(JobContext *c, void *input, Error *err)
{
    (void)c;
    const FileAsk *a = input;
    if (a->text)
        return file_write(a->path, a->text, strlen(a->text), err) ? text_copy(a->path) : NULL;
    Recipe *r = recipe_create();
    if (recipe_read(r, a->path, err))
        return r;
    recipe_destroy(r);
    return NULL;
}

static void file_written(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)owner;
    (void)err;
    if (result)
        ui_say(ui, STYLE_GOOD, "recipe written to %s", (const char *)result);
    mem_free(result);
}

static void release_recipe(void *recipe)
{
    recipe_destroy(recipe);
}

static void file_read_done(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)err;
    CleanState *s = owner;
    if (result && s->recipe) { /* one step that can be undone */
        Text text = {0};
        Error trouble = {0};
        recipe_print(result, &text);
        if (recipe_parse(s->recipe, text_str(&text), &trouble))
            ui_say(ui, STYLE_GOOD, "%zu rules read; u takes them back", recipe_count(s->recipe));
        else
            ui_error(ui, &trouble);
        text_release(&text);
        s->at = 0;
        clean_changed(s, ui);
    }
    recipe_destroy(result);
}

void clean_write_file(CleanState *s, const char *path, Ui *ui)
{
    Text text = {0};
    recipe_print(s->recipe, &text);
    FileAsk a = {.text = text_take(&text)};
    a.text = a.text ? a.text : text_copy("");
    snprintf(a.path, sizeof a.path, "%s", path);
    ui_job(ui, (Job){.owner = s,
                     .slot = CLEAN_FILE_SLOT,
                     .run = file_work,
                     .input = mem_copy(&a, sizeof a),
                     .release_input = file_release,
                     .done = file_written});
}

void clean_read_file(CleanState *s, const char *path, Ui *ui)
{
    FileAsk a = {0};
    snprintf(a.path, sizeof a.path, "%s", path);
    ui_job(ui, (Job){.owner = s,
                     .slot = CLEAN_FILE_SLOT,
                     .run = file_work,
                     .input = mem_copy(&a, sizeof a),
                     .release_input = file_release,
                     .release = release_recipe,
                     .done = file_read_done});
}
