/* serve.h -- the HTTP scorer: a bundle behind a port of this machine.
 *
 * Two protocols on one port, both on bundle_score: MLflow's POST /invocations (with GET /ping,
 * /health, /version) and Open Inference v2 under /v2; POST /feedback takes true outcomes, GET /metrics
 * counts in Prometheus' text. What a request may hold is in src/serve/intake.c, what comes back in
 * src/serve/answer.c.
 *
 * It serves one bundle, a run of a workspace, or a deployment of a workspace. Of a deployment it follows
 * the row in the store: a change is seen within a fraction of a second, models are opened beside the
 * traffic, and requests go over from one to the next without any of them failing. With a workspace
 * every prediction is logged (predictions.db), never at a request's expense.
 *
 * It listens on loopback, and elsewhere only with TLS and bearer tokens. A request is bounded in size and
 * time, connections in number; each thread scores with a bundle of its own, so requests do not wait for
 * each other.
 *
 *     ServeOptions o;
 *     params_init(serve_params, &o);
 *     Server *s = server_start(&(ServeSource){.workspace = "work", .deployment = "fares"}, &o, &err);
 *     printf("http://%s\n", server_address(s));   // 127.0.0.1:8808
 *     server_watch(s, progress);                  // until progress' stop flag is raised
 *     server_close(s, NULL);                      // answers what is under way, then ends
 *     params_release(serve_params, &o);
 */
#ifndef LATHE_SERVE_H
#define LATHE_SERVE_H

#include <lathe/model.h>

typedef struct ServeOptions {
    char *listen;       /* ADDRESS:PORT; port 0: a free one */
    char *cert, *key;   /* PEM files: TLS; both or none */
    int tokens;         /* auto: needed beyond loopback; yes; no (loopback only) */
    double rate;        /* requests a second of one token or address; 0: any; 429 beyond */
    int threads;        /* 0: as many as there are cores */
    int connections;    /* at once; more wait in the system's queue */
    double body;        /* MB of a request at most: 413 beyond */
    double patience;    /* s until a request must be here whole: 408 beyond */
    double drain;       /* s that requests under way have when the server ends */
    bool ids;           /* ids of the predictions in the answers' JSON, too */
    double sample;      /* share of predictions that are logged; a deployment's own setting goes first */
    double log_mb;      /* size of the log; likewise */
    bool detect;        /* detectors on the stream (drift.h) */
    char *mask;         /* private columns A,B: "***" in the log; likewise */
} ServeOptions;
extern const Param serve_params[];

typedef struct ServeModel {
    const char *dir;            /* of the bundle */
    const char *name, *version; /* as /v2/models/NAME/versions/VERSION says them */
} ServeModel;

typedef struct ServeSource {
    const char *workspace;
    const char *run;            /* number, name or "last"; looked up anew at a reload */
    const char *deployment;     /* NULL or "": the run */
} ServeSource;

typedef struct ServeCounts { uint64_t requests, errors /* 4xx, 5xx */, rows, dropped; } ServeCounts;

typedef struct Server Server;
Server *server_open(const ServeModel *model, const ServeOptions *options, Error *err); /* one bundle: no log, no tokens */
Server *server_start(const ServeSource *source, const ServeOptions *options, Error *err);
/* Keeps slow clients in bounds; SIGHUP, if this thread blocks it, reloads. Returns when stopped. */
void server_watch(Server *s, Progress *p);
void server_reload(Server *s);                  /* looks anew at what it serves, soon, on its own thread */
void server_counts(const Server *s, ServeCounts *out);
const char *server_address(const Server *s);    /* with the port it really has */
const char *server_about(const Server *s);      /* what it serves: "run 3 (taxi)", "deployment fares" */
bool server_secure(const Server *s);            /* https */
/* Takes no new connections, answers the requests under way (`drain` seconds at most), ends. What was
 * counted until then goes to out, which may be NULL. */
void server_close(Server *s, ServeCounts *out);

/* ---- rows as JSON objects, one by one ------------------------------------------------------------ */

/* Values are taken as an HTTP request's are; a needed column must be there, and what the model does not
 * know is passed over. Rows are gathered until someone takes them as a chunk. */
typedef struct RowIntake RowIntake;
RowIntake *row_intake_create(const Bundle *b);   /* which must outlive it */
void   row_intake_destroy(RowIntake *r);
bool   row_intake_add(RowIntake *r, const char *json, size_t n, Error *err); /* false: not taken in */
size_t row_intake_count(const RowIntake *r);
void   row_intake_take(RowIntake *r, Arena *a, Chunk *out); /* and is empty again */

#endif
