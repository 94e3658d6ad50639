/* data_groups_int.h -- groups of rows: what the files of the frequency and pivot view share.
 *
 *   keys       measures                    flat: a row a group       across: a row a group of the first keys,
 *   city       count                       city  hour  count  ...    a column a value of the last key
 *   hour       mean fare                                                                              */
#ifndef LATHE_TUI_DATA_GROUPS_INT_H
#define LATHE_TUI_DATA_GROUPS_INT_H

#include "data_int.h"

#define ACROSS_MOST 60 /* columns of a cross table */
#define GROUPS_MOST 200000

typedef struct GroupColumn { /* of the table on the screen */
    enum { SHOW_KEY, SHOW_COUNT, SHOW_SHARE, SHOW_BAR, SHOW_MEASURE, SHOW_ACROSS } kind;
    size_t at;    /* key, column of the chunk, or column across */
    double scale; /* largest magnitude: how many decimals */
    char title[130];
} GroupColumn;

typedef struct Groups {
    GroupSpec spec; /* measure[0] is always the count of rows */
    bool across;    /* the last key's values are columns */
    bool stale;     /* spec is other than what is shown */
    bool made;      /* the rest is there */
    Arena arena;
    Chunk chunk;
    double total;         /* rows in all groups */
    size_t rows, columns; /* of the table on the screen */
    uint32_t *order;      /* [rows] flat: groups; across: rows of the cross table */
    uint32_t *cross;      /* [rows][across_count] groups, UINT32_MAX none; owned, NULL: flat */
    uint32_t *leader;     /* [rows] a group of each row of the cross table; owned */
    size_t across_count;
    GroupColumn column[ACROSS_MOST + 16];
    TableColumn head[ACROSS_MOST + 16];
    uint8_t *mark; /* [rows], owned */
    size_t marks;
    size_t sort; /* column of the table; SIZE_MAX: as they came, most rows first */
    bool down;
    Table table;
} Groups;

/* data_groups_make.c */
void groups_release(Groups *g);                                   /* and all it shows */
void groups_take(DataState *s, Arena *arena, const Chunk *chunk); /* takes the arena */
void groups_sort(DataState *s);                                   /* by g->sort */
uint32_t groups_first(const Groups *g, size_t row); /* a group of the row on the screen */
uint32_t groups_cell(const Groups *g, size_t row, size_t column); /* UINT32_MAX: none */
const Column *groups_value(const Groups *g, size_t row, size_t column,
                           size_t *group); /* NULL: none */

size_t groups_key_at_cursor(const DataState *s); /* else the last key */

/* data_groups_ask.c */
void groups_ask(DataState *s, Ui *ui); /* s->groups->spec, by a job */
/* "city = "Dupont" and hour(day) = 7" of the first `keys` keys. */
void groups_condition(const DataState *s, uint32_t group, size_t keys, Text *into);
/* Of the marked rows of the table, or that under the cursor. */
void groups_chosen(const DataState *s, Text *into);

#endif
