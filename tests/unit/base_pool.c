/* base_pool.c -- loops on threads: every i once, nothing lost over many small loops. */
#include <lathe/base.h>

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef struct Job {
    atomic_uint seen[1000];
    size_t threads;
    uint64_t plain[1000]; /* written by the body without a lock, read after pool_run */
    uint64_t round;
    atomic_bool bad_worker;
} Job;

static void body(void *job, size_t i, size_t worker)
{
    Job *j = job;
    atomic_fetch_add(&j->seen[i], 1);
    j->plain[i] = j->round * 1000 + i;
    if (worker >= j->threads)
        atomic_store(&j->bad_worker, true);
}

static void many_small_loops(void **state)
{
    (void)state;
    static const size_t thread_counts[] = {1, 2, 3, 8};
    for (size_t t = 0; t < sizeof thread_counts / sizeof *thread_counts; t++) {
        Pool *pool = pool_create(thread_counts[t]);
        Job *job = mem_alloc(sizeof *job);
        Rng rng;
        rng_seed(&rng, 3, t);
        job->threads = pool_threads(pool);
        assert_int_equal(pool_threads(pool), thread_counts[t]);
        for (uint64_t round = 1; round <= 5000; round++) {
            size_t count = (size_t)rng_below(&rng, round % 50 == 0 ? 1000 : 12);
            job->round = round;
            memset(job->seen, 0, sizeof job->seen);
            (round % 2 ? pool_run : pool_run_near)(pool, count, body, job);
            for (size_t i = 0; i < count; i++) {
                assert_int_equal(atomic_load(&job->seen[i]), 1);
                assert_int_equal(job->plain[i], round * 1000 + i);
            }
            assert_int_equal(atomic_load(&job->seen[count]), 0);
        }
        assert_false(job->bad_worker);
        mem_free(job);
        pool_destroy(pool);
    }
}

static void without_a_pool(void **state)
{
    (void)state;
    Job *job = mem_alloc(sizeof *job);
    job->threads = pool_threads(NULL);
    assert_int_equal(job->threads, 1);
    pool_run(NULL, 10, body, job);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(job->seen[i], 1);
    pool_destroy(NULL);
    mem_free(job);
}

/* Workers that have gone to sleep come back, and a pool that never worked ends. */
static void wakes_after_sleep(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        pool_destroy(pool_create(4));
    Pool *pool = pool_create(2);
    Job *job = mem_alloc(sizeof *job);
    job->threads = 2;
    for (int round = 1; round <= 20; round++) {
        double until = clock_now() + 0.002;
        while (clock_now() < until)
            ;
        memset(job->seen, 0, sizeof job->seen);
        pool_run(pool, 64, body, job);
        for (size_t i = 0; i < 64; i++)
            assert_int_equal(job->seen[i], 1);
    }
    mem_free(job);
    pool_destroy(pool);
}

static void stop_and_progress(void **state)
{
    (void)state;
    Progress p = {0};
    progress_begin(&p, "reading", "bytes", 10);
    progress_add(&p, 4);
    progress_add(&p, 3);
    assert_int_equal(p.done, 7);
    assert_int_equal(p.total, 10);
    assert_string_equal(p.unit, "bytes");
    assert_false(progress_stopped(&p));
    stop_ask(&p.stop);
    assert_true(progress_stopped(&p));
    progress_begin(NULL, "a", "b", 1);
    progress_add(NULL, 1);
    assert_false(progress_stopped(NULL));
    assert_false(stop_asked(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_small_loops),
        cmocka_unit_test(without_a_pool),
        cmocka_unit_test(wakes_after_sleep),
        cmocka_unit_test(stop_and_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
