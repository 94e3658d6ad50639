/* recipe.h -- cleaning as text: an ordered list of rules, previewed, undone, fitted, applied.
 *
 * A Recipe is what the user edits: lines of text, each rule switched on or off, with an undo
 * history. A Plan is a recipe bound to a schema: type-checked, with the columns that come out.
 * Some rules need statistics (a median, quantiles, what was seen before); plan_fit computes them
 * from the training rows, and they are kept as JSON beside the text. plan_apply is one function
 * for a dataset, a batch and a single row.
 *
 *     Recipe *r = recipe_create();
 *     recipe_parse(r, "drop missing FARE\nclip MILEAGE 0 60\n", &err);
 *     Plan *plan = plan_create(r, dataset_schema(d), &err);
 *     // "line 2, column 6: no column MILAGE, did you mean MILEAGE?"
 *     plan_fit(plan, d, &train_rows, pool, &stop, &err);
 *     plan_apply(plan, &chunk, &arena, &cleaned, &err);      // cleaned.origin says which rows are left
 */
#ifndef LATHE_RECIPE_H
#define LATHE_RECIPE_H

#include <lathe/data.h>

/* ---- the text, edited ----------------------------------------------------------------------- */

typedef struct Recipe Recipe;
Recipe *recipe_create(void);
Recipe *recipe_copy(const Recipe *r);            /* with its history */
void    recipe_destroy(Recipe *r);
/* Replaces all rules (one undoable step). Lines starting with # are comments and are kept; a rule
 * that is switched off is written "# off: RULE". Syntax only; columns are checked by plan_create. */
bool    recipe_parse(Recipe *r, const char *text, Error *err);
bool    recipe_read(Recipe *r, const char *path, Error *err);   /* "taxi.recipe: line 3: ..." */
void    recipe_print(const Recipe *r, Text *into);              /* parse(print(r)) == r */
size_t  recipe_count(const Recipe *r);
const char *recipe_rule(const Recipe *r, size_t i);             /* the rule's text, borrowed */
size_t  recipe_line(const Recipe *r, size_t i);                 /* its line in the printed text, from 1: errors name it */
bool    recipe_is_on(const Recipe *r, size_t i);
bool    recipe_insert(Recipe *r, size_t at, const char *rule, Error *err); /* syntax checked */
bool    recipe_replace(Recipe *r, size_t at, const char *rule, Error *err);
void    recipe_remove(Recipe *r, size_t at);
void    recipe_move(Recipe *r, size_t from, size_t to);
void    recipe_toggle(Recipe *r, size_t at);
bool    recipe_undo(Recipe *r);                  /* false: nothing to undo */
bool    recipe_redo(Recipe *r);

/* ---- the rules, declared once ------------------------------------------------------------------ */

typedef struct RuleKind {                        /* the public part of a rule's row, for help and forms */
    const char *name;                            /* "drop missing", "clip", "impute" ... */
    const char *usage;                           /* "clip COLUMN LOW HIGH" */
    const char *about;                           /* one line */
    const char *example;
} RuleKind;
size_t rule_kinds(void);
const RuleKind *rule_kind(size_t i);
typedef struct FunctionKind { const char *name, *usage, *about; } FunctionKind;
size_t function_kinds(void);                     /* functions of the expression language */
const FunctionKind *function_kind(size_t i);
/* Words that may stand at the end of `text`, for completion; pushed through `add`. Each replaces the
 * unfinished last word, which it begins with (in any case). */
void recipe_complete(const char *text, const Schema *s, void (*add)(void *, const char *word), void *context);

/* A column's name and a text as the language wants them: `hour of day`, "say ""no""". */
void recipe_add_name(const char *column, Text *into);
void recipe_add_text(const char *value, Text *into);

/* ---- bound to a schema ------------------------------------------------------------------------- */

typedef struct Plan Plan;
Plan  *plan_create(const Recipe *r, const Schema *in, Error *err);
void   plan_destroy(Plan *p);
const Schema *plan_schema(const Plan *p);        /* what comes out; the roles follow the columns */
bool   plan_writes(const Plan *p, const char *column); /* some rule makes or changes it */
bool   plan_needs_fit(const Plan *p);
/* Statistics from the rows of d whose part is PART_TRAIN (split NULL: all rows). */
bool   plan_fit(Plan *p, const Dataset *d, const Split *split, Pool *pool, Progress *progress, Error *err);
json_t *plan_to_json(const Plan *p);             /* text and fitted state */
Plan  *plan_from_json(const json_t *from, const Schema *in, Error *err);
/* One chunk in, one out (arena memory and views of the input). out->origin names surviving rows.
 * Rules with memory across rows (dedupe) remember in `state`, one per ordered pass; NULL for a
 * single batch. An expression that cannot be computed for a row (log of -1) gives missing.
 * A plan that needs a fit must have been fitted. When the chunk lacks the target (scoring), it comes
 * out missing, and rules that would drop rows by it, or by what is computed from it, are skipped. */
typedef struct PlanState PlanState;
bool   plan_is_ordered(const Plan *p);           /* some rule remembers rows: chunks in their order */
PlanState *plan_state_create(const Plan *p);
void   plan_state_destroy(PlanState *s);
bool   plan_apply(const Plan *p, PlanState *state, const Chunk *in, Arena *a, Chunk *out, Error *err);
/* Like plan_apply, keeping why: reason[i] for the i-th row of `in`: 0 kept, k dropped by rule k-1
 * of the recipe (those switched off are counted). */
bool   plan_apply_traced(const Plan *p, PlanState *state, const Chunk *in, Arena *a, Chunk *out,
                         uint16_t *reason, Error *err);

/* What the expect rules say of a chunk; none fails it. left: the rows as the recipe leaves them. */
typedef struct Expectation { size_t rule; const char *text; double wanted /* share that must hold */; uint64_t judged, failed; } Expectation;
bool   plan_expect(const Plan *p, const Chunk *in, Arena *a, Expectation **out, size_t *n, Chunk *left, Error *err);

/* Recipes, one after the other, as ONNX nodes: what they make of raw columns. Values are as features_onnx
 * wants them; a column is said when it is asked for, and an input made when it is read. Rows that a rule
 * drops are not known to it. */
typedef struct PlanOnnx PlanOnnx;
typedef const char *PlanInput(Onnx *o, const char *name, ColumnType type);
PlanOnnx *plan_onnx_create(Onnx *o, const Plan *const *plan, size_t plans, PlanInput *input); /* plans > 0 */
const char *plan_onnx_column(PlanOnnx *p, const char *name); /* NULL: it cannot be said */
const char *plan_onnx_stuck(const PlanOnnx *p);              /* because of this rule; or NULL */
void plan_onnx_destroy(PlanOnnx *p);

/* The whole table: writes the derived dataset to dir. */
typedef struct RuleEffect { uint64_t rows_in, rows_out, touched, failed; } RuleEffect; /* failed: expect */
typedef struct ApplyReport { char hash[65]; uint64_t rows_in, rows_out; size_t rules; RuleEffect effect[256]; } ApplyReport;
bool plan_apply_dataset(const Plan *p, const Dataset *d, const char *dir, Pool *pool, Progress *progress,
                        ApplyReport *out, Error *err); /* a failed expect rule: ERROR_PARSE naming it */
/* The same without writing (dry=yes). */
bool plan_measure(const Plan *p, const Dataset *d, Pool *pool, Progress *progress, ApplyReport *out, Error *err);

/* ---- preview: the blast radius -------------------------------------------------------------------- */

#define PREVIEW_BINS 40
typedef struct PreviewColumn {                   /* a column the rule changed, made or filtered on */
    char name[64];
    bool numeric;
    double low, high;                            /* of both, so that the histograms compare */
    bool tails;                                  /* far outliers are counted in the bins at the rims */
    double before[PREVIEW_BINS], after[PREVIEW_BINS]; /* shares; for text: of the top words */
    size_t bins; char word[PREVIEW_BINS][24];    /* text: the words */
    double mean_before, mean_after, missing_before, missing_after; /* missing as shares */
} PreviewColumn;
/* How the target gets where it should not be: a model that sees the answer, or is tried on rows chosen by it,
 * seems better than it will be. */
typedef enum Leak {
    LEAK_NONE,
    LEAK_COMPUTED,                               /* column `leaking` is computed from the target */
    LEAK_CHOSEN,                                 /* rows are left out by what the target is */
    LEAK_ALIKE                                   /* `leaking`, which the rule writes, goes with the target: r is `alike` */
} Leak;
typedef struct Preview {
    bool exact;                                  /* false: from a sample */
    uint64_t rows_seen, rows_total;
    uint64_t rows_in, rows_out, touched;         /* of rows_seen; touched: rows whose values changed;
                                                  * of an expect: rows that fail it */
    double part_share[PART_COUNT];               /* share of each part's rows dropped or touched */
    size_t columns; PreviewColumn column[4];
    size_t columns_in, columns_out;              /* of the table */
    Leak leak; char target[64], leaking[64]; double alike; /* target "": none is known, so nothing is told */
} Preview;
/* Rule `at` of the recipe against what the rules before it leave. sample 0: exact, all rows. in: the columns of d
 * with the roles the user gave; NULL: those of d. */
bool recipe_preview(const Recipe *r, size_t at, const Dataset *d, const Schema *in, const Split *split,
                    uint64_t sample, Pool *pool, Progress *progress, Preview *out, Error *err);

/* ---- expressions --------------------------------------------------------------------------------- */

/* SQL-like, type-checked when bound; used by rules, by filters on screen (`/`) and what-if. */
typedef struct Expr Expr;
Expr *expr_parse(const char *text, const Schema *s, Error *err); /* "column 7: expected a number ..." */
void  expr_destroy(Expr *e);
ColumnType expr_type(const Expr *e);
bool  expr_eval(const Expr *e, const Chunk *in, Arena *a, Column *out, Error *err);
/* keep[i] = 1 where a bool expression is true (missing is not). Returns how many; SIZE_MAX and the
 * error when it cannot be computed on this chunk. */
size_t expr_filter(const Expr *e, const Chunk *in, Arena *a, uint8_t *keep, Error *err);
/* The rows (scan.h) where it is true, in the order of `from` (NULL: all, in the order of the file). */
struct RowSet;
bool  expr_rows(const Expr *e, const Dataset *d, const struct RowSet *from, Pool *pool,
                Progress *progress, struct RowSet *out, Error *err);

#endif
