/* complete.c -- which words may follow what is typed so far: read off the usage lines of the rules.
 *
 * The unfinished last word is completed, so each word offered replaces it whole. In an expression
 * columns, functions and the words of the language are offered; elsewhere what the usage line has
 * at that place. */
#include "recipe_int.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

typedef struct Offer {
    const char *begin; /* the unfinished word */
    size_t size;
    const Schema *schema;
    void (*add)(void *, const char *);
    void *context;
} Offer;

static void offer(const Offer *o, const char *word)
{
    if (strncasecmp(word, o->begin, o->size) == 0)
        o->add(o->context, word);
}

static void offer_columns(const Offer *o)
{
    Text text = {0};
    for (size_t i = 0; o->schema && i < o->schema->count; i++) {
        const char *name = o->schema->field[i].name;
        text_reset(&text);
        recipe_add_name(name, &text);
        if (strncasecmp(name, o->begin, o->size) == 0 ||
            strncasecmp(text_str(&text), o->begin, o->size) == 0)
            o->add(o->context, text_str(&text));
    }
    text_release(&text);
}

static void offer_expression(const Offer *o)
{
    static const char *const words[] = {"and",  "or",   "not",  "between", "in",
                                        "like", "is",   "null", "case",    "when",
                                        "then", "else", "end",  "true",    "false"};
    offer_columns(o);
    Text text = {0};
    for (size_t i = 0; i < function_kinds(); i++) {
        text_reset(&text);
        text_printf(&text, "%s(", function_kind(i)->name);
        offer(o, text_str(&text));
    }
    text_release(&text);
    for (size_t i = 0; o->size > 0 && i < sizeof words / sizeof *words; i++)
        offer(o, words[i]);
}

/* Words of a usage line such as "mean|median|mode|VALUE" or "COLUMN". */
static void offer_usage(const Offer *o, const char *usage, size_t n)
{
    while (n > 0) {
        size_t size = strcspn(usage, "| []");
        if (size > n)
            size = n;
        char word[32];
        if (size < sizeof word) {
            memcpy(word, usage, size);
            word[size] = '\0';
            size_t end = strcspn(word, ",.");
            word[end] = '\0';
            if (strcmp(word, "COLUMN") == 0)
                offer_columns(o);
            else if (strcmp(word, "EXPRESSION") == 0)
                offer_expression(o);
            else if (islower((unsigned char)word[0]))
                offer(o, word);
        }
        size += size < n;
        usage += size;
        n -= size;
    }
}

/* Whole arguments typed after the rule's name: words, with "A, B" as one. */
static size_t count_arguments(const char *s, const char *end)
{
    size_t count = 0;
    bool inside = false, comma = false;
    for (; s < end; s++) {
        if (*s == ',') {
            comma = true;
        } else if (isspace((unsigned char)*s)) {
            inside = false;
        } else if (!inside) {
            inside = true;
            count += !comma || count == 0;
            comma = false;
        }
    }
    return count - (comma && count > 0);
}

/* What the usage line has at its k-th place behind the name (its last place repeats); words in
 * brackets may be there or not; an expression goes on to the end, or to a word that may end it. */
static void offer_place(const Offer *o, const Rule *rule, size_t k)
{
    const char *place = NULL;
    size_t size = 0, n;
    for (const char *at = rule->kind.usage + strlen(rule->kind.name); *at; at += n) {
        at += strspn(at, " ");
        n = strcspn(at, " ");
        if (n > 1 && *at == '[' && at[n - 1] == ']') {
            if (k == 0)
                offer_usage(o, at, n);
            continue;
        }
        if (*at != '.' && n > 0) {
            place = at;
            size = n;
            if (strncmp(at, "EXPRESSION", 10) == 0) {
                if (k > 0)
                    offer_usage(o, at + n, strlen(at + n));
                break;
            }
            if (k-- == 0)
                break;
        }
    }
    if (place)
        offer_usage(o, place, size);
}

static const Rule *rule_typed(const char *text, const char *end, const char **behind)
{
    const Rule *found = NULL;
    size_t longest = 0;
    for (size_t i = 0; rule_at(i); i++) {
        const char *name = rule_at(i)->kind.name;
        size_t n = strlen(name);
        if (n > longest && (size_t)(end - text) > n && strncasecmp(text, name, n) == 0 &&
            isspace((unsigned char)text[n])) {
            found = rule_at(i);
            longest = n;
            *behind = text + n;
        }
    }
    return found;
}

void recipe_complete(const char *text, const Schema *s, void (*add)(void *, const char *word),
                     void *context)
{
    const char *end, *behind = text;
    while (isspace((unsigned char)*text))
        text++;
    end = text + strlen(text);
    Offer o = {.begin = end, .schema = s, .add = add, .context = context};
    while (o.begin > text && !strchr(" \t(),=<>+-*/%", o.begin[-1]))
        o.begin--;
    o.size = (size_t)(end - o.begin);
    const Rule *rule = rule_typed(text, end, &behind);
    size_t typed = (size_t)(end - text);
    for (size_t i = 0; i < rule_kinds(); i++) /* names of rules have blanks in them */
        if (strncasecmp(rule_kind(i)->name, text, typed) == 0)
            add(context, rule_kind(i)->name + (o.begin - text));
    if (rule)
        offer_place(&o, rule, count_arguments(behind, o.begin));
}
