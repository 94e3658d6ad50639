/* writer_file.c -- the bytes of a dataset file: blocks as they are full, the dictionaries and the
 * footer at the end, then fsync and the rename to its hash. */
#include "writer_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool writer_open_file(DatasetWriter *w, Error *err)
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

bool writer_put_start(DatasetWriter *w, Error *err)
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

static void remember(DatasetWriter *w)
{
    const Putting *p = &w->putting;
    size_t columns = w->schema.count;
    Written done = {.rows = p->rows,
                    .block = {p->from, (int64_t)p->head.count, p->size},
                    .span = mem_alloc((columns + 1) * BLOCK_BUFFERS * sizeof *done.span),
                    .missing = mem_alloc((columns + 1) * sizeof *done.missing)};
    Digest *leaf = mem_alloc((columns + 1) * sizeof *leaf);
    for (size_t i = 0; i < columns; i++) {
        memcpy(done.span + i * BLOCK_BUFFERS, w->column[i].span, sizeof w->column[i].span);
        done.missing[i] = w->column[i].set.missing;
        leaf[i] = w->column[i].leaf;
    }
    dataset_chunk_hash(p->head.at, p->head.count, leaf, columns, &done.hash);
    mem_free(leaf);
    vec_add(&w->chunks, done);
}

static void write_column(DatasetWriter *w, WriterColumn *c)
{
    int64_t body = w->putting.from + (int64_t)w->putting.head.count;
    for (size_t k = 0; k < c->set.count; k++)
        write_all(c, w->file, c->set.at[k], c->set.size[k], body + c->span[k].offset);
}

/* Only one thread can write to a file at a time: who comes while another does leaves its columns to
 * that one, instead of waiting. */
static void write_in_turn(DatasetWriter *w, size_t first, size_t columns)
{
    WriterQueue *q = &w->queue;
    pthread_mutex_lock(&q->lock);
    for (size_t i = 0; i < columns; i++)
        vec_add(&q->ready, first + i);
    if (!q->busy) {
        q->busy = true;
        while (q->ready.count) {
            size_t next = q->ready.at[--q->ready.count];
            pthread_mutex_unlock(&q->lock);
            write_column(w, &w->column[next]);
            pthread_mutex_lock(&q->lock);
        }
        q->busy = false;
    }
    pthread_mutex_unlock(&q->lock);
}

/* The disk may begin with what was written before, so that the flush at the end is short. */
static void start_disk(DatasetWriter *w)
{
    sync_file_range(w->file, w->started, w->at - w->started, SYNC_FILE_RANGE_WRITE);
    w->started = w->at;
}

/* Two columns, while they are in the cache. */
static void put_pair(void *job, size_t pair, size_t worker)
{
    DatasetWriter *w = job;
    size_t columns = w->schema.count;
    WriterColumn *c = &w->column[2 * pair];
    size_t n = columns - 2 * pair < 2 ? 1 : 2;
    if (pair == 0)
        start_disk(w);
    if (n == 2)
        dataset_leaves(&c[0].set, &c[0].leaf, &c[1].set, &c[1].leaf);
    else
        dataset_leaf(&c->set, &c->leaf);
    for (size_t i = 0; w->putting.fresh && i < n; i++)
        writer_finish_column(&c[i], w->putting.rows);
    write_in_turn(w, 2 * pair, n);
    (void)worker;
}

bool writer_put_chunk(DatasetWriter *w, size_t rows, bool fresh, Error *err)
{
    Putting *p = &w->putting;
    if (w->at == 0 && !writer_put_start(w, err))
        return false;
    text_reset(&p->head);
    p->size = lay_out(w);
    p->from = w->at;
    p->fresh = fresh;
    put_chunk_head(w, rows, p->size, &p->head);
    if (!put_bytes(w, p->head.at, p->head.count, p->from, err))
        return false;
    p->rows = rows;
    w->along.count = (w->schema.count + 1) / 2;
    w->along.run = put_pair;
    w->along.job = w;
    return true;
}

bool writer_end_chunk(DatasetWriter *w, Error *err)
{
    Putting *p = &w->putting;
    if (!p->rows)
        return true;
    pool_run(w->pool, w->along.count, put_pair, w);
    w->along.count = 0;
    for (size_t i = 0; i < w->schema.count; i++)
        if (w->column[i].problem)
            return write_failed(w, w->column[i].problem, err);
    remember(w);
    for (size_t i = 0; p->fresh && i < w->schema.count; i++)
        range_print(&w->column[i].range, &w->ranges);
    w->at = p->from + (int64_t)p->head.count + p->size;
    p->rows = 0;
    return true;
}

/* ---- the file again --------------------------------------------------------------------------------- */

void writer_forget_chunk(Written *chunk)
{
    mem_free(chunk->span);
    mem_free(chunk->missing);
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
            writer_expand(c, c->set.at[1], c->set.missing ? c->set.at[0] : NULL, rows, start);
            c->set.at[1] = start;
            c->set.size[1] = (rows + 1) * sizeof *start;
            c->set.at[2] = c->bytes;
            c->set.size[2] = (size_t)start[rows];
        }
    }
    ok = ok && writer_put_chunk(w, rows, false, err) && writer_end_chunk(w, err);
    mem_free(body);
    mem_free(start);
    return ok;
}

bool writer_rewrite(DatasetWriter *w, size_t turned, Error *err)
{
    int old_file = w->file;
    char *old_path = w->path;
    Written *old = w->chunks.at;
    size_t count = w->chunks.count;
    w->path = NULL;
    w->chunks.at = NULL;
    w->chunks.count = w->chunks.room = 0;
    w->at = w->started = 0;
    bool ok = writer_open_file(w, err);
    for (size_t i = 0; i < count; i++) {
        ok = ok && rewrite_chunk(w, old_file, &old[i], turned, err);
        writer_forget_chunk(&old[i]);
    }
    mem_free(old);
    close(old_file);
    unlink(old_path);
    mem_free(old_path);
    return ok;
}

/* ---- the end ---------------------------------------------------------------------------------------- */

bool writer_put_dictionary(DatasetWriter *w, size_t i, Error *err)
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
bool writer_put_footer(DatasetWriter *w, char hash[65], Error *err)
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
bool writer_settle(DatasetWriter *w, const char *hash, Error *err)
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
