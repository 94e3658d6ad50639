/* stop_soon.h -- how long a piece of work goes on after it was asked to stop, in time of the processor, which
 * does not depend on what else the machine does. */
#ifndef STOP_SOON_H
#define STOP_SOON_H

#include <lathe/base.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STOP_SECONDS 0.4
#else
#define STOP_SECONDS 0.05
#endif
#define STOP_MOMENTS 4 /* of the work at which it is asked */

typedef struct StopSoon {
    bool (*work)(void *context); /* true: it ended by itself */
    void (*ask)(void *context);  /* from another thread */
    void *context;
    double after;                /* seconds of work before it is asked; processor */
    double asked;                /* when */
    atomic_bool done;
} StopSoon;

static inline double stop_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline void *stop_asker(void *stop_soon)
{
    StopSoon *s = stop_soon;
    double began = stop_clock();
    const struct timespec nap = {0, 200000};
    while (stop_clock() - began < s->after && !atomic_load(&s->done))
        nanosleep(&nap, NULL);
    s->asked = stop_clock();
    s->ask(s->context);
    return NULL;
}

/* Runs the work once whole, then several times so that it is stopped on its way. threads: that work. */
static inline void assert_stops_soon(const char *name, bool (*work)(void *), void (*ask)(void *),
                                     void (*again)(void *), void *context, int threads)
{
    double began = stop_clock(), worst = 0;
    int stopped = 0;
    again(context);
    assert_true(work(context));
    double whole = stop_clock() - began;
    for (int i = 0; i < STOP_MOMENTS; i++) {
        StopSoon s = {.work = work, .ask = ask, .context = context};
        pthread_t thread;
        s.after = whole * (i + 0.5) / STOP_MOMENTS;
        again(context);
        assert_int_equal(pthread_create(&thread, NULL, stop_asker, &s), 0);
        bool ended = work(context);
        double end = stop_clock();
        atomic_store(&s.done, true);
        pthread_join(thread, NULL);
        if (ended) /* before it was asked */
            continue;
        stopped++;
        worst = end - s.asked > worst ? end - s.asked : worst;
    }
    print_message("%-36s %6.0f ms of work, stopped within %5.1f ms\n", name, 1e3 * whole, 1e3 * worst);
    if (!stopped && whole > 2 * STOP_SECONDS)
        fail_msg("%s: was never stopped on its way", name);
    if (worst > threads * STOP_SECONDS)
        fail_msg("%s: went on for %.0f ms after it was asked to stop", name, 1e3 * worst);
}

#endif
