/* drop_outliers.c -- drops rows with a value far from the others, by quartiles or by deviations.
 *
 *     iqr K      outside [Q1 - K (Q3 - Q1), Q3 + K (Q3 - Q1)]    Tukey's fences; K = 1.5 is usual
 *     zscore K   further than K standard deviations from the mean
 *
 * The statistics are those of the training rows. A missing value is no outlier. */
#include "recipe_int.h"

#include <string.h>

typedef struct DropOutliers {
    NameList names;
    Need *need; /* [names.count] */
    bool by_quartiles;
    double reach;
} DropOutliers;

static bool parse(Parser *p, void *self)
{
    DropOutliers *d = self;
    Token reach = {0};
    if (!parser_names(p, &d->names))
        return false;
    d->by_quartiles = parser_is(p, "iqr");
    if (!parser_take(p, "iqr") && !parser_take(p, "zscore"))
        return parser_expected(p, "'iqr' or 'zscore'");
    if (!parser_number(p, &reach))
        return false;
    if (!(reach.real > 0.0))
        return parser_fail(p, reach.column, "expected a number above 0, found %s", reach.text);
    d->reach = reach.real;
    d->need = ARENA_NEW(p->arena, Need, d->names.count);
    return true;
}

static bool bind(void *self, Shape *s)
{
    DropOutliers *d = self;
    if (!shape_need_all(s, &d->names))
        return false;
    for (size_t i = 0; i < d->names.count; i++) {
        const NameAt *name = &d->names.at[i];
        ColumnType type = s->field[name->field].type;
        if (type == COLUMN_TEXT || type == COLUMN_BOOL)
            return place_error(s->err, s->line, name->column,
                               "%.80s is %s, outliers are among numbers and times%s", name->name,
                               column_type_name(type),
                               type == COLUMN_TEXT ? ": cast it first" : "");
        d->need[i] = (Need){.kind = d->by_quartiles ? NEED_QUARTILES : NEED_MOMENTS,
                            .name = name->name,
                            .field = name->field,
                            .type = type};
    }
    return true;
}

static size_t needs(void *self, Need **first)
{
    DropOutliers *d = self;
    *first = d->need;
    return d->names.count;
}

static void fences(const DropOutliers *d, const Need *n, double *low, double *high)
{
    double middle_low = d->by_quartiles ? n->low : n->mean;
    double middle_high = d->by_quartiles ? n->high : n->mean;
    double unit = d->by_quartiles ? n->high - n->low : n->deviation;
    *low = middle_low - d->reach * unit;
    *high = middle_high + d->reach * unit;
}

static bool apply(const void *self, Frame *f, Error *err)
{
    const DropOutliers *d = self;
    uint8_t *keep = arena_alloc(f->arena, f->rows + 8);
    memset(keep, 1, f->rows);
    for (size_t k = 0; k < d->names.count; k++) {
        if (d->need[k].count == 0)
            continue;
        double low, high;
        fences(d, &d->need[k], &low, &high);
        const double *x = column_reals(&f->column[d->names.at[k].field], f->arena);
        for (size_t i = 0; i < f->rows; i++) /* NaN, which stands for missing, stays */
            keep[i] &= !(x[i] < low) & !(x[i] > high);
    }
    frame_drop(f, keep);
    (void)err;
    return true;
}

const Rule drop_outliers_rule = {
    .kind = {"drop outliers", "drop outliers COLUMN, ... iqr|zscore K",
             "drops rows beyond K interquartile ranges from the quartiles, or K deviations from "
             "the mean",
             "drop outliers FARE iqr 3"},
    .size = sizeof(DropOutliers),
    .drops = true,
    .parse = parse,
    .bind = bind,
    .apply = apply,
    .needs = needs,
};
