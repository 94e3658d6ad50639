/* gbdt_xgboost.c -- the forest as XGBoost's model file (JSON, as its version 1.7 writes it), and back.
 *
 *     learner.gradient_booster.model.trees[]   left_children, right_children, parents, split_indices,
 *         split_conditions (a leaf's value stands there), split_type, default_left, base_weights,
 *         loss_changes, sum_hessian, categories*, tree_param; tree_info: the tree's class
 *     learner.learner_model_param               base_score (before the link), num_class, num_feature
 *     learner.objective.name                    the link
 *
 * A number goes left if x < t there and if x <= t here, so t is the next float up. A set of categories
 * goes right there and left here, so the children change places. Inputs are the model's: dense numbers,
 * then codes; their words are in attributes.lathe, the features as JSON. Regression is told in raw units.
 * Read back are trees of numbers (gbtree, one tree a class and round) with the objectives of the table
 * below; an own code for a category would mean nothing to another's tree. */
#include "gbdt_int.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_PARENT 2147483647

typedef struct Objective {
    const char *name, *extra; /* extra: what stands beside the name */
    TaskKind task;
    bool log_link;
} Objective;

/* The first that fits is what is written. */
static const Objective objectives[] = {
    {"reg:squarederror", "\"reg_loss_param\": {\"scale_pos_weight\": \"1\"}", TASK_REGRESSION,
     false},
    {"binary:logistic", "\"reg_loss_param\": {\"scale_pos_weight\": \"1\"}", TASK_BINARY, false},
    {"multi:softprob", "", TASK_MULTICLASS, false},
    {"count:poisson", "\"poisson_regression_param\": {\"max_delta_step\": \"0.699999988\"}",
     TASK_REGRESSION, true},
    {"multi:softmax", "", TASK_MULTICLASS, false},
    {"reg:absoluteerror", "", TASK_REGRESSION, false},
    {"reg:pseudohubererror", "", TASK_REGRESSION, false},
    {"binary:logitraw", "", TASK_BINARY, false},
};
#define OBJECTIVES (sizeof objectives / sizeof *objectives)

/* ---- writing --------------------------------------------------------------------------------------- */

typedef struct TreeText {
    const Forest *f;
    size_t root, nodes, codes; /* in the fields; codes: before the tree */
    double scale, shift;       /* of a leaf's value; shift: into the first tree of a class */
} TreeText;

static double at(const TreeText *t, NodeField field, size_t node)
{
    return (double)t->f->field[field].at[t->root + node];
}

static bool is_leaf(const TreeText *t, size_t node)
{
    return at(t, NODE_FEATURE, node) < 0.0;
}

static bool is_set(const TreeText *t, size_t node)
{
    return at(t, NODE_FEATURE, node) >= (double)t->f->numbers;
}

static double left_of(const TreeText *t, size_t node)
{
    return is_leaf(t, node) ? -1.0 : at(t, is_set(t, node) ? NODE_RIGHT : NODE_LEFT, node);
}

static double right_of(const TreeText *t, size_t node)
{
    return is_leaf(t, node) ? -1.0 : at(t, is_set(t, node) ? NODE_LEFT : NODE_RIGHT, node);
}

static double parent_of(const TreeText *t, size_t node)
{
    for (size_t i = 0; i < node; i++)
        if (left_of(t, i) == (double)node || right_of(t, i) == (double)node)
            return (double)i;
    return NO_PARENT;
}

static double value_of(const TreeText *t, size_t node)
{
    return at(t, NODE_VALUE, node) * t->scale + t->shift;
}

static double condition_of(const TreeText *t, size_t node)
{
    if (is_leaf(t, node))
        return value_of(t, node);
    float up = is_set(t, node) ? 0.0f : nextafterf((float)at(t, NODE_THRESHOLD, node), INFINITY);
    return (double)(up > FLT_MAX ? FLT_MAX : up < -FLT_MAX ? -FLT_MAX : up);
}

static double index_of(const TreeText *t, size_t node)
{
    return is_leaf(t, node) ? 0.0 : at(t, NODE_FEATURE, node);
}

static double kind_of(const TreeText *t, size_t node)
{
    return !is_leaf(t, node) && is_set(t, node);
}

/* A missing category is code 0, which no set has. */
static double default_of(const TreeText *t, size_t node)
{
    return !is_leaf(t, node) && (is_set(t, node) || at(t, NODE_MISSING_LEFT, node) > 0.5);
}

static double gain_of(const TreeText *t, size_t node)
{
    return at(t, NODE_GAIN, node);
}

static double cover_of(const TreeText *t, size_t node)
{
    return at(t, NODE_COVER, node);
}

/* XGBoost tells whole numbers from others by the point. */
static void put_real(Text *into, double v)
{
    char digits[40];
    snprintf(digits, sizeof digits, "%.9g", v);
    text_puts(into, digits);
    if (!strpbrk(digits, ".e"))
        text_puts(into, ".0");
}

static void put_list(Text *into, const char *name, const TreeText *t, bool whole,
                     double (*of)(const TreeText *t, size_t node))
{
    text_printf(into, "\"%s\": [", name);
    for (size_t node = 0; node < t->nodes; node++) {
        text_puts(into, node ? ", " : "");
        if (whole)
            text_printf(into, "%.0f", of(t, node));
        else
            put_real(into, of(t, node));
    }
    text_puts(into, "], ");
}

/* The sets of the nodes that have one: their codes, whose they are, where each begins, how many. */
static void put_sets(Text *into, const TreeText *t)
{
    Text nodes = {0}, begins = {0}, sizes = {0};
    size_t code = t->codes, first = code, n = 0;
    text_puts(into, "\"categories\": [");
    for (size_t node = 0; node < t->nodes; node++) {
        size_t own = (size_t)at(t, NODE_CODES, node);
        if (is_leaf(t, node) || !is_set(t, node))
            continue;
        text_printf(&nodes, "%s%zu", n ? ", " : "", node);
        text_printf(&begins, "%s%zu", n ? ", " : "", code - first);
        text_printf(&sizes, "%s%zu", n++ ? ", " : "", own);
        for (size_t i = 0; i < own; i++, code++)
            text_printf(into, "%s%.0f", code > first ? ", " : "", (double)t->f->code.at[code]);
    }
    text_printf(into,
                "], \"categories_nodes\": [%s], \"categories_segments\": [%s],"
                " \"categories_sizes\": [%s], ",
                text_str(&nodes), text_str(&begins), text_str(&sizes));
    text_release(&nodes);
    text_release(&begins);
    text_release(&sizes);
}

static void put_tree(Text *into, const TreeText *t, size_t number)
{
    text_puts(into, number ? ",\n{" : "\n{");
    put_list(into, "base_weights", t, false, value_of);
    put_sets(into, t);
    put_list(into, "default_left", t, true, default_of);
    text_printf(into, "\"id\": %zu, ", number);
    put_list(into, "left_children", t, true, left_of);
    put_list(into, "loss_changes", t, false, gain_of);
    put_list(into, "parents", t, true, parent_of);
    put_list(into, "right_children", t, true, right_of);
    put_list(into, "split_conditions", t, false, condition_of);
    put_list(into, "split_indices", t, true, index_of);
    put_list(into, "split_type", t, true, kind_of);
    put_list(into, "sum_hessian", t, false, cover_of);
    text_printf(into,
                "\"tree_param\": {\"num_deleted\": \"0\", \"num_feature\": \"%zu\", \"num_nodes\": "
                "\"%zu\", \"size_leaf_vector\": \"0\"}}",
                t->f->features, t->nodes);
}

static void put_text(Text *into, const char *s, bool name)
{
    text_putc(into, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (name && (c == '[' || c == ']' || c == '<')) /* which it refuses in names */
            text_putc(into, '_');
        else if (c == '"' || c == '\\') /* it does not read \u */
            text_printf(into, "\\%c", c);
        else if (c < 0x20)
            text_putc(into, ' ');
        else
            text_putc(into, (char)c);
    }
    text_putc(into, '"');
}

static void put_names(Text *into, const ModelShape *s)
{
    size_t n = s->dense + s->codes;
    text_puts(into, "\"feature_names\": [");
    for (size_t i = 0; i < n && s->dense_name && (s->code_name || !s->codes); i++) {
        text_puts(into, i ? ", " : "");
        put_text(into, i < s->dense ? s->dense_name[i] : s->code_name[i - s->dense], true);
    }
    text_puts(into, "], \"feature_types\": [");
    for (size_t i = 0; i < n; i++)
        text_printf(into, "%s\"%s\"", i ? ", " : "", i < s->dense ? "float" : "c");
    text_puts(into, "], ");
}

static void put_trees(Text *into, const Forest *f, double scale, bool fold)
{
    TreeText t = {.f = f, .scale = scale};
    text_puts(into, "\"trees\": [");
    for (size_t tree = 0; tree < f->nodes.count; tree++) {
        t.nodes = (size_t)f->nodes.at[tree];
        t.shift = fold && tree < f->outputs ? (double)f->bias[tree] : 0.0;
        put_tree(into, &t, tree);
        for (size_t node = 0; node < t.nodes; node++)
            t.codes += (size_t)at(&t, NODE_CODES, node);
        t.root += t.nodes;
    }
    text_puts(into, "]}, \"name\": \"gbtree\"}, ");
}

/* Classes begin at base_score 0.5, which is a margin of 0 for two (and the same for all of several), and
 * their own bias is in their first tree. */
bool forest_xgboost(const Forest *f, const ModelShape *s, double scale, double shift,
                    const char *about, Text *into, Error *err)
{
    const Objective *o = objectives;
    size_t trees = f->nodes.count, classes = s->task == TASK_MULTICLASS ? s->classes : 0;
    while (o->task != s->task || o->log_link != s->log_link)
        o++;
    if (trees == 0)
        return error_set(err, ERROR_USAGE, "the model has no trees yet");
    double base = s->task != TASK_REGRESSION ? 0.5
                  : s->log_link              ? exp((double)f->bias[0]) * scale
                                             : (double)f->bias[0] * scale + shift;
    text_puts(into, "{\"learner\": {\"attributes\": {\"lathe\": ");
    put_text(into, about, false);
    text_puts(into, "}, ");
    put_names(into, s);
    text_printf(
        into,
        "\"gradient_booster\": {\"model\": {\"gbtree_model_param\": {\"num_parallel_tree\": "
        "\"1\", \"num_trees\": \"%zu\", \"size_leaf_vector\": \"0\"}, \"tree_info\": [",
        trees);
    for (size_t i = 0; i < trees; i++)
        text_printf(into, "%s%zu", i ? ", " : "", i % f->outputs);
    text_puts(into, "], ");
    put_trees(into, f, s->task == TASK_REGRESSION && !s->log_link ? scale : 1.0,
              s->task != TASK_REGRESSION);
    text_printf(
        into,
        "\"learner_model_param\": {\"base_score\": \"%.9g\", \"boost_from_average\": \"1\", "
        "\"num_class\": \"%zu\", \"num_feature\": \"%zu\", \"num_target\": \"1\"}, "
        "\"objective\": {\"name\": \"%s\", ",
        base, classes, f->features, o->name);
    if (classes)
        text_printf(into, "\"softmax_multiclass_param\": {\"num_class\": \"%zu\"}", classes);
    else
        text_puts(into, o->extra);
    text_puts(into, "}}, \"version\": [1, 7, 4]}\n");
    return true;
}

/* ---- reading ------------------------------------------------------------------------------------------- */

typedef struct TreeLists {
    const json_t *left, *right, *condition, *index, *kind, *missing, *gain, *cover;
    size_t nodes;
} TreeLists;

static const json_t *list_of(const json_t *tree, const char *name, size_t nodes)
{
    const json_t *list = json_object_get(tree, name);
    return json_array_size(list) == nodes ? list : NULL;
}

static bool read_lists(TreeLists *t, const json_t *tree)
{
    t->nodes = json_array_size(json_object_get(tree, "left_children"));
    t->left = list_of(tree, "left_children", t->nodes);
    t->right = list_of(tree, "right_children", t->nodes);
    t->condition = list_of(tree, "split_conditions", t->nodes);
    t->index = list_of(tree, "split_indices", t->nodes);
    t->kind = list_of(tree, "split_type", t->nodes); /* older files have none */
    t->missing = list_of(tree, "default_left", t->nodes);
    t->gain = list_of(tree, "loss_changes", t->nodes);
    t->cover = list_of(tree, "sum_hessian", t->nodes);
    return t->nodes && t->left && t->right && t->condition && t->index && t->missing && t->gain &&
           t->cover;
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
    bool sound = left > 0 && right > 0 && left < (double)t->nodes && right < (double)t->nodes &&
                 index >= 0 && index < (double)r->features && ++r->made <= t->nodes;
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
        if (number_at(info, i) != (double)(i % r->f->outputs))
            return error_set(err, ERROR_USAGE, "tree %zu: more than one tree a round and class", i);
        if (!read_lists(&r->lists, json_array_get(trees, i)))
            return error_set(err, ERROR_PARSE, "tree %zu: a list is missing or too short", i);
        r->root = new_node(r->f);
        r->depth = r->made = 0;
        if (!read_node(r, 0, r->root, err))
            return error_in(err, "tree %zu", i);
        vec_add(&r->f->nodes, (float)(r->f->field[0].count - r->root));
    }
    return true;
}

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

static double text_number(const json_t *from, const char *key)
{
    const char *text = json_string_value(json_object_get(from, key));
    return text ? strtod(text, NULL) : (double)NAN;
}

static bool read_base(Forest *f, const ModelShape *s, const json_t *learner, Error *err)
{
    const char *name =
        json_string_value(json_object_get(json_object_get(learner, "objective"), "name"));
    double base = text_number(json_object_get(learner, "learner_model_param"), "base_score");
    const Objective *o = NULL;
    for (size_t i = 0; i < OBJECTIVES; i++)
        if (name && text_equal(objectives[i].name, name))
            o = &objectives[i];
    if (!o)
        return error_set(err, ERROR_USAGE, "objective %s is not known here", name ? name : "?");
    if (o->task != s->task || o->log_link != s->log_link)
        return error_set(err, ERROR_USAGE, "objective %s does not fit a %s target%s", name,
                         task_name(s->task), o->log_link ? " in these units" : "");
    if (o->log_link) /* in units of its own mean, which the target here does not share */
        return error_set(err, ERROR_USAGE, "objective %s can be written, but not read back", name);
    bool logit = text_equal(name, "binary:logistic");
    if (!isfinite(base) || (logit && !(base > 0.0 && base < 1.0)))
        return error_set(err, ERROR_PARSE, "base_score is missing or out of its range");
    for (size_t c = 0; c < f->outputs; c++)
        f->bias[c] = (float)(logit ? log(base / (1.0 - base)) : base);
    return true;
}

/* JSON has no NaN, but XGBoost writes it for the condition of a set. */
static void replace_nan(char *text, size_t n)
{
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\\' && quoted)
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && n - i >= 3 && memcmp(text + i, "NaN", 3) == 0)
            memcpy(text + i, "0.0", 3);
    }
}

static bool read_learner(Forest *f, const ModelShape *s, const json_t *learner, Error *err)
{
    const json_t *booster = json_object_get(learner, "gradient_booster");
    const json_t *model = json_object_get(booster, "model");
    const char *kind = json_string_value(json_object_get(booster, "name"));
    double features = text_number(json_object_get(learner, "learner_model_param"), "num_feature");
    double classes = text_number(json_object_get(learner, "learner_model_param"), "num_class");
    if (!model || !(features >= 1.0 && features <= 1e6))
        return error_set(err, ERROR_PARSE, "it is no model of XGBoost's");
    if (!kind || !text_equal(kind, "gbtree"))
        return error_set(err, ERROR_USAGE, "its booster is %s; only gbtree can be read",
                         kind ? kind : "unknown");
    if (s->task == TASK_MULTICLASS && classes != (double)s->classes)
        return error_set(err, ERROR_SHAPE, "it has %g classes, the target here %zu", classes,
                         s->classes);
    size_t n = (size_t)features;
    int32_t *input = mem_alloc(sizeof *input * n);
    Reading r = {.f = f, .input = input, .features = n};
    bool ok = read_inputs(learner, s, input, n, err) && read_base(f, s, learner, err) &&
              read_trees(&r, model, err);
    mem_free(input);
    return ok;
}

bool forest_from_xgboost(Forest *f, const ModelShape *s, const void *bytes, size_t n, Error *err)
{
    json_error_t why;
    char *text = mem_try(n + 1, err);
    if (!text)
        return false;
    memcpy(text, bytes, n);
    replace_nan(text, n);
    json_t *from = json_loadb(text, n, 0, &why);
    mem_free(text);
    if (!from)
        return error_set(err, ERROR_PARSE, "line %d: %.120s", why.line, why.text);
    forest_clear(f);
    bool ok = read_learner(f, s, json_object_get(from, "learner"), err) && forest_settle(f, err);
    json_decref(from);
    if (!ok)
        forest_clear(f);
    return ok;
}
