/* sql_parts.c -- hour(PICKUP) in a statement becomes the hidden column "hour(PICKUP)" of the dataset,
 * which needs no text of the time and by which rows can come grouped.
 *
 * The name of the result's column stays. Only statements with one SELECT are rewritten, where the
 * argument can but be that column, and only if both the statement and its rewritten form prepare. */
#include "command_int.h"

#include <ctype.h>
#include <string.h>

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (c & 0x80);
}

/* The end of the token at s: a word, a string, a quoted name, a comment, or one character. */
static const char *token_end(const char *s)
{
    const char *end = s + 1;
    if (is_word(*s)) {
        while (is_word(*end))
            end++;
    } else if (*s == '\'' || *s == '"' || *s == '`') { /* a doubled quote reads as two in a row */
        end = strchr(end, *s);
    } else if (*s == '[') {
        end = strchr(end, ']');
    } else if (s[0] == '-' && s[1] == '-') {
        end = strchr(end, '\n');
    } else if (s[0] == '/' && s[1] == '*') {
        end = strstr(s + 2, "*/");
        return end ? end + 2 : s + strlen(s);
    } else {
        return end;
    }
    return !end ? s + strlen(s) : is_word(*s) ? end : end + 1;
}

static const char *skip_space(const char *s)
{
    return s + strspn(s, " \t\r\n");
}

static bool is(const char *from, const char *end, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(end - from) == n && strncasecmp(from, word, n) == 0;
}

static bool is_part(const char *from, const char *end)
{
    static const char *const names[] = {"hour", "weekday", "day", "month", "year"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is(from, end, names[i]))
            return true;
    return false;
}

/* "( name )" or "( table.name )" after `s`; what is in it as it stands in SQL. */
static const char *read_argument(const char *s, Text *table, Text *name)
{
    s = skip_space(s);
    if (*s != '(')
        return NULL;
    s = skip_space(s + 1);
    for (;;) {
        const char *end = token_end(s);
        bool quoted = *s == '"' || *s == '`' || *s == '[';
        if (!*s || (!quoted && !is_word(*s)) || isdigit((unsigned char)*s))
            return NULL;
        text_reset(name);
        text_add(name, s + quoted, (size_t)(end - s) - 2 * (size_t)quoted);
        s = end;
        if (*s == *(end - 1) && quoted) /* a quote inside of the name */
            return NULL;
        if (*s != '.')
            break;
        text_printf(table, "[%s].", text_str(name));
        s++;
    }
    s = skip_space(s);
    bool plain = !strpbrk(text_str(name), "[]\"`") && !strchr(text_str(table), '"');
    return *s == ')' && plain ? s + 1 : NULL;
}

bool sql_use_parts(const char *text, Text *into)
{
    size_t selects = 0, parts = 0;
    Text table = {0}, name = {0};
    for (const char *s = text; *s;) {
        const char *end = token_end(s);
        selects += is(s, end, "select");
        text_reset(&table);
        const char *after = is_part(s, end) ? read_argument(end, &table, &name) : NULL;
        if (after) {
            char part[8] = "";
            memcpy(part, s, (size_t)(end - s));
            for (char *c = part; *c; c++)
                *c = (char)tolower((unsigned char)*c);
            text_printf(into, "%s[%s(%s)]", text_str(&table), part, text_str(&name));
            parts++;
            end = after;
        } else {
            text_add(into, s, (size_t)(end - s));
        }
        s = end;
    }
    text_release(&table);
    text_release(&name);
    return selects == 1 && parts > 0;
}
