/* serve.h -- the HTTP scorer: a bundle behind a port of this machine.
 *
 * Two protocols on one port, both on bundle_score: MLflow's POST /invocations (with GET /ping,
 * /health, /version) and Open Inference v2 under /v2; GET /metrics counts in Prometheus' text. What
 * a request may hold is in src/serve/intake.c, what comes back in src/serve/answer.c.
 *
 * It listens on loopback only. A request is bounded in size and time, connections in number; each
 * thread scores with a bundle of its own, so requests do not wait for each other.
 *
 *     ServeOptions o;
 *     params_init(serve_params, &o);
 *     Server *s = server_open(&(ServeModel){"runs/3/bundle", "taxi", "3"}, &o, &err);
 *     printf("http://%s\n", server_address(s));   // 127.0.0.1:8808
 *     server_watch(s, progress);                  // until progress' stop flag is raised
 *     server_close(s, NULL);                      // answers what is under way, then ends
 *     params_release(serve_params, &o);
 */
#ifndef LATHE_SERVE_H
#define LATHE_SERVE_H

#include <lathe/model.h>

typedef struct ServeOptions {
    char *listen;       /* ADDRESS:PORT of loopback; port 0: a free one */
    int threads;        /* 0: as many as there are cores */
    int connections;    /* at once; more wait in the system's queue */
    double body;        /* MB of a request at most: 413 beyond */
    double patience;    /* s until a request must be here whole: 408 beyond */
    double drain;       /* s that requests under way have when the server ends */
} ServeOptions;
extern const Param serve_params[];

typedef struct ServeModel {
    const char *dir;            /* of the bundle */
    const char *name, *version; /* as /v2/models/NAME/versions/VERSION says them */
} ServeModel;

typedef struct ServeCounts { uint64_t requests, errors /* 4xx, 5xx */, rows, dropped; } ServeCounts;

typedef struct Server Server;
Server *server_open(const ServeModel *model, const ServeOptions *options, Error *err);
void server_watch(Server *s, Progress *p);      /* keeps slow clients in bounds; returns when stopped */
void server_counts(const Server *s, ServeCounts *out);
const char *server_address(const Server *s);    /* with the port it really has */
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
