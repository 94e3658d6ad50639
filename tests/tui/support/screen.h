/* screen.h -- a program in a terminal held in memory: press keys, read cells. For tests.
 *
 *     Term *t = term_open(24, 80, run_workbench, &options, NULL);   // forks; the child runs it
 *     assert_true(term_wait(t, "Datasets", 5));
 *     term_press(t, "j"); term_press(t, "Ctrl-P"); term_type(t, "theme");
 *     assert_true(term_has(t, "light"));
 *     assert_int_equal(term_close(t), 0);
 *
 * Every wait is bounded. The terminal is libvterm; TERM is xterm-256color unless env says otherwise. */
#ifndef LATHE_TEST_SCREEN_H
#define LATHE_TEST_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Term Term;

/* program runs in a child process on the terminal; its return value is the exit status. env: "K=V",
 * NULL-ended, or NULL; "K=" unsets K. */
Term *term_open(int rows, int cols, int (*program)(void *context), void *context,
                const char *const *env);
/* Ends the child if it still runs (SIGTERM, then SIGKILL); returns its exit status, -signal, or -1000 if
 * it had to be killed. */
int term_close(Term *t);
void term_press(Term *t, const char *keys); /* "Down", "Ctrl-P", "j": separated by blanks */
void term_type(Term *t, const char *text);  /* as it is */
void term_send(Term *t, const char *bytes, size_t n); /* the same without waiting */
void term_paste(Term *t, const char *text);           /* between bracketed-paste marks */
void term_click(Term *t, int row, int col);
void term_drag(Term *t, int row, int col, int to_row, int to_col);
void term_wheel(Term *t, int row, int col, int direction);
void term_resize(Term *t, int rows, int cols);
void term_signal(Term *t, int number);
void term_settle(Term *t); /* until it has been silent for 60 ms, 3 s at most */
bool term_wait(Term *t, const char *text, double seconds);
bool term_wait_gone(Term *t, const char *text, double seconds);
bool term_wait_end(Term *t, double seconds); /* the child has ended */
bool term_has(Term *t, const char *text);
bool term_find(Term *t, const char *text, int *row, int *col);
const char *term_row(Term *t, int row);        /* without trailing blanks; until the next call */
void term_print(Term *t);                      /* to stderr, for a failing test */
unsigned term_fore(Term *t, int row, int col); /* 0xRRGGBB */
unsigned term_back(Term *t, int row, int col);
bool term_bold(Term *t, int row, int col);
bool term_reverse(Term *t, int row, int col);
bool term_altscreen(Term *t);
bool term_cursor_shown(Term *t);
bool term_mouse(Term *t);
size_t term_bytes(Term *t);          /* written by the child so far */
const char *term_clipboard(Term *t); /* base64 of the last OSC 52; "" none */
bool term_sent(Term *t, const char *bytes); /* among the last 8 kB it wrote */
/* Seconds from the key to the end of the painting it causes. */
double term_key_seconds(Term *t, const char *key);

#endif
