/* fetch_queue.c -- objects that are read one after another, asked for in advance.
 *
 * A thousand small objects one by one are a thousand times the way to the server and back. Here the one
 * that is read and AHEAD more are on their way at a time; each waits with at most a buffer's worth of
 * bytes until its turn comes. */
#include "remote_int.h"

#include <string.h>

#define AHEAD 8

struct FetchQueue {
    CURLM *multi;
    char *const *address; /* borrowed */
    size_t count, next;   /* the one that is expected to be taken next */
    RemoteSetup setup;
    Fetch *ahead[AHEAD]; /* of address[i] in ahead[i % AHEAD], i from next; NULL: not asked for */
};

FetchQueue *fetch_queue_create(char *const *address, size_t n, const RemoteSetup *setup)
{
    FetchQueue *q = mem_alloc(sizeof *q);
    *q = (FetchQueue){.multi = curl_multi_init(), .address = address, .count = n};
    q->setup = remote_usual(setup);
    return q;
}

static void forget_all(FetchQueue *q)
{
    for (size_t i = 0; i < AHEAD; i++) {
        fetch_close(q->ahead[i]);
        q->ahead[i] = NULL;
    }
}

void fetch_queue_destroy(FetchQueue *q)
{
    if (!q)
        return;
    forget_all(q);
    if (q->multi)
        curl_multi_cleanup(q->multi);
    mem_free(q);
}

static void ask_ahead(FetchQueue *q)
{
    for (size_t i = q->next; i < q->count && i < q->next + AHEAD; i++)
        if (!q->ahead[i % AHEAD]) /* one that cannot be asked for says so when it is its turn */
            q->ahead[i % AHEAD] = fetch_open_on(q->multi, q->address[i], &q->setup, NULL);
}

Fetch *fetch_queue_take(FetchQueue *q, const char *address, Error *err)
{
    bool expected = q->next < q->count && text_equal(q->address[q->next], address);
    if (!expected) { /* from the beginning again */
        forget_all(q);
        for (q->next = 0; q->next < q->count && !text_equal(q->address[q->next], address);)
            q->next++;
    }
    if (!q->multi || q->next == q->count)
        return fetch_open(address, &q->setup, err);
    Fetch *f = q->ahead[q->next % AHEAD];
    q->ahead[q->next++ % AHEAD] = NULL;
    if (!f)
        f = fetch_open_on(q->multi, address, &q->setup, err);
    if (f)
        ask_ahead(q);
    return f;
}
