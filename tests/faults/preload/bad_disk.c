/* bad_disk.c -- a disk that goes bad, for programs that are started with this in LD_PRELOAD.
 *
 * BAD_DISK_PATH: files whose path begins with it are on that disk. BAD_DISK_CALL: read, write or sync.
 * BAD_DISK_AFTER: so many such calls succeed; each later one is answered with EIO, as by a device that
 * fails or a mount that is gone. Maps are not covered: a page that cannot be read is a SIGBUS, which
 * cut_short.sh makes without any help. */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static _Atomic long calls;

static int fails(int fd, const char *call)
{
    const char *want = getenv("BAD_DISK_CALL"), *path = getenv("BAD_DISK_PATH"),
               *after = getenv("BAD_DISK_AFTER");
    char link[64], file[4096];
    if (!want || !path || strcmp(want, call) != 0)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, file, sizeof file - 1);
    if (n < 0 || (size_t)n < strlen(path) || memcmp(file, path, strlen(path)) != 0)
        return 0;
    if (atomic_fetch_add(&calls, 1) < (after ? atol(after) : 0))
        return 0;
    errno = EIO;
    return 1;
}

/* `name` of this kind, on the disk that goes bad or as it always was. */
#define WRAP(result, name, call, params, args)                                                     \
    __attribute__((visibility("default"))) result name params;                                     \
    result name params                                                                             \
    {                                                                                              \
        result(*real) params = (result(*) params)dlsym(RTLD_NEXT, #name);                          \
        return fails(fd, call) ? -1 : real args;                                                   \
    }

WRAP(ssize_t, read, "read", (int fd, void *at, size_t n), (fd, at, n))
WRAP(ssize_t, pread, "read", (int fd, void *at, size_t n, off_t from), (fd, at, n, from))
WRAP(ssize_t, pread64, "read", (int fd, void *at, size_t n, off64_t from), (fd, at, n, from))
WRAP(ssize_t, write, "write", (int fd, const void *at, size_t n), (fd, at, n))
WRAP(ssize_t, pwrite, "write", (int fd, const void *at, size_t n, off_t to), (fd, at, n, to))
WRAP(ssize_t, pwrite64, "write", (int fd, const void *at, size_t n, off64_t to), (fd, at, n, to))
WRAP(int, fsync, "sync", (int fd), (fd))
WRAP(int, fdatasync, "sync", (int fd), (fd))
