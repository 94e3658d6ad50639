/* runs_undo.c -- how the Runs pane is set, as a text for `u`: columns, filter, search, order, groups, baseline, marks. */
#include "runs_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool runs_keep(const void *state, Text *into)
{
    const RunsState *s = state;
    runs_columns_text(s, into);
    text_printf(into, "\n%s\n%s\n%s\n%d %d %lld\n", s->filter, s->find, s->sort, s->down, s->grouped,
                (long long)s->baseline);
    ui_marks_keep(s->ui, into);
    return true;
}

bool runs_put(void *state, const char *kept, Ui *ui)
{
    RunsState *s = state;
    char *copy = text_copy(kept), *rest = copy;
    const char *columns = strsep(&rest, "\n"), *filter = strsep(&rest, "\n"), *find = strsep(&rest, "\n");
    const char *sort = strsep(&rest, "\n"), *numbers = strsep(&rest, "\n");
    int down = 0, grouped = 0;
    long long baseline = 0;
    sscanf(numbers ? numbers : "", "%d %d %lld", &down, &grouped, &baseline);
    runs_columns_set(s, columns);
    snprintf(s->filter, sizeof s->filter, "%s", filter);
    snprintf(s->find, sizeof s->find, "%s", find);
    snprintf(s->sort, sizeof s->sort, "%s", sort);
    s->down = down;
    s->baseline = baseline;
    ui_set_setting(ui, "runs-filter", s->filter);
    ui_marks_put(ui, rest ? rest : "");
    if (s->grouped != (grouped != 0))
        runs_group(s);
    runs_arrange(s);
    runs_remember(s);
    mem_free(copy);
    return true;
}
