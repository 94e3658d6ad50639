/* products.c -- who multiplies matrices: the one list of libraries, and measuring them. */
#include "gemm_int.h"

#define AS_NAME(name, text) text,
const char *const products_names[] = {PRODUCTS(AS_NAME) NULL};
const char *const precision_names[] = {PRECISIONS(AS_NAME) NULL};

#define LIBRARY_OWN            &own_library
#define LIBRARY_OPENBLAS       &openblas_library
#define LIBRARY_ONEDNN         &onednn_library
#define AS_LIBRARY(name, text) LIBRARY_##name,
const Library *const products_libraries[PRODUCTS_COUNT] = {PRODUCTS(AS_LIBRARY)};

bool products_there(Products p, Precision as, Error *err)
{
    return products_libraries[p]->there(as, err);
}

void products_about(Products p, Precision as, Text *into)
{
    products_libraries[p]->about(as, into);
}

void products_begin(Products p)
{
    openblas_library.begin(); /* our large products may be its, see gemm.c */
    if (products_libraries[p]->begin)
        products_libraries[p]->begin();
}

/* ---- measuring ------------------------------------------------------------------------------------ */

typedef struct Trial {
    const Library *library;
    Precision as;
    size_t side, room;
    float *a, *b, *c, *scratch; /* [side][side]; c and scratch one a thread */
} Trial;

static void one_product(void *job, size_t i, size_t worker)
{
    const Trial *t = job;
    size_t side = t->side;
    (void)i;
    Product p = {.a = t->a,
                 .row = side,
                 .col = 1,
                 .b = t->b,
                 .ldb = side,
                 .step = 1,
                 .c = t->c + worker * side * side,
                 .ldc = side,
                 .m = side,
                 .n = side,
                 .k = side};
    t->library->product(&p, t->as, t->scratch + worker * t->room);
}

double products_rate(Products p, Precision as, size_t side, double seconds, Pool *pool)
{
    const Library *l = products_libraries[p];
    if (!l->there(as, NULL))
        return 0;
    products_begin(p);
    size_t threads = pool_threads(pool),
           room = BLOCK_ALIGN + gemm_scratch((Way){.products = p, .precision = as}, side, side);
    room = (room + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
    size_t square = side * side;
    float *all = mem_try((2 * square + threads * (square + room)) * sizeof *all, NULL);
    if (!all)
        return 0;
    Trial t = {
        l, as, side, room, all, all + square, all + 2 * square, all + (2 + threads) * square};
    for (size_t i = 0; i < 2 * square; i++)
        all[i] = (float)(i % 17) * 0.1f - 0.8f;
    double best = 0;
    int tries = 0;
    for (double begin = clock_now(); tries < 3 || clock_now() - begin < seconds; tries++) {
        double before = clock_now();
        pool_run(pool, threads, one_product, &t);
        double flops = 2.0 * (double)square * (double)side * (double)threads;
        best = fmax(best, flops / (clock_now() - before) / 1e9);
    }
    mem_free(all);
    return best;
}
