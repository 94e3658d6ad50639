/* watch_int.h -- what the files of watching share.
 *
 *     watch.c            a round: every deployment's log, roll-outs, policies, alerts told
 *     watch_log.c        the log of predictions cut into whole chunks, one model at a time
 *     watch_rows.c       logged rows as a chunk of raw values, and as numbers for several columns
 *     monitor.c          one chunk judged: all its points and alerts, in one transaction
 *     monitor_model.c    what a model is judged against: reference rows, weights, fitted estimates
 *     monitor_drift.c    monitor_estimate.c    monitor_quality.c    monitor_truth.c    monitor_traffic.c
 *     alert.c            raising and resolving; alert_tell.c: to a command and a webhook
 *     policy.c           when to train anew; policy_rows.c the table for it; policy_run.c run and roll-out
 */
#ifndef LATHE_WATCH_INT_H
#define LATHE_WATCH_INT_H

#include <lathe/deploy.h>

/* ---- telling alerts ---------------------------------------------------------------------------------- */

/* What someone is told of an alert, and where. Empty: not there. */
typedef struct AlertSinks {
    const char *command, *webhook;
    double seconds;      /* that each of them has */
    Log *log;            /* NULL: none */
    Progress *progress;  /* its stop is asked while waiting; NULL: nobody's */
} AlertSinks;
json_t *alert_json(const AlertRow *row);
/* Tells all that are set. False: one of them failed, and why (the first). */
bool alert_tell(const AlertSinks *to, const AlertRow *row, Error *err);

#endif
