/* screen_keys.c -- what curses reads, as Keys and mouse. */
#include "screen_curses.h"

#include <string.h>

static Key named_key(wint_t code)
{
    // clang-format off
    static const struct { int curses; Key key; } known[] = {
        {KEY_ENTER, NKEY_ENTER}, {KEY_BACKSPACE, NKEY_BACKSPACE}, {KEY_UP, NKEY_UP},
        {KEY_DOWN, NKEY_DOWN}, {KEY_LEFT, NKEY_LEFT}, {KEY_RIGHT, NKEY_RIGHT}, {KEY_HOME, NKEY_HOME},
        {KEY_END, NKEY_END}, {KEY_PPAGE, NKEY_PGUP}, {KEY_NPAGE, NKEY_PGDN}, {KEY_IC, NKEY_INSERT},
        {KEY_DC, NKEY_DELETE}, {KEY_BTAB, NKEY_TAB | KEY_SHIFT}, {KEY_SLEFT, NKEY_LEFT | KEY_SHIFT},
        {KEY_SRIGHT, NKEY_RIGHT | KEY_SHIFT}, {KEY_SR, NKEY_UP | KEY_SHIFT},
        {KEY_SF, NKEY_DOWN | KEY_SHIFT}, {KEY_A1, NKEY_HOME}, {KEY_C1, NKEY_END},
        {CURSES_PASTE_BEGIN, NKEY_PASTE_BEGIN}, {CURSES_PASTE_END, NKEY_PASTE_END},
    };
    // clang-format on
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if ((wint_t)known[i].curses == code)
            return known[i].key;
    if (code >= KEY_F(1) && code <= KEY_F(12))
        return (Key)NKEY_F1 + (code - KEY_F(1));
    const char *name = code <= KEY_MAX + 400 ? keyname((int)code) : NULL; /* extended: kLFT5 ... */
    static const struct {
        const char *name;
        Key key;
    } extended[] = {{"kLFT", NKEY_LEFT}, {"kRIT", NKEY_RIGHT}, {"kUP", NKEY_UP},
                    {"kDN", NKEY_DOWN},  {"kHOM", NKEY_HOME},  {"kEND", NKEY_END},
                    {"kPRV", NKEY_PGUP}, {"kNXT", NKEY_PGDN},  {"kDC", NKEY_DELETE}};
    for (size_t i = 0; name && i < sizeof extended / sizeof *extended; i++) {
        size_t n = strlen(extended[i].name);
        if (!strncmp(name, extended[i].name, n) &&
            strspn(name + n, "2345678") == strlen(name + n)) {
            int m = name[n] ? name[n] - '1' : 0; /* xterm's bits: shift 1, alt 2, ctrl 4 */
            return extended[i].key | (m & 1 ? KEY_SHIFT : 0u) | (m & 2 ? KEY_ALT : 0u) |
                   (m & 4 ? KEY_CTRL : 0u);
        }
    }
    return 0;
}

static Key character_key(wint_t c)
{
    switch (c) {
    case '\r':
    case '\n':
        return NKEY_ENTER;
    case '\t':
        return NKEY_TAB;
    case 27:
        return NKEY_ESC;
    case 8:
    case 127:
        return NKEY_BACKSPACE;
    case 0:
        return KEY_CTRL | ' ';
    }
    if (c < 27)
        return KEY_CTRL | (Key)(c + 'a' - 1);
    if (c < 32)
        return KEY_CTRL | (Key)(c + '@');
    return (Key)c;
}

static bool mouse_kind(mmask_t state, int *kind)
{
    *kind = state & BUTTON4_PRESSED   ? 2 /* MOUSE_WHEEL_UP */
            : state & BUTTON5_PRESSED ? 3
            : state & BUTTON1_RELEASED ? 4 /* MOUSE_DRAG */
                                       : 0;
    return *kind || state & BUTTON1_PRESSED;
}

/* curses takes in all that came together and gives the newest first: press and release of a click. */
static void mouse_read(Screen *s)
{
    MEVENT e;
    while (s->clicks < SCREEN_CLICKS && getmouse(&e) == OK) {
        ScreenMouse *m = &s->click[s->clicks];
        *m = (ScreenMouse){.row = e.y, .col = e.x};
        s->clicks += mouse_kind(e.bstate, &m->kind);
    }
}

void screen_escape_wait(Screen *s, int ms)
{
    (void)s;
    set_escdelay(ms);
}

Input screen_input(Screen *s)
{
    for (;;) {
        wint_t c;
        if (s->clicks)
            return (Input){.kind = INPUT_MOUSE, .mouse = s->click[--s->clicks]};
        int got = wget_wch(stdscr, &c);
        if (got == ERR)
            return (Input){.kind = INPUT_NONE};
        if (got == KEY_CODE_YES && c == KEY_MOUSE) {
            mouse_read(s);
            continue;
        }
        if (got == KEY_CODE_YES && c == KEY_RESIZE)
            continue; /* comes as a signal */
        Key key = got == KEY_CODE_YES ? named_key(c) : character_key(c);
        if (key == NKEY_ESC) { /* Alt sends Esc and the key at once */
            got = wget_wch(stdscr, &c);
            if (got != ERR) {
                Key with = got == KEY_CODE_YES ? named_key(c) : character_key(c);
                key = with == NKEY_ESC ? with : with | KEY_ALT;
            }
        }
        if (key)
            return (Input){.kind = INPUT_KEY, .key = key};
    }
}
