/* drift_when.h -- drift chunk by chunk of one table: which chunks, and what came out. */
#ifndef DRIFT_WHEN_H
#define DRIFT_WHEN_H

#include "command_int.h"

typedef struct DriftWhen {
    const Dataset *reference, *current;
    bool itself;         /* the same dataset: its first chunk is the reference */
    const char *chunk;   /* "500" rows, "6h", "1d", "week" ...; "": a tenth of the table */
    const char *time;    /* column that orders the rows; "": as they stand, periods by the first column of times */
    const char *scratch; /* a folder for what is sorted and cut; made and removed */
    DriftOptions options;
} DriftWhen;

/* "chunks": [ {"from", "to", "rows", "drifted", "drifted_columns", "share", "weighted_share", "rmse" or "logloss",
 * "most_drifted", "columns": [ {"column", "test", "statistic", "threshold", "drifted"} ]} ], "time", "against",
 * "chunk_count" and "drifted_chunks" into the report. */
bool drift_when_add(const DriftWhen *w, const CommandCall *call, json_t *into, Error *err);

#endif
