/* arrow.c -- fuzz target: an Arrow file as a dataset, opened, every value of it read, verified.
 * Once from memory, where a sanitizer sees the first byte beyond, once as a file. */
#include "data/arrow_int.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void look(const Column *c, Text *text)
{
    for (size_t row = 0; row < c->rows && row < 200; row++) {
        text_reset(text);
        column_print(c, row, text);
    }
}

static void from_memory(const uint8_t *bytes, size_t size)
{
    ArrowFile file;
    Error err = {0};
    Arena arena = {0};
    Text text = {0};
    if (!arrow_parse(&file, bytes, size, &err))
        return;
    for (size_t b = 0; b < file.batches; b++) {
        arena_reset(&arena);
        for (size_t k = 0; k < file.fields; k++) {
            Column c;
            ArrowPart own;
            bool bad = false;
            const ArrowPart *part = &file.batch[b].part[k];
            if (part->packing != ARROW_UNPACKED) {
                if (!arrow_unpack(&file.field[k], part, &arena, &own, &err))
                    continue;
                part = &own;
            }
            arrow_column(&file.field[k], part, 0, file.batch[b].rows, &arena, &c, &bad);
            look(&c, &text);
        }
    }
    arrow_release(&file);
    arena_release(&arena);
    text_release(&text);
}

static void from_file(const uint8_t *bytes, size_t size)
{
    char path[64];
    Error err = {0};
    Arena arena = {0};
    int file = memfd_create("fuzz", MFD_CLOEXEC);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size)
        return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    Dataset *d = dataset_open(path, &err);
    for (size_t i = 0; d && i < dataset_chunks(d) && i < 20; i++) {
        Chunk chunk;
        arena_reset(&arena);
        dataset_chunk(d, i, &arena, &chunk);
    }
    if (d) {
        dataset_profile(d);
        dataset_verify(d, NULL, &err);
    }
    dataset_close(d);
    arena_release(&arena);
    close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    from_memory(bytes, size);
    from_file(bytes, size);
    return 0;
}
