/* commands.c -- what viewers ask of a run: each is taken once, in order, and keeps its step. */
#include "store_int.h"

#define COMMAND_COLUMNS "id, run, time, verb, key, value, taken, step"

static CommandRow command_row(sqlite3_stmt *q, Arena *a)
{
    bool stepped = sqlite3_column_type(q, 7) != SQLITE_NULL;
    return (CommandRow){
        .id = sqlite3_column_int64(q, 0),
        .run = sqlite3_column_int64(q, 1),
        .time = sqlite3_column_int64(q, 2),
        .verb = store_text(q, 3, a),
        .key = store_text(q, 4, a),
        .value = store_text(q, 5, a),
        .taken = sqlite3_column_int64(q, 6),
        .step = stepped ? sqlite3_column_int64(q, 7) : -1,
    };
}

static bool collect(Store *s, sqlite3_stmt *q, Arena *a, CommandRow **out, size_t *n, Error *err)
{
    VEC(CommandRow) rows = {0};
    bool ok;
    while (store_next(s, q, &ok, err))
        vec_add(&rows, command_row(q, a));
    store_give(&rows, a, out, n);
    return ok;
}

int64_t store_command_add(Store *s, int64_t run, const char *verb, const char *key,
                          const char *value, Error *err)
{
    if (!store_exec(s, err,
                    "INSERT INTO commands(run, time, verb, key, value) VALUES(?1, ?2, ?3, ?4, ?5)",
                    "iittt", run, time_now(), verb, key, value))
        return 0;
    return sqlite3_last_insert_rowid(s->db);
}

bool store_commands_pending(Store *s, int64_t run)
{
    int64_t one;
    return store_number(s, NULL, &one, 0,
                        "SELECT 1 FROM commands WHERE run = ?1 AND taken IS NULL LIMIT 1", "i",
                        run) &&
           one == 1;
}

bool store_command_waits(Store *s, int64_t run, const char *verb)
{
    int64_t one;
    return store_number(s, NULL, &one, 0,
                        "SELECT 1 FROM commands WHERE run = ?1 AND taken IS NULL AND verb = ?2"
                        " LIMIT 1",
                        "it", run, verb) &&
           one == 1;
}

bool store_commands_take(Store *s, int64_t run, Arena *a, CommandRow **out, size_t *n, Error *err)
{
    if (!store_begin(s, err))
        return false;
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT " COMMAND_COLUMNS " FROM commands"
                                  " WHERE run = ?1 AND taken IS NULL ORDER BY id",
                                  "i", run);
    int64_t now = time_now();
    bool ok = collect(s, q, a, out, n, err) &&
              store_exec(s, err, "UPDATE commands SET taken = ?2 WHERE run = ?1 AND taken IS NULL",
                         "ii", run, now);
    for (size_t i = 0; ok && i < *n; i++)
        (*out)[i].taken = now;
    if (ok)
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

bool store_command_step(Store *s, int64_t id, int64_t step, Error *err)
{
    return store_exec(s, err, "UPDATE commands SET step = ?2 WHERE id = ?1", "ii", id, step);
}

bool store_commands_taken(Store *s, int64_t run, int64_t step, Arena *a, CommandRow **out,
                          size_t *n, Error *err)
{
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT " COMMAND_COLUMNS " FROM commands"
                                  " WHERE run = ?1 AND step > ?2 ORDER BY id",
                                  "ii", run, step);
    return collect(s, q, a, out, n, err);
}
