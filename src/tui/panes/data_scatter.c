/* data_scatter.c -- two columns against each other: how many rows fall in each cell of a grid, as colour; a crosshair
 * leads to the rows of a cell, or nearer. Two cells of the grid stand in one of the screen. */
#include "data_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LEFT  10 /* columns of the axis */
#define HEATS 5

typedef struct Scatter {
    size_t x, y;          /* columns of the dataset */
    Density asked, shown; /* shown: cells in the arena; width 0: not there yet */
    Arena arena;
    uint64_t most;
    int at_x, at_y; /* crosshair, cells of the grid */
    int cols, rows; /* of the plot, from the last layout */
} Scatter;

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
} ScatterAsk;

typedef struct ScatterAnswer {
    Density density;
    Arena arena;
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

static void *measure(JobContext *c, void *input, Error *err)
{
    const ScatterAsk *a = input;
    ScatterAnswer *answer = mem_alloc(sizeof *answer);
    answer->density = a->density;
    if (scan_density(a->data->data, &answer->density, a->rows ? &a->rows->set : NULL, job_pool(c),
                     job_progress(c), &answer->arena, err))
        return answer;
    release_answer(answer);
    return NULL;
}

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
        p->most = 0;
        for (int i = 0; i < p->shown.width * p->shown.height; i++)
            p->most = p->shown.cell[i] > p->most ? p->shown.cell[i] : p->most;
    } else if (err->kind != ERROR_STOP) {
        ui_error(ui, err);
    }
    release_answer(a);
    ui_draw(ui);
}

static void ask(DataState *s, Ui *ui)
{
    Scatter *p = s->scatter;
    if (s->glimpse || p->cols < 2 || p->rows < 1)
        return;
    p->asked.x_column = p->x;
    p->asked.y_column = p->y;
    p->asked.width = p->cols;
    p->asked.height = p->rows * 2;
    ScatterAsk a = {.data = open_dataset_hold(s->data),
                    .rows = rows_hold(data_filtered(s) ? s->rows : NULL),
                    .density = p->asked};
    ui_job(ui, (Job){.owner = s,
                     .slot = DATA_SCATTER_SLOT,
                     .what = "counting",
                     .run = measure,
                     .input = mem_copy(&a, sizeof a),
                     .release_input = release_ask,
                     .release = release_answer,
                     .done = measured,
                     .quiet = true});
}

/* ---- which columns ------------------------------------------------------------------------------------------------ */

static bool is_axis(const DataState *s, size_t column)
{
    return s->data->schema.field[column].type != COLUMN_TEXT;
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
    size_t x = s->view == VIEW_SCATTER && s->scatter ? s->scatter->x : s->focus;
    char title[200];
    const char *name = s->data->schema.field[x].name;
    if (!is_axis(s, x)) {
        ui_say(ui, STYLE_WARN,
               "%s is text: a scatter needs numbers, times or dates (F counts text)", name);
        return;
    }
    snprintf(title, sizeof title, "%.120s to the right, and upward:", name);
    data_pick_column(s, title, is_axis, other_picked, ui);
}

void data_scatter_swap(DataState *s, Ui *ui)
{
    data_scatter_of(s, s->scatter->y, s->scatter->x, ui);
}

/* ---- the crosshair -------------------------------------------------------------------------------------------------- */

static bool has_cross(const Scatter *p)
{
    return p->shown.width > 0 && p->at_x >= 0 && p->at_x < p->shown.width && p->at_y >= 0 &&
           p->at_y < p->shown.height;
}

static double edge(double least, double most, int i, int n)
{
    return least + (most - least) * i / n;
}

void data_scatter_rows(DataState *s, Ui *ui)
{
    const Scatter *p = s->scatter;
    const Density *d = &p->shown;
    if (!has_cross(p)) {
        ui_say(ui, STYLE_WARN, "h j k l move a crosshair; Enter then shows the rows of its cell");
        return;
    }
    Text t = {0};
    data_add_range(s, p->x, edge(d->x_least, d->x_most, p->at_x, d->width),
                   edge(d->x_least, d->x_most, p->at_x + 1, d->width), &t);
    text_puts(&t, " and ");
    data_add_range(s, p->y, edge(d->y_least, d->y_most, p->at_y, d->height),
                   edge(d->y_least, d->y_most, p->at_y + 1, d->height), &t);
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
    double fx = has_cross(p) ? (p->at_x + 0.5) / d->width : 0.5;
    double fy = has_cross(p) ? (p->at_y + 0.5) / d->height : 0.5;
    double x = d->x_least + (d->x_most - d->x_least) * fx,
           y = d->y_least + (d->y_most - d->y_least) * fy;
    double wide = (d->x_most - d->x_least) * by, high = (d->y_most - d->y_least) * by;
    p->asked.x_least = x - wide * fx;
    p->asked.x_most = x + wide * (1 - fx);
    p->asked.y_least = y - high * fy;
    p->asked.y_most = y + high * (1 - fy);
    ask(s, ui);
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
    ask(s, ui);
}

static void step(Scatter *p, int x, int y)
{
    if (!has_cross(p)) {
        p->at_x = p->shown.width / 2;
        p->at_y = p->shown.height / 2;
    }
    int to_x = p->at_x + x, to_y = p->at_y + y;
    p->at_x = to_x < 0 ? 0 : to_x >= p->shown.width ? p->shown.width - 1 : to_x;
    p->at_y = to_y < 0 ? 0 : to_y >= p->shown.height ? p->shown.height - 1 : to_y;
}

/* ---- drawing ------------------------------------------------------------------------------------------------------- */

/* 1 .. HEATS, each for four times as many rows as the one before, the last up to the most there are. */
static int heat(const Scatter *p, uint64_t n)
{
    if (!n)
        return 0;
    int level = HEATS;
    for (uint64_t limit = p->most / 4; level > 1 && n <= limit; limit /= 4)
        level--;
    return level;
}

static Style heat_style(int level)
{
    return (Style)(STYLE_HEAT_1 + level - 1);
}

static void draw_pair(const Canvas *c, int row, int col, int upper, int lower)
{
    static const char ascii[] = " .:+*#";
    int both = upper > lower ? upper : lower;
    if (!both)
        return;
    if (!canvas_unicode(c)) {
        canvas_char(c, row, col, STYLE_PLAIN, (uint32_t)ascii[both]);
        return;
    }
    if (!lower)
        canvas_char(c, row, col, style_on(heat_style(upper), STYLE_PLAIN), 0x2580);
    else if (!upper)
        canvas_char(c, row, col, style_on(heat_style(lower), STYLE_PLAIN), 0x2584);
    else
        canvas_char(c, row, col, style_on(heat_style(upper), heat_style(lower)), 0x2580);
}

static void draw_cells(const Scatter *p, const Canvas *c)
{
    const Density *d = &p->shown;
    for (int row = 0; row < c->rows && row * 2 < d->height; row++)
        for (int col = 0; col < c->cols && col < d->width; col++) {
            int y = d->height - 1 - row * 2;
            int upper = heat(p, d->cell[y * d->width + col]);
            int lower = y > 0 ? heat(p, d->cell[(y - 1) * d->width + col]) : 0;
            draw_pair(c, row, col, upper, lower);
        }
}

/* Marks on both axes, and the cell itself: the rows around it stay seen. */
static void draw_cross(const Scatter *p, const Canvas *in)
{
    if (!has_cross(p))
        return;
    int row = (p->shown.height - 1 - p->at_y) / 2, col = LEFT + p->at_x;
    bool unicode = canvas_unicode(in);
    canvas_char(in, row, LEFT - 1, STYLE_CROSS, unicode ? 0x25b6 : '>');
    canvas_char(in, p->rows, col, STYLE_CROSS, unicode ? 0x25b2 : '^');
    canvas_char(in, row, col, STYLE_CELL, unicode ? 0x253c : '+');
}

static void add_axis_value(const DataState *s, size_t column, double v, Text *into)
{
    const ColumnProfile *p = data_profile_of(s, column);
    if (p)
        data_add_value(p, v, into);
    else
        chart_number(v, into);
}

static void draw_axes(const DataState *s, const Canvas *c)
{
    const Scatter *p = s->scatter;
    const Density *d = &p->shown;
    int rows = p->rows;
    Text t = {0};
    canvas_vline(c, 0, LEFT - 1, rows, STYLE_AXIS);
    canvas_hline(c, rows, LEFT - 1, p->cols + 1, STYLE_AXIS);
    for (int i = 0; i <= 2; i++) {
        text_reset(&t);
        add_axis_value(s, p->y, edge(d->y_least, d->y_most, 2 - i, 2), &t);
        canvas_field(c, i * (rows - 1) / 2, 0, LEFT - 1, ALIGN_RIGHT, STYLE_AXIS, text_str(&t));
        text_reset(&t);
        add_axis_value(s, p->x, edge(d->x_least, d->x_most, i, 2), &t);
        int w = (int)utf8_width(text_str(&t), t.count);
        canvas_put(c, rows + 1, LEFT + i * p->cols / 2 - i * w / 2, STYLE_AXIS, text_str(&t));
    }
    text_release(&t);
}

static void draw_scale(const Scatter *p, const Canvas *c, int row)
{
    int col = 1;
    Text t = {0};
    text_add_count(&t, (double)p->most);
    col += canvas_put(c, row, col, STYLE_DIM, "1 ");
    for (int i = 1; i <= HEATS; i++, col += 2) {
        draw_pair(c, row, col, i, i);
        draw_pair(c, row, col + 1, i, i);
    }
    col += canvas_printf(c, row, col, STYLE_DIM, " %s rows a cell", text_str(&t));
    text_release(&t);
    if (p->shown.outside)
        canvas_printf(c, row, col + 3, STYLE_DIM, "%llu rows beyond the axes (A shows all)",
                      (unsigned long long)p->shown.outside);
}

static void draw_place(const DataState *s, const Canvas *c, int row)
{
    const Scatter *p = s->scatter;
    const Density *d = &p->shown;
    if (!has_cross(p)) {
        draw_scale(p, c, row);
        return;
    }
    Text t = {0};
    add_axis_value(s, p->x, edge(d->x_least, d->x_most, p->at_x, d->width), &t);
    text_puts(&t, " .. ");
    add_axis_value(s, p->x, edge(d->x_least, d->x_most, p->at_x + 1, d->width), &t);
    text_printf(&t, "  %s  ", glyph(c, GLYPH_TIMES));
    add_axis_value(s, p->y, edge(d->y_least, d->y_most, p->at_y, d->height), &t);
    text_puts(&t, " .. ");
    add_axis_value(s, p->y, edge(d->y_least, d->y_most, p->at_y + 1, d->height), &t);
    int col = 1 + canvas_put(c, row, 1, STYLE_PLAIN, text_str(&t));
    text_reset(&t);
    data_add_grouped(d->cell[p->at_y * d->width + p->at_x], &t);
    text_puts(&t, " rows");
    canvas_put(c, row, col + 3, STYLE_STRONG, text_str(&t));
    text_release(&t);
}

/* ---- the view ------------------------------------------------------------------------------------------------------- */

static void title(const DataState *s, const Canvas *c, Text *title_text, Text *note)
{
    const Scatter *p = s->scatter;
    const Field *f = s->data->schema.field;
    text_printf(title_text, " %s %s by %s", glyph(c, GLYPH_DOT), f[p->y].name, f[p->x].name);
    data_add_filter(s, c, title_text);
    data_add_grouped(p->shown.inside, note);
    text_puts(note, " rows");
    if (p->shown.missing) {
        text_puts(note, ", ");
        text_add_count(note, (double)p->shown.missing);
        text_puts(note, " missing");
    }
}

static void layout(DataState *s, int rows, int cols)
{
    Scatter *p = s->scatter;
    p->rows = rows - 3 > 1 ? rows - 3 : 1;
    p->cols = cols - LEFT - 1 > 2 ? cols - LEFT - 1 : 2;
}

static void draw(const DataState *s, const Canvas *in, bool active, const Ui *ui)
{
    (void)active;
    (void)ui;
    const Scatter *p = s->scatter;
    if (!p->shown.width) {
        canvas_put(in, 1, 2, STYLE_DIM, "Counting ...");
        return;
    }
    draw_axes(s, in);
    Canvas plot = canvas_part(in, 0, LEFT, p->rows, p->cols);
    draw_cells(p, &plot);
    draw_cross(p, in);
    draw_place(s, in, p->rows + 2);
    canvas_zone(&plot, 0, 0, plot.rows, plot.cols, DATA_ZONE_MAIN, 0);
}

/* Another size of the plot is another grid. */
void data_scatter_fit(DataState *s, Ui *ui)
{
    const Scatter *p = s->scatter;
    bool running = ui_job_running(ui, s, DATA_SCATTER_SLOT);
    bool fits = running ? p->asked.width == p->cols && p->asked.height == p->rows * 2
                        : p->shown.width == p->cols && p->shown.height == p->rows * 2;
    if (!fits)
        ask(s, ui);
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
    ask(s, ui);
}

const ViewKind data_scatter_view = {.title = title,
                                    .wide = true,
                                    .layout = layout,
                                    .draw = draw,
                                    .command = command,
                                    .mouse = mouse,
                                    .enter = enter,
                                    .fit = data_scatter_fit};
