/* sort_radix.c -- rows ordered by one key, by counting digits.
 *
 * Of the bits in which the keys differ at all (least key subtracted), the upper 32 are sorted,
 * least digit first, as pairs of 8 bytes. What agrees in them lies side by side then; mostly it is
 * equal, else such a run is sorted the same way by its own lower bits. Every step is stable, so the
 * result is one and the same however the work is cut. */
#include "sort_int.h"

#include <assert.h>

#define SLICE  65536 /* pairs a task */
#define DIGIT  11
#define VALUES (1u << DIGIT)
#define FEW    512 /* so few are sorted by merging */
#define RUN    8   /* after stretches of so many were sorted by insertion */

typedef struct Level {
    const SortBy *by;
    SortPair *at, *to;
    size_t n, slices;
    uint64_t least;
    unsigned shift, pass, digit;
    uint32_t (*count)[VALUES]; /* [slices] */
} Level;

static size_t slice_rows(const Level *l, size_t slice)
{
    size_t left = l->n - slice * SLICE;
    return left < SLICE ? left : SLICE;
}

/* ---- digits -------------------------------------------------------------------------------------- */

static void count_slice(void *job, size_t slice, size_t worker)
{
    const Level *l = job;
    uint32_t *count = l->count[slice], mask = (1u << l->digit) - 1;
    const SortPair *at = l->at + slice * SLICE;
    size_t n = slice_rows(l, slice);
    unsigned down = l->pass * l->digit;
    if (progress_stopped(l->by->progress))
        return;
    memset(count, 0, sizeof *l->count);
    for (size_t i = 0; i < n; i++)
        count[at[i].prefix >> down & mask]++;
    (void)worker;
}

static void move_slice(void *job, size_t slice, size_t worker)
{
    const Level *l = job;
    uint32_t *place = l->count[slice], mask = (1u << l->digit) - 1;
    const SortPair *at = l->at + slice * SLICE;
    size_t n = slice_rows(l, slice);
    unsigned down = l->pass * l->digit;
    if (progress_stopped(l->by->progress)) /* some of the counts may not be there */
        return;
    for (size_t i = 0; i < n; i++)
        l->to[place[at[i].prefix >> down & mask]++] = at[i];
    (void)worker;
}

/* From counts to places; false: all have the same digit. */
static bool place_slices(const Level *l)
{
    uint32_t sum = 0;
    for (size_t d = 0; d < (size_t)1 << l->digit; d++) {
        uint32_t before = sum;
        for (size_t s = 0; s < l->slices; s++) {
            uint32_t here = l->count[s][d];
            l->count[s][d] = sum;
            sum += here;
        }
        if (sum - before == l->n)
            return false;
    }
    return true;
}

/* Sorts by the prefixes, of which the lower `bits` are used. Ends in l->at. */
static void sort_prefixes(Level *l, unsigned bits, Pool *pool)
{
    unsigned passes = (bits + DIGIT - 1) / DIGIT;
    SortPair *first = l->at;
    l->digit = passes ? (bits + passes - 1) / passes : 0;
    for (l->pass = 0; l->pass < passes && !progress_stopped(l->by->progress); l->pass++) {
        pool_run(pool, l->slices, count_slice, l);
        if (!place_slices(l))
            continue;
        pool_run(pool, l->slices, move_slice, l);
        SortPair *other = l->at;
        l->at = l->to;
        l->to = other;
    }
    if (l->at != first && progress_stopped(l->by->progress)) {
        l->to = l->at;
        l->at = first;
    } else if (l->at != first) {
        memcpy(first, l->at, l->n * sizeof *first);
        l->to = l->at;
        l->at = first;
    }
}

static unsigned bits_of(uint64_t v)
{
    return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

/* ---- a stretch of pairs, on one thread -------------------------------------------------------------- */

static bool is_before(const SortBy *by, uint64_t a, uint32_t row_a, uint64_t b, uint32_t row_b)
{
    SortBy deeper = *by;
    while (a == b && sort_goes_on(&deeper, a)) {
        SortPair pair[2] = {{0, row_a}, {0, row_b}};
        uint64_t key[2];
        deeper.depth++;
        sort_pair_keys(&deeper, pair, 2, key);
        a = key[0];
        b = key[1];
    }
    return a < b;
}

typedef struct Keyed {
    uint64_t key;
    uint32_t row;
} Keyed;

static void insert_each(const SortBy *by, Keyed *at, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        Keyed one = at[i];
        size_t k = i;
        for (; k > 0 && is_before(by, one.key, one.row, at[k - 1].key, at[k - 1].row); k--)
            at[k] = at[k - 1];
        at[k] = one;
    }
}

static void merge_two(const SortBy *by, const Keyed *a, size_t na, const Keyed *b, size_t nb,
                      Keyed *to)
{
    while (na && nb) {
        bool second = is_before(by, b->key, b->row, a->key, a->row);
        *to++ = second ? *b++ : *a++;
        na -= !second;
        nb -= second;
    }
    memcpy(to, na ? a : b, (na + nb) * sizeof *to);
}

static void sort_few(const SortBy *by, SortPair *at, size_t n)
{
    Keyed one[FEW], two[FEW], *from = one, *to = two;
    uint64_t key[FEW];
    sort_pair_keys(by, at, n, key);
    for (size_t i = 0; i < n; i++)
        one[i] = (Keyed){key[i], at[i].row};
    for (size_t i = 0; i < n; i += RUN)
        insert_each(by, one + i, n - i < RUN ? n - i : RUN);
    for (size_t run = RUN; run < n; run *= 2) {
        for (size_t i = 0; i < n; i += 2 * run) {
            size_t na = n - i < run ? n - i : run, nb = n - i - na < run ? n - i - na : run;
            merge_two(by, from + i, na, from + i + na, nb, to + i);
        }
        Keyed *other = from;
        from = to;
        to = other;
    }
    for (size_t i = 0; i < n; i++)
        at[i].row = from[i].row;
}

static void key_range(const SortBy *by, const SortPair *at, size_t n, uint64_t *least,
                      uint64_t *most)
{
    uint64_t key[BLOCK];
    *least = UINT64_MAX;
    *most = 0;
    for (size_t from = 0; from < n && !progress_stopped(by->progress); from += BLOCK) {
        size_t some = n - from < BLOCK ? n - from : BLOCK;
        sort_pair_keys(by, at + from, some, key);
        for (size_t i = 0; i < some; i++) {
            *least = key[i] < *least ? key[i] : *least;
            *most = key[i] > *most ? key[i] : *most;
        }
    }
}

static void set_prefixes(const Level *l)
{
    uint64_t key[BLOCK];
    for (size_t from = 0; from < l->n && !progress_stopped(l->by->progress); from += BLOCK) {
        size_t some = l->n - from < BLOCK ? l->n - from : BLOCK;
        sort_pair_keys(l->by, l->at + from, some, key);
        for (size_t i = 0; i < some; i++)
            l->at[from + i].prefix = (uint32_t)((key[i] - l->least) >> l->shift);
    }
}

/* The first place from `at` on where another prefix begins. */
static size_t next_prefix(const Level *l, size_t at)
{
    while (at > 0 && at < l->n && l->at[at].prefix == l->at[at - 1].prefix)
        at++;
    return at < l->n ? at : l->n;
}

/* Each stretch of one prefix in [i, end) is put in order by what is below it. */
static void sort_ties(const Level *l, size_t i, size_t end)
{
    while (i < end && !progress_stopped(l->by->progress)) {
        size_t next = i + 1;
        while (next < end && l->at[next].prefix == l->at[i].prefix)
            next++;
        if (next - i > 1)
            sort_run(l->by, l->at + i, l->to + i, next - i);
        i = next;
    }
}

static bool has_ties(const Level *l) /* that its prefixes do not settle */
{
    return l->shift > 0 || l->by->plain || l->by->words;
}

void sort_run(const SortBy *from, SortPair *at, SortPair *spare, size_t n)
{
    SortBy by = *from;
    uint64_t least, most;
    for (;; by.depth++) {
        if (n <= FEW) {
            sort_few(&by, at, n);
            return;
        }
        key_range(&by, at, n, &least, &most);
        if (progress_stopped(by.progress))
            return;
        if (least != most)
            break;
        if (!sort_goes_on(&by, least))
            return;
    }
    unsigned bits = bits_of(most - least);
    Level l = {.by = &by, .at = at, .to = spare, .n = n, .slices = (n + SLICE - 1) / SLICE};
    l.least = least;
    l.shift = bits > 32 ? bits - 32 : 0;
    l.count = mem_alloc(l.slices * sizeof *l.count);
    set_prefixes(&l);
    sort_prefixes(&l, bits - l.shift, NULL);
    mem_free(l.count);
    if (has_ties(&l))
        sort_ties(&l, 0, n);
}

/* ---- all rows, over a pool ---------------------------------------------------------------------------- */

typedef struct Rows {
    Level level;
    uint32_t *row;
    size_t total; /* rows; level.n of them have a value */
    uint64_t *least, *most;
    uint32_t *present; /* [slices], then where the slice's first goes */
    size_t *begin;     /* [level.slices + 1] where stretches of one prefix begin */
    Progress *progress;
} Rows;

static Piece slice_piece(const Rows *r, size_t slice)
{
    size_t from = slice * SLICE, left = r->total - from;
    return (Piece){.view = r->level.by->view,
                   .row = r->row + from,
                   .stride = 1,
                   .rows = left < SLICE ? left : SLICE};
}

/* Rows that follow each other in one chunk are read as a stretch of it. */
static bool make_stretch(Piece *p)
{
    for (size_t i = 1; i < p->rows; i++)
        if (p->row[i] != p->row[0] + i)
            return false;
    size_t chunk = view_chunk(p->view, p->row[0]);
    if (view_chunk(p->view, p->row[p->rows - 1]) != chunk)
        return false;
    p->from = (size_t)(p->row[0] - p->view->first[chunk]);
    p->chunk = chunk;
    p->row = NULL;
    return true;
}

static void look_at_slice(void *job, size_t slice, size_t worker)
{
    Rows *r = job;
    Piece p = slice_piece(r, slice);
    uint64_t key[BLOCK], least = UINT64_MAX, most = 0;
    uint8_t has[BLOCK];
    uint32_t present = 0;
    if (progress_stopped(r->progress))
        return;
    make_stretch(&p);
    for (size_t at = 0; at < p.rows; at += BLOCK) {
        size_t n = p.rows - at < BLOCK ? p.rows - at : BLOCK;
        sort_keys(r->level.by, &p, at, n, key, has);
        for (size_t i = 0; i < n; i++) {
            uint64_t low = has[i] ? key[i] : UINT64_MAX, high = has[i] ? key[i] : 0;
            least = low < least ? low : least;
            most = high > most ? high : most;
            present += has[i];
        }
    }
    r->least[slice] = least;
    r->most[slice] = most;
    r->present[slice] = present;
    (void)worker;
}

/* Rows with a value become pairs, the others go behind all of those, both in their order. */
static void make_pairs(void *job, size_t slice, size_t worker)
{
    Rows *r = job;
    const Level *l = &r->level;
    Piece p = slice_piece(r, slice);
    const uint32_t *row = p.row;
    uint64_t key[BLOCK];
    uint8_t has[BLOCK];
    if (progress_stopped(r->progress))
        return;
    SortPair *to = l->at + r->present[slice];
    SortPair *none = l->at + l->n + (slice * SLICE - r->present[slice]);
    make_stretch(&p);
    for (size_t at = 0; at < p.rows; at += BLOCK) {
        size_t n = p.rows - at < BLOCK ? p.rows - at : BLOCK;
        sort_keys(l->by, &p, at, n, key, has);
        for (size_t i = 0; i < n; i++)
            if (has[i])
                *to++ = (SortPair){(uint32_t)((key[i] - l->least) >> l->shift), row[at + i]};
            else
                *none++ = (SortPair){0, row[at + i]};
    }
    progress_add(r->progress, p.rows);
    (void)worker;
}

static void settle_slice(void *job, size_t slice, size_t worker)
{
    const Rows *r = job;
    const Level *l = &r->level;
    if (!progress_stopped(r->progress))
        sort_ties(l, r->begin[slice], r->begin[slice + 1]);
    (void)worker;
}

static void give_back(void *job, size_t slice, size_t worker)
{
    const Rows *r = job;
    size_t from = slice * SLICE, end = from + SLICE < r->total ? from + SLICE : r->total;
    for (size_t i = from; i < end; i++)
        r->row[i] = r->level.at[i].row;
    (void)worker;
}

/* Sorting a stretch changes its prefixes, so where they begin is found before. */
static void settle_ties(Rows *r, Pool *pool)
{
    const Level *l = &r->level;
    r->begin = mem_alloc((l->slices + 1) * sizeof *r->begin);
    for (size_t s = 0; s <= l->slices; s++)
        r->begin[s] = next_prefix(l, s * SLICE);
    pool_run(pool, l->slices, settle_slice, r);
    mem_free(r->begin);
}

static void sum_up(Rows *r, size_t slices)
{
    Level *l = &r->level;
    uint64_t least = UINT64_MAX, most = 0;
    for (size_t s = 0; s < slices; s++) {
        uint32_t here = r->present[s];
        r->present[s] = (uint32_t)l->n;
        l->n += here;
        least = r->least[s] < least ? r->least[s] : least;
        most = r->most[s] > most ? r->most[s] : most;
    }
    unsigned bits = l->n ? bits_of(most - least) : 0;
    l->least = least;
    l->shift = bits > 32 ? bits - 32 : 0;
    l->slices = (l->n + SLICE - 1) / SLICE;
    l->digit = bits - l->shift;
}

bool sort_rows(const SortBy *by, uint32_t *row, size_t n, SortPair *pairs, Pool *pool,
               Progress *progress, Error *err)
{
    size_t slices = (n + SLICE - 1) / SLICE;
    Rows r = {.row = row, .total = n, .progress = progress};
    r.level = (Level){.by = by, .at = pairs, .to = pairs + n};
    r.level.count = mem_alloc((slices + 1) * sizeof *r.level.count);
    r.least = mem_alloc((slices + 1) * sizeof *r.least);
    r.most = mem_alloc((slices + 1) * sizeof *r.most);
    r.present = mem_alloc((slices + 1) * sizeof *r.present);
    pool_run(pool, slices, look_at_slice, &r);
    bool ok = !scan_stopped(progress, err);
    if (ok) {
        sum_up(&r, slices);
        pool_run(pool, slices, make_pairs, &r);
        sort_prefixes(&r.level, r.level.digit, pool);
        if (has_ties(&r.level) && !progress_stopped(progress))
            settle_ties(&r, pool);
        ok = !scan_stopped(progress, err);
    }
    if (ok)
        pool_run(pool, slices, give_back, &r);
    mem_free(r.level.count);
    mem_free(r.least);
    mem_free(r.most);
    mem_free(r.present);
    return ok;
}
