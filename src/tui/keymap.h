/* keymap.h -- the key tables as the user wants them: copies of the tables of the frame and the panes in
 * which a file gave commands other keys.
 *
 *     # ~/.config/lathe/keys
 *     [runs]
 *     stop-run = X
 *     [everywhere]
 *     quit = Ctrl-Q Q
 */
#ifndef LATHE_TUI_KEYMAP_H
#define LATHE_TUI_KEYMAP_H

#include "pane.h"

typedef struct KeyTables {
    Arena arena;
    KeyRow *frame;
    KeyRow *pane[16]; /* in the order of panes */
} KeyTables;

void keymap_normal(KeyTables *k); /* as they are in the tables */
/* "keys: line 3: no command stop-runn in [runs], did you mean stop-run?" leaves k as it was. */
bool keymap_read(KeyTables *k, const char *path, Error *err);
void keymap_release(KeyTables *k);
/* LATHE_KEYS, keys in the workspace, lathe/keys in the user's settings: the first that is there; else "". */
void keymap_path(const char *workspace, char *out, size_t size);

#endif
