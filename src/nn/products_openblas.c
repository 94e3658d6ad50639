/* products_openblas.c -- matrix products by OpenBLAS, each on the thread that asks.
 *
 * Its 0.3.21 does not know Xeons newer than itself and takes them for the oldest processor it has kernels
 * for, a fifth of the speed; OPENBLAS_CORETYPE=SkylakeX in the environment tells it better. */
#include "gemm_int.h"

#include <cblas.h>

static bool there(Precision as, Error *err)
{
    return as == PRECISION_FLOAT32 ||
           error_set(err, ERROR_USAGE,
                     "precision=bf16 needs products=onednn: OpenBLAS is used in float32");
}

static void about(Precision as, Text *into)
{
    (void)as;
    const char *config = openblas_get_config(); /* "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..." */
    const char *version = strchr(config, ' ');
    int n = version ? (int)strcspn(version + 1, " ") : 0;
    const char *core = openblas_get_corename();
    text_printf(into, "%.*s, kernels for %s", n, version ? version + 1 : "", core);
#ifdef __AVX512F__
    if (!strstr(core, "SkylakeX") && !strstr(core, "Cooperlake") && !strstr(core, "Sapphire"))
        text_puts(into, ", an older processor: with OPENBLAS_CORETYPE=SkylakeX set it is faster");
#endif
}

static void begin(void)
{
    if (openblas_get_num_threads() != 1)
        openblas_set_num_threads(1);
}

static void product(const Product *t, Precision as, float *scratch)
{
    (void)as;
    (void)scratch;
    bool plain_a = t->col == 1, plain_b = t->step == 1;
    cblas_sgemm(CblasRowMajor, plain_a ? CblasNoTrans : CblasTrans,
                plain_b ? CblasNoTrans : CblasTrans, (int)t->m, (int)t->n, (int)t->k, 1.0f, t->a,
                (int)(plain_a ? t->row : t->col), t->b, (int)(plain_b ? t->ldb : t->step),
                t->add ? 1.0f : 0.0f, t->c, (int)t->ldc);
}

const Library openblas_library = {
    .there = there,
    .about = about,
    .begin = begin,
    .product = product,
};
