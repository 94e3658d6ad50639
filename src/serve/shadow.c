/* shadow.c -- the candidate's answers that nobody is given: scored beside the traffic, and logged.
 *
 * The request that was answered waits as a copy for one thread; where too many wait, they are passed over
 * and counted as dropped. Of a request with more rows than there are ids between an answer and its shadow
 * (PREDICTION_SHADOW) nothing is compared. */
#include "serve_int.h"

#include <string.h>

#define WAIT_MOST  2000
#define BYTES_MOST ((size_t)32 << 20)

typedef struct Job {
    struct Job *next;
    Routing *g; /* a hold */
    Request r;  /* its texts follow */
    int64_t first;
    size_t rows;
} Job;

struct Shadow {
    Service *service;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t more;
    Job *first, **last;
    size_t jobs, bytes;
    bool ending;
};

static size_t length(const char *s)
{
    return s ? strlen(s) + 1 : 0;
}

static const char *put(char **at, const char *s, size_t n)
{
    char *to = *at;
    if (!s)
        return NULL;
    memcpy(to, s, n);
    *at += n;
    return to;
}

static Job *job_create(Routing *g, const Request *r, int64_t first, size_t rows)
{
    Job *job = mem_alloc(sizeof *job + length(r->path) + length(r->type) + r->size + 1);
    char *at = (char *)(job + 1);
    job->g = g;
    job->first = first;
    job->rows = rows;
    job->r.path = put(&at, r->path, length(r->path));
    job->r.type = put(&at, r->type, length(r->type));
    job->r.body = put(&at, r->body, r->size);
    job->r.size = r->size;
    return job;
}

void shadow_add(Shadow *w, Routing *g, const Request *r, int64_t first, size_t rows)
{
    if (rows > PREDICTION_SHADOW)
        return;
    pthread_mutex_lock(&w->lock);
    bool room = w->jobs < WAIT_MOST && w->bytes + r->size <= BYTES_MOST && !w->ending;
    if (room) {
        g->holds++;
        Job *job = job_create(g, r, first, rows);
        *w->last = job;
        w->last = &job->next;
        w->jobs++;
        w->bytes += r->size;
    } else if (g->candidate->traffic) {
        g->candidate->traffic->shadow.dropped += rows;
    }
    pthread_mutex_unlock(&w->lock);
    if (room)
        pthread_cond_signal(&w->more);
}

static Job *take(Shadow *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->first && !w->ending)
        pthread_cond_wait(&w->more, &w->lock);
    Job *job = w->first;
    if (job) {
        w->first = job->next;
        if (!w->first)
            w->last = &w->first;
        w->jobs--;
        w->bytes -= job->r.size;
    }
    pthread_mutex_unlock(&w->lock);
    return job;
}

static void score(Shadow *w, const Job *job)
{
    Served *v = job->g->candidate;
    Scorer *s = served_take(v);
    Error err = {0};
    json_t *id = NULL;
    bool fault;
    double from = clock_now();
    s->sample = job->g->sample;
    s->masked = job->g->masked[1];
    bool ok = request_score(v, s, &job->r, &id, &fault, &err);
    double took = clock_now() - from;
    if (ok && s->said.count == job->rows)
        journal_add(w->service->journal, v, s, "shadow", job->first, false, took);
    if (v->traffic) /* what it cannot answer speaks against it */
        traffic_count(&v->traffic->shadow, took, s->said.count, !ok);
    json_decref(id);
    served_give(v, s);
}

static void *work(void *arg)
{
    Shadow *w = arg;
    for (Job *job; (job = take(w));) {
        score(w, job);
        service_let_go(job->g);
        mem_free(job);
    }
    return NULL;
}

Shadow *shadow_open(Service *s)
{
    Shadow *w = mem_alloc(sizeof *w);
    w->service = s;
    w->last = &w->first;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    w->running = pthread_create(&w->thread, NULL, work, w) == 0;
    if (!w->running)
        w->ending = true; /* nobody would take what is added */
    return w;
}

void shadow_close(Shadow *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_mutex_unlock(&w->lock);
    pthread_cond_signal(&w->more);
    if (w->running)
        pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->more);
    mem_free(w);
}
