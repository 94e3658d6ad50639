/* screen.c -- curses: the terminal taken over, shown on, and given back. See screen.h. */
#include "screen_curses.h"

#include <term.h>

#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

/* ---- open, close ------------------------------------------------------------------------------------ */

/* GNU screen (4.9) holds a lone Esc until the next key while someone asks it for the mouse: Esc matters more. */
static bool holds_escape(void)
{
    const char *term = getenv("TERM");
    return getenv("STY") || (term && text_starts(term, "screen."));
}

static void terminal_modes(Screen *s)
{
    raw();
    noecho();
    nonl();
    curs_set(0);
    keypad(s->window, TRUE);
    meta(s->window, TRUE);
    nodelay(s->window, TRUE);
    leaveok(s->window, FALSE);
    if (!holds_escape())
        mousemask(BUTTON1_PRESSED | BUTTON1_RELEASED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
    mouseinterval(0);
    fputs("\033[?2004h", s->out); /* pasted text comes between marks */
    fflush(s->out);
    screen_taken(s->terminal);
}

static void grid_size(Screen *s)
{
    Grid *g = &s->grid;
    getmaxyx(stdscr, g->rows, g->cols);
    mem_free(g->cell);
    mem_free(g->shown);
    size_t n = (size_t)g->rows * (size_t)g->cols + 1;
    g->cell = mem_alloc(n * sizeof *g->cell);
    g->shown = mem_alloc(n * sizeof *g->shown);
    s->all = true;
}

static bool can_place_cursor(void)
{
    const char *cup = tigetstr("cup");
    return cup && cup != (const char *)-1;
}

/* On a terminal, or on two ends of nothing. */
static Screen *open_on(FILE *out, FILE *in, const char *type, Error *err)
{
    const char *term = type ? type : getenv("TERM");
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    set_escdelay(SCREEN_ESCAPE_MS);
    screen_signals_begin();
    Screen *s = mem_alloc(sizeof *s);
    s->terminal = in == stdin;
    s->out = out;
    s->in = in;
    wire_init(&s->wire, fileno(out));
    s->curses = newterm(type, out, in);
    if (!s->curses || !can_place_cursor()) {
        error_set(err, ERROR_IO, s->curses ? "terminal '%s' cannot place its cursor; use the commands (lathe --help)"
                                           : "terminal '%s' is not known here; try TERM=xterm-256color",
                  term ? term : "");
        if (s->curses) {
            endwin();
            delscreen(s->curses);
        }
        screen_signals_end();
        wire_release(&s->wire);
        mem_free(s);
        return NULL;
    }
    s->window = stdscr;
    const char *ascii = getenv("LATHE_ASCII");
    s->grid.unicode = !strcmp(nl_langinfo(CODESET), "UTF-8") && !(ascii && *ascii);
    screen_dots(s, DOTS_AUTO);
    if (has_colors()) {
        start_color();
        use_default_colors();
    }
    s->depth = screen_depth();
    terminal_modes(s);
    define_key("\033[200~", CURSES_PASTE_BEGIN);
    define_key("\033[201~", CURSES_PASTE_END);
    screen_signals_take(s);
    grid_size(s);
    theme_builtin(&s->theme);
    screen_theme(s, &s->theme);
    return s;
}

/* curses gets a descriptor of its own: during a frame another file stands in for it (screen_wire.h). */
Screen *screen_open(Error *err)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        error_set(err, ERROR_USAGE,
                  "the workbench needs a terminal for input and output; "
                  "`lathe --help` lists the commands that do not");
        return NULL;
    }
    int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    Screen *s = out ? open_on(out, stdin, NULL, err) : NULL;
    if (!out)
        error_set(err, ERROR_IO, "the terminal: no file descriptor left");
    else if (!s)
        fclose(out);
    return s;
}

Screen *screen_open_nowhere(int rows, int cols, Error *err)
{
    FILE *out = fopen("/dev/null", "w"), *in = fopen("/dev/null", "r");
    Screen *s = out && in ? open_on(out, in, "xterm-256color", err) : NULL;
    if (!s) {
        if (!out || !in)
            error_set(err, ERROR_IO, "/dev/null: cannot open");
        if (out)
            fclose(out);
        if (in)
            fclose(in);
        return NULL;
    }
    resizeterm(rows, cols);
    grid_size(s);
    return s;
}

bool screen_is_terminal(const Screen *s)
{
    return s->terminal;
}

void screen_close(Screen *s)
{
    if (!s)
        return;
    fputs("\033[?2004l", s->out);
    curs_set(1);
    endwin();
    screen_taken(false);
    screen_signals_give(s);
    delscreen(s->curses);
    fclose(s->out);
    if (!s->terminal)
        fclose(s->in);
    wire_release(&s->wire);
    screen_signals_end();
    mem_free(s->grid.cell);
    mem_free(s->grid.shown);
    vec_release(&s->grid.zones);
    mem_free(s);
}

int screen_rows(const Screen *s)
{
    return s->grid.rows;
}

int screen_cols(const Screen *s)
{
    return s->grid.cols;
}

const char *screen_colours(const Screen *s)
{
    static const char *const names[] = {"mono", "8", "16", "256", "truecolor", "truecolor"};
    return names[s->depth];
}

Grid *screen_grid(Screen *s)
{
    return &s->grid;
}

/* ---- showing -------------------------------------------------------------------------------------------- */

Canvas screen_begin(Screen *s)
{
    Grid *g = &s->grid;
    g->cursor_row = g->cursor_col = -1;
    g->zones.count = 0;
    Canvas c = {.screen = s, .rows = g->rows, .cols = g->cols, .bottom = g->rows, .right = g->cols};
    canvas_fill(&c, STYLE_PLAIN);
    return c;
}

static bool cell_same(const GridCell *a, const GridCell *b)
{
    return a->code == b->code && a->style == b->style && a->mark[0] == b->mark[0] &&
           a->mark[1] == b->mark[1];
}

static void cell_show(Screen *s, int row, int col, const GridCell *cell)
{
    attr_t attrs;
    int pair;
    screen_style(s, cell->style, &attrs, &pair);
    int wide = col + 1 < s->grid.cols && cell[1].code == 0 ? 2 : 1;
    wchar_t text[4] = {(wchar_t)cell->code, (wchar_t)cell->mark[0], (wchar_t)cell->mark[1], 0};
    if (wcwidth(text[0]) != wide) { /* the C library measures it otherwise: keep the columns */
        text[0] = s->grid.unicode ? 0xfffd : L'?';
        text[1] = 0;
    }
    cchar_t out;
    setcchar(&out, text, attrs, 0, &pair);
    mvwadd_wch(s->window, row, col, &out);
    if (wide == 2 && wcwidth(text[0]) == 1) {
        text[0] = L' ';
        setcchar(&out, text, attrs, 0, &pair);
        mvwadd_wch(s->window, row, col + 1, &out);
    }
}

/* What a cell costs, rather too much: a place and a look of its own, three bytes a character. */
enum { BYTES_PLACE = 9, BYTES_LOOK = 28, BYTES_LOOK_DIRECT = 44, BYTES_CELL = 3, BYTES_FRAME = 16 };

typedef struct Spending {
    size_t left;
    Style look;
} Spending;

static bool pay(const Screen *s, Spending *p, const GridCell *cell, bool joined)
{
    size_t look = s->depth == DEPTH_DIRECT ? BYTES_LOOK_DIRECT : BYTES_LOOK;
    size_t bytes = (joined ? 0 : BYTES_PLACE) + (cell->style == p->look ? 0 : look) +
                   (cell->code < 128 ? 1 : BYTES_CELL * (1u + (cell->mark[0] != 0) + (cell->mark[1] != 0)));
    if (bytes > p->left)
        return false;
    p->left -= bytes;
    p->look = cell->style;
    return true;
}

/* False: what may be spent is spent; the rest of the row stays as it is. */
static bool row_show(Screen *s, int row, Spending *p)
{
    Grid *g = &s->grid;
    GridCell *now = g->cell + (size_t)row * (size_t)g->cols;
    GridCell *was = g->shown + (size_t)row * (size_t)g->cols;
    bool joined = false;
    for (int col = 0; col < g->cols; col++) {
        if (now[col].code == 0)
            continue;
        bool wide = col + 1 < g->cols && now[col + 1].code == 0;
        if (cell_same(&now[col], &was[col]) && !(wide && !cell_same(&now[col + 1], &was[col + 1]))) {
            joined = false;
            continue;
        }
        if (!pay(s, p, &now[col], joined))
            return false;
        cell_show(s, row, col, &now[col]);
        memcpy(&was[col], &now[col], (wide ? 2 : 1) * sizeof *now);
        joined = true;
    }
    return true;
}

/* The row with the cursor first, where something is typed; then on from where the last frame was cut. */
static bool rows_show(Screen *s, size_t most)
{
    Grid *g = &s->grid;
    Spending p = {.left = most > BYTES_FRAME ? most - BYTES_FRAME : 0, .look = STYLE_COUNT};
    if (g->cursor_row >= 0 && g->cursor_row < g->rows && !row_show(s, g->cursor_row, &p))
        return false;
    for (int i = 0; i < g->rows; i++) {
        int row = (s->cut + i) % g->rows;
        if (!row_show(s, row, &p)) {
            s->cut = row;
            return false;
        }
    }
    s->cut = 0;
    return true;
}

bool screen_show(Screen *s, size_t most)
{
    Grid *g = &s->grid;
    if (s->all)
        memset(g->shown, 0, (size_t)g->rows * (size_t)g->cols * sizeof *g->shown);
    s->all = false;
    bool whole = rows_show(s, most);
    bool caught = !isendwin(); /* else curses takes the terminal again, which nothing may stand in for */
    if (caught)
        wire_catch(&s->wire);
    curs_set(g->cursor_row >= 0);
    if (g->cursor_row >= 0)
        wmove(s->window, g->cursor_row, g->cursor_col);
    wnoutrefresh(s->window);
    doupdate();
    if (caught)
        wire_send(&s->wire);
    return whole;
}

size_t screen_sent(const Screen *s)
{
    return s->wire.sent;
}

void screen_redraw(Screen *s)
{
    s->all = true;
    s->wire.unsure = true;
    clearok(curscr, TRUE);
}

void screen_resized(Screen *s)
{
    struct winsize size;
    if (s->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
        resizeterm(size.ws_row, size.ws_col);
    werase(s->window);
    grid_size(s);
}

void screen_dots(Screen *s, ScreenDots dots)
{
    const char *term = getenv("TERM");
    bool console = term && (!strcmp(term, "linux") || !strncmp(term, "linux-", 6));
    s->grid.dots = !s->grid.unicode ? DOTS_ASCII : dots != DOTS_AUTO ? dots : console ? DOTS_BLOCK : DOTS_BRAILLE;
}

void screen_raw(Screen *s, const char *bytes, size_t n)
{
    fwrite(bytes, 1, n, s->out);
    fflush(s->out);
    wire_count(&s->wire, n);
}

void screen_lend(Screen *s)
{
    fputs("\033[?2004l", s->out);
    curs_set(1);
    endwin();
    screen_taken(false);
    screen_signals_give(s);
}

void screen_back(Screen *s)
{
    screen_signals_take(s);
    terminal_modes(s);
    memset(s->taken, 0, sizeof s->taken); /* the palette was put back */
    Theme theme = s->theme;
    screen_theme(s, &theme);
    screen_resized(s);
    screen_redraw(s);
}

void screen_suspend(Screen *s)
{
    screen_lend(s);
    screen_stop_here();
    screen_back(s);
}

void screen_row_text(const Screen *s, int row, Text *into)
{
    const Grid *g = &s->grid;
    for (int col = 0; row >= 0 && row < g->rows && col < g->cols; col++) {
        const GridCell *cell = &g->shown[(size_t)row * (size_t)g->cols + (size_t)col];
        if (cell->code)
            text_add_code(into, cell->code);
        for (int i = 0; i < 2 && cell->code && cell->mark[i]; i++)
            text_add_code(into, cell->mark[i]);
    }
}

const Zone *screen_zone(const Screen *s, int row, int col)
{
    for (size_t i = s->grid.zones.count; i-- > 0;) {
        const Zone *z = &s->grid.zones.at[i];
        if (row >= z->row && row < z->row + z->rows && col >= z->col && col < z->col + z->cols)
            return z;
    }
    return NULL;
}

size_t screen_zones(const Screen *s)
{
    return s->grid.zones.count;
}

void screen_zones_cut(Screen *s)
{
    s->grid.zones.count = 0;
}
