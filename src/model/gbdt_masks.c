/* gbdt_masks.c -- a block of rows down trees of few leaves, all at once.
 *
 * Which rows of the block come to a node is a mask of 64 bits. A node compares its threshold's rank with the
 * block's bins of its feature, 64 bytes in one register; of the rows that are there, those below go to the one
 * child and the others to the other. No row looks anything up, and nothing depends on what the comparisons say.
 * At the leaves each row has one bit: the masks of those leaves whose number has a one in it, ored, are that digit
 * of the row's leaf, and by six digits the value is chosen from four registers. (Nodes of a tree evaluated one by
 * one, for all rows: QuickScorer, Lucchese et al. 2015; ranks and several rows side by side: RapidScorer, Ye et
 * al. 2018.)
 *
 * A leaf's value is added to its rows' sums tree by tree, in float32: the bits are those of the walk. */
#include "gbdt_quick.h"

#define OUTPUTS_MOST 16
#define LEAVES_BEGIN MASK_LEAVES /* places of the leaves, behind those of the nodes */

void masks_release(QuickMasks *m)
{
    mem_free(m->node);
    mem_free(m->first);
    mem_free(m->value);
    *m = (QuickMasks){0};
}

/* Places of a tree's nodes, which stand breadth first: 0 .. of those that split, LEAVES_BEGIN .. of leaves. */
static bool find_places(const uint32_t *word, size_t n, uint8_t *place)
{
    size_t splits = 0, leaves = 0;
    for (size_t i = 0; i < n; i++) {
        if (splits >= MASK_LEAVES || leaves >= MASK_LEAVES)
            return false;
        place[i] = (uint8_t)(NODE_IS_LEAF(word[i]) ? LEAVES_BEGIN + leaves++ : splits++);
    }
    return true;
}

static bool lay_tree(QuickMasks *m, const Quick *q, size_t tree, size_t end)
{
    const uint32_t *word = q->node + q->root[tree];
    const float *value = q->value + q->root[tree];
    size_t n = end - q->root[tree], at = m->first[tree];
    uint8_t place[2 * MASK_LEAVES];
    if (n >= 2 * MASK_LEAVES || !find_places(word, n, place))
        return false;
    for (size_t i = 0; i < n; i++) {
        uint32_t left = word[i] >> 16, slot = word[i] >> 8 & 63;
        if (NODE_IS_LEAF(word[i]))
            m->value[tree * MASK_LEAVES + place[i] - LEAVES_BEGIN] = value[i];
        else
            m->node[at++] = (MaskNode){.bins = (uint8_t)(word[i] & NODE_MISSING ? slot + MASK_SLOTS : slot),
                                       .rank = (uint8_t)word[i],
                                       .at = place[i],
                                       .to = {place[left], place[left + 1]}};
    }
    m->first[tree + 1] = (uint32_t)at;
    return true;
}

void masks_lay(QuickMasks *m, const Quick *q, size_t outputs)
{
    if (!q->fits || q->has_sets || outputs > OUTPUTS_MOST)
        return;
    m->node = mem_alloc(sizeof *m->node * (q->nodes + 1));
    m->first = mem_alloc(sizeof *m->first * (q->trees + 1));
    m->value = mem_alloc(sizeof *m->value * MASK_LEAVES * q->trees);
    m->fits = true;
    for (size_t i = 0; m->fits && i < q->trees; i++)
        m->fits = lay_tree(m, q, i, i + 1 < q->trees ? q->root[i + 1] : q->nodes);
    if (!m->fits)
        masks_release(m);
}

#ifdef __AVX512VBMI__

typedef struct BlockBins {
    uint8_t bin[2 * MASK_SLOTS][MASK_ROWS]; /* a missing value's is 255 and, MASK_SLOTS further on, 0 */
} BlockBins;

/* How many thresholds of each slot are below the rows' values: sixteen rows at a time, by halving. */
static void bin_rows(const Quick *q, const float *dense, size_t stride, size_t rows, BlockBins *into)
{
    const __m512i place = _mm512_mullo_epi32(quick_lanes(), _mm512_set1_epi32((int)stride));
    for (size_t slot = 0; slot < q->slots; slot++) {
        const __m512i base = _mm512_set1_epi32((int)(RANKS * slot));
        for (size_t from = 0; from < MASK_ROWS; from += 16) {
            size_t left = rows > from ? rows - from : 0;
            __mmask16 here = (__mmask16)(left < 16 ? (1u << left) - 1 : 0xffffu);
            const float *at = dense + from * stride + (size_t)q->feature[slot];
            __m512 x = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), here, place, at, 4);
            __m512i bin = quick_bins(q, x, base);
            _mm_storeu_si128((__m128i *)(void *)(into->bin[slot + MASK_SLOTS] + from), _mm512_cvtepi32_epi8(bin));
            bin = _mm512_mask_mov_epi32(bin, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), _mm512_set1_epi32(255));
            _mm_storeu_si128((__m128i *)(void *)(into->bin[slot] + from), _mm512_cvtepi32_epi8(bin));
        }
    }
}

/* mask[LEAVES_BEGIN + i]: the rows that end in leaf i */
static void split_rows(const MaskNode *node, size_t count, const BlockBins *b, uint64_t mask[2 * MASK_LEAVES])
{
    for (size_t i = 0; i < MASK_LEAVES; i += 8)
        _mm512_storeu_si512(mask + LEAVES_BEGIN + i, _mm512_setzero_si512());
    mask[count ? 0 : LEAVES_BEGIN] = ~(uint64_t)0;
    for (size_t i = 0; i < count; i++) {
        const MaskNode n = node[i];
        uint64_t above = _mm512_cmpgt_epu8_mask(_mm512_loadu_si512(b->bin[n.bins]), _mm512_set1_epi8((char)n.rank));
        uint64_t here = mask[n.at];
        mask[n.to[0]] = here & ~above;
        mask[n.to[1]] = here & above;
    }
}

/* The number of each row's leaf: 64 bytes */
static __m512i leaf_of(const uint64_t *mask)
{
    __m512i m[8];
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; i++)
        m[i] = _mm512_loadu_si512(mask + 8 * i);
    __m512i low = m[0] | m[1], high = m[4] | m[5], odd = m[1] | m[3] | m[5] | m[7];
    __m512i third = m[2] | m[3], last = m[6] | m[7], upper = high | last, all = low | third | upper;
    const uint64_t digit[] = {(uint64_t)_mm512_mask_reduce_or_epi64(0xAA, all),
                              (uint64_t)_mm512_mask_reduce_or_epi64(0xCC, all),
                              (uint64_t)_mm512_mask_reduce_or_epi64(0xF0, all),
                              (uint64_t)_mm512_reduce_or_epi64(odd),
                              (uint64_t)_mm512_reduce_or_epi64(third | last),
                              (uint64_t)_mm512_reduce_or_epi64(upper)};
    __m512i leaf = _mm512_setzero_si512();
#pragma GCC unroll 6
    for (int i = 0; i < 6; i++)
        leaf = _mm512_mask_add_epi8(leaf, digit[i], leaf, _mm512_set1_epi8((char)(1 << i)));
    return leaf;
}

/* sum[64] += value[leaf of the row] */
static void add_leaves(__m512i leaf, const float *value, float *sum)
{
    __m512 v[4];
    __m128i part[4] = {_mm512_castsi512_si128(leaf), _mm512_extracti32x4_epi32(leaf, 1),
                       _mm512_extracti32x4_epi32(leaf, 2), _mm512_extracti32x4_epi32(leaf, 3)};
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++)
        v[i] = _mm512_loadu_ps(value + 16 * i);
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        __m512i at = _mm512_cvtepu8_epi32(part[i]);
        __m512 low = _mm512_permutex2var_ps(v[0], at, v[1]), high = _mm512_permutex2var_ps(v[2], at, v[3]);
        __mmask16 upper = _mm512_test_epi32_mask(at, _mm512_set1_epi32(MASK_LEAVES / 2));
        __m512 *to = (__m512 *)(void *)(sum + 16 * i);
        *to = _mm512_add_ps(*to, _mm512_mask_mov_ps(low, upper, high));
    }
}

void masks_add(const Forest *f, const float *dense, size_t rows, float *out)
{
    const Quick *q = &f->quick;
    const QuickMasks *m = &q->masks;
    const size_t outputs = f->outputs;
    BlockBins bins;
    uint64_t mask[2 * MASK_LEAVES];
    _Alignas(64) float sum[OUTPUTS_MOST][MASK_ROWS];
    bin_rows(q, dense, f->numbers, rows, &bins);
    for (size_t k = 0; k < outputs; k++)
        for (size_t i = 0; i < MASK_ROWS; i++)
            sum[k][i] = i < rows ? out[i * outputs + k] : 0.0f;
    for (size_t t = 0; t < q->trees; t++) {
        split_rows(m->node + m->first[t], m->first[t + 1] - m->first[t], &bins, mask);
        add_leaves(leaf_of(mask + LEAVES_BEGIN), m->value + t * MASK_LEAVES, sum[t % outputs]);
    }
    for (size_t k = 0; k < outputs; k++)
        for (size_t i = 0; i < rows; i++)
            out[i * outputs + k] = sum[k][i];
}
#endif
