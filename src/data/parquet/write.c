/* write.c -- a table as Parquet: a page a chunk and column, a task each; row groups of some chunks, whose
 * packed pages wait in memory until the group is full. */
#include "write_int.h"

#define GROUP_ROWS ((uint64_t)CHUNK_ROWS * 4)

typedef struct ParquetState {
    TableWriter *w;
    const Chunk *chunk;
    OutColumn *column; /* [columns] */
    uint64_t rows;     /* in the group */
    VEC(WrittenGroup) groups;
} ParquetState;

static int codec_of(const TableWriter *w)
{
    static const struct {
        const char *name;
        int codec;
    } codecs[] = {{"snappy", CODEC_SNAPPY},
                  {"zstd", CODEC_ZSTD},
                  {"gzip", CODEC_GZIP},
                  {"lz4", CODEC_LZ4_RAW}};
    for (size_t i = 0; i < COUNT_OF(codecs); i++)
        if (strcmp(codecs[i].name, w->compress) == 0)
            return codecs[i].codec;
    return CODEC_NONE;
}

static void release(void *state)
{
    ParquetState *s = state;
    for (size_t i = 0; i < s->w->schema.count; i++)
        out_release(&s->column[i]);
    for (size_t g = 0; g < s->groups.count; g++) {
        for (size_t i = 0; i < s->w->schema.count; i++) {
            text_release(&s->groups.at[g].column[i].least);
            text_release(&s->groups.at[g].column[i].most);
        }
        mem_free(s->groups.at[g].column);
    }
    vec_release(&s->groups);
    mem_free(s->column);
    mem_free(s);
}

static void *begin(TableWriter *w, Error *err)
{
    ParquetState *s = mem_alloc(sizeof *s);
    s->w = w;
    s->column = mem_alloc((w->schema.count + 1) * sizeof *s->column);
    for (size_t i = 0; i < w->schema.count; i++) {
        s->column[i].type = w->schema.field[i].type;
        s->column[i].codec = codec_of(w);
    }
    if (table_put(w, PARQUET_MAGIC, 4, err))
        return s;
    release(s);
    return NULL;
}

static void add_page(void *job, size_t i, size_t worker)
{
    (void)worker;
    ParquetState *s = job;
    out_add(&s->column[i], &s->chunk->column[i]);
}

static void end_column(void *job, size_t i, size_t worker)
{
    (void)worker;
    ParquetState *s = job;
    out_dictionary(&s->column[i]);
}

static bool all_well(const ParquetState *s, Error *err)
{
    for (size_t i = 0; i < s->w->schema.count; i++)
        if (s->column[i].why)
            return error_set(err, ERROR_SPACE, "column %s: %s", s->w->schema.field[i].name,
                             s->column[i].why);
    return true;
}

static bool put_column(ParquetState *s, OutColumn *o, WrittenColumn *to, Error *err)
{
    *to = (WrittenColumn){.coded = o->coded,
                          .plain = o->plain,
                          .values = (int64_t)o->rows,
                          .unpacked = (int64_t)o->unpacked,
                          .packed = (int64_t)(o->dictionary.count + o->pages.count)};
    if (o->coded)
        to->dictionary_at = (int64_t)s->w->at;
    to->data_at = (int64_t)(s->w->at + o->dictionary.count);
    out_range(o, to);
    bool ok =
        (!o->dictionary.count || table_put(s->w, o->dictionary.at, o->dictionary.count, err)) &&
        table_put(s->w, o->pages.at, o->pages.count, err);
    out_reset(o);
    return ok;
}

static bool flush(ParquetState *s, Error *err)
{
    TableWriter *w = s->w;
    size_t n = w->schema.count;
    pool_run(w->pool, n, end_column, s);
    if (!all_well(s, err))
        return false;
    WrittenGroup g = {
        .column = mem_alloc((n + 1) * sizeof *g.column), .rows = s->rows, .at = (int64_t)w->at};
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        ok = put_column(s, &s->column[i], &g.column[i], err);
        g.bytes += g.column[i].unpacked;
    }
    vec_add(&s->groups, g);
    s->rows = 0;
    return ok;
}

static bool add(TableWriter *w, const Chunk *c, Error *err)
{
    ParquetState *s = w->state;
    s->chunk = c;
    pool_run(w->pool, c->columns, add_page, s);
    s->rows += c->rows;
    return all_well(s, err) && (s->rows < GROUP_ROWS || flush(s, err));
}

static bool finish(TableWriter *w, Error *err)
{
    ParquetState *s = w->state;
    if (s->rows && !flush(s, err))
        return false;
    Text footer = {0};
    put_footer(&footer, &w->schema, s->groups.at, s->groups.count, codec_of(w), w->rows);
    uint32_t size = (uint32_t)footer.count;
    text_add(&footer, (const char *)&size, 4);
    text_add(&footer, PARQUET_MAGIC, 4);
    bool ok = table_put(w, footer.at, footer.count, err);
    text_release(&footer);
    return ok;
}

const TableFormat parquet_table = {
    .name = "parquet",
    .endings = {".parquet"},
    .compress = {"snappy", "zstd", "gzip", "lz4", "none"},
    .begin = begin,
    .add = add,
    .finish = finish,
    .release = release,
};
