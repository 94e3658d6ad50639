/* sql_lookup.c -- the rows of each value of a column, for joins: SQLite keeps no index for virtual
 * tables, so a join by equality would go through the whole table for every row of the other one. */
#include "sql_int.h"

uint64_t lookup_key(const Column *c, size_t row)
{
    size_t n;
    switch (c->type) {
    case COLUMN_BOOL:
        return bit_get(c->bit, row);
    case COLUMN_DATE:
        return (uint64_t)(int64_t)c->day[row];
    case COLUMN_REAL:
        return real_key(c->real[row]);
    case COLUMN_TEXT:
        if (c->words)
            return (uint64_t)c->code[row];
        const char *s = column_text(c, row, &n);
        return word_hash(s, n);
    default:
        return (uint64_t)c->integer[row];
    }
}

/* From the last row to the first, so that chains ascend. */
bool lookup_build(Lookup *l, SqlTables *t, const Dataset *d, size_t column)
{
    uint64_t rows = dataset_rows(d);
    Arena a = {0};
    if (rows >= UINT32_MAX)
        return false;
    *l = (Lookup){.slots = 1024};
    while (l->slots < rows)
        l->slots *= 2;
    l->head = mem_try(l->slots * sizeof *l->head, NULL);
    l->next = l->head ? mem_try(((size_t)rows + 1) * sizeof *l->next, NULL) : NULL;
    if (!l->next) {
        lookup_release(l);
        return false;
    }
    memset(l->head, 0, l->slots * sizeof *l->head);
    uint64_t end = rows;
    for (size_t i = dataset_chunks(d); i-- > 0;) {
        Column c;
        arena_reset(&a);
        if (sql_stopped(t)) {
            lookup_release(l);
            break;
        }
        dataset_column(d, i, column, &a, &c);
        end -= c.rows;
        for (size_t r = c.rows; r-- > 0;) {
            if (!column_has(&c, r))
                continue;
            uint32_t *head = &l->head[mix64(lookup_key(&c, r)) & (l->slots - 1)];
            l->next[end + r] = *head;
            *head = (uint32_t)(end + r + 1);
        }
    }
    arena_release(&a);
    return l->head != NULL;
}

void lookup_release(Lookup *l)
{
    mem_free(l->head);
    mem_free(l->next);
    *l = (Lookup){0};
}

uint32_t lookup_first(const Lookup *l, uint64_t key)
{
    return l->head[mix64(key) & (l->slots - 1)];
}
