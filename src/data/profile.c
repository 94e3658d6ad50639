/* profile.c -- profiles of whole tables: columns side by side, parts put together. */
#include "profile_int.h"

#include <math.h>

/* ---- two parts of a column ----------------------------------------------------------------------- */

static void merge_moments(ColumnProfiler *into, const ColumnProfiler *from)
{
    if (!from->finite)
        return;
    double a = (double)into->finite, b = (double)from->finite, gap = from->mean - into->mean;
    into->mean += gap * b / (a + b);
    into->squares += from->squares + gap * gap * a * b / (a + b);
    into->finite += from->finite;
    into->least = fmin(into->least, from->least);
    into->most = fmax(into->most, from->most);
}

/* Whether the keys of both are few enough. */
static bool table_has_room(const Frequent *into, const Frequent *from)
{
    size_t used = into->used, most = frequent_most(into);
    if (used + from->used <= most)
        return true;
    for (size_t i = 0; i < from->slots && used <= most; i++)
        used += from->slot[i].count && !frequent_has(into, from->slot[i].key);
    return used <= most;
}

void column_profiler_merge(ColumnProfiler *into, const ColumnProfiler *from)
{
    merge_moments(into, from);
    into->count += from->count;
    into->missing += from->missing;
    into->zeros += from->zeros;
    into->negatives += from->negatives;
    into->nans += from->nans;
    into->trues += from->trues;
    into->shortest = from->shortest < into->shortest ? from->shortest : into->shortest;
    into->longest = from->longest > into->longest ? from->longest : into->longest;
    bool sketched = !into->hll && (from->hll || !table_has_room(&into->frequent, &from->frequent));
    if (sketched)
        profile_begin_sketches(into);
    if (from->hll) {
        hll_merge(into->hll, from->hll);
        quantile_merge(&into->quantile, &from->quantile);
    } else if (into->hll && into->type != COLUMN_TEXT) {
        size_t n;
        Weighted *all = profile_table_sorted(from, &n);
        quantile_add_weighted(&into->quantile, all, n);
        mem_free(all);
    }
    for (size_t i = 0; i < from->frequent.slots; i++) {
        const FrequentSlot *s = &from->frequent.slot[i];
        size_t n = 0;
        const char *text =
            s->count && into->frequent.has_text ? frequent_text(&from->frequent, i, &n) : NULL;
        if (s->count && into->hll)
            hll_add(into->hll, s->key);
        if (s->count)
            frequent_add_slow(&into->frequent, s->key, s->count, text, n);
    }
    into->frequent.offset += from->frequent.offset;
    into->frequent.purged |= from->frequent.purged;
}

/* ---- tables ---------------------------------------------------------------------------------------- */

Profiler *profiler_create(const Schema *s)
{
    Profiler *p = mem_alloc(sizeof *p);
    p->columns = s->count;
    p->name = mem_alloc((s->count + 1) * sizeof *p->name);
    p->column = mem_alloc((s->count + 1) * sizeof(ColumnProfiler *));
    for (size_t i = 0; i < s->count; i++) {
        p->name[i] = text_copy(s->field[i].name);
        p->column[i] = column_profiler_create(s->field[i].type);
    }
    return p;
}

static void destroy(Profiler *p)
{
    for (size_t i = 0; i < p->columns; i++) {
        mem_free(p->name[i]);
        column_profiler_destroy(p->column[i]);
    }
    mem_free(p->name);
    mem_free(p->column);
    mem_free(p);
}

void profiler_add(Profiler *p, const Chunk *c)
{
    p->rows += c->rows;
    for (size_t i = 0; i < p->columns && i < c->columns; i++)
        column_profiler_add(p->column[i], &c->column[i]);
}

void profiler_merge(Profiler *into, Profiler *from)
{
    into->rows += from->rows;
    for (size_t i = 0; i < into->columns; i++)
        column_profiler_merge(into->column[i], from->column[i]);
    destroy(from);
}

void profiler_finish(Profiler *p, Profile *out)
{
    *out = (Profile){.rows = p->rows, .columns = p->columns};
    out->column = ARENA_NEW(&out->arena, ColumnProfile, p->columns + 1);
    for (size_t i = 0; i < p->columns; i++)
        column_profiler_finish(p->column[i], p->name[i], &out->arena, &out->column[i]);
    destroy(p);
}

void profiler_count_most(Profiler *p, size_t values)
{
    for (size_t i = 0; i < p->columns; i++)
        p->column[i]->frequent.most = values;
}

bool profiler_expect(Profiler *const *part, size_t parts, uint64_t rows)
{
    ColumnProfiler **column = mem_alloc((parts + 1) * sizeof(ColumnProfiler *));
    bool all = true;
    for (size_t i = 0; parts && i < part[0]->columns; i++) {
        for (size_t k = 0; k < parts; k++)
            column[k] = part[k]->column[i];
        all = profile_expect(column, parts, rows) && all;
    }
    mem_free(column);
    return all;
}

const ColumnProfile *profile_find(const Profile *p, const char *name)
{
    for (size_t i = 0; i < p->columns; i++)
        if (strcmp(p->column[i].name, name) == 0)
            return &p->column[i];
    return NULL;
}

void profile_release(Profile *p)
{
    arena_release(&p->arena);
    *p = (Profile){0};
}
