/* progress.c -- how far a piece of work is; written by the worker, read by whoever looks. */
#include <lathe/base.h>

void progress_begin(Progress *p, const char *what, const char *unit, uint64_t total)
{
    if (!p)
        return;
    atomic_store_explicit(&p->done, 0, memory_order_relaxed);
    atomic_store_explicit(&p->total, total, memory_order_relaxed);
    atomic_store_explicit(&p->unit, unit, memory_order_relaxed);
    atomic_store_explicit(&p->since, clock_now(), memory_order_relaxed);
    atomic_store_explicit(&p->what, what, memory_order_release);
}

void progress_add(Progress *p, uint64_t more)
{
    if (p)
        atomic_fetch_add_explicit(&p->done, more, memory_order_relaxed);
}

bool progress_stopped(const Progress *p)
{
    return p && (stop_asked(&p->stop) || stop_asked(p->also));
}

void progress_look(const Progress *p)
{
    if (p && p->look)
        p->look(p->context);
}
