/* keymap.c -- a file that gives commands other keys. See keymap.h. */
#include "keymap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Given { /* a row that the file gave keys */
    KeyRow *table, *row;
    unsigned long line;
} Given;

typedef struct Reading {
    KeyTables *map;
    KeyRow *table;    /* of the section; NULL before the first */
    char section[40];
    VEC(Given) given;
    unsigned long line;
} Reading;

static KeyRow *copy_table(Arena *a, const KeyRow *rows)
{
    size_t n = 0;
    while (rows && rows[n].command)
        n++;
    KeyRow *out = ARENA_NEW(a, KeyRow, n + 1);
    if (n)
        memcpy(out, rows, n * sizeof *out);
    return out;
}

void keymap_normal(KeyTables *k)
{
    k->frame = copy_table(&k->arena, frame_commands);
    for (size_t i = 0; panes[i] && i < sizeof k->pane / sizeof *k->pane; i++)
        k->pane[i] = copy_table(&k->arena, panes[i]->keys);
}

void keymap_release(KeyTables *k)
{
    arena_release(&k->arena);
    *k = (KeyTables){0};
}

void keymap_path(const char *workspace, char *out, size_t size)
{
    const char *given = getenv("LATHE_KEYS"), *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    snprintf(out, size, "%s", given ? given : "");
    if (!given)
        snprintf(out, size, "%s/keys", workspace);
    if (!given && !file_exists(out))
        snprintf(out, size, "%s%s/lathe/keys", config && *config ? config : home ? home : "",
                 config && *config ? "" : "/.config");
    if (!given && !file_exists(out))
        *out = 0;
}

/* ---- lines ------------------------------------------------------------------------------------------- */

static bool section(Reading *r, const char *name, Error *err)
{
    const char *known[20] = {"everywhere"};
    size_t n = 1;
    snprintf(r->section, sizeof r->section, "%s", name);
    if (text_equal(name, "everywhere")) {
        r->table = r->map->frame;
        return true;
    }
    for (size_t i = 0; panes[i]; i++) {
        known[n++] = panes[i]->name;
        if (text_equal(name, panes[i]->name)) {
            r->table = r->map->pane[i];
            return true;
        }
    }
    const char *near = text_nearest(name, known, n);
    return error_set(err, ERROR_PARSE, "no pane [%s]%s%s%s; [everywhere] is for all", name,
                     near ? ", did you mean [" : "", near ? near : "", near ? "]?" : "");
}

static KeyRow *find_row(const Reading *r, const char *name, Error *err)
{
    const char *known[200];
    size_t n = 0;
    for (KeyRow *row = r->table; row->command; row++) {
        if (text_equal(row->name, name))
            return row;
        if (n < 200)
            known[n++] = row->name;
    }
    const char *near = text_nearest(name, known, n);
    error_set(err, ERROR_PARSE, "no command %s in [%s]%s%s%s", name, r->section, near ? ", did you mean " : "",
              near ? near : "", near ? "?" : "");
    return NULL;
}

static bool keys_exist(const char *keys, Error *err)
{
    for (const char *s = keys; *s;) {
        size_t n = strcspn(s, " ");
        Key key;
        if (n && !key_parse(s, n, &key))
            return error_set(err, ERROR_PARSE, "no key '%.*s'; keys are a, Ctrl-A, Alt-a, F5, PgDn, Space ...", (int)n,
                             s);
        s += n + strspn(s + n, " ");
    }
    return true;
}

static char *trim(char *s)
{
    s += strspn(s, " \t");
    for (size_t n = strlen(s); n && strchr(" \t\r", s[n - 1]); n--)
        s[n - 1] = 0;
    return s;
}

static bool read_line(Reading *r, char *line, Error *err)
{
    char *s = trim(line);
    size_t n = strlen(s);
    if (!*s || *s == '#')
        return true;
    if (*s == '[' && s[n - 1] == ']') {
        s[n - 1] = 0;
        return section(r, s + 1, err);
    }
    char *equals = strchr(s, '=');
    if (!equals || equals == s)
        return error_set(err, ERROR_PARSE, "expected [pane] or command = keys, found '%s'", s);
    if (!r->table)
        return error_set(err, ERROR_PARSE, "expected [pane] first, as in [runs] or [everywhere]");
    *equals = 0;
    const char *keys = trim(equals + 1);
    KeyRow *row = find_row(r, trim(s), err);
    if (!row || !keys_exist(keys, err))
        return false;
    row->keys = arena_text(&r->map->arena, keys);
    vec_add(&r->given, (Given){r->table, row, r->line});
    return true;
}

/* ---- two commands, one key ----------------------------------------------------------------------------- */

static bool same_mode(const KeyRow *a, const KeyRow *b)
{
    return !a->modes || !b->modes || (a->modes & b->modes);
}

static bool shares_key(const KeyRow *a, const KeyRow *b, char name[40])
{
    for (const char *s = a->keys; *s;) {
        size_t n = strcspn(s, " ");
        Key key;
        if (n && key_parse(s, n, &key)) {
            KeyRow only[] = {*b, {0}};
            only[0].modes = 0;
            if (key_find(only, key, 1, false)) {
                snprintf(name, 40, "%.*s", (int)n, s);
                return true;
            }
        }
        s += n + strspn(s + n, " ");
    }
    return false;
}

static bool no_clash(const Reading *r, const Given *g, Error *err)
{
    char key[40];
    for (KeyRow *row = g->table; row->command; row++)
        if (row != g->row && same_mode(row, g->row) && shares_key(g->row, row, key))
            return error_set(err, ERROR_PARSE, "line %lu: %s is the key of %s already; give that another one too",
                             g->line, key, row->name);
    (void)r;
    return true;
}

bool keymap_read(KeyTables *k, const char *path, Error *err)
{
    Text text = {0};
    KeyTables fresh = {0};
    Reading r = {.map = &fresh};
    keymap_normal(&fresh);
    bool ok = file_read(path, &text, 1 << 20, err), read = ok;
    for (char *s = ok && text.count ? text.at : NULL; s && *s && ok;) {
        char *end = strchr(s, '\n');
        if (end)
            *end = 0;
        r.line++;
        ok = read_line(&r, s, err) || error_in(err, "line %lu", r.line);
        s = end ? end + 1 : NULL;
    }
    for (size_t i = 0; ok && i < r.given.count; i++)
        ok = no_clash(&r, &r.given.at[i], err);
    if (ok) {
        keymap_release(k);
        *k = fresh;
    } else {
        keymap_release(&fresh);
        if (read)
            error_in(err, "%s", path);
    }
    vec_release(&r.given);
    text_release(&text);
    return ok;
}
