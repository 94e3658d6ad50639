/* widgets.h -- the pieces panes are made of: table, list, line editor, form, text viewer.
 *
 * A widget is plain state the pane embeds; zeroed is empty. x_layout fits its scroll to the room
 * (call it from the pane's layout), x_draw draws, x_command answers the frame's commands
 * (UI_UP ... UI_LAST) with REPLY_DRAW or REPLY_IGNORED, x_mouse answers its own zones. */
#ifndef LATHE_TUI_WIDGETS_H
#define LATHE_TUI_WIDGETS_H

#include "pane.h"

/* ---- table: any number of rows, seen through functions ------------------------------------------------ */

typedef struct TableColumn {
    const char *title;
    const char *name; /* in files; NULL: the title */
    int width; /* columns on screen; 0: as the title */
    Align align;
    Style header;      /* 0: STYLE_HEADER */
    int glyph;            /* before the title: a Glyph + 1; 0 none */
    bool stretch;      /* takes what room is left */
} TableColumn;

typedef struct Cell {
    Text *text;
    Style style;
} Cell; /* text comes empty; style STYLE_PLAIN */

typedef struct TableSource {
    const void *context;
    uint64_t rows;
    size_t columns;
    const TableColumn *column;
    void (*cell)(const void *context, uint64_t row, size_t column, Cell *out);
    bool (*marked)(const void *context, uint64_t row); /* NULL: none */
    /* Draws the cell itself (a spark, a bar); false: cell() is asked. NULL: never. */
    bool (*paint)(const void *context, uint64_t row, size_t column, const Canvas *cell,
                  Style ground);
    const char *empty; /* what to say, and do next, when there are no rows */
    /* The cell for files that are read by programs; NULL: as shown. */
    void (*exact)(const void *context, uint64_t row, size_t column, Text *into);
} TableSource;

typedef struct Table {
    uint64_t at, top; /* row under the cursor, first row shown */
    size_t col, left; /* column under the cursor, first column shown after the frozen ones */
    size_t frozen;    /* columns that stay at the left */
    bool cells;       /* the cursor is a cell, not a row: left and right move it */
    bool row_numbers;
    bool no_header;
    int rows; /* shown, from the last layout */
} Table;
void table_layout(Table *t, const TableSource *s, int rows, int cols);
void table_draw(const Table *t, const TableSource *s, const Canvas *c, bool active, int zone);
Reply table_command(Table *t, const TableSource *s, int command);
Reply table_mouse(Table *t, const TableSource *s,
                  const Mouse *m); /* of its zone; press moves the cursor */
void table_go(Table *t, const TableSource *s,
              uint64_t row); /* cursor there, in the middle if far */

/* ---- a line of text being typed ------------------------------------------------------------------------- */

/* Emacs keys as in readline: C-a C-e C-b C-f C-k C-u C-w C-y C-t M-b M-f M-d, arrows, Home, End. */
typedef struct LineEdit {
    Text text;
    size_t at; /* byte place of the cursor */
    int from;  /* first column shown */
    Text killed;
    VEC(char *) words; /* candidates of the completion that is shown, owned */
    size_t word;       /* chosen candidate */
    size_t word_from;  /* byte where the completed word begins */
    bool open;         /* candidates are shown */
} LineEdit;
typedef void (*CompleteFn)(void *owner, const char *text, void (*add)(void *, const char *word),
                           void *context);
void line_set(LineEdit *e, const char *text);
void line_release(LineEdit *e);
const char *line_text(const LineEdit *e);
/* true: the key was meant for it and is used up. Enter, Esc, Up, Down and Tab are not, except while
 * candidates are shown. `changed` (may be NULL) says whether the text is another now. */
bool line_key(LineEdit *e, Key key, bool *changed);
/* Tab: completes the word before the cursor as far as it is certain, then shows the candidates. */
void line_complete(LineEdit *e, CompleteFn complete, void *owner);
void line_close(LineEdit *e); /* candidates away */
/* One row; the terminal's cursor is put in its place. bad: byte from which it is wrong, or SIZE_MAX. */
void line_draw(const LineEdit *e, const Canvas *c, int row, int col, int width, Style style,
               size_t bad);
/* The candidates as a popup under (or over) the place where line_draw was told to draw. */
void line_popup(const LineEdit *e, const Canvas *c, int row, int col);

/* ---- form: Param rows as fields ---------------------------------------------------------------------------- */

typedef struct FormField {
    const Param *row;
    void *settings;    /* the struct the row points into, borrowed */
    const char *group; /* a heading where it changes; NULL none */
} FormField;
typedef struct Form {
    size_t at, top;
    bool editing;
    LineEdit edit;
    Error error; /* of the last input, shown under the field; kind 0: none */
    int rows;    /* from the last layout */
} Form;
void form_layout(Form *f, const FormField *field, size_t n, int rows);
void form_draw(const Form *f, const FormField *field, size_t n, const Canvas *c, bool active,
               int zone);
Reply form_command(Form *f, const FormField *field, size_t n,
                   int command); /* up, down, open, mark */
/* +1, -1: the next or previous value (log rows by 1-2-5 steps; picks and bools cycle). */
bool form_nudge(Form *f, const FormField *field, size_t n, int direction);
/* While editing: raw keys. Enter sets (the error stays shown if refused), Esc leaves. *set: changed. */
Reply form_key(Form *f, const FormField *field, size_t n, Key key, bool *set);
Reply form_mouse(Form *f, const FormField *field, size_t n, const Mouse *m);
void form_reset(Form *f, const FormField *field,
                size_t n); /* the field under the cursor to its default */
void form_release(Form *f);

/* ---- text to scroll ------------------------------------------------------------------------------------------ */

typedef struct Viewer {
    char *text;       /* owned */
    VEC(size_t) line; /* byte where each line begins */
    size_t top;
    int left;
    int rows;
    char find[64]; /* "" none; matches are shown */
} Viewer;
void viewer_set(Viewer *v, const char *text);
void viewer_release(Viewer *v);
void viewer_layout(Viewer *v, int rows, int cols);
void viewer_draw(const Viewer *v, const Canvas *c);
Reply viewer_command(Viewer *v, int command);
bool viewer_find(Viewer *v, const char *what, int direction); /* false: nowhere */

/* Letters of `want` occur in `have` in order, case apart: a score (larger is better), -1 if not. */
int fuzzy_score(const char *want, const char *have);

#endif
