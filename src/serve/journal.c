/* journal.c -- predictions on their way to the log, never at a request's expense.
 *
 *     threads that answer --(pile, a copy under a lock that is never held over a file)--> the journal's thread
 *
 * Ten times a second, or when the pile is half full, the thread takes the pile away and writes it in one
 * transaction. Where that fails (a full disk, a log that someone locks), what was taken is kept and written again,
 * while the next pile fills: nothing is lost before that is full. What then does not fit is counted, and the server
 * goes on. Feedback is written after the pile that was there when it came, flushed to disk,
 * and only then acknowledged; many that wait share one flush. */
#include "serve_int.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define PILE_ROWS  100000
#define PILE_BYTES ((size_t)32 << 20)
#define DETECTED   200       /* rows of a turn that detectors see */
#define TICK_NS    100000000 /* between two writes */

typedef struct Entry {
    int64_t id, time, model;
    const char *role; /* static */
    size_t inputs;    /* in the pile's bytes */
    size_t said;
    double output;
    float latency;
    Traffic *traffic;
    bool shadow;   /* that is its role */
    size_t values; /* in the pile's; as many as the traffic has columns */
} Entry;

typedef struct Pile {
    VEC(Entry) entry;
    Text bytes;
    VEC(double) value; /* for detectors */
    size_t detected;   /* rows of it that they see */
} Pile;

struct Journal {
    PredictionLog *log;
    Service *service;
    char *dir, *deployment;
    bool detect;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t more;
    Pile pile;    /* these are guarded by lock */
    int64_t next; /* the least id that is free */
    Ticket *ticket, **last;
    bool ending;
    _Atomic uint64_t written, dropped, failures, feedback;
    Pile taken; /* the thread's from here on */
    bool again; /* it could not be written: it is not shown to detectors twice */
    VEC(PredictionRow) row;
    int64_t second;
    double complained;
};

/* ---- from the threads that answer ---------------------------------------------------------------------- */

/* Ids are micros since 1970 << 12 plus a place within; each server begins at a place of its own, so that two
 * of them hardly ever meet. */
static int64_t number(Journal *j, int64_t now, size_t rows, bool shadowed)
{
    int64_t id = (now << 12) | (j->next & 0xfff);
    if (id < j->next)
        id = j->next;
    int64_t span = (int64_t)rows + (shadowed ? PREDICTION_SHADOW : 0);
    j->next = id + (span ? span : 1);
    return id;
}

static bool has_room(const Journal *j, size_t notes, size_t bytes)
{
    return j->pile.entry.count + notes <= PILE_ROWS && j->pile.bytes.count + bytes <= PILE_BYTES;
}

static size_t keep(Pile *p, const char *s)
{
    size_t at = p->bytes.count;
    text_add(&p->bytes, s, strlen(s) + 1);
    return at;
}

static _Atomic uint64_t *dropped_of(Traffic *t, bool shadow)
{
    return shadow ? &t->shadow.dropped : &t->given.dropped;
}

static void add_notes(Journal *j, const Served *v, const Scorer *s, const char *role, bool shadow,
                      int64_t first, int64_t now, double latency)
{
    Pile *p = &j->pile;
    size_t base = p->bytes.count, columns = v->traffic ? v->traffic->columns : 0;
    text_add(&p->bytes, s->inputs.at, s->inputs.count);
    for (size_t i = 0; i < s->note.count; i++) {
        const Note *note = &s->note.at[i];
        const Prediction *said = &s->said.at[note->row];
        /* the values of a forecast are those of a row that is yet to come */
        bool detected = j->detect && !s->ahead && columns == s->numbers && p->detected < DETECTED;
        size_t values = detected ? p->value.count : SIZE_MAX;
        p->detected += detected;
        for (size_t k = 0; detected && k < columns; k++)
            vec_add(&p->value, s->value.at[i * columns + k]);
        vec_add(&p->entry,
                (Entry){.id = first + (int64_t)note->row,
                        .time = now,
                        .model = v->id,
                        .role = role,
                        .inputs = base + note->at,
                        .said = note->said ? base + note->said : keep(p, answer_said(s, said)),
                        .output = said->kept ? said->value : (double)NAN,
                        .latency = (float)latency,
                        .traffic = v->traffic,
                        .shadow = shadow,
                        .values = values});
    }
}

int64_t journal_add(Journal *j, const Served *v, const Scorer *s, const char *role, int64_t beside,
                    bool shadowed, double latency)
{
    bool wake = false;
    int64_t now = time_now();
    pthread_mutex_lock(&j->lock);
    int64_t first = beside ? beside + PREDICTION_SHADOW : number(j, now, s->said.count, shadowed);
    if (!s->note.count) {
        /* not sampled */
    } else if (!j->ending && has_room(j, s->note.count, s->inputs.count + s->note.count * 64)) {
        add_notes(j, v, s, role, beside != 0, first, now, latency);
        wake = j->pile.entry.count > PILE_ROWS / 2 || j->pile.bytes.count > PILE_BYTES / 2;
    } else {
        j->dropped += s->note.count;
        if (v->traffic)
            *dropped_of(v->traffic, beside != 0) += s->note.count;
    }
    pthread_mutex_unlock(&j->lock);
    if (wake)
        pthread_cond_signal(&j->more);
    return first;
}

bool journal_feedback(Journal *j, Ticket *t)
{
    pthread_mutex_lock(&j->lock);
    bool taken = !j->ending;
    if (taken) {
        t->next = NULL;
        *j->last = t;
        j->last = &t->next;
    }
    pthread_mutex_unlock(&j->lock);
    if (taken)
        pthread_cond_signal(&j->more);
    return taken;
}

void ticket_destroy(Ticket *t)
{
    if (!t)
        return;
    arena_release(&t->arena);
    mem_free(t);
}

/* ---- the thread ------------------------------------------------------------------------------------------- */

/* A line of the log file at most every ten seconds: a full disk is not made fuller. */
static void complain(Journal *j, const Error *err)
{
    j->failures++;
    if (clock_now() - j->complained < 10)
        return;
    j->complained = clock_now();
    log_line(j->service->log, LOG_ERROR, "predictions are not logged: %s", err->text);
}

/* ---- detectors ---------------------------------------------------------------------------------------- */

static Detect *detect_of(Traffic *t)
{
    if (!t)
        return NULL;
    if (!t->detect)
        t->detect = detect_create(t->column, t->columns, t->classes);
    return t->detect;
}

static void show_rows(Journal *j)
{
    Pile *p = &j->taken;
    size_t shown = 0;
    for (size_t i = 0; i < p->entry.count && shown < DETECTED; i++) {
        const Entry *e = &p->entry.at[i];
        Detect *d = e->values != SIZE_MAX ? detect_of(e->traffic) : NULL;
        if (!d)
            continue;
        detect_row(d, p->value.at + e->values, e->output, e->id);
        shown++;
    }
}

/* What was said, beside what was true. */
static void show_errors(Journal *j, const Ticket *t)
{
    Service *s = j->service;
    for (size_t i = 0; i < t->rows && i < DETECTED; i++) {
        PredictionRow row;
        Arena a = {0};
        Traffic *traffic = NULL;
        if (t->known[i] && prediction_log_get(j->log, t->row[i].id, &a, &row, NULL))
            for (size_t k = 0; k < s->traffics; k++)
                if (s->traffic[k].model == row.model)
                    traffic = &s->traffic[k];
        if (traffic && traffic->classes)
            detect_error(detect_of(traffic), strcmp(row.said, row.truth_said) != 0, row.id);
        else if (traffic)
            detect_error(detect_of(traffic), fabs(row.output - row.truth), row.id);
        arena_release(&a);
    }
}

static void tell(Journal *j)
{
    Service *s = j->service;
    for (size_t i = 0; j->detect && i < s->traffics; i++)
        if (s->traffic[i].detect)
            detect_tell(s->traffic[i].detect, j->dir, j->deployment, s->traffic[i].model,
                        s->traffic[i].label, s->log);
}

/* ---- writing -------------------------------------------------------------------------------------------- */

static void count_lost(Journal *j)
{
    const Pile *p = &j->taken;
    j->dropped += p->entry.count;
    for (size_t i = 0; i < p->entry.count; i++) {
        const Entry *e = &p->entry.at[i];
        if (e->traffic)
            ++*dropped_of(e->traffic, e->shadow);
    }
}

/* last: what cannot be written now never will be. */
static void write_pile(Journal *j, bool last)
{
    Pile *p = &j->taken;
    Error err = {0};
    if (!p->entry.count)
        return;
    if (j->detect && !j->again)
        show_rows(j);
    p->detected = 0;
    j->row.count = 0;
    for (size_t i = 0; i < p->entry.count; i++) {
        const Entry *e = &p->entry.at[i];
        vec_add(&j->row, (PredictionRow){.id = e->id,
                                         .time = e->time,
                                         .deployment = j->deployment,
                                         .model = e->model,
                                         .role = e->role,
                                         .inputs = p->bytes.at + e->inputs,
                                         .output = e->output,
                                         .said = p->bytes.at + e->said,
                                         .latency = (double)e->latency});
    }
    bool ok = prediction_log_add(j->log, j->row.at, j->row.count, &err);
    j->again = !ok && !last;
    if (ok)
        j->written += p->entry.count;
    else
        complain(j, &err);
    if (j->again)
        return;
    if (!ok)
        count_lost(j);
    p->entry.count = 0;
    p->value.count = 0;
    text_reset(&p->bytes);
}

/* Which of the ids the log does not have is only asked when some are missing. */
static void find_unknown(Journal *j, Ticket *t)
{
    for (size_t i = 0; i < t->rows; i++) {
        PredictionRow row;
        t->known[i] = prediction_log_get(j->log, t->row[i].id, &t->arena, &row, NULL);
    }
}

static void write_feedback(Journal *j, Ticket *list)
{
    VEC(PredictionRow) all = {0};
    Error err = {0};
    size_t known = 0;
    for (const Ticket *t = list; t; t = t->next)
        for (size_t i = 0; i < t->rows; i++)
            vec_add(&all, t->row[i]);
    bool ok = prediction_log_feedback(j->log, all.at, all.count, &known, &err);
    if (ok)
        j->feedback += all.count;
    else
        complain(j, &err);
    for (Ticket *t = list, *next; t; t = next) {
        next = t->next;
        t->ok = ok;
        t->err = err;
        for (size_t i = 0; i < t->rows; i++)
            t->known[i] = true;
        if (ok && known < all.count)
            find_unknown(j, t);
        if (ok && j->detect)
            show_errors(j, t);
        t->wake(t->context); /* and may be gone */
    }
    vec_release(&all);
}

static void write_traffic(Journal *j)
{
    Service *s = j->service;
    TrafficRow row[2 * TRAFFIC_MOST];
    Error err = {0};
    size_t n = 0, all = s->traffics;
    for (size_t i = 0; i < 2 * all; i++)
        if (traffic_take(&s->traffic[i / 2], i % 2, &row[n])) {
            row[n].time = j->second * 1000000;
            row[n++].deployment = j->deployment;
        }
    Routing *g = service_routing(s);
    int64_t most = g->log_bytes;
    service_let_go(g);
    if ((n && !prediction_log_traffic(j->log, row, n, &err)) ||
        !prediction_log_keep(j->log, most, &err))
        complain(j, &err);
}

/* What is there now; false: nothing more will come. */
static bool take(Journal *j, Ticket **list)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&j->lock);
    while (!j->ending && !j->ticket &&
           (j->again ||
            (j->pile.entry.count <= PILE_ROWS / 2 && j->pile.bytes.count <= PILE_BYTES / 2)))
        if (pthread_cond_timedwait(&j->more, &j->lock, &until) == ETIMEDOUT)
            break;
    if (!j->again) {
        Pile empty = j->taken;
        j->taken = j->pile;
        j->pile = empty;
    }
    *list = j->ticket;
    j->ticket = NULL;
    j->last = &j->ticket;
    bool more = !j->ending;
    pthread_mutex_unlock(&j->lock);
    return more;
}

static void *work(void *arg)
{
    Journal *j = arg;
    Ticket *list, *none;
    bool more = true;
    while (more) {
        more = take(j, &list);
        bool again = j->again;
        write_pile(j, !more);
        if (!more && again) { /* the pile behind it; tickets are no longer taken */
            take(j, &none);
            write_pile(j, true);
        }
        if (list)
            write_feedback(j, list);
        if (time_now() / 1000000 != j->second || !more) {
            write_traffic(j);
            tell(j);
            j->second = time_now() / 1000000;
        }
    }
    return NULL;
}

/* ---- from beginning to end ---------------------------------------------------------------------------------- */

Journal *journal_open(const char *dir, const char *deployment, bool detect, Service *service,
                      Error *err)
{
    Journal *j = mem_alloc(sizeof *j);
    pthread_condattr_t clock;
    uint16_t place = 0;
    j->service = service;
    j->dir = text_copy(dir);
    j->deployment = text_copy(deployment);
    j->detect = detect;
    j->last = &j->ticket;
    j->second = time_now() / 1000000;
    j->complained = -10;
    if (getrandom(&place, sizeof place, 0) != (ssize_t)sizeof place)
        place = 0;
    j->next = place & 0xfff;
    pthread_mutex_init(&j->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&j->more, &clock);
    pthread_condattr_destroy(&clock);
    j->log = prediction_log_open(dir, STORE_WRITE, err);
    if (j->log)
        j->running =
            pthread_create(&j->thread, NULL, work, j) == 0 ||
            error_set(err, ERROR_SPACE, "could not start the thread that logs predictions");
    if (j->running)
        return j;
    journal_close(j);
    return NULL;
}

void journal_end(Journal *j)
{
    if (!j || !j->running)
        return;
    pthread_mutex_lock(&j->lock);
    j->ending = true;
    pthread_mutex_unlock(&j->lock);
    pthread_cond_signal(&j->more);
    pthread_join(j->thread, NULL);
    j->running = false;
}

void journal_close(Journal *j)
{
    if (!j)
        return;
    journal_end(j);
    prediction_log_close(j->log);
    vec_release(&j->pile.entry);
    vec_release(&j->taken.entry);
    text_release(&j->pile.bytes);
    text_release(&j->taken.bytes);
    vec_release(&j->pile.value);
    vec_release(&j->taken.value);
    vec_release(&j->row);
    mem_free(j->dir);
    mem_free(j->deployment);
    pthread_mutex_destroy(&j->lock);
    pthread_cond_destroy(&j->more);
    mem_free(j);
}

static void print_one(Text *into, const char *name, const char *about, uint64_t value)
{
    text_printf(into, "# HELP %s %s\n# TYPE %s counter\n%s %" PRIu64 "\n", name, about, name, name,
                value);
}

static void print_detectors(const Journal *j, bool warnings, Text *into)
{
    text_puts(
        into,
        warnings ? "# HELP lathe_detector_warnings_total Values at which a detector warned that a "
                   "change may "
                   "have begun.\n# TYPE lathe_detector_warnings_total counter\n"
                 : "# HELP lathe_detector_drifts_total Changes that a detector saw in the stream.\n"
                   "# TYPE lathe_detector_drifts_total counter\n");
    for (size_t i = 0; i < j->service->traffics; i++) {
        const Detect *d = j->service->traffic[i].detect;
        if (d)
            detect_print(d, j->service->traffic[i].label, warnings, into);
    }
}

void journal_print(Journal *j, Text *into)
{
    print_one(into, "lathe_logged_total", "Predictions written to the log.", j->written);
    print_one(into, "lathe_log_dropped_total",
              "Predictions not logged: the queue was full, or the log could not be written.",
              j->dropped);
    print_one(into, "lathe_log_failures_total", "Writes to the log that failed.", j->failures);
    print_one(into, "lathe_feedback_total", "True outcomes on disk.", j->feedback);
    print_detectors(j, false, into);
    print_detectors(j, true, into);
}
