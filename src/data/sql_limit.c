/* sql_limit.c -- conditions of SQL on a column as what they leave of its values.
 *
 * Conditions mean here what they mean in SQLite: a number column compared with text takes the text as
 * a number where it is one, and is less than any other text or blob; whole numbers and numbers with
 * fractions compare exactly. Where that cannot be told (a text column compared with a number), the
 * condition is not used and SQLite looks at each row. */
#include "sql_int.h"

#include <math.h>
#include <stdlib.h>

#define EQ SQLITE_INDEX_CONSTRAINT_EQ
#define GT SQLITE_INDEX_CONSTRAINT_GT
#define GE SQLITE_INDEX_CONSTRAINT_GE
#define LT SQLITE_INDEX_CONSTRAINT_LT
#define LE SQLITE_INDEX_CONSTRAINT_LE

void limit_begin(Limit *l, const Dataset *d, int column)
{
    *l = (Limit){.column = column, .any = true, .low = INT64_MIN, .high = INT64_MAX};
    l->type = column < 0 ? COLUMN_INT : dataset_schema(d)->field[column].type;
    l->least = -(double)INFINITY;
    l->most = (double)INFINITY;
}

void limit_release(Limit *l)
{
    for (size_t i = 0; i < l->text.count; i++)
        mem_free(l->text.at[i].at);
    vec_release(&l->text);
    mem_free(l->allowed);
    mem_free(l->whole);
    mem_free(l->real);
    *l = (Limit){0};
}

/* ---- whole numbers ---------------------------------------------------------------------------------- */

static void bound_int(Limit *l, int op, int64_t v)
{
    if ((op == GT && v == INT64_MAX) || (op == LT && v == INT64_MIN)) {
        l->none = true;
        return;
    }
    if (op == EQ || op == GE || op == GT) {
        int64_t low = op == GT ? v + 1 : v;
        l->low = low > l->low ? low : l->low;
    }
    if (op == EQ || op == LE || op == LT) {
        int64_t high = op == LT ? v - 1 : v;
        l->high = high < l->high ? high : l->high;
    }
}

/* A whole number against one with a fraction. */
static void bound_int_real(Limit *l, int op, double v)
{
    if (v >= 0x1p63 || v < -0x1p63) {
        bool passes = v > 0 ? op == LT || op == LE : op == GT || op == GE;
        l->none |= !passes;
    } else if (floor(v) == v) {
        bound_int(l, op, (int64_t)v);
    } else if (op == EQ) {
        l->none = true;
    } else { /* between two: above it from the next on, below it up to the one before */
        bound_int(l, op == GT || op == GE ? GT : LE, (int64_t)floor(v));
    }
}

/* ---- numbers ---------------------------------------------------------------------------------------- */

static void bound_real(Limit *l, int op, double v)
{
    double inf = (double)INFINITY;
    if ((op == GT && v == inf) || (op == LT && v == -inf)) {
        l->none = true;
        return;
    }
    if (op == EQ || op == GE || op == GT)
        l->least = fmax(l->least, op == GT ? nextafter(v, inf) : v);
    if (op == EQ || op == LE || op == LT)
        l->most = fmin(l->most, op == LT ? nextafter(v, -inf) : v);
}

/* A number against a whole one, which a double may not hold. */
static void bound_real_int(Limit *l, int op, int64_t v)
{
    double near = (double)v;
    __int128 gap = (__int128)near - (__int128)v;
    if (gap == 0)
        bound_real(l, op, near);
    else if (op == EQ)
        l->none = true;
    else if (gap > 0)
        bound_real(l, op == GT || op == GE ? GE : LT, near);
    else
        bound_real(l, op == GT || op == GE ? GT : LE, near);
}

static bool add_number(Limit *l, int op, sqlite3_value *v)
{
    switch (sqlite3_value_numeric_type(v)) {
    case SQLITE_INTEGER:
        if (l->type == COLUMN_REAL)
            bound_real_int(l, op, sqlite3_value_int64(v));
        else
            bound_int(l, op, sqlite3_value_int64(v));
        break;
    case SQLITE_FLOAT:
        if (l->type == COLUMN_REAL)
            bound_real(l, op, sqlite3_value_double(v));
        else
            bound_int_real(l, op, sqlite3_value_double(v));
        break;
    default: /* text and blobs come after all numbers */
        l->none |= op == EQ || op == GT || op == GE;
    }
    return true;
}

/* ---- times and dates, which are text in SQL ------------------------------------------------------------ */

static bool sortable(const Dataset *d, int column) /* years of four digits in the whole column */
{
    const ColumnProfile *p = &dataset_profile(d)->column[column];
    double day = p->type == COLUMN_DATE ? 1 : 86400e6;
    return !(p->least <= -719000 * day) && !(p->most >= 2932000 * day);
}

static bool add_time(Limit *l, const Dataset *d, int op, sqlite3_value *v)
{
    if (sqlite3_value_type(v) != SQLITE_TEXT || !sortable(d, l->column))
        return false;
    const char *s = (const char *)sqlite3_value_text(v);
    size_t n = (size_t)sqlite3_value_bytes(v);
    Text own = {0};
    int64_t at;
    if (!s || !time_parse(s, n, &at))
        return false;
    if (l->type == COLUMN_DATE) {
        at = at / 86400000000 - (at % 86400000000 < 0);
        date_format((int32_t)at, &own);
    } else {
        time_format(at, &own);
    }
    size_t common = own.count < n ? own.count : n;
    bool alike = n >= 10 && memcmp(text_str(&own), s, common) == 0 && own.count >= 10;
    size_t ours = own.count;
    text_release(&own);
    if (!alike)
        return false;
    if (n == ours)
        bound_int(l, op, at);
    else if (op == EQ)
        l->none = true;
    else if (n < ours) /* the beginning of ours comes before it */
        bound_int(l, op == GT || op == GE ? GE : LT, at);
    else
        bound_int(l, op == GT || op == GE ? GT : LE, at);
    return true;
}

/* ---- text ------------------------------------------------------------------------------------------------ */

static bool text_passes(int op, const char *a, size_t n, const char *b, size_t m)
{
    int order = memcmp(a, b, n < m ? n : m);
    order = order ? order : (n > m) - (n < m);
    return op == EQ   ? order == 0
           : op == GT ? order > 0
           : op == GE ? order >= 0
           : op == LT ? order < 0
                      : order <= 0;
}

static bool word_passes(int op, const char *a, size_t n, const char *b, size_t m)
{
    char small[256], *copy = small;
    if (op != SQLITE_INDEX_CONSTRAINT_LIKE)
        return text_passes(op, a, n, b, m);
    if (memchr(a, 0, n)) /* SQLite decides */
        return true;
    if (n >= sizeof small)
        copy = mem_alloc(n + 1);
    memcpy(copy, a, n);
    copy[n] = 0;
    bool passes = sqlite3_strlike(b, copy, 0) == 0;
    if (copy != small)
        mem_free(copy);
    return passes;
}

static const Words *words_of(const Dataset *d, int column)
{
    Arena a = {0};
    Column c = {0};
    if (dataset_chunks(d))
        dataset_column(d, 0, (size_t)column, &a, &c);
    arena_release(&a); /* the words are the dataset's */
    return c.words;
}

static void allow_all(Limit *l, const Words *words)
{
    if (l->allowed)
        return;
    l->words = words->count;
    l->allowed = mem_alloc(words->count + 1);
    memset(l->allowed, 1, words->count);
}

void limit_one_code(Limit *l, int32_t code)
{
    l->none |= code < 0 || (l->is_code && l->code != code) || (l->allowed && !l->allowed[code]);
    l->none |= l->null == 1;
    l->is_code = true;
    l->code = code;
    l->any = false;
}

static bool add_text(Limit *l, const Dataset *d, int op, sqlite3_value *v)
{
    if (sqlite3_value_type(v) != SQLITE_TEXT)
        return false;
    const char *s = (const char *)sqlite3_value_text(v);
    size_t n = (size_t)sqlite3_value_bytes(v), m;
    const Words *words = words_of(d, l->column);
    if (!s)
        return false;
    if (!words) {
        if (op == SQLITE_INDEX_CONSTRAINT_LIKE)
            return false;
        vec_add(&l->text, (TextBound){op, mem_copy(n ? s : "", n + !n), n});
        return true;
    }
    allow_all(l, words);
    for (size_t w = 0; w < words->count; w++) {
        const char *word = words_get(words, w, &m);
        l->allowed[w] = l->allowed[w] && (op != EQ || m == n) && word_passes(op, word, m, s, n);
    }
    return true;
}

/* ---- any condition ---------------------------------------------------------------------------------------- */

bool limit_add(Limit *l, const Dataset *d, int op, sqlite3_value *v)
{
    bool null = sqlite3_value_type(v) == SQLITE_NULL;
    if (op == SQLITE_INDEX_CONSTRAINT_IS)
        op = null ? SQLITE_INDEX_CONSTRAINT_ISNULL : EQ;
    if (op == SQLITE_INDEX_CONSTRAINT_ISNULL || op == SQLITE_INDEX_CONSTRAINT_ISNOTNULL) {
        int wanted = op == SQLITE_INDEX_CONSTRAINT_ISNULL ? 1 : 2;
        l->none |= l->null && l->null != wanted;
        l->null = wanted;
        l->none |= wanted == 1 && (!l->any || l->column < 0);
        return true;
    }
    if (null) {
        l->none = true; /* nothing compares with NULL */
        return true;
    }
    bool used = l->type == COLUMN_TEXT                             ? add_text(l, d, op, v)
                : l->type == COLUMN_TIME || l->type == COLUMN_DATE ? add_time(l, d, op, v)
                                                                   : add_number(l, op, v);
    if (used) {
        l->none |= l->null == 1;
        l->any = false;
    }
    return used;
}

static int by_int(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int by_real(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The values that a limit which passes one value (or none) has, into the set. */
static void keep_one(Limit *l, const Limit *one)
{
    if (one->none)
        return;
    if (l->type == COLUMN_REAL && one->least == one->most) {
        l->real = mem_resize(l->real, (l->set + 1) * sizeof *l->real);
        l->real[l->set++] = one->least;
    } else if (l->type != COLUMN_REAL && one->low == one->high) {
        l->whole = mem_resize(l->whole, (l->set + 1) * sizeof *l->whole);
        l->whole[l->set++] = one->low;
    }
}

static bool add_word(Limit *l, const Words *words, sqlite3_value *v)
{
    if (sqlite3_value_type(v) != SQLITE_TEXT)
        return false;
    const char *s = (const char *)sqlite3_value_text(v);
    size_t n = (size_t)sqlite3_value_bytes(v), m;
    if (!s)
        return false;
    for (size_t w = 0; w < words->count; w++) {
        const char *word = words_get(words, w, &m);
        if (m == n && memcmp(word, s, n) == 0)
            l->allowed[w] |= 2;
    }
    return true;
}

bool limit_add_list(Limit *l, const Dataset *d, sqlite3_value *list)
{
    const Words *words = l->type == COLUMN_TEXT ? words_of(d, l->column) : NULL;
    sqlite3_value *v = NULL;
    bool used = true;
    if (l->is_set || (l->type == COLUMN_TEXT && !words)) /* a second list is SQLite's */
        return false;
    if (words)
        allow_all(l, words);
    for (int rc = sqlite3_vtab_in_first(list, &v); used && rc == SQLITE_OK && v;
         rc = sqlite3_vtab_in_next(list, &v)) {
        Limit one;
        if (sqlite3_value_type(v) == SQLITE_NULL)
            continue;
        if (words) {
            used = add_word(l, words, v);
            continue;
        }
        limit_begin(&one, d, l->column);
        used = limit_add(&one, d, EQ, v);
        keep_one(l, &one);
        limit_release(&one);
    }
    for (size_t w = 0; words && w < l->words; w++)
        l->allowed[w] = used ? l->allowed[w] == 3 : l->allowed[w] & 1;
    if (!used) {
        l->set = 0;
        return false;
    }
    l->is_set = !words;
    l->none |= l->is_set && l->set == 0;
    if (l->is_set && l->real)
        qsort(l->real, l->set, sizeof *l->real, by_real);
    if (l->is_set && l->whole)
        qsort(l->whole, l->set, sizeof *l->whole, by_int);
    l->none |= l->null == 1;
    l->any = false;
    return true;
}

bool limit_is_exact(const Dataset *d, int column, int op, sqlite3_value *v)
{
    if (op == SQLITE_INDEX_CONSTRAINT_ISNULL || op == SQLITE_INDEX_CONSTRAINT_ISNOTNULL)
        return true;
    ColumnType type = column < 0 ? COLUMN_INT : dataset_schema(d)->field[column].type;
    if (type == COLUMN_INT || type == COLUMN_BOOL || type == COLUMN_REAL)
        return true;
    if (!v || sqlite3_value_type(v) != SQLITE_TEXT || op == SQLITE_INDEX_CONSTRAINT_IS ||
        op == SQLITE_INDEX_CONSTRAINT_LIKE)
        return false;
    Limit l;
    limit_begin(&l, d, column);
    bool used = type == COLUMN_TEXT || add_time(&l, d, op, v);
    limit_release(&l);
    return used;
}

/* ---- chunks and rows --------------------------------------------------------------------------------------- */

bool limit_may_hold(const Limit *l, const Dataset *d, size_t chunk)
{
    const Range *range = dataset_ranges(d, chunk);
    if (l->none)
        return false;
    if (l->any || !range || l->type == COLUMN_TEXT || l->column < 0)
        return true;
    range += l->column;
    if (!range->some)
        return false; /* all missing: no comparison holds */
    if (l->type == COLUMN_REAL)
        return l->least <= range->most && l->most >= range->least;
    return l->low <= range->most_int && l->high >= range->least_int;
}

static bool in_set(const Limit *l, int64_t whole, double real)
{
    size_t low = 0, high = l->set;
    while (low < high) {
        size_t middle = (low + high) / 2;
        bool below = l->type == COLUMN_REAL ? l->real[middle] < real : l->whole[middle] < whole;
        if (below)
            low = middle + 1;
        else
            high = middle;
    }
    return low < l->set && (l->type == COLUMN_REAL ? l->real[low] == real : l->whole[low] == whole);
}

static int64_t whole_of(const Column *c, size_t row)
{
    return c->type == COLUMN_DATE   ? c->day[row]
           : c->type == COLUMN_BOOL ? bit_get(c->bit, row)
                                    : c->integer[row];
}

bool limit_holds(const Limit *l, const Column *c, size_t row)
{
    bool has = column_has(c, row) && !(c->type == COLUMN_REAL && isnan(c->real[row]));
    if (l->none)
        return false;
    if (l->null == 1)
        return !has;
    if (!has)
        return l->any && l->null == 0;
    if (l->any)
        return true;
    if (c->type == COLUMN_TEXT && c->words)
        return (!l->is_code || c->code[row] == l->code) &&
               (!l->allowed || l->allowed[c->code[row]]);
    if (c->type == COLUMN_TEXT) {
        size_t n;
        const char *s = column_text(c, row, &n);
        for (size_t i = 0; i < l->text.count; i++)
            if (!text_passes(l->text.at[i].op, s, n, l->text.at[i].at, l->text.at[i].n))
                return false;
        return true;
    }
    if (c->type == COLUMN_REAL) {
        double v = c->real[row];
        return v >= l->least && v <= l->most && (!l->is_set || in_set(l, 0, v));
    }
    int64_t v = whole_of(c, row);
    return v >= l->low && v <= l->high && (!l->is_set || in_set(l, v, 0));
}

#define KEEP(condition)                                                                            \
    for (size_t i = 0; i < n; i++) {                                                               \
        uint32_t r = rows[i];                                                                      \
        rows[kept] = r;                                                                            \
        kept += (condition);                                                                       \
    }

size_t limit_filter(const Limit *l, const Column *c, uint32_t *rows, size_t n)
{
    size_t kept = 0;
    bool plain = l->any || l->is_set || l->is_code || (c->type == COLUMN_TEXT && !c->words);
    if (plain || c->type == COLUMN_BOOL || c->type == COLUMN_DATE || l->none || l->null == 1) {
        KEEP(limit_holds(l, c, r))
        return kept;
    }
    if (c->valid) { /* first those that have a value */
        const uint8_t *valid = c->valid;
        KEEP(bit_get(valid, r))
        n = kept;
        kept = 0;
    }
    if (c->type == COLUMN_TEXT) {
        const uint8_t *allowed = l->allowed;
        const int32_t *code = c->code;
        KEEP(allowed[code[r]])
    } else if (c->type == COLUMN_REAL) {
        const double *v = c->real;
        double least = l->least, most = l->most;
        KEEP((v[r] >= least) & (v[r] <= most))
    } else {
        const int64_t *v = c->integer;
        int64_t low = l->low, high = l->high;
        KEEP((v[r] >= low) & (v[r] <= high))
    }
    return kept;
}

bool limit_is_one(const Limit *l, uint64_t *key)
{
    if (l->any || l->none || l->is_set || l->column < 0)
        return false;
    if (l->is_code) {
        *key = (uint64_t)l->code;
        return true;
    }
    if (l->type == COLUMN_TEXT && l->allowed) {
        size_t found = 0;
        for (size_t w = 0; w < l->words; w++)
            if (l->allowed[w]) {
                found++;
                *key = w;
            }
        return found == 1;
    }
    if (l->type == COLUMN_TEXT) {
        for (size_t i = 0; i < l->text.count; i++)
            if (l->text.at[i].op == EQ) {
                *key = word_hash(l->text.at[i].at, l->text.at[i].n);
                return true;
            }
        return false;
    }
    *key = l->type == COLUMN_REAL ? real_key(l->least) : (uint64_t)l->low;
    return l->type == COLUMN_REAL ? l->least == l->most : l->low == l->high;
}
