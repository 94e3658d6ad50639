/* rules.c -- finds the rule that a line begins with. */
#include "recipe_int.h"
#include "rules.h"

#include <string.h>

#define AS_EXTERN(name) extern const Rule name##_rule;
#define AS_ENTRY(name)  &name##_rule,
RULES(AS_EXTERN)
static const Rule *const rules[] = {RULES(AS_ENTRY) NULL};

const Rule *rule_at(size_t i)
{
    return rules[i];
}

size_t rule_kinds(void)
{
    return sizeof rules / sizeof *rules - 1;
}

const RuleKind *rule_kind(size_t i)
{
    return &rules[i]->kind;
}

/* Takes the rule's name, a word at a time ("columns" is "column"); false: it is another rule. */
static bool take_name(Parser *p, const char *name)
{
    while (*name) {
        char word[32], plural[33];
        size_t n = strcspn(name, " ");
        memcpy(word, name, n);
        word[n] = '\0';
        memcpy(plural, word, n);
        strcpy(plural + n, "s");
        if (!parser_take(p, word) && !parser_take(p, plural))
            return false;
        name += n + (name[n] == ' ');
    }
    return true;
}

static void unknown_rule(Parser *p)
{
    const char *names[sizeof rules / sizeof *rules];
    for (size_t i = 0; i < rule_kinds(); i++)
        names[i] = rules[i]->kind.name;
    if (p->now.kind != TOKEN_NAME) {
        parser_expected(p, "a rule");
        return;
    }
    const char *near = text_nearest(p->now.text, names, rule_kinds());
    parser_fail(p, p->now.column, "no rule '%.60s'%s%s%s", p->now.text,
                near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

const Rule *rule_parse(Parser *p, void **self)
{
    const Rule *found = NULL;
    Parser behind = *p;
    for (size_t i = 0; rules[i]; i++) {
        Parser look = *p;
        if (look.failed || !take_name(&look, rules[i]->kind.name))
            continue;
        if (!found || strlen(rules[i]->kind.name) > strlen(found->kind.name)) {
            found = rules[i];
            behind = look;
        }
    }
    if (!found) {
        unknown_rule(p);
        return NULL;
    }
    *p = behind;
    *self = arena_alloc(p->arena, found->size);
    return !p->failed && found->parse(p, *self) && parser_end(p) ? found : NULL;
}

bool rule_check(const char *text, size_t line, uint32_t indent, Error *err)
{
    Arena arena = {0};
    Parser p = {.text = text, .line = line, .indent = indent, .arena = &arena, .err = err};
    void *self;
    if (strlen(text) > TEXT_MOST) {
        place_error(err, line, 1, "the rule is longer than %d bytes", TEXT_MOST);
        return false;
    }
    parser_next(&p);
    bool ok = rule_parse(&p, &self) != NULL;
    arena_release(&arena);
    return ok;
}
