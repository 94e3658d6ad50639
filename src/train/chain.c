/* chain.c -- from a dataset back to its raw source: every recipe on the way, fitted as it was. */
#include "train_int.h"

bool run_schema(Store *s, const char *hash, Schema *into, Error *err)
{
    Arena a = {0};
    ColumnRow *c;
    size_t n;
    bool ok = store_dataset_columns(s, hash, &a, &c, &n, err);
    if (ok && n == 0)
        ok = error_set(err, ERROR_SHAPE, "dataset %.12s: the workspace knows no columns of it",
                       hash);
    for (size_t i = 0; ok && i < n; i++) {
        ColumnType type;
        Role role;
        ok = (column_type_parse(c[i].type, &type) && role_parse(c[i].role, &role)) ||
             error_set(err, ERROR_PARSE, "dataset %.12s: column %s has type '%s' and role '%s'",
                       hash, c[i].name, c[i].type, c[i].role);
        if (ok) {
            schema_add(into, c[i].name, type, role);
            into->field[into->count - 1].nullable = c[i].nullable;
            into->field[into->count - 1].private = c[i].private;
        }
    }
    arena_release(&a);
    return ok;
}

size_t run_plans_behind(Store *s, const DatasetRow *dataset, size_t plans)
{
    Arena a = {0};
    DatasetRow *row;
    size_t n;
    Error ignored = {0};
    bool whole = store_dataset_line(s, dataset, &a, &row, &n, &ignored);
    arena_release(&a);
    size_t behind = whole ? n - 1 : n; /* the last one is made of one that is gone */
    return behind < plans ? behind : plans;
}

static Plan *fitted_plan(const char *json, const Schema *in, Error *err)
{
    json_error_t where;
    json_t *j = json_loads(json, 0, &where);
    if (!j) {
        error_set(err, ERROR_PARSE, "stored recipe: line %d: %s", where.line, where.text);
        return NULL;
    }
    Plan *p = plan_from_json(j, in, err);
    json_decref(j);
    return p;
}

bool chain_open(Chain *c, Store *s, const DatasetRow *from, Error *err)
{
    Arena a = {0};
    DatasetRow *rows;
    size_t n = 0;
    bool ok =
        store_dataset_line(s, from, &a, &rows, &n, err) && run_schema(s, rows[n - 1].hash, &c->raw, err);
    c->plan = mem_alloc((n + 1) * sizeof *c->plan);
    const Schema *in = &c->raw;
    for (size_t i = n - 1; ok && i-- > 0;) {
        Plan *p = *rows[i].plan ? fitted_plan(rows[i].plan, in, err) : NULL;
        if (!p) {
            ok = *rows[i].plan ? error_in(err, "dataset %s", rows[i].name)
                               : error_set(err, ERROR_SHAPE, "dataset %s: its recipe is not stored",
                                           rows[i].name);
            break;
        }
        c->plan[c->plans++] = p;
        in = plan_schema(p);
    }
    c->root = ok ? text_copy(rows[n - 1].hash) : NULL;
    arena_release(&a);
    return ok;
}

void chain_close(Chain *c)
{
    for (size_t i = 0; i < c->plans; i++)
        plan_destroy(c->plan[i]);
    mem_free(c->plan);
    mem_free(c->root);
    schema_release(&c->raw);
    *c = (Chain){0};
}
