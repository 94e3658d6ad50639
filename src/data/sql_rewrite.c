/* sql_rewrite.c -- what a statement makes of one column by pure functions becomes a hidden column of the
 * dataset, which is computed once for each of the column's codes and by which rows can come grouped:
 *
 *     strftime('%H', t.PICKUP)   ->   t."computed 1 of trips"
 *
 * Only in statements with one SELECT, where a name can but be that column, and only where the hidden
 * column compares as the expression would. Names of the result's columns stay. */
#include "sql_int.h"

#include <ctype.h>
#include <stdlib.h>

#define DAY    INT64_C(86400000000)
#define HOUR   INT64_C(3600000000)
#define MINUTE INT64_C(60000000)
#define SECOND INT64_C(1000000)

/* ---- tokens ------------------------------------------------------------------------------------------- */

/* kind: w word, q quoted name, s string, 0 number, b bytes, else the character; 0 at the end */
typedef struct Token { const char *at; size_t n; char kind; } Token;
typedef VEC(Token) Tokens;

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80);
}

static const char *skip_blanks(const char *s)
{
    for (;;) {
        const char *end = NULL;
        s += strspn(s, " \t\r\n\f");
        if (s[0] == '-' && s[1] == '-')
            end = strchr(s, '\n');
        else if (s[0] == '/' && s[1] == '*')
            end = strstr(s + 2, "*/");
        else
            return s;
        s = !end ? s + strlen(s) : end + (*end == '\n' ? 1 : 2);
    }
}

static const char *quoted_end(const char *s)
{
    char quote = *s == '[' ? ']' : *s;
    for (s++; *s; s++)
        if (*s == quote && (quote == ']' || s[1] != quote))
            return s + 1;
        else if (*s == quote)
            s++;
    return s;
}

static const char *number_end(const char *s)
{
    while (is_word(*s) || *s == '.' || ((*s == '+' || *s == '-') && (s[-1] == 'e' || s[-1] == 'E')))
        s++;
    return s;
}

static Token next_token(const char *s)
{
    Token t = {.at = s, .kind = *s};
    const char *end = s + (*s != 0);
    if (isdigit((unsigned char)*s) || (*s == '.' && isdigit((unsigned char)s[1]))) {
        t.kind = '0';
        end = number_end(s);
    } else if (is_word(*s)) {
        t.kind = 'w';
        while (is_word(*end))
            end++;
        if (*end == '\'' && end == s + 1) { /* x'00' */
            t.kind = 'b';
            end = quoted_end(end);
        }
    } else if (*s == '\'' || *s == '"' || *s == '`' || *s == '[') {
        t.kind = *s == '\'' ? 's' : 'q';
        end = quoted_end(s);
    }
    t.n = (size_t)(end - s);
    return t;
}

static void read_tokens(const char *text, Tokens *into)
{
    do {
        text = skip_blanks(text);
        vec_add(into, next_token(text));
        text += vec_last(into)->n;
    } while (vec_last(into)->kind);
}

static bool is(const Token *t, const char *word)
{
    return t->kind == 'w' && t->n == strlen(word) && strncasecmp(t->at, word, t->n) == 0;
}

static bool is_any(const Token *t, const char *const *words)
{
    for (; *words; words++)
        if (is(t, *words))
            return true;
    return false;
}

/* A name as it is meant: without its quotes. */
static bool name_is(const Token *t, const char *name)
{
    Text own = {0};
    if (t->kind != 'w' && t->kind != 'q')
        return false;
    for (size_t i = t->kind == 'q'; i < t->n - (t->kind == 'q'); i++) {
        text_putc(&own, t->at[i]);
        i += t->kind == 'q' && t->at[0] != '[' && t->at[i] == t->at[0]; /* doubled */
    }
    bool same = strcasecmp(text_str(&own), name) == 0;
    text_release(&own);
    return same;
}

/* ---- columns ------------------------------------------------------------------------------------------- */

/* An expression while it is read: the column it is about, and how much of a time it looks at. */
typedef struct Reading {
    const SqlTables *tables;
    const Tokens *tokens;
    SqlSource *source;     /* NULL: no column yet */
    size_t column, source_token;
    const Token *table;    /* t of t.PICKUP, or NULL */
    int64_t unit;
    bool cyclic;
    Text text;             /* with x for the column */
} Reading;

static SqlSource *find_source(const SqlTables *tables, const Token *t)
{
    for (size_t i = tables->source.count; i-- > 0;) /* the newest first */
        if (name_is(t, tables->source.at[i]->name))
            return tables->source.at[i];
    return NULL;
}

/* Whether the table of a column may be `s`: its name, or what the statement calls it. */
static bool is_called(const Reading *r, const SqlSource *s, const Token *table)
{
    char name[128];
    if (!table || name_is(table, s->name))
        return true;
    if (table->kind != 'w' || table->n >= sizeof name)
        return false;
    memcpy(name, table->at, table->n);
    name[table->n] = 0;
    for (size_t i = 0; i + 2 < r->tokens->count; i++) {
        const Token *t = &r->tokens->at[i];
        if (name_is(t, s->name) && (name_is(t + 1, name) || (is(t + 1, "as") && name_is(t + 2, name))))
            return true;
    }
    return false;
}

/* The column a name stands for; false: none, or one of several tables. */
static bool find_column(const Reading *r, const Token *table, const Token *name, SqlSource **source,
                        size_t *column)
{
    size_t found = 0;
    for (size_t i = 0; i < r->tokens->count; i++) {
        SqlSource *s = find_source(r->tables, &r->tokens->at[i]);
        if (!s || (found && s == *source) || !is_called(r, s, table))
            continue;
        for (size_t c = 0; c < dataset_schema(s->dataset)->count; c++)
            if (name_is(name, s->column[c])) {
                *source = s;
                *column = c;
                found++;
            }
    }
    return found == 1;
}

static bool same_token(const Token *a, const Token *b)
{
    return (!a && !b) || (a && b && a->n == b->n && memcmp(a->at, b->at, a->n) == 0);
}

/* [table .] name at *at; moves behind it. */
static bool read_column(Reading *r, size_t *at)
{
    const Token *t = &r->tokens->at[*at], *table = NULL;
    SqlSource *source = NULL;
    size_t column = 0;
    if (t[1].kind == '.' && t[1].at == t->at + t->n) {
        table = t;
        t += 2;
        *at += 2;
    }
    if ((t->kind != 'w' && t->kind != 'q') || t[1].kind == '(' || t[1].kind == '.' ||
        !find_column(r, table, t, &source, &column))
        return false;
    if (r->source && (r->source != source || r->column != column || !same_token(r->table, table)))
        return false;
    r->source = source;
    r->column = column;
    r->table = table;
    text_puts(&r->text, "x");
    ++*at;
    return true;
}

static bool is_time(const Reading *r)
{
    ColumnType t = dataset_schema(r->source->dataset)->field[r->column].type;
    return t == COLUMN_TIME || t == COLUMN_DATE;
}

/* ---- expressions -------------------------------------------------------------------------------------------- */

/* Functions that give the same for the same, and nothing but their arguments. */
static const char *const pure[] = {
    "cast",  "substr",   "substring", "strftime", "date",   "time",   "datetime", "hour", "weekday", "day",
    "month", "year",     "upper",     "lower",    "trim",   "ltrim",  "rtrim",    "abs",  "replace", "length",
    "round", "coalesce", "ifnull",    "nullif",   "typeof", "printf", "format",   "hex",  "instr",   "unicode",
    NULL};

static const char *const kept_types[] = {"integer", "int", "real", "text", NULL}; /* of CAST */

static void look_at(Reading *r, int64_t unit, bool cyclic)
{
    r->unit = unit < r->unit ? unit : r->unit;
    r->cyclic &= cyclic;
}

/* What '%Y-%m' looks at; false: something that is no part of the usual text of a time. */
static bool look_at_format(Reading *r, const Token *t)
{
    for (size_t i = 1; i + 1 < t->n; i++) {
        if (t->at[i] != '%')
            continue;
        char c = t->at[++i];
        if (c == 'H' || c == 'M' || c == 'S')
            look_at(r, c == 'H' ? HOUR : c == 'M' ? MINUTE : SECOND, true);
        else if (c == 'd' || c == 'j' || c == 'm' || c == 'w' || c == 'W' || c == 'Y')
            look_at(r, DAY, false);
        else if (c != '%')
            return false;
    }
    look_at(r, DAY, true);
    return true;
}

/* 2019-01-02 03:04:05 from its `from`-th character on: n of them. */
static bool look_at_place(Reading *r, const Token *from, const Token *n)
{
    long first = strtol(from->at, NULL, 10), last = first + strtol(n->at, NULL, 10) - 1;
    if (first < 1 || last < first || last > 19)
        return false;
    look_at(r, last <= 11 ? DAY : last <= 14 ? HOUR : last <= 17 ? MINUTE : SECOND, first > 10);
    return true;
}

/* A function of a time as a whole: what it looks at. `t` is its name, `column` the column's first token. */
static bool read_time_call(Reading *r, size_t *at)
{
    static const char *const days[] = {"date", "weekday", "day", "month", "year", NULL};
    const Token *t = &r->tokens->at[*at];
    bool formatted = is(t, "strftime"), cut = is(t, "substr") || is(t, "substring");
    size_t column = *at + 2, end;
    Text before = {0};
    text_add(&before, r->text.at, r->text.count);
    if (formatted && (t[2].kind != 's' || t[3].kind != ','))
        return text_release(&before), false;
    column += formatted ? 2 : 0;
    text_add(&r->text, t->at, t->n);
    text_putc(&r->text, '(');
    if (formatted) {
        text_add(&r->text, t[2].at, t[2].n);
        text_putc(&r->text, ',');
    }
    SqlSource *source = r->source;
    end = column;
    bool ok = read_column(r, &end) && is_time(r);
    const Token *rest = &r->tokens->at[end];
    if (ok && cut) {
        ok = rest[0].kind == ',' && rest[1].kind == '0' && rest[2].kind == ',' && rest[3].kind == '0' &&
             rest[4].kind == ')' && look_at_place(r, &rest[1], &rest[3]);
        if (ok)
            text_printf(&r->text, ",%.*s,%.*s", (int)rest[1].n, rest[1].at, (int)rest[3].n, rest[3].at);
        end += 4;
    } else if (ok) {
        ok = rest[0].kind == ')' && (!formatted || look_at_format(r, &t[2]));
        if (ok && is_any(t, days))
            look_at(r, DAY, false);
        else if (ok && is(t, "hour"))
            look_at(r, HOUR, true);
        else if (ok && (is(t, "time") || is(t, "datetime")))
            look_at(r, SECOND, is(t, "time"));
        else
            ok = ok && formatted;
    }
    if (ok) {
        text_putc(&r->text, ')');
        *at = end + 1;
    } else {
        text_reset(&r->text);
        text_add(&r->text, text_str(&before), before.count);
        r->source = source;
    }
    text_release(&before);
    return ok;
}

static bool read_call(Reading *r, size_t *at);

/* What stands in the parentheses of a pure function, up to the one that closes them. */
static bool read_arguments(Reading *r, size_t *at, bool cast)
{
    for (int depth = 1; depth > 0;) {
        const Token *t = &r->tokens->at[*at];
        if (t->kind == 'w' && t[1].kind == '(') {
            if (!read_call(r, at))
                return false;
            continue;
        }
        if (cast && depth == 1 && is(t, "as")) {
            if (!is_any(&t[1], kept_types) || t[2].kind != ')')
                return false;
            text_printf(&r->text, " AS %.*s", (int)t[1].n, t[1].at);
            *at += 2;
            continue;
        }
        if (is(t, "null")) {
            text_puts(&r->text, " NULL ");
            ++*at;
        } else if (t->kind == 'w' || t->kind == 'q') {
            if (!read_column(r, at) || is_time(r)) /* the whole text of a time has too many values */
                return false;
        } else if (t->kind == 's' || t->kind == '0' || (t->kind && strchr("+-*/%|,()", t->kind))) {
            depth += (t->kind == '(') - (t->kind == ')');
            text_puts(&r->text, t->kind == '-' ? " " : ""); /* no "--" out of "- -" */
            text_add(&r->text, t->at, t->n);
            ++*at;
        } else {
            return false;
        }
    }
    return true;
}

/* A pure function at *at with all its arguments; moves behind it. */
static bool read_call(Reading *r, size_t *at)
{
    const Token *t = &r->tokens->at[*at];
    if (t->kind != 'w' || t[1].kind != '(' || !is_any(t, pure))
        return false;
    if (read_time_call(r, at))
        return true;
    text_printf(&r->text, " %.*s(", (int)t->n, t->at);
    *at += 2;
    return read_arguments(r, at, is(t, "cast"));
}

/* ---- where it stands ------------------------------------------------------------------------------------------- */

static bool compares(const Token *t)
{
    static const char *const words[] = {"is", "in", "like", "glob", "between", "not", "case", "when",
                                        "collate", "regexp", "match", "escape", NULL};
    return t->kind == '=' || t->kind == '<' || t->kind == '>' || t->kind == '!' || is_any(t, words);
}

/* A hidden column of any kind compares with text as it is, an expression may become text for a column of
 * text: only beside constants are they alike. first, end: tokens of the expression. */
static bool stands_well(const Tokens *tokens, size_t first, size_t end)
{
    static const char *const keywords[] = {"in",   "and",   "or",   "not",   "where",  "on",    "when",
                                           "then", "else",  "by",   "select", "having", "between",
                                           "like", "limit", "is",   "case",  "over",   NULL};
    const Token *before = &tokens->at[first], *after = &tokens->at[end];
    if (first && compares(before - 1)) {
        size_t k = 1;
        while (k < first && compares(before - k) && before[-(ptrdiff_t)k].kind != 'w')
            k++;
        const Token *left = before - k;
        if (left->kind != 's' && left->kind != '0')
            return false;
    }
    if (first > 2 && is(before - 1, "and") && is(before - 3, "between"))
        return false;
    if (compares(after)) {
        while (after->kind == '=' || after->kind == '<' || after->kind == '>' || after->kind == '!')
            after++;
        static const char *const ends[] = {"and", "or", "group", "order", "limit", "having", "then", NULL};
        bool constant = after->kind == 's' || after->kind == '0';
        if (!constant || !(!after[1].kind || after[1].kind == ')' || after[1].kind == ';' ||
                           after[1].kind == ',' || is_any(&after[1], ends)))
            return false;
    }
    if (first > 0 && before[-1].kind == '(') /* of a call, else who knows what it stands beside */
        return first > 1 && before[-2].kind == 'w' && !is_any(before - 2, keywords);
    return true;
}

/* The place for the expression that begins at token `at`; moves *at behind it. */
static size_t find_place(const SqlTables *tables, const Tokens *tokens, size_t *at, Reading *r)
{
    size_t first = *at, end = first, place = SIZE_MAX;
    size_t from = 0, to = COMPUTED_PLAIN;
    *r = (Reading){.tables = tables, .tokens = tokens, .unit = DAY, .cyclic = true};
    if ((first > 0 && tokens->at[first - 1].kind == '.') || !read_call(r, &end) || !r->source)
        return SIZE_MAX;
    if (is(&tokens->at[first], "cast")) {
        const Token *type = &tokens->at[end - 2];
        from = is(type, "real") ? COMPUTED_PLAIN + COMPUTED_WHOLE
               : is(type, "text") ? COMPUTED_MOST - COMPUTED_TEXT
                                  : COMPUTED_PLAIN;
        to = is(type, "real") ? COMPUTED_MOST - COMPUTED_TEXT
             : is(type, "text") ? COMPUTED_MOST
                                : COMPUTED_PLAIN + COMPUTED_WHOLE;
    } else if (!stands_well(tokens, first, end)) {
        return SIZE_MAX;
    }
    place = computed_place(r->source, from, to, r->column, text_str(&r->text), r->unit, r->cyclic);
    *at = place == SIZE_MAX ? first : end;
    return place;
}

/* ---- the statement ----------------------------------------------------------------------------------------------- */

static bool has_one_select(const Tokens *tokens)
{
    size_t n = 0;
    for (size_t i = 0; i < tokens->count; i++)
        n += is(&tokens->at[i], "select") || is(&tokens->at[i], "values");
    return n == 1;
}

/* Gives the item of the result that ends before token `end` the name it had; items: how many there were. */
static void end_item(const Tokens *tokens, size_t first, size_t end, Text *into)
{
    const Token *last = &tokens->at[end - 1];
    Text name = {0};
    text_add(&name, tokens->at[first].at, (size_t)(last->at + last->n - tokens->at[first].at));
    text_puts(into, " AS ");
    sql_add_name(into, text_str(&name));
    text_release(&name);
}

/* named[i]: item i of the result gets its old name; items: how many there are. */
static bool rewrite(const SqlTables *tables, const Tokens *tokens, const bool *named, size_t count, size_t *items,
                    Text *into)
{
    static const char *const quantity[] = {"distinct", "all", NULL};
    size_t changed = 0, first = 0;
    int depth = 0;
    bool list = false;
    *items = 0;
    for (size_t i = 0; tokens->at[i].kind;) {
        const Token *t = &tokens->at[i];
        bool ends = list && depth == 0 && (t->kind == ',' || is(t, "from"));
        if (ends) {
            if (*items < count && named[*items])
                end_item(tokens, first, i, into);
            ++*items;
            first = i + 1;
            list = t->kind == ',';
        }
        depth += (t->kind == '(') - (t->kind == ')');
        if (i > 0 && t->at > t[-1].at + t[-1].n)
            text_putc(into, ' ');
        Reading r = {0};
        size_t place = find_place(tables, tokens, &i, &r);
        if (place != SIZE_MAX) {
            Text name = {0};
            if (r.table)
                text_printf(into, "%.*s.", (int)r.table->n, r.table->at);
            sql_place_name(r.source, place, &name);
            sql_add_name(into, text_str(&name));
            text_release(&name);
            changed++;
        } else {
            text_add(into, t->at, t->n);
            i++;
        }
        text_release(&r.text);
        if (is(t, "select") || (list && is_any(t, quantity) && first == i - 1)) {
            list = true;
            first = i;
        }
    }
    return changed > 0;
}

static bool names_differ(sqlite3_stmt *a, sqlite3_stmt *b, bool *named)
{
    bool differ = false;
    for (int i = 0; i < sqlite3_column_count(a); i++) {
        named[i] = strcmp(sqlite3_column_name(a, i), sqlite3_column_name(b, i)) != 0;
        differ |= named[i];
    }
    return differ;
}

/* The statement said better, if it then has the same columns. */
static sqlite3_stmt *better(struct sqlite3 *db, const SqlTables *tables, sqlite3_stmt *plain, const char *text)
{
    Tokens tokens = {0};
    Text other = {0};
    sqlite3_stmt *s = NULL;
    size_t count = (size_t)sqlite3_column_count(plain), items;
    bool *named = mem_alloc(count + 1);
    read_tokens(text, &tokens);
    bool ok = has_one_select(&tokens) && rewrite(tables, &tokens, named, 0, &items, &other) &&
              sqlite3_prepare_v2(db, text_str(&other), -1, &s, NULL) == SQLITE_OK && s &&
              (size_t)sqlite3_column_count(s) == count;
    if (ok && names_differ(plain, s, named)) {
        sqlite3_finalize(s);
        s = NULL;
        text_reset(&other);
        ok = rewrite(tables, &tokens, named, count, &items, &other) && items == count &&
             sqlite3_prepare_v2(db, text_str(&other), -1, &s, NULL) == SQLITE_OK && s &&
             !names_differ(plain, s, named);
    }
    if (!ok) {
        sqlite3_finalize(s);
        s = NULL;
    }
    vec_release(&tokens);
    text_release(&other);
    mem_free(named);
    return s;
}

int sql_prepare(struct sqlite3 *db, const char *text, struct sqlite3_stmt **out, const char **rest)
{
    int code = sqlite3_prepare_v2(db, text, -1, out, rest);
    SqlTables *tables = code == SQLITE_OK && *out ? sql_tables(db) : NULL;
    sqlite3_stmt *other = tables && sqlite3_column_count(*out) ? better(db, tables, *out, text) : NULL;
    if (other) {
        sqlite3_finalize(*out);
        *out = other;
    }
    return code;
}
