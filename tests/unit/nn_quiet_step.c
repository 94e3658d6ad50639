/* A training step allocates nothing and makes no system call: shown, not promised. The step runs in a
 * child that the kernel kills at the first system call, and under an allocator that counts. */
#include <lathe/nn.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef LATHE_SANITIZED
static _Atomic size_t allocations;
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

static bool steps(Graph *g, int n)
{
    GraphFeed feed = {.rows = ROWS, .dense = dense, .code = code, .target = target};
    GraphKnobs knobs = {.lr = 1e-3, .dropout = 0.1, .clip = 1};
    GraphStats stats = {.finite = true};
    for (int i = 0; i < n && stats.finite; i++)
        graph_step(g, &feed, &knobs, &stats);
    return stats.finite;
}

static void no_system_call(void **state)
{
    (void)state;
    Graph *g = make(NULL);
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

#ifndef LATHE_SANITIZED
static void no_allocation(void **state)
{
    (void)state;
    Pool *pool = pool_create(2);
    Graph *g = make(pool);
    size_t before = allocations;
    assert_true(before > 0); /* the counter counts */
    assert_true(steps(g, 20));
    assert_int_equal(allocations, before);
    graph_destroy(g);
    pool_destroy(pool);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_system_call),
#ifndef LATHE_SANITIZED
        cmocka_unit_test(no_allocation),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
