/* sniff.c -- fuzz target: any bytes as a table, sniffed and read to the end; cut into small blocks
 * it must be the same table with the same bad rows. */
#include "data/reader_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void keep_reject(void *context, const Reject *r)
{
    text_printf(context, "%zu %s\n", (size_t)r->line, r->reason);
    text_add(context, r->text, r->text_size);
}

static void print_chunk(const Chunk *c, Text *into)
{
    for (size_t row = 0; row < c->rows; row++)
        for (size_t i = 0; i < c->columns; i++) {
            column_print(&c->column[i], row, into);
            text_putc(into, '\x1f');
        }
}

static void read_all(const char *path, size_t block_size, Text *cells, Text *rejects)
{
    static const IngestOptions options = {.skip = -1, .reject_limit = 1};
    ReaderSetup setup = {.block_size = block_size};
    Error err = {0};
    Reader *r = reader_open_with(path, &options, NULL, &setup, keep_reject, rejects, NULL, &err);
    Chunk c = {0};
    bool ok = r;
    while (ok && (ok = reader_next(r, &c, &err)) && c.rows)
        print_chunk(&c, cells);
    if (r)
        json_decref(reader_sniffed(r));
    if (!ok && (err.kind == ERROR_NONE || !err.text[0]))
        abort(); /* an error says what it is */
    reader_close(r);
}

static bool same(const Text *a, const Text *b)
{
    return a->count == b->count && text_equal(text_str(a), text_str(b));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    int file = memfd_create("fuzz", MFD_CLOEXEC);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    Text cells[2] = {0}, rejects[2] = {0};
    read_all(path, 0, &cells[0], &rejects[0]);
    read_all(path, 23, &cells[1], &rejects[1]);
    if (!same(&cells[0], &cells[1]) || !same(&rejects[0], &rejects[1]))
        abort();
    for (int i = 0; i < 2; i++) {
        text_release(&cells[i]);
        text_release(&rejects[i]);
    }
    close(file);
    return 0;
}
