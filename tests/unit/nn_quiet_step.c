/* A training step allocates nothing, takes no lock and makes no system call: shown, not promised. The step
 * runs in a child that the kernel kills at the first system call, and under an allocator and locks that
 * count. On several threads one call is left: a thread that has waited long for the others sleeps (futex). */
#include <lathe/nn.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef LATHE_SANITIZED
static _Atomic size_t allocations, locks;
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}
void *calloc(size_t n, size_t size)
{
    allocations++;
    return __libc_calloc(n, size);
}
void *realloc(void *old, size_t size)
{
    allocations++;
    return __libc_realloc(old, size);
}
void *aligned_alloc(size_t align, size_t size)
{
    allocations++;
    return __libc_memalign(align, size);
}
/* The real ones, found when first asked for. */
#define COUNTED(name, type)                                                                        \
    int name(type *lock)                                                                           \
    {                                                                                              \
        static int (*real)(type *);                                                                \
        if (!real)                                                                                 \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                             \
        locks++;                                                                                   \
        return real(lock);                                                                         \
    }
COUNTED(pthread_mutex_lock, pthread_mutex_t)
COUNTED(pthread_rwlock_rdlock, pthread_rwlock_t)
COUNTED(pthread_rwlock_wrlock, pthread_rwlock_t)
#endif

enum { ROWS = 256, WIDTH = 16, CODES = 1 };
static float dense[ROWS * WIDTH], target[ROWS];
static int32_t code[ROWS * CODES];

static Graph *make(Pool *pool)
{
    static const int32_t cardinality[] = {7};
    static const size_t size[] = {3};
    Graph *g = graph_create(1);
    Node *x = graph_input(g, WIDTH);
    x = graph_concat(g, (Node *[]){x, graph_embed(g, "words", cardinality, size, CODES)}, 2);
    x = graph_dense(g, "a", x, 128, (Tail){ACT_RELU, true});
    x = graph_batchnorm(g, "norm", x, (Tail){ACT_GELU, true});
    x = graph_dense(g, "b", x, 600, (Tail){ACT_RELU, true}); /* packed in blocks */
    x = graph_layernorm(g, "layer", x, (Tail){ACT_SILU, false});
    GraphPlan plan = {.optimizer = OPTIMIZER_ADAMW, .rows_most = ROWS, .pool = pool};
    Error err = {0};
    assert_true(graph_plan(g, graph_dense(g, "head", x, 1, (Tail){0}), &plan, &err));
    for (size_t i = 0; i < ROWS; i++) {
        code[i] = (int32_t)(i % 7);
        target[i] = (float)(i % 5);
        for (size_t k = 0; k < WIDTH; k++)
            dense[i * WIDTH + k] = (float)((i * 31 + k * 17) % 23) / 23.0f;
    }
    return g;
}

/* Its small batches are stepped by halves of the columns. */
static Graph *make_chain(Pool *pool)
{
    graph_destroy(make(NULL)); /* fills the feed */
    Graph *g = graph_create(1);
    Node *x = graph_dense(g, "a", graph_input(g, WIDTH), 128, (Tail){.act = ACT_RELU});
    x = graph_dense(g, "b", x, 128, (Tail){.act = ACT_RELU});
    GraphPlan plan = {.optimizer = OPTIMIZER_ADAMW, .rows_most = ROWS, .pool = pool};
    Error err = {0};
    assert_true(graph_plan(g, graph_dense(g, "head", x, 1, (Tail){0}), &plan, &err));
    return g;
}

static Graph *(*const nets[])(Pool *) = {make, make_chain};
enum { NETS = sizeof nets / sizeof *nets };

static bool steps(Graph *g, int n)
{
    GraphFeed feed = {.rows = ROWS, .dense = dense, .code = code, .target = target};
    GraphKnobs knobs = {.lr = 1e-3, .dropout = 0.1, .clip = 1};
    GraphStats stats = {.finite = true};
    for (int i = 0; i < n && stats.finite; i++) {
        feed.rows = i % 3 ? 64 : ROWS;
        graph_step(g, &feed, &knobs, &stats);
    }
    return stats.finite;
}

static void no_system_call(void **state)
{
    Graph *g = nets[*(int *)*state](NULL);
    assert_true(steps(g, 1));
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
            _exit(77); /* from here on only read, write and exit */
        syscall(SYS_exit, steps(g, 20) ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    graph_destroy(g);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* From here on the process may end and its threads may sleep and wake each other; all else kills it. */
static bool only_futex(void)
{
    struct sock_filter allow[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof allow / sizeof *allow, allow};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

static void only_sleeps_on_two_threads(void **state)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        Graph *g = nets[*(int *)*state](pool_create(2));
        bool ok = steps(g, 1);
        if (!only_futex())
            _exit(77);
        ok = ok && steps(g, 40);
        syscall(SYS_exit_group, ok ? 0 : 1); /* not by way of a sanitizer's last look */
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#ifndef LATHE_SANITIZED
static void no_allocation_no_lock(void **state)
{
    Pool *pool = pool_create(2);
    Graph *g = nets[*(int *)*state](pool);
    pthread_mutex_t probe = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&probe);
    pthread_mutex_unlock(&probe);
    size_t before = allocations, taken = locks;
    assert_true(before > 0 && taken > 0); /* the counters count */
    assert_true(steps(g, 20));
    assert_int_equal(allocations, before);
    assert_int_equal(locks, taken);
    graph_destroy(g);
    pool_destroy(pool);
}
#endif

int main(void)
{
    static int which[NETS] = {0, 1};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(no_system_call, &which[0]),
        cmocka_unit_test_prestate(no_system_call, &which[1]),
        cmocka_unit_test_prestate(only_sleeps_on_two_threads, &which[0]),
        cmocka_unit_test_prestate(only_sleeps_on_two_threads, &which[1]),
#ifndef LATHE_SANITIZED
        cmocka_unit_test_prestate(no_allocation_no_lock, &which[0]),
        cmocka_unit_test_prestate(no_allocation_no_lock, &which[1]),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
