/* reader.c -- a source as typed chunks, in order, with its bad rows reported by line.
 *
 * Several files are one table, matched by their headers (reader_parts.c). A pass may end with columns that need a wider type (ingest asks for
 * that); then the plan is widened and the source read again, and bad rows that were reported
 * already are not reported twice. */
#include "columns_int.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* ---- parts ---- */

static void set_schema(Reader *r, const Schema *wanted)
{
    schema_release(&r->schema);
    for (size_t i = 0; i < plan_shown(&r->plan); i++)
        schema_add(&r->schema, r->plan.column[i].name, read_type(r->plan.column[i].as),
                   wanted ? wanted->field[i].role : ROLE_FEATURE);
}

static bool first_part(Reader *r, const Schema *wanted, Samples *s, Error *err)
{
    Sample head = s->piece[0];
    s->piece[0] = sample_lines(&head, s->whole);
    bool ok = sniff(&r->sniff, &r->options, s->piece, s->count, s->whole, err) ||
              error_in(err, "%s", source_name(r->source));
    s->piece[0] = head;
    if (!ok || !plan_make(&r->plan, &r->sniff, &r->options, wanted, source_name(r->source),
                          &r->arena, err))
        return false;
    r->part_body = r->sniff.body;
    r->line = r->sniff.line;
    r->misfit = ARENA_NEW(&r->arena, Misfit, r->plan.columns);
    r->misfit_line = ARENA_NEW(&r->arena, uint64_t, r->plan.columns);
    reader_take_fresh(r);
    return true;
}

/* Unpacked bytes in all; 0: not known. */
static uint64_t size_of_parts(const Reader *r)
{
    if (r->parts.count == 1)
        return source_packing(r->source) ? 0 : source_size(r->source);
    uint64_t total = 0;
    struct stat s;
    for (size_t i = 0; i < r->parts.count; i++)
        if (r->parts.size)
            total += r->parts.size[i];
        else
            total += stat(r->parts.at[i], &s) ? 0 : (uint64_t)s.st_size;
    return source_packing(r->source) ? 0 : total;
}

void reader_take_along(Reader *r, struct Along *along)
{
    r->along = along;
    if (r->feed)
        feed_take_along(r->feed, along);
}

static bool open_part(Reader *r, const Schema *wanted, Error *err)
{
    Samples s = {0};
    bool first = !r->sniff.name;
    r->source = source_open(r->parts.at[r->part], &r->setup, err);
    bool ok = r->source && samples_take(&s, r->source, first, err);
    const ColumnFormat *format = ok ? column_format_of(s.piece[0].at, s.piece[0].size) : NULL;
    ok = ok && (format  ? reader_open_columns(r, format, &s.piece[0], wanted, first, err)
                : first ? first_part(r, wanted, &s, err)
                        : reader_next_part(r, &s, err));
    if (ok) {
        if (first)
            set_schema(r, wanted);
        if (!format)
            r->feed = feed_open(r->source, r->pool, r->part_body, r->block_size, r->blocks_a_round,
                                &s.piece[0]);
        reader_take_along(r, r->along);
        if (r->parts.count == 1 && !r->parts.tag)
            source_tag(r->source, r->tag);
        else if (!r->part)
            source_tag_now(&r->parts, r->tag);
        if (!r->part)
            progress_begin(r->progress, "reading", "bytes", size_of_parts(r));
    }
    samples_release(&s);
    return ok;
}

static void close_part(Reader *r)
{
    columns_close(r->columns);
    feed_close(r->feed);
    source_close(r->source);
    r->columns = NULL;
    r->feed = NULL;
    r->source = NULL;
}

Reader *reader_open_with(const char *source, const IngestOptions *options, const Schema *wanted,
                         const ReaderSetup *setup, OnReject on_reject, void *context,
                         Progress *progress, Error *err)
{
    Reader *r = mem_alloc(sizeof *r);
    *r = (Reader){.pool = setup->pool,
                  .setup = setup->source,
                  .block_size = setup->block_size,
                  .blocks_a_round = setup->blocks,
                  .on_reject = on_reject,
                  .context = context,
                  .progress = progress};
    r->setup.progress = progress;
    r->wanted = wanted != NULL;
    ingest_options_copy(&r->options, options);
    bool listed = source_list(source, &r->parts, err);
    if (listed)
        r->setup.ahead = source_ahead(&r->parts, &r->setup);
    if (!listed || !open_part(r, wanted, err)) {
        reader_close(r);
        return NULL;
    }
    r->plan.widen = setup->widen;
    if (r->plan.hollow && !setup->widen) { /* a value there would be lost */
        r->plan.hollow = false;
        set_schema(r, wanted);
    }
    for (size_t c = 0; !setup->widen && c < r->plan.columns; c++)
        if (r->plan.column[c].as == READ_NONE) /* nothing to go by, and no second pass */
            r->plan.column[c].as = READ_TEXT;
    return r;
}

Reader *reader_open(const char *source, const IngestOptions *options, const Schema *wanted,
                    OnReject on_reject, void *context, Progress *progress, Error *err)
{
    ReaderSetup setup = {0};
    return reader_open_with(source, options, wanted, &setup, on_reject, context, progress, err);
}

Reader *reader_open_on(const char *source, const IngestOptions *options, const Schema *wanted,
                       Pool *pool, OnReject on_reject, void *context, Progress *progress, Error *err)
{
    ReaderSetup setup = {.pool = pool, .blocks = BLOCKS_ON_POOL};
    return reader_open_with(source, options, wanted, &setup, on_reject, context, progress, err);
}

void reader_close(Reader *r)
{
    if (!r)
        return;
    close_part(r);
    source_ahead_close(r->setup.ahead);
    names_release(&r->parts);
    params_release(ingest_params, &r->options);
    sniff_release(&r->sniff);
    schema_release(&r->schema);
    vec_release(&r->widened);
    vec_release(&r->fresh);
    vec_release(&r->round);
    arena_release(&r->arena);
    arena_release(&r->slices);
    mem_free(r);
}

/* ---- chunks ---- */

static void enter_block(Reader *r, const Block *b)
{
    reader_note_misfits(r, b);
    reader_tell_all(r, b);
    r->line += b->lines;
    r->bytes += b->to - b->from;
    progress_add(r->progress, b->to - b->from);
}

/* Rows of a block as a chunk of at most CHUNK_ROWS, without copies: those begin on whole bytes of
 * bitmaps. */
static void slice_block(Reader *r, const Block *b, size_t from, Chunk *out)
{
    const Chunk *all = &b->chunk;
    size_t rows = all->rows - from < CHUNK_ROWS ? all->rows - from : CHUNK_ROWS;
    if (!from && rows == all->rows)
        *out = *all;
    else
        chunk_slice(all, from, rows, &r->slices, out);
    out->first = r->rows;
}

static bool next_blocks(Reader *r, Error *err)
{
    r->at = r->row = 0;
    r->entered = false;
    if (r->columns && r->misfits) { /* the next pass reads it, with other types or more columns */
        r->blocks = 0;
        return true;
    }
    if (r->columns ? !source_unchanged(r->source, err) ||
                         !(columns_round(r->columns, &r->plan, r->pool, &r->block, &r->blocks, err) ||
                           error_in(err, "%s", source_name(r->source)))
                   : !feed_round(r->feed, &r->plan, &r->block, &r->blocks, err))
        return false;
    return !progress_stopped(r->progress) || error_set(err, ERROR_STOP, "stopped on request");
}

static bool skip_long_row(Reader *r, Error *err)
{
    Text text = {0};
    uint64_t lines, before = feed_at(r->feed);
    bool ok = feed_skip_row(r->feed, &r->plan, &text, &lines, err);
    if (ok) {
        reader_tell(r, r->line, "a row longer than 4 MB", text_str(&text), text.count);
        r->line += lines;
        r->bytes += feed_at(r->feed) - before;
    }
    text_release(&text);
    return ok;
}

static bool end_part(Reader *r, Error *err)
{
    if (!source_unchanged(r->source, err))
        return false;
    if (r->parts.count == 1 && !r->parts.tag) /* a stream may know it only now */
        source_tag(r->source, r->tag);
    if (r->part + 1 == r->parts.count) {
        r->ended = true;
        return r->misfits || reader_within_limit(r, err);
    }
    close_part(r);
    r->part++;
    return open_part(r, NULL, err);
}

/* The next blocks, or what stands in their way. */
static bool advance(Reader *r, Error *err)
{
    if (r->feed && feed_stuck(r->feed))
        return skip_long_row(r, err);
    return next_blocks(r, err) && (r->blocks || end_part(r, err));
}

bool reader_next_all(Reader *r, const Chunk **chunk, size_t *chunks, Error *err)
{
    r->round.count = 0;
    while (!r->ended && !r->round.count) {
        if (!advance(r, err))
            return false;
        for (; !r->ended && r->at < r->blocks; r->at++) {
            Block *b = &r->block[r->at];
            enter_block(r, b);
            b->chunk.first = r->rows;
            r->rows += b->chunk.rows;
            if (b->chunk.rows)
                vec_add(&r->round, b->chunk);
        }
    }
    *chunk = r->round.at;
    *chunks = r->round.count;
    return true;
}

bool reader_next(Reader *r, Chunk *out, Error *err)
{
    *out = (Chunk){.columns = plan_shown(&r->plan), .first = r->rows};
    arena_reset(&r->slices);
    while (!r->ended) {
        if (r->at < r->blocks) {
            Block *b = &r->block[r->at];
            if (!r->entered)
                enter_block(r, b);
            r->entered = true;
            if (r->row < b->chunk.rows) {
                slice_block(r, b, r->row, out);
                r->row += out->rows;
                r->rows += out->rows;
                return true;
            }
            r->at++;
            r->row = 0;
            r->entered = false;
        } else if (!advance(r, err)) {
            return false;
        }
    }
    return true;
}

/* ---- another pass ---- */

bool reader_misfits(const Reader *r)
{
    return r->misfits;
}

static void widen_plan(Reader *r)
{
    size_t seen = plan_shown(&r->plan);
    for (size_t c = 0; c < r->plan.columns; c++) {
        ColumnPlan *p = &r->plan.column[c];
        Misfit *m = &r->misfit[c];
        if (!m->count)
            continue;
        ReadAs to = read_best(read_implies(p->as) & m->kinds);
        if (to == p->as) /* cannot be: a misfit does not fit */
            to = READ_TEXT;
        if (p->as != READ_NONE)
            vec_add(&r->widened, (Widening){c, p->as, to, r->misfit_line[c]});
        p->as = to;
        *m = (Misfit){0};
    }
    reader_take_fresh(r);
    Schema old = r->schema;
    r->schema = (Schema){0};
    for (size_t c = 0; c < plan_shown(&r->plan); c++)
        schema_add(&r->schema, r->plan.column[c].name, read_type(r->plan.column[c].as),
                   c < seen ? old.field[c].role : ROLE_FEATURE);
    schema_release(&old);
}

bool reader_restart(Reader *r, Error *err)
{
    widen_plan(r);
    r->misfits = r->ended = false;
    r->rows = r->rejects = r->bytes = 0;
    r->blocks = r->at = r->row = 0;
    r->entered = false;
    r->first_reject[0] = 0;
    if (r->parts.count > 1) {
        close_part(r);
        r->part = 0;
        return open_part(r, NULL, err);
    }
    r->line = r->sniff.line;
    progress_begin(r->progress, "reading again", "bytes", size_of_parts(r));
    return feed_restart(r->feed, err);
}

/* ---- what is known ---- */

const Schema *reader_schema(const Reader *r)
{
    return &r->schema;
}

uint64_t reader_rows(const Reader *r)
{
    return r->rows;
}

uint64_t reader_rejects(const Reader *r)
{
    return r->rejects;
}

uint64_t reader_bytes(const Reader *r)
{
    return r->bytes;
}

void reader_tag(const Reader *r, char tag[128])
{
    memcpy(tag, r->tag, sizeof r->tag);
}

const char *reader_where(const Reader *r)
{
    return r->source ? source_name(r->source) : "source";
}

json_t *reader_sniffed(const Reader *r)
{
    if (r->format)
        return reader_columns_json(r);
    json_t *out = sniffed_json(&r->sniff, &r->plan, r->source, r->parts.count, r->widened.at,
                               r->widened.count);
    if (r->parts.count > 1)
        json_object_set_new(out, "differences", reader_differences(r));
    return out;
}
