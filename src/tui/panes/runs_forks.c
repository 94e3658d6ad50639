/* runs_forks.c -- which run was forked from which, at which step, with which changes. */
#include "runs_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct Branch {
    size_t run; /* index in the snapshot */
    int depth;
    uint64_t more; /* bit d: at depth d comes another one below */
} Branch;
typedef VEC(Branch) Branches;

static bool is_child(const Snapshot *snap, size_t child, size_t of)
{
    return child != of && snap->run[child].parent == snap->run[of].id;
}

static void add_branch(const Snapshot *snap, size_t i, int depth, uint64_t more, Branches *into)
{
    size_t left = 0;
    if (depth > 40)
        return;
    vec_add(into, (Branch){i, depth, more});
    for (size_t k = 0; k < snap->runs; k++)
        left += is_child(snap, k, i);
    for (size_t k = snap->runs; k-- > 0 && left;) /* oldest first */
        if (is_child(snap, k, i))
            add_branch(snap, k, depth + 1, --left ? more | UINT64_C(1) << (depth + 1) : more, into);
}

static bool was_forked(const Snapshot *snap, size_t i)
{
    for (size_t k = 0; k < snap->runs; k++)
        if (is_child(snap, k, i))
            return true;
    return false;
}

/* Roots newest first, those that were forked before the others; a run whose parent is gone is a root. */
static Branches branches_of(const Snapshot *snap)
{
    Branches out = {0};
    for (int forked = 1; forked >= 0; forked--)
        for (size_t i = 0; i < snap->runs; i++)
            if ((!snap->run[i].parent || !snapshot_run(snap, snap->run[i].parent)) && was_forked(snap, i) == forked)
                add_branch(snap, i, 0, 0, &out);
    return out;
}

size_t runs_forks_lines(const RunsState *s)
{
    return ui_snapshot(s->ui)->runs;
}

static void add_changes(const RunsState *s, const RunRow *run, Text *into)
{
    const RunFacts *mine = book_find(&s->book, run->id), *from = book_find(&s->book, run->parent);
    for (size_t i = 0; mine && from && i < mine->params; i++)
        for (size_t k = 0; k < from->params; k++)
            if (strcmp(mine->param[i].key, from->param[k].key) == 0 &&
                strcmp(mine->param[i].value, from->param[k].value) != 0)
                text_printf(into, "%s%s=%s", into->count ? "  " : "", mine->param[i].key, mine->param[i].value);
}

static void draw_branch(const RunsState *s, const Branch *b, const Canvas *c, int row)
{
    const RunRow *run = &ui_snapshot(s->ui)->run[b->run], *here = runs_here(s);
    const RunFacts *known = book_find(&s->book, run->id);
    Text text = {0};
    int col = 1;
    bool fine = canvas_unicode(c);
    for (int i = 1; i < b->depth; i++)
        col += canvas_put(c, row, col, STYLE_DIM, !(b->more >> i & 1) ? "   " : fine ? "\342\224\202  " : "|  ");
    if (b->depth) {
        bool last = !(b->more >> b->depth & 1);
        col += canvas_put(c, row, col, STYLE_DIM, !fine ? last ? "`- " : "|- " : last ? "\342\224\224\342\224\200 " : "\342\224\234\342\224\200 ");
    }
    col += canvas_printf(c, row, col, run_style(run->id), "%s %lld ", glyph(c, GLYPH_BULLET), (long long)run->id);
    col += canvas_put(c, row, col, STYLE_STRONG, run->name) + 2;
    double v = known ? (isfinite(known->test) ? known->test : known->valid) : (double)NAN;
    if (isfinite(v))
        col += canvas_printf(c, row, col, STYLE_NUMBER, "%s %.5g", known->main->name, v) + 2;
    if (b->depth) {
        col += canvas_printf(c, row, col, STYLE_DIM, "at step %lld", (long long)run->parent_step) + 2;
        add_changes(s, run, &text);
        col += canvas_put(c, row, col, STYLE_EVENT, text_str(&text));
    } else {
        canvas_printf(c, row, col, STYLE_DIM, "%s on %s", run->family, run->dataset_name);
    }
    if (here && here->id == run->id)
        canvas_restyle(c, row, 0, c->cols, STYLE_CURSOR_IDLE);
    text_release(&text);
}

void runs_forks_draw(const RunsState *s, const Canvas *c)
{
    Branches all = branches_of(ui_snapshot(s->ui));
    bool any = false;
    for (size_t i = 0; i < all.count; i++)
        any |= all.at[i].depth > 0;
    for (size_t i = s->detail_top; i < all.count && (int)(i - s->detail_top) < c->rows; i++)
        draw_branch(s, &all.at[i], c, (int)(i - s->detail_top));
    if (!any && (int)all.count + 1 < c->rows)
        canvas_put(c, (int)all.count + 1, 1, STYLE_DIM, "No run was forked yet: f forks the one under the cursor.");
    vec_release(&all);
}
