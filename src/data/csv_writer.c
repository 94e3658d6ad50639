/* csv_writer.c -- a table as CSV: a task prints and packs a stretch of rows, in the order of the rows.
 * Packed, each stretch is a gzip member or Zstandard frame of its own, which may follow one another. */
#include "table_writer_int.h"

#include <zlib.h>
#include <zstd.h>

#define STRETCH 8192

typedef struct CsvState {
    VEC(Text) text; /* one a stretch */
    const Chunk *chunk;
    const char *compress;
} CsvState;

static void pack_gzip(Text *text)
{
    z_stream z = {0};
    Text to = {0};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return; /* out of memory aborts below, in mem_alloc */
    to.room = deflateBound(&z, text->count) + 1;
    to.at = mem_alloc(to.room);
    z.next_in = (Bytef *)text->at;
    z.avail_in = (uInt)text->count;
    z.next_out = (Bytef *)to.at;
    z.avail_out = (uInt)to.room;
    deflate(&z, Z_FINISH);
    to.count = z.total_out;
    deflateEnd(&z);
    text_release(text);
    *text = to;
}

static void pack_zstd(Text *text)
{
    Text to = {.room = ZSTD_compressBound(text->count)};
    to.at = mem_alloc(to.room + 1);
    to.count = ZSTD_compress(to.at, to.room, text->at, text->count, 3);
    text_release(text);
    *text = to;
}

static void pack(const CsvState *s, Text *text)
{
    if (!text->count)
        return;
    if (strcmp(s->compress, "gzip") == 0)
        pack_gzip(text);
    else if (strcmp(s->compress, "zstd") == 0)
        pack_zstd(text);
}

static void print_stretch(void *job, size_t i, size_t worker)
{
    (void)worker;
    CsvState *s = job;
    Arena arena = {0};
    Chunk part;
    size_t from = i * STRETCH, rows = s->chunk->rows - from;
    chunk_slice(s->chunk, from, rows < STRETCH ? rows : STRETCH, &arena, &part);
    text_reset(&s->text.at[i]);
    csv_print(&part, ',', &s->text.at[i]);
    pack(s, &s->text.at[i]);
    arena_release(&arena);
}

static void *begin(TableWriter *w, Error *err)
{
    CsvState *s = mem_alloc(sizeof *s);
    Column *column = mem_alloc((w->schema.count + 1) * sizeof *column);
    Text head = {0};
    s->compress = w->compress;
    for (size_t i = 0; i < w->schema.count; i++)
        column[i].name = w->schema.field[i].name;
    csv_print_header(&(Chunk){.columns = w->schema.count, .column = column}, ',', &head);
    pack(s, &head);
    bool ok = table_put(w, head.at, head.count, err);
    text_release(&head);
    mem_free(column);
    if (ok)
        return s;
    mem_free(s);
    return NULL;
}

static bool add(TableWriter *w, const Chunk *c, Error *err)
{
    CsvState *s = w->state;
    size_t stretches = (c->rows + STRETCH - 1) / STRETCH;
    bool ok = true;
    while (s->text.count < stretches)
        vec_add(&s->text, (Text){0});
    s->chunk = c;
    pool_run(w->pool, stretches, print_stretch, s);
    for (size_t i = 0; i < stretches && ok; i++)
        ok = table_put(w, s->text.at[i].at, s->text.at[i].count, err);
    return ok;
}

static bool finish(TableWriter *w, Error *err)
{
    (void)w, (void)err;
    return true;
}

static void release(void *state)
{
    CsvState *s = state;
    for (size_t i = 0; i < s->text.count; i++)
        text_release(&s->text.at[i]);
    vec_release(&s->text);
    mem_free(s);
}

const TableFormat csv_table = {
    .name = "csv",
    .endings = {".csv"},
    .compress = {"none", "gzip", "zstd"},
    .begin = begin,
    .add = add,
    .finish = finish,
    .release = release,
};
