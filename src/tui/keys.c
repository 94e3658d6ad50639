/* keys.c -- names of keys, the frame's table, and looking a key up in a table. */
#include "keys.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
#define AS_NAME(name, text) text,
    KEYS(AS_NAME)
#undef AS_NAME
};
#define NAMED (sizeof names / sizeof *names)

const KeyRow frame_commands[] = {
#define AS_ROW(id, name, keys, hint, help) {UI_##id, name, keys, hint, help, 0},
    FRAME_COMMANDS(AS_ROW)
#undef AS_ROW
        {0}};

static bool take(const char **s, size_t *n, const char *prefix)
{
    size_t k = strlen(prefix);
    if (*n <= k || memcmp(*s, prefix, k))
        return false;
    *s += k;
    *n -= k;
    return true;
}

bool key_parse(const char *s, size_t n, Key *out)
{
    Key mods = 0;
    for (;;) {
        if (take(&s, &n, "Ctrl-"))
            mods |= KEY_CTRL;
        else if (take(&s, &n, "Alt-"))
            mods |= KEY_ALT;
        else if (take(&s, &n, "Shift-"))
            mods |= KEY_SHIFT;
        else
            break;
    }
    if (n == 5 && !memcmp(s, "Space", 5)) {
        *out = ' ' | mods;
        return true;
    }
    for (size_t i = 0; i < NAMED; i++)
        if (strlen(names[i]) == n && !memcmp(s, names[i], n)) {
            *out = ((Key)NKEY_FIRST_ + 1 + (Key)i) | mods;
            return true;
        }
    const char *at = s, *end = s + n;
    if (!n)
        return false;
    Key c = utf8_next(&at, end);
    if (at != end)
        return false;
    if ((mods & KEY_CTRL) && c >= 'A' && c <= 'Z')
        c += 'a' - 'A';
    *out = c | mods;
    return true;
}

void text_add_code(Text *into, uint32_t c)
{
    char b[5] = {0};
    if (c < 0x80) {
        b[0] = (char)c;
    } else {
        int n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        b[0] = (char)(n == 2 ? 0xc0 | c >> 6 : n == 3 ? 0xe0 | c >> 12 : 0xf0 | c >> 18);
        for (int i = 1; i < n; i++)
            b[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
    }
    text_puts(into, b);
}

void key_print(Key key, Text *into)
{
    if (key & KEY_CTRL)
        text_puts(into, "Ctrl-");
    if (key & KEY_ALT)
        text_puts(into, "Alt-");
    if (key & KEY_SHIFT)
        text_puts(into, "Shift-");
    Key base = key & ~(KEY_CTRL | KEY_ALT | KEY_SHIFT);
    if (base & KEY_NAMED)
        text_puts(into, names[base - NKEY_FIRST_ - 1]);
    else if (base == ' ')
        text_puts(into, "Space");
    else if ((key & KEY_CTRL) && base >= 'a' && base <= 'z')
        text_add_code(into, base - 'a' + 'A');
    else
        text_add_code(into, base);
}

bool key_is_text(Key key)
{
    return !(key & (KEY_NAMED | KEY_CTRL | KEY_ALT)) && key >= 32 && key != 127;
}

static bool row_has_key(const KeyRow *row, Key key)
{
    for (const char *s = row->keys; *s;) {
        size_t n = strcspn(s, " ");
        Key one;
        if (n && key_parse(s, n, &one) && one == key)
            return true;
        s += n;
        s += *s == ' ';
    }
    return false;
}

const KeyRow *key_find(const KeyRow *rows, Key key, unsigned mode, bool text_mode)
{
    for (const KeyRow *row = rows; row && row->command; row++) {
        bool holds = row->modes ? (row->modes & mode) != 0 : !text_mode;
        if (holds && row_has_key(row, key))
            return row;
    }
    return NULL;
}

void key_short(const KeyRow *row, Text *into)
{
    size_t n = strcspn(row->keys, " ");
    Key key;
    if (!key_parse(row->keys, n, &key)) { /* "a-z" */
        text_add(into, row->keys, n);
        return;
    }
    if (key & KEY_CTRL && !(key & KEY_NAMED)) {
        text_putc(into, '^');
        Key base = key & ~(KEY_CTRL | KEY_ALT);
        text_add_code(into, base >= 'a' && base <= 'z' ? base - 'a' + 'A' : base);
        return;
    }
    key_print(key, into);
}
