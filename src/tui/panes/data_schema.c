/* data_schema.c -- what is known of the columns: the schema with its profile, one column in full, and the
 * rows that could not be read. */
#include "data_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The share of the values in each of PROFILE_BINS bins, and the range they cover. A few far outliers would
 * press all others into one bin: then the range is from the 1 % to the 99 % quantile, and the shares come
 * from the quantiles. Returns true in that case. */
static bool distribution(const ColumnProfile *p, double *value, double *low, double *high)
{
    const double *q = p->quantile;
    bool inner = q[99] > q[1] && p->most - p->least > 4 * (q[99] - q[1]);
    *low = inner ? q[1] : p->least;
    *high = inner ? q[99] : p->most;
    for (size_t i = 0; i < PROFILE_BINS; i++)
        value[i] = inner ? 0 : (double)p->bin[i];
    for (size_t i = 1; i < 99 && inner; i++) { /* 1 % of the values lies between two quantiles */
        double from = (q[i] - *low) / (*high - *low) * PROFILE_BINS,
               to = (q[i + 1] - *low) / (*high - *low) * PROFILE_BINS;
        size_t first = (size_t)from < PROFILE_BINS ? (size_t)from : PROFILE_BINS - 1;
        if (to - from < 1e-9) {
            value[first] += 1;
            continue;
        }
        for (size_t b = first; b < PROFILE_BINS && (double)b < to; b++)
            value[b] += (fmin(to, (double)b + 1) - fmax(from, (double)b)) / (to - from);
    }
    return inner;
}

/* ---- schema -------------------------------------------------------------------------------------------------- */

enum {
    SCHEMA_NAME,
    SCHEMA_TYPE,
    SCHEMA_ROLE,
    SCHEMA_MISSING,
    SCHEMA_DISTINCT,
    SCHEMA_SPARK,
    SCHEMA_LEAST,
    SCHEMA_MEAN,
    SCHEMA_MOST,
    SCHEMA_TOP
};

static const TableColumn schema_columns[] = {
    [SCHEMA_NAME] = {.title = "column", .width = 22},
    [SCHEMA_TYPE] = {.title = "type", .width = 9},
    [SCHEMA_ROLE] = {.title = "role", .width = 8},
    [SCHEMA_MISSING] = {.title = "missing", .width = 7, .align = ALIGN_RIGHT},
    [SCHEMA_DISTINCT] = {.title = "distinct", .width = 8, .align = ALIGN_RIGHT},
    [SCHEMA_SPARK] = {.title = "distribution", .width = 14},
    [SCHEMA_LEAST] = {.title = "min", .width = 10, .align = ALIGN_RIGHT},
    [SCHEMA_MEAN] = {.title = "mean", .width = 9, .align = ALIGN_RIGHT},
    [SCHEMA_MOST] = {.title = "max", .width = 10, .align = ALIGN_RIGHT},
    [SCHEMA_TOP] = {.title = "most frequent", .width = 24, .stretch = true},
};

static const ColumnProfile *profile_of(const DataState *s, size_t column)
{
    const Profile *p = dataset_profile(s->data->data);
    return p ? profile_find(p, s->data->schema.field[column].name) : NULL;
}

static void add_value(const ColumnProfile *p, double v, Text *into)
{
    if (p->type == COLUMN_TIME) {
        Text t = {0};
        time_format((int64_t)v, &t);
        text_add(into, text_str(&t), t.count > 10 ? 10 : t.count);
        text_release(&t);
    } else if (p->type == COLUMN_DATE) {
        date_format((int32_t)v, into);
    } else {
        chart_number(v, into);
    }
}

static void add_share(double share, Text *into)
{
    if (share == 0)
        text_puts(into, "0");
    else if (share < 0.001)
        text_puts(into, "<0.1%");
    else
        text_printf(into, share >= 0.0995 ? "%.0f%%" : "%.1f%%", share * 100);
}

static void add_tops(const ColumnProfile *p, Text *into)
{
    uint64_t have = p->count - p->missing;
    for (size_t i = 0; i < p->tops && i < 5; i++) {
        if (p->top[i].count * 100 < have)
            break;
        text_printf(into, "%s%s %.0f%%", i ? "  " : "", p->top[i].value,
                    have ? 100.0 * (double)p->top[i].count / (double)have : 0.0);
    }
}

static void schema_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const DataState *s = context;
    const Field *f = &s->data->schema.field[row];
    const ColumnProfile *p = profile_of(s, row);
    double missing = p && p->count ? (double)p->missing / (double)p->count : 0;
    out->style = STYLE_PLAIN;
    if (column == SCHEMA_NAME) {
        text_puts(out->text, f->name);
        out->style = f->role == ROLE_FEATURE ? STYLE_STRONG : role_style(f->role);
    } else if (column == SCHEMA_TYPE) {
        text_puts(out->text, column_type_name(f->type));
        out->style = data_style(f->type);
    } else if (column == SCHEMA_ROLE) {
        text_puts(out->text, role_name(f->role));
        out->style = f->role == ROLE_FEATURE ? STYLE_ROLE_FEATURE : role_style(f->role);
    } else if (!p) {
        out->style = STYLE_MISSING;
        text_puts(out->text, "-");
    } else if (column == SCHEMA_MISSING) {
        add_share(missing, out->text);
        out->style = missing == 0     ? STYLE_DIM
                     : missing > 0.5  ? STYLE_BAD
                     : missing > 0.05 ? STYLE_WARN
                                      : STYLE_PLAIN;
    } else if (column == SCHEMA_DISTINCT) {
        text_add_count(out->text, round(p->distinct));
        out->style = p->distinct <= 1 ? STYLE_WARN : STYLE_PLAIN;
    } else if (column == SCHEMA_TOP) {
        add_tops(p, out->text);
        out->style = STYLE_DIM;
    } else if (!p->numeric ||
               (column == SCHEMA_MEAN && (p->type == COLUMN_TIME || p->type == COLUMN_DATE))) {
        out->style = STYLE_MISSING;
    } else {
        add_value(p,
                  column == SCHEMA_LEAST  ? p->least
                  : column == SCHEMA_MOST ? p->most
                                          : p->mean,
                  out->text);
        out->style = STYLE_NUMBER;
    }
}

static bool schema_paint(const void *context, uint64_t row, size_t column, const Canvas *cell,
                         Style ground)
{
    const DataState *s = context;
    if (column != SCHEMA_SPARK)
        return false;
    const ColumnProfile *p = profile_of(s, row);
    canvas_fill(cell, ground);
    if (!p)
        return true;
    double value[PROFILE_BINS];
    size_t n = 0;
    double low, high;
    if (p->numeric && p->most > p->least) {
        distribution(p, value, &low, &high);
        for (; n < PROFILE_BINS; n++)
            value[n] = sqrt(value[n]); /* the eye wants to see the small ones too */
    } else {
        for (; n < p->tops; n++)
            value[n] = (double)p->top[n].count;
    }
    int width = p->numeric || (int)n > cell->cols ? cell->cols : (int)n;
    chart_spark(cell, 0, 0, width, style_on(STYLE_BAR, ground), value, n);
    return true;
}

TableSource data_schema_source(const DataState *s)
{
    return (TableSource){.context = s,
                         .rows = s->data ? s->data->schema.count : 0,
                         .columns = sizeof schema_columns / sizeof *schema_columns,
                         .column = schema_columns,
                         .cell = schema_cell,
                         .paint = schema_paint,
                         .empty = "No dataset is open."};
}

/* ---- rejects ------------------------------------------------------------------------------------------------------ */

static const TableColumn reject_columns[] = {{.title = "line", .width = 9, .align = ALIGN_RIGHT},
                                             {.title = "why it was not taken", .width = 36},
                                             {.title = "text", .width = 24, .stretch = true}};

static void reject_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const DataState *s = context;
    const RejectRow *r = &s->reject_list->row[row];
    if (column == 0)
        text_printf(out->text, "%lld", (long long)r->line);
    else
        text_puts(out->text, column == 1 ? r->reason : r->text);
    out->style = column == 1 ? STYLE_WARN : column == 0 ? STYLE_NUMBER : STYLE_DIM;
}

TableSource data_rejects_source(const DataState *s)
{
    return (TableSource){.context = s,
                         .rows = s->reject_list ? s->reject_list->count : 0,
                         .columns = 3,
                         .column = reject_columns,
                         .cell = reject_cell,
                         .empty = s->data && s->data->row.rejects
                                      ? "Reading what was rejected ..."
                                      : "Every line of the source was taken."};
}

/* ---- one column ------------------------------------------------------------------------------------------------------ */

static int fact(const Canvas *c, int row, const char *name, const char *value, Style style)
{
    canvas_field(c, row, 0, 11, ALIGN_LEFT, STYLE_DIM, name);
    canvas_field(c, row, 11, c->cols - 11, ALIGN_LEFT, style, value);
    return row + 1;
}

static int number_fact(const Canvas *c, int row, const char *name, const ColumnProfile *p, double v)
{
    Text t = {0};
    if (p->type == COLUMN_TIME && strcmp(name, "deviation"))
        time_format((int64_t)v, &t);
    else if (p->type == COLUMN_DATE && strcmp(name, "deviation"))
        date_format((int32_t)v, &t);
    else
        chart_number(p->type == COLUMN_TIME ? v / 1e6 : v, &t);
    row = fact(c, row, name, text_str(&t), STYLE_NUMBER);
    text_release(&t);
    return row;
}

static int count_fact(const Canvas *c, int row, const char *name, double count, double of)
{
    Text t = {0};
    text_add_count(&t, count);
    if (of > 0 && count > 0) {
        text_puts(&t, "  ");
        add_share(count / of, &t);
    }
    row = fact(c, row, name, text_str(&t), count > 0 ? STYLE_NUMBER : STYLE_DIM);
    text_release(&t);
    return row;
}

static void draw_facts(const ColumnProfile *p, const Field *f, const Canvas *c)
{
    int row = fact(c, 0, "type", column_type_name(f->type), data_style(f->type));
    row = fact(c, row, "role", role_name(f->role),
               f->role == ROLE_FEATURE ? STYLE_ROLE_FEATURE : role_style(f->role));
    row = count_fact(c, row, "rows", (double)p->count, 0);
    row = count_fact(c, row, "missing", (double)p->missing, (double)p->count);
    row = count_fact(c, row, "distinct", round(p->distinct), 0);
    row++;
    if (p->numeric) {
        row = number_fact(c, row, "mean", p, p->mean);
        row = number_fact(c, row, "deviation", p, p->deviation);
        static const struct {
            const char *name;
            int at;
        } quantiles[] = {{"min", 0},   {"5 %", 5},   {"25 %", 25}, {"median", 50},
                         {"75 %", 75}, {"95 %", 95}, {"max", 100}};
        for (size_t i = 0; i < 7; i++)
            row = number_fact(c, row, quantiles[i].name, p, p->quantile[quantiles[i].at]);
        if (p->type == COLUMN_INT || p->type == COLUMN_REAL) {
            row = count_fact(c, row, "zeros", (double)p->zeros, (double)p->count);
            row = count_fact(c, row, "negative", (double)p->negatives, (double)p->count);
        }
    } else {
        char t[60];
        snprintf(t, sizeof t, "%llu to %llu bytes", (unsigned long long)p->shortest,
                 (unsigned long long)p->longest);
        fact(c, row, "length", t, STYLE_NUMBER);
    }
}

static void draw_tops(const ColumnProfile *p, const Canvas *c)
{
    const char *names[PROFILE_TOP];
    double value[PROFILE_TOP], have = (double)(p->count - p->missing);
    for (size_t i = 0; i < p->tops; i++) {
        names[i] = p->top[i].value;
        value[i] = have > 0 ? (double)p->top[i].count / have : 0;
    }
    canvas_put(c, 0, 0, STYLE_HEADER, "most frequent");
    Canvas bars = canvas_part(c, 1, 0, c->rows - 1, c->cols);
    chart_words(&bars, &(WordBars){.count = p->tops, .name = names, .value = value});
}

void data_draw_column(const DataState *s, const Canvas *c)
{
    if (!s->data || s->table.col >= s->columns)
        return;
    const Field *f = &s->data->schema.field[s->table.col];
    const ColumnProfile *p = profile_of(s, s->table.col);
    if (!p) {
        canvas_put(c, 1, 2, STYLE_DIM, "no profile of this column");
        return;
    }
    Canvas facts = canvas_part(c, 0, 1, c->rows, 32);
    draw_facts(p, f, &facts);
    Canvas right = canvas_part(c, 0, 35, c->rows, c->cols - 36);
    if (!p->numeric || p->most <= p->least) {
        draw_tops(p, &right);
        return;
    }
    double value[PROFILE_BINS], low, high;
    bool inner = distribution(p, value, &low, &high);
    bool frequent = p->tops && (double)p->top[0].count >= 0.02 * (double)(p->count - p->missing);
    int rows = !frequent         ? (right.rows > 30 ? 30 : right.rows)
               : right.rows > 24 ? right.rows * 3 / 5
               : right.rows > 14 ? right.rows - 6
                                 : right.rows;
    int x = canvas_put(&right, 0, 0, STYLE_HEADER, "distribution");
    if (inner)
        canvas_put(&right, 0, x + 2, STYLE_DIM, "1 % to 99 %");
    Canvas plot = canvas_part(&right, 1, 0, rows - 1, right.cols);
    bool dates = p->type == COLUMN_TIME || p->type == COLUMN_DATE;
    chart_histogram(&plot, &(Histogram){.value = value,
                                        .bins = PROFILE_BINS,
                                        .low = dates ? 0 : low,
                                        .high = dates ? 0 : high});
    if (frequent && right.rows - rows >= 4) {
        Canvas tops = canvas_part(&right, rows + 1, 0, right.rows - rows - 1, right.cols);
        draw_tops(p, &tops);
    }
}

/* ---- the column under the cursor in one line -------------------------------------------------------------------------- */

static int piece(const Canvas *c, int col, const char *name, const char *value)
{
    int need = (int)utf8_width(name, strlen(name)) + (int)utf8_width(value, strlen(value)) + 3;
    if (!*value || col + need > c->cols)
        return col;
    col += canvas_put(c, 0, col, STYLE_DIM, name);
    col += canvas_put(c, 0, col + 1, STYLE_NUMBER, value) + 1;
    return col + 2;
}

void data_draw_info(const DataState *s, const Canvas *c, const Ui *ui)
{
    (void)ui;
    if (!s->data || s->table.col >= s->columns)
        return;
    const Field *f = &s->data->schema.field[s->table.col];
    const ColumnProfile *p = profile_of(s, s->table.col);
    int col = 1;
    col += canvas_put(c, 0, col, role_style(f->role), role_glyph(c, f->role));
    col += canvas_put(c, 0, col + 1, STYLE_STRONG, f->name) + 2;
    col += canvas_put(c, 0, col, data_style(f->type), column_type_name(f->type)) + 1;
    col += canvas_put(c, 0, col, f->role == ROLE_FEATURE ? STYLE_ROLE_FEATURE : role_style(f->role),
                      role_name(f->role)) +
           2;
    if (!p)
        return;
    Text t = {0};
    if (p->missing) {
        add_share((double)p->missing / (double)p->count, &t);
        col = piece(c, col, "missing", text_str(&t));
        text_reset(&t);
    }
    text_add_count(&t, round(p->distinct));
    col = piece(c, col, "distinct", text_str(&t));
    text_reset(&t);
    if (p->numeric) {
        static const char *const names[] = {"min", "mean", "max"};
        double value[] = {p->least, p->mean, p->most};
        for (int i = 0; i < 3; i++) {
            text_reset(&t);
            add_value(p, value[i], &t);
            col = piece(c, col, names[i], text_str(&t));
        }
        if (c->cols - col > 12 && p->most > p->least) {
            double bins[PROFILE_BINS], low, high;
            distribution(p, bins, &low, &high);
            for (size_t i = 0; i < PROFILE_BINS; i++)
                bins[i] = sqrt(bins[i]);
            int width = c->cols - col - 1 < 20 ? c->cols - col - 1 : 20;
            chart_spark(c, 0, col, width, STYLE_BAR, bins, PROFILE_BINS);
        }
    } else {
        add_tops(p, &t);
        if (c->cols - col > 10)
            canvas_field(c, 0, col, c->cols - col - 1, ALIGN_LEFT, STYLE_DIM, text_str(&t));
    }
    text_release(&t);
}
