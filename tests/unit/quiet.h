/* quiet.h -- shows that work allocates nothing, takes no lock and makes no system call: it is done in a child
 * that the kernel kills at the first call, and under an allocator and locks that count. Two calls are let
 * through: reading the clock, which on most machines is none, and, on several threads, the sleep of one that
 * has waited long for the others (futex). One file of a program includes it, as it puts its own in the place of
 * the C library's functions. */
#ifndef LATHE_TESTS_QUIET_H
#define LATHE_TESTS_QUIET_H

#include <lathe/base.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static _Atomic size_t quiet_allocations, quiet_locks;
#ifndef LATHE_SANITIZED
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
void *malloc(size_t size)
{
    quiet_allocations++;
    return __libc_malloc(size);
}
void *calloc(size_t n, size_t size)
{
    quiet_allocations++;
    return __libc_calloc(n, size);
}
void *realloc(void *old, size_t size)
{
    quiet_allocations++;
    return __libc_realloc(old, size);
}
void *aligned_alloc(size_t align, size_t size)
{
    quiet_allocations++;
    return __libc_memalign(align, size);
}
/* The real ones, found when first asked for. */
#define QUIET_COUNTED(name, type)                                                                  \
    int name(type *lock)                                                                           \
    {                                                                                              \
        static int (*real)(type *);                                                                \
        if (!real)                                                                                 \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                             \
        quiet_locks++;                                                                             \
        return real(lock);                                                                         \
    }
QUIET_COUNTED(pthread_mutex_lock, pthread_mutex_t)
QUIET_COUNTED(pthread_rwlock_rdlock, pthread_rwlock_t)
QUIET_COUNTED(pthread_rwlock_wrlock, pthread_rwlock_t)
#endif

typedef struct Quiet {
    void *(*make)(const void *what, Pool *pool); /* in the child; NULL: said why */
    bool (*work)(void *made);                    /* once to warm up, then watched */
} Quiet;

/* From here on all but these calls kill the process. */
static inline bool quiet_begin(bool may_sleep)
{
    struct sock_filter allow[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, may_sleep ? SYS_futex : SYS_exit_group, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof allow / sizeof *allow, allow};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

enum { QUIET_DONE, QUIET_FAILED, QUIET_ALLOCATED, QUIET_LOCKED, QUIET_BLIND, QUIET_NO_SHIELD = 77 };

/* The counters count. */
static inline bool quiet_sees(void)
{
    static pthread_mutex_t probe = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&probe);
    pthread_mutex_unlock(&probe);
#ifdef LATHE_SANITIZED
    return true;
#else
    return quiet_allocations > 0 && quiet_locks > 0;
#endif
}

static inline int quiet_child(const Quiet *q, const void *what, size_t threads)
{
    setenv("OPENBLAS_NUM_THREADS", "1", 1); /* idle threads of its own yield again and again */
    void *made = q->make(what, threads > 1 ? pool_create(threads) : NULL);
    if (!made || !q->work(made))
        return QUIET_FAILED;
    if (!quiet_sees())
        return QUIET_BLIND;
    fflush(NULL);
    if (!quiet_begin(threads > 1))
        return QUIET_NO_SHIELD;
    size_t allocations = quiet_allocations, locks = quiet_locks;
    bool ok = q->work(made);
    return !ok                                 ? QUIET_FAILED
           : quiet_allocations != allocations  ? QUIET_ALLOCATED
           : quiet_locks != locks              ? QUIET_LOCKED
                                               : QUIET_DONE;
}

static inline void assert_quiet(const char *name, const Quiet *q, const void *what, size_t threads)
{
    static const char *const ends[] = {"", "did not work", "allocates", "takes a lock", "is not seen"};
    int status = 0;
#ifdef __SANITIZE_THREAD__
    skip(); /* it has a thread of its own, which sleeps now and then */
#endif
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) /* not by way of a sanitizer's last look */
        syscall(SYS_exit_group, quiet_child(q, what, threads));
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == QUIET_NO_SHIELD)
        skip();
    if (WIFSIGNALED(status))
        fail_msg("%s, threads %zu: %s", name, threads,
                 WTERMSIG(status) == SIGSYS ? "makes a system call" : strsignal(WTERMSIG(status)));
    if (WEXITSTATUS(status) != QUIET_DONE)
        fail_msg("%s, threads %zu: %s", name, threads, ends[WEXITSTATUS(status)]);
}

#endif
