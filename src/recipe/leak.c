/* leak.c -- does a rule let the target into other columns, or choose rows by it?
 *
 * What a rule reads is known from its plan. A column that was computed from others can still say what the target
 * says: then the two go together, which Pearson's r of the numbers tells. Its sums are kept around the means and put
 * together as in Chan, Golub and LeVeque (1979), so that large means cost nothing. */
#include "recipe_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ALIKE 0.98 /* of r: so near the target a column is hardly known before it */

void together_add(Together *t, const double *x, const double *y, const uint8_t *alive, size_t rows)
{
    double n = 0, mx = 0, my = 0;
    for (size_t i = 0; i < rows; i++) {
        if (!alive[i] || !isfinite(x[i]) || !isfinite(y[i]))
            continue;
        n++;
        mx += (x[i] - mx) / n;
        my += (y[i] - my) / n;
    }
    Together one = {.n = n, .x = mx, .y = my};
    for (size_t i = 0; i < rows; i++) {
        if (!alive[i] || !isfinite(x[i]) || !isfinite(y[i]))
            continue;
        one.xx += (x[i] - mx) * (x[i] - mx);
        one.yy += (y[i] - my) * (y[i] - my);
        one.xy += (x[i] - mx) * (y[i] - my);
    }
    together_merge(t, &one);
}

void together_merge(Together *t, const Together *one)
{
    double n = t->n + one->n, dx = one->x - t->x, dy = one->y - t->y;
    if (!(one->n > 0))
        return;
    double weight = t->n * one->n / n;
    t->xx += one->xx + dx * dx * weight;
    t->yy += one->yy + dy * dy * weight;
    t->xy += one->xy + dx * dy * weight;
    t->x += dx * one->n / n;
    t->y += dy * one->n / n;
    t->n = n;
}

double together_r(const Together *t)
{
    double spread = sqrt(t->xx) * sqrt(t->yy);
    return t->n > 2 && spread > 0 ? t->xy / spread : (double)NAN;
}

const char *leak_target(const Plan *p)
{
    for (size_t i = 0; i < p->in.count; i++)
        if (p->in.field[i].role == ROLE_TARGET)
            return p->in.field[i].name;
    return NULL;
}

static bool is_target(const Plan *p, const char *name)
{
    size_t at = schema_find(&p->out, name);
    return at != SIZE_MAX && p->out.field[at].role == ROLE_TARGET;
}

/* Rows without a target are no use to a training: leaving them out is no choice. */
static bool chooses(const Step *step)
{
    return step->rule->drops && !text_equal(step->rule->kind.name, "drop missing");
}

void leak_tell(const Plan *p, const Step *step, const char *const *name, const Together *with, size_t columns, Preview *out)
{
    const char *target = leak_target(p);
    if (!target)
        return;
    snprintf(out->target, sizeof out->target, "%s", target);
    for (size_t i = 0; i < step->writes && step->on_target && out->leak == LEAK_NONE; i++)
        if (!is_target(p, step->write[i]) && schema_find(&p->out, step->write[i]) != SIZE_MAX) {
            out->leak = LEAK_COMPUTED;
            snprintf(out->leaking, sizeof out->leaking, "%s", step->write[i]);
        }
    if (out->leak == LEAK_NONE && step->on_target && chooses(step))
        out->leak = LEAK_CHOSEN;
    for (size_t k = 0; k < columns && step->writes && out->leak == LEAK_NONE; k++)
        if (!is_target(p, name[k]) && fabs(together_r(&with[k])) >= ALIKE) {
            out->leak = LEAK_ALIKE;
            out->alike = together_r(&with[k]);
            snprintf(out->leaking, sizeof out->leaking, "%s", name[k]);
        }
}
