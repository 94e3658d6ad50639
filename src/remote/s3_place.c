/* s3_place.c -- a bucket and prefix of an S3-compatible store as a Remote. */
#include "remote_int.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef struct S3Place {
    Remote remote;
    S3 *s3;
    char *prefix; /* "" or "team/" */
} S3Place;

static S3 *patient(S3Place *p)
{
    p->s3->patience = remote_usual(&p->remote.setup);
    return p->s3;
}

static void place_close(Remote *r)
{
    S3Place *p = (S3Place *)r;
    s3_close(p->s3);
    mem_free(p->prefix);
}

static char *whole_key(const S3Place *p, const char *key, Arena *a)
{
    return arena_printf(a, "%s%s", p->prefix, key);
}

static bool place_list(Remote *r, const char *prefix, RemoteList *out, Error *err)
{
    S3Place *p = (S3Place *)r;
    size_t cut = strlen(p->prefix);
    if (!s3_list(patient(p), whole_key(p, prefix, &out->arena), out, err))
        return false;
    for (size_t i = 0; i < out->count; i++)
        out->object[i].key += cut;
    return true;
}

static bool place_stat(Remote *r, const char *key, bool *found, RemoteObject *out, Error *err)
{
    S3Place *p = (S3Place *)r;
    Arena arena = {0};
    S3Call c = {.method = "HEAD", .key = whole_key(p, key, &arena), .query = ""};
    bool ok = s3_call(patient(p), &c, err);
    *found = ok && c.status == 200;
    if (ok && c.status != 200 && c.status != 404)
        ok = s3_refused_call(p->s3, &c, err);
    if (*found && out) {
        *out = (RemoteObject){.key = key, .size = c.head.length};
        snprintf(out->tag, sizeof out->tag, "%s", c.head.etag[0] ? c.head.etag : c.head.modified);
    }
    s3_call_release(&c);
    arena_release(&arena);
    return ok;
}

static bool place_put(Remote *r, const char *key, const char *path, Progress *progress, Error *err)
{
    S3Place *p = (S3Place *)r;
    Arena arena = {0};
    bool ok = s3_put_file(patient(p), whole_key(p, key, &arena), path, progress, err);
    arena_release(&arena);
    return ok;
}

static bool write_all(int fd, const char *bytes, size_t n, Error *err)
{
    while (n) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_set(err, ERROR_IO, "cannot write: %s", strerror(errno));
        bytes += done;
        n -= (size_t)done;
    }
    return true;
}

static bool place_get(Remote *r, const char *key, int fd, uint64_t from, Progress *progress,
                      Error *err)
{
    S3Place *p = (S3Place *)r;
    Text address = {0};
    RemoteSetup setup = r->setup;
    setup.progress = progress;
    text_printf(&address, "s3://%s/%s%s", p->s3->bucket, p->prefix, key);
    Fetch *f = fetch_open_at(text_str(&address), from, &setup, err);
    char *block = mem_alloc(256 << 10);
    size_t got = 1;
    bool ok = f != NULL;
    while (ok && got) {
        ok = fetch_read(f, block, 256 << 10, &got, err) && write_all(fd, block, got, err);
        progress_add(progress, got);
    }
    mem_free(block);
    fetch_close(f);
    text_release(&address);
    return ok;
}

static const RemoteKind s3_kind = {.close = place_close,
                                   .list = place_list,
                                   .stat = place_stat,
                                   .put = place_put,
                                   .get = place_get};

Remote *s3_place_open(const char *address, Error *err)
{
    const char *rest;
    S3 *s3 = s3_open(address, NULL, &rest, err);
    if (!s3)
        return NULL;
    S3Place *p = mem_alloc(sizeof *p);
    p->remote = (Remote){.kind = &s3_kind, .name = text_copy(address)};
    p->s3 = s3;
    Text prefix = {0};
    text_printf(&prefix, "%s%s", rest, *rest && !text_ends(rest, "/") ? "/" : "");
    p->prefix = text_take(&prefix);
    return &p->remote;
}
