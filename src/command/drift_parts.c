/* drift_parts.c -- drift part by part of one table: its rows in the order of a column (a time, mostly), or as they
 * stand, are cut into parts of so many rows, the chunks of drift_chunks, each compared with the whole reference. A table that
 * is its own reference is compared with its first part. */
#include "drift_parts.h"

#include <lathe/scan.h>

#include <stdlib.h>
#include <string.h>

static bool order_rows(const DriftParts *p, const CommandCall *call, RowSet *rows, Error *err)
{
    if (!rowset_all(p->current, rows, err))
        return false;
    if (!*p->by)
        return true;
    SortKey key = {.column = schema_need(dataset_schema(p->current), p->by, err)};
    return key.column == SIZE_MAX ? error_in(err, "by")
                                  : scan_sort(p->current, &key, 1, rows, 0, p->scratch, call->pool,
                                              call->progress, err);
}

static int ascending(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* The rows, ascending, as a table in the folder. */
static Dataset *part_open(const DriftParts *p, const uint32_t *row, size_t n,
                          const CommandCall *call, Error *err)
{
    char hash[65], path[4400];
    Arena a = {0};
    DatasetWriter *w =
        dataset_writer_create(p->scratch, dataset_schema(p->current), call->pool, err);
    bool ok = w != NULL;
    for (size_t at = 0; ok && at < n;) {
        size_t in_chunk, index = dataset_locate(p->current, row[at], &in_chunk), k = 0;
        Chunk c, part;
        dataset_chunk(p->current, index, &a, &c);
        uint32_t *of = ARENA_NEW(&a, uint32_t, c.rows + 1);
        for (; at < n && row[at] < c.first + c.rows; at++)
            of[k++] = (uint32_t)(row[at] - c.first);
        chunk_gather(&c, of, k, &a, &part);
        ok = dataset_writer_add(w, &part, err);
        arena_reset(&a);
    }
    ok = ok && dataset_writer_finish(w, hash, err);
    dataset_writer_destroy(w);
    arena_release(&a);
    if (!ok)
        return NULL;
    snprintf(path, sizeof path, "%s/%s.arrow", p->scratch, hash);
    return dataset_open(path, err);
}

static void add_edge(const DriftParts *p, uint64_t at, uint32_t row, json_t *into, const char *key)
{
    Arena a = {0};
    Text text = {0};
    if (*p->by) {
        Chunk c;
        size_t in_chunk, column = schema_find(dataset_schema(p->current), p->by);
        dataset_chunk(p->current, dataset_locate(p->current, row, &in_chunk), &a, &c);
        column_print(&c.column[column], in_chunk, &text);
    } else {
        text_printf(&text, "row %llu", (unsigned long long)at + 1);
    }
    result_text(into, key, text_str(&text));
    text_release(&text);
    arena_release(&a);
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

static void add_part(const DriftParts *p, const RowSet *rows, const DriftChunk *c, json_t *list)
{
    json_t *part = json_object();
    add_edge(p, c->first, rows->row[c->first], part, "from");
    add_edge(p, c->first + c->rows - 1, rows->row[c->first + c->rows - 1], part, "to");
    result_int(part, "rows", (int64_t)c->rows);
    json_object_set_new(part, "drifted", json_boolean(c->report->dataset_drifted));
    result_int(part, "drifted_columns", (int64_t)c->report->drifted);
    json_object_set_new(part, "columns", columns_of(c->report));
    json_array_append_new(list, part);
}

/* The first rows of the table, as a table. */
static Dataset *first_part(const DriftParts *p, const RowSet *rows, uint64_t each,
                           const CommandCall *call, Error *err)
{
    size_t n = (size_t)(each < rows->count ? each : rows->count);
    uint32_t *row = mem_copy(rows->row, n * sizeof *row);
    qsort(row, n, sizeof *row, ascending);
    Dataset *d = part_open(p, row, n, call, err);
    mem_free(row);
    return d;
}

static bool add_parts(const DriftParts *p, const RowSet *rows, const CommandCall *call, json_t *list,
                      Error *err)
{
    uint64_t each = p->rows ? p->rows : (rows->count + 9) / 10;
    DriftChunks how = {.rows = each, .order = rows->row, .most = DRIFT_PARTS_MOST + 1};
    DriftChunk *chunk = NULL;
    size_t n = 0;
    if (rows->count / each > DRIFT_PARTS_MOST)
        return error_set(err, ERROR_USAGE, "rows=%llu makes %llu parts of %llu rows; at most %d",
                         (unsigned long long)each, (unsigned long long)(rows->count / each),
                         (unsigned long long)rows->count, DRIFT_PARTS_MOST);
    Dataset *first = p->reference ? NULL : first_part(p, rows, each, call, err);
    const Dataset *reference = p->reference ? p->reference : first;
    bool ok = reference && drift_chunks(reference, p->current, &p->options, &how, call->pool,
                                        call->progress, &chunk, &n, err);
    for (size_t i = 0; i < n; i++)
        add_part(p, rows, &chunk[i], list);
    drift_chunks_free(chunk, n);
    dataset_close(first);
    return ok;
}

bool drift_parts_add(const DriftParts *p, const CommandCall *call, json_t *into, Error *err)
{
    RowSet rows = {0};
    json_t *parts = json_object(), *list = json_array();
    bool ok =
        dir_create(p->scratch, err) && order_rows(p, call, &rows, err) &&
        (rows.count || error_set(err, ERROR_SHAPE, "the table has no rows to cut into parts")) &&
        add_parts(p, &rows, call, list, err);
    result_text(parts, "by", p->by);
    result_text(parts, "against", p->reference ? "the reference" : "the first part");
    json_object_set_new(parts, "part", list);
    if (ok)
        json_object_set(into, "parts", parts);
    json_decref(parts);
    rowset_release(&rows);
    dir_remove(p->scratch, NULL);
    return ok;
}
