/* arrow_write.c -- the heads of an Arrow IPC file: schema, batches, dictionaries, footer.
 * What stands where in the file is drawn in arrow_int.h; the bodies are the dataset writer's. */
#include "arrow_int.h"

enum { MILLISECOND = 1, MICROSECOND = 2, DOUBLE = 2, DAY = 0 }; /* units and precisions */

static FlatRef int_type(FlatBuild *b, int bits)
{
    flat_begin(b);
    flat_int(b, 0, 4, bits);
    flat_int(b, 1, 1, true); /* is_signed */
    return flat_end(b);
}

static FlatRef unit_type(FlatBuild *b, int64_t unit) /* FloatingPoint and Date alike */
{
    flat_begin(b);
    flat_int(b, 0, 2, unit);
    return flat_end(b);
}

static FlatRef utc_type(FlatBuild *b)
{
    FlatRef zone = flat_text(b, "UTC", 3);
    flat_begin(b);
    flat_ref(b, 1, zone);
    flat_int(b, 0, 2, MICROSECOND);
    return flat_end(b);
}

static FlatRef empty_type(FlatBuild *b) /* Bool and Utf8 */
{
    flat_begin(b);
    return flat_end(b);
}

static FlatRef put_type(FlatBuild *b, ColumnType type, int *tag)
{
    switch (type) {
    case COLUMN_BOOL:
        *tag = ARROW_BOOL;
        return empty_type(b);
    case COLUMN_INT:
        *tag = ARROW_INT;
        return int_type(b, 64);
    case COLUMN_REAL:
        *tag = ARROW_FLOAT;
        return unit_type(b, DOUBLE);
    case COLUMN_TIME:
        *tag = ARROW_TIMESTAMP;
        return utc_type(b);
    case COLUMN_DATE:
        *tag = ARROW_DATE;
        return unit_type(b, DAY);
    default:
        *tag = ARROW_UTF8;
        return empty_type(b);
    }
}

static FlatRef put_dictionary(FlatBuild *b, int64_t id)
{
    FlatRef index = int_type(b, 32);
    flat_begin(b);
    flat_int(b, 0, 8, id);
    flat_ref(b, 1, index);
    return flat_end(b);
}

static FlatRef put_field(FlatBuild *b, const Field *f, int64_t id)
{
    int tag;
    FlatRef name = flat_text(b, f->name, strlen(f->name));
    FlatRef type = put_type(b, f->type, &tag);
    FlatRef dictionary = id >= 0 ? put_dictionary(b, id) : 0;
    FlatRef children = flat_refs(b, NULL, 0); /* some readers want the empty list */
    flat_begin(b);
    flat_ref(b, 0, name);
    flat_ref(b, 3, type);
    flat_ref(b, 4, dictionary);
    flat_ref(b, 5, children);
    flat_int(b, 1, 1, true); /* nullable: whether it has missing values is in our own schema */
    flat_int(b, 2, 1, tag);
    return flat_end(b);
}

static FlatRef put_metas(FlatBuild *b, const ArrowMeta *meta, size_t n)
{
    FlatRef *refs = mem_alloc((n + 1) * sizeof *refs);
    for (size_t i = 0; i < n; i++) {
        FlatRef key = flat_text(b, meta[i].key, strlen(meta[i].key));
        FlatRef value = flat_text(b, meta[i].value, meta[i].size);
        flat_begin(b);
        flat_ref(b, 0, key);
        flat_ref(b, 1, value);
        refs[i] = flat_end(b);
    }
    FlatRef list = flat_refs(b, refs, n);
    mem_free(refs);
    return list;
}

static FlatRef put_schema(FlatBuild *b, const Schema *s, const bool *plain, const ArrowMeta *meta,
                          size_t metas)
{
    FlatRef *refs = mem_alloc((s->count + 1) * sizeof *refs);
    for (size_t i = 0; i < s->count; i++) {
        bool words = s->field[i].type == COLUMN_TEXT && !plain[i];
        refs[i] = put_field(b, &s->field[i], words ? (int64_t)i : -1);
    }
    FlatRef fields = flat_refs(b, refs, s->count);
    FlatRef list = metas ? put_metas(b, meta, metas) : 0;
    mem_free(refs);
    flat_begin(b);
    flat_ref(b, 1, fields);
    flat_ref(b, 2, list);
    flat_int(b, 0, 2, 0); /* little endian */
    return flat_end(b);
}

/* Closes a message: its frame, then zeros so that `before` bytes and the block fill whole lines. */
static void put_message(FlatBuild *b, int kind, FlatRef head, int64_t body, size_t before,
                        Text *into)
{
    static const char zero[ARROW_ALIGN];
    flat_begin(b);
    flat_int(b, 3, 8, body);
    flat_ref(b, 2, head);
    flat_int(b, 0, 2, ARROW_V5);
    flat_int(b, 1, 1, kind);
    FlatRef root = flat_end(b);
    size_t n;
    const uint8_t *bytes = flat_finish(b, root, &n);
    size_t whole = arrow_pad(before + 8 + n) - before;
    uint32_t frame[2] = {UINT32_MAX, (uint32_t)(whole - 8)};
    text_add(into, (const char *)frame, 8);
    text_add(into, (const char *)bytes, n);
    text_add(into, zero, whole - 8 - n);
    flat_release(b);
}

static void put_schema_message(Text *into, const Schema *s, const bool *plain, size_t before)
{
    FlatBuild b = {0};
    FlatRef schema = put_schema(&b, s, plain, NULL, 0);
    put_message(&b, ARROW_HEAD_SCHEMA, schema, 0, before, into);
}

void arrow_put_start(Text *into, const Schema *s, const bool *plain)
{
    text_add(into, ARROW_MAGIC "\0\0", 8);
    put_schema_message(into, s, plain, 8);
}

void arrow_put_schema(Text *into, const Schema *s, const bool *plain)
{
    put_schema_message(into, s, plain, 0);
}

static FlatRef put_packing(FlatBuild *b, ArrowPacking packing) /* buffer by buffer */
{
    flat_begin(b);
    flat_int(b, 0, 1, packing);
    return flat_end(b);
}

void arrow_put_packed_head(Text *into, int64_t id, int64_t rows, const ArrowNode *node, size_t nodes,
                           const ArrowSpan *span, size_t spans, int64_t body, ArrowPacking packing)
{
    FlatBuild b = {0};
    FlatRef packed = packing == ARROW_UNPACKED ? 0 : put_packing(&b, packing);
    FlatRef buffers = flat_structs(&b, span, sizeof *span, spans);
    FlatRef lengths = flat_structs(&b, node, sizeof *node, nodes);
    flat_begin(&b);
    flat_int(&b, 0, 8, rows);
    flat_ref(&b, 1, lengths);
    flat_ref(&b, 2, buffers);
    flat_ref(&b, 3, packed);
    FlatRef head = flat_end(&b);
    if (id >= 0) {
        flat_begin(&b);
        flat_int(&b, 0, 8, id);
        flat_ref(&b, 1, head);
        head = flat_end(&b);
    }
    put_message(&b, id >= 0 ? ARROW_HEAD_DICTIONARY : ARROW_HEAD_BATCH, head, body, 0, into);
}

void arrow_put_head(Text *into, int64_t id, int64_t rows, const ArrowNode *node, size_t nodes,
                    const ArrowSpan *span, size_t spans, int64_t body)
{
    arrow_put_packed_head(into, id, rows, node, nodes, span, spans, body, ARROW_UNPACKED);
}

static FlatRef put_blocks(FlatBuild *b, const ArrowBlock *block, size_t n)
{
    struct {
        int64_t offset;
        int32_t head, pad;
        int64_t body;
    } *list = mem_alloc((n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        list[i].offset = block[i].offset;
        list[i].head = (int32_t)block[i].head;
        list[i].body = block[i].body;
    }
    FlatRef ref = flat_structs(b, list, sizeof *list, n);
    mem_free(list);
    return ref;
}

void arrow_put_end(Text *into, const Schema *s, const bool *plain, const ArrowMeta *meta,
                   size_t metas, const ArrowBlock *dictionary, size_t dictionaries,
                   const ArrowBlock *batch, size_t batches)
{
    static const uint32_t end_of_stream[2] = {UINT32_MAX, 0};
    FlatBuild b = {0};
    FlatRef schema = put_schema(&b, s, plain, meta, metas);
    FlatRef dictionary_list = put_blocks(&b, dictionary, dictionaries);
    FlatRef batch_list = put_blocks(&b, batch, batches);
    flat_begin(&b);
    flat_ref(&b, 1, schema);
    flat_ref(&b, 2, dictionary_list);
    flat_ref(&b, 3, batch_list);
    flat_int(&b, 0, 2, ARROW_V5);
    FlatRef root = flat_end(&b);
    size_t n;
    const uint8_t *bytes = flat_finish(&b, root, &n);
    int32_t size = (int32_t)n;
    text_add(into, (const char *)end_of_stream, 8);
    text_add(into, (const char *)bytes, n);
    text_add(into, (const char *)&size, 4);
    text_add(into, ARROW_MAGIC, 6);
    flat_release(&b);
}
