/* params_write.c -- the set-up of the Params pane as a table for a file: every hyperparameter with its value. */
#include "params_int.h"

enum { WRITE_NAME, WRITE_VALUE, WRITE_DEFAULT, WRITE_UNIT, WRITE_GROUP, WRITE_HELP, WRITE_COLUMNS };
static const TableColumn columns[WRITE_COLUMNS] = {
    [WRITE_NAME] = {.title = "name"},       [WRITE_VALUE] = {.title = "value"},
    [WRITE_DEFAULT] = {.title = "default"}, [WRITE_UNIT] = {.title = "unit"},
    [WRITE_GROUP] = {.title = "group"},     [WRITE_HELP] = {.title = "help"},
};

/* The rows before the form's: what is learnt from what. */
static const char *const setup_names[] = {"family", "target", "split", "seed", "name", "features"};
#define SETUP (sizeof setup_names / sizeof *setup_names)

static void setup_value(const ParamsState *s, uint64_t row, Text *into)
{
    switch (row) {
    case 0:
        text_puts(into, setup_form(s)->family->name);
        break;
    case 1:
        text_puts(into, s->target);
        break;
    case 2:
        text_puts(into, s->split);
        break;
    case 3:
        text_printf(into, "%lld", (long long)s->seed);
        break;
    case 4:
        text_puts(into, s->name);
        break;
    default:
        setup_features(s, into);
    }
}

static void cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const ParamsState *s = context;
    const FamilyForm *f = setup_form(s);
    if (row < SETUP) {
        if (column == WRITE_NAME)
            text_puts(out->text, setup_names[row]);
        else if (column == WRITE_VALUE)
            setup_value(s, row, out->text);
        else if (column == WRITE_GROUP)
            text_puts(out->text, "set-up");
        return;
    }
    const FormField *field = &f->field[row - SETUP];
    const char *texts[WRITE_COLUMNS] = {[WRITE_NAME] = field->row->name,
                                        [WRITE_UNIT] = field->row->unit,
                                        [WRITE_GROUP] = field->group,
                                        [WRITE_HELP] = field->row->help};
    if (column == WRITE_VALUE)
        param_get(field->row, field->settings, out->text);
    else if (column == WRITE_DEFAULT)
        param_default(field->row, out->text);
    else
        text_puts(out->text, texts[column] ? texts[column] : "");
}

bool params_table_shown(const void *state, TableSource *out)
{
    const ParamsState *s = state;
    if (!setup_form(s))
        return false;
    *out = (TableSource){.context = s,
                         .rows = SETUP + setup_form(s)->count,
                         .columns = WRITE_COLUMNS,
                         .column = columns,
                         .cell = cell};
    return true;
}
