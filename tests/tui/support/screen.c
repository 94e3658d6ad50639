/* screen.c -- see screen.h. */
#include "screen.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vterm.h>

#ifdef LATHE_SANITIZED
/* readline keeps the contexts of a key sequence that was under way when its handler was removed. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"), used)) const char *__lsan_default_suppressions(void)
{
    return "leak:libreadline\n";
}
#endif

#ifdef LATHE_SANITIZED
void __lsan_do_leak_check(void) __attribute__((weak)); /* not in every sanitizer */
#endif

struct Term {
    VTerm *vt;
    VTermScreen *screen;
    int fd, rows, cols;
    pid_t child;
    int status;
    bool ended, altscreen, cursor, mouse;
    size_t bytes;
    char row[4096];
    char tail[8192]; /* the last bytes, to look for OSC in */
    size_t tail_count;
    char clipboard[4096];
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int on_property(VTermProp prop, VTermValue *v, void *context)
{
    Term *t = context;
    if (prop == VTERM_PROP_ALTSCREEN)
        t->altscreen = v->boolean;
    if (prop == VTERM_PROP_CURSORVISIBLE)
        t->cursor = v->boolean;
    return 1;
}

static const VTermScreenCallbacks callbacks = {.settermprop = on_property};

static void child_main(int (*program)(void *), void *context, const char *const *env)
{
    setenv("TERM", "xterm-256color", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    unsetenv("LINES");
    unsetenv("COLUMNS");
    unsetenv("NO_COLOR");
    unsetenv("COLORTERM");
    unsetenv("LATHE_THEME");
    unsetenv("TMUX");
    unsetenv("STY");
    for (; env && *env; env++) {
        char key[200];
        const char *eq = strchr(*env, '=');
        snprintf(key, sizeof key, "%.*s", (int)(eq - *env), *env);
        if (eq[1])
            setenv(key, eq + 1, 1);
        else
            unsetenv(key);
    }
    int status = program(context);
#ifdef LATHE_SANITIZED
    /* _exit would skip it; as "linux" curses loads the console's mouse, which leaks */
    if (__lsan_do_leak_check && strcmp(getenv("TERM"), "linux") != 0)
        __lsan_do_leak_check();
#endif
    _exit(status);
}

Term *term_open(int rows, int cols, int (*program)(void *context), void *context,
                const char *const *env)
{
    Term *t = calloc(1, sizeof *t);
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
    t->rows = rows;
    t->cols = cols;
    t->cursor = true;
    fflush(NULL);
    t->child = forkpty(&t->fd, NULL, NULL, &size);
    if (t->child == 0) {
        free(t); /* nobody here knows of it: it would count as a leak of the program */
        child_main(program, context, env);
    }
    fcntl(t->fd, F_SETFL, O_NONBLOCK);
    t->vt = vterm_new(rows, cols);
    vterm_set_utf8(t->vt, 1);
    t->screen = vterm_obtain_screen(t->vt);
    vterm_screen_set_callbacks(t->screen, &callbacks, t);
    vterm_screen_enable_altscreen(t->screen, 1);
    vterm_screen_reset(t->screen, 1);
    return t;
}

static void look_for_clipboard(Term *t, const char *bytes, size_t n)
{
    if (n > sizeof t->tail / 2)
        bytes += n - sizeof t->tail / 2, n = sizeof t->tail / 2;
    if (t->tail_count + n >= sizeof t->tail) {
        size_t keep = sizeof t->tail / 2 - 1;
        keep = keep < t->tail_count ? keep : t->tail_count;
        memmove(t->tail, t->tail + t->tail_count - keep, keep);
        t->tail_count = keep;
    }
    memcpy(t->tail + t->tail_count, bytes, n);
    t->tail_count += n;
    t->tail[t->tail_count] = 0;
    /* libvterm 0.1 reads only the first of "\033[?1006;1000h" */
    for (size_t i = 0; i + 5 <= n; i++)
        if (!memcmp(bytes + i, "1000h", 5) || !memcmp(bytes + i, "1000l", 5))
            t->mouse = bytes[i + 4] == 'h';
    char *at = memmem(t->tail, t->tail_count, "\033]52;c;", 7);
    char *end = at ? strchr(at, '\a') : NULL;
    if (end)
        snprintf(t->clipboard, sizeof t->clipboard, "%.*s", (int)(end - at - 7), at + 7);
}

/* Takes in what the child wrote within `ms`; false: nothing came. */
static bool take(Term *t, int ms)
{
    struct pollfd p = {t->fd, POLLIN, 0};
    char bytes[65536];
    if (poll(&p, 1, ms) <= 0)
        return false;
    ssize_t n = read(t->fd, bytes, sizeof bytes);
    if (n <= 0) {
        if (ms > 0 && p.revents & POLLHUP)
            usleep(1000);
        return false;
    }
    t->bytes += (size_t)n;
    look_for_clipboard(t, bytes, (size_t)n);
    vterm_input_write(t->vt, bytes, (size_t)n);
    char answer[1024]; /* what the terminal itself replies is not the keyboard's business here */
    vterm_output_read(t->vt, answer, sizeof answer);
    return true;
}

static void reap(Term *t, int flags)
{
    if (!t->ended && waitpid(t->child, &t->status, flags) == t->child)
        t->ended = true;
}

void term_settle(Term *t)
{
    double until = now() + 3;
    take(t, 150);
    while (now() < until && take(t, 60))
        ;
}

bool term_wait(Term *t, const char *text, double seconds)
{
    double until = now() + seconds;
    while (!term_has(t, text)) {
        if (now() > until)
            return false;
        take(t, 20);
    }
    return true;
}

bool term_wait_gone(Term *t, const char *text, double seconds)
{
    double until = now() + seconds;
    while (term_has(t, text)) {
        if (now() > until)
            return false;
        take(t, 20);
    }
    return true;
}

bool term_wait_end(Term *t, double seconds)
{
    double until = now() + seconds;
    for (;;) {
        while (take(t, 0))
            ;
        reap(t, WNOHANG);
        if (t->ended || now() > until) {
            while (take(t, 0))
                ;
            return t->ended;
        }
        usleep(2000);
    }
}

static void send_bytes(Term *t, const char *bytes, size_t n)
{
    while (n) {
        ssize_t k = write(t->fd, bytes, n);
        if (k > 0) {
            bytes += k;
            n -= (size_t)k;
        } else if (errno == EAGAIN) {
            take(t, 10);
        } else {
            return;
        }
    }
}

static void press_one(Term *t, const char *name, size_t n)
{
    // clang-format off
    static const struct { const char *name, *bytes; } named[] = {
        {"Enter", "\r"}, {"Esc", "\033"}, {"Tab", "\t"}, {"Shift-Tab", "\033[Z"}, {"Space", " "},
        {"Backspace", "\177"}, {"Up", "\033OA"}, {"Down", "\033OB"}, {"Right", "\033OC"},
        {"Left", "\033OD"}, {"Home", "\033OH"}, {"End", "\033OF"}, {"PgUp", "\033[5~"},
        {"PgDn", "\033[6~"}, {"Ins", "\033[2~"}, {"Del", "\033[3~"}, {"F1", "\033OP"},
        {"F2", "\033OQ"}, {"F3", "\033OR"}, {"F4", "\033OS"},
        {"Ctrl-Left", "\033[1;5D"}, {"Ctrl-Right", "\033[1;5C"},
    };
    // clang-format on
    char key[40];
    snprintf(key, sizeof key, "%.*s", (int)n, name);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (!strcmp(named[i].name, key)) {
            send_bytes(t, named[i].bytes, strlen(named[i].bytes));
            return;
        }
    if (!strncmp(key, "Ctrl-", 5)) {
        char c = (char)(key[5] & 0x1f);
        send_bytes(t, &c, 1);
    } else if (!strncmp(key, "Alt-", 4)) {
        send_bytes(t, "\033", 1);
        send_bytes(t, key + 4, strlen(key + 4));
    } else {
        send_bytes(t, key, strlen(key));
    }
}

void term_press(Term *t, const char *keys)
{
    while (*keys) {
        size_t n = strcspn(keys, " ");
        if (n)
            press_one(t, keys, n);
        if (n == 3 && !strncmp(keys, "Esc", 3)) { /* alone it needs time to be told from Alt */
            double until = now() + 0.08;
            while (now() < until)
                take(t, 10);
        } else {
            take(t, 30);
        }
        keys += n;
        keys += *keys == ' ';
    }
    term_settle(t);
}

void term_send(Term *t, const char *bytes, size_t n)
{
    send_bytes(t, bytes, n);
    take(t, 0);
}

void term_type(Term *t, const char *text)
{
    send_bytes(t, text, strlen(text));
    term_settle(t);
}

void term_paste(Term *t, const char *text)
{
    send_bytes(t, "\033[200~", 6);
    send_bytes(t, text, strlen(text));
    send_bytes(t, "\033[201~", 6);
    term_settle(t);
}

static void mouse(Term *t, int button, int row, int col)
{
    char bytes[40];
    int n = snprintf(bytes, sizeof bytes, "\033[<%d;%d;%dM", button, col + 1, row + 1);
    send_bytes(t, bytes, (size_t)n);
    if (button < 64) {
        n = snprintf(bytes, sizeof bytes, "\033[<%d;%d;%dm", button, col + 1, row + 1);
        send_bytes(t, bytes, (size_t)n);
    }
    term_settle(t);
}

void term_click(Term *t, int row, int col)
{
    mouse(t, 0, row, col);
}

void term_drag(Term *t, int row, int col, int to_row, int to_col)
{
    char bytes[80];
    int n = snprintf(bytes, sizeof bytes, "\033[<0;%d;%dM\033[<0;%d;%dm", col + 1, row + 1, to_col + 1, to_row + 1);
    send_bytes(t, bytes, (size_t)n);
    term_settle(t);
}

void term_wheel(Term *t, int row, int col, int direction)
{
    mouse(t, direction > 0 ? 65 : 64, row, col);
}

void term_resize(Term *t, int rows, int cols)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
    while (take(t, 0))
        ;
    t->rows = rows;
    t->cols = cols;
    vterm_set_size(t->vt, rows, cols);
    ioctl(t->fd, TIOCSWINSZ, &size); /* the kernel sends SIGWINCH */
    term_settle(t);
}

void term_signal(Term *t, int number)
{
    kill(t->child, number);
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

static size_t put_code(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    out[0] = (char)(n == 2 ? 0xc0 | c >> 6 : n == 3 ? 0xe0 | c >> 12 : 0xf0 | c >> 18);
    for (size_t i = 1; i < n; i++)
        out[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
    return n;
}

static VTermScreenCell cell_at(Term *t, int row, int col)
{
    VTermScreenCell cell;
    memset(&cell, 0, sizeof cell);
    vterm_screen_get_cell(t->screen, (VTermPos){.row = row, .col = col}, &cell);
    return cell;
}

/* The row as text; col_of[i] is the column of byte i. */
static const char *row_text(Term *t, int row, int *col_of)
{
    size_t n = 0, end = 0;
    for (int col = 0; col < t->cols && n + 32 < sizeof t->row;) {
        VTermScreenCell cell = cell_at(t, row, col);
        size_t from = n;
        if (!cell.chars[0])
            t->row[n++] = ' ';
        for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i]; i++)
            n += put_code(t->row + n, cell.chars[i]);
        for (size_t i = from; col_of && i < n; i++)
            col_of[i] = col;
        if (cell.chars[0] && cell.chars[0] != ' ')
            end = n;
        col += cell.width > 1 ? cell.width : 1;
    }
    t->row[end] = 0;
    return t->row;
}

const char *term_row(Term *t, int row)
{
    return row_text(t, row, NULL);
}

bool term_find(Term *t, const char *text, int *row, int *col)
{
    static int col_of[4096];
    for (int r = 0; r < t->rows; r++) {
        const char *line = row_text(t, r, col_of), *at = strstr(line, text);
        if (at) {
            if (row)
                *row = r;
            if (col)
                *col = col_of[at - line];
            return true;
        }
    }
    return false;
}

bool term_has(Term *t, const char *text)
{
    return term_find(t, text, NULL, NULL);
}

void term_print(Term *t)
{
    for (int r = 0; r < t->rows; r++)
        fprintf(stderr, "|%s\n", term_row(t, r));
}

static unsigned rgb(Term *t, VTermColor c)
{
    vterm_screen_convert_color_to_rgb(t->screen, &c);
    return (unsigned)c.rgb.red << 16 | (unsigned)c.rgb.green << 8 | c.rgb.blue;
}

unsigned term_fore(Term *t, int row, int col)
{
    return rgb(t, cell_at(t, row, col).fg);
}

unsigned term_back(Term *t, int row, int col)
{
    return rgb(t, cell_at(t, row, col).bg);
}

bool term_bold(Term *t, int row, int col)
{
    return cell_at(t, row, col).attrs.bold;
}

bool term_reverse(Term *t, int row, int col)
{
    return cell_at(t, row, col).attrs.reverse;
}

bool term_altscreen(Term *t)
{
    return t->altscreen;
}

bool term_cursor_shown(Term *t)
{
    return t->cursor;
}

bool term_mouse(Term *t)
{
    return t->mouse;
}

size_t term_bytes(Term *t)
{
    return t->bytes;
}

bool term_sent(Term *t, const char *bytes)
{
    return memmem(t->tail, t->tail_count, bytes, strlen(bytes)) != NULL;
}

const char *term_clipboard(Term *t)
{
    return t->clipboard;
}

double term_key_seconds(Term *t, const char *key)
{
    while (take(t, 0))
        ;
    double from = now(), last = from;
    press_one(t, key, strlen(key));
    if (take(t, 500))
        last = now();
    while (take(t, 8))
        last = now();
    return last - from;
}

int term_close(Term *t)
{
    bool forced = false;
    if (!term_wait_end(t, 0)) {
        kill(t->child, SIGTERM);
        if (!term_wait_end(t, 8)) {
            forced = true;
            kill(t->child, SIGKILL);
            reap(t, 0);
        }
    }
    int status = t->status;
    close(t->fd);
    vterm_free(t->vt);
    free(t);
    return forced ? -1000 : WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
