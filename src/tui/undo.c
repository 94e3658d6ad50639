/* undo.c -- what `u` takes back and Ctrl-R makes again, a list a pane: how the pane was set and looked at, as the text
 * it makes of that itself (Pane.keep), and commands whose result names the line that takes them back. A key that
 * changed several things takes them back together. A training is in none of the lists, nor is what only moves. */
#include "tui_int.h"

#include <stdio.h>
#include <string.h>

#define UNDO_MOST 200

static void release(Undo *u)
{
    mem_free(u->what);
    mem_free(u->line);
    mem_free(u->kept);
}

static void cut(UndoList *list, size_t at)
{
    release(&list->at[at]);
    memmove(&list->at[at], &list->at[at + 1], (list->count - at - 1) * sizeof *list->at);
    list->count--;
}

static void add(UndoList *list, Undo u)
{
    if (list->count == UNDO_MOST)
        cut(list, 0);
    vec_add(list, u);
}

/* A change of its own, not one made again: what was taken back before it cannot follow any more. */
static void forget_undone(Ui *ui, size_t pane)
{
    for (size_t i = ui->undone.count; i-- > 0;)
        if (ui->undone.at[i].pane == pane)
            cut(&ui->undone, i);
}

/* ---- how a pane is set ---------------------------------------------------------------------------------- */

static bool keep(const Ui *ui, size_t pane, Text *into)
{
    text_reset(into);
    return panes[pane]->keep && panes[pane]->keep(ui->state[pane], into);
}

/* Typing, and what lies over the pane, belong to the key that began them. */
static bool under_way(const Ui *ui)
{
    return ui->overlay || pane_text_mode(ui_pane(ui), ui->state[ui->at]);
}

void undo_before(Ui *ui)
{
    if (under_way(ui))
        return;
    ui->step++;
    ui->before_pane = ui->at;
    ui->before_known = keep(ui, ui->at, &ui->before);
    ui->doing[0] = 0;
}

void undo_after(Ui *ui)
{
    Text now = {0};
    size_t pane = ui->before_pane;
    if (!under_way(ui) && ui->before_known && keep(ui, pane, &now) && !text_equal(text_str(&now), text_str(&ui->before))) {
        forget_undone(ui, pane);
        add(&ui->done, (Undo){.pane = pane, .step = ui->step, .what = text_copy(*ui->doing ? ui->doing : "the last change"),
                              .kept = text_copy(text_str(&ui->before))});
        text_reset(&ui->before);
        text_puts(&ui->before, text_str(&now));
    }
    text_release(&now);
}

void ui_change_begins(Ui *ui)
{
    undo_before(ui);
}

void ui_change_ends(Ui *ui, const char *what)
{
    snprintf(ui->doing, sizeof ui->doing, "%s", what);
    undo_after(ui);
}

/* ---- commands --------------------------------------------------------------------------------------------- */

UndoFor undo_for(const Ui *ui, const char *line)
{
    UndoFor f = {.pane = ui->at, .step = ui->step};
    snprintf(f.what, sizeof f.what, "%.*s", (int)utf8_fit(line, strlen(line), 60), line);
    return f;
}

void undo_take(Ui *ui, const UndoFor *f, const char *line)
{
    Undo u = {.pane = f->pane, .step = f->step, .what = text_copy(f->what), .line = text_copy(line)};
    if (f->way == UNDO_FRESH)
        forget_undone(ui, f->pane);
    add(f->way == UNDO_BACK ? &ui->undone : &ui->done, u);
}

static void said(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    (void)owner;
    if (!result)
        ui_error(ui, err);
    ui_refresh(ui);
}

/* ---- back and again ------------------------------------------------------------------------------------------ */

static size_t newest(const Ui *ui, const UndoList *list)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < list->count; i++)
        if (list->at[i].pane == ui->at)
            found = i;
    return found;
}

/* False: it was about another dataset than the one that is open now. */
static bool put(Ui *ui, const Undo *u, UndoList *other)
{
    Text now = {0};
    bool known = keep(ui, u->pane, &now);
    bool ok = panes[u->pane]->put(ui->state[u->pane], u->kept, ui);
    if (ok && known)
        add(other, (Undo){.pane = u->pane, .step = u->step, .what = text_copy(u->what), .kept = text_copy(text_str(&now))});
    text_release(&now);
    return ok;
}

/* Lines of the workbench's own, beside commands. */
static const struct {
    const char *word;
    void (*run)(Ui *ui, const char *rest, const UndoFor *undo);
} own_lines[] = {{"set ", set_line}, {"theme ", theme_line}};

static void run_back(Ui *ui, const char *line, const UndoFor *f)
{
    for (size_t i = 0; i < sizeof own_lines / sizeof *own_lines; i++)
        if (text_starts(line, own_lines[i].word)) {
            own_lines[i].run(ui, line + strlen(own_lines[i].word), f);
            return;
        }
    ui_command_for(ui, line, NULL, said, f);
}

static bool move(Ui *ui, size_t at, bool back)
{
    UndoList *from = back ? &ui->done : &ui->undone;
    Undo u = from->at[at];
    from->at[at] = (Undo){0};
    cut(from, at);
    bool ok = true;
    if (u.kept) {
        ok = put(ui, &u, back ? &ui->undone : &ui->done);
    } else {
        UndoFor f = {.pane = u.pane, .step = u.step, .way = back ? UNDO_BACK : UNDO_AGAIN};
        snprintf(f.what, sizeof f.what, "%s", u.what);
        run_back(ui, u.line, &f);
    }
    release(&u);
    return ok;
}

void undo_move(Ui *ui, bool back)
{
    const UndoList *from = back ? &ui->done : &ui->undone;
    char what[80] = "";
    bool ok = false;
    size_t at;
    while (!ok && (at = newest(ui, from)) != SIZE_MAX) {
        uint64_t step = from->at[at].step;
        snprintf(what, sizeof what, "%s", from->at[at].what);
        for (; at != SIZE_MAX && from->at[at].step == step; at = newest(ui, from))
            ok |= move(ui, at, back);
    }
    if (!ok)
        ui_say(ui, STYLE_INFO, back ? "nothing was changed here that could be taken back" : "nothing to make again");
    else
        ui_say(ui, STYLE_GOOD, back ? "taken back: %s" : "made again: %s", what);
    ui->before_known = keep(ui, ui->at, &ui->before); /* this is no change of its own */
    ui_draw(ui);
}

void undo_release(Ui *ui)
{
    for (size_t i = 0; i < ui->done.count; i++)
        release(&ui->done.at[i]);
    for (size_t i = 0; i < ui->undone.count; i++)
        release(&ui->undone.at[i]);
    vec_release(&ui->done);
    vec_release(&ui->undone);
    text_release(&ui->before);
}
