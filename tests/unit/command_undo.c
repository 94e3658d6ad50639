/* command_undo.c -- a command whose result says how it is taken back: that line makes all as it was, and its own way
 * back makes it as the command did. */
#include <lathe/command.h>

#include "store_place.h"

#include <stdio.h>

static void a_model(Place *p, const char *name)
{
    ModelRow m = {.run = 1, .name = name, .hash = "h", .path = "runs/1/bundle", .alias = ""};
    OK(store_model_add(p->s, &m, &p->err));
}

/* A dataset, a run with a tag and a note, two versions of a model, a deployment, an alert. */
static void fill(Place *p, CommandCall *call)
{
    char line[256], path[128];
    static const char csv[] = "fare,miles\n1,2\n3,4\n";
    json_t *result = NULL;
    const Command *c;
    int64_t id;
    bool fresh;
    RunRow run = {.name = "first", .experiment = "", .family = "mlp", .dataset = "d", .dataset_name = "d", .target = "y",
                  .task = "regression", .recipe = "", .features = "", .split = "", .monitor = "val_loss",
                  .note = "", .tags = "", .message = "", .machine = "", .version = ""};
    snprintf(path, sizeof path, "%s/trips.csv", p->dir);
    OK(file_write(path, csv, sizeof csv - 1, &p->err));
    snprintf(line, sizeof line, "ingest %s as=trips", path);
    OK(command_line(call, line, &c, &result, &p->err));
    json_decref(result);
    OK(store_run_add(p->s, &run, NULL, 0, &p->err));
    OK(store_run_tag(p->s, 1, "old", true, &p->err));
    OK(store_run_note(p->s, 1, "it's a \"first\" try", &p->err));
    a_model(p, "taxi");
    a_model(p, "taxi");
    AlertRow alert = {.deployment = "fares", .subject = "miles", .kind = "drift", .text = "moved", .detail = "{}"};
    OK(store_alert_raise(p->s, &alert, 0, &id, &fresh, &p->err));
    DeploymentRow fares = {.name = "fares", .state = "live", .model = 1, .settings = "{}"};
    OK(store_deployment_add(p->s, &fares, "me", &p->err));
    OK(command_line(call, "deploy fares threshold=4", &c, &result, &p->err));
    json_decref(result);
}

static json_t *ask(Place *p, CommandCall *call, const char *line)
{
    const Command *c;
    json_t *result = NULL;
    if (!command_line(call, line, &c, &result, &p->err))
        fail_msg("%s: %s", line, p->err.text);
    return result;
}

static char *look(Place *p, CommandCall *call, const char *query)
{
    char line[200];
    snprintf(line, sizeof line, "sql \"%s\"", query);
    json_t *result = ask(p, call, line);
    char *text = json_dumps(json_object_get(result, "rows"), 0);
    json_decref(result);
    return text;
}

static char *do_it(Place *p, CommandCall *call, const char *line)
{
    json_t *result = ask(p, call, line);
    const char *undo = json_string_value(json_object_get(result, "undo"));
    if (!undo)
        fail_msg("%s: does not say how it is taken back", line);
    char *back = text_copy(undo);
    json_decref(result);
    return back;
}

static void back_and_again(Place *p, CommandCall *call, const char *line, const char *query)
{
    char *before = look(p, call, query), *back = do_it(p, call, line), *after = look(p, call, query);
    if (strcmp(before, after) == 0)
        fail_msg("%s: changes nothing: %s", line, after);
    char *again = do_it(p, call, back), *undone = look(p, call, query);
    if (strcmp(before, undone) != 0)
        fail_msg("%s: taken back by %s: %s, before %s", line, back, undone, before);
    mem_free(do_it(p, call, again));
    char *redone = look(p, call, query);
    if (strcmp(after, redone) != 0)
        fail_msg("%s: made again by %s: %s, was %s", line, again, redone, after);
    free(before), free(after), free(undone), free(redone);
    mem_free(back), mem_free(again);
}

static void each_goes_back_and_again(void **state)
{
    static const struct { const char *line, *query; } all[] = {
        {"runs rename 1 'a better name'", "select name from runs"},
        {"runs tag 1 new -old -absent old2", "select tags from runs"},
        {"runs note 1 other words", "select note from runs"},
        {"data role trips miles target", "select name, role from columns"},
        {"data role trips miles private", "select name, private from columns"},
        {"data rename trips 'all trips'", "select name from datasets"},
        {"models alias taxi/1 challenger", "select version, alias from models"}, /* nobody had it */
        {"models alias taxi/2 challenger", "select version, alias from models"}, /* another version had it */
        {"models unalias taxi/2 challenger", "select version, alias from models"},
        {"deploy fares sample=0.5 threshold=5", "select settings from deployments"},
        {"alerts ack 1", "select state from alerts"},
        {"alerts resolve 1", "select state from alerts"},
    };
    Place *p = *state;
    CommandCall call = {.workspace = p->dir, .pool = pool_create(1)};
    fill(p, &call);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        back_and_again(p, &call, all[i].line, all[i].query);
    pool_destroy(call.pool);
}

/* What changes nothing cannot be taken back. */
static void nothing_is_no_change(void **state)
{
    static const char *const lines[] = {"runs tag 1 old", "data role trips miles feature", "data rename trips trips",
                                        "deploy fares", "models unalias taxi/2 champion"};
    Place *p = *state;
    CommandCall call = {.workspace = p->dir, .pool = pool_create(1)};
    fill(p, &call);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        json_t *result = ask(p, &call, lines[i]);
        if (json_object_get(result, "undo"))
            fail_msg("%s: %s", lines[i], json_string_value(json_object_get(result, "undo")));
        json_decref(result);
    }
    pool_destroy(call.pool);
}

/* A line that is refused has set nothing. */
static void a_wrong_word_sets_nothing(void **state)
{
    Place *p = *state;
    CommandCall call = {.workspace = p->dir, .pool = pool_create(1)};
    const Command *c;
    json_t *result = NULL;
    fill(p, &call);
    char *before = look(p, &call, "select settings from deployments");
    assert_false(command_line(&call, "deploy fares shadwo sample=0.5", &c, &result, &p->err));
    assert_non_null(strstr(p->err.text, "shadow"));
    char *after = look(p, &call, "select settings from deployments");
    assert_string_equal(before, after);
    free(before);
    free(after);
    pool_destroy(call.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_goes_back_and_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_word_sets_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_no_change, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
