/* team_mpi.c -- several processes: a team whose members meet through MPI.
 *
 * No call blocks inside MPI: each is begun (MPI_Iallreduce, MPI_Ibcast) and then asked for, so that a
 * member which is gone is noticed. On the same machine that is when its process is no more; elsewhere
 * mpirun ends the others with a signal (`stop`), or it is silent for LATHE_TEAM_SECONDS (300). MPI's own
 * errors are returned, not fatal. After a failure MPI is left as it is: nothing of it can be relied on. */
#include <lathe/base.h>

#include <errno.h>
#include <mpi.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SPIN         2000  /* questions before the clock is read */
#define LOOK_SECONDS 0.02  /* between two looks at the others */
#define NAP_AFTER    0.002 /* of waiting: others may need the core more */
#define IDLE_AFTER   1.0
#define GRACE        0.5 /* asked to stop and still waiting: the others do not come */
#define SECONDS      300.0
#define PIECE        ((size_t)1 << 26) /* elements a call */

typedef struct Member {
    char host[64];
    int64_t pid;
} Member;

struct Team {
    size_t rank, size;
    const Stop *stop;
    double seconds; /* of silence, then it is over */
    Member *member; /* [size] */
    Error lost;     /* the first failure */
};

/* ---- life -------------------------------------------------------------------------------------------- */

static bool started_by_mpirun(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMI_RANK",
                                        "PMIX_RANK"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i]))
            return true;
    return false;
}

static bool meet(Team *t)
{
    int rank, size;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    t->rank = (size_t)rank;
    t->size = (size_t)size;
    t->member = mem_alloc(sizeof *t->member * t->size);
    Member own = {.pid = getpid()};
    gethostname(own.host, sizeof own.host - 1);
    return MPI_Allgather(&own, sizeof own, MPI_BYTE, t->member, sizeof own, MPI_BYTE,
                         MPI_COMM_WORLD) == MPI_SUCCESS;
}

bool team_open(Team **out, const Stop *stop, Error *err)
{
    int level;
    *out = NULL;
    if (!started_by_mpirun())
        return true;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS)
        return error_set(err, ERROR_IO, "MPI does not start; look at mpirun");
    Team *t = mem_alloc(sizeof *t);
    const char *seconds = getenv("LATHE_TEAM_SECONDS");
    t->stop = stop;
    t->seconds = seconds && atof(seconds) > 0 ? atof(seconds) : SECONDS;
    if (!meet(t)) {
        team_close(t);
        return error_set(err, ERROR_IO,
                         "the processes that mpirun started cannot reach each other");
    }
    *out = t;
    return true;
}

void team_close(Team *t)
{
    if (!t)
        return;
    if (!team_lost(t))
        MPI_Finalize();
    mem_free(t->member);
    mem_free(t);
}

size_t team_rank(const Team *t)
{
    return t ? t->rank : 0;
}

size_t team_size(const Team *t)
{
    return t ? t->size : 1;
}

bool team_lost(const Team *t)
{
    return t && t->lost.kind != 0;
}

/* ---- who is there ------------------------------------------------------------------------------------- */

static bool lose(Team *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool lose(Team *t, const char *fmt, ...)
{
    char text[160];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return team_lost(t) ? false : error_set(&t->lost, ERROR_IO, "%s", text);
}

static bool is_gone(const Member *own, const Member *m)
{
    return text_equal(own->host, m->host) && kill((pid_t)m->pid, 0) != 0 && errno == ESRCH;
}

static bool others_live(Team *t)
{
    for (size_t i = 0; i < t->size; i++)
        if (i != t->rank && is_gone(&t->member[t->rank], &t->member[i]))
            return lose(t, "process %zu of %zu (pid %lld on %s) is gone", i, t->size,
                        (long long)t->member[i].pid, t->member[i].host);
    return true;
}

bool team_sound(Team *t, Error *err)
{
    if (!t || (!team_lost(t) && others_live(t)))
        return true;
    if (err)
        *err = t->lost;
    return false;
}

/* ---- waiting ------------------------------------------------------------------------------------------ */

static void nap(double waited, bool idle)
{
    long micro = idle && waited > IDLE_AFTER ? 5000 : 50;
    if (waited < NAP_AFTER)
        sched_yield();
    else
        nanosleep(&(struct timespec){.tv_nsec = micro * 1000}, NULL);
}

/* What a wait has come to so far; false: it is over. */
static bool still_worth_it(Team *t, double waited, double stopping, bool idle)
{
    if (!others_live(t))
        return false;
    if (!idle && stopping > GRACE)
        return lose(t, "another process does not answer any more");
    return idle || waited < t->seconds ||
           lose(t, "another process has been silent for %.0f s (LATHE_TEAM_SECONDS)", t->seconds);
}

/* idle: for a word that may take days; else all others are on their way to the same call. */
static bool finish(Team *t, int begun, MPI_Request *request, bool idle)
{
    int done = 0;
    double since = 0, looked = 0, asked = 0, now;
    for (size_t i = 0; begun == MPI_SUCCESS; i++) {
        if (MPI_Test(request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS)
            break;
        if (done)
            return true;
        if (team_lost(t))
            return false; /* and had not come before it was lost */
        if (i < SPIN)
            continue;
        now = clock_now();
        since = since > 0 ? since : now;
        asked = asked > 0 || !stop_asked(t->stop) ? asked : now;
        if (now - looked > LOOK_SECONDS) {
            looked = now;
            still_worth_it(t, now - since, asked > 0 ? now - asked : 0, idle);
        }
        nap(now - since, idle);
    }
    return lose(t, "MPI cannot go on: the connection to another process is broken");
}

/* ---- calls -------------------------------------------------------------------------------------------- */

static bool sum(Team *t, void *at, size_t n, size_t each, MPI_Datatype type)
{
    if (!t || t->size == 1)
        return true;
    for (size_t from = 0; from < n; from += PIECE) {
        MPI_Request request;
        int count = (int)(n - from < PIECE ? n - from : PIECE);
        if (team_lost(t))
            return false;
        int begun = MPI_Iallreduce(MPI_IN_PLACE, (char *)at + from * each, count, type, MPI_SUM,
                                   MPI_COMM_WORLD, &request);
        if (!finish(t, begun, &request, false))
            return false;
    }
    return true;
}

bool team_sum_f32(Team *t, float *at, size_t n)
{
    return sum(t, at, n, sizeof *at, MPI_FLOAT);
}

bool team_sum_f64(Team *t, double *at, size_t n)
{
    return sum(t, at, n, sizeof *at, MPI_DOUBLE);
}

bool team_sum_u32(Team *t, uint32_t *at, size_t n)
{
    return sum(t, at, n, sizeof *at, MPI_UINT32_T);
}

bool team_sum_u64(Team *t, uint64_t *at, size_t n)
{
    return sum(t, at, n, sizeof *at, MPI_UINT64_T);
}

static bool tell(Team *t, size_t from, void *at, size_t size, bool idle)
{
    if (!t || t->size == 1)
        return true;
    for (size_t done = 0; done < size; done += PIECE) {
        MPI_Request request;
        int count = (int)(size - done < PIECE ? size - done : PIECE);
        if (team_lost(t))
            return false;
        int begun =
            MPI_Ibcast((char *)at + done, count, MPI_BYTE, (int)from, MPI_COMM_WORLD, &request);
        if (!finish(t, begun, &request, idle))
            return false;
    }
    return true;
}

bool team_tell(Team *t, size_t from, void *at, size_t size)
{
    return tell(t, from, at, size, false);
}

bool team_await(Team *t, void *at, size_t size)
{
    return tell(t, 0, at, size, true);
}

bool team_agree(Team *t, bool ok, Error *err)
{
    if (!t)
        return ok;
    Error theirs = {0};
    uint64_t *bad = mem_alloc(sizeof *bad * t->size);
    bad[t->rank] = !ok;
    bool heard = team_sum_u64(t, bad, t->size);
    size_t first = 0;
    while (first < t->size && !bad[first])
        first++;
    mem_free(bad);
    if (!heard && ok && err)
        *err = t->lost;
    if (!heard || first == t->size)
        return heard;
    if (first == t->rank && err)
        theirs = *err;
    team_tell(t, first, &theirs, sizeof theirs);
    if (err)
        *err = theirs;
    return first != t->rank && error_in(err, "process %zu on %s", first, t->member[first].host);
}
