/* remote.h -- what lies elsewhere: addresses that are read as streams, and places that keep objects.
 *
 * A Fetch is one object of http(s):// or s3:// as a stream of bytes, resumed after a break. A Remote
 * is a place that keeps objects by key: a folder, or a bucket and prefix of an S3-compatible store.
 * What push, pull and exports write to, and what s3:// sources are listed and read with.
 *
 * An object is there whole or not at all: a folder's is renamed into place, S3's multi-part upload is
 * completed last and aborted on failure. Keys are relative, use '/', and never contain "..".
 *
 * S3: credentials and region come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
 * AWS_REGION or AWS_DEFAULT_REGION, else from the profile AWS_PROFILE (or default) of ~/.aws/credentials
 * and ~/.aws/config; AWS_ENDPOINT_URL names any other store than Amazon's. Without credentials requests
 * go unsigned. No secret is ever in a name, a message or a file.
 *
 *     Remote *r = remote_open("s3://bucket/team/", &err);   // or a folder
 *     remote_put(r, "datasets/3f2a....arrow", path, NULL, &err);
 *     remote_close(r);
 */
#ifndef LATHE_REMOTE_H
#define LATHE_REMOTE_H

#include <lathe/base.h>

typedef struct RemoteObject {
    const char *key; /* relative to the remote */
    uint64_t size;
    char tag[128]; /* ETag, or size and time of change: differs when the object does */
} RemoteObject;
typedef struct RemoteList {
    size_t count;
    RemoteObject *object;
    Arena arena;
} RemoteList; /* sorted by key */

/* How long to wait, how often to try; 0 in a field: the usual. */
typedef struct RemoteSetup {
    double connect_seconds; /* 15 */
    double stall_seconds;   /* 30: no byte for so long is a break */
    int tries;              /* 5: attempts in a row without a byte */
    uint64_t part_bytes;    /* 64 MB: what is larger goes up in parts of so much */
    double stale_seconds;   /* 3600: parts of the same object that somebody began to send so long ago and left
                               behind (a kill) are taken away before it is sent; below 0: never */
    Progress *progress;     /* its stop is asked while waiting; NULL: nobody looks */
} RemoteSetup;

typedef struct Remote Remote;
Remote *remote_open(const char *place,
                    Error *err); /* a folder (made if its parent is there) or s3://BUCKET/PREFIX/ */
void remote_close(Remote *r);
void remote_setup(Remote *r, const RemoteSetup *setup);
const char *remote_name(const Remote *r); /* as given, for messages; never has a secret in it */
bool remote_list(Remote *r, const char *prefix, RemoteList *out, Error *err); /* all pages */
void remote_list_release(RemoteList *l);
/* True with found false when there is no such object; false only when that could not be told. */
bool remote_stat(Remote *r, const char *key, bool *found, RemoteObject *out, Error *err);
/* The file at path as an object; above 64 MB on S3 in parts, several retried tries each. */
bool remote_put(Remote *r, const char *key, const char *path, Progress *progress, Error *err);
/* The object into a file: written beside path and renamed; resumed with Range after a break. */
bool remote_get(Remote *r, const char *key, const char *path, Progress *progress, Error *err);

/* The same into the file at path itself, going on with what is there of the object already; on failure it
 * stays, for the next try. Whoever asks so checks the whole by its hash. One process at a time. */
bool remote_get_on(Remote *r, const char *key, const char *path, Progress *progress, Error *err);

/* ---- one address -------------------------------------------------------------------------------- */

typedef struct Fetch Fetch;
bool fetch_knows(const char *address); /* http://, https:// or s3:// */
Fetch *fetch_open(const char *address, const RemoteSetup *setup, Error *err);
/* At least one byte, or *got 0 at the end. */
bool fetch_read(Fetch *f, void *into, size_t room, size_t *got, Error *err);
void fetch_close(Fetch *f);
uint64_t fetch_total(const Fetch *f);  /* bytes in all, once it answered; 0: not known */
const char *fetch_tag(const Fetch *f); /* ETag, or time of change; "" if it has neither */
bool fetch_ask_tag(const char *address, const RemoteSetup *setup,
                   char tag[128]); /* without reading it; false: cannot be told */
/* Is it more than one object: s3://BUCKET/PREFIX/, or a pattern of keys (* ? [ ])? */
bool fetch_is_many(const char *address);
/* The objects that such an address means; keys are whole addresses. Under a prefix names that begin
 * with a dot or an underscore, and empty objects, are left out. None is an error. */
bool fetch_list(const char *address, const RemoteSetup *setup, RemoteList *out, Error *err);
/* Objects that are read one after another: the next few arrive while one is being read, over connections
 * that are used again. Whoever takes a Fetch closes it, before the queue. */
typedef struct FetchQueue FetchQueue;
FetchQueue *fetch_queue_create(char *const *address, size_t n, const RemoteSetup *setup); /* borrows */
Fetch *fetch_queue_take(FetchQueue *q, const char *address, Error *err);
void fetch_queue_destroy(FetchQueue *q);
/* A file as the object of an s3:// address. */
bool fetch_put(const char *address, const char *path, const RemoteSetup *setup, Error *err);
/* A message to an address of http(s)://, given up after so many seconds in all; what is answered is not
 * kept. Sent again only while the server cannot be reached, is busy or breaks off: it may arrive twice. */
bool fetch_post(const char *address, const char *type, const void *body, size_t n, const RemoteSetup *setup,
                double seconds, Error *err);
/* The address without what is secret in it: user:password@, the signature of a presigned query. */
char *fetch_public_name(const char *address, Arena *a);

#endif
