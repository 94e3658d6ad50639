/* params.c -- the hyperparameters every family has: one row each. */
#include "train_int.h"

static const char *const monitor_names[] = {"val_loss", "val_metric", NULL};
/* The names of loss_names, optimizer_names (model.h), products_names and precision_names (nn.h) stand here again because a constant table
 * cannot take an array from another file; tests/unit/train_spec.c holds them together. */
static const char *const losses[] = {"auto",     "squared",  "absolute", "huber",
                                     "quantile", "logistic", "softmax",  "poisson",
                                     "gamma",    "tweedie",  "quantiles", NULL};
static const char *const optimizers[] = {"sgd", "adam", "adamw", NULL};
static const char *const product_names[] = {"own", "openblas", "onednn", NULL};
static const char *const precisions[] = {"float32", "bf16", NULL};
static const char *const encoder_names[] = {"keep", "fit", NULL};
static const char *const schedules[] = {RUN_SCHEDULES(SCHEDULE_NAME) NULL};

// clang-format off
#define S RunParams
const Param run_params[] = {
    /*          field             name     default  range           unit      help */
    PARAM_INT (S, epochs,             "epochs",   100, 1, 1000000,      "epochs", "how often training goes through the training rows"),
    PARAM_INT (S, batch,              "batch",    256, 1, 1 << 20,      "rows",   "rows in a step", .log = true, .live = true, .by_batch = true),
    PARAM_REAL(S, lr,                 "lr",      1e-3, 1e-9, 1e6,       "",       "learning rate", .log = true, .live = true),
    PARAM_PICK(S, schedule,           "schedule",   SCHEDULE_cosine, schedules, "how the learning rate changes over the run"),
    PARAM_INT (S, warmup,             "warmup",     0, 0, 1000000,      "steps",  "steps over which the learning rate rises from 0"),
    PARAM_REAL(S, lr_least,           "lr_least",   0, 0, 1,            "",       "floor of the learning rate as a share of lr (cosine, plateau)"),
    PARAM_INT (S, step_every,         "step_every", 10, 1, 100000,      "epochs", "schedule=step: epochs between two cuts; plateau: epochs without a better validation loss before one"),
    PARAM_REAL(S, step_factor,        "step_factor", .3, 1e-6, 1,       "",       "schedule=step and plateau: what a cut multiplies the learning rate by"),
    PARAM_PICK(S, optimizer,          "optimizer",  2, optimizers,                "how gradients become updates", .by_batch = true),
    PARAM_REAL(S, momentum,           "momentum",  .9, 0, 1,            "",       "optimizer=sgd: share of the last update that is kept", .live = true, .by_batch = true),
    PARAM_REAL(S, beta1,              "beta1",     .9, 0, .999999,      "",       "adam: memory of the gradient's mean", .by_batch = true),
    PARAM_REAL(S, beta2,              "beta2",   .999, 0, .9999999,     "",       "adam: memory of the gradient's square", .by_batch = true),
    PARAM_REAL(S, epsilon,            "epsilon", 1e-8, 1e-16, 1,        "",       "adam: least divisor", .by_batch = true),
    PARAM_REAL(S, weight_decay,       "weight_decay", 1e-5, 0, 10,      "",       "pull of the weights to 0 (adamw: decoupled; not on biases and norms)", .log = true, .live = true, .by_batch = true),
    PARAM_REAL(S, clip,               "clip",       0, 0, 1e9,          "",       "gradients with a larger norm are scaled down to it; 0: never", .live = true, .by_batch = true),
    PARAM_PICK(S, loss,               "loss",       0, losses,                    "what is made small; auto by the task"),
    PARAM_REAL(S, huber_delta,        "huber_delta", 1, 1e-6, 1e6,      "",       "loss=huber: where it turns from square to linear, in standard deviations of the target"),
    PARAM_REAL(S, quantile,           "quantile",  .5, .001, .999,      "",       "loss=quantile: which quantile is predicted"),
    PARAM_REAL(S, tweedie_power,      "tweedie_power", 1.5, 1.001, 1.999, "",   "loss=tweedie: variance as a power of the mean; near 1 like poisson, near 2 like gamma"),
    PARAM_TEXT(S, class_weight,       "class_weight", "none",                     "balanced: rare classes count more; CLASS:WEIGHT,...: as said, others 1; none: all alike"),
    PARAM_INT (S, patience,           "patience",  16, 0, 100000,       "epochs", "epochs without a better validation result before training stops; 0: never", .live = true),
    PARAM_REAL(S, min_delta,          "min_delta",  0, 0, 1e9,          "",       "a result counts as better only if it is by so much"),
    PARAM_PICK(S, monitor,            "monitor",    0, monitor_names,             "what patience watches and the best weights are chosen by; val_metric: rmse or logloss in raw units"),
    PARAM_REAL(S, checkpoint_seconds, "checkpoint_seconds", 30, 0, 86400, "s",    "at most so long between checkpoints"),
    PARAM_INT (S, keep,               "keep",       3, 1, 1000,         "",       "checkpoints kept besides the best"),
    PARAM_REAL(S, dropout,            "dropout",    0, 0, .95,          "",       "share of hidden values set to 0 in a training step", .live = true, .by_batch = true),
    PARAM_INT (S, threads,            "threads",    0, 0, 1024,         "",       "threads; 0: all cores; the result does not depend on it"),
    PARAM_PICK(S, products,           "products",   0, product_names,             "nets: who multiplies matrices; `lathe doctor` shows which are there and how fast each is", .by_batch = true),
    PARAM_PICK(S, precision,          "precision",  0, precisions,                "nets: what matrices are multiplied in; bf16 needs products=onednn and pays where the processor has matrix units; weights stay float32", .by_batch = true),
    PARAM_INT (S, memory,             "memory",     0, 0, 1 << 24,      "MB",     "memory for the encoded rows; more of them stand in files of the workspace for as long as the run goes; 0: a quarter of what there is"),
    PARAM_INT (S, record_every,       "record_every", 0, 0, 1000000,    "steps",  "steps between two points of the step curves; 0: so that a run has some 2,500"),
    PARAM_TEXT(S, slice,              "slice",     "",                            "a column: the validation error is also recorded for each of its 8 most frequent values, or a quarter of its range"),
    PARAM_TEXT(S, from,               "from",      "",                            "begin with the weights of a run (number, name or last) or of a .safetensors file; gbdt: or of XGBoost's .json"),
    PARAM_TEXT(S, freeze,             "freeze",    "",                            "layers that training leaves as they are: hidden.0,embedding; all,-head", .by_batch = true),
    PARAM_TEXT(S, renew,              "renew",     "",                            "from: layers that begin anew instead of with the file's weights: head", .by_batch = true),
    PARAM_PICK(S, encoders,           "encoders",  0, encoder_names,              "from: keep encodes columns and target as they were learnt (new words count as unseen); fit learns that anew"),
    PARAM_BOOL(S, find_lr,            "find_lr",   false,                         "train nothing: raise the learning rate step by step until the loss diverges, and say which one suits", .by_batch = true),
    PARAM_END
};
#undef S
// clang-format on

const char *run_schedule_name(int schedule)
{
    return schedules[schedule];
}

const char *run_monitor_name(int monitor)
{
    return monitor_names[monitor];
}
