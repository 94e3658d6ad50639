/* place.c -- where in a body its JSON breaks off, by the names and rows that stand around: "MILEAGE", "row 2, MILEAGE",
 * "data: row 1, value 3". Line and column mean little to a program's user. */
#include "serve_int.h"

#include <string.h>

#define LEVELS 16 /* deeper ones are counted, but have no name */

typedef struct Level {
    bool list;
    size_t index; /* of a list: which value */
    const char *key;
    size_t size;
} Level;

typedef struct Place {
    Level level[LEVELS];
    size_t depth;
} Place;

static Level *innermost(Place *p)
{
    return p->depth && p->depth <= LEVELS ? &p->level[p->depth - 1] : NULL;
}

static void go_in(Place *p, bool list)
{
    if (p->depth < LEVELS)
        p->level[p->depth] = (Level){.list = list};
    p->depth++;
}

static const char *end_of_text(const char *at, const char *end)
{
    while (at < end && *at != '"')
        at += *at == '\\' && at + 1 < end ? 2 : 1;
    return at < end ? at : end;
}

static void walk(Place *p, const char *at, const char *end)
{
    char before = 0;
    for (; at < end; at++) {
        Level *in = innermost(p);
        char c = *at;
        if (strchr(" \t\r\n", c))
            continue;
        if (c == '"') {
            const char *text = at + 1;
            at = end_of_text(text, end);
            if (in && !in->list && (before == '{' || before == ',')) {
                in->key = text;
                in->size = (size_t)(at - text);
            }
        } else if (c == '{' || c == '[') {
            go_in(p, c == '[');
        } else if ((c == '}' || c == ']') && p->depth) {
            p->depth--;
        } else if (c == ',' && in && in->list) {
            in->index++;
        }
        before = c;
    }
}

/* A name as the body has it, if it can stand in a line. */
static void add_name(const Level *in, Text *into)
{
    bool plain = in->size <= 80 && utf8_valid(in->key, in->size);
    for (size_t i = 0; plain && i < in->size; i++)
        plain = (unsigned char)in->key[i] >= ' ';
    text_add(into, plain ? in->key : "(a name)", plain ? in->size : 8);
}

void json_place(const char *body, size_t n, Text *into)
{
    Place p = {0};
    walk(&p, body, body + n);
    size_t depth = p.depth < LEVELS ? p.depth : LEVELS, named = depth;
    while (named && !p.level[named - 1].key)
        named--;
    if (!named)
        return;
    const Level *in = &p.level[named - 1], *list = &p.level[named];
    if (named > 1 && p.level[named - 2].list)
        text_printf(into, "row %zu, ", p.level[named - 2].index + 1);
    add_name(in, into);
    if (depth - named >= 2)
        text_printf(into, ": row %zu, value %zu", list[0].index + 1, list[1].index + 1);
    else if (depth - named == 1)
        text_printf(into, ": value %zu", list[0].index + 1);
}
