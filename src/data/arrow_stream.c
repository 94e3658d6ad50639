/* arrow_stream.c -- an Arrow IPC stream: messages one after another, from the schema on.
 *
 *     ff ff ff ff, int32 length of the head, the head, the body; length 0: the end
 *
 * The end may also be that of the bytes, but only behind a whole message. */
#include "arrow_parse.h"

/* The message at `at`; false with err untouched at the end of the stream. */
static bool next_message(ArrowParse *p, uint64_t at, ArrowBlock *block, Flat *flat, bool *end)
{
    uint32_t frame[2] = {0};
    size_t left = p->size - (size_t)at;
    *end = left == 0;
    if (*end)
        return true;
    if (left < 8)
        return error_set(p->err, ERROR_PARSE,
                         "truncated: the stream ends inside a message, at byte %zu", p->size);
    memcpy(frame, p->at + at, 8);
    if (frame[0] != UINT32_MAX)
        return error_set(p->err, ERROR_PARSE, "broken stream: no message begins at byte %zu",
                         (size_t)at);
    *end = frame[1] == 0;
    if (*end)
        return true;
    if (frame[1] > left - 8)
        return error_set(p->err, ERROR_PARSE,
                         "truncated: a message's head has %u bytes, the stream has %zu more",
                         frame[1], left - 8);
    *flat = (Flat){p->at + at + 8, frame[1], false};
    FlatTable message = flat_root(flat);
    int64_t body = flat_get(&message, 3, 8, 0);
    if (flat->broken || body < 0 || (uint64_t)body > left - 8 - frame[1])
        return flat->broken
                   ? error_set(p->err, ERROR_PARSE,
                               "broken stream: the message at byte %zu makes no sense", (size_t)at)
                   : error_set(p->err, ERROR_PARSE,
                               "truncated: a message at byte %zu has more bytes than the stream",
                               (size_t)at);
    *block = (ArrowBlock){(int64_t)at, 8 + (int64_t)frame[1], body};
    return true;
}

static bool parse_head_schema(ArrowParse *p, uint64_t *at)
{
    ArrowBlock block;
    Flat flat;
    bool end;
    if (!next_message(p, 0, &block, &flat, &end))
        return false;
    FlatTable message = end ? (FlatTable){0} : flat_root(&flat);
    FlatTable schema = flat_table(&message, 2);
    if (end || flat_get(&message, 1, 1, 0) != ARROW_HEAD_SCHEMA || !schema.flat)
        return error_set(p->err, ERROR_PARSE, "broken stream: it does not begin with a schema");
    if (!arrow_parse_schema(p, &schema))
        return flat.broken
                   ? error_set(p->err, ERROR_PARSE, "broken stream: its schema makes no sense")
                   : false;
    p->file->ours = false; /* our own files are files */
    *at = (uint64_t)(block.head + block.body);
    return true;
}

static void room_for_batch(ArrowFile *file, size_t *room)
{
    if (file->batches < *room)
        return;
    *room = *room ? 2 * *room : 16;
    ArrowBatch *batch = ARENA_NEW(&file->arena, ArrowBatch, *room);
    if (file->batches)
        memcpy(batch, file->batch, file->batches * sizeof *batch);
    file->batch = batch;
}

bool arrow_parse_stream(ArrowParse *p)
{
    uint64_t at = 0;
    size_t room = 0, batches = 0, dictionaries = 0;
    bool end = false;
    if (!parse_head_schema(p, &at))
        return false;
    arrow_begin_words(p);
    for (;;) {
        ArrowBlock block;
        Flat flat;
        if (!next_message(p, at, &block, &flat, &end))
            return false;
        if (end)
            return arrow_finish_words(p);
        FlatTable message = flat_root(&flat);
        int64_t kind = flat_get(&message, 1, 1, 0);
        room_for_batch(p->file, &room);
        if (kind != ARROW_HEAD_BATCH && kind != ARROW_HEAD_DICTIONARY)
            return error_set(p->err, ERROR_PARSE,
                             "broken stream: the message at byte %zu is of another kind",
                             (size_t)at);
        if (kind == ARROW_HEAD_BATCH ? !arrow_parse_batch(p, &block, batches++)
                                     : !arrow_parse_dictionary(p, &block, dictionaries++))
            return false;
        at += (uint64_t)(block.head + block.body);
    }
}
