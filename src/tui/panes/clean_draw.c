/* clean_draw.c -- the rules, in colours, with what they do; the one being typed. */
#include "clean_int.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a rule in colours ------------------------------------------------------------------------------------------ */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (c & 0x80);
}

/* How many letters at the start of the text name the kind of rule: "drop missing", "clip". */
static size_t keyword_length(const char *text)
{
    size_t best = strcspn(text, " ");
    for (size_t i = 0; i < rule_kinds(); i++) {
        size_t n = strlen(rule_kind(i)->name);
        if (n > best && !strncmp(text, rule_kind(i)->name, n) && (!text[n] || text[n] == ' '))
            best = n;
    }
    return best;
}

void clean_draw_rule(const Canvas *c, int row, int col, int width, const char *text,
                           Style ground, bool on)
{
    static const char *const words[] = {"between", "and",  "or",   "not",    "in",
                                        "like",    "is",   "null", "case",   "when",
                                        "then",    "else", "end",  "mostly", "where"};
    Style plain = style_on(on ? STYLE_PLAIN : STYLE_MISSING, ground);
    canvas_field(c, row, col, width, ALIGN_LEFT, plain, text);
    if (!on)
        return;
    Canvas box = canvas_part(c, row, col, 1, width);
    size_t keyword = keyword_length(text);
    canvas_restyle(&box, 0, 0, (int)utf8_width(text, keyword), style_on(STYLE_KEYWORD, ground));
    for (size_t i = keyword; text[i];) {
        size_t n = 1;
        Style style = STYLE_PLAIN;
        if (text[i] == '"' || text[i] == '\'') {
            while (text[i + n] && text[i + n] != text[i])
                n++;
            n += text[i + n] != 0;
            style = STYLE_STRING;
        } else if (is_word(text[i])) {
            while (is_word(text[i + n]))
                n++;
            style = isdigit((unsigned char)text[i]) ? STYLE_NUMBER
                    : text[i + n] == '('            ? STYLE_INFO
                                                    : STYLE_PLAIN;
            for (size_t w = 0; w < sizeof words / sizeof *words; w++)
                if (strlen(words[w]) == n && !strncmp(text + i, words[w], n))
                    style = STYLE_KEYWORD;
        }
        if (style != STYLE_PLAIN)
            canvas_restyle(&box, 0, (int)utf8_width(text, i), (int)utf8_width(text + i, n),
                           style_on(style, ground));
        i += n;
    }
}

/* ---- the list of rules ---------------------------------------------------------------------------------------------- */

/* Of rule i; effects count only the rules that are on. */
const RuleEffect *clean_effect(const CleanState *s, size_t i)
{
    size_t k = 0;
    for (size_t r = 0; r < i; r++)
        k += recipe_is_on(s->recipe, r);
    if (!recipe_is_on(s->recipe, i) || !s->effect || s->effect->rules == 0)
        return NULL;
    if (s->effect->rules == recipe_count(s->recipe)) /* the report numbers all rules */
        k = i;
    return k < s->effect->rules ? &s->effect->effect[k] : NULL;
}

/* A rule that leaves every row as it is, and does something all the same. */
static bool about_columns(const char *rule)
{
    static const char *const names[] = {"drop column ", "keep column ", "rename "};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strncmp(rule, names[i], strlen(names[i])))
            return true;
    return false;
}

/* The effect of rule i in a few letters. */
static void add_effect(const CleanState *s, size_t i, Text *t, Style *style)
{
    *style = STYLE_DIM;
    if (!recipe_is_on(s->recipe, i)) {
        text_puts(t, "off");
        return;
    }
    const RuleEffect *e = clean_effect(s, i);
    if (!e)
        return;
    if (e->failed) {
        text_add_count(t, (double)e->failed);
        text_puts(t, " fail");
        *style = STYLE_BAD;
    } else if (e->rows_out < e->rows_in) {
        text_puts(t, "-");
        text_add_count(t, (double)(e->rows_in - e->rows_out));
        text_puts(t, " rows");
        *style = (double)e->rows_out < 0.8 * (double)e->rows_in ? STYLE_WARN : STYLE_MARK;
    } else if (e->touched) {
        text_puts(t, "~");
        text_add_count(t, (double)e->touched);
        *style = STYLE_INFO;
    } else {
        text_puts(t, about_columns(recipe_rule(s->recipe, i)) ? "columns" : "no effect");
    }
}

static int draw_rule(const CleanState *s, const Canvas *c, int row, size_t i, bool under)
{
    Style ground = under ? STYLE_CURSOR : STYLE_PLAIN;
    bool on = recipe_is_on(s->recipe, i);
    Text effect = {0};
    Style style;
    add_effect(s, i, &effect, &style);
    int width = c->cols >= 60 ? 16 : 12;
    canvas_fill_part(c, row, 0, 1, c->cols, ground);
    canvas_printf(c, row, 0, style_on(STYLE_DIM, ground), "%3zu", i + 1);
    canvas_put(c, row, 4, style_on(on ? STYLE_GOOD : STYLE_MISSING, ground),
               glyph(c, on ? GLYPH_BULLET : GLYPH_RING));
    clean_draw_rule(c, row, 6, c->cols - 6 - width - 1, recipe_rule(s->recipe, i), ground, on);
    canvas_field(c, row, c->cols - width, width - 1, ALIGN_RIGHT, style_on(style, ground),
                 text_str(&effect));
    canvas_zone(c, row, 0, 1, c->cols, CLEAN_ZONE_RULES, (int64_t)i);
    text_release(&effect);
    return row + 1;
}

/* Of "line 2, column 7: no column X": what is left when that line of the recipe is the one that is typed; NULL
 * when the message is about another rule. */
static const char *about_line(const Error *e, size_t typed)
{
    unsigned long line;
    int n = 0;
    if (sscanf(e->text, "line %lu%n", &line, &n) != 1 || !n)
        return e->text;
    return line == typed ? e->text + n + strspn(e->text + n, ",: ") : NULL;
}

/* The byte from which the typed rule is wrong; SIZE_MAX if the message does not say. */
static size_t bad_place(const Error *e, size_t typed)
{
    const char *text = e->kind == ERROR_NONE ? NULL : about_line(e, typed);
    unsigned long column;
    return text && sscanf(text, "column %lu", &column) == 1 && column > 0 ? column - 1 : SIZE_MAX;
}

/* The usage of the kind of rule being typed, or the kinds there are. */
static void draw_usage(const CleanState *s, const Canvas *c, int row)
{
    const char *text = line_text(&s->line);
    text += strspn(text, " ");
    size_t n = keyword_length(text), best = 0;
    const RuleKind *found = NULL;
    for (size_t i = 0; i < rule_kinds() && n; i++) {
        size_t k = strlen(rule_kind(i)->name);
        if (k >= best && k <= n && !strncmp(text, rule_kind(i)->name, k)) {
            found = rule_kind(i);
            best = k;
        }
    }
    char line[300];
    if (found)
        snprintf(line, sizeof line, "%s  %s  %s", found->usage, glyph(c, GLYPH_DOT), found->about);
    else
        snprintf(line, sizeof line,
                 "Tab shows the rules; for example: drop missing COLUMN, clip COLUMN 0 60");
    canvas_field(c, row, 6, c->cols - 7, ALIGN_LEFT, STYLE_DIM, line);
}

static int draw_editor(const CleanState *s, const Canvas *c, int row)
{
    canvas_fill_part(c, row, 0, 1, c->cols, STYLE_INPUT);
    canvas_put(c, row, 3, style_on(STYLE_ACCENT, STYLE_INPUT), glyph(c, GLYPH_RIGHT));
    line_draw(&s->line, c, row, 6, c->cols - 7, STYLE_INPUT, bad_place(&s->error, s->typed_line));
    canvas_fill_part(c, row + 1, 0, 1, c->cols, STYLE_PLAIN);
    if (s->error.kind != ERROR_NONE && *line_text(&s->line)) {
        int x = 4 + canvas_put(c, row + 1, 4, STYLE_BAD, glyph(c, GLYPH_CROSS));
        const char *own = about_line(&s->error, s->typed_line);
        canvas_field(c, row + 1, x + 1, c->cols - x - 2, ALIGN_LEFT, STYLE_BAD,
                     own ? own : s->error.text);
    } else {
        draw_usage(s, c, row + 1);
    }
    return row + 2;
}

static void draw_empty(const CleanState *s, const Canvas *c)
{
    int row = 1;
    row += canvas_wrap(c, row, 2, c->cols - 4, STYLE_PLAIN,
                       "No rules yet. A recipe is text, one rule a line:");
    static const char *const lines[][2] = {{"a", "write a rule"},
                                           {"p", "pick a kind of rule, with its usage"},
                                           {"e", "read a recipe file"}};
    for (size_t i = 0; i < 3; i++) {
        canvas_put(c, row + 1 + (int)i, 2, STYLE_HINT_KEY, lines[i][0]);
        canvas_put(c, row + 1 + (int)i, 5, STYLE_PLAIN, lines[i][1]);
    }
    row += 5;
    size_t n = clean_suggestions(s);
    if (n && c->rows - row < 3) { /* no room for them: how many there are */
        canvas_put(c, row - 1, 2, STYLE_HINT_KEY, "s");
        canvas_printf(c, row - 1, 5, STYLE_PLAIN, "what the data ask for (%zu)", n);
    }
    if (!n || c->rows - row < 3)
        return;
    canvas_put(c, row++, 2, STYLE_TITLE, "The data ask for");
    canvas_put(c, row - 1, 20, STYLE_HINT_KEY, "s");
    canvas_put(c, row - 1, 22, STYLE_DIM, "takes them one by one");
    for (size_t i = 0; i < n && row < c->rows; i++, row++) {
        const Suggestion *one = &s->suggestions->list.at[i];
        int half = c->cols > 70 ? 36 : c->cols - 4;
        clean_draw_rule(c, row, 2, half, one->rule, STYLE_PLAIN, true);
        if (c->cols > 70)
            canvas_field(c, row, 40, c->cols - 41, ALIGN_LEFT, STYLE_DIM, one->why);
    }
}

static void draw_foot(const CleanState *s, const Canvas *c)
{
    int row = c->rows - 1;
    canvas_hline(c, row - 1, 0, c->cols, STYLE_BORDER);
    if (s->effect_error.kind != ERROR_NONE) {
        int x = 1 + canvas_put(c, row, 1, STYLE_BAD, glyph(c, GLYPH_CROSS));
        canvas_field(c, row, x + 1, c->cols - x - 2, ALIGN_LEFT, STYLE_BAD, s->effect_error.text);
    } else if (s->effect) {
        Text t = {0};
        text_add_count(&t, (double)s->effect->rows_out);
        int x = 1 + canvas_put(c, row, 1, STYLE_STRONG, text_str(&t));
        text_reset(&t);
        text_puts(&t, " of ");
        text_add_count(&t, (double)s->effect->rows_in);
        text_puts(&t, " rows left");
        x += canvas_put(c, row, x, STYLE_DIM, text_str(&t)) + 2;
        double share =
            s->effect->rows_in ? (double)s->effect->rows_out / (double)s->effect->rows_in : 0;
        if (c->cols - x > 8)
            chart_bar(c, row, x, c->cols - x - 1 < 30 ? c->cols - x - 1 : 30, share, STYLE_BAR,
                      STYLE_BAR_BACK);
        text_release(&t);
    } else {
        canvas_put(c, row, 1, STYLE_DIM, "measuring ...");
    }
}

void clean_draw_rules(const CleanState *s, const Canvas *c, const Ui *ui)
{
    (void)ui;
    size_t n = recipe_count(s->recipe);
    if (!n && !s->editing) {
        draw_empty(s, c);
        return;
    }
    int foot = n ? 2 : 0, row = 0, typed = -1;
    Canvas list = canvas_part(c, 0, 0, c->rows - foot, c->cols);
    for (size_t i = s->top; i <= n && row < list.rows; i++) {
        if (s->editing && i == s->at) {
            typed = row;
            row = draw_editor(s, &list, row);
            if (!s->inserting)
                continue;
        }
        if (i < n)
            row = draw_rule(s, &list, row, i, i == s->at && !s->editing);
    }
    if (foot)
        draw_foot(s, c);
    if (typed >= 0)
        line_popup(&s->line, c, typed, 6);
}
