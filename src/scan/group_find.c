/* group_find.c -- rows to the cells of their groups: by place when there are few possible keys, by
 * hash when there are many. */
#include "group_int.h"

#define DIRECT_BYTES (UINT64_C(64) << 20) /* of the cells of all strips */
#define HASH_STRIPS  8

/* ---- by place ----------------------------------------------------------------------------------------- */

typedef struct Direct {
    Grouping *g;
    Cell *cell; /* [strips][direct * cells] */
} Direct;

static void place_rows(Grouping *g, const Piece *p, size_t at, size_t n, size_t *place)
{
    uint64_t code[BLOCK];
    uint8_t missing[BLOCK];
    memset(place, 0, n * sizeof *place);
    for (size_t k = 0; k < g->keys; k++) {
        group_codes(g, &g->key[k], p, at, n, NULL, code, missing);
        size_t size = (size_t)g->key[k].size;
        for (size_t i = 0; i < n; i++)
            place[i] = place[i] * size + (size_t)code[i];
    }
    for (size_t i = 0; i < n; i++)
        place[i] *= g->cells;
}

static void count_strip(void *job, size_t strip, size_t worker)
{
    const Direct *d = job;
    Grouping *g = d->g;
    Cell *cell = d->cell + strip * (size_t)g->direct * g->cells;
    size_t place[BLOCK], end = strip_begin(strip + 1, g->strips, g->pieces);
    for (size_t k = strip_begin(strip, g->strips, g->pieces); k < end; k++) {
        Piece p;
        if (progress_stopped(g->progress) || atomic_load(&g->wrong))
            return;
        piece_get(&g->view, g->rows, k, &p);
        for (size_t at = 0; at < p.rows && !progress_stopped(g->progress); at += BLOCK) {
            size_t n = p.rows - at < BLOCK ? p.rows - at : BLOCK;
            place_rows(g, &p, at, n, place);
            group_add(g, &p, at, n, place, cell);
        }
        progress_add(g->progress, p.rows);
    }
    (void)worker;
}

/* The groups that have rows, as tuples. */
static void take_groups(const Grouping *g, const Cell *cell, Tuples *out)
{
    uint64_t tuple[KEYS_MOST + 1];
    for (size_t at = 0; at < g->direct; at++) {
        bool some = false;
        for (size_t s = 0; s < g->strips && !some; s++)
            some = cell[(s * (size_t)g->direct + at) * g->cells + g->cells - 1].n > 0;
        if (!some)
            continue;
        uint64_t rest = at;
        tuple[g->keys] = 0;
        for (size_t k = g->keys; k-- > 0; rest /= g->key[k].size) {
            tuple[k] = rest % g->key[k].size;
            tuple[g->keys] |= (uint64_t)(tuple[k] == g->key[k].size - 1) << k;
        }
        size_t to = tuples_find(out, tuple);
        for (size_t s = 0; s < g->strips; s++)
            group_cells_merge(g, out->cell + to * g->cells,
                              cell + (s * (size_t)g->direct + at) * g->cells);
    }
}

bool group_direct(Grouping *g, Pool *pool, Tuples *out, Error *err)
{
    uint64_t bytes = g->direct * g->cells * sizeof(Cell);
    uint64_t fit = DIRECT_BYTES / bytes;
    g->strips = strips_of(g->pieces, fit > 2 ? (fit < STRIPS_MOST ? (size_t)fit : 0) : 2);
    Direct job = {g, mem_try((size_t)bytes * g->strips, err)};
    if (!job.cell)
        return false;
    memset(job.cell, 0, (size_t)bytes * g->strips);
    pool_run(pool, g->strips, count_strip, &job);
    take_groups(g, job.cell, out);
    mem_free(job.cell);
    return true;
}

/* ---- by hash -------------------------------------------------------------------------------------------- */

static uint64_t hash_tuple(const uint64_t *tuple, size_t n)
{
    uint64_t h = 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < n; i++) {
        __uint128_t m = (__uint128_t)(tuple[i] ^ h) * 0xa0761d6478bd642fu;
        h = (uint64_t)m ^ (uint64_t)(m >> 64) ^ (h << 1);
    }
    return h ^ h >> 29;
}

static void grow_slots(Tuples *t)
{
    size_t slots = t->slots ? 2 * t->slots : 1024;
    mem_free(t->slot);
    t->slot = mem_alloc(slots * sizeof *t->slot);
    t->slots = slots;
    for (size_t i = 0; i < t->count; i++) {
        size_t at = hash_tuple(t->tuple + i * t->width, t->width) & (slots - 1);
        while (t->slot[at])
            at = (at + 1) & (slots - 1);
        t->slot[at] = (uint32_t)(i + 1);
    }
}

size_t tuples_find(Tuples *t, const uint64_t *tuple)
{
    if (2 * t->count >= t->slots)
        grow_slots(t);
    size_t at = hash_tuple(tuple, t->width) & (t->slots - 1), bytes = t->width * sizeof *tuple;
    for (; t->slot[at]; at = (at + 1) & (t->slots - 1))
        if (memcmp(t->tuple + (t->slot[at] - 1) * t->width, tuple, bytes) == 0)
            return t->slot[at] - 1;
    if (t->count == t->room) {
        t->room = t->room ? 2 * t->room : 1024;
        t->tuple = mem_resize(t->tuple, t->room * bytes);
        t->cell = mem_resize(t->cell, t->room * t->cells * sizeof *t->cell);
    }
    memcpy(t->tuple + t->count * t->width, tuple, bytes);
    memset(t->cell + t->count * t->cells, 0, t->cells * sizeof *t->cell);
    t->slot[at] = (uint32_t)++t->count;
    return t->count - 1;
}

void tuples_release(Tuples *t)
{
    mem_free(t->tuple);
    mem_free(t->cell);
    mem_free(t->slot);
    for (size_t i = 0; i < KEYS_MOST; i++)
        intern_release(&t->words[i]);
    *t = (Tuples){0};
}

typedef struct Hashed {
    Grouping *g;
    Tuples *part; /* [strips] */
} Hashed;

static void find_rows(Grouping *g, Tuples *t, const Piece *p, size_t at, size_t n, size_t *place)
{
    uint64_t code[BLOCK], tuple[BLOCK][KEYS_MOST + 1];
    uint8_t missing[BLOCK];
    for (size_t i = 0; i < n; i++)
        tuple[i][g->keys] = 0;
    for (size_t k = 0; k < g->keys; k++) {
        group_codes(g, &g->key[k], p, at, n, &t->words[k], code, missing);
        uint64_t none = g->key[k].size ? g->key[k].size - 1 : UINT64_MAX;
        for (size_t i = 0; i < n; i++) {
            bool gone = missing[i] || (g->key[k].size && code[i] == none);
            tuple[i][k] = code[i];
            tuple[i][g->keys] |= (uint64_t)gone << k;
        }
    }
    for (size_t i = 0; i < n; i++)
        place[i] = tuples_find(t, tuple[i]) * g->cells;
}

static void hash_strip(void *job, size_t strip, size_t worker)
{
    const Hashed *h = job;
    Grouping *g = h->g;
    Tuples *t = &h->part[strip];
    size_t place[BLOCK], end = strip_begin(strip + 1, g->strips, g->pieces);
    for (size_t k = strip_begin(strip, g->strips, g->pieces); k < end; k++) {
        Piece p;
        if (progress_stopped(g->progress) || atomic_load(&g->wrong) || atomic_load(&g->many))
            return;
        piece_get(&g->view, g->rows, k, &p);
        for (size_t at = 0; at < p.rows && !progress_stopped(g->progress); at += BLOCK) {
            size_t n = p.rows - at < BLOCK ? p.rows - at : BLOCK;
            find_rows(g, t, &p, at, n, place);
            group_add(g, &p, at, n, place, t->cell);
        }
        if (t->count > g->most)
            atomic_store(&g->many, true);
        progress_add(g->progress, p.rows);
    }
    (void)worker;
}

static void merge_tuples(const Grouping *g, Tuples *into, const Tuples *from)
{
    uint64_t tuple[KEYS_MOST + 1];
    for (size_t i = 0; i < from->count && into->count <= g->most && !progress_stopped(g->progress); i++) {
        memcpy(tuple, from->tuple + i * from->width, from->width * sizeof *tuple);
        for (size_t k = 0; k < g->keys; k++)
            if (g->key[k].plain && !(tuple[g->keys] >> k & 1))
                tuple[k] = intern(&into->words[k], from->words[k].text[tuple[k]]);
        size_t to = tuples_find(into, tuple);
        group_cells_merge(g, into->cell + to * g->cells, from->cell + i * g->cells);
    }
}

bool group_hashed(Grouping *g, Pool *pool, Tuples *out, Error *err)
{
    g->strips = strips_of(g->pieces, HASH_STRIPS);
    Hashed job = {g, mem_alloc((g->strips + 1) * sizeof *job.part)};
    for (size_t s = 0; s < g->strips; s++)
        job.part[s] = (Tuples){.width = g->keys + 1, .cells = g->cells};
    pool_run(pool, g->strips, hash_strip, &job);
    for (size_t s = 0; s < g->strips; s++) {
        if (!atomic_load(&g->many))
            merge_tuples(g, out, &job.part[s]);
        tuples_release(&job.part[s]);
    }
    mem_free(job.part);
    if (out->count > g->most)
        atomic_store(&g->many, true);
    (void)err;
    return true;
}
