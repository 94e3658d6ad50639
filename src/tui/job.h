/* job.h -- work that would keep the screen waiting, on a thread of its own.
 *
 * A job gets an input it owns and returns a result, or NULL with err set. The result is handed to
 * `done` on the screen thread, which owns it from then on. Whoever starts a second job in the same
 * slot makes the first one superfluous: it is asked to stop and its result is freed unseen; so is
 * the result of a job whose owner has gone. Newest wins.
 *
 *     typedef struct Ask { char hash[65]; } Ask;
 *     static void *count(JobContext *c, void *input, Error *err) { ... job_store(c, err) ... }
 *     static void counted(void *owner, void *result, const Error *err, Ui *ui)
 *     {
 *         MyState *s = owner;      // result NULL: err says why (err->kind ERROR_STOP: cancelled)
 *         ...                      // s->answer takes result
 *         ui_draw(ui);
 *     }
 *     ui_job(ui, (Job){ .owner = s, .slot = SLOT_COUNT, .what = "counting", .run = count,
 *                       .input = mem_copy(&ask, sizeof ask), .done = counted, .release = mem_free });
 *
 * While a job runs longer than 200 ms the status line shows `what`, its progress, rate and the time
 * it still needs (from job_progress); Ctrl-C cancels the newest one. */
#ifndef LATHE_TUI_JOB_H
#define LATHE_TUI_JOB_H

#include "pane.h"

#include <lathe/store.h>

typedef struct JobContext JobContext;
Store *job_store(JobContext *c, Error *err); /* the worker's own connection to the workspace */
Pool *job_pool(JobContext *c);               /* the worker's own threads */
Progress *job_progress(JobContext *c);       /* to be passed down, or written: progress_begin ... */
bool job_stopped(JobContext *c);             /* ask once a batch */
const char *job_workspace(JobContext *c);
const char *job_program(JobContext *c);
void job_say(JobContext *c, const char *line); /* a line of news, shown on the status line */

typedef struct Job {
    void *owner; /* usually the pane's state; with slot it names the place */
    int slot;
    const char *what;   /* static text for the status line; NULL: never shown */
    char what_text[64]; /* the same, when it must be made up; used if not empty */
    void *(*run)(JobContext *c, void *input, Error *err);
    void *input; /* taken */
    void (*done)(void *owner, void *result, const Error *err, Ui *ui);
    void (*release)(void *result);      /* frees a result nobody wants; NULL: mem_free */
    void (*release_input)(void *input); /* NULL: mem_free */
    bool quiet;  /* a failure is the owner's business; else it is also a toast */
    bool urgent; /* short and waited for by the eye: goes before other work */
} Job;

void ui_job(Ui *ui, Job job);
bool ui_job_running(const Ui *ui, const void *owner, int slot);
void ui_job_cancel(Ui *ui, void *owner, int slot);

#endif
