/* source_file.c -- a file, a pipe or standard input as a stream; the spool beside it.
 *
 * The spool keeps what came from a stream in a file without a name, so that it can be read a second
 * time; it is gone with the process, however that ends. */
#include "reader_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void stream_close(Stream *s)
{
    if (s)
        s->close(s);
}

/* ---- file ---- */

typedef struct FileStream {
    Stream stream;
    char *name;
    int fd;
    Progress *progress;
} FileStream;

/* A pipe may be silent for long: whoever wants to stop is heard all the same. */
static bool wait_for_bytes(const FileStream *f, Error *err)
{
    struct pollfd p = {.fd = f->fd, .events = POLLIN};
    while (poll(&p, 1, 200) == 0)
        if (progress_stopped(f->progress))
            return error_set(err, ERROR_STOP, "stopped on request");
    return true;
}

static bool file_stream_read(Stream *s, uint8_t *into, size_t room, size_t *got, Error *err)
{
    FileStream *f = (FileStream *)s;
    ssize_t n;
    if (!wait_for_bytes(f, err))
        return false;
    do
        n = read(f->fd, into, room);
    while (n < 0 && errno == EINTR);
    *got = n > 0 ? (size_t)n : 0;
    return n >= 0 || error_set(err, ERROR_IO, "%s: cannot read: %s", f->name, strerror(errno));
}

static void file_stream_close(Stream *s)
{
    FileStream *f = (FileStream *)s;
    if (f->fd >= 0)
        close(f->fd);
    mem_free(f->name);
    mem_free(f);
}

Stream *file_stream(const char *name, int fd, Progress *progress)
{
    FileStream *f = mem_alloc(sizeof *f);
    f->stream = (Stream){.read = file_stream_read, .close = file_stream_close};
    f->name = text_copy(name);
    f->fd = fd;
    f->progress = progress;
    return &f->stream;
}

/* ---- spool ---- */

typedef struct Spool {
    Stream stream;
    Stream *from;
    int fd;
    uint64_t kept, at; /* bytes in the file; the next one to give */
} Spool;

static bool spool_keep(Spool *s, const uint8_t *bytes, size_t n, Error *err)
{
    while (n) {
        ssize_t done = pwrite(s->fd, bytes, n, (off_t)s->kept);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return error_set(err, ERROR_IO, "cannot keep what was read for a second pass: %s",
                             strerror(done ? errno : ENOSPC));
        bytes += done;
        n -= (size_t)done;
        s->kept += (uint64_t)done;
    }
    return true;
}

static bool spool_read(Stream *stream, uint8_t *into, size_t room, size_t *got, Error *err)
{
    Spool *s = (Spool *)stream;
    if (s->at < s->kept) {
        size_t n = s->kept - s->at < room ? (size_t)(s->kept - s->at) : room;
        ssize_t done;
        do
            done = pread(s->fd, into, n, (off_t)s->at);
        while (done < 0 && errno == EINTR);
        if (done <= 0)
            return error_set(err, ERROR_IO, "cannot read back what was kept: %s",
                             strerror(done ? errno : EIO));
        *got = (size_t)done;
    } else {
        if (!s->from->read(s->from, into, room, got, err) || !spool_keep(s, into, *got, err))
            return false;
        s->stream.total = s->from->total;
        memcpy(s->stream.tag, s->from->tag, sizeof s->stream.tag);
    }
    s->at += *got;
    return true;
}

static void spool_close(Stream *stream)
{
    Spool *s = (Spool *)stream;
    stream_close(s->from);
    if (s->fd >= 0)
        close(s->fd);
    mem_free(s);
}

static int nameless_file(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    Text path = {0};
    text_printf(&path, "%s/spool.XXXXXX", dir);
    fd = mkostemp(path.at, O_CLOEXEC);
    if (fd >= 0)
        unlink(path.at);
    text_release(&path);
    return fd;
}

Stream *spool_stream(Stream *from, const char *dir, Error *err)
{
    int fd = nameless_file(dir);
    if (fd < 0) {
        error_set(err, ERROR_IO, "%s: cannot make a temporary file: %s", dir, strerror(errno));
        return NULL;
    }
    Spool *s = mem_alloc(sizeof *s);
    *s = (Spool){.stream = {.read = spool_read, .close = spool_close}, .from = from, .fd = fd};
    return &s->stream;
}

bool spool_rewind(Stream *spool, Error *err)
{
    (void)err;
    ((Spool *)spool)->at = 0;
    return true;
}
