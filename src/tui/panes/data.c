/* data.c -- pane 1, Data (first form). */
#include "src/tui/ui.h"
