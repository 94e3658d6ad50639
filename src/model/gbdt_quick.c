/* gbdt_quick.c -- a whole forest laid out for scoring: a node is one 32-bit word, a row one register.
 *
 *     bits 0..7     rank of the threshold among its feature's: bin <= rank goes left
 *     bits 8..13    slot of the feature, of those that the forest splits (at most 64)
 *     bit 14        missing values go left
 *     bit 15        a category: bits 8..14 are its column of codes, the set is in value[]
 *     bits 16..31   left child, counted from the tree's root; the right one stands behind it
 *
 * A leaf's rank is 255 and its left child is itself, so a walk that has come there stays. A row's bins
 * (how many thresholds of the slot are below x; missing: 255 in one table, 0 in the other) fit in one or
 * two registers of 64 bytes: a step of sixteen trees is one gather of nodes and one look-up in
 * registers. Sixty-four trees go side by side, to hide the gather's latency. The nodes of the first three
 * levels are kept by place, sixteen trees side by side, where they are chosen without a gather.
 *
 * Trees of few leaves are left to gbdt_masks.c where there are some rows at once, not one by one.
 *
 * Leaves are added in float32 in the order of the trees, as everywhere: the same bits. Forests that
 * do not fit (more than 64 numbers split, more than 254 thresholds of one, 32,767 nodes in a tree)
 * and processors without AVX-512 VBMI are left to gbdt_predict.c. */
#include "gbdt_quick.h"

#define SLOTS        MASK_SLOTS
#define TREES        64 /* side by side */
#define ROWS         MASK_ROWS /* binned at once */
#define MASKS_WORTH  12 /* rows; fewer are sooner down one by one */
#define NODES_MOST   32767
#define CODES_MOST   128
#define THRESHOLDS   254
#define TOP          7 /* nodes of the first three levels: 0; 1, 2; 3, 4, 5, 6 */

/* ---- laying out -------------------------------------------------------------------------------------- */

void quick_release(Quick *q)
{
    mem_free(q->node);
    mem_free(q->value);
    mem_free(q->root);
    mem_free(q->upper);
    mem_free(q->top);
    masks_release(&q->masks);
    *q = (Quick){0};
}

/* The thresholds of each feature that is split, ascending and distinct; false: too many. */
static bool find_thresholds(Quick *q, const Forest *f, int32_t *slot_of)
{
    size_t nodes = f->walk.count, *count = mem_alloc(sizeof *count * (f->numbers + 1));
    float *all = mem_alloc(sizeof *all * (2 * nodes + 2)), *scratch = all + nodes + 1;
    bool fits = true;
    for (size_t i = 0; i < nodes; i++)
        if (!(f->walk.at[i].feature & (WALK_LEAF | WALK_CATEGORY)))
            count[f->walk.at[i].feature & WALK_INDEX]++;
    for (size_t feature = 0; fits && feature < f->numbers; feature++) {
        slot_of[feature] = -1;
        if (!count[feature])
            continue;
        size_t n = 0, distinct = 0;
        for (size_t i = 0; i < nodes; i++) {
            const WalkNode *w = &f->walk.at[i];
            if (!(w->feature & (WALK_LEAF | WALK_CATEGORY)) && (w->feature & WALK_INDEX) == feature)
                all[n++] = w->at;
        }
        sort_floats(all, scratch, n);
        for (size_t i = 0; i < n; i++)
            if (!distinct || all[i] != all[distinct - 1])
                all[distinct++] = all[i];
        fits = distinct <= THRESHOLDS && q->slots < SLOTS;
        if (!fits)
            break;
        slot_of[feature] = (int32_t)q->slots;
        q->feature[q->slots] = (int32_t)feature;
        float *upper = q->upper + RANKS * q->slots++;
        for (size_t i = 0; i < RANKS; i++)
            upper[i] = i < distinct ? all[i] : INFINITY;
        q->most = distinct > q->most ? distinct : q->most;
    }
    mem_free(count);
    mem_free(all);
    return fits;
}

static uint32_t rank_of(const float *upper, float at)
{
    uint32_t low = 0;
    for (uint32_t step = RANKS / 2; step; step /= 2)
        if (upper[low + step - 1] < at)
            low += step;
    return low;
}

/* A tree breadth first, so that siblings stand side by side. */
static bool lay_tree(Quick *q, const Forest *f, size_t tree, const int32_t *slot_of,
                     uint32_t *queue)
{
    size_t root = q->nodes, n = 0, end = 1;
    queue[0] = f->root.at[tree];
    q->root[tree] = (uint32_t)root;
    for (; n < end; n++) {
        const WalkNode *w = &f->walk.at[queue[n]];
        uint32_t index = w->feature & WALK_INDEX, word;
        q->value[root + n] = w->at;
        if (w->feature & WALK_LEAF) {
            q->node[root + n] = (uint32_t)n << 16 | 255u;
            continue;
        }
        if (end + 2 > NODES_MOST || ((w->feature & WALK_CATEGORY) && index >= CODES_MOST))
            return false;
        if (w->feature & WALK_CATEGORY)
            word = NODE_SET | index << 8;
        else
            word = rank_of(q->upper + RANKS * (size_t)slot_of[index], w->at) |
                   (uint32_t)slot_of[index] << 8 | (w->feature & WALK_MISSING ? NODE_MISSING : 0);
        q->has_sets |= (w->feature & WALK_CATEGORY) != 0;
        q->node[root + n] = word | (uint32_t)end << 16;
        queue[end++] = w->child[0];
        queue[end++] = w->child[1];
    }
    q->nodes += n;
    return true;
}

/* The first three levels of all trees. A leaf stays where it is: it is its own left child. */
static void lay_tops(Quick *q)
{
    for (size_t i = 0; i < (q->trees + TREES - 1) / TREES * TREES; i++) {
        const uint32_t *node = q->node + q->root[i];
        uint32_t *top = q->top + i / 16 * 16 * TOP + i % 16, at[TOP] = {0};
        for (size_t k = 0; k < TOP; k++) {
            if (k > 0) {
                uint32_t above = node[at[(k - 1) / 2]];
                at[k] = (above >> 16) + (k % 2 == 0 && (above & 255) != 255);
            }
            top[16 * k] = node[at[k]];
        }
    }
}

static void lay_out(Quick *q, const Forest *f)
{
    size_t nodes = f->walk.count, trees = f->root.count;
    int32_t *slot_of = mem_alloc(sizeof *slot_of * (f->numbers + 1));
    uint32_t *queue = mem_alloc(sizeof *queue * (NODES_MOST + 3));
    q->trees = trees;
    q->node = mem_alloc(sizeof *q->node * (nodes + 1));
    q->value = mem_alloc(sizeof *q->value * (nodes + 1));
    q->root = mem_alloc(sizeof *q->root * (trees + TREES));
    q->upper = mem_alloc(sizeof *q->upper * RANKS * SLOTS);
    q->top = mem_alloc(sizeof *q->top * TOP * (trees + TREES));
    q->fits = nodes < (1u << 30) && find_thresholds(q, f, slot_of);
    for (size_t i = 0; q->fits && i < trees; i++)
        q->fits = lay_tree(q, f, i, slot_of, queue);
    for (size_t i = 0; q->fits && i < TREES; i++) /* walks to nowhere beside the last trees */
        q->root[trees + i] = (uint32_t)nodes;
    q->node[nodes] = 255u;
    if (q->fits)
        lay_tops(q);
    masks_lay(&q->masks, q, f->outputs);
    mem_free(slot_of);
    mem_free(queue);
}

bool forest_quick(Forest *f)
{
#ifdef __AVX512VBMI__
    Quick *q = &f->quick;
    if (q->trees != f->root.count || !q->node) {
        quick_release(q);
        lay_out(q, f);
    }
    return q->fits && q->trees > 0;
#else
    (void)f;
    return false;
#endif
}

/* ---- scoring ------------------------------------------------------------------------------------------- */

#ifdef __AVX512VBMI__

typedef struct RowBins {
    uint8_t right[SLOTS]; /* a missing value's bin is 255 */
    uint8_t left[SLOTS];  /* it is 0 */
} RowBins;

/* Returns whether a value is missing. Sixteen slots at a time, by halving. */
static bool bin_row(const Quick *q, const float *dense, RowBins *into)
{
    bool missing = false;
    for (size_t slot = 0; slot < q->slots; slot += 16) {
        __mmask16 here =
            (__mmask16)(q->slots - slot < 16 ? (1u << (q->slots - slot)) - 1 : 0xffffu);
        __m512i feature = _mm512_loadu_si512(q->feature + slot);
        __m512 x = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), here, feature, dense, 4);
        __m512i lane = _mm512_add_epi32(quick_lanes(), _mm512_set1_epi32((int)slot));
        __m512i bin = quick_bins(q, x, _mm512_slli_epi32(lane, 8));
        __mmask16 none = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
        missing |= none != 0;
        _mm_storeu_si128((__m128i *)(void *)(into->left + slot), _mm512_cvtepi32_epi8(bin));
        bin = _mm512_mask_mov_epi32(bin, none, _mm512_set1_epi32(255));
        _mm_storeu_si128((__m128i *)(void *)(into->right + slot), _mm512_cvtepi32_epi8(bin));
    }
    return missing;
}

/* Those of `sets` whose code is in their node's set. */
static __mmask16 in_sets(const Forest *f, const int32_t *code, __mmask16 sets, __m512i word,
                         __m512i at)
{
    const __m512i zero = _mm512_setzero_si512();
    __m512i place = _mm512_mask_i32gather_epi32(zero, sets, at, f->quick.value, 4);
    __m512i column = _mm512_and_si512(_mm512_srli_epi32(word, 8), _mm512_set1_epi32(127));
    __m512i c = _mm512_mask_i32gather_epi32(zero, sets, column, code, 4);
    __m512i words = _mm512_mask_i32gather_epi32(zero, sets, place, f->set.at, 4);
    __m512i which = _mm512_srli_epi32(c, 5);
    __mmask16 known = _mm512_mask_cmplt_epu32_mask(sets, which, words);
    __m512i bits = _mm512_mask_i32gather_epi32(
        zero, known, _mm512_add_epi32(_mm512_add_epi32(place, which), _mm512_set1_epi32(1)),
        f->set.at, 4);
    bits = _mm512_srlv_epi32(bits, _mm512_and_si512(c, _mm512_set1_epi32(31)));
    return _mm512_mask_test_epi32_mask(known, bits, _mm512_set1_epi32(1));
}

/* At nodes that ask for a number. */
__attribute__((always_inline)) static inline __mmask16 goes_right(__m512i word, __m512i right,
                                                                  __m512i left, const bool missing)
{
    const __mmask64 bytes = 0x1111111111111111u;
    __m512i slot = _mm512_srli_epi32(word, 8);
    __m512i bin = missing ? _mm512_maskz_permutex2var_epi8(bytes, right, slot, left)
                          : _mm512_maskz_permutexvar_epi8(bytes, slot, right);
    return _mm512_cmpgt_epu32_mask(bin, _mm512_and_si512(word, _mm512_set1_epi32(255)));
}

/* A row down TREES trees from the `first` on: their leaves' values. */
__attribute__((always_inline)) static inline void walk_row(const Forest *f, size_t first,
                                                           const RowBins *row, const int32_t *code,
                                                           float *value, const bool missing,
                                                           const bool sets)
{
    enum { GROUPS = TREES / 16 };
    const Quick *q = &f->quick;
    const __m512i right = _mm512_loadu_si512(row->right), left = _mm512_loadu_si512(row->left);
    const __m512i one = _mm512_set1_epi32(1);
    __m512i root[GROUPS], at[GROUPS];
#pragma GCC unroll 4
    for (size_t g = 0; g < GROUPS; g++) {
        at[g] = root[g] = _mm512_loadu_si512(q->root + first + 16 * g);
        if (sets)
            continue;
        const uint32_t *top = q->top + (first + 16 * g) * TOP;
        __m512i word = _mm512_loadu_si512(top);
        __mmask16 goes = goes_right(word, right, left, missing);
        word = _mm512_mask_loadu_epi32(_mm512_loadu_si512(top + 16), goes, top + 32);
        __mmask16 then = goes_right(word, right, left, missing);
        __m512i near = _mm512_mask_loadu_epi32(_mm512_loadu_si512(top + 48), then, top + 64);
        __m512i far = _mm512_mask_loadu_epi32(_mm512_loadu_si512(top + 80), then, top + 96);
        word = _mm512_mask_mov_epi32(near, goes, far);
        goes = goes_right(word, right, left, missing);
        at[g] = _mm512_add_epi32(root[g], _mm512_srli_epi32(word, 16));
        at[g] = _mm512_mask_add_epi32(at[g], goes, at[g], one);
    }
    for (unsigned moved = 1; moved;) {
        moved = 0;
#pragma GCC unroll 4
        for (size_t g = 0; g < GROUPS; g++) {
            __m512i word = _mm512_i32gather_epi32(at[g], q->node, 4);
            __mmask16 goes = goes_right(word, right, left, missing);
            if (sets) {
                __mmask16 asks = _mm512_test_epi32_mask(word, _mm512_set1_epi32(NODE_SET));
                if (asks)
                    goes =
                        (__mmask16)((goes & ~asks) | (asks & ~in_sets(f, code, asks, word, at[g])));
            }
            __m512i next = _mm512_add_epi32(root[g], _mm512_srli_epi32(word, 16));
            next = _mm512_mask_add_epi32(next, goes, next, one);
            moved |= _mm512_cmpneq_epi32_mask(next, at[g]);
            at[g] = next;
        }
    }
    for (size_t g = 0; g < GROUPS; g++)
        _mm512_storeu_ps(value + 16 * g, _mm512_i32gather_ps(at[g], q->value, 4));
}

static void walk(const Forest *f, size_t first, const RowBins *row, const int32_t *code,
                 float *value, bool missing)
{
    if (f->quick.has_sets)
        walk_row(f, first, row, code, value, true, true);
    else if (missing)
        walk_row(f, first, row, code, value, true, false);
    else
        walk_row(f, first, row, code, value, false, false);
}

/* value: [rows][TREES]; each row's added in order. */
static void add_values(const Forest *f, const float *value, size_t rows, size_t first, size_t trees,
                       float *out)
{
    size_t outputs = f->outputs;
    if (outputs > 1 || rows < 16) {
        for (size_t i = 0; i < rows; i++)
            for (size_t k = 0; k < trees; k++)
                out[i * outputs + (first + k) % outputs] += value[i * TREES + k];
        return;
    }
    const __m512i step = _mm512_mullo_epi32(quick_lanes(), _mm512_set1_epi32(TREES));
    for (size_t i = 0; i + 16 <= rows; i += 16) {
        __m512 sum = _mm512_loadu_ps(out + i);
        for (size_t k = 0; k < trees; k++)
            sum = _mm512_add_ps(sum, _mm512_i32gather_ps(step, value + i * TREES + k, 4));
        _mm512_storeu_ps(out + i, sum);
    }
    for (size_t i = rows / 16 * 16; i < rows; i++)
        for (size_t k = 0; k < trees; k++)
            out[i] += value[i * TREES + k];
}

typedef struct QuickJob {
    const Forest *f;
    const Batch *b;
    float *out;
} QuickJob;

static void quick_rows(void *job, size_t block, size_t worker)
{
    (void)worker;
    const QuickJob *j = job;
    const Forest *f = j->f;
    size_t from = block * ROWS, n = j->b->rows - from < ROWS ? j->b->rows - from : ROWS;
    size_t codes = f->features - f->numbers, trees = f->quick.trees;
    if (f->quick.masks.fits && n >= MASKS_WORTH) {
        masks_add(f, j->b->dense + from * f->numbers, n, j->out + from * f->outputs);
        return;
    }
    RowBins bins[ROWS];
    bool missing[ROWS];
    float value[ROWS * TREES];
    for (size_t i = 0; i < n; i++)
        missing[i] =
            f->quick.slots && bin_row(&f->quick, j->b->dense + (from + i) * f->numbers, &bins[i]);
    for (size_t first = 0; first < trees; first += TREES) {
        for (size_t i = 0; i < n; i++)
            walk(f, first, &bins[i], codes ? j->b->code + (from + i) * codes : NULL,
                 value + i * TREES, missing[i]);
        add_values(f, value, n, first, trees - first < TREES ? trees - first : TREES,
                   j->out + from * f->outputs);
    }
}

void quick_add(const Forest *f, const Batch *b, float *out, Pool *pool)
{
    QuickJob j = {.f = f, .b = b, .out = out};
    if (b->rows <= ROWS)
        quick_rows(&j, 0, 0);
    else
        pool_run(pool, (b->rows + ROWS - 1) / ROWS, quick_rows, &j);
}
#else
void quick_add(const Forest *f, const Batch *b, float *out, Pool *pool)
{
    forest_add(f, b, 0, f->nodes.count, out, pool);
}
#endif
