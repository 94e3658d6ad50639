/* app.c -- the loop: sleep in poll on keys, the wake-up descriptor and signals; take everything in;
 * draw once. Nothing is drawn when nothing changed, and frames are dropped rather than keys. */
#include "tui_int.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TICK_SECONDS 0.1
#define KEYS_A_FRAME 64
#define SESSION_WAIT 0.040 /* for what the workspace remembers, before the first paint */

static void take_signals(Ui *ui)
{
    unsigned char number;
    while (read(screen_signals(ui->screen), &number, 1) == 1) {
        switch (number) {
        case SIGWINCH:
            screen_resized(ui->screen);
            break;
        case SIGTERM:
        case SIGHUP:
        case SIGINT:
            ui->quit = true;
            break;
        case SIGTSTP:
            screen_suspend(ui->screen);
            break;
        case SIGCONT:
            screen_redraw(ui->screen);
            break;
        }
        ui->dirty = true;
    }
}

static void take_news(Ui *ui)
{
    uint64_t count;
    while (read(ui->wake, &count, sizeof count) == sizeof count)
        ;
    if (jobs_collect(ui->jobs, ui)) {
        ui->fresh[ui->at] = true;
        ui->dirty = true;
    }
    Snapshot *s = watch_take(ui->watch);
    if (s) {
        if (ui->snapshot)
            news_changed(ui, ui->snapshot, s);
        snapshot_destroy((Snapshot *)ui->snapshot);
        ui->snapshot = s;
        for (size_t i = 0; i < ui->pane_count; i++)
            ui->fresh[i] = true;
        if (s->error)
            ui_say(ui, STYLE_BAD, "%s", s->error);
        ui->dirty = true;
    }
}

static void take_keys(Ui *ui)
{
    replay_step(ui);
    for (int i = 0; i < KEYS_A_FRAME && !ui->quit; i++) {
        Input in = screen_input(ui->screen);
        if (in.kind == INPUT_NONE)
            return;
        if (in.kind == INPUT_KEY)
            frame_key(ui, in.key);
        else
            frame_mouse(ui, &in.mouse);
    }
}

static void tick_panes(Ui *ui)
{
    bool beat = ui->now >= ui->next_tick;
    if (beat)
        ui->next_tick = ui->now + TICK_SECONDS;
    for (size_t i = 0; i < ui->pane_count; i++) {
        bool shown = i == ui->at;
        if (!(ui->fresh[i] || (beat && shown && ui->now < ui->animate_until)))
            continue;
        ui->fresh[i] = false;
        if (panes[i]->tick && panes[i]->tick(ui->state[i], ui) && shown)
            ui->dirty = true;
    }
}

/* The dataset and the run to begin with, once it is known what there is. */
static void choose_first(Ui *ui)
{
    const Snapshot *s = ui_snapshot(ui);
    if (!ui->begun && ui->snapshot && ui->settings_known) {
        ui->begun = true;
        const char *run = ui_setting(ui, "run");
        int64_t id = run ? strtoll(run, NULL, 10) : 0;
        if (!ui->run && snapshot_run(s, id))
            ui_choose_run(ui, id);
        news_while_away(ui, s);
    }
    if (*ui->dataset_hash || !s->datasets)
        return;
    const char *last = ui_setting(ui, "dataset");
    const DatasetRow *row = snapshot_dataset(s, last);
    ui_choose_dataset(ui, row ? row->hash : s->dataset[0].hash);
}

static bool anything_moves(const Ui *ui)
{
    if (ui->now < ui->animate_until)
        return true;
    for (size_t i = 0; i < jobs_count(ui->jobs); i++)
        if (job_title(jobs_at(ui->jobs, i)))
            return true;
    return false;
}

/* Seconds until the budget (`:set bandwidth`) has something for a frame. */
static double frame_waits(Ui *ui)
{
    size_t sent = screen_sent(ui->screen);
    budget_reckon(&ui->budget, set_bandwidth(ui), ui->now, sent - ui->sent);
    ui->sent = sent;
    return budget_waits(&ui->budget);
}

static void wait_for_something(Ui *ui, int most_ms)
{
    struct pollfd fds[] = {{screen_is_terminal(ui->screen) ? STDIN_FILENO : -1, POLLIN, 0},
                           {ui->wake, POLLIN, 0},
                           {screen_signals(ui->screen), POLLIN, 0},
                           {ui->files, POLLIN, 0}};
    poll(fds, 4, replay_active(ui) && (most_ms < 0 || most_ms > 10) ? 10 : most_ms);
    if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
        ui->quit = true; /* the terminal has gone */
}

static void first_settings(Ui *ui)
{
    const TuiOptions *o = ui->options;
    const char *theme = o->theme ? o->theme : getenv("LATHE_THEME");
    if (!theme || !*theme)
        theme = ui_setting(ui, "theme");
    bool changed = ui->settings_changed;
    if (theme && *theme && !text_equal(theme, ui->theme.name)) {
        Error err = {0};
        if (theme_load(&ui->theme, theme, &err))
            screen_theme(ui->screen, &ui->theme);
        else
            ui_error(ui, &err);
    }
    set_begin(ui);
    reload_keys(ui, false);
    reload_watch(ui);
    ui_go(ui, o->pane ? o->pane : ui_setting(ui, "pane"));
    ui->settings_changed = changed;
    if (o->dataset)
        ui_choose_dataset(ui, o->dataset);
}

static void run(Ui *ui)
{
    session_load(ui);
    double began = clock_now();
    while (!ui->settings_known && clock_now() - began < SESSION_WAIT) {
        wait_for_something(ui, 10);
        ui->now = clock_now();
        take_news(ui);
    }
    first_settings(ui);
    if (ui->options->replay)
        replay_start(ui, ui->options->replay, true);
    ui->dirty = true;
    bool more = false;
    double saved = clock_now();
    while (!ui->quit) {
        ui->now = clock_now();
        take_signals(ui);
        reload_take(ui);
        take_news(ui);
        choose_first(ui);
        tick_panes(ui);
        bool moves = anything_moves(ui);
        double later = frame_waits(ui);
        if ((ui->dirty || moves) && later <= 0 && !ui->quit) {
            ui->dirty = false;
            frame_draw(ui);
        }
        if (ui->now - saved > 5) {
            saved = ui->now;
            session_save(ui, false);
        }
        more = ui->dirty;
        wait_for_something(ui, more                                   ? (int)ceil(later * 1000)
                               : moves || ui->now < ui->animate_until ? 100
                               : ui->settings_changed                 ? 5000
                                                                      : -1);
        ui->now = clock_now();
        take_signals(ui);
        take_keys(ui);
    }
}

static void ui_close(Ui *ui)
{
    while (ui->overlay)
        overlay_close(ui, ui->overlay);
    screen_close(ui->screen);
    news_seen(ui);
    session_save(ui, true);
    watch_stop(ui->watch);
    if (!jobs_destroy(ui->jobs))
        return; /* a thread still works with what is here: the process is about to end */
    for (size_t i = 0; i < ui->pane_count; i++) {
        if (panes[i]->destroy)
            panes[i]->destroy(ui->state[i]);
        mem_free(ui->state[i]);
    }
    prompt_release(ui);
    undo_release(ui);
    replay_destroy(ui->replay);
    text_release(&ui->recording.text);
    text_release(&ui->recording.typed);
    text_release(&ui->recording.pressed);
    keymap_release(&ui->keymap);
    reload_end(ui);
    mem_free(ui->offered_rule);
    found_rows_destroy(ui->found_rows);
    open_dataset_drop(ui->dataset);
    snapshot_destroy((Snapshot *)ui->snapshot);
    for (size_t i = 0; i < ui->messages.count; i++)
        mem_free(ui->messages.at[i].text);
    vec_release(&ui->messages);
    vec_release(&ui->marked);
    vec_release(&ui->recent);
    json_decref(ui->settings);
    close(ui->wake);
    mem_free(ui->workspace);
    mem_free(ui->program);
    mem_free(ui);
}

/* What stood there when a replay without a terminal failed; nothing, before the first frame. */
static void print_screen(const Ui *ui)
{
    Text all = {0};
    size_t last = 0; /* end of the last row with something in it */
    for (int i = 0; i < screen_rows(ui->screen); i++) {
        size_t from = all.count;
        screen_row_text(ui->screen, i, &all);
        while (all.count > from && all.at[all.count - 1] == ' ')
            all.at[--all.count] = 0;
        bool blank = all.count == from;
        text_putc(&all, '\n');
        last = blank ? last : all.count;
    }
    fprintf(stderr, "%.*s", (int)last, text_str(&all));
    text_release(&all);
}

bool tui_main(const TuiOptions *o, Error *err)
{
    bool shown = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    Screen *screen = o->replay && !shown ? screen_open_nowhere(36, 120, err) : screen_open(err);
    if (!screen)
        return false;
    thread_prompt();
    Ui *ui = mem_alloc(sizeof *ui);
    ui->options = o;
    ui->screen = screen;
    ui->workspace = text_copy(o->workspace ? o->workspace : "work");
    ui->program = text_copy(o->program ? o->program : "lathe");
    ui->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ui->settings = json_object();
    ui->now = clock_now();
    theme_builtin(&ui->theme);
    keymap_normal(&ui->keymap);
    reload_begin(ui);
    ui->jobs = jobs_create(ui->workspace, ui->program, ui->wake);
    ui->watch = watch_start(ui->workspace, ui->wake);
    for (; panes[ui->pane_count]; ui->pane_count++) {
        const Pane *p = panes[ui->pane_count];
        ui->state[ui->pane_count] = mem_alloc(p->state_size ? p->state_size : 1);
        ui->fresh[ui->pane_count] = true;
    }
    for (size_t i = 0; i < ui->pane_count; i++)
        if (panes[i]->create)
            panes[i]->create(ui->state[i], ui);
    run(ui);
    Error failed = ui->failed;
    if (failed.kind && !shown)
        print_screen(ui);
    ui_close(ui);
    return !failed.kind || error_set(err, failed.kind, "%s", failed.text);
}
