/* scratch.c -- memory as long as a table: on the heap while it may be, else in files without a name.
 *
 * Such a file is open but has no place in its folder, so that no kill leaves it behind; it is mapped,
 * and the system writes pages out and reads them back as it needs their memory. Its blocks on the
 * disk are taken at once: a full disk is an error here, and never a signal later. */
#include "feature_int.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define SMALL (1u << 16) /* bytes that always come from the heap */

typedef struct Piece {
    void *at;
    size_t size;
    bool file;
} Piece;

struct Scratch {
    char *dir;
    uint64_t memory, heap, files; /* bytes: what the heap may give, has given; what files hold */
    uint64_t touched;             /* bytes of files since pages were let go of */
    VEC(Piece) piece;
    pthread_mutex_t lock;
};

Scratch *scratch_create(const char *dir, uint64_t memory)
{
    Scratch *s = mem_alloc(sizeof *s);
    s->dir = text_copy(dir);
    s->memory = memory ? memory : machine_memory() / 4;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

static void piece_free(const Piece *p)
{
    if (p->file)
        munmap(p->at, p->size);
    else
        mem_free(p->at);
}

void scratch_destroy(Scratch *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->piece.count; i++)
        piece_free(&s->piece.at[i]);
    vec_release(&s->piece);
    pthread_mutex_destroy(&s->lock);
    mem_free(s->dir);
    mem_free(s);
}

uint64_t scratch_in_files(const Scratch *s)
{
    return s ? s->files : 0;
}

/* ---- files ---------------------------------------------------------------------------------- */

static int open_nameless(const char *dir)
{
    int file = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0)
        return file;
    Text path = {0}; /* not every file system has nameless files: then it loses its name at once */
    text_printf(&path, "%s/" SCRATCH_NAME "XXXXXX", dir);
    file = mkostemp(path.at, O_CLOEXEC);
    if (file >= 0)
        unlink(path.at);
    text_release(&path);
    return file;
}

static bool say_why(const Scratch *s, size_t size, int why, Error *err)
{
    return error_set(
        err, why == ENOSPC || why == EDQUOT ? ERROR_SPACE : ERROR_IO,
        "%s: no room for %.1f MB of rows beside memory=%.0f: %s; make room, or give it "
        "more memory",
        s->dir, (double)size / 1e6, (double)s->memory / 1e6, strerror(why));
}

static void *take_file(const Scratch *s, size_t size, Error *err)
{
    int file = open_nameless(s->dir);
    if (file < 0) {
        say_why(s, size, errno, err);
        return NULL;
    }
    int why = posix_fallocate(file, 0, (off_t)size);
    void *at = MAP_FAILED;
    if (why == 0) {
        at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        why = errno;
    }
    close(file);
    if (at != MAP_FAILED)
        return at;
    say_why(s, size, why, err);
    return NULL;
}

/* ---- taking and giving back -------------------------------------------------------------------- */

static void *take(Scratch *s, size_t size, Error *err)
{
    bool heap = size <= SMALL || s->heap + size <= s->memory;
    Piece p = {.size = size, .at = heap ? mem_try(size, NULL) : NULL};
    if (!p.at) { /* the heap may also refuse what it was allowed to give */
        p.file = true;
        p.at = take_file(s, size, err);
    }
    if (!p.at)
        return NULL;
    *(p.file ? &s->files : &s->heap) += size;
    vec_add(&s->piece, p);
    return p.at;
}

void *scratch_take(Scratch *s, size_t size, Error *err)
{
    if (!s)
        return mem_try(size, err);
    pthread_mutex_lock(&s->lock);
    void *at = take(s, size ? size : 1, err);
    pthread_mutex_unlock(&s->lock);
    return at;
}

void scratch_touched(Scratch *s, uint64_t bytes)
{
    if (scratch_in_files(s) == 0)
        return;
    pthread_mutex_lock(&s->lock);
    s->touched += bytes;
    for (size_t i = 0; s->touched > s->memory && i < s->piece.count; i++)
        if (s->piece.at[i].file) /* what was written stays in the file */
            madvise(s->piece.at[i].at, s->piece.at[i].size, MADV_DONTNEED);
    s->touched = s->touched > s->memory ? 0 : s->touched;
    pthread_mutex_unlock(&s->lock);
}

void scratch_soon(const Scratch *s, const void *at, size_t size)
{
    if (scratch_in_files(s) == 0 || size == 0)
        return;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)at / page * page;
    madvise((void *)begin, (uintptr_t)at + size - begin, MADV_WILLNEED); /* the heap has it anyway */
}

void scratch_random(Scratch *s, void *at)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->piece.count; i++)
        if (s->piece.at[i].at == at && s->piece.at[i].file)
            madvise(at, s->piece.at[i].size, MADV_RANDOM);
    pthread_mutex_unlock(&s->lock);
}

void scratch_give(Scratch *s, void *at)
{
    if (!s || !at) {
        mem_free(at);
        return;
    }
    pthread_mutex_lock(&s->lock);
    size_t i = 0;
    while (i < s->piece.count && s->piece.at[i].at != at)
        i++;
    if (i < s->piece.count) {
        Piece *p = &s->piece.at[i];
        *(p->file ? &s->files : &s->heap) -= p->size;
        piece_free(p);
        *p = *vec_last(&s->piece);
        s->piece.count--;
    }
    pthread_mutex_unlock(&s->lock);
}
