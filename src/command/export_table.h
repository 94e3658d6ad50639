/* export_table.h -- a dataset as a file for other programs, for the verb export. */
#ifndef EXPORT_TABLE_H
#define EXPORT_TABLE_H

#include "command_int.h"

typedef struct ExportTable {
    const char *out;              /* a path or s3://BUCKET/KEY */
    const char *format, *compress, *columns, *where; /* "": as the ending says; none; all; all */
} ExportTable;
bool export_table(CommandCall *call, const char *dataset, const ExportTable *set, json_t *into, Error *err);

#endif
