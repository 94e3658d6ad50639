/* gbdt_xgboost.c -- the forest as XGBoost's model file, see gbdt_xgboost.h.
 *
 * Inputs are the model's: dense numbers, then codes; their words are in attributes.lathe, the features as
 * JSON. Regression is told in raw units. */
#include "gbdt_xgboost.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_PARENT 2147483647

const Objective xgboost_objectives[] = {
    {"reg:squarederror", "reg_loss_param", "scale_pos_weight", "1", TASK_REGRESSION, LOSS_SQUARED, false},
    {"binary:logistic", "reg_loss_param", "scale_pos_weight", "1", TASK_BINARY, LOSS_LOGISTIC, false},
    {"multi:softprob", "softmax_multiclass_param", "num_class", NULL, TASK_MULTICLASS, LOSS_SOFTMAX, false},
    {"count:poisson", "poisson_regression_param", "max_delta_step", "0.699999988", TASK_REGRESSION,
     LOSS_POISSON, true},
    {"reg:gamma", NULL, NULL, NULL, TASK_REGRESSION, LOSS_GAMMA, true},
    {"reg:tweedie", "tweedie_regression_param", "tweedie_variance_power", NULL, TASK_REGRESSION,
     LOSS_TWEEDIE, true},
    {"reg:absoluteerror", NULL, NULL, NULL, TASK_REGRESSION, LOSS_ABSOLUTE, false},
    {"reg:pseudohubererror", "pseudo_huber_param", "huber_slope", NULL, TASK_REGRESSION, LOSS_HUBER, false},
    {"multi:softmax", "softmax_multiclass_param", "num_class", NULL, TASK_MULTICLASS, LOSS_SOFTMAX, false},
    {"binary:logitraw", "reg_loss_param", "scale_pos_weight", "1", TASK_BINARY, LOSS_LOGISTIC, false},
    {.name = NULL},
};

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

static const Objective *objective_of(const ModelShape *s, int loss)
{
    const Objective *first = NULL;
    for (const Objective *o = xgboost_objectives; o->name; o++) {
        if (o->task != s->task || o->log_link != s->log_link)
            continue;
        if (!loss || (int)o->loss == loss - 1)
            return o;
        first = first ? first : o;
    }
    return first;
}

/* The loss's own number: how many classes, Tweedie's power, from where Huber's is linear in raw units. */
static double number_of(const Objective *o, const ModelShape *s, const BoosterUnits *u)
{
    return o->task == TASK_MULTICLASS ? (double)s->classes
           : o->loss == LOSS_TWEEDIE  ? u->power
                                      : u->delta * u->scale;
}

static void put_objective(Text *into, const Objective *o, const ModelShape *s, const BoosterUnits *u)
{
    text_printf(into, "\"objective\": {\"name\": \"%s\"", o->name);
    if (o->group && o->value)
        text_printf(into, ", \"%s\": {\"%s\": \"%s\"}", o->group, o->key, o->value);
    else if (o->group)
        text_printf(into, ", \"%s\": {\"%s\": \"%.9g\"}", o->group, o->key, number_of(o, s, u));
    text_puts(into, "}");
}

/* Classes begin at base_score 0.5, which is a margin of 0 for two (and the same for all of several), and
 * their own bias is in their first tree. */
bool forest_xgboost(const Forest *f, const ModelShape *s, const BoosterUnits *u, Text *into, Error *err)
{
    size_t trees = f->nodes.count, classes = s->task == TASK_MULTICLASS ? s->classes : 0;
    if (trees == 0)
        return error_set(err, ERROR_USAGE, "the model has no trees yet");
    double base = s->task != TASK_REGRESSION ? 0.5
                  : s->log_link              ? exp((double)f->bias[0]) * u->scale
                                             : (double)f->bias[0] * u->scale + u->shift;
    text_puts(into, "{\"learner\": {\"attributes\": {\"lathe\": ");
    put_text(into, u->about, false);
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
    put_trees(into, f, s->task == TASK_REGRESSION && !s->log_link ? u->scale : 1.0,
              s->task != TASK_REGRESSION);
    text_printf(
        into,
        "\"learner_model_param\": {\"base_score\": \"%.9g\", \"boost_from_average\": \"1\", "
        "\"num_class\": \"%zu\", \"num_feature\": \"%zu\", \"num_target\": \"1\"}, ",
        base, classes, f->features);
    put_objective(into, objective_of(s, u->loss), s, u);
    text_puts(into, "}, \"version\": [1, 7, 4]}\n");
    return true;
}
