/* frequent.c -- how often which value: exact for few values, the frequent ones for many.
 *
 * A table of at most so many keys. When it is full, the median count is taken from all and
 * what is left without a count is dropped (Misra and Gries 1982; Anderson et al. 2017). */
#include "data_int.h"

#include <stdlib.h>

#define TEXT_MOST  1024 /* bytes of a long text that are kept */

static uint32_t keep_text(Text *texts, const char *s, size_t n)
{
    if (n > TEXT_MOST)
        for (n = TEXT_MOST; n > 0 && ((uint8_t)s[n] & 0xc0) == 0x80;)
            n--;
    uint16_t length = (uint16_t)n;
    uint32_t at = (uint32_t)texts->count;
    text_add(texts, (const char *)&length, 2);
    text_add(texts, s, n);
    return at;
}

const char *frequent_text(const Frequent *f, size_t slot, size_t *n)
{
    uint16_t length;
    const char *at = f->texts.at + f->text_at[slot];
    memcpy(&length, at, 2);
    *n = length;
    return at + 2;
}

static size_t free_slot(const Frequent *f, uint64_t key)
{
    size_t at = key & (f->slots - 1);
    while (f->slot[at].count && f->slot[at].key != key)
        at = (at + 1) & (f->slots - 1);
    return at;
}

bool frequent_has(const Frequent *f, uint64_t key)
{
    return f->slots && f->slot[free_slot(f, key)].count;
}

/* Moves every count above `less` into a table of so many slots. */
static void rebuild(Frequent *f, size_t slots, uint64_t less)
{
    Frequent old = *f;
    f->slot = mem_alloc(slots * sizeof *f->slot);
    f->text_at = f->has_text ? mem_alloc(slots * sizeof *f->text_at) : NULL;
    f->texts = (Text){0};
    f->slots = slots;
    f->used = 0;
    for (size_t i = 0; i < old.slots; i++) {
        if (old.slot[i].count <= less)
            continue;
        size_t at = free_slot(f, old.slot[i].key), n;
        f->slot[at] = (FrequentSlot){old.slot[i].key, old.slot[i].count - less};
        f->used++;
        if (f->has_text) {
            const char *s = frequent_text(&old, i, &n);
            f->text_at[at] = keep_text(&f->texts, s, n);
        }
    }
    mem_free(old.slot);
    mem_free(old.text_at);
    text_release(&old.texts);
}

static int by_count(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t median_count(const Frequent *f)
{
    uint64_t some[255];
    size_t n = 0;
    for (size_t i = 0; i < f->slots && n < COUNT_OF(some); i++)
        if (f->slot[i].count)
            some[n++] = f->slot[i].count;
    qsort(some, n, sizeof *some, by_count);
    return some[n / 2];
}

static void make_room(Frequent *f)
{
    if (f->slots < 2 * frequent_most(f)) {
        rebuild(f, f->slots ? 4 * f->slots : 128, 0);
        return;
    }
    uint64_t less = median_count(f);
    f->offset += less;
    f->purged = true;
    rebuild(f, f->slots, less);
}

void frequent_add_slow(Frequent *f, uint64_t key, uint64_t count, const char *text, size_t n)
{
    if (!f->slots)
        make_room(f);
    size_t at = free_slot(f, key);
    if (!f->slot[at].count) {
        while (2 * (f->used + 1) > f->slots) {
            make_room(f);
            at = free_slot(f, key);
        }
        f->slot[at] = (FrequentSlot){key, 0};
        f->used++;
        if (f->has_text)
            f->text_at[at] = keep_text(&f->texts, text, n);
    }
    f->slot[at].count += count;
}

void frequent_release(Frequent *f)
{
    mem_free(f->slot);
    mem_free(f->text_at);
    text_release(&f->texts);
    *f = (Frequent){0};
}
