/* command_int.h -- what the verbs share: the list of them, and small helpers for results. */
#ifndef COMMAND_INT_H
#define COMMAND_INT_H

#include <lathe/command.h>

/* The one list. Its order is the order of the help. A verb is src/command/NAME.c and a row here. */
#define COMMANDS(X) \
    X(sample)       \
    X(ingest)       \
    X(data)         \
    X(sql)          \
    X(clean)        \
    X(expect)       \
    X(train)        \
    X(runs)         \
    X(predict)      \
    X(serve)        \
    X(models)       \
    X(evaluate)     \
    X(gate)         \
    X(pipeline)     \
    X(deploy)       \
    X(deployments)  \
    X(audit)        \
    X(token)        \
    X(alerts)       \
    X(watch)        \
    X(demo)         \
    X(drift)        \
    X(plot)         \
    X(explain)      \
    X(export)       \
    X(push)         \
    X(pull)         \
    X(doctor)       \
    X(gc)           \
    X(replay)       \
    X(manual)       \
    X(work)

#define AS_EXTERN(name) extern const Command name##_command;
COMMANDS(AS_EXTERN)
#undef AS_EXTERN

/* The verb's i-th word, or NULL. */
const char *call_word(const CommandCall *call, size_t i);
/* News for the one who waits; call->say may be NULL. */
void call_say(const CommandCall *call, const char *fmt, ...) PRINTF_LIKE(2, 3);
Store *call_store(const CommandCall *call, StoreMode mode, Error *err);
const char *call_actor(void); /* who gives this command, for the audit: LATHE_ACTOR, or the user */

/* Results. NaN and infinities become null, which JSON can say. */
void result_real(json_t *into, const char *key, double value);
void result_text(json_t *into, const char *key, const char *value);
void result_int(json_t *into, const char *key, int64_t value);
void result_time(json_t *into, const char *key, int64_t micros); /* 0: null */
json_t *result_run(const RunRow *r);                               /* the summary that list shows */
bool result_run_metrics(Store *s, int64_t run, json_t *into, Error *err); /* last of every key, flat */

/* "undo": the line that takes back what was done, `verb` and words up to a NULL. The workbench's `u` runs it, and its
 * result's own "undo" makes it again. */
void result_undo(json_t *into, const char *verb, ...) __attribute__((sentinel));

/* Tables (print.c): columns that are as wide as what was seen, then rows cell by cell. */
#define PRINT_COLUMNS 32
typedef struct PrintColumns {
    const char *key[PRINT_COLUMNS]; /* borrowed */
    size_t width[PRINT_COLUMNS];
    bool number[PRINT_COLUMNS];     /* to the right */
    size_t count;
} PrintColumns;
void print_columns_add(PrintColumns *c, const char *key); /* beyond PRINT_COLUMNS: left out */
void print_columns_see(PrintColumns *c, size_t i, const char *value, bool number);
void print_columns_fit(PrintColumns *c, size_t width); /* narrower, the widest first */
void print_columns_head(const PrintColumns *c, Text *into);
void print_columns_cell(const PrintColumns *c, size_t i, const char *value, Text *into); /* the last ends the line */
void print_number(double v, Text *into);

/* How a run's model leaves the house (export_model.c): a row a form, "auto" first, NULL-ended. */
extern const char *const model_format_names[];
/* format 0: by the ending of `out`. dir: the run's bundle. Fills `result`. */
bool export_model(const char *dir, size_t format, const char *out, Pool *pool, json_t *result,
                  Error *err);

/* "../data/Trips 2019.csv.gz" -> "trips_2019" */
char *workspace_name_of(const char *source, Arena *a);
bool workspace_name_check(const char *name, Error *err);

#endif
