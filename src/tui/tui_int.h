/* tui_int.h -- the guts of the workbench, shared by its core files and by nobody else. */
#ifndef LATHE_TUI_INT_H
#define LATHE_TUI_INT_H

#include "budget.h"
#include "keymap.h"
#include "screen.h"
#include "tui.h"
#include "ui.h"
#include "widgets.h"

#include <pthread.h>
#include <semaphore.h>

/* ---- jobs (job.c) ---------------------------------------------------------------------------------- */

#define JOB_SHOWN_AFTER 0.2 /* seconds: in the status line, if it has a title */

typedef struct JobItem JobItem;
struct JobItem {
    Job job;
    Progress progress;
    uint64_t number;
    double started; /* clock_now() when asked for */
    bool stale;     /* its result is not wanted any more (screen thread) */
    void *result;   /* written by the worker before it is handed back */
    Error error;
    char *note;    /* a line of news instead of a result */
    JobItem *next; /* in the stacks and queues */
};

typedef struct Jobs Jobs;
Jobs *jobs_create(const char *workspace, const char *program, int wake);
/* Asks all to stop and waits a moment. false: something did not stop, its threads still run. */
bool jobs_destroy(Jobs *j);
void jobs_add(Jobs *j, Job job, double now);
void jobs_cancel(Jobs *j, const void *owner, int slot);
void jobs_forget_owner(Jobs *j, const void *owner); /* it has gone: nothing of its may come back */
bool jobs_stop_newest(Jobs *j, const char **what); /* Ctrl-C; false: nothing runs */
bool jobs_running(const Jobs *j, const void *owner, int slot);
/* What has come back; calls `done` of each. true: something did. */
bool jobs_collect(Jobs *j, Ui *ui);
/* The jobs in flight, oldest first, for the status line. */
size_t jobs_count(const Jobs *j);
JobItem *jobs_at(const Jobs *j, size_t i);
const char *job_title(const JobItem *item); /* NULL: not to be shown */

/* ---- the watcher of the store (watch.c) --------------------------------------------------------------- */

typedef struct Watch Watch;
Watch *watch_start(const char *workspace, int wake);
void watch_stop(Watch *w);
void watch_look(Watch *w);      /* now, not at the next quarter of a second */
Snapshot *watch_take(Watch *w); /* a newer snapshot, owned; NULL: none */
void snapshot_destroy(Snapshot *s);

/* ---- overlays: what lies over the panes and takes the keys ----------------------------------------------- */

typedef struct Overlay Overlay;
typedef struct OverlayKind {
    const char *name;
    size_t size; /* of the struct that begins with an Overlay */
    void (*layout)(Overlay *o, const Ui *ui, int rows, int cols);
    void (*draw)(const Overlay *o, const Canvas *screen, const Ui *ui);
    /* Every key; the overlay closes itself with overlay_close. */
    void (*on_key)(Overlay *o, Key key, Ui *ui);
    void (*on_mouse)(Overlay *o, const Mouse *m, Ui *ui);
    void (*destroy)(Overlay *o);
    const KeyRow *keys; /* for the line of hints */
    bool text; /* keys are typed into it: pasted text may come in */
} OverlayKind;
struct Overlay {
    const OverlayKind *kind;
    Overlay *below;
};
void *overlay_open(Ui *ui, const OverlayKind *kind);
void overlay_close(Ui *ui, void *overlay); /* on_key returns after it and touches nothing */
/* A box of this size in the middle of the screen, with the ground filled. */
Canvas overlay_box(const Canvas *screen, int rows, int cols, const char *title, const char *note);

/* news.c */
void news_changed(Ui *ui, const Snapshot *old, const Snapshot *now);
void news_while_away(Ui *ui, const Snapshot *now);
void news_seen(Ui *ui);                    /* the user has seen all until now */

/* macro.c */
typedef struct Recording {
    bool on;
    char path[400];
    Text text, typed, pressed;
} Recording;
typedef struct Replay Replay;
void macro_note(Ui *ui, Key key);              /* a key that is about to be taken */
void macro_record(Ui *ui, const char *path);   /* begins, or ends; NULL: the workspace's last.macro */
void replay_start(Ui *ui, const char *path, bool program); /* "" the last; program: leave at the end */
Replay *replay_read(const char *path, Error *err);
void replay_step(Ui *ui);
bool replay_active(const Ui *ui);
void replay_destroy(Replay *r);

/* undo.c: what `u` takes back, a list a pane */
typedef struct Undo {
    size_t pane;
    uint64_t step;    /* what one key changed goes together */
    char *what;       /* the command that did it */
    char *line;       /* a line of the command language that takes it back; or */
    char *kept;       /* how the pane was, as its keep made it */
} Undo;
typedef VEC(Undo) UndoList;
typedef struct UndoFor { /* whose change a command is, noted when it is given */
    size_t pane;
    uint64_t step;
    enum { UNDO_FRESH, UNDO_BACK, UNDO_AGAIN } way;
    char what[80];
} UndoFor;
void undo_before(Ui *ui);                      /* a key is about to be taken */
void undo_after(Ui *ui);
UndoFor undo_for(const Ui *ui, const char *line);
void undo_take(Ui *ui, const UndoFor *f, const char *line); /* a command is done; line takes it back */
void undo_move(Ui *ui, bool back);             /* u; Ctrl-R */
void undo_release(Ui *ui);
/* A command given for undo_move: its own way back goes to the other list. */
void ui_command_for(Ui *ui, const char *line, void *owner,
                    void (*done)(void *owner, const json_t *result, const Error *err, Ui *ui), const UndoFor *f);

/* reload.c */
void reload_begin(Ui *ui);
void reload_watch(Ui *ui);                     /* the files that are in use now */
void reload_keys(Ui *ui, bool again);
void reload_take(Ui *ui);
void reload_end(Ui *ui);

void theme_choose(Ui *ui);                     /* theme_choose.c */
void help_open(Ui *ui);                        /* help.c */
void palette_open(Ui *ui);                     /* palette.c */
void prompt_open(Ui *ui, const char *initial); /* prompt.c */
void prompt_release(Ui *ui);
void viewer_open(Ui *ui, const char *title, const char *text); /* dialogs.c */
void messages_open(Ui *ui, const char *title); /* messages.c */

/* set.c: `:set NAME VALUE` */
void set_line(Ui *ui, const char *rest, const UndoFor *undo);
void set_begin(Ui *ui); /* what the workspace remembers, when it is known */
void set_complete(const char *rest, void (*add)(void *, const char *, const char *), void *context);
double set_bandwidth(const Ui *ui); /* bytes a second; 0: any */

/* write_view.c: what a pane shows, as a file */
void write_view_ask(Ui *ui);
void write_view_to(Ui *ui, const char *path);
const char *write_view_why_not(const Ui *ui);
void csv_add_field(const char *text, Text *into);
void ui_escape(Ui *ui, const char *bytes, size_t n); /* to the terminal, through tmux if it stands between */

/* Slots of the frame's own jobs (their owner is the Ui). */
enum { SLOT_DATASET = 1, SLOT_SESSION, SLOT_SAVE, SLOT_COMMAND, SLOT_NICE };

/* ---- the frame ---------------------------------------------------------------------------------------------- */

#define PANES_MOST 16
#define ZONE_TAB   (-1001)
#define ZONE_HINT  (-1002)

typedef struct Message {
    int64_t time;
    Style style;
    char *text;
    int64_t run;   /* where it can be seen; 0 none */
    char pane[16]; /* "" nowhere */
} Message;

typedef struct Recent { /* used from the palette, newest first: "pane train" */
    char name[80];
} Recent;

struct Ui {
    const TuiOptions *options;
    char *workspace, *program;
    Screen *screen;
    Theme theme;
    KeyTables keymap;
    char keys_path[400];                   /* "": the keys are as in the tables */
    int files, theme_watch, keys_watch;    /* inotify */
    Recording recording;
    Replay *replay;
    bool disk_said;                        /* that the disk is low */
    Budget budget; size_t sent;            /* of bytes (bandwidth); bytes that it knows of */
    Error failed;                          /* why `lathe replay` ends badly */
    Jobs *jobs;
    Watch *watch;
    int wake; /* eventfd */
    double now;
    bool quit, dirty, pasting;
    bool begun;                            /* the first snapshot was looked at */
    double animate_until;
    double next_tick;

    const Snapshot *snapshot; /* owned */
    Snapshot none;            /* before the first one */

    size_t pane_count, at;
    void *state[PANES_MOST];
    bool fresh[PANES_MOST]; /* something is new that this pane was not told of */
    bool maximised;

    OpenDataset *dataset;
    char dataset_hash[65];
    int64_t run;
    VEC(int64_t) marked;

    char *offered_rule;                    /* for the Clean pane; NULL none */
    FoundRows *found_rows;                 /* for the Data pane; NULL none */

    VEC(Message) messages;
    char said[512];
    Style said_style;
    double said_at;

    json_t *settings; /* one object of texts, kept in the store as one setting */
    bool settings_changed, settings_known;
    VEC(Recent) recent;
    UndoList done, undone;
    uint64_t step;                         /* counts keys, but those that go on with one */
    size_t before_pane; bool before_known;
    Text before;                           /* how that pane was when the key came */
    char doing[64];                        /* the command it was */
    Overlay *overlay; /* topmost */
    void *prompt;     /* prompt.c: readline's side */
    double clicked_at;
    int clicked_row, clicked_col;
};

extern const KeyRow viewer_keys[];

const Pane *ui_pane(const Ui *ui); /* the one that is shown */
const KeyRow *ui_keys(const Ui *ui); /* its keys, as the user wants them */
unsigned pane_mode(const Pane *p, const void *state);
bool pane_text_mode(const Pane *p, const void *state);
const char *pane_why_not(const Pane *p, const void *state, int command, const Ui *ui);
/* Runs a command as if its key had been pressed. */
void ui_do(Ui *ui, int command);
void ui_theme(Ui *ui, const char *name); /* and remembers it */
void theme_line(Ui *ui, const char *name, const UndoFor *undo); /* theme_choose.c: the same, to stay until u */
void ui_show_result(Ui *ui, const char *line, const Command *command, const json_t *result);
void frame_draw(Ui *ui); /* frame.c: everything */
void frame_draw_tabs(const Ui *ui, const Canvas *bar); /* edges.c */
void frame_draw_status(const Ui *ui, const Canvas *c);
void frame_draw_hints(const Ui *ui, const Canvas *c);
void frame_key(Ui *ui, Key key);
void frame_mouse(Ui *ui, const ScreenMouse *m);
void frame_body(const Ui *ui, int *rows, int *cols);
bool frame_fits(const Ui *ui);       /* large enough to draw on */
void session_load(Ui *ui);           /* ui.c: asks for what the workspace remembers */
void session_save(Ui *ui, bool now); /* by a job; now: on this thread, at the end */
/* A line after `:`: the workbench's own words (theme, go, the commands of keys), else ui_command. */
void ui_line(Ui *ui, const char *line);
void ui_line_complete(Ui *ui, const char *line, void (*add)(void *, const char *, const char *),
                      void *context);
void open_by_name(Ui *ui, const char *name); /* ui.c: the open dataset anew, as it is stored */

#endif
