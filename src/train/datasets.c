/* datasets.c -- a dataset's file and what the workspace knows of it: entering one, and its columns as a run sees them. */
#include "train_int.h"

/* ---- entering a file ------------------------------------------------------------------------------ */

static const char *limit_text(const ColumnProfile *p, double value, Arena *a)
{
    Text text = {0};
    if (p->numeric && p->count > p->missing) {
        if (p->type == COLUMN_TIME)
            time_format((int64_t)value, &text);
        else if (p->type == COLUMN_DATE)
            date_format((int32_t)value, &text);
        else
            text_add_real(&text, value);
    }
    char *kept = arena_text(a, text_str(&text));
    text_release(&text);
    return kept;
}

static ColumnRow *column_rows(const Dataset *d, Arena *a)
{
    const Schema *schema = dataset_schema(d);
    const Profile *profile = dataset_profile(d);
    ColumnRow *rows = ARENA_NEW(a, ColumnRow, schema->count + 1);
    for (size_t i = 0; i < schema->count; i++) {
        const ColumnProfile *p = &profile->column[i];
        rows[i] = (ColumnRow){.name = schema->field[i].name,
                              .type = column_type_name(schema->field[i].type),
                              .role = role_name(schema->field[i].role),
                              .nullable = schema->field[i].nullable,
                              .private = schema->field[i].private,
                              .distinct = p->distinct,
                              .missing = (int64_t)p->missing,
                              .least = limit_text(p, p->least, a),
                              .most = limit_text(p, p->most, a)};
    }
    return rows;
}

bool run_dataset_enter(Store *s, const DatasetRow *row, const RejectRow *rejects, size_t n,
                       Error *err)
{
    Arena arena = {0};
    Dataset *d = dataset_open(store_path(s, &arena, "datasets/%s.arrow", row->hash), err);
    bool ok = d && store_begin(s, err);
    if (ok) {
        DatasetRow full = *row;
        full.rows = (int64_t)dataset_rows(d);
        full.columns = (int64_t)dataset_schema(d)->count;
        full.bytes = (int64_t)dataset_bytes(d);
        full.created = time_now();
        ok = store_dataset_add(s, &full, column_rows(d, &arena), dataset_schema(d)->count, err) &&
             (!n || store_rejects_add(s, row->hash, rejects, n, err)) && store_commit(s, err);
        if (!ok)
            store_rollback(s);
    }
    dataset_close(d);
    arena_release(&arena);
    return ok;
}

/* ---- asking about it ------------------------------------------------------------------------------ */

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
