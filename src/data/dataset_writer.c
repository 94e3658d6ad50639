/* dataset_writer.c -- chunks of any size in, one dataset file out.
 *
 * Every column collects its rows in buffers of CHUNK_ROWS; when they are full they are profiled,
 * hashed and written, a task per two columns. Text is numbered by words; when words hardly repeat,
 * or are so many that the dictionaries would not fit into WORDS_MEMORY, the column turns to plain
 * text. That is decided after the first chunk; where it shows only later, the chunks on disk are
 * written once more. So the memory taken does not grow with the rows, but for some 60 bytes a column
 * and chunk (where its buffers lie). See dataset_int.h for the footer and the hashes. */
#include "writer_int.h"

#include <unistd.h>

#define PLAIN_WORDS  256                 /* fewer words than this are always a dictionary */
#define MANY_WORDS   (1 << 18)           /* from here on a grown dictionary is looked at again */
#define WAITS_MOST   (64 << 20)          /* bytes of a chunk that is put while the next is filled */
#define WORDS_MEMORY ((size_t)512 << 20) /* what all dictionaries may take while one is written */

/* ---- from words to plain text --------------------------------------------------------------------------- */

static uint64_t counted_rows(const WriterColumn *c)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < c->table.count; i++)
        sum += c->count[i];
    return sum;
}

/* About what a column's words take: text, counts, places, and slots that are a quarter to half full. */
static size_t words_memory(const WriterColumn *c)
{
    size_t words = c->table.count;
    return words ? (size_t)c->table.start[words] + words * (8 + 4 + 3 * 8) : 0;
}

/* Its share of the memory; no column has less than a MB. */
static size_t words_share(const DatasetWriter *w)
{
    size_t texts = 0, least = (size_t)1 << 20;
    for (size_t i = 0; i < w->schema.count; i++)
        texts += w->column[i].type == COLUMN_TEXT;
    return texts && w->words_memory / texts > least ? w->words_memory / texts : least;
}

static bool hardly_repeats(const DatasetWriter *w, const WriterColumn *c)
{
    size_t words = c->table.count;
    if (words_memory(c) > words_share(w))
        return true;
    if (w->chunks.count == 0)
        return words > PLAIN_WORDS && 2 * words > counted_rows(c);
    return words > MANY_WORDS && 4 * words > counted_rows(c);
}

/* Column i goes on as plain text; what is known of it moves to the profiler. */
static bool turn_plain(DatasetWriter *w, size_t i, Error *err)
{
    WriterColumn *c = &w->column[i];
    Words words;
    wordtable_words(&c->table, &words);
    c->profiler = column_profiler_create(COLUMN_TEXT);
    column_profiler_add_words(c->profiler, &words, c->count);
    column_profiler_add_missing(c->profiler, c->words_missing);
    c->counted = true;
    c->plain = true;
    bool ok = w->chunks.count == 0 || writer_rewrite(w, i, err);
    writer_expand(c, c->values, c->missing ? c->valid : NULL, w->filled, c->values);
    wordtable_release(&c->table);
    mem_free(c->count);
    mem_free(c->remap);
    c->count = NULL;
    c->remap = NULL;
    c->count_room = c->remap_room = 0;
    return ok;
}

/* ---- adding ------------------------------------------------------------------------------------------------ */

static bool check_overflow(DatasetWriter *w, Error *err)
{
    for (size_t i = 0; i < w->schema.count; i++)
        if (w->column[i].overflow) {
            w->failed = true;
            return error_set(err, ERROR_SPACE,
                             "column %s: more than 2 GB of text in %d rows; leave it out",
                             w->column[i].name, CHUNK_ROWS);
        }
    return true;
}

static void make_memory(uint8_t **valid, void **values)
{
    *valid = mem_alloc(bit_bytes(CHUNK_ROWS) + 8);
    *values = mem_alloc((size_t)(CHUNK_ROWS + 1) * 8);
}

/* Empty again; in other memory where the chunk that filled this is still being put. */
static void begin_column(WriterColumn *c, bool waits)
{
    if (waits) {
        if (!c->other.valid)
            make_memory(&c->other.valid, &c->other.values);
        WriterColumn put = *c;
        c->valid = put.other.valid, c->other.valid = put.valid;
        c->values = put.other.values, c->other.values = put.values;
        c->bytes = put.other.bytes, c->other.bytes = put.bytes;
        c->bytes_room = put.other.bytes_room, c->other.bytes_room = put.bytes_room;
    }
    memset(c->valid, 0, bit_bytes(CHUNK_ROWS));
    memset(c->values, 0, c->type == COLUMN_BOOL ? bit_bytes(CHUNK_ROWS) : sizeof(int32_t));
    c->missing = 0;
}

static bool flush(DatasetWriter *w, Error *err)
{
    if (!writer_end_chunk(w, err)) /* the one before */
        return false;
    for (size_t i = 0; i < w->schema.count; i++) {
        WriterColumn *c = &w->column[i];
        if (c->type == COLUMN_TEXT && !c->plain && hardly_repeats(w, c) && !turn_plain(w, i, err))
            return false;
    }
    if (!check_overflow(w, err))
        return false;
    for (size_t i = 0; i < w->schema.count; i++)
        writer_describe(&w->column[i], w->filled);
    if (!writer_put_chunk(w, w->filled, true, err))
        return false;
    bool waits = w->waits && w->putting.size <= WAITS_MOST;
    if (!waits && !writer_end_chunk(w, err))
        return false;
    for (size_t i = 0; i < w->schema.count; i++)
        begin_column(&w->column[i], waits);
    w->filled = 0;
    return true;
}

Along *dataset_writer_along(DatasetWriter *w)
{
    w->waits = true;
    return &w->along;
}

static bool check_chunk(const DatasetWriter *w, const Chunk *c, Error *err)
{
    if (w->failed)
        return error_set(err, ERROR_IO, "%s: writing has failed before", w->dir);
    if (c->columns != w->schema.count)
        return error_set(err, ERROR_SHAPE, "a chunk of %zu columns for a dataset of %zu",
                         c->columns, w->schema.count);
    for (size_t i = 0; i < c->columns; i++)
        if (c->column[i].type != w->schema.field[i].type || c->column[i].rows != c->rows)
            return error_set(err, ERROR_SHAPE, "column %s: %zu rows of %s, expected %zu of %s",
                             w->schema.field[i].name, c->column[i].rows,
                             column_type_name(c->column[i].type), c->rows,
                             column_type_name(w->schema.field[i].type));
    return true;
}

/* As many rows as fit from chunk[*at], row *from on; moves them behind what was taken. */
static void take_pieces(DatasetWriter *w, const Chunk *chunk, size_t chunks, size_t *at,
                        size_t *from, Adding *out)
{
    out->pieces.count = 0;
    while (*at < chunks && w->filled < CHUNK_ROWS) {
        size_t room = CHUNK_ROWS - w->filled, left = chunk[*at].rows - *from;
        size_t rows = left < room ? left : room;
        if (rows)
            vec_add(&out->pieces, (AddPiece){&chunk[*at], *from, rows, w->filled});
        w->filled += rows;
        w->rows += rows;
        *from += rows;
        if (*from == chunk[*at].rows) {
            ++*at;
            *from = 0;
        }
    }
}

bool dataset_writer_add_all(DatasetWriter *w, const Chunk *chunk, size_t chunks, Error *err)
{
    Adding adding = {.w = w};
    bool ok = true;
    for (size_t i = 0; i < chunks && ok; i++)
        ok = check_chunk(w, &chunk[i], err);
    for (size_t at = 0, from = 0; ok && at < chunks;) {
        take_pieces(w, chunk, chunks, &at, &from, &adding);
        pool_run(w->pool, w->schema.count, writer_add_column, &adding);
        ok = check_overflow(w, err) && (w->filled < CHUNK_ROWS || flush(w, err));
    }
    vec_release(&adding.pieces);
    return ok;
}

bool dataset_writer_add(DatasetWriter *w, const Chunk *c, Error *err)
{
    return dataset_writer_add_all(w, c, 1, err);
}

/* ---- finishing ---------------------------------------------------------------------------------------------- */

static void finish_profile(void *job, size_t i, size_t worker)
{
    DatasetWriter *w = job;
    WriterColumn *c = &w->column[i];
    if (c->profiler) {
        column_profiler_finish(c->profiler, c->name, &c->arena, &c->profile);
    } else {
        Words words;
        wordtable_words(&c->table, &words);
        column_profile_words(&words, c->count, c->words_missing, c->name, &c->arena, &c->profile);
    }
    w->schema.field[i].nullable = c->profile.missing > 0;
    (void)worker;
}

bool dataset_writer_finish(DatasetWriter *w, char hash[65], Error *err)
{
    if (w->failed)
        return error_set(err, ERROR_IO, "%s: writing has failed before", w->dir);
    if ((w->filled && !flush(w, err)) || !writer_end_chunk(w, err))
        return false;
    if (w->at == 0 && !writer_put_start(w, err))
        return false;
    pool_run(w->pool, w->schema.count, finish_profile, w);
    for (size_t i = 0; i < w->schema.count; i++)
        if (w->column[i].type == COLUMN_TEXT && !w->column[i].plain &&
            !writer_put_dictionary(w, i, err))
            return false;
    w->failed = true; /* whatever comes, this is the end of adding */
    return writer_put_footer(w, hash, err) && writer_settle(w, hash, err);
}

/* ---- life --------------------------------------------------------------------------------------------------- */

static bool check_schema(const Schema *s, Error *err)
{
    if (s->count == 0)
        return error_set(err, ERROR_SHAPE, "a dataset needs at least one column");
    for (size_t i = 0; i < s->count; i++) {
        const char *name = s->field[i].name;
        if (!utf8_valid(name, strlen(name)))
            return error_set(err, ERROR_PARSE, "the name of column %zu is no UTF-8", i + 1);
        for (size_t k = 0; k < i; k++)
            if (strcmp(name, s->field[k].name) == 0)
                return error_set(err, ERROR_SHAPE, "two columns are named %s", name);
    }
    return true;
}

DatasetWriter *dataset_writer_create(const char *dir, const Schema *s, Pool *pool, Error *err)
{
    if (!check_schema(s, err))
        return NULL;
    DatasetWriter *w = mem_alloc(sizeof *w);
    w->dir = text_copy(dir);
    w->pool = pool;
    w->file = -1;
    w->words_memory = WORDS_MEMORY;
    pthread_mutex_init(&w->queue.lock, NULL);
    schema_copy(&w->schema, s);
    w->column = mem_alloc((s->count + 1) * sizeof *w->column);
    if (!writer_open_file(w, err)) {
        dataset_writer_destroy(w);
        return NULL;
    }
    for (size_t i = 0; i < s->count; i++) {
        WriterColumn *c = &w->column[i];
        c->type = s->field[i].type;
        c->name = w->schema.field[i].name;
        make_memory(&c->valid, &c->values);
        if (c->type != COLUMN_TEXT)
            c->profiler = column_profiler_create(c->type);
    }
    return w;
}

void dataset_writer_destroy(DatasetWriter *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->schema.count; i++) {
        WriterColumn *c = &w->column[i];
        mem_free(c->valid);
        mem_free(c->values);
        mem_free(c->bytes);
        mem_free(c->other.valid);
        mem_free(c->other.values);
        mem_free(c->other.bytes);
        mem_free(c->count);
        mem_free(c->remap);
        wordtable_release(&c->table);
        column_profiler_destroy(c->profiler);
        arena_release(&c->arena);
    }
    for (size_t i = 0; i < w->chunks.count; i++)
        writer_forget_chunk(&w->chunks.at[i]);
    vec_release(&w->queue.ready);
    pthread_mutex_destroy(&w->queue.lock);
    vec_release(&w->chunks);
    vec_release(&w->dictionaries);
    vec_release(&w->dictionary_hashes);
    text_release(&w->ranges);
    text_release(&w->putting.head);
    if (w->file >= 0)
        close(w->file);
    if (w->path && w->path[0])
        unlink(w->path);
    mem_free(w->column);
    mem_free(w->path);
    mem_free(w->dir);
    schema_release(&w->schema);
    mem_free(w);
}
