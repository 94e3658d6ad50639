/* drift_when.c -- drift chunk by chunk of one table: so many rows, in the order of a column or as they stand, or a
 * period of time, each compared with the whole reference. A table that is its own reference is compared with its
 * first chunk; by NannyML's rules with all of itself, whose chunks say what is usual. */
#include "drift_when.h"

#include <lathe/scan.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a chunk is ------------------------------------------------------------------------------- */

/* The column that periods go by: as told, by its role, or the first that is a time. */
static const char *time_of(const DriftWhen *w)
{
    const Schema *s = dataset_schema(w->current);
    if (*w->time)
        return w->time;
    for (int role = 1; role >= 0; role--)
        for (size_t i = 0; i < s->count; i++) {
            ColumnType t = s->field[i].type;
            if ((t == COLUMN_TIME || t == COLUMN_DATE) && (!role || s->field[i].role == ROLE_TIMELINE))
                return s->field[i].name;
        }
    return NULL;
}

/* Chunks of rows, in the order of a column: sorted first. */
static bool order_rows(const DriftWhen *w, const CommandCall *call, RowSet *rows, Error *err)
{
    SortKey key = {.column = schema_need(dataset_schema(w->current), w->time, err)};
    return key.column == SIZE_MAX ? error_in(err, "time")
                                  : rowset_all(w->current, rows, err) &&
                                        scan_sort(w->current, &key, 1, rows, 0, w->scratch, call->pool,
                                                  call->progress, err);
}

static bool choose_chunks(const DriftWhen *w, const CommandCall *call, RowSet *rows, DriftChunks *how, Error *err)
{
    if (*w->chunk && !drift_chunks_read(how, w->chunk, err))
        return false;
    if (how->seconds > 0 || how->months) {
        how->time = time_of(w);
        return how->time || error_set(err, ERROR_USAGE,
                                      "chunk=%s: the table has no column of times; name one with time=", w->chunk);
    }
    if (!how->rows)
        how->rows = (dataset_rows(w->current) + 9) / 10;
    if (*w->time && !order_rows(w, call, rows, err))
        return false;
    how->order = rows->row;
    return true;
}

/* ---- the first chunk as a table --------------------------------------------------------------------- */

/* The rows, ascending, as a table in the folder. */
static Dataset *table_of(const DriftWhen *w, const uint32_t *row, size_t n, const CommandCall *call, Error *err)
{
    char hash[65], path[4400];
    Arena a = {0};
    DatasetWriter *to = dataset_writer_create(w->scratch, dataset_schema(w->current), call->pool, err);
    bool ok = to != NULL;
    for (size_t at = 0; ok && at < n;) {
        size_t in_chunk, index = dataset_locate(w->current, row[at], &in_chunk), k = 0;
        Chunk c, part;
        dataset_chunk(w->current, index, &a, &c);
        uint32_t *of = ARENA_NEW(&a, uint32_t, c.rows + 1);
        for (; at < n && row[at] < c.first + c.rows; at++)
            of[k++] = (uint32_t)(row[at] - c.first);
        chunk_gather(&c, of, k, &a, &part);
        ok = dataset_writer_add(to, &part, err);
        arena_reset(&a);
    }
    ok = ok && dataset_writer_finish(to, hash, err);
    dataset_writer_destroy(to);
    arena_release(&a);
    if (!ok)
        return NULL;
    snprintf(path, sizeof path, "%s/%s.arrow", w->scratch, hash);
    return dataset_open(path, err);
}

static Dataset *first_chunk(const DriftWhen *w, const DriftChunks *how, const CommandCall *call, Error *err)
{
    uint32_t *row = NULL;
    size_t n = 0;
    Dataset *d = drift_first_chunk(w->current, how, &row, &n, err) ? table_of(w, row, n, call, err) : NULL;
    mem_free(row);
    return d;
}

/* ---- as JSON ------------------------------------------------------------------------------------------ */

/* Where a chunk begins or ends: a moment, the value of the column, or the number of a row. */
static void add_edge(const DriftWhen *w, const DriftChunks *how, const DriftChunk *c, bool end, json_t *into)
{
    Text text = {0};
    uint64_t at = end ? c->first + c->rows - 1 : c->first;
    if (how->time) {
        time_format((int64_t)((end ? c->to : c->from) * 1e6), &text);
    } else if (how->order) {
        Arena a = {0};
        Chunk chunk;
        size_t in_chunk, column = schema_find(dataset_schema(w->current), w->time);
        dataset_chunk(w->current, dataset_locate(w->current, how->order[at], &in_chunk), &a, &chunk);
        column_print(&chunk.column[column], in_chunk, &text);
        if (!column_has(&chunk.column[column], in_chunk))
            text_puts(&text, "missing"); /* those rows come last */
        arena_release(&a);
    } else {
        text_printf(&text, "row %llu", (unsigned long long)at + 1);
    }
    result_text(into, end ? "to" : "from", text_str(&text));
    text_release(&text);
}

static json_t *columns_of(const DriftReport *r)
{
    json_t *all = json_array();
    for (size_t i = 0; i < r->columns; i++) {
        const DriftColumn *d = &r->column[i];
        json_t *one = json_object();
        result_text(one, "column", d->name);
        result_text(one, "test", d->test ? d->test->name : "");
        result_real(one, "statistic", d->statistic);
        result_real(one, "threshold", d->threshold);
        json_object_set_new(one, "drifted", json_boolean(d->drifted));
        json_array_append_new(all, one);
    }
    return all;
}

static void add_worst(const DriftReport *r, json_t *into)
{
    Text text = {0};
    size_t told = 0;
    for (size_t i = 0; i < r->columns && told < 3; i++)
        if (r->column[i].drifted)
            text_printf(&text, "%s%s", told++ ? ", " : "", r->column[i].name);
    result_text(into, "most_drifted", text_str(&text));
    text_release(&text);
}

static json_t *chunk_json(const DriftWhen *w, const DriftChunks *how, const DriftChunk *c)
{
    const DriftReport *r = c->report;
    json_t *o = json_object();
    add_edge(w, how, c, false, o);
    add_edge(w, how, c, true, o);
    result_int(o, "rows", (int64_t)c->rows);
    json_object_set_new(o, "drifted", json_boolean(r->dataset_drifted));
    result_int(o, "drifted_columns", (int64_t)r->drifted);
    result_real(o, "share", r->share);
    if (isfinite(r->weighted_share))
        result_real(o, "weighted_share", r->weighted_share);
    if (r->has_error)
        result_real(o, r->metric, r->current_error);
    add_worst(r, o);
    json_object_set_new(o, "columns", columns_of(r));
    return o;
}

static void add_chunks(const DriftWhen *w, const DriftChunks *how, const DriftChunk *chunk, size_t n, bool first,
                       json_t *into)
{
    json_t *list = json_array();
    size_t drifted = 0;
    for (size_t i = 0; i < n; i++) {
        drifted += chunk[i].report->dataset_drifted;
        json_array_append_new(list, chunk_json(w, how, &chunk[i]));
    }
    if (how->time || *w->time)
        result_text(into, "time", how->time ? how->time : w->time);
    result_text(into, "against", first ? "the first chunk" : "the reference");
    result_int(into, "chunk_count", (int64_t)n);
    result_int(into, "drifted_chunks", (int64_t)drifted);
    json_object_set_new(into, "chunks", list);
}

bool drift_when_add(const DriftWhen *w, const CommandCall *call, json_t *into, Error *err)
{
    RowSet rows = {0};
    DriftChunks how = {0};
    DriftChunk *chunk = NULL;
    Dataset *first = NULL;
    size_t n = 0;
    bool by_first = w->itself && !w->options.nannyml;
    bool ok = dir_create(w->scratch, err) && choose_chunks(w, call, &rows, &how, err);
    if (ok && by_first)
        ok = (first = first_chunk(w, &how, call, err)) != NULL;
    ok = ok && drift_chunks(first ? first : w->reference, w->current, &w->options, &how, call->pool, call->progress,
                            &chunk, &n, err);
    if (ok)
        add_chunks(w, &how, chunk, n, by_first, into);
    drift_chunks_free(chunk, n);
    dataset_close(first);
    rowset_release(&rows);
    dir_remove(w->scratch, NULL);
    return ok;
}
