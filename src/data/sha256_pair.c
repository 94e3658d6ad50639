/* sha256_pair.c -- two SHA-256 at once, with the processor's own instructions.
 *
 * Each round waits for the one before, so one digest leaves half of the unit idle; a second one
 * beside it costs next to nothing. Where the processor has no such instructions, libcrypto does one
 * after the other, and it is the oracle of this file's test. */
#include "dataset_int.h"

#if defined(__SHA__) && defined(__SSE4_1__)

#include <immintrin.h>

#define BLOCK       64
#define PIECES_MOST 8

static const uint32_t constants[64] = {
    // clang-format off
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    // clang-format on
};

typedef struct State {
    __m128i abef, cdgh; /* as the instructions want the eight words */
} State;

static inline __m128i four_words(const uint8_t *at)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)at), swap);
}

/* Rounds 4 i .. 4 i + 3 of one stream, and the words for 16 rounds on. */
static inline void four_rounds(State *s, __m128i word[4], int i)
{
    __m128i round = _mm_loadu_si128((const __m128i *)(const void *)(constants + 4 * i));
    __m128i sum = _mm_add_epi32(word[i & 3], round);
    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, sum);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(sum, 0x0e));
    if (i < 12) {
        __m128i last = word[(i + 3) & 3];
        __m128i mixed = _mm_sha256msg1_epu32(word[i & 3], word[(i + 1) & 3]);
        mixed = _mm_add_epi32(mixed, _mm_alignr_epi8(last, word[(i + 2) & 3], 4));
        word[i & 3] = _mm_sha256msg2_epu32(mixed, last);
    }
}

static void compress_one(State *state, const uint8_t *at, size_t blocks)
{
    State s = *state;
    for (; blocks--; at += BLOCK) {
        State before = s;
        __m128i word[4];
        for (int i = 0; i < 4; i++)
            word[i] = four_words(at + 16 * i);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
            four_rounds(&s, word, i);
        s.abef = _mm_add_epi32(s.abef, before.abef);
        s.cdgh = _mm_add_epi32(s.cdgh, before.cdgh);
    }
    *state = s;
}

static void compress_two(State *a, const uint8_t *at_a, State *b, const uint8_t *at_b,
                         size_t blocks)
{
    State x = *a, y = *b;
    for (; blocks--; at_a += BLOCK, at_b += BLOCK) {
        State x_before = x, y_before = y;
        __m128i p[4], q[4];
        for (int i = 0; i < 4; i++) {
            p[i] = four_words(at_a + 16 * i);
            q[i] = four_words(at_b + 16 * i);
        }
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            four_rounds(&x, p, i);
            four_rounds(&y, q, i);
        }
        x.abef = _mm_add_epi32(x.abef, x_before.abef);
        x.cdgh = _mm_add_epi32(x.cdgh, x_before.cdgh);
        y.abef = _mm_add_epi32(y.abef, y_before.abef);
        y.cdgh = _mm_add_epi32(y.cdgh, y_before.cdgh);
    }
    *a = x;
    *b = y;
}

/* ---- a text in pieces as whole blocks ---- */

typedef struct Piece {
    const uint8_t *at;
    size_t size;
} Piece;

typedef struct Stream {
    State state;
    Piece piece[PIECES_MOST];
    size_t pieces, next;
    uint64_t length[3];
    uint8_t joint[BLOCK]; /* a block that reaches over a border of pieces */
    size_t joined;
    uint8_t end[2 * BLOCK]; /* the padding and the length in bits */
} Stream;

static void stream_begin(Stream *s, const BufferSet *b)
{
    uint64_t total = 0;
    *s = (Stream){0};
    s->state.abef = _mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c);
    s->state.cdgh = _mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19);
    for (size_t i = 0; i < b->count; i++) {
        s->length[i] = b->size[i];
        s->piece[s->pieces++] = (Piece){(const uint8_t *)&s->length[i], 8};
        s->piece[s->pieces++] = (Piece){b->at[i], b->size[i]};
        total += 8 + b->size[i];
    }
    size_t end = (size_t)(BLOCK - total % BLOCK);
    end += end < 9 ? BLOCK : 0;
    s->end[0] = 0x80;
    for (int i = 0; i < 8; i++)
        s->end[end - 1 - (size_t)i] = (uint8_t)(total * 8 >> 8 * i);
    s->piece[s->pieces++] = (Piece){s->end, end};
}

/* Whole blocks that lie side by side; 0: the end. */
static size_t stream_run(Stream *s, const uint8_t **at)
{
    while (s->joined < BLOCK && s->next < s->pieces) {
        Piece *p = &s->piece[s->next];
        if (!s->joined && p->size >= BLOCK) {
            *at = p->at;
            return p->size / BLOCK;
        }
        size_t some = BLOCK - s->joined < p->size ? BLOCK - s->joined : p->size;
        if (some) { /* of nothing, `at` may be NULL */
            memcpy(s->joint + s->joined, p->at, some);
            s->joined += some;
            p->at += some;
            p->size -= some;
        }
        s->next += p->size == 0;
    }
    *at = s->joint;
    return s->joined == BLOCK;
}

static void stream_took(Stream *s, const uint8_t *at, size_t blocks)
{
    if (at == s->joint) {
        s->joined = 0;
        return;
    }
    Piece *p = &s->piece[s->next];
    p->at += blocks * BLOCK;
    p->size -= blocks * BLOCK;
    s->next += p->size == 0;
}

static void stream_end(const Stream *s, Digest *out)
{
    uint32_t abef[4], cdgh[4];
    _mm_storeu_si128((__m128i *)(void *)abef, s->state.abef);
    _mm_storeu_si128((__m128i *)(void *)cdgh, s->state.cdgh);
    const uint32_t words[8] = {abef[3], abef[2], cdgh[3], cdgh[2],
                               abef[1], abef[0], cdgh[1], cdgh[0]};
    for (int i = 0; i < 32; i++)
        out->at[i] = (uint8_t)(words[i / 4] >> (24 - 8 * (i % 4)));
}

void dataset_leaves(const BufferSet *a, Digest *leaf_a, const BufferSet *b, Digest *leaf_b)
{
    Stream x, y;
    stream_begin(&x, a);
    stream_begin(&y, b);
    for (;;) {
        const uint8_t *at_x, *at_y;
        size_t n = stream_run(&x, &at_x), m = stream_run(&y, &at_y);
        size_t both = n < m ? n : m;
        if (!n && !m)
            break;
        if (both)
            compress_two(&x.state, at_x, &y.state, at_y, both);
        else if (n)
            compress_one(&x.state, at_x, n);
        else
            compress_one(&y.state, at_y, m);
        if (n)
            stream_took(&x, at_x, both ? both : n);
        if (m)
            stream_took(&y, at_y, both ? both : m);
    }
    stream_end(&x, leaf_a);
    stream_end(&y, leaf_b);
}

#else

void dataset_leaves(const BufferSet *a, Digest *leaf_a, const BufferSet *b, Digest *leaf_b)
{
    dataset_leaf(a, leaf_a);
    dataset_leaf(b, leaf_b);
}

#endif
