/* data_describe.c -- every column with its statistics: of the rows that pass the filter, computed column by
 * column while one looks; sorted by any of them. */
#include "data_int.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* enum, title, width */
#define STATISTICS(X)                                                                              \
    X(NAME, "column", 18)                                                                          \
    X(TYPE, "type", 9)                                                                             \
    X(MISSING, "missing", 7)                                                                       \
    X(DISTINCT, "distinct", 8)                                                                     \
    X(SPARK, "distribution", 14) X(LEAST, "min", 10) X(Q1, "25 %", 10) X(MEDIAN, "median", 10)     \
        X(Q3, "75 %", 10) X(MOST, "max", 10) X(MEAN, "mean", 10) X(DEVIATION, "deviation", 10)
#define AS_ENUM(name, title, width) DESCRIBE_##name,
enum { STATISTICS(AS_ENUM) DESCRIBE_COUNT };
#undef AS_ENUM

#define RIGHT(name) (DESCRIBE_##name > DESCRIBE_TYPE && DESCRIBE_##name != DESCRIBE_SPARK)
#define AS_COLUMN(name, text, cols)                                                                \
    {.title = text, .width = cols, .align = RIGHT(name) ? ALIGN_RIGHT : ALIGN_LEFT},
static const TableColumn statistics[] = {STATISTICS(AS_COLUMN)};
#undef AS_COLUMN

/* ---- sorting by a statistic ---------------------------------------------------------------------------------------- */

static double statistic(const ColumnProfile *p, size_t which)
{
    if (!p)
        return NAN;
    if (which == DESCRIBE_MISSING)
        return p->count ? (double)p->missing / (double)p->count : (double)NAN;
    if (which == DESCRIBE_DISTINCT)
        return p->distinct;
    if (!p->numeric)
        return NAN;
    switch (which) {
    case DESCRIBE_LEAST:
        return p->least;
    case DESCRIBE_Q1:
        return p->quantile[25];
    case DESCRIBE_MEDIAN:
        return p->quantile[50];
    case DESCRIBE_Q3:
        return p->quantile[75];
    case DESCRIBE_MOST:
        return p->most;
    case DESCRIBE_MEAN:
        return p->mean;
    case DESCRIBE_DEVIATION:
        return p->type == COLUMN_TIME ? p->deviation / 1e6 : p->deviation;
    case DESCRIBE_SPARK: /* how far from even: the largest bin */
        return (double)p->bin[0];
    }
    return NAN;
}

static int compare(const DataState *s, size_t a, size_t b)
{
    const Field *f = s->data->schema.field;
    int by_name = strcmp(f[a].name, f[b].name);
    if (s->describe_key == DESCRIBE_NAME)
        return s->describe_down ? -by_name : by_name;
    if (s->describe_key == DESCRIBE_TYPE)
        return f[a].type != f[b].type ? (f[a].type < f[b].type) == s->describe_down ? 1 : -1
                                      : by_name;
    double x = statistic(data_profile_seen(s, a), s->describe_key);
    double y = statistic(data_profile_seen(s, b), s->describe_key);
    if (isnan(x) || isnan(y))
        return isnan(x) - isnan(y); /* what has none comes last */
    int order = (x > y) - (x < y);
    return s->describe_down ? -order : order;
}

/* A handful of columns: insertion keeps those alike in their order. */
static void arrange(DataState *s)
{
    for (size_t i = 0; i < s->columns; i++)
        s->describe_order[i] = i;
    for (size_t i = 1; i < s->columns && s->describe_key != SIZE_MAX; i++)
        for (size_t k = i; k > 0; k--) {
            size_t above = s->describe_order[k - 1];
            if (compare(s, above, s->describe_order[k]) <= 0)
                break;
            s->describe_order[k - 1] = s->describe_order[k];
            s->describe_order[k] = above;
        }
}

void data_describe_sort(DataState *s, bool down)
{
    s->describe_key = s->describe.col;
    s->describe_down = down;
    arrange(s);
    s->describe.at = 0;
    data_focus(s, s->describe_order[0]);
}

/* ---- profiles of the rows that pass ---------------------------------------------------------------------------- */

void data_described_drop(DataState *s)
{
    for (size_t i = 0; i < s->described.columns; i++)
        profile_release(&s->described.column[i]);
    mem_free(s->described.column);
    s->described = (Described){0};
}

const ColumnProfile *data_profile_seen(const DataState *s, size_t column)
{
    if (!data_filtered(s))
        return data_profile_of(s, column);
    const Profile *p = column < s->described.columns ? &s->described.column[column] : NULL;
    return p && p->columns ? p->column : NULL;
}

typedef struct DescribeAsk {
    OpenDataset *data; /* held */
    Rows *rows;        /* held */
    size_t column;
} DescribeAsk;

typedef struct DescribeAnswer {
    size_t column;
    Profile profile;
} DescribeAnswer;

static void release_ask(void *p)
{
    DescribeAsk *a = p;
    open_dataset_drop(a->data);
    rows_drop(a->rows);
    mem_free(a);
}

static void release_answer(void *p)
{
    DescribeAnswer *a = p;
    profile_release(&a->profile);
    mem_free(a);
}

static void *describe(JobContext *c, void *input, Error *err)
{
    const DescribeAsk *a = input;
    DescribeAnswer answer = {.column = a->column};
    if (!scan_profile(a->data->data, a->column, &a->rows->set, job_pool(c), job_progress(c),
                      &answer.profile, err))
        return NULL;
    return mem_copy(&answer, sizeof answer);
}

static void described(void *owner, void *result, const Error *err, Ui *ui)
{
    DataState *s = owner;
    DescribeAnswer *a = result;
    ui_draw(ui);
    if (!a) {
        s->describe_all = false;
        if (err->kind != ERROR_STOP)
            ui_error(ui, err);
        return;
    }
    if (!s->described.columns) {
        s->described.columns = s->columns;
        s->described.column = mem_alloc((s->columns + 1) * sizeof *s->described.column);
    }
    profile_release(&s->described.column[a->column]);
    s->described.column[a->column] = a->profile;
    mem_free(a);
    arrange(s);
    for (size_t i = 0; i < s->columns && s->describe_all; i++)
        if (!data_profile_seen(s, s->describe_order[i])) {
            data_describe_column(s, s->describe_order[i], ui);
            return;
        }
    s->describe_all = false;
}

void data_describe_column(DataState *s, size_t column, Ui *ui)
{
    if (!data_filtered(s) || data_rows_awaited(s) || !s->rows || data_profile_seen(s, column))
        return;
    DescribeAsk a = {
        .data = open_dataset_hold(s->data), .rows = rows_hold(s->rows), .column = column};
    Job job = {.owner = s,
               .slot = DATA_DESCRIBE_SLOT,
               .run = describe,
               .input = mem_copy(&a, sizeof a),
               .release_input = release_ask,
               .release = release_answer,
               .done = described,
               .quiet = true};
    snprintf(job.what_text, sizeof job.what_text, "describing %.40s", s->column[column].title);
    ui_job(ui, job);
}

static void enter(DataState *s, Ui *ui)
{
    s->describe_all = data_filtered(s);
    for (size_t i = 0; i < s->columns && s->describe_all; i++)
        if (!data_profile_seen(s, i)) {
            data_describe_column(s, i, ui);
            break;
        }
    arrange(s);
}

/* ---- the view ------------------------------------------------------------------------------------------------------- */

/* Whole numbers as they are: 2000000001 is no 2G. Others with six digits, as far as they fit. */
static void add_number(const ColumnProfile *p, double v, Text *into)
{
    char digits[40];
    if (p->type == COLUMN_INT && v == floor(v) && fabs(v) < 1e10)
        snprintf(digits, sizeof digits, "%.0f", v);
    else
        snprintf(digits, sizeof digits, "%.6g", v);
    if ((p->type == COLUMN_INT || p->type == COLUMN_REAL) && fabs(v) >= 1e-3 && strlen(digits) <= 10 &&
        !strchr(digits, 'e'))
        text_puts(into, digits);
    else
        data_add_value(p, v, into);
}

static void cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const DataState *s = context;
    size_t i = s->describe_order[row];
    const Field *f = &s->data->schema.field[i];
    const ColumnProfile *p = data_profile_seen(s, i);
    out->style = STYLE_NUMBER;
    if (column == DESCRIBE_NAME) {
        text_puts(out->text, f->name);
        out->style = f->role == ROLE_FEATURE ? STYLE_STRONG : role_style(f->role);
        return;
    }
    if (column == DESCRIBE_TYPE) {
        text_puts(out->text, column_type_name(f->type));
        out->style = data_style(f->type);
        return;
    }
    double v = statistic(p, column);
    if (!p || isnan(v)) {
        text_puts(out->text, p ? "" : "...");
        out->style = STYLE_MISSING;
    } else if (column == DESCRIBE_MISSING) {
        data_add_share(v, out->text);
        out->style = v == 0     ? STYLE_DIM
                     : v > 0.5  ? STYLE_BAD
                     : v > 0.05 ? STYLE_WARN
                                : STYLE_NUMBER;
    } else if (column == DESCRIBE_DISTINCT) {
        text_add_count(out->text, round(v));
        out->style = v <= 1 ? STYLE_WARN : STYLE_NUMBER;
    } else if (column == DESCRIBE_DEVIATION && p->type == COLUMN_TIME) {
        text_add_seconds(out->text, v);
    } else if (column == DESCRIBE_DEVIATION && p->type == COLUMN_DATE) {
        text_printf(out->text, "%.1f days", v);
    } else {
        add_number(p, v, out->text);
    }
}

/* Text has no quantiles: its frequent values stand where they would. */
static bool paint(const void *context, uint64_t row, size_t column, const Canvas *part,
                  Style ground)
{
    const DataState *s = context;
    if (column != DESCRIBE_SPARK)
        return false;
    data_paint_spark(data_profile_seen(s, s->describe_order[row]), part, ground);
    return true;
}

static TableSource source(const DataState *s)
{
    return (TableSource){.context = s,
                         .rows = s->columns,
                         .columns = DESCRIBE_COUNT,
                         .column = s->describe_head[0].title ? s->describe_head : statistics,
                         .cell = cell,
                         .paint = paint,
                         .empty = "This dataset has no columns."};
}

static void title(const DataState *s, const Canvas *c, Text *title_text, Text *note)
{
    text_printf(title_text, " %s describe", glyph(c, GLYPH_DOT));
    data_add_filter(s, c, title_text);
    if (s->describe_key != SIZE_MAX)
        text_printf(note, "%s %s %s ", glyph(c, s->describe_down ? GLYPH_DOWN : GLYPH_UP),
                    statistics[s->describe_key].title, glyph(c, GLYPH_DOT));
    data_add_grouped(data_rows(s), note);
    text_puts(note, " rows");
}

static void layout(DataState *s, int rows, int cols)
{
    static_assert(sizeof s->describe_head == sizeof statistics, "a head for each statistic");
    int name = statistics[DESCRIBE_NAME].width, longest = name, room = cols - 2;
    for (size_t i = 0; i < DESCRIBE_COUNT; i++)
        room -= statistics[i].width + 2;
    for (size_t i = 0; i < s->columns; i++) {
        int w = (int)utf8_width(s->column[i].title, strlen(s->column[i].title));
        longest = w > longest ? w : longest;
    }
    memcpy(s->describe_head, statistics, sizeof statistics); /* names get the room that the numbers leave */
    s->describe_head[DESCRIBE_NAME].width = longest - name < room ? longest : room > 0 ? name + room : name;
    TableSource all = source(s);
    table_layout(&s->describe, &all, rows, cols);
}

static void draw(const DataState *s, const Canvas *in, bool active, const Ui *ui)
{
    (void)ui;
    TableSource all = source(s);
    table_draw(&s->describe, &all, in, active, DATA_ZONE_MAIN);
}

static Reply command(DataState *s, int what, Ui *ui)
{
    TableSource all = source(s);
    if (what == UI_COPY) {
        Text text = {0};
        Cell one = {&text, STYLE_PLAIN};
        cell(s, s->describe.at, s->describe.col, &one);
        ui_copy(ui, text_str(&text));
        text_release(&text);
        return REPLY_DRAW;
    }
    Reply reply = table_command(&s->describe, &all, what);
    if (s->describe.at < s->columns)
        data_focus(s, s->describe_order[s->describe.at]);
    return reply;
}

static Reply mouse(DataState *s, const Mouse *m, Ui *ui)
{
    TableSource all = source(s);
    Reply reply = table_mouse(&s->describe, &all, m);
    if (s->describe.at < s->columns)
        data_focus(s, s->describe_order[s->describe.at]);
    if (m->kind == MOUSE_DOUBLE)
        data_show(s, VIEW_COLUMN, ui);
    return reply;
}

const ViewKind data_describe_view = {.title = title,
                                     .wide = true,
                                     .layout = layout,
                                     .draw = draw,
                                     .command = command,
                                     .mouse = mouse,
                                     .enter = enter,
                                     .source = source};
