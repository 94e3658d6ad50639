/* edit_text.c -- text in the user's own editor: the terminal is lent to it and taken back. */
#include "tui_int.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *editor(void)
{
    const char *visual = getenv("VISUAL"), *plain = getenv("EDITOR");
    return visual && *visual ? visual : plain && *plain ? plain : "vi";
}

/* The editor's words may hold arguments, so the shell starts it. Ctrl-C and Ctrl-\ are its keys. */
static bool run_editor(const char *path, Error *err)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGQUIT, SIG_DFL);
        char line[600];
        snprintf(line, sizeof line, "%s \"$1\"", editor());
        execl("/bin/sh", "sh", "-c", line, "sh", path, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    if (child < 0)
        return error_set(err, ERROR_IO, "could not start the editor: %s", strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); /* as the shell says it */
    if (code == 127)
        return error_set(err, ERROR_IO, "no editor '%s' could be started; VISUAL or EDITOR names another", editor());
    return error_set(err, ERROR_IO, "%s ended with %s %d; nothing was taken over (VISUAL or EDITOR names another)",
                     editor(), code > 128 ? "signal" : "status", code > 128 ? code - 128 : code);
}

bool ui_edit_text(Ui *ui, Text *text, const char *ending, Error *err)
{
    const char *dir = getenv("TMPDIR");
    char path[300];
    snprintf(path, sizeof path, "%s/lathe-XXXXXX%s", dir && *dir ? dir : "/tmp", ending);
    int fd = mkstemps(path, (int)strlen(ending));
    if (fd < 0)
        return error_set(err, ERROR_IO, "%s: cannot write there: %s", path, strerror(errno));
    bool ok = write(fd, text_str(text), text->count) == (ssize_t)text->count ||
              error_set(err, ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
    close(fd);
    if (ok) {
        screen_lend(ui->screen);
        ok = run_editor(path, err);
        screen_back(ui->screen);
    }
    if (ok) {
        text_reset(text);
        ok = file_read(path, text, 1 << 20, err);
    }
    unlink(path);
    ui_draw(ui);
    return ok;
}
