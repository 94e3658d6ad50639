/* ingest.c -- a source becomes a dataset file.
 *
 * Types are a guess from a sample. When a later row does not fit, the rest of the pass only looks
 * (it writes nothing more and learns what all misfits have in common), the columns are widened and
 * the source is read again: two passes where the guess was wrong, one where it was right. */
#include "data_int.h"
#include "reader_int.h"

#include <string.h>

#define PASSES_MOST 12 /* the ladder of types is shorter */

static bool write_pass(Reader *r, DatasetWriter *w, Error *err)
{
    const Chunk *chunk;
    size_t chunks;
    do {
        if (!reader_next_all(r, &chunk, &chunks, err))
            return false;
        if (!reader_misfits(r) && !dataset_writer_add_all(w, chunk, chunks, err))
            return false;
    } while (chunks);
    return true;
}

/* One pass and, where it held, the file. */
static bool one_pass(Reader *r, const char *dir, Pool *pool, char hash[65], bool *held, Error *err)
{
    DatasetWriter *w = dataset_writer_create(dir, reader_schema(r), pool, err);
    if (w)
        reader_take_along(r, dataset_writer_along(w));
    bool ok = w && write_pass(r, w, err);
    reader_take_along(r, NULL);
    *held = ok && !reader_misfits(r);
    if (*held && !reader_rows(r) && reader_rejects(r))
        ok = error_set(err, ERROR_PARSE, "%s: has no rows that could be read; %llu were rejected",
                       reader_where(r), (unsigned long long)reader_rejects(r));
    if (ok && *held)
        ok = dataset_writer_finish(w, hash, err);
    dataset_writer_destroy(w);
    return ok;
}

bool ingest(const char *source, const IngestOptions *options, const char *dir, Pool *pool,
            OnReject on_reject, void *context, Progress *progress, IngestReport *out, Error *err)
{
    double begun = clock_now();
    *out = (IngestReport){0};
    ReaderSetup setup = {.pool = pool, .widen = true, .source = {.spool_dir = dir}};
    Reader *r = reader_open_with(source, options, NULL, &setup, on_reject, context, progress, err);
    if (!r)
        return false;
    bool held = false, ok = true;
    for (int pass = 0; ok && !held; pass++) {
        ok = pass < PASSES_MOST ||
             error_set(err, ERROR_PARSE, "%s: its types do not settle", source);
        ok = ok && (!pass || reader_restart(r, err));
        ok = ok && one_pass(r, dir, pool, out->hash, &held, err);
    }
    if (ok) {
        out->rows = reader_rows(r);
        out->columns = reader_schema(r)->count;
        out->rejects = reader_rejects(r);
        out->bytes = reader_bytes(r);
        out->sniffed = reader_sniffed(r);
        reader_tag(r, out->source_tag);
        out->seconds = clock_now() - begun;
    }
    reader_close(r);
    return ok;
}

void ingest_report_release(IngestReport *r)
{
    json_decref(r->sniffed);
    r->sniffed = NULL;
}
