/* nn_tiles -- the products of a dense layer by our own kernels: against plain loops, and the same bits whichever way
 * they are asked for. */
#include "nn/nn_int.h"
#include "nn/vector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* A dense layer's arrays: x [m, in], w [in, out], dy and y [m, out], dx like x, dw like w. */
typedef struct Product {
    size_t m, in, out;
    float *x, *w, *dy, *bias, *scratch, *y, *dx, *dw;
} Product;

static float *drawn(Rng *rng, size_t n)
{
    float *v = mem_alloc(n * sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = (float)(rng_unit(rng) - 0.5);
    return v;
}

static Product product_create(size_t m, size_t in, size_t out, uint64_t seed)
{
    Rng rng;
    rng_seed(&rng, seed, 0);
    return (Product){.m = m, .in = in, .out = out,
                     .x = drawn(&rng, m * in), .w = drawn(&rng, in * out), .dy = drawn(&rng, m * out),
                     .bias = drawn(&rng, out), .scratch = drawn(&rng, gemm_scratch((Way){0}, in, out) + 1),
                     .y = drawn(&rng, m * out), .dx = drawn(&rng, m * in), .dw = drawn(&rng, in * out)};
}

static void product_destroy(Product *p)
{
    float *all[] = {p->x, p->w, p->dy, p->bias, p->scratch, p->y, p->dx, p->dw};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        mem_free(all[i]);
}

static void forward_as_plain(Product *p, bool relu)
{
    gemm_forward((Way){0}, p->y, p->x, p->w, p->bias, relu, p->m, p->in, p->out, p->scratch);
    for (size_t i = 0; i < p->m; i++)
        for (size_t j = 0; j < p->out; j++) {
            double sum = (double)p->bias[j];
            for (size_t k = 0; k < p->in; k++)
                sum += (double)p->x[i * p->in + k] * (double)p->w[k * p->out + j];
            assert_true(fabs((double)p->y[i * p->out + j] - (relu ? fmax(sum, 0) : sum)) < 1e-4);
        }
}

/* Added to what is there; else where x is not above 0 nothing comes through. */
static void input_as_plain(Product *p, bool add)
{
    for (size_t i = 0; i < p->m * p->in; i++)
        p->dx[i] = 2;
    gemm_input((Way){0}, p->dx, p->dy, p->w, add ? NULL : p->x, add, p->m, p->in, p->out, p->scratch);
    for (size_t i = 0; i < p->m; i++)
        for (size_t k = 0; k < p->in; k++) {
            double sum = add ? 2 : 0;
            for (size_t j = 0; j < p->out; j++)
                sum += (double)p->dy[i * p->out + j] * (double)p->w[k * p->out + j];
            sum = add || p->x[i * p->in + k] > 0.0f ? sum : 0.0;
            assert_true(fabs((double)p->dx[i * p->in + k] - sum) < 1e-4);
        }
}

static void weight_as_plain(Product *p, bool add)
{
    for (size_t i = 0; i < p->in * p->out; i++)
        p->dw[i] = 3;
    gemm_weight((Way){0}, p->dw, p->x, p->dy, add, p->m, p->in, p->out, p->scratch);
    for (size_t k = 0; k < p->in; k++)
        for (size_t j = 0; j < p->out; j++) {
            double sum = add ? 3 : 0;
            for (size_t i = 0; i < p->m; i++)
                sum += (double)p->x[i * p->in + k] * (double)p->dy[i * p->out + j];
            assert_true(fabs((double)p->dw[k * p->out + j] - sum) < 1e-4);
        }
}

/* The weights turned beforehand: the same bits. */
static void turned_as_not(Product *p)
{
    if (!gemm_turned((Way){0}, p->in, p->out))
        return;
    float *turned = mem_alloc(p->in * p->out * sizeof *turned);
    float *again = mem_alloc(p->m * p->in * sizeof *again);
    gemm_turn(turned, p->w, p->in, p->out);
    gemm_input((Way){0}, p->dx, p->dy, p->w, p->x, false, p->m, p->in, p->out, p->scratch);
    gemm_input_turned(again, p->dy, turned, p->x, false, p->m, p->in, p->out, p->scratch);
    assert_memory_equal(again, p->dx, p->m * p->in * sizeof *again);
    mem_free(turned);
    mem_free(again);
}

/* A part of the weight gradient stored past the caches: the same bits. */
static void weight_as_at_home(Product *p)
{
    float *again = mem_alloc(p->in * p->out * sizeof *again);
    for (size_t from = 0; from < p->in; from += p->in / 3 + 1) {
        const float *home = p->dw + from * p->out;
        Way homely = {.home = home, .home_end = home + p->in / 2 * p->out};
        memcpy(again, p->dw, p->in * p->out * sizeof *again);
        gemm_weight((Way){0}, again, p->x, p->dy, true, p->m, p->in, p->out, p->scratch);
        gemm_weight(homely, p->dw, p->x, p->dy, true, p->m, p->in, p->out, p->scratch);
        assert_memory_equal(again, p->dw, p->in * p->out * sizeof *again);
    }
    mem_free(again);
}

/* A row alone has the bits it has among others. */
static void alone_as_among_others(Product *p)
{
    float *alone = mem_alloc(p->out * sizeof *alone);
    gemm_forward((Way){0}, p->y, p->x, p->w, p->bias, true, p->m, p->in, p->out, p->scratch);
    for (size_t i = 0; i < p->m; i++) {
        gemm_forward((Way){0}, alone, p->x + i * p->in, p->w, p->bias, true, 1, p->in, p->out, p->scratch);
        assert_memory_equal(alone, p->y + i * p->out, p->out * sizeof *alone);
    }
    mem_free(alone);
}

/* Shapes around every edge of the tiles, both sides of the choice of kernel. */
static void products_against_plain(void **state)
{
    (void)state;
    const size_t shapes[][3] = {{1, 16, 128}, {33, 7, 9},   {8, 128, 128},  {64, 16, 1},
                                {5, 1, 17},   {65, 65, 33}, {12, 48, 64},   {31, 3, 2},
                                {7, 20, 15},  {300, 5, 48}, {40, 300, 250}, {3, 257, 257},
                                {9, 64, 80}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        Product p = product_create(shapes[s][0], shapes[s][1], shapes[s][2], s);
        for (int add = 0; add < 2; add++) {
            forward_as_plain(&p, add);
            input_as_plain(&p, add);
            weight_as_plain(&p, add);
        }
        turned_as_not(&p);
        weight_as_at_home(&p);
        alone_as_among_others(&p);
        product_destroy(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(products_against_plain)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
