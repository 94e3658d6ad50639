/* set.c -- `:set NAME VALUE`: the few settings of the screen itself, kept with the workspace. */
#include "tui_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const notify_names[] = {"all", "bell", "off", NULL};

typedef struct ScreenSetting {
    const char *name, *normal, *values, *about;
    const char *const *picks; /* NULL: a number, */
    double most;              /* whole, from 0 to this; 0: of bytes */
    void (*apply)(Ui *ui, const char *value);
} ScreenSetting;

static void apply_escape(Ui *ui, const char *value)
{
    int64_t ms;
    if (text_to_int(value, strlen(value), &ms))
        screen_escape_wait(ui->screen, (int)ms);
}

static const char *const dots_names[] = {"auto", "braille", "block", "ascii", NULL}; /* in the order of ScreenDots */

static void apply_charts(Ui *ui, const char *value)
{
    for (int i = 0; dots_names[i]; i++)
        if (text_equal(dots_names[i], value))
            screen_dots(ui->screen, (ScreenDots)i);
    ui_draw(ui);
}

static void *keep_nice(JobContext *c, void *input, Error *err)
{
    Store *store = job_store(c, err);
    return store && store_setting_set(store, "nice", input, err) ? text_copy("") : NULL;
}

/* Runs are begun by the shell, too: they find it in the workspace. */
static void apply_nice(Ui *ui, const char *value)
{
    ui_job(ui, (Job){.owner = ui, .slot = SLOT_NICE, .run = keep_nice, .input = text_copy(value)});
}

static const ScreenSetting settings[] = {
    {"bandwidth", "0", "bytes a second, as in 2k; 0: any", "what the screen may send in any second; what does not fit comes later",
     NULL, 0, NULL},
    {"notify", "all", "all | bell | off", "when a run ends: a bell and OSC 9 and 777, the bell alone, nothing",
     notify_names, 0, NULL},
    {"escdelay", SCREEN_ESCAPE_TEXT, "ms, 0 to 1000", "how long to wait after an Esc for the rest of a key's sequence",
     NULL, 1000, apply_escape},
    {"charts", "auto", "auto | braille | block | ascii", "what curves are made of; auto: by the terminal", dots_names, 0,
     apply_charts},
    {"nice", "0", "0 to 19", "how far trainings that begin from now on stand back for other programs", NULL, 19,
     apply_nice},
};
#define SETTINGS (sizeof settings / sizeof *settings)

static bool bytes_of(const char *text, double *out)
{
    size_t n = strlen(text);
    double times = 1;
    if (n && strchr("kKmM", text[n - 1]))
        times = strchr("kK", text[--n]) ? 1e3 : 1e6;
    if (!n || !text_to_real(text, n, out) || !isfinite(*out) || *out < 0)
        return false;
    *out *= times;
    return true;
}

void set_begin(Ui *ui)
{
    const char *wait = ui_setting(ui, "escdelay");
    const char *charts = ui_setting(ui, "charts");
    if (wait)
        apply_escape(ui, wait);
    if (charts)
        apply_charts(ui, charts);
}

double set_bandwidth(const Ui *ui)
{
    double v;
    const char *text = ui_setting(ui, "bandwidth");
    return text && bytes_of(text, &v) ? v : 0;
}

static bool fits(const ScreenSetting *s, const char *value)
{
    double v;
    int64_t whole;
    if (s->most > 0)
        return text_to_int(value, strlen(value), &whole) && whole >= 0 && (double)whole <= s->most;
    if (!s->picks)
        return bytes_of(value, &v) && (v == 0 || v >= 200);
    for (size_t i = 0; s->picks[i]; i++)
        if (text_equal(s->picks[i], value))
            return true;
    return false;
}

static void show_all(Ui *ui)
{
    Text all = {0};
    for (size_t i = 0; i < SETTINGS; i++) {
        const char *now = ui_setting(ui, settings[i].name);
        text_printf(&all, "%-12s %-8s %s\n%21s%s\n", settings[i].name, now ? now : settings[i].normal,
                    settings[i].about, "", settings[i].values);
    }
    ui_view(ui, "Settings of the screen", text_str(&all));
    text_release(&all);
}

static void take(Ui *ui, const ScreenSetting *s, const char *value, const UndoFor *undo)
{
    char back[80];
    const char *now = ui_setting(ui, s->name);
    snprintf(back, sizeof back, "set %s %s", s->name, now ? now : s->normal);
    undo_take(ui, undo, back);
    ui_set_setting(ui, s->name, value);
    if (s->apply)
        s->apply(ui, value);
    ui_say(ui, STYLE_GOOD, "%s is %s: %s", s->name, value, s->about);
}

void set_line(Ui *ui, const char *rest, const UndoFor *undo)
{
    char name[40];
    size_t n = strcspn(rest, " =");
    const char *value = rest + n + strspn(rest + n, " =");
    const char *known[SETTINGS];
    snprintf(name, sizeof name, "%.*s", (int)(n < 39 ? n : 39), rest);
    if (!*name) {
        show_all(ui);
        return;
    }
    for (size_t i = 0; i < SETTINGS; i++) {
        known[i] = settings[i].name;
        if (!text_equal(settings[i].name, name))
            continue;
        if (fits(&settings[i], value))
            take(ui, &settings[i], value, undo);
        else
            ui_say(ui, STYLE_BAD, "set %s: expected %s, found '%s'", name, settings[i].values, value);
        return;
    }
    const char *near = text_nearest(name, known, SETTINGS);
    ui_say(ui, STYLE_BAD, "no setting %s%s%s%s; :set lists them", name, near ? ", did you mean " : "", near ? near : "",
           near ? "?" : "");
}

void set_complete(const char *rest, void (*add)(void *, const char *, const char *), void *context)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (text_starts(settings[i].name, rest))
            add(context, settings[i].name, settings[i].about);
}
