/* set.c -- `:set NAME VALUE`: the few settings of the screen itself, kept with the workspace. */
#include "tui_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const notify_names[] = {"all", "bell", "off", NULL};

typedef struct ScreenSetting {
    const char *name, *normal, *values, *about;
    const char *const *picks; /* NULL: a number of bytes */
} ScreenSetting;

static const ScreenSetting settings[] = {
    {"bandwidth", "0", "bytes a second, as in 2k; 0: any", "what the screen may send: fewer frames where it would be more",
     NULL},
    {"notify", "all", "all | bell | off", "when a run ends: a bell and OSC 9 and 777, the bell alone, nothing",
     notify_names},
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

double set_bandwidth(const Ui *ui)
{
    double v;
    const char *text = ui_setting(ui, "bandwidth");
    return text && bytes_of(text, &v) ? v : 0;
}

static bool fits(const ScreenSetting *s, const char *value)
{
    double v;
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

void set_line(Ui *ui, const char *rest)
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
        if (!fits(&settings[i], value)) {
            ui_say(ui, STYLE_BAD, "set %s: expected %s, found '%s'", name, settings[i].values, value);
            return;
        }
        ui_set_setting(ui, name, value);
        ui_say(ui, STYLE_GOOD, "%s is %s: %s", name, value, settings[i].about);
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
