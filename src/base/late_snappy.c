/* late_snappy.c -- snappy, loaded with the first page of Parquet that is packed by it, and the C++ library behind it.
 * See late.h. */
#include "late.h"

#include <snappy-c.h>

LATE(SNAPPY, size_t, snappy_max_compressed_length, (size_t n), (n))
LATE(SNAPPY, snappy_status, snappy_compress, (const char *from, size_t n, char *to, size_t *made), (from, n, to, made))
LATE(SNAPPY, snappy_status, snappy_uncompress, (const char *from, size_t n, char *to, size_t *made), (from, n, to, made))
LATE(SNAPPY, snappy_status, snappy_uncompressed_length, (const char *from, size_t n, size_t *made), (from, n, made))
