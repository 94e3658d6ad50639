/* runs.c -- 5 Runs: every run of the workspace, what is known of one, and what differs between marked ones. */
#include "runs_int.h"

#include "../widgets.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SLOT_RESULTS = 1, SLOT_COMPARE };
enum { ZONE_TABLE = 1, ZONE_DETAIL };

enum {
    RUNS_OPEN = PANE_COMMANDS, RUNS_PAUSE, RUNS_STOP, RUNS_SET, RUNS_FORK, RUNS_RENAME, RUNS_TAG,
    RUNS_NOTE, RUNS_DELETE, RUNS_BASELINE, RUNS_SORT, RUNS_UNMARK, RUNS_PLOT, RUNS_PREDICT, RUNS_EXPLAIN
};

// clang-format off
static const KeyRow keys[] = {
    {RUNS_OPEN,     "open-run",     "Enter", "watch",   "show its curves in the Train pane", 0},
    {RUNS_PAUSE,    "pause-run",    "p",     "pause",   "pause it at the next step, or let it go on", 0},
    {RUNS_STOP,     "stop-run",     "x",     "stop",    "end it properly: best weights, test metrics, model", 0},
    {RUNS_SET,      "set-run",      "e",     "set",     "change a hyperparameter while it runs", 0},
    {RUNS_FORK,     "fork-run",     "f",     "fork",    "a new run from its last checkpoint, with changes", 0},
    {RUNS_SORT,     "sort-runs",    "s",     "sort",    "sort by the next column: newest, name, family, validation, test", 0},
    {RUNS_BASELINE, "baseline-run", "b",     "baseline","compare the others with this one", 0},
    {RUNS_RENAME,   "rename-run",   "r",     "rename",  "give it another name", 0},
    {RUNS_TAG,      "tag-run",      "t",     NULL,      "add a tag, or take one away with -TAG", 0},
    {RUNS_NOTE,     "note-run",     "i",     NULL,      "keep a note with it", 0},
    {RUNS_DELETE,   "delete-run",   "D",     NULL,      "remove it with metrics, checkpoints and model", 0},
    {RUNS_UNMARK,   "unmark-runs",  "U",     NULL,      "no run marked", 0},
    {RUNS_PLOT,     "plot-runs",    "P",     NULL,      "draw the marked runs' curves to a file (PNG, SVG, PDF)", 0},
    {RUNS_EXPLAIN,  "explain-run",  "E",     "explain", "how much each column matters to its model, and what one does", 0},
    {RUNS_PREDICT,  "predict-run",  "=",     NULL,      "score rows with its model", 0},
    {0}};
// clang-format on

#define SORTS(X) X(NEWEST, "newest") X(NAME, "name") X(FAMILY, "family") X(VALID, "validation") X(TEST, "test")
#define AS_ENUM(id, name) SORT_##id,
typedef enum Sort { SORTS(AS_ENUM) SORT_COUNT } Sort;
#undef AS_ENUM
#define AS_NAME(id, name) name,
static const char *const sort_names[] = {SORTS(AS_NAME)};
#undef AS_NAME

typedef struct RunsState {
    Ui *ui;
    Table table;
    VEC(size_t) order;        /* rows of the snapshot as shown */
    uint64_t seen;            /* snapshot number */
    uint64_t read;            /* snapshot number that results and comparison were asked for */
    Sort sort;
    char find[64];
    int64_t baseline;
    RunResults *results;
    RunCompare *compare;
    CompareAsk asked;
    RunExplain explain;
    bool detail;              /* the keys go to the lower part */
    size_t detail_top;
    int table_rows, body_rows, body_cols;
} RunsState;

/* ---- rows as shown ------------------------------------------------------------------------------------ */

static const RunRow *run_at(const RunsState *s, uint64_t row)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    return row < s->order.count && s->order.at[row] < snap->runs ? &snap->run[s->order.at[row]] : NULL;
}

static const RunRow *here(const RunsState *s)
{
    return run_at(s, s->table.at);
}

/* Unknown values sort last whichever way is better. */
static double sort_value(const RunsState *s, const RunRow *r)
{
    const RunResult *result = run_results_find(s->results, r->id);
    double v = !result ? (double)NAN : s->sort == SORT_VALID ? result->valid : result->test;
    if (isnan(v))
        return (double)INFINITY;
    return result->larger_is_better ? -v : v;
}

static int compare_runs(const RunsState *s, const RunRow *a, const RunRow *b)
{
    if (s->sort == SORT_NAME)
        return strcmp(a->name, b->name);
    if (s->sort == SORT_FAMILY)
        return strcmp(a->family, b->family);
    double x = sort_value(s, a), y = sort_value(s, b);
    return (x > y) - (x < y);
}

static bool shown(const RunsState *s, const RunRow *r)
{
    char all[512];
    snprintf(all, sizeof all, "%lld %s %s %s %s %s %s", (long long)r->id, r->name, r->family,
             r->dataset_name, run_status_name(r->status), r->tags, r->note);
    return !*s->find || strcasestr(all, s->find) != NULL;
}

/* Stable insertion: newest first among equals; a few hundred runs at most move. */
static void arrange(RunsState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const RunRow *at = here(s);
    int64_t kept = at ? at->id : 0;
    s->order.count = 0;
    for (size_t i = 0; i < snap->runs; i++) {
        if (!shown(s, &snap->run[i]))
            continue;
        vec_add(&s->order, i);
        size_t k = s->order.count - 1;
        for (; s->sort != SORT_NEWEST && k > 0 &&
               compare_runs(s, &snap->run[i], &snap->run[s->order.at[k - 1]]) < 0; k--)
            s->order.at[k] = s->order.at[k - 1];
        s->order.at[k] = i;
    }
    for (size_t i = 0; i < s->order.count; i++)
        if (snap->run[s->order.at[i]].id == kept)
            s->table.at = i;
    if (s->table.at >= s->order.count)
        s->table.at = s->order.count ? s->order.count - 1 : 0;
}

/* ---- the table ---------------------------------------------------------------------------------------- */

enum { COL_RUN, COL_NAME, COL_FAMILY, COL_STATUS, COL_EPOCH, COL_VALID, COL_TEST, COL_DELTA, COL_TIME,
       COL_DATA, COL_TAGS, COL_COUNT };
static const TableColumn columns[COL_COUNT] = {
    [COL_RUN] = {.title = "Run", .width = 4, .align = ALIGN_RIGHT},
    [COL_NAME] = {.title = "Name", .width = 18},
    [COL_FAMILY] = {.title = "Family", .width = 8},
    [COL_STATUS] = {.title = "Status", .width = 10},
    [COL_EPOCH] = {.title = "Epoch", .width = 7, .align = ALIGN_RIGHT},
    [COL_VALID] = {.title = "Validation", .width = 10, .align = ALIGN_RIGHT},
    [COL_TEST] = {.title = "Test", .width = 10, .align = ALIGN_RIGHT},
    [COL_DELTA] = {.title = "vs base", .width = 8, .align = ALIGN_RIGHT},
    [COL_TIME] = {.title = "Took", .width = 8, .align = ALIGN_RIGHT},
    [COL_DATA] = {.title = "Dataset", .width = 16},
    [COL_TAGS] = {.title = "Tags, note", .width = 10, .stretch = true},
};

static Style status_style(RunStatus status)
{
    switch (status) {
    case RUN_RUNNING: return STYLE_ACCENT;
    case RUN_PAUSED: return STYLE_WARN;
    case RUN_FINISHED: return STYLE_GOOD;
    case RUN_FAILED: return STYLE_BAD;
    default: return STYLE_DIM;
    }
}

static void add_number(double v, Text *into)
{
    if (isnan(v))
        text_putc(into, '-');
    else
        text_printf(into, fabs(v) >= 1e5 ? "%.4g" : "%.5g", v);
}

/* The difference to the baseline's test result (validation while there is none), in percent. */
static void add_delta(const RunsState *s, const RunRow *run, Cell *out)
{
    const RunResult *base = run_results_find(s->results, s->baseline);
    const RunResult *mine = run_results_find(s->results, run->id);
    if (run->id == s->baseline)
        text_puts(out->text, "base");
    if (!base || !mine || base == mine || strcmp(base->metric, mine->metric) != 0)
        return;
    bool tested = isfinite(base->test) && isfinite(mine->test);
    double from = tested ? base->test : base->valid, to = tested ? mine->test : mine->valid;
    if (!isfinite(from) || !isfinite(to) || from == 0.0)
        return;
    double change = (to - from) / fabs(from) * 100;
    text_printf(out->text, "%+.1f%%", change);
    bool good = base->larger_is_better ? change > 0 : change < 0;
    out->style = change == 0.0 ? STYLE_DIM : good ? STYLE_GOOD : STYLE_BAD;
}

static void add_time(const RunsState *s, const RunRow *run, Text *into)
{
    (void)s;
    int64_t end = run->ended ? run->ended : run_is_active(run) ? time_now() : run->heartbeat;
    if (run->started && end > run->started)
        text_add_seconds(into, (double)(end - run->started) / 1e6);
}

static void cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const RunsState *s = context;
    const RunRow *run = run_at(s, row);
    const RunResult *result = run ? run_results_find(s->results, run->id) : NULL;
    if (!run)
        return;
    switch (column) {
    case COL_RUN:
        text_printf(out->text, "%lld", (long long)run->id);
        out->style = run_style(run->id);
        break;
    case COL_NAME:
        text_puts(out->text, run->name);
        break;
    case COL_FAMILY:
        text_puts(out->text, run->family);
        break;
    case COL_STATUS:
        for (const char *c = run_status_name(run->status); *c; c++)
            text_putc(out->text, (char)(*c | 0x20));
        out->style = status_style(run->status);
        break;
    case COL_EPOCH:
        text_printf(out->text, "%lld", (long long)run->epoch);
        if (run_is_active(run) && run->epochs_total)
            text_printf(out->text, "/%lld", (long long)run->epochs_total);
        break;
    case COL_VALID:
        add_number(result ? result->valid : (double)NAN, out->text);
        break;
    case COL_TEST:
        add_number(result ? result->test : (double)NAN, out->text);
        break;
    case COL_DELTA:
        add_delta(s, run, out);
        break;
    case COL_TIME:
        add_time(s, run, out->text);
        break;
    case COL_DATA:
        text_puts(out->text, run->dataset_name);
        break;
    default:
        text_puts(out->text, run->tags);
        text_puts(out->text, *run->tags && *run->note ? "  " : "");
        text_puts(out->text, run->note);
        out->style = STYLE_DIM;
    }
}

static bool marked(const void *context, uint64_t row)
{
    const RunsState *s = context;
    const RunRow *run = run_at(s, row);
    return run && ui_run_marked(s->ui, run->id);
}

static TableSource source(const RunsState *s)
{
    return (TableSource){.context = s,
                         .rows = s->order.count,
                         .columns = COL_COUNT,
                         .column = columns,
                         .cell = cell,
                         .marked = marked,
                         .empty = *s->find ? "No run matches the search. Esc shows all again."
                                           : "No runs yet. Press 3 to set one up, or : train mlp "
                                             "data=NAME target=COLUMN"};
}

/* ---- jobs ------------------------------------------------------------------------------------------------ */

static void results_loaded(void *owner, void *result, const Error *err, Ui *ui)
{
    RunsState *s = owner;
    (void)err;
    if (!result)
        return;
    run_results_free(s->results);
    s->results = result;
    arrange(s);
    ui_draw(ui);
}

static void compared(void *owner, void *result, const Error *err, Ui *ui)
{
    RunsState *s = owner;
    (void)err;
    run_compare_free(s->compare);
    s->compare = result;
    ui_draw(ui);
}

static CompareAsk wanted(const RunsState *s)
{
    CompareAsk ask = {0};
    ask.sides = ui_marked_runs(s->ui, ask.run, RUN_SIDES);
    const RunRow *run = here(s);
    if (ask.sides < 2) {
        memset(&ask, 0, sizeof ask);
        ask.sides = run != NULL;
        ask.run[0] = run ? run->id : 0;
    }
    return ask;
}

static void ask_detail(RunsState *s, bool again)
{
    CompareAsk ask = wanted(s);
    if (!ask.sides || (!again && memcmp(&ask, &s->asked, sizeof ask) == 0))
        return;
    if (memcmp(&ask, &s->asked, sizeof ask) != 0)
        s->detail_top = 0;
    s->asked = ask;
    ui_job(s->ui, (Job){.owner = s, .slot = SLOT_COMPARE, .run = run_compare_load,
                        .input = mem_copy(&ask, sizeof ask), .done = compared,
                        .release = run_compare_free, .quiet = true, .urgent = true});
}

static void ask_results(RunsState *s)
{
    if (!ui_job_running(s->ui, s, SLOT_RESULTS))
        ui_job(s->ui, (Job){.owner = s, .slot = SLOT_RESULTS, .run = run_results_load,
                            .done = results_loaded, .release = run_results_free, .quiet = true});
}

/* ---- state ------------------------------------------------------------------------------------------------- */

static void create(void *state, Ui *ui)
{
    RunsState *s = state;
    s->ui = ui;
    s->explain.ui = ui;
}

static void destroy(void *state)
{
    RunsState *s = state;
    run_results_free(s->results);
    run_compare_free(s->compare);
    run_explain_release(&s->explain);
    vec_release(&s->order);
}

static bool tick(void *state, Ui *ui)
{
    RunsState *s = state;
    const Snapshot *snap = ui_snapshot(ui);
    bool news = snap->number != s->seen;
    if (news)
        arrange(s);
    s->seen = snap->number;
    if (!ui_visible(ui, state) || s->read == snap->number)
        return news;
    s->read = snap->number;
    ask_results(s);
    ask_detail(s, true);
    return true;
}

static void layout(void *state, int rows, int cols, Ui *ui)
{
    RunsState *s = state;
    TableSource src = source(s);
    int below = rows >= 16 ? rows / 2 : 0;
    if (below && (int)s->order.count + 4 < rows - below) /* few runs leave their room to the detail */
        below = rows - (s->order.count ? (int)s->order.count + 4 : 5);
    if (ui_maximised(ui))
        below = s->detail ? rows : 0;
    s->body_rows = rows;
    s->body_cols = cols;
    s->table_rows = rows - below;
    table_layout(&s->table, &src, s->table_rows - 2, cols - 2);
    size_t lines = run_compare_lines(s->compare), room = below > 2 ? (size_t)below - 2 : 0;
    if (s->detail_top + room > lines)
        s->detail_top = lines > room ? lines - room : 0;
    ask_detail(s, false);
}

static void draw_detail(const RunsState *s, const Canvas *c)
{
    char title[96] = "Run";
    if (s->explain.on) {
        snprintf(title, sizeof title, "What run %lld makes of its columns", (long long)s->explain.run);
        Canvas in = canvas_box(c, s->detail ? STYLE_BORDER_ACTIVE : STYLE_BORDER, title,
                               "j k column, Enter its effect, E back");
        run_explain_draw(&s->explain, &in);
        canvas_zone(c, 0, 0, c->rows, c->cols, ZONE_DETAIL, 0);
        return;
    }
    if (s->compare && s->compare->sides > 1)
        snprintf(title, sizeof title, "%zu runs compared", s->compare->sides);
    else if (s->compare && s->compare->sides == 1)
        snprintf(title, sizeof title, "Run %lld %.60s", (long long)s->compare->run[0].id,
                 s->compare->run[0].name);
    Canvas in = canvas_box(c, s->detail ? STYLE_BORDER_ACTIVE : STYLE_BORDER, title,
                           s->compare && s->compare->sides == 1 ? "Space marks runs to compare" : NULL);
    if (s->compare && s->compare->sides)
        run_compare_draw(s->compare, &in, s->detail_top);
    canvas_zone(c, 0, 0, c->rows, c->cols, ZONE_DETAIL, 0);
}

static void draw(const void *state, const Canvas *c, const Ui *ui)
{
    const RunsState *s = state;
    TableSource src = source(s);
    char note[96];
    (void)ui;
    if (s->table_rows > 2) {
        Canvas top = canvas_part(c, 0, 0, s->table_rows, c->cols);
        snprintf(note, sizeof note, "%s%s%s by %s", *s->find ? "/" : "", s->find, *s->find ? " " : "",
                 sort_names[s->sort]);
        Canvas in = canvas_box(&top, s->detail ? STYLE_BORDER : STYLE_BORDER_ACTIVE, "Training runs", note);
        table_draw(&s->table, &src, &in, !s->detail, ZONE_TABLE);
    }
    Canvas below = canvas_part(c, s->table_rows, 0, c->rows - s->table_rows, c->cols);
    if (below.rows > 2)
        draw_detail(s, &below);
}

/* ---- commands -------------------------------------------------------------------------------------------- */

static void steered(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    (void)owner;
    if (!result)
        ui_error(ui, err);
    ui_refresh(ui);
}

/* "runs VERB ID REST" as any user would type it; what came of it shows in the table. */
static void verb(RunsState *s, const char *name, const char *rest)
{
    const RunRow *run = here(s);
    char line[512];
    if (!run)
        return;
    snprintf(line, sizeof line, "runs %s %lld %s", name, (long long)run->id, rest);
    ui_command(s->ui, line, s, steered);
}

static void prompt(RunsState *s, const char *before, const char *after)
{
    const RunRow *run = here(s);
    char line[160];
    if (!run)
        return;
    snprintf(line, sizeof line, "%s %lld %s", before, (long long)run->id, after);
    ui_prompt(s->ui, line);
}

static void stop_it(void *owner, Ui *ui)
{
    (void)ui;
    verb(owner, "stop", "");
}

static void delete_it(void *owner, Ui *ui)
{
    (void)ui;
    verb(owner, "delete", "");
}

static void confirm(RunsState *s, const char *what, const char *detail, void (*yes)(void *, Ui *))
{
    const RunRow *run = here(s);
    char question[160];
    snprintf(question, sizeof question, "%s run %lld %.80s?", what, (long long)run->id, run->name);
    ui_confirm(s->ui, question, detail, yes, s);
}

static void find_set(void *owner, const char *text, Ui *ui)
{
    RunsState *s = owner;
    snprintf(s->find, sizeof s->find, "%s", text);
    arrange(s);
    ui_draw(ui);
}

static void plot(RunsState *s)
{
    int64_t runs[RUN_SIDES];
    size_t n = ui_marked_runs(s->ui, runs, RUN_SIDES);
    const RunRow *run = here(s);
    char line[256] = "plot";
    if (!n && run)
        runs[n++] = run->id;
    for (size_t i = 0; i < n; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), " %lld", (long long)runs[i]);
    snprintf(line + strlen(line), sizeof line - strlen(line), " out=loss.png");
    ui_prompt(s->ui, line);
}

static Reply unmark(RunsState *s)
{
    int64_t runs[64];
    size_t n = ui_marked_runs(s->ui, runs, 64);
    for (size_t i = 0; i < n; i++)
        ui_mark_run(s->ui, runs[i], false);
    return REPLY_DRAW;
}

static Reply explain(RunsState *s, const RunRow *run)
{
    if (s->explain.on && s->explain.run == run->id)
        run_explain_release(&s->explain);
    else
        run_explain_ask(&s->explain, run->id);
    s->detail = s->explain.on;
    return REPLY_DRAW;
}

static Reply own_command(RunsState *s, int command, const RunRow *run)
{
    switch (command) {
    case RUNS_EXPLAIN:
        return explain(s, run);
    case RUNS_OPEN:
        if (s->explain.on && s->detail) {
            run_explain_column(&s->explain);
            return REPLY_DRAW;
        }
        ui_choose_run(s->ui, run->id);
        ui_go(s->ui, "train");
        return REPLY_DRAW;
    case RUNS_PAUSE:
        verb(s, run->status == RUN_RUNNING ? "pause" : "resume", "");
        return REPLY_DRAW;
    case RUNS_STOP:
        confirm(s, "Stop", "It keeps its best weights, is tested and can be used; it cannot go on.",
                stop_it);
        return REPLY_DRAW;
    case RUNS_SET:
        prompt(s, "runs set", "lr=");
        return REPLY_DRAW;
    case RUNS_FORK:
        prompt(s, "runs fork", "lr=");
        return REPLY_DRAW;
    case RUNS_RENAME:
        prompt(s, "runs rename", "");
        return REPLY_DRAW;
    case RUNS_TAG:
        prompt(s, "runs tag", "");
        return REPLY_DRAW;
    case RUNS_NOTE:
        prompt(s, "runs note", "");
        return REPLY_DRAW;
    case RUNS_PREDICT:
        prompt(s, "predict", "");
        return REPLY_DRAW;
    case RUNS_DELETE:
        confirm(s, "Delete", "Its metrics, checkpoints and model go for good.", delete_it);
        return REPLY_DRAW;
    case RUNS_BASELINE:
        s->baseline = s->baseline == run->id ? 0 : run->id;
        return REPLY_DRAW;
    default:
        return REPLY_IGNORED;
    }
}

static Reply scroll_detail(RunsState *s, int command)
{
    int page = s->body_rows - s->table_rows - 3;
    int64_t step = command == UI_UP ? -1 : command == UI_DOWN ? 1 : command == UI_PAGE_UP ? -page
                   : command == UI_PAGE_DOWN ? page : 0;
    if (!step)
        return REPLY_IGNORED;
    if (s->explain.on)
        return run_explain_move(&s->explain, step);
    s->detail_top = (int64_t)s->detail_top + step < 0 ? 0 : (size_t)((int64_t)s->detail_top + step);
    return REPLY_DRAW;
}

static Reply on_command(void *state, int command, Ui *ui)
{
    RunsState *s = state;
    TableSource src = source(s);
    const RunRow *run = here(s);
    switch (command) {
    case RUNS_SORT:
        s->sort = (Sort)((s->sort + 1) % SORT_COUNT);
        arrange(s);
        return REPLY_DRAW;
    case RUNS_UNMARK:
        return unmark(s);
    case RUNS_PLOT:
        plot(s);
        return REPLY_DRAW;
    case UI_MARK:
        if (run)
            ui_mark_run(ui, run->id, !ui_run_marked(ui, run->id));
        return REPLY_DRAW;
    case UI_SEARCH:
        ui_ask(ui, &(Ask){.title = "Search runs", .label = "text", .initial = s->find, .owner = s,
                          .about = "in number, name, family, dataset, status, tags, note; empty shows all",
                          .done = find_set});
        return REPLY_DRAW;
    case UI_NEXT_PART:
    case UI_PREV_PART:
        s->detail = !s->detail;
        return REPLY_DRAW;
    case UI_BACK:
        if (s->explain.on) {
            run_explain_release(&s->explain);
            s->detail = false;
            return REPLY_DRAW;
        }
        if (!*s->find && !s->detail)
            return REPLY_IGNORED;
        if (s->detail)
            s->detail = false;
        else
            find_set(s, "", ui);
        return REPLY_DRAW;
    case UI_COPY:
        if (run)
            ui_copy(ui, run->name);
        return REPLY_DRAW;
    }
    if (run && command >= PANE_COMMANDS)
        return own_command(s, command, run);
    return s->detail ? scroll_detail(s, command) : table_command(&s->table, &src, command);
}

static const char *why_not(const void *state, int command, const Ui *ui)
{
    const RunsState *s = state;
    const RunRow *run = here(s);
    (void)ui;
    bool needs_run = command >= PANE_COMMANDS && command != RUNS_SORT && command != RUNS_UNMARK;
    if (needs_run && !run)
        return "there is no run yet";
    bool going = run && run_is_active(run);
    if ((command == RUNS_STOP || command == RUNS_SET) && !going)
        return "this run is not running";
    if (command == RUNS_PAUSE && run && run->status == RUN_FINISHED)
        return "this run has finished; f forks it";
    if (command == RUNS_DELETE && going)
        return "this run is still going; x stops it";
    if ((command == RUNS_PREDICT || command == RUNS_EXPLAIN) && run && run->status != RUN_FINISHED)
        return "this run has no model yet";
    return NULL;
}

static Reply on_mouse(void *state, const Mouse *m, Ui *ui)
{
    RunsState *s = state;
    TableSource src = source(s);
    if (m->id == ZONE_DETAIL) {
        s->detail = true;
        if (m->kind == MOUSE_WHEEL_UP || m->kind == MOUSE_WHEEL_DOWN)
            return scroll_detail(s, m->kind == MOUSE_WHEEL_UP ? UI_UP : UI_DOWN);
        return REPLY_DRAW;
    }
    if (m->id == ZONE_TABLE) {
        s->detail = false;
        Reply reply = table_mouse(&s->table, &src, m);
        return m->kind == MOUSE_DOUBLE ? on_command(s, RUNS_OPEN, ui) : reply;
    }
    return REPLY_IGNORED;
}

static void badge(const void *state, const Ui *ui, Text *into, Style *style)
{
    (void)state;
    const Snapshot *snap = ui_snapshot(ui);
    size_t active = 0;
    for (size_t i = 0; i < snap->runs; i++)
        active += run_is_active(&snap->run[i]);
    if (active)
        text_printf(into, "%zu", active);
    *style = STYLE_ACCENT;
}

const Pane runs_pane = {
    .name = "runs",
    .title = "Runs",
    .about = "every run: results, what one was made of, what differs between several",
    .keys = keys,
    .state_size = sizeof(RunsState),
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
