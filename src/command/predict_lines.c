/* predict_lines.c -- JSON lines to score: an object a line, from a file or standard input.
 *
 * Lines are scored as soon as there is nothing more to read for now, so a program that writes a line
 * and waits for the answer gets it; a file goes by in large pieces. */
#include "predict_int.h"

#include <lathe/serve.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PIECE     (1 << 18) /* bytes read at a time */
#define LINE_MOST (1 << 24) /* bytes of one line */
#define ROWS_MOST 8192      /* scored together */

typedef struct Lines {
    const Work *work;
    const char *source;
    int file;
    RowIntake *rows;
    Text rest;         /* the beginning of a line that is not over */
    bool too_long;     /* of which the rest is thrown away */
    uint64_t line;
    Arena chunk, arena;
} Lines;

static bool score(Lines *l, Error *err)
{
    if (row_intake_count(l->rows) == 0)
        return true;
    Chunk c;
    row_intake_take(l->rows, &l->chunk, &c);
    c.first = l->work->sink->count;
    bool ok = predict_chunk(l->work, &c, &l->arena, err);
    arena_reset(&l->chunk);
    return ok;
}

/* What is refused is answered after the rows before it. */
static bool refuse(Lines *l, const char *reason, Error *err)
{
    bool ok = score(l, err);
    sink_reject(l->work->sink, &(Reject){.line = l->line, .reason = reason});
    return ok;
}

static bool take_line(Lines *l, const char *s, size_t n, Error *err)
{
    Error why = {0};
    l->line++;
    while (n > 0 && (s[n - 1] == '\r' || s[n - 1] == ' '))
        n--;
    if (n == 0)
        return true;
    if (!row_intake_add(l->rows, s, n, &why))
        return refuse(l, why.text, err);
    return row_intake_count(l->rows) < ROWS_MOST || score(l, err);
}

static bool end_line(Lines *l, const char *s, size_t n, Error *err)
{
    bool ok;
    if (l->too_long) {
        l->line++;
        ok = refuse(l, "the line is longer than 16 MB", err);
    } else if (l->rest.count > 0) {
        text_add(&l->rest, s, n);
        ok = take_line(l, text_str(&l->rest), l->rest.count, err);
    } else {
        ok = take_line(l, s, n, err);
    }
    l->too_long = false;
    text_reset(&l->rest);
    return ok;
}

static bool take_piece(Lines *l, const char *s, size_t n, Error *err)
{
    const char *end = s + n, *newline;
    while (s < end && (newline = memchr(s, '\n', (size_t)(end - s))) != NULL) {
        if (!end_line(l, s, (size_t)(newline - s), err))
            return false;
        s = newline + 1;
    }
    if (l->too_long || l->rest.count + (size_t)(end - s) > LINE_MOST)
        l->too_long = true;
    else
        text_add(&l->rest, s, (size_t)(end - s));
    return true;
}

static bool flush(Lines *l, Error *err)
{
    FILE *to = l->work->sink->file;
    return score(l, err) &&
           (!to || fflush(to) == 0 ||
            error_set(err, ERROR_IO, "could not write the predictions: %s", strerror(errno)));
}

static bool read_all(Lines *l, char *piece, Error *err)
{
    for (;;) {
        ssize_t n = read(l->file, piece, PIECE);
        if (progress_stopped(l->work->call->progress))
            return error_set(err, ERROR_STOP, "predict: stopped on request");
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, ERROR_IO, "%s: cannot read: %s", l->source, strerror(errno));
        if (n == 0)
            break;
        if (!take_piece(l, piece, (size_t)n, err) || (n < PIECE && !flush(l, err)))
            return false;
    }
    return (l->rest.count == 0 && !l->too_long) || end_line(l, "", 0, err);
}

bool predict_lines(const Work *w, const char *source, Error *err)
{
    bool in = strcmp(source, "-") == 0;
    Lines l = {.work = w, .source = source, .file = in ? 0 : open(source, O_RDONLY | O_CLOEXEC)};
    if (l.file < 0)
        return error_set(err, ERROR_IO, "%s: cannot open: %s", source, strerror(errno));
    char *piece = mem_alloc(PIECE);
    l.rows = row_intake_create(w->bundle);
    bool ok = read_all(&l, piece, err) && flush(&l, err);
    row_intake_destroy(l.rows);
    text_release(&l.rest);
    arena_release(&l.chunk);
    arena_release(&l.arena);
    mem_free(piece);
    if (!in)
        close(l.file);
    return ok;
}
