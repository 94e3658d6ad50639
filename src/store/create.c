/* create.c -- a new lathe.db: made under another name, and only named when it is whole.
 *
 * Whoever looks sees no file or a workspace, at whatever moment the maker is killed. Of several makers
 * at once one gives the name, and the others take what is there. What a killed maker left is removed by
 * the next. (The file may also be made in place, by migrate(): an empty one of an older lathe is.) */
#include "store_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BEGINNING ".lathe.db-new-" /* then the maker's process id, and what its journals add */

static bool fill(sqlite3 *db)
{
    char sql[96];
    bool ok = sqlite3_exec(db, "PRAGMA synchronous=FULL; BEGIN", NULL, NULL, NULL) == SQLITE_OK;
    for (size_t i = 0; ok && i < STORE_VERSION; i++)
        ok = sqlite3_exec(db, store_migrations[i], NULL, NULL, NULL) == SQLITE_OK;
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", STORE_APPLICATION,
             STORE_VERSION);
    return ok && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_exec(db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL) == SQLITE_OK;
}

static bool make(const Store *s, const char *path, Error *err)
{
    Store own = {.dir = s->dir, .file = s->file, .mode = STORE_WRITE}; /* for the words of a failure */
    int code = sqlite3_open_v2(path, &own.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    bool ok = (code == SQLITE_OK && fill(own.db)) ||
              (own.db ? store_fail(&own, err)
                      : error_set(err, ERROR_SPACE, "%s/lathe.db: out of memory", s->dir));
    sqlite3_close(own.db);
    return ok;
}

/* Never over a file that is there. */
static bool give_name(const Store *s, const char *from, const char *to, Error *err)
{
    if (link(from, to) == 0)
        return dir_flush(s->dir, err);
    if (errno != EEXIST && renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return dir_flush(s->dir, err);
    if (errno == EEXIST || access(to, F_OK) == 0)
        return true; /* another was quicker */
    /* neither is known to this file system */
    return (rename(from, to) == 0 && dir_flush(s->dir, err)) ||
           error_set(err, ERROR_IO, "%s: cannot create: %s", to, strerror(errno));
}

/* What makers left that are no more. */
static void tidy(const Store *s)
{
    DIR *dir = opendir(s->dir);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!text_starts(entry->d_name, BEGINNING))
            continue;
        long pid = atol(entry->d_name + strlen(BEGINNING));
        if (pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH)
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    closedir(dir);
}

bool store_create(const Store *s, Error *err)
{
    Text path = {0}, made = {0};
    text_printf(&path, "%s/lathe.db", s->dir);
    text_printf(&made, "%s/" BEGINNING "%ld-%llx", s->dir, (long)getpid(),
                (unsigned long long)time_now()); /* two threads may make one, too */
    tidy(s);
    bool ok = make(s, text_str(&made), err) && give_name(s, text_str(&made), text_str(&path), err);
    unlink(text_str(&made));
    text_release(&path);
    text_release(&made);
    return ok;
}
