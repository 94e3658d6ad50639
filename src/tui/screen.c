/* screen.c -- curses, signals and the way out. See screen.h.
 *
 * Truecolor without a terminfo entry that has it (most of the world runs xterm-256color): the theme's
 * colours are put into the palette places whose standard colour is nearest, so a terminal that
 * ignores the request still shows something close. curses puts the palette back at the end. */
#include "screen_int.h"

#include <curses.h>
#include <term.h>

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#define GRAY 8 /* of 16; of 8 there is none: bold black cannot be read everywhere */

typedef enum Depth { DEPTH_MONO, DEPTH_8, DEPTH_16, DEPTH_256, DEPTH_PALETTE, DEPTH_DIRECT } Depth;

struct Screen {
    Grid grid;
    SCREEN *curses;
    WINDOW *window;
    Depth depth;
    Theme theme;
    int fore[STYLE_COUNT], back[STYLE_COUNT]; /* curses' colour numbers */
    unsigned char taken[256];                 /* DEPTH_PALETTE: places that hold a theme colour */
    uint32_t taken_rgb[256];
    int pair[STYLE_COUNT][STYLE_COUNT + 1]; /* 0: not made yet */
    int pairs;
    bool all; /* show every cell */
    bool pasting;
    struct sigaction old[NSIG];
};

/* ---- signals: a handler may only write to a pipe; it needs to find it ----------------------------- */

static int signal_pipe[2] = {-1, -1}; /* set once before the handlers are */
static struct termios sane;           /* the terminal as it was found */
static char way_out[128];             /* the bytes that undo the rest */
static volatile sig_atomic_t terminal_taken;

static const int handled[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGTSTP, SIGCONT};
static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT};

static void on_signal(int number)
{
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t n = write(signal_pipe[1], &byte, 1);
    (void)n; /* full: it is awake already */
    errno = saved;
}

static void on_crash(int number)
{
    if (terminal_taken) {
        terminal_taken = 0;
        ssize_t n = write(STDOUT_FILENO, way_out, strlen(way_out));
        (void)n;
        tcsetattr(STDIN_FILENO, TCSANOW, &sane);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void append_capability(const char *name)
{
    const char *s = tigetstr(name);
    if (s && s != (const char *)-1 && strlen(way_out) + strlen(s) < sizeof way_out - 40 &&
        !strchr(s, '$'))
        strcat(way_out, s);
}

static void signals_take(Screen *s)
{
    struct sigaction act = {.sa_handler = on_signal};
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
        sigaction(handled[i], &act, &s->old[handled[i]]);
    act.sa_handler = on_crash;
    act.sa_flags = (int)SA_RESETHAND;
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        sigaction(crashes[i], &act, &s->old[crashes[i]]);
    filemap_guard(); /* a table that was cut while it is shown is no crash */
    way_out[0] = 0;
    append_capability("sgr0");
    append_capability("op");
    if (s->depth == DEPTH_PALETTE)
        append_capability("oc");
    append_capability("cnorm");
    append_capability("rmkx");
    append_capability("rmcup");
    strcat(way_out, "\033[?1006l\033[?1000l\033[?2004l");
}

static void signals_give(Screen *s)
{
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
        sigaction(handled[i], &s->old[handled[i]], NULL);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        sigaction(crashes[i], &s->old[crashes[i]], NULL);
}

int screen_signals(const Screen *s)
{
    (void)s;
    return signal_pipe[0];
}

/* ---- open, close ------------------------------------------------------------------------------------ */

static bool wants_truecolor(void)
{
    const char *term = getenv("COLORTERM");
    return term && (strstr(term, "truecolor") || strstr(term, "24bit"));
}

static Depth depth_of_terminal(void)
{
    const char *none = getenv("NO_COLOR"), *asked = getenv("LATHE_COLORS");
    if ((none && *none) || !has_colors())
        return DEPTH_MONO;
    int most = COLORS;
    if (asked && *asked) {
        int n = atoi(asked);
        if (n < 8)
            return DEPTH_MONO;
        most = n < most ? n : most;
    }
    if (most > 256)
        return DEPTH_DIRECT;
    if (most == 256 && wants_truecolor() && can_change_color() && !(asked && *asked))
        return DEPTH_PALETTE;
    return most >= 256 ? DEPTH_256 : most >= 16 ? DEPTH_16 : DEPTH_8;
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
    mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
    mouseinterval(0);
    fputs("\033[?2004h", stdout); /* pasted text comes between marks */
    fflush(stdout);
    terminal_taken = 1;
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

Screen *screen_open(Error *err)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        error_set(err, ERROR_USAGE,
                  "the workbench needs a terminal for input and output; "
                  "`lathe --help` lists the commands that do not");
        return NULL;
    }
    setlocale(LC_ALL, "");
    set_escdelay(25);
    tcgetattr(STDIN_FILENO, &sane);
    const char *term = getenv("TERM");
    Screen *s = mem_alloc(sizeof *s);
    s->curses = newterm(NULL, stdout, stdin);
    if (!s->curses) {
        mem_free(s);
        error_set(err, ERROR_IO, "terminal '%s' is not known here; try TERM=xterm-256color",
                  term ? term : "");
        return NULL;
    }
    if (!tigetstr("cup") || tigetstr("cup") == (char *)-1) {
        endwin();
        delscreen(s->curses);
        mem_free(s);
        error_set(err, ERROR_IO,
                  "terminal '%s' cannot place its cursor; use the commands (lathe --help)",
                  term ? term : "");
        return NULL;
    }
    s->window = stdscr;
    const char *ascii = getenv("LATHE_ASCII");
    s->grid.unicode = !strcmp(nl_langinfo(CODESET), "UTF-8") && !(ascii && *ascii);
    if (has_colors()) {
        start_color();
        use_default_colors();
    }
    s->depth = depth_of_terminal();
    if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
        signal_pipe[0] = signal_pipe[1] = -1;
    terminal_modes(s);
    define_key("\033[200~", CURSES_PASTE_BEGIN);
    define_key("\033[201~", CURSES_PASTE_END);
    signals_take(s);
    grid_size(s);
    theme_builtin(&s->theme);
    screen_theme(s, &s->theme);
    return s;
}

void screen_close(Screen *s)
{
    if (!s)
        return;
    fputs("\033[?2004l", stdout);
    curs_set(1);
    endwin();
    terminal_taken = 0;
    signals_give(s);
    delscreen(s->curses);
    close(signal_pipe[0]);
    close(signal_pipe[1]);
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

/* ---- colours ------------------------------------------------------------------------------------------ */

/* The standard colour of palette place i (16..255). */
static uint32_t palette_rgb(int i)
{
    static const uint32_t level[6] = {0, 95, 135, 175, 215, 255};
    if (i >= 232) {
        uint32_t v = (uint32_t)(8 + 10 * (i - 232));
        return v << 16 | v << 8 | v;
    }
    i -= 16;
    return level[i / 36] << 16 | level[i / 6 % 6] << 8 | level[i % 6];
}

/* Distance as the eye weighs it (the "redmean" formula, compuphase.com/cmetric.htm). */
static double colour_distance(uint32_t a, uint32_t b)
{
    double ra = a >> 16 & 255, rb = b >> 16 & 255, mean = (ra + rb) / 2;
    double dr = ra - rb, dg = (double)(a >> 8 & 255) - (double)(b >> 8 & 255);
    double db = (double)(a & 255) - (double)(b & 255);
    return (2 + mean / 256) * dr * dr + 4 * dg * dg + (2 + (255 - mean) / 256) * db * db;
}

static int nearest_256(const Screen *s, uint32_t rgb, bool free_only)
{
    int best = 16;
    double least = 1e30;
    for (int i = 16; i < 256; i++) {
        double d = colour_distance(rgb, palette_rgb(i));
        if (d < least && !(free_only && s->taken[i]))
            least = d, best = i;
    }
    return best;
}

static int palette_place(Screen *s, uint32_t rgb)
{
    for (int i = 16; i < 256; i++)
        if (s->taken[i] && s->taken_rgb[i] == rgb)
            return i;
    int i = nearest_256(s, rgb, true);
    s->taken[i] = 1;
    s->taken_rgb[i] = rgb;
    init_extended_color(i, (int)lround((rgb >> 16 & 255) * 1000.0 / 255.0),
                        (int)lround((rgb >> 8 & 255) * 1000.0 / 255.0),
                        (int)lround((rgb & 255) * 1000.0 / 255.0));
    return i;
}

static int colour_number(Screen *s, Colour c, int sixteen)
{
    switch (s->depth) {
    case DEPTH_MONO:
        return -1;
    case DEPTH_8:
        return sixteen < 0 ? -1 : sixteen == GRAY ? 7 : sixteen & 7;
    case DEPTH_16:
        return sixteen;
    case DEPTH_256:
        return c == COLOUR_NONE ? -1 : nearest_256(s, c, false);
    case DEPTH_PALETTE:
        return c == COLOUR_NONE ? -1 : palette_place(s, c);
    case DEPTH_DIRECT:
        return c == COLOUR_NONE ? -1 : (int)(c < 8 ? 0 : c);
    }
    return -1;
}

void screen_theme(Screen *s, const Theme *t)
{
    s->theme = *t;
    memset(s->taken, 0, sizeof s->taken);
    memset(s->pair, 0, sizeof s->pair);
    s->pairs = 0;
    for (size_t i = 0; i < STYLE_COUNT; i++) {
        const Look *look = &t->look[i];
        s->fore[i] = colour_number(s, look->fore, look->fore16);
        s->back[i] = colour_number(s, look->back, look->back16);
    }
    s->all = true;
}

static unsigned look_attrs(const Screen *s, size_t role)
{
    const Look *look = &s->theme.look[role];
    if (s->depth == DEPTH_MONO)
        return look->attrs_mono;
    unsigned a = look->attrs;
    if (s->depth == DEPTH_8 && look->fore16 > GRAY)
        a |= ATTR_BOLD;
    if (s->depth <= DEPTH_16) /* reverse of a pair that has a ground already reads badly */
        a &= ~(unsigned)ATTR_REVERSE;
    return a;
}

static attr_t curses_attrs(unsigned a)
{
    return (a & ATTR_BOLD ? A_BOLD : 0u) | (a & ATTR_DIM ? A_DIM : 0u) |
           (a & ATTR_ITALIC ? A_ITALIC : 0u) | (a & ATTR_UNDERLINE ? A_UNDERLINE : 0u) |
           (a & ATTR_REVERSE ? A_REVERSE : 0u);
}

/* With few colours letters keep the colour that was chosen for the ground they stand on. */
static void style_resolve(Screen *s, Style style, attr_t *attrs, int *pair)
{
    size_t fore = style & 0xff, back = style >> 8 & 0xff;
    if (fore >= STYLE_COUNT)
        fore = STYLE_PLAIN;
    unsigned a = look_attrs(s, fore);
    if (back) {
        unsigned ground = look_attrs(s, back - 1);
        a = s->depth <= DEPTH_16 ? ground | (a & ATTR_BOLD) : a | (ground & ATTR_REVERSE);
    }
    *attrs = curses_attrs(a);
    int *known = &s->pair[fore][back];
    if (!*known && s->depth != DEPTH_MONO && s->pairs + 1 < COLOR_PAIRS) {
        size_t ink = back && s->depth <= DEPTH_16 && s->back[back - 1] >= 0 ? back - 1 : fore;
        *known = ++s->pairs;
        init_extended_pair(*known, s->fore[ink], s->back[back ? back - 1 : fore]);
    }
    *pair = *known;
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
    style_resolve(s, cell->style, &attrs, &pair);
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

void screen_show(Screen *s)
{
    Grid *g = &s->grid;
    for (int row = 0; row < g->rows; row++) {
        GridCell *now = g->cell + (size_t)row * (size_t)g->cols;
        GridCell *was = g->shown + (size_t)row * (size_t)g->cols;
        for (int col = 0; col < g->cols; col++) {
            if (now[col].code == 0)
                continue;
            bool wide = col + 1 < g->cols && now[col + 1].code == 0;
            if (s->all || !cell_same(&now[col], &was[col]) ||
                (wide && !cell_same(&now[col + 1], &was[col + 1])))
                cell_show(s, row, col, &now[col]);
        }
    }
    memcpy(g->shown, g->cell, (size_t)g->rows * (size_t)g->cols * sizeof *g->cell);
    s->all = false;
    if (g->cursor_row >= 0) {
        curs_set(1);
        wmove(s->window, g->cursor_row, g->cursor_col);
    } else {
        curs_set(0);
    }
    wnoutrefresh(s->window);
    doupdate();
}

void screen_redraw(Screen *s)
{
    s->all = true;
    clearok(curscr, TRUE);
}

void screen_resized(Screen *s)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
        resizeterm(size.ws_row, size.ws_col);
    werase(s->window);
    grid_size(s);
}

void screen_raw(Screen *s, const char *bytes, size_t n)
{
    (void)s;
    fwrite(bytes, 1, n, stdout);
    fflush(stdout);
}

void screen_suspend(Screen *s)
{
    fputs("\033[?2004l", stdout);
    curs_set(1);
    endwin();
    terminal_taken = 0;
    sigaction(SIGTSTP, &s->old[SIGTSTP], NULL);
    kill(0, SIGTSTP); /* the whole job, as the terminal would */
    struct sigaction act = {.sa_handler = on_signal};
    sigaction(SIGTSTP, &act, NULL);
    terminal_modes(s);
    memset(s->taken, 0, sizeof s->taken); /* the palette was put back */
    Theme theme = s->theme;
    screen_theme(s, &theme);
    screen_resized(s);
    screen_redraw(s);
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
