/* watch_draw.c -- the Watch pane around its tables: a deployment in three lines, a curve with its band, an alert, a row. */
#include "watch_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- head -------------------------------------------------------------------------------------------------------------- */

static Style state_style(const char *state)
{
    return strcmp(state, "live") == 0 ? STYLE_GOOD : strcmp(state, "stopped") == 0 ? STYLE_BAD : STYLE_WARN;
}

static int put_seconds(const Canvas *c, int col, double seconds)
{
    Text t = {0};
    if (isfinite(seconds))
        text_add_seconds(&t, seconds);
    else
        text_putc(&t, '-');
    int width = canvas_put(c, 1, col, STYLE_STRONG, text_str(&t));
    text_release(&t);
    return width;
}

static void draw_traffic(const WatchData *d, const Canvas *c)
{
    if (!isfinite(d->requests)) {
        canvas_put(c, 1, 1, STYLE_DIM, "no traffic in the last day");
        return;
    }
    int col = 1 + canvas_printf(c, 1, 1, STYLE_STRONG, "%.4g", d->requests);
    col += canvas_put(c, 1, col, STYLE_DIM, " requests/s   p50 ");
    col += put_seconds(c, col, d->p50);
    col += canvas_put(c, 1, col, STYLE_DIM, "   p99 ");
    col += put_seconds(c, col, d->p99);
    col += canvas_put(c, 1, col, STYLE_DIM, "   errors ");
    col += canvas_printf(c, 1, col, d->errors > 0.01 ? STYLE_BAD : STYLE_STRONG, "%.2f%%", d->errors * 100);
    if (time_now() - d->asked > WATCH_MINUTE) {
        Text t = {0};
        time_format(d->asked, &t);
        canvas_printf(c, 1, col, STYLE_DIM, "   until %.11s", text_str(&t) + 5); /* month, day, hour, minute */
        text_release(&t);
    }
}

void watch_draw_head(const WatchState *s, const Canvas *c)
{
    const WatchData *d = s->data;
    size_t raised = 0, seen = 0;
    if (!d || !d->deployments) {
        canvas_put(c, 0, 1, STYLE_DIM, d ? "nothing is deployed yet: a in 7 Deploy makes a deployment of a model" : "reading ...");
        return;
    }
    const DeploymentRow *row = &d->deployment[d->at];
    int col = 1 + canvas_put(c, 0, 1, STYLE_STRONG, row->name);
    col += canvas_put(c, 0, col, state_style(row->state), *row->state ? " " : "");
    col += canvas_put(c, 0, col, state_style(row->state), row->state);
    col += canvas_put(c, 0, col + 2, STYLE_AFTER, d->model) + 2;
    if (*d->candidate) {
        col += canvas_printf(c, 0, col + 1, STYLE_DIM, "beside it ") + 1;
        col += canvas_put(c, 0, col, STYLE_VALID, d->candidate);
        if (strcmp(row->state, "canary") == 0)
            col += canvas_printf(c, 0, col, STYLE_VALID, " %.3g%%", row->percent);
    }
    if (d->deployments > 1)
        canvas_printf(c, 0, col + 2, STYLE_DIM, "(%zu of %zu)", d->at + 1, d->deployments);
    draw_traffic(d, c);
    for (size_t i = 0; i < d->alerts; i++) {
        raised += strcmp(d->alert[i].state, "raised") == 0;
        seen += strcmp(d->alert[i].state, "acknowledged") == 0;
    }
    col = 1 + canvas_printf(c, 2, 1, raised ? STYLE_BAD : STYLE_GOOD, raised ? "%zu alert%s raised" : "no alert raised", raised,
                            raised == 1 ? "" : "s");
    if (seen)
        col += canvas_printf(c, 2, col, STYLE_WARN, ", %zu acknowledged", seen);
    if (raised)
        canvas_field(c, 2, col + 2, c->cols - col - 3, ALIGN_LEFT, STYLE_DIM, d->alert[0].text);
}

/* ---- a curve ------------------------------------------------------------------------------------------------------------- */

static bool any_finite(const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isfinite(v[i]))
            return true;
    return false;
}

size_t watch_series(const WatchCurve *k, ChartSeries out[4])
{
    bool traffic = strcmp(k->kind, "traffic") == 0, few = k->n < 3;
    size_t n = 0;
    out[n++] = (ChartSeries){.name = traffic && strcmp(k->test, "latency ms") == 0 ? "p99"
                                     : strcmp(k->kind, "estimate") == 0        ? "estimated"
                                                                               : k->test,
                             .style = STYLE_AFTER, .x = k->x, .y = k->value, .n = k->n, .dots = few, .mark = few ? 0x25cfu : 0};
    if (any_finite(k->truth, k->n) && strcmp(k->kind, "performance") != 0)
        out[n++] = (ChartSeries){.name = traffic ? "p50" : "came true", .style = STYLE_VALID, .x = k->x, .y = k->truth, .n = k->n,
                                 .dots = few, .mark = few ? 0x25cfu : 0};
    if (any_finite(k->low, k->n))
        out[n++] = (ChartSeries){.name = "least", .style = STYLE_BAD, .x = k->x, .y = k->low, .n = k->n, .faint = true};
    if (any_finite(k->high, k->n))
        out[n++] = (ChartSeries){.name = "most", .style = STYLE_BAD, .x = k->x, .y = k->high, .n = k->n, .faint = true};
    return n;
}

static void draw_shares(const DriftReport *r, const Canvas *c)
{
    const DriftColumn *d = r->columns ? &r->column[0] : NULL;
    if (!d || !d->bins || c->rows < 4)
        return;
    int col = canvas_printf(c, 0, 0, STYLE_BEFORE, "%s reference %llu rows", glyph(c, GLYPH_BLOCK), (unsigned long long)d->reference_n);
    canvas_printf(c, 0, col + 3, STYLE_AFTER, "%s now %llu rows", glyph(c, GLYPH_BLOCK), (unsigned long long)d->current_n);
    if (*d->note)
        canvas_field(c, 1, 0, c->cols, ALIGN_LEFT, STYLE_WARN, d->note);
    Canvas in = canvas_part(c, 2, 0, c->rows - 2, c->cols);
    if (*d->label[0]) {
        const char *names[DRIFT_BINS];
        for (size_t i = 0; i < d->bins; i++)
            names[i] = d->label[i];
        chart_words(&in, &(WordBars){.count = d->bins, .name = names, .value = d->reference_share, .value2 = d->current_share,
                                     .style = STYLE_BEFORE, .style2 = STYLE_AFTER});
    } else {
        chart_histogram(&in, &(Histogram){.value = d->reference_share, .value2 = d->current_share, .bins = d->bins,
                                          .low = d->edge[0], .high = d->edge[d->bins]});
    }
}

void watch_draw_curve(const WatchState *s, const Canvas *c)
{
    const WatchCurve *k = watch_curve_at(s);
    Text title = {0};
    if (k)
        text_printf(&title, "%s %s %s", *k->column ? k->column : k->kind, k->test, k->model);
    Canvas in = canvas_box(c, STYLE_BORDER, k ? text_str(&title) : "Curve", s->shares ? "distributions" : NULL);
    text_release(&title);
    if (!k) {
        canvas_wrap(&in, 1, 2, in.cols - 4, STYLE_DIM,
                    "Here a curve shows over time: drift, estimated and true performance, quality, latency.");
        return;
    }
    if (s->shares && s->report) {
        draw_shares(s->report, &in);
        return;
    }
    ChartSeries series[4];
    size_t n = watch_series(k, series);
    bool zero = strcmp(k->kind, "traffic") == 0 || strcmp(k->kind, "drift") == 0 || strcmp(k->kind, "quality") == 0;
    chart_draw(&in, &(Chart){.series = series, .count = n, .x_clock = true, .y_zero = zero, .empty = "no points yet"});
}

/* ---- an alert, a row ---------------------------------------------------------------------------------------------------------- */

static int fact(const Canvas *c, int row, const char *name, const char *value, Style style)
{
    canvas_field(c, row, 1, 13, ALIGN_LEFT, STYLE_DIM, name);
    return row + canvas_wrap(c, row, 15, c->cols - 16, style, value);
}

static int time_fact(const Canvas *c, int row, const char *name, int64_t micros)
{
    Text t = {0};
    if (!micros)
        return row;
    time_format(micros / 1000000 * 1000000, &t);
    row = fact(c, row, name, text_str(&t), STYLE_TIME);
    text_release(&t);
    return row;
}

void watch_draw_alert(const WatchState *s, const Canvas *c)
{
    const AlertRow *a = watch_alert_at(s);
    Canvas in = canvas_box(c, STYLE_BORDER, a ? a->subject : "Alert", NULL);
    if (!a) {
        canvas_wrap(&in, 1, 2, in.cols - 4, STYLE_DIM, "What is out of bounds is raised once, counted on while it is open, and "
                                                       "resolved when two chunks in a row are fine.");
        return;
    }
    int row = fact(&in, 0, "what", a->text, STYLE_STRONG);
    row = fact(&in, row, "state", a->state, strcmp(a->state, "raised") == 0 ? STYLE_BAD : STYLE_PLAIN);
    row = time_fact(&in, row, "raised", a->raised);
    row = time_fact(&in, row, "last", a->last);
    row = time_fact(&in, row, "acknowledged", a->acknowledged);
    row = time_fact(&in, row, "resolved", a->resolved);
    if (*a->actor)
        row = fact(&in, row, "by", a->actor, STYLE_PLAIN);
    json_t *j = json_loads(a->detail, 0, NULL), *v;
    const char *key;
    json_object_foreach(j, key, v)
    {
        Text t = {0};
        if (strcmp(key, "from") == 0 || strcmp(key, "to") == 0) {
            time_format(json_integer_value(v), &t);
        } else if (json_is_string(v)) {
            text_puts(&t, json_string_value(v));
        } else {
            char *word = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
            text_puts(&t, word ? word : "");
            free(word);
        }
        if (t.count && row < in.rows)
            row = fact(&in, row, strcmp(key, "first") == 0 ? "from row" : strcmp(key, "last") == 0 ? "to row" : key,
                       text_str(&t), STYLE_DIM);
        text_release(&t);
    }
    json_decref(j);
}

/* As wide as the names need, and no less than the facts above them, so that the values stand in one line. */
static int input_names(json_t *inputs, int most)
{
    const char *key;
    json_t *v;
    int widest = 13;
    json_object_foreach(inputs, key, v)
    {
        int w = (int)utf8_width(key, strlen(key));
        widest = w > widest ? w : widest;
    }
    return widest < most ? widest : most;
}

void watch_draw_row(const WatchState *s, const Canvas *c)
{
    const PredictionRow *r = watch_row_at(s);
    Canvas in = canvas_box(c, STYLE_BORDER, "Prediction", r ? r->role : NULL);
    if (!r) {
        canvas_wrap(&in, 1, 2, in.cols - 4, STYLE_DIM, "Each prediction is logged with its inputs (sample= of the deployment says "
                                                       "how many of them).");
        return;
    }
    Text t = {0};
    text_printf(&t, "%lld", (long long)r->id);
    int row = fact(&in, 0, "number", text_str(&t), STYLE_STRONG);
    text_reset(&t);
    text_printf(&t, isnan(r->output) ? "dropped by a rule" : "%.6g  %s", r->output, r->said);
    row = fact(&in, row, "said", text_str(&t), STYLE_NUMBER);
    text_reset(&t);
    if (r->truth_time) {
        text_printf(&t, "%.6g  %s", r->truth, r->truth_said);
        row = fact(&in, row, "came true", text_str(&t), STYLE_VALID);
    }
    row = time_fact(&in, row, "time", r->time);
    json_t *j = json_loads(r->inputs, 0, NULL), *v;
    const char *key;
    int name = input_names(j, in.cols / 2);
    json_object_foreach(j, key, v)
    {
        if (row >= in.rows)
            break;
        char *word = json_is_string(v) ? NULL : json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
        canvas_field(&in, row, 1, name, ALIGN_LEFT, STYLE_DIM, key);
        canvas_field(&in, row++, name + 2, in.cols - name - 3, ALIGN_LEFT, STYLE_TEXT, word ? word : json_string_value(v));
        free(word);
    }
    json_decref(j);
    text_release(&t);
}
