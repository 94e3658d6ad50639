/* writer_column.c -- one column of a dataset that is written: rows into its buffers, words into its
 * dictionary, and what is computed of a buffer that is full. */
#include "writer_int.h"

/* ---- taking rows ----------------------------------------------------------------------------------- */

/* Runs the statement for each missing row among `rows` rows from `filled` on. */
#define EACH_MISSING(col, filled, rows, i, ...)                                                    \
    for (size_t at_ = (filled), end_ = (filled) + (rows); at_ < end_; at_ += 64) {                 \
        size_t n_ = end_ - at_ < 64 ? end_ - at_ : 64;                                             \
        uint64_t gone_ = ~bits_word((col)->valid, at_, end_);                                      \
        if (n_ < 64)                                                                               \
            gone_ &= (UINT64_C(1) << n_) - 1;                                                      \
        for (; gone_; gone_ &= gone_ - 1) {                                                        \
            size_t i = at_ + (size_t)__builtin_ctzll(gone_);                                       \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
    }

static size_t add_valid(WriterColumn *to, const Column *c, size_t from, size_t rows, size_t filled)
{
    if (!c->valid) {
        bits_fill(to->valid, filled, rows);
        return 0;
    }
    bits_copy(to->valid, filled, c->valid, from, rows);
    return rows - bits_count(c->valid, from, rows);
}

static void add_fixed(WriterColumn *to, const Column *c, size_t from, size_t rows, size_t filled,
                      size_t missing)
{
    size_t width = column_width(c->type);
    const char *values = (const char *)c->integer; /* all members of the union begin there */
    memcpy((char *)to->values + filled * width, values + from * width, rows * width);
    if (!missing)
        return;
    if (width == 8) {
        int64_t *v = to->values;
        EACH_MISSING(to, filled, rows, i, v[i] = 0)
    } else {
        int32_t *v = to->values;
        EACH_MISSING(to, filled, rows, i, v[i] = 0)
    }
}

static void add_bits(WriterColumn *to, const Column *c, size_t from, size_t rows, size_t filled,
                     size_t missing)
{
    bits_copy(to->values, filled, c->bit, from, rows);
    if (missing)
        EACH_MISSING(to, filled, rows, i, bit_clear(to->values, i))
}

/* ---- text as words ---------------------------------------------------------------------------------- */

static int32_t word_code(WriterColumn *to, const char *s, size_t n)
{
    int32_t code = wordtable_code(&to->table, s, n);
    if (code == WORD_NONE) {
        to->overflow = true;
        return 0;
    }
    if ((size_t)code >= to->count_room) {
        size_t room = to->count_room ? 2 * to->count_room : 256;
        to->count = mem_resize(to->count, room * sizeof *to->count);
        memset(to->count + to->count_room, 0, (room - to->count_room) * sizeof *to->count);
        to->count_room = room;
    }
    return code;
}

/* The way from the codes of this chunk's words to ours; words get a number when a row has them. */
static void begin_remap(WriterColumn *to, const Words *words)
{
    if (words->count > to->remap_room) {
        mem_free(to->remap);
        to->remap = mem_alloc(words->count * sizeof *to->remap);
        to->remap_room = words->count;
    }
    if (words->count)
        memset(to->remap, 0xff, words->count * sizeof *to->remap);
}

static inline int32_t remapped(WriterColumn *to, const Words *words, int32_t code)
{
    if (to->remap[code] >= 0)
        return to->remap[code];
    size_t n;
    const char *s = words_get(words, (size_t)code, &n);
    return to->remap[code] = word_code(to, s, n);
}

static void add_words(WriterColumn *to, const Column *c, size_t from, size_t rows, size_t filled,
                      size_t missing)
{
    int32_t *out = (int32_t *)to->values + filled;
    const int32_t *code = c->code + from;
    if (!missing) {
        for (size_t i = 0; i < rows; i++) {
            int32_t k = remapped(to, c->words, code[i]);
            out[i] = k;
            to->count[k]++;
        }
        return;
    }
    for (size_t i = 0; i < rows; i++) {
        if (!bit_get(c->valid, from + i)) {
            out[i] = 0;
            continue;
        }
        int32_t k = remapped(to, c->words, code[i]);
        out[i] = k;
        to->count[k]++;
    }
}

static void add_each(WriterColumn *to, const Column *c, size_t from, size_t rows, size_t filled)
{
    int32_t *out = (int32_t *)to->values + filled;
    for (size_t i = 0; i < rows; i++) {
        size_t n;
        out[i] = 0;
        if (!column_has(c, from + i))
            continue;
        const char *s = column_text(c, from + i, &n);
        out[i] = word_code(to, s, n);
        if (!to->overflow)
            to->count[out[i]]++;
    }
}

/* ---- text as it is --------------------------------------------------------------------------------- */

static bool more_bytes(WriterColumn *to, size_t used, size_t more)
{
    if (more > INT32_MAX - used) {
        to->overflow = true;
        return false;
    }
    if (used + more > to->bytes_room) {
        size_t room = to->bytes_room ? to->bytes_room : 1 << 16;
        while (room < used + more)
            room *= 2;
        to->bytes = mem_resize(to->bytes, room);
        to->bytes_room = room;
    }
    return true;
}

static void add_plain(WriterColumn *to, const Column *c, size_t from, size_t rows, size_t filled)
{
    int32_t *start = to->values;
    size_t used = (size_t)start[filled];
    for (size_t i = 0; i < rows; i++) {
        size_t n;
        const char *s = column_text(c, from + i, &n);
        if (n && more_bytes(to, used, n)) {
            memcpy(to->bytes + used, s, n);
            used += n;
        }
        start[filled + i + 1] = (int32_t)used;
    }
}

static void add_text(WriterColumn *to, const Column *c, size_t from, size_t rows, size_t filled,
                     size_t missing)
{
    if (to->plain) {
        add_plain(to, c, from, rows, filled);
        return;
    }
    to->words_missing += missing;
    if (c->words && c->words->count <= 4 * rows) {
        begin_remap(to, c->words);
        add_words(to, c, from, rows, filled, missing);
    } else {
        add_each(to, c, from, rows, filled);
    }
}

static void add_piece(WriterColumn *to, const Column *c, const AddPiece *p)
{
    size_t missing = add_valid(to, c, p->from, p->rows, p->at);
    to->missing += missing;
    if (c->type == COLUMN_TEXT)
        add_text(to, c, p->from, p->rows, p->at, missing);
    else if (c->type == COLUMN_BOOL)
        add_bits(to, c, p->from, p->rows, p->at, missing);
    else
        add_fixed(to, c, p->from, p->rows, p->at, missing);
}

void writer_add_column(void *job, size_t i, size_t worker)
{
    const Adding *a = job;
    for (size_t k = 0; k < a->pieces.count; k++)
        add_piece(&a->w->column[i], &a->pieces.at[k].chunk->column[i], &a->pieces.at[k]);
    (void)worker;
}

/* ---- a full buffer ------------------------------------------------------------------------------ */

void writer_describe(WriterColumn *c, size_t rows)
{
    size_t size =
        c->type == COLUMN_BOOL ? bit_bytes(rows) : (rows + c->plain) * column_width(c->type);
    c->set = (BufferSet){.at = {c->valid, c->values, c->bytes},
                         .size = {c->missing ? bit_bytes(rows) : 0, size,
                                  c->plain ? (size_t)((int32_t *)c->values)[rows] : 0},
                         .count = c->plain ? 3 : 2,
                         .missing = c->missing};
}

static Column view(const WriterColumn *c, size_t rows)
{
    return (Column){.name = c->name,
                    .type = c->type,
                    .rows = rows,
                    .valid = c->set.missing ? c->set.at[0] : NULL,
                    .integer = c->set.at[1],
                    .bytes = c->set.at[2]};
}

void writer_finish_column(WriterColumn *c, size_t rows)
{
    Column column = view(c, rows);
    range_of(&column, &c->range);
    if ((c->type != COLUMN_TEXT || c->plain) && !c->counted)
        column_profiler_add(c->profiler, &column);
    c->counted = false;
}

void writer_expand(WriterColumn *c, const int32_t *code, const uint8_t *valid, size_t rows,
                   int32_t *start)
{
    Words words;
    wordtable_words(&c->table, &words);
    size_t used = 0;
    for (size_t i = 0; i < rows; i++) {
        size_t n;
        int32_t k = code[i]; /* start may be the same memory */
        start[i] = (int32_t)used;
        if (valid && !bit_get(valid, i))
            continue;
        const char *s = words_get(&words, (size_t)k, &n);
        if (n && more_bytes(c, used, n)) {
            memcpy(c->bytes + used, s, n);
            used += n;
        }
    }
    start[rows] = (int32_t)used;
}
