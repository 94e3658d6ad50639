/* pipeline_file.c -- a file of steps taken apart, and the names in its lines filled in. */
#include "pipeline_int.h"

#include <ctype.h>
#include <string.h>

void vars_set(PipeFile *f, const char *name, const char *value)
{
    for (size_t i = 0; i < f->var.count; i++)
        if (text_equal(f->var.at[i].name, name)) {
            char *copy = text_copy(value);
            mem_free(f->var.at[i].value);
            f->var.at[i].value = copy;
            return;
        }
    vec_add(&f->var, (PipeVar){text_copy(name), text_copy(value)});
}

static const char *var(const PipeFile *f, const char *name, size_t n)
{
    for (size_t i = 0; i < f->var.count; i++)
        if (strlen(f->var.at[i].name) == n && strncmp(f->var.at[i].name, name, n) == 0)
            return f->var.at[i].value;
    return NULL;
}

void file_release(PipeFile *f)
{
    for (size_t i = 0; i < f->var.count; i++) {
        mem_free(f->var.at[i].name);
        mem_free(f->var.at[i].value);
    }
    vec_release(&f->var);
    vec_release(&f->step);
}

/* ---- words of a line --------------------------------------------------------------------------------------------------- */

static size_t name_length(const char *s)
{
    size_t n = 0;
    while (isalnum((unsigned char)s[n]) || s[n] == '_')
        n++;
    return n;
}

static bool fill_in(const PipeFile *f, const char **at, Text *word, Error *err)
{
    size_t n = name_length(*at + 1);
    const char *value = var(f, *at + 1, n);
    if (n == 0)
        return error_set(err, ERROR_USAGE, "a $ without a name; write \\$ for the sign itself");
    if (!value)
        return error_set(err, ERROR_USAGE, "$%.*s is not known%s", (int)n, *at + 1,
                         isdigit((unsigned char)(*at)[1]) ? "; say it behind the file: 1=VALUE"
                                                          : " here");
    text_puts(word, value);
    *at += n;
    return true;
}

/* As a shell: blanks part words, '...' keeps all as it is, "..." keeps blanks, \ keeps the next character. */
bool file_words(const PipeFile *f, const char *line, Arena *a, LineWords *out, Error *err)
{
    Text word = {0};
    bool any = false, ok = true;
    char quote = 0;
    VEC(const char *) words = {0};
    for (const char *p = line; ok && (*p || any); p += *p != 0) {
        if (!*p || (!quote && (*p == ' ' || *p == '\t'))) {
            if (!*p && quote)
                ok = error_set(err, ERROR_USAGE, "the quote %c is not closed", quote);
            if (any)
                vec_add(&words, arena_text(a, text_str(&word)));
            text_reset(&word);
            any = false;
            if (!*p)
                break;
            continue;
        }
        any = true;
        if (quote ? *p == quote : (*p == '\'' || *p == '"'))
            quote = quote ? 0 : *p;
        else if (*p == '\\' && quote != '\'' && p[1])
            text_putc(&word, *++p);
        else if (*p == '$' && quote != '\'')
            ok = fill_in(f, &p, &word, err);
        else
            text_putc(&word, *p);
    }
    text_release(&word);
    out->count = words.count;
    out->at = ARENA_NEW(a, const char *, words.count + 1);
    if (words.count)
        memcpy(out->at, words.at, words.count * sizeof *words.at);
    vec_release(&words);
    return ok;
}

/* ---- the file ------------------------------------------------------------------------------------------------------------ */

static bool is_name(const char *s)
{
    return *s && name_length(s) == strlen(s);
}

static bool take_let(PipeFile *f, const char *line, Arena *a, Error *err)
{
    const char *eq = strchr(line, '=');
    if (!eq)
        return error_set(err, ERROR_USAGE, "expected let NAME = VALUE");
    const char *end = eq;
    while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    const char *name = arena_printf(a, "%.*s", (int)(end - line), line);
    if (!is_name(name))
        return error_set(err, ERROR_USAGE, "let: '%.40s' is no name", name);
    eq += 1 + strspn(eq + 1, " \t");
    if (!var(f, name, strlen(name))) /* what the caller says goes before */
        vars_set(f, name, eq);
    return true;
}

/* A text becomes a file named by its content. */
static bool keep_text(PipeFile *f, const char *name, const Text *body, Store *s, Arena *a,
                      Error *err)
{
    uint8_t digest[32];
    char hex[65];
    const char *bytes = body->count ? body->at : "";
    if (!is_name(name))
        return error_set(err, ERROR_USAGE, "text: '%.40s' is no name", name);
    sha256_bytes(bytes, body->count, digest);
    sha256_hex(digest, hex);
    char *path = store_path(s, a, "pipelines/%.16s.txt", hex);
    vars_set(f, name, path);
    return dir_create(store_path(s, a, "pipelines"), err) &&
           (file_exists(path) || file_write(path, bytes, body->count, err));
}

/* The indented lines behind *at; *at is then behind them. */
static void take_body(const char **at, int *number, Text *body)
{
    while (**at == ' ' || **at == '\t') {
        size_t n = strcspn(*at, "\n"), blank = strspn(*at, " \t");
        if (blank > 4 && **at == ' ')
            blank = 4;
        if (blank > n)
            blank = n;
        text_add(body, *at + blank, n - blank);
        text_putc(body, '\n');
        *at += n + ((*at)[n] != 0);
        ++*number;
    }
}

static bool take_words(PipeFile *f, const CommandCall *call, Arena *a, Error *err)
{
    for (size_t i = 1; i < call->words; i++) {
        const char *eq = strchr(call->word[i], '=');
        const char *name =
            eq ? arena_printf(a, "%.*s", (int)(eq - call->word[i]), call->word[i]) : "";
        if (!is_name(name))
            return error_set(err, ERROR_USAGE, "expected N=VALUE, found '%.60s'", call->word[i]);
        vars_set(f, name, eq + 1);
    }
    return true;
}

static bool take_line(PipeFile *f, const char *line, const char **rest, int *number, Store *s,
                      Arena *a, Error *err)
{
    int here = *number;
    if (text_starts(line, "let "))
        return take_let(f, line + 4 + strspn(line + 4, " \t"), a, err);
    if (!text_starts(line, "text ")) {
        vec_add(&f->step, (PipeStep){line, here});
        return true;
    }
    Text body = {0};
    take_body(rest, number, &body);
    bool ok = keep_text(f, line + 5 + strspn(line + 5, " \t"), &body, s, a, err);
    text_release(&body);
    return ok;
}

bool file_parse(PipeFile *f, const char *text, const CommandCall *call, Store *s, Arena *a,
                Error *err)
{
    bool ok = take_words(f, call, a, err);
    int number = 0;
    for (const char *at = text; ok && *at;) {
        size_t n = strcspn(at, "\n"), used = n, blank;
        number++;
        while (used && strchr(" \t\r", at[used - 1]))
            used--;
        blank = strspn(at, " \t");
        const char *line =
            used > blank ? arena_printf(a, "%.*s", (int)(used - blank), at + blank) : "";
        int here = number;
        at += n + (at[n] != 0);
        if (*line && *line != '#')
            ok = take_line(f, line, &at, &number, s, a, err) || error_in(err, "line %d", here);
    }
    return ok && (f->step.count > 0 || error_set(err, ERROR_USAGE, "there is no step in it"));
}
