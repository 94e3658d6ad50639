/* serve_int.h -- what the files of this room share: from the bytes of a request to its answer.
 *
 *     listen.c  -> server.c (connections, threads) -> endpoint.c (which path, which method)
 *     endpoint.c -> mlflow.c | infer.c | csv.c (bytes -> Chunk, by an Intake) -> scorer.c
 *     scorer.c (bundle_score) -> answer.c (predictions -> JSON)                              */
#ifndef SERVE_INT_H
#define SERVE_INT_H

#include <lathe/serve.h>

#include <netinet/in.h>

/* ---- what rows must look like ------------------------------------------------------------------- */

/* The columns of raw rows and which of them the model looks at. The others may be left out; so may
 * the target. Read by any number of threads. */
typedef struct Intake {
    const Schema *schema; /* borrowed */
    bool *needed;         /* [schema->count] */
    const char **name;    /* [schema->count] for "did you mean" */
    size_t *input;        /* [inputs] the needed ones in order: what a list without names means */
    size_t inputs;
} Intake;
void intake_init(Intake *in, const Schema *schema); /* all but the target are needed */
void intake_narrow(Intake *in, const Bundle *b);    /* only what recipes and features look at */
void intake_release(Intake *in);
size_t intake_find(const Intake *in, const char *name, Error *err); /* SIZE_MAX: "no column ..." */
bool intake_check(const Intake *in, const bool *given, Error *err); /* "column X is missing" */
/* The chunk with a column of missing values for each that was left out. */
void intake_complete(const Intake *in, const Chunk *have, Arena *a, Chunk *out);
/* One JSON value as a value of the field: text, a date as ISO text, null is missing. */
bool intake_cell(ColumnBuild *b, const Field *f, const json_t *value, size_t row, Error *err);

/* ---- bodies to rows ------------------------------------------------------------------------------ */

/* The chunk lives in the arena. Errors name the place: "row 2, column MILES: expected ...". */
bool mlflow_rows(const Intake *in, const char *body, size_t n, Arena *a, Chunk *out, Error *err);
/* *id is a new reference, NULL if the request has none. */
bool infer_rows(const Intake *in, const char *body, size_t n, Arena *a, Chunk *out, json_t **id,
                Error *err);
json_t *body_json(const char *body, size_t n, Error *err); /* an object, a new reference */
const char *infer_type(ColumnType t);                      /* FP64 ... as v2 names it */

/* ---- scoring ---------------------------------------------------------------------------------------- */

/* One thread's bundle and what it said of the request at hand. */
typedef struct Scorer {
    Bundle *bundle;
    Arena arena;
    VEC(Prediction) said;
    Forecaster *ahead;  /* a model of series: the rows are its past; made with the first of them */
    ForecastRow *row;   /* [rows] what comes next, after scorer_end */
    size_t rows;
    struct Scorer *next; /* free ones form a list */
} Scorer;
bool scorer_add(Scorer *s, const Chunk *rows, Error *err);
bool scorer_end(Scorer *s, Error *err); /* all rows are there: a model of series forecasts */
bool scorer_forecasts(const Scorer *s);
void scorer_reset(Scorer *s);
/* CSV with a header line, scored as it is read. *fault: the request's (true) or the server's. */
bool csv_score(const Intake *in, Scorer *s, const char *body, size_t n, bool *fault, Error *err);

json_t *answer_mlflow(const Scorer *s);
json_t *answer_infer(const Scorer *s, const ServeModel *m, json_t *id);
json_t *answer_metadata(const Bundle *b, const Intake *in, const ServeModel *m);

/* ---- counting ------------------------------------------------------------------------------------------ */

#define COUNT_CODES  600
#define COUNT_BOUNDS 14
typedef struct Counter {
    _Atomic uint64_t code[COUNT_CODES];        /* replies by status */
    _Atomic uint64_t bucket[COUNT_BOUNDS + 1]; /* scoring requests by time, last: longer */
    _Atomic uint64_t micros;                   /* sum of those times */
    _Atomic uint64_t rows, dropped;
    _Atomic int64_t open, busy; /* connections; requests under way */
} Counter;
void counter_time(Counter *c, double seconds);
void counter_print(Counter *c, const ServeModel *m, Text *into); /* Prometheus' text */

/* ---- one request ---------------------------------------------------------------------------------------- */

typedef struct Request {
    const char *method, *path, *type; /* type: Content-Type or NULL */
    const char *body;
    size_t size;
} Request;

typedef struct Reply {
    unsigned code;
    const char *type, *allow; /* allow: methods, with 405; else NULL */
    Text body;
    bool timed; /* a scoring request: its time counts */
} Reply;

typedef struct Service {
    ServeModel model; /* owned copies */
    Intake intake;
    Counter counter;
    atomic_bool ending;
    Scorer *(*take)(struct Service *);
    void (*give)(struct Service *, Scorer *);
} Service;

/* Before the body: 0 go on, else the reply is made (404, 405, 415). */
bool endpoint_accepts(Service *s, const Request *r, Reply *out);
void endpoint_answer(Service *s, const Request *r, Reply *out);
void reply_error(Reply *r, unsigned code, const char *text);

/* ---- the port -------------------------------------------------------------------------------------------- */

/* Binds and listens; said: "127.0.0.1:8808" with the real port. Returns the socket or -1. */
int listen_open(const char *address, char said[80], Error *err);

#endif
