/* settings.c -- small settings of the workspace and the session: key, value. */
#include "store_int.h"

bool store_setting_set(Store *s, const char *key, const char *value, Error *err)
{
    if (!value)
        return store_exec(s, err, "DELETE FROM settings WHERE key = ?1", "t", key);
    return store_exec(s, err,
                      "INSERT INTO settings(key, value) VALUES(?1, ?2)"
                      " ON CONFLICT(key) DO UPDATE SET value = excluded.value",
                      "tt", key, value);
}

bool store_setting_get(Store *s, const char *key, Arena *a, const char **value, Error *err)
{
    bool ok;
    sqlite3_stmt *q = store_query(s, err, "SELECT value FROM settings WHERE key = ?1", "t", key);
    *value = NULL;
    while (store_next(s, q, &ok, err))
        *value = store_text(q, 0, a);
    return ok;
}
