/* data_scatter.c -- two columns against each other: how many rows fall in each cell of a grid, as colour; a crosshair
 * leads to the rows of a cell, or nearer. Two cells of the grid stand in one of the screen. */
#include "data_scatter_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SAMPLE 200000 /* rows of the first picture, where there are more than ten times as many */

void data_scatter_drop(DataState *s)
{
    if (s->scatter)
        arena_release(&s->scatter->arena);
    mem_free(s->scatter);
    s->scatter = NULL;
}

/* ---- the job ------------------------------------------------------------------------------------------------- */

typedef struct ScatterAsk {
    OpenDataset *data; /* held */
    Rows *rows;        /* held; NULL: all */
    Density density;
    bool sample;
} ScatterAsk;

typedef struct ScatterAnswer {
    Density density;
    Arena arena;
    bool sampled;
} ScatterAnswer;

static void release_ask(void *p)
{
    ScatterAsk *a = p;
    open_dataset_drop(a->data);
    rows_drop(a->rows);
    mem_free(a);
}

static void release_answer(void *p)
{
    ScatterAnswer *a = p;
    if (a)
        arena_release(&a->arena);
    mem_free(a);
}

/* What the cells would be if the sample is like the rest. */
static void scale_up(Density *d, double by)
{
    for (int i = 0; i < d->width * d->height; i++)
        d->cell[i] = (uint64_t)((double)d->cell[i] * by + 0.5);
    d->inside = (uint64_t)((double)d->inside * by);
    d->outside = (uint64_t)((double)d->outside * by);
    d->missing = (uint64_t)((double)d->missing * by);
}

static void *measure(JobContext *c, void *input, Error *err)
{
    const ScatterAsk *a = input;
    const RowSet *rows = a->rows ? &a->rows->set : NULL;
    uint64_t all = rows ? rows->count : dataset_rows(a->data->data);
    ScatterAnswer *answer = mem_alloc(sizeof *answer);
    RowSet some = {0};
    answer->density = a->density;
    answer->sampled = a->sample;
    bool ok = (!a->sample || rows_sample(a->data->data, rows, SAMPLE, &some, err)) &&
              scan_density(a->data->data, &answer->density, a->sample ? &some : rows, job_pool(c),
                           job_progress(c), &answer->arena, err);
    rowset_release(&some);
    if (ok && a->sample)
        scale_up(&answer->density, (double)all / SAMPLE);
    if (ok)
        return answer;
    release_answer(answer);
    return NULL;
}

static void ask(DataState *s, bool sample, Ui *ui);

static void measured(void *owner, void *result, const Error *err, Ui *ui)
{
    DataState *s = owner;
    ScatterAnswer *a = result;
    Scatter *p = s->scatter;
    if (a && p) {
        arena_release(&p->arena);
        p->arena = a->arena;
        a->arena = (Arena){0};
        p->shown = a->density;
        p->sampled = a->sampled;
        p->most = 0;
        for (int i = 0; i < p->shown.width * p->shown.height; i++)
            p->most = p->shown.cell[i] > p->most ? p->shown.cell[i] : p->most;
    } else if (p) {
        p->failed = true;
        if (err->kind != ERROR_STOP)
            ui_error(ui, err);
    }
    if (a && p && a->sampled)
        ask(s, false, ui);
    release_answer(a);
    ui_draw(ui);
}

static void ask(DataState *s, bool sample, Ui *ui)
{
    Scatter *p = s->scatter;
    if (data_rows_awaited(s) || p->cols < 2 || p->rows < 1)
        return;
    p->asked.x_column = p->x;
    p->asked.y_column = p->y;
    p->asked.width = p->cols;
    p->asked.height = p->rows * 2;
    ScatterAsk a = {.data = open_dataset_hold(s->data),
                    .rows = rows_hold(data_filtered(s) ? s->rows : NULL),
                    .density = p->asked,
                    .sample = sample && data_rows(s) > 10 * SAMPLE};
    ui_job(ui, (Job){.owner = s,
                     .slot = DATA_SCATTER_SLOT,
                     .what = "counting",
                     .run = measure,
                     .input = mem_copy(&a, sizeof a),
                     .release_input = release_ask,
                     .release = release_answer,
                     .done = measured,
                     .quiet = true,
                     .urgent = a.sample});
}

/* ---- which columns ------------------------------------------------------------------------------------------------ */

static bool is_axis(const DataState *s, size_t column)
{
    return s->data->schema.field[column].type != COLUMN_TEXT;
}

/* The column to the right: of the scatter that is shown, or the one under the cursor. */
static size_t first_axis(const DataState *s)
{
    return s->view == VIEW_SCATTER && s->scatter ? s->scatter->x : s->focus;
}

static bool is_other_axis(const DataState *s, size_t column)
{
    return is_axis(s, column) && column != first_axis(s);
}

void data_scatter_of(DataState *s, size_t x, size_t y, Ui *ui)
{
    data_scatter_drop(s);
    s->scatter = mem_alloc(sizeof *s->scatter);
    s->scatter->x = x;
    s->scatter->y = y;
    s->scatter->at_x = s->scatter->at_y = -1;
    data_show(s, VIEW_SCATTER, ui);
    ui_draw(ui);
}

static void other_picked(void *owner, size_t item, Ui *ui)
{
    DataState *s = owner;
    data_scatter_of(s, s->view == VIEW_SCATTER && s->scatter ? s->scatter->x : s->focus,
                    s->pick[item], ui);
}

void data_scatter(DataState *s, Ui *ui)
{
    size_t x = first_axis(s);
    char title[200];
    const char *name = s->data->schema.field[x].name;
    if (!is_axis(s, x)) {
        ui_say(ui, STYLE_WARN,
               "%s is text: a scatter needs numbers, times or dates (F counts text)", name);
        return;
    }
    snprintf(title, sizeof title, "%.120s to the right, and upward:", name);
    data_pick_column(s, title, is_other_axis, other_picked, ui);
}

void data_scatter_swap(DataState *s, Ui *ui)
{
    data_scatter_of(s, s->scatter->y, s->scatter->x, ui);
}

bool scatter_has_cross(const Scatter *p)
{
    return p->shown.width > 0 && p->at_x >= 0 && p->at_x < p->shown.width && p->at_y >= 0 &&
           p->at_y < p->shown.height;
}

double scatter_edge(double least, double most, int i, int n)
{
    return least + (most - least) * i / n;
}

/* ---- the crosshair -------------------------------------------------------------------------------------------------- */

void data_scatter_rows(DataState *s, Ui *ui)
{
    const Scatter *p = s->scatter;
    const Density *d = &p->shown;
    if (!scatter_has_cross(p)) {
        ui_say(ui, STYLE_WARN, "h j k l move a crosshair; Enter then shows the rows of its cell");
        return;
    }
    Text t = {0};
    data_add_range(s, p->x, scatter_edge(d->x_least, d->x_most, p->at_x, d->width),
                   scatter_edge(d->x_least, d->x_most, p->at_x + 1, d->width), &t);
    text_puts(&t, " and ");
    data_add_range(s, p->y, scatter_edge(d->y_least, d->y_most, p->at_y, d->height),
                   scatter_edge(d->y_least, d->y_most, p->at_y + 1, d->height), &t);
    data_narrow(s, text_str(&t), ui);
    text_release(&t);
}

/* Half or twice the range, the crosshair (or the middle) staying where it is. */
static void zoom(DataState *s, double by, Ui *ui)
{
    Scatter *p = s->scatter;
    const Density *d = &p->shown;
    if (!d->width)
        return;
    double fx = scatter_has_cross(p) ? (p->at_x + 0.5) / d->width : 0.5;
    double fy = scatter_has_cross(p) ? (p->at_y + 0.5) / d->height : 0.5;
    double x = d->x_least + (d->x_most - d->x_least) * fx,
           y = d->y_least + (d->y_most - d->y_least) * fy;
    double wide = (d->x_most - d->x_least) * by, high = (d->y_most - d->y_least) * by;
    p->asked.x_least = x - wide * fx;
    p->asked.x_most = x + wide * (1 - fx);
    p->asked.y_least = y - high * fy;
    p->asked.y_most = y + high * (1 - fy);
    ask(s, true, ui);
}

/* So many cells of the grid to the right and upward. */
static void pan(DataState *s, int cells_x, int cells_y, Ui *ui)
{
    Scatter *p = s->scatter;
    const Density *d = &p->shown;
    if (!d->width)
        return;
    double x = (d->x_most - d->x_least) * cells_x / d->width, y = (d->y_most - d->y_least) * cells_y / d->height;
    p->asked.x_least = d->x_least - x;
    p->asked.x_most = d->x_most - x;
    p->asked.y_least = d->y_least - y;
    p->asked.y_most = d->y_most - y;
    ask(s, true, ui);
}

void data_scatter_in(DataState *s, Ui *ui)
{
    zoom(s, 0.5, ui);
}

void data_scatter_out(DataState *s, Ui *ui)
{
    zoom(s, 2, ui);
}

void data_scatter_all(DataState *s, Ui *ui)
{
    s->scatter->asked = (Density){0};
    ask(s, true, ui);
}

static void step(Scatter *p, int x, int y)
{
    if (!scatter_has_cross(p)) {
        p->at_x = p->shown.width / 2;
        p->at_y = p->shown.height / 2;
    }
    int to_x = p->at_x + x, to_y = p->at_y + y;
    p->at_x = to_x < 0 ? 0 : to_x >= p->shown.width ? p->shown.width - 1 : to_x;
    p->at_y = to_y < 0 ? 0 : to_y >= p->shown.height ? p->shown.height - 1 : to_y;
}

/* ---- the view ----------------------------------------------------------------------------------------------- */

static void layout(DataState *s, int rows, int cols)
{
    Scatter *p = s->scatter;
    p->rows = rows - 3 > 1 ? rows - 3 : 1;
    p->cols = cols - SCATTER_LEFT - 1 > 2 ? cols - SCATTER_LEFT - 1 : 2;
}

/* Another size of the plot is another grid. */
void data_scatter_fit(DataState *s, Ui *ui)
{
    const Scatter *p = s->scatter;
    bool running = ui_job_running(ui, s, DATA_SCATTER_SLOT);
    bool fits = running ? p->asked.width == p->cols && p->asked.height == p->rows * 2
                        : p->shown.width == p->cols && p->shown.height == p->rows * 2;
    if (!fits && !p->failed)
        ask(s, true, ui);
}

static Reply command(DataState *s, int what, Ui *ui)
{
    Scatter *p = s->scatter;
    (void)ui;
    if (!p->shown.width)
        return REPLY_IGNORED;
    switch (what) {
    case UI_LEFT:
        step(p, -1, 0);
        return REPLY_DRAW;
    case UI_RIGHT:
        step(p, 1, 0);
        return REPLY_DRAW;
    case UI_UP:
        step(p, 0, 1);
        return REPLY_DRAW;
    case UI_DOWN:
        step(p, 0, -1);
        return REPLY_DRAW;
    case UI_FIRST:
    case UI_LAST:
        step(p, what == UI_FIRST ? -p->shown.width : p->shown.width, 0);
        return REPLY_DRAW;
    case UI_TOP:
    case UI_BOTTOM:
        step(p, 0, what == UI_BOTTOM ? -p->shown.height : p->shown.height);
        return REPLY_DRAW;
    case UI_PAGE_UP:
    case UI_PAGE_DOWN:
        step(p, 0, what == UI_PAGE_DOWN ? -10 : 10);
        return REPLY_DRAW;
    }
    return REPLY_IGNORED;
}

static Reply mouse(DataState *s, const Mouse *m, Ui *ui)
{
    Scatter *p = s->scatter;
    if (m->kind == MOUSE_DRAG) {
        pan(s, m->drag_cols, -m->drag_rows * 2, ui);
        return REPLY_DRAW;
    }
    if (m->kind >= MOUSE_WHEEL_UP) {
        zoom(s, m->kind == MOUSE_WHEEL_UP ? 0.5 : 2, ui);
        return REPLY_DRAW;
    }
    p->at_x = m->col;
    p->at_y = p->shown.height - 1 - m->row * 2;
    if (m->kind == MOUSE_DOUBLE)
        data_scatter_rows(s, ui);
    return REPLY_DRAW;
}

static void enter(DataState *s, Ui *ui)
{
    ask(s, true, ui);
}

const ViewKind data_scatter_view = {.title = scatter_title,
                                    .wide = true,
                                    .layout = layout,
                                    .draw = scatter_draw,
                                    .command = command,
                                    .mouse = mouse,
                                    .enter = enter,
                                    .fit = data_scatter_fit,
                                    .chart = data_scatter_chart};
