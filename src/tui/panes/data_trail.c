/* data_trail.c -- from view to view and back, and the column in focus. */
#include "data_int.h"

const ViewKind *data_view(const DataState *s)
{
#define AS_ENTRY(name, word) &data_##word##_view,
    static const ViewKind *const views[] = {DATA_VIEWS(AS_ENTRY)};
#undef AS_ENTRY
    return views[s->view];
}

/* A view that is on the way already is gone back to: the way does not grow in circles. */
void data_show(DataState *s, DataView view, Ui *ui)
{
    s->in_list = false;
    if (view == s->view)
        return;
    size_t i = 0;
    while (i < s->trail_count && s->trail[i] != view)
        i++;
    if (view == VIEW_TABLE)
        i = 0;
    if (view == VIEW_TABLE || i < s->trail_count)
        s->trail_count = i;
    else if (s->trail_count < TRAIL_MOST)
        s->trail[s->trail_count++] = s->view;
    s->view = view;
    data_focus(s, s->focus);
    if (data_view(s)->enter)
        data_view(s)->enter(s, ui);
}

bool data_view_back(DataState *s)
{
    if (s->view == VIEW_TABLE)
        return false;
    s->view = s->trail_count ? s->trail[--s->trail_count] : VIEW_TABLE;
    data_focus(s, s->focus);
    return true;
}

void data_focus(DataState *s, size_t column)
{
    s->focus = column < s->columns ? column : 0;
    size_t place = data_place(s, s->focus);
    if (place != SIZE_MAX)
        s->table.col = place;
    s->schema.at = s->form.at = s->focus;
    for (size_t i = 0; i < s->columns; i++)
        if (s->describe_order[i] == s->focus)
            s->describe.at = i;
}
