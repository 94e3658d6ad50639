/* rowset.c -- numbers of rows, in the order they are shown. */
#include "scan_int.h"

bool rowset_all(const Dataset *d, RowSet *out, Error *err)
{
    uint64_t rows = dataset_rows(d);
    *out = (RowSet){0};
    if (rows > UINT32_MAX)
        return error_set(err, ERROR_SPACE,
                         "%.2f billion rows: lists of rows go up to 4.29 billion; filter first",
                         (double)rows / 1e9);
    out->row = mem_try(((size_t)rows + 1) * sizeof *out->row, err);
    if (!out->row)
        return false;
    for (size_t i = 0; i < rows; i++)
        out->row[i] = (uint32_t)i;
    out->count = rows;
    return true;
}

void rowset_release(RowSet *rows)
{
    mem_free(rows->row);
    *rows = (RowSet){0};
}
