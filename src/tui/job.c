/* job.c -- workers for the screen. See job.h.
 *
 * Between the screen thread and the workers stand two stacks that need no lock (push by compare and
 * swap, taken whole by exchange) and a semaphore: the screen never waits. Workers share a queue under
 * a mutex that the screen never touches. */
#include "tui_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 4 /* the first takes urgent work only */

typedef struct Worker {
    struct Jobs *jobs;
    pthread_t thread;
    bool urgent_only;
} Worker;

struct Jobs {
    const char *workspace, *program; /* borrowed for as long as it lives */
    int wake;
    _Atomic(JobItem *) asked;    /* newest on top */
    _Atomic(JobItem *) finished; /* newest on top */
    sem_t work[2];               /* [0] any work, [1] a hint for the urgent worker */
    pthread_mutex_t lock;        /* of the queue; workers only */
    JobItem *queue;              /* oldest first */
    atomic_bool closing;
    Worker worker[WORKERS];
    size_t workers;
    VEC(JobItem *) flying; /* the screen thread's list */
    uint64_t number;
};

struct JobContext {
    Jobs *jobs;
    JobItem *item;
    Store *store;
    Pool *pool;
};

static void push(_Atomic(JobItem *) *stack, JobItem *item)
{
    JobItem *top = atomic_load_explicit(stack, memory_order_relaxed);
    do
        item->next = top;
    while (!atomic_compare_exchange_weak_explicit(stack, &top, item, memory_order_release,
                                                  memory_order_relaxed));
}

static JobItem *take_all_oldest_first(_Atomic(JobItem *) *stack)
{
    JobItem *top = atomic_exchange_explicit(stack, NULL, memory_order_acquire), *first = NULL;
    while (top) {
        JobItem *next = top->next;
        top->next = first;
        first = top;
        top = next;
    }
    return first;
}

static void wake_screen(const Jobs *j)
{
    uint64_t one = 1;
    ssize_t n = write(j->wake, &one, sizeof one);
    (void)n;
}

static void item_destroy(JobItem *item)
{
    if (item->result)
        (item->job.release ? item->job.release : mem_free)(item->result);
    if (item->job.input)
        (item->job.release_input ? item->job.release_input : mem_free)(item->job.input);
    mem_free(item->note);
    mem_free(item);
}

/* ---- on the worker ------------------------------------------------------------------------------------ */

Store *job_store(JobContext *c, Error *err)
{
    if (!c->store)
        c->store = store_open(c->jobs->workspace, STORE_WRITE, err);
    return c->store;
}

Pool *job_pool(JobContext *c)
{
    if (!c->pool)
        c->pool = pool_create(0);
    return c->pool;
}

Progress *job_progress(JobContext *c)
{
    return &c->item->progress;
}

bool job_stopped(JobContext *c)
{
    return progress_stopped(&c->item->progress);
}

const char *job_workspace(JobContext *c)
{
    return c->jobs->workspace;
}

const char *job_program(JobContext *c)
{
    return c->jobs->program;
}

void job_say(JobContext *c, const char *line)
{
    JobItem *news = mem_alloc(sizeof *news);
    news->note = text_copy(line);
    push(&c->jobs->finished, news);
    wake_screen(c->jobs);
}

static JobItem *next_item(Jobs *j, bool urgent_only)
{
    pthread_mutex_lock(&j->lock);
    JobItem **end = &j->queue;
    while (*end)
        end = &(*end)->next;
    *end = take_all_oldest_first(&j->asked);
    JobItem **at = &j->queue;
    for (JobItem **p = &j->queue; *p; p = &(*p)->next)
        if ((*p)->job.urgent) {
            at = p;
            break;
        }
    JobItem *item = *at;
    if (item && (item->job.urgent || !urgent_only))
        *at = item->next;
    else
        item = NULL;
    pthread_mutex_unlock(&j->lock);
    return item;
}

static void *worker_main(void *context)
{
    Worker *w = context;
    Jobs *j = w->jobs;
    if (!w->urgent_only)
        thread_patient(5); /* this thread alone: the screen goes first */
    JobContext c = {.jobs = j};
    while (!atomic_load(&j->closing)) {
        JobItem *item = next_item(j, w->urgent_only);
        if (!item) {
            while (sem_wait(&j->work[w->urgent_only]) && errno == EINTR)
                ;
            continue;
        }
        c.item = item;
        if (progress_stopped(&item->progress))
            error_set(&item->error, ERROR_STOP, "stopped before it began");
        else
            item->result = item->job.run(&c, item->job.input, &item->error);
        push(&j->finished, item);
        wake_screen(j);
    }
    store_close(c.store);
    pool_destroy(c.pool);
    return NULL;
}

/* ---- on the screen's thread ------------------------------------------------------------------------------ */

Jobs *jobs_create(const char *workspace, const char *program, int wake)
{
    Jobs *j = mem_alloc(sizeof *j);
    j->workspace = workspace;
    j->program = program;
    j->wake = wake;
    sem_init(&j->work[0], 0, 0);
    sem_init(&j->work[1], 0, 0);
    pthread_mutex_init(&j->lock, NULL);
    return j;
}

static void start_workers(Jobs *j)
{
    for (; j->workers < WORKERS; j->workers++) {
        Worker *w = &j->worker[j->workers];
        *w = (Worker){.jobs = j, .urgent_only = j->workers == 0};
        if (pthread_create(&w->thread, NULL, worker_main, w))
            break;
    }
}

bool jobs_destroy(Jobs *j)
{
    if (!j)
        return true;
    for (size_t i = 0; i < j->flying.count; i++)
        stop_ask(&j->flying.at[i]->progress.stop);
    atomic_store(&j->closing, true);
    for (size_t i = 0; i < WORKERS; i++) {
        sem_post(&j->work[0]);
        sem_post(&j->work[1]);
    }
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 3;
    for (size_t i = 0; i < j->workers; i++)
        if (pthread_timedjoin_np(j->worker[i].thread, NULL, &until))
            return false;
    for (JobItem *item = take_all_oldest_first(&j->finished), *next; item; item = next) {
        next = item->next;
        if (item->note)
            item_destroy(item); /* results are in flying too */
    }
    for (size_t i = 0; i < j->flying.count; i++)
        item_destroy(j->flying.at[i]);
    vec_release(&j->flying);
    sem_destroy(&j->work[0]);
    sem_destroy(&j->work[1]);
    pthread_mutex_destroy(&j->lock);
    mem_free(j);
    return true;
}

void jobs_cancel(Jobs *j, const void *owner, int slot)
{
    for (size_t i = 0; i < j->flying.count; i++) {
        JobItem *item = j->flying.at[i];
        if (item->job.owner == owner && item->job.slot == slot && !item->stale) {
            item->stale = true;
            stop_ask(&item->progress.stop);
        }
    }
}

void jobs_forget_owner(Jobs *j, const void *owner)
{
    for (size_t i = 0; i < j->flying.count; i++)
        if (j->flying.at[i]->job.owner == owner)
            jobs_cancel(j, owner, j->flying.at[i]->job.slot);
}

void jobs_add(Jobs *j, Job job, double now)
{
    jobs_cancel(j, job.owner, job.slot);
    JobItem *item = mem_alloc(sizeof *item);
    item->job = job;
    item->started = now;
    item->number = ++j->number;
    vec_add(&j->flying, item);
    push(&j->asked, item);
    start_workers(j);
    sem_post(&j->work[0]);
    if (job.urgent)
        sem_post(&j->work[1]);
}

bool jobs_running(const Jobs *j, const void *owner, int slot)
{
    for (size_t i = 0; i < j->flying.count; i++) {
        const JobItem *item = j->flying.at[i];
        if (item->job.owner == owner && item->job.slot == slot && !item->stale)
            return true;
    }
    return false;
}

const char *job_title(const JobItem *item)
{
    return item->job.what_text[0] ? item->job.what_text : item->job.what;
}

/* One that is shown goes before those that come and go: what is meant is what is seen. */
bool jobs_stop_newest(Jobs *j, const char **what)
{
    double now = clock_now();
    for (int shown = 1; shown >= 0; shown--)
        for (size_t i = j->flying.count; i-- > 0;) {
            JobItem *item = j->flying.at[i];
            if (item->stale || !job_title(item) || progress_stopped(&item->progress) ||
                (shown && now - item->started < JOB_SHOWN_AFTER))
                continue;
            stop_ask(&item->progress.stop);
            *what = job_title(item);
            return true;
        }
    return false;
}

size_t jobs_count(const Jobs *j)
{
    return j->flying.count;
}

JobItem *jobs_at(const Jobs *j, size_t i)
{
    return j->flying.at[i];
}

static void forget(Jobs *j, const JobItem *item)
{
    for (size_t i = 0; i < j->flying.count; i++)
        if (j->flying.at[i] == item) {
            memmove(&j->flying.at[i], &j->flying.at[i + 1],
                    (j->flying.count - i - 1) * sizeof *j->flying.at);
            j->flying.count--;
            return;
        }
}

bool jobs_collect(Jobs *j, Ui *ui)
{
    JobItem *item = take_all_oldest_first(&j->finished);
    bool any = item != NULL;
    for (JobItem *next; item; item = next) {
        next = item->next;
        if (item->note) {
            ui_say(ui, STYLE_INFO, "%s", item->note);
            item_destroy(item);
            continue;
        }
        forget(j, item);
        if (!item->stale) {
            if (!item->result && item->error.kind != ERROR_NONE && !item->job.quiet)
                ui_error(ui, &item->error);
            void *result = item->result;
            item->result = NULL; /* done owns it */
            if (item->job.done)
                item->job.done(item->job.owner, result, &item->error, ui);
            else if (result)
                item->result = result;
        }
        item_destroy(item);
    }
    return any;
}
