/* commands.c -- the registry of verbs, and words -> command -> result. */
#include "command_int.h"

#include <stdio.h>
#include <string.h>

#define AS_ENTRY(name) &name##_command,
const Command *const commands[] = {COMMANDS(AS_ENTRY) NULL};
#undef AS_ENTRY

const Command *command_find(const char *name)
{
    for (const Command *const *c = commands; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

bool command_given(const CommandCall *call, const char *key)
{
    for (size_t i = 0; i < call->givens; i++)
        if (strcmp(call->given[i], key) == 0)
            return true;
    return false;
}

/* ---- one call's words, sorted into what the row declares ---------------------------------- */

typedef struct Parse {
    Arena arena;
    const Command *parent, *command;
    void *settings;
    VEC(const char *) word;
    VEC(ParamRow) extra;
    VEC(const char *) given;
} Parse;

/* The row of a setting and the struct it points into; NULL if there is no such setting. */
static const Param *find_row(const Parse *p, const char *name, void **settings)
{
    const Command *c = p->command;
    const Param *row = c->params ? param_find(c->params, name) : NULL;
    *settings = p->settings;
    if (!row && c->shared && (row = param_find(c->shared, name)) != NULL)
        *settings = (char *)p->settings + c->shared_at;
    return row;
}

static void parse_release(Parse *p)
{
    if (p->settings && p->command->params)
        params_release(p->command->params, p->settings);
    if (p->settings && p->command->shared)
        params_release(p->command->shared, (char *)p->settings + p->command->shared_at);
    vec_release(&p->word);
    vec_release(&p->extra);
    vec_release(&p->given);
    arena_release(&p->arena);
}

/* How to go on is said the same way everywhere. */
static bool usage_error(const Parse *p, Error *err)
{
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, "; see lathe %s%s%s --help",
             p->parent ? p->parent->name : "", p->parent ? " " : "", p->command->name);
    return false;
}

static const char *nearest_command(const Command *const *list, const char *word)
{
    const char *names[64];
    size_t n = 0;
    for (; *list && n < 64; list++)
        if (!(*list)->hidden)
            names[n++] = (*list)->name;
    return text_nearest(word, names, n);
}

static bool unknown_verb(Parse *p, const char *word, Error *err)
{
    const char *near = nearest_command(p->parent->verbs, word);
    p->command = p->parent;
    p->parent = NULL;
    error_set(err, ERROR_USAGE, "%s: no verb '%s'%s%s", p->command->name, word,
              near ? ", did you mean " : "", near ? near : "");
    return usage_error(p, err);
}

/* The verb of a verb: named by the next word, or the first when the word is no verb's name. */
static bool choose_verb(Parse *p, size_t *at, size_t words, const char *const *word, Error *err)
{
    const Command *const *verbs = p->command->verbs;
    if (!verbs)
        return true;
    p->parent = p->command;
    p->command = verbs[0];
    if (*at >= words || strchr(word[*at], '=') || word[*at][0] == '-')
        return true;
    for (const Command *const *v = verbs; *v; v++)
        if (strcmp((*v)->name, word[*at]) == 0) {
            p->command = *v;
            ++*at;
            return true;
        }
    bool takes_words = verbs[0]->args && verbs[0]->args[0].name;
    return takes_words || unknown_verb(p, word[*at], err);
}

/* The length of KEY in "KEY=..." or 0 when the word is not of that form. */
static size_t key_length(const char *word)
{
    size_t n = 0;
    while ((word[n] >= 'a' && word[n] <= 'z') || (word[n] >= 'A' && word[n] <= 'Z') ||
           word[n] == '_' || (n && (word[n] == '-' || (word[n] >= '0' && word[n] <= '9'))))
        n++;
    return word[n] == '=' ? n : 0;
}

static bool takes_sql(const Command *c)
{
    return c->args && c->args[0].name && c->args[0].kind == ARG_SQL;
}

static bool unknown_key(const Parse *p, const char *key, Error *err)
{
    const char *names[128];
    size_t n = 0;
    for (const Gone *g = p->command->gone; g && g->name; g++)
        if (text_equal(g->name, key))
            return error_set(err, ERROR_USAGE, "%s: %s= is now %s", p->command->name, key, g->now);
    for (const Param *row = p->command->params; row && row->kind && n < 64; row++)
        names[n++] = row->name;
    for (const Param *row = p->command->shared; row && row->kind && n < 128; row++)
        names[n++] = row->name;
    const char *near = text_nearest(key, names, n);
    error_set(err, ERROR_USAGE, "%s: no setting '%s'%s%s", p->command->name, key,
              near ? ", did you mean " : "", near ? near : "");
    return usage_error(p, err);
}

static bool take_setting(Parse *p, const char *word, size_t key, Error *err)
{
    char *name = arena_printf(&p->arena, "%.*s", (int)key, word);
    const char *value = word + key + 1;
    void *settings;
    const Param *row = find_row(p, name, &settings);
    if (row) {
        vec_add(&p->given, row->name);
        return param_set(row, settings, value, err) || error_in(err, "%s", p->command->name);
    }
    if (!p->command->extras)
        return unknown_key(p, name, err);
    vec_add(&p->extra, (ParamRow){.key = name, .value = value});
    return true;
}

static bool take_word(Parse *p, const char *word, Error *err)
{
    bool dashes = strncmp(word, "--", 2) == 0 && word[2];
    const char *plain = dashes ? word + 2 : word;
    size_t key = key_length(plain);
    void *settings;
    bool known = key && find_row(p, arena_printf(&p->arena, "%.*s", (int)key, plain), &settings);
    if (key && (known || dashes || !takes_sql(p->command)))
        return take_setting(p, plain, key, err);
    if (dashes) {
        error_set(err, ERROR_USAGE, "%s: '%s' is not understood; settings are written key=value",
                  p->command->name, word);
        return usage_error(p, err);
    }
    vec_add(&p->word, word);
    return true;
}

static bool count_words(const Parse *p, Error *err)
{
    size_t least = 0, most = 0;
    bool many = false;
    for (const Arg *a = p->command->args; a && a->name; a++) {
        least += !a->optional;
        most++;
        many |= a->many;
    }
    if (p->word.count < least) {
        error_set(err, ERROR_USAGE, "%s: %s is missing", p->command->name,
                  p->command->args[p->word.count].name);
        return usage_error(p, err);
    }
    if (p->word.count > most && !many) {
        error_set(err, ERROR_USAGE, "%s: '%s' is one word too many", p->command->name,
                  p->word.at[most]);
        return usage_error(p, err);
    }
    return true;
}

static bool need_settings(const Parse *p, Error *err)
{
    for (const Param *row = p->command->params; row && row->kind; row++) {
        bool given = !row->required;
        for (size_t i = 0; i < p->given.count; i++)
            given |= strcmp(p->given.at[i], row->name) == 0;
        if (!given) {
            error_set(err, ERROR_USAGE, "%s: %s= is missing (%s)", p->command->name, row->name,
                      row->help);
            return usage_error(p, err);
        }
    }
    return true;
}

static bool unknown_command(const char *word, Error *err)
{
    const char *near = nearest_command(commands, word);
    return error_set(err, ERROR_USAGE, "no verb '%s'%s%s; see lathe --help", word,
                     near ? ", did you mean " : "", near ? near : "");
}

static bool parse(Parse *p, size_t words, const char *const *word, Error *err)
{
    p->command = words ? command_find(word[0]) : NULL;
    if (!p->command)
        return words ? unknown_command(word[0], err)
                     : error_set(err, ERROR_USAGE, "no verb given; see lathe --help");
    size_t at = 1;
    if (!choose_verb(p, &at, words, word, err))
        return false;
    if (p->command->params_size)
        p->settings = arena_alloc(&p->arena, p->command->params_size);
    if (p->command->params)
        params_init(p->command->params, p->settings);
    if (p->command->shared)
        params_init(p->command->shared, (char *)p->settings + p->command->shared_at);
    for (; at < words; at++)
        if (!take_word(p, word[at], err))
            return false;
    return count_words(p, err) && need_settings(p, err);
}

static bool asks_help(size_t words, const char *const *word)
{
    for (size_t i = 1; i < words; i++)
        if (strcmp(word[i], "--help") == 0 || strcmp(word[i], "-h") == 0)
            return true;
    return false;
}

/* Leniently: whatever else stands on the line. "lathe runs --help" is about all its verbs. */
static bool help(Parse *p, size_t words, const char *const *word, json_t **result, Error *err)
{
    Error ignored = {0};
    size_t at = 1;
    p->command = command_find(word[0]);
    if (!p->command)
        return unknown_command(word[0], err);
    if (choose_verb(p, &at, words, word, &ignored) && p->parent && at == 1) {
        p->command = p->parent;
        p->parent = NULL;
    }
    Text text = {0};
    command_help(p->parent, p->command, &text);
    *result = json_pack("{s:s}", "help", text_str(&text));
    text_release(&text);
    return true;
}

static bool run(CommandCall *call, const Parse *p, json_t **result, Error *err)
{
    CommandCall full = *call;
    full.command = p->command;
    full.settings = p->settings;
    full.words = p->word.count;
    full.word = p->word.at;
    full.extras = p->extra.count;
    full.extra = p->extra.at;
    full.givens = p->given.count;
    full.given = p->given.at;
    return p->command->run(&full, result, err);
}

bool command_run(CommandCall *call, size_t words, const char *const *word, const Command **command,
                 json_t **result, Error *err)
{
    Parse p = {0};
    *result = NULL;
    bool ok = asks_help(words, word)
                  ? help(&p, words, word, result, err)
                  : parse(&p, words, word, err) && run(call, &p, result, err);
    if (command)
        *command = p.command;
    if (!ok && !(p.command && p.command->verdict)) {
        json_decref(*result);
        *result = NULL;
    }
    parse_release(&p);
    return ok;
}

/* ---- a line, with quotes as in a shell ------------------------------------------------------ */

/* Reads one word from *at; false at the end or on an open quote (then *open is its character). */
static bool next_word(const char **at, Text *into, char *open)
{
    const char *s = *at;
    char quote = 0;
    while (*s == ' ' || *s == '\t')
        s++;
    bool any = *s != 0;
    for (; *s && (quote || (*s != ' ' && *s != '\t')); s++) {
        if (quote && *s == quote)
            quote = 0;
        else if (!quote && (*s == '\'' || *s == '"'))
            quote = *s;
        else if (*s == '\\' && quote != '\'' && s[1])
            text_putc(into, *++s);
        else
            text_putc(into, *s);
    }
    *at = s;
    *open = quote;
    return any && !quote;
}

void command_quote(const char *word, Text *into)
{
    bool plain = *word && !strpbrk(word, " \t\"'\\");
    text_puts(into, plain ? "" : "\"");
    for (; *word; word++) {
        if (*word == '"' || *word == '\\')
            text_putc(into, '\\');
        text_putc(into, *word);
    }
    text_puts(into, plain ? "" : "\"");
}

void command_add_word(Text *line, const char *word)
{
    text_puts(line, line->count ? " " : "");
    command_quote(word, line);
}

bool command_line(CommandCall *call, const char *line, const Command **command, json_t **result,
                  Error *err)
{
    Arena arena = {0};
    VEC(const char *) words = {0};
    Text word = {0};
    char open = 0;
    *result = NULL;
    while (next_word(&line, &word, &open)) {
        vec_add(&words, arena_text(&arena, text_str(&word)));
        text_reset(&word);
    }
    bool ok = open ? error_set(err, ERROR_USAGE, "the quote %c is not closed", open)
                   : command_run(call, words.count, words.at, command, result, err);
    text_release(&word);
    vec_release(&words);
    arena_release(&arena);
    return ok;
}
