/* dedupe.c -- keeps the first of rows that are equal, in all columns or in some.
 *
 * Rows are told apart by 128 bits of hash, so that chunks can be seen one after the other and what is
 * remembered is 16 bytes a row (memory.c). Equal means: the same values, missing equal to missing. */
#include "recipe_int.h"

#include <string.h>

typedef struct Dedupe {
    NameList names; /* empty: all columns */
} Dedupe;

static bool parse(Parser *p, void *self)
{
    Dedupe *d = self;
    if (p->now.kind == TOKEN_END)
        return true;
    return parser_need(p, "on") && parser_names(p, &d->names);
}

static bool bind(void *self, Shape *s)
{
    Dedupe *d = self;
    for (size_t i = 0; d->names.count == 0 && i < s->count; i++)
        shape_read(s, i);
    return shape_need_all(s, &d->names);
}

static inline uint64_t mix(uint64_t h, uint64_t v)
{
    __uint128_t m =
        (__uint128_t)(h ^ v ^ UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xD6E8FEB86659FD93);
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline void mix_row(uint64_t h[2], uint64_t a, uint64_t b)
{
    h[0] = mix(h[0], a);
    h[1] = mix(h[1] + UINT64_C(0xA0761D6478BD642F), b);
}

static void hash_text(const Column *c, uint64_t (*h)[2], size_t rows, Arena *a)
{
    size_t words = c->words ? c->words->count : 0;
    bool by_word = c->words && words <= rows;
    uint64_t(*word)[2] = by_word ? arena_alloc(a, (words + 1) * sizeof *word) : NULL;
    for (size_t w = 0; by_word && w < words; w++) {
        const char *s = c->words->bytes + c->words->start[w];
        size_t n = (size_t)(c->words->start[w + 1] - c->words->start[w]);
        word[w][0] = hash_bytes(s, n, 1);
        word[w][1] = hash_bytes(s, n, 2);
    }
    for (size_t i = 0; i < rows; i++) {
        size_t n;
        if (!column_has(c, i)) {
            mix_row(h[i], 3, 5);
        } else if (by_word) {
            mix_row(h[i], word[c->code[i]][0], word[c->code[i]][1]);
        } else {
            const char *s = column_text(c, i, &n);
            mix_row(h[i], hash_bytes(s, n, 1), hash_bytes(s, n, 2));
        }
    }
}

/* The bits that tell two values of a column apart; -0 is 0, one NaN is as good as another. */
static uint64_t value_bits(const Column *c, size_t i)
{
    uint64_t bits;
    double real;
    switch (c->type) {
    case COLUMN_BOOL:
        return bit_get(c->bit, i);
    case COLUMN_DATE:
        return (uint64_t)c->day[i];
    case COLUMN_REAL:
        real = c->real[i] == 0.0 ? 0.0 : c->real[i];
        if (real != real)
            return UINT64_C(0x7FF8000000000000);
        memcpy(&bits, &real, sizeof bits);
        return bits;
    default:
        return (uint64_t)c->integer[i];
    }
}

static void hash_column(const Column *c, uint64_t (*h)[2], size_t rows, Arena *a)
{
    if (c->type == COLUMN_TEXT) {
        hash_text(c, h, rows, a);
        return;
    }
    for (size_t i = 0; i < rows; i++) {
        bool has = column_has(c, i);
        uint64_t v = has ? value_bits(c, i) : 0;
        mix_row(h[i], mix(v, has ? 11 : 3), mix(v, has ? 13 : 5));
    }
}

static bool apply(const void *self, Frame *f, Error *err)
{
    const Dedupe *d = self;
    size_t count = d->names.count > 0 ? d->names.count : f->columns;
    uint64_t(*h)[2] = arena_alloc(f->arena, (f->rows + 1) * sizeof *h);
    uint8_t *keep = arena_alloc(f->arena, f->rows + 8);
    Memory alone = {0}, *memory = f->memory ? f->memory : &alone;
    for (size_t k = 0; k < count; k++)
        hash_column(&f->column[d->names.count > 0 ? d->names.at[k].field : k], h, f->rows,
                    f->arena);
    memcpy(keep, f->alive, f->rows);
    bool ok = memory_add(memory, h, f->rows, keep, err);
    if (ok)
        frame_drop(f, keep);
    memory_release(&alone);
    return ok;
}

const Rule dedupe_rule = {
    .kind = {"dedupe", "dedupe [on COLUMN, ...]",
             "keeps the first of rows that are equal (no column named: in all)", "dedupe on ID"},
    .size = sizeof(Dedupe),
    .drops = true,
    .ordered = true,
    .parse = parse,
    .bind = bind,
    .apply = apply,
};
