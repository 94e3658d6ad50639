/* line.c -- a line of text being typed, with completion; and the fuzzy match of names. */
#include "widgets.h"

#include <ctype.h>
#include <string.h>

const char *line_text(const LineEdit *e)
{
    return text_str(&e->text);
}

void line_close(LineEdit *e)
{
    for (size_t i = 0; i < e->words.count; i++)
        mem_free(e->words.at[i]);
    e->words.count = 0;
    e->word = 0;
    e->open = false;
}

void line_set(LineEdit *e, const char *text)
{
    line_close(e);
    text_reset(&e->text);
    text_puts(&e->text, text);
    e->at = e->text.count;
    e->from = 0;
}

void line_release(LineEdit *e)
{
    line_close(e);
    vec_release(&e->words);
    text_release(&e->text);
    text_release(&e->killed);
    *e = (LineEdit){0};
}

/* ---- places in UTF-8 ------------------------------------------------------------------------------------- */

static bool inside(const LineEdit *e, size_t at)
{
    return at < e->text.count && (e->text.at[at] & 0xc0) == 0x80;
}

static size_t left_of(const LineEdit *e, size_t at)
{
    if (at)
        at--;
    while (at && inside(e, at))
        at--;
    return at;
}

static size_t right_of(const LineEdit *e, size_t at)
{
    if (at < e->text.count)
        at++;
    while (inside(e, at))
        at++;
    return at;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (c & 0x80);
}

static size_t word_left(const LineEdit *e, size_t at)
{
    while (at && !is_word(e->text.at[at - 1]))
        at--;
    while (at && is_word(e->text.at[at - 1]))
        at--;
    return at;
}

static size_t word_right(const LineEdit *e, size_t at)
{
    while (at < e->text.count && !is_word(e->text.at[at]))
        at++;
    while (at < e->text.count && is_word(e->text.at[at]))
        at++;
    return at;
}

/* ---- changes ------------------------------------------------------------------------------------------------ */

static void replace(LineEdit *e, size_t from, size_t to, const char *with, size_t n)
{
    Text t = {0};
    text_add(&t, text_str(&e->text), from);
    text_add(&t, with, n);
    text_add(&t, text_str(&e->text) + to, e->text.count - to);
    text_release(&e->text);
    e->text = t;
    e->at = from + n;
}

static void kill_text(LineEdit *e, size_t from, size_t to)
{
    if (from == to)
        return;
    text_reset(&e->killed);
    text_add(&e->killed, e->text.at + from, to - from);
    replace(e, from, to, "", 0);
}

static void insert_code(LineEdit *e, uint32_t c)
{
    char b[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (n == 1) {
        b[0] = (char)c;
    } else {
        b[0] = (char)(n == 2 ? 0xc0 | c >> 6 : n == 3 ? 0xe0 | c >> 12 : 0xf0 | c >> 18);
        for (size_t i = 1; i < n; i++)
            b[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
    }
    replace(e, e->at, e->at, b, n);
}

static void transpose(LineEdit *e)
{
    size_t b = e->at == e->text.count ? left_of(e, e->at) : e->at, a = left_of(e, b),
           end = right_of(e, b);
    if (a == b)
        return;
    Text t = {0};
    text_add(&t, e->text.at + b, end - b);
    text_add(&t, e->text.at + a, b - a);
    replace(e, a, end, t.at, t.count);
    text_release(&t);
}

static void take_word(LineEdit *e)
{
    const char *word = e->words.at[e->word];
    replace(e, e->word_from, e->at, word, strlen(word));
}

/* Keys while candidates are shown; false: they go away and the key means what it always means. */
static bool popup_key(LineEdit *e, Key key, bool *changed)
{
    size_t n = e->words.count;
    switch (key) {
    case NKEY_TAB:
    case NKEY_DOWN:
    case KEY_CTRL | 'n':
        e->word = (e->word + 1) % n;
        return true;
    case NKEY_TAB | KEY_SHIFT:
    case NKEY_UP:
    case KEY_CTRL | 'p':
        e->word = (e->word + n - 1) % n;
        return true;
    case NKEY_ENTER:
        take_word(e);
        *changed = true;
        line_close(e);
        return true;
    case NKEY_ESC:
        line_close(e);
        return true;
    }
    line_close(e);
    return false;
}

static bool move_key(LineEdit *e, Key key)
{
    switch (key) {
    case NKEY_LEFT:
    case KEY_CTRL | 'b':
        e->at = left_of(e, e->at);
        return true;
    case NKEY_RIGHT:
    case KEY_CTRL | 'f':
        e->at = right_of(e, e->at);
        return true;
    case NKEY_HOME:
    case KEY_CTRL | 'a':
        e->at = 0;
        return true;
    case NKEY_END:
    case KEY_CTRL | 'e':
        e->at = e->text.count;
        return true;
    case KEY_ALT | 'b':
    case NKEY_LEFT | KEY_CTRL:
        e->at = word_left(e, e->at);
        return true;
    case KEY_ALT | 'f':
    case NKEY_RIGHT | KEY_CTRL:
        e->at = word_right(e, e->at);
        return true;
    }
    return false;
}

static bool change_key(LineEdit *e, Key key)
{
    size_t end = e->text.count;
    switch (key) {
    case NKEY_BACKSPACE:
        replace(e, left_of(e, e->at), e->at, "", 0);
        return true;
    case NKEY_DELETE:
    case KEY_CTRL | 'd': {
        size_t at = e->at;
        replace(e, at, right_of(e, at), "", 0);
        return true;
    }
    case KEY_CTRL | 'k':
        kill_text(e, e->at, end);
        return true;
    case KEY_CTRL | 'u':
        kill_text(e, 0, e->at);
        return true;
    case KEY_CTRL | 'w': {
        size_t from = e->at;
        while (from && e->text.at[from - 1] == ' ')
            from--;
        while (from && e->text.at[from - 1] != ' ')
            from--;
        kill_text(e, from, e->at);
        return true;
    }
    case NKEY_BACKSPACE | KEY_ALT:
        kill_text(e, word_left(e, e->at), e->at);
        return true;
    case KEY_ALT | 'd':
        kill_text(e, e->at, word_right(e, e->at));
        return true;
    case KEY_CTRL | 'y':
        replace(e, e->at, e->at, text_str(&e->killed), e->killed.count);
        return true;
    case KEY_CTRL | 't':
        transpose(e);
        return true;
    }
    return false;
}

bool line_key(LineEdit *e, Key key, bool *changed)
{
    bool ignored;
    changed = changed ? changed : &ignored;
    *changed = false;
    if (key == NKEY_PASTE_BEGIN || key == NKEY_PASTE_END)
        return true;
    if (e->open && popup_key(e, key, changed))
        return true;
    if (move_key(e, key))
        return true;
    if (change_key(e, key)) {
        *changed = true;
        return true;
    }
    if (!key_is_text(key))
        return false;
    insert_code(e, key);
    *changed = true;
    return true;
}

/* ---- completion ------------------------------------------------------------------------------------------------ */

static void add_word(void *context, const char *word)
{
    LineEdit *e = context;
    for (size_t i = 0; i < e->words.count; i++)
        if (!strcmp(e->words.at[i], word))
            return;
    vec_add(&e->words, text_copy(word));
}

/* Where the word before the cursor begins: the longest tail that all candidates begin with. */
static size_t word_begins(const LineEdit *e)
{
    for (size_t from = 0; from <= e->at; from++) {
        if (inside(e, from) ||
            (from && is_word(e->text.at[from - 1]) && from < e->at && is_word(e->text.at[from])))
            continue;
        bool all = true;
        for (size_t i = 0; i < e->words.count && all; i++)
            all = !strncasecmp(e->words.at[i], e->text.at ? e->text.at + from : "", e->at - from);
        if (all)
            return from;
    }
    return e->at;
}

static size_t common_prefix(const LineEdit *e)
{
    const char *first = e->words.at[0];
    size_t n = strlen(first);
    for (size_t i = 1; i < e->words.count; i++) {
        size_t k = 0;
        while (k < n && first[k] == e->words.at[i][k])
            k++;
        n = k;
    }
    while (n && (first[n] & 0xc0) == 0x80)
        n--;
    return n;
}

void line_complete(LineEdit *e, CompleteFn complete, void *owner)
{
    line_close(e);
    Text head = {0};
    text_add(&head, text_str(&e->text), e->at);
    complete(owner, text_str(&head), add_word, e);
    text_release(&head);
    if (!e->words.count)
        return;
    e->word_from = word_begins(e);
    size_t n = common_prefix(e);
    if (e->words.count == 1 || n > e->at - e->word_from) {
        char *word = text_copy(e->words.at[0]);
        bool only = e->words.count == 1;
        replace(e, e->word_from, e->at, word, n);
        mem_free(word);
        if (only) {
            bool ends = e->at == e->text.count && e->at &&
                        (is_word(e->text.at[e->at - 1]) || strchr("\"`'", e->text.at[e->at - 1]));
            if (ends)
                replace(e, e->at, e->at, " ", 1);
            line_close(e);
            return;
        }
    }
    e->open = true;
}

/* ---- drawing ----------------------------------------------------------------------------------------------------- */

static int place_of_cursor(const LineEdit *e, int width, int *from)
{
    int x = (int)utf8_width(text_str(&e->text), e->at);
    *from = x >= width ? x - width + 1 : 0;
    return x - *from;
}

void line_draw(const LineEdit *e, const Canvas *c, int row, int col, int width, Style style,
               size_t bad)
{
    int from;
    int x = place_of_cursor(e, width, &from);
    const char *text = text_str(&e->text);
    size_t skip = utf8_fit(text, e->text.count, (size_t)from);
    canvas_fill_part(c, row, col, 1, width, style);
    Canvas box = canvas_part(c, row, col, 1, width);
    canvas_put_n(&box, 0, 0, style, text + skip, e->text.count - skip);
    if (bad != SIZE_MAX && bad <= e->text.count) {
        int from_bad = (int)utf8_width(text, bad) - from;
        if (from_bad >= 0)
            canvas_restyle(&box, 0, from_bad, 1 + (int)utf8_width(text + bad, e->text.count - bad),
                           style_on(STYLE_BAD, style & 0xff));
    }
    canvas_cursor(&box, 0, x);
}

void line_popup(const LineEdit *e, const Canvas *c, int row, int col)
{
    if (!e->open || !e->words.count)
        return;
    int width = 0, most = 8;
    for (size_t i = 0; i < e->words.count; i++) {
        int w = (int)utf8_width(e->words.at[i], strlen(e->words.at[i]));
        width = w > width ? w : width;
    }
    width = width > 48 ? 48 : width;
    int n = (int)e->words.count, rows = n < most ? n : most;
    int below = c->rows - row - 1;
    int top = rows <= below || below >= row ? row + 1 : row - rows;
    if (top == row + 1 && rows > below)
        rows = below;
    int x = col + (int)utf8_width(text_str(&e->text), e->word_from) - 1;
    if (x + width + 3 > c->cols)
        x = c->cols - width - 3;
    x = x < 0 ? 0 : x;
    int first = (int)e->word >= rows ? (int)e->word - rows + 1 : 0;
    for (int i = 0; i < rows; i++) {
        bool here = first + i == (int)e->word;
        Style style = here ? STYLE_POPUP_CURSOR : STYLE_POPUP;
        canvas_put(c, top + i, x, style, " ");
        canvas_field(c, top + i, x + 1, width, ALIGN_LEFT, style, e->words.at[first + i]);
        const char *more = n > rows && i == 0 && first                     ? "^"
                           : n > rows && i == rows - 1 && first + rows < n ? "v"
                                                                           : " ";
        canvas_put(c, top + i, x + 1 + width, here ? style : STYLE_POPUP_DIM, more);
    }
}

/* ---- fuzzy ----------------------------------------------------------------------------------------------------------- */

int fuzzy_score(const char *want, const char *have)
{
    int score = 0, run = 0;
    const char *h = have;
    for (; *want; want++) {
        if (*want == ' ')
            continue;
        int w = tolower((unsigned char)*want);
        bool found = false;
        for (; *h; h++) {
            if (tolower((unsigned char)*h) != w) {
                run = 0;
                continue;
            }
            bool begins = h == have || !isalnum((unsigned char)h[-1]);
            score += 1 + (begins ? 8 : 0) + run * 4 + (h == have ? 6 : 0);
            run++;
            h++;
            found = true;
            break;
        }
        if (!found)
            return -1;
    }
    return score * 4 + (int)(64 - (strlen(have) < 64 ? strlen(have) : 64)) / 8;
}
