/* runs.c -- runs and their params: added, found, claimed by the process that trains them, steered.
 *
 * A run belongs to a process by its pid and that process's start time (ticks since boot, field 22
 * of /proc/PID/stat), so neither a kill -9 nor a pid used again confuses it. */
#include "store_int.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AS_NAME(name) #name,
static const char *const status_names[] = {RUN_STATUSES(AS_NAME)};

#define RUN_COLUMNS                                                                                \
    "id, name, experiment, family, dataset, dataset_name, target, task, recipe, features, split,"  \
    " seed, status, message, parent, parent_step, pid, born, created, started, ended, heartbeat,"  \
    " step, steps_total, epoch, epochs_total, monitor, best, best_step, note, tags, machine, "     \
    "version"

const char *run_status_name(RunStatus status)
{
    return status < RUN_STATUS_COUNT ? status_names[status] : "?";
}

static RunStatus status_parse(const char *name)
{
    for (int i = 0; i < RUN_STATUS_COUNT; i++)
        if (text_equal(name, status_names[i]))
            return (RunStatus)i;
    return RUN_FAILED; /* the table's CHECK lets no other word in */
}

static RunRow run_row(sqlite3_stmt *q, Arena *a)
{
    int i = 0;
    RunRow r = {.id = sqlite3_column_int64(q, i++)};
    const char **words[] = {&r.name,   &r.experiment, &r.family, &r.dataset,  &r.dataset_name,
                            &r.target, &r.task,       &r.recipe, &r.features, &r.split};
    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        *words[w] = store_text(q, i++, a);
    r.seed = sqlite3_column_int64(q, i++);
    r.status = status_parse((const char *)sqlite3_column_text(q, i++));
    r.message = store_text(q, i++, a);
    int64_t *numbers[] = {&r.parent,  &r.parent_step, &r.pid,   &r.born,
                          &r.created, &r.started,     &r.ended, &r.heartbeat,
                          &r.step,    &r.steps_total, &r.epoch, &r.epochs_total};
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        *numbers[k] = sqlite3_column_int64(q, i++);
    r.monitor = store_text(q, i++, a);
    r.best = store_real(q, i++);
    r.best_step = sqlite3_column_int64(q, i++);
    const char **tail[] = {&r.note, &r.tags, &r.machine, &r.version};
    for (size_t w = 0; w < sizeof tail / sizeof *tail; w++)
        *tail[w] = store_text(q, i++, a);
    return r;
}

/* ---- adding --------------------------------------------------------------------------------------- */

static const char *or_else(const char *text, const char *otherwise)
{
    return text && *text ? text : otherwise;
}

static bool insert(Store *s, const RunRow *r, Error *err)
{
    return store_exec(s, err,
                      "INSERT INTO runs(name, experiment, family, dataset, dataset_name, target,"
                      " task, recipe, features, split, seed, status, message, parent, parent_step,"
                      " pid, created, started, ended, heartbeat, step, steps_total, epoch,"
                      " epochs_total, monitor, best, best_step, note, tags, machine, version)"
                      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
                      " ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30,"
                      " ?31)",
                      "tttttttttt"
                      "itt"
                      "iiiiiii"
                      "iiii"
                      "tdi"
                      "tttt",
                      r->name, or_else(r->experiment, "default"), r->family, r->dataset,
                      r->dataset_name, r->target, r->task, r->recipe, r->features, r->split,
                      r->seed, run_status_name(r->status), r->message, r->parent, r->parent_step,
                      r->pid, r->created ? r->created : time_now(), r->started, r->ended,
                      r->heartbeat, r->step, r->steps_total, r->epoch, r->epochs_total, r->monitor,
                      r->best, r->best_step, r->note, r->tags, r->machine, r->version);
}

static bool insert_params(Store *s, int64_t run, const ParamRow *params, size_t n, Error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++)
        ok = store_run_param_set(s, run, params[i].key, params[i].value, err);
    return ok;
}

static bool insert_all(Store *s, const RunRow *row, const ParamRow *params, size_t n, int64_t *id,
                       Error *err)
{
    if (!insert(s, row, err))
        return false;
    *id = sqlite3_last_insert_rowid(s->db);
    if (!row->name || !*row->name)
        if (!store_exec(s, err, "UPDATE runs SET name = family || '-' || id WHERE id = ?1", "i",
                        *id))
            return false;
    return store_exec(s, err, "INSERT OR IGNORE INTO experiments(name, created) VALUES(?1, ?2)",
                      "ti", or_else(row->experiment, "default"), time_now()) &&
           insert_params(s, *id, params, n, err);
}

int64_t store_run_add(Store *s, const RunRow *row, const ParamRow *params, size_t n, Error *err)
{
    int64_t id = 0;
    if (!store_begin(s, err))
        return 0;
    if (insert_all(s, row, params, n, &id, err) && store_commit(s, err))
        return id;
    store_rollback(s);
    return 0;
}

/* ---- finding -------------------------------------------------------------------------------------- */

static bool one_run(Store *s, sqlite3_stmt *q, Arena *a, RunRow *out, bool *found, Error *err)
{
    bool ok;
    *found = false;
    while (store_next(s, q, &ok, err)) {
        *out = run_row(q, a);
        *found = true;
    }
    return ok;
}

static bool get(Store *s, int64_t id, Arena *a, RunRow *out, bool *found, Error *err)
{
    sqlite3_stmt *q =
        store_query(s, err, "SELECT " RUN_COLUMNS " FROM runs WHERE id = ?1", "i", id);
    return one_run(s, q, a, out, found, err);
}

bool store_run_get(Store *s, int64_t id, Arena *a, RunRow *out, Error *err)
{
    bool found;
    return get(s, id, a, out, &found, err) &&
           (found ||
            error_set(err, ERROR_USAGE, "no run %lld; `lathe runs` lists them", (long long)id));
}

static bool not_found(Store *s, const char *name, Error *err)
{
    return store_unknown(s, "run", name, "SELECT name FROM runs ORDER BY id DESC", "",
                         "`lathe runs` lists them", err);
}

bool store_run_find(Store *s, const char *id_or_name, Arena *a, RunRow *out, Error *err)
{
    bool found = false;
    int64_t id;
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT " RUN_COLUMNS " FROM runs WHERE name = ?1"
                                  " ORDER BY id DESC LIMIT 1",
                                  "t", id_or_name);
    if (!one_run(s, q, a, out, &found, err))
        return false;
    if (!found && text_to_int(id_or_name, strlen(id_or_name), &id) &&
        !get(s, id, a, out, &found, err))
        return false;
    if (!found && text_equal(id_or_name, "last")) {
        q = store_query(s, err, "SELECT " RUN_COLUMNS " FROM runs ORDER BY id DESC LIMIT 1", "");
        if (!one_run(s, q, a, out, &found, err))
            return false;
    }
    return found || not_found(s, id_or_name, err);
}

bool store_runs(Store *s, Arena *a, RunRow **out, size_t *n, Error *err)
{
    VEC(RunRow) rows = {0};
    bool ok;
    sqlite3_stmt *q = store_query(s, err, "SELECT " RUN_COLUMNS " FROM runs ORDER BY id DESC", "");
    while (store_next(s, q, &ok, err))
        vec_add(&rows, run_row(q, a));
    store_give(&rows, a, out, n);
    return ok;
}

bool store_run_params(Store *s, int64_t run, Arena *a, ParamRow **out, size_t *n, Error *err)
{
    VEC(ParamRow) rows = {0};
    bool ok;
    sqlite3_stmt *q = store_query(s, err,
                                  "SELECT key, value FROM params WHERE run = ?1"
                                  " ORDER BY rowid",
                                  "i", run);
    while (store_next(s, q, &ok, err))
        vec_add(&rows, (ParamRow){store_text(q, 0, a), store_text(q, 1, a)});
    store_give(&rows, a, out, n);
    return ok;
}

/* ---- changing ------------------------------------------------------------------------------------- */

static bool changed(Store *s, int64_t run, Error *err)
{
    return sqlite3_changes(s->db) > 0 ||
           error_set(err, ERROR_USAGE, "no run %lld; `lathe runs` lists them", (long long)run);
}

bool store_run_param_set(Store *s, int64_t run, const char *key, const char *value, Error *err)
{
    return store_exec(s, err,
                      "INSERT INTO params(run, key, value) VALUES(?1, ?2, ?3)"
                      " ON CONFLICT(run, key) DO UPDATE SET value = excluded.value",
                      "itt", run, key, value);
}

bool store_run_status(Store *s, int64_t run, RunStatus status, const char *message, Error *err)
{
    bool over = status == RUN_FINISHED || status == RUN_FAILED || status == RUN_KILLED;
    return store_exec(s, err,
                      "UPDATE runs SET status = ?2, message = ?3,"
                      " ended = CASE WHEN ?4 THEN ?5 ELSE 0 END,"
                      " pid = CASE WHEN ?4 THEN 0 ELSE pid END WHERE id = ?1",
                      "ittii", run, run_status_name(status), message, (int64_t)over, time_now()) &&
           changed(s, run, err);
}

bool store_run_says(Store *s, int64_t run, const char *message, Error *err)
{
    if (!store_begin_relaxed(s, err))
        return false;
    if (store_exec(s, err,
                   "UPDATE runs SET message = ?2, heartbeat = ?3 WHERE id = ?1 AND status = 'RUNNING'",
                   "iti", run, message, time_now()))
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

bool store_run_ended(Store *s, int64_t run, const char *message, int64_t ended, Error *err)
{
    return store_exec(s, err,
                      "UPDATE runs SET status = 'FINISHED', message = ?2, ended = ?3, pid = 0"
                      " WHERE id = ?1",
                      "iti", run, message, ended) &&
           changed(s, run, err);
}

bool store_run_progress(Store *s, const RunRow *r, Error *err)
{
    if (!store_begin_relaxed(s, err))
        return false;
    if (store_exec(s, err,
                   "UPDATE runs SET step = ?2, steps_total = ?3, epoch = ?4, epochs_total = ?5,"
                   " best = ?6, best_step = ?7, heartbeat = ?8, monitor = ?9, task = ?10"
                   " WHERE id = ?1",
                   "iiiii"
                   "dii"
                   "tt",
                   r->id, r->step, r->steps_total, r->epoch, r->epochs_total, r->best, r->best_step,
                   r->heartbeat, r->monitor, r->task) &&
        changed(s, r->id, err))
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

int64_t store_process_born(int64_t pid)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    FILE *in = pid > 0 ? fopen(path, "re") : NULL;
    bool read = in && fgets(line, sizeof line, in);
    if (in)
        fclose(in);
    char *at = read ? strrchr(line, ')') : NULL; /* the name before it may hold anything */
    unsigned long long born = 0;
    char state = 'Z';
    if (!at || sscanf(at + 1,
                      " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d"
                      " %*d %*d %llu",
                      &state, &born) != 2)
        return 0;
    return state == 'Z' || state == 'X' ? 0 : (int64_t)born;
}

bool store_run_alive(const RunRow *row)
{
    return (row->status == RUN_RUNNING || row->status == RUN_PAUSED) && row->pid > 0 &&
           store_process_born(row->pid) == row->born && row->born != 0;
}

static bool may_claim(const RunRow *row, int64_t pid, Error *err)
{
    if (row->status == RUN_FINISHED)
        return error_set(err, ERROR_STOP,
                         "run %lld has finished; fork it to go on from one of its"
                         " checkpoints",
                         (long long)row->id);
    if (store_run_alive(row) && row->pid != pid)
        return error_set(err, ERROR_STOP, "run %lld is being trained by process %lld",
                         (long long)row->id, (long long)row->pid);
    return true;
}

bool store_run_claim(Store *s, int64_t run, int64_t pid, Error *err)
{
    Arena scratch = {0};
    RunRow row;
    if (!store_begin(s, err))
        return false;
    bool ok = store_run_get(s, run, &scratch, &row, err) && may_claim(&row, pid, err) &&
              store_exec(s, err,
                         "UPDATE runs SET status = 'RUNNING', message = '', pid = ?2, born = ?3,"
                         " heartbeat = ?4, ended = 0,"
                         " started = CASE WHEN started = 0 THEN ?4 ELSE started END WHERE id = ?1",
                         "iiii", run, pid, store_process_born(pid), time_now());
    arena_release(&scratch);
    if (ok)
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

bool store_run_rename(Store *s, int64_t run, const char *name, Error *err)
{
    if (!*name)
        return error_set(err, ERROR_USAGE, "run %lld: the new name is empty", (long long)run);
    return store_exec(s, err, "UPDATE runs SET name = ?2 WHERE id = ?1", "it", run, name) &&
           changed(s, run, err);
}

bool store_run_note(Store *s, int64_t run, const char *note, Error *err)
{
    return store_exec(s, err, "UPDATE runs SET note = ?2 WHERE id = ?1", "it", run, note) &&
           changed(s, run, err);
}

/* ---- tags: words between single spaces ---------------------------------------------------------- */

static void without(const char *tags, const char *tag, Text *into)
{
    size_t n = strlen(tag);
    for (const char *p = tags; *p;) {
        size_t word = strcspn(p, " ");
        if (word && !(word == n && strncmp(p, tag, n) == 0)) {
            if (into->count)
                text_putc(into, ' ');
            text_add(into, p, word);
        }
        p += word + (p[word] == ' ');
    }
}

bool store_run_tag(Store *s, int64_t run, const char *tag, bool on, Error *err)
{
    if (!*tag || strpbrk(tag, " \t\n"))
        return error_set(err, ERROR_USAGE, "tag '%s': expected one word", tag);
    Arena scratch = {0};
    Text tags = {0};
    RunRow row;
    if (!store_begin(s, err))
        return false;
    bool ok = store_run_get(s, run, &scratch, &row, err);
    if (ok) {
        without(row.tags, tag, &tags);
        if (on)
            text_printf(&tags, "%s%s", tags.count ? " " : "", tag);
        ok = store_exec(s, err, "UPDATE runs SET tags = ?2 WHERE id = ?1", "it", run,
                        text_str(&tags));
    }
    text_release(&tags);
    arena_release(&scratch);
    if (ok)
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

/* ---- deleting ------------------------------------------------------------------------------------- */

static bool delete_rows(Store *s, int64_t run, Error *err)
{
    return store_exec(s, err,
                      "DELETE FROM metrics WHERE id BETWEEN ?1 << 40 AND ((?1 + 1) << 40) - 1", "i",
                      run) &&
           store_exec(s, err, "DELETE FROM params WHERE run = ?1", "i", run) &&
           store_exec(s, err, "DELETE FROM events WHERE run = ?1", "i", run) &&
           store_exec(s, err, "DELETE FROM commands WHERE run = ?1", "i", run) &&
           store_exec(s, err, "DELETE FROM checkpoints WHERE run = ?1", "i", run) &&
           store_exec(s, err, "DELETE FROM models WHERE run = ?1", "i", run) &&
           store_exec(s, err, "DELETE FROM runs WHERE id = ?1", "i", run);
}

bool store_run_delete(Store *s, int64_t run, Error *err)
{
    Arena scratch = {0};
    RunRow row;
    if (!store_begin(s, err))
        return false;
    bool ok = store_run_get(s, run, &scratch, &row, err);
    if (ok && store_run_alive(&row))
        ok = error_set(err, ERROR_USAGE, "run %lld is being trained by process %lld; stop it first",
                       (long long)run, (long long)row.pid);
    ok = ok && delete_rows(s, run, err);
    arena_release(&scratch);
    if (ok)
        return store_commit(s, err);
    store_rollback(s);
    return false;
}
