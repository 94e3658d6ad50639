/* beyond.c -- how many values of columns lie outside a range. */
#include "scan_int.h"

typedef struct Count {
    atomic_uint_fast64_t below, above;
} Count;

typedef struct Beyond {
    const Dataset *d;
    const Range *range;
    size_t n;
    Count *count; /* [n] */
    Progress *progress;
} Beyond;

static void look(void *job, size_t i, size_t worker)
{
    Beyond *b = job;
    Arena a = {0};
    Chunk c;
    (void)worker;
    if (progress_stopped(b->progress))
        return;
    dataset_chunk(b->d, i, &a, &c);
    for (size_t k = 0; k < b->n; k++) {
        const Range *r = &b->range[k];
        uint64_t below = 0, above = 0;
        for (size_t row = 0; row < c.rows; row++) {
            double x = column_real(&c.column[r->column], row); /* NaN, of what is missing, is neither */
            below += x < r->low;
            above += x > r->high;
        }
        atomic_fetch_add(&b->count[k].below, below);
        atomic_fetch_add(&b->count[k].above, above);
    }
    progress_add(b->progress, c.rows);
    arena_release(&a);
}

bool scan_beyond(const Dataset *d, Range *range, size_t n, Pool *pool, Progress *progress, Error *err)
{
    Beyond b = {d, range, n, mem_alloc((n + 1) * sizeof *b.count), progress};
    if (n) {
        progress_begin(progress, "counting outliers", "rows", dataset_rows(d));
        pool_run(pool, dataset_chunks(d), look, &b);
    }
    for (size_t k = 0; k < n; k++) {
        range[k].below = b.count[k].below;
        range[k].above = b.count[k].above;
    }
    mem_free(b.count);
    return progress_stopped(progress) ? error_set(err, ERROR_STOP, "stopped on request") : dataset_sound(d, err);
}
