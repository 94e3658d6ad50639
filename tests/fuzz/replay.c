/* replay.c -- runs a fuzz target without libFuzzer: every file of the corpus as it is, then changed
 * at random for a fixed time. The seed is fixed, so a round that fails fails again; the input that
 * was at work is left in a file that the last line names.
 *
 *     fuzz_arrow tests/fuzz/corpus/arrow          LATHE_FUZZ_SECONDS=60 for longer
 *     fuzz_arrow crash-1234                       one file, once */
#include <lathe/base.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_MOST (1 << 18) /* bytes of an input */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* What a crash handler can reach has to lie at file scope. */
static struct {
    const uint8_t *bytes;
    size_t size;
    bool kept;
} running;

typedef struct Inputs {
    VEC(Text) files;
} Inputs;

static void keep_input(void)
{
    char path[64];
    if (running.kept)
        return;
    running.kept = true;
    snprintf(path, sizeof path, "/tmp/lathe-fuzz-crash-%d", (int)getpid());
    int file = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    if (file < 0 || write(file, running.bytes, running.size) != (ssize_t)running.size)
        return;
    dprintf(2, "\nthe input is in %s\n", path);
}

static void on_signal(int number)
{
    keep_input();
    signal(number, SIG_DFL);
    raise(number);
}

static void run(const void *bytes, size_t size)
{
    uint8_t *tight = malloc(size ? size : 1); /* so that a sanitizer sees the first byte beyond */
    if (size)
        memcpy(tight, bytes, size);
    running.bytes = tight;
    running.size = size;
    alarm(20); /* one input may not take for ever */
    LLVMFuzzerTestOneInput(tight, size);
    free(tight);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void load(Inputs *in, const char *path)
{
    struct dirent **entry = NULL;
    Error err = {0};
    int count = scandir(path, &entry, NULL, by_name);
    for (int i = 0; i < count; i++) {
        Text name = {0};
        struct stat is;
        text_printf(&name, "%s/%s", path, entry[i]->d_name);
        if (stat(text_str(&name), &is) == 0 && S_ISREG(is.st_mode)) {
            Text *t = vec_slot(&in->files);
            *t = (Text){0};
            if (!file_read(text_str(&name), t, SIZE_MOST, &err))
                in->files.count--;
        }
        text_release(&name);
        free(entry[i]);
    }
    free(entry);
    if (count < 0) {
        Text *t = vec_slot(&in->files);
        *t = (Text){0};
        if (!file_read(path, t, SIZE_MOST, &err)) {
            fprintf(stderr, "%s\n", err.text);
            exit(1);
        }
    }
}

/* ---- changes ------------------------------------------------------------------------------------- */

static void set_number(Rng *rng, uint8_t *at, size_t room)
{
    static const int64_t odd[] = {0,         1,          -1,        7,          8,
                                  63,        64,         127,       128,        255,
                                  256,       4096,       INT16_MAX, UINT16_MAX, INT32_MAX,
                                  INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN};
    uint64_t v = (uint64_t)odd[rng_below(rng, sizeof odd / sizeof *odd)] + rng_below(rng, 3) - 1;
    size_t width = (size_t)1 << rng_below(rng, 4);
    memcpy(at, &v, width < room ? width : room);
}

/* One random change of the first n bytes; returns how many there are then. */
static size_t change(Rng *rng, uint8_t *b, size_t n, const Inputs *in)
{
    static const char marks[] = "\0\n\r\t\"',;|\\/:.-+eE()[]{}<>=%*#@ 09azNI\xc3\xff";
    size_t at = n ? rng_below(rng, n) : 0, length = 1 + rng_below(rng, 16);
    const Text *other = &in->files.at[rng_below(rng, in->files.count)];
    switch (n == 0 ? 5 : rng_below(rng, 8)) {
    case 0:
        b[at] ^= (uint8_t)(1u << rng_below(rng, 8));
        return n;
    case 1:
        b[at] = (uint8_t)rng_next(rng);
        return n;
    case 2:
        b[at] = (uint8_t)marks[rng_below(rng, sizeof marks - 1)];
        return n;
    case 3:
        set_number(rng, b + at, n - at);
        return n;
    case 4: /* some bytes out, or the end off */
        length = rng_below(rng, 20) == 0 ? n - at : length < n - at ? length : n - at;
        memmove(b + at, b + at + length, n - at - length);
        return n - length;
    case 5: /* some bytes in, of any input */
        if (other->count == 0 || n + length > SIZE_MOST)
            return n;
        length = length < other->count ? length : other->count;
        memmove(b + at + length, b + at, n - at);
        memcpy(b + at, other->at + rng_below(rng, other->count - length + 1), length);
        return n + length;
    case 6: /* a stretch of the same again somewhere else */
        length = 1 + rng_below(rng, n - at);
        memmove(b + rng_below(rng, n - length + 1), b + at, length);
        return n;
    default: /* the end of another */
        if (other->count == 0 || rng_below(rng, 4) || at >= other->count)
            return n;
        memcpy(b + at, other->at + at, other->count - at);
        return other->count;
    }
}

static uint64_t change_for(const Inputs *in, double seconds)
{
    Rng rng;
    uint64_t rounds = 0;
    uint8_t *bytes = malloc(SIZE_MOST + 32);
    double until = clock_now() + seconds;
    rng_seed(&rng, 20260101, 0);
    for (; clock_now() < until; rounds++) {
        const Text *from = &in->files.at[rng_below(&rng, in->files.count)];
        size_t n = from->count;
        if (n)
            memcpy(bytes, from->at, n);
        for (uint64_t k = 1 + rng_below(&rng, 6); k > 0; k--)
            n = change(&rng, bytes, n, in);
        run(bytes, n);
    }
    free(bytes);
    return rounds;
}

int main(int argc, char **argv)
{
    static const int deadly[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGALRM, SIGILL};
    const char *seconds = getenv("LATHE_FUZZ_SECONDS");
    Inputs in = {0};
    struct stat is;
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS|FILE\n", argv[0]);
        return 2;
    }
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        signal(deadly[i], on_signal);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(keep_input);
    load(&in, argv[1]);
    run("", 0);
    for (size_t i = 0; i < in.files.count; i++)
        run(in.files.at[i].at, in.files.at[i].count);
    uint64_t rounds = 0;
    if (stat(argv[1], &is) == 0 && S_ISDIR(is.st_mode) && in.files.count)
        rounds = change_for(&in, seconds ? atof(seconds) : 2);
    printf("%zu seeds, %llu changed inputs\n", in.files.count, (unsigned long long)rounds);
    for (size_t i = 0; i < in.files.count; i++)
        text_release(&in.files.at[i]);
    vec_release(&in.files);
    return 0;
}
