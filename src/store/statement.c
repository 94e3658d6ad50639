/* statement.c -- cached statements, transactions, and what SQLite's complaints mean for people. */
#include "store_int.h"

#include <math.h>
#include <string.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* ---- complaints ------------------------------------------------------------------------------ */

/* The process that holds SQLite's write lock: byte 120 of the -shm file (sqlite's walIndex locks),
 * as the kernel lists it. Opening that file ourselves would drop this process's own locks on it. */
static int64_t writer_pid(const Store *s)
{
    char path[4096], line[256];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s-shm", s->dir, s->file);
    if (stat(path, &st) != 0)
        return 0;
    FILE *locks = fopen("/proc/locks", "re");
    int64_t pid = 0;
    while (locks && !pid && fgets(line, sizeof line, locks)) {
        long long owner, start;
        unsigned major, minor;
        unsigned long long inode;
        if (sscanf(line, "%*d: POSIX %*s WRITE %lld %x:%x:%llu %lld", &owner, &major, &minor,
                   &inode, &start) == 5 &&
            inode == st.st_ino && start == 120)
            pid = owner;
    }
    if (locks)
        fclose(locks);
    return pid;
}

static void process_name(int64_t pid, char *into, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/comm", (long long)pid);
    FILE *in = fopen(path, "re");
    if (!in || !fgets(into, (int)size, in))
        snprintf(into, size, "?");
    into[strcspn(into, "\n")] = 0;
    if (in)
        fclose(in);
}

static bool busy(const Store *s, Error *err)
{
    char name[64] = "";
    int64_t pid = writer_pid(s);
    if (!pid)
        return error_set(err, ERROR_IO,
                         "%s/%s: another program has been writing for over 5 s;"
                         " try again when it is done",
                         s->dir, s->file);
    process_name(pid, name, sizeof name);
    return error_set(err, ERROR_IO,
                     "%s/%s: process %lld (%s) has been writing for over 5 s;"
                     " try again when it is done",
                     s->dir, s->file, (long long)pid, name);
}

/* SQLite keeps errno only for some failures; a write that failed without one met a quota or a limit
 * on the size of files (a full disk is SQLITE_FULL). */
static bool io_failed(const Store *s, Error *err)
{
    int code = sqlite3_system_errno(s->db), kind = sqlite3_extended_errcode(s->db);
    bool grew = kind == SQLITE_IOERR_WRITE || kind == SQLITE_IOERR_SHMSIZE;
    if (code == ENOSPC || code == EDQUOT || code == EFBIG || (grew && code == 0))
        return error_set(err, ERROR_IO, "%s/%s: no space left (%s); make room and try again",
                         s->dir, s->file,
                         code ? strerror(code) : "the disk, a quota or a limit is reached");
    return error_set(err, ERROR_IO, "%s/%s: %s (%s)", s->dir, s->file, sqlite3_errmsg(s->db),
                     code ? strerror(code) : "the disk or the file system failed");
}

bool store_fail(Store *s, Error *err)
{
    switch (sqlite3_errcode(s->db) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return busy(s, err);
    case SQLITE_FULL:
        return error_set(err, ERROR_IO,
                         "%s/%s: no space left on the disk; make room and try"
                         " again",
                         s->dir, s->file);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return io_failed(s, err);
    case SQLITE_READONLY:
        return error_set(err, ERROR_IO,
                         "%s/%s: read-only; make the folder and the file"
                         " writable, or work in a copy",
                         s->dir, s->file);
    case SQLITE_CORRUPT:
        return error_set(err, ERROR_PARSE,
                         "%s/%s: damaged (%s); restore it from a backup, or"
                         " save what is readable with: sqlite3 %s/%s .recover",
                         s->dir, s->file, sqlite3_errmsg(s->db), s->dir, s->file);
    case SQLITE_NOTADB:
        return error_set(err, ERROR_PARSE,
                         "%s/%s: not a workspace file (it is no SQLite"
                         " database); move it away or choose another folder with -w",
                         s->dir, s->file);
    case SQLITE_NOMEM:
        return error_set(err, ERROR_SPACE, "%s/%s: out of memory", s->dir, s->file);
    case SQLITE_INTERRUPT:
        return error_set(err, ERROR_STOP, "%s/%s: stopped on request", s->dir, s->file);
    default:
        return error_set(err, ERROR_IO, "%s/%s: %s", s->dir, s->file, sqlite3_errmsg(s->db));
    }
}

/* ---- statements ------------------------------------------------------------------------------- */

static sqlite3_stmt *prepared(Store *s, const char *sql, Error *err)
{
    size_t at = ((uintptr_t)sql >> 3) % STORE_STATEMENTS;
    for (size_t tries = 0; tries < STORE_STATEMENTS; tries++, at = (at + 1) % STORE_STATEMENTS) {
        Cached *c = &s->cached[at];
        if (c->sql == sql)
            return c->stmt;
        if (c->sql)
            continue;
        if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &c->stmt, NULL) !=
            SQLITE_OK) {
            store_fail(s, err);
            return NULL;
        }
        c->sql = sql;
        return c->stmt;
    }
    error_set(err, ERROR_SPACE, "store: more statements than slots");
    return NULL;
}

static void bind(sqlite3_stmt *q, const char *kinds, va_list args)
{
    for (int i = 1; *kinds; kinds++, i++) {
        if (*kinds == 'i') {
            sqlite3_bind_int64(q, i, va_arg(args, int64_t));
        } else if (*kinds == 'd') {
            double v = va_arg(args, double);
            if (isnan(v))
                sqlite3_bind_null(q, i);
            else
                sqlite3_bind_double(q, i, v);
        } else {
            const char *t = va_arg(args, const char *);
            sqlite3_bind_text(q, i, t ? t : "", -1, SQLITE_STATIC);
        }
    }
}

/* FULL unless only metrics and progress are written. Not possible inside a transaction. */
static bool flush_level(Store *s, bool relaxed, Error *err)
{
    if (s->depth > 0 || s->relaxed == relaxed || s->mode == STORE_READ)
        return true;
    const char *sql = relaxed ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL";
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return store_fail(s, err);
    s->relaxed = relaxed;
    return true;
}

static sqlite3_stmt *query(Store *s, Error *err, const char *sql, const char *kinds, va_list args)
{
    sqlite3_stmt *q = prepared(s, sql, err);
    if (!q)
        return NULL;
    sqlite3_reset(q);
    bind(q, kinds, args);
    if (!sqlite3_stmt_readonly(q) && !flush_level(s, false, err))
        return NULL;
    return q;
}

sqlite3_stmt *store_query(Store *s, Error *err, const char *sql, const char *kinds, ...)
{
    va_list args;
    va_start(args, kinds);
    sqlite3_stmt *q = query(s, err, sql, kinds, args);
    va_end(args);
    return q;
}

bool store_next(Store *s, sqlite3_stmt *q, bool *ok, Error *err)
{
    *ok = q != NULL;
    if (!q)
        return false;
    int code = sqlite3_step(q);
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        *ok = store_fail(s, err);
    sqlite3_reset(q);
    return false;
}

static bool finish(Store *s, sqlite3_stmt *q, Error *err)
{
    bool ok;
    while (store_next(s, q, &ok, err))
        ;
    return ok;
}

bool store_exec(Store *s, Error *err, const char *sql, const char *kinds, ...)
{
    va_list args;
    va_start(args, kinds);
    sqlite3_stmt *q = query(s, err, sql, kinds, args);
    va_end(args);
    return finish(s, q, err);
}

bool store_number(Store *s, Error *err, int64_t *out, int64_t none, const char *sql,
                  const char *kinds, ...)
{
    va_list args;
    va_start(args, kinds);
    sqlite3_stmt *q = query(s, err, sql, kinds, args);
    va_end(args);
    bool ok;
    *out = none;
    if (!store_next(s, q, &ok, err))
        return ok;
    *out = sqlite3_column_int64(q, 0);
    return finish(s, q, err);
}

const char *store_text(sqlite3_stmt *q, int column, Arena *a)
{
    const char *t = (const char *)sqlite3_column_text(q, column);
    return t ? arena_text(a, t) : "";
}

double store_real(sqlite3_stmt *q, int column)
{
    return sqlite3_column_type(q, column) == SQLITE_NULL ? (double)NAN
                                                         : sqlite3_column_double(q, column);
}

void *store_keep(const void *at, size_t size, Arena *a)
{
    void *kept = arena_alloc(a, size ? size : 1);
    if (size)
        memcpy(kept, at, size);
    return kept;
}

/* ---- transactions ----------------------------------------------------------------------------- */

static bool begin(Store *s, bool relaxed, Error *err)
{
    char sql[48] = "BEGIN IMMEDIATE";
    if (!flush_level(s, relaxed, err))
        return false;
    if (s->depth > 0)
        snprintf(sql, sizeof sql, "SAVEPOINT level%d", s->depth);
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return store_fail(s, err);
    s->depth++;
    return true;
}

bool store_begin(Store *s, Error *err)
{
    return begin(s, false, err);
}

bool store_begin_relaxed(Store *s, Error *err)
{
    return begin(s, true, err);
}

bool store_commit(Store *s, Error *err)
{
    char sql[48] = "COMMIT";
    if (s->depth > 1)
        snprintf(sql, sizeof sql, "RELEASE level%d", s->depth - 1);
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        store_fail(s, err);
        store_rollback(s);
        return false;
    }
    s->depth--;
    return true;
}

/* SQLite may have rolled back all by itself (full disk): then there is nothing left to undo. */
void store_rollback(Store *s)
{
    char sql[96] = "ROLLBACK";
    if (s->depth == 0)
        return;
    s->depth--;
    if (s->depth > 0)
        snprintf(sql, sizeof sql, "ROLLBACK TO level%d; RELEASE level%d", s->depth, s->depth);
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, sql, NULL, NULL, NULL);
}

/* ---- names that are not there ---------------------------------------------------------------- */

bool store_unknown(Store *s, const char *what, const char *name, const char *names, const char *none,
                   const char *else_say, Error *err)
{
    Arena a = {0};
    VEC(const char *) all = {0};
    bool ok;
    sqlite3_stmt *q = store_query(s, err, names, "");
    while (store_next(s, q, &ok, err))
        vec_add(&all, store_text(q, 0, &a));
    const char *near = ok ? text_nearest(name, all.at, all.count) : NULL;
    if (near)
        error_set(err, ERROR_USAGE, "no %s %s, did you mean %s?", what, name, near);
    else if (ok && all.count == 0 && none)
        error_set(err, ERROR_USAGE, "no %s %s: the workspace %s has none yet%s", what, name, s->dir,
                  none);
    else if (ok)
        error_set(err, ERROR_USAGE, "no %s %s; %s", what, name, else_say);
    vec_release(&all);
    arena_release(&a);
    return false;
}
