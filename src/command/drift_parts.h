/* drift_parts.h -- drift part by part of one table: which parts, and what came out. */
#ifndef DRIFT_PARTS_H
#define DRIFT_PARTS_H

#include "command_int.h"

enum { DRIFT_PARTS_MOST = 60 };

typedef struct DriftParts {
    const Dataset *reference, *current; /* reference NULL: the first part */
    const char *by;         /* column that orders the rows of `current`; "": as they stand */
    uint64_t rows;          /* rows a part; 0: a tenth of the table */
    const char *scratch;    /* a folder for the parts as tables of their own; made and removed */
    DriftOptions options;
} DriftParts;

/* "parts": {"by", "part": [{"from", "to", "rows", "drifted", "drifted_columns", "columns": [{"column", "test",
 * "statistic", "threshold", "drifted"}]}]} into the report. */
bool drift_parts_add(const DriftParts *p, const CommandCall *call, json_t *into, Error *err);

#endif
