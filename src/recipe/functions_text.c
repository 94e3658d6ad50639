/* functions_text.c -- functions of text. Lengths and places count characters (code points), not
 * bytes. What is not changed is not copied: trim and substr point into the text they were given. */
#include "recipe_int.h"

#include <math.h>
#include <string.h>

static bool is_inner(char c) /* not the first byte of a character */
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* Bytes of the first `characters` characters of s. */
static size_t prefix_bytes(Span s, double characters)
{
    size_t i = 0;
    for (double seen = 0; i < s.size; i++)
        if (!is_inner(s.at[i]) && seen++ >= characters)
            break;
    return i;
}

/* The two bytes of a letter in Latin-1, Latin Extended-A, Greek or Cyrillic, in the other case.
 * Only pairs of equal length in UTF-8; everything else stays. */
static void fold_pair(unsigned char *at, bool up)
{
    unsigned c = (at[0] & 0x1Fu) << 6 | (at[1] & 0x3Fu), to = c;
    if (up) {
        if ((c >= 0xE0 && c <= 0xFE && c != 0xF7) || (c >= 0x3B1 && c <= 0x3C9 && c != 0x3C2) ||
            (c >= 0x430 && c <= 0x44F))
            to = c - 0x20;
        else if (c >= 0x450 && c <= 0x45F)
            to = c - 0x50;
        else if ((c >= 0x100 && c <= 0x130) || (c >= 0x132 && c <= 0x137) ||
                 (c >= 0x14A && c <= 0x177))
            to = c & ~1u;
        else if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E))
            to = c % 2 == 0 ? c - 1 : c;
    } else {
        if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9 && c != 0x3A2) ||
            (c >= 0x410 && c <= 0x42F))
            to = c + 0x20;
        else if (c >= 0x400 && c <= 0x40F)
            to = c + 0x50;
        else if ((c >= 0x100 && c <= 0x12F) || (c >= 0x132 && c <= 0x137) ||
                 (c >= 0x14A && c <= 0x177))
            to = c | 1u;
        else if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E))
            to = c % 2 == 1 ? c + 1 : c;
    }
    if (c == 0x131 || c == 0x138 || c == 0x149) /* dotless i, kra, n with apostrophe: no pair */
        to = c;
    at[0] = (unsigned char)(0xC0 | to >> 6);
    at[1] = (unsigned char)(0x80 | (to & 0x3F));
}

static Span change_case(Span s, bool up, Arena *a)
{
    unsigned char *out = arena_alloc(a, s.size + 1);
    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.at[i];
        out[i] = c;
        if (up ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z')
            out[i] = c ^ 0x20;
        else if (c >= 0xC3 && c <= 0xD1 && i + 1 < s.size && is_inner(s.at[i + 1])) {
            out[i + 1] = (unsigned char)s.at[i + 1];
            fold_pair(out + i, up);
            i++;
        }
    }
    return (Span){(char *)out, s.size};
}

static const char *find(Span in, Span what)
{
    return what.size == 0 ? in.at : memmem(in.at, in.size, what.at, what.size);
}

static bool starts(Span s, Span with)
{
    return s.size >= with.size && (with.size == 0 || memcmp(s.at, with.at, with.size) == 0);
}

static bool ends(Span s, Span with)
{
    return s.size >= with.size &&
           (with.size == 0 || memcmp(s.at + s.size - with.size, with.at, with.size) == 0);
}

static int64_t characters(Span s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.size; i++)
        n += !is_inner(s.at[i]);
    return n;
}

static Span replaced(Span s, Span from, Span to, Arena *a)
{
    size_t found = 0;
    if (from.size == 0)
        return s;
    for (Span rest = s; (rest.at = memmem(rest.at, rest.size, from.at, from.size)); found++) {
        rest.at += from.size;
        rest.size = (size_t)(s.at + s.size - rest.at);
    }
    if (found == 0)
        return s;
    char *out = arena_alloc(a, s.size - found * from.size + found * to.size + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.size;) {
        if (s.size - i >= from.size && memcmp(s.at + i, from.at, from.size) == 0) {
            if (to.size > 0)
                memcpy(out + n, to.at, to.size);
            n += to.size;
            i += from.size;
        } else {
            out[n++] = s.at[i++];
        }
    }
    return (Span){out, n};
}

/* SQL's substr: from character `start`, 1 the first, counted from the end where negative. */
static Span part(Span s, double start, double count)
{
    if (start < 0) {
        start = (double)characters(s) + start + 1;
        if (start < 1) {
            count += start - 1;
            start = 1;
        }
    } else if (start < 1) {
        count += start - 1;
        start = 1;
    }
    size_t skip = prefix_bytes(s, start - 1);
    Span rest = {s.at + skip, s.size - skip};
    rest.size = count < 1 ? 0 : prefix_bytes(rest, count);
    return rest;
}

static void text_substr(const Vector *arg, size_t args, size_t n, Vector *out, Arena *a)
{
    Span *r = out->buffer;
    for (size_t i = 0; i < n; i++)
        r[i] = part(arg[0].span[i], trunc(arg[1].real[i]),
                    args > 2 ? trunc(arg[2].real[i]) : (double)arg[0].span[i].size + 1e9);
    out->span = r;
    (void)a;
}

static void text_concat(const Vector *arg, size_t args, size_t n, Vector *out, Arena *a)
{
    Span *r = out->buffer;
    for (size_t i = 0; i < n; i++) {
        size_t size = 0;
        for (size_t k = 0; k < args; k++)
            size += arg[k].span[i].size;
        char *text = arena_alloc(a, size + 1);
        r[i] = (Span){text, size};
        for (size_t k = 0; k < args; k++) {
            if (arg[k].span[i].size > 0)
                memcpy(text, arg[k].span[i].at, arg[k].span[i].size);
            text += arg[k].span[i].size;
        }
    }
    out->span = r;
}

#define TEXT(name, type, field, expression)                                                        \
    static void name(const Vector *arg, size_t args, size_t n, Vector *out, Arena *a)              \
    {                                                                                              \
        type *r = out->buffer;                                                                     \
        for (size_t i = 0; i < n; i++)                                                             \
            r[i] = (expression);                                                                   \
        out->field = r;                                                                            \
        (void)args;                                                                                \
        (void)a;                                                                                   \
    }
#define X arg[0].span[i]
#define Y arg[1].span[i]
TEXT(text_lower, Span, span, change_case(X, false, a))
TEXT(text_upper, Span, span, change_case(X, true, a))
TEXT(text_trim, Span, span, span_trim(X))
TEXT(text_replace, Span, span, replaced(X, Y, arg[2].span[i], a))
TEXT(text_length, int64_t, integer, characters(X))
TEXT(text_contains, uint8_t, truth, find(X, Y) != NULL)
TEXT(text_starts_with, uint8_t, truth, starts(X, Y))
TEXT(text_ends_with, uint8_t, truth, ends(X, Y))

// clang-format off
const Function text_functions[] = {
    {{"lower", "lower(S)", "in small letters"}, "T", 'T', text_lower, .example = "lower(CITY)"},
    {{"upper", "upper(S)", "in capital letters"}, "T", 'T', text_upper, .example = "upper(CITY)"},
    {{"trim", "trim(S)", "without blanks at both ends"}, "T", 'T', text_trim, .example = "trim(CITY)"},
    {{"length", "length(S)", "how many characters"}, "T", 'I', text_length, .example = "length(CITY)"},
    {{"substr", "substr(S, START [, COUNT])", "a part; 1 is the first character, -1 the last"}, "TRR?", 'T',
     text_substr, .example = "substr(CITY, 1, 3)"},
    {{"replace", "replace(S, FROM, TO)", "every FROM in S becomes TO"}, "TTT", 'T', text_replace,
     .example = "replace(CITY, \"St.\", \"Saint\")"},
    {{"concat", "concat(A, B, ...)", "one after the other, numbers printed; also A || B"}, "SS*", 'T', text_concat,
     .example = "concat(CITY, \"/\", RIDERS)"},
    {{"contains", "contains(S, PART)", "whether PART occurs in S"}, "TT", 'B', text_contains,
     .example = "contains(CITY, \"ton\")"},
    {{"starts", "starts(S, PREFIX)", "whether S begins with PREFIX"}, "TT", 'B', text_starts_with,
     .example = "starts(CITY, \"Wash\")"},
    {{"ends", "ends(S, SUFFIX)", "whether S ends with SUFFIX"}, "TT", 'B', text_ends_with,
     .example = "ends(CITY, \"ton\")"},
    {.kind = {0}},
};
// clang-format on
