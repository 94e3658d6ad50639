/* clean_suggest.h -- rules the data ask for. */
#ifndef LATHE_TUI_CLEAN_SUGGEST_H
#define LATHE_TUI_CLEAN_SUGGEST_H

#include "../chart.h"

#include <lathe/recipe.h>
#include <lathe/scan.h>

typedef struct Suggestion {
    const char *kind;       /* "outliers" */
    const char *rule, *why; /* in the arena */
    bool first;             /* belongs above other rules: they should not see what it takes away */
} Suggestion;

typedef struct Suggestions {
    Arena arena;
    VEC(Suggestion) list;
} Suggestions;

typedef struct SuggestAsk {
    const Dataset *data;
    const Schema *schema; /* with the user's roles */
} SuggestAsk;

/* NULL: stopped, or the file is damaged. */
Suggestions *suggestions_find(const SuggestAsk *ask, Pool *pool, Progress *progress, Error *err);
void suggestions_free(void *suggestions);
void suggestion_add(Suggestions *s, const char *kind, bool first, const char *rule, const char *why); /* copies */

/* clean_words.c: of a column of text, words that look like missing, and spellings of one word */
bool find_words(Suggestions *s, const SuggestAsk *ask, const ColumnProfile *p, size_t column, Pool *pool, Progress *progress,
                Error *err);

#endif
