/* predict_queue.c -- rows to score, read on a thread of their own.
 *
 *     reader ──parcel──▶ queue of PARCELS ──▶ scored, printed and written by the verb's thread
 *
 * While a parcel is scored the next ones are read, so slow sources and parsing cost nothing beside the
 * model. Parcels go by in order and hold what they need (chunk_copy), so memory is bounded by PARCELS
 * chunks, and the predictions are those of one thread. Whichever side fails first ends the other. */
#include "predict_int.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define PARCELS 4

struct PredictQueue {
    const Work *work;
    PredictFill *fill;
    void *context;
    Parcel parcel[PARCELS];
    size_t sent, taken; /* parcels; sent - taken are in the queue */
    bool ended, closed; /* no more will be sent; nobody takes any more */
    bool ok;            /* of the reading side */
    Error err;
    pthread_mutex_t lock;
    pthread_cond_t moved;
};

/* ---- the reading side ----------------------------------------------------------------------------- */

Parcel *queue_parcel(PredictQueue *q)
{
    pthread_mutex_lock(&q->lock);
    while (!q->closed && q->sent - q->taken == PARCELS)
        pthread_cond_wait(&q->moved, &q->lock);
    Parcel *p = q->closed ? NULL : &q->parcel[q->sent % PARCELS];
    pthread_mutex_unlock(&q->lock);
    return p;
}

void queue_send(PredictQueue *q)
{
    pthread_mutex_lock(&q->lock);
    q->sent++;
    pthread_cond_broadcast(&q->moved);
    pthread_mutex_unlock(&q->lock);
}

void parcel_reject(Parcel *p, const Reject *r)
{
    char *text = arena_alloc(&p->arena, r->text_size + 1);
    if (r->text_size)
        memcpy(text, r->text, r->text_size);
    vec_add(&p->refused, (Reject){.line = r->line, .reason = arena_text(&p->arena, r->reason),
                                  .text = text, .text_size = r->text_size});
}

static void *read_all(void *context)
{
    PredictQueue *q = context;
    bool ok = q->fill(q->context, q, &q->err);
    pthread_mutex_lock(&q->lock);
    q->ok = ok;
    q->ended = true;
    pthread_cond_broadcast(&q->moved);
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

/* ---- the scoring side ------------------------------------------------------------------------------- */

/* The next parcel, borrowed until give_back; NULL: the end. */
static Parcel *next_parcel(PredictQueue *q)
{
    pthread_mutex_lock(&q->lock);
    while (!q->ended && q->sent == q->taken)
        pthread_cond_wait(&q->moved, &q->lock);
    Parcel *p = q->sent == q->taken ? NULL : &q->parcel[q->taken % PARCELS];
    pthread_mutex_unlock(&q->lock);
    return p;
}

static void give_back(PredictQueue *q, Parcel *p)
{
    arena_reset(&p->arena);
    p->refused.count = 0;
    p->chunk = (Chunk){0};
    p->flush = false;
    pthread_mutex_lock(&q->lock);
    q->taken++;
    pthread_cond_broadcast(&q->moved);
    pthread_mutex_unlock(&q->lock);
}

static bool score_parcel(const Work *w, Parcel *p, Arena *a, Error *err)
{
    FILE *to = w->sink->file;
    for (size_t i = 0; i < p->refused.count; i++)
        sink_reject(w->sink, &p->refused.at[i]);
    return (p->chunk.rows == 0 || predict_chunk(w, &p->chunk, a, err)) &&
           (!p->flush || !to || fflush(to) == 0 ||
            error_set(err, ERROR_IO, "could not write the predictions: %s", strerror(errno)));
}

static void close_queue(PredictQueue *q, bool stop)
{
    if (stop && q->work->reading) /* it may be waiting for a silent pipe */
        stop_ask(&q->work->reading->stop);
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->moved);
    pthread_mutex_unlock(&q->lock);
}

bool predict_through(const Work *w, PredictFill *fill, void *context, Error *err)
{
    PredictQueue q = {.work = w, .fill = fill, .context = context};
    Arena arena = {0};
    pthread_t thread;
    pthread_mutex_init(&q.lock, NULL);
    pthread_cond_init(&q.moved, NULL);
    bool ok = true, started = pthread_create(&thread, NULL, read_all, &q) == 0;
    if (!started)
        ok = error_set(err, ERROR_SPACE, "predict: no thread to read with: %s", strerror(errno));
    for (Parcel *p; ok && (p = next_parcel(&q));) {
        ok = score_parcel(w, p, &arena, err);
        give_back(&q, p);
    }
    close_queue(&q, !ok);
    if (started)
        pthread_join(thread, NULL);
    if (ok && !q.ok)
        ok = error_set(err, q.err.kind, "%s", q.err.text);
    for (size_t i = 0; i < PARCELS; i++) {
        arena_release(&q.parcel[i].arena);
        vec_release(&q.parcel[i].refused);
    }
    pthread_cond_destroy(&q.moved);
    pthread_mutex_destroy(&q.lock);
    arena_release(&arena);
    return ok;
}
