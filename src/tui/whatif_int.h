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
    size_t columns;
    uint64_t rows;                          /* of the table */
    const char *target;
    const char **name, **value, **now;      /* [columns]: as in the table, as changed */
    double *effect;                         /* [columns]: of the changed row */
    double before, after, truth;            /* predictions; NaN: a rule drops the row */
    unsigned dropped_by;
} WhatifAnswer;
void whatif_answer_free(void *answer);
void *whatif_score(JobContext *c, void *input, Error *err); /* WhatifAsk -> WhatifAnswer */

#endif
