/* late_openblas.c -- OpenBLAS, loaded with its first product. See late.h. */
#include "late.h"

#include <cblas.h>

LATE(OPENBLAS, char *, openblas_get_config, (void), ())
LATE(OPENBLAS, char *, openblas_get_corename, (void), ())
LATE(OPENBLAS, int, openblas_get_num_threads, (void), ())
LATE(OPENBLAS, void, openblas_set_num_threads, (int n), (n))
LATE(OPENBLAS, void, cblas_sgemm,
     (CBLAS_ORDER order, CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n, blasint k, float alpha,
      const float *a, blasint lda, const float *b, blasint ldb, float beta, float *c, blasint ldc),
     (order, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc))
