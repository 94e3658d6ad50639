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

static void range_add(Range *r, bool is_real, int64_t i, double v)
{
    if (is_real) {
        r->least = !r->some || v < r->least ? v : r->least;
        r->most = !r->some || v > r->most ? v : r->most;
    } else {
        r->least_int = !r->some || i < r->least_int ? i : r->least_int;
        r->most_int = !r->some || i > r->most_int ? i : r->most_int;
    }
    r->some = true;
}

/* Missing values are zeros in memory too, but are told apart here by their bits. */
static void range_slow(const Column *c, Range *r)
{
    for (size_t i = 0; i < c->rows; i++) {
        if (!column_has(c, i) || (c->type == COLUMN_REAL && isnan(c->real[i])))
            continue;
        if (c->type == COLUMN_REAL)
            range_add(r, true, 0, c->real[i]);
        else
            range_add(r, false,
                      c->type == COLUMN_BOOL   ? bit_get(c->bit, i)
                      : c->type == COLUMN_DATE ? c->day[i]
                                               : c->integer[i],
                      0);
    }
}

/* Least and most of n values in eight lanes. */
#define LANES 8
#define RANGE_LANES(T, v, n, least, most)                                                          \
    do {                                                                                           \
        T low_[LANES], high_[LANES];                                                               \
        size_t i_ = 0;                                                                             \
        for (size_t k = 0; k < LANES; k++)                                                         \
            low_[k] = least, high_[k] = most;                                                      \
        for (; i_ + LANES <= (n); i_ += LANES)                                                     \
            for (size_t k = 0; k < LANES; k++) {                                                   \
                low_[k] = (v)[i_ + k] < low_[k] ? (v)[i_ + k] : low_[k];                           \
                high_[k] = (v)[i_ + k] > high_[k] ? (v)[i_ + k] : high_[k];                        \
            }                                                                                      \
        for (; i_ < (n); i_++) {                                                                   \
            low_[0] = (v)[i_] < low_[0] ? (v)[i_] : low_[0];                                       \
            high_[0] = (v)[i_] > high_[0] ? (v)[i_] : high_[0];                                    \
        }                                                                                          \
        for (size_t k = 0; k < LANES; k++) {                                                       \
            least = low_[k] < least ? low_[k] : least;                                             \
            most = high_[k] > most ? high_[k] : most;                                              \
        }                                                                                          \
    } while (0)

static void range_ints(const int64_t *v, size_t n, Range *r)
{
    int64_t least = INT64_MAX, most = INT64_MIN;
    RANGE_LANES(int64_t, v, n, least, most);
    *r = (Range){.some = true, .least_int = least, .most_int = most};
}

static void range_reals(const double *v, size_t n, Range *r)
{
    double least = (double)INFINITY, most = -(double)INFINITY; /* a NaN passes both by */
    RANGE_LANES(double, v, n, least, most);
    *r = (Range){.some = least <= most, .least = least, .most = most};
}

void range_of(const Column *c, Range *out)
{
    *out = (Range){0};
    if (c->type == COLUMN_TEXT || c->rows == 0)
        return;
    if (!c->valid && c->type == COLUMN_REAL)
        range_reals(c->real, c->rows, out);
    else if (!c->valid && (c->type == COLUMN_INT || c->type == COLUMN_TIME))
        range_ints(c->integer, c->rows, out);
    else
        range_slow(c, out);
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
