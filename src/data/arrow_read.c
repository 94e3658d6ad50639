/* arrow_read.c -- an Arrow IPC file of anyone's, taken apart with distrust.
 *
 * Everything the file says about itself (places, lengths, counts) is checked here, once, when it is
 * opened; what lies inside the columns is checked by arrow_column when they are first looked at. */
#include "arrow_parse.h"

#include <inttypes.h>

/* ---- blocks ------------------------------------------------------------------------------------ */

bool arrow_broken(const ArrowParse *p, const char *what, size_t i, const char *why)
{
    return error_set(p->err, ERROR_PARSE, "broken file: %s %zu: %s", what, i + 1, why);
}

bool arrow_open_block(ArrowParse *p, const ArrowBlock *block, int kind, const char *what, size_t i,
                      ArrowHead *b)
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
        return arrow_broken(p, what, i, "it overlaps the one before");
    if ((at + head) % 8 != 0)
        return arrow_broken(p, what, i, "its values are not aligned to 8 bytes");
    p->free = at + head + body;
    uint32_t frame[2];
    memcpy(frame, p->at + at, 8);
    size_t skip = frame[0] == UINT32_MAX ? 8 : 4; /* before Arrow 0.15 there was no marker */
    size_t length = skip == 8 ? frame[1] : frame[0];
    if (length > head - skip)
        return arrow_broken(p, what, i, "its head is longer than the footer says");
    b->block = p->at + at;
    b->body = p->at + at + head;
    b->body_size = body;
    b->flat = (Flat){p->at + at + skip, length, false};
    FlatTable message = flat_root(&b->flat);
    if (flat_get(&message, 1, 1, 0) != kind)
        return arrow_broken(p, what, i, "the block is of another kind");
    b->record = flat_table(&message, 2);
    if (kind == ARROW_HEAD_DICTIONARY) {
        b->id = flat_get(&b->record, 0, 8, 0);
        b->delta = flat_get(&b->record, 2, 1, 0) != 0;
        b->record = flat_table(&b->record, 1);
    }
    FlatTable packed = flat_table(&b->record, 3);
    int64_t packing = packed.flat ? flat_get(&packed, 0, 1, ARROW_LZ4) : ARROW_UNPACKED;
    if (packing < 0 || packing > ARROW_UNPACKED || (packed.flat && flat_get(&packed, 1, 1, 0) != 0))
        return error_set(p->err, ERROR_PARSE,
                         "packed in a way that is not known here; write it uncompressed, or with "
                         "lz4 or zstd");
    b->packing = (ArrowPacking)packing;
    b->nodes = flat_list(&b->record, 1, sizeof(ArrowNode));
    b->buffers = flat_list(&b->record, 2, sizeof(ArrowSpan));
    if (b->flat.broken || !b->record.flat)
        return arrow_broken(p, what, i, "its head makes no sense");
    return true;
}

/* Buffer k of the body with at least `need` bytes; NULL: not there. */
static const uint8_t *buffer(const ArrowHead *b, size_t k, uint64_t need, size_t *size)
{
    if (k >= b->buffers.count)
        return NULL;
    int64_t offset = flat_list_int(&b->buffers, k, sizeof(ArrowSpan), 0, 8);
    int64_t length = flat_list_int(&b->buffers, k, sizeof(ArrowSpan), 8, 8);
    if (b->packing != ARROW_UNPACKED)
        need /= 32768; /* the least that so many bytes can be packed into */
    if (offset < 0 || length < 0 || offset % 8 != 0 || (uint64_t)length < need ||
        (uint64_t)offset > b->body_size || (uint64_t)length > b->body_size - (uint64_t)offset)
        return NULL;
    *size = (size_t)length;
    return b->body + offset;
}

uint64_t arrow_layout_bytes(ArrowLayout layout, uint64_t rows)
{
    static const uint8_t width[LAYOUT_COUNT] = {
        [LAYOUT_I8] = 1,  [LAYOUT_I16] = 2, [LAYOUT_I32] = 4, [LAYOUT_I64] = 8,
        [LAYOUT_U8] = 1,  [LAYOUT_U16] = 2, [LAYOUT_U32] = 4, [LAYOUT_U64] = 8,
        [LAYOUT_F16] = 2, [LAYOUT_F32] = 4, [LAYOUT_F64] = 8, [LAYOUT_VIEW] = 16};
    return layout == LAYOUT_BIT ? rows / 8 + (rows % 8 != 0) : rows * width[layout];
}

/* The buffers that views lead into: how many there are is said once a column, in their order. */
static bool take_more(ArrowHead *b, size_t *next, Arena *a, ArrowPart *part)
{
    FlatList counts = flat_list(&b->record, 4, 8);
    int64_t count = b->views < counts.count ? flat_list_int(&counts, b->views, 8, 0, 8) : 0;
    b->views++;
    if (count < 0 || (uint64_t)count > b->buffers.count)
        return false;
    ArrowSlice *more = ARENA_NEW(a, ArrowSlice, (size_t)count + 1);
    for (size_t i = 0; i < (size_t)count; i++)
        if (!(more[i].at = buffer(b, (*next)++, 0, &more[i].size)))
            return false;
    part->more = more;
    part->more_count = (size_t)count;
    return true;
}

bool arrow_take_part(ArrowHead *b, const ArrowField *f, size_t node, uint64_t rows, size_t *next,
                     Arena *a, ArrowPart *part)
{
    if (node >= b->nodes.count ||
        flat_list_int(&b->nodes, node, sizeof(ArrowNode), 0, 8) != (int64_t)rows)
        return false;
    *part = (ArrowPart){.rows = (size_t)rows, .packing = b->packing};
    if (f->layout == LAYOUT_NONE) /* has no buffers */
        return true;
    int64_t nulls = flat_list_int(&b->nodes, node, sizeof(ArrowNode), 8, 8);
    bool plain = f->type == COLUMN_TEXT && !f->dictionary && f->layout != LAYOUT_VIEW;
    size_t none;
    if (nulls < 0 && buffer(b, *next, 0, &none) && !none)
        nulls = 0; /* not counted, and no bits */
    part->valid = nulls ? buffer(b, *next, rows / 8 + (rows % 8 != 0), &part->valid_size) : NULL;
    part->values =
        buffer(b, *next + 1, arrow_layout_bytes(f->layout, rows + plain), &part->values_size);
    if ((nulls && !part->valid) || !part->values)
        return false;
    if (plain && !(part->bytes = buffer(b, *next + 2, 0, &part->bytes_size)))
        return false;
    *next += plain ? 3 : 2;
    return f->layout != LAYOUT_VIEW || take_more(b, next, a, part);
}

bool arrow_parse_batch(ArrowParse *p, const ArrowBlock *block, size_t i)
{
    ArrowFile *file = p->file;
    ArrowHead b = {0};
    if (!arrow_open_block(p, block, ARROW_HEAD_BATCH, "record batch", i, &b))
        return false;
    int64_t rows = flat_get(&b.record, 0, 8, 0);
    uint64_t most = (uint64_t)b.body_size * (b.packing == ARROW_UNPACKED ? 1 : 32768);
    if (rows < 0 || (uint64_t)rows / 8 > most + 8192) /* a batch of null columns has no bytes */
        return arrow_broken(p, "record batch", i, "it has not the bytes for its rows");
    if (b.nodes.count < file->fields)
        return arrow_broken(p, "record batch", i, "it lacks columns");
    if (rows == 0)
        return true;
    ArrowPart *part = ARENA_NEW(&file->arena, ArrowPart, file->fields);
    size_t next = 0;
    for (size_t k = 0; k < file->fields; k++) {
        if (!arrow_take_part(&b, &file->field[k], k, (uint64_t)rows, &next, &file->arena, &part[k]))
            return error_set(p->err, ERROR_PARSE,
                             "broken file: record batch %zu, column %s: its buffers do not fit "
                             "%" PRId64 " rows",
                             i + 1, file->field[k].name, rows);
        if (file->field[k].dictionary && !arrow_map_part(p, k, &part[k]))
            return false;
    }
    file->packed |= b.packing != ARROW_UNPACKED;
    file->batch[file->batches++] = (ArrowBatch){.rows = (size_t)rows,
                                                .packed = b.packing != ARROW_UNPACKED,
                                                .part = part,
                                                .head = b.block,
                                                .body = b.body,
                                                .end = b.body + b.body_size};
    return true;
}

/* ---- the file ------------------------------------------------------------------------------------ */

static bool starts_with(const ArrowParse *p, const char *magic)
{
    size_t n = strlen(magic);
    return p->size >= n && memcmp(p->at, magic, n) == 0;
}

static bool find_footer(ArrowParse *p, Flat *footer)
{
    if (p->size == 0)
        return error_set(p->err, ERROR_PARSE, "the file is empty");
    if (starts_with(p, "FEA1"))
        return error_set(p->err, ERROR_PARSE, "a Feather file of version 1; write it as version 2");
    if (starts_with(p, "PAR1"))
        return error_set(p->err, ERROR_PARSE, "a Parquet file, not an Arrow file");
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
static ArrowBlock *parse_blocks(ArrowParse *p, const FlatTable *footer, size_t field, size_t *count)
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

static bool parse_file(ArrowParse *p)
{
    ArrowFile *file = p->file;
    Flat flat;
    if (!find_footer(p, &flat))
        return false;
    FlatTable footer = flat_root(&flat), schema = flat_table(&footer, 1);
    size_t count;
    if (!schema.flat)
        return error_set(p->err, ERROR_PARSE, "broken file: its footer has no schema");
    if (!arrow_parse_schema(p, &schema))
        return flat.broken
                   ? error_set(p->err, ERROR_PARSE, "broken file: its schema makes no sense")
                   : false;
    file->dictionary = parse_blocks(p, &footer, 2, &file->dictionaries);
    ArrowBlock *batch = parse_blocks(p, &footer, 3, &count);
    if (flat.broken)
        return error_set(p->err, ERROR_PARSE, "broken file: its footer makes no sense");
    arrow_begin_words(p);
    for (size_t i = 0; i < file->dictionaries; i++)
        if (!arrow_parse_dictionary(p, &file->dictionary[i], i))
            return false;
    p->free = 0;
    file->batch = ARENA_NEW(&file->arena, ArrowBatch, count + 1);
    for (size_t i = 0; i < count; i++)
        if (!arrow_parse_batch(p, &batch[i], i))
            return false;
    return arrow_finish_words(p);
}

bool arrow_parse(ArrowFile *f, const uint8_t *at, size_t size, Error *err)
{
    *f = (ArrowFile){0};
    ArrowParse p = {.file = f, .at = at, .size = size, .err = err};
    bool ok = starts_with(&p, "\xff\xff\xff\xff") ? arrow_parse_stream(&p) : parse_file(&p);
    arrow_release_words(&p);
    if (!ok)
        arrow_release(f);
    return ok;
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
