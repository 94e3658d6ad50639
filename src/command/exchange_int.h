/* exchange_int.h -- what push and pull share: where things lie at a remote, and what is said of them.
 *
 *     objects/datasets/HASH.arrow               a dataset's file, named by its content
 *     objects/files/SHA256                      a file of a model's bundle, named by its content
 *     manifests/datasets/NAME/TIME-HASH.json    a version of a name: the rows of the store about it
 *     manifests/models/NAME/TIME-HASH.json      a model: its run, params, metrics and files
 *
 * NAME has every byte but letters, digits, - and _ as %XX; TIME is when it was made, microseconds since
 * 1970 in 16 digits, so the last key below a name is its newest version. Objects go first, the manifest
 * that names them last: what a listing shows is whole. Nothing there is ever changed but by the same
 * content again. A manifest is {"body", "format", "sha256", "version"}, keys sorted: sha256 is that of
 * its bytes with zeros for the 64 digits. */
#ifndef EXCHANGE_INT_H
#define EXCHANGE_INT_H

#include "command_int.h"

#include <lathe/remote.h>

typedef enum ManifestKind { MANIFEST_DATASET, MANIFEST_MODEL } ManifestKind;

/* A manifest as the listing shows it. */
typedef struct Entry {
    const char *key, *name, *hash;
    int64_t made;
} Entry;

typedef struct Exchange {
    CommandCall *call;
    Store *store;
    Remote *remote;
    Arena arena;
    RemoteList list; /* all there is */
    struct {
        size_t count;
        Entry *at;
    } kind[2];                   /* by name, then by time */
    json_t *done;                /* what happened to what: the result */
    json_t *seen;                /* keys of manifests that were looked at already */
    int64_t moved, bytes, there; /* objects sent or fetched; those that were there */
} Exchange;
bool exchange_open(Exchange *x, CommandCall *call, const char *place, StoreMode mode, Error *err);
void exchange_close(Exchange *x);
json_t *exchange_result(const Exchange *x);
void exchange_note(Exchange *x, const char *what, const char *name, const char *hash,
                   const char *state);
const RemoteObject *exchange_object(const Exchange *x, const char *key); /* NULL: not there */
const Entry *exchange_newest(const Exchange *x, ManifestKind kind, const char *name);
const Entry *exchange_by_hash(const Exchange *x, ManifestKind kind,
                              const char *hash); /* whole, or a prefix */
char *exchange_dataset_key(Exchange *x, const char *hash);
char *exchange_file_key(Exchange *x, const char *sha256);
char *exchange_manifest_key(Exchange *x, ManifestKind kind, const char *name, int64_t made,
                            const char *hash);

/* exchange_json.c: rows to manifests and back; what is read lives in the arena. */
json_t *manifest_of_dataset(Store *s, const DatasetRow *row, Arena *a, Error *err);
bool manifest_to_dataset(const json_t *body, Arena *a, DatasetRow *row, ColumnRow **columns,
                         size_t *n, RejectRow **rejects, size_t *bad, Error *err);
json_t *manifest_of_run(Store *s, const ModelRow *model, const RunRow *run, Arena *a, Error *err);
typedef struct BundleFile {
    const char *name, *sha256;
    int64_t bytes;
} BundleFile;
/* The run that another was forked from. */
typedef struct PulledOrigin {
    const char *name, *model; /* "": none; model: the hash of its newest */
    int64_t created, step;
} PulledOrigin;
typedef struct PulledRun {
    ModelRow model;
    RunRow run;
    ParamRow *param;
    size_t params;
    MetricPoint *point;
    size_t points;
    EventRow *event;
    size_t events;
    PulledOrigin origin;
    BundleFile *file;
    size_t files;
} PulledRun;
bool manifest_to_run(const json_t *body, Arena *a, PulledRun *out, Error *err);
char *manifest_print(ManifestKind kind, json_t *body); /* takes body; free() */
json_t *manifest_read(ManifestKind kind, const char *text, size_t n,
                      Error *err); /* the body, checked */
bool file_sha256(const char *path, char hex[65], int64_t *bytes, Error *err);

/* pull.c for pull_model.c */
bool pull_dataset(Exchange *x, const Entry *e, Error *err);
json_t *pull_manifest(Exchange *x, ManifestKind kind, const Entry *e, Error *err);
/* pull_model.c */
bool pull_model(Exchange *x, const Entry *e, Error *err);
/* NAME_3f2a1c: what of that name comes from elsewhere when the name is taken */
char *pull_other_name(const char *name, const char *hash, Arena *a);

#endif
