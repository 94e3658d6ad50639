/* dataset_writer.c -- chunks of any size in, one dataset file out.
 *
 * Every column collects its rows in buffers of CHUNK_ROWS; when they are full they are profiled,
 * hashed and written, a task per column. Text is numbered by words; when words hardly repeat the
 * column turns to plain text. That is decided after the first chunk; where it shows only later, the
 * chunks on disk are written once more. See dataset_int.h for the footer and the hashes. */
#include "dataset_int.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLAIN_WORDS   256       /* fewer words than this are always a dictionary */
#define MANY_WORDS    (1 << 20) /* from here on a grown dictionary is looked at again */
#define WORDS_BYTES   (1 << 30) /* the most text a dictionary may hold */
#define BLOCK_BUFFERS 3

typedef struct WriterColumn {
    ColumnType type;
    const char *name;
    /* the chunk being filled; bits behind the last row are 0 */
    uint8_t *valid;
    void *values; /* bits, numbers, codes; offsets when plain */
    char *bytes;  /* plain text */
    size_t bytes_room;
    size_t missing;
    /* text as words */
    bool plain;
    WordTable table;
    uint64_t *count; /* [count_room] rows of each word so far, chunk included */
    size_t count_room;
    int32_t *remap; /* of the words of the chunk being added */
    size_t remap_room;
    uint64_t words_missing; /* rows without a word while not plain */
    bool overflow;          /* 2 GB of text in one chunk */
    /* the profile */
    ColumnProfiler *profiler; /* NULL while all is in `count` */
    bool counted;             /* the chunk being filled went to the profiler with `count` */
    Arena arena;
    ColumnProfile profile;
    /* the chunk being written */
    BufferSet set;
    Digest leaf;
    Range range;
    ArrowSpan span[BLOCK_BUFFERS];
    int problem; /* errno */
} WriterColumn;

typedef struct Written { /* a chunk in the file */
    size_t rows;
    ArrowBlock block;
    Digest hash;
    ArrowSpan *span;   /* [columns][BLOCK_BUFFERS], lengths 0 where there is none */
    uint64_t *missing; /* [columns] */
} Written;

struct DatasetWriter {
    char *dir, *path; /* the temporary file, "" when there is none to remove */
    int file;
    Schema schema;
    Pool *pool;
    WriterColumn *column; /* [schema.count] */
    size_t filled;        /* rows in the chunk being filled */
    uint64_t rows;
    int64_t at; /* end of what was written, a multiple of ARROW_ALIGN; 0: nothing */
    VEC(Written) chunks;
    VEC(ArrowBlock) dictionaries;
    VEC(Digest) dictionary_hashes;
    Text ranges;
    bool failed; /* nothing more can be added */
};

/* ---- taking rows ----------------------------------------------------------------------------------- */

typedef struct Adding {
    DatasetWriter *w;
    const Chunk *chunk;
    size_t from, rows;
} Adding;

/* Calls for each missing row of the last `rows` rows. */
#define EACH_MISSING(col, filled, rows, i, ...)                                                    \
    for (size_t at_ = (filled), end_ = (filled) + (rows); at_ < end_; at_ += 64) {                 \
        size_t n_ = end_ - at_ < 64 ? end_ - at_ : 64;                                             \
        uint64_t gone_ = ~bits_word((col)->valid, at_, end_);                                      \
        if (n_ < 64)                                                                               \
            gone_ &= (UINT64_C(1) << n_) - 1;                                                      \
        for (; gone_; gone_ &= gone_ - 1) {                                                        \
            size_t i = at_ + (size_t)__builtin_ctzll(gone_);                                       \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
    }

static size_t add_valid(WriterColumn *to, const Column *c, size_t from, size_t rows, size_t filled)
{
    if (!c->valid) {
        bits_fill(to->valid, filled, rows);
        return 0;
    }
    bits_copy(to->valid, filled, c->valid, from, rows);
    return rows - bits_count(c->valid, from, rows);
}

static void add_fixed(WriterColumn *to, const Column *c, size_t from, size_t rows, size_t filled,
                      size_t missing)
{
    size_t width = column_width(c->type);
    const char *values = (const char *)c->integer; /* all members of the union begin there */
    memcpy((char *)to->values + filled * width, values + from * width, rows * width);
    if (!missing)
        return;
    if (width == 8) {
        int64_t *v = to->values;
        EACH_MISSING(to, filled, rows, i, v[i] = 0)
    } else {
        int32_t *v = to->values;
        EACH_MISSING(to, filled, rows, i, v[i] = 0)
    }
}

static void add_bits(WriterColumn *to, const Column *c, size_t from, size_t rows, size_t filled,
                     size_t missing)
{
    bits_copy(to->values, filled, c->bit, from, rows);
    if (missing)
        EACH_MISSING(to, filled, rows, i, bit_clear(to->values, i))
}

/* ---- text as words ---------------------------------------------------------------------------------- */

static int32_t word_code(WriterColumn *to, const char *s, size_t n)
{
    int32_t code = wordtable_code(&to->table, s, n);
    if (code == WORD_NONE) {
        to->overflow = true;
        return 0;
    }
    if ((size_t)code >= to->count_room) {
        size_t room = to->count_room ? 2 * to->count_room : 256;
        to->count = mem_resize(to->count, room * sizeof *to->count);
        memset(to->count + to->count_room, 0, (room - to->count_room) * sizeof *to->count);
        to->count_room = room;
    }
    return code;
}

/* The way from the codes of this chunk's words to ours; words get a number when a row has them. */
static void begin_remap(WriterColumn *to, const Words *words)
{
    if (words->count > to->remap_room) {
        mem_free(to->remap);
        to->remap = mem_alloc(words->count * sizeof *to->remap);
        to->remap_room = words->count;
    }
    memset(to->remap, 0xff, words->count * sizeof *to->remap);
}

static inline int32_t remapped(WriterColumn *to, const Words *words, int32_t code)
{
    if (to->remap[code] >= 0)
        return to->remap[code];
    size_t n;
    const char *s = words_get(words, (size_t)code, &n);
    return to->remap[code] = word_code(to, s, n);
}

static void add_words(WriterColumn *to, const Column *c, size_t from, size_t rows, size_t filled,
                      size_t missing)
{
    int32_t *out = (int32_t *)to->values + filled;
    const int32_t *code = c->code + from;
    if (!missing) {
        for (size_t i = 0; i < rows; i++) {
            int32_t k = remapped(to, c->words, code[i]);
            out[i] = k;
            to->count[k]++;
        }
        return;
    }
    for (size_t i = 0; i < rows; i++) {
        if (!bit_get(c->valid, from + i)) {
            out[i] = 0;
            continue;
        }
        int32_t k = remapped(to, c->words, code[i]);
        out[i] = k;
        to->count[k]++;
    }
}

static void add_each(WriterColumn *to, const Column *c, size_t from, size_t rows, size_t filled)
{
    int32_t *out = (int32_t *)to->values + filled;
    for (size_t i = 0; i < rows; i++) {
        size_t n;
        out[i] = 0;
        if (!column_has(c, from + i))
            continue;
        const char *s = column_text(c, from + i, &n);
        out[i] = word_code(to, s, n);
        if (!to->overflow)
            to->count[out[i]]++;
    }
}

/* ---- text as it is --------------------------------------------------------------------------------- */

static bool more_bytes(WriterColumn *to, size_t used, size_t more)
{
    if (more > INT32_MAX - used) {
        to->overflow = true;
        return false;
    }
    if (used + more > to->bytes_room) {
        size_t room = to->bytes_room ? to->bytes_room : 1 << 16;
        while (room < used + more)
            room *= 2;
        to->bytes = mem_resize(to->bytes, room);
        to->bytes_room = room;
    }
    return true;
}

static void add_plain(WriterColumn *to, const Column *c, size_t from, size_t rows, size_t filled)
{
    int32_t *start = to->values;
    size_t used = (size_t)start[filled];
    for (size_t i = 0; i < rows; i++) {
        size_t n;
        const char *s = column_text(c, from + i, &n);
        if (n && more_bytes(to, used, n)) {
            memcpy(to->bytes + used, s, n);
            used += n;
        }
        start[filled + i + 1] = (int32_t)used;
    }
}

static void add_text(WriterColumn *to, const Column *c, size_t from, size_t rows, size_t filled,
                     size_t missing)
{
    if (to->plain) {
        add_plain(to, c, from, rows, filled);
        return;
    }
    to->words_missing += missing;
    if (c->words && c->words->count <= 4 * rows) {
        begin_remap(to, c->words);
        add_words(to, c, from, rows, filled, missing);
    } else {
        add_each(to, c, from, rows, filled);
    }
}

static void add_column(void *job, size_t i, size_t worker)
{
    const Adding *a = job;
    WriterColumn *to = &a->w->column[i];
    const Column *c = &a->chunk->column[i];
    size_t filled = a->w->filled;
    size_t missing = add_valid(to, c, a->from, a->rows, filled);
    to->missing += missing;
    if (c->type == COLUMN_TEXT)
        add_text(to, c, a->from, a->rows, filled, missing);
    else if (c->type == COLUMN_BOOL)
        add_bits(to, c, a->from, a->rows, filled, missing);
    else
        add_fixed(to, c, a->from, a->rows, filled, missing);
    (void)worker;
}

/* ---- a chunk, finished -------------------------------------------------------------------------------- */

static void describe(const WriterColumn *c, size_t rows, BufferSet *set)
{
    size_t size =
        c->type == COLUMN_BOOL ? bit_bytes(rows) : (rows + c->plain) * column_width(c->type);
    *set = (BufferSet){.at = {c->valid, c->values, c->bytes},
                       .size = {c->missing ? bit_bytes(rows) : 0, size,
                                c->plain ? (size_t)((int32_t *)c->values)[rows] : 0},
                       .count = c->plain ? 3 : 2,
                       .missing = c->missing};
}

static Column view(const WriterColumn *c, size_t rows)
{
    return (Column){.name = c->name,
                    .type = c->type,
                    .rows = rows,
                    .valid = c->missing ? c->valid : NULL,
                    .integer = c->values,
                    .bytes = c->bytes};
}

static void finish_column(void *job, size_t i, size_t worker)
{
    DatasetWriter *w = job;
    WriterColumn *c = &w->column[i];
    Column column = view(c, w->filled);
    describe(c, w->filled, &c->set);
    dataset_leaf(&c->set, &c->leaf);
    range_of(&column, &c->range);
    if ((c->type != COLUMN_TEXT || c->plain) && !c->counted)
        column_profiler_add(c->profiler, &column);
    c->counted = false;
    (void)worker;
}

static void write_all(WriterColumn *c, int file, const char *bytes, size_t n, int64_t at)
{
    while (n && !c->problem) {
        ssize_t done = pwrite(file, bytes, n, at);
        if (done < 0 && errno != EINTR)
            c->problem = errno;
        else if (done > 0)
            bytes += done, n -= (size_t)done, at += done;
    }
}

static void write_column(void *job, size_t i, size_t worker)
{
    DatasetWriter *w = job;
    WriterColumn *c = &w->column[i];
    for (size_t k = 0; k < c->set.count; k++)
        write_all(c, w->file, c->set.at[k], c->set.size[k], w->at + c->span[k].offset);
    (void)worker;
}

static bool write_failed(DatasetWriter *w, int problem, Error *err)
{
    w->failed = true;
    return error_set(err, ERROR_IO, "%s: cannot write: %s", w->path, strerror(problem));
}

static bool put_bytes(DatasetWriter *w, const char *bytes, size_t n, int64_t at, Error *err)
{
    WriterColumn none = {0};
    write_all(&none, w->file, bytes, n, at);
    return !none.problem || write_failed(w, none.problem, err);
}

static bool *plain_flags(const DatasetWriter *w)
{
    bool *plain = mem_alloc(w->schema.count + 1);
    for (size_t i = 0; i < w->schema.count; i++)
        plain[i] = w->column[i].plain;
    return plain;
}

static bool put_start(DatasetWriter *w, Error *err)
{
    Text start = {0};
    bool *plain = plain_flags(w);
    arrow_put_start(&start, &w->schema, plain);
    bool ok = put_bytes(w, start.at, start.count, 0, err);
    w->at = (int64_t)start.count;
    mem_free(plain);
    text_release(&start);
    return ok;
}

/* Gives every buffer its place in the body; returns the body's size. */
static int64_t lay_out(DatasetWriter *w)
{
    uint64_t at = 0;
    for (size_t i = 0; i < w->schema.count; i++) {
        WriterColumn *c = &w->column[i];
        for (size_t k = 0; k < c->set.count; k++) {
            c->span[k] = (ArrowSpan){(int64_t)at, (int64_t)c->set.size[k]};
            at += arrow_pad(c->set.size[k]);
        }
    }
    return (int64_t)at;
}

static void put_chunk_head(const DatasetWriter *w, size_t rows, int64_t body, Text *head)
{
    size_t columns = w->schema.count, spans = 0;
    ArrowNode *node = mem_alloc((columns + 1) * sizeof *node);
    ArrowSpan *span = mem_alloc((BLOCK_BUFFERS * columns + 1) * sizeof *span);
    for (size_t i = 0; i < columns; i++) {
        const WriterColumn *c = &w->column[i];
        node[i] = (ArrowNode){(int64_t)rows, (int64_t)c->set.missing};
        for (size_t k = 0; k < c->set.count; k++)
            span[spans++] = c->span[k];
    }
    arrow_put_head(head, -1, (int64_t)rows, node, columns, span, spans, body);
    mem_free(node);
    mem_free(span);
}

static void remember(DatasetWriter *w, size_t rows, ArrowBlock block, const Text *head)
{
    size_t columns = w->schema.count;
    Written done = {.rows = rows,
                    .block = block,
                    .span = mem_alloc((columns + 1) * BLOCK_BUFFERS * sizeof *done.span),
                    .missing = mem_alloc((columns + 1) * sizeof *done.missing)};
    Digest *leaf = mem_alloc((columns + 1) * sizeof *leaf);
    for (size_t i = 0; i < columns; i++) {
        memcpy(done.span + i * BLOCK_BUFFERS, w->column[i].span, sizeof w->column[i].span);
        done.missing[i] = w->column[i].set.missing;
        leaf[i] = w->column[i].leaf;
    }
    dataset_chunk_hash(head->at, head->count, leaf, columns, &done.hash);
    mem_free(leaf);
    vec_add(&w->chunks, done);
}

/* Writes the chunk whose columns have `set` and `leaf`. */
static bool put_chunk(DatasetWriter *w, size_t rows, Error *err)
{
    if (w->at == 0 && !put_start(w, err))
        return false;
    Text head = {0};
    int64_t body = lay_out(w), from = w->at;
    put_chunk_head(w, rows, body, &head);
    bool ok = put_bytes(w, head.at, head.count, from, err);
    if (ok) {
        w->at += (int64_t)head.count;
        pool_run(w->pool, w->schema.count, write_column, w);
        for (size_t i = 0; ok && i < w->schema.count; i++)
            if (w->column[i].problem)
                ok = write_failed(w, w->column[i].problem, err);
    }
    if (ok) {
        remember(w, rows, (ArrowBlock){from, (int64_t)head.count, body}, &head);
        w->at += body;
        /* the disk may begin now, so that the flush at the end is short */
        sync_file_range(w->file, from, w->at - from, SYNC_FILE_RANGE_WRITE);
    }
    text_release(&head);
    return ok;
}

/* ---- from words to plain text --------------------------------------------------------------------------- */

static uint64_t counted_rows(const WriterColumn *c)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < c->table.count; i++)
        sum += c->count[i];
    return sum;
}

static bool hardly_repeats(const DatasetWriter *w, const WriterColumn *c)
{
    size_t words = c->table.count;
    if (words && c->table.start[words] > WORDS_BYTES)
        return true;
    if (w->chunks.count == 0)
        return words > PLAIN_WORDS && 2 * words > counted_rows(c);
    return words > MANY_WORDS && 4 * words > counted_rows(c);
}

/* Codes of `rows` rows as offsets and bytes. */
static void expand(WriterColumn *c, const int32_t *code, const uint8_t *valid, size_t rows,
                   int32_t *start)
{
    Words words;
    wordtable_words(&c->table, &words);
    size_t used = 0;
    for (size_t i = 0; i < rows; i++) {
        size_t n;
        int32_t k = code[i]; /* start may be the same memory */
        start[i] = (int32_t)used;
        if (valid && !bit_get(valid, i))
            continue;
        const char *s = words_get(&words, (size_t)k, &n);
        if (n && more_bytes(c, used, n)) {
            memcpy(c->bytes + used, s, n);
            used += n;
        }
    }
    start[rows] = (int32_t)used;
}

/* One chunk of the old file again, with column `turned` as plain text. */
static bool rewrite_chunk(DatasetWriter *w, int old, const Written *chunk, size_t turned,
                          Error *err)
{
    size_t columns = w->schema.count, rows = chunk->rows;
    char *body = mem_alloc((size_t)chunk->block.body + 1);
    int32_t *start = mem_alloc((rows + 1) * sizeof *start);
    ssize_t got =
        pread(old, body, (size_t)chunk->block.body, chunk->block.offset + chunk->block.head);
    bool ok = got == chunk->block.body || write_failed(w, got < 0 ? errno : EIO, err);
    for (size_t i = 0; i < columns && ok; i++) {
        WriterColumn *c = &w->column[i];
        const ArrowSpan *span = chunk->span + i * BLOCK_BUFFERS;
        c->set = (BufferSet){.count = c->plain ? 3 : 2, .missing = chunk->missing[i]};
        for (size_t k = 0; k < BLOCK_BUFFERS; k++) {
            c->set.at[k] = body + span[k].offset;
            c->set.size[k] = (size_t)span[k].length;
        }
        if (i == turned) {
            expand(c, c->set.at[1], c->set.missing ? c->set.at[0] : NULL, rows, start);
            c->set.at[1] = start;
            c->set.size[1] = (rows + 1) * sizeof *start;
            c->set.at[2] = c->bytes;
            c->set.size[2] = (size_t)start[rows];
        }
        dataset_leaf(&c->set, &c->leaf);
    }
    ok = ok && put_chunk(w, rows, err);
    mem_free(body);
    mem_free(start);
    return ok;
}

static bool open_file(DatasetWriter *w, Error *err)
{
    Text path = {0};
    text_printf(&path, "%s/.dataset-XXXXXX", w->dir);
    mem_free(w->path);
    w->path = text_take(&path);
    w->file = mkstemp(w->path);
    if (w->file >= 0)
        return true;
    int why = errno;
    w->path[0] = 0;
    return error_set(err, ERROR_IO, "%s: cannot create a file: %s", w->dir, strerror(why));
}

static void forget_chunk(Written *chunk)
{
    mem_free(chunk->span);
    mem_free(chunk->missing);
}

static bool rewrite(DatasetWriter *w, size_t turned, Error *err)
{
    int old_file = w->file;
    char *old_path = w->path;
    Written *old = w->chunks.at;
    size_t count = w->chunks.count;
    w->path = NULL;
    w->chunks.at = NULL;
    w->chunks.count = w->chunks.room = 0;
    w->at = 0;
    bool ok = open_file(w, err);
    for (size_t i = 0; i < count; i++) {
        ok = ok && rewrite_chunk(w, old_file, &old[i], turned, err);
        forget_chunk(&old[i]);
    }
    mem_free(old);
    close(old_file);
    unlink(old_path);
    mem_free(old_path);
    return ok;
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
    bool ok = w->chunks.count == 0 || rewrite(w, i, err);
    expand(c, c->values, c->missing ? c->valid : NULL, w->filled, c->values);
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

static bool flush(DatasetWriter *w, Error *err)
{
    for (size_t i = 0; i < w->schema.count; i++) {
        WriterColumn *c = &w->column[i];
        if (c->type == COLUMN_TEXT && !c->plain && hardly_repeats(w, c) && !turn_plain(w, i, err))
            return false;
    }
    if (!check_overflow(w, err))
        return false;
    pool_run(w->pool, w->schema.count, finish_column, w);
    if (!put_chunk(w, w->filled, err))
        return false;
    for (size_t i = 0; i < w->schema.count; i++) {
        WriterColumn *c = &w->column[i];
        range_print(&c->range, &w->ranges);
        memset(c->valid, 0, bit_bytes(w->filled));
        if (c->type == COLUMN_BOOL)
            memset(c->values, 0, bit_bytes(w->filled));
        c->missing = 0;
    }
    w->filled = 0;
    return true;
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

bool dataset_writer_add(DatasetWriter *w, const Chunk *c, Error *err)
{
    if (!check_chunk(w, c, err))
        return false;
    for (size_t from = 0; from < c->rows;) {
        size_t room = CHUNK_ROWS - w->filled, rows = c->rows - from < room ? c->rows - from : room;
        Adding adding = {w, c, from, rows};
        pool_run(w->pool, c->columns, add_column, &adding);
        if (!check_overflow(w, err))
            return false;
        w->filled += rows;
        w->rows += rows;
        from += rows;
        if (w->filled == CHUNK_ROWS && !flush(w, err))
            return false;
    }
    return true;
}

/* ---- finishing ---------------------------------------------------------------------------------------------- */

static bool put_dictionary(DatasetWriter *w, size_t i, Error *err)
{
    Words words;
    wordtable_words(&w->column[i].table, &words);
    size_t bytes = (size_t)words.start[words.count], starts = (words.count + 1) * 4;
    BufferSet set = {
        .at = {NULL, words.start, words.bytes}, .size = {0, starts, bytes}, .count = 3};
    ArrowNode node = {(int64_t)words.count, 0};
    ArrowSpan span[3] = {
        {0, 0}, {0, (int64_t)starts}, {(int64_t)arrow_pad(starts), (int64_t)bytes}};
    ArrowBlock block = {w->at, 0, (int64_t)(arrow_pad(starts) + arrow_pad(bytes))};
    Digest leaf, hash;
    Text head = {0};
    arrow_put_head(&head, (int64_t)i, node.length, &node, 1, span, 3, block.body);
    block.head = (int64_t)head.count;
    int64_t body = block.offset + block.head;
    bool ok = put_bytes(w, head.at, head.count, block.offset, err) &&
              put_bytes(w, (const char *)words.start, starts, body, err) &&
              put_bytes(w, words.bytes, bytes, body + span[2].offset, err);
    dataset_leaf(&set, &leaf);
    dataset_chunk_hash(head.at, head.count, &leaf, 1, &hash);
    vec_add(&w->dictionaries, block);
    vec_add(&w->dictionary_hashes, hash);
    w->at = body + block.body;
    text_release(&head);
    return ok;
}

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

static char *profile_text(DatasetWriter *w)
{
    size_t columns = w->schema.count;
    Profile profile = {w->rows, columns, mem_alloc((columns + 1) * sizeof(ColumnProfile)), {0}};
    for (size_t i = 0; i < columns; i++)
        profile.column[i] = w->column[i].profile;
    json_t *json = profile_to_json(&profile);
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(json);
    mem_free(profile.column);
    return text;
}

static char *schema_text(const DatasetWriter *w)
{
    json_t *json = schema_to_json(&w->schema);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}

static void print_hashes(const Digest *digest, size_t n, Text *into)
{
    char hex[65];
    for (size_t i = 0; i < n; i++) {
        sha256_hex(digest[i].at, hex);
        text_add(into, hex, 64);
    }
}

/* The footer; gives the name. */
static bool put_footer(DatasetWriter *w, char hash[65], Error *err)
{
    size_t chunks = w->chunks.count;
    Digest *digest = mem_alloc((chunks + 1) * sizeof *digest);
    ArrowBlock *block = mem_alloc((chunks + 1) * sizeof *block);
    for (size_t i = 0; i < chunks; i++) {
        digest[i] = w->chunks.at[i].hash;
        block[i] = w->chunks.at[i].block;
    }
    char *schema = schema_text(w), *profile = profile_text(w);
    bool *plain = plain_flags(w);
    Text chunk_hashes = {0}, word_hashes = {0}, footer = {0};
    print_hashes(digest, chunks, &chunk_hashes);
    print_hashes(w->dictionary_hashes.at, w->dictionary_hashes.count, &word_hashes);
    dataset_name(schema, strlen(schema), w->rows, w->dictionary_hashes.at,
                 w->dictionary_hashes.count, digest, chunks, hash);
    ArrowMeta meta[] = {
        {"lathe.version", DATASET_VERSION, strlen(DATASET_VERSION)},
        {"lathe.hash", hash, 64},
        {"lathe.schema", schema, strlen(schema)},
        {"lathe.profile", profile, strlen(profile)},
        {"lathe.chunks", text_str(&chunk_hashes), chunk_hashes.count},
        {"lathe.dictionaries", text_str(&word_hashes), word_hashes.count},
        {"lathe.ranges", text_str(&w->ranges), w->ranges.count},
    };
    arrow_put_end(&footer, &w->schema, plain, meta, COUNT_OF(meta), w->dictionaries.at,
                  w->dictionaries.count, block, chunks);
    bool ok = put_bytes(w, footer.at, footer.count, w->at, err);
    text_release(&chunk_hashes);
    text_release(&word_hashes);
    text_release(&footer);
    free(schema);
    free(profile);
    mem_free(plain);
    mem_free(digest);
    mem_free(block);
    return ok;
}

/* To the disk, then to its name. */
static bool settle(DatasetWriter *w, const char *hash, Error *err)
{
    Text path = {0};
    text_printf(&path, "%s/%s.arrow", w->dir, hash);
    bool ok = fchmod(w->file, 0644) == 0 && fsync(w->file) == 0;
    if (!ok) {
        write_failed(w, errno, err);
    } else if (rename(w->path, text_str(&path)) != 0) {
        ok = error_set(err, ERROR_IO, "%s: cannot rename to it: %s", text_str(&path),
                       strerror(errno));
    } else {
        w->path[0] = 0; /* nothing left to remove */
        ok = dir_flush(w->dir, err);
    }
    text_release(&path);
    return ok;
}

bool dataset_writer_finish(DatasetWriter *w, char hash[65], Error *err)
{
    if (w->failed)
        return error_set(err, ERROR_IO, "%s: writing has failed before", w->dir);
    if (w->filled && !flush(w, err))
        return false;
    if (w->at == 0 && !put_start(w, err))
        return false;
    pool_run(w->pool, w->schema.count, finish_profile, w);
    for (size_t i = 0; i < w->schema.count; i++)
        if (w->column[i].type == COLUMN_TEXT && !w->column[i].plain && !put_dictionary(w, i, err))
            return false;
    w->failed = true; /* whatever comes, this is the end of adding */
    return put_footer(w, hash, err) && settle(w, hash, err);
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
    schema_copy(&w->schema, s);
    w->column = mem_alloc((s->count + 1) * sizeof *w->column);
    if (!open_file(w, err)) {
        dataset_writer_destroy(w);
        return NULL;
    }
    for (size_t i = 0; i < s->count; i++) {
        WriterColumn *c = &w->column[i];
        c->type = s->field[i].type;
        c->name = w->schema.field[i].name;
        c->valid = mem_alloc(bit_bytes(CHUNK_ROWS) + 8);
        c->values = mem_alloc((size_t)(CHUNK_ROWS + 1) * 8);
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
        mem_free(c->count);
        mem_free(c->remap);
        wordtable_release(&c->table);
        column_profiler_destroy(c->profiler);
        arena_release(&c->arena);
    }
    for (size_t i = 0; i < w->chunks.count; i++)
        forget_chunk(&w->chunks.at[i]);
    vec_release(&w->chunks);
    vec_release(&w->dictionaries);
    vec_release(&w->dictionary_hashes);
    text_release(&w->ranges);
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
