/* command.h -- the verbs: one row each, for the shell, the `:` line, the palette, a key and a test.
 *
 * A Command declares its arguments (words in order) and its settings (key=value, Param rows). From
 * the row derive the parser, --help, the manual, completion and the palette. Running it gives a
 * JSON document; printing turns that into text. Only cli and tui print or exit.
 *
 *     CommandCall call = { .workspace = "work", .pool = pool };
 *     json_t *result = NULL;
 *     const Command *c = NULL;
 *     if (command_line(&call, "train mlp data=trips target=FARE lr=1e-3", &c, &result, &err))
 *         command_print(c, result, 80, &text);
 *     json_decref(result);
 */
#ifndef LATHE_COMMAND_H
#define LATHE_COMMAND_H

#include <lathe/drift.h>
#include <lathe/train.h>

typedef enum ArgKind { ARG_WORD, ARG_FILE, ARG_DATASET, ARG_RUN, ARG_FAMILY, ARG_SQL } ArgKind;
typedef struct Arg { const char *name; ArgKind kind; bool optional, many; const char *about; } Arg;
#define ARG_END { .name = NULL }

typedef struct Command Command;

typedef struct CommandCall {          /* the first five are the caller's; the rest is filled in */
    const char *workspace;            /* folder; created when a command writes */
    const char *program;              /* path of lathe itself, for runs as processes of their own */
    Pool *pool;
    Progress *progress;               /* NULL: nobody looks; its stop flag ends the command */
    bool screen;                      /* called from the workbench: runs are always detached, no stdin */
    void (*say)(void *context, const char *line); /* news while it goes on; NULL: none. May come from
                                         the command's thread */
    void *say_context;
    bool (*write)(void *context, const char *bytes, size_t n, Error *err); /* an answer of any length goes
                                         here while it is found, and *result stays NULL; NULL: nowhere */
    void *write_context;
    bool json; size_t width;          /* for what is written so: a document, or text of so many columns */
    const Command *command;
    const void *settings;             /* of the command's Param rows */
    size_t words; const char *const *word;       /* the arguments in order */
    size_t extras; const ParamRow *extra;        /* KEY=VALUE beyond its rows, if it takes such */
    size_t givens; const char *const *given;     /* keys of its rows that the user gave */
} CommandCall;
bool command_given(const CommandCall *call, const char *key);

/* A setting that has another name now: what to write for it. */
typedef struct Gone { const char *name, *now; } Gone;

struct Command {
    const char *name;                 /* "train"; for a verb of a verb: "pause" in runs */
    const char *about;                /* one line */
    const char *details;              /* paragraphs for --help and the manual; may be NULL */
    const char *example;              /* a line that works on the sample trips */
    const Arg *args;                  /* ends with ARG_END; NULL: none */
    const Param *params; size_t params_size; /* of the whole settings' struct */
    const Gone *gone;                 /* settings of earlier versions, ends with {0}; NULL: none */
    const Param *shared; size_t shared_at;   /* rows of a room below, whose struct stands there in it */
    const char *extras;               /* what KEY=VALUE means beyond params; NULL: none are taken */
    const Command *const *verbs;      /* verbs of the verb, NULL-ended; the first is the default */
    bool hidden;                      /* not in help: for our own processes */
    bool verdict;                     /* *result may be there although it failed: it says why, and is printed */
    bool (*run)(CommandCall *call, json_t **result, Error *err);
    /* Text of the result for people; NULL: the general printer (objects as "key  value" lines,
     * arrays of objects as tables). width in columns. */
    void (*print)(const json_t *result, size_t width, Text *into);
    void (*more)(Text *into);         /* further help: tables of hyperparameters; NULL */
};

extern const Command *const commands[];           /* NULL-ended, order of the help */
const Command *command_find(const char *name);    /* NULL if absent */

/* Words -> command, arguments and settings checked -> result. ERROR_USAGE names what is wrong and how
 * to get help. *command is set as soon as it is known (for usage messages). */
bool command_run(CommandCall *call, size_t words, const char *const *word, const Command **command,
                 json_t **result, Error *err);
/* The same from one line, with shell-like quotes. */
bool command_line(CommandCall *call, const char *line, const Command **command, json_t **result, Error *err);
void command_quote(const char *word, Text *into);    /* in quotes where a line would break it up */
void command_add_word(Text *line, const char *word); /* the same, behind a blank */
void command_print(const Command *c, const json_t *result, size_t width, Text *into);
void command_help(const Command *parent, const Command *c, Text *into); /* c NULL: all verbs */
void command_usage(const Command *parent, const Command *c, Text *into); /* "lathe train FAMILY data=NAME ..." */
void command_manual(Text *into);                  /* man/lathe.1, whole */
/* Words that may stand at the end of `line`: verbs, keys, values, datasets, runs, columns, files. */
void command_complete(const char *line, Store *s, void (*add)(void *, const char *word, const char *about),
                      void *context);

/* ---- pictures, by gnuplot through a pipe ------------------------------------------------------------ */

bool gnuplot_can(const char *out, Error *err); /* by the name's ending: .png, .svg, .pdf */
void gnuplot_quote(const char *s, Text *into);
/* body: commands and data behind the terminal and the output. The file is there whole or not at all. */
bool gnuplot_picture(const char *out, int width, int height, const Text *body, Progress *progress, Error *err);

/* ---- what joins the store with the rooms below -------------------------------------------------- */

/* Opens a dataset of the workspace by name or hash; row (may be NULL) lives in the arena. */
Dataset *workspace_dataset(Store *s, const char *name, Arena *a, DatasetRow *row, Error *err);
/* The schema with the roles the user gave. */
bool workspace_schema(Store *s, const Dataset *d, Schema *into, Error *err);
/* Applies the recipe, writes the derived dataset with its lineage (parent, text, fitted plan). */
bool workspace_clean(Store *s, const char *dataset, const Recipe *r, const char *as, Pool *pool,
                     Progress *progress, ApplyReport *out, Error *err);
/* A connection with every dataset as a virtual table beside the tables of the store, read-only.
 * sql_watch(workspace_sql_handle(q), progress) lets its statements be stopped. */
typedef struct WorkspaceSql WorkspaceSql;
WorkspaceSql *workspace_sql_open(const char *dir, Error *err);
struct sqlite3 *workspace_sql_handle(WorkspaceSql *q);
/* One statement that reads and gives a table; else NULL. *where (may be NULL): the byte of text the error
 * is about, SIZE_MAX if it is about none. To be finalized before the connection is closed. */
struct sqlite3_stmt *workspace_sql_prepare(WorkspaceSql *q, const char *text, size_t *where, Error *err);
void workspace_sql_close(WorkspaceSql *q);
/* All rows of a statement as a dataset of the workspace, types from the values, or as a file that is there
 * whole or not at all: packed CSV, Arrow or Parquet by the ending of path, else CSV. *rows (may be NULL):
 * how many there were. */
bool workspace_sql_dataset(const char *dir, const char *text, const char *as, Pool *pool,
                           Progress *progress, uint64_t *rows, Error *err);
bool workspace_sql_file(const char *dir, const char *text, const char *path, Pool *pool, Progress *progress,
                        uint64_t *rows, Error *err);

#endif
