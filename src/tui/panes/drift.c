/* drift.c -- 6 Drift: which columns moved away from the reference, and how; the newest report first. */
#include "../chart.h"
#include "../ui.h"
#include "../widgets.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_REPORT = 1 };
enum { ZONE_TABLE = 1 };

enum { DRIFT_RUN = PANE_COMMANDS, DRIFT_REFERENCE, DRIFT_CURRENT, DRIFT_OLDER, DRIFT_NEWER, DRIFT_SORT };

// clang-format off
static const KeyRow keys[] = {
    {DRIFT_RUN,       "drift-report",    "x",  "compare",   "compare the two datasets and keep the report", 0},
    {DRIFT_REFERENCE, "drift-reference", "r",  "reference", "choose the dataset a model learnt from", 0},
    {DRIFT_CURRENT,   "drift-current",   "c",  "current",   "choose the dataset to judge", 0},
    {DRIFT_SORT,      "drift-sort",      "s",  "sort",      "most drifted first, or as in the table", 0},
    {DRIFT_OLDER,     "older-report",    "<",  "older",     "the report before", 0},
    {DRIFT_NEWER,     "newer-report",    ">",  NULL,        "the report after", 0},
    {0}};
// clang-format on

typedef struct DriftState {
    Ui *ui;
    Table table;
    uint64_t seen;
    size_t report_at;            /* of the snapshot's drifts, 0 the newest */
    int64_t loaded;              /* id of the report that is shown or being read */
    DriftReport *report;
    char reference[65], current[65]; /* hashes chosen for the next comparison; "" as proposed */
    bool by_name;
    VEC(size_t) order;
    int rows, cols;
} DriftState;

/* ---- what is compared --------------------------------------------------------------------------------- */

/* Proposed: the dataset of the newest run (or the oldest dataset) against the newest other one. */
static const DatasetRow *reference_row(const DriftState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const DatasetRow *row = *s->reference ? snapshot_dataset(snap, s->reference) : NULL;
    if (!row && snap->runs)
        row = snapshot_dataset(snap, snap->run[0].dataset);
    if (!row && snap->datasets)
        row = &snap->dataset[snap->datasets - 1];
    return row;
}

/* Of two months cleaned alike, the one with the same columns is the better guess; a table of quite
 * other columns is none. */
static const DatasetRow *current_row(const DriftState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const DatasetRow *reference = reference_row(s), *best = NULL;
    if (*s->current)
        return snapshot_dataset(snap, s->current);
    for (size_t i = 0; reference && i < snap->datasets; i++) {
        const DatasetRow *row = &snap->dataset[i];
        if (strcmp(row->hash, reference->hash) == 0 || strcmp(row->parent, reference->hash) == 0 ||
            strcmp(reference->parent, row->hash) == 0 || llabs(row->columns - reference->columns) > 4)
            continue;
        if (!best || (best->columns != reference->columns && row->columns == reference->columns))
            best = row;
    }
    return best;
}

static const char *name_of(const DriftState *s, const char *hash)
{
    const DatasetRow *row = snapshot_dataset(ui_snapshot(s->ui), hash);
    return row ? row->name : hash;
}

/* ---- the table ------------------------------------------------------------------------------------------ */

enum { COL_COLUMN, COL_ROLE, COL_TEST, COL_STATISTIC, COL_THRESHOLD, COL_DRIFTED, COL_CHANGE, COL_NOTE,
       COL_COUNT };
static const TableColumn columns[COL_COUNT] = {
    [COL_COLUMN] = {.title = "Column", .width = 24},
    [COL_ROLE] = {.title = "Role", .width = 10},
    [COL_TEST] = {.title = "Test", .width = 14},
    [COL_STATISTIC] = {.title = "Score", .width = 9, .align = ALIGN_RIGHT},
    [COL_THRESHOLD] = {.title = "Limit", .width = 7, .align = ALIGN_RIGHT},
    [COL_DRIFTED] = {.title = "Drifted", .width = 7},
    [COL_CHANGE] = {.title = "Mean", .width = 18},
    [COL_NOTE] = {.title = "Note", .width = 10, .stretch = true},
};

static const DriftColumn *column_at(const DriftState *s, uint64_t row)
{
    return s->report && row < s->order.count ? &s->report->column[s->order.at[row]] : NULL;
}

static bool is_number(const DriftColumn *d)
{
    return strcmp(d->type, "text") != 0 && isfinite(d->reference_mean) && isfinite(d->current_mean) &&
           (d->reference_deviation > 0 || d->current_deviation > 0);
}

static void print_score(const DriftColumn *d, Text *into)
{
    if (d->test && d->test->p_value)
        text_printf(into, "p %.3g", d->statistic);
    else
        text_printf(into, "%.4f", d->statistic);
}

static void cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const DriftState *s = context;
    const DriftColumn *d = column_at(s, row);
    if (!d)
        return;
    switch (column) {
    case COL_COLUMN:
        text_puts(out->text, d->name);
        out->style = d->drifted ? STYLE_STRONG : STYLE_PLAIN;
        break;
    case COL_ROLE:
        text_puts(out->text, d->role);
        out->style = strcmp(d->role, "feature") ? STYLE_ROLE_TARGET : STYLE_DIM;
        break;
    case COL_TEST:
        text_puts(out->text, d->test ? d->test->name : "-");
        out->style = STYLE_DIM;
        break;
    case COL_STATISTIC:
        if (d->test)
            print_score(d, out->text);
        out->style = d->drifted ? STYLE_BAD : STYLE_NUMBER;
        break;
    case COL_THRESHOLD:
        if (d->test)
            text_printf(out->text, "%s%.3g", d->test->p_value ? "<" : ">", d->threshold);
        out->style = STYLE_DIM;
        break;
    case COL_DRIFTED:
        text_puts(out->text, !d->test ? "-" : d->drifted ? "yes" : "no");
        out->style = d->drifted ? STYLE_BAD : STYLE_GOOD;
        break;
    case COL_CHANGE:
        if (is_number(d))
            text_printf(out->text, "%.5g \u2192 %.5g", d->reference_mean, d->current_mean);
        out->style = STYLE_NUMBER;
        break;
    default:
        text_puts(out->text, d->note);
        out->style = STYLE_WARN;
    }
}

static TableSource source(const DriftState *s)
{
    return (TableSource){.context = s, .rows = s->order.count, .columns = COL_COUNT, .column = columns,
                         .cell = cell, .empty = "No column could be compared."};
}

/* The report comes most drifted first; by name it is easier to look a column up. */
static void arrange(DriftState *s)
{
    s->order.count = 0;
    for (size_t i = 0; s->report && i < s->report->columns; i++) {
        vec_add(&s->order, i);
        size_t k = s->order.count - 1;
        for (; s->by_name && k > 0 && strcasecmp(s->report->column[i].name,
               s->report->column[s->order.at[k - 1]].name) < 0; k--)
            s->order.at[k] = s->order.at[k - 1];
        s->order.at[k] = i;
    }
    if (s->table.at >= s->order.count)
        s->table.at = 0;
}

/* ---- reading a report -------------------------------------------------------------------------------------- */

static void *read_report(JobContext *c, void *input, Error *err)
{
    (void)c;
    json_error_t where;
    json_t *doc = json_loads(input, 0, &where);
    DriftReport *r = doc ? drift_report_from_json(doc, err) : NULL;
    if (!doc)
        error_set(err, ERROR_PARSE, "the stored report is damaged: %s", where.text);
    json_decref(doc);
    return r;
}

static void free_report(void *report)
{
    drift_report_destroy(report);
}

static void report_read(void *owner, void *result, const Error *err, Ui *ui)
{
    DriftState *s = owner;
    (void)err;
    drift_report_destroy(s->report);
    s->report = result;
    arrange(s);
    ui_draw(ui);
}

static void load(DriftState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    if (s->report_at >= snap->drifts)
        s->report_at = snap->drifts ? snap->drifts - 1 : 0;
    if (!snap->drifts || snap->drift[s->report_at].id == s->loaded)
        return;
    s->loaded = snap->drift[s->report_at].id;
    ui_job(s->ui, (Job){.owner = s, .slot = SLOT_REPORT, .what = "reading the report",
                        .run = read_report, .input = text_copy(snap->drift[s->report_at].report),
                        .done = report_read, .release = free_report, .urgent = true});
}

static void create(void *state, Ui *ui)
{
    DriftState *s = state;
    s->ui = ui;
}

static void destroy(void *state)
{
    DriftState *s = state;
    drift_report_destroy(s->report);
    vec_release(&s->order);
}

static bool tick(void *state, Ui *ui)
{
    DriftState *s = state;
    const Snapshot *snap = ui_snapshot(ui);
    if (snap->number == s->seen)
        return false;
    s->seen = snap->number;
    load(s);
    return ui_visible(ui, state);
}

/* ---- drawing ------------------------------------------------------------------------------------------------- */

#define HEAD_ROWS 3

static int table_rows(int rows, int cols)
{
    return cols >= 130 ? rows - HEAD_ROWS : (rows - HEAD_ROWS + 1) / 2;
}

static void layout(void *state, int rows, int cols, Ui *ui)
{
    DriftState *s = state;
    TableSource src = source(s);
    (void)ui;
    s->rows = rows;
    s->cols = cols;
    table_layout(&s->table, &src, table_rows(rows, cols) - 2, (cols >= 130 ? cols * 3 / 5 : cols) - 2);
}

static void draw_verdict(const DriftState *s, const Canvas *c)
{
    const DriftReport *r = s->report;
    const DatasetRow *reference = reference_row(s), *current = current_row(s);
    int col = canvas_printf(c, 0, 1, STYLE_DIM, "next comparison  ");
    col += canvas_put(c, 0, 1 + col, STYLE_BEFORE, reference ? reference->name : "(r: choose)") + 1;
    col += canvas_printf(c, 0, 1 + col, STYLE_DIM, "%s ", glyph(c, GLYPH_ARROW));
    canvas_put(c, 0, 1 + col, STYLE_AFTER, current ? current->name : "(c: choose)");
    if (!r)
        return;
    col = 1 + canvas_put(c, 1, 1, STYLE_DIM, "shown  ");
    col += canvas_put(c, 1, col, STYLE_BEFORE, name_of(s, r->reference));
    col += canvas_printf(c, 1, col, STYLE_DIM, " %s ", glyph(c, GLYPH_ARROW));
    col += canvas_put(c, 1, col, STYLE_AFTER, name_of(s, r->current)) + 2;
    col += canvas_printf(c, 1, col, r->dataset_drifted ? STYLE_BAD : r->drifted ? STYLE_WARN : STYLE_GOOD,
                         "%zu of %zu columns drifted", r->drifted, r->columns) + 2;
    col += canvas_printf(c, 1, col, STYLE_DIM, "(%.0f%%; the table counts as drifted from %.0f%%)",
                         r->share * 100, r->threshold * 100) + 2;
    if (r->has_error)
        canvas_printf(c, 1, col, STYLE_WARN, "model %s %.4g %s %.4g", r->metric, r->reference_error,
                      glyph(c, GLYPH_ARROW), r->current_error);
}

static void draw_shares(const DriftColumn *d, const Canvas *c)
{
    if (*d->label[0]) {
        const char *names[DRIFT_BINS];
        size_t bins = d->bins; /* the bar of all rarer labels would dwarf the rest */
        if (bins > 4 && text_ends(d->label[bins - 1], " others"))
            bins--;
        for (size_t i = 0; i < bins; i++)
            names[i] = d->label[i];
        chart_words(c, &(WordBars){.count = bins, .name = names, .value = d->reference_share,
                                   .value2 = d->current_share, .style = STYLE_BEFORE,
                                   .style2 = STYLE_AFTER});
    } else if (d->bins) {
        chart_histogram(c, &(Histogram){.value = d->reference_share, .value2 = d->current_share,
                                        .bins = d->bins, .low = d->edge[0], .high = d->edge[d->bins]});
    }
}

static int draw_facts(const DriftColumn *d, const Canvas *c)
{
    int at = 0;
    if (d->test) {
        canvas_field(c, at, 0, c->cols, ALIGN_LEFT, STYLE_PLAIN, d->test->title);
        Text score = {0};
        print_score(d, &score);
        text_printf(&score, "  limit %.3g  %s", d->threshold, d->drifted ? "drifted" : "not drifted");
        canvas_field(c, ++at, 0, c->cols, ALIGN_LEFT, d->drifted ? STYLE_BAD : STYLE_GOOD,
                     text_str(&score));
        text_release(&score);
        at++;
    }
    int col = canvas_printf(c, at, 0, STYLE_BEFORE, "%s reference %llu rows", glyph(c, GLYPH_BLOCK),
                            (unsigned long long)d->reference_n);
    col += d->reference_missing ? canvas_printf(c, at, col, STYLE_MISSING, ", %llu missing",
                                                (unsigned long long)d->reference_missing) : 0;
    if (col + 30 > c->cols) {
        at++;
        col = -3;
    }
    col += 3 + canvas_printf(c, at, col + 3, STYLE_AFTER, "%s current %llu rows", glyph(c, GLYPH_BLOCK),
                             (unsigned long long)d->current_n);
    if (d->current_missing)
        canvas_printf(c, at, col, STYLE_MISSING, ", %llu missing", (unsigned long long)d->current_missing);
    at++;
    if (*d->note)
        at += canvas_wrap(c, at, 0, c->cols, STYLE_WARN, d->note);
    return at;
}

static void draw_column(const DriftState *s, const Canvas *c)
{
    const DriftColumn *d = column_at(s, s->table.at);
    Canvas in = canvas_box(c, STYLE_BORDER, d ? d->name : "Column", d && *d->binning ? d->binning : NULL);
    if (!d)
        return;
    int facts = draw_facts(d, &in);
    Canvas rest = canvas_part(&in, facts + 1, 0, in.rows - facts - 1, in.cols);
    if (rest.rows >= 2)
        draw_shares(d, &rest);
}

static void draw_empty(const DriftState *s, const Canvas *c)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    Canvas in = canvas_box(c, STYLE_BORDER_ACTIVE, "Drift", NULL);
    const char *say = snap->datasets < 2
        ? "Drift compares two datasets: the one a model learnt from, and a newer one. Ingest a second "
          "table first: press : and type ingest PATH as=NAME."
        : current_row(s) ? "No report yet. Press x to compare the two datasets above; r and c choose others."
        : "No report yet. Press c to choose the dataset to judge; r chooses what it is compared with.";
    canvas_wrap(&in, 1, 2, in.cols - 4, STYLE_DIM, say);
}

static void draw(const void *state, const Canvas *c, const Ui *ui)
{
    const DriftState *s = state;
    TableSource src = source(s);
    (void)ui;
    draw_verdict(s, c);
    Canvas body = canvas_part(c, HEAD_ROWS - 1, 0, c->rows - HEAD_ROWS + 1, c->cols);
    if (!s->report) {
        draw_empty(s, &body);
        return;
    }
    bool wide = c->cols >= 130;
    int rows = wide ? body.rows : table_rows(c->rows, c->cols), cols = wide ? c->cols * 3 / 5 : c->cols;
    Canvas top = canvas_part(&body, 0, 0, rows, cols);
    Canvas in = canvas_box(&top, STYLE_BORDER_ACTIVE, "Columns", s->by_name ? "by name" : "most drifted first");
    table_draw(&s->table, &src, &in, true, ZONE_TABLE);
    Canvas detail = wide ? canvas_part(&body, 0, cols, body.rows, c->cols - cols)
                         : canvas_part(&body, rows, 0, body.rows - rows, c->cols);
    draw_column(s, &detail);
}

/* ---- commands -------------------------------------------------------------------------------------------------- */

/* The new report is in the snapshot soon; the pane shows it, so the result itself is not. */
static void done_comparing(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    (void)owner;
    if (!result)
        ui_error(ui, err);
    else
        ui_say(ui, STYLE_INFO, "%lld columns drifted",
               (long long)json_integer_value(json_object_get(result, "drifted_columns")));
    ui_refresh(ui);
}

static void compare(DriftState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const DatasetRow *reference = reference_row(s), *current = current_row(s);
    char line[512];
    if (!reference || !current)
        return;
    snprintf(line, sizeof line, "drift %s %s", reference->hash, current->hash);
    for (size_t i = 0; i < snap->runs; i++) {
        const RunRow *run = &snap->run[i];
        if (run->status != RUN_FINISHED || strcmp(run->dataset, reference->hash) != 0)
            continue;
        snprintf(line + strlen(line), sizeof line - strlen(line), " run=%lld \"target=%s\"",
                 (long long)run->id, run->target);
        break;
    }
    s->report_at = 0;
    ui_command(s->ui, line, s, done_comparing);
}

static void picked(DriftState *s, size_t item, char out[65])
{
    const Snapshot *snap = ui_snapshot(s->ui);
    if (item < snap->datasets)
        snprintf(out, 65, "%s", snap->dataset[item].hash);
    ui_draw(s->ui);
}

static void reference_picked(void *owner, size_t item, Ui *ui)
{
    (void)ui;
    picked(owner, item, ((DriftState *)owner)->reference);
}

static void current_picked(void *owner, size_t item, Ui *ui)
{
    (void)ui;
    picked(owner, item, ((DriftState *)owner)->current);
}

static void choose(DriftState *s, const char *title, void (*done)(void *, size_t, Ui *))
{
    const Snapshot *snap = ui_snapshot(s->ui);
    Arena arena = {0};
    MenuItem *items = ARENA_NEW(&arena, MenuItem, snap->datasets + 1);
    for (size_t i = 0; i < snap->datasets; i++)
        items[i] = (MenuItem){.label = snap->dataset[i].name,
                              .note = arena_printf(&arena, "%lld rows  %.8s",
                                                   (long long)snap->dataset[i].rows,
                                                   snap->dataset[i].hash)};
    ui_menu(s->ui, title, items, snap->datasets, 0, done, s);
    arena_release(&arena);
}

static Reply on_command(void *state, int command, Ui *ui)
{
    DriftState *s = state;
    TableSource src = source(s);
    const Snapshot *snap = ui_snapshot(ui);
    switch (command) {
    case DRIFT_RUN:
        compare(s);
        return REPLY_DRAW;
    case DRIFT_REFERENCE:
        choose(s, "Reference: what a model learnt from", reference_picked);
        return REPLY_DRAW;
    case DRIFT_CURRENT:
        choose(s, "Current: what to judge", current_picked);
        return REPLY_DRAW;
    case DRIFT_SORT:
        s->by_name = !s->by_name;
        arrange(s);
        return REPLY_DRAW;
    case DRIFT_OLDER:
    case DRIFT_NEWER:
        if (command == DRIFT_OLDER && s->report_at + 1 < snap->drifts)
            s->report_at++;
        else if (command == DRIFT_NEWER && s->report_at)
            s->report_at--;
        load(s);
        return REPLY_DRAW;
    case UI_COPY:
        if (column_at(s, s->table.at))
            ui_copy(ui, column_at(s, s->table.at)->name);
        return REPLY_DRAW;
    }
    return table_command(&s->table, &src, command);
}

static const char *why_not(const void *state, int command, const Ui *ui)
{
    const DriftState *s = state;
    const Snapshot *snap = ui_snapshot(ui);
    if (command == DRIFT_RUN && (!reference_row(s) || !current_row(s)))
        return "two datasets are needed; : ingest PATH as=NAME adds one";
    if ((command == DRIFT_REFERENCE || command == DRIFT_CURRENT) && !snap->datasets)
        return "there is no dataset yet";
    if (command == DRIFT_OLDER && s->report_at + 1 >= snap->drifts)
        return "there is no older report";
    if (command == DRIFT_NEWER && !s->report_at)
        return "this is the newest report";
    if (command == DRIFT_SORT && !s->report)
        return "there is no report yet";
    return NULL;
}

static Reply on_mouse(void *state, const Mouse *m, Ui *ui)
{
    DriftState *s = state;
    TableSource src = source(s);
    (void)ui;
    return m->id == ZONE_TABLE ? table_mouse(&s->table, &src, m) : REPLY_IGNORED;
}

static void badge(const void *state, const Ui *ui, Text *into, Style *style)
{
    const Snapshot *snap = ui_snapshot(ui);
    (void)state;
    if (snap->drifts && snap->drift[0].drifted)
        text_putc(into, '!');
    *style = STYLE_BAD;
}

const Pane drift_pane = {
    .name = "drift",
    .title = "Drift",
    .about = "which columns moved away from the reference data, and how",
    .keys = keys,
    .state_size = sizeof(DriftState),
    .create = create,
    .destroy = destroy,
    .tick = tick,
    .layout = layout,
    .draw = draw,
    .on_command = on_command,
    .on_mouse = on_mouse,
    .why_not = why_not,
    .badge = badge,
};
