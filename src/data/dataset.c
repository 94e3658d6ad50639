/* dataset.c -- a dataset file, opened: mapped, checked, handed out chunk by chunk.
 *
 * Files of other tools open too: their batches are cut into chunks of at most CHUNK_ROWS, values in
 * other layouts are converted chunk by chunk, the profile is computed when it is first asked for
 * and the name is the SHA-256 of the file. */
#include "dataset_int.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RANDOM_LEAST  (UINT64_C(1) << 26) /* bytes of a file whose heads lie far apart */
#define RESIDENT_MOST (UINT64_C(1) << 30) /* bytes of a file that stay in this process's memory */

typedef struct Piece { /* one chunk: a stretch of a batch */
    size_t batch, from, rows;
    uint64_t first;
} Piece;

enum { UNSEEN, GOOD, BAD }; /* whether a column's codes or offsets were found to be in range */

struct Dataset {
    char *path;
    FileMap map;
    int fd; /* to ask how long the file is */
    ArrowFile file;
    char hash[65];
    Schema schema;
    size_t chunks;
    uint64_t rows;
    Piece *piece;           /* [chunks] */
    _Atomic uint8_t *state; /* [chunks][columns] */
    Range *range;           /* [chunks][columns], or NULL */
    uint64_t resident;      /* bytes of the file that may be in this process's memory */
    _Atomic uint64_t seen;  /* bytes handed out since the rest was let go of */
    Profile *profile;       /* NULL until asked for, in a file of another tool */
    pthread_mutex_t lock;   /* guards making the profile */
};

/* ---- opening ------------------------------------------------------------------------------------- */

static void cut_pieces(Dataset *d)
{
    size_t count = 0;
    for (size_t b = 0; b < d->file.batches; b++)
        count += (d->file.batch[b].rows + CHUNK_ROWS - 1) / CHUNK_ROWS;
    d->piece = mem_alloc((count + 1) * sizeof *d->piece);
    d->state = mem_alloc((count * d->file.fields + 1) * sizeof *d->state);
    for (size_t b = 0; b < d->file.batches; b++) {
        size_t rows = d->file.batch[b].rows;
        for (size_t from = 0; from < rows; from += CHUNK_ROWS) {
            size_t n = rows - from < CHUNK_ROWS ? rows - from : CHUNK_ROWS;
            d->piece[d->chunks++] = (Piece){b, from, n, d->rows};
            d->rows += n;
        }
    }
}

static json_t *load_json(const Dataset *d, const char *key, Error *err)
{
    size_t n;
    json_error_t why;
    const char *text = arrow_meta(&d->file, key, &n);
    json_t *json = text ? json_loadb(text, n, JSON_REJECT_DUPLICATES, &why) : NULL;
    if (!json)
        error_set(err, ERROR_PARSE, "broken file: %s is missing or no JSON", key);
    return json;
}

static bool same_columns(const Dataset *d, Error *err)
{
    bool same = d->schema.count == d->file.fields;
    for (size_t i = 0; same && i < d->file.fields; i++)
        same = strcmp(d->schema.field[i].name, d->file.field[i].name) == 0 &&
               d->schema.field[i].type == d->file.field[i].type;
    return same || error_set(err, ERROR_PARSE, "broken file: its two schemas disagree");
}

static bool read_schema(Dataset *d, Error *err)
{
    if (!d->file.ours) {
        for (size_t i = 0; i < d->file.fields; i++)
            schema_add(&d->schema, d->file.field[i].name, d->file.field[i].type, ROLE_FEATURE);
        return true;
    }
    json_t *json = load_json(d, "lathe.schema", err);
    bool ok = json && schema_from_json(&d->schema, json, err) && same_columns(d, err);
    json_decref(json);
    return ok;
}

static bool same_profile(const Dataset *d, Error *err)
{
    bool same = d->profile->columns == d->file.fields && d->profile->rows == d->rows;
    for (size_t i = 0; same && i < d->file.fields; i++)
        same = strcmp(d->profile->column[i].name, d->file.field[i].name) == 0 &&
               d->profile->column[i].type == d->file.field[i].type;
    return same || error_set(err, ERROR_PARSE, "broken file: its profile is of another table");
}

static bool read_profile(Dataset *d, Error *err)
{
    json_t *json = load_json(d, "lathe.profile", err);
    d->profile = mem_alloc(sizeof *d->profile);
    bool ok = json && profile_from_json(d->profile, json, err) && same_profile(d, err);
    json_decref(json);
    return ok;
}

static void read_ranges(Dataset *d)
{
    size_t n, count = d->chunks * d->file.fields;
    const char *hex = arrow_meta(&d->file, "lathe.ranges", &n);
    if (!hex || d->chunks != d->file.batches || n != 32 * count)
        return;
    d->range = mem_alloc((count + 1) * sizeof *d->range);
    for (size_t i = 0; i < count; i++)
        if (!range_parse(hex + 32 * i, &d->range[i])) {
            mem_free(d->range);
            d->range = NULL;
            return;
        }
}

static bool read_hash(Dataset *d, Error *err)
{
    size_t n;
    Digest digest;
    const char *hash = arrow_meta(&d->file, "lathe.hash", &n);
    if (!hash) {
        sha256_bytes(d->map.at, d->map.size, digest.at);
        sha256_hex(digest.at, d->hash);
        return true;
    }
    if (n != 64 || strspn(hash, "0123456789abcdef") < 64)
        return error_set(err, ERROR_PARSE, "broken file: its name is no hash");
    memcpy(d->hash, hash, 64);
    const char *version = arrow_meta(&d->file, "lathe.version", &n);
    if (!version || n != 1 || version[0] != DATASET_VERSION[0])
        return error_set(err, ERROR_PARSE,
                         "written by a newer lathe (dataset version %.*s); "
                         "update this one",
                         (int)(n < 16 ? n : 16), version ? version : "?");
    return true;
}

/* Is the file still as long as it was? */
static bool is_whole(const Dataset *d, Error *err)
{
    struct stat now;
    bool there = fstat(d->fd, &now) == 0;
    if (there && now.st_size >= 0 && (uint64_t)now.st_size < d->map.size)
        return error_set(err, ERROR_IO,
                         "%s: became shorter since it was opened; fetch or make the dataset again",
                         d->path);
    return (there && !filemap_torn(&d->map)) ||
           error_set(err, ERROR_IO,
                     "%s: can no longer be read; is its disk still there? then fetch or make the "
                     "dataset again",
                     d->path);
}

/* Reads of single pages do not bring the megabytes around them along. */
static void look_here_and_there(const Dataset *d, bool on)
{
    if (d->map.size > RANDOM_LEAST)
        madvise((void *)(uintptr_t)d->map.at, d->map.size, on ? MADV_RANDOM : MADV_NORMAL);
}

Dataset *dataset_open(const char *path, Error *err)
{
    Dataset *d = mem_alloc(sizeof *d);
    d->path = text_copy(path);
    d->fd = -1;
    pthread_mutex_init(&d->lock, NULL);
    if (!filemap_open(&d->map, path, err)) {
        dataset_close(d);
        return NULL;
    }
    d->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (!is_whole(d, err)) {
        dataset_close(d);
        return NULL;
    }
    uint64_t share = machine_memory() / 4;
    d->resident = share < RESIDENT_MOST ? share : RESIDENT_MOST;
    look_here_and_there(d, true); /* the heads of the batches */
    bool ok = arrow_parse(&d->file, d->map.at, d->map.size, err);
    look_here_and_there(d, false);
    if (ok) {
        cut_pieces(d);
        ok = read_hash(d, err) && read_schema(d, err) && (!d->file.ours || read_profile(d, err));
    }
    if (!ok) {
        error_in(err, "%s", path);
        dataset_close(d);
        return NULL;
    }
    if (!is_whole(d, err)) { /* cut meanwhile */
        dataset_close(d);
        return NULL;
    }
    if (d->file.ours)
        read_ranges(d);
    return d;
}

void dataset_close(Dataset *d)
{
    if (!d)
        return;
    if (d->profile)
        profile_release(d->profile);
    mem_free(d->profile);
    schema_release(&d->schema);
    arrow_release(&d->file);
    filemap_close(&d->map);
    if (d->fd >= 0)
        close(d->fd);
    pthread_mutex_destroy(&d->lock);
    mem_free(d->piece);
    mem_free(d->state);
    mem_free(d->range);
    mem_free(d->path);
    mem_free(d);
}

/* ---- asking ---------------------------------------------------------------------------------------- */

const char *dataset_hash(const Dataset *d)
{
    return d->hash;
}

const Schema *dataset_schema(const Dataset *d)
{
    return &d->schema;
}

uint64_t dataset_rows(const Dataset *d)
{
    return d->rows;
}

uint64_t dataset_bytes(const Dataset *d)
{
    return d->map.size;
}

size_t dataset_chunks(const Dataset *d)
{
    return d->chunks;
}

const Range *dataset_ranges(const Dataset *d, size_t chunk)
{
    return d->range ? d->range + chunk * d->file.fields : NULL;
}

/* The pages of a large file are the system's to keep or not: this process lets go of them, so that
 * what it has in memory is bounded by more than how much memory happens to be free. */
static void let_go(const Dataset *d, size_t columns)
{
    Dataset *self = (Dataset *)(uintptr_t)d; /* a count is all that changes */
    uint64_t each = d->map.size / d->chunks * columns / d->file.fields;
    if (d->map.size <= d->resident || atomic_fetch_add(&self->seen, each) + each < d->resident)
        return;
    atomic_store(&self->seen, 0);
    madvise((void *)(uintptr_t)d->map.at, d->map.size, MADV_DONTNEED);
}

size_t dataset_chunk_rows(const Dataset *d, size_t i)
{
    assert(i < d->chunks);
    return d->piece[i].rows;
}

static void take_column(const Dataset *d, size_t i, size_t column, Arena *a, Column *out)
{
    let_go(d, 1);
    const Piece *piece = &d->piece[i];
    _Atomic uint8_t *state = &d->state[i * d->file.fields + column];
    uint8_t was = atomic_load_explicit(state, memory_order_relaxed);
    const ArrowField *f = &d->file.field[column];
    const ArrowBatch *batch = &d->file.batch[piece->batch];
    const ArrowPart *part = &batch->part[column];
    ArrowPart own;
    bool bad = false;
    if (batch->packed) { /* the whole batch each time: such files are better ingested */
        bad = !arrow_unpack(f, part, a, &own, NULL);
        part = &own;
    }
    if (bad)
        arrow_missing(f, piece->rows, a, out);
    else
        arrow_column(f, part, piece->from, piece->rows, a, out,
                     was == GOOD && !batch->packed ? NULL : &bad);
    if (was == UNSEEN)
        atomic_store_explicit(state, bad ? BAD : GOOD, memory_order_relaxed);
}

/* A column of a chunk that cannot be read any more, without a value. */
static void missing_column(const Dataset *d, size_t i, size_t column, Arena *a, Column *out)
{
    size_t rows = d->piece[i].rows;
    *out = (Column){.name = d->file.field[column].name,
                    .type = d->file.field[column].type,
                    .rows = rows,
                    .valid = arena_alloc(a, bit_bytes(rows)),
                    .integer = ARENA_NEW(a, int64_t, rows + 1),
                    .bytes = ""};
}

void dataset_column(const Dataset *d, size_t i, size_t column, Arena *a, Column *out)
{
    assert(i < d->chunks && column < d->file.fields);
    if (is_whole(d, NULL))
        take_column(d, i, column, a, out);
    else
        missing_column(d, i, column, a, out);
}

void dataset_chunk(const Dataset *d, size_t i, Arena *a, Chunk *out)
{
    assert(i < d->chunks);
    bool whole = is_whole(d, NULL);
    Column *column = ARENA_NEW(a, Column, d->file.fields);
    for (size_t k = 0; k < d->file.fields; k++)
        (whole ? take_column : missing_column)(d, i, k, a, &column[k]);
    *out = (Chunk){.rows = d->piece[i].rows,
                   .columns = d->file.fields,
                   .column = column,
                   .first = d->piece[i].first};
}

static bool is_sound(const Dataset *d, size_t i, Error *err)
{
    const Piece *p = &d->piece[i];
    for (size_t k = 0; k < d->file.fields; k++)
        if (atomic_load_explicit(&d->state[i * d->file.fields + k], memory_order_relaxed) == BAD)
            return error_set(err, ERROR_PARSE,
                             "%s: column %s of rows %llu to %llu is damaged; fetch or make the "
                             "dataset again",
                             d->path, d->file.field[k].name, (unsigned long long)p->first + 1,
                             (unsigned long long)p->first + p->rows);
    return true;
}

bool dataset_read(const Dataset *d, size_t i, Arena *a, Chunk *out, Error *err)
{
    dataset_chunk(d, i, a, out);
    return is_whole(d, err) && is_sound(d, i, err);
}

bool dataset_sound(const Dataset *d, Error *err)
{
    for (size_t i = 0; i < d->chunks; i++)
        if (!is_sound(d, i, err))
            return false;
    return is_whole(d, err);
}

size_t dataset_locate(const Dataset *d, uint64_t row, size_t *in_chunk)
{
    assert(row < d->rows);
    size_t low = 0, high = d->chunks; /* piece[low].first <= row < piece[high].first */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (d->piece[middle].first <= row)
            low = middle;
        else
            high = middle;
    }
    *in_chunk = (size_t)(row - d->piece[low].first);
    return low;
}

static Profile *make_profile(const Dataset *d)
{
    Profiler *p = profiler_create(&d->schema);
    Arena arena = {0};
    for (size_t i = 0; i < d->chunks; i++) {
        Chunk chunk;
        arena_reset(&arena);
        dataset_chunk(d, i, &arena, &chunk);
        profiler_add(p, &chunk);
    }
    arena_release(&arena);
    Profile *made = mem_alloc(sizeof *made);
    profiler_finish(p, made);
    return made;
}

const Profile *dataset_profile(const Dataset *d)
{
    Dataset *self =
        (Dataset *)(uintptr_t)d; /* only the profile is filled in late, under the lock */
    pthread_mutex_lock(&self->lock);
    if (!self->profile)
        self->profile = make_profile(d);
    pthread_mutex_unlock(&self->lock);
    return self->profile;
}

/* ---- verifying ------------------------------------------------------------------------------------ */

typedef struct Verify {
    const Dataset *d;
    Digest *chunk; /* [chunks], as the bytes are */
} Verify;

static void verify_chunk(void *job, size_t i, size_t worker)
{
    Verify *v = job;
    const ArrowFile *file = &v->d->file;
    const ArrowBatch *b = &file->batch[i];
    Digest *leaf = mem_alloc((file->fields + 1) * sizeof *leaf);
    for (size_t k = 0; k < file->fields; k++) {
        const ArrowPart *p = &b->part[k];
        ColumnType type = file->field[k].type;
        bool plain = type == COLUMN_TEXT && !file->field[k].words;
        size_t size =
            type == COLUMN_BOOL ? bit_bytes(b->rows) : (b->rows + plain) * column_width(type);
        BufferSet set = {.at = {p->valid, p->values, p->bytes},
                         .size = {p->valid ? bit_bytes(b->rows) : 0, size, p->bytes_size},
                         .count = plain ? 3 : 2};
        dataset_leaf(&set, &leaf[k]);
    }
    dataset_chunk_hash(b->head, (size_t)(b->body - b->head), leaf, file->fields, &v->chunk[i]);
    mem_free(leaf);
    (void)worker;
}

static void verify_dictionaries(const Dataset *d, Digest *out)
{
    size_t i = 0;
    for (size_t k = 0; k < d->file.fields && i < d->file.dictionaries; k++) {
        const Words *w = d->file.field[k].words;
        if (!w)
            continue;
        BufferSet set = {.at = {NULL, w->start, w->bytes},
                         .size = {0, (w->count + 1) * 4, (size_t)w->start[w->count]},
                         .count = 3};
        const ArrowBlock *block = &d->file.dictionary[i];
        Digest leaf;
        dataset_leaf(&set, &leaf);
        dataset_chunk_hash(d->map.at + block->offset, (size_t)block->head, &leaf, 1, &out[i++]);
    }
}

/* Which piece does not have the hash the footer gives it. */
static bool compare(const Dataset *d, const char *key, const char *what, const Digest *digest,
                    size_t count, Error *err)
{
    size_t n;
    const char *hex = arrow_meta(&d->file, key, &n);
    if (!hex || n != 64 * count)
        return error_set(err, ERROR_PARSE, "%s: broken file: %s is missing", d->path, key);
    for (size_t i = 0; i < count; i++) {
        char is[65];
        sha256_hex(digest[i].at, is);
        if (memcmp(is, hex + 64 * i, 64) != 0)
            return error_set(err, ERROR_PARSE,
                             "%s: %s %zu is not what was written; fetch or make the dataset again",
                             d->path, what, i + 1);
    }
    return true;
}

bool dataset_verify(const Dataset *d, Pool *pool, Error *err)
{
    if (!is_whole(d, err))
        return false;
    if (!d->file.ours) /* the name was computed when it was opened */
        return true;
    size_t chunks = d->file.batches, dictionaries = d->file.dictionaries, n;
    Verify v = {d, mem_alloc((chunks + 1) * sizeof(Digest))};
    Digest *words = mem_alloc((dictionaries + 1) * sizeof *words);
    char name[65];
    pool_run(pool, chunks, verify_chunk, &v);
    verify_dictionaries(d, words);
    const char *json = arrow_meta(&d->file, "lathe.schema", &n);
    dataset_name(json, n, d->rows, words, dictionaries, v.chunk, chunks, name);
    bool ok = compare(d, "lathe.chunks", "chunk", v.chunk, chunks, err) &&
              compare(d, "lathe.dictionaries", "dictionary", words, dictionaries, err);
    if (ok && memcmp(name, d->hash, 64) != 0)
        ok = error_set(err, ERROR_PARSE, "%s: its content has the name %.12s, not %.12s", d->path,
                       name, d->hash);
    mem_free(v.chunk);
    mem_free(words);
    return ok;
}
