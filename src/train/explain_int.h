/* explain_int.h -- what the explanations share: a model and rows to ask it about. */
#ifndef LATHE_TRAIN_EXPLAIN_INT_H
#define LATHE_TRAIN_EXPLAIN_INT_H

#include "train_int.h"

struct Explainer {
    Arena arena;
    RunRow row;
    Bundle *bundle;
    const Features *features;
    Dataset *dataset;
    const Plan *plan;    /* the run's own recipe; NULL: none */
    Split split;
    Part part;
    Pool *pool;
    size_t rows;
    size_t values;        /* numbers predicted of them: of series one a step that is known */
    VEC(uint64_t) number; /* [rows] in the dataset, ascending */
    VEC(float) dense, target;
    VEC(int32_t) code;
    double *value, *truth; /* room for one score */
    float *out;
};

/* Predictions of the batch, as people see them: raw units, or shares of the classes, into e->value
 * [rows][outputs]. */
void explainer_predict(Explainer *e, const Batch *b);
Batch explainer_batch(const Explainer *e);
bool explainer_input(const Explainer *e, const char *column, size_t *input, Error *err);
/* The cleaned column at the explainer's rows. */
bool explainer_column(Explainer *e, const char *name, Arena *a, Column *out, Error *err);
/* Of series: explain_series.c */
bool explainer_read_series(Explainer *e, uint64_t steps_most, Error *err);
size_t explainer_series_values(Explainer *e, size_t windows); /* e->out becomes e->value */
void explainer_deal_series(const Explainer *e, size_t input, const uint32_t *from, float *dense);

#endif
