/* whatif.h -- a row as a form: change a value, see the prediction and what each column does to it. */
#ifndef LATHE_TUI_WHATIF_H
#define LATHE_TUI_WHATIF_H

#include "ui.h"

/* Of a run that has a model, beginning with a row of its dataset. */
void ui_whatif(Ui *ui, int64_t run, uint64_t row);

#endif
