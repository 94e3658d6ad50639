/* scan_int.h -- what the scans share: the columns a question is about, and rows in pieces.
 *
 * A View holds the chosen columns of every chunk, so that a row anywhere in the table is two steps
 * away. Rows are walked over in pieces of at most PIECE_ROWS: a chunk, or a stretch of a RowSet.
 * Sums are kept for strips, runs of pieces whose number depends on the table alone, and put together
 * in the order of the strips: the same bits on any number of threads. */
#ifndef LATHE_SCAN_INT_H
#define LATHE_SCAN_INT_H

#include <lathe/scan.h>

#include <string.h>

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))
#define PIECE_ROWS  65536
#define BLOCK       2048 /* values that are looked at together, in the cache */
#define STRIPS_MOST 64

typedef struct View {
    const Dataset *d;
    size_t chunks, columns;
    Column *column;  /* [columns][chunks] */
    uint64_t *first; /* [chunks + 1] number of a chunk's first row */
    unsigned shift;  /* every chunk but the last has 2^shift rows; 64: they differ */
    Arena *arena;    /* [arenas] */
    size_t arenas;
} View;
void view_open(View *v, const Dataset *d, const size_t *column, size_t columns, Pool *pool);
void view_release(View *v);
size_t view_search(const View *v, uint64_t row);

static inline size_t view_chunk(const View *v, uint64_t row)
{
    return v->shift < 64 ? (size_t)(row >> v->shift) : view_search(v, row);
}

static inline const Column *view_column(const View *v, size_t k, size_t chunk)
{
    return &v->column[k * v->chunks + chunk];
}

/* Rows that are looked at one after the other: a stretch of one chunk, or rows by their number. */
typedef struct Piece {
    const View *view;
    const uint32_t *row; /* [rows * stride]; NULL: `rows` rows of `chunk` from `from` on */
    size_t stride, rows, chunk, from;
} Piece;
size_t pieces_of(const View *v, const RowSet *rows);
void piece_get(const View *v, const RowSet *rows, size_t i, Piece *out);
uint64_t rows_of(const View *v, const RowSet *rows);

/* Values of the view's k-th column for rows [at, at + n) of the piece, n <= BLOCK. */
/* All types but REAL and plain TEXT: the integer (0 or 1 of a BOOL, the code of a word). */
void load_ints(const Piece *p, size_t k, size_t at, size_t n, int64_t *restrict out,
               uint8_t *restrict has);
/* All types but TEXT: missing is NaN. */
void load_reals(const Piece *p, size_t k, size_t at, size_t n, double *restrict out);
typedef struct Span { const char *at; size_t n; } Span;
void load_texts(const Piece *p, size_t k, size_t at, size_t n, Span *out, uint8_t *has);

/* Strips: body(job, strip, first piece, end) in parallel; false when it was stopped. `most` limits
 * how many there are (0: STRIPS_MOST). Bodies ask progress_stopped() between pieces. */
size_t strips_of(size_t pieces, size_t most);
static inline size_t strip_begin(size_t strip, size_t strips, size_t pieces)
{
    return strip * pieces / strips;
}

bool scan_stopped(const Progress *p, Error *err); /* true sets ERROR_STOP */

/* The rank of each word among the words by bytes (equal words share one); the caller frees. When it was
 * stopped the ranks are in no order. */
uint32_t *words_ranks(const Words *words, const Progress *progress, Error *err);

/* From a number to bits that order as unsigned: NaN must not come in. */
static inline uint64_t order_real(double v)
{
    uint64_t bits;
    v += 0.0; /* -0 is 0 */
    memcpy(&bits, &v, sizeof bits);
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | UINT64_C(1) << 63);
}

static inline double order_back(uint64_t key)
{
    double v;
    key ^= key >> 63 ? UINT64_C(1) << 63 : ~UINT64_C(0);
    memcpy(&v, &key, sizeof v);
    return v;
}

static inline uint64_t order_int(int64_t v)
{
    return (uint64_t)v ^ UINT64_C(1) << 63;
}

#endif
