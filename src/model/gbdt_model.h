/* gbdt_model.h -- a boosted model while it is trained: what its rounds, its rows and its samples share */
#ifndef LATHE_GBDT_MODEL_H
#define LATHE_GBDT_MODEL_H

#include "gbdt_int.h"

typedef struct Gbdt {
    GbdtParams params; /* its texts are read in create and forgotten */
    Limits limits;
    const ModelShape *shape;
    const ModelSetup *setup;
    Forest forest;
    /* Made at the first round, from its rows: */
    Batch batch;
    Stretch stretch; /* which of all rows these are */
    float *bias;     /* [outputs] the first scores, in the order of the batch */
    Bins bins;
    Grower grower;
    Target target;
    Slopes *slopes; /* [outputs] */
    float *score;   /* [outputs][rows] after `scored` trees */
    uint32_t *row;  /* [rows] the batch's row at each place; NULL: the same */
    float *y;       /* [rows] targets by place, if row */
    float *weight;  /* [rows] or NULL */
    float *factor;  /* [rows] goss: what a row stands for */
    size_t scored;
    bool bound, score_is_whole;
    bool carry; /* gradients are kept as whole numbers: no score, no slopes but pairs */
} Gbdt;

/* ---- the training rows, gbdt_rows.c -------------------------------------------------------------- */

/* Bins, gradients and a grower for these rows; nothing to do where they are bound already. */
bool gbdt_bind(Gbdt *m, const Batch *b, Error *err);
void gbdt_unbind(Gbdt *m);
/* Gradients after the trees there are; false: they are too many or too large for that. */
bool gbdt_carry_trees(Gbdt *m);
bool gbdt_leave_carry(Gbdt *m, Error *err);
/* Scores of the trees there are: nothing to do after a round, all of them after a load. */
void gbdt_score_rows(Gbdt *m);

/* ---- samples, gbdt_draw.c ------------------------------------------------------------------------- */

/* The rows of this round, in order; factors if it is goss. Returns whether there are factors. */
bool gbdt_draw_rows(Gbdt *m, size_t round, double lr);
void gbdt_draw_columns(Gbdt *m, size_t tree);

#endif
