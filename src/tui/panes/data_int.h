/* data_int.h -- the Data pane's state, shared by its files:
 *   data.c         the pane: keys and commands        data_draw.c     how it looks
 *   data_table.c   cells straight from the chunks     data_schema.c   schema, one column, rejects
 *   data_jobs.c    search, filter, sort, rejects                                                */
#ifndef LATHE_TUI_DATA_INT_H
#define LATHE_TUI_DATA_INT_H

#include "../chart.h"
#include "../ui.h"
#include "../widgets.h"

typedef enum DataView { VIEW_TABLE, VIEW_SCHEMA, VIEW_COLUMN, VIEW_REJECTS } DataView;

enum { DATA_SEARCH_SLOT = 1, DATA_ROWS_SLOT, DATA_REJECTS_SLOT, DATA_RENAME_SLOT };
enum { DATA_ZONE_LIST = 1, DATA_ZONE_MAIN };

/* Rows of the dataset in the order they are shown. */
typedef struct RowSet {
    uint32_t *row;
    uint64_t count;
} RowSet;

typedef struct DataColumn {     /* how a column is shown */
    int width;
    int decimals;               /* most digits after the point seen; numbers line up at it */
    char title[130];
} DataColumn;

typedef struct RejectList {
    Arena arena;
    RejectRow *row;
    size_t count;
} RejectList;

/* The chunk last looked at: draw reads the same one again and again. */
typedef struct ChunkCache {
    const Dataset *of;
    size_t index;
    bool filled;
    Arena arena;
    Chunk chunk;
} ChunkCache;

typedef struct DataState {
    bool in_list;               /* the keys go to the list of datasets */
    DataView view;
    Table list, table, schema, rejects;
    OpenDataset *data;          /* held */
    DataColumn *column;         /* [columns of data] */
    TableColumn *head;          /* [columns of data], for the table widget */
    size_t columns;
    bool column_from_schema;    /* where Esc leads from one column */
    RowSet *rows;               /* NULL: all, in their order */
    char filter[400];           /* the expression, "" none */
    char sort[130];             /* the column, "" none */
    bool sort_down;
    char find[200];             /* what n and N look for */
    LineEdit line;              /* being typed: a search or a filter */
    enum { TYPING_NONE, TYPING_SEARCH, TYPING_FILTER } typing;
    Error line_error;           /* of the filter being typed */
    RejectList *reject_list;
    ChunkCache *cache;
    uint64_t snapshot;          /* number of the one last seen */
} DataState;

/* What the list of datasets is drawn from. */
typedef struct ListContext {
    const Snapshot *snapshot;
    const char *chosen;
    bool unicode;
} ListContext;

/* data_draw.c */
TableSource data_list_source(const Ui *ui, ListContext *l); /* l lives as long as the source is used */
const DatasetRow *data_under_cursor(const DataState *s, const Ui *ui); /* NULL: the list is empty */
int  data_list_width(int cols);
bool data_list_shown(const DataState *s, const Ui *ui, int cols);
void data_draw(const void *state, const Canvas *c, const Ui *ui);

/* data_table.c */
void data_columns_make(DataState *s);
void data_columns_release(DataState *s);
TableSource data_table_source(const DataState *s);
uint64_t data_rows(const DataState *s);                    /* shown */
uint64_t data_row(const DataState *s, uint64_t shown);     /* its number in the dataset */
const Chunk *data_chunk_of(const DataState *s, uint64_t row, size_t *in_chunk);
Style data_style(ColumnType type);
Style role_style(Role role);
const char *role_glyph(const Canvas *c, Role role);

/* data_schema.c */
TableSource data_schema_source(const DataState *s);
TableSource data_rejects_source(const DataState *s);
void data_draw_column(const DataState *s, const Canvas *c);
void data_draw_info(const DataState *s, const Canvas *c, const Ui *ui);

/* data_jobs.c */
void data_search(DataState *s, int direction, bool from_here, Ui *ui); /* s->find */
void data_rows_make(DataState *s, Ui *ui);                 /* s->filter, s->sort */
void data_rejects_load(DataState *s, Ui *ui);
void data_rename(DataState *s, const char *name, const char *to, Ui *ui);
void rowset_destroy(void *rows);
void reject_list_destroy(void *list);

#endif
