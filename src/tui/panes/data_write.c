/* data_write.c -- what the Data pane shows as a file. The table itself is written by a job: all rows, in the order
 * and with the columns they are shown with, as CSV; other formats by `export`. Views are small and written as they
 * are; a column's values and a scatter become charts. */
#include "data_scatter_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FLUSH_BYTES (1 << 18)

/* ---- the table ------------------------------------------------------------------------------------------------ */

typedef struct WriteAsk {
    OpenDataset *data; /* held */
    Rows *rows;        /* held; NULL: all */
    size_t *order;     /* [columns] of the dataset, as they stand; owned */
    size_t columns;
    char path[400];
} WriteAsk;

static void release_ask(void *p)
{
    WriteAsk *a = p;
    open_dataset_drop(a->data);
    rows_drop(a->rows);
    mem_free(a->order);
    mem_free(a);
}

typedef struct Pen {
    FILE *file;
    Text out;
    Arena arena;
    Chunk chunk;
    size_t have;
} Pen;

static bool flush(Pen *p, size_t least, const char *path, Error *err)
{
    if (p->out.count < least || !p->out.count)
        return true;
    bool ok = fwrite(p->out.at, 1, p->out.count, p->file) == p->out.count;
    text_reset(&p->out);
    return ok || error_set(err, ERROR_IO, "%s: cannot write; is the disk full?", path);
}

static void add_header(Pen *p, const WriteAsk *a)
{
    for (size_t i = 0; i < a->columns; i++) {
        const char *name = a->data->schema.field[a->order[i]].name;
        text_puts(&p->out, i ? "," : "");
        csv_print_field(name, strlen(name), ',', &p->out);
    }
    text_putc(&p->out, '\n');
}

static void add_row(Pen *p, const WriteAsk *a, uint64_t row, Text *scratch)
{
    size_t in_chunk, index = dataset_locate(a->data->data, row, &in_chunk);
    if (index != p->have) {
        arena_reset(&p->arena);
        dataset_chunk(a->data->data, index, &p->arena, &p->chunk);
        p->have = index;
    }
    for (size_t i = 0; i < a->columns; i++) {
        const Column *c = &p->chunk.column[a->order[i]];
        text_puts(&p->out, i ? "," : "");
        if (!column_has(c, in_chunk))
            continue;
        text_reset(scratch);
        column_print(c, in_chunk, scratch);
        csv_print_field(text_str(scratch), scratch->count, ',', &p->out);
    }
    text_putc(&p->out, '\n');
}

static bool add_rows(JobContext *c, Pen *p, const WriteAsk *a, uint64_t *count, Error *err)
{
    Text scratch = {0};
    uint64_t rows = a->rows ? a->rows->set.count : dataset_rows(a->data->data);
    bool ok = true;
    progress_begin(job_progress(c), "writing", "rows", rows);
    add_header(p, a);
    for (*count = 0; ok && *count < rows; ++*count) {
        add_row(p, a, a->rows ? a->rows->set.row[*count] : *count, &scratch);
        ok = flush(p, FLUSH_BYTES, a->path, err);
        if (*count % 4096 == 4095) {
            progress_add(job_progress(c), 4096);
            if (ok && job_stopped(c))
                ok = error_set(err, ERROR_STOP, "stopped; %s was not written", a->path);
        }
    }
    text_release(&scratch);
    return ok && flush(p, 0, a->path, err);
}

static void *write_rows(JobContext *c, void *input, Error *err)
{
    const WriteAsk *a = input;
    char beside[420];
    uint64_t count = 0;
    snprintf(beside, sizeof beside, "%s.part", a->path);
    Pen p = {.file = fopen(beside, "we"), .have = SIZE_MAX};
    bool ok = p.file ? add_rows(c, &p, a, &count, err)
                     : error_set(err, ERROR_IO, "%s: cannot create it: %m", beside);
    if (p.file && fclose(p.file) != 0 && ok)
        ok = error_set(err, ERROR_IO, "%s: cannot write: %m", beside);
    if (ok && rename(beside, a->path) != 0)
        ok = error_set(err, ERROR_IO, "%s: cannot write: %m", a->path);
    if (!ok && p.file)
        remove(beside);
    text_release(&p.out);
    arena_release(&p.arena);
    if (!ok)
        return NULL;
    Text said = {0};
    data_add_grouped(count, &said);
    text_printf(&said, " rows are in %s", a->path);
    return text_take(&said);
}

static void written(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)owner;
    (void)err;
    if (result)
        ui_say(ui, STYLE_GOOD, "%s", (const char *)result);
    mem_free(result);
}

static void write_csv(DataState *s, const char *path, Ui *ui)
{
    WriteAsk a = {.data = open_dataset_hold(s->data),
                  .rows = rows_hold(s->rows),
                  .order = mem_copy(s->order, (s->columns + 1) * sizeof *s->order),
                  .columns = s->shown};
    snprintf(a.path, sizeof a.path, "%s", path);
    ui_job(ui, (Job){.owner = s,
                     .slot = DATA_WRITE_SLOT,
                     .what = "writing the rows",
                     .run = write_rows,
                     .input = mem_copy(&a, sizeof a),
                     .release_input = release_ask,
                     .done = written});
}

/* Arrow and Parquet: `export` writes a dataset in its own order. */
static void write_by_export(const DataState *s, const char *path, Ui *ui)
{
    Text line = {0};
    if (s->have.keys || s->have.marked || s->partial) {
        ui_say(ui, STYLE_WARN,
               "sorted, marked or unfinished rows are written as .csv; or Esc takes that away");
        return;
    }
    text_printf(&line, "export %s out=\"%s\"", s->data->row.name, path);
    if (s->shown < s->columns) {
        text_puts(&line, " columns=\"");
        for (size_t i = 0; i < s->shown; i++)
            text_printf(&line, "%s%s", i ? "," : "", s->data->schema.field[s->order[i]].name);
        text_putc(&line, '"');
    }
    if (*s->have.filter) {
        text_puts(&line, " where=\"");
        for (const char *c = s->have.filter; *c; c++) {
            if (*c == '"' || *c == '\\')
                text_putc(&line, '\\');
            text_putc(&line, *c);
        }
        text_putc(&line, '"');
    }
    ui_command(ui, text_str(&line), NULL, NULL);
    text_release(&line);
}

bool data_write(void *state, const char *path, Ui *ui)
{
    DataState *s = state;
    bool columns =
        text_ends(path, ".arrow") || text_ends(path, ".arrows") || text_ends(path, ".parquet");
    if (s->in_list || !s->data || s->view != VIEW_TABLE || (!columns && !text_ends(path, ".csv")))
        return false;
    if (columns)
        write_by_export(s, path, ui);
    else
        write_csv(s, path, ui);
    return true;
}

bool data_table_shown(const void *state, TableSource *out)
{
    const DataState *s = state;
    if (s->in_list || !s->data || !data_view(s)->source)
        return false;
    *out = data_view(s)->source(s);
    return out->columns > 0;
}

bool data_chart_shown(const void *state, Arena *a, Chart *out, char title[160])
{
    const DataState *s = state;
    return !s->in_list && s->data && data_view(s)->chart && data_view(s)->chart(s, a, out, title);
}

/* ---- a column ---------------------------------------------------------------------------------------------------- */

static ChartSeries bins_of(const ColumnProfile *p, const char *name, double low, double high,
                           Arena *a)
{
    double *x = ARENA_NEW(a, double, PROFILE_BINS), *y = ARENA_NEW(a, double, PROFILE_BINS);
    data_shares(p, low, high, y);
    for (size_t i = 0; i < PROFILE_BINS; i++)
        x[i] = low + (high - low) * ((double)i + 0.5) / PROFILE_BINS;
    return (ChartSeries){.name = name, .style = STYLE_BAR, .x = x, .y = y, .n = PROFILE_BINS};
}

static ChartSeries tops_of(const ColumnProfile *p, Chart *out, Arena *a)
{
    double *x = ARENA_NEW(a, double, p->tops + 1), *y = ARENA_NEW(a, double, p->tops + 1);
    const char **word = ARENA_NEW(a, const char *, p->tops + 1);
    for (size_t i = 0; i < p->tops; i++) {
        x[i] = (double)i;
        y[i] = (double)p->top[i].count;
        word[i] = arena_text(a, p->top[i].value);
    }
    out->words = word;
    out->word_count = p->tops;
    return (ChartSeries){.name = "rows", .style = STYLE_BAR, .x = x, .y = y, .n = p->tops};
}

bool data_column_chart(const DataState *s, Arena *a, Chart *out, char title[160])
{
    const ColumnProfile *all = data_profile_of(s, s->focus);
    const ColumnProfile *seen = data_filtered(s) ? data_profile_seen(s, s->focus) : NULL;
    const char *name = s->data->schema.field[s->focus].name;
    if (!all)
        return false;
    ChartSeries *series = ARENA_NEW(a, ChartSeries, 2);
    *out = (Chart){.x_name = arena_text(a, name), .series = series, .count = 1, .bars = true};
    snprintf(title, 160, "%.70s of %.70s", name, s->data->row.name);
    if (all->numeric && all->most > all->least) {
        double value[PROFILE_BINS], low, high;
        data_distribution(all, value, &low, &high);
        series[0] = bins_of(all, "all rows", low, high, a);
        if (seen && seen->count)
            series[out->count++] = bins_of(seen, "rows shown", low, high, a);
    } else {
        series[0] = tops_of(seen ? seen : all, out, a);
    }
    return series[0].n > 0;
}

/* ---- a scatter: the middle of each cell as a dot, in four groups by how many rows it has -------------------------- */

enum { GROUPS = 4 };

bool data_scatter_chart(const DataState *s, Arena *a, Chart *out, char title[160])
{
    static const Style styles[GROUPS] = {STYLE_DIM, STYLE_INFO, STYLE_ACCENT, STYLE_WARN};
    const Scatter *p = s->scatter;
    const Density *d = p ? &p->shown : NULL;
    if (!d || !d->width || !p->most)
        return false;
    size_t cells = (size_t)(d->width * d->height);
    ChartSeries *series = ARENA_NEW(a, ChartSeries, GROUPS);
    double *x[GROUPS], *y[GROUPS];
    for (int g = 0; g < GROUPS; g++) {
        double from = pow((double)p->most, g / (double)GROUPS),
               to = pow((double)p->most, (g + 1) / (double)GROUPS);
        x[g] = ARENA_NEW(a, double, cells);
        y[g] = ARENA_NEW(a, double, cells);
        series[g] = (ChartSeries){.name = arena_printf(a, "%.0f to %.0f rows", g ? from : 1, to),
                                  .style = styles[g],
                                  .x = x[g],
                                  .y = y[g],
                                  .dots = true};
    }
    for (int col = 0; col < d->width; col++) /* x ascends */
        for (int row = 0; row < d->height; row++) {
            uint64_t rows = d->cell[row * d->width + col];
            if (!rows)
                continue;
            int g = p->most > 1 ? (int)(GROUPS * log((double)rows) / log((double)p->most)) : 0;
            g = g < GROUPS ? g : GROUPS - 1;
            x[g][series[g].n] = (scatter_edge(d->x_least, d->x_most, col, d->width) +
                                 scatter_edge(d->x_least, d->x_most, col + 1, d->width)) /
                                2;
            y[g][series[g].n++] = (scatter_edge(d->y_least, d->y_most, row, d->height) +
                                   scatter_edge(d->y_least, d->y_most, row + 1, d->height)) /
                                  2;
        }
    const char *names[2] = {s->data->schema.field[p->x].name, s->data->schema.field[p->y].name};
    *out = (Chart){.x_name = arena_text(a, names[0]), .series = series, .count = GROUPS};
    snprintf(title, 160, "%.60s and %.60s", names[1], names[0]);
    return true;
}
