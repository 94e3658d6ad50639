/* arrow_writer.c -- a table as an Arrow IPC file or stream for other programs: a batch a chunk, buffers
 * packed if asked for. A column whose chunks are known to share their words is written with that
 * dictionary, before the first batch; other text is written as it is. */
#include "arrow_int.h"
#include "table_writer_int.h"

#include <lz4frame.h>
#include <zstd.h>

typedef struct Made { /* a buffer of a column of the batch */
    const void *at;
    size_t size;
    void *own; /* at, if it is to be freed */
} Made;

typedef struct ArrowState {
    TableWriter *w;
    bool stream;
    bool *plain; /* [columns] */
    VEC(ArrowBlock) batches, dictionaries;
    /* the batch being made */
    const Chunk *chunk;
    Made (*made)[3];  /* [columns] */
    int64_t *missing; /* [columns] */
    const char **why; /* [columns] what failed, or NULL */
} ArrowState;

/* ---- buffers -------------------------------------------------------------------------------------- */

static void *owned(Made *m, size_t size)
{
    m->own = mem_alloc(size + 8);
    m->at = m->own;
    m->size = size;
    return m->own;
}

/* int64 its length, then packed; what does not shrink stays as it is, with -1 before it. */
static void pack(const char *compress, Made *m)
{
    if (!m->size)
        return;
    bool zstd = strcmp(compress, "zstd") == 0;
    size_t most = zstd ? ZSTD_compressBound(m->size) : LZ4F_compressFrameBound(m->size, NULL);
    uint8_t *to = mem_alloc(8 + (most > m->size ? most : m->size));
    size_t n = zstd ? ZSTD_compress(to + 8, most, m->at, m->size, 1)
                    : LZ4F_compressFrame(to + 8, most, m->at, m->size, NULL);
    int64_t length = (int64_t)m->size;
    if ((zstd ? ZSTD_isError(n) : LZ4F_isError(n)) || n >= m->size) {
        length = -1;
        n = m->size;
        memcpy(to + 8, m->at, n);
    }
    memcpy(to, &length, 8);
    mem_free(m->own);
    *m = (Made){to, 8 + n, to};
}

static void make_text(const Column *c, Made *start, Made *bytes)
{
    size_t total = 0, n;
    int32_t *at = owned(start, (c->rows + 1) * 4);
    for (size_t i = 0; i < c->rows; i++) {
        if (column_has(c, i))
            column_text(c, i, &n), total += n;
        at[i + 1] = (int32_t)total;
    }
    char *to = owned(bytes, total);
    for (size_t i = 0; i < c->rows; i++)
        if (column_has(c, i)) {
            const char *s = column_text(c, i, &n);
            memcpy(to + at[i], s, n);
        }
}

static void make_codes(const Column *c, Made *m)
{
    int32_t *to = owned(m, c->rows * 4);
    for (size_t i = 0; i < c->rows; i++)
        to[i] = column_has(c, i) ? c->code[i] : 0;
}

/* Bytes of text in the rows; a batch holds 2 GB of it. */
static uint64_t text_bytes(const Column *c)
{
    uint64_t total = 0;
    size_t n;
    for (size_t i = 0; i < c->rows; i++)
        if (column_has(c, i))
            column_text(c, i, &n), total += n;
    return total;
}

static void make_column(void *job, size_t i, size_t worker)
{
    (void)worker;
    ArrowState *s = job;
    const Column *c = &s->chunk->column[i];
    Made *made = s->made[i];
    size_t present = c->valid ? bits_count(c->valid, 0, c->rows) : c->rows;
    s->missing[i] = (int64_t)(c->rows - present);
    if (present < c->rows)
        bits_copy(owned(&made[0], bit_bytes(c->rows)), 0, c->valid, 0, c->rows);
    if (c->type == COLUMN_TEXT && s->plain[i]) {
        if (text_bytes(c) > INT32_MAX)
            s->why[i] = "more than 2 GB of text in one batch";
        else
            make_text(c, &made[1], &made[2]);
    } else if (c->type == COLUMN_TEXT) {
        if (c->words != s->w->words[i])
            s->why[i] = "its words are not those of the table";
        else
            make_codes(c, &made[1]);
    } else if (c->type == COLUMN_BOOL) {
        bits_copy(owned(&made[1], bit_bytes(c->rows)), 0, c->bit, 0, c->rows);
    } else {
        made[1] = (Made){c->integer, c->rows * column_width(c->type), NULL};
    }
    for (size_t k = 0; k < 3 && strcmp(s->w->compress, "none") != 0; k++)
        pack(s->w->compress, &made[k]);
}

/* ---- blocks --------------------------------------------------------------------------------------- */

static ArrowPacking packing_of(const TableWriter *w)
{
    return strcmp(w->compress, "zstd") == 0  ? ARROW_ZSTD
           : strcmp(w->compress, "lz4") == 0 ? ARROW_LZ4
                                             : ARROW_UNPACKED;
}

/* Head and buffers, in whole lines of 64 bytes. */
static bool put_block(ArrowState *s, int64_t id, size_t rows, const ArrowNode *node, size_t nodes,
                      const Made *made, size_t count, Error *err)
{
    static const char zero[ARROW_ALIGN];
    ArrowSpan *span = mem_alloc((count + 1) * sizeof *span);
    Text head = {0};
    int64_t body = 0;
    for (size_t i = 0; i < count; i++) {
        span[i] = (ArrowSpan){body, (int64_t)made[i].size};
        body += (int64_t)arrow_pad(made[i].size);
    }
    arrow_put_packed_head(&head, id, (int64_t)rows, node, nodes, span, count, body,
                          packing_of(s->w));
    ArrowBlock block = {(int64_t)s->w->at, (int64_t)head.count, body};
    bool ok = table_put(s->w, head.at, head.count, err);
    for (size_t i = 0; i < count && ok; i++)
        ok = (!made[i].size || table_put(s->w, made[i].at, made[i].size, err)) &&
             table_put(s->w, zero, (size_t)arrow_pad(made[i].size) - made[i].size, err);
    if (ok && id >= 0)
        vec_add(&s->dictionaries, block);
    else if (ok)
        vec_add(&s->batches, block);
    text_release(&head);
    mem_free(span);
    return ok;
}

static bool put_dictionary(ArrowState *s, size_t i, Error *err)
{
    const Words *w = s->w->words[i];
    Made made[3] = {{0}};
    size_t bytes = w->count ? (size_t)(w->start[w->count] - w->start[0]) : 0;
    int32_t *start = owned(&made[1], (w->count + 1) * 4);
    for (size_t k = 0; k <= w->count && w->count; k++)
        start[k] = w->start[k] - w->start[0];
    made[2] = (Made){bytes ? w->bytes + w->start[0] : NULL, bytes, NULL};
    for (size_t k = 0; k < 3 && strcmp(s->w->compress, "none") != 0; k++)
        pack(s->w->compress, &made[k]);
    bool ok =
        put_block(s, (int64_t)i, w->count, &(ArrowNode){(int64_t)w->count, 0}, 1, made, 3, err);
    for (size_t k = 0; k < 3; k++)
        mem_free(made[k].own);
    return ok;
}

static bool put_start(ArrowState *s, Error *err)
{
    Text head = {0};
    if (s->stream)
        arrow_put_schema(&head, &s->w->schema, s->plain);
    else
        arrow_put_start(&head, &s->w->schema, s->plain);
    bool ok = table_put(s->w, head.at, head.count, err);
    text_release(&head);
    for (size_t i = 0; i < s->w->schema.count && ok; i++)
        if (s->w->schema.field[i].type == COLUMN_TEXT && !s->plain[i])
            ok = put_dictionary(s, i, err);
    return ok;
}

/* ---- the writer ----------------------------------------------------------------------------------- */

static void release(void *state)
{
    ArrowState *s = state;
    vec_release(&s->batches);
    vec_release(&s->dictionaries);
    mem_free(s->plain);
    mem_free(s->made);
    mem_free(s->missing);
    mem_free(s->why);
    mem_free(s);
}

static void *begin_as(TableWriter *w, bool stream, Error *err)
{
    ArrowState *s = mem_alloc(sizeof *s);
    size_t n = w->schema.count;
    *s = (ArrowState){.w = w, .stream = stream};
    s->plain = mem_alloc(n + 1);
    s->made = mem_alloc((n + 1) * sizeof *s->made);
    s->missing = mem_alloc((n + 1) * sizeof *s->missing);
    s->why = mem_alloc((n + 1) * sizeof *s->why);
    for (size_t i = 0; i < n; i++)
        s->plain[i] = !w->words[i];
    if (put_start(s, err))
        return s;
    release(s);
    return NULL;
}

static void *begin_file(TableWriter *w, Error *err)
{
    return begin_as(w, false, err);
}

static void *begin_stream(TableWriter *w, Error *err)
{
    return begin_as(w, true, err);
}

static bool put_batch(ArrowState *s, const Chunk *c, Error *err)
{
    Made *flat = mem_alloc((3 * c->columns + 1) * sizeof *flat);
    ArrowNode *node = mem_alloc((c->columns + 1) * sizeof *node);
    size_t count = 0;
    bool ok = true;
    for (size_t i = 0; i < c->columns && ok; i++) {
        size_t buffers = c->column[i].type == COLUMN_TEXT && s->plain[i] ? 3 : 2;
        node[i] = (ArrowNode){(int64_t)c->rows, s->missing[i]};
        for (size_t k = 0; k < buffers; k++)
            flat[count++] = s->made[i][k];
        if (s->why[i])
            ok = error_set(err, ERROR_SPACE, "column %s: %s", c->column[i].name, s->why[i]);
    }
    ok = ok && put_block(s, -1, c->rows, node, c->columns, flat, count, err);
    mem_free(flat);
    mem_free(node);
    return ok;
}

static bool add(TableWriter *w, const Chunk *c, Error *err)
{
    ArrowState *s = w->state;
    memset(s->made, 0, c->columns * sizeof *s->made);
    s->chunk = c;
    pool_run(w->pool, c->columns, make_column, s);
    bool ok = put_batch(s, c, err);
    for (size_t i = 0; i < c->columns; i++)
        for (size_t k = 0; k < 3; k++)
            mem_free(s->made[i][k].own);
    return ok;
}

static bool finish(TableWriter *w, Error *err)
{
    static const uint32_t end_of_stream[2] = {UINT32_MAX, 0};
    ArrowState *s = w->state;
    Text end = {0};
    if (s->stream)
        return table_put(w, end_of_stream, 8, err);
    arrow_put_end(&end, &w->schema, s->plain, NULL, 0, s->dictionaries.at, s->dictionaries.count,
                  s->batches.at, s->batches.count);
    bool ok = table_put(w, end.at, end.count, err);
    text_release(&end);
    return ok;
}

const TableFormat arrow_table = {
    .name = "arrow",
    .endings = {".arrow", ".feather", ".ipc"},
    .compress = {"none", "zstd", "lz4"},
    .begin = begin_file,
    .add = add,
    .finish = finish,
    .release = release,
};

const TableFormat arrows_table = {
    .name = "arrows",
    .endings = {".arrows"},
    .compress = {"none", "zstd", "lz4"},
    .begin = begin_stream,
    .add = add,
    .finish = finish,
    .release = release,
};
