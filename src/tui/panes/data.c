/* data.c -- pane 1, Data: the datasets of the workspace. */
#include "../ui.h"
#include "../widgets.h"

#include <string.h>

enum { ZONE_LIST = 1 };
enum { DATA_INGEST = PANE_COMMANDS };

typedef struct DataState {
    Table list;
    const Snapshot *known;
} DataState;

static const KeyRow keys[] = {{UI_OPEN, "open-dataset", "Enter", "open", "work on the dataset under the cursor", 0},
                              {DATA_INGEST, "ingest", "o", "open file", "read a file, an address or a folder into a dataset", 0},
                              {0}};

static const TableColumn columns[] = {{.title = "dataset", .width = 24}, {.title = "rows", .width = 9, .align = ALIGN_RIGHT}};

static void cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const Snapshot *s = context;
    if (column == 0)
        text_puts(out->text, s->dataset[row].name);
    else
        text_add_count(out->text, (double)s->dataset[row].rows);
}

static TableSource source(const Snapshot *s)
{
    return (TableSource){.context = s, .rows = s->datasets, .columns = 2, .column = columns, .cell = cell,
                         .empty = "No datasets yet.\n\nPress o to open a CSV file, or :ingest PATH."};
}

static bool tick(void *state, Ui *ui)
{
    ((DataState *)state)->known = ui_snapshot(ui);
    return true;
}

static void layout(void *state, int rows, int cols, Ui *ui)
{
    DataState *s = state;
    TableSource list = source(ui_snapshot(ui));
    table_layout(&s->list, &list, rows - 2, cols - 2);
}

static void draw(const void *state, const Canvas *c, const Ui *ui)
{
    const DataState *s = state;
    TableSource list = source(ui_snapshot(ui));
    Canvas in = canvas_box(c, STYLE_BORDER_ACTIVE, "Datasets", NULL);
    table_draw(&s->list, &list, &in, true, ZONE_LIST);
}

static Reply on_command(void *state, int command, Ui *ui)
{
    DataState *s = state;
    TableSource list = source(ui_snapshot(ui));
    if (command == DATA_INGEST) {
        ui_prompt(ui, "ingest ");
        return REPLY_DRAW;
    }
    if (command == UI_OPEN && list.rows) {
        ui_choose_dataset(ui, ui_snapshot(ui)->dataset[s->list.at].hash);
        return REPLY_DRAW;
    }
    return table_command(&s->list, &list, command);
}

const Pane data_pane = {.name = "data", .title = "Data", .about = "browse tables and their schema", .keys = keys,
                        .state_size = sizeof(DataState), .tick = tick, .layout = layout, .draw = draw,
                        .on_command = on_command};
