/* table_writer.c -- chunks as a file for other programs: which format, beside the path, renamed. */
#include "table_writer_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const TableFormat *const formats[] = {&csv_table, &arrow_table, &arrows_table,
                                             &parquet_table};

/* ---- which format --------------------------------------------------------------------------------- */

/* NULL if the name tells of none; *packing is what stands behind the ending: "gzip" of .csv.gz. */
static const TableFormat *by_name(const char *path, const char **packing)
{
    static const struct {
        const char *ending, *packing;
    } packed[] = {{".gz", "gzip"}, {".zst", "zstd"}};
    Text name = {0};
    const TableFormat *found = NULL;
    text_puts(&name, path);
    *packing = "";
    for (size_t i = 0; i < COUNT_OF(packed); i++)
        if (text_ends(text_str(&name), packed[i].ending)) {
            name.at[name.count -= strlen(packed[i].ending)] = 0;
            *packing = packed[i].packing;
            break;
        }
    for (size_t i = 0; i < COUNT_OF(formats) && !found; i++)
        for (size_t k = 0; formats[i]->endings[k] && !found; k++)
            if (text_ends(text_str(&name), formats[i]->endings[k]))
                found = formats[i];
    text_release(&name);
    return found;
}

bool table_named(const char *path)
{
    const char *packing;
    return by_name(path, &packing) != NULL;
}

static bool choose_compress(TableWriter *w, const char *wanted, Error *err)
{
    Text known = {0};
    w->compress = w->format->compress[0];
    if (!*wanted)
        return true;
    for (size_t i = 0; w->format->compress[i]; i++) {
        if (strcmp(w->format->compress[i], wanted) == 0) {
            w->compress = w->format->compress[i];
            text_release(&known);
            return true;
        }
        text_printf(&known, "%s%s", i ? ", " : "", w->format->compress[i]);
    }
    error_set(err, ERROR_USAGE, "compress: expected %s for %s, found '%s'", text_str(&known),
              w->format->name, wanted);
    text_release(&known);
    return false;
}

static bool choose_format(TableWriter *w, const TableOptions *o, Error *err)
{
    const char *packing, *format = o && o->format ? o->format : "",
                         *compress = o && o->compress ? o->compress : "";
    w->format = by_name(w->path, &packing);
    for (size_t i = 0; *format && i < COUNT_OF(formats); i++)
        if (strcmp(formats[i]->name, format) == 0) {
            w->format = formats[i];
            return choose_compress(w, *compress ? compress : packing, err);
        }
    if (*format || !w->format)
        return error_set(
            err, ERROR_USAGE,
            "%s: expected a name that ends in .csv, .csv.gz, .arrow, .arrows or .parquet, or "
            "format=csv, arrow, arrows or parquet",
            *format ? format : w->path);
    return choose_compress(w, *compress ? compress : packing, err);
}

/* ---- bytes ---------------------------------------------------------------------------------------- */

static bool cannot_write(const TableWriter *w, Error *err)
{
    return error_set(err, ERROR_IO, "%s: cannot write: %s", w->path, strerror(errno));
}

bool table_put(TableWriter *w, const void *bytes, size_t n, Error *err)
{
    const char *from = bytes;
    w->at += n;
    while (n) {
        ssize_t done = write(w->fd, from, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            w->failed = true;
            return cannot_write(w, err);
        }
        from += done;
        n -= (size_t)done;
    }
    return true;
}

static bool open_part(TableWriter *w, Error *err)
{
    Text part = {0};
    text_printf(&part, "%s.%ld.part", w->path, (long)getpid());
    w->fd = open(text_str(&part), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    w->part = w->fd >= 0 ? text_take(&part) : NULL;
    text_release(&part);
    return w->fd >= 0 || cannot_write(w, err);
}

static bool settle(TableWriter *w, Error *err)
{
    if (fsync(w->fd) && errno != EINVAL && errno != EROFS)
        return cannot_write(w, err);
    int failed = close(w->fd);
    w->fd = -1;
    if (failed || rename(w->part, w->path))
        return cannot_write(w, err);
    mem_free(w->part);
    w->part = NULL;
    char *dir = text_copy(w->path), *slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir] = 0;
    bool ok = dir_flush(slash ? dir : ".", err);
    mem_free(dir);
    return ok;
}

/* ---- for others ----------------------------------------------------------------------------------- */

TableWriter *table_writer_create(const char *path, const Schema *s, const TableOptions *o,
                                 Pool *pool, Error *err)
{
    TableWriter *w = mem_alloc(sizeof *w);
    *w = (TableWriter){.path = text_copy(path), .fd = -1, .pool = pool};
    schema_copy(&w->schema, s);
    w->words = mem_alloc((s->count + 1) * sizeof *w->words);
    for (size_t i = 0; o && o->words && i < s->count; i++)
        w->words[i] = o->words[i];
    if ((!s->count &&
         !error_set(err, ERROR_USAGE, "%s: a table needs at least one column", path)) ||
        !choose_format(w, o, err) || !open_part(w, err) || !(w->state = w->format->begin(w, err))) {
        table_writer_destroy(w);
        return NULL;
    }
    return w;
}

bool table_writer_add(TableWriter *w, const Chunk *c, Error *err)
{
    if (w->failed)
        return error_set(err, ERROR_IO, "%s: writing has failed before", w->path);
    if (c->columns != w->schema.count)
        return error_set(err, ERROR_SHAPE, "a chunk of %zu columns for a table of %zu", c->columns,
                         w->schema.count);
    for (size_t i = 0; i < c->columns; i++)
        if (c->column[i].type != w->schema.field[i].type || c->column[i].rows != c->rows)
            return error_set(err, ERROR_SHAPE, "column %s: is not as the table's",
                             w->schema.field[i].name);
    w->failed = c->rows && !w->format->add(w, c, err);
    w->rows += c->rows;
    return !w->failed;
}

bool table_writer_finish(TableWriter *w, Error *err)
{
    if (w->failed)
        return error_set(err, ERROR_IO, "%s: writing has failed before", w->path);
    w->failed = true; /* whatever comes, this is the end of adding */
    return w->format->finish(w, err) && settle(w, err);
}

uint64_t table_writer_bytes(const TableWriter *w)
{
    return w->at;
}

const char *table_writer_format(const TableWriter *w)
{
    return w->format->name;
}

void table_writer_destroy(TableWriter *w)
{
    if (!w)
        return;
    if (w->state)
        w->format->release(w->state);
    if (w->fd >= 0)
        close(w->fd);
    if (w->part)
        unlink(w->part);
    schema_release(&w->schema);
    mem_free(w->words);
    mem_free(w->part);
    mem_free(w->path);
    mem_free(w);
}
