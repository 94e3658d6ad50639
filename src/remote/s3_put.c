/* s3_put.c -- a file as an object, in one piece or in parts; and the list of a bucket, page by page.
 *
 * In parts: POST ?uploads gives an id, each part is a PUT of its own (asked again by itself when the
 * connection breaks), a last POST names the parts and makes the object. Before that there is none; on
 * failure, and when it is stopped, the upload is aborted, so that the server keeps no parts nobody will
 * see. Who was killed cannot do that: the next one to send the same object does, for uploads of exactly
 * its key that began long enough ago for nobody to be at them still. */
#include "remote_int.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARTS_MOST      10000 /* S3's limit */
#define GIVE_UP_SECONDS 5.0

typedef struct Upload {
    S3 *s3;
    const char *key;
    int fd;
    uint64_t size, part;
    Progress *progress;
    Text id;      /* encoded for a query */
    Text listing; /* the parts that are there, as the last request names them */
} Upload;

static bool put_whole(Upload *u, Error *err)
{
    S3Call c = {.method = "PUT",
                .key = u->key,
                .query = "",
                .fd = u->fd,
                .size = u->size,
                .progress = u->progress};
    bool ok = s3_call(u->s3, &c, err) && (c.status == 200 || s3_refused_call(u->s3, &c, err));
    s3_call_release(&c);
    if (ok)
        progress_add(u->progress, u->size);
    return ok;
}

static bool begin(Upload *u, Error *err)
{
    S3Call c = {.method = "POST", .key = u->key, .query = "uploads="};
    Text id = {0};
    bool ok = s3_call(u->s3, &c, err) && (c.status == 200 || s3_refused_call(u->s3, &c, err));
    if (ok && !s3_read_word(&c.answer, "UploadId", &id))
        ok = error_set(err, ERROR_IO, "s3://%s/%s: the server began no upload in parts",
                       u->s3->bucket, u->key);
    sigv4_encode(text_str(&id), false, &u->id);
    text_release(&id);
    s3_call_release(&c);
    return ok;
}

static bool put_part(Upload *u, int number, uint64_t from, uint64_t size, Error *err)
{
    Text query = {0};
    text_printf(&query, "partNumber=%d&uploadId=%s", number, text_str(&u->id));
    S3Call c = {.method = "PUT",
                .key = u->key,
                .query = text_str(&query),
                .fd = u->fd,
                .from = from,
                .size = size,
                .progress = u->progress};
    bool ok = s3_call(u->s3, &c, err) && (c.status == 200 || s3_refused_call(u->s3, &c, err));
    if (ok && !c.head.etag[0])
        ok = error_set(err, ERROR_IO, "s3://%s/%s: the server gave part %d no ETag", u->s3->bucket,
                       u->key, number);
    if (ok)
        text_printf(&u->listing, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", number,
                    c.head.etag);
    s3_call_release(&c);
    text_release(&query);
    if (ok)
        progress_add(u->progress, size);
    return ok;
}

static bool complete(Upload *u, Error *err)
{
    Text query = {0}, body = {0}, code = {0};
    text_printf(&query, "uploadId=%s", text_str(&u->id));
    text_printf(&body, "<CompleteMultipartUpload>%s</CompleteMultipartUpload>",
                text_str(&u->listing));
    S3Call c = {.method = "POST",
                .key = u->key,
                .query = text_str(&query),
                .body = body.at,
                .size = body.count};
    bool ok = s3_call(u->s3, &c, err);
    /* it may fail after it said 200 */
    if (ok && (c.status != 200 || s3_read_word(&c.answer, "Code", &code)))
        ok = s3_refused_call(u->s3, &c, err);
    s3_call_release(&c);
    text_release(&query), text_release(&body), text_release(&code);
    return ok;
}

/* id: encoded for a query. What fails here will be tried again when the object is next sent. */
static void abort_upload(Upload *u, const char *id)
{
    Text query = {0};
    text_printf(&query, "uploadId=%s", id);
    S3Call c = {.method = "DELETE", .key = u->key, .query = text_str(&query)};
    s3_call(u->s3, &c, NULL);
    s3_call_release(&c);
    text_release(&query);
}

/* Also when it was stopped, and then without keeping anyone waiting for long. */
static void give_up(Upload *u)
{
    RemoteSetup patience = u->s3->patience;
    u->s3->patience.progress = NULL;
    u->s3->patience.tries = 1;
    u->s3->patience.stall_seconds = fmin(patience.stall_seconds, GIVE_UP_SECONDS);
    u->s3->patience.connect_seconds = fmin(patience.connect_seconds, GIVE_UP_SECONDS);
    abort_upload(u, text_str(&u->id));
    u->s3->patience = patience;
}

/* A server that cannot list uploads, or does not let us, is left as it is. */
static void abort_stale(Upload *u)
{
    Text query = {0}, id = {0};
    Arena arena = {0};
    S3Uploads found = {0};
    double seconds = u->s3->patience.stale_seconds;
    text_puts(&query, "encoding-type=url&prefix=");
    sigv4_encode(u->key, false, &query);
    text_puts(&query, "&uploads=");
    S3Call c = {.method = "GET", .key = "", .query = text_str(&query), .progress = u->progress};
    bool told = seconds >= 0 && s3_call(u->s3, &c, NULL) && c.status == 200 &&
                s3_read_uploads(&c.answer, &arena, &found);
    for (size_t i = 0; told && i < found.at.count; i++) {
        const S3Upload *one = &found.at.at[i];
        bool old = one->begun && (double)(time_now() - one->begun) / 1e6 >= seconds;
        if (!old || !text_equal(one->key, u->key))
            continue;
        text_reset(&id);
        sigv4_encode(one->id, false, &id);
        abort_upload(u, text_str(&id));
    }
    s3_call_release(&c);
    vec_release(&found.at);
    arena_release(&arena);
    text_release(&query), text_release(&id);
}

static bool put_parts(Upload *u, Error *err)
{
    abort_stale(u);
    bool ok = begin(u, err);
    int number = 1;
    for (uint64_t at = 0; ok && at < u->size; at += u->part, number++) {
        uint64_t left = u->size - at;
        ok = put_part(u, number, at, left < u->part ? left : u->part, err);
    }
    ok = ok && complete(u, err);
    if (!ok && u->id.count)
        give_up(u);
    return ok;
}

bool s3_put_file(S3 *s, const char *key, const char *path, Progress *progress, Error *err)
{
    struct stat st;
    Upload u = {.s3 = s, .key = key, .progress = progress, .part = s->patience.part_bytes};
    u.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (u.fd < 0 || fstat(u.fd, &st)) {
        error_set(err, ERROR_IO, "%s: cannot open: %s", path, strerror(errno));
        if (u.fd >= 0)
            close(u.fd);
        return false;
    }
    u.size = (uint64_t)st.st_size;
    if (u.size / u.part >= PARTS_MOST)
        u.part = u.size / PARTS_MOST + (1 << 20);
    bool ok = u.size > u.part ? put_parts(&u, err) : put_whole(&u, err);
    close(u.fd);
    text_release(&u.id), text_release(&u.listing);
    return ok;
}

/* ---- lists ------------------------------------------------------------------------------------------------ */

static void print_query(const char *prefix, const S3Page *page, Text *into)
{
    if (page->token.count) {
        text_puts(into, "continuation-token=");
        sigv4_encode(text_str(&page->token), false, into);
        text_putc(into, '&');
    }
    text_puts(into, "encoding-type=url&list-type=2&prefix=");
    sigv4_encode(prefix, false, into);
}

bool s3_list(S3 *s, const char *prefix, RemoteList *out, Error *err)
{
    S3Objects objects = {0};
    S3Page page = {.more = true};
    Text query = {0};
    bool ok = true;
    while (ok && page.more) {
        text_reset(&query);
        print_query(prefix, &page, &query);
        S3Call c = {.method = "GET", .key = "", .query = text_str(&query)};
        ok = s3_call(s, &c, err) && (c.status == 200 || s3_refused_call(s, &c, err));
        if (ok && !s3_read_page(&c.answer, &out->arena, &objects, &page))
            ok = error_set(err, ERROR_PARSE,
                           "s3://%s/%s: the server's list cannot be read; is it an S3 "
                           "store?",
                           s->bucket, prefix);
        s3_call_release(&c);
    }
    if (ok) {
        out->count = objects.at.count;
        out->object = ARENA_NEW(&out->arena, RemoteObject, out->count + 1);
        if (out->count)
            memcpy(out->object, objects.at.at, out->count * sizeof *out->object);
        remote_list_sort(out);
    }
    vec_release(&objects.at);
    text_release(&page.token), text_release(&query);
    return ok;
}
