/* pool.c -- a fixed set of threads for loops inside one piece of work, and asking to stop.
 *
 * One loop is one `turn`. What the workers share:
 *
 *     ticket   turn << 32 | next i     taken by compare-and-swap, so that a thread which slept
 *                                      through a turn cannot take an i of the next one
 *     finished i's done in this turn   whoever runs out of i's adds what it did
 *
 * body, job, base, count only change after all i's are finished and after the ticket was closed
 * (i = CLOSED, which is beyond every count). A worker reads them between loading the ticket and
 * swapping it: had they changed meanwhile, the ticket would have changed before them and the swap
 * would fail. So a swap that succeeds proves that what was read belongs to this turn.
 *
 * Waiting is a short spin (the next loop of a training step is microseconds away), then a futex. */
#include <lathe/base.h>

#include <assert.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SPIN_ROUNDS  1000
#define THREADS_MOST 256
#define SLICE_MOST   0x7FFFFFFFu /* i's of one turn; a larger loop takes several */
#define CLOSED       0xFFFFFFFFu

typedef void Body(void *job, size_t i, size_t worker);

typedef struct Worker {
    struct Pool *pool;
    size_t number;
    pthread_t thread;
} Worker;

struct Pool {
    size_t threads; /* with the caller */
    int spin;       /* rounds; 0 when there are more threads than cores */
    _Alignas(64) _Atomic uint64_t ticket;
    _Alignas(64) _Atomic uint32_t finished;
    _Atomic uint32_t caller_sleeps;
    _Alignas(64) _Atomic uint32_t turn; /* workers sleep on this word */
    _Atomic uint32_t sleepers;
    _Atomic(Body *) body;
    _Atomic(void *) job;
    _Atomic size_t base; /* added to i: where the slice begins */
    _Atomic uint32_t count;
    atomic_bool ending;
    Worker workers[]; /* [threads - 1] */
};

static void futex_wait(_Atomic uint32_t *word, uint32_t seen)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word, int threads)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, threads, NULL, NULL, 0);
}

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

/* Takes i's of the current turn until there are none left, and reports them. */
static void work(Pool *pool, size_t worker)
{
    uint32_t did = 0;
    uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
    for (;;) {
        Body *body = atomic_load_explicit(&pool->body, memory_order_acquire);
        void *job = atomic_load_explicit(&pool->job, memory_order_acquire);
        size_t base = atomic_load_explicit(&pool->base, memory_order_acquire);
        uint32_t count = atomic_load_explicit(&pool->count, memory_order_acquire);
        uint32_t i = (uint32_t)ticket;
        if (i >= count)
            break;
        if (!atomic_compare_exchange_weak_explicit(&pool->ticket, &ticket, ticket + 1,
                                                   memory_order_acq_rel, memory_order_acquire))
            continue;
        body(job, base + i, worker);
        did++;
        ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
    }
    if (!did)
        return;
    atomic_fetch_add(&pool->finished, did);
    if (worker != 0 && atomic_load(&pool->caller_sleeps))
        futex_wake(&pool->finished, 1);
}

static void *worker_main(void *arg)
{
    Worker *self = arg;
    Pool *pool = self->pool;
    uint32_t seen = 0;
    for (;;) {
        uint32_t turn = atomic_load(&pool->turn);
        for (int i = 0; turn == seen && i < pool->spin; i++) {
            pause_briefly();
            turn = atomic_load_explicit(&pool->turn, memory_order_acquire);
        }
        while (turn == seen) {
            atomic_fetch_add(&pool->sleepers, 1);
            futex_wait(&pool->turn, seen);
            atomic_fetch_sub(&pool->sleepers, 1);
            turn = atomic_load(&pool->turn);
        }
        seen = turn;
        if (atomic_load(&pool->ending))
            return NULL;
        work(pool, self->number);
    }
}

static size_t cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (size_t)CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (size_t)n : 1;
}

Pool *pool_create(size_t threads)
{
    size_t have = cores();
    if (threads == 0)
        threads = have;
    if (threads > THREADS_MOST)
        threads = THREADS_MOST;
    size_t whole = (sizeof(Pool) + sizeof(Worker) * threads + 63) / 64 * 64;
    Pool *pool = mem_try(whole, NULL); /* aligned */
    assert(pool);
    pool->spin = threads <= have ? SPIN_ROUNDS : 0;
    pool->threads = 1;
    sigset_t all, old; /* signals are the main thread's, but for those of one's own faults */
    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (; pool->threads < threads; pool->threads++) {
        Worker *worker = &pool->workers[pool->threads - 1];
        *worker = (Worker){.pool = pool, .number = pool->threads};
        if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0)
            break; /* fewer threads are slower, not wrong */
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return pool;
}

void pool_destroy(Pool *pool)
{
    if (!pool)
        return;
    atomic_store(&pool->ending, true);
    atomic_fetch_add(&pool->turn, 1);
    futex_wake(&pool->turn, THREADS_MOST);
    for (size_t i = 1; i < pool->threads; i++)
        pthread_join(pool->workers[i - 1].thread, NULL);
    mem_free(pool);
}

size_t pool_threads(const Pool *pool)
{
    return pool ? pool->threads : 1;
}

static void wait_for(Pool *pool, uint32_t count)
{
    uint32_t finished = atomic_load(&pool->finished);
    for (int i = 0; finished != count && i < pool->spin; i++) {
        pause_briefly();
        finished = atomic_load_explicit(&pool->finished, memory_order_acquire);
    }
    if (finished == count)
        return;
    atomic_store(&pool->caller_sleeps, 1);
    while ((finished = atomic_load(&pool->finished)) != count)
        futex_wait(&pool->finished, finished);
    atomic_store(&pool->caller_sleeps, 0);
}

static void run_slice(Pool *pool, size_t base, uint32_t count, Body *body, void *job)
{
    uint32_t turn = atomic_load_explicit(&pool->turn, memory_order_relaxed) + 1;
    atomic_store(&pool->ticket, (uint64_t)turn << 32 | CLOSED);
    atomic_store_explicit(&pool->finished, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->body, body, memory_order_release);
    atomic_store_explicit(&pool->job, job, memory_order_release);
    atomic_store_explicit(&pool->base, base, memory_order_release);
    atomic_store_explicit(&pool->count, count, memory_order_release);
    atomic_store(&pool->ticket, (uint64_t)turn << 32);
    atomic_store(&pool->turn, turn);
    if (atomic_load(&pool->sleepers) > 0)
        futex_wake(&pool->turn, count - 1 < pool->threads ? (int)(count - 1) : THREADS_MOST);
    work(pool, 0);
    wait_for(pool, count);
}

void pool_run(Pool *pool, size_t count, void (*body)(void *job, size_t i, size_t worker), void *job)
{
    if (!pool || pool->threads == 1 || count <= 1) {
        for (size_t i = 0; i < count; i++)
            body(job, i, 0);
        return;
    }
    for (size_t base = 0; base < count; base += SLICE_MOST) {
        size_t rest = count - base;
        run_slice(pool, base, rest < SLICE_MOST ? (uint32_t)rest : SLICE_MOST, body, job);
    }
}

/* ---- loops that come back to the same i's --------------------------------------------------- */

/* A part for each of the first threads; of more threads than that some only help. */
#define PARTS_MOST 64

typedef struct Part {
    _Alignas(64) _Atomic size_t next;
    size_t end;
} Part;

typedef struct Near {
    Body *body;
    void *job;
    size_t parts;
    Part part[PARTS_MOST];
} Near;

static void near_seat(void *arg, size_t i, size_t worker)
{
    Near *near = arg;
    (void)i;
    for (size_t k = 0; k < near->parts; k++) {
        Part *part = &near->part[(worker + k) % near->parts];
        while (atomic_load_explicit(&part->next, memory_order_relaxed) < part->end) {
            size_t at = atomic_fetch_add_explicit(&part->next, 1, memory_order_relaxed);
            if (at < part->end)
                near->body(near->job, at, worker);
        }
    }
}

void pool_run_near(Pool *pool, size_t count, void (*body)(void *job, size_t i, size_t worker),
                   void *job)
{
    size_t parts = pool_threads(pool) < count ? pool_threads(pool) : count;
    if (parts <= 1 || parts > PARTS_MOST) {
        pool_run(pool, count, body, job);
        return;
    }
    Near near;
    near.body = body;
    near.job = job;
    near.parts = parts;
    for (size_t i = 0; i < parts; i++) {
        atomic_init(&near.part[i].next, count / parts * i + count % parts * i / parts);
        near.part[i].end = count / parts * (i + 1) + count % parts * (i + 1) / parts;
    }
    pool_run(pool, parts, near_seat, &near);
}

/* ---- stopping ------------------------------------------------------------------------------- */

void stop_ask(Stop *s)
{
    atomic_store_explicit(&s->asked, true, memory_order_release);
}

bool stop_asked(const Stop *s)
{
    return s && atomic_load_explicit(&s->asked, memory_order_acquire);
}
