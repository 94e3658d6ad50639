/* data_int.h -- the Data pane's state, shared by its files:
 *   data.c          the pane; data_keys.h its keys         data_draw.c     the frame around a view
 *   data_list.c     the datasets of the workspace          data_typing.c   the line that is typed
 *   data_rows.c     which rows, in which order             data_search.c   finding text in the cells
 *   data_columns.c  which columns, in which order          data_marks.c    chosen rows
 *   data_rules.c    from what is seen to a cleaning rule   data_session.c  what is kept of all this
 *   data_write.c    what is shown as a file
 *   data_profile.c  numbers of a profile as people read    data_trail.c    from view to view
 * and a file a view, see DATA_VIEWS.
 *
 * A view shows the open dataset in one way. Views stack: Esc goes back the way one came. The column that
 * commands are about is s->focus, a column of the dataset; the views move it. */
#ifndef LATHE_TUI_DATA_INT_H
#define LATHE_TUI_DATA_INT_H

#include "../chart.h"
#include "../ui.h"
#include "../widgets.h"

#include <lathe/scan.h>

/* The one list of views; data_NAME_view is in data_NAME.c. */
#define DATA_VIEWS(X)                                                                              \
    X(TABLE, table)                                                                                \
    X(SCHEMA, schema)                                                                              \
    X(DESCRIBE, describe)                                                                          \
    X(COLUMN, column)                                                                              \
    X(FORM, form) X(GROUPS, groups) X(SCATTER, scatter) X(CORRELATION, correlation)                \
        X(REJECTS, rejects)
#define AS_ENUM(name, word) VIEW_##name,
typedef enum DataView { DATA_VIEWS(AS_ENUM) VIEW_COUNT } DataView;
#undef AS_ENUM

enum {
    DATA_SLOT_NONE_,
    DATA_SEARCH_SLOT,
    DATA_ROWS_SLOT,
    DATA_GLIMPSE_SLOT,
    DATA_CHECK_SLOT,
    DATA_REJECTS_SLOT,
    DATA_MARK_SLOT,
    DATA_DESCRIBE_SLOT,
    DATA_GROUPS_SLOT,
    DATA_SCATTER_SLOT,
    DATA_CORRELATION_SLOT,
    DATA_WRITE_SLOT
};
enum { DATA_ZONE_LIST = 1, DATA_ZONE_MAIN };

/* ---- which rows ------------------------------------------------------------------------------------- */

#define SORT_MOST   8
#define FILTER_MOST 1000
typedef struct Choice {       /* which rows, in which order */
    char filter[FILTER_MOST]; /* an expression, "" none */
    bool marked;              /* only marked rows */
    size_t keys;
    SortKey key[SORT_MOST];
} Choice;

typedef struct Rows { /* numbers of rows in the order they are shown; shared with jobs */
    atomic_int holders;
    RowSet set;
} Rows;
Rows *rows_take(RowSet *set); /* takes the set */
Rows *rows_hold(Rows *r);     /* NULL stays NULL */
void rows_drop(void *rows);   /* the last one frees it; NULL is fine */

typedef struct Marks { /* chosen rows: a bit each */
    uint64_t count;
    uint8_t *bit; /* [(rows of the dataset + 7) / 8]; NULL: none chosen */
} Marks;

typedef struct Sought Sought; /* which rows hold a text that was looked for: data_search.c */

/* ---- the rest of the state -------------------------------------------------------------------------------- */

typedef struct DataColumn { /* how a column is shown */
    int width;
    int decimals; /* most digits after the point seen; numbers line up at it */
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

typedef struct Described { /* profiles of the rows that pass the filter, a column at a time */
    Profile *column;       /* [columns of the dataset]; columns == 0: not computed yet */
    size_t columns;
} Described;

#define TRAIL_MOST 8
#define MENU_MOST  64
typedef struct DataState {
    bool in_list; /* the keys go to the list of datasets */
    DataView view;
    DataView trail[TRAIL_MOST]; /* the views Esc leads back through */
    size_t trail_count;
    Table list, table, schema, describe, form, rejects;
    OpenDataset *data; /* held */
    size_t focus;      /* column of the dataset that commands are about */

    DataColumn *column;   /* [columns of data] */
    size_t columns;       /* of data */
    size_t *order;        /* [columns of data] those shown, as they stand */
    size_t shown, pinned; /* pinned: the first so many stay at the left */
    TableColumn *head;    /* [shown], for the table widget */

    Choice have, want; /* what `rows` is; what it will be when the job is done */
    Rows *rows;        /* NULL: all, in their order */
    bool glimpse;      /* `rows` are only the first that pass; */
    double estimate;   /* about so many there will be */
    bool partial;      /* and no more come: the filter was stopped */
    uint64_t go_to;    /* row to go to when the rows of the last session are there; 0 none */
    Marks marks;
    char marked_by[FILTER_MOST]; /* the last expression that marked rows, "" none */

    char find[200]; /* what n and N look for */
    bool searching;
    Sought *sought; /* what is known of it; NULL: nothing, or a job has it */
    LineEdit line;  /* being typed */
    enum { TYPING_NONE, TYPING_SEARCH, TYPING_FILTER, TYPING_MARK } typing;
    Error line_error; /* of the expression being typed */
    double share;     /* of the rows that pass what is typed, from a sample; NaN: not known */

    Described described; /* of the filtered rows */
    bool describe_all;   /* the job goes on with the next column */
    size_t describe_key; /* statistic the columns are sorted by; SIZE_MAX: as in the dataset */
    bool describe_down;
    size_t *describe_order; /* [columns of data] */
    TableColumn describe_head[12]; /* as wide as there is room */

    struct Groups *groups;    /* data_groups_int.h; NULL: none made */
    size_t measured, part_of; /* column and key that a menu is about */
    struct Scatter *scatter;  /* of data_scatter.c; NULL */
    struct Matrix *matrix;    /* of data_correlation.c; NULL */

    struct {
        bool on;
        DataView view;
        Choice choice;
    } came; /* from a group or a cell to its rows: Esc leads back there */

    RejectList *reject_list;
    ChunkCache *cache;
    char rule[MENU_MOST][400]; /* what the open menu offers */
    size_t rules;
    size_t pick[MENU_MOST]; /* columns the open menu offers */
    size_t picks;
    uint64_t snapshot; /* number of the one last seen */
} DataState;

typedef struct ViewKind {
    /* Goes on the frame around it. */
    void (*title)(const DataState *s, const Canvas *c, Text *title, Text *note);
    bool wide; /* wants the room of the list where there is little */
    void (*layout)(DataState *s, int rows, int cols);
    void (*draw)(const DataState *s, const Canvas *in, bool active, const Ui *ui);
    Reply (*command)(DataState *s, int command, Ui *ui); /* moving, and what only it knows */
    Reply (*mouse)(DataState *s, const Mouse *m, Ui *ui);
    void (*enter)(DataState *s, Ui *ui); /* shown from now on, or other rows; or NULL */
    void (*fit)(DataState *s, Ui *ui);   /* after a layout; or NULL */
    /* What a file may be made of: the table, the chart (its points in the arena); NULL: there is none. */
    TableSource (*source)(const DataState *s);
    bool (*chart)(const DataState *s, Arena *a, Chart *out, char title[160]);
} ViewKind;
#define AS_EXTERN(name, word) extern const ViewKind data_##word##_view;
DATA_VIEWS(AS_EXTERN)
#undef AS_EXTERN
const ViewKind *data_view(const DataState *s);

/* data_trail.c */
void data_show(DataState *s, DataView view, Ui *ui); /* Esc leads back to the one before */
bool data_view_back(DataState *s);                   /* false: this is the table */
void data_focus(DataState *s, size_t column);        /* and the tables follow */

/* data_list.c */
typedef struct ListContext { /* what the list of datasets is drawn from */
    const Snapshot *snapshot;
    const char *chosen;
    bool unicode;
} ListContext;
TableSource data_list_source(const Ui *ui,
                             ListContext *l); /* l lives as long as the source is used */
const DatasetRow *data_under_cursor(const DataState *s, const Ui *ui); /* NULL: the list is empty */
int data_list_width(int cols);
bool data_list_shown(const DataState *s, const Ui *ui, int cols);
void data_draw_list(const DataState *s, const Canvas *c, const Ui *ui);
void data_rename(DataState *s, Ui *ui); /* asks for the name */

/* data_draw.c */
void data_layout(void *state, int rows, int cols, Ui *ui);
void data_draw(const void *state, const Canvas *c, const Ui *ui);
void data_add_grouped(uint64_t n, Text *t); /* 5,000,000, to the last digit */

/* data_typing.c */
void data_type_search(DataState *s, Ui *ui);
void data_type_filter(DataState *s, Ui *ui);
void data_type_marks(DataState *s, Ui *ui);
void data_accept(DataState *s, Ui *ui);
void data_leave(DataState *s, Ui *ui);
void data_complete(DataState *s, Ui *ui);
Reply data_typed(void *state, Key key, Ui *ui);
void data_draw_typing(const DataState *s, const Canvas *c, int row);

/* data_rows.c */
uint64_t data_rows(const DataState *s);                  /* shown */
bool data_rows_awaited(const DataState *s);              /* what is shown is only a first glimpse */
uint64_t data_row(const DataState *s, uint64_t at);      /* its number in the dataset */
void data_rows_given(DataState *s, RowSet *set, Ui *ui); /* takes the set; its rows are marked */
void data_rows_forget(DataState *s);                     /* all rows in their order, at once */
bool data_rows_stop(DataState *s, Ui *ui);            /* false: no job is at work */
void data_rows_make(DataState *s, Ui *ui);               /* s->want, by a job */
bool data_filtered(const DataState *s);
void data_narrow(DataState *s, const char *condition, Ui *ui); /* and the filter there is */
void data_set_filter(DataState *s, const char *expression, Ui *ui);
void data_sort_up(DataState *s, Ui *ui);
void data_sort_down(DataState *s, Ui *ui);
void data_sort_add_up(DataState *s, Ui *ui);
void data_sort_add_down(DataState *s, Ui *ui);
void data_add_filter(const DataState *s, const Canvas *c, Text *into); /* for titles */
void data_add_sorting(const DataState *s, const Canvas *c, Text *into);
bool data_expression(const char *text, const Schema *schema, Expr **out, Error *err);

/* data_rows_make.c */
typedef struct RowsAsk {
    OpenDataset *data; /* held */
    Choice choice;
    uint8_t *marks; /* owned; NULL: not asked */
} RowsAsk;

typedef struct RowsAnswer {
    Choice choice;
    Rows *rows;
    double estimate; /* of a glimpse: how many will pass */
} RowsAnswer;
void *rows_make_run(JobContext *c, void *ask, Error *err); /* RowsAsk -> RowsAnswer */
void *rows_glimpse_run(JobContext *c, void *ask,
                       Error *err); /* the first rows that pass, and an estimate */
/* At most so many of the rows (NULL: all), spread evenly: for a first answer. */
bool rows_sample(const Dataset *d, const RowSet *of, uint64_t most, RowSet *out, Error *err);
void rows_ask_release(void *ask);
void rows_answer_release(void *answer); /* NULL is fine */

/* data_search.c */
void data_search(DataState *s, int direction, bool from_here, Ui *ui); /* s->find */
void sought_destroy(Sought *k);                                        /* NULL is fine */

/* data_columns.c */
void data_columns_make(DataState *s); /* of a dataset just opened */
void data_columns_release(DataState *s);
void data_head_make(DataState *s);                    /* after order, roles or pins changed */
size_t data_place(const DataState *s, size_t column); /* where it is shown, or SIZE_MAX */
void data_hide(DataState *s, Ui *ui);
void data_unhide(DataState *s, Ui *ui);
void data_pin(DataState *s, Ui *ui);
void data_move_left(DataState *s, Ui *ui);
void data_move_right(DataState *s, Ui *ui);
void data_role(DataState *s, Ui *ui);
void data_target(DataState *s, Ui *ui);
void data_type(DataState *s, Ui *ui);
/* A menu of the dataset's columns that pass; picked gets the column of the dataset. */
void data_pick_column(DataState *s, const char *title, bool (*fits)(const DataState *, size_t),
                      void (*picked)(void *owner, size_t item, Ui *ui), Ui *ui);

/* data_table.c */
const Chunk *data_chunk_of(const DataState *s, uint64_t row, size_t *in_chunk);
TableSource data_table_source(const DataState *s);
void data_cell_text(const DataState *s, uint64_t row, size_t column, Text *into); /* whole */
bool data_cell_missing(const DataState *s, uint64_t row, size_t column);
void data_go_to_row(DataState *s, Ui *ui);            /* asks for the number */
bool data_go(DataState *s, const char *text, Ui *ui); /* "12345", "50%" */
void data_copy(DataState *s, Ui *ui);
Style data_style(ColumnType type);
Style role_style(Role role);
int role_mark(Role role); /* a Glyph + 1 */
const char *role_glyph(const Canvas *c, Role role);

/* data_profile.c */
const ColumnProfile *data_profile_of(const DataState *s, size_t column); /* of all rows */
/* Shares of its values in PROFILE_BINS bins of any range: to compare two profiles. */
void data_shares(const ColumnProfile *p, double low, double high, double *value);
bool data_distribution(const ColumnProfile *p, double *value, double *low, double *high);
void data_add_value(const ColumnProfile *p, double v, Text *into);
/* With all digits where it is a large whole number, which is mostly the number of something; between: it lies
 * between values, as a mean does. */
void data_add_exact(const ColumnProfile *p, double v, bool between, Text *into);
void data_add_share(double share, Text *into);
void data_add_tops(const ColumnProfile *p, Text *into);
void data_paint_spark(const ColumnProfile *p, const Canvas *cell, Style ground);
void data_draw_info(const DataState *s, const Canvas *c);

/* data_describe.c */
void data_described_drop(DataState *s);
const ColumnProfile *data_profile_seen(const DataState *s, size_t column); /* NULL: not yet */
void data_describe_column(DataState *s, size_t column, Ui *ui); /* of the filtered rows, by a job */
void data_describe_sort(DataState *s, bool down);

/* data_groups.c */
void data_groups_drop(DataState *s);
void data_frequency(DataState *s, Ui *ui);
void data_pivot(DataState *s, Ui *ui);
void data_group_add(DataState *s, Ui *ui);
void data_group_measure(DataState *s, Ui *ui);
void data_group_part(DataState *s, Ui *ui);
void data_group_drop(DataState *s, Ui *ui);
void data_group_rows(DataState *s, Ui *ui);
void data_group_rule(DataState *s, Ui *ui);
void data_group_up(DataState *s, Ui *ui);
void data_group_down(DataState *s, Ui *ui);
/* "fare >= 3 and fare < 4"; the last range of a column holds its upper edge. */
void data_add_range(const DataState *s, size_t column, double low, double high, Text *into);

/* data_scatter.c */
void data_scatter_drop(DataState *s);
void data_scatter(DataState *s, Ui *ui); /* asks against which column */
void data_scatter_of(DataState *s, size_t x, size_t y, Ui *ui);
void data_scatter_fit(DataState *s, Ui *ui);
void data_scatter_swap(DataState *s, Ui *ui);
void data_scatter_rows(DataState *s, Ui *ui);
void data_scatter_in(DataState *s, Ui *ui);
void data_scatter_out(DataState *s, Ui *ui);
void data_scatter_all(DataState *s, Ui *ui);

/* data_correlation.c */
void data_correlation_drop(DataState *s);
void data_correlation(DataState *s, Ui *ui);
void data_correlation_kind(DataState *s, Ui *ui);
void data_correlation_open(DataState *s, Ui *ui);

/* data_rejects.c */
void reject_list_destroy(void *list);

/* data_marks.c */
void data_mark(DataState *s, Ui *ui);
void data_mark_equal(DataState *s, Ui *ui);
void data_mark_rows(DataState *s, const char *expression, Ui *ui); /* all rows that pass */
void data_unmark(DataState *s, Ui *ui);
void data_take_found(DataState *s, Ui *ui); /* rows another pane wants to be seen */
void data_only_marked(DataState *s, Ui *ui);
bool marks_has(const Marks *m, uint64_t row);
void marks_add(DataState *s, uint64_t row, Ui *ui);
void marks_release(Marks *m);

/* data_rules.c */
/* "fare = 3.5", "city = \"Dupont\"", "miles is null": rows with the value of this cell. */
void data_add_condition(const DataState *s, uint64_t row, size_t column, Text *into);
void data_add_literal(ColumnType type, const char *value, Text *into);
void data_filter_value(DataState *s, Ui *ui);
void data_rule(DataState *s, Ui *ui); /* offers rules; the picked one goes to Clean */
void data_whatif(DataState *s, Ui *ui); /* the row under the cursor, by the run chosen or the newest that learnt from it */
void data_offer_rule(DataState *s, const char *rule, Ui *ui);

/* data_write.c: the Data pane as files */
bool data_write(void *state, const char *path, Ui *ui);
bool data_table_shown(const void *state, TableSource *out);
bool data_chart_shown(const void *state, Arena *a, Chart *out, char title[160]);
bool data_column_chart(const DataState *s, Arena *a, Chart *out, char title[160]);
bool data_scatter_chart(const DataState *s, Arena *a, Chart *out, char title[160]);

/* data_session.c */
void data_session_keep(const DataState *s, Ui *ui);
void data_session_restore(DataState *s, Ui *ui);
bool data_keep(const void *state, Text *into); /* for undo: see Pane */
bool data_put(void *state, const char *kept, Ui *ui);

#endif
