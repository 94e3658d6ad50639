/* folder.c -- a folder as a Remote: keys are paths below it. */
#include "remote_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void folder_close(Remote *r)
{
    (void)r;
}

static void take_stat(const struct stat *st, RemoteObject *out)
{
    out->size = (uint64_t)st->st_size;
    snprintf(out->tag, sizeof out->tag, "%" PRIu64 "-%" PRId64 ".%09ld", out->size,
             (int64_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

/* ---- lists ------------------------------------------------------------------------------------------ */

typedef struct Walk {
    const char *root, *prefix;
    RemoteList *out;
    VEC(RemoteObject) found;
} Walk;

/* May a key that begins with `inner` (a folder's, with its slash) begin with the prefix? */
static bool worth_it(const char *prefix, const char *inner)
{
    size_t a = strlen(prefix), b = strlen(inner);
    return !strncmp(prefix, inner, a < b ? a : b);
}

static bool walk(Walk *w, const char *inner, Error *err) /* inner: "" or "a/b/" */
{
    Arena *a = &w->out->arena;
    DIR *dir = opendir(arena_printf(a, "%s/%s", w->root, inner));
    if (!dir)
        return (errno == ENOENT && *inner) ||
               error_set(err, ERROR_IO, "%s/%s: cannot list: %s", w->root, inner, strerror(errno));
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(dir));) {
        struct stat st;
        if (e->d_name[0] == '.' || fstatat(dirfd(dir), e->d_name, &st, 0)) /* ours, half-written */
            continue;
        char *key = arena_printf(a, "%s%s", inner, e->d_name);
        if (S_ISDIR(st.st_mode)) {
            char *deeper = arena_printf(a, "%s/", key);
            ok = !worth_it(w->prefix, deeper) || walk(w, deeper, err);
        } else if (S_ISREG(st.st_mode) && text_starts(key, w->prefix)) {
            RemoteObject o = {.key = key};
            take_stat(&st, &o);
            vec_add(&w->found, o);
        }
    }
    closedir(dir);
    return ok;
}

static bool folder_list(Remote *r, const char *prefix, RemoteList *out, Error *err)
{
    Walk w = {.root = r->name, .prefix = prefix, .out = out};
    bool ok = walk(&w, "", err);
    out->count = w.found.count;
    out->object = ARENA_NEW(&out->arena, RemoteObject, out->count + 1);
    if (out->count)
        memcpy(out->object, w.found.at, out->count * sizeof *out->object);
    vec_release(&w.found);
    remote_list_sort(out);
    return ok;
}

static bool folder_stat(Remote *r, const char *key, bool *found, RemoteObject *out, Error *err)
{
    Text path = {0};
    struct stat st;
    text_printf(&path, "%s/%s", r->name, key);
    bool there = stat(path.at, &st) == 0;
    bool ok = there || errno == ENOENT || errno == ENOTDIR ||
              error_set(err, ERROR_IO, "%s: %s", path.at, strerror(errno));
    *found = there && S_ISREG(st.st_mode);
    if (*found && out) {
        *out = (RemoteObject){.key = key};
        take_stat(&st, out);
    }
    text_release(&path);
    return ok;
}

/* ---- bytes -------------------------------------------------------------------------------------------- */

static bool copy(int from, int to, const char *name, Progress *progress, Error *err)
{
    char *block = mem_alloc(1 << 20);
    bool ok = true;
    for (ssize_t got = 1; ok && got;) {
        got = read(from, block, 1 << 20);
        if (got < 0 && errno == EINTR)
            continue;
        ok = got >= 0 || error_set(err, ERROR_IO, "%s: cannot read: %s", name, strerror(errno));
        for (ssize_t at = 0; ok && at < got;) {
            ssize_t done = write(to, block + at, (size_t)(got - at));
            if (done < 0 && errno != EINTR)
                ok = error_set(err, ERROR_IO, "%s: cannot write: %s", name, strerror(errno));
            at += done > 0 ? done : 0;
        }
        progress_add(progress, ok ? (uint64_t)got : 0);
        if (ok && progress_stopped(progress))
            ok = error_set(err, ERROR_STOP, "stopped on request");
    }
    mem_free(block);
    return ok;
}

static int open_to_read(const char *path, Error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        error_set(err, ERROR_IO, "%s: %s", path,
                  errno == ENOENT ? "no such object" : strerror(errno));
    return fd;
}

static bool make_folder_of(const char *path, char **folder, Error *err)
{
    *folder = text_copy(path);
    *strrchr(*folder, '/') = 0;
    return dir_create(*folder, err);
}

static bool folder_put(Remote *r, const char *key, const char *path, Progress *progress, Error *err)
{
    Text to = {0}, part = {0};
    char *folder = NULL;
    text_printf(&to, "%s/%s", r->name, key);
    int from = open_to_read(path, err), fd = -1;
    bool ok = from >= 0 && make_folder_of(to.at, &folder, err);
    if (ok) {
        text_printf(&part, "%s/.part-XXXXXX", folder);
        fd = mkostemp(part.at, O_CLOEXEC);
        ok = fd >= 0 || error_set(err, ERROR_IO, "%s: cannot create: %s", to.at, strerror(errno));
    }
    ok = ok && copy(from, fd, to.at, progress, err);
    if (ok && (fsync(fd) || fchmod(fd, 0644)))
        ok = error_set(err, ERROR_IO, "%s: cannot write: %s", to.at, strerror(errno));
    if (fd >= 0 && close(fd) && ok)
        ok = error_set(err, ERROR_IO, "%s: cannot write: %s", to.at, strerror(errno));
    if (ok && rename(part.at, to.at))
        ok = error_set(err, ERROR_IO, "%s: cannot rename: %s", to.at, strerror(errno));
    if (!ok && fd >= 0)
        unlink(part.at);
    ok = ok && dir_flush(folder, err);
    if (from >= 0)
        close(from);
    mem_free(folder);
    text_release(&to), text_release(&part);
    return ok;
}

static bool folder_get(Remote *r, const char *key, int fd, uint64_t at, Progress *progress,
                       Error *err)
{
    Text path = {0};
    text_printf(&path, "%s/%s", r->name, key);
    int from = open_to_read(path.at, err);
    bool ok =
        from >= 0 && (lseek(from, (off_t)at, SEEK_SET) >= 0 ||
                      error_set(err, ERROR_IO, "%s: cannot read: %s", path.at, strerror(errno)));
    ok = ok && copy(from, fd, path.at, progress, err);
    if (from >= 0)
        close(from);
    text_release(&path);
    return ok;
}

static const RemoteKind folder_kind = {.close = folder_close,
                                       .list = folder_list,
                                       .stat = folder_stat,
                                       .put = folder_put,
                                       .get = folder_get};

Remote *folder_open(const char *path, Error *err)
{
    struct stat st;
    if (mkdir(path, 0777) && errno != EEXIST) {
        error_set(err, ERROR_IO, "%s: cannot make the folder: %s", path, strerror(errno));
        return NULL;
    }
    if (stat(path, &st) || !S_ISDIR(st.st_mode)) {
        error_set(err, ERROR_IO, "%s: is no folder", path);
        return NULL;
    }
    Remote *r = mem_alloc(sizeof *r);
    *r = (Remote){.kind = &folder_kind, .name = text_copy(path)};
    return r;
}
