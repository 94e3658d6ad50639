/* edges.c -- the lines around a pane: tabs above, the status line and the hints below. */
#include "tui_int.h"
#include "chart.h"

#include <stdio.h>
#include <string.h>

/* ---- tabs ------------------------------------------------------------------------------------------------- */

/* What the row of tabs does without, step by step, where it is narrow. */
typedef enum TabsFit { TABS_ALL, TABS_NO_DIM_BADGES, TABS_NO_BADGES, TABS_NO_NAME, TABS_TIGHT, TABS_NO_TITLES, TABS_FITS } TabsFit;

static int draw_tab(const Ui *ui, const Canvas *bar, size_t i, int col, TabsFit fit)
{
    const Pane *p = panes[i];
    bool active = i == ui->at;
    Style ground = active ? STYLE_TAB_ACTIVE : STYLE_TAB;
    Text badge = {0};
    Style badge_style = STYLE_ACCENT;
    if (p->badge)
        p->badge(ui->state[i], ui, &badge, &badge_style);
    if (fit >= TABS_NO_BADGES || (fit == TABS_NO_DIM_BADGES && badge_style == STYLE_DIM))
        text_reset(&badge);
    int from = col;
    col += fit < TABS_TIGHT ? canvas_put(bar, 0, col, ground, " ") : 0;
    col += canvas_printf(bar, 0, col, active ? STYLE_TAB_ACTIVE : STYLE_TAB_KEY, "%zu", i + 1);
    if (fit < TABS_NO_TITLES || active)
        col += canvas_printf(bar, 0, col, ground, " %s", p->title);
    if (badge.count) {
        col += canvas_put(bar, 0, col, ground, " ");
        col += canvas_put(bar, 0, col, active ? STYLE_TAB_ACTIVE : style_on(badge_style, ground),
                          text_str(&badge));
    }
    col += canvas_put(bar, 0, col, ground, " ");
    canvas_zone(bar, 0, from, 1, col - from, ZONE_TAB, (int64_t)i);
    text_release(&badge);
    return col;
}

static int draw_tabs_from(const Ui *ui, const Canvas *bar, TabsFit fit)
{
    canvas_fill(bar, STYLE_TAB);
    int col = fit < TABS_NO_NAME ? canvas_put(bar, 0, 0, style_on(STYLE_ACCENT, STYLE_TAB), " lathe ") : 0;
    for (size_t i = 0; i < ui->pane_count; i++)
        col = draw_tab(ui, bar, i, col, fit);
    return col;
}

void frame_draw_tabs(const Ui *ui, const Canvas *bar)
{
    int col = bar->cols; /* what is cut ends there too */
    for (int fit = TABS_ALL; fit < TABS_FITS && col >= bar->cols; fit++)
        col = draw_tabs_from(ui, bar, (TabsFit)fit);
    canvas_zone(bar, 0, col, 1, bar->cols - col, -1, 0); /* over the places of tries that were too wide */
    const char *slash = strrchr(ui->workspace, '/');
    const char *name = slash && slash[1] ? slash + 1 : ui->workspace;
    int w = (int)utf8_width(name, strlen(name));
    if (col + w + 4 < bar->cols)
        canvas_put(bar, 0, bar->cols - w - 1, STYLE_TAB, name);
}

/* ---- status line ---------------------------------------------------------------------------------------------- */

static int left_of(const Canvas *c, int col, int room)
{
    return c->cols - col - room;
}

static int draw_dataset(const Ui *ui, const Canvas *c, int col)
{
    const OpenDataset *d = ui_dataset(ui);
    if (!d) {
        const char *said = ui_dataset_opening(ui) ? " opening a dataset " : " no dataset yet ";
        return col + canvas_put(c, 0, col, STYLE_STATUS_DIM, said);
    }
    Text size = {0};
    text_add_count(&size, (double)d->row.rows);
    text_printf(&size, " %s %lld", glyph(c, GLYPH_TIMES), (long long)d->row.columns);
    col += canvas_put(c, 0, col, STYLE_STATUS, " ");
    int w = (int)utf8_width(d->row.name, strlen(d->row.name));
    int most = c->cols / 3;
    col +=
        canvas_field(c, 0, col, w < most ? w : most, ALIGN_LEFT, STYLE_STATUS_STRONG, d->row.name);
    col += canvas_put(c, 0, col, STYLE_STATUS, " ");
    col += canvas_put(c, 0, col, STYLE_STATUS_DIM, text_str(&size));
    col += canvas_put(c, 0, col, STYLE_STATUS, " ");
    text_release(&size);
    return col;
}

static double run_share(const RunRow *r)
{
    return r->steps_total > 0 ? (double)r->step / (double)r->steps_total : 0;
}

/* The chosen run if it is active, else the newest active one. */
static const RunRow *active_run(const Ui *ui, size_t *count)
{
    const Snapshot *s = ui_snapshot(ui);
    const RunRow *found = NULL;
    *count = 0;
    for (size_t i = 0; i < s->runs; i++)
        if (run_is_active(&s->run[i])) {
            ++*count;
            if (!found || s->run[i].id == ui->run)
                found = &s->run[i];
        }
    return found;
}

static int draw_run(const Ui *ui, const Canvas *c, int col)
{
    size_t count;
    const RunRow *r = active_run(ui, &count);
    if (!r || left_of(c, col, 0) < 40)
        return col;
    double share = run_share(r);
    col += canvas_put(c, 0, col, STYLE_STATUS_DIM, glyph(c, GLYPH_BAR));
    col += canvas_put(c, 0, col, STYLE_STATUS, " ");
    col += canvas_put(c, 0, col, style_on(run_style(r->id), STYLE_STATUS),
                      r->status == RUN_PAUSED ? glyph(c, GLYPH_PAUSE) : glyph_spinner(c, ui->now));
    col += canvas_printf(c, 0, col, STYLE_STATUS, " %.24s ", r->name);
    if (left_of(c, col, 0) > 30) {
        int width = c->cols >= 110 ? 16 : 8;
        int full = (int)(share * width * 8 + 0.5);
        for (int i = 0; i < width; i++) {
            int eighths = full - i * 8;
            uint32_t code = eighths >= 8  ? 0x2588u
                            : eighths > 0 ? 0x2590u - (uint32_t)eighths
                                          : ' ';
            canvas_char(c, 0, col + i, style_on(STYLE_BAR, STYLE_BAR_BACK), code);
        }
        col += width;
    }
    col += canvas_printf(c, 0, col, STYLE_STATUS, " %.0f%%", share * 100);
    double seconds = snapshot_seconds_left(ui_snapshot(ui), r->id);
    if (seconds > 0 && left_of(c, col, 0) > 16) {
        Text left = {0};
        chart_seconds_left(seconds, &left);
        col += canvas_printf(c, 0, col, STYLE_STATUS_DIM, "  %s left", text_str(&left));
        text_release(&left);
    }
    if (count > 1)
        col += canvas_printf(c, 0, col, STYLE_STATUS_DIM, "  +%zu", count - 1);
    return col + canvas_put(c, 0, col, STYLE_STATUS, " ");
}

static void job_numbers(const JobItem *item, double now, Text *into)
{
    uint64_t done = atomic_load(&item->progress.done), total = atomic_load(&item->progress.total);
    const char *unit = atomic_load(&item->progress.unit);
    double seconds = now - atomic_load(&item->progress.since); /* of what it does now, not of what came before */
    bool bytes = unit && !strcmp(unit, "bytes");
    if (total && done <= total)
        text_printf(into, " %.0f%%", 100.0 * (double)done / (double)total);
    if (done && seconds > 0.5 && unit) {
        text_putc(into, ' ');
        if (bytes)
            text_add_bytes(into, (double)done / seconds);
        else
            text_add_count(into, (double)done / seconds);
        text_printf(into, "%s%s/s", bytes ? "" : " ", bytes ? "" : unit);
    }
    if (total && done && done < total && seconds > 2) {
        text_putc(into, ' ');
        chart_seconds_left(seconds * (double)(total - done) / (double)done, into);
    }
}

/* At the right: the newest task that takes long enough to be noticed. Returns where it begins. */
static int draw_tasks(const Ui *ui, const Canvas *c, int from)
{
    const JobItem *shown = NULL;
    size_t more = 0;
    for (size_t i = 0; i < jobs_count(ui->jobs); i++) {
        const JobItem *item = jobs_at(ui->jobs, i);
        if (item->stale || !job_title(item) || ui->now - item->started < JOB_SHOWN_AFTER)
            continue;
        more += shown != NULL;
        shown = item;
    }
    if (!shown)
        return c->cols;
    Text text = {0};
    const char *what = atomic_load(&shown->progress.what);
    text_printf(&text, "%s %s", glyph_spinner(c, ui->now), job_title(shown));
    if (what && c->cols > 100)
        text_printf(&text, " %s %s", glyph(c, GLYPH_DOT), what);
    job_numbers(shown, ui->now, &text);
    if (more)
        text_printf(&text, " +%zu", more);
    int w = (int)utf8_width(text_str(&text), text.count), room = c->cols - from - 2;
    w = w < room ? w : room;
    int col = c->cols - w - 1;
    if (w > 4)
        canvas_field(c, 0, col, w, ALIGN_LEFT, style_on(STYLE_ACCENT, STYLE_STATUS),
                     text_str(&text));
    text_release(&text);
    return w > 4 ? col - 1 : c->cols;
}

void frame_draw_status(const Ui *ui, const Canvas *c)
{
    canvas_fill(c, STYLE_STATUS);
    double stays = ui->said_style == STYLE_BAD ? 12 : 6;
    bool said = *ui->said && ui->now - ui->said_at < stays;
    int need = said ? (int)utf8_width(ui->said, strlen(ui->said)) : 0;
    int col = draw_dataset(ui, c, 0);
    if (said && need > c->cols - col - 4)
        col = 1; /* a long message takes the line */
    else
        col = draw_run(ui, c, col);
    int right = draw_tasks(ui, c, col);
    int room = right - col - 1;
    if (said && need > room) {
        col = 1;
        room = right - 2;
    }
    if (said && room > 8) {
        Style mark = ui->said_style == STYLE_BAD    ? STYLE_BAD
                     : ui->said_style == STYLE_WARN ? STYLE_WARN
                     : ui->said_style == STYLE_GOOD ? STYLE_GOOD
                                                    : STYLE_INFO;
        canvas_fill_part(c, 0, col, 1, room, STYLE_STATUS);
        canvas_put(c, 0, col, style_on(mark, STYLE_STATUS),
                   mark == STYLE_BAD    ? glyph(c, GLYPH_CROSS)
                   : mark == STYLE_GOOD ? glyph(c, GLYPH_CHECK)
                                        : glyph(c, GLYPH_BULLET));
        int width = need < room - 2 ? need : room - 2;
        canvas_field(
            c, 0, col + 2, width, ALIGN_LEFT,
            style_on(mark == STYLE_INFO || mark == STYLE_GOOD ? STYLE_PLAIN : mark, STYLE_STATUS),
            ui->said);
    }
}

/* ---- hints: from the key tables, as many as fit ------------------------------------------------------------------ */

static int hint_width(const KeyRow *r, const char *word)
{
    Text key = {0};
    key_short(r, &key);
    int w = (int)utf8_width(text_str(&key), key.count) + 1 +
            (int)utf8_width(word, strlen(word)) + 2;
    text_release(&key);
    return w;
}

static int draw_hint(const Canvas *c, int col, const KeyRow *r, const char *word)
{
    Text key = {0};
    key_short(r, &key);
    int from = col;
    col += canvas_put(c, 0, col, STYLE_HINT_KEY, text_str(&key));
    col += canvas_put(c, 0, col, STYLE_HINT, " ");
    col += canvas_put(c, 0, col, STYLE_HINT, word);
    canvas_zone(c, 0, from, 1, col - from, ZONE_HINT, r->command);
    text_release(&key);
    return col + 2;
}

static bool row_holds(const KeyRow *r, unsigned mode, bool text_mode)
{
    return r->hint && *r->keys && (r->modes ? (r->modes & mode) != 0 : !text_mode);
}

/* A narrow screen leaves the room to the pane: help tells the rest. */
static bool frame_hint(const KeyRow *r, int cols)
{
    return r->hint && *r->keys && (cols >= 100 || r->command == UI_HELP || r->command == UI_COMMAND);
}

void frame_draw_hints(const Ui *ui, const Canvas *c)
{
    canvas_fill(c, STYLE_HINT);
    int col = 1;
    if (ui->overlay) {
        for (const KeyRow *r = ui->overlay->kind->keys; r && r->command; r++)
            if (r->hint && col + hint_width(r, r->hint) <= c->cols)
                col = draw_hint(c, col, r, r->hint);
        return;
    }
    const Pane *p = ui_pane(ui);
    const void *state = ui->state[ui->at];
    unsigned mode = pane_mode(p, state);
    bool text_mode = pane_text_mode(p, state);
    int frame = 0; /* the frame's hints keep their place at the right */
    for (const KeyRow *r = ui->keymap.frame; r->command && !text_mode; r++)
        if (frame_hint(r, c->cols))
            frame += hint_width(r, r->hint);
    for (const KeyRow *r = ui_keys(ui); r && r->command; r++)
        if (row_holds(r, mode, text_mode) && !pane_why_not(p, state, r->command, ui)) {
            const char *now = p->hint ? p->hint(state, r->command, ui) : NULL, *word = now ? now : r->hint;
            if (col + hint_width(r, word) > c->cols - frame)
                break;
            if (*word)
                col = draw_hint(c, col, r, word);
        }
    int at = c->cols - frame + 1;
    for (const KeyRow *r = ui->keymap.frame; r->command && !text_mode; r++)
        if (frame_hint(r, c->cols))
            at = draw_hint(c, at, r, r->hint);
}
