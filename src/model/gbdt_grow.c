/* gbdt_grow.c -- one tree: the leaf with the best split is split, until there are enough.
 *
 * The rows of a leaf are a range of `order`, ascending; a split cuts the range in two. Only the
 * smaller child's histogram is summed from its rows, the larger one's is the parent's less it. */
#include "gbdt_int.h"

#include <math.h>
#include <string.h>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#define PART_ROWS 16384 /* of a parallel partition */

/* ---- life ------------------------------------------------------------------------------------------- */

bool grower_init(Grower *g, const GbdtParams *p, const Limits *limits, const Bins *bins,
                 const Stretch *stretch, Pool *pool, Scratch *in, Error *err)
{
    size_t whole = bins->columns * HIST_BINS, threads = pool_threads(pool);
    size_t most = stretch->all / (size_t)(p->min_rows > 0 ? p->min_rows : 1) + 1;
    *g = (Grower){.params = p, .limits = limits, .bins = bins, .stretch = stretch, .pool = pool, .in = in};
    g->leaves_most = p->leaves > 0 && (size_t)p->leaves < most ? (size_t)p->leaves : most;
    g->order = scratch_take(in, bins->rows * sizeof *g->order + 64, err);
    g->scratch = scratch_take(in, bins->rows * sizeof *g->scratch + 64, err);
    g->hist = mem_try((g->leaves_most + 1) * (whole + 1) * sizeof *g->hist, err);
    g->spare = mem_try((threads * whole + 1) * sizeof *g->spare, err);
    g->root = mem_try((whole + 1) * sizeof *g->root, err);
    g->use = mem_alloc(bins->features + 1);
    g->leaf = mem_alloc(sizeof *g->leaf * (g->leaves_most + 1));
    g->free_hist = mem_alloc(sizeof *g->free_hist * (g->leaves_most + 1));
    g->found = mem_alloc(sizeof *g->found * (2 * bins->features + 1));
    g->chunk_left = mem_alloc(sizeof *g->chunk_left * (bins->rows / PART_ROWS + 2));
    g->cut_of = mem_alloc(sizeof *g->cut_of * 2 * (g->leaves_most + 1));
    g->change = mem_alloc(sizeof *g->change * (g->leaves_most + 1));
    g->first = mem_alloc(sizeof *g->first * (g->leaves_most + 1));
    if (g->order && g->scratch && g->hist && g->spare && g->root)
        return true;
    grower_release(g);
    return error_in(err, "growing trees of %zu leaves on %zu columns", g->leaves_most,
                    bins->columns);
}

void grower_release(Grower *g)
{
    scratch_give(g->in, g->order);
    scratch_give(g->in, g->scratch);
    mem_free(g->hist);
    mem_free(g->spare);
    mem_free(g->root);
    mem_free(g->use);
    mem_free(g->leaf);
    mem_free(g->free_hist);
    mem_free(g->found);
    mem_free(g->chunk_left);
    mem_free(g->cut_of);
    mem_free(g->change);
    mem_free(g->first);
    *g = (Grower){0};
}

static Pair *take_hist(Grower *g)
{
    return g->free_hist[--g->free_hists];
}

static void give_hist(Grower *g, Leaf *l)
{
    if (l->hist)
        g->free_hist[g->free_hists++] = l->hist;
    l->hist = NULL;
}

/* ---- parting the rows of a leaf ----------------------------------------------------------------------- */

typedef struct Parting {
    Grower *g;
    size_t begin, count, left; /* left: rows that went there, once known */
    const uint8_t *column;
    uint8_t goes_left[BINS_MOST];
} Parting;

/* Sixteen rows at a time: their bytes gathered, the set's bits looked up in a register, the two sides
 * pressed together. Returns how many rows are done. A store may reach over what was just read, never
 * beyond it. */
#ifdef __AVX512F__
static size_t part_wide(const Parting *p, uint32_t *order, uint32_t *other, size_t n, size_t *left,
                        size_t *right)
{
    uint32_t bits[16] = {0};
    for (size_t byte = 0; byte < BINS_MOST; byte++)
        bits[byte / 32] |= (uint32_t)p->goes_left[byte] << (byte % 32);
    const __m512i table = _mm512_loadu_si512(bits), ones = _mm512_set1_epi32(1);
    size_t k = 0;
    for (; k + 16 <= n; k += 16) {
        __m512i row = _mm512_loadu_si512(order + k);
        __m512i byte = _mm512_and_si512(_mm512_i32gather_epi32(row, p->column, 1),
                                        _mm512_set1_epi32(255)); /* columns have room behind */
        __m512i word = _mm512_permutexvar_epi32(_mm512_srli_epi32(byte, 5), table);
        __m512i bit = _mm512_srlv_epi32(word, _mm512_and_si512(byte, _mm512_set1_epi32(31)));
        __mmask16 goes = _mm512_test_epi32_mask(bit, ones), stays = (__mmask16)~goes;
        _mm512_storeu_si512(order + *left, _mm512_maskz_compress_epi32(goes, row));
        _mm512_storeu_si512(other + *right, _mm512_maskz_compress_epi32(stays, row));
        size_t count = (size_t)__builtin_popcount(goes);
        *left += count;
        *right += 16 - count;
    }
    return k;
}
#else
static size_t part_wide(const Parting *p, uint32_t *order, uint32_t *other, size_t n, size_t *left,
                        size_t *right)
{
    (void)p, (void)order, (void)other, (void)n, (void)left, (void)right;
    return 0;
}
#endif

/* One chunk: the left rows to the front of its place in `order`, the right ones to `scratch`. */
static void part_chunk(void *job, size_t i, size_t worker)
{
    (void)worker;
    Parting *p = job;
    size_t from = p->begin + i * PART_ROWS, end = p->begin + p->count, left = 0, right = 0;
    size_t n = end - from < PART_ROWS ? end - from : PART_ROWS;
    uint32_t *order = p->g->order + from, *other = p->g->scratch + from;
    const uint8_t *restrict column = p->column;
    size_t k = part_wide(p, order, other, n, &left, &right);
    for (; k < n; k++) {
        uint32_t row = order[k];
        size_t goes = p->goes_left[column[row]];
        order[left] = row;
        other[right] = row;
        left += goes;
        right += 1 - goes;
    }
    p->g->chunk_left[i] = left;
}

static void join_chunks(Parting *p, size_t chunks)
{
    Grower *g = p->g;
    for (size_t i = 0; i < chunks; i++) { /* the left ones close up */
        size_t from = p->begin + i * PART_ROWS;
        if (p->begin + p->left != from)
            memmove(g->order + p->begin + p->left, g->order + from,
                    g->chunk_left[i] * sizeof *g->order);
        p->left += g->chunk_left[i];
    }
    size_t at = p->begin + p->left;
    for (size_t i = 0; i < chunks; i++) {
        size_t done = i * PART_ROWS, n = p->count - done < PART_ROWS ? p->count - done : PART_ROWS;
        size_t right = n - g->chunk_left[i];
        memcpy(g->order + at, g->scratch + p->begin + done, right * sizeof *g->order);
        at += right;
    }
}

static size_t part_rows(Grower *g, const Leaf *l)
{
    const BinFeature *f = &g->bins->feature[l->best.feature];
    Parting p = {.g = g, .begin = l->begin, .count = l->count};
    p.column = g->bins->by_column + f->column * g->bins->rows;
    for (size_t byte = 0; byte < BINS_MOST; byte++) {
        size_t bin = byte / f->stride % f->bins;
        p.goes_left[byte] = l->best.set[bin / 32] >> (bin % 32) & 1;
    }
    size_t chunks = (l->count + PART_ROWS - 1) / PART_ROWS;
    pool_run(g->pool, chunks, part_chunk, &p);
    join_chunks(&p, chunks);
    return p.left;
}

/* ---- the best split of one or two leaves ----------------------------------------------------------------- */

typedef struct Search {
    Grower *g;
    const HistJob *built; /* of `small`, not yet joined */
    Leaf *small, *large;  /* large NULL: the root alone; else its hist is still the parent's */
    bool useful;          /* a split is wanted, not the sums alone */
    size_t *feature;      /* by column: which there are, see find_columns */
} Search;

static CutJob cut_job(const Grower *g, const Leaf *l)
{
    return (CutJob){.params = g->params,
                    .shift = g->slopes->shift,
                    .g_unit = g->slopes->g_unit,
                    .h_unit = g->slopes->h_unit,
                    .bounded = g->limits->slope != NULL,
                    .lower = l->lower,
                    .upper = l->upper,
                    .sum = l->sum,
                    .rows = (double)l->rows};
}

static bool may_split(const Grower *g, const Leaf *l)
{
    const GbdtParams *p = g->params;
    return l->rows >= 2 * (size_t)(p->min_rows > 0 ? p->min_rows : 1) &&
           pair_h(l->sum, g->slopes->shift) > 0 && (p->depth <= 0 || l->depth < p->depth);
}

static bool may_meet(const Grower *g, const Leaf *l, size_t i)
{
    if (!g->limits->groups)
        return true;
    uint64_t own = g->limits->groups[i];
    return l->alone >= 0 ? l->alone == (int32_t)i
           : own         ? (own & l->groups) != 0
                         : l->groups == ~(uint64_t)0;
}

static void find_feature(const Grower *g, const Leaf *l, size_t i, Cut *out)
{
    Pair sums[BINS_MOST];
    const BinFeature *f = &g->bins->feature[i];
    *out = (Cut){0};
    if (!g->use[i] || !may_split(g, l) || !may_meet(g, l, i))
        return;
    CutJob job = cut_job(g, l);
    job.slope = g->limits->slope ? g->limits->slope[i] : 0;
    bool alone = f->bins > BINS_MOST / 2;
    if (!alone)
        hist_feature(l->hist, f, sums);
    cut_find(&job, f, alone ? l->hist + f->column * HIST_BINS : sums, out);
    out->feature = (uint32_t)i;
}

static void find_column(void *job, size_t column, size_t worker)
{
    (void)worker;
    Search *s = job;
    Grower *g = s->g;
    hist_join(s->built, column);
    if (s->large) {
        Pair *large = s->large->hist + column * HIST_BINS;
        const Pair *small = s->small->hist + column * HIST_BINS;
        for (size_t k = 0; k < HIST_BINS; k++)
            large[k] -= small[k];
    }
    for (size_t i = 0; s->useful && i < g->bins->features; i++) {
        const BinFeature *f = &g->bins->feature[i];
        if (f->bins < 2 || f->column != column)
            continue;
        find_feature(g, s->small, i, &g->found[2 * i]);
        if (s->large)
            find_feature(g, s->large, i, &g->found[2 * i + 1]);
    }
}

static void choose(Grower *g, Leaf *l, size_t which)
{
    l->best = (Cut){0};
    for (size_t i = 0; i < g->bins->features; i++) {
        const Cut *s = &g->found[2 * i + which];
        if (g->bins->feature[i].bins > 1 && s->gain > l->best.gain)
            l->best = *s;
    }
}

/* The root's sums come along from the tree before, if they do. */
static void build(Grower *g, HistJob *job, bool root)
{
    size_t bytes = g->bins->columns * HIST_BINS * sizeof *g->root;
    if (root && g->carry && g->root_ready)
        memcpy(job->hist, g->root, bytes);
    else
        hist_build(job, g->pool);
}

static void join_column(void *job, size_t column, size_t worker)
{
    (void)worker;
    hist_join(job, column);
}

/* The members' sums become those of all rows; the root's that came along are that already. */
static void gather_sums(Grower *g, HistJob *built, bool whole)
{
    if (whole)
        return;
    pool_run(g->pool, g->bins->columns, join_column, built);
    stretch_sum_pairs(g->stretch, built->hist, g->bins->columns * HIST_BINS);
    built->pieces = 1;
}

static void search(Grower *g, Leaf *small, Leaf *large)
{
    bool useful = may_split(g, small) || (large && may_split(g, large));
    small->best = (Cut){0};
    if (large)
        large->best = (Cut){0};
    if (g->leaves == g->leaves_most || !useful) {
        if (!g->carry) {
            give_hist(g, small);
            if (large)
                give_hist(g, large);
            return;
        }
        useful = false;
    }
    small->hist = take_hist(g);
    HistJob built = {.bins = g->bins,
                     .pair = g->slopes->pair,
                     .rows =
                         g->all && small->count == g->bins->rows ? NULL : g->order + small->begin,
                     .count = small->count,
                     .hist = small->hist,
                     .spare = g->spare};
    build(g, &built, !large);
    if (g->stretch->team)
        gather_sums(g, &built, !large && g->carry && g->root_ready);
    Search s = {.g = g, .built = &built, .small = small, .large = large, .useful = useful};
    pool_run(g->pool, g->bins->columns, find_column, &s);
    if (!large && g->carry)
        memcpy(g->root, small->hist, g->bins->columns * HIST_BINS * sizeof *g->root);
    if (useful) {
        choose(g, small, 0);
        if (large)
            choose(g, large, 1);
    }
    if (g->carry)
        return;
    if (small->best.gain <= 0.0)
        give_hist(g, small);
    if (large && large->best.gain <= 0.0)
        give_hist(g, large);
}

/* ---- nodes ----------------------------------------------------------------------------------------------- */

static void describe_node(const Grower *g, Forest *f, size_t node, const Leaf *l)
{
    CutJob job = cut_job(g, l);
    double sum_g = (double)pair_g(l->sum, g->slopes->shift) * g->slopes->g_unit;
    double sum_h = (double)pair_h(l->sum, g->slopes->shift) * g->slopes->h_unit;
    *forest_node(f, NODE_VALUE, node) = (float)leaf_within(&job, l->l2, sum_g, sum_h);
    *forest_node(f, NODE_COVER, node) = (float)sum_h;
    *forest_node(f, NODE_ROWS, node) = (float)l->rows;
}

static size_t add_node(Forest *f)
{
    for (int k = 0; k < NODE_FIELD_COUNT; k++)
        vec_add(&f->field[k], 0.0f);
    size_t node = f->field[0].count - 1;
    *forest_node(f, NODE_FEATURE, node) = -1.0f;
    return node;
}

static void describe_split(const Grower *g, Forest *f, size_t node, const Cut *s)
{
    const BinFeature *b = &g->bins->feature[s->feature];
    *forest_node(f, NODE_FEATURE, node) = (float)s->feature;
    *forest_node(f, NODE_GAIN, node) = (float)s->gain;
    *forest_node(f, NODE_MISSING_LEFT, node) = s->missing_left ? 1.0f : 0.0f;
    if (!b->category)
        *forest_node(f, NODE_THRESHOLD, node) = b->upper[s->bin];
}

/* A tree's codes stand in the order of its nodes, so they are listed when it is whole. */
static void list_codes(const Grower *g, Forest *f, size_t root)
{
    for (size_t node = root; node < f->field[0].count; node++) {
        if (*forest_node(f, NODE_FEATURE, node) < 0.0f)
            continue;
        const Cut *s = &g->cut_of[node - root];
        const BinFeature *b = &g->bins->feature[s->feature];
        for (size_t bin = 1; b->category && bin < b->bins; bin++)
            if (s->set[bin / 32] >> (bin % 32) & 1) {
                vec_add(&f->code, (float)b->code[bin]);
                ++*forest_node(f, NODE_CODES, node);
            }
    }
}

/* ---- the tree ---------------------------------------------------------------------------------------------- */

static Leaf *next_leaf(Grower *g)
{
    Leaf *best = NULL;
    bool by_depth = g->params->growth == GROW_DEPTH;
    for (size_t i = 0; i < g->leaves; i++) {
        Leaf *l = &g->leaf[i];
        if (l->best.gain <= 0.0)
            continue;
        bool sooner =
            !best || (by_depth && l->depth != best->depth ? l->depth < best->depth
                                                          : l->best.gain > best->best.gain);
        if (sooner)
            best = l;
    }
    return best;
}

/* What the split that made them says of what may grow below: `l` and `right` have their sums. */
static void limit_leaves(const Grower *g, const Cut *s, Leaf *l, Leaf *right)
{
    const Limits *limits = g->limits;
    int slope = limits->slope ? limits->slope[s->feature] : 0;
    if (limits->groups && limits->groups[s->feature])
        l->groups &= limits->groups[s->feature];
    else if (limits->groups)
        l->alone = (int32_t)s->feature;
    right->groups = l->groups;
    right->alone = l->alone;
    right->lower = l->lower;
    right->upper = l->upper;
    if (!slope)
        return;
    Leaf *side[2] = {l, right};
    double weight[2];
    for (size_t i = 0; i < 2; i++) {
        CutJob job = cut_job(g, side[i]);
        weight[i] =
            leaf_within(&job, side[i]->l2, (double)pair_g(side[i]->sum, job.shift) * job.g_unit,
                        (double)pair_h(side[i]->sum, job.shift) * job.h_unit);
    }
    double middle = (weight[0] + weight[1]) / 2.0;
    side[slope > 0 ? 0 : 1]->upper = middle;
    side[slope > 0 ? 1 : 0]->lower = middle;
}

/* The parent's place is the left child's from now on. */
static void split_leaf(Grower *g, Forest *f, size_t root, Leaf *l)
{
    Cut s = l->best;
    size_t left = part_rows(g, l), rows = stretch_sum_count(g->stretch, left);
    Leaf *right = &g->leaf[g->leaves++];
    g->cut_of[l->node - root] = s;
    describe_split(g, f, l->node, &s);
    *right = (Leaf){.begin = l->begin + left,
                    .count = l->count - left,
                    .from = l->from + rows,
                    .rows = l->rows - rows,
                    .depth = ++l->depth,
                    .l2 = s.l2,
                    .sum = l->sum - s.left};
    l->count = left;
    l->rows = rows;
    l->sum = s.left;
    l->l2 = s.l2;
    limit_leaves(g, &s, l, right);
    size_t node = l->node;
    l->node = add_node(f);
    right->node = add_node(f);
    *forest_node(f, NODE_LEFT, node) = (float)(l->node - root);
    *forest_node(f, NODE_RIGHT, node) = (float)(right->node - root);
    describe_node(g, f, l->node, l);
    describe_node(g, f, right->node, right);
    Pair *parent = l->hist;
    Leaf *small = l->rows <= right->rows ? l : right, *large = small == l ? right : l;
    small->hist = NULL;
    large->hist = parent;
    search(g, small, large);
}

void grower_tree(Grower *g, Forest *f, const Slopes *slopes)
{
    size_t root = f->field[0].count;
    g->slopes = slopes;
    g->leaves = 1;
    g->free_hists = 0;
    for (size_t i = 0; i <= g->leaves_most; i++)
        g->free_hist[g->free_hists++] = g->hist + i * g->bins->columns * HIST_BINS;
    Leaf *first = &g->leaf[0];
    *first = (Leaf){.count = g->rows,
                    .rows = stretch_sum_count(g->stretch, g->rows),
                    .node = add_node(f),
                    .lower = -INFINITY,
                    .upper = INFINITY,
                    .groups = ~(uint64_t)0,
                    .alone = -1};
    if (g->all)
        first->sum = slopes->sum;
    for (size_t i = 0; i < g->rows && !g->all; i++)
        first->sum += slopes->pair[g->order[i]];
    if (!g->all)
        stretch_sum_pairs(g->stretch, &first->sum, 1);
    describe_node(g, f, root, first);
    progress_begin(g->progress, "growing a tree", "leaves", g->leaves_most);
    search(g, first, NULL);
    for (Leaf *l; g->leaves < g->leaves_most && !team_lost(g->stretch->team) && (l = next_leaf(g));) {
        progress_look(g->progress);
        if (progress_stopped(g->progress))
            break;
        split_leaf(g, f, root, l);
        progress_add(g->progress, 1);
    }
    list_codes(g, f, root);
    vec_add(&f->nodes, (float)(f->field[0].count - root));
}

/* ---- on to the next tree --------------------------------------------------------------------------------- */

#define CARRY_ROWS 32768

typedef struct CarryJob {
    const Grower *g; /* first: a leaf's first piece of CARRY_ROWS rows */
    Slopes *s;
} CarryJob;

static void carry_rows(void *job, size_t piece, size_t worker)
{
    (void)worker;
    const CarryJob *c = job;
    size_t i = c->g->leaves - 1;
    while (c->g->first[i] > piece)
        i--;
    const Leaf *l = &c->g->leaf[i];
    size_t from = (piece - c->g->first[i]) * CARRY_ROWS, left = l->count - from;
    const uint32_t *restrict rows = c->g->order + l->begin + from;
    Pair *restrict pair = c->s->pair;
    const Pair change = c->g->change[i];
    for (size_t k = 0; k < (left < CARRY_ROWS ? left : CARRY_ROWS); k++)
        pair[rows[k]] += change;
}

/* A leaf's change times how many of its rows are in each bin: h is 1, so the pairs count them. */
static void carry_column(void *job, size_t column, size_t worker)
{
    (void)worker;
    const CarryJob *c = job;
    Pair *restrict root = c->g->root + column * HIST_BINS;
    const Pair counts = ((Pair)1 << c->s->shift) - 1;
    for (size_t i = 0; i < c->g->leaves; i++) {
        const Pair *restrict hist = c->g->leaf[i].hist + column * HIST_BINS;
        const Pair change = c->g->change[i];
        for (size_t k = 0; k < HIST_BINS; k++)
            root[k] += (hist[k] & counts) * change;
    }
}

void grower_carry(Grower *g, Forest *f, Slopes *s)
{
    size_t pieces = 0;
    for (size_t i = 0; i < g->leaves; i++) {
        const Leaf *l = &g->leaf[i];
        g->change[i] = (Pair)carry_change(s, *forest_node(f, NODE_VALUE, l->node), l->sum) << s->shift;
        g->first[i] = pieces;
        pieces += (l->count + CARRY_ROWS - 1) / CARRY_ROWS;
    }
    CarryJob job = {.g = g, .s = s};
    pool_run(g->pool, pieces, carry_rows, &job);
    pool_run(g->pool, g->bins->columns, carry_column, &job);
    g->root_ready = true;
}
