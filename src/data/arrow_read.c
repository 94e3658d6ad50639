/* arrow_read.c -- an Arrow IPC file of anyone's, taken apart with distrust.
 *
 * Everything the file says about itself (places, lengths, counts) is checked here, once, when it is
 * opened; what lies inside the columns is checked by arrow_column when they are first looked at. */
#include "arrow_int.h"

#include <assert.h>
#include <inttypes.h>

#define FIELDS_MOST 16384

typedef struct Parse {
    ArrowFile *file;
    const uint8_t *at;
    size_t size; /* of the file */
    size_t free; /* no block may begin before */
    Error *err;
} Parse;

/* ---- the schema ------------------------------------------------------------------------------- */

static const char *const arrow_types[] = {
    /* by Type, for messages */
    "none",
    "null",
    "int",
    "float",
    "binary",
    "utf8",
    "bool",
    "decimal",
    "date",
    "time",
    "timestamp",
    "interval",
    "list",
    "struct",
    "union",
    "fixed-size binary",
    "fixed-size list",
    "map",
    "duration",
    "large binary",
    "large utf8",
    "large list",
    "run-end encoded",
    "binary view",
    "utf8 view",
    "list view",
    "large list view",
};

static bool unsupported(const Parse *p, const char *name, const char *what)
{
    return error_set(
        p->err, ERROR_PARSE,
        "column %s: Arrow type %s is not supported yet; cast it in the tool that wrote "
        "it, or write CSV",
        name, what);
}

static bool int_layout(const FlatTable *type, ArrowLayout *out)
{
    bool has_sign = flat_get(type, 1, 1, 0) != 0;
    switch (flat_get(type, 0, 4, 0)) {
    case 8:
        *out = has_sign ? LAYOUT_I8 : LAYOUT_U8;
        return true;
    case 16:
        *out = has_sign ? LAYOUT_I16 : LAYOUT_U16;
        return true;
    case 32:
        *out = has_sign ? LAYOUT_I32 : LAYOUT_U32;
        return true;
    case 64:
        *out = LAYOUT_I64;
        return has_sign;
    default:
        return false;
    }
}

static bool time_scale(const FlatTable *type, ArrowField *f)
{
    static const int64_t times[] = {1000000, 1000, 1, 1}, over[] = {1, 1, 1, 1000};
    int64_t unit = flat_get(type, 0, 2, 0);
    if (unit < 0 || unit > 3)
        return false;
    f->times = times[unit];
    f->over = over[unit];
    return true;
}

/* What a column of this type becomes; false: nothing we know. */
static bool value_type(const FlatTable *type, int64_t tag, ArrowField *f)
{
    static const ArrowLayout floats[] = {LAYOUT_COUNT, LAYOUT_F32, LAYOUT_F64};
    int64_t precision;
    f->times = f->over = 1;
    switch (tag) {
    case ARROW_BOOL:
        f->type = COLUMN_BOOL;
        f->layout = LAYOUT_BIT;
        return true;
    case ARROW_INT:
        f->type = COLUMN_INT;
        return int_layout(type, &f->layout);
    case ARROW_FLOAT:
        precision = flat_get(type, 0, 2, 0);
        f->type = COLUMN_REAL;
        f->layout = precision == 1 || precision == 2 ? floats[precision] : LAYOUT_COUNT;
        return f->layout != LAYOUT_COUNT;
    case ARROW_TIMESTAMP:
        f->type = COLUMN_TIME;
        f->layout = LAYOUT_I64;
        return time_scale(type, f);
    case ARROW_DATE:
        f->type = COLUMN_DATE;
        f->layout = flat_get(type, 0, 2, 1) == 0 ? LAYOUT_I32 : LAYOUT_I64;
        f->over = f->layout == LAYOUT_I64 ? 86400000 : 1;
        return true;
    case ARROW_UTF8:
        f->type = COLUMN_TEXT;
        f->layout = LAYOUT_I32;
        return true;
    case ARROW_LARGE_UTF8:
        f->type = COLUMN_TEXT;
        f->layout = LAYOUT_I64;
        return true;
    default:
        return false;
    }
}

static bool is_native(const ArrowField *f)
{
    static const ArrowLayout ours[COLUMN_TYPE_COUNT] = {
        [COLUMN_BOOL] = LAYOUT_BIT, [COLUMN_INT] = LAYOUT_I64,  [COLUMN_REAL] = LAYOUT_F64,
        [COLUMN_TIME] = LAYOUT_I64, [COLUMN_DATE] = LAYOUT_I32, [COLUMN_TEXT] = LAYOUT_I32,
    };
    return f->layout == ours[f->type] && f->times == 1 && f->over == 1;
}

static bool parse_field(Parse *p, const FlatTable *t, ArrowField *f)
{
    size_t n;
    const char *name = flat_string(t, 0, &n);
    f->name = arena_printf(&p->file->arena, "%.*s", (int)(n < 1024 ? n : 1024), name ? name : "");
    int64_t tag = flat_get(t, 2, 1, 0);
    FlatTable type = flat_table(t, 3), dictionary = flat_table(t, 4);
    if (!value_type(&type, tag, f))
        return unsupported(p, f->name,
                           tag >= 0 && (size_t)tag < COUNT_OF(arrow_types) ? arrow_types[tag]
                                                                           : "(unknown)");
    if (dictionary.flat) {
        if (f->type != COLUMN_TEXT)
            return unsupported(p, f->name, "dictionary of values that are not text");
        FlatTable index = flat_table(&dictionary, 1);
        f->word_layout = f->layout;
        f->layout = LAYOUT_I32;
        if (index.flat && (!int_layout(&index, &f->layout) || f->layout == LAYOUT_I64))
            return unsupported(p, f->name, "dictionary with 64-bit indices");
        f->dictionary = true;
        f->id = flat_get(&dictionary, 0, 8, 0);
    }
    f->native = is_native(f);
    return true;
}

static bool parse_schema(Parse *p, const FlatTable *schema)
{
    ArrowFile *file = p->file;
    FlatList fields = flat_list(schema, 1, 4), metas = flat_list(schema, 2, 4);
    if (flat_get(schema, 0, 2, 0) != 0)
        return error_set(p->err, ERROR_PARSE, "big-endian Arrow data is not supported");
    if (fields.count == 0)
        return error_set(p->err, ERROR_PARSE, "the file has no columns");
    if (fields.count > FIELDS_MOST)
        return error_set(p->err, ERROR_PARSE, "%zu columns, %d are the most", fields.count,
                         FIELDS_MOST);
    file->field = ARENA_NEW(&file->arena, ArrowField, fields.count);
    file->fields = fields.count;
    for (size_t i = 0; i < fields.count; i++) {
        FlatTable t = flat_list_table(&fields, i);
        if (!t.flat || !parse_field(p, &t, &file->field[i]))
            return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(file->field[k].name, file->field[i].name) == 0)
                return error_set(p->err, ERROR_PARSE, "two columns are named %s",
                                 file->field[i].name);
    }
    file->meta = ARENA_NEW(&file->arena, ArrowMeta, metas.count + 1);
    for (size_t i = 0; i < metas.count; i++) {
        FlatTable t = flat_list_table(&metas, i);
        ArrowMeta *m = &file->meta[file->metas];
        size_t n;
        m->key = flat_string(&t, 0, &n);
        m->value = flat_string(&t, 1, &m->size);
        /* texts in a FlatBuffer end with a zero, or else this one is left out */
        if (m->key && m->value && memchr(m->key, 0, n + (m->key + n < m->value)) == m->key + n)
            file->metas++;
        else if (m->key && m->value)
            m->key = arena_printf(&file->arena, "%.*s", (int)(n < 1024 ? n : 1024), m->key),
            file->metas++;
    }
    size_t version;
    file->ours = arrow_meta(file, "lathe.hash", &version) != NULL;
    return true;
}

/* ---- blocks ------------------------------------------------------------------------------------ */

typedef struct Batch { /* one record batch, or the one inside a dictionary */
    const uint8_t *block, *body;
    size_t body_size;
    Flat flat;
    FlatTable record;
    FlatList nodes, buffers;
    int64_t id;
} Batch;

static bool broken(const Parse *p, const char *what, size_t i, const char *why)
{
    return error_set(p->err, ERROR_PARSE, "broken file: %s %zu: %s", what, i + 1, why);
}

/* Opens the block the footer names; `b` must stay where it is while it is used. */
static bool open_block(Parse *p, const ArrowBlock *block, int kind, const char *what, size_t i,
                       Batch *b)
{
    size_t at = (size_t)block->offset, head = (size_t)block->head, body = (size_t)block->body;
    if (block->offset < 0 || block->head < 8 || block->body < 0 || at > p->size ||
        head > p->size - at || body > p->size - at - head)
        return error_set(
            p->err, ERROR_PARSE,
            "truncated: the footer says %s %zu ends at byte %" PRIu64 ", the file has %zu", what,
            i + 1, (uint64_t)block->offset + (uint64_t)block->head + (uint64_t)block->body,
            p->size);
    if (at < p->free)
        return broken(p, what, i, "it overlaps the one before");
    if ((at + head) % 8 != 0)
        return broken(p, what, i, "its values are not aligned to 8 bytes");
    p->free = at + head + body;
    uint32_t frame[2];
    memcpy(frame, p->at + at, 8);
    size_t skip = frame[0] == UINT32_MAX ? 8 : 4; /* before Arrow 0.15 there was no marker */
    size_t length = skip == 8 ? frame[1] : frame[0];
    if (length > head - skip)
        return broken(p, what, i, "its head is longer than the footer says");
    b->block = p->at + at;
    b->body = p->at + at + head;
    b->body_size = body;
    b->flat = (Flat){p->at + at + skip, length, false};
    FlatTable message = flat_root(&b->flat);
    if (flat_get(&message, 1, 1, 0) != kind)
        return broken(p, what, i, "the block is of another kind");
    b->record = flat_table(&message, 2);
    if (kind == ARROW_HEAD_DICTIONARY) {
        b->id = flat_get(&b->record, 0, 8, 0);
        b->record = flat_table(&b->record, 1);
    }
    if (flat_table(&b->record, 3).flat)
        return error_set(p->err, ERROR_PARSE,
                         "compressed Arrow data is not supported yet; write it uncompressed");
    b->nodes = flat_list(&b->record, 1, sizeof(ArrowNode));
    b->buffers = flat_list(&b->record, 2, sizeof(ArrowSpan));
    if (b->flat.broken || !b->record.flat)
        return broken(p, what, i, "its head makes no sense");
    return true;
}

/* Buffer k of the body with at least `need` bytes; NULL: not there. */
static const uint8_t *buffer(const Batch *b, size_t k, uint64_t need, size_t *size)
{
    if (k >= b->buffers.count)
        return NULL;
    int64_t offset = flat_list_int(&b->buffers, k, sizeof(ArrowSpan), 0, 8);
    int64_t length = flat_list_int(&b->buffers, k, sizeof(ArrowSpan), 8, 8);
    if (offset < 0 || length < 0 || offset % 8 != 0 || (uint64_t)length < need ||
        (uint64_t)offset > b->body_size || (uint64_t)length > b->body_size - (uint64_t)offset)
        return NULL;
    *size = (size_t)length;
    return b->body + offset;
}

static uint64_t layout_bytes(ArrowLayout layout, uint64_t rows)
{
    static const uint8_t width[LAYOUT_COUNT] = {
        [LAYOUT_I8] = 1,  [LAYOUT_I16] = 2, [LAYOUT_I32] = 4, [LAYOUT_I64] = 8, [LAYOUT_U8] = 1,
        [LAYOUT_U16] = 2, [LAYOUT_U32] = 4, [LAYOUT_F32] = 4, [LAYOUT_F64] = 8};
    return layout == LAYOUT_BIT ? rows / 8 + (rows % 8 != 0) : rows * width[layout];
}

/* Finds the buffers of one column from `*next` on. */
static bool take_part(const Batch *b, const ArrowField *f, size_t node, uint64_t rows, size_t *next,
                      ArrowPart *part)
{
    size_t size;
    if (node >= b->nodes.count ||
        flat_list_int(&b->nodes, node, sizeof(ArrowNode), 0, 8) != (int64_t)rows)
        return false;
    int64_t nulls = flat_list_int(&b->nodes, node, sizeof(ArrowNode), 8, 8);
    bool plain = f->type == COLUMN_TEXT && !f->dictionary;
    part->valid = nulls ? buffer(b, *next, rows / 8 + (rows % 8 != 0), &size) : NULL;
    part->values = buffer(b, *next + 1, layout_bytes(f->layout, rows + plain), &size);
    if ((nulls && !part->valid) || !part->values)
        return false;
    if (plain && !(part->bytes = buffer(b, *next + 2, 0, &part->bytes_size)))
        return false;
    *next += plain ? 3 : 2;
    return true;
}

static bool parse_batch(Parse *p, const ArrowBlock *block, size_t i)
{
    ArrowFile *file = p->file;
    Batch b = {0};
    if (!open_block(p, block, ARROW_HEAD_BATCH, "record batch", i, &b))
        return false;
    int64_t rows = flat_get(&b.record, 0, 8, 0);
    if (rows < 0 || (uint64_t)rows / 8 > b.body_size)
        return broken(p, "record batch", i, "it has not the bytes for its rows");
    if (b.nodes.count < file->fields)
        return broken(p, "record batch", i, "it lacks columns");
    if (rows == 0)
        return true;
    ArrowPart *part = ARENA_NEW(&file->arena, ArrowPart, file->fields);
    size_t next = 0;
    for (size_t k = 0; k < file->fields; k++)
        if (!take_part(&b, &file->field[k], k, (uint64_t)rows, &next, &part[k]))
            return error_set(p->err, ERROR_PARSE,
                             "broken file: record batch %zu, column %s: its buffers do not fit "
                             "%" PRId64 " rows",
                             i + 1, file->field[k].name, rows);
    file->batch[file->batches++] =
        (ArrowBatch){(size_t)rows, part, b.block, b.body, b.body + b.body_size};
    return true;
}

/* ---- dictionaries -------------------------------------------------------------------------------- */

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

static bool add_foreign(Parse *p, Foreign *to, const ArrowField *f, const ArrowPart *part,
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
static bool add_dictionary(Parse *p, ArrowField *f, const Batch *b, Foreign *foreign, size_t i)
{
    Arena *a = &p->file->arena;
    int64_t rows = flat_get(&b->record, 0, 8, 0);
    ArrowField plain = {.type = COLUMN_TEXT, .layout = f->word_layout};
    ArrowPart part = {0};
    size_t next = 0;
    if (rows < 0 || (uint64_t)rows > b->body_size / 4 + 1 || rows >= INT32_MAX)
        return broken(p, "dictionary", i, "it has not the bytes for its words");
    if (rows > 0 && !take_part(b, &plain, 0, (uint64_t)rows, &next, &part))
        return broken(p, "dictionary", i, "its buffers do not fit its words");
    if (!p->file->ours) {
        f->native = false;
        if (rows > 0 && !add_foreign(p, foreign, &plain, &part, (size_t)rows))
            return broken(p, "dictionary", i, "its words go beyond its bytes");
        Words *words = ARENA_NEW(a, Words, 1);
        wordtable_words(&foreign->table, words);
        f->words = words;
        f->map = foreign->map;
        f->map_count = foreign->count;
        return true;
    }
    if (f->words)
        return broken(p, "dictionary", i, "the column has one already");
    Words *words = ARENA_NEW(a, Words, 1);
    wordtable_words(&(WordTable){0}, words);
    if (rows > 0) {
        if (part.valid || !offsets_fit((const int32_t *)part.values, (size_t)rows, part.bytes_size))
            return broken(p, "dictionary", i, "its words go beyond its bytes");
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

static bool share_dictionary(Parse *p, size_t k)
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

static bool parse_dictionaries(Parse *p, const ArrowBlock *block, size_t count)
{
    ArrowFile *file = p->file;
    Foreign *foreign = mem_alloc((file->fields + 1) * sizeof *foreign);
    bool ok = true;
    for (size_t k = 0; k < file->fields; k++)
        foreign[k].table.arena = &file->arena;
    for (size_t i = 0; i < count && ok; i++) {
        Batch b = {0};
        ok = open_block(p, &block[i], ARROW_HEAD_DICTIONARY, "dictionary", i, &b);
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

/* ---- the file ------------------------------------------------------------------------------------ */

static bool starts_with(const Parse *p, const char *magic)
{
    size_t n = strlen(magic);
    return p->size >= n && memcmp(p->at, magic, n) == 0;
}

static bool find_footer(Parse *p, Flat *footer)
{
    if (p->size == 0)
        return error_set(p->err, ERROR_PARSE, "the file is empty");
    if (starts_with(p, "FEA1"))
        return error_set(p->err, ERROR_PARSE, "a Feather file of version 1; write it as version 2");
    if (starts_with(p, "PAR1"))
        return error_set(p->err, ERROR_PARSE, "a Parquet file is not supported yet");
    if (starts_with(p, "\xff\xff\xff\xff"))
        return error_set(p->err, ERROR_PARSE,
                         "an Arrow stream is not supported yet; write an Arrow file");
    if (!starts_with(p, ARROW_MAGIC) && p->size >= 6)
        return error_set(p->err, ERROR_PARSE, "not an Arrow file: it does not begin with ARROW1");
    if (p->size < 8 + 10 || memcmp(p->at + p->size - 6, ARROW_MAGIC, 6) != 0)
        return error_set(p->err, ERROR_PARSE,
                         "truncated: %zu bytes that do not end with ARROW1; fetch or make it again",
                         p->size);
    int32_t length;
    memcpy(&length, p->at + p->size - 10, 4);
    if (length < 8 || (size_t)length > p->size - 18)
        return error_set(p->err, ERROR_PARSE,
                         "broken file: the footer says it has %d bytes, the file has %zu", length,
                         p->size);
    *footer = (Flat){p->at + p->size - 10 - length, (size_t)length, false};
    return true;
}

/* The footer's list, which must ascend (every tool writes it so): blocks can then not be shared. */
static ArrowBlock *parse_blocks(Parse *p, const FlatTable *footer, size_t field, size_t *count)
{
    FlatList list = flat_list(footer, field, 24);
    ArrowBlock *block = ARENA_NEW(&p->file->arena, ArrowBlock, list.count + 1);
    for (size_t i = 0; i < list.count; i++)
        block[i] =
            (ArrowBlock){flat_list_int(&list, i, 24, 0, 8), flat_list_int(&list, i, 24, 8, 4),
                         flat_list_int(&list, i, 24, 16, 8)};
    *count = list.count;
    return block;
}

static bool parse_file(Parse *p)
{
    ArrowFile *file = p->file;
    Flat flat;
    if (!find_footer(p, &flat))
        return false;
    FlatTable footer = flat_root(&flat), schema = flat_table(&footer, 1);
    size_t count;
    if (!schema.flat)
        return error_set(p->err, ERROR_PARSE, "broken file: its footer has no schema");
    if (!parse_schema(p, &schema))
        return flat.broken
                   ? error_set(p->err, ERROR_PARSE, "broken file: its schema makes no sense")
                   : false;
    file->dictionary = parse_blocks(p, &footer, 2, &file->dictionaries);
    ArrowBlock *batch = parse_blocks(p, &footer, 3, &count);
    if (flat.broken)
        return error_set(p->err, ERROR_PARSE, "broken file: its footer makes no sense");
    if (!parse_dictionaries(p, file->dictionary, file->dictionaries))
        return false;
    p->free = 0;
    file->batch = ARENA_NEW(&file->arena, ArrowBatch, count + 1);
    for (size_t i = 0; i < count; i++)
        if (!parse_batch(p, &batch[i], i))
            return false;
    return true;
}

bool arrow_parse(ArrowFile *f, const uint8_t *at, size_t size, Error *err)
{
    *f = (ArrowFile){0};
    Parse p = {.file = f, .at = at, .size = size, .err = err};
    if (parse_file(&p))
        return true;
    arrow_release(f);
    return false;
}

void arrow_release(ArrowFile *f)
{
    arena_release(&f->arena);
    *f = (ArrowFile){0};
}

const char *arrow_meta(const ArrowFile *f, const char *key, size_t *n)
{
    for (size_t i = 0; i < f->metas; i++)
        if (strcmp(f->meta[i].key, key) == 0)
            return *n = f->meta[i].size, f->meta[i].value;
    return NULL;
}
