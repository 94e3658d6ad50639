/* params_spec.c -- the set-up as data: a form a family, the columns, the command line, what is remembered. */
#include "params_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a form a family ------------------------------------------------------------------------------------ */

/* The row's default, as the family has it: read from settings nobody edited. */
static void adopt_default(Param *row, const void *normal, Arena *a)
{
    Text now = {0};
    double v;
    param_get(row, normal, &now);
    const char *text = text_str(&now);
    if (row->kind == PARAM_KIND_PICK) {
        for (int i = 0; row->picks[i]; i++)
            if (strcmp(row->picks[i], text) == 0)
                row->normal = i;
    } else if (row->kind == PARAM_KIND_BOOL) {
        row->normal = strcmp(text, "yes") == 0;
    } else if (row->kind == PARAM_KIND_SIZES || row->kind == PARAM_KIND_TEXT) {
        row->text = arena_text(a, text);
    } else if (text_to_real(text, now.count, &v)) {
        row->normal = v;
    }
    text_release(&now);
}

static void add_fields(FamilyForm *f, const SpecRow *row, const SpecRow *normal, size_t n,
                       const char *group)
{
    for (size_t i = 0; i < n; i++) {
        if (!text_equal(row[i].group, group))
            continue;
        Param *copy = &f->row[f->count];
        *copy = *row[i].row;
        adopt_default(copy, normal[i].settings, &f->arena);
        f->field[f->count++] =
            (FormField){.row = copy, .settings = row[i].settings, .group = group};
    }
}

/* The family's own rows first: they are what one comes here for. */
void family_form_create(ParamsState *s, size_t family)
{
    SpecRow row[SETUP_ROWS], normal[SETUP_ROWS];
    FamilyForm *f = s->form[family] = mem_alloc(sizeof *f);
    f->family = model_families[family];
    run_spec_init(&f->spec, f->family);
    run_spec_init(&f->normal, f->family);
    size_t n = run_spec_rows(&f->spec, row, SETUP_ROWS);
    run_spec_rows(&f->normal, normal, SETUP_ROWS);
    add_fields(f, row, normal, n, f->family->name);
    for (size_t i = 0; i < n; i++)
        if (!text_equal(row[i].group, f->family->name) &&
            (i == 0 || !text_equal(row[i].group, row[i - 1].group)))
            add_fields(f, row, normal, n, row[i].group);
}

void family_form_destroy(FamilyForm *f)
{
    if (!f)
        return;
    form_release(&f->form);
    run_spec_release(&f->spec);
    run_spec_release(&f->normal);
    arena_release(&f->arena);
    mem_free(f);
}

/* ---- the command -------------------------------------------------------------------------------------------- */

static void add_word(Text *into, const char *key, const char *value)
{
    text_printf(into, " %s=", key);
    command_quote(value, into);
}

void setup_changes(const FamilyForm *f, const char *between, Text *into)
{
    Text now = {0}, normal = {0};
    bool any = false;
    for (size_t i = 0; i < f->count; i++) {
        text_reset(&now);
        text_reset(&normal);
        param_get(f->field[i].row, f->field[i].settings, &now);
        param_default(f->field[i].row, &normal);
        if (text_equal(text_str(&now), text_str(&normal)))
            continue;
        text_printf(into, "%s%s=%s", any ? between : "", f->field[i].row->name, text_str(&now));
        any = true;
    }
    text_release(&now);
    text_release(&normal);
}

void setup_features(const ParamsState *s, Text *into)
{
    bool any = false;
    for (size_t i = 0; i < s->column.count; i++)
        if (s->column.at[i].on) {
            text_printf(into, "%s%s", any ? "," : "", s->column.at[i].name);
            any = true;
        }
}

bool setup_all_natural(const ParamsState *s)
{
    for (size_t i = 0; i < s->column.count; i++)
        if (s->column.at[i].on != s->column.at[i].natural)
            return false;
    return true;
}

/* A name means its newest version; an older one goes by its hash. */
static const char *data_word(const ParamsState *s, char into[80])
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const DatasetRow *row = snapshot_dataset(snap, s->dataset);
    const DatasetRow *newest = row ? snapshot_dataset(snap, row->name) : NULL;
    bool plain = newest && strcmp(newest->hash, s->dataset) == 0;
    snprintf(into, 80, plain ? "%.79s" : "%.12s", plain ? row->name : s->dataset);
    return into;
}

void setup_line(const ParamsState *s, Text *into)
{
    char data[80], seed[24];
    Text more = {0};
    text_printf(into, "train %s", setup_form(s)->family->name);
    add_word(into, "data", data_word(s, data));
    if (*s->target)
        add_word(into, "target", s->target);
    if (s->recipe == RECIPE_FILE)
        add_word(into, "recipe", s->recipe_path);
    else if (s->recipe == RECIPE_DRAFT && s->answer && *s->answer->draft_path)
        add_word(into, "recipe", s->answer->draft_path);
    if (strcmp(s->split, "70/15/15") != 0)
        add_word(into, "split", s->split);
    snprintf(seed, sizeof seed, "%lld", (long long)s->seed);
    if (s->seed != 1)
        add_word(into, "seed", seed);
    if (*s->name)
        add_word(into, "name", s->name);
    text_reset(&more);
    setup_changes(setup_form(s), " ", &more);
    if (more.count)
        text_printf(into, " %s", text_str(&more));
    text_reset(&more);
    if (!setup_all_natural(s)) { /* may be long: last, so that the rest can be read */
        setup_features(s, &more);
        add_word(into, "features", text_str(&more));
    }
    text_release(&more);
}

/* ---- remembered -------------------------------------------------------------------------------------------------- */

void setup_take_changes(FamilyForm *f, const char *changes, char between)
{
    char *copy = text_copy(changes), *rest = copy, stop[2] = {between, 0};
    Error err = {0};
    for (char *pair; (pair = strsep(&rest, stop));) {
        char *value = strchr(pair, '=');
        if (!value)
            continue;
        *value++ = 0;
        run_spec_set(&f->spec, pair, value, &err); /* a row this program no longer has is skipped */
    }
    mem_free(copy);
}

static const char *data_key(const ParamsState *s, char into[160])
{
    const DatasetRow *row = snapshot_dataset(ui_snapshot(s->ui), s->dataset);
    snprintf(into, 160, "params.data.%s", row ? row->name : s->dataset);
    return into;
}

/* What was chosen for the dataset. */
static void add_choices(const ParamsState *s, Text *into)
{
    text_printf(into, "target=%s\nsplit=%s\nseed=%lld\nrecipe=%s%s", s->target, s->split, (long long)s->seed,
                s->recipe == RECIPE_DRAFT ? "draft" : "", s->recipe == RECIPE_FILE ? s->recipe_path : "");
    if (!setup_all_natural(s)) {
        text_puts(into, "\nfeatures=");
        setup_features(s, into);
    }
}

void setup_remember(const ParamsState *s)
{
    char key[160];
    Text text = {0};
    const FamilyForm *f = setup_form(s);
    ui_set_setting(s->ui, "params.family", f->family->name);
    snprintf(key, sizeof key, "params.hyper.%s", f->family->name);
    setup_changes(f, " ", &text);
    ui_set_setting(s->ui, key, text_str(&text));
    if (*s->dataset) {
        text_reset(&text);
        add_choices(s, &text);
        ui_set_setting(s->ui, data_key(s, key), text_str(&text));
    }
    text_release(&text);
}

static bool listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = list; *at;) {
        size_t length = strcspn(at, ",");
        if (length == n && strncmp(at, name, n) == 0)
            return true;
        at += length + (at[length] == ',');
    }
    return false;
}

static void take_one(ParamsState *s, const char *key, const char *value)
{
    Split split;
    if (strcmp(key, "target") == 0) {
        snprintf(s->target, sizeof s->target, "%s", value);
    } else if (strcmp(key, "split") == 0 && split_parse(value, &split, NULL)) {
        snprintf(s->split, sizeof s->split, "%s", value);
    } else if (strcmp(key, "name") == 0) {
        snprintf(s->name, sizeof s->name, "%s", value);
    } else if (strcmp(key, "seed") == 0) {
        s->seed = strtoll(value, NULL, 10);
    } else if (strcmp(key, "recipe") == 0) {
        s->recipe_chosen = *value && strcmp(value, "draft") != 0;
        s->recipe = !*value                       ? RECIPE_NONE
                    : strcmp(value, "draft") == 0 ? RECIPE_DRAFT
                                                  : RECIPE_FILE;
        snprintf(s->recipe_path, sizeof s->recipe_path, "%s",
                 s->recipe == RECIPE_FILE ? value : "");
    } else if (strcmp(key, "features") == 0 && *value) {
        for (size_t i = 0; i < s->column.count; i++)
            s->column.at[i].on = listed(value, s->column.at[i].name);
    }
}

static void take_choices(ParamsState *s, const char *text)
{
    char *copy = text_copy(text), *rest = copy;
    for (char *pair; (pair = strsep(&rest, "\n"));) {
        char *value = strchr(pair, '=');
        if (!value)
            continue;
        *value++ = 0;
        take_one(s, pair, value);
    }
    mem_free(copy);
}

void setup_recall(ParamsState *s)
{
    char key[160];
    const char *family = ui_setting(s->ui, "params.family");
    for (size_t i = 0; family && i < s->families; i++)
        if (strcmp(model_families[i]->name, family) == 0)
            s->family = i;
    for (size_t i = 0; i < s->families; i++) {
        snprintf(key, sizeof key, "params.hyper.%s", model_families[i]->name);
        const char *changes = ui_setting(s->ui, key);
        if (changes)
            setup_take_changes(s->form[i], changes, ' ');
    }
    const char *data = ui_setting(s->ui, data_key(s, key));
    take_choices(s, data ? data : "");
}

/* ---- for `u` ------------------------------------------------------------------------------------------------------- */

/* dataset, family, its changed values: a line each; then what was chosen for the dataset. */
bool params_keep(const void *state, Text *into)
{
    const ParamsState *s = state;
    const FamilyForm *f = setup_form(s);
    if (!*s->dataset)
        return false;
    text_printf(into, "%s\n%s\n", s->dataset, f->family->name);
    setup_changes(f, " ", into);
    text_printf(into, "\nname=%s\n", s->name);
    add_choices(s, into);
    return true;
}

static void take_family(ParamsState *s, const char *name, const char *changes)
{
    for (size_t i = 0; i < s->families; i++)
        if (strcmp(model_families[i]->name, name) == 0)
            s->family = i;
    FamilyForm *f = setup_form(s);
    size_t at = f->form.at;
    for (f->form.at = 0; f->form.at < f->count; f->form.at++)
        form_reset(&f->form, f->field, f->count);
    f->form.at = at;
    setup_take_changes(f, changes, ' ');
}

bool params_put(void *state, const char *kept, Ui *ui)
{
    ParamsState *s = state;
    char *copy = text_copy(kept), *rest = copy;
    const char *dataset = strsep(&rest, "\n"), *family = strsep(&rest, "\n"), *changes = strsep(&rest, "\n");
    bool ours = text_equal(dataset, s->dataset) && family && changes && rest;
    if (ours) {
        take_family(s, family, changes);
        for (size_t i = 0; i < s->column.count; i++)
            s->column.at[i].on = s->column.at[i].natural; /* unless the choices say otherwise */
        take_choices(s, rest);
        setup_changed(s, true);
        ui_draw(ui);
    }
    mem_free(copy);
    return ours;
}

void setup_take_preset(ParamsState *s, const Preset *p)
{
    Error err = {0};
    char seed[24];
    for (size_t i = 0; i < s->families; i++)
        if (strcmp(model_families[i]->name, p->run.family) == 0)
            s->family = i;
    FamilyForm *f = setup_form(s);
    for (size_t i = 0; i < p->params; i++)
        run_spec_set(&f->spec, p->param[i].key, p->param[i].value, &err);
    take_one(s, "split", p->run.split);
    snprintf(seed, sizeof seed, "%lld", (long long)p->run.seed);
    take_one(s, "seed", seed);
    for (size_t i = 0; i < s->column.count; i++)
        if (strcmp(s->column.at[i].name, p->run.target) == 0)
            take_one(s, "target", p->run.target);
    take_one(s, "features", p->run.features);
}

/* ---- columns --------------------------------------------------------------------------------------------------------- */

static void natural(const ParamsState *s, ColumnChoice *c)
{
    c->natural =
        (c->role == ROLE_FEATURE || c->role == ROLE_TIMELINE) && strcmp(c->name, s->target) != 0;
    c->why[0] = 0;
    if (!c->natural)
        snprintf(c->why, sizeof c->why, "%s",
                 strcmp(c->name, s->target) == 0 ? "is predicted"
                 : c->role == ROLE_ID            ? "names the row"
                 : c->role == ROLE_IGNORE        ? "not used"
                                                 : "another target");
}

void setup_columns(ParamsState *s, const Schema *schema)
{
    VEC(ColumnChoice) now = {0};
    for (size_t i = 0; i < schema->count; i++) {
        const Field *f = &schema->field[i];
        ColumnChoice *c = vec_slot(&now);
        *c = (ColumnChoice){.type = f->type, .role = f->role};
        snprintf(c->name, sizeof c->name, "%s", f->name);
        natural(s, c);
        c->on = c->natural;
        for (size_t k = 0; k < s->column.count; k++) {
            const ColumnChoice *was = &s->column.at[k];
            if (strcmp(was->name, c->name) == 0 && was->on != was->natural)
                c->on = was->on && strcmp(c->name, s->target) != 0;
        }
        if (c->natural && !c->on)
            snprintf(c->why, sizeof c->why, "switched off");
        if (c->on)
            c->why[0] = 0;
    }
    vec_release(&s->column);
    s->column.at = now.at;
    s->column.count = now.count;
    s->column.room = now.room;
}

/* "ZIP left out: constant": what the encoders found in the rows. */
void setup_take_notes(ParamsState *s)
{
    for (size_t i = 0; s->answer && i < s->answer->notes; i++) {
        const char *note = s->answer->note[i], *cut = strstr(note, " left out: ");
        for (size_t k = 0; cut && k < s->column.count; k++) {
            ColumnChoice *c = &s->column.at[k];
            if (c->on && strlen(c->name) == (size_t)(cut - note) &&
                strncmp(c->name, note, (size_t)(cut - note)) == 0)
                snprintf(c->why, sizeof c->why, "%s", cut + strlen(" left out: "));
        }
    }
}

size_t setup_inputs(const ParamsState *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->column.count; i++)
        n += s->column.at[i].on && !*s->column.at[i].why;
    return n;
}
