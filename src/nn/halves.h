/* halves.h -- a small batch's step with the layers cut in two by columns: what its two files share. */
#ifndef NN_HALVES_H
#define NN_HALVES_H

#include "norm.h"

#define HALVES          2
#define HALF_LAYERS     8   /* most, with the head */
#define HALVES_INPUT    64  /* columns of the feed, most */
#define HALVES_WIDTH    512 /* units of a hidden layer, most */
#define HALVES_MULTIPLE 64  /* which they are a multiple of: half of it is two vectors of AVX-512 */
#define HALVES_NORMED   128 /* the same where they are normalised: a half is a strip of those passes */
#define HALVES_OUTPUTS  16

/* What a half keeps of the parameters, laid out alike. */
enum { HALF_WEIGHTS, HALF_GRADIENT, HALF_MOMENTS, HALF_BLOCKS = HALF_MOMENTS + 2 };

/* A dense layer of the chain, with its batch norm. A half of a hidden one has all rows and half of the columns of its
 * weights, of the head half of the rows and all columns; the head's bias both have. */
typedef struct HalfLayer {
    const Node *node, *norm; /* norm: NULL, none */
    const Node *end;         /* the one that has the tail */
    Activation act;
    size_t inputs, in;   /* so many of so many columns: the feed, both halves of the layer below, the head one */
    size_t out;          /* columns of a half */
    /* floats from a block's beginning: [inputs][in][out], [out], and of the norm [out] */
    size_t weight, bias, gamma, beta;
} HalfLayer;

/* What one half works with. part, rest and, above the first layer, the values of the other's columns are written
 * by the other. */
typedef struct Half {
    float *block[HALF_BLOCKS];
    float *value[HALF_LAYERS][HALVES]; /* [rows][out] of a hidden layer, both halves' columns */
    float *grad[HALF_LAYERS];          /* [rows][out] of its own columns */
    float *before[HALF_LAYERS];        /* its own values before the norm */
    float *save[HALF_LAYERS];          /* what the tail saves of its own; NULL: nothing */
    float *moment[HALF_LAYERS];        /* [2][out] mean, 1 / deviation of those */
    float *part[HALF_LAYERS];          /* what the other's columns of the layer above add to that */
    float *sent[HALF_LAYERS];          /* the other's part, before it is given */
    float *guess, *rest, *slope;       /* [rows][outputs]; the other's part of them; the loss's gradient */
    float *turned, *scratch;
    double *loss, *norm; /* in its own memory: beside pointers that both read each write would cost a visit */
} Half;

struct Halves {
    Graph *graph;
    size_t layers, hidden; /* the head is the last */
    HalfLayer layer[HALF_LAYERS];
    size_t block, moments;
    size_t rows_most;       /* of a batch that is stepped so */
    size_t rows;            /* of the last */
    bool away;              /* the halves are on two cores, perhaps */
    bool holds;             /* weights and moments are in the halves, the graph's blocks are old */
    bool made;              /* the last gradient */
    Half half[HALVES];
    float *memory;
};

#endif
