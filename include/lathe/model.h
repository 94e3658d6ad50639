/* model.h -- model families, trained step by step, and the bundle that scores raw rows.
 *
 * A family is one file (src/model/linear.c is the one to copy) and one row in MODEL_FAMILIES.
 * It declares its hyperparameters as Param rows and knows how to take a step, to predict, and to
 * give and take its whole state. The run (train.h) drives it and knows no family by name.
 *
 * Bits: the same seed gives the same bits on any number of threads, and after state_load.
 *
 *     const ModelFamily *mlp = model_family("mlp");
 *     Model *m = model_create(mlp, hyper, &shape, &setup, &err);
 *     model_step(m, &batch, &knobs, &stats, &err);        // forward, backward, update
 *     model_predict(m, &batch, out);                      // [rows][outputs], raw scores
 */
#ifndef LATHE_MODEL_H
#define LATHE_MODEL_H

#include <lathe/feature.h>

/* ---- families -------------------------------------------------------------------------------- */

typedef struct Model Model;
typedef struct LayerStats LayerStats; /* nn.h */

/* What may change from step to step (live commands write it). */
typedef struct Knobs {
    double lr, weight_decay, momentum, dropout, clip; /* clip 0: none */
} Knobs;

typedef struct ModelSetup {       /* fixed for a run */
    uint64_t seed;
    size_t batch_most;            /* rows in the largest batch; memory is planned for it */
    int loss;                     /* index into loss_names; 0 auto (by the task) */
    double huber_delta, quantile; /* in standardised units */
    double tweedie_power;         /* 0: 1.5 */
    int optimizer;                /* index into optimizer_names */
    double beta1, beta2, epsilon;
    const float *class_weight;    /* [classes] or NULL */
    Pool *pool;
    Progress *progress;           /* of long steps; when it is stopped a step fails with ERROR_STOP, as if
                                     it had not begun. NULL: none. Not asked in a team. */
    uint64_t steps_total;         /* planned; 0 unknown */
    const char *freeze;           /* layers that steps leave as they are, see graph_freeze; or NULL */
    int products, precision;      /* who multiplies matrices and in what, see nn.h; there, or it is an error */
    bool pretrains;               /* steps without labels will come first */
    bool scores;                  /* it will predict and make no step: nothing is planned for gradients */
    Scratch *scratch;             /* for what is as long as the training rows; NULL: the heap */
    Team *team;                   /* of several processes: all take the same steps; NULL: alone. Nets are
                                     given the whole batch, boosting each its own stretch of the rows */
} ModelSetup;
extern const char *const loss_names[];      /* auto squared absolute ... */
extern const char *const optimizer_names[]; /* sgd adam adamw */

typedef struct BoosterUnits {     /* how a booster's scores are told in XGBoost's file */
    double scale, shift;          /* a regression's score times scale plus shift is in raw units */
    int loss;                     /* index into loss_names; 0 auto */
    double delta, power;          /* huber's, in units of the score; tweedie's */
    const char *about;            /* kept in it */
} BoosterUnits;

typedef struct StepStats {
    double loss;                  /* mean over the batch, before the update */
    double grad_norm;             /* before clipping */
    bool finite;                  /* false: `layer` names where the first NaN or infinity was */
    char layer[64];
    size_t bad;                   /* rows of the batch that have it there; 0: not of single rows */
    uint32_t bad_row[8];          /* the first of them */
} StepStats;

typedef struct TensorRow { const char *name; size_t rank, shape[4]; float *at; } TensorRow;

/* What an input column did for a model; not normalised. */
typedef struct Importance {
    const char *name;             /* the model's */
    double gain, cover;           /* what its splits took off the loss; rows' curvature they parted */
    uint64_t splits;
} Importance;

/* What a model of series looks at, mean over windows; each adds up to 1. In the order of the shape's inputs:
 * those that are static; place, target, then the others; place, then those known ahead. */
typedef struct SeriesShares {
    double *fixed, *past, *ahead; /* [inputs + 2] have room for each */
    double *step;                 /* [window + horizon] where the horizon's attention lies */
} SeriesShares;

typedef struct ModelFamily {
    const char *name, *title, *about;
    const char *source;                           /* who published it */
    const Param *params; size_t params_size;      /* its own hyperparameters */
    const char *normals;                          /* defaults of the run's rows: "lr=0.001 batch=256" */
    bool whole_batch;                             /* a step wants all training rows (boosting), the
                                                     same ones in the same place at each */
    bool takes_missing;                           /* NaN among the numbers is a value like any other */
    /* Families that may learn without labels first; NULL for others. */
    int    (*pretrains)(const void *params);      /* epochs of it; 0: none */
    bool   (*pretrain)(void *model, const Batch *b, const Knobs *k, StepStats *out, Error *err); /* a step; the target is not looked at */
    double (*missed)(void *model, const Batch *b); /* its loss on these rows */
    void   (*pretrained)(void *model);            /* it is over: steps go on from what was learnt */
    /* Families of series: what of their params the features must know. NULL: rows stand alone. */
    bool  (*series)(const void *params, SeriesOptions *out, Error *err); /* texts borrowed from params */
    void *(*create)(const void *params, const ModelShape *shape, const ModelSetup *setup, Error *err);
    void  (*destroy)(void *model);
    bool  (*step)(void *model, const Batch *b, const Knobs *k, StepStats *out, Error *err);
    void  (*predict)(void *model, const Batch *b, float *out); /* any number of rows; thread-safe for
                                                                  different models only */
    /* The tensors to keep, in fixed order: weights first, then what only a resumed run needs
     * (optimiser moments, running statistics) from `weights` on. Borrowed. */
    size_t (*tensors)(void *model, const TensorRow **rows, size_t *weights);
    /* Small state beside the tensors (step count, generator), as JSON. */
    json_t *(*state)(const void *model);
    bool    (*restore)(void *model, const json_t *state, Error *err);
    /* Families that grow with their steps; NULL for others. */
    bool    (*reserve)(void *model, const TensorRow *file, size_t n, Error *err); /* before a load: the
                                                     tensors then have the lengths of the file's */
    bool    (*settle)(void *model, Error *err);   /* after a load: checks; on failure it is empty */
    size_t  (*predict_more)(void *model, const Batch *b, size_t from, float *out); /* see below */
    void    (*importance)(const void *model, Importance *out); /* [dense + codes]; NULL: cannot say */
    /* XGBoost's JSON, and back: scale as in model_weights_take. NULL: no booster. */
    bool    (*xgboost)(const void *model, const BoosterUnits *u, Text *into, Error *err);
    bool    (*take_json)(void *model, const void *bytes, size_t n, double scale, Text *said, Error *err);
    void    (*contributions)(const void *model, const Batch *b, double *out); /* see below; or NULL */
    /* Statistics of the step just made, see graph_layers; NULL: it has no layers */
    size_t  (*layers)(const void *model, size_t rows, LayerStats *out, size_t most);
    /* Families of series that can say what they look at; NULL for others. */
    void    (*shares)(void *model, const Batch *b, const SeriesShape *s, SeriesShares *out);
    /* predict as ONNX nodes: the value of the raw scores, [rows][outputs]; see graph_onnx */
    const char *(*onnx)(void *model, Onnx *o, const char *dense, const char *codes, Error *err);
} ModelFamily;

extern const ModelFamily *const model_families[]; /* NULL-ended, order of the screen */
const ModelFamily *model_family(const char *name); /* NULL if absent */
/* Does the row say anything to the family? NULL takes every row. */
bool model_family_takes(const ModelFamily *family, const Param *row);

/* The loss (as in ModelSetup) fits the task; else those that do are told. */
bool model_takes_loss(const ModelShape *shape, int loss, Error *err);
Model *model_create(const ModelFamily *f, const void *params, const ModelShape *shape,
                    const ModelSetup *setup, Error *err);
void   model_destroy(Model *m);
const ModelFamily *model_family_of(const Model *m);
/* Steps without labels, before the others; see ModelFamily. */
bool   model_pretrain(Model *m, const Batch *b, const Knobs *k, StepStats *out, Error *err);
double model_missed(Model *m, const Batch *b);
void   model_pretrained(Model *m);
bool   model_step(Model *m, const Batch *b, const Knobs *k, StepStats *out, Error *err);
void   model_predict(Model *m, const Batch *b, float *out); /* raw scores: standardised value, logits */
/* out holds what predict gave after `from` steps (0: nothing); brings it up to date and returns how
 * many steps it now holds. A family that does not grow predicts anew and returns 0. */
size_t model_predict_more(Model *m, const Batch *b, size_t from, float *out);
double model_loss(const Model *m, const Batch *b, const float *out); /* mean loss of predictions */
/* Of the step just made: outputs and gradients of its layers as JSON, [{"layer", "what": "output", "mean",
 * "deviation", "zero", "least", "most", "broken", "histogram": [...]}, ...]; NULL: it has no layers. */
json_t *model_layers(const Model *m, size_t rows);
/* Of windows of a series, as they are or laid out in b->dense; ERROR_USAGE: the family cannot say. */
bool model_shares(Model *m, const Batch *b, SeriesShares *out, Error *err);
/* predict as ONNX nodes, see ModelFamily; NULL and a clear line for a family that cannot. */
const char *model_onnx(Model *m, Onnx *o, const char *dense, const char *codes, Error *err);
/* The columns it uses, those that gained most first; NULL when the family cannot say. mem_free it. */
Importance *model_importance(const Model *m, size_t *n);
/* What each input adds to a row's raw scores (SHAP): out [rows][outputs][dense + codes + 1], the last of
 * each what all rows begin with; together they are the score. ERROR_USAGE if the family cannot say. */
bool   model_contributions(const Model *m, const Batch *b, double *out, Error *err);
const char *model_input(const Model *m, size_t i);          /* dense, then codes; "" if not named */
size_t model_weights(const Model *m);                       /* numbers learnt */
/* Everything a resumed run needs (safetensors bytes); loading makes the next step the same bits. */
bool   model_state_save(Model *m, bool weights_only, Text *into, Error *err);
bool   model_state_load(Model *m, const void *bytes, size_t n, Error *err);
/* Weights by name and shape from a safetensors file, ours or anyone's (F32, F64): every one but those
 * of the layers `renew` must be there and fit. What the file has beyond them is told in `said`. */
/* A family of trees takes XGBoost's JSON as well; scale: raw units in one unit of the target here (trees of
 * rates are told in multiples of its mean, others must be in raw units). */
bool   model_weights_take(Model *m, const void *bytes, size_t n, const char *renew, double scale, Text *said,
                          Error *err);
/* Settings with which a run goes on from XGBoost's JSON as it was made: {"loss": "poisson", ...}, a new
 * reference. NULL: it is not one that can be read. */
json_t *xgboost_settings(const void *bytes, size_t n, Error *err);
/* What bundle_safetensors put into such a file's metadata ("family", "params", "features", ...): a new
 * reference, NULL where the file does not say. */
json_t *safetensors_about(const void *bytes, size_t n, const char *key, Error *err);
/* Raw scores in place -> what people see: regression unchanged (standardised; e^score if its
 * logarithm was learnt), binary p(class 1),
 * multiclass softmax. */
void   model_scores_to_outputs(const ModelShape *s, float *out, size_t rows);

/* ---- the bundle: all it takes to score a raw row ----------------------------------------------- */

/* A folder: bundle.json (schema, family, hyperparameters, lineage, metrics), recipes.json (each with
 * its fitted state), features.json, model.safetensors, profile.json (the reference).  Written to a
 * temporary folder, flushed, renamed. Opening checks every size and checksum. An open bundle is
 * used by one thread at a time (the model inside keeps its workspace).                            */
typedef struct Bundle Bundle;
typedef struct BundleParts {
    const Schema *schema;             /* of raw rows */
    const Plan *const *plan; size_t plans; /* recipes from raw rows to the features, in order */
    const Features *features;
    Model *model;
    const void *params;               /* of the family */
    const Profile *profile;           /* reference: of the raw training rows */
    const json_t *about;              /* run, dataset hash, metrics, program version, ... */
} BundleParts;
bool bundle_save(const char *dir, const BundleParts *parts, Error *err);
Bundle *bundle_open(const char *dir, Pool *pool, Error *err);
void bundle_close(Bundle *b);
const Schema   *bundle_schema(const Bundle *b);
const Features *bundle_features(const Bundle *b);
const Profile  *bundle_profile(const Bundle *b);
const json_t   *bundle_about(const Bundle *b);
const ModelFamily *bundle_family(const Bundle *b);
size_t          bundle_plans(const Bundle *b);
const Plan     *bundle_plan(const Bundle *b, size_t i);

/* One prediction a row of the chunk, in its order. */
typedef struct Prediction {
    bool kept;             /* false: a rule dropped the row; `dropped_by` says which */
    uint16_t dropped_by;   /* rule number from 1, counted through all plans */
    int32_t class;         /* classification: most likely class */
    double value;          /* regression: raw units; binary: p(class 1); multiclass: p(class) */
    const float *share;    /* multiclass: [classes]; else NULL */
    double truth;          /* the target where the rows have it: raw units, or class; NaN else */
} Prediction;
/* first_plan: 0 for raw rows; k for rows that already went through the first k recipes. One row or
 * many give the same bits. Rows without the target are fine: rules that depend on it are skipped. */
/* A booster as XGBoost's JSON, scoring encoded rows in raw units; what it lacks is added to notes. */
bool bundle_xgboost(const Bundle *b, Text *into, json_t *notes, Error *err);
/* What each input adds to the scores of encoded rows (SHAP), in the target's units where those are a
 * multiple of the score; else `raw` is set and they are the model's own: logits, or logarithms. */
typedef struct Contributions {
    size_t rows, outputs, inputs;
    double *at;            /* [rows][outputs][inputs + 1]; the last of each: what all rows begin with */
    bool raw;
} Contributions;
bool bundle_contributions(const Bundle *b, const Batch *rows, Arena *a, Contributions *out, Error *err);
/* Rows through the recipes from first_plan on, as the features take them. */
bool bundle_clean(const Bundle *b, const Chunk *rows, size_t first_plan, Arena *a, Chunk *out, Error *err);
bool bundle_score(Bundle *b, const Chunk *rows, size_t first_plan, Arena *a, Prediction **out, Error *err);

/* ---- forecasts: bundles whose features are of series ---------------------------------------------- */

/* Rows are given whole, chunk after chunk: history, and, where something of it is known, what is to come
 * (rows without a target). Then either what comes next, or, to test, what would have been said in the past. */
typedef struct Forecaster Forecaster;
typedef struct ForecastRow {
    const char *group;     /* "" if the table is one series; the forecaster's */
    double time;           /* in the units of the time column */
    size_t step;           /* 1 .. horizon */
    uint64_t row;          /* number of the row that was given for this step; UINT64_MAX: none was */
    uint64_t after;        /* of the row it goes on from: the last whose target is known */
    double truth;          /* raw units; NaN: not known */
    double value;          /* the middle quantile */
    const double *quantile; /* [levels] ascending, raw units */
} ForecastRow;
Forecaster *forecaster_create(Bundle *b, Error *err); /* ERROR_USAGE: the model knows no series */
void forecaster_destroy(Forecaster *f);
bool forecaster_add(Forecaster *f, const Chunk *rows, size_t first_plan, Error *err);
/* The next horizon of each group. Nothing can be added afterwards. */
bool forecaster_next(Forecaster *f, Arena *a, ForecastRow **out, size_t *n, Error *err);
/* The horizons after the given rows of the past (numbers of rows, ascending): horizon rows each. */
bool forecaster_test(Forecaster *f, const uint64_t *after, size_t count, Arena *a, ForecastRow **out, size_t *n,
                     Error *err);

/* {"group", "time" as its column prints, "step", "prediction", "q0.1" ...}; group if series have names */
json_t *forecast_json(const Bundle *b, const ForecastRow *r);

bool bundle_shares(Bundle *b, const Batch *batch, SeriesShares *out, Error *err); /* model_shares of it */
void bundle_predict(Bundle *b, const Batch *batch, float *out); /* model_predict of the model inside */
/* The whole way from raw rows to predictions as an ONNX model: one input a column, outputs in raw units
 * (prediction; or label and probability). What could not be said in it is told in `notes` (new
 * references to strings are appended): the inputs are then columns as a recipe leaves them. */
bool bundle_onnx(Bundle *b, Onnx *o, json_t *notes, Error *err);
/* The weights as one safetensors file, with all else that the bundle says as JSON in its metadata. */
bool bundle_safetensors(Bundle *b, Text *into, Error *err);

#endif
