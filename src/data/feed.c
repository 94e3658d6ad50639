/* feed.c -- a source cut into blocks that are parsed in parallel and come out in order.
 *
 * A block takes the rows that begin in it. Where the first begins is a guess: behind the first line
 * end at or after the block's border, which is wrong when that line end stands inside quotes. So
 * each block says where its last row really ended; where the next one began elsewhere, that one
 * is parsed again from the right place. The first block of a round begins where the last round
 * ended, so by induction every row is cut exactly as one parse from the top would cut it.
 *
 * A plain local file is read by the workers themselves, each its own piece (pread: a file that is
 * truncated meanwhile is an error, where a map would be a signal). Anything else is read into a
 * window on the reading thread. */
#include "data_int.h"
#include "reader_int.h"

#include <assert.h>
#include <string.h>

#define BLOCK_SIZE      ((size_t)512 << 10)
#define SLACK           ((size_t)32 << 10) /* for the row that reaches over the border */
#define BLOCKS_A_THREAD 4
#define WAIT_SECONDS    0.25 /* for a stream to fill the window */

struct Feed {
    Source *source;
    Pool *pool;
    const Plan *plan; /* of the round */
    Along *along;
    size_t beside;     /* what of it runs in this round */
    uint64_t body, at; /* the first row; the next row */
    uint64_t size;     /* in place: of the file; else bytes behind which nothing is known */
    bool in_place, ended, stuck;
    size_t block_size, blocks, used;
    Block *block;
    uint8_t *window; /* PADDING, bytes, PADDING */
    size_t window_room, window_count;
    uint64_t window_from; /* place of its first byte in the source */
};

/* ---- bytes ---- */

static uint8_t *padded(uint8_t *old, size_t *room, size_t wanted)
{
    if (*room >= wanted)
        return old;
    size_t kept = old ? *room + 2 * PADDING : 0;
    uint8_t *made = mem_resize(old, wanted + 2 * PADDING);
    memset(made + kept, 0, wanted + 2 * PADDING - kept);
    *room = wanted;
    return made;
}

/* [from, to) of the source, as far as it reaches. The bytes are the block's until its next use. */
static const char *bytes_of(Feed *f, Block *b, uint64_t from, uint64_t to, size_t *got)
{
    *got = 0;
    if (to > f->size)
        to = f->size;
    if (from >= to)
        return "\n";
    if (!f->in_place) {
        *got = (size_t)(to - from);
        return (const char *)f->window + PADDING + (from - f->window_from);
    }
    size_t wanted = (size_t)(to - from);
    b->buffer = padded(b->buffer, &b->room, wanted);
    uint8_t *at = b->buffer + PADDING;
    if (!source_read_at(f->source, from, at, wanted, got, &b->err))
        return NULL;
    if (*got < wanted) {
        error_set(&b->err, ERROR_IO, "%s: became shorter while it was read",
                  source_name(f->source));
        return NULL;
    }
    memset(at + wanted, '\n', PADDING);
    return (const char *)at;
}

static bool window_grow(Feed *f, size_t wanted, Error *err)
{
    /* what was read stays, from the next row on */
    size_t skip = (size_t)(f->at - f->window_from);
    if (skip) {
        memmove(f->window + PADDING, f->window + PADDING + skip, f->window_count - skip);
        f->window_count -= skip;
        f->window_from = f->at;
    }
    f->window = padded(f->window, &f->window_room, wanted);
    double begun = clock_now();
    size_t before = f->window_count;
    /* what drips in is parsed as it comes */
    while (f->window_count < wanted && !f->ended &&
           (f->window_count == before || clock_now() - begun < WAIT_SECONDS)) {
        size_t got;
        if (!source_read(f->source, f->window + PADDING + f->window_count, wanted - f->window_count,
                         &got, err))
            return false;
        f->ended = got == 0;
        f->window_count += got;
    }
    memset(f->window + PADDING + f->window_count, '\n', PADDING);
    f->size = f->window_from + f->window_count;
    return true;
}

/* ---- one block ---- */

/* Behind the first line end at or after `at` in bytes[0..n); SIZE_MAX: none. */
static size_t behind_line(const char *bytes, size_t at, size_t n, char cut)
{
    const char *end = at < n ? memchr(bytes + at, cut, n - at) : NULL;
    return end ? (size_t)(end - bytes) + 1 : SIZE_MAX;
}

/* Parses the rows that begin in [from, border of the next block), from being exact or a guess.
 * Reads more of the source when a row reaches further. */
static void parse_from(Feed *f, Block *b, uint64_t from, bool exact, uint64_t border)
{
    size_t slack = SLACK;
    for (;; slack *= 8) {
        size_t n;
        const char *bytes = bytes_of(f, b, from, border + slack, &n);
        if (!bytes)
            return;
        bool final = f->ended && from + n == f->size;
        size_t begin = exact ? 0 : behind_line(bytes, 0, n, f->plan->cut);
        size_t stop =
            border > from ? behind_line(bytes, (size_t)(border - from) - 1, n, f->plan->cut) : 0;
        bool more = slack < ROW_MOST + SLACK && from + n < f->size;
        if ((begin == SIZE_MAX || stop == SIZE_MAX) && more)
            continue;
        begin = begin == SIZE_MAX ? n : begin;
        stop = stop == SIZE_MAX ? n : stop < begin ? begin : stop;
        block_parse(b, f->plan, bytes, begin, stop, n, final);
        if (b->grid.open && more)
            continue;
        b->stuck = b->grid.open && n - b->grid.end > ROW_MOST;
        b->base = begin;
        b->from = from + begin;
        b->stop = from + stop;
        b->to = from + b->grid.end;
        return;
    }
}

static void work(void *job, size_t i, size_t worker)
{
    Feed *f = job;
    if (i < f->beside) {
        f->along->run(f->along->job, i, worker);
        return;
    }
    i -= f->beside;
    uint64_t border = f->at + i * f->block_size, next = border + f->block_size;
    Block *b = &f->block[i];
    if (i == 0)
        parse_from(f, b, border, true, next);
    else
        parse_from(f, b, border - 1, false, next);
}

/* ---- rounds ---- */

Feed *feed_open(Source *source, Pool *pool, uint64_t body, size_t block_size, size_t blocks,
                const Sample *head)
{
    Feed *f = mem_alloc(sizeof *f);
    *f = (Feed){.source = source,
                .pool = pool,
                .body = body,
                .at = body,
                .block_size = block_size ? block_size : BLOCK_SIZE,
                .in_place = source_in_place(source)};
    f->blocks = blocks ? blocks : pool ? pool_threads(pool) * BLOCKS_A_THREAD : 1;
    f->block = mem_alloc(f->blocks * sizeof *f->block);
    f->ended = f->in_place;
    if (f->in_place) {
        f->size = source_size(source);
    } else {
        f->window = padded(NULL, &f->window_room, head->size);
        memcpy(f->window + PADDING, head->at, head->size);
        f->size = f->window_count = head->size;
    }
    return f;
}

void feed_close(Feed *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->blocks; i++)
        block_release(&f->block[i]);
    mem_free(f->block);
    mem_free(f->window);
    mem_free(f);
}

bool feed_restart(Feed *f, Error *err)
{
    f->at = f->window_from = f->body;
    f->window_count = 0;
    f->stuck = false;
    f->ended = f->in_place;
    f->size = f->in_place ? source_size(f->source) : f->body;
    if (f->in_place)
        return true;
    if (!source_rewind(f->source, err))
        return false;
    char skipped[4096];
    for (uint64_t left = f->body; left;) {
        size_t got, room = left < sizeof skipped ? (size_t)left : sizeof skipped;
        if (!source_read(f->source, skipped, room, &got, err))
            return false;
        if (!got)
            break;
        left -= got;
    }
    return true;
}

static bool pass_error(const Block *b, Error *err)
{
    return error_set(err, b->err.kind, "%s", b->err.text);
}

/* Where a block began elsewhere than the one before it ended, it is parsed again. */
static bool chain(Feed *f, Error *err)
{
    uint64_t at = f->at, round = f->at;
    size_t i = 0;
    for (; i < f->used && !f->stuck; i++) {
        Block *b = &f->block[i];
        uint64_t next = round + (i + 1) * f->block_size;
        if (b->err.kind == ERROR_NONE && b->from != at)
            parse_from(f, b, at, true, next > at ? next : at);
        if (b->err.kind != ERROR_NONE)
            return pass_error(b, err);
        at = b->to;
        f->stuck = b->stuck;
        if (b->grid.open) { /* the end of the window */
            i++;
            break;
        }
    }
    f->used = i;
    f->at = at;
    return true;
}

void feed_take_along(Feed *f, Along *along)
{
    f->along = along;
}

static void run_round(Feed *f)
{
    f->beside = f->along ? f->along->count : 0;
    pool_run(f->pool, f->beside + f->used, work, f);
    if (f->along)
        f->along->count = 0;
}

bool feed_round(Feed *f, const Plan *p, Block **blocks, size_t *count, Error *err)
{
    assert(!f->stuck);
    f->plan = p;
    *blocks = f->block;
    *count = 0;
    size_t wanted = f->blocks * f->block_size;
    for (;;) {
        if (!f->in_place && !window_grow(f, wanted, err))
            return false;
        if (f->at >= f->size)
            return true;
        uint64_t left = f->size - f->at;
        size_t used = (size_t)((left + f->block_size - 1) / f->block_size);
        f->used = used < f->blocks ? used : f->blocks;
        uint64_t before = f->at;
        for (size_t i = 0; i < f->used; i++)
            f->block[i].err = (Error){0};
        run_round(f);
        if (!chain(f, err))
            return false;
        if (f->at > before || f->stuck)
            break;
        if (f->in_place || f->window_count >= wanted)
            wanted *= 2; /* not one whole row in the window */
    }
    *count = f->used;
    return true;
}

bool feed_stuck(const Feed *f)
{
    return f->stuck;
}

uint64_t feed_at(const Feed *f)
{
    return f->at;
}

bool feed_skip_row(Feed *f, const Plan *p, Text *text, uint64_t *lines, Error *err)
{
    Block *b = &f->block[0];
    *lines = 0;
    f->stuck = false;
    for (bool found = false; !found;) {
        if (!f->in_place && !window_grow(f, f->block_size, err))
            return false;
        size_t n;
        const char *bytes = bytes_of(f, b, f->at, f->at + f->block_size, &n);
        if (!bytes)
            return pass_error(b, err);
        if (!n)
            return true;
        if (text->count < 200)
            text_add(text, bytes, n < 200 ? n : 200);
        size_t end = behind_line(bytes, 0, n, p->cut);
        found = end != SIZE_MAX;
        size_t taken = found ? end : n;
        *lines += csv_lines(bytes, taken);
        f->at += taken;
    }
    return true;
}
