/* clean_words.c -- what the words of a column ask for: some look like missing, some are spellings of one.
 *
 * Two words are spellings of one when they agree after small letters, and without blanks, dashes, dots and
 * underscores beside letters: "New York", "new-york", "NewYork". Between digits these stay: 1.5 is not 15. */
#include "clean_suggest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORDS_MOST     5000 /* of a column with more different words not all are looked at */
#define SPELLINGS_MOST 12   /* in one rule */

typedef struct Word {
    const char *text;
    char *key; /* NULL: looks like missing */
    uint64_t count;
} Word;

static bool looks_missing(const char *word)
{
    static const char *const said[] = {"na",  "n/a",     "n.a.",    "#n/a",    "nan",           "none",      "nil",     "null",
                                       "?",   "??",      "-",       "--",      "---",           ".",         "missing", "unknown",
                                       "unk", "unkown",  "not available",      "not known",     "undefined", "tbd",     "(blank)",
                                       "(none)",         "(null)",  "<na>",    "blank",         "empty",     "no data", "#ref!",
                                       "#value!"};
    size_t n = strlen(word);
    while (n && word[n - 1] == ' ')
        n--;
    for (; n && *word == ' '; n--)
        word++;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (strlen(said[i]) == n && strncasecmp(said[i], word, n) == 0)
            return true;
    return n == 0;
}

static bool is_letter(char c)
{
    return isalpha((unsigned char)c) || (c & 0x80);
}

static char *key_of(const char *word)
{
    char *key = mem_alloc(strlen(word) + 1);
    size_t n = 0;
    for (const char *c = word; *c; c++) {
        if (!strchr(" _-.'", *c)) {
            key[n++] = (char)((*c & 0x80) ? *c : tolower((unsigned char)*c));
            continue;
        }
        const char *next = c + strspn(c, " _-.'");
        bool blank = strspn(c, " ") == (size_t)(next - c);
        if (!*next && !blank && !(*c == '.' && n && is_letter(key[n - 1])))
            key[n++] = *c; /* "A-" is not "A" */
        else if (!n && !blank)
            key[n++] = *c; /* nor "-A" */
        else if (n && *next && !is_letter(key[n - 1]) && !is_letter(*next))
            key[n++] = *c;
    }
    key[n] = '\0';
    return key;
}

/* ---- the words ---------------------------------------------------------------------------------------- */

static bool count_words(const SuggestAsk *ask, size_t column, Pool *pool, Progress *progress, Arena *a, Word **out,
                        size_t *n, Error *err)
{
    GroupSpec spec = {.keys = 1, .key = {{.column = column}}, .measures = 1, .measure = {{AGGREGATE_COUNT, SIZE_MAX}}};
    Chunk c;
    if (!scan_group(ask->data, &spec, NULL, 4 * WORDS_MOST, pool, progress, a, &c, err))
        return false;
    *out = ARENA_NEW(a, Word, c.rows + 1);
    for (size_t i = 0; i < c.rows; i++) {
        if (!column_has(&c.column[0], i))
            continue;
        size_t size;
        const char *text = column_text(&c.column[0], i, &size);
        (*out)[(*n)++] = (Word){.text = arena_printf(a, "%.*s", (int)size, text),
                                .count = (uint64_t)column_real(&c.column[1], i)};
    }
    return true;
}

/* Most frequent first: all of a column of few words, else those the profile kept. */
static bool words_of(const SuggestAsk *ask, const ColumnProfile *p, size_t column, Pool *pool, Progress *progress, Arena *a,
                     Word **out, size_t *n, Error *err)
{
    *n = 0;
    if (p->distinct > (double)p->tops && p->distinct <= WORDS_MOST && p->distinct * 2 < (double)(p->count - p->missing))
        return count_words(ask, column, pool, progress, a, out, n, err);
    *out = ARENA_NEW(a, Word, p->tops + 1);
    for (size_t i = 0; i < p->tops; i++)
        (*out)[(*n)++] = (Word){.text = p->top[i].value, .count = p->top[i].count};
    return true;
}

/* ---- missing -------------------------------------------------------------------------------------------- */

static void add_words(const Word *const *word, size_t n, Text *into)
{
    for (size_t i = 0; i < n && i < 4; i++) {
        text_puts(into, i ? ", " : ": ");
        text_add_count(into, (double)word[i]->count);
        text_printf(into, " %.*s", (int)utf8_fit(word[i]->text, strlen(word[i]->text), 24),
                    *word[i]->text ? word[i]->text : "\"\"");
    }
    if (n > 4)
        text_puts(into, " ...");
}

/* Where such a word is what most rows say, it is an answer. */
static void tell_missing(Suggestions *s, const ColumnProfile *p, const char *name, Word *word, size_t n)
{
    const Word *found[SPELLINGS_MOST] = {0};
    size_t count = 0;
    uint64_t rows = 0;
    Text rule = {0}, why = {0};
    text_puts(&rule, "replace ");
    recipe_add_name(name, &rule);
    for (size_t i = 0; i < n && count < SPELLINGS_MOST; i++) {
        if (!looks_missing(word[i].text) || word[i].count * 2 > p->count)
            continue;
        mem_free(word[i].key);
        word[i].key = NULL;
        text_puts(&rule, count ? ", " : " ");
        recipe_add_text(word[i].text, &rule);
        text_puts(&rule, " null");
        found[count++] = &word[i];
        rows += word[i].count;
    }
    text_add_count(&why, (double)rows);
    text_puts(&why, rows == 1 ? " value looks like missing" : " values look like missing");
    add_words(found, count, &why);
    if (count)
        suggestion_add(s, "look missing", true, text_str(&rule), text_str(&why));
    text_release(&rule);
    text_release(&why);
}

/* ---- spellings -------------------------------------------------------------------------------------------- */

static int by_key(const void *left, const void *right)
{
    const Word *a = *(const Word *const *)left, *b = *(const Word *const *)right;
    int order = strcmp(a->key, b->key);
    return order ? order : a->count != b->count ? (a->count < b->count ? 1 : -1) : strcmp(a->text, b->text);
}

static void tell_spellings(Suggestions *s, const char *name, const Word *const *word, size_t n)
{
    Text rule = {0}, why = {0};
    text_puts(&rule, "replace ");
    recipe_add_name(name, &rule);
    for (size_t i = 1; i < n; i++) {
        text_puts(&rule, i > 1 ? ", " : " ");
        recipe_add_text(word[i]->text, &rule);
        text_putc(&rule, ' ');
        recipe_add_text(word[0]->text, &rule);
    }
    text_printf(&why, "%zu spellings of one category", n);
    add_words(word, n, &why);
    suggestion_add(s, "spellings", true, text_str(&rule), text_str(&why));
    text_release(&rule);
    text_release(&why);
}

static void find_spellings(Suggestions *s, const char *name, const Word *word, size_t n)
{
    const Word **order = mem_alloc((n + 1) * sizeof *order);
    size_t count = 0, end;
    for (size_t i = 0; i < n; i++)
        if (word[i].key && *word[i].key)
            order[count++] = &word[i];
    qsort(order, count, sizeof *order, by_key);
    for (size_t i = 0; i < count; i = end) {
        for (end = i + 1; end < count && strcmp(order[i]->key, order[end]->key) == 0;)
            end++;
        if (end > i + 1)
            tell_spellings(s, name, &order[i], end - i < SPELLINGS_MOST ? end - i : SPELLINGS_MOST);
    }
    mem_free(order);
}

bool find_words(Suggestions *s, const SuggestAsk *ask, const ColumnProfile *p, size_t column, Pool *pool, Progress *progress,
                Error *err)
{
    Arena a = {0};
    Word *word = NULL;
    size_t n = 0;
    const char *name = ask->schema->field[column].name;
    bool ok = words_of(ask, p, column, pool, progress, &a, &word, &n, err);
    for (size_t i = 0; ok && i < n; i++)
        word[i].key = key_of(word[i].text);
    if (ok) {
        tell_missing(s, p, name, word, n);
        find_spellings(s, name, word, n);
    }
    for (size_t i = 0; ok && i < n; i++)
        mem_free(word[i].key);
    arena_release(&a);
    return ok;
}
