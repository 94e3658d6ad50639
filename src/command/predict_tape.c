/* predict_tape.c -- numbers noted one by one, read as one array, however many there are. */
#include "predict_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define IN_MEMORY ((size_t)1 << 21) /* numbers: 16 MB */

static bool open_file(Tape *t)
{
    int file = open(t->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0) { /* not every file system has nameless files: then it loses its name at once */
        Text path = {0};
        text_printf(&path, "%s/" SCRATCH_NAME "XXXXXX", t->dir);
        file = mkostemp(path.at, O_CLOEXEC);
        if (file >= 0)
            unlink(path.at);
        text_release(&path);
    }
    t->file = file;
    return file >= 0;
}

static bool put(Tape *t, Error *err)
{
    const char *at = (const char *)t->some.at;
    size_t left = t->some.count * sizeof(double);
    if (t->file <= 0 && !open_file(t))
        return error_set(err, ERROR_IO, "%s: cannot keep predictions there: %s", t->dir, strerror(errno));
    while (left > 0) {
        ssize_t n = write(t->file, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set(err, errno == ENOSPC ? ERROR_SPACE : ERROR_IO,
                             "%s: cannot keep predictions there: %s", t->dir, strerror(errno));
        at += n;
        left -= (size_t)n;
    }
    t->written += t->some.count;
    t->some.count = 0;
    return true;
}

bool tape_add(Tape *t, double value, Error *err)
{
    if (t->some.count == IN_MEMORY && !put(t, err))
        return false;
    vec_add(&t->some, value);
    return true;
}

uint64_t tape_count(const Tape *t)
{
    return t->written + t->some.count;
}

const double *tape_read(Tape *t, Error *err)
{
    if (t->written == 0)
        return t->some.at;
    if (t->some.count > 0 && !put(t, err))
        return NULL;
    if (!t->map) {
        void *at = mmap(NULL, t->written * sizeof(double), PROT_READ, MAP_SHARED, t->file, 0);
        t->map = at == MAP_FAILED ? NULL : at;
    }
    if (!t->map)
        error_set(err, ERROR_SPACE, "%s: cannot read predictions back: %s", t->dir, strerror(errno));
    return t->map;
}

void tape_release(Tape *t)
{
    if (t->map)
        munmap(t->map, t->written * sizeof(double));
    if (t->file > 0)
        close(t->file);
    vec_release(&t->some);
    *t = (Tape){.dir = t->dir};
}
