/* recipe_memory.c -- the set of rows that were seen is exact, in memory and in a file; a disk without
 * room is an error and what was known stays known. */
#include "recipe_table.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define MANY 300000

typedef struct Hashes {
    uint64_t (*at)[2];
    size_t n;
} Hashes;

/* Pairs of which most come again, some differ in one half only, some are zeros. */
static Hashes make(uint64_t seed)
{
    Hashes h = {mem_alloc(MANY * sizeof *h.at), MANY};
    Rng r;
    rng_seed(&r, seed, 0);
    for (size_t i = 0; i < MANY; i++) {
        uint64_t k = rng_below(&r, MANY / 3);
        h.at[i][0] = k % 1000 == 0 ? k / 1000 : hash_bytes(&k, sizeof k, 1);
        h.at[i][1] = k % 7 == 0 ? 0 : hash_bytes(&k, sizeof k, 2) & (k % 2 ? 1 : UINT64_MAX);
    }
    return h;
}

static int by_pair(const void *a, const void *b)
{
    return memcmp(a, b, 2 * sizeof(uint64_t));
}

static size_t distinct(const Hashes *h)
{
    uint64_t(*all)[2] = mem_copy(h->at, h->n * sizeof *all);
    size_t count = h->n > 0;
    for (size_t i = 0; i < h->n; i++) /* (0, 0) and (0, 1) are the same to the set */
        all[i][1] |= (all[i][0] | all[i][1]) == 0;
    qsort(all, h->n, sizeof *all, by_pair);
    for (size_t i = 1; i < h->n; i++)
        count += by_pair(all[i - 1], all[i]) != 0;
    mem_free(all);
    return count;
}

static void add_all(Memory *m, const Hashes *h, uint8_t *fresh)
{
    Error err = {0};
    memset(fresh, 1, h->n);
    for (size_t from = 0; from < h->n; from += 1777) {
        size_t n = h->n - from < 1777 ? h->n - from : 1777;
        if (!memory_add(m, h->at + from, n, fresh + from, &err))
            fail_msg("%s", err.text);
    }
}

static void in_memory_and_in_a_file(void **state)
{
    Hashes h = make(4);
    uint8_t *heap_fresh = mem_alloc(MANY), *file_fresh = mem_alloc(MANY);
    Memory heap = {0}, file = {.dir = *state, .heap_most = 1 << 16};
    size_t first = 0;
    add_all(&heap, &h, heap_fresh);
    add_all(&file, &h, file_fresh);
    assert_false(heap.in_file);
    assert_true(file.in_file);
    assert_memory_equal(heap_fresh, file_fresh, MANY);
    for (size_t i = 0; i < MANY; i++)
        first += heap_fresh[i];
    assert_int_equal(first, distinct(&h));
    add_all(&file, &h, file_fresh); /* nothing is new the second time */
    assert_null(memchr(file_fresh, 1, MANY));
    assert_int_equal(file.count, first);
    memory_release(&heap);
    memory_release(&file);
    mem_free(heap_fresh);
    mem_free(file_fresh);
    mem_free(h.at);
}

static void no_room(void **state)
{
    Error err = {0};
    Hashes h = make(5);
    uint8_t *fresh = mem_alloc(MANY);
    Memory m = {.dir = *state, .heap_most = 1 << 16};
    struct rlimit old, small;
    h.n = 1000;
    add_all(&m, &h, fresh);
    size_t known = m.count;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 1 << 17;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    memset(fresh, 1, MANY);
    bool ok = memory_add(&m, h.at, MANY, fresh, &err);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_false(ok);
    if (!strstr(err.text, "no room for") || !strstr(err.text, *state))
        fail_msg("%s", err.text);
    add_all(&m, &h, fresh);
    assert_int_equal(m.count, known);
    memory_release(&m);
    mem_free(fresh);
    mem_free(h.at);
}

static int setup(void **state)
{
    char *dir = strdup("/tmp/lathe-memory-XXXXXX");
    *state = dir;
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    bool empty = rmdir(*state) == 0; /* files without a name leave nothing */
    free(*state);
    return empty ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(in_memory_and_in_a_file, setup, teardown),
        cmocka_unit_test_setup_teardown(no_room, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
