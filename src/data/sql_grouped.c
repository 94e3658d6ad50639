/* sql_grouped.c -- rows in the order of some columns, for GROUP BY, DISTINCT and ORDER BY.
 *
 * SQLite sorts all rows to bring those of a group together, which costs most of such a statement. It
 * asks a virtual table first whether its rows can come that way. When the columns have few values
 * (words, bools, parts of times, whole numbers close together) one counting sort of row numbers does
 * it: ascending, NULL first, text by bytes, as SQLite's. Equal rows stay in their order, so sums are
 * the same bits as SQLite's own. */
#include "sql_int.h"

#include <math.h>
#include <stdlib.h>

#define ROWS_MOST  (UINT64_C(32) << 20) /* twelve bytes a row are needed for a moment */
#define CODES_MOST (1u << 20)

/* ---- parts of times ----------------------------------------------------------------------------------- */

const char *const sql_part_names[] = {"hour", "weekday", "day", "month", "year", NULL};

int64_t sql_part(const Column *c, size_t row, int part)
{
    int64_t days = c->type == COLUMN_DATE ? c->day[row] : c->integer[row], rest = 0;
    int year, month, day;
    if (c->type == COLUMN_TIME) {
        rest = days;
        days = rest / 86400000000 - (rest % 86400000000 < 0);
        rest -= days * 86400000000;
    }
    if (part == 0)
        return rest / 3600000000;
    if (part == 1)
        return ((days + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday, number 3 */
    date_civil(days, &year, &month, &day);
    return part == 2 ? day : part == 3 ? month : year;
}

/* ---- codes of groups ------------------------------------------------------------------------------------- */

typedef struct Code {
    size_t column;
    int part; /* -1: the value itself */
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

static bool code_of(const SqlTable *t, int column, Code *out)
{
    static const int least[] = {0, 0, 1, 1}, most[] = {23, 6, 31, 12};
    const Schema *s = dataset_schema(t->dataset);
    if (column < 0)
        return false;
    bool part = (size_t)column >= s->count;
    *out = (Code){.column = part ? t->part[(size_t)column - s->count].column : (size_t)column,
                  .part = part ? t->part[(size_t)column - s->count].part : -1};
    const ColumnProfile *p = &dataset_profile(t->dataset)->column[out->column];
    if (out->part == 4) {
        int year[2], month, day;
        double unit = p->type == COLUMN_TIME ? 86400e6 : 1;
        if (p->least <= p->most && fabs(p->least / unit) < 1e9 && fabs(p->most / unit) < 1e9) {
            date_civil((int64_t)floor(p->least / unit), &year[0], &month, &day);
            date_civil((int64_t)floor(p->most / unit), &year[1], &month, &day);
            span(out, year[0], year[1]);
        }
    } else if (part) {
        span(out, least[out->part], most[out->part]);
    } else if (p->type == COLUMN_BOOL) {
        span(out, 0, 1);
    } else if (p->type == COLUMN_INT || p->type == COLUMN_DATE) {
        span(out, p->least, p->most);
    } else if (p->type == COLUMN_TEXT && t->words[out->column]) {
        out->words = t->words[out->column];
        span(out, 0, (double)out->words->count - 1);
    }
    return out->size > 0;
}

bool grouped_can(const SqlTable *t, const int *column, size_t columns)
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

static int64_t value_of(const Column *c, size_t row, int part)
{
    if (part >= 0)
        return sql_part(c, row, part);
    return c->type == COLUMN_BOOL   ? bit_get(c->bit, row)
           : c->type == COLUMN_DATE ? c->day[row]
           : c->type == COLUMN_TEXT ? c->code[row]
                                    : c->integer[row];
}

static int by_bytes(const void *x, const void *y, void *context)
{
    const Words *words = context;
    size_t n, m;
    const char *a = words_get(words, *(const uint32_t *)x, &n);
    const char *b = words_get(words, *(const uint32_t *)y, &m);
    int order = memcmp(a, b, n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

static void rank_words(Code *code)
{
    size_t n = code->words->count;
    uint32_t *word = mem_alloc((n + 1) * sizeof *word);
    code->rank = mem_alloc((n + 1) * sizeof *code->rank);
    for (size_t i = 0; i < n; i++)
        word[i] = (uint32_t)i;
    qsort_r(word, n, sizeof *word, by_bytes, (void *)(uintptr_t)code->words);
    for (size_t i = 0; i < n; i++)
        code->rank[word[i]] = (uint32_t)i;
    mem_free(word);
}

static bool add_codes(const Code *code, const Column *c, const uint32_t *pick, size_t n,
                      uint32_t *out)
{
    bool fits = true;
    for (size_t i = 0; i < n; i++) {
        uint32_t at = 0;
        if (column_has(c, pick[i])) {
            uint64_t v = (uint64_t)value_of(c, pick[i], code->part) - (uint64_t)code->least;
            fits &= v + 1 < code->size;
            at = v + 1 < code->size ? (uint32_t)v + 1 : 0;
            at = code->rank && at ? code->rank[v] + 1 : at;
        }
        out[i] = out[i] * code->size + at;
    }
    return fits;
}

static void sort_codes(SqlCursor *c, const uint32_t *row, const uint32_t *code, size_t n,
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
    for (size_t i = 0; i < n; i++)
        c->order[place[code[i]]++] = row[i];
    mem_free(place);
}

/* Rows that the conditions leave, as the scan gives them, then by their groups. */
bool grouped_order(SqlCursor *c, const int *column, size_t columns)
{
    Code code[GROUPED_MOST] = {0};
    uint64_t product = 1, rows = dataset_rows(c->dataset);
    size_t n = 0;
    bool ok = true;
    for (size_t i = 0; i < columns; i++) {
        ok = ok && code_of(c->table, column[i], &code[i]);
        product *= code[i].size;
        if (code[i].words)
            rank_words(&code[i]);
    }
    uint32_t *row = mem_try((rows + 1) * sizeof *row, NULL);
    uint32_t *group = row ? mem_try((rows + 1) * sizeof *group, NULL) : NULL;
    c->order = group ? mem_try((rows + 1) * sizeof *c->order, NULL) : NULL;
    ok = ok && c->order;
    while (ok && c->chunk < dataset_chunks(c->dataset)) {
        uint32_t *pick = row + n;
        for (size_t i = 0; i < c->picks; i++)
            pick[i] = c->pick ? c->pick[i] : (uint32_t)(c->row + i);
        memset(group + n, 0, c->picks * sizeof *group);
        for (size_t i = 0; i < columns; i++)
            ok &= add_codes(&code[i], &c->column[code[i].column], pick, c->picks, group + n);
        for (size_t i = 0; i < c->picks; i++)
            pick[i] += (uint32_t)c->first;
        n += c->picks;
        sql_next_chunk(c);
    }
    if (ok)
        sort_codes(c, row, group, n, product);
    c->orders = ok ? n : 0;
    for (size_t i = 0; i < columns; i++)
        mem_free(code[i].rank);
    mem_free(row);
    mem_free(group);
    return ok;
}
