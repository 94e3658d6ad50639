/* target.c -- what the model predicts: a standardised number, or the number of a class, and back.
 *
 *     regression   z = (y - mean) / scale; with log: z = (log(1 + y) - mean) / scale; with mean:
 *                  z = y / mean of y, and models learn its logarithm
 *     classes      0 .. classes-1, in ascending order of number or word (no 0, yes 1)
 *
 * Left to itself, text and bool are classes, a number with two whole values is binary, any other
 * number is a regression. Rows without a target, or with a class that no training row had, are not
 * used. */
#include "feature_int.h"

#include <inttypes.h>

static const char *const form_names[] = {
#define AS_NAME(name, text) text,
    TARGET_FORMS(AS_NAME)
#undef AS_NAME
};

static const char *const task_names[] = {
#define AS_NAME(name, text, about) text,
    TASKS(AS_NAME)
#undef AS_NAME
};

const char *task_name(TaskKind t)
{
    return (unsigned)t < TASK_COUNT ? task_names[t] : "unknown";
}

StatsWish target_wish(ColumnType type)
{
    return (StatsWish){.values_most = type == COLUMN_TEXT ? 0 : CLASSES_MOST + 1,
                       .words_most = CLASSES_MOST + 1};
}

static bool two_whole_values(const ColumnStats *s)
{
    return !s->many && s->value.count == 2 && s->value.at[0].value == rint(s->value.at[0].value) &&
           s->value.at[1].value == rint(s->value.at[1].value);
}

static bool wants_classes(const Target *t, const ColumnStats *s, const FeatureOptions *o)
{
    if (o->task == WANT_AUTO)
        return t->type == COLUMN_TEXT || t->type == COLUMN_BOOL || two_whole_values(s);
    return o->task == WANT_CLASSIFICATION;
}

static bool fit_number(Target *t, const ColumnStats *s, const FeatureOptions *o, Error *err)
{
    if (t->type == COLUMN_TEXT)
        return error_set(err, ERROR_USAGE, "target %s is text: task=regression needs a number",
                         t->name);
    t->task = TASK_REGRESSION;
    t->form = o->transform_target == TRANSFORM_NONE   ? TARGET_NONE
              : o->transform_target == TRANSFORM_LOG  ? TARGET_LOG
              : o->transform_target == TRANSFORM_MEAN ? TARGET_MEAN
                                                      : TARGET_STANDARD;
    t->mean = 0.0;
    t->scale = 1.0;
    t->deviation = stats_deviation(s);
    if (!isfinite(t->deviation) || !isfinite(s->mean))
        return error_set(err, ERROR_SHAPE, "target %s: values as large as %g cannot be learnt",
                         t->name, fmax(fabs(s->least), fabs(s->most)));
    if (t->form == TARGET_STANDARD) {
        t->mean = s->mean;
        t->scale = t->deviation;
    }
    if (t->form != TARGET_LOG && t->form != TARGET_MEAN)
        return true;
    if (s->least < 0.0 && t->form == TARGET_MEAN)
        return error_set(err, ERROR_SHAPE,
                         "target %s: the losses poisson, gamma and tweedie (transform_target=mean) need values "
                         "from 0 up, found %g; a recipe can drop such rows",
                         t->name, s->least);
    if (s->least < 0.0)
        return error_set(err, ERROR_SHAPE,
                         "target %s: transform_target=%s needs values from 0 up, found %g", t->name,
                         form_names[t->form], s->least);
    if (t->form == TARGET_MEAN) {
        t->scale = s->mean; /* not constant and none below 0: more than 0 */
        return true;
    }
    double sum = 0.0, squares = 0.0, n = (double)s->sample.count;
    for (size_t i = 0; i < s->sample.count; i++)
        sum += log1p(s->sample.at[i]);
    for (size_t i = 0; i < s->sample.count; i++)
        squares += pow(log1p(s->sample.at[i]) - sum / n, 2.0);
    t->mean = n > 0.0 ? sum / n : 0.0;
    t->scale = squares > 0.0 ? sqrt(squares / n) : 1.0;
    return true;
}

static void print_number(ColumnType type, double value, Text *into)
{
    if (type == COLUMN_BOOL)
        text_puts(into, value != 0.0 ? "true" : "false");
    else
        text_add_real(into, value);
}

static bool fit_classes(Target *t, ColumnStats *s, Error *err)
{
    size_t classes = t->type == COLUMN_TEXT ? s->words.word.count : s->value.count;
    if (s->many || classes > CLASSES_MOST)
        return error_set(
            err, ERROR_SHAPE, "target %s has more than %d classes%s", t->name, CLASSES_MOST,
            t->type == COLUMN_TEXT ? "; choose another column" : "; use task=regression");
    t->task = classes == 2 ? TASK_BINARY : TASK_MULTICLASS;
    t->weight = mem_alloc(classes * sizeof *t->weight);
    t->scale = 1.0;
    if (t->type == COLUMN_TEXT) {
        lexicon_keep(&t->classes, &s->words, 0);
        lexicon_sort(&t->classes, false);
        if (t->classes.word.count != classes)
            return error_set(err, ERROR_PARSE, "target %s: a class name is not valid UTF-8",
                             t->name);
    } else {
        Text name = {0};
        t->number = mem_alloc(classes * sizeof *t->number);
        for (size_t i = 0; i < classes; i++) {
            text_reset(&name);
            t->number[i] = s->value.at[i].value;
            print_number(t->type, t->number[i], &name);
            lexicon_add(&t->classes, text_str(&name), name.count, s->value.at[i].seen);
        }
        text_release(&name);
    }
    for (size_t i = 0; i < classes; i++)
        t->weight[i] = (double)s->count / ((double)classes * (double)t->classes.word.at[i].seen);
    return true;
}

bool target_fit(Target *t, const ColumnStats *s, const FeatureOptions *o, Error *err)
{
    if (!s->count)
        return error_set(err, ERROR_SHAPE,
                         "target %s is missing in every training row; choose another column",
                         t->name);
    bool constant = t->type == COLUMN_TEXT ? s->words.word.count == 1 : s->least == s->most;
    if (constant)
        return error_set(err, ERROR_SHAPE,
                         "target %s has the same value in all %" PRIu64
                         " training rows: there is nothing to learn",
                         t->name, s->count);
    if (t->type == COLUMN_TIME || t->type == COLUMN_DATE)
        return error_set(err, ERROR_USAGE,
                         "target %s is a %s; derive a number from it in a recipe first", t->name,
                         column_type_name(t->type));
    if (wants_classes(t, s, o))
        return fit_classes(t, (ColumnStats *)s, err);
    return fit_number(t, s, o, err);
}

bool target_present(const Target *t, const Column *c, size_t row)
{
    return column_has(c, row) && (t->type == COLUMN_TEXT || isfinite(column_real(c, row)));
}

static size_t class_of(const Target *t, const Column *c, size_t row)
{
    if (c->type == COLUMN_TEXT) {
        size_t n;
        const char *text = column_text(c, row, &n);
        return lexicon_find(&t->classes, text, n);
    }
    if (t->number) {
        double value = column_real(c, row);
        for (size_t i = 0; i < t->classes.word.count; i++)
            if (t->number[i] == value)
                return i;
        return SIZE_MAX;
    }
    Text text = {0};
    column_print(c, row, &text);
    size_t found = lexicon_find(&t->classes, text_str(&text), text.count);
    text_release(&text);
    return found;
}

bool target_value(const Target *t, const Column *c, size_t row, float *out)
{
    if (!column_has(c, row))
        return false;
    if (t->task != TASK_REGRESSION) {
        size_t class = class_of(t, c, row);
        *out = (float)class;
        return class != SIZE_MAX;
    }
    double y = column_real(c, row);
    if (!isfinite(y) || (t->form == TARGET_LOG && y <= -1.0))
        return false;
    *out = (float)(((t->form == TARGET_LOG ? log1p(y) : y) - t->mean) / t->scale);
    return true;
}

double target_back(const Target *t, double standardised)
{
    double y = standardised * t->scale + t->mean;
    return t->form == TARGET_LOG ? expm1(y) : y;
}

static json_t *numbers_to_json(const double *at, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_real(at[i]));
    return list;
}

static double *numbers_from_json(const json_t *from, size_t n, const char *what, Error *err)
{
    if (json_array_size(from) != n) {
        error_set(err, ERROR_PARSE, "%s: expected %zu numbers, found %zu", what, n,
                  json_array_size(from));
        return NULL;
    }
    double *at = mem_alloc((n + 1) * sizeof *at);
    for (size_t i = 0; i < n; i++)
        at[i] = json_number_value(json_array_get(from, i));
    return at;
}

json_t *target_save(const Target *t)
{
    json_t *to = json_pack("{s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:i}", "name", t->name, "type",
                           column_type_name(t->type), "task", task_name(t->task), "form",
                           form_names[t->form], "mean", t->mean, "scale", t->scale, "deviation",
                           t->deviation, "at", (int)t->hint);
    if (t->task == TASK_REGRESSION)
        return to;
    size_t n = t->classes.word.count;
    json_object_set_new(to, "classes", lexicon_to_json(&t->classes));
    json_object_set_new(to, "weights", numbers_to_json(t->weight, n));
    if (t->number)
        json_object_set_new(to, "numbers", numbers_to_json(t->number, n));
    return to;
}

static int index_of(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (text_equal(names[i], name))
            return i;
    return -1;
}

static bool load_classes(Target *t, const json_t *from, Error *err)
{
    if (!lexicon_from_json(&t->classes, json_object_get(from, "classes"), err))
        return error_in(err, "classes");
    size_t n = t->classes.word.count;
    if (n > CLASSES_MOST || (t->task == TASK_BINARY) != (n == 2) || n < 2)
        return error_set(err, ERROR_PARSE, "%zu classes do not fit a %s task", n,
                         task_name(t->task));
    t->weight = numbers_from_json(json_object_get(from, "weights"), n, "weights", err);
    const json_t *numbers = json_object_get(from, "numbers");
    if (numbers)
        t->number = numbers_from_json(numbers, n, "numbers", err);
    return t->weight && (!numbers || t->number);
}

bool target_load(Target *t, const json_t *from, Error *err)
{
    const char *name, *type, *task, *form;
    int at;
    if (json_unpack((json_t *)from, "{s:s, s:s, s:s, s:s, s:F, s:F, s:F, s:i}", "name", &name,
                    "type", &type, "task", &task, "form", &form, "mean", &t->mean, "scale",
                    &t->scale, "deviation", &t->deviation, "at", &at))
        return error_set(err, ERROR_PARSE, "target: a field is missing or of the wrong kind");
    int task_index = index_of(task_names, TASK_COUNT, task);
    int form_index = index_of(form_names, TARGET_FORM_COUNT, form);
    if (task_index < 0 || form_index < 0 || at < 0 || !(t->scale > 0.0) ||
        !column_type_parse(type, &t->type))
        return error_set(err, ERROR_PARSE, "target: unknown task, form or type, or a bad scale");
    t->name = text_copy(name);
    t->task = (TaskKind)task_index;
    t->form = (TargetForm)form_index;
    t->hint = (size_t)at;
    if (t->task != TASK_REGRESSION && !load_classes(t, from, err))
        return error_in(err, "target");
    return true;
}

void target_release(Target *t)
{
    mem_free((char *)t->name);
    lexicon_release(&t->classes);
    mem_free(t->number);
    mem_free(t->weight);
    *t = (Target){0};
}
