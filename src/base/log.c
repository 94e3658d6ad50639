/* log.c -- one line a call, written in one piece, so that threads and processes do not mix theirs.
 *
 *     2026-11-21 20:33:45.123456 warn  text */
#include <lathe/base.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct Log {
    int fd;
    bool owned;
    LogLevel least;
};

Log *log_open(const char *path, LogLevel least, Error *err)
{
    int fd = STDERR_FILENO;
    if (path) {
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (fd < 0) {
            error_set(err, ERROR_IO, "%s: cannot open the log: %s", path, strerror(errno));
            return NULL;
        }
    }
    Log *log = mem_alloc(sizeof *log);
    *log = (Log){.fd = fd, .owned = path != NULL, .least = least};
    return log;
}

void log_close(Log *log)
{
    if (log && log->owned)
        close(log->fd);
    mem_free(log);
}

void log_line(Log *log, LogLevel level, const char *fmt, ...)
{
    static const char *const names[] = {"debug", "info ", "warn ", "error"};
    if (!log || level < log->least)
        return;
    Text line = {0};
    int64_t now = time_now();
    time_format(now, &line);
    if (now % 1000000 == 0)
        text_puts(&line, ".000000");
    text_printf(&line, " %s ", names[level]);
    char near[1024];
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(near, sizeof near, fmt, args);
    va_end(args);
    char *far = n >= (int)sizeof near ? mem_alloc((size_t)n + 1) : NULL;
    if (far)
        vsnprintf(far, (size_t)n + 1, fmt, again);
    va_end(again);
    for (const char *at = far ? far : near; *at; at++) /* one line, whatever the text holds */
        text_putc(&line, (unsigned char)*at < 0x20 ? ' ' : *at);
    mem_free(far);
    text_putc(&line, '\n');
    ssize_t wrote;
    do {
        wrote = write(log->fd, line.at, line.count);
    } while (wrote < 0 && errno == EINTR); /* a full disk must not stop the work that is logged */
    text_release(&line);
}
