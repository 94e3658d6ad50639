/* explain.c -- lathe explain: what a run's model makes of its columns. One function a kind. */
#include "command_int.h"

#include <math.h>
#include <string.h>

typedef struct ExplainSettings {
    int what, repeats, points, rows, seed, each, width, height;
    char *column, *class, *metric, *out;
} ExplainSettings;

typedef struct Explain {
    const ExplainSettings *set;
    CommandCall *call;
    Store *store;
    int64_t run;
    Arena arena;
    json_t *result;
    Text picture; /* gnuplot commands; empty where no file is wanted */
} Explain;

static Explainer *open_rows(Explain *e, Error *err)
{
    return explainer_open(e->store, e->run, (uint64_t)e->set->rows, e->call->pool, e->call->progress, err);
}

static void say_rows(Explain *e, const Explainer *x)
{
    result_text(e->result, "part", explainer_part(x));
    result_int(e->result, "rows", (int64_t)explainer_rows(x));
}

static const char *const look = "set grid lc rgb '#dddddd'\nset border 3\nset tics nomirror\n"
                                "set style fill solid 0.8 noborder\n";

/* ---- a bar a column, the longest on top: what both rankings draw ------------------------------------------ */

#define BARS 40

typedef struct Bars {
    size_t n;
    const char *column[BARS];
    double length[BARS];
} Bars;

/* The axes and the names, up to the words behind plot. */
static void draw_axes(const Bars *b, const char *label, Text *into)
{
    text_printf(into, "%sset key off\nset yrange [%zu.6:-0.6]\nset xlabel ", look, b->n ? b->n - 1 : 0);
    gnuplot_quote(label, into);
    text_puts(into, "\nset ytics (");
    for (size_t i = 0; i < b->n; i++) {
        text_puts(into, i ? ", " : "");
        gnuplot_quote(b->column[i], into);
        text_printf(into, " %zu", i);
    }
    text_puts(into, ")\nplot '-' with boxxyerror lc rgb '#4477aa'");
}

static void draw_bars(const Bars *b, Text *into)
{
    for (size_t i = 0; i < b->n; i++)
        text_printf(into, "0 %zu 0 %.17g %g %g\n", i, b->length[i], (double)i - .35, (double)i + .35);
    text_puts(into, "e\n");
}

/* ---- permutation ---------------------------------------------------------------------------------------- */

static void draw_permutation(const Permutation *p, Text *into)
{
    Bars b = {0};
    for (; b.n < p->columns && b.n < BARS; b.n++) {
        b.column[b.n] = p->column[b.n].column;
        b.length[b.n] = p->column[b.n].worse;
    }
    char label[64];
    snprintf(label, sizeof label, "%s lost when the column is dealt out anew", p->metric);
    draw_axes(&b, label, into);
    text_puts(into, ", '-' with xerrorbars pt 0 lc rgb '#222222'\n");
    draw_bars(&b, into);
    for (size_t i = 0; i < b.n; i++)
        if (isfinite(p->column[i].low))
            text_printf(into, "%.17g %zu %.17g %.17g\n", p->column[i].worse, i, p->column[i].low,
                        p->column[i].high);
    text_puts(into, "e\n");
}

static bool explain_permutation(Explain *e, Error *err)
{
    Permutation p;
    Explainer *x = open_rows(e, err);
    bool ok = x && explainer_permutation(x, e->set->metric, e->set->repeats, (uint64_t)e->set->seed,
                                         e->call->progress, &e->arena, &p, err);
    if (ok) {
        json_t *list = json_array();
        say_rows(e, x);
        result_text(e->result, "metric", p.metric);
        result_real(e->result, "value", p.base);
        result_int(e->result, "repeats", (int64_t)p.repeats);
        for (size_t i = 0; i < p.columns; i++) {
            json_t *row = json_object();
            result_text(row, "column", p.column[i].column);
            result_real(row, "worse", p.column[i].worse);
            result_real(row, "low", p.column[i].low);
            result_real(row, "high", p.column[i].high);
            json_array_append_new(list, row);
        }
        json_object_set_new(e->result, "columns", list);
        draw_permutation(&p, &e->picture);
    }
    explainer_close(x);
    return ok;
}

/* ---- dependence ------------------------------------------------------------------------------------------ */

static void add_points(const Dependence *d, size_t low, size_t high, Text *into)
{
    for (size_t i = 0; i < d->points; i++)
        text_printf(into, "%.17g %.17g %.17g\n", d->point[i].at, d->point[i].quantile[low],
                    d->point[i].quantile[high]);
    text_puts(into, "e\n");
}

static void draw_dependence(const Dependence *d, Text *into)
{
    bool words = d->type == COLUMN_TEXT;
    text_printf(into, "%sset key outside below\nset xlabel ", look);
    gnuplot_quote(d->column, into);
    text_puts(into, "\nset ylabel ");
    gnuplot_quote(d->predicts, into);
    bool labels = words || d->type == COLUMN_TIME || d->type == COLUMN_DATE;
    size_t every = words || d->points < 8 ? 1 : d->points / 6;
    if (labels) {
        text_puts(into, "\nset xtics rotate by -30 (");
        for (size_t i = 0; i < d->points; i += every) {
            text_puts(into, i ? ", " : "");
            gnuplot_quote(d->point[i].text, into);
            text_printf(into, " %.17g", d->point[i].at);
        }
        text_puts(into, ")");
    }
    if (words)
        text_printf(into, "\nset xrange [-0.6:%zu.6]", d->points - 1);
    text_puts(into, words ? "\nset boxwidth 0.5\n"
                            "plot '-' using 1:2:2:3:3 with candlesticks lc rgb '#bbccdd' title '10 to 90 % of rows',"
                            " '-' using 1:2:2:3:3 with candlesticks lc rgb '#88aacc' title '25 to 75 %',"
                            " '-' with points pt 7 lc rgb '#222222' title 'mean'\n"
                          : "\nplot '-' with filledcurves lc rgb '#dde6ee' title '10 to 90 % of rows',"
                            " '-' with filledcurves lc rgb '#aac4dd' title '25 to 75 %',"
                            " '-' with lines lw 2 lc rgb '#222222' title 'mean'\n");
    add_points(d, 0, 4, into);
    add_points(d, 1, 3, into);
    for (size_t i = 0; i < d->points; i++)
        text_printf(into, "%.17g %.17g\n", d->point[i].at, d->point[i].mean);
    text_puts(into, "e\n");
}

static void say_points(json_t *result, const Dependence *d)
{
    static const char *const names[ICE_QUANTILES] = {"q10", "q25", "median", "q75", "q90"};
    json_t *list = json_array();
    for (size_t i = 0; i < d->points; i++) {
        const DependencePoint *p = &d->point[i];
        json_t *row = json_object();
        if (d->type == COLUMN_INT || d->type == COLUMN_REAL)
            result_real(row, "value", p->at);
        else
            result_text(row, "value", p->text);
        result_real(row, "mean", p->mean);
        for (size_t q = 0; q < ICE_QUANTILES; q++)
            result_real(row, names[q], p->quantile[q]);
        result_real(row, "share", p->share);
        json_array_append_new(list, row);
    }
    json_object_set_new(result, "points", list);
}

static bool explain_dependence(Explain *e, Error *err)
{
    Dependence d;
    if (!*e->set->column)
        return error_set(err, ERROR_USAGE, "what=dependence needs a column=");
    Explainer *x = open_rows(e, err);
    bool ok = x && explainer_dependence(x, e->set->column, e->set->class, e->set->points,
                                        e->call->progress, &e->arena, &d, err);
    if (ok) {
        say_rows(e, x);
        result_text(e->result, "column", d.column);
        result_text(e->result, "predicts", d.predicts);
        say_points(e->result, &d);
        draw_dependence(&d, &e->picture);
    }
    explainer_close(x);
    return ok;
}

/* ---- shap -------------------------------------------------------------------------------------------------- */

static void draw_shap(const Shap *p, Text *into)
{
    Bars b = {0};
    for (; b.n < p->columns && b.n < BARS; b.n++) {
        b.column[b.n] = p->column[b.n].column;
        b.length[b.n] = p->column[b.n].size;
    }
    Text label = {0};
    text_printf(&label, "mean size of what the column adds: %s", p->predicts);
    draw_axes(&b, text_str(&label), into);
    text_puts(into, "\n");
    draw_bars(&b, into);
    text_release(&label);
}

static void say_each(json_t *result, const Shap *p, size_t most)
{
    json_t *list = json_array();
    for (size_t row = 0; row < p->rows && row < most; row++) {
        json_t *o = json_object();
        const double *at = p->at + row * p->columns;
        double sum = p->base;
        for (size_t i = 0; i < p->columns; i++)
            sum += at[i];
        result_int(o, "row", (int64_t)p->row[row] + 1);
        result_real(o, "score", sum);
        for (size_t i = 0; i < p->columns; i++)
            result_real(o, p->column[i].column, at[i]);
        json_array_append_new(list, o);
    }
    json_object_set_new(result, "each", list);
}

static bool explain_shap(Explain *e, Error *err)
{
    Shap p;
    Explainer *x = open_rows(e, err);
    bool ok = x && explainer_shap(x, e->set->class, e->call->progress, &e->arena, &p, err);
    if (ok) {
        json_t *list = json_array();
        say_rows(e, x);
        result_text(e->result, "explains", p.predicts);
        result_real(e->result, "base", p.base);
        for (size_t i = 0; i < p.columns; i++) {
            json_t *row = json_object();
            result_text(row, "column", p.column[i].column);
            result_real(row, "size", p.column[i].size);
            result_real(row, "mean", p.column[i].mean);
            json_array_append_new(list, row);
        }
        json_object_set_new(e->result, "columns", list);
        if (e->set->each)
            say_each(e->result, &p, (size_t)e->set->each);
        draw_shap(&p, &e->picture);
    }
    explainer_close(x);
    return ok;
}

/* ---- weights ------------------------------------------------------------------------------------------------ */

static void draw_weights(const Weights *w, Text *into)
{
    Bars b = {0};
    for (size_t i = 0; i < w->columns && b.n < BARS; i++) {
        if (!text_equal(w->column[i].kind, "past"))
            continue;
        b.column[b.n] = w->column[i].column;
        b.length[b.n++] = w->column[i].share;
    }
    draw_axes(&b, "weight of a variable in the window, mean", into);
    text_puts(into, "\n");
    draw_bars(&b, into);
}

static bool explain_weights(Explain *e, Error *err)
{
    Weights w;
    Explainer *x = open_rows(e, err);
    bool ok = x && explainer_weights(x, &e->arena, &w, err);
    if (ok) {
        json_t *columns = json_array(), *steps = json_array();
        say_rows(e, x);
        for (size_t i = 0; i < w.columns; i++) {
            json_t *row = json_object();
            result_text(row, "kind", w.column[i].kind);
            result_text(row, "column", w.column[i].column);
            result_real(row, "weight", w.column[i].share);
            json_array_append_new(columns, row);
        }
        for (size_t i = 0; i < w.steps; i++) {
            json_t *row = json_object();
            result_int(row, "step", w.first + (int64_t)i);
            result_real(row, "attention", w.step[i]);
            json_array_append_new(steps, row);
        }
        json_object_set_new(e->result, "columns", columns);
        json_object_set_new(e->result, "steps", steps);
        draw_weights(&w, &e->picture);
    }
    explainer_close(x);
    return ok;
}

/* ---- the list ---------------------------------------------------------------------------------------------- */

#define EXPLANATIONS(X) X(permutation) X(dependence) X(shap) X(weights)

#define AS_NAME(name) #name,
static const char *const names[] = {"auto", EXPLANATIONS(AS_NAME) NULL};
enum { AUTO, PERMUTATION, WEIGHTS = PERMUTATION + 3 };
#define AS_FUNCTION(name) explain_##name,
static bool (*const functions[])(Explain *e, Error *err) = {NULL, EXPLANATIONS(AS_FUNCTION)};

/* What a family says best by itself. */
static int usual(const RunRow *row)
{
    const ModelFamily *f = model_family(row->family);
    return f && f->shares ? WEIGHTS : PERMUTATION;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const ExplainSettings *set = call->settings;
    Explain e = {.set = set, .call = call};
    RunRow row;
    bool ok = !*set->out || gnuplot_can(set->out, err);
    ok = ok && (e.store = call_store(call, STORE_READ, err)) &&
         store_run_find(e.store, call->word[0], &e.arena, &row, err);
    if (ok) {
        e.run = row.id;
        e.result = json_object();
        result_int(e.result, "run", row.id);
        int what = set->what == AUTO ? usual(&row) : set->what;
        result_text(e.result, "what", names[what]);
        ok = functions[what](&e, err) &&
             (!*set->out || gnuplot_picture(set->out, set->width, set->height, &e.picture, call->progress, err));
        if (ok && *set->out)
            result_text(e.result, "out", set->out);
    }
    if (ok)
        *result = json_incref(e.result);
    json_decref(e.result);
    text_release(&e.picture);
    store_close(e.store);
    arena_release(&e.arena);
    return ok || error_in(err, "explain");
}

static const Arg args[] = {{.name = "RUN", .kind = ARG_RUN, .about = "the run whose model is explained"}, ARG_END};
// clang-format off
#define S ExplainSettings
static const Param params[] = {
    PARAM_PICK(S, what,    "what",    0, names, "permutation: which columns matter; dependence: what one column does; shap: what each adds to a row (gbdt); weights: what it looks at (tft); auto: weights if it has them, else permutation"),
    PARAM_TEXT(S, column,  "column",  "", "dependence: the column"),
    PARAM_TEXT(S, class,   "class",   "", "dependence: the class whose share is shown; of two, the second when not given; shap: of several, the first"),
    PARAM_TEXT(S, metric,  "metric",  "", "permutation: what gets worse; rmse or logloss when not given"),
    PARAM_INT (S, repeats, "repeats", 5, 1, 1000, "times", "permutation: how often a column is dealt out anew"),
    PARAM_INT (S, points,  "points",  30, 2, 1000, "values", "dependence: most values of the column"),
    PARAM_INT (S, rows,    "rows",    10000, 0, 1000000000, "rows", "most test rows to ask the model about, of series steps of forecasts; 0: all"),
    PARAM_INT (S, seed,    "seed",    1, 0, 2147483647, "", "permutation: the same seed deals the same"),
    PARAM_INT (S, each,    "each",    0, 0, 1000000, "rows", "shap: so many rows one by one"),
    PARAM_TEXT(S, out,     "out",     "", "a picture of it: NAME.png, .svg or .pdf"),
    PARAM_INT (S, width,   "width",   900, 200, 8000, "pixels", "width of the picture"),
    PARAM_INT (S, height,  "height",  540, 150, 8000, "pixels", "height of the picture"),
    PARAM_END};
#undef S
// clang-format on

const Command explain_command = {
    .name = "explain",
    .about = "says what a run's model makes of its columns",
    .details = "permutation: how much worse the metric gets on the test rows when the values of one column are"
               " dealt out anew among them, mean over the repeats with its 95 % interval; every family.\n\n"
               "dependence: the mean prediction when all test rows have the same value in one column, at values"
               " spread as the column's own, and the quantiles of the rows' own curves.\n\n"
               "shap: what each column adds to a row's score, in the target's units, for classes in logits: the mean"
               " size over the test rows and, with each=, row by row; with the base they add up to the score. Exact,"
               " for gbdt.\n\n"
               "weights: the mean weights with which a tft selects its variables: of the window, of the steps ahead and of"
               " what is static, each adding up to 1; and how its attention lies over the steps, 0 being the last known.",
    .example = "lathe explain last what=dependence column=MILEAGE out=mileage.png",
    .args = args,
    .params = params,
    .params_size = sizeof(ExplainSettings),
    .run = run,
};
