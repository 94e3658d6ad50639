/* late_onednn.c -- oneDNN and the OpenMP it runs on, loaded with its first product. See late.h. */
#include "late.h"

#ifdef LATHE_ONEDNN
#include <dnnl.h>
#include <omp.h>

LATE(OPENMP, int, omp_get_max_threads, (void), ())
LATE(OPENMP, void, omp_set_num_threads, (int n), (n))

#define ROW(name, parameters, arguments) LATE(ONEDNN, dnnl_status_t, name, parameters, arguments)

LATE(ONEDNN, const dnnl_version_t *, dnnl_version, (void), ())
LATE(ONEDNN, dnnl_cpu_isa_t, dnnl_get_effective_cpu_isa, (void), ())
ROW(dnnl_sgemm,
    (char ta, char tb, dnnl_dim_t m, dnnl_dim_t n, dnnl_dim_t k, float alpha, const float *a, dnnl_dim_t lda,
     const float *b, dnnl_dim_t ldb, float beta, float *c, dnnl_dim_t ldc),
    (ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc))
ROW(dnnl_engine_create, (dnnl_engine_t * e, dnnl_engine_kind_t kind, size_t i), (e, kind, i))
ROW(dnnl_engine_destroy, (dnnl_engine_t e), (e))
ROW(dnnl_stream_create, (dnnl_stream_t * s, dnnl_engine_t e, unsigned flags), (s, e, flags))
ROW(dnnl_stream_wait, (dnnl_stream_t s), (s))
ROW(dnnl_stream_destroy, (dnnl_stream_t s), (s))
ROW(dnnl_memory_desc_init_by_strides,
    (dnnl_memory_desc_t * d, int n, const dnnl_dims_t dims, dnnl_data_type_t type, const dnnl_dims_t strides),
    (d, n, dims, type, strides))
ROW(dnnl_memory_create, (dnnl_memory_t * m, const dnnl_memory_desc_t *d, dnnl_engine_t e, void *at), (m, d, e, at))
ROW(dnnl_memory_destroy, (dnnl_memory_t m), (m))
ROW(dnnl_matmul_desc_init,
    (dnnl_matmul_desc_t * d, const dnnl_memory_desc_t *a, const dnnl_memory_desc_t *b, const dnnl_memory_desc_t *bias,
     const dnnl_memory_desc_t *c),
    (d, a, b, bias, c))
ROW(dnnl_primitive_attr_create, (dnnl_primitive_attr_t * a), (a))
ROW(dnnl_primitive_attr_destroy, (dnnl_primitive_attr_t a), (a))
ROW(dnnl_primitive_attr_set_post_ops, (dnnl_primitive_attr_t a, const_dnnl_post_ops_t o), (a, o))
ROW(dnnl_post_ops_create, (dnnl_post_ops_t * o), (o))
ROW(dnnl_post_ops_append_sum, (dnnl_post_ops_t o, float scale), (o, scale))
ROW(dnnl_post_ops_destroy, (dnnl_post_ops_t o), (o))
ROW(dnnl_primitive_desc_create,
    (dnnl_primitive_desc_t * p, const_dnnl_op_desc_t d, const_dnnl_primitive_attr_t a, dnnl_engine_t e,
     const_dnnl_primitive_desc_t hint),
    (p, d, a, e, hint))
ROW(dnnl_primitive_desc_destroy, (dnnl_primitive_desc_t p), (p))
ROW(dnnl_primitive_create, (dnnl_primitive_t * p, const_dnnl_primitive_desc_t d), (p, d))
ROW(dnnl_primitive_execute, (const_dnnl_primitive_t p, dnnl_stream_t s, int n, const dnnl_exec_arg_t *args),
    (p, s, n, args))
ROW(dnnl_primitive_destroy, (dnnl_primitive_t p), (p))
#endif
