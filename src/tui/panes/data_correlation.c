/* data_correlation.c -- how the numeric columns go together, two by two: coloured cells with numbers, of the rows that
 * pass the filter; Enter shows the two as a scatter. */
#include "data_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SAMPLE 20000 /* rows of the first answer, where there are more than fifty times as many */

typedef struct Matrix {
    bool made, ranks; /* ranks: Spearman's instead of Pearson's */
    Arena arena;
    Correlation c;
    TableColumn *head; /* [columns + 1], in the arena */
    uint64_t rows;
    bool sampled; /* the first answer; the exact one is on its way */
    Table table;
} Matrix;

void data_correlation_drop(DataState *s)
{
    if (s->matrix)
        arena_release(&s->matrix->arena);
    mem_free(s->matrix);
    s->matrix = NULL;
}

/* ---- the job ------------------------------------------------------------------------------------------------- */

typedef struct CorrelationAsk {
    OpenDataset *data; /* held */
    Rows *rows;        /* held; NULL: all */
    bool sample;
} CorrelationAsk;

typedef struct CorrelationAnswer {
    Correlation c;
    Arena arena;
    bool sampled;
} CorrelationAnswer;

static void release_ask(void *p)
{
    CorrelationAsk *a = p;
    open_dataset_drop(a->data);
    rows_drop(a->rows);
    mem_free(a);
}

static void release_answer(void *p)
{
    CorrelationAnswer *a = p;
    if (a)
        arena_release(&a->arena);
    mem_free(a);
}

static bool correlate_rows(JobContext *c, const CorrelationAsk *a, const RowSet *rows,
                           CorrelationAnswer *out, Error *err)
{
    return scan_correlation(a->data->data, rows, job_pool(c), job_progress(c), &out->arena, &out->c,
                            err);
}

static void *correlate(JobContext *c, void *input, Error *err)
{
    const CorrelationAsk *a = input;
    const RowSet *rows = a->rows ? &a->rows->set : NULL;
    CorrelationAnswer *answer = mem_alloc(sizeof *answer);
    RowSet some = {0};
    answer->sampled = a->sample;
    bool ok = a->sample ? rows_sample(a->data->data, rows, SAMPLE, &some, err) &&
                              correlate_rows(c, a, &some, answer, err)
                        : correlate_rows(c, a, rows, answer, err);
    rowset_release(&some);
    if (ok)
        return answer;
    release_answer(answer);
    return NULL;
}

static void make_head(DataState *s)
{
    Matrix *m = s->matrix;
    m->head = ARENA_NEW(&m->arena, TableColumn, m->c.columns + 1);
    int widest = 8; /* spearman */
    for (size_t i = 0; i < m->c.columns; i++) {
        const char *name = s->data->schema.field[m->c.column[i]].name;
        int w = (int)utf8_width(name, strlen(name));
        widest = w > widest ? w : widest;
        m->head[i + 1] = (TableColumn){.title = name,
                                       .width = w < 6    ? 6
                                                : w > 10 ? 10
                                                         : w,
                                       .align = ALIGN_RIGHT};
    }
    m->head[0] = (TableColumn){.title = m->ranks ? "spearman" : "pearson",
                               .width = widest > 24 ? 24 : widest};
}

static void follow(DataState *s)
{
    const Matrix *m = s->matrix;
    if (m->made && m->table.at < m->c.columns)
        data_focus(s, m->c.column[m->table.at]);
}

static void ask(DataState *s, bool sample, Ui *ui);

static void correlated(void *owner, void *result, const Error *err, Ui *ui)
{
    DataState *s = owner;
    CorrelationAnswer *a = result;
    Matrix *m = s->matrix;
    if (a && m) {
        arena_release(&m->arena);
        m->arena = a->arena;
        a->arena = (Arena){0};
        m->c = a->c;
        m->made = true;
        m->sampled = a->sampled;
        make_head(s);
        if (!m->table.col)
            m->table.col = m->c.columns > 1 ? 2 : 1;
        follow(s);
    } else if (err->kind != ERROR_STOP) {
        ui_error(ui, err);
    }
    if (a && m && a->sampled)
        ask(s, false, ui);
    release_answer(a);
    ui_draw(ui);
}

static void ask(DataState *s, bool sample, Ui *ui)
{
    CorrelationAsk a = {.data = open_dataset_hold(s->data),
                        .rows = rows_hold(data_filtered(s) ? s->rows : NULL),
                        .sample = sample};
    ui_job(ui, (Job){.owner = s,
                     .slot = DATA_CORRELATION_SLOT,
                     .what = "correlating",
                     .run = correlate,
                     .input = mem_copy(&a, sizeof a),
                     .release_input = release_ask,
                     .release = release_answer,
                     .done = correlated,
                     .quiet = true,
                     .urgent = sample});
}

static void enter(DataState *s, Ui *ui)
{
    if (data_rows_awaited(s))
        return;
    s->matrix->rows = data_rows(s);
    ask(s, s->matrix->rows > 50 * SAMPLE, ui);
}

void data_correlation(DataState *s, Ui *ui)
{
    if (s->view == VIEW_CORRELATION)
        return;
    data_correlation_drop(s);
    s->matrix = mem_alloc(sizeof *s->matrix);
    s->matrix->table = (Table){.cells = true, .frozen = 1};
    data_show(s, VIEW_CORRELATION, ui);
}

void data_correlation_kind(DataState *s, Ui *ui)
{
    Matrix *m = s->matrix;
    (void)ui;
    m->ranks = !m->ranks;
    if (m->head)
        m->head[0].title = m->ranks ? "spearman" : "pearson";
}

/* ---- drawing ------------------------------------------------------------------------------------------------------- */

static double value_at(const Matrix *m, uint64_t row, size_t column)
{
    const double *v = m->ranks ? m->c.spearman : m->c.pearson;
    return v[row * m->c.columns + column - 1];
}

/* Three strengths each way; what is weaker is dim letters. */
static Style strength(double v)
{
    double a = fabs(v);
    int level = a >= 0.7 ? 3 : a >= 0.4 ? 2 : a >= 0.15 ? 1 : 0;
    if (!level)
        return STYLE_DIM;
    return (Style)((v > 0 ? STYLE_PLUS_1 : STYLE_MINUS_1) + level - 1);
}

static void cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const DataState *s = context;
    const Matrix *m = s->matrix;
    if (column == 0) {
        const Field *f = &s->data->schema.field[m->c.column[row]];
        text_puts(out->text, f->name);
        out->style = f->role == ROLE_FEATURE ? STYLE_HEADER : role_style(f->role);
        return;
    }
    double v = value_at(m, row, column);
    if (isnan(v))
        text_puts(out->text, "-");
    else if (row == column - 1)
        text_puts(out->text, "1");
    else
        text_printf(out->text, fabs(v) < 0.005 ? "0" : "%+.2f", v);
    out->style = isnan(v) || row == column - 1 ? STYLE_DIM : strength(v);
}

static bool paint(const void *context, uint64_t row, size_t column, const Canvas *part,
                  Style ground)
{
    const DataState *s = context;
    if (column == 0 || ground == STYLE_CELL)
        return false;
    Text t = {0};
    Cell one = {&t, STYLE_PLAIN};
    cell(s, row, column, &one);
    bool coloured = one.style != STYLE_DIM;
    if (!coloured && ground != STYLE_PLAIN)
        one.style = style_on(one.style, ground);
    canvas_field(part, 0, 0, part->cols, ALIGN_RIGHT, one.style, text_str(&t));
    text_release(&t);
    return true;
}

static TableSource source(const DataState *s)
{
    const Matrix *m = s->matrix;
    return (TableSource){.context = s,
                         .rows = m->made ? m->c.columns : 0,
                         .columns = m->made ? m->c.columns + 1 : 0,
                         .column = m->head,
                         .cell = cell,
                         .paint = paint,
                         .empty = m->made ? "This dataset has no two numeric columns."
                                          : "Correlating ..."};
}

static void title(const DataState *s, const Canvas *c, Text *title_text, Text *note)
{
    text_printf(title_text, " %s correlation", glyph(c, GLYPH_DOT));
    data_add_filter(s, c, title_text);
    text_puts(note, s->matrix->ranks ? "of ranks, sampled, " : "");
    if (s->matrix->sampled) /* until the exact answer is there */
        text_puts(note, "sampled, of ");
    data_add_grouped(s->matrix->rows, note);
    text_puts(note, " rows");
}

static void layout(DataState *s, int rows, int cols)
{
    TableSource all = source(s);
    table_layout(&s->matrix->table, &all, rows, cols);
}

static void draw(const DataState *s, const Canvas *in, bool active, const Ui *ui)
{
    (void)ui;
    TableSource all = source(s);
    table_draw(&s->matrix->table, &all, in, active, DATA_ZONE_MAIN);
}

void data_correlation_open(DataState *s, Ui *ui)
{
    const Matrix *m = s->matrix;
    if (!m->made || !m->table.col || m->table.at >= m->c.columns)
        return;
    data_scatter_of(s, m->c.column[m->table.col - 1], m->c.column[m->table.at], ui);
}

static Reply command(DataState *s, int what, Ui *ui)
{
    TableSource all = source(s);
    Matrix *m = s->matrix;
    if (what == UI_COPY && m->made && m->table.col) {
        char text[32];
        snprintf(text, sizeof text, "%.17g", value_at(m, m->table.at, m->table.col));
        ui_copy(ui, text);
        return REPLY_DRAW;
    }
    Reply reply = table_command(&m->table, &all, what);
    follow(s);
    return reply;
}

static Reply mouse(DataState *s, const Mouse *m, Ui *ui)
{
    TableSource all = source(s);
    Reply reply = table_mouse(&s->matrix->table, &all, m);
    follow(s);
    if (m->kind == MOUSE_DOUBLE)
        data_correlation_open(s, ui);
    return reply;
}

const ViewKind data_correlation_view = {.title = title,
                                        .wide = true,
                                        .layout = layout,
                                        .draw = draw,
                                        .command = command,
                                        .mouse = mouse,
                                        .enter = enter,
                                        .source = source};
