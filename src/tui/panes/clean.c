/* clean.c -- pane 2, Clean: the recipe of the dataset, rule by rule, and what each does to the data while it
 * is typed. The draft is kept in the store at every change. */
#include "clean_int.h"

#include <stdio.h>
#include <string.h>

enum { MODE_RULES = 1, MODE_EDIT = 2, MODE_SUGGEST = 4 };
enum {
    CLEAN_ADD = PANE_COMMANDS,
    CLEAN_EDIT,
    CLEAN_PICK,
    CLEAN_SUGGEST,
    CLEAN_DELETE,
    CLEAN_MOVE_DOWN,
    CLEAN_MOVE_UP,
    CLEAN_TOGGLE,
    CLEAN_APPLY,
    CLEAN_WRITE,
    CLEAN_READ,
    CLEAN_EDITOR,
    CLEAN_ACCEPT,
    CLEAN_LEAVE,
    CLEAN_COMPLETE,
    CLEAN_TAKE
};

static const KeyRow keys[] = {
    {CLEAN_ACCEPT, "accept", "Enter", "accept", "take the rule into the recipe", MODE_EDIT},
    {CLEAN_COMPLETE, "complete", "Tab", "complete", "rules, columns and functions that may follow",
     MODE_EDIT},
    {CLEAN_LEAVE, "leave", "Esc Ctrl-C", "leave", "leave the recipe as it was", MODE_EDIT},
    {CLEAN_ADD, "add-rule", "a", "add", "write a rule below the cursor", MODE_RULES},
    {CLEAN_EDIT, "edit-rule", "Enter", "edit", "change the rule under the cursor", MODE_RULES},
    {CLEAN_PICK, "pick-rule", "p", "pick", "add a rule from the kinds there are", MODE_RULES},
    {CLEAN_TAKE, "take", "Enter Space", "take", "take the rule into the recipe, or out of it again", MODE_SUGGEST},
    {UI_BACK, "back", "Esc q s", "back", "to the recipe", MODE_SUGGEST},
    {CLEAN_SUGGEST, "suggestions", "s", "suggest", "rules the data ask for, each with what it would do",
     MODE_RULES},
    {CLEAN_TOGGLE, "toggle-rule", "Space", "on/off", "switch the rule off or on", MODE_RULES},
    {CLEAN_DELETE, "delete-rule", "d", "delete", "take the rule out of the recipe", MODE_RULES},
    {CLEAN_APPLY, "apply", "A", "apply", "make the cleaned dataset", MODE_RULES},
    {UI_UNDO, "undo", "u", "undo", "take back the last change of the recipe", MODE_RULES | MODE_SUGGEST},
    {UI_REDO, "redo", "Ctrl-R", NULL, "make it again", MODE_RULES | MODE_SUGGEST},
    {CLEAN_MOVE_DOWN, "move-down", "J", "move", "the rule changes places with the one below",
     MODE_RULES},
    {CLEAN_MOVE_UP, "move-up", "K", NULL, "the rule changes places with the one above", MODE_RULES},
    {CLEAN_WRITE, "write-recipe", "w", NULL, "write the recipe to a file", MODE_RULES},
    {CLEAN_EDITOR, "edit-recipe", "E", "editor", "the recipe as text in your editor (VISUAL, EDITOR), and back",
     MODE_RULES},
    {CLEAN_READ, "read-recipe", "e", NULL, "read a recipe from a file", MODE_RULES},
    {0}};

static void destroy(void *state)
{
    CleanState *s = state;
    recipe_destroy(s->recipe);
    open_dataset_drop(s->data);
    line_release(&s->line);
    schema_release(&s->schema);
    mem_free(s->preview);
    mem_free(s->effect);
    suggestions_free(s->suggestions);
    text_release(&s->edited);
    text_release(&s->edited_of);
}

/* ---- layout and drawing -------------------------------------------------------------------------------------------- */

static bool beside(int cols)
{
    return cols >= 100;
}

static int rules_rows(int rows)
{
    return rows < 30 ? rows / 2 : rows * 2 / 5;
}

static void layout(void *state, int rows, int cols, Ui *ui)
{
    CleanState *s = state;
    int room =
        (beside(cols) || ui_maximised(ui) ? rows : rules_rows(rows)) - 2 - 2 - (s->editing ? 2 : 0);
    s->rows = room > 1 ? room : 1;
    size_t n = s->recipe ? recipe_count(s->recipe) : 0, shown = (size_t)s->rows;
    if (s->at > n)
        s->at = n;
    if (!s->editing && s->at >= n && n)
        s->at = n - 1;
    if (s->at < s->top)
        s->top = s->at;
    if (s->at >= s->top + shown)
        s->top = s->at - shown + 1;
    size_t fit = (size_t)clean_suggest_room((beside(cols) || ui_maximised(ui) ? rows : rules_rows(rows)) - 2);
    if (s->suggest_at < s->suggest_top)
        s->suggest_top = s->suggest_at;
    if (s->suggest_at >= s->suggest_top + fit)
        s->suggest_top = s->suggest_at - fit + 1;
}

static void draw(const void *state, const Canvas *c, const Ui *ui)
{
    const CleanState *s = state;
    bool side = beside(c->cols), whole = ui_maximised(ui);
    int split = side ? c->cols * 11 / 20 : rules_rows(c->rows);
    Canvas rules = whole  ? *c
                   : side ? canvas_part(c, 0, 0, c->rows, split)
                          : canvas_part(c, 0, 0, split, c->cols);
    Canvas radius = side ? canvas_part(c, 0, split, c->rows, c->cols - split)
                         : canvas_part(c, split, 0, c->rows - split, c->cols);
    char title[200] = "Recipe", note[60] = "";
    if (s->data)
        snprintf(title, sizeof title, "Recipe for %.150s", s->data->row.name);
    if (s->suggesting)
        snprintf(title, sizeof title, "What %.150s asks for", s->data->row.name);
    if (s->recipe && recipe_count(s->recipe))
        snprintf(note, sizeof note, "%zu rule%s", recipe_count(s->recipe),
                 recipe_count(s->recipe) == 1 ? "" : "s");
    Canvas in = canvas_box(&rules, STYLE_BORDER_ACTIVE, title, note);
    if (!s->data)
        canvas_wrap(&in, 1, 2, in.cols - 4, STYLE_DIM,
                    ui_dataset_opening(ui) ? "Opening ..."
                                           : "No dataset is open. Press 1, then o to open a file.");
    else if (!s->recipe)
        canvas_put(&in, 1, 2, STYLE_DIM, "Reading the draft ...");
    else if (s->suggesting)
        clean_draw_suggestions(s, &in);
    else
        clean_draw_rules(s, &in, ui);
    if (whole)
        return;
    Canvas beneath =
        canvas_box(&radius, STYLE_BORDER, "Blast radius", s->editing ? "while you type" : s->suggesting ? "if taken" : NULL);
    clean_draw_radius(s, &beneath, ui);
}

/* ---- taking in what is new ------------------------------------------------------------------------- */

static bool tick(void *state, Ui *ui)
{
    CleanState *s = state;
    OpenDataset *now = ui_dataset(ui);
    if (s->data == now && ui_visible(ui, s))
        clean_take_offer(s, ui);
    if (s->data == now)
        return ui_visible(ui, s);
    bool same = s->data && now && text_equal(s->data->row.hash, now->row.hash);
    open_dataset_drop(s->data);
    s->data = open_dataset_hold(now);
    if (same)
        return true;
    recipe_destroy(s->recipe);
    s->recipe = NULL;
    s->editing = s->suggesting = false;
    suggestions_free(s->suggestions);
    s->suggestions = NULL;
    mem_free(s->preview);
    mem_free(s->effect);
    s->preview = NULL;
    s->effect = NULL;
    if (s->data)
        clean_load(s, ui);
    return true;
}

/* ---- keys that are text ------------------------------------------------------------------------ */

static Reply on_key(void *state, Key key, Ui *ui)
{
    CleanState *s = state;
    bool changed;
    line_key(&s->line, key, &changed);
    if (changed)
        clean_preview(s, ui);
    return REPLY_DRAW;
}

/* While candidates are shown these keys are theirs. */
static Key popup_key(int command)
{
    return command == CLEAN_ACCEPT ? NKEY_ENTER : command == CLEAN_LEAVE ? NKEY_ESC : NKEY_TAB;
}

/* ---- commands ---------------------------------------------------------------------------------------------------------------- */

static unsigned mode(const void *state)
{
    const CleanState *s = state;
    return s->editing ? MODE_EDIT : s->suggesting ? MODE_SUGGEST : MODE_RULES;
}

static const char *why_not(const void *state, int command, const Ui *ui)
{
    (void)ui;
    const CleanState *s = state;
    if (command < PANE_COMMANDS && command != UI_UNDO && command != UI_REDO)
        return NULL;
    if (!s->data || !s->recipe)
        return "no dataset is open: 1, then o opens a file";
    size_t n = recipe_count(s->recipe);
    switch (command) {
    case CLEAN_EDIT:
    case CLEAN_DELETE:
    case CLEAN_TOGGLE:
    case CLEAN_APPLY:
    case CLEAN_WRITE:
        return n ? NULL : "there is no rule yet: a writes one";
    case CLEAN_MOVE_DOWN:
        return s->at + 1 < n ? NULL : "there is no rule below";
    case CLEAN_MOVE_UP:
        return s->at > 0 && n ? NULL : "there is no rule above";
    case CLEAN_SUGGEST:
        return clean_suggestions(s) ? NULL
               : s->suggestions     ? "the data ask for nothing: no column needs a rule"
                                    : "still looking at the data";
    }
    return NULL;
}

static Reply move(CleanState *s, int command, Ui *ui)
{
    if (s->suggesting)
        return clean_suggest_move(s, command, ui);
    size_t n = s->recipe ? recipe_count(s->recipe) : 0, was = s->at,
           page = s->rows > 1 ? (size_t)s->rows - 1 : 1;
    switch (command) {
    case UI_UP:
        s->at -= s->at > 0;
        break;
    case UI_DOWN:
        s->at += s->at + 1 < n;
        break;
    case UI_TOP:
        s->at = 0;
        break;
    case UI_BOTTOM:
        s->at = n ? n - 1 : 0;
        break;
    case UI_PAGE_UP:
        s->at = s->at > page ? s->at - page : 0;
        break;
    case UI_PAGE_DOWN:
        s->at = s->at + page < n ? s->at + page : n ? n - 1 : 0;
        break;
    default:
        return REPLY_IGNORED;
    }
    if (s->at != was)
        clean_preview(s, ui);
    return REPLY_DRAW;
}

static Reply change(CleanState *s, int command, Ui *ui)
{
    switch (command) {
    case CLEAN_DELETE:
        recipe_remove(s->recipe, s->at);
        break;
    case CLEAN_TOGGLE:
        recipe_toggle(s->recipe, s->at);
        break;
    case CLEAN_MOVE_DOWN:
        recipe_move(s->recipe, s->at, s->at + 1);
        s->at++;
        break;
    case CLEAN_MOVE_UP:
        recipe_move(s->recipe, s->at, s->at - 1);
        s->at--;
        break;
    case UI_UNDO:
    case UI_REDO:
        if (!(command == UI_UNDO ? recipe_undo(s->recipe) : recipe_redo(s->recipe))) {
            return REPLY_IGNORED; /* the frame knows of commands that were given here */
        }
        ui_say(ui, STYLE_INFO, command == UI_UNDO ? "taken back; Ctrl-R makes it again" : "made again");
        break;
    }
    size_t n = recipe_count(s->recipe);
    s->at = s->at < n ? s->at : n ? n - 1 : 0;
    clean_changed(s, ui);
    return REPLY_DRAW;
}

static Reply on_command(void *state, int command, Ui *ui)
{
    CleanState *s = state;
    switch (command) {
    case CLEAN_ADD:
        clean_edit(s, true, recipe_count(s->recipe) ? s->at + 1 : 0, "", ui);
        return REPLY_DRAW;
    case CLEAN_EDIT:
        clean_edit(s, false, s->at, recipe_rule(s->recipe, s->at), ui);
        return REPLY_DRAW;
    case CLEAN_PICK:
        clean_ask_kind(s, ui);
        return REPLY_DRAW;
    case CLEAN_SUGGEST:
        clean_suggesting(s, true, ui);
        return REPLY_DRAW;
    case UI_BACK:
        if (!s->suggesting)
            return REPLY_IGNORED;
        clean_suggesting(s, false, ui);
        return REPLY_DRAW;
    case CLEAN_TAKE:
        clean_take(s, ui);
        return REPLY_DRAW;
    case CLEAN_APPLY:
        clean_ask_name(s, ui);
        return REPLY_DRAW;
    case CLEAN_EDITOR:
        clean_in_editor(s, ui);
        return REPLY_DRAW;
    case CLEAN_WRITE:
    case CLEAN_READ:
        clean_ask_file(s, command == CLEAN_WRITE, ui);
        return REPLY_DRAW;
    case CLEAN_ACCEPT:
        if (!clean_popup_takes(s, popup_key(command), ui))
            clean_accept(s, ui);
        return REPLY_DRAW;
    case CLEAN_LEAVE:
        if (!clean_popup_takes(s, popup_key(command), ui)) {
            s->editing = false;
            if (s->inserting && s->at > 0)
                s->at--;
            clean_preview(s, ui);
        }
        return REPLY_DRAW;
    case CLEAN_COMPLETE:
        if (!clean_popup_takes(s, popup_key(command), ui))
            clean_complete(s, ui);
        return REPLY_DRAW;
    case CLEAN_DELETE:
    case CLEAN_TOGGLE:
    case CLEAN_MOVE_DOWN:
    case CLEAN_MOVE_UP:
    case UI_UNDO:
    case UI_REDO:
        return change(s, command, ui);
    case UI_COPY:
        if (clean_suggestion(s))
            ui_copy(ui, clean_suggestion(s)->rule);
        else if (s->recipe && recipe_count(s->recipe))
            ui_copy(ui, recipe_rule(s->recipe, s->at));
        return REPLY_DRAW;
    }
    return move(s, command, ui);
}

static Reply on_mouse(void *state, const Mouse *m, Ui *ui)
{
    CleanState *s = state;
    if (m->kind >= MOUSE_WHEEL_UP)
        return s->editing ? REPLY_STAY : move(s, m->kind == MOUSE_WHEEL_UP ? UI_UP : UI_DOWN, ui);
    if (m->id == CLEAN_ZONE_SUGGESTIONS && s->suggesting && (size_t)m->index < clean_suggestions(s)) {
        s->suggest_at = (size_t)m->index;
        if (m->kind == MOUSE_DOUBLE)
            clean_take(s, ui);
        else
            clean_preview(s, ui);
        return REPLY_DRAW;
    }
    if (m->id != CLEAN_ZONE_RULES || s->editing || !s->recipe ||
        (size_t)m->index >= recipe_count(s->recipe))
        return REPLY_IGNORED;
    s->at = (size_t)m->index;
    if (m->kind == MOUSE_DOUBLE)
        clean_edit(s, false, s->at, recipe_rule(s->recipe, s->at), ui);
    else if (m->col >= 4 && m->col <= 5)
        change(s, CLEAN_TOGGLE, ui);
    else
        clean_preview(s, ui);
    return REPLY_DRAW;
}

static void badge(const void *state, const Ui *ui, Text *into, Style *style)
{
    (void)ui;
    const CleanState *s = state;
    if (s->recipe && recipe_count(s->recipe))
        text_printf(into, "%zu", recipe_count(s->recipe));
    *style = STYLE_DIM;
}

const Pane clean_pane = {
    .name = "clean",
    .title = "Clean",
    .about = "cleaning rules and what they do",
    .keys = keys,
    .state_size = sizeof(CleanState),
    .destroy = destroy,
    .tick = tick,
    .layout = layout,
    .draw = draw,
    .on_command = on_command,
    .on_mouse = on_mouse,
    .why_not = why_not,
    .mode = mode,
    .text_modes = MODE_EDIT,
    .on_key = on_key,
    .badge = badge,
    .table = clean_table_shown,
    .chart = clean_chart_shown,
};
