/* team.c -- a run that several processes carry out: what the leader says, and what the others do then.
 *
 * The leader (member 0) is a run like any other: it has the store, validates, writes checkpoints, takes
 * commands. The others have neither store nor folder, only their share of the training rows and the same
 * model; they wait for its word and do as it says:
 *
 *     BEGIN   what the run is made of, as JSON: recipe and features as fitted, settings, the dataset's path
 *     MODEL   make the model, for batches of so many rows
 *     STATE   the leader's model state (after a resume: from its checkpoint)
 *     STEP    one step: its knobs (so a change of the rate, or a pause, needs no further word), which rows
 *     END     that was all
 *
 * A step of a net: each member puts the rows of the batch that it has into a block of zeros, the sum of
 * these is the batch, and the graph deals its shards out (nn.h). A step of boosting: see gbdt_team.c. */
#include "train_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum Word { WORD_BEGIN, WORD_MODEL, WORD_STATE, WORD_STEP, WORD_END } Word;

typedef struct Order {
    uint64_t word, size; /* size: bytes of what follows; MODEL: rows; STEP: rows */
    Knobs knobs;         /* STEP and on: */
    int64_t epoch;
    uint64_t position;
    int64_t batch; /* the setting: it may change */
} Order;

/* ---- the leader's side -------------------------------------------------------------------------------- */

static bool say(Team *t, Order o, void *bytes)
{
    return team_await(t, &o, sizeof o) && (!bytes || team_tell(t, 0, bytes, o.size));
}

bool team_leads(const Job *j)
{
    return j->team && team_rank(j->team) == 0;
}

static json_t *begin_json(Job *j)
{
    char *path = realpath(store_path(j->store, &j->arena, "datasets/%s.arrow", j->from.hash), NULL);
    json_t *o = json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "run", (json_int_t)j->row.id,
                          "family", j->row.family, "name", j->from.name, "target", j->row.target,
                          "split", j->row.split, "seed", (json_int_t)j->row.seed, "dataset",
                          path ? path : "", "dir", j->dir);
    free(path);
    json_object_set_new(o, "schema", schema_to_json(&j->schema));
    json_object_set_new(o, "settings", run_spec_json(&j->spec));
    json_object_set_new(o, "features", features_to_json(j->features));
    if (j->plan)
        json_object_set_new(o, "plan", plan_to_json(j->plan));
    return o;
}

bool team_begin(Job *j, Error *err)
{
    if (!team_leads(j))
        return true;
    if (j->series.time)
        return error_set(err, ERROR_USAGE,
                         "a %s trains in one process: windows of series are not shared out",
                         j->row.family);
    json_t *o = begin_json(j);
    char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17));
    bool ok = text || error_set(err, ERROR_SHAPE, "what the run is made of cannot be said as JSON");
    ok = ok && (say(j->team, (Order){.word = WORD_BEGIN, .size = strlen(text) + 1}, text) ||
                team_sound(j->team, err));
    free(text);
    json_decref(o);
    return ok;
}

bool team_model(Job *j, size_t rows, Error *err)
{
    if (!team_leads(j))
        return true;
    Order o = {.word = WORD_MODEL, .size = rows, .batch = j->spec.params.batch};
    return say(j->team, o, NULL) || team_sound(j->team, err);
}

bool team_state(Job *j, Error *err)
{
    Text state = {0};
    if (!team_leads(j))
        return true;
    bool ok = model_state_save(j->model, false, &state, err) &&
              (say(j->team, (Order){.word = WORD_STATE, .size = state.count}, state.at) ||
               team_sound(j->team, err));
    text_release(&state);
    return ok;
}

void team_step(Job *j, const Knobs *k, size_t rows)
{
    if (team_leads(j)) /* that it was lost is found by the step itself */
        say(j->team,
            (Order){.word = WORD_STEP,
                    .size = rows,
                    .knobs = *k,
                    .epoch = j->sampler.epoch,
                    .position = j->sampler.position - rows,
                    .batch = j->spec.params.batch},
            NULL);
}

void run_dismiss(Team *team)
{
    if (team && team_rank(team) == 0)
        say(team, (Order){.word = WORD_END}, NULL);
}

/* ---- rows ------------------------------------------------------------------------------------------------ */

/* The leader names rows of the table in errors and in the reference profile: it knows all of them. */
static bool share_numbers(Job *j, Error *err)
{
    uint64_t **own = &j->table.row[PART_TRAIN];
    uint64_t *all = scratch_take(j->scratch, (j->rows + 1) * sizeof *all, err);
    if (!team_agree(j->team, all != NULL, err))
        return false;
    memcpy(all + j->first, *own, j->table.part[PART_TRAIN].rows * sizeof *all);
    team_sum_u64(j->team, all, j->rows);
    scratch_give(j->scratch, *own);
    *own = all;
    return team_sound(j->team, err);
}

bool team_rows(Job *j, bool ok, Error *err)
{
    j->rows = j->table.part[PART_TRAIN].rows;
    if (!j->team)
        return ok;
    size_t members = team_size(j->team), rank = team_rank(j->team);
    if (!team_agree(j->team, ok, err))
        return false;
    uint64_t *rows = ARENA_NEW(&j->arena, uint64_t, members);
    rows[rank] = j->rows;
    team_sum_u64(j->team, rows, members);
    bool each = true;
    for (size_t i = 0, at = 0; i < members; at += rows[i++]) {
        each = each && rows[i] > 0;
        j->first = i == rank ? at : j->first;
        j->rows = at + rows[i];
    }
    if (!team_sound(j->team, err))
        return false;
    return each ? share_numbers(j, err)
                : error_set(err, ERROR_USAGE,
                            "%zu training rows in %zu processes: one of them has none; start fewer",
                            j->rows, members);
}

bool team_room(Job *j, Error *err)
{
    const ModelShape *s = features_shape(j->features);
    size_t n = j->sampler.whole ? 1 : j->batch_most;
    mem_free(j->shared);
    j->shared = mem_try((n * (s->dense + s->codes + 1) + 1) * sizeof *j->shared, err);
    return j->shared != NULL;
}

void team_gather(Job *j, const uint32_t *order, size_t n, Batch *out)
{
    const Batch *own = &j->table.part[PART_TRAIN];
    const ModelShape *s = features_shape(j->features);
    uint32_t *dense = j->shared, *code = dense + n * s->dense, *target = code + n * s->codes;
    memset(dense, 0, n * (s->dense + s->codes + 1) * sizeof *dense);
    for (size_t i = 0; i < n; i++) {
        size_t row = order[i] - j->first; /* wraps around for those before */
        if (row >= own->rows)
            continue;
        memcpy(dense + i * s->dense, own->dense + row * s->dense, s->dense * sizeof *dense);
        if (s->codes)
            memcpy(code + i * s->codes, own->code + row * s->codes, s->codes * sizeof *code);
        memcpy(target + i, own->target + row, sizeof *target);
    }
    team_sum_u32(j->team, dense, n * (s->dense + s->codes + 1));
    *out = (Batch){.rows = n,
                   .dense = (const float *)(const void *)dense,
                   .code = (const int32_t *)(const void *)code,
                   .target = (const float *)(const void *)target};
}

/* ---- the others ------------------------------------------------------------------------------------------- */

static const char *word_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static bool take_settings(Job *j, const json_t *o, Error *err)
{
    const char *key;
    json_t *value;
    const ModelFamily *f = model_family(word_of(o, "family"));
    if (!f)
        return error_set(err, ERROR_USAGE, "no family %s: the processes are of different programs",
                         word_of(o, "family"));
    run_spec_init(&j->spec, f);
    json_object_foreach(
        json_object_get(o, "settings"), key,
        value) if (!run_spec_set(&j->spec, key, json_string_value(value), err)) return false;
    return true;
}

/* What job_open makes from the store, from what the leader says. */
static bool take_run(Job *j, const json_t *o, Error *err)
{
    const char *path = word_of(o, "dataset"), *dir = word_of(o, "dir");
    const json_t *plan = json_object_get(o, "plan");
    j->row.id = json_integer_value(json_object_get(o, "run"));
    j->row.seed = json_integer_value(json_object_get(o, "seed"));
    j->row.target = arena_text(&j->arena, word_of(o, "target"));
    j->row.split = arena_text(&j->arena, word_of(o, "split"));
    j->from.name = arena_text(&j->arena, word_of(o, "name"));
    j->dir = arena_text(&j->arena, file_exists(dir) ? dir : "/tmp"); /* only for scratch files */
    j->split.seed = (uint64_t)j->row.seed;
    if (!(j->dataset = dataset_open(path, err)))
        return error_in(err, "every machine needs the dataset at the same path");
    return take_settings(j, o, err) && split_parse(j->row.split, &j->split, err) &&
           split_bind(&j->split, j->dataset, err) &&
           schema_from_json(&j->schema, json_object_get(o, "schema"), err) &&
           (!plan || (j->plan = plan_from_json(plan, &j->schema, err))) &&
           (j->features = features_from_json(json_object_get(o, "features"), err));
}

static bool hear_begin(Job *j, const char *text, Error *err)
{
    json_error_t where;
    json_t *o = json_loads(text, 0, &where);
    bool ok =
        o ? take_run(j, o, err)
          : error_set(err, ERROR_PARSE, "the leader's word: line %d: %s", where.line, where.text);
    json_decref(o);
    int threads = j->spec.params.threads;
    if (ok && (!j->pool || (threads > 0 && pool_threads(j->pool) != (size_t)threads))) {
        j->pool = pool_create((size_t)threads);
        j->own_pool = true;
    }
    return job_rows(j, ok, err);
}

static bool hear_step(Job *j, const Order *o, Error *err)
{
    Batch batch;
    StepStats stats;
    const uint32_t *order;
    j->spec.params.batch = (int)o->batch;
    j->sampler.epoch = o->epoch;
    j->sampler.position = o->position;
    loop_batch(j, &o->knobs, &order, &batch);
    return model_step(j->model, &batch, &o->knobs, &stats, err);
}

static bool hear_model(Job *j, const Order *o, Error *err)
{
    j->spec.params.batch = (int)o->batch;
    return job_model(j, o->size, err);
}

static bool obey(Job *j, const Order *o, Error *err)
{
    bool bytes = o->word == WORD_BEGIN || o->word == WORD_STATE;
    char *at = bytes ? mem_try(o->size + 1, err) : NULL;
    bool ok = !bytes || (at && (team_tell(j->team, 0, at, o->size) || team_sound(j->team, err)));
    switch ((Word)o->word) {
    case WORD_BEGIN:
        ok = ok && hear_begin(j, at, err);
        break;
    case WORD_MODEL:
        ok = ok && hear_model(j, o, err);
        break;
    case WORD_STATE:
        ok = ok && model_state_load(j->model, at, o->size, err);
        break;
    case WORD_STEP:
        ok = ok && hear_step(j, o, err);
        break;
    case WORD_END:
        break;
    }
    mem_free(at);
    return ok;
}

/* What went wrong in BEGIN all have agreed on, and the leader tells it. When it is gone, this is who is left. */
static bool give_up(const Job *j, const Order *o, Error *err)
{
    size_t n = strlen(err->text);
    if (!team_lost(j->team))
        return o->word == WORD_BEGIN;
    if (j->row.id)
        snprintf(err->text + n, sizeof err->text - n, "; lathe runs resume %lld goes on with its run",
                 (long long)j->row.id);
    return false;
}

bool run_follow(Team *team, Pool *pool, Error *err)
{
    Job *j = mem_alloc(sizeof *j);
    Order o = {0};
    Error why = {0};
    bool ok = true;
    j->team = team;
    j->pool = pool;
    while (ok && o.word != WORD_END)
        ok = (team_await(team, &o, sizeof o) || team_sound(team, &why)) && obey(j, &o, &why);
    ok = ok || give_up(j, &o, &why);
    if (!ok && err)
        *err = why;
    job_close(j);
    mem_free(j);
    return ok;
}
