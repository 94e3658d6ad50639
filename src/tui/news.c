/* news.c -- what happened to the runs: said and notified when it happens, and at the start what happened while
 * no workbench was looking; each piece leads to where it can be seen. */
#include "tui_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISK_LOW (1024.0 * 1024.0 * 1024.0) /* bytes */

/* ---- beyond the terminal -------------------------------------------------------------------------------- */

static void notify(Ui *ui, const char *text)
{
    const char *how = ui_setting(ui, "notify");
    char clean[200];
    Text out = {0};
    size_t n = 0;
    if (text_equal(how, "off"))
        return;
    for (; *text && n + 1 < sizeof clean; text++)
        if ((unsigned char)*text >= 32 && *text != ';' && *text != 127)
            clean[n++] = *text;
    clean[n] = 0;
    text_putc(&out, '\a');
    screen_raw(ui->screen, text_str(&out), out.count);
    text_reset(&out);
    if (!text_equal(how, "bell")) { /* iTerm2, kitty, Windows Terminal; rxvt, foot, VTE, Ghostty */
        text_printf(&out, "\033]9;%s\a", clean);
        ui_escape(ui, text_str(&out), out.count);
        text_reset(&out);
        text_printf(&out, "\033]777;notify;lathe;%s\a", clean);
        ui_escape(ui, text_str(&out), out.count);
    }
    text_release(&out);
}

/* ---- runs ---------------------------------------------------------------------------------------------------- */

/* The best of all runs of the same task on the same data, and not the first of them. */
static bool is_record(const Snapshot *s, const RunRow *r)
{
    bool others = false;
    for (size_t i = 0; i < s->runs; i++) {
        const RunRow *o = &s->run[i];
        if (o->id == r->id || strcmp(o->dataset, r->dataset) != 0 || strcmp(o->target, r->target) != 0 ||
            strcmp(o->monitor, r->monitor) != 0 || !isfinite(o->best))
            continue;
        others = true;
        const char *name = strchr(r->monitor, '_');
        const Metric *m = name ? metric_find(name + 1) : NULL;
        if (m && m->larger_is_better ? o->best >= r->best : o->best <= r->best)
            return false;
    }
    return others && isfinite(r->best);
}

static Style end_text(const Snapshot *s, const RunRow *r, char *into, size_t size)
{
    char number[100] = "";
    if (isfinite(r->best) && *r->monitor)
        snprintf(number, sizeof number, ": best %s %.4g%s", r->monitor, r->best,
                 is_record(s, r) ? ", better than any before" : "");
    switch (r->status) {
    case RUN_FINISHED:
        snprintf(into, size, "%s finished%s", r->name, number);
        return STYLE_GOOD;
    case RUN_FAILED:
        snprintf(into, size, "%s failed: %s", r->name, *r->message ? r->message : "no reason was written");
        return STYLE_BAD;
    default:
        snprintf(into, size, "%s was killed at step %lld; it can go on from its checkpoint", r->name,
                 (long long)r->step);
        return STYLE_WARN;
    }
}

static bool say_end(Ui *ui, const Snapshot *s, const RunRow *r)
{
    char text[400];
    if (r->status != RUN_FINISHED && r->status != RUN_FAILED && r->status != RUN_KILLED)
        return false;
    Style style = end_text(s, r, text, sizeof text);
    ui_news(ui, style, "train", r->id, "%s", text);
    return true;
}

static void say_drift(Ui *ui, const Snapshot *s, const DriftRow *d)
{
    const DatasetRow *from = snapshot_dataset(s, d->reference), *to = snapshot_dataset(s, d->current);
    ui_news(ui, STYLE_WARN, "drift", 0, "%s drifted from %s", to ? to->name : d->current,
            from ? from->name : d->reference);
}

/* Those that nobody has said to have seen, raised since. */
static size_t say_alerts(Ui *ui, const Snapshot *s, int64_t since)
{
    size_t told = 0;
    for (size_t i = s->alerts; i-- > 0;)
        if (s->alert[i].raised > since && text_equal(s->alert[i].state, "raised")) {
            ui_news(ui, STYLE_WARN, "watch", 0, "%s: %s", s->alert[i].deployment, s->alert[i].text);
            told++;
        }
    return told;
}

static bool say_disk(Ui *ui, const Snapshot *s)
{
    bool low = s->disk_total > 0 && (s->disk_free < DISK_LOW || s->disk_free < 0.02 * s->disk_total);
    if (low && !ui->disk_said) {
        Text free = {0};
        text_add_bytes(&free, s->disk_free);
        ui_news(ui, STYLE_WARN, "data", 0, "the disk of the workspace has %s left; :gc frees what nothing refers to",
                text_str(&free));
        text_release(&free);
    }
    bool said = low && !ui->disk_said;
    ui->disk_said = low;
    return said;
}

/* Of a snapshot without any: all that come are new. */
static int64_t newest_alert(const Snapshot *s)
{
    int64_t newest = 0;
    for (size_t i = 0; i < s->alerts; i++)
        newest = s->alert[i].raised > newest ? s->alert[i].raised : newest;
    return newest;
}

void news_changed(Ui *ui, const Snapshot *old, const Snapshot *now)
{
    for (size_t i = now->runs; i-- > 0;) {
        const RunRow *was = snapshot_run(old, now->run[i].id);
        char text[400];
        if (!was || !run_is_active(was) || run_is_active(&now->run[i]) || !say_end(ui, now, &now->run[i]))
            continue;
        end_text(now, &now->run[i], text, sizeof text);
        notify(ui, text);
    }
    say_alerts(ui, now, newest_alert(old));
    say_disk(ui, now);
}

void news_while_away(Ui *ui, const Snapshot *now)
{
    const char *seen = ui_setting(ui, "seen");
    int64_t since = seen ? strtoll(seen, NULL, 10) : 0;
    size_t told = 0, going = 0;
    for (size_t i = now->runs; i-- > 0 && since;) {
        going += run_is_active(&now->run[i]);
        if (now->run[i].ended > since && !run_is_active(&now->run[i]))
            told += say_end(ui, now, &now->run[i]);
    }
    for (size_t i = now->drifts; i-- > 0 && since;)
        if (now->drift[i].created > since && now->drift[i].drifted) {
            say_drift(ui, now, &now->drift[i]);
            told++;
        }
    told += since ? say_alerts(ui, now, since) : 0;
    told += say_disk(ui, now) && since;
    if (!told)
        return;
    char title[100];
    snprintf(title, sizeof title, "While you were away%s", going ? " (a run still goes on)" : "");
    messages_open(ui, title);
}

void news_seen(Ui *ui)
{
    char now[32];
    snprintf(now, sizeof now, "%lld", (long long)time_now());
    ui_set_setting(ui, "seen", now);
}
