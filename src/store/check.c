/* check.c -- what `lathe doctor` asks of a workspace: is the file sound, is what its rows name there?
 *
 * A finding is {"level": "error" | "warning", "text": one line with what to do}. */
#include "store_int.h"

#include <stdio.h>

static void find(json_t *findings, const char *level, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void find(json_t *findings, const char *level, const char *fmt, ...)
{
    char line[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    json_array_append_new(findings, json_pack("{s:s, s:s}", "level", level, "text", line));
}

static bool check_file(Store *s, json_t *findings, Error *err)
{
    bool ok;
    sqlite3_stmt *q = store_query(s, err, "PRAGMA integrity_check(20)", "");
    while (store_next(s, q, &ok, err)) {
        const char *line = (const char *)sqlite3_column_text(q, 0);
        if (!text_equal(line, "ok"))
            find(findings, "error",
                 "%s/lathe.db: %s; restore it from a backup, or save what is"
                 " readable with: sqlite3 %s/lathe.db .recover",
                 s->dir, line, s->dir);
    }
    return ok;
}

static bool check_datasets(Store *s, json_t *findings, Error *err)
{
    bool ok;
    char path[4200];
    sqlite3_stmt *q = store_query(s, err, "SELECT hash, max(name) FROM datasets GROUP BY hash", "");
    while (store_next(s, q, &ok, err)) {
        const char *hash = (const char *)sqlite3_column_text(q, 0);
        snprintf(path, sizeof path, "%s/datasets/%s.arrow", s->dir, hash);
        if (!file_exists(path))
            find(findings, "error", "dataset %s: its file %s is missing; ingest it again",
                 (const char *)sqlite3_column_text(q, 1), path);
    }
    return ok;
}

/* Paths are stored relative to the workspace, so that it may be moved. */
static void check_path(Store *s, const char *what, int64_t run, const char *at, json_t *findings)
{
    char path[4200];
    bool absolute = at[0] == '/';
    snprintf(path, sizeof path, "%s%s%s", absolute ? "" : s->dir, absolute ? "" : "/", at);
    if (!file_exists(path))
        find(findings, "error", "run %lld: its %s %s is missing", (long long)run, what, path);
}

static bool check_runs(Store *s, json_t *findings, Error *err)
{
    bool ok;
    sqlite3_stmt *q = store_query(s, err, "SELECT run, path FROM checkpoints", "");
    while (store_next(s, q, &ok, err))
        check_path(s, "checkpoint", sqlite3_column_int64(q, 0),
                   (const char *)sqlite3_column_text(q, 1), findings);
    if (!ok)
        return false;
    q = store_query(s, err, "SELECT run, path FROM models", "");
    while (store_next(s, q, &ok, err))
        check_path(s, "model", sqlite3_column_int64(q, 0), (const char *)sqlite3_column_text(q, 1),
                   findings);
    return ok;
}

static bool check_processes(Store *s, json_t *findings, Error *err)
{
    Arena scratch = {0};
    RunRow *rows;
    size_t n;
    bool ok = store_runs(s, &scratch, &rows, &n, err);
    for (size_t i = 0; ok && i < n; i++)
        if ((rows[i].status == RUN_RUNNING || rows[i].status == RUN_PAUSED) &&
            !store_run_alive(&rows[i]))
            find(findings, "warning",
                 "run %lld: its process is gone; it goes on from its last"
                 " checkpoint with `lathe runs resume %lld`",
                 (long long)rows[i].id, (long long)rows[i].id);
    arena_release(&scratch);
    return ok;
}

bool store_check(Store *s, json_t *findings, Error *err)
{
    if (s->warning)
        find(findings, "warning", "%s", s->warning);
    return check_file(s, findings, err) && check_datasets(s, findings, err) &&
           check_runs(s, findings, err) && check_processes(s, findings, err);
}
