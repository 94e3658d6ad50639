/* palette.c -- Ctrl-P: everything with a name, found by a few of its letters, the recent first. */
#include "tui_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum EntryKind {
    ENTRY_COMMAND,
    ENTRY_VERB,
    ENTRY_PANE,
    ENTRY_DATASET,
    ENTRY_RUN,
    ENTRY_THEME
} EntryKind;

typedef struct Entry {
    EntryKind kind;
    char name[80], about[120];
    char keys[24];
    int64_t id; /* the command, the run */
    int score;
} Entry;

typedef struct Palette {
    Overlay overlay;
    LineEdit filter;
    VEC(Entry) all;
    size_t *shown, count;
    size_t at, top;
    int rows;
} Palette;

enum { ZONE_ENTRY = 1, PALETTE_RUN = PANE_COMMANDS, PALETTE_LEAVE };
static const KeyRow palette_keys[] = {
    {PALETTE_RUN, "run", "Enter", "do it", "do what is chosen", 0},
    {PALETTE_LEAVE, "leave", "Esc", "leave", "do nothing", 0},
    {UI_DOWN, "down", "Down", "next", "the next one", 0},
    {0}};

#define RECENT_MOST 12

static const char *const kind_names[] = {"key", "command", "pane", "data", "run", "theme"};

static Entry *add(Palette *p, EntryKind kind, const char *name, const char *about)
{
    Entry e = {.kind = kind};
    snprintf(e.name, sizeof e.name, "%s", name);
    snprintf(e.about, sizeof e.about, "%s", about ? about : "");
    vec_add(&p->all, e);
    return vec_last(&p->all);
}

static void add_theme(void *context, const char *name, const char *about)
{
    add(context, ENTRY_THEME, name, about);
}

static void add_rows(Palette *p, const KeyRow *rows, bool frame)
{
    for (const KeyRow *r = rows; r && r->command; r++) {
        if (frame && r->command <= UI_COPY && r->command != UI_UNDO && r->command != UI_REDO)
            continue; /* motions are no use from here */
        Entry *e = add(p, ENTRY_COMMAND, r->name, r->help);
        snprintf(e->keys, sizeof e->keys, "%s", r->keys);
        e->id = r->command;
    }
}

/* ---- what was used of late: kept with the workspace, newest first, a line each --------------------------- */

static void recent_load(Ui *ui)
{
    const char *known = ui_setting(ui, "recent");
    if (ui->recent.count || !known)
        return;
    char *copy = text_copy(known), *rest = copy;
    for (char *name; (name = strsep(&rest, "\n")) && ui->recent.count < RECENT_MOST;)
        if (*name) {
            Recent r;
            snprintf(r.name, sizeof r.name, "%s", name);
            vec_add(&ui->recent, r);
        }
    mem_free(copy);
}

static void recent_keep(Ui *ui)
{
    Text all = {0};
    for (size_t i = 0; i < ui->recent.count; i++)
        text_printf(&all, "%s\n", ui->recent.at[i].name);
    ui_set_setting(ui, "recent", text_str(&all));
    text_release(&all);
}

/* "command train" and "pane train" are two things. */
static void recent_name(const Entry *e, Recent *into)
{
    snprintf(into->name, sizeof into->name, "%s %.70s", kind_names[e->kind], e->name);
}

static void collect(Palette *p, const Ui *ui)
{
    const Snapshot *s = ui_snapshot(ui);
    add_rows(p, ui_keys(ui), false);
    for (size_t i = 0; i < ui->pane_count; i++) {
        Entry *e = add(p, ENTRY_PANE, panes[i]->name, panes[i]->about);
        snprintf(e->keys, sizeof e->keys, "%zu", i + 1);
    }
    for (size_t i = 0; commands[i]; i++)
        if (!commands[i]->hidden)
            add(p, ENTRY_VERB, commands[i]->name, commands[i]->about);
    for (size_t i = 0; i < s->datasets; i++) {
        char about[120];
        snprintf(about, sizeof about, "%lld rows, %lld columns, %.8s",
                 (long long)s->dataset[i].rows, (long long)s->dataset[i].columns,
                 s->dataset[i].hash);
        add(p, ENTRY_DATASET, s->dataset[i].name, about);
    }
    for (size_t i = 0; i < s->runs && i < 500; i++) {
        char about[120];
        snprintf(about, sizeof about, "%s on %s, %s", s->run[i].family, s->run[i].dataset_name,
                 run_status_name(s->run[i].status));
        add(p, ENTRY_RUN, s->run[i].name, about)->id = s->run[i].id;
    }
    theme_list(add_theme, p);
    add_rows(p, ui->keymap.frame, true);
}

static int recency(const Ui *ui, const Entry *e)
{
    Recent r;
    recent_name(e, &r);
    for (size_t i = 0; i < ui->recent.count; i++)
        if (text_equal(ui->recent.at[i].name, r.name))
            return 40 - (int)i * 4 > 0 ? 40 - (int)i * 4 : 0;
    return 0;
}

static void filter(Palette *p, const Ui *ui)
{
    const char *want = line_text(&p->filter);
    p->count = 0;
    for (size_t i = 0; i < p->all.count; i++) {
        Entry *e = &p->all.at[i];
        char both[224];
        int name = fuzzy_score(want, e->name);
        snprintf(both, sizeof both, "%s %s %s", e->name, kind_names[e->kind], e->about);
        int whole = fuzzy_score(want, both);
        if (name < 0 && whole < 0)
            continue;
        e->score = (name >= 0 ? name + 40 : whole / 2) + recency(ui, e);
        size_t k = p->count++;
        for (; k > 0 && p->all.at[p->shown[k - 1]].score < e->score; k--)
            p->shown[k] = p->shown[k - 1];
        p->shown[k] = i;
    }
    p->at = p->top = 0;
}

static void palette_layout(Overlay *o, const Ui *ui, int rows, int cols)
{
    (void)ui;
    (void)cols;
    Palette *p = (Palette *)o;
    p->rows = rows - 10 < 18 ? rows - 10 : 18;
    p->rows = p->rows < 3 ? 3 : p->rows;
    if (p->at < p->top)
        p->top = p->at;
    if (p->at >= p->top + (size_t)p->rows)
        p->top = p->at - (size_t)p->rows + 1;
}

static void palette_draw(const Overlay *o, const Canvas *screen, const Ui *ui)
{
    (void)ui;
    const Palette *p = (const Palette *)o;
    char note[40];
    snprintf(note, sizeof note, "%zu of %zu", p->count, p->all.count);
    Canvas in = overlay_box(screen, p->rows + 4, 96, "Find anything", note);
    int x = canvas_put(&in, 0, 1, style_on(STYLE_ACCENT, STYLE_POPUP), glyph(&in, GLYPH_RIGHT)) + 2;
    line_draw(&p->filter, &in, 0, x, in.cols - x - 1, STYLE_INPUT, SIZE_MAX);
    for (int y = 0; y < p->rows && p->top + (size_t)y < p->count; y++) {
        size_t i = p->top + (size_t)y;
        const Entry *e = &p->all.at[p->shown[i]];
        bool here = i == p->at;
        Style ground = here ? STYLE_POPUP_CURSOR : STYLE_POPUP;
        canvas_fill_part(&in, y + 2, 0, 1, in.cols, ground);
        canvas_field(&in, y + 2, 1, 8, ALIGN_LEFT, here ? ground : STYLE_POPUP_DIM,
                     kind_names[e->kind]);
        int name = in.cols >= 84 ? 24 : 18;
        canvas_field(&in, y + 2, 9, name, ALIGN_LEFT, ground, e->name);
        int keys = in.cols >= 84 ? 14 : in.cols >= 60 ? 8 : 0;
        canvas_field(&in, y + 2, 10 + name, in.cols - 11 - name - keys, ALIGN_LEFT,
                     here ? ground : STYLE_POPUP_DIM, e->about);
        if (keys)
            canvas_field(&in, y + 2, in.cols - keys, keys - 1, ALIGN_RIGHT,
                         here ? ground : style_on(STYLE_HINT_KEY, STYLE_POPUP), e->keys);
        canvas_zone(&in, y + 2, 0, 1, in.cols, ZONE_ENTRY, (int64_t)i);
    }
    if (!p->count)
        canvas_put(&in, 2, 1, STYLE_POPUP_DIM, "nothing has these letters");
}

static void remember(Ui *ui, const Entry *e)
{
    Recent r;
    recent_name(e, &r);
    size_t k = 0;
    for (size_t i = 0; i < ui->recent.count; i++)
        if (!text_equal(ui->recent.at[i].name, r.name))
            ui->recent.at[k++] = ui->recent.at[i];
    ui->recent.count = k;
    vec_add(&ui->recent, r);
    memmove(ui->recent.at + 1, ui->recent.at, (ui->recent.count - 1) * sizeof r);
    ui->recent.at[0] = r;
    if (ui->recent.count > RECENT_MOST)
        ui->recent.count = RECENT_MOST;
    recent_keep(ui);
}

static void run_entry(Palette *p, Ui *ui)
{
    if (!p->count)
        return;
    Entry e = p->all.at[p->shown[p->at]];
    overlay_close(ui, p);
    remember(ui, &e);
    char line[100];
    UndoFor undo;
    switch (e.kind) {
    case ENTRY_COMMAND:
        ui_do(ui, (int)e.id);
        break;
    case ENTRY_VERB:
        snprintf(line, sizeof line, "%s ", e.name);
        prompt_open(ui, line);
        break;
    case ENTRY_PANE:
        ui_go(ui, e.name);
        break;
    case ENTRY_DATASET:
        ui_choose_dataset(ui, e.name);
        ui_go(ui, "data");
        break;
    case ENTRY_RUN:
        ui_choose_run(ui, e.id);
        ui_go(ui, "train");
        break;
    case ENTRY_THEME:
        undo = undo_for(ui, "the theme");
        theme_line(ui, e.name, &undo);
        break;
    }
}

static void palette_key(Overlay *o, Key key, Ui *ui)
{
    Palette *p = (Palette *)o;
    bool changed;
    if (key == NKEY_ENTER)
        run_entry(p, ui);
    else if (key == NKEY_ESC || key == (KEY_CTRL | 'c') || key == (KEY_CTRL | 'g'))
        overlay_close(ui, p);
    else if (key == NKEY_DOWN || key == (KEY_CTRL | 'n') || key == NKEY_TAB)
        p->at = p->count ? (p->at + 1) % p->count : 0;
    else if (key == NKEY_UP || key == (KEY_CTRL | 'p') || key == (NKEY_TAB | KEY_SHIFT))
        p->at = p->count ? (p->at + p->count - 1) % p->count : 0;
    else if (key == NKEY_PGDN)
        p->at = p->at + (size_t)p->rows < p->count ? p->at + (size_t)p->rows
                : p->count                         ? p->count - 1
                                                   : 0;
    else if (key == NKEY_PGUP)
        p->at = p->at > (size_t)p->rows ? p->at - (size_t)p->rows : 0;
    else if (line_key(&p->filter, key, &changed) && changed)
        filter(p, ui);
}

static void palette_mouse(Overlay *o, const Mouse *m, Ui *ui)
{
    Palette *p = (Palette *)o;
    if (m->kind >= MOUSE_WHEEL_UP) {
        palette_key(o, m->kind == MOUSE_WHEEL_UP ? NKEY_UP : NKEY_DOWN, ui);
    } else if (m->id == ZONE_ENTRY && (size_t)m->index < p->count) {
        p->at = (size_t)m->index;
        run_entry(p, ui);
    }
}

static void palette_destroy(Overlay *o)
{
    Palette *p = (Palette *)o;
    line_release(&p->filter);
    vec_release(&p->all);
    mem_free(p->shown);
}

static const OverlayKind palette_kind = {.text = true,
                                         .name = "palette",
                                         .size = sizeof(Palette),
                                         .layout = palette_layout,
                                         .draw = palette_draw,
                                         .on_key = palette_key,
                                         .on_mouse = palette_mouse,
                                         .destroy = palette_destroy,
                                         .keys = palette_keys};

void palette_open(Ui *ui)
{
    Palette *p = overlay_open(ui, &palette_kind);
    recent_load(ui);
    collect(p, ui);
    p->shown = mem_alloc((p->all.count + 1) * sizeof *p->shown);
    filter(p, ui);
}
