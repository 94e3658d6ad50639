/* sql_int.h -- what the files of `lathe sql` share: a statement that runs, and its rows as text. */
#ifndef COMMAND_SQL_INT_H
#define COMMAND_SQL_INT_H

#include "command_int.h"

#include <sqlite3.h>

/* A statement over the workspace while its rows come. */
typedef struct SqlRows {
    WorkspaceSql *sql;
    sqlite3_stmt *row;
    int columns;
} SqlRows;
bool sql_rows_open(SqlRows *r, const char *dir, const char *text, Progress *progress, Error *err);
/* False at the end and on failure, which *ok tells apart. */
bool sql_rows_next(SqlRows *r, bool *ok, Error *err);
void sql_rows_close(SqlRows *r); /* a zeroed one is fine */
/* Names of the columns as keys: a second "n" is "n_2". */
const char **sql_rows_keys(const SqlRows *r, Arena *a);

/* The line of names and lines of rows as CSV. */
void sql_csv_names(const SqlRows *r, Text *into);
void sql_csv_row(const SqlRows *r, Text *into);

/* Writes rows as they come to call->write: CSV, or what `lathe sql` prints. limit 0: all. */
bool sql_write_csv(const CommandCall *call, SqlRows *r, uint64_t *rows, Error *err);
bool sql_write_shown(const CommandCall *call, SqlRows *r, uint64_t limit, Error *err);
/* One row as an object; keys as of sql_rows_keys. */
json_t *sql_json_row(const SqlRows *r, const char *const *key);

#endif
