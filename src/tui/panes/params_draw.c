/* params_draw.c -- what the Params pane looks like: the set-up, the inputs, the form, the command. */
#include "params_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- places ------------------------------------------------------------------------------------------------ */

/* Wide: three columns. Else the set-up at the left and, beside it, what has the keys. */
void params_layout(ParamsState *s, int rows, int cols)
{
    TableSource src = params_columns(s);
    int low = rows >= 30 ? 5 : 4, high = rows - low;
    int left = cols >= 150 ? 46 : cols >= 100 ? 40 : 34;
    int middle = cols >= 150 ? (cols - left) * 2 / 5 : 0;
    s->command = (Box){high, 0, low, cols};
    s->setup = (Box){0, 0, high, left};
    Box rest = {0, left, high, cols - left};
    s->columns = s->hyper = rest;
    if (middle) {
        s->columns.cols = middle;
        s->hyper = (Box){0, left + middle, high, cols - left - middle};
    }
    if (ui_maximised(s->ui)) {
        s->command = (Box){rows, 0, 0, cols};
        s->setup = s->columns = s->hyper = (Box){0, 0, rows, cols};
    }
    table_layout(&s->table, &src, s->columns.rows - 2, s->columns.cols - 2);
    FamilyForm *f = setup_form(s);
    form_layout(&f->form, f->field, f->count, s->hyper.rows - 4);
    text_reset(&s->line);
    if (*s->dataset)
        setup_line(s, &s->line);
}

static Canvas cut(const Canvas *c, const Box *b)
{
    return canvas_part(c, b->row, b->col, b->rows, b->cols);
}

static Style border(const ParamsState *s, Part3 part)
{
    return s->part == part ? STYLE_BORDER_ACTIVE : STYLE_BORDER;
}

/* ---- the set-up ------------------------------------------------------------------------------------------------ */

static void count_text(double v, Text *into)
{
    text_add_count(into, v);
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void value_of(const ParamsState *s, size_t row, Text *into, Style *style)
{
    const DatasetRow *d = snapshot_dataset(ui_snapshot(s->ui), s->dataset);
    *style = STYLE_PLAIN;
    switch (row) {
    case ROW_DATASET:
        text_puts(into, d ? d->name : "none");
        *style = STYLE_STRONG;
        break;
    case ROW_TARGET:
        text_puts(into, *s->target ? s->target : "choose one");
        *style = *s->target ? STYLE_ROLE_TARGET : STYLE_WARN;
        break;
    case ROW_FAMILY:
        text_puts(into, setup_form(s)->family->name);
        *style = STYLE_ACCENT;
        break;
    case ROW_FEATURES:
        text_printf(into, "%zu of %zu columns", setup_inputs(s), s->column.count);
        *style = STYLE_ROLE_FEATURE;
        break;
    case ROW_RECIPE:
        if (s->recipe == RECIPE_DRAFT)
            text_printf(into, "draft, %zu rule%s", s->answer ? s->answer->draft_rules : 0,
                        s->answer && s->answer->draft_rules == 1 ? "" : "s");
        else
            text_puts(into, s->recipe == RECIPE_FILE ? file_name(s->recipe_path) : "none");
        break;
    case ROW_SPLIT:
        text_puts(into, s->split);
        break;
    case ROW_SEED:
        text_printf(into, "%lld", (long long)s->seed);
        break;
    case ROW_NAME:
        text_puts(into, *s->name ? s->name : "made up");
        *style = *s->name ? STYLE_PLAIN : STYLE_DIM;
        break;
    default:
        break;
    }
}

static bool turns(size_t row) /* left and right change it */
{
    return row == ROW_TARGET || row == ROW_FAMILY || row == ROW_RECIPE || row == ROW_SPLIT ||
           row == ROW_SEED;
}

static void draw_row(const ParamsState *s, const Canvas *c, size_t row, int at)
{
    static const char *const names[ROW_COUNT] = {"Dataset", "Target", "Family", "Inputs", "Recipe",
                                                 "Split",   "Seed",   "Name",   ""};
    bool under = s->at == row, keys = s->part == PART_SETUP;
    Style ground = !under ? STYLE_PLAIN : keys ? STYLE_CURSOR : STYLE_CURSOR_IDLE, style;
    Text value = {0};
    value_of(s, row, &value, &style);
    canvas_fill_part(c, at, 0, 1, c->cols, ground);
    canvas_put(c, at, 1, style_on(STYLE_DIM, ground), names[row]);
    bool arrows = under && keys && turns(row);
    int room = c->cols - 13;
    canvas_field(c, at, 11, room, ALIGN_LEFT, style_on(style, ground), text_str(&value));
    if (arrows) {
        int end = 11 + (int)utf8_width(text_str(&value), value.count) + 1;
        canvas_put(c, at, 9, style_on(STYLE_ACCENT, ground), glyph(c, GLYPH_LEFT));
        canvas_put(c, at, end < c->cols - 1 ? end : c->cols - 1, style_on(STYLE_ACCENT, ground),
                   glyph(c, GLYPH_RIGHT));
    }
    canvas_zone(c, at, 0, 1, c->cols, ZONE_SETUP, (int64_t)row);
    text_release(&value);
}

static void draw_button(const ParamsState *s, const Canvas *c, int at)
{
    bool under = s->at == ROW_LAUNCH && s->part == PART_SETUP;
    bool ready = s->answer && !setup_checking(s) && s->answer->error.kind == ERROR_NONE;
    Style style = under ? STYLE_CURSOR : ready ? STYLE_GOOD : STYLE_DIM;
    char text[64];
    snprintf(text, sizeof text, "  %s Launch this run   x  ", glyph(c, GLYPH_RIGHT));
    int width = (int)utf8_width(text, strlen(text));
    canvas_put(c, at, c->cols > width ? (c->cols - width) / 2 : 0, style, text);
    canvas_zone(c, at, 0, 1, c->cols, ZONE_SETUP, ROW_LAUNCH);
}

static void fact(const Canvas *c, int *at, Style style, const char *text)
{
    if (*at < c->rows)
        *at += canvas_wrap(c, *at, 1, c->cols - 2, style, text);
}

/* What the run would be: rows, inputs, size. From the answer of the check; not known yet: not shown. */
static void draw_facts(const ParamsState *s, const Canvas *c, int at)
{
    const DatasetRow *d = snapshot_dataset(ui_snapshot(s->ui), s->dataset);
    const CheckAnswer *a = s->answer;
    const FamilyForm *f = setup_form(s);
    Split split;
    Text t = {0};
    if (!d || !split_parse(s->split, &split, NULL))
        return;
    double rows = (double)d->rows, train = rows * split.share[PART_TRAIN];
    count_text(rows, &t);
    text_puts(&t, " rows, ");
    count_text(round(train), &t);
    text_puts(&t, s->recipe == RECIPE_NONE ? " train" : " train, less what the recipe drops");
    fact(c, &at, STYLE_DIM, text_str(&t));
    text_reset(&t);
    if (a && a->measured) {
        text_printf(&t, "%zu inputs: %zu numbers", a->inputs, a->dense);
        if (a->codes)
            text_printf(&t, ", %zu categories", a->codes);
        text_printf(&t, " %s %s", glyph(c, GLYPH_ARROW), task_name(a->task));
        if (a->classes > 2)
            text_printf(&t, " of %zu", a->classes);
        fact(c, &at, STYLE_DIM, text_str(&t));
        text_reset(&t);
        count_text((double)a->weights, &t);
        text_puts(&t, " weights");
        if (!f->family->whole_batch && f->spec.params.batch > 0) {
            double steps = ceil(train / f->spec.params.batch);
            text_printf(&t, ", %s", glyph(c, GLYPH_APPROX));
            count_text(steps, &t);
            text_puts(&t, " steps an epoch, ");
            count_text(steps * f->spec.params.epochs, &t);
            text_puts(&t, " at most");
        }
        fact(c, &at, STYLE_DIM, text_str(&t));
    }
    text_release(&t);
    at++;
    fact(c, &at, STYLE_ACCENT, f->family->title);
    fact(c, &at, STYLE_DIM, f->family->about);
}

static void draw_setup(const ParamsState *s, const Canvas *c)
{
    Canvas in = canvas_box(c, border(s, PART_SETUP), "Set up", NULL);
    for (size_t row = 0; row < ROW_LAUNCH; row++)
        draw_row(s, &in, row, (int)row);
    int gap = in.rows >= ROW_COUNT + 8 ? 1 : 0;
    draw_button(s, &in, ROW_LAUNCH + gap);
    if (in.rows > ROW_LAUNCH + gap + 2)
        draw_facts(s, &in, ROW_LAUNCH + 2 * gap + 1);
}

/* ---- inputs --------------------------------------------------------------------------------------------------------- */

static const TableColumn column_columns[] = {{.title = "", .width = 2},
                                             {.title = "Column", .width = 28},
                                             {.title = "Type", .width = 9},
                                             {.title = "Why not", .width = 10, .stretch = true}};

static Style column_style(const ParamsState *s, const ColumnChoice *c)
{
    bool in = c->on && !*c->why;
    return strcmp(c->name, s->target) == 0 ? STYLE_ROLE_TARGET
           : in                            ? STYLE_ROLE_FEATURE
                                           : STYLE_ROLE_IGNORE;
}

static bool column_paint(const void *context, uint64_t row, size_t column, const Canvas *cell,
                         Style ground)
{
    const ParamsState *s = context;
    if (column != 0 || row >= s->column.count)
        return false;
    const ColumnChoice *c = &s->column.at[row];
    Glyph g = strcmp(c->name, s->target) == 0 ? GLYPH_TARGET
              : !c->on                        ? GLYPH_DOT
              : *c->why                       ? GLYPH_CROSS
                                              : GLYPH_CHECK;
    canvas_put(cell, 0, 0, style_on(column_style(s, c), ground), glyph(cell, g));
    return true;
}

static void column_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const ParamsState *s = context;
    if (row >= s->column.count)
        return;
    const ColumnChoice *c = &s->column.at[row];
    bool target = strcmp(c->name, s->target) == 0;
    out->style = column_style(s, c);
    if (column == 1)
        text_puts(out->text, c->name);
    else if (column == 2)
        text_puts(out->text, column_type_name(c->type));
    else
        text_puts(out->text, c->why);
    if (column >= 2 && !target)
        out->style = c->on && *c->why && column == 3 ? STYLE_WARN : STYLE_DIM;
}

TableSource params_columns(const ParamsState *s)
{
    return (TableSource){.context = s,
                         .rows = s->column.count,
                         .columns = 4,
                         .column = column_columns,
                         .cell = column_cell,
                         .paint = column_paint,
                         .empty = "No columns yet."};
}

static void draw_columns(const ParamsState *s, const Canvas *c)
{
    TableSource src = params_columns(s);
    char note[64];
    snprintf(note, sizeof note, "%zu of %zu", setup_inputs(s), s->column.count);
    Canvas in = canvas_box(c, border(s, PART_FEATURES), "Inputs", note);
    table_draw(&s->table, &src, &in, s->part == PART_FEATURES, ZONE_COLUMNS);
}

/* ---- hyperparameters ---------------------------------------------------------------------------------------------------- */

static void draw_form(const ParamsState *s, const Canvas *c)
{
    FamilyForm *f = setup_form(s);
    Text title = {0}, changed = {0};
    size_t n = 0;
    setup_changes(f, "\n", &changed);
    for (const char *at = text_str(&changed); *at; at++)
        n += *at == '=';
    text_printf(&title, "Hyperparameters of %s", f->family->name);
    char note[48];
    snprintf(note, sizeof note, n ? "%zu changed" : "defaults", n);
    Canvas in = canvas_box(c, border(s, PART_FORM), text_str(&title), note);
    Canvas form = canvas_part(&in, 0, 0, in.rows - 2, in.cols);
    form_draw(&f->form, f->field, f->count, &form, s->part == PART_FORM, ZONE_FORM);
    if (f->count && in.rows > 4) {
        const Param *row = f->field[f->form.at].row;
        Canvas help = canvas_part(&in, in.rows - 2, 0, 2, in.cols);
        Text say = {0};
        text_printf(&say, "%s: %s%s", row->name, row->help,
                    row->live ? " (may change while it trains)" : "");
        canvas_wrap(&help, 0, 1, help.cols - 2, STYLE_INFO, text_str(&say));
        text_release(&say);
    }
    text_release(&title);
    text_release(&changed);
}

/* ---- the command --------------------------------------------------------------------------------------------------------- */

static void draw_command(const ParamsState *s, const Canvas *c)
{
    bool wrong = s->answer && !setup_checking(s) && s->answer->error.kind != ERROR_NONE;
    bool open = !*s->target;
    const char *title = open                ? "One choice to make"
                        : setup_checking(s) ? "Trying it ..."
                        : wrong             ? "This cannot train"
                                            : "x launches";
    Canvas in = canvas_box(c,
                           open    ? STYLE_WARN
                           : wrong ? STYLE_BAD
                                   : STYLE_BORDER,
                           title, "y copies  E edits it");
    int at = 0;
    if (open)
        at += canvas_wrap(&in, 0, 1, in.cols - 2, STYLE_WARN,
                          "Which column is to be predicted? t lists them.");
    else if (wrong)
        at += canvas_wrap(&in, 0, 1, in.cols - 2, STYLE_BAD, s->answer->error.text);
    if (at < in.rows) {
        int x = 1 + canvas_put(&in, at, 1, STYLE_DIM, ":");
        canvas_wrap(&in, at, x, in.cols - x - 1, STYLE_STRING, text_str(&s->line));
    }
    canvas_zone(c, 0, 0, c->rows, c->cols, ZONE_COMMAND, 0);
}

static void draw_empty(const Canvas *c, bool opening)
{
    const char *lines[] = {opening ? "Opening the dataset ..." : "No dataset chosen", "",
                           "1 lists the datasets; o there opens a file, an address or a folder.",
                           "Or type  :ingest PATH  in any pane."};
    for (size_t i = 0; i < (opening ? 1 : sizeof lines / sizeof *lines); i++)
        canvas_field(c, c->rows / 3 + (int)i, 0, c->cols, ALIGN_CENTRE, i ? STYLE_DIM : STYLE_TITLE,
                     lines[i]);
}

void params_draw(const ParamsState *s, const Canvas *c)
{
    if (!*s->dataset) {
        draw_empty(c, ui_dataset_opening(s->ui));
        return;
    }
    bool three = s->columns.col != s->hyper.col;
    bool one = ui_maximised(s->ui);
    Canvas setup = cut(c, &s->setup), columns = cut(c, &s->columns), form = cut(c, &s->hyper),
           command = cut(c, &s->command);
    if (!one || s->part == PART_SETUP)
        draw_setup(s, &setup);
    if (one ? s->part == PART_FEATURES : three || s->part == PART_FEATURES)
        draw_columns(s, &columns);
    if (one ? s->part == PART_FORM : three || s->part != PART_FEATURES)
        draw_form(s, &form);
    if (!one)
        draw_command(s, &command);
}
