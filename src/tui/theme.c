/* theme.c -- reads theme files, keeps the compiled-in one.
 *
 *     [theme]
 *     name = dark
 *     about = soft colours on deep blue
 *     [styles]
 *     plain  = #c8d3f5 #1b1d2b          letters, ground; "-" or nothing: as plain; "default": the terminal's
 *     header = #86e1fc - bold           then bold dim italic underline reverse
 *     [series]
 *     1 = #82aaff */
#include "theme.h"
#include "theme_dark.h"

#include <ini.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AS_NAME(name, text, mono, sixteen, about) text,
static const char *const names[] = {STYLES(AS_NAME)};
#undef AS_NAME
#define AS_MONO(name, text, mono, sixteen, about) mono,
static const char *const monos[] = {STYLES(AS_MONO)};
#undef AS_MONO
#define AS_SIXTEEN(name, text, mono, sixteen, about) sixteen,
static const char *const sixteens[] = {STYLES(AS_SIXTEEN)};
#undef AS_SIXTEEN

static const char *const colour_names[] = {
    "black",        "red",           "green",       "yellow",         "blue",
    "magenta",      "cyan",          "silver",      "gray",           "bright-red",
    "bright-green", "bright-yellow", "bright-blue", "bright-magenta", "bright-cyan",
    "white"};

/* Curves with 16 colours: the distinct ones first. */
static const int series16[SERIES_COLOURS] = {14, 11, 13, 10, 9, 12, 6, 3, 5, 2};

const char *style_name(Style role)
{
    return role < STYLE_SERIES ? names[role] : "series";
}

static unsigned attr_letters(const char *s)
{
    unsigned a = 0;
    for (; *s; s++)
        a |= *s == 'b'   ? ATTR_BOLD
             : *s == 'd' ? ATTR_DIM
             : *s == 'i' ? ATTR_ITALIC
             : *s == 'u' ? ATTR_UNDERLINE
             : *s == 'r' ? ATTR_REVERSE
                         : 0u;
    return a;
}

static int colour16(const char *s, size_t n)
{
    for (int i = 0; i < 16; i++)
        if (strlen(colour_names[i]) == n && !memcmp(s, colour_names[i], n))
            return i;
    return -1;
}

static void look_fallbacks(Theme *t)
{
    for (size_t i = 0; i < STYLE_SERIES; i++) {
        const char *s = sixteens[i], *blank = strchr(s, ' ');
        size_t n = blank ? (size_t)(blank - s) : strlen(s);
        t->look[i].fore16 = colour16(s, n);
        t->look[i].back16 = blank ? colour16(blank + 1, strlen(blank + 1)) : -1;
        t->look[i].attrs_mono = attr_letters(monos[i]);
    }
    for (size_t i = 0; i < SERIES_COLOURS; i++) {
        t->look[STYLE_SERIES + i].fore16 = series16[i];
        t->look[STYLE_SERIES + i].back16 = -1;
    }
}

static bool colour_parse(const char *s, size_t n, Colour *out)
{
    if (n == 7 && *s == '#') {
        char hex[7] = {0}, *end;
        memcpy(hex, s + 1, 6);
        *out = (Colour)strtoul(hex, &end, 16);
        return !*end;
    }
    *out = COLOUR_NONE;
    return n == 7 && !memcmp(s, "default", 7);
}

/* What ini_parse calls back with; the first mistake stays. */
typedef struct Reading {
    Theme theme;
    bool back_given[STYLE_COUNT];
    Error error;
    int line;
} Reading;

static bool style_parse(Reading *r, size_t role, const char *value, Error *err)
{
    Look *look = &r->theme.look[role];
    int place = 0;
    for (const char *s = value; *s;) {
        size_t n = strcspn(s, " \t");
        Colour colour;
        if (!n) {
            s++;
            continue;
        }
        if (n == 1 && *s == '-') {
            place++;
        } else if (place < 2 && colour_parse(s, n, &colour)) {
            if (place++)
                look->back = colour, r->back_given[role] = true;
            else
                look->fore = colour;
        } else {
            static const struct {
                const char *name;
                unsigned attr;
            } words[] = {{"bold", ATTR_BOLD},
                         {"dim", ATTR_DIM},
                         {"italic", ATTR_ITALIC},
                         {"underline", ATTR_UNDERLINE},
                         {"reverse", ATTR_REVERSE}};
            size_t i = 0;
            while (i < 5 && !(strlen(words[i].name) == n && !memcmp(s, words[i].name, n)))
                i++;
            if (i == 5)
                return error_set(
                    err, ERROR_PARSE,
                    "expected #rrggbb, default, - or bold dim italic underline reverse, "
                    "found '%.*s'",
                    (int)n, s);
            look->attrs |= words[i].attr;
        }
        s += n;
    }
    return true;
}

static bool reading_set(Reading *r, const char *section, const char *key, const char *value,
                        Error *err)
{
    if (text_equal(section, "theme")) {
        if (text_equal(key, "name"))
            snprintf(r->theme.name, sizeof r->theme.name, "%s", value);
        else if (text_equal(key, "about"))
            snprintf(r->theme.about, sizeof r->theme.about, "%s", value);
        else if (text_equal(key, "light"))
            r->theme.light = text_equal(value, "yes");
        else
            return error_set(err, ERROR_PARSE, "[theme] knows name, about and light, not '%s'",
                             key);
        return true;
    }
    if (text_equal(section, "series")) {
        int64_t i;
        if (!text_to_int(key, strlen(key), &i) || i < 1 || i > SERIES_COLOURS)
            return error_set(err, ERROR_PARSE, "[series] has 1 to %d, not '%s'", SERIES_COLOURS,
                             key);
        return style_parse(r, STYLE_SERIES + (size_t)i - 1, value, err);
    }
    if (!text_equal(section, "styles"))
        return error_set(err, ERROR_PARSE, "expected [theme], [styles] or [series], found [%s]",
                         section);
    for (size_t i = 0; i < STYLE_SERIES; i++)
        if (text_equal(key, names[i]))
            return style_parse(r, i, value, err);
    const char *near = text_nearest(key, names, STYLE_SERIES);
    return near ? error_set(err, ERROR_PARSE, "no style '%s', did you mean %s?", key, near)
                : error_set(err, ERROR_PARSE, "no style '%s'", key);
}

static int on_ini(void *context, const char *section, const char *key, const char *value)
{
    Reading *r = context;
    return r->error.kind == ERROR_NONE && reading_set(r, section, key, value, &r->error);
}

/* What a file does not say comes from the compiled-in theme (base) or from plain. */
static bool reading_finish(Reading *r, int bad_line, Theme *into, Error *err)
{
    if (bad_line) {
        if (r->error.kind == ERROR_NONE)
            error_set(&r->error, ERROR_PARSE, "expected [section] or name = value");
        error_set(err, r->error.kind, "line %d: %s", bad_line, r->error.text);
        return false;
    }
    for (size_t i = 0; i < STYLE_COUNT; i++)
        if (!r->back_given[i])
            r->theme.look[i].back = r->theme.look[STYLE_PLAIN].back;
    look_fallbacks(&r->theme);
    *into = r->theme;
    return true;
}

void theme_builtin(Theme *t)
{
    Reading r = {0};
    Error err = {0};
    int bad = ini_parse_string(theme_dark, on_ini, &r);
    bool ok = reading_finish(&r, bad, t, &err);
    (void)ok; /* a unit test reads it */
}

/* ---- folders ----------------------------------------------------------------------------------- */

static const char *const folders[] = {LATHE_SOURCE_DIR "/themes",
#ifdef LATHE_PREFIX
                                      LATHE_PREFIX "/share/lathe/themes",
#endif
                                      "/usr/local/share/lathe/themes", "/usr/share/lathe/themes"};
#define FOLDERS (sizeof folders / sizeof *folders)

static bool read_file(const char *path, Theme *t, Error *err)
{
    Text text = {0};
    bool ok = file_read(path, &text, 1 << 16, err);
    if (ok) {
        Reading *r = mem_alloc(sizeof *r);
        theme_builtin(&r->theme);
        for (size_t i = 0; i < STYLE_COUNT; i++)
            r->theme.look[i].attrs = 0;
        ok = reading_finish(r, ini_parse_string(text_str(&text), on_ini, r), t, err) ||
             error_in(err, "%s", path);
        if (ok)
            snprintf(t->path, sizeof t->path, "%s", path);
        mem_free(r);
    }
    text_release(&text);
    return ok;
}

bool theme_load(Theme *t, const char *name, Error *err)
{
    if (strchr(name, '/'))
        return read_file(name, t, err);
    for (size_t i = 0; i < FOLDERS; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.ini", folders[i], name);
        if (file_exists(path))
            return read_file(path, t, err);
    }
    if (text_equal(name, "dark")) {
        theme_builtin(t);
        return true;
    }
    return error_set(err, ERROR_USAGE, "no theme '%s' (themes are NAME.ini in %s)", name,
                     folders[0]);
}

static int is_ini(const struct dirent *e)
{
    return e->d_name[0] != '.' && text_ends(e->d_name, ".ini");
}

void theme_list(void (*add)(void *context, const char *name, const char *about), void *context)
{
    bool any = false;
    for (size_t f = 0; f < FOLDERS && !any; f++) {
        struct dirent **list = NULL;
        int n = scandir(folders[f], &list, is_ini, alphasort);
        for (int i = 0; i < n; i++) {
            char path[4600];
            Theme t = {0};
            Error err = {0};
            snprintf(path, sizeof path, "%s/%s", folders[f], list[i]->d_name);
            list[i]->d_name[strlen(list[i]->d_name) - 4] = 0;
            add(context, list[i]->d_name, read_file(path, &t, &err) ? t.about : err.text);
            any = true;
            free(list[i]);
        }
        free(list);
    }
    if (!any) {
        Theme t = {0};
        theme_builtin(&t);
        add(context, t.name, t.about);
    }
}
