/* form.c -- Param rows as fields: shown, nudged, edited in place; every value goes through param_set. */
#include "widgets.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAME_COLUMNS  18
#define VALUE_COLUMNS 16

/* Rows a field takes on screen: a heading where the group changes. */
static bool has_heading(const FormField *field, size_t i)
{
    return field[i].group && (i == 0 || !text_equal(field[i].group, field[i - 1].group));
}

static size_t row_of(const FormField *field, size_t i)
{
    size_t row = 0;
    for (size_t k = 0; k <= i; k++)
        row += (has_heading(field, k) ? (k ? 2 : 1) : 0) + (k < i);
    return row;
}

void form_layout(Form *f, const FormField *field, size_t n, int rows)
{
    f->rows = rows > 1 ? rows : 1;
    if (f->at >= n)
        f->at = n ? n - 1 : 0;
    if (!n)
        return;
    size_t row = row_of(field, f->at), shown = (size_t)f->rows;
    size_t want = has_heading(field, f->at) ? row - 1 : row;
    if (want < f->top)
        f->top = want;
    if (row + 2 > f->top + shown)
        f->top = row + 2 - shown;
}

static bool is_default(const FormField *f)
{
    Text now = {0}, normal = {0};
    param_get(f->row, f->settings, &now);
    param_default(f->row, &normal);
    bool same = text_equal(text_str(&now), text_str(&normal));
    text_release(&now);
    text_release(&normal);
    return same;
}

/* Where a number stands in its range: a small ruler. */
static void draw_ruler(const Canvas *c, int row, int col, int width, const FormField *f,
                       Style ground)
{
    const Param *p = f->row;
    if ((p->kind != PARAM_KIND_INT && p->kind != PARAM_KIND_REAL) || p->most <= p->least ||
        width < 6)
        return;
    Text t = {0};
    double v;
    param_get(p, f->settings, &t);
    bool ok = text_to_real(text_str(&t), t.count, &v);
    text_release(&t);
    if (!ok)
        return;
    double low = p->least, high = p->most;
    bool log_scale = p->log && high > 0;
    if (log_scale) {
        low = low > 0 ? low : high * 1e-9;
        v = v > low ? log(v / low) / log(high / low) : 0;
    } else {
        v = (v - low) / (high - low);
    }
    int at = (int)lround(v * (width - 1));
    for (int i = 0; i < width; i++)
        canvas_char(c, row, col + i, style_on(i == at ? STYLE_ACCENT : STYLE_GRID, ground),
                    i == at ? (canvas_unicode(c) ? 0x25cf : 'o') : 0x2500);
}

static void draw_field(const Form *f, const FormField *field, size_t i, const Canvas *c, int y,
                       bool active)
{
    bool under = i == f->at;
    Style ground = under ? (active ? STYLE_CURSOR : STYLE_CURSOR_IDLE) : STYLE_PLAIN;
    const FormField *one = &field[i];
    canvas_fill_part(c, y, 0, 1, c->cols, ground);
    bool normal = is_default(one);
    canvas_put(c, y, 1, style_on(STYLE_MARK, ground), normal ? " " : glyph(c, GLYPH_DOT));
    canvas_field(c, y, 2, NAME_COLUMNS, ALIGN_LEFT,
                 style_on(normal ? STYLE_PLAIN : STYLE_STRONG, ground), one->row->name);
    int x = 2 + NAME_COLUMNS + 1;
    if (under && f->editing) {
        int width = c->cols - x - 1 < 40 ? c->cols - x - 1 : 40;
        line_draw(&f->edit, c, y, x, width, STYLE_INPUT, SIZE_MAX);
        return;
    }
    Text value = {0};
    param_get(one->row, one->settings, &value);
    bool pick = one->row->kind == PARAM_KIND_PICK || one->row->kind == PARAM_KIND_BOOL;
    if (pick && under)
        canvas_put(c, y, x - 1, style_on(STYLE_ACCENT, ground), glyph(c, GLYPH_LEFT));
    int w = canvas_field(c, y, x, VALUE_COLUMNS, ALIGN_LEFT,
                         style_on(normal ? STYLE_NUMBER : STYLE_MARK, ground),
                         value.count ? text_str(&value) : "-");
    if (pick && under) {
        int vw = (int)utf8_width(text_str(&value), value.count);
        canvas_put(c, y, x + (vw < w ? vw : w - 1), style_on(STYLE_ACCENT, ground),
                   glyph(c, GLYPH_RIGHT));
    }
    text_release(&value);
    x += VALUE_COLUMNS + 1;
    int ruler = c->cols >= 100 ? 24 : c->cols >= 64 ? 12 : 0;
    if (ruler)
        draw_ruler(c, y, x, ruler, one, ground);
    x += ruler ? ruler + 2 : 0;
    if (c->cols > x + 6)
        canvas_field(c, y, x, c->cols - x - 1, ALIGN_LEFT, style_on(STYLE_DIM, ground),
                     one->row->help);
}

static void draw_foot(const Form *f, const FormField *field, const Canvas *c, int y)
{
    int x = 2 + NAME_COLUMNS + 1;
    canvas_fill_part(c, y, 0, 1, c->cols, STYLE_PLAIN);
    if (f->error.kind != ERROR_NONE) {
        x += canvas_put(c, y, x, STYLE_BAD, glyph(c, GLYPH_CROSS));
        canvas_field(c, y, x + 1, c->cols - x - 2, ALIGN_LEFT, STYLE_BAD, f->error.text);
        return;
    }
    Text range = {0};
    param_range(field[f->at].row, &range);
    if (field[f->at].row->unit && *field[f->at].row->unit)
        text_printf(&range, " %s", field[f->at].row->unit);
    Text normal = {0};
    param_default(field[f->at].row, &normal);
    text_printf(&range, "   default %s", normal.count ? text_str(&normal) : "none");
    canvas_field(c, y, x, c->cols - x - 1, ALIGN_LEFT, STYLE_DIM, text_str(&range));
    text_release(&normal);
    text_release(&range);
}

void form_draw(const Form *f, const FormField *field, size_t n, const Canvas *c, bool active,
               int zone)
{
    int shift = 0; /* the line under the cursor's field pushes the rest down */
    for (size_t i = 0; i < n; i++) {
        int y = (int)row_of(field, i) - (int)f->top + shift;
        if (has_heading(field, i) && y - 1 >= 0) {
            int x = canvas_put(c, y - 1, 1, STYLE_TITLE, field[i].group);
            canvas_hline(c, y - 1, x + 2, c->cols - x - 3, STYLE_GRID);
        }
        if (y >= 0 && y < c->rows) {
            draw_field(f, field, i, c, y, active);
            canvas_zone(c, y, 0, 1, c->cols, zone, (int64_t)i);
        }
        if (i == f->at) {
            if (y + 1 < c->rows && y + 1 >= 0)
                draw_foot(f, field, c, y + 1);
            shift = 1;
        }
    }
    if (f->editing && n) {
        int y = (int)row_of(field, f->at) - (int)f->top;
        line_popup(&f->edit, c, y, 2 + NAME_COLUMNS + 1);
    }
}

Reply form_command(Form *f, const FormField *field, size_t n, int command)
{
    size_t page = f->rows > 2 ? (size_t)f->rows - 2 : 1;
    if (!n)
        return REPLY_IGNORED;
    size_t was = f->at;
    switch (command) {
    case UI_UP:
        f->at -= f->at > 0;
        break;
    case UI_DOWN:
        f->at += f->at + 1 < n;
        break;
    case UI_TOP:
        f->at = 0;
        break;
    case UI_BOTTOM:
        f->at = n - 1;
        break;
    case UI_PAGE_UP:
        f->at = f->at > page ? f->at - page : 0;
        break;
    case UI_PAGE_DOWN:
        f->at = f->at + page < n ? f->at + page : n - 1;
        break;
    case UI_OPEN: {
        Text value = {0};
        param_get(field[f->at].row, field[f->at].settings, &value);
        line_set(&f->edit, text_str(&value));
        text_release(&value);
        f->editing = true;
        f->error = (Error){0};
        return REPLY_DRAW;
    }
    case UI_MARK:
        return form_nudge(f, field, n, 1) ? REPLY_DRAW : REPLY_STAY;
    default:
        return REPLY_IGNORED;
    }
    if (f->at != was)
        f->error = (Error){0};
    return REPLY_DRAW;
}

/* The next of 1, 2, 5, 10, 20 ... above or below v. */
static double step_125(double v, int direction)
{
    static const double step[] = {1, 2, 5, 10};
    double power = pow(10, floor(log10(v) + 1e-9));
    double m = v / power;
    if (direction > 0) {
        for (int i = 0; i < 4; i++)
            if (step[i] > m * (1 + 1e-9))
                return step[i] * power;
        return 20 * power;
    }
    for (int i = 2; i >= 0; i--)
        if (step[i] < m * (1 - 1e-9))
            return step[i] * power;
    return 0.5 * power;
}

static double nudged(const Param *p, double v, int direction)
{
    if (p->log)
        v = v > 0           ? step_125(v, direction)
            : direction > 0 ? (p->least > 0                ? p->least
                               : p->kind == PARAM_KIND_INT ? 1
                                                           : 1e-6)
                            : v;
    else if (p->kind == PARAM_KIND_INT)
        v += direction;
    else {
        double span = p->most - p->least;
        double step = span > 0 && span <= 1 ? 0.05 : span <= 20 ? 0.1 : 1;
        v = round((v + direction * step) / step) * step;
    }
    if (p->kind == PARAM_KIND_INT)
        v = round(v);
    return v < p->least ? p->least : v > p->most ? p->most : v;
}

bool form_nudge(Form *f, const FormField *field, size_t n, int direction)
{
    if (!n)
        return false;
    const FormField *one = &field[f->at];
    const Param *p = one->row;
    Text now = {0}, next = {0};
    param_get(p, one->settings, &now);
    double v;
    if (p->kind == PARAM_KIND_PICK) {
        int count = 0, at = 0;
        for (; p->picks[count]; count++)
            if (text_equal(p->picks[count], text_str(&now)))
                at = count;
        text_puts(&next, p->picks[(at + direction + count) % count]);
    } else if (p->kind == PARAM_KIND_BOOL) {
        bool on = text_equal(text_str(&now), "yes") || text_equal(text_str(&now), "true") ||
                  text_equal(text_str(&now), "1");
        text_puts(&next, on ? "no" : "yes");
    } else if (text_to_real(text_str(&now), now.count, &v)) {
        char text[40];
        snprintf(text, sizeof text, "%.10g", nudged(p, v, direction));
        text_puts(&next, text);
    }
    f->error = (Error){0};
    bool set = next.count && param_set(p, one->settings, text_str(&next), &f->error);
    text_release(&now);
    text_release(&next);
    return set;
}

static void complete_field(void *owner, const char *text, void (*add)(void *, const char *),
                           void *context)
{
    const FormField *one = owner;
    static const char *const bools[] = {"yes", "no", NULL};
    const char *const *words = one->row->kind == PARAM_KIND_PICK   ? one->row->picks
                               : one->row->kind == PARAM_KIND_BOOL ? bools
                                                                   : NULL;
    for (; words && *words; words++)
        if (text_starts(*words, text))
            add(context, *words);
}

Reply form_key(Form *f, const FormField *field, size_t n, Key key, bool *set)
{
    *set = false;
    if (!n || !f->editing)
        return REPLY_IGNORED;
    bool changed;
    if (line_key(&f->edit, key, &changed)) {
        if (changed)
            f->error = (Error){0};
        return REPLY_DRAW;
    }
    switch (key) {
    case NKEY_ENTER:
        f->error = (Error){0};
        if (param_set(field[f->at].row, field[f->at].settings, line_text(&f->edit), &f->error)) {
            f->editing = false;
            *set = true;
        }
        return REPLY_DRAW;
    case NKEY_ESC:
        f->editing = false;
        f->error = (Error){0};
        return REPLY_DRAW;
    case NKEY_TAB:
        line_complete(&f->edit, complete_field, (void *)&field[f->at]);
        return REPLY_DRAW;
    }
    return REPLY_STAY;
}

Reply form_mouse(Form *f, const FormField *field, size_t n, const Mouse *m)
{
    if (m->kind >= MOUSE_WHEEL_UP)
        return form_command(f, field, n, m->kind == MOUSE_WHEEL_UP ? UI_UP : UI_DOWN);
    if (f->editing || m->index < 0 || (size_t)m->index >= n)
        return REPLY_STAY;
    f->at = (size_t)m->index;
    f->error = (Error){0};
    return m->kind == MOUSE_DOUBLE ? form_command(f, field, n, UI_OPEN) : REPLY_DRAW;
}

void form_reset(Form *f, const FormField *field, size_t n)
{
    if (!n)
        return;
    Text normal = {0};
    param_default(field[f->at].row, &normal);
    f->error = (Error){0};
    param_set(field[f->at].row, field[f->at].settings, text_str(&normal), &f->error);
    text_release(&normal);
}

void form_release(Form *f)
{
    line_release(&f->edit);
}
