/* theme_choose.c -- the themes, each tried as the cursor comes to it, with a sample of what they colour. */
#include "chart.h"
#include "tui_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct ThemeName {
    char name[48], about[100];
} ThemeName;

typedef struct Chooser {
    Overlay overlay;
    VEC(ThemeName) theme;
    size_t at;
    char before[48];
} Chooser;

enum { ZONE_THEME = 1, CHOOSER_TAKE = PANE_COMMANDS, CHOOSER_LEAVE };
static const KeyRow chooser_keys[] = {{UI_DOWN, "down", "j Down T", "next", "the next theme", 0},
                                      {UI_UP, "up", "k Up", "before", "the theme before", 0},
                                      {CHOOSER_TAKE, "take", "Enter", "keep", "keep this theme", 0},
                                      {CHOOSER_LEAVE, "leave", "Esc q", "leave", "as it was before", 0},
                                      {0}};

static void add_theme(void *context, const char *name, const char *about)
{
    Chooser *c = context;
    ThemeName t = {0};
    snprintf(t.name, sizeof t.name, "%s", name);
    snprintf(t.about, sizeof t.about, "%s", about);
    vec_add(&c->theme, t);
}

static void sample_words(const Canvas *c, int row)
{
    static const struct {
        Style style;
        const char *word;
    } words[] = {{STYLE_PLAIN, "plain"}, {STYLE_DIM, "dim"}, {STYLE_STRONG, "strong"}, {STYLE_ACCENT, "accent"},
                 {STYLE_GOOD, "good"},   {STYLE_WARN, "warn"}, {STYLE_BAD, "bad"},     {STYLE_INFO, "info"},
                 {STYLE_KEYWORD, "keyword"}, {STYLE_STRING, "'text'"}, {STYLE_MATCH, "match"},
                 {STYLE_MARK, "mark"},   {STYLE_ROLE_TARGET, "target"}, {STYLE_EVENT, "event"}};
    int col = 1;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (col + (int)strlen(words[i].word) > c->cols - 1)
            col = 1, row++;
        col += canvas_put(c, row, col, words[i].style, words[i].word) + 2;
    }
}

static void sample_curves(const Canvas *c)
{
    enum { N = 60 };
    double x[N], a[N], b[N];
    for (int i = 0; i < N; i++) {
        x[i] = i;
        a[i] = exp(-i / 20.0) + 0.05 * sin(i * 1.3);
        b[i] = 0.2 + 0.9 * exp(-i / 16.0);
    }
    ChartSeries series[] = {{.name = "validation", .style = STYLE_VALID, .x = x, .y = b, .n = N},
                            {.name = "train", .style = STYLE_TRAIN, .x = x, .y = a, .n = N}};
    ChartTick tick = {.x = 40, .label = "best", .style = STYLE_GOOD};
    chart_draw(c, &(Chart){.series = series, .count = 2, .ticks = &tick, .tick_count = 1, .x_name = "step"});
}

static void chooser_draw(const Overlay *o, const Canvas *screen, const Ui *ui)
{
    (void)ui;
    const Chooser *d = (const Chooser *)o;
    Canvas in = overlay_box(screen, screen->rows < 28 ? screen->rows - 4 : 24, 92, "Themes", "Enter keeps, Esc leaves");
    int left = 20, n = (int)d->theme.count;
    for (int i = 0; i < n && i < in.rows; i++) {
        bool here = (size_t)i == d->at;
        canvas_field(&in, i, 0, left, ALIGN_LEFT, here ? STYLE_POPUP_CURSOR : STYLE_POPUP, "");
        canvas_field(&in, i, 1, left - 2, ALIGN_LEFT, here ? STYLE_POPUP_CURSOR : STYLE_POPUP, d->theme.at[i].name);
        canvas_zone(&in, i, 0, 1, left, ZONE_THEME, i);
    }
    Canvas sample = canvas_part(&in, 0, left + 1, in.rows, in.cols - left - 1);
    canvas_fill(&sample, STYLE_PLAIN);
    canvas_field(&sample, 0, 1, sample.cols - 2, ALIGN_LEFT, STYLE_TITLE, d->theme.at[d->at].about);
    sample_words(&sample, 2);
    canvas_fill_part(&sample, 5, 1, 1, sample.cols - 2, STYLE_CURSOR);
    canvas_put(&sample, 5, 2, style_on(STYLE_STRONG, STYLE_CURSOR), "the row under the cursor");
    for (uint64_t i = 0; i < SERIES_COLOURS; i++)
        canvas_printf(&sample, 6, 1 + (int)i * 4, style_series(i), "%s%d", glyph(&sample, GLYPH_MARK), (int)i + 1);
    Canvas box = canvas_part(&sample, 7, 0, sample.rows - 7, sample.cols);
    Canvas plot = canvas_box(&box, STYLE_BORDER_ACTIVE, "Loss", "log");
    sample_curves(&plot);
}

static void note_theme(Ui *ui, const char *before, const UndoFor *undo)
{
    char back[100];
    snprintf(back, sizeof back, "theme %.80s", before);
    if (!text_equal(before, ui->theme.name))
        undo_take(ui, undo, back);
}

void theme_line(Ui *ui, const char *name, const UndoFor *undo)
{
    char before[100];
    snprintf(before, sizeof before, "%s", ui->theme.name);
    ui_theme(ui, name);
    note_theme(ui, before, undo);
}

static void try_theme(Chooser *d, size_t at, Ui *ui)
{
    d->at = at;
    ui_theme(ui, d->theme.at[at].name);
}

static void chooser_key(Overlay *o, Key key, Ui *ui)
{
    Chooser *d = (Chooser *)o;
    const KeyRow *row = key_find(chooser_keys, key, 1, false);
    size_t n = d->theme.count;
    UndoFor undo;
    if (!row && key != (KEY_CTRL | 'c'))
        return;
    switch (row ? row->command : CHOOSER_LEAVE) {
    case UI_DOWN:
        try_theme(d, (d->at + 1) % n, ui);
        break;
    case UI_UP:
        try_theme(d, (d->at + n - 1) % n, ui);
        break;
    case CHOOSER_TAKE:
        ui_say(ui, STYLE_INFO, "theme %s: %s", ui->theme.name, ui->theme.about);
        undo = undo_for(ui, "the theme");
        note_theme(ui, d->before, &undo);
        overlay_close(ui, d);
        break;
    default:
        ui_theme(ui, d->before);
        overlay_close(ui, d);
    }
}

static void chooser_mouse(Overlay *o, const Mouse *m, Ui *ui)
{
    Chooser *d = (Chooser *)o;
    if (m->kind >= MOUSE_WHEEL_UP)
        chooser_key(o, m->kind == MOUSE_WHEEL_UP ? 'k' : 'j', ui);
    else if (m->id == ZONE_THEME && (size_t)m->index < d->theme.count)
        try_theme(d, (size_t)m->index, ui);
}

static void chooser_destroy(Overlay *o)
{
    vec_release(&((Chooser *)o)->theme);
}

static const OverlayKind chooser_kind = {.name = "themes",
                                         .size = sizeof(Chooser),
                                         .draw = chooser_draw,
                                         .on_key = chooser_key,
                                         .on_mouse = chooser_mouse,
                                         .destroy = chooser_destroy,
                                         .keys = chooser_keys};

void theme_choose(Ui *ui)
{
    Chooser *d = overlay_open(ui, &chooser_kind);
    theme_list(add_theme, d);
    snprintf(d->before, sizeof d->before, "%s", ui->theme.name);
    for (size_t i = 0; i < d->theme.count; i++)
        if (text_equal(d->theme.at[i].name, ui->theme.name))
            d->at = i;
}
