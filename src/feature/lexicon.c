/* lexicon.c -- a table of distinct words: the categories of a column, the names of classes. */
#include "feature_int.h"

#include <stdlib.h>

#define LONGEST_WORD (1u << 20)

static size_t slot_of(const Lexicon *t, const char *s, size_t n)
{
    size_t at = hash_bytes(s, n, 0) & (t->slots - 1);
    for (; t->slot[at]; at = (at + 1) & (t->slots - 1)) {
        const Word *w = &t->word.at[t->slot[at] - 1];
        if (w->size == n && memcmp(w->text, s, n) == 0)
            break;
    }
    return at;
}

static void index_again(Lexicon *t, size_t slots)
{
    mem_free(t->slot);
    t->slots = slots;
    t->slot = mem_alloc(slots * sizeof *t->slot);
    for (size_t i = 0; i < t->word.count; i++)
        t->slot[slot_of(t, t->word.at[i].text, t->word.at[i].size)] = (uint32_t)(i + 1);
}

size_t lexicon_find(const Lexicon *t, const char *s, size_t n)
{
    if (!t->slots)
        return SIZE_MAX;
    uint32_t found = t->slot[slot_of(t, s, n)];
    return found ? found - 1 : SIZE_MAX;
}

size_t lexicon_add(Lexicon *t, const char *s, size_t n, uint64_t seen)
{
    if (2 * (t->word.count + 1) > t->slots)
        index_again(t, t->slots ? 2 * t->slots : 16);
    size_t at = slot_of(t, s, n);
    if (!t->slot[at]) {
        char *own = arena_alloc(&t->arena, n + 1);
        memcpy(own, s, n);
        vec_add(&t->word, (Word){own, n, 0});
        t->slot[at] = (uint32_t)t->word.count;
    }
    size_t word = t->slot[at] - 1;
    t->word.at[word].seen += seen;
    return word;
}

static int by_bytes(const void *left, const void *right)
{
    const Word *a = left, *b = right;
    int order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

static int by_count_then_bytes(const void *left, const void *right)
{
    const Word *a = left, *b = right;
    if (a->seen != b->seen)
        return a->seen > b->seen ? -1 : 1;
    return by_bytes(left, right);
}

void lexicon_sort(Lexicon *t, bool by_count)
{
    if (!t->word.count)
        return;
    qsort(t->word.at, t->word.count, sizeof *t->word.at, by_count ? by_count_then_bytes : by_bytes);
    index_again(t, t->slots);
}

/* What is not text to JSON could not be kept in a bundle. */
static bool can_be_kept(const Word *w)
{
    return utf8_valid(w->text, w->size) && !memchr(w->text, 0, w->size);
}

void lexicon_keep(Lexicon *into, const Lexicon *from, uint64_t least)
{
    for (size_t i = 0; i < from->word.count; i++) {
        const Word *w = &from->word.at[i];
        if (w->seen >= least && can_be_kept(w))
            lexicon_add(into, w->text, w->size, w->seen);
    }
    lexicon_sort(into, true);
}

static int32_t code_of(const Lexicon *t, const char *s, size_t n)
{
    return (int32_t)(lexicon_find(t, s, n) + 1); /* SIZE_MAX + 1 is 0 */
}

/* A dictionary longer than the chunk is not translated as a whole: one row has to stay cheap. */
static int32_t *translate(const Lexicon *t, const Words *w, Arena *a)
{
    int32_t *code = ARENA_NEW(a, int32_t, w->count + 1);
    for (size_t i = 0; i < w->count; i++)
        code[i] = code_of(t, w->bytes + w->start[i], (size_t)(w->start[i + 1] - w->start[i]));
    return code;
}

static void encode_printed(const Lexicon *t, const Column *c, int32_t *out, size_t stride)
{
    Text text = {0};
    for (size_t row = 0; row < c->rows; row++) {
        text_reset(&text);
        if (column_has(c, row)) {
            column_print(c, row, &text);
            out[row * stride] = code_of(t, text_str(&text), text.count);
        }
    }
    text_release(&text);
}

void lexicon_encode(const Lexicon *t, const Column *c, Arena *a, int32_t *out, size_t stride)
{
    if (c->type != COLUMN_TEXT) {
        encode_printed(t, c, out, stride);
        return;
    }
    const int32_t *known =
        c->words && c->words->count <= c->rows ? translate(t, c->words, a) : NULL;
    for (size_t row = 0; row < c->rows; row++) {
        if (!column_has(c, row)) {
            out[row * stride] = 0;
        } else if (known) {
            out[row * stride] = known[c->code[row]];
        } else {
            size_t n;
            const char *text = column_text(c, row, &n);
            out[row * stride] = code_of(t, text, n);
        }
    }
}

void lexicon_release(Lexicon *t)
{
    vec_release(&t->word);
    mem_free(t->slot);
    arena_release(&t->arena);
    *t = (Lexicon){0};
}

json_t *lexicon_to_json(const Lexicon *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->word.count; i++)
        json_array_append_new(list, json_stringn(t->word.at[i].text, t->word.at[i].size));
    return list;
}

bool lexicon_from_json(Lexicon *t, const json_t *from, Error *err)
{
    if (!json_is_array(from))
        return error_set(err, ERROR_PARSE, "words: expected a list");
    for (size_t i = 0; i < json_array_size(from); i++) {
        const json_t *item = json_array_get(from, i);
        if (!json_is_string(item) || json_string_length(item) > LONGEST_WORD)
            return error_set(err, ERROR_PARSE, "words: item %zu: expected a word", i);
        if (lexicon_add(t, json_string_value(item), json_string_length(item), 0) != i)
            return error_set(err, ERROR_PARSE, "words: '%.40s' stands there twice",
                             json_string_value(item));
    }
    return true;
}
