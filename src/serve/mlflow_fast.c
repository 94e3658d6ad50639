/* mlflow_fast.c -- the usual bodies of POST /invocations, read in one pass without a tree in between.
 *
 *     {"dataframe_split": {"columns": [...], "data": [[...], ...]}}       {"instances": [[...], ...]}
 *     {"dataframe_records": [{...}, ...]}                                 {"instances": [{...}, ...]}
 *
 * mlflow.c says what a body means; this file takes those in which nothing is unusual and gives the very same rows
 * for them. Whatever else there is (an escape, a letter beyond ASCII, a number that is no double or no int64, a
 * column unknown, missing or twice, a value of another type, another key) it leaves to mlflow.c, which also has
 * the words for what is wrong. A test and a fuzz target hold the two to the same answer. */
#include "serve_int.h"

#include <math.h>
#include <string.h>

#define COLUMNS_MOST 256
#define DAY          INT64_C(86400000000) /* microseconds */
#define ROWS_MOST    1024                 /* what is larger may take its time */

typedef struct Fast {
    const char *at, *end;
    const Intake *in;
    Arena *arena;
    size_t columns, place[COLUMNS_MOST]; /* the field of each given column */
    ColumnBuild **build;                 /* by field; NULL: not given */
} Fast;

static void skip(Fast *f)
{
    while (f->at < f->end && (*f->at == ' ' || *f->at == '\n' || *f->at == '\t' || *f->at == '\r'))
        f->at++;
}

static bool take(Fast *f, char c)
{
    skip(f);
    if (f->at >= f->end || *f->at != c)
        return false;
    f->at++;
    return true;
}

static bool peek(Fast *f, char c)
{
    skip(f);
    return f->at < f->end && *f->at == c;
}

/* Plain ASCII between quotes. */
static bool take_text(Fast *f, const char **s, size_t *n)
{
    if (!take(f, '"'))
        return false;
    const char *from = f->at;
    while (f->at < f->end && *f->at != '"') {
        unsigned char c = (unsigned char)*f->at;
        if (c < 0x20 || c >= 0x7f || c == '\\')
            return false;
        f->at++;
    }
    *s = from;
    *n = (size_t)(f->at - from);
    return take(f, '"');
}

static bool take_word(Fast *f, const char *word)
{
    size_t n = strlen(word);
    skip(f);
    if ((size_t)(f->end - f->at) < n || memcmp(f->at, word, n) != 0)
        return false;
    f->at += n;
    return true;
}

static size_t digits(Fast *f)
{
    const char *from = f->at;
    while (f->at < f->end && *f->at >= '0' && *f->at <= '9')
        f->at++;
    return (size_t)(f->at - from);
}

/* -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool take_number(Fast *f, const char **s, size_t *n, bool *whole)
{
    skip(f);
    const char *from = f->at;
    if (f->at < f->end && *f->at == '-')
        f->at++;
    const char *first = f->at;
    size_t count = digits(f);
    if (!count || (*first == '0' && count > 1))
        return false;
    *whole = true;
    if (f->at < f->end && *f->at == '.') {
        *whole = false;
        f->at++;
        if (!digits(f))
            return false;
    }
    if (f->at < f->end && (*f->at == 'e' || *f->at == 'E')) {
        *whole = false;
        f->at++;
        if (f->at < f->end && (*f->at == '+' || *f->at == '-'))
            f->at++;
        if (!digits(f))
            return false;
    }
    *s = from;
    *n = (size_t)(f->at - from);
    return *n <= 40 && !(*whole && *from == '-' && *first == '0'); /* -0 is 0 among integers */
}

static bool take_real(Fast *f, ColumnBuild *b)
{
    const char *s;
    size_t n;
    bool whole;
    double v;
    int64_t integer;
    if (!take_number(f, &s, &n, &whole) || (whole && n > 15 && !text_to_int(s, n, &integer)) ||
        !text_to_real(s, n, &v) || !isfinite(v))
        return false;
    column_build_real(b, v);
    return true;
}

static bool take_value(Fast *f, const Field *field, ColumnBuild *b)
{
    const char *s;
    size_t n;
    bool whole;
    int64_t v;
    if (peek(f, 'n')) {
        column_build_missing(b);
        return take_word(f, "null");
    }
    switch (field->type) {
    case COLUMN_REAL:
        return take_real(f, b);
    case COLUMN_INT:
        if (!take_number(f, &s, &n, &whole) || !whole || !text_to_int(s, n, &v))
            return false;
        column_build_int(b, v);
        return true;
    case COLUMN_BOOL:
        v = peek(f, 't');
        column_build_int(b, v);
        return take_word(f, v ? "true" : "false");
    case COLUMN_TEXT:
        if (!take_text(f, &s, &n))
            return false;
        column_build_text(b, s, n);
        return true;
    default: /* times and dates */
        if (!take_text(f, &s, &n) || !time_parse(s, n, &v) ||
            (field->type == COLUMN_DATE && v % DAY))
            return false;
        column_build_int(b, field->type == COLUMN_DATE ? v / DAY : v);
        return true;
    }
}

/* Columns come in the same order most often. */
static size_t field_at(const Fast *f, const char *s, size_t n, size_t guess)
{
    const Schema *schema = f->in->schema;
    for (size_t k = 0; k < schema->count; k++) {
        size_t i = guess + k < schema->count ? guess + k : guess + k - schema->count;
        if (f->in->size[i] == n && !memcmp(f->in->name[i], s, n))
            return i;
    }
    return SIZE_MAX;
}

static bool begin_column(Fast *f, size_t at, size_t rows)
{
    const Field *field = &f->in->schema->field[at];
    if (f->build[at] || rows > ROWS_MOST)
        return false;
    f->place[f->columns++] = at;
    f->build[at] = column_build(f->arena, field->name, field->type, rows);
    return true;
}

static bool all_needed(const Fast *f)
{
    for (size_t i = 0; i < f->in->schema->count; i++)
        if (f->in->needed[i] && !f->build[i])
            return false;
    return true;
}

/* How many rows a list may have: no more than brackets that open. */
static size_t rows_at_most(const Fast *f, char open)
{
    size_t n = 0;
    for (const char *s = f->at; s < f->end && (s = memchr(s, open, (size_t)(f->end - s))); s++)
        n++;
    return n;
}

static bool take_row(Fast *f)
{
    if (!take(f, '['))
        return false;
    for (size_t k = 0; k < f->columns; k++)
        if ((k && !take(f, ',')) ||
            !take_value(f, &f->in->schema->field[f->place[k]], f->build[f->place[k]]))
            return false;
    return take(f, ']');
}

/* [[...], ...] */
static bool take_rows(Fast *f, size_t *rows)
{
    if (!f->columns || !all_needed(f) || !take(f, '['))
        return false;
    for (*rows = 0; *rows == 0 || take(f, ','); ++*rows)
        if (!take_row(f))
            return false;
    return take(f, ']');
}

/* ["A", "B"] */
static bool take_columns(Fast *f, size_t most)
{
    const char *s;
    size_t n;
    if (!take(f, '['))
        return false;
    do {
        if (!take_text(f, &s, &n))
            return false;
        size_t at = field_at(f, s, n, f->columns);
        if (at == SIZE_MAX || !begin_column(f, at, most))
            return false;
    } while (take(f, ','));
    return take(f, ']');
}

static bool take_key(Fast *f, const char *key)
{
    const char *s;
    size_t n;
    return take_text(f, &s, &n) && n == strlen(key) && !memcmp(s, key, n) && take(f, ':');
}

static bool take_split(Fast *f, size_t *rows)
{
    return take(f, '{') && take_key(f, "columns") && take_columns(f, rows_at_most(f, '[')) &&
           take(f, ',') && take_key(f, "data") && take_rows(f, rows) && take(f, '}');
}

/* One object; of the first row its keys become the columns, of the others they must be the same ones in the same
 * order. */
static bool take_record(Fast *f, size_t row, size_t most)
{
    const char *s;
    size_t n, k = 0;
    if (!take(f, '{'))
        return false;
    do {
        if (!take_text(f, &s, &n) || !take(f, ':'))
            return false;
        size_t at = row ? (k < f->columns ? f->place[k] : SIZE_MAX) : field_at(f, s, n, k);
        if (at == SIZE_MAX ||
            (row && (strncmp(f->in->name[at], s, n) != 0 || f->in->name[at][n])) ||
            (!row && !begin_column(f, at, most)) ||
            !take_value(f, &f->in->schema->field[at], f->build[at]))
            return false;
        k++;
    } while (take(f, ','));
    return k == f->columns && take(f, '}');
}

static bool take_records(Fast *f, size_t *rows)
{
    size_t most = rows_at_most(f, '{');
    if (!take(f, '['))
        return false;
    for (*rows = 0; *rows == 0 || take(f, ','); ++*rows)
        if (!take_record(f, *rows, most))
            return false;
    return all_needed(f) && take(f, ']');
}

static bool take_lists(Fast *f, size_t *rows)
{
    size_t most = rows_at_most(f, '[');
    for (size_t i = 0; i < f->in->inputs; i++)
        if (!begin_column(f, f->in->input[i], most))
            return false;
    return take_rows(f, rows);
}

static bool take_instances(Fast *f, size_t *rows)
{
    const char *back = f->at;
    bool lists = take(f, '[') && peek(f, '[');
    f->at = back;
    return lists ? take_lists(f, rows) : take_records(f, rows);
}

static bool take_body(Fast *f, size_t *rows)
{
    const char *s;
    size_t n;
    if (!take(f, '{') || !take_text(f, &s, &n) || !take(f, ':'))
        return false;
    bool ok = n == 15 && !memcmp(s, "dataframe_split", n)     ? take_split(f, rows)
              : n == 17 && !memcmp(s, "dataframe_records", n) ? take_records(f, rows)
              : n == 9 && !memcmp(s, "instances", n)          ? take_instances(f, rows)
                                                              : false;
    if (!ok || !take(f, '}'))
        return false;
    skip(f);
    return f->at == f->end;
}

/* What intake_complete makes of the columns, without looking for them. */
static void finish(const Fast *f, size_t rows, Chunk *out)
{
    const Schema *schema = f->in->schema;
    Column *column = arena_raw(f->arena, (schema->count + 1) * sizeof *column);
    *out = (Chunk){.rows = rows, .column = column};
    for (size_t i = 0; i < schema->count; i++) {
        Column *next = &column[out->columns];
        if (f->build[i]) {
            column_build_finish(f->build[i], next);
            next->name = f->in->name[i]; /* who looks for it by that very name finds it at once */
            out->columns++;
        } else {
            out->columns += intake_absent(&schema->field[i], rows, f->arena, next);
        }
    }
}

bool mlflow_fast(const Intake *in, const char *body, size_t n, Arena *a, Chunk *out)
{
    Fast f;
    size_t rows, fields = in->schema->count;
    if (!fields || fields > COLUMNS_MOST)
        return false;
    f.at = body;
    f.end = body + n;
    f.in = in;
    f.arena = a;
    f.columns = 0;
    f.build = ARENA_NEW(a, ColumnBuild *, fields);
    if (!take_body(&f, &rows))
        return false;
    finish(&f, rows, out);
    return true;
}
