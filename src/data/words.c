/* words.c -- the table of distinct words behind every dictionary. Open addressing, linear probes,
 * half of the hash kept beside the number so that a wrong word is hardly ever looked at. */
#include "data_int.h"

#include <assert.h>

static void *grow(const WordTable *t, void *old, size_t used, size_t size)
{
    if (!t->arena)
        return mem_resize(old, size);
    void *to = arena_alloc(t->arena, size);
    if (used)
        memcpy(to, old, used);
    return to;
}

static void grow_slots(WordTable *t)
{
    size_t slots = t->slots ? t->slots * 2 : 64;
    uint64_t *slot =
        t->arena ? ARENA_NEW(t->arena, uint64_t, slots) : mem_alloc(slots * sizeof *slot);
    for (size_t i = 0; i < t->slots; i++) {
        if (!t->slot[i])
            continue;
        size_t at = (t->slot[i] >> 32) & (slots - 1);
        while (slot[at])
            at = (at + 1) & (slots - 1);
        slot[at] = t->slot[i];
    }
    if (!t->arena)
        mem_free(t->slot);
    t->slot = slot;
    t->slots = slots;
}

static bool add_bytes(WordTable *t, const char *s, size_t n)
{
    size_t used = t->count ? (size_t)t->start[t->count] : 0;
    if (t->count >= INT32_MAX - 1 || n > INT32_MAX - used)
        return false;
    if (t->count == t->room) {
        size_t room = t->room ? t->room * 2 : 32;
        t->start = grow(t, t->start, t->room ? (t->room + 1) * 4 : 0, (room + 1) * 4);
        t->room = room;
    }
    if (used + n > t->bytes_room || !t->bytes) {
        size_t room = t->bytes_room ? t->bytes_room : 256;
        while (room < used + n)
            room *= 2;
        t->bytes = grow(t, t->bytes, used, room);
        t->bytes_room = room;
    }
    if (n)
        memcpy(t->bytes + used, s, n);
    t->start[t->count] = (int32_t)used;
    t->start[++t->count] = (int32_t)(used + n);
    return true;
}

static bool same(const WordTable *t, size_t code, const char *s, size_t n)
{
    size_t at = (size_t)t->start[code];
    return (size_t)t->start[code + 1] - at == n && (n == 0 || memcmp(t->bytes + at, s, n) == 0);
}

/* The slot that holds the word, or the free one where it belongs. */
static size_t place(const WordTable *t, uint64_t upper, const char *s, size_t n)
{
    size_t mask = t->slots - 1, at = upper & mask;
    while (t->slot[at]) {
        if (t->slot[at] >> 32 == upper && same(t, (uint32_t)t->slot[at] - 1, s, n))
            break;
        at = (at + 1) & mask;
    }
    return at;
}

int32_t wordtable_code(WordTable *t, const char *s, size_t n)
{
    if (2 * (t->count + 1) > t->slots)
        grow_slots(t);
    uint64_t upper = word_hash(s, n) >> 32;
    size_t at = place(t, upper, s, n);
    if (t->slot[at])
        return (int32_t)((uint32_t)t->slot[at] - 1);
    if (!add_bytes(t, s, n))
        return WORD_NONE;
    t->slot[at] = upper << 32 | t->count; /* count is already number + 1 */
    return (int32_t)(t->count - 1);
}

int32_t wordtable_find(const WordTable *t, const char *s, size_t n)
{
    if (!t->slots)
        return WORD_NONE;
    size_t at = place(t, word_hash(s, n) >> 32, s, n);
    return t->slot[at] ? (int32_t)((uint32_t)t->slot[at] - 1) : WORD_NONE;
}

void wordtable_words(const WordTable *t, Words *out)
{
    static const int32_t nothing[1] = {0};
    *out = (Words){t->count, t->count ? t->start : nothing, t->count ? t->bytes : ""};
}

void wordtable_release(WordTable *t)
{
    if (!t->arena) {
        mem_free(t->start);
        mem_free(t->bytes);
        mem_free(t->slot);
    }
    *t = (WordTable){.arena = t->arena};
}
