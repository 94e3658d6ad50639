/* gbdt_xgboost.h -- XGBoost's model file (JSON, as its version 1.7 writes it), as far as both ways use it.
 *
 *     learner.gradient_booster.model.trees[]   left_children, right_children, parents, split_indices,
 *         split_conditions (a leaf's value stands there), split_type, default_left, base_weights,
 *         loss_changes, sum_hessian, categories*, tree_param; tree_info: the tree's class
 *     learner.learner_model_param               base_score (before the link), num_class, num_feature
 *     learner.objective                         name: the link; a group with the loss's own number
 *
 * A number goes left if x < t there and if x <= t here, so t is the next float up. A set of categories
 * goes right there and left here, so the children change places. */
#ifndef LATHE_GBDT_XGBOOST_H
#define LATHE_GBDT_XGBOOST_H

#include "gbdt_int.h"

typedef struct Objective {
    const char *name, *group, *key, *value; /* the number beside the name; value NULL: the loss's own */
    TaskKind task;
    LossKind loss;
    bool log_link;
} Objective;

/* Ended by a nameless one. Of those that fit a task and a link the first is what stands for a loss that has
 * none of its own there. */
extern const Objective xgboost_objectives[];

#endif
