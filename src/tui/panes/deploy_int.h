/* deploy_int.h -- what the files of the Deploy pane share. */
#ifndef LATHE_TUI_DEPLOY_INT_H
#define LATHE_TUI_DEPLOY_INT_H

#include "../ui.h"
#include "../widgets.h"

#include <lathe/deploy.h>

/* What the store says, read by a job; replaced, never changed. */
typedef struct DeployView {
    Arena arena;
    size_t rows, checks, audits;
    DeploymentRow *row;    /* by name */
    DeployMinute *traffic; /* [rows] */
    GateCheckRow *check;   /* the newest gate first */
    AuditRow *audit;       /* the newest first */
    bool busy;             /* requests came in the last seconds: it changes by itself */
} DeployView;

typedef enum DeployPart { DEPLOY_LIST, DEPLOY_MODELS, DEPLOY_CHECKS, DEPLOY_AUDIT, DEPLOY_FORM, DEPLOY_PARTS } DeployPart;

typedef struct DeployState {
    Ui *ui;
    DeployView *view; /* NULL: not read yet */
    uint64_t seen;    /* number of the snapshot that was read */
    double read_at;   /* ui_now of the last reading */
    DeployPart part;
    DeployPart shown; /* beside the list: the part that was looked at last */
    Table table[DEPLOY_FORM];
    char name[72];    /* the deployment under the cursor, kept while rows come and go */
    /* settings of that deployment */
    Form form;
    FormField *field;
    size_t fields;
    DeploySettings set;
    char set_of[72];  /* whose they are; "" none */
    int64_t set_revision;
    /* what is being asked */
    DeployMove move;
    char move_name[72], model[160];
    VEC(int64_t) choice; /* models in the menu */
    int64_t model_at;    /* the model whose alias is asked for */
    int rows, cols;
} DeployState;

const DeploymentRow *deploy_at(const DeployState *s); /* NULL: there is none */
const DeployMinute *deploy_traffic(const DeployState *s);
const char *deploy_model_name(const DeployState *s, int64_t id, Text *into); /* "taxi/3" */

/* deploy_load.c */
void deploy_load(DeployState *s);
void deploy_view_free(void *view);
void deploy_follow(DeployState *s); /* cursor and settings after something new */

/* deploy_tables.c */
TableSource deploy_table(const DeployState *s, DeployPart part);

/* deploy_moves.c: each ends in the command a user would type */
void deploy_move_ask(DeployState *s, DeployMove m);
void deploy_new_ask(DeployState *s);
void deploy_check_ask(DeployState *s);
void deploy_remove_ask(DeployState *s);
void deploy_alias_ask(DeployState *s);
void deploy_set(DeployState *s); /* the field under the cursor, as the form has it */
const char *deploy_why_not(const DeployState *s, DeployMove m);

/* deploy_draw.c */
void deploy_layout(DeployState *s, int rows, int cols);
void deploy_draw(const DeployState *s, const Canvas *c);
enum { DEPLOY_ZONES = 1 }; /* zone of a part: DEPLOY_ZONES + part */

#endif
