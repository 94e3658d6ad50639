/* ui.h -- what the frame does for panes: what is known of the workspace, what is chosen, messages,
 * dialogs, other panes. Everything here is called on the screen thread and returns at once. */
#ifndef LATHE_TUI_UI_H
#define LATHE_TUI_UI_H

#include "job.h"

#include <lathe/command.h>

/* ---- the workspace, as last seen --------------------------------------------------------------- */

/* Read by a thread of its own whenever the store has changed; replaced, never changed. Borrowed
 * until the next tick: keep hashes and ids, not pointers. */
typedef struct Snapshot {
    Arena arena;
    uint64_t number; /* grows with every snapshot: has it changed? */
    size_t datasets;
    DatasetRow *dataset; /* newest first */
    size_t runs;
    RunRow *run;  /* newest first */
    double *pace; /* [runs] steps a second of late of those that train; NaN: not known */
    size_t drifts;
    DriftRow *drift; /* newest first */
    size_t models;
    ModelRow *model;
    size_t alerts;
    AlertRow *alert; /* of deployments, open, newest first; 100 at most */
    double disk_free, disk_total; /* bytes, where the workspace lies; 0: not known */
    const char *error; /* the store cannot be read: why; else NULL */
} Snapshot;
const Snapshot *ui_snapshot(const Ui *ui); /* never NULL */
const DatasetRow *snapshot_dataset(const Snapshot *s,
                                   const char *hash_or_name); /* NULL if absent */
const RunRow *snapshot_run(const Snapshot *s, int64_t id);    /* NULL if absent */
double snapshot_seconds_left(const Snapshot *s, int64_t run); /* of its training; NaN: not known, or it does not train */
bool run_is_active(const RunRow *r);                          /* scheduled, running or paused */
void ui_refresh(Ui *ui); /* look at the store now; a finished job does so by itself */

/* Around a change that a job brings: `u` takes it back as it does what a key changes at once. */
void ui_change_begins(Ui *ui);
void ui_change_ends(Ui *ui, const char *what);

/* ---- the dataset and the run that are worked on ---------------------------------------------------- */

/* An opened dataset, shared: hold it while a job reads it. Its schema has the user's roles. */
typedef struct OpenDataset {
    atomic_int holders;
    Dataset *data;
    Schema schema;
    DatasetRow row; /* text in arena */
    Arena arena;
} OpenDataset;
OpenDataset *open_dataset_hold(OpenDataset *d); /* another holder; NULL stays NULL */
void open_dataset_drop(OpenDataset *d);         /* the last one closes it; NULL is fine */

OpenDataset *ui_dataset(const Ui *ui);     /* borrowed; NULL: none, or still opening */
const char *ui_dataset_hash(const Ui *ui); /* of what is chosen, also while opening; "" none */
void ui_choose_dataset(Ui *ui, const char *hash_or_name);
bool ui_dataset_opening(const Ui *ui);
void ui_set_role(Ui *ui, const char *column, Role role); /* stored by a job; the schema follows */

int64_t ui_run(const Ui *ui); /* 0: none */
void ui_choose_run(Ui *ui, int64_t run);
bool ui_run_marked(const Ui *ui, int64_t run); /* marked runs are drawn together, compared */
void ui_mark_run(Ui *ui, int64_t run, bool on);
size_t ui_marked_runs(const Ui *ui, int64_t *out, size_t most);
void ui_marks_keep(const Ui *ui, Text *into);  /* the marked runs as a text, for Pane.keep, */
void ui_marks_put(Ui *ui, const char *kept);   /* and back */
Style run_style(int64_t run); /* its colour on every chart */

/* ---- saying and asking ------------------------------------------------------------------------------ */

void ui_draw(Ui *ui);                    /* draw a frame soon */
void ui_animate(Ui *ui, double seconds); /* tick and draw for so long (spinners, live curves) */
double ui_now(const Ui *ui);             /* clock_now() of this frame */
void ui_say(Ui *ui, Style style, const char *fmt, ...)
    PRINTF_LIKE(3, 4);                   /* status line and messages */
void ui_error(Ui *ui, const Error *err); /* the same, in red */
/* The same with the place where it can be seen: a pane, and a run if it is one's (0: none). */
void ui_news(Ui *ui, Style style, const char *pane, int64_t run, const char *fmt, ...) PRINTF_LIKE(5, 6);
void ui_copy(Ui *ui, const char *text);  /* to the clipboard of the terminal (OSC 52) */
void ui_view(Ui *ui, const char *title, const char *text); /* in a scrolling viewer */
/* In the user's editor, which has the terminal meanwhile. ending: ".recipe". */
bool ui_edit_text(Ui *ui, Text *text, const char *ending, Error *err);
/* Yes or no; `done` is called with the answer yes only. */
void ui_confirm(Ui *ui, const char *question, const char *detail, void (*yes)(void *owner, Ui *ui),
                void *owner);
/* One line of text in a dialog. */
typedef struct Ask {
    const char *title, *label, *initial;
    const char *about; /* what is wanted, dim; NULL */
    void *owner;
    void (*done)(void *owner, const char *text, Ui *ui); /* on Enter */
    /* May refuse, the dialog stays open and shows why; NULL: all is fine. Called at each key. */
    bool (*check)(void *owner, const char *text, Error *err);
    void (*complete)(void *owner, const char *text, void (*add)(void *, const char *word),
                     void *context);
} Ask;
void ui_ask(Ui *ui, const Ask *ask);
/* Pick one of a list; typing filters. */
typedef struct MenuItem {
    const char *label, *note;
    Style style;
} MenuItem; /* copied */
void ui_menu(Ui *ui, const char *title, const MenuItem *items, size_t n, size_t at,
             void (*picked)(void *owner, size_t item, Ui *ui), void *owner);

/* ---- commands and panes -------------------------------------------------------------------------------- */

/* A line of the command language ("train mlp data=trips"), as a job. done may be NULL: then the
 * result is shown (in the status line if it is short, else in the viewer). */
void ui_command(Ui *ui, const char *line, void *owner,
                void (*done)(void *owner, const json_t *result, const Error *err, Ui *ui));
/* The same, called `title` on the status line: the line may have hashes and settings in it. */
void ui_command_titled(Ui *ui, const char *title, const char *line, void *owner,
                       void (*done)(void *owner, const json_t *result, const Error *err, Ui *ui));
void ui_prompt(Ui *ui, const char *initial);           /* opens `:` with a text to begin with */
void ui_go(Ui *ui, const char *pane);                  /* "train" */
/* A cleaning rule made up elsewhere, for the Clean pane to go on with in its editor. */
void ui_offer_rule(Ui *ui, const char *rule);
char *ui_take_rule(Ui *ui);                            /* owned; NULL: none was offered */
/* Rows of a dataset found elsewhere (those of a training step), for the Data pane to show. */
typedef struct FoundRows {
    char hash[65];
    char what[160];                                    /* "the rows of step 12 of run 3" */
    uint32_t *row;                                     /* [count], owned, in their order */
    uint64_t count;
} FoundRows;
void found_rows_destroy(void *rows);
void ui_show_rows(Ui *ui, FoundRows *rows);            /* takes; opens the dataset and the Data pane */
FoundRows *ui_take_rows(Ui *ui, const char *hash);     /* owned; NULL: none of this dataset */
bool ui_visible(const Ui *ui, const void *state);      /* is this pane on the screen? */
bool ui_maximised(const Ui *ui);                       /* draw only the part with the keys */
const char *ui_setting(const Ui *ui, const char *key); /* kept in the workspace; NULL none */
void ui_set_setting(Ui *ui, const char *key, const char *value); /* stored soon, by a job */

#endif
