/* chain.c -- from a dataset back to its raw source: every recipe on the way, fitted as it was. */
#include "train_int.h"

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
