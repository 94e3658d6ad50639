/* plot.c -- lathe plot: the curves of runs as a picture, drawn by gnuplot through a pipe. */
#include "command_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct PlotSettings { char *out, *metric; int log, width, height; } PlotSettings;

typedef struct Curve { char title[160]; VEC(double) step, value; } Curve;
typedef VEC(Curve) Curves;

static bool load_curve(Store *s, const RunRow *run, const char *key, Curves *into, Error *err)
{
    Arena arena = {0};
    MetricPoint *points;
    size_t n;
    int64_t cursor = 0;
    bool ok = store_metrics_since(s, run->id, key, &cursor, &arena, &points, &n, err);
    if (ok && n) {
        Curve *c = vec_slot(into);
        memset(c, 0, sizeof *c);
        snprintf(c->title, sizeof c->title, "%lld %s  %s", (long long)run->id, run->name, key);
        for (size_t i = 0; i < n; i++) {
            vec_add(&c->step, (double)points[i].step);
            vec_add(&c->value, points[i].value);
        }
    }
    arena_release(&arena);
    return ok;
}

static bool load_all(const CommandCall *call, Curves *into, Error *err)
{
    const PlotSettings *set = call->settings;
    Arena arena = {0};
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s != NULL;
    for (size_t i = 0; ok && i < call->words; i++) {
        RunRow run;
        char *keys = arena_text(&arena, set->metric), *key;
        ok = store_run_find(s, call->word[i], &arena, &run, err);
        while (ok && (key = strsep(&keys, ",")))
            ok = load_curve(s, &run, key, into, err);
    }
    if (ok && !into->count)
        ok = error_set(err, ERROR_USAGE, "plot: no points of %s in these runs; lathe runs show ID "
                                         "lists the metrics of a run", set->metric);
    store_close(s);
    arena_release(&arena);
    return ok;
}

static void script(const Curves *curves, const PlotSettings *set, Text *into)
{
    text_puts(into, "set key outside below noenhanced\nset grid lc rgb '#dddddd'\nset xlabel 'step'\n"
                    "set border 3\nset tics nomirror\nset datafile missing 'NaN'\nset ylabel ");
    gnuplot_quote(set->metric, into);
    text_puts(into, set->log ? "\nset logscale y\nplot " : "\nplot ");
    for (size_t i = 0; i < curves->count; i++) {
        text_puts(into, i ? ", '-' with lines lw 1.5 title " : "'-' with lines lw 1.5 title ");
        gnuplot_quote(curves->at[i].title, into);
    }
    text_putc(into, '\n');
    for (size_t i = 0; i < curves->count; i++) {
        const Curve *c = &curves->at[i];
        for (size_t k = 0; k < c->step.count; k++)
            if (isfinite(c->value.at[k]))
                text_printf(into, "%.17g %.17g\n", c->step.at[k], c->value.at[k]);
            else
                text_puts(into, "\n"); /* a gap */
        text_puts(into, "e\n");
    }
}

static bool draw_to(const Curves *curves, const PlotSettings *set, Progress *progress, Error *err)
{
    Text text = {0};
    script(curves, set, &text);
    bool ok = gnuplot_picture(set->out, set->width, set->height, &text, progress, err);
    text_release(&text);
    return ok;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const PlotSettings *set = call->settings;
    Curves curves = {0};
    bool ok = gnuplot_can(set->out, err) && load_all(call, &curves, err) && draw_to(&curves, set, call->progress, err);
    if (ok)
        *result = json_pack("{s:s, s:I}", "out", set->out, "curves", (json_int_t)curves.count);
    for (size_t i = 0; i < curves.count; i++) {
        vec_release(&curves.at[i].step);
        vec_release(&curves.at[i].value);
    }
    vec_release(&curves);
    return ok;
}

static const Arg args[] = {{.name = "RUN", .kind = ARG_RUN, .many = true, .about = "the runs to draw"}, ARG_END};
static const Param params[] = {
    PARAM_TEXT(PlotSettings, out, "out", "", "the picture's file: NAME.png, .svg or .pdf", .required = true),
    PARAM_TEXT(PlotSettings, metric, "metric", "train_loss,val_loss", "metrics to draw, with commas between"),
    PARAM_BOOL(PlotSettings, log, "log", 0, "a logarithmic axis"),
    PARAM_INT(PlotSettings, width, "width", 900, 200, 8000, "pixels", "width of the picture"),
    PARAM_INT(PlotSettings, height, "height", 540, 150, 8000, "pixels", "height of the picture"),
    PARAM_END};

const Command plot_command = {
    .name = "plot",
    .about = "draws the curves of runs as a PNG, SVG or PDF",
    .example = "lathe plot last out=loss.png",
    .args = args,
    .params = params,
    .params_size = sizeof(PlotSettings),
    .run = run,
};
