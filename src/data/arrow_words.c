/* arrow_words.c -- the dictionaries of an Arrow file: ours as they lie, those of others word by word. */
#include "arrow_parse.h"

static bool offsets_fit(const int32_t *start, size_t count, size_t bytes)
{
    bool fits = start[0] >= 0;
    for (size_t i = 0; i < count; i++)
        fits &= start[i] <= start[i + 1];
    return fits && (size_t)start[count] <= bytes;
}

/* Maps that batches hold stay as they are: a longer one is a new one, twice as long. */
static int32_t *map_room(ArrowParse *p, ArrowForeign *to, size_t rows)
{
    if (to->count + rows + 1 > to->room) {
        size_t room = 2 * (to->count + rows + 1);
        int32_t *map = ARENA_NEW(&p->file->arena, int32_t, room);
        if (to->count)
            memcpy(map, to->map, to->count * sizeof *map);
        to->map = map;
        to->room = room;
    }
    return to->map + to->count;
}

static bool add_foreign(ArrowParse *p, ArrowForeign *to, const ArrowField *f, const ArrowPart *part,
                        size_t rows)
{
    Arena scratch = {0};
    ArrowPart unpacked;
    Column words;
    bool bad = false;
    if (part->packing != ARROW_UNPACKED) {
        if (!arrow_unpack(f, part, &scratch, &unpacked, p->err)) {
            arena_release(&scratch);
            return error_in(p->err, "broken file: a dictionary");
        }
        part = &unpacked;
    }
    arrow_column(f, part, 0, rows, &scratch, &words, &bad);
    int32_t *map = map_room(p, to, rows);
    for (size_t i = 0; i < rows && !bad; i++) {
        size_t n;
        const char *s = column_text(&words, i, &n);
        map[i] = column_has(&words, i) ? wordtable_code(&to->table, s, n) : -1;
        bad = map[i] < 0 && column_has(&words, i);
    }
    to->count += rows;
    arena_release(&scratch);
    return !bad ||
           error_set(p->err, ERROR_PARSE,
                     "broken file: a dictionary's words go beyond its bytes, or beyond 2 GB");
}

/* Ours: the words are used where they lie; where each begins is copied, so that it stays true of a file
 * that is cut while it is mapped. */
static bool add_own(ArrowParse *p, ArrowField *f, const ArrowPart *part, size_t rows, size_t i)
{
    Words *words = ARENA_NEW(&p->file->arena, Words, 1);
    if (f->words)
        return arrow_broken(p, "dictionary", i, "the column has one already");
    wordtable_words(&(WordTable){0}, words);
    if (rows > 0) {
        if (part->valid || part->packing != ARROW_UNPACKED)
            return arrow_broken(p, "dictionary", i, "it is not one of ours");
        int32_t *start = ARENA_NEW(&p->file->arena, int32_t, rows + 1);
        memcpy(start, part->values, (rows + 1) * sizeof *start);
        if (!offsets_fit(start, rows, part->bytes_size))
            return arrow_broken(p, "dictionary", i, "its words go beyond its bytes");
        *words = (Words){rows, start, (const char *)part->bytes};
    }
    f->words = words;
    return true;
}

/* One dictionary block for one column. */
static bool add_dictionary(ArrowParse *p, size_t k, ArrowHead *b, size_t i)
{
    ArrowField *f = &p->file->field[k];
    ArrowForeign *foreign = &p->foreign[k];
    int64_t rows = flat_get(&b->record, 0, 8, 0);
    ArrowField plain = {.name = f->name, .type = COLUMN_TEXT, .layout = f->word_layout};
    ArrowPart part = {0};
    size_t next = 0;
    uint64_t most = b->body_size / 4 + 1;
    if (rows < 0 || rows >= INT32_MAX ||
        (uint64_t)rows / (b->packing == ARROW_UNPACKED ? 1 : 32768) > most)
        return arrow_broken(p, "dictionary", i, "it has not the bytes for its words");
    if (rows > 0 && !arrow_take_part(b, &plain, 0, (uint64_t)rows, &next, &p->file->arena, &part))
        return arrow_broken(p, "dictionary", i, "its buffers do not fit its words");
    if (p->file->ours)
        return add_own(p, f, &part, (size_t)rows, i);
    f->native = false;
    foreign->seen = true;
    if (!b->delta) { /* the first, or another in its place */
        foreign->map = NULL;
        foreign->count = foreign->room = 0;
    }
    return rows == 0 || add_foreign(p, foreign, &plain, &part, (size_t)rows);
}

/* The first column with the same dictionary as column k. */
static size_t first_with(const ArrowFile *file, size_t k)
{
    size_t first = 0;
    while (!file->field[first].dictionary || file->field[first].id != file->field[k].id)
        first++;
    return first;
}

bool arrow_map_part(ArrowParse *p, size_t column, ArrowPart *part)
{
    static const int32_t none[1] = {-1};
    const ArrowFile *file = p->file;
    size_t first = first_with(file, column);
    if (file->ours ? !file->field[first].words : !p->foreign[first].seen)
        return error_set(p->err, ERROR_PARSE, "broken file: column %s: its dictionary is missing",
                         file->field[column].name);
    if (!file->ours) {
        part->map = p->foreign[first].map ? p->foreign[first].map : none;
        part->map_count = p->foreign[first].count;
    }
    return true;
}

void arrow_begin_words(ArrowParse *p)
{
    p->foreign = mem_alloc((p->file->fields + 1) * sizeof *p->foreign);
    for (size_t k = 0; k < p->file->fields; k++)
        p->foreign[k].table.arena = &p->file->arena;
}

void arrow_release_words(ArrowParse *p)
{
    mem_free(p->foreign);
    p->foreign = NULL;
}

bool arrow_parse_dictionary(ArrowParse *p, const ArrowBlock *block, size_t i)
{
    ArrowFile *file = p->file;
    ArrowHead b = {0};
    if (!arrow_open_block(p, block, ARROW_HEAD_DICTIONARY, "dictionary", i, &b))
        return false;
    size_t k = 0;
    while (k < file->fields && !(file->field[k].dictionary && file->field[k].id == b.id))
        k++;
    return k == file->fields || add_dictionary(p, k, &b, i);
}

bool arrow_finish_words(ArrowParse *p)
{
    ArrowFile *file = p->file;
    for (size_t k = 0; k < file->fields; k++) {
        ArrowField *f = &file->field[k];
        if (!f->dictionary)
            continue;
        size_t first = first_with(file, k);
        if (first == k && !f->words) {
            Words *words = ARENA_NEW(&file->arena, Words, 1);
            wordtable_words(&p->foreign[k].table, words);
            f->words = words;
            if (file->ours)
                return error_set(p->err, ERROR_PARSE,
                                 "broken file: column %s: its dictionary is missing", f->name);
        }
        f->words = file->field[first].words;
        f->native = f->native && file->ours;
        if (f->word_layout != file->field[first].word_layout)
            return error_set(p->err, ERROR_PARSE,
                             "broken file: column %s: its dictionary is of another type", f->name);
    }
    return true;
}
