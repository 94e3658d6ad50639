/* store.c -- opening a workspace: the folder, the SQLite file, its version, where it lies.
 *
 * A file is ours when PRAGMA application_id is 'lath'; PRAGMA user_version counts the migrations it
 * went through. A new file gets its name when it is whole (create.c); an empty one that is there gets
 * both in one transaction with its tables. */
#include "store_int.h"

#include <errno.h>
#include <string.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define BUSY_MS 5000

/* File systems on which WAL's shared memory does not work between machines (statfs(2), magic.h). */
static const struct {
    uint32_t magic;
    const char *name;
} networks[] = {
    {0x6969, "NFS"},        {0x517b, "SMB"},      {0xff534d42, "CIFS"}, {0xfe534d42, "SMB2"},
    {0x01021997, "9P"},     {0x5346414f, "AFS"},  {0x00c36400, "Ceph"}, {0x0bd00bd0, "Lustre"},
    {0x19830326, "BeeGFS"}, {0x47504653, "GPFS"}, {0x65735546, "FUSE"}, {0x73757245, "Coda"},
    {0x7461636f, "OCFS2"},  {0x01161970, "GFS2"},
};

static const char *network_name(const char *dir)
{
    struct statfs fs;
    if (statfs(dir, &fs) != 0)
        return NULL;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        if ((uint32_t)fs.f_type == networks[i].magic)
            return networks[i].name;
    return NULL;
}

static void warn(Store *s, const char *fmt, const char *arg)
{
    Text t = {0};
    if (s->warning) {
        text_puts(&t, s->warning);
        text_puts(&t, "; ");
        mem_free(s->warning);
    }
    text_puts(&t, s->dir);
    text_puts(&t, ": ");
    text_printf(&t, fmt, arg); // NOLINT: every caller's fmt is a literal with at most one %s
    s->warning = text_take(&t);
}

/* ---- the folder ------------------------------------------------------------------------------- */

static bool folder_is_there(const char *dir, StoreMode mode, Error *err)
{
    struct stat st;
    if (!dir || !*dir)
        return error_set(err, ERROR_USAGE, "workspace: expected a folder, found an empty name");
    if (stat(dir, &st) == 0)
        return S_ISDIR(st.st_mode) ||
               error_set(err, ERROR_USAGE,
                         "%s: not a folder; a workspace is one, choose it with -w"
                         " DIR",
                         dir);
    if (errno == ENOENT && mode == STORE_WRITE)
        return dir_create(dir, err);
    if (errno == ENOENT)
        return error_set(err, ERROR_USAGE,
                         "%s: there is no workspace here; `lathe -w %s ingest FILE`"
                         " makes one",
                         dir, dir);
    return error_set(err, ERROR_IO, "%s: %s", dir, strerror(errno));
}

static bool file_is_there(const Store *s, Error *err)
{
    char path[4096];
    struct stat st;
    snprintf(path, sizeof path, "%s/lathe.db", s->dir);
    if (stat(path, &st) == 0)
        return S_ISREG(st.st_mode) ||
               error_set(err, ERROR_USAGE,
                         "%s: not a file; move it away or choose another folder"
                         " with -w",
                         path);
    if (errno == ENOENT && s->mode == STORE_WRITE)
        return access(s->dir, W_OK) == 0
                   ? store_create(s, err)
                   : error_set(err, ERROR_IO,
                               "%s: the folder is read-only; make it writable or choose"
                               " another with -w DIR",
                               s->dir);
    if (errno == ENOENT)
        return error_set(err, ERROR_USAGE,
                         "%s: there is no workspace here (no lathe.db); `lathe -w"
                         " %s ingest FILE` makes one",
                         s->dir, s->dir);
    return error_set(err, ERROR_IO, "%s: %s", path, strerror(errno));
}

static bool make_folders(Store *s, Error *err)
{
    static const char *const names[] = {"datasets", "runs"};
    for (size_t i = 0; i < 2; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", s->dir, names[i]);
        if (!dir_create(path, err))
            return false;
    }
    return true;
}

/* ---- the file ---------------------------------------------------------------------------------- */

static bool pragma(Store *s, const char *sql, int64_t *out, Error *err)
{
    sqlite3_stmt *q = NULL;
    int code = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(q);
        if (code == SQLITE_ROW)
            *out = sqlite3_column_int64(q, 0);
    }
    bool ok = code == SQLITE_ROW || store_fail(s, err);
    sqlite3_finalize(q);
    return ok;
}

static bool connect(Store *s, const char *query, Error *err)
{
    Text uri = {0};
    text_puts(&uri, "file:");
    for (const char *p = s->dir; *p; p++) /* RFC 3986: what means something in a URI is escaped */
        if (strchr("?#%", *p))
            text_printf(&uri, "%%%02X", (unsigned char)*p);
        else
            text_putc(&uri, *p);
    text_printf(&uri, "/lathe.db%s", query);
    int flags =
        SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
        (s->mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    int code = sqlite3_open_v2(text_str(&uri), &s->db, flags, NULL);
    text_release(&uri);
    if (code != SQLITE_OK)
        return s->db ? store_fail(s, err)
                     : error_set(err, ERROR_SPACE, "%s/lathe.db: out of memory", s->dir);
    sqlite3_busy_timeout(s->db, BUSY_MS);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_exec(s->db,
                 "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
                 "PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=67108864",
                 NULL, NULL, NULL);
    return true;
}

/* Turning WAL on needs the file for itself; two programs that open a new workspace at the same
 * moment meet here, where SQLite does not call its busy handler. */
bool store_use_wal(Store *s, Error *err)
{
    double deadline = clock_now() + BUSY_MS / 1000.0;
    for (;;) {
        int code = sqlite3_exec(s->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
        if (code == SQLITE_OK)
            return true;
        if ((code != SQLITE_BUSY && code != SQLITE_LOCKED) || clock_now() > deadline)
            return store_fail(s, err);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
}

/* Another process may make the workspace between two of the questions: what comes with its commit is
 * asked for in an order in which a file half seen is never a stranger's. */
static bool is_ours(Store *s, int64_t *version, Error *err)
{
    int64_t application, tables, before;
    if (!pragma(s, "SELECT count(*) FROM sqlite_master", &tables, err) ||
        !pragma(s, "PRAGMA user_version", &before, err) ||
        !pragma(s, "PRAGMA application_id", &application, err) ||
        !pragma(s, "PRAGMA user_version", version, err))
        return false;
    bool fresh = application == 0 && before == 0 && tables == 0;
    if (application != STORE_APPLICATION && !fresh)
        return error_set(err, ERROR_USAGE,
                         "%s/lathe.db: an SQLite file of another program; move it"
                         " away or choose another folder with -w",
                         s->dir);
    if (*version > STORE_VERSION)
        return error_set(err, ERROR_USAGE,
                         "%s/lathe.db: made by a newer lathe (workspace version"
                         " %lld, this program knows %d); update lathe, nothing was changed",
                         s->dir, (long long)*version, STORE_VERSION);
    if (s->mode == STORE_READ && fresh)
        return error_set(err, ERROR_USAGE,
                         "%s: there is no workspace here yet (lathe.db is empty); `lathe -w"
                         " %s ingest FILE` makes one",
                         s->dir, s->dir);
    if (s->mode == STORE_READ && *version < STORE_VERSION)
        return error_set(err, ERROR_USAGE,
                         "%s/lathe.db: of an older version; open it once for writing (any lathe"
                         " command that changes something)",
                         s->dir);
    return true;
}

static bool migrate(Store *s, Error *err)
{
    int64_t version;
    if (!pragma(s, "PRAGMA user_version", &version, err))
        return false;
    if (version == STORE_VERSION)
        return true;
    if (!store_begin(s, err))
        return false;
    bool ok = pragma(s, "PRAGMA user_version", &version, err); /* another may have done it by now */
    for (int64_t v = version; ok && v < STORE_VERSION; v++)
        ok = sqlite3_exec(s->db, store_migrations[v], NULL, NULL, NULL) == SQLITE_OK ||
             store_fail(s, err);
    char sql[96];
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", STORE_APPLICATION,
             STORE_VERSION);
    ok = ok && (sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK || store_fail(s, err));
    if (ok)
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

/* A folder nobody may write cannot hold WAL's shared memory; if nothing is left in the log, the
 * file can be read as the unchanging thing it is. */
static bool reconnect_immutable(Store *s, Error *err)
{
    char path[4096];
    struct stat st;
    snprintf(path, sizeof path, "%s/lathe.db-wal", s->dir);
    if (stat(path, &st) == 0 && st.st_size > 0)
        return error_set(
            err, ERROR_IO,
            "%s: the folder is read-only and its last changes"
            " (lathe.db-wal) are not merged; copy it to a writable place and open that",
            s->dir);
    sqlite3_close(s->db);
    s->db = NULL;
    warn(s, "read-only; changes by others are not seen%s", "");
    return connect(s, "?immutable=1", err);
}

static bool open_reading(Store *s, int64_t *version, Error *err)
{
    Error first = {0};
    if (!connect(s, "", err))
        return false;
    if (is_ours(s, version, &first))
        return true;
    int code = sqlite3_errcode(s->db) & 0xff;
    if ((code == SQLITE_CANTOPEN || code == SQLITE_READONLY) && access(s->dir, W_OK) != 0)
        return reconnect_immutable(s, err) && is_ours(s, version, err);
    if (err)
        *err = first;
    return false;
}

static bool open_writing(Store *s, int64_t *version, Error *err)
{
    if (!connect(s, "", err))
        return false;
    if (sqlite3_db_readonly(s->db, "main") == 1 || access(s->dir, W_OK) != 0)
        return error_set(err, ERROR_IO,
                         "%s: the workspace is read-only; make the folder and lathe.db"
                         " writable, or work in a copy",
                         s->dir);
    return is_ours(s, version, err) && store_use_wal(s, err) &&
           (sqlite3_exec(s->db, "PRAGMA synchronous=FULL", NULL, NULL, NULL) == SQLITE_OK ||
            store_fail(s, err)) &&
           migrate(s, err) && make_folders(s, err);
}

Store *store_open(const char *dir, StoreMode mode, Error *err)
{
    if (!folder_is_there(dir, mode, err))
        return NULL;
    Store *s = mem_alloc(sizeof *s);
    s->dir = text_copy(dir);
    s->file = "lathe.db";
    s->mode = mode;
    for (size_t n = strlen(s->dir); n > 1 && s->dir[n - 1] == '/'; n--)
        s->dir[n - 1] = 0;
    int64_t version;
    const char *network = network_name(dir);
    if (network)
        warn(s,
             "lies on a network file system (%s): SQLite's log needs a local disk; use it from"
             " one machine at a time, or move it",
             network);
    if (!file_is_there(s, err) ||
        !(mode == STORE_READ ? open_reading(s, &version, err) : open_writing(s, &version, err))) {
        store_close(s);
        return NULL;
    }
    return s;
}

void store_close(Store *s)
{
    if (!s)
        return;
    while (s->depth > 0)
        store_rollback(s);
    for (size_t i = 0; i < STORE_STATEMENTS; i++)
        sqlite3_finalize(s->cached[i].stmt);
    sqlite3_close(s->db);
    mem_free(s->dir);
    mem_free(s->warning);
    mem_free(s);
}

/* ---- small questions ----------------------------------------------------------------------------- */

const char *store_dir(const Store *s)
{
    return s->dir;
}

const char *store_warning(const Store *s)
{
    return s->warning;
}

struct sqlite3 *store_handle(Store *s)
{
    return s->db;
}

char *store_path(const Store *s, Arena *a, const char *fmt, ...)
{
    Text t = {0};
    char tail[4096];
    va_list args;
    va_start(args, fmt);
    vsnprintf(tail, sizeof tail, fmt, args);
    va_end(args);
    text_printf(&t, "%s/%s", s->dir, tail);
    char *path = arena_text(a, text_str(&t));
    text_release(&t);
    return path;
}

int64_t store_version_seen(Store *s)
{
    int64_t seen;
    return store_number(s, NULL, &seen, 0, "PRAGMA data_version", "") ? seen : -1;
}
