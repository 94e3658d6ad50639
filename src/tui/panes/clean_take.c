/* clean_take.c -- rules the data ask for, shown one above the other with why and what each would do; a key takes
 * one into the recipe, and out of it again; u takes that back. */
#include "clean_int.h"

#include <stdio.h>
#include <string.h>

enum { EACH_ROWS = 2 }; /* the rule, and why */

/* ---- looking for them -------------------------------------------------------------------------------- */

static void *find(JobContext *c, void *input, Error *err)
{
    const OpenDataset *d = input;
    return suggestions_find(&(SuggestAsk){.data = d->data, .schema = &d->schema}, job_pool(c), job_progress(c), err);
}

static void found(void *owner, void *result, const Error *err, Ui *ui)
{
    CleanState *s = owner;
    (void)err; /* stopped, or damaged: what is done with the data next says so */
    suggestions_free(s->suggestions);
    s->suggestions = result;
    s->suggest_at = s->suggest_top = 0;
    if (s->suggesting)
        clean_suggesting(s, clean_suggestions(s) > 0, ui);
    ui_draw(ui);
}

static void drop_dataset(void *d)
{
    open_dataset_drop(d);
}

void clean_suggest(CleanState *s, Ui *ui)
{
    ui_job(ui, (Job){.owner = s,
                     .slot = CLEAN_SUGGEST_SLOT,
                     .what = "looking for what to clean",
                     .run = find,
                     .input = open_dataset_hold(s->data),
                     .release_input = drop_dataset,
                     .done = found,
                     .release = suggestions_free,
                     .quiet = true});
}

size_t clean_suggestions(const CleanState *s)
{
    return s->suggestions ? s->suggestions->list.count : 0;
}

const Suggestion *clean_suggestion(const CleanState *s)
{
    return s->suggesting && s->suggest_at < clean_suggestions(s) ? &s->suggestions->list.at[s->suggest_at] : NULL;
}

/* ---- taking one ---------------------------------------------------------------------------------------- */

/* Where it stands in the recipe, else where it would. */
bool clean_taken(const CleanState *s, const Suggestion *one, size_t *at)
{
    size_t n = recipe_count(s->recipe);
    for (*at = 0; *at < n; ++*at)
        if (recipe_is_on(s->recipe, *at) && text_equal(recipe_rule(s->recipe, *at), one->rule))
            return true;
    *at = one->first ? 0 : n;
    return false;
}

void clean_take(CleanState *s, Ui *ui)
{
    const Suggestion *one = clean_suggestion(s);
    Error err = {0};
    size_t at;
    if (!one)
        return;
    if (clean_taken(s, one, &at)) {
        recipe_remove(s->recipe, at);
        ui_say(ui, STYLE_INFO, "out of the recipe again: %s", one->rule);
    } else if (clean_insert(s, at, one->rule, &err)) {
        ui_say(ui, STYLE_GOOD, "taken: %s (u takes it back)", one->rule);
    } else {
        ui_error(ui, &err);
        return;
    }
    clean_changed(s, ui);
}

void clean_suggesting(CleanState *s, bool on, Ui *ui)
{
    s->suggesting = on;
    if (!on && s->at >= recipe_count(s->recipe))
        s->at = recipe_count(s->recipe) ? recipe_count(s->recipe) - 1 : 0;
    clean_preview(s, ui);
}

Reply clean_suggest_move(CleanState *s, int command, Ui *ui)
{
    size_t n = clean_suggestions(s), was = s->suggest_at, page = (size_t)clean_suggest_room(s->rows);
    switch (command) {
    case UI_UP:
        s->suggest_at -= s->suggest_at > 0;
        break;
    case UI_DOWN:
        s->suggest_at += s->suggest_at + 1 < n;
        break;
    case UI_TOP:
        s->suggest_at = 0;
        break;
    case UI_BOTTOM:
        s->suggest_at = n ? n - 1 : 0;
        break;
    case UI_PAGE_UP:
        s->suggest_at = s->suggest_at > page ? s->suggest_at - page : 0;
        break;
    case UI_PAGE_DOWN:
        s->suggest_at = s->suggest_at + page < n ? s->suggest_at + page : n ? n - 1 : 0;
        break;
    default:
        return REPLY_IGNORED;
    }
    if (s->suggest_at != was)
        clean_preview(s, ui);
    return REPLY_DRAW;
}

/* ---- drawing ----------------------------------------------------------------------------------------------- */

int clean_suggest_room(int rows)
{
    return rows / EACH_ROWS > 1 ? rows / EACH_ROWS : 1;
}

static void draw_one(const CleanState *s, const Canvas *c, int row, size_t i)
{
    const Suggestion *one = &s->suggestions->list.at[i];
    Style ground = i == s->suggest_at ? STYLE_CURSOR : STYLE_PLAIN;
    size_t at;
    bool taken = clean_taken(s, one, &at);
    int kind = (int)utf8_width(one->kind, strlen(one->kind));
    canvas_fill_part(c, row, 0, EACH_ROWS, c->cols, ground);
    canvas_put(c, row, 1, style_on(taken ? STYLE_GOOD : STYLE_MISSING, ground), glyph(c, taken ? GLYPH_BULLET : GLYPH_RING));
    clean_draw_rule(c, row, 3, c->cols - kind - 5, one->rule, ground, true);
    canvas_put(c, row, c->cols - kind - 1, style_on(STYLE_ACCENT, ground), one->kind);
    canvas_field(c, row + 1, 3, c->cols - 4, ALIGN_LEFT, style_on(STYLE_DIM, ground), one->why);
    canvas_zone(c, row, 0, EACH_ROWS, c->cols, CLEAN_ZONE_SUGGESTIONS, (int64_t)i);
}

void clean_draw_suggestions(const CleanState *s, const Canvas *c)
{
    int row = 0;
    for (size_t i = s->suggest_top; i < clean_suggestions(s) && row + EACH_ROWS <= c->rows; i++, row += EACH_ROWS)
        draw_one(s, c, row, i);
}
