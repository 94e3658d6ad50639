/* sql_grouped.c -- rows in the order of some columns, for GROUP BY, DISTINCT and ORDER BY.
 *
 * SQLite sorts all rows to bring those of a group together, which costs most of such a statement. It
 * asks a virtual table first whether its rows can come that way. When the columns have few values
 * (words, bools, whole numbers close together, what is computed of them) one counting sort of row numbers does
 * it: ascending, NULL first, text by bytes, as SQLite's. Equal rows stay in their order, so sums are
 * the same bits as SQLite's own. */
#include "sql_int.h"

#include <math.h>
#include <stdlib.h>

#define ROWS_MOST  (UINT64_C(32) << 20) /* twelve bytes a row are needed for a moment */
#define CODES_MOST (1u << 20)

/* ---- codes of groups ------------------------------------------------------------------------------------- */

typedef struct Code {
    size_t column;
    const SqlComputed *computed; /* NULL: the value itself */
    int64_t least;
    uint32_t size; /* the first is "missing" */
    const Words *words;
    uint32_t *rank; /* [words] */
} Code;

static void span(Code *code, double least, double most)
{
    if (!(least <= most))
        code->size = 1;
    else if (fabs(least) < 1e15 && fabs(most) < 1e15 && most - least < CODES_MOST) {
        code->least = (int64_t)least;
        code->size = (uint32_t)(most - least) + 2;
    }
}

static bool code_of(SqlTable *t, int column, Code *out)
{
    const Schema *s = dataset_schema(t->dataset);
    if (column < 0)
        return false;
    *out = (Code){.column = (size_t)column};
    if ((size_t)column >= s->count) {
        SqlComputed *m = &t->source->computed[(size_t)column - s->count];
        if (!m->text || !computed_rank(m, t->source->all))
            return false;
        *out = (Code){.column = m->column, .computed = m, .size = m->ranks};
        return true;
    }
    const ColumnProfile *p = &dataset_profile(t->dataset)->column[out->column];
    if (p->type == COLUMN_BOOL) {
        span(out, 0, 1);
    } else if (p->type == COLUMN_INT || p->type == COLUMN_DATE) {
        span(out, p->least, p->most);
    } else if (p->type == COLUMN_TEXT && t->words[out->column]) {
        out->words = t->words[out->column];
        span(out, 0, (double)out->words->count - 1);
    }
    return out->size > 0;
}

bool grouped_can(SqlTable *t, const int *column, size_t columns)
{
    uint64_t product = 1;
    if (dataset_rows(t->dataset) > ROWS_MOST)
        return false;
    for (size_t i = 0; i < columns; i++) {
        Code code;
        if (!code_of(t, column[i], &code) || product * code.size > CODES_MOST)
            return false;
        product *= code.size;
    }
    return columns > 0;
}

/* ---- the order --------------------------------------------------------------------------------------------- */

static int64_t value_of(const Column *c, size_t row)
{
    return c->type == COLUMN_BOOL   ? bit_get(c->bit, row)
           : c->type == COLUMN_DATE ? c->day[row]
           : c->type == COLUMN_TEXT ? c->code[row]
                                    : c->integer[row];
}

typedef struct Ranking { const Words *words; SqlTables *all; size_t compared; bool stopped; } Ranking;

static int by_bytes(const void *x, const void *y, void *context)
{
    Ranking *r = context;
    size_t n, m;
    if (++r->compared % 4096 == 0 && !r->stopped)
        r->stopped = sql_stopped(r->all);
    if (r->stopped) /* a sort cannot be left, but all may be equal */
        return 0;
    const char *a = words_get(r->words, *(const uint32_t *)x, &n);
    const char *b = words_get(r->words, *(const uint32_t *)y, &m);
    int order = memcmp(a, b, n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

static bool rank_words(Code *code, SqlTables *all)
{
    Ranking r = {.words = code->words, .all = all};
    size_t n = code->words->count;
    uint32_t *word = mem_alloc((n + 1) * sizeof *word);
    code->rank = mem_alloc((n + 1) * sizeof *code->rank);
    for (size_t i = 0; i < n; i++)
        word[i] = (uint32_t)i;
    qsort_r(word, n, sizeof *word, by_bytes, &r);
    for (size_t i = 0; i < n; i++)
        code->rank[word[i]] = (uint32_t)i;
    mem_free(word);
    return !r.stopped;
}

/* out = out * size + the code of each row; false: a value outside of the profile. */
static bool add_codes(const Code *code, const Column *c, const uint32_t *pick, size_t n,
                      uint32_t *out)
{
    bool fits = true;
    if (code->computed) {
        for (size_t i = 0; i < n; i++)
            out[i] = out[i] * code->size +
                     code->computed->rank[computed_code(code->computed, c, pick[i])];
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t at = 0;
        if (column_has(c, pick[i])) {
            uint64_t v = (uint64_t)value_of(c, pick[i]) - (uint64_t)code->least;
            fits &= v + 1 < code->size;
            at = v + 1 < code->size ? (uint32_t)v + 1 : 0;
            at = code->rank && at ? code->rank[v] + 1 : at;
        }
        out[i] = out[i] * code->size + at;
    }
    return fits;
}

/* A counting sort; false: stopped. */
static bool sort_codes(SqlCursor *c, const uint32_t *row, const uint32_t *code, size_t n,
                       uint64_t product)
{
    uint32_t *place = mem_alloc((product + 1) * sizeof *place), sum = 0;
    for (size_t i = 0; i < n; i++)
        place[code[i]]++;
    for (size_t g = 0; g < product; g++) {
        uint32_t here = place[g];
        place[g] = sum;
        sum += here;
    }
    for (size_t from = 0; from < n && !c->stopped; from += CHUNK_ROWS) {
        size_t end = n - from < CHUNK_ROWS ? n : from + CHUNK_ROWS;
        for (size_t i = from; i < end; i++)
            c->order[place[code[i]]++] = row[i];
        c->stopped = sql_stopped(c->table->source->all);
    }
    c->group_end = place; /* each moved on to the end of its group */
    return !c->stopped;
}

/* Rows that the conditions leave, as the scan gives them, with their codes; how many. */
static size_t collect(SqlCursor *c, const Code *code, size_t columns, uint32_t *row, uint32_t *group,
                      bool *fits)
{
    size_t n = 0;
    while (*fits && c->chunk < dataset_chunks(c->dataset)) {
        uint32_t *pick = row + n;
        for (size_t i = 0; i < c->picks; i++)
            pick[i] = c->pick ? c->pick[i] : (uint32_t)(c->row + i);
        memset(group + n, 0, c->picks * sizeof *group);
        for (size_t i = 0; i < columns; i++)
            *fits &= add_codes(&code[i], &c->column[code[i].column], pick, c->picks, group + n);
        for (size_t i = 0; i < c->picks; i++)
            pick[i] += (uint32_t)c->first;
        n += c->picks;
        sql_next_chunk(c);
    }
    return n;
}

bool grouped_order(SqlCursor *c, const int *column, size_t columns)
{
    Code code[GROUPED_MOST] = {0};
    uint64_t product = 1, rows = dataset_rows(c->dataset);
    bool ok = true;
    for (size_t i = 0; i < columns && ok; i++) {
        ok = code_of(c->table, column[i], &code[i]);
        product *= code[i].size;
        if (ok && code[i].words)
            c->stopped |= !rank_words(&code[i], c->table->source->all);
    }
    uint32_t *row = ok ? mem_try((rows + 1) * sizeof *row, NULL) : NULL;
    uint32_t *group = row ? mem_try((rows + 1) * sizeof *group, NULL) : NULL;
    c->order = group ? mem_try((rows + 1) * sizeof *c->order, NULL) : NULL;
    ok = ok && c->order && !c->stopped;
    size_t n = ok ? collect(c, code, columns, row, group, &ok) : 0;
    ok = ok && !c->stopped && sort_codes(c, row, group, n, product);
    c->orders = ok ? n : 0;
    c->group_at = 0;
    c->groups = columns;
    memcpy(c->group, column, columns * sizeof *column);
    for (size_t i = 0; i < columns; i++)
        mem_free(code[i].rank);
    mem_free(row);
    mem_free(group);
    return ok;
}
