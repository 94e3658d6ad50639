/* column_read_text.c -- a column of text: words with codes where they repeat, else plain.
 *
 * The table of words is open addressing. A word of up to 16 bytes is its own key (16 bytes with zeros
 * behind it, and the length), so that finding it again never touches its text. When the words turn
 * out hardly to repeat, the column is written plain. */
#include "reader_int.h"

#include "digits.h"

#include <string.h>

typedef struct Entry {
    uint64_t a, b; /* the bytes of a short word; hash and 0 of a long one */
    uint32_t size;
    int32_t code; /* from 1; 0: free; -1: a null word */
} Entry;

typedef struct Table {
    Entry *entry;
    size_t mask, count;
    VEC(Span) word;
    size_t bytes; /* of all words */
} Table;

/* Without a branch for short words: how long they are is hard to foresee. */
static inline Entry key_of(const char *s, uint32_t n)
{
#define UPTO(n) ((n) >= 8 ? ~UINT64_C(0) : (UINT64_C(1) << 8 * ((n)&7)) - 1)
#define KEEP(n)                                                                                    \
    {                                                                                              \
        UPTO(n), (n) > 8 ? UPTO((n)-8) : 0                                                         \
    }
    static const uint64_t keep[17][2] = {KEEP(0),  KEEP(1),  KEEP(2),  KEEP(3),  KEEP(4),  KEEP(5),
                                         KEEP(6),  KEEP(7),  KEEP(8),  KEEP(9),  KEEP(10), KEEP(11),
                                         KEEP(12), KEEP(13), KEEP(14), KEEP(15), KEEP(16)};
    if (__builtin_expect(n > 16, 0))
        return (Entry){.a = hash_bytes(s, n, 0), .size = n};
    return (Entry){digits_load(s) & keep[n][0], digits_load(s + 8) & keep[n][1], n, 0};
}

static inline size_t slot_of(const Entry *e)
{
    uint64_t h = (e->a ^ (e->b << 23 | e->b >> 41) ^ e->size) * 0x9e3779b97f4a7c15u;
    return (size_t)(h >> 32 ^ h >> 52);
}

static void table_init(Table *t, size_t slots)
{
    t->entry = mem_alloc(slots * sizeof *t->entry);
    t->mask = slots - 1;
}

static void table_release(Table *t)
{
    mem_free(t->entry);
    vec_release(&t->word);
}

static void table_double(Table *t)
{
    Entry *old = t->entry;
    size_t slots = t->mask + 1;
    table_init(t, slots * 2);
    for (size_t i = 0; i < slots; i++)
        if (old[i].code) {
            size_t at = slot_of(&old[i]) & t->mask;
            while (t->entry[at].code)
                at = (at + 1) & t->mask;
            t->entry[at] = old[i];
        }
    mem_free(old);
}

/* The entry of the word, new ones with their code. */
static inline int32_t table_code(Table *t, const Plan *p, const Grid *g, Span s)
{
    const char *text = grid_text(g, s);
    if (s.size > 16 && nullwords_has(p->text_null, text, s.size))
        return -1; /* not in the table, whose long words are compared with its own */
    Entry key = key_of(text, s.size);
    size_t at = slot_of(&key) & t->mask;
    for (Entry *e; (e = &t->entry[at])->code; at = (at + 1) & t->mask)
        if (e->a == key.a && e->b == key.b && e->size == key.size &&
            (key.size <= 16 || !memcmp(text, grid_text(g, t->word.at[e->code - 1]), key.size)))
            return e->code;
    if (nullwords_has(p->text_null, text, s.size)) {
        key.code = -1;
    } else {
        vec_add(&t->word, s);
        key.code = (int32_t)t->word.count;
        t->bytes += s.size;
    }
    t->entry[at] = key;
    int32_t code = key.code;
    if (++t->count * 2 > t->mask)
        table_double(t);
    return code;
}

static void write_words(const Table *t, const Grid *g, Arena *a, Column *out)
{
    Words *w = ARENA_NEW(a, Words, 1);
    int32_t *start = ARENA_NEW(a, int32_t, t->word.count + 1);
    char *bytes = arena_alloc(a, t->bytes + 1);
    int32_t at = 0;
    for (size_t i = 0; i < t->word.count; i++) {
        memcpy(bytes + at, grid_text(g, t->word.at[i]), t->word.at[i].size);
        at += (int32_t)t->word.at[i].size;
        start[i + 1] = at;
    }
    *w = (Words){.count = t->word.count, .start = start, .bytes = bytes};
    out->words = w;
}

static void write_plain(const Plan *p, const Cells *cells, Arena *a, Column *out)
{
    const Grid *g = cells->grid;
    size_t total = 0;
    for (size_t row = 0; row < g->rows; row++)
        total += cells_span(cells, row).size;
    int32_t *start = ARENA_NEW(a, int32_t, g->rows + 1);
    char *bytes = arena_alloc(a, total + 16);
    uint8_t *valid = NULL;
    int32_t at = 0;
    for (size_t row = 0; row < g->rows; row++) {
        Span span = cells_span(cells, row);
        const char *s = grid_text(g, span);
        uint32_t n = span.size;
        if (nullwords_has(p->text_null, s, n)) {
            column_miss(&valid, a, g->rows, row);
        } else {
            memcpy(bytes + at, s, n);
            at += (int32_t)n;
        }
        start[row + 1] = at;
    }
    out->start = start;
    out->bytes = bytes;
    out->valid = valid;
}

void column_read_text(const Plan *p, size_t column, const Grid *g, Arena *a, Column *out)
{
    Cells cells = grid_cells(g, p->column[column].from);
    Table t = {0};
    table_init(&t, 256);
    int32_t *code = arena_raw(a, g->rows * sizeof *code);
    uint8_t *valid = NULL;
    size_t row = 0, bytes = 0;
    for (; row < g->rows; row++) {
        Span span = cells_span(&cells, row);
        int32_t c = table_code(&t, p, g, span);
        code[row] = c < 0 ? 0 : c - 1;
        if (c < 0)
            column_miss(&valid, a, g->rows, row);
        else
            bytes += span.size;
        if ((row & 1023) == 1023 && t.word.count > row / 2)
            break;
    }
    bool repeats = row == g->rows && 4 * (t.word.count + 1) + t.bytes < bytes;
    if (repeats) {
        write_words(&t, g, a, out);
        out->code = code;
        out->valid = valid;
    } else {
        write_plain(p, &cells, a, out);
    }
    table_release(&t);
}
