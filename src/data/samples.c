/* samples.c -- what is looked at before a source is read: its beginning and, of a plain file that is
 * large, pieces of whole lines from all over it, so that a type seldom has to widen later. */
#include "reader_int.h"

#include <string.h>

#define SAMPLE_BYTES ((size_t)1 << 20)
#define PIECE_BYTES  ((size_t)64 << 10)

static char *sample_room(Samples *s, size_t n)
{
    char *memory = mem_alloc(n + 2 * PADDING);
    vec_add(&s->memory, memory);
    return memory + PADDING;
}

void samples_release(Samples *s)
{
    for (size_t i = 0; i < s->memory.count; i++)
        mem_free(s->memory.at[i]);
    vec_release(&s->memory);
}

static void add_piece(Samples *s, char *at, size_t from, size_t to)
{
    if (s->whole || s->count) /* the first piece keeps all its bytes: a stream needs them */
        memset(at + to, '\n', PADDING);
    s->piece[s->count++] = (Sample){at + from, to - from};
}

/* The beginning of the source. */
static bool take_head(Source *source, Samples *s, Error *err)
{
    char *at = sample_room(s, SAMPLE_BYTES);
    size_t n = 0, got = 1;
    if (source_in_place(source)) {
        if (!source_read_at(source, 0, at, SAMPLE_BYTES, &n, err))
            return false;
        s->whole = n == source_size(source);
    } else {
        for (; n < SAMPLE_BYTES && got; n += got)
            if (!source_read(source, at + n, SAMPLE_BYTES - n, &got, err))
                return false;
        s->whole = !got;
    }
    add_piece(s, at, 0, n);
    return true;
}

/* Pieces of whole lines, spread over the file. */
static bool take_pieces(Source *source, Samples *s, Error *err)
{
    uint64_t size = source_size(source);
    if (!source_in_place(source) || size < 4 * SAMPLE_BYTES)
        return true;
    for (uint64_t i = 1; i <= PIECES; i++) {
        char *at = sample_room(s, PIECE_BYTES);
        size_t n;
        if (!source_read_at(source, i * (size - PIECE_BYTES) / PIECES, at, PIECE_BYTES, &n, err))
            return false;
        const char *first = memchr(at, '\n', n), *last = memrchr(at, '\n', n);
        if (first && last > first)
            add_piece(s, at, (size_t)(first - at) + 1, (size_t)(last - at) + 1);
    }
    return true;
}

/* ---- for others ---- */

bool samples_take(Samples *s, Source *source, bool spread, Error *err)
{
    return take_head(source, s, err) && (!spread || take_pieces(source, s, err));
}

Sample sample_lines(const Sample *s, bool whole)
{
    if (whole)
        return *s;
    const char *end = memrchr(s->at, '\n', s->size);
    if (!end)
        end = memrchr(s->at, '\r', s->size);
    return (Sample){s->at, end ? (size_t)(end - s->at) + 1 : s->size};
}
