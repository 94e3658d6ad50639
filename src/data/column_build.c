/* column_build.c -- one column, row by row, in arena memory.
 *
 * Text is collected as words; when they turn out hardly to repeat, it goes on as plain text, and
 * what is smaller at the end is handed out. */
#include "data_int.h"

#include <assert.h>

#define PLAIN_AFTER 1024 /* rows with text before giving up on words is considered */

struct ColumnBuild {
    Arena *arena;
    const char *name;
    ColumnType type;
    size_t rows, room;
    uint8_t *valid; /* NULL until the first missing row */
    uint8_t *bit;
    int64_t *integer;
    double *real;
    int32_t *narrow;     /* day, code, or start when `plain` */
    WordTable table;     /* TEXT while not `plain` */
    size_t texts;        /* rows that have a text, for the choice */
    uint64_t text_bytes; /* of all rows */
    bool plain;
    char *bytes; /* plain */
    size_t bytes_room;
};

ColumnBuild *column_build(Arena *a, const char *name, ColumnType type, size_t rows_at_most)
{
    ColumnBuild *b = arena_raw(a, sizeof *b);
    *b = (ColumnBuild){.arena = a,
                       .name = arena_text(a, name),
                       .type = type,
                       .room = rows_at_most,
                       .table = {.arena = a}};
    switch (type) {
    case COLUMN_BOOL:
        b->bit = arena_alloc(a, bit_bytes(rows_at_most) + 1);
        break;
    case COLUMN_INT:
    case COLUMN_TIME:
        b->integer = ARENA_NEW(a, int64_t, rows_at_most + 1);
        break;
    case COLUMN_REAL:
        b->real = ARENA_NEW(a, double, rows_at_most + 1);
        break;
    default:
        b->narrow = ARENA_NEW(a, int32_t, rows_at_most + 1);
    }
    return b;
}

static size_t next_row(ColumnBuild *b)
{
    assert(b->rows < b->room);
    if (b->valid)
        bit_set(b->valid, b->rows);
    return b->rows++;
}

static void plain_end(ColumnBuild *b) /* row `rows` starts where the text so far ends */
{
    b->narrow[b->rows] = (int32_t)b->text_bytes;
}

void column_build_missing(ColumnBuild *b)
{
    assert(b->rows < b->room);
    if (!b->valid) {
        b->valid = arena_alloc(b->arena, bit_bytes(b->room));
        bits_fill(b->valid, 0, b->rows);
    }
    b->rows++; /* the value stays the arena's zero */
    if (b->plain)
        plain_end(b);
}

void column_build_real(ColumnBuild *b, double v)
{
    assert(b->type == COLUMN_REAL);
    size_t row = next_row(b);
    b->real[row] = v;
}

void column_build_int(ColumnBuild *b, int64_t v)
{
    size_t row = next_row(b);
    switch (b->type) {
    case COLUMN_BOOL:
        if (v)
            bit_set(b->bit, row);
        break;
    case COLUMN_DATE:
        b->narrow[row] = (int32_t)v;
        break;
    default:
        assert(b->type == COLUMN_INT || b->type == COLUMN_TIME);
        b->integer[row] = v;
    }
}

/* ---- text ------------------------------------------------------------------------------------- */

static void plain_room(ColumnBuild *b, uint64_t need)
{
    if (need <= b->bytes_room && b->bytes)
        return;
    size_t room = b->bytes_room ? b->bytes_room : 4096;
    while (room < need)
        room *= 2;
    char *to = arena_alloc(b->arena, room);
    if (b->bytes_room)
        memcpy(to, b->bytes, b->bytes_room);
    b->bytes = to;
    b->bytes_room = room;
}

/* From words to plain text; only while all of it fits. */
static void make_plain(ColumnBuild *b)
{
    Words words;
    wordtable_words(&b->table, &words);
    plain_room(b, b->text_bytes);
    size_t at = 0;
    for (size_t i = 0; i < b->rows; i++) {
        size_t n = 0;
        const char *s = "";
        if (!b->valid || bit_get(b->valid, i))
            s = words_get(&words, (size_t)b->narrow[i], &n);
        memcpy(b->bytes + at, s, n);
        b->narrow[i] = (int32_t)at;
        at += n;
    }
    b->plain = true;
    plain_end(b);
}

static bool words_are_smaller(const ColumnBuild *b)
{
    uint64_t kept = b->table.count ? (uint64_t)b->table.start[b->table.count] : 0;
    return b->text_bytes > INT32_MAX || kept + 4 * b->table.count <= b->text_bytes;
}

void column_build_text(ColumnBuild *b, const char *s, size_t n)
{
    assert(b->type == COLUMN_TEXT);
    size_t row = next_row(b);
    if (b->plain && b->text_bytes + n <= INT32_MAX) {
        plain_room(b, b->text_bytes + n);
        memcpy(b->bytes + b->text_bytes, n ? s : "", n);
        b->text_bytes += n;
        plain_end(b);
        return;
    }
    assert(!b->plain && "2 GB of text in one chunk that hardly repeats");
    b->narrow[row] = wordtable_code(&b->table, s, n);
    assert(b->narrow[row] != WORD_NONE && "2 GB of words in one chunk");
    b->text_bytes += n;
    if (++b->texts % PLAIN_AFTER == 0 && b->table.count > b->texts / 8 * 7 &&
        b->text_bytes <= INT32_MAX)
        make_plain(b);
}

static void finish_text(ColumnBuild *b, Column *out)
{
    if (!b->plain && !words_are_smaller(b))
        make_plain(b);
    if (b->plain) {
        out->start = b->narrow;
        out->bytes = b->bytes ? b->bytes : "";
        return;
    }
    Words *words = ARENA_NEW(b->arena, Words, 1);
    wordtable_words(&b->table, words);
    out->code = b->narrow;
    out->words = words;
}

void column_build_finish(ColumnBuild *b, Column *out)
{
    *out = (Column){.name = b->name, .type = b->type, .rows = b->rows, .valid = b->valid};
    switch (b->type) {
    case COLUMN_BOOL:
        out->bit = b->bit;
        break;
    case COLUMN_INT:
    case COLUMN_TIME:
        out->integer = b->integer;
        break;
    case COLUMN_REAL:
        out->real = b->real;
        break;
    case COLUMN_DATE:
        out->day = b->narrow;
        break;
    default:
        finish_text(b, out);
    }
}
