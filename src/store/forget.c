/* forget.c -- taking a dataset out of the workspace, and rows that belonged to ones that are gone. */
#include "store_int.h"

#include <stdio.h>

static const char *const belongings[] = {"columns", "rejects", "drafts"};

static bool forget_belongings(Store *s, const char *hash, Error *err)
{
    return store_exec(s, err, "DELETE FROM columns WHERE dataset = ?1", "t", hash) &&
           store_exec(s, err, "DELETE FROM rejects WHERE dataset = ?1", "t", hash) &&
           store_exec(s, err, "DELETE FROM drafts WHERE dataset = ?1", "t", hash);
}

bool store_dataset_remove(Store *s, int64_t id, const char *hash, Error *err)
{
    int64_t left = 0;
    if (!store_begin(s, err))
        return false;
    if (store_exec(s, err, "DELETE FROM datasets WHERE id = ?1 AND hash = ?2", "it", id, hash) &&
        store_number(s, err, &left, 0, "SELECT count(*) FROM datasets WHERE hash = ?1", "t",
                     hash) &&
        (left > 0 || forget_belongings(s, hash, err)))
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

bool store_orphans(Store *s, bool forget, int64_t *rows, Error *err)
{
    *rows = 0;
    if (forget && !store_begin(s, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof belongings / sizeof *belongings; i++) {
        char count[160], drop[160];
        int64_t n = 0;
        snprintf(count, sizeof count,
                 "SELECT count(*) FROM %s WHERE dataset NOT IN (SELECT hash FROM datasets)",
                 belongings[i]);
        snprintf(drop, sizeof drop,
                 "DELETE FROM %s WHERE dataset NOT IN (SELECT hash FROM datasets)", belongings[i]);
        ok = store_number(s, err, &n, 0, count, "") && (!forget || store_exec(s, err, drop, ""));
        *rows += n;
    }
    if (!forget)
        return ok;
    if (ok)
        return store_commit(s, err);
    store_rollback(s);
    return false;
}
