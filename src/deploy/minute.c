/* minute.c -- the last minute of a deployment as its clients saw it, from what its servers counted.
 *
 * What a model answered as a shadow was given to nobody and is left out. */
#include "deploy_int.h"

#include <math.h>
#include <string.h>

#define SECOND 1000000LL

void deployment_minute(const DeploymentRow *d, const TrafficRow *row, size_t n, int64_t now,
                       DeployMinute *out)
{
    int64_t of_step = 0, candidate = 0;
    double p50 = 0, p99 = 0;
    *out = (DeployMinute){0};
    for (size_t i = 0; i < n; i++) {
        const TrafficRow *t = &row[i];
        int64_t ago = (now - t->time) / SECOND;
        if (ago < 0 || ago >= DEPLOY_SECONDS || t->shadow)
            continue;
        out->each[DEPLOY_SECONDS - 1 - ago] += (double)t->requests;
        out->requests += t->requests;
        out->errors += t->errors;
        out->rows += t->rows;
        p50 += isfinite(t->p50) ? t->p50 * (double)t->requests : 0.0;
        p99 = isfinite(t->p99) && t->p99 > p99 ? t->p99 : p99;
        of_step += t->time >= d->step_since ? t->requests : 0;
        candidate += t->time >= d->step_since && t->model == d->candidate ? t->requests : 0;
    }
    out->p50 = out->requests ? p50 / (double)out->requests : (double)NAN;
    out->p99 = out->requests ? p99 : (double)NAN;
    out->candidate = of_step && d->candidate && strcmp(d->state, "shadow") != 0
                         ? (double)candidate / (double)of_step
                         : (double)NAN;
}
