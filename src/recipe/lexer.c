/* lexer.c -- the words of rules and expressions, and what every rule's parser needs.
 *
 *     name        letters, digits, _ and . ; keywords in any case
 *     `odd name`  a column, also [odd name]; the closing sign doubled stands for itself
 *     "text"      also 'text'; the closing quote doubled stands for itself
 *     12  1.5e3   numbers
 *     # ...       a comment up to the end of the line */
#include "recipe_int.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const signs[] = {"<=", ">=", "<>", "!=", "==", "||", "(", ")", ",",
                                    "+",  "-",  "*",  "/",  "%",  "=",  "<", ">", NULL};

bool place_error(Error *err, size_t line, uint32_t column, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (line > 0)
        return error_set(err, ERROR_PARSE, "line %zu, column %u: %s", line, column, text);
    return error_set(err, ERROR_PARSE, "column %u: %s", column, text);
}

bool parser_fail(Parser *p, uint32_t column, const char *fmt, ...)
{
    if (p->failed)
        return false;
    char text[sizeof p->err->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    p->failed = true;
    p->now = (Token){.kind = TOKEN_END, .column = column, .text = ""};
    return place_error(p->err, p->line, column, "%s", text);
}

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name_part(char c)
{
    return is_name_start(c) || isdigit((unsigned char)c) || c == '.';
}

static uint32_t column_at(const Parser *p, size_t byte)
{
    uint32_t column = 1 + p->indent;
    for (size_t i = 0; i < byte; i++)
        column += ((unsigned char)p->text[i] & 0xC0) != 0x80;
    return column;
}

/* Reads up to the closing sign, which doubled stands for itself. */
static void read_quoted(Parser *p, TokenKind kind, char close)
{
    Token *t = &p->now;
    const char *from = p->text + p->at + 1;
    size_t size = strlen(from), n = 0;
    char *out = arena_alloc(p->arena, size + 1);
    for (size_t i = 0; i < size; i++) {
        if (from[i] == close) {
            if (from[i + 1] != close) {
                *t = (Token){kind, t->column, out, n, 0.0, 0, false};
                p->at += i + 2;
                if (kind == TOKEN_QUOTED && n == 0)
                    parser_fail(p, t->column, "a column without a name");
                return;
            }
            i++;
        }
        out[n++] = from[i];
    }
    parser_fail(p, t->column, "the %s that opens here is never closed: expected %c",
                kind == TOKEN_STRING ? "text" : "name", close);
}

static void read_number(Parser *p)
{
    const char *s = p->text + p->at;
    size_t n = strspn(s, "0123456789");
    if (s[n] == '.')
        n += 1 + strspn(s + n + 1, "0123456789");
    if (s[n] == 'e' || s[n] == 'E') {
        size_t exponent = 1 + (s[n + 1] == '-' || s[n + 1] == '+');
        size_t digits = strspn(s + n + exponent, "0123456789");
        if (digits > 0)
            n += exponent + digits;
    }
    Token *t = &p->now;
    t->kind = TOKEN_NUMBER;
    t->size = n;
    char *text = arena_alloc(p->arena, n + 1);
    memcpy(text, s, n);
    t->text = text;
    t->whole = text_to_int(s, n, &t->integer);
    if (is_name_part(s[n]) || !text_to_real(s, n, &t->real)) {
        size_t word = n;
        while (is_name_part(s[word]))
            word++;
        parser_fail(p, t->column, "'%.*s' is not a number (a column of that name goes in `...`)",
                    (int)(word > 60 ? 60 : word), s);
    }
    p->at += n;
}

static void read_sign(Parser *p)
{
    for (size_t i = 0; signs[i]; i++)
        if (strncmp(p->text + p->at, signs[i], strlen(signs[i])) == 0) {
            p->now.kind = TOKEN_SIGN;
            p->now.text = signs[i];
            p->now.size = strlen(signs[i]);
            p->at += p->now.size;
            return;
        }
    const char *s = p->text + p->at;
    if (isprint((unsigned char)*s))
        parser_fail(p, p->now.column, "unexpected '%c'", *s);
    else
        parser_fail(p, p->now.column, "unexpected byte 0x%02x", (unsigned char)*s);
}

void parser_next(Parser *p)
{
    if (p->failed)
        return;
    while (p->text[p->at] && isspace((unsigned char)p->text[p->at]))
        p->at++;
    const char *s = p->text + p->at;
    p->now = (Token){.kind = TOKEN_END, .column = column_at(p, p->at), .text = ""};
    if (*s == '\0' || *s == '#')
        return;
    if (*s == '"' || *s == '\'') {
        read_quoted(p, TOKEN_STRING, *s);
    } else if (*s == '`' || *s == '[') {
        read_quoted(p, TOKEN_QUOTED, *s == '[' ? ']' : '`');
    } else if (isdigit((unsigned char)*s) || (*s == '.' && isdigit((unsigned char)s[1]))) {
        read_number(p);
    } else if (is_name_start(*s)) {
        size_t n = 0;
        while (is_name_part(s[n]))
            n++;
        char *text = arena_alloc(p->arena, n + 1);
        memcpy(text, s, n);
        p->now.kind = TOKEN_NAME;
        p->now.text = text;
        p->now.size = n;
        p->at += n;
    } else {
        read_sign(p);
    }
}

void parser_begin(Parser *p, const char *text, size_t line, Arena *a, Error *err)
{
    *p = (Parser){.text = text, .line = line, .arena = a, .err = err};
    parser_next(p);
}

bool parser_expected(Parser *p, const char *what)
{
    const Token *t = &p->now;
    if (t->kind == TOKEN_END)
        return parser_fail(p, t->column, "expected %s, found the end of the line", what);
    return parser_fail(p, t->column, "expected %s, found '%.60s'", what, t->text);
}

bool parser_is(const Parser *p, const char *word)
{
    if (p->now.kind == TOKEN_SIGN)
        return strcmp(p->now.text, word) == 0;
    return p->now.kind == TOKEN_NAME && strcasecmp(p->now.text, word) == 0;
}

bool parser_take(Parser *p, const char *word)
{
    if (p->failed || !parser_is(p, word))
        return false;
    parser_next(p);
    return true;
}

bool parser_need(Parser *p, const char *word)
{
    if (parser_take(p, word))
        return !p->failed;
    char what[40];
    snprintf(what, sizeof what, "'%s'", word);
    return parser_expected(p, what);
}

bool parser_end(Parser *p)
{
    if (p->failed)
        return false;
    return p->now.kind == TOKEN_END || parser_expected(p, "nothing more");
}

bool parser_name(Parser *p, NameAt *out)
{
    if (p->failed)
        return false;
    if (p->now.kind != TOKEN_NAME && p->now.kind != TOKEN_QUOTED)
        return parser_expected(p, "a column");
    *out = (NameAt){p->now.text, p->now.column, SIZE_MAX};
    parser_next(p);
    return !p->failed;
}

bool parser_names(Parser *p, NameList *out)
{
    VEC(NameAt) list = {0};
    bool ok;
    do {
        NameAt name = {0};
        ok = parser_name(p, &name);
        vec_add(&list, name);
    } while (ok && parser_take(p, ","));
    ok = ok && !p->failed;
    if (ok) {
        *out = (NameList){list.count, ARENA_NEW(p->arena, NameAt, list.count)};
        memcpy(out->at, list.at, list.count * sizeof *list.at);
    }
    vec_release(&list);
    return ok;
}

bool parser_number(Parser *p, Token *out)
{
    bool minus = parser_take(p, "-");
    if (p->failed)
        return false;
    if (p->now.kind != TOKEN_NUMBER)
        return parser_expected(p, "a number");
    *out = p->now;
    if (minus) {
        out->real = -out->real;
        out->integer = -out->integer;
        out->text = arena_printf(p->arena, "-%s", out->text);
        out->size++;
    }
    parser_next(p);
    return !p->failed;
}

bool parser_value(Parser *p, Token *out)
{
    if (parser_is(p, "-") || p->now.kind == TOKEN_NUMBER)
        return parser_number(p, out);
    *out = p->now;
    if (parser_is(p, "null") || parser_is(p, "missing"))
        out->kind = TOKEN_END;
    else if (!parser_is(p, "true") && !parser_is(p, "false") && out->kind != TOKEN_STRING)
        return parser_expected(p, "a value (a number, \"text\", true, false or null)");
    parser_next(p);
    return !p->failed;
}

static const char *const reserved[] = {"and", "or",   "not",   "in",   "between", "like",
                                       "is",  "null", "case",  "when", "then",    "else",
                                       "end", "true", "false", NULL};

bool name_is_plain(const char *name)
{
    if (!is_name_start(*name))
        return false;
    for (const char *s = name; *s; s++)
        if (!is_name_part(*s))
            return false;
    for (size_t i = 0; reserved[i]; i++)
        if (strcasecmp(name, reserved[i]) == 0)
            return false;
    return true;
}

void recipe_add_name(const char *name, Text *into)
{
    if (name_is_plain(name)) {
        text_puts(into, name);
        return;
    }
    text_putc(into, '`');
    for (const char *s = name; *s; s++) {
        if (*s == '`')
            text_putc(into, '`');
        text_putc(into, *s);
    }
    text_putc(into, '`');
}

void recipe_add_text(const char *value, Text *into)
{
    text_putc(into, '"');
    for (const char *s = value; *s; s++) {
        if (*s == '"')
            text_putc(into, '"');
        text_putc(into, *s);
    }
    text_putc(into, '"');
}
