/* dataset_hash.c -- the tree of hashes that names a dataset; and the ranges of its chunks. */
#include "dataset_int.h"

#include <math.h>

void dataset_leaf(const BufferSet *b, Digest *out)
{
    Sha256 *h = sha256_create();
    for (size_t i = 0; i < b->count; i++) {
        uint64_t size = b->size[i];
        sha256_add(h, &size, sizeof size);
        sha256_add(h, b->at[i], b->size[i]);
    }
    sha256_finish(h, out->at);
}

void dataset_chunk_hash(const void *head, size_t head_size, const Digest *leaf, size_t leaves,
                        Digest *out)
{
    Sha256 *h = sha256_create();
    sha256_add(h, head, head_size);
    sha256_add(h, leaf, leaves * sizeof *leaf);
    sha256_finish(h, out->at);
}

void dataset_name(const char *schema_json, size_t json_size, uint64_t rows,
                  const Digest *dictionary, size_t dictionaries, const Digest *chunk, size_t chunks,
                  char hash[65])
{
    static const char first[] = "lathe dataset " DATASET_VERSION "\n";
    Digest name;
    Sha256 *h = sha256_create();
    sha256_add(h, first, sizeof first - 1);
    sha256_add(h, schema_json, json_size);
    sha256_add(h, "\n", 1);
    sha256_add(h, &rows, sizeof rows);
    sha256_add(h, dictionary, dictionaries * sizeof *dictionary);
    sha256_add(h, chunk, chunks * sizeof *chunk);
    sha256_finish(h, name.at);
    sha256_hex(name.at, hash);
}

/* ---- ranges ------------------------------------------------------------------------------------ */

/* name(v, n, missing, &least, &most): of n values, missing of which are zeros that do not count;
 * false: there is none. Zeros are left out of the lanes and counted instead; a NaN passes all
 * comparisons by. */
#define RANGE_FUNCTION(name, T, MASK, LOW, HIGH)                                                   \
    static bool name(const T *v, size_t n, size_t missing, T *least, T *most)                      \
    {                                                                                              \
        typedef T Lanes __attribute__((vector_size(64), aligned(8), may_alias));                   \
        typedef MASK Masks __attribute__((vector_size(64)));                                       \
        const size_t lanes = sizeof(Lanes) / sizeof(T);                                            \
        Lanes none = {0}, lowest = none + LOW, highest = none + HIGH, low = highest,               \
              high = lowest;                                                                       \
        Masks zero = {0};                                                                          \
        size_t i = 0, zeros = 0;                                                                   \
        for (; i + lanes <= n; i += lanes) {                                                       \
            Lanes x = *(const Lanes *)(v + i);                                                     \
            Masks is = (Masks)(x == none);                                                         \
            Lanes a = (Lanes)(((Masks)x & ~is) | ((Masks)highest & is));                           \
            Lanes b = (Lanes)(((Masks)x & ~is) | ((Masks)lowest & is));                            \
            Masks less = (Masks)(a < low), more = (Masks)(b > high);                               \
            low = (Lanes)(((Masks)a & less) | ((Masks)low & ~less));                               \
            high = (Lanes)(((Masks)b & more) | ((Masks)high & ~more));                             \
            zero -= is;                                                                            \
        }                                                                                          \
        *least = low[0], *most = high[0];                                                          \
        for (size_t k = 0; k < lanes; k++) {                                                       \
            *least = low[k] < *least ? low[k] : *least;                                            \
            *most = high[k] > *most ? high[k] : *most;                                             \
            zeros += (size_t)zero[k];                                                              \
        }                                                                                          \
        for (; i < n; i++) {                                                                       \
            zeros += v[i] == 0;                                                                    \
            *least = v[i] != 0 && v[i] < *least ? v[i] : *least;                                   \
            *most = v[i] != 0 && v[i] > *most ? v[i] : *most;                                      \
        }                                                                                          \
        if (zeros > missing) {                                                                     \
            *least = *least > 0 ? 0 : *least;                                                      \
            *most = *most < 0 ? 0 : *most;                                                         \
        }                                                                                          \
        return *least <= *most;                                                                    \
    }

RANGE_FUNCTION(range_ints, int64_t, int64_t, INT64_MIN, INT64_MAX)
RANGE_FUNCTION(range_days, int32_t, int32_t, INT32_MIN, INT32_MAX)
RANGE_FUNCTION(range_reals, double, int64_t, -(double)INFINITY, (double)INFINITY)

static bool range_bits(const Column *c, size_t missing, Range *out)
{
    size_t trues = bits_count(c->bit, 0, c->rows), falses = c->rows - missing - trues;
    out->least_int = falses == 0;
    out->most_int = trues > 0;
    return trues + falses > 0;
}

void range_of(const Column *c, Range *out)
{
    size_t missing = c->valid ? c->rows - bits_count(c->valid, 0, c->rows) : 0;
    int32_t first, last;
    *out = (Range){0};
    switch (c->type) {
    case COLUMN_BOOL:
        out->some = range_bits(c, missing, out);
        break;
    case COLUMN_DATE:
        out->some = range_days(c->day, c->rows, missing, &first, &last);
        out->least_int = first;
        out->most_int = last;
        break;
    case COLUMN_REAL:
        out->some = range_reals(c->real, c->rows, missing, &out->least, &out->most);
        break;
    case COLUMN_INT:
    case COLUMN_TIME:
        out->some = range_ints(c->integer, c->rows, missing, &out->least_int, &out->most_int);
        break;
    default:
        break;
    }
}

/* No value at all is written as least above most. */
void range_print(const Range *r, Text *into)
{
    uint64_t least = (uint64_t)r->least_int, most = (uint64_t)r->most_int;
    if (!r->some)
        text_puts(into, "0000000000000001"
                        "0000000000000000");
    else
        text_printf(into, "%016llx%016llx", (unsigned long long)least, (unsigned long long)most);
}

static bool parse_hex(const char *hex, int64_t *out)
{
    uint64_t v = 0;
    for (int i = 0; i < 16; i++) {
        int c = hex[i], digit = c >= '0' && c <= '9'   ? c - '0'
                                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                                       : -1;
        if (digit < 0)
            return false;
        v = v << 4 | (unsigned)digit;
    }
    *out = (int64_t)v;
    return true;
}

bool range_parse(const char *hex, Range *out)
{
    *out = (Range){0};
    if (!parse_hex(hex, &out->least_int) || !parse_hex(hex + 16, &out->most_int))
        return false;
    out->some = !(out->least_int == 1 && out->most_int == 0);
    return true;
}
