/* bundle_onnx.c -- a bundle as an ONNX model: raw rows in, predictions in raw units out.
 *
 *     inputs    one a column, [rows][1], by the column's name
 *     outputs   prediction, float [rows][1]                   regression
 *               label, text [rows][1]; probability, float [rows][classes]    classes
 *
 * Each piece says its own part: rules (recipe/onnx.c), encoders, the family, the target. Where a rule that
 * makes a column cannot be said, the model takes the columns as the recipes leave them, and a note tells. Rows
 * that a rule drops are scored all the same: ONNX gives a prediction a row. */
#include "bundle_int.h"

#include <string.h>

static void note(json_t *notes, const char *text)
{
    json_array_append_new(notes, json_string(text));
}

/* ---- inputs ------------------------------------------------------------------------------------------ */

static const char *type_about(ColumnType type)
{
    switch (type) {
    case COLUMN_TEXT:
        return "text; \"\" where it is missing";
    case COLUMN_TIME:
        return "seconds since 1970-01-01 UTC; NaN where it is missing";
    case COLUMN_DATE:
        return "days since 1970-01-01; NaN where it is missing";
    case COLUMN_BOOL:
        return "1 true, 0 false; NaN where it is missing";
    default:
        return "a number; NaN where it is missing";
    }
}

static const char *add_input(Onnx *o, const char *name, ColumnType type)
{
    return onnx_input(o, name, type == COLUMN_TEXT ? ONNX_TEXT : ONNX_REAL, 1, type_about(type));
}

bool bundle_recipes_write(const Bundle *b)
{
    for (size_t i = 0; i < b->plans; i++)
        for (size_t k = 0; k < features_inputs(b->features); k++)
            if (plan_writes(b->plan[i], features_input(b->features, k)))
                return true;
    return false;
}

/* The features' columns from raw ones; false: a rule on their way cannot be said, its text is in `stuck`. */
static bool say_recipes(const Bundle *b, Onnx *o, const char **column, Text *stuck)
{
    bool ok = true;
    PlanOnnx *p = plan_onnx_create(o, (const Plan *const *)b->plan, b->plans, add_input);
    for (size_t i = 0; ok && i < features_inputs(b->features); i++)
        ok = (column[i] = plan_onnx_column(p, features_input(b->features, i))) != NULL;
    text_puts(stuck, !ok && plan_onnx_stuck(p) ? plan_onnx_stuck(p) : "");
    plan_onnx_destroy(p);
    return ok;
}

/* Tried on a model that is thrown away, so that half a recipe leaves nothing behind. */
static bool can_say_recipes(const Bundle *b, const char **column, Text *stuck)
{
    Onnx *o = onnx_create(NULL);
    bool can = o && say_recipes(b, o, column, stuck);
    onnx_destroy(o);
    return can;
}

static void add_inputs(const Bundle *b, Onnx *o, const char **column, json_t *notes)
{
    Text stuck = {0};
    bool writes = bundle_recipes_write(b), said = writes && can_say_recipes(b, column, &stuck);
    if (said)
        say_recipes(b, o, column, &stuck);
    for (size_t i = 0; !said && i < features_inputs(b->features); i++)
        column[i] =
            add_input(o, features_input(b->features, i), features_input_type(b->features, i));
    if (writes && !said) {
        Text text = {0};
        text_puts(&text, "the recipe is not part of it");
        if (stuck.count)
            text_printf(&text, " (ONNX has no words for: %s)", text_str(&stuck));
        text_puts(&text, ": the inputs are columns as the recipe leaves them");
        note(notes, text_str(&text));
        text_release(&text);
    } else if (b->plans)
        note(notes, "rows that the recipe drops are scored all the same");
    text_release(&stuck);
}

/* ---- outputs ------------------------------------------------------------------------------------------ */

static void say_classes(const Bundle *b, Onnx *o, const char *share)
{
    const ModelShape *s = features_shape(b->features);
    const char **name = mem_alloc(sizeof *name * s->classes);
    int64_t *number = mem_alloc(sizeof *number * s->classes);
    for (size_t i = 0; i < s->classes; i++) {
        name[i] = features_class(b->features, i);
        number[i] = (int64_t)i;
    }
    const char *best = onnx_node(o, "ArgMax", share, NULL);
    onnx_set_whole(o, "axis", 1);
    onnx_set_whole(o, "keepdims", 1);
    const char *label = onnx_node(o, "ml.LabelEncoder", best, NULL);
    onnx_set_wholes(o, "keys_int64s", number, s->classes);
    onnx_set_texts(o, "values_strings", name, NULL, s->classes);
    Text about = {0};
    text_puts(&about, "of each class:");
    for (size_t i = 0; i < s->classes && i < 100; i++)
        text_printf(&about, "%s %s", i ? "," : "", name[i]);
    onnx_output(o, label, "label", ONNX_TEXT, 1, "the most likely class");
    onnx_output(o, share, "probability", ONNX_FLOAT, s->classes, text_str(&about));
    text_release(&about);
    mem_free(name);
    mem_free(number);
}

static void say_outputs(const Bundle *b, Onnx *o, const char *score)
{
    switch (features_shape(b->features)->task) {
    case TASK_BINARY: {
        const char *yes = onnx_node(o, "Sigmoid", score, NULL);
        const char *no = onnx_node(o, "Sub", onnx_float(o, 1.0f), yes, NULL);
        say_classes(b, o, onnx_join(o, (const char *[]){no, yes}, 2));
        break;
    }
    case TASK_MULTICLASS: {
        const char *share = onnx_node(o, "Softmax", score, NULL);
        onnx_set_whole(o, "axis", 1);
        say_classes(b, o, share);
        break;
    }
    default:
        onnx_output(o, features_target_onnx(b->features, o, score), "prediction", ONNX_FLOAT, 1,
                    features_target(b->features));
    }
}

static void say_about(const Bundle *b, Onnx *o, const json_t *notes)
{
    Text all = {0};
    for (size_t i = 0; i < json_array_size(notes); i++)
        text_printf(&all, "%s%s", i ? "; " : "", json_string_value(json_array_get(notes, i)));
    onnx_note(o, "family", b->family->name);
    onnx_note(o, "target", features_target(b->features));
    onnx_note(o, "task", task_name(features_shape(b->features)->task));
    if (all.count)
        onnx_note(o, "notes", text_str(&all));
    text_release(&all);
}

bool bundle_onnx(Bundle *b, Onnx *o, json_t *notes, Error *err)
{
    const char **column = mem_alloc(sizeof *column * (features_inputs(b->features) + 1));
    const char *dense, *codes;
    add_inputs(b, o, column, notes);
    bool ok = features_onnx(b->features, o, column, &dense, &codes, err);
    const char *score = ok ? model_onnx(b->model, o, dense, codes, err) : NULL;
    if (score) {
        say_outputs(b, o, score);
        say_about(b, o, notes);
    }
    mem_free(column);
    return score != NULL;
}
