/* mem.c -- memory in three ways: small pieces that abort, big ones that report, arenas; and Vec. */
#include <lathe/base.h>

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ALIGN       64          /* a cache line, and the widest vector register */
#define LARGE_PAGE  (2u << 20)  /* the processor finds so much at once, where the kernel has it in one piece */
#define LARGE_LEAST (8u << 20)  /* bytes worth such pages */
#define BLOCK_LEAST 65536       /* bytes of an arena's first block */
#define BLOCK_MOST  (8u << 20)  /* blocks double up to here; larger requests get their own size */
#define KEPT_MOST   (64u << 20) /* what a reset may keep in one piece */

static _Noreturn void out_of_memory(size_t size)
{
    fprintf(stderr, "lathe: out of memory (%zu bytes asked for)\n", size);
    abort();
}

void *mem_alloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p)
        out_of_memory(size);
    return p;
}

void *mem_resize(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);
    if (!p)
        out_of_memory(size);
    return p;
}

/* More than the machine has could be promised by the kernel but never be used. */
static bool beyond_machine(size_t size)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 && size / (size_t)page >= (size_t)pages;
}

/* Large pages are a wish, and asked for before a page is touched. */
static void *take_block(size_t size)
{
    if (size < LARGE_LEAST)
        return aligned_alloc(ALIGN, size);
    void *p = aligned_alloc(LARGE_PAGE, (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE);
    if (p)
        madvise(p, size / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);
    return p;
}

void *mem_try(size_t size, Error *err)
{
    void *p = NULL;
    size_t whole = size > SIZE_MAX - ALIGN ? 0 : (size + ALIGN - 1) / ALIGN * ALIGN;
    if (size == 0)
        whole = ALIGN;
    if (whole && !beyond_machine(whole))
        p = take_block(whole);
    if (!p) {
        error_set(err, ERROR_SPACE, "not enough memory: %.1f MB asked for in one piece",
                  (double)size / 1e6);
        return NULL;
    }
    return memset(p, 0, whole);
}

void *mem_copy(const void *from, size_t size)
{
    void *p = mem_alloc(size);
    if (size)
        memcpy(p, from, size);
    return p;
}

char *text_copy(const char *from)
{
    return from ? mem_copy(from, strlen(from) + 1) : NULL;
}

void mem_free(void *p)
{
    free(p);
}

/* ---- Arena: a chain of blocks, the newest and largest first --------------------------------- */

typedef struct ArenaBlock {
    struct ArenaBlock *older;
    size_t room; /* bytes in at */
    _Alignas(ALIGN) unsigned char at[];
} ArenaBlock;

static ArenaBlock *block_create(ArenaBlock *older, size_t least)
{
    size_t room = older ? older->room * 2 : BLOCK_LEAST;
    if (room > BLOCK_MOST)
        room = BLOCK_MOST;
    if (room < least)
        room = least;
    if (room > SIZE_MAX - 2 * sizeof(ArenaBlock))
        out_of_memory(least);
    size_t whole = (sizeof(ArenaBlock) + room + ALIGN - 1) / ALIGN * ALIGN;
    ArenaBlock *block = aligned_alloc(ALIGN, whole);
    if (!block)
        out_of_memory(whole);
    block->older = older;
    block->room = room;
    return block;
}

void *arena_raw(Arena *a, size_t size)
{
    if (size > SIZE_MAX - ALIGN)
        out_of_memory(size);
    size_t whole = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (!a->block || whole > a->block->room - a->used) {
        a->block = block_create(a->block, whole);
        a->used = 0;
    }
    void *p = a->block->at + a->used;
    a->used += whole;
    return p;
}

void *arena_alloc(Arena *a, size_t size)
{
    return memset(arena_raw(a, size), 0, size);
}

char *arena_text(Arena *a, const char *from)
{
    if (!from)
        return NULL;
    size_t n = strlen(from) + 1;
    return memcpy(arena_alloc(a, n), from, n);
}

char *arena_printf(Arena *a, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    assert(n >= 0);
    char *at = arena_alloc(a, (size_t)n + 1);
    vsnprintf(at, (size_t)n + 1, fmt, again);
    va_end(again);
    return at;
}

static void blocks_destroy(ArenaBlock *block)
{
    while (block) {
        ArenaBlock *older = block->older;
        free(block);
        block = older;
    }
}

/* One block with room for all of it stays, so that the next round of the same work asks the system
 * for nothing. */
void arena_reset(Arena *a)
{
    if (a->block && a->block->older) {
        size_t room = a->used + a->used / 8;
        for (const ArenaBlock *b = a->block->older; b; b = b->older)
            room += b->room;
        if (room <= KEPT_MOST) {
            blocks_destroy(a->block);
            a->block = block_create(NULL, room);
        } else { /* the newest is the largest */
            blocks_destroy(a->block->older);
            a->block->older = NULL;
        }
    }
    a->used = 0;
}

void arena_release(Arena *a)
{
    blocks_destroy(a->block);
    *a = (Arena){0};
}

/* ---- Vec ------------------------------------------------------------------------------------ */

void vec_grow_(void **at, size_t *count, size_t *room, size_t size)
{
    if (*count == *room) {
        size_t more = *room ? *room * 2 : 8;
        if (more <= *room || more > SIZE_MAX / size)
            out_of_memory(SIZE_MAX);
        *at = mem_resize(*at, more * size);
        *room = more;
    }
    memset((char *)*at + *count * size, 0, size); /* a new slot is zero */
    ++*count;
}

void vec_reserve_(void **at, size_t *room, size_t n, size_t size)
{
    if (n <= *room)
        return;
    if (n > SIZE_MAX / size)
        out_of_memory(SIZE_MAX);
    *at = mem_resize(*at, n * size);
    *room = n;
}
