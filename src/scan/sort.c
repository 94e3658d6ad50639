/* sort.c -- the rows of a table in the order of columns.
 *
 * Several keys are several stable sorts, the last key first. When pairs for all rows do not fit the
 * memory that is allowed, stretches of the rows are sorted one after the other and merged from
 * unnamed files (sort_runs.c). */
#include "sort_int.h"

#include <sys/mman.h>

#define MEMORY     (UINT64_C(1) << 30)
#define LEAST_ROWS 1024 /* of a stretch, however little memory is allowed */
#define KEYS_MOST  16

typedef struct Sorting {
    View view;
    SortBy by[KEYS_MOST];
    size_t keys;
    RowSet *rows;
    Pool *pool;
    Progress *progress;
} Sorting;

static bool check_keys(const Dataset *d, const SortKey *key, size_t keys, Error *err)
{
    size_t columns = dataset_schema(d)->count;
    if (keys > KEYS_MOST)
        return error_set(err, ERROR_USAGE, "%zu columns to sort by, at most %d are taken", keys,
                         KEYS_MOST);
    for (size_t i = 0; i < keys; i++)
        if (key[i].column >= columns)
            return error_set(err, ERROR_USAGE, "column %zu to sort by, the table has %zu",
                             key[i].column + 1, columns);
    return true;
}

static bool open_keys(Sorting *s, const Dataset *d, const SortKey *key, size_t keys, Error *err)
{
    size_t column[KEYS_MOST];
    for (size_t i = 0; i < keys; i++)
        column[i] = key[i].column;
    view_open(&s->view, d, column, keys, s->pool);
    for (; s->keys < keys; s->keys++)
        if (!sort_by_open(&s->by[s->keys], &s->view, s->keys, key[s->keys].down, s->progress,
                          err))
            return false;
    return true;
}

/* Digits are moved to thousands of places: with large pages the processor finds them. They are asked for
 * before a page is touched, and nothing is cleared that is written anyway. */
static SortPair *get_pairs(size_t bytes, Error *err)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        error_set(err, ERROR_SPACE, "not enough memory: %.1f MB asked for to sort", (double)bytes / 1e6);
        return NULL;
    }
    madvise(at, bytes, MADV_HUGEPAGE); /* a wish */
    return at;
}

static bool sort_stretches(Sorting *s, uint64_t stretch, SortPair *pairs, Error *err)
{
    for (uint64_t at = 0; at < s->rows->count; at += stretch) {
        uint64_t left = s->rows->count - at;
        size_t n = (size_t)(left < stretch ? left : stretch);
        for (size_t k = s->keys; k-- > 0;)
            if (!sort_rows(&s->by[k], s->rows->row + at, n, pairs, s->pool, s->progress, err))
                return false;
    }
    return true;
}

bool scan_sort(const Dataset *d, const SortKey *key, size_t keys, RowSet *rows, uint64_t memory,
               const char *scratch, Pool *pool, Progress *progress, Error *err)
{
    Sorting s = {.rows = rows, .pool = pool, .progress = progress};
    if (!check_keys(d, key, keys, err))
        return false;
    uint64_t fits = (memory ? memory : MEMORY) / (2 * sizeof(SortPair));
    uint64_t stretch = fits > LEAST_ROWS ? fits : LEAST_ROWS;
    if (stretch > rows->count)
        stretch = rows->count ? rows->count : 1;
    progress_begin(progress, "sorting", "rows",
                   rows->count * (keys + (stretch < rows->count ? 1 : 0)));
    size_t bytes = 2 * (size_t)stretch * sizeof(SortPair);
    SortPair *pairs = get_pairs(bytes, err);
    bool ok = pairs && open_keys(&s, d, key, keys, err) && sort_stretches(&s, stretch, pairs, err);
    if (pairs)
        munmap(pairs, bytes);
    if (ok && keys && stretch < rows->count)
        ok =
            sort_merge(s.by, keys, rows, stretch, memory ? memory : MEMORY, scratch, progress, err);
    for (size_t i = 0; i < s.keys; i++)
        sort_by_close(&s.by[i]);
    view_release(&s.view);
    return ok;
}
