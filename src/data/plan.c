/* plan.c -- how each column is read: the guess of the sample, what the user forced, or what a
 * model wants. */
#include "reader_int.h"

#include <string.h>

/* How a column is read as a type that was asked for. */
static ReadAs read_of(ColumnType type, const Sniff *s, size_t from)
{
    DateOrder order = from != SIZE_MAX ? s->order[from] : ORDER_YMD;
    switch (type) {
    case COLUMN_BOOL:
        return READ_BOOL;
    case COLUMN_INT:
        return READ_INT;
    case COLUMN_REAL:
        return READ_REAL;
    case COLUMN_DATE:
        return (ReadAs)(READ_DATE_YMD + (int)order);
    case COLUMN_TIME:
        return (ReadAs)(READ_TIME_YMD + (int)order);
    default:
        return READ_TEXT;
    }
}

static size_t find_name(const char *const *name, size_t count, const char *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(name[i], wanted))
            return i;
    return SIZE_MAX;
}

static bool no_column(const char *where, const char *wanted, const char *const *name, size_t count,
                      const char *why, Error *err)
{
    const char *near = text_nearest(wanted, name, count);
    return error_set(err, ERROR_USAGE, "%s: no column %s%s%s%s%s", where, wanted, why,
                     near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
}

/* types=COL:TYPE,... */
static bool force_types(Plan *p, const Sniff *s, const char *list, Error *err)
{
    Arena scratch = {0};
    char *copy = arena_text(&scratch, list), *rest = copy;
    bool ok = true;
    for (char *item; ok && (item = strsep(&rest, ","));) {
        char *colon = strrchr(item, ':');
        ColumnType type;
        if (!*item)
            continue;
        if (!colon) {
            ok = error_set(err, ERROR_USAGE, "types: expected COLUMN:TYPE,... found '%s'", item);
            break;
        }
        *colon = 0;
        size_t at = find_name(s->name, s->rules.columns, item);
        if (at == SIZE_MAX)
            ok = no_column("types", item, s->name, s->rules.columns, "", err);
        else if (!column_type_parse(colon + 1, &type))
            ok = error_set(err, ERROR_USAGE,
                           "types: %s: expected bool, int64, float64, timestamp, date or text, "
                           "found '%s'",
                           item, colon + 1);
        else
            p->column[at].as = read_of(type, s, at), p->column[at].fixed = type != COLUMN_TEXT;
    }
    arena_release(&scratch);
    return ok;
}

static bool plan_all(Plan *p, const Sniff *s, Arena *a)
{
    p->columns = s->rules.columns;
    p->column = ARENA_NEW(a, ColumnPlan, p->columns);
    for (size_t i = 0; i < p->columns; i++)
        p->column[i] = (ColumnPlan){
            .name = s->name[i], .as = s->as[i], .percent = s->percent && s->percent[i], .from = i};
    p->hollow = s->hollow;
    return true;
}

/* Without a header the wanted columns come in their order, with or without the target. */
static bool by_position(const Schema *wanted, size_t columns, size_t *target)
{
    *target = SIZE_MAX;
    if (columns == wanted->count)
        return true;
    for (size_t i = 0; i < wanted->count; i++)
        if (wanted->field[i].role == ROLE_TARGET && *target == SIZE_MAX)
            *target = i;
    return *target != SIZE_MAX && columns + 1 == wanted->count;
}

static bool plan_wanted(Plan *p, const Sniff *s, const Schema *wanted, const char *source, Arena *a,
                        Error *err)
{
    size_t count = s->rules.columns, target = SIZE_MAX;
    bool placed = !s->header && by_position(wanted, count, &target);
    if (!s->header && !placed)
        return error_set(err, ERROR_SHAPE,
                         "%s: has no header and %zu columns, where %zu are needed", source, count,
                         wanted->count);
    p->columns = wanted->count;
    p->column = ARENA_NEW(a, ColumnPlan, p->columns);
    for (size_t i = 0; i < wanted->count; i++) {
        const Field *f = &wanted->field[i];
        size_t from = placed ? (i == target ? SIZE_MAX : i - (i > target))
                             : find_name(s->name, count, f->name);
        if (from == SIZE_MAX && f->role != ROLE_TARGET)
            return no_column(source, f->name, s->name, count, ", which is needed", err);
        p->column[i] = (ColumnPlan){.name = arena_text(a, f->name),
                                    .as = read_of(f->type, s, from),
                                    .fixed = f->type != COLUMN_TEXT,
                                    .needed = f->role != ROLE_TARGET,
                                    .from = from};
    }
    return true;
}

bool plan_make(Plan *p, const Sniff *s, const IngestOptions *options, const Schema *wanted,
               const char *source, Arena *a, Error *err)
{
    *p = (Plan){.rules = s->rules,
                .decimal = s->decimal,
                .cut = s->cut,
                .latin1 = s->latin1,
                .null = &s->null,
                .text_null = &s->text_null};
    if (wanted)
        return plan_wanted(p, s, wanted, source, a, err);
    const char *types = options && options->types ? options->types : "";
    return plan_all(p, s, a) && force_types(p, s, types, err);
}

bool plan_rebind(Plan *p, const char *const *name, size_t columns, bool header, const char *source,
                 const char *first_source, Error *err)
{
    p->rules.columns = columns;
    for (size_t i = 0; header && i < p->columns; i++) {
        ColumnPlan *c = &p->column[i];
        c->from = find_name(name, columns, c->name);
        if (c->from == SIZE_MAX && c->needed) {
            Text why = {0};
            text_printf(&why, " (%s has it)", first_source);
            no_column(source, c->name, name, columns, text_str(&why), err);
            text_release(&why);
            return false;
        }
    }
    return true;
}
