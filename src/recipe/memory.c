/* memory.c -- which rows an ordered rule has seen: a set of 128-bit hashes, exact at any size.
 *
 * Open addressing, at most half full; (0, 0) is a free place. A hash's place begins at its upper bits, so
 * that a table twice as large has the same order and is filled from front to back. Beyond `heap_most`
 * bytes the table stands in a file without a name that is mapped: then its pages are the system's to write
 * out, and what this process must have in memory does not grow with the rows. Its blocks on the disk are
 * taken at once, so a full disk is an error here and never a signal. */
#include "recipe_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM_LEAST ((size_t)1024)
#define GROWN      ((size_t)1 << 16) /* hashes moved before pages are let go of */
#define PAGE       4096
#define SLICE      4096 /* hashes until pages may be let go of */
#define AHEAD      16 /* hashes whose place is asked for in advance */

static uint64_t heap_most(const Memory *m)
{
    return m->heap_most ? m->heap_most : machine_memory() / 8;
}

static size_t first_place(const Memory *m, uint64_t a)
{
    return (size_t)(a >> m->shift);
}

static int open_nameless(const char *dir)
{
    int file = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0)
        return file;
    Text path = {0}; /* not every file system has nameless files: then it loses its name at once */
    text_printf(&path, "%s/.seen-XXXXXX", dir);
    file = mkostemp(path.at, O_CLOEXEC);
    if (file >= 0)
        unlink(path.at);
    text_release(&path);
    return file;
}

static void *take_file(const char *dir, size_t bytes, Error *err)
{
    int file = open_nameless(dir), why = file < 0 ? errno : posix_fallocate(file, 0, (off_t)bytes);
    void *at = MAP_FAILED;
    if (file >= 0 && why == 0) {
        at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        why = errno;
    }
    if (file >= 0)
        close(file);
    if (at != MAP_FAILED)
        return at;
    error_set(err, why == ENOSPC || why == EDQUOT ? ERROR_SPACE : ERROR_IO,
              "%s: no room for %.1f MB of hashes of the rows seen so far: %s; make room", dir,
              (double)bytes / 1e6, strerror(why));
    return NULL;
}

static void give_back(uint64_t (*seen)[2], size_t room, bool in_file)
{
    if (in_file)
        munmap(seen, room * sizeof *seen);
    else
        mem_free(seen);
}

static bool put(Memory *m, uint64_t a, uint64_t b)
{
    uint64_t(*seen)[2] = m->seen;
    size_t at = first_place(m, a);
    if (m->in_file) /* a page that is first read comes with its neighbours, one that is written alone */
        __atomic_fetch_or(&seen[at][0], 0, __ATOMIC_RELAXED);
    for (; seen[at][0] | seen[at][1]; at = (at + 1) & (m->room - 1))
        if (seen[at][0] == a && seen[at][1] == b)
            return false;
    seen[at][0] = a;
    seen[at][1] = b;
    return true;
}

static void drop_pages(const Memory *m)
{
    if (m->in_file)
        madvise(m->seen, m->room * sizeof *m->seen, MADV_DONTNEED);
}

/* Nearly every hash lies on a page of its own. Those of a file are the system's to keep or not: this
 * process lets go of them, so that what it has in memory is bounded. */
static void let_go(Memory *m, size_t n)
{
    m->touched += n * PAGE;
    if (m->touched < heap_most(m))
        return;
    m->touched = 0;
    drop_pages(m);
}

static bool grow(Memory *m, size_t room, Error *err)
{
    Memory old = *m;
    const char *dir = m->dir ? m->dir : getenv("TMPDIR");
    size_t bytes = room * sizeof *m->seen;
    void *at = bytes <= heap_most(m) ? mem_try(bytes, NULL) : NULL;
    m->in_file = !at;
    if (!at && !(at = take_file(dir && *dir ? dir : "/var/tmp", bytes, err))) {
        *m = old;
        return false;
    }
    m->seen = at;
    m->room = room;
    m->shift = 64 - (unsigned)__builtin_ctzll(room);
    for (size_t i = 0; i < old.room; i++) {
        if (old.seen[i][0] | old.seen[i][1])
            put(m, old.seen[i][0], old.seen[i][1]);
        if (i % GROWN == GROWN - 1) {
            drop_pages(m);
            drop_pages(&old);
        }
    }
    give_back(old.seen, old.room, old.in_file);
    return true;
}

bool memory_add(Memory *m, uint64_t (*hash)[2], size_t n, uint8_t *fresh, Error *err)
{
    size_t room = m->room ? m->room : ROOM_LEAST;
    while (room < 2 * (m->count + n))
        room *= 2;
    if (room > m->room && !grow(m, room, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (i + AHEAD < n)
            __builtin_prefetch(&m->seen[first_place(m, hash[i + AHEAD][0])], 1);
        uint64_t a = hash[i][0], b = hash[i][1] | ((a | hash[i][1]) == 0);
        fresh[i] = fresh[i] && put(m, a, b);
        m->count += fresh[i];
        if (i % SLICE == SLICE - 1)
            let_go(m, SLICE);
    }
    let_go(m, n % SLICE);
    return true;
}

void memory_release(Memory *m)
{
    if (m->seen)
        give_back(m->seen, m->room, m->in_file);
    *m = (Memory){0};
}
