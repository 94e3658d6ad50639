/* gbdt_int.h -- what the files of the booster share: binned rows, histograms, a forest, a grower.
 *
 *     gbdt_bins.c     columns of numbers and codes -> a byte a cell, and where the bins end
 *     gbdt_loss.c     first scores, gradients, whole numbers for them, medians for leaves
 *     gbdt_carry.c    squared loss: gradients kept as whole numbers from round to round
 *     gbdt_hist.c     sums of gradients a bin, for one leaf
 *     gbdt_split.c    the best split of one feature from its sums
 *     gbdt_limits.c   monotone columns, and which may meet in a tree
 *     gbdt_grow.c     one tree, leaf by leaf
 *     gbdt_forest.c   the trees as tensors, and checked when they come from a file
 *     gbdt_predict.c  rows down the trees
 *     gbdt_onnx.c     the forest as others run it
 *     gbdt_quick.c    rows down a forest that has stopped growing, laid out for that
 *     gbdt_masks.c    the same, a block of rows at a time
 *     gbdt_xgboost.c, gbdt_xgboost_read.c    the forest as XGBoost's JSON, and back
 *     gbdt_team.c     several processes, each with a stretch of the rows
 *     gbdt_importance.c  what the columns did for it
 *     gbdt_shap.c     what the columns add to one row's score
 *     gbdt.c          the family: hyperparameters, a round
 *
 * Exact sums. Gradients g and curvatures h are rounded once a round to whole numbers (by chance, unbiased), g by a power of
 * two such that the sum of all |g| stays below 2^(63 - shift), h likewise below 2^shift, and packed as
 *
 *     pair = g << shift + h        a sum of pairs is the pair of the sums, whatever the order
 *
 * so a histogram is one addition a row and column, may be cut into any pieces, is subtracted without
 * loss, and is the same to the bit on any number of threads. Where every h is 1, shift is the bits of
 * the number of rows and g has some forty of them; else it is 32, and of a million rows each keeps
 * eleven bits, and the sums far more: what rounding loses is far below what sampling the rows lost. */
#ifndef GBDT_INT_H
#define GBDT_INT_H

#include "model_int.h"

#include <math.h>
#include <string.h>

typedef struct GbdtParams {
    int growth, leaves, depth, bins, min_rows;
    double min_hessian, lambda, alpha, min_gain, row_share, column_share;
    bool goss;
    double goss_top, goss_other;
    double cat_l2, cat_smooth;
    int cat_most, cat_onehot, cat_rows;
    char *monotone, *interact;
} GbdtParams;
enum { GROW_LEAF, GROW_DEPTH };

/* Which ways the trees may not go; made from the texts, see gbdt_limits.c. */
#define GROUPS_MOST 64
typedef struct Limits {
    int8_t *slope;        /* [features] 1: the score may not fall with it, -1: not rise, 0; NULL: none */
    uint64_t *groups;     /* [features] those it is in; 0: it goes with no other; NULL: all go together */
} Limits;
bool limits_make(Limits *l, const GbdtParams *p, const ModelShape *shape, Error *err);
void limits_release(Limits *l);

/* ---- several processes ----------------------------------------------------------------------------- */

/* Which of the training rows are here: all, or those of one member of a team. gbdt_team.c */
typedef struct Stretch {
    Team *team;        /* NULL: alone */
    size_t first, all; /* rows before; of all members */
    uint32_t *place;   /* [rows] ascending: where a row stands among all; NULL: row i at i */
} Stretch;

/* ---- binned rows -------------------------------------------------------------------------------- */

#define BINS_MOST  256 /* in one byte */
#define SET_WORDS  (BINS_MOST / 32)
#define BLOCK_MOST 16 /* byte columns side by side: their histograms fit in the first cache */
#define HIST_BINS  BINS_MOST

/* Features of few bins share a byte:  byte = sum over them of bin * stride. */
typedef struct BinFeature {
    bool category;
    bool missing;    /* numbers: the last bin holds the missing ones */
    size_t bins;     /* 0 or 1: never split */
    size_t values;   /* numbers: bins of values; x is in the first with x <= upper */
    float *upper;    /* [BINS_MOST] ascending, the last and what follows infinite */
    int32_t *code;   /* categories: [bins] the code of a bin; bin 0: all that have none */
    uint8_t *bin_of; /* categories: [cardinality] */
    size_t column, stride;
} BinFeature;

typedef struct BinBlock {
    size_t first, width; /* columns */
    uint8_t *at;         /* [rows][width] */
} BinBlock;

typedef struct Bins {
    size_t rows, features, numbers; /* numbers first, then categories */
    size_t columns, blocks;
    BinFeature *feature;
    BinBlock *block;
    uint8_t *by_column;   /* [columns][rows]; for walks of one column */
    uint8_t *bytes;       /* what the blocks stand in */
    Scratch *in;          /* where these two do */
    Arena arena;
} Bins;
/* progress: NULL in a team, whose members cannot stop alone. */
bool bins_make(Bins *into, const Batch *b, const Stretch *rows, const ModelShape *shape, size_t most,
               uint64_t seed, Pool *pool, Scratch *in, Progress *progress, Error *err);
void bins_release(Bins *b);
/* Row i from now on is what was row[i]; forgotten when there is no memory for it: false. */
bool bins_reorder(Bins *b, const uint32_t *row, Pool *pool);
static inline size_t bin_at(const Bins *b, const BinFeature *f, size_t row)
{
    return b->by_column[f->column * b->rows + row] / f->stride % f->bins;
}
void sort_floats(float *at, float *scratch, size_t n); /* ascending, no NaN */

/* A float as an integer of the same order, and back. */
static inline uint32_t float_order(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
static inline float float_ordered(uint32_t key)
{
    float x;
    key = key & 0x80000000u ? key & 0x7fffffffu : ~key;
    memcpy(&x, &key, sizeof x);
    return x;
}

/* ---- ranks, gbdt_rank.c ------------------------------------------------------------------------------ */

/* n values of the member's, which are computed when they are asked for; none is NaN. */
typedef float RankValue(const void *of, size_t i);
/* The one of that rank (0: the least) among the values of all members, exactly as sorting finds it, in
 * memory that does not grow with them. Members of a team call it together. */
float rank_find(const Stretch *s, RankValue *value, const void *of, size_t n, size_t rank);

/* ---- pairs -------------------------------------------------------------------------------------- */

typedef uint64_t Pair;
static inline int64_t pair_g(Pair p, unsigned shift)
{
    return (int64_t)p >> shift;
}
static inline uint64_t pair_h(Pair p, unsigned shift)
{
    return p & (((Pair)1 << shift) - 1);
}
static inline Pair pair_of(int64_t g, uint64_t h, unsigned shift)
{
    return ((Pair)g << shift) + h;
}
unsigned pair_shift(size_t rows); /* where every h is 1 */

typedef struct BlockSums {
    double loss, weight, square, g, h;
    Pair pair;
} BlockSums;
size_t slope_blocks(size_t rows);

/* A class's gradients in this round. */
typedef struct Slopes {
    float *g, *h; /* [rows]; h NULL: 1 everywhere */
    Pair *pair;   /* [rows] */
    unsigned shift;
    double g_unit, h_unit; /* of a whole number */
    Pair sum;              /* of all rows */
    BlockSums *block;      /* [slope_blocks], of no class alone: room for what is summed by rows */
    __int128 square;       /* carry: sum of g^2 */
} Slopes;

/* ---- histograms ---------------------------------------------------------------------------------- */

/* Adds the pairs of rows (NULL: from..to) to hist [columns][HIST_BINS], which is zeroed first.
 * spare: [pool_threads - 1] histograms that take part and are added in. */
typedef struct HistJob {
    const Bins *bins;
    const Pair *pair;
    const uint32_t *rows; /* NULL: all, in order */
    size_t count;
    Pair *hist, *spare;
    size_t pieces; /* set by hist_build: spare holds pieces - 1 that hist_join must add */
} HistJob;
void hist_build(HistJob *job, Pool *pool);
void hist_join(const HistJob *job, size_t column);
/* One feature's sums out of its column's: into [bins]. */
void hist_feature(const Pair *hist, const BinFeature *f, Pair *into);

/* ---- splits --------------------------------------------------------------------------------------- */

typedef struct Cut {
    double gain; /* 0 or less: none */
    uint32_t feature;
    size_t bin; /* numbers: bins 0..bin go left */
    bool missing_left;
    double l2;               /* more of it for the leaves it makes (sets of categories) */
    Pair left;               /* sums of the left side */
    uint32_t set[SET_WORDS]; /* bins that go left */
} Cut;

typedef struct CutJob {
    const GbdtParams *params;
    unsigned shift;
    double g_unit, h_unit;
    int slope;                    /* of the feature, see Limits */
    bool bounded;                 /* weights have bounds: */
    double lower, upper;
    Pair sum;    /* of the leaf */
    double rows; /* of the leaf */
} CutJob;
void cut_find(const CutJob *job, const BinFeature *f, const Pair *sums, Cut *out);
double leaf_weight(const GbdtParams *p, double g, double h); /* before the learning rate */
double leaf_within(const CutJob *job, double l2, double g, double h); /* the same in its bounds */
double leaf_score(const GbdtParams *p, double g, double h);

/* ---- the forest ------------------------------------------------------------------------------------ */

#define NODE_FIELDS(X)             /* enum, tensor */                                              \
    X(FEATURE, "node.feature")     /* -1: a leaf; numbers first, then codes */                     \
    X(THRESHOLD, "node.threshold") /* numbers: x <= threshold goes left */                         \
    X(LEFT, "node.left")           /* nodes of the same tree, counted from its root */             \
    X(RIGHT, "node.right")                                                                         \
    X(MISSING_LEFT, "node.missing_left") /* 1: so do missing values */                             \
    X(VALUE, "node.value") /* a leaf's, with the learning rate; inside: if it were */              \
    X(GAIN, "node.gain")                                                                           \
    X(COVER, "node.cover") /* sum of h */                                                          \
    X(ROWS, "node.rows")   /* training rows */                                                     \
    X(CODES, "node.codes") /* how many of category.code are its: those go left */
#define AS_ENUM(name, tensor) NODE_##name,
typedef enum NodeField { NODE_FIELDS(AS_ENUM) NODE_FIELD_COUNT } NodeField;
#undef AS_ENUM

/* The same, ready to walk. */
#define WALK_INDEX    0x1fffffffu
#define WALK_LEAF     0x20000000u
#define WALK_MISSING  0x40000000u /* missing goes left */
#define WALK_CATEGORY 0x80000000u
typedef struct WalkNode {
    union {
        float at;
        uint32_t set;
    };                 /* threshold or leaf value; place of a set: words, then bits */
    uint32_t feature;  /* with the bits above */
    uint32_t child[2]; /* left, right in Forest.walk; a leaf's are itself */
} WalkNode;

/* Trees of few leaves once more, for many rows at a time: see gbdt_masks.c. */
#define MASK_LEAVES 64
#define MASK_ROWS   64
#define MASK_SLOTS  64
typedef struct MaskNode {
    uint8_t bins, rank;   /* which of the block's bins; above its rank goes right */
    uint8_t at, to[2];    /* places of its rows' mask, and of its children's */
} MaskNode;
typedef struct QuickMasks {
    bool fits;
    MaskNode *node;
    uint32_t *first;      /* [trees + 1] in node */
    float *value;         /* [trees][MASK_LEAVES] */
} QuickMasks;

/* The forest once more, for scoring: see gbdt_quick.c. */
typedef struct Quick {
    size_t trees, nodes; /* laid out */
    bool fits, has_sets;
    uint32_t *node, *root, *top;
    float *value;        /* [nodes] a leaf's; a category's: place in Forest.set, as bits */
    size_t slots, most;  /* numbers that are split; thresholds of the one with most */
    int32_t feature[64]; /* [slots] */
    float *upper;        /* [slots][256] thresholds, ascending, then infinite */
    QuickMasks masks;
} Quick;

typedef VEC(float) Floats;
typedef struct Forest {
    size_t outputs, numbers, features;
    const int32_t *cardinality;
    Floats nodes; /* [trees]; tree i is of class i % outputs */
    Floats field[NODE_FIELD_COUNT];
    Floats code;
    float *bias; /* [outputs] */
    VEC(WalkNode) walk;
    VEC(uint32_t) root; /* [trees] in walk */
    VEC(uint32_t) set;
    size_t codes_ready; /* of category.code, those of the trees in walk */
    VEC(TensorRow) row;
    Quick quick;
} Forest;
void forest_init(Forest *f, const ModelShape *shape);
void forest_release(Forest *f);
void forest_clear(Forest *f);
void forest_cut(Forest *f, size_t trees); /* only so many stay */
/* Room for so many more, within reason: up to there a tree is added without an allocation. */
void forest_room(Forest *f, size_t trees, size_t nodes);
size_t forest_tensors(Forest *f, const TensorRow **rows);
bool forest_reserve(Forest *f, const TensorRow *file, size_t n, Error *err);
bool forest_settle(Forest *f, Error *err); /* checks what was loaded, makes it ready to walk */
void forest_ready(Forest *f, size_t tree); /* a tree that was just grown */
static inline float *forest_node(Forest *f, NodeField field, size_t node)
{
    return &f->field[field].at[node];
}
static inline size_t forest_rounds(const Forest *f)
{
    return f->nodes.count / f->outputs;
}
/* out += trees from..to, in order; out is [rows][outputs]. */
void forest_add(const Forest *f, const Batch *b, size_t from, size_t to, float *out, Pool *pool);
/* The same for one tree and one class: score is [rows], score[i] that of row[i] (NULL: i). */
void forest_add_tree(const Forest *f, const Batch *b, const uint32_t *row, size_t tree,
                     float *score, Pool *pool);

/* A TreeEnsembleRegressor of ai.onnx.ml: the raw scores, [rows][outputs]. gbdt_onnx.c */
const char *forest_onnx(const Forest *f, Onnx *o, const char *dense, const char *codes, Error *err);
/* Lays the forest out for scoring, if that is not done; false: it does not fit. */
bool forest_quick(Forest *f);
void quick_release(Quick *q);
/* out += all trees; the forest is laid out. */
void quick_add(const Forest *f, const Batch *b, float *out, Pool *pool);
void masks_lay(QuickMasks *m, const Quick *q, size_t outputs); /* once q is laid out */
void masks_release(QuickMasks *m);
/* out[rows][outputs] += the trees of q->masks; at most MASK_ROWS, with AVX-512 VBMI */
void masks_add(const Forest *f, const float *dense, size_t rows, float *out);

/* A node of walk that is no leaf: which way this row goes. */
bool forest_goes_left(const Forest *f, size_t node, const float *dense, const int32_t *code);
/* What the inputs add to the scores: [rows][outputs][features + 1], the last the base. */
void forest_shap(const Forest *f, const Batch *b, double *out, Pool *pool);

/* XGBoost's JSON. */
bool forest_xgboost(const Forest *f, const ModelShape *s, const BoosterUnits *u, Text *into, Error *err);
/* scale: raw units in one of the target's. */
bool forest_from_xgboost(Forest *f, const ModelShape *s, double scale, const void *bytes, size_t n, Error *err);

void forest_importance(const Forest *f, Importance *out); /* adds; [features] */

/* ---- growing ---------------------------------------------------------------------------------------- */

typedef struct Leaf {
    size_t begin, count; /* in Grower.order */
    size_t from, rows;   /* the same among the rows of all members */
    size_t node;         /* of the tree */
    int depth;
    double l2; /* beyond lambda */
    double lower, upper; /* of its weight */
    uint64_t groups;     /* those that hold all features above */
    int32_t alone;       /* above is only this one, which is in no group; -1 */
    Pair sum;
    Pair *hist;
    Cut best;
} Leaf;

typedef struct Grower {
    const GbdtParams *params;
    const Limits *limits;
    const Bins *bins;
    const Stretch *stretch;
    Pool *pool;
    const Slopes *slopes;
    uint32_t *order, *scratch; /* [rows]: rows by leaf, ascending within */
    size_t rows;               /* in order: all, or a sample */
    bool all;                  /* order is 0, 1, 2 ... at the start */
    bool *use;                 /* [features] drawn for this tree */
    Leaf *leaf;                /* [leaves] */
    size_t leaves, leaves_most;
    Pair *hist, *spare; /* [leaves + 1][columns][HIST_BINS] */
    bool carry;         /* every leaf keeps its sums for grower_carry */
    Pair *root;         /* [columns][HIST_BINS] sums of all rows, if root_ready */
    bool root_ready;
    Pair **free_hist;
    size_t free_hists;
    Cut *found;         /* [2][features] */
    size_t *chunk_left; /* counts of a parallel partition */
    Cut *cut_of;        /* [2 leaves] of the tree's nodes */
    Pair *change;       /* [leaves] and where each begins, for grower_carry */
    size_t *first;
    Scratch *in;        /* where order and scratch stand */
    Progress *progress; /* stopped: a tree is left as it is, to be taken back; NULL in a team */
} Grower;
bool grower_init(Grower *g, const GbdtParams *p, const Limits *limits, const Bins *bins,
                 const Stretch *stretch, Pool *pool, Scratch *in, Error *err);
void grower_release(Grower *g);
/* Adds a tree to the forest; leaves[] then says which rows are where. Values are with rate 1. */
void grower_tree(Grower *g, Forest *f, const Slopes *s);
/* After that, with carry: what the tree's values (now with the learning rate) do to the gradients of a
 * squared loss, to their sum and to the sums of the next root. */
void grower_carry(Grower *g, Forest *f, Slopes *s);

/* ---- losses ------------------------------------------------------------------------------------------ */

typedef struct Target {
    LossKind loss;
    const Stretch *stretch;  /* whose rows these are */
    const float *y, *weight; /* [rows]; weight NULL: 1 */
    size_t rows, classes;    /* classes: outputs */
    double delta, quantile;   /* tweedie: the power instead of the quantile */
} Target;
typedef struct SlopeSums {
    double loss, weight, square;
} SlopeSums;
bool target_constant_h(const Target *t);
void target_bias(const Target *t, float *bias);
/* score: [classes][rows]. Fills slopes[classes]. */
void target_slopes(const Target *t, const float *score, Slopes *slopes, Pool *pool, SlopeSums *out);
/* Squared loss, no weights, all rows: gradients as whole numbers that trees are added to, see
 * gbdt_carry.c. False: this target is not one for it. */
bool carry_begin(const Target *t, double bias, Slopes *s, Pool *pool);
void carry_tree(Slopes *s, const float *value, size_t rows); /* value: [rows] of one more tree */
/* `rows` rows with that sum get `value` more: what comes to each, in units of g. */
int64_t carry_change(Slopes *s, float value, Pair sum);
/* The losses there are now; false: their sums may not fit the pairs any more. */
bool carry_sums(const Slopes *s, size_t rows, SlopeSums *out);
/* Slopes to pairs; factor [rows] or NULL scales both (a sample that stands for more). */
void slopes_pack(Slopes *s, const Stretch *rows, size_t count, const float *factor, size_t round,
                 Pool *pool);
/* absolute, quantile: the leaf's value that fits its rows best; false: the Newton step is. */
bool target_renews(const Target *t);
/* n: own rows of the leaf; all: those of the team. */
double target_renewed(const Target *t, const float *score, const uint32_t *rows, size_t n, size_t all);

/* ---- a team, gbdt_team.c ------------------------------------------------------------------------------ */

bool stretch_begin(Stretch *s, Team *team, size_t rows, Error *err);
void stretch_release(Stretch *s);
/* The rows stand by leaf from now on, the member's and all. */
void stretch_stand(Stretch *s, const Grower *g);
/* What was summed over the member's rows, over all; alone as it is. */
void stretch_sum_pairs(const Stretch *s, Pair *at, size_t n);
void stretch_sum_slopes(const Stretch *s, Slopes *slopes); /* sum and square */
void stretch_sum_reals(const Stretch *s, double *at, size_t n);
size_t stretch_sum_count(const Stretch *s, size_t n);
/* add goes on where the member before has stopped: sums in the order of all rows. */
void stretch_continue(const Stretch *s, void (*add)(void *job), void *job, double *sums, size_t n);
/* The rows of a sample [n][width]. mem_free them. */
float *stretch_sample(const Stretch *s, const Batch *b, size_t width, const uint32_t *sample, size_t n);

#endif
