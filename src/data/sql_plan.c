/* sql_plan.c -- which conditions of a statement a scan takes over, and what that will cost. */
#include "sql_int.h"

#include <math.h>

#define RANGE_SHARE 0.3 /* of rows that pass a comparison nothing is known about */

static bool is_range(int op)
{
    return op == SQLITE_INDEX_CONSTRAINT_GT || op == SQLITE_INDEX_CONSTRAINT_GE ||
           op == SQLITE_INDEX_CONSTRAINT_LT || op == SQLITE_INDEX_CONSTRAINT_LE;
}

static bool is_equal(int op)
{
    return op == SQLITE_INDEX_CONSTRAINT_EQ || op == SQLITE_INDEX_CONSTRAINT_IS;
}

static bool is_null_test(int op)
{
    return op == SQLITE_INDEX_CONSTRAINT_ISNULL || op == SQLITE_INDEX_CONSTRAINT_ISNOTNULL;
}

static bool is_usable(const Dataset *d, sqlite3_index_info *info, int i)
{
    const struct sqlite3_index_constraint *c = &info->aConstraint[i];
    if (c->iColumn >= (int)dataset_schema(d)->count) /* a part of a time: SQLite looks */
        return false;
    bool text = c->iColumn >= 0 && dataset_schema(d)->field[c->iColumn].type == COLUMN_TEXT;
    if (!c->usable)
        return false;
    if (text && !is_null_test(c->op) && sqlite3_stricmp(sqlite3_vtab_collation(info, i), "BINARY"))
        return false;
    return is_range(c->op) || is_equal(c->op) || is_null_test(c->op) ||
           (text && c->op == SQLITE_INDEX_CONSTRAINT_LIKE);
}

/* ---- shares --------------------------------------------------------------------------------------- */

static double share_below(const ColumnProfile *p, double v)
{
    int q = 0;
    while (q < PROFILE_QUANTILES && p->quantile[q] < v)
        q++;
    return (double)q / PROFILE_QUANTILES;
}

static double share_of(const ColumnProfile *p, int op, sqlite3_value *v)
{
    double rows = (double)p->count + 1, present = (rows - (double)p->missing) / rows;
    if (op == SQLITE_INDEX_CONSTRAINT_ISNULL)
        return 1 - present;
    if (op == SQLITE_INDEX_CONSTRAINT_ISNOTNULL)
        return present;
    if (is_equal(op))
        return present / fmax(p->distinct, 1);
    bool number = v && p->numeric && p->type != COLUMN_TIME && p->type != COLUMN_DATE &&
                  sqlite3_value_numeric_type(v) <= SQLITE_FLOAT;
    if (!number)
        return present * RANGE_SHARE;
    double below = share_below(p, sqlite3_value_double(v));
    bool lower = op == SQLITE_INDEX_CONSTRAINT_LT || op == SQLITE_INDEX_CONSTRAINT_LE;
    return present * (lower ? below : 1 - below);
}

/* ---- the plan --------------------------------------------------------------------------------------- */

typedef struct Planning {
    const Dataset *d;
    sqlite3_index_info *info;
    Text plan;
    int used;     /* arguments */
    bool exact;   /* every condition is taken over in full */
    double share; /* of rows that pass */
} Planning;

static void take(Planning *p, int i, bool list)
{
    sqlite3_index_info *info = p->info;
    const struct sqlite3_index_constraint *c = &info->aConstraint[i];
    sqlite3_value *v = NULL;
    if (list || sqlite3_vtab_rhs_value(info, i, &v) != SQLITE_OK)
        v = NULL;
    bool exact = !list && limit_is_exact(p->d, c->iColumn, c->op, v);
    text_printf(&p->plan, "%d,%d,%d;", c->iColumn, c->op, list);
    info->aConstraintUsage[i].argvIndex = ++p->used;
    info->aConstraintUsage[i].omit = exact;
    p->exact &= exact;
    if (c->iColumn < 0) {
        double one = 1 / ((double)dataset_rows(p->d) + 1);
        p->share *= is_equal(c->op) ? one : RANGE_SHARE;
        if (c->op == SQLITE_INDEX_CONSTRAINT_EQ && !list)
            info->idxFlags |= SQLITE_INDEX_SCAN_UNIQUE;
    } else {
        double share = share_of(&dataset_profile(p->d)->column[c->iColumn], c->op, v);
        p->share *= fmin(list ? 8 * share : share, 1);
    }
}

/* The equality with something that is not known yet, of the column with most values; -1: none. */
static int find_lookup(Planning *p)
{
    int best = -1;
    double distinct = 1;
    for (int i = 0; i < p->info->nConstraint; i++) {
        const struct sqlite3_index_constraint *c = &p->info->aConstraint[i];
        sqlite3_value *v;
        if (c->iColumn < 0 || c->iColumn >= (int)dataset_schema(p->d)->count ||
            c->op != SQLITE_INDEX_CONSTRAINT_EQ || !is_usable(p->d, p->info, i) ||
            sqlite3_vtab_in(p->info, i, -1) || sqlite3_vtab_rhs_value(p->info, i, &v) == SQLITE_OK)
            continue;
        double here = dataset_profile(p->d)->column[c->iColumn].distinct;
        if (here > distinct) {
            distinct = here;
            best = i;
        }
    }
    return best;
}

static bool is_paging(int op)
{
    return op == SQLITE_INDEX_CONSTRAINT_LIMIT || op == SQLITE_INDEX_CONSTRAINT_OFFSET;
}

static void take_conditions(Planning *p, int first)
{
    sqlite3_index_info *info = p->info;
    if (first >= 0)
        take(p, first, false);
    for (int i = 0; i < info->nConstraint; i++) {
        if (i == first || is_paging(info->aConstraint[i].op))
            continue;
        if (p->used < LIMITS_MOST - 1 && is_usable(p->d, info, i))
            take(p, i, sqlite3_vtab_in(info, i, 1));
        else
            p->exact = false;
    }
}

/* Rows that are passed over anyway need not be shown to SQLite first. */
static void take_offset(Planning *p)
{
    sqlite3_index_info *info = p->info;
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_OFFSET ||
            !info->aConstraint[i].usable)
            continue;
        text_printf(&p->plan, "-2,%d,0;", SQLITE_INDEX_CONSTRAINT_OFFSET);
        info->aConstraintUsage[i].argvIndex = ++p->used;
        info->aConstraintUsage[i].omit = 1;
        return;
    }
}

/* GROUP BY, DISTINCT and ORDER BY by columns of few values: how many, 0 when SQLite has to sort. The
 * row number as the last is the order that equal rows have anyway. */
static size_t take_groups(SqlTable *table, const sqlite3_index_info *info,
                          int column[GROUPED_MOST])
{
    int n = info->nOrderBy;
    if (n < 1 || n > GROUPED_MOST)
        return 0;
    for (int i = 0; i < n; i++) {
        column[i] = info->aOrderBy[i].iColumn;
        if (info->aOrderBy[i].desc)
            return 0;
    }
    n -= n > 1 && column[n - 1] < 0;
    return grouped_can(table, column, (size_t)n) ? (size_t)n : 0;
}

int sql_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    SqlTable *table = (SqlTable *)base;
    Planning p = {.d = table->dataset, .info = info, .exact = true, .share = 1};
    double rows = (double)dataset_rows(p.d) + 1;
    int group[GROUPED_MOST];
    int lookup = find_lookup(&p);
    size_t groups = lookup < 0 ? take_groups(table, info, group) : 0;
    bool grouped = groups > 0;
    text_printf(&p.plan, "%llx;%d", (unsigned long long)info->colUsed, (int)groups);
    for (size_t i = 0; i < groups; i++)
        text_printf(&p.plan, ",%d", group[i]);
    text_putc(&p.plan, ';');
    take_conditions(&p, lookup);
    if (grouped)
        info->orderByConsumed = 1;
    else if (info->nOrderBy == 1 && info->aOrderBy[0].iColumn < 0 && !info->aOrderBy[0].desc)
        info->orderByConsumed = 1; /* rows come in the order of their number */
    if (p.exact && !grouped && (info->nOrderBy == 0 || info->orderByConsumed))
        take_offset(&p);
    double out = rows * p.share, each = 1 + 0.1 * __builtin_popcountll(info->colUsed);
    bool one = info->idxFlags & SQLITE_INDEX_SCAN_UNIQUE;
    info->idxNum = lookup >= 0 ? LOOKUP : grouped ? GROUPED : 0;
    info->estimatedRows = one ? 1 : (sqlite3_int64)out + 1;
    info->estimatedCost = one           ? 2
                          : lookup >= 0 ? 4 + 2 * out * each
                                        : rows * 0.05 * (p.used + 1 + 4 * grouped) + out * each;
    info->idxStr = sqlite3_mprintf("%s", text_str(&p.plan));
    info->needToFreeIdxStr = 1;
    text_release(&p.plan);
    return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}
