/* runs_filter.c -- runs by an expression: `val_rmse < 3 and family = gbdt and has:note`.
 *
 * The runs become a table of one chunk, a column a field, and the expression of the cleaning rules is
 * evaluated over it. Two things are said shorter here: a word that is no field stands for itself
 * (family = gbdt), and has:WORD is true where the field is not empty, or the run has that tag. */
#include "runs_int.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const keywords[] = {"and", "or", "not", "between", "in", "like", "is", "null", "missing", "true",
                                       "false", "case", "when", "then", "else", "end", "as", "cast", NULL};

/* ---- the runs as a table ------------------------------------------------------------------------------- */

static void runs_schema(const RunsState *s, Schema *into)
{
    for (size_t i = 0; i < s->field.count; i++)
        schema_add(into, s->field.at[i].name, s->field.at[i].number ? COLUMN_REAL : COLUMN_TEXT, ROLE_FEATURE);
}

static void fill(const RunsState *s, const RunField *f, Arena *a, Column *out)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    ColumnBuild *b = column_build(a, f->name, f->number ? COLUMN_REAL : COLUMN_TEXT, snap->runs);
    Text text = {0};
    for (size_t i = 0; i < snap->runs; i++) {
        double v = f->number ? runs_number(s, &snap->run[i], f) : 0.0;
        text_reset(&text);
        if (!f->number)
            runs_text(s, &snap->run[i], f, &text);
        if (f->number ? isnan(v) : text.count == 0)
            column_build_missing(b);
        else if (f->number)
            column_build_real(b, v);
        else
            column_build_text(b, text_str(&text), text.count);
    }
    text_release(&text);
    column_build_finish(b, out);
}

/* ---- the short forms ------------------------------------------------------------------------------------- */

static bool is_keyword(const char *word, size_t n)
{
    for (size_t i = 0; keywords[i]; i++)
        if (strlen(keywords[i]) == n && strncasecmp(keywords[i], word, n) == 0)
            return true;
    return false;
}

static const RunField *field_of(const RunsState *s, const char *word, size_t n)
{
    for (size_t i = 0; i < s->field.count; i++)
        if (strlen(s->field.at[i].name) == n && strncasecmp(s->field.at[i].name, word, n) == 0)
            return &s->field.at[i];
    return NULL;
}

static size_t word_length(const char *s, bool value)
{
    size_t n = 0;
    while (isalnum((unsigned char)s[n]) || s[n] == '_' || s[n] == '.' || (unsigned char)s[n] >= 0x80 ||
           (value && s[n] == '-' && s[n + 1] != ' ')) /* after a comparison: first-try */
        n++;
    return n;
}

static void add_has(const RunsState *s, const char *word, size_t n, Text *into)
{
    const RunField *f = field_of(s, word, n);
    if (f)
        text_printf(into, "(`%s` is not null)", f->name);
    else
        text_printf(into, "((' ' || tags || ' ') like '%% %.*s %%')", (int)n, word);
}

/* Behind = < > ( , or `like` a word is a value, if it is no field. */
static bool wants_value(const Text *so_far)
{
    size_t n = so_far->count;
    const char *at = text_str(so_far);
    while (n && at[n - 1] == ' ')
        n--;
    return n && (strchr("=<>,(", at[n - 1]) || (n > 4 && strncasecmp(at + n - 4, "like", 4) == 0));
}

static void lengthen(const RunsState *s, const char *text, Text *into)
{
    for (const char *at = text; *at;) {
        size_t n = word_length(at, wants_value(into));
        if (*at == '\'' || *at == '"' || *at == '`') {
            const char *end = strchr(at + 1, *at);
            n = end ? (size_t)(end - at) + 1 : strlen(at);
            text_add(into, at, n);
        } else if (n && strncasecmp(at, "has", 3) == 0 && n == 3 && at[3] == ':') {
            at += 4;
            n = word_length(at, true);
            add_has(s, at, n, into);
        } else if (n && !isdigit((unsigned char)*at)) {
            const RunField *f = field_of(s, at, n);
            bool call = at[n + strspn(at + n, " ")] == '(' && !is_keyword(at, n);
            if (f)
                text_printf(into, "`%s`", f->name);
            else if (!call && !is_keyword(at, n) && wants_value(into))
                text_printf(into, "'%.*s'", (int)n, at);
            else
                text_add(into, at, n);
        } else {
            n = n ? n : 1;
            text_add(into, at, n);
        }
        at += n;
    }
}

/* The place is one in the lengthened text: the words say it better. */
static bool without_place(Error *err)
{
    unsigned column;
    int n = 0;
    if (sscanf(err->text, "column %u: %n", &column, &n) == 1 && n > 0)
        memmove(err->text, err->text + n, strlen(err->text + n) + 1);
    return false;
}

static Expr *parse(const RunsState *s, const char *text, Error *err)
{
    Schema schema = {0};
    Text whole = {0};
    runs_schema(s, &schema);
    lengthen(s, text, &whole);
    Expr *e = expr_parse(text_str(&whole), &schema, err);
    if (!e)
        without_place(err);
    if (e && expr_type(e) != COLUMN_BOOL) {
        expr_destroy(e);
        e = NULL;
        error_set(err, ERROR_PARSE, "that is a value; a filter asks something, as in val_rmse < 3");
    }
    text_release(&whole);
    schema_release(&schema);
    return e;
}

bool runs_filter_check(const RunsState *s, const char *text, Error *err)
{
    if (!text[strspn(text, " ")])
        return true;
    Expr *e = parse(s, text, err);
    expr_destroy(e);
    return e != NULL;
}

bool runs_filter(const RunsState *s, const char *text, uint8_t *keep, Error *err)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    Arena a = {0};
    Expr *e = parse(s, text, err);
    if (!e)
        return false;
    Column *column = ARENA_NEW(&a, Column, s->field.count + 1);
    for (size_t i = 0; i < s->field.count; i++)
        fill(s, &s->field.at[i], &a, &column[i]);
    Chunk chunk = {.rows = snap->runs, .columns = s->field.count, .column = column};
    bool ok = expr_filter(e, &chunk, &a, keep, err) != SIZE_MAX;
    arena_release(&a);
    expr_destroy(e);
    return ok;
}

void runs_filter_complete(const RunsState *s, const char *text, void (*add)(void *, const char *word),
                          void *context)
{
    size_t n = strlen(text);
    while (n && (isalnum((unsigned char)text[n - 1]) || text[n - 1] == '_' || text[n - 1] == '.'))
        n--;
    const char *word = text + n;
    for (size_t i = 0; i < s->field.count; i++)
        if (strncasecmp(s->field.at[i].name, word, strlen(word)) == 0)
            add(context, s->field.at[i].name);
    for (size_t i = 0; keywords[i]; i++)
        if (*word && strncasecmp(keywords[i], word, strlen(word)) == 0)
            add(context, keywords[i]);
}
