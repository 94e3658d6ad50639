/* tui.h -- the terminal workbench, as one call.
 *
 *     TuiOptions o = { .workspace = "work", .program = argv[0] };
 *     Error err = {0};
 *     if (!tui_main(&o, &err))
 *         fprintf(stderr, "lathe: %s\n", err.text);
 *
 * It owns the terminal from the call to its return, and restores it on every way out: the last key,
 * SIGTERM, SIGHUP, a crash. Nothing of curses is touched before the call. */
#ifndef LATHE_TUI_H
#define LATHE_TUI_H

#include <lathe/base.h>

typedef struct TuiOptions {
    const char *workspace; /* folder; created when missing */
    const char *program;   /* path of lathe itself, for runs as processes of their own */
    const char *theme;     /* name; NULL: LATHE_THEME, what the workspace remembers, "dark" */
    const char *dataset;   /* to open first; NULL: what the workspace remembers, the newest */
    const char *replay;    /* a macro to be played, and then to leave; NULL none. Needs no terminal. */
    const char *pane;      /* to show first; NULL: what the workspace remembers, "data" */
} TuiOptions;

/* Returns when the user leaves. false: there is no terminal to draw on, or it cannot do it. */
bool tui_main(const TuiOptions *o, Error *err);

#endif
