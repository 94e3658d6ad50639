/* params_int.h -- what the files of the Params pane share: the run that is being set up. */
#ifndef LATHE_TUI_PARAMS_INT_H
#define LATHE_TUI_PARAMS_INT_H

#include "../ui.h"
#include "../widgets.h"

#define SETUP_FAMILIES 24
#define SETUP_ROWS     128

/* One family's hyperparameters as a form. The rows are copies whose default is the family's, so that
 * "changed" and "reset" mean what the run would do without the value. */
typedef struct FamilyForm {
    const ModelFamily *family;      /* NULL: not looked at yet */
    RunSpec spec, normal;           /* as edited, and untouched */
    Param row[SETUP_ROWS];
    FormField field[SETUP_ROWS];
    size_t count;
    Arena arena;                    /* of the rows' texts */
    Form form;
} FamilyForm;

typedef struct ColumnChoice {
    char name[128];
    ColumnType type;
    Role role;
    bool on, natural;               /* an input; would be without a word of the user */
    char why[96];                   /* why it is no input; "" */
} ColumnChoice;

typedef enum RecipeChoice { RECIPE_NONE, RECIPE_DRAFT, RECIPE_FILE } RecipeChoice;

/* ---- checked by a job, on the real rows ------------------------------------------------------------ */

typedef struct CheckAsk {
    OpenDataset *data;              /* held */
    uint64_t number;                /* of the question */
    char family[64], target[128], split[32], recipe_path[512];
    RecipeChoice recipe;
    char *features;                 /* "A,B" or NULL: the natural ones; owned */
    char *changes;                  /* "key=value\n..." of the form; owned */
} CheckAsk;

typedef struct CheckAnswer {
    Arena arena;
    uint64_t number;
    Schema schema;                  /* after the recipe */
    const char *draft_path;         /* file the draft was written to; "" there is no draft */
    size_t draft_rules;
    bool measured;                  /* the numbers below are known */
    size_t inputs, dense, codes, outputs, classes, weights;
    TaskKind task;
    const char **note; size_t notes;
    Error error;                    /* why this cannot train */
} CheckAnswer;
void *check_run(JobContext *c, void *input, Error *err);
void  check_ask_free(void *ask);
void  check_answer_free(void *answer);

/* Another run's choices, to begin with. */
typedef struct Preset { Arena arena; RunRow run; ParamRow *param; size_t params; } Preset;
void *preset_load(JobContext *c, void *input, Error *err); /* int64_t -> Preset */
void  preset_free(void *preset);

/* ---- the pane's state ---------------------------------------------------------------------------------- */

enum { ROW_DATASET, ROW_TARGET, ROW_FAMILY, ROW_FEATURES, ROW_RECIPE, ROW_SPLIT, ROW_SEED, ROW_NAME,
       ROW_LAUNCH, ROW_COUNT };
typedef enum Part3 { PART_SETUP, PART_FEATURES, PART_FORM, PARTS } Part3;
typedef struct Box { int row, col, rows, cols; } Box;

typedef struct ParamsState {
    Ui *ui;
    FamilyForm *form[SETUP_FAMILIES]; size_t families, family;
    char dataset[65];               /* hash the choices below are for; "" none */
    char target[128], split[32], name[80], recipe_path[512];
    int64_t seed;
    RecipeChoice recipe;
    bool recipe_chosen;      /* by the user; until then the rules of the Clean pane apply */
    VEC(ColumnChoice) column;
    CheckAnswer *answer;            /* NULL: not checked yet */
    uint64_t asked;                 /* number of the last question */
    bool launch_wanted;             /* as soon as the check is back */
    bool finds_lr;               /* what is launched next is a sweep over learning rates */
    bool was_visible;
    uint64_t seen;
    Part3 part;
    size_t at;                      /* row of the set-up */
    Table table;                    /* of the columns */
    char find[64];
    Box setup, columns, hyper, command;
    Text line;                      /* the command, as drawn */
} ParamsState;

static inline FamilyForm *setup_form(const ParamsState *s)
{
    return s->form[s->family];
}
bool setup_checking(const ParamsState *s);       /* the answer is not of the last question */
size_t setup_inputs(const ParamsState *s);       /* columns that are on and not left out */
bool setup_all_natural(const ParamsState *s);

/* params_spec.c */
void family_form_create(ParamsState *s, size_t family);
void family_form_destroy(FamilyForm *f);
void setup_line(const ParamsState *s, Text *into);        /* the command that launches it */
void setup_changes(const FamilyForm *f, const char *between, Text *into); /* "lr=0.01", each changed value */
void setup_features(const ParamsState *s, Text *into);    /* "A,B" */
void setup_remember(const ParamsState *s);                /* in the workspace's settings */
void setup_recall(ParamsState *s);                        /* for the dataset that is open */
void setup_take_changes(FamilyForm *f, const char *changes, char between);
void setup_take_preset(ParamsState *s, const Preset *p);
void setup_columns(ParamsState *s, const Schema *schema); /* keeps what was switched by hand */
void setup_take_notes(ParamsState *s);

bool params_keep(const void *state, Text *into);          /* for undo: see Pane */
bool params_put(void *state, const char *kept, Ui *ui);

/* params_draw.c */
void params_layout(ParamsState *s, int rows, int cols);
void params_draw(const ParamsState *s, const Canvas *c);
TableSource params_columns(const ParamsState *s);
enum { ZONE_SETUP = 1, ZONE_COLUMNS, ZONE_FORM, ZONE_COMMAND };

/* params_write.c */
bool params_table_shown(const void *state, TableSource *out);

/* params_edit.c: the rows of the set-up */
Reply setup_open(ParamsState *s);                          /* Enter on the row */
Reply setup_nudge(ParamsState *s, int direction);
void  setup_changed(ParamsState *s, bool check);           /* remembers, asks the check again */
void  setup_launch(ParamsState *s);
void  setup_check(ParamsState *s);
void  setup_presets(ParamsState *s);

#endif
