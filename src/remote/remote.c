/* remote.c -- a Remote of either kind, and what both do the same way. */
#include "remote_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

Remote *remote_open(const char *place, Error *err)
{
    if (text_starts(place, "s3://"))
        return s3_place_open(place, err);
    if (strstr(place, "://") && !text_starts(place, "file://")) {
        error_set(err, ERROR_USAGE, "%.200s: expected a folder or s3://BUCKET/PREFIX", place);
        return NULL;
    }
    return folder_open(place + (text_starts(place, "file://") ? 7 : 0), err);
}

void remote_close(Remote *r)
{
    if (!r)
        return;
    r->kind->close(r);
    mem_free(r->name);
    mem_free(r);
}

void remote_setup(Remote *r, const RemoteSetup *setup)
{
    r->setup = *setup;
}

const char *remote_name(const Remote *r)
{
    return r->name;
}

static bool good_key(const char *key)
{
    bool ok = *key && *key != '/' && !text_ends(key, "/");
    for (const char *part = key; ok && part; part = strchr(part, '/')) {
        part += *part == '/';
        size_t n = strcspn(part, "/");
        ok = n && n <= 255 && !(n == 1 && *part == '.') && !(n == 2 && !strncmp(part, "..", 2));
    }
    return ok && strlen(key) <= 900;
}

static bool check_key(const Remote *r, const char *key, Error *err)
{
    return good_key(key) ||
           error_set(err, ERROR_USAGE, "%s: '%.200s' is no key of an object", r->name, key);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const RemoteObject *)a)->key, ((const RemoteObject *)b)->key);
}

void remote_list_sort(RemoteList *l)
{
    if (l->count)
        qsort(l->object, l->count, sizeof *l->object, by_key);
}

bool remote_list(Remote *r, const char *prefix, RemoteList *out, Error *err)
{
    *out = (RemoteList){0};
    if (r->kind->list(r, prefix, out, err))
        return true;
    remote_list_release(out);
    return false;
}

void remote_list_release(RemoteList *l)
{
    arena_release(&l->arena);
    *l = (RemoteList){0};
}

bool remote_stat(Remote *r, const char *key, bool *found, RemoteObject *out, Error *err)
{
    *found = false;
    return check_key(r, key, err) && r->kind->stat(r, key, found, out, err);
}

bool remote_put(Remote *r, const char *key, const char *path, Progress *progress, Error *err)
{
    return check_key(r, key, err) && r->kind->put(r, key, path, progress, err);
}

/* A new file beside path; a dot in front, so that no pattern finds it. */
static int open_beside(const char *path, Text *name)
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) + 1 : 0;
    text_printf(name, "%.*s.%.180s.XXXXXX", folder, path, path + folder);
    return mkostemp(name->at, O_CLOEXEC);
}

bool remote_get(Remote *r, const char *key, const char *path, Progress *progress, Error *err)
{
    Text name = {0};
    if (!check_key(r, key, err))
        return false;
    int fd = open_beside(path, &name);
    bool ok = fd >= 0 || error_set(err, ERROR_IO, "%s: cannot create: %s", path, strerror(errno));
    ok = ok && r->kind->get(r, key, fd, 0, progress, err);
    if (ok && (fsync(fd) || fchmod(fd, 0644)))
        ok = error_set(err, ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
    if (fd >= 0 && close(fd) && ok)
        ok = error_set(err, ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
    if (ok && rename(name.at, path))
        ok = error_set(err, ERROR_IO, "%s: cannot rename: %s", path, strerror(errno));
    if (!ok && fd >= 0)
        unlink(name.at);
    text_release(&name);
    return ok;
}

bool remote_get_on(Remote *r, const char *key, const char *path, Progress *progress, Error *err)
{
    if (!check_key(r, key, err))
        return false;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    bool ok = fd >= 0 || error_set(err, ERROR_IO, "%s: cannot create: %s", path, strerror(errno));
    if (ok && flock(fd, LOCK_EX | LOCK_NB))
        ok = error_set(err, ERROR_IO, "%s/%s: another lathe fetches it just now; try again",
                       r->name, key);
    off_t from = ok ? lseek(fd, 0, SEEK_END) : 0;
    progress_add(progress, from > 0 ? (uint64_t)from : 0);
    ok = ok && r->kind->get(r, key, fd, from > 0 ? (uint64_t)from : 0, progress, err);
    if (ok && fsync(fd))
        ok = error_set(err, ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}
