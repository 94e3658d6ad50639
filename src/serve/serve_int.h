/* serve_int.h -- what the files of this room share: from the bytes of a request to its answer.
 *
 *     listen.c  -> server.c (connections, threads) -> guard.c (who may ask) -> endpoint.c (which path)
 *     endpoint.c -> route.c (which model) -> mlflow.c | infer.c | csv.c (bytes -> Chunk, by an Intake)
 *     scorer.c (bundle_score) -> answer.c (predictions -> JSON), journal.c (predictions -> the log)
 *     follow.c: a thread beside them that looks at the store and swaps the routing             */
#ifndef SERVE_INT_H
#define SERVE_INT_H

#include <lathe/serve.h>
#include <lathe/store.h>

#include <netinet/in.h>
#include <pthread.h>

/* ---- what rows must look like ------------------------------------------------------------------- */

/* The columns of raw rows and which of them the model looks at. The others may be left out; so may
 * the target. Read by any number of threads. */
typedef struct Intake {
    const Schema *schema; /* borrowed */
    bool *needed;         /* [schema->count] */
    const char **name;    /* [schema->count] for "did you mean" */
    size_t *size;         /* [schema->count] of the names, in bytes */
    Text key;             /* the names as keys of JSON, each with its colon, one after the other ... */
    size_t *key_end;      /* [schema->count] ... and where each ends */
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
bool intake_absent(const Field *f, size_t rows, Arena *a, Column *out); /* false: a target, which may be */
/* One JSON value as a value of the field: text, a date as ISO text, null is missing. */
bool intake_cell(ColumnBuild *b, const Field *f, const json_t *value, size_t row, Error *err);

/* ---- bodies to rows ------------------------------------------------------------------------------ */

/* The chunk lives in the arena. Errors name the place: "row 2, column MILES: expected ...". */
bool mlflow_rows(const Intake *in, const char *body, size_t n, Arena *a, Chunk *out, Error *err);
/* What mlflow_rows does with a body in which something is unusual, and the same for every other one. */
bool mlflow_tree(const Intake *in, const char *body, size_t n, Arena *a, Chunk *out, Error *err);
bool mlflow_fast(const Intake *in, const char *body, size_t n, Arena *a, Chunk *out); /* false: unusual */
/* *id is a new reference, NULL if the request has none. */
bool infer_rows(const Intake *in, const char *body, size_t n, Arena *a, Chunk *out, json_t **id,
                Error *err);
/* What stands around the body's n-th byte: "data: row 1, value 3"; nothing if nothing has a name. */
void json_place(const char *body, size_t n, Text *into);
json_t *body_json(const char *body, size_t n, Error *err); /* an object, a new reference */
const char *infer_type(ColumnType t);                      /* FP64 ... as v2 names it */

/* ---- scoring ---------------------------------------------------------------------------------------- */

/* A row on its way to the log: its inputs stand in the scorer's text from `at` on, of a forecast also what was said. */
typedef struct Note { size_t row, at, said /* 0: answer_said */; } Note;

/* One thread's bundle and what it said of the request at hand. */
typedef struct Scorer {
    Bundle *bundle;
    Arena arena;
    VEC(Prediction) said;
    Forecaster *ahead;     /* a model of series: the rows are its past; made with the first of them */
    ForecastRow *row;      /* [rows] what comes next, after scorer_end; said has the same values */
    size_t rows;
    Text past;             /* of a model of series: the rows that were sent, as the log has them ... */
    VEC(size_t) past_at;   /* ... and where each begins */
    Rng rng;               /* which rows are logged, which requests go to a canary */
    double sample;         /* of the request at hand; 0: nothing is noted */
    const bool *masked;    /* [columns of the schema] */
    const Intake *intake;
    VEC(Note) note;
    Text inputs;
    const size_t *number;  /* fields that detectors look at; NULL: none */
    size_t numbers;
    VEC(double) value;     /* [note][numbers] */
    struct Scorer *next;   /* free ones form a list */
} Scorer;
bool scorer_add(Scorer *s, const Chunk *rows, Error *err);
bool scorer_end(Scorer *s, Error *err); /* all rows are there: a model of series forecasts */
bool scorer_forecasts(const Scorer *s);
bool ahead_add(Scorer *s, const Chunk *rows, Error *err); /* both, of a model of series */
bool ahead_end(Scorer *s, Error *err);
void scorer_reset(Scorer *s);
void scorer_release(Scorer *s);
/* The row as a JSON object: needed columns, and others where they have a value; masked ones are "***". */
void note_inputs(const Intake *in, const bool *masked, const Chunk *rows, size_t row, Text *into);
/* CSV with a header line, scored as it is read. *fault: the request's (true) or the server's. */
bool csv_score(const Intake *in, Scorer *s, const char *body, size_t n, bool *fault, Error *err);

void put_json_text(const char *s, Text *into);   /* as a JSON string; broken UTF-8 becomes U+FFFD */
void put_json_number(double v, Text *into);      /* with a point or an exponent; null if there is no such number */
void answer_mlflow(const Scorer *s, int64_t first /* id; 0: not told */, Text *into);
json_t *answer_infer(const Scorer *s, const ServeModel *m, int64_t first, json_t *id);
json_t *answer_metadata(const Bundle *b, const Intake *in, const ServeModel *m);
const char *answer_said(const Scorer *s, const Prediction *p); /* the class's name, "" for a number */

/* ---- counting ------------------------------------------------------------------------------------------ */

#define COUNT_CODES   600
#define COUNT_BOUNDS  14
#define TRAFFIC_STEPS 320
#define TRAFFIC_MOST  64 /* models one server tells apart */
typedef struct Counter {
    _Atomic uint64_t code[COUNT_CODES];        /* replies by status */
    _Atomic uint64_t bucket[COUNT_BOUNDS + 1]; /* scoring requests by time, last: longer */
    _Atomic uint64_t micros;                   /* sum of those times */
    _Atomic uint64_t rows, dropped;
    _Atomic int64_t open, busy; /* connections; requests under way */
    _Atomic uint64_t reloads, reloads_failed;
} Counter;
void counter_time(Counter *c, double seconds);

#define DETECT_COLUMNS 64
typedef struct Detect Detect;

typedef struct TrafficCount {
    _Atomic uint64_t requests, errors, rows, dropped;
    _Atomic uint32_t step[TRAFFIC_STEPS]; /* of times, eight an octave */
} TrafficCount;

/* What one model answered since it was last asked, and what is watched of it. */
typedef struct Traffic {
    int64_t model;
    char *label, *column[DETECT_COLUMNS]; /* numbers the model needs; set before anyone counts */
    size_t columns;
    bool classes;
    _Atomic(Detect *) detect;             /* the journal's */
    TrafficCount given, shadow;           /* to who asked; beside another's answer, to nobody */
} Traffic;
void traffic_count(TrafficCount *c, double seconds, size_t rows, bool error);
/* The model and what was counted, or false: nothing since. */
bool traffic_take(Traffic *t, bool shadow, TrafficRow *out);

Detect *detect_create(char *const *column, size_t columns, bool classes);
void detect_destroy(Detect *d);
void detect_row(Detect *d, const double *input, double output, int64_t id);
void detect_error(Detect *d, double error, int64_t id); /* classes: 0 right, 1 wrong; else its size */
void detect_tell(Detect *d, const char *dir, const char *deployment, int64_t model, const char *label, Log *log);
/* How often each saw a change; warnings: how many values it took for the beginning of one. */
void detect_print(const Detect *d, const char *label, bool warnings, Text *into);

/* ---- models and which of them answers --------------------------------------------------------------------- */

typedef struct Served {
    int holds;        /* of routings; only the thread that swaps them touches it */
    int64_t id;       /* of the model in the store; 0: none */
    ServeModel about; /* owned */
    char *label;      /* "taxi/3" */
    Intake intake;
    Traffic *traffic; /* the service's */
    size_t number[DETECT_COLUMNS], numbers; /* fields with numbers that are needed */
    size_t scorers;
    Scorer *scorer;
    pthread_mutex_t lock;
    Scorer *free; /* guarded by lock */
} Served;
Served *served_open(const ServeModel *about, int64_t id, size_t scorers, Error *err);
void    served_close(Served *v);
Scorer *served_take(Served *v);
void    served_give(Served *v, Scorer *s);

#define ROUTE_STATES(X) X(LIVE, "live") X(SHADOW, "shadow") X(CANARY, "canary") X(GREEN, "green") X(STOPPED, "stopped")
#define AS_ENUM(name, text) ROUTE_##name,
typedef enum RouteState { ROUTE_STATES(AS_ENUM) ROUTE_STATE_COUNT } RouteState;
#undef AS_ENUM
bool route_state(const char *name, RouteState *out);

/* Never changed once it is made; whoever takes it holds it. */
typedef struct Routing {
    _Atomic int holds;
    int64_t revision;
    RouteState state;
    char *name;                 /* the deployment's, or the model's */
    Served *model, *candidate;  /* candidate: NULL if there is none */
    bool *masked[2];            /* of the model's and the candidate's columns */
    double percent;
    char *key;                  /* "" : by request */
    double sample;
    int64_t log_bytes;
} Routing;
typedef struct RouteSettings { double sample, log_mb; const char *mask, *key; } RouteSettings;
Routing *routing_create(const char *name, RouteState state, Served *model, Served *candidate,
                        const RouteSettings *set, Error *err);
void routing_destroy(Routing *g); /* and models no other routing has */
/* Which of the two answers; rows NULL: by chance. */
Served *routing_choose(const Routing *g, const Chunk *rows, Rng *rng);
static inline bool routing_by_rows(const Routing *g) { return g->state == ROUTE_CANARY && *g->key; }

/* ---- the log of predictions ------------------------------------------------------------------------------- */

/* Feedback on its way to the disk; `wake` is called once, from the journal's thread, when it is there. */
typedef struct Ticket {
    struct Ticket *next;
    Arena arena;
    PredictionRow *row;
    bool *known;
    size_t rows;
    bool ok;
    Error err;
    void (*wake)(void *context);
    void *context;
} Ticket;
void ticket_destroy(Ticket *t);

typedef struct Journal Journal;
typedef struct Service Service;
Journal *journal_open(const char *dir, const char *deployment, bool detect, Service *service, Error *err);
void journal_end(Journal *j);   /* all is written and every ticket woken; then nothing more is taken */
void journal_close(Journal *j);
/* Never waits: what does not fit is counted. Returns the id of the first of the request's rows. In the role
 * of a shadow, `beside` is the id of the answer. */
int64_t journal_add(Journal *j, const Served *v, const Scorer *s, const char *role, int64_t beside,
                    bool shadowed, double latency);
bool journal_feedback(Journal *j, Ticket *t); /* takes it; false: the server ends */
void journal_print(Journal *j, Text *into);   /* its part of /metrics */
/* What a truth may be: a number, or one of the classes. */
typedef struct TruthKind { const char *target; size_t classes; const char *const *name; } TruthKind;
TruthKind truth_kind(const Features *f, Arena *a);
bool feedback_rows(const TruthKind *kind, const char *body, size_t n, bool lines, Arena *a,
                   PredictionRow **out, size_t *rows, Error *err);

/* ---- one request ---------------------------------------------------------------------------------------- */

typedef struct Request {
    const char *method, *path, *type; /* type: Content-Type or NULL */
    const char *body;
    size_t size;
    const char *authorization;        /* or NULL */
    const struct sockaddr *from;      /* or NULL */
    bool ids;                         /* asked for by a header */
} Request;

typedef struct Reply {
    unsigned code;
    const char *type, *allow; /* allow: methods, with 405; else NULL */
    Text body;
    int64_t id;               /* of the first prediction; 0: none */
    int wait;                 /* s, with 429 and 503; 0: not said */
    char model[160];          /* "" : none answered */
    Ticket *ticket;           /* the answer comes when it is written */
} Reply;

typedef struct Shadow Shadow;
typedef struct Guard Guard;

struct Service {
    Counter counter;
    atomic_bool ending;
    bool ids;
    size_t threads;
    pthread_mutex_t lock;
    Routing *routing;                    /* guarded by lock */
    Traffic traffic[TRAFFIC_MOST];
    _Atomic size_t traffics;
    Journal *journal;                    /* NULL: nothing is logged */
    Shadow *shadow;                      /* NULL: no deployment */
    Guard *guard;
    Log *log;                            /* or NULL */
};
Routing *service_routing(Service *s);          /* a hold, to be let go */
void     service_let_go(Routing *g);
Routing *service_swap(Service *s, Routing *g); /* the one before, whose hold is now the caller's */
Traffic *service_traffic(Service *s, const Served *v); /* NULL: too many */
void     service_print(Service *s, Text *into); /* Prometheus' text */

/* Before the body: true go on, else the reply is made (401, 404, 405, 415, 429). */
bool endpoint_accepts(Service *s, const Request *r, Reply *out);
void endpoint_answer(Service *s, const Request *r, Reply *out);
void endpoint_feedback(const Ticket *t, Reply *out); /* it is on disk, or it is not */
void reply_error(Reply *r, unsigned code, const char *text);

/* A shadow's share of a request: a copy of it waits for a thread beside the others. */
Shadow *shadow_open(Service *s);
void    shadow_close(Shadow *w);
void    shadow_add(Shadow *w, Routing *g, const Request *r, int64_t first, size_t rows);
/* A scoring request through a scorer; *id as infer_rows has it; *fault: the request's or ours. */
bool request_score(const Served *v, Scorer *s, const Request *r, json_t **id, bool *fault, Error *err);

/* ---- who may ask ---------------------------------------------------------------------------------------- */

Guard *guard_open(const char *dir, bool tokens, double rate, Error *err); /* dir NULL: no workspace */
void   guard_close(Guard *g);
void   guard_forget(Guard *g); /* tokens may have been revoked */
bool   guard_admits(Guard *g, const Request *r, bool open /* to anyone */, Reply *out);
void   guard_print(Guard *g, Text *into);

/* ---- following the store ---------------------------------------------------------------------------------- */

typedef struct Follower Follower;
Follower *follower_open(Service *s, const ServeSource *source, const ServeOptions *o, Error *err); /* routes */
bool follower_start(Follower *f, const char *address, Error *err); /* its thread */
void follower_reload(Follower *f);
const char *follower_about(const Follower *f);
const char *follower_log_name(const Follower *f); /* under which predictions are logged; NULL: they cannot be */
void follower_close(Follower *f, const ServeCounts *c);

/* ---- the port -------------------------------------------------------------------------------------------- */

/* Binds and listens; said: "127.0.0.1:8808" with the real port. Returns the socket or -1. Beyond loopback
 * only where `guarded` (TLS and tokens). *loopback: what it is. */
int listen_open(const char *address, bool guarded, char said[80], Error *err);
bool listen_is_loopback(const char *address, bool *out, Error *err);

#endif
