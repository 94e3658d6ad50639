/* reader_parts.c -- several files as one table: columns are matched by name.
 *
 * The first file says what the columns are. A later one may lack some, whose rows are then missing
 * there, and an ingest takes in what a later one has more: like a column that needs a wider type, a new
 * one is noted, and the next pass reads all files with it. What files differ in is counted by column. */
#include "reader_int.h"

#include <string.h>

static bool has_name(const char *const *name, size_t count, const char *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(name[i], wanted))
            return true;
    return false;
}

static bool in_plan(const Plan *p, const char *name)
{
    for (size_t c = 0; c < p->columns; c++)
        if (!strcmp(p->column[c].name, name))
            return true;
    return false;
}

static bool noted(const Reader *r, const char *name)
{
    for (size_t i = 0; i < r->fresh.count; i++)
        if (!strcmp(r->fresh.at[i].name, name))
            return true;
    return false;
}

/* What this file's own sample says of the column's type. */
static ReadAs guess(const Reader *r, const Samples *s, const char *name)
{
    Sniff own = {0};
    Sample first = sample_lines(&s->piece[0], s->whole);
    ReadAs as = READ_NONE;
    if (sniff(&own, &r->options, &first, 1, s->whole, NULL))
        for (size_t i = 0; i < own.rules.columns; i++)
            if (!strcmp(own.name[i], name))
                as = own.as[i];
    sniff_release(&own);
    return as;
}

static bool note_fresh(Reader *r, const Samples *s, const char *const *name, const ReadAs *as,
                       size_t columns, Error *err)
{
    for (size_t i = 0; i < columns; i++) {
        if (in_plan(&r->plan, name[i]) || noted(r, name[i]))
            continue;
        if (r->plan.columns + r->fresh.count >= COLUMNS_MOST)
            return error_set(err, ERROR_SHAPE, "%s: the files have more than %d columns together",
                             source_name(r->source), COLUMNS_MOST);
        vec_add(&r->fresh, (ColumnPlan){.name = arena_text(&r->arena, name[i]),
                                        .as = as ? as[i] : guess(r, s, name[i]),
                                        .from = SIZE_MAX});
        r->misfits = true;
    }
    return true;
}

static bool shares_a_column(const Reader *r, const char *const *name, size_t columns)
{
    for (size_t c = 0; c < r->plan.columns; c++)
        if (has_name(name, columns, r->plan.column[c].name))
            return true;
    return false;
}

static void count_absent(Reader *r)
{
    for (size_t c = 0; c < r->plan.columns; c++)
        if (r->plan.column[c].from == SIZE_MAX && !r->absent[c]++)
            r->absent_in[c] = arena_text(&r->arena, source_name(r->source));
}

/* as: the types, where they are known; else the samples tell. */
static bool match(Reader *r, const Samples *s, const char *const *name, const ReadAs *as,
                  size_t columns, Error *err)
{
    if (!r->wanted && r->sniff.header && !shares_a_column(r, name, columns))
        return error_set(err, ERROR_SHAPE,
                         "%s: has no column that %s has; is its header missing, or its delimiter "
                         "another?",
                         source_name(r->source), r->parts.at[0]);
    if (!plan_rebind(&r->plan, name, columns, r->sniff.header, source_name(r->source),
                     r->parts.at[0], err))
        return false;
    count_absent(r);
    return !r->plan.widen || !r->sniff.header || note_fresh(r, s, name, as, columns, err);
}

bool reader_next_part(Reader *r, const Samples *s, Error *err)
{
    const char **name;
    size_t columns;
    bool named;
    Sample head = sample_lines(&s->piece[0], s->whole);
    if (r->format)
        return error_set(err, ERROR_PARSE, "%s: is text, but %s is %s; read them one after another",
                         source_name(r->source), r->parts.at[0], r->format);
    if (!sniff_head(&r->sniff, &head, &r->arena, &name, &columns, &named, &r->part_body, &r->line, err))
        return error_in(err, "%s", source_name(r->source));
    return match(r, s, name, NULL, columns, err);
}

/* A type that this file has otherwise is noted like a value that does not fit: the next pass reads all
 * files with one that holds both. */
static void note_types(Reader *r, const ReadAs *as)
{
    for (size_t c = 0; r->plan.widen && c < r->plan.columns; c++) {
        const ColumnPlan *p = &r->plan.column[c];
        Misfit *m = &r->misfit[c];
        if (p->from == SIZE_MAX || p->fixed || as[p->from] == p->as ||
            (p->as == READ_REAL && as[p->from] == READ_INT) || p->as == READ_TEXT)
            continue;
        m->kinds = (m->count++ ? m->kinds : READ_ALL) & read_implies(as[p->from]);
        r->misfits = true;
    }
}

bool reader_next_columns(Reader *r, const char *const *name, const ReadAs *as, size_t columns,
                         Error *err)
{
    if (!match(r, NULL, name, as, columns, err))
        return false;
    note_types(r, as);
    return true;
}

/* Columns that later files brought are the plan's from now on. */
void reader_take_fresh(Reader *r)
{
    size_t old = r->plan.columns, all = old + r->fresh.count;
    if (r->fresh.count) {
        ColumnPlan *column = ARENA_NEW(&r->arena, ColumnPlan, all);
        memcpy(column, r->plan.column, old * sizeof *column);
        memcpy(column + old, r->fresh.at, r->fresh.count * sizeof *column);
        r->plan.column = column;
        r->plan.columns = all;
        r->misfit = ARENA_NEW(&r->arena, Misfit, all);
        r->misfit_line = ARENA_NEW(&r->arena, uint64_t, all);
        vec_release(&r->fresh);
    }
    r->absent = ARENA_NEW(&r->arena, size_t, all);
    r->absent_in = ARENA_NEW(&r->arena, const char *, all);
}

json_t *reader_differences(const Reader *r)
{
    json_t *list = json_array();
    for (size_t c = 0; c < r->plan.columns; c++)
        if (r->absent[c])
            json_array_append_new(
                list, json_pack("{s:s, s:I, s:I, s:s}", "column", r->plan.column[c].name, "files",
                                (json_int_t)(r->parts.count - r->absent[c]), "of",
                                (json_int_t)r->parts.count, "not_in", r->absent_in[c]));
    return list;
}
