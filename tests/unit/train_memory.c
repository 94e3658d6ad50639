/* train_memory.c -- where the encoded rows stand decides nothing: runs with most of them in files take
 * the same steps, bit for bit, as runs with all of them on the heap. */
#define TRIPS 60000
#include "train_world.h"

static uint64_t in_files;

/* "the encoded rows are kept in files: 2.1 MB" */
static void listen(void *context, const RunNews *news)
{
    (void)context;
    in_files += strstr(news->text, "kept in files") != NULL;
}

static void same(World *w, const char *family, const char *target, const char *settings)
{
    char small[256];
    snprintf(small, sizeof small, "%s memory=1", settings);
    int64_t one = submit(w, family, target, "MILES,MINUTES,TIME", settings);
    int64_t two = submit(w, family, target, "MILES,MINUTES,TIME", small);
    in_files = 0;
    OK(run_execute(w->s, one, w->pool, listen, NULL, NULL, &w->err));
    assert_int_equal(in_files, 0);
    OK(run_execute(w->s, two, w->pool, listen, NULL, NULL, &w->err));
    assert_int_equal(in_files, 1);
    same_curves(w, one, two);
    same_file(w, one, two, "bundle/model.safetensors");
}

static void nets(void **state)
{
    same(*state, "mlp", "FARE", "epochs=2 batch=512 hidden=16 dropout=0.1");
    same(*state, "linear", "ZONE", "epochs=2 batch=300 class_weight=balanced");
}

static void trees(void **state)
{
    same(*state, "gbdt", "FARE", "epochs=4");
    same(*state, "gbdt", "ZONE", "epochs=3 goss=true class_weight=balanced");
    same(*state, "gbdt", "FARE", "epochs=3 goss=true loss=absolute");
}

static void rows_of_a_step(void **state)
{
    World *w = *state;
    uint64_t *a, *b;
    size_t n, m;
    int64_t one = submit(w, "linear", "FARE", "MILES", "epochs=1 batch=512");
    int64_t two = submit(w, "linear", "FARE", "MILES", "epochs=1 batch=512 memory=1");
    OK(run_execute(w->s, one, w->pool, NULL, NULL, NULL, &w->err));
    OK(run_execute(w->s, two, w->pool, NULL, NULL, NULL, &w->err));
    OK(run_rows_of_step(w->s, one, 17, NULL, &w->a, &a, &n, &w->err));
    OK(run_rows_of_step(w->s, two, 17, NULL, &w->a, &b, &m, &w->err));
    assert_int_equal(n, 512);
    assert_int_equal(m, n);
    assert_memory_equal(a, b, n * sizeof *a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nets, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(trees, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(rows_of_a_step, world_setup, world_teardown)};
    return cmocka_run_group_tests_name("train memory", tests, NULL, NULL);
}
