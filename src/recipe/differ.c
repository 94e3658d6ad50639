/* differ.c -- in which rows two versions of a column differ: the reach of a rule. */
#include "recipe_int.h"

#include <string.h>

static bool same_text(const Column *a, const Column *b, size_t i)
{
    size_t n, m;
    const char *s = column_text(a, i, &n), *t = column_text(b, i, &m);
    return n == m && (n == 0 || memcmp(s, t, n) == 0);
}

/* Text with words on both sides: pairs of codes repeat, so each pair is compared once. */
static void differ_words(const Column *a, const Column *b, uint8_t *changed)
{
    enum { KNOWN = 256 };
    uint64_t pair[KNOWN];
    uint8_t differs[KNOWN];
    memset(pair, 0xFF, sizeof pair);
    for (size_t i = 0; i < a->rows; i++) {
        uint64_t key = (uint64_t)(uint32_t)a->code[i] << 32 | (uint32_t)b->code[i];
        size_t at = (key ^ key >> 29) % KNOWN;
        if (!column_has(a, i) || !column_has(b, i))
            continue;
        if (pair[at] != key) {
            pair[at] = key;
            differs[at] = !same_text(a, b, i);
        }
        changed[i] |= differs[at];
    }
}

static bool same_printed(const Column *a, const Column *b, size_t i, Text *s, Text *t)
{
    text_reset(s);
    text_reset(t);
    column_print(a, i, s);
    column_print(b, i, t);
    return strcmp(text_str(s), text_str(t)) == 0;
}

static void differ_values(const Column *a, const Column *b, uint8_t *changed)
{
    size_t rows = a->rows;
    switch (a->type) {
    case COLUMN_BOOL:
        for (size_t i = 0; i < rows; i++)
            changed[i] |= bit_get(a->bit, i) != bit_get(b->bit, i);
        break;
    case COLUMN_DATE:
        for (size_t i = 0; i < rows; i++)
            changed[i] |= a->day[i] != b->day[i];
        break;
    case COLUMN_TEXT:
        if (a->words && b->words) {
            differ_words(a, b, changed);
            break;
        }
        for (size_t i = 0; i < rows; i++)
            changed[i] |= column_has(a, i) && column_has(b, i) && !same_text(a, b, i);
        break;
    default: /* eight bytes; the same bits are the same value */
        for (size_t i = 0; i < rows; i++)
            changed[i] |= a->integer[i] != b->integer[i];
    }
}

static void differ_types(const Column *a, const Column *b, uint8_t *changed, Arena *arena)
{
    bool numbers = (a->type == COLUMN_INT || a->type == COLUMN_REAL) &&
                   (b->type == COLUMN_INT || b->type == COLUMN_REAL);
    if (numbers) {
        const double *x = column_reals(a, arena), *y = column_reals(b, arena);
        for (size_t i = 0; i < a->rows; i++)
            changed[i] |= x[i] != y[i];
        return;
    }
    Text s = {0}, t = {0};
    for (size_t i = 0; i < a->rows; i++)
        if (column_has(a, i) && column_has(b, i))
            changed[i] |= !same_printed(a, b, i, &s, &t);
    text_release(&s);
    text_release(&t);
}

void column_differ(const Column *a, const Column *b, uint8_t *changed, Arena *arena)
{
    size_t rows = a->rows;
    uint8_t *own = arena_alloc(arena, 3 * (rows + 8)), *has_a = own + rows + 8,
            *has_b = has_a + rows + 8;
    if (a->integer == b->integer && a->valid == b->valid && a->type == b->type)
        return; /* the very same */
    if (a->type == b->type)
        differ_values(a, b, own);
    else
        differ_types(a, b, own, arena);
    memset(has_a, 1, rows);
    memset(has_b, 1, rows);
    if (a->valid)
        bits_unpack(a->valid, 0, rows, has_a);
    if (b->valid)
        bits_unpack(b->valid, 0, rows, has_b);
    for (size_t i = 0; i < rows; i++)
        changed[i] |= (uint8_t)((own[i] & has_a[i] & has_b[i]) | (has_a[i] ^ has_b[i]));
}

static const Column *named(const Column *column, size_t columns, const char *name)
{
    for (size_t i = 0; i < columns; i++)
        if (strcmp(column[i].name, name) == 0)
            return &column[i];
    return NULL;
}

void watch_begin(Watch *w, const Frame *f)
{
    w->columns = f->columns;
    w->column = ARENA_NEW(f->arena, Column, f->columns + 1);
    memcpy(w->column, f->column, f->columns * sizeof *w->column);
    w->living = f->living;
    w->alive = NULL;
}

const Column *watch_before(const Watch *w, const char *name)
{
    return named(w->column, w->columns, name);
}

const Column *frame_column(const Frame *f, const char *name)
{
    return named(f->column, f->columns, name);
}

uint8_t *watch_changed(const Watch *w, const Frame *f, const Step *step)
{
    uint8_t *changed = arena_alloc(f->arena, f->rows + 8);
    for (size_t k = 0; k < step->writes; k++) {
        const Column *before = watch_before(w, step->write[k]);
        const Column *after = frame_column(f, step->write[k]);
        if (before && after)
            column_differ(before, after, changed, f->arena);
        else if (after) /* a new column reaches every row */
            memset(changed, 1, f->rows);
    }
    for (size_t i = 0; i < f->rows; i++)
        changed[i] &= f->alive[i];
    return changed;
}
