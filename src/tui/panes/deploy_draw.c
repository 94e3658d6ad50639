/* deploy_draw.c -- the Deploy pane: its deployments, the roll-out of the one under the cursor, and beside or
 * under them one of models, checks, audit and settings. */
#include "deploy_int.h"

#include "../chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define WIDE 130

static const char *const part_names[DEPLOY_PARTS] = {"Deployments", "Models", "Checks", "Audit",
                                                     "Settings"};

/* Where everything is: worked out once for layout and drawing. */
typedef struct Places {
    int list_rows, state_rows, left, rows, cols;
    bool wide;
} Places;

static Places places(const DeployState *s, int rows, int cols)
{
    size_t n = s->view ? s->view->rows : 0;
    Places p = {.rows = rows, .cols = cols, .wide = cols >= WIDE};
    p.left = p.wide ? cols * 11 / 20 : cols;
    p.state_rows = rows >= 30 ? 10 : rows >= 20 ? 7 : 0;
    int most = p.wide ? rows - p.state_rows : (rows - p.state_rows) / 2;
    p.list_rows = (int)n + 3 > most || p.wide ? most : (int)n + 3;
    if (p.list_rows < 5)
        p.list_rows = 5;
    return p;
}

static Canvas other_place(const Places *p, const Canvas *c)
{
    return p->wide ? canvas_part(c, 0, p->left, p->rows, p->cols - p->left)
                   : canvas_part(c, p->list_rows + p->state_rows, 0,
                                 p->rows - p->list_rows - p->state_rows, p->cols);
}

void deploy_layout(DeployState *s, int rows, int cols)
{
    Places p = places(s, rows, cols);
    TableSource list = deploy_table(s, DEPLOY_LIST);
    s->rows = rows;
    s->cols = cols;
    table_layout(&s->table[DEPLOY_LIST], &list, p.list_rows - 2, p.left - 2);
    int other = p.wide ? rows : rows - p.list_rows - p.state_rows,
        width = p.wide ? cols - p.left : cols;
    if (ui_maximised(s->ui) && s->part != DEPLOY_LIST) {
        other = rows;
        width = cols;
    }
    if (s->shown == DEPLOY_FORM) {
        form_layout(&s->form, s->field, s->fields, other - 2);
        return;
    }
    TableSource src = deploy_table(s, s->shown);
    table_layout(&s->table[s->shown], &src, other - 2, width - 2);
}

/* ---- the roll-out ------------------------------------------------------------------------------------------------- */

/* The steps of the plan side by side, as wide as they take of the requests more than the one before. */
static int draw_plan(const DeployState *s, const DeploymentRow *d, const Canvas *c, int row)
{
    double step[PLAN_MOST];
    size_t n = 0;
    Error ignored = {0};
    deploy_plan(s->set.plan, step, &n, &ignored);
    int width = c->cols - 10, col = 9;
    canvas_put(c, row, 0, STYLE_DIM, "plan");
    for (size_t i = 0; i < n && width > 0; i++) {
        char label[24];
        int from = (int)lround((i ? step[i - 1] : 0.0) / 100.0 * width),
            to = (int)lround(step[i] / 100.0 * width);
        bool now = text_equal(d->state, "canary") && (size_t)d->step == i + 1,
             past = (size_t)d->step > i + 1;
        Style style = now ? STYLE_CURSOR : past ? STYLE_BAR : STYLE_BAR_BACK;
        for (int k = from; k < to; k++)
            canvas_put(c, row, col + k, past || now ? STYLE_BAR : STYLE_BAR_BACK,
                       glyph(c, past || now ? GLYPH_BLOCK : GLYPH_SHADE));
        snprintf(label, sizeof label, "%g%%", step[i]);
        int size = (int)utf8_width(label, strlen(label));
        if (to - from > size)
            canvas_put(c, row + 1, col + to - size,
                       style == STYLE_BAR_BACK ? STYLE_DIM : STYLE_STRONG, label);
    }
    return row + 2;
}

static int draw_models(const DeployState *s, const DeploymentRow *d, const Canvas *c, int row)
{
    Text name = {0};
    bool rolls = !text_equal(d->state, "live") && !text_equal(d->state, "stopped");
    canvas_put(c, row, 0, STYLE_DIM, "model");
    int col = 9 + canvas_put(c, row, 9, text_equal(d->state, "stopped") ? STYLE_DIM : STYLE_GOOD,
                             deploy_model_name(s, d->model, &name));
    if (d->candidate) {
        col += canvas_put(c, row, col, STYLE_DIM,
                          rolls ? "  candidate " : "  candidate, not rolled out ");
        col += canvas_put(c, row, col, rolls ? STYLE_WARN : STYLE_DIM,
                          deploy_model_name(s, d->candidate, &name));
    }
    if (d->previous)
        canvas_printf(c, row, col, STYLE_DIM, "  before it %s",
                      deploy_model_name(s, d->previous, &name));
    text_release(&name);
    return row + 1;
}

static int draw_step(const DeployState *s, const DeploymentRow *d, const Canvas *c, int row)
{
    Text since = {0};
    text_add_seconds(&since, (double)(time_now() - d->step_since) / 1e6);
    canvas_put(c, row, 0, STYLE_DIM, "step");
    int col = 9 + canvas_printf(c, row, 9, STYLE_PLAIN, "%s for %s", d->state, text_str(&since));
    if (d->failed)
        col += canvas_printf(c, row, col, STYLE_BAD, "  %lld of %d checks failed",
                             (long long)d->failed, s->set.threshold);
    else if (d->passed)
        col += canvas_printf(c, row, col, STYLE_GOOD, "  %lld checks passed", (long long)d->passed);
    Text automation = {0};
    const Param *p = param_find(deploy_params, "automation");
    param_get(p, &s->set, &automation);
    canvas_printf(c, row, col, STYLE_DIM, "  automation %s", text_str(&automation));
    text_release(&automation);
    text_release(&since);
    return row + 1;
}

static void add_latency(double seconds, Text *into)
{
    if (isfinite(seconds))
        text_add_seconds(into, seconds);
    else
        text_putc(into, '-');
}

static int draw_traffic(const DeployMinute *t, const Canvas *c, int row)
{
    Text p50 = {0}, p99 = {0};
    add_latency(t->p50, &p50);
    add_latency(t->p99, &p99);
    canvas_put(c, row, 0, STYLE_DIM, "traffic");
    if (!t->requests) {
        canvas_put(c, row, 9, STYLE_DIM, "no requests in the last minute");
    } else {
        int col = 9 + canvas_printf(c, row, 9, STYLE_PLAIN, "%lld %sa minute, p50 %s, p99 %s, ",
                                    (long long)t->requests, c->cols < 90 ? "" : "requests ",
                                    text_str(&p50), text_str(&p99));
        col += canvas_printf(c, row, col, t->errors ? STYLE_BAD : STYLE_GOOD, "%lld errors",
                             (long long)t->errors);
        if (isfinite(t->candidate))
            canvas_printf(c, row, col, STYLE_WARN, ", %.0f%% to the candidate", t->candidate * 100);
    }
    text_release(&p50);
    text_release(&p99);
    return row + 1;
}

static void draw_state(const DeployState *s, const Canvas *c)
{
    const DeploymentRow *d = deploy_at(s);
    Canvas in = canvas_box(c, STYLE_BORDER, d ? d->name : "Roll-out", NULL);
    if (!d) {
        canvas_wrap(&in, 0, 1, in.cols - 2, STYLE_DIM,
                    "A deployment is a name under which a model answers. A newer model comes as a "
                    "shadow, a canary or "
                    "green, is checked step by step, and is promoted or taken back.");
        return;
    }
    const DeployMinute *t = deploy_traffic(s);
    int row = draw_models(s, d, &in, 0);
    row = draw_plan(s, d, &in, row);
    row = draw_step(s, d, &in, row);
    row = draw_traffic(t, &in, row);
    if (row < in.rows && t->requests)
        chart_spark(&in, row, 9, in.cols - 10 < DEPLOY_SECONDS ? in.cols - 10 : DEPLOY_SECONDS,
                    STYLE_BAR, t->each, DEPLOY_SECONDS);
}

/* ---- the other part ------------------------------------------------------------------------------------------------ */

static void draw_other(const DeployState *s, const Canvas *c)
{
    bool active = s->part == s->shown;
    Text note = {0};
    for (int p = DEPLOY_MODELS; p < DEPLOY_PARTS; p++)
        if (p != (int)s->shown)
            text_printf(&note, "%s%s", note.count ? " " : "Tab: ", part_names[p]);
    const char *title = part_names[s->shown];
    char of[120];
    snprintf(of, sizeof of, "Settings of %s", s->set_of);
    Canvas in = canvas_box(c, active ? STYLE_BORDER_ACTIVE : STYLE_BORDER,
                           s->shown == DEPLOY_FORM && *s->set_of ? of : title, text_str(&note));
    text_release(&note);
    if (s->shown == DEPLOY_FORM && deploy_at(s))
        form_draw(&s->form, s->field, s->fields, &in, active, DEPLOY_ZONES + DEPLOY_FORM);
    else if (s->shown == DEPLOY_FORM)
        canvas_wrap(&in, 1, 2, in.cols - 4, STYLE_DIM,
                    "Settings are a deployment's; there is none yet.");
    else {
        TableSource src = deploy_table(s, s->shown);
        table_draw(&s->table[s->shown], &src, &in, active, DEPLOY_ZONES + (int)s->shown);
    }
}

void deploy_draw(const DeployState *s, const Canvas *c)
{
    Places p = places(s, c->rows, c->cols);
    bool all = ui_maximised(s->ui);
    if (all && s->part != DEPLOY_LIST) {
        draw_other(s, c);
        return;
    }
    TableSource list = deploy_table(s, DEPLOY_LIST);
    bool active = s->part == DEPLOY_LIST;
    Canvas top = canvas_part(c, 0, 0, p.list_rows, p.left);
    Canvas in = canvas_box(&top, active ? STYLE_BORDER_ACTIVE : STYLE_BORDER,
                           part_names[DEPLOY_LIST], NULL);
    table_draw(&s->table[DEPLOY_LIST], &list, &in, active, DEPLOY_ZONES + DEPLOY_LIST);
    if (p.state_rows) {
        Canvas state = canvas_part(c, p.list_rows, 0, p.state_rows, p.left);
        draw_state(s, &state);
    }
    Canvas other = other_place(&p, c);
    draw_other(s, &other);
}
