/* reload.c -- theme and keys are read again when their files are saved: the folders are watched, nothing is
 * asked in turns. */
#include "tui_int.h"

#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define WHEN (IN_CLOSE_WRITE | IN_MOVED_TO)

void reload_begin(Ui *ui)
{
    ui->files = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    ui->theme_watch = ui->keys_watch = -1;
}

/* Editors write beside a file and rename: it is the folder that is watched. */
static int watch_folder(int fd, const char *path)
{
    char dir[400];
    const char *slash = strrchr(path, '/');
    if (!*path || fd < 0)
        return -1;
    if (slash == path)
        snprintf(dir, sizeof dir, "/");
    else
        snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    return inotify_add_watch(fd, dir, WHEN);
}

void reload_watch(Ui *ui)
{
    ui->theme_watch = watch_folder(ui->files, ui->theme.path);
    ui->keys_watch = watch_folder(ui->files, ui->keys_path);
}

static bool is_file(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    return *path && text_equal(slash ? slash + 1 : path, name);
}

static void theme_again(Ui *ui)
{
    Error err = {0};
    char path[400];
    snprintf(path, sizeof path, "%s", ui->theme.path);
    if (!theme_load(&ui->theme, path, &err)) {
        ui_error(ui, &err);
        return;
    }
    screen_theme(ui->screen, &ui->theme);
    screen_redraw(ui->screen);
    ui_say(ui, STYLE_GOOD, "theme %s read again", ui->theme.name);
}

void reload_keys(Ui *ui, bool again)
{
    Error err = {0};
    keymap_path(ui->workspace, ui->keys_path, sizeof ui->keys_path);
    if (!*ui->keys_path)
        return;
    if (!keymap_read(&ui->keymap, ui->keys_path, &err))
        ui_error(ui, &err);
    else if (again)
        ui_say(ui, STYLE_GOOD, "keys read again from %s", ui->keys_path);
}

void reload_take(Ui *ui)
{
    _Alignas(struct inotify_event) char buffer[4096];
    ssize_t n;
    bool theme = false, keys = false;
    while (ui->files >= 0 && (n = read(ui->files, buffer, sizeof buffer)) > 0)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const struct inotify_event *)(const void *)(buffer + at);
            const char *name = e->len ? e->name : "";
            theme |= e->wd == ui->theme_watch && is_file(ui->theme.path, name);
            keys |= e->wd == ui->keys_watch && is_file(ui->keys_path, name);
            at += (ssize_t)(sizeof *e + e->len);
        }
    if (theme)
        theme_again(ui);
    if (keys)
        reload_keys(ui, true);
}

void reload_end(Ui *ui)
{
    if (ui->files >= 0)
        close(ui->files);
}
