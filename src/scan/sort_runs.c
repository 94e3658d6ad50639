/* sort_runs.c -- stretches of sorted rows become one.
 *
 * Each stretch is written with its keys to one unnamed file, one after the other:
 *
 *     keys    [keys] 64 bits each, missing ones 0
 *     row     32 bits
 *     missing 32 bits, bit k: key k is missing
 *
 * and read back through a buffer a stretch, so that nothing but these buffers is in memory and the
 * table is not looked at again, but for texts that agree in their first seven bytes. */
#include "sort_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BUFFER_LEAST 64      /* records */
#define BUFFER_MOST  (1 << 17) /* so that one is filled in a moment */

typedef struct Run {
    uint64_t at, end; /* records of the file that are not in the buffer */
    uint64_t *buffer; /* [room][words] */
    size_t next, count;
} Run;

typedef struct Merge {
    const SortBy *by;
    size_t keys, words; /* 64-bit words of a record */
    int file;
    const char *scratch;
    Run *run;
    size_t runs, room;
    size_t *heap; /* [heaped] runs, the one with the next row on top */
    size_t heaped;
} Merge;

static bool io_failed(const Merge *m, const char *what, Error *err)
{
    return error_set(err, ERROR_IO, "%s: cannot %s the sorted parts of a large sort: %s",
                     m->scratch, what, strerror(errno));
}

static bool open_file(Merge *m, Error *err)
{
    m->file = open(m->scratch, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (m->file >= 0)
        return true;
    Text path = {0}; /* file systems without unnamed files: one that is unlinked at once */
    text_printf(&path, "%s/lathe-sort-XXXXXX", m->scratch);
    m->file = mkostemp(path.at, O_CLOEXEC);
    if (m->file >= 0)
        unlink(path.at);
    text_release(&path);
    return m->file >= 0 || io_failed(m, "write", err);
}

static bool write_all(const Merge *m, const void *bytes, size_t n, Error *err)
{
    for (const char *at = bytes; n > 0;) {
        ssize_t wrote = write(m->file, at, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return io_failed(m, "write", err);
        at += wrote;
        n -= (size_t)wrote;
    }
    return true;
}

static bool read_all(const Merge *m, void *bytes, size_t n, uint64_t from, Error *err)
{
    for (char *at = bytes; n > 0;) {
        ssize_t got = pread(m->file, at, n, (off_t)from);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return io_failed(m, "read", err);
        at += got;
        from += (uint64_t)got;
        n -= (size_t)got;
    }
    return true;
}

/* ---- writing ---------------------------------------------------------------------------------------- */

static bool write_rows(const Merge *m, const RowSet *rows, Progress *progress, Error *err)
{
    uint64_t *record = mem_alloc(BLOCK * m->words * sizeof *record), key[BLOCK];
    uint8_t has[BLOCK];
    bool ok = true;
    for (uint64_t at = 0; ok && at < rows->count; at += BLOCK) {
        size_t n = rows->count - at < BLOCK ? (size_t)(rows->count - at) : BLOCK;
        Piece p = {.view = m->by->view, .row = rows->row + at, .stride = 1, .rows = n};
        for (size_t i = 0; i < n; i++)
            record[i * m->words + m->keys] = (uint64_t)rows->row[at + i] << 32;
        for (size_t k = 0; k < m->keys; k++) {
            sort_keys(&m->by[k], &p, 0, n, key, has);
            for (size_t i = 0; i < n; i++) {
                record[i * m->words + k] = has[i] ? key[i] : 0;
                record[i * m->words + m->keys] |= (uint64_t)!has[i] << k;
            }
        }
        ok = write_all(m, record, n * m->words * sizeof *record, err) &&
             !scan_stopped(progress, err);
    }
    mem_free(record);
    return ok;
}

/* ---- merging ---------------------------------------------------------------------------------------- */

static bool fill(const Merge *m, Run *r, Error *err)
{
    uint64_t left = r->end - r->at;
    size_t bytes = m->words * sizeof *r->buffer;
    r->count = left < m->room ? (size_t)left : m->room;
    r->next = 0;
    if (!read_all(m, r->buffer, r->count * bytes, r->at * bytes, err))
        return false;
    r->at += r->count;
    return true;
}

static const uint64_t *record_of(const Merge *m, size_t run)
{
    const Run *r = &m->run[run];
    return r->buffer + r->next * m->words;
}

/* Texts that agree in their first key. */
static int compare_deeper(const SortBy *from, uint32_t a, uint32_t b)
{
    SortBy by = *from;
    uint64_t key[2] = {0, 0};
    do {
        SortPair pair[2] = {{0, a}, {0, b}};
        by.depth++;
        sort_pair_keys(&by, pair, 2, key);
    } while (key[0] == key[1] && sort_goes_on(&by, key[0]));
    return (key[0] > key[1]) - (key[0] < key[1]);
}

static bool is_first(const Merge *m, size_t run_a, size_t run_b)
{
    const uint64_t *a = record_of(m, run_a), *b = record_of(m, run_b);
    for (size_t k = 0; k < m->keys; k++) {
        int none_a = a[m->keys] >> k & 1, none_b = b[m->keys] >> k & 1;
        int order = none_a - none_b;
        if (!order && !none_a) {
            order = (a[k] > b[k]) - (a[k] < b[k]);
            if (!order && sort_goes_on(&m->by[k], a[k]))
                order = compare_deeper(&m->by[k], (uint32_t)(a[m->keys] >> 32),
                                       (uint32_t)(b[m->keys] >> 32));
        }
        if (order)
            return order < 0;
    }
    return run_a < run_b;
}

static void sift(Merge *m, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1, one = m->heap[at];
        if (child >= m->heaped)
            return;
        if (child + 1 < m->heaped && is_first(m, m->heap[child + 1], m->heap[child]))
            child++;
        if (!is_first(m, m->heap[child], one))
            return;
        m->heap[at] = m->heap[child];
        m->heap[child] = one;
        at = child;
    }
}

static bool merge_all(Merge *m, RowSet *rows, Progress *progress, Error *err)
{
    m->heaped = m->runs;
    for (size_t i = 0; i < m->runs; i++) {
        m->heap[i] = i;
        if (!fill(m, &m->run[i], err))
            return false;
    }
    for (size_t i = m->runs / 2; i-- > 0;)
        sift(m, i);
    for (uint64_t at = 0; at < rows->count; at++) {
        Run *r = &m->run[m->heap[0]];
        rows->row[at] = (uint32_t)(record_of(m, m->heap[0])[m->keys] >> 32);
        if (++r->next == r->count && r->at < r->end && !fill(m, r, err))
            return false;
        if (r->next == r->count)
            m->heap[0] = m->heap[--m->heaped];
        sift(m, 0);
        if (at % PIECE_ROWS == PIECE_ROWS - 1) {
            progress_add(progress, PIECE_ROWS);
            if (scan_stopped(progress, err))
                return false;
        }
    }
    return true;
}

bool sort_merge(const SortBy *by, size_t keys, RowSet *rows, uint64_t stretch, uint64_t memory,
                const char *scratch, Progress *progress, Error *err)
{
    Merge m = {.by = by, .keys = keys, .words = keys + 1, .file = -1, .scratch = scratch};
    if (!scratch)
        return error_set(err, ERROR_SPACE, "%llu rows do not fit the memory for sorting",
                         (unsigned long long)rows->count);
    m.runs = (size_t)((rows->count + stretch - 1) / stretch);
    size_t bytes = m.words * sizeof(uint64_t), room = (size_t)(memory / (m.runs * bytes));
    m.room = room < BUFFER_LEAST ? BUFFER_LEAST : room < BUFFER_MOST ? room : BUFFER_MOST;
    uint64_t *buffers = mem_try(m.runs * m.room * bytes, err);
    m.run = mem_alloc(m.runs * sizeof *m.run);
    m.heap = mem_alloc(m.runs * sizeof *m.heap);
    for (size_t i = 0; buffers && i < m.runs; i++) {
        uint64_t end = (i + 1) * stretch;
        m.run[i] = (Run){.at = i * stretch,
                         .end = end < rows->count ? end : rows->count,
                         .buffer = buffers + i * m.room * m.words};
    }
    bool ok = buffers && open_file(&m, err) && write_rows(&m, rows, progress, err) &&
              merge_all(&m, rows, progress, err);
    if (m.file >= 0)
        close(m.file);
    mem_free(buffers);
    mem_free(m.run);
    mem_free(m.heap);
    return ok;
}
