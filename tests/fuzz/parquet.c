/* parquet.c -- fuzz target: a file of columns (Parquet, Arrow file or stream) as the reader takes it apart:
 * every column of its first rounds decoded and looked at. */
#include "data/columns_int.h"

#define ROUNDS 20

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void look(const Chunk *c, Text *text)
{
    for (size_t k = 0; k < c->columns; k++)
        for (size_t row = 0; row < c->rows && row < 200; row++) {
            text_reset(text);
            column_print(&c->column[k], row, text);
        }
}

static void read_rounds(ColumnFile *f)
{
    Sniff sniff;
    Plan plan;
    Arena arena = {0};
    Text text = {0};
    Error err = {0};
    Block *block;
    size_t count = 1;
    columns_sniff(f, &sniff);
    if (plan_make(&plan, &sniff, NULL, NULL, "fuzz", &arena, &err))
        for (int round = 0; round < ROUNDS && count; round++) {
            if (!columns_round(f, &plan, NULL, &block, &count, &err))
                break;
            for (size_t i = 0; i < count; i++)
                look(&block[i].chunk, &text);
        }
    sniff_release(&sniff);
    text_release(&text);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Error err = {0};
    const ColumnFormat *format = column_format_of((const char *)bytes, size);
    ColumnFile *f = columns_open_map(format ? format : &parquet_format, bytes, size, &err);
    if (!f)
        return 0;
    read_rounds(f);
    columns_close(f);
    return 0;
}
