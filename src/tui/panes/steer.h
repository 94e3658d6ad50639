/* steer.h -- what may be asked of a run, declared once for every pane that shows runs: the keys, why
 * one cannot be used now, and the command each becomes, which is the one a user would type.
 *
 *     static const KeyRow keys[] = { STEER_KEYS, {MY_OWN, ...}, {0}};
 *     ...
 *     Reply reply = steer_command(&s->steer, command, run);   // REPLY_IGNORED: not one of these
 */
#ifndef LATHE_TUI_STEER_H
#define LATHE_TUI_STEER_H

#include "../ui.h"

enum {
    STEER_CHANGE = PANE_COMMANDS + 500, STEER_PAUSE, STEER_STOP, STEER_FORK, STEER_RESUME,
    STEER_LR_DOWN, STEER_LR_UP, STEER_CHECKPOINT, STEER_PREDICT, STEER_WHATIF, STEER_END_
};

// clang-format off
#define STEER_KEYS \
    {STEER_CHANGE,    "edit-live",   "e", "change", "change a hyperparameter while it trains", 0},                     \
    {STEER_PAUSE,     "pause-run",   "p", "pause",  "pause it at the next step, or let it go on", 0},                  \
    {STEER_STOP,      "stop-run",    "x", "stop",   "end it properly: best weights, test metrics, model", 0},          \
    {STEER_FORK,      "fork-run",    "f", "fork",   "a new run from a checkpoint (at or before the crosshair), with changes", 0}, \
    {STEER_RESUME,    "resume-run",  "R", "resume", "go on from the last checkpoint", 0},                              \
    {STEER_LR_DOWN,   "halve-lr",    ",", NULL,     "half the learning rate", 0},                                      \
    {STEER_LR_UP,     "double-lr",   ".", NULL,     "twice the learning rate", 0},                                     \
    {STEER_CHECKPOINT,"checkpoint",  "c", NULL,     "write a checkpoint now", 0},                                      \
    {STEER_PREDICT,   "predict-run", "P", NULL,     "score rows with its model", 0},                                  \
    {STEER_WHATIF,    "what-if",     "W", NULL,     "a row as a form: change a value, see the prediction move", 0}
// clang-format on

#define STEER_LIVE 32
typedef struct Steer {
    Ui *ui;
    const void *owner; /* handed to the two questions below */
    /* The value of a hyperparameter after that step; INT64_MAX: as it is now. NULL: not known. */
    const char *(*setting)(const void *owner, int64_t run, const char *key, int64_t step);
    /* The checkpoint to fork from; -1: it has none; -2: the last, whichever that is. */
    int64_t (*fork_step)(const void *owner, int64_t run);
    int64_t run; /* the open dialog is about */
    const Param *live[STEER_LIVE];
    size_t lives;       /* rows of the menu that is open */
    char key[40];       /* what the open dialog asks a value for */
    char said[240];     /* to say when what was asked has been taken */
} Steer;

Reply steer_command(Steer *s, int command, int64_t run);
/* alive: its process is there, as far as is known. NULL: it can be done, or is not one of these. */
const char *steer_why_not(const RunRow *run, bool alive, int command);
const char *steer_hint(const RunRow *run, int command); /* as Pane.hint */

#endif
