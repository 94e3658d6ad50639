/* products_onednn.c -- matrix products by oneDNN, each on the thread that asks; in float32, or with both
 * sides rounded to bf16 and summed in float32.
 *
 * bf16 pays on processors with matrix units for it (AMX). Without them oneDNN multiplies pairs of bf16
 * where there is AVX512_BF16, which does as many a cycle as float32, or emulates them with AVX-512; on
 * lesser processors it has no bf16. Products with a side below BF16_SIDE stay float32: the first and the
 * last layer of a net.
 *
 * A build without oneDNN has this file too: it then says so. */
#include "gemm_int.h"

#ifdef LATHE_ONEDNN
#include <dnnl.h>
#include <omp.h>

#define BF16_SIDE 32   /* in and out at least */
#define BF16_ROWS 1024 /* of the batch, converted at a time */

typedef uint16_t Half; /* the upper half of a float */

static bool there(Precision as, Error *err)
{
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    bool has = (isa & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
    return as == PRECISION_FLOAT32 || has ||
           error_set(err, ERROR_USAGE,
                     "precision=bf16: oneDNN has no bf16 for this processor, it needs AVX-512; use "
                     "float32");
}

static bool has_isa(dnnl_cpu_isa_t isa)
{
    return (dnnl_get_effective_cpu_isa() & isa) == isa;
}

static void about(Precision as, Text *into)
{
    const dnnl_version_t *v = dnnl_version();
    if (as == PRECISION_FLOAT32)
        text_printf(into, "%d.%d.%d", v->major, v->minor, v->patch);
    else if (has_isa(dnnl_cpu_isa_avx512_core_amx))
        text_puts(into, "by the processor's matrix units (AMX)");
    else
        text_printf(into, "works, but does not pay: this processor has no matrix units (AMX), %s",
                    has_isa(dnnl_cpu_isa_avx512_core_bf16) ? "only AVX512_BF16"
                                                           : "bf16 is emulated");
}

/* OpenMP's number of threads belongs to the thread that asks. */
static void alone(void)
{
    if (omp_get_max_threads() != 1)
        omp_set_num_threads(1);
}

/* ---- float32 ---------------------------------------------------------------------------------------- */

static void product_float(const Product *t)
{
    bool plain_a = t->col == 1, plain_b = t->step == 1;
    dnnl_status_t s = dnnl_sgemm(
        plain_a ? 'N' : 'T', plain_b ? 'N' : 'T', (dnnl_dim_t)t->m, (dnnl_dim_t)t->n,
        (dnnl_dim_t)t->k, 1.0f, t->a, (dnnl_dim_t)(plain_a ? t->row : t->col), t->b,
        (dnnl_dim_t)(plain_b ? t->ldb : t->step), t->add ? 1.0f : 0.0f, t->c, (dnnl_dim_t)t->ldc);
    assert(s == dnnl_success);
    (void)s;
}

/* ---- bf16 ------------------------------------------------------------------------------------------- */

/* to[n] = from[n], to the nearest, halves to even; NaN stays NaN */
static void to_half(Half *restrict to, const float *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t u;
        memcpy(&u, from + i, sizeof u);
        uint32_t near = (u + 0x7FFFu + ((u >> 16) & 1u)) >> 16, nan = (u >> 16) | 0x40u;
        to[i] = (Half)((u & 0x7FFFFFFFu) > 0x7F800000u ? nan : near);
    }
}

/* [rows][cols], as row-major or, turned, as its transpose's row-major */
static dnnl_memory_desc_t described(size_t rows, size_t cols, dnnl_data_type_t type, bool turned)
{
    dnnl_memory_desc_t d;
    dnnl_dims_t dims = {(dnnl_dim_t)rows, (dnnl_dim_t)cols};
    dnnl_dims_t strides = {turned ? 1 : (dnnl_dim_t)cols, turned ? (dnnl_dim_t)rows : 1};
    dnnl_status_t s = dnnl_memory_desc_init_by_strides(&d, 2, dims, type, strides);
    assert(s == dnnl_success);
    (void)s;
    return d;
}

#define MUST(call)                                                                                 \
    do {                                                                                           \
        dnnl_status_t status_ = (call);                                                            \
        assert(status_ == dnnl_success);                                                           \
        (void)status_;                                                                             \
    } while (0)

/* c[m][n] = or += a[m][k] b[k][n]. oneDNN keeps what it compiled for a shape in a cache of its own. */
static void product_halves(const Product *t, Half *a, Half *b)
{
    dnnl_memory_desc_t md[3] = {described(t->m, t->k, dnnl_bf16, t->col != 1),
                                described(t->k, t->n, dnnl_bf16, t->step != 1),
                                described(t->m, t->n, dnnl_f32, false)};
    void *at[3] = {a, b, t->c};
    const int role[3] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_matmul_desc_t desc;
    dnnl_primitive_attr_t attr;
    dnnl_post_ops_t after;
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arg[3];
    MUST(dnnl_engine_create(&engine, dnnl_cpu, 0));
    MUST(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
    MUST(dnnl_matmul_desc_init(&desc, &md[0], &md[1], NULL, &md[2]));
    MUST(dnnl_primitive_attr_create(&attr));
    MUST(dnnl_post_ops_create(&after));
    if (t->add)
        MUST(dnnl_post_ops_append_sum(after, 1.0f));
    MUST(dnnl_primitive_attr_set_post_ops(attr, after));
    MUST(dnnl_primitive_desc_create(&pd, &desc, attr, engine, NULL));
    MUST(dnnl_primitive_create(&primitive, pd));
    for (int i = 0; i < 3; i++) {
        arg[i].arg = role[i];
        MUST(dnnl_memory_create(&arg[i].memory, &md[i], engine, at[i]));
    }
    MUST(dnnl_primitive_execute(primitive, stream, 3, arg));
    MUST(dnnl_stream_wait(stream));
    for (int i = 0; i < 3; i++)
        dnnl_memory_destroy(arg[i].memory);
    dnnl_primitive_destroy(primitive);
    dnnl_primitive_desc_destroy(pd);
    dnnl_post_ops_destroy(after);
    dnnl_primitive_attr_destroy(attr);
    dnnl_stream_destroy(stream);
    dnnl_engine_destroy(engine);
}

/* Rows of the batch some at a time, so that the room for halves does not depend on their number: they are
 * rows of c, or what the weights' gradient sums over. */
static void product_bf16(const Product *t, float *scratch)
{
    Half *half = (Half *)scratch, *rows;
    bool weights = t->col != 1;
    Product q = *t;
    if (!weights)
        to_half(half, t->b, t->k * t->n);
    rows = weights ? half : half + (t->k * t->n + 31) / 32 * 32;
    size_t count = weights ? t->k : t->m;
    for (size_t i = 0; i < count; i += BF16_ROWS) {
        size_t some = gemm_least(BF16_ROWS, count - i);
        if (weights) {
            Half *dy = rows + (BF16_ROWS * t->m + 31) / 32 * 32;
            q.k = some;
            to_half(rows, t->a + i * t->m, some * t->m);
            to_half(dy, t->b + i * t->n, some * t->n);
            product_halves(&q, rows, dy);
            q.add = true;
        } else {
            q.m = some;
            q.c = t->c + i * t->ldc;
            to_half(rows, t->a + i * t->k, some * t->k);
            product_halves(&q, rows, half);
        }
    }
}

static bool is_small(size_t in, size_t out)
{
    return in < BF16_SIDE || out < BF16_SIDE;
}

static size_t scratch(Precision as, size_t in, size_t out)
{
    if (as != PRECISION_BF16 || is_small(in, out))
        return 0;
    return (in * out + BF16_ROWS * (in + out) + 128) / 2;
}

static void product(const Product *t, Precision as, float *scratch)
{
    bool weights = t->col != 1;
    alone();
    if (as != PRECISION_BF16 || is_small(weights ? t->m : t->k, t->n))
        product_float(t);
    else
        product_bf16(t, scratch);
}

const Library onednn_library = {
    .there = there,
    .about = about,
    .scratch = scratch,
    .product = product,
};

#else

static bool there(Precision as, Error *err)
{
    (void)as;
    return error_set(
        err, ERROR_USAGE,
        "products=onednn: this lathe was built without oneDNN; install libdnnl-dev and build"
        " it again, or use products=own");
}

static void about(Precision as, Text *into)
{
    (void)as;
    text_puts(into, "not in this build: install libdnnl-dev and build again");
}

static void product(const Product *t, Precision as, float *scratch)
{
    (void)t;
    (void)as;
    (void)scratch;
    assert(!"a plan was made without products_there");
}

const Library onednn_library = {
    .there = there,
    .about = about,
    .product = product,
};
#endif
