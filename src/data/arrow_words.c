/* arrow_words.c -- the dictionaries of an Arrow file: ours as they lie, those of others word by word. */
#include "arrow_parse.h"

static bool offsets_fit(const int32_t *start, size_t count, size_t bytes)
{
    bool fits = start[0] >= 0;
    for (size_t i = 0; i < count; i++)
        fits &= start[i] <= start[i + 1];
    return fits && (size_t)start[count] <= bytes;
}

/* Words of other tools may repeat, be missing, come in parts: they are told apart and numbered anew. */
typedef struct Foreign {
    WordTable table;
    int32_t *map;
    size_t count;
} Foreign;

static bool add_foreign(ArrowParse *p, Foreign *to, const ArrowField *f, const ArrowPart *part,
                        size_t rows)
{
    ArrowField plain = {.name = f->name, .type = COLUMN_TEXT, .layout = f->layout};
    Column words;
    bool bad = false;
    arrow_column(&plain, part, 0, rows, &p->file->arena, &words, &bad);
    int32_t *map = ARENA_NEW(&p->file->arena, int32_t, to->count + rows + 1);
    if (to->count)
        memcpy(map, to->map, to->count * sizeof *map);
    for (size_t i = 0; i < rows && !bad; i++) {
        size_t n;
        const char *s = column_text(&words, i, &n);
        map[to->count + i] = column_has(&words, i) ? wordtable_code(&to->table, s, n) : -1;
    }
    to->map = map;
    to->count += rows;
    return !bad;
}

/* One dictionary block for one column. */
static bool add_dictionary(ArrowParse *p, ArrowField *f, const ArrowHead *b, Foreign *foreign,
                           size_t i)
{
    Arena *a = &p->file->arena;
    int64_t rows = flat_get(&b->record, 0, 8, 0);
    ArrowField plain = {.type = COLUMN_TEXT, .layout = f->word_layout};
    ArrowPart part = {0};
    size_t next = 0;
    if (rows < 0 || (uint64_t)rows > b->body_size / 4 + 1 || rows >= INT32_MAX)
        return arrow_broken(p, "dictionary", i, "it has not the bytes for its words");
    if (rows > 0 && !arrow_take_part(b, &plain, 0, (uint64_t)rows, &next, &part))
        return arrow_broken(p, "dictionary", i, "its buffers do not fit its words");
    if (!p->file->ours) {
        f->native = false;
        if (rows > 0 && !add_foreign(p, foreign, &plain, &part, (size_t)rows))
            return arrow_broken(p, "dictionary", i, "its words go beyond its bytes");
        Words *words = ARENA_NEW(a, Words, 1);
        wordtable_words(&foreign->table, words);
        f->words = words;
        f->map = foreign->map;
        f->map_count = foreign->count;
        return true;
    }
    if (f->words)
        return arrow_broken(p, "dictionary", i, "the column has one already");
    Words *words = ARENA_NEW(a, Words, 1);
    wordtable_words(&(WordTable){0}, words);
    if (rows > 0) {
        if (part.valid || !offsets_fit((const int32_t *)part.values, (size_t)rows, part.bytes_size))
            return arrow_broken(p, "dictionary", i, "its words go beyond its bytes");
        *words = (Words){(size_t)rows, (const int32_t *)part.values, (const char *)part.bytes};
    }
    f->words = words;
    return true;
}

/* The first column with the same dictionary as column k. */
static size_t first_with(const ArrowFile *file, size_t k)
{
    size_t first = 0;
    while (!file->field[first].dictionary || file->field[first].id != file->field[k].id)
        first++;
    return first;
}

static bool share_dictionary(ArrowParse *p, size_t k)
{
    ArrowField *f = &p->file->field[k];
    if (!f->dictionary)
        return true;
    const ArrowField *first = &p->file->field[first_with(p->file, k)];
    f->words = first->words;
    f->map = first->map;
    f->map_count = first->map_count;
    f->native = f->native && p->file->ours;
    if (f->words && f->word_layout == first->word_layout)
        return true;
    return error_set(p->err, ERROR_PARSE, "broken file: column %s: its dictionary is missing",
                     f->name);
}

bool arrow_parse_dictionaries(ArrowParse *p, const ArrowBlock *block, size_t count)
{
    ArrowFile *file = p->file;
    Foreign *foreign = mem_alloc((file->fields + 1) * sizeof *foreign);
    bool ok = true;
    for (size_t k = 0; k < file->fields; k++)
        foreign[k].table.arena = &file->arena;
    for (size_t i = 0; i < count && ok; i++) {
        ArrowHead b = {0};
        ok = arrow_open_block(p, &block[i], ARROW_HEAD_DICTIONARY, "dictionary", i, &b);
        size_t k = 0;
        while (k < file->fields && !(file->field[k].dictionary && file->field[k].id == b.id))
            k++;
        if (ok && k < file->fields)
            ok = add_dictionary(p, &file->field[k], &b, &foreign[k], i);
    }
    for (size_t k = 0; k < file->fields && ok; k++)
        ok = share_dictionary(p, k);
    mem_free(foreign);
    return ok;
}
