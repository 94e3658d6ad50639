/* write_view.c -- what a pane shows as a file: its table as CSV or Markdown, its chart as CSV, PNG, SVG, PDF. */
#include "chart.h"
#include "tui_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SLOT_PICTURE = 40, ROWS_MOST = 1000000 };

/* ---- tables ------------------------------------------------------------------------------------------ */

void csv_add_field(const char *text, Text *into)
{
    if (!strpbrk(text, ",\"\n\r")) {
        text_puts(into, text);
        return;
    }
    text_putc(into, '"');
    for (; *text; text++) {
        if (*text == '"')
            text_putc(into, '"');
        text_putc(into, *text);
    }
    text_putc(into, '"');
}

static void markdown_field(const char *text, Text *into)
{
    for (; *text; text++) {
        if (*text == '|')
            text_putc(into, '\\');
        text_putc(into, *text == '\n' ? ' ' : *text);
    }
}

static void add_field(bool markdown, size_t column, size_t columns, const char *text, Text *into)
{
    text_puts(into, markdown ? (column ? " | " : "| ") : column ? "," : "");
    if (markdown)
        markdown_field(text, into);
    else
        csv_add_field(text, into);
    if (column + 1 == columns)
        text_puts(into, markdown ? " |\n" : "\n");
}

static void add_table(const TableSource *t, bool markdown, Text *into)
{
    Text text = {0};
    for (size_t i = 0; i < t->columns; i++)
        add_field(markdown, i, t->columns, !markdown && t->column[i].name ? t->column[i].name : t->column[i].title, into);
    for (size_t i = 0; i < t->columns && markdown; i++)
        add_field(true, i, t->columns, t->column[i].align == ALIGN_RIGHT ? "---:" : "---", into);
    for (uint64_t row = 0; row < t->rows && row < ROWS_MOST; row++)
        for (size_t i = 0; i < t->columns; i++) {
            text_reset(&text);
            if (!markdown && t->exact)
                t->exact(t->context, row, i, &text);
            else
                t->cell(t->context, row, i, &(Cell){.text = &text});
            add_field(markdown, i, t->columns, text_str(&text), into);
        }
    text_release(&text);
}

/* ---- charts ------------------------------------------------------------------------------------------- */

static void chart_csv(const Chart *c, Text *into)
{
    text_printf(into, "series,%s,value\n", c->x_name ? c->x_name : "x");
    for (size_t s = 0; s < c->count; s++)
        for (size_t i = 0; i < c->series[s].n; i++) {
            size_t x = c->series[s].x[i] >= 0 ? (size_t)c->series[s].x[i] : SIZE_MAX;
            csv_add_field(c->series[s].name ? c->series[s].name : "", into);
            text_putc(into, ',');
            if (x < c->word_count)
                csv_add_field(c->words[x], into);
            else
                text_add_real(into, c->series[s].x[i]);
            text_putc(into, ',');
            if (isfinite(c->series[s].y[i]))
                text_add_real(into, c->series[s].y[i]);
            text_putc(into, '\n');
        }
}

static void chart_commands(const Chart *c, const char *title, Text *into)
{
    text_puts(into, "set key outside below noenhanced\nset grid lc rgb '#dddddd'\nset border 3\nset tics nomirror\n"
                    "set datafile missing 'NaN'\nset title ");
    gnuplot_quote(title, into);
    text_puts(into, "\nset xlabel ");
    gnuplot_quote(c->x_name ? c->x_name : "", into);
    text_puts(into, c->y_log ? "\nset logscale y" : "");
    text_puts(into, c->x_log ? "\nset logscale x" : "");
    if (c->x_low < c->x_high)
        text_printf(into, "\nset xrange [%.17g:%.17g]", c->x_low, c->x_high);
    for (size_t i = 0; i < c->tick_count; i++)
        if (isfinite(c->ticks[i].x) && *c->ticks[i].label) {
            text_printf(into, "\nset arrow from %.17g, graph 0 to %.17g, graph 1 nohead dt 2 lc rgb '#999999'"
                              "\nset label ", c->ticks[i].x, c->ticks[i].x);
            gnuplot_quote(c->ticks[i].label, into);
            text_printf(into, " at %.17g, graph 0.98 rotate by 90 right noenhanced font ',8'", c->ticks[i].x);
        }
    for (size_t i = 0; i < c->word_count; i++) {
        text_puts(into, i ? ", " : "\nset xtics rotate by 30 right noenhanced (");
        gnuplot_quote(c->words[i], into);
        text_printf(into, " %zu", i);
    }
    text_puts(into, c->word_count ? ")" : "");
    text_puts(into, c->bars ? "\nset style fill solid 0.6\nset boxwidth 0.9 relative\nset yrange [0:*]" : "");
    text_puts(into, "\nplot ");
    for (size_t i = 0; i < c->count; i++) {
        const ChartSeries *s = &c->series[i];
        text_puts(into, i ? ", '-' with " : "'-' with ");
        text_puts(into, c->bars ? "boxes" : s->dots ? "points pt 7" : s->faint ? "lines lw 0.5" : "lines lw 1.5");
        text_puts(into, " title ");
        gnuplot_quote(s->name ? s->name : "", into);
    }
    text_putc(into, '\n');
    for (size_t i = 0; i < c->count; i++) {
        for (size_t k = 0; k < c->series[i].n; k++)
            if (isfinite(c->series[i].y[k]))
                text_printf(into, "%.17g %.17g\n", c->series[i].x[k], c->series[i].y[k]);
            else
                text_putc(into, '\n'); /* a gap */
        text_puts(into, "e\n");
    }
}

typedef struct PictureAsk {
    char path[400];
    Text commands;
} PictureAsk;

static void free_ask(void *ask)
{
    PictureAsk *a = ask;
    text_release(&a->commands);
    mem_free(a);
}

static void *draw_picture(JobContext *c, void *input, Error *err)
{
    const PictureAsk *a = input;
    return gnuplot_picture(a->path, 1000, 600, &a->commands, job_progress(c), err) ? text_copy(a->path) : NULL;
}

static void picture_drawn(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)owner;
    (void)err;
    if (result)
        ui_say(ui, STYLE_GOOD, "the chart is in %s", (const char *)result);
    mem_free(result);
}

/* ---- asking --------------------------------------------------------------------------------------------- */

static bool is_picture(const char *path)
{
    return text_ends(path, ".png") || text_ends(path, ".svg") || text_ends(path, ".pdf");
}

static void write_chart(Ui *ui, const char *path)
{
    Chart chart = {0};
    Arena a = {0};
    char title[160] = "";
    Error err = {0};
    const Pane *p = ui_pane(ui);
    if (!p->chart || !p->chart(ui->state[ui->at], &a, &chart, title) || !chart.count) {
        ui_say(ui, STYLE_WARN, "there is no chart here now%s", p->table ? "; .csv and .md write the table" : "");
    } else if (is_picture(path)) {
        PictureAsk *ask = mem_alloc(sizeof *ask);
        snprintf(ask->path, sizeof ask->path, "%s", path);
        chart_commands(&chart, title, &ask->commands);
        ui_job(ui, (Job){.owner = ui, .slot = SLOT_PICTURE, .what = "drawing", .run = draw_picture, .input = ask,
                         .release_input = free_ask, .done = picture_drawn});
    } else {
        Text text = {0};
        chart_csv(&chart, &text);
        if (file_write(path, text_str(&text), text.count, &err))
            ui_say(ui, STYLE_GOOD, "the points of %zu curves are in %s", chart.count, path);
        else
            ui_error(ui, &err);
        text_release(&text);
    }
    arena_release(&a);
}

static void write_table(Ui *ui, const TableSource *t, const char *path)
{
    Text text = {0};
    Error err = {0};
    add_table(t, text_ends(path, ".md"), &text);
    if (file_write(path, text_str(&text), text.count, &err))
        ui_say(ui, STYLE_GOOD, "%llu lines are in %s", (unsigned long long)t->rows, path);
    else
        ui_error(ui, &err);
    text_release(&text);
}

void write_view_to(Ui *ui, const char *path)
{
    const Pane *p = ui_pane(ui);
    TableSource table = {0};
    bool has_table = p->table && p->table(ui->state[ui->at], &table);
    if (p->write && p->write(ui->state[ui->at], path, ui))
        return;
    if (!text_ends(path, ".csv") && !text_ends(path, ".md") && !is_picture(path))
        ui_say(ui, STYLE_BAD, "%s: the name must end in .csv or .md (a table), or .csv, .png, .svg or .pdf (a chart)", path);
    else if (has_table && !is_picture(path))
        write_table(ui, &table, path);
    else
        write_chart(ui, path);
}

static void path_given(void *owner, const char *path, Ui *ui)
{
    (void)owner;
    if (*path)
        write_view_to(ui, path);
}

const char *write_view_why_not(const Ui *ui)
{
    const Pane *p = ui_pane(ui);
    return p->table || p->chart ? NULL : "this pane writes its own: see its keys (?)";
}

void write_view_ask(Ui *ui)
{
    const Pane *p = ui_pane(ui);
    char initial[80];
    TableSource table;
    bool has_table = p->table && p->table(ui->state[ui->at], &table);
    snprintf(initial, sizeof initial, "%s.%s", p->name, has_table ? "csv" : "png");
    ui_ask(ui, &(Ask){.title = "Write what is shown", .label = "file", .initial = initial, .owner = NULL,
                      .about = "a table: .csv or .md; a chart: .png, .svg, .pdf, or .csv of its points",
                      .done = path_given});
}
