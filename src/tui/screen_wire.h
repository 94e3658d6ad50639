/* screen_wire.h -- what curses writes, on its way to the terminal: without the looks the terminal has already, and
 * counted.
 *
 * curses names both colours at every change of either, gives up all of them before bold and after it, and once more
 * at the end of each frame: two thirds of what a live chart sends. A Wire reads the looks out of the stream (SGR, the
 * sequences that end in m) and sends, before the next thing that is painted, what differs from the look in force.
 * What it does not know goes through as it is. */
#ifndef LATHE_TUI_SCREEN_WIRE_H
#define LATHE_TUI_SCREEN_WIRE_H

#include <lathe/base.h>

typedef struct WireLook {
    unsigned attrs;          /* a bit for each of SGR 1 to 9 */
    char fore[24], back[24]; /* as asked for: "38;5;215", "44"; "" the terminal's own */
} WireLook;

typedef struct Wire {
    WireLook asked, now; /* by curses; in force at the terminal */
    bool unsure;         /* what is in force, somebody else may have written: the next look is sent whole */
    Text out;
    int terminal, caught; /* descriptors: curses', and the file that stands in for it during a frame; 0: none */
    int spare;            /* the terminal meanwhile */
    size_t sent;          /* bytes in all */
} Wire;

/* Appends to `out` what is left of these bytes. At their end the look asked for last is in force: curses ends a
 * frame with the terminal's own, so that whoever writes between two frames has no colours of ours. */
void wire_thin(Wire *w, const char *bytes, size_t n);

void wire_init(Wire *w, int terminal); /* the descriptor curses writes to, of nobody else */
void wire_release(Wire *w);
void wire_catch(Wire *w);              /* from here on, */
void wire_send(Wire *w);               /* until here; in one write */
void wire_count(Wire *w, size_t bytes); /* sent by another way */

#endif
