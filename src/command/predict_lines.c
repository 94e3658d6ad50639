/* predict_lines.c -- JSON lines to score: an object a line, from a file or standard input.
 *
 * Lines are read on the thread beside the one that scores. They are scored as soon as there is nothing
 * more to read for now, so a program that writes a line and waits for the answer gets it; a file goes by
 * in large pieces. */
#include "predict_int.h"

#include <lathe/serve.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define PIECE     (1 << 18) /* bytes read at a time */
#define LINE_MOST (1 << 24) /* bytes of one line */
#define ROWS_MOST 8192      /* scored together */

typedef struct Lines {
    const Work *work;
    PredictQueue *queue;
    Parcel *parcel;    /* being filled; NULL: nobody wants any more */
    const char *source;
    int file;
    RowIntake *rows;
    Text rest;         /* the beginning of a line that is not over */
    bool too_long;     /* of which the rest is thrown away */
    uint64_t line, sent;
} Lines;

/* The rows so far, on their way; flush: and written out when they are scored. */
static bool send(Lines *l, bool flush)
{
    Parcel *p = l->parcel;
    if (!p)
        return false;
    if (row_intake_count(l->rows) > 0)
        row_intake_take(l->rows, &p->arena, &p->chunk);
    p->chunk.first = l->sent;
    l->sent += p->chunk.rows;
    p->flush = flush;
    queue_send(l->queue);
    l->parcel = queue_parcel(l->queue);
    return l->parcel != NULL;
}

/* What is refused is answered after the rows before it. */
static bool refuse(Lines *l, const char *reason)
{
    bool ok = row_intake_count(l->rows) == 0 || send(l, false);
    if (ok)
        parcel_reject(l->parcel, &(Reject){.line = l->line, .reason = reason});
    return ok;
}

static bool take_line(Lines *l, const char *s, size_t n)
{
    Error why = {0};
    l->line++;
    while (n > 0 && (s[n - 1] == '\r' || s[n - 1] == ' '))
        n--;
    if (n == 0)
        return true;
    if (!row_intake_add(l->rows, s, n, &why))
        return refuse(l, why.text);
    return row_intake_count(l->rows) < ROWS_MOST || send(l, false);
}

static bool end_line(Lines *l, const char *s, size_t n)
{
    bool ok;
    if (l->too_long) {
        l->line++;
        ok = refuse(l, "the line is longer than 16 MB");
    } else if (l->rest.count > 0) {
        text_add(&l->rest, s, n);
        ok = take_line(l, text_str(&l->rest), l->rest.count);
    } else {
        ok = take_line(l, s, n);
    }
    l->too_long = false;
    text_reset(&l->rest);
    return ok;
}

static bool take_piece(Lines *l, const char *s, size_t n)
{
    const char *end = s + n, *newline;
    while (s < end && (newline = memchr(s, '\n', (size_t)(end - s))) != NULL) {
        if (!end_line(l, s, (size_t)(newline - s)))
            return false;
        s = newline + 1;
    }
    if (l->too_long || l->rest.count + (size_t)(end - s) > LINE_MOST)
        l->too_long = true;
    else
        text_add(&l->rest, s, (size_t)(end - s));
    return true;
}

/* False and no error: nobody wants any more. */
static bool read_all(Lines *l, char *piece, Error *err)
{
    for (;;) {
        struct pollfd p = {.fd = l->file, .events = POLLIN};
        while (poll(&p, 1, 200) == 0 && !progress_stopped(l->work->reading)) /* a silent pipe */
            ;
        if (progress_stopped(l->work->reading))
            return error_set(err, ERROR_STOP, "predict: stopped on request");
        ssize_t n = read(l->file, piece, PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, ERROR_IO, "%s: cannot read: %s", l->source, strerror(errno));
        if (n == 0)
            break;
        if (!take_piece(l, piece, (size_t)n) || (n < PIECE && !send(l, true)))
            return false;
    }
    return (l->rest.count == 0 && !l->too_long) || end_line(l, "", 0);
}

static bool read_lines(void *context, PredictQueue *q, Error *err)
{
    Lines *l = context;
    char *piece = mem_alloc(PIECE);
    l->queue = q;
    l->parcel = queue_parcel(q);
    l->rows = row_intake_create(l->work->bundle);
    bool ok = read_all(l, piece, err);
    if (ok)
        send(l, true);
    row_intake_destroy(l->rows);
    text_release(&l->rest);
    mem_free(piece);
    return ok;
}

bool predict_lines(const Work *w, const char *source, Error *err)
{
    bool in = strcmp(source, "-") == 0;
    Lines l = {.work = w, .source = source, .file = in ? 0 : open(source, O_RDONLY | O_CLOEXEC)};
    if (l.file < 0)
        return error_set(err, ERROR_IO, "%s: cannot open: %s", source, strerror(errno));
    bool ok = predict_through(w, read_lines, &l, err);
    if (!in)
        close(l.file);
    return ok;
}
