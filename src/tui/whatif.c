/* whatif.c -- a row as a form over the panes: values at the left, the prediction and what each column does to it at
 * the right; both move with every change. */
#include "whatif_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SLOT_WHATIF = 1, VALUE_MOST = 1000 };
enum {
    WHATIF_EDIT = PANE_COMMANDS, WHATIF_MORE, WHATIF_LESS, WHATIF_RESET, WHATIF_NEXT, WHATIF_BEFORE, WHATIF_STOP, WHATIF_LEAVE
};
static const KeyRow keys[] = {{WHATIF_EDIT, "edit", "Enter", "change", "type another value", 0},
                              {WHATIF_MORE, "more", "+ l Right", "more", "a tenth more; of words the next, of times an hour or a day later", 0},
                              {WHATIF_LESS, "less", "- h Left", "less", "a tenth less; of words the one before, of times an hour or a day earlier", 0},
                              {WHATIF_RESET, "reset", "u", "as it was", "the value of the table again", 0},
                              {WHATIF_NEXT, "next-row", "n", "next row", "the next row of the table", 0},
                              {WHATIF_BEFORE, "row-before", "N", NULL, "the row before", 0},
                              {UI_DOWN, "down", "j Down", NULL, "the next column", 0},
                              {UI_UP, "up", "k Up", NULL, "the column before", 0},
                              {UI_TOP, "top", "g Home", NULL, "the first column", 0},
                              {UI_BOTTOM, "bottom", "G End", NULL, "the last column", 0},
                              {UI_PAGE_UP, "page-up", "PgUp Ctrl-B", NULL, "one page up", 0},
                              {UI_PAGE_DOWN, "page-down", "PgDn Ctrl-F", NULL, "one page down", 0},
                              {WHATIF_STOP, "stop", "Ctrl-C", NULL, "stop scoring", 0},
                              {WHATIF_LEAVE, "leave", "Esc q", "close", "back to the pane", 0},
                              {0}};

static void scored(void *owner, void *result, const Error *err, Ui *ui)
{
    Whatif *w = owner;
    if (result) {
        whatif_answer_free(w->answer);
        w->answer = result;
        w->at = w->at < w->answer->all ? w->at : w->answer->all - 1;
        *w->trouble = 0;
    } else if (err->kind != ERROR_STOP) {
        snprintf(w->trouble, sizeof w->trouble, "%.299s", err->text);
    }
    ui_draw(ui);
}

static void score(Whatif *w)
{
    WhatifAsk *ask = mem_copy(&w->ask, sizeof w->ask);
    for (size_t i = 0; i < ask->changes; i++)
        ask->change[i].value = text_copy(w->ask.change[i].value);
    ui_job(w->ui, (Job){.owner = w, .slot = SLOT_WHATIF, .what = "scoring", .run = whatif_score, .input = ask,
                        .release_input = whatif_ask_free, .done = scored, .release = whatif_answer_free, .quiet = true,
                        .urgent = true});
}

static void forget(Whatif *w, size_t column)
{
    size_t k = 0;
    for (size_t i = 0; i < w->ask.changes; i++)
        if (w->ask.change[i].column == column)
            mem_free(w->ask.change[i].value);
        else
            w->ask.change[k++] = w->ask.change[i];
    w->ask.changes = k;
}

static void change(Whatif *w, size_t column, const char *value)
{
    forget(w, column);
    if (w->ask.changes < WHATIF_MOST && w->answer && strcmp(w->answer->value[column], value) != 0)
        w->ask.change[w->ask.changes++] = (WhatifChange){column, text_copy(value)};
    score(w);
}

/* The column in the line under the cursor; SIZE_MAX: not known yet. */
static size_t column_here(const Whatif *w)
{
    return w->answer && w->at < w->answer->all ? w->answer->order[w->at] : SIZE_MAX;
}

/* A completed word has a blank behind it. */
static void trim(const char *text, char out[VALUE_MOST])
{
    snprintf(out, VALUE_MOST, "%s", text + strspn(text, " "));
    for (size_t n = strlen(out); n && out[n - 1] == ' ';)
        out[--n] = 0;
}

static void typed(void *owner, const char *text, Ui *ui)
{
    Whatif *w = owner;
    (void)ui;
    char value[VALUE_MOST];
    trim(text, value);
    if (w->answer && column_here(w) < w->answer->columns)
        change(w, column_here(w), value);
}

static void complete(void *owner, const char *text, void (*add)(void *, const char *word), void *context)
{
    const Whatif *w = owner;
    size_t column = column_here(w);
    const WhatifWords *words = w->answer && column < w->answer->columns ? &w->answer->words[column] : NULL;
    for (size_t i = 0; words && i < words->n; i++)
        if (strncasecmp(words->word[i], text, strlen(text)) == 0)
            add(context, words->word[i]);
}

static bool check(void *owner, const char *text, Error *err)
{
    const Whatif *w = owner;
    size_t column = column_here(w);
    char value[VALUE_MOST];
    trim(text, value);
    return column == SIZE_MAX || whatif_check(w->answer->name[column], w->answer->type[column], value, err);
}

static void edit(Whatif *w, Ui *ui)
{
    const WhatifAnswer *a = w->answer;
    size_t column = column_here(w);
    if (a && column >= a->columns)
        ui_say(ui, STYLE_INFO, "%s is made by the recipe: change what it is made of", a->name[column]);
    else if (a)
        ui_ask(ui, &(Ask){.title = "What if it were", .label = a->name[column], .initial = a->now[column], .owner = w,
                          .about = a->words[column].n ? "Tab: the usual ones; empty: missing" : "empty: missing",
                          .check = check, .complete = complete, .done = typed});
}

/* The next of the usual words, round and round. */
static bool next_word(const WhatifAnswer *a, size_t column, double by, char text[VALUE_MOST])
{
    const WhatifWords *w = &a->words[column];
    size_t at = 0;
    while (at < w->n && strcmp(w->word[at], a->now[column]) != 0)
        at++;
    if (w->n == 0)
        return false;
    at = at == w->n ? 0 : (at + (by > 0 ? 1 : w->n - 1)) % w->n;
    snprintf(text, VALUE_MOST, "%s", w->word[at]);
    return true;
}

/* An hour, of a date a day. */
static bool next_time(const char *now, bool date, double by, char text[VALUE_MOST])
{
    int64_t t, step = INT64_C(1000000) * (date ? 86400 : 3600);
    Text out = {0};
    if (!time_parse(now, strlen(now), &t))
        return false;
    t += by > 0 ? step : -step;
    if (date)
        date_format((int32_t)((t - (t < 0 ? step - 1 : 0)) / step), &out);
    else
        time_format(t, &out);
    snprintf(text, VALUE_MOST, "%s", text_str(&out));
    text_release(&out);
    return true;
}

static bool next_number(const char *now, bool whole, double by, char text[VALUE_MOST])
{
    double v;
    if (!text_to_real(now, strlen(now), &v))
        return false;
    double step = v != 0 ? fabs(v) * 0.1 : 1;
    step = whole && step < 1 ? 1 : step;
    snprintf(text, VALUE_MOST, whole ? "%.0f" : "%.6g", v + by * step);
    return true;
}

static void nudge(Whatif *w, double by, Ui *ui)
{
    const WhatifAnswer *a = w->answer;
    char text[VALUE_MOST];
    size_t column = column_here(w);
    if (!a)
        return;
    if (column >= a->columns) {
        edit(w, ui); /* which says why not */
        return;
    }
    const char *now = a->now[column];
    ColumnType type = a->type[column];
    bool done = type == COLUMN_TEXT || type == COLUMN_BOOL   ? next_word(a, column, by, text)
                : type == COLUMN_TIME || type == COLUMN_DATE ? next_time(now, type == COLUMN_DATE, by, text)
                                                             : next_number(now, type == COLUMN_INT, by, text);
    if (done)
        change(w, column, text);
    else
        ui_say(ui, STYLE_INFO, "nothing to go on from: Enter types a value");
}

/* ---- keys ------------------------------------------------------------------------------------------------ */

static void go_to_row(Whatif *w, int by)
{
    uint64_t rows = w->answer ? w->answer->rows : 0;
    if (!rows)
        return;
    w->ask.row = (w->ask.row + rows + (by > 0 ? 1 : rows - 1)) % rows;
    while (w->ask.changes)
        forget(w, w->ask.change[0].column);
    score(w);
}

static void whatif_layout(Overlay *o, const Ui *ui, int rows, int cols)
{
    Whatif *w = (Whatif *)o;
    (void)ui;
    (void)cols;
    w->rows = rows - 8 > 3 ? rows - 8 : 3;
    if (w->at < w->top)
        w->top = w->at;
    if (w->at >= w->top + (size_t)w->rows)
        w->top = w->at - (size_t)w->rows + 1;
}

static void move(Whatif *w, int command)
{
    size_t last = w->answer && w->answer->all ? w->answer->all - 1 : 0, page = w->rows > 1 ? (size_t)w->rows - 1 : 1;
    size_t step = command == UI_UP || command == UI_DOWN ? 1 : command == UI_PAGE_UP || command == UI_PAGE_DOWN ? page : last;
    if (command == UI_UP || command == UI_PAGE_UP || command == UI_TOP)
        w->at -= step < w->at ? step : w->at;
    else
        w->at += step < last - w->at ? step : last - w->at;
}

static void stop_scoring(Whatif *w, Ui *ui)
{
    if (!w->answer || !ui_job_running(ui, w, SLOT_WHATIF)) {
        overlay_close(ui, w);
        return;
    }
    ui_job_cancel(ui, w, SLOT_WHATIF);
    snprintf(w->trouble, sizeof w->trouble, "Stopped: the numbers are those of before. The next change scores again.");
}

static void whatif_key(Overlay *o, Key key, Ui *ui)
{
    Whatif *w = (Whatif *)o;
    const KeyRow *row = key_find(keys, key, 1, false);
    switch (row ? row->command : 0) {
    case UI_DOWN:
    case UI_UP:
    case UI_TOP:
    case UI_BOTTOM:
    case UI_PAGE_UP:
    case UI_PAGE_DOWN:
        move(w, row->command);
        break;
    case WHATIF_EDIT:
        edit(w, ui);
        break;
    case WHATIF_MORE:
    case WHATIF_LESS:
        nudge(w, row->command == WHATIF_MORE ? 1 : -1, ui);
        break;
    case WHATIF_RESET:
        forget(w, column_here(w));
        score(w);
        break;
    case WHATIF_NEXT:
    case WHATIF_BEFORE:
        go_to_row(w, row->command == WHATIF_NEXT ? 1 : -1);
        break;
    case WHATIF_STOP:
        stop_scoring(w, ui);
        break;
    case WHATIF_LEAVE:
        overlay_close(ui, w);
        break;
    }
}

static void whatif_mouse(Overlay *o, const Mouse *m, Ui *ui)
{
    Whatif *w = (Whatif *)o;
    if (m->kind >= MOUSE_WHEEL_UP)
        whatif_key(o, m->kind == MOUSE_WHEEL_UP ? NKEY_UP : NKEY_DOWN, ui);
    else if (m->id == ZONE_FIELD)
        w->at = (size_t)m->index;
    if (m->id == ZONE_FIELD && m->kind == MOUSE_DOUBLE)
        edit(w, ui);
}

static void whatif_destroy(Overlay *o)
{
    Whatif *w = (Whatif *)o;
    while (w->ask.changes)
        forget(w, w->ask.change[0].column);
    whatif_answer_free(w->answer);
}

static const OverlayKind whatif_kind = {.name = "what-if",
                                        .size = sizeof(Whatif),
                                        .layout = whatif_layout,
                                        .draw = whatif_draw,
                                        .on_key = whatif_key,
                                        .on_mouse = whatif_mouse,
                                        .destroy = whatif_destroy,
                                        .keys = keys};

void ui_whatif(Ui *ui, int64_t run, uint64_t row)
{
    Whatif *w = overlay_open(ui, &whatif_kind);
    w->ui = ui;
    w->ask.run = run;
    w->ask.row = row;
    score(w);
}
