/* gbdt_hist.c -- sums of gradient pairs a bin.
 *
 * A block of up to sixteen byte columns is read row by row, its sums side by side in the first cache:
 * one load of the pair, then for each column a byte and an addition in memory. */
#include "gbdt_int.h"

#include <string.h>

#define AHEAD      24   /* rows */
#define PIECE_ROWS 2048 /* at least, before a second thread is worth its while */

/* n rows of a block into h [width][HIST_BINS]; the width is a constant where this is inlined. */
__attribute__((always_inline)) static inline void
add_rows(Pair *restrict h, const uint8_t *restrict bins, const uint32_t *restrict rows, size_t from,
         size_t to, const Pair *restrict pair, const size_t width)
{
    if (!rows) {
        for (size_t i = from; i < to; i++) {
            const Pair p = pair[i];
            const uint8_t *b = bins + i * width;
#pragma GCC unroll 16
            for (size_t k = 0; k < width; k++)
                h[k * HIST_BINS + b[k]] += p;
        }
        return;
    }
    size_t safe = to - from > AHEAD ? to - AHEAD : from;
    for (size_t i = from; i < to; i++) {
        if (i < safe) {
            __builtin_prefetch(bins + rows[i + AHEAD] * width);
            __builtin_prefetch(pair + rows[i + AHEAD]);
        }
        const Pair p = pair[rows[i]];
        const uint8_t *b = bins + rows[i] * width;
#pragma GCC unroll 16
        for (size_t k = 0; k < width; k++)
            h[k * HIST_BINS + b[k]] += p;
    }
}

static void add_block(Pair *h, const BinBlock *b, const HistJob *j, size_t from, size_t to)
{
    switch (b->width) {
#define WIDTH(n)                                                                                   \
    case n:                                                                                        \
        add_rows(h, b->at, j->rows, from, to, j->pair, n);                                         \
        break;
        WIDTH(1)
        WIDTH(2)
        WIDTH(3)
        WIDTH(4)
        WIDTH(5)
        WIDTH(6)
        WIDTH(7)
        WIDTH(8) WIDTH(9) WIDTH(10) WIDTH(11) WIDTH(12) WIDTH(13) WIDTH(14) WIDTH(15) WIDTH(16)
    }
}

static void build_piece(void *job, size_t i, size_t worker)
{
    (void)worker;
    const HistJob *j = job;
    const Bins *b = j->bins;
    const BinBlock *block = &b->block[i / j->pieces];
    size_t piece = i % j->pieces, whole = b->columns * HIST_BINS;
    Pair *h = (piece ? j->spare + (piece - 1) * whole : j->hist) + block->first * HIST_BINS;
    memset(h, 0, block->width * HIST_BINS * sizeof *h);
    add_block(h, block, j, j->count * piece / j->pieces, j->count * (piece + 1) / j->pieces);
}

void hist_build(HistJob *job, Pool *pool)
{
    size_t threads = pool_threads(pool), most = job->count / PIECE_ROWS;
    job->pieces = job->bins->blocks >= 2 * threads ? 1 : most < threads ? most : threads;
    job->pieces = job->pieces ? job->pieces : 1;
    size_t items = job->bins->blocks * job->pieces;
    pool_run(job->count >= PIECE_ROWS ? pool : NULL, items, build_piece, job);
}

void hist_join(const HistJob *job, size_t column)
{
    Pair *h = job->hist + column * HIST_BINS;
    for (size_t p = 1; p < job->pieces; p++) {
        const Pair *more = job->spare + ((p - 1) * job->bins->columns + column) * HIST_BINS;
        for (size_t k = 0; k < HIST_BINS; k++)
            h[k] += more[k];
    }
}

void hist_feature(const Pair *hist, const BinFeature *f, Pair *into)
{
    const Pair *h = hist + f->column * HIST_BINS;
    memset(into, 0, f->bins * sizeof *into);
    for (size_t at = 0; at < HIST_BINS;)
        for (size_t bin = 0; bin < f->bins && at < HIST_BINS; bin++)
            for (size_t low = 0; low < f->stride && at < HIST_BINS; low++)
                into[bin] += h[at++];
}
