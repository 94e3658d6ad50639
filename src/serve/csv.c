/* csv.c -- a text/csv body, read by the reader that `predict` uses and scored chunk by chunk.
 *
 * The reader wants a file to map, so the body becomes one in memory. */
#include "serve_int.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct Body {
    int fd;
    char path[40];
    IngestOptions options;
    const Intake *in;
    Error first; /* reason of the first row that was refused */
} Body;

static bool body_open(Body *b, const Intake *in, const char *bytes, size_t n, Error *err)
{
    *b = (Body){.fd = memfd_create("lathe-request", MFD_CLOEXEC), .in = in};
    for (size_t at = 0; b->fd >= 0 && at < n;) {
        ssize_t wrote = write(b->fd, bytes + at, n - at);
        if (wrote <= 0)
            break;
        at += (size_t)wrote;
        if (at == n)
            break;
    }
    if (b->fd < 0 || lseek(b->fd, 0, SEEK_END) != (off_t)n)
        return error_set(err, ERROR_SPACE, "no room for the request: %s", strerror(errno));
    snprintf(b->path, sizeof b->path, "/proc/self/fd/%d", b->fd);
    params_init(ingest_params, &b->options);
    b->options.reject_limit = 1;
    return params_set(ingest_params, &b->options, "delimiter", ",", err) &&
           params_set(ingest_params, &b->options, "decimal", ".", err) &&
           params_set(ingest_params, &b->options, "header", "yes", err);
}

static void body_close(Body *b)
{
    if (b->path[0])
        params_release(ingest_params, &b->options);
    if (b->fd >= 0)
        close(b->fd);
}

/* The file's name means nothing to the client. */
static void forget_path(const Body *b, Error *err)
{
    size_t n = strlen(b->path);
    char *at = strstr(err->text, b->path);
    if (at)
        memmove(at, at + n, strlen(at + n) + 1);
    if (at == err->text && text_starts(at, ": "))
        memmove(at, at + 2, strlen(at + 2) + 1);
}

/* The columns the body has, as a schema for the reader. */
static bool wanted_columns(Body *b, Schema *into, Error *err)
{
    const Schema *schema = b->in->schema;
    Reader *r = reader_open(b->path, &b->options, NULL, NULL, NULL, NULL, err);
    if (!r)
        return false;
    const Schema *found = reader_schema(r);
    bool *given = mem_alloc((schema->count + 1) * sizeof *given), ok = true;
    for (size_t i = 0; ok && i < found->count; i++) {
        size_t at = intake_find(b->in, found->field[i].name, err);
        if ((ok = at != SIZE_MAX)) {
            given[at] = true;
            schema_add(into, schema->field[at].name, schema->field[at].type,
                       schema->field[at].role);
        }
    }
    ok = ok && intake_check(b->in, given, err);
    mem_free(given);
    reader_close(r);
    return ok;
}

static void on_reject(void *context, const Reject *r)
{
    Body *b = context;
    if (!b->first.kind)
        error_set(&b->first, ERROR_PARSE, "line %llu: %.300s", (unsigned long long)r->line,
                  r->reason);
}

/* A model cannot be asked about NaN or infinity; missing is an empty field. */
static bool all_finite(const Chunk *c, Error *err)
{
    for (size_t i = 0; i < c->columns; i++)
        for (size_t row = 0; c->column[i].type == COLUMN_REAL && row < c->rows; row++)
            if (column_has(&c->column[i], row) && !isfinite(c->column[i].real[row]))
                return error_set(err, ERROR_PARSE,
                                 "row %llu, column %.80s: expected a number, found NaN or infinity",
                                 (unsigned long long)chunk_origin(c, row) + 1, c->column[i].name);
    return true;
}

static bool score_all(Body *b, Reader *r, Scorer *s, bool *fault, Error *err)
{
    for (;;) {
        Chunk raw, whole;
        *fault = true;
        if (!reader_next(r, &raw, err))
            return false;
        if (b->first.kind) {
            *err = b->first;
            return false;
        }
        if (!raw.rows)
            return true;
        if (!all_finite(&raw, err))
            return false;
        intake_complete(b->in, &raw, &s->arena, &whole);
        *fault = false;
        if (!scorer_add(s, &whole, err))
            return false;
    }
}

bool csv_score(const Intake *in, Scorer *s, const char *bytes, size_t n, bool *fault, Error *err)
{
    Body b;
    Schema wanted = {0};
    *fault = false;
    bool ok = body_open(&b, in, bytes, n, err);
    *fault = ok;
    ok = ok && wanted_columns(&b, &wanted, err);
    Reader *r = ok ? reader_open(b.path, &b.options, &wanted, on_reject, &b, NULL, err) : NULL;
    ok = r && score_all(&b, r, s, fault, err);
    reader_close(r);
    if (!ok)
        forget_path(&b, err);
    schema_release(&wanted);
    body_close(&b);
    return ok;
}
