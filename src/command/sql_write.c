/* sql_write.c -- what a statement finds, written while it is found: however many rows there are, the memory
 * is that of the first thousand, which say how wide the columns of a table are. */
#include "sql_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_ROWS 1000
#define WRITE_BYTES 65536 /* collected before they are written */

/* ---- out ----------------------------------------------------------------------------------------------- */

static bool flush(const CommandCall *call, Text *out, size_t least, Error *err)
{
    if (out->count < least || !out->count)
        return true;
    bool ok = call->write(call->write_context, out->at, out->count, err);
    text_reset(out);
    return ok;
}

bool sql_write_csv(const CommandCall *call, SqlRows *r, uint64_t *rows, Error *err)
{
    Text out = {0};
    bool ok = true;
    progress_begin(call->progress, "writing", "rows", 0);
    sql_csv_names(r, &out);
    for (*rows = 0; ok && sql_rows_next(r, &ok, err); ++*rows) {
        sql_csv_row(r, &out);
        progress_add(call->progress, 1);
        ok = flush(call, &out, WRITE_BYTES, err);
    }
    ok = ok && flush(call, &out, 0, err);
    text_release(&out);
    return ok;
}

/* ---- a table -------------------------------------------------------------------------------------------- */

typedef struct Sheet {
    PrintColumns columns;
    Text bytes;              /* of the sample: cells one behind the other, each with its zero */
    VEC(size_t) start;       /* [rows][columns] */
    size_t sampled;
    bool fitted;
} Sheet;

/* True for a number, and for what is missing. */
static bool print_value(sqlite3_stmt *row, int i, Text *into)
{
    switch (sqlite3_column_type(row, i)) {
    case SQLITE_INTEGER:
        text_printf(into, "%lld", (long long)sqlite3_column_int64(row, i));
        return true;
    case SQLITE_FLOAT:
        if (isfinite(sqlite3_column_double(row, i)))
            print_number(sqlite3_column_double(row, i), into);
        else
            text_putc(into, '-');
        return true;
    case SQLITE_TEXT:
        text_puts(into, (const char *)sqlite3_column_text(row, i));
        return false;
    case SQLITE_BLOB:
        text_puts(into, "(bytes)");
        return false;
    default:
        text_putc(into, '-');
        return true;
    }
}

static void sample_row(Sheet *s, const SqlRows *r)
{
    for (size_t i = 0; i < s->columns.count; i++) {
        size_t at = s->bytes.count;
        vec_add(&s->start, at);
        bool number = print_value(r->row, (int)i, &s->bytes);
        print_columns_see(&s->columns, i, text_str(&s->bytes) + at, number);
        text_putc(&s->bytes, 0);
    }
    s->sampled++;
}

/* The names and the rows of the sample; further rows go straight out. */
static void begin_sheet(Sheet *s, size_t width, Text *out)
{
    s->fitted = true;
    if (!s->sampled)
        return;
    print_columns_fit(&s->columns, width);
    print_columns_head(&s->columns, out);
    for (size_t i = 0; i < s->start.count; i++)
        print_columns_cell(&s->columns, i % s->columns.count, s->bytes.at + s->start.at[i], out);
    text_release(&s->bytes);
    vec_release(&s->start);
}

static void print_row(Sheet *s, const SqlRows *r, Text *out)
{
    for (size_t i = 0; i < s->columns.count; i++) {
        text_reset(&s->bytes);
        print_value(r->row, (int)i, &s->bytes);
        print_columns_cell(&s->columns, i, text_str(&s->bytes), out);
    }
}

static bool write_sheet(const CommandCall *call, SqlRows *r, const char *const *key, uint64_t limit, Error *err)
{
    Sheet s = {0};
    Text out = {0};
    uint64_t rows = 0;
    bool ok = true, more = false;
    for (int i = 0; i < r->columns; i++)
        print_columns_add(&s.columns, key[i]);
    while (ok && !more && sql_rows_next(r, &ok, err)) {
        more = limit && rows >= limit;
        if (more)
            break;
        rows++;
        if (rows <= SAMPLE_ROWS) {
            sample_row(&s, r);
            continue;
        }
        if (!s.fitted)
            begin_sheet(&s, call->width, &out);
        print_row(&s, r, &out);
        ok = flush(call, &out, WRITE_BYTES, err);
    }
    if (ok && !s.fitted)
        begin_sheet(&s, call->width, &out);
    if (ok)
        text_printf(&out, rows == 1 ? "(%llu row%s)\n" : "(%llu rows%s)\n", (unsigned long long)rows,
                    more ? ", more left out; limit=0 gives all" : "");
    ok = ok && flush(call, &out, 0, err);
    text_release(&out);
    text_release(&s.bytes);
    vec_release(&s.start);
    return ok;
}

/* ---- JSON ------------------------------------------------------------------------------------------------ */

/* A value in lines that stand `indent` deeper than they would alone. */
static void add_json(json_t *v, size_t indent, Text *into)
{
    char *text = json_dumps(v, JSON_INDENT(2) | JSON_REAL_PRECISION(12) | JSON_ENCODE_ANY);
    for (const char *s = text ? text : "null"; *s; s++) {
        text_putc(into, *s);
        if (*s == '\n')
            text_printf(into, "%*s", (int)indent, "");
    }
    free(text);
    json_decref(v);
}

/* The same document that the verb gives as its result. */
static bool write_document(const CommandCall *call, SqlRows *r, const char *const *key, uint64_t limit,
                           Error *err)
{
    Text out = {0};
    json_t *names = json_array();
    uint64_t rows = 0;
    bool ok = true, more = false;
    for (int i = 0; i < r->columns; i++)
        json_array_append_new(names, json_string(key[i]));
    text_puts(&out, "{\n  \"columns\": ");
    add_json(names, 2, &out);
    text_puts(&out, ",\n  \"rows\": [");
    while (ok && sql_rows_next(r, &ok, err)) {
        more = limit && rows >= limit;
        if (more)
            break;
        text_puts(&out, rows++ ? ",\n    " : "\n    ");
        add_json(sql_json_row(r, key), 4, &out);
        ok = flush(call, &out, WRITE_BYTES, err);
    }
    text_puts(&out, rows ? "\n  ]" : "]");
    text_puts(&out, more ? ",\n  \"truncated\": true\n}\n" : "\n}\n");
    ok = ok && flush(call, &out, 0, err);
    text_release(&out);
    return ok;
}

bool sql_write_shown(const CommandCall *call, SqlRows *r, uint64_t limit, Error *err)
{
    Arena arena = {0};
    const char **key = sql_rows_keys(r, &arena);
    bool ok = call->json ? write_document(call, r, key, limit, err) : write_sheet(call, r, key, limit, err);
    arena_release(&arena);
    return ok;
}
