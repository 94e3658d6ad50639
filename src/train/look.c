/* look.c -- what a run says of work that takes long, and whether someone wants it to end meanwhile.
 *
 * Between two steps the loop looks for commands and writes where it is. Before the first step, and within
 * a long one (a round of boosting over many rows), the loops over the rows call job_look instead, on the
 * run's own thread. It looks for `stop` and `abort`, which stay where they are: the loop takes them, or
 * whoever ends the run. */
#include "train_int.h"

#include <stdio.h>

#define POLL_SECONDS  0.05
#define WRITE_SECONDS 0.5 /* to the store, for screens */
#define SAY_SECONDS   2.0 /* as news */

/* "encoding 34 %, 1.2M rows/s, 12 s left" */
static void say_where(const Progress *p, double seconds, Text *into)
{
    double done = (double)atomic_load(&p->done), total = (double)atomic_load(&p->total);
    text_puts(into, atomic_load(&p->what));
    if (total <= 0)
        return;
    text_printf(into, " %.0f %%", 100 * (done < total ? done / total : 1.0));
    if (done <= 0 || seconds <= 0)
        return;
    text_puts(into, ", ");
    text_add_count(into, done / seconds);
    text_printf(into, " %s/s", atomic_load(&p->unit));
    if (done < total) {
        text_puts(into, ", ");
        text_add_seconds(into, seconds / done * (total - done));
        text_puts(into, " left");
    }
}

static void tell(Job *j, double now)
{
    Look *l = &j->look;
    Text text = {0};
    say_where(j->progress, now - l->since, &text);
    store_run_says(j->store, j->row.id, text_str(&text), NULL); /* the work goes on without */
    l->wrote = now;
    l->shown = true;
    if (now - l->said >= SAY_SECONDS) {
        job_news(j, "prepare", text_str(&text), false, NULL);
        l->said = now;
    }
    text_release(&text);
}

static void look(void *context)
{
    Job *j = context;
    Look *l = &j->look;
    double now = clock_now();
    const char *what = atomic_load(&j->progress->what);
    uint64_t done = atomic_load(&j->progress->done);
    if (what && what != l->what)
        l->polled = 0;
    if (what && (what != l->what || done < l->done)) { /* another loop has begun */
        l->what = what;
        l->since = now;
        l->wrote = l->shown ? l->wrote : now;
        l->said = l->said > 0 ? l->said : now;
    }
    l->done = done;
    if (l->polled > 0 && now - l->polled < POLL_SECONDS)
        return;
    l->polled = now;
    if (store_command_waits(j->store, j->row.id, "stop") ||
        store_command_waits(j->store, j->row.id, "abort"))
        stop_ask(&j->progress->stop);
    if (what && now - l->wrote >= WRITE_SECONDS)
        tell(j, now);
}

void job_look_begin(Job *j)
{
    j->progress = &j->own;
    j->progress->also = j->stop;
    j->progress->look = look;
    j->progress->context = j;
}

bool job_look_end(Job *j, Error *err)
{
    Look *l = &j->look;
    bool shown = l->shown;
    *l = (Look){0};
    atomic_store(&j->progress->what, NULL);
    return !shown || store_run_says(j->store, j->row.id, "", err);
}
