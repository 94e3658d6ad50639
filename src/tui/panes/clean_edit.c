/* clean_edit.c -- a rule while it is typed: begun, completed, taken into the recipe or refused. */
#include "clean_int.h"

#include <stdio.h>
#include <string.h>

/* The columns there are before rule `at`: what the rules above it leave. */
static void schema_before(CleanState *s, size_t at)
{
    schema_release(&s->schema);
    s->schema = (Schema){0};
    Recipe *above = recipe_copy(s->recipe);
    while (recipe_count(above) > at)
        recipe_remove(above, recipe_count(above) - 1);
    Error err = {0};
    Plan *plan = plan_create(above, &s->data->schema, &err);
    schema_copy(&s->schema, plan ? plan_schema(plan) : &s->data->schema);
    plan_destroy(plan);
    recipe_destroy(above);
}

void clean_edit(CleanState *s, bool inserting, size_t at, const char *text, Ui *ui)
{
    s->editing = true;
    s->suggesting = false;
    s->inserting = inserting;
    s->at = at;
    line_set(&s->line, text);
    schema_before(s, at);
    clean_preview(s, ui);
}

/* A rule made up in another pane is gone on with here, below all others. */
void clean_take_offer(CleanState *s, Ui *ui)
{
    char *rule = s->recipe && s->data ? ui_take_rule(ui) : NULL;
    if (rule)
        clean_edit(s, true, recipe_count(s->recipe), rule, ui);
    mem_free(rule);
}

/* Does the rule fit the columns there are? A rule above that does not is not held against it. */
static bool fits_columns(const Recipe *r, size_t at, const Schema *schema, Error *err)
{
    Error found = {0};
    unsigned long line = 0;
    Plan *plan = plan_create(r, schema, &found);
    plan_destroy(plan);
    if (plan || sscanf(found.text, "line %lu", &line) != 1 || line != recipe_line(r, at))
        return true;
    return error_set(err, found.kind, "%s", found.text);
}

/* One way in for what is typed and what is suggested: it parses, and fits the columns there are. */
static bool take_rule(CleanState *s, bool inserting, size_t at, const char *rule, Error *err)
{
    Recipe *draft = recipe_copy(s->recipe);
    bool ok = (inserting ? recipe_insert(draft, at, rule, err) : recipe_replace(draft, at, rule, err)) &&
              fits_columns(draft, at, &s->data->schema, err);
    recipe_destroy(ok ? s->recipe : draft);
    if (ok)
        s->recipe = draft;
    return ok;
}

bool clean_insert(CleanState *s, size_t at, const char *rule, Error *err)
{
    return take_rule(s, true, at, rule, err);
}

void clean_accept(CleanState *s, Ui *ui)
{
    const char *text = line_text(&s->line);
    Error err = {0};
    if (!text[strspn(text, " ")]) {
        s->editing = false;
        clean_preview(s, ui);
        return;
    }
    if (!take_rule(s, s->inserting, s->at, text, &err)) {
        s->error = err;
        return;
    }
    s->editing = false;
    clean_changed(s, ui);
}

static void complete_rule(void *owner, const char *text, void (*add)(void *, const char *word),
                          void *context)
{
    CleanState *s = owner;
    recipe_complete(text, &s->schema, add, context);
}

void clean_complete(CleanState *s, Ui *ui)
{
    line_complete(&s->line, complete_rule, s);
    clean_preview(s, ui);
}

/* While candidates are shown these keys are theirs. */
bool clean_popup_takes(CleanState *s, Key key, Ui *ui)
{
    if (!s->line.open)
        return false;
    bool changed;
    line_key(&s->line, key, &changed);
    if (changed)
        clean_preview(s, ui);
    return true;
}
