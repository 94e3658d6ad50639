/* group_output.c -- groups in their order, as a table. */
#include "group_int.h"

#include <math.h>
#include <stdlib.h>

typedef struct Output {
    const Grouping *g;
    const Tuples *all;
    size_t compared;
    bool stopped;
} Output;

/* ---- one value --------------------------------------------------------------------------------------- */

static const uint64_t *tuple_of(const Tuples *t, size_t group)
{
    return t->tuple + group * t->width;
}

static bool key_missing(const Output *o, size_t group, size_t k)
{
    return tuple_of(o->all, group)[o->g->keys] >> k & 1;
}

static Span key_text(const Output *o, size_t group, size_t k)
{
    const KeyCode *key = &o->g->key[k];
    uint64_t code = tuple_of(o->all, group)[k];
    if (key->plain)
        return o->all->words[k].text[code];
    int32_t from = key->words->start[code];
    return (Span){key->words->bytes + from, (size_t)(key->words->start[code + 1] - from)};
}

static int compare_key(const Output *o, size_t k, size_t a, size_t b)
{
    bool none_a = key_missing(o, a, k), none_b = key_missing(o, b, k);
    if (none_a || none_b)
        return none_a - none_b;
    if (o->g->key[k].type == COLUMN_TEXT) {
        Span x = key_text(o, a, k), y = key_text(o, b, k);
        int order = memcmp(x.at, y.at, x.n < y.n ? x.n : y.n);
        return order ? order : (x.n > y.n) - (x.n < y.n);
    }
    uint64_t x = tuple_of(o->all, a)[k], y = tuple_of(o->all, b)[k];
    return (x > y) - (x < y); /* codes order as their values do */
}

static const Cell *cell_of(const Output *o, size_t group, size_t m)
{
    return o->all->cell + group * o->all->cells +
           (m == SIZE_MAX ? o->g->cells - 1 : o->g->cell_of[m]);
}

static double real_of(const Measure *m, const Cell *c)
{
    double n = (double)c->n;
    if (m->kind == MEASURE_SPREAD) {
        double unit = m->type == COLUMN_TIME ? 1e6 : 1;
        return c->n > 1 ? sqrt(c->squares / (n - 1)) / unit : (double)NAN;
    }
    double sum = m->kind == MEASURE_INT ? (double)c->whole : c->sum;
    return m->what == AGGREGATE_MEAN ? sum / n : sum;
}

static bool has_value(const Measure *m, const Cell *c)
{
    return m->kind == MEASURE_ROWS || m->kind == MEASURE_COUNT ||
           c->n > (m->kind == MEASURE_SPREAD);
}

static Span best_text(const Output *o, const Measure *m, const Cell *c)
{
    const View *v = &o->g->view;
    Span s = {"", 0};
    if (m->plain) {
        size_t chunk = view_chunk(v, c->best);
        s.at = column_text(view_column(v, m->k, chunk), (size_t)(c->best - v->first[chunk]), &s.n);
        return s;
    }
    size_t w = m->word[c->best];
    s.at = m->words->bytes + m->words->start[w];
    s.n = (size_t)(m->words->start[w + 1] - m->words->start[w]);
    return s;
}

/* The first measure as bits that order, 0 for none; plain texts compare by themselves. */
static uint64_t order_of(const Output *o, size_t group)
{
    size_t m = o->g->measures ? 0 : SIZE_MAX;
    const Measure *what = m == 0 ? &o->g->asked[0] : &o->g->measure[o->g->cells - 1];
    const Cell *c = cell_of(o, group, m);
    if (!has_value(what, c))
        return 0;
    if (what->kind == MEASURE_ROWS || what->kind == MEASURE_COUNT)
        return c->n + 1;
    if (what->kind == MEASURE_LEAST || what->kind == MEASURE_MOST)
        return what->plain ? 1 : c->best + (what->rank ? 1 : 0);
    if (what->kind == MEASURE_INT && what->what == AGGREGATE_SUM)
        return order_int(c->whole);
    double v = real_of(what, c);
    return isnan(v) ? 0 : order_real(v);
}

typedef struct Place {
    uint64_t order;
    uint32_t group;
} Place;

static int compare_groups(const void *x, const void *y, void *context)
{
    Output *o = context;
    const Place *a = x, *b = y;
    if (++o->compared % 4096 == 0)
        o->stopped = progress_stopped(o->g->progress);
    if (o->stopped) /* a sort cannot be left, but all may be equal */
        return 0;
    if (a->order != b->order)
        return a->order > b->order ? -1 : 1; /* falling */
    const Measure *m = o->g->measures ? &o->g->asked[0] : NULL;
    if (m && m->plain && m->kind != MEASURE_COUNT && a->order) {
        Span s = best_text(o, m, cell_of(o, a->group, 0)),
             t = best_text(o, m, cell_of(o, b->group, 0));
        int order = memcmp(t.at, s.at, s.n < t.n ? s.n : t.n);
        order = order ? order : (t.n > s.n) - (t.n < s.n);
        if (order)
            return order;
    }
    for (size_t k = 0; k < o->g->keys; k++) {
        int order = compare_key(o, k, a->group, b->group);
        if (order)
            return order;
    }
    return (a->group > b->group) - (a->group < b->group);
}

/* ---- columns ------------------------------------------------------------------------------------------- */

static ColumnType key_type(const KeyCode *k)
{
    if (k->part == GROUP_VALUE)
        return k->type;
    if (k->part == GROUP_DATE)
        return COLUMN_DATE;
    if (k->part != GROUP_BIN)
        return COLUMN_INT;
    return k->type == COLUMN_TIME || k->type == COLUMN_DATE ? k->type : COLUMN_REAL;
}

static void put_key(const Output *o, ColumnBuild *b, size_t k, size_t group)
{
    const KeyCode *key = &o->g->key[k];
    uint64_t code = tuple_of(o->all, group)[k];
    ColumnType type = key_type(key);
    if (key_missing(o, group, k)) {
        column_build_missing(b);
    } else if (type == COLUMN_TEXT) {
        Span s = key_text(o, group, k);
        column_build_text(b, s.at, s.n);
    } else if (key->part == GROUP_BIN) {
        double edge = fma(key->width, (double)code, key->low); /* the same bits in every build */
        if (type == COLUMN_REAL)
            column_build_real(b, edge);
        else
            column_build_int(b, (int64_t)ceil(edge));
    } else if (type == COLUMN_REAL) {
        column_build_real(b, order_back(code));
    } else {
        column_build_int(b, key->size ? key->least + (int64_t)code
                                      : (int64_t)order_int((int64_t)code));
    }
}

static void put_best(const Output *o, ColumnBuild *b, const Measure *m, const Cell *c)
{
    if (m->type == COLUMN_TEXT) {
        Span s = best_text(o, m, c);
        column_build_text(b, s.at, s.n);
    } else if (m->type == COLUMN_REAL) {
        column_build_real(b, order_back(c->best));
    } else {
        column_build_int(b, (int64_t)order_int((int64_t)c->best));
    }
}

static void put_measure(const Output *o, ColumnBuild *b, const Measure *m, const Cell *c)
{
    if (!has_value(m, c))
        column_build_missing(b);
    else if (m->kind == MEASURE_ROWS || m->kind == MEASURE_COUNT)
        column_build_int(b, (int64_t)c->n);
    else if (m->kind == MEASURE_LEAST || m->kind == MEASURE_MOST)
        put_best(o, b, m, c);
    else if (m->out == COLUMN_REAL)
        column_build_real(b, real_of(m, c));
    else
        column_build_int(b, m->what == AGGREGATE_SUM ? c->whole : (int64_t)llround(real_of(m, c)));
}

static const char *measure_name(const Measure *m, Arena *a)
{
    if (m->kind == MEASURE_ROWS)
        return aggregate_name(m->what);
    return arena_printf(a, "%s_%s", aggregate_name(m->what), m->name);
}

static void build_columns(const Output *o, const Place *place, Arena *a, Chunk *out)
{
    const Grouping *g = o->g;
    size_t rows = o->all->count, columns = g->keys + (g->measures ? g->measures : 1);
    Column *column = ARENA_NEW(a, Column, columns);
    for (size_t k = 0; k < g->keys; k++) {
        const char *name = g->key[k].name;
        if (g->key[k].part != GROUP_VALUE)
            name = arena_printf(a, "%s_%s", group_part_name(g->key[k].part), name);
        ColumnBuild *b = column_build(a, name, key_type(&g->key[k]), rows);
        for (size_t i = 0; i < rows && !progress_stopped(g->progress); i++)
            put_key(o, b, k, place[i].group);
        column_build_finish(b, &column[k]);
    }
    for (size_t m = 0; m < columns - g->keys; m++) {
        const Measure *what = g->measures ? &g->asked[m] : &g->measure[g->cells - 1];
        ColumnType type = g->measures ? what->out : COLUMN_INT;
        ColumnBuild *b = column_build(a, measure_name(what, a), type, rows);
        for (size_t i = 0; i < rows && !progress_stopped(g->progress); i++)
            put_measure(o, b, what, cell_of(o, place[i].group, g->measures ? m : SIZE_MAX));
        column_build_finish(b, &column[g->keys + m]);
    }
    *out = (Chunk){.rows = rows, .columns = columns, .column = column};
}

bool group_output(const Grouping *g, const Tuples *all, Arena *a, Chunk *out, Error *err)
{
    Output o = {.g = g, .all = all};
    Place *place = mem_try((all->count + 1) * sizeof *place, err);
    if (!place)
        return false;
    for (size_t i = 0; i < all->count; i++)
        place[i] = (Place){order_of(&o, i), (uint32_t)i};
    qsort_r(place, all->count, sizeof *place, compare_groups, &o);
    bool ok = !scan_stopped(g->progress, err);
    if (ok)
        build_columns(&o, place, a, out);
    mem_free(place);
    return ok && !scan_stopped(g->progress, err);
}
