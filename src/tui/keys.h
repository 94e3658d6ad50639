/* keys.h -- what is pressed, and the tables that say what it does.
 *
 * A key names a command, never a function. Every row of a table is a command with its keys, its
 * help and, if it belongs in the bottom line, a word for it; hints, `?` and the palette are drawn
 * from these rows and from nothing else. The frame has a table (frame_commands), each pane its own;
 * a pane's rows come first.
 *
 *     enum { RUNS_OPEN = PANE_COMMANDS, RUNS_STOP };
 *     static const KeyRow keys[] = {
 *         // command, name, keys, hint, help
 *         { RUNS_OPEN, "open-run", "Enter", "open", "watch the run in the Train pane" },
 *         { RUNS_STOP, "stop-run", "x", "stop", "ask it to stop after this step" },
 *         { 0 } };
 */
#ifndef LATHE_TUI_KEYS_H
#define LATHE_TUI_KEYS_H

#include <lathe/base.h>

/* A key is a character's code point, or a named key, with modifiers. */
typedef uint32_t Key;
#define KEY_NAMED 0x01000000u
#define KEY_ALT   0x02000000u
#define KEY_CTRL  0x04000000u /* with a lower-case letter or a named key */
#define KEY_SHIFT 0x08000000u /* with a named key */
// clang-format off
#define KEYS(X) \
    X(ENTER, "Enter") X(ESC, "Esc") X(TAB, "Tab") X(BACKSPACE, "Backspace") X(UP, "Up")         \
    X(DOWN, "Down") X(LEFT, "Left") X(RIGHT, "Right") X(HOME, "Home") X(END, "End")             \
    X(PGUP, "PgUp") X(PGDN, "PgDn") X(INSERT, "Ins") X(DELETE, "Del") X(F1, "F1") X(F2, "F2")   \
    X(F3, "F3") X(F4, "F4") X(F5, "F5") X(F6, "F6") X(F7, "F7") X(F8, "F8") X(F9, "F9")         \
    X(F10, "F10") X(F11, "F11") X(F12, "F12") X(PASTE_BEGIN, "PasteBegin") X(PASTE_END, "PasteEnd")
// clang-format on
#define AS_ENUM(name, text) NKEY_##name,
enum NamedKey { NKEY_FIRST_ = (int)KEY_NAMED, KEYS(AS_ENUM) NKEY_LAST_ };
#undef AS_ENUM

bool key_parse(const char *s, size_t n, Key *out); /* "Ctrl-P", "Alt-x", "PgDn", "Space", "j" */
void key_print(Key key, Text *into);               /* the same words */
bool key_is_text(Key key);                         /* a character that may be typed */
void text_add_code(Text *into, uint32_t code);     /* a code point as UTF-8 */

typedef struct KeyRow {
    int command;        /* 0 ends a table */
    const char *name;   /* "open-run": for the palette, `:` and macros */
    const char *keys;   /* "j Down": separated by blanks; "" none, palette only */
    const char *hint;   /* a short word for the bottom line; NULL: not there */
    const char *help;   /* one line */
    unsigned modes;     /* bits of the pane's mode() in which it holds; 0: in all but text modes */
} KeyRow;

/* The row whose keys hold `key` in this mode, or NULL. */
const KeyRow *key_find(const KeyRow *rows, Key key, unsigned mode, bool text_mode);
/* The first key of a row as people read it: "^P", "Enter", "j". */
void key_short(const KeyRow *row, Text *into);

/* ---- the frame's commands: every pane gets these words too ------------------------------------------ */

/* A pane may answer any of them (REPLY_DRAW, REPLY_STAY) or leave it to the frame (REPLY_IGNORED).
 * UP..SELECT_ALL mean nothing to the frame itself. */
// clang-format off
#define FRAME_COMMANDS(X) \
    X(UP,        "up",            "k Up",            NULL,      "one row up")                               \
    X(DOWN,      "down",          "j Down",          NULL,      "one row down")                             \
    X(LEFT,      "left",          "h Left",          NULL,      "one column or step to the left")           \
    X(RIGHT,     "right",         "l Right",         NULL,      "one column or step to the right")          \
    X(TOP,       "top",           "g",               NULL,      "to the first row")                         \
    X(BOTTOM,    "bottom",        "G",               NULL,      "to the last row")                          \
    X(PAGE_UP,   "page-up",       "PgUp Ctrl-B",     NULL,      "one page up")                              \
    X(PAGE_DOWN, "page-down",     "PgDn Ctrl-F",     NULL,      "one page down")                            \
    X(FIRST,     "first-column",  "0 Home ^",        NULL,      "to the first column")                      \
    X(LAST,      "last-column",   "$ End",           NULL,      "to the last column")                       \
    X(OPEN,      "open",          "Enter",           NULL,      "into what is under the cursor")            \
    X(BACK,      "back",          "Esc q",           NULL,      "back, out of what is open")                \
    X(NEXT_PART, "next-part",     "Tab",             NULL,      "to the next part of the pane")             \
    X(PREV_PART, "previous-part", "Shift-Tab",       NULL,      "to the previous part of the pane")         \
    X(SEARCH,    "search",        "/",               NULL,      "search here")                              \
    X(NEXT,      "next-match",    "n",               NULL,      "to the next match")                        \
    X(PREVIOUS,  "previous-match","N",               NULL,      "to the match before")                      \
    X(MARK,      "mark",          "Space",           NULL,      "mark or switch what is under the cursor")  \
    X(UNDO,      "undo",          "u",               NULL,      "take back the last change")                \
    X(REDO,      "redo",          "Ctrl-R",          NULL,      "make it again")                            \
    X(COPY,      "copy",          "y",               NULL,      "copy what is under the cursor")            \
    X(MAXIMISE,  "maximise",      "O",               NULL,      "give the part with the keys all the room") \
    X(HELP,      "help",          "? F1",            "help",    "what every key does")                      \
    X(PALETTE,   "palette",       "Ctrl-P",          "palette", "find anything: commands, panes, datasets, runs, themes") \
    X(COMMAND,   "command",       ":",               "command", "a command line, the same as in the shell") \
    X(CANCEL,    "cancel-task",   "Ctrl-C",          NULL,      "stop the running task; never a training")  \
    X(PANE_1,    "pane-1",        "1",               NULL,      "to the first pane")                        \
    X(PANE_2,    "pane-2",        "2",               NULL,      "to the second pane")                       \
    X(PANE_3,    "pane-3",        "3",               NULL,      "to the third pane")                        \
    X(PANE_4,    "pane-4",        "4",               NULL,      "to the fourth pane")                       \
    X(PANE_5,    "pane-5",        "5",               NULL,      "to the fifth pane")                        \
    X(PANE_6,    "pane-6",        "6",               NULL,      "to the sixth pane")                        \
    X(PANE_7,    "pane-7",        "7",               NULL,      "to the seventh pane")                      \
    X(PANE_8,    "pane-8",        "8",               NULL,      "to the eighth pane")                       \
    X(PANE_9,    "pane-9",        "9",               NULL,      "to the ninth pane")                        \
    X(NEXT_PANE, "next-pane",     "] Ctrl-Right",    NULL,      "to the pane on the right")                 \
    X(PREV_PANE, "previous-pane", "[ Ctrl-Left",     NULL,      "to the pane on the left")                  \
    X(THEMES,    "themes",        "T",               NULL,      "choose the colours, each shown as it is")  \
    X(WRITE,     "write-view",    "Ctrl-E",          NULL,      "write the table or the chart shown to a file (CSV, Markdown, PNG, SVG, PDF)") \
    X(RECORD,    "record",        "F3",              NULL,      "record keys as a macro, until it is pressed again") \
    X(REPLAY,    "replay-keys",   "F4",              NULL,      "play the keys recorded last; :replay FILE plays a file") \
    X(NEWS,      "messages",      "M",               NULL,      "the messages so far")                      \
    X(REDRAW,    "redraw",        "Ctrl-L",          NULL,      "draw the screen anew")                     \
    X(SUSPEND,   "suspend",       "Ctrl-Z",          NULL,      "back to the shell; fg returns")            \
    X(QUIT,      "quit",          "Q",               "quit",    "leave; trainings go on")
// clang-format on
#define AS_ENUM(id, name, keys, hint, help) UI_##id,
enum FrameCommand { UI_NONE_, FRAME_COMMANDS(AS_ENUM) UI_COMMAND_COUNT };
#undef AS_ENUM
extern const KeyRow frame_commands[];

#define PANE_COMMANDS 100 /* a pane's own commands count from here */

#endif
