/* gbdt_xgboost_read.c -- a forest from XGBoost's model file, see gbdt_xgboost.h.
 *
 * What can be read: trees of numbers (gbtree, in rounds of one or more trees a class) with the objectives of
 * the table; a code for a category there would mean another word here. Values are in raw units, or logarithms
 * of them. Every number of a tree is looked at before it is taken: the file may be anybody's. */
#include "gbdt_xgboost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 3.40282347e38 /* the largest float in the nine digits it is written with */

/* ---- one tree ---------------------------------------------------------------------------------------- */

typedef struct TreeLists {
    const json_t *left, *right, *condition, *index, *kind, *missing, *gain, *cover;
    size_t nodes;
} TreeLists;

/* As many numbers as the tree has nodes (a truth is one too), or NULL. */
static const json_t *list_of(const json_t *tree, const char *name, size_t nodes)
{
    const json_t *list = json_object_get(tree, name);
    bool numbers = json_array_size(list) == nodes;
    for (size_t i = 0; numbers && i < nodes; i++) {
        const json_t *v = json_array_get(list, i);
        numbers = json_is_boolean(v) || (json_is_number(v) && fabs(json_number_value(v)) <= MOST);
    }
    return numbers ? list : NULL;
}

static bool read_lists(TreeLists *t, const json_t *tree)
{
    t->nodes = json_array_size(json_object_get(tree, "left_children"));
    t->left = list_of(tree, "left_children", t->nodes);
    t->right = list_of(tree, "right_children", t->nodes);
    t->condition = list_of(tree, "split_conditions", t->nodes);
    t->index = list_of(tree, "split_indices", t->nodes);
    t->kind = list_of(tree, "split_type", t->nodes);
    t->missing = list_of(tree, "default_left", t->nodes);
    t->gain = list_of(tree, "loss_changes", t->nodes);
    t->cover = list_of(tree, "sum_hessian", t->nodes);
    bool old = !json_object_get(tree, "split_type"); /* older files have none */
    return t->nodes && t->left && t->right && t->condition && t->index && t->missing && t->gain &&
           t->cover && (t->kind || old);
}

static double number_at(const json_t *list, size_t i)
{
    const json_t *v = json_array_get(list, i);
    return json_is_true(v) ? 1.0 : json_number_value(v);
}

typedef struct Reading {
    Forest *f;
    const int32_t *input; /* of each of its features */
    size_t features;
    TreeLists lists;
    size_t root, depth, made;
} Reading;

static size_t new_node(Forest *f)
{
    for (int k = 0; k < NODE_FIELD_COUNT; k++)
        vec_add(&f->field[k], 0.0f);
    return f->field[0].count - 1;
}

static bool is_place(double v, double least, size_t end)
{
    return v >= least && v < (double)end && v == floor(v);
}

/* The node `from` of the file as the node `to` of the forest, and what lies below. */
static bool read_node(Reading *r, size_t from, size_t to, Error *err)
{
    const TreeLists *t = &r->lists;
    double left = number_at(t->left, from), right = number_at(t->right, from);
    double value = number_at(t->condition, from), index = number_at(t->index, from);
    *forest_node(r->f, NODE_COVER, to) = (float)number_at(t->cover, from);
    *forest_node(r->f, NODE_ROWS, to) = (float)number_at(t->cover, from);
    *forest_node(r->f, NODE_FEATURE, to) = -1.0f;
    if (left == -1.0) {
        *forest_node(r->f, NODE_VALUE, to) = (float)value;
        return true;
    }
    if (t->kind && number_at(t->kind, from) != 0.0)
        return error_set(err, ERROR_USAGE,
                         "it splits by a category, whose numbers here mean other words");
    bool sound = is_place(left, 1.0, t->nodes) && is_place(right, 1.0, t->nodes) &&
                 is_place(index, 0.0, r->features) && ++r->made <= t->nodes;
    if (!sound)
        return error_set(err, ERROR_PARSE, "node %zu is damaged", from);
    float down = nextafterf((float)value, -INFINITY);
    *forest_node(r->f, NODE_FEATURE, to) = (float)r->input[(size_t)index];
    *forest_node(r->f, NODE_THRESHOLD, to) = down;
    *forest_node(r->f, NODE_MISSING_LEFT, to) = number_at(t->missing, from) != 0.0 ? 1.0f : 0.0f;
    *forest_node(r->f, NODE_GAIN, to) = (float)number_at(t->gain, from);
    size_t a = new_node(r->f), b = new_node(r->f);
    *forest_node(r->f, NODE_LEFT, to) = (float)(a - r->root);
    *forest_node(r->f, NODE_RIGHT, to) = (float)(b - r->root);
    if (++r->depth > 10000)
        return error_set(err, ERROR_PARSE, "it is deeper than 10,000 nodes");
    bool ok = read_node(r, (size_t)left, a, err) && read_node(r, (size_t)right, b, err);
    r->depth--;
    return ok;
}

static bool read_trees(Reading *r, const json_t *model, Error *err)
{
    const json_t *trees = json_object_get(model, "trees");
    const json_t *info = json_object_get(model, "tree_info");
    size_t n = json_array_size(trees);
    if (n == 0 || n % r->f->outputs || json_array_size(info) != n)
        return error_set(err, ERROR_SHAPE, "%zu trees are not some rounds of %zu", n,
                         r->f->outputs);
    for (size_t i = 0; i < n; i++) {
        const json_t *class = json_array_get(info, i);
        if (!json_is_integer(class) || number_at(info, i) != (double)(i % r->f->outputs))
            return error_set(err, ERROR_USAGE, "tree %zu: more than one tree a round and class", i);
        if (!read_lists(&r->lists, json_array_get(trees, i)))
            return error_set(err, ERROR_PARSE, "tree %zu: a list is missing, too short or not of numbers", i);
        r->root = new_node(r->f);
        r->depth = r->made = 0;
        if (!read_node(r, 0, r->root, err))
            return error_in(err, "tree %zu", i);
        vec_add(&r->f->nodes, (float)(r->f->field[0].count - r->root));
    }
    return true;
}

/* ---- what is round the trees --------------------------------------------------------------------------- */

/* Its features by their names or, without, by their places. */
static bool read_inputs(const json_t *learner, const ModelShape *s, int32_t *input, size_t n,
                        Error *err)
{
    const json_t *names = json_object_get(learner, "feature_names");
    if (!json_array_size(names) && n != s->dense + s->codes)
        return error_set(err, ERROR_SHAPE,
                         "%zu features without names where the table gives %zu inputs", n,
                         s->dense + s->codes);
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        input[i] = (int32_t)i;
        if (!json_array_size(names))
            continue;
        size_t k = 0;
        while (name && k < s->dense && !text_equal(s->dense_name ? s->dense_name[k] : "", name))
            k++;
        if (!name || k == s->dense)
            return error_set(err, ERROR_USAGE, "feature %s is no number among the table's columns; boosters with "
                             "categories cannot be taken, from=RUN goes on from ours",
                             name ? name : "?");
        input[i] = (int32_t)k;
    }
    return true;
}

/* Numbers there stand in quotes. */
static double text_number(const json_t *from, const char *key)
{
    const char *text = json_string_value(json_object_get(from, key));
    char *end = NULL;
    double v = text ? strtod(text, &end) : (double)NAN;
    return text && *text && !*end ? v : (double)NAN;
}

static const Objective *objective_of(const json_t *learner, Error *err)
{
    const char *name =
        json_string_value(json_object_get(json_object_get(learner, "objective"), "name"));
    for (const Objective *o = xgboost_objectives; name && o->name; o++)
        if (text_equal(o->name, name))
            return o;
    error_set(err, ERROR_USAGE, "objective %.80s is not known here", name ? name : "?");
    return NULL;
}

static bool read_base(Forest *f, const ModelShape *s, double scale, const json_t *learner, Error *err)
{
    double base = text_number(json_object_get(learner, "learner_model_param"), "base_score");
    const Objective *o = objective_of(learner, err);
    if (!o)
        return false;
    if (o->task != s->task)
        return error_set(err, ERROR_USAGE, "objective %s does not fit a %s target", o->name, task_name(s->task));
    if (o->task == TASK_REGRESSION && (o->log_link != s->log_link || (!o->log_link && scale != 1.0)))
        return error_set(err, ERROR_USAGE, "objective %s wants transform_target=%s", o->name,
                         o->log_link ? "mean" : "none");
    bool logit = text_equal(o->name, "binary:logistic");
    if (!isfinite(base) || (logit && !(base > 0.0 && base < 1.0)) || (o->log_link && !(base > 0.0)))
        return error_set(err, ERROR_PARSE, "base_score is missing or out of its range");
    for (size_t c = 0; c < f->outputs; c++)
        f->bias[c] = (float)(logit         ? log(base / (1.0 - base))
                             : o->log_link ? log(base) - log(scale)
                                           : base);
    return true;
}

/* Is it a booster that can be read at all? */
static const json_t *model_of(const json_t *learner, Error *err)
{
    const json_t *booster = json_object_get(learner, "gradient_booster");
    const char *kind = json_string_value(json_object_get(booster, "name"));
    const json_t *model = json_object_get(booster, "model");
    if (!kind)
        error_set(err, ERROR_PARSE, "it is no model of XGBoost's");
    else if (!text_equal(kind, "gbtree"))
        error_set(err, ERROR_USAGE, "its booster is %.80s; only gbtree can be read", kind);
    else if (!model)
        error_set(err, ERROR_PARSE, "its model is missing");
    return kind && text_equal(kind, "gbtree") ? model : NULL;
}

static bool read_learner(Forest *f, const ModelShape *s, double scale, const json_t *learner, Error *err)
{
    const json_t *model = model_of(learner, err);
    double features = text_number(json_object_get(learner, "learner_model_param"), "num_feature");
    double classes = text_number(json_object_get(learner, "learner_model_param"), "num_class");
    if (!model)
        return false;
    if (!is_place(features, 1.0, 1000001))
        return error_set(err, ERROR_PARSE, "num_feature is missing or out of its range");
    if (s->task == TASK_MULTICLASS && classes != (double)s->classes)
        return error_set(err, ERROR_SHAPE, "it has %g classes, the target here %zu", classes,
                         s->classes);
    size_t n = (size_t)features;
    int32_t *input = mem_alloc(sizeof *input * n);
    Reading r = {.f = f, .input = input, .features = n};
    bool ok = read_base(f, s, scale, learner, err) && read_inputs(learner, s, input, n, err) &&
              read_trees(&r, model, err);
    mem_free(input);
    return ok;
}

/* ---- the file ------------------------------------------------------------------------------------------ */

/* JSON has neither, but XGBoost writes them: NaN for the condition of a set, infinity for a threshold. */
static void replace_words(char *text, size_t n)
{
    static const char *const word[][2] = {{"NaN", "0.0"}, {"Infinity", "3.402e38"}};
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\\' && quoted)
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        for (size_t k = 0; !quoted && i < n && k < 2; k++) {
            size_t size = strlen(word[k][0]);
            if (n - i >= size && memcmp(text + i, word[k][0], size) == 0)
                memcpy(text + i, word[k][1], size);
        }
    }
}

static json_t *file_of(const void *bytes, size_t n, Error *err)
{
    json_error_t why;
    if (n > 2 && ((const char *)bytes)[0] == '{' && ((const char *)bytes)[1] == 'L') {
        error_set(err, ERROR_USAGE, "it is UBJSON; save_model(\"NAME.json\") writes what can be read");
        return NULL;
    }
    char *text = mem_try(n + 1, err);
    if (!text)
        return NULL;
    memcpy(text, bytes, n);
    replace_words(text, n);
    json_t *file = json_loadb(text, n, 0, &why);
    mem_free(text);
    if (!file)
        error_set(err, ERROR_PARSE, "not whole JSON: line %d: %.120s", why.line, why.text);
    return file;
}

bool forest_from_xgboost(Forest *f, const ModelShape *s, double scale, const void *bytes, size_t n, Error *err)
{
    json_t *file = file_of(bytes, n, err);
    if (!file)
        return false;
    forest_clear(f);
    bool ok = read_learner(f, s, scale, json_object_get(file, "learner"), err) && forest_settle(f, err);
    json_decref(file);
    if (!ok)
        forest_clear(f);
    return ok;
}

/* A classifier's target decides by itself; a number's can be looked at in several ways. */
json_t *xgboost_settings(const void *bytes, size_t n, Error *err)
{
    json_t *file = file_of(bytes, n, err), *learner = json_object_get(file, "learner");
    const Objective *o = file && model_of(learner, err) ? objective_of(learner, err) : NULL;
    json_t *settings = o ? json_object() : NULL;
    if (o && o->task == TASK_REGRESSION) {
        json_object_set_new(settings, "loss", json_string(losses[o->loss].name));
        json_object_set_new(settings, "transform_target", json_string(o->log_link ? "mean" : "none"));
    }
    if (o && o->loss == LOSS_TWEEDIE) {
        const json_t *group = json_object_get(json_object_get(learner, "objective"), o->group);
        json_object_set(settings, "tweedie_power", json_object_get(group, o->key));
    }
    json_decref(file);
    return settings;
}
