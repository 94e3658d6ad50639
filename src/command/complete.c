/* complete.c -- what may stand at the end of a line: for the `:` line and the shell. */
#include "command_int.h"

#include <dirent.h>
#include <string.h>

typedef struct Completion {
    const char *word; /* what is typed of the last word */
    Store *store;     /* NULL: no names from the workspace */
    void (*add)(void *, const char *, const char *);
    void *context;
    Arena arena;
} Completion;

static void offer(Completion *c, const char *word, const char *about)
{
    if (text_starts(word, c->word))
        c->add(c->context, word, about ? about : "");
}

static void offer_datasets(Completion *c, const char *key)
{
    DatasetRow *rows;
    size_t n = 0;
    if (c->store && store_datasets(c->store, &c->arena, &rows, &n, NULL))
        for (size_t i = 0; i < n; i++)
            offer(c, arena_printf(&c->arena, "%s%s", key, rows[i].name),
                  arena_printf(&c->arena, "%lld rows", (long long)rows[i].rows));
}

static void offer_runs(Completion *c)
{
    RunRow *rows;
    size_t n = 0;
    offer(c, "last", "the newest run");
    if (c->store && store_runs(c->store, &c->arena, &rows, &n, NULL))
        for (size_t i = 0; i < n; i++) {
            offer(c, arena_printf(&c->arena, "%lld", (long long)rows[i].id),
                  arena_printf(&c->arena, "%s %s", rows[i].name, rows[i].family));
            offer(c, rows[i].name, rows[i].family);
        }
}

/* Files of the folder that the typed part names; folders end with a slash. */
static void offer_files(Completion *c, const char *key)
{
    const char *typed = c->word + strlen(key);
    const char *slash = strrchr(typed, '/');
    const char *dir = slash ? arena_printf(&c->arena, "%.*s", (int)(slash - typed + 1), typed) : "";
    DIR *d = opendir(*dir ? dir : ".");
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.')
            offer(c,
                  arena_printf(&c->arena, "%s%s%s%s", key, dir, e->d_name,
                               e->d_type == DT_DIR ? "/" : ""),
                  "");
    if (d)
        closedir(d);
}

static void offer_columns(Completion *c, const char *key, const char *dataset)
{
    DatasetRow row;
    ColumnRow *columns;
    size_t n;
    if (c->store && dataset && store_dataset_find(c->store, dataset, &c->arena, &row, NULL) &&
        store_dataset_columns(c->store, row.hash, &c->arena, &columns, &n, NULL))
        for (size_t i = 0; i < n; i++)
            offer(c, arena_printf(&c->arena, "%s%s", key, columns[i].name), columns[i].type);
}

static void offer_arg(Completion *c, ArgKind kind)
{
    switch (kind) {
    case ARG_DATASET:
        offer_datasets(c, "");
        break;
    case ARG_RUN:
        offer_runs(c);
        break;
    case ARG_FILE:
        offer_files(c, "");
        offer_datasets(c, "");
        break;
    case ARG_FAMILY:
        for (const ModelFamily *const *f = model_families; *f; f++)
            offer(c, (*f)->name, (*f)->title);
        break;
    case ARG_WORD:
    case ARG_SQL:
        break;
    }
}

static void offer_values(Completion *c, const Param *row, const char *dataset)
{
    const char *key = arena_printf(&c->arena, "%s=", row->name);
    for (const char *const *pick = row->picks; pick && *pick; pick++)
        offer(c, arena_printf(&c->arena, "%s%s", key, *pick), row->help);
    if (row->kind == PARAM_KIND_BOOL) {
        offer(c, arena_printf(&c->arena, "%syes", key), row->help);
        offer(c, arena_printf(&c->arena, "%sno", key), row->help);
    } else if (!strcmp(row->name, "data")) {
        offer_datasets(c, key);
    } else if (!strcmp(row->name, "target") || !strcmp(row->name, "features")) {
        offer_columns(c, key, dataset);
    } else if (!strcmp(row->name, "recipe") || !strcmp(row->name, "out")) {
        offer_files(c, key);
    }
}

static void offer_keys(Completion *c, const Param *rows, const ModelFamily *f, const char *dataset)
{
    const char *equals = strchr(c->word, '=');
    for (const Param *row = rows; row && row->kind; row++)
        if (!model_family_takes(f, row))
            continue;
        else if (!equals)
            offer(c, arena_printf(&c->arena, "%s=", row->name), row->help);
        else if (strlen(row->name) == (size_t)(equals - c->word) &&
                 !strncmp(row->name, c->word, (size_t)(equals - c->word)))
            offer_values(c, row, dataset);
}

/* Words before the last one, split at blanks. */
static size_t split_words(char *line, char **word, size_t most)
{
    size_t n = 0;
    for (char *w; n < most && (w = strsep(&line, " \t"));)
        if (*w)
            word[n++] = w;
    return n;
}

static void offer_after_verb(Completion *c, const Command *command, char **word, size_t n)
{
    const char *dataset = NULL;
    size_t plain = 0;
    for (size_t i = 0; i < n; i++) {
        if (text_starts(word[i], "data="))
            dataset = word[i] + 5;
        plain += strchr(word[i], '=') == NULL;
    }
    if (!dataset && plain && command->args && command->args->kind == ARG_DATASET)
        dataset = word[0];
    const Arg *arg = command->args;
    for (size_t i = 0; arg && arg->name && i < plain && !arg->many; i++)
        arg++;
    if (arg && arg->name && !strchr(c->word, '='))
        offer_arg(c, arg->kind);
    offer_keys(c, command->params, NULL, dataset);
    offer_keys(c, command->shared, NULL, dataset);
    const ModelFamily *family = command->extras && n ? model_family(word[0]) : NULL;
    if (command->extras) {
        offer_keys(c, run_params, family, dataset);
        offer_keys(c, feature_params, family, dataset);
    }
    if (family)
        offer_keys(c, family->params, family, dataset);
}

void command_complete(const char *line, Store *s, void (*add)(void *, const char *, const char *),
                      void *context)
{
    const char *last = strrchr(line, ' ');
    Completion c = {.word = last ? last + 1 : line, .store = s, .add = add, .context = context};
    char *before = arena_printf(&c.arena, "%.*s", (int)(c.word - line), line), *word[64];
    size_t n = split_words(before, word, 64), from = 1;
    const Command *command = n ? command_find(word[0]) : NULL;
    for (const Command *const *v = commands; !n && *v; v++)
        if (!(*v)->hidden)
            offer(&c, (*v)->name, (*v)->about);
    if (command && command->verbs) {
        const Command *verb = NULL;
        for (const Command *const *v = command->verbs; *v; v++) {
            if (n == 1)
                offer(&c, (*v)->name, (*v)->about);
            else if (!strcmp((*v)->name, word[1]))
                verb = *v;
        }
        from = verb ? 2 : 1;
        command = verb ? verb : command->verbs[0];
    }
    if (command)
        offer_after_verb(&c, command, word + from, n - from);
    arena_release(&c.arena);
}
