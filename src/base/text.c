/* text.c -- growing strings, comparing, matching, and the nearest name for "did you mean". */
#include <lathe/base.h>

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define WORD_MOST 255 /* bytes of a word that text_distance looks at */

static void reserve(Text *t, size_t more)
{
    if (more < t->room - t->count) /* one byte is always left for the terminator */
        return;
    assert(more < SIZE_MAX / 4 && t->count < SIZE_MAX / 4);
    size_t room = t->room ? t->room * 2 : 32;
    while (room <= t->count + more)
        room *= 2;
    t->at = mem_resize(t->at, room);
    t->room = room;
}

void text_add(Text *t, const char *bytes, size_t n)
{
    reserve(t, n);
    if (n)
        memcpy(t->at + t->count, bytes, n);
    t->count += n;
    t->at[t->count] = '\0';
}

void text_puts(Text *t, const char *s)
{
    text_add(t, s, strlen(s));
}

void text_putc(Text *t, char c)
{
    text_add(t, &c, 1);
}

void text_printf(Text *t, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    reserve(t, 64);
    int n = vsnprintf(t->at + t->count, t->room - t->count, fmt, args);
    va_end(args);
    assert(n >= 0);
    if ((size_t)n >= t->room - t->count) {
        reserve(t, (size_t)n);
        vsnprintf(t->at + t->count, t->room - t->count, fmt, again);
    }
    va_end(again);
    t->count += (size_t)n;
}

void text_reset(Text *t)
{
    t->count = 0;
    if (t->at)
        t->at[0] = '\0';
}

void text_release(Text *t)
{
    mem_free(t->at);
    *t = (Text){0};
}

char *text_take(Text *t)
{
    char *at = t->at ? t->at : text_copy("");
    *t = (Text){0};
    return at;
}

const char *text_str(const Text *t)
{
    return t->at ? t->at : "";
}

bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool text_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return m <= n && memcmp(s + n - m, suffix, m) == 0;
}

bool text_has_word(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = words; *p; p += strcspn(p, " "), p += *p == ' ')
        if (strncmp(p, word, n) == 0 && (p[n] == ' ' || !p[n]))
            return true;
    return false;
}

/* Greedy with one step back: after a mismatch the last % takes one character more, which is
 * enough because a later % makes earlier ones irrelevant. Case counts, as in standard SQL. */
bool text_like(const char *s, size_t n, const char *pattern)
{
    const char *end = s + n, *p = pattern, *pend = pattern + strlen(pattern);
    const char *again_p = NULL, *again_s = NULL;
    while (s < end) {
        if (p < pend && *p == '%') {
            again_p = ++p;
            again_s = s;
            continue;
        }
        if (p < pend) {
            const char *s_next = s, *p_next = p;
            uint32_t have = utf8_next(&s_next, end), want = utf8_next(&p_next, pend);
            bool same = *p == '_' || (have == want && s_next - s == p_next - p &&
                                      memcmp(s, p, (size_t)(s_next - s)) == 0);
            if (same) {
                s = s_next;
                p = p_next;
                continue;
            }
        }
        if (!again_p)
            return false;
        utf8_next(&again_s, end);
        s = again_s;
        p = again_p;
    }
    while (p < pend && *p == '%')
        p++;
    return p == pend;
}

/* Optimal string alignment: insert, delete, replace, or swap two neighbours, each costs one. */
static size_t distance(const char *a, const char *b, bool fold)
{
    size_t n = strlen(a), m = strlen(b);
    if (n > WORD_MOST)
        n = WORD_MOST;
    if (m > WORD_MOST)
        m = WORD_MOST;
    size_t rows[3][WORD_MOST + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= m; j++)
        last[j] = j;
    for (size_t i = 1; i <= n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            int x = (unsigned char)a[i - 1], y = (unsigned char)b[j - 1];
            int x0 = i > 1 ? (unsigned char)a[i - 2] : -1,
                y0 = j > 1 ? (unsigned char)b[j - 2] : -2;
            if (fold) {
                x = tolower(x), y = tolower(y);
                x0 = i > 1 ? tolower(x0) : x0, y0 = j > 1 ? tolower(y0) : y0;
            }
            size_t best = last[j - 1] + (x != y);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (x == y0 && x0 == y && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        size_t *spare = before;
        before = last, last = now, now = spare;
    }
    return last[m];
}

size_t text_distance(const char *a, const char *b)
{
    return distance(a, b, false);
}

const char *text_nearest(const char *word, const char *const *names, size_t n)
{
    size_t length = strlen(word);
    size_t best = length / 3 > 1 ? length / 3 : 1; /* at most a third of the word is wrong */
    if (length < 2)
        best = 0;
    const char *nearest = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t d = names[i] ? distance(word, names[i], true) : SIZE_MAX;
        if (d < best || (d == best && !nearest)) {
            best = d;
            nearest = names[i];
        }
    }
    return nearest;
}
