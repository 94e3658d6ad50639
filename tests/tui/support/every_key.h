/* every_key.h -- every key of every pane, pressed. For tests. */
#ifndef LATHE_TEST_EVERY_KEY_H
#define LATHE_TEST_EVERY_KEY_H

#include <stdbool.h>

/* Each does something that is seen, or says why it cannot; else the test fails. empty: in a workspace without
 * data and runs. */
void press_every_key(bool empty);

#endif
