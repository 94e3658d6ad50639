/* recipe.c -- the rules as a list that is edited: insert, move, switch off, undo.
 *
 * A step of the history is the whole recipe as text: recipes are small, and what print and parse
 * keep is exactly what undo brings back. Comments belong to the rule below them. */
#include "recipe_int.h"

#include <ctype.h>
#include <string.h>

#define OFF "# off:"

typedef struct Item {
    char *above; /* comment and blank lines before the rule, each with its newline; or NULL */
    char *rule;
    bool on;
} Item;

typedef VEC(char *) History;

struct Recipe {
    VEC(Item) items;
    char *tail; /* comments behind the last rule, or NULL */
    History undo, redo;
};

static void items_release(Recipe *r)
{
    for (size_t i = 0; i < r->items.count; i++) {
        mem_free(r->items.at[i].above);
        mem_free(r->items.at[i].rule);
    }
    vec_release(&r->items);
    mem_free(r->tail);
    r->tail = NULL;
}

static void history_clear(History *h)
{
    for (size_t i = 0; i < h->count; i++)
        mem_free(h->at[i]);
    vec_release(h);
}

static char *printed(const Recipe *r)
{
    Text text = {0};
    recipe_print(r, &text);
    text_puts(&text, "");
    char *copy = text_copy(text_str(&text));
    text_release(&text);
    return copy;
}

/* To be called before a change. */
static void remember(Recipe *r)
{
    char *now = printed(r);
    vec_add(&r->undo, now);
    history_clear(&r->redo);
}

Recipe *recipe_create(void)
{
    return mem_alloc(sizeof(Recipe));
}

void recipe_destroy(Recipe *r)
{
    if (!r)
        return;
    items_release(r);
    history_clear(&r->undo);
    history_clear(&r->redo);
    mem_free(r);
}

Recipe *recipe_copy(const Recipe *r)
{
    Recipe *copy = recipe_create();
    for (size_t i = 0; i < r->items.count; i++) {
        const Item *it = &r->items.at[i];
        vec_add(&copy->items, (Item){text_copy(it->above), text_copy(it->rule), it->on});
    }
    copy->tail = text_copy(r->tail);
    for (size_t i = 0; i < r->undo.count; i++)
        vec_add(&copy->undo, text_copy(r->undo.at[i]));
    for (size_t i = 0; i < r->redo.count; i++)
        vec_add(&copy->redo, text_copy(r->redo.at[i]));
    return copy;
}

/* ---- lines --------------------------------------------------------------------------------- */

typedef struct Line {
    const char *at;
    size_t size;
    uint32_t indent;
} Line;

static Line line_trim(const char *at, size_t size)
{
    Line l = {at, size, 0};
    while (l.size > 0 && isspace((unsigned char)*l.at))
        l.at++, l.size--, l.indent++;
    while (l.size > 0 && isspace((unsigned char)l.at[l.size - 1]))
        l.size--;
    return l;
}

static char *line_copy(Line l)
{
    char *copy = mem_alloc(l.size + 1);
    if (l.size > 0)
        memcpy(copy, l.at, l.size);
    return copy;
}

/* "# off: RULE" where RULE is one; anything else with a # is a comment. */
static bool line_is_off(Line l, Line *rule)
{
    size_t n = strlen(OFF);
    if (l.size < n || strncmp(l.at, OFF, n) != 0)
        return false;
    *rule = line_trim(l.at + n, l.size - n);
    char *copy = line_copy(*rule);
    bool is_rule = rule_check(copy, 0, 0, NULL);
    mem_free(copy);
    return is_rule;
}

static bool parse_line(Recipe *into, Line l, size_t number, Text *above, Error *err)
{
    Line off;
    bool is_off = line_is_off(l, &off);
    if (!is_off && (l.size == 0 || *l.at == '#')) {
        text_add(above, l.at, l.size);
        text_putc(above, '\n');
        return true;
    }
    if (into->items.count == RULES_MOST)
        return error_set(err, ERROR_PARSE, "line %zu: a recipe has at most %d rules", number,
                         RULES_MOST);
    char *rule = line_copy(is_off ? off : l);
    if (!is_off && !rule_check(rule, number, l.indent, err)) {
        mem_free(rule);
        return false;
    }
    vec_add(&into->items, (Item){above->count > 0 ? text_take(above) : NULL, rule, !is_off});
    return true;
}

static bool parse_text(Recipe *into, const char *text, Error *err)
{
    Text above = {0};
    bool ok = true;
    size_t number = 1;
    for (const char *at = text; ok && *at; number++) {
        size_t size = strcspn(at, "\n");
        ok = parse_line(into, line_trim(at, size), number, &above, err);
        at += size + (at[size] == '\n');
    }
    if (ok && above.count > 0)
        into->tail = text_take(&above);
    text_release(&above);
    return ok;
}

bool recipe_parse(Recipe *r, const char *text, Error *err)
{
    Recipe fresh = {0};
    if (!parse_text(&fresh, text, err)) {
        items_release(&fresh);
        return false;
    }
    remember(r);
    items_release(r);
    r->items.at = fresh.items.at;
    r->items.count = fresh.items.count;
    r->items.room = fresh.items.room;
    r->tail = fresh.tail;
    return true;
}

bool recipe_read(Recipe *r, const char *path, Error *err)
{
    Text text = {0};
    bool ok = file_read(path, &text, 1 << 20, err);
    if (ok) {
        const char *s = text_str(&text);
        if (memchr(s, '\0', text.count))
            ok = error_set(err, ERROR_PARSE,
                           "not a text file (it has zero bytes): expected a recipe");
        else if (!utf8_valid(s, text.count))
            ok = error_set(err, ERROR_PARSE, "not UTF-8 text: expected a recipe");
        ok = ok && recipe_parse(r, strncmp(s, "\xEF\xBB\xBF", 3) == 0 ? s + 3 : s, err);
        if (!ok)
            error_in(err, "%s", path);
    }
    text_release(&text);
    return ok;
}

void recipe_print(const Recipe *r, Text *into)
{
    for (size_t i = 0; i < r->items.count; i++) {
        const Item *it = &r->items.at[i];
        if (it->above)
            text_puts(into, it->above);
        if (!it->on)
            text_puts(into, OFF " ");
        text_puts(into, it->rule);
        text_putc(into, '\n');
    }
    if (r->tail)
        text_puts(into, r->tail);
}

size_t recipe_line(const Recipe *r, size_t at)
{
    size_t line = at + 1;
    for (size_t i = 0; i <= at; i++)
        for (const char *s = r->items.at[i].above; s && *s; s++)
            line += *s == '\n';
    return line;
}

size_t recipe_count(const Recipe *r)
{
    return r->items.count;
}

const char *recipe_rule(const Recipe *r, size_t i)
{
    return r->items.at[i].rule;
}

bool recipe_is_on(const Recipe *r, size_t i)
{
    return r->items.at[i].on;
}

/* ---- edits --------------------------------------------------------------------------------- */

/* The rule trimmed and checked; NULL on failure. The caller frees. */
static char *checked_rule(const char *rule, Error *err)
{
    Line l = line_trim(rule, strlen(rule));
    if (memchr(l.at, '\n', l.size) || memchr(l.at, '\r', l.size)) {
        error_set(err, ERROR_PARSE, "a rule is one line");
        return NULL;
    }
    char *copy = line_copy(l);
    if (rule_check(copy, 0, l.indent, err))
        return copy;
    mem_free(copy);
    return NULL;
}

static void insert_item(Recipe *r, size_t at, Item item)
{
    vec_add(&r->items, item);
    memmove(r->items.at + at + 1, r->items.at + at, (r->items.count - 1 - at) * sizeof item);
    r->items.at[at] = item;
}

static Item take_item(Recipe *r, size_t at)
{
    Item item = r->items.at[at];
    r->items.count--;
    memmove(r->items.at + at, r->items.at + at + 1, (r->items.count - at) * sizeof item);
    return item;
}

bool recipe_insert(Recipe *r, size_t at, const char *rule, Error *err)
{
    if (r->items.count == RULES_MOST)
        return error_set(err, ERROR_USAGE, "a recipe has at most %d rules", RULES_MOST);
    char *copy = checked_rule(rule, err);
    if (!copy)
        return false;
    remember(r);
    insert_item(r, at < r->items.count ? at : r->items.count, (Item){NULL, copy, true});
    return true;
}

bool recipe_replace(Recipe *r, size_t at, const char *rule, Error *err)
{
    if (at >= r->items.count)
        return error_set(err, ERROR_USAGE, "there is no rule %zu", at + 1);
    char *copy = checked_rule(rule, err);
    if (!copy)
        return false;
    remember(r);
    mem_free(r->items.at[at].rule);
    r->items.at[at].rule = copy;
    return true;
}

void recipe_remove(Recipe *r, size_t at)
{
    if (at >= r->items.count)
        return;
    remember(r);
    Item item = take_item(r, at);
    mem_free(item.above);
    mem_free(item.rule);
}

void recipe_move(Recipe *r, size_t from, size_t to)
{
    if (from >= r->items.count || to >= r->items.count || from == to)
        return;
    remember(r);
    insert_item(r, to, take_item(r, from));
}

void recipe_toggle(Recipe *r, size_t at)
{
    if (at >= r->items.count)
        return;
    remember(r);
    r->items.at[at].on = !r->items.at[at].on;
}

/* Goes to the newest text of `from`, leaving the present one in `to`. */
static bool travel(Recipe *r, History *from, History *to)
{
    if (from->count == 0)
        return false;
    char *now = printed(r), *then = *vec_last(from);
    from->count--;
    vec_add(to, now);
    items_release(r);
    bool ok = parse_text(r, then, NULL);
    mem_free(then);
    return ok; /* what was printed parses */
}

bool recipe_undo(Recipe *r)
{
    return travel(r, &r->undo, &r->redo);
}

bool recipe_redo(Recipe *r)
{
    return travel(r, &r->redo, &r->undo);
}
