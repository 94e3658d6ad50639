/* clean_ask.c -- what the Clean pane asks: which kind of rule, a name, a file. */
#include "clean_int.h"

#include <stdio.h>

static void kind_picked(void *owner, size_t item, Ui *ui)
{
    CleanState *s = owner;
    char text[80];
    snprintf(text, sizeof text, "%s ", rule_kind(item)->name);
    clean_edit(s, true, recipe_count(s->recipe) ? s->at + 1 : 0, text, ui);
}

void clean_ask_kind(CleanState *s, Ui *ui)
{
    MenuItem item[128];
    size_t n = rule_kinds() < 128 ? rule_kinds() : 128;
    for (size_t i = 0; i < n; i++)
        item[i] = (MenuItem){rule_kind(i)->usage, rule_kind(i)->about, STYLE_PLAIN};
    ui_menu(ui, "Add a rule", item, n, 0, kind_picked, s);
}

static void name_asked(void *owner, const char *name, Ui *ui)
{
    clean_apply(owner, name, ui);
}

static bool check_name(void *owner, const char *name, Error *err)
{
    (void)owner;
    return *name ? true : error_set(err, ERROR_USAGE, "a name is needed");
}

void clean_ask_name(CleanState *s, Ui *ui)
{
    char initial[240];
    snprintf(initial, sizeof initial, "%.200s_clean", s->data->row.name);
    ui_ask(
        ui,
        &(Ask){.title = "Apply the recipe",
               .label = "new dataset",
               .initial = initial,
               .owner = s,
               .check = check_name,
               .done = name_asked,
               .about =
                   "Writes a new dataset with its lineage. The one it comes from stays as it is."});
}

static void write_asked(void *owner, const char *path, Ui *ui)
{
    CleanState *s = owner;
    snprintf(s->file, sizeof s->file, "%s", path);
    if (*path)
        clean_write_file(s, path, ui);
}

static void read_asked(void *owner, const char *path, Ui *ui)
{
    CleanState *s = owner;
    snprintf(s->file, sizeof s->file, "%s", path);
    if (*path)
        clean_read_file(s, path, ui);
}

void clean_ask_file(CleanState *s, bool write, Ui *ui)
{
    char initial[400];
    snprintf(initial, sizeof initial, "%s", s->file);
    if (!*initial && s->data)
        snprintf(initial, sizeof initial, "%.200s.recipe", s->data->row.name);
    ui_ask(ui, &(Ask){.title = write ? "Write the recipe" : "Read a recipe",
                      .label = "file",
                      .initial = initial,
                      .owner = s,
                      .done = write ? write_asked : read_asked,
                      .about = write ? "Plain text, one rule a line; keep it under version control."
                                     : "Replaces the rules here; u takes that back."});
}

/* ---- the user's editor ------------------------------------------------------------------------------- */

static void edit_again(void *owner, Ui *ui);

/* What cannot be read is kept, and may be edited again. */
static void take_edited(CleanState *s, Ui *ui)
{
    Error err = {0};
    Recipe *draft = recipe_copy(s->recipe);
    Plan *plan = NULL;
    bool ok = recipe_parse(draft, text_str(&s->edited), &err) && (plan = plan_create(draft, &s->data->schema, &err));
    plan_destroy(plan);
    recipe_destroy(ok ? s->recipe : draft);
    if (!ok) {
        text_reset(&s->edited_of);
        recipe_print(s->recipe, &s->edited_of);
        ui_confirm(ui, "Edit it again? Later E goes on with it.", err.text, edit_again, s);
        return;
    }
    s->recipe = draft;
    s->at = 0;
    text_release(&s->edited);
    ui_say(ui, STYLE_GOOD, "%zu rule%s from the editor; u takes them back", recipe_count(s->recipe),
           recipe_count(s->recipe) == 1 ? "" : "s");
    clean_changed(s, ui);
}

static void edit_again(void *owner, Ui *ui)
{
    CleanState *s = owner;
    Error err = {0};
    if (ui_edit_text(ui, &s->edited, ".recipe", &err))
        take_edited(s, ui);
    else
        ui_error(ui, &err);
}

/* What could not be read is gone on with, unless the rules have changed since. */
void clean_in_editor(CleanState *s, Ui *ui)
{
    Text now = {0};
    recipe_print(s->recipe, &now);
    if (!s->edited.count || !text_equal(text_str(&now), text_str(&s->edited_of))) {
        text_reset(&s->edited);
        text_puts(&s->edited, text_str(&now));
    }
    text_release(&now);
    edit_again(s, ui);
}
