/* panes.c -- the registry of panes, made from the one list in pane.h. */
#include "pane.h"

#define AS_ENTRY(name) &name##_pane,
const Pane *const panes[] = {PANES(AS_ENTRY) NULL};
