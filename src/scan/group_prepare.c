/* group_prepare.c -- what the keys and measures of a question are, from schema and profile. */
#include "group_int.h"

#include <math.h>

#define SPAN_MOST 524288 /* values of a whole number that get a place each */
#define DAY       86400e6

static bool is_time(ColumnType t)
{
    return t == COLUMN_TIME || t == COLUMN_DATE;
}

/* ---- keys ------------------------------------------------------------------------------------------ */

static bool check_key(const GroupKey *key, const Schema *s, Error *err)
{
    if (key->column >= s->count)
        return error_set(err, ERROR_USAGE, "column %zu to group by, the table has %zu",
                         key->column + 1, s->count);
    const Field *f = &s->field[key->column];
    if (key->part == GROUP_BIN && f->type == COLUMN_TEXT)
        return error_set(err, ERROR_SHAPE, "column %s is text; bins need numbers or times",
                         f->name);
    if (key->part == GROUP_BIN && (key->bins < 1 || key->bins > 100000))
        return error_set(err, ERROR_USAGE, "column %s in %d bins; 1 to 100000 are possible",
                         f->name, key->bins);
    if (key->part != GROUP_BIN && key->part != GROUP_VALUE && !is_time(f->type))
        return error_set(err, ERROR_SHAPE, "column %s is %s; its %s needs a timestamp or a date",
                         f->name, column_type_name(f->type), group_part_name(key->part));
    return true;
}

/* Codes for the values from least to most, if they are few. */
static void give_places(KeyCode *k, double least, double most)
{
    if (!(least <= most)) /* no values */
        k->size = 1;
    else if (fabs(least) < 9e15 && fabs(most) < 9e15 && most - least < SPAN_MOST) {
        k->least = (int64_t)least;
        k->size = (uint64_t)(most - least) + 2;
    }
}

static int64_t civil_year(double days)
{
    int year, month, day;
    date_civil((int64_t)days, &year, &month, &day);
    return year;
}

static void place_value(KeyCode *k, const ColumnProfile *p)
{
    if (k->type == COLUMN_TEXT && k->words)
        give_places(k, 0, (double)k->words->count - 1);
    else if (k->type == COLUMN_BOOL)
        give_places(k, 0, 1);
    else if (k->type == COLUMN_INT || is_time(k->type))
        give_places(k, p->least, p->most);
}

static void place_part(KeyCode *k, const ColumnProfile *p)
{
    double unit = k->type == COLUMN_TIME ? DAY : 1;
    double first = floor(p->least / unit), last = floor(p->most / unit);
    bool some = p->least <= p->most && fabs(first) < 1e9 && fabs(last) < 1e9;
    switch (k->part) {
    case GROUP_HOUR:
        give_places(k, 0, 23);
        break;
    case GROUP_WEEKDAY:
        give_places(k, 0, 6);
        break;
    case GROUP_DAY:
        give_places(k, 1, 31);
        break;
    case GROUP_MONTH:
        give_places(k, 1, 12);
        break;
    case GROUP_YEAR:
        if (some)
            give_places(k, (double)civil_year(first), (double)civil_year(last));
        break;
    case GROUP_DATE:
        if (some)
            give_places(k, first, last);
        break;
    default:
        place_value(k, p);
    }
}

static void place_bins(KeyCode *k, const ColumnProfile *p)
{
    k->low = p->least;
    k->width = (p->most - p->least) / k->bins;
    if (!(k->width > 0) || !isfinite(k->width))
        k->width = 0;
    k->size = (uint64_t)k->bins + 1;
}

bool group_keys_prepare(Grouping *g, const GroupSpec *spec, Error *err)
{
    const Profile *profile = dataset_profile(g->d);
    uint64_t product = 1;
    for (size_t i = 0; i < spec->keys; i++) {
        const GroupKey *key = &spec->key[i];
        if (!check_key(key, dataset_schema(g->d), err))
            return false;
        const ColumnProfile *p = &profile->column[key->column];
        const Column *first = g->view.chunks ? view_column(&g->view, i, 0) : NULL;
        KeyCode *k = &g->key[g->keys++];
        *k = (KeyCode){
            .name = p->name, .part = key->part, .type = p->type, .k = i, .bins = key->bins};
        if (first && p->type == COLUMN_TEXT) {
            k->words = first->words;
            k->plain = !first->words;
        }
        if (k->part == GROUP_BIN)
            place_bins(k, p);
        else
            place_part(k, p);
        product = product && k->size && k->size < UINT32_MAX / product ? product * k->size : 0;
    }
    g->direct = product;
    return true;
}

/* ---- measures --------------------------------------------------------------------------------------- */

static bool check_measure(const GroupMeasure *m, const Schema *s, Error *err)
{
    if (m->what == AGGREGATE_COUNT && m->column == SIZE_MAX)
        return true;
    if (m->column >= s->count)
        return error_set(err, ERROR_USAGE, "column %zu for %s, the table has %zu", m->column + 1,
                         aggregate_name(m->what), s->count);
    const Field *f = &s->field[m->column];
    bool any =
        m->what == AGGREGATE_COUNT || m->what == AGGREGATE_LEAST || m->what == AGGREGATE_MOST;
    if (any || (f->type != COLUMN_TEXT && !(m->what == AGGREGATE_SUM && is_time(f->type))))
        return true;
    return error_set(err, ERROR_SHAPE, "%s of column %s: it is %s; count, min and max are possible",
                     aggregate_name(m->what), f->name, column_type_name(f->type));
}

static bool sum_fits(const Grouping *g, size_t column) /* into 64 bits, whatever the rows are */
{
    const ColumnProfile *p = &dataset_profile(g->d)->column[column];
    uint64_t rows =
        g->rows && g->rows->count > dataset_rows(g->d) ? g->rows->count : dataset_rows(g->d);
    return p->type == COLUMN_BOOL ||
           fmax(fabs(p->least), fabs(p->most)) * (double)(rows + 1) < 4.6e18;
}

static MeasureKind kind_of(const Grouping *g, const Measure *m, size_t column)
{
    bool whole = m->type == COLUMN_INT || m->type == COLUMN_BOOL;
    switch (m->what) {
    case AGGREGATE_COUNT:
        return column == SIZE_MAX ? MEASURE_ROWS : MEASURE_COUNT;
    case AGGREGATE_LEAST:
        return MEASURE_LEAST;
    case AGGREGATE_MOST:
        return MEASURE_MOST;
    case AGGREGATE_DEVIATION:
        return MEASURE_SPREAD;
    default:
        return whole && sum_fits(g, column) ? MEASURE_INT : MEASURE_REAL;
    }
}

static ColumnType result_of(const Measure *m)
{
    if (m->kind == MEASURE_ROWS || m->kind == MEASURE_COUNT)
        return COLUMN_INT;
    if (m->what == AGGREGATE_SUM)
        return m->kind == MEASURE_INT ? COLUMN_INT : COLUMN_REAL;
    if (m->kind == MEASURE_LEAST || m->kind == MEASURE_MOST)
        return m->type;
    return m->what == AGGREGATE_MEAN && is_time(m->type) ? m->type : COLUMN_REAL;
}

static bool rank_words(Grouping *g, Measure *m, Error *err)
{
    const Column *c = g->view.chunks ? view_column(&g->view, m->k, 0) : NULL;
    if (!c || c->type != COLUMN_TEXT)
        return true;
    m->plain = !c->words;
    if (m->plain || m->kind == MEASURE_COUNT)
        return true;
    uint32_t *rank = words_ranks(c->words, g->progress, err);
    uint32_t *word = rank ? mem_try((c->words->count + 1) * sizeof *word, err) : NULL;
    g->ranks[g->ranked++] = rank;
    g->ranks[g->ranked++] = word;
    for (size_t w = 0; word && w < c->words->count; w++)
        word[rank[w]] = (uint32_t)w;
    m->words = c->words;
    m->rank = rank;
    m->word = word;
    return word != NULL;
}

/* Where a measure is kept; the sum and the mean of a column are one. */
static size_t keep(Grouping *g, const Measure *m)
{
    for (size_t i = 0; i < g->cells; i++)
        if (g->measure[i].kind == m->kind && g->measure[i].k == m->k)
            return i;
    g->measure[g->cells] = *m;
    return g->cells++;
}

bool group_measures_prepare(Grouping *g, const GroupSpec *spec, Error *err)
{
    for (size_t i = 0; i < spec->measures; i++) {
        const GroupMeasure *from = &spec->measure[i];
        if (!check_measure(from, dataset_schema(g->d), err))
            return false;
        Measure *m = &g->asked[g->measures++];
        *m = (Measure){.what = from->what, .k = spec->keys + i};
        if (from->column != SIZE_MAX)
            m->name = dataset_schema(g->d)->field[from->column].name;
        m->type =
            from->column == SIZE_MAX ? COLUMN_INT : dataset_schema(g->d)->field[from->column].type;
        for (size_t j = 0; j < i; j++) /* the same column before */
            if (spec->measure[j].column == from->column && m->k == spec->keys + i)
                m->k = spec->keys + j;
        m->kind = kind_of(g, m, from->column);
        m->out = result_of(m);
        if (!rank_words(g, m, err))
            return false;
        if (m->kind != MEASURE_ROWS)
            g->cell_of[i] = keep(g, m);
    }
    for (size_t i = 0; i < g->measures; i++)
        if (g->asked[i].kind == MEASURE_ROWS)
            g->cell_of[i] = g->cells;
    g->measure[g->cells++] = (Measure){.what = AGGREGATE_COUNT, .kind = MEASURE_ROWS};
    return true;
}
