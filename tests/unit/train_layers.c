/* train_layers.c -- looking into a step: statistics of its layers on demand, its rows by their loss, and
 * a NaN that names the layer and the rows it came from. */
#include "train_world.h"

#include <lathe/nn.h>

typedef struct Ask {
    World *w;
    int epochs;
} Ask;

static void ask_at_epoch(void *at, const RunNews *news)
{
    Ask *a = at;
    World *w = a->w;
    if (!text_equal(news->kind, "epoch") || ++a->epochs != 2)
        return;
    usleep(40000); /* it looks for commands every 20 ms, and this run is short */
    OK(run_command(w->s, news->run, "layers", "", "", &w->err));
}

/* The same numbers that a graph says of itself, as an event of the step; the run is not disturbed. */
static void layers_on_demand(void **state)
{
    World *w = *state;
    const char *settings = "epochs=40 patience=0 hidden=16 batch=32 dropout=.1";
    int64_t quiet = submit(w, "mlp", "FARE", "MILES,MINUTES,TIME", settings);
    int64_t asked = submit(w, "mlp", "FARE", "MILES,MINUTES,TIME", settings);
    Ask ask = {.w = w};
    OK(run_execute(w->s, quiet, w->pool, NULL, NULL, NULL, &w->err));
    OK(run_execute(w->s, asked, w->pool, ask_at_epoch, &ask, NULL, &w->err));
    same_curves(w, quiet, asked);
    EventRow e = {0};
    assert_int_equal(events_of(w, asked, "layers", &e), 1);
    assert_true(e.step > 60);
    const char *json = strchr(e.text, '\n');
    assert_non_null(json);
    json_t *list = json_loads(json + 1, 0, NULL), *one;
    size_t i, outputs = 0, gradients = 0;
    json_array_foreach(list, i, one)
    {
        const char *layer = json_string_value(json_object_get(one, "layer"));
        bool gradient = text_equal(json_string_value(json_object_get(one, "what")), "gradient");
        outputs += !gradient;
        gradients += gradient;
        double mean = json_real_value(json_object_get(one, "mean"));
        assert_true(mean >= json_real_value(json_object_get(one, "least")) - 1e-6);
        assert_true(mean <= json_real_value(json_object_get(one, "most")) + 1e-6);
        if (text_equal(layer, "hidden.0") &&
            !gradient) { /* relu and dropout: some are 0, none below */
            double zero = json_real_value(json_object_get(one, "zero"));
            assert_true(zero > .05 && zero < .95);
            assert_true(json_real_value(json_object_get(one, "least")) >= 0);
            json_int_t all = 0;
            for (size_t k = 0; k < LAYER_BINS; k++)
                all += json_integer_value(json_array_get(json_object_get(one, "histogram"), k));
            assert_int_equal(all % 16, 0);
            assert_in_range(all, 16, 32 * 16);
        }
    }
    json_decref(list);
    assert_int_equal(outputs, 2);
    assert_int_equal(gradients, 4);
    int64_t trees = submit(w, "gbdt", "FARE", "MILES", "epochs=60 patience=0");
    ask.epochs = 0;
    OK(run_execute(w->s, trees, w->pool, ask_at_epoch, &ask, NULL, &w->err));
    assert_int_equal(events_of(w, trees, "layers", &e), 1);
    assert_string_equal(e.text, "a gbdt has no layers");
}

/* Known numbers: with an input of ones and weights as they are, the output's mean is theirs. */
static void what_they_say(void **state)
{
    (void)state;
    Error err = {0};
    Graph *g = graph_create(5);
    Node *x = graph_dense(g, "head", graph_input(g, 2), 1, (Tail){0});
    assert_true(graph_plan(g, x, &(GraphPlan){.loss = LOSS_SQUARED, .rows_most = 200}, &err));
    float dense[400], target[200], *block = graph_block(g);
    for (size_t i = 0; i < 200; i++) {
        dense[2 * i] = 1;
        dense[2 * i + 1] = (float)(i % 2); /* outputs: b + w0 and b + w0 + w1 */
        target[i] = 0;
    }
    const GraphTensor *t;
    graph_tensors(g, &t);
    block[t[0].offset] = 2, block[t[0].offset + 1] = 4, block[t[1].offset] = -2;
    for (int clip = 0; clip < 2; clip++) {
        GraphStats stats;
        LayerStats s[4];
        graph_step(g, &(GraphFeed){.rows = 200, .dense = dense, .target = target},
                   &(GraphKnobs){.lr = 0, .clip = clip ? 1e-3 : 0}, &stats);
        assert_int_equal(graph_layers(g, 200, s, 4), 3);
        assert_string_equal(s[0].name, "head");
        assert_true(fabs(s[0].mean - 2) < 1e-6 && fabs(s[0].deviation - 2) < 1e-6);
        assert_true(fabs(s[0].zero - .5) < 1e-6 && s[0].bin[0] == 100 && s[0].bin[15] == 100);
        assert_string_equal(s[1].name,
                            "head.weight"); /* dL/dw0 = 2 mean(o) = 4, dL/dw1 = 2 mean(o x1) = 4 */
        assert_true(s[1].gradient && fabs(s[1].mean - 4) < 1e-4 && s[1].deviation < 1e-3);
    }
    graph_destroy(g);
}

static void rows_by_their_loss(void **state)
{
    World *w = *state;
    int64_t run =
        submit(w, "linear", "FARE", "MILES,MINUTES,TIME", "epochs=20 lr=.05 batch=64 patience=0");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    uint64_t *rows;
    StepRow *weighed;
    size_t n, m;
    int64_t of;
    OK(run_rows_of_step(w->s, run, 12, NULL, &w->a, &rows, &n, &w->err));
    OK(run_losses_of_step(w->s, run, 12, NULL, &w->a, &weighed, &m, &of, &w->err));
    assert_int_equal(n, m);
    assert_true(n > 30 && of > 0);
    for (size_t i = 0; i < m; i++) {
        bool found = false;
        for (size_t k = 0; k < n; k++)
            found |= rows[k] == weighed[i].row;
        assert_true(found);
        assert_true(isfinite(weighed[i].loss) &&
                    (i == 0 || weighed[i].loss <= weighed[i - 1].loss));
    }
    assert_true(weighed[0].loss > 4 * weighed[m / 2].loss);
}

/* A row with an absurd number is named when it breaks the step. */
static void a_nan_names_its_rows(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= 2; threads++) {
        Error err = {0};
        Pool *pool = pool_create(threads);
        Graph *g = graph_create(5);
        Node *x = graph_dense(g, "hidden", graph_input(g, 1), 4, (Tail){.act = ACT_RELU});
        x = graph_dense(g, "head", x, 1, (Tail){0});
        assert_true(graph_plan(
            g, x, &(GraphPlan){.loss = LOSS_SQUARED, .rows_most = 100, .pool = pool}, &err));
        float dense[100] = {0}, target[100] = {0};
        for (size_t i = 0; i < 4; i++)
            graph_block(g)[i] = 1e10f;
        dense[7] = dense[73] = 3e38f; /* itself a number */
        GraphStats s;
        graph_step(g, &(GraphFeed){.rows = 100, .dense = dense, .target = target},
                   &(GraphKnobs){.lr = .1}, &s);
        assert_false(s.finite);
        assert_int_equal(s.bad, 2);
        assert_int_equal(s.bad_row[0], 7);
        assert_int_equal(s.bad_row[1], 73);
        assert_string_equal(s.layer, "hidden");
        graph_destroy(g);
        pool_destroy(pool);
    }
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {EACH(layers_on_demand), cmocka_unit_test(what_they_say),
                                       EACH(rows_by_their_loss),
                                       cmocka_unit_test(a_nan_names_its_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
