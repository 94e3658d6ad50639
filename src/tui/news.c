/* news.c -- what happened to the runs: said when it happens, and at the start what happened while no
 * workbench was looking. */
#include "tui_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say_end(Ui *ui, const RunRow *r)
{
    char number[60] = "";
    if (isfinite(r->best) && *r->monitor)
        snprintf(number, sizeof number, ": best %s %.4g", r->monitor, r->best);
    switch (r->status) {
    case RUN_FINISHED:
        ui_say(ui, STYLE_GOOD, "%s finished%s", r->name, number);
        break;
    case RUN_FAILED:
        ui_say(ui, STYLE_BAD, "%s failed: %s", r->name,
               *r->message ? r->message : "no reason was written");
        break;
    case RUN_KILLED:
        ui_say(ui, STYLE_WARN, "%s was killed at step %lld; it can go on from its checkpoint",
               r->name, (long long)r->step);
        break;
    default:
        break;
    }
}

void news_changed(Ui *ui, const Snapshot *old, const Snapshot *now)
{
    for (size_t i = now->runs; i-- > 0;) {
        const RunRow *was = snapshot_run(old, now->run[i].id);
        if (was && run_is_active(was) && !run_is_active(&now->run[i]))
            say_end(ui, &now->run[i]);
    }
}

void news_while_away(Ui *ui, const Snapshot *now)
{
    const char *seen = ui_setting(ui, "seen");
    int64_t since = seen ? strtoll(seen, NULL, 10) : 0;
    size_t ended = 0, going = 0;
    for (size_t i = now->runs; i-- > 0 && since;) {
        const RunRow *r = &now->run[i];
        going += run_is_active(r);
        if (r->ended > since && !run_is_active(r)) {
            say_end(ui, r);
            ended++;
        }
    }
    if (ended > 1)
        ui_say(ui, STYLE_INFO,
               "while you were away %zu runs ended, %zu go on (M shows the messages)", ended,
               going);
}

void news_seen(Ui *ui)
{
    char now[32];
    snprintf(now, sizeof now, "%lld", (long long)time_now());
    ui_set_setting(ui, "seen", now);
}
