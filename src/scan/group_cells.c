/* group_cells.c -- what is counted and summed for a group. */
#include "group_int.h"

#include <math.h>

/* ---- a block of rows into their cells --------------------------------------------------------------- */

static void add_reals(const Measure *m, const Piece *p, size_t at, size_t n, const size_t *place,
                      Cell *cell)
{
    double v[BLOCK];
    load_reals(p, m->k, at, n, v);
    if (m->kind == MEASURE_REAL)
        for (size_t i = 0; i < n; i++) {
            Cell *c = &cell[place[i]];
            bool has = !isnan(v[i]);
            c->n += has;
            c->sum += has ? v[i] : 0.0;
        }
    else if (m->kind == MEASURE_SPREAD)
        for (size_t i = 0; i < n; i++) {
            Cell *c = &cell[place[i]];
            if (isnan(v[i]))
                continue;
            double gap = v[i] - c->sum; /* Welford (1962) */
            c->n++;
            c->sum += gap / (double)c->n;
            c->squares += gap * (v[i] - c->sum);
        }
    else
        for (size_t i = 0; i < n; i++)
            cell[place[i]].n += !isnan(v[i]);
}

static void add_ints(const Measure *m, const Piece *p, size_t at, size_t n, const size_t *place,
                     Cell *cell)
{
    int64_t v[BLOCK];
    uint8_t has[BLOCK];
    load_ints(p, m->k, at, n, v, has);
    for (size_t i = 0; i < n; i++) {
        Cell *c = &cell[place[i]];
        c->n += has[i];
        c->whole += has[i] ? v[i] : 0;
    }
}

static void count_present(const Measure *m, const Piece *p, size_t at, size_t n,
                          const size_t *place, Cell *cell)
{
    int64_t v[BLOCK];
    Span text[BLOCK];
    uint8_t has[BLOCK];
    if (m->type == COLUMN_REAL) {
        add_reals(m, p, at, n, place, cell);
        return;
    }
    if (m->plain)
        load_texts(p, m->k, at, n, text, has);
    else
        load_ints(p, m->k, at, n, v, has);
    for (size_t i = 0; i < n; i++)
        cell[place[i]].n += has[i];
}

/* ---- least and most ------------------------------------------------------------------------------------ */

static void load_order(const Measure *m, const Piece *p, size_t at, size_t n, uint64_t *key,
                       uint8_t *has)
{
    if (m->type == COLUMN_REAL) {
        double v[BLOCK];
        load_reals(p, m->k, at, n, v);
        for (size_t i = 0; i < n; i++) {
            bool none = isnan(v[i]);
            has[i] = !none;
            key[i] = order_real(v[i]);
        }
        return;
    }
    load_ints(p, m->k, at, n, (int64_t *)key, has);
    for (size_t i = 0; i < n; i++)
        key[i] = !m->rank ? order_int((int64_t)key[i]) : has[i] ? m->rank[key[i]] : 0;
}

static int compare_texts(Span a, Span b)
{
    int order = memcmp(a.at, b.at, a.n < b.n ? a.n : b.n);
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static Span text_of(const View *v, size_t k, uint64_t row)
{
    size_t chunk = view_chunk(v, row);
    Span s;
    s.at = column_text(view_column(v, k, chunk), (size_t)(row - v->first[chunk]), &s.n);
    return s;
}

static bool better_text(const View *v, const Measure *m, Span mine, const Cell *c)
{
    if (c->n == 0)
        return true;
    int order = compare_texts(mine, text_of(v, m->k, c->best));
    return m->kind == MEASURE_LEAST ? order < 0 : order > 0;
}

static uint64_t row_number(const Piece *p, size_t i)
{
    return p->row ? p->row[i] : p->view->first[p->chunk] + p->from + i;
}

static void best_text(const Measure *m, const Piece *p, size_t at, size_t n, const size_t *place,
                      Cell *cell)
{
    Span text[BLOCK];
    uint8_t has[BLOCK];
    load_texts(p, m->k, at, n, text, has);
    for (size_t i = 0; i < n; i++) {
        Cell *c = &cell[place[i]];
        if (!has[i])
            continue;
        if (better_text(p->view, m, text[i], c))
            c->best = row_number(p, at + i);
        c->n++;
    }
}

static void add_best(const Measure *m, const Piece *p, size_t at, size_t n, const size_t *place,
                     Cell *cell)
{
    uint64_t key[BLOCK];
    uint8_t has[BLOCK];
    load_order(m, p, at, n, key, has);
    bool least = m->kind == MEASURE_LEAST;
    for (size_t i = 0; i < n; i++) {
        Cell *c = &cell[place[i]];
        if (!has[i])
            continue;
        if (c->n == 0 || (least ? key[i] < c->best : key[i] > c->best))
            c->best = key[i];
        c->n++;
    }
}

static void add_measure(const Measure *m, const Piece *p, size_t at, size_t n, const size_t *place,
                        Cell *cell)
{
    switch (m->kind) {
    case MEASURE_ROWS:
        for (size_t i = 0; i < n; i++)
            cell[place[i]].n++;
        break;
    case MEASURE_COUNT:
        count_present(m, p, at, n, place, cell);
        break;
    case MEASURE_INT:
        add_ints(m, p, at, n, place, cell);
        break;
    case MEASURE_REAL:
    case MEASURE_SPREAD:
        add_reals(m, p, at, n, place, cell);
        break;
    default:
        if (m->plain)
            best_text(m, p, at, n, place, cell);
        else
            add_best(m, p, at, n, place, cell);
    }
}

void group_add(const Grouping *g, const Piece *p, size_t at, size_t n, const size_t *place,
               Cell *cell)
{
    for (size_t m = 0; m < g->cells; m++)
        add_measure(&g->measure[m], p, at, n, place, cell + m);
}

/* ---- two parts of a group ------------------------------------------------------------------------------- */

static void merge_spread(Cell *into, const Cell *from)
{
    double a = (double)into->n, b = (double)from->n, gap = from->sum - into->sum;
    into->sum += gap * b / (a + b);
    into->squares += from->squares + gap * gap * a * b / (a + b);
}

static bool is_better(const Grouping *g, const Measure *m, const Cell *a, const Cell *b)
{
    if (m->plain)
        return better_text(&g->view, m, text_of(&g->view, m->k, a->best), b);
    return b->n == 0 || (m->kind == MEASURE_LEAST ? a->best < b->best : a->best > b->best);
}

void group_cells_merge(const Grouping *g, Cell *into, const Cell *from)
{
    for (size_t i = 0; i < g->cells; i++, into++, from++) {
        const Measure *m = &g->measure[i];
        if (from->n == 0)
            continue;
        if (m->kind == MEASURE_INT)
            into->whole += from->whole;
        else if (m->kind == MEASURE_REAL)
            into->sum += from->sum;
        else if (m->kind == MEASURE_SPREAD)
            merge_spread(into, from);
        else if ((m->kind == MEASURE_LEAST || m->kind == MEASURE_MOST) &&
                 is_better(g, m, from, into))
            into->best = from->best;
        into->n += from->n;
    }
}
