/* whatif_int.h -- what the form of a what-if and its scoring share. */
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

typedef struct WhatifAnswer {
    Arena arena;
    size_t columns, all;                    /* of the table; with those that rules make of them */
    uint64_t rows;                          /* of the table */
    const char *target, *family;
    const char **name, **now;               /* [all]: as changed; */
    const char **value;                     /* [columns]: as in the table */
    double *effect;                         /* [all]: on the changed row; NaN: the model does not look at it */
    bool exact;                             /* by SHAP: the effects and `base` add up to `score` */
    double base; const char *score;
    double before, after, truth;            /* predictions; NaN: a rule drops the row */
    unsigned dropped_by;
} WhatifAnswer;
void whatif_answer_free(void *answer);
void *whatif_score(JobContext *c, void *input, Error *err); /* WhatifAsk -> WhatifAnswer */

#endif
