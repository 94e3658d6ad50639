/* data_keys.h -- the one table of the Data pane's keys: what each is called, what it does, where it holds, what it
 * needs. Hints, help, palette, `:` and the dispatch derive from it. */
#ifndef LATHE_TUI_DATA_KEYS_H
#define LATHE_TUI_DATA_KEYS_H

#include "data_int.h"

/* What a command needs, and what is said where that is not there. */
#define NEEDS(X)                                                                                   \
    X(NOTHING, "")                                                                                 \
    X(DATA, "no dataset is open: o opens a file")                                                  \
    X(ROW, "there is no row here")                                                                 \
    X(LISTED, "no dataset here yet: o opens a file")                                               \
    X(REJECTS, "every line of the source was taken")                                               \
    X(FOUND, "nothing to look for yet: / searches")                                                \
    X(HIDDEN, "no column is hidden: - hides one")                                                  \
    X(MARKED, "no row is marked: Space marks one, | by an expression")
#define AS_ENUM(name, text) NEED_##name,
typedef enum Need { NEEDS(AS_ENUM) } Need;
#undef AS_ENUM

enum { MODE_LIST = 1, MODE_TYPING = 2 };
#define IN(view)   (4u << VIEW_##view)
#define IN_VIEWS   (~(unsigned)(MODE_LIST | MODE_TYPING))
#define IN_COLUMNS (IN(TABLE) | IN(SCHEMA) | IN(DESCRIBE) | IN(COLUMN) | IN(FORM))
#define IN_ROWS    (IN(TABLE) | IN(FORM))

/* The one table of keys: OWN are the pane's commands (enum, name, keys, hint, help, modes, handler, need),
 * FRAME words of the frame that mean something more exact here. Its order is that of the hints. */
// clang-format off
#define DATA_KEYS(OWN, FRAME) \
    FRAME(UI_OPEN, "open-dataset", "Enter", "open", "work on the dataset under the cursor", MODE_LIST) \
    OWN(RENAME, "rename-dataset", "R", "rename", "give the dataset under the cursor another name", MODE_LIST, data_rename, LISTED) \
    OWN(ACCEPT, "accept", "Enter", "accept", "search, filter or mark with this text", MODE_TYPING, data_accept, NOTHING) \
    OWN(COMPLETE, "complete", "Tab", "complete", "columns and functions that may follow", MODE_TYPING, data_complete, NOTHING) \
    OWN(LEAVE, "leave", "Esc Ctrl-C", "leave", "leave the table as it was", MODE_TYPING, data_leave, NOTHING) \
    OWN(COLUMN, "column-detail", "i Enter", "column", "all that is known of the column under the cursor", IN(SCHEMA) | IN(DESCRIBE), show_column, DATA) \
    OWN(ROW, "row-detail", "Enter", "row", "the row as a form, with every column", IN(TABLE), show_row, ROW) \
    OWN(COLUMN_HERE, "column-here", "i", "column", "all that is known of the column under the cursor", IN_ROWS, show_column, DATA) \
    OWN(GROUP_ROWS, "group-rows", "Enter", "rows", "the rows of the group, or of the marked groups", IN(GROUPS), data_group_rows, DATA) \
    OWN(GROUP_ADD, "group-add", "a", "add", "group by another column too", IN(GROUPS), data_group_add, DATA) \
    OWN(GROUP_MEASURE, "group-measure", "m", "measure", "sum, mean, min, max ... of a column in each group", IN(GROUPS), data_group_measure, DATA) \
    OWN(GROUP_PART, "group-part", "b", "bins", "by bins of a number, or hour, weekday, month of a time", IN(GROUPS), data_group_part, DATA) \
    OWN(GROUP_DOWN, "group-down", ">", "sort", "sort the groups by this column, largest first", IN(GROUPS), data_group_down, DATA) \
    OWN(GROUP_UP, "group-up", "<", NULL, "sort the groups by this column, smallest first", IN(GROUPS), data_group_up, DATA) \
    OWN(GROUP_DROP, "group-drop", "d", "drop", "take this column or measure away", IN(GROUPS), data_group_drop, DATA) \
    OWN(GROUP_RULE, "group-rule", "e", "rule", "cleaning rules for this value, or the marked ones", IN(GROUPS), data_group_rule, DATA) \
    FRAME(UI_MARK, "mark-group", "Space", "mark", "mark the group, or take its mark away", IN(GROUPS)) \
    OWN(SCATTER_ROWS, "scatter-rows", "Enter", "rows", "the rows of the cell under the crosshair", IN(SCATTER), data_scatter_rows, DATA) \
    OWN(SCATTER_IN, "scatter-nearer", "+ z", "nearer", "half the range, around the crosshair", IN(SCATTER), data_scatter_in, DATA) \
    OWN(SCATTER_OUT, "scatter-farther", "- Z", "farther", "twice the range", IN(SCATTER), data_scatter_out, DATA) \
    OWN(SCATTER_ALL, "scatter-all", "A", "all", "the range that holds 99 % of the values again", IN(SCATTER), data_scatter_all, DATA) \
    OWN(SCATTER_SWAP, "scatter-swap", "X", "swap", "the axes change places", IN(SCATTER), data_scatter_swap, DATA) \
    OWN(CORRELATION_OPEN, "correlation-scatter", "Enter", "scatter", "these two columns as a scatter", IN(CORRELATION), data_correlation_open, DATA) \
    OWN(CORRELATION_KIND, "correlation-kind", "p", "ranks", "of values (Pearson) or of ranks (Spearman)", IN(CORRELATION), data_correlation_kind, DATA) \
    OWN(FILTER, "filter", "&", "filter", "show rows by an expression: fare > 10 and paid", IN_ROWS | IN(DESCRIBE), data_type_filter, DATA) \
    OWN(SORT_DOWN, "sort-down", ">", "sort", "sort by this column, largest first", IN(TABLE), data_sort_down, DATA) \
    OWN(SORT_UP, "sort-up", "<", NULL, "sort by this column, smallest first", IN(TABLE), data_sort_up, DATA) \
    OWN(SORT_ADD_DOWN, "sort-add-down", "}", NULL, "sort what is alike by this column too, largest first", IN(TABLE), data_sort_add_down, DATA) \
    OWN(SORT_ADD_UP, "sort-add-up", "{", NULL, "the same, smallest first", IN(TABLE), data_sort_add_up, DATA) \
    OWN(DESCRIBE_DOWN, "describe-down", ">", "sort", "sort the columns by this statistic, largest first", IN(DESCRIBE), describe_down, DATA) \
    OWN(DESCRIBE_UP, "describe-up", "<", NULL, "sort the columns by this statistic, smallest first", IN(DESCRIBE), describe_up, DATA) \
    FRAME(UI_SEARCH, "search", "/", "search", "find text in the cells (n and N go on)", IN(TABLE)) \
    OWN(DESCRIBE, "describe", "I", "describe", "every column with its statistics, of the rows shown", IN_VIEWS, show_describe, DATA) \
    OWN(SCHEMA, "schema", "s", "schema", "types and roles of the columns, and back", IN_VIEWS, show_schema, DATA) \
    OWN(ROLE, "set-role", "r", "role", "feature, target, time, id, or ignore the column", IN_COLUMNS, data_role, DATA) \
    OWN(TARGET, "set-target", "t", "target", "predict this column", IN_COLUMNS, data_target, DATA) \
    OWN(TYPE, "set-type", "~", "type", "another type for the column, as a cleaning rule", IN_COLUMNS, data_type, DATA) \
    OWN(RULE, "rule-from-here", "e", "rule", "cleaning rules that this cell or the marks suggest", IN_COLUMNS, data_rule, DATA) \
    FRAME(UI_MARK, "mark-row", "Space", NULL, "mark the row, or take its mark away", IN_ROWS) \
    OWN(EQUAL, "mark-equal", ",", NULL, "mark all rows with the value of this cell", IN_ROWS, data_mark_equal, ROW) \
    OWN(MARK_BY, "mark-by", "|", NULL, "mark all rows that an expression is true for", IN(TABLE), data_type_marks, DATA) \
    OWN(ONLY_MARKED, "only-marked", "\"", NULL, "show the marked rows only, and all again", IN(TABLE), data_only_marked, MARKED) \
    OWN(UNMARK, "unmark-all", "U", NULL, "take all marks away", IN_ROWS, data_unmark, MARKED) \
    OWN(VALUE, "filter-value", "=", NULL, "show the rows with the value of this cell", IN_ROWS, data_filter_value, ROW) \
    OWN(WHATIF, "what-if-row", "w", NULL, "what a model makes of this row, and of the row with other values", IN_ROWS, data_whatif, ROW) \
    OWN(GO, "row", "#", NULL, "to the row with a number, or to a share: 50%", IN_ROWS, data_go_to_row, DATA) \
    OWN(HIDE, "hide-column", "-", "hide", "leave this column out of the table", IN(TABLE) | IN(SCHEMA) | IN(DESCRIBE), data_hide, DATA) \
    OWN(UNHIDE, "show-column", "+", NULL, "bring hidden columns back", IN(TABLE) | IN(SCHEMA) | IN(DESCRIBE), data_unhide, HIDDEN) \
    OWN(PIN, "pin-column", "!", "pin", "keep this column at the left, or let it go", IN(TABLE) | IN(SCHEMA) | IN(DESCRIBE), data_pin, DATA) \
    OWN(MOVE_LEFT, "move-left", "H", NULL, "it changes places with the column to the left", IN(TABLE), data_move_left, DATA) \
    OWN(MOVE_RIGHT, "move-right", "L", NULL, "it changes places with the column to the right", IN(TABLE), data_move_right, DATA) \
    OWN(FREQUENCY, "frequency", "F", "frequency", "how often each value of the column occurs", IN_COLUMNS | IN(CORRELATION), data_frequency, DATA) \
    OWN(PIVOT, "pivot", "W", NULL, "groups of one column down, of another across", IN_COLUMNS | IN(GROUPS), data_pivot, DATA) \
    OWN(SCATTER, "scatter", ".", NULL, "this column against another: where the rows are dense", IN_COLUMNS | IN(CORRELATION) | IN(SCATTER), data_scatter, DATA) \
    OWN(CORRELATION, "correlation", "C", NULL, "how the numeric columns go together, two by two", IN_VIEWS, data_correlation, DATA) \
    OWN(INGEST, "open-source", "o", "open file", "read a file or an http(s) address into a dataset", MODE_LIST | IN_VIEWS, ingest_prompt, NOTHING) \
    OWN(REJECTS, "rejects", "x", "rejects", "the lines of the source that could not be taken", MODE_LIST | IN_VIEWS, show_rejects, REJECTS) \
    OWN(CLEAN, "clean-this", "c", "clean", "write cleaning rules for this dataset", MODE_LIST | IN_COLUMNS, clean_this, DATA) \
    FRAME(UI_BACK, "back", "Esc q", "back", "out of the view, the sorting, the filter, to the list", IN_VIEWS) \
    FRAME(UI_NEXT_PART, "other-part", "Tab", "list/table", "between the list of datasets and the table", 0)
// clang-format on

#define NO_ENUM(...)
#define AS_ENUM(id, ...) DATA_##id,
enum { DATA_BEFORE_ = PANE_COMMANDS - 1, DATA_KEYS(AS_ENUM, NO_ENUM) };
#undef AS_ENUM

#endif
