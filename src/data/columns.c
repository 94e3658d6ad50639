/* columns.c -- a file of columns: mapped, cut into stretches, read a task a stretch and column. */
#include "columns_int.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define STRETCH_ROWS  ((size_t)CHUNK_ROWS * 2)
#define STRETCH_CELLS ((size_t)1 << 24) /* rows times columns that a stretch may have */
#define SLOTS_MOST    64

typedef struct Slot { /* a stretch of the round */
    size_t part;
    uint64_t from; /* in the part */
    size_t rows;
    void **state; /* [columns] */
    Arena *arena; /* [columns] */
    Error *err;   /* [columns] */
    Column *column;
} Slot;

typedef struct ColumnRound {
    ColumnFile *file;
    const Plan *plan;
    size_t columns, slots, used;
    Slot *slot;
    Block *block; /* [slots] */
    size_t part;  /* the next stretch */
    uint64_t from, row;
} ColumnRound;

/* ---- opening ------------------------------------------------------------------------------------- */

const ColumnFormat *column_format_of(const char *head, size_t n)
{
    static const ColumnFormat *const formats[] = {&arrow_format, &parquet_format};
    for (size_t i = 0; i < COUNT_OF(formats); i++)
        if (formats[i]->is((const uint8_t *)head, n))
            return formats[i];
    return NULL;
}

static bool write_all(int fd, const char *bytes, size_t n)
{
    while (n) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        bytes += done;
        n -= (size_t)done;
    }
    return true;
}

/* A stream as a file without a name. */
static int spool(Source *source, const Sample *head, const char *dir, Error *err)
{
    char path[4096], *bytes;
    snprintf(path, sizeof path, "%s/lathe-spool-XXXXXX", dir ? dir : "/tmp");
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        error_set(err, ERROR_IO, "%s: cannot write: %s", dir ? dir : "/tmp", strerror(errno));
        return -1;
    }
    unlink(path);
    size_t room = (size_t)1 << 20, got = 1;
    bytes = mem_alloc(room);
    bool ok = write_all(fd, head->at, head->size), read = true;
    while (ok && got && (read = source_read(source, bytes, room, &got, err)))
        ok = write_all(fd, bytes, got);
    mem_free(bytes);
    if (!ok)
        error_set(err, ERROR_IO, "%s: cannot keep %s there: %s", dir ? dir : "/tmp",
                  source_name(source), strerror(errno));
    if (ok && read)
        return fd;
    close(fd);
    return -1;
}

static ColumnFile *open_bytes(const ColumnFormat *format, const uint8_t *at, size_t size,
                              Error *err)
{
    ColumnFile *f = mem_alloc(sizeof *f);
    *f = (ColumnFile){.format = format, .at = at, .size = size};
    if (!format->open(f, err)) {
        columns_close(f);
        return NULL;
    }
    for (size_t i = 0; i < f->parts; i++)
        f->rows += f->part_rows[i];
    return f;
}

ColumnFile *columns_open_map(const ColumnFormat *format, const uint8_t *at, size_t size, Error *err)
{
    return open_bytes(format, at, size, err);
}

ColumnFile *columns_open(const ColumnFormat *format, Source *source, const Sample *head,
                         const char *spool_dir, Error *err)
{
    int fd = source_in_place(source) ? source_file(source) : spool(source, head, spool_dir, err);
    if (fd < 0)
        return NULL;
    FileMap map;
    bool mapped = filemap_of(&map, fd, source_name(source), err);
    if (!source_in_place(source))
        close(fd);
    if (!mapped)
        return NULL;
    ColumnFile *f = open_bytes(format, map.at, map.size, err);
    if (f) {
        f->map = map;
        return f;
    }
    error_in(err, "%s", source_name(source));
    filemap_close(&map);
    return NULL;
}

static void drop_states(ColumnRound *r, Slot *s)
{
    for (size_t c = 0; c < r->columns; c++) {
        r->file->format->drop(s->state[c]);
        s->state[c] = NULL;
    }
}

static void round_destroy(ColumnRound *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->slots; i++) {
        Slot *s = &r->slot[i];
        drop_states(r, s);
        for (size_t c = 0; c < r->columns; c++)
            arena_release(&s->arena[c]);
        mem_free(s->state);
        mem_free(s->arena);
        mem_free(s->err);
        mem_free(s->column);
    }
    mem_free(r->slot);
    mem_free(r->block);
    mem_free(r);
}

void columns_close(ColumnFile *f)
{
    if (!f)
        return;
    round_destroy(f->round);
    f->format->close(f);
    filemap_close(&f->map);
    schema_release(&f->schema);
    arena_release(&f->arena);
    mem_free(f);
}

void columns_sniff(const ColumnFile *f, Sniff *out)
{
    static const ReadAs as[COLUMN_TYPE_COUNT] = {
        [COLUMN_BOOL] = READ_BOOL,     [COLUMN_INT] = READ_INT,       [COLUMN_REAL] = READ_REAL,
        [COLUMN_TIME] = READ_TIME_YMD, [COLUMN_DATE] = READ_DATE_YMD, [COLUMN_TEXT] = READ_TEXT};
    size_t n = f->schema.count;
    *out = (Sniff){.rules = {.columns = n}, .header = true, .decimal = '.'};
    out->name = ARENA_NEW(&out->arena, const char *, n + 1);
    out->as = ARENA_NEW(&out->arena, ReadAs, n + 1);
    out->order = ARENA_NEW(&out->arena, DateOrder, n + 1);
    for (size_t i = 0; i < n; i++) {
        out->name[i] = arena_text(&out->arena, f->schema.field[i].name);
        out->as[i] = as[f->schema.field[i].type];
    }
}

/* ---- rounds -------------------------------------------------------------------------------------- */

static ColumnRound *round_create(ColumnFile *f, const Plan *p, Pool *pool)
{
    ColumnRound *r = mem_alloc(sizeof *r);
    size_t slots = pool ? 2 * pool_threads(pool) : 1;
    *r = (ColumnRound){.file = f,
                       .plan = p,
                       .columns = p->columns,
                       .slots = slots < SLOTS_MOST ? slots : SLOTS_MOST};
    r->slot = mem_alloc(r->slots * sizeof *r->slot);
    r->block = mem_alloc(r->slots * sizeof *r->block);
    for (size_t i = 0; i < r->slots; i++)
        r->slot[i] = (Slot){.state = mem_alloc((r->columns + 1) * sizeof(void *)),
                            .arena = mem_alloc((r->columns + 1) * sizeof(Arena)),
                            .err = mem_alloc((r->columns + 1) * sizeof(Error)),
                            .column = mem_alloc((r->columns + 1) * sizeof(Column))};
    return r;
}

/* Which rows the slots take. A part that goes on takes no other slot in this round. */
static void cut_stretches(ColumnRound *r)
{
    const ColumnFile *f = r->file;
    size_t most = STRETCH_CELLS / (r->columns + 1);
    most = most > STRETCH_ROWS ? STRETCH_ROWS : most < 1024 ? 1024 : most / 1024 * 1024;
    r->used = 0;
    while (r->used < r->slots && r->part < f->parts) {
        uint64_t left = f->part_rows[r->part] - r->from;
        if (!left) {
            r->part++;
            r->from = 0;
            continue;
        }
        Slot *s = &r->slot[r->used++];
        s->part = r->part;
        s->from = r->from;
        s->rows = left < most ? (size_t)left : most;
        r->from += s->rows;
        if (left > most)
            break;
    }
}

static void read_column(void *job, size_t i, size_t worker)
{
    (void)worker;
    ColumnRound *r = job;
    Slot *s = &r->slot[i / r->columns];
    size_t c = i % r->columns;
    const ColumnPlan *plan = &r->plan->column[c];
    ColumnType as = read_type(plan->as);
    Column got = {.rows = s->rows};
    arena_reset(&s->arena[c]);
    s->err[c] = (Error){0};
    if (plan->from == SIZE_MAX) { /* not in this file: all missing */
        ColumnBuild *b = column_build(&s->arena[c], plan->name, as, s->rows);
        for (size_t row = 0; row < s->rows; row++)
            column_build_missing(b);
        column_build_finish(b, &s->column[c]);
        return;
    }
    ColumnTask task = {.file = r->file,
                       .part = s->part,
                       .column = plan->from,
                       .from = s->from,
                       .rows = s->rows,
                       .as = as,
                       .state = &s->state[c],
                       .arena = &s->arena[c],
                       .out = &got,
                       .err = &s->err[c]};
    uint64_t first = r->row;
    for (size_t k = 0; k < i / r->columns; k++)
        first += r->slot[k].rows;
    if (!r->file->format->read(&task) ||
        (got.type == COLUMN_TEXT && !column_check_text(&got, first, &s->err[c])) ||
        !column_cast(&got, as, first, &s->arena[c], &s->column[c], &s->err[c]))
        return;
    s->column[c].name = plan->name;
}

static bool first_error(const ColumnRound *r, Error *err)
{
    for (size_t i = 0; i < r->used; i++)
        for (size_t c = 0; c < r->columns; c++) {
            const Error *e = &r->slot[i].err[c];
            if (e->kind != ERROR_NONE)
                return error_set(err, e->kind, "%s", e->text);
        }
    return true;
}

/* States of parts that are read go; that of the last, if it goes on, moves to the first slot. */
static void settle(ColumnRound *r)
{
    for (size_t i = 0; i < r->used; i++) {
        Slot *s = &r->slot[i];
        bool goes_on = s->part == r->part && r->from > 0 && r->from < r->file->part_rows[r->part];
        if (!goes_on) {
            drop_states(r, s);
        } else if (i > 0) {
            void **states = r->slot[0].state;
            r->slot[0].state = s->state;
            s->state = states;
        }
    }
}

/* What was handed out may have been zeros in place of what could not be read. */
static bool is_whole(const ColumnFile *f, Error *err)
{
    return !filemap_torn(&f->map) ||
           error_set(err, ERROR_IO, "became shorter while it was read, or its disk is gone");
}

bool columns_round(ColumnFile *f, const Plan *p, Pool *pool, Block **blocks, size_t *count,
                   Error *err)
{
    if (!f->round)
        f->round = round_create(f, p, pool);
    ColumnRound *r = f->round;
    assert(r->plan == p);
    settle(r); /* the blocks of the last round pointed into the states */
    cut_stretches(r);
    pool_run(pool, r->used * r->columns, read_column, r);
    if (!is_whole(f, err) || !first_error(r, err))
        return false;
    for (size_t i = 0; i < r->used; i++) {
        Block *b = &r->block[i];
        double share = f->rows ? (double)f->size / (double)f->rows : 0;
        b->from = (uint64_t)((double)r->row * share);
        b->to = (uint64_t)((double)(r->row + r->slot[i].rows) * share);
        b->chunk = (Chunk){.rows = r->slot[i].rows,
                           .columns = r->columns,
                           .column = r->slot[i].column,
                           .first = r->row};
        r->row += r->slot[i].rows;
    }
    *blocks = r->block;
    *count = r->used;
    return true;
}
