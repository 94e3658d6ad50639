/* messages.c -- what was said so far, newest first; Enter goes to where it happened. */
#include "tui_int.h"

#include <stdio.h>
#include <string.h>

typedef struct Messages {
    Overlay overlay;
    char title[100];
    Table table;
    Ui *ui;
} Messages;

enum { ZONE_MESSAGES = 1, MESSAGES_GO = PANE_COMMANDS, MESSAGES_LEAVE, MESSAGES_COPY };
static const KeyRow messages_keys[] = {{MESSAGES_GO, "go", "Enter", "go there", "to where it happened", 0},
                                       {UI_DOWN, "down", "j Down", "down", "the one before", 0},
                                       {UI_UP, "up", "k Up", NULL, "the one after", 0},
                                       {MESSAGES_COPY, "copy", "y", "copy", "copy the line", 0},
                                       {MESSAGES_LEAVE, "leave", "Esc q", "close", "back to the pane", 0},
                                       {0}};

static const TableColumn columns[] = {{.title = "Time", .width = 8}, {.title = "Where", .width = 10},
                                      {.title = "What", .width = 10, .stretch = true}};

static const Message *message_at(const Messages *m, uint64_t row)
{
    size_t n = m->ui->messages.count;
    return row < n ? &m->ui->messages.at[n - 1 - row] : NULL;
}

static void cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const Message *m = message_at(context, row);
    if (!m)
        return;
    if (column == 0) {
        Text when = {0};
        time_format(m->time, &when);
        text_printf(out->text, "%.8s", text_str(&when) + (when.count > 11 ? 11 : 0));
        text_release(&when);
        out->style = STYLE_DIM;
    } else if (column == 1) {
        if (m->run)
            text_printf(out->text, "run %lld", (long long)m->run);
        else
            text_puts(out->text, m->pane);
        out->style = STYLE_ACCENT;
    } else {
        text_puts(out->text, m->text);
        out->style = m->style;
    }
}

static TableSource source(const Messages *m)
{
    return (TableSource){.context = m, .rows = m->ui->messages.count, .columns = 3, .column = columns, .cell = cell,
                         .empty = "Nothing has been said yet."};
}

static void messages_layout(Overlay *o, const Ui *ui, int rows, int cols)
{
    (void)ui;
    Messages *m = (Messages *)o;
    TableSource src = source(m);
    table_layout(&m->table, &src, rows - 4, cols - 6);
}

static void messages_draw(const Overlay *o, const Canvas *screen, const Ui *ui)
{
    const Messages *m = (const Messages *)o;
    TableSource src = source(m);
    int rows = (int)ui->messages.count + 3 < 8 ? 8 : (int)ui->messages.count + 3;
    Canvas in = overlay_box(screen, rows < screen->rows - 2 ? rows : screen->rows - 2, 110, m->title,
                            "Enter goes there");
    canvas_fill(&in, STYLE_PLAIN);
    table_draw(&m->table, &src, &in, true, ZONE_MESSAGES);
}

static void go(Messages *m, Ui *ui)
{
    const Message *at = message_at(m, m->table.at);
    int64_t run = at ? at->run : 0;
    char pane[16] = "";
    if (at)
        snprintf(pane, sizeof pane, "%s", at->pane);
    overlay_close(ui, m);
    if (run)
        ui_choose_run(ui, run);
    if (*pane)
        ui_go(ui, pane);
}

static void messages_key(Overlay *o, Key key, Ui *ui)
{
    Messages *m = (Messages *)o;
    TableSource src = source(m);
    const KeyRow *row = key_find(messages_keys, key, 1, false);
    row = row ? row : key_find(ui->keymap.frame, key, 1, false);
    switch (row ? row->command : 0) {
    case MESSAGES_GO:
        go(m, ui);
        break;
    case MESSAGES_LEAVE:
    case UI_CANCEL:
        overlay_close(ui, m);
        break;
    case MESSAGES_COPY:
        if (message_at(m, m->table.at))
            ui_copy(ui, message_at(m, m->table.at)->text);
        break;
    default:
        if (row)
            table_command(&m->table, &src, row->command);
    }
}

static void messages_mouse(Overlay *o, const Mouse *mouse, Ui *ui)
{
    Messages *m = (Messages *)o;
    TableSource src = source(m);
    if (mouse->id == ZONE_MESSAGES)
        table_mouse(&m->table, &src, mouse);
    if (mouse->id == ZONE_MESSAGES && mouse->kind == MOUSE_DOUBLE)
        go(m, ui);
}

static const OverlayKind messages_kind = {.name = "messages",
                                          .size = sizeof(Messages),
                                          .layout = messages_layout,
                                          .draw = messages_draw,
                                          .on_key = messages_key,
                                          .on_mouse = messages_mouse,
                                          .keys = messages_keys};

void messages_open(Ui *ui, const char *title)
{
    Messages *m = overlay_open(ui, &messages_kind);
    snprintf(m->title, sizeof m->title, "%s", title);
    m->ui = ui;
}
