/* style.h -- the roles a piece of the screen can play. A theme gives each role its colours.
 *
 * A Style is a role, or the letters of one role on the ground of another (style_on): a missing
 * value in the row under the cursor is style_on(STYLE_MISSING, STYLE_CURSOR). Never a colour. */
#ifndef LATHE_TUI_STYLE_H
#define LATHE_TUI_STYLE_H

#include <stdint.h>

/* name in theme files, how it looks without colours (b bold, d dim, r reverse, u underline, i italic),
 * 16-colour fallback (a name, see theme.c), meaning */
// clang-format off
#define STYLES(X) \
    X(PLAIN,         "plain",         "",   "default",       "ordinary text")                         \
    X(DIM,           "dim",           "d",  "gray",          "what may be skipped")                   \
    X(STRONG,        "strong",        "b",  "white",         "what must be seen")                     \
    X(ACCENT,        "accent",        "b",  "cyan",          "the place where things happen")         \
    X(TITLE,         "title",         "b",  "white",         "name of a part of the screen")          \
    X(BORDER,        "border",        "d",  "gray",          "lines between parts")                   \
    X(BORDER_ACTIVE, "border-active", "b",  "cyan",          "lines around the part with the keys")   \
    X(HEADER,        "header",        "b",  "cyan",          "names above columns")                   \
    X(CURSOR,        "cursor",        "r",  "black cyan",    "the row under the cursor")              \
    X(CURSOR_IDLE,   "cursor-idle",   "u",  "white blue",    "the same where the keys do not go")     \
    X(CELL,          "cell",          "rb", "black white",   "the cell under the cursor")             \
    X(MARK,          "mark",          "b",  "yellow",        "chosen rows")                           \
    X(MATCH,         "match",         "ru", "black yellow",  "found by a search")                     \
    X(TAB,           "tab",           "",   "gray",          "a pane that is not shown")              \
    X(TAB_ACTIVE,    "tab-active",    "r",  "black cyan",    "the pane that is shown")                \
    X(TAB_KEY,       "tab-key",       "b",  "white",         "the digit of a pane")                   \
    X(STATUS,        "status",        "r",  "white blue",    "the status line")                       \
    X(STATUS_DIM,    "status-dim",    "r",  "gray blue",     "less on the status line")               \
    X(STATUS_STRONG, "status-strong", "rb", "yellow blue",   "more on the status line")               \
    X(HINT_KEY,      "hint-key",      "b",  "yellow",        "a key in the line of hints")            \
    X(HINT,          "hint",          "",   "gray",          "what that key does")                    \
    X(GOOD,          "good",          "b",  "green",         "went well, better than before")         \
    X(WARN,          "warn",          "b",  "yellow",        "look at this")                          \
    X(BAD,           "bad",           "rb", "red",           "failed, worse than before")             \
    X(INFO,          "info",          "",   "cyan",          "good to know")                          \
    X(MISSING,       "missing",       "d",  "gray",          "a value that is not there")             \
    X(NUMBER,        "number",        "",   "default",       "numbers in a table")                    \
    X(TEXT,          "text",          "",   "default",       "words in a table")                      \
    X(TIME,          "time",          "",   "default",       "dates and times in a table")            \
    X(BOOL,          "bool",          "",   "default",       "true and false in a table")             \
    X(KEYWORD,       "keyword",       "b",  "magenta",       "words of the recipe language")          \
    X(STRING,        "string",        "",   "green",         "quoted text in a recipe or a command")  \
    X(POPUP,         "popup",         "",   "white black",   "ground of menus and dialogs")           \
    X(POPUP_BORDER,  "popup-border",  "b",  "cyan black",    "their frame")                           \
    X(POPUP_DIM,     "popup-dim",     "d",  "gray black",    "less in a dialog")                      \
    X(POPUP_CURSOR,  "popup-cursor",  "r",  "black cyan",    "the choice under the cursor")           \
    X(INPUT,         "input",         "u",  "white black",   "where text is typed")                   \
    X(ROLE_FEATURE,  "role-feature",  "",   "cyan",          "a column that is an input")             \
    X(ROLE_TARGET,   "role-target",   "b",  "yellow",        "the column that is predicted")          \
    X(ROLE_IGNORE,   "role-ignore",   "d",  "gray",          "a column that is left out")             \
    X(AXIS,          "axis",          "d",  "gray",          "axes and their numbers")                \
    X(GRID,          "grid",          "d",  "gray",          "lines behind a chart")                  \
    X(EVENT,         "event",         "b",  "magenta",       "something that happened, on a chart")   \
    X(CROSS,         "cross",         "b",  "white",         "the crosshair")                         \
    X(BAR,           "bar",           "",   "cyan",          "bars and the done part of progress")    \
    X(BAR_BACK,      "bar-back",      "d",  "gray",          "the part still to do")                  \
    X(BEFORE,        "before",        "d",  "gray",          "a distribution before, the reference")  \
    X(AFTER,         "after",         "b",  "cyan",          "a distribution after, the current one") \
    X(TRAIN,         "train",         "",   "cyan",          "the training part")                     \
    X(VALID,         "valid",         "b",  "yellow",        "the validation part")                   \
    X(TEST,          "test",          "",   "magenta",       "the test part")                         \
    X(HEAT_1,        "heat-1",        "d",  "blue blue",     "few rows in a cell of a grid")          \
    X(HEAT_2,        "heat-2",        "d",  "bright-blue bright-blue", "more of them")                \
    X(HEAT_3,        "heat-3",        "",   "magenta magenta", "more of them")                        \
    X(HEAT_4,        "heat-4",        "b",  "yellow yellow", "many rows")                             \
    X(HEAT_5,        "heat-5",        "b",  "white white",   "most rows")                             \
    X(MINUS_1,       "minus-1",       "",   "cyan",          "a weak negative correlation")           \
    X(MINUS_2,       "minus-2",       "b",  "black cyan",    "a negative correlation")                \
    X(MINUS_3,       "minus-3",       "rb", "white blue",    "a strong negative correlation")         \
    X(PLUS_1,        "plus-1",        "",   "yellow",        "a weak positive correlation")           \
    X(PLUS_2,        "plus-2",        "b",  "black yellow",  "a positive correlation")                \
    X(PLUS_3,        "plus-3",        "rb", "white red",     "a strong positive correlation")
// clang-format on

#define AS_ENUM(name, text, mono, sixteen, about) STYLE_##name,
typedef enum StyleRole { STYLES(AS_ENUM) STYLE_SERIES } StyleRole;
#undef AS_ENUM

#define SERIES_COLOURS 10
#define STYLE_COUNT (STYLE_SERIES + SERIES_COLOURS)

typedef uint32_t Style;

/* The letters of `fore` on the ground of `back`. */
static inline Style style_on(Style fore, Style back)
{
    return (fore & 0xffu) | ((back & 0xffu) + 1u) << 8;
}
/* The colour that stays with number i (a run, a curve) for ever. */
static inline Style style_series(uint64_t i)
{
    return STYLE_SERIES + (Style)(i % SERIES_COLOURS);
}

#endif
