/* file.c -- whole files: reading, writing so that a crash leaves the old or the new one; and folders. */
#include <lathe/base.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(Error *err, const char *path, const char *what)
{
    return error_set(err, ERROR_IO, "%s: %s: %s", path, what, strerror(errno));
}

/* An open descriptor of a regular file and its size, or -1. */
static int open_regular(const char *path, size_t *size, Error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0) {
        fail(err, path, "cannot open");
        return -1;
    }
    if (fstat(fd, &st) != 0) {
        fail(err, path, "cannot look at it");
    } else if (S_ISDIR(st.st_mode)) {
        error_set(err, ERROR_IO, "%s: is a folder, expected a file", path);
    } else {
        *size = st.st_size > 0 ? (size_t)st.st_size : 0;
        return fd;
    }
    close(fd);
    return -1;
}

bool file_read(const char *path, Text *into, size_t most, Error *err)
{
    size_t size = 0;
    int fd = open_regular(path, &size, err);
    if (fd < 0)
        return false;
    text_reset(into);
    bool ok = true;
    char block[16384]; /* by blocks, because a pipe or a file in /proc has no size */
    while (ok && size <= most) {
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            ok = fail(err, path, "cannot read");
        if (n <= 0)
            break;
        text_add(into, block, (size_t)n);
        if (into->count > size)
            size = into->count;
    }
    if (ok && size > most)
        ok = error_set(err, ERROR_SPACE, "%s: too large: %zu bytes, expected at most %zu", path,
                       size, most);
    close(fd);
    if (!ok)
        text_reset(into);
    return ok;
}

static bool write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t wrote = write(fd, bytes, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        bytes += wrote;
        n -= (size_t)wrote;
    }
    return true;
}

/* The folder that path stands in; "." when it names none. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return text_copy(".");
    size_t n = slash == path ? 1 : (size_t)(slash - path);
    char *folder = mem_alloc(n + 1);
    memcpy(folder, path, n);
    return folder;
}

/* A new file beside path; into gets its name. Dot files, so that a glob does not find them. */
static int open_beside(const char *path, const char *folder, Text *into)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (unsigned i = 0; i < 1000; i++) {
        text_reset(into);
        text_printf(into, "%s/.%.180s.%ld-%u-%llx.tmp", folder, name, (long)getpid(), i,
                    (unsigned long long)time_now() & 0xFFFFFF);
        int fd = open(into->at, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

bool file_write(const char *path, const void *bytes, size_t n, Error *err)
{
    char *folder = folder_of(path);
    Text beside = {0};
    struct stat st;
    bool ok = true;
    int fd = open_beside(path, folder, &beside);
    if (fd < 0) {
        ok = fail(err, path, "cannot create");
        goto done;
    }
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && fchmod(fd, st.st_mode & 07777) != 0)
        errno = 0; /* keeping the mode is a courtesy */
    ok = write_all(fd, bytes, n) && fsync(fd) == 0;
    if (!ok)
        fail(err, path, "cannot write");
    if (close(fd) != 0 && ok)
        ok = fail(err, path, "cannot write");
    if (ok && rename(beside.at, path) != 0)
        ok = fail(err, path, "cannot replace");
    if (!ok)
        unlink(beside.at);
    else
        ok = dir_flush(folder, err);
done:
    mem_free(folder);
    text_release(&beside);
    return ok;
}

bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

/* ---- folders -------------------------------------------------------------------------------- */

static bool is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool dir_create(const char *path, Error *err)
{
    char *part = text_copy(path);
    bool ok = path[0] != '\0';
    if (!ok)
        error_set(err, ERROR_USAGE, "a folder without a name cannot be created");
    for (char *at = part; ok && *at;) {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        char end = *at;
        *at = '\0';
        if (mkdir(part, 0777) != 0 && !is_dir(part)) {
            if (errno == EEXIST)
                errno = ENOTDIR;
            ok = fail(err, part, "cannot create the folder");
        }
        *at = end;
    }
    mem_free(part);
    return ok;
}

bool dir_flush(const char *path, Error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(err, path, "cannot open the folder");
    /* some file systems cannot flush a folder and need not */
    bool ok = fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EBADF;
    if (!ok)
        fail(err, path, "cannot flush the folder");
    close(fd);
    return ok;
}

/* Empties the folder behind fd (takes it). Links are removed, not followed. */
static bool empty_dir(int fd, const char *path, Error *err)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return fail(err, path, "cannot list the folder");
    }
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (text_equal(name, ".") || text_equal(name, ".."))
            continue;
        int inner = openat(dirfd(dir), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inner >= 0)
            ok = empty_dir(inner, path, err);
        if (ok && unlinkat(dirfd(dir), name, inner >= 0 ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT)
            ok = error_set(err, ERROR_IO, "%s: cannot remove %s: %s", path, name, strerror(errno));
    }
    closedir(dir);
    return ok;
}

bool dir_remove(const char *path, Error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || fail(err, path, "cannot open the folder");
    if (!empty_dir(fd, path, err))
        return false;
    return rmdir(path) == 0 || errno == ENOENT || fail(err, path, "cannot remove the folder");
}
