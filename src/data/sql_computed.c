/* sql_computed.c -- a pure function of one column, computed once for each code of the column.
 *
 * SQLite computes it itself, on a connection of its own, of the value that stands for the code: so it is
 * what it would be row by row. */
#include "sql_int.h"

#include <math.h>
#include <stdlib.h>

#define CODES_MOST (1u << 20)
#define DAY        INT64_C(86400000000)

static int64_t floor_div(int64_t v, int64_t by)
{
    return v / by - (v % by < 0);
}

/* ---- codes ------------------------------------------------------------------------------------------- */

uint32_t computed_code(const SqlComputed *m, const Column *c, size_t row)
{
    if (!column_has(c, row))
        return 0;
    switch (c->type) {
    case COLUMN_TEXT:
        return (uint32_t)c->code[row] + 1;
    case COLUMN_BOOL:
        return (uint32_t)bit_get(c->bit, row) + 1;
    case COLUMN_DATE:
        return (uint32_t)(c->day[row] - m->least) + 1;
    case COLUMN_TIME: {
        int64_t v = c->integer[row];
        v = m->cyclic ? v - floor_div(v, DAY) * DAY : v;
        return (uint32_t)(floor_div(v, m->unit) - m->least) + 1;
    }
    default:
        return (uint32_t)(c->integer[row] - m->least) + 1;
    }
}

static bool span(SqlComputed *m, int64_t least, int64_t most)
{
    m->least = least;
    m->size = most - least < CODES_MOST - 1 ? (uint32_t)(most - least) + 2 : 0;
    return m->size > 0;
}

/* Texts of years with four digits have their parts at fixed places. */
static bool find_codes(SqlComputed *m, const Dataset *d)
{
    const ColumnProfile *p = &dataset_profile(d)->column[m->column];
    double days = p->type == COLUMN_TIME ? (double)DAY : 1;
    m->type = p->type;
    if (m->type == COLUMN_REAL || (m->type == COLUMN_TEXT && !m->words))
        return false;
    if (m->type == COLUMN_TEXT)
        return span(m, 0, (int64_t)m->words->count - 1);
    if (m->type == COLUMN_BOOL)
        return span(m, 0, 1);
    if (!(p->least <= p->most)) /* nothing but missing values */
        return span(m, 0, 0);
    if (!(fabs(p->least) < 0x1p53 && fabs(p->most) < 0x1p53))
        return false;
    int64_t least = (int64_t)p->least, most = (int64_t)p->most;
    if (m->type == COLUMN_INT)
        return most - least < CODES_MOST && span(m, least, most);
    if (!(p->least > -719000 * days && p->most < 2932000 * days))
        return false;
    if (m->type == COLUMN_DATE)
        return span(m, least, most);
    m->day = floor_div(least, DAY) * DAY;
    return m->cyclic ? span(m, 0, DAY / m->unit - 1)
                     : span(m, floor_div(least, m->unit), floor_div(most, m->unit));
}

/* ---- values ------------------------------------------------------------------------------------------- */

static void bind_code(SqlComputed *m, uint32_t code)
{
    Text text = {0};
    size_t n;
    int64_t v = m->least + (int64_t)code - 1;
    if (code == 0) {
        sqlite3_bind_null(m->ask, 1);
    } else if (m->type == COLUMN_TEXT) {
        const char *s = words_get(m->words, code - 1, &n);
        sqlite3_bind_text64(m->ask, 1, n ? s : "", n, SQLITE_STATIC, SQLITE_UTF8);
    } else if (m->type == COLUMN_INT || m->type == COLUMN_BOOL) {
        sqlite3_bind_int64(m->ask, 1, v);
    } else {
        if (m->type == COLUMN_DATE)
            date_format((int32_t)v, &text);
        else
            time_format((m->cyclic ? m->day : 0) + v * m->unit, &text);
        sqlite3_bind_text64(m->ask, 1, text_str(&text), text.count, SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    text_release(&text);
}

static void keep(SqlMade *v, sqlite3_stmt *row)
{
    v->kind = sqlite3_column_type(row, 0);
    if (v->kind == SQLITE_INTEGER) {
        v->integer = sqlite3_column_int64(row, 0);
    } else if (v->kind == SQLITE_FLOAT) {
        v->real = sqlite3_column_double(row, 0);
    } else if (v->kind == SQLITE_TEXT) {
        const char *s = (const char *)sqlite3_column_text(row, 0);
        v->n = (size_t)sqlite3_column_bytes(row, 0);
        v->text = mem_copy(v->n ? s : "", v->n + !v->n);
    }
}

const SqlMade *computed_value(SqlComputed *m, uint32_t code)
{
    SqlMade *v = &m->made[code < m->size ? code : 0];
    if (v->kind)
        return v;
    bind_code(m, code);
    v->kind = SQLITE_NULL;
    if (sqlite3_step(m->ask) == SQLITE_ROW)
        keep(v, m->ask);
    sqlite3_reset(m->ask);
    return v;
}

/* ---- their order ---------------------------------------------------------------------------------------- */

static int by_number(const SqlMade *x, const SqlMade *y)
{
    if (x->kind == SQLITE_INTEGER && y->kind == SQLITE_INTEGER)
        return (x->integer > y->integer) - (x->integer < y->integer);
    long double a = x->kind == SQLITE_INTEGER ? (long double)x->integer : (long double)x->real;
    long double b = y->kind == SQLITE_INTEGER ? (long double)y->integer : (long double)y->real;
    return (a > b) - (a < b);
}

/* NULL, numbers, text by bytes: as SQLite has it. */
static int by_value(const void *x, const void *y, void *context)
{
    static const int class[] = {0, 1, 1, 2, 3, 0}; /* by SQLITE_INTEGER, FLOAT, TEXT, BLOB, NULL */
    const SqlMade *made = context, *a = &made[*(const uint32_t *)x], *b = &made[*(const uint32_t *)y];
    int order = class[a->kind] - class[b->kind];
    if (order || class[a->kind] == 0)
        return order;
    if (class[a->kind] == 1)
        return by_number(a, b);
    order = memcmp(a->text, b->text, a->n < b->n ? a->n : b->n);
    return order ? order : (a->n > b->n) - (a->n < b->n);
}

bool computed_rank(SqlComputed *m, SqlTables *t)
{
    if (m->rank || m->size > COMPUTED_RANKS)
        return m->rank != NULL;
    uint32_t *code = mem_alloc(m->size * sizeof *code);
    bool stopped = false;
    for (uint32_t i = 0; i < m->size && !stopped; i++) {
        code[i] = i;
        computed_value(m, i);
        stopped = i % 256 == 255 && sql_stopped(t);
    }
    if (!stopped) {
        qsort_r(code, m->size, sizeof *code, by_value, m->made);
        m->rank = mem_alloc(m->size * sizeof *m->rank);
        m->ranks = 1;
        for (uint32_t i = 1; i < m->size; i++) {
            bool same = by_value(&code[i - 1], &code[i], m->made) == 0;
            m->mixed |= same && m->made[code[i - 1]].kind != m->made[code[i]].kind;
            m->ranks += !same;
            m->rank[code[i]] = m->ranks - 1;
        }
    }
    mem_free(code);
    return m->rank != NULL;
}

/* ---- places ------------------------------------------------------------------------------------------------ */

static const char *type_name(ColumnType t)
{
    return t == COLUMN_INT || t == COLUMN_BOOL ? "INTEGER" : "TEXT";
}

static bool begin(SqlComputed *m, SqlSource *s)
{
    Text sql = {0};
    Column c = {0};
    Arena a = {0};
    if (dataset_chunks(s->dataset)) /* the words are the dataset's */
        dataset_column(s->dataset, 0, m->column, &a, &c);
    arena_release(&a);
    m->words = dataset_schema(s->dataset)->field[m->column].type == COLUMN_TEXT ? c.words : NULL;
    bool ok = dataset_chunks(s->dataset) > 0 && find_codes(m, s->dataset);
    text_printf(&sql, "SELECT %s FROM (SELECT CAST(?1 AS %s) AS x)", m->text, type_name(m->type));
    ok = ok && sqlite3_prepare_v2(s->all->own, text_str(&sql), -1, &m->ask, NULL) == SQLITE_OK;
    text_release(&sql);
    m->made = ok ? mem_try(m->size * sizeof *m->made, NULL) : NULL;
    return m->made != NULL;
}

size_t computed_place(SqlSource *s, size_t from, size_t to, size_t column, const char *text, int64_t unit,
                      bool cyclic)
{
    for (size_t i = from; i < to && i < s->places; i++) {
        SqlComputed *m = &s->computed[i];
        if (m->text && m->column == column && strcmp(m->text, text) == 0)
            return i;
        if (m->text)
            continue;
        *m = (SqlComputed){.text = text_copy(text), .column = column, .unit = unit, .cyclic = cyclic};
        if (begin(m, s))
            return i;
        computed_release(m);
        break;
    }
    return SIZE_MAX;
}

void computed_release(SqlComputed *m)
{
    sqlite3_finalize(m->ask);
    for (uint32_t i = 0; m->made && i < m->size; i++)
        mem_free(m->made[i].text);
    mem_free(m->made);
    mem_free(m->rank);
    mem_free(m->text);
    *m = (SqlComputed){0};
}
