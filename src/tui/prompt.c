/* prompt.c -- `:`, a command line by GNU readline.
 *
 * Readline reads from a queue of bytes that the frame's keys are turned into, and draws nothing; the
 * line is drawn from rl_line_buffer. So history, kill ring, vi or emacs keys and ~/.inputrc are
 * readline's own. Tab is ours: the candidates come from a job (datasets and files are looked up)
 * and open above the line. Readline keeps its state in globals; so does this file, for one prompt. */
#include "tui_int.h"

#include <readline/history.h>
#include <readline/readline.h>

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>
#include <string.h>

enum { SLOT_COMPLETE = 1 };
enum { PROMPT_RUN = PANE_COMMANDS, PROMPT_LEAVE, PROMPT_COMPLETE, PROMPT_HISTORY };
static const KeyRow prompt_keys[] = {
    {PROMPT_RUN, "run", "Enter", "run", "run the command", 0},
    {PROMPT_COMPLETE, "complete", "Tab", "complete", "what may follow", 0},
    {PROMPT_HISTORY, "history", "Up", "history", "earlier lines", 0},
    {PROMPT_LEAVE, "leave", "Esc", "leave", "run nothing", 0},
    {0}};

typedef struct Candidate {
    char *word, *about;
} Candidate;

typedef struct Found {
    VEC(Candidate) at;
    char *line; /* up to the cursor, when asked */
} Found;

typedef struct Prompt {
    Overlay overlay;
    Found *found; /* candidates shown; NULL: none */
    size_t at;
    size_t from;     /* byte where the word begins */
    char *line_done; /* set by readline's handler */
    bool done, leave;
} Prompt;

/* readline has no context argument: what its callbacks need lies here. Screen thread only. */
static struct {
    bool ready;
    unsigned char bytes[256];
    size_t head, tail;
    Prompt *prompt;
    char history_file[4096];
} rl;

static void queue_bytes(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        rl.bytes[rl.tail++ % sizeof rl.bytes] = (unsigned char)s[i];
}

static int get_byte(FILE *f)
{
    (void)f;
    return rl.head == rl.tail ? EOF : rl.bytes[rl.head++ % sizeof rl.bytes];
}

static int have_byte(void)
{
    return rl.head != rl.tail;
}

static void draw_nothing(void)
{
}

static void no_terminal(int unused)
{
    (void)unused;
}

static void no_terminal_void(void)
{
}

static void on_line(char *line)
{
    if (rl.prompt) {
        rl.prompt->line_done = line ? text_copy(line) : NULL;
        rl.prompt->done = true;
        rl.prompt->leave = line == NULL;
    }
    free(line);
    rl_callback_handler_remove();
}

static void readline_once(Ui *ui)
{
    if (rl.ready)
        return;
    rl.ready = true;
    rl_readline_name = "lathe";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_change_environment = 0;
    rl_getc_function = get_byte;
    rl_input_available_hook = have_byte;
    rl_redisplay_function = draw_nothing;
    rl_prep_term_function = no_terminal;
    rl_deprep_term_function = no_terminal_void;
    static FILE *nowhere;
    nowhere = fopen("/dev/null", "r+");
    rl_instream = nowhere;
    rl_outstream = nowhere;
    using_history();
    stifle_history(1000);
    snprintf(rl.history_file, sizeof rl.history_file, "%s/history", ui->workspace);
    read_history(rl.history_file);
}

void prompt_release(Ui *ui)
{
    (void)ui;
    if (!rl.ready)
        return;
    rl_clear_history(); /* with what was noted for undoing in its lines */
    if (rl_instream)
        fclose(rl_instream);
    rl.ready = false;
}

/* ---- keys back into bytes ------------------------------------------------------------------------------------ */

static void feed(Key key)
{
    // clang-format off
    static const struct { Key key; const char *bytes; } named[] = {
        {NKEY_ENTER, "\r"}, {NKEY_TAB, "\t"}, {NKEY_BACKSPACE, "\177"}, {NKEY_UP, "\033[A"},
        {NKEY_DOWN, "\033[B"}, {NKEY_RIGHT, "\033[C"}, {NKEY_LEFT, "\033[D"}, {NKEY_HOME, "\001"},
        {NKEY_END, "\005"}, {NKEY_DELETE, "\004"}, {NKEY_RIGHT | KEY_CTRL, "\033f"},
        {NKEY_LEFT | KEY_CTRL, "\033b"}, {NKEY_BACKSPACE | KEY_ALT, "\033\177"}, {NKEY_ESC, "\033"},
    };
    // clang-format on
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (named[i].key == key) {
            queue_bytes(named[i].bytes, strlen(named[i].bytes));
            return;
        }
    if (key & KEY_NAMED)
        return;
    Key code = key & ~(KEY_CTRL | KEY_ALT | KEY_SHIFT);
    if (key & KEY_ALT)
        queue_bytes("\033", 1);
    if (key & KEY_CTRL) {
        char c = (char)(code & 0x1f);
        queue_bytes(&c, 1);
        return;
    }
    char b[4];
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    b[0] = (char)(n == 1   ? code
                  : n == 2 ? 0xc0 | code >> 6
                  : n == 3 ? 0xe0 | code >> 12
                           : 0xf0 | code >> 18);
    for (size_t i = 1; i < n; i++)
        b[i] = (char)(0x80 | (code >> 6 * (n - 1 - i) & 0x3f));
    queue_bytes(b, n);
}

static void drain(void)
{
    while (rl.head != rl.tail && rl.prompt && !rl.prompt->done)
        rl_callback_read_char();
    rl.head = rl.tail = 0;
}

/* ---- completion -------------------------------------------------------------------------------------------------- */

static void found_destroy(void *p)
{
    Found *f = p;
    if (!f)
        return;
    for (size_t i = 0; i < f->at.count; i++) {
        mem_free(f->at.at[i].word);
        mem_free(f->at.at[i].about);
    }
    vec_release(&f->at);
    mem_free(f->line);
    mem_free(f);
}

static void add_candidate(void *context, const char *word, const char *about)
{
    Found *f = context;
    for (size_t i = 0; i < f->at.count; i++)
        if (!strcmp(f->at.at[i].word, word))
            return;
    if (f->at.count < 500)
        vec_add(&f->at, (Candidate){text_copy(word), text_copy(about ? about : "")});
}

static void *look_up(JobContext *c, void *input, Error *err)
{
    Store *store = job_store(c, err);
    Found *f = mem_alloc(sizeof *f);
    f->line = text_copy(input);
    if (store)
        command_complete(input, store, add_candidate, f);
    return f;
}

static void close_candidates(Prompt *p)
{
    found_destroy(p->found);
    p->found = NULL;
    p->at = 0;
}

/* Bytes at the end of `line` that a candidate repeats, case apart. */
static size_t overlap(const char *line, const char *word)
{
    size_t n = strlen(line), k = strlen(word) < n ? strlen(word) : n;
    for (; k > 0; k--)
        if (!strncasecmp(line + n - k, word, k) &&
            (k == n || strchr(" =,\"'/:", line[n - k - 1]) || word[0] == line[n - k]))
            return k;
    return 0;
}

static void insert_word(const Prompt *p, const char *word, size_t n)
{
    rl_begin_undo_group();
    rl_delete_text((int)p->from, rl_point);
    rl_point = (int)p->from;
    char *copy = mem_alloc(n + 1);
    memcpy(copy, word, n);
    rl_insert_text(copy);
    mem_free(copy);
    rl_end_undo_group();
}

static void looked_up(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)err;
    Prompt *p = owner;
    Found *f = result;
    if (!f)
        return;
    ui_line_complete(ui, f->line, add_candidate, f);
    bool same =
        !strncmp(f->line, rl_line_buffer, (size_t)rl_point) && strlen(f->line) == (size_t)rl_point;
    if (!same || !f->at.count) {
        if (same)
            ui_say(ui, STYLE_DIM, "nothing to complete here");
        found_destroy(f);
        return;
    }
    close_candidates(p);
    size_t shared = strlen(f->line), common = strlen(f->at.at[0].word);
    for (size_t i = 0; i < f->at.count; i++) {
        size_t o = overlap(f->line, f->at.at[i].word), k = 0;
        shared = o < shared ? o : shared;
        while (k < common && f->at.at[0].word[k] == f->at.at[i].word[k])
            k++;
        common = k;
    }
    p->from = strlen(f->line) - shared;
    if (f->at.count == 1 || common > shared)
        insert_word(&(Prompt){.from = p->from}, f->at.at[0].word, common);
    if (f->at.count == 1) {
        size_t n = strlen(f->at.at[0].word);
        if (n && !strchr("=/ ", f->at.at[0].word[n - 1]) && rl_point == rl_end)
            rl_insert_text(" ");
        found_destroy(f);
    } else {
        p->found = f;
    }
    ui_draw(ui);
}

static void complete(Prompt *p, Ui *ui)
{
    char *line = text_copy(rl_line_buffer);
    line[rl_point] = 0;
    ui_job(ui, (Job){.owner = p,
                     .slot = SLOT_COMPLETE,
                     .run = look_up,
                     .input = line,
                     .done = looked_up,
                     .release = found_destroy,
                     .quiet = true,
                     .urgent = true});
}

/* ---- the overlay ----------------------------------------------------------------------------------------------------- */

static void draw_candidates(const Prompt *p, const Canvas *c, int bottom)
{
    int word = 8, about = 0, n = (int)p->found->at.count;
    for (int i = 0; i < n; i++) {
        int w = (int)utf8_width(p->found->at.at[i].word, strlen(p->found->at.at[i].word));
        int a = (int)utf8_width(p->found->at.at[i].about, strlen(p->found->at.at[i].about));
        word = w > word ? w : word;
        about = a > about ? a : about;
    }
    word = word > 40 ? 40 : word;
    int rows = n < 12 ? n : 12, most = bottom - 2;
    rows = rows < most ? rows : most;
    int width = word + (about ? about + 3 : 1) + 2;
    int x = 1 + (int)utf8_width(rl_line_buffer, p->from);
    if (x + width > c->cols)
        x = c->cols - width > 0 ? c->cols - width : 0;
    width = width > c->cols - x ? c->cols - x : width;
    int first = (int)p->at >= rows ? (int)p->at - rows + 1 : 0;
    for (int i = 0; i < rows; i++) {
        int y = bottom - rows + i;
        bool here = first + i == (int)p->at;
        Style ground = here ? STYLE_POPUP_CURSOR : STYLE_POPUP;
        canvas_fill_part(c, y, x, 1, width, ground);
        canvas_field(c, y, x + 1, word, ALIGN_LEFT, ground, p->found->at.at[first + i].word);
        canvas_field(c, y, x + word + 3, width - word - 4, ALIGN_LEFT,
                     here ? ground : STYLE_POPUP_DIM, p->found->at.at[first + i].about);
    }
    if (n > rows) {
        canvas_fill_part(c, bottom - rows - 1, x, 1, width, STYLE_POPUP);
        canvas_printf(c, bottom - rows - 1, x + 1, STYLE_POPUP_DIM, "%d of %d", (int)p->at + 1, n);
    }
}

static void prompt_draw(const Overlay *o, const Canvas *screen, const Ui *ui)
{
    (void)ui;
    const Prompt *p = (const Prompt *)o;
    int y = screen->rows - 1, width = screen->cols - 2;
    canvas_fill_part(screen, y, 0, 1, screen->cols, STYLE_INPUT);
    canvas_put(screen, y, 0, style_on(STYLE_ACCENT, STYLE_INPUT), ":");
    const char *text = rl_line_buffer ? rl_line_buffer : "";
    int x = (int)utf8_width(text, (size_t)rl_point), from = x >= width ? x - width + 1 : 0;
    size_t n = strlen(text), skip = utf8_fit(text, n, (size_t)from);
    canvas_put_n(screen, y, 1, STYLE_INPUT, text + skip, n - skip);
    size_t verb = strcspn(text, " ");
    if (!from)
        canvas_restyle(screen, y, 1, (int)utf8_width(text, verb),
                       style_on(STYLE_KEYWORD, STYLE_INPUT));
    canvas_cursor(screen, y, 1 + x - from);
    if (p->found)
        draw_candidates(p, screen, y);
}

static void accept_candidate(Prompt *p)
{
    const char *word = p->found->at.at[p->at].word;
    insert_word(p, word, strlen(word));
    close_candidates(p);
}

/* Keys while candidates are shown; false: they go and the key means what it always does. */
static bool candidate_key(Prompt *p, Key key)
{
    size_t n = p->found->at.count;
    switch (key) {
    case NKEY_TAB:
    case NKEY_DOWN:
    case KEY_CTRL | 'n':
        p->at = (p->at + 1) % n;
        return true;
    case NKEY_TAB | KEY_SHIFT:
    case NKEY_UP:
    case KEY_CTRL | 'p':
        p->at = (p->at + n - 1) % n;
        return true;
    case NKEY_ENTER:
        accept_candidate(p);
        return true;
    case NKEY_ESC:
        close_candidates(p);
        return true;
    }
    close_candidates(p);
    return false;
}

static void finish(Prompt *p, Ui *ui)
{
    char *line = p->leave ? NULL : text_copy(p->line_done);
    overlay_close(ui, p);
    if (line && *line) {
        add_history(line);
        append_history(1, rl.history_file);
        if (access(rl.history_file, 0))
            write_history(rl.history_file);
        ui_line(ui, line);
    }
    mem_free(line);
}

static bool vi_inserting(void)
{
    return rl_editing_mode == 0 &&
           strcmp(rl_get_keymap_name(rl_get_keymap()) ? rl_get_keymap_name(rl_get_keymap()) : "",
                  "vi-insert") == 0;
}

static void prompt_key(Overlay *o, Key key, Ui *ui)
{
    Prompt *p = (Prompt *)o;
    if (key == NKEY_PASTE_BEGIN || key == NKEY_PASTE_END || (p->found && candidate_key(p, key)))
        return;
    bool empty_back = key == NKEY_BACKSPACE && rl_end == 0;
    if (key == (KEY_CTRL | 'c') || key == (KEY_CTRL | 'g') || empty_back ||
        (key == NKEY_ESC && !vi_inserting())) {
        overlay_close(ui, p);
        return;
    }
    if (key == NKEY_TAB) {
        complete(p, ui);
        return;
    }
    feed(key);
    drain();
    if (p->done)
        finish(p, ui);
}

/* Ends the line by readline's own way: only so does it forget what it noted for undoing and for the lines
 * of the history that were changed. More than once where Enter is quoted or ends a search first. */
static void abandon_line(Prompt *p)
{
    rl.head = rl.tail = 0;
    for (int i = 0; i < 4 && !p->done; i++) {
        feed(NKEY_ENTER);
        drain();
    }
    if (!p->done)
        rl_callback_handler_remove();
}

static void prompt_destroy(Overlay *o)
{
    Prompt *p = (Prompt *)o;
    close_candidates(p);
    if (!p->done)
        abandon_line(p);
    mem_free(p->line_done);
    rl.prompt = NULL;
    rl.head = rl.tail = 0;
}

static const OverlayKind prompt_kind = {.text = true,
                                        .name = "prompt",
                                        .size = sizeof(Prompt),
                                        .draw = prompt_draw,
                                        .on_key = prompt_key,
                                        .destroy = prompt_destroy,
                                        .keys = prompt_keys};

void prompt_open(Ui *ui, const char *initial)
{
    if (rl.prompt)
        return;
    readline_once(ui);
    Prompt *p = overlay_open(ui, &prompt_kind);
    rl.prompt = p;
    ui->prompt = p;
    rl_callback_handler_install("", on_line);
    rl_insert_text(initial ? initial : "");
}
