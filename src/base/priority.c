/* priority.c -- which threads go before which, where there are more than processors. None of it needs a right,
 * and where the kernel does not know a wish (short turns: Linux 6.12), the thread runs as any other. */
#include <lathe/base.h>

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct sched_attr of sched_setattr(2), as the kernel's first version has it. */
typedef struct Attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
} Attributes;

enum { RESET_ON_FORK = 1 }; /* threads and processes it makes are ordinary ones */

static bool set(uint32_t policy, uint64_t flags, int nice, uint64_t slice)
{
    Attributes a = {
        .size = sizeof a, .policy = policy, .flags = flags, .nice = nice, .runtime = slice};
    return syscall(SYS_sched_setattr, 0, &a, 0u) == 0;
}

void thread_prompt(void)
{
    errno = 0;
    int nice = getpriority(PRIO_PROCESS, 0);
    if (errno == 0)
        set(SCHED_OTHER, RESET_ON_FORK, nice,
            100000); /* ns: the shortest turn the scheduler takes */
}

void thread_patient(int nice)
{
    errno = 0;
    int now = getpriority(PRIO_PROCESS, 0);
    if (errno == 0)
        set(SCHED_BATCH, 0, nice > now ? nice : now, 0);
}
