/* sql_int.h -- what the files of the SQL pane share.
 *
 *   text --job--> SqlAnswer --result_take--> SqlResult --> table
 *   (sql_edit.c)  (sql_ask.c)                (sql_result.c)
 *
 * A statement stays open between two blocks of rows: its SqlCursor travels with the job that reads on
 * and comes back with the answer, so it is on one thread at a time. */
#ifndef LATHE_TUI_SQL_INT_H
#define LATHE_TUI_SQL_INT_H

#include "../ui.h"
#include "../widgets.h"

#define SQL_FIRST 200          /* rows of the first block */
#define SQL_MORE  2000         /* of one that scrolling asks for */
#define SQL_MOST  100000       /* rows kept on screen; csv and dataset get all */
#define SQL_CELL_MOST 65536    /* bytes of a text that are kept */

enum { SQL_SLOT_ROWS = 1, SQL_SLOT_CLOSE, SQL_SLOT_TABLES, SQL_SLOT_SAVE };

/* ---- rows (sql_ask.c) ------------------------------------------------------------------------------ */

typedef enum CellKind { CELL_NULL, CELL_INT, CELL_REAL, CELL_TEXT, CELL_BYTES } CellKind;
typedef struct SqlCell {
    union {
        int64_t integer;
        double real;
        size_t text;           /* where it begins in the block's bytes */
    };
    uint32_t size;             /* of the text, or of the bytes that are not kept */
    CellKind kind;
} SqlCell;

typedef struct SqlBlock {
    uint64_t first;
    size_t rows;
    VEC(SqlCell) cell;         /* [rows][columns] */
    Text bytes;
} SqlBlock;
void sql_block_free(SqlBlock *b);

typedef struct SqlCursor SqlCursor; /* an open statement, `at` its next row */
void sql_cursor_close(SqlCursor *c);

typedef struct SqlAsk {
    SqlCursor *cursor;         /* owned; NULL: begin anew and skip `from` rows */
    char *text;                /* owned */
    uint64_t from, most;
} SqlAsk;
typedef struct SqlAnswer {
    SqlCursor *cursor;         /* NULL at the end */
    SqlBlock *block;           /* NULL after an error */
    Arena arena;
    size_t columns;
    const char **name;         /* of the columns, in arena */
    int *width;                /* of the widest value of the block */
    bool *number;              /* nothing but numbers (and NULL) */
    bool end;                  /* there are no more rows */
    Error error;               /* kind 0: none */
    size_t where;              /* byte of the text the error is about, or SIZE_MAX */
    double seconds;
} SqlAnswer;
void *sql_ask_run(JobContext *c, void *ask, Error *err); /* SqlAsk -> SqlAnswer, never NULL */
void  sql_ask_free(void *ask);
void  sql_answer_free(void *answer);
void *sql_close_run(JobContext *c, void *ask, Error *err); /* closes the cursor of a SqlAsk */

/* A statement's whole answer to a file or a dataset. */
typedef struct SqlKeep { char *text, *to; bool file; } SqlKeep; /* file: csv, arrow, parquet by its ending */
typedef struct SqlKept { char *to; bool file; uint64_t rows; } SqlKept;
void *sql_keep_run(JobContext *c, void *keep, Error *err); /* SqlKeep -> SqlKept */
void  sql_keep_free(void *keep);
void  sql_kept_free(void *kept);

/* ---- the result (sql_result.c) ---------------------------------------------------------------------- */

typedef struct SqlResult {
    char *text;                /* the statement it answers; NULL: there is none */
    size_t columns;
    TableColumn *column;       /* titles owned */
    VEC(SqlBlock *) block;
    uint64_t rows;
    bool end, stopped;
    double seconds;            /* spent reading so far */
} SqlResult;
void result_reset(SqlResult *r);
void result_measure(SqlAnswer *a);             /* width and number of each column; by the job */
void result_take(SqlResult *r, SqlAnswer *a);  /* takes the block; the first also names the columns */
const SqlCell *result_cell(const SqlResult *r, uint64_t row, size_t column, const SqlBlock **block);
void result_print(const SqlResult *r, uint64_t row, size_t column, Text *into); /* whole; NULL: "" */
TableSource result_source(const SqlResult *r);
void result_note(const SqlResult *r, bool running, Text *into); /* "200 rows so far, 12 ms" */

/* ---- the editor (sql_edit.c) ------------------------------------------------------------------------ */

typedef struct QueryEdit {
    LineEdit line;             /* its text has line feeds; long lines are folded on the screen */
    int width, rows, top;      /* from the last layout */
    bool pasting;
} QueryEdit;
void edit_layout(QueryEdit *e, int rows, int width);
int  edit_rows(const QueryEdit *e, int width);                /* it would like to have */
void edit_draw(const QueryEdit *e, const Canvas *c, bool active, size_t bad);
bool edit_key(QueryEdit *e, Key key);                         /* true: used up */
bool edit_up(QueryEdit *e);                                   /* false: already in the first row */
bool edit_down(QueryEdit *e);
bool edit_last_line(const QueryEdit *e);
void edit_insert(QueryEdit *e, const char *text);
void edit_place(const QueryEdit *e, size_t byte, int *row, int *col); /* of the text, folded */

/* ---- tables and completion (sql_tables.c) ------------------------------------------------------------- */

typedef struct SqlTable {
    const char *name;
    bool dataset, open;        /* open: its columns are listed */
    int64_t rows;              /* of a dataset */
    size_t columns;
    const char **column, **type;
} SqlTable;
typedef struct SqlTables { Arena arena; VEC(SqlTable) table; } SqlTables; /* datasets first */
void *sql_tables_load(JobContext *c, void *input, Error *err);
void  sql_tables_free(void *tables);
typedef struct TablesRow { size_t table, column; } TablesRow; /* column SIZE_MAX: the table itself */
typedef VEC(TablesRow) TablesRows;
void tables_rows(const SqlTables *t, TablesRows *out);
void sql_name(const char *name, Text *into);                  /* in quotes if it needs them */
/* Words that may end `text`. */
void sql_complete(const SqlTables *t, const char *text, void (*add)(void *, const char *), void *context);
bool sql_keyword(const char *s, size_t n);
/* A nearest name to the one the error could not find, or NULL; lives in t. */
const char *sql_did_you_mean(const SqlTables *t, const char *error);

/* ---- the pane's state ---------------------------------------------------------------------------------- */

typedef enum SqlPart { SQL_QUERY, SQL_RESULT, SQL_TABLES, SQL_PARTS } SqlPart;
#define SQL_EXAMPLES 3

typedef struct SqlState {
    Ui *ui;
    SqlPart part;
    bool editing;
    QueryEdit edit;
    VEC(char *) history;       /* oldest first, owned */
    size_t history_at;         /* == count: what is typed now */
    char *typed;               /* kept while the history is looked through */
    bool history_known;
    SqlCursor *cursor;         /* of the result, between two blocks; NULL: none, or with a job */
    double read_at;            /* ui_now of the last block */
    uint64_t goal;             /* rows wanted */
    SqlResult result;
    Table table;
    Error error;               /* of the last statement; kind 0: none */
    size_t where;
    SqlTables *tables;
    Table list;
    TablesRows rows;
    bool chosen_open;          /* the dataset that is open had its columns listed */
    uint64_t seen;
    size_t datasets; char newest[65]; /* that `tables` knows */
    Text example[SQL_EXAMPLES];
    const char *example_about[SQL_EXAMPLES];
    struct { int left, editor, height, cols; } at; /* columns of the list, rows of the editor's box */
} SqlState;

/* sql_history.c */
void sql_remember(SqlState *s, const char *text);
bool sql_walk_history(SqlState *s, int by);    /* false: there is none that way */
bool sql_keep(const void *state, Text *into);  /* see Pane */
bool sql_put(void *state, const char *kept, Ui *ui);
/* sql_run.c */
bool sql_running(const SqlState *s);
void sql_run_query(SqlState *s);               /* what is in the editor */
void sql_want_rows(SqlState *s);               /* more, where the cursor comes near the last */
void sql_close_cursor(SqlState *s);
/* sql_examples.c */
void sql_examples(SqlState *s);                /* statements for what the workspace has now */
void sql_run_example(SqlState *s, size_t i);
/* sql_keep.c */
void sql_ask_keep(SqlState *s, bool file);     /* as a dataset, or a file */
bool sql_write(void *state, const char *path, Ui *ui); /* all rows of the statement, by a job */
bool sql_table_shown(const void *state, TableSource *out); /* those that were read so far */
/* sql_list.c */
TableSource sql_list(const SqlState *s);
void sql_load_tables(SqlState *s);
void sql_open_table(SqlState *s, bool open);   /* that under the cursor */
void sql_open_chosen(SqlState *s);
void sql_insert_name(SqlState *s);             /* under the cursor, into the statement */

void sql_layout(SqlState *s, int rows, int cols);
void sql_draw(const SqlState *s, const Canvas *c);
enum { SQL_ZONE_QUERY = 1, SQL_ZONE_RESULT, SQL_ZONE_TABLES, SQL_ZONE_EXAMPLE };

#endif
