/* predict_int.h -- what the files of `lathe predict` share: where predictions go. */
#ifndef COMMAND_PREDICT_INT_H
#define COMMAND_PREDICT_INT_H

#include "command_int.h"

#include <stdio.h>

/* Numbers noted one by one, to be read as one array: in memory while they are few, then in a file
 * without a name. */
typedef struct Tape {
    const char *dir;      /* for the file; borrowed */
    VEC(double) some;
    int file;             /* 0: none yet */
    uint64_t written;     /* numbers in the file */
    void *map;
} Tape;
bool tape_add(Tape *t, double value, Error *err);
const double *tape_read(Tape *t, Error *err); /* all of them, borrowed; NULL: failed */
uint64_t tape_count(const Tape *t);
void tape_release(Tape *t);

typedef enum PredictForm { PREDICT_AUTO, PREDICT_CSV, PREDICT_JSONL } PredictForm;

/* Where predictions go, and what they add up to. */
typedef struct Sink {
    const Features *features;
    const ModelShape *shape;
    Pool *pool;
    FILE *file;                      /* NULL: into `rows` */
    PredictForm form;                /* of the file */
    json_t *rows;
    char *with[64];                  /* columns of the source to copy beside */
    size_t withs;
    uint64_t count, dropped, rejects;
    json_t *first_rejects;           /* the first few, with line and reason */
    Tape value, truth;               /* where the truth is known, for the metrics */
} Sink;
void sink_columns(Sink *k, const char *with, Arena *a);
bool sink_begin(Sink *k, Error *err);             /* the head of the file */
bool sink_add(Sink *k, const Chunk *c, const Prediction *p, Error *err);
void sink_reject(void *sink, const Reject *r);    /* an OnReject */
bool sink_metrics(Sink *k, json_t *into, Error *err);
bool sink_put(Sink *k, const Text *text, Error *err);                 /* into the file */
void sink_json_line(const json_t *row, Text *into);

typedef struct Work {
    Forecaster *ahead; /* a model of series: rows are only taken in; NULL: they are scored */
   
    Bundle *bundle;
    Sink *sink;
    CommandCall *call;
    size_t first_plan;
    Progress *reading;               /* of the source; the call's, or one of our own */
} Work;
/* predict_series.c: what comes after all rows that were taken in. */
void forecast_header(const Sink *k, Text *into);
bool forecast_write(const Work *w, Error *err);
bool predict_chunk(const Work *w, const Chunk *c, Arena *a, Error *err);

/* Rows on their way from the thread that reads to the one that scores: predict_queue.c. */
typedef struct Parcel {
    Arena arena;                     /* what it holds */
    VEC(Reject) refused;             /* said before its rows */
    Chunk chunk;
    bool flush;                      /* then there is nothing more to read for now */
} Parcel;
typedef struct PredictQueue PredictQueue;
typedef bool PredictFill(void *context, PredictQueue *q, Error *err);
Parcel *queue_parcel(PredictQueue *q);     /* an empty one, when there is one; NULL: nobody wants any more */
void queue_send(PredictQueue *q);          /* that one */
void parcel_reject(Parcel *p, const Reject *r);
/* Runs `fill` beside the scoring of what it sends. */
bool predict_through(const Work *w, PredictFill *fill, void *context, Error *err);
/* predict_lines.c: JSON, an object a line, from a path or "-". */
bool predict_lines(const Work *w, const char *source, Error *err);

#endif
