/* remote.h -- a place that keeps objects by key: a folder, or a bucket and prefix of an S3-compatible
 * store. What push, pull and exports write to, and what s3:// sources are listed and read with.
 *
 * An object is there whole or not at all: a folder's is renamed into place, S3's multi-part upload is
 * completed last and aborted on failure. Keys are relative, use '/', and never contain "..".
 *
 *     Remote *r = remote_open("s3://bucket/team/", &err);   // or a folder
 *     remote_put(r, "datasets/3f2a....arrow", path, NULL, &err);
 *     remote_close(r);
 */
#ifndef LATHE_REMOTE_H
#define LATHE_REMOTE_H

#include <lathe/base.h>

typedef struct RemoteObject {
    const char *key;      /* relative to the remote */
    uint64_t size;
    char tag[128];        /* ETag, or size and time of change: differs when the object does */
} RemoteObject;
typedef struct RemoteList { size_t count; RemoteObject *object; Arena arena; } RemoteList; /* sorted by key */

typedef struct Remote Remote;
Remote *remote_open(const char *place, Error *err); /* a folder (made if its parent is there) or s3://BUCKET/PREFIX/ */
void    remote_close(Remote *r);
const char *remote_name(const Remote *r);           /* as given, for messages; never has a secret in it */
bool remote_list(Remote *r, const char *prefix, RemoteList *out, Error *err); /* all pages */
void remote_list_release(RemoteList *l);
/* True with found false when there is no such object; false only when that could not be told. */
bool remote_stat(Remote *r, const char *key, bool *found, RemoteObject *out, Error *err);
/* The file at path as an object; above 64 MB on S3 in parts, several retried tries each. */
bool remote_put(Remote *r, const char *key, const char *path, Progress *progress, Error *err);
/* The object into a file: written beside path and renamed; resumed with Range after a break. */
bool remote_get(Remote *r, const char *key, const char *path, Progress *progress, Error *err);

#endif
