/* schema.c -- the tables, as numbered migrations.
 *
 * The names are the public interface of `lathe sql`: plain words, times in microseconds since 1970
 * UTC, missing numbers NULL. A change of the schema is a further text at the end and STORE_VERSION
 * one higher; the texts above are never edited, for there are files made from them.
 *
 * metrics.id is run << 40 | sequence, so the points of a run lie together in the order they were
 * written, a viewer reads what is new as one range, and numbers are never used twice (the sequence
 * is runs.points, which only grows). */
#include "store_int.h"

static const char first[] =
    "CREATE TABLE settings(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE datasets("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL, name TEXT NOT NULL,"
    "  source TEXT NOT NULL, source_tag TEXT NOT NULL,"
    "  parent TEXT NOT NULL," /* hash of the dataset it was made from, or '' */
    "  recipe TEXT NOT NULL, plan TEXT NOT NULL, sniffed TEXT NOT NULL,"
    "  rows INTEGER NOT NULL, columns INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    "  rejects INTEGER NOT NULL, created INTEGER NOT NULL, UNIQUE(hash, name));"
    "CREATE INDEX datasets_name ON datasets(name, id);"

    "CREATE TABLE columns("
    "  dataset TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,"
    "  role TEXT NOT NULL, nullable INTEGER NOT NULL, distinct_values REAL, missing INTEGER NOT "
    "NULL,"
    "  least TEXT NOT NULL, most TEXT NOT NULL, PRIMARY KEY(dataset, position), UNIQUE(dataset, "
    "name));"

    "CREATE TABLE rejects("
    "  id INTEGER PRIMARY KEY, dataset TEXT NOT NULL, line INTEGER NOT NULL, reason TEXT NOT NULL,"
    "  text TEXT NOT NULL);"
    "CREATE INDEX rejects_dataset ON rejects(dataset, line);"

    "CREATE TABLE drafts(dataset TEXT PRIMARY KEY, recipe TEXT NOT NULL, time INTEGER NOT NULL)"
    "  WITHOUT ROWID;"

    "CREATE TABLE experiments("
    "  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, note TEXT NOT NULL DEFAULT '',"
    "  created INTEGER NOT NULL);"

    "CREATE TABLE runs("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, experiment TEXT NOT NULL,"
    "  family TEXT NOT NULL, dataset TEXT NOT NULL, dataset_name TEXT NOT NULL,"
    "  target TEXT NOT NULL, task TEXT NOT NULL, recipe TEXT NOT NULL, features TEXT NOT NULL,"
    "  split TEXT NOT NULL, seed INTEGER NOT NULL,"
    "  status TEXT NOT NULL CHECK(status IN"
    "    ('SCHEDULED', 'RUNNING', 'PAUSED', 'FINISHED', 'FAILED', 'KILLED')),"
    "  message TEXT NOT NULL, parent INTEGER NOT NULL, parent_step INTEGER NOT NULL,"
    "  pid INTEGER NOT NULL, born INTEGER NOT NULL DEFAULT 0,"
    "  created INTEGER NOT NULL, started INTEGER NOT NULL,"
    "  ended INTEGER NOT NULL, heartbeat INTEGER NOT NULL, step INTEGER NOT NULL,"
    "  steps_total INTEGER NOT NULL, epoch INTEGER NOT NULL, epochs_total INTEGER NOT NULL,"
    "  monitor TEXT NOT NULL, best REAL, best_step INTEGER NOT NULL, note TEXT NOT NULL,"
    "  tags TEXT NOT NULL, machine TEXT NOT NULL, version TEXT NOT NULL,"
    "  points INTEGER NOT NULL DEFAULT 0);" /* metric points ever written */
    "CREATE INDEX runs_name ON runs(name, id);"

    "CREATE TABLE params("
    "  run INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE(run, key));"

    "CREATE TABLE metrics("
    "  run INTEGER NOT NULL, key TEXT NOT NULL, step INTEGER NOT NULL, wall REAL NOT NULL,"
    "  value REAL, id INTEGER PRIMARY KEY);"
    "CREATE INDEX metrics_key ON metrics(run, key, step);"

    "CREATE TABLE events("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, step INTEGER NOT NULL,"
    "  time INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL);"
    "CREATE INDEX events_run ON events(run, id);"

    "CREATE TABLE commands("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, time INTEGER NOT NULL,"
    "  verb TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, taken INTEGER, step INTEGER);"
    "CREATE INDEX commands_pending ON commands(run, id) WHERE taken IS NULL;"
    "CREATE INDEX commands_run ON commands(run, id);"

    "CREATE TABLE checkpoints("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, step INTEGER NOT NULL,"
    "  epoch INTEGER NOT NULL, created INTEGER NOT NULL, path TEXT NOT NULL, value REAL,"
    "  best INTEGER NOT NULL, UNIQUE(run, step));"

    "CREATE TABLE models("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, version INTEGER NOT NULL,"
    "  run INTEGER NOT NULL, created INTEGER NOT NULL, hash TEXT NOT NULL, path TEXT NOT NULL,"
    "  alias TEXT NOT NULL, UNIQUE(name, version));"

    "CREATE TABLE predictions("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, model INTEGER NOT NULL,"
    "  run INTEGER NOT NULL, inputs TEXT NOT NULL, output TEXT NOT NULL, latency REAL);"
    "CREATE INDEX predictions_time ON predictions(model, time);"

    "CREATE TABLE drift_reports("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, created INTEGER NOT NULL, reference TEXT NOT NULL,"
    "  current TEXT NOT NULL, drifted INTEGER NOT NULL, report TEXT NOT NULL);"

    "CREATE TABLE drift_columns("
    "  report INTEGER NOT NULL, position INTEGER NOT NULL, \"column\" TEXT NOT NULL,"
    "  role TEXT NOT NULL, type TEXT NOT NULL, test TEXT NOT NULL, statistic REAL, threshold REAL,"
    "  drifted INTEGER NOT NULL, PRIMARY KEY(report, position)) WITHOUT ROWID;";

/* Production. Predictions stand in a file of their own (predictions.db, see log_schema): they come by
 * the thousand a second and are thrown away by size. */
static const char second[] =
    "DROP TABLE predictions;"

    "CREATE TABLE deployments("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,"
    "  state TEXT NOT NULL CHECK(state IN ('live', 'shadow', 'canary', 'green', 'stopped')),"
    "  model INTEGER NOT NULL, candidate INTEGER NOT NULL, previous INTEGER NOT NULL,"
    "  percent REAL NOT NULL, step INTEGER NOT NULL, step_since INTEGER NOT NULL,"
    "  failed INTEGER NOT NULL, passed INTEGER NOT NULL, settings TEXT NOT NULL,"
    "  created INTEGER NOT NULL, changed INTEGER NOT NULL);"

    "CREATE TABLE audit("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, actor TEXT NOT NULL,"
    "  what TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL);"
    "CREATE INDEX audit_subject ON audit(subject, id);"

    "CREATE TABLE gate_checks("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, gate INTEGER NOT NULL, time INTEGER NOT NULL,"
    "  deployment TEXT NOT NULL, model INTEGER NOT NULL, against INTEGER NOT NULL,"
    "  rule TEXT NOT NULL, value REAL, other REAL, bound REAL, p REAL, passed INTEGER NOT NULL,"
    "  note TEXT NOT NULL);"
    "CREATE INDEX gate_checks_gate ON gate_checks(gate, id);"

    "CREATE TABLE monitor_points("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, deployment TEXT NOT NULL, model INTEGER NOT NULL,"
    "  kind TEXT NOT NULL, \"column\" TEXT NOT NULL, test TEXT NOT NULL,"
    "  time_from INTEGER NOT NULL, time_to INTEGER NOT NULL, first INTEGER NOT NULL,"
    "  last INTEGER NOT NULL, rows INTEGER NOT NULL, value REAL, low REAL, high REAL,"
    "  truth REAL, alarm INTEGER NOT NULL, weight REAL, detail TEXT NOT NULL);"
    "CREATE INDEX monitor_points_curve ON monitor_points(deployment, kind, \"column\", id);"

    "CREATE TABLE alerts("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, deployment TEXT NOT NULL, subject TEXT NOT NULL,"
    "  kind TEXT NOT NULL, text TEXT NOT NULL, detail TEXT NOT NULL,"
    "  state TEXT NOT NULL CHECK(state IN ('raised', 'acknowledged', 'resolved')),"
    "  raised INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL,"
    "  acknowledged INTEGER NOT NULL, resolved INTEGER NOT NULL, actor TEXT NOT NULL);"
    "CREATE INDEX alerts_open ON alerts(deployment, subject, kind) WHERE state <> 'resolved';"

    "CREATE TABLE tokens("
    "  name TEXT PRIMARY KEY, salt TEXT NOT NULL, hash TEXT NOT NULL, created INTEGER NOT NULL,"
    "  revoked INTEGER NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE pipelines("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, hash TEXT NOT NULL,"
    "  created INTEGER NOT NULL, ended INTEGER NOT NULL, status TEXT NOT NULL, text TEXT NOT NULL);"
    "CREATE TABLE pipeline_steps("
    "  pipeline INTEGER NOT NULL, position INTEGER NOT NULL, step TEXT NOT NULL, key TEXT NOT NULL,"
    "  started INTEGER NOT NULL, ended INTEGER NOT NULL, status TEXT NOT NULL, result TEXT NOT "
    "NULL,"
    "  PRIMARY KEY(pipeline, position)) WITHOUT ROWID;"
    "CREATE INDEX pipeline_steps_key ON pipeline_steps(key, status);";

static const char third[] = "ALTER TABLE columns ADD COLUMN private INTEGER NOT NULL DEFAULT 0;";

const char *const store_migrations[STORE_VERSION] = {first, second, third};

/* One row a second, deployment, model, and whether it answered as a shadow. What is its key stands first: of a table
 * without rowid SQLite's integrity check looks for other columns at their declared places. */
#define TRAFFIC                                                                                    \
    "("                                                                                            \
    "  time INTEGER NOT NULL, deployment TEXT NOT NULL, model INTEGER NOT NULL,"                   \
    "  shadow INTEGER NOT NULL, requests INTEGER NOT NULL, errors INTEGER NOT NULL,"               \
    "  rows INTEGER NOT NULL, dropped INTEGER NOT NULL, p50 REAL, p99 REAL,"                       \
    "  PRIMARY KEY(time, deployment, model, shadow)) WITHOUT ROWID;"

const char log_schema[] =
    "CREATE TABLE IF NOT EXISTS predictions("
    "  id INTEGER PRIMARY KEY, time INTEGER NOT NULL, deployment TEXT NOT NULL,"
    "  model INTEGER NOT NULL, role TEXT NOT NULL," /* live, shadow, canary */
    "  inputs TEXT NOT NULL, output REAL, said TEXT NOT NULL, latency REAL);"
    "CREATE TABLE IF NOT EXISTS feedback("
    "  prediction INTEGER PRIMARY KEY, time INTEGER NOT NULL, truth REAL, said TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS feedback_time ON feedback(time);"
    "CREATE TABLE IF NOT EXISTS traffic" TRAFFIC;

/* Logs from before a shadow's answers were counted apart. */
const char log_shadow_schema[] =
    "ALTER TABLE traffic RENAME TO traffic_before;"
    "CREATE TABLE traffic" TRAFFIC "INSERT INTO traffic SELECT time, deployment, model, 0, "
                                   "requests, errors, rows, dropped, p50, p99 FROM traffic_before;"
    "DROP TABLE traffic_before;";
