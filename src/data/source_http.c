/* source_http.c -- http://, https:// and s3:// as a Stream. The work is remote.h's Fetch. */
#include "reader_int.h"

#include <lathe/remote.h>

#include <string.h>

typedef struct Http {
    Stream stream;
    Fetch *fetch;
} Http;

static RemoteSetup patience(const SourceSetup *setup)
{
    if (!setup)
        return (RemoteSetup){0};
    return (RemoteSetup){.connect_seconds = setup->connect_seconds,
                         .stall_seconds = setup->stall_seconds,
                         .tries = setup->tries,
                         .progress = setup->progress};
}

static bool http_read(Stream *s, uint8_t *into, size_t room, size_t *got, Error *err)
{
    Http *h = (Http *)s;
    if (!fetch_read(h->fetch, into, room, got, err))
        return false;
    s->total = fetch_total(h->fetch);
    snprintf(s->tag, sizeof s->tag, "%s", fetch_tag(h->fetch));
    return true;
}

static void http_close(Stream *s)
{
    fetch_close(((Http *)s)->fetch);
    mem_free(s);
}

Stream *http_stream(const char *url, const SourceSetup *setup, Error *err)
{
    RemoteSetup wait = patience(setup);
    bool queued = setup && setup->ahead;
    Fetch *fetch = queued ? fetch_queue_take(setup->ahead, url, err) : fetch_open(url, &wait, err);
    if (!fetch)
        return NULL;
    Http *h = mem_alloc(sizeof *h);
    *h = (Http){.stream = {.read = http_read, .close = http_close}, .fetch = fetch};
    return &h->stream;
}

struct FetchQueue *source_ahead(const Names *parts, const SourceSetup *setup)
{
    RemoteSetup wait = patience(setup);
    return parts->tag && parts->count > 1 ? fetch_queue_create(parts->at, parts->count, &wait) : NULL;
}

void source_ahead_close(struct FetchQueue *ahead)
{
    fetch_queue_destroy(ahead);
}
