/* filemap.c -- files as memory, and what happens when a mapped file is cut short.
 *
 * A page that cannot be read (the file was truncated, its disk or mount is gone) is a SIGBUS in the
 * thread that touches it. The guard is a handler that finds the map the page belongs to, lays zeros over
 * the rest of the map from that page on, and marks the map as torn. So the loop that met it goes on, with
 * its locks and its memory in order, and whoever reads maps asks filemap_torn when the loop is over. It
 * jumps out of nothing. What readers of zeros must bear is that offsets fall to 0 once.
 *
 * A handler finds its state only through globals: the list of maps, which grows and never shrinks, and
 * what SIGBUS meant before, which is what it still means for all other addresses. */
#include <lathe/base.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct FileGuard {
    _Atomic uintptr_t begin, end; /* end 0: nothing is guarded */
    atomic_bool taken, torn;
    struct FileGuard *older;      /* set before it is in the list */
};

static _Atomic(struct FileGuard *) guards;
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before; /* under the lock; the handler reads it */
static _Atomic uintptr_t page_size;

/* ---- the handler: only loads, mmap, sigaction and raise --------------------------------------- */

static struct FileGuard *guard_of(uintptr_t at)
{
    for (struct FileGuard *g = atomic_load(&guards); g; g = g->older) {
        uintptr_t end = atomic_load(&g->end), begin = atomic_load(&g->begin);
        if (end == atomic_load(&g->end) && begin <= at && at < end)
            return g;
    }
    return NULL;
}

static void on_bus(int number, siginfo_t *info, void *context)
{
    int saved = errno;
    uintptr_t at = (uintptr_t)info->si_addr;
    struct FileGuard *g = info->si_code > 0 ? guard_of(at) : NULL;
    (void)context;
    if (g) {
        uintptr_t page = at & ~(atomic_load(&page_size) - 1);
        void *zeros = mmap((void *)page, atomic_load(&g->end) - page, PROT_READ,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
        atomic_store(&g->torn, true);
        errno = saved;
        if (zeros != MAP_FAILED)
            return;
    }
    sigaction(number, &before, NULL); /* not ours: the instruction is tried again, under that */
    if (info->si_code <= 0)
        raise(number);
    errno = saved;
}

void filemap_guard(void)
{
    struct sigaction now, own = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_NODEFER};
    pthread_mutex_lock(&installing);
    atomic_store(&page_size, (uintptr_t)sysconf(_SC_PAGESIZE));
    if (sigaction(SIGBUS, NULL, &now) == 0 &&
        !((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_bus)) {
        before = now;
        sigaction(SIGBUS, &own, NULL);
    }
    pthread_mutex_unlock(&installing);
}

/* ---- maps ------------------------------------------------------------------------------------- */

static struct FileGuard *guard_take(const void *at, size_t size)
{
    struct FileGuard *g = atomic_load(&guards);
    bool free = false;
    for (; g && !(free = !atomic_exchange(&g->taken, true)); g = g->older)
        ;
    if (!g) {
        g = mem_alloc(sizeof *g);
        atomic_store(&g->taken, true);
        g->older = atomic_load(&guards);
        while (!atomic_compare_exchange_weak(&guards, &g->older, g))
            ;
    }
    uintptr_t page = atomic_load(&page_size);
    atomic_store(&g->torn, false);
    atomic_store(&g->begin, (uintptr_t)at);
    atomic_store(&g->end, ((uintptr_t)at + size + page - 1) / page * page);
    return g;
}

bool filemap_of(FileMap *m, int fd, const char *name, Error *err)
{
    static const uint8_t nothing[1] = {0};
    struct stat st;
    *m = (FileMap){.at = nothing};
    if (fstat(fd, &st) != 0)
        return error_set(err, ERROR_IO, "%s: cannot look at it: %s", name, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return error_set(err, ERROR_IO, "%s: is a folder, expected a file", name);
    if (st.st_size <= 0)
        return true;
    void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        return error_set(err, ERROR_IO, "%s: cannot map: %s", name, strerror(errno));
    filemap_guard();
    *m = (FileMap){at, (size_t)st.st_size, guard_take(at, (size_t)st.st_size)};
    return true;
}

bool filemap_open(FileMap *m, const char *path, Error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, ERROR_IO, "%s: cannot open: %s", path, strerror(errno));
    bool ok = filemap_of(m, fd, path, err);
    close(fd);
    return ok;
}

bool filemap_torn(const FileMap *m)
{
    return m->guard && atomic_load(&m->guard->torn);
}

bool filemap_whole(const FileMap *m, const char *name, Error *err)
{
    return !filemap_torn(m) ||
           error_set(err, ERROR_IO, "%s: became shorter while it was read, or its disk is gone", name);
}

void filemap_close(FileMap *m)
{
    if (m->guard) {
        atomic_store(&m->guard->end, 0);
        munmap((void *)(uintptr_t)m->at, m->size);
        atomic_store(&m->guard->taken, false);
    }
    *m = (FileMap){0};
}
