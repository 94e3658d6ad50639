/* runs.c -- pane 5, Runs: every run of the workspace, filtered, sorted, in groups of seeds; under it what one
 * was made of, what differs between marked ones, and what hyperparameters do to a metric. */
#include "runs_int.h"

#include <stdio.h>
#include <string.h>

enum {
    RUNS_OPEN = PANE_COMMANDS, RUNS_FILTER, RUNS_SORT, RUNS_GROUP, RUNS_VIEW, RUNS_VIEW_BACK, RUNS_COLUMN,
    RUNS_HIDE, RUNS_PIN, RUNS_MOVE_LEFT, RUNS_MOVE_RIGHT, RUNS_BASELINE, RUNS_RENAME, RUNS_TAG, RUNS_NOTE,
    RUNS_DELETE, RUNS_MARK_ALL, RUNS_UNMARK, RUNS_PLOT, RUNS_FACTS, RUNS_SCATTER, RUNS_PARALLEL,
    RUNS_IMPORTANCE, RUNS_FORKS, RUNS_EXPLAIN, RUNS_EFFECT, RUNS_SHAP
};

enum { IN_RUNS = 1, IN_EXPLAIN = 2 };

// clang-format off
static const KeyRow keys[] = {
    {RUNS_OPEN,      "open-run",     "Enter", "watch",   "show its curves in the Train pane; a group opens or closes", IN_RUNS},
    {RUNS_EFFECT,    "column-effect","Enter", "its effect", "what the column under the cursor does to the prediction", IN_EXPLAIN},
    {RUNS_SHAP,      "shap",         "s",     "SHAP",    "rank the columns by what they add to the rows (gbdt), or by what is lost without them", IN_EXPLAIN},
    {RUNS_FILTER,    "filter-runs",  "&",     "filter",  "by an expression: val_rmse < 3 and family = gbdt and has:note", 0},
    {RUNS_SORT,      "sort-runs",    "s",     "sort",    "by the column under the cursor; again the other way; again newest first", IN_RUNS},
    {RUNS_GROUP,     "group-runs",   "z",     "seeds",   "runs that differ by their seed as one: mean and 95 % interval", 0},
    {RUNS_VIEW,      "next-view",    "v",     "view",    "the next view below: facts, scatter, parallel, importance, forks", 0},
    {RUNS_BASELINE,  "baseline-run", "b",     "baseline","compare the others with this one", 0},
    STEER_KEYS,
    {RUNS_VIEW_BACK, "view-before",  "V",     NULL,      "the view before", 0},
    {RUNS_COLUMN,    "show-column",  "C",     NULL,      "show any fact, hyperparameter or metric as a column", 0},
    {RUNS_HIDE,      "hide-column",  "-",     NULL,      "leave this column out", 0},
    {RUNS_PIN,       "pin-column",   "!",     NULL,      "keep this column at the left, or let it go", 0},
    {RUNS_MOVE_LEFT, "move-left",    "H",     NULL,      "it changes places with the column to the left", 0},
    {RUNS_MOVE_RIGHT,"move-right",   "L",     NULL,      "it changes places with the column to the right", 0},
    {RUNS_RENAME,    "rename-run",   "r",     NULL,      "give it another name", 0},
    {RUNS_TAG,       "tag-run",      "t",     NULL,      "change its tags", 0},
    {RUNS_NOTE,      "note-run",     "i",     NULL,      "change the note kept with it", 0},
    {RUNS_DELETE,    "delete-run",   "D",     NULL,      "remove it with metrics, checkpoints and model", 0},
    {RUNS_MARK_ALL,  "mark-runs",    "*",     NULL,      "mark all runs that are shown", 0},
    {RUNS_UNMARK,    "unmark-runs",  "U",     NULL,      "no run marked", 0},
    {RUNS_PLOT,      "plot-runs",    "w",     NULL,      "write the marked runs' curves to a file (PNG, SVG, PDF)", 0},
    {RUNS_FACTS,     "facts",        "",      NULL,      "what it was made of, or what differs between marked runs", 0},
    {RUNS_SCATTER,   "scatter",      "",      NULL,      "a hyperparameter against a metric", 0},
    {RUNS_PARALLEL,  "parallel",     "",      NULL,      "hyperparameters as parallel axes", 0},
    {RUNS_IMPORTANCE,"importance",   "I",     NULL,      "which hyperparameters matter for the metric", 0},
    {RUNS_FORKS,     "forks",        "F",     NULL,      "which run was forked from which", 0},
    {RUNS_EXPLAIN,   "explain-run",  "E",     NULL,      "how much each column matters to its model, and what one does", 0},
    {0}};
// clang-format on

static const char *const view_names[] = {
#define AS_NAME(id, name, help) name,
    RUN_VIEWS(AS_NAME)
#undef AS_NAME
};

/* ---- what is read -------------------------------------------------------------------------------------- */

static void book_done(void *owner, void *result, const Error *err, Ui *ui)
{
    RunsState *s = owner;
    (void)err;
    if (!result)
        return;
    book_take(&s->book, result);
    runs_fields(s);
    runs_arrange(s);
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
    const RunRow *run = runs_here(s);
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
    if (s->view == RUN_VIEW_IMPORTANCE)
        runs_importance_ask(s);
    if (!ask.sides) { /* no run is shown: nothing is said of one */
        ui_job_cancel(s->ui, s, RUNS_SLOT_COMPARE);
        run_compare_free(s->compare);
        s->compare = NULL;
        s->asked = ask;
    }
    if (!ask.sides || (!again && memcmp(&ask, &s->asked, sizeof ask) == 0))
        return;
    if (memcmp(&ask, &s->asked, sizeof ask) != 0 && s->view == RUN_VIEW_FACTS)
        s->detail_top = 0;
    s->asked = ask;
    ui_job(s->ui, (Job){.owner = s, .slot = RUNS_SLOT_COMPARE, .what = "reading the runs", .run = run_compare_load,
                        .input = mem_copy(&ask, sizeof ask), .done = compared,
                        .release = run_compare_free, .quiet = true, .urgent = true});
}

/* ---- state ------------------------------------------------------------------------------------------------- */

static const char *setting_now(const void *owner, int64_t run, const char *key, int64_t step)
{
    (void)step; /* a fork from here begins at the last checkpoint */
    const RunFacts *f = book_find(&((const RunsState *)owner)->book, run);
    for (size_t i = 0; f && i < f->params; i++)
        if (strcmp(f->param[i].key, key) == 0)
            return f->param[i].value;
    return NULL;
}

static void create(void *state, Ui *ui)
{
    RunsState *s = state;
    s->ui = ui;
    s->explain.ui = ui;
    s->steer = (Steer){.ui = ui, .owner = s, .setting = setting_now};
    s->table.col = 1;
}

static void destroy(void *state)
{
    RunsState *s = state;
    book_release(&s->book);
    run_compare_free(s->compare);
    run_explain_release(&s->explain);
    mem_free(s->importance);
    for (size_t i = 0; i < s->group.count; i++)
        vec_release(&s->group.at[i].member);
    vec_release(&s->group);
    vec_release(&s->shown);
    vec_release(&s->line);
    vec_release(&s->field);
    vec_release(&s->column);
    vec_release(&s->heads);
}

static bool tick(void *state, Ui *ui)
{
    RunsState *s = state;
    const Snapshot *snap = ui_snapshot(ui);
    bool news = snap->number != s->seen;
    if (news) {
        if (!s->field.count)
            runs_fields(s);
        runs_arrange(s);
    }
    s->seen = snap->number;
    if (!ui_visible(ui, state) || s->read == snap->number)
        return news;
    s->read = snap->number;
    book_read(&s->book, snap, s, RUNS_SLOT_BOOK, book_done, ui);
    ask_detail(s, true);
    return true;
}

static size_t detail_lines(const RunsState *s)
{
    switch (s->view) {
    case RUN_VIEW_FACTS:      return run_compare_lines(s->compare);
    case RUN_VIEW_FORKS:      return runs_forks_lines(s);
    case RUN_VIEW_IMPORTANCE: return s->importance ? s->importance->inputs + 1 : 0;
    default:                  return 0;
    }
}

static void layout(void *state, int rows, int cols, Ui *ui)
{
    RunsState *s = state;
    runs_columns(s);
    runs_restore(s);
    TableSource src = runs_source(s);
    int below = rows >= 16 ? rows / 2 : 0, lines = (int)s->line.count;
    if (below && lines + 4 < rows - below) /* few runs leave their room to the detail */
        below = rows - (lines ? lines + 4 : 5);
    if (ui_maximised(ui))
        below = s->detail ? rows : 0;
    s->body_rows = rows;
    s->body_cols = cols;
    s->table_rows = rows - below;
    table_layout(&s->table, &src, s->table_rows - 2, cols - 2);
    size_t n = detail_lines(s), room = below > 2 ? (size_t)below - 2 : 0;
    if (s->detail_top + room > n)
        s->detail_top = n > room ? n - room : 0;
    ask_detail(s, false);
}

/* ---- what is shown ------------------------------------------------------------------------------------------ */

static void unmark(RunsState *s)
{
    int64_t runs[256];
    size_t n = ui_marked_runs(s->ui, runs, 256);
    for (size_t i = 0; i < n; i++)
        ui_mark_run(s->ui, runs[i], false);
    ui_say(s->ui, STYLE_INFO, n ? "no run is marked any more" : "no run was marked");
}

/* On a group: all of it. */
static void mark(RunsState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const RunRow *run = runs_here(s);
    if (!run)
        return;
    const RunLine *line = &s->line.at[s->table.at];
    bool on = !ui_run_marked(s->ui, run->id);
    ui_mark_run(s->ui, run->id, on);
    for (size_t i = 0; line->head && i < s->group.at[line->group].member.count; i++)
        ui_mark_run(s->ui, snap->run[s->group.at[line->group].member.at[i]].id, on);
}

static void mark_all(RunsState *s)
{
    for (size_t i = 0; i < s->line.count; i++)
        if (runs_at(s, i))
            ui_mark_run(s->ui, runs_at(s, i)->id, true);
}

static void sort(RunsState *s)
{
    const RunField *f = runs_column_field(s, s->table.col);
    bool same = f && strcmp(f->name, s->sort) == 0, up_first = f && !(f->kind == FIELD_METRIC && f->better > 0);
    if (!f)
        return;
    if (same && s->down == up_first) {
        *s->sort = 0; /* both ways were seen */
    } else {
        snprintf(s->sort, sizeof s->sort, "%s", f->name);
        s->down = same ? !s->down : !up_first;
    }
    runs_remember(s);
    runs_arrange(s);
}

static void show_view(RunsState *s, RunView view)
{
    s->view = view;
    s->detail_top = 0;
    ask_detail(s, false);
    ui_say(s->ui, STYLE_INFO, "%s (%d of %d)", view_names[view], (int)view + 1, RUN_VIEW_EXPLAIN);
}

static void turn_view(RunsState *s, int by)
{
    int n = RUN_VIEW_EXPLAIN; /* which needs a run that was asked about */
    show_view(s, (RunView)(((int)s->view % n + by + n) % n));
}

static void explain(RunsState *s, const RunRow *run)
{
    bool away = s->view == RUN_VIEW_EXPLAIN && s->explain.run == run->id;
    if (away)
        run_explain_release(&s->explain);
    else
        run_explain_ask(&s->explain, run->id, false);
    s->view = away ? RUN_VIEW_FACTS : RUN_VIEW_EXPLAIN;
    s->detail = !away;
}

static void open_here(RunsState *s, const RunRow *run)
{
    const RunLine *line = &s->line.at[s->table.at];
    if (line->head && !s->detail) {
        s->group.at[line->group].open = !s->group.at[line->group].open;
        runs_arrange(s);
    } else {
        ui_choose_run(s->ui, run->id);
        ui_go(s->ui, "train");
    }
}

/* ---- commands --------------------------------------------------------------------------------------------- */

/* Where the screen is narrow the column that shows it may be out of sight. */
static void baseline(RunsState *s, const RunRow *run)
{
    s->baseline = s->baseline == run->id ? 0 : run->id;
    runs_remember(s);
    if (s->baseline)
        ui_say(s->ui, STYLE_INFO, "run %lld is the baseline: 'vs base' compares the others with it", (long long)run->id);
    else
        ui_say(s->ui, STYLE_INFO, "no run is the baseline any more");
}

/* About the run under the cursor. */
static Reply of_run(RunsState *s, int command, const RunRow *run)
{
    switch (command) {
    case RUNS_OPEN:     open_here(s, run); return REPLY_DRAW;
    case RUNS_EXPLAIN:  explain(s, run); return REPLY_DRAW;
    case RUNS_EFFECT:   run_explain_column(&s->explain); return REPLY_DRAW;
    case RUNS_SHAP:     run_explain_ask(&s->explain, s->explain.run, !s->explain.shap); return REPLY_DRAW;
    case RUNS_RENAME:   runs_rename(s, run); return REPLY_DRAW;
    case RUNS_TAG:      runs_tag(s, run); return REPLY_DRAW;
    case RUNS_NOTE:     runs_note(s, run); return REPLY_DRAW;
    case RUNS_DELETE:   runs_confirm_delete(s, run); return REPLY_DRAW;
    case RUNS_BASELINE: baseline(s, run); return REPLY_DRAW;
    }
    return steer_command(&s->steer, command, run->id);
}

/* About the table and the views. */
static Reply of_table(RunsState *s, int command)
{
    switch (command) {
    case RUNS_FILTER:     runs_ask_filter(s); return REPLY_DRAW;
    case RUNS_SORT:       sort(s); return REPLY_DRAW;
    case RUNS_GROUP:      runs_group(s); runs_remember(s); return REPLY_DRAW;
    case RUNS_VIEW:       turn_view(s, 1); return REPLY_DRAW;
    case RUNS_VIEW_BACK:  turn_view(s, -1); return REPLY_DRAW;
    case RUNS_FACTS:      show_view(s, RUN_VIEW_FACTS); return REPLY_DRAW;
    case RUNS_SCATTER:    show_view(s, RUN_VIEW_SCATTER); return REPLY_DRAW;
    case RUNS_PARALLEL:   show_view(s, RUN_VIEW_PARALLEL); return REPLY_DRAW;
    case RUNS_IMPORTANCE: *s->importance_asked = 0; show_view(s, RUN_VIEW_IMPORTANCE); return REPLY_DRAW;
    case RUNS_FORKS:      show_view(s, RUN_VIEW_FORKS); return REPLY_DRAW;
    case RUNS_COLUMN:     runs_column_choose(s); return REPLY_DRAW;
    case RUNS_HIDE:       runs_column_hide(s); return REPLY_DRAW;
    case RUNS_PIN:        runs_column_pin(s); return REPLY_DRAW;
    case RUNS_MOVE_LEFT:  runs_column_move(s, -1); return REPLY_DRAW;
    case RUNS_MOVE_RIGHT: runs_column_move(s, 1); return REPLY_DRAW;
    case RUNS_MARK_ALL:   mark_all(s); return REPLY_DRAW;
    case RUNS_UNMARK:     unmark(s); return REPLY_DRAW;
    case RUNS_PLOT:       runs_ask_plot(s); return REPLY_DRAW;
    }
    return REPLY_IGNORED;
}

static Reply in_detail(RunsState *s, int command)
{
    int page = s->body_rows - s->table_rows - 3;
    int64_t step = command == UI_UP ? -1 : command == UI_DOWN ? 1 : command == UI_PAGE_UP ? -page
                   : command == UI_PAGE_DOWN ? page : 0;
    int side = command == UI_LEFT ? -1 : command == UI_RIGHT ? 1 : 0;
    bool axes = s->view == RUN_VIEW_SCATTER || s->view == RUN_VIEW_PARALLEL;
    if (side)
        return axes || s->view == RUN_VIEW_IMPORTANCE ? runs_turn_field(s, s->view == RUN_VIEW_IMPORTANCE, side)
                                                      : REPLY_STAY;
    if (!step)
        return REPLY_IGNORED;
    if (axes)
        return runs_turn_field(s, true, step < 0 ? -1 : 1);
    if (s->view == RUN_VIEW_EXPLAIN)
        return run_explain_move(&s->explain, step);
    s->detail_top = (int64_t)s->detail_top + step < 0 ? 0 : (size_t)((int64_t)s->detail_top + step);
    return REPLY_DRAW;
}

/* Out of the view, the detail, the search, the filter. */
static Reply back(RunsState *s, Ui *ui)
{
    if (s->view == RUN_VIEW_EXPLAIN) {
        run_explain_release(&s->explain);
        s->view = RUN_VIEW_FACTS;
        s->detail = false;
    } else if (s->detail) {
        s->detail = false;
    } else if (*s->find) {
        runs_find_set(s, "", ui);
    } else if (*s->filter) {
        runs_filter_set(s, "", ui);
    } else {
        return REPLY_IGNORED;
    }
    return REPLY_DRAW;
}

static Reply on_command(void *state, int command, Ui *ui)
{
    RunsState *s = state;
    TableSource src = runs_source(s);
    const RunRow *run = runs_here(s);
    switch (command) {
    case UI_MARK:
        mark(s);
        return REPLY_DRAW;
    case UI_SEARCH:
        ui_ask(ui, &(Ask){.title = "Search runs", .label = "text", .initial = s->find, .owner = s,
                          .about = "in number, name, family, dataset, status, tags, note; empty shows all",
                          .done = runs_find_set});
        return REPLY_DRAW;
    case UI_NEXT_PART:
    case UI_PREV_PART:
        s->detail = !s->detail;
        return REPLY_DRAW;
    case UI_BACK:
        return back(s, ui);
    case UI_COPY:
        if (run)
            ui_copy(ui, run->name);
        return REPLY_DRAW;
    }
    Reply reply = of_table(s, command);
    if (reply == REPLY_IGNORED && run && command >= PANE_COMMANDS)
        return of_run(s, command, run);
    if (reply != REPLY_IGNORED)
        return reply;
    return s->detail ? in_detail(s, command) : table_command(&s->table, &src, command);
}

/* `:filter-runs lr > 0.01`, `:sort-runs test`, `:show-column val_mae` */
static Reply on_words(void *state, int command, const char *words, Ui *ui)
{
    RunsState *s = state;
    Error err = {0};
    if (command == RUNS_FILTER) {
        if (runs_filter_check(s, words, &err))
            runs_filter_set(s, words, ui);
    } else if (command == RUNS_COLUMN || command == RUNS_SORT) {
        if (!runs_column_add(s, words))
            error_set(&err, ERROR_USAGE, "no run has a %s; C lists what there is", words);
        else if (command == RUNS_SORT)
            sort(s);
    } else {
        return REPLY_IGNORED;
    }
    if (err.kind != ERROR_NONE)
        ui_error(ui, &err);
    return REPLY_DRAW;
}

static const char *explain_why_not(const RunsState *s, int command)
{
    if (s->view != RUN_VIEW_EXPLAIN)
        return "E first asks the run under the cursor what it makes of its columns";
    if (command == RUNS_SHAP && !s->explain.shap && !runs_can_shap(s))
        return "only a gbdt can say what each column adds";
    return NULL;
}

static unsigned mode(const void *state)
{
    const RunsState *s = state;
    return s->view == RUN_VIEW_EXPLAIN && s->detail ? IN_EXPLAIN : IN_RUNS;
}

static const char *why_not(const void *state, int command, const Ui *ui)
{
    const RunsState *s = state;
    const RunRow *run = runs_here(s);
    (void)ui;
    bool table = command == RUNS_FILTER || command == RUNS_UNMARK || command == RUNS_COLUMN || command == RUNS_VIEW ||
                 command == RUNS_VIEW_BACK || (command >= RUNS_FACTS && command <= RUNS_FORKS);
    if (command >= PANE_COMMANDS && !table && !run)
        return "there is no run yet";
    if (command == RUNS_DELETE && run_is_active(run))
        return "this run is still going; x stops it";
    if (command == RUNS_EXPLAIN && run->status != RUN_FINISHED)
        return "this run has no model yet";
    if (command == RUNS_EFFECT || command == RUNS_SHAP)
        return explain_why_not(s, command);
    return run ? steer_why_not(run, true, command) : NULL;
}

static const char *hint(const void *state, int command, const Ui *ui)
{
    (void)ui;
    return steer_hint(runs_here(state), command);
}

static Reply on_mouse(void *state, const Mouse *m, Ui *ui)
{
    RunsState *s = state;
    TableSource src = runs_source(s);
    if (m->id == RUNS_ZONE_DETAIL) {
        s->detail = true;
        if (m->kind == MOUSE_WHEEL_UP || m->kind == MOUSE_WHEEL_DOWN)
            return in_detail(s, m->kind == MOUSE_WHEEL_UP ? UI_UP : UI_DOWN);
        return REPLY_DRAW;
    }
    if (m->id == RUNS_ZONE_TABLE) {
        s->detail = false;
        Reply reply = table_mouse(&s->table, &src, m);
        bool head = m->index >= 1 && m->index < 1000000;
        if (head && m->kind <= MOUSE_DOUBLE)
            sort(s);
        return m->kind == MOUSE_DOUBLE && !head ? on_command(s, RUNS_OPEN, ui) : reply;
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
    .about = "every run: filtered, grouped by seed, compared; what hyperparameters do",
    .keys = keys,
    .state_size = sizeof(RunsState),
    .create = create,
    .destroy = destroy,
    .tick = tick,
    .layout = layout,
    .draw = runs_draw,
    .on_command = on_command,
    .on_mouse = on_mouse,
    .on_words = on_words,
    .mode = mode,
    .why_not = why_not,
    .hint = hint,
    .badge = badge,
    .table = runs_table_shown,
    .chart = runs_chart_shown,
    .keep = runs_keep,
    .put = runs_put,
};
