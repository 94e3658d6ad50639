/* pane.h -- what a pane is: its state, how it draws, and its commands. One file each in panes/.
 *
 * State holds what is looked at; draw reads it and may not change it; commands change it. The frame
 * keeps one zeroed state per pane for as long as the workbench is open and calls, on the screen
 * thread only:
 *
 *   create    once, before anything else
 *   tick      when something may be new: a snapshot (ui_snapshot), a finished job (after its done),
 *             another dataset or run chosen, this pane shown, and every 100 ms while visible and
 *             ui_animate was asked for. Says whether the screen must be drawn.
 *   layout    before draw, with the room there is: scroll positions are fitted here
 *   draw      the body; nothing but drawing
 *   on_command, on_key, on_mouse   then layout and draw follow if the reply is REPLY_DRAW
 *
 * None may wait: no store, no file, no scan of a dataset. That is what jobs are for (job.h).
 * data.c is the pane to copy. */
#ifndef LATHE_TUI_PANE_H
#define LATHE_TUI_PANE_H

#include "canvas.h"
#include "keys.h"

typedef struct Ui Ui;
struct TableSource;
struct Chart;

typedef enum Reply {
    REPLY_IGNORED, /* not mine: the frame tries it next */
    REPLY_STAY,    /* done, nothing to draw */
    REPLY_DRAW,    /* done, draw */
} Reply;

/* A drag is a press and, two cells away or more, the release: it needs no report of each cell between, so it works
 * over a slow link. Only panes that say so (drags) hear of it; its place is that of the press. */
typedef enum MouseKind { MOUSE_PRESS, MOUSE_DOUBLE, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN, MOUSE_DRAG } MouseKind;
typedef struct Mouse {
    MouseKind kind;
    int id;         /* of the zone (canvas_zone); -1: in no zone */
    int64_t index;  /* of the zone */
    int row, col;   /* inside the zone; in no zone: in the pane's body */
    int rows, cols; /* size of the zone */
    int drag_rows, drag_cols; /* of a drag: how far, down and to the right */
} Mouse;

typedef struct Pane {
    const char *name, *title; /* "runs", "Runs": the tab, the palette, `:go runs` */
    const char *about;        /* one line, for the palette and the help */
    const KeyRow *keys;
    size_t state_size;
    void (*create)(void *state, Ui *ui);
    void (*destroy)(void *state); /* releases what the state holds */
    bool (*tick)(void *state, Ui *ui);
    void (*layout)(void *state, int rows, int cols, Ui *ui);
    void (*draw)(const void *state, const Canvas *c, const Ui *ui);
    Reply (*on_command)(void *state, int command, Ui *ui);
    Reply (*on_mouse)(void *state, const Mouse *m, Ui *ui);
    bool drags;
    /* `:filter fare > 10`: one of its commands with words behind it. NULL: none takes any. */
    Reply (*on_words)(void *state, int command, const char *words, Ui *ui);
    /* Why a command cannot be done now, or NULL when it can: such hints are not shown, and pressing
     * the key says this line. May be NULL: everything can be done. */
    const char *(*why_not)(const void *state, int command, const Ui *ui);
    /* The word of a command in the bottom line now, where it is another than its row's ("": none); NULL: the row's. */
    const char *(*hint)(const void *state, int command, const Ui *ui);
    /* One bit saying what the keys mean now (browsing, editing ...), see KeyRow.modes; NULL: 1. */
    unsigned (*mode)(const void *state);
    unsigned text_modes; /* modes in which keys are text: rows that name the mode are tried, */
    Reply (*on_key)(void *state, Key key, Ui *ui); /* then on_key; the frame's keys are not */
    /* What may be written to a file (`write`): the table that is shown; the chart, its points kept in
     * the arena, with a title. false: there is none now. NULL: never. */
    bool (*table)(const void *state, struct TableSource *out);
    bool (*chart)(const void *state, Arena *a, struct Chart *out, char title[160]);
    /* Writes it itself, by a job, where that is more than what is on the screen (all rows of a table). false: not
     * a file of this ending, or this view. NULL: never. */
    bool (*write)(void *state, const char *path, Ui *ui);
    /* What `u` gives back: everything in which a key changes what is shown or set, as a text that put takes again (not
     * the place of the cursor). keep false: there is nothing now. put false: it is about something that is not open.
     * NULL: only what commands change is taken back here. */
    bool (*keep)(const void *state, Text *into);
    bool (*put)(void *state, const char *kept, Ui *ui);
    /* A short live note beside the title on the tab: "▸ 43%". NULL: none. */
    void (*badge)(const void *state, const Ui *ui, Text *into, Style *style);
} Pane;

/* The one list; its order is the order of the tabs and of the digits. */
#define PANES(X) X(data) X(clean) X(params) X(train) X(runs) X(drift) X(deploy) X(watch) X(sql)
#define AS_EXTERN(name) extern const Pane name##_pane;
PANES(AS_EXTERN)
#undef AS_EXTERN
extern const Pane *const panes[]; /* NULL-ended */

#endif
