/* pipeline_int.h -- what the two files of `lathe pipeline` share: the file taken apart, and the one who runs it. */
#ifndef PIPELINE_INT_H
#define PIPELINE_INT_H

#include "command_int.h"

#include <lathe/deploy.h>

#include <stdlib.h>

typedef struct PipeVar { char *name, *value; } PipeVar;                 /* owned */
typedef struct PipeStep { const char *text; int line; } PipeStep;       /* the arena's */
typedef struct PipeFile { VEC(PipeVar) var; VEC(PipeStep) step; } PipeFile;
typedef struct LineWords { const char **at; size_t count, room; } LineWords;

typedef struct Runner {
    CommandCall *call;
    Store *store;
    Arena arena, waiting;
    PipeFile file;
    int64_t pipeline, started;
    size_t at;                /* step */
    const char *line, *key;
    Sha256 *hash;             /* while a key is made */
    json_t *told;
} Runner;

/* Steps, lets and texts; texts are written to DIR/pipelines. call: its words after the first are N=VALUE. */
bool file_parse(PipeFile *f, const char *text, const CommandCall *call, Store *s, Arena *a, Error *err);
void file_release(PipeFile *f);
void vars_set(PipeFile *f, const char *name, const char *value);
/* The words of a step with every $NAME filled in; the arena's. */
bool file_words(const PipeFile *f, const char *line, Arena *a, LineWords *out, Error *err);

#endif
