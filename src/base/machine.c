/* machine.c -- how much memory this process may have: the machine's, or what a limit leaves of it. */
#include <lathe/base.h>

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t of_process(int which)
{
    struct rlimit r;
    if (getrlimit(which, &r) != 0 || r.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return (uint64_t)r.rlim_cur;
}

/* The number in a file of the control groups; "max", or no such file: no limit. */
static uint64_t in_file(const char *path)
{
    char word[64] = "";
    int64_t value;
    FILE *f = fopen(path, "re");
    if (!f)
        return UINT64_MAX;
    size_t n = fread(word, 1, sizeof word - 1, f);
    fclose(f);
    n = strcspn(word, "\n") < n ? strcspn(word, "\n") : n;
    return text_to_int(word, n, &value) && value > 0 ? (uint64_t)value : UINT64_MAX;
}

/* A line of /proc/self/cgroup is NUMBER:CONTROLLERS:PATH; version 2 names no controllers. Inside a
 * container the path may be one of the host, and the limit stands at the root. */
static uint64_t of_group(void)
{
    char line[1024], path[1400];
    uint64_t most = least(in_file("/sys/fs/cgroup/memory.max"),
                          in_file("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    FILE *f = fopen("/proc/self/cgroup", "re");
    while (f && fgets(line, sizeof line, f)) {
        char *what = strchr(line, ':'), *where = what ? strchr(what + 1, ':') : NULL;
        if (!where)
            continue;
        *where++ = 0;
        where[strcspn(where, "\n")] = 0;
        if (what[1] == 0)
            snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", where);
        else if (strcmp(what + 1, "memory") == 0)
            snprintf(path, sizeof path, "/sys/fs/cgroup/memory%s/memory.limit_in_bytes", where);
        else
            continue;
        most = least(most, in_file(path));
    }
    if (f)
        fclose(f);
    return most;
}

uint64_t machine_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t most = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX;
    most = least(most, of_process(RLIMIT_AS));
    most = least(most, of_process(RLIMIT_DATA));
    return least(most, of_group());
}
