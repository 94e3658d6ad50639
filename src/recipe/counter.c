/* counter.c -- values and how often they occur, in a hash table by their bytes. */
#include "recipe_int.h"

#include <string.h>

static size_t counter_place(const Counter *c, Span word, uint32_t *found)
{
    size_t at = hash_bytes(word.at, word.size, 7) & (c->room - 1);
    for (; (*found = c->slot[at]) != 0; at = (at + 1) & (c->room - 1)) {
        Span w = c->list.at[*found - 1].word;
        if (w.size == word.size && (w.size == 0 || memcmp(w.at, word.at, w.size) == 0))
            break;
    }
    return at;
}

static void counter_grow(Counter *c)
{
    uint32_t found;
    mem_free(c->slot);
    c->room = c->room ? c->room * 2 : 64;
    c->slot = mem_alloc(c->room * sizeof *c->slot);
    for (size_t i = 0; i < c->list.count; i++)
        c->slot[counter_place(c, c->list.at[i].word, &found)] = (uint32_t)(i + 1);
}

void counter_add(Counter *c, Span word, size_t side, uint64_t count)
{
    uint32_t found;
    if (c->list.count * 2 >= c->room)
        counter_grow(c);
    size_t at = counter_place(c, word, &found);
    if (found == 0) {
        char *copy = arena_alloc(&c->arena, word.size + 1);
        if (word.size > 0)
            memcpy(copy, word.at, word.size);
        vec_add(&c->list, (Tally){.word = {copy, word.size}});
        found = (uint32_t)c->list.count;
        c->slot[at] = found;
    }
    c->list.at[found - 1].count[side] += count;
}

void counter_release(Counter *c)
{
    vec_release(&c->list);
    mem_free(c->slot);
    arena_release(&c->arena);
    *c = (Counter){0};
}
