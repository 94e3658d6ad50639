/* whatif_int.h -- what the form of a what-if, its drawing and its scoring share. */
#ifndef LATHE_TUI_WHATIF_INT_H
#define LATHE_TUI_WHATIF_INT_H

#include "tui_int.h"
#include "whatif.h"

#define WHATIF_OTHERS 16 /* rows that a column's usual values are taken from */
#define WHATIF_MOST   256

typedef struct WhatifChange {
    size_t column;
    char *value; /* owned; "" missing */
} WhatifChange;

typedef struct WhatifAsk {
    int64_t run;
    uint64_t row;
    size_t changes;
    WhatifChange change[WHATIF_MOST];
} WhatifAsk;
void whatif_ask_free(void *ask);

typedef struct WhatifWords {
    size_t n;
    const char *word[PROFILE_TOP]; /* most frequent first */
} WhatifWords;

typedef enum WhatifUse { WHATIF_UNUSED, WHATIF_RECIPE, WHATIF_INPUT } WhatifUse;

typedef struct WhatifAnswer {
    Arena arena;
    size_t columns, all;                    /* of the table; with those that rules make of them */
    uint64_t rows;                          /* of the table */
    const char *target, *family;
    const char **name, **now;               /* [all]: as changed; */
    ColumnType *type;                       /* [all] */
    WhatifUse *use;                         /* [all] */
    size_t *order;                          /* [all]: which stands in each line of the form */
    const char **value;                     /* [columns]: as in the table */
    WhatifWords *words;                     /* [columns]: the usual ones of a text, of a yes or no */
    double *effect;                         /* [all]: on the changed row; NaN: the model does not look at it itself */
    bool exact;                             /* by SHAP: the effects and `base` add up to `score` */
    double base; const char *score;
    double before, after;                   /* predictions, or shares of `class`; NaN: a rule drops the row */
    const char *class, *was;                /* the class said; the one said before, where it is another. NULL: none */
    double truth; const char *truth_class;  /* in the table; NaN and NULL: not there */
    unsigned dropped_by;
    size_t first_plan;                      /* of the model's recipes, that the rows of the table have not been through */
} WhatifAnswer;
void whatif_answer_free(void *answer);
bool whatif_check(const char *name, ColumnType type, const char *text, Error *err); /* may it stand in such a column? */
void *whatif_score(JobContext *c, void *input, Error *err); /* WhatifAsk -> WhatifAnswer */

/* ---- the form ------------------------------------------------------------------------------------------- */

typedef struct Whatif {
    Overlay overlay;
    Ui *ui;
    WhatifAsk ask; /* changes are the overlay's */
    WhatifAnswer *answer;
    char trouble[300];
    size_t at, top; /* lines */
    int rows;
} Whatif;

enum { ZONE_FIELD = 1 };
void whatif_draw(const Overlay *o, const Canvas *screen, const Ui *ui); /* whatif_draw.c */

#endif
