/* runs_draw.c -- the Runs pane on the screen: the table, and the view below it */
#include "runs_int.h"

#include <stdio.h>

static void title_of(const RunsState *s, char title[160], char note[160])
{
    const RunField *x = runs_input(s), *y = runs_metric(s);
    *note = 0;
    switch (s->view) {
    case RUN_VIEW_EXPLAIN:
        snprintf(title, 160, "What run %lld makes of its columns", (long long)s->explain.run);
        snprintf(note, 160, "j k column, %sE back",
                 s->explain.shap ? "s permutation, " : runs_can_shap(s) ? "s SHAP, " : "");
        return;
    case RUN_VIEW_SCATTER:
        snprintf(title, 160, "%s by %s", y ? y->name : "metric", x ? x->name : "hyperparameter");
        snprintf(note, 160, "Tab, then h l hyperparameter, j k metric");
        return;
    case RUN_VIEW_PARALLEL:
        snprintf(title, 160, "Hyperparameters and %s", y ? y->name : "metric");
        snprintf(note, 160, "green best, red worst third; Tab, then j k metric");
        return;
    case RUN_VIEW_IMPORTANCE:
        snprintf(title, 160, "What matters for %s", y ? y->name : "a metric");
        snprintf(note, 160, "Tab, then h l metric, j k scroll");
        return;
    case RUN_VIEW_FORKS:
        snprintf(title, 160, "Forks");
        return;
    default:
        break;
    }
    if (s->compare && s->compare->sides > 1) {
        snprintf(title, 160, "%zu runs compared", s->compare->sides);
    } else if (s->compare && s->compare->sides == 1) {
        snprintf(title, 160, "Run %lld %.60s", (long long)s->compare->run[0].id, s->compare->run[0].name);
        snprintf(note, 160, "Space marks runs to compare");
    } else {
        snprintf(title, 160, "Run");
    }
}

static void draw_detail(const RunsState *s, const Canvas *c)
{
    char title[160], note[160];
    title_of(s, title, note);
    Canvas in = canvas_box(c, s->detail ? STYLE_BORDER_ACTIVE : STYLE_BORDER, title, *note ? note : NULL);
    switch (s->view) {
    case RUN_VIEW_EXPLAIN:    run_explain_draw(&s->explain, &in); break;
    case RUN_VIEW_SCATTER:    runs_scatter_draw(s, &in); break;
    case RUN_VIEW_PARALLEL:   runs_parallel_draw(s, &in); break;
    case RUN_VIEW_IMPORTANCE: runs_importance_draw(s, &in); break;
    case RUN_VIEW_FORKS:      runs_forks_draw(s, &in); break;
    default:                  run_compare_draw(s, &in);
    }
    canvas_zone(c, 0, 0, c->rows, c->cols, RUNS_ZONE_DETAIL, 0);
}

/* How many of how many, in which order; then what they were chosen by, which may be cut. */
static void note_of(const RunsState *s, int room, char note[400])
{
    size_t all = ui_snapshot(s->ui)->runs, groups = s->group.count;
    Text text = {0};
    if (s->grouped)
        text_printf(&text, "%zu set-up%s  ", groups, groups == 1 ? "" : "s");
    else if (s->line.count != all)
        text_printf(&text, "%zu of %zu  ", s->line.count, all);
    text_printf(&text, "by %s", *s->sort ? s->sort : "newest");
    if (*s->find)
        text_printf(&text, "  /%s", s->find);
    if (*s->filter)
        text_printf(&text, "  & %s", s->filter);
    bool cut = (int)utf8_width(text_str(&text), text.count) > room;
    size_t n = cut ? utf8_fit(text_str(&text), text.count, room > 4 ? (size_t)room - 3 : 1) : text.count;
    snprintf(note, 400, "%.*s%s", (int)n, text_str(&text), cut ? "..." : "");
    text_release(&text);
}

void runs_draw(const void *state, const Canvas *c, const Ui *ui)
{
    const RunsState *s = state;
    TableSource src = runs_source(s);
    char note[400];
    (void)ui;
    if (s->table_rows > 2) {
        Canvas top = canvas_part(c, 0, 0, s->table_rows, c->cols);
        note_of(s, top.cols - 26, note);
        Canvas in = canvas_box(&top, s->detail ? STYLE_BORDER : STYLE_BORDER_ACTIVE, "Training runs", note);
        table_draw(&s->table, &src, &in, !s->detail, RUNS_ZONE_TABLE);
    }
    Canvas below = canvas_part(c, s->table_rows, 0, c->rows - s->table_rows, c->cols);
    if (below.rows > 2)
        draw_detail(s, &below);
}
