/* deploy_int.h -- what the files of this room share: settings as JSON, bundles of two models side by side,
 * and what a gate's rules are made of. */
#ifndef DEPLOY_INT_H
#define DEPLOY_INT_H

#include <lathe/deploy.h>

/* ---- settings.c ---- */
bool deploy_settings_text(const DeploySettings *set, Text *into); /* the row's JSON; always true */
/* One setting, checked beyond its row: plans and rules must make sense. */
bool deploy_settings_set(DeploySettings *set, const char *key, const char *value, Error *err);

/* ---- rules of a gate: gate.c ---- */
#define GATE_KINDS(X)                                                                              \
    X(ABSOLUTE)    /* METRIC <= 3 */                                                               \
    X(BETTER)      /* METRIC better 0.01 */                                                        \
    X(RELATIVE)    /* METRIC better 2% */                                                          \
    X(SIGNIFICANT) /* METRIC significant 0.05 */                                                   \
    X(LATENCY)     /* latency <= 5ms */                                                            \
    X(DRIFT)       /* drift <= 0.3 */
#define AS_ENUM(name) GATE_##name,
typedef enum GateKind { GATE_KINDS(AS_ENUM) GATE_KIND_COUNT } GateKind;
#undef AS_ENUM
struct GateRule {
    GateKind kind;
    const Metric *metric; /* of the first four */
    char sign;            /* '<' '>' strict, '[' at most, ']' at least */
    double bound;         /* latency in seconds, RELATIVE as a share */
    char text[120];       /* as it stands in the file */
};

/* ---- both models' answers to the same rows: gate_score.c ---- */
typedef struct GateScores {
    TaskKind task;
    size_t n, classes, each; /* each: numbers a row, 1 or classes */
    double *value, *other;   /* [n][each] of the candidate, of the incumbent (NULL: there is none) */
    double *truth;           /* [n] */
    size_t dropped;          /* rows that a rule of either recipe dropped, or without truth */
    double latency;          /* p99 of one row by the candidate, s; NaN: not asked for */
    bool series;             /* n: steps of horizons; value: the middle quantile */
    double quantile_loss[2], coverage[2]; /* then, of the candidate and of the incumbent; else NaN */
    char note[96];           /* what must be known of the comparison; "" */
} GateScores;
/* rows NULL: the test rows of the candidate's run. latency: measure it. */
bool gate_scores(Store *s, const ModelRow *model, const ModelRow *against, const Dataset *rows,
                 bool latency, Pool *pool, Progress *progress, Arena *a, GateScores *out, Error *err);

/* What is told of series alone: its score is in GateScores. */
extern const Metric quantile_loss_metric;

/* ---- the same of a model of series: gate_series.c ---- */
typedef struct SeriesSide { Bundle *bundle; size_t first_plan; } SeriesSide;
/* only: rows after which horizons are scored, NULL: all; theirs.bundle NULL: there is no incumbent. */
bool gate_series(const SeriesSide *mine, const SeriesSide *theirs, const Dataset *d, const Split *only,
                 Progress *progress, Arena *a, GateScores *out, Error *err);

/* gate_run, but nothing is recorded. */
bool gate_judge(Store *s, const Gate *g, const char *deployment, const ModelRow *model, const ModelRow *against,
                const Dataset *rows, Pool *pool, Progress *progress, Arena *a, GateReport *out, Error *err);

/* ---- is it chance? significance.c ---- */
/* The share of resamples in which the candidate is not better; seed fixed. */
double bootstrap_p(const Metric *m, const GateScores *g, Pool *pool, Arena *a);
/* McNemar of rows that one of the two has right: two-sided, exact below 25 such rows, else with Edwards'
 * continuity correction. better, worse: rows that only the candidate, only the incumbent has right. */
double mcnemar_p(size_t better, size_t worse);
size_t gate_right(const GateScores *g, const double *value, size_t row); /* 1: the class is right */

/* ---- rows that were answered: answers.c ---- */
/* Feedback of a deployment since then, as a dataset of raw rows with the target, written to dir; NULL
 * and *n 0 when there is none. Values that are masked make a row unusable; they are counted. */
Dataset *answered_rows(Store *s, const char *deployment, const Bundle *b, int64_t since, size_t most,
                       const char *dir, Pool *pool, size_t *n, size_t *masked, Error *err);

#endif
