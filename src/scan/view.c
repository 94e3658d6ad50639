/* view.c -- chosen columns of all chunks, and values of any rows of them in blocks. */
#include "scan_int.h"

#include <math.h>

typedef struct Opening {
    View *view;
    const size_t *column;
} Opening;

static void open_chunk(void *job, size_t chunk, size_t worker)
{
    const Opening *o = job;
    View *v = o->view;
    for (size_t k = 0; k < v->columns; k++)
        dataset_column(v->d, chunk, o->column[k], &v->arena[worker],
                       &v->column[k * v->chunks + chunk]);
}

/* Whether row numbers lead to chunks by a shift. */
static unsigned even_shift(const View *v)
{
    if (v->chunks < 2)
        return 63;
    uint64_t rows = v->first[1] - v->first[0];
    if (rows == 0 || (rows & (rows - 1)))
        return 64;
    for (size_t i = 1; i + 1 < v->chunks; i++)
        if (v->first[i + 1] - v->first[i] != rows)
            return 64;
    if (v->first[v->chunks] - v->first[v->chunks - 1] > rows)
        return 64;
    return (unsigned)__builtin_ctzll(rows);
}

void view_open(View *v, const Dataset *d, const size_t *column, size_t columns, Pool *pool)
{
    Opening o = {v, column};
    *v = (View){
        .d = d, .chunks = dataset_chunks(d), .columns = columns, .arenas = pool_threads(pool)};
    v->column = mem_alloc((v->chunks * columns + 1) * sizeof *v->column);
    v->first = mem_alloc((v->chunks + 1) * sizeof *v->first);
    v->arena = mem_alloc(v->arenas * sizeof *v->arena);
    for (size_t i = 0; i < v->chunks; i++)
        v->first[i + 1] = v->first[i] + dataset_chunk_rows(d, i);
    v->shift = even_shift(v);
    pool_run(pool, v->chunks, open_chunk, &o);
}

void view_release(View *v)
{
    for (size_t i = 0; i < v->arenas; i++)
        arena_release(&v->arena[i]);
    mem_free(v->arena);
    mem_free(v->column);
    mem_free(v->first);
    *v = (View){0};
}

size_t view_search(const View *v, uint64_t row)
{
    size_t low = 0, high = v->chunks; /* first[low] <= row < first[high] */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (v->first[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* ---- pieces ------------------------------------------------------------------------------------- */

uint64_t rows_of(const View *v, const RowSet *rows)
{
    return rows ? rows->count : v->first[v->chunks];
}

size_t pieces_of(const View *v, const RowSet *rows)
{
    return rows ? (size_t)((rows->count + PIECE_ROWS - 1) / PIECE_ROWS) : v->chunks;
}

void piece_get(const View *v, const RowSet *rows, size_t i, Piece *out)
{
    *out = (Piece){.view = v, .stride = 1};
    if (!rows) {
        out->chunk = i;
        out->rows = (size_t)(v->first[i + 1] - v->first[i]);
        return;
    }
    uint64_t left = rows->count - (uint64_t)i * PIECE_ROWS;
    out->row = rows->row + (uint64_t)i * PIECE_ROWS;
    out->rows = left < PIECE_ROWS ? (size_t)left : PIECE_ROWS;
}

size_t strips_of(size_t pieces, size_t most)
{
    size_t strips = most && most < STRIPS_MOST ? most : STRIPS_MOST;
    return pieces < strips ? pieces : strips;
}

bool scan_stopped(const Progress *p, Error *err)
{
    return progress_stopped(p) && !error_set(err, ERROR_STOP, "stopped on request");
}

/* ---- blocks of values --------------------------------------------------------------------------- */

/* Whether the block's rows all lie in one chunk, as those of ascending lists mostly do. */
static bool one_chunk(const Piece *p, size_t at, size_t n, size_t *chunk)
{
    const uint32_t *row = p->row + at * p->stride;
    uint32_t least = UINT32_MAX, most = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t r = row[i * p->stride];
        least = r < least ? r : least;
        most = r > most ? r : most;
    }
    *chunk = n ? view_chunk(p->view, least) : 0;
    return n && most < p->view->first[*chunk + 1];
}

/* body with `c`, a column, and `r`, a place in it: for rows that follow each other, for rows of one
 * chunk, for rows anywhere. `pre` sets up pointers into c, so that the first two loops are plain. */
#define EACH_ROW(p, k, at, n, pre, body)                                                           \
    do {                                                                                           \
        const View *v_ = (p)->view;                                                                \
        size_t chunk_ = (p)->chunk;                                                                \
        if (!(p)->row) {                                                                           \
            const Column *c = view_column(v_, k, chunk_);                                          \
            size_t from_ = (p)->from + (at);                                                       \
            pre;                                                                                   \
            for (size_t i = 0; i < (n); i++) {                                                     \
                size_t r = from_ + i;                                                              \
                body;                                                                              \
            }                                                                                      \
        } else if (one_chunk(p, at, n, &chunk_)) {                                                 \
            const Column *c = view_column(v_, k, chunk_);                                          \
            const uint32_t *row_ = (p)->row + (at) * (p)->stride;                                  \
            uint32_t first_ = (uint32_t)v_->first[chunk_];                                         \
            pre;                                                                                   \
            for (size_t i = 0; i < (n); i++) {                                                     \
                size_t r = row_[i * (p)->stride] - first_;                                         \
                body;                                                                              \
            }                                                                                      \
        } else {                                                                                   \
            const uint32_t *row_ = (p)->row + (at) * (p)->stride;                                  \
            const Column *all_ = view_column(v_, k, 0);                                            \
            for (size_t i = 0; i < (n); i++) {                                                     \
                uint32_t at_ = row_[i * (p)->stride];                                              \
                size_t in_ = view_chunk(v_, at_);                                                  \
                const Column *c = &all_[in_];                                                      \
                size_t r = (size_t)(at_ - v_->first[in_]);                                         \
                pre;                                                                               \
                body;                                                                              \
            }                                                                                      \
        }                                                                                          \
    } while (0)

/* Eight bits as eight bytes of 0 or 1. */
static inline uint64_t spread_bits(uint8_t bits)
{
    uint64_t one_each = (bits * UINT64_C(0x0101010101010101)) & UINT64_C(0x8040201008040201);
    return (one_each + UINT64_C(0x7f7f7f7f7f7f7f7f)) >> 7 & UINT64_C(0x0101010101010101);
}

static void unpack_bits(const uint8_t *bits, size_t from, size_t n, uint8_t *restrict out)
{
    size_t i = 0;
    if (from % 8 == 0)
        for (const uint8_t *byte = bits + from / 8; i + 8 <= n; i += 8) {
            uint64_t eight = spread_bits(*byte++);
            memcpy(out + i, &eight, 8);
        }
    for (; i < n; i++)
        out[i] = bit_get(bits, from + i);
}

static void load_has(const Piece *p, size_t k, size_t at, size_t n, uint8_t *restrict has)
{
    const uint8_t *valid = p->row ? NULL : view_column(p->view, k, p->chunk)->valid;
    if (p->row)
        EACH_ROW(p, k, at, n, const uint8_t *v = c->valid, has[i] = !v || bit_get(v, r));
    else if (valid)
        unpack_bits(valid, p->from + at, n, has);
    else
        memset(has, 1, n);
}

void load_ints(const Piece *p, size_t k, size_t at, size_t n, int64_t *restrict out,
               uint8_t *restrict has)
{
    switch (view_column(p->view, k, 0)->type) {
    case COLUMN_INT:
    case COLUMN_TIME:
        EACH_ROW(p, k, at, n, const int64_t *v = c->integer, out[i] = v[r]);
        break;
    case COLUMN_DATE:
        EACH_ROW(p, k, at, n, const int32_t *v = c->day, out[i] = v[r]);
        break;
    case COLUMN_BOOL:
        EACH_ROW(p, k, at, n, const uint8_t *v = c->bit, out[i] = bit_get(v, r));
        break;
    default:
        EACH_ROW(p, k, at, n, const int32_t *v = c->code, out[i] = v[r]);
    }
    load_has(p, k, at, n, has);
}

void load_reals(const Piece *p, size_t k, size_t at, size_t n, double *restrict out)
{
    int64_t whole[BLOCK];
    uint8_t has[BLOCK];
    if (view_column(p->view, k, 0)->type == COLUMN_REAL) {
        EACH_ROW(p, k, at, n, const double *v = c->real, out[i] = v[r]);
        if (!p->row && !view_column(p->view, k, p->chunk)->valid)
            return;
        load_has(p, k, at, n, has);
    } else {
        load_ints(p, k, at, n, whole, has);
        for (size_t i = 0; i < n; i++)
            out[i] = (double)whole[i];
    }
    for (size_t i = 0; i < n; i++)
        out[i] = has[i] ? out[i] : (double)NAN;
}

void load_texts(const Piece *p, size_t k, size_t at, size_t n, Span *out, uint8_t *has)
{
    EACH_ROW(p, k, at, n, (void)0, out[i].at = column_text(c, r, &out[i].n));
    load_has(p, k, at, n, has);
}
