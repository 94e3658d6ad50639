/* team_alone.c -- several processes: a build without MPI, in which there is only one. */
#include <lathe/base.h>

#include <stdlib.h>

/* Those that mpirun (Open MPI) and others set in what they start. */
static int started_with(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *set = getenv(names[i]);
        if (set)
            return atoi(set);
    }
    return 1;
}

bool team_open(Team **out, const Stop *stop, Error *err)
{
    (void)stop;
    *out = NULL;
    int n = started_with();
    return n < 2 || error_set(err, ERROR_USAGE,
                              "started as %d processes, but this lathe was built without MPI;"
                              " build it with cmake -DLATHE_MPI=ON, or start one",
                              n);
}

void team_close(Team *t)
{
    (void)t;
}

size_t team_rank(const Team *t)
{
    (void)t;
    return 0;
}

size_t team_size(const Team *t)
{
    (void)t;
    return 1;
}

#define ALONE(name, type)                                                                          \
    bool name(Team *t, type *at, size_t n)                                                         \
    {                                                                                              \
        (void)t, (void)at, (void)n;                                                                \
        return true;                                                                               \
    }
ALONE(team_sum_f32, float)
ALONE(team_sum_f64, double)
ALONE(team_sum_u32, uint32_t)
ALONE(team_sum_u64, uint64_t)
ALONE(team_await, void)

bool team_tell(Team *t, size_t from, void *at, size_t size)
{
    (void)t, (void)from, (void)at, (void)size;
    return true;
}

bool team_lost(const Team *t)
{
    (void)t;
    return false;
}

bool team_sound(Team *t, Error *err)
{
    (void)t, (void)err;
    return true;
}

bool team_agree(Team *t, bool ok, Error *err)
{
    (void)t, (void)err;
    return ok;
}
