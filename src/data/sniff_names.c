/* sniff_names.c -- where the rows begin and what the columns are called: from the header, or made up.
 * Names are UTF-8, none is empty and none comes twice. */
#include "reader_int.h"

#include <string.h>

typedef struct RowTake {
    Arena *arena;
    VEC(const char *) field;
    bool ended;
} RowTake;

static void take_field(void *bytes, size_t size, void *context)
{
    RowTake *t = context;
    if (t->ended)
        return;
    char *copy = arena_alloc(t->arena, size + 1);
    memcpy(copy, bytes, size);
    vec_add(&t->field, copy);
}

static void take_row(int end, void *context)
{
    (void)end;
    ((RowTake *)context)->ended = true;
}

size_t sniff_row(const CsvRules *rules, const char *bytes, size_t from, size_t size, Arena *a,
                 const char ***field, size_t *fields)
{
    struct csv_parser csv;
    RowTake t = {.arena = a};
    csv_init(&csv, 0);
    csv_set_delim(&csv, (unsigned char)rules->delimiter);
    csv_set_quote(&csv, (unsigned char)rules->quote);
    size_t at = from;
    while (at < size && !t.ended)
        csv_parse(&csv, bytes + at++, 1, take_field, take_row, &t);
    if (!t.ended)
        csv_fini(&csv, take_field, take_row, &t);
    csv_free(&csv);
    if (at < size && bytes[at - 1] == '\r' && bytes[at] == '\n')
        at++;
    *fields = t.field.count;
    *field = ARENA_NEW(a, const char *, t.field.count + 1);
    if (t.field.count)
        memcpy(*field, t.field.at, t.field.count * sizeof **field);
    vec_release(&t.field);
    return at;
}

size_t sniff_skip_lines(const char *bytes, size_t at, size_t n, size_t lines, char cut)
{
    for (size_t i = 0; i < lines; i++) {
        const char *end = memchr(bytes + at, cut, n - at);
        if (!end)
            return n;
        at = (size_t)(end - bytes) + 1;
    }
    return at;
}

/* Names that are taken, found by their hash. */
typedef struct Taken {
    const char **slot;
    size_t mask;
} Taken;

/* False if the name was there. */
static bool take_name(Taken *t, const char *name)
{
    size_t at = hash_bytes(name, strlen(name), 0) & t->mask;
    for (; t->slot[at]; at = (at + 1) & t->mask)
        if (!strcmp(t->slot[at], name))
            return false;
    t->slot[at] = name;
    return true;
}

static const char *free_name(Taken *t, const char *wanted, Arena *a)
{
    const char *name = wanted;
    for (int number = 2; !take_name(t, name); number++)
        name = arena_printf(a, "%s_%d", wanted, number);
    return name;
}

static const char *utf8_name(const Sniff *s, const char *name, Arena *a)
{
    size_t n = strlen(name);
    if (!s->latin1 && utf8_valid(name, n))
        return name;
    Text t = {0};
    latin1_add(&t, name, n);
    char *kept = arena_text(a, text_str(&t));
    text_release(&t);
    return kept;
}

bool sniff_head(const Sniff *like, const Sample *head, Arena *a, const char ***name,
                size_t *columns, bool *named_last, uint64_t *body, uint64_t *line, Error *err)
{
    size_t at = head->size >= 3 && !memcmp(head->at, "\xef\xbb\xbf", 3) ? 3 : 0;
    size_t begin = at;
    at = sniff_skip_lines(head->at, at, head->size, like->skip, like->cut);
    const char **field = NULL;
    size_t fields = 0;
    if (like->header) {
        size_t behind = sniff_row(&like->rules, head->at, at, head->size, a, &field, &fields);
        if (!fields)
            return error_set(err, ERROR_PARSE, "has no header line");
        at = behind;
    }
    size_t width = fields > like->rules.columns ? fields : like->rules.columns;
    /* a header one short of its rows leaves out the name of the row numbers in front, unless it
     * is the rows that end in a delimiter */
    size_t before =
        like->header && fields + 1 == width && like->as && like->as[width - 1] != READ_NONE;
    *name = ARENA_NEW(a, const char *, width);
    Taken taken = {.mask = 64};
    while (taken.mask < 2 * width)
        taken.mask *= 2;
    taken.slot = ARENA_NEW(a, const char *, taken.mask--);
    for (size_t i = 0; i < width; i++) {
        bool named = i >= before && i - before < fields && *field[i - before];
        const char *wanted =
            named ? utf8_name(like, field[i - before], a) : arena_printf(a, "c%zu", i + 1);
        (*name)[i] = free_name(&taken, wanted, a);
        *named_last = named;
    }
    *columns = width;
    *body = at;
    *line = 1 + csv_lines(head->at + begin, at - begin);
    return true;
}
