/* runs_remember.c -- how the runs were looked at in the session before: baseline, order, groups, filter. */
#include "runs_int.h"

#include <stdio.h>
#include <string.h>

void runs_remember(RunsState *s)
{
    char text[160];
    snprintf(text, sizeof text, "%lld %d %d %s", (long long)s->baseline, s->down, s->grouped, s->sort);
    s->look_known = true;
    ui_set_setting(s->ui, "runs-look", text);
}

static void restore_look(RunsState *s)
{
    const char *known = s->look_known ? NULL : ui_setting(s->ui, "runs-look");
    long long baseline;
    int down, grouped, n = 0;
    if (!known || !ui_snapshot(s->ui)->runs)
        return;
    s->look_known = true;
    if (sscanf(known, "%lld %d %d %n", &baseline, &down, &grouped, &n) != 3 || !n)
        return;
    s->baseline = baseline;
    s->down = down != 0;
    s->grouped = grouped != 0;
    snprintf(s->sort, sizeof s->sort, "%s", known + n);
    runs_arrange(s);
}

/* The filter of the session before, once the workspace has said it and the fields it names are read. */
static void restore_filter(RunsState *s)
{
    const char *known = s->filter_known ? NULL : ui_setting(s->ui, "runs-filter");
    Error err = {0};
    if (!known || !ui_snapshot(s->ui)->runs)
        return;
    if (*known && !runs_filter_check(s, known, &err))
        return;
    s->filter_known = true;
    snprintf(s->filter, sizeof s->filter, "%s", known);
    runs_arrange(s);
}

void runs_restore(RunsState *s)
{
    restore_look(s);
    restore_filter(s);
}
