/* hybrid.c -- numbers in few bits: runs and packed bits, and packed differences.
 *
 *     hybrid:  varint h; h even: a run of h/2 of the value that follows in whole bytes
 *                        h odd:  h/2 groups of 8 values, packed, least bits first
 *     deltas:  varint values in a block, miniblocks in it, values in all; zigzag first value;
 *              then blocks: zigzag least difference, a byte of width a miniblock, the miniblocks */
#include "parquet_int.h"

/* The 64 bits from byte `at` on; what lies behind the end reads as 0. */
static inline uint64_t load(const uint8_t *at, const uint8_t *end)
{
    uint64_t v = 0;
    if (end - at >= 8)
        memcpy(&v, at, 8);
    else if (at < end)
        memcpy(&v, at, (size_t)(end - at));
    return v;
}

/* ---- runs and packed bits ------------------------------------------------------------------------- */

void hybrid_begin(Hybrid *h, const uint8_t *at, const uint8_t *end, unsigned width)
{
    *h = (Hybrid){.at = at, .end = end, .width = width};
}

/* The next run or stretch of packed bits; false: there is none, or it goes beyond the bytes. */
static bool next_stretch(Hybrid *h)
{
    Thrift t = {h->at, h->end, false};
    uint64_t head = thrift_varint(&t);
    size_t bytes = (h->width + 7) / 8;
    if (t.broken || head < 2)
        return false;
    h->at = t.at;
    if (!(head & 1)) {
        if ((size_t)(h->end - h->at) < bytes)
            return false;
        h->value = (uint32_t)(load(h->at, h->at + bytes));
        h->at += bytes;
        h->run = head >> 1;
        return true;
    }
    uint64_t groups = head >> 1, left = (uint64_t)(h->end - h->at);
    if (groups > UINT32_MAX)
        return false;
    uint64_t size = groups * h->width;
    h->packed = 8 * groups;
    if (size > left) { /* the last group may be cut short */
        size = left;
        h->packed = h->width ? 8 * left / h->width : 8 * groups;
        if (!h->packed)
            return false;
    }
    h->bits = h->at;
    h->bit = 0;
    h->at += size;
    return true;
}

static void take_packed(Hybrid *h, uint32_t *out, size_t n)
{
    unsigned width = h->width;
    uint64_t mask = width == 32 ? UINT32_MAX : (UINT64_C(1) << width) - 1, bit = h->bit;
    const uint8_t *bits = h->bits, *end = h->end;
    size_t i = 0;
    if (end - bits >= 8) {
        uint64_t safe = 8 * (uint64_t)(end - bits - 8); /* a whole word lies at and behind it */
        for (; i < n && bit <= safe; i++, bit += width) {
            uint64_t v;
            memcpy(&v, bits + (bit >> 3), 8);
            out[i] = (uint32_t)(v >> (bit & 7) & mask);
        }
    }
    for (; i < n; i++, bit += width)
        out[i] = (uint32_t)(load(bits + (bit >> 3), end) >> (bit & 7) & mask);
    h->bit = bit;
    h->packed -= n;
}

bool hybrid_take(Hybrid *h, uint32_t *out, size_t n)
{
    while (n) {
        if (!h->run && !h->packed && !next_stretch(h))
            return false;
        uint64_t have = h->run ? h->run : h->packed;
        size_t take = have < n ? (size_t)have : n;
        if (h->run) {
            for (size_t i = 0; i < take; i++)
                out[i] = h->value;
            h->run -= take;
        } else {
            take_packed(h, out, take);
        }
        out += take;
        n -= take;
    }
    return true;
}

bool hybrid_bits(Hybrid *h, uint8_t *bits, size_t at, size_t n)
{
    while (n) {
        if (!h->run && !h->packed && !next_stretch(h))
            return false;
        uint64_t have = h->run ? h->run : h->packed;
        size_t take = have < n ? (size_t)have : n;
        if (h->run) {
            if (h->value)
                bits_fill(bits, at, take);
            h->run -= take;
        } else {
            bits_copy(bits, at, h->bits, (size_t)h->bit, take);
            h->bit += take;
            h->packed -= take;
        }
        at += take;
        n -= take;
    }
    return true;
}

/* ---- differences ---------------------------------------------------------------------------------- */

static int64_t zigzag(Thrift *t)
{
    uint64_t v = thrift_varint(t);
    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

bool delta_begin(Delta *d, const uint8_t *at, const uint8_t *end)
{
    Thrift t = {at, end, false};
    uint64_t block = thrift_varint(&t), minis = thrift_varint(&t);
    *d = (Delta){.end = end, .first = true};
    d->left = thrift_varint(&t);
    d->value = (uint64_t)zigzag(&t);
    if (t.broken || block == 0 || block > 1 << 24 || minis == 0 || minis > block ||
        block % minis != 0 || (block / minis) % 8 != 0)
        return false;
    d->block = (size_t)block;
    d->minis = (size_t)minis;
    d->mini = (size_t)(block / minis);
    d->at = t.at;
    return true;
}

static bool next_block(Delta *d)
{
    Thrift t = {d->at, d->end, false};
    d->least = (uint64_t)zigzag(&t);
    if (t.broken || (size_t)(t.end - t.at) < d->minis)
        return false;
    d->widths = t.at;
    d->at = t.at + d->minis;
    d->in_block = d->block;
    d->in_mini = 0;
    return true;
}

/* Goes to the next miniblock: its width is known and its bytes are there. */
static bool next_mini(Delta *d)
{
    if (!d->in_block && !next_block(d))
        return false;
    d->width = d->widths[(d->block - d->in_block) / d->mini];
    d->in_mini = d->mini;
    d->in_block -= d->mini;
    d->bit = 0;
    if (d->width > 64)
        return false;
    /* the last may be cut short behind its last value */
    uint64_t needed = d->left < d->mini ? d->left : d->mini;
    return (needed * d->width + 7) / 8 <= (uint64_t)(d->end - d->at);
}

static uint64_t packed_at(const Delta *d)
{
    const uint8_t *at = d->at + (d->bit >> 3);
    unsigned shift = d->bit & 7;
    uint64_t v = load(at, d->end) >> shift;
    if (d->width + shift > 64)
        v |= load(at + 8, d->end) << (64 - shift);
    return d->width == 64 ? v : v & ((UINT64_C(1) << d->width) - 1);
}

static void leave_mini(Delta *d)
{
    uint64_t bytes = (uint64_t)d->mini * d->width / 8, left = (uint64_t)(d->end - d->at);
    d->at += bytes < left ? bytes : left;
}

bool delta_take(Delta *d, int64_t *out, size_t n)
{
    if (n > d->left)
        return false;
    for (size_t i = 0; i < n; i++) {
        d->left--;
        if (d->first) {
            d->first = false;
            out[i] = (int64_t)d->value;
            continue;
        }
        if (!d->in_mini) {
            d->left++; /* the one at hand counts among those needed */
            bool ok = next_mini(d);
            d->left--;
            if (!ok)
                return false;
        }
        d->value += d->least + packed_at(d);
        d->bit += d->width;
        if (!--d->in_mini)
            leave_mini(d);
        out[i] = (int64_t)d->value;
    }
    return true;
}

const uint8_t *delta_end(const Delta *begun)
{
    Delta d = *begun;
    uint64_t left = d.left ? d.left - 1 : 0; /* the first stands in the head */
    while (left) {
        d.left = left;
        d.in_block = 0;
        if (!next_block(&d))
            return NULL;
        for (size_t i = 0; i < d.minis && left; i++) {
            d.left = left;
            if (!next_mini(&d))
                return NULL;
            leave_mini(&d);
            left -= left < d.mini ? left : d.mini;
        }
    }
    return d.at;
}
